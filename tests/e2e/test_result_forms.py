# SPDX-License-Identifier: MIT
"""The form of a result: what its name and the options say, and BGZF as other programs read it."""
import gzip
import json
import os
import random
import shutil
import subprocess
import zlib

import pytest
from Bio import bgzf

from corpus_formats import convert
from program import OK, PROGRAM, ROOT, USAGE, run, text_of
from small import child

END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
PLAIN, GZIP, BGZF = "plain", "gzip", "bgzf"


@pytest.fixture(name="here", scope="module")
def make_here(tmp_path_factory):
    """Children whose text is several members long, and the merged text."""
    here = tmp_path_factory.mktemp("forms")
    for i in range(3):
        (here / f"c{i}.gz").write_bytes(child(*(f"query {i} {k}" for k in range(700))))
    (here / "text").write_bytes(run("--plain", *children(here)).out)
    assert (here / "text").stat().st_size > 5 * 65280
    return here


def children(here):
    return [here / f"c{i}.gz" for i in range(3)]


def form_of(data):
    if data[:2] != b"\x1f\x8b":
        return PLAIN
    return BGZF if data[3] & 4 else GZIP


def read(data):
    """The text of a result in any form, which must be whole."""
    form = form_of(data)
    if form == PLAIN:
        return data
    if form == GZIP:
        return text_of(data)
    assert data.endswith(END)
    return gzip.decompress(data)


NAMES = [("merged.gz", GZIP), ("merged.xml.gz", GZIP), ("merged", GZIP), ("merged.out", GZIP), (".xml", GZIP),
         ("merged.xml", PLAIN),
         ("merged.json", PLAIN), ("merged.tsv", PLAIN), ("merged.csv", PLAIN), ("merged.txt", PLAIN), ("merged.tab", PLAIN),
         ("merged.asn", PLAIN),
         ("merged.XML", PLAIN), ("merged.Txt", PLAIN), ("merged.bgz", BGZF), ("merged.xml.BGZ", BGZF)]


@pytest.mark.parametrize("name, form", NAMES)
def test_the_name_decides(here, tmp_path, name, form):
    done = run("-o", tmp_path / name, "--report", tmp_path / "report", *children(here))
    assert (done.code, done.err) == (OK, "")
    data = (tmp_path / name).read_bytes()
    assert form_of(data) == form and read(data) == (here / "text").read_bytes()
    report = json.loads((tmp_path / "report").read_bytes())
    assert report["options"]["form"] == form and report["options"]["plain"] is (form == PLAIN)
    assert report["output"]["bytes"] == len(data) and report["output"]["crc32"] == f"{zlib.crc32(read(data)):08x}"


@pytest.mark.parametrize("name", ["merged.gz", "merged.xml", "merged.bgz", "merged"])
@pytest.mark.parametrize("options, form", [
    (["--plain"], PLAIN), (["--gzip"], GZIP), (["--bgzf"], BGZF), (["--plain", "--gzip"], GZIP), (["--gzip", "--plain"], PLAIN),
    (["--gzip", "--bgzf"], BGZF), (["--gzip", "-9"], GZIP), (["--bgzf", "-1"], BGZF), (["--plain", "-9"], PLAIN)], ids=str)
def test_options_win(here, tmp_path, name, options, form):
    done = run(*options, "-o", tmp_path / name, *children(here))
    assert (done.code, done.err) == (OK, "")
    data = (tmp_path / name).read_bytes()
    assert form_of(data) == form and read(data) == (here / "text").read_bytes()


def test_standard_output_and_devices(here, tmp_path):
    for options, form in ([], GZIP), (["--bgzf"], BGZF), (["--gzip"], GZIP), (["-o", "-"], GZIP):
        done = run(*options, *children(here))
        assert done.code == OK and form_of(done.out) == form and read(done.out) == (here / "text").read_bytes()
    os.mkfifo(tmp_path / "pipe.xml")
    with subprocess.Popen([PROGRAM, "-o", tmp_path / "pipe.xml", *children(here)]) as process:
        assert (tmp_path / "pipe.xml").read_bytes() == (here / "text").read_bytes()
    assert process.returncode == OK
    (tmp_path / "target.gz").write_bytes(b"")
    (tmp_path / "link.xml").symlink_to("target.gz")
    assert run("-f", "-o", tmp_path / "link.xml", *children(here)).code == OK
    assert (tmp_path / "target.gz").read_bytes() == (here / "text").read_bytes()


def test_a_level_that_the_name_makes_useless(here, tmp_path):
    done = run("-9", "-o", tmp_path / "merged.xml", *children(here))
    assert done.code == OK and form_of((tmp_path / "merged.xml").read_bytes()) == PLAIN
    assert len(done.warnings) == 1 and "merged.xml" in done.warnings[0] and "--gzip" in done.warnings[0]
    assert run("-q", "-f", "-9", "-o", tmp_path / "merged.xml", *children(here)).err == ""
    assert run("-9", "-o", tmp_path / "merged.bgz", *children(here)).err == ""


@pytest.mark.parametrize("option", ["--plain", "--gzip", "--bgzf"])
def test_other_commands_refuse(here, option):
    for command in (["check", here / "c0.gz"], ["finalize", "job.json"]):
        done = run(command[0], option, *command[1:])
        assert done.code == USAGE and option in done.err


# --- BGZF, as others read it -------------------------------------------------------------------------


@pytest.fixture(name="blocked", params=[["-o"], ["-1", "-o"], ["-9", "-t", "4", "-o"]], ids=str)
def make_blocked(here, tmp_path, request):
    if not shutil.which("bgzip"):
        pytest.skip("bgzip is missing (apt install tabix): NOTHING IS PROVED OF BGZF")
    assert run(*request.param, tmp_path / "merged.bgz", *children(here)).code == OK
    return tmp_path / "merged.bgz"


def test_bgzip_reads_it(here, blocked):
    text = (here / "text").read_bytes()
    for command in (["bgzip", "-t"], ["bgzip", "-r"]):
        subprocess.run([*command, blocked], check=True)
    for threads in ("1", "4"):
        done = subprocess.run(["bgzip", "-d", "-c", "-@", threads, blocked], check=True, capture_output=True)
        assert done.stdout == text and done.stderr == b""  # it warns of a missing end
    for offset in (0, 1, 65279, 65280, 65281, 200000, len(text) - 10):
        done = subprocess.run(["bgzip", "-b", str(offset), "-s", "1000", blocked], check=True, capture_output=True)
        assert done.stdout == text[offset:offset + 1000]


def test_its_blocks(here, blocked):
    """As Biopython finds them: each but the last two has 65280 bytes of text; the last has none."""
    text = (here / "text").read_bytes()
    with open(blocked, "rb") as file:
        blocks = list(bgzf.BgzfBlocks(file))
    lengths = [length for _, _, _, length in blocks]
    assert lengths == [65280] * (len(text) // 65280) + [len(text) % 65280, 0]
    assert all(raw <= 65536 for _, raw, _, _ in blocks) and blocked.read_bytes().endswith(END)
    assert subprocess.run(["gzip", "-dc", blocked], check=True, capture_output=True).stdout == text
    for start, raw, data_start, length in blocks:  # each by itself, without what is before it
        data = blocked.read_bytes()[start:start + raw]
        assert gzip.decompress(data) == text[data_start:data_start + length]


def test_the_same_bytes_with_any_threads_and_splits(here, tmp_path):
    made = run("--bgzf", *children(here)).out
    for threads in ("1", "2", "3", "8"):
        assert run("--bgzf", "-t", threads, *children(here)).out == made
    for i, path in enumerate(children(here)):  # however the children are compressed
        (tmp_path / f"c{i}").write_bytes(gzip.decompress(path.read_bytes()))
    assert run("--bgzf", *(tmp_path / f"c{i}" for i in range(3))).out == made
    (tmp_path / "one.xml").write_bytes((here / "text").read_bytes())
    assert run("--bgzf", "--keep-db", tmp_path / "one.xml").out == made  # and wherever one ends
    command = f"cat {here}/c1.gz | '{PROGRAM}' --bgzf {here}/c0.gz - {here}/c2.gz"
    slow = subprocess.run(["bash", "-c", command], capture_output=True, check=True)
    assert slow.stdout == made


def test_what_is_merged_is_a_child_again(here, blocked):
    again = run("--keep-db", "--plain", blocked)
    assert (again.code, again.err) == (OK, "") and again.out == (here / "text").read_bytes()


@pytest.mark.parametrize("name", ["xml2", "json", "commented", "tabular", "csv"])
def test_all_formats(tmp_path, name):
    paths = []
    for i, path in enumerate(sorted((ROOT / "tests" / "data").glob("batch_*.xml.gz"))):
        paths.append(tmp_path / f"c{i}")
        with gzip.open(path) as file:
            paths[-1].write_text("".join(convert(name, file)))
    plain = run("--plain", *paths)
    done = run("--bgzf", *paths)
    assert plain.code == done.code == OK, (plain.err, done.err)
    assert form_of(done.out) == BGZF and read(done.out) == plain.out


def test_an_empty_table(tmp_path):
    (tmp_path / "empty").write_bytes(b"")
    for name, text in ("tabular", b""), ("csv", b""), ("commented", b"# BLAST processed 0 queries\n"):
        done = run("--bgzf", "--allow-empty", "--format", name, tmp_path / "empty")
        assert done.code == OK and read(done.out) == text and (text or done.out == END)


def test_salvage(here, tmp_path):
    data = gzip.decompress((here / "c1.gz").read_bytes())
    (tmp_path / "cut").write_bytes(data[:len(data) // 2])
    plain = run("--salvage", "--plain", here / "c0.gz", tmp_path / "cut", here / "c2.gz")
    done = run("--salvage", "--bgzf", here / "c0.gz", tmp_path / "cut", here / "c2.gz")
    assert plain.code == done.code == 11 and read(done.out) == plain.out


def test_what_is_broken_off_lacks_the_end(here, tmp_path):
    """Its blocks are gzip members; but no reader of BGZF takes them for all."""
    dice = random.Random(1)
    rows = "".join(f"q{dice.getrandbits(64):x}\ts{dice.getrandbits(64):x}\t99.0\t10\t0\t0\t1\t10\t1\t10\t1e-5\t20.0\n"
                   for _ in range(20000))
    (tmp_path / "good").write_text(rows)
    (tmp_path / "bad").write_text(rows + "no row\n")
    done = run("--bgzf", "-t", "1", tmp_path / "good", tmp_path / "bad")
    assert done.code == 3 and done.out.startswith(b"\x1f\x8b") and not done.out.endswith(END)
    (tmp_path / "broken.bgz").write_bytes(done.out)
    tested = subprocess.run(["bgzip", "-t", tmp_path / "broken.bgz"], capture_output=True, check=False)
    assert b"EOF marker is absent" in tested.stderr
    assert run("check", tmp_path / "broken.bgz").code == 3
