# SPDX-License-Identifier: MIT
"""Test streams of decompressors, as Debian has them: what zstd(1), lz4(1) and xz(1) decode, the program decodes, and nothing else.

They are made to be odd: each block type, each literal and sequence mode, windows, headers, frames without sizes; and damaged ones.
"""
import os
import re
import shutil
import subprocess
import zipfile
import zlib
from pathlib import Path

import pytest

STREAMS = os.environ.get("BLASTMERGE_STREAMS")
SOURCES = Path("/usr/share/gocode/src/github.com")
ZSTD, LZ4 = SOURCES / "klauspost/compress/zstd/testdata", SOURCES / "pierrec/lz4/testdata"
XZ = SOURCES / "xi2/xz/testdata"  # XZ Utils' own, and others
MAGIC = re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18", re.DOTALL)


@pytest.fixture(autouse=True, scope="module")
def with_all():
    if not STREAMS:
        pytest.skip("BLASTMERGE_STREAMS is not set: NOTHING IS PROVED")
    missing = [str(path) for path in (ZSTD, LZ4, XZ) if not path.exists()] + [tool for tool in ("zstd", "lz4", "xz") if not shutil.which(tool)]
    if missing:
        pytest.fail(f"{missing} missing: scripts/setup --test installs it")


def judge(command, path):
    """What the library's own program says: the text's size and CRC-32, or None."""
    done = subprocess.run([*command, path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    return f"{len(done.stdout)} {zlib.crc32(done.stdout):08x}" if done.returncode == 0 else None


def check(paths, command):
    """The program agrees about each; returns how many are whole."""
    lines = subprocess.run([STREAMS, *paths], stdout=subprocess.PIPE, check=True, text=True).stdout.splitlines()
    assert len(lines) == len(paths)
    n_whole = 0
    for path, line in zip(paths, lines):
        expected = judge(command, path)
        assert line.startswith("failed ") if expected is None else line == f"whole {expected}", (path, line, expected)
        n_whole += expected is not None
    return n_whole


@pytest.mark.parametrize("name, n_least, n_whole", [
    ("decoder", 80, 80), ("good", 10, 10), ("bad", 20, 0), ("decode-regression", 1, 0), ("regression", 10, 0), ("large", 2, 2)])
def test_zstd(tmp_path, name, n_least, n_whole):
    with zipfile.ZipFile(ZSTD / f"{name}.zip") as archive:
        archive.extractall(tmp_path)
    paths = [path for path in sorted(tmp_path.rglob("*")) if path.is_file() and MAGIC.match(path.read_bytes())]
    assert len(paths) >= n_least
    assert check(paths, ["zstd", "-dcq", "--no-pass-through"]) >= n_whole


def test_lz4():
    paths = sorted(LZ4.glob("*.lz4"))
    assert len(paths) >= 8 and check(paths, ["lz4", "-dcq"]) >= 8


def test_xz():
    paths = [path for path in sorted(XZ.rglob("*.xz")) if path.read_bytes().startswith(b"\xfd7zXZ\0")]
    good = [path for path in paths if path.name.startswith("good-") and "corrupt" not in path.name]
    assert len(paths) >= 60 and len(good) >= 20 and check(good, ["xz", "-dcq"]) == len(good)
    assert check(paths, ["xz", "-dcq"]) >= len(good)
