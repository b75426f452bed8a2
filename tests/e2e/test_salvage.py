# SPDX-License-Identifier: MIT
"""--salvage against certain.py: nothing that is certain is lost, nothing else is kept, and it is said what was."""
import json
import os
import random
import re

import certain
import forms
import program
import pytest
import small

SALVAGED = 11
MUTATIONS = int(os.environ.get("BLASTMERGE_TEST_MUTATIONS", "60"))


def salvage(folder, children, *arguments, **options):
    """Merges children (bytes) with --salvage and compares everything with what is certain. Returns the run and the report.
    options: for the oracle."""
    expected, read = certain.merge(children, **options)
    target, report = folder / "merged.xml.gz", folder / "report.json"
    for path in (target, report):
        path.unlink(missing_ok=True)
    done = program.run("--salvage", "--report", report, "-o", target, *arguments, *program.write_children(folder, children))
    n_damaged = sum(child.is_damaged for child in read)
    if expected is None:
        assert done.code == program.DATA, done.err
        assert not target.exists() and not report.exists()
        return done, None
    assert done.code == (SALVAGED if n_damaged else program.OK), done.err
    text = program.text_of(target.read_bytes())
    assert text == expected, program.difference(text, expected)
    told = json.loads(report.read_text())
    assert told["options"]["salvage"] is True
    for row, child, data in zip(told["children"], read, children):
        assert ("lost" in row) == child.is_damaged, row
        assert row["iterations"] == child.n_iterations
        assert row["compressed_bytes"] == len(data)
        if child.is_damaged:
            assert row["unchecked_iterations"] == child.n_unchecked
            assert 0 < len(row["lost"]) + len(row["superseded"]) and len(row["lost"]) <= 64
            assert row["status"] == "salvaged"
            assert sum(entry["runs"] for entry in row["superseded"]) >= child.n_superseded
            assert all(any(lost["reason"] in warning for warning in row["warnings"]) for lost in row["lost"])
            check_queries(row, child)
    if n_damaged:
        if any(row.get("lost") for row in told["children"]):
            assert f"something was lost of {n_damaged} of {len(children)} children" in done.err
        else:
            assert f"the search was begun again in {n_damaged} of {len(children)} children" in done.err
    return done, told


def check_queries(row, child):
    """The queries on both sides of what was lost are those of the Iterations that are merged there."""
    queries = child.queries
    for number, lost in enumerate(row["lost"]):
        n_before = lost["iterations_before"]
        is_last = number + 1 == len(row["lost"])
        comes_before_the_next = is_last or row["lost"][number + 1]["iterations_before"] > n_before
        assert lost["query_before"] == (queries[n_before - 1] if n_before else None)
        assert lost["query_after"] == (queries[n_before] if n_before < len(queries) and comes_before_the_next else None)
        assert len(lost["queries"]) == min(lost["n_queries"], 4)


QUERIES = ["alpha", "beta", "gamma", "delta", "epsilon"]
TEXT = small.text(*QUERIES, ids=True)
GOOD = small.child("one", "two", ids=True)


def lost_of(told, number=0):
    return told["children"][number]["lost"]


# --- without damage ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["plain", "level 6", "BGZF", "several members", "padded"])
def test_without_damage_nothing_changes(tmp_path, form):
    children = program.write_children(tmp_path, [forms.FORMS[form](TEXT), GOOD, small.text("x") + small.text("y")])
    for options in ([], ["--level", "3"], ["--plain"], ["--threads", "1"]):
        plain, salvaged = program.run(*options, *children), program.run("--salvage", *options, *children)
        assert (salvaged.code, salvaged.out, salvaged.err) == (0, plain.out, plain.err)


def test_iteration_inside_of_another_is_no_damage_in_itself(tmp_path):
    odd = small.text(*QUERIES, extra="<!-- <Iteration> -->")
    nested = TEXT.replace(b"<Hit>", b"<Hit><Iteration></Iteration>", 1)
    children = program.write_children(tmp_path, [forms.member(odd), forms.member(nested), nested, GOOD])
    plain, salvaged = program.run(*children), program.run("--salvage", *children)
    assert plain.code == 0
    assert (salvaged.code, salvaged.out) == (0, plain.out)


# --- cut short ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["level 6", "plain", "many members"])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_cut_anywhere(tmp_path, form, place):
    whole = forms.FORMS[form](TEXT)
    for length in range(place, len(whole), 11):
        children = [GOOD, GOOD]
        children.insert(place, whole[:length])
        done, told = salvage(tmp_path, children, "--threads", str(1 + length % 3))
        if told is None:
            raise AssertionError(done.err)


def test_only_child_cut_at_every_byte(tmp_path):
    whole = forms.member(TEXT)
    codes = {salvage(tmp_path, [whole[:length]])[0].code for length in range(len(whole))}
    assert codes == {program.DATA, SALVAGED}


def test_cut_child_is_unchecked_and_said_so(tmp_path):
    text = small.text(*(f"query {n} {random.Random(n).random()}" for n in range(100)))
    whole = forms.member(text)
    done, told = salvage(tmp_path, [GOOD, whole[:len(whole) * 2 // 3]])
    row = told["children"][1]
    assert 40 < row["unchecked_iterations"] == row["iterations"] < 90
    assert "without proof" in done.err and "cut short" in done.err
    assert lost_of(told, 1)[0]["text"][1] is None
    assert lost_of(told, 1)[0]["iterations_before"] == row["iterations"]
    block = forms.bgzf(text, 1000)
    _, told = salvage(tmp_path, [GOOD, block[:len(block) * 2 // 3]])
    assert 0 <= told["children"][1]["unchecked_iterations"] <= 3


# --- flipped bits and worse ---------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["level 6", "several members", "BGZF", "many members"])
def test_flipped_bits(tmp_path, form):
    rng = random.Random(form)
    whole = forms.bgzf(TEXT, 300) if form == "BGZF" else forms.FORMS[form](TEXT)
    for _ in range(MUTATIONS):
        damaged = bytearray(whole)
        for _ in range(rng.choice([1, 1, 1, 2, 5])):
            damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
        salvage(tmp_path, [GOOD, bytes(damaged)][::rng.choice([1, -1])])


@pytest.mark.parametrize("kind", ["zeros", "noise", "missing", "twice", "garbage", "cut"])
def test_stretches_of_members(tmp_path, kind):
    rng = random.Random(kind)
    for _ in range(MUTATIONS // 3):
        whole = forms.bgzf(TEXT, rng.choice([100, 300, 1000]))
        at, n = rng.randrange(len(whole)), rng.randrange(1, 300)
        middle = {"zeros": bytes(len(whole[at:at + n])), "noise": rng.randbytes(len(whole[at:at + n])), "missing": b"",
                  "twice": 2 * whole[at:at + n], "garbage": whole[at:at + n] + b"garbage", "cut": b""}[kind]
        damaged = whole[:at] + middle + (b"" if kind == "cut" else whole[at + n:])
        salvage(tmp_path, [damaged, GOOD] if rng.random() < 0.5 else [GOOD, damaged])


def test_two_members_one_broken(tmp_path):
    middle = TEXT.index(b"<Iteration>", len(TEXT) // 2)
    first, second = forms.member(TEXT[:middle]), forms.member(TEXT[middle:])
    for broken in (first[:-8] + bytes(8), first[:30] + bytes([first[30] ^ 0x55]) + first[31:], b"\x1f\x8b\x09" + first[3:],
                   bytes(10) + first[10:]):
        _, told = salvage(tmp_path, [broken + second, GOOD])
        assert told["children"][0]["iterations"] == TEXT[middle:].count(b"<Iteration>")
        assert lost_of(told)[0]["bytes"] == [0, len(first)]
    _, told = salvage(tmp_path, [first + second[:-8] + bytes(8), GOOD])
    assert told["children"][0]["iterations"] == TEXT[:middle].count(b"<Iteration>")
    assert lost_of(told)[0]["bytes"] == [len(first), None]
    assert told["children"][0]["unchecked_iterations"] == 0


def test_failed_checksum_leaves_nothing(tmp_path):
    whole = bytearray(forms.member(TEXT))
    whole[-6] ^= 1
    done, told = salvage(tmp_path, [bytes(whole), GOOD])
    assert told["children"][0]["iterations"] == 0
    assert "does not match its CRC-32" in done.err


# --- damage in the text itself ---------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["plain", "level 6"])
@pytest.mark.parametrize("garbage", [b"", b"\0\0\0", b"<", b"&", b"</Hit>", b"<Iteration>", b"\xff\xfe", b"<!--", b"]]>", b">"])
def test_garbled_text(tmp_path, form, garbage):
    rng = random.Random(form + repr(garbage))
    for _ in range(MUTATIONS // 6):
        at, n = rng.randrange(len(TEXT)), rng.choice([0, 1, 10, 300, 700])
        damaged = TEXT[:at] + garbage + TEXT[at + n:]
        salvage(tmp_path, [forms.FORMS[form](damaged), GOOD], "--mismatch", "ignore")
        salvage(tmp_path, [GOOD, forms.FORMS[form](damaged)], "--mismatch", "ignore")


def test_missing_stretch_loses_two_iterations(tmp_path):
    """What is broken off would swallow all that follow."""
    starts = [match.start() for match in re.finditer(b"<Iteration>", TEXT)]
    damaged = TEXT[:starts[1] + 60] + TEXT[starts[3]:]
    done, told = salvage(tmp_path, [forms.member(damaged), GOOD])
    assert told["children"][0]["iterations"] == 3
    lost = lost_of(told)
    assert len(lost) == 1 and (lost[0]["number_before"], lost[0]["number_after"]) == (1, 4)
    assert lost[0]["text"] == [starts[1] - 1, starts[1] + 60]
    assert "between its Iterations 1 (of alpha) and 4 (of delta): " in done.err
    damaged = TEXT[:starts[1] + 150] + TEXT[starts[3]:]
    done, told = salvage(tmp_path, [forms.member(damaged), GOOD])
    assert (lost_of(told)[0]["queries"], lost_of(told)[0]["n_queries"]) == (["beta"], 1)
    assert "between its Iterations 1 (of alpha) and 4 (of delta), with that of beta: " in done.err


def test_queries_that_are_lost(tmp_path):
    """What can be read of them, at whatever place they end, in any split of the text into batches and members."""
    names = ["sp|P1|X&amp;Y", "b" * 63, "c" * 64, "\u00e9", "No definition line", "f", "g"]
    text = small.text(*names)
    text = text.replace(b"<Iteration_query-def>No", b"<Iteration_query-ID>Query_5</Iteration_query-ID>\n<Iteration_query-def>No")
    read = ["sp|P1|X&Y", "b" * 63, "c" * 60 + "...", "\u00e9", "Query_5", "f"]
    for number, name in enumerate(read):
        start = [match.start() for match in re.finditer(b"<Iteration>", text)][number]
        hits = text.index(b"<Iteration_hits>", start)
        tag = text.index(b"</Iteration_query-def>", start)
        end = tag if name != "Query_5" else text.index(b"</Iteration_query-ID>", start)
        for at in sorted({*range(start + 12, hits, 23), *range(end - 2, end + 3)}):
            children = program.write_children(tmp_path, [text[:at] + b"\1" + text[at:], GOOD])
            done = program.run("--salvage", "--report", tmp_path / "r.json", "-f", "-o", tmp_path / "m.gz", *children)
            assert done.code == SALVAGED
            lost = json.loads((tmp_path / "r.json").read_text())["children"][0]["lost"]
            known = [name] if at > end else []
            assert lost[0]["queries"] == known and lost[0]["n_queries"] == len(known), (at - start, name)
    assert salvage(tmp_path, [forms.several(text[:-150], (50,)), GOOD])[1]["children"][0]["lost"][0]["queries"] == ["g"]
    many = small.text(*(f"q{n}" for n in range(9))).replace(b"</Iteration>", b"</Iteratio>", 8)
    done, told = salvage(tmp_path, [many, GOOD])
    assert (lost_of(told)[0]["queries"], lost_of(told)[0]["n_queries"]) == (["q0", "q1", "q2", "q3"], 8)
    assert ", before its Iteration 9 (of q8), with those of q0, q1, q2, q3 and 4 more: " in done.err


def test_what_comes_again_is_not_taken_twice(tmp_path):
    starts = [match.start() for match in re.finditer(b"<Iteration>", TEXT)]
    damaged = TEXT[:starts[3] + 50] + TEXT[starts[1]:]
    _, told = salvage(tmp_path, [forms.member(damaged), GOOD])
    assert told["children"][0]["iterations"] == 3
    second = damaged + small.text("zeta", "eta")
    _, told = salvage(tmp_path, [forms.member(second), GOOD])
    assert told["children"][0]["iterations"] == 5


def test_several_documents(tmp_path):
    rng = random.Random(5)
    whole = b"".join(small.text(*(f"{name} {n}" for n in range(4)), ids=True) for name in "abcd")
    for _ in range(MUTATIONS):
        at, n = rng.randrange(len(whole)), rng.choice([1, 30, 300, 2000])
        damaged = whole[:at] + b"\0" + whole[at + n:]
        salvage(tmp_path, [forms.member(damaged), GOOD])


# --- ids Query_N ----------------------------------------------------------------------------------------------


def ids_of(folder):
    text = program.text_of((folder / "merged.xml.gz").read_bytes())
    return [int(number) for number in re.findall(rb"<Iteration_query-ID>Query_(\d+)<", text)]


def test_ids_as_if_the_lost_had_never_been_there(tmp_path):
    """They count on behind a hole; only where another document begins do they begin anew, and are shifted."""
    middle = TEXT.index(b"<Iteration>", TEXT.index(b"<Iteration>") + 1)
    holed = TEXT[:middle + 80] + b"\1" + TEXT[middle + 80:]  # without its Iteration 2
    salvage(tmp_path, [holed, holed, GOOD])
    assert ids_of(tmp_path) == [1, 3, 4, 5, 6, 8, 9, 10, 11, 12]
    headless = TEXT.replace(b"<BlastOutput_param>", b"<BlastOutput_para\1m>")
    salvage(tmp_path, [GOOD, headless + headless + holed, GOOD])
    assert ids_of(tmp_path) == [*range(1, 14), 15, 16, 17, 18, 19]
    over = TEXT.replace(b"</BlastOutput>", b"</BlastOut\1put>")  # whose Iterations are over: those that follow are another's
    others = TEXT[TEXT.index(b"<Iteration>"):].replace(b"<Iteration_query-def>", b"<Iteration_query-def>other ")
    salvage(tmp_path, [over + others, GOOD])
    assert ids_of(tmp_path) == [*range(1, 13)]


@pytest.mark.parametrize("policy", ["auto", "keep", "renumber"])
def test_policies_of_ids(tmp_path, policy):
    rng = random.Random(policy)
    whole = b"".join(small.text(*(f"{name} {n}" for n in range(4)), ids=True) for name in "abc")
    for _ in range(MUTATIONS // 3):
        at, n = rng.randrange(len(whole)), rng.choice([1, 30, 300, 2000])
        children = [forms.member(whole[:at] + b"\0" + whole[at + n:]), GOOD, whole]
        rng.shuffle(children)
        salvage(tmp_path, children, "--query-ids", policy, query_ids=policy)


def test_batch_seams(tmp_path):
    """Batches end after 128 KiB of text: damage around these places, and far more text than one of them."""
    text = small.text(*(f"query {n:05}" for n in range(1700)), ids=True)
    assert len(text) > 3 * 131072
    for seam in (131072, 262144):
        for at in (seam - 12, seam - 5, seam - 1, seam, seam + 1, seam - 300):
            for n in (1, 400):
                salvage(tmp_path, [text[:at] + b"\1" + text[at + n:], GOOD])
    for at in range(131072 - 12, 131072 + 2, 2):  # where it is gone on
        start = text.index(b"<Iteration>", 100000)
        salvage(tmp_path, [text[:start - 200] + b"\1" + b" " * (at - start) + text[start - 200 + 1:], GOOD])


def test_too_much_damage_loses_the_rest(tmp_path):
    text = small.text(*(f"query {n:05}" for n in range(300)))
    damaged = re.sub(rb"(query 00\d\d[02468])", b"\\1\1", text)
    children = program.write_children(tmp_path, [forms.member(damaged), GOOD])
    done = program.run("--salvage", "--report", tmp_path / "r.json", "-o", tmp_path / "m.gz", *children)
    assert done.code == SALVAGED
    row = json.loads((tmp_path / "r.json").read_text())["children"][0]
    assert len(row["lost"]) == 64 and row["iterations"] == 63
    assert row["lost"][-1]["text"][1] is None and "too much damage" in row["lost"][-1]["reason"]
    many = small.text("first") + b"<Iteration>\n" * 30000
    children = program.write_children(tmp_path, [many, GOOD])
    assert program.run("--salvage", *children).code == SALVAGED


def test_what_stands_before_in_small_members(tmp_path):
    """A text's beginning is held until it shows what it is, which may be some members later."""
    for junk in (b'\xff\xff\xff\xff\0000"?>\n', bytes(40), b"x", b"q\ts\t1\n", b"<?xml ver\1"):
        for size in (7, 50, 300, 1000):
            salvage(tmp_path, [forms.several(junk + TEXT, (size,)), GOOD], "--format", "xml")


# --- headers -----------------------------------------------------------------------------------------------------


def test_header_is_borrowed(tmp_path):
    headless = TEXT.replace(b"<BlastOutput_param>", b"<BlastOutput_para\1m>")
    other = small.child("one", "two", database="other")
    for children in ([headless, other], [headless, headless, other], [forms.member(headless), TEXT[:100], other],
                     [TEXT[:100], headless, headless + TEXT], [headless + TEXT, other]):
        _, told = salvage(tmp_path, children)
        assert told["children"][0].get("header", {}) == {} or told["children"][0]["documents"] > 0
    done, told = salvage(tmp_path, [headless, headless])
    assert "no child's header is whole: the result has a plain one, made of the " in done.err
    assert told["made_header"]["child"].endswith("child_0000.xml.gz") and told["made_header"]["fields"] == 5


def test_no_header_but_another_first(tmp_path):
    headless = TEXT.replace(b"<BlastOutput_param>", b"<BlastOutput_para\1m>")
    _, told = salvage(tmp_path, [GOOD, headless, GOOD])
    assert told["children"][1]["iterations"] == len(QUERIES)
    assert told["children"][1]["documents"] == 0


def test_all_damaged(tmp_path):
    cut = forms.member(small.text(*(f"query {n} {random.Random(n).random()}" for n in range(20))))[:-60]
    done, told = salvage(tmp_path, [cut, forms.member(TEXT)[:60], cut])
    assert told["children"][1]["iterations"] == 0 and done.code == SALVAGED
    done, _ = salvage(tmp_path, [b"", b"nothing", forms.member(TEXT)[:60]])
    assert "nothing could be salvaged" in done.err


@pytest.mark.parametrize("junk", [b"", b"{}", b"<html></html>", b"<BlastXML2></BlastXML2>", b"PK\3\4", bytes(5000), b"\x1f"])
def test_what_is_no_child_at_all(tmp_path, junk):
    _, told = salvage(tmp_path, [GOOD, junk, GOOD])
    assert told["children"][1]["iterations"] == 0
    assert lost_of(told, 1)[0]["text"] == [0, None]
    if not junk:
        children = program.write_children(tmp_path, [GOOD, junk, GOOD])
        assert program.run("--salvage", "--allow-empty", *children).code == program.OK


OTHERS = {
    "16": b'<?xml version="1.0"?>\n<BlastXML2\n    xmlns="x"\n>\n<BlastOutput2>\n</BlastOutput2>\n</BlastXML2>\n',
    "15": b'{\n"BlastOutput2": [\n]\n}\n',
    "7": b"# BLASTP 2.12.0+\n# Query: a\n# Database: nr\n# 0 hits found\n# BLAST processed 1 queries\n",
    "6": b"q\ts\t99.0\t10\t0\t0\t1\t10\t1\t10\t1e-5\t50\n",
    "10": b"q,s,99.0,10,0,0,1,10,1,10,1e-5,50\n",
}


@pytest.mark.parametrize("outfmt", OTHERS)
@pytest.mark.parametrize("form", ["plain", "gzip", "cut", "flipped"])
def test_other_formats_are_refused(tmp_path, outfmt, form):
    """Whole or damaged; what comes after BLAST XML is lost like other text that is none."""
    packed = forms.member(OTHERS[outfmt], flush_every=40)
    other = {"plain": OTHERS[outfmt], "gzip": packed, "cut": packed[:-4], "flipped": packed[:-5] + bytes([packed[-5] ^ 1]) + packed[-4:]}
    paths = program.write_children(tmp_path, [other[form], GOOD])
    done = program.run("--salvage", "-o", tmp_path / "m.gz", *paths)
    assert done.code == program.USAGE and not (tmp_path / "m.gz").exists()
    assert "child_0000.xml.gz: it is " in done.err and f"(-outfmt {outfmt}), and only BLAST XML (-outfmt 5)" in done.err
    _, told = salvage(tmp_path, [other[form], GOOD], "--format", "xml")
    assert told["children"][0]["iterations"] == 0
    _, told = salvage(tmp_path, [GOOD, other[form]])
    assert told["children"][1]["iterations"] == 0
    name = {"16": "xml2", "15": "json", "7": "commented", "6": "tabular", "10": "csv"}[outfmt]
    done = program.run("--salvage", "--format", name, *paths)
    assert done.code == program.USAGE and "only BLAST XML (-outfmt 5) and BLAST archives (-outfmt 11) can be salvaged" in done.err


# --- what is refused, and what stays as it is ----------------------------------------------------------------------


def test_what_cannot_be_read_twice(tmp_path):
    child = program.write_children(tmp_path, [GOOD])[0]
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    for arguments, options in ((["-"], {"input": GOOD}), ([fifo], {}), ([child, "-"], {"stdin": open(child, "rb")})):
        done = program.run("--salvage", "-o", tmp_path / "merged", *arguments, **options)
        assert done.code == program.USAGE and "read twice" in done.err, done.err
        assert not (tmp_path / "merged").exists()


def test_other_errors_stay_errors(tmp_path):
    good, other, cut = program.write_children(tmp_path, [GOOD, small.child("x", program="blastn"), GOOD[:-9]])
    assert program.run("--salvage", good, other).code == program.MISMATCH
    assert program.run("--salvage", good, tmp_path / "none").code == program.NOT_FOUND
    assert program.run(good, cut).code == program.DATA
    assert program.run("check", "--salvage", good).code == program.USAGE
    assert program.run("finalize", "--salvage", good).code == program.USAGE


def test_result_is_spliced_and_does_not_depend_on_threads(tmp_path):
    text = small.text(*(f"query {n} {random.Random(n).random()}" for n in range(2000)), ids=True)
    damaged = [forms.member(text)[:-5000], text[:300000] + b"\1" + text[300200:], forms.bgzf(text, 30000)]
    damaged[2] = damaged[2][:20000] + bytes(100) + damaged[2][20100:]
    children = program.write_children(tmp_path, damaged)
    results = {program.run("--salvage", "--threads", str(n), *children).out for n in (1, 2, 5, 8)}
    assert len(results) == 1
    expected, _ = certain.merge(damaged)
    assert program.text_of(results.pop()) == expected
    plain = program.run("--salvage", "--plain", *children)
    assert plain.code == SALVAGED and plain.out == expected
    fresh = program.run("--salvage", "-9", *children)
    assert fresh.code == SALVAGED and program.text_of(fresh.out) == expected
