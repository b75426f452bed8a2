# SPDX-License-Identifier: MIT
"""--expect-queries in all formats, and --missing: children that are taken out, cut, doubled and moved, against an oracle."""
import gzip
import json
import os

import documents
import forms
import program
import pytest

N_CASES = int(os.environ.get("BLASTMERGE_TEST_CASES", "0")) or 90  # 500 and more by night
BARE = ("tabular", "csv")
SALVAGED = 11


def write(folder, form, parts):
    return program.write_children(folder, [forms.member(documents.document(form, part)) if part else b"" for part in parts])


def gaps(made, present):
    """Rows of queries that are not present: number of the first, number of the last."""
    found, before = [], None
    for number, query in enumerate(made, 1):
        is_missing = query not in present
        if is_missing and before:
            found[-1][1] = number
        elif is_missing:
            found.append([number, number])
        before = is_missing
    return found


def run(folder, form, command, paths, queries, *more):
    (folder / "queries").write_bytes(queries)
    out = ["-o", folder / "merged.gz"] if command == "merge" else []
    return program.run(command, *out, "-f", "--format", form, "--expect-queries", folder / "queries", "--missing", folder / "missing",
                       "--report", folder / "report", "--sort", "none", *(["--allow-empty"] if form in BARE else []), *more, *paths)


def shown_rows(folder, which="missing_queries"):
    return [[row["first"], row["last"]] for row in json.loads((folder / "report").read_bytes())[which]]


@pytest.mark.parametrize("form", documents.FORMATS)
def test_what_is_missing(tmp_path, form):
    """Children without some of the queries: exactly these are listed and written."""
    for case in range(N_CASES // 6):
        rng = documents.dice(f"{form} {case}")
        made = documents.queries(rng, rng.randrange(2, 40), nameless=0.1 if form.startswith(("x", "j")) else 0)  # only a length tells these
        p = rng.choice([0, 0.05, 0.3])
        present = [query for query in made if rng.random() >= p] or made[:1]
        parts = documents.split(rng, present)
        visible = [query for query in present if query.n_hits or form not in BARE]
        wanted = documents.fasta([query for query in made if query not in visible])
        is_whole = form in BARE or len(present) == len(made)
        paths = write(tmp_path, form, parts)
        for command in ("merge", "check"):
            for name in ("missing", "merged.gz", "report"):
                (tmp_path / name).unlink(missing_ok=True)
            done = run(tmp_path, form, command, paths, documents.fasta(made))
            assert done.code == (program.OK if is_whole else program.MISMATCH), (case, done.err)
            assert (tmp_path / "missing").read_bytes() == wanted, case
            if not is_whole:
                assert done.err.rstrip().endswith(f"; {tmp_path / 'missing'} has the missing queries"), done.err
            assert (tmp_path / "merged.gz").exists() == (is_whole and command == "merge")
            if form not in BARE:
                assert len(done.warnings) == len(gaps(made, present)), done.err
                if command == "check":
                    assert shown_rows(tmp_path) == gaps(made, present)
            elif wanted and (tmp_path / "report").exists():
                assert "no row" in json.loads((tmp_path / "report").read_bytes())["warnings"][0]
        # as a list of names: lines of it
        if all(query.title for query in made):
            names = "".join(f"{query.name} and more\n" for query in made).encode()
            run(tmp_path, form, "check", paths, names)
            assert (tmp_path / "missing").read_bytes() == b"".join(f"{query.name} and more\n".encode() for query in made if query not in visible)


@pytest.mark.parametrize("form", documents.FORMATS)
def test_what_is_not_right(tmp_path, form):
    """Children that are doubled or moved, and foreign ones, are errors in each format."""
    for case in range(max(6, N_CASES // 15)):
        rng = documents.dice(f"wrong {form} {case}")
        made = documents.queries(rng, 24, hitless=0, nameless=0)
        parts = [made[at:at + 4] for at in range(0, 24, 4)]
        kind = rng.choice(["doubled", "moved", "foreign"])
        at = rng.randrange(5)
        if kind == "doubled":
            parts.insert(rng.randrange(len(parts)), parts[at])
        elif kind == "moved":
            parts[at], parts[at + 1] = parts[at + 1], parts[at]
        else:
            parts.insert(at, [documents.Query("another", "MKV", 1)])
        done = run(tmp_path, form, "merge", write(tmp_path, form, parts), documents.fasta(made))
        assert done.code == program.MISMATCH and not (tmp_path / "merged.gz").exists(), (kind, done.err)
        assert ("no such query" if kind == "foreign" else "repeated or out of order") in done.err
        # those that the error's place shows to be missing before it are written
        assert (tmp_path / "missing").exists() == bool(done.warnings)
        (tmp_path / "missing").unlink(missing_ok=True)


def test_salvaged(tmp_path):
    """Children that were cut anywhere: what is written is what the result lacks."""
    for case in range(N_CASES // 4):
        rng = documents.dice(f"salvage {case}")
        made = documents.queries(rng, rng.randrange(4, 40))
        parts = documents.split(rng, made)
        children = []
        for part in parts:
            text = documents.document("xml", part)
            if rng.random() < 0.4:
                text = text[:rng.randrange(len(text))]
            children.append(text if rng.random() < 0.5 else gzip.compress(text)[:-rng.randrange(1, 12)] if rng.random() < 0.3 else gzip.compress(text))
        for name in ("missing", "merged.gz", "report"):
            (tmp_path / name).unlink(missing_ok=True)
        done = run(tmp_path, "xml", "merge", program.write_children(tmp_path, children), documents.fasta(made), "--salvage", "--allow-empty")
        assert done.code in (program.OK, SALVAGED, program.DATA), done.err
        if done.code == program.DATA:  # nothing at all is whole
            assert not (tmp_path / "missing").exists()
            continue
        text = program.text_of((tmp_path / "merged.gz").read_bytes()).decode()
        lengths = {int(part.split("<")[0]) for part in text.split("<Iteration_query-len>")[1:]}
        present = [query for query in made if len(query.sequence) in lengths]
        assert (tmp_path / "missing").read_bytes() == documents.fasta([query for query in made if query not in present]), case
        assert shown_rows(tmp_path) == gaps(made, present)


def test_unknown_ones(tmp_path):
    """A check does not know what the rest of a damaged child would have held: that is written, too."""
    made = documents.queries(documents.dice(1), 9, nameless=0)
    first = documents.document("xml", made[:6])
    children = [first[:first.index(made[3].sequence[1:].encode())] if made[3].n_hits else first[:first.index(f"<Iteration_query-len>{len(made[3].sequence)}".encode())],
                documents.document("xml", made[6:8])]
    done = run(tmp_path, "xml", "check", program.write_children(tmp_path, children), documents.fasta(made))
    assert done.code == program.DATA
    assert shown_rows(tmp_path, "unknown_queries") == [[4, 6]] and shown_rows(tmp_path) == [[9, 9]]
    assert (tmp_path / "missing").read_bytes() == documents.fasta([*made[3:6], made[8]])


def test_the_file(tmp_path):
    """How the queries are written, and where to."""
    made = documents.queries(documents.dice(2), 5, nameless=0)
    paths = write(tmp_path, "xml", [made[1:4]])
    lines = documents.fasta(made).decode()
    # without a title, without a last line end, with CR LF, compressed
    bare = lines.split("\n", 1)[1]
    for queries, first, last in ((lines[:-1], made[0].fasta(), made[4].fasta()), (bare, ">\n" + made[0].fasta().split("\n", 1)[1], made[4].fasta()),
                                 (lines.replace("\n", "\r\n"), made[0].fasta().replace("\n", "\r\n"), made[4].fasta().replace("\n", "\r\n")),
                                 (lines.replace("\n", "\r"), made[0].fasta().replace("\n", "\r"), made[4].fasta().replace("\n", "\r"))):
        for data in (queries.encode(), gzip.compress(queries.encode())):
            done = run(tmp_path, "xml", "check", paths, data)
            assert done.code == program.MISMATCH, done.err
            assert (tmp_path / "missing").read_bytes() == (first + last).encode()
    queries = tmp_path / "queries"
    # standard output has it, and then no table
    done = program.run("check", "--expect-queries", queries, "--missing", "-", *paths)
    assert done.out == (tmp_path / "missing").read_bytes() and done.code == program.MISMATCH
    done = program.run("--missing", tmp_path / "m", *paths)
    assert done.code == program.USAGE and "which are not given: give --expect-queries" in done.err
    done = program.run("--expect-queries", queries, "--missing", tmp_path / "missing", "-o", tmp_path / "x.gz", *paths)
    assert done.code == program.EXISTS
    for other in (queries, paths[0]):
        done = program.run("--expect-queries", queries, "--missing", other, "-f", "-o", tmp_path / "x.gz", *paths)
        assert done.code == program.USAGE and "the same place" in done.err
    done = program.run("--expect-queries", queries, "--missing", tmp_path / "x.gz", "-o", tmp_path / "x.gz", *paths)
    assert done.code == program.USAGE and "the same place" in done.err
    done = program.run("--expect-queries", queries, "--missing", "/dev/full", "-o", tmp_path / "x.gz", *paths)
    assert done.code == program.NO_SPACE and not (tmp_path / "x.gz").exists()
    done = program.run("--expect-queries", queries, "--missing", "s3://bucket/key", "-o", tmp_path / "x.gz", *paths)
    assert done.code == program.USAGE and "not to an object store" in done.err
    done = program.run("--expect-queries", queries, "--missing", tmp_path / "none" / "m", "-o", tmp_path / "x.gz", *paths)
    assert done.code == program.NOT_FOUND


def test_undone(tmp_path):
    """If the result cannot get its name, the file does not stay either."""
    made = documents.queries(documents.dice(3), 4)
    paths = write(tmp_path, "xml", [made])
    (tmp_path / "queries").write_bytes(documents.fasta(made))
    with open("/dev/full", "wb") as full:
        done = program.run("--expect-queries", tmp_path / "queries", "--missing", tmp_path / "missing", *paths, stdin=None)
        assert done.code == program.OK and (tmp_path / "missing").read_bytes() == b""
        (tmp_path / "missing").unlink()
        import subprocess
        failed = subprocess.run([program.PROGRAM, "--expect-queries", tmp_path / "queries", "--missing", tmp_path / "missing", *paths],
                                stdout=full, stderr=subprocess.PIPE, check=False)
    assert failed.returncode == program.NO_SPACE and not (tmp_path / "missing").exists()
