# SPDX-License-Identifier: MIT
"""A merge in parts in real object stores: children, tallies, plan, parts and result are all there."""
import os
import random

import pytest

from conftest import SEED, merge
from faultproxy import Proxy
from program import EXISTS, MISMATCH, NOT_FOUND, OK
from test_faults import FINAL, PASSING, WRONG_RANGE

SCHEDULES = int(os.environ.get("BLASTMERGE_SCHEDULES", "12"))  # 500 for a long run


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


def test_random_faults_while_parts_are_joined(store, long_children):
    """The result is as it was or complete, and a join without faults makes it complete."""
    folder = "parts faults"

    def at(name):
        return store.url(f"{folder}/{name}")

    for number, path in enumerate(long_children.paths, 1):
        assert merge("count", "-q", "-o", at(f"{number}.tally"), path, env=store.env()).code == OK
    assert merge("plan", "-q", "-o", at("plan.json"), *(at(f"{number}.tally") for number in (1, 2, 3)), env=store.env()).code == OK
    for number in (1, 2, 3):
        done = merge("part", "-q", "--plan", at("plan.json"), "--number", number, "-o", at(f"{number}.gz"), env=store.env())
        assert done.code == OK, done.err
    parts = [at(f"{number}.gz") for number in (1, 2, 3)]
    faults = [fault for fault in [*PASSING, WRONG_RANGE, *(fault for fault, _ in FINAL)] if fault.kind != "stall"]
    n_failed = 0
    with Proxy(store.port) as proxy:
        for schedule in range(SCHEDULES):
            dice = random.Random(f"{SEED} {schedule}")
            chance = dice.choice([0.02, 0.1, 0.4])
            old = dice.choice([None, b"the old result"])
            store.delete(f"{folder}/merged")
            if old is not None:
                store.put(f"{folder}/merged", old)
            proxy.reset(lambda _, dice=dice, chance=chance: dice.choice(faults) if dice.random() < chance else None)
            join = ["join", "--memory", 48, "--force", "--plan", at("plan.json"), "-o", at("merged"), *parts]
            done = merge(*join, env=store.env(proxy.url))
            result = store.get(f"{folder}/merged")
            assert result in (old, long_children.merged), f"schedule {schedule}: {done.err}"
            assert done.code != OK or result == long_children.merged, f"schedule {schedule}: success without a result"
            n_failed += done.code != OK
            store.give_up_staged()  # what a lost answer to the begin of an upload leaves
            done = merge(*join, env=store.env())
            assert done.code == OK, f"schedule {schedule}: {done.err}"
            assert store.get(f"{folder}/merged") == long_children.merged
            assert store.staged() == []
    print(f"{SCHEDULES} schedules, {n_failed} joins failed")
    for name in ("1.gz", "2.gz", "3.gz", "1.tally", "2.tally", "3.tally", "plan.json", "merged"):
        store.delete(f"{folder}/{name}")
