# SPDX-License-Identifier: MIT
"""A server that answers whatever a test wants, byte by byte."""
import re
import socket
import threading
from dataclasses import dataclass


@dataclass
class Request:
    method: str
    path: str  # without the query
    query: str
    first: int  # of the range, or None
    last: int
    number: int  # of the requests for that path, from 0
    headers: dict


class Answers:
    """answer: a function of a request that returns an iterable of bytes. The connection is kept while `keeps` is true."""

    def __init__(self, answer, keeps=True):
        self.answer, self.keeps = answer, keeps
        self.log = []
        self.n_sent = 0
        self.lock = threading.Lock()
        self.server = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = f"http://127.0.0.1:{self.server.getsockname()[1]}"

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
                while self.serve_one(connection, stream) and self.keeps:
                    pass
            except OSError:  # the program hung up
                pass

    def serve_one(self, connection, stream):
        line = stream.readline().decode("latin1").split()
        headers = {}
        for text in iter(stream.readline, b"\r\n"):
            if not text:
                return False
            name, _, value = text.decode("latin1").partition(":")
            headers[name.lower()] = value.strip()
        if not line:
            return False
        stream.read(int(headers.get("content-length", 0)))
        part = re.fullmatch(r"bytes=(\d+)-(\d+)", headers.get("range", ""))
        path, _, query = line[1].partition("?")
        with self.lock:
            number = sum(request.path == path for request in self.log)
            request = Request(line[0], path, query, *(map(int, part.groups()) if part else (None, None)), number, headers)
            self.log.append(request)
        for piece in self.answer(request):
            connection.sendall(piece)
            self.n_sent += len(piece)
        return True


def head(status, **headers):
    """A status line and headers; an underscore stands for a dash, None for a header that is not there."""
    lines = [f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items() if value is not None]
    return f"HTTP/1.1 {status} X\r\n{''.join(lines)}\r\n".encode()


def part(data, request, **headers):
    """What a good server answers to a request for a range."""
    last = min(request.last, len(data) - 1)
    body = data[request.first:last + 1]
    headers = {"Content_Range": f"bytes {request.first}-{last}/{len(data)}", "Content_Length": len(body), **headers}
    return [head(206, **headers), body]


def endless(piece=b"a" * 65536):
    """A body without an end, in chunks."""
    while True:
        yield b"%x\r\n%s\r\n" % (len(piece), piece)
