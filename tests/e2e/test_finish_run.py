# SPDX-License-Identifier: MIT
"""A broken run is finished in three commands, with real BLAST: what is whole of its children is salvaged, what is missing is searched
again, and both are merged: byte for byte what the unsplit search writes. The children are killed at random moments, as they write.

BLASTMERGE_TEST_UNSPLIT=full does it more often. Needs what test_real_blast.py needs."""
import gzip
import json
import re
import subprocess
import zlib

import pytest

import documents
from program import MISMATCH, difference, run, text_of
from searches import FULL, SEARCHES, split
from test_real_blast import blast  # pylint: disable=unused-import

SALVAGED = 11
N_RUNS = 8 if FULL else 2


def killed(search, folder, queries, dice, whole):
    """What a search has written when it is killed: some bytes of what it would have written."""
    cut = dice.randrange(len(whole))
    with subprocess.Popen([search.program, "-db", "genome" if search.program in ("blastn", "tblastn") else "proteins", "-outfmt", "5", *search.options],
                          cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        process.stdin.write("".join(queries).encode())
        process.stdin.close()
        written = process.stdout.read(cut)
        process.kill()
    return written


def as_file(dice, text, is_whole):
    """Plain, or compressed; one that was killed has no end of gzip."""
    if dice.random() < 0.3:
        return text
    if is_whole:
        return gzip.compress(text)
    packer = zlib.compressobj(6, zlib.DEFLATED, 31)
    return packer.compress(text) + packer.flush(zlib.Z_FULL_FLUSH)


def without_alike(queries):
    """Without those that nothing tells apart: several of no name and of one length."""
    seen, kept = set(), []
    for query in queries:
        title, _, sequence = query.partition("\n")
        length = len(sequence.replace("\n", ""))
        if title == ">" and length in seen:
            continue
        seen.update([length] if title == ">" else [])
        kept.append(query)
    return kept


def without_messages(text):
    return re.sub(rb"<Iteration_message>.*?</Iteration_message>", b"", text, flags=re.S)


@pytest.mark.parametrize("name", ["blastp", "blastp, named", "blastn", "blastx"] + (["blastn, named", "tblastn"] if FULL else []))
def test_finish(blast, tmp_path, name):
    search = SEARCHES[name]()
    search.queries = without_alike(search.queries)
    unsplit = search.run(blast.folder, search.queries, "5")
    (tmp_path / "all.fasta").write_text("".join(search.queries))
    n_damaged = 0
    for case in range(N_RUNS):
        dice = documents.dice(f"{name} {case}")
        paths = []
        for number, part in enumerate(split(search.queries, dice.randrange(2, 7)), 1):
            text = search.run(blast.folder, part, "5")
            is_whole = dice.random() < 0.4 and case % 2 == 0
            if not is_whole:
                text = killed(search, blast.folder, part, dice, text)
            paths.append(tmp_path / f"batch_{number}.xml")
            paths[-1].write_bytes(as_file(dice, text, is_whole))
        done = run("--salvage", "--allow-empty", "--keep-db", "--expect-queries", tmp_path / "all.fasta", "--missing", tmp_path / "missing.fasta", "-f",
                   "-o", tmp_path / "salvaged.xml.gz", *paths)
        if done.code not in (0, SALVAGED):  # nothing was whole
            assert "nothing could be salvaged" in done.err or "header" in done.err or "empty" in done.err, done.err
            continue
        n_damaged += done.code == SALVAGED
        missing = (tmp_path / "missing.fasta").read_text()
        again = []
        if missing:
            again = [tmp_path / "again.xml.gz"]
            again[0].write_bytes(gzip.compress(search.run(blast.folder, [missing], "5")))
        order = [tmp_path / "salvaged.xml.gz", *again]
        dice.shuffle(order)
        done = run("--as-unsplit", "--order-by-queries", "--expect-queries", tmp_path / "all.fasta", "--report", tmp_path / "report.json", "-f",
                   "-o", tmp_path / "finished.xml.gz", *order)
        assert done.code == 0, done.err
        text = text_of((tmp_path / "finished.xml.gz").read_bytes())
        if name == "blastx":  # what it says of a query that cannot be searched depends on the others of its batch (docs/identity.md)
            assert without_messages(text) == without_messages(unsplit), (case, difference(text, unsplit))
        else:
            assert text == unsplit, (case, difference(text, unsplit))
        assert json.loads((tmp_path / "report.json").read_bytes())["totals"]["iterations"] == unsplit.count(b"<Iteration>")
        if missing:  # without what was searched again, it is refused, and says what is missing
            done = run("--order-by-queries", "--expect-queries", tmp_path / "all.fasta", "--missing", tmp_path / "m", "-f", "-o", tmp_path / "x.gz",
                       tmp_path / "salvaged.xml.gz")
            assert done.code == MISMATCH and (tmp_path / "m").read_text() == missing and not (tmp_path / "x.gz").exists()
    assert n_damaged > 0
