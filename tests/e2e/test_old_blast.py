# SPDX-License-Identifier: MIT
"""Old BLAST XML: a document for each query, which is named in the header alone."""
import json
import re

import certain
import oracle
import pytest
from forms import member
from program import DATA, MISMATCH, OK, run, same_as_oracle, write_children

LAYOUTS = {"lines": "\n  ", "one line": "", "returns": "\r\n\t"}


def text(*titles, program="blastp", identity="lcl|1_0", number=True, first="<Iteration_hits></Iteration_hits>", between="\n  ", names=True):
    """A document with an Iteration for each title, of which the header has the first."""
    header = (f"  <BlastOutput_query-ID>{identity}</BlastOutput_query-ID>\n  <BlastOutput_query-def>{titles[0]}</BlastOutput_query-def>\n"
              f"  <BlastOutput_query-len>{len(titles[0])}</BlastOutput_query-len>\n") if names else ""
    iterations = "".join(f"<Iteration>{between}" + (f"<Iteration_iter-num>{i}</Iteration_iter-num>{between}" if number else "") +
                         f"{first}\n</Iteration>\n" for i, _ in enumerate(titles, 1))
    return (f'<?xml version="1.0"?>\n<BlastOutput>\n  <BlastOutput_program>{program}</BlastOutput_program>\n'
            f"  <BlastOutput_version>blastp 2.2.10 [Oct-19-2004]</BlastOutput_version>\n  <BlastOutput_db>nr</BlastOutput_db>\n{header}"
            f"<BlastOutput_iterations>\n{iterations}</BlastOutput_iterations>\n</BlastOutput>\n").encode()


def names_of(merged):
    """For each Iteration its number, and id, title and length of its query."""
    found = []
    for iteration in re.findall(rb"<Iteration>.*?</Iteration>", merged, re.DOTALL):
        found.append([match[1].decode() if (match := re.search(rb"<Iteration_%s>(.*?)</Iteration_%s>" % (name, name), iteration, re.DOTALL)) else None
                      for name in (b"iter-num", b"query-ID", b"query-def", b"query-len")])
    return found


@pytest.mark.parametrize("between", LAYOUTS.values(), ids=LAYOUTS)
@pytest.mark.parametrize("number", [True, False])
def test_names_are_inserted(tmp_path, between, number):
    children = [member(text("one", between=between, number=number)), text("two b", between=between, number=number),
                text("three", between=between, number=number) + text("four", between=between, number=number)]
    for arguments in ([], ["--threads", "1", "--level", "1"]):
        done = same_as_oracle(tmp_path, children, *arguments)
        assert names_of(done.text) == [["1", "lcl|1_0", "one", "3"], ["2", "lcl|1_0", "two b", "5"], ["3", "lcl|1_0", "three", "5"],
                                       ["4", "lcl|1_0", "four", "4"]]
        assert done.err == ""
    again = tmp_path / "again"
    again.write_bytes(done.text)
    assert run(again).text == done.text


def test_layout(tmp_path):
    merged = same_as_oracle(tmp_path, [text("one")]).text
    assert (b"<Iteration>\n  <Iteration_iter-num>1</Iteration_iter-num>\n  <Iteration_query-ID>lcl|1_0</Iteration_query-ID>\n"
            b"  <Iteration_query-def>one</Iteration_query-def>\n  <Iteration_query-len>3</Iteration_query-len>\n"
            b"  <Iteration_hits></Iteration_hits>\n</Iteration>\n") in merged
    for number in (True, False):
        same_as_oracle(tmp_path, [text("one", first="", number=number), text("two", first="<!-- c -->", number=number)])
    empty = text("one").replace(text("one")[text("one").index(b"<Iteration>"):text("one").index(b"</BlastOutput_iter")], b"<Iteration/>")
    assert names_of(same_as_oracle(tmp_path, [empty, empty.replace(b"one", b"two")]).text)[1] == ["2", "lcl|1_0", "two", "3"]


def test_names_that_are_there_stay(tmp_path):
    """Any of the three says that the Iteration names its query."""
    for element in ("<Iteration_query-ID>x</Iteration_query-ID>", "<Iteration_query-def/>", "<Iteration_query-len>3</Iteration_query-len>"):
        children = [text("one", first=element), text("two", first=element)]
        assert b"".join(children).count(b"Iteration_query") == same_as_oracle(tmp_path, children).text.count(b"Iteration_query")


def test_of_the_first_iteration_alone(tmp_path):
    """The header names the first query; only PSI-BLAST's Iterations are all of one."""
    assert [names[2] for names in names_of(same_as_oracle(tmp_path, [text("one", "two"), text("three", "four")]).text)] == ["one", None, "three", None]
    for program in ("blastpgp", "psiblast"):
        children = [text("one", "", "", program=program), text("two", "", program=program)]
        assert [names[2] for names in names_of(same_as_oracle(tmp_path, children).text)] == ["one"] * 3 + ["two"] * 2


def test_nothing_is_known(tmp_path):
    children = [text("one", names=False), text("two", names=False)]
    assert b"Iteration_query" not in same_as_oracle(tmp_path, children).text


def test_generated_ids_are_counted_on(tmp_path):
    children = [text(title, identity="Query_1") for title in ("one", "two", "three")]
    for arguments in (["--query-ids", "auto"], ["--query-ids", "renumber"], ["--as-unsplit"]):
        assert [names[1] for names in names_of(run(*arguments, *write_children(tmp_path, children)).text)] == ["Query_1", "Query_2", "Query_3"]
    assert [names[1] for names in names_of(run("--query-ids", "keep", *write_children(tmp_path, children)).text)] == ["Query_1"] * 3


def test_titles_of_all_kinds(tmp_path):
    """As they stand in the text, but for what is converted."""
    for title in ("a &amp; b", "<![CDATA[a < b]]>", "a <!-- b --> c", "x" * 1024, ""):
        same_as_oracle(tmp_path, [text("one"), text(title)])
    latin = [text("one").replace(b'"1.0"', b'"1.0" encoding="ISO-8859-1"'), text("caf\xe9 \xff".encode("latin-1").decode("latin-1")).decode()
             .encode("latin-1").replace(b'"1.0"', b'"1.0" encoding="ISO-8859-1"')]
    assert "<Iteration_query-def>caf\xe9 \xff</Iteration_query-def>".encode() in same_as_oracle(tmp_path, latin).text
    broken = [text("one"), text("@").replace(b">@<", b">caf\xe9 \xe2\x82 \xe2\x82\xac<")]
    assert run(*write_children(tmp_path, broken)).code == DATA
    for policy in ("latin1", "keep"):
        done = run("--invalid-utf8", policy, *write_children(tmp_path, broken))
        assert done.text == oracle.merge(broken, invalid_utf8=policy, query_ids="auto")
        title = re.search(rb"<Iteration_query-def>(caf.*?)</", done.text)[1]
        assert title == (b"caf\xe9 \xe2\x82 \xe2\x82\xac" if policy == "keep" else "caf\xe9 \xe2\x82 \u20ac".encode())
    forbidden = [text("one"), text("a\x01b &#x2; c")]
    done = run("--forbidden-characters", "replace", *write_children(tmp_path, forbidden))
    assert "<Iteration_query-def>a\ufffdb \ufffd c</Iteration_query-def>".encode() in done.text


def test_titles_that_are_too_long(tmp_path):
    """What is longer than what is kept of a header cannot be inserted: that is said, and is an error where the result is
    to be an unsplit run's."""
    children = [text("one"), text("x" * 1025), text("y" * 5000), text("four")]
    done = run("--report", tmp_path / "report", *write_children(tmp_path, children))
    assert done.code == OK and len(done.warnings) == 1, done.err
    assert "child_0001" in done.warnings[0] and "longer than 1024 bytes" in done.warnings[0] and "1 more child is like that" in done.warnings[0]
    assert [names[2:] for names in names_of(done.text)] == [["one", "3"], [None, "1025"], [None, "5000"], ["four", "4"]]
    assert len(json.loads((tmp_path / "report").read_bytes())["children"][2]["warnings"]) == 1
    done = run("--as-unsplit", *write_children(tmp_path, children))
    assert done.code == MISMATCH and "child_0001" in done.err and "longer than 1024 bytes" in done.err
    assert run("--as-unsplit", *write_children(tmp_path, [children[1]])).err == ""


def test_the_same_query_twice(tmp_path):
    done = run("--as-unsplit", *write_children(tmp_path, [text("one", first="<Iteration_hits><Hit></Hit></Iteration_hits>")] * 2))
    assert done.code == MISMATCH and "the same run twice" in done.err


@pytest.mark.parametrize("form", [bytes, member])
def test_many_documents(tmp_path, form):
    """Names outlive the pieces in which the text is read."""
    children = [b"".join(text(f"query {child} {number}" + "x" * (number % 900)) for number in range(700)) for child in range(2)]
    merged = same_as_oracle(tmp_path, [form(child) for child in children]).text
    assert [names[2].rstrip("x") for names in names_of(merged)] == [f"query {child} {number}" for child in range(2) for number in range(700)]


def test_salvage(tmp_path):
    children = [text("one"), text("two") + text("three").replace(b"</Iteration>", b"</Iteratio>", 1) + text("four")]
    done = run("--salvage", *write_children(tmp_path, children))
    assert done.code == 11 and [names[2] for names in names_of(done.out and run("--plain", "--salvage", *write_children(tmp_path, children)).out)][:2] == ["one", "two"]


def test_salvage_within_a_document(tmp_path):
    """PSI-BLAST's rounds are all of the header's query, also behind what is lost."""
    rounds = text("one", "", "", "", program="blastpgp")
    parts = rounds.split(b"</Iteration>")
    damaged = b"</Iteration>".join([parts[0], parts[1].replace(b"</Iteration_hits>", b"</Iteration_hit>"), *parts[2:]])
    done = run("--plain", "--salvage", *write_children(tmp_path, [damaged]))
    assert done.code == 11, done.err
    assert [names[1:] for names in names_of(done.out)] == [["lcl|1_0", "one", "3"]] * 3


def test_salvage_without_a_header(tmp_path):
    """Whose such an Iteration is nobody can tell: it is not merged under another one's header."""
    def broken(*titles, **options):
        return text(*titles, **options).replace(b"<BlastOutput_db>", b"<BlastOutput_d>")
    for children, names in (([broken("one") + text("two"), text("three")], ["two", "three"]),
                            ([text("one") + broken("two") + text("three"), broken("four")], ["one", "three"]),
                            ([broken("one", "", "", program="blastpgp"), text("two", "", program="blastpgp")], ["two", "two"]),
                            ([text("one") + broken("two", first="<Iteration_query-def>own</Iteration_query-def>")], ["one", "own"])):
        done = run("--plain", "--salvage", "--mismatch", "ignore", *write_children(tmp_path, children))
        assert done.code == 11 and [query[2] for query in names_of(done.out)] == names, done.err
        assert done.out.split() == certain.merge(children)[0].split()
    done = run("--plain", "--salvage", *write_children(tmp_path, [broken("one"), broken("two") + broken("three")]))
    assert done.code == DATA and "nothing could be salvaged" in done.err


def test_salvage_tells_queries(tmp_path):
    """They are named in warnings as their headers name them."""
    damaged = text("one a") + text("two") + text("three").replace(b"</Iteration>", b"</Iteratio>", 1) + text("four")
    assert run("--salvage", "--report", tmp_path / "report", "-o", tmp_path / "merged.gz", *write_children(tmp_path, [damaged])).code == 11
    lost = json.loads((tmp_path / "report").read_bytes())["children"][0]["lost"]
    assert [(hole["query_before"], hole["queries"], hole["query_after"]) for hole in lost] == [("two", ["three"], "four")]


def test_expected_queries(tmp_path):
    """They are found in the header, too."""
    queries = tmp_path / "queries"
    children = [text("one"), text("two b") + text("three"), text("four", "", program="blastpgp")]
    queries.write_text("one\ntwo\nthree\nfour\n")
    assert run("--mismatch", "warn", "--expect-queries", queries, *write_children(tmp_path, children)).code == OK
    queries.write_text("one\ntwo\nother\nfour\n")
    done = run("--mismatch", "warn", "--expect-queries", queries, *write_children(tmp_path, children))
    assert done.code == MISMATCH and "but number 3 of" in done.err
