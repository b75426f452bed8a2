#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""corpus - children to merge, made up, but in their statistics like real `blastp -outfmt 5` (BLAST+ 2.12).

Seeded, without BLAST, the same bytes for the same seed everywhere. A query has a few ancestral
homologs; its hits are mutated copies of these, so that the text repeats itself as real results do
(gzip makes it 6 to 7 times smaller). Checked against BLAST: docs/benchmarks.md has the figures.

    corpus.py --children 4 --iterations 400 --hits 100 --out DIR

writes DIR/child_000.xml.gz and so on, `gzip -6`. In code: texts() and write().
"""
import argparse
import math
import random
import zlib
from dataclasses import dataclass
from pathlib import Path

RESIDUES = "ACDEFGHIKLMNPQRSTVWY"
FREQUENCIES = [8.25, 1.38, 5.46, 6.72, 3.86, 7.07, 2.27, 5.91, 5.80, 9.65,
               2.41, 4.06, 4.74, 3.93, 5.53, 6.63, 5.35, 6.86, 1.10, 2.92]  # of UniProt, in per cent
SIMILAR = {"A": "S", "C": "", "D": "EN", "E": "DQK", "F": "YW", "G": "", "H": "YN", "I": "VLM", "K": "RQE",
           "L": "IMV", "M": "LIV", "N": "DSH", "P": "", "Q": "EKR", "R": "KQ", "S": "TAN", "T": "S",
           "V": "ILM", "W": "FY", "Y": "FWH"}
PROTEINS = ["ATP-dependent 6-phosphofructokinase", "Uncharacterized protein", "Isoleucine--tRNA ligase",
            "Peptide chain release factor 1", "Genome polyprotein (Fragment)", "Predicted protein",
            "Ribonuclease HII", "ABC transporter ATP-binding protein", "DNA polymerase III subunit alpha",
            "Glyceraldehyde-3-phosphate dehydrogenase", "Putative two-component system sensor kinase",
            "50S ribosomal protein L2", "Elongation factor Tu", "Cytochrome b & c1 complex subunit",
            "3'-5' exonuclease \"ExoX\"", "NADH-quinone oxidoreductase subunit <I>",
            "Zinc finger CCHC domain-containing protein", "Chaperone protein DnaK",
            "Transcriptional regulator, LysR family", "Serine/threonine-protein kinase"]
SPECIES = ["Homo sapiens", "Mus musculus", "Escherichia coli (strain K12)", "Bacillus subtilis (strain 168)",
           "Saccharomyces cerevisiae", "Nematostella vectensis", "Drosophila pseudoobscura pseudoobscura",
           "Rickettsia massiliae str. AZT80", "Aureimonas sp. AU20", "Mycobacterium tuberculosis",
           "Entamoeba histolytica", "Dengue virus 3", "Staphylococcus aureus", "Arabidopsis thaliana",
           "Candida glabrata", "Plasmodium falciparum (isolate 3D7)"]
DATABASE_SEQUENCES, DATABASE_LETTERS = 20000, 9055569
MOST_HITS = 500  # BLAST's own default

HEADER = """<?xml version="1.0"?>
<!DOCTYPE BlastOutput PUBLIC "-//NCBI//NCBI BlastOutput/EN" "http://www.ncbi.nlm.nih.gov/dtd/NCBI_BlastOutput.dtd">
<BlastOutput>
  <BlastOutput_program>blastp</BlastOutput_program>
  <BlastOutput_version>BLASTP 2.12.0+</BlastOutput_version>
  <BlastOutput_reference>Stephen F. Altschul, Thomas L. Madden, Alejandro A. Sch&amp;auml;ffer, Jinghui Zhang, Zheng Zhang, \
Webb Miller, and David J. Lipman (1997), &quot;Gapped BLAST and PSI-BLAST: a new generation of protein database search \
programs&quot;, Nucleic Acids Res. 25:3389-3402.</BlastOutput_reference>
  <BlastOutput_db>proteins</BlastOutput_db>
  <BlastOutput_query-ID>Query_1</BlastOutput_query-ID>
  <BlastOutput_query-def>{title}</BlastOutput_query-def>
  <BlastOutput_query-len>{length}</BlastOutput_query-len>
  <BlastOutput_param>
    <Parameters>
      <Parameters_matrix>BLOSUM62</Parameters_matrix>
      <Parameters_expect>10</Parameters_expect>
      <Parameters_gap-open>11</Parameters_gap-open>
      <Parameters_gap-extend>1</Parameters_gap-extend>
      <Parameters_filter>F</Parameters_filter>
    </Parameters>
  </BlastOutput_param>
<BlastOutput_iterations>
"""
ITERATION = """<Iteration>
  <Iteration_iter-num>{number}</Iteration_iter-num>
  <Iteration_query-ID>Query_{query}</Iteration_query-ID>
  <Iteration_query-def>{title}</Iteration_query-def>
  <Iteration_query-len>{length}</Iteration_query-len>
<Iteration_hits>
"""
HIT = """<Hit>
  <Hit_num>{number}</Hit_num>
  <Hit_id>gnl|BL_ORD_ID|{ordinal}</Hit_id>
  <Hit_def>{title}</Hit_def>
  <Hit_accession>{ordinal}</Hit_accession>
  <Hit_len>{length}</Hit_len>
  <Hit_hsps>
"""
HSP = """    <Hsp>
      <Hsp_num>{number}</Hsp_num>
      <Hsp_bit-score>{bits:.6g}</Hsp_bit-score>
      <Hsp_score>{score}</Hsp_score>
      <Hsp_evalue>{evalue}</Hsp_evalue>
      <Hsp_query-from>{query_from}</Hsp_query-from>
      <Hsp_query-to>{query_to}</Hsp_query-to>
      <Hsp_hit-from>{hit_from}</Hsp_hit-from>
      <Hsp_hit-to>{hit_to}</Hsp_hit-to>
      <Hsp_query-frame>0</Hsp_query-frame>
      <Hsp_hit-frame>0</Hsp_hit-frame>
      <Hsp_identity>{identical}</Hsp_identity>
      <Hsp_positive>{positive}</Hsp_positive>
      <Hsp_gaps>{gaps}</Hsp_gaps>
      <Hsp_align-len>{length}</Hsp_align-len>
      <Hsp_qseq>{query}</Hsp_qseq>
      <Hsp_hseq>{hit}</Hsp_hseq>
      <Hsp_midline>{midline}</Hsp_midline>
    </Hsp>
"""
END_OF_HIT = "  </Hit_hsps>\n</Hit>\n"
END_OF_ITERATION = """</Iteration_hits>
  <Iteration_stat>
    <Statistics>
      <Statistics_db-num>{sequences}</Statistics_db-num>
      <Statistics_db-len>{letters}</Statistics_db-len>
      <Statistics_hsp-len>{hsp_length}</Statistics_hsp-len>
      <Statistics_eff-space>{space}</Statistics_eff-space>
      <Statistics_kappa>0.041</Statistics_kappa>
      <Statistics_lambda>0.267</Statistics_lambda>
      <Statistics_entropy>0.14</Statistics_entropy>
    </Statistics>
  </Iteration_stat>
{message}</Iteration>
"""
NO_HITS = "  <Iteration_message>No hits found</Iteration_message>\n"
EPILOGUE = "</BlastOutput_iterations>\n</BlastOutput>\n\n"


@dataclass
class Settings:
    """What the children are like; the defaults make some of everything."""
    hits: float = 20  # a query, on average; at most MOST_HITS
    query_length: int = 350  # about
    without_hits: float = 0.05  # share of queries
    rounds: int = 1  # Iterations a query has at most: more than 1 is like PSI-BLAST


def escaped(text):
    for character, entity in ("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"), ("'", "&apos;"):
        text = text.replace(character, entity)
    return text


def residues(dice, length):
    return "".join(dice.choices(RESIDUES, FREQUENCIES, k=length))


def middle(a, b):
    """What BLAST writes between two aligned residues."""
    return a if a == b else "+" if b in SIMILAR.get(a, "") else " "


def word(dice, letters, length):
    return "".join(dice.choices(letters, k=length))


def title(dice, protein):
    """A defline in UniProt's form, escaped."""
    letters = "ABCDEFGHIKLMNPQRSTVWYZ"
    accession = dice.choice("OPQA") + dice.choice("0123456789") + word(dice, letters + "0123456789", 3) + dice.choice(
        "0123456789")
    gene = word(dice, letters.lower() + "0123456789_", dice.randrange(4, 9))
    return escaped(f"{dice.choice(['tr', 'sp'])}|{accession}|{accession}_{word(dice, letters, 5)} {protein} "
                   f"OS={dice.choice(SPECIES)} GN={gene} PE={dice.randrange(1, 6)} SV={dice.randrange(1, 4)}")


class Homolog:
    """An ancestor's alignment with a part of the query: three rows of one length."""

    def __init__(self, dice, query):
        length = min(len(query), max(12, int(dice.gauss(0.8 * len(query), 0.2 * len(query)))))
        self.start = dice.randrange(len(query) - length + 1)
        identity = min(1.0, max(0.22, dice.betavariate(1.1, 2.2) * 0.8 + 0.2))
        columns = []
        position, end = self.start, self.start + length
        while position < end:
            residue, chance = query[position], dice.random()
            is_inside = self.start + 3 < position < end - 6
            if is_inside and chance < 0.012 * (1 - identity):
                n_gap = dice.choice((1, 1, 2, 3, 5))
                if dice.random() < 0.5:
                    columns += [(skipped, "-") for skipped in query[position:position + n_gap]]
                    position += n_gap
                else:
                    columns += [("-", inserted) for inserted in residues(dice, n_gap)]
                continue
            if chance < identity:
                columns.append((residue, residue))
            elif SIMILAR[residue] and dice.random() < 0.25:
                columns.append((residue, dice.choice(SIMILAR[residue])))
            else:
                columns.append((residue, residues(dice, 1)))
            position += 1
        self.query = "".join(a for a, _ in columns)
        self.hit = "".join(b for _, b in columns)
        self.midline = "".join(map(middle, self.query, self.hit))

    def trimmed(self, dice):
        """The alignment's borders: some lose up to a quarter at each end; never in a gap."""
        low, high = 0, len(self.query)
        if high > 60 and dice.random() < 0.3:
            low, high = dice.randrange(1, high // 4), high - dice.randrange(1, high // 4)
        while "-" in (self.query[low], self.hit[low]):
            low += 1
        while "-" in (self.query[high - 1], self.hit[high - 1]):
            high -= 1
        return low, high


def hsp(dice, homolog, number):
    """One HSP: the homolog's alignment, mutated in a random share of its columns."""
    low, high = homolog.trimmed(dice)
    query = homolog.query[low:high]
    hit, midline = list(homolog.hit[low:high]), list(homolog.midline[low:high])
    share = 0.4 * dice.random() ** 2
    for column in dice.sample(range(len(query)), int(share * len(query))):
        old = hit[column]
        if "-" in (old, query[column]):
            continue
        new = dice.choice(SIMILAR[old]) if SIMILAR[old] and dice.random() < 0.5 else dice.choice(RESIDUES)
        hit[column], midline[column] = new, middle(query[column], new)
    hit, midline = "".join(hit), "".join(midline)
    similar, n_gaps = midline.count("+"), query.count("-") + hit.count("-")
    identical = len(query) - midline.count(" ") - similar
    score = max(35, int(5.4 * identical - 0.9 * len(query) - 6 * n_gaps + similar))
    bits = (0.267 * score - math.log(0.041)) / math.log(2)
    evalue = 2.7e8 * 2.0 ** -bits
    query_from = homolog.start + low - homolog.query.count("-", 0, low) + 1
    hit_from = dice.randrange(1, 400)
    return HSP.format(number=number, bits=bits, score=score, evalue="0" if evalue < 1e-180 else f"{evalue:.6g}",
                      query_from=query_from, query_to=query_from + len(query) - query.count("-") - 1,
                      hit_from=hit_from, hit_to=hit_from + len(hit) - hit.count("-") - 1,
                      identical=identical, positive=identical + similar, gaps=n_gaps, length=len(query),
                      query=query, hit=hit, midline=midline)


def hits(dice, query, n_hits):
    family = [Homolog(dice, query) for _ in range(dice.choice((1, 2, 2, 3, 4)))]
    protein = dice.choice(PROTEINS)
    for number in range(1, n_hits + 1):
        yield HIT.format(number=number, ordinal=dice.randrange(DATABASE_SEQUENCES), length=dice.randrange(60, 2400),
                         title=title(dice, protein if dice.random() < 0.8 else dice.choice(PROTEINS)))
        for hsp_number in range(1, 2 if dice.random() < 0.85 else dice.randrange(3, 6)):
            yield hsp(dice, dice.choice(family), hsp_number)
        yield END_OF_HIT


def iteration(dice, settings, number, query_number, query, query_title):
    n_hits = 0
    if settings.hits > 0 and dice.random() >= settings.without_hits:
        n_hits = min(MOST_HITS, 1 + int(dice.expovariate(1 / max(0.01, settings.hits - 1))))
    yield ITERATION.format(number=number, query=query_number, title=query_title, length=len(query))
    if n_hits:
        yield from hits(dice, query, n_hits)
    hsp_length = dice.randrange(60, 130)
    space = max(1, len(query) - hsp_length) * (DATABASE_LETTERS - DATABASE_SEQUENCES * hsp_length)
    yield END_OF_ITERATION.format(sequences=DATABASE_SEQUENCES, letters=DATABASE_LETTERS, hsp_length=hsp_length,
                                  space=space, message="" if n_hits else NO_HITS)


def child(seed, n_queries, settings):
    """The text of one child, piece by piece."""
    dice = random.Random(seed)
    number = 0
    for query_number in range(1, n_queries + 1):
        query = residues(dice, max(15, int(dice.lognormvariate(0, 0.6) * settings.query_length)))
        query_title = title(dice, dice.choice(PROTEINS))
        if query_number == 1:
            yield HEADER.format(title=query_title, length=len(query))
        for _ in range(dice.randint(1, settings.rounds)):
            number += 1
            yield from iteration(dice, settings, number, query_number, query, query_title)
    yield EPILOGUE


def texts(n_children, n_queries, seed, **settings):
    """The texts of children that share n_queries queries as evenly as may be."""
    settings = Settings(**settings)
    return ["".join(child(f"{seed}/{i}", n_queries * (i + 1) // n_children - n_queries * i // n_children, settings))
            .encode() for i in range(n_children)]


def write(folder, n_children, n_queries, seed, **settings):
    """The same as files, compressed as gzip -6 does it; also for more than fits in memory. Returns the paths."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    settings = Settings(**settings)
    paths = []
    for i in range(n_children):
        n_here = n_queries * (i + 1) // n_children - n_queries * i // n_children
        paths.append(folder / f"child_{i:03}.xml.gz")
        packer = zlib.compressobj(6, zlib.DEFLATED, 31)
        with open(paths[-1], "wb") as file:
            for piece in child(f"{seed}/{i}", n_here, settings):
                file.write(packer.compress(piece.encode()))
            file.write(packer.flush())
    return paths


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--children", type=int, default=4)
    parser.add_argument("--iterations", type=int, default=40, help="queries of all children together")
    parser.add_argument("--hits", type=float, default=20, help="a query, on average")
    parser.add_argument("--query-length", type=int, default=350)
    parser.add_argument("--without-hits", type=float, default=0.05, help="share of queries")
    parser.add_argument("--rounds", type=int, default=1, help="Iterations of a query at most, as with PSI-BLAST")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", required=True)
    arguments = parser.parse_args()
    write(arguments.out, arguments.children, arguments.iterations, arguments.seed, hits=arguments.hits,
          query_length=arguments.query_length, without_hits=arguments.without_hits, rounds=arguments.rounds)


if __name__ == "__main__":
    main()
