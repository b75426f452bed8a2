# SPDX-License-Identifier: MIT
"""What is written is nothing that is read, also where one or both are file objects."""
import contextlib
import io
import os
import sys
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "python")]
import blastmerge  # noqa: E402  pylint: disable=wrong-import-position

DATA = [(ROOT / "tests" / "data" / f"batch_{number}.xml.gz").read_bytes() for number in (1, 2)]


@pytest.fixture(name="here")
def make_here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for i, data in enumerate(DATA):
        Path(f"c{i}").write_bytes(data)
    Path("link").symlink_to("c1")
    os.link("c1", "hard")
    return tmp_path


def contents():
    return {path.name: path.read_bytes() for path in Path().iterdir()}


NAMES = ["c1", "link", "hard"]
CHILDREN = {
    "path": lambda stack: ["c0", "c1"],
    "file": lambda stack: ["c0", stack.enter_context(open("c1", "rb"))],
    "named file": lambda stack: ["c0", ("a name", stack.enter_context(open("c1", "rb")))],
    "raw file": lambda stack: ["c0", stack.enter_context(open("c1", "rb", buffering=0))],
    "function": lambda stack: ["c0", lambda: open("c1", "rb")],
    "function of a path": lambda stack: ["c0", lambda: "c1"],
    "later": lambda stack: (child for child in ["c0", stack.enter_context(open("c1", "rb"))]),
    "path later": lambda stack: (child for child in ["c0", "c1"]),
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("children", CHILDREN)
@pytest.mark.parametrize("output", ["path", "file", "report"])
def test_a_child_is_not_written(here, children, name, output):
    before = contents()
    with contextlib.ExitStack() as stack:
        given = CHILDREN[children](stack)
        with pytest.raises(blastmerge.UsageError, match="is the same (file|place) as"):
            if output == "path":
                blastmerge.merge(given, name, force=True)
            elif output == "report":
                blastmerge.merge(given, io.BytesIO(), report=name, force=True)
            else:
                with open(name, "ab") as file:
                    blastmerge.merge(given, file)
    # What comes later is known later: a file object has the beginning by then, and nothing that decodes.
    if output != "file" or children not in ("function", "function of a path", "later", "path later"):
        assert contents() == before


def test_other_places_of_a_file_object(here):
    Path("queries").write_text(">a\nACGT\n")
    before = contents()
    for options in {"report": "out"}, {"expect_queries": "queries"}:
        with open("queries" if "expect_queries" in options else "out", "ab") as file:
            with pytest.raises(blastmerge.UsageError, match="is the same place as"):
                blastmerge.merge(["c0"], file, force=True, **options)
    Path("out").unlink()
    assert contents() == before


def test_what_is_not_the_same(here):
    with open("c1", "rb") as one, open("c1", "rb") as other, open("out", "wb") as output:
        blastmerge.merge([one, other], output, on_warning=len)
    with open(os.devnull, "rb") as null, open(os.devnull, "wb") as output:
        blastmerge.merge(["c0", null], output, allow_empty=True, report=os.devnull)
    with tempfile.SpooledTemporaryFile() as spooled, tempfile.SpooledTemporaryFile() as output:
        spooled.write(DATA[0])
        spooled.seek(0)
        blastmerge.merge([spooled], output)
        assert not spooled._rolled and not output._rolled  # pylint: disable=protected-access
    blastmerge.merge([io.BytesIO(DATA[0])], io.BytesIO())

    class Odd(io.BytesIO):
        def fileno(self):
            raise RuntimeError("there is none")
    blastmerge.merge([Odd(DATA[0])], Odd())


def test_a_pipe_is_not_read_and_written(here):
    reading, writing = os.pipe()
    with open(reading, "rb") as source, open(writing, "wb") as target:
        with pytest.raises(blastmerge.UsageError, match="is the same file as"):
            blastmerge.merge([source], target)


def test_odd_names(here):
    for name in "ftp://u:SECRET@h/x", " https://u:SECRET@h/x", "s3:/u:SECRET@b/x":
        for call in (lambda n: blastmerge.check([n]), lambda n: blastmerge.merge(["c0"], n),
                     lambda n: blastmerge.merge(["c0"], "out", report=n), lambda n: blastmerge.check(["c0"], expect_queries=n)):
            with pytest.raises(blastmerge.UsageError, match="not a location") as caught:
                call(name)
            assert "SECRET" not in str(caught.value)
    with pytest.raises(blastmerge.MissingError, match="^cannot open ' c0': "):
        blastmerge.check([" c0"])
    with pytest.raises(blastmerge.DataError, match="^' ': "):
        blastmerge.check([(" ", b"no result")])
    assert blastmerge.check([("", DATA[0]), (" x", iter([DATA[1]]))]).children[1].name == " x"
