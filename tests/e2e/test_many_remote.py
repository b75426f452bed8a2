# SPDX-License-Identifier: MIT
"""Many small children on a server: one request for each, many in flight, and what becomes known only with the answers."""
import gzip
import os
import random
import threading

import program
import pytest
import small
from answers import Answers, head, part
from program import CHANGED, DATA, NOT_FOUND, OK, USAGE

ENVIRONMENT = dict(os.environ, BLASTMERGE_RETRY_DELAY_MS="1", BLASTMERGE_RETRIES="2", AWS_ACCESS_KEY_ID="AK",
                   AWS_SECRET_ACCESS_KEY="SK", no_proxy="*")
FIRST = 384 << 10  # bytes of a first range by default, when the result is local


@pytest.fixture(scope="module", autouse=True)
def with_object_storage():
    if "with libcurl" not in program.run("--version").out.decode():
        pytest.skip("this blastmerge was built without object storage")


CHILDREN = {f"{number}.gz": small.child(f"query{number}") for number in range(60)}
MERGED = {}


def merged(folder, children):
    key = tuple(children)
    if key not in MERGED:
        MERGED[key] = program.same_as_oracle(folder, children).out
    return MERGED[key]


def tag_of(name):
    return f'"{name}"'


def serve(children):
    """A good server's answer."""
    def answer(request):
        name = request.path.rpartition("/")[2]
        if name not in children:
            return [head(404, Content_Length=0)]
        return part(children[name], request, ETag=tag_of(name))
    return answer


def listing(children, etag=tag_of, length=len, is_azure=False):
    """A store's list of all of them."""
    if is_azure:
        entries = "".join(f"<Blob><Name>{name}</Name><Properties><Content-Length>{length(data)}</Content-Length>"
                          f"<Etag>{etag(name)}</Etag></Properties></Blob>" for name, data in children.items())
        text = f"<?xml version='1.0'?><EnumerationResults><Blobs>{entries}</Blobs></EnumerationResults>"
    else:
        entries = "".join(f"<Contents><Key>{name}</Key><ETag>{etag(name).replace(chr(34), '&quot;')}</ETag>"
                          f"<Size>{length(data)}</Size></Contents>" for name, data in children.items())
        text = f"<?xml version='1.0'?><ListBucketResult>{entries}</ListBucketResult>"
    return [head(200, Content_Length=len(text)), text.encode()]


def store(children, **lies):
    def answer(request):
        is_list = "list-type" in request.query or "comp=list" in request.query
        return listing(children, is_azure="comp=list" in request.query, **lies) if is_list else serve(children)(request)
    return answer


def merge(folder, *arguments):
    done = program.run("-o", folder / "merged.gz", *arguments, env=ENVIRONMENT)
    assert (folder / "merged.gz").exists() == (done.code == OK), done.err
    return done


def merge_all(folder, server, names, *arguments):
    return merge(folder, *arguments, *(f"{server.url}/{name}" for name in names))


class Crowd:
    """Answers no request until so many are in flight: those that come then are answered at once. It gives up after a time, and
    `most` says how many there were."""

    def __init__(self, n, answer):
        self.n, self.answer = n, answer
        self.condition = threading.Condition()
        self.n_waiting = self.most = 0

    def __call__(self, request):
        with self.condition:
            self.n_waiting += 1
            self.most = max(self.most, self.n_waiting)
            self.condition.notify_all()
            self.condition.wait_for(lambda: self.most >= self.n, timeout=20)
            self.n_waiting -= 1
        return self.answer(request)


# --- one request each, many in flight -------------------------------------------------------------------


@pytest.mark.parametrize("threads", [1, 2])
def test_one_request_for_each_child(tmp_path, threads):
    crowd = Crowd(20, serve(CHILDREN))
    with Answers(crowd) as server:
        done = merge_all(tmp_path, server, CHILDREN, "--threads", threads)
        assert done.code == OK, done.err
        assert sorted(request.path[1:] for request in server.log) == sorted(CHILDREN)
        assert all((request.method, request.first) == ("GET", 0) for request in server.log)
    assert crowd.most >= 20
    assert (tmp_path / "merged.gz").read_bytes() == merged(tmp_path, CHILDREN.values())


@pytest.mark.parametrize("memory, n_most", [(29, 4), (30, 4 + 5), (2000, 4 + 56)])
def test_as_many_in_flight_as_the_memory_allows(tmp_path, memory, n_most):
    crowd = Crowd(n_most, serve(CHILDREN))
    with Answers(crowd) as server:
        assert merge_all(tmp_path, server, CHILDREN, "--memory", memory).code == OK
    assert crowd.most == n_most
    assert (tmp_path / "merged.gz").read_bytes() == merged(tmp_path, CHILDREN.values())


@pytest.mark.parametrize("is_azure", [False, True])
def test_a_list_says_how_long_children_are(tmp_path, is_azure):
    """Nothing is requested that is not there, and nothing before."""
    children = {"empty.gz": b"", **CHILDREN}
    etag = (lambda name: name) if is_azure else tag_of  # Azure's lists have them without quotes
    with Answers(store(children, etag=etag)) as server:
        where = [f"{server.url}/account/box/*.gz?sv=1&sig=x"] if is_azure else ["--endpoint", server.url, "s3://bucket/*.gz"]
        done = merge(tmp_path, "--allow-empty", *where)
        assert done.code == OK, done.err
        spans = {request.path.rpartition("/")[2]: (request.first, request.last) for request in server.log if request.first is not None}
        assert len(server.log) == len(spans) + 1
    assert spans == {name: (0, len(data) - 1) for name, data in CHILDREN.items()}
    assert (tmp_path / "merged.gz").read_bytes() == merged(tmp_path, CHILDREN.values())


@pytest.mark.parametrize("lies, text", [({"etag": lambda name: '"another"'}, "its ETag"), ({"length": lambda data: len(data) + 1}, "length differs"),
                                        ({"length": lambda data: len(data) - 1}, "length differs")])
def test_what_is_not_as_it_was_listed_has_changed(tmp_path, lies, text):
    with Answers(store(CHILDREN, **lies)) as server:
        done = merge(tmp_path, "--endpoint", server.url, "s3://bucket/*.gz")
    assert done.code == CHANGED and text in done.err, done.err


@pytest.mark.parametrize("lies", [{"etag": lambda name: ""}, {"etag": lambda name: 'W/"x"'}, {"etag": lambda name: "x" * 500},
                                  {"length": lambda data: ""}, {"length": lambda data: -1}, {"length": lambda data: 1 << 64}])
def test_lists_that_say_nothing_of_use(tmp_path, lies):
    with Answers(store(CHILDREN, **lies)) as server:
        assert merge(tmp_path, "--endpoint", server.url, "s3://bucket/*.gz").code == OK
    assert (tmp_path / "merged.gz").read_bytes() == merged(tmp_path, CHILDREN.values())


def noisy(number, n_bytes):
    rng = random.Random(number)
    return gzip.compress(small.text(*(f"query{n} {rng.randbytes(300).hex()}" for n in range(n_bytes // 300))), 1)


@pytest.mark.parametrize("has_ranges", [True, False])
def test_longer_ones_go_on_from_their_first_range(tmp_path, has_ranges):
    """With ranges, no byte is requested twice. Without, what does not fit is requested when its turn comes, and no earlier."""
    children = {f"{number}.gz": noisy(number, FIRST + 200_000 if number % 3 == 0 else 30_000) for number in range(12)}

    def answer(request):
        if has_ranges:
            return serve(children)(request)
        data = children[request.path[1:]]
        return [head(200, ETag=tag_of(request.path), Content_Length=len(data)), data]

    with Answers(answer) as server:
        done = merge_all(tmp_path, server, children)
        assert done.code == OK, done.err
        log = list(server.log)
    assert (tmp_path / "merged.gz").read_bytes() == merged(tmp_path, children.values())
    for name, data in children.items():
        spans = sorted((request.first, min(request.last, len(data) - 1)) for request in log if request.path[1:] == name)
        if has_ranges:
            assert [first for first, _ in spans] == [0, *(last + 1 for _, last in spans[:-1])] and spans[-1][1] == len(data) - 1
        assert len(spans) == 1 or len(data) > FIRST or not has_ranges
        assert len(spans) <= (4 if has_ranges else 2)


# --- what is found when its turn comes ------------------------------------------------------------------


def test_a_missing_child_is_found_in_its_turn(tmp_path):
    """The first in the result's order, whichever answer comes first; and nothing is to be seen of a result."""
    children = {name: data for name, data in CHILDREN.items() if name not in ("31.gz", "33.gz")}
    with Answers(serve(children)) as server:
        done = merge_all(tmp_path, server, CHILDREN)
        n_requests = len(server.log)
    assert done.code == NOT_FOUND and "/31.gz" in done.err and "HTTP 404" in done.err, done.err
    assert n_requests < len(CHILDREN)
    assert os.listdir(tmp_path) == []


def test_a_check_names_all_that_are_missing(tmp_path):
    children = {name: data for name, data in CHILDREN.items() if name not in ("31.gz", "33.gz")}
    with Answers(serve(children)) as server:
        done = program.run("check", *(f"{server.url}/{name}" for name in CHILDREN), env=ENVIRONMENT)
    assert done.code == NOT_FOUND and "/31.gz" in done.err and "/33.gz" in done.err, done.err


def test_locations_that_cannot_be_are_found_first(tmp_path):
    with Answers(serve(CHILDREN)) as server:
        done = merge(tmp_path, f"{server.url}/0.gz", "http://user:secret@127.0.0.1/x.gz")
        assert done.code == USAGE and "secret" not in done.err, done.err
        assert server.log == []


@pytest.mark.parametrize("says_total", [True, False])
@pytest.mark.parametrize("is_there", [True, False])
def test_emptiness_has_two_witnesses(tmp_path, says_total, is_there):
    """A range of an empty object is refused: another request says whether it is empty."""
    def answer(request):
        name = request.path.rpartition("/")[2]
        if name != "1.gz":
            return serve(CHILDREN)(request)
        if request.method == "HEAD":
            return [head(200, ETag=TAG, Content_Length=100 if is_there else 0)]
        return [head(416, Content_Range="bytes */0" if says_total else None, Content_Length=0)]

    with Answers(answer) as server:
        locations = ["--endpoint", server.url, *(f"s3://bucket/{name}" for name in CHILDREN)]
        done = merge(tmp_path, "--allow-empty", *locations)
        n_looks = sum(request.method == "HEAD" for request in server.log)
        assert done.code == (CHANGED if is_there else OK), done.err
        assert n_looks == 1
        if not is_there:
            others = [data for name, data in CHILDREN.items() if name != "1.gz"]
            assert (tmp_path / "merged.gz").read_bytes() == merged(tmp_path, others)
            (tmp_path / "merged.gz").unlink()
            assert merge(tmp_path, *locations).code == DATA


TAG = '"one"'


@pytest.mark.parametrize("n_bytes", [0, 15, 17, 40, 60])
def test_a_head_that_breaks_off_is_no_empty_child(tmp_path, n_bytes):
    """libcurl takes what has come of it for all of it."""
    data = b"a\tb\t1\n" * 100

    def answer(request):
        if request.path == "/1.gz" and request.number == 0:
            return [head(200, Date="Sun, 06 Nov 1994 08:49:37 GMT", Connection="close")[:n_bytes]]
        return [head(200, Content_Length=len(data), Connection="close"), data]

    with Answers(answer, keeps=False) as server:
        done = merge(tmp_path, "--allow-empty", "--format", "tabular", "--plain", f"{server.url}/0.gz", f"{server.url}/1.gz")
        assert done.code == OK, done.err
        assert sum(request.path == "/1.gz" for request in server.log) == 2
    assert (tmp_path / "merged.gz").read_bytes() == 2 * data
