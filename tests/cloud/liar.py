# SPDX-License-Identifier: MIT
"""A web server that lies, in ways that are chosen by a number.

Each request is answered by what an honest server would answer and then, perhaps, by a lie told over it. Which lie that is
depends only on the seed, the case, the child, the range and how often it was asked for: so a case can be had again, whatever
the order in which threads get there.

A lie that neither the answer's head nor its length gives away is silent. A silent lie is told only of children whose own
checksum finds it: docs/trust.md, "Servers that lie".
"""
import dataclasses
import email.utils
import random
import re
import socket
import struct
import threading
from http.client import responses

KINDS = ("sizes", "ranges", "ETags", "order", "early ends", "more than asked", "another object", "statuses")


@dataclasses.dataclass
class Thing:
    """One version of an object, with what tells it from others: an ETag and a time, either of which may be absent."""
    data: bytes
    tag: str = None
    time: str = None

    @staticmethod
    def numbered(data, number, validators):
        """validators: of "strong", "weak" and "time"."""
        tag = {"strong": f'"v{number}"', "weak": f'W/"v{number}"'}.get(next(iter(validators - {"time"}), ""), None)
        return Thing(data, tag, email.utils.formatdate(784111777 + 86400 * number, usegmt=True) if "time" in validators else None)


@dataclasses.dataclass
class Child:
    """What stands behind a name: its version, the version it may change to, and another object."""
    thing: Thing
    changed: Thing
    other: Thing
    has_checksum: bool
    ways: tuple  # of the kinds, those of which lies are told; none: an honest server
    rate: str = "all"
    is_constant: bool = False  # it tells one lie again and again, as a server does that is merely wrong
    mode: str = "ranges"  # or "whole", "chunked": a server that knows no ranges
    heeds_conditions: bool = True


@dataclasses.dataclass
class Answer:
    status: int
    thing: Thing
    body: bytes = b""
    span: object = None  # (first, last, total), or a string
    length: object = "its own"  # or a string, or None: there is none
    is_chunked: bool = False
    tags: list = None  # instead of the thing's
    times: list = None
    more: str = ""  # lines of the head
    n_sent: int = None  # bytes of head and body after which the connection is cut
    surplus: bytes = b""  # what comes behind
    closes: bool = False
    resets: bool = False
    before: bytes = b""

    def bytes(self, has_body):
        lines = [f"HTTP/1.1 {self.status} {responses.get(self.status, 'Odd')}", f"Date: {email.utils.formatdate(usegmt=True)}"]
        lines += [f"ETag: {tag}" for tag in ([self.thing.tag] if self.tags is None else self.tags) if tag is not None]
        lines += [f"Last-Modified: {time}" for time in ([self.thing.time] if self.times is None else self.times) if time]
        if self.span is not None:
            lines.append("Content-Range: " + (self.span if isinstance(self.span, str) else "bytes {}-{}/{}".format(*self.span)))
        body = self.body
        if self.is_chunked:
            lines.append("Transfer-Encoding: chunked")
            pieces = [body[i:i + 30000] for i in range(0, len(body), 30000)]
            body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
        elif self.length is not None:
            lines.append(f"Content-Length: {len(body) if self.length == 'its own' else self.length}")
        head = "\r\n".join(lines) + "\r\n" + self.more + "\r\n"
        return self.before + head.encode() + (body if has_body else b"")[:self.n_sent] + self.surplus


class Cut(Exception):
    """Nothing is answered, or a part of the head."""

    def __init__(self, n_sent):
        super().__init__()
        self.n_sent = n_sent


class Telling:
    """What a lie is told over: self.answer is changed in place."""

    def __init__(self, dice, child, first, last, is_head):
        self.dice, self.child, self.first, self.last, self.is_head = dice, child, first, last, is_head
        self.answer = self.honest(child.thing)

    def honest(self, thing, first=None, last=None):
        first, last = (self.first, self.last) if first is None else (first, last)
        n = len(thing.data)
        if self.is_head or first is None or self.child.mode != "ranges":
            return Answer(200, thing, thing.data, is_chunked=self.child.mode == "chunked" and not self.is_head)
        if first >= n or last < first:
            return Answer(416, thing, span=f"bytes */{n}")
        last = min(last, n - 1)
        return Answer(206, thing, thing.data[first:last + 1], (first, last, n))

    @property
    def is_ranged(self):
        return self.answer.status == 206

    def some(self, most=1_000_000):
        """A number that does not come twice, or hardly ever: two answers must not agree in the same lie."""
        return self.dice.randrange(2, most)

    def cut_at(self):
        n = len(self.answer.body)
        return self.dice.choice([0, 1, n // 2, max(0, n - 1), self.dice.randrange(n + 1)])

    def made_up(self, n):
        """Bytes that are not the child's: rows of a table, letters, noise. No gzip member begins with them."""
        row = b"liar\tliar\t99.000\t100\t1\t0\t1\t100\t1\t100\t1e-10\t200.0\n"
        return self.dice.choice([row * (n // len(row) + 1), b"A" * n, b"\xff" + self.dice.randbytes(n)])[:n]


LIES = []  # (kind, whether it is silent: of ranges, of a whole, function)


def lie(kind, silent_range=False, silent_whole=False):
    def add(function):
        LIES.append((kind, silent_range, silent_whole, function))
        return function
    return add


# --- sizes: what is said of lengths ------------------------------------------------------------------


@lie("sizes")
def another_total(t):
    if not t.is_ranged:
        return False
    first, last, total = t.answer.span
    t.answer.span = (first, last, max(1, total + t.dice.choice([-1, 1]) * t.some()))
    return True


@lie("sizes")
def huge_total(t):
    if not t.is_ranged:
        return False
    first, last, _ = t.answer.span
    t.answer.span = (first, last, t.dice.choice([2**64 - 1, 2**63, 2**40 + t.some(), 10**30, 0]))
    return True


@lie("sizes")
def total_that_is_not_known(t):
    if not t.is_ranged:
        return False
    first, last, _ = t.answer.span
    t.answer.span = (first, last, "*")
    return True


@lie("sizes")
def length_that_is_too_long(t):
    t.answer.is_chunked = False
    t.answer.length, t.answer.closes = len(t.answer.body) + t.some(), True
    return True


@lie("sizes", silent_whole=True)
def length_that_is_too_short(t):
    t.answer.is_chunked = False
    t.answer.length, t.answer.closes = max(0, len(t.answer.body) - t.some()), True
    return True


@lie("sizes")
def no_length(t):
    t.answer.is_chunked, t.answer.length, t.answer.closes = False, None, True
    return True


@lie("sizes", silent_whole=True)
def odd_length(t):
    n = len(t.answer.body)
    t.answer.is_chunked, t.answer.closes = False, True
    t.answer.length = t.dice.choice(["-1", "abc", "", "1e3", f"{n}\r\nContent-Length: {n // 2}", str(10**30), f"{n}, {n + 1}"])
    return True


# --- ranges: what Content-Range says ------------------------------------------------------------------


@lie("ranges")
def another_first(t):
    if not t.is_ranged:
        return False
    first, last, total = t.answer.span
    t.answer.span = (max(0, first + t.dice.choice([-1, 1, -t.some(), t.some()])) + (first == 0), last, total)
    return True


@lie("ranges")
def another_last(t):
    if not t.is_ranged:
        return False
    first, last, total = t.answer.span
    t.answer.span = (first, max(0, last + t.dice.choice([-1, 1, -t.some(), t.some()])), total)
    return True


@lie("ranges")
def odd_range(t):
    if not t.is_ranged:
        return False
    first, last, total = t.answer.span
    t.answer.span = t.dice.choice([
        None, "", "bytes", f"bytes {last}-{first}/{total}", f"bytes */{total}", f"items {first}-{last}/{total}", "bytes -/-",
        f"bytes {first}-/{total}", f"bytes {first}-{last}", f"bytes -{last}/{total}", f"bytes {first}-{2**64 + last}/{total}",
        f"bytes {first}-{last}/{total}\r\nContent-Range: bytes {first + 1}-{last}/{total}", f"bytes 0x{first:x}-{last}/{total}"])
    return True


@lie("ranges")
def all_of_it(t):
    if not t.is_ranged:
        return False
    t.answer = Answer(200, t.child.thing, t.child.thing.data)
    return True


@lie("ranges")
def whole_range_without_206(t):
    if not t.is_ranged or t.first == 0:
        return False
    t.answer.status = 200
    return True


@lie("ranges")
def less_than_asked(t):
    """Which servers may do: no lie."""
    if not t.is_ranged or len(t.answer.body) < 2:
        return False
    first, last, total = t.answer.span
    n = t.dice.randrange(1, last + 1 - first)
    t.answer.span, t.answer.body = (first, first + n - 1, total), t.answer.body[:n]
    return True


# --- ETags and times ----------------------------------------------------------------------------------


@lie("ETags")
def another_tag(t):
    t.answer.tags = [f'"liar{t.some()}"']
    return True


@lie("ETags")
def odd_tag(t):
    tag = t.child.thing.tag or '"new"'
    t.answer.tags = t.dice.choice([[], [""], ["W/" + tag], [tag.strip('"')], ['"' + "x" * 300 + '"'], [tag, '"second"'], ['"'], ["*"],
                                   [tag[:-1]], ["'v1'"], [tag + "x"], [tag.swapcase()]])
    return True


@lie("ETags")
def another_time(t):
    t.answer.times = t.dice.choice([[], [email.utils.formatdate(t.some(), usegmt=True)], ["yesterday"], ["x" * 200],
                                    [email.utils.formatdate(usegmt=True)]])
    return True


@lie("ETags")
def nothing_that_tells(t):
    t.answer.tags, t.answer.times = [], []
    return True


@lie("ETags")
def another_version(t):
    """Which is one with its own ETag and time, or with none."""
    t.answer = t.honest(t.child.changed)
    if t.dice.random() < 0.5:
        t.answer.tags = t.dice.choice([[], None])
        t.answer.times = t.dice.choice([[], None])
    return True


@lie("ETags", silent_range=True, silent_whole=True)
def another_version_in_disguise(t):
    t.answer = t.honest(t.child.changed)
    t.answer.thing = t.child.thing
    if t.is_ranged:
        t.answer.span = (*t.answer.span[:2], len(t.child.thing.data))
    return True


# --- order: answers to other requests -----------------------------------------------------------------


@lie("order")
def another_range(t):
    """As it is, with the head that it has."""
    n = len(t.child.thing.data)
    if not t.is_ranged or n < 2:
        return False
    length = t.last + 1 - t.first
    place = t.dice.choice([t.first + length, max(0, t.first - length), t.dice.randrange(n)]) % n
    place += place == t.first
    t.answer = t.honest(t.child.thing, place, place + length - 1)
    return True


@lie("order", silent_range=True, silent_whole=True)
def bytes_of_another_range(t):
    n = len(t.child.thing.data)
    place = t.dice.randrange(1, n)
    data = t.child.thing.data[place:] + t.child.thing.data[:place]
    t.answer.body = data[t.first:t.first + len(t.answer.body)] if t.is_ranged else data
    return True


@lie("order", silent_range=True, silent_whole=True)
def halves_in_the_other_order(t):
    half = len(t.answer.body) // 2
    t.answer.body = t.answer.body[half:] + t.answer.body[:half]
    return half > 0


@lie("order")
def answer_to_a_request_that_was_not_made(t):
    thing = t.dice.choice([t.child.thing, t.child.changed, t.child.other])
    first = (t.last or 0) + 1
    t.answer.surplus = t.honest(thing, first, first + 65535).bytes(True)
    return True


# --- early ends ---------------------------------------------------------------------------------------


@lie("early ends")
def cut(t):
    if not t.answer.body:
        return False
    t.answer.n_sent = t.cut_at() if not t.answer.is_chunked else t.dice.randrange(len(t.answer.body))
    t.answer.resets, t.answer.closes = t.dice.random() < 0.5, True
    return True


@lie("early ends", silent_whole=True)
def cut_without_a_length(t):
    t.answer.body = t.answer.body[:t.cut_at()]
    t.answer.is_chunked, t.answer.length, t.answer.closes = False, None, True
    return True


@lie("early ends", silent_whole=True)
def cut_in_order(t):
    """The head says how long it is, and that is too short."""
    t.answer.body = t.answer.body[:t.cut_at()]
    t.answer.is_chunked = t.dice.random() < 0.5
    return True


@lie("early ends")
def chunks_without_an_end(t):
    if not t.answer.body:
        return False
    t.answer.is_chunked = True
    t.answer.n_sent, t.answer.closes = t.dice.randrange(len(t.answer.body) + 4), True
    return True


@lie("early ends")
def no_answer(t):
    raise Cut(t.dice.choice([0, 5, 40, 100]))


# --- more than asked ----------------------------------------------------------------------------------


@lie("more than asked")
def all_from_there(t):
    """What a simple server does that heeds where a range begins, not where it ends."""
    n = len(t.child.thing.data)
    if t.is_head or t.child.mode != "ranges" or t.first is None or t.first >= n:
        return False
    t.answer = Answer(206, t.child.thing, t.child.thing.data[t.first:], (t.first, n - 1, n))
    return len(t.answer.body) > t.last + 1 - t.first


@lie("more than asked", silent_whole=True)
def longer_body(t):
    n_more = t.dice.choice([1, 100, 16384, 65536, 300_000])
    if t.answer.status == 416:  # to a range that ends before it begins, say
        t.answer = Answer(206, t.child.thing, t.made_up(n_more), (t.first, t.first + n_more - 1, len(t.child.thing.data)))
        return True
    after = t.child.thing.data[(t.last or 0) + 1:]
    t.answer.body += t.dice.choice([after[:n_more] or b"\n", t.made_up(n_more), t.child.other.data[-n_more:-1] + b"\xff"])
    t.answer.is_chunked = t.dice.random() < 0.3
    return t.is_ranged or t.answer.status == 200


@lie("more than asked")
def range_that_goes_on(t):
    if not t.is_ranged:
        return False
    first, last, total = t.answer.span
    more = t.made_up(t.dice.choice([1, 1000, 65536, 200_000]))
    t.answer.span = (first, last + len(more), t.dice.choice([total, total + t.some(), "*"]))
    t.answer.body += more
    return True


@lie("more than asked")
def surplus(t):
    if t.answer.length is None:
        return False
    t.answer.surplus = t.made_up(t.dice.choice([1, 1000, 200_000]))
    t.answer.closes = t.dice.random() < 0.3
    return True


# --- another object -----------------------------------------------------------------------------------


@lie("another object")
def another_object(t):
    """As an honest server would answer for it."""
    t.answer = t.honest(t.child.other)
    return True


@lie("another object", silent_range=True, silent_whole=True)
def bytes_of_another_object(t):
    n = len(t.answer.body)
    first = t.answer.span[0] if t.is_ranged else 0
    data = t.child.other.data * ((first + n) // len(t.child.other.data) + 1)
    t.answer.body = data[first:first + n]
    return True


@lie("another object")
def another_object_of_this_length(t):
    """With its own ETag and time, where it has any; bytes of it where this one's are asked for."""
    if not t.is_ranged or t.child.thing.tag is t.child.thing.time is None:
        return False
    bytes_of_another_object(t)
    t.answer.thing = t.child.other
    return True


@lie("another object")
def redirected(t):
    t.answer = Answer(t.dice.choice([301, 302, 303, 307, 308]), t.child.thing, tags=[], times=[], more="Location: other\r\n")
    return True


# --- statuses -----------------------------------------------------------------------------------------


@lie("statuses")
def refusal(t):
    status = t.dice.choice([400, 401, 403, 404, 405, 408, 410, 412, 413, 429, 451, 500, 501, 502, 503, 504, 507, 599, 999])
    body = t.dice.choice([b"", b"<Error><Code>SlowDown</Code></Error>", t.child.other.data[:50_000], t.made_up(300_000)])
    t.answer = Answer(status, t.child.thing, body, more="Retry-After: 0\r\n" if t.dice.random() < 0.5 else "")
    return True


@lie("statuses")
def no_such_range(t):
    if t.first is None:
        return False
    n = len(t.child.thing.data)
    t.answer = Answer(416, t.child.thing, span=t.dice.choice(["bytes */0", f"bytes */{n}", f"bytes */{t.first}", None, "bytes */*"]))
    return True


@lie("statuses")
def odd_success(t):
    t.answer.status = t.dice.choice([201, 202, 203, 204, 205, 207, 226, 304])
    if t.answer.status in (204, 205, 304):
        t.answer.body, t.answer.is_chunked = b"", False
    return True


@lie("statuses")
def prelude(t):
    """Heads of other answers before its own."""
    other = Answer(t.dice.choice([100, 102, 103]), t.child.other, length=None, span="bytes 0-1/2").bytes(False)
    t.answer.before = other * t.dice.choice([1, 2, 30])
    return True


@lie("statuses")
def in_circles(t):
    t.answer = Answer(302, t.child.thing, tags=[], times=[], more="Location: ./x\r\n")
    return True


# --- the server ---------------------------------------------------------------------------------------


class Case:
    """A merge: its children, and what was told."""

    def __init__(self, name, children):
        self.name, self.children = name, children
        self.lock = threading.Lock()
        self.n_asked = {}
        self.told = []  # (kind, lie, child, range, attempt)

    def answer(self, number, first, last, is_head, is_other):
        """The bytes, and what becomes of the connection."""
        child = self.children[number]
        with self.lock:
            attempt = self.n_asked[number, first, last] = self.n_asked.get((number, first, last), 0) + 1
        dice = random.Random(f"{self.name}/{number}/{first}/{last}/{attempt}")
        telling = Telling(dice, child, first, last, is_head)
        if is_other:
            telling.answer = telling.honest(child.other)
        elif child.ways and is_time(child, dice, first, last, attempt):
            kind, function = self.tell(telling, random.Random(f"{self.name}/{number}") if child.is_constant else dice)
            with self.lock:
                self.told.append((kind, function, number, first, last, attempt))
        return telling.answer

    def tell(self, telling, dice):
        child = telling.child
        kind = dice.choice(child.ways)
        silent = 1 if telling.is_ranged else 2
        lies = [entry for entry in LIES if entry[0] == kind and (child.has_checksum or not entry[silent])]
        dice.shuffle(lies)
        for entry in lies:
            try:
                if entry[3](telling):
                    return kind, entry[3].__name__
            except Cut as found:
                telling.answer.length, telling.answer.closes = found.n_sent, None
                return kind, entry[3].__name__
            telling.answer = telling.honest(child.thing)
        return "none", "an honest answer"


def is_time(child, dice, first, last, attempt):
    """Whether this answer is a lie."""
    return {"all": True, "half": dice.random() < 0.5, "first try": attempt == 1, "later": bool(first),
            "first window": not first}[child.rate]


class Liar:
    """with Liar() as liar: liar.cases[name] = case; liar.url(name, number)"""

    def __init__(self):
        self.cases = {}
        self.server = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.origin = f"http://127.0.0.1:{self.server.getsockname()[1]}"

    def __enter__(self):
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.close()

    def accept(self):
        while True:
            try:
                connection, _ = self.server.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with connection, connection.makefile("rb") as stream:
            try:
                while self.serve_one(connection, stream):
                    pass
            except OSError:
                pass

    def serve_one(self, connection, stream):
        lines = []
        while not lines or lines[-1] not in (b"\r\n", b""):
            lines.append(stream.readline())
        if lines[-1] == b"":
            return False
        method, path, _ = lines[0].decode("latin1").split(" ", 2)
        head = b"".join(lines[1:])
        _, case, number, name = path.split("?")[0].split("/", 3)
        part = re.search(rb"(?im)^range: bytes=(\d+)-(\d+)", head)
        first, last = (int(part[1]), int(part[2])) if part else (None, None)
        case = self.cases.get(case)
        if case is None or name == "x" and method == "PUT":
            return False
        answer = case.answer(int(number), first, last, method == "HEAD", name == "other")
        child = case.children[int(number)]
        condition = re.search(rb"(?im)^if-match: (.*?)\r$", head)
        if condition and child.heeds_conditions and answer.status == 206 and answer.tags is None \
                and condition[1].decode("latin1") != answer.thing.tag:
            answer = Answer(412, answer.thing)
        if answer.closes is None:  # a part of the head
            connection.sendall(answer.bytes(False)[:answer.length])
            return False
        connection.sendall(answer.bytes(method != "HEAD"))
        if answer.resets:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return not (answer.closes or answer.resets)

    def url(self, case, number):
        return f"{self.origin}/{case}/{number}/x"
