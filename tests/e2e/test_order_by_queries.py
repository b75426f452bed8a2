# SPDX-License-Identifier: MIT
"""--order-by-queries: whatever children hold the Iterations, in whatever order, the result is that of one search of all queries."""
import gzip
import json
import os

import archives
import documents
import forms
import program
import pytest

N_CASES = int(os.environ.get("BLASTMERGE_TEST_CASES", "0")) or 90  # 500 and more by night


def write(folder, form, parts, member=forms.member):
    for old in folder.glob("child_*"):
        old.unlink()
    return program.write_children(folder, [member(documents.document(form, part)) if part else b"" for part in parts])


def run(folder, form, paths, made, *more, command="merge"):
    (folder / "queries").write_bytes(documents.fasta(made))
    for name in ("missing", "merged.gz", "report"):
        (folder / name).unlink(missing_ok=True)
    out = ["-o", folder / "merged.gz"] if command == "merge" else []
    return program.run(command, *out, "--format", form, "--allow-empty", "--expect-queries", folder / "queries", "--missing", folder / "missing",
                       "--report", folder / "report", "--order-by-queries", *more, *paths)


def deal(rng, made):
    """The queries in several children, each of them in one of several ways of disorder."""
    way = rng.choice(["runs", "rerun", "robin", "shuffled", "some"])
    n = rng.randrange(1, 9)
    if way == "runs":  # children in another order
        parts = documents.split(rng, made)
        rng.shuffle(parts)
    elif way == "rerun":  # some queries are missing of each child, and in one of their own
        again = [query for query in made if rng.random() < 0.2]
        parts = [[query for query in part if query not in again] for part in documents.split(rng, made)] + [again]
        if rng.random() < 0.5:
            parts.insert(0, parts.pop())
    elif way == "robin":
        parts = [made[i::n] for i in range(n)]
    else:
        parts = [[] for _ in range(n)]
        for query in made:
            rng.choice(parts).append(query)
        for part in parts:
            if way == "shuffled" or rng.random() < 0.3:
                rng.shuffle(part)
    return [part for part in parts if part], way


@pytest.mark.parametrize("form", documents.FORMATS)
def test_any_order(tmp_path, form):
    for case in range(N_CASES // 6):
        rng = documents.dice(f"order {form} {case}")
        # in tables, nothing tells queries without a name apart
        made = documents.queries(rng, rng.randrange(2, 40), nameless=0.15 if form.startswith(("x", "j")) else 0)
        parts, way = deal(rng, made)
        done = run(tmp_path, form, write(tmp_path, form, parts), made, *rng.choice([[], ["--as-unsplit"]]), *(["--keep-db"] if form == "xml" else []),
                   "--threads", rng.choice([1, 2]), *rng.choice([[], ["--level", "1"]]))
        assert (done.code, done.err) == (0, ""), (case, way)
        text, expected = program.text_of((tmp_path / "merged.gz").read_bytes()), documents.document(form, made)
        assert text == expected, (case, way, program.difference(text, expected))
        report = json.loads((tmp_path / "report").read_bytes())
        assert [row["location"] for row in report["children"]] == sorted(str(path) for path in tmp_path.glob("child_*"))
        if form not in ("tabular", "csv"):
            assert [row["iterations"] for row in report["children"]] == [len(part) for part in parts]
            assert report["totals"]["iterations"] == len(made) and (tmp_path / "missing").read_bytes() == b""
        assert report["output"]["text_bytes"] == len(expected)


def test_ids_that_are_kept(tmp_path):
    """--query-ids keep leaves them as they are, whatever the order."""
    made = documents.queries(documents.dice("kept"), 8, nameless=0)
    parts = [made[:4], made[4:]]
    for form in ("xml", "xml2", "json"):
        in_order = run(tmp_path, form, write(tmp_path, form, parts), made, "--query-ids", "keep")
        expected = gzip.decompress((tmp_path / "merged.gz").read_bytes())
        assert in_order.code == program.OK, in_order.err
        plain = program.run("--plain", "--format", form, "--query-ids", "keep", *write(tmp_path, form, parts))
        assert plain.out == expected
        done = run(tmp_path, form, write(tmp_path, form, parts[::-1]), made, "--query-ids", "keep")
        assert done.code == program.OK and gzip.decompress((tmp_path / "merged.gz").read_bytes()) == expected, done.err


@pytest.mark.parametrize("form", documents.FORMATS)
def test_children_of_no_bytes(tmp_path, form):
    """Wherever they are; the first ones, too."""
    made = documents.queries(documents.dice(f"empty {form}"), 6, nameless=0)
    run(tmp_path, form, write(tmp_path, form, [made[:3], made[3:]]), made)
    expected = gzip.decompress((tmp_path / "merged.gz").read_bytes())
    for parts in ([[], made[:3], made[3:]], [[], [], made[3:], made[:3]], [made[3:], [], made[:3], []], [[], made]):
        done = run(tmp_path, form, write(tmp_path, form, parts), made)
        assert done.code == program.OK and gzip.decompress((tmp_path / "merged.gz").read_bytes()) == expected, done.err


def test_many_documents_and_ids(tmp_path):
    """Children of several documents, of any compression, which are spliced where they need no change of order; Query_N continues by
    its place."""
    rng = documents.dice("documents")
    for form in ("xml", "json", "xml2"):
        made = documents.queries(rng, 40, nameless=0.1)
        parts = [made[20:30], made[0:10], made[30:40], made[10:20]]
        paths = program.write_children(tmp_path, [forms.member(documents.document(form, part[:4])) + gzip.compress(documents.document(form, part[4:]))
                                                  for part in parts])
        done = run(tmp_path, form, paths, made, *(["--keep-db"] if form == "xml" else []))
        assert done.code == 0 and program.text_of((tmp_path / "merged.gz").read_bytes()) == documents.document(form, made), done.err


def test_what_is_wrong(tmp_path):
    made = documents.queries(documents.dice(7), 30, nameless=0)
    parts = [made[10:20], made[:10], made[20:]]
    # missing ones: all of them, and they are written
    paths = write(tmp_path, "xml", [parts[0][:4] + parts[0][5:], parts[1], parts[2][:-2]])
    for command in ("merge", "check"):
        done = run(tmp_path, "xml", paths, made, command=command)
        assert done.code == program.MISMATCH and not (tmp_path / "merged.gz").exists()
        assert (tmp_path / "missing").read_bytes() == documents.fasta([made[14], *made[28:]])
        assert len(done.warnings) == 2 and "number 15, q14" in done.err and "number 29, q28" in done.err
    assert [[row["first"], row["last"]] for row in json.loads((tmp_path / "report").read_bytes())["missing_queries"]] == [[15, 15], [29, 30]]
    # doubled ones, foreign ones
    paths = write(tmp_path, "xml", [*parts, made[3:5]])
    done = run(tmp_path, "xml", paths, made)
    assert done.code == program.MISMATCH and "number 4, which has one already" in done.err and "child_0003" in done.err
    done = run(tmp_path, "xml", paths, made, command="check")
    assert done.code == program.MISMATCH and len(done.warnings) == 2
    done = run(tmp_path, "xml", write(tmp_path, "xml", [*parts, [documents.Query("another", "MKV", 1)]]), made)
    assert done.code == program.MISMATCH and "another" in done.err and "no such query" in done.err
    # a damaged child
    paths = write(tmp_path, "xml", parts)
    paths[1].write_bytes(paths[1].read_bytes()[:-30])
    assert run(tmp_path, "xml", paths, made).code == program.DATA
    assert not (tmp_path / "merged.gz").exists()
    done = run(tmp_path, "xml", paths, made, command="check")
    assert done.code == program.DATA and (tmp_path / "report").exists()


def test_queries_that_nothing_tells_apart(tmp_path):
    made = [documents.Query("", "MKVL", 1), documents.Query("a", "MKV", 1), documents.Query("", "LVKM", 2), documents.Query("", "MK", 0)]
    paths = write(tmp_path, "xml", [[made[3], made[2]], [made[0], made[1]]])
    done = run(tmp_path, "xml", paths, made, "--as-unsplit")
    assert done.code == program.MISMATCH and "2 Iterations" in done.err and "cannot be ordered" in done.err
    done = run(tmp_path, "xml", paths, made)
    assert done.code == 0 and len(done.warnings) == 1 and "in the order in which they came" in done.err


def test_children_that_cannot_be_ordered(tmp_path):
    made = documents.queries(documents.dice(8), 6, nameless=0)
    paths = write(tmp_path, "xml", [made[3:], made[:3]])
    for options, words in ((["--salvage"], "not in one step"), ):
        done = run(tmp_path, "xml", paths, made, *options)
        assert done.code == program.USAGE and words in done.err
    done = program.run("--order-by-queries", *paths)
    assert done.code == program.USAGE and "must be given, with --expect-queries" in done.err
    done = program.run("--order-by-queries", "--expect-queries", tmp_path / "queries", "-", input=paths[0].read_bytes())
    assert done.code == program.USAGE and "read twice" in done.err
    text = documents.document("xml", made)
    old = text.replace(b"  <Iteration_query-ID>", b"  <x>").replace(b"</Iteration_query-ID>", b"</x>").replace(b"Iteration_query-def", b"y").replace(b"Iteration_query-len", b"z")
    for changed, words in ((text.replace(b"<BlastOutput_program>blastp", b"<BlastOutput_program>psiblast"), "several Iterations for a query"),
                           (text.replace(b'version="1.0"', b'version="1.0" encoding="ISO-8859-1"'), "encoding is not UTF-8"), (old, "name its query"),
                           (text.replace(b"<BlastOutput_param>", b"<!--" + b"x" * 70000 + b"--><BlastOutput_param>"), "longer than 64 KiB")):
        paths[0].write_bytes(changed)
        done = run(tmp_path, "xml", paths[:1], made)
        assert done.code == program.MISMATCH and words in done.err, done.err


def test_archives_cannot_be_ordered(tmp_path):
    """Not even whole ones: their alignments would keep the ids of the children."""
    fasta = tmp_path / "queries"
    fasta.write_text("".join(f">{name}\nMKVLAAGIV\n" for name in "abcd"))
    paths = program.write_children(tmp_path, [archives.make(names) for names in (["c", "d"], ["a", "b"])])
    for options in ([], ["--as-unsplit"]):
        for order in (paths, paths[::-1]):
            done = program.run("-o", tmp_path / "merged.gz", "--order-by-queries", "--expect-queries", fasta, *options, *order)
            assert done.code == program.MISMATCH and "in one block, so it cannot be ordered" in done.err, done
            assert not (tmp_path / "merged.gz").exists()


def test_no_room_to_unpack(tmp_path):
    """The temporary file of a child whose queries go back and forth cannot be written: between the passes no child is the current one."""
    made = documents.queries(documents.dice(10), 8, nameless=0)
    long = b"<!--" + b"x" * 200000 + b"--></Iteration>"
    paths = program.write_children(tmp_path, [forms.member(documents.document("xml", part).replace(b"</Iteration>", long))
                                              for part in (made[:4], made[:3:-1])])
    (tmp_path / "queries").write_bytes(documents.fasta(made))
    for threads in (1, 2):
        done = program.run("--plain", "--threads", threads, "--order-by-queries", "--expect-queries", tmp_path / "queries", *paths,
                           command=("prlimit", "--fsize=200000", "--", program.PROGRAM))
        assert done.code == program.NO_SPACE and not done.out, done
        assert f"{paths[1]}: cannot be unpacked to a temporary file: " in done.err, done.err


def test_it_stays_small(tmp_path):
    """Whatever the order, and however many children: little memory."""
    rng = documents.dice(9)
    made = documents.queries(rng, 1500, nameless=0)
    shuffled = list(made)
    rng.shuffle(shuffled)
    for parts in ([made[i::40] for i in range(40)], [shuffled]):
        done = run(tmp_path, "xml", write(tmp_path, "xml", parts), made, "--keep-db")
        assert done.code == 0 and program.text_of((tmp_path / "merged.gz").read_bytes()) == documents.document("xml", made)
        assert json.loads((tmp_path / "report").read_bytes())["peak_resident"] < 16 << 20


@pytest.mark.parametrize("separator, form", [("\t", "tabular"), (",", "csv")])
def test_a_check_goes_on_behind_a_stranger(tmp_path, separator, form):
    """Rows of no query end those before them, so that the queries behind them are still known."""
    def table(*names):
        return "".join(separator.join([name, "s", "99.0", "50", "0", "0", "1", "50", "1", "50", "1e-10", "100"]) + "\n" for name in names).encode()
    (tmp_path / "queries").write_bytes(b"".join(b">q%d\nACGT\n" % i for i in range(1, 5)))
    paths = program.write_children(tmp_path, [forms.member(table("q3", "stranger", "q3x", "q4")), forms.member(table("q4", "q1"))])
    done = program.run("check", "--format", form, "--expect-queries", tmp_path / "queries", "--order-by-queries", *paths)
    assert done.code == program.MISMATCH
    assert "the query stranger of" in done.err
    assert "it is number 4, which has one already" in done.err
