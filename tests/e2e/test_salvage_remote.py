# SPDX-License-Identifier: MIT
"""--salvage of children on a web server, which are read twice, by ranges."""
import os
import random

import certain
import forms
import program
import pytest
import small
from web import Web

SALVAGED = 11
ENVIRONMENT = dict(os.environ, BLASTMERGE_RETRY_DELAY_MS="1", BLASTMERGE_RETRIES="1")


@pytest.fixture(scope="module", autouse=True)
def with_object_storage():
    if "with libcurl" not in program.run("--version").out.decode():
        pytest.skip("this blastmerge was built without object storage")


def noisy(seed, n_queries=600):
    """A text that does not get small."""
    rng = random.Random(seed)
    return small.text(*(f"query{n} {rng.randbytes(300).hex()}" for n in range(n_queries)))


TEXT = noisy(1)
MEMBER = forms.member(TEXT, 1)
GOOD = small.child("one", "two")
DAMAGED = {
    "whole": MEMBER,
    "cut": MEMBER[:len(MEMBER) * 2 // 3],
    "flipped": MEMBER[:90000] + bytes([MEMBER[90000] ^ 4]) + MEMBER[90001:],
    "members": forms.bgzf(TEXT, 30000)[:150000] + bytes(100) + forms.bgzf(TEXT, 30000)[150100:],
    "garbled text": forms.member(TEXT[:200000] + b"\1" + TEXT[200300:], 1),
    "plain": TEXT[:200000] + b"\1" + TEXT[200300:],
}


def salvage(web, names, target, memory):
    return program.run("--salvage", "--memory", memory, "-f", "-o", target, *(web.url + name for name in names), env=ENVIRONMENT)


@pytest.mark.parametrize("memory", ["30", "64"])
@pytest.mark.parametrize("has_tags", [True, False])
@pytest.mark.parametrize("form", DAMAGED)
def test_as_from_a_file(tmp_path, form, has_tags, memory):
    children = {"good": GOOD, "damaged": DAMAGED[form]}
    expected, read = certain.merge(children.values())
    with Web(children.get, has_tags) as web:
        done = salvage(web, children, tmp_path / "merged", memory)
    assert done.code == (SALVAGED if read[1].is_damaged else 0), done.err
    assert program.text_of((tmp_path / "merged").read_bytes()) == expected
    assert read[1].is_damaged == (form != "whole")


OTHER = noisy(2)
assert len(OTHER) == len(TEXT)
CHANGES = {
    "other text of this length": (DAMAGED["plain"], OTHER[:200000] + b"\1" + OTHER[200300:]),
    "one byte": (DAMAGED["plain"], DAMAGED["plain"].replace(b"MKV", b"MKL", 1)),
    "shorter": (MEMBER, DAMAGED["cut"]),
    "longer": (DAMAGED["cut"], forms.member(OTHER, 1)),
    "another hole": (DAMAGED["plain"], TEXT[:300000] + b"\1" + TEXT[300300:]),
    "gone": (DAMAGED["cut"], None),
}


@pytest.mark.parametrize("has_tags", [True, False])
@pytest.mark.parametrize("change", CHANGES)
def test_child_that_changes(tmp_path, change, has_tags):
    """After each request in turn: either version is merged, or none; never some of both."""
    old, new = CHANGES[change]
    results = [certain.merge([GOOD, child])[0] for child in (old, new) if child is not None]
    codes = []
    for n_before in range(100):
        requests = []

        def look(name):
            requests.append(name)
            return GOOD if name == "good" else old if requests.count("child") <= n_before else new

        (tmp_path / "merged").unlink(missing_ok=True)
        with Web(look, has_tags) as web:
            done = salvage(web, ["good", "child"], tmp_path / "merged", "30")
        assert done.code in (0, SALVAGED, program.CHANGED, program.NOT_FOUND), done.err
        assert done.code != program.NOT_FOUND or new is None
        if done.code in (0, SALVAGED):
            assert program.text_of((tmp_path / "merged").read_bytes()) in results
        else:
            assert program.only_files(tmp_path) == [] and ": " in done.err and "child" in done.err
        codes.append(done.code)
        if requests.count("child") <= n_before:  # it did not come to the change
            break
    assert len(codes) > 3 and codes[-1] in (0, SALVAGED)
    assert (program.NOT_FOUND if new is None else program.CHANGED) in codes, codes
