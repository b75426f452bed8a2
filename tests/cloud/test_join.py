# SPDX-License-Identifier: MIT
"""Parts that an object store joins itself: it copies what is long enough, and the program writes the rest."""
import os
import random
import subprocess

import pytest
from conftest import FAST, SEED, Children, merge
from faultproxy import Fault, Proxy
from parts import Steps
from program import CHANGED, DENIED, EXISTS, IO, NOT_FOUND, OK, PROGRAM
from stores import Azure
from test_faults import PASSING, always, name_of, once, patience

FOLDER = "join"
RESULT = f"{FOLDER}/merged"
# The first is long enough to be copied after 5 MiB of it, which S3 wants in a part of their own with what comes before; the
# second is too short to be copied, the third fills it up, and the fourth is copied whole.
SIZES = [12_000_000, 300_000, 11_000_000, 6_000_000]
# What the stores are asked for, besides what is read before: the plan, and for each part a look and its end.
COPIES = {"azure": 3, "s3": 3}
WRITTEN = {"azure": 3, "s3": 3}  # header; the short part; the end


@pytest.fixture(scope="module", name="made")
def make_parts(tmp_path_factory):
    """The steps that lead to the parts, here."""
    folder = tmp_path_factory.mktemp("join")
    which = Children(folder, SIZES)
    steps = Steps(folder / "steps", which.paths)
    assert steps.all() == which.merged
    return steps, which.merged


class Joinable:
    """Parts and plan in a store, and what they come to."""

    def __init__(self, store, steps, merged):
        self.store, self.steps, self.merged = store, steps, merged
        self.upload()

    def upload(self):
        self.store.put(f"{FOLDER}/plan.json", self.steps.plan_file.read_bytes())
        for number in range(1, len(SIZES) + 1):
            self.put(number)

    def put(self, number, data=None):
        self.store.put(f"{FOLDER}/{number}.gz", self.part(number) if data is None else data)

    def part(self, number):
        return self.steps.part_file(number).read_bytes()

    def command(self, *options):
        parts = [self.store.url(f"{FOLDER}/{number}.gz") for number in range(1, len(SIZES) + 1)]
        return ["join", "--memory", 48, *options, "--plan", self.store.url(f"{FOLDER}/plan.json"), "-o", self.store.url(RESULT), *parts]

    def join(self, proxy=None, *options, **env):
        return merge(*self.command(*options), env={**self.store.env(proxy and proxy.url), **env}, timeout=900)  # where processors are shared

    def result(self):
        return self.store.get(RESULT)

    def clear(self):
        self.store.delete(RESULT)


@pytest.fixture(scope="module")
def joinable(store, made):
    found = Joinable(store, *made)
    yield found
    for name in ("plan.json", "merged", *(f"{number}.gz" for number in range(1, len(SIZES) + 1))):
        store.delete(f"{FOLDER}/{name}")


@pytest.fixture(scope="module")
def proxy(store):
    with Proxy(store.port) as made_proxy:
        yield made_proxy


def kinds_of(proxy):
    counts = {}
    for request in proxy.log:
        counts[request.kind] = counts.get(request.kind, 0) + 1
    return counts


def test_the_store_copies(joinable, proxy):
    """What goes through this machine is counted: requests and bytes."""
    joinable.clear()
    proxy.reset()
    done = joinable.join(proxy)
    assert (done.code, done.err) == (OK, ""), done.err
    assert joinable.result() == joinable.merged
    counts = kinds_of(proxy)
    assert (counts["copy"], counts["part"], counts["commit"]) == (COPIES[joinable.store.name], WRITTEN[joinable.store.name], 1)
    assert joinable.store.staged() == []
    proxy.reset()
    assert joinable.join(proxy).code == OK  # the result is there
    assert "copy" not in kinds_of(proxy)


def test_no_secret_is_sent_but_to_the_store(azure, made):
    """A SAS is made for the one object, for reading and for a short time."""
    joinable = Joinable(azure, *made)
    joinable.clear()
    with Proxy(azure.port) as proxy:
        assert joinable.join(proxy).code == OK
        sources = [line.decode() for request in proxy.log for line in request.headers.split(b"\r\n")
                   if line.lower().startswith(b"x-ms-copy-source:")]
    assert len(sources) == COPIES["azure"]
    assert all("&sr=b&sp=r&se=" in source and "&sig=" in source for source in sources)


def test_a_sas_of_the_location_or_the_environment(azure, made):
    joinable = Joinable(azure, *made)
    sas = azure.sas("rcwl")
    host = f"http://127.0.0.1:{azure.port}"
    for env in ({"AZURE_STORAGE_SAS_TOKEN": sas}, {}):
        joinable.clear()
        with Proxy(azure.port) as proxy:
            base = {"AZURE_STORAGE_SERVICE_ENDPOINT": proxy.url} if env else {}
            command = joinable.command()
            if not env:  # each URL has its own
                command = [str(word).replace(f"az://{Azure.container}", "") for word in command]
                command = [f"{proxy.url}{azure.path(word.split(Azure.container + '/', 1)[1])}?{sas}" if word.startswith("az://") else word
                           for word in command]
            done = merge(*command, env={**base, **env})
            assert done.code == OK, done.err
            assert kinds_of(proxy)["copy"] == COPIES["azure"], host
        assert joinable.result() == joinable.merged


@pytest.mark.parametrize("code", [501, 403, 400])
def test_a_store_that_does_not_copy(joinable, proxy, code):
    """Bytes are read and written then."""
    joinable.clear()
    proxy.reset(always("copy", Fault("status", code=code, body=b"<Error><Code>NotImplemented</Code></Error>")))
    done = joinable.join(proxy)
    assert done.code == OK, done.err
    assert joinable.result() == joinable.merged
    assert kinds_of(proxy)["copy"] == 1
    assert joinable.store.staged() == []


@pytest.mark.parametrize("code, status", [(403, DENIED), (404, NOT_FOUND), (500, IO)])
def test_a_later_copy_is_refused(joinable, proxy, code, status):
    joinable.clear()
    n_copies = 0

    def decide(request):
        nonlocal n_copies
        n_copies += request.kind == "copy"
        return Fault("status", code=code, body=b"<Error><Code>Refused</Code></Error>") if n_copies > 1 and request.kind == "copy" else None

    proxy.reset(decide)
    done = joinable.join(proxy, BLASTMERGE_RETRIES="2")
    assert (done.code, joinable.result()) == (status, None), done.err
    assert f"cannot copy {joinable.store.url(FOLDER)}/" in done.err
    assert joinable.store.staged() == []


def test_a_copy_that_says_nothing_of_its_part(s3, made):
    """S3's answer has the part's ETag, without which nothing can be completed."""
    joinable = Joinable(s3, *made)
    joinable.clear()
    answers = [b"<CopyPartResult></CopyPartResult>", b"<CopyPartResult><ETag>" + b"e" * 100 + b"</ETag></CopyPartResult>"]
    with Proxy(s3.port) as proxy:
        for answer in answers:
            proxy.reset(always("copy", Fault("status", code=200, body=answer)))
            done = joinable.join(proxy)
            assert (done.code, joinable.result()) == (IO, None), done.err
            assert s3.staged() == []


@pytest.mark.parametrize("kind", ["copy", "commit"])
def test_a_part_that_changes_while_it_is_copied(joinable, proxy, kind):
    """Azure refuses to copy another version; a server with S3's protocol may not, and then the last look finds it."""
    other = joinable.part(4)[:-100] + bytes(100)
    joinable.clear()

    def decide(request):
        if request.kind == kind and not any(earlier.kind == kind for earlier in proxy.log):
            joinable.put(4, other)

    proxy.reset(decide)
    done = joinable.join(proxy)
    if kind == "copy":
        assert (done.code, joinable.result()) == (CHANGED, None), done.err
    else:  # all was copied and looked at before
        assert (done.code, joinable.result()) == (OK, joinable.merged), done.err
    assert joinable.store.staged() == []
    joinable.put(4)


@pytest.mark.parametrize("fault", PASSING, ids=name_of)
def test_copying_goes_on(joinable, proxy, fault):
    joinable.clear()
    proxy.reset(once("copy", fault, skip=1))
    done = joinable.join(proxy, **patience(fault))
    assert done.code == OK and joinable.result() == joinable.merged, done.err
    assert any(request.fault for request in proxy.log)
    assert joinable.store.staged() == []


def test_another_writer_commits_first(joinable, proxy):
    joinable.clear()

    def decide(request):
        if request.kind == "commit" and not any(earlier.kind == "commit" for earlier in proxy.log):
            joinable.store.put(RESULT, b"another's")

    proxy.reset(decide)
    done = joinable.join(proxy)
    if joinable.store.name == "azure":
        assert (done.code, joinable.result()) == (EXISTS, b"another's"), done.err
    else:  # radosgw has no condition there: docs/storage.md
        assert done.code in (OK, EXISTS), done.err
    assert joinable.store.staged() == []


# --- at random -----------------------------------------------------------------------------------------

KINDS = ["drop", "close", "short", "stall", "status", "etag", "flip", "range", "spoil", "cut", "lost", "error200"]


class Schedule:
    """Requests fail with a chance, in some ways; and one of them may be the last before the program is killed."""

    def __init__(self, seed):
        self.dice = random.Random(f"join {seed}")
        self.chance = self.dice.choice([0.02, 0.1, 0.3])
        self.kinds = self.dice.sample(KINDS, self.dice.randint(1, 4))
        self.last = self.dice.randrange(60) if self.dice.random() < 0.25 else None
        self.old = self.dice.choice([None, b"the old result"])
        self.process = None

    def decide(self, request):
        if request.number == self.last:
            self.process.kill()
        if self.dice.random() >= self.chance:
            return None
        kind = self.dice.choice(self.kinds)
        if kind == "stall" and self.dice.random() < 0.8:
            kind = "drop"  # stalls take their time
        if kind == "flip" and "range" in request.kind:
            kind = "drop"  # a join does not inflate what it reads; on the way TLS protects it
        return Fault(kind, at=self.dice.choice([0, 1, 100, 5000, 60000, 300000]),
                     code=self.dice.choice([403, 404, 408, 412, 429, 500, 501, 502, 503, 504, 507]), seconds=1.5)

    def run(self, command, env):
        """Exit code and messages."""
        self.process = subprocess.Popen([PROGRAM, *map(str, command)], env={**FAST, **env}, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        _, errors = self.process.communicate(timeout=900)
        return self.process.returncode, errors.decode()


def test_random_faults(joinable, proxy):
    """The result is as it was or complete, nothing staged is left unnamed, and a join without faults makes it complete.
    BLASTMERGE_TEST_SCHEDULES of them, from the seed BLASTMERGE_TEST_SEED on."""
    store, codes = joinable.store, {}
    for seed in range(SEED, SEED + int(os.environ.get("BLASTMERGE_TEST_SCHEDULES", 12))):
        schedule = Schedule(seed)
        joinable.clear()
        if schedule.old is not None:
            store.put(RESULT, schedule.old)
        proxy.reset(schedule.decide)
        code, errors = schedule.run(joinable.command("--force"), store.env(proxy.url))
        print(f"{store.name}: seed {seed}: exit code {code}", flush=True)
        codes[code] = codes.get(code, 0) + 1
        result = joinable.result()
        assert result in (schedule.old, joinable.merged), f"seed {seed}: {errors}"
        assert code != OK or result == joinable.merged, f"seed {seed}: success without a result"
        is_unknown = code < 0 or any(request.kind == "begin" and request.fault for request in proxy.log)
        assert is_unknown or all(upload in errors for upload in store.staged()), f"seed {seed}: left and not named: {errors}"
        store.give_up_staged()
        if schedule.old is None or code != OK:
            done = joinable.join(None, "--force")
            assert (done.code, joinable.result()) == (OK, joinable.merged), f"seed {seed}: {done.err}"
            assert store.staged() == [], f"seed {seed}"
    print(f"{store.name}: seeds {SEED} to {seed}: exit codes {dict(sorted(codes.items()))}")
