# SPDX-License-Identifier: MIT
"""A merge in parts, step by step, as the commands count, plan, part and join make it."""
from pathlib import Path

from program import OK, run


class Steps:
    """The files of a merge in parts, in a folder of their own."""

    def __init__(self, folder, children, *options):
        self.folder = Path(folder)
        self.folder.mkdir(exist_ok=True)
        self.children = list(map(Path, children))
        self.options = list(map(str, options))
        self.plan_file = self.folder / "plan.json"
        self.result = self.folder / "result.gz"

    def tally(self, number):
        return self.folder / f"{number}.tally"

    def part_file(self, number):
        return self.folder / f"part_{number}.gz"

    def count(self, number):
        return run("count", *self.options, "-o", self.tally(number), self.children[number - 1])

    def plan(self, *options, tallies=None):
        tallies = tallies or [self.tally(number) for number in range(1, len(self.children) + 1)]
        return run("plan", *self.options, *options, "-o", self.plan_file, *tallies)

    def part(self, number, *operands):
        return run("part", "--plan", self.plan_file, "--number", number, "-o", self.part_file(number), *operands)

    def join(self, *options, parts=None):
        if parts is None:
            parts = [self.part_file(number) for number in range(1, len(self.children) + 1)]
        return run("join", "--plan", self.plan_file, *options, "-o", self.result, *parts)

    def steps(self):
        """All runs, one after the other, up to the first that fails: (name, number, run)."""
        numbers = range(1, len(self.children) + 1)
        for name, numbers_of_step in (("count", numbers), ("plan", [0]), ("part", numbers), ("join", [0])):
            for number in numbers_of_step:
                done = getattr(self, name)(number) if number else getattr(self, name)()
                yield name, number, done
                if done.code != OK:
                    return

    def all(self):
        """Runs all steps, which must go well; the result's bytes."""
        for name, number, done in self.steps():
            assert done.code == OK, f"{name} {number}: {done.err}"
        return self.result.read_bytes()


class Batches:
    """The files of a grid in parts: a list of batches, each a list of its shards."""

    def __init__(self, folder, batches, *options):
        self.folder = Path(folder)
        self.folder.mkdir()
        self.batches = batches
        self.options = options
        self.plan_file = self.folder / "plan.json"
        self.result = self.folder / "result.gz"

    def grid(self):
        return run("shards", "--gzip", "--shards", len(self.batches[0]), *self.options, *(path for batch in self.batches for path in batch))

    def tally(self, number):
        return self.folder / f"{number}.tally"

    def part_file(self, number):
        return self.folder / f"part_{number}.gz"

    def count(self, number, *options):
        return run("shards", "--count", *self.options, *options, "-o", self.tally(number), *self.batches[number - 1])

    def plan(self, *options):
        return run("plan", *options, "-o", self.plan_file, *(self.tally(number) for number in self.numbers()))

    def part(self, number, *options, shards=None, env=None):
        return run("shards", "--plan", self.plan_file, *options, *self.options, "-o", self.part_file(number),
                   *(shards or self.batches[number - 1]), env=env)

    def join(self, *options):
        return run("join", "--plan", self.plan_file, *options, "-o", self.result, *map(self.part_file, reversed(self.numbers())))

    def numbers(self):
        return range(1, len(self.batches) + 1)

    def all(self):
        for number in self.numbers():
            done = self.count(number)
            assert done.code == OK, done.err
        done = self.plan()
        assert done.code == OK, done.err
        for number in self.numbers():
            done = self.part(number, "--number", number)
            assert done.code == OK, done.err
        done = self.join()
        assert done.code == OK, done.err
        return self.result.read_bytes()
