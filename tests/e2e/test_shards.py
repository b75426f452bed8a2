# SPDX-License-Identifier: MIT
"""Merging by database: the bytes that one search of the whole database writes, by real BLAST and by an oracle."""
import gzip
import json
import os
import random
import re
import shutil

import pytest

import shards
from program import DATA, MISMATCH, OK, USAGE, difference, run
from shards import made_shard

FORMATS = ("5", "16", "15")


@pytest.fixture(scope="module")
def blast(tmp_path_factory):
    if os.environ.get("BLASTMERGE_SKIP_BLAST"):
        pytest.skip("BLASTMERGE_SKIP_BLAST is set: NOTHING IS PROVED WITH REAL BLAST")
    for need in ("blastp", "makeblastdb"):
        if not shutil.which(need):
            pytest.fail(f"{need} is missing: apt install ncbi-blast+, or set BLASTMERGE_SKIP_BLAST=1")
    return shards.Blast(tmp_path_factory.mktemp("shards"))


def merge(paths, *options):
    return run("shards", "--plain", *options, *paths)


def search_shards(blast, program, names, query, outfmt, *options):
    paths = []
    for name in names:
        data = blast.search(program, name, query, outfmt, *options)
        paths.append(blast.write(f"{name}.out.gz", gzip.compress(data, 6)))
    return paths


def kinds_of(program):
    """Of the database and of the query."""
    return {"blastp": "pp", "blastn": "nn", "blastx": "pn", "tblastn": "np", "tblastx": "nn"}[program]


def check_same(found, expected):
    assert found.code == OK, found.err
    assert found.out == expected, difference(found.out, expected)


# --- real BLAST -------------------------------------------------------------------------------------

@pytest.mark.parametrize("program, options", [
    ("blastp", []), ("blastn", []), ("blastn", ["-task", "blastn"]), ("blastx", []), ("tblastn", []), ("tblastx", [])])
@pytest.mark.parametrize("n_shards", [1, 2, 3, 8])
def test_stats_alias(blast, program, options, n_shards):
    database, query = kinds_of(program)
    names = blast.slices(database, n_shards)
    expected = blast.search(program, database, query, "5", *options)
    paths = search_shards(blast, program, names, query, "5", *options)
    if program == "tblastx":  # BLAST itself links other HSPs where subjects' lengths are others: docs/shards.md
        expected = shards.merged([gzip.decompress(path.read_bytes()).decode() for path in paths], database).encode()
    check_same(merge(paths, "--db", database), expected)


@pytest.mark.parametrize("program", ["blastp", "blastn", "blastx", "tblastn", "tblastx"])
def test_window(blast, program):
    database, query = kinds_of(program)
    expected = blast.search(program, database, query, "5")
    paths = search_shards(blast, program, blast.windows(database, 3), query, "5")
    check_same(merge(paths, "--window", "--db", database), expected)
    refused = merge(paths, "--db", database)
    assert refused.code == MISMATCH and "--window says so" in refused.err


@pytest.mark.parametrize("outfmt", ["16", "15"])
@pytest.mark.parametrize("program", ["blastp", "blastn"])
@pytest.mark.parametrize("n_shards", [2, 3])
def test_other_reports(blast, outfmt, program, n_shards):
    database, query = kinds_of(program)
    expected = blast.search(program, database, query, outfmt)
    paths = search_shards(blast, program, blast.slices(database, n_shards), query, outfmt)
    check_same(merge(paths, "--db", database), expected)
    paths = search_shards(blast, program, blast.windows(database, n_shards), query, outfmt)
    check_same(merge(paths, "--db", database, "--window"), expected)


@pytest.mark.parametrize("outfmt", FORMATS)
@pytest.mark.parametrize("n_targets", ["1", "3", "5", "20"])
def test_cut(blast, outfmt, n_targets):
    expected = blast.search("blastp", "p", "p", outfmt, "-max_target_seqs", n_targets)
    paths = search_shards(blast, "blastp", blast.slices("p", 3), "p", outfmt, "-max_target_seqs", n_targets)
    check_same(merge(paths, "--db", "p", "--max-target-seqs", n_targets), expected)


@pytest.mark.parametrize("outfmt", FORMATS)
def test_queries_split_too(blast, outfmt):
    """Q x S: batches of queries, each searched in shards; query ids and numbers count on."""
    whole = blast.queries["p"]
    expected = blast.search("blastp", "p", "p", outfmt)
    paths = []
    for batch, part in enumerate((whole[:4], whole[4:9], whole[9:])):
        (blast.folder / f"b{batch}.fa").write_text("".join(part))
        for name in blast.slices("p", 2):
            data = blast.search("blastp", name, f"b{batch}", outfmt)
            paths.append(blast.write(f"{batch}_{name}.gz", gzip.compress(data)))
    check_same(merge(paths, "--shards", "2", "--db", "p"), expected)
    refused = merge(paths[:-1], "--shards", "2", "--db", "p")
    assert refused.code == MISMATCH and "not a multiple" in refused.err


def test_slices_without_statistics_are_refused(blast):
    """Each shard was searched as if it were all: its E-values are its own."""
    for name in blast.slices("p", 2):
        blast.search("blastp", name.removesuffix("_st"), "p", "5")
    paths = search_shards(blast, "blastp", [name.removesuffix("_st") for name in blast.slices("p", 2)], "p", "5")
    refused = merge(paths, "--db", "p")
    assert refused.code == MISMATCH and "statistics of the whole database" in refused.err
    assert refused.out == b""


def test_missing_shard(blast):
    paths = search_shards(blast, "blastp", blast.slices("p", 3), "p", "5")
    refused = merge(paths[:2], "--db", "p")
    assert refused.code == MISMATCH and "a shard is missing" in refused.err


@pytest.mark.parametrize("n_shards", [2, 3])
def test_long_subjects(blast, n_shards):
    """E-values of long subjects print alike and differ: sorting by what is printed is wrong."""
    whole = blast.search("blastp", "l", "p", "5").decode()
    assert shards.merged([whole], "l") == whole
    wrong = 0
    for iteration in shards.iterations(whole):
        hits = shards.hits_of(iteration)
        by_print = sorted(hits, key=lambda hit: (float(shards.value(hit, "Hsp_evalue")),
                                                 -int(shards.value(hit, "Hsp_score")),
                                                 -int(shards.value(hit, "Hit_accession"))))
        wrong += by_print != hits
    assert wrong > 0
    paths = search_shards(blast, "blastp", blast.slices("l", n_shards), "p", "5")
    check_same(merge(paths, "--db", "l"), whole.encode())


# --- made up ----------------------------------------------------------------------------------------

def made(folder, texts):
    paths = []
    for i, text in enumerate(texts):
        paths.append(folder / f"shard_{i}.xml.gz")
        paths[-1].write_bytes(gzip.compress(text.encode()))
    return paths


def random_list(chance, own, shard, n):
    """Hits in rank order; evalues are few, so that many tie."""
    hits = [(chance.choice(["0", "1e-170", "2.5e-12", "0.001", "0.5", "3", "9.99"]), chance.randrange(40, 44))
            for _ in range(chance.randrange(n))]
    ranked = sorted((float(evalue) if float(evalue) >= 1e-180 else 0, -score, -number, evalue)
                    for number, (evalue, score) in zip(chance.sample(range(100), len(hits)), hits))
    return [(f"gnl|BL_ORD_ID|{-number}" if own else f"gb|S{shard}_{-number}|", evalue, -score)
            for _, score, number, evalue in ranked]


@pytest.mark.parametrize("seed", range(40))
def test_against_the_oracle(tmp_path, seed):
    chance = random.Random(seed)
    n_shards, n_queries, own = chance.choice([1, 2, 3, 5, 10]), chance.randrange(1, 6), chance.random() < 0.5
    texts = [made_shard([random_list(chance, own, shard, 8) for _ in range(n_queries)], n_shards)
             for shard in range(n_shards)]
    n_targets = chance.choice([8, 9, 12, 500])
    found = merge(made(tmp_path, texts), "--db", "all", "--max-target-seqs", n_targets, "--threads",
                  chance.choice([1, 2]))
    check_same(found, shards.merged(texts, "all", n_targets).encode())


def test_ties_later_shard_first(tmp_path):
    texts = [made_shard([[(f"a{i}", "1e-05", 50), (f"b{i}", "1e-05", 50)]], 3) for i in range(3)]
    found = merge(made(tmp_path, texts))
    assert found.code == OK, found.err
    assert re.findall("<Hit_accession>(.*?)<", found.out.decode()) == ["a2", "b2", "a1", "b1", "a0", "b0"]
    assert re.findall("<Hit_num>(.*?)<", found.out.decode()) == ["1", "2", "3", "4", "5", "6"]


def test_raw_score_decides_where_evalues_print_alike(tmp_path):
    texts = [made_shard([[("low", "0", 700)]], 2), made_shard([[("less", "1e-200", 699)]], 2)]
    found = merge(made(tmp_path, texts))
    assert re.findall("<Hit_accession>(.*?)<", found.out.decode()) == ["low", "less"]


def test_message_of_a_shard_with_hits(tmp_path):
    """Where no shard has hits, BLAST says so; where one has, that shard's end is the whole's."""
    texts = [made_shard([[], []], 2), made_shard([[("x", "1", 40)], []], 2)]
    text = merge(made(tmp_path, texts)).out.decode()
    first, second = shards.iterations(text)
    assert "No hits found" not in first and "No hits found" in second


def test_long_lines_pass_through(tmp_path):
    """An alignment of megabytes, and a definition line longer than any buffer."""
    long = "ACGT" * 700000
    texts = [made_shard([[("x", "1", 40)]], 2),
             made_shard([[("y", "0.5", 41, 300, long), ("z" * 100000, "2", 39)]], 2)]
    check_same(merge(made(tmp_path, texts), "--db", "d"), shards.merged(texts, "d").encode())


def test_pipes_need_sizes(tmp_path):
    texts = [made_shard([[("gnl|BL_ORD_ID|1", "1", 40)]], 2) for _ in range(2)]
    paths = made(tmp_path, texts)
    command = ["bash", "-c", 'exec "$0" shards --plain --db d "${@:3}" <(cat "$1") <(cat "$2")']
    from program import PROGRAM
    refused = run(*paths, command=[*command, PROGRAM])
    assert refused.code == USAGE and "--sizes" in refused.err
    found = run(*paths, "--sizes", "600,600", command=[*command, PROGRAM])
    check_same(found, shards.merged(texts, "d").encode())


# --- checks -----------------------------------------------------------------------------------------

def refused(tmp_path, texts, *options):
    found = merge(made(tmp_path, texts), *options)
    assert found.out == b""
    return found.code, found.err


def test_other_queries(tmp_path):
    one = [("x", "1", 40)]
    code, error = refused(tmp_path, [made_shard([one], 2), made_shard([one], 2, title="other")])
    assert code == MISMATCH and "did not search the same queries" in error and "shard_1" in error
    code, error = refused(tmp_path, [made_shard([one], 2), made_shard([one, one], 2)])
    assert code == MISMATCH and "did not search the same queries" in error
    code, error = refused(tmp_path, [made_shard([one, one], 2), made_shard([one], 2)])
    assert code == MISMATCH and "did not search the same queries" in error


def test_other_program_or_parameters(tmp_path):
    one = [("x", "1", 40)]
    texts = [made_shard([one], 2), made_shard([one], 2, program="blastp")]
    assert refused(tmp_path, texts)[0] == MISMATCH
    texts[1] = texts[0].replace("<Parameters_expect>10<", "<Parameters_expect>20<")
    code, error = refused(tmp_path, texts)
    assert code == MISMATCH and "not shards of one search" in error
    texts[1] = texts[0].replace("BLASTN 2.12.0+", "BLASTN 2.13.0+")
    assert refused(tmp_path, texts)[0] == MISMATCH


def test_other_database_names(tmp_path):
    one = [("x", "1", 40)]
    texts = [made_shard([one], 2), made_shard([one], 2, database="other")]
    code, error = refused(tmp_path, texts)
    assert code == MISMATCH and "--db NAME" in error
    text = merge(made(tmp_path, texts), "--db", "a <b> & c").out.decode()
    assert "<BlastOutput_db>a &lt;b&gt; &amp; c</BlastOutput_db>" in text


def test_search_spaces(tmp_path):
    one = [("x", "1", 40)]
    code, error = refused(tmp_path, [made_shard([one], 2), made_shard([one], 2, space=5)])
    assert code == MISMATCH and "eff-space" in error
    code, error = refused(tmp_path, [made_shard([one], 2), made_shard([one], 2, adjustment=11)])
    assert code == MISMATCH and "hsp-len" in error
    code, error = refused(tmp_path, [made_shard([one], 2, space=5), made_shard([one], 2, space=5)])
    assert code == MISMATCH and "not that of a database" in error


def test_order_of_a_list(tmp_path):
    code, error = refused(tmp_path, [made_shard([[("x", "1", 40), ("y", "0.5", 41)]], 1)])
    assert code == DATA and "not in the order" in error


def test_more_hits_than_targets(tmp_path):
    hits = [(f"x{i}", "1", 40) for i in range(4)]
    code, error = refused(tmp_path, [made_shard([hits], 1)], "--max-target-seqs", "3")
    assert code == MISMATCH and "--max-target-seqs" in error


def test_psiblast_of_several_rounds(tmp_path):
    text = made_shard([[("x", "1", 40)], [("x", "1", 40)]], 1, program="psiblast").replace("Query_2", "Query_1")
    code, error = refused(tmp_path, [text.replace("number 2", "number 1")])
    assert code == MISMATCH and "several rounds" in error


def test_the_same_file_twice(tmp_path):
    paths = made(tmp_path, [made_shard([[("x", "1", 40)]], 2)])
    found = merge([*paths, *paths])
    assert found.code == MISMATCH and "given twice" in found.err


def test_one_subject_in_two_shards(tmp_path):
    texts = [made_shard([[("gb|X1|", "1", 40)]], 2) for _ in range(2)]
    found = merge(made(tmp_path, texts))
    assert found.code == OK and any("overlap" in warning for warning in found.warnings)


def test_other_layouts(tmp_path):
    text = made_shard([[("x", "1", 40)]], 1)
    for old, new in (("<Iteration_hits>\n<Hit>", "<Iteration_hits><Hit>"),
                     ("      <Hsp_evalue>1</Hsp_evalue>\n", ""), ("<Hsp_evalue>1<", "<Hsp_evalue>one<"),
                     ("<Hit_len>300<", "<Hit_len><"), ("      <Statistics_db-num>1200</Statistics_db-num>\n", ""), ("</Hit_hsps>\n</Hit>", "</Hit_hsps></Hit>")):
        assert old in text
        code, error = refused(tmp_path, [text.replace(old, new)])
        assert code in (DATA, MISMATCH), error


def test_cut_short_and_damaged(tmp_path):
    text = made_shard([[("x", "1", 40)]], 2)
    paths = made(tmp_path, [text, text])
    paths[1].write_bytes(paths[1].read_bytes()[:-30])
    found = merge(paths)
    assert found.code == DATA and "shard_1" in found.err and found.out == b""
    found = merge(made(tmp_path, [text, text[:text.index("<Hsp_qseq>")]]))
    assert found.code == DATA and found.out == b""


def test_result_forms_and_report(tmp_path):
    texts = [made_shard([[(f"x{i}", "1", 40)]], 2) for i in range(2)]
    paths, expected = made(tmp_path, texts), shards.merged(texts, "d").encode()
    for name, is_text in (("r.xml.gz", False), ("r.bgz", False), ("r.xml", True)):
        found = run("shards", "--db", "d", "--report", tmp_path / "report.json", "--force", "-o", tmp_path / name, *paths)
        assert found.code == OK, found.err
        data = (tmp_path / name).read_bytes()
        assert (data if is_text else gzip.decompress(data)) == expected
    report = json.loads((tmp_path / "report.json").read_text())
    assert [row["hits"] for row in report["children"]] == [1, 1] and report["totals"]["children"] == 2
    assert report["totals"]["compressed_bytes"] == sum(path.stat().st_size for path in paths)
    assert set(report["shards"].values()) == {0}
    found = run("shards", "--max-target-seqs", "1", "--report", tmp_path / "report.json", "--force", "-o", tmp_path / "r.xml", *paths)
    counts = json.loads((tmp_path / "report.json").read_text())["shards"]
    assert counts["cut_queries"] == counts["tied_cuts"] == 1
    found = run("shards", "--expect-children", "3", "-o", tmp_path / "none", *paths)
    assert found.code == MISMATCH and not (tmp_path / "none").exists()
    found = run("shards", "-o", paths[0], "--force", *paths)
    assert found.code == USAGE


# --- tables -----------------------------------------------------------------------------------------

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


def made_table(rows):
    """rows: (query, subject, evalue, bits)"""
    return "".join(f"{query}\t{subject}\t90.0\t100\t10\t0\t1\t100\t1\t100\t{evalue}\t{bits}\n"
                   for query, subject, evalue, bits in rows)


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
    for columns, code in (("qaccver saccver bitscore", USAGE), ("evalue qaccver", USAGE), ("std evalue score", MISMATCH),
                          ("qaccver saccver evalue length pident evalue", OK), ("evalue saccver qaccver", DATA)):
        assert merge(paths, "--columns", columns).code == code, columns


# --- strands ----------------------------------------------------------------------------------------

@pytest.mark.parametrize("options", [["-task", "blastn-short"], ["-task", "blastn", "-ungapped"]])
@pytest.mark.parametrize("n_shards", [2, 3])
def test_strands_of_blastn(blast, options, n_shards):
    """Equal hits of one strand come first where lambda is computed: what the shards do not tell is counted."""
    expected = blast.search("blastn", "n", "n", "5", *options).decode()
    paths = search_shards(blast, "blastn", blast.slices("n", n_shards), "n", "5", *options)
    found = merge(paths, "--db", "n")
    assert found.code == OK, found.err
    lists = [[re.findall("<Hit_accession>(.*?)<", iteration) for iteration in shards.iterations(text)]
             for text in (found.out.decode(), expected)]
    assert [sorted(hits) for hits in lists[0]] == [sorted(hits) for hits in lists[1]]
    wrong = sum(a != b for a, b in zip(*lists))
    counted = sum(int(warning.split()[0]) for warning in found.warnings if "ranks first" in warning)
    assert wrong <= counted and wrong < len(lists[0])
    if not counted:
        check_same(found, expected.encode())


def test_the_strand_that_comes_first_is_learned(tmp_path):
    def hit(number, strand):
        return (f"gnl|BL_ORD_ID|{number}", "1e-05", 20, 300, "", strand)

    def order(*lists):
        texts = [made_shard([hits], 2, lam="1.37406312246009") for hits in lists]
        found = merge(made(tmp_path, texts))
        assert found.code == OK, found.err
        return [int(n) for n in re.findall("<Hit_accession>(.*?)<", found.out.decode())], found.warnings

    # 3 before 9 in the first shard: minus comes first, in the second shard, too
    assert order([hit(3, -1), hit(9, 1)], [hit(5, 1), hit(2, 1)]) == ([3, 605, 602, 9], [])
    assert order([hit(3, 1), hit(9, -1)], [hit(5, 1), hit(2, -1)]) == ([605, 3, 602, 9], [])
    places, warnings = order([hit(9, 1)], [hit(5, -1)])
    assert places == [605, 9] and any("ranks first" in warning for warning in warnings)


# --- alias files ------------------------------------------------------------------------------------



@pytest.mark.parametrize("kind", ["p", "n"])
def test_alias_parts(blast, kind, tmp_path):
    program = {"p": "blastp", "n": "blastn"}[kind]
    parts = [blast.folder / name.removesuffix("_st") for name in blast.slices(kind, 3)]
    made_alias = run("shards", "--alias-parts", "-o", tmp_path / "aliases", *parts)
    assert made_alias.code == OK, made_alias.err
    names = made_alias.out.decode().split()
    assert names == [str(tmp_path / "aliases" / f"shard_0{i}") for i in range(3)]
    expected = blast.search(program, kind, kind, "5")
    paths = [blast.write(f"alias_{i}.gz", gzip.compress(blast.search(program, name, kind, "5")))
             for i, name in enumerate(names)]
    check_same(merge(paths, "--db", kind), expected)
    again = run("shards", "--alias-parts", "-o", tmp_path / "aliases", *parts)
    assert again.code != OK and "--force" in again.err
    assert run("shards", "--alias-parts", "--force", "-o", tmp_path / "aliases", *parts).code == OK


def test_alias_of_one_name(blast, tmp_path):
    """Each shard is searched under the whole's name: the headers are the whole's, and no --db is needed."""
    parts = [blast.folder / name.removesuffix("_st") for name in blast.slices("p", 2)]
    found = run("shards", "--alias-parts", "--db", "p", "-o", tmp_path, *parts)
    assert found.code == OK, found.err
    paths = []
    for name in found.out.decode().split():
        folder, name = name.rsplit("/", 1)
        data = shards.subprocess.run(["blastp", "-db", name, "-query", str(blast.folder / "p.fa"), "-outfmt", "5"],
                                     cwd=folder, stdout=-1, stderr=-3, check=True).stdout
        paths.append(blast.write(f"named_{len(paths)}.gz", gzip.compress(data)))
    check_same(merge(paths), blast.search("blastp", "p", "p", "5"))


@pytest.mark.parametrize("n", [1, 3, 7])
def test_alias_windows(blast, tmp_path, n):
    found = run("shards", "--alias", n, "-o", tmp_path, blast.folder / "p")
    assert found.code == OK, found.err
    paths = [blast.write(f"window_{i}.gz", gzip.compress(blast.search("blastp", name, "p", "16")))
             for i, name in enumerate(found.out.decode().split())]
    assert len(paths) == n
    check_same(merge(paths, "--window", "--db", "p"), blast.search("blastp", "p", "p", "16"))


def test_alias_of_volumes(blast, tmp_path):
    """An alias file with several volumes, and an index of version 4."""
    shards.subprocess.run(["makeblastdb", "-dbtype", "prot", "-title", "v", "-out", "vol", "-max_file_sz", "50KB",
                           "-blastdb_version", "4"], input="".join(blast.records["p"]).encode(), cwd=blast.folder,
                          stdout=-3, check=True)
    volumes = sorted(path.with_suffix("") for path in blast.folder.glob("vol.*.pin"))
    assert len(volumes) > 1
    found = run("shards", "--alias-parts", "-o", tmp_path / "parts", *volumes)
    assert found.code == OK, found.err
    paths = [blast.write(f"volume_{i}.gz", gzip.compress(blast.search("blastp", name, "p", "5")))
             for i, name in enumerate(found.out.decode().split())]
    check_same(merge(paths, "--db", "p"), blast.search("blastp", "p", "p", "5"))
    whole = run("shards", "--alias-parts", "-o", tmp_path / "whole", blast.folder / "vol")
    stats = re.findall("STATS.*", (tmp_path / "whole" / "shard_00.pal").read_text())
    assert stats == re.findall("STATS.*", (tmp_path / "parts" / "shard_00.pal").read_text()) and whole.code == OK


def test_alias_that_cannot_be(blast, tmp_path):
    refused_alias = run("shards", "--alias-parts", "-o", tmp_path, blast.folder / "nothing")
    assert refused_alias.code == 7 and "no BLAST database" in refused_alias.err
    refused_alias = run("shards", "--alias-parts", "-o", tmp_path, blast.folder / "p", blast.folder / "n")
    assert refused_alias.code == 7 and "proteins" in refused_alias.err
    part = blast.folder / "p"
    twice = run("shards", "--alias-parts", "-o", tmp_path / "twice", part, blast.folder / "l", f"{blast.folder}/./p")
    assert twice.code == MISMATCH and "given twice" in twice.err and not (tmp_path / "twice").exists()
    for name in ("", ".", "..", "a/b", "a\nb", "x" * 201):
        assert run("shards", "--alias-parts", "--db", name, "-o", tmp_path / "named", part).code == USAGE, name
    assert not (tmp_path / "named").exists()
    assert run("shards", "--alias", "2", "-o", tmp_path, blast.folder / "p", blast.folder / "l").code == USAGE
    assert run("shards", "--alias", "9999", "-o", tmp_path, blast.folder / "p").code == USAGE
    (tmp_path / "bad.pin").write_bytes(b"\0\0\0\5\0\0\0\1\0\0\0\0\xff\xff\xff\xffx")
    assert run("shards", "--alias-parts", "-o", tmp_path, tmp_path / "bad").code == DATA
    (tmp_path / "loop.pal").write_text("TITLE loop\nDBLIST loop\n")
    assert run("shards", "--alias-parts", "-o", tmp_path, tmp_path / "loop").code == DATA
    (tmp_path / "part.pal").write_text("TITLE part\nDBLIST x\nSEQIDLIST some.list\n")
    assert run("shards", "--alias-parts", "-o", tmp_path, tmp_path / "part").code == USAGE


# --- statistics that are computed again ---------------------------------------------------------------

@pytest.mark.parametrize("outfmt", FORMATS)
@pytest.mark.parametrize("program, whole, options, own", [
    ("blastn", [], [], []),
    ("blastp", [], ["-dbsize", "LETTERS"], []),
    ("blastn", ["-task", "blastn"], ["-dbsize", "LETTERS", "-evalue", "10.5"], ["--evalue", "10"])])
def test_recompute(blast, outfmt, program, whole, options, own):
    """megablast of slices alone; -dbsize, where E-values of blastp are right and those of blastn nearly."""
    database, query = kinds_of(program)
    n_letters = sum(len(record.split("\n")[1]) for record in blast.records[database])
    options = [*whole, *(str(n_letters) if option == "LETTERS" else option for option in options)]
    expected = blast.search(program, database, query, outfmt, *whole)
    names = [name.removesuffix("_st") for name in blast.slices(database, 3)]
    paths = search_shards(blast, program, names, query, outfmt, *options)
    found = merge(paths, "--db", database, "--recompute", *own)
    check_same(found, expected)
    assert any("computed again" in warning for warning in found.warnings)


def test_recompute_keeps_a_given_search_space(blast):
    """-searchsp: E-values are right, the adjustment is that which gives the space."""
    (blast.folder / "one.fa").write_text(blast.queries["n"][0])
    expected = blast.search("blastn", "n", "one", "5", "-task", "blastn")
    space = shards.value(expected.decode(), "Statistics_eff-space")
    names = [name.removesuffix("_st") for name in blast.slices("n", 3)]
    paths = search_shards(blast, "blastn", names, "one", "5", "-task", "blastn", "-searchsp", space)
    check_same(merge(paths, "--db", "n", "--recompute"), expected)


def test_recompute_that_cannot_be(blast, tmp_path):
    text = made_shard([[("x", "1", 40)]], 2)
    code, error = refused(tmp_path, [text.replace("_lambda>0.625<", "_lambda>0.7<")] * 2, "--recompute")
    assert code == USAGE and "scoring system" in error
    assert refused(tmp_path, [text, text], "--recompute", "--window")[0] == USAGE
    assert refused(tmp_path, [text, text], "--evalue", "1")[0] == USAGE
    assert refused(tmp_path, [text, text], "--recompute", "--evalue", "many")[0] == USAGE
    assert refused(tmp_path, [made_table([("q", "s", "1e-05", 50)])] * 2, "--recompute")[0] == USAGE
    names = [name.removesuffix("_st") for name in blast.slices("p", 2)]
    paths = search_shards(blast, "blastx", names, "n", "5")
    found = merge(paths, "--db", "p", "--recompute")  # no model of its E-values is known: they stay, and are counted
    assert found.code == OK and any("could not be computed again" in warning for warning in found.warnings)


# --- memory -------------------------------------------------------------------------------------------

@pytest.mark.parametrize("n_shards", [8, 100])
def test_memory_of_many_shards(tmp_path, n_shards):
    """The process takes 16 MiB at most."""
    chance = random.Random(n_shards)
    texts = [made_shard([[(f"gnl|BL_ORD_ID|{i % 12}", f"{10.0 ** -(20 - i):.3g}", 50, 300, "ACGT" * 200) for i in range(20)]
                         for _ in range(20 if n_shards > 8 else 200)], n_shards) for _ in range(n_shards)]
    chance.shuffle(texts)
    check_memory(tmp_path, made(tmp_path, texts), b"<Hit>\n")


def check_memory(tmp_path, paths, counted, *options):
    for n_threads in (1, 2):
        found = run("shards", "--plain", "--db", "d", "--threads", n_threads, "--report", tmp_path / "report.json", "--force",
                    *options, *paths)
        assert found.code == OK, found.err
        report = json.loads((tmp_path / "report.json").read_text())
        assert report["peak_memory"] <= 16 << 20 and report["peak_resident"] <= 16 << 20
        assert report["totals"]["hits"] == found.out.count(counted) > 0
    return found


def test_definition_lines_of_megabytes(tmp_path):
    """A temporary file holds what is too long, and nothing of it is lost."""
    texts = [made_shard([[(f"x{i}", "1", 40), (f"y{i}", "2", 39)]] * 2, 100)
             .replace(f"of x{i}<", "D" * 1000000 + f"x{i}<").replace(f"of y{i}<", f"y{i}" * 50000 + "<") for i in range(100)]
    found = check_memory(tmp_path, made(tmp_path, texts), b"<Hit>\n")
    check_same(found, shards.merged(texts, "d").encode())


def test_a_query_with_many_hits(tmp_path):
    texts = [made_shard([[(f"x{shard}_{i}", f"{i // 100 + 1}e-05", 50 - i // 100) for i in range(5000)]], 2) for shard in range(2)]
    found = check_memory(tmp_path, made(tmp_path, texts), b"<Hit>\n", "--max-target-seqs", "10000")
    check_same(found, shards.merged(texts, "d", 10000).encode())


@pytest.mark.parametrize("setting", [{"TMPDIR": "/proc/none"}, {}])
def test_a_temporary_file_that_fails(tmp_path, setting):
    texts = [made_shard([[("z" * 3000000, "2", 39)]], 2), made_shard([[("y", "1", 40)]], 2)]
    limit = [] if setting else ["prlimit", "--fsize=100000", "--"]
    from program import PROGRAM
    found = run("shards", "--plain", *made(tmp_path, texts), command=["env", *(f"{k}={v}" for k, v in setting.items()),
                *limit, PROGRAM])
    assert found.code != OK and "temporary file" in found.err and "shard_0" in found.err and found.out == b""


def test_a_query_whose_title_is_too_long(tmp_path):
    """What is compared of a query has a ceiling, which --memory raises."""
    texts = [made_shard([[(f"x{i}", "1", 40)]], 2, title="t" * 3000000) for i in range(2)]
    paths = made(tmp_path, texts)
    found = merge(paths, "--db", "d")
    assert found.code == 10 and "--memory" in found.err and found.out == b""
    check_same(merge(paths, "--db", "d", "--memory", "512"), shards.merged(texts, "d").encode())


# --- round robin --------------------------------------------------------------------------------------

@pytest.mark.parametrize("program, outfmt", [("blastp", "5"), ("blastn", "5"), ("blastp", "16"), ("blastn", "15")])
def test_round_robin(blast, program, outfmt):
    """Sequence i is in shard i modulo 3: BLAST's own count of subjects tells their order."""
    database, query = kinds_of(program)
    expected = blast.search(program, database, query, outfmt)
    paths = search_shards(blast, program, blast.slices(database, 3, round_robin=True), query, outfmt)
    check_same(merge(paths, "--db", database, "--round-robin"), expected)


@pytest.mark.parametrize("is_descending", [False, True])
def test_order_list(blast, tmp_path, is_descending):
    """Tables have the subjects' own names: a list tells their order in the database."""
    expected = blast.search("blastn", "n", "n", "7")
    names = blast.slices("n", 3, round_robin=True)
    paths = search_shards(blast, "blastn", names, "n", "7")
    order = [record[1:].split()[0] for record in blast.records["n"]]
    (tmp_path / "order").write_text("\n".join(reversed(order) if is_descending else order) + "\n")
    options = ["--order-descending"] if is_descending else []
    check_same(merge(paths, "--db", "n", "--round-robin", "--order", tmp_path / "order", *options), expected)
    (tmp_path / "order").write_text("\n".join(order[:50]) + "\n")
    found = merge(paths, "--db", "n", "--round-robin", "--order", tmp_path / "order")
    assert found.code == OK and any("not in the order list" in warning for warning in found.warnings)


def test_psiblast_of_one_round(blast):
    (blast.folder / "psi.fa").write_text("".join(blast.queries["p"][:5]))
    expected = blast.search("psiblast", "p", "psi", "5")
    check_same(merge(search_shards(blast, "psiblast", blast.slices("p", 3), "psi", "5"), "--db", "p"), expected)


# --- what does not look like what it is -----------------------------------------------------------------

def test_lines_of_another_layout(tmp_path):
    """What no line tells must not pass as something else: the statistics would be the first shard's."""
    text = made_shard([[], []], 2)
    for other in (text.replace("\n", "\r\n"), text.replace("\n", ""), text.replace("\n", "\n\t")):
        code, error = refused(tmp_path, [other, other])
        assert code == DATA and "2 queries" in error and "shard_0" in error
        assert refused(tmp_path, [other])[0] == DATA


def test_lines_that_are_missing(tmp_path):
    """A hit without a score must not rank by 0, nor a query by the statistics of the one before."""
    one = [("x", "1", 40)]
    text = made_shard([one, one], 2)
    for line in ("  <Hit_num>1</Hit_num>\n", "  <Hit_len>300</Hit_len>\n", "      <Hsp_score>40</Hsp_score>\n",
                 "      <Hsp_evalue>1</Hsp_evalue>\n"):
        code, error = refused(tmp_path, [text, text.replace(line, "")])
        assert code == DATA and "shard_1" in error and "at byte" in error, line
    for name in ("hsp-len", "eff-space", "kappa", "lambda"):
        start, end = text.rindex(f"      <Statistics_{name}>"), text.rindex(f"</Statistics_{name}>\n")
        other = text[:start] + text[end + len(f"</Statistics_{name}>\n"):]
        assert refused(tmp_path, [other, text])[0] == MISMATCH, name


def test_subjects_beyond_the_part(tmp_path):
    """Another part's, or the whole's count: shifted, it would name another sequence."""
    texts = [made_shard([[(f"gnl|BL_ORD_ID|{n}", "1", 40)]], 2) for n in (599, 600)]
    code, error = refused(tmp_path, texts)
    assert code == MISMATCH and "sequence 600 of 600" in error and "shard_1" in error and "--window" in error
    assert merge(made(tmp_path, [texts[0], texts[0]])).code == OK
    texts = [made_shard([[("gnl|BL_ORD_ID|1200", "1", 40)]], 1)]
    assert refused(tmp_path, texts, "--window")[0] == MISMATCH
    assert refused(tmp_path, texts, "--round-robin")[0] == MISMATCH


def test_windows_rank_by_what_they_count(tmp_path):
    """Whatever order they are given in: 900 is later in the database than 100."""
    texts = [made_shard([[(f"gnl|BL_ORD_ID|{n}", "1", 40)]], 1) for n in (900, 100)]
    text = merge(made(tmp_path, texts), "--window").out.decode()
    assert re.findall("<Hit_accession>(.*?)<", text) == ["900", "100"]


def test_names_that_are_not_in_order(tmp_path):
    """A shell sorts shard_10 before shard_2."""
    texts = [made_shard([[(f"x{i}", "1", 40)]], 12) for i in range(12)]
    paths = made(tmp_path, texts)
    found = merge(sorted(paths))
    assert found.code == OK and any("shard_2.xml.gz comes after" in warning for warning in found.warnings)
    assert merge(paths).warnings == []


@pytest.mark.parametrize("outfmt", ["5", "16", "15", "7"])
def test_name_with_an_apostrophe(blast, outfmt):
    blast.make_database("it's", "p", blast.records["p"][:20])
    expected = blast.search("blastp", "it's", "p", outfmt)
    blast.make_database("its", "p", blast.records["p"][:20])
    path = blast.write("its.gz", gzip.compress(blast.search("blastp", "its", "p", outfmt)))
    check_same(merge([path], "--db", "it's"), expected)


def test_name_with_a_line_feed(tmp_path):
    code, error = refused(tmp_path, [made_shard([[]], 1)], "--db", "a\n# Query: b")
    assert code == USAGE and "line feed" in error


def test_shards_of_psiblast(blast):
    """One round is a search like any other; a shard that is missing is seen."""
    (blast.folder / "psi.fa").write_text("".join(blast.queries["p"][:8]))
    expected = blast.search("psiblast", "p", "psi", "5")
    paths = search_shards(blast, "psiblast", blast.slices("p", 3), "psi", "5")
    check_same(merge(paths, "--db", "p"), expected)
    found = merge(paths[:2], "--db", "p")
    assert found.code == MISMATCH and "a shard is missing" in found.err and found.out == b""


@pytest.mark.parametrize("outfmt", FORMATS)
@pytest.mark.parametrize("form", ["gb|{}.1|", "{}.1", "{}"])
def test_order_list_whatever_form_names_have(blast, outfmt, form, tmp_path):
    records = [f">gb|AAA{i:05}.1| title {i}\n{record.split(chr(10))[1]}\n" for i, record in enumerate(blast.records["p"])]
    n_letters = sum(len(record.split("\n")[1]) for record in records)

    def make(name, part):
        shards.subprocess.run(["makeblastdb", "-dbtype", "prot", "-parse_seqids", "-title", name, "-out", name],
                              input="".join(part).encode(), cwd=blast.folder, stdout=-3, check=True)

    make("versions", records)
    for i in range(3):
        make(f"versions_{i}", records[i::3])
        blast.write_alias(f"versions_{i}_st", "p",
                          f"DBLIST versions_{i}\nSTATS_NSEQ {len(records)}\nSTATS_TOTLEN {n_letters}\n")
    (tmp_path / "order").write_text("".join(f">{form.format(f'AAA{i:05}')} title\nM\n" for i in range(len(records))))
    paths = search_shards(blast, "blastp", [f"versions_{i}_st" for i in range(3)], "p", outfmt)
    found = merge(paths, "--db", "versions", "--round-robin", "--order", tmp_path / "order")
    check_same(found, blast.search("blastp", "versions", "p", outfmt))
    assert found.warnings == []


def test_pipes_do_not_tell_strands(blast):
    """What a first pass learns from files is counted where there is none."""
    names = blast.slices("n", 3)
    sizes = ",".join(str((blast.folder / f"{name.removesuffix('_st')}.fasta").read_text().count("\n>") + 1) for name in names)
    expected = blast.search("blastn", "n", "n", "5", "-task", "blastn-short")
    paths = search_shards(blast, "blastn", names, "n", "5", "-task", "blastn-short")
    command = ["bash", "-c", 'exec "$0" shards --plain --db n --sizes "$4" <(cat "$1") <(cat "$2") <(cat "$3")']
    from program import PROGRAM
    found = run(*paths, sizes, command=[*command, PROGRAM])
    assert found.code == OK, found.err
    lists = [re.findall("<Hit_accession>(.*?)<", text.decode()) for text in (found.out, expected)]
    assert sorted(lists[0]) == sorted(lists[1]) and lists[0] != lists[1]
    assert any("ranks first" in warning for warning in found.warnings)


def test_zero_in_any_form(tmp_path):
    texts = [made_shard([[("x", "0e400", 40), ("z", "1", 40)]], 2), made_shard([[("y", "1e-170", 41)]], 2)]
    text = merge(made(tmp_path, texts)).out.decode()
    assert re.findall("<Hit_accession>(.*?)<", text) == ["x", "y", "z"]


def test_heads_of_many_shards(tmp_path):
    """Definition lines of 100 KiB in each of 100 shards."""
    texts = [made_shard([[(f"x{i}", "1", 40)]], 100).replace("<Hit_def>", "<Hit_def>" + "D" * 100000) for i in range(100)]
    check_same(merge(made(tmp_path, texts), "--db", "d"), shards.merged(texts, "d").encode())


def test_few_files_allowed(tmp_path):
    paths = made(tmp_path, [made_shard([[]], 100) for _ in range(100)])
    from program import PROGRAM
    for most in (20, 40, 100):
        found = run("shards", "--plain", *paths, command=["bash", "-c", f'ulimit -n {most}; exec "$0" "$@"', PROGRAM])
        assert found.code == USAGE and f"{most} files open" in found.err


# --- tables as large as they come -------------------------------------------------------------------------

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
