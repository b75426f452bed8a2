# SPDX-License-Identifier: MIT
"""Query_N, the name that BLAST gives to a query without one: without an option each query of a result has a name of its own."""
import csv
import gzip
import io
import json
import random
import re

import corpus
import corpus_formats
import forms
import program
import pytest
import small
from Bio.Blast import NCBIXML
from program import run

QUERIES = (3, 1, 12)  # in each child
N = sum(QUERIES)
PATTERNS = {"xml": rb"<Iteration_query-ID>(.*?)<", "xml2": rb"<query-id>(.*?)<", "json": rb'"query_id": "(.*?)"',
            "commented": rb"(?m)^(Query_\d+)\t", "tabular": rb"(?m)^(Query_\d+)\t", "csv": rb"(?m)^(Query_\d+),"}
FIELDS = "# Fields: query acc.ver, subject acc.ver\n"


def table(n_queries, name="commented"):
    """A run of queries without names, of which each has a hit."""
    separator = "," if name == "csv" else "\t"
    rows = [separator.join([f"Query_{i}", f"s{i}", *["1"] * 10]) + "\n" for i in range(1, n_queries + 1)]
    if name != "commented":
        return "".join(rows).encode()
    parts = [f"# BLASTP 2.12.0+\n# Query: \n# Database: nr\n{FIELDS}# 1 hits found\nQuery_{i}\ts{i}\n" for i in range(1, n_queries + 1)]
    return ("".join(parts) + f"# BLAST processed {n_queries} queries\n").encode()


def child(name, number):
    """Of -outfmt `name`, where no query has a name."""
    if name in ("commented", "tabular", "csv"):
        return table(QUERIES[number], name)
    text = corpus.texts(1, QUERIES[number], seed=number, hits=2)[0]
    return text if name == "xml" else corpus_formats.converted(name, text)


def children(folder, name):
    return program.write_children(folder, [gzip.compress(child(name, number)) for number in range(len(QUERIES))])


def names(name, text):
    return re.findall(PATTERNS[name], text)


@pytest.mark.parametrize("name", ["xml", "xml2", "json", "commented"])
@pytest.mark.parametrize("options", [[], ["--query-ids", "auto"], ["--query-ids", "renumber"]], ids=str)
def test_each_query_has_a_name_of_its_own(tmp_path, name, options):
    paths = children(tmp_path, name)
    for way in (["--plain"], ["--plain", "--threads", "1"]):
        done = run(*way, *options, *paths)
        assert (done.code, done.err) == (0, "")
        assert names(name, done.out) == [b"Query_%d" % number for number in range(1, N + 1)]
    assert run(*options, *paths).text == done.out == run("-1", *options, *paths).text


@pytest.mark.parametrize("name", PATTERNS)
def test_names_that_are_kept(tmp_path, name):
    paths = children(tmp_path, name)
    done = run("--plain", "--query-ids", "keep", *paths)
    assert (done.code, done.err) == (0, "")
    assert names(name, done.out) == [b"Query_%d" % number for n in QUERIES for number in range(1, n + 1)]


def test_what_readers_see(tmp_path):
    """Readers that key on names find each query."""
    text = run("--plain", *children(tmp_path, "xml")).out
    assert len({record.query_id for record in NCBIXML.parse(io.StringIO(text.decode()))}) == N
    reports = json.loads(run("--plain", *children(tmp_path, "json")).out)["BlastOutput2"]
    assert len({report["report"]["results"]["search"]["query_id"] for report in reports}) == N
    rows = [line for line in run("--plain", *children(tmp_path, "commented")).out.decode().splitlines() if line[0] != "#"]
    assert len({row[0] for row in csv.reader(rows, delimiter="\t")}) == N


@pytest.mark.parametrize("name", ["xml", "xml2", "json", "commented"])
def test_merged_once_more(tmp_path, name):
    """What is merged already keeps its names; merges that are merged count on."""
    paths = children(tmp_path, name)
    first = tmp_path / "first.gz"
    assert run("-o", first, *paths).code == 0
    again = run("--plain", first, first)
    assert (again.code, run("--plain", first).out) == (0, gzip.decompress(first.read_bytes()))
    assert names(name, again.out) == [b"Query_%d" % number for number in range(1, 2 * N + 1)]


# --- tables without comments ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["tabular", "csv"])
@pytest.mark.parametrize("options", [[], ["--query-ids", "auto"], ["--query-ids", "renumber"]], ids=str)
def test_rows_alone(tmp_path, name, options):
    """They do not show how many queries there were: the names stay, which is said once, whatever the number of children."""
    paths = children(tmp_path, name)
    done = run("--plain", "--report", tmp_path / "r.json", *options, *paths)
    assert done.code == 0 and done.out == b"".join(child(name, number) for number in range(len(QUERIES)))
    assert len(done.warnings) == 1 and done.warnings[0].startswith(f"{N} queries are called Query_N")
    assert "give each query a name, or search with -outfmt 7" in done.err
    assert json.loads((tmp_path / "r.json").read_bytes())["unsplit"]["unsure_ids"] == N
    assert run("--plain", *options, paths[0]).err == ""  # in a single child they differ


@pytest.mark.parametrize("name", ["tabular", "csv"])
@pytest.mark.parametrize("query", [b"q7", b"Query_", b"Query_07", b"Query_7a", b"Query", b"Q" * 30, b"Q9H0H5", b"query_7"])
def test_rows_whose_queries_have_names(tmp_path, name, query):
    text = re.sub(rb"(?m)^Query_\d+", query, child(name, 2))
    assert "Query_N" not in run("--plain", *program.write_children(tmp_path, [text, gzip.compress(text)])).err


# --- tables of all kinds, against what is worked out row by row ----------------------------------------

OWN = re.compile(rb"Query_([1-9][0-9]*)$")


def random_row(dice, n_columns, separator, first):
    fields = [bytes(dice.choice(b"abcQu_#109. |") for _ in range(dice.choice([0, 1, 2, 5, 30, 90]))) for _ in range(n_columns - 1)]
    if dice.random() < 0.1:
        fields[dice.randrange(len(fields))] = b"Query_1"
    return separator.join([first, *fields])


def random_name(dice, number):
    return dice.choice([b"Query_%d" % number, b"Query_%d" % number, b"Query_%d" % dice.randrange(1, 10**dice.randrange(1, 19)), b"Q9H0H%d" % number,
                        b"Query_", b"Query_0", b"Query_1a", b"Query_01", b"Query", b"Qu", b"Q", b"query_1", b"sp|P%d" % number, b"", b"#1",
                        b"Query_1 ", b" Query_1"])


def random_rows(dice, separator):
    """Rows of at least three columns, the first of which is no comment; and how many names of BLAST's own follow each other."""
    lines, end, n_columns = [], dice.choice([b"\n", b"\n", b"\r\n"]), dice.randrange(3, 6)
    number, last, n_names = 1, b"", 0
    for _ in range(dice.choice([1, 3, 20, 200, 3000])):
        number += dice.random() < 0.3
        name = random_name(dice, number) if lines else b"a"
        lines.append(random_row(dice, n_columns, separator, name) + end)
        own = OWN.fullmatch(name)
        if own and int(own.group(1)) < 2**64 and name != last:
            n_names, last = n_names + 1, name
    return b"".join(lines), n_names


@pytest.mark.parametrize("seed", range(12))
def test_names_in_rows(tmp_path, seed):
    """However rows lie in blocks, batches and members, each name is seen, and nothing else is taken for one."""
    dice = random.Random(seed)
    made = [random_rows(dice, b"\t") for _ in range(3)]
    paths = program.write_children(tmp_path, [forms.several(text, (dice.randrange(1, 200),)) if seed % 2 else forms.member(text) for text, _ in made])
    done = run("--plain", "-f", "--format", "tabular", "--header", "keep", "--mismatch", "ignore", "--report", tmp_path / "r.json", *paths)
    assert done.code == 0, done
    assert done.out == b"".join(text for text, _ in made)
    assert json.loads((tmp_path / "r.json").read_bytes())["unsplit"]["unsure_ids"] == sum(n for _, n in made)


def random_commented(dice, before):
    """A table with comments of which some queries have no name, and what it becomes behind so many queries."""
    text, merged_text = b"", b""
    n_queries = dice.choice([1, 2, 5, 30])
    for number in range(1, n_queries + 1):
        is_named = dice.random() < 0.4
        name = b"P%d" % number if is_named else b"Query_%d" % number
        head = b"# BLASTP 2.12.0+\n# Query: %s\n# Database: nr\n" % (name if is_named else b"")
        rows = [random_row(dice, 3, b"\t", b"") for _ in range(dice.choice([0, 1, 3, 10, 200]))]
        head += b"# Fields: query acc.ver, subject acc.ver, evalue\n" * bool(rows) + b"# %d hits found\n" % len(rows)
        text += head + b"".join(name + row + b"\n" for row in rows)
        merged_name = name if is_named else b"Query_%d" % (before + number)
        merged_text += head + b"".join(merged_name + row + b"\n" for row in rows)
    return text + b"# BLAST processed %d queries\n" % n_queries, merged_text, n_queries


@pytest.mark.parametrize("seed", range(12))
def test_names_in_rows_with_comments(tmp_path, seed):
    dice = random.Random(seed)
    texts, expected, before = [], b"", 0
    for _ in range(4):
        text, merged_text, n_queries = random_commented(dice, before)
        texts.append(forms.several(text, (dice.randrange(1, 200),)) if seed % 2 else forms.member(text))
        expected, before = expected + merged_text, before + n_queries
    expected += b"# BLAST processed %d queries\n" % before
    for options in (["--threads", "1"], ["--threads", "3"]):
        done = run("--plain", *options, *program.write_children(tmp_path, texts))
        assert (done.code, done.err) == (0, "") and done.out == expected, program.difference(done.out, expected)
    assert run(*program.write_children(tmp_path, texts)).text == expected


# --- runs inside of a document, damage, reports --------------------------------------------------------


def iterations(text):
    return text[text.index(b"<Iteration>"):text.rindex(b"</BlastOutput_iterations>")]


def test_runs_inside_of_a_document(tmp_path):
    """Iterations of several runs put into one document by other means: numbers and names begin anew, and count on."""
    text = small.text("a", "b", ids=True)
    doubled = text.replace(b"</BlastOutput_iterations>", iterations(text) + iterations(text) + b"</BlastOutput_iterations>")
    done = run("--plain", *program.write_children(tmp_path, [doubled, text]))
    assert names("xml", done.out) == [b"Query_%d" % number for number in range(1, 9)]
    program.same_as_oracle(tmp_path, [doubled, text, doubled])


def test_numbers_that_go_back_where_names_do_not(tmp_path):
    text = small.text("a", "b", "c", ids=True)
    text = re.sub(rb"(<Iteration_iter-num>)\d", rb"\g<1>1", text)  # each Iteration has the number 1
    done = run("--plain", *program.write_children(tmp_path, [text, text]))
    assert names("xml", done.out) == [b"Query_%d" % number for number in range(1, 7)]
    program.same_as_oracle(tmp_path, [text, text])


def test_salvage(tmp_path):
    """A child of which something is lost: names of their own, too, and the same as those of a merge of what is left."""
    texts = [small.text(*(f"{name}{i}" for i in range(9)), ids=True) for name in "abc"]
    wound = texts[1].index(b"<Iteration_iter-num>4")
    end = texts[1].index(b"<Iteration_iter-num>5") - len(b"<Iteration>\n  ")
    damaged = texts[1][:wound] + b"\1" + texts[1][wound:]
    without = texts[1][:wound - len(b"<Iteration>\n  ")] + texts[1][end:]
    done = run("--plain", "--salvage", *program.write_children(tmp_path, [forms.member(text) for text in (texts[0], damaged, texts[2])]))
    assert done.code == 11
    assert done.out == run("--plain", *program.write_children(tmp_path, [texts[0], without, texts[2]])).out
    found = names("xml", done.out)
    assert len(found) == len(set(found)) == 26 and b"Query_13" not in found and b"Query_14" in found
    kept = run("--plain", "--salvage", "--query-ids", "keep", *program.write_children(tmp_path, [texts[0], damaged]))
    assert len(set(names("xml", kept.out))) == 9


def test_what_a_report_says(tmp_path):
    for options, policy, n in (([], "auto", N - QUERIES[0]), (["--query-ids", "keep"], "keep", 0), (["--as-unsplit"], "auto", N - QUERIES[0])):
        done = run("-f", "--report", tmp_path / "r.json", *options, *children(tmp_path, "xml"))
        report = json.loads((tmp_path / "r.json").read_bytes())
        assert done.code == 0 and report["options"]["query_ids"] == policy and report["unsplit"]["renumbered_ids"] == n
        assert report["unsplit"]["unsure_ids"] == 0


def test_names_that_users_gave(tmp_path):
    """A name that does not fit BLAST's counting stays, and a warning says so."""
    texts = [small.text(*queries, ids=True).replace(b"Query_2<", b"P12345<").replace(b"Query_1<", b"Query_7<") for queries in ("ab", "cd")]
    done = run("--plain", *program.write_children(tmp_path, texts))
    assert names("xml", done.out) == [b"Query_7", b"P12345"] * 2
    assert len(done.warnings) == 1 and "2 query ids Query_N may be BLAST's or a user's" in done.err
