# SPDX-License-Identifier: MIT
"""Real BLAST, whole and split; and real readers of the merge.

Needs Debian's ncbi-blast+, mmseqs2-examples and ragout-examples; fails without them.
BLASTMERGE_SKIP_BLAST=1 skips it.
"""
import gzip
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from Bio import SearchIO
from Bio.Blast import NCBIXML

import oracle
from program import ROOT, difference, run

PROTEINS = Path("/usr/share/doc/mmseqs2/example-data")
GENOMES = Path("/usr/share/doc/ragout/examples/H.Pylori/references")
DATA = ROOT / "tests" / "data"


@pytest.fixture(scope="module")
def blast(tmp_path_factory):
    """A folder with two databases and queries: search() makes children of them."""
    if os.environ.get("BLASTMERGE_SKIP_BLAST"):
        pytest.skip("BLASTMERGE_SKIP_BLAST is set: NOTHING IS PROVED WITH REAL BLAST")
    for need in ("blastp", "blastn", "blastx", "tblastn", "psiblast", "makeblastdb", "xmllint"):
        if not shutil.which(need):
            pytest.fail(f"{need} is missing: apt install ncbi-blast+ libxml2-utils, or set BLASTMERGE_SKIP_BLAST=1")
    for need in (PROTEINS, GENOMES):
        if not need.is_dir():
            pytest.fail(f"{need} is missing: apt install mmseqs2-examples ragout-examples, "
                        "or set BLASTMERGE_SKIP_BLAST=1")
    return Blast(tmp_path_factory.mktemp("blast"))


def records(path):
    return [">" + record for record in gzip.open(path, "rt").read().split(">")[1:]]


class Blast:
    def __init__(self, folder):
        self.folder = folder
        self.queries = {"protein": records(PROTEINS / "QUERY.fasta.gz"), "dna": self.reads()}
        self.make_database("proteins", "prot", "".join(records(PROTEINS / "DB.fasta.gz")[:400]))
        genome = "".join(records(GENOMES / "G27.fasta.gz")[0].split("\n")[1:])
        self.make_database("genome", "nucl", f">G27\n{genome[:450000]}\n")

    @staticmethod
    def reads():
        """Pieces of another strain's genome, and some that are found nowhere."""
        genome = "".join(records(GENOMES / "ELS37.fasta.gz")[0].split("\n")[1:])
        reads = [f">read_{i} from {i * 9000} & <on>\n{genome[i * 9000:i * 9000 + 300]}\n" for i in range(50)]
        return reads[:20] + [">poly_a\n" + "A" * 100 + "\n", ">nothing known\n" + "N" * 60 + "\n"] + reads[20:]

    def make_database(self, name, kind, fasta):
        subprocess.run(["makeblastdb", "-dbtype", kind, "-title", name, "-out", name], input=fasta.encode(),
                       cwd=self.folder, stdout=subprocess.DEVNULL, check=True)

    def search(self, program, queries, *options):
        """One document, as the program wrote it."""
        (self.folder / "query.fasta").write_text("".join(queries))
        database = "proteins" if program in ("blastp", "blastx", "psiblast") else "genome"
        command = [program, "-query", "query.fasta", "-db", database, "-outfmt", "5", *options]
        return subprocess.run(command, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              check=True).stdout

    def split_search(self, program, queries, n_children, *options):
        """The same as paths of n compressed children, and their bytes."""
        children = []
        for i in range(n_children):
            part = queries[len(queries) * i // n_children:len(queries) * (i + 1) // n_children]
            path = self.folder / f"batch_{i + 1}.xml.gz"
            subprocess.run(["gzip", "-c"], input=self.search(program, part, *options), stdout=open(path, "wb"),
                           check=True)
            children.append(path)
        return children


def without_query_ids(text):
    """What must be equal in a merge and an unsplit run: all but Query_N, which --query-ids is about."""
    return re.sub(rb"(<Iteration_query-ID>|Iteration_message>|  )(Query_\d+)", rb"\1Query_N", text)


def check_merge(folder, children, n_queries):
    """Merges, compares with the oracle, and reads the result back with everything there is."""
    merged = folder / "merged.xml.gz"
    done = run("--force", "-o", merged, *children)
    assert done.code == 0, done.err
    subprocess.run(["gzip", "-t", merged], check=True)
    text = gzip.decompress(merged.read_bytes())
    expected = oracle.merge([path.read_bytes() for path in children])
    assert text == expected, difference(text, expected)
    check_readers(folder, text, n_queries)
    keeping = run("--keep-db", "--plain", *children)
    assert keeping.code == 0, keeping.err
    return keeping.out


def check_readers(folder, text, n_queries):
    path = folder / "merged.xml"
    path.write_bytes(text)
    n_iterations = text.count(b"\n<Iteration>\n")
    assert n_iterations > 0
    with open(path, encoding="utf-8") as file:
        ids = [record.query_id for record in NCBIXML.parse(file)]
    assert (len(ids), len(set(ids))) == (n_iterations, n_queries)
    results = list(SearchIO.parse(path, "blast-xml"))
    assert sum(len(result.hits) for result in results) == text.count(b"<Hit>")
    subprocess.run(["xmllint", "--noout", "--nonet", path], check=True)


SEARCHES = {
    "blastp": ("blastp", "protein", 14, []),
    # By chance alone there are alignments of equal scores, whose order depends on what else BLAST searches for.
    "blastn": ("blastn", "dna", 42, ["-task", "blastn", "-evalue", "1e-3"]),
    "megablast": ("blastn", "dna", 52, []),
    "blastx": ("blastx", "dna", 12, []),
    "tblastn": ("tblastn", "protein", 14, []),
    "psiblast": ("psiblast", "protein", 7, ["-num_iterations", "3"]),
    "blastp, named queries": ("blastp", "protein", 14, ["-parse_deflines"]),
}


@pytest.mark.parametrize("n_children", [1, 3, 7])
@pytest.mark.parametrize("name", SEARCHES)
def test_split_search(blast, name, n_children):
    program, kind, n_queries, options = SEARCHES[name]
    queries = blast.queries[kind][:n_queries]
    if name != "psiblast":
        options = options + ["-max_target_seqs", "20"]
    children = blast.split_search(program, queries, n_children, *options)
    keeping = check_merge(blast.folder, children, n_queries)
    whole = blast.search(program, queries, *options)
    assert b"Query_N" in without_query_ids(whole) or "named" in name
    assert keeping == whole, difference(keeping, whole)
    kept_ids = run("--keep-db", "--plain", "--query-ids", "keep", *children).out
    assert without_query_ids(kept_ids) == without_query_ids(whole), difference(kept_ids, whole)


def test_forty_children(blast):
    """Children of one query each: without hits, and one of only N."""
    queries = blast.queries["dna"][:40]
    keeping = check_merge(blast.folder, blast.split_search("blastn", queries, 40), 40)
    assert b"No hits found" in keeping
    whole = blast.search("blastn", queries)
    assert keeping == whole, difference(keeping, whole)


def test_several_documents_in_one_file(blast):
    """-mt_mode 1 writes one document for each part of the queries."""
    queries = blast.queries["protein"][:60]
    options = ["-max_target_seqs", "5", "-mt_mode", "1", "-num_threads", "2"]
    environment = dict(os.environ, BATCH_SIZE="5000")
    children = []
    for i in range(2):
        (blast.folder / "query.fasta").write_text("".join(queries[30 * i:30 * i + 30]))
        for _ in range(5):
            done = subprocess.run(["blastp", "-query", "query.fasta", "-db", "proteins", "-outfmt", "5", *options],
                                  cwd=blast.folder, stdout=subprocess.PIPE, env=environment, check=False)
            if done.returncode >= 0:
                break  # BLAST+ 2.12 itself dies of SIGSEGV now and then with -mt_mode 1
        done.check_returncode()
        text = done.stdout
        assert text.count(b"<?xml") > 1
        children.append(blast.folder / f"batch_{i}.xml.gz")
        children[-1].write_bytes(gzip.compress(text))
    keeping = check_merge(blast.folder, children, 60)
    whole = blast.search("blastp", queries, "-max_target_seqs", "5")
    assert keeping == whole, difference(keeping, whole)


def test_query_title_that_is_not_utf8(blast):
    """BLAST 2.12 writes a UTF-8 title as Latin-1, and calls it UTF-8."""
    child = blast.folder / "latin.xml.gz"
    child.write_bytes(gzip.compress(blast.search("blastp", [">a café au lait\n" + "MKVLAAGIVG" * 8 + "\n"])))
    if b"caf\xe9" not in gzip.decompress(child.read_bytes()):
        pytest.skip("this BLAST writes UTF-8 as it is")
    refused = run(child)
    assert refused.code == 3 and "latin.xml.gz" in refused.err and "UTF-8" in refused.err
    converted = run("--invalid-utf8", "latin1", child)
    assert "café au lait".encode() in converted.text
    kept = run("--invalid-utf8", "keep", child)
    assert b"caf\xe9 au lait" in kept.text


def test_empty_query_file(blast):
    """BLAST leaves 0 bytes for it."""
    empty = blast.folder / "empty.xml.gz"
    empty.write_bytes(gzip.compress(blast.search("blastp", [])))
    child = blast.split_search("blastp", blast.queries["protein"][:1], 1)[0]
    assert run(child, empty).code == 3
    assert run("--allow-empty", empty, child).text == run(child).text


def test_children_in_the_tree():
    """tests/data, which needs no BLAST: a split search and the same one unsplit."""
    children = [DATA / f"batch_{i}.xml.gz" for i in (1, 2, 3)]
    assert run(*children).text == oracle.merge([path.read_bytes() for path in children])
    whole = gzip.decompress((DATA / "whole.xml.gz").read_bytes())
    assert run("--keep-db", *children).text == whole
    assert without_query_ids(run("--keep-db", "--query-ids", "keep", *children).text) == without_query_ids(whole)
