# SPDX-License-Identifier: MIT
"""JSON, -outfmt 15: what real BLAST writes, whole and split; seams, damage and headers.

The first part needs what test_real_blast.py needs; BLASTMERGE_SKIP_BLAST=1 skips it.
"""
import gzip
import json
import random
import re
import subprocess

import pytest

from program import difference, run
from searches import split
from test_formats import DATA, MISMATCH, merged, search, write
from test_real_blast import blast  # noqa: F401 (a fixture)

# --- real BLAST --------------------------------------------------------------------------------------


def check_counts(totals, whole, n_queries):
    assert totals["iterations"] == n_queries
    assert totals["hits"] == len(re.findall(rb'"description": \[', whole))
    assert totals["hsps"] == whole.count(b'"align_len": ')


def test_title_cut_inside_of_a_character(blast, tmp_path):  # noqa: F811
    """BLAST cuts the title that a message begins with by bytes: what it writes then is not UTF-8."""
    queries = [f">{'1' * n}é and a tail that makes it long\n{'X' * 30}\n" for n in range(13, 19)] * 2
    whole = search(blast, "blastp", queries, "15")
    children = write(tmp_path, [search(blast, "blastp", part, "15") for part in split(queries, 5)])
    refused = run(*children)
    assert refused.code == DATA and "--invalid-utf8 keep" in refused.err
    text, report = merged(children, "--as-unsplit", "--invalid-utf8", "keep")
    assert text == whole, difference(text, whole)
    assert report["totals"]["invalid_bytes"] > 0


def test_subjects(blast, tmp_path):  # noqa: F811
    """-subject instead of -db: bl2seq instead of search."""
    queries = blast.queries["protein"][:6]
    (blast.folder / "subject.fasta").write_text("".join(queries[:3]))
    texts = []
    for part in [queries, *split(queries, 3)]:
        (blast.folder / "query.fasta").write_text("".join(part))
        texts.append(subprocess.run(["blastp", "-query", "query.fasta", "-subject", "subject.fasta", "-outfmt", "15"],
                                    cwd=blast.folder, stdout=subprocess.PIPE, check=True).stdout)
    text, report = merged(write(tmp_path, texts[1:]), "--as-unsplit")
    assert text == texts[0], difference(text, texts[0])
    check_counts(report["totals"], texts[0], 6)


# --- seams, damage and headers, without BLAST --------------------------------------------------------


def make(seed, n_reports=5, indent=None):
    """A document's text, and its reports as they stand in it."""
    chance = random.Random(seed)
    reports = []
    for _ in range(n_reports):
        hits = [{"num": j, "hsps": [{"num": 1, "evalue": chance.random() * 1e-5, "qseq": "MKV" * chance.randrange(40)}]}
                for j in range(chance.randrange(30))]
        search = {"query_id": "a", "query_title": 'é "x" \\', "hits": hits}
        reports.append(json.dumps({"report": {"program": "blastp", "version": "BLASTP 2.12.0+",
                                              "search_target": {"db": "nr"}, "params": {"expect": 10},
                                              "results": {"search": search}}}, indent=indent, ensure_ascii=seed % 2 == 0))
    joint = ",\n" if indent is None else "\n,\n"
    end = "" if indent is None or not reports else "\n"
    return ('{\n"BlastOutput2": [\n' + joint.join(reports) + end + "]\n}\n").encode(), reports


@pytest.mark.parametrize("indent", [None, 2])
def test_seams_of_batches(tmp_path, indent):
    """Children of many sizes, stored, of tiny blocks and of large ones; documents without a report among them."""
    for seed in range(10):
        sizes = [random.Random(seed * 100 + i).choice([1, 3, 40, 400]) for i in range(4)]
        sizes.insert(seed % 5, 0)
        made = [make(seed * 10 + i, size, indent) for i, size in enumerate(sizes)]
        paths = []
        for i, (text, _) in enumerate(made):
            paths.append(tmp_path / f"{i}.gz")
            pieces = [text[at:at + 70000] for at in range(0, len(text), 70000)]
            paths[-1].write_bytes(b"".join(gzip.compress(piece, (seed + i) % 10) for piece in pieces))
        text, report = merged(paths, "--threads", str(1 + seed % 3))
        joint, end = (",\n", "") if indent is None else ("\n,\n", "\n")
        reports = [report for _, reports in made for report in reports]
        wanted = ('{\n"BlastOutput2": [\n' + joint.join(reports) + end + "]\n}\n").encode()
        assert text == wanted, difference(text, wanted)
        assert report["totals"]["iterations"] == sum(sizes)
        assert json.loads(text)["BlastOutput2"] == [json.loads(report) for report in reports]


def test_cut_anywhere(tmp_path):
    good, _ = make(1)
    text, _ = make(2, 2)
    for place in random.Random(3).sample(range(1, text.rindex(b"}")), 60):
        done = run("check", *write(tmp_path, [good, text[:place]]))
        assert done.code == DATA and "batch_2: " in done.err and "cut short" in done.err, (place, done.err)


def test_damage(tmp_path):
    good, _ = make(1)
    text, _ = make(2, 4)
    for place in random.Random(4).sample([i for i, byte in enumerate(text) if byte in b'"{}[]:,'], 60):
        damaged = text[:place] + b"\x01" + text[place + 1:]
        done = run("check", *write(tmp_path, [good, damaged]))
        assert done.code == DATA and f"at byte {place} of its text" in done.err, done.err


def test_bytes_that_are_not_utf8(tmp_path):
    children = write(tmp_path, [make(1)[0].replace(b"\xc3\xa9", b"\xe9")])
    assert run(*children).code == DATA
    converted, report = merged(children, "--invalid-utf8", "latin1")
    assert converted == make(1)[0]
    assert report["totals"]["invalid_bytes"] == 5
    assert merged(children, "--invalid-utf8", "keep")[0] == make(1)[0].replace(b"\xc3\xa9", b"\xe9")


@pytest.mark.parametrize("text, words", [
    (b'{"BlastOutput2": {"report": {}}}', "one query's report of -outfmt 13"),
    (b'{\n\t"BlastJSON": [\n\t\t{"File": "a_1.json" }\n\t]\n}', "the master file of -outfmt 13"),
    (b'{"a": 1}', "this is not BLAST's JSON"), (b"[1]", "JSON that is not BLAST's"), (b'{"BlastOutput2": []} x', "the end"),
])
def test_other_json(tmp_path, text, words):
    done = run(*write(tmp_path, [text]))
    assert done.code == DATA and words in done.err


def test_byte_order_marks(tmp_path):
    """Dropped, and no matter whether the format is said."""
    text, _ = make(1)
    other, _ = make(2)
    children = write(tmp_path, [b"\xef\xbb\xbf" + text, text + b"\xef\xbb\xbf" + other])
    (tmp_path / "plain").mkdir()
    wanted, _ = merged(write(tmp_path / "plain", [text, text, other]))
    assert merged(children)[0] == wanted
    assert merged(children, "--format", "json")[0] == wanted


@pytest.mark.parametrize("change, code, words", [
    ((b'"blastp"', b'"blastx"'), MISMATCH, "its program is blastx"),
    ((b"BLASTP 2.12.0+", b"BLASTP 2.2.31+"), 0, "its version is BLASTP 2.2.31+"),
    ((b'"nr"', b'"nt"'), 0, "its db is nt"),
    ((b'"expect": 10', b'"expect": 1'), 0, "its expect is 1"),
])
def test_headers(tmp_path, change, code, words):
    texts = [make(seed)[0] for seed in (1, 2)]
    done = run("-o", tmp_path / "merged", *write(tmp_path, [texts[0], texts[1].replace(*change)]))
    assert done.code == code and words in done.err


def test_database_is_refused(tmp_path):
    done = run("--db", "x", *write(tmp_path, [make(1)[0]]))
    assert done.code == 2 and "--db" in done.err
