# SPDX-License-Identifier: MIT
"""Peak memory, resident, of the whole process: 16 MiB at the most, whatever the children are like.

Measured by GNU time, which is small: a process's peak counts its parent's from before the exec.
"""
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import zlib

import pytest

import forms
import hostile
from hostile import Child
from program import DATA, NO_MEMORY, OK, PROGRAM, run, text_of, write_children
from small import child, text

MIB = 1 << 20
LIMIT = 16 * MIB
PER_CHILD = 192
TIME = "/usr/bin/time"
THREADS = ["1", "2", "8"]
PER_THREAD = 6 * MIB  # beyond two


@pytest.fixture(scope="module", autouse=True)
def meter(tmp_path_factory):
    """Fails without GNU time, or where it measures what it should not; skips sanitizers, which take their own."""
    with open(PROGRAM, "rb") as file:
        program = file.read()
    if b"__asan_init" in program or b"__tsan_init" in program:
        pytest.skip("the program is built with a sanitizer: its memory says nothing")
    try:
        folder = tmp_path_factory.mktemp("meter")
        small, large = (measure_command(folder, command) for command in (
            ["true"], [sys.executable, "-c", "x = b'a' * 50000000"]))
    except FileNotFoundError:
        pytest.fail(f"{TIME} is missing: apt install time")
    assert small < 4 * MIB and large > 50 * MIB


def beyond_two(threads):
    """What more threads may take."""
    return max(0, int(threads) - 2) * PER_THREAD


def peak_in(path):
    return int(path.read_text().splitlines()[-1]) * 1024


def measure_command(folder, command):
    subprocess.run([TIME, "-f", "%M", "-o", folder / "peak", *command], check=True)
    return peak_in(folder / "peak")


class Reader(threading.Thread):
    """Takes the result from a pipe; keeps its length and CRC only."""

    def __init__(self, pipe, is_plain):
        super().__init__()
        self.pipe, self.is_plain = pipe, is_plain
        self.length = self.crc = 0
        self.is_whole = is_plain
        self.start()

    def run(self):
        member = zlib.decompressobj(31)
        while data := self.pipe.read(65536):
            text = data if self.is_plain else member.decompress(data)
            self.length += len(text)
            self.crc = zlib.crc32(text, self.crc)
        self.is_whole = self.is_plain or (member.eof and not member.unused_data)


def merge(folder, pieces, *arguments):
    """Pipes a child through the program. Returns its exit code, its peak memory, and what came out."""
    command = [TIME, "-f", "%M", "-o", folder / "peak", PROGRAM, *arguments, "-"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        reader = Reader(process.stdout, "--plain" in arguments)
        try:
            for piece in pieces:
                process.stdin.write(piece)
            process.stdin.close()
        except BrokenPipeError:
            pass  # it has refused: the exit code says so
        reader.join()
        process.stdin = None
        err = process.communicate()[1]
    return process.returncode, peak_in(folder / "peak"), reader, err


def check(folder, whole, pieces, *arguments):
    """A merge that succeeds, within the limit, with the right text."""
    code, peak, reader, err = merge(folder, pieces, *arguments)
    assert code == OK, err
    assert reader.is_whole
    if merged := whole.merged():
        assert (reader.length, reader.crc) == merged.length_and_crc
    print(f"{arguments}: {peak / MIB:.1f} MiB")
    assert peak <= LIMIT, f"{peak / MIB:.1f} MiB"


RESIDUES = b"ACDEFGHIKLMNPQRSTVWYMKVLAAGIVGLCAKAYLDE+ -" * 31
IN_ITERATION = text("a", "b", extra="<x>@</x>").replace(b"\n", b"").replace(b"BLASTP 2.12.0+", b"x")


@pytest.mark.parametrize("threads", THREADS)
def test_iteration_of_a_gigabyte_on_one_line(tmp_path, threads):
    whole = Child.from_skeleton(IN_ITERATION, RESIDUES, 1 << 30)
    check(tmp_path, whole, whole.gzip(), "--threads", threads)


@pytest.fixture(scope="module", name="bomb")
def make_bomb():
    """A thousand to one: a gigabyte from one megabyte."""
    whole = Child.from_skeleton(IN_ITERATION, b"A", 1 << 30)
    pieces = list(whole.gzip(level=9))
    assert sum(map(len, pieces)) * 900 < 1 << 30
    return whole, pieces


@pytest.mark.parametrize("threads", THREADS)
def test_bomb(tmp_path, bomb, threads):
    check(tmp_path, *bomb, "--threads", threads)


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("arguments", [["--level", "1"], ["--level", "9"], ["--plain"]])
@pytest.mark.parametrize("form", ["plain", "gzip"])
def test_line_of_100_mib(tmp_path, threads, arguments, form):
    whole = Child.from_skeleton(IN_ITERATION, RESIDUES, 100 * MIB)
    check(tmp_path, whole, getattr(whole, form)(), "--threads", threads, *arguments)


@pytest.mark.parametrize("threads", THREADS)
def test_line_of_incompressible_text(tmp_path, threads):
    """Six bits of chance in a byte: the compressed bytes are what there is much of."""
    state, noise = zlib.crc32(b""), bytearray()
    while len(noise) < 400000:
        state = zlib.crc32(state.to_bytes(4, "little"), 7)
        noise += state.to_bytes(4, "little")
    noise = bytes(64 + (byte & 31) + (byte >> 7) * 32 for byte in noise).replace(b"@", b"A").replace(b"\x7f", b"B")
    whole = Child.from_skeleton(IN_ITERATION, noise, 200 * MIB)
    check(tmp_path, whole, whole.gzip(level=1), "--threads", threads)


@pytest.mark.parametrize("threads", THREADS)
def test_endless_block_of_literals(tmp_path, threads):
    unit = b"MKVLAAGIVG"
    n = 200 * MIB // len(unit)
    whole = Child(*IN_ITERATION.split(b"@")[:1], unit, n, *IN_ITERATION.split(b"@")[1:])
    whole = Child(whole.before, unit * 100000, n // 100000, whole.after)
    check(tmp_path, whole, whole.gzip(hostile.endless_literals(unit, whole.n * 100000)), "--threads", threads)


@pytest.mark.parametrize("threads", THREADS)
def test_endless_block_of_matches(tmp_path, threads):
    n = (1 << 30) // (8 * 258)
    before, after = IN_ITERATION.split(b"@")
    whole = Child(before + b"A", b"A" * (8 * 258 * 1000), n // 1000, after)
    check(tmp_path, whole, whole.gzip(hostile.endless_matches(n // 1000 * 1000)), "--threads", threads)


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("kind", ["stored", "fixed"])
def test_a_million_empty_blocks(tmp_path, threads, kind):
    before, after = IN_ITERATION.split(b"@")
    whole = Child(before, b"", 0, after)
    blocks = [hostile.EMPTY_STORED_BLOCK * 1000000] if kind == "stored" else hostile.empty_fixed_blocks(1000000)
    code, peak, reader, err = merge(tmp_path, whole.gzip(blocks), "--threads", threads)
    assert code == OK, err
    assert (reader.length, reader.crc) == (len(text_merged := one(before + after)), zlib.crc32(text_merged))
    assert peak <= LIMIT, f"{peak / MIB:.1f} MiB"


def one(data):
    return hostile.oracle.merge([data])


@pytest.mark.parametrize("threads", THREADS)
def test_blocks_of_one_literal(tmp_path, threads):
    """Three hundred bytes of header for each byte of text."""
    before, after = IN_ITERATION.split(b"@")
    whole = Child(before, b"A", 100000, after)
    block = hostile.block_of_one_literal(ord("A"))
    assert len(block) > 250
    check(tmp_path, whole, whole.gzip(block * 1000 for _ in range(100)), "--threads", threads)


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("flag", [b"\x08", b"\x10"], ids=["name", "comment"])
def test_gzip_header_of_a_gigabyte(tmp_path, threads, flag):
    def pieces():
        yield b"\x1f\x8b\x08" + flag + b"\0\0\0\0\0\x03"
        for _ in range(1000):
            yield b"x" * 1000000
        yield b"\0" + child("a")[10:]
    code, peak, reader, err = merge(tmp_path, pieces(), "--threads", threads)
    assert code == OK, err
    assert reader.length == len(one(text("a"))) and peak <= LIMIT


# What is 100 MiB long, where @ stands, is: kept, dropped, or refused.
LONG = {
    "database": (text("a", database="@"), OK),
    "header field": (text("a", version="@"), OK),
    "comment before the root": (text("a").replace(b"<BlastOutput>", b"<!--@--><BlastOutput>"), OK),
    "system identifier": (text("a").replace(b"http://", b"@"), OK),
    "instruction": (text("a", extra="<?a @?>"), OK),
    "CDATA": (text("a", extra="<![CDATA[@]]>"), OK),
    "attribute": (text("a", extra="<x a='@'/>"), OK),
    "number": (text("a").replace(b"num>1<", b"num>@<"), OK),
    "number with markup": (text("a").replace(b"num>1<", b"num><b>@</b><"), OK),
    "extra number": (text("a", extra="<Iteration_iter-num>@</Iteration_iter-num>"), OK),
    "missing number": (text("a").replace(b"  <Iteration_iter-num>1</Iteration_iter-num>", b"@"), OK),
    "text between Iterations": (text("a", "b").replace(b"</Iteration>\n<Iteration>", b"</Iteration>@<Iteration>"), OK),
    "text without Iterations": (text().replace(b"<BlastOutput_iterations>\n", b"<BlastOutput_iterations>\n@"), OK),
    "epilogue": (text("a") + b"<!--@-->", OK),
    "tag name": (text("a", extra="<@/>"), DATA),
    "end tag's name": (text("a", extra="<a></@>"), DATA),
    "attribute's name": (text("a", extra="<a @='1'/>"), DATA),
    "instruction's target": (text("a", extra="<?@?>"), DATA),
    "encoding": (text("a").replace(b'"1.0"?', b'"1.0" encoding="@"?'), DATA),
    "entity": (text("a", extra="&@;"), DATA),
    "DOCTYPE's name": (text("a").replace(b"DOCTYPE BlastOutput", b"DOCTYPE @"), DATA),
    "no XML": (b"@", DATA),
}


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("name", LONG)
def test_long_things(tmp_path, threads, name):
    skeleton, expected_code = LONG[name]
    # Where the hole may not be empty, the oracle needs a filling of its own: @ is none of a name.
    whole = Child.from_skeleton(skeleton, b"MKVLAAGIVG", 100 * MIB)
    code, peak, reader, err = merge(tmp_path, whole.gzip(), "--threads", threads)
    assert code == expected_code, err
    assert peak <= LIMIT, f"{peak / MIB:.1f} MiB"
    assert len(err) < 2000
    if code == OK:
        assert reader.is_whole
        if name not in ("epilogue", "missing number") and (merged := whole.merged()):
            assert (reader.length, reader.crc) == merged.length_and_crc


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("blank", [b" ", b"\n", b"\t \r\n"])
def test_blanks_of_20_mib(tmp_path, threads, blank):
    """Blanks may be indentation: they are not held back for that."""
    for skeleton in (text("a").replace(b"</BlastOutput_iter", b"@</BlastOutput_iter"),
                     text("a").replace(b"<BlastOutput_iterations>", b"<BlastOutput_iterations>@"),
                     text("a").replace(b"  <Iteration_iter-num>1</Iteration_iter-num>\n", b"@"),
                     text("a").replace(b"</Iteration>", b"<Iteration_iter-num>2</Iteration_iter-num>@</Iteration>")):
        whole = Child.from_skeleton(skeleton, blank, 20 * MIB)
        code, peak, reader, err = merge(tmp_path, whole.gzip(), "--threads", threads)
        assert code == OK, err
        assert reader.is_whole and peak <= LIMIT, f"{peak / MIB:.1f} MiB"


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("name, unit, expected_code", [
    ("Iterations", b"<Iteration/>", OK), ("documents", b"", OK), ("nested elements", b"<a>", DATA),
    ("elements", b"<a>&amp;</a><b c='1'/>", OK), ("comments", b"<!--a-->", OK), ("hits", b"<Hit><Hsp/></Hit>", OK)])
def test_many_things(tmp_path, threads, name, unit, expected_code):
    skeleton = text("a", extra="@") if name not in ("Iterations", "documents") else text("a").replace(
        b"</BlastOutput_iterations>", b"@</BlastOutput_iterations>")
    if name == "documents":
        skeleton, unit = text("a") + b"@" + text("b"), text("c", "d")
    whole = Child.from_skeleton(skeleton, unit, 50 * MIB)
    code, peak, reader, err = merge(tmp_path, whole.gzip(), "--threads", threads)
    assert code == expected_code, err
    assert peak <= LIMIT, f"{peak / MIB:.1f} MiB"
    assert code != OK or reader.is_whole


@pytest.mark.parametrize("threads", THREADS)
def test_a_million_members(tmp_path, threads):
    empty = forms.member(b"")
    pieces = [forms.member(text("a")), *[empty * 1000] * 1000, bytes(100 * MIB), forms.member(b"\n")]
    code, peak, reader, err = merge(tmp_path, pieces, "--threads", threads)
    assert code == OK, err
    assert reader.is_whole and peak <= LIMIT


def check_many(tmp_path, folder, n_children, threads):
    """What is promised: the limit, the names, and PER_CHILD bytes for each child; resident, and as the library counts it."""
    (tmp_path / "child").write_bytes(child("a"))
    names = []
    for i in range(n_children):
        names.append(f"{folder}/batch_{i}.xml.gz")
        os.link(tmp_path / "child", names[-1]) if i % 30000 else shutil.copy(tmp_path / "child", names[-1])
        if i % 30000 == 0:  # a file has 65,000 names at most
            (tmp_path / "child").unlink()
            os.link(names[-1], tmp_path / "child")
    (tmp_path / "names").write_text("\n".join(names))
    command = [TIME, "-f", "%M", "-o", tmp_path / "peak", PROGRAM, "--threads", threads, "--quiet", "--report",
               tmp_path / "report", "-o", tmp_path / "merged", "--files-from", tmp_path / "names"]
    subprocess.run(command, check=True)
    promised = LIMIT + beyond_two(threads) + sum(len(name) + 1 for name in names) + PER_CHILD * n_children
    resident = peak_in(tmp_path / "peak")
    report = json.loads((tmp_path / "report").read_bytes())
    print(f"{n_children} children: {resident / MIB:.1f} MiB resident, {report['peak_memory'] / MIB:.1f} MiB counted, {promised / MIB:.1f} MiB promised")
    assert resident <= promised and report["peak_memory"] <= promised
    assert len(report["children"]) == n_children
    assert len(report["warnings"]) <= 20
    assert text_of((tmp_path / "merged").read_bytes()).count(b"<Iteration>") == n_children


@pytest.mark.parametrize("threads, n_children", [("1", 1000), ("2", 1000), ("8", 1000), ("1", 30000), ("2", 30000), ("8", 30000), ("2", 100000)])
def test_many_children(tmp_path, threads, n_children):
    check_many(tmp_path, tmp_path, n_children, threads)


@pytest.mark.parametrize("memory", [None, "16M", "30M"])
@pytest.mark.parametrize("threads", ["2", "8", "64"])
def test_children_before_their_turn(tmp_path, threads, memory):
    """As many as may be open, each long enough for all the memory that one may take."""
    one_child = text(*["a"] * 10000)
    paths = write_children(tmp_path, [forms.member(one_child, 1)] * max(6, int(threads) + 2))
    limit = ["--memory", memory] if memory else []
    subprocess.run([TIME, "-f", "%M", "-o", tmp_path / "peak", PROGRAM, "--threads", threads, "--quiet", *limit, "--report",
                    tmp_path / "report", "-o", tmp_path / "merged", *paths], check=True)
    report = json.loads((tmp_path / "report").read_bytes())
    promised = int(memory[:-1]) * MIB if memory else LIMIT + beyond_two(threads)
    print(f"{threads} threads: {peak_in(tmp_path / 'peak') / MIB:.1f} MiB resident, {report['peak_memory'] / MIB:.1f} MiB counted")
    assert peak_in(tmp_path / "peak") <= promised and report["peak_memory"] <= promised
    assert report["peak_memory"] > 8 * MIB  # the children do wait there


def test_too_little_memory(tmp_path):
    done = run("--memory", "15M", *write_children(tmp_path, [child("a")]))
    assert (done.code, done.out) == (NO_MEMORY, b"")
    assert "15360 KiB of memory are too little: at least 16 MiB are needed" in done.err


@pytest.mark.parametrize("threads", THREADS)
def test_long_names(tmp_path, threads):
    """3.5 KB each: nothing but the names comes to what short ones take."""
    folder = tmp_path
    while len(str(folder)) < 3300:
        folder = folder / ("n" * 200)
    folder.mkdir(parents=True)
    check_many(tmp_path, folder, 10000, threads)


def test_what_a_child_costs(tmp_path):
    """The difference that more children make, without the slack that the limit has."""
    (tmp_path / "child").write_bytes(child("a"))
    peaks = []
    for n_children in (1000, 31000):
        (tmp_path / "names").write_text("child\n" * n_children)
        run("-f", "--threads", "1", "--quiet", "--report", tmp_path / "report", "-o", tmp_path / "merged", "--files-from",
            tmp_path / "names", cwd=tmp_path)
        peaks.append(json.loads((tmp_path / "report").read_bytes()))
    counted, resident = ((peaks[1][of] - peaks[0][of]) / 30000 - len("child") - 1 for of in ("peak_memory", "peak_resident"))
    print(f"{counted:.1f} bytes counted, {resident:.1f} resident")
    assert counted <= PER_CHILD and resident <= PER_CHILD


# --- salvage ------------------------------------------------------------------------------------------

N_LARGE = 1000  # Iterations of 200 KB
FILLER = RESIDUES * (200000 // len(RESIDUES))


def large_iterations():
    prologue, iteration, epilogue = re.fullmatch(rb"(.*?)(<Iteration>.*</Iteration>\n)(.*)", text("a"), re.DOTALL).groups()
    yield prologue
    for number in range(1, N_LARGE + 1):
        yield iteration.replace(b">1<", b">%d<" % number).replace(b"MKV", FILLER)
    yield epilogue


def packed(pieces):
    """One member of all pieces, whose deflate data may be shared where they are alike."""
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    for piece in pieces:
        yield packer.compress(piece)
    yield packer.flush()


def cut(pieces):
    """Without the last ones."""
    pieces = list(pieces)
    return pieces[:len(pieces) * 3 // 4]


def garbled(pieces, every):
    for number, piece in enumerate(pieces):
        yield piece.replace(b"<Hsp>", b"<Hsp\1", 1) if number % every == every // 2 else piece


def members(every):
    for number, piece in enumerate(large_iterations()):
        member = forms.member(piece, 1)
        yield member[:-8] + bytes(8) if number % every == every // 2 else member


# The child; how many of its Iterations are merged, where that is known beforehand.
SALVAGED = {
    "cut gzip": (lambda: cut(packed(large_iterations())), None),
    "cut plain": (lambda: cut(large_iterations()), N_LARGE * 3 // 4),
    "garbled": (lambda: packed(garbled(large_iterations(), 50)), N_LARGE - 20),
    "garbled too often": (lambda: garbled(large_iterations(), 4), None),
    "members": (lambda: members(50), N_LARGE - 20),
    "members, too many": (lambda: members(3), None),
    "one Iteration": (lambda: cut(packed(Child.from_skeleton(IN_ITERATION, RESIDUES, 200 * MIB).plain())), 1),
    "many beginnings": (lambda: packed([text("a").split(b"</BlastOutput_iter")[0], *[b"<Iteration>\n" * 100000] * 100]), 1),
    "headers of gzip": (lambda: [b"\x1f\x8b\x08\0\0\0\0\0\0\3" * 100000] * 100, 0),
}


@pytest.mark.parametrize("threads", ["1", "8"])
@pytest.mark.parametrize("name", SALVAGED)
def test_salvage(tmp_path, name, threads):
    make, n_expected = SALVAGED[name]
    paths = write_children(tmp_path, [child("a"), b""])
    with open(paths[1], "wb") as file:
        for piece in make():
            file.write(piece)
    command = [TIME, "-f", "%M", "-o", tmp_path / "peak", PROGRAM, "--salvage", "--threads", threads, "--report", tmp_path / "report",
               "-o", tmp_path / "merged", *paths]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == 11, done.stderr
    row = json.loads((tmp_path / "report").read_bytes())["children"][1]
    print(f"{name}: {row['iterations']} Iterations, {len(row['lost'])} lost stretches, {peak_in(tmp_path / 'peak') / MIB:.1f} MiB")
    assert peak_in(tmp_path / "peak") <= LIMIT
    assert row["iterations"] == n_expected if n_expected is not None else row["iterations"] > 60
    paths[1].unlink()


def test_what_the_program_says_of_itself(tmp_path):
    """Its own memory, as the library counts it and as it is resident (what is held need not all be touched): neither is its parent's."""
    path = write_children(tmp_path, [child("a")])[0]
    done = run("--verbose", "-o", tmp_path / "merged", path)
    assert "memory" in done.err
    large_parent = ("import subprocess, sys; x = b'a' * 100000000; "
                    "sys.exit(subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode)")
    subprocess.run([sys.executable, "-c", large_parent, PROGRAM, "--report", tmp_path / "report", path], check=True)
    report = json.loads((tmp_path / "report").read_bytes())
    assert 0 < report["peak_memory"] < LIMIT and 0 < report["peak_resident"] < LIMIT
