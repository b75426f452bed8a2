# SPDX-License-Identifier: MIT
"""A check goes on behind what is at fault, and says something of every child."""
import json
import os
import random
import subprocess

import forms
import program
import pytest
import small
import test_twins as twins
from test_odd_children import commented

NAMES = [f"query{number}" for number in range(20)]


def check(folder, children, *arguments, code, queries=None):
    """Checks children (bytes, or None: no such file); returns the run and the report, which must be whole."""
    paths = program.write_children(folder, [child or b"" for child in children])
    for path, child in zip(paths, children):
        if child is None:
            path.unlink()
    if queries is not None:
        (folder / "queries").write_text("".join(f">{name} a title\nMKV\n" for name in queries))
        arguments = [*arguments, "--expect-queries", folder / "queries"]
    done = program.run("check", "-f", "--report", folder / "report", *arguments, *paths)
    assert done.code == code, done.err
    report = json.loads((folder / "report").read_text())
    assert [row["location"] for row in report["children"]] == [str(path) for path in paths]
    whole = [row for row in report["children"] if row["status"] == "ok"]
    for name in ("documents", "iterations", "hits", "hsps", "compressed_bytes", "text_bytes"):
        assert report["totals"][name] == sum(row[name] for row in whole)
    for row in report["children"]:
        assert (row["error"] is None) == (row["status"] == "ok")
        if row["error"] is not None:
            assert f"blastmerge: {row['error']}\n" in done.err and row["error"].removeprefix("cannot open ").startswith(row["location"])
    assert (report["status"] == "ok") == (code == program.OK) == (report["error"] is None)
    lines = done.out.decode().splitlines()
    assert len(lines) == len(children) + 2
    for row, line in zip(report["children"], lines[1:]):
        assert line.endswith(row["location"]) and (line.split()[0] == "-") == (row["status"] != "ok")
    return done, report


def rows(report, name):
    return [(row["first"], row["last"]) for row in report[name]]


GOOD = small.child("one", "two")
CRC = GOOD[:-8] + bytes([GOOD[-8] ^ 1]) + GOOD[-7:]
FAULTS = {"cut": (GOOD[:-20], "damaged", program.DATA), "checksum": (CRC, "damaged", program.DATA),
          "text": (small.text("one", "t\1wo"), "damaged", program.DATA), "absent": (None, "not found", program.NOT_FOUND),
          "program": (small.child("one", program="blastn"), "mismatch", program.MISMATCH), "empty": (b"", "damaged", program.DATA),
          "format": (b"q\ts\t99.0\t10\t0\t0\t1\t10\t1\t10\t1e-5\t50\n", "mismatch", program.MISMATCH),
          "HTML": (b"<html></html>", "damaged", program.DATA)}


@pytest.mark.parametrize("threads", ["1", "2", "5"])
@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault(tmp_path, fault, threads):
    child, status, code = FAULTS[fault]
    for place in range(3):
        children = [GOOD, small.text("three"), GOOD]
        if place > 0 or fault not in ("program", "format"):
            children[place] = child
        else:
            continue  # the first one says what the others should be
        done, report = check(tmp_path, children, "--threads", threads, code=code)
        assert [row["status"] for row in report["children"]] == ["ok"] * place + [status] + ["ok"] * (2 - place)
        assert report["status"] == status and report["error"] == report["children"][place]["error"]
        assert done.err.count("\n") == 1 + done.err.count("warning: ")


def test_several_faults(tmp_path):
    """The exit code is the first one's, and each is said once."""
    order = list(FAULTS)
    for seed in range(12):
        random.Random(seed).shuffle(order)
        children = [GOOD] + [FAULTS[name][0] for name in order] + [GOOD]
        done, report = check(tmp_path, children, "--threads", "3", "-q", code=FAULTS[order[0]][2])
        assert [row["status"] for row in report["children"]] == ["ok"] + [FAULTS[name][1] for name in order] + ["ok"]
        assert done.err.count("\n") == len(order)


def test_all_are_at_fault(tmp_path):
    done, report = check(tmp_path, [GOOD[:-9], None, b""], code=program.DATA)
    assert report["totals"]["iterations"] == 0 and report["children"][0]["iterations"] == 2
    assert "total" in done.out.decode().splitlines()[-1]
    check(tmp_path, [None] * 300, code=program.NOT_FOUND)  # more than messages are kept of


def test_all_are_empty(tmp_path):
    paths = program.write_children(tmp_path, [b"", b""])
    done = program.run("check", "--allow-empty", "--report", tmp_path / "report", *paths)
    assert done.code == program.DATA and "all children are empty" in done.err
    report = json.loads((tmp_path / "report").read_text())
    assert [row["status"] for row in report["children"]] == ["ok", "ok"] and "all children are empty" in report["error"]


def test_how_far_it_could_be_read(tmp_path):
    text = small.text(*NAMES)
    for at in range(0, len(text), 173):
        _, report = check(tmp_path, [GOOD, text[:at], GOOD], code=program.DATA)
        assert report["children"][1]["iterations"] == text[:at].count(b"</Iteration>")
        assert report["children"][1]["text_bytes"] == at


@pytest.mark.parametrize("form", ["plain", "level 6", "level 0", "several members"])
def test_gaps_beside_damage(tmp_path, form):
    """Certain is what is missing before the damage and behind the next Iteration; what lies between is not known."""
    whole = [name for name in NAMES[4:12] if name != "query6"]
    text = small.text(*whole)
    ends = [text.index(b"</Iteration>", text.index(name.encode() + b"<")) + 12 for name in whole]
    for at in range(len(text) // 2, len(text) - 60, 61):
        n_whole = sum(end <= at for end in ends)
        children = [small.child(*NAMES[:4]), forms.FORMS[form](text[:at]), None, small.child(*NAMES[14:17]), small.child("query18")]
        done, report = check(tmp_path, children, code=program.MISMATCH if n_whole > 2 else program.DATA, queries=NAMES)
        missing, first_unknown = [(7, 7)] if n_whole > 2 else [], NAMES.index(whole[n_whole - 1]) + 2
        assert rows(report, "missing_queries") == [*missing, (18, 18), (20, 20)], at
        assert rows(report, "unknown_queries") == [(first_unknown, 14)], at
        assert f"may be in a part that could not be read: number {first_unknown}, " in done.err


def test_damage_at_the_ends(tmp_path):
    _, report = check(tmp_path, [None, small.child(*NAMES[3:5]), small.child(*NAMES[5:9])[:-30], b""], code=program.NOT_FOUND, queries=NAMES)
    assert rows(report, "missing_queries") == []
    unknown = rows(report, "unknown_queries")
    assert unknown[0] == (1, 3) and unknown[1][1] == 20 and len(unknown) == 2
    _, report = check(tmp_path, [None, None], code=program.NOT_FOUND, queries=NAMES)
    assert rows(report, "unknown_queries") == [(1, 20)] and rows(report, "missing_queries") == []


def test_what_comes_first_is_the_error(tmp_path):
    done, report = check(tmp_path, [small.child(*NAMES[1:5]), None, small.child(*NAMES[5:])], code=program.MISMATCH, queries=NAMES)
    assert report["status"] == "mismatch" and report["error"] == (
        "1 query has no Iteration: number 1, query0; --missing FILE writes what is to be searched again")
    assert done.err.endswith(f"blastmerge: {report['error']}\n")
    _, report = check(tmp_path, [None, small.child(*NAMES[1:5]), small.child(*NAMES[6:])], code=program.NOT_FOUND, queries=NAMES)
    assert rows(report, "missing_queries") == [(6, 6)] and rows(report, "unknown_queries") == [(1, 1)]


def test_long_iterations(tmp_path):
    """Their names are taken long before they end, or fail to."""
    text = small.text(*NAMES[:6]).replace(b"MKV", b"M" * 100000)
    for at in range(text.index(b"query3<"), text.index(b"query4<"), 9001):
        _, report = check(tmp_path, [forms.member(text[:at]), small.child(*NAMES[6:])], code=program.DATA, queries=NAMES)
        assert rows(report, "unknown_queries") == [(4, 6)] and rows(report, "missing_queries") == []


def test_another_searchs_iterations(tmp_path):
    """After 100 Iterations of none of the queries nothing is compared any more."""
    other = small.child(*(f"other{number}" for number in range(150)))
    done, report = check(tmp_path, [small.child(*NAMES), other, other], "--sort", "none", code=program.MISMATCH, queries=NAMES)
    assert len(done.warnings) == 100 and "the rest is not compared" in done.warnings[-1]
    assert [row["status"] for row in report["children"]] == ["ok"] * 3


# --- what a child at fault leaves behind ---------------------------------------------------------------------


COLUMNS = b"q\ts\t99.0\t10\t0\t0\t1\t10\t1\t10\t1e-5\t50"
OTHER_SEARCHES = {
    "xml": (small.text("one").replace(b"<Iteration>", b"<Iteration><", 1), small.text("two"), small.text("two", program="blastn")),
    "xml2": (twins.xml2("one").replace(b"<query-id>", b"<query-id><", 1), twins.xml2("two"), twins.xml2("two").replace(b"blastp", b"blastn")),
    "json": (twins.as_json("one").replace(b'"query_id"', b'"query_id" x', 1), twins.as_json("two"),
             twins.as_json("two").replace(b"blastp", b"blastn")),
    "7": (commented("one").replace(b"\ts\t", b"\t", 1), commented("two"), commented("two").replace(b"BLASTP", b"BLASTN")),
    "6": (COLUMNS + b"\n\0\n", COLUMNS + b"\n", COLUMNS + b"\t1\n"),
    "a table that ends too early": (COLUMNS + b"\nq", COLUMNS + b"\n", COLUMNS + b"\t1\n")}


@pytest.mark.parametrize("threads", ["1", "3"])
@pytest.mark.parametrize("bad, like, other", OTHER_SEARCHES.values(), ids=OTHER_SEARCHES)
def test_the_header_before_a_fault_counts(tmp_path, bad, like, other, threads):
    """However near the fault is: the others are compared with it, and a child's header with the first one's."""
    another_format = COLUMNS + b"\n" if bad.startswith(b"<") else small.text("one")
    for packed in (bad, forms.member(bad)):
        _, report = check(tmp_path, [packed, like, other, another_format], "--threads", threads, code=program.DATA)
        assert [row["status"] for row in report["children"]] == ["damaged", "ok", "mismatch", "mismatch"], report["children"]
    _, report = check(tmp_path, [other, bad, like], "--threads", threads, code=program.MISMATCH)
    assert [row["status"] for row in report["children"]] == ["ok", "mismatch", "mismatch"], report["children"]


MOST = 2 ** 64 - 1


def unsplit(*numbers, bad="", **header):
    """A document whose Iterations have these numbers; bad: text before the last one's end tag."""
    text = small.text(*(f"q{number}_{id(numbers)}" for number in numbers), extra=bad, **header)
    for place, number in enumerate(numbers, 1):
        text = text.replace(b"<Iteration_iter-num>%d<" % place, b"<Iteration_iter-num>=%d<" % number)
    return text.replace(b"<Iteration_iter-num>=", b"<Iteration_iter-num>")


def test_numbers_of_a_child_at_fault_are_forgotten(tmp_path):
    """Huge ones, gaps, returns, none at all: neither what comes behind it is wrong, nor is anything said of it."""
    good = [unsplit(1, 2), unsplit(1)]
    for numbers in ([MOST], [1, MOST], [5], [1, 9], [2, 1], [1, 1], [MOST, MOST]):
        for first in (True, False):
            children = [unsplit(*numbers, bad="<"), *good] if first else [good[0], unsplit(*numbers, bad="<"), good[1]]
            is_beyond = numbers.count(MOST) > int(first)  # the sum is an error, too, and comes first
            done, report = check(tmp_path, children, "--as-unsplit", code=program.MISMATCH if is_beyond else program.DATA)
            assert [row["status"] for row in report["children"]].count("ok") == 2, report["children"]
            assert not done.warnings and not any(report["unsplit"].values()), (numbers, done.err)
    _, report = check(tmp_path, [good[0], unsplit(MOST), good[1]], "--as-unsplit", code=program.MISMATCH)
    assert [row["status"] for row in report["children"]] == ["ok", "mismatch", "ok"]  # it is this one that cannot be added


@pytest.mark.parametrize("ids", ["auto", "renumber"])
def test_ids_of_a_child_at_fault_are_forgotten(tmp_path, ids):
    good = small.text("a", "b", ids=True)
    for number in (MOST, MOST - 1, 77):
        bad = small.text("c", ids=True, extra="<").replace(b"Query_1<", b"Query_%d<" % number)
        for children in ([bad, good, good], [good, bad, good]):
            is_beyond = ids == "renumber" and children[0] == good and number > 77  # it cannot be added to those before
            code = program.MISMATCH if is_beyond else program.DATA
            done, report = check(tmp_path, children, "--query-ids", ids, "--sort", "none", code=code)
            assert [row["status"] for row in report["children"]].count("ok") == 2, report["children"]
            assert report["unsplit"]["renumbered_ids"] == 2 and report["unsplit"]["unsure_ids"] == 0, done.err


def test_lost_names_are_told_of_the_child_that_has_them(tmp_path):
    """Old BLAST XML, whose header alone names the query: at such a length that it is not kept."""
    def text(bad=b""):
        long = small.text("a").replace(b"<BlastOutput_query-def>a<", b"<BlastOutput_query-def>%s<" % (b"x" * 2000))
        return long.replace(b"  <Iteration_query-def>a</Iteration_query-def>\n", b"").replace(b"</Iteration>", bad + b"</Iteration>")
    _, report = check(tmp_path, [GOOD, text(b"<"), text(), GOOD], "--sort", "none", code=program.DATA)
    told = [any("longer than 1024" in warning for warning in row["warnings"]) for row in report["children"]]
    assert told == [False, True, True, False]


def test_documents_of_a_child_at_fault_are_not_compared_with(tmp_path):
    """But for themselves with those of whole children before."""
    first, second = small.text("a", "b"), small.text("c")
    bad = first + second[:-30]
    done, report = check(tmp_path, [bad, first, second], code=program.DATA)
    assert "once more" not in done.err
    done, report = check(tmp_path, [bad, first, second, first], "--as-unsplit", code=program.DATA)
    assert [row["status"] for row in report["children"]] == ["damaged", "ok", "ok", "mismatch"]
    assert f"holds the queries of {tmp_path}/child_0001" in report["children"][3]["error"]
    many = b"".join(small.text(f"q{number}") for number in range(3000))  # the index of these grows meanwhile
    done, report = check(tmp_path, [first, many + b"<", many, first], code=program.DATA)
    assert len(done.warnings) == 1 and "child_0003" in done.warnings[0] and "child_0000" in done.warnings[0]


def test_line_ends_of_a_child_at_fault_do_not_count(tmp_path):
    """Its fault shows at its very end, when all else is known of it."""
    cut = forms.bgzf(COLUMNS + b"\r\n")[:-28]
    done, report = check(tmp_path, [COLUMNS + b"\n", cut], "--sort", "none", code=program.DATA)
    assert "BGZF" in report["children"][1]["error"] and "lines end in" not in done.err, done.err


# --- the order of children -------------------------------------------------------------------------------------


def test_order_is_no_end(tmp_path):
    """--as-unsplit makes errors of an order that is likely to be a mistake: a check says so, and reads all the same."""
    files = {name: tmp_path / name for name in ("b_1", "b_2", "b_3", "b_9")}
    for number, file in enumerate(files.values()):
        file.write_bytes(small.text(f"query {number}"))
    files["bad"] = tmp_path / "b_10"
    files["bad"].write_bytes(GOOD[:-9])
    cases = {"not in natural order": ["b_2", "b_1"], "the first between": ["b_1", "b_3"], "b_1 is given twice": ["b_1", "b_1"]}
    for words, names in cases.items():
        for options in ([], ["--quiet"]):
            done = program.run("check", "--as-unsplit", "-f", "--report", tmp_path / "report", *options, *(files[name] for name in names), files["bad"])
            report = json.loads((tmp_path / "report").read_text())
            assert done.code == program.MISMATCH and words in done.err and "cut short" in done.err, done.err
            assert report["status"] == "mismatch" and words in report["error"] and done.err.count(words) == 1
            assert [row["status"] for row in report["children"]][-1] == "damaged" and report["children"][0]["iterations"] == 1
            assert len(done.out.splitlines()) == len(names) + 3
    done = program.run("check", "--as-unsplit", files["b_1"], files["b_1"], files["b_9"], files["b_2"], files["b_2"])
    assert done.code == program.MISMATCH and done.err.index("is given twice") < done.err.index("not in natural order")
    assert done.err.count("is given twice") == 2 and len(done.out.splitlines()) == 7
    merged = program.run("--as-unsplit", files["b_2"], files["b_1"])
    assert merged.code == program.MISMATCH and "not in natural order" in merged.err and not merged.out


def test_a_wrong_number_ends_it(tmp_path):
    paths = program.write_children(tmp_path, [GOOD, GOOD[:-9]])
    done = program.run("check", "--expect-children", "3", "--report", tmp_path / "report", *paths)
    assert done.code == program.MISMATCH and "2 children were given, but 3 were expected" in done.err
    assert not done.out and not (tmp_path / "report").exists() and "cut short" not in done.err


def test_pipes(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    good = program.write_children(tmp_path, [GOOD])[0]
    with subprocess.Popen(["sh", "-c", f"head -c 100 '{good}' > '{tmp_path}/fifo'"]) as writer:
        done = program.run("check", tmp_path / "fifo", "-", good, input=GOOD)
        assert writer.wait() == 0
    assert done.code == program.DATA
    assert [line.split()[0] for line in done.out.decode().splitlines()] == ["documents", "-", "1", "1", "2"]


def test_a_file_of_queries_that_fails_is_no_childs_fault(tmp_path):
    paths = program.write_children(tmp_path, [GOOD, GOOD])
    (tmp_path / "queries").mkdir()
    done = program.run("check", "--expect-queries", tmp_path / "queries", *paths)
    assert done.code == program.USAGE and done.out == b""
