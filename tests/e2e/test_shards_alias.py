# SPDX-License-Identifier: MIT
"""Alias files for the searches of a database's parts, with real BLAST."""
import gzip
import os
import re
import struct
from pathlib import Path

import pytest

import shards
from program import DATA, MISMATCH, OK, PROGRAM, ROOT, USAGE, run
from shards_run import check_same, merge
from shards_run import blast  # pylint: disable=unused-import


@pytest.mark.parametrize("kind", ["p", "n"])
def test_alias_parts(blast, kind, tmp_path):
    program = {"p": "blastp", "n": "blastn"}[kind]
    parts = [blast.folder / name.removesuffix("_st") for name in blast.slices(kind, 3)]
    made_alias = run("shards", "--alias-parts", "-o", tmp_path / "aliases", *parts)
    assert made_alias.code == OK, made_alias.err
    names = made_alias.out.decode().split()
    assert names == [str(tmp_path / "aliases" / f"shard_0{i}") for i in range(3)]
    expected = blast.search(program, kind, kind, "5")
    paths = [blast.write(f"alias_{i}.gz", gzip.compress(blast.search(program, name, kind, "5")))
             for i, name in enumerate(names)]
    check_same(merge(paths, "--db", kind), expected)
    again = run("shards", "--alias-parts", "-o", tmp_path / "aliases", *parts)
    assert again.code != OK and "--force" in again.err
    assert run("shards", "--alias-parts", "--force", "-o", tmp_path / "aliases", *parts).code == OK


def test_alias_of_one_name(blast, tmp_path):
    """Each shard is searched under the whole's name: the headers are the whole's, and no --db is needed."""
    parts = [blast.folder / name.removesuffix("_st") for name in blast.slices("p", 2)]
    found = run("shards", "--alias-parts", "--db", "p", "-o", tmp_path, *parts)
    assert found.code == OK, found.err
    paths = []
    for name in found.out.decode().split():
        folder, name = name.rsplit("/", 1)
        data = shards.subprocess.run(["blastp", "-db", name, "-query", str(blast.folder / "p.fa"), "-outfmt", "5"],
                                     cwd=folder, stdout=-1, stderr=-3, check=True).stdout
        paths.append(blast.write(f"named_{len(paths)}.gz", gzip.compress(data)))
    check_same(merge(paths), blast.search("blastp", "p", "p", "5"))


@pytest.mark.parametrize("n", [1, 3, 7])
def test_alias_windows(blast, tmp_path, n):
    found = run("shards", "--alias", n, "-o", tmp_path, blast.folder / "p")
    assert found.code == OK, found.err
    paths = [blast.write(f"window_{i}.gz", gzip.compress(blast.search("blastp", name, "p", "16")))
             for i, name in enumerate(found.out.decode().split())]
    assert len(paths) == n
    check_same(merge(paths, "--window", "--db", "p"), blast.search("blastp", "p", "p", "16"))


def test_alias_of_volumes(blast, tmp_path):
    """An alias file with several volumes, and an index of version 4."""
    shards.subprocess.run(["makeblastdb", "-dbtype", "prot", "-title", "v", "-out", "vol", "-max_file_sz", "50KB",
                           "-blastdb_version", "4"], input="".join(blast.records["p"]).encode(), cwd=blast.folder,
                          stdout=-3, check=True)
    volumes = sorted(path.with_suffix("") for path in blast.folder.glob("vol.*.pin"))
    assert len(volumes) > 1
    found = run("shards", "--alias-parts", "-o", tmp_path / "parts", *volumes)
    assert found.code == OK, found.err
    paths = [blast.write(f"volume_{i}.gz", gzip.compress(blast.search("blastp", name, "p", "5")))
             for i, name in enumerate(found.out.decode().split())]
    check_same(merge(paths, "--db", "p"), blast.search("blastp", "p", "p", "5"))
    whole = run("shards", "--alias-parts", "-o", tmp_path / "whole", blast.folder / "vol")
    stats = re.findall("STATS.*", (tmp_path / "whole" / "shard_00.pal").read_text())
    assert stats == re.findall("STATS.*", (tmp_path / "parts" / "shard_00.pal").read_text()) and whole.code == OK


def test_alias_that_cannot_be(blast, tmp_path):
    refused_alias = run("shards", "--alias-parts", "-o", tmp_path, blast.folder / "nothing")
    assert refused_alias.code == 7 and "no BLAST database" in refused_alias.err
    refused_alias = run("shards", "--alias-parts", "-o", tmp_path, blast.folder / "p", blast.folder / "n")
    assert refused_alias.code == 7 and "proteins" in refused_alias.err
    part = blast.folder / "p"
    twice = run("shards", "--alias-parts", "-o", tmp_path / "twice", part, blast.folder / "l", f"{blast.folder}/./p")
    assert twice.code == MISMATCH and "given twice" in twice.err and not (tmp_path / "twice").exists()
    for name in ("", ".", "..", "a/b", "a\nb", "x" * 201):
        assert run("shards", "--alias-parts", "--db", name, "-o", tmp_path / "named", part).code == USAGE, name
    assert not (tmp_path / "named").exists()
    assert run("shards", "--alias", "2", "-o", tmp_path, blast.folder / "p", blast.folder / "l").code == USAGE
    assert run("shards", "--alias", "9999", "-o", tmp_path, blast.folder / "p").code == USAGE
    (tmp_path / "bad.pin").write_bytes(b"\0\0\0\5\0\0\0\1\0\0\0\0\xff\xff\xff\xffx")
    assert run("shards", "--alias-parts", "-o", tmp_path, tmp_path / "bad").code == DATA
    (tmp_path / "loop.pal").write_text("TITLE loop\nDBLIST loop\n")
    assert run("shards", "--alias-parts", "-o", tmp_path, tmp_path / "loop").code == DATA
    (tmp_path / "part.pal").write_text("TITLE part\nDBLIST x\nSEQIDLIST some.list\n")
    assert run("shards", "--alias-parts", "-o", tmp_path, tmp_path / "part").code == USAGE


@pytest.mark.parametrize("option", ["--count", "--plan=p", "--number=1", "--shards=2", "--report=r", "--gzip", "--level=6", "--index", "--window",
                                    "--max-target-seqs=5", "--sizes=1,2", "--order=o", "--expect-queries=q", "--allow-empty"])
@pytest.mark.parametrize("alias", ["--alias=2", "--alias-parts"])
def test_options_of_results(tmp_path, alias, option):
    """None of them is passed over in silence."""
    found = run("shards", alias, option, "-o", tmp_path / "aliases", tmp_path / "database")
    name = option.partition("=")[0]
    assert found.code == USAGE and f"{name} is for results" in found.err, found.err
    assert not (tmp_path / "aliases").exists()


def folder_of_length(base, n_bytes):
    """A folder's path of that many bytes, whose last folder is not there."""
    path = str(base)
    while len(path) < n_bytes - 200:
        path += "/" + "f" * 99
    Path(path).mkdir(parents=True)
    return path + "/" + "g" * (n_bytes - len(path) - 1)


@pytest.mark.parametrize("n_bytes", [3000, 3001, 3050])
@pytest.mark.parametrize("options", [[], ["--db", "whole"]])
def test_long_folder(tmp_path, options, n_bytes):
    """The aliases are in that folder, and in no other one whose name is a part of it."""
    index = struct.pack(">II", 4, 1) + struct.pack(">I", 1) + b"t" + struct.pack(">I", 1) + b"d" + struct.pack(">I", 7) + struct.pack("<Q", 70)
    (tmp_path / "part.pin").write_bytes(index)
    folder = folder_of_length(tmp_path, n_bytes)
    done = run("shards", "--alias-parts", "-o", folder, *options, tmp_path / "part")
    if n_bytes > 3000:
        assert done.code == USAGE and f"3000 bytes here, not {n_bytes}" in done.err, done.err
        assert not list(Path(folder).parent.iterdir())
    else:
        [name] = done.out.decode().splitlines()
        assert done.code == OK and name.startswith(f"{folder}/") and "STATS_TOTLEN 70" in Path(f"{name}.pal").read_text(encoding="utf-8")


def test_the_tutorial(blast, tmp_path):
    """The commands of docs/shards.md, one after another, give what one search of the whole gives."""
    page = (ROOT / "docs" / "shards.md").read_text()
    tutorial = page[page.index("### Split a database"):page.index("Windows on one database need no parts")]
    commands = re.findall(r"^       (\S.*)$", tutorial, re.M)
    assert len(commands) == 6
    records = blast.records["p"]
    for i, part in enumerate((records[:90], records[90:])):
        (tmp_path / f"part_{i}.fasta").write_text("".join(part))
    (tmp_path / "q.fasta").write_text("".join(blast.queries["p"]))
    (tmp_path / "blastmerge").symlink_to(PROGRAM)
    setting = {**os.environ, "HOME": str(tmp_path), "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    for command in commands:
        shards.subprocess.run(["bash", "-euc", command], cwd=tmp_path, env=setting, check=True, stdout=-3)
    assert gzip.decompress((tmp_path / "merged.xml.gz").read_bytes()).replace(b"<BlastOutput_db>proteins<", b"<BlastOutput_db>p<") == \
        blast.search("blastp", "p", "p", "5")
