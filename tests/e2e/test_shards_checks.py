# SPDX-License-Identifier: MIT
"""What a merge of shards refuses or warns of."""
import json

import pytest

import shards
from program import DATA, MISMATCH, OK, PROGRAM, USAGE, run
from shards import made_shard
from shards_run import check_same, made, made_table, merge, refused


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
    assert code == DATA and "not in the order" in error and "-qcov_hsp_perc" in error


def test_more_hits_than_targets(tmp_path):
    hits = [(f"x{i}", "1", 40) for i in range(4)]
    code, error = refused(tmp_path, [made_shard([hits], 1)], "--max-target-seqs", "3")
    assert code == MISMATCH and "--max-target-seqs" in error


LISTS = {  # the lengths of each query's lists, in each shard
    "limited": ([5, 5, 2], [5, 1, 5], 5),
    "limited to one": ([1] * 10, [1] * 10, 1),
    "of one query alone": ([5, 4, 4], [5, 1, 5], None),
    "not all alike": ([5, 5, 4], [4, 4, 4], None),
    "few of them": ([1, 1, 1], [1, 1, 1], None),
    "no query has more in all": ([5, 5, 0, 0], [0, 0, 5, 5], None),
}


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("outfmt", ["5", "6"])
def test_searches_that_were_limited(tmp_path, name, outfmt):
    """-max_target_seqs of the searches does not show in a result; lists that all end at the same length show it."""
    *lengths, limit = LISTS[name]
    if outfmt == "5":
        texts = [made_shard([[(f"x{shard}_{i}", "1", 40) for i in range(n)] for n in queries], 2) for shard, queries in enumerate(lengths)]
        options = ["--db", "d"]
    else:
        row = "q{}\ts{}_{}\t99.0\t10\t0\t0\t1\t10\t1\t10\t1e-5\t50\n"
        texts = ["".join(row.format(query, shard, i) for query, n in enumerate(queries) for i in range(n)) for shard, queries in enumerate(lengths)]
        (tmp_path / "queries").write_text("".join(f"q{query}\n" for query in range(len(lengths[0]))))
        options = ["--expect-queries", tmp_path / "queries"]
    paths = made(tmp_path, texts)
    done = run("shards", "--plain", *options, *paths)
    assert done.code == OK, done.err
    assert (f"the result has too many hits, and needs --max-target-seqs {limit}\n" in done.err) == (limit is not None), done.err
    assert limit is not None or "too many hits" not in done.err
    if limit is not None:
        assert "too many hits" not in run("shards", "--plain", "--max-target-seqs", limit, *options, *paths).err


def test_psiblast_of_several_rounds(tmp_path):
    text = made_shard([[("x", "1", 40)], [("x", "1", 40)]], 1, program="psiblast").replace("Query_2", "Query_1")
    code, error = refused(tmp_path, [text.replace("number 2", "number 1")])
    assert code == MISMATCH and "several rounds" in error


def test_the_same_file_twice(tmp_path):
    paths = made(tmp_path, [made_shard([[("x", "1", 40)]], 2)])
    found = merge([*paths, *paths])
    assert found.code == MISMATCH and "given twice" in found.err


def pair(one, other, **fields):
    return [made_shard([[hit]], 2, **fields) for hit in (one, other)]


TRANSLATED = {"program": "blastx", "space": (100 // 3 - shards.ADJUSTMENT) * (shards.RESIDUES - shards.ADJUSTMENT * shards.SEQUENCES)}
COUNTED = {  # shards, options, and what the report counts of them
    "a cut": (pair(("x", "1", 40), ("y", "2", 39)), ["--max-target-seqs", 1], {"cut_queries": 1}),
    "a cut between equals": (pair(("x", "1", 40), ("y", "1", 40)), ["--max-target-seqs", 1], {"cut_queries": 1, "tied_cuts": 1}),
    "E-values that print alike": (pair(("x", "1", 40), ("y", "1", 41), **TRANSLATED), [], {"undecided_places": 1}),
    "E-values that print alike, where a query is cut": (pair(("x", "1", 40), ("y", "1", 41), **TRANSLATED), ["--max-target-seqs", 1],
                                                        {"cut_queries": 1, "undecided_places": 1}),
    "strands": (pair(("x", "1", 40, 300, "", 1), ("y", "1", 40, 300, "", -1), lam="1.37406312246009"), [],
                {"undecided_places": 1, "undecided_strands": 1}),
    "queries": ([made_table([(query, f"s{i}", "1e-05", 50) for query in queries]) for i, queries in enumerate(("ac", "bc"))],
                [], {"undecided_places": 1, "undecided_queries": 1}),
    "one subject twice": (pair(("gb|X|", "1", 40), ("gb|X|", "1", 40)), [], {"overlapping_hits": 1}),
    "a subject that no list has": (pair(("x", "1", 40), ("y", "2", 39)), ["--order", "LIST"], {"unlisted_hits": 1}),
    "E-values of no known formula": (pair(("x", "1", 40), ("y", "2", 39)), ["--recompute"], {"unrebuilt_hits": 2})}


@pytest.mark.parametrize("name", COUNTED)
def test_what_the_report_counts(tmp_path, name):
    texts, options, counts = COUNTED[name]
    (tmp_path / "list").write_text("x\n")
    options = [tmp_path / "list" if option == "LIST" else option for option in options]
    found = merge(made(tmp_path, texts), "--report", tmp_path / "report", *options)
    assert found.code == OK, found.err
    report = json.loads((tmp_path / "report").read_text())["shards"]
    assert {key: value for key, value in report.items() if value} == counts


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


def test_lines_of_another_layout(tmp_path):
    """What no line tells must not pass as something else: the statistics would be the first shard's."""
    text = made_shard([[], []], 2)
    for other in (text.replace("\n", ""), text.replace("\n", "\n\t")):
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


def test_names_that_are_not_in_order(tmp_path):
    """A shell sorts shard_10 before shard_2."""
    texts = [made_shard([[(f"x{i}", "1", 40)]], 12) for i in range(12)]
    paths = made(tmp_path, texts)
    found = merge(sorted(paths))
    assert found.code == OK and any("shard_2.xml.gz comes after" in warning for warning in found.warnings)
    assert merge(paths).warnings == []


def test_name_with_a_line_feed(tmp_path):
    code, error = refused(tmp_path, [made_shard([[]], 1)], "--db", "a\n# Query: b")
    assert code == USAGE and "line feed" in error


def test_an_empty_name(tmp_path):
    code, error = refused(tmp_path, [made_shard([[]], 1)], "--db", "")
    assert code == USAGE and "must not be empty" in error


def test_few_files_allowed(tmp_path):
    paths = made(tmp_path, [made_shard([[]], 100) for _ in range(100)])
    for most in (20, 40, 100):
        found = run("shards", "--plain", *paths, command=["bash", "-c", f'ulimit -n {most}; exec "$0" "$@"', PROGRAM])
        assert found.code == USAGE and f"{most} files open" in found.err and "ulimit -n 132" in found.err


@pytest.mark.parametrize("options, words", [
    (["--window", "--round-robin"], "--window and --round-robin contradict"), (["--evalue", "1"], "--evalue E needs --recompute"),
    (["--window", "--recompute"], "--window and --recompute contradict"), (["--order-descending"], "--order-descending needs --order FILE"),
    (["--sizes", "1,2"], "--sizes has 2 numbers")])
def test_messages_name_options(tmp_path, options, words):
    code, error = refused(tmp_path, [made_shard([[]], 1)], *options)
    assert code == USAGE and words in error


def test_a_list_for_subjects_that_blast_has_numbered(tmp_path):
    """Their numbers say what the list would."""
    texts = [made_shard([[("gnl|BL_ORD_ID|1", "1", 40)], [("gnl|BL_ORD_ID|2", "1", 40), ("gb|X|", "1", 40)]], 2) for _ in range(2)]
    (tmp_path / "list").write_text("X\n")
    found = merge(made(tmp_path, texts), "--order", tmp_path / "list")
    assert found.code == OK and any("4 hits are of subjects that BLAST has numbered" in warning for warning in found.warnings), found.err
    found = merge(made(tmp_path, texts))
    assert found.code == OK and not any("BLAST has numbered" in warning for warning in found.warnings)


def test_pipes_need_sizes(tmp_path):
    texts = [made_shard([[("gnl|BL_ORD_ID|1", "1", 40)]], 2) for _ in range(2)]
    paths = made(tmp_path, texts)
    command = ["bash", "-c", 'exec "$0" shards --plain --db d "${@:3}" <(cat "$1") <(cat "$2")']
    refused = run(*paths, command=[*command, PROGRAM])
    assert refused.code == USAGE and "--sizes" in refused.err
    found = run(*paths, "--sizes", "600,600", command=[*command, PROGRAM])
    check_same(found, shards.merged(texts, "d").encode())


def test_an_error_names_the_shard_and_the_place(tmp_path):
    one = [("x", "1", 40)]
    texts = [made_shard([one, one], 2), made_shard([one, one], 2).replace("<Hit_len>300<", "<Hit_len>many<")]
    paths = made(tmp_path, texts)
    place = texts[1].index("</Hit_len>\n") + len("</Hit_len>\n")
    found = merge(paths)
    assert found.err == (f"blastmerge: {paths[1]}: is not laid out as BLAST+ writes it: a hit's length, score or E-value is "
                         f"missing or no number (at byte {place} of its text, after 0 whole Iterations)\n")
    found = merge([paths[0], tmp_path / "none.gz"])
    assert found.err.startswith(f"blastmerge: cannot open {tmp_path}/none.gz: ")
    found = merge(paths[:1], "--order", tmp_path / "none")
    assert found.err.startswith(f"blastmerge: cannot open the file of subjects {tmp_path}/none: ")


def test_a_merge_of_queries_that_is_given_shards(tmp_path):
    """The other command is named, and nothing is doubled without a word."""
    paths = made(tmp_path, [made_shard([[(f"x{i}", "1", 40)]], 2) for i in range(2)])
    found = run("--plain", *paths)
    assert found.code == OK and any("blastmerge shards merges" in warning for warning in found.warnings)
    found = run("--plain", "--as-unsplit", *paths)
    assert found.code == MISMATCH and "blastmerge shards" in found.err


FOUND = "# BLASTN 2.12.0+\n# Query: {0}\n# Database: d\n# Fields: query acc.ver, subject acc.ver, evalue, bit score\n# {1} hits found\n"


def commented(rows, *changes):
    text = FOUND.format("q", len(rows)) + "".join(f"q\t{name}\t{evalue}\t{bits}\n" for name, evalue, bits in rows)
    text += "# BLAST processed 1 queries\n"
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text


@pytest.mark.parametrize("change, code, words", [
    (("q\ty\t", "q\ty\t0."), DATA, "rows are not in the order"),
    (("# Query: q\n", "# Iteration: 2\n# Query: q\n"), MISMATCH, "several rounds"),
    ((", bit score", ", score"), MISMATCH, "columns are others"),
    (("# BLASTN 2.12.0+", "# BLASTN 2.13.0+"), MISMATCH, "not shards of one search"),
    (("# Query: q\n", "# Query: p\n"), MISMATCH, "did not search the same queries"),
    (("# 2 hits found", "# 3 hits found"), DATA, "fewer rows than it says"), (("# 2 hits found", "# 1 hits found"), DATA, "")])
def test_tables_with_comments_that_do_not_fit(tmp_path, change, code, words):
    rows = [("x", "1", 50), ("y", "2", 49)]
    first = commented(rows, change) if "Iteration" in change[1] else commented(rows)
    found_code, error = refused(tmp_path, [first, commented(rows, change)])
    assert found_code == code and words in error, error


def test_hits_that_psiblast_counts_before_the_cut(tmp_path):
    for n_found, has_doubt in ((525, False), (526, True)):
        changes = [("# BLASTN", "# PSIBLAST"), ("# 1 hits found", f"# {n_found} hits found")]
        texts = [commented([(name, evalue, 50)], *changes) for name, evalue in (("x", "1"), ("y", "2"))]
        found = merge(made(tmp_path, texts), "--max-target-seqs", 1)
        check_same(found, commented([("x", "1", 50)], changes[0], ("# 1 hits found", f"# {2 * n_found} hits found")).encode())
        assert any("more hits in all shards" in warning for warning in found.warnings) == has_doubt


def test_tables_in_which_no_part_has_hits(tmp_path):
    none = commented([]).replace("# Fields: query acc.ver, subject acc.ver, evalue, bit score\n", "")
    one = commented([("x", "1", 50)])
    check_same(merge(made(tmp_path, [none, one])), one.encode())
    check_same(merge(made(tmp_path, [none, none])), none.encode())
