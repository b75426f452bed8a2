# SPDX-License-Identifier: MIT
"""The ceilings of docs/limits.md: what just fits is merged, what is one more is refused, or handled as it says there."""
import json
import re
from xml.parsers import expat

import pytest

from program import DATA, OK, ROOT, USAGE, run, same_as_oracle, write_children
from searches import Search
from small import child, text
from test_real_blast import blast  # noqa: F401 (a fixture)

MEGABLAST = "<BlastOutput_mbstat>{}</BlastOutput_mbstat>"


def tag(n_attributes, n_bytes):
    names = [f"{number:02}".rjust(n_bytes, "a") for number in range(n_attributes)]
    return "<x " + " ".join(f"{name}=''" for name in names) + "/>"


@pytest.mark.parametrize("fitting, too_much", [
    (f"<{'n' * 256}/>", f"<{'n' * 257}/>"),
    (f"<{'é' * 128}/>", f"<{'é' * 128}n/>"),
    (f"<x {'n' * 256}=''/>", f"<x {'n' * 257}=''/>"),
    (f"<?{'n' * 256}?>", f"<?{'n' * 257}?>"),
    ("<a>" * 61 + "</a>" * 61, "<a>" * 62 + "</a>" * 62),  # in BlastOutput, _iterations and Iteration
    (tag(64, 5), tag(65, 5)),
    (tag(64, 64), tag(64, 65)),
])
def test_in_an_iteration(tmp_path, fitting, too_much):
    same_as_oracle(tmp_path, [child("a", extra=fitting), child("b")])
    done = run(*write_children(tmp_path, [child("b"), child("a", extra=too_much)]))
    assert done.code == DATA and "child_0001" in done.err


@pytest.mark.parametrize("old, fitting, too_much", [
    ('<?xml version="1.0"?>', '<?xml version="1.0"' + " " * 1003 + "?>", '<?xml version="1.0"' + " " * 1004 + "?>"),
    ("DOCTYPE BlastOutput", "DOCTYPE " + "n" * 256, "DOCTYPE " + "n" * 257),
    ("</BlastOutput>", MEGABLAST.format("1" * (8192 - len(MEGABLAST) + 2)) + "</BlastOutput>",
     MEGABLAST.format("1" * (8193 - len(MEGABLAST) + 2)) + "</BlastOutput>"),
])
def test_outside_of_iterations(tmp_path, old, fitting, too_much):
    plain = text("a")
    assert old.encode() in plain
    same_as_oracle(tmp_path, [plain.replace(old.encode(), fitting.encode()), child("b")])
    done = run(*write_children(tmp_path, [child("b"), plain.replace(old.encode(), too_much.encode())]))
    assert done.code == DATA and "child_0001" in done.err


def test_database(tmp_path):
    """Counted before escaping."""
    name = "&" * 4096
    same_as_oracle(tmp_path, [child("a")], "--db", name, database=name)
    assert run("--db", name + "&", *write_children(tmp_path, [child("a")])).code == USAGE


@pytest.mark.parametrize("n_blanks", [4094, 4095, 4096, 4097])
@pytest.mark.parametrize("blank", [b" ", b"\t"])
def test_blanks_around_a_body(tmp_path, n_blanks, blank):
    """As text of each document, first and later, in every pair of lengths."""
    first = text("a").replace(b"<BlastOutput_iterations>", b"<BlastOutput_iterations>" + blank * n_blanks)
    last = text("a").replace(b"</BlastOutput_iterations>", blank * n_blanks + b"</BlastOutput_iterations>")
    for children in ([first, first], [last, last], [child("a"), first, last], [first, last, child("b")]):
        same_as_oracle(tmp_path, children)


@pytest.mark.parametrize("n_bytes", [4095, 4096, 4097, 20000])
def test_epilogue(tmp_path, n_bytes):
    plain = text("a")
    n_now = len(plain) - plain.index(b"</BlastOutput_iterations>")
    same_as_oracle(tmp_path, [plain + b" " * (n_bytes - n_now), child("b")])


@pytest.mark.parametrize("n_bytes", [4095, 4096, 4097, 200000])
def test_body_without_iterations(tmp_path, n_bytes):
    """What nobody can hold back is copied, though it has no Iteration."""
    body = b"<!--" + b"x" * (n_bytes - 7) + b"-->"
    later = text().replace(b"<BlastOutput_iterations>\n", b"<BlastOutput_iterations>\n" + body)
    done = same_as_oracle(tmp_path, [child("a"), later, child("b")])
    assert (body in done.text) == (n_bytes > 4096)


@pytest.mark.parametrize("number", [b"9" * 19, b"18446744073709551615", b"18446744073709551616", b"0" * 23 + b"1",
                                    b"0" * 24 + b"1", b"9" * 10000, b"-1", b"1.0", b"1e3"])
def test_numbers(tmp_path, number):
    odd = text("a", "b").replace(b"num>1<", b"num>" + number + b"<")
    same_as_oracle(tmp_path, [odd, odd])


@pytest.mark.parametrize("n_blanks", [63, 64, 65, 5000])
def test_indentation_of_an_inserted_number(tmp_path, n_blanks):
    bare = text("a").replace(b"\n  <Iteration_iter-num>1</Iteration_iter-num>\n  <", b"\n" + b" " * n_blanks + b"<")
    done = same_as_oracle(tmp_path, [child("x"), bare])
    assert done.code == OK and b"num>2<" in done.text


# --- what BLAST writes -------------------------------------------------------------------------------


def shape(document):
    """The most elements that are open at once, and attributes of a tag, and the longest name."""
    most, n_open = [0, 0, 0], 0

    def start(name, attributes):
        nonlocal n_open
        n_open += 1
        most[:] = [max(pair) for pair in zip(most, (n_open, len(attributes), max(map(len, [name, *attributes]))))]

    def end(_name):
        nonlocal n_open
        n_open -= 1

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.Parse(document, True)
    return most


def n_nested(value):
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inside is None else 1 + max(map(n_nested, inside), default=0)


def test_what_blast_writes(blast):  # noqa: F811
    """The page says how far from the ceilings that is."""
    most = {"5": [0, 0, 0], "16": [0, 0, 0], "15": 0}
    for program, kind, options in (("blastp", "protein", []), ("blastn", "dna", []), ("psiblast", "protein", ["-num_iterations", "2"])):
        for outfmt in most:
            found = Search(program, blast.queries[kind][:3], options).run(blast.folder, blast.queries[kind][:3], outfmt)
            if outfmt == "15":
                most[outfmt] = max(most[outfmt], n_nested(json.loads(found)))
            else:
                most[outfmt] = [max(pair) for pair in zip(most[outfmt], shape(found))]
    page = (ROOT / "docs" / "limits.md").read_text()
    said = {name: re.search(pattern, page).groups() for name, pattern in (
        ("name", r"name of an element.*\(BLAST: (\d+)\)"), ("open", r"elements open at once.*\(BLAST: (\d+); (\d+) in XML2\)"),
        ("attributes", r"attributes of one tag.*\(BLAST: (none); (\d+) in XML2\)"), ("json", r"JSON: objects and arrays.*\(BLAST: (\d+)\)"))}
    assert said == {"name": (str(max(most["5"][2], most["16"][2])),), "open": (str(most["5"][0]), str(most["16"][0])),
                    "attributes": ("none" if most["5"][1] == 0 else "some", str(most["16"][1])), "json": (str(most["15"]),)}
