# SPDX-License-Identifier: MIT
"""System calls that fail, each at its n-th call for every n until a run succeeds: the right error, nothing visible, nothing left
behind, the old destination as it was."""
import errno
import gzip
import os
import re
import shutil
import signal
import subprocess

import corpus
import oracle
import program
import pytest
from kills import FAULTS
from web import Web

OLD = b"the old destination"


@pytest.fixture(scope="module", name="children")
def make_children():
    assert os.access(FAULTS, os.R_OK), f"{FAULTS} is not there: build the tests"
    return [oracle_child(number) for number in range(3)]


def oracle_child(number):
    text = program.text_of((program.ROOT / "tests" / "data" / f"batch_{number + 1}.xml.gz").read_bytes())
    return text if number == 1 else gzip.compress(text, mtime=0)


def run(folder, children, call, at, failure, *options, force=True, count=None):
    """One merge with a fault, into a folder that has an old destination if force. Returns the run."""
    paths = program.write_children(folder, children)
    target = folder / "out" / "merged.xml.gz"
    target.parent.mkdir(exist_ok=True)
    if force:
        target.write_bytes(OLD)
    elif target.exists():
        target.unlink()
    environment = dict(os.environ, LD_PRELOAD=FAULTS, FAULTS_CALL=call, FAULTS_AT=str(at), FAULTS_ERRNO=str(failure))
    if count:
        environment["FAULTS_COUNT"] = str(count)
    arguments = ["-o", target, *options, *(["--force"] if force else []), *paths]
    done = subprocess.run([program.PROGRAM, *map(str, arguments)], env=environment, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, timeout=60)
    return program.Run(done.returncode, done.stdout, done.stderr.decode()), target


# What a failure comes to: the exit codes that are right for it. A failure that hurts nobody may be 0.
CALLS = {
    "read": (errno.EIO, {program.IO}),
    "write": (errno.ENOSPC, {program.NO_SPACE}),
    "fsync": (errno.EIO, {program.IO}),
    "open": (errno.EMFILE, {program.IO, 0}),
    "fstat": (errno.EIO, {program.IO, 0}),
    "openat": (errno.EMFILE, {program.IO, 0}),
    "stat": (errno.EACCES, {program.DENIED, 0}),
    "lstat": (errno.EACCES, {program.DENIED}),
    "fstatat": (errno.EIO, {0}),
    "fchmod": (errno.EPERM, {0}),
    "renameat2": (errno.EACCES, {program.DENIED}),
    "unlinkat": (errno.EACCES, {0}),
    "pipe": (errno.EMFILE, {program.IO}),
    "pthread_create": (errno.EAGAIN, {0}),
    "close": (errno.EIO, {program.IO, 0}),
}


@pytest.mark.parametrize("options", [[], ["--level", "1"]], ids=["spliced", "packed"])
@pytest.mark.parametrize("call", CALLS)
def test_each_call_fails(tmp_path, children, call, options):
    failure, wanted = CALLS[call]
    count = tmp_path / "count"
    at, n_calls = 1, 1
    while at <= n_calls:
        done, target = run(tmp_path, children, call, at, failure, "--threads", "3", "--quiet", *options, count=count)
        n_calls = int(count.read_text())
        if at > n_calls:
            break  # the run before had one more: it wrote its message
        assert done.code in wanted, f"{call} number {at}: {done}"
        names = [name for name in program.only_files(target.parent) if not name.startswith(".") or call != "unlinkat"]
        assert names == ["merged.xml.gz"], f"{call} number {at}: {done}"  # what cannot be removed is left, hidden
        if done.code == 0:
            assert program.text_of(target.read_bytes()) == oracle.merge(children)
        else:
            assert target.read_bytes() == OLD, f"{call} number {at}: {done}"  # the folder's sync, too, is taken back
        if done.code != 0:
            assert done.err.startswith("blastmerge: ") and done.err.count("\n") == 1, done.err
            if call not in ("pipe", "pthread_create"):
                assert os.strerror(failure) in done.err, done.err
        at += 1
    assert n_calls > 0, f"{call} is never called"


def test_rename_without_replacing_has_a_twin(tmp_path, children):
    done, target = run(tmp_path, children, "renameat2", 1, errno.EINVAL, force=False)
    assert done.code == 0, done
    assert program.text_of(target.read_bytes()) == oracle.merge(children)
    assert program.only_files(target.parent) == ["merged.xml.gz"]
    done, target = run(tmp_path, children, "renameat2", 1, errno.EACCES, force=False)
    assert done.code == program.DENIED
    assert program.only_files(target.parent) == []


@pytest.mark.parametrize("kind", ["short", "eintr"])
@pytest.mark.parametrize("call", ["read", "write"])
def test_calls_that_do_less_are_taken_up(tmp_path, children, call, kind):
    done, target = run(tmp_path, children, call, 0, kind)
    assert done.code == 0, done
    assert program.text_of(target.read_bytes()) == oracle.merge(children)


def test_too_few_files(tmp_path, children):
    paths = program.write_children(tmp_path, children)
    for n_files in range(3, 12):
        command = f"ulimit -n {n_files}; exec \"$@\""
        done = subprocess.run(["bash", "-c", command, "bash", program.PROGRAM, "--plain", "-o", tmp_path / f"out{n_files}",
                               *map(str, paths)], capture_output=True, check=False)
        assert done.returncode in (0, 1, 127), done
        if done.returncode == 1:
            assert done.stderr.startswith(b"blastmerge: ") and b"Too many open files" in done.stderr, done
    assert done.returncode == 0, "a merge needs no more than 11 files open"


@pytest.mark.parametrize("options", [[], ["--level", "1", "--threads", "8"], ["--salvage"], ["--expect-queries", "queries"]],
                         ids=["spliced", "packed", "salvage", "queries"])
def test_sixteen_files_are_enough(tmp_path, children, options):
    paths = program.write_children(tmp_path, children * 20)
    titles = re.findall(rb"<Iteration_query-def>([^\s<]*)", b"".join(program.oracle.read_child(child) for child in children * 20))
    (tmp_path / "queries").write_bytes(b"\n".join(titles))
    arguments = [str(tmp_path / option) if option == "queries" else option for option in options]
    if "--expect-queries" in options:
        paths = paths[:3]
        (tmp_path / "queries").write_bytes(b"\n".join(titles[:len(titles) // 20]))
    done = subprocess.run(["bash", "-c", "ulimit -n 16; exec \"$@\"", "bash", program.PROGRAM, "--report", tmp_path / "report", "-o",
                           tmp_path / "merged", *arguments, *map(str, paths)], capture_output=True, check=False)
    assert done.returncode == 0, done
    assert program.text_of((tmp_path / "merged").read_bytes()) == oracle.merge((children * 20)[:len(paths)])


def test_too_few_files_for_the_web(tmp_path, children):
    """Connections are files, too: enough, or an error that says what is missing."""
    if "with libcurl" not in program.run("--version").out.decode():
        pytest.skip("this blastmerge was built without object storage")
    codes = []
    with Web(dict(zip("abc", children)).get) as web:
        for n_files in range(3, 41):
            target = tmp_path / f"out{n_files}"
            done = subprocess.run(["bash", "-c", f"ulimit -n {n_files}; exec \"$@\"", "bash", program.PROGRAM, "-o", target,
                                   *(web.url + name for name in "abc")], capture_output=True, check=False, timeout=120,
                                  env=dict(os.environ, BLASTMERGE_RETRIES="1", BLASTMERGE_RETRY_DELAY_MS="1"))
            assert done.returncode in (0, 1, 10, 127), (n_files, done)
            assert (done.returncode == 0) == target.exists()
            if done.returncode in (1, 10):
                assert done.stderr.startswith(b"blastmerge: ") and done.stderr.count(b"\n") == 1, (n_files, done)
            codes.append(done.returncode)
    print(codes)
    assert codes[-1] == 0 and 1 in codes


@pytest.mark.parametrize("threads", [1, 4])
def test_too_little_memory(tmp_path, children, threads):
    """Threads that there is no memory for are done without."""
    paths = program.write_children(tmp_path, children)
    codes = []
    for megabytes in range(2, 40, 2):
        command = f"ulimit -v {megabytes * 1024}; exec \"$@\""
        done = subprocess.run(["bash", "-c", command, "bash", program.PROGRAM, "--threads", str(threads), "-o",
                               tmp_path / f"out{megabytes}", *map(str, paths)], capture_output=True, check=False)
        assert done.returncode in (0, 10, 126, 127) or done.returncode == -signal.SIGKILL, done
        if done.returncode == 10:
            assert done.stderr.startswith(b"blastmerge: ") and b"out of memory" in done.stderr, done
        assert (done.returncode == 0) == (tmp_path / f"out{megabytes}").exists()
        codes.append(done.returncode)
    assert codes[-1] == 0 and 0 < codes.count(0) < len(codes), codes


# --- disks that are full, folders that go --------------------------------------------------------------


@pytest.mark.parametrize("kilobytes", [4, 8, 16, 64])
@pytest.mark.parametrize("options", [[], ["--level", "1"], ["--plain"]], ids=["spliced", "packed", "plain"])
def test_full_disk(tmp_path, kilobytes, options):
    """A small disk of one's own, in a namespace that goes with the shell; it has an old destination and no room for a new one."""
    child = program.write_children(tmp_path, [gzip.compress(corpus.texts(1, 40, seed=2, hits=20)[0])])[0]
    assert child.stat().st_size > 64 * 1024
    disk = tmp_path / "disk"
    disk.mkdir()
    script = """mount -t tmpfs -o size="$1" none "$2" || exit 99
        printf old > "$2/old"; shift 2
        "$@"; code=$?; cd "$disk"; ls -A; cat old; exit $code"""
    for ways in ([], ["--user", "--map-root-user"]):  # root needs no namespace of users, and may have none in a chroot
        done = subprocess.run(["unshare", *ways, "--mount", "sh", "-c", script, "sh", f"{kilobytes}k", disk, program.PROGRAM,
                               "--force", "-o", disk / "old", *options, child],
                              capture_output=True, check=False, env=dict(os.environ, disk=str(disk)))
        if b"blastmerge: " in done.stderr:
            break
    if done.returncode in (1, 99) and b"blastmerge: " not in done.stderr:
        pytest.skip("no disk of one's own may be mounted here: " + done.stderr.decode())
    assert done.returncode == program.NO_SPACE, done
    assert done.stdout == b"old\nold", done
    assert done.stderr.startswith(b"blastmerge: ") and b"No space left on device" in done.stderr


def test_page_of_a_result_that_stays(tmp_path, children):
    """Another's report appears during the run; and where the result cannot be removed then, its page stays, too."""
    seen = set()
    os.mkfifo(tmp_path / "slow")
    for at in range(1, 5):
        folder = tmp_path / str(at)
        folder.mkdir()
        environment = dict(os.environ, LD_PRELOAD=FAULTS, FAULTS_CALL="unlinkat", FAULTS_AT=str(at), FAULTS_ERRNO=str(errno.EACCES))
        command = [program.PROGRAM, "-o", folder / "merged", "--report", folder / "report", "--html", folder / "page", tmp_path / "slow"]
        with subprocess.Popen(command, stderr=subprocess.PIPE, env=environment, text=True) as process:
            with open(tmp_path / "slow", "wb") as pipe:
                while len(program.only_files(folder)) < 3:
                    assert process.poll() is None
                (folder / "report").write_bytes(OLD)
                pipe.write(children[0])
            _, err = process.communicate()
        stays = (folder / "merged").exists()
        assert process.returncode == program.EXISTS and (folder / "report").read_bytes() == OLD, err
        assert ("the result is complete and in its place, but not its report" in err) == stays, err
        assert not stays or program.text_of((folder / "merged").read_bytes()) == oracle.merge(children[:1])
        seen.add((stays, (folder / "page").exists()))
    assert {(True, True), (False, False)} <= seen and (True, False) not in seen, seen


@pytest.mark.parametrize("comes_back", [False, True])
def test_folder_that_vanishes(tmp_path, children, comes_back):
    """The output's folder is removed in the midst of the merge, and perhaps there is another of its name then."""
    folder, slow = tmp_path / "out", tmp_path / "slow"
    folder.mkdir()
    os.mkfifo(slow)
    with subprocess.Popen([program.PROGRAM, "-o", folder / "merged", slow], stderr=subprocess.PIPE) as process:
        with open(slow, "wb") as pipe:
            while not program.only_files(folder):
                assert process.poll() is None
            shutil.rmtree(folder)
            if comes_back:
                folder.mkdir()
            pipe.write(children[0])
        _, err = process.communicate()
    assert process.returncode == program.NOT_FOUND, err
    assert err.startswith(b"blastmerge: ") and re.search(rb"cannot give \S*merged its name: ", err), err
    assert folder.exists() == comes_back and (not comes_back or program.only_files(folder) == [])


def test_children_that_vanish(tmp_path, children):
    """One is removed after it was looked at and before its turn."""
    paths = program.write_children(tmp_path, children)
    slow = tmp_path / "slow"
    os.mkfifo(slow)
    with subprocess.Popen([program.PROGRAM, "--threads", "1", "-o", tmp_path / "merged", slow, *paths], stderr=subprocess.PIPE) as process:
        with open(slow, "wb") as pipe:
            paths[-1].unlink()
            pipe.write(children[0])
        _, err = process.communicate()
    assert process.returncode == program.NOT_FOUND and os.fsencode(paths[-1].name) in err, err
    assert [name for name in program.only_files(tmp_path) if "merged" in name] == []
