# SPDX-License-Identifier: MIT
"""Characters that XML forbids, as old BLAST and other programs write them between titles: --forbidden-characters."""
import json
from xml.parsers import expat

import forms
import program
import pytest
import small

CONTROL = small.text("one", "two\1three", "four")
TWICE = CONTROL.replace(b"four", b"four &#1;\x02")
OTHER = small.text("five")
REPLACED = "\N{REPLACEMENT CHARACTER}".encode()


def write(folder, *texts):
    return program.write_children(folder, [forms.member(text) for text in texts])


def is_well_formed(text):
    try:
        expat.ParserCreate().Parse(text, True)
    except expat.ExpatError:
        return False
    return True


@pytest.mark.parametrize("command", [["-o", "merged"], ["check"]])
def test_the_message_names_the_remedy(tmp_path, command):
    command = [tmp_path / word if word == "merged" else word for word in command]
    done = program.run(*command, *write(tmp_path, OTHER, CONTROL))
    assert done.code == program.DATA
    assert "U+000001 is not legal in XML; --forbidden-characters replace writes U+FFFD in its place" in done.err
    done = program.run(*command, *write(tmp_path, OTHER, CONTROL.replace(b"\1", b"&#1;")))
    assert done.code == program.DATA
    assert "is not a legal character; --forbidden-characters replace writes U+FFFD in its place" in done.err


@pytest.mark.parametrize("options", [[], ["-9"], ["--plain"], ["--threads", "3"]])
def test_replaced(tmp_path, options):
    paths = write(tmp_path, OTHER, TWICE, CONTROL)
    done = program.run("--forbidden-characters", "replace", "--report", tmp_path / "report", *options, *paths)
    text = done.out if options == ["--plain"] else done.text
    assert is_well_formed(text)
    plain = program.run(*write(tmp_path, OTHER, TWICE.replace(b"&#1;", REPLACED).replace(b"\1", REPLACED).replace(b"\2", REPLACED),
                               CONTROL.replace(b"\1", REPLACED)))
    assert text == plain.text
    assert done.warnings == [f"4 characters that XML forbids were replaced by U+FFFD, the first in {paths[1]} at byte "
                             f"{TWICE.index(1)} of its text"]
    report = json.loads((tmp_path / "report").read_text())
    assert report["options"]["forbidden_characters"] == "replace"
    assert [row["forbidden_characters"] for row in report["children"]] == [0, 3, 1]
    assert report["totals"]["forbidden_characters"] == 4


def test_kept(tmp_path):
    paths = write(tmp_path, OTHER, TWICE)
    done = program.run("--forbidden-characters", "keep", *paths)
    assert b"two\1three" in done.text and b"four &#1;\x02" in done.text and not is_well_formed(done.text)
    assert done.warnings == [f"3 characters that XML forbids were copied, the first in {paths[1]} at byte {TWICE.index(1)} of its text: "
                             "programs that read XML refuse the result"]
    assert done.text == program.run(*write(tmp_path, OTHER, TWICE.replace(b"\1", b"#").replace(b"&#1;", b"####").replace(b"\2", b"#"))).text \
        .replace(b"two#three", b"two\1three").replace(b"four #####", b"four &#1;\2")


def test_unsplit(tmp_path):
    """An unsplit run has written them, too."""
    paths = write(tmp_path, CONTROL, OTHER)
    done = program.run("--as-unsplit", "--sort", "none", *paths)
    assert b"two\1three" in done.text and len(done.warnings) == 1
    for policy in ("error", "replace"):
        done = program.run("--as-unsplit", "--forbidden-characters", policy, *paths)
        assert done.code == program.USAGE and f"--forbidden-characters {policy} contradict" in done.err
    assert program.run("--as-unsplit", "--forbidden-characters", "keep", *paths).code == program.OK


def test_check_and_salvage(tmp_path):
    paths = write(tmp_path, CONTROL, OTHER)
    done = program.run("check", "--forbidden-characters", "replace", *paths)
    assert done.code == program.OK
    assert done.warnings == [f"1 character that XML forbids is there, the first in {paths[0]} at byte {CONTROL.index(1)} of its text"]
    replaced = program.run("--forbidden-characters", "replace", *paths)
    salvaged = program.run("--forbidden-characters", "replace", "--salvage", *paths)
    assert (salvaged.code, salvaged.out) == (program.OK, replaced.out)
    done = program.run("--salvage", *paths)
    assert done.code == 11 and "--forbidden-characters replace" in done.err
    damaged = program.write_children(tmp_path, [CONTROL[:-200], OTHER])
    done = program.run("--salvage", "--plain", "--forbidden-characters", "replace", *damaged)
    assert done.code == 11 and b"two" + REPLACED + b"three" in done.out and done.out.count(b"<Iteration>") == 3


def test_queries(tmp_path):
    (tmp_path / "queries").write_bytes(b">one\nMK\n>two\1three\nMK\n>four\nMK\n")
    paths = write(tmp_path, CONTROL)
    assert program.run("check", "--expect-queries", tmp_path / "queries", "--forbidden-characters", "replace", *paths).code == program.OK


def test_what_is_never_let_through(tmp_path):
    for damage, message in ((b"\0", "part of the file was never written"), (b"&#" + b"0" * 70 + b"1;", "longer than 64 bytes")):
        for policy in ("replace", "keep"):
            done = program.run("--forbidden-characters", policy, *write(tmp_path, CONTROL.replace(b"\1", damage)))
            assert done.code == program.DATA and message in done.err
    done = program.run("--forbidden-characters", "replace", *write(tmp_path, CONTROL.replace(b"<Hit>", b"<Hit\1>")))
    assert done.code == program.DATA


@pytest.mark.parametrize("what", [b"\1", b"&#1;", b"&#" + b"0" * 50 + b"1;", b"\xef\xbf\xbf"])
def test_batch_seams(tmp_path, what):
    """At the end of a batch, 128 KiB of text, and at that of a gzip member."""
    base = small.text("seam", *(f"query {n:05}" for n in range(1500)))
    for at in (131072, 131072 * 2):
        for shift in sorted({0, 1, 2, 3, len(what) // 2, len(what) - 1, len(what), len(what) + 1}):
            text = base.replace(b"seam", b"s" * 9, 1)
            hole = text.rindex(b"MKV", 0, at - 200)
            text = text[:hole] + b"M" * (at - hole - shift) + what + text[hole:]
            assert text[at - shift:].startswith(what)
            expected = program.run("--plain", *program.write_children(tmp_path, [text.replace(what, REPLACED)])).out
            for child in (text, forms.member(text), forms.several(text, (at, 70)), forms.member(text, level=0)):
                done = program.run("--plain", "--forbidden-characters", "replace", *program.write_children(tmp_path, [child]))
                assert (done.code, done.out) == (program.OK, expected)


@pytest.mark.parametrize("outfmt", ["xml2"])
def test_other_formats(tmp_path, outfmt):
    text = b'<?xml version="1.0"?>\n<BlastXML2>\n<BlastOutput2>\n<a>x\1y</a><results></results></BlastOutput2>\n</BlastXML2>\n'
    done = program.run("--plain", "--format", outfmt, *write(tmp_path, text))
    assert done.code == program.DATA and "--forbidden-characters replace" in done.err
    done = program.run("--plain", "--forbidden-characters", "replace", *write(tmp_path, text))
    assert done.out == text.replace(b"\1", REPLACED)


def test_finalize(tmp_path):
    for child in ("c1", "c2"):
        folder = tmp_path / child
        folder.mkdir()
        (folder / "merged_results.out.gz").write_bytes(forms.member(CONTROL))
        (folder / "merge-report.json").write_text('{"outfmt": 5, "format": "blast_xml", "precision_level": "exact"}')
    job = {"schema": "blastmerge-finalize-job", "schema_version": 1, "storage_prefix": str(tmp_path), "parent": {"job_id": "p"},
           "expected_child_count": 2, "children": [{"job_id": child, "group_id": "g", "status": "completed"} for child in ("c1", "c2")]}
    (tmp_path / "job.json").write_text(json.dumps(job))
    done = program.run("finalize", tmp_path / "job.json")
    assert done.code == program.DATA and "--forbidden-characters replace" in done.err
    done = program.run("finalize", "--forbidden-characters", "replace", tmp_path / "job.json")
    assert done.code == program.OK, done.err
    assert b"two" + REPLACED in program.text_of((tmp_path / "p" / "merged_results.out.gz").read_bytes())
