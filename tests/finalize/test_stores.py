# SPDX-License-Identifier: MIT
"""Finalize where children and parents lie in real object stores: Azurite, and Ceph's radosgw."""
import concurrent.futures
import gzip
import json
import os
import random
import signal
import subprocess
import sys
import time

import oracle
import parents
import program
import pytest
import small
from parents import MANIFEST, NAMES, NOT_READY, REPORT, RESULT, Parent, report_of, three

sys.path.append(str(program.ROOT / "tests" / "cloud"))
import stores  # noqa: E402  pylint: disable=wrong-import-position

ABSENT = stores.missing()
if "with libcurl" not in program.run("--version").out.decode():
    pytest.skip("this blastmerge was built without object storage", allow_module_level=True)
if ABSENT and os.environ.get("CI") != "true":
    pytest.skip(f"missing {' '.join(ABSENT)}; scripts/setup --all installs them", allow_module_level=True)
assert not ABSENT, f"missing {' '.join(ABSENT)}"
FAILURE = stores.install()
assert not FAILURE, FAILURE

CALM = {"BLASTMERGE_RETRY_DELAY_MS": "1", "AWS_EC2_METADATA_DISABLED": "true", "PATH": os.environ["PATH"], "HOME": "/nonexistent"}


@pytest.fixture(scope="module", name="store", params=["azure", "s3"])
def make_store(request, tmp_path_factory):
    """Each object store in turn."""
    folder = tmp_path_factory.mktemp(request.param)
    with (stores.azurite if request.param == "azure" else stores.radosgw)(folder) as port:
        store = stores.Azure(port) if request.param == "azure" else stores.S3(port)
        store.make()
        yield store


class Remote:
    """A parent that was made in a folder, in a store."""

    count = 0

    def __init__(self, store, local):
        Remote.count += 1
        self.store, self.local, self.prefix = store, local, f"job {Remote.count}/ü"
        for child in local.children:
            for name in (RESULT, REPORT):
                path = local.folder / child["job_id"] / name
                if path.exists():
                    self.put(f"{child['job_id']}/{name}", path.read_bytes())
        local.more = {"storage_prefix": store.url(self.prefix)}

    def put(self, name, data):
        self.store.put(f"{self.prefix}/{name}", data)

    def get(self, name):
        return self.store.get(f"{self.prefix}/{self.local.own_prefix}{name}")

    def finalize(self, *options):
        return self.local.finalize(*options, env={**CALM, **self.store.env()})

    def found(self, text):
        """What there is, in a word; whatever is there must be whole."""
        there = {name: self.get(name) for name in NAMES}
        if there[MANIFEST] is not None:
            assert None not in there.values(), "a manifest without what it names"
            manifest = json.loads(there[MANIFEST])
            assert manifest["outputs"] == self.local.outputs()
            assert manifest["children"] == [self.local.row(child) for child in self.local.children]
        if there[RESULT] is not None:
            assert program.text_of(there[RESULT]) == text
        if there[REPORT] is not None:
            assert there[REPORT] == parents.one_line(self.local.merged_report())
        return "all" if there[MANIFEST] else "+".join(name for name in NAMES if there[name] is not None) or "nothing"

    def clear(self):
        for name in NAMES:
            self.store.delete(f"{self.prefix}/{self.local.own_prefix}{name}")


@pytest.mark.parametrize("prefix", ["", "2026/11/parent-1/"])
def test_complete(tmp_path, store, prefix):
    local = three(tmp_path)
    local.prefix = prefix
    remote = Remote(store, local)
    done = remote.finalize()
    assert (done.code, done.err) == (0, "") and done.outcome["already_merged"] is False
    assert done.outcome["outputs"] == local.outputs()
    assert remote.found(local.merged_text()) == "all"
    for name, expected in ((RESULT, "application/gzip"), (REPORT, "application/json"), (MANIFEST, "application/json")):
        assert store.content_type(f"{remote.prefix}/{local.own_prefix}{name}") == expected
    done = remote.finalize()
    assert (done.code, done.outcome["already_merged"]) == (0, True)


def test_tabular(tmp_path, store):
    local = parents.tabular(tmp_path, "q\ts\t1\n" * 100000, "", "r\ts\t1\n")
    remote = Remote(store, local)
    assert remote.finalize().code == 0
    assert remote.get(RESULT) == b"".join((tmp_path / f"child-{i}" / RESULT).read_bytes() for i in range(3))
    assert json.loads(remote.get(MANIFEST))["assembly"] == "gzip_member_concatenation"


def test_a_copy_that_is_given_up(tmp_path, store):
    """A part of the result is on its way to the store when an empty line shows that the tables have to be merged."""
    texts = ["\n".join(f"q{i}\ts{hash((i, n)):x}\t1" for i in range(300000)) + "\n" for n in range(2)] + ["r\ts\t1\n\n"]
    local = parents.tabular(tmp_path, *texts)
    remote = Remote(store, local)
    done = remote.finalize()
    assert done.code == 0, done
    assert gzip.decompress(remote.get(RESULT)).decode() == "".join(texts)[:-1]


def test_missing_then_there(tmp_path, store):
    local = three(tmp_path)
    report = (tmp_path / "child-1" / REPORT).read_bytes()
    (tmp_path / "child-1" / REPORT).unlink()
    remote = Remote(store, local)
    done = remote.finalize()
    assert done.code == NOT_READY
    assert done.outcome["missing_artifacts"] == [{"child_job_id": "child-1", "group_id": "group", "missing": [REPORT]}]
    assert done.outcome["children"] == [local.row(child) for child in local.children]
    remote.put(f"child-1/{REPORT}", report)
    (tmp_path / "child-1" / REPORT).write_bytes(report)
    assert remote.finalize().code == 0 and remote.found(local.merged_text()) == "all"


def test_many_children(tmp_path, store):
    local = Parent(tmp_path)
    for number in range(60):
        local.add(f"child-{number}", small.child(f"q{number}"), report_of(1))
    remote = Remote(store, local)
    assert remote.finalize("--strict").code == 0
    assert remote.found(local.merged_text()) == "all"


def test_damaged(tmp_path, store):
    local = three(tmp_path)
    remote = Remote(store, local)
    whole = (tmp_path / "child-1" / RESULT).read_bytes()
    remote.put(f"child-1/{RESULT}", whole[:-9])
    done = remote.finalize()
    assert (done.code, done.outcome["error"]) == (program.DATA, "invalid child XML result: child-1")
    remote.put(f"child-1/{RESULT}", whole)
    remote.put(f"child-2/{REPORT}", b"{")
    done = remote.finalize()
    assert (done.code, done.outcome["error"]) == (program.DATA, "invalid child merge report JSON: child-2")
    assert remote.found(b"") == "nothing" and store.staged() == []


@pytest.mark.parametrize("left", [[RESULT], [RESULT, REPORT], [MANIFEST], [REPORT, MANIFEST]])
def test_what_was_left_is_replaced(tmp_path, store, left):
    local = three(tmp_path)
    remote = Remote(store, local)
    for name in left:
        remote.put(local.own_prefix + name, b"left over")
    assert remote.finalize().outcome["already_merged"] is False
    assert remote.found(local.merged_text()) == "all"


def test_at_once(tmp_path, store):
    local = three(tmp_path)
    remote = Remote(store, local)
    for _ in range(4):
        remote.clear()
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            done = [future.result() for future in [pool.submit(remote.finalize) for _ in range(4)]]
        assert [run.code for run in done] == [0] * 4, done
        assert sorted(run.outcome["already_merged"] for run in done) == [False] + [True] * 3
        assert remote.found(local.merged_text()) == "all"


def test_killed_at_random_moments(tmp_path, store):
    local = three(tmp_path)
    remote = Remote(store, local)
    text, chance, counts = oracle.merge([(tmp_path / f"child-{i}" / RESULT).read_bytes() for i in range(3)]), random.Random(3), {}
    began = time.monotonic()
    assert remote.finalize().code == 0
    seconds = time.monotonic() - began
    (tmp_path / "job.json").write_text(json.dumps(local.job))
    for _ in range(max(8, int(os.environ.get("BLASTMERGE_KILLS", "24")) // 4)):
        remote.clear()
        with subprocess.Popen([program.PROGRAM, "finalize", tmp_path / "job.json"], env={**CALM, **store.env()},
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            time.sleep(chance.uniform(0, seconds))
            process.kill()
            process.communicate()
        assert process.returncode in (0, -signal.SIGKILL)
        state = remote.found(text)
        counts[state] = counts.get(state, 0) + 1
        done = remote.finalize()
        assert done.code == 0 and remote.found(text) == "all"
        # A request of the killed one's may still be under way at the server, and complete the parent after the look.
        assert done.outcome["already_merged"] or state != "all"
    print(store.name, counts)
