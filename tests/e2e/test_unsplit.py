# SPDX-License-Identifier: MIT
"""--as-unsplit with real BLAST: the merge of a split search, decompressed, is what the unsplit search writes, byte
for byte, in each format; and where that cannot be had the report says so.

BLASTMERGE_TEST_UNSPLIT=full runs every search in every format and split, and pytest -s shows what came of them. Needs what
test_real_blast.py needs.
"""
import gzip
import json
import re
from collections import Counter

import pytest

import oracle
from program import difference, run, text_of
from searches import FULL, SEARCHES, Search, named, split
from test_real_blast import DATA, blast  # pylint: disable=unused-import

FORMATS = ("5", "16", "15", "7", "6", "10")
SPLITS = (1, 2, 3, 7, 40)
# What messages begin with is what these are for: tables have none.
ABOUT_MESSAGES = ("blastp, titles", "blastp, named titles", "blastp, nameless and named")
# A part of it all, with each program, format and number of children.
SHARE = [(name, outfmt, 3) for name in ("blastp", "blastn", "psiblast") for outfmt in FORMATS]
SHARE += [(name, outfmt, 2) for name in ("blastp, named", "blastp, several documents") for outfmt in FORMATS]
SHARE += [("blastx", "5", 3), ("blastx", "15", 2), ("blastx", "7", 2), ("tblastn", "5", 2), ("tblastn", "16", 3), ("tblastn", "6", 3),
          ("blastp, titles", "5", 7), ("blastp, titles", "15", 7), ("psiblast, named", "7", 2), ("megablast", "7", 40)]


def cases():
    for n_children in SPLITS:
        for name in SEARCHES:
            for outfmt in FORMATS:
                if name not in ABOUT_MESSAGES or outfmt in ("5", "16", "15"):
                    yield name, outfmt, n_children


def merge_files(folder, children, *arguments, kind="gzip"):
    paths = []
    for number, text in enumerate(children, 1):
        paths.append(folder / f"batch_{number}")
        paths[-1].write_bytes(gzip.compress(text, 1) if kind == "gzip" else text)
    return run("--as-unsplit", "--force", "--report", folder / "report.json", *arguments, *paths)


def merge(folder, children, *arguments, kind="gzip"):
    """The merged text, the report, and the warnings."""
    done = merge_files(folder, children, *arguments, kind=kind)
    assert done.code == 0, done.err
    return text_of(done.out), json.loads((folder / "report.json").read_bytes()), done.warnings


@pytest.fixture(scope="module")
def unsplit_searches():
    return {}


@pytest.fixture(scope="module")
def tally():
    """What came of all cases; pytest -s shows it."""
    counts = Counter()
    yield counts
    print("\n| program, format | searches and splits | identical | not possible, and reported | of which refused first, for children that BLAST failed to write |\n|---|---|---|---|---|")
    for key in sorted({key for key, _ in counts}):
        print(f"| {key} |", " | ".join(str(counts[key, what]) for what in ("all", "identical", "reported", "refused")), "|")


def unsplit_search(blast, kept, name, outfmt):
    if (name, outfmt) not in kept:
        found = SEARCHES[name]()
        kept[name, outfmt] = found.run(blast.folder, found.queries, outfmt)
    return kept[name, outfmt]


def n_iterations(text, outfmt):
    """How many there are, of whatever the format calls them; in tables without comments, rows."""
    return text.count({"5": b"<Iteration>", "16": b"<BlastOutput2>", "15": b'"report": {', "7": b"# Query: "}.get(outfmt, b"\n"))


def split_search(blast, found, whole, n_children, outfmt):
    """The children. -mt_mode 1 of BLAST 2.12 sometimes leaves a part of the queries out, and says nothing: once more then."""
    for _ in range(4):
        children = found.children(blast.folder, n_children, outfmt)
        if not found.several or sum(n_iterations(child, outfmt) for child in children) == n_iterations(whole, outfmt):
            break
    return children


def is_failed(child, outfmt):
    """Whether it is what BLAST leaves (with exit code 3) where it could search or write none of the queries: white space, or the opening
    of a document. An empty file, which it leaves in other formats, can be told from damage; these cannot."""
    end = {"16": b"</BlastXML2>", "15": b"}"}.get(outfmt, b"")
    return child != b"" and (child.strip() == b"" or not child.rstrip().endswith(end))


def check_counts(report, text, outfmt):
    totals = report["totals"]
    n_rows = sum(line.count(b"," if outfmt == "10" else b"\t") >= 11 for line in text.split(b"\n"))
    counts = {"5": (text.count(b"<Iteration>"), text.count(b"<Hit>"), text.count(b"<Hsp>")),
              "16": (text.count(b"<BlastOutput2>"), text.count(b"<Hit>"), text.count(b"<Hsp>")),
              "15": (text.count(b'"report": {'), text.count(b'"description": ['), text.count(b'"align_len": ')),
              "7": (text.count(b"\n# Query: "), 0, n_rows)}.get(outfmt, (0, 0, n_rows))
    assert (totals["iterations"], totals["hits"], totals["hsps"]) == counts


def without_what_cannot_be_had(text, outfmt, program):
    """What BLAST says of queries without hits only where others of their batch can be searched, or cannot; names without a name."""
    if outfmt in ("6", "10"):
        return re.sub(rb"(?m)^Query_\d+", b"Query_N", text)
    twice = {"16": rb" &#xa;No hits found(?=</message>)", "15": rb' \\u000ANo hits found(?=")'}
    if program == "blastx":  # which says why there are no hits, and that twice, or that there are none
        twice = {"16": rb"<message>(?:[^<]*&#xa;)?No hits found</message>", "15": rb'"message": "(?:(?:[^"\\]|\\.)*\\u000A)?No hits found"'}
    return re.sub({"7": rb"# 0 hits found\n", "16": twice["16"] + rb"|<hits>\s*</hits>|<query-masking>[^/]*(?:/[^q][^/]*)*</query-masking>|\s",
                   "15": twice["15"] + rb'|"hits": \[\s*\],?|"query_masking": \[[^]]*\],?|[\s,]', "5": rb"$^"}[outfmt], b"", text)


def why_not(unsplit, outfmt):
    """What the report has of doubts that can make a difference."""
    names = ["empty_children", "bare_iterations", *(["unsure_ids"] if outfmt in ("6", "10") else [])]
    return [name for name in names if unsplit[name] > 0]


@pytest.mark.parametrize("name, outfmt, n_children", list(cases()) if FULL else SHARE)
def test_as_unsplit(blast, unsplit_searches, tally, name, outfmt, n_children):
    found = SEARCHES[name]()
    whole = unsplit_search(blast, unsplit_searches, name, outfmt)
    children = [whole] if n_children == 1 and not found.several else split_search(blast, found, whole, n_children, outfmt)
    parts = split(found.queries, n_children)
    failed = [number for number, child in enumerate(children) if is_failed(child, outfmt)]
    if failed:
        done = merge_files(blast.folder, children, "--allow-empty")
        assert done.code == 3 and done.out == b"" and f"batch_{failed[0] + 1}:" in done.err and "cut short" in done.err
        tally[f"{found.program} {outfmt}", "refused"] += 1
        children = [child for number, child in enumerate(children) if number not in failed]
        parts = [part for number, part in enumerate(parts) if number not in failed]
        whole = found.run(blast.folder, sum(parts, []), outfmt)
    n_missing = sum(not child and bool(part) for child, part in zip(children, parts))
    arguments = ["--allow-empty"] if b"" in children else []
    results = []
    for kind, threads in [(kind, threads) for kind in ("gzip", "plain") for threads in (1, 4)] if FULL else [("gzip", 2), ("plain", 1)]:
        results.append(merge(blast.folder, children, "--threads", threads, *arguments, kind=kind))
    text, report, warnings = results[0]
    assert all(other[0] == text and other[1]["unsplit"] == report["unsplit"] for other in results)
    unsplit = report["unsplit"]
    check_counts(report, text, outfmt)
    if found.several and n_children < 7 and outfmt not in ("6", "10"):
        assert report["totals"]["documents"] > n_children
    if outfmt not in ("6", "10"):
        assert unsplit["empty_children"] == sum(n_iterations(child, outfmt) == 0 for child in children)
    if outfmt == "5":
        assert text == oracle.merge(children, as_unsplit=True, allow_empty=True)
    assert unsplit["number_gaps"] == unsplit["kept_messages"] == unsplit["excess_iterations"] == 0
    if "named" not in name and outfmt not in ("6", "10"):
        assert unsplit["unsure_ids"] == 0
    reasons = why_not(unsplit, outfmt)
    assert len(warnings) >= len(reasons)
    tally[f"{found.program} {outfmt}", "all"] += 1
    tally[f"{found.program} {outfmt}", "identical" if text == whole else "reported"] += 1
    if text != whole:
        assert reasons, difference(text, whole)
        if not n_missing or outfmt in ("6", "10"):  # a query that is missing changes all numbers behind it
            assert without_what_cannot_be_had(text, outfmt, found.program) == without_what_cannot_be_had(whole, outfmt, found.program)


# --- what cannot be had ------------------------------------------------------------------------------


X = "X" * 12
LEFT_OUT = named("caffè é", X)  # BLAST fails to write a title that ends so


def search(blast, program, queries, *options):
    return Search(program, queries, list(options)).run(blast.folder, queries, "5")


def check_parts(blast, parts, *options):
    """The merged text of these parts of the queries, the text of the unsplit run, the report, the warnings."""
    whole = search(blast, "blastp", sum(parts, []), *options)
    text, report, warnings = merge(blast.folder, [search(blast, "blastp", part, *options) for part in parts])
    return text, report["unsplit"], warnings, whole


def test_query_left_out_inside(blast):
    """Its number is left out, too, and so it is in the merge."""
    a, b = named("a", X), named("b", X)
    text, unsplit, warnings, whole = check_parts(blast, [[a, LEFT_OUT, b], [a, LEFT_OUT, LEFT_OUT, b, LEFT_OUT, a], [a, b]])
    assert whole.count(b"<Iteration>") == 8 - 1
    assert text == whole, difference(text, whole)
    assert unsplit["number_gaps"] == 3
    assert any("3 gaps in the numbers of Iterations" in warning for warning in warnings)


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
    assert any("gap in the numbers" in warning for warning in warnings)


def test_name_that_a_user_gave(blast):
    """Query_2 as the second query's own name looks as if BLAST had given it."""
    parts = [[named("a b", X), named("", X)], [named("c d", X), named("Query_2 of a user", X)], [named("Query_7 of a user", X)]]
    text, unsplit, warnings, whole = check_parts(blast, parts, "-parse_deflines")
    assert text != whole
    assert b"Query_7 of a user:  Query_7 of a user: " in text
    assert unsplit["unsure_ids"] == 2  # one was renumbered, one was kept
    assert any("may be BLAST's or a user's" in warning for warning in warnings)
    kept = run("--keep-db", "--query-ids", "keep", *(blast.folder / f"batch_{i}" for i in (1, 2, 3))).text
    assert kept == whole, difference(kept, whole)


def test_child_of_empty_queries(blast):
    """BLAST writes nothing for them alone, an Iteration each for them among others."""
    a, empty = named("a", X), named("empty", "")
    children = [search(blast, "blastp", part) for part in ([a], [empty], [a])]
    assert children[1] == b""
    assert search(blast, "blastp", [a, empty, a]).count(b"<Iteration>") == 3
    text, report, warnings = merge(blast.folder, children, "--allow-empty")
    assert text.count(b"<Iteration>") == 2
    assert report["unsplit"]["empty_children"] == 1
    assert any("1 child without an Iteration, in" in warning for warning in warnings)


def test_children_of_other_databases(blast):
    children = [search(blast, "blastp", [named("a", X)]), search(blast, "tblastn", [named("a", X)])]
    paths = [blast.folder / "one.xml", blast.folder / "other.xml"]
    for path, text in zip(paths, children):
        path.write_bytes(text.replace(b"tblastn", b"blastp"))
    done = run("--as-unsplit", *paths)
    assert done.code == 4 and "BlastOutput_db" in done.err


def test_children_in_the_tree():
    """tests/data, which needs no BLAST: a split search and the same one unsplit."""
    children = [DATA / f"batch_{i}.xml.gz" for i in (1, 2, 3)]
    assert run("--as-unsplit", *children).text == gzip.decompress((DATA / "whole.xml.gz").read_bytes())
