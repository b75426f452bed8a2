# SPDX-License-Identifier: MIT
"""finalize() from Python: what it returns, what it raises. What is written is looked at in tests/finalize."""
import concurrent.futures
import json
import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "python"), str(ROOT / "tests")]
import blastmerge  # noqa: E402  pylint: disable=wrong-import-position

COUNTS = [4, 3, 4]


@pytest.fixture(name="job")
def make_job(tmp_path):
    for number, count in enumerate(COUNTS, 1):
        place = tmp_path / f"c{number}"
        place.mkdir()
        (place / "merged_results.out.gz").write_bytes((ROOT / "tests" / "data" / f"batch_{number}.xml.gz").read_bytes())
        (place / "merge-report.json").write_text(json.dumps({"outfmt": 5, "queries": count, "warnings": ["ü"]}))
    return {"schema": "blastmerge-finalize-job", "schema_version": 1, "storage_prefix": str(tmp_path), "parent": {"job_id": "p"},
            "expected_child_count": 3, "children": [{"job_id": f"c{number}", "status": "completed"} for number in (1, 2, 3)]}


def test_completed(tmp_path, job):
    outcome = blastmerge.finalize(job, threads=2)
    assert (outcome["status"], outcome["already_merged"], outcome["report"]["queries"]) == ("completed", False, 11)
    assert outcome["report"]["warnings"] == ["ü"]
    assert json.loads((tmp_path / "p" / "split-results-manifest.json").read_bytes())["outputs"] == outcome["outputs"]
    report = blastmerge.check([tmp_path / "p" / "merged_results.out.gz"])
    assert report.iterations == 11
    (tmp_path / "job.json").write_text(json.dumps(job))
    for again in (job, tmp_path / "job.json", str(tmp_path / "job.json")):
        assert blastmerge.finalize(again)["already_merged"] is True


@pytest.mark.parametrize("status, told", [("running", ("running", "split_children_aggregating")),
                                          ("failed", ("failed", "split_children_failed")),
                                          ("deleted", ("cancelled", "split_children_cancelled"))])
def test_answers_are_returned(job, status, told):
    job["children"][1]["status"] = status
    outcome = blastmerge.finalize(job)
    assert (outcome["status"], outcome["phase"]) == told and outcome["ready_for_merge"] is False


def test_files_are_missing(tmp_path, job):
    (tmp_path / "c2" / "merge-report.json").unlink()
    outcome = blastmerge.finalize(job)
    assert outcome["missing_artifacts"] == [{"child_job_id": "c2", "group_id": None, "missing": ["merge-report.json"]}]


def test_errors_are_raised(tmp_path, job):
    (tmp_path / "c2" / "merge-report.json").write_text("{")
    with pytest.raises(blastmerge.DataError, match="^invalid child merge report JSON: c2: ") as raised:
        blastmerge.finalize(job)
    assert raised.value.outcome["error"] == "invalid child merge report JSON: c2"
    assert raised.value.outcome["phase"] == "split_results_merge_invalid"
    (tmp_path / "c2" / "merge-report.json").write_text("{\"outfmt\": 5}")
    whole = (tmp_path / "c3" / "merged_results.out.gz").read_bytes()
    (tmp_path / "c3" / "merged_results.out.gz").write_bytes(whole[:-1000])
    with pytest.raises(blastmerge.DataError) as raised:
        blastmerge.finalize(job)
    assert (raised.value.child, raised.value.outcome["error"]) == (2, "invalid child XML result: c3")
    assert raised.value.text_offset > 0 and raised.value.iterations >= 0
    job["storage_prefix"] = str(tmp_path / "nowhere")
    with pytest.raises(blastmerge.MissingError) as raised:
        blastmerge.finalize(job)
    assert raised.value.outcome["phase"] == "split_results_merge_unavailable"


def test_strict(tmp_path, job):
    (tmp_path / "c2" / "merge-report.json").write_text("{\"outfmt\": 5, \"queries\": 9}")
    with pytest.raises(blastmerge.MismatchError, match="counts 9 queries, and its result holds 3 Iterations"):
        blastmerge.finalize(job, strict=True)
    assert not (tmp_path / "p" / "merged_results.out.gz").exists()
    with pytest.warns(blastmerge.MergeWarning, match="counts 9 queries"):
        assert len(blastmerge.finalize(job)["warnings"]) == 1


def test_what_a_callback_raises(tmp_path, job):
    (tmp_path / "c2" / "merge-report.json").write_text("{\"outfmt\": 5, \"queries\": 9}")

    def refuse(_message):
        raise KeyError("no warnings, please")

    with pytest.raises(KeyError):
        blastmerge.finalize(job, on_warning=refuse)


def test_a_wrong_job(job):
    with pytest.raises(blastmerge.UsageError, match="field schema_version: expected 1, found 2") as raised:
        blastmerge.finalize(dict(job, schema_version=2))
    assert raised.value.outcome is None
    with pytest.raises(blastmerge.UsageError, match="plain"):
        blastmerge.finalize(job, plain=True)
    with pytest.raises(TypeError):
        blastmerge.finalize(job, nonsense=1)
    with pytest.raises(FileNotFoundError):
        blastmerge.finalize("/nonexistent/job.json")


def test_four_threads(job):
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(lambda _: blastmerge.finalize(job), range(8)))
    assert sorted(outcome["already_merged"] for outcome in outcomes) == [False] + [True] * 7


def test_a_description_that_is_no_regular_file(tmp_path):
    """Nobody writes to the FIFO, and nobody waits for that."""
    os.mkfifo(tmp_path / "job.json")
    with pytest.raises(ValueError, match="regular file"):
        blastmerge.finalize(tmp_path / "job.json")
    with pytest.raises(IsADirectoryError):
        blastmerge.finalize(str(tmp_path))
    with pytest.raises(ValueError):
        blastmerge.finalize("job\0.json")
