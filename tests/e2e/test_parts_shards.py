# SPDX-License-Identifier: MIT
"""Batches of shards as parts: counted, planned, made and joined on their own, they come to the very bytes of `shards --shards N`."""
import gzip
import json
import os
import random
import re
import shutil

import pytest

import shards_forms
from parts import Batches
from program import CHANGED, DATA, EXISTS, MISMATCH, NOT_FOUND, OK, USAGE, run
from shards import made_shard
from shards_run import blast, made, made_table  # noqa: F401, pylint: disable=unused-import
from test_shards import random_list, random_search

ROUNDS = int(os.environ.get("BLASTMERGE_ROUNDS", "20"))
FIRST_SEED = int(os.environ.get("BLASTMERGE_SEED", "1"))


def of_batch(batch, text):
    """With names of queries that no other batch has."""
    return re.sub(r"\bq(\d+)\b", rf"q{batch}x\1", text.replace("query-def>number", f"query-def>batch {batch} number"))


def made_grid(folder, n_batches, n_shards, make):
    """Shards' files; make(batch, shard) gives the text of one."""
    batches = []
    for batch in range(n_batches):
        (folder / f"batch_{batch}").mkdir()
        batches.append(made(folder / f"batch_{batch}", [of_batch(batch, make(batch, shard)) for shard in range(n_shards)]))
    return batches


def random_grid(folder, chance, outfmt):
    """Batches of one to five queries, and three shards each."""
    sizes = [chance.randrange(1, 6) for _ in range(chance.choice([1, 2, 3]))]
    n_shards = chance.choice([1, 2, 3])
    if outfmt == "5":
        own = chance.random() < 0.5
        return made_grid(folder, len(sizes), n_shards,
                         lambda batch, shard: made_shard([random_list(chance, own, shard, 8) for _ in range(sizes[batch])], n_shards))
    is_numbered = outfmt != "7" and chance.random() < 0.5
    write = shards_forms.WRITERS[outfmt]
    return made_grid(folder, len(sizes), n_shards,
                     lambda batch, shard: write(random_search(chance, is_numbered, shard, sizes[batch]), "part", n_shards))


@pytest.mark.parametrize("outfmt", ["5", "16", "15", "7"])
def test_random_grids(tmp_path, outfmt):
    for seed in range(FIRST_SEED, FIRST_SEED + max(1, ROUNDS // 4)):
        chance = random.Random(f"grid in parts {outfmt} {seed}")
        folder = tmp_path / str(seed)
        folder.mkdir()
        steps = Batches(folder / "steps", random_grid(folder, chance, outfmt), "--db", "all", "--max-target-seqs", chance.choice([8, 12, 500]))
        done = steps.grid()
        assert done.code == OK, (seed, done.err)
        assert steps.all() == done.out, seed
        shutil.rmtree(folder)


def test_rows(tmp_path):
    """Tables without comments."""
    batches = made_grid(tmp_path, 2, 3, lambda batch, shard: made_table([(f"a{batch}", f"s{shard}", "1e-5", "50"), (f"b{batch}", f"s{shard}", "1e-9", "60")]))
    steps = Batches(tmp_path / "steps", batches, "--format", "tabular")
    assert steps.all() == steps.grid().out


@pytest.fixture(name="steps")
def make_steps(tmp_path):
    chance = random.Random(7)
    return Batches(tmp_path / "steps", made_grid(tmp_path, 2, 3, lambda batch, shard: made_shard([random_list(chance, True, shard, 8) for _ in range(4)], 3)),
                   "--db", "all")


def test_of_real_blast(blast, tmp_path):  # noqa: F811, pylint: disable=redefined-outer-name
    """Two batches of queries, each searched in three parts of the database: what the search of all writes."""
    whole = blast.queries["n"]
    batches = []
    for batch, queries in enumerate((whole[:5], whole[5:])):
        (blast.folder / f"parts_{batch}.fa").write_text("".join(queries))
        batches.append([blast.write(f"parts_{batch}_{name}.gz", gzip.compress(blast.search("blastn", name, f"parts_{batch}", "5")))
                        for name in blast.slices("n", 3)])
    steps = Batches(tmp_path / "steps", batches, "--db", "n")
    joined = steps.all()
    assert joined == steps.grid().out
    assert gzip.decompress(joined) == blast.whole("blastn", "n", "n", "5")


def test_each_step_again(steps):
    """The same bytes; and the number may come from the engine."""
    before = steps.all()
    files = {path.name: path.read_bytes() for path in steps.folder.iterdir()}
    assert steps.count(1).code == steps.plan().code == OK
    done = steps.part(2, "-v", env={**os.environ, "SLURM_ARRAY_TASK_ID": "2"})
    assert done.code == OK and "part 2, by SLURM_ARRAY_TASK_ID" in done.err, done.err
    assert steps.join().code == OK
    assert files == {path.name: path.read_bytes() for path in steps.folder.iterdir()}
    assert before == steps.grid().out
    child = json.loads(steps.tally(2).read_text())["child"]
    assert (child["shards"], child["location"]) == (3, str(steps.batches[1][0]))


def test_threads_and_memory_do_not_matter(steps):
    expected = steps.all()
    steps.options += ("--threads", "1", "--memory", "64")
    steps.result.unlink()
    assert steps.all() == expected


def test_what_is_wrong(steps, tmp_path):
    steps.all()
    kept = steps.part_file(1).read_bytes()
    done = steps.part(1, "--number", 1, shards=steps.batches[1])
    assert done.code == CHANGED and "is not what was counted for part 1" in done.err, done.err
    assert "or give the options that its shards were counted with" in done.err
    done = steps.part(1, "--number", 1, "--max-target-seqs", 501, shards=steps.batches[0][::-1])
    assert done.code == CHANGED, done.err
    done = run("part", "--plan", steps.plan_file, "--number", 1, "-o", steps.part_file(1))
    assert done.code == USAGE and "part 1 is of a batch of 3 shards" in done.err, done.err
    done = steps.part(1, "--number", 3)
    assert done.code == USAGE and "the plan has 2 children" in done.err, done.err
    assert steps.part_file(1).read_bytes() == kept
    shard = steps.batches[0][1]
    whole = shard.read_bytes()
    shard.write_bytes(whole[:-9])
    for done in (steps.count(1), steps.part(1, "--number", 1)):
        assert done.code == DATA and shard.name in done.err, done.err
    shard.unlink()
    for done in (steps.count(1), steps.part(1, "--number", 1)):
        assert done.code == NOT_FOUND and shard.name in done.err, done.err
    assert steps.part_file(1).read_bytes() == kept
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    done = run("shards", "--count", fifo)
    assert done.code == USAGE and "not a pipe" in done.err, done.err


def test_several_batches_at_once(steps):
    steps.all()
    both = [path for batch in steps.batches for path in batch]
    done = run("shards", "--count", "--shards", 3, "--db", "all", *both)
    assert done.code == USAGE and "a count takes one batch of shards, and 2 were given" in done.err, done.err
    done = run("shards", "--plan", steps.plan_file, "--number", 1, "--shards", 3, "--db", "all", *both)
    assert done.code == USAGE and "a part takes one batch of shards, and 2 were given" in done.err, done.err


def test_shards_for_a_child_of_its_own(steps, tmp_path):
    """A plan may have both. The number decides which it is."""
    child = tmp_path / "child.gz"
    steps.options += ("--invalid-utf8", "keep")  # as --as-unsplit has it
    done = run("shards", "--db", "all", "-o", child, *steps.batches[1])
    assert done.code == OK, done.err
    assert steps.count(1).code == run("count", "--as-unsplit", "--allow-empty", "-o", steps.tally(2), child).code == OK
    assert steps.plan().code == OK
    done = steps.part(2, "--number", 2)
    assert done.code == USAGE and "part 2 is of a child of its own" in done.err, done.err
    assert steps.part(1, "--number", 1).code == run("part", "--plan", steps.plan_file, "--number", 2, "-o", steps.part_file(2)).code == OK
    assert steps.join().code == OK
    assert gzip.decompress(steps.result.read_bytes()) == gzip.decompress(steps.grid().out)


@pytest.mark.parametrize("options, words", [
    (["--count", "--plan", "p"], "contradict each other"), (["--number", "1"], "give its plan"), (["--count", "--level", "6"], "compresses nothing again"),
    (["--count", "--index"], "--index is for a result"), (["--plan", "p", "--html", "h"], "--html is for a result"),
    (["--count", "--plain"], "--plain is for a result"), (["--plan", "p", "--bgzf"], "--bgzf is for a result")])
def test_options_that_are_refused(steps, options, words):
    done = run("shards", *options, *steps.batches[0])
    assert done.code == USAGE and words in done.err, done.err


def test_other_results_stay(steps):
    steps.all()
    for path, step in ((steps.tally(1), lambda: steps.count(1)), (steps.part_file(1), lambda: steps.part(1, "--number", 1))):
        path.write_bytes(b"other work\n" * 20)
        assert step().code == EXISTS
        assert path.read_bytes() == b"other work\n" * 20


def test_batches_of_other_searches(steps):
    """The plan warns of them, as the grid does."""
    text = gzip.decompress(steps.batches[1][0].read_bytes())
    for path in steps.batches[1]:
        path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()).replace(b"2.12.0+", b"2.11.0+")))
    assert text != gzip.decompress(steps.batches[1][0].read_bytes())
    assert "its BlastOutput_version is BLASTN 2.11.0+" in steps.grid().err
    assert steps.count(1).code == steps.count(2).code == OK
    done = steps.plan()
    assert done.code == OK and f"{steps.batches[1][0]}: its BlastOutput_version is BLASTN 2.11.0+" in done.err, done.err


def test_the_same_batch_twice(steps):
    for number in (1, 2):
        assert steps.count(number).code == OK
    shutil.copy(steps.tally(1), steps.tally(2))
    done = steps.plan()
    assert done.code == MISMATCH and "is given twice" in done.err, done.err
