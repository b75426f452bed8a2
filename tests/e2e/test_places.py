# SPDX-License-Identifier: MIT
"""The places of a job: what is written is nothing else of the job's, by whatever name; what is out is complete only when all is well;
permissions, long names, pipes."""
import contextlib
import gzip
import json
import os
import signal
import stat
import subprocess
import threading
import time
import zlib

import pytest

import corpus
import oracle
from forms import member
from program import EXISTS, IO, NOT_FOUND, NO_SPACE, OK, PROGRAM, USAGE, only_files, run, text_of, without_rights
from small import child

OLD = b"precious"


@pytest.fixture(name="here")
def make_here(tmp_path):
    """A folder with two children, a list of them, the queries, links of both kinds and an old result."""
    here = tmp_path / "here"
    (here / "folder").mkdir(parents=True)
    (here / "c1.gz").write_bytes(child("a", "b"))
    (here / "c2.gz").write_bytes(child("c"))
    (here / "list").write_text("c1.gz\nc2.gz\n")
    (here / "q.fa").write_text(">a\nACGT\n>b\nACGT\n>c\nACGT\n")
    (here / "old.gz").write_bytes(OLD)
    (here / "to_old").symlink_to("old.gz")
    (here / "to_to_old").symlink_to(here / "to_old")
    (here / "to_c1").symlink_to("c1.gz")
    (here / "to_new").symlink_to("new.gz")
    (here / "to_folder").symlink_to("folder")
    os.link(here / "old.gz", here / "hard")
    os.link(here / "c1.gz", here / "hard_c1")
    return here


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


# --- one place, two names ----------------------------------------------------------------------------

RESULT, REPORT, CHILD, QUERIES, LIST = "the result", "the report", "a child", "the file of queries", "the list of children"

SAME = [
    (RESULT, "old.gz", REPORT, "./old.gz"),
    (RESULT, "old.gz", REPORT, "folder/../old.gz"),
    (RESULT, "old.gz", REPORT, "{here}/old.gz"),
    (RESULT, "old.gz", REPORT, "to_old"),
    (RESULT, "to_to_old", REPORT, "to_old"),
    (RESULT, "old.gz", REPORT, "hard"),
    (RESULT, "hard", REPORT, "to_to_old"),
    (RESULT, "new.gz", REPORT, "new.gz"),
    (RESULT, "new.gz", REPORT, "./new.gz"),
    (RESULT, "new.gz", REPORT, "{here}//new.gz"),
    (RESULT, "new.gz", REPORT, "to_new"),
    (RESULT, "folder/new.gz", REPORT, "to_folder/new.gz"),
    (RESULT, "c1.gz", CHILD, "c1.gz"),
    (RESULT, "./c1.gz", CHILD, "c1.gz"),
    (RESULT, "to_c1", CHILD, "c1.gz"),
    (RESULT, "hard_c1", CHILD, "c1.gz"),
    (RESULT, "{here}/c1.gz", CHILD, "c1.gz"),
    (REPORT, "c2.gz", CHILD, "c2.gz"),
    (REPORT, "hard_c1", CHILD, "c1.gz"),
    (RESULT, "q.fa", QUERIES, "q.fa"),
    (RESULT, "./q.fa", QUERIES, "q.fa"),
    (REPORT, "{here}/q.fa", QUERIES, "q.fa"),
    (RESULT, "list", LIST, "list"),
    (RESULT, "./list", LIST, "list"),
    (REPORT, "folder/../list", LIST, "list"),
]


@pytest.mark.parametrize("written, name, other, other_name", SAME, ids=[f"{row[1]}-{row[3]}" for row in SAME])
@pytest.mark.parametrize("force", [True, False])
def test_one_place_by_two_names(here, written, name, other, other_name, force):
    names = {row: text.format(here=here) for row, text in ((written, name), (other, other_name))}
    before = contents(here)
    sources = ["--files-from", "list"] if other == LIST else ["c1.gz", "c2.gz"]
    done = run(*["--force"] * force, "-o", names.get(RESULT, "fine.gz"), *(["--report", names[REPORT]] if REPORT in names else []),
               *(["--expect-queries", "q.fa"] if other == QUERIES else []), *sources, cwd=here)
    assert done.code == USAGE and done.out == b"", done
    assert done.err == (f"blastmerge: {written} ({names[written]}) is the same place as {other} ({names[other]}): "
                        "give one of them another name\n")
    assert contents(here) == before and only_files(here / "folder") == []


@pytest.mark.parametrize("command, other", [(["shards", "--order"], "the file of subjects"), (["get", "--from"], QUERIES)], ids=str)
@pytest.mark.parametrize("name", ["q.fa", "./q.fa", "{here}/q.fa", "to_q"])
@pytest.mark.parametrize("written", [RESULT, REPORT])
def test_lists_of_other_commands(here, command, other, name, written):
    (here / "to_q").symlink_to("q.fa")
    before = contents(here)
    name = name.format(here=here)
    places = ["-o", name] if written == RESULT else ["-o", "new.gz", "--report", name]
    done = run(*command, "q.fa", "--force", *places, "c1.gz", cwd=here)
    assert (done.code, done.out) == (USAGE, b""), done
    assert done.err.endswith(f"blastmerge: {written} ({name}) is the same place as {other} (q.fa): give one of them another name\n")
    assert contents(here) == before


@pytest.mark.parametrize("command", [["shards", "--order", "-", "-"], ["shards", "--order", "/dev/stdin", "c1.gz", "-"],
                                     ["shards", "--order", "-", "--expect-queries", "-", "c1.gz"]], ids=str)
def test_standard_input_for_two_lists(here, command):
    done = run(*command, cwd=here, input=b"a\n")
    assert done.code == USAGE and "can be read only once" in done.err and "the file of subjects" in done.err


@pytest.mark.parametrize("arguments", [
    ["--report", "c1.gz", "c1.gz"], ["--report", "./c2.gz", "c1.gz", "c2.gz"], ["--report", "list", "--files-from", "list"],
    ["--report", "new", "new"], ["--report", "q.fa", "--expect-queries", "./q.fa", "c1.gz", "c2.gz"]], ids=str)
def test_check_reports_to_no_place_that_it_reads(here, arguments):
    before = contents(here)
    done = run("check", "--force", *arguments, cwd=here)
    assert done.code == USAGE and "is the same place as" in done.err and contents(here) == before


@pytest.mark.parametrize("result", ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
@pytest.mark.parametrize("report", ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
@pytest.mark.parametrize("to", ["pipe", "file", "null"])
def test_standard_output_twice(here, result, report, to):
    target = {"pipe": subprocess.PIPE, "null": subprocess.DEVNULL}.get(to)
    with contextlib.ExitStack() as stack:
        if to == "file":
            target = stack.enter_context(open(here / "stdout", "wb"))
        done = subprocess.run([PROGRAM, "-o", result, "--report", report, "c1.gz"], cwd=here, stdout=target, stderr=subprocess.PIPE,
                              check=False)
    assert done.returncode == USAGE and not done.stdout, done
    assert b"standard output" in done.stderr or b"is the same place as" in done.stderr
    assert to != "file" or (here / "stdout").read_bytes() == b""


@pytest.mark.parametrize("name", ["log", "/dev/stderr", "/dev/fd/2"])
def test_standard_output_is_a_place_by_what_it_is(here, name):
    """Redirected into a file it is that file; and where both streams are one pipe, they are one place."""
    with open(here / "log", "wb") as log:
        done = subprocess.run([PROGRAM, "--force", "--report", name, "c1.gz"], cwd=here, stdout=log, stderr=log, check=False)
    assert done.returncode == USAGE and b"is the same place as" in (here / "log").read_bytes()
    done = subprocess.run([PROGRAM, "--force", "--report", "/dev/stderr", "c1.gz"], cwd=here, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    assert done.returncode == USAGE and b"is the same place as" in done.stdout


def test_standard_input_is_a_place_by_what_it_is(here):
    for name in ("c1.gz", "to_c1", "hard_c1"):
        for source in ("-", "/dev/stdin", "/dev/fd/0"):
            with open(here / "c1.gz", "rb") as file:
                done = run("--force", "-o", name, source, cwd=here, stdin=file)
            assert done.code == USAGE and "is the same place as a child" in done.err
    with open(here / "list", "rb") as file:
        done = run("--force", "-o", "list", "--files-from", "-", cwd=here, stdin=file)
    assert done.code == USAGE and "is the same place as the list of children (standard input)" in done.err
    assert (here / "list").read_text() == "c1.gz\nc2.gz\n"


def test_a_fifo_is_not_read_and_written(here):
    os.mkfifo(here / "pipe")
    assert run("-o", "pipe", "c1.gz", "pipe", cwd=here).code == USAGE


def test_places_that_are_not_the_same(here):
    assert run("-o", "/dev/null", "--report", "/dev/null", "c1.gz", cwd=here).code == OK
    assert run("-o", "/dev/null", "--report", "-", "c1.gz", cwd=here, stdin=subprocess.DEVNULL).code == OK
    assert run("-o", "folder/c1.gz", "--report", "folder/c2.gz", "c1.gz", "c2.gz", cwd=here).code == OK
    done = run("-o", "twice.gz", "--mismatch", "ignore", "c1.gz", "./c1.gz", cwd=here)
    assert done.code == OK and any("is given twice" in warning for warning in done.warnings)


@pytest.mark.parametrize("one, other", [
    ("s3://bucket/key.gz", "S3://bucket/key.gz"), ("az://account/box/blob", "AZ://account/box/blob"),
    ("az://account/box/a b", "https://account.blob.core.windows.net/box/a%20b"), ("gs://bucket/key", "GS://bucket/key")])
def test_one_object_by_two_names(here, one, other):
    """No server is asked: there is none."""
    if "with libcurl" not in run("--version").out.decode():
        pytest.skip("this blastmerge was built without object storage")
    environment = dict(os.environ, AWS_ACCESS_KEY_ID="a", AWS_SECRET_ACCESS_KEY="b", AZURE_STORAGE_KEY="YWJj",
                       http_proxy="http://127.0.0.1:1", https_proxy="http://127.0.0.1:1")
    for arguments in (["--force", "-o", one, other], ["-o", one, "--report", other, "c1.gz"]):
        done = run(*arguments, cwd=here, env=environment)
        assert done.code == USAGE and "is the same place as" in done.err, done


# --- complete bytes, and then nothing can fail -------------------------------------------------------


def is_complete(data):
    decoder = zlib.decompressobj(31)
    decoder.decompress(data)
    return decoder.eof


@contextlib.contextmanager
def paused(here, *arguments, stdout=subprocess.PIPE):
    """A merge of one more child, a FIFO, which waits for its end until the caller's block is left."""
    os.mkfifo(here / "slow")
    with subprocess.Popen([PROGRAM, *map(str, arguments), "c1.gz", "slow"], cwd=here, stdout=stdout, stderr=subprocess.PIPE) as process:
        with open(here / "slow", "wb", buffering=0) as pipe:
            pipe.write(child("z")[:20])
            yield process
            with contextlib.suppress(BrokenPipeError):  # where the caller has killed it
                pipe.write(child("z")[20:])
        process.result = process.stdout.read() if stdout == subprocess.PIPE else None
        process.message = process.stderr.read().decode()


def wait_for(condition):
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.01)


def temporaries(folder):
    return [name for name in os.listdir(folder) if name.startswith(".")]


@pytest.mark.parametrize("options", [[], ["--level", "1"], ["--plain"]])
def test_report_that_comes_up_meanwhile(here, options):
    """What a pipe has then is not complete."""
    with paused(here, *options, "--report", "r.json") as process:
        wait_for(lambda: temporaries(here))
        (here / "r.json").write_text("another's")
    assert process.returncode == EXISTS and "r.json" in process.message
    if "--plain" in options:
        assert b"</BlastOutput>" not in process.result
    else:
        assert not is_complete(process.result)
    assert (here / "r.json").read_text() == "another's" and temporaries(here) == []


@pytest.mark.parametrize("has_old", [False, True])
def test_report_that_comes_up_beside_a_file(here, has_old):
    """The result is taken back, and an old one is there again."""
    target = "old.gz" if has_old else "new.gz"
    (here / "elsewhere").mkdir()
    with paused(here, *["--force"] * has_old, "-o", target, "--report", "elsewhere/r.json") as process:
        wait_for(lambda: temporaries(here / "elsewhere"))
        for name in temporaries(here / "elsewhere"):
            (here / "elsewhere" / name).unlink()
        (here / "elsewhere").rmdir()
    assert process.returncode == NOT_FOUND and "r.json" in process.message, process.message
    assert (here / "old.gz").read_bytes() == OLD and not (here / "new.gz").exists()
    assert temporaries(here) == []


def test_report_is_there_before_the_last_bytes(here):
    """Whoever reads the pipe to its end finds the report."""
    os.mkfifo(here / "out")
    with subprocess.Popen([PROGRAM, "-o", "out", "--report", "r.json", "c1.gz"], cwd=here) as process:
        with open(here / "out", "rb") as pipe:
            data = pipe.read(1)
            assert json.loads((here / "r.json").read_bytes())["totals"]["iterations"] == 2
            data += pipe.read()
    assert process.returncode == OK and is_complete(data)
    assert json.loads((here / "r.json").read_bytes())["output"]["bytes"] == len(data)


@pytest.mark.parametrize("has_old", [False, True])
@pytest.mark.parametrize("link_only", [False, True])
def test_last_bytes_that_cannot_be_written(here, has_old, link_only):
    """The report is taken back, and an old one is there again; also where names cannot be exchanged."""
    if has_old:
        (here / "r.json").write_bytes(OLD)
    command = [PROGRAM]
    if link_only:
        if subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True, check=False).returncode != 0:
            pytest.skip("strace is not there, or may not trace")
        command = ["strace", "-f", "-o", "/dev/null", "-e", "trace=renameat2", "-e", "inject=renameat2:error=EINVAL", PROGRAM]
    done = run(*["--force"] * has_old, "-o", "/dev/full", "--report", "r.json", "c1.gz", cwd=here, command=command)
    assert done.code == NO_SPACE and done.err == "blastmerge: cannot write /dev/full: No space left on device\n"
    assert (here / "r.json").read_bytes() == OLD if has_old else not (here / "r.json").exists()
    assert temporaries(here) == []


def test_report_as_a_stream_is_complete_only_with_the_result(here):
    with paused(here, "-o", "new.gz", "--report", "-") as process:
        wait_for(lambda: temporaries(here))
        (here / "new.gz").write_bytes(b"another's")
    assert process.returncode == EXISTS
    with pytest.raises(ValueError):
        json.loads(process.result)


@pytest.mark.parametrize("rows", [1, 5000])
def test_last_byte_of_a_plain_table_is_held(here, rows):
    """A table has no end of its own: its last byte waits."""
    row = "q\ts\t99.0\t10\t0\t0\t1\t10\t1\t10\t1e-5\t20.0\n"
    (here / "t").write_bytes(gzip.compress((row * rows).encode()))
    whole = run("--plain", "t", cwd=here)
    assert whole.code == OK and whole.out == (row * rows).encode()
    (here / "r.json").write_text("another's")
    done = subprocess.run(["bash", "-c", f"rm r.json; (sleep 0.1; cat t) | '{PROGRAM}' --plain --report r.json - "], cwd=here,
                          capture_output=True, check=False)
    assert done.returncode == OK and done.stdout == whole.out
    (here / "r.json").unlink()
    os.mkfifo(here / "slow")
    with subprocess.Popen([PROGRAM, "--plain", "--report", "r.json", "slow"], cwd=here, stdout=subprocess.PIPE) as process:
        with open(here / "slow", "wb") as pipe:
            wait_for(lambda: temporaries(here))
            (here / "r.json").write_text("another's")
            pipe.write((here / "t").read_bytes())
        result = process.stdout.read()
    assert process.returncode == EXISTS and len(result) < len(whole.out) and whole.out.startswith(result)


# --- permissions -------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o640, 0o644, 0o666, 0o604, 0o6755, 0o1777, 0o4711, 0o2750, 0o060])
def test_a_file_that_replaces_another(here, mode):
    """Never wider than that, from the first moment; and nothing that makes it run as somebody."""
    (here / "old.gz").chmod(mode)
    (here / "r.json").write_bytes(OLD)
    (here / "r.json").chmod(mode)
    with paused(here, "--force", "-o", "old.gz", "--report", "r.json") as process:
        wait_for(lambda: len(temporaries(here)) == 2)
        for name in temporaries(here):
            assert stat.S_IMODE((here / name).stat().st_mode) == mode & 0o600
    assert process.returncode == OK, process.message
    for name in ("old.gz", "r.json"):
        assert stat.S_IMODE((here / name).stat().st_mode) == mode & 0o777


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o027, 0o077])
def test_a_new_file_follows_the_umask(here, umask):
    done = run("-o", "new.gz", "--report", "r.json", "c1.gz", cwd=here, preexec_fn=lambda: os.umask(umask))
    assert done.code == OK
    for name in ("new.gz", "r.json"):
        assert stat.S_IMODE((here / name).stat().st_mode) == 0o666 & ~umask


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_owner_and_group_stay_as_far_as_may_be(here):
    os.chown(here / "old.gz", 1, 2)
    (here / "old.gz").chmod(0o640)
    assert run("--force", "-o", "old.gz", "c1.gz", cwd=here).code == OK
    found = (here / "old.gz").stat()
    assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (1, 2, 0o640)
    os.chown(here / "old.gz", 1, 2)
    here.chmod(0o777)
    done = run("--force", "-o", "old.gz", "c1.gz", cwd=here,
               command=["setpriv", "--bounding-set", "-chown", "--inh-caps", "-chown", "--", PROGRAM])
    found = (here / "old.gz").stat()
    assert done.code == OK and stat.S_IMODE(found.st_mode) == 0o600, "another group may read it"


# --- long names --------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [63, 64, 65, 66, 143, 200, 230, 231, 232, 242, 243, 254, 255])
@pytest.mark.parametrize("letter", ["x", "ü", "漢"])
def test_names_of_any_length(here, n, letter):
    name = (letter * n).encode()[:n].decode(errors="ignore")
    name += "x" * (n - len(name.encode()))
    for force in ([], ["--force"]):
        done = run(*force, "-o", f"folder/{name}", "--report", f"{here}/{name}", "c1.gz", cwd=here)
        assert done.code == OK, done.err
    assert only_files(here / "folder") == [name] and is_complete((here / "folder" / name).read_bytes())
    assert run("-o", name + "xy" * 100, "c1.gz", cwd=here).code == IO


def deep_path(folder, n):
    """A path of n bytes below the folder, whose last component is a name for a file; its folders are made."""
    path = os.fspath(folder)
    os.makedirs(path, exist_ok=True)
    file = os.open(path, os.O_RDONLY)
    while n - len(path) > 300:
        os.mkdir("d" * 200, dir_fd=file)
        below = os.open("d" * 200, os.O_RDONLY, dir_fd=file)
        os.close(file)
        file = below
        path += "/" + "d" * 200
    os.close(file)
    return path + "/" + "f" * (n - len(path) - 1)


@pytest.mark.parametrize("n", [3800, 4000, 4070, 4094, 4095])
def test_paths_of_any_length(here, n):
    path = deep_path(here / "folder", n)
    assert len(path) == n
    for force in ([], ["--force"]):
        done = run(*force, "-o", path, "--report", path[:-1] + "r", "c1.gz", cwd=here)
        assert done.code == OK, done.err[-200:]
    assert text_of(open(path, "rb").read()) == oracle.merge([(here / "c1.gz").read_bytes()])
    assert sorted(os.listdir(os.path.dirname(path))) == sorted([os.path.basename(path), os.path.basename(path)[:-1] + "r"])


def test_a_path_that_is_too_long(here):
    path = deep_path(here / "folder", 4095) + "f"
    done = run("-o", path, "c1.gz", cwd=here)
    assert done.code == IO and "File name too long" in done.err


@pytest.mark.parametrize("name", ["x" * 255, "short", "ü" * 100], ids=["long", "short", "letters"])
def test_left_overs_of_long_names_go(here, name):
    with paused(here, "-o", name) as process:
        wait_for(lambda: temporaries(here))
        process.kill()
        process.wait()
    assert len(temporaries(here)) == 1
    other = name[:-1] + "y"
    assert run("-o", other, "c1.gz", cwd=here).code == OK and len(temporaries(here)) == 1, "it was another's"
    assert run("-o", name, "c1.gz", cwd=here).code == OK and temporaries(here) == []


def test_a_folder_that_is_renamed_meanwhile(here):
    with paused(here, "-o", "folder/new.gz", "--report", "folder/r.json") as process:
        wait_for(lambda: len(temporaries(here / "folder")) == 2)
        (here / "folder").rename(here / "moved")
        (here / "folder").mkdir()
    assert process.returncode == OK, process.message
    assert only_files(here / "moved") == ["new.gz", "r.json"] and only_files(here / "folder") == []


def test_a_folder_that_may_be_written_and_not_read(here):
    (here / "folder").chmod(0o333)
    done = without_rights("-o", "folder/new.gz", "c1.gz", cwd=here)
    (here / "folder").chmod(0o755)
    assert done.code == OK and only_files(here / "folder") == ["new.gz"], done.err


# --- pipes and what is not ready ---------------------------------------------------------------------


def state_of(process):
    with open(f"/proc/{process.pid}/stat", encoding="ascii") as file:
        return file.read().rpartition(")")[2].split()[0]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("arguments", [["-o", "new.gz", "c1.gz", "pipe"], ["check", "pipe"], ["--salvage", "-o", "new.gz", "c1.gz", "c2.gz"],
                                       ["-o", "pipe", "c1.gz"], ["-o", "new.gz", "--report", "pipe", "c1.gz"],
                                       ["--files-from", "pipe"]], ids=str)
def test_a_pipe_without_another_end_can_be_left(here, arguments, number):
    os.mkfifo(here / "pipe")
    if "--salvage" in arguments:
        arguments = [*arguments, "pipe"]
    with subprocess.Popen([PROGRAM, *arguments], cwd=here, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        if "--salvage" in arguments:  # a pipe cannot be read twice
            assert process.wait(20) == USAGE and b"pipe" in process.stderr.read()
            return
        wait_for(lambda: state_of(process) == "S")
        time.sleep(0.1)
        process.send_signal(number)
        process.wait(20)
    assert process.returncode == -number
    assert temporaries(here) == [] and not (here / "new.gz").exists()


def test_a_pipe_whose_writer_comes_late(here):
    os.mkfifo(here / "pipe")
    writer = threading.Timer(0.3, lambda: (here / "pipe").write_bytes((here / "c2.gz").read_bytes()))
    writer.start()
    done = run("c1.gz", "pipe", cwd=here)
    writer.join()
    assert done.text == oracle.merge([(here / name).read_bytes() for name in ("c1.gz", "c2.gz")])


def test_a_pipe_whose_writer_writes_nothing(here):
    os.mkfifo(here / "pipe")
    writer = threading.Thread(target=lambda: (here / "pipe").write_bytes(b""))
    writer.start()
    done = run("c1.gz", "pipe", cwd=here)
    writer.join()
    assert done.code == 3 and done.err.startswith("blastmerge: pipe: holds nothing")


def test_lists_that_are_no_files(here):
    os.mkfifo(here / "pipe")
    assert run("--files-from", "folder", cwd=here).code == IO
    names = threading.Thread(target=lambda: (here / "pipe").write_text("c1.gz\nc2.gz\n"))
    names.start()
    done = run("--files-from", "pipe", cwd=here)
    names.join()
    assert done.text == oracle.merge([(here / name).read_bytes() for name in ("c1.gz", "c2.gz")])


def test_a_list_and_a_child_from_a_pipe_that_is_not_ready(here):
    for arguments, data in ((["--files-from", "-"], b"c1.gz\nc2.gz\n"), (["-", "c2.gz"], (here / "c1.gz").read_bytes()),
                            (["--null", "--files-from", "-"], b"c1.gz\0c2.gz\0")):
        read_end, write_end = os.pipe()
        os.set_blocking(read_end, False)
        with subprocess.Popen([PROGRAM, *arguments], cwd=here, stdin=read_end, stdout=subprocess.PIPE) as process:
            os.close(read_end)
            time.sleep(0.1)
            for half in (data[:3], data[3:]):
                os.write(write_end, half)
                time.sleep(0.1)
            os.close(write_end)
            out = process.stdout.read()
        assert process.returncode == OK
        assert text_of(out) == oracle.merge([(here / name).read_bytes() for name in ("c1.gz", "c2.gz")])


@pytest.mark.parametrize("command", [["check"], ["--plain"], []])
def test_standard_output_that_is_not_ready(here, command):
    """More than a pipe holds, read late."""
    if command == ["check"]:
        paths = ["c1.gz"] * 2000
        wanted = run("check", "-q", *paths, cwd=here).out
    else:
        (here / "large.gz").write_bytes(member(corpus.texts(1, 40, seed=9, hits=60)[0]))
        paths = ["large.gz"]
        wanted = run(*command, "-q", *paths, cwd=here).out
    assert len(wanted) > 65536
    read_end, write_end = os.pipe()
    os.set_blocking(write_end, False)
    with subprocess.Popen([PROGRAM, *command, "-q", *paths], cwd=here, stdout=write_end, stderr=subprocess.PIPE) as process:
        os.close(write_end)
        time.sleep(0.5)
        with open(read_end, "rb") as pipe:
            assert pipe.read() == wanted
        assert process.stderr.read() == b""
    assert process.returncode == OK


def test_a_destination_that_goes_while_it_is_looked_at(here):
    """Between two looks it is removed: as if it had never been there."""
    if subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("strace is not there, or may not trace")
    stop = threading.Event()

    def come_and_go():
        while not stop.is_set():
            (here / "new.gz").write_bytes(OLD)
            (here / "new.gz").unlink()

    thread = threading.Thread(target=come_and_go)
    thread.start()
    codes = {run("--force", "-o", "new.gz", "c1.gz", cwd=here).code for _ in range(30)}
    stop.set()
    thread.join()
    assert codes == {OK}
