# SPDX-License-Identifier: MIT
"""Where the result goes, what is there when something fails, signals, exit codes, the report."""
import gzip
import itertools
import json
import os
import resource
import signal
import subprocess
import threading
import time
import zlib

import pytest

import corpus
import oracle
from forms import member
from program import (DATA, DENIED, EXISTS, IO, NO_SPACE, NOT_FOUND, OK, PROGRAM, USAGE, only_files, run, text_of,
                     without_rights, write_children)
from small import child, text

LARGE = member(corpus.texts(1, 40, seed=9, hits=60)[0])  # more than pipes and buffers hold


@pytest.fixture
def children(tmp_path):
    folder = tmp_path / "children"
    folder.mkdir()
    return write_children(folder, [child("a", "b"), child("c")])


@pytest.fixture
def large(tmp_path):
    path = tmp_path / "large.xml.gz"
    path.write_bytes(LARGE)
    return path


@pytest.fixture
def out(tmp_path):
    """An empty folder for results."""
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


def expected(paths):
    return oracle.merge([path.read_bytes() for path in paths])


# --- files -------------------------------------------------------------------------------------------


def test_file(children, out):
    for name in ("merged.xml.gz", "no ending", "-x", "ü\n", "x" * 200):
        done = run("-o", out / name, *children)
        assert (done.code, done.out, done.err) == (OK, b"", "")
        assert text_of((out / name).read_bytes()) == expected(children)
        assert os.stat(out / name).st_mode & 0o777 == 0o666 & ~current_umask()
    assert len(only_files(out)) == 5


def current_umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_file_in_the_folder_at_hand(children, out):
    assert run("-o", "merged", *children, cwd=out).code == OK
    assert run("--output=./again", *children, cwd=out).code == OK
    assert only_files(out) == ["again", "merged"]


def test_existing_file(children, out):
    target = out / "merged"
    target.write_bytes(b"precious")
    target.chmod(0o640)
    done = run("-o", target, *children)
    assert done.code == EXISTS and str(target) in done.err and "--force" in done.err
    assert target.read_bytes() == b"precious"
    assert run("--force", "-o", target, *children).code == OK
    assert text_of(target.read_bytes()) == expected(children)
    assert target.stat().st_mode & 0o777 == 0o640
    assert only_files(out) == ["merged"]


def test_existing_file_stays_when_the_merge_fails(children, out):
    target = out / "merged"
    target.write_bytes(b"precious")
    children[1].write_bytes(children[1].read_bytes()[:-1])
    assert run("--force", "-o", target, *children).code == DATA
    assert target.read_bytes() == b"precious" and only_files(out) == ["merged"]


def test_file_through_a_link(children, out):
    (out / "real").write_bytes(b"old")
    (out / "link").symlink_to("real")
    assert run("-o", out / "link", *children).code == EXISTS
    assert run("--force", "-o", out / "link", *children).code == OK
    assert (out / "link").is_symlink() and text_of((out / "real").read_bytes()) == expected(children)


def test_folder_that_is_missing(children, out):
    done = run("-o", out / "none" / "merged", *children)
    assert done.code == NOT_FOUND and "none" in done.err


def test_output_that_is_a_folder(children, out):
    for name in (out, f"{out}/"):
        assert run("-o", name, *children).code in (IO, USAGE, EXISTS)
    assert only_files(out) == []


def test_folder_that_cannot_be_written(children, out):
    out.chmod(0o555)
    done = without_rights("-o", out / "merged", *children)
    assert done.code == DENIED and "merged" in done.err
    out.chmod(0o755)


def test_no_space(children, large, out):
    for paths in (children, [large]):
        done = run("-o", "/dev/full", *paths)
        assert done.code == NO_SPACE and "/dev/full" in done.err
        with open("/dev/full", "wb") as full:
            done = subprocess.run([PROGRAM, *paths], stdout=full, stderr=subprocess.PIPE, check=False)
        assert done.returncode == NO_SPACE and b"standard output" in done.stderr
    done = run("-o", out / "merged", "--report", "/dev/full", *children)
    assert done.code == NO_SPACE and only_files(out) == []


def test_file_size_limit(large, out):
    """The limit's signal is no reason to leave anything."""
    done = run("--plain", "-o", out / "merged", large,
               preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100000, 100000)))
    assert done.code == NO_SPACE and only_files(out) == []


def test_devices(children):
    assert run("-o", "/dev/null", *children).code == OK
    assert run("-o", "/dev/stdout", *children).text == expected(children)


def test_two_writers(children, out):
    """The second to commit finds a file that was not there when it began."""
    os.mkfifo(out / "slow")
    with subprocess.Popen([PROGRAM, "-o", out / "merged", out / "slow"], stderr=subprocess.PIPE) as slow:
        with open(out / "slow", "wb") as pipe:
            wait_until(lambda: len(only_files(out)) == 2)
            assert run("-o", out / "merged", *children).code == OK
            assert len(only_files(out)) == 3, "a neighbour's file was taken for a left-over"
            pipe.write(child("late"))
        _, err = slow.communicate()
    assert slow.returncode == EXISTS and b"--force" in err
    assert text_of((out / "merged").read_bytes()) == expected(children)
    assert only_files(out) == ["merged", "slow"]


def wait_until(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.01)


# --- streams -----------------------------------------------------------------------------------------


def test_standard_output(children):
    for arguments in ([], ["-o", "-"], ["--output", "-"], ["merge"], ["merge", "-o-"]):
        done = run(*arguments, *children)
        assert done.text == expected(children) and done.err == ""


def test_standard_input(children):
    first, second = (path.read_bytes() for path in children)
    assert run("-", input=first).text == oracle.merge([first])
    assert run(children[0], "-", input=second).text == expected(children)
    assert run("-", children[1], input=gzip.decompress(first)).text == expected(children)
    with open(children[0], "rb") as file:
        assert run("-", stdin=file).text == oracle.merge([first])
    done = run("-", children[1], input=first[:-1])
    assert done.code == DATA and done.err.startswith("blastmerge: standard input: ")
    assert run("-", "-", input=first).code == USAGE
    assert run("-").code == DATA  # nothing comes


def test_fifos(children, out):
    results = []
    for name in ("in_1", "in_2", "out"):
        os.mkfifo(out / name)
    threads = [threading.Thread(target=(out / "in_1").write_bytes, args=[children[0].read_bytes()]),
               threading.Thread(target=(out / "in_2").write_bytes, args=[LARGE]),
               threading.Thread(target=lambda: results.append((out / "out").read_bytes()))]
    for thread in threads:
        thread.start()
    done = run("-o", out / "out", out / "in_1", out / "in_2")
    for thread in threads:
        thread.join()
    assert done.code == OK, done.err
    assert text_of(results[0]) == oracle.merge([children[0].read_bytes(), LARGE])
    assert only_files(out) == ["in_1", "in_2", "out"]


def test_what_a_pipe_has_never_decodes_as_complete(large, tmp_path):
    """All but the last byte of the last child is right, and the result of all that came before was handed out."""
    bad = tmp_path / "bad.xml.gz"
    bad.write_bytes(child("z")[:-1] + b"\x7f")
    for arguments in ([], ["--level", "1"]):
        done = run(*arguments, large, bad)
        assert done.code == DATA and len(done.out) > 100000
        partial = zlib.decompressobj(31)
        partial.decompress(done.out)
        assert not partial.eof


def test_closed_pipe(large):
    """As any filter, it ends by the signal; where that is ignored, it says what happened."""
    for ignores in (False, True):
        with subprocess.Popen([PROGRAM, "--plain", large], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              restore_signals=not ignores) as process:
            process.stdout.read(10)
            process.stdout.close()
            err = process.stderr.read()
        if ignores:
            assert process.returncode == IO and b"standard output" in err
        else:
            assert process.returncode == -signal.SIGPIPE and err == b""


def test_closed_streams(children, out):
    command = f"exec '{PROGRAM}' {children[0]} {children[1]}"
    for closing, code in ((">&-", IO), ("<&- >/dev/null", OK), (f"-o {out}/merged >&- <&- 2>&-", OK)):
        done = subprocess.run(["bash", "-c", f"{command} {closing}"], stderr=subprocess.PIPE, check=False)
        assert done.returncode == code, closing
    assert text_of((out / "merged").read_bytes()) == expected(children)
    assert subprocess.run(["bash", "-c", f"exec '{PROGRAM}' - <&- >/dev/null"], stderr=subprocess.DEVNULL,
                          check=False).returncode == IO


CLOSINGS = ["".join(closing) for closing in itertools.product(("", " <&-"), (" >/dev/null", " >&-"), ("", " 2>&-"))]


@pytest.mark.parametrize("closing", CLOSINGS)
def test_any_closed_streams(children, out, closing):
    """Whichever are closed: results and reports in files are right, and what needs such a stream fails, at once, and leaves nothing."""
    def run_closed(*arguments):
        command = f"exec '{PROGRAM}' \"$@\"{closing}"
        return subprocess.run(["bash", "-c", command, "-", *arguments], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
                              timeout=60, check=False)

    (out / "names").write_text("".join(f"{path}\n" for path in children))
    for arguments in (["-o", out / "merged", "--report", out / "report", *children],
                      ["-f", "--progress", "--verbose", "-o", out / "merged", "--files-from", out / "names"]):
        done = run_closed(*arguments)
        assert done.returncode == OK, done.stderr
        assert text_of((out / "merged").read_bytes()) == expected(children)
    assert json.loads((out / "report").read_bytes())["totals"]["children"] == len(children)
    if ">&-" in closing.replace("2>&-", ""):
        for arguments in ([*children], ["-o", "-", *children], ["-o", "/dev/stdout", *children], ["-o", "/dev/fd/1", *children],
                          ["-o", out / "none", "--report", "-", *children], ["check", "--report", "-", *children], ["--help"], ["--version"]):
            assert run_closed(*arguments).returncode == IO, arguments
    if "<&-" in closing:
        for arguments in (["-"], ["/dev/stdin"], ["--files-from", "-"], [children[0], "-", "--allow-empty"]):
            assert run_closed("-o", out / "none", *arguments).returncode == IO, arguments
        assert run_closed("check", "-").returncode == IO
        assert run_closed("finalize", "-").returncode in (IO, 2)
    if "2>&-" in closing:
        assert run_closed("-o", out / "none", "--report", "/dev/stderr", *children).returncode == IO
    elif "<&-" in closing:
        assert b"standard input: is closed" in run_closed("-o", out / "none", "-").stderr
    assert only_files(out) == ["merged", "names", "report"]


# --- signals -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("threads", ["1", "2"])
def test_signal_while_a_child_is_awaited(out, number, threads):
    os.mkfifo(out / "slow")
    arguments = [PROGRAM, "--threads", threads, "--report", out / "report", "-o", out / "merged", out / "slow"]
    with subprocess.Popen(arguments, stderr=subprocess.PIPE) as process:
        with open(out / "slow", "wb") as pipe:
            pipe.write(LARGE[:len(LARGE) // 2])
            pipe.flush()
            wait_until(lambda: len(only_files(out)) == 3)
            process.send_signal(number)
            process.wait(20)
    assert process.returncode == -number
    assert only_files(out) == ["slow"]


@pytest.mark.parametrize("is_output", [True, False])
def test_signal_while_a_fifo_is_opened(children, out, is_output):
    """Nobody is at its other end."""
    os.mkfifo(out / "fifo")
    arguments = ["-o", out / "fifo", *children] if is_output else [out / "fifo"]
    with subprocess.Popen([PROGRAM, *arguments], stdout=subprocess.DEVNULL) as process:
        wait_until(lambda: state_of(process) == "S")
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        process.wait(20)
    assert process.returncode == -signal.SIGINT


def state_of(process):
    with open(f"/proc/{process.pid}/stat", encoding="ascii") as file:
        return file.read().rpartition(")")[2].split()[0]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_while_nobody_reads_the_output(large, number):
    with subprocess.Popen([PROGRAM, "--plain", large], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.read(1)
        process.send_signal(number)
        process.wait(20)
        assert process.stderr.read() == b""
    assert process.returncode == -number


def test_signal_that_is_ignored(out):
    """As nohup has it."""
    os.mkfifo(out / "slow")
    with subprocess.Popen(["bash", "-c", f"trap '' HUP; exec '{PROGRAM}' -o {out}/merged {out}/slow"]) as process:
        with open(out / "slow", "wb") as pipe:
            wait_until(lambda: len(only_files(out)) == 2)
            process.send_signal(signal.SIGHUP)
            time.sleep(0.1)
            pipe.write(child("a"))
    assert process.returncode == OK
    assert only_files(out) == ["merged", "slow"]


def test_left_over_of_a_killed_run(children, out):
    os.mkfifo(out / "slow")
    with subprocess.Popen([PROGRAM, "-o", out / "merged", out / "slow"]) as process:
        with open(out / "slow", "wb"):
            wait_until(lambda: len(only_files(out)) == 2)
            process.kill()
            process.wait()
    assert len(only_files(out)) == 2
    (out / ".merged.blastmerge-notes").write_text("somebody's own")
    assert run("-o", out / "merged", *children).code == OK
    assert only_files(out) == [".merged.blastmerge-notes", "merged", "slow"]


# --- lists of children -------------------------------------------------------------------------------


def test_files_from(children, out):
    names = "\n".join(map(str, children)) + "\n"
    (out / "list").write_text(names)
    assert run("--files-from", out / "list").text == expected(children)
    assert run("--files-from", "-", input=names.encode()).text == expected(children)
    for mark in (b"\xef\xbb\xbf", b"\xef\xbb\xbf\r\n"):
        assert run("--files-from", "-", input=mark + names.encode()).text == expected(children)
    for encoding in ("utf-16-le", "utf-16-be"):
        done = run("--files-from", "-", input=("\ufeff" + names).encode(encoding))
        assert done.code == 2 and "is UTF-16: save it as UTF-8" in done.err
    assert run("--files-from", "-", input=names.rstrip().encode()).text == expected(children)
    both = run(children[1], "--files-from", out / "list", children[0], "--mismatch", "ignore")
    assert both.text == expected([children[1], *children, children[0]])
    assert run("--files-from", out / "none").code == NOT_FOUND
    assert run("--files-from", "-", "-", input=names.encode()).code == USAGE


def test_files_from_with_null(children, out):
    odd = out / "a\nname \\ with 'all'\t"
    odd.write_bytes(children[0].read_bytes())
    names = bytes(odd) + b"\0" + bytes(children[1]) + b"\0"
    assert run("--null", "--files-from", "-", input=names).text == expected(children)
    assert run("--null", "--files-from", "-", input=names[:-1]).text == expected(children)


HIDDEN = [(b"\x9b31m", b"\\x9b31m"), (b"\xc2\x9b31m", b"\\u009b31m"), ("\u202egpj".encode(), b"\\u202egpj"),
          ("\u2066\u200e\u061c".encode(), b"\\u2066\\u200e\\u061c"), ("\u2028\u2029".encode(), b"\\u2028\\u2029"),
          ("äß中א".encode(), "äß中א".encode())]


@pytest.mark.parametrize("odd, shown", HIDDEN, ids=lambda value: value.hex())
def test_nothing_for_a_terminal_in_names(children, out, odd, shown):
    """Names of children, lists, outputs, in messages, warnings and the table of check; the report has them exactly."""
    def runs(*arguments):
        done = subprocess.run([PROGRAM, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        assert odd == shown or (odd not in done.stderr and odd not in done.stdout)
        return done

    name = os.fsencode(out) + b"/x" + odd
    for arguments in ([name], ["--files-from", name], ["--expect-queries", name, children[0]], ["finalize", name],
                      ["-o", name + b"/y", children[0]], [b"--x" + odd]):
        done = runs(*arguments)
        assert done.returncode != OK and shown in done.stderr, done.stderr
    with open(name, "wb") as file:
        file.write(child("a"))
    done = runs("check", "--report", out / "report", name, name)  # a warning: it is given twice
    assert done.returncode == OK and shown in done.stderr and shown in done.stdout
    report = (out / "report").read_bytes()
    assert odd == shown or odd not in report
    if odd[:1] != b"\x9b":
        assert os.fsencode(json.loads(report)["children"][0]["location"]) == name


def test_nothing_for_a_terminal_in_children(out):
    """What a message quotes of a child's data."""
    for odd, shown in HIDDEN:
        (out / "c.xml").write_bytes(b"<Blast" + odd + b"/>")
        done = subprocess.run([PROGRAM, "--format", "xml", out / "c.xml"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        assert done.returncode == DATA and (odd == shown or odd not in done.stderr), done.stderr


SECRETS = ["az://acct/c/b?sv=1&sig=SESAME", "AZ://acct/c/b#sig=SESAME", "s3://KEY:SESAME@bucket/key", "S3://KEY:SES/AME@bucket/key",
           "gs://bucket/key?access_token=SESAME", "https://user:SESAME@host.invalid/x", "HTTP://SESAME@host.invalid/x",
           "https://host.invalid:x/?pwd=SESAME", "http://127.0.0.1:SESAME@host.invalid/x?jwt=SESAME#SESAME"]


@pytest.mark.parametrize("location", SECRETS)
def test_no_secret_is_shown(children, out, location):
    """Wherever a location can be given; nothing is asked of anybody, since each is refused or is no place for this."""
    description = json.dumps({"schema": "blastmerge-finalize-job", "schema_version": 1, "storage_prefix": location,
                              "parent": {"job_id": "p"}, "expected_child_count": 1, "children": [{"job_id": "c", "status": "queued"}]})
    (out / "job.json").write_text(description)
    for arguments in ([location], ["check", location], ["-v", "-o", location, children[0]],
                      ["-o", out / "r.gz", "--report", location, children[0]], ["--files-from", location],
                      ["--expect-queries", location, children[0]], ["finalize", location], ["finalize", out / "job.json"],
                      ["--report", out / "report", location], ["--enpoint=" + location, children[0]]):
        done = run(*arguments)
        assert done.code != OK
        for text in (done.err, done.out.decode(), (out / "report").read_text() if (out / "report").exists() else ""):
            assert "SES" not in text and "AME" not in text, (arguments, text)


def test_names_that_are_not_utf8(children, out):
    name = os.fsencode(out) + b"/\xe9\xff.gz"
    with open(name, "wb") as file:
        file.write(child("a")[:-1])
    done = subprocess.run([PROGRAM, name], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    assert done.returncode == DATA and b"\\xe9\\xff.gz: " in done.stderr  # shown as escapes
    with open(name, "wb") as file:
        file.write(child("a"))
    done = subprocess.run([PROGRAM, "--report", out / "report", "-o", out / "merged", name], check=False)
    assert done.returncode == OK
    assert json.loads((out / "report").read_bytes())["children"][0]["location"].endswith("/éÿ.gz")


# --- usage -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [
    [], ["--none", "a"], ["-x", "a"], ["--level", "0", "a"], ["--level", "10", "a"], ["--level", "x", "a"],
    ["--threads", "65", "a"], ["--threads", "-1", "a"], ["--threads", "", "a"], ["--sort", "size", "a"],
    ["--mismatch", "x", "a"], ["--invalid-utf8", "x", "a"], ["--expect-children", "0", "a"], ["-o"], ["--db"],
    ["--db", "a", "--keep-db", "a"], ["--db", "x" * 4097, "a"], ["--null", "a"], ["check"], ["check", "-o", "x", "a"],
    ["-o", "", "a"], [""], ["--force=1", "a"], ["--expect-children", "99999999999999999999", "a"]], ids=str)
def test_usage(arguments, out):
    (out / "a").write_bytes(child("a"))
    done = run(*arguments, cwd=out)
    assert done.code == USAGE and done.out == b"" and done.err.startswith("blastmerge: ")
    assert len(done.err.splitlines()) == 1
    assert only_files(out) == ["a"]


def test_database_that_is_not_text(children):
    for name in (b"\xff", b"a\x01", b"\xed\xa0\x80", b"\xef\xbf\xbe"):
        done = subprocess.run([PROGRAM, "--db", name, *children], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              check=False)
        assert done.returncode == USAGE, name


def test_help_and_version():
    assert b"--files-from" in run("--help").out
    assert run("--version").out.startswith(b"blastmerge ")
    assert run("--help", "no", "such", "--child").code == OK


# --- check, verbose, report --------------------------------------------------------------------------


def test_check_writes_nothing(children, out):
    done = run("check", *children, cwd=out)
    assert done.code == OK and done.err == "" and only_files(out) == []
    assert b"child_0000.xml.gz" in done.out


def test_verbose(children, out):
    done = run("--verbose", "-o", out / "merged", *children)
    assert done.code == OK and "3 Iterations" in done.err and "2 children" in done.err


def test_progress(large, out):
    done = run("--progress", "-o", out / "merged", large)
    assert done.code == OK and "%" in done.err
    assert run("-o", out / "again", large).err == ""
    assert run("--no-progress", "--progress", "--no-progress", "-o", out / "third", large).err == ""


CHILD_FIELDS = {"location": str, "compressed_bytes": int, "text_bytes": int, "documents": int, "iterations": int,
                "hits": int, "hsps": int, "status": str, "error": type(None), "invalid_bytes": int, "forbidden_characters": int,
                "header": dict, "warnings": list}
FIELDS = {"schema": str, "schema_version": int, "version": str, "command": str, "options": dict, "children": list,
          "format": str, "totals": dict, "unsplit": dict, "output": dict, "missing_queries": type(None), "unknown_queries": type(None), "warnings": list,
          "status": str, "error": type(None), "made_header": type(None),
          "peak_memory": int, "peak_resident": int, "seconds": float}
TOTALS = {"children", "documents", "iterations", "hits", "hsps", "invalid_bytes", "forbidden_characters", "compressed_bytes", "text_bytes"}
OPTIONS = {"database", "keep_database", "allow_empty", "mismatch", "invalid_utf8", "forbidden_characters", "sort", "expect_children", "threads",
           "level", "format", "form", "header", "plain", "force", "query_ids", "as_unsplit", "salvage", "expect_queries", "order_by_queries"}


def check_types(row, fields):
    assert set(row) == set(fields)
    for name, kind in fields.items():
        assert isinstance(row[name], kind), name


@pytest.mark.parametrize("arguments", [[], ["--level", "3"], ["--plain"], ["--threads", "1"]])
def test_report(tmp_path, large, out, arguments):
    texts = corpus.texts(3, 9, seed=10, hits=5, rounds=2)
    children = [*write_children(tmp_path, [member(data) for data in texts]), large]
    done = run("--report", out / "report.json", "-o", out / "merged", *arguments, *children)
    assert done.code == OK, done.err
    report = json.loads((out / "report.json").read_bytes().decode())
    check_types(report, FIELDS)
    assert (report["schema"], report["schema_version"], report["command"]) == ("blastmerge-report", 1, "merge")
    assert report["format"] == "xml"
    assert set(report["options"]) == OPTIONS and report["options"]["database"] == oracle.DATABASE
    for row, path in zip(report["children"], children, strict=True):
        check_types(row, CHILD_FIELDS)
        data = path.read_bytes()
        alone = oracle.Merge(oracle.Options())
        alone.add_child(data)
        assert row["location"] == str(path)
        assert row["compressed_bytes"] == len(data)
        assert row["text_bytes"] == len(gzip.decompress(data))
        assert (row["documents"], row["iterations"], row["hits"], row["hsps"], row["invalid_bytes"]) == (
            1, alone.n_iterations, alone.n_hits, alone.n_hsps, 0)
        assert row["header"]["BlastOutput_program"] == "blastp"
        assert row["header"]["Parameters_matrix"] == "BLOSUM62"
        assert "Schäffer" in row["header"]["BlastOutput_reference"] or "&auml;" in row["header"]["BlastOutput_reference"]
    assert set(report["totals"]) == TOTALS and report["totals"]["children"] == 4
    for name in TOTALS - {"children"}:
        assert report["totals"][name] == sum(row[name] for row in report["children"])
    written = (out / "merged").read_bytes()
    merged = written if "--plain" in arguments else gzip.decompress(written)
    n_copied = report["output"].pop("copied_bytes")  # test_page.py has what it is
    assert 0 <= n_copied < len(written)
    assert report["output"] == {"location": str(out / "merged"), "bytes": len(written), "text_bytes": len(merged),
                                "crc32": f"{zlib.crc32(merged):08x}"}
    for name in ("peak_memory", "peak_resident"):  # what is held need not all have been touched
        assert 0 < report[name] <= 16 << 20
    assert only_files(out) == ["merged", "report.json"]


def test_report_goes_where_the_result_goes(children, out):
    """Both are there, or neither is."""
    assert run("--report", out / "report", *children).code == OK
    assert run("--report", out / "report", "-o", out / "merged", *children).code == EXISTS
    assert only_files(out) == ["report"]
    assert run("--report", out / "same", "-o", out / "same", *children).code == USAGE
    assert run("--report", "-", *children).code == USAGE
    done = run("--report", "-", "-o", out / "merged", *children)
    assert json.loads(done.out)["totals"]["iterations"] == 3
    children[1].write_bytes(b"")
    assert run("--report", out / "second", "-o", out / "third", *children).code == DATA
    assert only_files(out) == ["merged", "report"]


def test_report_of_check(children, out):
    done = run("check", "--report", out / "report", *children)
    assert done.code == OK
    report = json.loads((out / "report").read_bytes())
    assert report["command"] == "check" and report["totals"]["iterations"] == 3 and report["output"]["location"] is None


def test_report_with_odd_text(tmp_path, out):
    """Whatever is in a header becomes a JSON string."""
    odd = text("a", database="a & b \\ \"c\" é \\ud800 @").replace(b"a & b", b"a &amp; b").replace(b"@", b"\xe9")
    done = run("--invalid-utf8", "keep", "--report", out / "report", "-o", out / "merged",
               *write_children(tmp_path, [odd, text("a", database="x" * 5000 + "é")]))
    assert done.code == OK
    rows = json.loads((out / "report").read_bytes().decode())["children"]
    assert rows[0]["header"]["BlastOutput_db"].startswith("a & b \\ \"c\" ")
    assert rows[1]["header"]["BlastOutput_db"].startswith("xxxx")
