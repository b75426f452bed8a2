# SPDX-License-Identifier: MIT
"""Tabular children, each checked: gzip members one after the other, or with comment lines a merge."""
import gzip
import json
import random
import zlib

import parents
import program
import pytest
import small
from parents import RESULT, tabular
from program import DATA, MISMATCH

ROWS = ["q1\ts1\t99.0\nq1\ts2\t50.0\n", "", "q3\ts1\t10.0\n"]


def children_of(parent):
    return [(parent.folder / child["job_id"] / RESULT).read_bytes() for child in parent.children]


@pytest.mark.parametrize("fields", [{}, {"outfmt": 7}, {"outfmt": 6}, {"format": ""}, {"outfmt": "7 qseqid sseqid"}])
def test_members_are_copied(tmp_path, fields):
    parent = tabular(tmp_path, *ROWS, **fields)
    done = parent.finalize("--strict")
    assert (done.code, done.err) == (0, "")
    assert (done.outcome["report"]["outfmt"], done.outcome["report"]["supported_outfmt"]) == (6, "6 std")
    parent.check_complete(is_xml=False)
    assert parent.path(RESULT).read_bytes() == b"".join(children_of(parent))


def test_another_format_is_only_a_name(tmp_path):
    parent = tabular(tmp_path, *ROWS, format="blast_csv")
    assert parent.finalize().outcome["report"]["format"] == "blast_csv"
    parent.check_complete(is_xml=False)


def test_zero_bytes_after_members_are_left_out(tmp_path):
    a, b, c = (gzip.compress(f"row\t{i}\n".encode() * 3, mtime=0) for i in range(3))
    parent = tabular(tmp_path, a + bytes(1) + b, c + bytes(70000), bytes(0) + a + bytes(40000) + b + bytes(7), c)
    assert parent.finalize().code == 0
    assert parent.path(RESULT).read_bytes() == a + b + c + a + b + c


def member(chance, text):
    """A member of one kind or another, with whatever fields a header may have."""
    level, strategy = chance.choice([0, 1, 6, 9]), chance.choice([zlib.Z_DEFAULT_STRATEGY, zlib.Z_FIXED, zlib.Z_HUFFMAN_ONLY])
    deflate = zlib.compressobj(level, zlib.DEFLATED, -15, 9, strategy)
    body = b""
    while text:
        n = chance.randrange(1, 100000)
        body += deflate.compress(text[:n]) + deflate.flush(chance.choice([zlib.Z_NO_FLUSH, zlib.Z_SYNC_FLUSH, zlib.Z_FULL_FLUSH]))
        text = text[n:]
    return body + deflate.flush()


def framed(chance, text):
    flags, fields = 0, b""
    if chance.random() < 0.3:
        n = chance.choice([0, 1, 300, 65535])
        flags, fields = 4, n.to_bytes(2, "little") + bytes(n)
    if chance.random() < 0.3:
        flags, fields = flags | 8, fields + b"name" * chance.choice([1, 20000]) + b"\0"
    head = bytes([0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 255]) + fields
    return head + member(chance, text) + zlib.crc32(text).to_bytes(4, "little") + (len(text) & 0xffffffff).to_bytes(4, "little")


def test_members_of_all_kinds(tmp_path):
    """What is left after padding is the members, byte for byte."""
    chance = random.Random(3)
    children, expected = [], b""
    for _ in range(40):
        child = b""
        for _ in range(chance.randrange(1, 6)):
            kind = chance.random()
            n = chance.choice([0, 1, 50, 5000, 400000]) if kind < 0.9 else 0
            text = f"q{chance.randbytes(n).hex()}\ts\t1\n" if kind < 0.5 else "q\ts\t1\n" * (n // 7)
            made = framed(chance, text.encode())
            expected += made
            child += made + bytes(chance.choice([0, 0, 1, 511, 70000]))
        children.append(child)
    parent = tabular(tmp_path, *children)
    done = parent.finalize()
    assert done.code == 0, done
    assert parent.path(RESULT).read_bytes() == expected
    gzip.decompress(parent.path(RESULT).read_bytes())


WHOLE = gzip.compress(b"q1\ts1\t99.0\n" * 100, mtime=0)


@pytest.mark.parametrize("data, reason", [
    (b"", "holds nothing"),
    (b"q1\ts1\t99.0\n", "not compressed"),
    (WHOLE[:-1], "cut short"),
    (WHOLE[:30], "cut short"),
    (WHOLE[:-8] + b"\0\0\0\0" + WHOLE[-4:], "CRC-32"),
    (WHOLE[:-4] + b"\1\0\0\0", "length"),
    (WHOLE + b"x", "not another gzip member"),
    (gzip.compress(b"q1\ts1\t99.0\nq1\ts"), "inside a line"),
    (gzip.compress(b"\xff\xfeq\0"), "UTF-16"),
    (gzip.compress(WHOLE), "gzip data inside"),
    (gzip.compress(b"<!DOCTYPE html>\n<html><body>502 Bad Gateway</body></html>\n"), ""),
    (gzip.compress(bytes(range(256))), ""),
], ids=lambda value: repr(value)[:20])
def test_damaged(tmp_path, data, reason):
    parent = tabular(tmp_path, *ROWS)
    (tmp_path / "child-1" / RESULT).write_bytes(data)
    done = parent.finalize()
    assert (done.code, done.outcome["phase"]) == (DATA, "split_results_merge_invalid"), done
    assert done.outcome["error"] == "invalid child tabular result: child-1" and reason in done.outcome["detail"]
    assert str(tmp_path / "child-1" / RESULT) in done.err and parent.files() == []


def test_no_bytes_where_that_is_allowed(tmp_path):
    parent = tabular(tmp_path, *ROWS)
    (tmp_path / "child-1" / RESULT).write_bytes(b"")
    assert parent.finalize("--allow-empty").code == 0
    assert gzip.decompress(parent.path(RESULT).read_bytes()) == (ROWS[0] + ROWS[2]).encode()


@pytest.mark.parametrize("fields, text", [({}, b""), ({"format": "csv", "outfmt": 10}, b""), ({"outfmt": "6 qseqid"}, b""),
                                          ({"format": "commented"}, b"# BLAST processed 0 queries\n")])
def test_all_of_no_bytes(tmp_path, fields, text):
    parent = tabular(tmp_path, b"", b"", **fields)
    done = parent.finalize()
    assert done.code == DATA and "holds nothing" in done.err and parent.files() == []
    done = parent.finalize("--allow-empty")
    assert (done.code, done.err) == (0, "") and gzip.decompress(parent.path(RESULT).read_bytes()) == text
    assert json.loads(parent.path("split-results-manifest.json").read_bytes())["assembly"] == "gzip_member_concatenation"


# --- what a merge says of them, finalize says ---------------------------------------------------------

STD = b"q1\ts1" + b"\t1" * 10 + b"\n"
NAMES = b"qseqid\tsseqid\tpident\tlength\tmismatch\tgapopen\tqstart\tqend\tsstart\tsend\tevalue\tbitscore\n"
CSV = STD.replace(b"\t", b",")
CR = STD.replace(b"\n", b"\r\n")
XML = b"<?xml version=\"1.0\"?>\n" + small.text("a").split(b"\n", 1)[1]
COMMENTED = (b"# BLASTP 2.12.0+\n# Query: a\n# Database: nr\n# Fields: query acc.ver, subject acc.ver\n# 1 hits found\nq1\ts1\n"
             b"# BLAST processed 1 queries\n")
LOST_PART = COMMENTED.replace(b"processed 1", b"processed 2")
OTHER_FIELDS = COMMENTED.replace(b"subject acc.ver", b"evalue")
NAMELESS = COMMENTED.replace(b"# Query: a", b"# Query: ").replace(b"q1", b"Query_1")
CASES = {
    "two and twelve columns": [STD, b"a\tb\n"], "twelve and two columns": [b"a\tb\n", STD], "commas": [STD, CSV],
    "tabs": [CSV, STD], "comments": [STD, COMMENTED], "no comments": [COMMENTED, STD], "other fields": [COMMENTED, OTHER_FIELDS], "a part is lost": [COMMENTED, LOST_PART],
    "line ends": [STD, STD.replace(b"\n", b"\r\n")], "the other line ends": [STD.replace(b"\n", b"\r\n"), STD],
    "xml": [STD, XML], "xml first": [XML, STD], "mark": [STD, b"\xef\xbb\xbf" + XML], "newline": [STD, b"\n" + XML],
    "blanks": [STD, b" \n\t" + XML], "json": [STD, b"{\"BlastOutput2\": []}\n"], "json first": [b"[1]\n", STD],
    "html": [b"<html>\n<body>\t</body>\n</html>\n", STD], "html behind": [STD, b"<html>\n<body>\t</body>\n</html>\n"],
    "binary": [STD, bytes(range(256)) * 4], "binary first": [bytes(range(1, 256)), STD], "NULs": [STD, bytes(100)],
    "UTF-16": [STD, STD.decode().encode("utf-16")], "UTF-16, no mark": [STD, STD.decode().encode("utf-16-le")],
    "gzip": [STD, gzip.compress(STD)], "bzip2": [b"BZh91AY\t\n", STD], "FASTA": [b">a\tb\nACGT\n", STD],
    "plain report": [b"BLASTP 2.12.0+\t\n", STD], "one word": [b"Killed\n", STD], "a message": [STD, b"BLAST engine error: x\n"],
    "a message first": [b"Command line argument error: x\n", STD], "empty line": [STD, STD + b"\n" + STD],
    "empty line at the end": [STD, STD + b"\n"], "empty line at the begin": [STD, b"\n" + STD], "empty lines, CR LF": [CR, CR + b"\r\n\r\n" + CR],
    "empty lines alone": [STD, b"\n\n"], "empty line, a last line": [STD, STD + b"\n" + STD[:-1]], "empty line far behind": [STD, STD * 9999 + b"\n"],
    "control": [STD, STD.replace(b"q1", b"q\x01")], "cut": [STD, STD[:-4]], "two footers": [COMMENTED, COMMENTED * 2],
    "no footer": [COMMENTED, COMMENTED[:COMMENTED.rindex(b"#")]], "hits": [COMMENTED, COMMENTED.replace(b"# 1 hits", b"# 2 hits")],
    "names": [NAMES + STD, NAMES + STD * 2], "names alone": [NAMES, NAMES + STD], "other names": [NAMES + STD, NAMES.replace(b"length", b"len") + STD],
    "no names": [NAMES + STD, STD], "names and an empty line": [NAMES + STD + b"\n", NAMES + STD[:-1]],
    "last line": [STD[:-1], STD * 2 + STD[:-1]], "last line, CR LF": [(STD * 2).replace(b"\n", b"\r\n")[:-2], STD.replace(b"\n", b"\r\n")],
    "same": [STD, STD * 3], "same commas": [CSV, CSV], "same comments": [COMMENTED, COMMENTED], "nameless": [NAMELESS, NAMELESS],
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("swap", [False, True])
def test_what_a_merge_says(tmp_path, name, swap):
    texts = CASES[name][::-1] if swap else CASES[name]
    parent = tabular(tmp_path, *(gzip.compress(text, mtime=0) for text in texts))
    paths = [tmp_path / child["job_id"] / RESULT for child in parent.children]
    merge = ["-f", "-o", tmp_path / "merged", *paths]
    merged = program.run(*merge)
    done = parent.finalize()
    if "--format tabular" in merged.err and "--format tabular" not in done.err:
        merged = program.run("--format", "tabular", *merge)  # the report says so
    if "its report states a table" in done.err:  # a merge says so only if another format came before
        assert done.code == MISMATCH and merged.code in (DATA, MISMATCH), done
        assert name in ("xml first", "xml", "mark", "newline", "blanks", "json", "json first", "no comments", "comments")
    else:
        assert done.code == merged.code, (done, merged)
        if done.code:  # the same words
            assert merged.err.split(RESULT)[1] in done.err
        else:
            assert done.warnings == merged.warnings
    if done.code:
        assert parent.files() == [] and done.outcome["phase"] == "split_results_merge_invalid"
    elif name.startswith("last line"):  # a member with the line's end comes behind the child's own
        merged_text = gzip.decompress((tmp_path / "merged").read_bytes())
        result = parent.path(RESULT).read_bytes()
        assert gzip.decompress(result) == merged_text and all(child in result for child in children_of(parent))
    elif COMMENTED[:8] in texts[0] or "names" in name or "empty" in name:
        assert parent.path(RESULT).read_bytes() == (tmp_path / "merged").read_bytes()
    else:
        assert parent.path(RESULT).read_bytes() == b"".join(children_of(parent))


def test_a_copy_that_is_given_up(tmp_path):
    """What a merge changes may show only in the last child: then all are merged, as if nothing had been copied before."""
    texts = [STD.replace(b"q1", b"q%d" % number) * 5000 for number in range(4)] + [STD.replace(b"q1", b"q9") + b"\n"]
    parent = tabular(tmp_path, *(gzip.compress(text, mtime=0) for text in texts), queries=1)
    done = parent.finalize("--strict", "--threads", "2", "-v")
    assert (done.code, done.warnings) == (0, []), done
    results = [tmp_path / child["job_id"] / RESULT for child in parent.children]
    assert program.run("-o", tmp_path / "merged", *results).code == 0
    assert parent.path(RESULT).read_bytes() == (tmp_path / "merged").read_bytes()
    assert program.text_of(parent.path(RESULT).read_bytes()) == b"".join(texts)[:-1]
    assert parent.files() == sorted(parents.NAMES) and "20001 rows" in done.err, done.err


def test_a_copy_that_is_given_up_and_a_fault(tmp_path):
    """A fault that comes behind the empty line is found when all is merged, and nothing is left."""
    parent = tabular(tmp_path, gzip.compress(STD + b"\n", mtime=0), gzip.compress(STD[:-4], mtime=0))
    done = parent.finalize()
    assert (done.code, done.outcome["error"]) == (DATA, "invalid child tabular result: child-1"), done
    assert parent.files() == []


@pytest.mark.parametrize("text, kind", [(XML, "BLAST XML (-outfmt 5)"), (b"\n" + XML[XML.index(b"<Blast"):], "BLAST XML (-outfmt 5)"),
                                        (b"\xef\xbb\xbf" + XML, "BLAST XML (-outfmt 5)"),
                                        (b"{\"BlastOutput2\": []}\n", "BLAST JSON (-outfmt 15)")])
def test_results_that_are_no_tables_at_all(tmp_path, text, kind):
    """All of one format, so that a merge would take them, but not the one that their reports say."""
    parent = tabular(tmp_path, gzip.compress(text), gzip.compress(text))
    done = parent.finalize()
    assert done.code == MISMATCH and f"it is {kind}, but its report states a table" in done.err
    assert parent.files() == []


@pytest.mark.parametrize("outfmt", [6, 10])
@pytest.mark.parametrize("title", ["protein X: not found in humans", "lysin (core dumped)", "chr: line 3: like", "WD40"])
def test_titles_that_read_like_messages(tmp_path, outfmt, title):
    """A shell's message is one by what it says, wherever in the line; but rows have titles, too."""
    separator = "\t" if outfmt == 6 else ","
    texts = [separator.join(row) + "\n" for row in (["q1", title, "1e-5"], ["q2", "abc", "2e-5"])]
    done = tabular(tmp_path, *texts, outfmt=outfmt).finalize()
    assert done.code == 0, done.outcome


def test_a_table_of_one_column(tmp_path):
    for folder, outfmt, code in ((tmp_path / "a", "6 sseqid", 0), (tmp_path / "b", "6 std", DATA), (tmp_path / "c", 6, DATA)):
        folder.mkdir()
        assert tabular(folder, "s1\n", "s2\ns3\n", outfmt=outfmt).finalize().code == code
    folder = tmp_path / "d"
    folder.mkdir()
    assert tabular(folder, "s1\n", "s2\ns3\n").finalize("--format", "tabular").code == 0


def test_queries_of_tables_with_comments_are_counted(tmp_path):
    parent = tabular(tmp_path, gzip.compress(COMMENTED), gzip.compress(COMMENTED), queries=2)
    text = "split child child-0: its merge report counts 2 queries, and its result holds 1 Iterations"
    assert parent.finalize("--strict").outcome["error"] == text
    assert text in parent.finalize().outcome["warnings"]


@pytest.mark.parametrize("fields", [{}, {"outfmt": 7}, {"format": "commented"}, {"format": "blast_commented"}, {"format": "csv"}])
def test_tables_with_comments_are_merged(tmp_path, fields):
    """Each query has a name of its own, and the last line counts them all; whatever the reports call the tables."""
    second = COMMENTED.replace(b"q1", b"q2")
    parent = tabular(tmp_path, *(gzip.compress(text, mtime=0) for text in (NAMELESS, second, NAMELESS * 2)), **fields)
    done = parent.finalize("--strict", "--threads", "2")
    assert done.code == 0, done
    text = gzip.decompress(parent.path(RESULT).read_bytes())
    parts = [NAMELESS, second, NAMELESS.replace(b"Query_1", b"Query_3"), NAMELESS.replace(b"Query_1", b"Query_4")]
    assert text == b"".join(part[:part.rindex(b"# BLAST")] for part in parts) + b"# BLAST processed 4 queries\n"
    manifest = json.loads(parent.path("split-results-manifest.json").read_bytes())
    assert manifest["assembly"] == "gzip_member_concatenation"
    parent.path("split-results-manifest.json").unlink()
    assert parent.finalize("--query-ids", "keep", "--level", "1").code == 0
    kept = gzip.decompress(parent.path(RESULT).read_bytes())
    assert kept.count(b"Query_1\ts1") == 3 and kept.endswith(b"# BLAST processed 4 queries\n")


def test_what_comes_before_the_first_line(tmp_path):
    """Whether there are comments shows in the first child that has a line, however its gzip data is cut."""
    empty, tiny = gzip.compress(b"", mtime=0), b"".join(gzip.compress(bytes([byte]), mtime=0) for byte in NAMELESS)
    parent = tabular(tmp_path, empty, empty, empty + tiny, tiny)
    done = parent.finalize()
    assert done.code == 0, done
    parts = NAMELESS[:NAMELESS.rindex(b"# BLAST")]
    text = gzip.decompress(parent.path(RESULT).read_bytes())
    assert text == parts + parts.replace(b"Query_1", b"Query_2") + b"# BLAST processed 2 queries\n"
    folder = tmp_path / "rows"
    folder.mkdir()
    tiny = b"".join(gzip.compress(bytes([byte]), mtime=0) for byte in STD * 2)
    parent = tabular(folder, empty, tiny, empty, tiny)
    assert parent.finalize().code == 0
    assert parent.path(RESULT).read_bytes() == b"".join(children_of(parent))


def test_rows_of_column_names(tmp_path):
    """A merge has them once, and so has the parent's result; --header keep copies them, and so the members."""
    names = b"query\ttarget\t" + b"\t".join(b"c%d" % i for i in range(10)) + b"\n"
    second = STD.replace(b"q1", b"q2")
    parent = tabular(tmp_path, gzip.compress(names + STD), gzip.compress(names + second))
    done = parent.finalize()
    assert (done.code, done.err) == (0, "")
    assert program.text_of(parent.path(RESULT).read_bytes()) == names + STD + second
    parent.path("split-results-manifest.json").unlink()
    assert parent.finalize("--header", "keep").code == 0
    assert parent.path(RESULT).read_bytes() == b"".join(children_of(parent))


def test_names_that_stay(tmp_path):
    """Rows alone do not show how many queries there were: one warning, and only where there are such names."""
    rows = STD.replace(b"q1", b"Query_1")
    parent = tabular(tmp_path, gzip.compress(rows + STD), gzip.compress(rows), gzip.compress(STD))
    done = parent.finalize()
    assert done.code == 0 and parent.path(RESULT).read_bytes() == b"".join(children_of(parent))
    assert len(done.warnings) == 1 and "2 queries are called Query_N" in done.err and "-outfmt 7" in done.err
    parent.path("split-results-manifest.json").unlink()
    assert parent.finalize("--query-ids", "keep").warnings == []


def test_memory_does_not_grow(tmp_path):
    parent = tabular(tmp_path, gzip.compress(b"q\ts\t1\n" * 15_000_000, 1), ROWS[0])
    done = program.run("finalize", "-v", "-", input=json.dumps(parent.job).encode())
    assert done.code == 0 and "MiB of memory" in done.err
    assert float(done.err.split("seconds, ")[1].split(" MiB")[0]) < 4
