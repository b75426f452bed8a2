# SPDX-License-Identifier: MIT
"""One text, compressed in many ways."""
import gzip
import shutil
import struct
import subprocess
import zlib


def member(text, level=6, strategy=zlib.Z_DEFAULT_STRATEGY, window=15, memory=8, flush_every=None, header=b""):
    """A gzip member by zlib. header: what stands before the deflate data, if not zlib's own."""
    packer = zlib.compressobj(level, zlib.DEFLATED, -window, memory, strategy)
    parts = [header or b"\x1f\x8b\x08\0\0\0\0\0\0\x03"]
    step = flush_every or max(1, len(text))
    for start in range(0, len(text), step):
        parts.append(packer.compress(text[start:start + step]))
        if flush_every:
            parts.append(packer.flush(zlib.Z_FULL_FLUSH if start % (2 * step) else zlib.Z_SYNC_FLUSH))
    parts.append(packer.flush())
    parts.append(struct.pack("<II", zlib.crc32(text), len(text) & 0xffffffff))
    return b"".join(parts)


def full_header(extra=b"ab\x02\0xy", name=b"child.xml", comment=b"a comment"):
    """A gzip header that has all there may be, its own CRC included."""
    header = b"\x1f\x8b\x08\x1f" + struct.pack("<I", 1234567890) + b"\x02\x03"
    header += struct.pack("<H", len(extra)) + extra + name + b"\0" + comment + b"\0"
    return header + struct.pack("<H", zlib.crc32(header) & 0xffff)


def bgzf(text, block=65280):
    """Blocked gzip, as bgzip and samtools write it."""
    blocks = []
    for start in list(range(0, len(text), block)) + [len(text)]:
        packer = zlib.compressobj(6, zlib.DEFLATED, -15)
        piece = text[start:start + block]
        data = packer.compress(piece) + packer.flush()
        blocks.append(b"\x1f\x8b\x08\x04\0\0\0\0\0\xff\x06\0BC\x02\0" + struct.pack("<H", len(data) + 25) + data
                      + struct.pack("<II", zlib.crc32(piece), len(piece)))
    return b"".join(blocks)


def several(text, sizes=(1, 100, 0, 65536, 7, 0)):
    """Members of these sizes, in turn, with zero bytes after some."""
    parts, position, number = [], 0, 0
    while position < len(text) or number == 0:
        size = sizes[number % len(sizes)]
        parts.append(member(text[position:position + size]) + bytes(512 * (number % 3 == 1)))
        position, number = position + size, number + 1
    return b"".join(parts)


def by_tool(*command):
    """A form made by another program, or None where it is not installed."""
    if not shutil.which(command[0]):
        return None
    return lambda text: subprocess.run(command, input=text, stdout=subprocess.PIPE, check=True).stdout


FORMS = {
    "plain": lambda text: text,
    "python": gzip.compress,
    **{f"level {level}": (lambda text, level=level: member(text, level)) for level in range(10)},
    "fixed codes": lambda text: member(text, strategy=zlib.Z_FIXED),
    "Huffman only": lambda text: member(text, strategy=zlib.Z_HUFFMAN_ONLY),
    "run lengths": lambda text: member(text, strategy=zlib.Z_RLE),
    "small window": lambda text: member(text, window=9, memory=1),
    "flushed": lambda text: member(text, flush_every=1000),
    "full header": lambda text: member(text, header=full_header()),
    "padded": lambda text: member(text) + bytes(10240),
    "BGZF": bgzf,
    "several members": several,
    "many members": lambda text: several(text, (500,)),
    "pigz": by_tool("pigz", "-c", "-b", "128"),
    "pigz -11": by_tool("pigz", "-c", "-11"),
    "bgzip": by_tool("bgzip", "-c"),
    "libdeflate 12": by_tool("libdeflate-gzip", "-12", "-c"),
    "libdeflate 1": by_tool("libdeflate-gzip", "-1", "-c"),
    "igzip 0": by_tool("igzip", "-0", "-c"),
    "igzip 3": by_tool("igzip", "-3", "-c"),
}
FORMS = {name: form for name, form in FORMS.items() if form}
