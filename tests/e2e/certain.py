# SPDX-License-Identifier: MIT
"""What of a damaged child is certain, worked out slowly from docs/salvage.md: zlib reads the members, expat judges each
Iteration for itself. For children as small.py makes them: white space between Iterations, and no comments."""
import re
import zlib
from dataclasses import dataclass, field
from xml.parsers import expat

import oracle

MEMBER = re.compile(rb"\x1f\x8b\x08[\x00-\x1f]", re.DOTALL)
BEGINNING = re.compile(rb"<Iteration>(?=[\s<])|<\?xml |<BlastOutput>")
NESTED = re.compile(rb"<Iteration>|<BlastOutput>")
PROLOGUE = re.compile(rb".*?<BlastOutput_iterations>", re.DOTALL)
EPILOGUE = re.compile(rb"\s*</BlastOutput_iterations>\s*</BlastOutput>\s*")
NUMBER = re.compile(rb"<Iteration>\s*<Iteration_iter-num>(\d+)</Iteration_iter-num>")
NAMELESS = (b"No definition line<", b"unnamed protein product<")
QUERY = re.compile(rb"<Iteration_query-def>(\S+?)[\s<]")
HEADER_QUERY = re.compile(rb"<(BlastOutput_query-[\w-]+)>([^<]*)</")
PSI = re.compile(rb"<BlastOutput_program>(?:blastpgp|psiblast|deltablast)<")
WHITE = re.compile(rb"\s*")
BODY_END = re.compile(rb"\s*</BlastOutput_iterations>")
PLAIN_EPILOGUE = b"</BlastOutput_iterations>\n</BlastOutput>\n\n"


BEGINNING_BYTES = 16384
DECLARATION = re.compile(rb"(?:\xef\xbb\xbf)?(<\?xml [^>]{0,193}\?>)")
HEADER_END = re.compile(rb"<BlastOutput_iterations|<Iteration>")
FIELD = re.compile(rb"<((?:BlastOutput|Parameters)_[A-Za-z-]+)>([^<]*)</\1>")
DOCTYPE = b'<!DOCTYPE BlastOutput PUBLIC "-//NCBI//NCBI BlastOutput/EN" "http://www.ncbi.nlm.nih.gov/dtd/NCBI_BlastOutput.dtd">\n'


@dataclass
class Document:
    """A whole header, or None, and the whole Iterations, between which others may be lost."""
    prologue: bytes = None
    iterations: list = field(default_factory=list)
    n_holes: int = 0  # in the text before it
    owners: list = field(default_factory=list)  # for each Iteration what the header says of its query; None: nothing

    def text(self, prologue):
        body = b"".join(iteration + b"\n" for iteration in self.iterations)
        return (self.prologue or prologue) + b"\n" + body + PLAIN_EPILOGUE


@dataclass
class Child:
    documents: list
    is_damaged: bool
    n_unchecked: int = 0
    beginning: bytes = b""  # of its text, up to where members are left out
    n_superseded: int = 0  # runs

    @property
    def n_iterations(self):
        return sum(len(document.iterations) for document in self.documents)

    @property
    def queries(self):
        """The first words of the merged Iterations' definition lines."""
        names = [name_of(iteration, owner) for document in self.documents for iteration, owner in zip(document.iterations, document.owners)]
        return [name and name.decode() for name in names]


def head_of(iteration):
    return iteration[:1024].split(b"<Iteration_hits")[0]


def has_query(iteration):
    return b"<Iteration_query-" in head_of(iteration)


def name_of(iteration, owner):
    """The first word of its definition line, which may stand in the header."""
    found = QUERY.search(iteration)
    title = dict(owner or ()).get(b"BlastOutput_query-def", b"").split()
    is_known = b"</Iteration>" in iteration or b"<Iteration_hits" in iteration[:1024]
    return found.group(1) if found else title[0] if title and is_known and not has_query(iteration) else None


# --- bytes -> text of members that can be believed ----------------------------------------------------


def read_members(data, position, segments):
    """Appends stretches of text between which members are left out. Returns the text of a member that is cut, or None;
    where that begins; whether anything was at fault."""
    at_fault = False
    while True:
        while data[position:position + 1] == b"\0" and any(segments):
            position += 1
        if position == len(data):
            return None, position, at_fault
        text, after = None, None
        member = zlib.decompressobj(31)
        try:
            text = member.decompress(data[position:])
            after = len(data) - len(member.unused_data)
        except zlib.error:
            text = None
        if text is not None and member.eof:
            segments[-1] += text
            position = after
            continue
        if text is not None:
            return text, position, True
        at_fault = True
        following = MEMBER.search(data, position + 1)
        if following is None:
            return None, position, True
        segments.append(b"")
        position = following.start()


# --- text -> documents ----------------------------------------------------------------------------------


def judge(text, is_complete):
    parser = expat.ParserCreate()
    try:
        parser.Parse(text, is_complete)
    except expat.ExpatError:
        return False
    return True


class Scan:
    """Of the segments of a child's text, one after the other."""

    def __init__(self):
        self.documents = []
        self.faults = 0
        self.is_open = True  # the text's end is awaited inside of something
        self.in_hole = False
        self.documents_only = False
        self.last = 0
        self.n_holes = 0
        self.cut = None  # the query of the Iteration in which the text ends, if that can be read
        self.header = None  # of the current document, if it is whole: what it says of queries, and whether that is of all
        self.n_begun = 0  # Iterations in it
        self.lost = {}  # by hole: the query of the first Iteration that broke off in it, if that can be read

    def owner(self):
        """What the header says of the current Iteration's query."""
        query, is_of_all = self.header or (None, False)
        return query if is_of_all or self.n_begun == 1 else None

    def fault(self, name=None):
        self.faults += 1
        self.n_holes += not self.in_hole
        self.in_hole = True
        if name:
            self.lost.setdefault(self.n_holes, name)

    def segment(self, text, is_first):
        """Scans it; is_open says whether the end came too early, though nothing was wrong before."""
        position = 0
        if is_first:
            position = self.document(text, 0)
        else:
            self.fault()
        while position is not None and position < len(text):
            beginning = BEGINNING.search(text, position)
            if beginning is None:
                break
            position = beginning.start() + 1
            if not beginning.group().startswith(b"<It"):
                position = self.document(text, beginning.start())
            elif not self.documents_only:
                self.header = self.header if self.last else None
                self.n_begun += 1
                position = self.iterations(text, beginning.start(), Document())

    def document(self, text, start):
        """Reads a document; returns where to search on, or None at the text's end."""
        self.last, self.documents_only, self.header, self.n_begun = 0, False, None, 0
        prologue = PROLOGUE.match(text, start)
        iteration = text.find(b"<Iteration>", start)
        if prologue is None and iteration < 0 and judge(text[start:], False):
            self.is_open = True
            return None
        if prologue is None or 0 <= iteration < prologue.end() or not judge(prologue.group() + PLAIN_EPILOGUE, True):
            self.fault()
            return start + (not text.startswith(b"<Iteration>", start))
        self.in_hole = False
        self.header = tuple(HEADER_QUERY.findall(prologue.group())), bool(PSI.search(prologue.group()))
        document = Document(prologue.group(), n_holes=self.n_holes)
        self.documents.append(document)
        return self.iterations(text, prologue.end(), document)

    def iterations(self, text, position, document):
        while True:
            self.is_open = True
            over = EPILOGUE.match(text, position)
            if over is not None:
                return self.after_document(text, over.end())
            start = WHITE.match(text, position).end()
            if not text.startswith(b"<Iteration>", start):
                rest = text[start:]
                opened = b"<BlastOutput><BlastOutput_iterations>" + rest
                if b"<Iteration>" not in rest and judge(opened, False):
                    return None
                self.fault_between(text, position)
                return max(start, position)
            self.n_begun += 1
            end = self.end_of(text, start)
            if end is None:
                nested = NESTED.search(text, start + 1)
                if nested is None and judge(text[start:], False):
                    self.cut = name_of(text[start:], self.owner())
                    return None
                following = BEGINNING.search(text, start + 1)
                self.fault(name_of(text[start:following.start() if following else len(text)], self.owner()))
                return start + 1
            number = NUMBER.match(text, start)
            number = int(number.group(1)) if number else 0
            if self.in_hole and number <= self.last:
                self.fault()
                self.documents_only = True
                return end
            if self.header is None and not has_query(text[start:end]):  # nobody can tell whose it is
                self.fault()
                return end
            if self.in_hole and self.last:  # it goes on
                document = self.documents[-1]
            elif self.in_hole:
                document.n_holes = self.n_holes - 1  # the hole before it is its own
                self.documents.append(document)
            self.in_hole = False
            self.last = number or self.last
            document.iterations.append(text[start:end])
            document.owners.append(self.owner())
            position = end

    @property
    def n_iterations(self):
        return sum(len(document.iterations) for document in self.documents)

    @staticmethod
    def end_of(text, start):
        nested = NESTED.search(text, start + 1)
        limit = nested.start() if nested else len(text)
        for tag in re.finditer(rb"</Iteration>", text[start:limit]):
            if judge(text[start:start + tag.end()], True):
                return start + tag.end()
        return None

    def after_document(self, text, position):
        if position == len(text):
            self.is_open = False
            self.last = 0
            return None
        if text.startswith((b"<?xml ", b"<BlastOutput>"), position):
            return self.document(text, position)
        self.fault()
        self.last = 0
        return position

    def fault_between(self, text, position):
        """Where a document's Iterations are over, those that follow are another's, and may begin to count anew."""
        self.fault()
        if BODY_END.match(text, position):
            self.last = 0


def scan(segments):
    scanned = Scan()
    for number, segment in enumerate(segments):
        scanned.cut = None
        scanned.segment(segment, number == 0)
    return scanned


# --- a search that was begun again ----------------------------------------------------------------------


@dataclass(eq=False)  # two of them may be equal
class Run:
    """Documents from one on up to where one with the same header begins, or one without a header."""
    header: list
    n_holes: int
    documents: list = field(default_factory=list)
    end_holes: int = 0

    @property
    def heads(self):
        """For each Iteration what it says of itself, or else with what the header says of it."""
        return [(head_of(iteration), () if has_query(iteration) else owner) for document in self.documents
                for iteration, owner in zip(document.iterations, document.owners)]

    @property
    def names(self):
        return [name_of(iteration, owner) for document in self.documents for iteration, owner in zip(document.iterations, document.owners)]

    @property
    def is_named(self):
        fields = [*(self.header or ()), *(field for _, owner in self.heads for field in owner or ())]
        titles = [value + b"<" for name, value in fields if name == b"BlastOutput_query-def"]
        titles += [head.split(b"<Iteration_query-def>")[1] for head, _ in self.heads if b"<Iteration_query-def>" in head]
        return not all(title.startswith(NAMELESS) for title in titles)

    @property
    def is_sure(self):
        """Whether it is known of all its Iterations which query they are of."""
        return all(owner or has_query(head) for head, owner in self.heads)

    @property
    def first_hole(self):
        """The one that may break it off."""
        return self.n_holes + (1 if self.header is not None else 2)

    @property
    def is_complete(self):
        return self.first_hole > self.end_holes


def runs_of(documents, n_holes):
    runs = [Run(None, 0)]
    for document in documents:
        header = document.prologue and re.findall(rb"<([\w-]+)>([^<]*)</\1>", document.prologue)
        if header is not None:
            run = runs[-1]
            before = [run.header for run in runs if run.header is not None][-1:]
            if run.header is None and not run.heads:
                run.header, run.n_holes = header, document.n_holes
            elif before in ([], [header]):
                run.end_holes = document.n_holes
                runs.append(Run(header, document.n_holes))
        elif runs[-1].header is not None or runs[-1].heads:
            runs[-1].end_holes = document.n_holes
            runs.append(Run(None, document.n_holes))
        runs[-1].documents.append(document)
    runs[-1].end_holes = n_holes
    return runs


def is_superseded(run, counting, lost):
    """Whether each of its Iterations is in the run that counts, at the same place, and the one in which it broke off, too. Without
    a header, they may be anywhere in it."""
    heads, others, at = run.heads, counting.heads, 0
    if not run.is_named or not run.is_sure or run is counting:
        return False
    if run.header is None:
        at = others.index(heads[0]) if heads and heads[0] in others else None
    elif run.header != counting.header:
        return False
    if at is None or others[at:at + len(heads)] != heads:
        return False
    broken = lost.get(run.first_hole)
    if broken is None or run.is_complete:
        return True
    if at + len(heads) == len(others):
        return not counting.is_complete
    return counting.names[at + len(heads)] == broken


def settle(scanned):
    """What counts: (documents, how many runs are superseded, how many of their Iterations each time)."""
    n_holes, lost = scanned.n_holes, dict(scanned.lost)
    if scanned.is_open and not scanned.in_hole:
        n_holes += 1
        if scanned.cut:
            lost[n_holes] = scanned.cut
    runs = runs_of(scanned.documents, n_holes)
    with_header = [run for run in runs if run.header is not None] or runs
    complete = [run for run in with_header if run.is_complete and run.heads and run.header is not None]
    counting = complete[-1] if complete else max(reversed(with_header), key=lambda run: len(run.heads))
    superseded = []
    for i in reversed(range(len(runs))):
        is_kept_without_header = i + 1 < len(runs) and runs[i + 1].header is None and runs[i + 1] not in superseded
        if is_superseded(runs[i], counting, lost) and not is_kept_without_header:
            superseded.insert(0, runs[i])
    kept = [document for run in runs if run not in superseded for document in run.documents]
    return kept, superseded, runs


def child_of(scanned, is_damaged, n_unchecked=0, beginning=b""):
    if not is_damaged:
        return Child(scanned.documents, False, n_unchecked, beginning[:BEGINNING_BYTES])
    kept, superseded, runs = settle(scanned)
    first_unchecked, position = scanned.n_iterations - n_unchecked, 0
    for run in runs:
        n = len(run.heads)
        if run in superseded:
            n_unchecked -= max(0, position + n - max(position, first_unchecked))
        position += n
    return Child(kept, True, n_unchecked, beginning[:BEGINNING_BYTES], len(superseded))


def read_gzip(data, position, segments):
    cut, at, at_fault = read_members(data, position, segments)
    scanned = scan(segments)
    n_unchecked = 0
    if cut is not None:
        longer = scan([*segments[:-1], segments[-1] + cut])
        following = MEMBER.search(data, at + 1)
        if longer.faults == scanned.faults:
            n_unchecked = longer.n_iterations - scanned.n_iterations
            scanned = longer
            segments[-1] += cut
        elif following is not None:  # it is broken, not cut
            child = read_gzip(data, following.start(), [*segments, b""])
            child.is_damaged = True
            return child
        else:
            at_fault = True
    is_damaged = at_fault or scanned.faults > 0 or scanned.is_open
    return child_of(scanned, is_damaged, n_unchecked, segments[0])


def is_whole(data):
    try:
        oracle.merge([data])
    except oracle.Refused:
        return False
    return True


def read(data):
    """What of a child is certain."""
    if is_whole(data):
        text = oracle.read_child(data)
        return Child([Document(PROLOGUE.match(text).group(), re.findall(b"<Iteration_iter-num>", text))], False)
    if data.startswith(b"\x1f\x8b"):
        return read_gzip(data, 0, [b""])
    scanned = scan([data])
    following = MEMBER.search(data)
    if not scanned.documents and following is not None:
        child = read_gzip(data, following.start(), [b"", b""])
        child.is_damaged = True
        return child
    return child_of(scanned, scanned.faults > 0 or scanned.is_open, beginning=data)


# --- where no header is whole -----------------------------------------------------------------------------


def fields_of(beginning):
    """(Declaration, fields) of what is whole of a header."""
    end = HEADER_END.search(beginning)
    beginning = beginning[:end.start() if end else len(beginning)]
    found = DECLARATION.match(beginning)
    declaration = found.group(1) if found and judge(found.group(1) + b"<a/>", True) else b'<?xml version="1.0"?>'
    fields = {}
    for match in FIELD.finditer(beginning):
        if match.group(1) not in fields and match.group(1) != b"BlastOutput_mbstat" and \
                judge(declaration + b"<a>" + match.group() + b"</a>", True):
            fields[match.group(1)] = match.group()
    return declaration, list(fields.values())


def made_header(children):
    """A plain header of the most fields that are whole in one child."""
    found = [fields_of(child.beginning) for child in children if child.n_iterations]
    if not found:
        return None
    declaration, fields = max(found, key=lambda pair: len(pair[1]))
    parameters = [b"      " + text + b"\n" for text in fields if text.startswith(b"<Parameters_")]
    lines = [b"  " + text + b"\n" for text in fields if not text.startswith(b"<Parameters_")]
    if parameters:
        lines += [b"  <BlastOutput_param>\n    <Parameters>\n", *parameters, b"    </Parameters>\n  </BlastOutput_param>\n"]
    return declaration + b"\n" + DOCTYPE + b"<BlastOutput>\n" + b"".join(lines) + b"<BlastOutput_iterations>"


# --- children -> result -----------------------------------------------------------------------------------


def merge(children, **options):
    """(Text of the result, or None where there is none; the children as read.)"""
    whole = [read(data) for data in children]
    documents = [document for child in whole for document in child.documents]
    prologue = next((document.prologue for document in documents if document.prologue), None)
    if prologue is None and documents:
        prologue = made_header(whole)
    if prologue is None or not any(document.iterations for document in documents):
        return None, whole
    texts = []
    for data, child in zip(children, whole):
        texts += [document.text(prologue) for document in child.documents] if child.is_damaged else [data]
    return oracle.merge(texts, **options), whole
