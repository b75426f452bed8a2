# SPDX-License-Identifier: MIT
"""Random sets in parts: of all formats, options and compressions, of batches of shards, with expected queries, with children
that are damaged, missing or given twice. The steps come to the very bytes of one merge, or one of them ends with its error.

Then one thing changes between the steps: a child, a tally, the plan or a part. The step that uses it fails with a message that
names what to run again; and once that was done, the result has the very bytes again.

Each round has its own seed, which a failure names: BLASTMERGE_SEED=n runs that round first, and BLASTMERGE_ROUNDS=n makes more."""
import gzip
import html
import os
import random
import re
import shutil
from pathlib import Path

import corpus
import corpus_formats
from forms import FORMS, member
from parts import Batches, Steps
from program import CHANGED, DATA, EXISTS, MISMATCH, NOT_FOUND, OK, run, write_children
from test_parts import IDS, random_archives
from test_parts_shards import random_grid
from test_property import damaged
from wild import Wild

ROUNDS = int(os.environ.get("BLASTMERGE_ROUNDS", "24"))
FIRST_SEED = int(os.environ.get("BLASTMERGE_SEED", "1"))
SALVAGED = 11
FORMATS = ["xml2", "json", "commented", "tabular", "csv"]
COLUMNS = ["qseqid", "sseqid", "pident", "length", "mismatch", "gapopen", "qstart", "qend", "sstart", "send", "evalue", "bitscore"]


# --- sets -----------------------------------------------------------------------------------------


class Set(Steps):
    """Children with their options. queries: for each child what its search had, or None."""

    def __init__(self, folder, children, options, queries=None):
        super().__init__(folder / "steps", children, *options)
        self.queries = queries
        self.is_salvaged = "--salvage" in options
        for number, text in enumerate(queries or [], 1):
            self.queries_of(number).write_text(text)
        if queries is not None:
            self.queries_of("all").write_text("".join(queries))

    def queries_of(self, number):
        return self.folder / f"queries_{number}"

    def expect(self, number):
        return [] if self.queries is None else ["--expect-queries", self.queries_of(number)]

    def merge(self):
        return run("--gzip", *self.options, *self.expect("all"), *self.children)

    def count(self, number, *more):
        return run("count", *more, *self.options, *self.expect(number), "-o", self.tally(number), self.children[number - 1])

    def plan(self, *options, tallies=None):
        return super().plan(*self.expect("all"), *options, tallies=tallies)

    def numbers(self):
        return range(1, len(self.children) + 1)

    def files_of(self, number):
        return [self.children[number - 1]]


class Grid(Batches):
    """Batches of shards, with the methods of a set."""
    is_salvaged = False

    def merge(self):
        return self.grid()

    def part(self, number, *options):
        return super().part(number, "--number", number, *options)

    def join(self, *options, parts=None):
        return run("join", "--plan", self.plan_file, *options, "-o", self.result, *(parts or map(self.part_file, self.numbers())))

    def plan(self, *options, tallies=None):
        return run("plan", *options, "-o", self.plan_file, *(tallies or map(self.tally, self.numbers())))

    def files_of(self, number):
        return self.batches[number - 1]


def options_of_all(dice, n_children):
    options = ["--quiet", "--threads", dice.choice([1, 2])]
    if dice.random() < 0.8:
        options.append("--allow-empty")
    if dice.random() < 0.7:
        options += ["--mismatch", dice.choice(["ignore", "warn", "error"])]
    if dice.random() < 0.5:
        options += ["--sort", dice.choice(["natural", "none"])]
    if dice.random() < 0.2:
        options += ["--expect-children", dice.choice([n_children] * 4 + [n_children + 1])]
    return options


def options_of_ids(dice):
    if dice.random() < 0.3:
        return ["--as-unsplit"]
    return ["--query-ids", dice.choice(IDS)] if dice.random() < 0.6 else []


def compressed(dice, texts):
    return [dice.choice(list(FORMS.values()))(text) for text in texts]


def wild_set(dice):
    """XML of any form."""
    options = options_of_ids(dice)
    with_invalid, with_forbidden = dice.random() < 0.3, dice.random() < 0.2
    wild = Wild(dice, with_invalid, "nr" if "--as-unsplit" in options else None, with_forbidden)
    children = [wild.child() for _ in range(dice.choice([1, 2, 3, 5]))]
    if dice.random() < 0.5:
        options += dice.choice([["--keep-db"], ["--db", "x & y"], ["--db", "n"]])
    if "--as-unsplit" not in options:
        if with_invalid or dice.random() < 0.1:
            options += ["--invalid-utf8", dice.choice(["keep", "latin1", "keep", "latin1", "error"])]
    if "--as-unsplit" not in options and (with_forbidden or dice.random() < 0.1):
        options += ["--forbidden-characters", dice.choice(["replace", "keep", "replace", "keep", "error"])]
    return children, options, None


def fasta_of(xml):
    """The queries of a child's XML."""
    found = re.findall(r"<Iteration_query-def>(.*?)</Iteration_query-def>\s*<Iteration_query-len>(\d+)<", xml.decode())
    return "".join(f">{html.unescape(title)}\n{'M' * int(length)}\n" for title, length in found)


def corpus_set(dice, seed):
    """Searches in one of the formats. Half of them are compared with their queries."""
    n = dice.choice([1, 2, 3, 5])
    texts = corpus.texts(n, n * dice.choice([1, 2, 8]), seed=seed, hits=dice.choice([1, 3]), without_hits=0.3, rounds=dice.choice([1, 1, 2]))
    name = dice.choice(["xml", *FORMATS])
    options = options_of_ids(dice)
    queries = [fasta_of(text) for text in texts] if dice.random() < 0.5 else None
    if queries and dice.random() < 0.2:
        queries[dice.randrange(n)] += ">one more\nMKV\n"  # nobody has searched it
    if name != "xml":
        texts = [corpus_formats.converted(name, text) for text in texts]
    if name in ("tabular", "csv") or dice.random() < 0.2:
        options += ["--format", name]
    if name in ("tabular", "csv"):
        separator = "\t" if name == "tabular" else ","
        if dice.random() < 0.4:
            texts = [separator.join(COLUMNS).encode() + b"\n" + text for text in texts]
        if dice.random() < 0.5:
            options += ["--header", dice.choice(["once", "keep", "none"])]
    return texts, options, queries


def archive_set(dice):
    return [random_archives(dice) for _ in range(dice.choice([1, 2, 3, 5]))], options_of_ids(dice), None


def salvage_set(dice, seed):
    """Children with several Iterations, of which some have a fault in the text or are cut short."""
    n = dice.choice([1, 2, 3, 5])
    options = ["--salvage", *(["--query-ids", dice.choice(IDS)] if dice.random() < 0.5 else [])]
    queries = None
    if dice.random() < 0.3:
        texts = [random_archives(dice) + random_archives(dice) for _ in range(n)]
        options += ["--format", "archive"]
    else:
        texts = corpus.texts(n, 6 * n, seed=seed, hits=2)
        queries = [fasta_of(text) for text in texts] if dice.random() < 0.4 else None
    for i in dice.sample(range(n), dice.choice([0, 1, 1, min(n, 2)])):
        at = dice.randrange(len(texts[i]) // 3, len(texts[i]))
        texts[i] = texts[i][:at] if dice.random() < 0.5 else texts[i][:at] + damaged(dice, texts[i][at:])
    return texts, options, queries


DAMAGE = ["cut", "a flipped bit", "text", "empty", "other", "gone"]


def change_children(dice, children, kinds):
    """What may have happened to children before anything was counted."""
    kind = dice.choice(kinds)
    i = dice.randrange(len(children))
    data = children[i].read_bytes()
    if kind == "cut":
        children[i].write_bytes(data[:dice.randrange(len(data) + 1)])
    elif kind == "a flipped bit" and data:
        at = dice.randrange(len(data))
        children[i].write_bytes(data[:at] + bytes([data[at] ^ 1 << dice.randrange(8)]) + data[at + 1:])
    elif kind == "text" and data[:2] == b"\x1f\x8b":
        children[i].write_bytes(member(damaged(dice, gzip.decompress(data) or b"\n")))
    elif kind == "empty":
        children[i].write_bytes(b"")
    elif kind == "other":
        children[i].write_bytes(dice.choice([corpus.texts(1, 1, seed=9, hits=1)[0].replace(b"blastp", b"blastx"), b"not of BLAST\n"]))
    elif kind == "gone":
        children[i].unlink()
    elif kind == "twice":
        children.append(children[i])
    elif kind == "copy":
        children.append(children[i].parent / "a copy.gz")
        children[-1].write_bytes(data)


def random_set(folder, dice, seed):
    kind = dice.choice(["wild", "corpus", "corpus", "archives", "salvage", "shards"])
    if kind == "shards":
        outfmt = dice.choice(["5", "16", "15", "7"])
        grid = Grid(folder / "steps", random_grid(folder, dice, outfmt), "--db", "all", "--max-target-seqs", dice.choice([8, 12, 500]), "--quiet")
        if dice.random() < 0.3:
            change_children(dice, dice.choice(grid.batches), DAMAGE)
        return grid
    texts, options, queries = {"wild": lambda: wild_set(dice), "corpus": lambda: corpus_set(dice, seed),
                               "archives": lambda: archive_set(dice), "salvage": lambda: salvage_set(dice, seed)}[kind]()
    children = write_children(folder, compressed(dice, texts))
    if dice.random() < 0.25:
        n = len(children)
        change_children(dice, children, [*DAMAGE, "twice", "copy"])
        if queries and len(children) > n:
            queries.append(queries[0])
    return Set(folder, children, [*options_of_all(dice, len(children)), *options], queries)


# --- all steps --------------------------------------------------------------------------------------


def whole(steps):
    """The steps come to what one merge does: its result's bytes, or its error. Returns the bytes, or None."""
    done = steps.merge()
    counts = {number: steps.count(number) for number in steps.numbers()}
    wrong = {number: count for number, count in counts.items() if count.code not in (OK, SALVAGED)}
    for number, count in wrong.items():
        assert any(path.name in count.err for path in steps.files_of(number)) or "quer" in count.err, f"count {number} names no child: {count.err}"
        assert not steps.tally(number).exists()
    if wrong and steps.is_salvaged and done.code in (OK, SALVAGED):
        return left_out(steps, wrong)
    if wrong:
        codes = {count.code for count in wrong.values()}
        tallies = [steps.tally(number) for number in counts if number not in wrong]
        if tallies:  # an error of another child may come before
            codes.add(steps.plan(tallies=tallies).code)
            steps.plan_file.unlink(missing_ok=True)
        elif "given, but" in done.err:
            codes.add(MISMATCH)  # the number of children
        assert done.code in codes, f"{[count.err for count in wrong.values()]}, and of the merge: {done.code} {done.err}"
        return None
    planned = steps.plan()
    if planned.code not in (OK, SALVAGED):
        assert planned.code == done.code, f"plan: {planned.err}; the merge: {done.code} {done.err}"
        return None
    assert planned.code == (SALVAGED if SALVAGED in {count.code for count in counts.values()} else OK), planned.err
    return parts_of(steps, done, planned.code)


def parts_of(steps, done, code):
    """Once all is planned, nothing may fail any more."""
    for number in steps.numbers():
        part = steps.part(number)
        assert part.code == OK, f"part {number}: {part.err}"
    joined = steps.join()
    assert joined.code == code, f"join: {joined.err}"
    assert done.code == code, f"the steps end with {code}, and the merge: {done.code} {done.err}"
    assert steps.result.read_bytes() == done.out
    return done.out


def left_out(steps, wrong):
    """A child that is salvaged with the help of others, or of which nothing is whole, cannot be counted: the others are merged."""
    for number, count in wrong.items():
        assert count.code == DATA or "quer" in count.err, f"count {number}: {count.err}"
    steps.children = [child for number, child in enumerate(steps.children, 1) if number not in wrong]
    if steps.queries is not None:
        steps.queries = None
    if not steps.children:
        return None
    shutil.rmtree(steps.folder)
    steps.folder.mkdir()
    return whole(steps)


# --- what changes between the steps -----------------------------------------------------------------


def spoil(dice, path, others=()):
    """A file is gone, cut, damaged at an end, longer, empty, or another one of its kind."""
    data = path.read_bytes()
    kind = dice.choice(["gone", "cut", "flipped", "longer", "empty", "another"])
    at = dice.choice([dice.randrange(min(60, len(data))), len(data) - 1 - dice.randrange(min(60, len(data)))])
    if kind == "gone":
        path.unlink()
    elif kind == "another" and others:
        shutil.copy(dice.choice(others), path)
    else:
        path.write_bytes({"cut": data[:dice.randrange(len(data))], "flipped": data[:at] + bytes([data[at] ^ 1 << dice.randrange(8)]) + data[at + 1:],
                          "longer": data + b"\0", "empty": b"", "another": b"{}\n"}[kind])
    return kind


def run_again(step, *arguments):
    """What is there is replaced, unless nothing shows any more that it is of its kind: then the message asks for --force."""
    done = step(*arguments)
    if done.code == EXISTS:
        assert "--force replaces it" in done.err
        done = step(*arguments, "--force")
    assert done.code in (OK, SALVAGED), done.err


def obey(steps, done):
    """Runs again what a message names: a part, the plan, or a count."""
    numbers = re.search(r"run parts? ([\d, ]+) again", done.err)
    of_file = re.search(r"part_(\d+)\.gz: .*run the part that writes it again", done.err)
    tally = re.search(r"/(\d+)\.tally: ", done.err)
    if numbers or of_file:
        for number in (numbers or of_file).group(1).split(", "):
            run_again(steps.part, int(number))
    elif tally:
        run_again(steps.count, int(tally.group(1)))
    else:
        assert "plan.json: " in done.err and ("make it again" in done.err or done.code == NOT_FOUND), f"no task is named: {done.err}"
        run_again(steps.plan)


def join_until_it_is_there(steps, expected, code):
    """Each join that fails says what to do, and that is done."""
    for _ in range(2 * len(steps.numbers()) + 3):
        done = steps.join("--force")
        if done.code in (OK, SALVAGED):
            assert done.code == code
            assert steps.result.read_bytes() == expected
            return
        obey(steps, done)
    raise AssertionError(f"the messages lead nowhere: {done.err}")


def child_changes(steps, dice, expected, code):
    """Between count and part. The part that was there stays."""
    number = dice.choice(steps.numbers())
    path = dice.choice(steps.files_of(number))
    if steps.files_of(number).count(path) + sum(path in steps.files_of(other) for other in steps.numbers() if other != number) > 1:
        return
    data, part = path.read_bytes(), steps.part_file(number).read_bytes()
    text = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
    kind = dice.choice(["gone", "cut", "text", "longer", "packed again", "moved"])
    if kind == "moved" and isinstance(steps, Set):
        shutil.move(path, path.parent / "moved")
        done = steps.part(number, path.parent / "moved")
        assert done.code == OK and steps.part_file(number).read_bytes() == part, done.err
        shutil.move(path.parent / "moved", path)
        return
    if kind in ("gone", "moved"):
        path.unlink()
    else:
        path.write_bytes({"cut": data[:dice.randrange(len(data) + 1)], "longer": data + b"more", "packed again": member(text + b"\n", 1),
                          "text": member(damaged(dice, text) if text else b"x\n")}[kind])
    if path.exists() and path.read_bytes() == data:
        return
    done = steps.part(number)
    names = path.name in done.err or f"part {number}" in done.err
    if done.code == OK:  # what was changed is not in the result: a shard's, or what comes behind the text
        assert steps.part_file(number).read_bytes() == part, f"child {kind}: another part, and no error"
    else:
        assert done.code in (CHANGED, DATA, MISMATCH, NOT_FOUND) and names, f"child {kind}: {done.code} {done.err}"
        assert steps.part_file(number).read_bytes() == part
        assert done.code != CHANGED or f"part {number}" in done.err
    path.write_bytes(data)
    assert steps.part(number).code == OK and steps.part_file(number).read_bytes() == part
    steps.result.unlink()
    join_until_it_is_there(steps, expected, code)


def tally_changes(steps, dice, expected, code):
    number = dice.choice(steps.numbers())
    good = steps.tally(number).read_bytes()
    plan = steps.plan_file.read_bytes()
    kind = spoil(dice, steps.tally(number))
    done = steps.plan()
    if done.code not in (OK, SALVAGED):
        assert done.code in (DATA, MISMATCH, NOT_FOUND), f"tally {kind}: {done.err}"
        assert steps.plan_file.read_bytes() == plan
        obey(steps, done)
    else:  # blanks between words, or what the plan does not hold, such as the version
        steps.tally(number).write_bytes(good)
    assert steps.tally(number).read_bytes() == good
    assert steps.plan().code == code and steps.plan_file.read_bytes() == plan
    join_until_it_is_there(steps, expected, code)


def plan_changes(steps, dice, expected, code):
    number = dice.choice(steps.numbers())
    part = steps.part_file(number).read_bytes()
    kind = spoil(dice, steps.plan_file)
    done = steps.part(number)
    assert done.code in (OK, DATA, MISMATCH, NOT_FOUND), f"plan {kind}: {done.err}"
    assert steps.part_file(number).read_bytes() == part  # it may be another child's line that is wrong
    assert steps.join("--force").code in (DATA, MISMATCH, NOT_FOUND), f"a plan that is {kind} is joined"
    assert steps.result.read_bytes() == expected
    steps.result.unlink()
    join_until_it_is_there(steps, expected, code)


def part_changes(steps, dice, expected, code):
    number = dice.choice(steps.numbers())
    others = [steps.part_file(other) for other in steps.numbers() if other != number] + steps.files_of(number)
    steps.result.unlink()
    kind = spoil(dice, steps.part_file(number), others)
    done = steps.join()
    assert done.code in (DATA, MISMATCH, NOT_FOUND), f"part {kind}: {done.code} {done.err}"
    assert not steps.result.exists()
    join_until_it_is_there(steps, expected, code)


def part_is_of_another_plan(steps, dice, expected, code):
    """One that has the same children, but for one that is missing or comes twice."""
    numbers = list(steps.numbers())
    tallies = [steps.tally(number) for number in numbers]
    other = tallies[:-1] if len(tallies) > 1 and dice.random() < 0.5 else tallies + tallies[-1:]
    plan = steps.plan_file.read_bytes()
    done = steps.plan(tallies=other)
    if done.code in (OK, SALVAGED):
        assert steps.part(1).code == OK
    steps.plan_file.write_bytes(plan)
    steps.result.unlink()
    if done.code in (OK, SALVAGED):
        done = steps.join()
        assert done.code == MISMATCH and "part_1.gz: is a part of another plan: run part 1 again" in done.err, done.err
    join_until_it_is_there(steps, expected, code)


def part_is_left_out_or_twice(steps, dice, expected, code):
    number = dice.choice(steps.numbers())
    parts = [steps.part_file(other) for other in steps.numbers()]
    steps.result.unlink()
    if dice.random() < 0.5 and len(parts) > 1:
        parts.remove(steps.part_file(number))
        done = steps.join(parts=parts)
        assert done.code == NOT_FOUND and f"run part {number} again" in done.err, done.err
    else:
        done = steps.join(parts=[*parts, steps.part_file(number)])
        assert done.code == MISMATCH and f"part_{number}.gz: is part {number}" in done.err, done.err
    dice.shuffle(parts)
    join_until_it_is_there(steps, expected, code)


CHANGES = [child_changes, child_changes, tally_changes, plan_changes, part_changes, part_changes, part_is_of_another_plan,
           part_is_left_out_or_twice]


def test_random_sets(tmp_path):
    n_merged, n_refused, n_salvaged = 0, 0, 0
    for seed in range(FIRST_SEED, FIRST_SEED + ROUNDS):
        dice = random.Random(f"sets in parts {seed}")
        folder = tmp_path / str(seed)
        folder.mkdir()
        steps = random_set(folder, dice, seed)
        change = dice.choice(CHANGES)
        try:
            expected = whole(steps)
            n_merged += expected is not None
            n_refused += expected is None
            if expected is not None:
                code = steps.join().code  # the result is there
                n_salvaged += code == SALVAGED
                change(steps, dice, expected, code)
        except AssertionError as failure:
            raise AssertionError(f"seed {seed}, options {steps.options}, {change.__name__}, files in {folder}: {failure}") from None
        shutil.rmtree(folder)
    print(f"seeds {FIRST_SEED} to {seed}: {n_merged} merged, {n_salvaged} of them salvaged; {n_refused} refused")
    assert n_merged > ROUNDS / 2 and n_refused > ROUNDS / 20 and n_salvaged >= ROUNDS // 50
