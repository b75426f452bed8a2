# SPDX-License-Identifier: MIT
"""Children that are odd, but not by their text's own rules: namespaces, numbers, line ends, control characters, zeros,
blocks that are missing, damage that shows in the text first; and whole children under --salvage."""
import gzip
import json
import os
import random
import zlib

import corpus
import oracle
import pytest
import small
from forms import FORMS, bgzf, member
from program import DATA, MISMATCH, OK, run, write_children

BGZF_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
ROW = "%s\ts\t43.3\t30\t17\t0\t24\t53\t759\t788\t2e-05\t27.3\n"
HEAD = ("# BLASTP 2.12.0+\n# Query: %s\n# Database: d\n# Fields: query acc.ver, subject acc.ver, % identity, alignment length, "
        "mismatches, gap opens, q. start, q. end, s. start, s. end, evalue, bit score\n# 1 hits found\n").replace("% i", "%% i")
END = "# BLAST processed %d queries\n"


def rows(*queries):
    return "".join(ROW % query for query in queries).encode()


def commented(*queries):
    return ("".join(HEAD % query + ROW % query for query in queries) + END % len(queries)).encode()


def merge(folder, children, *arguments):
    return run(*arguments, *write_children(folder, children))


# --- whole children under --salvage ------------------------------------------------------------------------


ODD = b'<!----><!DOCTYPE t PUBLIC "" ""><BlastOutput a=""><!--<Iteration>--><BlastOutput_program></BlastOutput_program>' \
      b'<BlastOutput_iterations>%s</BlastOutput_iterations><a><Iteration></Iteration></a></BlastOutput><?I?>'


def same_when_salvaged(folder, children, *arguments):
    paths = write_children(folder, children)
    plain, salvaged = run(*arguments, *paths), run("--salvage", *arguments, *paths)
    assert plain.code == OK, plain.err
    assert (salvaged.code, salvaged.out) == (OK, plain.out), salvaged.err


@pytest.mark.parametrize("form", FORMS)
def test_odd_child_is_whole_when_salvaged(tmp_path, form):
    for body in (b"", b"<Iteration/>", b"<Iteration><!-- <Iteration> --></Iteration>", b"<Iteration><![CDATA[<Iteration>]]></Iteration>",
                 b"<Iteration><a><Iteration><Iteration></Iteration></Iteration></a></Iteration>", b"<a><Iteration></Iteration></a>"):
        same_when_salvaged(tmp_path, [FORMS[form](ODD % body)])
        same_when_salvaged(tmp_path, [FORMS[form](ODD % body), FORMS[form](ODD % b"<Iteration/>" + ODD % body)])


def test_corpus_is_whole_when_salvaged(tmp_path):
    texts = [text.replace(b"<Iteration_hits>", b"<!-- <Iteration> --><Iteration_hits>", number)
             for number, text in enumerate(corpus.texts(4, 12, 5))]
    for form in ("plain", "level 6", "BGZF", "several members"):
        same_when_salvaged(tmp_path, [FORMS[form](text) for text in texts])


def test_first_child_that_holds_something_says_the_format(tmp_path):
    done = merge(tmp_path, [b"", member(b'{"BlastOutput2": []}\n')], "--salvage", "--allow-empty")
    assert done.code != 11 and "can be salvaged" in done.err, done.err


# --- namespaces ---------------------------------------------------------------------------------------------


def spaced(attributes, query="q", on_iterations="", extra="<p:a/>"):
    text = small.text(query, extra=extra).replace(b"<BlastOutput>", b"<BlastOutput%s>" % attributes.encode())
    return text.replace(b"<BlastOutput_iterations>", b"<BlastOutput_iterations%s>" % on_iterations.encode())


P, Q = ' xmlns:p="urn:p"', " xmlns:q='urn:q'"


@pytest.mark.parametrize("first, second, says", [
    ("", P, 'xmlns:p="urn:p"'), (Q, P, 'xmlns:p="urn:p"'), (' xmlns:p="urn:other"', P, 'xmlns:p="urn:p"'),
    ("", ' xmlns="urn:d"', 'xmlns="urn:d"'), (' xmlns="urn:d"', "", "no xmlns"), (' xmlns="urn:d"', " xmlns='urn:e'", 'xmlns="urn:e"'),
    ("", ' xml:space="preserve"', "xml:space"), (' xml:lang="en"', "", "no xml:lang"), ("", ' xml:base="b"', "xml:base"),
    (P + ' xmlns:r="' + "r" * 2000 + '1"', P + ' xmlns:r="' + "r" * 2000 + '2"', "xmlns:r"),
])
def test_namespace_of_a_later_root(tmp_path, first, second, says):
    extra = "" if "xmlns=" in first + second else "<p:a/>"
    for children in ([spaced(first, extra=extra), spaced(second, extra=extra)],
                     [spaced("", on_iterations=first, extra=extra), member(spaced("", on_iterations=second, extra=extra))],
                     [spaced(first, extra=extra) + spaced(second, extra=extra)]):
        done = merge(tmp_path, children)
        assert done.code == MISMATCH and says in done.err and "declare the same" in done.err, done.err
        warned = merge(tmp_path, children, "--mismatch", "warn")
        assert warned.code == OK and any(says in warning for warning in warned.warnings)
        assert merge(tmp_path, children, "--mismatch", "ignore").code == OK


@pytest.mark.parametrize("first, second", [
    (P, P), (P + Q, Q + P), (P + Q, P), (P + Q, ""), (' xmlns=""', ""), (P, " a='b' xmlns:p = 'urn:p' p:c='d'"), ("", ' xmlnsp="1" xml="2"'),
    (P + ' xmlns="urn:d"', P + ' xmlns="urn:d"'),
])
def test_same_namespaces(tmp_path, first, second):
    children = [spaced(first, extra=""), spaced(second, extra="")]
    assert merge(tmp_path, children).text == oracle.merge(children)


def test_inner_declaration_wins(tmp_path):
    outer = spaced(' xmlns:p="urn:other"', on_iterations=P)
    assert merge(tmp_path, [spaced(P), outer]).code == OK
    assert merge(tmp_path, [outer, spaced(P)]).code == OK
    assert merge(tmp_path, [spaced(' xmlns:p="urn:other"'), outer]).code == MISMATCH


def test_namespaces_without_end(tmp_path):
    many = "".join(f' xmlns:n{i}="urn:{i}"' for i in range(33))
    done = merge(tmp_path, [spaced(many, extra="")])
    assert done.code == MISMATCH and "more than 32 namespaces" in done.err


def test_namespaces_of_xml2(tmp_path):
    text = ('<?xml version="1.0"?>\n<BlastXML2%s>\n<BlastOutput2><report><Report><program>blastp</program><results/></Report></report>'
            "</BlastOutput2>\n</BlastXML2>\n")
    own = '\nxmlns="http://www.ncbi.nlm.nih.gov"\nxmlns:xs="http://www.w3.org/2001/XMLSchema-instance"\nxs:schemaLocation="a b"'
    assert merge(tmp_path, [(text % own).encode()] * 2).code == OK
    assert merge(tmp_path, [(text % own).encode(), (text % "").encode()]).code == MISMATCH
    assert merge(tmp_path, [(text % "").encode(), (text % own).encode()]).code == MISMATCH


# --- numbers ---------------------------------------------------------------------------------------------------


def numbered(number, query="Query_1"):
    text = small.text("a").replace(b"<Iteration_iter-num>1<", b"<Iteration_iter-num>%d<" % number)
    return text.replace(b"  <Iteration_query-def>a<", b"  <Iteration_query-ID>%s</Iteration_query-ID>\n  <Iteration_query-def>a<" %
                        query.encode())


def test_numbers_that_cannot_be_added(tmp_path):
    most, query = numbered(2**64 - 1), numbered(1, "Query_999999999999999999")
    assert b">18446744073709551615<" in merge(tmp_path, [most], "--as-unsplit").text
    for children in ([most, query], [numbered(2), most], [most, most], [most + query]):
        done = merge(tmp_path, children, "--as-unsplit")
        assert done.code == MISMATCH and "too large to be added" in done.err and "at byte" in done.err, done.err
    assert merge(tmp_path, [most, most]).text == oracle.merge([most, most])
    assert b"Query_17999999999999999982<" in merge(tmp_path, [query] * 18, "--query-ids", "renumber").text
    done = merge(tmp_path, [query] * 40, "--query-ids", "renumber")
    assert done.code == MISMATCH and "child_0018" in done.err and "too large to be added" in done.err, done.err


@pytest.mark.parametrize("digits", ["1" + "0" * 18, "18446744073709551615", "18446744073709551616", "9" * 25])
def test_query_ids_with_very_many_digits(tmp_path, digits):
    """Never kept in silence: they fit no counting, and cannot be counted on."""
    huge, other = numbered(1, f"Query_{digits}"), numbered(1)
    for children in ([huge, other], [other, huge]):
        done = merge(tmp_path, children, "--query-ids", "auto")
        assert f"Query_{digits}<".encode() in done.text
        assert any("1 query id Query_N may be BLAST's or a user's" in warning for warning in done.warnings), done.err
    done = merge(tmp_path, [huge], "--query-ids", "renumber")
    assert f"Query_{digits}<".encode() in done.text and done.warnings == []
    if len(digits) == 19:
        text = merge(tmp_path, [huge, other, huge], "--query-ids", "renumber").text
        for number in (10**18, 10**18 + 1, 2 * 10**18 + 1):
            assert b"Query_%d<" % number in text
        return
    for children in ([huge, other], [other, huge], [huge, huge]):
        done = merge(tmp_path, children, "--query-ids", "renumber")
        assert done.code == MISMATCH and "too large to be added" in done.err and "child_0001" in done.err, done.err


@pytest.mark.parametrize("number", ["18446744073709551616", "-1", "1.0", "", "one", "9" * 40, None])
def test_numbers_that_are_none(tmp_path, number):
    """Not explained by queries that were left out."""
    text = small.text("a", "b", "c")
    number = f"  <Iteration_iter-num>{number}</Iteration_iter-num>\n" if number is not None else ""
    odd = text.replace(b"  <Iteration_iter-num>2</Iteration_iter-num>\n", number.encode())
    assert odd != text
    report = tmp_path / "report.json"
    done = merge(tmp_path, [odd, small.text("d")], "--as-unsplit", "--report", report)
    assert [b">%d<" % n in done.text for n in range(1, 6)] == [True] * 4 + [False]
    unsplit = json.loads(report.read_text())["unsplit"]
    assert (unsplit["unnumbered_iterations"], unsplit["number_gaps"], unsplit["number_returns"]) == (1, 0, 0)
    assert len(done.warnings) == 1 and "1 Iteration without a number of its own, in" in done.warnings[0], done.err
    assert "left out" not in done.warnings[0]
    first = merge(tmp_path, [odd.replace(b"iter-num>1<", b"iter-num>5<")], "--as-unsplit", "--report", report, "-f")
    assert b">5<" in first.text and b">6<" in first.text
    unsplit = json.loads(report.read_text())["unsplit"] # a gap before, and the number that goes back behind it
    assert (unsplit["unnumbered_iterations"], unsplit["number_gaps"], unsplit["number_returns"]) == (1, 1, 1)


def test_counts_of_queries_that_are_not_so(tmp_path):
    """The last line of -outfmt 7 counts the parts, as BLAST does; so a part that is gone, or a run that was cut short and
    written on, shows."""
    table, single = commented("a", "b", "c"), commented("d")
    begin = table.index(b"# BLASTP", 1)
    end = table.index(b"# BLASTP", begin + 1)
    body = table[:table.index(b"# BLAST processed")]
    most = single.replace(b"processed 1 ", b"processed %d " % (10**18 - 1))
    assert merge(tmp_path, [table, single + table, single]).text.endswith(b"# BLAST processed 8 queries\n")
    for bad, words in [(table[:begin] + table[end:], "queries\" is the last line, but the table has 2 parts that begin with"),
                       (body[:end] + table, "has 5 parts that begin with"), (body + table, "it was cut short and continued"),
                       (single + body[:begin] + table, "\"# BLAST processed 3 queries\" is the last line, but the table has 4 parts"),
                       (most, "has 1 part that begins with"), (END.encode() % 2, "has 0 parts")]:
        for data in (bad, member(bad)):
            for arguments in ([], ["--threads", "1"], ["--as-unsplit"], ["--mismatch", "ignore"]):
                done = merge(tmp_path, [commented("e"), data], *arguments)
                assert done.code == DATA and words in done.err and "child_0001" in done.err, done.err
            done = run("check", *write_children(tmp_path, [single, data]))
            assert done.code == DATA and words in done.err, done.err


def test_more_hits_than_are_announced(tmp_path):
    table = commented("a")
    row = table[table.index(b"found\n") + 6:table.index(b"# BLAST processed")]
    done = merge(tmp_path, [table.replace(row, row * 2)])
    assert done.code == DATA and "there are more lines of hits than \"# 1 hits found\" states" in done.err, done.err
    assert merge(tmp_path, [table.replace(b"# 1 hits", b"# 2 hits")]).code == 0


def test_numbers_that_go_back(tmp_path):
    """Not reported as queries that were left out, and no number comes twice."""
    text = small.text("a", "b", "c", "d", "e")
    for number, other in ((3, 1), (4, 1), (5, 4)):
        text = text.replace(b"iter-num>%d<" % number, b"iter-num>%d <" % other, 1).replace(b" <", b"<")
    report = tmp_path / "report.json"
    done = merge(tmp_path, [text, small.text("f")], "--as-unsplit", "--report", report)
    numbers = [line.strip() for line in done.text.splitlines() if b"iter-num" in line]
    assert [int(line.split(b">")[1].split(b"<")[0]) for line in numbers] == [1, 2, 3, 4, 7, 8]
    unsplit = json.loads(report.read_text())["unsplit"]
    assert (unsplit["number_returns"], unsplit["number_gaps"]) == (2, 1)
    assert any("2 places where the numbers of a document's Iterations decrease" in warning and "no query is missing" in warning
               for warning in done.warnings)
    assert any("1 gap in the numbers of Iterations" in warning for warning in done.warnings)


# --- texts that differ, but look the same ---------------------------------------------------------------------------


@pytest.mark.parametrize("one, other, shown", [
    ("B 1", "B 1 ", '"B 1 "'), ("B 1", "B  1", '"B  1"'), ("B\t1", "B 1", '"B\\x091"'), ("B 1", "B\u00a01", '"B\\u{00a0}1"'),
    ("\u00e9", "e\u0301", '"e\\u{0301}"'), ("A", "\u0391", '"\\u{0391}"'), ("B 1\r\n", "B 1\n", '"B 1\\x0a"'),
    ("x" * 300 + "1 y", "x" * 300 + "2 y", "...xxxxxxxxxxxxxxxx2 y"), ("x" * 2000 + "1", "x" * 2000 + "2", "(and differs further on)"),
    ("x" * 100, "x" * 101, "..." + "x" * 17), ("B 1", "B 2", "is B 2, but"),
])
def test_difference_is_shown(tmp_path, one, other, shown):
    done = merge(tmp_path, [small.text("a", version=one), small.text("b", version=other)])
    assert done.code == OK and len(done.warnings) == 1 and shown in done.warnings[0], done.err
    done = merge(tmp_path, [small.text("a", version=one), small.text("b", version=other)], "--mismatch", "error")
    assert done.code == MISMATCH and shown in done.err, done.err
    ours, theirs = done.err.split(" is ", 1)[1].split(", but that of ")
    assert ours != theirs.split(" is ", 1)[1].split(": they are")[0] or "further on" in ours


def test_names_that_differ_at_their_ends_are_told_apart(tmp_path):
    """Of files, of queries, and of namespaces."""
    folder = tmp_path / ("f" * 200) / ("g" * 200)
    folder.mkdir(parents=True)
    paths = []
    for name, text in (("a_1", small.text("q", database="nr")), ("a_3", small.text("r", database="nt")), ("a_2", small.text("s"))):
        paths.append(folder / name)
        paths[-1].write_bytes(text)
    order = next(line for line in run(*paths, "-o", tmp_path / "m").warnings if "natural order" in line)
    assert "gg/a_2 comes after ..." in order and "gg/a_3;" in order
    gap = next(line for line in run(*paths[:2], "-o", tmp_path / "n").warnings if "gap" in line)
    assert "gg/a_1 and ..." in gap and "gg/a_3:" in gap
    said = run("--mismatch", "error", *paths[:2], "-o", tmp_path / "o").err
    assert "its BlastOutput_db is nt, but that of ..." in said and "gg/a_1 is nr: they" in said
    long = "x" * 300
    (tmp_path / "queries").write_text(f">{long}2\nMKV\n")
    (tmp_path / "child").write_bytes(small.text(long + "1"))
    said = run("--expect-queries", tmp_path / "queries", tmp_path / "child", "-o", tmp_path / "p").err
    assert "belongs to the query ...xxxxxxxxxxxxxxxx1, but" in said and ", ...xxxxxxxxxxxxxxxx2, was expected" in said, said
    texts = [small.text("a").replace(b"<BlastOutput>", b"<BlastOutput xmlns:n='%s%d'>" % (b"x" * 100, i)) for i in (1, 2)]
    said = merge(tmp_path, texts).err
    assert 'xmlns:n="...xxxxxxxxxxxxxxxx2", but' in said and 'xmlns:n="...xxxxxxxxxxxxxxxx1":' in said, said


# --- tables: line ends, control characters, zeros -----------------------------------------------------------------


def crlf(text):
    return text.replace(b"\n", b"\r\n")


@pytest.mark.parametrize("make", [rows, lambda *queries: rows(*queries).replace(b"\t", b","), commented], ids=["6", "10", "7"])
def test_tables_of_crlf_are_known(tmp_path, make):
    a, b = make("a", "b"), make(*(f"c{i}" for i in range(300)))
    whole = merge(tmp_path, [a, b])
    done = merge(tmp_path, [crlf(a), crlf(b)])
    assert (done.code, done.warnings) == (OK, []), done.err
    # the footer is blastmerge's own
    assert done.text.replace(b"\r\n", b"\n") == whole.text
    for children in ([a, crlf(b)], [crlf(a), b], [a, b + crlf(b)], [crlf(b) + b], [crlf(make("a")) + make("b")]):
        done = merge(tmp_path, children)
        assert done.code == OK, done.err
        assert [warning for warning in done.warnings if "lines end in CR LF in 1 child" in warning], done.err
        assert not [warning for warning in done.warnings if "version" in warning or "db" in warning], done.err


def test_query_without_a_name_at_the_end_of_a_crlf_row(tmp_path):
    table = crlf(b"# BLASTP 2.12.0+\n# Query: \n# Database: d\n# Fields: subject acc.ver, query acc.ver\n# 1 hits found\ns\tQuery_1\n"
                 b"# BLAST processed 1 queries\n")
    done = merge(tmp_path, [table, table], "--query-ids", "auto")
    assert b"s\tQuery_1\r\n" in done.text and b"s\tQuery_2\r\n" in done.text


@pytest.mark.parametrize("control", [bytes([byte]) for byte in range(1, 32) if byte not in (9, 10, 13)] + [b"\x7f"])
def test_control_characters_in_tables_are_copied(tmp_path, control):
    table = rows("a", "b", "c") * 20
    for children in ([table.replace(b"a\ts", b"a" + control + b"z\ts" + control)] * 2,
                     [commented("a", "b").replace(b"Query: a", b"Query: a " + control + b"b").replace(b"\ts\t", b"\t" + control + b"\t")],
                     [table.replace(b"\t", b",").replace(b"c,s", b"c" + control + b",s")]):
        assert merge(tmp_path, children).text == (b"".join(children) if len(children) > 1 else children[0])


@pytest.mark.parametrize("place", [1, 5, 60, 64, 65, 127, 500])
def test_zero_bytes_in_tables(tmp_path, place):
    for table in (rows(*"abcdefghijklmn"), commented(*"abcdefgh")):
        for length in (1, 3, 100):
            child = table[:place] + bytes(length) + table[place + length:]
            for arguments in ([], ["--format", "tabular" if table[0] != ord("#") else "commented"]):
                assert merge(tmp_path, [child], *arguments).code == DATA
    done = merge(tmp_path, [rows("a", "b")[:-20] + bytes(20)])
    assert done.code == DATA and "zero byte (NUL)" in done.err


@pytest.mark.parametrize("length", [1, 2, 3, 4, 100, 70000])
def test_file_of_zeros(tmp_path, length):
    for child in (bytes(length), member(bytes(length))):
        for arguments in ([], ["--format", "xml"]):
            done = merge(tmp_path, [child], *arguments)
            assert done.code == DATA and "zero bytes (NUL)" in done.err, done.err
            assert "UTF" not in done.err


def test_zeros_inside_of_a_document(tmp_path):
    text = small.text("a", "b")
    done = merge(tmp_path, [text[:700] + bytes(100) + text[800:]])
    assert done.code == DATA and "never written, or was lost" in done.err


@pytest.mark.parametrize("n", range(1, 12))
def test_first_bytes_of_gzip(tmp_path, n):
    done = merge(tmp_path, [small.child("a")[:n]])
    assert done.code == DATA and "cut short" in done.err, done.err


# --- BGZF ------------------------------------------------------------------------------------------------------------


def blocks(text, size):
    """BGZF of blocks that end where lines do, without the block at the end."""
    lines = text.splitlines(keepends=True)
    return b"".join(bgzf(b"".join(lines[i:i + size]))[:-len(BGZF_END)] for i in range(0, len(lines), size))


def test_bgzf_that_is_cut_between_blocks(tmp_path):
    assert bgzf(b"").endswith(BGZF_END)
    table = rows(*(f"q{i}" for i in range(50)))
    cut = blocks(table, 10)
    for child in (cut, BGZF_END + cut, cut + BGZF_END + cut, cut + bytes(100)):
        for format in ("tabular", "csv"):
            text = child if format == "tabular" else blocks(table.replace(b"\t", b","), 10)
            done = merge(tmp_path, [text])
            assert done.code == DATA and "last block" in done.err and "BGZF" in done.err, done.err
    for child in (cut + BGZF_END, cut + BGZF_END + bytes(9), cut + BGZF_END + cut + BGZF_END, cut + member(table), member(table) + cut,
                  member(table)):
        done = merge(tmp_path, [child])
        assert (done.code, [line for line in done.warnings if "come once more" not in line]) == (OK, []), done.err


def test_bgzf_without_its_end_whose_text_has_one(tmp_path):
    report = tmp_path / "report.json"
    for text in (small.text("a", "b"), commented("a", "b")):
        children = [blocks(text, 3), blocks(text.replace(b"processed 2", b"processed 2"), 5) + BGZF_END]
        done = merge(tmp_path, children, "--report", report, "-f", "-o", tmp_path / "merged.gz")
        assert done.code == OK and "the empty one, is missing" in done.err, done.err
        told = [row["warnings"] for row in json.loads(report.read_text())["children"]]
        assert "last block" in told[0][-1] and not any("last block" in warning for warning in told[1])


def test_bgzf_subfields_among_others(tmp_path):
    table = rows("a", "b")
    other = b"AB\x03\0xyz"
    for before, after in ((other, b""), (b"", other), (other, other), (b"BC\x01\0x", b"")):
        extra = before + b"BC\x02\0\xff\0" + after
        body = zlib.compressobj(6, zlib.DEFLATED, -15)
        data = body.compress(table) + body.flush()
        child = (b"\x1f\x8b\x08\4\0\0\0\0\0\xff" + len(extra).to_bytes(2, "little") + extra + data +
                 zlib.crc32(table).to_bytes(4, "little") + len(table).to_bytes(4, "little"))
        assert gzip.decompress(child) == table
        assert merge(tmp_path, [child]).code == DATA
        assert merge(tmp_path, [child + BGZF_END]).code == OK


# --- damage that shows in the text first -----------------------------------------------------------------------------


CHECKSUM = "the gzip checksum fails, too: the file is damaged"


@pytest.mark.parametrize("kind", ["xml", "tabular", "commented"])
@pytest.mark.parametrize("threads", ["1", "4"])
def test_flipped_byte_is_told_from_a_mistake(tmp_path, kind, threads):
    text = {"xml": small.text(*(f"q{i}" for i in range(4000))), "tabular": rows(*(f"q{i}" for i in range(20000))),
            "commented": commented(*(f"q{i}" for i in range(4000)))}[kind]
    old, new = (b"</Hit>", b"<&Hit>") if kind == "xml" else (b"\ts\t43", b"\ts,43")
    wrong = text[:len(text) // 3] + text[len(text) // 3:].replace(old, new, 1)
    for level in (0, 6):
        mistake = member(wrong, level=level)
        damaged = mistake[:-8] + member(text, level=level)[-8:]
        done = merge(tmp_path, [member(text), damaged], "--threads", threads)
        assert done.code == DATA and CHECKSUM in done.err, done.err
        done = merge(tmp_path, [member(text), mistake], "--threads", threads)
        assert done.code == DATA and ": the file is damaged" not in done.err, done.err
        done = merge(tmp_path, [mistake + damaged], "--threads", threads)
        assert done.code == DATA and ": the file is damaged" not in done.err, done.err
        done = merge(tmp_path, [mistake[:-9]], "--threads", threads)
        assert done.code == DATA and "the gzip data is cut short, too: the file is damaged" in done.err, done.err


def test_fault_of_one_of_several_members(tmp_path):
    """It is the member's own fault that is said, not that of what is tried behind it."""
    text = small.text(*(f"q{i}" for i in range(300)))
    third = len(text) // 3
    parts = [text[:third], text[third:2 * third].replace(b"</Hit>", b"<&Hit>", 1), text[2 * third:]]
    first, wrong, last = (member(part) for part in parts)
    for behind in (last, last + member(b"x")[:-9], b"\x1f\x8b\x08\0\0\0\0\0\0\3\xff\xff\xff"):
        done = merge(tmp_path, [first + wrong[:-8] + bytes(4) + wrong[-4:] + behind])
        assert done.code == DATA and CHECKSUM in done.err, done.err


def test_flipped_bytes_of_a_child(tmp_path):
    """Wherever a byte is flipped: the text's mistake alone is never said."""
    dice = random.Random(1)
    child = small.child(*(f"q{i}" for i in range(300)))
    for _ in range(60):
        place = dice.randrange(10, len(child) - 8)
        damaged = child[:place] + bytes([child[place] ^ 1 << dice.randrange(8)]) + child[place + 1:]
        done = merge(tmp_path, [damaged])
        assert done.code == DATA and ("gzip" in done.err or "the file is damaged" in done.err), done.err


# --- the report ----------------------------------------------------------------------------------------------------------


def test_locations_are_whole_in_the_report(tmp_path):
    folder = os.fsencode(tmp_path)
    deep = folder
    for _ in range(8):
        deep = os.path.join(deep, b"d\xe9" + b"x" * 200)
    os.makedirs(deep)
    names = [os.path.join(deep, name) for name in (b"\xe9", b"\xc3\xa9", b"\xc3", b"a\xc3", b"a")]
    for name in names:
        with open(name, "wb") as file:
            file.write(small.text("q"))
    report = tmp_path / "report.json"
    target = os.path.join(deep, b"out\xff.gz")
    done = run("--report", report, "-o", os.fsdecode(target), *map(os.fsdecode, names))
    assert done.code == OK, done.err
    told = json.loads(report.read_text())
    for row, name in zip(told["children"] + [told["output"]], names + [target]):
        assert bytes.fromhex(row["location_hex"]) == name
        assert row["location"] == name.decode("latin1")
    plain = os.fsencode(tmp_path / ("é" * 100))
    with open(plain, "wb") as file:
        file.write(small.text("q"))
    run("--report", report, "-f", "-o", tmp_path / "merged.gz", os.fsdecode(plain))
    told = json.loads(report.read_text())
    assert told["children"][0]["location"] == plain.decode() and "location_hex" not in told["children"][0]
    assert told["output"]["location"] == str(tmp_path / "merged.gz") and "location_hex" not in told["output"]
