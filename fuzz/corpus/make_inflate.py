#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes the seeds of fuzz_inflate: small gzip streams of every kind, each behind four bytes that split them."""
import gzip, os, random, struct, zlib

folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "inflate")
random.seed(1)


def member(text, level=6, window=15, memory=8, strategy=0, head=b"\x1f\x8b\x08\0\0\0\0\0\0\xff"):
    deflate = zlib.compressobj(level, zlib.DEFLATED, -window, memory, strategy)
    body = deflate.compress(text[: len(text) // 2]) + deflate.flush(zlib.Z_SYNC_FLUSH if memory == 1 else zlib.Z_NO_FLUSH)
    body += deflate.compress(text[len(text) // 2:]) + deflate.flush()
    return head + body + struct.pack("<II", zlib.crc32(text), len(text))


xml = b"<Iteration>\n  <Iteration_iter-num>1</Iteration_iter-num>\n  <Iteration_hits>\n</Iteration_hits></Iteration>\n"
few = bytes(random.choice(b"ACGT") for _ in range(300))
named = b"\x1f\x8b\x08\x1c\0\0\0\0\0\xff" + b"\2\0XY" + b"name\0" + b"comment\0"
named_checked = b"\x1f\x8b\x08\x1e" + named[4:]
named_checked += struct.pack("<H", zlib.crc32(named_checked) & 0xFFFF)
seeds = {
    "empty": member(b""),
    "stored": member(few, 0),
    "fixed": member(xml, 6, 15, 8, 4),
    "dynamic": member(xml * 3 + few, 9),
    "huffman": member(few, 6, 15, 8, 2),
    "runs": member(b"a" * 3000 + b"ab" * 500 + b"abc" * 300, 6, 15, 8, 3),
    "flushed": member(xml * 2, 6, 9, 1),
    "fields": member(few, 1, head=named),
    "checked": member(few, 1, head=named_checked),
    "members": member(xml) + b"\0\0\0" + member(few) + member(b""),
    "deep": member(bytes(b for i in range(12) for b in [65 + i] * (1 << i) )[:3000][::-1] + few, 9),
    "plain": xml,
}
for name, stream in seeds.items():
    with open(os.path.join(folder, name), "wb") as file:
        file.write(bytes([6, 1, 2, 3]) + stream)
