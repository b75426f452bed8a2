# SPDX-License-Identifier: MIT
"""Searches of real BLAST that are run whole and split: odd queries among ordinary ones, for every program."""
import os
import random
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from test_real_blast import GENOMES, PROTEINS, records

FULL = os.environ.get("BLASTMERGE_TEST_UNSPLIT") == "full"
SIZE = 31 if FULL else 6  # ordinary queries


def named(name, sequence):
    return f">{name}\n{sequence}\n"


def titles(dice, n, pieces):
    """Titles of 20 to 40 bytes, where a number of one more digit changes what a message shows of them."""
    for i in range(n):
        length = 20 + i % 21
        title = dice.choice("abc")
        while len(title) < length:
            title += dice.choice(pieces)
        yield title[:length - 1].rstrip() + "z"


def proteins(n):
    """Ordinary ones, the second of which is long."""
    known = records(PROTEINS / "QUERY.fasta.gz")
    short = [query for query in known if len(query) < 450]
    return [short[0], max(known[:9], key=len), *short[1:]][:n]


def reads():
    genome = "".join(records(GENOMES / "ELS37.fasta.gz")[0].split("\n")[1:])
    return [named(f"read_{i} from {i * 9000} & <on>", genome[i * 9000:i * 9000 + 300]) for i in range(40)]


ODD_PROTEINS = [named("all X, and a title that is long enough to be cut", "X" * 30), named("short", "MKV"), named("", "MKVLAAGIVG" * 9),
                named("empty, but with a title", ""), named("café au lait", "X" * 20), named("pyrrolysine", "MKVLAAGIVGO" * 6),
                named("x<&>\"'y  with \\ blanks &amp; &#65;", "XXXXXX"), named("", "XXXX"), named("é x", "OOOOO")]
ODD_DNA = [named("all N, and a title that is long enough to be cut", "N" * 40), named("short", "ACGTACG"), named("", "ACGTTGCA" * 20),
           named("empty, but with a title", ""), named("naïve", "N" * 20), named("poly_a", "A" * 100),
           named("<&>\"'  two \\ blanks", "NNNNNNNN"), named("", "NNNNNN")]
# With -parse_deflines the first word is an id. Query_7777 is what a user may call a query.
ODD_NAMES = [named("sp|P12345|X_Y some title", "MKVLAAGIVG" * 5), named("", "XXXXX"), named("gnl|db|x all X", "X" * 20), named("lcl|foo", ""),
             named("Query_7777 is a user's", "X" * 30), named("", "MKVLAAGIVG" * 6), named("caf on air", "OOO"), named("", "")]
ODD_DNA_NAMES = [named("gnl|db|x all N", "N" * 20), named("", "ACGTTGCA" * 20), named("lcl|foo", ""), named("naïve é x", "N" * 20),
                 named("Query_7777 is a user's", "N" * 30), named("", "NNNNNN"), named("short one", "ACGTACG"), named("", "")]
# PSI-BLAST gives up at a query that holds nothing but X, or nothing.
ODD_PSI = [named("short", "MKV"), named("", "MKVLAAGIVG" * 9), named("pyrrolysine", "MKVLAAGIVGO" * 6), named("", "MKVLAAGIVG" * 6),
           named("café au lait, and a title that is long", "MKVLAAGIVGO" * 4), named("x<&>\"'y  two", "MKVLAAGIVGO" * 5)]
ODD_PSI_NAMES = [query for query in ODD_NAMES if "MKV" in query] + [named("Query_7777 is a user's", "MKVLAAGIVGO" * 6)]


def nameless(queries):
    """Some of them, with hits, have no name."""
    return ["".join([">\n", query.split("\n", 1)[1]]) if i % 5 == 2 else query for i, query in enumerate(queries)]


def mixed(ordinary, odd):
    """Odd queries among ordinary ones, of which one is the first, and one the last."""
    queries = nameless(ordinary)
    for i, query in enumerate(odd):
        queries.insert(1 + i * (len(queries) - 1) // len(odd), query)
    return queries


def all_x(pieces, n=126):
    return [named(title, "X" * 12) for title in titles(random.Random(6), n, pieces)]


def all_x_named(pieces):
    """The same with ids of their own, and every third without a name."""
    return [named("", "X" * 12) if i % 3 == 0 else query.replace(">", f">id_{i} ", 1) for i, query in enumerate(all_x(pieces))]


@dataclass
class Search:
    program: str
    queries: list
    options: list
    several: bool = False  # -mt_mode 1, which makes several documents of one run

    def run(self, folder, queries, outfmt, several=False):
        """What the program writes for these queries, which is nothing at all if it can make nothing of them."""
        database = "proteins" if self.program in ("blastp", "blastx", "psiblast") else "genome"
        # So small are the chunks of -mt_mode 1 that a child gets several documents.
        more, environment = (["-mt_mode", "1", "-num_threads", "2"], {"BATCH_SIZE": "400"}) if several else ([], {})
        return subprocess.run([self.program, "-db", database, "-outfmt", outfmt, *self.options, *more], cwd=folder,
                              input="".join(queries).encode(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              env=dict(os.environ, **environment), check=False).stdout

    def children(self, folder, n_children, outfmt):
        parts = split(self.queries, n_children)
        with ThreadPoolExecutor(2) as pool:
            return list(pool.map(lambda part: self.run(folder, part, outfmt, self.several), parts))


def split(queries, n_children):
    return [queries[len(queries) * i // n_children:len(queries) * (i + 1) // n_children] for i in range(n_children)]


PIECES = list("ab &<>'\"|.:\\") + ["  "]
FEW = ["-max_target_seqs", "4"]
PARSED = [*FEW, "-parse_deflines"]
# Of alignments as good as chance blastn finds one more or less by what else it searches for.
NO_CHANCE = ["-task", "blastn", "-evalue", "0.001"]
SEARCHES = {
    "blastp": lambda: Search("blastp", mixed(proteins(SIZE), ODD_PROTEINS), FEW),
    "blastp, named": lambda: Search("blastp", mixed(proteins(SIZE), ODD_NAMES), PARSED),
    "blastp, several documents": lambda: Search("blastp", mixed(proteins(2 * SIZE), ODD_PROTEINS), FEW, True),
    "blastp, titles": lambda: Search("blastp", all_x(PIECES), []),
    "blastp, named titles": lambda: Search("blastp", all_x_named(PIECES), ["-parse_deflines"]),
    "blastp, nameless": lambda: Search("blastp", [named("", "X" * 9), named("", "MKVLAAGIVG" * 4)] * 60, []),
    "blastp, nameless and named": lambda: Search("blastp", [named("", "X" * 9), named("a b", "X" * 8)] * 30, ["-parse_deflines"]),
    "blastn": lambda: Search("blastn", mixed(reads()[:SIZE], ODD_DNA), [*NO_CHANCE, *FEW]),
    "blastn, named": lambda: Search("blastn", mixed(reads()[:SIZE], ODD_DNA_NAMES), [*NO_CHANCE, *PARSED]),
    "megablast": lambda: Search("blastn", mixed(reads()[:SIZE], ODD_DNA), FEW),
    "megablast, several documents": lambda: Search("blastn", mixed(reads()[:2 * SIZE], ODD_DNA), FEW, True),
    "blastx": lambda: Search("blastx", mixed(reads()[:SIZE], ODD_DNA), FEW),
    "blastx, named": lambda: Search("blastx", mixed(reads()[:SIZE], ODD_DNA_NAMES), PARSED),
    "tblastn": lambda: Search("tblastn", mixed(proteins(SIZE), ODD_PROTEINS), FEW),
    "tblastn, named": lambda: Search("tblastn", mixed(proteins(SIZE), ODD_NAMES), PARSED),
    "psiblast": lambda: Search("psiblast", mixed(proteins(SIZE), ODD_PSI), ["-num_iterations", "2", *FEW]),
    "psiblast, named": lambda: Search("psiblast", mixed(proteins(SIZE), ODD_PSI_NAMES), ["-num_iterations", "2", *PARSED]),
}
