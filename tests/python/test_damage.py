# SPDX-License-Identifier: MIT
"""Damaged children of the formats beside BLAST XML (which is test_damage.c's): refused, or the right text where nothing was hurt.

Single-bit flips of a small child in three forms, and random damages of larger ones, judged by zlib and oracle_formats.py. BLASTMERGE_TEST_DAMAGES
says how many of each (300 without it), at the most: each bit is flipped once. What was found is printed (pytest -s).
"""
import collections
import gzip
import os
import random
import sys
import zlib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / folder) for folder in ("tests", "python")]
import blastmerge  # noqa: E402  pylint: disable=wrong-import-position
import corpus  # noqa: E402  pylint: disable=wrong-import-position
import corpus_formats  # noqa: E402  pylint: disable=wrong-import-position
import oracle_formats  # noqa: E402  pylint: disable=wrong-import-position
from oracle import Refused  # noqa: E402  pylint: disable=wrong-import-position

N_DAMAGES = int(os.environ.get("BLASTMERGE_TEST_DAMAGES", "300"))
FORMATS = list(oracle_formats.MERGES)


def texts(name, seed, n_queries, hits):
    xml = corpus.texts(2, n_queries, seed, hits=hits, without_hits=0)
    return [corpus_formats.converted(name, text) for text in xml]


def packed(text, level, header=b""):
    packer = zlib.compressobj(level, zlib.DEFLATED, 31)
    data = packer.compress(text) + packer.flush()
    return header + data[10:] if header else data


def judge(name, good, child, parts):
    """Merges a child between good ones; says what came of it. parts: the children that it is made of, if it is whole."""
    options = {"allow_empty": True, "format": name} if len(child) < 3 else {}
    try:
        expected = oracle_formats.merge(name, [good, *parts, good], **{k: v for k, v in options.items() if k == "allow_empty"})
    except Refused:
        expected = None
    try:
        result = gzip.decompress(blastmerge.merged_bytes([good, child, good], threads=1, on_warning=lambda _: None, **options))
    except (blastmerge.DataError, blastmerge.MismatchError):
        assert expected is None, "refused, and nothing is wrong with it"
        return "refused"
    assert result == expected, "a wrong result"
    return "joined" if len(parts) > 1 else "the text as before"


@pytest.mark.parametrize("name", FORMATS)
def test_each_bit(name):
    rows = name in ("tabular", "csv")
    good, small = texts(name, 1, 2, 1 if rows else 0)
    good, counts = packed(good, 6), collections.Counter()
    header = b"\x1f\x8b\x08\x08\0\0\0\0\0\x03name\0"
    for level in (0, 1, 9):
        child = packed(small[:small.index(b"\n") + 1] * 3 if rows else small, level, header)
        for bit in random.Random(name).sample(range(8 * len(child)), min(N_DAMAGES, 8 * len(child))):
            flipped = bytearray(child)
            flipped[bit // 8] ^= 1 << bit % 8
            counts[judge(name, good, bytes(flipped), [bytes(flipped)])] += 1
    print(f"{name}, each bit: {dict(counts)}")
    assert 0 < counts["the text as before"] < counts["refused"]


def damaged(dice, child, other):
    """(Kind, a damaged child, what it is made of if that is whole.)"""
    kind = dice.choice(["flips", "bytes", "cut", "gone", "twice", "swapped", "joined"])
    data, place = bytearray(child), dice.randrange(len(child))
    end = min(len(data), place + dice.choice([1, 2, 10, 100, 1000]))
    if kind == "flips":
        for _ in range(dice.choice([1, 1, 2, 5])):
            data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
    elif kind == "bytes":
        data[place:end] = dice.randbytes(end - place)
    elif kind == "cut":
        del data[place:]
    elif kind == "gone":
        del data[place:end]
    elif kind == "twice":
        data[place:place] = data[place:end]
    elif kind == "swapped":
        data[place:end + end - place] = data[end:end + end - place] + data[place:end]
    elif dice.random() < 0.5:
        return kind, child + other, [child, other]
    else:
        data[place:] = other
    return kind, bytes(data), [bytes(data)]


@pytest.mark.parametrize("name", FORMATS)
def test_random_damage(name):
    counts = collections.defaultdict(collections.Counter)
    pool = [packed(text, level) for seed, n, hits in ((2, 2, 1), (3, 8, 5), (4, 20, 8)) for level in (0, 1, 6)
            for text in texts(name, seed, n, hits)]
    for number in range(N_DAMAGES):
        dice = random.Random(f"{name}/{number}")
        kind, child, parts = damaged(dice, dice.choice(pool), dice.choice(pool))
        counts[kind][judge(name, pool[0], child, parts)] += 1
    for kind, found in sorted(counts.items()):
        print(f"{name}, {kind}: {sum(found.values())}: {dict(found)}")
    assert counts["joined"]["joined"] > 0 and all(found["refused"] > 0 for found in counts.values())
