# SPDX-License-Identifier: MIT
"""index and get: each query of a result, in every format, compressed by every program, against an oracle that finds the
Iterations by other means; names, numbers, lists; what is missing; indexes that are damaged, or another file's."""
import collections
import gzip
import io
import json
import lzma
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import time
import zlib
from dataclasses import dataclass
from pathlib import Path

import corpus
import corpus_formats
import pytest
from Bio.Blast import NCBIXML

from kills import FAULTS, tell
from program import CHANGED, DATA, EXISTS, NO_SPACE, NOT_FOUND, OK, PROGRAM, USAGE, run

N_MUTATIONS = int(os.environ.get("BLASTMERGE_TEST_MUTATIONS", "0")) or 60  # many more by night
FORMATS = ["xml", "xml2", "json", "commented", "tabular", "csv"]
IS_FULL = "BLASTMERGE_TEST_CASES" in os.environ  # by night: every level of every compressor
COMMANDS = {
    **{f"gzip-{level}": ["gzip", f"-{level}", "-c"] for level in (range(1, 10) if IS_FULL else (1, 9))},
    **{f"igzip-{level}": ["igzip", f"-{level}", "-c"] for level in (range(4) if IS_FULL else (0, 3))},
    **{f"libdeflate-{level}": ["libdeflate-gzip", f"-{level}", "-c"] for level in (range(1, 13) if IS_FULL else (1, 12))},
    "pigz": ["pigz", "-b", "128", "-c"], "pigz-1": ["pigz", "-1", "-i", "-c"], "bgzip": ["bgzip", "-c"],
}


@dataclass
class Result:
    """A result's text, and what the oracle finds in it."""
    name: str
    text: bytes
    header: bytes
    parts: list  # (id, first word, text) of each Iteration, or of each query's rows
    joint: bytes
    footer: bytes

    def document(self, numbers):
        """The document with these Iterations, from 0 on."""
        footer = self.footer
        if self.name == "commented":
            footer = b"# BLAST processed %d queries\n" % len(numbers)
        return self.header + self.joint.join(self.parts[i][2] for i in numbers) + footer


BORDERS = {"xml": rb"<Iteration>.*?</Iteration>", "xml2": rb"<BlastOutput2>.*?</BlastOutput2>",
           "json": rb'\{\n    "report": .*?\n  \}(?=\n)', "commented": rb"# BLASTP.*?(?=# BLASTP|# BLAST processed)"}
NAMES = {"xml": (rb"<Iteration_query-ID>(.*?)<", rb"<Iteration_query-def>(.*?)[ <]"), "xml2": (rb"<query-id>(.*?)<", rb"<query-title>(.*?)[ <]"),
         "json": (rb'"query_id": "(.*?)"', rb'"query_title": "(.*?)[ "]'), "commented": (None, rb"# Query: (\S*)")}


def parse(name, text):
    if name in ("tabular", "csv"):
        separator = b"," if name == "csv" else b"\t"
        parts = []
        for line in text.splitlines(keepends=True):
            word = line.split(separator)[0].decode()
            if parts and parts[-1][1] == word:
                parts[-1] = (None, word, parts[-1][2] + line)
            else:
                parts.append((None, word, line))
        return Result(name, text, b"", parts, b"", b"")
    found = list(re.finditer(BORDERS[name], text, re.DOTALL))
    assert len(found) > 2
    id_pattern, word_pattern = NAMES[name]
    parts = []
    for match in found:
        own_id = re.search(id_pattern, match[0])[1].decode() if id_pattern else None
        parts.append((own_id, re.search(word_pattern, match[0])[1].decode(), match[0]))
    joint = text[found[0].end():found[1].start()]
    return Result(name, text, text[:found[0].start()], parts, joint, text[found[-1].end():])


def make(name, n_queries=12, seed=5, **settings):
    data = corpus.texts(1, n_queries, seed, **settings)[0]
    if name != "xml":
        data = corpus_formats.converted(name, data)
    return parse(name, data)


@pytest.fixture(scope="module", params=FORMATS)
def result(request):
    return make(request.param)


def write(folder, data, how):
    """The text as a file of this kind."""
    path = Path(folder) / f"result.{how}"
    if how == "plain":
        path.write_bytes(data)
    elif how == "members":  # borders anywhere, an empty member, zeros behind some
        dice = random.Random(3)
        borders = sorted([0, len(data), *(dice.randrange(len(data)) for _ in range(7))])
        with path.open("wb") as file:
            for i, (begin, end) in enumerate(zip(borders, borders[1:])):
                file.write(gzip.compress(data[begin:end], 6) + bytes(i % 3) + (gzip.compress(b"") if i == 4 else b""))
    elif how == "merged":
        plain = Path(folder) / "plain"
        plain.write_bytes(data)
        done = run("--query-ids", "keep", "--keep-db", "--gzip", "-o", path, plain)
        assert done.code == OK, done.err
    else:
        path.write_bytes(subprocess.run(COMMANDS[how], input=data, stdout=subprocess.PIPE, check=True).stdout)
    return path


def get(path, *arguments, **options):
    done = run("get", path, *arguments, **options)
    assert done.code == OK, done.err
    return done.out


def index(path, *arguments):
    done = run("index", path, *arguments)
    assert done.code == OK, done.err
    return Path(f"{path}.bmi")


@pytest.mark.parametrize("how", [*COMMANDS, "plain", "members", "merged"])
def test_each_query(tmp_path, result, how):
    if how in COMMANDS and shutil.which(COMMANDS[how][0]) is None:
        pytest.fail(f"{COMMANDS[how][0]} is not there: scripts/setup --test installs it")
    path = write(tmp_path, result.text, how)
    index(path, "--restart-distance", "64K")
    assert get(path, "--numbers", "1-") == result.document(range(len(result.parts))) == result.text
    for i, (_, word, _) in enumerate(result.parts):
        assert get(path, word) == result.document([i]), i
    for i, (own_id, _, _) in enumerate(result.parts):
        if own_id is not None:
            assert get(path, own_id) == result.document([i]), i
        if IS_FULL:
            assert get(path, "--numbers", f"{i + 1}") == get(path, "--from", "-", input=f"{result.parts[i][1]}\n".encode()) == result.document([i])


def test_rows(tmp_path, result):
    """What the index says of each Iteration."""
    path = write(tmp_path, result.text, "gzip-9")
    database = sqlite3.connect(index(path))
    rows = database.execute("SELECT id, name, hits, hsps, evalue, offset, size, crc32 FROM iteration ORDER BY number").fetchall()
    assert len(rows) == len(result.parts)
    offset = len(result.header)
    for number, (row, (own_id, word, text)) in enumerate(zip(rows, result.parts), start=1):
        assert row[0] == (None if own_id in (None, f"Query_{number}") else own_id)
        assert row[1] == word
        assert row[5:] == (offset, len(text), zlib.crc32(text)), number
        offset += len(text) + len(result.joint)
        hsps = {"xml": rb"<Hsp>", "xml2": rb"<Hsp>", "json": rb'"bit_score"'}.get(result.name, rb"(?m)^[^#\n].*\n")
        assert row[3] == len(re.findall(hsps, text)), number
        hits = {"xml": rb"<Hit>", "xml2": rb"<Hit>", "json": rb'"hsps"'}.get(result.name)
        assert row[2] == (len(re.findall(hits, text)) if hits else None), number
        evalues = re.findall({"xml": rb"<Hsp_evalue>(.*?)<", "xml2": rb"<evalue>(.*?)<", "json": rb'"evalue": ([^,\s]*)',
                              "csv": rb"(?m)^[^#\n].*,(.*?),[^,]*\n"}.get(result.name, rb"(?m)^[^#\n].*\t(.*?)\t[^\t]*\n"), text)
        assert row[4] == (float(evalues[0]) if evalues else None), number
    about = database.execute("SELECT size, text_size, crc32, format, iterations, hits, hsps FROM file").fetchone()
    assert about == (path.stat().st_size, len(result.text), zlib.crc32(result.text), result.name, len(result.parts),
                     sum(row[2] or 0 for row in rows), sum(row[3] for row in rows))
    assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_many(tmp_path, result):
    """Several queries, in the order of the file, each once; by numbers, by a list, by FASTA."""
    path = write(tmp_path, result.text, "gzip-9")
    index(path)
    words = [word for _, word, _ in result.parts]
    assert get(path, words[7], words[2], words[7]) == result.document([2, 7])
    assert get(path, "--numbers", "2,4-5,4") == result.document([1, 3, 4])
    assert get(path, words[0], "--numbers", "9-") == result.document([0, *range(8, len(words))])
    names = tmp_path / "names"
    names.write_text(f"{words[5]}\n\n  {words[1]} and more\n", encoding="utf-8")
    assert get(path, "--from", names) == result.document([1, 5])
    assert get(path, "--from", "-", input=f">{words[3]} title\nMKV\n".encode()) == result.document([3])


def test_renumber(tmp_path, result):
    path = write(tmp_path, result.text, "gzip-9")
    index(path)
    text = get(path, "--renumber", "--numbers", "3,8")
    expected = result.document([2, 7])
    for new, old in (1, 3), (2, 8):
        expected = expected.replace(b"<Iteration_iter-num>%d<" % old, b"<Iteration_iter-num>%d<" % new)
        for before, after in (b"-ID>", b"<"), (b"<query-id>", b"<"), (b'"query_id": "', b'"'):
            expected = expected.replace(before + b"Query_%d" % old + after, before + b"Query_%d" % new + after)
    assert text == expected


def test_readers(tmp_path):
    """What is got is read by Biopython and xmllint."""
    result = make("xml")
    path = write(tmp_path, result.text, "gzip-9")
    index(path)
    text = get(path, "--numbers", "3,8")
    records = list(NCBIXML.parse(io.BytesIO(text)))
    assert [record.query.split()[0] for record in records] == [result.parts[2][1], result.parts[7][1]]
    subprocess.run(["xmllint", "--nonet", "--noout", "--nowarning", "-"], input=text, check=True)


def test_compressed(tmp_path, result):
    path = write(tmp_path, result.text, "gzip-9")
    index(path)
    for name, flag in ("out.gz", []), ("out", ["--gzip"]), ("out.bgz", []):
        done = run("get", path, "--numbers", "4", "-o", tmp_path / name, *flag)
        assert done.code == OK, done.err
        assert gzip.decompress((tmp_path / name).read_bytes()) == result.document([3])
    assert run("get", path, "--numbers", "4", "-o", tmp_path / "out.gz").code == EXISTS
    assert run("get", path, "--numbers", "4", "-o", path, "--force").code == USAGE


def test_without_index(tmp_path, result):
    path = write(tmp_path, result.text, "gzip-9")
    done = run("get", path, result.parts[6][1])
    assert (done.code, done.out) == (OK, result.document([6]))
    assert len(done.warnings) == 1 and "has no index" in done.warnings[0]
    assert sorted(item.name for item in tmp_path.iterdir()) == [path.name]


def test_without_index_and_without_room(tmp_path, result):
    """The message says which index cannot be written, for nobody asked for one."""
    path = write(tmp_path, result.text, "gzip-9")
    done = run("get", path, "--numbers", "1", command=("prlimit", "--fsize=4096", "--", PROGRAM))
    assert done.code == NO_SPACE and not done.out
    assert done.err == "blastmerge: cannot write the index: File too large (the result has none: one is made in a temporary file, for which TMPDIR names a folder)\n"


def test_missing(tmp_path):
    result = make("xml")
    path = write(tmp_path, result.text, "gzip-9")
    index(path)
    word = result.parts[4][1]
    done = run("get", path, word, word[:-1], "-o", tmp_path / "out")
    assert done.code == NOT_FOUND and f"no query {word[:-1]} (the nearest is {word})" in done.err
    assert not (tmp_path / "out").exists()
    done = run("get", path, "nothing", word + "x", "--numbers", "5,99")
    assert done.code == NOT_FOUND and done.out == b""
    assert "nothing" in done.err and f"{word}x (the nearest is {word})" in done.err and "number 99 (the last is 12)" in done.err
    assert "3 of 4 are missing" in done.err
    many = [f"missing_{i}" for i in range(200)]
    done = run("get", path, *many)
    assert done.code == NOT_FOUND
    assert all(re.search(rf"\b{name}\b", done.err) for name in many)


def test_without_id(tmp_path):
    """An Iteration that has no id is found by its name, and its id is none: not Query_ and its number."""
    path = tmp_path / "result.xml"
    data = corpus.texts(1, 4, 5)[0]
    path.write_bytes(re.sub(rb"  <Iteration_query-ID>Query_3</Iteration_query-ID>\n", b"", data))
    part = re.findall(rb"<Iteration>.*?</Iteration>", path.read_bytes(), re.DOTALL)[2]
    word = re.search(rb"query-def>(.*?)[ <]", part)[1].decode()
    for is_indexed in False, True:
        if is_indexed:
            assert sqlite3.connect(index(path)).execute("SELECT id FROM iteration").fetchall() == [(None,), (None,), ("",), (None,)]
        assert part in get(path, word) and get(path, word) == get(path, "--numbers", "3")
        assert b"<Iteration_query-ID>Query_4<" in get(path, "Query_4")
        assert run("get", path, "Query_3").code == NOT_FOUND


@pytest.mark.parametrize("n_bytes", range(995, 1004))
def test_long_names(tmp_path, n_bytes):
    """1000 bytes of an id and of a name count, as they are without references."""
    path = tmp_path / "result.xml"
    data = corpus.texts(1, 3, 5)[0]
    word = re.findall(rb"<Iteration_query-def>(.*?)[ <]", data)[1]
    for written, name in (b"i" * n_bytes, "i" * n_bytes), (b"i" * (n_bytes - 3) + b"&amp;ii", "i" * (n_bytes - 3) + "&ii"), \
            (b"&#228;" * (n_bytes // 2), "\u00e4" * (n_bytes // 2)):
        for changed in data.replace(b"<Iteration_query-ID>Query_2<", b"<Iteration_query-ID>%s<" % written), data.replace(b"def>" + word, b"def>" + written):
            path.write_bytes(changed)
            kept = sqlite3.connect(index(path)).execute("SELECT id, name FROM iteration WHERE number = 2").fetchone()
            assert name.encode()[:1000].decode(errors="ignore") in kept
            assert get(path, name) == get(path, "--numbers", "2")
            assert run("get", path, name[:-1]).code == (NOT_FOUND if len(name[:-1].encode()) < 1000 else OK)


def test_parts_in_any_order(tmp_path):
    """What an Iteration says of its query need not come in the order of BLAST."""
    result = make("xml")
    parts = rb"  <Iteration_iter-num>.*?\n|  <Iteration_query-(?:ID|def|len)>.*?\n"
    dice = random.Random(8)

    def shuffled(iteration):
        lines = re.findall(parts, iteration[0])
        dice.shuffle(lines)
        return b"<Iteration>\n" + b"".join(lines) + re.sub(parts, b"", iteration[0])[len(b"<Iteration>\n"):]
    path, other = tmp_path / "as_blast_writes", tmp_path / "shuffled"
    path.write_bytes(result.text)
    other.write_bytes(re.sub(rb"<Iteration>\n.*?</Iteration>", shuffled, result.text, flags=re.DOTALL))
    assert path.read_bytes() != other.read_bytes()
    what = "SELECT number, id, name, accession, length, hits, hsps, evalue, definition FROM iteration"
    rows = [sqlite3.connect(index(file, "--definitions")).execute(what).fetchall() for file in (path, other)]
    assert rows[0] == rows[1] and len(rows[0]) == len(result.parts)


ACCESSIONS = {"sp|P12345|NAME": "P12345", "tr|A0A024|A0A024_HUMAN": "A0A024", "ref|NP_001234.2|": "NP_001234.2", "gi|7|gb|AAA1.1|": "AAA1.1",
              "sp||ONLY": "ONLY", "lcl|x": None, "gi|8|": None, "gi|9|pdb|1ABC|A": None, "gnl|db|x|sp|Q00001|N": "Q00001", "sp": None,
              "some|P99999|thing": None, "|": None}


@pytest.mark.parametrize("name", FORMATS)
def test_accessions(tmp_path, name):
    """A query is found by the accession in its first word, as BLAST would make an id of it."""
    result = make(name, n_queries=20)
    words = [word for _, word, _ in result.parts]
    text = result.text
    for word, given in zip(words, ACCESSIONS):
        text = re.sub(rb"(?<![\w.-])" + re.escape(word.encode()) + rb"(?![\w.-])", given.encode(), text)
    result = parse(name, text)
    assert [word for _, word, _ in result.parts][:len(ACCESSIONS)] == list(ACCESSIONS)
    path = write(tmp_path, text, "gzip-9")
    rows = sqlite3.connect(index(path)).execute("SELECT name, accession FROM iteration").fetchall()
    assert rows[:len(ACCESSIONS)] == list(ACCESSIONS.items())
    for i, (word, accession) in enumerate(ACCESSIONS.items()):
        assert get(path, word) == result.document([i])
        if accession is not None:
            assert get(path, accession) == result.document([i])
    assert run("get", path, "P99999").code == run("get", path, "x").code == NOT_FOUND
    done = run("get", path, "P1234")
    assert done.code == NOT_FOUND and "the nearest is P12345" in done.err, done.err


def test_accession_that_is_the_id(tmp_path):
    """With -parse_deflines: it is kept once."""
    path = tmp_path / "result.xml"
    data = corpus.texts(1, 3, 5)[0]
    data = data.replace(b"<Iteration_query-ID>Query_2<", b"<Iteration_query-ID>P12345<")
    word = re.findall(rb"<Iteration_query-def>(.*?)[ <]", data)[1]
    path.write_bytes(data.replace(b"def>" + word, b"def>sp|P12345|NAME"))
    rows = sqlite3.connect(index(path)).execute("SELECT id, name, accession FROM iteration").fetchall()
    assert rows[1] == ("P12345", "sp|P12345|NAME", None)
    assert get(path, "P12345") == get(path, "--numbers", "2")


def test_wrong_options_come_first(tmp_path):
    """What is wrong with the command is found before all of a file without an index is read."""
    path = write(tmp_path, make("xml").text, "gzip-9")
    for numbers in "3-2", "0", "1,,2", "1,", ",1", "", "x", "18446744073709551616":
        done = run("get", path, "--numbers", numbers)
        assert done.code == USAGE and not done.warnings and f"and not as '{numbers}'" in done.err, done.err
    done = run("get", path, "--from", tmp_path / "absent")
    assert done.code == NOT_FOUND and not done.warnings and "absent" in done.err, done.err


def test_lists_are_given_once(tmp_path):
    """Of two, the first would be lost, and with it what was wanted."""
    path = write(tmp_path, make("xml").text, "gzip-9")
    (tmp_path / "names").write_text("x\n", encoding="utf-8")
    for option, value in ("--numbers", "1"), ("--from", tmp_path / "names"):
        done = run("get", path, option, value, option, value)
        assert done.code == USAGE and done.out == b"" and f"{option} is given twice" in done.err, done.err
    for option in "--sizes", "--order", "--expect-queries":
        done = run("shards", option, tmp_path / "names", option, tmp_path / "names", path)
        assert done.code == USAGE and f"{option} is given twice" in done.err, done.err


def test_usage(tmp_path):
    path = write(tmp_path, make("xml").text, "gzip-9")
    for arguments in ["get", path], ["get"], ["index"], ["get", path, "--numbers", "0"], ["get", path, "--numbers", "3-2"], \
            ["get", path, "--numbers", "x"], ["get", path, ""], ["index", path, "--restart-distance", "1K"], \
            ["index", path, path, "--index-file", tmp_path / "x"], ["index", "-"], ["index", path, "--index-file", path], ["get", "-", "x"], \
            ["--definitions", path], ["index", path, "--renumber"], ["get", path, "x", "--as-unsplit"]:
        assert run(*arguments).code == USAGE, arguments
    assert run("index", tmp_path / "absent").code == NOT_FOUND
    assert run("get", tmp_path / "absent", "x").code == NOT_FOUND


@pytest.mark.parametrize("name", ["/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"])
def test_names_of_standard_input(tmp_path, name):
    """No index is written beside such a name, as in /dev; but it may be given a name of its own."""
    path = write(tmp_path, make("xml").text, "gzip-9")
    with open(path, "rb") as file:
        done = run("index", name, stdin=file)
        assert done.code == USAGE and name in done.err and "--index-file" in done.err, done.err
        assert not Path(f"{name}.bmi").exists()
        assert run("index", name, "--index-file", tmp_path / "own.bmi", stdin=file).code == OK
    assert run("index", path).code == OK
    assert (tmp_path / "own.bmi").read_bytes() == Path(f"{path}.bmi").read_bytes()


def test_result_at_a_name_of_standard_error(tmp_path):
    with open(tmp_path / "merged.gz", "wb") as file:
        done = subprocess.run([PROGRAM, "--index", "-f", "-o", "/dev/stderr", write(tmp_path, make("xml").text, "gzip-9")],
                              stdin=subprocess.DEVNULL, stderr=file, check=False)
    assert done.returncode == USAGE and not Path("/dev/stderr.bmi").exists()


def test_messages_name_the_file(tmp_path):
    """Also those that come at its end; and the result, not its temporary name."""
    text = make("xml").text
    packed = tmp_path / "all.xml.xz"
    packed.write_bytes(lzma.compress(text))
    for arguments in ["index", packed], ["get", packed, "--numbers", "1"]:
        done = run(*arguments)
        assert done.code == USAGE and f"blastmerge: {packed}: is compressed otherwise than with gzip" in done.err, done.err
    assert not Path(f"{packed}.bmi").exists()
    long = tmp_path / "long.xml"
    long.write_bytes(text.replace(b"<BlastOutput_param>", b"<!--" + b"x" * (2 << 20) + b"--><BlastOutput_param>"))
    done = run("--index", "-o", tmp_path / "merged.gz", long)
    assert done.code == DATA and f"blastmerge: {tmp_path}/merged.gz: the text before" in done.err, done.err
    assert sorted(os.listdir(tmp_path)) == ["all.xml.xz", "long.xml"]


@pytest.mark.parametrize("name", ["tabular", "csv"])
def test_an_empty_table(tmp_path, name):
    """A merge of searches without hits: --format says what its result is."""
    for number in range(2):
        (tmp_path / f"child_{number}").touch()
    for form in "--gzip", "--plain", "--bgzf":
        path = tmp_path / f"merged{form}"
        done = run("--index", form, "--allow-empty", "--format", name, "-o", path, tmp_path / "child_0", tmp_path / "child_1")
        assert done.code == OK, done.err
        with sqlite3.connect(f"{path}.bmi") as index_:
            assert index_.execute("SELECT format, iterations FROM file").fetchall() == [(name, 0)]
        done = run("get", path, "x")
        assert done.code == NOT_FOUND and "has no query x" in done.err, done.err
    done = run("index", tmp_path / "child_0")
    assert done.code == DATA and done.err.endswith("as a failed search leaves\n"), done.err  # index has no --allow-empty


def test_several_files(tmp_path):
    """All that can be indexed is; the first failure is the outcome."""
    paths = [write(tmp_path, make("xml", seed=seed).text, how) for seed, how in ((1, "gzip-1"), (2, "bgzip"))]
    damaged = tmp_path / "damaged"
    damaged.write_bytes(paths[0].read_bytes()[:-100])
    done = run("index", paths[0], damaged, paths[1])
    assert done.code == DATA and "cut short" in done.err
    assert all(Path(f"{path}.bmi").exists() for path in paths) and not Path(f"{damaged}.bmi").exists()


def test_places(tmp_path):
    result = make("xml")
    path = write(tmp_path, result.text, "gzip-9")
    elsewhere = tmp_path / "elsewhere"
    assert run("index", path, "--index-file", elsewhere).code == OK
    assert get(path, "--index-file", elsewhere, "--numbers", "2") == result.document([1])
    assert run("index", path, "--index-file", elsewhere).code == OK  # an index is replaced
    elsewhere.write_bytes(b"something else")
    assert run("index", path, "--index-file", elsewhere).code == EXISTS
    assert elsewhere.read_bytes() == b"something else"
    assert run("get", path, "--index-file", elsewhere, "--numbers", "2").code == DATA
    assert run("index", path, "--index-file", elsewhere, "--force").code == OK
    assert run("get", path, "--numbers", "2", "-o", elsewhere, "--index-file", elsewhere, "--force").code == USAGE
    assert run("get", path, "--numbers", "2", "--index-file", tmp_path / "absent").code == NOT_FOUND


def test_another_file(tmp_path):
    """An index belongs to a file by its length and its end, whatever the times say."""
    one, other = make("xml"), make("xml", seed=9)
    path = write(tmp_path, one.text, "gzip-9")
    beside = index(path)
    copy = tmp_path / "copy"
    copy.write_bytes(path.read_bytes())
    shutil.copyfile(beside, f"{copy}.bmi")
    assert get(copy, "--numbers", "2") == one.document([1])
    copy.write_bytes(gzip.compress(other.text))
    done = run("get", copy, "--numbers", "2")
    assert done.code == CHANGED and "that of another file" in done.err and done.out == b""
    changed = bytearray(path.read_bytes())
    changed[-5] ^= 1
    copy.write_bytes(changed)
    assert run("get", copy, "--numbers", "2").code == CHANGED


def test_repeated(tmp_path):
    """Documents one after another: a query that is there twice is got twice."""
    result = make("xml")
    path = tmp_path / "twice"
    path.write_bytes(gzip.compress(result.text) + gzip.compress(result.text))
    index(path)
    part = result.parts[3]
    assert get(path, part[1]) == result.header + part[2] + result.joint + part[2] + result.footer
    assert get(path, "--numbers", f"{len(result.parts) + 4}") == result.document([3])


def test_large(tmp_path):
    """Iterations beyond what is held: each is read twice, and damage is found before a byte is written."""
    result = make("xml", n_queries=3, hits=500, without_hits=0, query_length=4000)
    assert max(len(text) for _, _, text in result.parts) > 4 << 20
    path = write(tmp_path, result.text, "gzip-1")
    beside = index(path)
    for i in range(3):
        assert get(path, "--numbers", f"{i + 1}") == result.document([i])
    with sqlite3.connect(beside) as database:
        database.execute("UPDATE iteration SET crc32 = crc32 + 1")
    done = run("get", path, "--numbers", "2")
    assert done.code == DATA and len(done.out) < 4096 and b"<Iteration>" not in done.out


TAMPERED = ["UPDATE iteration SET crc32 = crc32 + 1", "UPDATE iteration SET offset = offset + 1", "UPDATE iteration SET size = size - 1",
            "UPDATE iteration SET number = number + 1000", "UPDATE iteration SET number = -number", "UPDATE iteration SET name = 'other'", "UPDATE iteration SET id = 'other'", "UPDATE iteration SET offset = 1 << 62",
            "UPDATE iteration SET size = 1 << 50", "UPDATE iteration SET offset = 'x'", "UPDATE iteration SET offset = NULL",
            "UPDATE restart SET bit = bit + 8", "UPDATE restart SET bit = 1 << 61", "UPDATE restart SET bit = -1", "DELETE FROM restart",
            "UPDATE restart SET window = x'00' WHERE window IS NOT NULL OR text >= 0", "UPDATE frame SET header = x'3c'",
            "UPDATE frame SET footer = 'text'", "DELETE FROM frame", "DELETE FROM file", "UPDATE file SET format = 'none'",
            "DROP TABLE iteration", "UPDATE file SET tail = NULL",
            "DROP TABLE restart; CREATE VIEW restart AS SELECT 0 AS text, 0 AS bit, NULL AS window",
            "UPDATE iteration SET accession = 'other'",
            # the index of the names leads to another row
            "CREATE TABLE other (number INTEGER PRIMARY KEY, name TEXT); INSERT INTO other SELECT number % 12 + 1, name FROM iteration;"
            "CREATE INDEX other_name ON other (name) WHERE name IS NOT NULL; PRAGMA writable_schema = ON;"
            "UPDATE sqlite_master SET rootpage = (SELECT rootpage FROM sqlite_master WHERE name = 'other_name') WHERE name = 'iteration_name'",
            "PRAGMA user_version = 2", "PRAGMA application_id = 1"]


@pytest.mark.parametrize("statement", TAMPERED)
def test_tampered(tmp_path, statement):
    """An index that somebody has changed never gives another query's bytes, nor any bytes but the query's own."""
    result = make("xml")
    path = write(tmp_path, result.text, "gzip-9")
    database = sqlite3.connect(index(path, "--restart-distance", "64K"))
    database.executescript(statement)
    database.commit()
    database.close()
    for i in 1, 6:
        done = run("get", path, result.parts[i][1])
        assert done.code in (DATA, CHANGED, NOT_FOUND), (done.code, done.err)
        assert b"<Iteration>" not in done.out


def test_mutations(tmp_path):
    """Bytes of an index that are changed at random, or cut: never a crash, never a wrong byte."""
    result = make("xml", n_queries=40)
    path = write(tmp_path, result.text, "gzip-9")
    whole = index(path, "--restart-distance", "64K").read_bytes()
    dice = random.Random(11)
    outcomes = {}
    for _ in range(N_MUTATIONS):
        data = bytearray(whole)
        for _ in range(dice.choice((1, 3, 20))):
            data[dice.randrange(len(data) if dice.random() < 0.7 else 4096)] = dice.randrange(256)
        if dice.random() < 0.2:
            del data[dice.randrange(len(data)):]
        Path(f"{path}.bmi").write_bytes(data)
        i = dice.randrange(len(result.parts))
        done = run("get", path, result.parts[i][1])
        outcomes[done.code] = outcomes.get(done.code, 0) + 1
        assert done.code in (OK, DATA, CHANGED, NOT_FOUND), (done.code, done.err)
        if done.code == OK:
            assert done.out == result.document([i])
        else:
            assert b"<Iteration>" not in done.out
    assert outcomes.get(OK, 0) > 0 and outcomes.get(DATA, 0) > 0, outcomes


def test_definitions(tmp_path):
    result = make("xml")
    path = write(tmp_path, result.text, "gzip-9")
    database = sqlite3.connect(index(path, "--definitions"))
    kept = [row[0] for row in database.execute("SELECT definition FROM iteration ORDER BY number")]
    records = list(NCBIXML.parse(io.BytesIO(result.text)))
    assert kept == [record.query for record in records]


@pytest.mark.parametrize("has_old", [False, True], ids=["new", "old"])
def test_killed(tmp_path, has_old):
    """SIGKILL at every system call: there is no index, or the old one, or a whole new one; and the next run clears away what was
    left."""
    assert os.access(FAULTS, os.R_OK), f"{FAULTS} is not there: build the tests"
    result = make("xml", n_queries=4)
    folder = tmp_path / "folder"
    folder.mkdir()
    path = write(folder, result.text, "gzip-9")
    beside = index(path, "--definitions")
    old, n_left, counts, at = beside.read_bytes(), 0, collections.Counter(), 1
    while True:
        if has_old:
            beside.write_bytes(old)
        else:
            beside.unlink(missing_ok=True)
        environment = dict(os.environ, LD_PRELOAD=FAULTS, FAULTS_CALL="any", FAULTS_AT=str(at), FAULTS_ERRNO="kill")
        done = run("index", path, "--threads", "1", env=environment)
        if done.code == OK:
            break
        assert done.code == -signal.SIGKILL, done.err
        left = {item.name for item in folder.iterdir()} - {path.name, beside.name}
        n_left += len(left)
        state = "absent"
        if beside.exists():
            state = "old" if beside.read_bytes() == old else "new"
            assert get(path, "--numbers", "3") == result.document([2])
            with sqlite3.connect(beside) as database:
                assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        counts[state] += 1
        at += 1
    assert set(counts) == {"old" if has_old else "absent", "new"} and n_left > 0, counts
    assert {item.name for item in folder.iterdir()} == {path.name, beside.name}
    tell(f"index, {'old' if has_old else 'new'} ({n_left} files left and cleared away)", counts)


@pytest.mark.parametrize("name", ["merged.xml.gz", "merged.bgz", "merged.xml"])
def test_with_a_merge(tmp_path, name):
    """--index writes what index writes of the result."""
    children = [write(tmp_path, text, how).rename(tmp_path / how) for how, text in zip(("gzip-9", "bgzip"), corpus.texts(2, 12, 5))]
    done = run("--index", "-o", tmp_path / name, *children)
    assert done.code == OK and not done.warnings, done.err
    beside = Path(f"{tmp_path / name}.bmi")
    written = list(sqlite3.connect(beside).iterdump())
    assert get(tmp_path / name, "--numbers", "7") and get(tmp_path / name, "Query_12")
    index(tmp_path / name)
    assert list(sqlite3.connect(beside).iterdump()) == written
    assert sorted(item.name for item in tmp_path.iterdir()) == sorted([name, beside.name, "gzip-9", "bgzip"])


@pytest.mark.parametrize("level", ["-1", "-9"])
def test_get_with_a_level(tmp_path, result, level):
    """What goes to standard output is to be read, unless --gzip is given: a level says nothing then, which is said."""
    path = write(tmp_path, result.text, "gzip-9")
    plain = run("get", path, "--numbers", "2", "--quiet")
    done = run("get", path, "--numbers", "2", level)
    assert done.code == OK and done.out == plain.out
    assert "standard output: is written uncompressed, and --level has no effect; --gzip compresses it" in done.err
    assert gzip.decompress(run("get", path, "--numbers", "2", level, "--gzip").out) == plain.out


WAYS = {"spliced": ["--gzip"], "packed": ["--gzip", "--level", "6"], "bgzf": ["--bgzf"], "plain": ["--plain"]}


def tables(path):
    with sqlite3.connect(path) as database:
        return {name: database.execute(f"SELECT * FROM {name}").fetchall() for name in ("file", "frame", "iteration", "restart")}


@pytest.mark.parametrize("way", WAYS)
def test_with_merges(tmp_path, result, way):
    """The same as the index of the result, made later: of children in all forms. (tests/python/test_index.py has many restart points.)"""
    dice = random.Random(f"{result.name} {way}")
    for number in range(4):
        texts = [corpus_formats.converted(result.name, text) if result.name != "xml" else text for text in corpus.texts(3, 24, dice.randrange(1000))]
        hows = [dice.choice([*COMMANDS, "plain", "members"]) for _ in texts]
        children = [write(tmp_path, text, how).rename(tmp_path / f"{number}_{i}") for i, (text, how) in enumerate(zip(texts, hows))]
        path = tmp_path / f"merged_{number}"
        options = ["--format", result.name] if result.name in ("tabular", "csv") else []
        done = run("--index", *WAYS[way], *options, "-o", path, *children)
        assert done.code == OK, done.err
        written = tables(f"{path}.bmi")
        index(path)
        assert tables(f"{path}.bmi") == written
        assert len(written["restart"]) == (way != "plain") and len(written["iteration"]) > 10
        text = path.read_bytes() if way == "plain" else gzip.decompress(path.read_bytes())
        for row in written["iteration"]:
            assert zlib.crc32(text[row[8]:row[8] + row[9]]) == row[10]


@pytest.mark.parametrize("name", ["tabular", "csv"])
def test_with_a_merge_of_names(tmp_path, name):
    """Rows of column names: the first one is the index's header."""
    separator = b"\t" if name == "tabular" else b","
    names = separator.join(b"query subject identity length mismatch gaps qstart qend sstart send evalue bitscore".split()) + b"\n"
    children = []
    for i, text in enumerate(corpus.texts(3, 12, 3)):
        children.append(tmp_path / f"child_{i}.gz")
        children[-1].write_bytes(gzip.compress(names + corpus_formats.converted(name, text)))
    for header in "once", "keep", "none":
        done = run("--index", "--header", header, "--format", name, "-f", "-o", tmp_path / "merged.gz", *children)
        assert done.code == OK, done.err
        written = tables(tmp_path / "merged.gz.bmi")
        assert written["frame"][0][0] == (None if header == "none" else names)
        index(tmp_path / "merged.gz")
        assert tables(tmp_path / "merged.gz.bmi") == written


def as_latin_1(text):
    """In another encoding, with characters beyond ASCII."""
    text = text.replace(b'version="1.0"?>', b'version="1.0" encoding="ISO-8859-1"?>')
    return text.replace(b"<Iteration_query-def>", b"<Iteration_query-def>\xe9", 2).replace(b"<Hit_def>", b"<Hit_def>\xfc")


def without_names(text):
    """Only the header names the query, as in old BLAST XML: a merge inserts its names."""
    text = re.sub(rb"(?s)(</Iteration>).*(</Iteration>)", rb"\1", text)
    return re.sub(rb"  <Iteration_query-(ID|def|len)>.*?\n", b"", text)


ODD = {
    "latin-1": as_latin_1, "without names": without_names,
    "without numbers": lambda text: re.sub(rb"<Iteration_iter-num>\d+</Iteration_iter-num>", b"", text),
    "long numbers": lambda text: re.sub(rb"<Iteration_iter-num>(\d+)<", rb"<Iteration_iter-num><!-- %s -->\1<" % (b"x" * 30), text),
    "two numbers": lambda text: text.replace(b"</Iteration_iter-num>", b"</Iteration_iter-num><Iteration_iter-num>7</Iteration_iter-num>"),
    "empty Iterations": lambda text: re.sub(rb"(?s)<Iteration>.*?</Iteration>", b"<Iteration/>", text, count=2),
    "one line": lambda text: re.sub(rb">\n *<", b"><", text),
    "no Iterations": lambda text: re.sub(rb"(?s)<Iteration>.*</Iteration>", b"", text),
    "two documents": lambda text: text + text,
    "CR LF": lambda text: text.replace(b"\n", b"\r\n"),
}


@pytest.mark.parametrize("first", ODD)
def test_with_a_merge_of_odd_children(tmp_path, first):
    """What a merge inserts, replaces and drops has its place in the index as in the result."""
    texts = [corpus.texts(1, 3, seed)[0] for seed in range(3)]
    for second in ODD:
        children = []
        for i, change in enumerate((ODD[first], ODD[second], lambda text: text)):
            children.append(tmp_path / f"child_{i}.gz")
            children[-1].write_bytes(gzip.compress(change(texts[i]), 1))
        done = run("--index", "--query-ids", "renumber", "-f", "-o", tmp_path / "merged.gz", *children)
        assert done.code == OK, done.err
        written = tables(tmp_path / "merged.gz.bmi")
        index(tmp_path / "merged.gz")
        assert tables(tmp_path / "merged.gz.bmi") == written, second


def test_with_a_merge_that_fails(tmp_path):
    text = corpus.texts(1, 4, 5)[0]
    child = write(tmp_path, text, "gzip-9")
    damaged = tmp_path / "damaged"
    damaged.write_bytes(child.read_bytes()[:-50])
    assert run("--index", "-o", tmp_path / "out.gz", child, damaged).code == DATA
    assert run("--index", child).code == USAGE  # to standard output
    assert run("--index", "-o", "/dev/null", child).code == USAGE
    assert sorted(item.name for item in tmp_path.iterdir()) == sorted([child.name, "damaged"])
    (tmp_path / "out.gz.bmi").write_bytes(b"something else")
    assert run("--index", "-o", tmp_path / "out.gz", child).code == EXISTS
    assert not (tmp_path / "out.gz").exists()
    assert run("--index", "--force", "-o", tmp_path / "out.gz", child).code == OK
    assert get(tmp_path / "out.gz", "--numbers", "2")


def test_index_that_appears_meanwhile(tmp_path):
    """It is another's. The result stays, and with it all that appears with it."""
    out = tmp_path / "out"
    out.mkdir()
    os.mkfifo(tmp_path / "slow")
    text = corpus.texts(1, 4, 5)[0]
    (tmp_path / "queries").write_bytes(b"".join(name + b"\n" for name in re.findall(rb"<Iteration_query-def>(\S+)[^<]*</Iter", text)))
    command = [PROGRAM, "--index", "-o", out / "m.gz", "--html", out / "page", "--report", out / "report", "--missing", out / "missing",
               "--expect-queries", tmp_path / "queries", tmp_path / "slow"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as slow:
        with open(tmp_path / "slow", "wb") as pipe:
            while len(list(out.iterdir())) < 5:
                time.sleep(0.01)
            (out / "m.gz.bmi").write_bytes(b"another's")
            pipe.write(text)
        err = slow.communicate()[1]
    assert slow.returncode == EXISTS and "the result is complete and in its place, but not its index" in err, err
    assert sorted(item.name for item in out.iterdir()) == ["m.gz", "m.gz.bmi", "missing", "page", "report"]
    assert (out / "m.gz.bmi").read_bytes() == b"another's"
    assert json.loads((out / "report").read_text())["status"] == "ok"
