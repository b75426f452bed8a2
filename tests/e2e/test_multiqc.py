# SPDX-License-Identifier: MIT
"""A report whose name ends in _mqc.json is for MultiQC: its fields are those of custom content, its rows those of the report."""
import gzip
import json
import re

import documents
import page
import program
import pytest

COUNTS = ("documents", "iterations", "hits", "hsps", "compressed_bytes", "text_bytes")


def both(folder, command, paths, *more, name="run 7_mqc.json"):
    """MultiQC's form and the report, of two runs."""
    read = []
    for report in (folder / name, folder / "report.json"):
        out = [] if command == "check" else ["-o", folder / "merged.gz", "--force"]
        done = program.run(command, *out, "--report", report, *more, *paths)
        read.append(json.loads(report.read_bytes()))
        report.unlink()
    return done, *read


def compare(shown, report):
    assert [row["status"] for row in shown["data"].values()] == [child["status"] for child in report["children"]]
    assert len(shown["data"]) == report["totals"]["children"]
    for row, child in zip(shown["data"].values(), report["children"]):
        assert list(row) == ["status", *COUNTS] == list(shown["headers"])
        assert [row[name] for name in COUNTS] == [child[name] for name in COUNTS]
    for name in COUNTS:  # a check counts faulty children in their rows alone
        rows = [row for row in shown["data"].values() if row["status"] in ("ok", "salvaged")]
        assert sum(row[name] for row in rows) == report["totals"][name], name


@pytest.mark.parametrize("form", documents.FORMATS)
def test_fields(tmp_path, form):
    made = documents.queries(documents.dice(form), 30, nameless=0)
    paths = program.write_children(tmp_path, [gzip.compress(documents.document(form, made[at:at + 6])) for at in range(0, 30, 6)])
    for command in ("merge", "check"):
        done, shown, report = both(tmp_path, command, paths, "--format", form)
        assert done.code == 0, done.err
        compare(shown, report)
        assert shown["id"] == shown["pconfig"]["id"] == "blastmerge_run_7" and shown["section_name"] == shown["pconfig"]["title"] == "blastmerge: run 7"
        assert shown["plot_type"] == "table" and shown["pconfig"]["namespace"] == "blastmerge"
        assert shown["description"].startswith(f"{command} of 5 children by blastmerge ") and shown["description"].endswith(": every check passed")
        assert all(column["title"] and column["description"] for column in shown["headers"].values())
        assert list(shown["data"]) == [f"{number} {path.name}" for number, path in enumerate(paths, 1)]


def test_faults(tmp_path):
    made = documents.queries(documents.dice(1), 30, nameless=0)
    children = [gzip.compress(documents.document("xml", made[at:at + 6])) for at in range(0, 30, 6)]
    children[1] = children[1][:-400]
    paths = program.write_children(tmp_path, children)
    done, shown, report = both(tmp_path, "check", [*paths, tmp_path / "absent"])
    assert done.code == program.DATA
    compare(shown, report)
    rules = shown["headers"]["status"]["cond_formatting_rules"]
    words = {kind: [rule["s_eq"] for rule in rules[kind]] for kind in rules}
    assert words["pass"] == ["ok"] and words["warn"] == ["salvaged"]
    assert {row["status"] for row in shown["data"].values()} - {"ok"} == {"damaged", "not found"} <= set(words["fail"])
    assert "cut short" in shown["description"]
    done, shown, report = both(tmp_path, "merge", paths, "--salvage")
    assert [row["status"] for row in shown["data"].values()] == ["ok", "salvaged", "ok", "ok", "ok"]
    compare(shown, report)
    # a merge that fails leaves none
    done = program.run("--report", tmp_path / "x_mqc.json", "-o", tmp_path / "x.gz", *paths)
    assert done.code == program.DATA and not (tmp_path / "x_mqc.json").exists()


def test_shards(tmp_path):
    made = documents.queries(documents.dice(3), 8, nameless=0, hitless=0)
    paths = program.write_children(tmp_path, [documents.document("tabular", made)] * 2)
    done, shown, report = both(tmp_path, "shards", paths)
    assert done.code == 0, done.err
    assert [row["hsps"] for row in shown["data"].values()] == [child["hsps"] for child in report["children"]] and len(shown["data"]) == 2


def test_names(tmp_path):
    """MultiQC makes markup of names, and the same name of names that differ in their folder or behind an ending."""
    made = documents.queries(documents.dice(4), 4, nameless=0)
    paths = []
    for number, name in enumerate([*page.HOSTILE, "same.xml.gz", "same.xml"]):
        path = tmp_path / str(number) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(documents.document("xml", made))
        paths.append(path)
    done, shown, report = both(tmp_path, "check", paths, "--sort", "none", "--db", "x", name="<b>&_mqc.json")
    compare(shown, report)
    assert not re.search("[<>&\"']", "".join([*shown["data"], shown["id"], shown["section_name"], shown["description"]]))
    assert all(key.startswith(f"{number} ") and "/" not in key for number, key in enumerate(shown["data"], 1))
    assert list(shown["data"])[-2:] == [f"{len(paths) - 1} same.xml.gz", f"{len(paths)} same.xml"]
    assert shown["id"] == "blastmerge__b__"
