# SPDX-License-Identifier: MIT
"""SIGKILL at every system call of a local merge, and at random moments: the destination is what it was before or complete, the
report never comes without the result, and the next run clears away what was left."""
import collections
import json
import os
import random
import signal
import subprocess
import time

import corpus
import oracle
import program
import pytest
from forms import member
from kills import FAULTS, N_KILLS, tell

OLD = b"the old destination"


class Merge:
    """A merge into a folder, to be killed again and again."""

    def __init__(self, folder, children, *options):
        self.paths = program.write_children(folder, children)
        self.text = oracle.merge(children)
        self.options = options
        self.folder = folder / "out"
        self.folder.mkdir()
        self.target = self.folder / "merged.xml.gz"
        self.report = self.folder / "report.json"
        self.has_old = False

    def clear(self, has_old):
        for name in program.only_files(self.folder):
            (self.folder / name).unlink()
        self.has_old = has_old
        if has_old:
            self.target.write_bytes(OLD)

    def start(self, *options, **environment):
        arguments = ["-o", self.target, "--report", self.report, *self.options, *options]
        arguments += ["--force"] if self.has_old else []
        return subprocess.Popen([program.PROGRAM, *map(str, arguments + self.paths)], env=dict(os.environ, **environment),
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def found(self):
        """What there is, in a word; whatever is there must be whole."""
        visible = [name for name in program.only_files(self.folder) if not name.startswith(".")]
        result = self.target.read_bytes() if self.target.name in visible else None
        if result == OLD:
            assert self.has_old and visible == [self.target.name], "a report without its result"
            return "old"
        if result is None:
            assert not self.has_old and not visible, "the old result is gone, or a report is there without its result"
            return "absent"
        assert program.text_of(result) == self.text
        if self.report.name in visible:
            assert json.loads(self.report.read_bytes())["output"]["bytes"] == len(result)
            return "complete"
        return "complete, no report"

    def n_left(self):
        return sum(name.startswith(".") for name in program.only_files(self.folder))

    def finish(self):
        """Done again, it comes to the end, and nothing is left behind."""
        done = program.run("-o", self.target, "--report", self.report, "--force", *self.options, *self.paths)
        assert done.code == 0, done
        assert self.found() == "complete" and self.n_left() == 0


@pytest.fixture(scope="module", name="children")
def make_children():
    assert os.access(FAULTS, os.R_OK), f"{FAULTS} is not there: build the tests"
    return [member(text) for text in corpus.texts(3, 12, seed=3, hits=4)]


# Any: each call of any kind in turn. The others are those that change what is on the disk.
@pytest.mark.parametrize("call", ["any", "write", "fsync", "openat", "renameat2", "unlinkat"])
@pytest.mark.parametrize("has_old", [False, True], ids=["new", "old"])
def test_killed_at_each_call(tmp_path, children, call, has_old):
    merge = Merge(tmp_path, children, "--threads", "1")
    counts, n_left, at = collections.Counter(), 0, 1
    while True:
        merge.clear(has_old)
        process = merge.start(LD_PRELOAD=FAULTS, FAULTS_CALL=call, FAULTS_AT=str(at), FAULTS_ERRNO="kill")
        _, err = process.communicate()
        if process.returncode == 0:
            break
        assert process.returncode == -signal.SIGKILL, err
        counts[merge.found()] += 1
        n_left += merge.n_left()
        merge.finish()
        at += 1
    tell(f"merge, {call}, {'old' if has_old else 'new'} ({n_left} files left and cleared away)", counts)
    assert (at == 1) == (call == "unlinkat" and not has_old)  # what is replaced is removed at the end
    if call == "any":
        assert set(counts) == {"old" if has_old else "absent", "complete", "complete, no report"} and n_left > 0


@pytest.mark.parametrize("has_old", [False, True], ids=["new", "old"])
def test_killed_where_a_rename_cannot_but_replace(tmp_path, children, has_old):
    """Some file systems know no other: then a new file is linked, and the other name is removed; and an old one gets a second name
    before the new one is renamed over it. The kill comes from strace, where that is there and allowed."""
    if subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("strace is not there, or may not trace")
    merge = Merge(tmp_path, children)
    counts = collections.Counter()
    wanted = {"linkat": "old", "renameat": "old"} if has_old else {"linkat": "absent", "unlinkat": "complete, no report"}
    for call, state_wanted in wanted.items():
        for at in (1, 2):  # the result's, the report's
            merge.clear(has_old)
            process = subprocess.run(["strace", "-f", "-o", "/dev/null", "-e", f"trace=renameat2,{call}", "-e",
                                      "inject=renameat2:error=EINVAL", "-e", f"inject={call}:signal=KILL:when={at}",
                                      program.PROGRAM, "-o", merge.target, "--report", merge.report,
                                      *(["--force"] if has_old else []), *merge.paths],
                                     capture_output=True, check=False)
            assert process.returncode in (-signal.SIGKILL, 128 + signal.SIGKILL), process
            state = merge.found()
            assert state == state_wanted or at == 2 and state.startswith("complete")
            counts[state] += 1
            merge.finish()
    tell(f"merge, link, strace, {'old' if has_old else 'new'}", counts)


@pytest.mark.parametrize("has_old", [False, True], ids=["new", "old"])
@pytest.mark.parametrize("size", ["large", "small"])
def test_killed_at_random_moments(tmp_path, children, size, has_old):
    """The large one is in the midst of its merge mostly; the small one may be anywhere."""
    if size == "large":
        children = [member(text) for text in corpus.texts(3, 60, seed=4, hits=40)]
    merge = Merge(tmp_path, children, "--level", "6")
    chance = random.Random(7)
    merge.clear(has_old)
    began = time.monotonic()
    assert merge.start().wait() == 0
    seconds = time.monotonic() - began
    counts, n_left = collections.Counter(), 0
    while sum(counts.values()) < (N_KILLS + 3) // 4:
        merge.clear(has_old)
        process = merge.start()
        time.sleep(chance.uniform(0, 1.1 * seconds))
        process.kill()
        process.communicate()
        state = merge.found()
        counts[state if process.returncode else state + ", and it had ended"] += 1
        n_left += merge.n_left()
        merge.finish()
    tell(f"merge, random moments, {size}, {'old' if has_old else 'new'} ({n_left} files left and cleared away)", counts)
