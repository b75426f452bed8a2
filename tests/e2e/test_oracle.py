# SPDX-License-Identifier: MIT
"""The oracle itself, against results written by hand."""
import bz2
import gzip
import zlib

import pytest

from oracle import Refused, merge, read_child

HEAD = b"""<?xml version="1.0"?>
<!DOCTYPE BlastOutput PUBLIC "-//NCBI//NCBI BlastOutput/EN" "x.dtd">
<BlastOutput>
  <BlastOutput_program>blastp</BlastOutput_program>
  <BlastOutput_db>nr</BlastOutput_db>
<BlastOutput_iterations>
"""
NEW_HEAD = HEAD.replace(b">nr<", b">merged split-query child results<")
FOOT = b"</BlastOutput_iterations>\n</BlastOutput>\n\n"


def iteration(number, rest=b""):
    return b"<Iteration>\n  <Iteration_iter-num>%d</Iteration_iter-num>\n%s</Iteration>\n" % (number, rest)


def document(*parts):
    return HEAD + b"".join(parts) + FOOT


def result(*parts):
    return NEW_HEAD + b"".join(parts) + FOOT


def test_numbers_run_on():
    children = [document(iteration(1), iteration(2)), document(iteration(1, b"x")), document(iteration(7))]
    assert merge(children) == result(iteration(1), iteration(2), iteration(3, b"x"), iteration(4))


def test_header_and_epilogue_are_the_first_documents():
    first = document(iteration(1)).replace(b"</BlastOutput>\n\n", b"</BlastOutput><!--a-->")
    second = document(iteration(1)).replace(b"blastp", b"blastn").replace(b"</BlastOutput>\n\n", b"</BlastOutput>")
    expected = NEW_HEAD + iteration(1) + iteration(2) + b"</BlastOutput_iterations>\n</BlastOutput><!--a-->"
    assert merge([first, second]) == expected


@pytest.mark.parametrize("options, content", [
    ({}, b"merged split-query child results"),
    ({"database": "a<b>&\"c"}, b"a&lt;b&gt;&amp;\"c"),
    ({"keep_database": True}, b"nr"),
])
def test_database(options, content):
    assert merge([document()], **options) == HEAD.replace(b">nr<", b">" + content + b"<") + FOOT


def test_database_forms():
    empty_tag = HEAD.replace(b"<BlastOutput_db>nr</BlastOutput_db>", b"<BlastOutput_db />")
    assert merge([empty_tag + FOOT], database="d") == HEAD.replace(
        b"<BlastOutput_db>nr</BlastOutput_db>", b"<BlastOutput_db >d</BlastOutput_db>") + FOOT
    none = HEAD.replace(b"  <BlastOutput_db>nr</BlastOutput_db>\n", b"")
    assert merge([none + FOOT]) == none + FOOT
    marked_up = HEAD.replace(b">nr<", b"><!--a-->n<![CDATA[<r]]><")
    assert merge([marked_up + FOOT]) == NEW_HEAD + FOOT


def test_first_line_and_last_indentation():
    first = b"<BlastOutput>\n <BlastOutput_iterations>\t\r\n%s \t</BlastOutput_iterations>\n</BlastOutput>"
    second = b"<BlastOutput><BlastOutput_iterations> \n%s   </BlastOutput_iterations></BlastOutput>"
    expected = (b'<?xml version="1.0"?>\n<BlastOutput>\n <BlastOutput_iterations>\t\r\n' + iteration(1) + iteration(2)
                + b" \t</BlastOutput_iterations>\n</BlastOutput>")
    assert merge([first % iteration(1), second % iteration(1)]) == expected


def test_too_many_blanks_are_text():
    """4096 bytes are the most; in the first line its end is among them."""
    numbered = b"<Iteration><Iteration_iter-num>%d</Iteration_iter-num></Iteration>"
    text = b"<BlastOutput><BlastOutput_iterations>%s\n<Iteration/></BlastOutput_iterations></BlastOutput>"
    start = b'<?xml version="1.0"?>\n<BlastOutput><BlastOutput_iterations>'
    end = b"</BlastOutput_iterations></BlastOutput>"
    for n_blanks, kept in ((4095, b""), (4096, b" " * 4096 + b"\n")):
        first = text % (b" " * n_blanks)
        assert merge([first, first]) == (start + b" " * n_blanks + b"\n" + numbered % 1 + (kept or b"\n") + numbered % 2
                                         + end)
    blanks = b" " * 4097
    last = text.replace(b"<Iteration/>", b"<Iteration/>" + blanks) % b""
    assert merge([last] * 2) == start + b"\n" + numbered % 1 + blanks + b"\n" + numbered % 2 + blanks + end


def test_joined_lines():
    def bare(body):
        return b"<BlastOutput><BlastOutput_iterations>" + body + b"</BlastOutput_iterations></BlastOutput>"
    one = b"<Iteration><Iteration_iter-num>%d</Iteration_iter-num></Iteration>"
    start = b'<?xml version="1.0"?>\n<BlastOutput><BlastOutput_iterations>'
    end = b"</BlastOutput_iterations></BlastOutput>"
    assert merge([bare(one % 1 + one % 2), bare(one % 1)]) == start + one % 1 + one % 2 + b"\n" + one % 3 + end
    # The newline may come from either side, also out of a document that has no Iteration after it.
    assert merge([bare(one % 1 + b"\n"), bare(one % 1)]) == start + one % 1 + b"\n" + one % 2 + end
    assert merge([bare(one % 1), bare(b"x\n" + one % 1)]) == start + one % 1 + b"x\n" + one % 2 + end
    # No Iteration before: nothing to be kept apart. A document without Iterations adds nothing.
    assert merge([bare(b"x"), bare(one % 1)]) == start + b"x" + one % 1 + end
    assert merge([bare(one % 1), bare(b"x\n"), bare(one % 1)]) == start + one % 1 + b"\n" + one % 2 + end


@pytest.mark.parametrize("old, new", [
    (b"<Iteration_iter-num>abc</Iteration_iter-num>", b"<Iteration_iter-num>1</Iteration_iter-num>"),
    (b"<Iteration_iter-num> 9<!--x--> </Iteration_iter-num >", b"<Iteration_iter-num>1</Iteration_iter-num >"),
    (b"<Iteration_iter-num/>", b"<Iteration_iter-num>1</Iteration_iter-num>"),
    (b"<Iteration_iter-num  />", b"<Iteration_iter-num  >1</Iteration_iter-num>"),
    (b"<Iteration_iter-num>5</Iteration_iter-num> <Iteration_iter-num>6</Iteration_iter-num> \n <a/>",
     b"<Iteration_iter-num>1</Iteration_iter-num> <a/>"),
    (b"\n  <a/>", b"\n  <Iteration_iter-num>1</Iteration_iter-num>\n  <a/>"),
    (b"\n \t<a/>", b"\n \t<Iteration_iter-num>1</Iteration_iter-num>\n  <a/>"),
    (b"x <a/>", b"x <Iteration_iter-num>1</Iteration_iter-num><a/>"),
    (b"\n<!----> <a/>", b"\n<!----> <Iteration_iter-num>1</Iteration_iter-num><a/>"),
    (b"\n  <a/>\n  <Iteration_iter-num>7</Iteration_iter-num>\n  <b/>",
     b"\n  <Iteration_iter-num>1</Iteration_iter-num>\n  <a/>\n  <b/>"),
    (b"", b"<Iteration_iter-num>1</Iteration_iter-num>"),
    (b"\n ", b"\n <Iteration_iter-num>1</Iteration_iter-num>\n "),
    (b"<a><Iteration_iter-num>7</Iteration_iter-num></a>",
     b"<Iteration_iter-num>1</Iteration_iter-num><a><Iteration_iter-num>7</Iteration_iter-num></a>"),
])
def test_forms_of_numbers(old, new):
    assert merge([document(b"<Iteration>" + old + b"</Iteration>")]) == result(b"<Iteration>" + new + b"</Iteration>")


def test_wide_margin_is_cut():
    margin = b" " * 100
    text = document(b"<Iteration>\n" + margin + b"<a/></Iteration>")
    assert merge([text]) == result(b"<Iteration>\n" + margin + b"<Iteration_iter-num>1</Iteration_iter-num>\n"
                                   + b" " * 64 + b"<a/></Iteration>")


def test_no_iterations_in_first_document():
    empty = b"<BlastOutput>\n<BlastOutput_iterations />\n</BlastOutput>\n"
    assert merge([empty, document(iteration(1))]) == (
        b'<?xml version="1.0"?>\n<BlastOutput>\n<BlastOutput_iterations >\n' + iteration(1)
        + b"</BlastOutput_iterations>\n</BlastOutput>\n")


def test_several_documents_in_a_child():
    both = document(iteration(1), iteration(2)) + document(iteration(1))
    assert merge([both]) == result(iteration(1), iteration(2), iteration(3))
    spaced = document(iteration(1)) + b"\n<!--c-->\n\xef\xbb\xbf" + document(iteration(1))
    assert merge([spaced]) == NEW_HEAD + iteration(1) + iteration(2) + FOOT + b"\n<!--c-->\n"


def test_encodings():
    latin = HEAD.replace(b'"1.0"?', b'"1.0" encoding="ISO-8859-1"?') + iteration(1, b"caf\xe9") + FOOT
    assert merge([latin]) == result(iteration(1, "café".encode()))
    euro = HEAD.replace(b'"1.0"?', b'"1.0" encoding="windows-1252"?') + iteration(1, b"\x80") + FOOT
    assert merge([document(iteration(1)), euro]) == result(iteration(1), iteration(2, "€".encode()))
    with pytest.raises(Refused, match="utf-16"):
        merge([document().replace(b'"1.0"?', b'"1.0" encoding="UTF-16"?')])


def test_invalid_utf8():
    text = document(iteration(1, b"a\xe9b \xe2\x82 \xe2\x82\xac \xed\xa0\x80"))
    with pytest.raises(Refused, match="not UTF-8"):
        merge([text])
    assert merge([text], invalid_utf8="keep") == text.replace(HEAD, NEW_HEAD)
    assert merge([text], invalid_utf8="latin1") == result(
        iteration(1, "aéb â\x82 € í\xa0\x80".encode()))


def test_bom_and_missing_declaration():
    assert merge([b"\xef\xbb\xbf" + document()]) == result()
    bare = HEAD.split(b"\n", 1)[1] + FOOT
    assert merge([b"\xef\xbb\xbf" + bare]) == result()
    assert merge([b" \n" + bare]) == b'<?xml version="1.0"?>\n \n' + result().split(b"\n", 1)[1]


def test_epilogue():
    stat = b"\n  <BlastOutput_mbstat>\n  </BlastOutput_mbstat>\r\n</BlastOutput>"
    first = HEAD + iteration(1) + b"</BlastOutput_iterations>" + stat
    assert merge([first]) == NEW_HEAD + iteration(1) + b"</BlastOutput_iterations>" + stat
    assert merge([first, document()]) == NEW_HEAD + iteration(1) + b"</BlastOutput_iterations>\r\n</BlastOutput>"
    padding = b" " * (4096 - len("</BlastOutput_iterations></BlastOutput>"))
    fitting = HEAD + b"</BlastOutput_iterations>" + padding + b"</BlastOutput>"
    assert merge([fitting]) == NEW_HEAD + fitting[len(HEAD):]
    assert merge([fitting + b" "]) == result()


def test_compressed_forms():
    text = document(iteration(1))
    half = len(text) // 2
    several = gzip.compress(text[:half]) + b"\0\0" + gzip.compress(b"") + gzip.compress(text[half:]) + bytes(512)
    assert read_child(several) == read_child(gzip.compress(text)) == read_child(text) == text
    damaged = bytearray(gzip.compress(text))
    damaged[-6] ^= 1
    for child in (several + b"x", gzip.compress(text)[:-1], bytes(damaged), zlib.compress(text), bz2.compress(text)):
        with pytest.raises(Refused):
            merge([child])


def test_empty_children():
    with pytest.raises(Refused, match="empty"):
        merge([document(), b""])
    assert merge([b"", gzip.compress(b""), document(iteration(3))], allow_empty=True) == result(iteration(1))
    with pytest.raises(Refused, match="all children are empty"):
        merge([b""], allow_empty=True)


@pytest.mark.parametrize("text", [
    document(b"<a>&auml;</a>"), document(b"&#1;"), document(b"\x01"), document(b"<a>"), document(b"<a></b>"),
    document(b"<a b='1' b='2'/>"), document(b"]]>"), document() + b"x", document() + b"<a/>", b"<a/>", b" ",
    document()[:-20], b"<BlastOutput></BlastOutput>", HEAD.replace(b'"x.dtd"', b'"x.dtd" []') + FOOT,
    b"{}", document(b"</BlastOutput_iterations><BlastOutput_iterations>"),
])
def test_refused(text):
    with pytest.raises(Refused):
        merge([text])
