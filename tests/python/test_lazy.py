# SPDX-License-Identifier: MIT
"""Children that are taken only as they are needed."""
import gzip
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "python"), str(ROOT / "tests")]
import blastmerge  # noqa: E402  pylint: disable=wrong-import-position

PATHS = [ROOT / "tests" / "data" / f"batch_{number}.xml.gz" for number in (1, 2, 3)]
CHILDREN = [path.read_bytes() for path in PATHS]


class Store:
    """Downloads, of which it counts those that are open."""

    def __init__(self):
        self.n_open = self.n_most = self.n_asked = self.n_closed = 0

    def download(self, data):
        self.n_open += 1
        self.n_most = max(self.n_most, self.n_open)
        return Download(self, data)

    def chunks(self, data):
        with self.download(data) as download:
            yield from download

    def blobs(self, n, form):
        for number in range(n):
            self.n_asked += 1
            yield form(CHILDREN[number % 3])


class Download:
    def __init__(self, store, data):
        self.store = store
        self.left = [data[start:start + 5000] for start in range(0, len(data), 5000)][::-1]

    def __iter__(self):
        return self

    def __next__(self):
        if not self.left:
            raise StopIteration
        return self.left.pop()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.store.n_open -= 1
        self.store.n_closed += 1


@pytest.mark.parametrize("threads", [1, 2, 8])
@pytest.mark.parametrize("form", ["opened at once", "generator", "function", "named"])
def test_how_many_are_open(threads, form):
    store = Store()
    forms = {"opened at once": store.download, "generator": store.chunks, "function": lambda data: lambda: store.download(data),
             "named": lambda data: ("name", store.download(data))}
    merged = blastmerge.merged_bytes(store.blobs(40, forms[form]), threads=threads)
    assert gzip.decompress(merged) == gzip.decompress(blastmerge.merged_bytes([CHILDREN[i % 3] for i in range(40)]))
    assert 1 <= store.n_most <= 2
    assert store.n_closed == 40 and store.n_open == 0


def test_functions_in_a_list_are_called_in_turn():
    store = Store()
    blastmerge.check([lambda data=data: store.download(data) for data in CHILDREN * 5])
    assert store.n_most == 1 and store.n_closed == 15


def test_given_up_early():
    store = Store()
    merged = blastmerge.iter_merged(store.blobs(40, store.download), level=1)
    next(merged)
    merged.close()
    assert store.n_asked < 20 and store.n_open == 0


@pytest.mark.parametrize("threads", [1, 4])
def test_paths_are_taken_ahead_in_bounds(threads):
    asked = []

    def paths():
        for number in range(30):
            asked.append(number)
            yield PATHS[number % 3]
    seen = []
    report = blastmerge.check(paths(), threads=threads, on_warning=len, on_progress=lambda p: seen.append((p.child, len(asked))))
    assert len(report.children) == 30
    assert all(n_asked <= child + 1 + max(threads, 1) for child, n_asked in seen)


def test_kinds_of_items(tmp_path):
    def items():
        yield PATHS[0]
        yield CHILDREN[1]
        yield lambda: open(PATHS[2], "rb")
        yield lambda: str(PATHS[0])
        yield ("named", iter([CHILDREN[1]]))
        yield memoryview(CHILDREN[2])
        yield lambda: CHILDREN[0]
    report = blastmerge.merge(items(), tmp_path / "merged", on_warning=len)
    assert [child.iterations for child in report.children] == [4, 3, 4, 4, 3, 4, 4]
    assert gzip.decompress((tmp_path / "merged").read_bytes()) == gzip.decompress(
        blastmerge.merged_bytes([CHILDREN[i % 3] for i in range(7)]))


def test_what_needs_all_children_comes_before_anything_is_final(tmp_path):
    with pytest.raises(blastmerge.MismatchError, match="3 children were given, but 4 were expected"):
        blastmerge.merge(iter(PATHS), tmp_path / "merged", expect_children=4)
    with pytest.raises(blastmerge.UsageError, match="no children"):
        blastmerge.merge(iter([]), tmp_path / "merged")
    with pytest.raises(blastmerge.MissingError, match="nothing.gz"):
        blastmerge.merge(iter(PATHS + [tmp_path / "nothing.gz"]), tmp_path / "merged")
    assert os.listdir(tmp_path) == []
    told = []
    blastmerge.check(iter([PATHS[2], PATHS[0], PATHS[2]]), on_warning=told.append)
    assert any("given twice" in text for text in told) and any("natural order" in text for text in told)


def test_the_output_is_a_child(tmp_path):
    for number in range(3):
        (tmp_path / f"c{number}").write_bytes(CHILDREN[number])
    with pytest.raises(blastmerge.UsageError, match="same place"):
        blastmerge.merge((tmp_path / f"c{number}" for number in range(3)), tmp_path / "c2", force=True)
    assert (tmp_path / "c2").read_bytes() == CHILDREN[2] and len(os.listdir(tmp_path)) == 3


def test_salvage_and_natural_order_take_all_at_the_start(tmp_path):
    names = [f"batch_{number}.gz" for number in (10, 9, 2)]
    for name, data in zip(names, CHILDREN):
        (tmp_path / name).write_bytes(data)
    report = blastmerge.check((tmp_path / name for name in names), sort="natural", on_warning=len)
    assert [Path(child.name).name for child in report.children] == names[::-1]
    for items in (iter(PATHS), iter(CHILDREN)):
        assert blastmerge.merge(items, tmp_path / "merged", salvage=True, force=True).iterations == 11
    with pytest.raises(blastmerge.UsageError, match="read twice"):
        blastmerge.merge(iter([iter([CHILDREN[0]])]), tmp_path / "merged", salvage=True, force=True)


def test_an_iterable_that_fails(tmp_path):
    store = Store()

    def children():
        yield store.download(CHILDREN[0])
        yield store.download(CHILDREN[1])
        raise KeyError("mine")
    with pytest.raises(KeyError, match="mine"):
        blastmerge.merge(children(), tmp_path / "merged")
    assert store.n_open == 0 and os.listdir(tmp_path) == []
    with pytest.raises(TypeError, match="child 1: a child must be"):
        blastmerge.merge(iter([CHILDREN[0], 7]), tmp_path / "merged")


def test_many_remote_children():
    """The list of children grows, and moves, while the first answers of others are on their way."""
    sys.path.insert(0, str(ROOT / "tests" / "e2e"))
    from web import Web  # pylint: disable=import-outside-toplevel

    def look(_path):
        time.sleep(0.02)
        return CHILDREN[0]
    with Web(look) as web:
        merged = b"".join(blastmerge.iter_merged(f"{web.url}child_{number}" for number in range(150)))
    assert gzip.decompress(merged) == gzip.decompress(blastmerge.merged_bytes([CHILDREN[0]] * 150))


MEMORY = """
import resource, sys, zlib
sys.path.insert(0, {package!r})
import blastmerge
row = b"q1\\ts1\\t90.0\\t10\\t1\\t0\\t1\\t10\\t1\\t10\\t1e-5\\t50\\n"

def blobs(n):
    for _ in range(n):
        yield bytes(row * 40000)  # 1.4 MB of its own

def peak(n):
    for _ in blastmerge.iter_merged(blobs(n), plain=True):
        pass
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
few = peak(5)
print(peak(60) - few)
"""


def test_memory_is_flat():
    done = subprocess.run([sys.executable, "-c", MEMORY.format(package=str(ROOT / "python"))], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 8 * 1024
