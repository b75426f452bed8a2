# SPDX-License-Identifier: MIT
"""A merge in parts in real object stores: children, tallies, plan, parts and result are all there."""
import pytest

from conftest import merge
from program import EXISTS, MISMATCH, NOT_FOUND, OK


@pytest.mark.parametrize("prefix, memory", [("short", 64), ("long", 48)])
def test_all_steps_in_a_store(store, children, long_children, prefix, memory):
    which = children if prefix == "short" else long_children
    folder = f"parts {prefix}"

    def run(*arguments):
        return merge(*arguments, "--memory", memory, env=store.env())

    def step(*arguments):
        done = run(*arguments)
        assert (done.code, done.err) == (OK, ""), done.err

    for _ in range(2):  # each step replaces its own earlier output
        for number, url in enumerate(which.urls(store, prefix), 1):
            step("count", "-q", "-o", store.url(f"{folder}/{number}.tally"), url)
        step("plan", "-q", "--sort", "natural", "-o", store.url(f"{folder}/plan.json"), store.url(f"{folder}/*.tally"))
        for number in (1, 2, 3):
            step("part", "-q", "--plan", store.url(f"{folder}/plan.json"), "--number", number, "-o", store.url(f"{folder}/{number}.gz"))
        step("join", "--plan", store.url(f"{folder}/plan.json"), "-o", store.url(f"{folder}/merged"), store.url(f"{folder}/*.gz"))
        assert store.get(f"{folder}/merged") == which.merged
    store.put(f"{folder}/merged", b"another thing")
    join = ["join", "--plan", store.url(f"{folder}/plan.json"), "-o", store.url(f"{folder}/merged")]
    assert run(*join, store.url(f"{folder}/*.gz")).code == EXISTS
    assert store.get(f"{folder}/merged") == b"another thing"
    step(*join, "--force", store.url(f"{folder}/*.gz"))
    assert store.get(f"{folder}/merged") == which.merged
    store.delete(f"{folder}/2.gz")
    done = run(*join, "--force", store.url(f"{folder}/*.gz"))
    assert done.code == NOT_FOUND
    assert "run part 2 again" in done.err
    assert store.get(f"{folder}/merged") == which.merged
    store.put(f"{folder}/2.gz", store.get(f"{folder}/1.gz"))
    assert run(*join, "--force", store.url(f"{folder}/*.gz")).code == MISMATCH
    for key in ("1.gz", "2.gz", "3.gz", "1.tally", "2.tally", "3.tally", "plan.json", "merged"):
        store.delete(f"{folder}/{key}")
    assert store.staged() == []
