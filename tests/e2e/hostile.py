# SPDX-License-Identifier: MIT
"""Children made to hurt: far larger than memory, never whole in memory or on disk.

A Child is text with a hole that is filled many times over: `before`, `filler` times `n`, `after`. It is
handed out as pieces of bytes, and it knows what the result must come to.
"""
import struct
import zlib
from dataclasses import dataclass

import oracle

PIECE = 1 << 20


@dataclass
class Child:
    before: bytes
    filler: bytes
    n: int
    after: bytes

    @classmethod
    def from_skeleton(cls, skeleton, filler, n_bytes):
        """The skeleton's @ is the hole. The filler is repeated up to a piece."""
        before, after = skeleton.split(b"@")
        filler *= max(1, PIECE // len(filler))
        return cls(before, filler, max(1, n_bytes // len(filler)), after)

    @property
    def length_and_crc(self):
        crc = zlib.crc32(self.before)
        for _ in range(self.n):
            crc = zlib.crc32(self.filler, crc)
        return len(self.before) + self.n * len(self.filler) + len(self.after), zlib.crc32(self.after, crc)

    def merged(self):
        """What the merge of this child alone comes to, as far as the filling stays: else None."""
        text = oracle.merge([self.before + b"@" + self.after])
        if b"@" not in text:
            return None
        return Child(*text.split(b"@")[:1], self.filler, self.n, *text.split(b"@")[1:])

    def plain(self):
        yield self.before
        for _ in range(self.n):
            yield self.filler
        yield self.after

    def trailer(self):
        length, crc = self.length_and_crc
        return struct.pack("<II", crc, length & 0xffffffff)

    def gzip(self, filling=None, level=6):
        """As a member; filling: the hole's pieces of deflate data, which begin and end at a byte's border."""
        yield b"\x1f\x8b\x08\0\0\0\0\0\0\x03" + deflate(self.before, level)
        if filling is None:
            piece = deflate(self.filler, level)
            filling = (piece for _ in range(self.n))
        yield from filling
        yield deflate(self.after, level, is_last=True) + self.trailer()


def deflate(text, level=6, is_last=False):
    """Blocks that depend on nothing before, and end at a byte's border."""
    packer = zlib.compressobj(level, zlib.DEFLATED, -15)
    return packer.compress(text) + packer.flush(zlib.Z_FINISH if is_last else zlib.Z_FULL_FLUSH)


# --- deflate by hand (RFC 1951) ----------------------------------------------------------------------

EMPTY_STORED_BLOCK = b"\0\0\0\xff\xff"


class Bits:
    """A run of bits, the first one lowest."""

    def __init__(self):
        self.value = self.n = 0

    def add(self, value, n):
        self.value |= value << self.n
        self.n += n
        return self

    def code(self, code, n):
        """A Huffman code, whose highest bit comes first."""
        return self.add(int(f"{code:0{n}b}"[::-1], 2), n)

    def aligned(self):
        """As bytes; an empty stored block fills the last one up."""
        self.add(0, 3)
        self.n += -self.n % 8
        self.add(0xffff0000, 32)
        return self.value.to_bytes(self.n // 8, "little")


def literal(bits, byte):
    """A fixed code (3.2.6)."""
    return bits.code(0x30 + byte, 8) if byte < 144 else bits.code(0x190 + byte - 144, 9)


def endless_block(unit, n):
    """One block: `unit`, a run of whole bytes of bits, n times over, between fixed codes' header and end."""
    assert unit.n % 8 == 0
    head = Bits().add(0, 1).add(1, 2)
    # The header's three bits shift all that follows: the stream repeats from the second unit on.
    twice = Bits()
    twice.add(head.value, 3).add(unit.value, unit.n).add(unit.value, unit.n)
    raw = twice.value.to_bytes((twice.n + 7) // 8, "little")
    size = unit.n // 8
    yield raw[:size]
    step = raw[size:2 * size] * max(1, PIECE // size)
    n_steps, rest = divmod(n - 1, len(step) // size)
    for _ in range(n_steps):
        yield step
    tail = Bits().add(unit.value >> (unit.n - 3), 3).add(0, 7)
    yield raw[size:2 * size] * rest + tail.aligned()


def endless_literals(text, n):
    unit = Bits()
    for byte in text:
        literal(unit, byte)
    return endless_block(unit, n)


def endless_matches(n):
    """Eight times: the longest match (258) at distance 1. What it repeats must stand before."""
    unit = Bits()
    for _ in range(8):
        unit.code(0b11000101, 8).code(0, 5)
    return endless_block(unit, n)


def empty_fixed_blocks(n):
    unit = Bits()
    for _ in range(4):
        unit.add(0, 1).add(1, 2).add(0, 7)
    for _ in range(n // 4000):
        yield unit.value.to_bytes(5, "little") * 1000
    yield EMPTY_STORED_BLOCK


def block_of_one_literal(byte):
    """A dynamic block whose header is as long as can be, for a single byte of text."""
    bits = Bits().add(0, 1).add(2, 2).add(286 - 257, 5).add(30 - 1, 5).add(19 - 4, 4)
    lengths = {0: 1, 1: 2, 2: 3, 3: 4, 6: 5, 4: 7, 5: 7, 8: 7, 9: 7}
    for symbol in (16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15):
        bits.add(lengths.get(symbol, 0), 3)
    code_of = {4: 0b1111100, 5: 0b1111101, 8: 0b1111110, 9: 0b1111111}
    literal_lengths = [8] * 226 + [9] * 60
    for length in literal_lengths + [4] * 2 + [5] * 28:
        bits.code(code_of[length], 7)
    assert byte < 226
    bits.code(byte, 8)
    end = 256 - 226
    return bits.code((226 << 1) + end, 9).aligned()
