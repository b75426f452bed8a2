# SPDX-License-Identifier: MIT
"""A merge is a sum: children that are counted in any order, each on its own, and then written in any order, each on its
own from the sum of those before it, are joined to the very bytes of the plain merge."""
import os
import random
import subprocess

import pytest

import archives
from corpora import in_all_formats
from forms import FORMS, member
from program import OK, run, write_children
from wild import Wild

FRAGMENTS = os.environ.get("BLASTMERGE_FRAGMENTS")
ROUNDS = int(os.environ.get("BLASTMERGE_ROUNDS", "100"))
IDS = ["keep", "auto", "renumber"]


def merge_by_fragments(seed, ids, keeps_numbers, level, database, paths):
    done = subprocess.run([FRAGMENTS, str(seed), ids, "1" if keeps_numbers else "0", str(level), database, *map(str, paths)],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, timeout=100)
    assert done.returncode == OK, done.stderr
    return done.stdout


def compare(seed, paths, ids, level, as_unsplit, *arguments):
    """False: the plain merge refuses the children, which is not the matter here."""
    plain = run(*arguments, "--mismatch", "ignore", "--allow-empty",
                *(["--as-unsplit", "--sort", "none"] if as_unsplit else ["--query-ids", ids, "--db", "x & y"]),
                *(["--level", level] if level else []), *paths)
    if plain.code != OK:
        return False
    ids, database = ("auto", "-") if as_unsplit else (ids, "x & y")
    assert merge_by_fragments(seed, ids, as_unsplit, level, database, paths) == plain.out
    return True


def test_wild_documents(tmp_path):
    n_compared = 0
    for seed in range(ROUNDS):
        dice = random.Random(f"fragments {seed}")
        as_unsplit = dice.random() < 0.4
        wild = Wild(dice, False, "nr" if as_unsplit else None)
        children = [dice.choice(list(FORMS.values()))(wild.child()) for _ in range(dice.choice([1, 2, 3, 5, 8]))]
        if dice.random() < 0.2:
            children.insert(dice.randrange(len(children) + 1), b"")
        try:
            n_compared += compare(seed, write_children(tmp_path, children), dice.choice(IDS),
                                  dice.choice([0, 0, 0, 1, 6]), as_unsplit, "--invalid-utf8", "keep")
        except AssertionError as failure:
            raise AssertionError(f"seed {seed}, children in {tmp_path}: {failure}") from None
    assert n_compared > ROUNDS / 3


def formats_of(folder, seed):
    """The same searches in all formats, of queries with and without names."""
    yield from in_all_formats(folder, 5, 40, seed=seed, hits=3)
    yield "archive", archives_of(folder, random.Random(seed))


def archives_of(folder, dice):
    """Runs of one archive or several; some children hold two runs, and some queries have names that are like BLAST's."""
    paths = []
    for number in range(6):
        text = b""
        for _ in range(dice.choice([1, 1, 2])):
            first = 1
            for _ in range(dice.randrange(1, 4)):
                names = [f"name {number}" for _ in range(dice.randrange(1, 12))]
                text += archives.make(names, first, hits=dice.randrange(3), subject=dice.choice(["Query_1", "Query_2", "x"]))
                first += len(names) + dice.choice([0, 0, 0, 5])
        paths.append(folder / f"child_{number}.archive.gz")
        paths[-1].write_bytes(member(text.rstrip() if number == 2 else text))
    return paths


@pytest.mark.parametrize("as_unsplit", [False, True])
def test_all_formats(tmp_path, as_unsplit):
    for name, paths in formats_of(tmp_path, 7):
        for seed in range(6):
            database = [] if name == "xml" or as_unsplit else ["--keep-db"]
            if name == "xml" or as_unsplit:
                assert compare(seed, paths, IDS[seed % 3], 6 * (seed == 5), as_unsplit), name
                continue
            ids = IDS[seed % 3]
            plain = run("--query-ids", ids, *database, *paths)
            assert plain.code == OK, plain.err
            assert merge_by_fragments(seed, ids, False, 0, "-", paths) == plain.out, name
