# SPDX-License-Identifier: MIT
"""Tables as people have them: rows of column names, empty lines, last lines without an end, other programs' comments, and what is no
table at all."""
import gzip
import json

import pytest

from forms import bgzf, member
from program import DATA, MISMATCH, OK, only_files, run

ROWS = [[f"query_{i}", f"sp|P{i}{j}|X", "98.5", "120", "1", "0", "1", "120", "5", "124", "2e-30", "221"] for i in range(3) for j in range(4)]
NAMES = ["qseqid", "sseqid", "pident", "length", "mismatch", "gapopen", "qstart", "qend", "sstart", "send", "evalue", "bitscore"]
MMSEQS = ["query", "target", "fident", "alnlen", "mismatch", "gapopen", "qstart", "qend", "tstart", "tend", "evalue", "bits"]


def table(rows, separator="\t", end="\n"):
    return "".join(separator.join(row) + end for row in rows).encode()


def write(folder, *texts, name="part"):
    """Every other child is compressed."""
    paths = []
    for i, text in enumerate(texts):
        paths.append(folder / f"{name}_{i + 1}")
        paths[-1].write_bytes(member(text) if i % 2 else text)
    return paths


def merged(folder, *texts, arguments=(), warnings=0):
    """The merge's text: spliced, plain, checked, with one thread and several: all the same."""
    paths = write(folder, *texts)
    done = run("--threads", 1, *arguments, *paths)
    said = [line for line in done.warnings if "holds the queries of" not in line and "come once more" not in line]  # of the same rows again
    assert done.code == OK and len(said) == warnings, done.err
    assert run("--plain", *arguments, *paths).out == done.text
    assert run("--threads", 4, *arguments, *paths).out == done.out
    assert run("check", *arguments, *paths).code == OK
    return done.text


def refused(folder, code, *texts, arguments=(), child=None):
    """What is said of it, of the child with that number, or the last one."""
    paths = write(folder, *texts)
    before = only_files(folder)
    done = run("-o", folder / "merged", *arguments, *paths)
    check = run("check", *arguments, *paths)
    assert done.code == code == check.code, (done, check)
    last_line = done.err.splitlines()[-1]
    assert last_line.startswith(f"blastmerge: {paths[-1 if child is None else child]}: ") and last_line in check.err, done.err
    assert only_files(folder) == before
    return last_line


# --- rows of column names ----------------------------------------------------------------------------


@pytest.mark.parametrize("separator, end", [("\t", "\n"), ("\t", "\r\n"), (",", "\n"), (",", "\r\n")])
@pytest.mark.parametrize("names", [NAMES, MMSEQS, [f'"{name}"' for name in NAMES], ["#" + NAMES[0], *NAMES[1:]], ["# " + NAMES[0], *NAMES[1:]],
                                   ["Query", "Subject", "% identity", "len", "mm", "gaps", "a", "b", "c", "d", "E-value", "Bits"],
                                   list("abcdefghijkl")])
def test_names_once(tmp_path, names, separator, end):
    head = table([names], separator, end)
    texts = [head + table(ROWS[i:i + 4], separator, end) for i in (0, 4, 8)]
    rows = table(ROWS, separator, end)
    assert merged(tmp_path, *texts) == head + rows
    assert merged(tmp_path, *texts, arguments=["--header", "none"]) == rows
    if "qseqid" in names:
        assert merged(tmp_path, *texts, arguments=["--header", "keep"]) == b"".join(texts)
    report = tmp_path / "report"
    run("--report", report, "-o", tmp_path / "out", *write(tmp_path, *texts))
    made = json.loads(report.read_bytes())
    assert [child["hsps"] for child in made["children"]] == [4, 4, 4]
    assert all(child["header"]["header row"] == separator.join(names) for child in made["children"])
    assert made["options"]["header"] == "once"


@pytest.mark.parametrize("separator", ["\t", ","])
@pytest.mark.parametrize("names", [["", *NAMES], ['""', *NAMES], ["Unnamed: 0", *NAMES], ["1", *NAMES], ["\u00c4hnlichkeit", *NAMES], [*NAMES, ""], [*NAMES, "-"],
                                   ["\u00fc"] + list("abcdefghijkl")])
def test_names_beside_other_fields(tmp_path, separator, names):
    """pandas leaves the first one empty, an editor a last one; and letters are more than ASCII's."""
    last = names[-1] in ("", "-")
    lines = [[*row, "x"] if last else [str(i), *row] for i, row in enumerate(ROWS)]
    head = table([names], separator)
    texts = [head + table(lines[i:i + 4], separator) for i in (0, 4, 8)]
    arguments = ["--format", "csv" if separator == "," else "tabular"]
    assert merged(tmp_path, *texts, arguments=arguments) == head + table(lines, separator)
    assert merged(tmp_path, *texts, arguments=[*arguments, "--header", "none"]) == table(lines, separator)
    if NAMES[0] in names:
        assert merged(tmp_path, *texts) == head + table(lines, separator)


@pytest.mark.parametrize("separator", ["\t", ","])
def test_two_rows_of_names(tmp_path, separator):
    """Only the first would be told from hits, and each child's second one would be among these."""
    for first, second in ((NAMES, MMSEQS), (["#" + NAMES[0], *NAMES[1:]], NAMES), (NAMES, [f'"{name}"' for name in NAMES])):
        text = table([first, second, *ROWS], separator)
        assert "its first two lines are rows of column names" in refused(tmp_path, DATA, text)
        assert "its first two lines are rows of column names" in refused(tmp_path, DATA, table([first, *ROWS], separator), text)
        arguments = ["--header", "keep", "--format", "csv" if separator == "," else "tabular"]
        assert merged(tmp_path, text, text, arguments=arguments) == text * 2
    assert merged(tmp_path, table([NAMES, NAMES, *ROWS], separator), table([NAMES, *ROWS], separator)) == table([NAMES, *ROWS, *ROWS], separator)


@pytest.mark.parametrize("separator", ["\t", ","])
def test_a_message_before_names(tmp_path, separator):
    """A message of BLAST that runs into a row of names is one, whichever child begins with it."""
    rows = table([NAMES, *ROWS], separator)
    message = b"Command line argument error" + rows
    for child, texts in ((0, [message]), (0, [message, message]), (1, [rows, message])):
        said = refused(tmp_path, DATA, *texts, child=child)
        assert "it looks like a message before a result" in said and 'begins with "Command line argument error' in said


def test_names_of_few_columns(tmp_path):
    """They are known without --format by two names that no sequence has."""
    head = b"qseqid\tsseqid\tevalue\n"
    assert merged(tmp_path, head + b"a\tb\t0.0\n", head + b"c\td\t1e-7\n") == head + b"a\tb\t0.0\nc\td\t1e-7\n"
    assert merged(tmp_path, head, head + b"c\td\t1e-7\n", head) == head + b"c\td\t1e-7\n"
    assert merged(tmp_path, head, head) == head
    assert merged(tmp_path, head, head, arguments=["--header", "none"]) == b""
    one = b"qseqid\n"
    assert merged(tmp_path, one + b"a\n", one + b"b\n", arguments=["--format", "tabular"]) == one + b"a\nb\n"
    weak = b"gene\tscore\n"
    assert merged(tmp_path, weak + b"a\t1\n", weak, weak + b"b\t2\n", arguments=["--format", "tabular"]) == weak + b"a\t1\nb\t2\n"


@pytest.mark.parametrize("rows", [[["a", "b"], ["c", "d"]], [["a", "b"], ["1", "d"]], [["a", "N/A", "N/A"], ["a", "9606", "1"]],
                                  [["a", "title", ""], ["a", "title", "x"]], [["Query_1", "evalue", "x"], ["Query_1", "b", "x"]],
                                  [["a", "b", "1"], ["c", "d", "2"]], [["qseqid", "1"], ["qseqid", "2"]]])
def test_rows_that_are_no_names(tmp_path, rows):
    """The same rows in both children: if the first were taken for names, it would be missing."""
    text = table(rows)
    assert merged(tmp_path, text, text, arguments=["--format", "tabular", "--query-ids", "keep"]) == text * 2


@pytest.mark.parametrize("other, shown", [(NAMES[:-1] + ["score"], "score"), (None, "absent"), (NAMES[:5], None)])
@pytest.mark.parametrize("swap", [False, True])
def test_other_names(tmp_path, other, shown, swap):
    rows = [row[:len(other or NAMES)] for row in ROWS]
    texts = [table([NAMES, *ROWS]), table([*([other] if other else []), *rows])]
    said = refused(tmp_path, MISMATCH, *texts[::-1 if swap else 1])
    if shown is None:
        assert "its columns are" in said
        return
    assert "its header row is" in said and "part_1" in said and shown in said and "--header keep" in said
    warned = run("--mismatch", "warn", "--plain", *write(tmp_path, *texts))
    assert len(warned.warnings) == 2 and "holds the queries of" in warned.warnings[1] and warned.out == table([NAMES, *ROWS, *rows])


def test_names_of_one_child_again(tmp_path):
    """Files that were joined before: by cat, of gzip members, and at every place in a block of rows."""
    head = table([NAMES])
    for n_rows in range(12):
        part = head + table(ROWS[:n_rows])
        assert merged(tmp_path, part + part, part + part) == head + table(ROWS[:n_rows]) * 4
    (tmp_path / "joined").write_bytes(member(head + table(ROWS[:5])) + member(head) + member(head + table(ROWS[5:])))
    assert run(tmp_path / "joined").text == head + table(ROWS)
    (tmp_path / "joined").write_bytes(bgzf(head + table(ROWS)) + bgzf(head[:-1] + b"\r\n" + table(ROWS)))
    assert run(tmp_path / "joined").text == head + table(ROWS * 2)


def test_names_in_every_split(tmp_path):
    """Members of few bytes: each batch ends elsewhere."""
    head = table([MMSEQS])
    text = head + table(ROWS)
    for size in (1, 2, 7, 60, 100, 500):
        packed = b"".join(gzip.compress(text[at:at + size], mtime=0) for at in range(0, len(text), size))
        (tmp_path / "a").write_bytes(packed)
        assert run(tmp_path / "a", tmp_path / "a", "--sort", "none").text == head + table(ROWS * 2)


def test_long_rows_of_names(tmp_path):
    long = table([[*NAMES, "x" * 100, *(f"column_{i}" for i in range(150))]])
    row = table([[*ROWS[0], "t", *map(str, range(150))]])
    assert len(long) < 2048 and merged(tmp_path, long + row, long + row) == long + row * 2
    longer = long[:-1] + long.replace(b"qseqid", b"\tx")
    row = row[:-1] + b"\t" + row
    assert merged(tmp_path, longer + row, longer + row, arguments=["--format", "tabular"]) == (longer + row) * 2


def test_many_rows_below_names(tmp_path):
    """Rows that begin as the row of names does."""
    rows = [["qseq" + row[0], *row[1:]] for row in ROWS] * 2000
    head = table([NAMES])
    assert merged(tmp_path, head + table(rows), head + table(rows)) == head + table(rows * 2)


# --- empty lines, last lines -------------------------------------------------------------------------


@pytest.mark.parametrize("separator", ["\t", ","])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_empty_lines(tmp_path, separator, end):
    text, blank = table(ROWS, separator, end), end.encode()
    for other in (text + blank, text + blank * 3, blank + text, table(ROWS[:5], separator, end) + blank + table(ROWS[5:], separator, end)):
        assert merged(tmp_path, other, other) == text * 2
    assert merged(tmp_path, text + blank * 5000, text) == text * 2
    head = table([NAMES], separator, end)
    assert merged(tmp_path, head + blank + text, blank + head + text + blank) == head + text * 2


def test_empty_lines_alone(tmp_path):
    """They are a table without a row: nothing is compared with it."""
    head = table([NAMES])
    for blank in (b"\n", b"\r\n\n"):
        assert merged(tmp_path, table(ROWS), blank, table(ROWS)) == table(ROWS) * 2
        assert merged(tmp_path, blank, head + table(ROWS), head, arguments=["--format", "tabular"]) == head + table(ROWS)
        assert merged(tmp_path, blank, blank, arguments=["--format", "csv"]) == b""
    done = b"\nSearch has CONVERGED!\n"
    assert merged(tmp_path, table(ROWS), done, table(ROWS)) == table(ROWS) + done + table(ROWS)
    assert merged(tmp_path, done, table(ROWS), arguments=["--format", "tabular"]) == done + table(ROWS)


def test_psiblasts_message_stays(tmp_path):
    done = b"\nSearch has CONVERGED!\n"
    text = table(ROWS) + done
    assert merged(tmp_path, text, b"\n" + text, text[:-1], table(ROWS) + b"\n" + done) == text * 4
    rows = table([["Search has " + row[0], *row[1:]] for row in ROWS])
    assert merged(tmp_path, rows + b"\n" + rows, rows) == rows * 3


@pytest.mark.parametrize("separator", ["\t", ","])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_last_line_without_its_end(tmp_path, separator, end):
    text = table(ROWS, separator, end)
    cut = text[:-len(end)]
    assert merged(tmp_path, cut, cut, cut + b"\r" * (end != "\n")) == text * 3
    for n in (1, 2):  # of "221"
        assert merged(tmp_path, text, cut[:-n]) == text + cut[:-n] + end.encode()
    for n in (3, 4, 10, len(cut) - 1 - cut.rindex(b"\n")):
        if cut[:-n].endswith(b"\n"):
            continue
        assert "ends inside a line: it is cut short" in refused(tmp_path, DATA, text, cut[:-n])
    one = table(ROWS[:1], separator, end)
    assert merged(tmp_path, one[:-len(end)], one[:-len(end)]) == table(ROWS[:1], separator) * 2  # nothing shows another end


@pytest.mark.parametrize("field, is_whole", [("27.3", True), ("27.", False), ("2e", False), ("2e-", False), ("2e-3", True), ("-", False), ("", False),
                                             ("N/A", True), ("e", True), ("a title, e.g.", True), (" 27", True), (" 2.", False), ("Homo sapiens", True)])
def test_last_field_of_all(tmp_path, field, is_whole):
    text = b"a\tb\nc\t" + field.encode()
    for child in (text, b"x\ty\n" * 3000 + text, text.replace(b"\n", b"\r\n")):
        if is_whole:
            end = b"\r\n" if b"\r" in child else b"\n"
            assert run("--plain", "--format", "tabular", *write(tmp_path, child)).out == child + end
        else:
            assert "cut short" in refused(tmp_path, DATA, child, arguments=["--format", "tabular"])


def test_cut_gzip_is_refused_whatever_its_text(tmp_path):
    text = table(ROWS)
    for data in (gzip.compress(text[:-1])[:-1], gzip.compress(text[:-1])[:-8], gzip.compress(text + b"\n")[:-4]):
        (tmp_path / "a").write_bytes(data)
        assert run("-o", tmp_path / "b", tmp_path / "a").code == DATA


# --- tables with comments ----------------------------------------------------------------------------

FIELDS = "# Fields: query acc.ver, subject acc.ver, % identity, alignment length, mismatches, gap opens, q. start, q. end, s. start, s. end, evalue, bit score\n"
OLD_FIELDS = ("# Fields: Query id, Subject id, % identity, alignment length, mismatches, gap openings, q. start, q. end, s. start, s. end, e-value, "
              "bit score\n")


def blastall(query, rows, version="2.2.26 [Sep-21-2011]"):
    return f"# BLASTP {version}\n# Query: {query}\n# Database: nr\n{OLD_FIELDS}".encode() + table(rows)


def web(query, rows, blank="\n"):
    fields = FIELDS if rows else ""
    return (f"# blastp\n# Iteration: 0\n# Query: {query}\n# RID: ABC1234567{query}\n# Database: nr\n{fields}# {len(rows)} hits found\n".encode()
            + table(rows) + blank.encode())


def plus(query, rows):
    return f"# BLASTP 2.12.0+\n# Query: {query}\n# Database: nr\n{FIELDS}# {len(rows)} hits found\n".encode() + table(rows)


def test_blastall(tmp_path):
    texts = [blastall("a", ROWS[:4]) + blastall("b", []), blastall("c", ROWS[4:])]
    assert merged(tmp_path, *texts) == b"".join(texts)
    assert merged(tmp_path, texts[0] + b"\n\n", texts[1][:-1]) == b"".join(texts)
    assert "its version is" in run(*write(tmp_path, texts[0], blastall("d", [], "2.2.25 [Feb-01-2011]"))).err
    assert "has 11 fields" in refused(tmp_path, DATA, texts[0], texts[1] + table([ROWS[0][:11]]))
    assert "cut short" in refused(tmp_path, DATA, texts[0], texts[1][:-4])
    assert "cut short" in refused(tmp_path, DATA, texts[0], texts[1][:60])
    assert "blastall's (-m 9), but BLAST+'s" in refused(tmp_path, MISMATCH, plus("a", ROWS) + b"# BLAST processed 1 queries\n", texts[0])


def test_the_webs_tables(tmp_path):
    texts = [web("a", ROWS[:4]) + web("b", []), web("c", ROWS[4:])]
    assert merged(tmp_path, *texts) == b"".join(text.replace(b"\n\n", b"\n") for text in texts)
    whole = web("a", ROWS[:4], "")
    assert merged(tmp_path, whole, whole[:-1]) == whole * 2
    assert merged(tmp_path, web("a", [], ""), web("b", [], "")[:-1]) == web("a", [], "") + web("b", [], "")
    assert merged(tmp_path, web("a", [], ""), web("b", []).replace(b"\n", b"\r\n"), warnings=1).count(b"# blastp") == 2
    last = b"# BLAST processed 1 queries\n"
    assert merged(tmp_path, whole + last, whole + last) == whole * 2 + last.replace(b"1", b"2")
    assert merged(tmp_path, whole + last, whole) == whole * 2
    assert "cut short" in refused(tmp_path, DATA, whole, whole[:whole.rindex(b"query_0")])
    assert "cut short" in refused(tmp_path, DATA, whole, whole[:60])
    said = refused(tmp_path, MISMATCH, plus("a", ROWS) + last, whole)
    assert "its form is the hit table of NCBI's web pages, but BLAST+'s (-outfmt 7) came before" in said


def test_last_line_of_outfmt_7(tmp_path):
    text, last = plus("a", ROWS), b"# BLAST processed 1 queries"
    assert merged(tmp_path, text + last, text + last + b"\n\n\r\n") == text * 2 + last.replace(b"1", b"2") + b"\n"
    assert "cut short" in refused(tmp_path, DATA, text + last, text + last[:-1])
    assert "the line here is empty" in refused(tmp_path, DATA, text + last, text + b"\n" + text + last.replace(b"1", b"2"))


def test_tables_of_seqan(tmp_path):
    """Lambda's, whose version looks half like blastall's; the last line counts."""
    texts = [text.replace(b"2.12.0+", b"2.2.26+ [I/O Module of SeqAn-2.4.0, http://www.seqan.de]") for text in (plus("a", ROWS[:4]), plus("b", []), plus("c", ROWS[4:]))]
    children = [texts[0] + texts[1] + b"# BLAST processed 2 queries\n", texts[2] + b"# BLAST processed 1 queries\n"]
    assert merged(tmp_path, *children) == b"".join(texts) + b"# BLAST processed 3 queries\n"
    assert "some are lost" in refused(tmp_path, DATA, children[1], texts[0] + b"# BLAST processed 2 queries\n")
    assert "it is cut short" in refused(tmp_path, DATA, children[1], texts[0])


# --- byte order marks, and other line ends --------------------------------------------------------------

BOM = b"\xef\xbb\xbf"


@pytest.mark.parametrize("text", [table(ROWS), table(ROWS, ","), table([NAMES] + ROWS), table(ROWS, end="\r\n"), plus("a", ROWS) + b"# BLAST processed 1 queries\n",
                                  web("a", ROWS), b"\n" + table(ROWS), b'{\n"BlastOutput2": [\n]\n}\n'], ids=range(8))
def test_byte_order_marks(tmp_path, text):
    """They make no difference, and are not copied."""
    expected = merged(tmp_path, text, text)
    for children in ((BOM + text, text), (text, BOM + text), (BOM + text, BOM + text)):
        assert merged(tmp_path, *children) == expected
    if text.startswith(b"query"):
        arguments = ["--format", "csv" if b"," in text else "tabular"]
        assert merged(tmp_path, BOM + text, BOM + text, arguments=arguments) == expected


def test_byte_order_mark_alone(tmp_path):
    assert "it holds only a byte order mark" in refused(tmp_path, DATA, table(ROWS), BOM)
    assert "before its root element" in refused(tmp_path, DATA, BOM)
    for name in ("\uff11", "\u00e9", "\u4e00"):  # the first begins like one
        rows = table([[name, *ROWS[0][1:]], ["\ufeffa", *ROWS[0][1:]]])
        assert merged(tmp_path, rows, rows) == rows * 2


@pytest.mark.parametrize("before", [BOM, b"\n", b"  \r\n\t", BOM + b"\n \n"])
def test_json_behind_white_space(tmp_path, before):
    text = b'{\n"BlastOutput2": [\n]\n}\n'
    for children in ((before + text, text), (text, before + text)):
        assert merged(tmp_path, *children) == text


@pytest.mark.parametrize("text", [table(ROWS), table(ROWS, ","), table([NAMES] + ROWS), plus("a", ROWS) + b"# BLAST processed 1 queries\n", table(ROWS) * 30],
                         ids=["6", "10", "names", "7", "long"])
def test_lone_carriage_returns(tmp_path, text):
    words = "its lines end in lone carriage returns (CR), as old Macintosh programs write them; convert it first"
    data = text.replace(b"\n", b"\r")
    for other in (data, data[:-1], data + b"\n", BOM + data):
        assert words in refused(tmp_path, DATA, other)
        assert words in refused(tmp_path, DATA, text, other)
    assert merged(tmp_path, table([["a\rb", "c"], ["d", "e"]]), arguments=["--format", "tabular"]) == b"a\rb\tc\nd\te\n"  # a title's


# --- what is no table --------------------------------------------------------------------------------

TAR = b"a.xml" + bytes(95) + b"0000644\0" + bytes(149) + b"ustar  \0" + bytes(247) + b"<?xml"
FOREIGN = {
    "lzop": (b"\x89LZO\0\r\n\x1a\n", "lzop data; decompress it first (lzop -d)", r"\x89"),
    ".Z": (b"\x1f\x9d\x90aaaa", "data of compress (.Z); decompress it first", r"\x1f\x9d"),
    "lzma": (b"]\0\0\x80\0" + b"\xff" * 8 + b"\0\x1e", "LZMA data; decompress it first", r"]\x00"),
    "zip": (b"PK\x03\x04\x14\0", "a ZIP archive; unpack it first", r"PK\x03"),
    "tar": (TAR, "a tar archive; unpack it first (tar -xf)", "a.xml"),
    "daa": (b"\x6b\xe3\x3e\x6d\x47\x53\x0e\x3c\1\0\0\0", "DIAMOND's archive (DAA), of which diamond view makes", "k"),
    "fastq": (b"@r1\nACGT\n+\nIIII\n", "FASTQ (reads", "@r1"),
    "fasta": (b">a\nMKV\n", "FASTA (sequences", ">a"),
    "bam": (b"BAM\x01\0\0\0\0", "BAM, which samtools merges", "BAM"),
    "vcf": (b"##fileformat=VCFv4.2\n#CHROM\tPOS\n", "VCF", "##fileformat=VCFv4.2"),
    "gff": (b"##gff-version 3\n", "GFF", "##gff"),
    "lfs": (b"version https://git-lfs.github.com/spec/v1\n", "a pointer of Git LFS", "version https"),
    "diamond": (b"# DIAMOND v2.1.3. http://github.com/bbuchfink/diamond\n# Invocation: diamond\n", "DIAMOND's table with comments", "# DIAMOND v2"),
    "igblast": (b"# IGBLASTN\n# Query: a\n", "IgBLAST's table", "# IGBLASTN"),
    "magicblast": (b"# MAGICBLAST 1.5.0\n", "Magic-BLAST's table", "# MAGICBLAST"),
    "rapsearch": (b"# RAPSearch v2.24\n", "RAPSearch2's table", "# RAPSearch"),
    "last": (b"# LAST version 1180\n", "LAST's output", "# LAST"),
    "slurm": (b"slurmstepd: error: *** JOB 123 ON node1 CANCELLED DUE TO TIME LIMIT ***\n", "a batch system's message; repeat the search",
              "slurmstepd: error: *** JOB 123 ON node1 CANCELLED DUE TO TIM..."),
    "blast": (b"BLAST query/options error: Too many positional arguments\nPlease refer to the BLAST+ user manual.\n",
              "a message of BLAST: the search has failed; repeat it", "BLAST query/options error: Too many positional arguments"),
    "killed": (b"Killed\n", "a shell's message; repeat the search", "Killed"),
    "python": (b"Traceback (most recent call last):\n", "a program's message", "Traceback"),
    "organisms": (b"\n" + b" " * 40 + b"Tax BLAST report\n", "BLAST's report of organisms (-outfmt 18), which is not merged", "Tax BLAST report"),
    "json": (b"[\n{\"query\":\"a\"}\n]\n", "JSON that is not BLAST's", "["),
    "front": (b"Warning: [blastp] Examining 5 or more matches is recommended\n" + table(ROWS), "a message before a result; remove it", "Warning: [blastp]"),
    "front 7": (b"Warning: [blastp] Examining\n" + plus("a", ROWS), "a message before a result; remove it", "Warning: [blastp]"),
    "fasta 8C": (b"# fasta36 -m 8C q db\n# FASTA 36.3.8h Aug, 2019\n# Query: q\n", "output of FASTA's programs, of which tables without comments are merged", "# fasta36"),
    "fasta 0": (b"# ssearch36 -m 0 -q q db\nSSEARCH performs a Smith-Waterman search\n", "output of FASTA's programs, of which", "# ssearch36"),
    "script": (b"/var/spool/slurmd/job00123/slurm_script: line 12: blastp: command not found\n", "a shell's message; repeat the search", "/var/spool"),
    "script killed": (b"./run.sh: line 3:  1234 Killed                  blastp -query a.fa -db nr\n", "a shell's message; repeat the search", "./run.sh"),
    "dash": (b"run.sh: 3: blastp: not found\n", "a shell's message; repeat the search", "run.sh: 3"),
    "zsh": (b"zsh:1: command not found: blastp\n", "a shell's message; repeat the search", "zsh:1"),
    "loader": (b"/opt/blastp: error while loading shared libraries: libz.so.1: cannot open shared object file\n", "a program's message", "/opt/blastp"),
    "disk": (b"cp: error writing 'x': No space left on device\n", "a program's message; repeat the search", "cp: error"),
    "docker": (b"docker: Error response from daemon: pull access denied\n", "a program's message; repeat the search", "docker: "),
    "nohup": (b"nohup: ignoring input\n" + table(ROWS), "a message before a result; remove it", "nohup: "),
    "infernal": (b"#target name         accession\n#------- ---\ntRNA RF00005\n", "Infernal's table", "#target name"),
    "sep": (b"sep=,\r\n" + table(ROWS, ","), "a spreadsheet's line that names the separator (sep=), before a table; remove the line", "sep=,"),
    "utf-16": ("query\ts\n".encode("utf-16-le"), "UTF-16, little end first, which is not supported; convert it to UTF-8", r"q\x00u\x00"),
    "utf-16 json": ("{\n\"BlastOutput2\": []}".encode("utf-16-le"), "UTF-16, little end first, which is not supported; convert it to UTF-8", r"{\x00"),
    "utf-16 big": ("# BLASTP 2.12.0+\n".encode("utf-16-be"), "UTF-16, big end first, which is not supported; convert it to UTF-8", r"\x00#\x00"),
    "front 5": (b"Warning: [blastp] Examining\n<?xml version=\"1.0\"?>\n", "a message before a result; remove it", "Warning: [blastp]"),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_foreign(tmp_path, name):
    """Named, its first bytes shown, and what to do: as the first child, or as a later one, with and without --format."""
    data, what, begin = FOREIGN[name]
    for arguments in ([], ["--format", "tabular"], ["--format", "csv"], ["--format", "commented"]):
        said = refused(tmp_path, DATA, data, arguments=arguments)
        assert f"it looks like {what}" in said and f'it begins with "{begin}' in said, said
        shown = said[said.index('begins with "') + 13:said.rindex('"')]
        assert len(shown) <= 63 and shown.isprintable() and shown.isascii()
    if name not in ("json", "organisms"):
        assert f"it looks like {what}" in refused(tmp_path, DATA, table(ROWS), data)
    (tmp_path / "packed").write_bytes(gzip.compress(data))
    assert f"it looks like {what}" in run(tmp_path / "packed").err


@pytest.mark.parametrize("title", ["RecName: Full=Hemoglobin", "Heat Killed protein", "line 12: a", "a: line b", "Notch, not found in flies"])
def test_titles_are_no_messages(tmp_path, title):
    """A table of one column can hold any title."""
    text = title.encode() + b"\nother\n"
    assert merged(tmp_path, text, arguments=["--format", "tabular"]) == text


def test_what_is_not_known(tmp_path):
    """Its first line is shown, and options only where they could help."""
    said = refused(tmp_path, DATA, b"what\x07ever \x1b[31m\xff " + b"x" * 100 + b"\nnext")
    assert 'it begins with "what\\x07ever \\x1b[31m\\xff x' in said and "--format" not in said
    assert '--format tabular or --format csv accepts it; it begins with "a\\tb\\t1"' in refused(tmp_path, DATA, b"a\tb\t1\nc\td\t2\n")


@pytest.mark.parametrize("data", [b"Loading blast/2.12\n" + table(ROWS), b"Loading blast\n\n" + plus("a", ROWS), b"_par>\n<?xml version=\"1.0\"?>\n",
                                  b"# made by a script\n" + table(ROWS), b"qseqid sseqid pident\n" + table(ROWS), b"x\n" + table(ROWS, ",")])
def test_anything_in_front_of_a_result(tmp_path, data):
    said = refused(tmp_path, DATA, data)
    assert "its first line does not belong to the result after it; remove the text before the result; it begins with" in said


@pytest.mark.parametrize("names", [b"q,1,s0", b'"q,1",s0', b"1,2"])
def test_a_first_row_that_is_not_known(tmp_path, names):
    """BLAST writes commas in names as they are: the message does not only say that the row is to be removed."""
    row = b",90.0,100,1,0,1,100,1,100,1e-10,200\n"
    data = names + row + b"q2,s1" + row
    assert "after it; if it is a row, --format csv accepts it; else remove the text before the result; it begins with" in refused(tmp_path, DATA, data)
    assert merged(tmp_path, data, arguments=["--format", "csv"]) == data


REFFLAT = "GENE\tNM_1\tchr1\t+\t11873\t14409\t14409\t14409\t3\t11873,12612,13220,14000,15000,16000,\t12227,12721,14409,14500,15500,16500,\n"
VCF = "chr1\t10\trs1\tA\tC,G,T\t50\tPASS\tAC=1,2,3,4,5,6,7,8,9,10,11,12\n"


@pytest.mark.parametrize("text", [REFFLAT, VCF, "1,2,3,4,5,6,7,8,9,10,11,12\n" * 3, "0.1,0.2,0.3,0.4,0.5,0.6,0.7,0.8,0.9,1,1.1,1.2,1.3\n"])
def test_what_is_no_csv(tmp_path, text):
    assert "not output of BLAST that can be merged" in refused(tmp_path, DATA, text.encode())
    if "\t" in text:
        assert "tabs separate its columns; --format tabular accepts it" in refused(tmp_path, DATA, text.encode(), arguments=["--format", "csv"])
        assert merged(tmp_path, text.encode(), arguments=["--format", "tabular"]) == text.encode()


def test_the_other_separator(tmp_path):
    assert "commas separate its columns; --format csv accepts it" in refused(tmp_path, DATA, table(ROWS, ","), arguments=["--format", "tabular"])
    assert "tabs separate its columns; --format tabular accepts it" in refused(tmp_path, DATA, table(ROWS), arguments=["--format", "csv"])
    numbers = table([["12", "queries, 7", *row[2:]] for row in ROWS], ",")
    assert merged(tmp_path, numbers) == numbers
