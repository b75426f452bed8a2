# SPDX-License-Identifier: MIT
"""The cases of finalize one by one: states, artifacts, reports, result, manifest, texts."""
import concurrent.futures
import gzip
import json
import os
import random

import parents
import program
import pytest
import small
from parents import MANIFEST, NAMES, NOT_READY, REPORT, RESULT, Parent, report_of, three
from program import DATA, MISMATCH, NOT_FOUND, USAGE

INVALID, UNAVAILABLE = "split_results_merge_invalid", "split_results_merge_unavailable"


def refused(done, code, error, phase=INVALID):
    """The outcome of a failure, of which the detail is returned."""
    assert done.code == code, done
    assert set(done.outcome) == {"parent_job_id", "status", "phase", "error", "detail", "warnings"}
    assert (done.outcome["status"], done.outcome["phase"], done.outcome["error"]) == ("failed", phase, error)
    assert error[:400] in done.err
    return done.outcome["detail"]


# --- states --------------------------------------------------------------------------------------------

def with_states(folder, *states):
    parent = Parent(folder)
    for number, state in enumerate(states):
        parent.add(f"c{number}", small.child("q"), report_of(1), state)
    return parent


@pytest.mark.parametrize("states, expected, code, status, phase", [
    (["queued"], 1, NOT_READY, "running", "split_children_aggregating"),
    (["running", "completed"], 2, NOT_READY, "running", "split_children_aggregating"),
    (["completed", "completed"], 3, NOT_READY, "running", "split_children_aggregating"),
    (["failed", "completed"], 2, DATA, "failed", "split_children_failed"),
    (["cancelled", "running", "failed", "deleted"], 9, DATA, "failed", "split_children_failed"),
    (["cancelled", "completed"], 2, DATA, "cancelled", "split_children_cancelled"),
    (["queued", "deleted"], 5, DATA, "cancelled", "split_children_cancelled"),
])
def test_states(tmp_path, states, expected, code, status, phase):
    parent = with_states(tmp_path, *states)
    parent.expected = expected
    done = parent.finalize()
    names = ["queued", "running", "completed", "failed", "cancelled", "deleted"]
    assert (done.code, done.outcome) == (code, {
        "parent_job_id": "parent-1", "status": status, "phase": phase, "ready_for_merge": False, "child_count": len(states),
        "expected_child_count": expected, "child_states": {name: states.count(name) for name in names}})
    assert done.err.count("\n") == 1 and parent.files() == []


@pytest.mark.parametrize("change, error", [
    ({"expected": -1}, "expected_child_count must be non-negative"),
    ({"more": {"child_limit": 0}}, "child_limit must be positive"),
    ({"more": {"child_limit": -5}}, "child_limit must be positive"),
    ({"more": {"child_limit": 2}}, "split child query may be truncated by child_limit"),
    ({"more": {"child_limit": 1}}, "split child query may be truncated by child_limit"),
    ({"children": [], "expected": 3}, "split parent has no child jobs: parent-1"),
    ({"expected": 1}, "split parent has more child jobs than expected"),
    ({"expected": 0}, "split parent has more child jobs than expected"),
    ({"children": [{"job_id": "a", "status": "lost"}]}, "split child a has unknown status: lost"),
    ({"children": [{"job_id": "a", "status": "Completed"}]}, "split child a has unknown status: Completed"),
    ({"children": [{"group_id": "g", "status": "completed"}]}, "split child state is missing job_id"),
    ({"children": [{"job_id": None, "status": "completed"}]}, "split child state is missing job_id"),
    ({"children": [{"job_id": "", "status": "completed"}]}, "split child state is missing job_id"),
    ({"status": "completed"}, "split parent is completed but parent result artifacts are incomplete"),
])
def test_contradictions(tmp_path, change, error):
    parent = with_states(tmp_path, "completed", "completed")
    for name, value in change.items():
        setattr(parent, name, value)
    assert refused(parent.finalize(), MISMATCH, error) is None
    assert parent.files() == []


def test_the_limit_is_a_thousand(tmp_path):
    parent = Parent(tmp_path, children=[{"job_id": f"c{i}", "status": "queued"} for i in range(999)])
    assert parent.finalize().code == NOT_READY
    parent.children.append({"job_id": "c999", "status": "queued"})
    refused(parent.finalize(), MISMATCH, "split child query may be truncated by child_limit")
    parent.more = {"child_limit": 1001}
    assert parent.finalize().code == NOT_READY


@pytest.mark.parametrize("letter", ["x", "ä", "𝄞"])
def test_long_errors_are_cut(tmp_path, letter):
    before = "split child a has unknown status: "
    for n in (499, 500, 501, 5000):
        parent = Parent(tmp_path, children=[{"job_id": "a", "status": letter * (n - len(before))}])
        error = parent.finalize().outcome["error"]
        whole = before + letter * (n - len(before))
        assert error == (whole if n <= 500 else whole[:497] + "..."), n


# --- artifacts -----------------------------------------------------------------------------------------

@pytest.mark.parametrize("missing", [[(0, RESULT)], [(1, REPORT)], [(2, RESULT), (2, REPORT)],
                                     [(0, REPORT), (1, RESULT), (2, REPORT)]])
def test_missing_artifacts(tmp_path, missing):
    parent = three(tmp_path)
    for child, name in missing:
        (tmp_path / f"child-{child}" / name).unlink()
    done = parent.finalize()
    assert done.code == NOT_READY
    names = {child: [name for other, name in missing if other == child] for child, _ in missing}
    assert done.outcome == {
        "parent_job_id": "parent-1", "status": "running", "phase": "split_results_waiting_for_artifacts",
        "all_artifacts_present": False, "children": [parent.row(child) for child in parent.children],
        "missing_artifacts": [{"child_job_id": f"child-{child}", "group_id": "group", "missing": missing_names}
                              for child, missing_names in names.items()]}
    assert parent.files() == []
    for child, name in missing:
        (tmp_path / f"child-{child}" / name).write_bytes(small.child("q") if name == RESULT else b"{\"outfmt\": 5}")
    assert parent.finalize("-q").code == 0
    parent.check_complete()


def test_a_child_without_a_folder(tmp_path):
    parent = three(tmp_path)
    parent.children.append({"job_id": "child-3", "group_id": None, "status": "completed"})
    assert parent.finalize().outcome["missing_artifacts"] == [
        {"child_job_id": "child-3", "group_id": None, "missing": [RESULT, REPORT]}]


def test_no_storage(tmp_path):
    parent = three(tmp_path)
    parent.more = {"storage_prefix": str(tmp_path / "nowhere")}
    done = parent.finalize()
    assert done.code == NOT_FOUND and done.outcome["phase"] == UNAVAILABLE
    assert "does not exist" in done.outcome["error"]


def test_a_folder_where_a_file_should_be(tmp_path):
    parent = three(tmp_path)
    (tmp_path / "child-1" / RESULT).unlink()
    (tmp_path / "child-1" / RESULT).mkdir()
    done = parent.finalize()
    assert done.code == program.IO and done.outcome["phase"] == UNAVAILABLE and "child-1" in done.err


# --- what is written -----------------------------------------------------------------------------------

@pytest.mark.parametrize("prefix", ["", "2026/11/parent-1/", "dated/"])
@pytest.mark.parametrize("slash", ["", "/"])
def test_complete(tmp_path, prefix, slash):
    parent = three(tmp_path)
    parent.prefix = prefix
    parent.more = {"storage_prefix": str(tmp_path) + slash}
    done = parent.finalize()
    assert (done.code, done.err) == (0, "") and done.out == parents.one_line(done.outcome)
    assert done.outcome == {"parent_job_id": "parent-1", "status": "completed", "phase": "split_results_merged",
                            "already_merged": False, "child_count": 3, "outputs": parent.outputs(),
                            "report": parent.merged_report(), "warnings": []}
    parent.check_complete()


def test_from_a_file_and_from_here(tmp_path):
    parent = three(tmp_path)
    parent.more = {"storage_prefix": "."}
    (tmp_path / "job.json").write_text(json.dumps(parent.job))
    done = program.run("finalize", "job.json", cwd=tmp_path)
    assert done.code == 0, done
    parent.check_complete()


def test_the_order_is_the_given_one(tmp_path):
    parent = three(tmp_path)
    parent.children.reverse()
    done = parent.finalize()
    assert (done.code, done.err) == (0, ""), "names say nothing about the order"
    parent.check_complete()


def test_merge_options(tmp_path):
    parent = three(tmp_path)
    assert parent.finalize("--keep-db", "--level", 9, "--threads", 2).code == 0
    assert b"<BlastOutput_db>nr<" in gzip.decompress(parent.path(RESULT).read_bytes())


def test_again(tmp_path):
    parent = three(tmp_path)
    assert parent.finalize().outcome["already_merged"] is False
    before = {name: (parent.path(name).read_bytes(), parent.path(name).stat().st_mtime_ns) for name in NAMES}
    for child in parent.children:  # not even looked at
        for name in (RESULT, REPORT):
            (tmp_path / child["job_id"] / name).unlink()
    parent.children[0]["status"] = "failed"
    for status in ("", "completed", "running"):
        parent.status = status
        done = parent.finalize()
        assert (done.code, done.err, done.outcome) == (0, "", {
            "parent_job_id": "parent-1", "status": "completed", "phase": "split_results_already_merged",
            "already_merged": True, "outputs": parent.outputs(), "warnings": []})
    assert before == {name: (parent.path(name).read_bytes(), parent.path(name).stat().st_mtime_ns) for name in NAMES}


@pytest.mark.parametrize("left", [[RESULT], [REPORT], [RESULT, REPORT], [MANIFEST], [RESULT, MANIFEST], [REPORT, MANIFEST]])
def test_what_was_left_is_replaced(tmp_path, left):
    parent = three(tmp_path)
    parent.path(RESULT).parent.mkdir()
    for name in left:
        parent.path(name).write_bytes(b"left over")
    assert parent.finalize().outcome["already_merged"] is False
    parent.check_complete()


def test_at_once(tmp_path):
    for turn in range(10):
        folder = tmp_path / str(turn)
        folder.mkdir()
        parent = three(folder)
        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            done = [future.result() for future in [pool.submit(parent.finalize) for _ in range(6)]]
        assert [run.code for run in done] == [0] * 6, done
        assert sorted(run.outcome["already_merged"] for run in done) == [False] + [True] * 5
        parent.check_complete()


def test_denied(tmp_path):
    parent = three(tmp_path)
    tmp_path.chmod(0o555)
    done = parent.finalize(run=program.without_rights)
    tmp_path.chmod(0o755)
    assert done.code == program.DENIED and done.outcome["phase"] == UNAVAILABLE


def test_no_space(tmp_path):
    parent = three(tmp_path)
    parent.path(RESULT).parent.mkdir()
    parent.path(RESULT).symlink_to("/dev/full")
    done = parent.finalize()
    assert done.code == program.NO_SPACE and done.outcome["phase"] == UNAVAILABLE
    assert not parent.path(MANIFEST).exists()


# --- damaged children ----------------------------------------------------------------------------------

@pytest.mark.parametrize("data, reason", [
    (b"", "holds nothing"),
    (gzip.compress(b""), "holds nothing"),
    (small.child("a", "b")[:-20], "cut short"),
    (small.child("a", "b")[:-6] + b"123456", "CRC"),
    (gzip.compress(small.text("a", "b")[:-30]), "after 2 whole Iterations"),
    (gzip.compress(b"<a></a>"), ""),
    (gzip.compress(b"q1\ts1\t99\n"), ""),
])
def test_damaged_results(tmp_path, data, reason):
    parent = three(tmp_path)
    (tmp_path / "child-1" / RESULT).write_bytes(data)
    detail = refused(parent.finalize(), DATA, "invalid child XML result: child-1")
    assert reason in detail and str(tmp_path / "child-1" / RESULT) in detail
    assert parent.files() == []


def test_empty_children(tmp_path):
    parent = three(tmp_path)
    for child in parent.children:
        (tmp_path / child["job_id"] / RESULT).write_bytes(b"")
    done = parent.finalize("--allow-empty")
    assert done.code == DATA and done.outcome["phase"] == INVALID and "all children are empty" in done.outcome["error"]
    (tmp_path / "child-1" / RESULT).write_bytes(small.child("q"))
    assert parent.finalize("--allow-empty", "-q").code == 0


def test_another_program(tmp_path):
    parent = three(tmp_path)
    (tmp_path / "child-2" / RESULT).write_bytes(small.child("q", "r", "s", program="blastx"))
    done = parent.finalize()
    assert done.code == MISMATCH and done.outcome["phase"] == INVALID and parent.files() == []
    done = parent.finalize("--mismatch", "warn")
    assert done.code == 0 and len(done.outcome["warnings"]) == 1 and "blastx" in done.outcome["warnings"][0]
    assert done.warnings == done.outcome["warnings"]


# --- reports -------------------------------------------------------------------------------------------

@pytest.mark.parametrize("data, has_detail, error", [
    (b"", True, "invalid child merge report JSON: child-1"),
    (b"{", True, "invalid child merge report JSON: child-1"),
    (b"{\"a\": \xff}", True, "invalid child merge report JSON: child-1"),
    (b"{} {}", True, "invalid child merge report JSON: child-1"),
    (b"{\"a\": \"" + b"x" * (1 << 20) + b"\"}", True, "invalid child merge report JSON: child-1"),
    (b"[" * 5000, True, "invalid child merge report JSON: child-1"),
    (b"[]", False, "child merge report must be an object: child-1"),
    (b"5", False, "child merge report must be an object: child-1"),
    (b"null", False, "child merge report must be an object: child-1"),
], ids=lambda value: repr(value)[:20])
def test_damaged_reports(tmp_path, data, has_detail, error):
    parent = three(tmp_path)
    (tmp_path / "child-1" / REPORT).write_bytes(data)
    detail = refused(parent.finalize(), DATA, error)
    assert bool(detail) == has_detail and parent.files() == []


def test_a_report_of_a_mebibyte(tmp_path):
    parent = three(tmp_path)
    frame = json.dumps(report_of(1, warnings=["@"]))
    (tmp_path / "child-1" / REPORT).write_text(frame.replace("@", "x" * ((1 << 20) - len(frame) + 1)))
    assert (tmp_path / "child-1" / REPORT).stat().st_size == 1 << 20
    assert parent.finalize().code == 0
    parent.check_complete()


def test_different_formats(tmp_path):
    parent = three(tmp_path)
    (tmp_path / "child-1" / REPORT).write_text("{\"outfmt\": 6}")
    refused(parent.finalize(), MISMATCH, "split child merge reports used different output formats")


def test_different_precision(tmp_path):
    parent = three(tmp_path)
    (tmp_path / "child-2" / REPORT).write_text("{\"outfmt\": \" 5 \", \"precision_level\": \"other\"}")
    refused(parent.finalize(), MISMATCH, "split child merge reports used different precision levels")
    (tmp_path / "child-2" / REPORT).write_text("{\"outfmt\": \"5\\n\"}")
    assert parent.finalize().code == 0


def aggregated(folder, *reports, code=0):
    """The parent's report of these, which are completed to be XML's."""
    parent = Parent(folder)
    for number, report in enumerate(reports):
        parent.add(f"c{number}", small.child(), {"outfmt": 5, **report}, group_id=number)
    done = parent.finalize("-q")
    assert done.code == code, done
    parent.check_complete()
    assert done.outcome["report"] == parent.merged_report()
    return done.outcome["report"]


def test_totals(tmp_path):
    values = [[1, 2.9, 0.4, True, False, "7", None, [3], {"a": 1}, 1.5e3, 0, 12345678901234][(i + k) % 12]
              for k in range(12) for i in range(12)]
    reports = [dict(zip(parents.TOTALS, values[12 * k:12 * k + 12])) for k in range(12)]
    report = aggregated(tmp_path, *reports, {})
    assert report["queries"] == sum([1, 2, 0, True, False, 1500, 12345678901234])
    assert [row["queries"] for row in report["children"]] == [reports[k]["queries"] for k in range(12)] + [0]


@pytest.mark.parametrize("name", ["queries", "num_shards"])
@pytest.mark.parametrize("values", [[2**63 - 1, 1], [2**63 - 1, 2**63 - 1], [1, 2**62, 2**62 - 1 + 2**62],
                                    [1, 1e300], [-1e300], [9.3e18], [2.0**63]])
def test_counts_that_are_too_large(tmp_path, name, values):
    parent = Parent(tmp_path)
    for number, value in enumerate(values):
        parent.add(f"c{number}", small.child(), {"outfmt": 5, name: value})
    done = parent.finalize("-q")
    assert done.code == DATA and done.outcome["phase"] == INVALID and parent.files() == []
    assert f"split child c{len(values) - 1}: " in done.outcome["error"] and name in done.outcome["error"]


def test_the_largest_counts(tmp_path):
    report = aggregated(tmp_path, {"queries": 2**63 - 2, "num_shards": 2**63 - 1}, {"queries": 1, "num_shards": -0.0})
    assert (report["queries"], report["num_shards"]) == (2**63 - 1, 2**63 - 1)


def test_a_limit_of_hits_that_is_too_large(tmp_path):
    parent = Parent(tmp_path).add("c", small.child(), {"outfmt": 5, "max_target_seqs": 1e300})
    assert refused(parent.finalize(), DATA,
                   "split child c: its merge report says max_target_seqs: 1e+300, which is too large for a count") is None


@pytest.mark.parametrize("value, shown", [(-1, "-1"), (-2**63, "-9.22337e+18"), (-0.5, "-0.5"), (-1e300, None)])
@pytest.mark.parametrize("strict", [[], ["--strict"]], ids=str)
def test_negative_counts(tmp_path, value, shown, strict):
    parent = Parent(tmp_path).add("a", small.child(), {"outfmt": 5, "total_output_hits": 7})
    parent.add("b", small.child(), {"outfmt": 5, "total_output_hits": value})
    why = f"{shown}, which is below 0, and no count" if shown else "-1e+300, which is too large for a count"
    assert refused(parent.finalize(*strict), DATA, f"split child b: its merge report says total_output_hits: {why}") is None


@pytest.mark.parametrize("value, shown", [(2.5, "2.5"), (0.5, "0.5")])
def test_counts_with_fractions(tmp_path, value, shown):
    text = f"its merge report says total_output_hits: {shown}, and a count is a whole number"
    for n in (1, 3):
        folder = tmp_path / str(n)
        folder.mkdir()
        parent = Parent(folder).add("a", small.child(), {"outfmt": 5, "total_output_hits": 7.0})
        for i in range(n):
            parent.add(f"b{i}", small.child(), {"outfmt": 5, "total_output_hits": value if i == 0 else 1.5})
        assert refused(parent.finalize("--strict"), MISMATCH, f"split child b0: {text}") is None
        done = parent.finalize()
        more = "" if n == 1 else ", as are 2 more"
        assert (done.code, done.outcome["warnings"]) == (0, [f"split child b0: {text}; it is added without its fraction{more}"])
        parent.check_complete()


def test_max_target_seqs(tmp_path):
    text = "child merge reports used different max_target_seqs values"
    for number, (values, expected, warns) in enumerate([
            ([500, 500, 500], 500, False), ([500, None, 0], 500, False), ([500, -1, 500.7], 500, False),
            ([500, 100, 500], None, True), ([0, None, -3], None, False), (["500", 100], 100, False),
            ([True, 1], 1, False), ([0.5, 2], 2, False)]):
        folder = tmp_path / str(number)
        folder.mkdir()
        report = aggregated(folder, *({} if value is None else {"max_target_seqs": value} for value in values))
        assert (report["max_target_seqs"], text in report["warnings"]) == (expected, warns), values


def test_warnings_are_united(tmp_path):
    text = "child merge reports used different max_target_seqs values"
    report = aggregated(tmp_path, {"warnings": ["b", "a", "b", 5, None, ["c"]]}, {"warnings": "no list"}, {"warnings": None},
                        {"warnings": [text, "", "é", "a"], "max_target_seqs": 1}, {"max_target_seqs": 2})
    assert report["warnings"] == ["b", "a", text, "", "é"]
    assert [row["warnings"] for row in report["children"]] == [["b", "a", "b", 5, None, ["c"]], "no list", None,
                                                               [text, "", "é", "a"], []]


def test_ten_samples(tmp_path):
    first = [{"q": i} for i in range(7)]
    report = aggregated(tmp_path, {"tie_cutoff_queries": first + ["no object", 3, None], "diversity_queries": {"q": 1}},
                        {"tie_cutoff_queries": [[1], {"q": 7}, {"q": 8}, {"q": 9}, {"q": 10}, {"q": 11}],
                         "diversity_queries": [{"d": i} for i in range(40)]})
    assert report["tie_cutoff_queries"] == [{"q": i} for i in range(10)]
    assert report["diversity_queries"] == [{"d": i} for i in range(10)]


def test_reports_at_random(tmp_path):
    chance = random.Random(5)
    values = [0, 1, 7, 3, 2.5, True, None, "x", "5", [], {}, ["w"], [{"q": 1}], [{"q": 2}, "w", "v"], 10**12, "ü", 500]
    names = parents.TOTALS + ["warnings", "tie_cutoff_queries", "diversity_queries", "max_target_seqs", "other"]
    for turn in range(40):
        folder = tmp_path / str(turn)
        folder.mkdir()
        aggregated(folder, *({name: chance.choice(values) for name in names if chance.random() < 0.6}
                             for _ in range(chance.randrange(1, 7))))


# --- queries are counted -------------------------------------------------------------------------------

def test_queries_are_counted(tmp_path):
    parent = three(tmp_path)
    (tmp_path / "child-1" / REPORT).write_text(json.dumps(report_of(4)))
    text = "split child child-1: its merge report counts 4 queries, and its result holds 1 Iterations"
    assert refused(parent.finalize("--strict"), MISMATCH, text) is None
    assert parent.files() == []
    done = parent.finalize()
    assert (done.code, done.outcome["warnings"], done.warnings) == (0, [text], [text])
    parent.check_complete()


@pytest.mark.parametrize("queries", [None, "4", [1]])
def test_reports_that_do_not_count(tmp_path, queries):
    parent = three(tmp_path)
    report = {name: value for name, value in report_of(queries).items() if queries is not None or name != "queries"}
    (tmp_path / "child-1" / REPORT).write_text(json.dumps(report))
    assert parent.finalize("--strict").code == 0


@pytest.mark.parametrize("mismatch", ["error", "ignore"])
def test_psiblast_is_not_counted(tmp_path, mismatch):
    parent = Parent(tmp_path).add("a", small.child("q", "q", "q", program="psiblast"), report_of(1))
    assert parent.finalize("--strict", "--mismatch", mismatch).code == 0
    parent.check_complete()


PSIBLAST_TABLE = (b"# PSIBLAST 2.12.0+\n# Iteration: 1\n# Query: a\n# Database: nr\n# 0 hits found\n" * 2
                  + b"# BLAST processed 2 queries\n")


@pytest.mark.parametrize("table", [b"q\ts" + b"\t1" * 10 + b"\n", b"q,s" + b",1" * 10 + b"\n", PSIBLAST_TABLE])
def test_tables_that_do_not_count(tmp_path, table):
    """-outfmt 6 and 10 do not tell how many queries there were; nor does 7 of PSI-BLAST."""
    parent = Parent(tmp_path).add("a", gzip.compress(table), report_of(1))
    done = parent.finalize("--strict")
    assert done.code == 0, done.err
    assert gzip.decompress(parent.path(RESULT).read_bytes()) == table


# --- the job -------------------------------------------------------------------------------------------

GOOD = {"schema": "blastmerge-finalize-job", "schema_version": 1, "storage_prefix": ".", "parent": {"job_id": "p"},
        "expected_child_count": 1, "children": [{"job_id": "c", "status": "queued"}]}


@pytest.mark.parametrize("path, value, field", [
    ("schema", "other", "schema:"), ("schema", None, "schema:"), ("schema_version", 2, "schema_version:"),
    ("schema_version", "1", "schema_version:"), ("schema_version", None, "schema_version:"),
    ("storage_prefix", None, "storage_prefix:"), ("storage_prefix", 5, "storage_prefix:"),
    ("storage_prefix", "-", "storage_prefix:"), ("storage_prefix", "https://example.org/", "storage_prefix:"),
    ("storage_prefix", "s3://bucket/a*", "storage_prefix:"), ("storage_prefix", "x" * 3000, "storage_prefix:"),
    ("storage_prefix", "HTTPS://example.org/", "storage_prefix:"), ("storage_prefix", "s3://", "storage_prefix:"),
    ("storage_prefix", "S3://", "storage_prefix:"), ("storage_prefix", "gs://", "storage_prefix:"),
    ("storage_prefix", "az://", "storage_prefix:"), ("storage_prefix", "az://acct", "storage_prefix:"),
    ("storage_prefix", "az://acct/", "storage_prefix:"), ("storage_prefix", "s3:///", "storage_prefix:"),
    ("storage_prefix", "s3://bucket/../other", "storage_prefix:"), ("storage_prefix", "az://acct/..", "storage_prefix:"),
    ("storage_prefix", "s3://KEY:SECRET@bucket", "storage_prefix:"),
    ("parent", None, "parent:"), ("parent", [], "parent:"), ("parent.job_id", None, "parent.job_id:"),
    ("parent.job_id", "..", "parent.job_id:"), ("parent.job_id", "a/b", "parent.job_id:"),
    ("parent.job_id", "a\nb", "parent.job_id:"), ("parent.job_id", "x" * 256, "parent.job_id:"),
    ("parent.status", "done", "parent.status:"), ("parent.prefix", "x", "parent.prefix:"),
    ("parent.prefix", "/x/", "parent.prefix:"), ("parent.prefix", "a//b/", "parent.prefix:"),
    ("parent.prefix", "../", "parent.prefix:"), ("parent.prefix", "a/" * 600, "parent.prefix:"),
    ("parent.name", "x", "parent.name:"), ("expected_child_count", None, "expected_child_count:"),
    ("expected_child_count", 1.0, "expected_child_count:"), ("expected_child_count", True, "expected_child_count:"),
    ("child_limit", "9", "child_limit:"), ("child_limit", [], "child_limit:"), ("children", None, "children:"),
    ("children", {}, "children:"), ("children.0", "c", "children[0]:"), ("children.0.job_id", 7, "children[0].job_id:"),
    ("children.0.job_id", ".", "children[0].job_id:"), ("children.0.job_id", "p", "children[0].job_id:"),
    ("children.0.status", None, "children[0].status:"), ("children.0.status", 1, "children[0].status:"),
    ("children.0.group_id", {}, "children[0].group_id:"), ("children.0.limit", 1, "children[0].limit:"),
    ("expected_children", 1, "expected_children:"),
], ids=lambda value: repr(value)[:20])
def test_wrong_fields(tmp_path, path, value, field):
    job = json.loads(json.dumps(GOOD))
    place, names = job, path.split(".")
    for name in names[:-1]:
        place = place[int(name) if name.isdigit() else name]
    name = int(names[-1]) if names[-1].isdigit() else names[-1]
    if value is None:
        del place[name]
    else:
        place[name] = value
    done = program.run("finalize", "-", input=json.dumps(job).encode(), cwd=tmp_path)
    assert (done.code, done.out) == (USAGE, b"") and f"field {field}" in done.err, done
    assert done.err.count("\n") == 1 and os.listdir(tmp_path) == []


@pytest.mark.parametrize("text, error", [
    (b"", "not JSON"), (b"{", "not JSON"), (b"\x1f\x8b", "not JSON"), (b"[]", "expected an object"), (b"7", "not JSON"),
    (b"{\"schema\": 1, \"schema\": 2}", "duplicate"), (b"[" * 100000, "not JSON"), (b" " * (1 << 24) + b" ", "16 MiB"),
    (b"{\"a\\u0000b\": 1}", "not JSON"), (json.dumps(GOOD).encode() + b"x", "not JSON"),
], ids=lambda value: repr(value)[:20])
def test_no_job_at_all(tmp_path, text, error):
    done = program.run("finalize", "-", input=text, cwd=tmp_path)
    assert (done.code, done.out) == (USAGE, b"") and error in done.err, done


def test_a_job_of_16_mebibytes(tmp_path):
    text = json.dumps(GOOD).encode()
    done = program.run("finalize", "-", input=text + b" " * ((1 << 24) - len(text)), cwd=tmp_path)
    assert done.code == NOT_READY, done


def test_no_file():
    assert program.run("finalize", "/nonexistent/job.json").code == NOT_FOUND
