# SPDX-License-Identifier: MIT
"""Shards that were searched without the whole's statistics; strands that have statistics of their own."""
import json
import re

import pytest

import shards
from program import OK, PROGRAM, USAGE, run
from shards import made_shard
from shards_run import check_same, kinds_of, made, made_table, merge, refused, search_shards
from shards_run import blast  # pylint: disable=unused-import

FORMATS = ("5", "16", "15")


@pytest.mark.parametrize("outfmt", FORMATS)
@pytest.mark.parametrize("program, whole, options, own", [
    ("blastn", [], [], []),
    ("blastp", [], ["-dbsize", "LETTERS"], []),
    ("blastn", ["-task", "blastn"], ["-dbsize", "LETTERS", "-evalue", "10.5"], ["--evalue", "10"])])
def test_recompute(blast, outfmt, program, whole, options, own):
    """megablast of slices alone; -dbsize, where E-values of blastp are right and those of blastn nearly."""
    database, query = kinds_of(program)
    n_letters = sum(len(record.split("\n")[1]) for record in blast.records[database])
    options = [*whole, *(str(n_letters) if option == "LETTERS" else option for option in options)]
    expected = blast.search(program, database, query, outfmt, *whole)
    names = [name.removesuffix("_st") for name in blast.slices(database, 3)]
    paths = search_shards(blast, program, names, query, outfmt, *options)
    found = merge(paths, "--db", database, "--recompute", *own)
    check_same(found, expected)
    assert any("computed again" in warning for warning in found.warnings)


def test_recompute_keeps_a_given_search_space(blast):
    """-searchsp: E-values are right, the adjustment is that which gives the space."""
    (blast.folder / "one.fa").write_text(blast.queries["n"][0])
    expected = blast.search("blastn", "n", "one", "5", "-task", "blastn")
    space = shards.value(expected.decode(), "Statistics_eff-space")
    names = [name.removesuffix("_st") for name in blast.slices("n", 3)]
    paths = search_shards(blast, "blastn", names, "one", "5", "-task", "blastn", "-searchsp", space)
    check_same(merge(paths, "--db", "n", "--recompute"), expected)


def test_hsps_over_the_threshold(blast, tmp_path):
    """A lower threshold leaves HSPs out: as many as are counted."""
    whole = blast.search("blastn", "n", "n", "5").decode()
    paths = search_shards(blast, "blastn", [name.removesuffix("_st") for name in blast.slices("n", 3)], "n", "5")
    found = merge(paths, "--db", "n", "--recompute", "--evalue", "1e-40", "--report", tmp_path / "report")
    assert found.code == OK, found.err
    evalues = [[float(value) for value in re.findall("<Hsp_evalue>(.*?)<", text)] for text in (found.out.decode(), whole)]
    assert sorted(evalues[0]) == sorted(value for value in evalues[1] if value <= 1e-40)
    n_left_out = json.loads((tmp_path / "report").read_text())["shards"]["hsps_over_threshold"]
    assert n_left_out == len(evalues[1]) - len(evalues[0]) > 0


def test_recompute_that_cannot_be(blast, tmp_path):
    text = made_shard([[("x", "1", 40)]], 2)
    code, error = refused(tmp_path, [text.replace("_lambda>0.625<", "_lambda>0.7<")] * 2, "--recompute")
    assert code == USAGE and "scoring system" in error
    assert refused(tmp_path, [text, text], "--recompute", "--window")[0] == USAGE
    assert refused(tmp_path, [text, text], "--evalue", "1")[0] == USAGE
    assert refused(tmp_path, [text, text], "--recompute", "--evalue", "many")[0] == USAGE
    assert refused(tmp_path, [made_table([("q", "s", "1e-05", 50)])] * 2, "--recompute")[0] == USAGE
    names = [name.removesuffix("_st") for name in blast.slices("p", 2)]
    paths = search_shards(blast, "blastx", names, "n", "5")
    found = merge(paths, "--db", "p", "--recompute")  # no model of its E-values is known: they stay, and are counted
    assert found.code == OK and any("could not be computed again" in warning for warning in found.warnings)


@pytest.mark.parametrize("options", [["-task", "blastn-short"], ["-task", "blastn", "-ungapped"]])
@pytest.mark.parametrize("n_shards", [2, 3])
def test_strands_of_blastn(blast, options, n_shards):
    """Equal hits of one strand come first where lambda is computed: what the shards do not tell is counted."""
    expected = blast.search("blastn", "n", "n", "5", *options).decode()
    paths = search_shards(blast, "blastn", blast.slices("n", n_shards), "n", "5", *options)
    found = merge(paths, "--db", "n")
    assert found.code == OK, found.err
    lists = [[re.findall("<Hit_accession>(.*?)<", iteration) for iteration in shards.iterations(text)]
             for text in (found.out.decode(), expected)]
    assert [sorted(hits) for hits in lists[0]] == [sorted(hits) for hits in lists[1]]
    wrong = sum(a != b for a, b in zip(*lists))
    counted = sum(int(warning.split()[0]) for warning in found.warnings if "ranks first" in warning)
    assert wrong <= counted and wrong < len(lists[0])
    if not counted:
        check_same(found, expected.encode())


def test_the_strand_that_comes_first_is_learned(tmp_path):
    def hit(number, strand):
        return (f"gnl|BL_ORD_ID|{number}", "1e-05", 20, 300, "", strand)

    def order(*lists):
        texts = [made_shard([hits], 2, lam="1.37406312246009") for hits in lists]
        found = merge(made(tmp_path, texts))
        assert found.code == OK, found.err
        return [int(n) for n in re.findall("<Hit_accession>(.*?)<", found.out.decode())], found.warnings

    # 3 before 9 in the first shard: minus comes first, in the second shard, too
    assert order([hit(3, -1), hit(9, 1)], [hit(5, 1), hit(2, 1)]) == ([3, 605, 602, 9], [])
    assert order([hit(3, 1), hit(9, -1)], [hit(5, 1), hit(2, -1)]) == ([605, 3, 602, 9], [])
    places, warnings = order([hit(9, 1)], [hit(5, -1)])
    assert places == [605, 9] and any("ranks first" in warning for warning in warnings)


def test_pipes_do_not_tell_strands(blast):
    """What a first pass learns from files is counted where there is none."""
    names = blast.slices("n", 3)
    sizes = ",".join(str((blast.folder / f"{name.removesuffix('_st')}.fasta").read_text().count("\n>") + 1) for name in names)
    expected = blast.search("blastn", "n", "n", "5", "-task", "blastn-short")
    paths = search_shards(blast, "blastn", names, "n", "5", "-task", "blastn-short")
    command = ["bash", "-c", 'exec "$0" shards --plain --db n --sizes "$4" <(cat "$1") <(cat "$2") <(cat "$3")']
    found = run(*paths, sizes, command=[*command, PROGRAM])
    assert found.code == OK, found.err
    lists = [re.findall("<Hit_accession>(.*?)<", text.decode()) for text in (found.out, expected)]
    assert sorted(lists[0]) == sorted(lists[1]) and lists[0] != lists[1]
    assert any("ranks first" in warning for warning in found.warnings)
