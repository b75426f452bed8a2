# SPDX-License-Identifier: MIT
"""MultiQC (Debian's) reads the reports whose names end in _mqc.json: all their rows, and no name becomes markup."""
import gzip
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "e2e")]
import documents  # noqa: E402  pylint: disable=wrong-import-position
import page  # noqa: E402  pylint: disable=wrong-import-position
import program  # noqa: E402  pylint: disable=wrong-import-position

COUNTS = ("documents", "iterations", "hits", "hsps", "compressed_bytes", "text_bytes")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A check with faults, of hostile names; a merge of children that have one name, in several folders; and what MultiQC makes of these."""
    if shutil.which("multiqc") is None:
        if os.environ.get("CI"):
            pytest.fail("multiqc is missing (apt install multiqc)")
        pytest.skip("multiqc is missing (apt install multiqc): NOTHING IS PROVED WITH IT")
    top = tmp_path_factory.mktemp("runs")
    made = documents.queries(documents.dice(1), 60, nameless=0)
    hostile, same = [], []
    for number, name in enumerate(page.HOSTILE):
        path = top / "a" / str(number) / name
        path.parent.mkdir(parents=True)
        part = gzip.compress(documents.document("xml", made[number:number + 1]))
        path.write_bytes(part[:-40] if number in (3, 8) else part)
        hostile.append(path)
        path = top / "b" / f"{number:02}" / "child.xml.gz"
        path.parent.mkdir(parents=True)
        path.write_bytes(gzip.compress(documents.document("xml", made[number:number + 1])))
        same.append(path)
    (top / "reports").mkdir()
    for report in ("check_mqc.json", "check.json"):
        done = program.run("check", "--sort", "none", "--report", top / "reports" / report, *hostile)
        assert done.code == program.DATA, done.err
    for report in ("merge_mqc.json", "merge.json"):
        done = program.run("-f", "-o", top / "merged.xml.gz", "--report", top / "reports" / report, *same)
        assert done.code == 0, done.err
    subprocess.run(["multiqc", "--no-ansi", "-f", "-o", top / "out", top / "reports"], cwd=top, check=True, timeout=300)
    return top


@pytest.mark.parametrize("name", ["check", "merge"])
def test_rows(folder, name):
    """All children are in its table, with the report's counts."""
    lines = (folder / "out" / "multiqc_data" / f"multiqc_blastmerge_{name}.txt").read_text().splitlines()
    report = json.loads((folder / "reports" / f"{name}.json").read_bytes())
    columns = lines[0].split("\t")
    assert columns == ["Sample", "status", *COUNTS]
    rows = [dict(zip(columns, line.split("\t"))) for line in lines[1:]]
    assert len(rows) == len(report["children"]) == len(page.HOSTILE)
    rows.sort(key=lambda row: int(row["Sample"].split(" ")[0]))
    assert [row["status"] for row in rows] == [child["status"] for child in report["children"]]
    for count in COUNTS:
        assert [float(row[count]) for row in rows] == [child[count] for child in report["children"]], count


def test_page(folder):
    """Its page shows the sections, and nothing of the names is markup there."""
    text = (folder / "out" / "multiqc_report.html").read_text()
    assert "blastmerge: check" in text and "blastmerge: merge" in text and "every check passed" in text
    assert "<script>document.title=" not in text and "onerror=document.title" not in text.replace("_img src=x onerror=document.title", "")
    colours = dict(re.findall(r"""class="badge" style="background-color:(#[0-9a-f]+)">([a-z]+)<""", text))
    assert len(colours) == 2 and "ok" in colours.values(), colours  # what is whole has another colour than what is not
