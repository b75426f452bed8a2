# SPDX-License-Identifier: MIT
"""The formats beside BLAST XML: what real BLAST writes, whole and split; damage; and children that are not alike.

The first part needs what test_real_blast.py needs; BLASTMERGE_SKIP_BLAST=1 skips it.
"""
import gzip
import json
import random
import re
import subprocess

import pytest

from program import difference, only_files, run
from searches import Search, split
from test_real_blast import blast  # noqa: F401 (a fixture)

NAMES = {"16": "xml2", "7": "commented", "6": "tabular", "10": "csv"}
DATA, MISMATCH, USAGE = 3, 4, 2

def write(folder, texts):
    """Every other child is compressed."""
    paths = []
    for i, text in enumerate(texts):
        paths.append(folder / f"batch_{i + 1}{'.gz' if i % 2 == 0 else ''}")
        paths[-1].write_bytes(gzip.compress(text, 6) if i % 2 == 0 else text)
    return paths


def merged(children, *arguments):
    """The merge, spliced and plain: they must agree, and so must the report."""
    report = children[0].parent / "report.json"
    done = run("--quiet", "--force", "--report", report, *arguments, *children)
    assert done.code == 0, done.err
    plain = run("--quiet", "--plain", *arguments, *children)
    assert plain.out == done.text
    return done.text, json.loads(report.read_bytes())


# --- real BLAST --------------------------------------------------------------------------------------


def search(blast, program, queries, outfmt, *options):  # noqa: F811
    return Search(program, queries, list(options)).run(blast.folder, queries, outfmt)


@pytest.mark.parametrize("outfmt", ["6", "10"])
def test_children_without_hits(blast, tmp_path, outfmt):  # noqa: F811
    """They leave 0 bytes, which nobody should take for a search without being told to."""
    queries = ["".join([">poly_a\n", "A" * 100, "\n"]), blast.queries["dna"][0]]
    whole = search(blast, "blastn", queries, outfmt)
    texts = [search(blast, "blastn", [query], outfmt) for query in queries]
    assert texts[0] == b""
    children = write(tmp_path, texts)
    refused = run(*children)
    assert refused.code == DATA and "--allow-empty" in refused.err
    text, report = merged(children, "--allow-empty", "--as-unsplit")
    assert text == whole and report["unsplit"]["empty_children"] == 0


@pytest.mark.parametrize("outfmt", ["7 sseqid qacc qlen qseqid", "7 evalue", "7 std qseqid"])
def test_names_in_other_columns(blast, tmp_path, outfmt):  # noqa: F811
    """Query_N is counted on wherever "# Fields:" says that queries' names are."""
    queries = [query if i == 1 else ">\n" + query.split("\n", 1)[1] for i, query in enumerate(blast.queries["protein"][:4])]
    for options in ([], ["-parse_deflines"]):
        whole = search(blast, "blastp", queries, outfmt, *options)
        children = write(tmp_path, [search(blast, "blastp", part, outfmt, *options) for part in split(queries, 2)])
        text, report = merged(children, "--as-unsplit")
        assert text == whole, difference(text, whole)
        assert report["unsplit"]["renumbered_ids"] > 0


@pytest.mark.parametrize("outfmt", ["6 qseqid stitle evalue", "6 std stitle", "7 qseqid sseqid qseq", "7 std staxids",
                                    "10 qacc evalue"])
def test_other_columns(blast, tmp_path, outfmt):  # noqa: F811
    queries = blast.queries["protein"][:3]
    whole = search(blast, "blastp", queries, outfmt)
    children = write(tmp_path, [search(blast, "blastp", part, outfmt) for part in split(queries, 3)])
    name = NAMES[outfmt.split()[0]]
    text, _ = merged(children, "--format", name)
    assert text == whole
    found = run("--quiet", *children)
    if outfmt.startswith("7") or " std" in outfmt:
        assert found.text == whole
    else:
        assert found.code == DATA and "--format tabular or --format csv" in found.err


@pytest.mark.parametrize("outfmt", NAMES)
def test_batch_that_cannot_be_searched(blast, tmp_path, outfmt):  # noqa: F811
    """A child of only such queries: what an unsplit run says of them cannot be known, and that is reported."""
    queries = [*blast.queries["dna"][:2], ">all N\n" + "N" * 60 + "\n"]
    whole = search(blast, "blastn", queries, outfmt)
    texts = [search(blast, "blastn", part, outfmt) for part in (queries[:2], queries[2:])]
    report = tmp_path / "report.json"
    done = run("--as-unsplit", "--allow-empty", "--report", report, "--plain", *write(tmp_path, texts))
    assert done.code == 0
    n_bare = json.loads(report.read_bytes())["unsplit"]["bare_iterations"]
    if outfmt in ("6", "10"):
        assert done.out == whole and n_bare == 0
    else:
        assert done.out != whole and n_bare == 1 and "could not be searched" in done.err


def formatted(blast, folder, program, outfmt):  # noqa: F811
    """What the program writes in a format that is not merged: all the files."""
    query = blast.queries["dna" if program == "blastn" else "protein"][0]
    database = blast.folder / ("genome" if program == "blastn" else "proteins")
    subprocess.run([program, "-db", database, "-outfmt", outfmt, "-out", "result"], cwd=folder, input=query.encode(), check=True)
    return sorted(folder.iterdir())


@pytest.mark.parametrize("program, outfmt, files", [
    ("blastp", "13", {"result": "the master file of -outfmt 13, whose reports are in other files, which is not merged; search with -outfmt 15",
                      "result_1.json": "one query's report of -outfmt 13, which is not merged; search with -outfmt 15"}),
    ("blastp", "14", {"result": "the master file of -outfmt 14, whose reports are in other files, which is not merged; search with -outfmt 16",
                      "result_1.xml": "one query's report of -outfmt 14, which is not merged; search with -outfmt 16"}),
    ("blastn", "17", {"result": "SAM (-outfmt 17), which samtools merges"}),
    ("blastn", "17 SR", {"result": "SAM (-outfmt 17), which samtools merges"}),
    ("blastp", "8", {"result": "BLAST's ASN.1 (-outfmt 8 or 9), which is not merged"}),
    ("blastp", "9", {"result": "BLAST's ASN.1 (-outfmt 8 or 9), which is not merged"}),
    ("blastp", "12", {"result": "BLAST's JSON of alignments (-outfmt 12), which is not merged; search with -outfmt 15"}),
    ("blastp", "0", {"result": "a plain BLAST report (-outfmt 0 to 4), which is not merged"}),
    ("blastp", "4", {"result": "a plain BLAST report (-outfmt 0 to 4), which is not merged"}),
])
def test_real_output_that_is_not_merged(blast, tmp_path, program, outfmt, files):  # noqa: F811
    """Each says what to do instead, first or behind a child that can be merged, plain or compressed."""
    made = tmp_path / "made"
    made.mkdir()
    paths = formatted(blast, made, program, outfmt)
    assert [path.name for path in paths] == sorted(files)
    good = write(tmp_path, [make("16", 1)[0]])
    for path in paths:
        packed = tmp_path / "packed.gz"
        packed.write_bytes(gzip.compress(path.read_bytes()))
        for children in ([path], [packed], [*good, path]):
            done = run("-o", tmp_path / "merged", *children)
            assert done.code in (DATA, MISMATCH) and not (tmp_path / "merged").exists()
            assert done.code == MISMATCH or files[path.name] in done.err, done.err


# --- seams, damage and mixtures, without BLAST -------------------------------------------------------

COLUMNS = "query acc.ver, subject acc.ver, % identity, alignment length, mismatches, gap opens, q. start, q. end, s. start, s. end, evalue, bit score"


def row(chance, separator="\t"):
    fields = [f"query_{chance.randrange(9)}", f"sp|P{chance.randrange(10**5)}|X", "43.333"]
    return separator.join(fields + [str(chance.randrange(10**chance.randrange(1, 6))) for _ in range(9)]) + "\n"


def make(outfmt, seed, n_queries=5):
    """One document: (text, what of it is the body)."""
    chance = random.Random(seed)
    if outfmt in ("6", "10"):
        text = "".join(row(chance, "\t" if outfmt == "6" else ",") for _ in range(n_queries * 7)).encode()
        return text, text
    if outfmt == "7":
        body = ""
        for i in range(n_queries):
            n_rows = chance.randrange(9)
            fields = f"# Fields: {COLUMNS}\n" if n_rows else ""
            body += f"# BLASTP 2.12.0+\n# Query: q{i} é\n# Database: nr\n{fields}# {n_rows} hits found\n"
            body += "".join(row(chance) for _ in range(n_rows))
        return (body + f"# BLAST processed {n_queries} queries\n").encode(), body.encode()
    reports = []
    for i in range(n_queries):
        hits = "".join(f"<Hit><num>{j}</num><title>a &gt; b</title><hsps><Hsp><num>1</num></Hsp></hsps></Hit>\n"
                       for j in range(chance.randrange(40)))
        reports.append("<BlastOutput2>\n  <report>\n<Report><program>blastp</program><version>BLASTP 2.12.0+</version>\n"
                       "<search-target><Target><db>nr</db></Target></search-target>\n"
                       "<params><Parameters><expect>10</expect></Parameters></params>\n"
                       f"<results><Results><search><Search><query-id>q{i}</query-id><hits>\n{hits}</hits></Search></search>"
                       "</Results></results>\n</Report></report>\n</BlastOutput2>\n")
    body = "\n".join(reports)
    return f'<?xml version="1.0"?>\n<BlastXML2\n    xmlns="x"\n>\n{body}</BlastXML2>\n'.encode(), body.encode()


def expected(outfmt, made, n_queries):
    bodies = [body for _, body in made if body]
    if outfmt == "16":
        return b'<?xml version="1.0"?>\n<BlastXML2\n    xmlns="x"\n>\n' + b"\n".join(bodies) + b"</BlastXML2>\n"
    if outfmt == "7":
        return b"".join(bodies) + b"# BLAST processed %d queries\n" % n_queries
    return b"".join(bodies)


@pytest.mark.parametrize("outfmt", NAMES)
def test_seams_of_batches(tmp_path, outfmt):
    """Children of many sizes, stored, of tiny blocks and of large ones; documents without a query among them."""
    for seed in range(12):
        sizes = [random.Random(seed * 100 + i).choice([1, 3, 40, 800]) for i in range(4)]
        if outfmt in ("7", "16"):
            sizes.insert(seed % 5, 0)
        made = [make(outfmt, seed * 10 + i, size) for i, size in enumerate(sizes)]
        paths = []
        for i, (text, _) in enumerate(made):
            paths.append(tmp_path / f"{i}.gz")
            pieces = [text[at:at + 70000] for at in range(0, len(text), 70000)]
            paths[-1].write_bytes(b"".join(gzip.compress(piece, (seed + i) % 10) for piece in pieces))
        text, report = merged(paths, "--threads", str(1 + seed % 3))
        wanted = expected(outfmt, made, sum(sizes))
        assert text == wanted, difference(text, wanted)
        assert report["format"] == NAMES[outfmt]
        if outfmt in ("7", "16"):
            assert report["totals"]["iterations"] == sum(sizes)


@pytest.mark.parametrize("outfmt", NAMES)
def test_cut_anywhere(tmp_path, outfmt):
    """A plain child cut short is refused, but for tables without comments cut between two lines, and for what a last line without
    its end can be: whole by its number of fields, with a last one that does not break off; and the line behind the last part."""
    good, _ = make(outfmt, 1)
    text, _ = make(outfmt, 2, 2)
    end = text.rindex(b"</BlastXML2>") + len(b"</BlastXML2>") if outfmt == "16" else len(text)
    places = random.Random(3).sample(range(1, end), min(end - 1, 60))
    for place in places:
        is_whole = outfmt == "7" and place == len(text) - 1
        if outfmt in ("6", "10"):
            fields = text[:place].rpartition(b"\n")[2].split(b"\t" if outfmt == "6" else b",")
            is_whole = text[place - 1:place] == b"\n" or (len(fields) == 12 and fields[-1].isdigit())
        done = run("check", *write(tmp_path, [good, text[:place]]))
        assert done.code == (0 if is_whole else DATA), (place, done.err)
        assert is_whole or "batch_2: " in done.err


@pytest.mark.parametrize("outfmt", NAMES)
def test_cut_gzip_anywhere(tmp_path, outfmt):
    packed = gzip.compress(make(outfmt, 2, 3)[0])
    target = tmp_path / "merged"
    for place in random.Random(4).sample(range(1, len(packed)), 40):
        child = tmp_path / "child.gz"
        child.write_bytes(packed[:place])
        assert run("-o", target, child).code == DATA
        assert only_files(tmp_path) == ["child.gz"]


@pytest.mark.parametrize("outfmt", ["6", "7"])
def test_damaged_rows(tmp_path, outfmt):
    """A byte of a separator or a line's end changed: the row is named."""
    good, _ = make(outfmt, 1)
    text, _ = make(outfmt, 2, 30)
    rows = [match for match in re.finditer(rb"^query_.*\n", text, re.MULTILINE)]
    for chosen in random.Random(5).sample(rows, 12):
        place = random.Random(chosen.start()).choice([i for i in range(*chosen.span()) if text[i:i + 1] in b"\t\n"])
        for byte in (b" ", b"\0"):
            damaged = text[:place] + byte + text[place + 1:]
            done = run("check", *write(tmp_path, [good, damaged]))
            assert done.code == DATA, done.err
            at = int(re.search(r"at byte (\d+) of its text", done.err)[1])
            assert at == (place if byte == b"\0" else chosen.start())


def test_different_formats(tmp_path):
    texts = {outfmt: make(outfmt, 1)[0] for outfmt in NAMES}
    texts["5"] = b"<BlastOutput><BlastOutput_program>blastp</BlastOutput_program><BlastOutput_iterations/></BlastOutput>"
    texts["15"] = b'{\n"BlastOutput2": [\n]\n}\n'
    for first in texts:
        for second in texts:
            if first == second:
                continue
            done = run("-o", tmp_path / "merged", *write(tmp_path, [texts[first], texts[second]]))
            assert done.code == MISMATCH, (first, second, done.err)
            assert f"(-outfmt {first}) came before" in done.err and f"(-outfmt {second}), but" in done.err
            assert "merged" not in only_files(tmp_path)


def test_format_that_is_given(tmp_path):
    """It is checked as such, whatever it looks like."""
    texts = {outfmt: make(outfmt, 1)[0] for outfmt in NAMES}
    for outfmt, name in NAMES.items():
        child = write(tmp_path, [texts[outfmt]])
        assert run("--format", name, "--plain", *child).out == texts[outfmt]
        for other in ("16", "7"):
            if other != outfmt:
                assert run("--format", NAMES[other], *child).code == DATA


def test_salvage_says_who_said_so(tmp_path):
    """What the children must be is what --format says, or else what came before."""
    xml = b"<BlastOutput><BlastOutput_program>blastp</BlastOutput_program><BlastOutput_iterations/></BlastOutput>"
    paths = write(tmp_path, [xml, make("16", 1)[0]])
    for options, words in ([], "came before: all children must have one format"), (["--format", "xml"], "was expected"):
        done = run("--salvage", *options, *paths)
        assert f"(-outfmt 16), but BLAST XML (-outfmt 5) {words}" in done.err, done.err


@pytest.mark.parametrize("child", [b"\n", b"\r\n", b"\n" * 5000])
def test_empty_lines_are_no_table_with_comments(tmp_path, child):
    """Which has a last line at least. Behind one that is whole, too."""
    for options, before in (["--format", "commented"], []), ([], [make("7", 1)[0]]):
        done = run("-o", tmp_path / "merged", *options, *write(tmp_path, [*before, child]))
        assert done.code == DATA and '"# BLASTP VERSION" or the like was expected here' in done.err, done.err
        assert "merged" not in only_files(tmp_path)


@pytest.mark.parametrize("change, code, words", [
    ((b"# BLASTP", b"# BLASTX"), MISMATCH, "its program is BLASTX"),
    ((b"2.12.0+", b"2.13.0+"), 0, "its version is BLASTP 2.13.0+"),
    ((b"Database: nr", b"Database: nt"), 0, "its db is nt"),
    ((b", bit score", b", score"), MISMATCH, "its fields are"),
])
def test_headers_of_tables(tmp_path, change, code, words):
    texts = [make("7", 1)[0], make("7", 2)[0].replace(b"# Query: ", b"# Query: other ")]
    done = run("-o", tmp_path / "merged", *write(tmp_path, [texts[0], texts[1].replace(*change)]))
    assert done.code == code and words in done.err
    ignored = run("--mismatch", "ignore", "-o", tmp_path / "ignored", *write(tmp_path, [texts[0], texts[1].replace(*change)]))
    assert ignored.code == 0 and not ignored.err


@pytest.mark.parametrize("change, code, words", [
    ((b">blastp<", b">blastx<"), MISMATCH, "its program is blastx"),
    ((b"BLASTP 2.12.0+", b"BLASTP 2.2.31+"), 0, "its version is BLASTP 2.2.31+"),
    ((b"<db>nr", b"<db>nt"), 0, "its db is nt"),
    ((b"<expect>10", b"<expect>1"), 0, "its expect is 1"),
])
def test_headers_of_xml2(tmp_path, change, code, words):
    texts = [make("16", seed)[0] for seed in (1, 2)]
    done = run("-o", tmp_path / "merged", *write(tmp_path, [texts[0], texts[1].replace(*change)]))
    assert done.code == code and words in done.err


def test_other_numbers_of_columns(tmp_path):
    first, second = make("6", 1)[0], make("6", 2)[0].replace(b"\n", b"\ttitle\n")
    done = run("-o", tmp_path / "merged", *write(tmp_path, [first, second]))
    assert done.code == MISMATCH and "its columns are 13, but those of" in done.err
    assert run("--mismatch", "warn", "--plain", *write(tmp_path, [first, second])).out == first + second


def test_first_document_without_hits(tmp_path):
    """It has no "# Fields:", which is no difference; the next one's are then the merge's."""
    empty = b"# BLASTP 2.12.0+\n# Query: a\n# Database: nr\n# 0 hits found\n# BLAST processed 1 queries\n"
    texts = [empty, make("7", 1)[0], make("7", 2)[0].replace(b"# Query: ", b"# Query: other ")]
    assert run("--plain", *write(tmp_path, texts)).err == ""
    texts[2] = texts[2].replace(b", bit score", b", score")
    assert run(*write(tmp_path, texts)).code == MISMATCH


def test_database_name_is_xmls(tmp_path):
    for outfmt in NAMES:
        child = write(tmp_path, [make(outfmt, 1)[0]])
        done = run("--db", "mine", *child)
        assert done.code == USAGE and "--db is only for BLAST XML (-outfmt 5)" in done.err
        assert run("--keep-db", *child).code == 0


def test_what_is_not_merged(tmp_path):
    """Each says what to do instead."""
    for text, words in [(b"@HD\tVN:1.2\tSO:coordinate\n", "samtools"),
                        (b"@SQ\tSN:x\tLN:1\n", "samtools"),
                        (b"Blast4-request ::= {\n", "-outfmt 11"),
                        (b'<?xml version="1.0"?>\n<BlastXML2 xmlns:xi="http://www.w3.org/2003/XInclude">\n'
                         b'\t<xi:include href="x_1.xml"/>\n</BlastXML2>\n', "-outfmt 16"),
                        (b'<?xml version="1.0"?>\n<BlastOutput2 xmlns="http://www.ncbi.nlm.nih.gov">\n', "-outfmt 16"),
                        (b"q\ts\t1e-5\n", "--format tabular or --format csv")]:
        done = run("-o", tmp_path / "merged", *write(tmp_path, [text]))
        assert done.code == DATA and words in done.err, done.err


def test_converted_xml2(tmp_path):
    """As in BLAST XML: a declared encoding is converted, bytes that are not UTF-8 are an error."""
    text = make("16", 1)[0].replace(b"a &gt; b", "café".encode("latin-1"))
    declared = text.replace(b'?>', b' encoding="ISO-8859-1"?>', 1)
    made = run("--plain", *write(tmp_path, [declared, declared]))
    assert made.out.count("café".encode()) == 2 * text.count(b"caf") and b"encoding" not in made.out
    assert run(*write(tmp_path, [text])).code == DATA
    assert run("--invalid-utf8", "keep", "--plain", *write(tmp_path, [text])).out == text
