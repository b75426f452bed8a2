# SPDX-License-Identifier: MIT
"""Whatever the program must not lose at a buffer's border is moved across each of them, byte by byte.

Text is worked on in pieces of up to 128 KiB, compressed bytes are read in pieces of 64 KiB; where else a
border may lie (a match ends up to 258 bytes before one), the moves are long enough to meet it.
"""
import os
import struct
import subprocess
import threading
import zlib

import pytest

import oracle
import small
from forms import bgzf, full_header, member
from program import DATA, OK, PROGRAM, difference, run, same_as_oracle, text_of, write_children

KIB = 1024
TEXT_BORDERS = [64 * KIB, 128 * KIB, 256 * KIB]
BYTE_BORDERS = [4 * KIB, 16 * KIB, 32 * KIB, 64 * KIB, 128 * KIB, 256 * KIB]

HEAD = (b'<?xml version="1.0"?>\n<BlastOutput>\n<BlastOutput_program>blastp</BlastOutput_program>\n'
        b"<BlastOutput_db>d</BlastOutput_db>\n<!--%s-->\n<BlastOutput_iterations>\n")
FOOT = b"</BlastOutput_iterations>\n</BlastOutput>\n"
NUMBERED = b"<Iteration>\n  <Iteration_iter-num>%d</Iteration_iter-num>\n%s</Iteration>\n"

# What is moved, and the text before which it stands: (name, text up to it, it, the rest).
START = b"<Iteration>\n  <Iteration_iter-num>"
SEAMS = {
    "number": (START, b"98765", b"</Iteration_iter-num>\n</Iteration>\n"),
    "number's end tag": (START + b"1", b"</Iteration_iter-num>", b"\n</Iteration>\n"),
    "number with markup": (START, b"1<!-- 2 -->3<?p?>4", b"</Iteration_iter-num>\n</Iteration>\n"),
    "number in an empty-element tag": (b"<Iteration>", b"<Iteration_iter-num />", b"</Iteration>\n"),
    "missing number": (b"<Iteration>", b"\n   <Iteration_query-len>", b"7</Iteration_query-len></Iteration>\n"),
    "extra number": (NUMBERED[:-len(b"</Iteration>\n")] % (5, b""),
                     b"<Iteration_iter-num>6</Iteration_iter-num> \n\t ", b"<a/></Iteration>\n"),
    "Iteration": (b"", b"<Iteration>", b"</Iteration>\n"),
    "empty Iteration": (b"", b"<Iteration/>", b"\n"),
    "attributes": (b"<Iteration>", b"<a b='1>' c=\"/Iteration> \" >", b"</a></Iteration>\n"),
    "entity": (b"<Iteration>", b"&amp;&#x1F9EC;&quot;", b"</Iteration>\n"),
    "characters": (b"<Iteration>", "é€🧬\u07ff\uffef".encode(), b"</Iteration>\n"),
    "comment": (b"<Iteration>", b"<!-- - - > ->- -->", b"</Iteration>\n"),
    "CDATA": (b"<Iteration>", b"<![CDATA[ ]] ]> <Iteration> ]]]>", b"</Iteration>\n"),
    "instruction": (b"<Iteration>", b"<?pi ? > ??>", b"</Iteration>\n"),
    "brackets": (b"<Iteration>", b"]] > ]]&gt; ] ]>", b"</Iteration>\n"),
    "end of the body": (NUMBERED % (1, b""), b"  \t</BlastOutput_iterations>\n</BlastOutput>\n", b""),
    "next document": (NUMBERED % (1, b"") + FOOT + b"\n", b"\xef\xbb\xbf" + HEAD % b"", NUMBERED % (1, b"")),
}


def moved(name, border, low, high):
    """Texts in which the thing's start lies at border - high up to border - low."""
    before, thing, after = SEAMS[name]
    for place in range(border - high, border - low):
        padding = place - len(HEAD % b"") - len(before)
        filler = (b"ACDEFGHIKLMNPQRSTVWY " * (padding // 21 + 1))[:padding]
        text = HEAD % filler + before
        assert len(text) == place
        text += thing + after
        yield text if text.endswith(b"</BlastOutput>\n") else text + NUMBERED % (2, b"") + FOOT


@pytest.mark.parametrize("border", TEXT_BORDERS)
@pytest.mark.parametrize("name", SEAMS)
def test_text_borders(tmp_path, name, border):
    """Plain text and stored blocks, whose borders lie where the text's do."""
    texts = list(moved(name, border, -3, len(SEAMS[name][1]) + 3))
    same_as_oracle(tmp_path, texts, "--mismatch", "ignore")
    same_as_oracle(tmp_path, [member(text, level=0) for text in texts], "--mismatch", "ignore")


@pytest.mark.parametrize("name", ["number", "missing number", "extra number", "next document", "end of the body"])
def test_text_borders_in_matches(tmp_path, name):
    """A compressed text's border may lie anywhere in the length of a match before the border."""
    texts = list(moved(name, 128 * KIB, -3, 300))
    same_as_oracle(tmp_path, [member(text) for text in texts], "--mismatch", "ignore")


@pytest.mark.parametrize("name", ["number", "characters", "next document"])
def test_blocked_gzip(tmp_path, name):
    """A member ends at every place in it."""
    texts = list(moved(name, 2 * 65280, -3, len(SEAMS[name][1]) + 3))
    same_as_oracle(tmp_path, [bgzf(text) for text in texts], "--mismatch", "ignore")


@pytest.mark.parametrize("name", SEAMS)
def test_members_of_one_byte(tmp_path, name):
    text = next(moved(name, 2000, 0, 1))
    children = [text, b"".join(member(text[i:i + 1], level=i % 10) for i in range(len(text)))]
    same_as_oracle(tmp_path, children, "--mismatch", "ignore")


@pytest.mark.parametrize("name", ["number", "missing number", "comment"])
def test_bytes_fed_slowly(tmp_path, name):
    """A pipe that hands out a few bytes at a time: the same bytes come out as from a file."""
    text = next(moved(name, 3000, 0, 1))
    data = member(text)
    from_file = run(*write_children(tmp_path, [data])).out
    assert text_of(from_file) == oracle.merge([text])
    for size in (1, 2, 3, 7, 61, 257):
        read_end, write_end = os.pipe()

        def feed():
            with open(write_end, "wb", buffering=0) as pipe:
                for start in range(0, len(data), size):
                    pipe.write(data[start:start + size])

        feeder = threading.Thread(target=feed)
        feeder.start()
        with open(read_end, "rb") as pipe:
            done = subprocess.run([PROGRAM, "-"], stdin=pipe, stdout=subprocess.PIPE, check=False, timeout=60)
        feeder.join()
        assert done.returncode == 0 and done.stdout == from_file


def document(n_iterations=3):
    return HEAD % b"" + b"".join(NUMBERED % (i + 1, b"<a/>") for i in range(n_iterations)) + FOOT


def with_header_at(border, text):
    """Two members, the second's header at that byte: the first one's own name makes up the length."""
    half = len(text) // 2
    shortest = len(member(text[:half], header=full_header(name=b"")))
    first = member(text[:half], header=full_header(name=b"x" * (border - shortest)))
    assert len(first) == border
    return first + member(text[half:], header=full_header())


@pytest.mark.parametrize("border", BYTE_BORDERS)
def test_headers_and_trailers(tmp_path, border):
    """The first member's trailer and the second's header (31 bytes) lie before, on, and after the border."""
    children = [with_header_at(place, document()) for place in range(border - 45, border + 12)]
    same_as_oracle(tmp_path, children)


@pytest.mark.parametrize("border", BYTE_BORDERS)
def test_padding(tmp_path, border):
    """Zero bytes between members up to the border, and after the last."""
    text = document()
    half = len(text) // 2
    first, second = member(text[:half]), member(text[half:])
    children = [first + bytes(place - len(first)) + second + bytes(border) for place in range(border - 3, border + 4)]
    same_as_oracle(tmp_path, children)
    for tail in (b"\x1f", b"\x1f\x8b", b"x", b"\x1f\x8b\x08\0\0\0\0\0\0"):
        done = run(*write_children(tmp_path, [first + second + bytes(border - 1) + tail]))
        assert done.code == DATA


@pytest.mark.parametrize("border", BYTE_BORDERS)
def test_end_of_the_child(tmp_path, border):
    """A child whose last bytes are around a border; and the same, cut short or changed by one byte."""
    text = document()
    shortest = len(member(text, header=full_header(name=b"")))
    for place in range(border - 2, border + 10):
        child = member(text, header=full_header(name=b"x" * (place - shortest)))
        assert len(child) == place
        done = same_as_oracle(tmp_path, [child])
        assert text_of(done.out) == oracle.merge([text]), difference(text_of(done.out), text)
        for cut in range(1, 9):
            assert run(*write_children(tmp_path, [child[:-cut]])).code == DATA
            wound = bytearray(child)
            wound[-cut] ^= 0x10
            assert run(*write_children(tmp_path, [bytes(wound)])).code == DATA


@pytest.mark.parametrize("name", ["number", "missing number"])
@pytest.mark.parametrize("n_iterations", [300, 1200])
def test_many_edits_in_a_piece(tmp_path, name, n_iterations):
    """More Iterations lie in one piece of text than marks and edits fit in a list."""
    before, thing, after = SEAMS[name]
    child = member(HEAD % b"" + (before + thing + after) * n_iterations + FOOT)
    same_as_oracle(tmp_path, [child] * 3)


# --- batches without text -------------------------------------------------------------------------------

def fixed_member(content, extra=b""):
    """A gzip member in one block with fixed codes; its header may have an extra field."""
    packer = zlib.compressobj(6, zlib.DEFLATED, -15, 9, zlib.Z_FIXED)
    data = packer.compress(content) + packer.flush()
    field = struct.pack("<H", len(extra)) + extra if extra else b""
    return (b"\x1f\x8b\x08" + bytes([4 if extra else 0]) + b"\0" * 5 + b"\xff" + field + data
            + struct.pack("<II", zlib.crc32(content), len(content)))


@pytest.mark.parametrize("threads", ["1", "2"])
@pytest.mark.parametrize("n_extra", [*range(65515, 65527), 65535])
def test_a_header_that_fills_a_batch(tmp_path, n_extra, threads):
    """The first batch ends in the block's header, or between that and its first token: the child begins only once."""
    first, second = small.text(*map(str, range(50))), small.text(*(f"q{number}" for number in range(3000)))
    done = run("--threads", threads, *write_children(tmp_path, [member(first), fixed_member(second, b"x" * n_extra)]))
    plain = run(*write_children(tmp_path, [first, second]))
    assert (done.code, plain.code) == (OK, OK), done.err
    assert text_of(done.out) == text_of(plain.out)


@pytest.mark.parametrize("threads", ["1", "2"])
@pytest.mark.parametrize("before", [member(b"") * 2000, member(b"") + b"\0" * 70000, (member(b"") + b"\0" * 40000) * 3],
                         ids=["members", "zeros", "both"])
def test_a_beginning_without_text(tmp_path, before, threads):
    first, second = small.text(*map(str, range(50))), small.text(*(f"q{number}" for number in range(3000)))
    done = run("--threads", threads, *write_children(tmp_path, [member(first), before + member(second)]))
    plain = run(*write_children(tmp_path, [first, second]))
    assert (done.code, plain.code) == (OK, OK), done.err
    assert text_of(done.out) == text_of(plain.out)
    empty = run("--threads", threads, *write_children(tmp_path, [member(first), before]))
    assert empty.code == DATA and "holds nothing" in empty.err, empty.err
