# SPDX-License-Identifier: MIT
"""Servers for a session, children for all tests, and the program run with nothing in its environment but what is said."""
import gzip
import os
import random
import sys
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent / "e2e"), str(Path(__file__).parent.parent)]

import pytest  # noqa: E402
import stores  # noqa: E402
from program import run  # noqa: E402
from small import text  # noqa: E402

# Only where a stall is made on purpose a second without a byte is one: a busy machine's servers need longer at times.
STALL = {"BLASTMERGE_STALL_SECONDS": "1"}
FAST = {"BLASTMERGE_RETRY_DELAY_MS": "1", "BLASTMERGE_STALL_SECONDS": "30", "AWS_EC2_METADATA_DISABLED": "true",
        "AZURE_POD_IDENTITY_AUTHORITY_HOST": "http://127.0.0.1:9", "HOME": "/nonexistent", "PATH": os.environ["PATH"]}


# Without BLASTMERGE_TEST_LONG there is a share of what could be tried, chosen by a seed that is printed.
IS_LONG = os.environ.get("BLASTMERGE_TEST_LONG", "") not in ("", "0")
SEED = int(os.environ.get("BLASTMERGE_TEST_SEED", time.time_ns() % 1_000_000))


def share(kinds, *what):
    """All kinds, or two of them by chance."""
    print(f"BLASTMERGE_TEST_SEED={SEED}")
    return kinds if IS_LONG else random.Random(f"{SEED} {what}").sample(kinds, min(2, len(kinds)))


def pytest_terminal_summary(terminalreporter):
    """Which share of the faults it was."""
    terminalreporter.write_line(f"BLASTMERGE_TEST_SEED={SEED}" + (" BLASTMERGE_TEST_LONG=1" if IS_LONG else ""))


def pytest_configure(config):
    """Where a server is missing nothing is passed over in silence, and in CI nothing at all."""
    absent = stores.missing()
    if "with libcurl" not in run("--version").out.decode():
        pytest.exit("this blastmerge was built without object storage", 0)
    if absent and os.environ.get("CI") == "true":
        pytest.exit(f"these are missing: {' '.join(absent)}; scripts/setup --all installs them", 1)
    if absent:
        pytest.exit(f"SKIPPED ALL TESTS OF OBJECT STORAGE: missing {' '.join(absent)}; scripts/setup --all installs them", 0)
    failure = stores.install()
    if failure:
        pytest.exit(failure, 1)


def merge(*arguments, env=None, **options):
    """Runs the program, patient for milliseconds only."""
    return run(*arguments, env={**FAST, **{name: os.environ[name] for name in os.environ if name.startswith("ASAN")},
                                **(env or {})}, **options)


def make_child(number, n_bytes):
    """A child of about so many compressed bytes."""
    noise = random.Random(number)
    queries = [f"{number}.{i} " + noise.randbytes(500).hex() for i in range(max(1, n_bytes // 600))]
    return gzip.compress(text(*queries), 1)


class Children:
    """The same children here and in a store, and what the merge of those here is."""

    def __init__(self, folder, sizes):
        self.paths = [folder / f"batch_{i + 8}.xml.gz" for i in range(len(sizes))]
        for number, path in enumerate(self.paths):
            path.write_bytes(make_child(number, sizes[number]))
            os.utime(path, (1_000_000_000, 1_000_000_000))  # a time of this very second tells nothing
        self.merged = run(*self.paths).out
        assert len(self.merged) > 100

    def upload(self, store, prefix):
        for path in self.paths:
            store.put(f"{prefix}/{path.name}", path.read_bytes())

    def urls(self, store, prefix):
        return [store.url(f"{prefix}/{path.name}") for path in self.paths]


@pytest.fixture(scope="session")
def children(tmp_path_factory):
    """Three children: several ranges each, where memory is short."""
    return Children(tmp_path_factory.mktemp("children"), [700_000, 30_000, 500_000])


@pytest.fixture(scope="session")
def long_children(tmp_path_factory):
    """Children whose result takes three parts of 5 MiB."""
    return Children(tmp_path_factory.mktemp("long"), [4_000_000, 4_000_000, 3_900_000])


@pytest.fixture(scope="session")
def azure(tmp_path_factory):
    with stores.azurite(tmp_path_factory.mktemp("azurite")) as port:
        store = stores.Azure(port)
        store.make()
        yield store


@pytest.fixture(scope="session")
def s3(tmp_path_factory):
    with stores.radosgw(tmp_path_factory.mktemp("radosgw")) as port:
        store = stores.S3(port)
        store.make()
        # The first upload of several parts takes the server seconds, in which the program would ask again.
        _, _, begun = store.request("POST", store.path("first"), "uploads=")
        store.request("DELETE", store.path("first"), "uploadId=" + begun.split(b"<UploadId>")[1].split(b"<")[0].decode())
        yield store


@pytest.fixture(scope="session", params=["azure", "s3"])
def store(request, children, long_children):
    """Each object store in turn, with the children in it."""
    found = request.getfixturevalue(request.param)
    children.upload(found, "short")
    long_children.upload(found, "long")
    return found


@pytest.fixture(autouse=True)
def nothing_staged(request):
    """What a test leaves in the store on purpose, by kills or lost answers, is no other test's business."""
    found = [request.getfixturevalue(name) for name in ("s3", "store") if name in request.fixturenames]
    yield
    for store in found:
        store.give_up_staged()


@pytest.fixture(scope="session")
def web(tmp_path_factory, children):
    with stores.nginx(tmp_path_factory.mktemp("nginx"), children.paths[0].parent) as port:
        yield f"http://127.0.0.1:{port}"
