# SPDX-License-Identifier: MIT
"""Shards for tests: searches of parts of a database by real BLAST, and made-up ones; and what merging them must give,
worked out the slow way, with whole texts in memory and a sort."""
import math
import random
import re
import shutil
import subprocess
from pathlib import Path

AMINO = "ARNDCQEGHILKMFPSTWYV"
CODONS = dict(zip(AMINO, "GCT CGT AAT GAT TGT CAA GAA GGT CAT ATT CTG AAA ATG TTT CCT TCT ACT TGG TAT GTT".split()))


# --- sequences --------------------------------------------------------------------------------------

class Maker:
    """Families of related sequences, copies of some, long ones and strangers, always the same."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def sequence(self, n, letters):
        return "".join(self.random.choice(letters) for _ in range(n))

    def relative(self, sequence, share, letters):
        made = []
        for letter in sequence:
            x = self.random.random()
            if x < share:
                made.append(self.random.choice(letters))
            elif x < share * 1.1:
                made.append(letter + self.random.choice(letters) if x > share * 1.05 else "")
            else:
                made.append(letter)
        return "".join(made)

    def database(self, families, n, letters):
        made = []
        for _ in range(n):
            x = self.random.random()
            if x < 0.5:
                sequence = self.relative(self.random.choice(families), self.random.choice([0.1, 0.3, 0.5]), letters)
            elif x < 0.6 and made:
                sequence = self.random.choice(made)
            elif x < 0.7:
                sequence = (self.sequence(self.random.randrange(1000, 5000), letters) + self.random.choice(families)[:60]
                            + self.sequence(self.random.randrange(500, 2000), letters))
            else:
                sequence = self.sequence(self.random.randrange(80, 500), letters)
            made.append(sequence)
        return made


def fasta(name, sequences, title="number"):
    return [f">{name}{i} {title} {i} <&>\n{sequence}\n" for i, sequence in enumerate(sequences)]


class Blast:
    """Two databases, queries for each, and searches of them, whole and in shards."""

    def __init__(self, folder):
        self.folder = Path(folder)
        make = Maker(7)
        families = [make.sequence(make.random.randrange(150, 400), AMINO) for _ in range(15)]
        proteins = make.database(families, 220, AMINO)
        # A database of very long subjects that differ a little in length: E-values that print alike, and differ.
        long = make.sequence(9000, AMINO) + families[0][:60] + make.sequence(9000, AMINO)
        longs = [long + long[:2 * i] for i in range(9)]
        queries = [family[:make.random.randrange(60, 300)] for family in families[:8]]
        genes = [make.sequence(make.random.randrange(300, 1200), "ACGT") for _ in range(12)]
        pieces = make.database(genes, 150, "ACGT") + ["".join(CODONS[c] for c in s) for s in proteins[:40]]
        self.records = {"p": fasta("s", proteins), "n": fasta("c", pieces), "l": fasta("l", longs)}
        self.queries = {
            "p": fasta("q", queries + ["X" * 40, make.sequence(100, AMINO), make.sequence(20, AMINO), ""], "protein"),
            "n": fasta("r", [gene[:make.random.randrange(100, 500)] for gene in genes[:7]]
                       + ["N" * 60, make.sequence(60, "ACGT"), ""]
                       + ["".join(CODONS[c] for c in family[:90]) for family in families[:3]], "read")}
        for name, records in self.records.items():
            self.make_database(name, name, records)
        self.queries["psi"] = self.queries["p"][:8]  # PSI-BLAST gives up at a query that holds nothing but X
        for kind, records in self.queries.items():
            (self.folder / f"{kind}.fa").write_text("".join(records))
        self.wholes = {}

    def make_database(self, name, kind, records):
        if kind == "r":
            (self.folder / f"{name}.pn").write_text("".join(f"{path}\n" for path in records))
            subprocess.run(["makeprofiledb", "-in", f"{name}.pn", "-title", name, "-out", name, "-dbtype", "rps"], cwd=self.folder,
                           stdout=subprocess.DEVNULL, check=True)
            return
        subprocess.run(["makeblastdb", "-dbtype", "nucl" if kind == "n" else "prot", "-title", name, "-out", name],
                       input="".join(records).encode(), cwd=self.folder, stdout=subprocess.DEVNULL, check=True)

    def make_profiles(self, n=12):
        """A database of profiles, "r", for rpsblast."""
        if "r" in self.records:
            return
        paths = []
        for i, record in enumerate(self.records["p"][:n]):
            (self.folder / "profile.fa").write_text(record)
            paths.append(f"profile_{i:02}.smp")
            subprocess.run(["psiblast", "-query", "profile.fa", "-db", "p", "-num_iterations", "2", "-parse_deflines", "-out_pssm",
                            paths[-1], "-save_pssm_after_last_round", "-outfmt", "6"], cwd=self.folder, stdout=-3, stderr=-3, check=True)
        self.records["r"] = paths
        self.make_database("r", "r", paths)

    def make_domains(self):
        """A database of domains, "delta", for deltablast: the profiles, with what psiblast does not save of them, which is
        made up: each column's residue, seen in five sequences."""
        if (self.folder / "delta.rps").exists():
            return
        self.make_profiles()
        for name in self.records["r"]:
            text = (self.folder / name).read_text()
            residues = bytes.fromhex("".join(re.search(r"ncbistdaa '([0-9A-F\s]+)'H", text).group(1).split()))
            weights = ",".join("{ %d, 10, 0 }" % (i == residue) for residue in residues for i in range(28))
            text = text.replace("freqRatios {", f"weightedResFreqsPerPos {{ {weights} }},\nfreqRatios {{", 1)
            seen = ",".join(["{ 5, 10, 0 }"] * len(residues))
            end = re.compile(r"\n      \}(?=\n    \})").search(text, text.index("freqRatios {")).end()
            (self.folder / f"delta_{name}").write_text(f"{text[:end]},\nnumIndeptObsr {{ {seen} }}{text[end:]}")
        (self.folder / "delta.pn").write_text("".join(f"delta_{name}\n" for name in self.records["r"]))
        subprocess.run(["makeprofiledb", "-in", "delta.pn", "-title", "delta", "-out", "delta", "-dbtype", "delta"],
                       cwd=self.folder, stdout=subprocess.DEVNULL, check=True)

    def n_letters(self, kind):
        if kind == "r":
            return sum(len(record.split("\n")[1]) for record in self.records["p"][:len(self.records["r"])])
        return sum(len(record.split("\n")[1]) for record in self.records[kind])

    def write_alias(self, name, kind, text):
        (self.folder / (f"{name}." + ("nal" if kind == "n" else "pal"))).write_text(f"TITLE {name}\n{text}")

    def slices(self, kind, n_shards, round_robin=False):
        """Makes slices of a database, each behind an alias that has the whole's statistics."""
        if kind == "r":
            self.make_profiles()
        records, names = self.records[kind], []
        for i in range(n_shards):
            name = f"{kind}_{n_shards}_{i}" + ("_rr" if round_robin else "")
            names.append(name + "_st")
            if (self.folder / (f"{name}.fasta")).exists():
                continue
            part = records[i::n_shards] if round_robin else \
                records[len(records) * i // n_shards:len(records) * (i + 1) // n_shards]
            self.make_database(name, kind, part)
            (self.folder / (f"{name}.fasta")).write_text("".join(part))  # of profiles: their paths
            self.write_alias(names[-1], kind,
                             f"DBLIST {name}\nSTATS_NSEQ {len(records)}\nSTATS_TOTLEN {self.n_letters(kind)}\n")
        return names

    def windows(self, kind, n_shards):
        n, names = len(self.records[kind]), []
        for i in range(n_shards):
            names.append(f"{kind}_w{n_shards}_{i}")
            self.write_alias(names[-1], kind, f"DBLIST {kind}\nFIRST_OID {n * i // n_shards + 1}\n"
                                              f"LAST_OID {n * (i + 1) // n_shards}\n")
        return names

    def whole(self, program, database, query, outfmt, *options):
        """A search of the whole, run once."""
        if database == "r":
            self.make_profiles()
        if program == "deltablast":
            self.make_domains()
        key = (program, database, query, outfmt, *options)
        if key not in self.wholes:
            self.wholes[key] = self.search(*key)
        return self.wholes[key]

    def search(self, program, database, query, outfmt, *options):
        program = "rpsblast+" if program == "rpsblast" and shutil.which("rpsblast+") else program
        command = [program, "-db", database, "-query", f"{query}.fa", "-outfmt", outfmt, *options]
        return subprocess.run(command, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              check=True).stdout

    def write(self, name, data):
        (self.folder / name).write_bytes(data)
        return self.folder / name


# --- the oracle: outfmt 5 ---------------------------------------------------------------------------

# BLOSUM62 without gaps, and with costs 11, 1: lambda, a, alpha, sigma
UNGAPPED, GAPPED, GAP = (0.3176, 0.7916, 4.964660, 4.964660), (0.267, 1.9, 42.602800, 43.636200), 12


def finite_evalue(score, lam, k, n_query, n_subject, n_residues):
    scale = lam / GAPPED[0]
    a, alpha, sigma = (scale * value for value in GAPPED[1:])
    b, beta, tau = (2 * GAP * (UNGAPPED[j] - GAPPED[i]) for j, i in ((1, 1), (2, 2), (2, 3)))

    def side(n):
        length = n - (a * score + b)
        deviation = math.sqrt(max(2 * alpha / lam, alpha * score + beta))
        z = length / deviation
        chance = math.erfc(-z / math.sqrt(2)) / 2
        return chance, length * chance + deviation / math.sqrt(2 * math.pi) * math.exp(-z * z / 2)

    (chance_q, length_q), (chance_s, length_s) = side(n_query), side(n_subject)
    area = length_q * length_s + max(2 * sigma / lam, sigma * score + tau) * chance_q * chance_s
    return area * k * math.exp(-lam * score) * n_residues / n_subject


def value(text, name):
    found = re.search(f"<{name}>(.*?)</{name}>", text)
    return found.group(1) if found else None


def replaced(text, name, new):
    return re.sub(f"<{name}>.*?</{name}>", lambda _: f"<{name}>{new}</{name}>", text, count=1)


def exact_evalue(hit, program, n_query, statistics):
    printed, score = float(value(hit, "Hsp_evalue")), int(value(hit, "Hsp_score"))
    if printed < 1e-180:
        return 0.0
    if program == "blastp":
        for step in sorted(range(-48, 49), key=abs):
            exact = finite_evalue(score + step / 32, *statistics[:2], n_query, int(value(hit, "Hit_len")), statistics[2])
            if float(f"{exact:.6g}") == printed:
                return exact
    return printed


def iterations(text):
    return re.findall("<Iteration>\n.*?</Iteration>\n", text, re.S)


def hits_of(iteration):
    return re.findall("<Hit>\n.*?</Hit>\n", iteration, re.S)


def merged(texts, database, n_targets=500, is_window=False, round_robin=False, order=None):
    """The merge of shards of outfmt 5, whole texts all. order: the accessions in the database's order."""
    parts = [iterations(text) for text in texts]
    assert len({len(part) for part in parts}) == 1
    sizes = [int(value(part[0], "Statistics_db-num")) for part in parts]
    result = [replaced(texts[0][:texts[0].index("<Iteration>")], "BlastOutput_db", database)]
    program = value(texts[0], "BlastOutput_program")
    for group in zip(*parts):
        totals = [int(value(group[0], name)) if is_window else sum(int(value(part, name)) for part in group)
                  for name in ("Statistics_db-num", "Statistics_db-len")]
        statistics = [float(value(group[0], f"Statistics_{name}")) for name in ("lambda", "kappa")] + [totals[1]]
        ranked = []
        for shard, part in enumerate(group):
            for place, hit in enumerate(hits_of(part)):
                evalue = exact_evalue(hit, program, int(value(part, "Iteration_query-len")), statistics)
                number = re.search(r"<Hit_id>gnl\|BL_ORD_ID\|(\d+)", hit)
                ordinal = None
                if number:
                    n = int(number.group(1))
                    ordinal = n if is_window else n * len(texts) + shard if round_robin else n + sum(sizes[:shard])
                    hit = replaced(replaced(hit, "Hit_id", f"gnl|BL_ORD_ID|{ordinal}"), "Hit_accession", ordinal)
                later = -ordinal if ordinal is not None else -order.index(value(hit, "Hit_accession")) if order else -shard
                ranked.append((evalue, -int(value(hit, "Hsp_score")), later, -shard, place, hit))
        ranked.sort(key=lambda entry: entry[:5])
        hits = [replaced(entry[5], "Hit_num", i + 1) for i, entry in enumerate(ranked[:n_targets])]
        frame = next((part for part in group if "<Hit>" in part), group[0])
        tail = frame[frame.index("</Iteration_hits>"):]
        tail = replaced(replaced(tail, "Statistics_db-num", totals[0]), "Statistics_db-len", totals[1])
        result += [group[0][:group[0].index("<Iteration_hits>")], "<Iteration_hits>\n", *hits, tail]
    result.append(texts[0][texts[0].rindex("</Iteration>\n") + len("</Iteration>\n"):])
    return "".join(result)


# --- made-up shards ---------------------------------------------------------------------------------

HEADER = """<?xml version="1.0"?>
<!DOCTYPE BlastOutput PUBLIC "-//NCBI//NCBI BlastOutput/EN" "http://www.ncbi.nlm.nih.gov/dtd/NCBI_BlastOutput.dtd">
<BlastOutput>
  <BlastOutput_program>{program}</BlastOutput_program>
  <BlastOutput_version>BLASTN 2.12.0+</BlastOutput_version>
  <BlastOutput_db>{database}</BlastOutput_db>
  <BlastOutput_query-ID>Query_1</BlastOutput_query-ID>
  <BlastOutput_query-def>one</BlastOutput_query-def>
  <BlastOutput_query-len>100</BlastOutput_query-len>
  <BlastOutput_param>
    <Parameters>
      <Parameters_expect>10</Parameters_expect>
    </Parameters>
  </BlastOutput_param>
<BlastOutput_iterations>
"""
FOOTER = "</BlastOutput_iterations>\n</BlastOutput>\n\n"
SEQUENCES, RESIDUES, ADJUSTMENT = 1200, 120000, 10  # split evenly by all numbers of shards that tests use


def made_hit(number, name, evalue, score, length=300, extra="", strand=0):
    strand = f"      <Hsp_hit-frame>{strand}</Hsp_hit-frame>\n" if strand else ""
    return (f"<Hit>\n  <Hit_num>{number}</Hit_num>\n  <Hit_id>{name}</Hit_id>\n  <Hit_def>of {name}</Hit_def>\n"
            f"  <Hit_accession>{name.split('|')[-1]}</Hit_accession>\n  <Hit_len>{length}</Hit_len>\n  <Hit_hsps>\n"
            f"    <Hsp>\n      <Hsp_num>1</Hsp_num>\n      <Hsp_bit-score>50</Hsp_bit-score>\n"
            f"      <Hsp_score>{score}</Hsp_score>\n      <Hsp_evalue>{evalue}</Hsp_evalue>\n"
            f"{strand}      <Hsp_qseq>ACGT{extra}</Hsp_qseq>\n    </Hsp>\n  </Hit_hsps>\n</Hit>\n")


def made_shard(queries, n_shards, program="blastn", database="part", message="", **fields):
    """queries: for each a list of (name, evalue, score)."""
    space = fields.pop("space", (100 - ADJUSTMENT) * (RESIDUES - ADJUSTMENT * SEQUENCES))
    texts = [HEADER.format(program=program, database=database)]
    for i, hits in enumerate(queries):
        texts.append(f"<Iteration>\n  <Iteration_iter-num>{i + 1}</Iteration_iter-num>\n"
                     f"  <Iteration_query-ID>Query_{i + 1}</Iteration_query-ID>\n"
                     f"  <Iteration_query-def>{fields.get('title', 'number')} {i + 1}</Iteration_query-def>\n"
                     "  <Iteration_query-len>100</Iteration_query-len>\n<Iteration_hits>\n")
        texts += [made_hit(j + 1, *hit) for j, hit in enumerate(hits)]
        none = "  <Iteration_message>No hits found</Iteration_message>\n" if not hits else message
        texts.append("</Iteration_hits>\n  <Iteration_stat>\n    <Statistics>\n"
                     f"      <Statistics_db-num>{SEQUENCES // n_shards}</Statistics_db-num>\n"
                     f"      <Statistics_db-len>{RESIDUES // n_shards}</Statistics_db-len>\n"
                     f"      <Statistics_hsp-len>{fields.get('adjustment', ADJUSTMENT)}</Statistics_hsp-len>\n"
                     f"      <Statistics_eff-space>{space}</Statistics_eff-space>\n"
                     "      <Statistics_kappa>0.41</Statistics_kappa>\n"
                     f"      <Statistics_lambda>{fields.get('lam', '0.625')}</Statistics_lambda>\n"
                     "      <Statistics_entropy>0.78</Statistics_entropy>\n    </Statistics>\n  </Iteration_stat>\n"
                     f"{none}</Iteration>\n")
    return "".join([*texts, FOOTER])


# --- tables -----------------------------------------------------------------------------------------

def merged_rows(tables, order, n_targets=500, columns=12, delimiter="\t", evalue=10, bits=11, score=None):
    """Tables of rows alone, given the order of all queries."""
    ranked = {}
    for shard, table in enumerate(tables):
        groups = []
        for row in table.splitlines():
            fields = row.split(delimiter)
            if groups and groups[-1][0] == fields[:2]:
                groups[-1][1].append(row)
            else:
                groups.append((fields[:2], [row]))
        for place, ((query, _), rows) in enumerate(groups):
            fields = rows[0].split(delimiter)
            number = float(fields[evalue])
            raw = -int(fields[score]) if score is not None else -float(fields[bits])
            ranked.setdefault(query, []).append((number if number >= 1e-180 else 0, raw, -shard, place, rows))
    lines = []
    for query in order:
        for *_, rows in sorted(ranked.get(query, []), key=lambda entry: entry[:4])[:n_targets]:
            lines += [delimiter.join(row.split(delimiter)[:columns]) for row in rows]
    return "".join(line + "\n" for line in lines)
