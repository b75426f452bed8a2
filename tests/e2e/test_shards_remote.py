# SPDX-License-Identifier: MIT
"""Shards on a web server, and what a caller is told while they are merged."""
import gzip

import pytest

import shards
from program import MISMATCH, NOT_FOUND, OK, run
from shards import made_shard
from shards_run import check_same
from web import Web


def texts(n=3):
    return [made_shard([[(f"gnl|BL_ORD_ID|{i}", f"{shard + i + 1}e-05", 50 - i, 300, "ACGT" * 3000) for i in range(20 - shard)]] * 5, n)
            for shard in range(n)]


@pytest.mark.parametrize("options", [[], ["--threads", "1"]])
def test_remote_shards(options):
    """As many at once as there are; each is read twice."""
    files = {f"shard_{i}.xml.gz": gzip.compress(text.encode()) for i, text in enumerate(texts())}
    with Web(files.get) as web:
        found = run("shards", "--plain", "--db", "d", *options, *(web.url + name for name in files))
    check_same(found, shards.merged(texts(), "d").encode())
    assert found.warnings == []


def test_remote_and_local(tmp_path):
    data = [gzip.compress(text.encode()) for text in texts(2)]
    (tmp_path / "shard_0.xml.gz").write_bytes(data[0])
    with Web({"shard_1.xml.gz": data[1]}.get) as web:
        found = run("shards", "--plain", "--db", "d", tmp_path / "shard_0.xml.gz", web.url + "shard_1.xml.gz")
    check_same(found, shards.merged(texts(2), "d").encode())


def test_a_remote_shard_that_is_not_there():
    files = {"shard_0.xml.gz": gzip.compress(texts()[0].encode())}
    with Web(files.get) as web:
        found = run("shards", "--plain", "--db", "d", web.url + "shard_0.xml.gz", web.url + "shard_1.xml.gz")
    assert found.code == NOT_FOUND and "shard_1.xml.gz" in found.err and found.out == b""


def test_a_remote_shard_of_other_queries():
    bad = texts()[1].replace("number 3<", "number three<")
    files = {f"shard_{i}.xml.gz": gzip.compress(text.encode()) for i, text in enumerate([texts()[0], bad, texts()[2]])}
    with Web(files.get) as web:
        found = run("shards", "--plain", "--db", "d", *(web.url + name for name in files))
    assert found.code == MISMATCH and found.err.startswith(f"blastmerge: {web.url}shard_1.xml.gz: it has ")
    assert "after 2 whole Iterations" in found.err


def test_wildcards_are_in_natural_order(tmp_path):
    for i, text in enumerate(texts(12)):
        (tmp_path / f"shard_{i}.xml.gz").write_bytes(gzip.compress(text.encode()))
    (tmp_path / "list").write_text("".join(f"{tmp_path}/shard_{i}.xml.gz\n" for i in range(12)))
    found = run("shards", "--plain", "--db", "d", "--files-from", tmp_path / "list")
    check_same(found, shards.merged(texts(12), "d").encode())
    assert found.code == OK
