# SPDX-License-Identifier: MIT
"""Jobs, reports and folders as somebody would make them who means no good, or was careless."""
import gzip
import json
import os
import threading
import socket

import archives
import program
import pytest
import small
from parents import MANIFEST, NAMES, NOT_READY, REPORT, RESULT, Parent, report_of, tabular, three
from program import MISMATCH, USAGE

INVALID, UNAVAILABLE = "split_results_merge_invalid", "split_results_merge_unavailable"
SALVAGED = 11
ROW = "q1\ts1" + "\t1" * 10 + "\n"


def finalize(parent, *options):
    """Nothing here may hang."""
    return parent.finalize(*options, timeout=60)


def two_kinds(folder):
    """A parent of XML, and one of tables."""
    for name in ("xml", "table"):
        (folder / name).mkdir()
    return three(folder / "xml"), tabular(folder / "table", ROW, ROW, ROW)


# --- one thing under two names -------------------------------------------------------------------------

def refused(parent, error):
    done = finalize(parent)
    assert (done.code, done.outcome["phase"], done.outcome["error"]) == (MISMATCH, INVALID, error), done
    assert not parent.path(MANIFEST).exists()
    return done


@pytest.mark.parametrize("ids, pair", [([0, 1, 1], (1, 2)), ([0, 0, 0], (0, 1)), ([1, 0, 2, 1], (0, 3)), ([2, 1, 0, 2, 1], (1, 4))])
def test_doubled_ids(tmp_path, ids, pair):
    for parent in two_kinds(tmp_path):
        parent.children = [parent.children[number] for number in ids]
        error = f"children[{pair[0]}] and children[{pair[1]}] have the same job_id: child-{ids[pair[0]]}"
        refused(parent, error)
        parent.children[pair[1]] = {**parent.children[pair[1]], "status": "running", "group_id": "another"}
        refused(parent, error)


def test_many_ids(tmp_path):
    """Two of 200,000: they are sorted, not compared each with each."""
    children = [{"job_id": f"c{number * 7919 % 200_000}", "status": "queued"} for number in range(200_000)]
    parent = Parent(tmp_path, children=children, more={"child_limit": 10**6})
    assert finalize(parent).code == NOT_READY
    children[199_999] = children[3]
    refused(parent, f"children[3] and children[199999] have the same job_id: {children[3]['job_id']}")


@pytest.mark.parametrize("name, prefix", [("child-1", "dated/"), ("child-1", "2026/child-1/")])
def test_a_child_that_is_the_parent(tmp_path, name, prefix):
    for parent in two_kinds(tmp_path):
        parent.job_id, parent.prefix = name, prefix
        refused(parent, "children[1] and the parent have the same job_id: child-1")


@pytest.mark.parametrize("name", [RESULT, REPORT])
@pytest.mark.parametrize("link", [os.symlink, os.link])
def test_files_that_are_one(tmp_path, name, link):
    for parent in two_kinds(tmp_path):
        target = parent.folder / "child-2" / name
        target.unlink()
        link(parent.folder / "child-0" / name, target)
        refused(parent, f"child-0/{name} and child-2/{name} are one file: each child and the parent must have their own")


@pytest.mark.parametrize("name", [REPORT, MANIFEST])
def test_the_job_is_no_place_to_write(tmp_path, name):
    """A link leads from the parent's report or manifest to the job's description."""
    for parent in two_kinds(tmp_path):
        job = parent.folder / "job.json"
        text = json.dumps(parent.job)
        job.write_text(text)
        parent.path(name).parent.mkdir(exist_ok=True)
        os.symlink(job, parent.path(name))
        done = program.run("finalize", job, timeout=60)
        assert done.code == USAGE and "is the same place as the job" in done.err, done
        assert job.read_text() == text


@pytest.mark.parametrize("name, other", [(REPORT, RESULT), (MANIFEST, REPORT), (MANIFEST, RESULT)])
def test_links_to_what_is_to_come(tmp_path, name, other):
    """A link leads from one of the parent's files to another that is not there yet."""
    for parent in two_kinds(tmp_path):
        parent.path(name).parent.mkdir(exist_ok=True)
        os.symlink(other, parent.path(name))
        done = finalize(parent)
        assert done.code == USAGE and "is the same place as" in done.err, done
        assert parent.files() == [name]


def test_folders_that_are_one(tmp_path):
    for parent in two_kinds(tmp_path):
        os.symlink("child-1", parent.folder / "other")
        parent.children.append({"job_id": "other", "status": "completed"})
        refused(parent, f"child-1/{RESULT} and other/{RESULT} are one file: each child and the parent must have their own")


def test_a_folder_that_is_the_parents(tmp_path):
    for parent in two_kinds(tmp_path):
        os.symlink("child-1", parent.folder / "parent-1")
        before = [(parent.folder / "child-1" / name).read_bytes() for name in (RESULT, REPORT)]
        refused(parent, f"child-1/{RESULT} and parent-1/{RESULT} are one file: each child and the parent must have their own")
        assert before == [(parent.folder / "child-1" / name).read_bytes() for name in (RESULT, REPORT)]


def test_a_result_that_is_a_report(tmp_path):
    parent = three(tmp_path)
    (tmp_path / "child-0" / REPORT).unlink()
    os.link(tmp_path / "child-1" / RESULT, tmp_path / "child-0" / REPORT)
    refused(parent, f"child-0/{REPORT} and child-1/{RESULT} are one file: each child and the parent must have their own")


def test_links_to_files_of_their_own(tmp_path):
    for parent in two_kinds(tmp_path):
        (parent.folder / "child-1" / RESULT).rename(parent.folder / "elsewhere")
        os.symlink(parent.folder / "elsewhere", parent.folder / "child-1" / RESULT)
        assert finalize(parent).code == 0


# --- what is no file -----------------------------------------------------------------------------------

def make_socket(path):
    with socket.socket(socket.AF_UNIX) as made:
        folder = os.open(path.parent, os.O_RDONLY)  # a socket's path must be short
        made.bind(f"/proc/self/fd/{folder}/{path.name}")
        os.close(folder)


KINDS = [("a FIFO", os.mkfifo), ("a device", lambda path: os.symlink("/dev/zero", path)), ("a socket", make_socket),
         ("a directory", os.mkdir)]


@pytest.mark.parametrize("kind, make", KINDS)
@pytest.mark.parametrize("name", [RESULT, REPORT])
def test_no_regular_file(tmp_path, kind, make, name):
    for parent in two_kinds(tmp_path):
        path = parent.folder / "child-1" / name
        path.unlink()
        make(path)
        done = finalize(parent)
        error = f"split child child-1: {path}: is {kind}, where a regular file was expected"
        assert (done.code, done.outcome["phase"], done.outcome["error"]) == (program.IO, UNAVAILABLE, error), done
        assert parent.files() == []


def test_a_fifo_through_a_link(tmp_path):
    for parent in two_kinds(tmp_path):
        path = parent.folder / "child-2" / RESULT
        path.unlink()
        os.mkfifo(parent.folder / "fifo")
        path.symlink_to(parent.folder / "fifo")
        done = finalize(parent)
        assert done.code == program.IO and f"child-2: {path}: is a FIFO" in done.err


@pytest.mark.parametrize("kind, make", [KINDS[0], KINDS[2]])
@pytest.mark.parametrize("name", NAMES)
def test_a_fifo_in_the_parents_place(tmp_path, kind, make, name):
    for parent in two_kinds(tmp_path):
        parent.path(name).parent.mkdir()
        make(parent.path(name))
        done = finalize(parent)
        assert done.code == program.IO and f"{parent.path(name)}: is {kind}" in done.err, done
        assert parent.files() == [name]


def test_a_job_that_is_no_file(tmp_path):
    job = tmp_path / "job.json"
    for kind, make in KINDS[1:]:
        make(job)
        done = program.run("finalize", job, timeout=60)
        assert done.out == b"", done
        if kind == "a directory":
            assert done.code == program.IO and "Is a directory" in done.err
        elif kind == "a socket":  # cannot be opened at all
            assert done.code != 0 and str(job) in done.err
        else:
            assert done.code == USAGE and "longer than 16 MiB" in done.err
        job.rmdir() if kind == "a directory" else job.unlink()


def test_a_job_from_a_pipe(tmp_path):
    """As a shell's <(command) gives it."""
    job = tmp_path / "job.json"
    os.mkfifo(job)
    writer = threading.Thread(target=job.write_bytes, args=(b"{}",))
    writer.start()
    done = program.run("finalize", job, timeout=60)
    writer.join()
    assert done.code == USAGE and "schema" in done.err, done


# --- text that means no good ---------------------------------------------------------------------------

def job_of(folder, **more):
    return {"schema": "blastmerge-finalize-job", "schema_version": 1, "storage_prefix": str(folder), "parent": {"job_id": "p"},
            "expected_child_count": 1, "children": [{"job_id": "c", "status": "queued"}], **more}


def nested(levels):
    return b"[" * levels + b"]" * levels


@pytest.mark.parametrize("text", [
    nested(100_000), b'{"a":' * 100_000 + b"1" + b"}" * 100_000, b'{"schema": ' + nested(2000) + b"}", b"\xef\xbb\xbf{}",
    b'{"schema": "\xff"}', b'{"schema": "\\ud800"}', b'{"schema": "a\\u0000b"}', b'{"children": [1e999]}', b"{\"a\": NaN}",
    b'{"expected_child_count": 99999999999999999999}', b'{"parent": {"job_id": "a", "job_id": "b"}}', b"{" * 1000, b'"' * 100_000,
    b'{"schema": "' + b"x" * 8_000_000 + b'"}', b'{"' + b"x" * 8_000_000 + b'": 1}', b"[" + b"0," * 4_000_000 + b"0]",
], ids=range(16))
def test_texts(tmp_path, text):
    done = program.run("finalize", "-", input=text, cwd=tmp_path, timeout=60)
    assert (done.code, done.out, done.err.count("\n")) == (USAGE, b"", 1) and len(done.err) < 1200, done
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("value", [None, True, 0, -1, 1.5, 1e300, "", "x" * 100_000, "\x1b[31m", "../x", "/etc", [], [[]], {}, {"a": {}}],
                         ids=range(15))
@pytest.mark.parametrize("place", ["schema", "schema_version", "storage_prefix", "parent", "parent.job_id", "parent.status",
                                   "parent.prefix", "expected_child_count", "child_limit", "children", "children.0",
                                   "children.0.job_id", "children.0.status", "children.0.group_id"])
def test_wrong_values_everywhere(tmp_path, place, value):
    job = job_of(tmp_path / "storage")
    (tmp_path / "storage").mkdir()
    *names, last = [int(name) if name.isdigit() else name for name in place.split(".")]
    at = job
    for name in names:
        at = at[name]
    at[last] = value
    done = program.run("finalize", "-", input=json.dumps(job).encode(), cwd=tmp_path, timeout=60)
    assert done.code in (USAGE, MISMATCH, NOT_READY, program.NOT_FOUND), done
    assert "\x1b" not in done.err and done.err.count("\n") == 1
    assert os.listdir(tmp_path) == ["storage"] and os.listdir(tmp_path / "storage") == []


@pytest.mark.parametrize("name", ["..", ".", "a/b", "/", "a/../b", "a\0b", "a\nb", "a\x7fb", "\x1b", "x" * 256, "ä" * 128, "", "a" * 10**6],
                         ids=range(13))
def test_names_that_lead_elsewhere(tmp_path, name):
    (tmp_path / "storage").mkdir()
    for job in (job_of(tmp_path / "storage", parent={"job_id": name}),
                job_of(tmp_path / "storage", parent={"job_id": "p", "prefix": f"{name}/"} if name else {"job_id": "p", "prefix": "/"}),
                job_of(tmp_path / "storage", children=[{"job_id": name or "..", "status": "completed"}])):
        done = program.run("finalize", "-", input=json.dumps(job).encode(), timeout=60)
        if job["parent"].get("prefix") == "a/b/" or job["parent"].get("prefix") == "a/../b/" and done.code != USAGE:
            assert name == "a/b"  # folders below one another
            continue
        assert (done.code, done.out) == (USAGE, b""), (job, done)
    assert os.listdir(tmp_path / "storage") == []


def test_long_ids(tmp_path):
    """Of 255 bytes each, as long as a folder's name can be."""
    for kind in (three, lambda folder: tabular(folder, ROW, ROW, ROW)):
        folder = tmp_path / f"of-{len(os.listdir(tmp_path))}"
        folder.mkdir()
        parent = kind(folder)
        parent.job_id = "p" * 255
        for number, child in enumerate(parent.children):
            name = f"{number}" + "ä" * 127
            (folder / child["job_id"]).rename(folder / name)
            child["job_id"] = name
        assert finalize(parent).code == 0
        parent.check_complete(is_xml=kind is three)
        parent.children.append(parent.children[0])
        for name in NAMES:
            parent.path(name).unlink()
        assert f"job_id: {parent.children[0]['job_id']}" in finalize(parent).outcome["error"]


@pytest.mark.parametrize("text", [
    nested(100_000), b'{"outfmt": 5, "a": ' + nested(2100) + b"}", b'{"outfmt": 5, "queries": 99999999999999999999}',
    b'{"outfmt": 5, "queries": 1e999}', b'{"outfmt": 5, "queries": NaN}', b'{"outfmt": 5, "warnings": ["\xff"]}',
    b'{"outfmt": 5, "warnings": ["a\\u0000b"]}', b'{"outfmt": 5} ' + b"x", b"\xef\xbb\xbf{}", bytes(100),
], ids=range(10))
def test_reports(tmp_path, text):
    parent = three(tmp_path)
    (tmp_path / "child-1" / REPORT).write_bytes(text)
    done = finalize(parent)
    assert (done.code, done.outcome["error"]) == (program.DATA, "invalid child merge report JSON: child-1"), done
    assert parent.files() == []


@pytest.mark.parametrize("value", [None, True, 0, -1, 1.5, "", "x", "\x1b[31m", [], [[]], {}, {"a": []}, [None, 1, "w", {}]])
def test_reports_of_wrong_types(tmp_path, value):
    """Whatever they hold, what comes of them is said in good order."""
    names = ["outfmt", "format", "precision_level", "queries", "max_target_seqs", "warnings", "tie_cutoff_queries", "schema", "totals",
             "children"]
    for number, name in enumerate(names):
        folder = tmp_path / str(number)
        folder.mkdir()
        parent = Parent(folder).add("a", small.child("q"), {**report_of(1), name: value})
        done = finalize(parent)
        if name in ("outfmt",):
            assert done.code == 0 or "its report states a table" in done.err, done
        elif (name, value) == ("queries", -1):
            assert done.code == program.DATA and "below 0, and no count" in done.err, done
        else:
            assert done.code == 0, done
            parent.check_complete()


def test_a_report_of_our_own_with_wrong_types(tmp_path):
    for number, value in enumerate([None, True, -1, "x", [], {"iterations": "x"}, {"iterations": -1, "hits": 2.5}, {"hits": 1e300}]):
        folder = tmp_path / str(number)
        folder.mkdir()
        own = {"schema": "blastmerge-report", "schema_version": 1, "format": "xml", "totals": value, "children": value, "warnings": value}
        done = finalize(Parent(folder).add("a", small.child("q"), own))
        assert done.code == (program.DATA if value in ({"hits": 1e300}, {"iterations": -1, "hits": 2.5}) else 0), done


# --- blastmerge's own reports --------------------------------------------------------------------------

def own_child(folder, parent, job_id, *children, options=()):
    """A child that blastmerge itself has merged of others."""
    (folder / job_id).mkdir()
    paths = []
    for number, child in enumerate(children):
        paths.append(folder / f"{job_id}-part_{number}")
        paths[-1].write_bytes(child)
    place = folder / job_id
    done = program.run("-q", *options, "-o", place / RESULT, "--report", place / REPORT, *paths)
    assert done.code == 0, done
    parent.children.append({"job_id": job_id, "group_id": None, "status": "completed"})


COMMENTED = ("# BLASTP 2.12.0+\n# Query: a\n# Database: nr\n# Fields: query acc.ver, subject acc.ver\n# 1 hits found\nq1\ts1\n"
             "# BLAST processed 1 queries\n")
JSON = '{\n"BlastOutput2": [\n{\n  "report": {\n    "program": "blastp",\n    "version": "BLASTP 2.12.0+",\n    "results": {}\n  }\n}\n]\n}\n'
XML2 = ('<?xml version="1.0"?>\n<BlastXML2\nxmlns="http://www.ncbi.nlm.nih.gov"\n>\n<BlastOutput2>\n  <report>\n    <Report>\n'
        '      <program>blastp</program>\n      <version>BLASTP 2.12.0+</version>\n    </Report>\n  </report>\n</BlastOutput2>\n</BlastXML2>\n')


@pytest.mark.parametrize("name, text, outfmt, assembly, counts", [
    ("blast_xml", small.text("a").decode(), 5, "xml_iteration_concatenation", True),
    ("blast_xml2", XML2, 16, "xml2_report_concatenation", True),
    ("blast_json", JSON, 15, "json_report_concatenation", True),
    ("blast_archive", archives.make(["a"]).decode(), 11, "archive_concatenation", True),
    ("blast_commented", COMMENTED, 6, "gzip_member_concatenation", True),
    ("blast_tabular", ROW, 6, "gzip_member_concatenation", False),
    ("blast_csv", ROW.replace("\t", ","), 6, "gzip_member_concatenation", False),
])
def test_own_reports(tmp_path, name, text, outfmt, assembly, counts):
    parent = Parent(tmp_path)
    child = gzip.compress(text.encode())
    own_child(tmp_path, parent, "one", child)
    others = [gzip.compress(text.replace(">a<", f">{other}<").replace("Query: a", f"Query: {other}").replace("q1", other).replace('"a"', f'"{other}"').encode())
              for other in ("b", "c")]
    own_child(tmp_path, parent, "two", *others)
    done = finalize(parent, "--strict")
    assert (done.code, done.err, done.outcome["warnings"]) == (0, "", []), done
    report = done.outcome["report"]
    assert (report["format"], report["outfmt"]) == (name, outfmt)
    assert report["supported_outfmt"] == ("6 std" if outfmt == 6 else str(outfmt))
    assert report["queries"] == (3 if counts else 0) and [row["queries"] for row in report["children"]] == ([1, 2] if counts else [0, 0])
    own = [json.loads((tmp_path / job_id / REPORT).read_bytes()) for job_id in ("one", "two")]
    for ours, theirs in (("total_output_hits", "hits"), ("total_input_hsps", "hsps")):
        assert report[ours] == sum(each["totals"][theirs] for each in own)
    assert json.loads(parent.path(MANIFEST).read_bytes())["assembly"] == assembly
    results = [tmp_path / job_id / RESULT for job_id in ("one", "two")]
    result = gzip.decompress(parent.path(RESULT).read_bytes())
    if outfmt == 6 and name != "blast_commented":
        assert parent.path(RESULT).read_bytes() == b"".join(path.read_bytes() for path in results)
    else:
        merged = program.run("-o", tmp_path / "merged", *results)
        assert merged.code == 0 and result == gzip.decompress((tmp_path / "merged").read_bytes())
    if counts:  # what a report says is compared with what there is
        parent.path(MANIFEST).unlink()
        own[0]["totals"]["iterations"] = 5
        (tmp_path / "one" / REPORT).write_text(json.dumps(own[0]))
        assert "its merge report counts 5 queries" in finalize(parent, "--strict").outcome["error"]


def test_own_reports_beside_others(tmp_path):
    parent = Parent(tmp_path).add("other", small.child("b", "c"), report_of(2))
    own_child(tmp_path, parent, "own", small.child("a"))
    done = finalize(parent, "--strict")
    assert done.code == 0 and done.outcome["report"]["queries"] == 3 and done.outcome["report"]["format"] == "blast_xml"


def test_own_warnings_are_kept(tmp_path):
    parent = Parent(tmp_path)
    own_child(tmp_path, parent, "own", small.child("a") , small.child("b"))
    own = json.loads((tmp_path / "own" / REPORT).read_bytes())
    own["warnings"], own["children"][1]["warnings"] = ["of all"], ["of one", 5]
    (tmp_path / "own" / REPORT).write_text(json.dumps(own))
    report = finalize(parent).outcome["report"]
    assert report["warnings"] == ["of all", "of one"]


def child_with_own_report(folder, *options, **changes):
    """A child whose result something else has written, and a report of ours about it, changed."""
    parent = Parent(folder).add("own", small.child("a", "b"))
    done = program.run("check", "-q", *options, "--report", folder / "own" / REPORT, folder / "own" / RESULT)
    assert done.code == 0, done
    own = json.loads((folder / "own" / REPORT).read_bytes())
    (folder / "own" / REPORT).write_text(json.dumps({**own, **changes}))
    return parent


def test_a_report_of_a_check_of_the_result(tmp_path):
    """It counts what is in the result, as a merge's does."""
    done = finalize(child_with_own_report(tmp_path), "--strict")
    assert (done.code, done.outcome["report"]["queries"], done.outcome["warnings"]) == (0, 2, [])


def test_a_report_of_a_check_that_found_a_fault(tmp_path):
    """Its counts are not those of the result: it is refused, with what the check said."""
    parent = Parent(tmp_path).add("own", small.child("a"))
    (tmp_path / "cut").write_bytes(small.child("b")[:-9])
    done = program.run("check", "-q", "--report", tmp_path / "own" / REPORT, tmp_path / "own" / RESULT, tmp_path / "cut")
    assert done.code == program.DATA
    own = json.loads((tmp_path / "own" / REPORT).read_bytes())
    done = finalize(parent)
    assert (done.code, done.outcome["error"]) == (
        program.DATA, "split child own: its merge report is not of what ended well: status: damaged")
    assert done.outcome["detail"] == own["error"] and "cut short" in own["error"] and parent.files() == []


@pytest.mark.parametrize("status, word", [("mismatch", "mismatch"), ("", ""), ("OK", "OK"), (5, "no string"), (None, "no string"), ([], "no string")])
def test_an_own_report_that_ended_otherwise(tmp_path, status, word):
    parent = child_with_own_report(tmp_path, status=status)
    done = finalize(parent)
    error = f"split child own: its merge report is not of what ended well: status: {word}"
    assert (done.code, done.outcome["error"]) == (program.DATA, error) and parent.files() == []


@pytest.mark.parametrize("version", [2, 0, "1", None, 1.0])
def test_an_own_report_of_another_version(tmp_path, version):
    parent = child_with_own_report(tmp_path, schema_version=version)
    done = finalize(parent)
    assert done.code == program.DATA and "has not schema_version 1" in done.outcome["error"] and parent.files() == []


def test_children_that_were_salvaged(tmp_path):
    """What was lost of a child is lost of the parent: that is said, and with --strict an error."""
    parent = Parent(tmp_path)
    for job_id in ("one", "two", "three"):
        (tmp_path / job_id).mkdir()
        (tmp_path / "cut").write_bytes(gzip.compress(small.text("a", "b")[:-60]))
        done = program.run("-q", "--salvage", "-o", tmp_path / job_id / RESULT, "--report", tmp_path / job_id / REPORT, tmp_path / "cut")
        assert done.code == SALVAGED, done
        parent.children.append({"job_id": job_id, "group_id": None, "status": "completed"})
    text = "split child one: its merge report says that something was lost of its parts (status: salvaged)"
    done = finalize(parent, "--strict")
    assert (done.code, done.outcome["error"]) == (MISMATCH, text) and parent.files() == []
    done = finalize(parent)
    assert done.code == 0 and done.outcome["warnings"][0] == text + "; likewise for 2 more children"
    del parent.children[1:]
    parent.path(MANIFEST).unlink()
    done = finalize(parent)
    assert done.code == 0 and done.outcome["warnings"] == [text]
    assert any("lost" in warning for warning in done.outcome["report"]["warnings"])


@pytest.mark.parametrize("kind", ["xml", "commented"])
def test_an_own_report_about_psiblast(tmp_path, kind):
    """Its Iterations are not its queries."""
    table = COMMENTED.replace("# BLASTP", "# PSIBLAST").replace("# Query", "# Iteration: 1\n# Query")
    child = small.child("a", "a", program="psiblast") if kind == "xml" else gzip.compress(table.encode())
    parent = Parent(tmp_path)
    own_child(tmp_path, parent, "own", child)
    own = json.loads((tmp_path / "own" / REPORT).read_bytes())
    assert own["totals"]["iterations"] == (2 if kind == "xml" else 1)
    done = finalize(parent, "--strict")
    assert done.code == 0 and done.outcome["report"]["queries"] == 0


@pytest.mark.parametrize("format_, text", [("xml", ROW), ("json", small.text("a").decode()), ("commented", ROW.replace("\t", ","))])
def test_a_report_about_another_format(tmp_path, format_, text):
    parent = Parent(tmp_path).add("a", gzip.compress(text.encode()), {"format": format_})
    done = finalize(parent)
    assert done.code == 0 and "the children's merge reports say that each result is" in done.outcome["warnings"][0]


def test_formats_that_differ(tmp_path):
    parent = Parent(tmp_path).add("a", small.child("q"), {"format": "xml"}).add("b", small.child("q"), {"format": "json"})
    done = finalize(parent)
    assert (done.code, done.outcome["error"]) == (MISMATCH, "split child merge reports used different output formats")


def test_from_a_job_file(tmp_path):
    parent = three(tmp_path)
    (tmp_path / "job.json").write_text(json.dumps(parent.job))
    done = program.run("finalize", tmp_path / "job.json", timeout=60)
    assert done.code == 0
    parent.check_complete()
