# SPDX-License-Identifier: MIT
"""Merging by database, with made-up shards: against an oracle, and what decides between equal hits."""
import gzip
import json
import random
import re

import pytest

import shards
import shards_forms
from program import MISMATCH, OK, USAGE, run
from shards import made_shard
from shards_run import check_same, made, merge


def random_list(chance, own, shard, n):
    """Hits in rank order; evalues are few, so that many tie."""
    hits = [(chance.choice(["0", "1e-170", "2.5e-12", "0.001", "0.5", "3", "9.99"]), chance.randrange(40, 44))
            for _ in range(chance.randrange(n))]
    ranked = sorted((float(evalue) if float(evalue) >= 1e-180 else 0, -score, -number, evalue)
                    for number, (evalue, score) in zip(chance.sample(range(100), len(hits)), hits))
    return [(f"gnl|BL_ORD_ID|{-number}" if own else f"gb|S{shard}_{-number}|", evalue, -score)
            for _, score, number, evalue in ranked]


@pytest.mark.parametrize("seed", range(40))
def test_against_the_oracle(tmp_path, seed):
    chance = random.Random(seed)
    n_shards, n_queries, own = chance.choice([1, 2, 3, 5, 10]), chance.randrange(1, 6), chance.random() < 0.5
    texts = [made_shard([random_list(chance, own, shard, 8) for _ in range(n_queries)], n_shards)
             for shard in range(n_shards)]
    n_targets = chance.choice([8, 9, 12, 500])
    found = merge(made(tmp_path, texts), "--db", "all", "--max-target-seqs", n_targets, "--threads",
                  chance.choice([1, 2]))
    check_same(found, shards.merged(texts, "all", n_targets).encode())


def random_search(chance, is_numbered, shard, n_queries):
    """For each query hits in rank order; E-values are few, so that many tie."""
    queries = []
    for _ in range(n_queries):
        hits = []
        for subject in chance.sample(range(100), chance.randrange(8)):
            first = (chance.choice(["0", "1e-170", "2.5e-12", "0.001", "0.5", "3", "9.99"]), chance.randrange(40, 44))
            hits.append(shards_forms.Hit(subject, is_numbered, shard, [first] + [("9.99", 39)] * chance.choice([0, 0, 2])))
        queries.append(sorted(hits, key=shards_forms.Hit.rank))
    return queries


@pytest.mark.parametrize("outfmt", ["16", "15", "7"])
@pytest.mark.parametrize("seed", range(20))
def test_other_formats_against_their_oracle(tmp_path, outfmt, seed):
    chance = random.Random(2000 + seed)
    n_shards, n_queries = chance.choice([1, 2, 3, 5, 10]), chance.randrange(1, 6)
    is_numbered = outfmt != "7" and chance.random() < 0.5  # tables do not number subjects
    searches = [random_search(chance, is_numbered, shard, n_queries) for shard in range(n_shards)]
    n_targets = chance.choice([8, 9, 12, 500])
    write = shards_forms.WRITERS[outfmt]
    found = merge(made(tmp_path, [write(search, "part", n_shards) for search in searches]), "--db", "all", "--max-target-seqs",
                  n_targets, "--threads", chance.choice([1, 2]))
    check_same(found, write(shards_forms.merged(searches, n_targets), "all", 1).encode())


def test_ties_later_shard_first(tmp_path):
    texts = [made_shard([[(f"a{i}", "1e-05", 50), (f"b{i}", "1e-05", 50)]], 3) for i in range(3)]
    found = merge(made(tmp_path, texts))
    assert found.code == OK, found.err
    assert re.findall("<Hit_accession>(.*?)<", found.out.decode()) == ["a2", "b2", "a1", "b1", "a0", "b0"]
    assert re.findall("<Hit_num>(.*?)<", found.out.decode()) == ["1", "2", "3", "4", "5", "6"]


def test_raw_score_decides_where_evalues_print_alike(tmp_path):
    texts = [made_shard([[("low", "0", 700)]], 2), made_shard([[("less", "1e-200", 699)]], 2)]
    found = merge(made(tmp_path, texts))
    assert re.findall("<Hit_accession>(.*?)<", found.out.decode()) == ["low", "less"]


def test_message_of_a_shard_with_hits(tmp_path):
    """Where no shard has hits, BLAST says so; where one has, that shard's end is the whole's."""
    texts = [made_shard([[], []], 2), made_shard([[("x", "1", 40)], []], 2)]
    text = merge(made(tmp_path, texts)).out.decode()
    first, second = shards.iterations(text)
    assert "No hits found" not in first and "No hits found" in second


def test_long_lines_pass_through(tmp_path):
    """An alignment of megabytes, and a definition line longer than any buffer."""
    long = "ACGT" * 700000
    texts = [made_shard([[("x", "1", 40)]], 2),
             made_shard([[("y", "0.5", 41, 300, long), ("z" * 100000, "2", 39)]], 2)]
    check_same(merge(made(tmp_path, texts), "--db", "d"), shards.merged(texts, "d").encode())


def test_result_forms_and_report(tmp_path):
    texts = [made_shard([[(f"x{i}", "1", 40)]], 2) for i in range(2)]
    paths, expected = made(tmp_path, texts), shards.merged(texts, "d").encode()
    for name, is_text in (("r.xml.gz", False), ("r.bgz", False), ("r.xml", True)):
        found = run("shards", "--db", "d", "--report", tmp_path / "report.json", "--force", "-o", tmp_path / name, *paths)
        assert found.code == OK, found.err
        data = (tmp_path / name).read_bytes()
        assert (data if is_text else gzip.decompress(data)) == expected
    report = json.loads((tmp_path / "report.json").read_text())
    assert [row["hits"] for row in report["children"]] == [1, 1] and report["totals"]["children"] == 2
    assert report["totals"]["compressed_bytes"] == sum(path.stat().st_size for path in paths)
    assert set(report["shards"].values()) == {0}
    found = run("shards", "--max-target-seqs", "1", "--report", tmp_path / "report.json", "--force", "-o", tmp_path / "r.xml", *paths)
    counts = json.loads((tmp_path / "report.json").read_text())["shards"]
    assert counts["cut_queries"] == counts["tied_cuts"] == 1
    found = run("shards", "--expect-children", "3", "-o", tmp_path / "none", *paths)
    assert found.code == MISMATCH and not (tmp_path / "none").exists()
    found = run("shards", "-o", paths[0], "--force", *paths)
    assert found.code == USAGE


def test_windows_rank_by_what_they_count(tmp_path):
    """Whatever order they are given in: 900 is later in the database than 100."""
    texts = [made_shard([[(f"gnl|BL_ORD_ID|{n}", "1", 40)]], 1) for n in (900, 100)]
    text = merge(made(tmp_path, texts), "--window").out.decode()
    assert re.findall("<Hit_accession>(.*?)<", text) == ["900", "100"]


def test_zero_in_any_form(tmp_path):
    texts = [made_shard([[("x", "0e400", 40), ("z", "1", 40)]], 2), made_shard([[("y", "1e-170", 41)]], 2)]
    text = merge(made(tmp_path, texts)).out.decode()
    assert re.findall("<Hit_accession>(.*?)<", text) == ["x", "y", "z"]
