# SPDX-License-Identifier: MIT
"""--html: the page has what the report has, and nothing from outside becomes markup."""
import gzip
import json
import os
import re

import corpus
import corpus_formats
import documents
import page
import program
import pytest

SALVAGED = 11


def run(folder, command, paths, *more):
    for name in ("merged.gz", "report", "page.html"):
        (folder / name).unlink(missing_ok=True)
    out = [] if command == "check" else ["-o", folder / "merged.gz"]
    done = program.run(command, *out, "--report", folder / "report", "--html", folder / "page.html", *more, *paths)
    return done, page.read((folder / "page.html").read_bytes()), json.loads((folder / "report").read_bytes())


def label(n):
    """The class of a histogram that a number belongs to."""
    if n < 2:
        return str(n)
    low = 1 << n.bit_length() - 1
    return f"{low} to {2 * low - 1}" if low < 1024 else "1024 and more"


def hits_of(form, made):
    """The histogram of hits per query. Tables without comments do not have the queries without hits."""
    counted = {}
    for query in sorted(made, key=lambda query: query.n_hits):
        if query.n_hits or form not in ("tabular", "csv"):
            counted[label(query.n_hits)] = counted.get(label(query.n_hits), 0) + 1
    return [[name, str(n), ""] for name, n in counted.items()]


def compare(shown, report):
    """The sums are the report's, and so are the rows."""
    totals = report["totals"]
    for name in ("children", "documents", "iterations", "hits", "hsps", "compressed_bytes", "text_bytes"):
        assert int(shown.facts[name]) == totals[name], name
    names = ("documents", "iterations", "hits", "hsps", "compressed_bytes", "text_bytes")
    assert [row[3:9] for row in shown.rows] == [[str(child[name]) for name in names] for child in report["children"]]
    assert [int(row[0]) for row in shown.rows] == list(range(1, len(report["children"]) + 1))
    header = next((child["header"] for child in report["children"] if child["header"]), {})
    assert shown.header == [f"{name}: {value}" for name, value in header.items()]
    if totals["iterations"]:
        assert sum(int(row[1]) for row in shown.histograms["hits"]) == totals["iterations"]
    if report["output"]["location"]:
        output = report["output"]
        assert (int(shown.facts["output_bytes"]), shown.facts["crc32"]) == (output["bytes"], output["crc32"])
        assert (int(shown.facts["copied_bytes"]), int(shown.facts["new_bytes"])) == (output["copied_bytes"], output["bytes"] - output["copied_bytes"])
    if report["format"] in ("tabular", "csv"):  # they do not say what an Iteration is
        assert "Iterations" not in shown.histograms
    else:
        assert sum(int(row[1]) for row in shown.histograms["Iterations"]) == sum(child["status"] != "not read" for child in report["children"])


def test_a_merge_and_a_check(tmp_path):
    for form in documents.FORMATS:
        made = documents.queries(documents.dice(form), 30, nameless=0)
        paths = program.write_children(tmp_path, [gzip.compress(documents.document(form, made[at:at + 6])) for at in range(0, 30, 6)])
        for command in ("merge", "check"):
            done, shown, report = run(tmp_path, command, paths, "--format", form)
            assert done.code == 0, done.err
            compare(shown, report)
            assert shown.histograms["hits"] == hits_of(form, made)
            assert len(shown.strip) == 5 and {state for state, _ in shown.strip} == {"ok"}
            has_hits, has_iterations = form not in ("commented", "tabular", "csv"), form not in ("tabular", "csv")
            for (_, hover), child in zip(shown.strip, report["children"]):
                counts = ", %d Iterations" % child["iterations"] if has_iterations else ""
                counts += ", %d hits" % child["hits"] if has_hits else ", %d Hsps" % child["hsps"]
                assert hover.endswith(": whole" + counts), hover
            assert "All is well" in shown.text and shown.title == f"blastmerge {command}"


@pytest.mark.parametrize("form", documents.FORMATS)
def test_hits_of_queries(tmp_path, form):
    """All classes, in children of several documents, with any number of threads."""
    rng = documents.dice(f"hits {form}")
    sizes = [0, 1, 2, 3, 4, 7, 8, 15, 16, 31, 32, 63, 64, 127, 128, 255, 256, 500, 511, 512, 1023, 1024, 3000]
    made = [documents.Query(query.title, query.sequence, size) for size, query in
            zip(rng.choices(sizes, k=60), documents.queries(rng, 60, nameless=0))]
    parts = documents.split(rng, made)
    children = [b"".join(documents.document(form, part) for part in parts[:2]), *(documents.document(form, part) for part in parts[2:])]
    paths = program.write_children(tmp_path, [gzip.compress(child) for child in children])
    (tmp_path / "queries").write_bytes(documents.fasta(made))
    for command, *more in (["merge"], ["merge", "--threads", "1"], ["check"], ["check", "--threads", "3"],
                           ["merge", "--order-by-queries", "--expect-queries", tmp_path / "queries"]):
        done, shown, report = run(tmp_path, command, paths, "--format", form, "--allow-empty", *more)
        assert done.code == 0, done.err
        compare(shown, report)
        assert shown.histograms["hits"] == hits_of(form, made), (command, more)


def test_hits_that_nothing_tells(tmp_path):
    """Columns of one's own: it is not known which rows are of which query."""
    (tmp_path / "a").write_bytes(b"1\t2\tx\n2\t3\ty\n")
    done, shown, report = run(tmp_path, "check", [tmp_path / "a"], "--format", "tabular")
    assert done.code == 0, done.err
    compare(shown, report)
    assert not shown.histograms


def test_damaged_children(tmp_path):
    made = documents.queries(documents.dice(1), 30, nameless=0)
    children = [gzip.compress(documents.document("xml", made[at:at + 6])) for at in range(0, 30, 6)]
    children[1] = children[1][:-400]
    paths = program.write_children(tmp_path, children)
    (tmp_path / "queries").write_bytes(documents.fasta(made))
    done, shown, report = run(tmp_path, "check", [*paths, tmp_path / "absent"], "--expect-queries", tmp_path / "queries")
    assert done.code == program.DATA
    assert [state for state, _ in shown.strip] == ["ok", "bad", "ok", "ok", "ok", "bad"]
    assert [row[2] for row in shown.rows] == ["whole", "damaged", "whole", "whole", "whole", "not found"]
    assert "cut short" in shown.rows[1][1] and "No such file" in shown.rows[5][1]
    assert int(shown.facts["unknown_queries"]) == report["unknown_queries"][0]["last"] - report["unknown_queries"][0]["first"] + 1
    assert shown.warnings == [text for child in report["children"] for text in child["warnings"]] + report["warnings"]
    done, shown, report = run(tmp_path, "merge", paths, "--salvage")
    assert done.code == SALVAGED and [state for state, _ in shown.strip] == ["ok", "salvaged", "ok", "ok", "ok"]
    assert int(shown.facts["output_bytes"]) == (tmp_path / "merged.gz").stat().st_size
    compare(shown, report)
    merged = re.findall("<Iteration>.*?</Iteration>", gzip.decompress((tmp_path / "merged.gz").read_bytes()).decode(), re.S)
    assert shown.histograms["hits"] == hits_of("xml", [documents.Query("", "", iteration.count("<Hit>")) for iteration in merged])
    assert len(merged) < len(made)
    assert done.err.splitlines()[-1].split("blastmerge: ")[1] in shown.text
    # a merge that fails leaves none
    done = program.run("--html", tmp_path / "another.html", "-o", tmp_path / "x.gz", *paths)
    assert done.code == program.DATA and not (tmp_path / "another.html").exists()


def test_missing_queries(tmp_path):
    """All rows of them, which the report has as numbers."""
    made = documents.queries(documents.dice(7), 30, nameless=0)
    children = [gzip.compress(documents.document("xml", made[at:at + 6])) for at in (0, 12, 24)]
    (tmp_path / "queries").write_bytes(documents.fasta(made))
    done, shown, report = run(tmp_path, "check", program.write_children(tmp_path, children), "--expect-queries", tmp_path / "queries")
    assert done.code == program.MISMATCH and int(shown.facts["missing_queries"]) == 12
    assert len(report["missing_queries"]) == 2 and shown.missing == [
        f"6 queries in a row have no Iteration: number {row['first']}, {row['first_query']} to number {row['last']}, {row['last_query']}"
        for row in report["missing_queries"]]
    assert [(row["first"], row["last"]) for row in report["missing_queries"]] == [(7, 12), (19, 24)]


def test_queries_that_are_not_compared(tmp_path):
    """Without the queries, neither the page nor the report says that none is missing."""
    made = documents.queries(documents.dice(8), 12, nameless=0)
    paths = program.write_children(tmp_path, [gzip.compress(documents.document("xml", made[at:at + 6])) for at in (0, 6)])
    (tmp_path / "queries").write_bytes(documents.fasta(made))
    for command in ("merge", "check"):
        done, shown, report = run(tmp_path, command, paths)
        assert done.code == 0 and report["missing_queries"] is None and report["unknown_queries"] is None
        assert not {"missing_queries", "unknown_queries"} & set(shown.facts)
        assert "<dt>Missing queries</dt><dd>not compared (--expect-queries)</dd>" in shown.text
        done, shown, report = run(tmp_path, command, paths, "--expect-queries", tmp_path / "queries")
        assert done.code == 0 and report["missing_queries"] == [] and report["unknown_queries"] == []
        assert (shown.facts["missing_queries"], shown.facts["unknown_queries"]) == ("0", "0") and "not compared" not in shown.text


def test_what_is_copied(tmp_path):
    """Far from edits, the children's own bits are copied; nothing is where all is compressed anew. Threads make no difference."""
    texts = [corpus.texts(1, 12, seed, hits=100)[0] for seed in range(3)]
    paths = program.write_children(tmp_path, [gzip.compress(text) for text in texts])
    spliced = [run(tmp_path, "merge", paths, "--threads", threads)[2]["output"] for threads in ("1", "2", "4")]
    assert spliced[0] == spliced[1] == spliced[2]
    n_read = sum(path.stat().st_size for path in paths)
    assert 0.8 * n_read < spliced[0]["copied_bytes"] < min(n_read, spliced[0]["bytes"])
    for more in (["--plain"], ["--bgzf"], ["--level", "6"]):
        assert run(tmp_path, "merge", paths, *more)[2]["output"]["copied_bytes"] == 0, more
    rows = [corpus_formats.converted("tabular", text) for text in texts]
    paths = program.write_children(tmp_path, [gzip.compress(text, 9) for text in rows])
    done, _, report = run(tmp_path, "merge", paths, "--format", "tabular")
    assert done.code == 0, done.err
    assert report["output"]["copied_bytes"] > 0.7 * sum(path.stat().st_size for path in paths)


def test_shards(tmp_path):
    made = documents.queries(documents.dice(3), 8, nameless=0, hitless=0)
    paths = program.write_children(tmp_path, [documents.document("tabular", made)] * 2)
    done, shown, report = run(tmp_path, "shards", paths)
    assert done.code == 0, done.err
    assert shown.title == "blastmerge shards" and len(shown.rows) == len(report["children"]) == 2
    assert [row[6] for row in shown.rows] == [str(child["hsps"]) for child in report["children"]]
    ranked = [documents.Query("", "", 2 * query.n_hits) for query in made]  # each shard has all of them
    assert shown.histograms["hits"] == hits_of("tabular", ranked)


def test_a_header_for_which_there_is_no_room(tmp_path):
    """Each line has a field and its own value, as far as they go."""
    made = documents.queries(documents.dice(6), 4, nameless=0)
    odd = {f"BlastOutput_x{number:03}": chr(97 + number % 26) * 1000 for number in range(80)}
    fields = "".join(f"  <{name}>{value}</{name}>\n" for name, value in odd.items())
    text = documents.document("xml", made).decode().replace("  <BlastOutput_param>", fields + "  <BlastOutput_param>", 1)
    done, shown, _ = run(tmp_path, "check", program.write_children(tmp_path, [text.encode()]))
    assert done.code == 0, done.err
    lines = [f"{name}: {value}" for name, value in odd.items()]
    found = [line for line in shown.header if line.startswith("BlastOutput_x")]
    assert found == lines[:len(found)] and 50 < len(found) < 80
    assert shown.header[0] == "BlastOutput_program: blastp"


def test_hostile_names(tmp_path):
    """Names of children and texts of headers are texts on the page, whatever they are."""
    made = documents.queries(documents.dice(4), 4, nameless=0)
    text = documents.document("xml", made).decode()
    paths = []
    for number, name in enumerate(page.HOSTILE):
        path = tmp_path / f"{number} {name}"
        path.parent.mkdir(parents=True, exist_ok=True)
        escaped = name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\x1b", "")
        path.write_bytes(text.replace("BLASTP 2.12.0+", escaped).replace("<BlastOutput_db>proteins", f"<BlastOutput_db>{escaped}").encode())
        paths.append(path)
    for more in ([], ["--db", "<script>document.title='PWNED'</script>"]):
        done, shown, report = run(tmp_path, "check", paths, "--sort", "none", *more)
        assert done.code == 0, done.err
        compare(shown, report)
        assert len(shown.rows) == len(page.HOSTILE) and len(shown.warnings) >= 1
        for row, name in zip(shown.rows, page.HOSTILE):
            if name.isascii() and name.isprintable():
                assert row[1].endswith(name.replace("//", "/")), (row[1], name)
            assert "\x1b" not in row[1] and "\u202e" not in row[1]
    done = program.run("--html", tmp_path / page.HOSTILE[0].replace("/", "_"), "-o", tmp_path / "<b>.gz", *paths[:1])
    assert done.code == 0
    assert page.read((tmp_path / page.HOSTILE[0].replace("/", "_")).read_bytes()).facts["output"].endswith("<b>.gz")


def test_five_thousand(tmp_path):
    """It stays small, and readable."""
    made = documents.queries(documents.dice(5), 2, nameless=0)
    child = documents.document("tabular", made)
    long_name = "a_folder_with_a_rather_long_name_" * 3
    (tmp_path / long_name).mkdir()
    paths = [tmp_path / long_name / f"child_{number:05}.tsv" for number in range(5000)]
    for number, path in enumerate(paths):
        path.write_bytes(child.replace(b"q0", b"a%d" % number).replace(b"q1", b"b%d" % number) if number % 1000 != 7 else child[:20])
    (tmp_path / "list").write_text("".join(f"{path}\n" for path in paths))
    done, shown, report = run(tmp_path, "check", ["--files-from", tmp_path / "list"], "--format", "tabular")
    assert done.code == program.DATA
    assert int(shown.facts["children"]) == 5000 and len(shown.strip) <= 600
    assert len(shown.rows) == 5000 or "more children, which the report has" in shown.text
    assert sum(row[2] != "whole" for row in shown.rows) == sum(child["status"] != "ok" for child in report["children"]) == 5
    assert report["peak_memory"] < 16 << 20


@pytest.mark.parametrize("character, n_faults", [("n", 5), ('"', 2500)])  # the page writes the second character in six bytes
def test_five_thousand_long_names(tmp_path, character, n_faults):
    """It stays below 2 MB, which read() asserts. Of the children, at least those with a fault have rows, as far as there is room."""
    child = documents.document("tabular", documents.queries(documents.dice(5), 2, nameless=0))
    folder = tmp_path / ("f" * 200)
    folder.mkdir()
    paths = [folder / f"{character * 230}_{number:05}.tsv" for number in range(5000)]
    for number, path in enumerate(paths):
        is_faulty = number % (5000 // n_faults) == 1
        path.write_bytes(child[:20] if is_faulty else child.replace(b"q0", b"a%d" % number).replace(b"q1", b"b%d" % number))
    (tmp_path / "list").write_text("".join(f"{path}\n" for path in paths))
    done, shown, report = run(tmp_path, "check", ["--files-from", tmp_path / "list"], "--format", "tabular")
    assert done.code == program.DATA and sum(child["status"] != "ok" for child in report["children"]) == n_faults
    assert all(re.search(r"_\d{5}\.tsv", row[1]) for row in shown.rows)  # a name is told by its end
    n_shown = sum(row[2] != "whole" for row in shown.rows)
    assert n_shown == n_faults or (n_shown > 800 and character == '"')
    assert len(shown.rows) == 5000 or f"and {5000 - len(shown.rows)} more children, which the report has" in shown.text
    if character == "n":
        assert len(shown.rows) > 4000


def test_places(tmp_path):
    made = documents.queries(documents.dice(6), 4)
    paths = program.write_children(tmp_path, [documents.document("xml", made)])
    done = program.run("check", "--html", "-", *paths)
    assert done.code == 0 and page.read(done.out).title == "blastmerge check"
    done = program.run("--html", paths[0], "-f", "-o", tmp_path / "x.gz", *paths)
    assert done.code == program.USAGE and "the page" in done.err
    done = program.run("--html", tmp_path / "p", "--report", tmp_path / "p", "-o", tmp_path / "x.gz", *paths)
    assert done.code == program.USAGE and "the same place" in done.err
    done = program.run("--html", "/dev/full", "-o", tmp_path / "x.gz", *paths)
    assert done.code == program.NO_SPACE and not (tmp_path / "x.gz").exists()
    done = program.run("--html", "s3://bucket/page", "-o", tmp_path / "x.gz", *paths)
    assert done.code == program.USAGE and "not to an object store" in done.err
    (tmp_path / "p").write_bytes(b"")
    assert program.run("--html", tmp_path / "p", "-o", tmp_path / "x.gz", *paths).code == program.EXISTS
    assert program.run("--html", tmp_path / "p", "-f", "-o", tmp_path / "x.gz", *paths).code == 0
    with open("/dev/full", "wb") as full:
        done = program.run("--html", tmp_path / "another", "--plain", "-o", "/dev/full", *paths, stdin=full)
    assert done.code != 0 and not (tmp_path / "another").exists()
