# SPDX-License-Identifier: MIT
"""Documents that hold the same queries: a run that is there twice, or searches of several parts of a database.

Each is found whatever format and form they have, and nothing is said of children that are as they should be.
"""
import gzip
import json
import zlib

import pytest
import small
from forms import bgzf, member
from program import DATA, MISMATCH, OK, run, write_children
from test_odd_children import commented, rows

TWICE = "again, and the same text: this is the same run twice"
SHARDS = "once more, with other results, as searches of database shards do"


def xml2(*queries, hit="s"):
    reports = "".join(
        "<BlastOutput2>\n  <report>\n    <Report>\n      <program>blastp</program>\n      <results>\n        <Results>\n          <search>\n"
        f"            <Search>\n              <query-id>Query_{number}</query-id>\n              <query-title>{query}</query-title>\n"
        f"              <query-len>{100 + len(query)}</query-len>\n              <hits>{f'<Hit><id>{hit}</id></Hit>' if hit else ''}</hits>\n"
        "            </Search>\n          </search>\n        </Results>\n      </results>\n    </Report>\n  </report>\n</BlastOutput2>\n"
        for number, query in enumerate(queries, 1))
    return f'<?xml version="1.0"?>\n<BlastXML2>\n{reports}</BlastXML2>\n'.encode()


def as_json(*queries, hit="s"):
    reports = [{"report": {"program": "blastp", "version": "BLASTP 2.12.0+", "search_target": {"db": "nr"}, "params": {},
                           "results": {"search": {"query_id": f"Query_{number}", "query_title": query, "query_len": 100 + len(query),
                                                  "hits": [{"num": 1, "description": [{"id": hit}], "hsps": []}] * bool(hit)}}}}
               for number, query in enumerate(queries, 1)]
    return json.dumps({"BlastOutput2": reports}, indent=1).encode() + b"\n"


def xml(*queries, hit="s"):
    text = small.text(*queries).replace(b"MKV", hit.encode())
    for number, query in enumerate(queries, 1):
        text = text.replace(b"<Iteration_query-def>%s</Iteration_query-def>" % query.encode(),
                            b"<Iteration_query-ID>Query_%d</Iteration_query-ID>\n  <Iteration_query-def>%s</Iteration_query-def>\n"
                            b"  <Iteration_query-len>%d</Iteration_query-len>" % (number, query.encode(), 100 + len(query)))
    return text if hit else text.replace(text[text.index(b"<Hit>"):text.index(b"</Iteration_hits>")], b"")


def seven(*queries, hit="s"):
    return commented(*queries).replace(b"\ts\t", b"\t" + hit.encode() + b"\t")


def six(*queries, hit="s"):
    return rows(*queries).replace(b"\ts\t", b"\t" + hit.encode() + b"\t")


def ten(*queries, hit="s"):
    return six(*queries, hit=hit).replace(b"\t", b",")


FORMATS = {"xml": xml, "xml2": xml2, "json": as_json, "7": seven, "6": six, "10": ten}
formats = pytest.mark.parametrize("make", FORMATS.values(), ids=FORMATS)


def merge(folder, children, *arguments):
    return run(*arguments, *write_children(folder, children))


def check(folder, children, words, *names, is_error=True):
    """A warning that names both; with --as-unsplit an error that does, unless the order is given on purpose."""
    for threads in ("1", "3"):
        done = merge(folder, children, "--threads", threads)
        assert done.code == OK and len(done.warnings) == 1 and words in done.warnings[0], done.err
        assert all(name in done.warnings[0] for name in names), done.err
    done = run("check", *write_children(folder, children))
    assert done.code == OK and words in done.err
    done = merge(folder, children, "--as-unsplit")
    assert done.code == (MISMATCH if is_error else OK) and words in done.err, done.err
    assert all(name in done.err for name in names)
    assert not is_error or "--sort none" in done.err
    done = merge(folder, children, "--as-unsplit", "--sort", "none")
    assert done.code == OK and words in done.err, done.err


@formats
def test_the_same_run_twice(tmp_path, make):
    text = make("a", "b", "c")
    for again in (text, member(text), member(text, level=1), member(text[:50]) + member(text[50:]), bgzf(text)):
        for first in (text, member(text)):
            check(tmp_path, [make("x"), first, make("y"), again], TWICE, "child_0001", "child_0003")


@formats
def test_database_shards(tmp_path, make):
    """One part's result may have the same length as another's."""
    for hit in ("t", "another"):
        check(tmp_path, [member(make("a", "b", "c")), make("a", "b", "c", hit=hit)], SHARDS, "child_0000", "child_0001")


@formats
def test_several_children(tmp_path, make):
    done = merge(tmp_path, [make("a", "b", hit=f"s{number}") for number in range(5)], "--report", tmp_path / "report")
    assert len(done.warnings) == 1 and done.warnings[0].endswith("; 3 more children are like that"), done.err
    report = json.loads((tmp_path / "report").read_bytes())
    assert [len(child["warnings"]) for child in report["children"]] == [0, 1, 1, 1, 1]
    assert SHARDS in report["children"][4]["warnings"][0] and report["warnings"] == done.warnings


@pytest.mark.parametrize("make", [xml, xml2, as_json, seven])
def test_an_appended_run(tmp_path, make):
    """Several documents in one child: behind one another in the text, or as gzip members."""
    first, other = make("a", "b"), make("a", "b", hit="t")
    for child in (first * 2, member(first) * 2, member(first * 2)):
        check(tmp_path, [child, make("x")], TWICE, "child_0000", "its document 2", "an earlier one")
    check(tmp_path, [make("x"), member(first) + member(other)], SHARDS, "child_0001", "its document 2")


@formats
def test_children_as_they_should_be(tmp_path, make):
    """Other queries, fewer, more, in another order, of another length; the same ones in other documents."""
    for children in ([make("a", "b"), make("c", "d")], [make("a", "b"), make("a")], [make("b"), make("a", "b")],
                     [make("a", "b"), make("b", "a")], [make("a", "b", "c"), make("a", "c")], [make("a")] + [make("b"), make("c")],
                     [make("Query_1")] * 3, [make("lcl|Query_1", "lcl|Query_2")] * 3):
        done = merge(tmp_path, children, "--as-unsplit", "--sort", "natural")
        assert done.code == OK and "once more" not in done.err, done.err


@pytest.mark.parametrize("make", [xml, xml2, as_json, seven])
def test_queries_without_a_name(tmp_path, make):
    """Children of invalid queries, or of identical ones without a name, may rightly be the same."""
    for title in ("No definition line", ""):
        for hit in ("s", "t"):
            children = [make(title, title), make(title, title, hit=hit)]
            done = merge(tmp_path, children, "--as-unsplit")
            assert done.code == OK and "once more" not in done.err, done.err
    if make is not seven:  # where one has a name they are compared
        check(tmp_path, [make("No definition line", "a")] * 2, TWICE)


@pytest.mark.parametrize("make", [xml, xml2, as_json])
def test_no_hits(tmp_path, make):
    """Searches that found nothing are no error; one that found something beside one that did not is."""
    check(tmp_path, [make("a", hit=""), make("x"), make("a", hit="")], TWICE, "child_0000", "child_0002", is_error=False)
    check(tmp_path, [make("a", hit=""), make("a")], SHARDS)
    check(tmp_path, [make("a"), make("a", hit="")], SHARDS)


def test_ids_are_names(tmp_path):
    """-parse_deflines: a query's id is its name if it has no title."""
    def text(name):
        return xml("a").replace(b">a<", b">No definition line<").replace(b">Query_1<", b">%s<" % name)
    assert merge(tmp_path, [text(b"P1"), text(b"P2")], "--as-unsplit").err == ""
    check(tmp_path, [text(b"P1"), text(b"P1")], TWICE)
    for name in (b"Query_1", b"lcl|Query_1", b"1_0", b"lcl|1_0"):
        done = merge(tmp_path, [text(name), text(name)], "--as-unsplit")
        assert done.code == OK and "once more" not in done.err, done.err


def test_lengths_count(tmp_path):
    """A title that several queries have."""
    text = xml("a")
    done = merge(tmp_path, [text, text.replace(b"-len>101<", b"-len>102<")], "--as-unsplit")
    assert (done.code, done.err) == (OK, "")


def test_tables_of_one_query(tmp_path):
    """One name is little to go by: pieces of a sequence may have it."""
    for make in (six, ten):
        check(tmp_path, [make("a"), make("a", hit="t")], SHARDS, is_error=False)
        check(tmp_path, [make("a"), make("a")], TWICE)


AGAIN = "rows of queries come once more behind others"


def cut(text, n_lines):
    return b"".join(text.splitlines(True)[:n_lines])


@pytest.mark.parametrize("make", [six, ten])
def test_a_run_once_more_in_one_table(tmp_path, make):
    """Appended by >>, begun again behind what a killed run had written, or with that run's last lines behind it."""
    names = [f"query{i}" * (1 + i % 7) for i in range(40)]
    text = make(*names)
    for again in (text + text, member(text) + member(text), cut(text, 3) + text, cut(text, 39) + text, text + cut(text, 1), text + cut(text, 2),
                  text + b"".join(text.splitlines(True)[-2:]), text + make(*names, hit="t")):
        check(tmp_path, [make("x", "y"), again, make("z")], AGAIN, "child_0001")
    done = merge(tmp_path, [make("x", "y"), text + text], "--as-unsplit")
    assert f"(at byte {len(text)} of its text" in done.err and "--sort none confirms it" in done.err, done.err
    done = merge(tmp_path, [text + text, make("z"), make("u", "v") * 2], "--report", tmp_path / "report")
    assert len(done.warnings) == 1 and done.warnings[0].endswith("; 1 more child is like that"), done.err
    report = json.loads((tmp_path / "report").read_bytes())
    assert [len(child["warnings"]) for child in report["children"]] == [1, 0, 1] and AGAIN in report["children"][0]["warnings"][0]


def test_a_run_once_more_at_any_byte(tmp_path):
    """Rows are read in blocks of 64 bytes: wherever these part them, it is seen, and nothing else is."""
    for width in range(1, 140):
        text = six("a" * width, "b", "c", "d")
        assert AGAIN in merge(tmp_path, [text + text]).err
        assert merge(tmp_path, [text]).err == ""


def test_a_run_once_more_whose_last_row_was_cut(tmp_path):
    """A csv row may have any number of fields, so that a cut one swallows the row behind it."""
    text = ten("a", "b", "c", "d")
    for length in range(len(cut(text, 2)) + 2, len(cut(text, 3))):  # behind the query's name
        assert AGAIN in merge(tmp_path, [text[:length] + text]).err, length


def test_rows_that_rightly_come_once_more(tmp_path):
    """Two queries of one name, and queries that BLAST has named."""
    for make in (six, ten):
        for names in (["a", "b", "c", "a", "d"], ["a", "b", "a", "c", "b", "d"], ["Query_1", "Query_2", "Query_1", "Query_2", "Query_3"]):
            assert AGAIN not in merge(tmp_path, [make(*names)], "--as-unsplit").err
    table = six("a", "a", "a") + b"\nSearch has CONVERGED!\n" + six("b", "b") + b"\nSearch has CONVERGED!\n"
    assert merge(tmp_path, [table], "--as-unsplit").err == ""  # PSI-BLAST: all rounds of a query, then the next


def test_a_run_once_more_in_a_long_table(tmp_path):
    """Whatever its length, the names of its begin and of its end are remembered."""
    text = six(*(f"q{i}" for i in range(20000)))
    lines = text.splitlines(True)
    for again in (text + text, text + cut(text, 500), text + b"".join(lines[-100:])):
        assert AGAIN in merge(tmp_path, [again]).err
    assert merge(tmp_path, [text]).err == ""


@pytest.mark.parametrize("separator", [b"\t", b","])
def test_tables_whose_names_say_which_column_is_the_query(tmp_path, separator):
    def make(*queries, hit=b"s"):
        return b"qseqid\tsseqid\tevalue\n".replace(b"\t", separator) + b"".join(separator.join([query, hit, b"1e-5\n"]) for query in queries)

    check(tmp_path, [make(b"a", b"b"), make(b"a", b"b", hit=b"t")], SHARDS, "child_0000", "child_0001")
    check(tmp_path, [make(b"a", b"b") + make(b"a", b"b", hit=b"t"), make(b"c")], AGAIN, "child_0000")
    other = [make(b"a", b"b", b"a", b"b").replace(b"qseqid", b"qlen"), make(b"c").replace(b"qseqid", b"qlen")]
    assert merge(tmp_path, other, "--as-unsplit").err == ""


def test_tables_of_other_columns(tmp_path):
    """Where nothing says which column is the query, only equal text tells."""
    one, other = b"s1\t5\ns2\t6\n", b"s1\t7\ns2\t8\n"
    assert merge(tmp_path, [one, other], "--format", "tabular", "--as-unsplit").err == ""
    done = merge(tmp_path, [one, other, member(one)], "--format", "tabular")
    assert len(done.warnings) == 1 and TWICE in done.warnings[0]


@pytest.mark.parametrize("make, name", [(six, "tabular"), (ten, "csv")])
def test_tables_whose_format_is_given(tmp_path, make, name):
    """Each child's own first row says whether its columns are BLAST's; of what is accepted nothing changes by that."""
    shards, other = [make("a", "b"), make("a", "b", hit="t")], b"x\t7\ny\t8\n".replace(b"\t", b"," if name == "csv" else b"\t")
    for children in (shards, [shards[0], other, shards[1]], [other, *shards]):
        done = merge(tmp_path, children, "--format", name, "--mismatch", "ignore", "--plain")
        assert done.code == OK and done.out == b"".join(children), done.err
        assert len(done.warnings) == 1 and SHARDS in done.warnings[0], done.err
    done = merge(tmp_path, shards, "--format", name, "--as-unsplit")
    assert done.code == MISMATCH and SHARDS in done.err
    changed = [make("a", "b"), make("a", "c").replace(b"99", b"N/A")]  # its second row is none of BLAST's own columns
    assert merge(tmp_path, changed, "--format", name, "--as-unsplit").err == ""


def test_long_tables(tmp_path):
    """Rows are taken in blocks, whose borders lie anywhere in a name."""
    for width in range(1, 70, 3):
        queries = [f"{'q' * width}_{number // 3}" for number in range(900)]
        first, other = six(*queries), six(*queries, hit="t")
        check(tmp_path, [first, other], SHARDS)
        queries[871] = "another"
        done = merge(tmp_path, [first, six(*queries)], "--as-unsplit")
        assert (done.code, done.err) == (OK, "")


def test_long_titles(tmp_path):
    """More bytes of a title than are looked at one by one."""
    for make in FORMATS.values():
        long = "x" * 400
        for length in (511, 512, 513, 4000):
            title = (long * 13)[:length]
            check(tmp_path, [make(title, "b"), make(title, "b")], TWICE)
            done = merge(tmp_path, [make(title, "b"), make(title + "x", "b")], "--as-unsplit")
            assert (done.code, done.err) == (OK, "")


def test_markup_in_titles(tmp_path):
    for title in ("a &amp; b", "a <!-- b --> c", "<![CDATA[a]]>", "a &#228; b", "\xe4"):
        check(tmp_path, [xml("a").replace(b">a<", b">%s<" % title.encode())] * 2, TWICE)
    different = [xml("a").replace(b">a<", b">a %s<" % other) for other in (b"&amp; b", b"&lt; b")]
    assert merge(tmp_path, different, "--as-unsplit").err == ""


def test_a_file_that_is_given_twice(tmp_path):
    """It is said once."""
    path = write_children(tmp_path, [xml("a")])[0]
    done = run(path, path)
    assert len(done.warnings) == 1 and "is given twice" in done.warnings[0]


def test_expected_queries_say_what_is_right(tmp_path):
    (tmp_path / "queries").write_text("a\na\n")
    done = merge(tmp_path, [xml("a"), xml("a")], "--as-unsplit", "--expect-queries", tmp_path / "queries")
    assert (done.code, done.err) == (OK, "")
    (tmp_path / "queries").write_text("a\nb\n")
    assert merge(tmp_path, [xml("a"), xml("a")], "--expect-queries", tmp_path / "queries").code == MISMATCH


def test_salvage(tmp_path):
    """Whole children are compared, what is left of damaged ones is not."""
    text = xml("a", "b", "c")
    done = merge(tmp_path, [text, member(text)], "--salvage")
    assert done.code == OK and TWICE in done.err
    damaged = text.replace(b"</Hit_hsps>", b"</Hit_hsp>", 1)
    done = merge(tmp_path, [damaged, damaged], "--salvage")
    assert done.code == 11 and "once more" not in done.err, done.err
    damaged = text + xml("d")[:-60]  # its first document is whole
    for children in ([damaged, text], [text, damaged], [damaged, damaged]):
        done = merge(tmp_path, children, "--salvage")
        assert done.code == 11 and "once more" not in done.err, done.err


def test_whole_children_in_batches(tmp_path):
    """The text's CRC-32 is put together from those of its stretches."""
    queries = [f"query {number}" for number in range(4000)]
    text = xml(*queries)
    assert len(text) > 10 * 131072
    other = bytearray(text)
    place = text.rindex(b"<Hsp_qseq>") + 10
    other[place] ^= 1
    for first in (text, member(text, level=0), bgzf(text)):
        for again in (text, member(text), b"".join(member(text[i:i + 70001]) for i in range(0, len(text), 70001))):
            assert TWICE in merge(tmp_path, [first, again]).err
        assert SHARDS in merge(tmp_path, [first, member(bytes(other))]).err
    done = merge(tmp_path, [member(text) + member(b"\n" + text)])
    assert SHARDS in done.err or TWICE in done.err
    assert TWICE in merge(tmp_path, [member(text + text)]).err


def test_very_many_documents(tmp_path):
    """What is kept has a bound, and what lies beyond is compared with the one before it."""
    documents = [xml("q%d" % number, hit="") for number in range(300)]
    one = gzip.compress(b"".join(xml("d%d" % number, hit="") for number in range(65536)), 1)
    paths = write_children(tmp_path, [one, documents[0], documents[1], documents[1], documents[0]])
    done = run("--report", tmp_path / "report", *paths)
    report = json.loads((tmp_path / "report").read_bytes())
    assert done.code == OK and "child_0003" in done.warnings[0] and len(done.warnings) == 1, done.err
    assert any("among the first 65536 documents" in warning for warning in report["warnings"])
    assert report["peak_memory"] <= 16 << 20


def test_damage_is_still_damage(tmp_path):
    text = xml("a")
    cut = member(text)[:-20]
    with pytest.raises(zlib.error):
        zlib.decompress(cut, 31)
    assert merge(tmp_path, [text, cut]).code == DATA


def test_names_of_numbers(tmp_path):
    """Gene finders name what they find 1_1, 1_2: these are names, as old BLAST's 1_0 in ids is none."""
    text = b"".join(b"1_%d\ts1\t99.0\t10\t0\t0\t1\t10\t1\t10\t1e-5\t50\n" % number for number in (1, 2))
    done = run(*write_children(tmp_path, [text, text]))
    assert done.code == OK and TWICE in done.err, done.err


def test_titles_beyond_what_is_kept(tmp_path):
    """Of a long title the beginning and the length count, whether it comes in one piece or lies in two batches."""
    title = b"t" * 700
    check(tmp_path, [xml("a").replace(b">a<", b">%s<" % title)] * 2, TWICE)
    longer = [xml("a").replace(b">a<", b">%s<" % other) for other in (title, title + b"u")]
    assert merge(tmp_path, longer, "--as-unsplit").err == ""
    text = xml("a").replace(b">a<", b">%s<" % title)
    filler = b"<!--" + b"x" * (131072 - text.index(title) - 300) + b"-->"
    shifted = text.replace(b"<BlastOutput_iterations>", filler + b"<BlastOutput_iterations>", 1)
    done = merge(tmp_path, [text, shifted])
    assert SHARDS in done.err and done.code == OK, done.err


OF_LENGTHS = pytest.mark.parametrize("make", [xml, xml2, as_json], ids=["xml", "xml2", "json"])


@OF_LENGTHS
def test_some_queries_come_again(make, tmp_path):
    """A rerun of some queries beside what it was to replace: no document is another one's, and the queries are there twice."""
    names = [f"query{i}" for i in range(20)]
    children = [make(*names[:10]), make(*names[10:]), make(*names[4:8], "more")]
    for command, options in (("check", []), ("merge", ["--as-unsplit"]), ("merge", ["--level", "1"])):
        done = run(command, *options, "--report", tmp_path / "report", "-f", *write_children(tmp_path, children))
        assert done.code == OK and len(done.warnings) == 1, done.err
        assert "child_0002" in done.err and "4 queries that came before, by name and length" in done.err
        assert [len(child["warnings"]) for child in json.loads((tmp_path / "report").read_bytes())["children"]] == [0, 0, 1]
    # in one child, document after document
    done = run("check", *write_children(tmp_path, [member(children[0]) + member(children[1]) + member(children[2])]))
    assert done.code == OK and "4 queries that came before" in done.err
    # whole documents have their own warning
    done = run("check", *write_children(tmp_path, [children[0], children[1], children[0]]))
    assert len(done.warnings) == 1 and TWICE in done.err
    # where the queries that were searched are given, they decide
    (tmp_path / "queries").write_text("\n".join(names))
    done = run("check", "--expect-queries", tmp_path / "queries", *write_children(tmp_path, children))
    assert done.code == MISMATCH and "came before" not in done.err


@OF_LENGTHS
def test_what_is_no_repetition(make, tmp_path):
    """A single query of a name that another has; rounds of PSI-BLAST; the same names with other lengths."""
    names = [f"query{i}" for i in range(8)]
    for children in ([make(*names), make("a", names[2], "b", names[5], "c")], [make(*[name for name in names for _ in range(3)])],
                     [make(*names), make(*names[2:5]).replace(b"106", b"206")]):
        done = run("check", *write_children(tmp_path, children))
        assert done.code == OK and "came before" not in done.err, done.err
    # a child with a fault is not in the result: what was in it may come again
    done = run("check", *write_children(tmp_path, [make(*names)[:-40], make(*names[2:6])]))
    assert done.code == DATA and "came before" not in done.err
