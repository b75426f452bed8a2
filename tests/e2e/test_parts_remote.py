# SPDX-License-Identifier: MIT
"""A merge in parts whose children, tallies, plan and parts are on a web server. tests/cloud/test_parts.py has object stores."""
import os

import corpus
import pytest
from forms import member
from parts import Steps
from program import CHANGED, DATA, IO, MISMATCH, NOT_FOUND, OK, USAGE, run, write_children
from web import Web

ENVIRONMENT = dict(os.environ, BLASTMERGE_RETRY_DELAY_MS="1", BLASTMERGE_RETRIES="1", no_proxy="*")


@pytest.fixture(scope="module", autouse=True)
def with_object_storage():
    if "with libcurl" not in run("--version").out.decode():
        pytest.skip("this blastmerge was built without object storage")


@pytest.fixture(name="steps")
def make_steps(tmp_path):
    steps = Steps(tmp_path / "steps", write_children(tmp_path, [member(text) for text in corpus.texts(3, 9, seed=3, hits=3)]))
    steps.expected = steps.all()
    return steps


def remote(*arguments):
    return run(*arguments, env=ENVIRONMENT)


def names(url):
    return [f"{url}{number}.gz" for number in (1, 2, 3)]


def test_everything_is_remote(tmp_path, steps):
    files = {path.name: path.read_bytes() for path in steps.children}
    with Web(files.get) as web:
        for number, child in enumerate(steps.children, 1):
            done = remote("count", "-o", tmp_path / f"{number}.tally", f"{web.url}{child.name}")
            assert done.code == OK, done.err
            files[f"{number}.tally"] = (tmp_path / f"{number}.tally").read_bytes()
        done = remote("plan", "-o", tmp_path / "plan.json", *(f"{web.url}{number}.tally" for number in (1, 2, 3)))
        assert done.code == OK, done.err
        files["plan.json"] = (tmp_path / "plan.json").read_bytes()
        for number in (1, 2, 3):
            done = remote("part", "--plan", f"{web.url}plan.json", "--number", number, "-o", tmp_path / f"{number}.gz")
            assert done.code == OK, done.err
            files[f"{number}.gz"] = (tmp_path / f"{number}.gz").read_bytes()
        done = remote("join", "--plan", f"{web.url}plan.json", "-o", tmp_path / "joined.gz", *reversed(names(web.url)))
        assert done.code == OK, done.err
        assert (tmp_path / "joined.gz").read_bytes() == steps.expected
        mixed = [f"{web.url}1.gz", tmp_path / "2.gz", f"{web.url}3.gz"]
        done = remote("join", "--plan", tmp_path / "plan.json", *mixed)
        assert (done.code, done.out) == (OK, steps.expected), done.err


def many_children(tmp_path, steps):
    """A plan of 300 children, most of which are nowhere."""
    lines = [steps.tally(number).read_text() for number in (1, 2, 3)]
    name = steps.children[2].name
    lines += [lines[2].replace(name, f"{number}_{name}") for number in range(4, 301)]
    (tmp_path / "many.tally").write_text("".join(lines))
    done = run("plan", "-q", "-o", tmp_path / "many.json", tmp_path / "many.tally")
    assert done.code == OK, done.err
    return (tmp_path / "many.json").read_bytes()


def test_a_part_reads_its_share_of_the_plan(tmp_path, steps):
    plan = many_children(tmp_path, steps)
    assert len(plan) > 2 * 65536
    seen = []

    def look(name):
        seen.append(name)
        return plan

    with Web(look) as web:
        for number, share in ((2, 3), (300, 3)):
            seen.clear()
            done = remote("part", "-q", "--plan", f"{web.url}plan", "--number", number, "-o", tmp_path / f"remote_{number}", steps.children[min(number, 3) - 1])
            assert done.code == OK, done.err
            assert len(seen) == share
            done = run("part", "-q", "--plan", tmp_path / "many.json", "--number", number, "-o", tmp_path / f"local_{number}", steps.children[min(number, 3) - 1])
            assert (tmp_path / f"remote_{number}").read_bytes() == (tmp_path / f"local_{number}").read_bytes()
        done = remote("part", "--plan", f"{web.url}plan", "--number", 301, "-o", tmp_path / "part")
        assert done.code == USAGE and "the plan has 300 children" in done.err


def test_a_remote_plan_that_is_wrong(tmp_path, steps):
    plan = many_children(tmp_path, steps)
    lines = plan.split(b"\n")
    entry = len(lines[0]) + 1 + 26 * 2  # of the second child
    assert len(lines) == 1 + 301 + 300 + 1
    damaged = {
        "the index": plan[:entry] + b"x" + plan[entry + 1:],
        "an offset too far": plan[:entry] + b"f" * 16 + plan[entry + 16:],
        "the next offset before this one": plan[:entry + 26] + b"0" * 16 + plan[entry + 42:],
        "a checksum": plan[:entry + 17] + b"00000000" + plan[entry + 25:],
        "the line": plan.replace(b'{"number":2,', b'{"number":9,'),
        "another number": plan.replace(lines[303], lines[304]),
        "all but the beginning is missing": plan[:len(lines[0]) + 27],
        "the end": plan[:len(lines[0]) + 1 + 26 * 301 + len(lines[302]) + 100],
        "the common line": plan[:100] + b"x" + plan[101:],
        "no line end": b'{"blastmerge_plan":' + b" " * 200000,
        "nothing": b"",
    }
    for what, wrong in damaged.items():
        with Web(lambda name, wrong=wrong: wrong) as web:
            done = remote("part", "--plan", f"{web.url}plan", "--number", 2, "-o", tmp_path / "part", steps.children[1])
        assert done.code in (DATA, CHANGED) or (what == "nothing" and done.code == IO), (what, done.err)
        assert not (tmp_path / "part").exists()


def test_a_server_without_ranges(tmp_path, steps):
    """It sends all of the plan."""
    plan = steps.plan_file.read_bytes()
    with Web(lambda name: plan, has_ranges=False) as web:
        done = remote("part", "-q", "--plan", f"{web.url}plan", "--number", 2, "-o", tmp_path / "part")
    assert done.code == OK, done.err
    assert (tmp_path / "part").read_bytes() == steps.part_file(2).read_bytes()


def test_what_is_wrong_with_remote_parts(tmp_path, steps):
    files = {f"{number}.gz": steps.part_file(number).read_bytes() for number in (1, 2, 3)}
    good = dict(files)
    with Web(files.get) as web:
        def join():
            return remote("join", "--plan", steps.plan_file, "-o", tmp_path / "joined.gz", *names(web.url))
        assert join().code == OK
        (tmp_path / "joined.gz").unlink()
        for wrong, code in ((good["2.gz"][:-1], DATA), (good["2.gz"][:200], DATA), (b"", DATA), (good["1.gz"], MISMATCH), (None, NOT_FOUND),
                            (bytes([good["2.gz"][0] ^ 1]) + good["2.gz"][1:], DATA), (good["2.gz"][:60] + b"x" + good["2.gz"][61:], DATA)):
            files["2.gz"] = wrong
            done = join()
            assert done.code == code, (done.err, wrong and len(wrong))
            assert not (tmp_path / "joined.gz").exists()
        assert "run part 2 again" in done.err
        files.update(good)
        assert join().code == OK


def test_a_part_that_changes_after_its_end_was_read(tmp_path, steps):
    files = {f"{number}.gz": steps.part_file(number).read_bytes() for number in (1, 2, 3)}
    n_seen = 0

    def look(name):
        nonlocal n_seen
        n_seen += name == "3.gz"
        data = files[name]
        return data if name != "3.gz" or n_seen <= 2 else data[:-20] + b"x" * 20

    with Web(look) as web:
        done = remote("join", "--plan", steps.plan_file, "-o", tmp_path / "joined.gz", *names(web.url))
    assert done.code == CHANGED, done.err
    assert not (tmp_path / "joined.gz").exists()


def test_secrets_in_locations_are_not_kept(tmp_path, steps):
    data = steps.children[0].read_bytes()
    with Web(lambda name: data if name == "child.gz?sig=secret" else None) as web:
        url = f"{web.url}child.gz?sig=secret"
        done = remote("count", "-o", tmp_path / "tally", url)
        assert done.code == OK, done.err
        assert b"secret" not in (tmp_path / "tally").read_bytes()
        assert remote("plan", "-o", tmp_path / "plan", tmp_path / "tally").code == OK
        assert b"secret" not in (tmp_path / "plan").read_bytes()
        done = remote("part", "--plan", tmp_path / "plan", "--number", 1, "-o", tmp_path / "part")
        assert done.code == USAGE
        assert "give the child" in done.err
        assert remote("part", "--plan", tmp_path / "plan", "--number", 1, "-o", tmp_path / "part", url).code == OK
