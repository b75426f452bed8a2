# SPDX-License-Identifier: MIT
"""The expected queries of a merge in parts: each child against the queries of its own search, and the plan against all of them."""
import gzip
import json

import pytest

import small
from parts import Steps
from program import DATA, MISMATCH, OK, USAGE, NOT_FOUND, run, write_children

NAMES = [f"query{number}" for number in range(12)]
SALVAGED = 11
ROWS = [(0, 5), (5, 6), (6, 9), (9, 12)]


def fasta(names):
    return "".join(f">{name} a title > of it\nMKV\nLL\n" for name in names)


class Searches(Steps):
    """Children, each with the file of its own queries, and the file of all."""

    def __init__(self, folder, rows=tuple(ROWS), write=fasta):
        groups = [NAMES[begin:end] for begin, end in rows]
        super().__init__(folder / "steps", write_children(folder, [small.child(*(f"{name} a title" for name in group)) for group in groups]))
        self.queries = [folder / f"queries_{number}" for number in range(1, len(rows) + 1)]
        for path, group in zip(self.queries, groups):
            path.write_text(write(group))
        self.all_queries = folder / "queries"
        self.all_queries.write_text(write(NAMES))

    def count(self, number, *more):
        return run("count", "--expect-queries", self.queries[number - 1], *more, "-o", self.tally(number), self.children[number - 1])

    def count_all(self):
        for number in range(1, len(self.children) + 1):
            done = self.count(number)
            assert (done.code, done.err) == (OK, "")

    def plan(self, *options, tallies=None):
        return super().plan("--expect-queries", self.all_queries, *options, tallies=tallies)


def as_list(names):
    return "".join(f"{name}\n" for name in names)


@pytest.mark.parametrize("write", [fasta, as_list])
def test_all_are_there(tmp_path, write):
    steps = Searches(tmp_path, write=write)
    assert steps.all() == run("--gzip", "--expect-queries", steps.all_queries, *steps.children).out
    child = json.loads(steps.tally(3).read_text())["queries"]
    assert (child["count"], child["first"], child["last"]) == (3, "query6", "query8")


def test_a_query_without_an_iteration(tmp_path):
    """The count finds it, names it, and writes what is to be searched again."""
    steps = Searches(tmp_path)
    steps.queries[1].write_text(fasta(["query5", "more"]))
    done = steps.count(2, "--missing", tmp_path / "missing")
    assert done.code == MISMATCH and "1 query has no Iteration: number 2, more" in done.err, done.err
    assert (tmp_path / "missing").read_text() == fasta(["more"])
    assert not steps.tally(2).exists()
    steps.queries[1].write_text(fasta(["other"]))
    done = steps.count(2)
    assert done.code == MISMATCH and steps.children[1].name in done.err, done.err


@pytest.mark.parametrize("left_out, words", [
    (1, "child_0001.xml.gz: comes too early: 5 queries in a row are of no child: number 1, query0, to number 5, query4; search these"),
    (2, "child_0002.xml.gz: comes too early: 1 query is of no child: number 6, query5; search these"),
    (4, "3 queries in a row are of no child: number 10, query9, to number 12, query11: search these")])
def test_a_child_that_is_missing(tmp_path, left_out, words):
    steps = Searches(tmp_path)
    steps.count_all()
    done = steps.plan(tallies=[steps.tally(number) for number in (1, 2, 3, 4) if number != left_out])
    assert done.code == MISMATCH and words in done.err, done.err
    assert not steps.plan_file.exists()
    assert steps.plan().code == OK


def test_all_that_are_missing_are_told(tmp_path):
    steps = Searches(tmp_path)
    steps.count_all()
    done = steps.plan(tallies=[steps.tally(2), steps.tally(3)])
    assert done.code == MISMATCH
    assert "number 1, query0, to number 5, query4" in done.err and "number 10, query9, to number 12, query11" in done.err, done.err


def test_children_in_another_order(tmp_path):
    steps = Searches(tmp_path)
    steps.count_all()
    done = steps.plan("--sort", "none", tallies=[steps.tally(number) for number in (2, 1, 3, 4)])
    assert done.code == MISMATCH
    assert "child_0000.xml.gz: was counted with 5 queries, the first is query0, and these do not follow one another" in done.err, done.err
    assert "from number 7 on" in done.err


def test_a_child_of_other_queries(tmp_path):
    """Of the same names, with other residues; and of one query more than the file of all has."""
    for change in (lambda text: text.replace("LL", "LLL"), lambda text: text.replace("a title", "another title")):
        steps = Searches(tmp_path)
        steps.count_all()
        steps.all_queries.write_text(fasta(NAMES[:6]) + change(fasta(NAMES[6:9])) + fasta(NAMES[9:]))
        done = steps.plan()
        assert done.code == MISMATCH and "child_0002.xml.gz: was counted with 3 queries, the first is query6" in done.err, done.err
    steps.all_queries.write_text(fasta(NAMES[:11]))
    done = steps.plan()
    assert done.code == MISMATCH and "child_0003.xml.gz: was counted with 3 queries" in done.err, done.err


def test_queries_of_one_name(tmp_path):
    """Rows that begin alike are told apart by what follows."""
    names = ["a", "b", "a", "c", "a", "d"]
    steps = Searches(tmp_path)
    steps.children = write_children(tmp_path, [small.child(*names[at:at + 2]) for at in (0, 2, 4)])
    for number, at in enumerate((0, 2, 4)):
        steps.queries[number].write_text("".join(f">{name}\nMKVLL\n" for name in names[at:at + 2]))
    steps.all_queries.write_text("".join(f">{name}\nMKVLL\n" for name in names))
    steps.count_all()
    assert steps.plan().code == OK
    done = steps.plan(tallies=[steps.tally(3)])
    assert done.code == MISMATCH and "4 queries in a row are of no child: number 1, a, to number 4, c" in done.err, done.err


def test_a_child_that_was_not_compared(tmp_path):
    steps = Searches(tmp_path)
    steps.count_all()
    assert run("count", "-o", steps.tally(2), steps.children[1]).code == OK
    done = steps.plan()
    assert done.code == MISMATCH and "child_0001.xml.gz: was not compared with queries: count it with --expect-queries" in done.err, done.err
    assert run("plan", "--force", "-o", steps.plan_file, *(steps.tally(number) for number in (1, 2, 3, 4))).code == OK


def test_another_fault_of_a_child(tmp_path):
    """Its queries are not missing; nor are those that only a file of another form has."""
    steps = Searches(tmp_path)
    text = gzip.decompress(steps.children[1].read_bytes())
    steps.children[1].write_bytes(gzip.compress(text.replace(b"blastp", b"blastn")))
    steps.count_all()
    done = steps.plan()
    assert done.code == MISMATCH and "BlastOutput_program is blastn" in done.err and "of no child" not in done.err, done.err
    steps = Searches(tmp_path)
    steps.count_all()
    steps.all_queries.write_text(as_list(NAMES))
    done = steps.plan()
    assert done.code == MISMATCH and "is one of the files FASTA, and the other one a list?" in done.err, done.err
    assert "search these" not in done.err


def test_salvaged(tmp_path):
    """What was lost is missing, and that is no error of the plan."""
    steps = Searches(tmp_path)
    steps.children[2].write_bytes(steps.children[2].read_bytes()[:-30])
    done = steps.count(3)
    assert done.code == DATA, done.err
    steps.options.append("--salvage")
    codes = [steps.count(number, "--salvage").code for number in (1, 2, 3, 4)]
    assert codes == [OK, OK, SALVAGED, OK]
    done = steps.plan()
    assert done.code == SALVAGED, done.err


def test_what_a_salvaged_child_lacks(tmp_path):
    """As in one merge: a warning of the child that has lost something, and an error of one that has not."""
    steps = Searches(tmp_path)
    text = gzip.decompress(steps.children[2].read_bytes())
    steps.children[2].write_bytes(gzip.compress(text[:text.rindex(b"</Iteration>")]))
    done = steps.count(3, "--salvage", "--missing", tmp_path / "missing")
    assert done.code == SALVAGED and "1 query has no Iteration: number 3, query8" in done.err, done.err
    assert (tmp_path / "missing").read_text() == fasta(["query8"])
    steps.queries[3].write_text(fasta([*NAMES[9:12], "more"]))
    done = steps.count(4, "--salvage")
    assert done.code == MISMATCH and "1 query has no Iteration: number 4, more" in done.err, done.err
    assert steps.tally(3).exists() and not steps.tally(4).exists()


def test_names_are_cut_between_characters(tmp_path):
    """A tally keeps 255 bytes of a query's name, and messages show as much of a child's."""
    steps = Searches(tmp_path)
    name = "a" + "日" * 90  # the 255th byte is within a character
    steps.children = write_children(tmp_path, [small.child(name), small.child("b")])
    for number, query in enumerate((name, "b")):
        steps.queries[number].write_text(fasta([query]), encoding="utf-8")
    steps.all_queries.write_text(fasta([name, "b"]), encoding="utf-8")
    steps.count_all()
    first = json.loads(steps.tally(1).read_text(encoding="utf-8"))["queries"]["first"]
    assert first == "a" + "日" * 84
    done = steps.plan(tallies=[steps.tally(2)])
    assert done.code == MISMATCH and f"1 query is of no child: number 1, {first}; search" in done.err, done.err
    for begin in ("", "a"):  # whether the length of the folder's name is odd or not
        long = tmp_path.joinpath(begin + "é" * 100, "é" * 100, "é" * 100)
        long.parent.mkdir(parents=True)
        steps.children[0].rename(long)
        steps.children[0] = long
        assert steps.count(1).code == OK
        done = run("plan", steps.tally(1), steps.tally(1))
        assert "é is given twice" in done.err, done.err


def test_files_that_are_wrong(tmp_path):
    steps = Searches(tmp_path)
    steps.count_all()
    for number in (1, 2):
        line = json.loads(steps.tally(number).read_text())
        good = steps.tally(number).read_bytes()
        for change in ({"count": -1}, {"hash": "0"}, {"first": "x" * 300}, {"last": {"base64": "AAAA"}}, {"more": 1}):
            steps.tally(number).write_text(json.dumps({**line, "queries": {**line["queries"], **change}}) + "\n")
            done = steps.plan()
            assert done.code == DATA and "is a damaged tally (queries)" in done.err, (change, done.err)
        steps.tally(number).write_bytes(good)
    steps.all_queries.unlink()
    done = steps.plan()
    assert done.code == NOT_FOUND and "queries" in done.err, done.err
    steps.queries[0].unlink()
    assert steps.count(1).code == NOT_FOUND


@pytest.mark.parametrize("command", ["part", "join"])
def test_steps_that_take_no_queries(tmp_path, command):
    done = run(command, "--expect-queries", "q", "--plan", "p", "-o", tmp_path / "out", "x")
    assert done.code == USAGE, done.err


def test_from_standard_input(tmp_path):
    steps = Searches(tmp_path)
    with open(steps.queries[0], "rb") as queries:
        assert run("count", "--expect-queries", "-", "-o", steps.tally(1), steps.children[0], stdin=queries).code == OK
    expected = steps.tally(1).read_bytes()
    assert steps.count(1).code == OK
    assert steps.tally(1).read_bytes() == expected
