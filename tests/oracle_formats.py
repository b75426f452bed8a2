# SPDX-License-Identifier: MIT
"""oracle_formats - what oracle.py is for BLAST XML, for the other formats: docs/formats.md, worked out slowly and plainly.

It shares nothing with the program, nor with corpus_formats.py: zlib inflates, expat and json judge, and texts are cut with
regular expressions. It knows children as BLAST writes them (no comments in XML2, one document in a file), whole, damaged in
their gzip data or cut short; not plain text that was changed in the middle.
"""
import json
import re
import zlib
from xml.parsers import expat

from oracle import Refused, read_child

TAG = re.compile(rb"<BlastXML2[^>]*>[ \t\r]*\n?")
LAST_LINE = re.compile(rb"# BLAST processed (\d+) queries\n\Z")
PART = re.compile(rb"(# [A-Z]+ [^\n]+\n# Query:[^\n]*\n# Database: [^\n]+\n(?:# Fields: [^\n]+\n)?# (\d+) hits found\n)"
                  rb"((?:[^#\n][^\n]*\n)*)")


def renumbered(pattern, bodies):
    """The numbers of Query_N counted on from document to document."""
    before, changed = 0, []
    for body in bodies:
        numbers = [int(number) for number in re.findall(pattern % rb"(\d+)", body)]
        changed.append(re.sub(pattern % rb"(\d+)", lambda found, before=before: found.group().replace(
            b"Query_" + found.group(1), b"Query_%d" % (int(found.group(1)) + before)), body))
        before += max(numbers, default=0)
    return changed


def merge_xml2(texts, renumber):
    bodies = []
    for text in texts:
        try:
            expat.ParserCreate().Parse(text, True)
        except expat.ExpatError as error:
            raise Refused(f"not well-formed: {error}") from error
        tag = TAG.search(text)
        if tag is None:
            raise Refused("not BlastXML2")
        bodies.append((text[:tag.end()], text[tag.end():text.rindex(b"</BlastXML2>")], text[text.rindex(b"</BlastXML2>"):]))
    inner = [body for _, body, _ in bodies]
    if renumber:
        inner = renumbered(rb"<query-id>Query_%s</query-id>", inner)
    return bodies[0][0] + b"\n".join(inner) + bodies[0][2]


def merge_json(texts, renumber):
    inner = []
    for text in texts:
        try:
            reports = json.loads(text)["BlastOutput2"]
        except (ValueError, KeyError, TypeError) as error:
            raise Refused(f"not BLAST's JSON: {error}") from error
        assert reports, "a document without a report is not for this oracle"
        start = text.index(b"{", text.index(b"["))
        inner.append(text[start:text.rindex(b"]")])
    if renumber:
        inner = renumbered(rb'"query_id": "Query_%s"', inner)
    first = texts[0]
    return first[:first.index(b"{", first.index(b"["))] + b",\n".join(inner) + first[first.rindex(b"]"):]


def merge_commented(texts, _):
    bodies, n_queries = [], 0
    for text in texts:
        last = LAST_LINE.search(text)
        if last is None:
            raise Refused("the last line is not there")
        position, n_parts = 0, 0
        while position < last.start():
            part = PART.match(text, position)
            if part is None or part.group(3).count(b"\n") != int(part.group(2)):
                raise Refused("a part is not as it says")
            position, n_parts = part.end(), n_parts + 1
        if n_parts != int(last.group(1)):
            raise Refused("another number of queries")
        bodies.append(text[:last.start()])
        n_queries += n_parts
    return b"".join(bodies) + b"# BLAST processed %d queries\n" % n_queries


def ended(text, separator):
    """The text, with the line feed that its last line lacks if that is whole: its last field is no number that breaks off."""
    last = text.rsplit(b"\n", 1)[-1].split(separator)
    is_whole = len(last) == 12 and last[-1] and not re.search(rb"(^|\d)[-+.]$|\d[eE][-+]?$", last[-1])
    return text + b"\n" if is_whole else text


def merge_rows(texts, separator):
    n_columns = set()
    texts = [ended(text, separator) for text in texts]
    for text in texts:
        if not text.endswith(b"\n") or re.search(rb"[\x00-\x08\x0b-\x1f]", text):
            raise Refused("the last line has no end, or there are control characters")
        lines = text[:-1].split(b"\n")
        n_columns |= {line.count(separator) for line in lines}
    if n_columns != {11}:
        raise Refused(f"rows of {n_columns} columns")
    return b"".join(texts)


MERGES = {"xml2": merge_xml2, "json": merge_json, "commented": merge_commented,
          "tabular": lambda texts, _: merge_rows(texts, b"\t"), "csv": lambda texts, _: merge_rows(texts, b",")}


def merge(name, children, allow_empty=False, renumber=True):
    """The merged text of children, given as the bytes of their files. Raises Refused. Ids Query_N are all BLAST's own."""
    texts = []
    for child in children:
        try:
            text = read_child(child)
        except zlib.error as error:
            raise Refused(str(error)) from error
        if not text and not allow_empty:
            raise Refused("empty")
        texts += [text] * bool(text)
    if not texts:
        raise Refused("all children are empty")
    return MERGES[name](texts, renumber)
