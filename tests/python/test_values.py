# SPDX-License-Identifier: MIT
"""What the package takes: values are converted or refused, never cut or wrapped; a path alone is one child; messages and warnings
are about the caller's Python."""
import array
import gzip
import inspect
import io
import os
import re
import threading
import warnings
from pathlib import Path

import pytest

import sys
ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "python"), str(ROOT / "tests")]
import blastmerge  # noqa: E402  pylint: disable=wrong-import-position
from blastmerge import _errors  # noqa: E402  pylint: disable=wrong-import-position

PATHS = [ROOT / "tests" / "data" / f"batch_{number}.xml.gz" for number in (1, 2, 3)]
CHILDREN = [path.read_bytes() for path in PATHS]


@pytest.mark.parametrize("call", [
    lambda: blastmerge.check([str(PATHS[0]) + "\0.elsewhere"]),
    lambda: blastmerge.check([Path(str(PATHS[0]) + "\0")]),
    lambda: blastmerge.check(str(PATHS[0]) + "\0"),
    lambda: blastmerge.merge(PATHS, "result.gz\0.tmp"),
    lambda: blastmerge.merge(PATHS, b"result.gz\0.tmp"),
    lambda: blastmerge.merge(PATHS, io.BytesIO(), report="report\0"),
    lambda: blastmerge.check(PATHS, database="a\0b"),
    lambda: blastmerge.check(PATHS, endpoint="http://127.0.0.1\0.example"),
    lambda: blastmerge.check(PATHS, expect_queries="queries\0.fa"),
    lambda: blastmerge.check([("na\0me", CHILDREN[0])]),
    lambda: blastmerge.finalize("job.json\0"),
    lambda: blastmerge.check(PATHS, database="\ud800"),
])
def test_strings_are_not_cut(tmp_path, monkeypatch, call):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="null character|surrogate"):
        call()
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("name", ["expect_children", "threads", "level", "memory_limit", "temporary_limit"])
@pytest.mark.parametrize("value", [2**64, 2**64 + 1, -2**63 - 1, 10**30])
def test_numbers_do_not_wrap(name, value):
    with pytest.raises(OverflowError, match=name):
        blastmerge.check(PATHS, **{name: value})


@pytest.mark.parametrize("name, value", [("threads", 2**32 + 1), ("level", 2**32 + 1), ("level", 2**31), ("level", -2**31 - 1),
                                         ("threads", -1), ("expect_children", -1), ("memory_limit", -1)])
def test_each_number_has_the_range_of_its_field(name, value):
    with pytest.raises(OverflowError, match=f"^{name} must be between"):
        blastmerge.check(PATHS, **{name: value})


@pytest.mark.parametrize("options", [
    {"threads": 1.0}, {"threads": "1"}, {"threads": True}, {"threads": None}, {"level": 1.5}, {"plain": 1}, {"plain": "yes"},
    {"plain": None}, {"salvage": 0}, {"database": b"x"}, {"database": 1}, {"endpoint": 1}, {"mismatch": 1}, {"sort": None},
    {"expect_queries": 3}, {"on_warning": 1}, {"on_progress": "x"}, {"format": b"xml"},
])
def test_types(options):
    with pytest.raises(TypeError, match=next(iter(options))):
        blastmerge.check(PATHS, **options)


def test_types_of_arguments(tmp_path):
    for children in (3, None, 1.5, len):
        with pytest.raises(TypeError, match="children must be"):
            blastmerge.check(children)
    for child in (3, None, 1.5):
        with pytest.raises(TypeError, match="child 0: a child must be"):
            blastmerge.check([child])
    for output in (3, None, io.StringIO(), open(os.devnull, "w", encoding="utf-8")):
        with pytest.raises(TypeError, match="output"):
            blastmerge.merge(PATHS, output)
    with pytest.raises(TypeError, match="force"):
        blastmerge.merge(PATHS, tmp_path / "x", force=1)
    with pytest.raises(TypeError, match="report"):
        blastmerge.merge(PATHS, tmp_path / "x", report=1)
    with pytest.raises(TypeError, match="strict"):
        blastmerge.finalize({}, strict=1)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("chunk", [7, 10**10, "text", None, [1, 2, 3], 1.5, memoryview(bytes(range(20)))[::2]])
def test_chunks_are_bytes_like(chunk):
    with pytest.raises(TypeError, match="child 0: a chunk must"):
        blastmerge.check([[CHILDREN[0], chunk]])
    with pytest.raises(TypeError, match="child 1: a chunk must"):
        blastmerge.check([CHILDREN[0], lambda: iter([chunk])])


def test_chunks_of_other_buffers():
    expected = blastmerge.check(PATHS[:1]).iterations
    words = array.array("H", CHILDREN[0] + b"\0" * (len(CHILDREN[0]) % 2))
    for child in ([array.array("B", CHILDREN[0])], [memoryview(CHILDREN[0])], [words] if len(CHILDREN[0]) % 2 == 0 else [CHILDREN[0]]):
        assert blastmerge.check([child]).iterations == expected


def test_files_that_read_badly():
    class Odd:
        def __init__(self, data):
            self.data = data

        def read(self, _n):
            return self.data
    with pytest.raises(TypeError, match="binary mode"):
        blastmerge.check([Odd("text")])
    with pytest.raises(TypeError, match="chunk must be bytes-like, not int"):
        blastmerge.check([Odd(7)])
    with pytest.raises(BlockingIOError):
        blastmerge.check([Odd(None)])
    with pytest.raises(TypeError):
        blastmerge.check([open(__file__, encoding="utf-8")])
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    with open(reading, "rb", buffering=0) as file, pytest.raises(BlockingIOError):
        blastmerge.check([file])
    os.close(writing)


@pytest.mark.parametrize("returned, kind", [(None, BlockingIOError), (0, OSError), (-1, ValueError), (10**9, ValueError), ("1", TypeError),
                                            (1.0, TypeError), (True, TypeError)])
def test_writes_that_do_not_count(returned, kind):
    class Odd:
        n_calls = 0

        def write(self, _data):
            self.n_calls += 1
            return returned
    output = Odd()
    with pytest.raises(kind, match="write"):
        blastmerge.merge(PATHS, output)
    assert output.n_calls == 1


def test_a_pipe_that_does_not_block():
    """All bytes, or an error."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    got = []

    def read():
        piece = os.read(reading, 4096)
        while piece:
            got.append(piece)
            piece = os.read(reading, 4096)
    rows = gzip.compress(b"".join(b"q%d\ts%d\t90.0\t10\t1\t0\t1\t10\t1\t10\t1e-5\t50\n" % (i, i) for i in range(40000)))
    thread = threading.Thread(target=read)
    with os.fdopen(writing, "wb", buffering=0) as file:
        with pytest.raises(BlockingIOError):  # nobody reads yet
            blastmerge.merge([rows], file, plain=True)
        thread.start()
    thread.join()
    os.close(reading)


@pytest.mark.parametrize("form", [str, Path, os.fsencode, lambda path: path.read_bytes(), lambda path: bytearray(path.read_bytes()),
                                  lambda path: memoryview(path.read_bytes()), lambda path: open(path, "rb")],
                         ids=["str", "path", "bytes path", "bytes", "bytearray", "memoryview", "file"])
def test_one_child_alone(form):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        report = blastmerge.check(form(PATHS[0]))
    assert len(report.children) == 1 and report.iterations == 4


def test_paths_of_bytes(tmp_path):
    blastmerge.merge(PATHS, os.fsencode(tmp_path / "merged.gz"), report=os.fsencode(tmp_path / "report.json"))
    assert sorted(os.listdir(tmp_path)) == ["merged.gz", "report.json"]


def test_names():
    report = blastmerge.check([("first", CHILDREN[0]), ("second ü", iter([CHILDREN[1]])), ("third", lambda: [CHILDREN[2]]), PATHS[0]],
                              on_warning=len)
    assert [child.name for child in report.children] == ["first", "second ü", "third", str(PATHS[0])]
    with pytest.raises(blastmerge.DataError, match="^second: "):
        blastmerge.check([CHILDREN[0], ("second", [b"nonsense"])])


# --- messages and warnings ------------------------------------------------------------------------------

def test_messages_name_parameters():
    with pytest.raises(blastmerge.DataError, match="allow_empty=True accepts it") as raised:
        blastmerge.check([b""])
    assert "--" not in str(raised.value)
    told = []
    blastmerge.check([("batch_10", CHILDREN[0]), ("batch_2", CHILDREN[1])], on_warning=told.append)
    assert any('sort="natural"' in text for text in told)


def test_each_option_in_a_message_has_its_parameter():
    """Whatever the library's sources say of the program's options."""
    documents = blastmerge.__doc__ + blastmerge.shards.__doc__
    parameters = set(re.findall(r"^ *([a-z_0-9]+)  +\S", documents, re.M)) | {"force", "report", "strict"}
    for function in (blastmerge.index, blastmerge.get, blastmerge.merge):
        parameters |= set(inspect.signature(function).parameters)
    n_found = 0
    for source in sorted((ROOT / "src").rglob("*.c")):
        if source.name.startswith("page"):  # its literals are styles, not messages
            continue
        for literal in re.findall(r'"((?:[^"\\\n]|\\.)*)"', re.sub(r"/\*.*?\*/", "", source.read_text(), flags=re.S)):
            for option in re.findall(r"(?<!\S)(?<!blastmerge shards )[(\"']?--[a-z][a-z0-9-]*(?: [a-z0-9|]+\b)?", literal):
                n_found += 1
                told = _errors.in_python(option)
                assert "--" not in told, (source.name, literal)
                assert re.findall("[a-z_0-9]+", told)[0] in parameters, (source.name, literal, told)
    assert n_found > 3
    assert _errors.in_python("a--b.gz: --salvage ends; try --sort natural, --query-ids keep or --db NAME") == \
        'a--b.gz: salvage=True ends; try sort="natural", query_ids="keep" or database=NAME'
    assert _errors.in_python("--window says so; --sizes N,N,... gives them; --shards 3; blastmerge shards --alias K") == \
        "window=True says so; sizes=N,N,... gives them; n_shards=3; blastmerge shards --alias K"


def line_of(marker):
    return next(i for i, line in enumerate(Path(__file__).read_text(encoding="utf-8").splitlines(), 1)
                if line.endswith("# " + marker))


def warned_lines(call):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    assert all(warning.filename == __file__ and warning.category is blastmerge.MergeWarning for warning in caught)
    return [warning.lineno for warning in caught]


TWICE = [PATHS[0], PATHS[0]]


def test_warnings_point_at_the_callers_line(tmp_path):
    def merged():
        blastmerge.merge(TWICE, tmp_path / "merged")  # here: merge

    def checked():
        blastmerge.check(TWICE)  # here: check

    def whole():
        blastmerge.merged_bytes(TWICE)  # here: bytes

    def pieces():
        for _ in blastmerge.iter_merged(TWICE):  # here: pieces
            pass

    def inner():
        yield b"".join(blastmerge.iter_merged(TWICE))  # here: inner

    def nested():
        blastmerge.check([inner()])

    for call, marker in ((merged, "merge"), (checked, "check"), (whole, "bytes"), (pieces, "pieces"), (nested, "inner")):
        assert warned_lines(call)[:1] == [line_of("here: " + marker)]


def test_no_secret_is_shown(tmp_path):
    """Not in the package's own warnings, either; the merge itself fails, for there is no such server."""
    location = "https://127.0.0.1:1/c/merged.xml?sv=2024&sig=SECRET"
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with pytest.raises(blastmerge.MergeError) as failure:
            blastmerge.merge([tmp_path / "absent.gz"], location, level=6)
    assert any("uncompressed" in str(warning.message) for warning in caught)
    assert not any("SECRET" in text for text in [str(failure.value), *(str(warning.message) for warning in caught)])
