# SPDX-License-Identifier: MIT
"""Random children, well-formed and not, against the oracle: same text, or both refuse.

Each round has its own seed, which a failure names: BLASTMERGE_SEED=n runs that round first, and
BLASTMERGE_ROUNDS=n makes more of them.
"""
import json
import os
import random
import re
import subprocess

import pytest

import corpus
import oracle
from forms import FORMS, member
from program import DATA, MISMATCH, OK, PROGRAM, difference, run, same_as_oracle, text_of, write_children
from wild import Wild

FIRST_SEED = int(os.environ.get("BLASTMERGE_SEED", "1"))
ROUNDS = int(os.environ.get("BLASTMERGE_ROUNDS", "200"))
SEEDS = range(FIRST_SEED, FIRST_SEED + ROUNDS)
BATCH = 25  # rounds in a test


def batches():
    return pytest.mark.parametrize("seeds", [SEEDS[i:i + BATCH] for i in range(0, len(SEEDS), BATCH)],
                                   ids=lambda seeds: f"seeds {seeds[0]}-{seeds[-1]}")


def random_options(dice, with_invalid):
    """Options of the program, and the same for the oracle."""
    arguments, options = ["--mismatch", "ignore", "--threads", str(dice.choice([1, 2, 3, 8]))], {}
    if dice.random() < 0.25:
        arguments += ["--as-unsplit", "--sort", "none"]  # what chance makes twice is right
        if dice.random() < 0.7:
            return arguments, {"as_unsplit": True}
        options["database"] = dice.choice(["a & b", "nr"])
        return arguments + ["--db", options["database"]], {"as_unsplit": True, **options}
    if dice.random() < 0.5:
        options["query_ids"] = dice.choice(["auto", "keep", "renumber"])
        arguments += ["--query-ids", options["query_ids"]]
    if dice.random() < 0.2:
        arguments.append("--keep-db")
        options["keep_database"] = True
    elif dice.random() < 0.3:
        options["database"] = dice.choice(["a & b", "<nr>", "n", "x" * 1000, "日本"])
        arguments += ["--db", options["database"]]
    if dice.random() < 0.2:
        arguments += ["--level", str(dice.randrange(1, 10))]
    if with_invalid:
        options["invalid_utf8"] = dice.choice(["latin1", "keep"])
        arguments += ["--invalid-utf8", options["invalid_utf8"]]
    return arguments, options


def merge_and_compare(folder, children, arguments, options):
    """The program's text and counts are the oracle's, or both refuse."""
    report = folder / "report.json"
    done = run(*arguments, "--force", "--report", report, *write_children(folder, children))
    job = oracle.Merge(oracle.Options(**options))
    try:
        for data in children:
            job.add_child(data)
        expected = job.result()
    except oracle.Refused as refused:
        code = MISMATCH if "too large" in str(refused) else DATA
        assert done.code == code, f"the oracle refuses ({refused}), the program does not: {done.err}"
        return
    assert done.code == OK, f"the program refuses, the oracle does not: {done.err}"
    text = text_of(done.out)
    assert text == expected, difference(text, expected)
    if "--as-unsplit" not in arguments:  # which --salvage does not go with
        salvaged = run("--salvage", *arguments, *write_children(folder, children))
        assert (salvaged.code, salvaged.out) == (OK, done.out), f"a whole child comes out otherwise with --salvage: {salvaged.err}"
    totals = json.loads(report.read_bytes())["totals"]
    for name, count in (("documents", job.n_documents), ("iterations", job.n_iterations), ("hits", job.n_hits),
                        ("hsps", job.n_hsps), ("invalid_bytes", job.n_invalid_bytes),
                        ("forbidden_characters", job.n_forbidden_characters)):
        assert totals[name] == count, f"{totals[name]} {name}, where the oracle counts {count}"


@batches()
@pytest.mark.parametrize("with_invalid", [False, True], ids=["valid", "invalid UTF-8"])
def test_wild_documents(tmp_path, seeds, with_invalid):
    for seed in seeds:
        dice = random.Random(seed)
        arguments, options = random_options(dice, with_invalid)
        wild = Wild(dice, with_invalid, "nr" if options.get("as_unsplit") else None)
        children = [dice.choice(list(FORMS.values()))(wild.child()) if dice.random() < 0.5 else
                    FORMS["level 6"](wild.child()) for _ in range(dice.choice([1, 2, 3, 3, 4, 8]))]
        try:
            merge_and_compare(tmp_path, children, arguments, options)
        except AssertionError as failure:
            raise AssertionError(f"seed {seed}, options {arguments}, children in {tmp_path}: {failure}") from None


def damaged(dice, text):
    """The text with one small wound."""
    place = dice.randrange(len(text))
    end = min(len(text), place + dice.choice([1, 1, 2, 10, 100]))
    kind = dice.randrange(5)
    if kind == 0:
        return text[:place] + text[end:]
    if kind == 1:
        return text[:place] + bytes(dice.choice(b"<>&;]'\"/!?-=x \n\0\x1f\x7f\xff") for _ in range(end - place)) + text[end:]
    if kind == 2:
        return text[:place] + text[place:end] * 2 + text[end:]
    if kind == 3:
        return text[:place]
    scraps = [b"<a>", b"</a>", b"&a;", b"&#0;", b"&#x110000;", b"]]>", b"<!--", b"-->", b"<![CDATA[", b"<?", b"--",
              b"</Iteration>", b"<!DOCTYPE a>", b'<?xml version="1.0"?>', b"<Iteration_iter-num>", b"\xef\xbf\xbe"]
    return text[:place] + dice.choice(scraps) + text[place:]


@batches()
@pytest.mark.parametrize("policy", ["replace", "keep", "error"])
def test_forbidden_characters(tmp_path, seeds, policy):
    """What XML forbids, at any place where text can stand, in documents of any form and encoding; and damaged."""
    for seed in seeds[::4]:
        dice = random.Random(f"forbidden {seed}")
        arguments, options = random_options(dice, dice.random() < 0.5)
        if "as_unsplit" in options:
            arguments, options = ["--mismatch", "ignore"], {}
        wild = Wild(dice, "invalid_utf8" in options, with_forbidden=True)
        children = [dice.choice(list(FORMS.values()))(wild.child()) for _ in range(dice.choice([1, 2, 3]))]
        if dice.random() < 0.3:
            children.append(damaged(dice, Wild(dice, with_forbidden=True).child()))
        arguments, options = [*arguments, "--forbidden-characters", policy], dict(options, forbidden_characters=policy)
        try:
            merge_and_compare(tmp_path, children, arguments, options)
        except AssertionError as failure:
            raise AssertionError(f"seed {seed}, options {arguments}, children in {tmp_path}: {failure}") from None


@batches()
def test_damaged_text(tmp_path, seeds):
    """A wound is found by the program if, and only if, expat and the tree find it."""
    for seed in seeds:
        dice = random.Random(f"damaged {seed}")
        children = [Wild(dice).child(), damaged(dice, Wild(dice).child())]
        try:
            merge_and_compare(tmp_path, children, ["--mismatch", "ignore"], {})
        except AssertionError as failure:
            raise AssertionError(f"seed {seed}, children in {tmp_path}: {failure}") from None


def test_damaged_gzip(tmp_path):
    """Any bit that is turned over in the data of a member is found."""
    dice = random.Random(FIRST_SEED)
    text = corpus.texts(1, 2, seed=1, hits=3)[0]
    data = FORMS["level 6"](text)
    for _ in range(min(ROUNDS, 300)):
        wound = bytearray(data)
        wound[dice.randrange(10, len(data))] ^= 1 << dice.randrange(8)
        done = run(*write_children(tmp_path, [bytes(wound)]))
        assert done.code == DATA, bytes(wound)
        assert "child_0000.xml.gz" in done.err


@pytest.mark.parametrize("form", FORMS)
def test_every_form(tmp_path, form):
    children = [FORMS[form](text) for text in corpus.texts(3, 7, seed=2, hits=8)]
    same_as_oracle(tmp_path, children)


def test_forms_side_by_side(tmp_path):
    texts = corpus.texts(len(FORMS), 40, seed=3, hits=4)
    same_as_oracle(tmp_path, [form(text) for form, text in zip(FORMS.values(), texts)])


@pytest.mark.parametrize("settings", [
    {"hits": 0}, {"hits": 30}, {"hits": 3, "query_length": 8000}, {"hits": 10, "rounds": 4},
    {"hits": 400, "query_length": 100}], ids=str)
def test_corpus(tmp_path, settings):
    children = [FORMS["level 6"](text) for text in corpus.texts(5, 23, seed=4, **settings)]
    same_as_oracle(tmp_path, children)


def random_form(dice, text):
    """Any way that zlib can compress it, in any number of members."""
    if dice.random() < 0.2:
        return dice.choice(list(FORMS.values()))(text)
    cuts = sorted(dice.sample(range(len(text)), dice.choice([0, 0, 1, 5])))
    parts = []
    for start, end in zip([0, *cuts], [*cuts, len(text)]):
        parts.append(member(text[start:end], dice.randrange(10), dice.choice([0, 0, 0, 1, 2, 3, 4]),
                            dice.choice([9, 10, 12, 15, 15]), dice.choice([1, 2, 8, 8, 9]),
                            dice.choice([None, None, 37, 1000, 40000])))
    return b"".join(parts)


def renumbered(dice, text):
    """The numbers as they might have been: of any length, anywhere."""
    old = dice.choice([lambda: b"1", lambda: b"%d" % dice.randrange(10 ** dice.randrange(1, 12)), lambda: b""])
    return re.sub(rb"(?<=<Iteration_iter-num>)\d+", lambda match: old(), text) if dice.random() < 0.5 else text


@batches()
def test_random_compression(tmp_path, seeds):
    for seed in seeds[::5]:
        dice = random.Random(f"compression {seed}")
        children = []
        for _ in range(dice.choice([1, 2, 4])):
            kind = {"hits": dice.choice([0, 0, 2, 20]), "query_length": dice.choice([20, 300, 3000]),
                    "rounds": dice.choice([1, 3])}
            text = corpus.texts(1, dice.choice([1, 2, 12, 120]), dice.random(), **kind)[0]
            children.append(random_form(dice, renumbered(dice, text)))
        try:
            merge_and_compare(tmp_path, children, ["--threads", str(dice.choice([1, 2, 8]))], {})
        except AssertionError as failure:
            raise AssertionError(f"seed {seed}, children in {tmp_path}: {failure}") from None


def test_many_numbers(tmp_path):
    """Numbers grow by a digit at 10, 100, 1000 and 10000."""
    children = [FORMS["level 6"](text) for text in corpus.texts(7, 10100, seed=5, hits=0)]
    same_as_oracle(tmp_path, children)


def test_more_children_than_files_may_be_open(tmp_path):
    child = FORMS["level 6"](corpus.texts(1, 1, seed=6, hits=1)[0])
    paths = write_children(tmp_path, [child] * 300)
    names = b"\0".join(bytes(path) for path in paths)
    command = f"ulimit -n 20; exec '{PROGRAM}' --null --files-from -"
    done = subprocess.run(["bash", "-c", command], input=names, stdout=subprocess.PIPE, check=True)
    assert text_of(done.stdout) == oracle.merge([child] * 300)


@pytest.mark.parametrize("form", ["plain", "level 6", "several members"])
def test_same_bytes_whatever_the_threads(tmp_path, form):
    children = [FORMS[form](text) for text in corpus.texts(4, 30, seed=7, hits=20)]
    paths = write_children(tmp_path, children)
    results = {run("--threads", threads, *paths).out for threads in (1, 2, 3, 8)}
    assert len(results) == 1
    assert text_of(results.pop()) == oracle.merge(children)


@pytest.mark.parametrize("options", [["--level", "1"], ["--level", "9"], ["-6"], ["--plain"]])
def test_same_text_whatever_the_level(tmp_path, options):
    children = [FORMS["level 6"](text) for text in corpus.texts(3, 20, seed=8, hits=20)]
    done = [run(*options, "--threads", threads, *write_children(tmp_path, children)) for threads in (1, 2, 8)]
    assert done[0].out == done[1].out == done[2].out
    text = done[0].out if options == ["--plain"] else done[0].text
    assert text == oracle.merge(children)
