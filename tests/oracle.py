#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""oracle - the text that a merge must come to, worked out slowly and plainly.

It shares nothing with the program: a child is read whole, zlib inflates it, expat says whether it is
well-formed, a tree of its elements is made, and from the tree a list of changes. What it does not judge:
whether children belong together (--mismatch, names), and the program's ceilings (docs/limits.md).

    oracle.py [--db TEXT | --keep-db] [--allow-empty] [--invalid-utf8 POLICY] [--forbidden-characters POLICY]
              [--query-ids POLICY] [--as-unsplit] CHILD... > merged.xml
"""
import argparse
import re
import sys
import zlib
from dataclasses import dataclass, field
from xml.parsers import expat

DATABASE = "merged split-query child results"
PLAIN_EPILOGUE = b"</BlastOutput_iterations>\n</BlastOutput>\n\n"
DECLARATION = b'<?xml version="1.0"?>'
BOM = b"\xef\xbb\xbf"
BLANK_LIMIT = 4096  # more blanks than that are neither indentation nor the rest of a line
NAME_LIMIT = 1024  # more of a header's field is not kept
MARGIN_LIMIT = 64  # an inserted number is indented by no more than that
EPILOGUE_LIMIT = 4096
HOLD_LIMIT = 4096  # a longer body is copied though it holds no Iteration: nobody can hold it back

# Encodings that are converted, by the names that documents give them, in small letters.
CONVERTED = {"iso-8859-1": "latin-1", "iso-8859-15": "iso-8859-15", "windows-1252": "cp1252",
             "us-ascii": "ascii"}


class Refused(Exception):
    """The merge is refused: a child is damaged, or is not BLAST XML (exit code 3)."""


@dataclass
class Options:
    database: str = DATABASE
    keep_database: bool = False
    allow_empty: bool = False
    invalid_utf8: str = "error"
    forbidden_characters: str = "error"
    query_ids: str = "auto"
    as_unsplit: bool = False

    def __post_init__(self):
        if self.as_unsplit:
            self.keep_database = self.database == DATABASE
            self.invalid_utf8 = self.forbidden_characters = "keep"
            assert self.query_ids != "keep"


# --- bytes -> text -----------------------------------------------------------------------------------


def read_child(data):
    """The text of a child: gzip members with zero bytes after them, or the bytes themselves."""
    if not data.startswith(b"\x1f\x8b"):
        return data
    text = []
    while data:
        member = zlib.decompressobj(31)
        try:
            text.append(member.decompress(data))
        except zlib.error as error:
            raise Refused(f"damaged gzip: {error}") from error
        if not member.eof:
            raise Refused("cut short")
        data = member.unused_data.lstrip(b"\0")
    return b"".join(text)


def to_utf8(raw, encoding, invalid_utf8):
    """Bytes of a document as the result has them."""
    if encoding != "utf-8":
        try:
            return raw.decode(encoding).encode()
        except UnicodeDecodeError as error:
            raise Refused(f"not {encoding}: {error}") from error
    if invalid_utf8 == "keep":
        return raw
    text, position = [], 0
    while position < len(raw):
        try:
            text.append(raw[position:].decode())
            break
        except UnicodeDecodeError as error:
            if invalid_utf8 == "error":
                raise Refused(f"not UTF-8: {error}") from error
            good, bad = position + error.start, position + error.end
            text.append(raw[position:good].decode() + raw[good:bad].decode("latin-1"))
            position = bad
    return "".join(text).encode()


def n_invalid_bytes(raw):
    """How many bytes belong to no valid UTF-8 sequence."""
    count = 0
    while True:
        try:
            raw.decode()
            return count
        except UnicodeDecodeError as error:
            count += error.end - error.start
            raw = raw[error.end:]


# --- characters that XML forbids --------------------------------------------------------------------

FORBIDDEN = re.compile(rb"[\x01-\x08\x0b\x0c\x0e-\x1f]|\xef\xbf[\xbe\xbf]")
REFERENCE = re.compile(rb"&#(?:([0-9]+)|x([0-9a-fA-F]+));")
LONGEST_REFERENCE = 64


def is_forbidden(character):
    return (character < 0x20 and character not in (9, 10, 13)) or 0xd800 <= character < 0xe000 or \
        character in (0xfffe, 0xffff) or character > 0x10ffff


def forbidden_places(text, document):
    """[start, end) of what is no character of XML, and stands where one could be."""
    places, position = [], document.start
    while position < document.end:
        if text.startswith(BOM, position):
            position += len(BOM)
            continue
        token = TOKEN.match(text, position)
        kind, start, position = token.lastgroup, token.start(), min(token.end(), document.end)
        if token.group("name"):
            kind = "tag"
        if kind in ("declaration", "doctype", "end_tag"):
            continue
        for found in FORBIDDEN.finditer(text, start, position):
            if len(found.group()) == 1 or document.encoding == "utf-8":
                places.append(found.span())
        if kind in ("text", "tag"):
            for found in REFERENCE.finditer(text, start, position):
                if is_forbidden(int(found.group(1) or found.group(2), 10 if found.group(1) else 16)):
                    if found.end() - found.start() > LONGEST_REFERENCE:
                        raise Refused("a long reference to a forbidden character")
                    places.append(found.span())
    return sorted(places)


def replaced(text, start, end, places, character):
    """text[start:end] with another character in these places."""
    parts, position = [], start
    for first, last in places:
        if start <= first and last <= end:
            parts += [text[position:first], character]
            position = last
    return b"".join(parts + [text[position:end]])


# --- text -> documents -------------------------------------------------------------------------------

DOCTYPE = re.compile(rb"""<!DOCTYPE(?:[^"'>]|"[^"]*"|'[^']*')*>""")
TOKEN = re.compile(rb"""
    (?P<comment> <!--.*?-->)
  | (?P<cdata> <!\[CDATA\[.*?\]\]>)
  | (?P<declaration> <\?xml[ \t\r\n].*?\?>)
  | (?P<instruction> <\?.*?\?>)
  | (?P<doctype> <!DOCTYPE(?:[^"'>]|"[^"]*"|'[^']*')*>)
  | (?P<end_tag> </[^>]*>)
  | (?P<tag> <(?P<name>[^\s/>!?]+)(?:[^"'<>]|"[^"]*"|'[^']*')*>)
  | (?P<text> [^<]+)
""", re.VERBOSE | re.DOTALL)


@dataclass
class Element:
    """An element's place in a child's text."""
    name: bytes
    start: int  # its '<'
    content: int  # after the '>' of its start tag
    is_empty_tag: bool
    content_end: int = 0  # the '<' of its end tag
    end: int = 0  # after its end tag
    children: list = field(default_factory=list)

    def all_named(self, name):
        return [child for child in self.children if child.name == name]

    def count(self, name):
        """Elements of that name anywhere below."""
        return sum((child.name == name) + child.count(name) for child in self.children)


@dataclass
class Document:
    start: int  # its BOM or first byte
    declaration: tuple = None  # where the XML declaration is
    encoding: str = "utf-8"
    root: Element = None
    end: int = 0  # where the next document begins, or the text ends
    forbidden: list = field(default_factory=list)  # forbidden_places()

    @property
    def iterations(self):
        return self.root.all_named(b"BlastOutput_iterations")[0]


def declared_encoding(declaration):
    if not re.match(rb"""<\?xml\s+version\s*=\s*["']1\.[0-9]+["']""", declaration):
        raise Refused("a version that is none")
    match = re.search(rb"""encoding\s*=\s*["']([^"']*)["']""", declaration)
    name = match.group(1).decode("latin-1").lower() if match else "utf-8"
    if name == "utf-8":
        return name
    if name not in CONVERTED:
        raise Refused(f"encoding {name}")
    return CONVERTED[name]


def split(text):
    """The documents of a child. Their well-formedness is not this function's business."""
    documents, open_elements, position = [], [], 0

    def document_at(offset):
        if documents:
            documents[-1].end = offset
        documents.append(Document(offset))

    while position < len(text):
        if not open_elements and text.startswith(BOM, position):
            document_at(position)
            position += len(BOM)
            continue
        token = TOKEN.match(text, position)
        if not token:
            raise Refused(f"not well-formed near {position}")
        kind, start, position = token.lastgroup, token.start(), token.end()
        if token.group("name"):
            kind = "tag"
        if not open_elements:
            if kind == "text" and BOM in token.group():
                position = start + token.group().index(BOM)
            is_begun = documents and not documents[-1].root
            if not documents or (not is_begun and kind in ("declaration", "doctype", "tag")):
                document_at(start)
        document = documents[-1]
        if kind == "declaration":
            document.declaration = (start, position)
            document.encoding = declared_encoding(token.group())
        elif kind == "tag":
            is_empty_tag = token.group().endswith(b"/>")
            element = Element(token.group("name"), start, position, is_empty_tag, position, position)
            if open_elements:
                open_elements[-1].children.append(element)
            else:
                document.root = element
            if not is_empty_tag:
                open_elements.append(element)
        elif kind == "end_tag":
            if not open_elements:
                raise Refused(f"end tag at {start} without a start")
            element = open_elements.pop()
            element.content_end, element.end = start, position
    if open_elements:
        raise Refused("cut short")
    if documents:
        documents[-1].end = len(text)
    return documents


def check(text, document, options):
    """Refuses what is not a well-formed BLAST XML document."""
    def doctype(_name, _system, _public, has_internal_subset):
        if has_internal_subset:
            raise Refused("a DTD's internal subset")

    if options.forbidden_characters == "error":
        raw = text[document.start:document.end].removeprefix(BOM)
    else:  # '~' is neither a name's character nor white space, as what it stands for
        raw = replaced(text, document.start, document.end, document.forbidden, b"~").removeprefix(BOM)
    policy = "latin1" if options.invalid_utf8 == "keep" else options.invalid_utf8
    data = to_utf8(raw, document.encoding, policy)
    # An entity may be declared in a DTD that is not read, expat says: so it is asked again without one.
    for version in (data, DOCTYPE.sub(b"", data, count=1)):
        parser = expat.ParserCreate("utf-8")
        parser.StartDoctypeDeclHandler = doctype
        try:
            parser.Parse(version, True)
        except expat.ExpatError as error:
            raise Refused(f"not well-formed: {error}") from error
    if document.root.name != b"BlastOutput":
        raise Refused("not BLAST XML")
    if len(document.root.all_named(b"BlastOutput_iterations")) != 1:
        raise Refused("no BlastOutput_iterations, or several")


# --- documents -> result -----------------------------------------------------------------------------


@dataclass
class Change:
    """text[start:end] becomes `new`."""
    start: int
    end: int
    new: bytes


def changed(text, start, end, changes, convert):
    """text[start:end] with the changes in it, all else converted."""
    parts, position = [], start
    for change in sorted(changes, key=lambda change: (change.start, change.end)):
        assert position <= change.start <= change.end <= end
        parts += [convert(text[position:change.start]), change.new]
        position = change.end
    return b"".join(parts + [convert(text[position:end])])


def escaped(string):
    return string.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").encode()


def body_range(text, document):
    """Where the body begins and ends: without the first tag's rest of line and the last tag's indentation."""
    iterations = document.iterations
    start, end = iterations.content, iterations.content_end
    rest_of_line = re.compile(rb"[ \t\r]{0,%d}\n" % (BLANK_LIMIT - 1)).match(text, start, end)
    if rest_of_line:
        start = rest_of_line.end()
    indentation = len(text[start:end]) - len(text[start:end].rstrip(b" \t"))
    if indentation <= BLANK_LIMIT:
        end -= indentation
    return start, end


def set_content(element, content):
    """The change that gives an element this content, whatever it had."""
    if element.is_empty_tag:
        return Change(element.content - 2, element.content, b">" + content + b"</" + element.name + b">")
    return Change(element.content, element.content_end, content)


def number_of(text, iteration, before):
    """The number that an Iteration has, or the next one."""
    first = iteration.children[0] if iteration.children else None
    if first and first.name == b"Iteration_iter-num":
        content = text[first.content:first.content_end]
        if not first.is_empty_tag and re.fullmatch(rb"[0-9]{1,24}", content) and int(content) < 2**64:
            return int(content)
    return before + 1


def margin_at(text, place):
    """What goes behind an element that is inserted there, so that what follows stands as it did."""
    line_start = max(text.rfind(b"\n", 0, place), text.rfind(b"\r", 0, place)) + 1
    blanks = text[line_start:place]
    if line_start > 0 and not blanks.strip(b" \t"):
        return b"\n" + b" " * min(len(blanks), MARGIN_LIMIT)
    return b""


def number_changes(text, iteration, number, names=b""):
    """The changes that give an Iteration this number."""
    digits = b"%d" % number
    name = b"Iteration_iter-num"
    if iteration.is_empty_tag:
        return [set_content(iteration, b"<%s>%s</%s>%s" % (name, digits, name, names))]
    changes = []
    numbers = iteration.all_named(name)
    if iteration.children and iteration.children[0].name == name:
        changes.append(set_content(numbers.pop(0), digits))
    else:
        place = iteration.children[0].start if iteration.children else iteration.content_end
        changes.append(Change(place, place, b"<%s>%s</%s>" % (name, digits, name) + margin_at(text, place)))
    for extra in numbers:
        rest = text[extra.end:iteration.content_end]
        n_space = len(rest) - len(rest.lstrip(b" \t\r\n"))
        changes.append(Change(extra.start, extra.end + n_space, b""))
    return changes


# --- names that the header alone has ------------------------------------------------------------------

NAMES = [b"query-ID", b"query-def", b"query-len"]


def header_names(document, text_of):
    """What a document's header says of its query: contents by name, None where it is too long to be kept."""
    names = {}
    for element in document.root.children:
        name = element.name.removeprefix(b"BlastOutput_")
        if element.start > document.iterations.start or element.children or element.name == name or name not in NAMES:
            continue
        if names.get(name) is None:
            content = b"" if element.is_empty_tag else text_of(element.content, element.content_end)
            names[name] = content if len(content) <= NAME_LIMIT else None
    return names


def place_of_names(iteration):
    """Where an Iteration's query's names would stand if they are missing, else None."""
    if iteration.is_empty_tag:
        return iteration.content
    others = [element for element in iteration.children if element.name != b"Iteration_iter-num"]
    if not others:
        return iteration.content_end
    return None if others[0].name in (b"Iteration_" + name for name in NAMES) else others[0].start


# --- names that BLAST gave ---------------------------------------------------------------------------

ESCAPED = {"&lt;": "<", "&gt;": ">", "&amp;": "&", "&quot;": '"', "&apos;": "'"}
GENERATED = re.compile(rb"Query_([1-9][0-9]*)")


def title_with(title, old, new):
    """A query's title, as BLAST has it in a message, with another number. None: BLAST would not have written it.

    Works on lists of (bytes as written, bytes as BLAST counts them), one for each character."""
    prefix, rest = title[:len(old)], title[len(old):]
    assert b"".join(written for written, _ in prefix) == old
    if b"".join(written for written, _ in title[-3:]) == b".. " and sum(n for _, n in title) == 28:
        known = rest[:-3]
        assert sum(n for _, n in prefix + known) == 25
        is_cut = True
    else:
        if sum(n for _, n in title) > 35:
            return None
        known = rest
        is_cut = False
    whole = [(bytes([byte]), 1) for byte in new] + known
    if is_cut or sum(n for _, n in whole) > 35:
        length, kept = 0, []
        for written, n in whole:
            length += n
            if length > 25:
                break
            kept.append((written, n))
        whole = kept + [(b".. ", 3)]
    return b"".join(written for written, _ in whole)


def characters(text, is_latin1):
    """What is written, and how much of it BLAST counted: UTF-8, before XML's references and ISO-8859-1."""
    pieces = re.findall(rb"&#?\w+;|[\x00-\x7f]|[\xc0-\xff][\x80-\xbf]+|[\x80-\xff]" if not is_latin1
                        else rb"&#?\w+;|[\x00-\xff]", text, re.DOTALL)
    counted = []
    for piece in pieces:
        if len(piece) == 1:
            counted.append((piece, 2 if is_latin1 and piece >= b"\x80" else 1))
        elif piece.startswith(b"&"):
            counted.append((piece, 1 if piece.decode() in ESCAPED else len(chr(reference(piece)).encode())))
        else:
            counted.append((piece, len(piece)))
    return counted


def reference(piece):
    digits = piece[2:-1]
    return int(digits[1:], 16) if digits.startswith(b"x") else int(digits)


def new_prefix(message, old, new):
    """(what the message begins with, what that becomes); None: nothing to be done. `old` and `new` are ids."""
    for start in (b"", b"lcl|"):
        found = re.match(rb"(%s(?: .*)?):  \1: " % re.escape(start + old), message, re.DOTALL)
        if found:
            title = found.group(1)
            break
    else:
        return None
    try:
        title.decode()
        encodings = (False, True)
    except UnicodeDecodeError:
        encodings = (True,)
    for is_latin1 in encodings:
        counted = characters(title, is_latin1)
        n = sum(n for _, n in counted)
        if not (n == 28 if title.endswith(b".. ") else n <= 35):
            continue
        renamed = title_with(counted, start + old, start + new)
        return title + b":  " + title, renamed + b":  " + renamed
    return None


class Merge:
    """A merge on its way."""

    def __init__(self, options):
        self.options = options
        self.prologue = b""
        self.body = []
        self.epilogue = b""
        self.n_documents = self.n_iterations = self.n_hits = self.n_hsps = self.n_invalid_bytes = 0
        self.n_forbidden_characters = 0
        self.iterations_before = self.queries_before = 0  # in the runs before
        self.largest_query = self.last_query = 0  # of the numbers that BLAST gave in this run
        self.goes_back = False  # the Iterations' numbers did, and no id Query_N has come since
        self.needs_newline = False  # nothing but blanks and stray text stands on the last Iteration's line

    def add_child(self, data):
        text = read_child(data)
        if not text and not self.options.allow_empty:
            raise Refused("empty")
        documents = split(text)
        if text and not documents:
            raise Refused("not XML")
        for document in documents:
            if not document.root:
                raise Refused("no element")
            if self.options.forbidden_characters != "error":
                document.forbidden = forbidden_places(text, document)
                self.n_forbidden_characters += len(document.forbidden)
                for start, end in document.forbidden if self.options.forbidden_characters == "replace" else ():
                    if any(element.start <= start < element.end for element in document.root.all_named(b"BlastOutput_mbstat")):
                        raise Refused("a BlastOutput_mbstat with a forbidden character")
            check(text, document, self.options)
            self.add_document(text, document)

    def add_document(self, text, document):
        def convert(raw):
            return to_utf8(raw, document.encoding, self.options.invalid_utf8)

        if self.iterations_before >= 2**64:
            raise Refused("a number is too large")
        self.begin_ids()
        if self.n_documents == 0:
            self.first = text, document, convert
            self.prologue = self.prologue_of(text, document, convert)
        self.n_documents += 1
        if document.encoding == "utf-8":
            self.n_invalid_bytes += n_invalid_bytes(text[document.start:document.end])
        start, end = body_range(text, document)
        iterations = document.iterations.all_named(b"Iteration")
        if not iterations and self.n_documents > 1 and end - start <= HOLD_LIMIT:
            return
        changes, own = [], 0
        for iteration in iterations:
            self.n_iterations += 1
            own_before, own = own, number_of(text, iteration, own)
            if own <= own_before and iteration is not iterations[0]:  # as if another run began
                self.goes_back = True
                self.iterations_before += own_before if self.options.as_unsplit else 0
            if self.options.as_unsplit and self.iterations_before + own >= 2**64:
                raise Refused("a number is too large")
            own = min(own, 2**64 - 1)
            is_of_header = iteration is iterations[0] or self.is_psi(text, document)
            names = header_names(document, lambda start, end: self.changed(text, document, start, end, [], convert)) if is_of_header else {}
            place = place_of_names(iteration) if names else None
            if self.options.as_unsplit and place is not None and self.n_documents > 1 and None in names.values():
                raise Refused("a name is too large")
            missing = {} if place is None else {name: content for name, content in names.items() if content is not None}
            changes += self.query_changes(text, document, iteration, own, missing)
            elements = [b"<Iteration_%s>%s</Iteration_%s>" % (name, missing[name], name) for name in NAMES if name in missing]
            self.n_hits += iteration.count(b"Hit")
            self.n_hsps += iteration.count(b"Hsp")
            changes += number_changes(text, iteration, self.iterations_before + own if self.options.as_unsplit
                                      else self.n_iterations, b"".join(elements))
            if elements and not iteration.is_empty_tag:
                changes.append(Change(place, place, b"".join(element + margin_at(text, place) for element in elements)))
        self.iterations_before += own if self.options.as_unsplit else 0
        first = iterations[0].start if iterations else end
        if b"\n" in text[start:first]:
            self.needs_newline = False
        if iterations:
            if self.needs_newline:
                changes.append(Change(first, first, b"\n"))
            self.needs_newline = b"\n" not in text[iterations[-1].end:end]
        self.body.append(self.changed(text, document, start, end, changes, convert))

    def changed(self, text, document, start, end, changes, convert):
        """changed(), with what is forbidden replaced as well, outside of the other changes."""
        if self.options.forbidden_characters == "replace":
            changes = changes + [Change(first, last, "\ufffd".encode()) for first, last in document.forbidden
                                 if start <= first and last <= end
                                 and not any(change.start <= first < change.end for change in changes)]
        return changed(text, start, end, changes, convert)

    def beginning(self, content, document):
        """What of a message is looked at: not what is long, markup, or to be converted."""
        content = content[:512].split(b"<")[0]
        if self.options.forbidden_characters == "replace":
            content = FORBIDDEN.split(content, maxsplit=1)[0]
            for found in REFERENCE.finditer(content):
                if is_forbidden(int(found.group(1) or found.group(2), 10 if found.group(1) else 16)):
                    content = content[:found.start()]
                    break
        if document.encoding != "utf-8":
            return re.match(rb"[\x00-\x7f]*", content).group()
        if self.options.invalid_utf8 == "latin1":
            try:
                content.decode()
            except UnicodeDecodeError as error:
                return content[:error.start]
        return content

    def begin_ids(self):
        """Another run begins, whose queries BLAST counts from 1."""
        self.queries_before += self.largest_query
        self.largest_query = self.last_query = 0
        self.goes_back = False
        if self.queries_before >= 2**64:
            raise Refused("a number is too large")

    @staticmethod
    def is_psi(text, document):
        programs = [text[element.content:element.content_end] for element in document.root.all_named(b"BlastOutput_program")
                    if element.start < document.iterations.start]
        return any(program in (b"blastpgp", b"psiblast", b"deltablast") for program in programs)

    def new_id(self, content, own):
        """An id of BLAST's, and what becomes of it; None: it is none of BLAST's."""
        found = GENERATED.fullmatch(content)
        n = min(int(found.group(1)[:30]), 2**64 - 1) if found else 0
        if n and self.goes_back and n <= self.largest_query and n in (own, 1):
            self.begin_ids()
        self.goes_back = self.goes_back and not n
        last = self.last_query
        if not n or (self.options.query_ids != "renumber" and n not in (own, last, last + 1)):
            return None
        if n + self.queries_before >= 2**64:
            raise Refused("a number is too large")
        self.last_query, self.largest_query = n, max(n, self.largest_query)
        return content, b"Query_%d" % (n + self.queries_before) if self.queries_before else content

    def query_changes(self, text, document, iteration, own, missing):
        """The changes to an Iteration's query id and message; `missing` names are inserted, and changed as well."""
        changes, names = [], None
        if self.options.query_ids == "keep":
            return changes
        if b"query-ID" in missing:
            names = self.new_id(missing[b"query-ID"], own)
            missing[b"query-ID"] = names[1] if names else missing[b"query-ID"]
        for element in iteration.children:
            content = text[element.content:element.content_end]
            if element.is_empty_tag:
                continue
            if element.name == b"Iteration_query-ID":
                names = self.new_id(content, own)
                if names:
                    changes.append(Change(element.content, element.content_end, names[1]))
            if element.name == b"Iteration_message" and names and names[0] != names[1]:
                found = new_prefix(self.beginning(content, document), *names)
                names = None
                if found:
                    changes.append(Change(element.content, element.content + len(found[0]), found[1]))
        return changes

    def prologue_of(self, text, document, convert):
        start = document.start + (len(BOM) if text.startswith(BOM, document.start) else 0)
        iterations = document.iterations
        changes = []
        if not document.declaration:
            changes.append(Change(start, start, DECLARATION + b"\n"))
        elif document.encoding != "utf-8":
            changes.append(Change(*document.declaration, DECLARATION))
        databases = [element for element in document.root.all_named(b"BlastOutput_db")
                     if element.end <= iterations.start]
        if databases and not self.options.keep_database:
            changes.append(set_content(databases[0], escaped(self.options.database)))
        if iterations.is_empty_tag:
            end = iterations.content
            changes.append(Change(end - 2, end, b">\n"))
        else:
            end = body_range(text, document)[0]
        return self.changed(text, document, start, end, changes, convert)

    def epilogue_of(self, text, document, convert):
        start, end = body_range(text, document)[1], document.end
        if document.iterations.is_empty_tag:
            tag = b"</BlastOutput_iterations>"
        else:
            tag = b""
        if len(tag) + end - start > EPILOGUE_LIMIT:
            return PLAIN_EPILOGUE
        changes = []
        if self.n_documents > 1:
            for element in document.root.all_named(b"BlastOutput_mbstat"):
                if element.start >= document.iterations.end:
                    before = text[document.iterations.end:element.start].rstrip(b" \t\r")
                    before = before.removesuffix(b"\n").removesuffix(b"\r")
                    changes.append(Change(document.iterations.end + len(before), element.end, b""))
        return tag + self.changed(text, document, start, end, changes, convert)

    def result(self):
        if self.n_documents == 0:
            raise Refused("all children are empty")
        return self.prologue + b"".join(self.body) + self.epilogue_of(*self.first)


def merge(children, **options):
    """The merged text of children, given as the bytes of their files. Raises Refused."""
    job = Merge(Options(**options))
    for child in children:
        job.add_child(child)
    return job.result()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--db", default=DATABASE)
    parser.add_argument("--keep-db", action="store_true")
    parser.add_argument("--allow-empty", action="store_true")
    parser.add_argument("--invalid-utf8", choices=["error", "latin1", "keep"], default="error")
    parser.add_argument("--forbidden-characters", choices=["error", "replace", "keep"], default="error")
    parser.add_argument("--query-ids", choices=["auto", "keep", "renumber"], default="auto")
    parser.add_argument("--as-unsplit", action="store_true")
    parser.add_argument("children", nargs="+")
    arguments = parser.parse_args()
    children = []
    for name in arguments.children:
        with open(name, "rb") as file:
            children.append(file.read())
    try:
        text = merge(children, database=arguments.db, keep_database=arguments.keep_db,
                     allow_empty=arguments.allow_empty, invalid_utf8=arguments.invalid_utf8,
                     forbidden_characters=arguments.forbidden_characters,
                     query_ids=arguments.query_ids, as_unsplit=arguments.as_unsplit)
    except Refused as refused:
        sys.exit(f"refused: {refused}")
    sys.stdout.buffer.write(text)


if __name__ == "__main__":
    main()
