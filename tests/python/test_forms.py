# SPDX-License-Identifier: MIT
"""How a result is written: as the name of an output that is a path says, unless plain, gzip or bgzf does."""
import bz2
import gzip
import io
import lzma
import sys
import warnings
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "python")]
import blastmerge  # noqa: E402  pylint: disable=wrong-import-position

CHILDREN = [ROOT / "tests" / "data" / f"batch_{number}.xml.gz" for number in (1, 2, 3)]
TEXT = blastmerge.merged_bytes(CHILDREN, plain=True)
END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")


def form_of(data):
    """Its form; its text must be whole."""
    if data[:2] != b"\x1f\x8b":
        assert data == TEXT
        return "plain"
    assert gzip.decompress(data) == TEXT
    if data[3] & 4:
        assert data.endswith(END)
        return "bgzf"
    return "gzip"


@pytest.fixture(autouse=True)
def _no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.mark.parametrize("name, form", [
    ("merged.xml.gz", "gzip"), ("merged", "gzip"), ("merged.xml", "plain"), ("merged.TSV", "plain"), ("merged.bgz", "bgzf")])
@pytest.mark.parametrize("make", [str, bytes, Path], ids=["str", "bytes", "Path"])
def test_the_name_decides(tmp_path, name, form, make):
    path = tmp_path / name
    blastmerge.merge(CHILDREN, bytes(path) if make is bytes else make(path))
    assert form_of(path.read_bytes()) == form


@pytest.mark.parametrize("name", ["merged.gz", "merged.xml", "merged.bgz"])
@pytest.mark.parametrize("options, form", [
    ({"plain": True}, "plain"), ({"gzip": True}, "gzip"), ({"bgzf": True}, "bgzf"), ({"gzip": True, "plain": False}, "gzip"),
    ({"gzip": True, "level": 9}, "gzip"), ({"plain": True, "level": 9}, "plain"), ({"bgzf": True, "level": 1}, "bgzf")], ids=str)
def test_options_win(tmp_path, name, options, form):
    blastmerge.merge(CHILDREN, tmp_path / name, **options)
    assert form_of((tmp_path / name).read_bytes()) == form


@pytest.mark.parametrize("name, form", [("merged.gz", "gzip"), ("merged.xml", "gzip"), ("merged.bgz", "bgzf")])
def test_not_plain_is_compressed(tmp_path, name, form):
    blastmerge.merge(CHILDREN, tmp_path / name, plain=False)
    assert form_of((tmp_path / name).read_bytes()) == form


@pytest.mark.parametrize("name, form", [("merged.gz", "gzip"), ("merged.xml", "plain"), ("merged.bgz", "bgzf")])
def test_false_is_as_not_given(tmp_path, name, form):
    blastmerge.merge(CHILDREN, tmp_path / name, gzip=False, bgzf=False)
    assert form_of((tmp_path / name).read_bytes()) == form


def test_without_a_path(tmp_path):
    for options, form in ({}, "gzip"), ({"bgzf": True}, "bgzf"), ({"plain": True}, "plain"), ({"plain": False}, "gzip"):
        assert form_of(blastmerge.merged_bytes(CHILDREN, **options)) == form
        assert form_of(b"".join(blastmerge.iter_merged(CHILDREN, **options))) == form
        made = io.BytesIO()
        blastmerge.merge(CHILDREN, made, **options)
        assert form_of(made.getvalue()) == form
    with open(tmp_path / "merged.xml", "wb") as file:  # a file object's name is not looked at
        blastmerge.merge(CHILDREN, file)
    assert form_of((tmp_path / "merged.xml").read_bytes()) == "gzip"


@pytest.mark.parametrize("options", [{"plain": True, "gzip": True}, {"gzip": True, "bgzf": True}, {"plain": True, "bgzf": True}],
                         ids=str)
def test_one_of_them(options):
    with pytest.raises(blastmerge.UsageError, match="contradict"):
        blastmerge.merged_bytes(CHILDREN, **options)


@pytest.mark.parametrize("options", [{"gzip": 1}, {"bgzf": None}, {"gzip": "yes"}], ids=str)
def test_flags(options):
    with pytest.raises(TypeError):
        blastmerge.merged_bytes(CHILDREN, **options)


def test_a_level_that_the_name_makes_useless(tmp_path):
    with pytest.warns(blastmerge.MergeWarning, match="gzip=True") as caught:
        blastmerge.merge(CHILDREN, tmp_path / "merged.xml", level=9)
    assert len(caught) == 1 and caught[0].filename == __file__ and form_of((tmp_path / "merged.xml").read_bytes()) == "plain"
    told = []
    blastmerge.merge(CHILDREN, tmp_path / "merged.xml", level=9, force=True, on_warning=told.append)
    assert len(told) == 1


def test_finalize_writes_gzip_only():
    for options in {"plain": True}, {"bgzf": True}:
        with pytest.raises(blastmerge.UsageError):
            blastmerge.finalize({}, **options)


@pytest.mark.parametrize("compress", [bz2.compress, lzma.compress], ids=["bzip2", "xz"])
def test_children_of_other_compressions(compress):
    """By bytes, and from a reader in small chunks; text is compressed again."""
    children = [compress(gzip.decompress(child.read_bytes())) for child in CHILDREN]
    assert blastmerge.merged_bytes(children, plain=True) == TEXT
    chunks = ((child[at:at + 100] for at in range(0, len(child), 100)) for child in children)
    assert gzip.decompress(b"".join(blastmerge.iter_merged(chunks))) == TEXT
    with pytest.raises(blastmerge.DataError, match="is cut short"):
        blastmerge.merged_bytes([children[0], children[1][:-1]])
