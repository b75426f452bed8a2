# SPDX-License-Identifier: MIT
"""SIGKILL at every system call of count, plan, part and join, of children and of batches of shards, and calls that fail: what
is there is old or complete, never half, and the same command run again gives the very bytes."""
import errno
import os
import signal

import corpus
import pytest
from forms import member
from kills import FAULTS, tell
from parts import Batches, Steps
from program import DENIED, IO, NO_SPACE, OK, only_files, run, write_children
from shards import made_shard
from shards_run import made

OLD = {"count": b'{"blastmerge_tally":0}\n', "plan": b'{"blastmerge_plan":0}\n', "shards --count": b'{"blastmerge_tally":0}\n'}


@pytest.fixture(scope="module", name="steps")
def make_steps(tmp_path_factory):
    """All steps have been made once; the bytes that each leaves."""
    assert os.access(FAULTS, os.R_OK), f"{FAULTS} is not there: build the tests"
    folder = tmp_path_factory.mktemp("parts")
    steps = Steps(folder / "steps", write_children(folder, [member(text) for text in corpus.texts(3, 9, seed=3, hits=3)]))
    steps.all()
    return steps


@pytest.fixture(scope="module", name="batches")
def make_batches(tmp_path_factory):
    """Two batches of three shards, whose steps have been made once, too."""
    folder = tmp_path_factory.mktemp("batches")
    grid = []
    for batch in (1, 2):
        (folder / str(batch)).mkdir()
        hits = [[[(f"gb|S{shard}_{query}|", "1e-170", 43)] for query in range(4)] for shard in range(3)]
        grid.append(made(folder / str(batch), [made_shard(own, 3, title=f"batch {batch} number") for own in hits]))
    batches = Batches(folder / "steps", grid, "--db", "all")
    assert batches.all() == batches.grid().out
    return batches


def command(steps, batches, name, output):
    parts = [steps.part_file(number) for number in (1, 2, 3)]
    return {"count": ["count", "-t", 1, "-o", output, steps.children[1]],
            "plan": ["plan", "-o", output, *(steps.tally(number) for number in (1, 2, 3))],
            "part": ["part", "-t", 1, "--plan", steps.plan_file, "--number", 2, "-o", output],
            "join": ["join", "--plan", steps.plan_file, "-o", output, *parts],
            "shards --count": ["shards", "--count", "-t", 1, *batches.options, "-o", output, *batches.batches[1]],
            "shards --plan": ["shards", "--plan", batches.plan_file, "--number", 2, "-t", 1, *batches.options, "-o", output,
                              *batches.batches[1]]}[name]


def made_by(steps, batches, name):
    path = {"count": steps.tally(2), "plan": steps.plan_file, "part": steps.part_file(2), "join": steps.result,
            "shards --count": batches.tally(2), "shards --plan": batches.part_file(2)}[name]
    return path.read_bytes()


def faulty(arguments, call, at, kind):
    return run(*arguments, env=dict(os.environ, LD_PRELOAD=FAULTS, FAULTS_CALL=call, FAULTS_AT=str(at), FAULTS_ERRNO=str(kind)))


@pytest.mark.parametrize("name", ["count", "plan", "part", "join", "shards --count", "shards --plan"])
@pytest.mark.parametrize("has_old", [False, True], ids=["new", "old"])
def test_killed_at_each_call(tmp_path, steps, batches, name, has_old):
    whole = made_by(steps, batches, name)
    output = tmp_path / "output"
    arguments = command(steps, batches, name, output)
    old = OLD.get(name, whole[:-1])  # of its own kind, it is replaced; a result is not
    if name == "join" and has_old:
        old, arguments = b"old", [*arguments, "--force"]
    counts, at = {}, 1
    while True:
        for left in only_files(tmp_path):
            (tmp_path / left).unlink()
        if has_old:
            output.write_bytes(old)
        done = faulty(arguments, "any", at, "kill")
        if done.code == OK:
            break
        assert done.code == -signal.SIGKILL, done.err
        found = output.read_bytes() if output.exists() else None
        assert found in (old if has_old else None, whole), f"half a file at call {at}"
        state = "complete" if found == whole else "old" if has_old else "absent"
        counts[state] = counts.get(state, 0) + 1
        if at % 3 == 0:
            again = run(*arguments)
            assert (again.code, output.read_bytes()) == (OK, whole), again.err
            assert only_files(tmp_path) == ["output"]
        at += 1
    tell(f"{name}, {'old' if has_old else 'new'}", counts)
    assert len(counts) == 2


@pytest.mark.parametrize("kind, call, code", [
    (errno.EIO, "write", IO), (errno.ENOSPC, "write", NO_SPACE), (errno.EIO, "fsync", IO), (errno.EACCES, "openat", DENIED),
    (errno.EIO, "pread", IO), ("eintr", "write", OK), ("short", "write", OK), ("eintr", "pread", OK), ("short", "pread", OK),
    ("short", "copy_file_range", OK), (errno.EXDEV, "copy_file_range", OK), (errno.ENOSPC, "copy_file_range", OK),
    (errno.EIO, "copy_file_range", OK)])
def test_calls_that_fail_in_a_join(tmp_path, steps, batches, kind, call, code):
    """Where the system cannot copy, bytes are read and written, which then says what is wrong."""
    whole = made_by(steps, batches, "join")
    output = tmp_path / "output"
    codes = set()
    for at in range(1, 4):
        done = faulty(command(steps, batches, "join", output), call, at, kind)
        assert done.code in (code, OK), done.err
        codes.add(done.code)
        assert output.exists() == (done.code == OK)
        if output.exists():
            assert output.read_bytes() == whole
            output.unlink()
        assert not only_files(tmp_path)
    assert code in codes
