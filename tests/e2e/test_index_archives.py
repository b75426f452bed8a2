# SPDX-License-Identifier: MIT
"""An index of BLAST archives (-outfmt 11): a query's archive is got by it, as a slow reader finds it (archives.py)."""
import gzip
import random
import sqlite3
from pathlib import Path

import pytest

import archives
from program import DATA, NOT_FOUND, OK, USAGE, run

BATCHES = [["alpha one", "beta"], ["sp|P12345|NAME a protein"], ["delta", "epsilon", "No definition line"], ["zeta"]]


def make(batches=BATCHES, **options):
    texts, first = [], 1
    for names in batches:
        texts.append(archives.make(names, first=first, **options))
        first += len(names)
    return texts


def write(folder, text, how):
    path = Path(folder) / f"result.{how}"
    packed = {"plain": text, "gzip": gzip.compress(text), "members": gzip.compress(text[:2000]) + gzip.compress(text[2000:])}
    path.write_bytes(packed[how])
    return path


def get(path, *arguments):
    done = run("get", path, *arguments)
    assert done.code == OK, done.err
    return done.out


@pytest.mark.parametrize("how", ["plain", "gzip", "members"])
@pytest.mark.parametrize("has_index", [True, False])
@pytest.mark.parametrize("lines", [True, False])
def test_each_query(tmp_path, how, has_index, lines):
    texts = make(lines=lines, hits=2)
    path = write(tmp_path, b"".join(texts), how)
    if has_index:
        assert run("index", "--restart-distance", "64K", path).code == OK
    number = 0
    for batch, text in zip(BATCHES, texts):
        for name in batch:
            number += 1
            asked = {name.split()[0], f"Query_{number}"} - {"No"} | ({"P12345"} if "P12345" in name else set())
            for each in sorted(asked):
                assert get(path, each) == text, each
            assert get(path, "--numbers", str(number)) == text
    assert get(path, "--numbers", "1-") == b"".join(texts)
    assert get(path, "zeta", "beta", "alpha", "--numbers", "5") == texts[0] + texts[2] + texts[3]
    assert run("get", path, "eta").code == NOT_FOUND
    refused = run("get", "--renumber", path, "beta")
    assert refused.code == USAGE and "cannot be numbered anew" in refused.err


@pytest.mark.parametrize("ids", ["auto", "keep", "renumber"])
@pytest.mark.parametrize("form", ["--gzip", "--plain", "--bgzf"])
def test_with_a_merge(tmp_path, form, ids):
    """The same as the index of the result, made later."""
    texts = make(hits=2)
    children = [tmp_path / str(number) for number in range(3)]
    for child, text in zip(children, (texts[0] + texts[1], texts[2], texts[3] + texts[0].replace(b"alpha", b"alphb"))):
        child.write_bytes(gzip.compress(text))
    done = run("--index", form, "--query-ids", ids, "-o", tmp_path / "merged", *children)
    assert done.code == OK, done.err

    def rows():
        with sqlite3.connect(tmp_path / "merged.bmi") as database:
            return {name: database.execute(f"SELECT * FROM {name}").fetchall() for name in ("file", "frame", "iteration", "restart")}
    written = rows()
    assert len(written["iteration"]) == 9
    assert run("index", tmp_path / "merged").code == OK
    assert rows() == written


def test_rows(tmp_path):
    texts = make(hits=3)
    path = write(tmp_path, b"\n" + b"".join(texts), "gzip")
    assert run("index", "--definitions", path).code == OK
    with sqlite3.connect(f"{path}.bmi") as database:
        rows = database.execute("SELECT number, id, name, accession, definition, length, hits, hsps, evalue, offset, size FROM iteration "
                                "ORDER BY number").fetchall()
        assert database.execute("SELECT format, iterations, hsps FROM file").fetchone() == ("archive", 7, 21)
    at, expected = 1, []
    for batch, text in zip(BATCHES, texts):
        for title in batch:
            name = None if title == "No definition line" else title.split()[0]
            expected.append((len(expected) + 1, None, name, "P12345" if "P12345" in title else None, name and title, 9, None, 3 * len(batch),
                             None, at, len(text) - 1))
        at += len(text)
    assert rows == expected


def test_ids_that_are_names(tmp_path):
    texts = [text.replace(b'local str "Query_', b'local str "user_') for text in make()]
    path = write(tmp_path, b"".join(texts), "plain")
    assert run("index", path).code == OK
    assert get(path, "user_3") == texts[1]
    assert run("get", path, "Query_3").code == NOT_FOUND


def test_large_archives(tmp_path):
    """Archives of several MB, of many queries each; what is got of them is what the file has."""
    dice = random.Random(5)
    texts = make([[f"q{batch}_{n} {dice.random()}" for n in range(3000)] for batch in range(3)], hits=2)
    assert min(map(len, texts)) > 2 << 20
    path = write(tmp_path, b"".join(texts), "gzip")
    done = run("index", path)
    assert done.code == OK, done.err
    for batch in (2, 0, 1):
        assert get(path, f"q{batch}_{dice.randrange(3000)}") == texts[batch]
    assert get(path, "q0_0", "q0_2999", "q2_1") == texts[0] + texts[2]


def test_with_a_merge(tmp_path):
    """--index writes what index writes of the result."""
    children = [tmp_path / "1.gz", tmp_path / "2.gz"]
    for child, text in zip(children, (b"".join(make()), b"".join(make(BATCHES[::-1])))):
        child.write_bytes(gzip.compress(text))
    target = tmp_path / "merged.gz"
    done = run("--index", "-o", target, *children)
    assert done.code == OK, done.err
    written = list(sqlite3.connect(f"{target}.bmi").iterdump())
    assert get(target, "Query_9").count(b"Query_9") > 1
    assert run("index", target).code == OK
    assert list(sqlite3.connect(f"{target}.bmi").iterdump()) == written


@pytest.mark.parametrize("statement", [
    "UPDATE iteration SET offset = offset + 1 WHERE number = 2", "UPDATE iteration SET size = size - 1 WHERE number = 2",
    "UPDATE iteration SET offset = (SELECT offset FROM iteration WHERE number = 3), size = (SELECT size FROM iteration WHERE number = 3), "
    "crc32 = (SELECT crc32 FROM iteration WHERE number = 3) WHERE number = 2",
    "UPDATE iteration SET name = 'beta' WHERE number = 4", "UPDATE iteration SET crc32 = 1 WHERE number = 2"])
def test_tampered(tmp_path, statement):
    path = write(tmp_path, b"".join(make()), "gzip")
    assert run("index", path).code == OK
    with sqlite3.connect(f"{path}.bmi") as database:
        database.execute(statement)
    done = run("get", path, "beta")
    assert done.code == DATA and done.out == b"", done


def test_another_file(tmp_path):
    """A file that has changed in an archive, behind its end, is refused by what the index has of it."""
    texts = make()
    path = write(tmp_path, b"".join(texts), "plain")
    assert run("index", path).code == OK
    path.write_bytes(b"".join(texts).replace(b'title "beta"', b'title "bexa"'))
    done = run("get", path, "beta")
    assert done.code == DATA and "what is there is not the Iteration that its index has there" in done.err
