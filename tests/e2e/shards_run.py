# SPDX-License-Identifier: MIT
"""Merging shards in tests: real BLAST's databases, made-up files, and what a run must give."""
import gzip
import os
import shutil

import pytest

import shards
from program import OK, difference, run


@pytest.fixture(scope="module")
def blast(tmp_path_factory):
    if os.environ.get("BLASTMERGE_SKIP_BLAST"):
        pytest.skip("BLASTMERGE_SKIP_BLAST is set: NOTHING IS PROVED WITH REAL BLAST")
    for need in ("blastp", "makeblastdb"):
        if not shutil.which(need):
            pytest.fail(f"{need} is missing: apt install ncbi-blast+, or set BLASTMERGE_SKIP_BLAST=1")
    return shards.Blast(tmp_path_factory.mktemp("shards"))


def merge(paths, *options):
    return run("shards", "--plain", *options, *paths)


def search_shards(blast, program, names, query, outfmt, *options):
    paths = []
    for name in names:
        data = blast.search(program, name, query, outfmt, *options)
        paths.append(blast.write(f"{name}.out.gz", gzip.compress(data, 6)))
    return paths


def kinds_of(program):
    """Of the database and of the query."""
    return {"blastp": "pp", "blastn": "nn", "blastx": "pn", "tblastn": "np", "tblastx": "nn"}[program]


def check_same(found, expected):
    assert found.code == OK, found.err
    assert found.out == expected, difference(found.out, expected)


def made(folder, texts):
    paths = []
    for i, text in enumerate(texts):
        paths.append(folder / f"shard_{i}.xml.gz")
        paths[-1].write_bytes(gzip.compress(text.encode()))
    return paths


def refused(tmp_path, texts, *options):
    found = merge(made(tmp_path, texts), *options)
    assert found.out == b""
    return found.code, found.err


def made_table(rows):
    """rows: (query, subject, evalue, bits)"""
    return "".join(f"{query}\t{subject}\t90.0\t100\t10\t0\t1\t100\t1\t100\t{evalue}\t{bits}\n"
                   for query, subject, evalue, bits in rows)
