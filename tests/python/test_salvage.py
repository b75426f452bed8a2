# SPDX-License-Identifier: MIT
"""salvage and expect_queries through the Python package; what is certain of which damage is e2e/test_salvage.py's."""
import gzip
import io
import json
import sys
import zlib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / folder) for folder in ("tests", "tests/e2e", "python")]
import blastmerge  # noqa: E402  pylint: disable=wrong-import-position
import certain  # noqa: E402  pylint: disable=wrong-import-position
import oracle  # noqa: E402  pylint: disable=wrong-import-position
import small  # noqa: E402  pylint: disable=wrong-import-position

NAMES = [f"query{number}" for number in range(9)]
WHOLE = [small.child(*NAMES[:4]), small.child(*NAMES[4:])]
GARBLED = gzip.compress(small.text(*NAMES[4:]).replace(b"query6", b"query6\1"))
DAMAGED = [WHOLE[0], GARBLED]
EXPECTED = certain.merge(DAMAGED)[0]


def write(folder, children):
    paths = [folder / f"child_{number}" for number in range(len(children))]
    for path, child in zip(paths, children):
        path.write_bytes(child)
    return paths


def write_queries(folder, names):
    path = folder / "queries.fasta"
    path.write_text("".join(f">{name} a title\nMKV\n" for name in names))
    return path


# --- salvage ------------------------------------------------------------------------------------------


def test_salvage_to_a_file(tmp_path):
    told = []
    report = blastmerge.merge(write(tmp_path, DAMAGED), tmp_path / "merged", salvage=True, on_warning=told.append,
                              report=tmp_path / "report.json")
    assert gzip.decompress((tmp_path / "merged").read_bytes()) == EXPECTED
    assert (report.damaged_children, report.lost_stretches, report.unchecked_iterations, report.iterations) == (1, 1, 0, 8)
    assert [child.iterations for child in report.children] == [4, 4]
    assert len(told) == 1 and "between its Iterations 2 (of query5) and 4 (of query7)" in told[0]
    row = json.loads((tmp_path / "report.json").read_bytes())["children"][1]["lost"][0]
    assert (row["query_before"], row["query_after"]) == ("query5", "query7")


def test_salvage_of_bytes(tmp_path):
    with pytest.warns(blastmerge.MergeWarning, match="child 1: lost: "):
        assert gzip.decompress(blastmerge.merged_bytes(DAMAGED, salvage=True)) == EXPECTED
    with pytest.warns(blastmerge.MergeWarning, match="lost"):
        pieces = list(blastmerge.iter_merged(write(tmp_path, DAMAGED), salvage=True, plain=True))
    assert b"".join(pieces) == EXPECTED


def test_salvage_of_what_is_cut(tmp_path):
    noise = [f"{name} {zlib.crc32(name.encode()) ** 30}" for name in NAMES]
    cut = small.child(*noise)[:-80]
    with pytest.warns(blastmerge.MergeWarning, match="without proof"):
        report = blastmerge.merge([WHOLE[0], cut], tmp_path / "merged", salvage=True)
    assert report.unchecked_iterations == report.iterations - 4 > 0
    assert gzip.decompress((tmp_path / "merged").read_bytes()) == certain.merge([WHOLE[0], cut])[0]


def test_salvage_without_damage(recwarn):
    assert blastmerge.merged_bytes(WHOLE, salvage=True) == blastmerge.merged_bytes(WHOLE)
    assert not recwarn.list


def test_salvage_of_nothing(tmp_path):
    with pytest.raises(blastmerge.DataError, match="nothing could be salvaged"):
        blastmerge.merge([b"", WHOLE[0][:40]], tmp_path / "merged", salvage=True)
    assert not (tmp_path / "merged").exists()


@pytest.mark.parametrize("once", [lambda child: iter([child]), io.BytesIO], ids=["iterator", "file object"])
def test_salvage_reads_twice(once):
    with pytest.raises(blastmerge.UsageError, match="read twice") as caught:
        blastmerge.merged_bytes([WHOLE[0], once(GARBLED)], salvage=True)
    assert caught.value.child == 1


def test_salvage_is_for_xml():
    with pytest.raises(blastmerge.UsageError, match="only BLAST XML"):
        blastmerge.merged_bytes(WHOLE, salvage=True, format="json")
    with pytest.raises(blastmerge.UsageError, match="it is BLAST JSON .* only BLAST XML"):
        blastmerge.merged_bytes([b'{\n"BlastOutput2": [\n]\n}\n'], salvage=True)
    with pytest.raises(blastmerge.UsageError, match="a check salvages nothing"):
        blastmerge.check(WHOLE, salvage=True)


# --- expect_queries -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [str, Path], ids=["str", "Path"])
def test_queries_that_are_there(tmp_path, kind):
    queries = kind(write_queries(tmp_path, NAMES))
    assert gzip.decompress(blastmerge.merged_bytes(WHOLE, expect_queries=queries)) == oracle.merge(WHOLE)
    report = blastmerge.check(map(iter, [[child] for child in WHOLE]), expect_queries=queries)
    assert (report.iterations, report.missing_queries) == (9, 0)


@pytest.mark.parametrize("names, words", [
    (NAMES[:3] + ["more"] + NAMES[3:], "1 query has no Iteration: number 4, more"),
    (NAMES + ["more", "again"], "2 queries in a row have no Iteration: number 10, more to number 11, again"),
    (NAMES[1:], "query0, but number 1 .*there is no such query"),
    ([NAMES[1], NAMES[0]] + NAMES[2:], "1 query has no Iteration: number 1, query1")])
def test_queries_that_do_not_fit(tmp_path, names, words):
    queries = write_queries(tmp_path, names)
    with pytest.raises(blastmerge.MismatchError, match=words):
        blastmerge.merge(WHOLE, tmp_path / "merged", expect_queries=queries)
    with pytest.raises(blastmerge.MismatchError, match=words):
        blastmerge.check(WHOLE, expect_queries=queries)
    assert not (tmp_path / "merged").exists()


def test_no_file_of_queries(tmp_path):
    with pytest.raises(blastmerge.MissingError, match="absent"):
        blastmerge.check(WHOLE, expect_queries=tmp_path / "absent")
    with pytest.raises(blastmerge.UsageError):
        blastmerge.check(WHOLE, expect_queries=tmp_path)


def test_queries_that_were_lost(tmp_path):
    queries = write_queries(tmp_path, NAMES)
    told = []
    report = blastmerge.merge(DAMAGED, tmp_path / "merged", salvage=True, expect_queries=queries, on_warning=told.append)
    assert report.missing_queries == 1
    assert "1 query has no Iteration: number 7, query6" in told


def test_salvage_of_a_search_that_was_begun_again(tmp_path):
    whole = small.text(*NAMES[:4])
    children = [whole[:-400] + whole, WHOLE[1]]
    told = []
    report = blastmerge.merge(children, tmp_path / "merged", salvage=True, expect_queries=write_queries(tmp_path, NAMES), on_warning=told.append)
    assert (report.damaged_children, report.superseded_runs, report.lost_stretches, report.iterations) == (1, 1, 0, 9)
    assert gzip.decompress((tmp_path / "merged").read_bytes()) == certain.merge(children)[0]
    assert len(told) == 1 and "superseded: " in told[0] and report.children[0].status == "salvaged"
    with pytest.raises(blastmerge.DataError, match="a second document begins here.*salvage=True merges the last whole run"):
        blastmerge.merged_bytes(children)


def test_what_is_missing_is_written(tmp_path):
    queries = write_queries(tmp_path, [*NAMES, "more"])
    missing = tmp_path / "missing.fasta"
    with pytest.warns(blastmerge.MergeWarning, match="1 query has no Iteration"), pytest.raises(blastmerge.MismatchError):
        blastmerge.merge(WHOLE, tmp_path / "merged", expect_queries=queries, missing=missing)
    assert b"more" in missing.read_bytes() and b"query" not in missing.read_bytes() and not (tmp_path / "merged").exists()
    missing.unlink()
    with pytest.warns(blastmerge.MergeWarning), pytest.raises(blastmerge.MismatchError) as caught:
        blastmerge.check(WHOLE, expect_queries=queries, missing=missing)
    assert b"more" in missing.read_bytes() and caught.value.report.missing_queries == 1
    with pytest.raises(blastmerge.UsageError, match="which are not given: give expect_queries"):
        blastmerge.merge(WHOLE, tmp_path / "merged", missing=tmp_path / "another")


def test_in_the_order_of_the_queries(tmp_path):
    queries = write_queries(tmp_path, NAMES)
    children = [small.child(*NAMES[5:]), small.child(NAMES[3], NAMES[1]), small.child(NAMES[0], NAMES[4], NAMES[2])]
    merged = gzip.decompress(blastmerge.merged_bytes(children, expect_queries=queries, order_by_queries=True))
    assert merged == gzip.decompress(blastmerge.merged_bytes([small.child(*NAMES)]))
    report = blastmerge.merge(children, tmp_path / "merged", expect_queries=queries, order_by_queries=True, html=tmp_path / "page.html")
    assert (tmp_path / "page.html").read_bytes().startswith(b"<!doctype html>") and [child.iterations for child in report.children] == [4, 2, 3]
    with pytest.raises(blastmerge.UsageError, match="must be given, with expect_queries"):
        blastmerge.check(children, order_by_queries=True)
    with pytest.raises(blastmerge.UsageError, match="read twice"):
        blastmerge.check([iter([children[0]])], expect_queries=queries, order_by_queries=True)
    with pytest.raises(blastmerge.MismatchError, match="number 2, which has one already"):
        blastmerge.check([*children, small.child(NAMES[1])], expect_queries=queries, order_by_queries=True)
