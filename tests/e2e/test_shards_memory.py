# SPDX-License-Identifier: MIT
"""Memory of a merge of shards, whatever they hold."""
import gzip
import json
import random

import pytest

import shards
from program import NO_MEMORY, OK, PROGRAM, run
from shards import made_shard
from shards_run import check_same, made, merge


def check_memory(tmp_path, paths, counted, *options):
    for n_threads, form in ((1, "--gzip"), (2, "--gzip"), (1, "--plain"), (2, "--plain")):
        found = run("shards", form, "--db", "d", "--threads", n_threads, "--report", tmp_path / "report.json", "--force",
                    *options, *paths)
        assert found.code == OK, found.err
        report = json.loads((tmp_path / "report.json").read_text())
        assert report["peak_memory"] <= 16 << 20 and report["peak_resident"] <= 16 << 20
        text = found.out if form == "--plain" else gzip.decompress(found.out)
        assert report["totals"]["hits"] == text.count(counted) > 0
    return found


@pytest.mark.parametrize("n_shards", [8, 100])
def test_memory_of_many_shards(tmp_path, n_shards):
    """The process takes 16 MiB at most."""
    chance = random.Random(n_shards)
    texts = [made_shard([[(f"gnl|BL_ORD_ID|{i % 12}", f"{10.0 ** -(20 - i):.3g}", 50, 300, "ACGT" * 200) for i in range(20)]
                         for _ in range(20 if n_shards > 8 else 200)], n_shards) for _ in range(n_shards)]
    chance.shuffle(texts)
    check_memory(tmp_path, made(tmp_path, texts), b"<Hit>\n")


@pytest.mark.parametrize("options,least,most", [([], 16, 100), (["--index", "-o", "result.gz", "--force"], 16, 75), ([], 27, 200)],
                         ids=["plain", "index", "many"])
def test_memory_that_is_given(tmp_path, options, least, most):
    """So many shards merge in so many MiB; with less than that, the error has the number."""
    texts = [made_shard([[(f"x{shard}", "1e-20", 50)]] * 20, most) for shard in range(most)]
    paths = made(tmp_path, texts)
    options = [tmp_path / option if option == "result.gz" else option for option in options]
    for n_threads in (1, 2):
        found = run("shards", "--db", "d", "--threads", n_threads, "--memory", least, "--report", tmp_path / "report.json",
                    "--force", *options, *paths)
        assert found.code == OK, found.err
        assert json.loads((tmp_path / "report.json").read_text())["peak_resident"] <= least << 20
    found = run("shards", "--db", "d", "--memory", least - 1, *options, *paths)
    assert found.code == NO_MEMORY and found.out == b""
    assert f"{least - 1 << 10} KiB of memory are too little: at least {least} MiB are needed" in found.err


def test_definition_lines_of_megabytes(tmp_path):
    """A temporary file holds what is too long, and nothing of it is lost."""
    texts = [made_shard([[(f"x{i}", "1", 40), (f"y{i}", "2", 39)]] * 2, 100)
             .replace(f"of x{i}<", "D" * 1000000 + f"x{i}<").replace(f"of y{i}<", f"y{i}" * 50000 + "<") for i in range(100)]
    found = check_memory(tmp_path, made(tmp_path, texts), b"<Hit>\n")
    check_same(found, shards.merged(texts, "d").encode())


def test_a_query_with_many_hits(tmp_path):
    texts = [made_shard([[(f"x{shard}_{i}", f"{i // 100 + 1}e-05", 50 - i // 100) for i in range(5000)]], 2) for shard in range(2)]
    found = check_memory(tmp_path, made(tmp_path, texts), b"<Hit>\n", "--max-target-seqs", "10000")
    check_same(found, shards.merged(texts, "d", 10000).encode())


@pytest.mark.parametrize("setting", [{"TMPDIR": "/proc/none"}, {}])
def test_a_temporary_file_that_fails(tmp_path, setting):
    texts = [made_shard([[("z" * 3000000, "2", 39)]], 2), made_shard([[("y", "1", 40)]], 2)]
    limit = [] if setting else ["prlimit", "--fsize=100000", "--"]
    found = run("shards", "--plain", *made(tmp_path, texts), command=["env", *(f"{k}={v}" for k, v in setting.items()),
                *limit, PROGRAM])
    assert found.code != OK and "temporary file" in found.err and "shard_0" in found.err and found.out == b""


def test_a_query_whose_title_is_too_long(tmp_path):
    """What is compared of a query has a ceiling, which --memory raises."""
    texts = [made_shard([[(f"x{i}", "1", 40)]], 2, title="t" * 3000000) for i in range(2)]
    paths = made(tmp_path, texts)
    found = merge(paths, "--db", "d")
    assert found.code == 10 and "--memory" in found.err and found.out == b""
    check_same(merge(paths, "--db", "d", "--memory", "512"), shards.merged(texts, "d").encode())


def test_heads_of_many_shards(tmp_path):
    """Definition lines of 100 KiB in each of 100 shards."""
    texts = [made_shard([[(f"x{i}", "1", 40)]], 100).replace("<Hit_def>", "<Hit_def>" + "D" * 100000) for i in range(100)]
    check_same(merge(made(tmp_path, texts), "--db", "d"), shards.merged(texts, "d").encode())
