# SPDX-License-Identifier: MIT
"""--expect-queries against real BLAST, which makes names of its own of what is in a title line.

A generator of odd FASTA (deflines.py): whole results must do, and must not with an Iteration taken out, doubled or in
another's place. BLASTMERGE_TEST_DEFLINES=N runs N files of each program; BLASTMERGE_SKIP_BLAST=1 skips it.
"""
import gzip
import os
import random
import re
import shutil
import subprocess

import deflines
import program
import pytest

N = int(os.environ.get("BLASTMERGE_TEST_DEFLINES", "3"))
PROGRAMS = {"blastp": True, "blastn": False, "megablast": False, "blastx": False, "tblastn": True, "psiblast": True}
DATA = program.ROOT / "tests" / "data" / "queries"
ITERATION = re.compile(r"<Iteration>.*?</Iteration>\n", re.DOTALL)
NAMELESS = ("No definition line", "unnamed protein product")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    if os.environ.get("BLASTMERGE_SKIP_BLAST"):
        pytest.skip("BLASTMERGE_SKIP_BLAST is set: NOTHING IS PROVED WITH REAL BLAST")
    for need in ("blastp", "blastn", "blastx", "tblastn", "psiblast", "makeblastdb"):
        if not shutil.which(need):
            pytest.fail(f"{need} is missing: apt install ncbi-blast+, or set BLASTMERGE_SKIP_BLAST=1")
    made = tmp_path_factory.mktemp("deflines")
    rng = random.Random(7)
    (made / "protein").write_text(">s\n" + deflines.residues(rng, deflines.AMINO, 60) + "\n")
    (made / "dna").write_text(">s\n" + deflines.residues(rng, deflines.BASES, 90) + "\n")
    return made


def search(folder, name, queries, is_parsed, *more):
    """The text that BLAST writes; None: BLAST refuses one of the queries, or fails at it."""
    (folder / "queries").write_bytes(queries)
    binary = "blastn" if name == "megablast" else name
    command = [binary, "-query", folder / "queries", "-outfmt", "5", "-out", folder / "result", *more]
    if "-db" not in more:
        command += ["-subject", folder / ("dna" if binary in ("blastn", "tblastn") else "protein")]
    command += ["-task", name] if binary == "blastn" else []
    command += ["-parse_deflines"] if is_parsed else []
    done = subprocess.run(command, capture_output=True, check=False)
    text = (folder / "result").read_bytes().decode("latin-1")
    return None if done.returncode or "Failed" in done.stderr.decode("latin-1") or "</BlastOutput>" not in text else text


def check(folder, text, iterations):
    head, tail = ITERATION.split(text)[0], ITERATION.split(text)[-1]
    (folder / "child.xml.gz").write_bytes(gzip.compress((head + "".join(iterations) + tail).encode("latin-1"), 1))
    return program.run("check", "--invalid-utf8", "latin1", "--expect-queries", folder / "queries", folder / "child.xml.gz")


def known_by(iteration):
    """What an Iteration can be told by: an id that BLAST did not make up, or the title; and the length."""
    name, title, length = (re.search(f"<Iteration_query-{tag}>(.*?)</Iteration_query-{tag}>", iteration, re.DOTALL)[1]
                           for tag in ("ID", "def", "len"))
    if re.fullmatch(r"Query_\d+", name):
        name = "" if title in NAMELESS else title.split()[0]
    return name, length


def hold(folder, text, rng, n_changes=4, has_rounds=False):
    """The whole is right; then what is wrong. Returns how many were looked at."""
    iterations = ITERATION.findall(text)
    done = check(folder, text, iterations)
    queries = (folder / "queries").read_bytes()
    assert done.code == 0, (done.err, queries)
    for _ in range(n_changes):
        one, other = rng.randrange(len(iterations)), rng.randrange(len(iterations))
        without = iterations[:one] + iterations[one + 1:]
        doubled = iterations[:other] + [iterations[one]] + iterations[other:]
        swapped = list(iterations)
        swapped[one], swapped[other] = swapped[other], swapped[one]
        changes = [without] if without else []
        if not has_rounds or other not in (one, one + 1):
            changes.append(doubled)
        if known_by(iterations[one]) != known_by(iterations[other]):
            changes.append(swapped)
        for changed in changes:
            done = check(folder, text, changed)
            assert done.code == program.MISMATCH, (done, queries, [known_by(each) for each in changed])
    return 1


@pytest.mark.parametrize("is_parsed", [False, True], ids=["titles", "parse_deflines"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_odd_titles(folder, name, is_parsed):
    n_done = seed = 0
    while n_done < N:
        assert seed < 20 + 6 * N, "BLAST refuses nearly all files"
        text = search(folder, name, deflines.fasta(seed, PROGRAMS[name], is_parsed), is_parsed)
        if text is not None:
            n_done += hold(folder, text, random.Random(seed), has_rounds=name == "psiblast")
        seed += 1


BLOCK = {"6": rb"([^\t\n]*)\t[^\n]*\n(?:\1\t[^\n]*\n)*", "10": rb"([^,\n]*),[^\n]*\n(?:\1,[^\n]*\n)*",
         "7": rb"# BLASTP .*?\n# Query: ([^\n]*)\n.*?(?=# BLAST)",
         "15": rb'\{\n    "report": \{.*?"query_id": "(Query_\d+",\s+"query_title": "[^"\n]*|[^"]*)".*?\n  \}\n'}


def search_blocks(folder, queries, outfmt, is_parsed):
    """The result's text as what is before its queries' blocks, these, and what is after them; None: BLAST refuses a query. Each query has a hit."""
    first_lines = re.findall(rb"^[A-Z]{20}$", queries.replace(b"\r", b"\n"), re.MULTILINE)
    (folder / "subject").write_bytes(b">s\n" + b"".join(first_lines) + b"\n")
    (folder / "queries").write_bytes(queries)
    command = ["blastp", "-query", folder / "queries", "-subject", folder / "subject", "-outfmt", outfmt]
    done = subprocess.run(command + ["-parse_deflines"] * is_parsed, capture_output=True, check=False)
    if done.returncode or b"Failed" in done.stderr or not done.stdout:
        return None
    blocks = list(re.finditer(BLOCK[outfmt], done.stdout, re.DOTALL))
    return done.stdout[:blocks[0].start()], blocks, done.stdout[blocks[-1].end():]


def is_table_by_its_first_row(outfmt, text):
    """Another check than that of queries refuses a table that begins with a control character, or, of CSV, with a comma in a name."""
    first = text.split(b"\n")[0]
    return first[0] >= 32 and (outfmt != "10" or first.count(b",") == 11)


@pytest.mark.parametrize("is_parsed", [False, True], ids=["titles", "parse_deflines"])
@pytest.mark.parametrize("outfmt", BLOCK)
def test_odd_titles_in_other_formats(folder, outfmt, is_parsed):
    """A row shows a name and no length: what is wrong is known where no other query can have that name. A gap between rows is no error."""
    has_gaps = outfmt in ("6", "10")
    n_done = n_changes = seed = 0

    def check_blocks(head, texts, tail):
        tail = re.sub(rb"processed \d+ ", b"processed %d " % len(texts), tail)
        (folder / "child").write_bytes(head + (b",\n" if outfmt == "15" else b"").join(texts) + tail)
        (folder / "missing").unlink(missing_ok=True)
        return program.run("check", "--invalid-utf8", "latin1", "--expect-queries", folder / "queries", "--missing", folder / "missing", folder / "child")

    while n_done < max(N, 8):
        queries = deflines.fasta(seed, True, is_parsed)
        found = search_blocks(folder, queries, outfmt, is_parsed)
        rng = random.Random(seed)
        seed += 1
        assert seed < 20 + 6 * max(N, 8), "BLAST refuses nearly all files"
        if found is None or not is_table_by_its_first_row(outfmt, found[0] + found[1][0][0]):
            continue
        head, blocks, tail = found
        texts = [block[0] for block in blocks]
        done = check_blocks(head, texts, tail)
        assert done.code == 0, (done.err, queries)
        n_done += 1
        words = [re.split(rb"[_:\s]", block[1].split(b'"')[-1])[0] for block in blocks]
        known = [n for n, word in enumerate(words) if len(word) > 2 and queries.count(word) == 1 and not re.search(rb"Query_\d", word)
                 and is_table_by_its_first_row(outfmt, texts[n])]
        if len(texts) > 1:
            one = rng.randrange(1, len(texts))  # the first row stays
            done = check_blocks(head, texts[:one] + texts[one + 1:], tail)
            assert done.code == (0 if has_gaps else program.MISMATCH), (done, queries)
            assert (folder / "missing").read_bytes(), queries
        if len(known) > 1:
            one, other = sorted(rng.sample(known, 2))
            swapped = list(texts)
            swapped[one], swapped[other] = swapped[other], swapped[one]
            for changed in (swapped, texts[:other + 1] + [texts[one]] + texts[other + 1:]):
                done = check_blocks(head, changed, tail)
                assert done.code == program.MISMATCH, (done, queries, words)
                n_changes += 1
    assert n_changes > n_done


def test_every_id_and_title(folder):
    """Each by itself, between two ordinary ones, as the generator takes them by chance."""
    titles = [(False, title) for title in deflines.WHOLE] + [(True, title) for title in deflines.IDS]
    for number, (is_parsed, title) in enumerate(titles if N > 3 else titles[::8]):
        for old, new in (("{n:05}", "00012"), ("{n:06}", "000012"), ("{n}", "12"), ("{c}", "1")):
            title = title.replace(old, new)
        rest = deflines.TITLES[number % len(deflines.TITLES)] if is_parsed else ""
        sequence = deflines.residues(random.Random(number), deflines.AMINO, 40)
        queries = f">first\n{sequence[:30]}\n>{title}{rest}\n{sequence}\n>last z\n{sequence[:20]}\n".encode()
        text = search(folder, "blastp", queries, is_parsed)
        if text is not None:
            hold(folder, text, random.Random(number), n_changes=1)


@pytest.mark.parametrize("order", [[], ["--order-by-queries"]], ids=["in order", "in any order"])
@pytest.mark.parametrize("outfmt", ["5", "6", "7", "10", "15", "16"])
def test_ranges_in_every_format(folder, outfmt, order):
    """BLAST makes up an id for chr1:100-200. A table's comment has it before the title, a row has it alone."""
    sequence = (folder / "protein").read_text().split("\n")[1]
    titles = ["chr1:100-200 end x", "b y", "chr2:c9-5", "gi|7:5-9 z"]
    queries = folder / "ranges"
    child = folder / "ranges.out"

    def run(*titles):
        queries.write_text("".join(f">{title}\n{sequence[:60 - n]}\n" for n, title in enumerate(titles)))
        return program.run("check", *order, "--expect-queries", queries, child)

    run(*titles)
    subprocess.run(["blastp", "-query", queries, "-subject", folder / "protein", "-parse_deflines", "-outfmt", outfmt, "-out", child], check=True)
    assert b"Query_1" in child.read_bytes()
    done = run(*titles)
    assert done.code == 0 and "have no" not in done.err, done.err
    if outfmt not in ("6", "10"):
        assert run("chr1:100-200 other", *titles[1:]).code == program.MISMATCH
        assert run(*titles[1:]).code == program.MISMATCH
        assert run(*titles, "c").code == program.MISMATCH


def test_parts_of_queries(folder):
    """-query_loc: what BLAST calls a query's length is that of the part."""
    queries = "".join(f">q{n} t\n{'ACDEFGHIKL' * n}\n" for n in (4, 2, 3, 6)).encode()
    for location in ("1-15", "5-15", "5-100", "5-25"):
        text = search(folder, "blastp", queries, False, "-query_loc", location)
        if text is not None:
            hold(folder, text, random.Random(1))


@pytest.mark.parametrize("is_parsed", [False, True], ids=["titles", "parse_deflines"])
def test_rounds(folder, is_parsed):
    """PSI-BLAST writes an Iteration for each round; queries of one id stand one after the other."""
    sequence = (folder / "protein").read_text().split("\n")[1]
    if not (folder / "database.pin").exists():
        subprocess.run(["makeblastdb", "-in", folder / "protein", "-dbtype", "prot", "-out", folder / "database"], check=True, capture_output=True)
    lengths = [("a x", 60), ("a y", 52), ("b", 51), ("b", 51), ("", 55), ("", 54), ("", 54), ("c z", 53)]
    queries = "".join(f">{title}\n{sequence[:n]}\n" for title, n in lengths).encode()
    text = search(folder, "psiblast", queries, is_parsed, "-db", folder / "database", "-num_iterations", "3")
    assert len(ITERATION.findall(text)) > len(lengths)
    hold(folder, text, random.Random(4), n_changes=0)
    (folder / "queries").write_bytes(queries.replace(b">c z", b">d\nMKV\n>c z"))
    assert check(folder, text, ITERATION.findall(text)).code == program.MISMATCH


@pytest.mark.parametrize("path", sorted(DATA.glob("*.fa")), ids=lambda path: path.stem)
def test_pairs(tmp_path, path):
    """Files of queries and what BLAST 2.12 wrote for them."""
    (tmp_path / "queries").write_bytes(path.read_bytes())
    text = gzip.decompress(path.with_suffix(".xml.gz").read_bytes()).decode("latin-1")
    assert hold(tmp_path, text, random.Random(2), n_changes=8)


def test_there_are_pairs():
    assert len(list(DATA.glob("*.fa"))) == 8
