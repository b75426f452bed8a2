# SPDX-License-Identifier: MIT
"""--salvage of BLAST archives (-outfmt 11), against a slow reader that shares no code with the program (archives.py)."""
import json
import os
import random

import pytest

import archives
import forms
from program import DATA, OK, USAGE, difference, run, text_of, write_children

SALVAGED = 11
MUTATIONS = int(os.environ.get("BLASTMERGE_TEST_MUTATIONS", "60"))


def child(*batches, **options):
    """A run whose batches are these, each a list of names."""
    texts, first = [], 1
    for names in batches:
        texts.append(archives.make(names, first=first, **options))
        first += len(names)
    return texts


def salvage(folder, children, *arguments, code=None):
    """Merges children with --salvage; returns the run, the text and the report."""
    target, report = folder / "merged.gz", folder / "report.json"
    for path in (target, report):
        path.unlink(missing_ok=True)
    done = run("--salvage", "--report", report, "-o", target, *arguments, *write_children(folder, children))
    assert code is None or done.code == code, done.err
    if done.code not in (OK, SALVAGED):
        assert not target.exists() and not report.exists()
        return done, None, None
    return done, text_of(target.read_bytes()), json.loads(report.read_text())


def check(folder, texts, form=lambda text: text, *arguments):
    """All that the slow reader says is certain of the texts is merged, and nothing else."""
    kept = [archives.salvaged(text) for text in texts]
    is_damaged = any(damaged for _, _, damaged in kept)
    done, text, report = salvage(folder, [form(text) for text in texts], "--format", "archive", "--sort", "none",
                                 "--mismatch", "ignore", *arguments)
    if is_damaged and not any(one for one, _, _ in kept):
        assert done.code == DATA, done
        return None, None
    assert done.code == (SALVAGED if is_damaged else OK), done.err
    expected = archives.merge_salvaged(texts)
    assert text == expected, difference(text, expected)
    for row, (one, gaps, damaged) in zip(report["children"], kept):
        assert row["iterations"] == archives.count([one])[0]
        assert ("lost" in row) == damaged
        assert row["status"] == ("salvaged" if damaged else "ok")
    return done, report


BATCHES = [["alpha", "beta"], ["gamma"], ["delta", "epsilon", "zeta"]]
GOOD = b"".join(child(["one"], ["two"]))


@pytest.mark.parametrize("form", ["plain", "level 6", "BGZF", "several members"])
def test_without_damage_nothing_changes(tmp_path, form):
    texts = [b"".join(child(*BATCHES)), GOOD, GOOD.rstrip()]
    paths = write_children(tmp_path, [forms.FORMS[form](text) for text in texts])
    for options in ([], ["--plain"], ["--threads", "1"], ["--level", "3"]):
        plain, salvaged = run(*options, *paths), run("--salvage", *options, *paths)
        assert (salvaged.code, salvaged.out, salvaged.err) == (OK, plain.out, plain.err)


@pytest.mark.parametrize("lines", [False, True])
def test_a_fault_loses_its_archive(tmp_path, lines):
    """And no other one, wherever it is; the ids behind it are what they were."""
    batches = child(*BATCHES, lines=lines)
    for number, batch in enumerate(batches):
        for place in (3, 15, 40, batch.index(b"Query_"), batch.index(b"results"), batch.index(b'"score"'), len(batch) - 3):
            texts = [b"".join([*batches[:number], batch[:place] + b"\1" + batch[place:], *batches[number + 1:]]), GOOD]
            done, report = check(tmp_path, texts)
            lost = report["children"][0]["lost"]
            assert len(lost) == 1
            before = [name for names in BATCHES[:number] for name in names]
            after = [name for names in BATCHES[number + 1:] for name in names]
            assert lost[0]["iterations_before"] == len(before)
            assert lost[0]["query_before"] == (before[-1] if before else None)
            assert lost[0]["query_after"] == (after[0] if after else None)
            if batch.index(b"results") <= place:
                assert lost[0]["queries"] == BATCHES[number]
            assert f"after {len(before)} whole Iteration" in done.err


def test_a_missing_stretch(tmp_path):
    """From any place in one archive to any in another one: both are lost, and what is between."""
    batches = child(["a"], ["b"], ["c"], ["d"])
    text, dice = b"".join(batches), random.Random(3)
    length = len(batches[0])
    for _ in range(MUTATIONS):
        begin = dice.randrange(length + 1, 2 * length - 2)
        end = dice.randrange(2 * length + 20, 3 * length - 2)
        _, report = check(tmp_path, [text[:begin] + text[end:], GOOD])
        assert report["children"][0]["iterations"] in (2, 3)  # 3: what is left of the two makes one that is well-formed


def test_a_stretch_that_is_there_twice(tmp_path):
    """What comes again is not taken twice."""
    batches = child(["a"], ["b"], ["c"])
    text = b"".join([batches[0], batches[1], batches[2][:300], batches[1], batches[2]])
    _, report = check(tmp_path, [text])
    assert report["children"][0]["iterations"] == 3


def test_cut_at_every_byte(tmp_path):
    text = b"".join(child(["a"], ["b"]))
    for n in range(1, len(text), 61):
        check(tmp_path, [text[:n], GOOD])


@pytest.mark.parametrize("form", ["level 6", "several members", "BGZF", "many members"])
def test_flipped_bits(tmp_path, form):
    """Members whose checksum is wrong are left out; what is whole in the others is merged, and nothing else."""
    dice = random.Random(form)
    batches = child(*[[f"q{n}"] for n in range(60)])
    data = forms.FORMS[form](b"".join(batches))
    n_kept = 0
    for _ in range(MUTATIONS):
        flipped = bytearray(data)
        for _ in range(dice.choice([1, 1, 2])):
            at = dice.randrange(len(data))
            flipped[at] ^= 1 << dice.randrange(8)
        done, text, report = salvage(tmp_path, [bytes(flipped), GOOD], "--format", "archive", "--query-ids", "keep")
        assert done.code in (OK, SALVAGED), done.err
        found = archives.Reader(text).archives()
        kept = [text[one.begin:one.end] for one in found]
        assert len(found) == text.count(b"Blast4-archive ::=")
        whole = {batch[batch.index(b"{"):].rstrip() for batch in [*batches, *child(["one"], ["two"])]}
        assert all(one in whole for one in kept) and len(set(kept)) == len(kept)
        n_kept += report["children"][0]["iterations"]
    assert n_kept > 0 or form == "level 6"


def test_cut_gzip_is_unchecked(tmp_path):
    text = b"".join(child(*[[f"q{n}", f"r{n}"] for n in range(40)]))
    data = forms.member(text)
    done, merged, report = salvage(tmp_path, [data[:len(data) // 2], GOOD], code=SALVAGED)
    row = report["children"][0]
    assert 0 < row["iterations"] < 80 and row["iterations"] % 2 == 0
    assert row["unchecked_iterations"] == row["iterations"]
    assert merged.count(b"Blast4-archive") == row["iterations"] // 2 + 2


# --- a search that was begun again -----------------------------------------------------------------------


def test_begun_again(tmp_path):
    """The whole run counts; what was broken off before it is superseded, as often as that was."""
    batches = child(*BATCHES)
    whole = b"".join(batches)
    for cut in (30, 500, len(batches[0]) + 40, len(batches[0]) + len(batches[1]) + 700, len(whole) - 4):
        for text, is_superseded in ((whole[:cut] + whole, True), (whole[:cut] + whole[:cut] + whole, True),
                                    (whole + whole[:cut], cut > len(batches[0]))):
            done, merged, report = salvage(tmp_path, [text, GOOD], code=SALVAGED)
            assert merged == archives.merge([whole, GOOD]), (cut, difference(merged, archives.merge([whole, GOOD])))
            row = report["children"][0]
            assert row["iterations"] == 6
            assert sum(entry["runs"] for entry in row["superseded"]) + len(row["lost"]) >= 1
            assert ("superseded" in done.err) == is_superseded


def test_begun_again_with_other_queries(tmp_path):
    """Then both count, and it is said."""
    first, other = child(["a"], ["b"], ["c"]), child(["a"], ["x"], ["y"])
    text = b"".join(first)[:-20] + b"".join(other)
    done, merged, report = salvage(tmp_path, [text], code=SALVAGED)
    assert report["children"][0]["iterations"] == 5 and report["children"][0]["superseded"] == []
    assert merged.count(b"Blast4-archive") == 5
    assert "not with the queries before it, so both count" in done.err


def test_rounds_of_psiblast(tmp_path):
    """A later round counts only behind the rounds before it."""
    first = archives.make(["a"], service="psi")
    later = first.replace(b"queries bioseq-set {\n        seq-set {\n          seq {", b"queries pssm {\n        pssm {\n          query seq {")
    other = archives.make(["b"], first=2, service="psi")
    assert later != first
    whole = first + later + later + other
    assert salvage(tmp_path, [whole], code=OK)[1] == whole
    _, merged, report = salvage(tmp_path, [first + later[:-60] + later + other], code=SALVAGED)
    assert merged == first + other and report["children"][0]["iterations"] == 2


# --- what is refused, and where the format is not seen -------------------------------------------------------


def test_formats(tmp_path):
    """The format is that of the first child that shows one. Damaged ones before it need --format archive."""
    broken = b"?" + GOOD
    done, merged, _ = salvage(tmp_path, [GOOD, broken], code=SALVAGED)
    assert merged == archives.merge_salvaged([GOOD, broken])
    done, _, _ = salvage(tmp_path, [broken, GOOD], code=USAGE)
    assert "give --format archive" in done.err
    done, merged, _ = salvage(tmp_path, [broken, GOOD], "--format", "archive", code=SALVAGED)
    assert merged == archives.merge_salvaged([broken, GOOD])
    done, _, _ = salvage(tmp_path, [GOOD[:200]], code=DATA)
    assert "nothing could be salvaged" in done.err
    assert run("--salvage", "--as-unsplit", *write_children(tmp_path, [GOOD])).code == USAGE


def test_too_much_damage(tmp_path):
    """At most 64 stretches; the rest is lost, and it is said."""
    batches = child(*[[f"q{n}"] for n in range(150)])
    text = b"".join(batch if n % 2 else batch[:-3] for n, batch in enumerate(batches))
    done, merged, report = salvage(tmp_path, [text], code=SALVAGED)
    assert len(report["children"][0]["lost"]) == 64 and "there is too much damage" in done.err
    assert report["children"][0]["iterations"] == merged.count(b"Blast4-archive") == 63


def test_chance(tmp_path):
    """Damages of any kind, in any form: what is certain is merged."""
    dice = random.Random(12)
    for _ in range(MUTATIONS):
        text = bytearray(b"".join(child(*[[f"q{n}"] for n in range(dice.randrange(1, 8))], hits=dice.randrange(3))))
        for _ in range(dice.randrange(1, 4)):
            at = dice.randrange(len(text))
            if dice.randrange(2):
                del text[at:at + dice.choice([1, 40, 900])]
            else:
                text[at:at] = dice.choice([b"\0", b"?", b"{", b"}", b'"', b",", b"Blast4-archive", b"Blast4-archive ::= {"])
        check(tmp_path, [bytes(text), GOOD], dice.choice([bytes, forms.member]), "--threads", dice.choice("12"))
