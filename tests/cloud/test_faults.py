# SPDX-License-Identifier: MIT
"""Whatever goes wrong between the program and a server, there are two outcomes: the right bytes, or the right error and
nothing to be seen."""
import os
import random
import time

import pytest
from conftest import SEED, STALL, merge, share
from faultproxy import Fault, Proxy, header
from program import CHANGED, DATA, DENIED, EXISTS, IO, NOT_FOUND, NO_SPACE, OK

# What passes, when it happens once.
PASSING = [
    Fault("drop", at=1000), Fault("close"), Fault("close", at=20000), Fault("stall", at=3000),
    Fault("short", at=500), Fault("cut", at=100), Fault("lost"), Fault("error200"),
    Fault("status", code=503, headers="Retry-After: 0\r\n"), Fault("status", code=503), Fault("status", code=500),
    Fault("status", code=429), Fault("status", code=408),
    Fault("status", code=400, body=b"<Error><Code>RequestTimeout</Code></Error>"),
    Fault("status", code=500, body=b"<Error><Code>OperationTimedOut</Code></Error>"),
]
# And what only reading can meet.
WRONG_RANGE = Fault("range")
# What never does, and what it is.
FINAL = [
    (Fault("status", code=403, body=b"<Error><Code>AccessDenied</Code></Error>"), DENIED),
    (Fault("status", code=401, body=b"<Error><Code>NoAuthenticationInformation</Code></Error>"), DENIED),
    (Fault("status", code=400, body=b"<Error><Code>InvalidArgument</Code></Error>"), IO),
    (Fault("status", code=404, body=b"<Error><Code>NoSuchKey</Code></Error>"), NOT_FOUND),
    (Fault("status", code=507, body=b"<Error><Code>InsufficientStorage</Code></Error>"), NO_SPACE),
]
READING = ["first range", "later range", "list"]
WRITING = {"azure": ["look", "part", "commit", "put"], "s3": ["look", "begin", "part", "commit", "put"]}


def of_reading(code):
    """Only what is written can lack space."""
    return IO if code == NO_SPACE else code


def name_of(fault):
    return f"{fault.kind}-{fault.code if fault.kind == 'status' else fault.at}-{len(fault.body)}{'R' * bool(fault.headers)}"


def once(kind, fault, skip=0):
    """The fault at one request of that kind, the skip-th."""
    left = [skip]

    def decide(request):
        if request.kind != kind:
            return None
        left[0] -= 1
        return fault if left[0] == -1 else None

    return decide


def patience(fault):
    return STALL if fault.kind == "stall" else {}


def can_be(kind, fault):
    """Whether a request of that kind can have that fault: a HEAD's answer has no body and so no code in it."""
    return "range" in kind if fault.kind == "range" else kind != "look" or fault.code != 400


def always(kind, fault):
    return lambda request: fault if request.kind == kind else None


@pytest.fixture(scope="module")
def proxy(store):
    with Proxy(store.port) as made:
        yield made


def read(store, proxy, **env):
    return merge("--memory", 30, store.url("short/batch_*.xml.gz"), env={**store.env(proxy.url), **env})


def write(store, proxy, which, key="results/faults.gz", memory=44, **env):
    store.delete(key)
    done = merge("--memory", memory, "-o", store.url(key), *which.paths, env={**store.env(proxy.url), **env})
    return done, store.get(key)


# --- one fault -----------------------------------------------------------------------------------------

@pytest.mark.parametrize("fault", [*PASSING, WRONG_RANGE], ids=name_of)
def test_reading_goes_on(store, proxy, children, fault):
    for kind in share([kind for kind in READING if can_be(kind, fault)], store.name, "read", fault):
        proxy.reset(once(kind, fault))
        done = read(store, proxy, **patience(fault))
        assert done.out == children.merged, (kind, done.err)
        assert any(request.fault for request in proxy.log), f"no request was a {kind}"


@pytest.mark.parametrize("fault", PASSING, ids=name_of)
def test_writing_goes_on(store, proxy, children, long_children, fault):
    for kind in share([kind for kind in WRITING[store.name] if can_be(kind, fault)], store.name, "write", fault):
        which = children if kind in ("put", "look") else long_children
        proxy.reset(once(kind, fault))
        done, result = write(store, proxy, which, **patience(fault))
        assert done.code == OK and result == which.merged, (kind, done.err)
        assert any(request.fault for request in proxy.log), f"no request was a {kind}"
        if kind == "begin":  # an upload whose id was lost has no parts, and nobody knows it
            store.give_up_staged()
        assert store.staged() == [], kind


@pytest.mark.parametrize("fault, code", FINAL, ids=lambda value: name_of(value) if isinstance(value, Fault) else str(value))
def test_what_is_final(store, proxy, children, long_children, fault, code):
    for kind in share(READING, store.name, "read", fault):
        proxy.reset(always(kind, fault))
        done = read(store, proxy)
        assert (done.code, done.out == children.merged) == (of_reading(code), False), (kind, done.err)
        assert f"HTTP {fault.code}" in done.err
        assert sum(request.kind == kind for request in proxy.log) <= 8  # in flight, none of them repeated
    kinds = [kind for kind in WRITING[store.name]
             if kind != "look" or fault.code not in (403, 404)]  # who may not look may write
    for kind in share(kinds, store.name, "write", fault):
        which = children if kind in ("put", "look") else long_children
        proxy.reset(always(kind, fault))
        done, result = write(store, proxy, which)
        expected = EXISTS if fault.code == 404 and kind == "commit" else of_reading(code) if kind == "look" else code
        assert (done.code, result) == (expected, None), (kind, done.err)
        assert store.staged() == [], kind


def test_gives_up_after_all_tries(store, proxy, children, long_children):
    for kind in READING:
        proxy.reset(always(kind, Fault("status")))
        done = read(store, proxy, BLASTMERGE_RETRIES="3")
        assert done.code == IO and "HTTP 503 SlowDown" in done.err or "HTTP 503" in done.err, (kind, done.err)
    for kind in WRITING[store.name]:
        which = children if kind in ("put", "look") else long_children
        proxy.reset(always(kind, Fault("status")))
        done, result = write(store, proxy, which, BLASTMERGE_RETRIES="3")
        assert (done.code, result) == (IO, None) and store.staged() == [], (kind, done.err)


def test_retry_after_wins(store, proxy, children):
    proxy.reset(once("first range", Fault("status", headers="Retry-After: 1\r\n")))
    before = time.monotonic()
    assert read(store, proxy, BLASTMERGE_RETRY_DELAY_MS="0").out == children.merged
    assert time.monotonic() - before >= 1  # never less; how much more is the machine's business


def test_short_ranges_go_on_from_where_they_were_cut(store, proxy, children):
    proxy.reset(once("later range", Fault("drop", at=20000)))
    assert read(store, proxy).out == children.merged
    cut = next(request for request in proxy.log if request.fault)
    start = int(cut.headers.lower().split(b"range: bytes=")[1].split(b"-")[0])
    assert any(b"range: bytes=%d-" % (start + 20000) in request.headers.lower() for request in proxy.log)


# --- changes and damage --------------------------------------------------------------------------------

def test_another_etag(store, proxy, children):
    for kind in ("later range", "first range"):
        proxy.reset(once(kind, Fault("etag")))
        done = read(store, proxy)
        assert done.code == CHANGED, (kind, done.err)  # what was listed is what is read


def test_changed_in_between(store, proxy, children):
    """A child is replaced by another version of the same length after its first range."""
    data = children.paths[0].read_bytes()
    store.put("short_changed/0.gz", data)

    def decide(request):
        if request.kind == "later range" and not any(other.kind == "later range" for other in proxy.log):
            store.put("short_changed/0.gz", data[:-1] + bytes([data[-1] ^ 1]))

    proxy.reset(decide)
    done = merge("--memory", 30, store.url("short_changed/0.gz"), env=store.env(proxy.url))
    assert done.code == CHANGED, done.err


def test_flipped_bit(store, proxy, children):
    for kind in ("first range", "later range"):
        proxy.reset(once(kind, Fault("flip", at=30000)))
        done = read(store, proxy)
        assert done.code == DATA, (kind, done.err)


def test_a_lost_commit_is_found_to_be_ours(store, proxy, children, long_children):
    for which, kind in ((children, "put"), (long_children, "commit")):
        proxy.reset(once(kind, Fault("lost")))
        done, result = write(store, proxy, which)
        assert (done.code, result) == (OK, which.merged), done.err


def test_refused_as_existing_where_nothing_is(store, proxy, children):
    proxy.reset(always("put", Fault("status", code=409, body=b"<Error><Code>Conflict</Code></Error>")))
    done, result = write(store, proxy, children)
    assert (done.code, result) == (IO, None) and "it does not exist: try again" in done.err


def test_a_commit_that_stays_lost(store, proxy, long_children):
    """The server did it, and never said so: the object itself tells."""
    proxy.reset(always("commit", Fault("lost")))
    done, result = write(store, proxy, long_children, BLASTMERGE_RETRIES="2")
    assert (done.code, result) == (OK, long_children.merged), done.err


def test_an_abort_that_fails_is_named(s3, long_children):
    with Proxy(s3.port) as proxy:
        proxy.reset(lambda request: Fault("status", code=403, body=b"<Error><Code>AccessDenied</Code></Error>")
                    if request.kind in ("commit", "abort") else None)
        s3.delete("results/abort.gz")
        done = merge("--memory", 44, "-o", s3.url("results/abort.gz"), *long_children.paths, env=s3.env(proxy.url))
        assert done.code == DENIED
        staged = s3.staged()
        assert len(staged) == 1 and staged[0] in done.err and "abort-multipart-upload" in done.err
        assert s3.request("DELETE", s3.path("results/abort.gz"), f"uploadId={staged[0]}")[0] == 204


def test_clock(store, proxy):
    """The servers' clock is believed where ours is refused. Azure says the same for a wrong key: the dates tell."""
    code, name = {"azure": ("AuthenticationFailed", b"x-ms-date"), "s3": ("RequestTimeTooSkewed", b"x-amz-date")}[store.name]
    ahead = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 400))
    proxy.reset(once("first range", Fault("status", code=403, headers=f"Date: {ahead}\r\n",
                                          body=f"<Error><Code>{code}</Code></Error>".encode())))
    done = merge(store.url("short/batch_8.xml.gz"), env=store.env(proxy.url))
    assert done.code == OK, done.err
    first, second = (header(request.headers, name) for request in proxy.log if request.kind == "first range")
    assert second != first
    proxy.reset(always("first range", Fault("status", code=403, headers=f"Date: {ahead}\r\n",
                                            body=f"<Error><Code>{code}</Code></Error>".encode())))
    assert merge(store.url("short/batch_8.xml.gz"), env=store.env(proxy.url)).code == DENIED
    assert sum(request.kind == "first range" for request in proxy.log) == 2  # once


def test_budget(store, proxy, children):
    """Each request by itself would succeed in the end, but a child has no patience for so many failures."""
    seen = {}

    def decide(request):
        if "range" not in request.kind:
            return None
        span = (request.path, header(request.headers, b"range"))
        seen[span] = seen.get(span, 0) + 1
        return Fault("status") if seen[span] <= 5 else None

    proxy.reset(decide)
    done = merge("--memory", 30, store.url("short/batch_8.xml.gz"), env=store.env(proxy.url))
    assert done.code == IO and "HTTP 503" in done.err
    assert sum(seen.values()) <= 8 + 5 + 4  # the budget, what the first range gave back, and one each of those under way


def test_stored_encoding_is_no_business_of_ours(store, children):
    """Of an object that is said to be Content-Encoding: gzip the bytes are wanted, not what they stand for."""
    name = {"azure": "x-ms-blob-content-encoding", "s3": "Content-Encoding"}[store.name]
    key, data = "encoded/0.gz", children.paths[0].read_bytes()
    status, _, answer = store.request("PUT", store.path(key), "", data, {**store.put_headers, name: "gzip"})
    assert status in (200, 201), answer
    done = merge(store.url(key), env=store.env())
    assert done.out == merge(children.paths[0]).out and done.code == OK, done.err


@pytest.mark.parametrize("kind", ["put", "part", "commit"])
def test_what_is_sent_is_checked(store, proxy, children, long_children, kind):
    """A bit that is turned on the way never gets into a result: the store says so, and it is sent again. Azurite has no look at
    the sum of a list of blocks, but finds that there is no such block, or no such list."""
    which = children if kind == "put" else long_children
    for at in (0, 200) if store.name == "azure" else (0,):
        proxy.reset(once(kind, Fault("spoil", at=at)))
        done, result = write(store, proxy, which)
        assert any(request.fault for request in proxy.log), f"no request was a {kind}"
        if store.name == "s3" or kind != "commit":
            assert (done.code, result) == (OK, which.merged), done.err
        else:
            assert done.code in (IO, EXISTS) and result is None, done.err
        assert store.staged() == []


# --- web servers ---------------------------------------------------------------------------------------

@pytest.mark.parametrize("folder", ["", "whole/", "dated/"])
def test_web(web, children, folder):
    with Proxy(int(web.rpartition(":")[2])) as proxy:
        urls = [f"{proxy.url}/{folder}{path.name}" for path in children.paths]
        for fault in (*PASSING, WRONG_RANGE):
            if fault.kind in ("short", "error200"):
                continue  # a server that takes part in nothing but files says this only if it is true
            for number in (0, 3, 5):
                proxy.reset(lambda request, n=number, f=fault: f if request.number == n else None)
                done = merge("--memory", 30, *urls, env=patience(fault))
                assert done.out == children.merged, (fault, number, done.err)
        for number in (4, 6):
            proxy.reset(lambda request, n=number: Fault("etag") if request.number >= n else None)
            assert merge("--memory", 30, *urls).code in (OK, CHANGED)


@pytest.mark.parametrize("folder", ["", "whole/", "dated/"])
def test_web_changed_in_between(web, children, folder):
    """What is left of the child is asked for when there is another version of the same length."""
    path = children.paths[0].parent / f"changing_{folder.strip('/')}.gz"
    path.write_bytes(children.paths[0].read_bytes())
    os.utime(path, (1_000_000_000, 1_000_000_000))

    def decide(request):
        if request.number == 1:
            path.write_bytes(children.paths[1].read_bytes().ljust(len(children.paths[0].read_bytes()), b"\0"))
        return Fault("drop", at=10000) if request.number == 0 else None

    with Proxy(int(web.rpartition(":")[2])) as proxy:
        proxy.reset(decide)
        done = merge("--memory", 30, f"{proxy.url}/{folder}{path.name}")
    assert done.code == CHANGED, done.err


def test_web_without_a_version(web, children):
    """Where nothing tells versions apart, what was cut is not asked for again once bytes have come."""
    with Proxy(int(web.rpartition(":")[2])) as proxy:
        for at, code in ((0, OK), (10000, IO)):
            proxy.reset(lambda request, n=at: Fault("drop", at=n) if request.number == 1 else None)
            done = merge("--memory", 30, f"{proxy.url}/plain/{children.paths[0].name}")
            assert done.code == code, (at, done.err, [request.kind for request in proxy.log])


def test_web_whole_and_short(web, children):
    """All of it, with a length that is a lie: the end is missing, and the child's own checks say so."""
    with Proxy(int(web.rpartition(":")[2])) as proxy:
        proxy.reset(lambda request: Fault("short", at=100000) if request.number == 0 else None)
        done = merge("--memory", 30, f"{proxy.url}/whole/{children.paths[0].name}")
        assert done.code in (DATA, CHANGED) and done.out != children.merged


# --- at random -----------------------------------------------------------------------------------------

KINDS = ["drop", "close", "short", "stall", "status", "etag", "flip", "range", "spoil", "cut", "lost", "error200"]


def schedule(seed):
    """Each request fails with a chance that is the schedule's own, in one of its ways."""
    chance = random.Random(seed)
    share = chance.choice([0.02, 0.1, 0.3])
    kinds = chance.sample(KINDS, chance.randint(1, 4))

    def decide(_):
        if chance.random() >= share:
            return None
        kind = chance.choice(kinds)
        if kind == "stall" and chance.random() < 0.8:
            kind = "drop"  # stalls take their time
        return Fault(kind, at=chance.choice([0, 1, 100, 5000, 60000, 300000]),
                     code=chance.choice([408, 429, 500, 502, 503, 504]), seconds=1.5)

    return decide


def test_random_faults(store, proxy, children, long_children):
    """BLASTMERGE_TEST_SCHEDULES of them, from the seed BLASTMERGE_TEST_SEED on."""
    n_schedules, seed = int(os.environ.get("BLASTMERGE_TEST_SCHEDULES", 12)), SEED
    outcomes = {}
    key = "results/random.gz"
    for number in range(seed, seed + n_schedules):
        which, prefix = (long_children, "long") if number % 3 == 0 else (children, "short")
        memory = 50 if which is long_children else 44
        store.delete(key)
        proxy.reset(schedule(number))
        done = merge("--memory", memory, "-o", store.url(key), *which.urls(store, prefix), env=store.env(proxy.url))
        result = store.get(key)
        faults = {request.fault.kind for request in proxy.log if request.fault}
        print(f"{store.name}: seed {number}: code {done.code}, {sorted(faults)}")
        outcomes[done.code] = outcomes.get(done.code, 0) + 1
        is_begin_lost = any(request.kind == "begin" and request.fault for request in proxy.log)
        assert is_begin_lost or all(upload in done.err for upload in store.staged()), f"seed {number}: left and not named"
        store.give_up_staged()
        if done.code == OK:
            assert result == which.merged, f"seed {number}"
        else:
            assert result is None or (result == which.merged and "may have been written" in done.err), \
                f"seed {number}: {done.err}"
            is_list_spoilt = any(request.kind == "commit" and request.fault and request.fault.kind == "spoil" for request in proxy.log)
            assert done.code in (IO, DATA, CHANGED, *[EXISTS] * is_list_spoilt), f"seed {number}: {done.err}"
    print(f"{store.name}: seeds {seed} to {seed + n_schedules - 1}: {outcomes}")
