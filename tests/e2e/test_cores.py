# SPDX-License-Identifier: MIT
"""Threads change nothing: children of all formats and forms, whole, damaged, missing or doubled, with options, memory and
disks drawn by lot, end with the bytes, the status, the message and the warnings of one thread. A child that changes between
its two readings is an error that names it, unless the change comes too early or too late to matter.

BLASTMERGE_ROUNDS says how many sets are drawn."""
import errno
import gzip
import os
import random
import re

import pytest

import archives
import corpus
import corpus_formats
from forms import FORMS, member
from kills import FAULTS
from program import CHANGED, DATA, PROGRAM, USAGE, run

ROUNDS = int(os.environ.get("BLASTMERGE_ROUNDS", "40"))
THREADS = [2, 2, 3, 4, 8, 64]
SLOW = {"level 9", "pigz -11", "libdeflate 12", "many members", "flushed"}
PACKED = {name: pack for name, pack in FORMS.items() if pack is not None and name not in SLOW}


QUERIES = {}  # of each text that was made, one a line


def texts_of(seed, n_queries, hits):
    """Three children's texts in each format."""
    made = {"xml": corpus.texts(3, n_queries, seed, hits=hits)}
    for name in ("xml2", "json", "commented", "tabular", "csv"):
        made[name] = [corpus_formats.converted(name, text) for text in made["xml"]]
    for number, text in enumerate(made["xml"]):
        titles = re.findall(rb"<Iteration_query-def>(.*?)</Iteration_query-def>", text)
        QUERIES.update(dict.fromkeys((one[number] for one in made.values()), b"".join(title.split()[0] + b"\n" for title in titles)))
    names = [[f"q{seed}_{number}_{i}" for i in range(n_queries // 3)] for number in range(3)]
    made["archive"] = [archives.make(one, hits=hits) for one in names]
    QUERIES.update({text: "".join(f"{name}\n" for name in one).encode() for text, one in zip(made["archive"], names)})
    return made


@pytest.fixture(scope="module", name="texts")
def fixture_texts():
    """Iterations of a few lines, of some 10 KB, and of far more than a window of 32 KiB, between which text is far from
    all changes; and the same with texts of a few Iterations, for small children, which workers read into seats of their own."""
    large = [texts_of(1, 3000, 0), texts_of(2, 120, 5), texts_of(3, 18, 100)]
    small = [texts_of(7, 3, 0), texts_of(8, 60, 0), texts_of(9, 9, 4)]
    return {name: [[text for one in sets for text in one[name]] for sets in (large, small)] for name in large[0]}


def damage(dice, data):
    """A child as it should not be."""
    if not data:
        return data
    at = dice.randrange(len(data))
    return dice.choice([lambda: data[:at], lambda: data[:at] + bytes([data[at] ^ 1 << dice.randrange(8)]) + data[at + 1:],
                        lambda: b"", lambda: data[:at] + data])()


def damage_text(dice, text):
    if not text:
        return b"\n"
    at = dice.randrange(len(text))
    if text[:5] == b"<?xml" and dice.random() < 0.3:
        return text.replace(b"blastp", b"blastx", 1)
    if text[:5] == b"<?xml" and dice.random() < 0.3:
        return text.replace(b"</BlastOutput_db>", b"2</BlastOutput_db>", 1)
    return dice.choice([lambda: text[:at], lambda: text[:at] + b"<" + text[at:], lambda: text[:at] + text,
                        lambda: text[:at] + b"\xe9" + text[at:], lambda: b"\n" + text])()


def draw_options(dice, name):
    options = []
    is_salvaged = name in ("xml", "archive") and dice.random() < 0.2
    if dice.random() < 0.3 and not is_salvaged:
        options += ["--as-unsplit"]
    else:
        options += ["--query-ids", dice.choice(["keep", "auto", "renumber"])]
        options += dice.choice([[], ["--db", "x & y"], ["--keep-db"]]) if name == "xml" else []
        options += dice.choice([[], ["--invalid-utf8", "keep"], ["--invalid-utf8", "latin1"]])
    options += dice.choice([[], ["--mismatch", "ignore"], ["--mismatch", "warn"], ["--mismatch", "error"]])
    options += dice.choice([[], ["--allow-empty"]])
    options += dice.choice([[], ["--sort", "none"]])
    options += dice.choice([[], [], ["--temp-limit", dice.choice(["1K", "100K", "1M"])]])
    options += dice.choice([[], [], ["--memory", dice.choice(["16M", "17M", "21M", "22M", "30M", "64M", "400M"])]])
    options += dice.choice([[], [], [], [], ["--level", "1"], ["--plain"]])
    return options + (["--salvage"] if is_salvaged else [])


def limited(limit):
    return {"command": ("prlimit", limit, "--", PROGRAM)}


def full(n_writes):
    """A disk that is full at the write of this number."""
    return {"env": {**os.environ, "LD_PRELOAD": FAULTS, "FAULTS_CALL": "pwrite", "FAULTS_AT": str(n_writes), "FAULTS_ERRNO": str(errno.ENOSPC)}}


# Where temporary files go, if anywhere: as keywords for run().
DISKS = {"usual": {}, "none": {"env": {**os.environ, "TMPDIR": "/missing"}}, "full": full(1), "full later": full(5), "full at last": full(20),
         "short files": limited("--fsize=50000"), "few files": limited("--nofile=20")}


def draw_children(dice, folder, texts, numbers=(1, 2, 3, 5, 9, 20)):
    """Their paths; a file beside them has their queries, each once."""
    paths, queries = [], {}
    for number in range(dice.choice(numbers)):
        text = dice.choice(texts)
        queries.update(dict.fromkeys(QUERIES[text].splitlines(True)))
        if dice.random() < 0.05:
            text = damage_text(dice, text)
        data = dice.choice(list(PACKED.values()))(text)
        if dice.random() < 0.05:
            data = damage(dice, data)
        path = folder / f"child_{number:04}.gz"
        if dice.random() > 0.01:
            path.write_bytes(data)
        paths.append(path)
        if dice.random() < 0.03:
            paths.append(dice.choice(paths))
    (folder / "queries").write_bytes(b"".join(queries))
    return paths


def draw_queries(dice, folder):
    """They are those of the children, or some are not."""
    if dice.random() < 0.6:
        return []
    path = folder / "queries"
    lines = path.read_bytes().splitlines(True)
    if lines and dice.random() < 0.3:
        lines[dice.randrange(len(lines))] = dice.choice([b"", b"stranger\n"])
    path.write_bytes(b"".join(lines))
    return ["--expect-queries", path, *dice.choice([[], ["--missing", folder / "missing", "--force"]])]


def run_and_read(folder, *arguments, **options):
    """With the list of missing queries, if there is one."""
    done = run(*arguments, **options)
    missing = folder / "missing"
    text = missing.read_bytes() if missing.exists() else None
    missing.unlink(missing_ok=True)
    return done, text


@pytest.mark.parametrize("command", ["merge", "check"])
def test_by_lot(tmp_path, texts, command):
    n_merged, n_rounds = 0, ROUNDS if command == "merge" else ROUNDS // 4
    for seed in range(n_rounds):
        dice = random.Random(f"cores {command} {seed}")
        folder = tmp_path / str(seed)
        folder.mkdir()
        name = dice.choice(["xml", "xml", "xml", *texts])
        large, small = texts[name]
        kinds = [(large,), (large,), (large + small, (2, 5, 9, 20, 40)), (small, (2, 9, 20, 40, 60))]
        paths = draw_children(dice, folder, *dice.choice(kinds))
        arguments = draw_options(dice, name) if command == "merge" else ["check"]
        arguments += [*draw_queries(dice, folder), *paths]
        threads, disk = dice.choice(THREADS), dice.choice(["usual", *DISKS])
        one, missing = run_and_read(folder, *arguments, "--threads", 1)
        several, missing_of_several = run_and_read(folder, *arguments, "--threads", threads, **DISKS[disk])
        where = f"seed {seed}: {arguments} --threads {threads}, disk: {disk}"
        assert one.code != USAGE, where
        assert (several.code, several.err, missing_of_several) == (one.code, one.err, missing), where
        # How much of a result that failed has gone out may depend on threads that still pack.
        n = len(one.out) if one.code in (0, 11) else min(len(one.out), len(several.out))
        assert several.out[:n] == one.out[:n] and (one.code not in (0, 11) or len(several.out) == n), where
        n_merged += one.code == 0
        for path in set(paths):
            path.unlink(missing_ok=True)
    assert n_merged > n_rounds / 10 - 1


def flip(path, at):
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def place_of(run_, paths):
    """The child of the error, by its number; that of none is behind all."""
    last = run_.err.splitlines()[-1] if run_.code not in (0, 11) else ""
    return next((number for number, path in enumerate(paths) if f"{path}: " in last), len(paths))


@pytest.mark.parametrize("are_small", [False, True], ids=["large", "small"])
def test_changed_by_lot(tmp_path, texts, are_small):
    """A byte of a child changes at some call that reads: for the first time, or once more (pread)."""
    n_changed = 0
    for seed in range(ROUNDS):
        dice = random.Random(f"cores changed {'small ' * are_small}{seed}")
        folder = tmp_path / str(seed)
        folder.mkdir()
        name = dice.choice(list(texts))
        paths = [path for path in draw_children(dice, folder, texts[name][are_small]) if path.exists()]
        if not paths or (changed := dice.choice(paths)).stat().st_size == 0:
            continue
        at, call, n_calls = dice.randrange(changed.stat().st_size), dice.choice(["pread", "pread", "read"]), dice.choice([1, 2, 5, 10, 20, 50])
        arguments = [*draw_options(dice, name), "--sort", "none", *paths]
        one = run(*arguments, "--threads", 1)
        faults = {"LD_PRELOAD": FAULTS, "FAULTS_CALL": call, "FAULTS_AT": str(n_calls), "FAULTS_ERRNO": "change",
                  "FAULTS_FILE": str(changed), "FAULTS_BYTE": str(at)}
        before = changed.read_bytes()
        several = run(*arguments, "--threads", dice.choice(THREADS), env={**os.environ, **faults})
        where = f"seed {seed}: {arguments}, call {n_calls} of {call}, byte {at} of {changed}"
        if changed.read_bytes() == before:
            flip(changed, at)
        new = run(*arguments, "--threads", 1)
        is_either = any((several.code, several.err) == (other.code, other.err) and
                        (several.out == other.out or several.code not in (0, 11)) for other in (one, new))
        if not is_either:
            assert several.code in (DATA, CHANGED) and place_of(several, paths) == paths.index(changed), where + several.err
            assert place_of(one, paths) >= paths.index(changed), where + one.err
            n_changed += several.code == CHANGED
        for path in set(paths):
            path.unlink(missing_ok=True)
    assert n_changed > ROUNDS / 20 - 1


def test_first_child_has_no_text_like_the_others(tmp_path):
    """What the others must agree with is known only late, or is not what it seemed: they are read again."""
    tables = texts_of(4, 900, 3)
    rows = tables["tabular"]
    header = b"qaccver\tsaccver\tpident\tlength\tmismatch\tgapopen\tqstart\tqend\tsstart\tsend\tevalue\tbitscore\n"
    for first in (b"", b"\n", rows[0][:200], header + rows[0], rows[0] + header):
        paths = [tmp_path / f"{number}.gz" for number in range(3)]
        for path, text in zip(paths, [first, header + rows[1], rows[2]]):
            path.write_bytes(member(text))
        for arguments in (["--allow-empty"], ["--format", "tabular", "--allow-empty"], ["--header", "keep", "--allow-empty"]):
            one = run("--threads", 1, *arguments, *paths)
            for threads in (2, 5):
                several = run("--threads", threads, *arguments, *paths)
                assert (several.code, several.err, several.out) == (one.code, one.err, one.out)


def test_gzip_reads_what_is_merged(tmp_path, texts):
    """Many children in few threads, each several batches long."""
    paths = []
    for number in range(12):
        paths.append(tmp_path / f"child_{number:02}.gz")
        paths[-1].write_bytes(member(texts["xml"][0][number % 9]))
    one = run("--threads", 1, "--sort", "none", *paths)
    assert one.code == 0
    assert gzip.decompress(one.out).count(b"<Iteration>") == sum(gzip.decompress(path.read_bytes()).count(b"<Iteration>") for path in paths)
    for threads in THREADS:
        assert run("--threads", threads, "--sort", "none", *paths).out == one.out


def test_no_room_for_what_waits(tmp_path):
    """Where a temporary file cannot be made or may not grow, a merge takes longer, and that is all."""
    text = corpus.texts(1, 40, 5, hits=100)[0]
    paths = []
    for number in range(4):
        paths.append(tmp_path / f"child_{number}.gz")
        paths[-1].write_bytes(member(text, 1))
    one = run("--threads", 1, "--sort", "none", *paths)
    assert one.code == 0
    limited = ("prlimit", "--fsize=100000", "--", PROGRAM)
    for options in ({"env": {**os.environ, "TMPDIR": str(tmp_path / "missing")}}, {"command": limited}, {}):
        several = run("--threads", 3, "--sort", "none", *paths, **options)
        assert (several.code, several.err, several.out) == (one.code, one.err, one.out)
    for limit in ("1K", "200K", "1M", "3M"):
        several = run("--threads", 3, "--sort", "none", "--temp-limit", limit, *paths)
        assert (several.code, several.err, several.out) == (one.code, one.err, one.out)


def test_few_descriptors(tmp_path):
    """As many children are open at once as the process may have files, each with two temporary ones."""
    text = corpus.texts(1, 20, 6, hits=100)[0]
    paths = [tmp_path / f"child_{number:02}.gz" for number in range(24)]
    for path in paths:
        path.write_bytes(member(text, 1))
    one = run("--threads", 1, "--sort", "none", *paths)
    assert one.code == 0
    for n_files in (8, 16, 20, 30, 50):
        several = run("--threads", 64, "--sort", "none", *paths, command=("prlimit", f"--nofile={n_files}", "--", PROGRAM))
        assert (several.code, several.err, several.out) == (one.code, one.err, one.out), n_files
