# SPDX-License-Identifier: MIT
"""A proxy that stands between the program and a server, and makes one request or another go wrong.

Each request is counted and shown to a function, which says None (let it through) or a Fault. Requests and answers are read
whole before they go on, so that a fault can be at any byte of either.
"""
import dataclasses
import socket
import struct
import threading


@dataclasses.dataclass
class Fault:
    """kind:
    drop     the connection is reset after `at` bytes of the answer's body
    close    it is closed in order after `at` bytes
    short    Content-Length says `at`, and no more than that is sent
    stall    nothing comes after `at` bytes, for `seconds`
    status   the server is not asked; the answer is `code` with `headers` and `body`
    etag     the answer has another ETag
    flip     one bit of the byte `at` is another one
    range    the answer's Content-Range says that it begins a byte later
    spoil    one bit of the byte `at` of the request's body is another one when the server sees it
    cut      the connection is reset after `at` bytes of the request's body, which the server never sees
    lost     the server does what it is asked, and the answer is lost
    error200 the server is not asked; the answer is 200 with an <Error>
    """
    kind: str
    at: int = 0
    code: int = 503
    headers: str = ""
    body: bytes = b"<?xml version='1.0'?><Error><Code>SlowDown</Code></Error>"
    seconds: float = 3


@dataclasses.dataclass
class Request:
    number: int
    method: str
    path: str
    headers: bytes
    fault: Fault = None

    @property
    def kind(self):
        """What the request is for."""
        query = self.path.partition("?")[2]
        if self.method == "GET":
            if "comp=list" in query or "list-type=2" in query:
                return "list"
            return "first range" if b"range: bytes=0-" in self.headers.lower() else "later range"
        if b"-copy-source:" in self.headers.lower():
            return "copy"
        if self.method == "PUT":
            return "part" if "comp=block&" in query + "&" or "partNumber" in query else \
                "commit" if "comp=blocklist" in query else "put"
        if self.method == "POST":
            return "begin" if "uploads" in query else "commit"
        return {"HEAD": "look", "DELETE": "abort"}[self.method]


class Proxy:
    """with Proxy(port of the server) as proxy: proxy.url, proxy.decide = function, proxy.log"""

    def __init__(self, port):
        self.target = ("127.0.0.1", port)
        self.decide = lambda request: None
        self.log = []
        self.lock = threading.Lock()
        self.server = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = f"http://127.0.0.1:{self.server.getsockname()[1]}"

    def __enter__(self):
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.close()

    def reset(self, decide=lambda request: None):
        with self.lock:
            self.log = []
            self.decide = decide

    def accept(self):
        while True:
            try:
                connection, _ = self.server.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with connection:
            stream = connection.makefile("rb")
            try:
                while self.serve_one(connection, stream):
                    pass
            except (OSError, ValueError):  # ValueError: chunks that were cut
                pass

    def serve_one(self, connection, stream):
        head = read_head(stream)
        if not head:
            return False
        method, path, _ = head.split(b"\r\n", 1)[0].decode("latin1").split(" ", 2)
        with self.lock:
            request = Request(len(self.log), method, path, head)
            request.fault = fault = self.decide(request)
            self.log.append(request)
        n_body = int(header(head, b"content-length") or 0)
        if fault and fault.kind == "cut":
            stream.read(min(fault.at, n_body))
            return reset(connection)
        body = stream.read(n_body)
        if fault and fault.kind == "spoil":
            body = flip(body, fault.at)
        if fault and fault.kind in ("status", "error200"):
            code = 200 if fault.kind == "error200" else fault.code
            text = b"<?xml version='1.0'?><Error><Code>InternalError</Code></Error>" \
                if fault.kind == "error200" else fault.body
            connection.sendall(b"HTTP/1.1 %d Fault\r\nContent-Length: %d\r\n%s\r\n" %
                               (code, len(text), fault.headers.encode()) + (b"" if method == "HEAD" else text))
            return True
        answer_head, answer = self.ask(method, head, body)
        return self.answer(connection, method, fault, answer_head, answer)

    def ask(self, method, head, body):
        with socket.create_connection(self.target) as upstream:
            line, rest = head.split(b"\r\n", 1)
            upstream.sendall(line + b"\r\nConnection: close\r\n" + rest + body)
            stream = upstream.makefile("rb")
            answer_head = read_head(stream)
            while answer_head.startswith(b"HTTP/1.1 100"):
                answer_head = read_head(stream)
            if not answer_head:
                raise ConnectionResetError("the server said nothing")
            if method == "HEAD" or answer_head.split(b" ", 2)[1] in (b"204", b"304"):
                return answer_head, b""
            if (header(answer_head, b"transfer-encoding") or b"").lower() == b"chunked":
                answer = read_chunks(stream)
                answer_head = replace_header(answer_head, b"transfer-encoding", None)
                return replace_header(answer_head, b"content-length", b"%d" % len(answer)), answer
            length = header(answer_head, b"content-length")
            return answer_head, stream.read(int(length)) if length is not None else stream.read()

    def answer(self, connection, method, fault, head, body):
        head = replace_header(head, b"connection", None)
        kind = fault.kind if fault else ""
        if kind == "lost":
            return reset(connection)
        if kind == "etag" and header(head, b"etag") is not None:
            head = replace_header(head, b"etag", b'"another"')
        if kind == "flip":
            body = flip(body, fault.at)
        span = header(head, b"content-range")
        if kind == "range" and span is not None:
            first, rest = span.removeprefix(b"bytes ").split(b"-", 1)
            head = replace_header(head, b"content-range", b"bytes %d-%s" % (int(first) + 1, rest))
        if kind == "short" and fault.at < len(body):
            head, body = replace_header(head, b"content-length", b"%d" % fault.at), body[:fault.at]
        if kind in ("drop", "close", "stall"):
            connection.sendall(head + body[:min(fault.at, max(0, len(body) - 1))])
            if kind == "stall":
                threading.Event().wait(fault.seconds)
            return reset(connection) if kind != "close" else False
        connection.sendall(head + body)
        return True


def read_head(stream):
    lines = []
    while True:
        line = stream.readline()
        if not line:
            return b""
        lines.append(line)
        if line == b"\r\n":
            return b"".join(lines)


def read_chunks(stream):
    parts = []
    while True:
        size = int(stream.readline().split(b";")[0], 16)
        parts.append(stream.read(size))
        stream.readline()
        if size == 0:
            return b"".join(parts)


def header(head, name):
    for line in head.split(b"\r\n")[1:]:
        if line.lower().startswith(name + b":"):
            return line.split(b":", 1)[1].strip()
    return None


def flip(body, at):
    place = at % max(1, len(body))
    return body[:place] + bytes([byte ^ 16 for byte in body[place:place + 1]]) + body[place + 1:]


def replace_header(head, name, value):
    lines = head.split(b"\r\n")
    kept = [lines[0]] + [line for line in lines[1:-2] if not line.lower().startswith(name + b":")]
    return b"\r\n".join(kept + ([name + b": " + value] if value is not None else []) + [b"", b""])


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return False
