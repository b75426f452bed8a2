# SPDX-License-Identifier: MIT
"""Shards of real BLAST: the bytes that one search of the whole database writes, or what shards.md says of them.

BLASTMERGE_TEST_SHARDS=full runs every search in every format, parted in every way."""
import gzip
import json
import os
import random
import re

import pytest

import shards
from program import DATA, MISMATCH, OK, difference, run
from shards_run import check_same, merge, search_shards
from shards_run import blast  # pylint: disable=unused-import

FORMATS = ("5", "16", "15")


FULL = os.environ.get("BLASTMERGE_TEST_SHARDS") == "full"
ALL_FORMATS = ("5", "16", "15", "7", "6", "10")
SEARCHES = {  # the program, the database, the queries, options
    "blastp": ("blastp", "p", "p"), "megablast": ("blastn", "n", "n"), "blastn": ("blastn", "n", "n", "-task", "blastn"),
    "dc-megablast": ("blastn", "n", "n", "-task", "dc-megablast"), "blastn-short": ("blastn", "n", "n", "-task", "blastn-short"),
    "ungapped": ("blastn", "n", "n", "-task", "blastn", "-ungapped"), "blastx": ("blastx", "p", "n"), "tblastn": ("tblastn", "n", "p"),
    "tblastx": ("tblastx", "n", "n"), "psiblast": ("psiblast", "p", "psi"), "rpsblast": ("rpsblast", "r", "p"),
    "deltablast": ("deltablast", "p", "psi", "-rpsdb", "delta"), "long subjects": ("blastp", "l", "p")}
# Where what is printed decides the order of all hits, and no place is counted.
CERTAIN = {(name, outfmt) for name in ("megablast", "blastn", "dc-megablast") for outfmt in ("5", "16", "15", "7")}
# Where what is printed does not decide the order of all hits, which is then counted: docs/shards.md.
UNDECIDED = {(name, outfmt) for name in ("blastn-short", "ungapped") for outfmt in ALL_FORMATS}
UNDECIDED |= {(name, outfmt) for name in ("blastp", "blastx", "tblastn", "psiblast", "rpsblast", "deltablast", "long subjects")
              for outfmt in ("7", "6", "10")}
UNDECIDED |= {(name, outfmt) for name in ("blastx", "tblastn", "rpsblast", "deltablast") for outfmt in FORMATS}


def every_case():
    """The search, the format, how many parts, the cut, and how the database is parted."""
    for name in SEARCHES:
        for outfmt in ALL_FORMATS:
            if name in ("psiblast", "deltablast") and outfmt in ("16", "15"):
                continue  # refused
            for n_shards in (1, 2, 3, 8, 20):
                if (name, n_shards) not in (("rpsblast", 20), ("long subjects", 20), ("long subjects", 8)):
                    yield name, outfmt, n_shards, 500, "stats"
            for n_targets in (1, 2, 5):
                yield name, outfmt, 3, n_targets, "stats"
            for n_shards in (2, 3, 8):
                if name != "rpsblast" and outfmt in FORMATS:
                    yield name, outfmt, n_shards, 500, "window"
                    yield name, outfmt, n_shards, 500, "round robin"


# Each program, format, way of parting, number of parts and cut at least once.
SHARE = [("blastp", "5", 1, 500, "stats"), ("blastp", "5", 20, 500, "stats"), ("blastp", "15", 3, 5, "stats"), ("blastp", "16", 3, 1, "stats"),
         ("blastp", "5", 3, 2, "stats"), ("blastp", "5", 3, 500, "window"), ("blastp", "15", 2, 500, "round robin"),
         ("blastp", "7", 3, 500, "stats"), ("megablast", "5", 8, 500, "stats"), ("megablast", "16", 2, 500, "stats"),
         ("megablast", "10", 20, 500, "stats"), ("blastn", "5", 2, 500, "round robin"), ("blastn", "15", 3, 500, "stats"),
         ("blastn", "7", 8, 500, "stats"), ("blastn", "6", 3, 2, "stats"), ("dc-megablast", "5", 3, 500, "stats"),
         ("blastn-short", "5", 3, 500, "stats"), ("blastn-short", "7", 2, 500, "stats"), ("ungapped", "7", 8, 500, "stats"), ("ungapped", "16", 2, 500, "stats"), ("blastx", "5", 3, 500, "stats"),
         ("blastx", "6", 2, 500, "stats"), ("tblastn", "5", 3, 500, "stats"), ("tblastn", "5", 2, 500, "window"),
         ("tblastx", "5", 3, 500, "stats"), ("tblastx", "16", 2, 500, "window"), ("psiblast", "5", 3, 500, "stats"),
         ("rpsblast", "5", 3, 500, "stats"), ("rpsblast", "16", 8, 500, "stats"), ("rpsblast", "7", 3, 1, "stats"),
         ("deltablast", "5", 3, 500, "stats"), ("deltablast", "7", 2, 2, "stats"), ("psiblast", "7", 3, 1, "stats"),
         ("long subjects", "5", 3, 500, "stats")]


def parts_of(blast, database, n_shards, way):
    return {"stats": blast.slices, "window": blast.windows,
            "round robin": lambda kind, n: blast.slices(kind, n, round_robin=True)}[way](database, n_shards)


def without_numbers(text):
    return sorted(line for line in text.decode().splitlines() if "Hit_num>" not in line and not line.strip().startswith(("<num>", '"num":'))
                  and line.strip() not in ("},", "}"))


def check_search(found, expected, report, is_certain, is_undecided, is_cut):
    """The whole's bytes; or, where shards.md says that the order cannot be known, the same hits in as many other places as
    are counted at most."""
    assert found.code == OK, found.err
    text = found.out
    if any("a kappa that differs" in warning for warning in found.warnings):  # of rpsblast's first query: docs/shards.md
        text, expected = (re.sub(rb'(kappa>|kappa": )0\.0[45]\d{4,}', rb"\1K", text) for text in (text, expected))
    doubts = report["shards"]["undecided_places"]
    assert not is_certain or doubts == 0
    if text == expected:
        return
    assert is_undecided and doubts > 0, difference(text, expected)
    if not is_cut:
        assert without_numbers(text) == without_numbers(expected)


@pytest.mark.parametrize("name, outfmt, n_shards, n_targets, way", every_case() if FULL else SHARE)
def test_search(blast, tmp_path, name, outfmt, n_shards, n_targets, way):
    program, database, query, *options = SEARCHES[name]
    options += [] if n_targets == 500 else ["-max_target_seqs", str(n_targets)]
    expected = blast.whole(program, database, query, outfmt, *options)
    paths = search_shards(blast, program, parts_of(blast, database, n_shards, way), query, outfmt, *options)
    if name == "tblastx" and way != "window":  # BLAST itself links other HSPs where subjects' lengths are others: docs/shards.md
        if outfmt != "5":
            pytest.skip("tblastx prints other HSPs for parts of a database: the oracle reads -outfmt 5")
        texts = [gzip.decompress(path.read_bytes()).decode() for path in paths]
        expected = shards.merged(texts, database, n_targets, round_robin=way == "round robin").encode()
    formats = {"7": ["--format", "commented"], "6": ["--format", "tabular"], "10": ["--format", "csv"]}.get(outfmt, [])
    if outfmt in ("6", "10"):
        formats += ["--expect-queries", blast.folder / f"{query}.fa"]
    ways = {"stats": [], "window": ["--window"], "round robin": ["--round-robin"]}[way]
    found = merge(paths, "--db", database, "--max-target-seqs", n_targets, "--report", tmp_path / "report", *formats, *ways)
    assert any("tblastx links" in warning for warning in found.warnings) == (name == "tblastx" and way != "window" and n_shards > 1)
    check_search(found, expected, json.loads((tmp_path / "report").read_text()), (name, outfmt) in CERTAIN,
                 (name, outfmt) in UNDECIDED, n_targets < 500)


def test_windows_that_are_not_declared(blast):
    paths = search_shards(blast, "blastp", blast.windows("p", 3), "p", "5")
    found = merge(paths, "--db", "p")
    assert found.code == MISMATCH and "--window says so" in found.err


@pytest.mark.parametrize("outfmt", ALL_FORMATS if FULL else ("5", "7"))
@pytest.mark.parametrize("n_batches, n_shards", [(3, 2), (2, 3), (5, 4)])
def test_queries_split_too(blast, outfmt, n_batches, n_shards):
    """Q x S: batches of queries, each searched in shards; query ids and numbers count on."""
    whole = blast.queries["n"]
    expected = blast.whole("blastn", "n", "n", outfmt)
    paths = []
    for batch in range(n_batches):
        (blast.folder / f"b{batch}.fa").write_text("".join(whole[len(whole) * batch // n_batches:len(whole) * (batch + 1) // n_batches]))
        for name in blast.slices("n", n_shards):
            data = blast.search("blastn", name, f"b{batch}", outfmt)
            paths.append(blast.write(f"{batch}_{name}.gz", gzip.compress(data)))
    formats = {"6": ["--format", "tabular"], "10": ["--format", "csv"]}.get(outfmt, [])
    if formats:
        formats += ["--expect-queries", blast.folder / "n.fa"]
    check_same(merge(paths, "--shards", n_shards, "--db", "n", *formats), expected)
    found = merge(paths[:-1], "--shards", n_shards, "--db", "n")
    assert found.code == MISMATCH and "not a multiple" in found.err


def test_slices_without_statistics_are_refused(blast):
    """Each shard was searched as if it were all: its E-values are its own."""
    for name in blast.slices("p", 2):
        blast.search("blastp", name.removesuffix("_st"), "p", "5")
    paths = search_shards(blast, "blastp", [name.removesuffix("_st") for name in blast.slices("p", 2)], "p", "5")
    refused = merge(paths, "--db", "p")
    assert refused.code == MISMATCH and "statistics of the whole database" in refused.err
    assert refused.out == b""


def test_missing_shard(blast):
    paths = search_shards(blast, "blastp", blast.slices("p", 3), "p", "5")
    refused = merge(paths[:2], "--db", "p")
    assert refused.code == MISMATCH and "a shard is missing" in refused.err


@pytest.mark.parametrize("outfmt", FORMATS)
def test_hits_that_are_not_in_rank_order(blast, outfmt):
    text = blast.whole("blastp", "p", "p", outfmt).decode()
    evalues = re.findall(r"<Hsp_evalue>.*?<|<evalue>.*?<|\"evalue\": .*?,", text)
    place = next(value for value in evalues if "e-" in value)
    path = blast.write("changed.gz", gzip.compress(text.replace(place, re.sub(r"\d[-.e0-9]*", "9", place), 1).encode()))
    found = merge([path], "--db", "p")
    assert found.code == DATA and "not in the order in which BLAST ranks" in found.err and found.out == b""


@pytest.mark.parametrize("n_shards", [2, 3])
def test_long_subjects(blast, n_shards):
    """E-values of long subjects print alike and differ: sorting by what is printed is wrong."""
    whole = blast.search("blastp", "l", "p", "5").decode()
    assert shards.merged([whole], "l") == whole
    wrong = 0
    for iteration in shards.iterations(whole):
        hits = shards.hits_of(iteration)
        by_print = sorted(hits, key=lambda hit: (float(shards.value(hit, "Hsp_evalue")),
                                                 -int(shards.value(hit, "Hsp_score")),
                                                 -int(shards.value(hit, "Hit_accession"))))
        wrong += by_print != hits
    assert wrong > 0
    paths = search_shards(blast, "blastp", blast.slices("l", n_shards), "p", "5")
    check_same(merge(paths, "--db", "l"), whole.encode())


@pytest.mark.parametrize("is_descending", [False, True])
def test_order_list(blast, tmp_path, is_descending):
    """Tables have the subjects' own names: a list tells their order in the database."""
    expected = blast.search("blastn", "n", "n", "7")
    names = blast.slices("n", 3, round_robin=True)
    paths = search_shards(blast, "blastn", names, "n", "7")
    order = [record[1:].split()[0] for record in blast.records["n"]]
    (tmp_path / "order").write_text("\n".join(reversed(order) if is_descending else order) + "\n")
    options = ["--order-descending"] if is_descending else []
    check_same(merge(paths, "--db", "n", "--round-robin", "--order", tmp_path / "order", *options), expected)
    (tmp_path / "order").write_text("\n".join(order[:50]) + "\n")
    found = merge(paths, "--db", "n", "--round-robin", "--order", tmp_path / "order")
    assert found.code == OK and any("not in the order list" in warning for warning in found.warnings)


@pytest.mark.parametrize("outfmt", FORMATS)
@pytest.mark.parametrize("form", ["gb|{}.1|", "{}.1", "{}"])
def test_order_list_whatever_form_names_have(blast, outfmt, form, tmp_path):
    records = [f">gb|AAA{i:05}.1| title {i}\n{record.split(chr(10))[1]}\n" for i, record in enumerate(blast.records["p"])]
    n_letters = sum(len(record.split("\n")[1]) for record in records)

    def make(name, part):
        shards.subprocess.run(["makeblastdb", "-dbtype", "prot", "-parse_seqids", "-title", name, "-out", name],
                              input="".join(part).encode(), cwd=blast.folder, stdout=-3, check=True)

    make("versions", records)
    for i in range(3):
        make(f"versions_{i}", records[i::3])
        blast.write_alias(f"versions_{i}_st", "p",
                          f"DBLIST versions_{i}\nSTATS_NSEQ {len(records)}\nSTATS_TOTLEN {n_letters}\n")
    (tmp_path / "order").write_text("".join(f">{form.format(f'AAA{i:05}')} title\nM\n" for i in range(len(records))))
    paths = search_shards(blast, "blastp", [f"versions_{i}_st" for i in range(3)], "p", outfmt)
    found = merge(paths, "--db", "versions", "--round-robin", "--order", tmp_path / "order")
    check_same(found, blast.search("blastp", "versions", "p", outfmt))
    assert found.warnings == []


@pytest.mark.parametrize("name", ["psiblast", "deltablast"])
@pytest.mark.parametrize("outfmt", ["16", "15"])
def test_hits_in_rounds_are_refused(blast, name, outfmt):
    """Even one round of PSI-BLAST has its hits elsewhere in these formats."""
    program, database, query, *options = SEARCHES[name]
    blast.make_domains()
    paths = search_shards(blast, program, blast.slices(database, 2), query, outfmt, *options)
    found = merge(paths, "--db", database)
    assert found.code == DATA and "a list of hits does not begin" in found.err and found.out == b""


@pytest.mark.parametrize("outfmt", ["5", "7"])
@pytest.mark.parametrize("name", ["psiblast", "deltablast"])
def test_several_rounds_are_refused(blast, name, outfmt):
    program, database, query, *options = SEARCHES[name]
    blast.make_domains()
    paths = search_shards(blast, program, blast.slices(database, 2), query, outfmt, "-num_iterations", "2", *options)
    found = merge(paths, "--db", database)
    assert found.code == MISMATCH and "several rounds" in found.err and found.out == b""


def test_shards_of_psiblast(blast):
    """One round is a search like any other; a shard that is missing is seen."""
    (blast.folder / "psi.fa").write_text("".join(blast.queries["p"][:8]))
    expected = blast.search("psiblast", "p", "psi", "5")
    paths = search_shards(blast, "psiblast", blast.slices("p", 3), "psi", "5")
    check_same(merge(paths, "--db", "p"), expected)
    found = merge(paths[:2], "--db", "p")
    assert found.code == MISMATCH and "a shard is missing" in found.err and found.out == b""


@pytest.mark.parametrize("outfmt", ["5", "16", "15", "7"])
def test_name_with_an_apostrophe(blast, outfmt):
    blast.make_database("it's", "p", blast.records["p"][:20])
    expected = blast.search("blastp", "it's", "p", outfmt)
    blast.make_database("its", "p", blast.records["p"][:20])
    path = blast.write("its.gz", gzip.compress(blast.search("blastp", "its", "p", outfmt)))
    check_same(merge([path], "--db", "it's"), expected)


@pytest.mark.parametrize("outfmt", ALL_FORMATS)
def test_lines_that_end_in_cr_lf(blast, outfmt):
    """Of all shards or of one, from the first line on or further on: the reason is the same."""
    options = ["--db", "n", *{"6": ["--format", "tabular"], "10": ["--format", "csv"]}.get(outfmt, [])]
    texts = [gzip.decompress(path.read_bytes()) for path in search_shards(blast, "blastn", blast.slices("n", 2), "n", outfmt)]
    changed = [text.replace(b"\n", b"\r\n") for text in texts]
    later = texts[1][:-1].replace(b"\n", b"\r\n", 1)[::-1].replace(b"\n", b"\n\r", 1)[::-1] + b"\n"
    for name, pair in (("r0", (changed[0], texts[1])), ("r1", (texts[0], changed[1])), ("r0", changed), ("r1", (texts[0], later))):
        found = merge([blast.write(f"r{i}", text) for i, text in enumerate(pair)], *options)
        assert found.code == DATA and found.out == b""
        assert f"{name}: its lines end in CR LF, and BLAST ends them in LF" in found.err and "tr -d '\\r'" in found.err


@pytest.mark.parametrize("outfmt", ALL_FORMATS)
def test_byte_order_marks(blast, outfmt):
    """Left out, of whatever shards, as a merge of queries does."""
    options = ["--db", "n", *{"6": ["--format", "tabular"], "10": ["--format", "csv"]}.get(outfmt, [])]
    paths = search_shards(blast, "blastn", blast.slices("n", 3), "n", outfmt)
    texts = [gzip.decompress(path.read_bytes()) for path in paths]
    expected = merge(paths, *options)
    assert expected.code == OK, expected.err
    for n in range(1, 8):
        marked = [blast.write(f"b{i}", b"\xef\xbb\xbf" * (n >> i & 1) + text) for i, text in enumerate(texts)]
        check_same(merge(marked, *options), expected.out)
        packed = [blast.write(f"b{i}", gzip.compress(path.read_bytes())) for i, path in enumerate(marked)]
        found = run("shards", *options, *packed)  # a shard's own bits become the result's
        assert found.code == OK and gzip.decompress(found.out) == expected.out, found.err


def coverage_database(blast):
    """Half of the subjects have a part of the query alone, and half are like all of it."""
    chance = random.Random(1)

    def residues(n):
        return "".join(chance.choice(shards.AMINO) for _ in range(n))

    query = residues(100)
    subjects = [residues(40) + query[20:78] + residues(40) if i % 2
                else "".join(residue if chance.random() > 0.5 else chance.choice(shards.AMINO) for residue in query) for i in range(40)]
    blast.records["c"] = [f">c{i}\n{subject}\n" for i, subject in enumerate(subjects)]
    blast.make_database("c", "c", blast.records["c"])
    (blast.folder / "c.fa").write_text(f">query\n{query}\n")


@pytest.mark.parametrize("outfmt", ["5", "7"])
def test_filter_behind_the_cut(blast, outfmt):
    """-qcov_hsp_perc: where no search cuts, the merge is the whole's bytes; where one does, shards.md warns of it."""
    coverage_database(blast)
    results = []
    for n_targets in ("10", "100"):
        options = ["-qcov_hsp_perc", "60", "-max_target_seqs", n_targets]
        expected = blast.search("blastp", "c", "c", outfmt, *options)
        found = merge(search_shards(blast, "blastp", blast.slices("c", 2), "c", outfmt, *options), "--db", "c", "--max-target-seqs", n_targets)
        results.append((found, expected))
    assert results[0][0].code == OK and results[0][0].out != results[0][1]
    check_same(*results[1])
