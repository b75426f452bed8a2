# SPDX-License-Identifier: MIT
"""Each merge of the golden cases, in parts: the same bytes, or the same exit code."""
import subprocess
import sys

from program import PROGRAM, ROOT


def test_golden_cases_in_parts(tmp_path):
    log = tmp_path / "log"
    wrapper = tmp_path / "blastmerge"
    wrapper.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{ROOT}/tests/e2e/in_parts.py" "{PROGRAM}" "{log}" "$@"\n', encoding="utf-8")
    wrapper.chmod(0o755)
    cases = ["archives", "compressed", "damaged", "database", "empty", "invalid-utf8", "mismatch", "numbers", "order", "output", "plain", "unsplit"]
    done = subprocess.run([ROOT / "tests" / "golden" / "run", wrapper, *cases], capture_output=True, text=True, check=False)
    lines = log.read_text(encoding="utf-8").splitlines()
    differ = [line for line in lines if not line.startswith("alike ")]
    print(f"{len(lines)} merges in parts")
    assert not differ, "\n".join(differ)
    assert len(lines) > 60
    assert done.returncode == 0, done.stdout
