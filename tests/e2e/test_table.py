# SPDX-License-Identifier: MIT
"""Inputs that are not quite right: each row of the tables in docs/merge.md."""
import bz2
import gzip
import io
import json
import lzma
import os
import re
import subprocess
import zipfile
import zlib

import pytest

import oracle
from forms import bgzf, member, several
from program import (CHANGED, DATA, DENIED, IO, MISMATCH, NOT_FOUND, OK, PROGRAM, USAGE, only_files, run, same_as_oracle,
                     without_rights, write_children)
from small import child, text

PLACE = re.compile(r"\(at byte (\d+) of its text, after (\d+) whole Iterations?\)\n")


def refused(folder, bad, code, *words, arguments=(), good_before=1):
    """Good children and a bad one: the program fails, names the child, says the words, and leaves nothing.
    Returns what it said."""
    children = [child("a", "b")] * good_before + [bad] + [child("c")]
    paths = write_children(folder, children)
    target = folder / "merged.xml.gz"
    done = run(*arguments, "-o", target, *paths)
    assert done.code == code, done.err
    last_line = done.err.splitlines()[-1]
    assert last_line.startswith(f"blastmerge: {paths[good_before]}: "), done.err
    for said in words:
        assert said in last_line
    assert only_files(folder) == [path.name for path in paths], "something was left"
    check = run("check", *(a for a in arguments if not a.startswith("--db")), *paths)
    assert check.code == code
    assert last_line in check.err
    return done.err


def place_of(message):
    """The byte and the number of whole Iterations that a message names; one without a place is about the beginning."""
    match = PLACE.search(message)
    if "at byte" not in message:
        return 0, 0
    assert match, message
    return int(match[1]), int(match[2])


# --- compressed forms --------------------------------------------------------------------------------


def test_plain(tmp_path):
    same_as_oracle(tmp_path, [text("a"), child("b"), text("c", "d")])
    same_as_oracle(tmp_path, [child("a"), text("b"), child("c", "d")])


def test_several_members_and_padding(tmp_path):
    padded_between = member(text("a")[:50]) + bytes(7) + member(text("a")[50:]) + bytes(512)
    same_as_oracle(tmp_path, [several(text("a")), bgzf(text("b", "c")), padded_between, child("d") + bytes(100000)])


@pytest.mark.parametrize("tail", [b"x", b"\n", b"\0x", b"\0\0\0\0\x1f\x8c", b"<?xml", b"\x1f"])
def test_other_bytes_after_the_last_member(tmp_path, tail):
    refused(tmp_path, child("a") + tail, DATA, "gzip")


def test_padding_before(tmp_path):
    refused(tmp_path, bytes(512) + child("a"), DATA, "not BLAST XML")


def test_gzip_cut_short(tmp_path):
    whole = text(*map(str, range(200)))
    data = member(whole)
    for length in (2, 9, 10, 11, 100, len(data) // 2, len(data) - 9, len(data) - 8, len(data) - 1):
        message = refused(tmp_path, data[:length], DATA)
        partial = zlib.decompressobj(31).decompress(data[:length])
        assert place_of(message)[1] == partial.count(b"</Iteration>")
        assert "cut short" in message


@pytest.mark.parametrize("place, word", [(-8, "CRC"), (-5, "CRC"), (-4, "length"), (-1, "length")])
def test_trailer_is_checked(tmp_path, place, word):
    wound = bytearray(child("a", "b", "c"))
    wound[place] ^= 1
    message = refused(tmp_path, bytes(wound), DATA, word)
    assert place_of(message) == (len(text("a", "b", "c")), 3)


def test_trailer_of_an_inner_member(tmp_path):
    wound = bytearray(member(text("a")[:300]))
    wound[-8] ^= 1
    refused(tmp_path, bytes(wound) + member(text("a")[300:]), DATA, "CRC")


def test_damaged_header_crc(tmp_path):
    header = b"\x1f\x8b\x08\x02\0\0\0\0\0\x03"
    right = (zlib.crc32(header) & 0xffff).to_bytes(2, "little")
    same_as_oracle(tmp_path, [member(text("a"), header=header + right)])
    refused(tmp_path, member(text("a"), header=header + bytes([right[0] ^ 1, right[1]])), DATA, "header")


@pytest.mark.parametrize("header", [b"\x1f\x8b\x07\0\0\0\0\0\0\x03", b"\x1f\x8b\x08\x20\0\0\0\0\0\x03",
                                    b"\x1f\x8b\x08\x80\0\0\0\0\0\x03"])
def test_unknown_method_or_flags(tmp_path, header):
    refused(tmp_path, member(text("a"), header=header), DATA, "gzip")


def test_xml_cut_short(tmp_path):
    whole = text("a", "b", "c")
    for length in (1, 20, 200, whole.index(b"b</Iter"), whole.rindex(b"</Iteration>"), whole.rindex(b"</BlastOutput>"),
                   len(whole) - 3):
        message = refused(tmp_path, member(whole[:length]), DATA)
        assert place_of(message) == (length, whole[:length].count(b"</Iteration>"))


# --- empty children ----------------------------------------------------------------------------------


@pytest.mark.parametrize("empty", [b"", gzip.compress(b""), gzip.compress(b"") * 3 + bytes(5), bgzf(b"")])
def test_empty(tmp_path, empty):
    refused(tmp_path, empty, DATA, "--allow-empty")
    for children in ([empty, child("a")], [child("a"), empty, child("b")], [child("a"), empty]):
        same_as_oracle(tmp_path, children, "--allow-empty", allow_empty=True)


@pytest.mark.parametrize("threads", [1, 8])
def test_all_empty(tmp_path, threads):
    paths = write_children(tmp_path, [b"", gzip.compress(b"")])
    done = run("--threads", threads, "--allow-empty", "-o", tmp_path / "merged", *paths)
    assert done.code == DATA and "all children are empty" in done.err
    assert only_files(tmp_path) == [path.name for path in paths]


def test_blanks_are_not_empty(tmp_path):
    refused(tmp_path, gzip.compress(b" \n"), DATA, arguments=["--allow-empty"])


def test_no_iterations(tmp_path):
    done = same_as_oracle(tmp_path, [child("a"), child(), child("b")])
    assert done.text.count(b"<Iteration>") == 2
    same_as_oracle(tmp_path, [child(), child("b")])
    same_as_oracle(tmp_path, [child()])


def test_no_iterations_but_text(tmp_path):
    """Nothing of such a document is copied: not its comments, not what is converted in them."""
    latin = text().replace(b'"1.0"?', b'"1.0" encoding="ISO-8859-1"?')
    with_text = latin.replace(b"<BlastOutput_iterations>\n", b"<BlastOutput_iterations>\n<!--caf\xe9-->")
    done = same_as_oracle(tmp_path, [child("a"), member(with_text), child("b")])
    assert b"caf" not in done.text


# --- several documents -------------------------------------------------------------------------------


def report_of(folder, *arguments):
    path = folder / "report.json"
    done = run("--force", "--report", path, "-o", folder / "merged.xml.gz", *arguments)
    assert done.code == OK, done.err
    return json.loads(path.read_bytes()), done


@pytest.mark.parametrize("join", [b"", b"\n", b"\xef\xbb\xbf", b"<!-- between --> <?p?>\n"])
def test_several_documents(tmp_path, join):
    both = text("a", "b") + join + text("c")
    same_as_oracle(tmp_path, [child("x"), member(both), child("y")])
    same_as_oracle(tmp_path, [child("a", "b") + child("c")])
    report, _ = report_of(tmp_path, *write_children(tmp_path, [member(both)]))
    assert report["children"][0]["documents"] == 2
    assert any("2 documents" in warning for warning in report["children"][0]["warnings"])


# --- forms of text -----------------------------------------------------------------------------------

BOM = b"\xef\xbb\xbf"


@pytest.mark.parametrize("change", [
    lambda data: BOM + data,
    lambda data: data.replace(b"\n", b"\r\n"),
    lambda data: re.sub(rb"<!DOCTYPE.*\n", b"", data),
    lambda data: re.sub(rb"\n *", b"", data),
    lambda data: re.sub(rb"\n *", b"\n\t ", data),
    lambda data: data.replace(b"<Hit>", b"<!-- <Iteration> & --><Hit>"),
    lambda data: data.replace(b"<Hit>", b"<?pi <Iteration> & ?><Hit>"),
    lambda data: data.replace(b"MKV", b"<![CDATA[</Iteration><Iteration> & ]]>"),
    lambda data: data.replace(b"<Hit>", b"CREATE_VIEW\n<Hit>"),
    lambda data: data.replace(b"</Iteration>\n", b"</Iteration>\nCREATE_VIEW\n"),
    lambda data: data.split(b"\n", 1)[1],
    lambda data: BOM + data.split(b"\n", 1)[1],
    lambda data: data.rstrip(),
    lambda data: data + b"<!-- the end -->",
    lambda data: data.replace(b"&", b"&amp;&#38;&#x26;&lt;&gt;&quot;&apos;"),
], ids=["BOM", "CRLF", "no DOCTYPE", "no line breaks", "other indentation", "comments", "instructions", "CDATA",
        "text in an Iteration", "text between Iterations", "no declaration", "BOM and no declaration",
        "no last newline", "comment at the end", "references"])
def test_forms_of_text(tmp_path, change):
    texts = [change(text("a &amp; b", "c")), change(text("d"))]
    same_as_oracle(tmp_path, [member(data) for data in texts])
    same_as_oracle(tmp_path, [child("x"), *texts, child("y")])


# --- encodings ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name, sample", [
    ("ISO-8859-1", "café \x80\xa0ÿ"), ("iso-8859-1", "é"), ("ISO-8859-15", "café € Šž Œœ Ÿ"),
    ("windows-1252", "café € Š “quoted” Ÿ"), ("US-ASCII", "cafe"), ("UTF-8", "café 🧬"), ("utf-8", "é")])
@pytest.mark.parametrize("quote", ['"', "'"])
def test_encodings_that_are_read(tmp_path, name, sample, quote):
    declaration = f"<?xml version={quote}1.0{quote} encoding={quote}{name}{quote}?>"
    data = text("a", "@", extra="<!--@-->").decode().replace('<?xml version="1.0"?>', declaration)
    data = data.replace("@", sample).encode(oracle.CONVERTED.get(name.lower(), "utf-8"))
    done = same_as_oracle(tmp_path, [member(data), child("b"), data])
    assert done.text.count(sample.encode()) == 4
    assert done.text.startswith(declaration.encode() if name.lower() == "utf-8" else b'<?xml version="1.0"?>\n')


@pytest.mark.parametrize("name", ["ISO-8859-2", "GB18030", "Shift_JIS", "UTF-7", "UTF-16", "EBCDIC-CP-US", "x"])
def test_encodings_that_are_refused(tmp_path, name):
    data = text("a").replace(b'"1.0"?', b'"1.0" encoding="%s"?' % name.encode())
    refused(tmp_path, member(data), DATA, name)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf16(tmp_path, encoding):
    data = text("a").decode().encode(encoding)
    refused(tmp_path, member(data), DATA, "UTF-16" if encoding != "utf-16-le" else "")


def test_bytes_that_the_encoding_has_not(tmp_path):
    ascii_text = text("a\\").replace(b'"1.0"?', b'"1.0" encoding="US-ASCII"?').replace(b"\\", b"\xe9")
    refused(tmp_path, member(ascii_text), DATA, "ASCII")
    cp1252 = text("a\\").replace(b'"1.0"?', b'"1.0" encoding="windows-1252"?').replace(b"\\", b"\x81")
    refused(tmp_path, member(cp1252), DATA, "1252")


@pytest.mark.parametrize("bad", [b"\xe9", b"\xc3(", b"\xe2\x82", b"\xf0\x9f\xa7", b"\xed\xa0\x80", b"\xc0\xaf", b"\xff",
                                 b"\xf4\x90\x80\x80", b"\x80", b"\xe9\xe9\xc3\xa9\xe9", b"\xf8\x88\x80\x80\x80"])
def test_bytes_that_are_not_utf8(tmp_path, bad):
    data = text("a", "b@").replace(b"@", bad)
    message = refused(tmp_path, member(data), DATA, "UTF-8", "--invalid-utf8")
    start = data.index(bad)
    byte, n_whole = place_of(message)
    assert start <= byte <= start + len(bad) and n_whole == 1
    n_bad = oracle.n_invalid_bytes(data)
    for policy in ("latin1", "keep"):
        for form in (member, bytes):
            children = [child("x"), form(data), form(data)]
            same_as_oracle(tmp_path, children, "--invalid-utf8", policy, invalid_utf8=policy)
        report, _ = report_of(tmp_path, "--invalid-utf8", policy, *write_children(tmp_path, [child("x"), data]))
        assert [row["invalid_bytes"] for row in report["children"]] == [0, n_bad]
        assert report["totals"]["invalid_bytes"] == n_bad


@pytest.mark.parametrize("bad", [b"\xee", b"\xe2\x82", b"\xf0\x9f\xa7"])
def test_bytes_that_are_not_utf8_behind_the_iterations(tmp_path, bad):
    """There text is kept as it is scanned, up to bytes that may be a character's first: wherever the scanner pauses."""
    for n_before in range(0, 3):
        extra = b"<!--" + b"\xff" * n_before + bad * 300 + b"-->\n</BlastOutput>"
        data = text("a").replace(b"</BlastOutput>", extra)
        for form in (member, bytes):
            same_as_oracle(tmp_path, [form(data), child("x")], "--invalid-utf8", "latin1", invalid_utf8="latin1")


# --- not well-formed ---------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", [
    "&auml;", "&#1;", "&#0;", "&#x1;", "&#xD800;", "&#xFFFE;", "&#x110000;", "&#99999999999999999999;", "& ", "&;", "&amp",
    "&#;", "&#x;", "&#x1F9EG;", "\x01", "\x00", "\x0b", "\x1f", "\ufffe", "\uffff", "]]>", "<a>", "</a>", "<a></b>",
    "<a b='1' b='2'/>", "<a b=1/>", "<a b/>", "<a b='<'/>", "<a b='&x;'/>", "<a b='1'c='2'/>", "<1/>", "< a/>", "<a/ >",
    "<-a/>", "<!-- a -- b -->", "<!-- a --->", "<?xml version='1.0'?>", "<?XML a?>", "<? a?>", "<!DOCTYPE a>", "<!ENTITY a>",
    "<![cdata[a]]>", "<![CDATA[a]>", "<!>", "</Iteration>", "</Iteration ><", "<BlastOutput_iterations/></x>"])
@pytest.mark.parametrize("threads", [1, 2])
def test_not_well_formed(tmp_path, bad, threads):
    data = text("a", "b", extra="@").replace(b"@", bad.encode())
    with pytest.raises(oracle.Refused):
        oracle.merge([data])
    message = refused(tmp_path, member(data), DATA, arguments=["--threads", str(threads)])
    byte, n_whole = place_of(message)
    assert byte >= data.index(b"</Iteration_hits>\n" + bad.encode())
    if bad not in ("<!-- a -- b -->", "<?xml version='1.0'?>", "</Iteration>", "</Iteration ><", "<a>", "&amp",
                   "<![CDATA[a]>"):  # of these a part is right, or the end is missing
        assert byte <= data.index(bad.encode()) + max(len(bad.encode()), 12)
    assert n_whole == (2 if bad.startswith("</Iteration") else 1)


@pytest.mark.parametrize("doctype", ["<!DOCTYPE BlastOutput [<!ENTITY a 'b'>]>", "<!DOCTYPE BlastOutput []>",
                                     "<!DOCTYPE BlastOutput SYSTEM 'x' [ %a; ]>"])
def test_internal_subset(tmp_path, doctype):
    data = re.sub(rb"<!DOCTYPE.*>", doctype.encode(), text("a"))
    refused(tmp_path, member(data), DATA, "subset")


@pytest.mark.parametrize("data", [text("a") + b"x", text("a") + b"</BlastOutput>", b"x" + text("a"),
                                  text("a").replace(b"<BlastOutput>", b"x<BlastOutput>"), b" " + text("a"),
                                  text("a").replace(b"<!DOCTYPE", b"<!DOCTYPE a><!DOCTYPE"),
                                  text("a").replace(b'version="1.0"', b""), text("a").replace(b"</Blast", b"</blast"),
                                  text("a") + BOM])
def test_outside_of_the_root(tmp_path, data):
    refused(tmp_path, member(data), DATA)


# --- other kinds -------------------------------------------------------------------------------------


def in_zip(data):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a.xml", data)
    return archive.getvalue()


@pytest.mark.parametrize("data, words", [
    (b'<?xml version="1.0"?>\n<BlastOutput2 xmlns="http://www.ncbi.nlm.nih.gov"></BlastOutput2>', ["-outfmt 16"]),
    (b"<!DOCTYPE html><html></html>", ["html"]), (b"<html><br></html>", ["html"]),
    (b"BLASTP 2.12.0+\n\n\nReference: ", ["-outfmt 0"]), (b"Blast4-request ::= {\n", ["-outfmt 11"]),
    (b">sp|P12345|X\nMKV\n", ["FASTA"]), (in_zip(text("a")), ["ZIP"]), (gzip.compress(gzip.compress(text("a"))), ["gzip"]),
    (b"@HD\tVN:1.2\n", ["SAM"]), (b"Query_1\tsp|P12345|X\t100.0\n", []), (lzma.compress(text("a"), lzma.FORMAT_ALONE), ["LZMA"]),
    (b"<BlastOutput></BlastOutput>", ["BlastOutput_iterations"]), (b"\x7fELF", []),
    (text("a").replace(b"</BlastOutput>", b"<BlastOutput_iterations/></BlastOutput>"), ["BlastOutput_iterations"]),
], ids=lambda value: str(value[:20]))
def test_other_kinds(tmp_path, data, words):
    refused(tmp_path, data, DATA, *words)
    refused(tmp_path, gzip.compress(data), DATA, *words)


@pytest.mark.parametrize("data, words", [
    (bz2.compress(text("a")), "bzip2"), (lzma.compress(text("a")), "xz"), (b"\x28\xb5\x2f\xfd\0\0\0\0", "Zstandard")])
def test_other_compressions_inside_of_gzip(tmp_path, data, words):
    refused(tmp_path, gzip.compress(data), DATA, words)


# --- headers that differ -----------------------------------------------------------------------------

DIFFERENCES = {
    "program": ({"program": "blastn"}, "BlastOutput_program", "blastn", "blastp"),
    "version": ({"version": "BLASTP 2.9.0+"}, "BlastOutput_version", "BLASTP 2.9.0+", "BLASTP 2.12.0+"),
    "database": ({"database": "swissprot"}, "BlastOutput_db", "swissprot", "nr"),
    "parameters": ({"expect": "0.001"}, "Parameters_expect", "0.001", "10"),
}


@pytest.mark.parametrize("policy", [None, "error", "warn", "ignore"])
@pytest.mark.parametrize("name", DIFFERENCES)
def test_mismatch(tmp_path, name, policy):
    header, field, theirs, ours = DIFFERENCES[name]
    arguments = ["--mismatch", policy] if policy else []
    other = child("b", **header)
    if policy == "error" or (policy is None and name == "program"):
        message = refused(tmp_path, other, MISMATCH, field, theirs, ours, arguments=arguments)
        assert "child_0000" in message.splitlines()[-1]
        return
    children = [child("a"), other, child("c")]
    done = same_as_oracle(tmp_path, children, *arguments)
    report, _ = report_of(tmp_path, *arguments, *write_children(tmp_path, children))
    if policy == "ignore":
        assert done.err == "" and report["children"][1]["warnings"] == []
        return
    assert len(done.warnings) == 1
    for said in ("child_0001.xml.gz", field, theirs, ours, "child_0000.xml.gz"):
        assert said in done.warnings[0]
    assert len(report["children"][1]["warnings"]) == 1 and field in report["children"][1]["warnings"][0]
    assert run("--quiet", *arguments, *write_children(tmp_path, children)).err == ""


def test_mismatch_of_absent_fields(tmp_path):
    without = text("b").replace(b"<BlastOutput_version>BLASTP 2.12.0+</BlastOutput_version>", b"")
    for children in ([child("a"), without], [without, child("a")]):
        done = run(*write_children(tmp_path, children))
        assert done.code == OK and len(done.warnings) == 1 and "BlastOutput_version" in done.warnings[0]


def test_mismatch_inside_a_child(tmp_path):
    refused(tmp_path, child("a") + child("b", program="blastx"), MISMATCH, "blastx")


def test_mismatch_long_values(tmp_path):
    """Values are compared whole, whatever their length."""
    long = "x" * 5000
    done = run(*write_children(tmp_path, [child("a", database=long + "1"), child("b", database=long + "2")]))
    assert done.code == OK and len(done.warnings) == 1
    done = run(*write_children(tmp_path, [child("a", database=long), child("b", database=long)]))
    assert done.code == OK and done.err == ""


def test_query_does_not_matter(tmp_path):
    assert run(*write_children(tmp_path, [child("a"), child("b")])).err == ""


def test_megablast_statistics(tmp_path):
    stat = b"</BlastOutput_iterations>\n  <BlastOutput_mbstat>\n    <a/>\n  </BlastOutput_mbstat>\n"
    old = text("a").replace(b"</BlastOutput_iterations>\n", stat)
    assert b"mbstat" in same_as_oracle(tmp_path, [old]).text
    done = same_as_oracle(tmp_path, [old, old.replace(b">a<", b">b<")])
    assert b"mbstat" not in done.text and len(done.warnings) == 1 and "BlastOutput_mbstat" in done.warnings[0]


# --- names -------------------------------------------------------------------------------------------


def named(folder, *names):
    paths = []
    for name in names:
        paths.append(folder / name)
        paths[-1].parent.mkdir(exist_ok=True)
        paths[-1].write_bytes(child(name))
    return paths


def test_order_as_the_shell_gives_it(tmp_path):
    paths = named(tmp_path, "batch_1", "batch_10", "batch_2")
    done = run(*paths)
    assert done.code == OK and len(done.warnings) == 1
    assert "batch_2" in done.warnings[0] and "batch_10" in done.warnings[0] and "--sort natural" in done.warnings[0]
    assert run("--sort", "none", *paths).text == done.text
    report, _ = report_of(tmp_path, *paths)
    assert len(report["warnings"]) == 1


def test_sort(tmp_path):
    paths = named(tmp_path, "batch_10", "batch_1", "batch_9", "batch_002", "batch_03", "batch_1b")
    done = run("--sort", "natural", *paths)
    found = re.findall(rb"<Iteration_query-def>(.*)<", done.text)
    assert found == [b"batch_1", b"batch_1b", b"batch_002", b"batch_03", b"batch_9", b"batch_10"]
    assert b"<BlastOutput_query-def>batch_1<" in done.text


@pytest.mark.parametrize("names, n_warnings", [
    (["batch_1", "batch_2", "batch_3"], 0), (["batch_1", "batch_3"], 1), (["batch_0", "batch_1", "batch_5", "batch_9"], 1),
    (["a_1", "b_5"], 0), (["batch_08", "batch_09", "batch_10"], 0), (["x", "y", "a"], 0), (["1", "2", "4"], 1),
    (["run1/part_1", "run1/part_2", "run2/part_1"], 0), (["batch_3", "batch_2"], 1)])
def test_gaps(tmp_path, names, n_warnings):
    done = run(*named(tmp_path, *names))
    assert done.code == OK and len(done.warnings) == n_warnings, done.err
    assert run("--quiet", *named(tmp_path, *names)).err == ""


def test_expected_children(tmp_path):
    paths = named(tmp_path, "batch_1", "batch_2")
    assert run("--expect-children", 2, *paths).code == OK
    done = run("--expect-children", 3, "-o", tmp_path / "merged", *paths)
    assert done.code == MISMATCH and "2 children" in done.err and "3 were expected" in done.err
    assert not (tmp_path / "merged").exists()


def test_child_given_twice(tmp_path):
    paths = named(tmp_path, "a", "b")
    os.link(paths[0], tmp_path / "c")
    done = run(paths[0], paths[1], paths[0])
    assert done.code == OK and len(done.warnings) == 1 and "twice" in done.warnings[0] and "/a" in done.warnings[0]
    assert done.text.count(b"<Iteration>") == 3
    assert len(run(paths[0], tmp_path / "c").warnings) == 1


# --- where children come from ------------------------------------------------------------------------


def test_missing_child(tmp_path):
    paths = named(tmp_path, "a", "c")
    for missing, reason in ((tmp_path / "b", "No such file or directory"), (tmp_path / "a" / "b", "Not a directory"),
                            (tmp_path / "none" / "b", "No such file or directory")):
        done = run("-o", tmp_path / "merged", paths[0], missing, paths[1])
        assert (done.code, done.err) == (NOT_FOUND, f"blastmerge: cannot open {missing}: {reason}\n")
    assert only_files(tmp_path) == ["a", "c"]


@pytest.mark.parametrize("threads", [1, 2, 8])
def test_the_first_child_at_fault_is_named(tmp_path, threads):
    """Whatever threads find first."""
    late = member(text(*map(str, range(2000))))[:-1]
    paths = write_children(tmp_path, [child("a"), late, b"{}", child("b", program="blastn"), b""])
    for _ in range(5):
        done = run("--threads", threads, *paths)
        assert done.code == DATA and "child_0001" in done.err.splitlines()[-1]


def test_children_that_are_devices(tmp_path):
    path = named(tmp_path, "a")[0]
    assert run("/dev/null", path).code == DATA
    assert run("--allow-empty", "/dev/null", path, "/dev/null").text == run(path).text
    assert run(path, "/dev/zero").code == DATA


def test_child_that_is_a_folder(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    done = run(*named(tmp_path, "a"), folder)
    assert done.code == IO and str(folder) in done.err


def test_unreadable_child(tmp_path):
    paths = named(tmp_path, "a", "b")
    paths[1].chmod(0)
    done = without_rights("-o", tmp_path / "merged", *paths)
    assert (done.code, done.err) == (DENIED, f"blastmerge: cannot open {paths[1]}: Permission denied\n")
    assert only_files(tmp_path) == ["a", "b"]


def test_child_that_changes(tmp_path):
    """The program is held by a full pipe while its child grows, shrinks, or is written anew."""
    for change in ("grow", "shrink", "touch"):
        path = tmp_path / "child"
        path.write_bytes(member(text("a", extra="<!--" + "ACDEFGHIKL" * 1000000 + "-->"), level=0))
        with subprocess.Popen([PROGRAM, "--plain", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            assert process.stdout.read(1000)
            with open(path, "r+b") as file:
                if change == "grow":
                    file.seek(0, os.SEEK_END)
                    file.write(b"\0")
                elif change == "shrink":
                    file.truncate(5000000)
                else:
                    os.utime(path, (1, 1))
            _, err = process.communicate()
        assert process.returncode == CHANGED
        assert str(path).encode() in err


def test_output_that_is_a_child(tmp_path):
    paths = named(tmp_path, "a", "b")
    os.symlink(paths[1], tmp_path / "link")
    before = paths[1].read_bytes()
    for target in (paths[1], tmp_path / "link"):
        done = run("--force", "-o", target, *paths)
        assert done.code == USAGE and f"is the same place as a child ({paths[1]})" in done.err
    with open(paths[1], "ab") as file:
        done = subprocess.run([PROGRAM, *paths], stdout=file, stderr=subprocess.PIPE, check=False)
    assert done.returncode == USAGE
    done = run("--force", "-o", tmp_path / "merged", "--report", paths[1], *paths)
    assert done.code == USAGE
    assert paths[1].read_bytes() == before
    assert only_files(tmp_path) == ["a", "b", "link"]


@pytest.mark.parametrize("name, text", [("tabular", b""), ("csv", b""), ("commented", b"# BLAST processed 0 queries\n")])
@pytest.mark.parametrize("plain", [False, True])
def test_tables_without_a_hit(tmp_path, name, text, plain):
    """Searches without a hit leave nothing at all: what becomes of these is such a table."""
    paths = write_children(tmp_path, [b"", gzip.compress(b""), b""])
    arguments = ["--allow-empty", "--format", name, *["--plain"] * plain, "-o", tmp_path / "merged", "--report", tmp_path / "report"]
    done = run(*arguments, *paths)
    assert (done.code, done.err) == (0, "")
    data = (tmp_path / "merged").read_bytes()
    assert (data if plain else gzip.decompress(data)) == text
    assert json.loads((tmp_path / "report").read_bytes())["format"] == name
    assert run("--format", name, "-o", tmp_path / "other", *paths).code == DATA
