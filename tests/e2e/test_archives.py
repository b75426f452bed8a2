# SPDX-License-Identifier: MIT
"""BLAST archives, -outfmt 11: what real BLAST writes, whole and split, as blast_formatter prints it; damage; other searches.

The first part needs what test_real_blast.py needs; BLASTMERGE_SKIP_BLAST=1 skips it. BLASTMERGE_TEST_UNSPLIT=full for a long run.
"""
import gzip
import os
import random
import re
import shutil
import subprocess

import pytest

import archives
from program import DATA, MISMATCH, OK, USAGE, difference, run, write_children
from searches import FEW, FULL, SEARCHES, Search, reads, split
from test_formats import merged, write
from test_real_blast import blast  # noqa: F401 (a fixture)

SALVAGED = 11

# --- real BLAST --------------------------------------------------------------------------------------

PARTS = (1, 2, 3, 7, 40) if FULL else (1, 3)
KINDS = [name for name in SEARCHES if "titles" not in name and "nameless" not in name]
MANY = ["blastp", "blastn, named", "tblastn", "psiblast, named"] if not FULL else KINDS
SOME = 42 if FULL else 5  # ordinary queries, where there are no odd ones
PRINTED = ("0", "5", "6", "7", "15", "16")


def printed(text, outfmt, folder):
    """What blast_formatter makes of an archive, in the folder of its database."""
    (folder / "archive").write_bytes(text)
    done = subprocess.run(["blast_formatter", "-archive", "archive", "-outfmt", outfmt], cwd=folder, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert done.returncode == 0, done.stderr
    return done.stdout


# An archive has statistics once for a batch, of its first query.
OF_BATCH = re.compile(rb"(?m)^.*(Statistics_(hsp-len|eff-space)|<(hsp-len|eff-space)>|\"(hsp_len|eff_space)\"|"
                      rb"Statistics_(kappa|lambda|entropy)|<(kappa|lambda|entropy)>|\"(kappa|lambda|entropy)\").*\n")


def of_queries(text):
    return OF_BATCH.sub(b"", text)


def masks_of(archive, text):
    """What the results name of a query as masked, in their order: (id, intervals)."""
    found = [text[place.begin:place.end] for mask in archive.all("results", "masks", "") for place in mask.all("locations")]
    return [(re.search(rb'local str "(.*?)"', one).group(1), re.findall(rb"from (\d+),\s+to (\d+)", one)) for one in found]


def without_masks(text):
    """blast_formatter masks the wrong queries of a batch (test_masks_that_are_shown)."""
    pieces, at = [], 0
    for masks in (one for archive in archives.Reader(text).archives() for one in archive.all("results", "masks")):
        pieces += [text[at:masks.begin], b"masks {\n    }"]
        at = masks.end
    return b"".join([*pieces, text[at:]])


def merged_print(texts, outfmt, blast, folder):  # noqa: F811
    """What a merge makes of what blast_formatter prints of each. It is the oracle, for the other formats are proved elsewhere."""
    children = [printed(text, outfmt, blast.folder) for text in texts]
    done = run("--as-unsplit", "--plain", "--invalid-utf8", "keep", "--allow-empty", "--format",
               {"5": "xml", "15": "json", "16": "xml2"}[outfmt], *write_children(folder, children))
    assert done.code == OK, done.err
    return done.out


def queries_of_report(text):
    """Of -outfmt 0, what stands between the report's head and foot, query by query."""
    return [part.split(b"\nEffective search space used", 1)[0] for part in text.split(b"\nQuery= ")[1:]]


def one_table(text, folder):
    """A print of -outfmt 7 with a single last line, which comes once for each batch."""
    (folder / "printed").write_bytes(text)
    return run("--plain", "--query-ids", "keep", folder / "printed").out


def check_prints(whole, texts, merge, is_psi, blast, folder):  # noqa: F811
    for outfmt in PRINTED:
        ours = printed(merge, outfmt, blast.folder)
        if outfmt == "0":
            # Its foot comes once for each batch. An unnamed query's id is not shown.
            parts = [part for text in texts for part in queries_of_report(printed(text, outfmt, blast.folder))]
            assert queries_of_report(ours) == parts
            continue
        if outfmt in ("5", "15", "16"):
            # Of PSI-BLAST's unnamed queries, it shows the alignments of a file's first one only in 15 and 16.
            is_only_first = is_psi and outfmt != "5"
            theirs = printed(whole, outfmt, blast.folder) if is_only_first else merged_print(texts, outfmt, blast, folder)
            assert ours == theirs, difference(ours, theirs)
        ours, unsplit = (printed(without_masks(text), outfmt, blast.folder) for text in (merge, whole))
        if outfmt == "7":
            ours, unsplit = one_table(ours, folder), one_table(unsplit, folder)
        ours, unsplit = of_queries(ours), of_queries(unsplit)
        assert ours == unsplit, (outfmt, difference(ours, unsplit))


def check_rest(text, folder):
    """Where a part of a run has failed, the other archives can be salvaged."""
    kept, _, _ = archives.salvaged(text)
    done = run("--salvage", "--plain", "--query-ids", "keep", *write(folder, [text]))
    assert (done.code, done.out) == ((SALVAGED, kept) if kept else (DATA, b"")), done.err


def check_search(kind, blast, folder):  # noqa: F811
    search = SEARCHES[kind]() if isinstance(kind, str) else kind
    n_whole = 0
    whole = search.run(blast.folder, search.queries, "11", search.several)
    for n_parts in PARTS:
        texts = [text for text in search.children(blast.folder, n_parts, "11") if text]
        failed = [text for text in texts if b"get-request-info" in text]  # BLAST can make nothing of some parts, and says so
        texts = [text for text in texts if text not in failed]
        assert all(b"Blast4-archive" in text for text in texts)
        for text in failed:
            refused = run("--plain", *write(folder, [*texts[:1], text]))
            assert refused.code == DATA and "if it fails: repeat the search" in refused.err, refused.err
            check_rest(text, folder)
        if not texts:
            assert search.several  # of one run, a chunk has failed
            continue
        text, report = merged(write(folder, texts), "--as-unsplit")
        expected = archives.merge(texts)
        assert text == expected, difference(text, expected)
        totals = report["totals"]
        assert (totals["iterations"], totals["hsps"]) == archives.count(texts)
        # Of PSI-BLAST's named queries the archive has no sequence; with -mt_mode 1, ids begin again in one run.
        if len(texts) == n_parts and kind != "psiblast, named" and not search.several:
            check_prints(whole, texts, text, kind == "psiblast", blast, folder)
            n_whole += 1
        kept, _ = merged(write(folder, texts), "--query-ids", "keep")
        assert kept == b"".join(texts)
    assert n_whole > 0 or kind == "psiblast, named" or search.several


class Profiles(Search):
    """rpsblast, against a database of profiles."""

    def run(self, folder, queries, outfmt, several=False):
        program = "rpsblast" if shutil.which("rpsblast") else "rpsblast+"  # as Debian calls it
        return subprocess.run([program, "-db", "profiles", "-outfmt", outfmt, *self.options], cwd=folder, check=True,
                              input="".join(queries).encode(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout


def make_profiles(folder, queries):
    for i, query in enumerate(queries):
        subprocess.run(["psiblast", "-db", "proteins", "-num_iterations", "2", "-save_pssm_after_last_round", "-out_pssm",
                        f"{i}.smp", "-out", "/dev/null"], cwd=folder, input=query.encode(), check=True, stderr=subprocess.DEVNULL)
        path = folder / f"{i}.smp"
        path.write_text(path.read_text().replace('"Query_1"', f'"profile_{i}"'))
    (folder / "list").write_text("".join(f"{i}.smp\n" for i in range(len(queries))))
    subprocess.run(["makeprofiledb", "-in", "list", "-out", "profiles", "-title", "profiles"], cwd=folder, check=True,
                   stdout=subprocess.DEVNULL)


def test_masks_that_are_shown(blast, tmp_path):  # noqa: F811
    """blast_formatter 2.12 shows the first query with the first list of masks of a batch, the second one with the second, and so on; but
    an archive lists only queries that have masks. So what it shows depends on the batch, and the merge has it as the children have."""
    queries = [">none\nMKVLAAGIVGMKTAYIAKQR\n", f">masked\n{'MKTAYIAKQRQISFVKSHFS' + 'Q' * 25 + 'RQLEERLGLIEVQAPILSRV'}\n"]
    search = Search("blastp", queries, ["-seg", "yes", *FEW])
    text = search.run(blast.folder, queries, "11")
    archive, = archives.Reader(text).archives()
    (masked, own), = masks_of(archive, text)
    assert masked == b"Query_2" and own

    def shown(text):
        found = re.findall(rb"<query-id>(.*?)<.*?</Search>", text, re.DOTALL), re.findall(rb"<Search>.*?</Search>", text, re.DOTALL)
        return {name: re.findall(rb"<from>(\d+)</from>\s*<to>(\d+)</to>", part.split(b"<stat>")[0].split(b"<query-masking>")[-1])
                if b"<query-masking>" in part else [] for name, part in zip(*found)}
    assert shown(printed(text, "16", blast.folder)) == {b"Query_1": own, b"Query_2": []}
    parts = [search.run(blast.folder, [query], "11") for query in queries]
    merge, _ = merged(write(tmp_path, parts), "--as-unsplit")
    assert shown(printed(merge, "16", blast.folder)) == {b"Query_1": [], b"Query_2": own}


def test_tblastx(blast, tmp_path):  # noqa: F811
    check_search(Search("tblastx", reads()[:SOME], ["-evalue", "1e-20", *FEW]), blast, tmp_path)


def test_rpsblast(blast, tmp_path):  # noqa: F811
    queries = [query for query in blast.queries["protein"] if len(query) < 450]
    make_profiles(blast.folder, queries[:2])
    check_search(Profiles("rpsblast", queries[:SOME], ["-evalue", "1000"]), blast, tmp_path)


def test_masks_and_subjects(blast, tmp_path):  # noqa: F811
    """-lcase_masking and -subject: ids stand in a request's options, too, and there is no database."""
    queries = [f">\n{'ACGTTGCAGGATTACA' * 3}{'acac' * 10}{query.split(chr(10))[1]}\n" for query in reads()[:4]]
    (blast.folder / "subjects").write_text("".join(f">Query_{i + 1}\n{query.split(chr(10))[1]}\n" for i, query in enumerate(reads()[:4])))
    texts = [subprocess.run(["blastn", "-subject", "subjects", "-lcase_masking", "-outfmt", "11"], cwd=blast.folder, check=True,
                            input="".join(part).encode(), stdout=subprocess.PIPE).stdout for part in split(queries, 3)]
    assert texts[0].count(b"LCaseMask") == 1
    text, report = merged(write(tmp_path, texts), "--as-unsplit")
    assert text == archives.merge(texts) and re.findall(rb'\n +id local str "(Query_\d+)"', text)[-1] == b"Query_4"
    assert report["totals"]["iterations"] == 4


@pytest.mark.parametrize("kind", MANY)
def test_real(blast, tmp_path, kind):  # noqa: F811
    check_search(kind, blast, tmp_path)


@pytest.mark.parametrize("kind", ["blastp", "blastn", "blastn, named", "tblastn", "psiblast", "psiblast, named"])
def test_expected_queries(blast, tmp_path, kind):  # noqa: F811
    """Each query is found by its definition line, whatever BLAST makes of it; and one that is missing is."""
    search = SEARCHES[kind]()
    queries = [query for query in search.queries if "gnl|" not in query or kind != "psiblast, named"]
    fasta = tmp_path / "queries.fasta"
    fasta.write_text("".join(queries))
    children = write(tmp_path, [text for text in (search.run(blast.folder, part, "11") for part in split(queries, 2)) if text])
    done = run("--plain", "--expect-queries", fasta, *children)
    assert done.code == OK, done.err
    fasta.write_text("".join([*queries[:3], ">one more\nACGTACGTACGTACGT\n", *queries[3:]]))
    done = run("--plain", "--expect-queries", fasta, *children)
    assert done.code == MISMATCH and "1 query has no Iteration: number 4, one" in done.err, done.err


# --- without BLAST -----------------------------------------------------------------------------------


def children(folder, *texts):
    return write(folder, list(texts))


def test_ids(tmp_path):
    """Queries' ids continue, and those of subjects that are called so stay."""
    texts = [archives.make(["a", "b"], subject="Query_2"), archives.make(["c"], subject="Query_1"),
             archives.make(["d"], subject="Query_3") + archives.make(["e", "f"], first=2, subject="Query_2")]
    text, report = merged(children(tmp_path, *texts))
    assert text == archives.merge(texts)
    assert re.findall(rb'ids \{\s+local str "(\w+)",\s+local str "(\w+)"', text) == [
        (b"Query_1", b"Query_2"), (b"Query_2", b"Query_2"), (b"Query_3", b"Query_1"), (b"Query_4", b"Query_3"),
        (b"Query_5", b"Query_2"), (b"Query_6", b"Query_2")]
    assert report["format"] == "archive" and report["totals"]["iterations"] == 6 and report["totals"]["hsps"] == 6
    assert report["totals"]["documents"] == 3
    kept, _ = merged(children(tmp_path, *texts), "--query-ids", "keep")
    assert kept == b"".join(texts)


def test_runs_in_one_child(tmp_path):
    """Runs that cat has joined: another one begins where the ids begin again."""
    runs = [archives.make(["a", "b"]) + archives.make(["c"], first=3), archives.make(["d"]), archives.make(["e", "f"])]
    text, _ = merged(children(tmp_path, b"".join(runs), archives.make(["g"])))
    assert text == archives.merge([*runs, archives.make(["g"])])


def test_a_child_without_a_last_line_feed(tmp_path):
    texts = [archives.make([name]).rstrip() for name in "abc"]
    text, _ = merged(children(tmp_path, *texts))
    assert text == archives.merge(texts) and text.count(b"}\nBlast4") == 2


@pytest.mark.parametrize("change, code, words", [
    ({"program": "blastx"}, MISMATCH, "its program is blastx, but that of"),
    ({"db": "other"}, OK, "its db is other, but that of"),
    ({"version": "2.15.0+"}, OK, "its version is 2.15.0+"),
    ({"service": "psi"}, OK, "its service is psi"),
    ({"options": {"HitlistSize": "integer 5"}}, OK, "its HitlistSize is 5, but that of"),
    ({"options": {"EvalueThreshold": "cutoff e-value { 1, 10, -3 }"}}, OK, "its EvalueThreshold is { 1, 10, -3 }, but"),
    ({"options": {"EffectiveSearchSpace": "big-integer 9"}}, OK, ""),
])
def test_other_searches(tmp_path, change, code, words):
    one, other = archives.make(["a"]), archives.make(["b"], **change)
    for texts in ([one, other], [one, archives.make(["x"]) + archives.make(["b"], first=2, **change)]):
        done = run("--plain", *children(tmp_path, *texts))
        assert done.code == code and words in done.err, done
        assert (done.err == "") == (words == "")
        strict = run("--plain", "--mismatch", "error", *children(tmp_path, *texts))
        assert strict.code == (MISMATCH if words else OK)
    if "db" in change:
        assert run("--as-unsplit", *children(tmp_path, one, other)).code == MISMATCH


def test_formats_do_not_mix(tmp_path):
    archive, table = archives.make(["a"]), b"".join([b"\t".join([b"q", b"s", *[b"1"] * 10]), b"\n"])
    for texts in ([archive, table], [table, archive]):
        refused = run(*children(tmp_path, *texts))
        assert refused.code in (DATA, MISMATCH) and "archive" in refused.err, refused
    assert run("--plain", "--format", "archive", *children(tmp_path, archive)).out == archive
    assert "was expected" in run("--format", "json", *children(tmp_path, archive)).err
    assert "BLAST archive" in run("--format", "archive", *children(tmp_path, table)).err
    assert run("--db", "x", *children(tmp_path, archive)).code == USAGE


def test_a_search_that_was_begun_again(tmp_path):
    whole = archives.make(["a", "b"])
    for cut in (40, 200, 700, len(whole) - 30):
        refused = run(*children(tmp_path, whole[:cut] + whole))
        assert refused.code == DATA and "probably the search was begun again" in refused.err, (cut, refused.err)


def test_a_search_that_failed(tmp_path):
    """What BLAST 2.12 writes then, with exit code 3."""
    failed = (b'Blast4-archive ::= {\n  request {\n    body get-request-info {\n      request-id "Error"\n    }\n  },\n  results {\n  },\n'
              b'  messages {\n    {\n      code 2,\n      message "BLAST engine error: Warning: Sequence contains no data"\n    }\n  }\n}\n')
    for texts in ([failed], [archives.make(["a"]), failed], [archives.make(["a"]) + failed]):
        refused = run(*children(tmp_path, *texts))
        assert refused.code == DATA and "if it fails: repeat the search" in refused.err, refused


def test_twice(tmp_path):
    one = archives.make(["a", "b"])
    warned = run(*children(tmp_path, one, one))
    assert warned.code == OK and "the same run twice" in warned.err
    again = run(*children(tmp_path, one, archives.make(["a", "b"], hits=2)))
    assert again.code == OK and "holds the queries of" in again.err and "with other results" in again.err


@pytest.mark.parametrize("lines", [False, True])
def test_queries_that_are_expected(tmp_path, lines):
    names = ["a b", "c", "d", "e"]
    fasta = tmp_path / "queries.fasta"
    paths = children(tmp_path, archives.make(names[:2], lines=lines), archives.make(names[2:3], lines=lines) +
                     archives.make(names[3:], first=2, lines=lines))

    def expect(*expected, residues="MKVLAAGIV"):
        fasta.write_text("".join(f">{name}\n{residues}\n" for name in expected))
        return run("--plain", "--query-ids", "keep", "--expect-queries", fasta, *paths)
    assert expect(*names).code == OK
    for wrong, words in [(["a", "x", "c", "d", "e"], "number 2, x"), (["a", "c", "d"], "query e"), (["a", "d", "c", "e"], "number 2, d"),
                         (["a", "c", "d", "e", "f"], "number 5, f"), (["b", "c", "d", "e"], "query a")]:
        done = expect(*wrong)
        assert done.code == MISMATCH and words in done.err, done.err
    assert "length" in expect(*names, residues="MKV").err
    checked = run("check", "--expect-queries", fasta, *paths)
    assert checked.code == MISMATCH


def test_lines_as_c_writes_them(tmp_path):
    line = r"""caf\303\251\""x\""\'\\\ty z"""
    fasta = tmp_path / "queries.fasta"
    fasta.write_bytes(">café\"x\"'\\\ty z\nMKVLAAGIV\n".encode())
    text = archives.make(["cafxx"], lines=True).replace(b'data str ">cafxx"', f'data str ">{line}"'.encode())
    done = run("--plain", "--expect-queries", fasta, *children(tmp_path, text))
    assert done.code == OK, done.err
    fasta.write_bytes(fasta.read_bytes().replace(b'x"', b"x"))
    assert run("--plain", "--expect-queries", fasta, *children(tmp_path, text)).code == MISMATCH


def test_binary_is_refused(tmp_path):
    binary = bytes.fromhex("3080a0803080a0801a08") + b"2.12.0+\0"
    refused = run(*children(tmp_path, binary, binary))
    assert refused.code == DATA and "binary ASN.1" in refused.err and "blast_formatter -archive FILE -outfmt 11" in refused.err


# --- damage ------------------------------------------------------------------------------------------


def judge(text, path):
    """The program and the slow reader agree whether it is archives; if so, the merge is the text."""
    path.write_bytes(text)
    done = run("--plain", "--query-ids", "keep", "--mismatch", "ignore", "--sort", "none", path)
    try:
        expected = archives.merge([text], renumber=False)
    except archives.Refused:
        expected = None
    assert done.code in (OK, DATA), done.err
    if done.code == OK:
        assert expected is not None and done.out == expected
    elif expected is not None:  # what must be there once, or is no search, is known to the program alone
        assert re.search("there is a second|ends without|nested deeper|cannot be merged|looks like|was expected before", done.err), done.err


def test_each_bit(tmp_path):
    """Each flip of a small one is refused, or changes what the text says and nothing else."""
    text = archives.make(["a"])
    stride = 1 if FULL else 41
    for bit in range(0, 8 * len(text), stride):
        flipped = bytearray(text)
        flipped[bit // 8] ^= 1 << bit % 8
        judge(bytes(flipped), tmp_path / "child")


def test_cut_short(tmp_path):
    text = archives.make(["a"]) + archives.make(["b"], first=2)
    path = tmp_path / "child"
    for n in range(1, len(text) - 1, 1 if FULL else 37):
        path.write_bytes(text[:n])
        done = run("--plain", path)
        whole = text[:n].rstrip().endswith(b"\n}")
        assert done.code == (OK if whole and text[:n].count(b"Blast4") == text[:n].count(b"\n}") else DATA), (n, done)


def test_chance(tmp_path):
    dice = random.Random(11)
    for _ in range(int(os.environ.get("BLASTMERGE_TEST_MUTATIONS", "100"))):
        text = bytearray(b"".join(archives.make(["a", "b"], hits=dice.randrange(3)) for _ in range(dice.randrange(1, 3))))
        for _ in range(dice.randrange(1, 4)):
            at = dice.randrange(len(text))
            kind = dice.randrange(4)
            if kind == 0:
                text[at] ^= 1 << dice.randrange(8)
            elif kind == 1:
                del text[at:at + dice.choice([1, 2, 30, 400])]
            elif kind == 2:
                text[at:at] = text[at:at + dice.choice([1, 7, 300])]
            else:
                text[at:at] = bytes(dice.choice(b'{},"\'- \n0aA') for _ in range(dice.randrange(1, 4)))
        judge(bytes(text), tmp_path / "child")
