# SPDX-License-Identifier: MIT
"""Exceptions that are raised anywhere in the package's callbacks, and Ctrl-C at any moment: they come through, nothing is
committed, and what was opened is closed. BLASTMERGE_TEST_INTERRUPTS says how many interrupts each way gets."""
import collections
import ctypes
import gc
import gzip
import io
import json
import os
import random
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "python"), str(ROOT / "tests")]
import blastmerge  # noqa: E402  pylint: disable=wrong-import-position
from blastmerge import _job, _lost  # noqa: E402  pylint: disable=wrong-import-position

PACKAGE = str(ROOT / "python" / "blastmerge")
GUARD = _job._Callback.run.__code__  # pylint: disable=protected-access
PATHS = [ROOT / "tests" / "data" / f"batch_{number}.xml.gz" for number in (1, 2, 3)]
CHILDREN = [path.read_bytes() for path in PATHS]
INTERRUPTS = int(os.environ.get("BLASTMERGE_TEST_INTERRUPTS", "60"))


class Mine(BaseException):
    pass


class Opened:
    """Makes generators, and knows how many are open."""

    def __init__(self):
        self.n_begun = self.n_closed = 0

    def chunks(self, data, size=20000):
        self.n_begun += 1
        try:
            for start in range(0, len(data), size):
                yield data[start:start + size]
        finally:
            self.n_closed += 1

    def children(self, datas):
        self.n_begun += 1
        try:
            for data in datas:
                yield self.chunks(data)
        finally:
            self.n_closed += 1


class Tracer:
    """Raises Mine at the n-th event in a callback."""

    def __init__(self, fail_at):
        self.fail_at = fail_at
        self.n_events = 0
        self.depth = 0

    def __call__(self, frame, event, _argument):
        if not frame.f_code.co_filename.startswith(PACKAGE):
            return None
        if not self.is_in_callback(frame):
            return self
        self.n_events += 1
        if self.n_events == self.fail_at:
            raise Mine(event, frame.f_code.co_name, frame.f_lineno)
        return self

    @staticmethod
    def is_in_callback(frame):
        while frame is not None:
            if frame.f_code is GUARD:
                return True
            frame = frame.f_back
        return False


def to_path(opened, folder):
    blastmerge.merge(opened.children(CHILDREN), folder / "merged", report=folder / "report", threads=1, on_warning=len)


def to_path_from_list(opened, folder):
    blastmerge.merge([opened.chunks(data) for data in CHILDREN], folder / "merged", threads=2)


def to_file_object(opened, folder):
    made = io.BytesIO()
    blastmerge.merge([lambda: opened.chunks(CHILDREN[0]), ("name", io.BytesIO(CHILDREN[1]))], made, threads=1)
    (folder / "merged").write_bytes(made.getvalue())


def pieces(opened, folder):
    got = []
    merged = blastmerge.iter_merged(opened.children(CHILDREN[:2]), threads=1)
    try:
        for piece in merged:
            got.append(piece)
    finally:
        merged.close()
        if is_whole(b"".join(got)):
            (folder / "merged").write_bytes(b"".join(got))


def checked(opened, _folder):
    blastmerge.check(opened.children(CHILDREN), threads=1, on_progress=len_of)


def warned(_opened, folder):
    blastmerge.merge([PATHS[0], PATHS[0]], folder / "merged", on_warning=len, on_progress=len_of)


def finalized(_opened, folder):
    for number in (1, 2):
        place = folder / f"c{number}"
        place.mkdir(exist_ok=True)
        (place / "merged_results.out.gz").write_bytes(CHILDREN[number - 1])
        (place / "merge-report.json").write_text(json.dumps({"outfmt": 5, "queries": 4, "warnings": []}))
    blastmerge.finalize({"schema": "blastmerge-finalize-job", "schema_version": 1, "storage_prefix": str(folder),
                         "parent": {"job_id": "merged"}, "expected_child_count": 2,
                         "children": [{"job_id": f"c{number}", "status": "completed"} for number in (1, 2)]}, on_warning=len, threads=1,
                        on_progress=len_of)


def nested(opened, folder):
    inner = blastmerge.iter_merged(opened.children(CHILDREN[:2]), threads=1)
    try:
        blastmerge.merge([inner, CHILDREN[2]], folder / "merged", threads=1)
    finally:
        inner.close()


def len_of(progress):
    assert progress.children >= 0


def is_whole(data):
    try:
        return bool(gzip.decompress(data))
    except (EOFError, OSError):
        return False


def is_committed(folder):
    merged = folder / "merged"
    return any(merged.iterdir()) if merged.is_dir() else merged.exists()


WAYS = [to_path, to_path_from_list, to_file_object, pieces, checked, warned, finalized, nested]


class HookTracer:
    """Raises Mine at the n-th instruction of the functions that put the hook there and take it away."""

    def __init__(self, fail_at):
        self.fail_at = fail_at
        self.n_events = 0

    def __call__(self, frame, event, _argument):
        if frame.f_code.co_filename != _lost.__file__:
            return None
        frame.f_trace_opcodes = True
        self.n_events += 1
        if self.n_events == self.fail_at:
            raise Mine
        return self


def test_raised_at_every_step_around_a_call(tmp_path):
    hook = sys.unraisablehook
    fail_at = n_raised = 0
    while True:
        fail_at += 1
        tracer = HookTracer(fail_at)
        sys.settrace(tracer)
        try:
            blastmerge.merge([iter([CHILDREN[0]])], tmp_path / f"merged{fail_at}", threads=1)
        except Mine:
            n_raised += 1
        finally:
            sys.settrace(None)
        if tracer.n_events < fail_at:
            break
        del tracer
        gc.collect()  # where closing was broken off, too
        assert sys.unraisablehook is hook
        assert not _lost._inside and not _lost._caught  # pylint: disable=protected-access
    assert n_raised == fail_at - 1 > 100


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_raised_at_every_line_of_every_callback(tmp_path, way):
    hook = sys.unraisablehook
    n_files = len(os.listdir("/proc/self/fd"))
    kinds = set()
    fail_at, step = 1, 1
    while True:
        folder = tmp_path / str(fail_at)
        folder.mkdir()
        opened, tracer = Opened(), Tracer(fail_at)
        sys.settrace(tracer)
        try:
            way(opened, folder)
        except Mine as raised:
            kinds.add(raised.args[:2])
        else:
            assert tracer.n_events < fail_at, f"swallowed: event {fail_at}"
            break
        finally:
            sys.settrace(None)
        assert not is_committed(folder), f"committed after event {fail_at}"
        del tracer
        gc.collect()
        assert opened.n_begun == opened.n_closed
        assert len(os.listdir("/proc/self/fd")) == n_files
        assert sys.unraisablehook is hook
        assert not _lost._inside and not _lost._caught  # pylint: disable=protected-access
        if fail_at > 120:  # the same lines over and over
            step = 29
        fail_at += step
    assert is_committed(folder) or way is checked
    assert {("call", "run"), ("line", "run")} <= kinds
    assert way is nested or ("return", "run") in kinds


def test_a_recursion_that_is_too_deep(tmp_path):
    def descend(depth):
        if depth == 0:
            return blastmerge.merge([iter([CHILDREN[0]])], tmp_path / "merged", threads=1)
        return descend(depth - 1)
    n_whole = 0
    n_raised = 0
    hook = sys.unraisablehook
    for depth in range(sys.getrecursionlimit() - 200, sys.getrecursionlimit()):
        try:
            descend(depth)
            (tmp_path / "merged").unlink()
            n_whole += 1
        except (RecursionError, ctypes.ArgumentError):  # in which ctypes wraps it
            assert not (tmp_path / "merged").exists()
            n_raised += 1
            if n_raised == 40:
                break
    assert n_whole > 20 and n_raised == 40
    gc.collect()  # where it was too deep even for closing
    assert os.listdir(tmp_path) == []
    assert sys.unraisablehook is hook and not _lost._inside  # pylint: disable=protected-access


def test_the_hook_passes_on_what_is_not_ours():
    class Broken:
        def __del__(self):
            raise Mine("not ours")
    seen = []
    before, sys.unraisablehook = sys.unraisablehook, seen.append
    try:
        def child():
            broken = Broken()
            del broken
            yield CHILDREN[0]
        blastmerge.check([child()])
        assert [type(unraisable.exc_value) for unraisable in seen] == [Mine]
        assert sys.unraisablehook == seen.append
    finally:
        sys.unraisablehook = before


def test_another_hook_meanwhile(tmp_path):
    """Then the exception is the other hook's; the merge fails all the same, and the other hook stays."""
    seen = []
    before = sys.unraisablehook

    def child():
        sys.unraisablehook = seen.append
        yield CHILDREN[0][:5000]
        sys.settrace(fail_at_call)
        yield CHILDREN[0][5000:]

    def fail_at_call(frame, event, _argument):
        if frame.f_code is GUARD and event == "call":
            raise Mine
    try:
        with pytest.raises(blastmerge.InternalError, match="sys.unraisablehook"):
            blastmerge.merge([child()], tmp_path / "merged", threads=1)
        assert len(seen) == 1 and seen[0].exc_type is Mine and sys.unraisablehook == seen.append
    finally:
        sys.settrace(None)
        sys.unraisablehook = before
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, GeneratorExit, StopIteration, MemoryError, Mine])
def test_every_kind_comes_through(tmp_path, kind):
    def child():
        yield CHILDREN[0][:5000]
        raise kind

    class Child:
        def __iter__(self):
            return self
        chunks = iter([CHILDREN[0][:5000]])

        def __next__(self):
            chunk = next(self.chunks, None)
            if chunk is None:
                raise kind
            return chunk
    expected = RuntimeError if kind is StopIteration else kind  # Python's own, of generators
    with pytest.raises(expected):
        blastmerge.merge([child()], tmp_path / "merged")
    if kind is not StopIteration:  # which is an iterator's end
        with pytest.raises(kind):
            blastmerge.merge([Child()], tmp_path / "merged")
    with pytest.raises(kind):
        blastmerge.merge(PATHS, tmp_path / "merged", on_progress=lambda _: raise_it(kind))
    assert os.listdir(tmp_path) == []


def raise_it(kind):
    raise kind


def test_close_that_raises(tmp_path):
    """All are closed, each once, and the first exception comes through."""
    closed = []

    class Child:
        def __init__(self, number):
            self.number = number
            self.left = [CHILDREN[number]]

        def __iter__(self):
            return self

        def __next__(self):
            if not self.left:
                raise StopIteration
            return self.left.pop()

        def close(self):
            closed.append(self.number)
            raise Mine(self.number)
    with pytest.raises(Mine) as raised:
        blastmerge.merge([Child(0), Child(1), Child(2)], tmp_path / "merged")
    assert raised.value.args == (0,)
    assert sorted(closed) == [0, 1, 2] and os.listdir(tmp_path) == []


# --- Ctrl-C at random moments ---------------------------------------------------------------------------

ROWS = [b"q%d\ts%d\t90.0\t10\t1\t0\t1\t10\t1\t10\t1e-5\t50\n" % (i, i) for i in range(400)]
TABLE = b"".join(ROWS)
PACKED = gzip.compress(TABLE)


def rows_to_path(folder):
    blastmerge.merge([iter(ROWS), iter(ROWS)], folder / "merged", plain=True, force=True)
    return (folder / "merged").read_bytes(), TABLE * 2


def files_to_path(folder):
    blastmerge.merge([folder / "child"] * 40, folder / "merged", plain=True, force=True, on_warning=len)
    return (folder / "merged").read_bytes(), TABLE * 40


def packed_to_file_object(_folder):
    made = io.BytesIO()
    blastmerge.merge([PACKED] * 40, made, plain=True)
    return made.getvalue(), TABLE * 40


def rows_in_pieces(_folder):
    return b"".join(blastmerge.iter_merged((iter(ROWS) for _ in range(2)), plain=True)), TABLE * 2


def finalize(folder):
    place = folder / "merged"
    if place.exists():
        for path in place.iterdir():
            path.unlink()
    finalized(None, folder)
    return gzip.decompress((place / "merged_results.out.gz").read_bytes()), None


@pytest.mark.parametrize("way", [rows_to_path, files_to_path, packed_to_file_object, rows_in_pieces, finalize],
                         ids=lambda way: way.__name__)
def test_interrupted_at_random_moments(tmp_path, way):
    """A run that raises no KeyboardInterrupt has the whole result."""
    (tmp_path / "child").write_bytes(PACKED)
    began = time.monotonic()
    whole, _ = way(tmp_path)
    longest = max(time.monotonic() - began, 0.002) * 1.2
    counts = collections.Counter()
    former = signal.signal(signal.SIGALRM, signal.default_int_handler)
    hook = sys.unraisablehook
    seed = random.randrange(10**9)
    chance = random.Random(seed)
    try:
        for _ in range(INTERRUPTS):
            try:
                signal.setitimer(signal.ITIMER_REAL, chance.random() * longest + 1e-6)
                made, expected = way(tmp_path)
                signal.setitimer(signal.ITIMER_REAL, 0)
                assert made == (whole if expected is None else expected), f"seed {seed}"
                counts["whole"] += 1
            except KeyboardInterrupt:
                counts["KeyboardInterrupt"] += 1
            finally:
                try:
                    signal.setitimer(signal.ITIMER_REAL, 0)
                except KeyboardInterrupt:
                    pass
    finally:
        signal.signal(signal.SIGALRM, former)
    print(way.__name__, dict(counts))
    assert not [name for name in os.listdir(tmp_path) if name.startswith(".")]


def test_other_threads_go_on(tmp_path):
    """One thread's exceptions are not another's."""
    results = []

    def work():
        for _ in range(10):
            results.append(blastmerge.merged_bytes([iter([data]) for data in CHILDREN], threads=1))
    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    n_raised = 0
    for fail_at in range(1, 60):
        sys.settrace(Tracer(fail_at))
        try:
            blastmerge.merge([iter([CHILDREN[0]])], tmp_path / "merged", threads=1)
            (tmp_path / "merged").unlink()
        except Mine:
            n_raised += 1
        finally:
            sys.settrace(None)
    for thread in threads:
        thread.join()
    assert n_raised > 20 and len(results) == 30 and len(set(results)) == 1
