# SPDX-License-Identifier: MIT
"""blastmerge.shards(): the library's merging by database, from Python."""
import gzip
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "python"), str(ROOT / "tests" / "e2e")]
import blastmerge  # noqa: E402  pylint: disable=wrong-import-position
import shards as made  # noqa: E402  pylint: disable=wrong-import-position


def texts():
    return [made.made_shard([[(f"gnl|BL_ORD_ID|{i}", "1e-05", 50 + i)], []], 2) for i in range(2)]


def zipped():
    return [gzip.compress(text.encode()) for text in texts()]


def test_to_a_path(tmp_path):
    paths = []
    for i, data in enumerate(zipped()):
        paths.append(tmp_path / f"{i}.gz")
        paths[-1].write_bytes(data)
    report = blastmerge.shards(paths, tmp_path / "r.xml.gz", database="all")
    assert gzip.decompress((tmp_path / "r.xml.gz").read_bytes()).decode() == made.merged(texts(), "all")
    assert report.iterations == 2 and report.shards == blastmerge.ShardCounts(*[0] * 9)
    report = blastmerge.shards(paths, tmp_path / "r.xml.gz", database="all", force=True, max_target_seqs=1)
    assert report.shards.cut_queries > 0
    assert blastmerge.merge(paths[:1], tmp_path / "one.xml.gz").shards is None


def test_progress(tmp_path):
    """The total is that of the shards, and all of it is read."""
    seen = []
    blastmerge.shards(zipped(), tmp_path / "r.xml.gz", database="all", on_progress=seen.append)
    total = sum(map(len, zipped()))
    assert seen and all(progress.compressed_total == total and progress.children == len(zipped()) for progress in seen)
    assert seen[-1].compressed_bytes == total


def test_an_error_names_the_shard():
    with pytest.raises(blastmerge.MismatchError) as caught:
        list(blastmerge.iter_shards([zipped()[0], gzip.compress(made.made_shard([[]], 2).encode())], database="all"))
    assert caught.value.child == 1


def test_to_pieces():
    assert gzip.decompress(b"".join(blastmerge.iter_shards(zipped(), database="all"))).decode() == made.merged(texts(), "all")


def test_iterables_need_sizes():
    chunks = [("a", iter([zipped()[0]])), ("b", iter([zipped()[1]]))]
    with pytest.raises(blastmerge.UsageError, match="sizes"):
        list(blastmerge.iter_shards(chunks, database="all"))
    chunks = [("a", iter([zipped()[0]])), ("b", iter([zipped()[1]]))]
    pieces = blastmerge.iter_shards(chunks, database="all", sizes=[600, 600])
    assert gzip.decompress(b"".join(pieces)).decode() == made.merged(texts(), "all")


def test_faults():
    with pytest.raises(blastmerge.MismatchError, match="not the same queries|same queries"):
        list(blastmerge.iter_shards([zipped()[0], gzip.compress(made.made_shard([[]], 2).encode())], database="all"))
    with pytest.raises(TypeError):
        list(blastmerge.iter_shards(zipped(), max_target_seqs="many"))
    with pytest.raises(TypeError, match="no option"):
        list(blastmerge.iter_merged(zipped(), window=True))
    with pytest.raises(blastmerge.UsageError):
        list(blastmerge.iter_shards(zipped(), window=True, round_robin=True))
