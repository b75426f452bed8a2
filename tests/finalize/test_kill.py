# SPDX-License-Identifier: MIT
"""SIGKILL at every system call, and at random moments: afterwards all is there, or it can be done again; there is never a
manifest without what it names. How many random moments: e2e/kills.py."""
import collections
import errno
import json
import os
import random
import signal
import subprocess
import time

import parents
import program
import pytest
import small
from kills import FAULTS, N_KILLS, tell
from parents import MANIFEST, NAMES, REPORT, RESULT, Parent, report_of, three


def start(parent, *options, **environment):
    """The program at work on the parent."""
    job = parent.folder / "job.json"
    if not job.exists():
        job.write_text(json.dumps(parent.job))
    return subprocess.Popen([program.PROGRAM, "finalize", *options, job], env=dict(os.environ, **environment),
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def found(parent, text):
    """What there is, in a word; whatever is there must be whole."""
    files = [name for name in parent.files() if not name.startswith(".")]
    assert set(files) <= set(NAMES)
    if MANIFEST in files:
        assert len(files) == 3, "a manifest without what it names"
        json.loads(parent.path(MANIFEST).read_bytes())
    if RESULT in files:
        assert program.text_of(parent.path(RESULT).read_bytes()) == text
    if REPORT in files:
        assert parent.path(REPORT).read_bytes() == parents.one_line(parent.merged_report())
    return "all" if MANIFEST in files else "+".join(sorted(files)) or "nothing"


def clear(parent):
    for name in parent.files():
        parent.path(name).unlink()
    if parent.path(RESULT).parent.exists():
        parent.path(RESULT).parent.rmdir()


def finish(parent, was_all, text):
    """Done again, it comes to the end, and nothing is left behind."""
    done = parent.finalize()
    assert done.code == 0 and done.outcome["already_merged"] == was_all, done
    assert found(parent, text) == "all" and parent.files() == sorted(NAMES)


@pytest.fixture(autouse=True)
def need_faults():
    assert os.access(FAULTS, os.R_OK), f"{FAULTS} is not there: build the tests"


# Any: each call of any kind in turn. The others are those that change what is on the disk.
@pytest.mark.parametrize("call", ["any", "write", "fsync", "open", "close", "mkdir", "openat", "renameat2"])
@pytest.mark.parametrize("left", ["nothing", "something"])
def test_killed_at_each_call(tmp_path, call, left):
    parent = three(tmp_path)
    text = parent.merged_text()
    counts, at = collections.Counter(), 1
    while True:
        clear(parent)
        if left == "something":
            parent.path(RESULT).parent.mkdir()
            parent.path(RESULT).write_bytes((tmp_path / "child-0" / RESULT).read_bytes())
            old = parent.path(RESULT).read_bytes()
        process = start(parent, "--threads", "1", LD_PRELOAD=FAULTS, FAULTS_CALL=call, FAULTS_AT=str(at), FAULTS_ERRNO="kill")
        process.communicate()
        if process.returncode == 0:
            break
        assert process.returncode == -signal.SIGKILL
        if left == "something" and parent.path(RESULT).read_bytes() == old:
            assert [name for name in parent.files() if not name.startswith(".")] == [RESULT]
            counts["what was there before"] += 1
            was_all = False
            assert parent.finalize().outcome["already_merged"] is False
            parent.check_complete()
        else:
            state = found(parent, text)
            counts[state] += 1
            was_all = state == "all"
            finish(parent, was_all, text)
        at += 1
    tell(f"{call}, {left} was there", counts)
    assert at > 1 or (call, left) == ("mkdir", "something")
    if call == "any":
        wanted = {"what was there before" if left == "something" else "nothing", RESULT, "+".join(sorted([RESULT, REPORT])), "all"}
        assert set(counts) == wanted


def test_without_a_rename_that_does_not_replace(tmp_path):
    """Some file systems know none: then it is a link. The preloaded library is not in the way of two faults at once, so that the
    kill comes from strace, where that is there and allowed."""
    parent = three(tmp_path)
    text = parent.merged_text()
    counts = collections.Counter()
    job = tmp_path / "job.json"
    job.write_text(json.dumps(parent.job))
    if subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("strace is not there, or may not trace")
    for call in ("linkat", "unlinkat", "renameat"):
        clear(parent)
        done = subprocess.run(["strace", "-f", "-o", "/dev/null", "-e", "trace=renameat2," + call, "-e", "inject=renameat2:error=EINVAL",
                               "-e", f"inject={call}:signal=KILL", program.PROGRAM, "finalize", job], capture_output=True,
                              check=False)
        state = found(parent, text)
        assert done.returncode in (0, -signal.SIGKILL, 128 + signal.SIGKILL)
        if done.returncode != 0:
            counts[state] += 1
        done = parent.finalize()
        assert done.code == 0 and found(parent, text) == "all"
    assert sum(counts.values()) >= 2, "a link, and the end of the other name"
    tell("link, strace", counts)


@pytest.mark.parametrize("call, failure", [("write", errno.ENOSPC), ("fsync", errno.EIO), ("open", errno.EMFILE),
                                           ("openat", errno.EMFILE), ("renameat2", errno.EIO), ("mkdir", errno.EROFS),
                                           ("read", errno.EIO)])
def test_each_call_fails(tmp_path, call, failure):
    parent = three(tmp_path)
    text = parent.merged_text()
    count = tmp_path / "count"
    counts, at, n_calls = collections.Counter(), 1, 1
    while at <= n_calls:
        clear(parent)
        process = start(parent, LD_PRELOAD=FAULTS, FAULTS_CALL=call, FAULTS_AT=str(at), FAULTS_ERRNO=str(failure),
                        FAULTS_COUNT=str(count))
        out, err = process.communicate()
        n_calls = int(count.read_text())
        state = found(parent, text)
        assert all(not name.startswith(".") for name in parent.files()), "something is left behind"
        if process.returncode != 0:
            counts[state] += 1
            assert err.startswith(b"blastmerge: ") and os.strerror(failure).encode() in err, err
            assert not out or json.loads(out)["phase"] == "split_results_merge_unavailable"
        else:
            assert state == "all", "a failure that hurts nobody"
        finish(parent, state == "all", text)
        at += 1
    assert sum(counts.values()) > 0, f"none of {n_calls} calls is of any use"


def random_parent(folder):
    """Children of some MiB, whose merge takes a while."""
    chance = random.Random(1)
    parent = Parent(folder)
    for number in range(4):
        queries = [f"{number}.{i} " + chance.randbytes(300).hex() for i in range(3000)]
        parent.add(f"child-{number}", small.child(*queries), report_of(3000))
    return parent


@pytest.mark.parametrize("size", ["large", "small"])
def test_killed_at_random_moments(tmp_path, size):
    """The large one is in the midst of its merge mostly; the small one may be anywhere."""
    parent = random_parent(tmp_path) if size == "large" else three(tmp_path)
    text = parent.merged_text()
    chance = random.Random(7)
    began = time.monotonic()
    assert parent.finalize("--level", "6").code == 0
    seconds = time.monotonic() - began
    counts = collections.Counter()
    while sum(counts.values()) < (N_KILLS + 1) // 2:
        clear(parent)
        process = start(parent, "--level", "6")
        time.sleep(chance.uniform(0, 1.1 * seconds))
        process.kill()
        process.communicate()
        state = found(parent, text)
        counts[state if process.returncode else "all, and it had ended"] += 1
        finish(parent, state == "all", text)
    tell(f"random moments, {size}", counts)


def test_killed_while_another_is_at_work(tmp_path):
    parent = random_parent(tmp_path)
    text = parent.merged_text()
    chance = random.Random(8)
    counts = collections.Counter()
    for _ in range(max(4, N_KILLS // 6)):
        clear(parent)
        processes = [start(parent) for _ in range(3)]
        time.sleep(chance.uniform(0, 0.2))
        processes[0].kill()
        outcomes = [process.communicate()[0] for process in processes]
        assert [process.returncode for process in processes[1:]] == [0, 0]
        merged = [json.loads(outcome)["already_merged"] for outcome in outcomes if outcome]
        counts[f"{merged.count(False)} of {len(merged)} that ended had merged"] += 1
        # What the killed one had begun may lie there, hidden: the others had looked for left-overs before.
        assert parent.finalize().outcome["already_merged"] is True and found(parent, text) == "all"
        assert len(parent.files()) <= 4
    tell("one of three killed", counts)
