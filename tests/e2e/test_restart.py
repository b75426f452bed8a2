# SPDX-License-Identifier: MIT
"""A search that was begun again, and wrote behind what it had written; and children of which no header is whole."""
import json
import random
import re

import certain
import forms
import oracle
import program
import pytest
import small
import test_old_blast
from test_salvage import GOOD, SALVAGED, salvage

NAMES = [f"query{number}" for number in range(10)]
WHOLE = small.text(*NAMES)
NOISE = [f"query{number} {random.Random(number).random()}" for number in range(10)]


def cut(n, more=120, text=WHOLE):
    """The text up to some bytes behind its n-th Iteration."""
    ends = [match.end() for match in re.finditer(b"</Iteration>", text)]
    return text[:(ends[n - 1] if n else text.index(b"<Iteration>")) + more]


def expect(folder, names):
    (folder / "queries").write_text("".join(f">{name}\nMKV\n" for name in names))
    return "--expect-queries", folder / "queries"


def superseded(told, number=0):
    return [(entry["runs"], entry["iterations"]) for entry in told["children"][number]["superseded"]]


# --- what it is without --salvage --------------------------------------------------------------------------


@pytest.mark.parametrize("command", [["-o", "merged"], ["check"]])
def test_it_is_named_wherever_it_was_cut(tmp_path, command):
    command = [tmp_path / word if word == "merged" else word for word in command]
    end = WHOLE.index(b"</BlastOutput>\n") + len(b"</BlastOutput>")
    for at in [*range(1, 400, 3), *range(400, end, 41), end - 1]:
        done = program.run(*command, *program.write_children(tmp_path, [WHOLE[:at] + WHOLE]))
        assert done.code == program.DATA
        assert f": a second document begins here, before the first has ended: " in done.err, at
        assert f"--salvage merges the last whole run (at byte {at} of its text" in done.err, done.err


def test_in_gzip(tmp_path):
    whole = forms.member(small.text(*NOISE))
    for at in range(20, len(whole), 61):
        done = program.run(*program.write_children(tmp_path, [whole[:at] + whole]))
        assert done.code == program.DATA and f"another gzip member with another document begins at byte {at} of the file" in done.err
    done = program.run(*program.write_children(tmp_path, [forms.member(cut(4)) + forms.member(WHOLE)]))
    assert f"a second document begins here, before the first has ended" in done.err and f"(at byte {len(cut(4))} " in done.err
    done = program.run("-", input=whole[:500] + whole)  # a pipe is not read twice
    assert done.code == program.DATA and "another gzip member" not in done.err


@pytest.mark.parametrize("separator", ["\t", ","])
def test_rows_in_gzip(tmp_path, separator):
    """Rows show no document's beginning, but another gzip member where one has not ended does."""
    chance = random.Random(5)
    rows = "".join(separator.join([f"q{number // 9}", f"s{chance.random()}", *(str(chance.randrange(999)) for _ in range(10))]) + "\n"
                   for number in range(3000))
    whole = forms.member(rows.encode())
    for at in range(len(whole) // 2, len(whole), 2999):
        done = program.run(*program.write_children(tmp_path, [whole[:at] + whole]))
        assert done.code == program.DATA and f"another gzip member with another document begins at byte {at} of the file" in done.err, done.err
        assert "--salvage" not in done.err


@pytest.mark.parametrize("kind", ["\t", ",", "commented"])
def test_blocks_of_a_damaged_table(tmp_path, kind):
    """In BGZF, another member that begins with rows, or with a query's comments, is the next block of the same table."""
    chance = random.Random(5)
    if kind == "commented":
        query = "# BLASTP 2.12.0+\n# Query: q%d\n# Database: nr\n# Fields: query acc.ver, subject acc.ver, %% identity\n# 1 hits found\nq%d\ts%s\t99.0\n"
        queries = [(query % (number, number, chance.random())).encode() for number in range(2000)]
        # blocks that end with a query
        whole = b"".join(forms.bgzf(b"".join(queries[at:at + 400]), 65280)[:-28] for at in range(0, 2000, 400))
        whole += forms.bgzf(b"# BLAST processed 2000 queries\n")
    else:
        rows = "".join(kind.join([f"q{number // 9}", f"s{chance.random()}", *(str(chance.randrange(999)) for _ in range(10))]) + "\n"
                       for number in range(3000))
        whole = forms.bgzf(rows.encode())
    assert program.run("check", *program.write_children(tmp_path, [whole])).code == program.OK
    second = whole.index(b"\x1f\x8b\x08\x04", 1)
    for at in (500, second // 2, second - 6, second + 2, second + 3000):  # bits, a checksum, and a block's header
        damaged = whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1:]
        done = program.run("check", *program.write_children(tmp_path, [damaged]))
        assert done.code == program.DATA and "begun again" not in done.err and "gzip" in done.err, (at, done.err)
    # not so if what follows is no block
    again = forms.member(rows.encode() if kind != "commented" else b"".join(queries))
    done = program.run("check", *program.write_children(tmp_path, [whole[:second // 2] + again]))
    assert done.code == program.DATA and f"another document begins at byte {second // 2} of the file" in done.err, done.err


OTHERS = {
    "xml2": b'<?xml version="1.0"?>\n<BlastXML2>\n<BlastOutput2>\n<report>some text</report></BlastOutput2>\n</BlastXML2>\n',
    "json": b'{\n"BlastOutput2": [\n{"report": {"program": "blastp", "results": {"search": {"query_id": "Query_1"}}}}\n]\n}\n',
    "commented": b"# BLASTP 2.12.0+\n# Query: a\n# Database: nr\n# Fields: query acc.ver, subject acc.ver, % identity\n# 1 hits found\n"
                 b"a\tsubject\t99.000\n# BLAST processed 1 queries\n"}


@pytest.mark.parametrize("name", OTHERS)
def test_other_formats(tmp_path, name):
    text = OTHERS[name]
    first, last = {"xml2": (b"<BlastOutput2>", b"</BlastXML2>"), "json": (b"{\"report", b"}}}}"), "commented": (b"subject\t", b"\n# BLAST proc")}[name]
    cuts = range(text.index(first) + 1, text.index(last))
    n_named = 0
    for at in cuts:
        done = program.run("--plain", *program.write_children(tmp_path, [text[:at] + text]))
        assert done.code == program.DATA, at
        n_named += "a second document begins here, before the first has ended" in done.err
        assert "--salvage" not in done.err
    packed = forms.member(text)
    for at in range(12, len(packed) - 8, 7):
        done = program.run("--plain", *program.write_children(tmp_path, [packed[:at] + packed]))
        assert done.code == program.DATA and "--salvage" not in done.err, at
    for at in range(1, text.index(first)):
        assert "--salvage" not in program.run("--plain", *program.write_children(tmp_path, [text[:at] + text])).err, at
    # an object may stand inside of another one, so that JSON stumbles elsewhere
    assert n_named == len(cuts) if name != "json" else n_named > len(cuts) // 3, (n_named, len(cuts))


BATCH = 131072  # bytes of text in a batch of a child that is not compressed, or compresses well


def padded(name):
    """A document of more than a batch, and where in it the text may be cut with another document behind it."""
    text = small.text(*NAMES) if name == "xml" else OTHERS[name]
    if name == "commented":
        row = b"a\tsubject\t99.000\n"
        return text.replace(row, row * 9000).replace(b"# 1 hits", b"# 9000 hits"), text
    place = {"xml": b"query0</It", "xml2": b"some text", "json": b"Query_1"}[name]
    at = text.index(place) + 5
    return text[:at] + b"x" * (BATCH + 200) + text[at:], text


@pytest.mark.parametrize("threads", ["1", "3"])
@pytest.mark.parametrize("name", ["xml", *OTHERS])
def test_at_the_border_of_a_batch(tmp_path, name, threads):
    """What the second document begins with lies in two batches, or the fault in one and that in the next."""
    first, second = padded(name)
    for at in [*range(BATCH - 70, BATCH + 3), BATCH + 40]:
        if first[at - 1:at] == b"\n":
            continue  # a comment where one may stand
        packed = forms.member(first[:at] + second)
        for child in (first[:at] + second, packed):
            done = program.run("check", "--threads", threads, *program.write_children(tmp_path, [child]))
            assert done.code == program.DATA and "a second document begins here" in done.err, (at, done.err)
            assert f"(at byte {at} of its text" in done.err
        done = program.run("check", "-", input=first[:at] + second)
        assert "a second document begins here" in done.err
        if at % 7 == 0:  # the gzip data is at fault behind it
            done = program.run("check", *program.write_children(tmp_path, [packed[:-4], packed[:-8] + b"wrong" + packed[-3:]]))
            assert done.err.count("a second document begins here") == 2 and done.err.count(", too: the file is damaged") == 2, done.err


def test_a_tag_that_is_cut_at_the_border(tmp_path):
    """Inside of a tag, and of a quoted value in it, other things are stumbled over."""
    first = WHOLE[:WHOLE.index(b"<Iteration>")] + b"<Iteration " + b" " * (BATCH - WHOLE.index(b"<Iteration>") - 90)
    for tag in (b"a='" + b"v" * 200, b"a=" + b"\n" * 200, b"\n" * 200, b"a" * 200):
        for at in range(BATCH - 60, BATCH + 3):
            done = program.run("check", *program.write_children(tmp_path, [(first + tag)[:at] + WHOLE]))
            assert done.code == program.DATA and "a second document begins here" in done.err, (at, done.err)


def test_other_faults_are_not_called_that(tmp_path):
    for damage in (WHOLE.replace(b"<Hit>", b"<Hit", 1), WHOLE[:-30], WHOLE.replace(b"nr<", b"n&r<"), WHOLE[:100] + WHOLE[140:],
                   WHOLE.replace(b'<?xml version="1.0"?>', b'<?xml version="x"?>'), b"\n" + WHOLE, WHOLE + b"x" + WHOLE,
                   WHOLE.replace(b"<BlastOutput>", b"<BlastOutpu>")):
        done = program.run("check", *program.write_children(tmp_path, [damage]))
        assert done.code == program.DATA and "second document" not in done.err, done.err
    broken = forms.member(small.text(*NOISE))
    broken = broken[:700] + b"\xff\xff" + broken[702:]
    done = program.run("check", *program.write_children(tmp_path, [broken + forms.bgzf(b"")]))
    assert done.code == program.DATA and "another document" not in done.err


# --- with --salvage ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["plain", "level 6", "several members"])
def test_the_later_run_counts(tmp_path, form):
    """Cut anywhere: the result is that of the whole run, and --expect-queries is content."""
    expected = oracle.merge([WHOLE[:WHOLE.index(b"</BlastOutput_it")] + certain.PLAIN_EPILOGUE, GOOD])
    for at in range(1, len(WHOLE) - 16, 83):
        children = [forms.FORMS[form](WHOLE[:at] + WHOLE), GOOD]
        done, told = salvage(tmp_path, children, *expect(tmp_path, [*NAMES, "one", "two"]), "--threads", str(1 + at % 3))
        assert done.code == SALVAGED and program.text_of((tmp_path / "merged.xml.gz").read_bytes()) == expected
        n = WHOLE[:at].count(b"</Iteration>")
        assert superseded(told) == [(1, n)] and told["children"][0]["lost"] == []
        assert told["children"][0]["superseded"][0]["text"] == [0, at] and told["children"][0]["superseded"][0]["by"] == at
        assert "superseded: its text from byte 0 to" in done.err and told["status"] == "salvaged"
        assert "the search was begun again in 1 of 2 children" in done.err


def test_each_byte_of_a_small_one(tmp_path):
    text = small.text("a", "b")
    for at in range(1, len(text) - 16):
        _, told = salvage(tmp_path, [text[:at] + text], *expect(tmp_path, ["a", "b"]))
        assert superseded(told) == [(1, text[:at].count(b"</Iteration>"))] and told["children"][0]["lost"] == []


def test_several_restarts(tmp_path):
    for counts in ([3, 5], [5, 3], [1, 1, 1], [0, 4], [7, 0, 2], list(range(9))):
        parts = b"".join(cut(n, 77) for n in counts)
        done, told = salvage(tmp_path, [GOOD, forms.member(parts + WHOLE)], *expect(tmp_path, ["one", "two", *NAMES]))
        assert sum(n for n, _ in superseded(told, 1)) >= len([n for n in counts if n]), counts
        assert sum(n for _, n in superseded(told, 1)) == sum(counts) and told["children"][1]["lost"] == []
        assert told["children"][1]["documents"] == 1


def test_no_run_is_complete(tmp_path):
    """The longest counts, and what it lacks is said once."""
    for first, last in ((3, 7), (7, 3), (5, 5), (0, 4), (4, 0)):
        done, told = salvage(tmp_path, [cut(first) + cut(last), GOOD])
        longest = max(first, last)
        assert told["children"][0]["iterations"] == longest
        lost = told["children"][0]["lost"]
        assert len(lost) == 1 and lost[0]["queries"] == [NAMES[longest]] and lost[0]["query_before"] == (NAMES[longest - 1] if longest else None)
        assert superseded(told) == [(1, min(first, last))]
        done = program.run("--salvage", *expect(tmp_path, [*NAMES, "one", "two"]), *program.write_children(tmp_path, [cut(first) + cut(last), GOOD]))
        assert done.code == SALVAGED and f"{10 - longest} queries in a row have no Iteration: number {longest + 1}" in done.err


def test_whole_and_then_begun_again(tmp_path):
    for n in (0, 1, 6, 9):
        for form in ("plain", "level 6"):
            _, told = salvage(tmp_path, [forms.FORMS[form](WHOLE + cut(n)), GOOD], *expect(tmp_path, [*NAMES, "one", "two"]))
            assert superseded(told) == [(1, n)] and told["children"][0]["lost"] == []
            assert told["children"][0]["superseded"][0]["text"] == [len(WHOLE), None]


@pytest.mark.parametrize("form", ["plain", "level 6", "several members"])
def test_pieces_without_a_header(tmp_path, form):
    """The end of a run in front of a whole one or behind it, or Iterations whose header is damaged: none comes twice."""
    def merged(*children):
        told = salvage(tmp_path, children, *expect(tmp_path, [*NAMES, "one", "two"]))[1]
        return program.text_of((tmp_path / "merged.xml.gz").read_bytes()), told

    wanted, _ = merged(WHOLE, GOOD)
    headless = WHOLE.replace(b"<BlastOutput_param>", b"<BlastOutput_para\1m>")
    for n in (2, 7, 9):
        tail = WHOLE[len(cut(n)):]
        for child, runs in ((tail + WHOLE, [(1, 9 - n)]), (WHOLE + tail, [(1, 9 - n)]), (cut(n) + WHOLE + tail, [(1, n), (1, 9 - n)]),
                            (WHOLE + tail + WHOLE, [(2, 19 - n)]), (tail + WHOLE + tail, [(1, 9 - n), (1, 9 - n)])):
            if n == 9 and child.startswith(tail):
                continue  # there is no Iteration in it
            text, told = merged(forms.FORMS[form](child), GOOD)
            assert text == wanted
            if n < 9:
                assert superseded(told) == runs, (n, superseded(told))
    for child in (headless + WHOLE, WHOLE + headless, WHOLE + cut(4, text=headless)):
        assert merged(forms.FORMS[form](child), GOOD)[0] == wanted


def test_pieces_of_others_count(tmp_path):
    """Other queries, the same in another order, some that the whole run has not."""
    for names in (["x", "y"], [*NAMES[5:], "x"], [NAMES[3], NAMES[2]]):
        text = small.text(*names)
        piece = text[text.index(b"<Iteration>"):]
        for child in (WHOLE + b"junk" + piece, b"junk" + piece + WHOLE):
            _, told = salvage(tmp_path, [child, GOOD])
            assert superseded(told) == [] and told["children"][0]["iterations"] == 10 + len(names)


def test_cut_gzip_members(tmp_path):
    """Nothing in a member that is at fault is proven; but what can be read of it tells that it was the same search."""
    text = small.text(*NOISE)
    whole = forms.member(text)
    n_superseded, n = 0, len(range(len(whole) // 2, len(whole) - 8, 41))
    for at in range(len(whole) // 2, len(whole) - 8, 41):
        for damaged in (whole[:at] + whole, whole[:at] + whole[:at + 5] + whole):
            done, told = salvage(tmp_path, [damaged, GOOD])
            assert told["children"][0]["iterations"] == 10
            if damaged == whole[:at] + whole and told["children"][0]["superseded"]:
                n_superseded += 1
                assert superseded(told) == [(1, 0)] and told["children"][0]["lost"] == []
                assert told["children"][0]["superseded"][0]["bytes"] == [0, at]
                assert f"(of the file: from byte 0 to {at})" in done.err
    assert n_superseded > n // 2  # what comes of the bytes where it was cut can look like another Iteration
    other = forms.member(small.text(*reversed(NOISE)))
    done, told = salvage(tmp_path, [whole[:-100] + other, GOOD])
    assert superseded(told) == [] and told["children"][0]["lost"][0]["bytes"] == [0, len(whole) - 100]
    flushed = forms.member(cut(4, text=text)) + whole[:-90] + whole
    _, told = salvage(tmp_path, [flushed, GOOD])
    assert superseded(told) == [(1, 4)] and told["children"][0]["iterations"] == 10


def test_whole_runs_before(tmp_path):
    """Where nothing is damaged all count, as without --salvage; but of a child in which a run was cut one counts."""
    _, told = salvage(tmp_path, [WHOLE + WHOLE, GOOD])
    assert told["children"][0]["iterations"] == 20
    for parts in ([WHOLE, cut(3), WHOLE], [cut(3), WHOLE, WHOLE], [WHOLE, WHOLE, cut(5)], [cut(2), WHOLE, cut(0), WHOLE]):
        for child in (b"".join(parts), b"".join(map(forms.member, parts))):
            _, told = salvage(tmp_path, [child, GOOD], *expect(tmp_path, [*NAMES, "one", "two"]))
            assert told["children"][0]["iterations"] == 10 and told["children"][0]["lost"] == []


def test_documents_of_one_run(tmp_path):
    """blastp -mt_mode 1 writes a document for each query."""
    documents = [small.text(name) for name in NAMES]
    for n in (1, 4, 9):
        part = b"".join(documents[:n]) + documents[n][:-150]
        _, told = salvage(tmp_path, [part + b"".join(documents), GOOD], *expect(tmp_path, [*NAMES, "one", "two"]))
        assert superseded(told) == [(1, n)] and told["children"][0]["documents"] == 10


@pytest.mark.parametrize("second, words", [
    (small.text(*NAMES[:3], *NAMES[4:]), "not with the queries before it, so both count"),
    (small.text(*NAMES[:2]), "not with the queries before it"),
    (small.text(*NAMES[:4]), "not with the queries before it"),  # the fifth had begun
    (small.text(*NAMES[:4], "other"), "not with the queries before it"),
    (small.text(*NAMES, database="other"), "a document with another header follows, so both count"),
    (small.text("first", *NAMES), "a document with another header")])
def test_it_is_no_restart(tmp_path, second, words):
    """Database shards, another search: nothing is given up."""
    done, told = salvage(tmp_path, [cut(4) + second, GOOD], "--mismatch", "ignore")
    assert told["children"][0]["iterations"] == 4 + second.count(b"</Iteration>")
    assert superseded(told) == [] and words in done.err


def test_nameless_queries_are_not_told_apart(tmp_path):
    text = small.text(*["No definition line"] * 5)
    children = [cut(2, text=text) + text, GOOD]
    done = program.run("--salvage", *program.write_children(tmp_path, children))
    assert done.code == SALVAGED and program.text_of(done.out) == certain.merge(children)[0]
    assert program.text_of(done.out).count(b"<Iteration>") == 9 and "its queries have no names to compare" in done.err


def test_damage_elsewhere_stays_a_loss(tmp_path):
    damaged = WHOLE.replace(b"query5<", b"query5\1<")
    done, told = salvage(tmp_path, [cut(3) + damaged, GOOD])
    assert superseded(told) == [(1, 3)] and told["children"][0]["lost"][0]["query_before"] == "query4"
    assert told["children"][0]["lost"][0]["iterations_before"] == 5
    assert "something was lost of 1 of 2 children" in done.err
    # in what is superseded nothing is lost
    _, told = salvage(tmp_path, [cut(3) + WHOLE + b"garbage", GOOD])
    assert superseded(told)[0] == (1, 3)


def old(*names, **options):
    """Old BLAST XML: a document for each query, which is named in its header alone."""
    return b"".join(test_old_blast.text(name, first="<Iteration_hits>\n<Hit><Hit_num>1</Hit_num></Hit></Iteration_hits>", **options) + b"\n"
                    for name in names)


def within(text):
    """Up to within the Hits of the last Iteration."""
    return text[:text.rindex(b"<Hit_num>")]


@pytest.mark.parametrize("form", ["plain", "level 6"])
def test_old_documents_begun_again(tmp_path, form):
    for n in range(1, 6):
        done, told = salvage(tmp_path, [forms.FORMS[form](within(old(*NAMES[:n])) + old(*NAMES)), GOOD], *expect(tmp_path, [*NAMES, "one", "two"]),
                             "--mismatch", "ignore")
        assert superseded(told) == [(1, n - 1)] and told["children"][0]["lost"] == [] and told["children"][0]["iterations"] == 10
        _, told = salvage(tmp_path, [forms.FORMS[form](old(*NAMES) + within(old(*NAMES[:n]))), GOOD], "--mismatch", "ignore")
        assert superseded(told) == [(1, n - 1)] and told["children"][0]["lost"] == []


def test_rounds_begun_again(tmp_path):
    """PSI-BLAST's old documents: all Iterations are of the header's query."""
    def rounds(*names):
        return b"".join(test_old_blast.text(name, "", "", program="blastpgp") + b"\n" for name in names)
    for names, expected in ((("a", "b"), [(1, 5)]), (("a", "c"), [])):
        first = rounds(*names)
        done, told = salvage(tmp_path, [first[:first.rindex(b"</Iteration>")] + rounds("a", "b", "d"), GOOD], "--mismatch", "ignore")
        assert superseded(told) == expected and told["children"][0]["iterations"] == (9 if expected else 14)


HEADLESS = old(*NAMES[:2]) + old("query2").replace(b"<BlastOutput_db>", b"<BlastOutput_d>") + old("query3")


@pytest.mark.parametrize("first, second, words", [
    (within(old("query0", "a", "b", "c")), old(*NAMES), "not with the queries before it"),
    (within(old("query0", "query1", "a")), old(*NAMES), "not with the queries before it"),  # it broke off in another's
    (within(old(*NAMES[:4])), old("query0", "query2", "query1", "query3"), "not with the queries before it"),
    (within(old("query0", "query1", "query2", identity="lcl|2_0")), old("query0", identity="lcl|2_0") + old("query1", "query2"), "not with the queries"),
    ((old("query0") + test_old_blast.text("query1", "", names=False)).rpartition(b"</Iteration>")[0], old("query0") + test_old_blast.text("query1", "", names=False),
     "no names to compare"),
    (within(old("query0") + old("query1", names=False) + old("query2")), old("query0") + old("query1", names=False) + old("query2"), "no names to compare")],
    ids=["queries", "broken", "order", "ids", "rounds", "nameless"])
def test_old_documents_of_other_queries(tmp_path, first, second, words):
    """As many Iterations are not the same ones."""
    done, told = salvage(tmp_path, [first + second, GOOD], "--mismatch", "ignore")
    assert superseded(told) == [] and words in done.err
    assert told["children"][0]["iterations"] == (first + second).count(b"</Iteration>")


def test_old_documents_without_their_header(tmp_path):
    """The later run lacks one of its Iterations, so that it has not all that is before it."""
    done, told = salvage(tmp_path, [within(old(*NAMES[:4])) + HEADLESS, GOOD], "--mismatch", "ignore")
    assert superseded(told) == [] and told["children"][0]["iterations"] == 3 + 3
    assert [lost["query_after"] for lost in told["children"][0]["lost"]] == ["query0", "query3"]


def test_garbage_over_a_document_is_a_loss(tmp_path):
    """What can be read of it is no header that was cut off and begun again."""
    document = small.text("a", "b")
    for garbage in (b"\0" * len(document), b"\0" * 9 + document[9:], b"killed\n", document[:100] + b"\0" * 300, document[:100] + b"\0",
                    document[:60].replace(b"xml ", b"xml\0"), b"<?xml garbage " * 3000):
        for form in ("plain", "level 6"):
            done, told = salvage(tmp_path, [forms.FORMS[form](garbage + WHOLE), GOOD])
            lost = told["children"][0]["lost"]
            assert superseded(told) == [] and len(lost) == 1 and lost[0]["text"][0] == 0, garbage[:20]
            assert "lost: its text from byte 0 to" in done.err and told["children"][0]["iterations"] >= 10


def test_headers_that_were_cut_off(tmp_path):
    header = WHOLE[:WHOLE.index(b"<BlastOutput_iterations>")]
    for cuts in ([1], [len(header)], [40, 300], [300, 40, 39], [1, 2, 3], list(range(1, 30))):
        done, told = salvage(tmp_path, [b"".join(header[:at] for at in cuts) + WHOLE, GOOD], *expect(tmp_path, [*NAMES, "one", "two"]))
        assert superseded(told) == [(1, 0)] and told["children"][0]["lost"] == [], cuts
    long = WHOLE.replace(b"nr<", b"nr" * 5000 + b"<")
    done, told = salvage(tmp_path, [long[:9000] + long, GOOD], "--mismatch", "ignore")
    assert superseded(told) == [(1, 0)] and told["children"][0]["lost"] == []


@pytest.mark.parametrize("form", ["plain", "several members"])
def test_document_without_its_beginning(tmp_path, form):
    """It does not stand inside of the Iteration that was broken off."""
    bare = WHOLE[WHOLE.index(b"<BlastOutput>"):]
    for at in range(WHOLE.index(b"<Iteration>") + 12, len(WHOLE) - 60, 97):
        _, told = salvage(tmp_path, [forms.FORMS[form](WHOLE[:at] + bare), GOOD], *expect(tmp_path, [*NAMES, "one", "two"]))
        assert superseded(told) == [(1, WHOLE[:at].count(b"</Iteration>"))] and told["children"][0]["lost"] == []
        assert told["children"][0]["iterations"] == 10


def test_by_chance(tmp_path):
    """Runs of all kinds, damaged and not, against the slow judge."""
    for seed in range(120):
        dice = random.Random(seed)
        header = {"database": dice.choice(["nr", "nr", "other"])}
        names = [f"q{number}" for number in range(dice.choice([2, 5, 9]))]
        text, parts = small.text(*names, **header), []
        for _ in range(dice.choice([1, 2, 2, 3])):
            part = dice.choice([text, text, text, old(*names), old(names[0], *names[::-1]), small.text(*names[::-1]), small.text(*names[:-1], **header), b"".join(small.text(n) for n in names)])
            kind = dice.randrange(6)
            if kind < 4:
                part = part[:dice.randrange(len(part))]
            elif kind == 4:
                at = dice.randrange(len(part))
                part = part[:at] + dice.choice([b"\1", b"", b"</x>", b"<Iteration>"]) + part[at + dice.choice([0, 5, 300]):]
            parts.append(part)
        parts.append(dice.choice([text, text, old(*names), text[:dice.randrange(len(text))]]))
        form = dice.choice(["plain", "one", "each", "cut", "BGZF"])
        if form in ("each", "cut"):
            packed = [forms.member(part) for part in parts]
            if form == "cut":
                packed = [data[:dice.randrange(10, len(data) + 1)] for data in packed[:-1]] + packed[-1:]
            child = b"".join(packed)
        else:
            child = {"plain": b"".join, "one": lambda p: forms.member(b"".join(p)), "BGZF": lambda p: forms.bgzf(b"".join(p), 700)}[form](parts)
        try:
            salvage(tmp_path, [child, GOOD][::dice.choice([1, -1])], "--mismatch", "ignore", "--threads", str(dice.choice([1, 3])))
        except AssertionError as failure:
            raise AssertionError(f"seed {seed} {form}: {failure}") from None


# --- no header is whole --------------------------------------------------------------------------------------


def odd(text, old=b"<BlastOutput_param>", new=b"<BlastOutput param e>"):
    return text.replace(old, new)


def test_header_is_made(tmp_path):
    """Of the child with most whole fields; what is beside the fault stays."""
    bad = small.text("a", "b").replace(b"<Parameters_expect>10</Parameters_expect>",
                                       b"<Parameters_log e>1</Parameters_log e><Parameters_gap-open>11</Parameters_gap-open>")
    worse = bad.replace(b"<BlastOutput_db>nr", b"<BlastOutput_db>n&r")
    done, told = salvage(tmp_path, [worse, forms.member(bad), bad])
    text = program.run("--salvage", "--plain", "--keep-db", *program.write_children(tmp_path, [worse, forms.member(bad), bad])).out
    assert text.count(b"<BlastOutput_db>nr</BlastOutput_db>") == text.count(b"<Parameters_gap-open>11</Parameters_gap-open>") == 1
    assert b"Parameters_log" not in text
    assert told["made_header"]["child"].endswith("child_0001.xml.gz") and told["made_header"]["fields"] == 5
    assert told["made_header"]["reason"] in done.err and "'=' after the attribute's name was expected" in done.err
    assert f"made of the 5 fields of that of {tmp_path}/child_0001.xml.gz that are whole" in done.err
    again = program.run(*program.write_children(tmp_path, [text]))
    assert again.code == program.OK


def test_header_of_nothing(tmp_path):
    headless = small.text("a", "b")[small.text("a").index(b"<Iteration>"):]
    done, told = salvage(tmp_path, [headless, forms.member(headless)])
    assert told["made_header"]["fields"] == 0 and "made of the 0 fields" in done.err
    encoded = b'<?xml version="1.0" encoding="ISO-8859-1"?>\n' + odd(small.text("a", "b", database="\xe9")).split(b"\n", 1)[1]
    encoded = encoded.decode().encode("latin-1")
    done = program.run("--salvage", "--plain", "--keep-db", *program.write_children(tmp_path, [encoded, encoded]))
    assert done.code == SALVAGED and "<BlastOutput_db>\xe9</BlastOutput_db>".encode() in done.out


def test_a_whole_header_is_taken_rather(tmp_path):
    done, told = salvage(tmp_path, [odd(WHOLE), odd(WHOLE), GOOD])
    assert told["made_header"] is None and "no child's header" not in done.err
    done, told = salvage(tmp_path, [odd(WHOLE)[:300], GOOD])
    assert told["made_header"] is None


@pytest.mark.parametrize("options", [["--plain"], ["-3"], ["--threads", "1"], ["--threads", "4"]])
def test_header_is_made_in_any_way(tmp_path, options):
    children = program.write_children(tmp_path, [odd(WHOLE), forms.member(odd(WHOLE)), forms.bgzf(odd(WHOLE), 500)])
    done = program.run("--salvage", *options, *children)
    text = done.out if options == ["--plain"] else program.text_of(done.out)
    assert done.code == SALVAGED and text == certain.merge([path.read_bytes() for path in children])[0]
