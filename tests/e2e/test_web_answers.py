# SPDX-License-Identifier: MIT
"""Web servers that answer otherwise than they should: an error that says what they did, never a wrong result."""
import gzip
import os
import random

import program
import pytest
import small
from answers import Answers, head, part
from program import CHANGED, IO, OK

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
        if request.number == 0:
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
    assert ("more than was asked for" if has_length else "more bytes than the range that was asked for has") in done.err


@pytest.mark.parametrize("is_look_right", [True, False])
@pytest.mark.parametrize("n", CHILDREN)
def test_ranges_without_an_end(tmp_path, n, is_look_right):
    """The server heeds where a range begins, and not where it ends. What is asked for is shorter than the child."""
    data = CHILDREN[n] + gzip.compress(b"\n" * 300_000, 0)

    def answer(request):
        if is_look_right and request.number == 0:
            return part(data, request, ETag=TAG)
        return [head(206, ETag=TAG, Content_Range=f"bytes {request.first}-{len(data) - 1}/{len(data)}",
                     Content_Length=len(data) - request.first), data[request.first:]]

    with Answers(answer) as server:
        done = merge(server, tmp_path)
    assert done.code == IO and "it does not heed where a range ends" in done.err, done.err


def test_a_range_behind_the_one_that_was_asked_for(tmp_path):
    """Two answers: more than was asked for, then a range that begins behind what was asked for."""
    def answer(request):
        if request.last == 0:
            return part(LONG, request, ETag=TAG)
        first = request.first if request.number == 1 else request.first + 65536
        n = request.last - request.first + 1
        return [head(206, ETag=TAG, Content_Range=f"bytes {first}-{first + n - 1}/{len(LONG)}"), LONG[first:first + n + 65536]]

    with Answers(answer, keeps=False) as server:
        assert merge(server, tmp_path).code == IO


def test_whole_ranges_whose_connection_breaks(tmp_path):
    """The range is there, the end of the chunks is not: it is not asked for again."""
    def answer(request):
        if request.last == 0:
            return part(LONG, request, ETag=TAG)
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
    assert done.code == IO and ("makes no sense" in done.err or "another range" in done.err), done.err


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


@pytest.mark.parametrize("number", [1, 2, 4])  # the look, the first range, and some of the others come before
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
        is_new = request.number >= 2
        data = OTHER if is_new else LONG
        body = data[:len(data) // 2] if request.number == 1 else data
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
        if request.number < 2:
            return [head(200, ETag=TAG, Transfer_Encoding="chunked"), b"%x\r\n%s\r\n" % (len(LONG) - 1, LONG[:-1])]
        return [head(200, ETag=TAG, Transfer_Encoding="chunked"),
                (b"%x\r\n%s\r\n" % (n_second, LONG[:n_second]) if n_second > 0 else b"") + b"0\r\n\r\n"]

    with Answers(answer, keeps=False) as server:
        done = merge(server, tmp_path)
    assert done.code != OK, done.err
    assert n_second == len(LONG) - 1 or done.code == CHANGED, done.err
