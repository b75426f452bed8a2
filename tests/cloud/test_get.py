# SPDX-License-Identifier: MIT
"""One query of a result in an object store, by the index beside it: the query's own bytes, and of both files only what is needed."""
import gzip
import random
import re

import pytest
from conftest import merge
from faultproxy import Fault, Proxy
from program import CHANGED, NOT_FOUND, OK

DISTANCE = 1 << 20  # bytes of text between two restart points
HEADER = b"<?xml version=\"1.0\"?>\n<BlastOutput>\n<BlastOutput_program>blastp</BlastOutput_program>\n<BlastOutput_iterations>\n"
FOOTER = b"</BlastOutput_iterations>\n</BlastOutput>\n"


def make_iteration(number, dice):
    """Names, ids and accessions are in no order. Some are long."""
    size = 300_000 if number % 5000 == 77 else 120
    return (b"<Iteration>\n<Iteration_iter-num>%d</Iteration_iter-num>\n<Iteration_query-ID>id%08d</Iteration_query-ID>\n"
            b"<Iteration_query-def>sp|P%08d|NAME_%d some protein</Iteration_query-def>\n<Iteration_query-len>7</Iteration_query-len>\n"
            b"<Iteration_message>%s</Iteration_message>\n</Iteration>\n"
            % (number, number * 7919 % 100_003, number * 104_729 % 1_000_003, number, dice.randbytes(size).hex().encode()))


class Uploaded:
    """A result of 60,000 Iterations and its index of several megabytes, here and in a store."""

    def __init__(self, folder):
        dice = random.Random(1)
        self.iterations = [make_iteration(number, dice) for number in range(1, 60_001)]
        self.path = folder / "result.gz"
        self.path.write_bytes(gzip.compress(HEADER + b"".join(self.iterations) + FOOTER, 1))
        done = merge("index", self.path, "--restart-distance", "1M")
        assert done.code == OK, done.err
        self.index = folder / "result.gz.bmi"
        assert self.index.stat().st_size > 4 << 20
        self.ratio = self.path.stat().st_size / sum(map(len, self.iterations))

    def document(self, number):
        return HEADER + self.iterations[number - 1].rstrip(b"\n") + b"\n" + FOOTER


@pytest.fixture(scope="session")
def uploaded(tmp_path_factory):
    return Uploaded(tmp_path_factory.mktemp("result"))


@pytest.fixture
def proxy(store, uploaded):
    for path in uploaded.path, uploaded.index:
        if store.get(f"get/{path.name}") is None:
            store.put(f"get/{path.name}", path.read_bytes())
    with Proxy(store.port) as made:
        yield made


def get(store, proxy, *query):
    return merge("get", store.url("get/result.gz"), *query, env=store.env(proxy.url))


def requests_of(proxy, name):
    return [request for request in proxy.log if request.path.partition("?")[0].endswith(name)]


def ranges_of(request):
    return [(int(first), int(last)) for first, last in re.findall(rb"(?im)^(?:x-ms-)?range: bytes=(\d+)-(\d+)", request.headers)]


def n_bytes_of(requests):
    return sum(last - first + 1 for request in requests for first, last in ranges_of(request))


def test_few_requests(store, uploaded, proxy, record_property):
    """At most 12 of the index and 3 of the result, of which come little more than a restart distance and the query."""
    dice = random.Random(2)
    most = [0, 0, 0]
    for number in [78, 1, 60_000, *(dice.randrange(1, 60_001) for _ in range(6))]:
        text = uploaded.iterations[number - 1]
        names = [re.search(pattern, text)[1].decode() for pattern in (rb"def>(\S+)", rb"ID>(.*?)<", rb"sp\|(.*?)\|")]
        for query in [["--numbers", str(number)], *([name] for name in names)]:
            proxy.reset()
            done = get(store, proxy, *query)
            assert (done.code, done.out) == (OK, uploaded.document(number)), (query, done.err)
            of_index, of_result = requests_of(proxy, "result.gz.bmi"), requests_of(proxy, "result.gz")
            assert len(of_index) <= 12 and len(of_result) <= 3, (query, [(request.method, request.path, ranges_of(request)) for request in proxy.log])
            n_bytes = n_bytes_of(of_result)
            assert n_bytes <= 1.5 * DISTANCE * uploaded.ratio + len(text), (query, n_bytes)
            most = [max(pair) for pair in zip(most, (len(of_index), len(of_result), n_bytes))]
    record_property("most", most)
    print(f"{store.name}: at most {most[0]} requests of the index, {most[1]} of the result, {most[2]} bytes of it")


def test_missing(store, uploaded, proxy):
    done = get(store, proxy, "nobody", "--numbers", "60001")
    assert done.code == NOT_FOUND and not done.out and "2 of 2 are missing" in done.err
    assert len(uploaded.iterations) == 60_000


def test_another_version(store, uploaded, proxy):
    """Answers of two versions are never mixed."""
    for name in "result.gz", "result.gz.bmi":
        for at in range(3):
            def decide(request, name=name, at=at):
                is_it = request.path.partition("?")[0].endswith(name) and len(requests_of(proxy, name)) >= at
                return Fault("etag") if is_it and request.method == "GET" else None
            proxy.reset(decide)
            done = get(store, proxy, "--numbers", "30000")
            assert done.code == CHANGED and not done.out or (done.code, done.out) == (OK, uploaded.document(30_000)), (name, at, done.err)
