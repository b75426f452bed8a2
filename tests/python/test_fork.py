# SPDX-License-Identifier: MIT
"""Processes that are forked while a merge is under way neither wait for ever nor do anything to the merge."""
import gzip
import multiprocessing
import os
import signal
import sys
import time
import warnings
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "python"))
import blastmerge  # noqa: E402  pylint: disable=wrong-import-position

DATA = ROOT / "tests" / "data"
CHILDREN = [DATA / f"batch_{number}.xml.gz" for number in (1, 2, 3)]
THREADS = [1, 4]

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def expected():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return blastmerge.merged_bytes(CHILDREN * 20)


def ends(pid):
    """The exit status of a process that ends within a time that is long for it; else it is killed."""
    for _ in range(600):
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return status
        time.sleep(0.05)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return "hangs"


def in_fork(work):
    """Does work in a forked process; 0 if it did not raise."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
            os._exit(0)
        except BaseException as error:  # pylint: disable=broad-except
            os.write(2, repr(error).encode())
        finally:
            os._exit(1)
    return ends(pid)


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("n_taken", [1, 2])
def test_a_copied_generator(expected, threads, n_taken):
    merge = blastmerge.iter_merged(CHILDREN * 20, threads=threads)
    pieces = [next(merge) for _ in range(n_taken)]

    def go_on():
        with pytest.raises(blastmerge.UsageError, match="belongs to the process that began it"):
            next(merge)

    assert in_fork(merge.close) == 0
    assert in_fork(go_on) == 0
    assert b"".join(pieces + list(merge)) == expected


def collect(_number):
    global kept  # pylint: disable=global-statement
    kept = None
    return 1


kept = None


@pytest.mark.parametrize("threads", THREADS)
def test_workers_that_collect_it(expected, threads):
    global kept  # pylint: disable=global-statement
    merge = blastmerge.iter_merged(CHILDREN * 20, threads=threads)
    first = next(merge)
    kept = merge
    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert pool.map_async(collect, range(4)).get(60) == [1] * 4
    kept = None
    assert first + b"".join(merge) == expected


class Stop(Exception):
    """Leaves the forked process's merge."""


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("how", ["raise", "exit", "return", "go on"])
def test_a_fork_in_a_childs_iterator(tmp_path, threads, how):
    """The temporary file is the parent's: it is there when the forked process has ended."""
    seen = []

    def chunks():
        data = CHILDREN[1].read_bytes()
        yield data[:1000]
        before = os.listdir(tmp_path)
        pid = os.fork()
        if pid == 0:
            if how == "raise":
                raise Stop
            if how == "exit":
                sys.exit(0)
            if how == "return":
                return
        else:
            seen.append((ends(pid), before, os.listdir(tmp_path)))
        yield data[1000:]

    parent = os.getpid()
    try:
        blastmerge.merge([CHILDREN[0], chunks(), CHILDREN[2]], tmp_path / "merged.xml.gz", threads=threads)
    except BaseException as error:  # pylint: disable=broad-except
        if os.getpid() == parent:
            raise
        wanted = {"raise": Stop, "exit": SystemExit}.get(how, blastmerge.UsageError)
        os._exit(0 if isinstance(error, wanted) else 1)
    finally:
        if os.getpid() != parent:
            os._exit(2)
    (status, before, after), = seen
    assert status == 0
    assert len(before) == 1 and before == after
    assert os.listdir(tmp_path) == ["merged.xml.gz"]
    merged = gzip.decompress((tmp_path / "merged.xml.gz").read_bytes())
    assert merged == gzip.decompress(blastmerge.merged_bytes(CHILDREN))


def test_a_merge_in_a_forked_process():
    """Nothing of an earlier merge is in the way."""
    assert blastmerge.check(CHILDREN).iterations > 0
    assert in_fork(lambda: blastmerge.check(CHILDREN, threads=4)) == 0
