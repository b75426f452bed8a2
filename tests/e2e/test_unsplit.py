# SPDX-License-Identifier: MIT
"""--as-unsplit with real BLAST: the merge of a split search, decompressed, is what the unsplit search writes, byte
for byte; and where that cannot be had the report says so.

BLASTMERGE_TEST_UNSPLIT=full runs every search in every split. Needs what test_real_blast.py needs.
"""
import gzip
import json
import os
import random
import subprocess
from dataclasses import dataclass

import pytest

import oracle
from program import difference, run, text_of
from test_real_blast import DATA, GENOMES, PROTEINS, Blast, blast, records  # pylint: disable=unused-import

FULL = os.environ.get("BLASTMERGE_TEST_UNSPLIT") == "full"
SPLITS = (1, 2, 3, 7, 40)
SIZE = 34 if FULL else 7  # ordinary queries


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
    return records(PROTEINS / "QUERY.fasta.gz")[:n]


ODD_PROTEINS = [named("all X, and a title that is long enough to be cut", "X" * 30), named("short", "MKV"), named("", "MKVLAAGIVG" * 9),
                named("empty, but with a title", ""), named("café au lait", "X" * 20), named("pyrrolysine", "MKVLAAGIVGO" * 6),
                named("x<&>\"'y  with   blanks &amp; &#65;", "XXXXXX"), named("", "XXXX"), named("é x", "OOOOO")]
ODD_DNA = [named("all N, and a title that is long enough to be cut", "N" * 40), named("short", "ACGTACG"), named("", "ACGTTGCA" * 20),
           named("empty, but with a title", ""), named("naïve", "N" * 20), named("poly_a", "A" * 100),
           named("<&>\"'  two  blanks", "NNNNNNNN"), named("", "NNNNNN")]
# With -parse_deflines the first word is an id. Query_7777 is what a user may call a query.
ODD_NAMES = [named("sp|P12345|X_Y some title", "MKVLAAGIVG" * 5), named("", "XXXXX"), named("gnl|db|x all X", "X" * 20), named("lcl|foo", ""),
             named("Query_7777 is a user's", "X" * 30), named("", "MKVLAAGIVG" * 6), named("caf on air", "OOO"), named("", "")]
# PSI-BLAST gives up at a query that holds nothing but X, or nothing.
ODD_PSI = [named("short", "MKV"), named("", "MKVLAAGIVG" * 9), named("pyrrolysine", "MKVLAAGIVGO" * 6), named("", "MKVLAAGIVG" * 6),
           named("café au lait, and a title that is long", "MKVLAAGIVGO" * 4), named("x<&>\"'y  two", "MKVLAAGIVGO" * 5)]
ODD_PSI_NAMES = [query for query in ODD_NAMES if "MKV" in query] + [named("Query_7777 is a user's", "MKVLAAGIVGO" * 6)]


def mixed(ordinary, odd):
    """Odd queries among ordinary ones, of which one is the first, and one the last."""
    queries = list(ordinary)
    for i, query in enumerate(odd):
        queries.insert(1 + i * (len(queries) - 1) // len(odd), query)
    return queries


def reads():
    genome = "".join(records(GENOMES / "ELS37.fasta.gz")[0].split("\n")[1:])
    return [named(f"read_{i} from {i * 30000} & <on>", genome[i * 30000:i * 30000 + 300]) for i in range(40)]


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


SEARCHES = {
    "blastp": lambda: Search("blastp", mixed(proteins(SIZE), ODD_PROTEINS), ["-max_target_seqs", "9"]),
    "blastp, named": lambda: Search("blastp", mixed(proteins(SIZE), ODD_NAMES), ["-max_target_seqs", "9", "-parse_deflines"]),
    "blastp, titles": lambda: Search("blastp", all_x(list("ab &<>'\"|.:") + ["  "]), []),
    "blastp, named titles": lambda: Search("blastp", all_x_named(list("ab &<>'\"|.:") + ["  "]), ["-parse_deflines"]),
    "blastp, nameless": lambda: Search("blastp", [named("", "X" * 9), named("", "MKVLAAGIVG" * 4)] * 60, []),
    "blastp, nameless and named": lambda: Search("blastp", [named("", "X" * 9), named("a b", "X" * 8)] * 30, ["-parse_deflines"]),
    "blastp, several documents": lambda: Search("blastp", mixed(proteins(2 * SIZE), ODD_PROTEINS), ["-max_target_seqs", "2", "-mt_mode", "1",
                                                                                              "-num_threads", "2"]),
    "blastn": lambda: Search("blastn", mixed(reads()[:SIZE], ODD_DNA), ["-task", "blastn", "-max_target_seqs", "3"]),
    "megablast": lambda: Search("blastn", mixed(reads()[:SIZE], ODD_DNA), []),
    "blastx": lambda: Search("blastx", mixed(reads()[:SIZE], ODD_DNA), ["-max_target_seqs", "4"]),
    "tblastn": lambda: Search("tblastn", mixed(proteins(SIZE), ODD_PROTEINS), ["-max_target_seqs", "4"]),
    "psiblast": lambda: Search("psiblast", mixed(proteins(SIZE), ODD_PSI), ["-num_iterations", "3", "-max_target_seqs", "9"]),
    "psiblast, named": lambda: Search("psiblast", mixed(proteins(SIZE), ODD_PSI_NAMES), ["-num_iterations", "2", "-max_target_seqs", "4",
                                                                                   "-parse_deflines"]),
}
SHARE = [("blastp", 3), ("blastp, titles", 7), ("blastp, named", 2), ("psiblast", 3), ("blastp, several documents", 2),
         ("blastn", 2), ("blastx", 3), ("tblastn", 2)]


def search(folder, program, queries, *options, **environment):
    """What the program writes for these queries, which is nothing at all if it can make nothing of them."""
    (folder / "query.fasta").write_bytes("".join(queries).encode())
    database = "proteins" if program in ("blastp", "blastx", "psiblast") else "genome"
    done = subprocess.run([program, "-query", "query.fasta", "-db", database, "-outfmt", "5", *options], cwd=folder,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=dict(os.environ, **environment), check=False)
    return done.stdout


def split(queries, n_children):
    return [queries[len(queries) * i // n_children:len(queries) * (i + 1) // n_children] for i in range(n_children)]


def split_search(folder, found, n_children):
    # So small are the chunks of -mt_mode 1 that a child gets several documents.
    environment = {"BATCH_SIZE": "3000"} if "-mt_mode" in found.options else {}
    return [search(folder, found.program, part, *found.options, **environment)
            for part in split(found.queries, n_children)]


def merge(folder, children, *arguments, kind="gzip"):
    """The merged text, the report's "unsplit", and the warnings."""
    paths = []
    for number, text in enumerate(children, 1):
        paths.append(folder / f"batch_{number}.xml")
        paths[-1].write_bytes(gzip.compress(text) if kind == "gzip" else text)
    report = folder / "report.json"
    done = run("--as-unsplit", "--force", "--report", report, *arguments, *paths)
    assert done.code == 0, done.err
    return text_of(done.out), json.loads(report.read_bytes())["unsplit"], done.warnings


@pytest.fixture(scope="module")
def unsplit_searches():
    return {}


def unsplit_search(blast, kept, name):
    if name not in kept:
        found = SEARCHES[name]()
        options = [option for option in found.options if option not in ("-mt_mode", "1", "-num_threads", "2")] \
            if "-mt_mode" in found.options else found.options
        if "-mt_mode" in found.options:
            options = ["-max_target_seqs", "2"]
        kept[name] = search(blast.folder, found.program, found.queries, *options)
        assert kept[name].count(b"<?xml") == 1
    return kept[name]


@pytest.mark.parametrize("name, n_children", [(name, n) for name in SEARCHES for n in SPLITS] if FULL else SHARE)
def test_as_unsplit(blast, unsplit_searches, name, n_children):
    found = SEARCHES[name]()
    whole = unsplit_search(blast, unsplit_searches, name)
    children = split_search(blast.folder, found, n_children)
    if "-mt_mode" in found.options and n_children < 7:
        assert any(child.count(b"<?xml") > 1 for child in children)
    n_empty = sum(not child for child in children)
    # An unsplit run has Iterations for queries that make a run of their own fail.
    n_missing = sum(not child and bool(part) for child, part in zip(children, split(found.queries, n_children)))
    arguments = ["--allow-empty"] if n_empty else []
    for kind in ("gzip", "plain"):
        for threads in (1, 4):
            text, unsplit, warnings = merge(blast.folder, children, "--threads", threads, *arguments, kind=kind)
            assert unsplit["empty_children"] == n_empty
            assert (n_empty > 0) == any("without an Iteration" in warning for warning in warnings)
            if n_missing:
                assert text.count(b"<Iteration>") == whole.count(b"<Iteration>") - n_missing
            else:
                assert text == whole, difference(text, whole)
                assert unsplit["number_gaps"] == unsplit["kept_messages"] == unsplit["excess_iterations"] == 0
            if "named" not in name:
                assert unsplit["unsure_ids"] == 0
    assert text == oracle.merge(children, as_unsplit=True, allow_empty=True)


# --- what cannot be had ------------------------------------------------------------------------------


X = "X" * 12
LEFT_OUT = named("caffè é", X)  # BLAST fails to write a title that ends so


def check_parts(blast, parts, *options):
    """The merged text of these parts of the queries, the text of the unsplit run, the report, the warnings."""
    whole = search(blast.folder, "blastp", sum(parts, []), *options)
    return merge(blast.folder, [search(blast.folder, "blastp", part, *options) for part in parts]) + (whole,)


def test_query_left_out_inside(blast):
    """Its number is left out, too, and so it is in the merge."""
    a, b = named("a", X), named("b", X)
    text, unsplit, warnings, whole = check_parts(blast, [[a, LEFT_OUT, b], [a, LEFT_OUT, LEFT_OUT, b, LEFT_OUT, a], [a, b]])
    assert whole.count(b"<Iteration>") == 8 - 1
    assert text == whole, difference(text, whole)
    assert unsplit["number_gaps"] == 3
    assert any("3 places where the numbers of Iterations do not run on" in warning for warning in warnings)


def test_query_left_out_at_the_end(blast):
    """Nobody can see that: the next child's numbers are too low by one. Nothing but numbers is wrong."""
    a, b = named("a", X), named("b", X)
    text, _, _, whole = check_parts(blast, [[a, LEFT_OUT], [b, a]])
    assert text != whole
    assert text.replace(b"Query_2", b"Query_3").replace(b"Query_3", b"Query_?") != text
    numbers = [line for line in whole.split(b"\n") if b"iter-num" in line]
    assert [b"1<" in numbers[0], b"3<" in numbers[1], b"4<" in numbers[2]] == [True] * 3
    ours = [line for line in text.split(b"\n") if b"iter-num" in line]
    assert [b"1<" in ours[0], b"2<" in ours[1], b"3<" in ours[2]] == [True] * 3


def test_query_left_out_by_its_number(blast):
    """Whether BLAST cuts a title in the middle of a character, and leaves the query out, depends on its number."""
    some = [named(f"s{i}", X) for i in range(9)]
    # 25 bytes end in the middle of the character at Query_10, not at Query_1
    title = named("x" * 15 + "é and so on to be cut", X)
    text, unsplit, warnings, whole = check_parts(blast, [some, [title, some[0]]])
    assert text.count(b"<Iteration>") == whole.count(b"<Iteration>") + 1
    assert unsplit["excess_iterations"] == 1
    assert any("would have left out" in warning for warning in warnings)
    # and the other way round
    title = named("x" * 16 + "é and so on to be cut", X)
    text, unsplit, warnings, whole = check_parts(blast, [some, [title, some[0]]])
    assert text.count(b"<Iteration>") == whole.count(b"<Iteration>") - 1
    assert unsplit["number_gaps"] == 1
    assert any("do not run on" in warning for warning in warnings)


def test_name_that_a_user_gave(blast):
    """Query_2 as the second query's own name looks as if BLAST had given it."""
    parts = [[named("a b", X), named("", X)], [named("c d", X), named("Query_2 of a user", X)], [named("Query_7 of a user", X)]]
    text, unsplit, warnings, whole = check_parts(blast, parts, "-parse_deflines")
    assert text != whole
    assert b"Query_7 of a user:  Query_7 of a user: " in text
    assert unsplit["unsure_ids"] == 2  # one was renumbered, one was kept
    assert any("may be BLAST's or a user's" in warning for warning in warnings)
    kept = run("--keep-db", "--query-ids", "keep", *(blast.folder / f"batch_{i}.xml" for i in (1, 2, 3))).text
    assert kept == whole, difference(kept, whole)


def test_child_of_empty_queries(blast):
    """BLAST writes nothing for them alone, an Iteration each for them among others."""
    a, empty = named("a", X), named("empty", "")
    children = [search(blast.folder, "blastp", part) for part in ([a], [empty], [a])]
    assert children[1] == b""
    assert search(blast.folder, "blastp", [a, empty, a]).count(b"<Iteration>") == 3
    text, unsplit, warnings = merge(blast.folder, children, "--allow-empty")
    assert text.count(b"<Iteration>") == 2
    assert unsplit["empty_children"] == 1
    assert any("1 child without an Iteration, in" in warning for warning in warnings)


def test_children_of_other_databases(blast):
    children = [search(blast.folder, "blastp", [named("a", X)]), search(blast.folder, "tblastn", [named("a", X)])]
    paths = [blast.folder / "one.xml", blast.folder / "other.xml"]
    for path, text in zip(paths, children):
        path.write_bytes(text.replace(b"tblastn", b"blastp"))
    done = run("--as-unsplit", *paths)
    assert done.code == 4 and "BlastOutput_db" in done.err


def test_children_in_the_tree():
    """tests/data, which needs no BLAST: a split search and the same one unsplit."""
    children = [DATA / f"batch_{i}.xml.gz" for i in (1, 2, 3)]
    assert run("--as-unsplit", *children).text == gzip.decompress((DATA / "whole.xml.gz").read_bytes())
