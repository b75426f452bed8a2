# SPDX-License-Identifier: MIT
"""Web servers that answer otherwise than they should: an error that says what they did, never a wrong result."""
import gzip
import itertools
import os
import random
import time

import program
import pytest
import small
from answers import Answers, endless, head, part
from program import CHANGED, DATA, DENIED, IO, NOT_FOUND, OK

ENVIRONMENT = dict(os.environ, BLASTMERGE_RETRY_DELAY_MS="1", BLASTMERGE_RETRIES="2", BLASTMERGE_STALL_SECONDS="2",
                   AWS_ACCESS_KEY_ID="AK", AWS_SECRET_ACCESS_KEY="SK", no_proxy="*")


@pytest.fixture(scope="module", autouse=True)
def with_object_storage():
    if "with libcurl" not in program.run("--version").out.decode():
        pytest.skip("this blastmerge was built without object storage")


def noisy(seed, n_queries):
    rng = random.Random(seed)
    return small.text(*(f"query{n} {rng.randbytes(300).hex()}" for n in range(n_queries)))


# With 30 MiB a window has 64 KiB: these are one of them, three, and more than the four that are there at a time.
CHILDREN = {n: gzip.compress(noisy(n, n), 1) for n in (10, 500, 1500)}
LONG = CHILDREN[1500]
TAG = '"one"'
TIMES = ["Sun, 06 Nov 1994 08:49:37 GMT", "Mon, 07 Nov 1994 08:49:37 GMT"]


def merge(server, folder, *arguments, names=("child.gz",), memory=30):
    """Merges, and looks after what holds whatever the server does."""
    done = program.run("--memory", memory, "-f", "-o", folder / "merged.gz", *arguments,
                       *(f"{server.url}/{name}" for name in names), env=ENVIRONMENT)
    assert (folder / "merged.gz").exists() == (done.code == OK), done.err
    assert all(request.first is None or request.first <= request.last for request in server.log)
    return done


def merged(folder, *children):
    return program.same_as_oracle(folder, children).out


# --- more than was asked for ---------------------------------------------------------------------------

SURPLUS = [1, 65536, 8 << 20]


@pytest.mark.parametrize("has_length", [True, False])
@pytest.mark.parametrize("surplus", SURPLUS)
@pytest.mark.parametrize("n", CHILDREN)
def test_more_bytes_than_the_range_has(tmp_path, n, surplus, has_length):
    """As the Content-Range has it, it would be right."""
    data = CHILDREN[n]

    def answer(request):
        if request.number == 0 and n > 10:
            return part(data, request, ETag=TAG)
        last = min(request.last, len(data) - 1)
        body = data[request.first:last + 1] + b"B" * surplus
        span = f"bytes {request.first}-{last}/{len(data)}"
        if has_length:
            return [head(206, ETag=TAG, Content_Range=span, Content_Length=len(body)), body]
        return [head(206, ETag=TAG, Content_Range=span, Transfer_Encoding="chunked"), b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)]

    with Answers(answer) as server:
        done = merge(server, tmp_path)
    assert done.code == IO, done.err
    assert ("more than requested" if has_length else "more bytes than the requested range has") in done.err


@pytest.mark.parametrize("is_first_right", [True, False])
@pytest.mark.parametrize("n", CHILDREN)
def test_ranges_without_an_end(tmp_path, n, is_first_right):
    """The server heeds where a range begins, and not where it ends. What is asked for is shorter than the child."""
    data = CHILDREN[n] + gzip.compress(b"\n" * 300_000, 0)

    def answer(request):
        if is_first_right and request.number == 0:
            return part(data, request, ETag=TAG)
        return [head(206, ETag=TAG, Content_Range=f"bytes {request.first}-{len(data) - 1}/{len(data)}",
                     Content_Length=len(data) - request.first), data[request.first:]]

    with Answers(answer) as server:
        done = merge(server, tmp_path)
    assert done.code == IO and "it ignores the end of a range" in done.err, done.err


def test_a_range_behind_the_one_that_was_asked_for(tmp_path):
    """Two answers: more than was asked for, then a range that begins behind what was asked for."""
    def answer(request):
        first = request.first if request.number == 0 else request.first + 65536
        n = request.last - request.first + 1
        return [head(206, ETag=TAG, Content_Range=f"bytes {first}-{first + n - 1}/{len(LONG)}"), LONG[first:first + n + 65536]]

    with Answers(answer, keeps=False) as server:
        assert merge(server, tmp_path).code == IO


def test_whole_ranges_whose_connection_breaks(tmp_path):
    """The range is there, the end of the chunks is not: it is not asked for again."""
    def answer(request):
        span, body = part(LONG, request)
        first, last = request.first, request.first + len(body) - 1
        return [head(206, ETag=TAG, Content_Range=f"bytes {first}-{last}/{len(LONG)}", Transfer_Encoding="chunked"),
                b"%x\r\n%s\r\n" % (len(body), body)]

    with Answers(answer, keeps=False) as server:
        done = merge(server, tmp_path)
        assert done.code == OK, done.err
        assert (tmp_path / "merged.gz").read_bytes() == merged(tmp_path, LONG)
        spans = [(request.first, request.last) for request in server.log]
    assert len(spans) == len(set(spans))


@pytest.mark.parametrize("span", ["bytes 0-0/0", "bytes 0-0/18446744073709551616", "bytes 0-18446744073709551615/*", "bytes 1-0/5",
                                  "bytes 0-0", "bytes */5", "0-0/5", ""])
def test_ranges_that_make_no_sense(tmp_path, span):
    with Answers(lambda request: [head(206, ETag=TAG, Content_Range=span, Content_Length=1), b"\x1f"]) as server:
        done = merge(server, tmp_path)
    assert done.code == IO and ("invalid Content-Range" in done.err or "another range" in done.err), done.err


@pytest.mark.parametrize("total", [len(LONG) - 100, len(LONG) + 100, 1])
def test_totals_that_differ(tmp_path, total):
    """Later answers have another length of the whole."""
    def answer(request):
        headers = {} if request.number < 3 else {"Content_Range": f"bytes {request.first}-{min(request.last, total - 1)}/{total}"}
        return part(LONG[:total] if headers else LONG, request, ETag=TAG, **headers)

    with Answers(answer) as server:
        done = merge(server, tmp_path)
    assert done.code in ((CHANGED,) if total > 1 else (CHANGED, IO)), done.err


# --- versions ------------------------------------------------------------------------------------------

OTHER = gzip.compress(noisy(7, 1500), 1).ljust(len(LONG), b"\0")[:len(LONG)]
# What tells versions apart, before and after the change.
CHANGES = {
    "strong": ({"ETag": '"0"'}, {"ETag": '"1"'}),
    "strong and time": ({"ETag": '"0"', "Last_Modified": TIMES[0]}, {"ETag": '"1"', "Last_Modified": TIMES[1]}),
    "weak": ({"ETag": 'W/"0"', "Last_Modified": TIMES[0]}, {"ETag": 'W/"1"', "Last_Modified": TIMES[0]}),
    "weak, time alone": ({"ETag": 'W/"0"', "Last_Modified": TIMES[0]}, {"ETag": 'W/"0"', "Last_Modified": TIMES[1]}),
    "strong to weak": ({"ETag": '"0"', "Last_Modified": TIMES[0]}, {"ETag": 'W/"0"', "Last_Modified": TIMES[0]}),
    "no ETag later": ({"ETag": '"0"', "Last_Modified": TIMES[0]}, {"Last_Modified": TIMES[1]}),
    "no ETag later, time as before": ({"ETag": '"0"', "Last_Modified": TIMES[0]}, {"Last_Modified": TIMES[0]}),
    "neither later": ({"ETag": '"0"', "Last_Modified": TIMES[0]}, {}),
    "time": ({"Last_Modified": TIMES[0]}, {"Last_Modified": TIMES[1]}),
    "time is gone": ({"Last_Modified": TIMES[0]}, {}),
    "weak is gone": ({"ETag": 'W/"0"', "Last_Modified": TIMES[0]}, {"Last_Modified": TIMES[0]}),
    "ETag comes up": ({"Last_Modified": TIMES[0]}, {"ETag": '"1"', "Last_Modified": TIMES[0]}),
}


@pytest.mark.parametrize("number", [1, 2, 4])  # ranges that come before
@pytest.mark.parametrize("change", CHANGES)
def test_no_mixture(tmp_path, change, number):
    def answer(request):
        is_new = request.number >= number
        return part(OTHER if is_new else LONG, request, **CHANGES[change][is_new])

    with Answers(answer) as server:
        done = merge(server, tmp_path)
    assert done.code == CHANGED and "changed while it was read: " in done.err, done.err


@pytest.mark.parametrize("change", CHANGES)
def test_no_mixture_in_a_stream(tmp_path, change):
    """The server knows no ranges, and what was cut is asked for again."""
    def answer(request):
        is_new = request.number >= 1
        data = OTHER if is_new else LONG
        body = data if is_new else data[:len(data) // 2]
        return [head(200, Content_Length=len(data), **CHANGES[change][is_new]), body]

    with Answers(answer, keeps=False) as server:
        done = merge(server, tmp_path)
    assert done.code == CHANGED, done.err


@pytest.mark.parametrize("headers", [{"ETag": TAG}, {"ETag": 'W/"x"', "Last_Modified": TIMES[0]}, {"Last_Modified": TIMES[0]},
                                     {"ETag": 'W/"x"'}, {}])
@pytest.mark.parametrize("n", CHILDREN)
def test_versions_that_stay(tmp_path, headers, n):
    """Whatever tells them apart, or does not."""
    data = CHILDREN[n]

    def answer(request):
        return part(data, request, **headers) if request.last is not None else [head(200, Content_Length=len(data), **headers), data]

    with Answers(answer) as server:
        done = merge(server, tmp_path)
        n_whole = sum(request.last is None for request in server.log)
    assert done.code == OK, done.err
    assert (tmp_path / "merged.gz").read_bytes() == merged(tmp_path, data)
    is_certain = TAG in headers.values() or "Last_Modified" in headers
    assert n_whole == (0 if is_certain or n == 10 else 1)  # without a validator all of it is one version, or an error


def test_time_of_this_very_second(tmp_path):
    """What was changed in the second of the answer may be changed again in that second: it is read at once."""
    headers = {"Last_Modified": TIMES[0], "Date": TIMES[0]}

    def answer(request):
        return part(LONG, request, **headers) if request.last is not None else [head(200, Content_Length=len(LONG), **headers), LONG]

    with Answers(answer) as server:
        assert merge(server, tmp_path).code == OK
        assert sum(request.last is None for request in server.log) == 1


@pytest.mark.parametrize("n_second", [0, 1000, len(LONG) - 1])
def test_a_stream_that_becomes_shorter(tmp_path, n_second):
    """It was cut, and comes again with the same ETag, shorter and without a length."""
    def answer(request):
        if request.number < 1:
            return [head(200, ETag=TAG, Transfer_Encoding="chunked"), b"%x\r\n%s\r\n" % (len(LONG) - 1, LONG[:-1])]
        return [head(200, ETag=TAG, Transfer_Encoding="chunked"),
                (b"%x\r\n%s\r\n" % (n_second, LONG[:n_second]) if n_second > 0 else b"") + b"0\r\n\r\n"]

    with Answers(answer, keeps=False) as server:
        done = merge(server, tmp_path)
    assert done.code != OK, done.err
    assert n_second == len(LONG) - 1 or done.code == CHANGED, done.err


# --- answers without an end ----------------------------------------------------------------------------

def headers_without_end():
    yield b"HTTP/1.1 200 OK\r\n"
    while True:
        yield b"X: " + b"a" * 1000 + b"\r\n"


def one_header_without_end():
    yield b"HTTP/1.1 200 OK\r\nX: "
    while True:
        yield b"a" * 65536


def status_line_without_end():
    yield b"HTTP/1.1 200 "
    while True:
        yield b"a" * 65536


def continues_without_end():
    while True:
        yield b"HTTP/1.1 100 Continue\r\n\r\n" * 100


def body_without_end(status, **headers):
    yield head(status, Transfer_Encoding="chunked", **headers)
    yield from endless()


def trailers_without_end():
    yield head(404, Transfer_Encoding="chunked") + b"0\r\n"
    while True:
        yield b"X: " + b"a" * 1000 + b"\r\n"


ENDLESS = {
    "headers": (headers_without_end, IO, "more than 128 KiB of headers"),
    "header": (one_header_without_end, IO, "a header that is longer than libcurl accepts"),
    "status line": (status_line_without_end, IO, "a header that is longer than libcurl accepts"),
    "continue": (continues_without_end, IO, "more than 128 KiB of headers"),
    "trailers": (trailers_without_end, (IO, NOT_FOUND), ""),
    "404": (lambda: body_without_end(404), NOT_FOUND, "HTTP 404"),
    "403": (lambda: body_without_end(403), DENIED, "HTTP 403"),
    "500": (lambda: body_without_end(500), IO, "HTTP 500 (tried 3 times)"),
    "300": (lambda: body_without_end(300), IO, "HTTP 300"),
    "redirection": (lambda: body_without_end(302, Location="/elsewhere"), IO, "more than 64 KiB with a redirection"),
    "range": (lambda: body_without_end(206, ETag=TAG, Content_Range="bytes 0-99/100"), IO, "more bytes than the requested range"),
    "redirections": (lambda: [head(302, Location="/child.gz", Content_Length=0, Connection="close")], IO, "Maximum (5) redirects"),
}


@pytest.mark.parametrize("kind", ENDLESS)
def test_answers_without_an_end(tmp_path, kind):
    answer, code, text = ENDLESS[kind]
    with Answers(lambda request: answer(), keeps=False) as server:
        done = merge(server, tmp_path)
        n_sent = server.n_sent
    assert done.code in (code if isinstance(code, tuple) else (code,)) and text in done.err, done.err
    assert n_sent < 40 << 20  # with what lies in buffers, for each of three tries


def drip(data):
    for place in range(len(data)):
        yield data[place:place + 1]
        time.sleep(0.4)


@pytest.mark.parametrize("status, code", [(200, IO), (404, NOT_FOUND)])
def test_answers_that_come_drop_by_drop(tmp_path, status, code):
    """There is always a byte in time, and never an end: the headers of a child, or the body of a refusal."""
    first = b"" if status == 200 else head(404, Content_Length=10000)
    with Answers(lambda request: itertools.chain([first], drip(b"HTTP/1.1 200 OK\r\n" + b"X: " + b"a" * 10000)), keeps=False) as server:
        environment = {**ENVIRONMENT, "BLASTMERGE_RETRIES": "0", "BLASTMERGE_STALL_SECONDS": "1"}
        done = program.run("-o", tmp_path / "merged.gz", server.url + "/child.gz", env=environment)
    assert done.code == code, done.err


def test_trailers_say_nothing(tmp_path):
    """What looks like another answer's head behind the body is none."""
    data = CHILDREN[10]
    trailers = b"Content-Range: bytes 5-6/7\r\nETag: \"x\"\r\nLast-Modified: x\r\n"
    with Answers(lambda request: [head(200, Transfer_Encoding="chunked", Trailer="ETag"),
                                  b"%x\r\n%s\r\n0\r\n%s\r\n" % (len(data), data, trailers)]) as server:
        assert merge(server, tmp_path).code == OK
    assert (tmp_path / "merged.gz").read_bytes() == merged(tmp_path, data)


# --- whose fault it is ---------------------------------------------------------------------------------

@pytest.mark.parametrize("is_read", [False, True])
@pytest.mark.parametrize("status", [201, 202, 203, 204, 205, 207, 226, 299, 300, 301, 304, 305, 306, 400, 402, 405, 406, 409, 411, 413,
                                    414, 415, 418, 421, 422, 426, 428, 431, 451, 501, 505, 508, 511, 599, 600, 999])
def test_odd_statuses_are_the_servers(tmp_path, status, is_read):
    """Never an empty child, and never the caller's fault."""
    def answer(request):
        if is_read and request.number == 0:
            return part(LONG, request, ETag=TAG)
        return [head(status, Content_Length=None if status in (204, 304) else 0)]

    with Answers(answer) as server:
        done = merge(server, tmp_path, "--allow-empty")
    assert done.code == IO and (f"HTTP {status}" in done.err), done.err


@pytest.mark.parametrize("location", ["file:///etc/passwd", "gopher://127.0.0.1/_x", "ftp://127.0.0.1/x", "http://[::1/", "http:///",
                                      "http://a b/", "http://" + "a" * 70000])
def test_redirections_to_nowhere(tmp_path, location):
    with Answers(lambda request: [head(302, Location=location, Content_Length=0)]) as server:
        done = merge(server, tmp_path)
    assert done.code == IO, done.err


@pytest.mark.parametrize("answer", [b"hello", b"", b"\0" * 1000, b"HTTP/1.1 000 X\r\n\r\n", b"HTTP/9.9 200 X\r\n\r\n", b"HTTP/1.1\r\n\r\n",
                                    b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
                                    b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
                                    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"])
def test_what_is_no_answer(tmp_path, answer):
    with Answers(lambda request: [answer], keeps=False) as server:
        done = merge(server, tmp_path)
    assert done.code == IO, done.err


def test_empty_child_is_one_with_200(tmp_path):
    with Answers(lambda request: [head(200, Content_Length=0)]) as server:
        assert merge(server, tmp_path).code == DATA


@pytest.mark.parametrize("headers", [{"ETag": '"\1"'}, {"ETag": '"\x7f"'}, {"ETag": '"0"', "Last_Modified": "\x1b[31m"}])
def test_validators_with_control_characters(tmp_path, headers):
    """They would have to be sent back."""
    with Answers(lambda request: part(LONG, request, **headers)) as server:
        done = merge(server, tmp_path)
        assert done.code == IO and "control characters" in done.err, done.err


@pytest.mark.parametrize("where", ["first", "later"])
def test_a_full_store_is_no_matter_of_readers(tmp_path, where):
    """507 is about writing."""
    def answer(request):
        if where == "first" or request.number > 0:
            return [head(507, Content_Length=0)]
        return part(LONG, request, ETag=TAG)
    with Answers(answer) as server:
        assert merge(server, tmp_path).code == IO


def test_what_could_be_had_is_not_empty(tmp_path):
    """There is nothing, it is said; another request finds it, of no known length."""
    def answer(request):
        if request.number > 0:
            return [head(200, ETag=TAG, Transfer_Encoding="chunked"), b"%x\r\n%s\r\n0\r\n\r\n" % (len(LONG), LONG)]
        return [head(416, Content_Range="bytes */0", Content_Length=0)]
    with Answers(answer) as server:
        done = merge(server, tmp_path, "--allow-empty")
        assert done.code == CHANGED and "became shorter" in done.err, done.err


# --- lists ---------------------------------------------------------------------------------------------

def page(names, token=None, rest=""):
    text = "".join(f"<Contents><Key>{name}</Key></Contents>" for name in names)
    token = "" if token is None else f"<IsTruncated>true</IsTruncated><NextContinuationToken>{token}</NextContinuationToken>"
    body = f"<?xml version='1.0'?><ListBucketResult>{text}{token}{rest}</ListBucketResult>".encode()
    return [head(200, Content_Length=len(body)), body]


def list_of(answer, folder, memory=64, **environment):
    """Merges what a list has."""
    with Answers(lambda request: answer(request) if "list-type" in request.query else [head(404, Content_Length=0)]) as server:
        done = program.run("--memory", memory, "-o", folder / "merged.gz", "--endpoint", server.url, "s3://bucket/*.gz",
                           env={**ENVIRONMENT, **environment}, command=["/usr/bin/time", "-f", "resident %M", program.PROGRAM])
        n_pages = sum("list-type" in request.query for request in server.log)
    n_kib = int(done.err.split("resident ")[1])
    assert n_kib < memory * 1024 or "ASAN" in " ".join(os.environ) or "asan" in program.PROGRAM, f"{n_kib} KiB"
    return done, n_pages


def names_of(number, n=500):
    return [f"k{number}_{i}.gz" for i in range(n)]


@pytest.mark.parametrize("n_tokens", [1, 2, 7])
def test_lists_that_go_round(tmp_path, n_tokens):
    done, n_pages = list_of(lambda request: page(names_of(request.number), f"t{request.number % n_tokens}"), tmp_path)
    assert done.code == IO and "an earlier page" in done.err and n_pages == n_tokens + 1, done.err


def test_lists_without_an_end(tmp_path):
    """There is always another page: as many names as there is memory for, and no more."""
    done, n_pages = list_of(lambda request: page(names_of(request.number), f"t{request.number}"), tmp_path)
    assert done.code == IO and "the list has more names than fit into the 9 MiB" in done.err and "--memory 101 " in done.err, done.err
    more, n_more = list_of(lambda request: page(names_of(request.number), f"t{request.number}"), tmp_path, memory=101)
    assert more.code == IO and n_more > 1.7 * n_pages, more.err


def test_lists_of_nothing(tmp_path):
    """Pages without names are fine, but not for ever."""
    done, n_pages = list_of(lambda request: page([], f"t{request.number}" if request.number < 50 else None), tmp_path)
    assert done.code == NOT_FOUND and n_pages == 51, done.err
    done, n_pages = list_of(lambda request: page([], f"t{request.number}"), tmp_path)
    assert done.code == IO and "1000 pages in a row without a name" in done.err and n_pages == 1000, done.err


def test_names_that_are_shown_alike(tmp_path):
    """Cut to what a message holds they are the same, and still two objects."""
    keys = ["ä" * 330 + end for end in ("1.gz", "2.gz")]
    names = "".join(f"<Blob><Name>{key}</Name></Blob>" for key in keys)
    body = f"<?xml version='1.0'?><EnumerationResults><Blobs>{names}</Blobs></EnumerationResults>".encode()

    def answer(request):
        if "comp=list" in request.query:
            return [head(200, Content_Length=len(body)), body]
        data = CHILDREN[10 if request.path.endswith("1.gz") else 500]
        if request.method == "HEAD":
            return [head(200, Content_Length=len(data), ETag=TAG)]
        return part(data, request, ETag=TAG)

    with Answers(answer) as server:
        done = program.run("-o", tmp_path / "merged.gz", f"{server.url}/account/box/*.gz?sv=1&sig=x", env=ENVIRONMENT)
    assert done.code == OK, done.err
    assert (tmp_path / "merged.gz").read_bytes() == merged(tmp_path, CHILDREN[10], CHILDREN[500])


@pytest.mark.parametrize("names, rest, text", [
    (["x.gz", "y.gz", "x.gz"], "", "lists s3://bucket/x.gz twice"),
    (["a&#0;b.gz"], "", "invalid"), (["a\0b.gz"], "", "invalid"), (["a&#xD800;.gz"], "", "invalid"),
    (["a&#10;b.gz"], "", "cannot be requested"), (["k" * 3000 + ".gz"], "", "too long"),
    (["x.gz"], "<IsTruncated>true</IsTruncated>", "names no next page"),
    (["x.gz"], "<IsTruncated>1</IsTruncated>", "names no next page"),
    (["x.gz"], "<IsTruncated> true </IsTruncated>", "names no next page"),
    (["x.gz", "<![CDATA[y.gz]]>"], "", "CDATA"), (["x.gz", "y<!-- z -->.gz"], "", "comments"),
    (["x.gz"], f"<NextContinuationToken>{'t' * 3000}</NextContinuationToken>", "next page"),
    (["x.gz"], f"<NextContinuationToken>{'%' * 1500}</NextContinuationToken>", "next page"),
    (["x.gz"], "x" * (3 << 20), "an answer that is too long"),
])
def test_lists_that_cannot_be(tmp_path, names, rest, text):
    done, _ = list_of(lambda request: page(names, None, rest), tmp_path)
    assert done.code == IO and text in done.err, done.err


def test_answer_to_what_is_sent(tmp_path):
    """A store whose answers to an upload have no end."""
    child = tmp_path / "child.gz"
    child.write_bytes(CHILDREN[10])
    with Answers(lambda request: [head(404, Content_Length=0)] if request.method == "HEAD" else body_without_end(200, ETag=TAG),
                 keeps=False) as server:
        done = program.run("-o", "s3://bucket/out.gz", "--endpoint", server.url, child, env=ENVIRONMENT)
        assert server.n_sent < 40 << 20
    assert done.code == IO and "an answer that is too long" in done.err, done.err


@pytest.mark.parametrize("name, options, media_type", [
    ("m.xml", [], "application/xml"), ("m.TSV", [], "text/tab-separated-values"), ("m.csv", [], "text/csv"), ("m.txt", [], "text/plain"),
    ("m.json", [], "application/json"), ("m.gz", [], "application/gzip"), ("m", [], "application/gzip"), ("m.bgz", [], "application/gzip"),
    ("m.xml", ["--gzip"], "application/gzip"), ("m.tsv", ["--bgzf"], "application/gzip"), ("m.gz", ["--plain"], "application/octet-stream"),
    ("m", ["--plain"], "application/octet-stream")])
def test_the_media_type_of_what_is_sent(tmp_path, name, options, media_type):
    """As the form of the result is; and never an encoding, which readers would take away."""
    (tmp_path / "child").write_bytes(small.child("a"))
    sent = {}

    def answer(request):
        if request.method == "PUT":
            sent[request.path] = request.headers
        return [head(404 if request.method == "HEAD" else 200, Content_Length=0, ETag=TAG)]
    with Answers(answer) as server:
        done = program.run(*options, "-o", f"s3://box/{name}", "--report", "s3://box/r", "--endpoint", server.url, tmp_path / "child",
                           env=ENVIRONMENT)
    assert done.code == OK, done.err
    assert sent[f"/box/{name}"]["content-type"] == media_type and sent["/box/r"]["content-type"] == "application/json"
    assert not any("content-encoding" in headers for headers in sent.values())
