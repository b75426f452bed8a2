# SPDX-License-Identifier: MIT
"""get from a web server: by ranges, few of them; changes and damage on the way."""
import re
import shutil
import subprocess
import zlib
from pathlib import Path

import pytest
from program import CHANGED, DATA, IO, NOT_FOUND, OK, USAGE, run
from test_index import make, write
from web import Web


class Counted(Web):
    """Keeps what was requested."""

    def __init__(self, look, **options):
        self.requests = []
        super().__init__(look, **options)

    class Handler(Web.Handler):
        def do_GET(self):
            part = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
            self.server.requests.append((self.path[1:], int(part[1]) if part else None, int(part[2]) if part and part[2] else None))
            super().do_GET()


@pytest.fixture(scope="module", params=["xml", "json", "commented", "tabular"])
def place(request, tmp_path_factory):
    """A result of some size on a server, and its index."""
    folder = tmp_path_factory.mktemp("web")
    result = make(request.param, n_queries=60, hits=60)
    path = write(folder, result.text, "gzip-9").rename(folder / "result.gz")
    assert run("index", path, "--restart-distance", "256K").code == OK
    return folder, result


def served(folder):
    return Counted(lambda path: (folder / path).read_bytes() if (folder / path).is_file() else None)


def test_each_query(place):
    folder, result = place
    for i in range(0, len(result.parts), 11):
        with served(folder) as server:
            done = run("get", server.url + "result.gz", result.parts[i][1])
            assert (done.code, done.out) == (OK, result.document([i])), done.err
            of_index = [request for request in server.requests if request[0] == "result.gz.bmi"]
            of_result = [request for request in server.requests if request[0] == "result.gz"]
        assert len(of_index) <= 12 and len(of_result) <= 3, server.requests
        compressed = len(zlib.compress(result.parts[i][2]))
        fetched = sum(last - first + 1 for _, first, last in of_result if last is not None)
        distance = (256 << 10) * (folder / "result.gz").stat().st_size // len(result.text)
        assert fetched <= 3 * distance + 2 * compressed + 4096, (fetched, distance, compressed)


def test_all(place):
    folder, result = place
    with served(folder) as server:
        done = run("get", server.url + "result.gz", "--numbers", "1-")
        assert (done.code, done.out) == (OK, result.text)


def test_index_elsewhere(place, tmp_path):
    """The index is given, as a file; and written to a file, of a remote result."""
    folder, result = place
    with served(folder) as server:
        done = run("get", server.url + "result.gz", "--numbers", "7", "--index-file", folder / "result.gz.bmi")
        assert (done.code, done.out) == (OK, result.document([6]))
        assert all(request[0] == "result.gz" for request in server.requests)
        assert run("index", server.url + "result.gz").code == USAGE
        done = run("index", server.url + "result.gz", "--index-file", tmp_path / "index")
        assert done.code == OK, done.err
        done = run("get", server.url + "result.gz", "--numbers", "7", "--index-file", tmp_path / "index")
        assert (done.code, done.out) == (OK, result.document([6]))
        assert run("get", folder / "result.gz", "--numbers", "7", "--index-file", server.url + "result.gz.bmi").code == USAGE


def test_query_of_a_url(place):
    """What a URL has behind its path belongs behind the suffix, too."""
    folder, result = place
    with Counted(lambda path: (folder / path.partition("?")[0]).read_bytes() if path.endswith("?a=b") else None) as server:
        done = run("get", server.url + "result.gz?a=b", "--numbers", "3")
        assert (done.code, done.out) == (OK, result.document([2])), done.err


def test_without_index(place):
    folder, result = place
    with Counted(lambda path: (folder / path).read_bytes() if path == "result.gz" else None) as server:
        done = run("get", server.url + "result.gz", "--numbers", "5")
        assert (done.code, done.out) == (OK, result.document([4])), done.err
        assert len(done.warnings) == 1 and "has no index" in done.warnings[0]
        assert run("get", server.url + "absent.gz", "--numbers", "5").code == NOT_FOUND


def test_changes(place, tmp_path):
    """A result or an index that changes while it is read is never mixed with what it was."""
    folder, result = place
    for name in "result.gz", "result.gz.bmi":
        for at in 1, 2, 3:
            seen = []

            def look(path, name=name, at=at, seen=seen):
                data = (folder / path).read_bytes()
                if path == name:
                    seen.append(path)
                    if len(seen) > at:
                        data = data[:-70] + bytes(byte ^ 1 for byte in data[-70:])
                return data
            with Counted(look) as server:
                done = run("get", server.url + "result.gz", "--numbers", "20-40", env={"BLASTMERGE_RETRIES": "0"})
            assert done.code in (OK, CHANGED, DATA), (name, at, done.err)
            assert done.code == CHANGED or done.out == result.document(range(19, 40)) or len(seen) <= at or done.code == DATA
            if done.code != OK:
                assert not done.out or result.document(range(19, 40)).startswith(done.out)


def test_no_ranges(place):
    """A server that sends all of it cannot be read at any place: its first answer says so."""
    folder, _ = place
    with Counted(lambda path: (folder / path).read_bytes(), has_ranges=False) as server:
        done = run("get", server.url + "result.gz", "--numbers", "5")
        assert done.code == IO and done.out == b"" and "a server that supports ranges" in done.err, done.err
        assert len(server.requests) == 1, server.requests


def test_a_range_that_was_not_sent(place):
    """A server that has sent ranges may fail to do so once: the range is requested again."""
    folder, result = place

    class Once(Counted):
        class Handler(Counted.Handler):
            def do_GET(self):
                if len(self.server.requests) == 2:
                    del self.headers["Range"]
                super().do_GET()
    with Once(lambda path: (folder / path).read_bytes()) as server:
        done = run("get", server.url + "result.gz", "--numbers", "5")
        assert (done.code, done.out) == (OK, result.document([4])), done.err
        assert server.requests[2][1] is None and len(server.requests) > 3
