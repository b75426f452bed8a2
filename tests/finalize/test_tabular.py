# SPDX-License-Identifier: MIT
"""Tabular children: gzip members one after the other, each checked."""
import gzip
import json
import random
import zlib

import program
import pytest
from parents import RESULT, tabular
from program import DATA

ROWS = ["q1\ts1\t99.0\nq1\ts2\t50.0\n", "", "q3\ts1\t10.0\n"]


def children_of(parent):
    return [(parent.folder / child["job_id"] / RESULT).read_bytes() for child in parent.children]


@pytest.mark.parametrize("fields", [{}, {"outfmt": 7}, {"outfmt": 6}, {"format": ""}, {"outfmt": "7 qseqid sseqid"}])
def test_members_are_copied(tmp_path, fields):
    parent = tabular(tmp_path, *ROWS, **fields)
    done = parent.finalize("--strict")
    assert (done.code, done.err) == (0, "")
    assert (done.outcome["report"]["outfmt"], done.outcome["report"]["supported_outfmt"]) == (6, "6 std")
    parent.check_complete(is_xml=False)
    assert parent.path(RESULT).read_bytes() == b"".join(children_of(parent))


def test_another_format_is_only_a_name(tmp_path):
    parent = tabular(tmp_path, *ROWS, format="blast_csv")
    assert parent.finalize().outcome["report"]["format"] == "blast_csv"
    parent.check_complete(is_xml=False)


def test_zero_bytes_after_members_are_left_out(tmp_path):
    a, b, c = (gzip.compress(f"row {i}\n".encode() * 3, mtime=0) for i in range(3))
    parent = tabular(tmp_path, a + bytes(1) + b, c + bytes(70000), bytes(0) + a + bytes(40000) + b + bytes(7), c)
    assert parent.finalize().code == 0
    assert parent.path(RESULT).read_bytes() == a + b + c + a + b + c


def member(chance, text):
    """A member of one kind or another, with whatever fields a header may have."""
    level, strategy = chance.choice([0, 1, 6, 9]), chance.choice([zlib.Z_DEFAULT_STRATEGY, zlib.Z_FIXED, zlib.Z_HUFFMAN_ONLY])
    deflate = zlib.compressobj(level, zlib.DEFLATED, -15, 9, strategy)
    body = b""
    while text:
        n = chance.randrange(1, 100000)
        body += deflate.compress(text[:n]) + deflate.flush(chance.choice([zlib.Z_NO_FLUSH, zlib.Z_SYNC_FLUSH, zlib.Z_FULL_FLUSH]))
        text = text[n:]
    return body + deflate.flush()


def framed(chance, text):
    flags, fields = 0, b""
    if chance.random() < 0.3:
        n = chance.choice([0, 1, 300, 65535])
        flags, fields = 4, n.to_bytes(2, "little") + bytes(n)
    if chance.random() < 0.3:
        flags, fields = flags | 8, fields + b"name" * chance.choice([1, 20000]) + b"\0"
    head = bytes([0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 255]) + fields
    return head + member(chance, text) + zlib.crc32(text).to_bytes(4, "little") + (len(text) & 0xffffffff).to_bytes(4, "little")


def test_members_of_all_kinds(tmp_path):
    """What is left after padding is the members, byte for byte."""
    chance = random.Random(3)
    children, expected = [], b""
    for _ in range(40):
        child = b""
        for _ in range(chance.randrange(1, 6)):
            kind = chance.random()
            n = chance.choice([0, 1, 50, 5000, 400000]) if kind < 0.9 else 0
            text = (chance.randbytes(n).hex() if kind < 0.5 else "q\ts\t1\n" * (n // 7)).encode()
            made = framed(chance, text + b"\n")
            expected += made
            child += made + bytes(chance.choice([0, 0, 1, 511, 70000]))
        children.append(child)
    parent = tabular(tmp_path, *children)
    done = parent.finalize()
    assert done.code == 0, done
    assert parent.path(RESULT).read_bytes() == expected
    gzip.decompress(parent.path(RESULT).read_bytes())


WHOLE = gzip.compress(b"q1\ts1\t99.0\n" * 100, mtime=0)


@pytest.mark.parametrize("data, reason", [
    (b"", "holds nothing"),
    (b"q1\ts1\t99.0\n", "not compressed"),
    (WHOLE[:-1], "cut short"),
    (WHOLE[:30], "cut short"),
    (WHOLE[:-8] + b"\0\0\0\0" + WHOLE[-4:], "CRC-32"),
    (WHOLE[:-4] + b"\1\0\0\0", "length"),
    (WHOLE + b"x", "no gzip member"),
    (gzip.compress(b"q1\ts1\t99.0\nq1\ts"), "does not end"),
    (gzip.compress(b"<?xml version=\"1.0\"?>\n<BlastOutput></BlastOutput>\n"), "holds XML"),
    (gzip.compress(b"<BlastOutput></BlastOutput>\n"), "holds XML"),
], ids=lambda value: repr(value)[:20])
def test_damaged(tmp_path, data, reason):
    parent = tabular(tmp_path, *ROWS)
    (tmp_path / "child-1" / RESULT).write_bytes(data)
    done = parent.finalize()
    assert (done.code, done.outcome["phase"]) == (DATA, "split_results_merge_invalid"), done
    assert done.outcome["error"] == "invalid child tabular result: child-1" and reason in done.outcome["detail"]
    assert str(tmp_path / "child-1" / RESULT) in done.err and parent.files() == []


def test_no_bytes_where_that_is_allowed(tmp_path):
    parent = tabular(tmp_path, *ROWS)
    (tmp_path / "child-1" / RESULT).write_bytes(b"")
    assert parent.finalize("--allow-empty").code == 0
    assert gzip.decompress(parent.path(RESULT).read_bytes()) == (ROWS[0] + ROWS[2]).encode()


def test_all_of_no_bytes(tmp_path):
    parent = tabular(tmp_path, b"", b"")
    done = parent.finalize("--allow-empty")
    assert done.code == DATA and "all children are empty" in done.err and parent.files() == []


def test_memory_does_not_grow(tmp_path):
    parent = tabular(tmp_path, gzip.compress(b"q\ts\t1\n" * 15_000_000, 1), ROWS[0])
    done = program.run("finalize", "-v", "-", input=json.dumps(parent.job).encode())
    assert done.code == 0 and "MiB of memory" in done.err
    assert float(done.err.split("seconds, ")[1].split(" MiB")[0]) < 4
