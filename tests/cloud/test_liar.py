# SPDX-License-Identifier: MIT
"""Merges of children on a server that lies: the right bytes, or an error and nothing to be seen.

BLASTMERGE_TEST_LIES=2000 says how many merges (60), BLASTMERGE_TEST_SEED which. BLASTMERGE_TEST_LIE=17,18 runs those alone and
shows what was told. With BLASTMERGE=build-asan/blastmerge a sanitizer's word is a failure, too.
"""
import collections
import gzip
import itertools
import os
import random
import re
import zlib

import corpus
import corpus_formats
import pytest
from conftest import FAST, SEED
from forms import member
from liar import KINDS, Case, Child, Liar, Thing
from program import CHANGED, DATA, DENIED, IO, MISMATCH, NOT_FOUND, OK, run

N_MERGES = int(os.environ.get("BLASTMERGE_TEST_LIES", 60))
ONLY = os.environ.get("BLASTMERGE_TEST_LIE")
FORMATS = ("xml", "xml2", "json", "commented", "tabular", "csv")
OBJECTS = 5  # of each format
COMPRESSIONS = {"plain": None, "stored": 0, "fast": 1, "as usual": 6}
PATIENCE = {**FAST, "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "us-east-1",
            "ASAN_OPTIONS": "exitcode=99:allocator_release_to_os_interval_ms=-1", "UBSAN_OPTIONS": "print_stacktrace=1"}


# --- objects ------------------------------------------------------------------------------------------


def rows(dice, n_queries, separator):
    """Rows of each of the queries."""
    for i in range(n_queries):
        query = f"query_{dice.randrange(10**9)}_{i}"
        yield query, [separator.join(map(str, [
            query, f"subject_{dice.randrange(10**12)}", f"{dice.uniform(20, 100):.3f}", dice.randrange(20, 900),
            dice.randrange(90), dice.randrange(9), 1, dice.randrange(20, 900), dice.randrange(1000, 9000), dice.randrange(1000, 9000),
            f"{dice.uniform(1, 9):.2e}", f"{dice.uniform(20, 900):.1f}"])) + "\n" for _ in range(dice.randrange(5, 30))]


def make_table(name, dice, n_queries):
    lines = []
    for query, found in rows(dice, n_queries, "," if name == "csv" else "\t"):
        if name == "commented":
            lines.append(f"# BLASTP 2.12.0+\n# Query: {query}\n# Database: proteins\n# Fields: {corpus_formats.FIELDS}\n"
                         f"# {len(found)} hits found\n")
        lines += found
    return ("".join(lines) + f"# BLAST processed {n_queries} queries\n" * (name == "commented")).encode()


def change(name, text):
    """Another version, of the same length: places in the subjects are other ones."""
    pattern = {"xml": rb"(?<=<Hsp_hit-from>)\d+", "xml2": rb"(?<=<hit-from>)\d+", "json": rb'(?<="hit_from": )\d+',
               "csv": rb"(?<=,)[1-9]\d{3}(?=,)"}.get(name, rb"(?<=\t)[1-9]\d{3}(?=\t)")
    changed = re.sub(pattern, lambda found: b"%d" % (int(found[0]) // 10 * 10 + (int(found[0]) + 1) % 10), text)
    assert len(changed) == len(text) and changed != text
    return changed


class Objects:
    """Objects of all formats, two versions of each, in several compressions; and merges of them as files."""

    def __init__(self, folder):
        self.folder, self.texts, self.merges = folder, {}, {}
        for number in range(OBJECTS):
            dice = random.Random(f"object {number}")
            xml = corpus.texts(1, 4 + number, f"object {number}", hits=25)[0]
            for name in FORMATS:
                if name == "xml":
                    text = xml
                elif name in ("xml2", "json"):
                    text = corpus_formats.converted(name, xml)
                else:
                    text = make_table(name, dice, dice.randrange(40, 160))
                self.texts[name, number] = (text, change(name, text))

    def data(self, name, number, version, compression):
        text, level = self.texts[name, number][version], COMPRESSIONS[compression]
        return text if level is None else member(text, level)

    def merge(self, children, options):
        """What the merge of these bytes is, or None if it is refused."""
        key = (tuple(map(hash, children)), tuple(options))
        if key not in self.merges:
            paths = [self.folder / f"child_{i}" for i in range(len(children))]
            for path, data in zip(paths, children):
                path.write_bytes(data)
            done = run("-q", *options, *paths, env=PATIENCE)
            self.merges[key] = done.out if done.code == OK else None
        return self.merges[key]


# --- cases --------------------------------------------------------------------------------------------


def make_child(dice, objects, name, number, ways):
    """A child, and who else answers to its name."""
    compression = dice.choice(list(COMPRESSIONS)) if name in ("xml", "xml2", "json") else dice.choice(["plain", *COMPRESSIONS])
    validators = set(dice.choice(["strong time", "strong", "weak time", "weak", "time", ""]).split())
    mode = dice.choice(["ranges"] * 4 + ["whole", "chunked"]) if "ranges" not in ways else "ranges"
    if mode == "chunked" and compression == "plain":
        validators |= {"strong"}  # else nothing at all tells an answer to another request from the one to this
        validators -= {"weak"}
    another = dice.choice([other for other in range(OBJECTS) if other != number])
    things = [Thing.numbered(objects.data(name, which, version, compression), 10 * number + 3 * version + 100 * which, validators)
              for which, version in ((number, 0), (number, 1), (another, 0))]
    rates = ["all", "half", "first try", "first try", "first window", "first window"]
    return Child(*things, compression != "plain", ways, mode=mode, heeds_conditions=dice.random() < 0.5,
                 is_constant=dice.random() < 0.5,
                 rate=dice.choice(rates + ["later"] * 2 * (len(things[0].data) > 150_000)))


def make_case(objects, number):
    """The case and how the program is run."""
    dice = random.Random(f"{SEED} {number}")
    name = FORMATS[number // len(KINDS) % len(FORMATS)]
    main = KINDS[number % len(KINDS)]
    ways = (main, main, *([dice.choice(KINDS)] if dice.random() < 0.6 else []))
    n_children = dice.randrange(2, 4)
    liars = set(dice.sample(range(n_children), dice.choice([1, 1, n_children])))
    children = [make_child(dice, objects, name, which, ways if i in liars else ())
                for i, which in enumerate(dice.sample(range(OBJECTS), n_children))]
    is_store = dice.random() < 0.2
    if is_store:
        for child in children:
            child.mode = "ranges"
            for thing in (child.thing, child.changed, child.other):
                thing.tag = f'"{zlib.crc32(thing.data):x}"'
    options = dice.choice([[], [], ["--plain"], ["--level", "1"]]) + (["--allow-empty"] if dice.random() < 0.2 else [])
    how = ["--threads", str(dice.choice([1, 1, 2, 3])), "--memory", dice.choice(["29", "29", "29", "30", "64"])]
    return Case(f"{number}", children), name, is_store, options, how, dice.choice([0, 1, 3, 8])


# What they leave may be nothing, and nothing has no checksum.
EMPTYING = {"cut_in_order", "cut_without_a_length", "length_that_is_too_short"}


def alternatives(case, options):
    """What each child may have been taken for, whole: what it is, and what an honest answer was given for in its name."""
    told = {(number, function) for _, function, number, *_ in case.told}
    firsts = {(number, function) for _, function, number, first, *_ in case.told if not first}
    for number, child in enumerate(case.children):
        data = [child.thing.data]
        if child.ways:
            data += [child.changed.data, child.other.data]
            # Rows are whole if each has all columns: so may be another object that is given in this one's length.
            n, other = len(child.thing.data), child.other.data
            data.append((other * (n // len(other) + 1))[:n])
        says_nothing = (number, "no_such_range") in firsts or any((number, lie) in told for lie in EMPTYING)
        if "--allow-empty" in options and says_nothing:
            data.append(b"")
        yield data if any(which == number for which, _ in told) else data[:1]


def run_case(liar, objects, folder, number):
    """What was told, and how it ended."""
    case, name, is_store, options, how, n_retries = make_case(objects, number)
    liar.cases[case.name] = case
    locations = [f"s3://{case.name}/{i}/x" if is_store else liar.url(case.name, i) for i in range(len(case.children))]
    output = folder / "out"
    done = run("-o", output, *how, *options, *(["--endpoint", liar.origin] if is_store else []), *locations,
               env={**PATIENCE, "BLASTMERGE_RETRIES": str(n_retries), "BLASTMERGE_STALL_SECONDS": "10"})
    del liar.cases[case.name]
    shown = f"BLASTMERGE_TEST_SEED={SEED} BLASTMERGE_TEST_LIE={number} ({name} {options} {how}): {done.code} {done.err}" + \
        "".join(f"\n  {told}" for told in case.told) + \
        "".join(f"\n  child {i}: {child.thing.tag} {child.thing.time} {len(child.thing.data)} bytes {child.mode} {child.rate} "
                f"{'' if child.has_checksum else 'plain'}" for i, child in enumerate(case.children))
    if ONLY:
        print(shown)
    assert "Sanitizer" not in done.err and "runtime error" not in done.err, shown
    assert done.code in (OK, IO, DATA, MISMATCH, CHANGED, NOT_FOUND, DENIED), shown
    result = output.read_bytes() if done.code == OK else None
    output.unlink(missing_ok=True)
    assert os.listdir(folder) == [], shown
    if done.code != OK:
        assert done.err.startswith("blastmerge: ") and case.told, shown
        return case, done.code
    right = objects.merge([child.thing.data for child in case.children], options)
    assert right is not None, shown
    if result != right:
        others = (objects.merge(children, options) for children in itertools.product(*alternatives(case, options)))
        assert result in others, shown
    return case, "right" if result == right else "of one version each"


@pytest.fixture(scope="module")
def objects(tmp_path_factory):
    return Objects(tmp_path_factory.mktemp("objects"))


def too_few(kinds, n_merges):
    """The kinds of lies that were told in less than a tenth of the merges."""
    return [kind for kind in KINDS if kinds[kind] * 10 < n_merges]


def numbers_of(kinds):
    """The cases; and then, since a lie is not always told where it could be, more of the kinds of which there are too few."""
    if ONLY:
        yield from map(int, ONLY.split(","))
        return
    yield from range(N_MERGES)
    n_merges = N_MERGES
    for number in range(N_MERGES, 5 * N_MERGES):
        if KINDS[number % len(KINDS)] in too_few(kinds, n_merges):
            n_merges += 1
            yield number


def test_lies(objects, tmp_path):
    ends, kinds, lies = collections.Counter(), collections.Counter(), collections.Counter()
    failures = []
    print(f"BLASTMERGE_TEST_SEED={SEED}")
    n_merges = 0
    with Liar() as liar:
        for number in numbers_of(kinds):
            n_merges += 1
            try:
                case, end = run_case(liar, objects, tmp_path, number)
            except AssertionError as error:
                failures.append(str(error))
                print(error, flush=True)
                for path in tmp_path.iterdir():
                    path.unlink()
                continue
            ends[end] += 1
            kinds.update({told[0] for told in case.told})
            lies.update(told[1] for told in case.told)
            if number % 100 == 99 and not ONLY:
                print(f"{number + 1} merges: {dict(ends)}, {len(failures)} failures; merges with lies about: {dict(kinds)}", flush=True)
    print(f"{n_merges} merges: {dict(ends)}")
    print(f"merges with lies about: {dict(kinds)}")
    print(f"lies: {dict(lies)}")
    assert not failures, f"{len(failures)} failures, as above"
    if not ONLY:
        few = too_few(kinds, n_merges)
        assert not few, f"too seldom: {few} of {kinds}"
        assert ends["right"] > 0 and sum(ends.values()) > ends["right"]


def test_the_objects_are_read_rightly_without_lies(objects, tmp_path):
    """Each format, way of answering and compression, from an honest server."""
    with Liar() as liar:
        for number, name in enumerate(FORMATS * 3):
            dice = random.Random(f"{SEED} honest {number}")
            children = [make_child(dice, objects, name, which, ()) for which in (0, 1)]
            case = liar.cases[f"honest{number}"] = Case(f"honest{number}", children)
            done = run("-q", "-o", tmp_path / f"{number}", "--memory", "29", *(liar.url(case.name, i) for i in (0, 1)), env=PATIENCE)
            assert done.code == OK, done.err
            assert (tmp_path / f"{number}").read_bytes() == objects.merge([child.thing.data for child in children], [])
