# SPDX-License-Identifier: MIT
"""Names in messages: those that cannot be seen are in quotes, those of lists have their line, those that look like URLs show no
secret; closed streams, standard input twice, and what the program itself writes."""
import json
import os
import subprocess

import pytest

from program import DATA, EXISTS, IO, NOT_FOUND, OK, PROGRAM, USAGE, only_files, run
from small import child


@pytest.fixture(name="here")
def make_here(tmp_path):
    (tmp_path / "a.gz").write_bytes(child("a"))
    (tmp_path / "b.gz").write_bytes(child("b"))
    return tmp_path


# --- quotes ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [" x", "x ", "  ", "\u00a0x", "x\u3000"])
def test_names_with_blanks_at_their_ends(here, name):
    for arguments in (["-o", "o", name], ["check", name], ["-o", name + "/o", "a.gz"], ["-o", "o", "--files-from", name],
                      ["-o", "o", "--report", name + "/r", "a.gz"], ["-o", "o", "--expect-queries", name, "a.gz"],
                      ["finalize", name]):
        done = run(*arguments, cwd=here)
        assert done.code == NOT_FOUND and f"'{name}'" in done.err.replace("/o", "").replace("/r", ""), (arguments, done.err)
    (here / name).write_bytes(child("c"))
    done = run("check", name, "a.gz", cwd=here)
    assert done.code == OK and f" '{name}'\n".encode() in done.out
    done = run("-o", name, "a.gz", cwd=here)
    assert done.code == EXISTS and f": '{name}': already exists" in done.err
    (here / name).write_bytes(b"no result")
    done = run("-o", "o", "a.gz", name, cwd=here)
    assert done.code == DATA and done.err.startswith(f"blastmerge: '{name}': "), done.err
    (here / name).write_bytes(child("c"))
    done = run("-o", "o", "--report", "r", name, cwd=here)
    assert done.code == OK and json.loads((here / "r").read_bytes())["children"][0]["location"] == name


def test_other_names_have_no_quotes(here):
    for name in ("x", "a b", "'x", "x'", ".x."):
        assert run("-o", "o", name, cwd=here).err.startswith(f"blastmerge: cannot open {name}: ")


def test_order_of_names_with_blanks(here):
    """It is that of the names, and not of the quotes."""
    for number in (8, 9, 10):
        (here / f" c{number}").write_bytes(child(str(number)))
    done = run("--sort", "natural", "check", " c10", " c9", " c8", cwd=here)
    assert [line.split(b"'")[1] for line in done.out.splitlines() if b"'" in line] == [b" c8", b" c9", b" c10"] and done.err == ""


def test_a_folder_that_is_not_there(here):
    for arguments, text in [(["-o", "no/such/o.gz"], "no/such/o.gz: its folder no/such does not exist"),
                            (["-o", "o.gz", "--report", "no/r"], "no/r: its folder no does not exist"),
                            (["-o", "no//o.gz"], "no//o.gz: its folder no does not exist"),
                            (["-o", f"{here}/no/o.gz"], f"its folder {here}/no does not exist")]:
        done = run(*arguments, "a.gz", cwd=here)
        assert (done.code, done.err.count("\n")) == (NOT_FOUND, 1) and text in done.err, done.err
    assert only_files(here) == ["a.gz", "b.gz"]


ADVICE = {"~/batch_1": "'~' is a home folder only to a shell", "$HOME/x": "variables are replaced only by a shell", "batch_*": "no shell has replaced the wildcard",
          "batch_[12]": "no shell has replaced the wildcard", "batch_{1,2}": "no shell has replaced the wildcard", "batch_?": "no shell has replaced the wildcard",
          '"a"': "the quotes are part of the name", "'a'": "the quotes are part of the name", "a,b": "it looks like several names", "a b": "it looks like several names",
          "a\tb": "it looks like several names", "a; b": "it looks like several names", "\u2013o": "a dash that is not '-'", "\u2014output": "a dash that is not '-'",
          "a\\ b": "the backslash is part of the name", "a ": "without the blanks at its end there is such a file", "a\t ": "without the blanks at its end", "# a": "no comments"}


@pytest.mark.parametrize("name", ADVICE)
def test_advice_for_names_that_lead_nowhere(here, name):
    """What only a shell, or a reader, would have made names of; such names that do lead to a file are as good as any."""
    (here / "a").write_bytes(child("q"))
    (here / "list").write_text(name + "\n")
    for arguments in ([name], ["--files-from", "list"], ["check", name]):
        done = run(*arguments, cwd=here)
        assert done.code == NOT_FOUND and "No such file or directory; " in done.err and ADVICE[name] in done.err, done.err
    if "/" not in name:
        (here / name).write_bytes(child("q"))
        assert run(name, cwd=here).code == run("--files-from", "list", cwd=here).code == OK


def test_names_that_need_no_advice(here):
    for name in ("b", "b c", "b,c", "b{", "b\u2013"):
        done = run(name, cwd=here)
        assert done.code == NOT_FOUND and done.err.endswith("No such file or directory\n"), done.err
    (here / "folder").mkdir()
    done = run("folder", cwd=here)
    assert done.code == IO and "cannot read " in done.err and done.err.endswith("folder: Is a directory; name the files in it\n")


def test_lists_of_no_names(here):
    for blank in ("", "\n", "\n\r\n\n", "\ufeff", "\ufeff\r\n"):
        (here / "list").write_text(blank)
        done = run("--files-from", "list", cwd=here)
        assert done.code == USAGE and done.err == "blastmerge: list: the list names no children\n", done.err


def test_places_that_say_nothing(here):
    (here / "x").write_text("no result\n")
    (here / "y").write_bytes(child("a", "b"))
    done = run("-o", "o", "x", cwd=here)
    assert done.code == DATA and "at byte" not in done.err and "0 whole" not in done.err
    cut = child("a", "b")
    (here / "y").write_bytes(cut[:len(cut) - 30])
    assert "at byte" in run("-o", "o", "y", cwd=here).err


# --- lists -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [["-o", "o"], ["check"], ["--sort", "natural", "-o", "o"]], ids=str)
def test_lines_of_lists(here, arguments):
    (here / "bad").write_bytes(b"no result")
    (here / "one").write_text("\n\na.gz\r\n  \nbad\n")
    (here / "two").write_bytes(b"\xef\xbb\xbfb.gz\nnowhere")
    (here / "zero").write_bytes(b"a.gz\0nowhere\0")

    def errors(*more, **options):
        return run(*arguments, *more, cwd=here, **options).err
    assert "blastmerge: one: line 4: cannot open '  ': " in errors("--files-from", "one")
    (here / "one").write_text("\n\na.gz\r\nbad\n")
    assert "blastmerge: one: line 4: bad: " in errors("--files-from", "one")
    assert "blastmerge: two: line 2: cannot open nowhere: " in errors("--files-from", "two")
    assert "blastmerge: zero: name 2: cannot open nowhere: " in errors("--null", "--files-from", "zero")
    assert "blastmerge: two: line 2: cannot open nowhere: " in errors("a.gz", "--files-from", "list", "--files-from", "two") \
        if (here / "list").write_text("b.gz\n") else None
    assert "blastmerge: standard input: line 3: cannot open nowhere: " in errors("--files-from", "-", input=b"a.gz\nb.gz\nnowhere\n")
    assert "blastmerge: cannot open nowhere: " in errors("--files-from", "list", "nowhere")
    if arguments == ["check"]:
        (here / "one").write_text("bad\nnowhere\na.gz\n")
        err = errors("--files-from", "one")
        assert "one: line 1: bad: " in err and "one: line 2: cannot open nowhere: " in err


def test_lines_of_names_that_are_refused(here):
    (here / "list").write_text("a.gz\n-\n/dev/stdin\n")
    done = run("-o", "o", "--files-from", "list", cwd=here)
    assert done.code == USAGE
    assert done.err == "blastmerge: list: line 3: standard input is given twice, and can be read only once\n"
    (here / "list").write_text("a.gz\nftp://u:SECRET@h/x\n")
    done = run("-o", "o", "--files-from", "list", cwd=here)
    assert done.code == USAGE and done.err.startswith("blastmerge: list: line 2: 'ftp://h/x' is not a location"), done.err


# --- what looks like a location ----------------------------------------------------------------------

STRANGE = ["ftp://u:SECRET@h/x", "ftp://h/x?sig=SECRET", "http:///u:SECRET@h/", "s3:///k:SECRET@b/x", "https:/u:SECRET@h/x",
           "s3:/k:SECRET@b/x", " https://u:SECRET@h/x", "\thttps://u:SECRET@h/x", "file:///x?SECRET", "hdfs://u:SECRET@h/x#y",
           "FTP://u:SECRET@h/x", "wasbs://c@a/x?SECRET", "http://:SECRET@/x", "https://u:SEC/RET@h"]


@pytest.mark.parametrize("name", STRANGE)
@pytest.mark.parametrize("arguments", [
    ["-o", "o", "NAME"], ["check", "NAME"], ["-o", "NAME", "a.gz"], ["-o", "o", "--report", "NAME", "a.gz"],
    ["-o", "o", "--expect-queries", "NAME", "a.gz"], ["-o", "o", "--files-from", "NAME"], ["finalize", "NAME"]], ids=str)
def test_secrets_of_mistyped_locations(here, name, arguments):
    done = run(*(name if word == "NAME" else word for word in arguments), cwd=here)
    assert done.code in (IO, USAGE, NOT_FOUND) and done.err
    assert b"SECRET" not in done.out + done.err.encode() and "SEC" not in done.err, done.err
    assert only_files(here) == ["a.gz", "b.gz"]


@pytest.mark.parametrize("name", STRANGE)
def test_secrets_of_a_mistyped_prefix(here, name):
    job = {"schema": "blastmerge-finalize-job", "schema_version": 1, "storage_prefix": name, "parent": {"job_id": "p"},
           "expected_child_count": 1, "children": [{"job_id": "c", "group_id": None, "status": "completed"}]}
    done = run("finalize", "-", input=json.dumps(job).encode(), cwd=here)
    assert done.code not in (OK, 12) and "SEC" not in done.err and b"SEC" not in done.out, done


def test_paths_of_such_names(here):
    (here / "ftp:" / "h").mkdir(parents=True)
    (here / "ftp:" / "h" / "x").write_bytes(child("a"))
    assert run("-o", "./ftp://h/o", "./ftp://h/x", cwd=here).code == OK
    assert run("check", "ftp:/h/x", cwd=here).code == USAGE
    (here / "run:1").mkdir()
    (here / "run:1" / "x").write_bytes(child("a"))
    assert run("check", "run:1/x", cwd=here).code == OK


# --- standard streams --------------------------------------------------------------------------------

NAMES = ["-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"]


@pytest.mark.parametrize("one", NAMES)
@pytest.mark.parametrize("other", NAMES)
@pytest.mark.parametrize("kind", ["file", "pipe"])
def test_standard_input_is_read_once(here, one, other, kind):
    for arguments in (["check", one, other], ["check", "--expect-queries", one, other], ["check", "a.gz", one, "b.gz", other],
                      ["check", "--files-from", one, other]):
        if kind == "file":
            with open(here / "a.gz", "rb") as file:
                done = run(*arguments, cwd=here, stdin=file)
        else:
            done = run(*arguments, cwd=here, input=(here / "a.gz").read_bytes())
        assert done.code == USAGE, (arguments, done)
        assert "standard input is given" in done.err or "NUL byte" in done.err, done.err


def closed(here, closing, *arguments):
    done = subprocess.run(["bash", "-c", f"exec '{PROGRAM}' \"$@\" {closing}", "-", *arguments], cwd=here,
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)
    return done.returncode, done.stderr.decode()


@pytest.mark.parametrize("closing", ["<&-", "<&- >&-"])
def test_closed_standard_input(here, closing):
    for name in NAMES:
        for arguments in (["-o", "o", name], ["-o", "o", "--files-from", name], ["-o", "o", "a.gz", "--expect-queries", name],
                          ["finalize", name], ["check", name], [name]):
            code, err = closed(here, closing, *arguments)
            assert code == IO and "is closed" in err, (arguments, err)
            assert "same place" not in err and "directory" not in err, err
    assert only_files(here) == ["a.gz", "b.gz"]


def test_closed_outputs(here):
    for closing, name in (">&-", "/dev/stdout"), (">&-", "/dev/fd/1"), (">&-", "-"), ("<&-", "/dev/stdin"), ("<&-", "/dev/fd/0"):
        code, err = closed(here, closing, "-o", name, "a.gz")
        assert code == IO and "is closed" in err, (closing, name, err)
    assert closed(here, "2>&-", "-o", "o", "--report", "/dev/stderr", "a.gz")[0] == IO
    assert only_files(here) == ["a.gz", "b.gz"]


# --- what the program itself writes ------------------------------------------------------------------


@pytest.mark.parametrize("arguments, name", [
    (["check", "a.gz"], "a.gz"), (["check", "a.gz", "b.gz"], "b.gz"), (["check", "--files-from", "list"], "list"),
    (["check", "--files-from", "list"], "a.gz"), (["check", "a.gz", "--expect-queries", "q"], "q"), (["check", "./a.gz"], "link"),
    (["check", "-f", "a.gz", "--report", "r"], "r")], ids=str)
def test_the_table_goes_into_nothing_that_is_read(here, arguments, name):
    (here / "list").write_text("a.gz\nb.gz\n")
    (here / "q").write_text(">a\nACGT\n")
    (here / "r").write_text("old\n")
    (here / "link").symlink_to("a.gz")
    before = (here / name).read_bytes()
    with open(here / name, "ab") as file:
        done = subprocess.run([PROGRAM, *arguments], cwd=here, stdout=file, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
                              check=False)
    assert done.returncode == USAGE and b"the table (standard output) is the same place as" in done.stderr, done.stderr
    assert (here / name).read_bytes() == before


def test_a_report_by_any_name_of_standard_output_takes_the_tables_place(here):
    for name in ("-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"):
        done = run("check", "--report", name, "a.gz", cwd=here)
        assert done.code == OK and json.loads(done.out)["command"] == "check"


def test_the_outcome_goes_into_nothing_that_is_read(here):
    job = {"schema": "blastmerge-finalize-job", "schema_version": 1, "storage_prefix": str(here), "parent": {"job_id": "p"},
           "expected_child_count": 1, "children": [{"job_id": "c", "group_id": None, "status": "completed"}]}
    (here / "c").mkdir()
    (here / "c" / "results.out.gz").write_bytes(child("a"))
    (here / "job.json").write_text(json.dumps(job))
    for name in ("merged_results.out.gz", "merge-report.json"):
        (here / "c" / name).write_bytes(child("a") if name.endswith("gz") else b'{"outfmt": 5, "queries": 1}')
    for name in ("job.json", "c/merged_results.out.gz"):
        before = (here / name).read_bytes()
        with open(here / name, "ab") as file:
            done = subprocess.run([PROGRAM, "finalize", "job.json"], cwd=here, stdout=file, stderr=subprocess.PIPE, check=False)
        assert done.returncode == USAGE and b"the outcome (standard output) is the same place as" in done.stderr, done.stderr
        assert not os.path.exists(here / "p" / "merged_results.out.gz")
        assert (here / name).read_bytes() == before
