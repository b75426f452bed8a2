# SPDX-License-Identifier: MIT
"""--expect-queries: the Iterations against the queries that were searched."""
import gzip
import json
import os
import random
import subprocess

import forms
import program
import pytest
import small

NAMES = [f"query{number}" for number in range(12)]
SALVAGED = 11


def fasta(names, end="\n"):
    return "".join(f">{name} a title > of it{end}MKV{end}LL{end}" for name in names).encode()


def children(folder, *groups, **header):
    return program.write_children(folder, [small.child(*(f"{name} a title" for name in group), **header) for group in groups])


def run(folder, queries, *arguments):
    path = folder / "queries"
    path.write_bytes(queries)
    return program.run("--expect-queries", path, "-o", folder / "merged.xml.gz", "-f", *arguments)


@pytest.mark.parametrize("name", ["zstd", "xz", "bzip2", "lz4"])
def test_compressed_otherwise(tmp_path, name):
    """It is no list of odd names, of which the first child has none."""
    packed = subprocess.run([name, "-q", "-c"], input=fasta(NAMES), stdout=subprocess.PIPE, check=True).stdout
    paths = children(tmp_path, NAMES[:5], NAMES[5:])
    for more in [], ["--order-by-queries"]:
        done = run(tmp_path, packed, *more, *paths)
        assert done.code == program.USAGE and f"queries: the file of queries is compressed with {name}: " in done.err, done.err
    done = program.run("--expect-queries", "-", *paths, input=packed)
    assert done.code == program.USAGE and f"standard input: the file of queries is compressed with {name}" in done.err, done.err
    assert not (tmp_path / "merged.xml.gz").exists()


@pytest.mark.parametrize("separator", ["\t", ","])
@pytest.mark.parametrize("n_threads", [1, 2, 3, 8])
def test_rows_of_many_threads(tmp_path, separator, n_threads):
    """Each row is read, those of children that workers have read before their turn, too."""
    names = [f"q{number:06}" for number in range(6000)]
    dice = random.Random(separator)

    def table(own):
        rows = ([name, f"s{dice.randrange(1000)}", f"{dice.randrange(10000) / 100:.3f}", dice.randrange(500), 1, 0, 1, 20, 1, 20, "1.5e-9",
                 f"{dice.randrange(9999) / 9.9:.1f}"] for name in own for _ in range(3))
        return gzip.compress("".join(separator.join(map(str, row)) + "\n" for row in rows).encode())

    right = program.write_children(tmp_path, [table(names[at:at + 2000]) for at in (0, 2000, 4000)])
    (tmp_path / "stranger").write_bytes(table([*names[4000:4500], "stranger", *names[4501:]]))
    (tmp_path / "lacks").write_bytes(table([*names[4000:4500], *names[4501:]]))
    queries, missing = "".join(f"{name}\n" for name in names).encode(), tmp_path / "missing"
    options = ["--format", "tabular" if separator == "\t" else "csv", "--threads", n_threads]
    for _ in range(5):
        assert run(tmp_path, queries, *options, *right).code == program.OK
        done = run(tmp_path, queries, *options, *right[:2], tmp_path / "stranger")
        assert done.code == program.MISMATCH and "stranger" in done.err, done.err
        done = run(tmp_path, queries, *options, "--missing", missing, *right[:2], tmp_path / "lacks")
        assert done.code == program.OK and missing.read_text() == names[4500] + "\n", done.err


def test_a_name_like_a_block_of_bzip2(tmp_path):
    """Behind four bytes that are not BZh and a level, the magic of a block is text."""
    done = run(tmp_path, b"q_1 1AY&SY\n", *children(tmp_path, ["q_1"]))
    assert done.code == program.OK, done.err


MARK = b"\xef\xbb\xbf"
LISTS = {"CR": fasta(NAMES, "\r"), "mark": MARK + fasta(NAMES), "list with a mark": MARK + "\r\n".join(NAMES).encode(),
         "gzip": gzip.compress(fasta(NAMES)), "gzip members": gzip.compress(fasta(NAMES[:5])) + gzip.compress(fasta(NAMES[5:])),
         "list in gzip": gzip.compress("\n".join(NAMES).encode()), "FASTA": fasta(NAMES), "CR LF": fasta(NAMES, "\r\n"), "list": "\n".join(NAMES).encode(),
         "list with more": "\n\n".join(f" {name}\tand more" for name in NAMES).encode() + b"\n\n",
         "FASTA without an end": fasta(NAMES)[:-5], "blank before": b"\n\n" + fasta(NAMES)}


@pytest.mark.parametrize("queries", LISTS.values(), ids=LISTS)
def test_all_are_there(tmp_path, queries):
    paths = children(tmp_path, NAMES[:5], NAMES[5:6], NAMES[6:])
    done = run(tmp_path, queries, *paths)
    assert (done.code, done.err) == (0, "")
    assert program.text_of((tmp_path / "merged.xml.gz").read_bytes()) == program.run(*paths).text
    assert program.run("check", "--expect-queries", tmp_path / "queries", *paths).code == 0
    # through pipes
    assert program.run("check", "--expect-queries", "-", *paths, input=queries).code == 0
    with open(tmp_path / "queries", "rb") as file:
        assert program.run("check", "--expect-queries", "-", *paths, stdin=file).code == 0
    os.mkfifo(tmp_path / "fifo")
    with subprocess.Popen(["cp", tmp_path / "queries", tmp_path / "fifo"]) as writer:
        assert program.run("check", "--expect-queries", tmp_path / "fifo", *paths).code == 0
        assert writer.wait() == 0


def refused(folder, queries, paths, *words):
    done = run(folder, queries, *paths)
    assert done.code == program.MISMATCH, done
    assert not (folder / "merged.xml.gz").exists()
    for word in words:
        assert word in done.err, done.err
    assert program.run("check", "--expect-queries", folder / "queries", *paths).code == program.MISMATCH


def test_what_does_not_fit(tmp_path):
    good = fasta(NAMES)
    refused(tmp_path, good, children(tmp_path, NAMES[:3], NAMES[4:]), "1 query has no Iteration", "number 4, query3")
    refused(tmp_path, good, children(tmp_path, NAMES[2:]), "2 queries in a row have no", "number 1, query0 to number 2, query1")
    refused(tmp_path, good, children(tmp_path, NAMES[:-3]), "3 queries in a row have no", "number 10, query9 to number 12, query11")
    refused(tmp_path, good, children(tmp_path, NAMES[:4], NAMES[3:]), "query3", "number 5", "query4, was expected",
            "number 4, repeated or out of order", "child_0001")
    refused(tmp_path, good, children(tmp_path, ["other", *NAMES]), "other", "there is no such query")
    refused(tmp_path, good, children(tmp_path, NAMES, ["other"]), "other", "after the last one", "no such query")
    refused(tmp_path, good, children(tmp_path, NAMES, NAMES[:1]), "after the last one", "number 1, repeated")
    refused(tmp_path, b"", children(tmp_path, NAMES), "query0", "no such query")
    swapped = [*NAMES[:2], NAMES[3], NAMES[2], *NAMES[4:]]
    refused(tmp_path, good, children(tmp_path, swapped), "1 query has no Iteration", "query2")


def test_accessions_are_no_names(tmp_path):
    """They are in `get`; so the message says what a name is here, and only where that may be the mistake."""
    paths, hint = children(tmp_path, ["sp|A7TBS3|NAME_X", "sp|P12345|NAME_Y"]), "(a name is the whole first word of a definition line)"
    refused(tmp_path, b"A7TBS3\nP12345\n", paths, "there is no such query " + hint)
    done = run(tmp_path, b"A7TBS3\nP12345\n", *paths, "--order-by-queries")
    assert done.code == program.MISMATCH and hint in done.err
    done = run(tmp_path, b"sp|B7TBS3|NAME_X\nsp|P12345|NAME_Y\n", *paths)
    assert done.code == program.MISMATCH and "no such query" in done.err and hint not in done.err


def test_random_lists(tmp_path):
    """Right exactly if the names are the same in the same order."""
    rng = random.Random(1)
    for _ in range(60):
        names = list(NAMES)
        for _ in range(rng.choice([0, 1, 1, 2])):
            kind, at = rng.randrange(4), rng.randrange(len(names))
            if kind == 0:
                names.pop(at)
            elif kind == 1:
                names.insert(at, names[rng.randrange(len(names))])
            elif kind == 2:
                names[at] = names[at] + "x"
            else:
                names.insert(at, names.pop(rng.randrange(len(names))))
        cut = rng.randrange(1, len(names))
        done = run(tmp_path, fasta(NAMES), *children(tmp_path, names[:cut], names[cut:]))
        assert done.code == (0 if names == NAMES else program.MISMATCH), (names, done.err)


def test_parsed_deflines(tmp_path):
    """What BLAST makes of ids with -parse_deflines, and of queries without a name."""
    pairs = [("sp|P12345|NAME_X", "P12345", "a title"), ("gnl|db|x7", "db:x7", "t"), ("lcl|foo", "foo", "No definition line"),
             ("plain", "plain", "with a title"), ("ref|NP_001.2|", "NP_001.2", "t"), ("tr|A0A1.3|B", "A0A1", "t"),
             ("", "Query_1", "No definition line"), ("", "Query_2", "unnamed protein product"), ("a&b<c", "Query_9", "a&amp;b&lt;c d")]
    text = small.PROLOGUE.format(program="blastp", version="v", database="d", expect="1", query="q")
    for number, (_, name, title) in enumerate(pairs, 1):
        text += (f"<Iteration>\n<Iteration_iter-num>{number}</Iteration_iter-num>\n<Iteration_query-ID>{name}</Iteration_query-ID>"
                 f"<Iteration_query-def>{title}</Iteration_query-def><Iteration_hits></Iteration_hits>\n</Iteration>\n")
    child = program.write_children(tmp_path, [forms.member((text + small.EPILOGUE).encode())])
    good = "".join(f">{name}\nMK\n" for name, _, _ in pairs).encode()
    assert run(tmp_path, good, *child).code == 0
    for wrong in (b"P1234", b"NAME", b"sp|P123456|NAME_X", b"P12345.x|"):
        (tmp_path / "merged.xml.gz").unlink(missing_ok=True)
        refused(tmp_path, good.replace(b"sp|P12345|NAME_X", wrong), child, "no such query")


def test_names_beyond_ascii(tmp_path):
    """BLAST turns UTF-8 into ISO-8859-1."""
    text = small.text("caf\u00e9 x", "na\u00efve y").decode()
    for encoding in ("utf-8", "latin-1"):
        child = program.write_children(tmp_path, [forms.member(text.encode(encoding))])
        done = run(tmp_path, "caf\u00e9\nna\u00efve\n".encode(), "--invalid-utf8", "latin1", *child)
        assert done.code == 0, done.err


def test_rounds_of_psiblast(tmp_path):
    twice = [name for name in NAMES for _ in range(3)]
    assert run(tmp_path, fasta(NAMES), *children(tmp_path, twice, program="psiblast")).code == 0
    (tmp_path / "merged.xml.gz").unlink()
    refused(tmp_path, fasta(NAMES), children(tmp_path, twice), "repeated or out of order")


def test_long_iterations_and_batches(tmp_path):
    """Names at any place of a batch, and far apart."""
    rng = random.Random(3)
    names = [f"q{number}" for number in range(300)]
    text = small.text(*names).decode()
    text = text.replace("MKV", "M" * 7, 50)
    first, *rest = text.split("<Iteration_hits>")
    text = first + "".join(f"<!--{'x' * rng.choice([0, 10, 9000, 100000])}--><Iteration_hits>{part}" for part in rest)
    child = program.write_children(tmp_path, [forms.member(text.encode())])
    assert run(tmp_path, fasta(names), "--threads", "1", *child).code == 0
    (tmp_path / "merged.xml.gz").unlink()
    refused(tmp_path, fasta(names[:200] + ["more"] + names[200:]), child, "number 201, more")


def test_with_salvage_what_is_missing_is_told(tmp_path):
    whole = forms.member(small.text(*NAMES[:6]).replace(b"query3", b"query3\1"))
    paths = program.write_children(tmp_path, [whole, small.text(*NAMES[6:])[:-400]])
    done = run(tmp_path, fasta(NAMES), "--salvage", "--report", tmp_path / "report.json", *paths)
    assert done.code == SALVAGED
    assert "1 query has no Iteration: number 4, query3\n" in done.err
    assert "2 queries in a row have no Iteration: number 11, query10 to number 12, query11\n" in done.err
    told = json.loads((tmp_path / "report.json").read_text())["missing_queries"]
    assert told == [{"first": 4, "last": 4, "first_query": "query3", "last_query": "query3"},
                    {"first": 11, "last": 12, "first_query": "query10", "last_query": "query11"}]
    wrong = run(tmp_path, fasta(NAMES[1:]), "--salvage", *paths)
    assert wrong.code == program.MISMATCH and "no such query" in wrong.err


def test_with_salvage_nothing_is_missing_that_was_not_lost(tmp_path):
    paths = children(tmp_path, NAMES[:3], NAMES[4:])
    done = run(tmp_path, fasta(NAMES), "--salvage", *paths)
    assert done.code == program.MISMATCH and "1 query has no Iteration: number 4, query3" in done.err
    assert not (tmp_path / "merged.xml.gz").exists()


def test_what_is_no_file_of_queries(tmp_path):
    paths = children(tmp_path, NAMES)
    for queries, code in ((tmp_path / "none", program.NOT_FOUND), (tmp_path, program.USAGE), ("/dev/null", program.USAGE),
                          (paths[0], program.USAGE)):
        done = program.run("--expect-queries", queries, "-o", tmp_path / "merged", *paths)
        assert done.code == code and not (tmp_path / "merged").exists(), done.err
    done = program.run("--expect-queries", "https://x:secret@example.org/q.fa?k=secret", "-o", tmp_path / "merged", *paths)
    assert done.code == program.USAGE and "secret" not in done.err and not (tmp_path / "merged").exists()
    assert "the file of queries is read from a file or from standard input (-), not from a server" in done.err
    for mark in (b"\xff\xfe", b"\xfe\xff"):
        done = run(tmp_path, mark + "query0\n".encode("utf-16-le"), *paths)
        assert done.code == program.USAGE and "the file of queries is UTF-16: save it as UTF-8" in done.err
    done = run(tmp_path, gzip.compress(fasta(NAMES))[:-9], *paths)
    assert done.code == program.DATA and "is cut short" in done.err
    done = run(tmp_path, gzip.compress(fasta(NAMES)) + b"rubbish", *paths)
    assert done.code == program.DATA and "is damaged gzip" in done.err
    done = program.run("--expect-queries", "-", "-o", tmp_path / "merged", "-", stdin=open(paths[0], "rb"))
    assert done.code == program.USAGE and "only once" in done.err
    for queries in (b"query0\n\0\n", b"\0", b">\0\n\0\n", b">query0\n\0\nMK\n\0"):
        assert run(tmp_path, queries, *paths).code == program.MISMATCH
    assert program.run("finalize", "--expect-queries", "x", "y").code == program.USAGE
    table = tmp_path / "table"
    table.write_bytes(b"q\ts\t99.0\t10\t0\t0\t1\t10\t1\t10\t1e-5\t50\n")
    done = run(tmp_path, fasta(NAMES), table)
    assert done.code == program.MISMATCH and "no such query" in done.err


def rows(report):
    return [(row["first"], row["last"], row["first_query"], row["last_query"]) for row in report["missing_queries"]]


@pytest.mark.parametrize("command", ["merge", "check"])
def test_children_in_another_order(tmp_path, command):
    """The error does not end with the number of missing queries, since none may be missing, and names the option that orders."""
    (tmp_path / "queries").write_bytes(fasta(NAMES))
    paths = children(tmp_path, NAMES[6:], NAMES[:6])
    done = program.run(command, "--expect-queries", tmp_path / "queries", *paths)
    assert done.code == program.MISMATCH
    assert done.err.splitlines()[-1] == ("blastmerge: 6 queries in a row have no Iteration: number 1, query0 to number 6, query5; and 6 more faults, "
                                         "each reported in a warning (if the children are only in another order, --order-by-queries merges them)")
    assert program.run("--order-by-queries", "--expect-queries", tmp_path / "queries", *paths).code == 0


def test_a_check_finds_all_gaps(tmp_path):
    """And goes on after each: the children are whole, and no one of them is to blame."""
    (tmp_path / "queries").write_bytes(fasta(NAMES))
    paths = children(tmp_path, NAMES[1:3], NAMES[4:5], NAMES[7:10])
    done = program.run("check", "--expect-queries", tmp_path / "queries", "--report", tmp_path / "report", *paths)
    assert done.code == program.MISMATCH
    assert done.warnings == ["1 query has no Iteration: number 1, query0", "1 query has no Iteration: number 4, query3",
                             "2 queries in a row have no Iteration: number 6, query5 to number 7, query6",
                             "2 queries in a row have no Iteration: number 11, query10 to number 12, query11"]
    assert "child_" not in done.err
    assert done.err.splitlines()[-1] == ("blastmerge: 1 query has no Iteration: number 1, query0; and 3 more such places, each reported in a "
                                         "warning: in all 6 queries have no Iteration; --missing FILE writes what is to be searched again")
    for path, n in zip(paths, (2, 1, 3)):
        row = next(line for line in done.out.decode().splitlines() if str(path) in line)
        assert row.split()[:2] == ["1", str(n)]
    report = json.loads((tmp_path / "report").read_text())
    assert rows(report) == [(1, 1, "query0", "query0"), (4, 4, "query3", "query3"), (6, 7, "query5", "query6"), (11, 12, "query10", "query11")]
    assert [child["iterations"] for child in report["children"]] == [2, 1, 3]


def test_a_check_goes_on_after_what_does_not_fit(tmp_path):
    (tmp_path / "queries").write_bytes(fasta(NAMES))
    paths = children(tmp_path, NAMES[:3], NAMES[2:4], ["other", *NAMES[5:]])
    done = program.run("check", "--expect-queries", tmp_path / "queries", "--report", tmp_path / "report", *paths)
    assert done.code == program.MISMATCH
    doubled, other, gap = done.warnings
    assert doubled.startswith(f"{paths[1]}: an Iteration belongs to the query query2, but number 4") and "repeated" in doubled
    assert other.startswith(f"{paths[2]}: an Iteration belongs to the query other") and "no such query" in other
    assert gap == "1 query has no Iteration: number 5, query4"
    assert rows(json.loads((tmp_path / "report").read_text())) == [(5, 5, "query4", "query4")]


def test_one_gap_is_the_error(tmp_path):
    """The child after the gap is good, and not blamed."""
    for command in (["check"], ["-o", tmp_path / "merged"]):
        (tmp_path / "queries").write_bytes(fasta(NAMES))
        done = program.run(*command, "--expect-queries", tmp_path / "queries", *children(tmp_path, NAMES[:3], NAMES[4:]))
        assert done.code == program.MISMATCH
        assert done.err.splitlines()[-1] == ("blastmerge: 1 query has no Iteration: number 4, query3"
                                             "; --missing FILE writes what is to be searched again")


def lengths(folder, *pairs, version="BLASTP 2.12.0+"):
    """A child of queries without a name, of these lengths."""
    text = small.PROLOGUE.format(program="blastp", version=version, database="d", expect="1", query="q")
    for number, (title, length) in enumerate(pairs, 1):
        text += (f"<Iteration>\n<Iteration_iter-num>{number}</Iteration_iter-num>\n<Iteration_query-ID>Query_{number}</Iteration_query-ID>\n"
                 f"<Iteration_query-def>{title}</Iteration_query-def>\n<Iteration_query-len>{length}</Iteration_query-len>\n"
                 "<Iteration_hits></Iteration_hits>\n</Iteration>\n")
    return program.write_children(folder, [forms.member((text + small.EPILOGUE).encode())])


def test_lengths(tmp_path):
    """Where there are no names, or the same, the lengths tell. What BLAST does not count is not counted."""
    nameless = "unnamed protein product"
    queries = b">\nMKV\n>\nMK-V 12 LL*;AAA\n;AA\n>same\nMKVLL\nAA\n>same\n\n>No definition line\nMKVL\n"
    good = [(nameless, 3), (nameless, 6), ("same", 7), ("same", 0), ("No definition line", 4)]
    assert run(tmp_path, queries, *lengths(tmp_path, *good)).code == 0
    for i in range(len(good) - 1):
        wrong = list(good)
        wrong[i], wrong[i + 1] = wrong[i + 1], wrong[i]
        (tmp_path / "merged.xml.gz").unlink(missing_ok=True)
        refused(tmp_path, queries, lengths(tmp_path, *wrong))
    refused(tmp_path, queries, lengths(tmp_path, *good[:1], *good[2:]), "number 2, (without a name)")
    refused(tmp_path, queries, lengths(tmp_path, *good[:4], ("No definition line", 5)), "its length is 5, and that of the query is 4")
    # other programs count in ways of their own
    assert run(tmp_path, b">a\nMKV\n", *lengths(tmp_path, ("a", 2), version="diamond 2.0.14")).code == 0


def test_residues_alone(tmp_path):
    """Without any title it is one query without a name, or a list: the first Iteration tells."""
    child = lengths(tmp_path, ("No definition line", 8))
    assert run(tmp_path, b"# comment\nACGTAC\n\nGT\n", *child).code == 0
    (tmp_path / "merged.xml.gz").unlink()
    refused(tmp_path, b"ACGTAC\nGTA\n", child, "no such query")
    assert run(tmp_path, b"ACGT\n", *lengths(tmp_path, ("ACGT", 9))).code == 0


def test_hostile_files_take_little(tmp_path):
    """A line of 64 MB, and a million records without anything."""
    child = lengths(tmp_path, ("a", 64 << 20))
    (tmp_path / "queries").write_bytes(b">a " + b";" * (8 << 20) + b"\n" + b"M" * (64 << 20))
    assert program.run("check", "--expect-queries", tmp_path / "queries", *child).code == 0
    (tmp_path / "queries").write_bytes(b">a\n" * 1000000)
    done = program.run("check", "--expect-queries", tmp_path / "queries", *lengths(tmp_path, *[("a", 0)] * 3))
    assert done.code == program.MISMATCH and "999997 queries in a row" in done.err
