# SPDX-License-Identifier: MIT
"""Children that zstd, xz, bzip2 or lz4 has compressed: each tool's own output, in its usual and its odd forms."""
import json
import os
import re
import shutil
import subprocess

import pytest

import program
import small
from answers import Answers, head, part
from program import DATA, IO, OK, PROGRAM, run
from shards import made_shard

NO_MEMORY = 10
NAMES = ["zstd", "xz", "bzip2", "lz4"]
COMMANDS = {
    "zstd": [["zstd", "-q"], ["zstd", "-q", "-1"], ["zstd", "-q", "-19"], ["zstd", "-q", "-22", "--ultra"], ["zstd", "-q", "--long"],
             ["zstd", "-q", "-T2", "-B1000"], ["pzstd", "-q", "-p", "2"]],
    "xz": [["xz"], ["xz", "-0"], ["xz", "-9e"], ["xz", "-T2", "--block-size=2000"], ["xz", "-C", "crc32"], ["xz", "-C", "sha256"],
           ["xz", "--x86", "--lzma2"]],
    "bzip2": [["bzip2"], ["bzip2", "-1"]],
    "lz4": [["lz4", "-q"], ["lz4", "-q", "-9"], ["lz4", "-q", "-B4", "-BX"], ["lz4", "-q", "-BD"], ["lz4", "-q", "--content-size"]],
}
UNCHECKED = {"zstd": ["zstd", "-q", "--no-check"], "xz": ["xz", "-C", "none"], "lz4": ["lz4", "-q", "--no-frame-crc"]}


@pytest.fixture(autouse=True, scope="module")
def with_all():
    """A build without the libraries proves nothing here, and says so."""
    kinds = re.search("other compressions: ([^;]*)", run("--version").out.decode()).group(1)
    if kinds == "none":
        pytest.skip("this blastmerge was built without other compressions: NOTHING IS PROVED")
    assert kinds.split(", ") == NAMES
    missing = [tool for tool in [*NAMES, "pzstd"] if not shutil.which(tool)]
    assert not missing, f"{missing} missing: apt install zstd xz-utils bzip2 lz4"


def compressed(command, data):
    return subprocess.run([*command, "-c"], input=data, stdout=subprocess.PIPE, check=True).stdout


def document(*queries):
    """So long that it takes several batches."""
    return small.text(*queries, *(f"{queries[0]} {number}" for number in range(1000)))


TEXTS = [document("a"), document("b", "c"), small.text("d")]


def put(folder, texts, command, name="child"):
    paths = []
    for number, data in enumerate(texts):
        paths.append(folder / f"{name}{number}.out")
        paths[-1].write_bytes(compressed(command, data))
    return paths


@pytest.fixture(name="expected", scope="module")
def make_expected(tmp_path_factory):
    folder = tmp_path_factory.mktemp("expected")
    return run(*put(folder, TEXTS, ["gzip"])).text


@pytest.mark.parametrize("command", [command for name in NAMES for command in COMMANDS[name]], ids=" ".join)
@pytest.mark.parametrize("threads", [1, 2])
def test_merged(tmp_path, expected, command, threads):
    paths = put(tmp_path, TEXTS, command)
    done = run("--threads", threads, *paths)
    assert (done.text, done.err) == (expected, "")
    assert run("check", *paths).code == OK
    assert run("--threads", 2, "--level", 9, *paths).text == expected


@pytest.mark.parametrize("name", NAMES)
def test_all_kinds_at_once(tmp_path, expected, name):
    """One of each, with gzip and plain text; from standard input; and the report."""
    first, = put(tmp_path, TEXTS[:1], COMMANDS[name][0])
    second, = put(tmp_path, TEXTS[1:2], ["gzip"], "gzip")
    (tmp_path / "plain").write_bytes(TEXTS[2])
    with open(first, "rb") as file:
        done = run("--report", tmp_path / "report", "-", second, tmp_path / "plain", stdin=file)
    assert done.text == expected
    row = json.loads((tmp_path / "report").read_bytes())["children"][0]
    assert (row["compressed_bytes"], row["text_bytes"]) == (first.stat().st_size, len(TEXTS[0]))


@pytest.mark.parametrize("name", NAMES)
def test_several_frames(tmp_path, name):
    data = TEXTS[0]
    frames = [compressed(COMMANDS[name][0], data[at:at + 5000]) for at in range(0, len(data), 5000)]
    (tmp_path / "child").write_bytes(b"".join(frames))
    assert run(tmp_path / "child").text == run("-", input=data).text


@pytest.mark.parametrize("name", NAMES)
def test_cut(tmp_path, name):
    whole, cut = put(tmp_path, TEXTS[:2], COMMANDS[name][0])
    data = cut.read_bytes()
    for n in (9, len(data) // 2, len(data) - 1):
        cut.write_bytes(data[:n])
        done = run("-o", tmp_path / "merged", whole, cut)
        assert done.code == DATA and f"child1.out: the {name} data is cut short" in done.err
        assert not (tmp_path / "merged").exists()
        assert run("check", whole, cut).code == DATA


@pytest.mark.parametrize("name", NAMES)
def test_damaged(tmp_path, name):
    path, = put(tmp_path, TEXTS[:1], COMMANDS[name][0])
    data = path.read_bytes()
    path.write_bytes(data[:-9] + bytes([data[-9] ^ 4]) + data[-8:])
    done = run("-o", tmp_path / "merged", path)
    assert done.code == DATA and f"{name} data" in done.err
    assert not (tmp_path / "merged").exists()


@pytest.mark.parametrize("name", [*NAMES, "gzip"])
def test_checks_do_not_depend_on_threads(tmp_path, name):
    """The rows of a check, also of damaged children, which are read ahead as far as there are threads for it."""
    paths = put(tmp_path, [document("a"), document("b") * 8, document("c")], [name])
    data = bytearray(paths[1].read_bytes())
    data[len(data) // 2] ^= 4
    paths[1].write_bytes(data)
    reports = []
    for threads in (1, 2, 4):
        done = run("check", "--threads", threads, "--report", tmp_path / "report", *paths)
        assert done.code == DATA, done.err
        reports.append(json.loads((tmp_path / "report").read_bytes())["children"])
        (tmp_path / "report").unlink()
    assert reports[0] == reports[1] == reports[2]
    assert [row["compressed_bytes"] for row in reports[0]] == [path.stat().st_size for path in paths]


@pytest.mark.parametrize("name", ["bzip2", "lz4"])
def test_damage_that_the_text_shows_first(tmp_path, name):
    path, = put(tmp_path, TEXTS[:1], COMMANDS[name][0])
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(data)
    done = run(path)
    assert done.code == DATA and "its compressed data is damaged, too, which explains it" in done.err


@pytest.mark.parametrize("name", ["zstd", "bzip2", "lz4"])
def test_salvaged(tmp_path, name):
    """Of a damaged frame nothing is known; those before it are whole."""
    data = TEXTS[0]
    half = data.index(b"<Iteration>", len(data) // 2)
    frames = [compressed(COMMANDS[name][0], piece) for piece in (data[:half], data[half:])]
    frames[1] = frames[1][:40] + bytes([frames[1][40] ^ 255]) + frames[1][41:]
    (tmp_path / "child").write_bytes(b"".join(frames))
    done = run("--salvage", tmp_path / "child")
    assert "lost: its text from byte" in done.err
    assert program.text_of(done.out).count(b"<Iteration>") == data[:half].count(b"<Iteration>")


SMALL_BLOCKS = {"zstd": ["zstd", "-q"], "xz": ["xz"], "bzip2": ["bzip2", "-1"], "lz4": ["lz4", "-q", "-B4"]}


@pytest.mark.parametrize("name", NAMES)
def test_salvaged_of_a_cut(tmp_path, name):
    """All Iterations that are whole in what the library hands out of a frame that is cut short: at least what its own tool writes."""
    text = small.text(*(f"query {number}" for number in range(5000)))
    data = compressed(SMALL_BLOCKS[name], text)
    whole, path = text.split(b"</Iteration>\n"), tmp_path / "child"
    n_of_cuts = []
    for n in (len(data) // 10, len(data) // 2, len(data) * 9 // 10, len(data) - 1):
        path.write_bytes(data[:n])
        shown = subprocess.run([name, "-dc"], input=data[:n], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False).stdout
        assert text.startswith(shown)
        n_least = shown.count(b"</Iteration>\n")
        done = run("--salvage", "--plain", "--report", tmp_path / "report", path)
        if done.code == DATA:
            assert n_least == 0 and "nothing could be salvaged" in done.err
            n_of_cuts.append(0)
            continue
        row = json.loads((tmp_path / "report").read_bytes())["children"][0]
        (tmp_path / "report").unlink()
        assert f"the {name} data is cut short" in done.err and row["unchecked_iterations"] == row["iterations"] >= n_least
        assert done.out.split(b"</Iteration>\n")[1:-1] == whole[1:row["iterations"]]
        n_of_cuts.append(row["iterations"])
    assert n_of_cuts == sorted(n_of_cuts) and n_of_cuts[0] < n_of_cuts[1] < n_of_cuts[2] and n_of_cuts[2] > 2500


@pytest.mark.parametrize("name", UNCHECKED)
def test_no_checksum(tmp_path, expected, name):
    done = run(*put(tmp_path, TEXTS, UNCHECKED[name]))
    assert done.text == expected
    warning, = done.warnings
    assert f"its {name} data has no checksum" in warning and "2 more children" in warning


@pytest.mark.parametrize("command, words", [
    (["zstd", "-q", "--long=28"], "its zstd data takes more than 128 MiB"),
    (["xz", "--lzma2=dict=256MiB"], "its xz data takes more than 128 MiB")], ids=str)
def test_too_much_memory(tmp_path, command, words):
    path, = put(tmp_path, TEXTS[:1], command)  # from a pipe: zstd does not know that less would do
    done = run(path)
    assert done.code == NO_MEMORY and words in done.err and "decompress it first" in done.err


LARGE = {"zstd": ["zstd", "-q", "--long=26"], "xz": ["xz", "-9"], "bzip2": ["bzip2"], "lz4": ["lz4", "-q"]}
NEEDED = {"zstd": 65, "xz": 65, "bzip2": 4, "lz4": 1}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("threads", [1, 2, 4])
@pytest.mark.parametrize("memory", [16, 40, 100, 200, 400])
def test_memory_that_is_allowed(tmp_path, expected, name, threads, memory):
    """What libraries allocate counts, too. If it does not fit for all, fewer are read ahead; if not for one, it is refused."""
    report = tmp_path / "report"
    paths = put(tmp_path, TEXTS * 2, LARGE[name])
    done = run("--threads", threads, "--memory", f"{memory}M", "--report", report, *paths)
    if done.code == NO_MEMORY:
        words = rf"child0.out: its {name} data takes {NEEDED[name]} MiB of memory to decompress, and the merge leaves (\d+) MiB"
        left = int(re.search(words, done.err).group(1))
        assert left < NEEDED[name] and left >= memory - 16 - 6 * max(0, threads - 2) - 1
        return
    assert done.code == OK and memory > NEEDED[name], done.err
    assert done.text.count(b"<Iteration>") == 2 * expected.count(b"<Iteration>")
    peak = json.loads(report.read_bytes())["peak_memory"]
    assert NEEDED[name] - 1 << 20 < peak <= memory << 20


def test_a_frame_that_needs_what_children_ahead_have(tmp_path):
    """They give way, and are read again at their turn. From a pipe, only the current child takes any."""
    first = compressed(["zstd", "-q"], TEXTS[0][:4000]) + compressed(LARGE["zstd"], TEXTS[0][4000:])
    (tmp_path / "first").write_bytes(first)
    others = put(tmp_path, TEXTS[1:] * 2, LARGE["xz"])
    expected = run("--threads", 1, tmp_path / "first", *others).text
    for threads in (1, 2, 4, 8):
        done = run("--threads", threads, "--memory", "140M", tmp_path / "first", *others)
        assert (done.code, done.text) == (OK, expected), done.err
        with open(tmp_path / "first", "rb") as file:
            done = run("--threads", threads, "--memory", "140M", *others, "-", stdin=file)
        assert done.code == OK, done.err
        assert run("check", "--threads", threads, "--memory", "140M", tmp_path / "first", *others).code == OK


@pytest.mark.parametrize("name", ["zstd", "xz"])
def test_memory_for_shards(tmp_path, name):
    """All of them are open at once."""
    texts = [made_shard([[("low", "0", 700)]], 2).encode(), made_shard([[("less", "1e-200", 699)]], 2).encode()]
    paths = put(tmp_path, texts, LARGE[name])
    done = run("shards", "--memory", "100M", *paths)
    assert done.code == NO_MEMORY and f"its {name} data takes 65 MiB of memory to decompress, and the merge leaves 25 MiB" in done.err
    done = run("shards", "--memory", "400M", *paths)
    assert done.code == NO_MEMORY and "of which other children take a part" in done.err
    assert run("shards", "--memory", "600M", *paths).code == OK


def test_a_dictionary(tmp_path):
    (tmp_path / "dictionary").write_bytes(TEXTS[2] * 2)
    path, = put(tmp_path, TEXTS[:1], ["zstd", "-q", "-D", tmp_path / "dictionary"])
    done = run(path)
    assert done.code in (DATA, program.USAGE) and "zstd data" in done.err


@pytest.mark.parametrize("name", NAMES)
def test_empty(tmp_path, name):
    path, = put(tmp_path, [b""], COMMANDS[name][0])
    done = run(path)
    assert done.code == DATA and "holds nothing" in done.err
    assert run("--allow-empty", path, "-", input=TEXTS[0]).code == OK


@pytest.mark.parametrize("name", NAMES)
def test_shards(tmp_path, name):
    texts = [made_shard([[("low", "0", 700)]], 2).encode(), made_shard([[("less", "1e-200", 699)]], 2).encode()]
    expected = run("shards", "--plain", *put(tmp_path, texts, ["gzip"]))
    done = run("shards", "--plain", *put(tmp_path, texts, COMMANDS[name][0]))
    assert (done.code, done.out) == (OK, expected.out) and expected.out


@pytest.mark.parametrize("name", NAMES)
def test_remote(tmp_path, expected, name):
    if "with libcurl" not in run("--version").out.decode():
        pytest.skip("this blastmerge was built without object storage")
    children = {path.name: path.read_bytes() for path in put(tmp_path, TEXTS, COMMANDS[name][0])}

    def answer(request):
        data = children.get(request.path[1:])
        return [head(404, Content_Length=0)] if data is None else part(data, request, ETag='"1"')
    with Answers(answer) as server:
        done = run(*(f"{server.url}/{path}" for path in children), env=dict(os.environ, no_proxy="*"))
    assert done.text == expected


@pytest.mark.parametrize("name, library", [("zstd", "libzstd.so.1"), ("xz", "liblzma.so.5"), ("bzip2", "libbz2.so.1"),
                                           ("lz4", "liblz4.so.1")])
def test_no_library(tmp_path, name, library):
    """Nothing else needs it; and one that lacks a function is not called."""
    path, = put(tmp_path, TEXTS[2:], COMMANDS[name][0])
    (tmp_path / "libraries").mkdir()
    environment = dict(os.environ, LD_LIBRARY_PATH=str(tmp_path / "libraries"))
    (tmp_path / "libraries" / library).write_bytes(b"")
    (tmp_path / "libraries" / "libbz2.so.1.0").write_bytes(b"")
    done = run(path, env=environment)
    assert done.code == IO and f"it is {name} data, and its library cannot be loaded (" in done.err and library in done.err
    assert run("-", input=TEXTS[2], env=environment).code == OK
    (tmp_path / "libraries" / library).unlink()
    (tmp_path / "libraries" / "libbz2.so.1.0").unlink()
    another = re.search(r"=> (/.*/libz\.so\S*)", subprocess.run(["ldd", PROGRAM], stdout=subprocess.PIPE, text=True, check=True).stdout)
    if another is None:
        pytest.skip("the program is not linked to a libz.so that could take the library's place")
    for link in (library, "libbz2.so.1.0"):
        (tmp_path / "libraries" / link).symlink_to(another.group(1))
    done = run(path, env=environment)
    assert done.code == IO and "(it has no " in done.err


def test_lz4_of_old(tmp_path):
    """Its frames do not say where they end, and have no checksum."""
    path, = put(tmp_path, TEXTS[:1], ["lz4", "-q", "-l"])
    done = run(path)
    assert done.code == DATA and "its lz4 data is in lz4's old format" in done.err and "(lz4 -d)" in done.err


@pytest.mark.parametrize("ending", ["zst", "XZ", "bz2", "lz4"])
def test_names_of_outputs(tmp_path, expected, ending):
    """The result is none of these, so its name must not say so, unless the form is given."""
    paths, target = put(tmp_path, TEXTS, ["gzip"]), tmp_path / f"merged.xml.{ending}"
    for command in ([], ["get", "--numbers", "1"]):
        done = run(*command, "-o", target, *(paths[:1] if command else paths))
        assert done.code == program.USAGE and "choose another name (.gz), or give --gzip" in done.err
        assert not target.exists()
    assert run("--gzip", "-o", target, *paths).code == OK
    assert program.text_of(target.read_bytes()) == expected
    assert run("--force", "--plain", "-o", target, *paths).code == OK
    assert target.read_bytes() == expected
