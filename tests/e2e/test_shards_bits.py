# SPDX-License-Identifier: MIT
"""Long stretches of one shard's text keep that shard's compressed bits: the text is what it would be without, and the result
is about as long as what it was made of."""
import gzip
import json
import random
import re
import shutil
import subprocess
import zlib

import pytest

import shards
import shards_forms
from program import DATA, MISMATCH, OK, run
from shards import made_shard
from test_shards_memory import check_memory
from web import Web


def deflated(data, level=6, strategy=zlib.Z_DEFAULT_STRATEGY, memory=8):
    packer = zlib.compressobj(level, zlib.DEFLATED, 31, memory, strategy)
    return packer.compress(data) + packer.flush()


def flushed(data):
    packer = zlib.compressobj(6, zlib.DEFLATED, 31)
    pieces = [packer.compress(data[at:at + 5000]) + packer.flush(zlib.Z_SYNC_FLUSH) for at in range(0, len(data), 5000)]
    return b"".join(pieces) + packer.flush()


PACKERS = {
    "gzip": gzip.compress,
    "fastest": lambda data: deflated(data, 1),
    "stored": lambda data: deflated(data, 0),
    "fixed": lambda data: deflated(data, strategy=zlib.Z_FIXED),
    "short blocks": lambda data: deflated(data, memory=1),
    "flushed": flushed,
    "members": lambda data: b"".join(gzip.compress(data[at:at + 30000]) for at in range(0, len(data), 30000)),
}


def letters(chance, n):
    return "".join(chance.choices("ACGT", k=n))


def hits_of(chance, n, own, shard):
    """In the order of their E-values; some of them equal."""
    evalues = sorted((chance.choice(["1e-50", "2e-40", "3e-30", "1e-20", "1e-9", "0.001"]) for _ in range(n)), key=float)
    return [(f"gnl|BL_ORD_ID|{n - 1 - i}" if own else f"gb|S{shard}_{i}|", evalue, 50, 300, letters(chance, chance.choice([20, 300])))
            for i, evalue in enumerate(evalues)]


def searches_of(chance, n_shards, n_queries, n_hits, own):
    """For each shard the queries' hits: most queries have all of theirs in one shard."""
    lists = [[] for _ in range(n_shards)]
    for _ in range(n_queries):
        shard, is_shared = chance.randrange(n_shards), chance.random() < 0.2
        for i in range(n_shards):
            n = chance.choice([n_hits // 10, n_hits]) if i == shard else chance.choice([1, n_hits // 3]) if is_shared else 0
            lists[i].append(hits_of(chance, n, own, i))
    return lists


def packed(folder, texts, packer=gzip.compress):
    paths = [folder / f"shard_{i}.xml.gz" for i in range(len(texts))]
    for path, text in zip(paths, texts):
        path.write_bytes(packer(text.encode()))
    return paths


def check_bits(paths, expected, *options):
    """The text is right, and the bytes do not depend on the threads. Returns the result."""
    found = [run("shards", "--gzip", "--max-target-seqs", 1000, "--threads", n, *options, *paths) for n in (1, 2, 3)]
    assert found[0].code == OK, found[0].err
    assert zlib.decompress(found[0].out, 31) == expected
    assert found[1].out == found[0].out and found[2].out == found[0].out
    return found[0].out


@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("packer", PACKERS)
def test_text_is_the_same(tmp_path, packer, own):
    chance = random.Random(f"{packer}{own}")
    n_shards = chance.choice([2, 3, 5])
    texts = [made_shard(hits, n_shards) for hits in searches_of(chance, n_shards, 12, 200, own)]
    expected = shards.merged(texts, "d", 1000).encode()
    check_bits(packed(tmp_path, texts, PACKERS[packer]), expected, "--db", "d")
    found = run("shards", "--level", 6, "--max-target-seqs", 1000, "--db", "d", *packed(tmp_path, texts, PACKERS[packer]))
    assert found.code == OK and zlib.decompress(found.out, 31) == expected


@pytest.mark.parametrize("packer", [None, "igzip", "bgzip", "pigz"])
def test_shards_of_other_programs(tmp_path, packer):
    """And one shard that is not compressed, among others that are."""
    if packer is not None and not shutil.which(packer):
        pytest.skip(f"{packer} is not there")
    chance = random.Random(3)
    texts = [made_shard(hits, 2) for hits in searches_of(chance, 2, 20, 200, False)]
    paths = packed(tmp_path, texts)
    paths[0].write_bytes(texts[0].encode())
    if packer is not None:
        paths[0].write_bytes(subprocess.run([packer, "-c"], input=texts[0].encode(), stdout=subprocess.PIPE, check=True).stdout)
    check_bits(paths, shards.merged(texts, "d", 1000).encode(), "--db", "d")


@pytest.mark.parametrize("outfmt", ["16", "15"])
@pytest.mark.parametrize("own", [False, True])
def test_other_formats(tmp_path, outfmt, own):
    chance = random.Random(outfmt)
    searches = [[] for _ in range(3)]
    for _ in range(12):
        only = chance.randrange(4)
        for shard, queries in enumerate(searches):
            n = 150 if shard == only else 40 if only == 3 else 0
            hits = [shards_forms.Hit(subject, own, shard, [(chance.choice(["1e-170", "2.5e-12", "0.001"]), chance.randrange(40, 44))])
                    for subject in chance.sample(range(300), n)]
            queries.append(sorted(hits, key=shards_forms.Hit.rank))
    write = shards_forms.WRITERS[outfmt]
    texts = [write(search, "part", 3) for search in searches]
    check_bits(packed(tmp_path, texts), write(shards_forms.merged(searches, 1000), "all", 1).encode(), "--db", "all")


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_a_hit_of_several_sequences(tmp_path, n):
    """XML2 names each in the hit: BLAST's numbers of all of them go on over the shards, and what is between is the shard's own."""
    chance = random.Random(n)
    searches = [[[], []], [[], []]]
    searches[1][0] = sorted((shards_forms.Hit(subject, True, 1, [(f"{chance.randrange(1, 9)}e-30", 60)]) for subject in range(100)),
                            key=shards_forms.Hit.rank)
    texts = [shards_forms.WRITERS["16"](search, "part", 2) for search in searches]
    expected = shards_forms.WRITERS["16"](shards_forms.merged(searches, 1000), "all", 1)
    texts, expected = ([re.sub("(<HitDescr>.*?</HitDescr>)", lambda found: (found[1] + "#" * 900) * n, text, flags=re.S) for text in group]
                       for group in (texts, [expected]))
    texts, expected = ([text.replace("#" * 900, "<!-- " + "ACGT" * 220 + " -->") for text in group] for group in (texts, expected))
    check_bits(packed(tmp_path, texts), expected[0].encode(), "--db", "all")


def test_length_of_the_result(tmp_path):
    """Where a query's hits are all in one shard, the result is as long as that shard, which is less than level 1 makes of it;
    where they are not, as before."""
    chance = random.Random(1)
    rows = [[("x", "1e-50", 50, 300, letters(chance, 60) * 5)] * 500 for _ in range(12)]
    rows = [[(f"gb|A{chance.randrange(10 ** 6)}|", *row[1:4], letters(chance, 200)) for row in query] for query in rows]
    texts = [made_shard([rows[i] if i % 2 == shard else [] for i in range(12)], 2) for shard in range(2)]
    paths = packed(tmp_path, texts)
    spliced = check_bits(paths, shards.merged(texts, "d", 1000).encode(), "--db", "d")
    fastest = run("shards", "--level", 1, "--max-target-seqs", 1000, "--db", "d", *paths).out
    n_bytes = sum(path.stat().st_size for path in paths)
    assert len(spliced) < 1.05 * n_bytes < len(fastest)
    texts = [made_shard([[(f"gb|S{shard}_{i}|", f"{i + 1}e-50", 50, 300, letters(chance, 60)) for i in range(400)]] * 3, 2)
             for shard in range(2)]
    paths = packed(tmp_path, texts)
    assert check_bits(paths, shards.merged(texts, "d", 1000).encode(), "--db", "d") == \
        run("shards", "--level", 1, "--max-target-seqs", 1000, "--db", "d", *paths).out


def test_a_long_hit_among_others(tmp_path):
    """One hit's text alone is long enough; so are the hits that are cut."""
    chance = random.Random(2)
    long = letters(chance, 700000)
    texts = [made_shard([[("a", "1e-50", 50), ("long", "1e-30", 50, 300, long), ("b", "1e-9", 50)]] * 3, 2),
             made_shard([[("c", "1e-40", 50), ("d", "1e-20", 50, 300, long[::-1])]] * 3, 2)]
    for n_targets in (1, 2, 3, 4, 1000):
        found = run("shards", "--db", "d", "--max-target-seqs", n_targets, *packed(tmp_path, texts))
        if n_targets < 3:  # the first shard has more
            assert found.code != OK
            continue
        assert zlib.decompress(found.out, 31) == shards.merged(texts, "d", n_targets).encode()


@pytest.mark.parametrize("packer", ["gzip", "short blocks", "members"])
def test_order_list(tmp_path, packer):
    """The list decides between hits that are equal otherwise, of one shard and of several."""
    chance = random.Random(packer)
    lists = [[[(hit[0].strip("|"), *hit[1:]) for hit in query] for query in shard] for shard in searches_of(chance, 3, 10, 200, False)]
    names = sorted({hit[0] for shard in lists for query in shard for hit in query})
    accessions = [name.removeprefix("gb|") for name in chance.sample(names, len(names))]
    texts = [made_shard([sorted(query, key=lambda hit: (float(hit[1]), -accessions.index(hit[0].removeprefix("gb|")))) for query in shard], 3)
             for shard in lists]
    expected = shards.merged(texts, "d", 1000, order=accessions).encode()
    paths = packed(tmp_path, texts, PACKERS[packer])
    (tmp_path / "order").write_text("".join(f"{name}\n" for name in accessions))
    (tmp_path / "descending").write_text("".join(f"{name}\n" for name in reversed(accessions)))
    check_bits(paths, expected, "--db", "d", "--order", tmp_path / "order")
    check_bits(paths, expected, "--db", "d", "--order", tmp_path / "descending", "--order-descending")
    check_bits(paths, expected, "--db", "d", "--round-robin", "--order", tmp_path / "order")


@pytest.mark.parametrize("options", [["--window"], ["--round-robin"]], ids=lambda options: options[0][2:])
def test_own_numbers(tmp_path, options):
    chance = random.Random(options[0])
    lists, is_window = searches_of(chance, 3, 10, 200, True), options == ["--window"]
    if is_window:  # of one database: no subject is in two
        lists = [[[(re.sub(r"\d+$", lambda found, i=i: str(int(found[0]) + 400 * i), hit[0]), *hit[1:]) for hit in query] for query in shard]
                 for i, shard in enumerate(lists)]
    texts = [made_shard(hits, 1 if is_window else 3) for hits in lists]
    expected = shards.merged(texts, "d", 1000, is_window=is_window, round_robin=not is_window).encode()
    check_bits(packed(tmp_path, texts), expected, "--db", "d", *options)


@pytest.mark.parametrize("has_ranges", [True, False])
def test_remote_shards(tmp_path, has_ranges):
    """Their bytes are those of local ones."""
    chance = random.Random(7)
    texts = [made_shard(hits, 3) for hits in searches_of(chance, 3, 16, 200, False)]
    paths = packed(tmp_path, texts)
    local = check_bits(paths, shards.merged(texts, "d", 1000).encode(), "--db", "d")
    with Web(lambda name: (tmp_path / name).read_bytes(), has_ranges=has_ranges) as web:
        for remote in ([True] * 3, [True, False, True]):
            given = [web.url + path.name if is_remote else path for path, is_remote in zip(paths, remote)]
            assert check_bits(given, shards.merged(texts, "d", 1000).encode(), "--db", "d") == local


def test_a_remote_shard_is_damaged(tmp_path):
    """Wherever a byte is other than it was: an error that names the shard, and nothing of a result."""
    chance = random.Random(8)
    texts = [made_shard(hits, 2) for hits in searches_of(chance, 2, 6, 200, False)]
    paths = packed(tmp_path, texts)
    data = [path.read_bytes() for path in paths]
    damaged = {}
    with Web(damaged.get) as web:
        for _ in range(20):
            bad = chance.randrange(2)
            at = chance.randrange(10, len(data[bad]))
            damaged.update({path.name: one for path, one in zip(paths, data)})
            damaged[paths[bad].name] = data[bad][:at] + bytes([data[bad][at] ^ 1 << chance.randrange(8)]) + data[bad][at + 1:]
            found = run("shards", "-o", tmp_path / "result.gz", "--max-target-seqs", 1000, "--db", "d", *(web.url + path.name for path in paths))
            assert found.code in (DATA, MISMATCH) and f"{web.url}{paths[bad].name}: " in found.err, found.err
            assert not (tmp_path / "result.gz").exists()


def test_batches_of_shards(tmp_path):
    """The second batch's queries get other numbers."""
    chance = random.Random(4)
    groups = [[made_shard(hits, 2, title=f"group {group}, number") for hits in searches_of(chance, 2, 6, 200, True)] for group in range(3)]
    paths = packed(tmp_path, [text for group in groups for text in group])
    plain = run("shards", "--plain", "--shards", 2, "--max-target-seqs", 1000, "--db", "d", *paths)
    assert plain.code == OK and plain.out.count(b"<Iteration>") == 18 and b"<Iteration_iter-num>18<" in plain.out
    check_bits(paths, plain.out, "--db", "d", "--shards", 2)


def test_bytes_that_are_no_utf8(tmp_path):
    """Text that is changed inside of what is copied."""
    chance = random.Random(5)
    texts = [made_shard(hits, 2).replace("<Hit_def>of gb|S0_7", "<Hit_def>\xe9 of gb|S0_7").replace("Hit_def>of gb|S1_8", "Hit_def>\xfc")
             for hits in searches_of(chance, 2, 8, 200, False)]
    paths = [tmp_path / f"shard_{i}.xml.gz" for i in range(2)]
    for path, text in zip(paths, texts):
        path.write_bytes(gzip.compress(text.encode("latin-1")))
    for choice in ("keep", "latin1"):
        plain = run("shards", "--plain", "--invalid-utf8", choice, "--max-target-seqs", 1000, "--db", "d", *paths)
        assert plain.code == OK, plain.err
        check_bits(paths, plain.out, "--db", "d", "--invalid-utf8", choice)


@pytest.mark.parametrize("n_shards", [3, 8, 15, 30])
@pytest.mark.parametrize("level", [0, 6])
def test_memory(tmp_path, n_shards, level):
    chance = random.Random(n_shards)
    rows = [[(f"gnl|BL_ORD_ID|{i % 12}", f"{i // 100 + 1}e-30", 50, 300, letters(chance, 400)) for i in range(500)] for _ in range(4)]
    texts = [made_shard([rows[chance.randrange(4)] if query % n_shards == shard else [] for query in range(32)], n_shards)
             for shard in range(n_shards)]
    check_memory(tmp_path, packed(tmp_path, texts, lambda data: deflated(data, level)), b"<Hit>\n")


@pytest.mark.parametrize("n_shards", [8, 16, 30])
def test_memory_with_an_index(tmp_path, n_shards):
    """Its database takes memory, too. Definition lines are long, and each is a shard's own text."""
    chance = random.Random(n_shards)
    texts = [made_shard([hits_of(chance, 40 if query % n_shards == shard else 0, False, shard) for query in range(64)], n_shards)
             .replace("<Hit_def>", "<Hit_def>" + letters(chance, 20000)) for shard in range(n_shards)]
    paths, result = packed(tmp_path, texts), tmp_path / "result.xml.gz"
    for n_threads in (1, 2):
        found = run("shards", "-o", result, "--force", "--index", "--db", "d", "--threads", n_threads, "--max-target-seqs", 1000,
                    "--report", tmp_path / "report.json", *paths)
        assert found.code == OK, found.err
        report = json.loads((tmp_path / "report.json").read_text())
        assert report["peak_memory"] <= 16 << 20 and report["peak_resident"] <= 16 << 20
        assert zlib.decompress(result.read_bytes(), 31).count(b"<Hit>") == report["totals"]["hits"] == 40 * 64


def test_many_shards(tmp_path):
    """Beyond 32 there is no memory for it: all is compressed again."""
    chance = random.Random(6)
    texts = [made_shard([hits_of(chance, 100 if query % 40 == shard else 0, False, shard) for query in range(40)], 40)
             for shard in range(40)]
    paths, expected = packed(tmp_path, texts), shards.merged(texts, "d", 1000).encode()
    assert check_bits(paths, expected, "--db", "d") == \
        run("shards", "--level", 1, "--max-target-seqs", 1000, "--db", "d", *paths).out
