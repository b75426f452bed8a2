# SPDX-License-Identifier: MIT
"""count(), plan(), part() and join(): a merge in parts, from Python. What is written is looked at in tests/e2e/test_parts.py."""
import gzip
import io
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "python"), str(ROOT / "tests"), str(ROOT / "tests" / "e2e")]
import blastmerge  # noqa: E402  pylint: disable=wrong-import-position
import corpus  # noqa: E402  pylint: disable=wrong-import-position
import shards  # noqa: E402  pylint: disable=wrong-import-position


@pytest.fixture(name="children")
def made_children(tmp_path):
    paths = []
    for number, text in enumerate(corpus.texts(3, 15, seed=1, hits=2), 1):
        paths.append(tmp_path / f"child_{number}.xml.gz")
        paths[-1].write_bytes(gzip.compress(text))
    return paths


def counted(children, **options):
    tallies = [path.with_suffix(".tally") for path in children]
    for child, tally in zip(children, tallies):
        report = blastmerge.count(child, tally, **options)
        assert report.iterations == 5
    return tallies


def test_all_steps(tmp_path, children):
    blastmerge.plan(counted(children), tmp_path / "plan.json", database="all", sort="natural")
    parts = [tmp_path / f"part_{number}" for number in (1, 2, 3)]
    for number, path in enumerate(parts, 1):
        assert blastmerge.part(tmp_path / "plan.json", number, path).iterations == 5
    blastmerge.join(tmp_path / "plan.json", reversed(parts), tmp_path / "joined.xml.gz")
    assert (tmp_path / "joined.xml.gz").read_bytes() == blastmerge.merged_bytes(children, database="all")
    blastmerge.join(tmp_path / "plan.json", parts, tmp_path / "joined.xml.gz")  # it is there
    with pytest.raises(blastmerge.MissingError, match="run part 2 again"):
        blastmerge.join(tmp_path / "plan.json", [parts[0], parts[2]], tmp_path / "other.xml.gz")
    with pytest.raises(blastmerge.ExistsError):
        blastmerge.join(tmp_path / "plan.json", parts, children[0])


def test_salvage(tmp_path, children):
    """It is decided when children are counted. What was lost is in the reports of count() and part()."""
    children[1].write_bytes(children[1].read_bytes()[:-20])
    tallies = [path.with_suffix(".tally") for path in children]
    reports = [blastmerge.count(child, tally, salvage=True) for child, tally in zip(children, tallies)]
    assert [report.damaged_children for report in reports] == [0, 1, 0]
    blastmerge.plan(tallies, tmp_path / "plan.json")
    parts = [tmp_path / f"part_{number}" for number in (1, 2, 3)]
    assert [blastmerge.part(tmp_path / "plan.json", number, path).damaged_children for number, path in enumerate(parts, 1)] == [0, 1, 0]
    blastmerge.join(tmp_path / "plan.json", parts, tmp_path / "joined.xml.gz")
    assert (tmp_path / "joined.xml.gz").read_bytes() == blastmerge.merged_bytes(children, salvage=True)
    with pytest.raises(blastmerge.UsageError, match="when they were counted"):
        blastmerge.join(tmp_path / "plan.json", parts, tmp_path / "other.xml.gz", salvage=True)


def test_outputs_that_are_file_objects(tmp_path, children):
    tallies = counted(children)
    plan = io.BytesIO()
    blastmerge.plan(tallies, plan)
    (tmp_path / "plan.json").write_bytes(plan.getvalue())
    part = io.BytesIO()
    blastmerge.part(tmp_path / "plan.json", 2, part, child=children[1])
    assert gzip.decompress(part.getvalue())


def test_the_names_of_outputs_decide_nothing(tmp_path, children):
    tallies = [tmp_path / f"{number}.txt" for number in (1, 2, 3)]
    for child, tally in zip(children, tallies):
        blastmerge.count(child, tally)
    blastmerge.plan(tallies, tmp_path / "plan.json")
    for number in (1, 2, 3):
        blastmerge.part(tmp_path / "plan.json", number, tmp_path / f"{number}.xml")
    blastmerge.join(tmp_path / "plan.json", [tmp_path / f"{number}.xml" for number in (1, 2, 3)], tmp_path / "joined.xml")
    assert (tmp_path / "joined.xml").read_bytes() == blastmerge.merged_bytes(children)


@pytest.mark.parametrize("options", [{"plain": True}, {"bgzf": True}, {"level": 6}, {"order_by_queries": True}], ids=str)
def test_options_that_are_refused(tmp_path, children, options):
    with pytest.raises(blastmerge.UsageError):
        blastmerge.count(children[0], tmp_path / "tally", **options)


def test_what_cannot_be_read_twice(tmp_path, children):
    for child in (children[0].read_bytes(), io.BytesIO(children[0].read_bytes()), iter([b""])):
        with pytest.raises(blastmerge.UsageError, match="file or a remote object"):
            blastmerge.count(("child", child), tmp_path / "tally")


def test_wrong_values(tmp_path, children):
    blastmerge.plan(counted(children), tmp_path / "plan.json")
    for number, error in ((0, blastmerge.UsageError), (4, blastmerge.UsageError), (-1, OverflowError), ("1", TypeError)):
        with pytest.raises(error):
            blastmerge.part(tmp_path / "plan.json", number, tmp_path / "part")
    with pytest.raises(TypeError):
        blastmerge.part(None, 1, tmp_path / "part")
    with pytest.raises(blastmerge.MissingError):
        blastmerge.part(tmp_path / "no plan", 1, tmp_path / "part")
    with pytest.raises(blastmerge.DataError):
        blastmerge.part(children[0], 1, tmp_path / "part")


def test_every_fault_is_reported(tmp_path, children):
    tallies = counted(children)
    for number in (1, 2):
        text = gzip.decompress(children[number].read_bytes()).replace(b"_program>blast", b"_program>t%dblast" % number)
        children[number].write_bytes(gzip.compress(text))
        blastmerge.count(children[number], tallies[number])
    faults = []
    with pytest.raises(blastmerge.MismatchError):
        blastmerge.plan(tallies, tmp_path / "plan.json", on_fault=faults.append)
    assert len(faults) == 2


def test_a_child_that_has_changed(tmp_path, children):
    blastmerge.plan(counted(children), tmp_path / "plan.json")
    children[1].write_bytes(children[0].read_bytes())
    with pytest.raises(blastmerge.ChangedError):
        blastmerge.part(tmp_path / "plan.json", 2, tmp_path / "part")


def test_batches_of_shards(tmp_path):
    """What shards() writes of all of them."""
    batches = []
    for batch in range(2):
        batches.append([tmp_path / f"{batch}_{shard}.gz" for shard in range(2)])
        for shard, path in enumerate(batches[-1]):
            text = shards.made_shard([[(f"gnl|BL_ORD_ID|{batch + shard}", "1e-05", 50 + shard)], []], 2)
            path.write_bytes(gzip.compress(text.replace("query-def>number", f"query-def>{batch} number").encode()))
    tallies = [tmp_path / f"{batch}.tally" for batch in range(2)]
    parts = [tmp_path / f"{batch}.part" for batch in range(2)]
    for batch, tally in zip(batches, tallies):
        assert blastmerge.count_shards((shard for shard in batch), tally, database="all").iterations == 2
    blastmerge.plan(tallies, tmp_path / "plan.json")
    for number, (batch, part) in enumerate(zip(batches, parts), 1):
        report = blastmerge.part_of_shards(tmp_path / "plan.json", number, iter(batch), part, database="all")
        assert (report.iterations, len(report.children), report.shards.cut_queries) == (2, 2, 0)
    blastmerge.join(tmp_path / "plan.json", parts, tmp_path / "joined.xml.gz")
    blastmerge.shards([path for batch in batches for path in batch], tmp_path / "grid.xml.gz", database="all", n_shards=2)
    assert (tmp_path / "joined.xml.gz").read_bytes() == (tmp_path / "grid.xml.gz").read_bytes()
    with pytest.raises(blastmerge.UsageError, match="is of a batch of 2 shards"):
        blastmerge.part(tmp_path / "plan.json", 1, parts[0])
    with pytest.raises(blastmerge.UsageError, match="neither takes shards"):
        with blastmerge._job.Job() as job:  # pylint: disable=protected-access
            job.open(batches[0], {}, is_shards=True)
            job.plan()


def test_expected_queries(tmp_path, children):
    """Given to count() and plan(); the other steps refuse them."""
    (tmp_path / "queries").write_text("one\nanother\n")
    with pytest.raises(blastmerge.MismatchError):
        blastmerge.count(children[0], tmp_path / "tally", expect_queries=tmp_path / "queries")
    named = [query.name for query in blastmerge.open(children[0])] + ["more"]
    (tmp_path / "all").write_text("".join(f"{name}\n" for name in named))
    with pytest.raises(blastmerge.MismatchError, match="no Iteration"):
        blastmerge.count(children[0], tmp_path / "tally", expect_queries=tmp_path / "all", missing=tmp_path / "missing")
    assert (tmp_path / "missing").read_text() == "more\n"
    blastmerge.plan(counted(children), tmp_path / "plan.json")
    with pytest.raises(blastmerge.MismatchError, match="was not compared with queries"):
        blastmerge.plan(counted(children), tmp_path / "plan.json", expect_queries=tmp_path / "queries")
    with pytest.raises(blastmerge.UsageError, match="when they are counted"):
        blastmerge.part(tmp_path / "plan.json", 1, tmp_path / "part", expect_queries=tmp_path / "queries")
