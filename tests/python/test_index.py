# SPDX-License-Identifier: MIT
"""Indexes: index(), get(), open()."""
import ctypes
import gzip
import re
import sqlite3
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "python"))
sys.path.insert(0, str(ROOT / "tests"))
import blastmerge  # noqa: E402  pylint: disable=wrong-import-position
import corpus  # noqa: E402  pylint: disable=wrong-import-position
import corpus_formats  # noqa: E402  pylint: disable=wrong-import-position
from blastmerge import _job, _library  # noqa: E402  pylint: disable=wrong-import-position

WHOLE = ROOT / "tests" / "data" / "whole.xml.gz"
TEXT = gzip.decompress(WHOLE.read_bytes())
PARTS = re.findall(rb"<Iteration>.*?</Iteration>", TEXT, re.DOTALL)
NAMES = [re.search(rb"query-def>(\S+)", part)[1].decode() for part in PARTS]


def document(*numbers):
    return TEXT[:TEXT.index(b"<Iteration>")] + b"\n".join(PARTS[i - 1] for i in numbers) + TEXT[TEXT.rindex(b"</Iteration>") + 12:]


@pytest.fixture
def path(tmp_path):
    copy = tmp_path / "whole.xml.gz"
    copy.write_bytes(WHOLE.read_bytes())
    return copy


@pytest.fixture
def result(path):
    report = blastmerge.index(path)
    assert (report.iterations, report.hits) == (11, 49)
    return blastmerge.open(path)


def test_items(result):
    assert result[NAMES[4]] == result["Query_5"] == result[5] == document(5)
    assert result.get([NAMES[2], "Query_9"], numbers="1") == document(1, 3, 9)
    assert result.get(numbers="1-") == TEXT
    assert b"<Iteration_iter-num>1<" in result.get("Query_5", renumber=True)


def test_memory_that_does_not_suffice(path):
    with pytest.raises(MemoryError, match="at least 16 MiB are needed"):
        blastmerge.merged_bytes([path], memory_limit=1)


def test_iteration(result):
    queries = list(result)
    assert len(result) == len(queries) == 11
    assert [query.name for query in queries] == NAMES
    assert [query.number for query in queries] == list(range(1, 12))
    assert all(query.id == f"Query_{query.number}" for query in queries)
    assert sum(query.hits for query in queries) == 49
    assert (queries[0].length, queries[0].hsps, queries[0].evalue) == (57, 1, 4.00894e-39)
    assert (queries[1].hits, queries[1].evalue) == (0, None)
    assert result[queries[6]] == document(7)
    assert result.find([NAMES[3]]) == [queries[3]]


def test_iteration_reads_once(path):
    """One job lists all queries. Without an index, the result is read for the count and once more, and no more often."""
    with pytest.warns(blastmerge.MergeWarning, match="has no index") as warned:
        assert [query.number for query in blastmerge.open(path)] == list(range(1, 12))
    assert len(warned) == 2
    blastmerge.index(path)
    result = blastmerge.open(path)
    one, other = iter(result), iter(result)  # each is on its own
    assert [next(one).number, next(one).number, next(other).number, next(one).number] == [1, 2, 1, 3]
    one.close()
    with pytest.raises(StopIteration):
        next(one)
    assert next(other).number == 2 and len(list(other)) == 9


def test_iteration_of_a_damaged_index(path):
    """A row that is missing, or more than one, is an error, after all rows before it."""
    for statement, n in ("DELETE FROM iteration WHERE number = 5", 4), ("DELETE FROM iteration WHERE number = 11", 10), (
            "UPDATE iteration SET number = 12 WHERE number = 7", 6):
        blastmerge.index(path, force=True)
        with sqlite3.connect(f"{path}.bmi") as database:
            database.execute(statement)
        got = []
        with pytest.raises(blastmerge.DataError, match="index is damaged"):
            for query in blastmerge.open(path):
                got.append(query.number)
        assert got == list(range(1, n + 1)), statement


def test_iteration_in_c(path):
    """blastmerge_next_query() after the end, after an error, and within a callback."""
    blastmerge.index(path)
    query = ctypes.POINTER(_library.Query)()
    with _job.Job() as job:
        job.open([path], {}, None)
        assert [one.number for one in job.queries(_job.Wanted(numbers="2,9"))] == [2, 9]
        assert _job.C.blastmerge_next_query(job.handle, None, ctypes.byref(query)) == 0 and not query
    with _job.Job() as job:
        job.open([path], {}, None)
        with pytest.raises(blastmerge.MissingError):
            list(job.queries(_job.Wanted(queries=["nobody"])))
        with pytest.raises(blastmerge.MissingError):
            list(job.queries(_job.Wanted()))
    with _job.Job() as job:
        job.open([path], {}, None)
        assert next(job.queries(_job.Wanted())).number == 1
        _job.C.blastmerge_cancel(job.handle)
        with pytest.raises(blastmerge.CancelledError):
            next(job.queries(_job.Wanted()))
    Path(f"{path}.bmi").unlink()
    refused = []

    def warn(_message):
        refused.append(_job.C.blastmerge_next_query(job.handle, None, ctypes.byref(query)))
        raise RuntimeError("stop")
    with _job.Job() as job:
        job.open([path], {"on_warning": warn}, None)
        with pytest.raises(RuntimeError):
            list(job.queries(_job.Wanted()))
    assert refused == [2] and not query


def test_missing(result):
    assert NAMES[0] in result and "nobody" not in result and 5 not in result and "" not in result
    for absent in "nobody", 12, 0:
        with pytest.raises((KeyError, blastmerge.UsageError)):
            result[absent]
    with pytest.raises(blastmerge.MissingError, match=f"no query {re.escape(NAMES[0][:-1])} .the nearest is {re.escape(NAMES[0])}"):
        result.get(NAMES[0][:-1])
    for wrong in (b"bytes", 1.5, None, True):
        with pytest.raises(TypeError):
            result[wrong]
    with pytest.raises(ValueError):
        result["x\0"]


@pytest.mark.parametrize("way", [{}, {"level": 6}, {"bgzf": True}], ids=["spliced", "packed", "bgzf"])
@pytest.mark.parametrize("name", ["xml", "json", "commented", "tabular"])
def test_restart_points_of_a_merge(tmp_path, monkeypatch, name, way):
    """Those that are made while the result is written: the same as those of the index of the result where bits are copied; all are right
    ones, as each Iteration's CRC-32 is compared."""
    def set_index(job):
        made = _library.IndexOptions()
        _job.C.blastmerge_index_options_init(ctypes.byref(made), ctypes.sizeof(made))
        made.restart_distance = 65536
        job._call(_job.C.blastmerge_set_index, job.handle, ctypes.byref(made))
    monkeypatch.setattr(_job.Job, "set_index", set_index)

    def restarts():
        with sqlite3.connect(tmp_path / "merged.gz.bmi") as database:
            return database.execute("SELECT * FROM restart").fetchall()
    children = []
    for i, text in enumerate(corpus.texts(5, 30, 7, hits=40)):
        children.append(tmp_path / f"child_{i}.gz")
        text = text if name == "xml" else corpus_formats.converted(name, text)
        children[-1].write_bytes(gzip.compress(text, i + 1) if i < 4 else gzip.compress(text[:9999]) + gzip.compress(text[9999:], 9))
    for n_threads in 1, 3:
        blastmerge.merge(children, tmp_path / "merged.gz", index=True, force=True, format=name, threads=n_threads, **way)
        written = restarts()
        result = blastmerge.open(tmp_path / "merged.gz")
        text = gzip.decompress((tmp_path / "merged.gz").read_bytes())
        assert result.get(numbers="1-") == text
        for query in list(result)[::9]:
            assert result[query]
        assert len(written) > 1 and max(after[0] - before[0] for before, after in zip(written, written[1:])) < 600000
        blastmerge.index(tmp_path / "merged.gz", restart_distance=65536)
        assert way or restarts() == written


def test_get(path, tmp_path):
    with pytest.warns(blastmerge.MergeWarning, match="has no index"):
        assert blastmerge.get(path, NAMES[1]) == document(2)
    blastmerge.index(path, index_file=tmp_path / "elsewhere", definitions=True, restart_distance=1 << 20)
    report = blastmerge.get(path, [NAMES[1]], tmp_path / "out.xml.gz", index_file=tmp_path / "elsewhere")
    assert report.iterations == 1 and gzip.decompress((tmp_path / "out.xml.gz").read_bytes()) == document(2)
    (tmp_path / "names").write_text(f"{NAMES[7]}\n", encoding="utf-8")
    assert blastmerge.get(path, queries_from=tmp_path / "names", index_file=tmp_path / "elsewhere") == document(8)
    with pytest.raises(blastmerge.UsageError):
        blastmerge.get(path)


def test_of_bytes(tmp_path):
    """A result in memory has no place for an index but a given one."""
    with pytest.raises(blastmerge.UsageError):
        blastmerge.index(WHOLE.read_bytes())
    blastmerge.index(WHOLE.read_bytes(), index_file=tmp_path / "index")
    assert blastmerge.open(WHOLE.read_bytes(), index_file=tmp_path / "index")["Query_3"] == document(3)


def test_open(path, tmp_path):
    with pytest.raises(blastmerge.MissingError):
        blastmerge.open(tmp_path / "absent")
    with pytest.raises(blastmerge.UsageError):
        blastmerge.index(iter([TEXT]), index_file=tmp_path / "x")
    blastmerge.index(path)
    Path(f"{path}.bmi").write_bytes(b"damaged")
    with pytest.raises(blastmerge.DataError):
        blastmerge.open(path)
    with pytest.raises(blastmerge.ExistsError):
        blastmerge.index(path)
    blastmerge.index(path, force=True)
    assert len(blastmerge.open(path)) == 11
    with blastmerge.open(path) as result:
        assert len(list(result)) == 11
    with pytest.raises(KeyError), result:
        result["absent"]  # pylint: disable=pointless-statement


def test_cancel(path):
    """What a callback raises ends it, and nothing is left."""
    def stop(_progress):
        raise RuntimeError("stop")
    with pytest.raises(RuntimeError):
        blastmerge.index(path, on_progress=stop)
    assert not Path(f"{path}.bmi").exists()
