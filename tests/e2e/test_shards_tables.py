# SPDX-License-Identifier: MIT
"""Shards whose format is a table: -outfmt 7, 6 and 10."""
import gzip
import random

import pytest

import shards
from program import DATA, MISMATCH, OK, USAGE, run
from shards_run import check_same, kinds_of, made, made_table, merge, refused, search_shards
from shards_run import blast  # pylint: disable=unused-import


@pytest.mark.parametrize("outfmt", ["7", "6", "10"])
@pytest.mark.parametrize("n_shards", [1, 2, 3, 8])
def test_tables(blast, outfmt, n_shards):
    """blastn: what is printed decides all."""
    expected = blast.search("blastn", "n", "n", outfmt)
    paths = search_shards(blast, "blastn", blast.slices("n", n_shards), "n", outfmt)
    check_same(merge(paths, "--db", "n", "--format", {"7": "commented", "6": "tabular", "10": "csv"}[outfmt],
                     *([] if outfmt == "7" else ["--expect-queries", blast.folder / "n.fa"])), expected)


@pytest.mark.parametrize("outfmt", ["7", "6", "10"])
def test_columns_that_are_dropped(blast, outfmt):
    columns = "std score slen"
    expected = blast.search("blastn", "n", "n", outfmt, "-task", "blastn")
    paths = search_shards(blast, "blastn", blast.slices("n", 3), "n", f"{outfmt} {columns}", "-task", "blastn")
    options = [] if outfmt == "7" else ["--columns", f"{outfmt} {columns}", "--expect-queries", blast.folder / "n.fa"]
    check_same(merge(paths, "--db", "n", "--drop-columns", "2", *options), expected)


@pytest.mark.parametrize("outfmt", ["7", "6"])
@pytest.mark.parametrize("program", ["blastp", "blastx", "tblastn"])
def test_tables_of_proteins(blast, program, outfmt):
    """Two digits of an E-value do not tell all; so many places as are wrong are counted at least."""
    database, query = kinds_of(program)
    expected = blast.search(program, database, query, outfmt).decode().splitlines()
    paths = search_shards(blast, program, blast.slices(database, 3), query, outfmt)
    found = merge(paths, "--db", database,
                  *([] if outfmt == "7" else ["--format", "tabular", "--expect-queries", blast.folder / f"{query}.fa"]))
    assert found.code == OK, found.err
    lines = found.out.decode().splitlines()
    assert sorted(lines) == sorted(expected)
    wrong = sum(a != b for a, b in zip(lines, expected))
    counted = sum(int(warning.split()[0]) for warning in found.warnings if "ranks first" in warning)
    assert wrong <= 2 * counted and wrong < len(lines) / 10


@pytest.mark.parametrize("outfmt", ["7", "6", "10"])
@pytest.mark.parametrize("n_targets", ["1", "4"])
def test_tables_cut(blast, outfmt, n_targets):
    options = ["-task", "blastn", "-max_target_seqs", n_targets]
    expected = blast.search("blastn", "n", "n", outfmt, *options)
    paths = search_shards(blast, "blastn", blast.slices("n", 3), "n", outfmt, *options)
    found = merge(paths, "--db", "n", "--max-target-seqs", n_targets,
                  *([] if outfmt == "7" else ["--format", "csv" if outfmt == "10" else "tabular",
                                              "--expect-queries", blast.folder / "n.fa"]))
    check_same(found, expected)


@pytest.mark.parametrize("outfmt", ["7", "6", "10"])
def test_tables_of_split_queries(blast, outfmt):
    whole = blast.queries["n"]
    expected = blast.search("blastn", "n", "n", outfmt)
    paths = []
    for batch, part in enumerate((whole[:4], whole[4:])):
        (blast.folder / f"t{batch}.fa").write_text("".join(part))
        for name in blast.slices("n", 2):
            paths.append(blast.write(f"t{batch}_{name}.gz",
                                     gzip.compress(blast.search("blastn", name, f"t{batch}", outfmt))))
    check_same(merge(paths, "--shards", "2", "--db", "n", "--format",
                     {"7": "commented", "6": "tabular", "10": "csv"}[outfmt],
                     *([] if outfmt == "7" else ["--expect-queries", blast.folder / "n.fa"])), expected)


def random_table(chance, queries, shard):
    rows = []
    for query in queries:
        if chance.random() < 0.4:
            continue
        hits = sorted((float(evalue), -bits, evalue) for evalue, bits in
                      ((chance.choice(["0.0", "1e-20", "2e-05", "0.37", "3.1"]), chance.randrange(50, 53))
                       for _ in range(chance.randrange(1, 5))))
        for i, (_, bits, evalue) in enumerate(hits):
            rows += [(query, f"s{shard}_{i}", evalue if j == 0 else "9.9", -bits) for j in range(chance.choice([1, 1, 3]))]
    return made_table(rows)


@pytest.mark.parametrize("seed", range(30))
def test_rows_against_the_oracle(tmp_path, seed):
    chance = random.Random(1000 + seed)
    queries = [f"query{i}" for i in range(chance.randrange(1, 30))]
    chance.shuffle(queries)
    tables = [random_table(chance, queries, shard) for shard in range(chance.choice([1, 2, 3, 6]))]
    (tmp_path / "q.fa").write_text("".join(f">{query} title\nACGT\n" for query in queries))
    n_targets = chance.choice([4, 5, 500])
    if not any(tables):
        tables[0] = made_table([(queries[0], "x", "1", 50)])
    expected = shards.merged_rows(tables, queries, n_targets)
    found = merge(made(tmp_path, tables), "--max-target-seqs", n_targets, "--format", "tabular",
                  "--expect-queries", tmp_path / "q.fa")
    check_same(found, expected.encode())


def test_order_of_queries_without_a_list(tmp_path):
    """Where some shard has two queries in a row, these are in that order."""
    tables = [made_table([(query, f"s{i}", "1e-05", 50) for query in queries])
              for i, queries in enumerate(("abdf", "bce", "cdef"))]
    found = merge(made(tmp_path, tables))
    assert found.code == OK and not any("--expect-queries" in warning for warning in found.warnings), found.err
    assert [row[0] for row in found.out.decode().splitlines()] == list("abbccddeeff")
    tables = [made_table([(query, f"s{i}", "1e-05", 50) for query in queries]) for i, queries in enumerate(("ac", "bc"))]
    found = merge(made(tmp_path, tables))
    assert found.code == OK and any("--expect-queries" in warning for warning in found.warnings)
    tables = [made_table([(query, f"s{i}", "1e-05", 50) for query in queries]) for i, queries in enumerate(("ab", "ba"))]
    assert merge(made(tmp_path, tables)).code == MISMATCH


def test_empty_tables(tmp_path):
    table = made_table([("q", "s", "1e-05", 50)])
    check_same(merge(made(tmp_path, ["", table, ""])), table.encode())
    found = merge(made(tmp_path, ["", ""]), "--format", "tabular")
    assert found.code == OK and found.out == b""
    found = merge(made(tmp_path, ["", ""]))
    assert found.code == DATA and "--format" in found.err
    paths = made(tmp_path, [table, table])
    paths[0].write_bytes(b"")
    assert merge(paths).code == DATA
    check_same(merge(paths, "--allow-empty"), table.encode())


def test_columns_that_do_not_fit(tmp_path):
    paths = made(tmp_path, [made_table([("q", "s", "1e-05", 50)])])
    for columns, code in (("qaccver saccver bitscore", USAGE), ("evalue qaccver", USAGE), ("std score slen", MISMATCH),
                          ("qaccver saccver evalue length pident evalue", MISMATCH)):
        assert merge(paths, "--columns", columns).code == code, columns
    code, error = refused(tmp_path, ["none\ts\tq\n"], "--columns", "evalue saccver qaccver")
    assert code == DATA, error


def test_a_subject_with_many_rows(tmp_path):
    """A repeat in a chromosome: a hit's rows take more than is held of anything."""
    tables = [made_table([("q", "chromosome", "1e-05", 50)] * 100000), made_table([("q", "y", "1e-06", 50)])]
    check_same(merge(made(tmp_path, tables), "--format", "tabular"), shards.merged_rows(tables, ["q"]).encode())


def test_many_queries_without_a_list(tmp_path):
    queries = [f"read{i}" for i in range(300000)]
    tables = [made_table([(query, f"s{shard}", f"{shard + 1}e-05", 50) for query in queries]) for shard in range(2)]
    check_same(merge(made(tmp_path, tables), "--format", "tabular"), shards.merged_rows(tables, queries).encode())


def test_queries_in_another_order_than_the_list(tmp_path):
    (tmp_path / "q.fa").write_text(">a\nA\n>b\nA\n")
    tables = [made_table([("b", "x", "1e-05", 50), ("a", "y", "1e-05", 50)]), made_table([("a", "z", "1e-05", 50)])]
    code, error = refused(tmp_path, tables, "--expect-queries", tmp_path / "q.fa")
    assert code == MISMATCH and "another order" in error and "shard_0" in error


def test_drop_of_all_columns(tmp_path):
    table = made_table([("q", "s", "1e-05", 50)])
    for n in (12, 13, 1000):
        code, error = refused(tmp_path, [table, table], "--format", "tabular", "--drop-columns", n)
        assert code == USAGE and "leaves nothing" in error


def test_bits_do_not_tell_all_scores(tmp_path):
    """0.0 and the same bits: raw scores may differ, and they decide."""
    tables = [made_table([("q", f"s{i}", "0.0", 500)]) for i in range(2)]
    assert any("ranks first" in warning for warning in merge(made(tmp_path, tables)).warnings)


def test_lengths_decide_where_nothing_else_does(blast):
    """blastp: of subjects with the same score the longer one has the larger E-value, which three digits do not show."""
    expected = blast.search("blastp", "l", "p", "7")
    paths = search_shards(blast, "blastp", blast.slices("l", 3), "p", "7 std score slen")
    check_same(merge(paths, "--db", "l", "--drop-columns", "2"), expected)


TITLES = ["", "", "gi|5|ref|NP_0.1| x", "sp|P12345|X_HUMAN y", "plain z", "a;b", "chr1:5-80 c", "7", "lcl|last d"]


@pytest.mark.parametrize("options", [[], ["-parse_deflines"]])
@pytest.mark.parametrize("columns", ["6 std", "10 std", "6 qseqid sseqid evalue score", "6 saccver qacc evalue bitscore"])
def test_names_of_queries_in_rows(blast, columns, options):
    """Whatever BLAST makes of a title, and where it numbers queries that have none: rows alone, in the list's order."""
    records = [record.split("\n", 1)[1] for record in blast.queries["n"] if len(record) > 100][:len(TITLES)]
    assert len(records) == len(TITLES)
    (blast.folder / "titles.fa").write_text("".join(f">{title}\n{rest}" for title, rest in zip(TITLES, records)))
    expected = blast.search("blastn", "n", "titles", columns, "-task", "blastn", *options)
    paths = search_shards(blast, "blastn", blast.slices("n", 3), "titles", columns, "-task", "blastn", *options)
    check_same(merge(paths, "--columns", columns, "--expect-queries", blast.folder / "titles.fa"), expected)
    fasta = (blast.folder / "titles.fa").read_bytes()
    check_same(run("shards", "--plain", "--columns", columns, "--expect-queries", "-", *paths, input=fasta), expected)


def rows_of(*queries):
    return made_table([(query, f"s{i}", "1e-05", 50) for i, query in enumerate(queries)])


def test_queries_without_a_name_at_two_places(tmp_path):
    """Query_2 is the second query or, with -parse_deflines, the second without a name: what lies between decides."""
    (tmp_path / "q.fa").write_text(">\nA\n>\nA\n>x\nA\n>y\nA\n>\nA\n>\nA\n")
    found = merge(made(tmp_path, [rows_of("Query_1", "Query_2", "y"), rows_of("Query_2", "x")]), "--expect-queries", tmp_path / "q.fa")
    assert [row.split("\t")[0] for row in found.out.decode().splitlines()] == ["Query_1", "Query_2", "Query_2", "x", "y"]
    (tmp_path / "q.fa").write_text(">x\nA\n>\nA\n>y\nA\n>\nA\n")
    code, error = refused(tmp_path, [rows_of("x", "Query_2"), rows_of("x", "y")], "--expect-queries", tmp_path / "q.fa")
    assert code == MISMATCH and "of the query Query_2" in error and "can have that name" in error and "-outfmt 7" in error
    found = merge(made(tmp_path, [rows_of("x", "y", "Query_2"), rows_of("x", "y")]), "--expect-queries", tmp_path / "q.fa")
    assert [row.split("\t")[0] for row in found.out.decode().splitlines()] == ["x", "x", "y", "y", "Query_2"]


def test_queries_that_the_list_does_not_tell(tmp_path):
    (tmp_path / "q.fa").write_text(">a\nA\n>b 1\nA\n>b 2\nA\n>\nA\n")
    options = ["--expect-queries", tmp_path / "q.fa"]
    code, error = refused(tmp_path, [rows_of("a"), rows_of("a", "other")], *options)
    assert code == MISMATCH and "shard_1" in error and "of the query other, which is not among" in error
    code, error = refused(tmp_path, [rows_of("a"), rows_of("b")], *options)
    assert code == MISMATCH and "of the query b, and several" in error and "-outfmt 7" in error
    code, error = refused(tmp_path, [rows_of("a"), rows_of("Query_4")], *options, "--shards", 1)
    assert code == MISMATCH and "shard_1" in error and "Query_4, which has no name" in error and "each batch by itself" in error


@pytest.mark.parametrize("outfmt, name", [("6", "tabular"), ("10", "csv")])
def test_dropped_columns_of_the_twelve(blast, tmp_path, outfmt, name):
    """What is left is known as a table, though BLAST's own columns, by which it could be recognised, are not all there."""
    delimiter = b"\t" if outfmt == "6" else b","
    expected = b"".join(delimiter.join(row.split(delimiter)[:10]) + b"\n" for row in blast.search("blastn", "n", "n", outfmt).splitlines())
    paths = search_shards(blast, "blastn", blast.slices("n", 3), "n", outfmt)
    options = ["--drop-columns", 2, "--expect-queries", blast.folder / "n.fa"]
    check_same(merge(paths, *options), expected)
    check_same(merge(paths, "--format", name, *options), expected)
    found = run("shards", *options, "-o", tmp_path / "r.gz", *paths)
    assert found.code == OK and gzip.decompress((tmp_path / "r.gz").read_bytes()) == expected


@pytest.mark.parametrize("outfmt", ["6", "7", "10"])
@pytest.mark.parametrize("columns", ["std evalue", "std std score", "score qaccver std score", "evalue saccver qaccver evalue score evalue"])
def test_columns_that_are_named_twice(blast, outfmt, columns):
    """BLAST prints the first of them."""
    options = [] if outfmt == "7" else ["--columns", f"{outfmt} {columns}", "--expect-queries", blast.folder / "n.fa"]
    expected = blast.search("blastn", "n", "n", f"{outfmt} {columns}", "-task", "blastn")
    paths = search_shards(blast, "blastn", blast.slices("n", 3), "n", f"{outfmt} {columns}", "-task", "blastn")
    check_same(merge(paths, "--db", "n", *options), expected)


@pytest.mark.parametrize("outfmt, name", [("5", "xml"), ("16", "xml2"), ("15", "json"), ("7", "commented")])
def test_options_of_other_formats(blast, outfmt, name):
    paths = search_shards(blast, "blastn", blast.slices("n", 2), "n", outfmt)
    cases = [("--columns", "std"), ("--columns", "std", "--format", name)]
    cases += [("--drop-columns", 2)] if outfmt != "7" else []
    for options in cases:
        found = merge(paths, "--db", "n", *options)
        assert found.code == USAGE and f"{options[0]} is for tables" in found.err, found.err


def test_names_with_commas(tmp_path):
    """-outfmt 10 does not quote: such a name shifts all columns behind it. A title that is the last column may have any."""
    row = "{},{},99.0,100,0,0,1,10,1,10,{},50.0{}\n"
    good = [row.format("q", "s", "1e-5", ""), row.format("q", "t", "1e-9", "")]
    for bad in (row.format("q,1", "t", "1e-9", ""), row.format("q", "t,1", "1e-9", "")):
        code, error = refused(tmp_path, [good[0], bad], "--format", "csv")
        assert code == MISMATCH and "shard_1" in error and "more columns than the 12" in error and "a name has the delimiter in it" in error
    titled = [row.format("q", "s", "1e-5", ",a, b"), row.format("q", "t", "1e-9", ",c")]
    done = run("shards", "--plain", "--columns", "10 std stitle", *made(tmp_path, titled))
    assert done.code == OK and done.out.decode() == titled[1] + titled[0], done.err
