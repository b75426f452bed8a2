# SPDX-License-Identifier: MIT
"""Odd FASTA: titles, ids, comments, ends of lines, residues. Every kind that BLAST's reader treats in a way of its own."""
import random

ENDS = ["\n", "\r\n", "\r"]
IDS = ["pdb|{c}ABC|A", "pdb|{c}ABC|b", "pdb|{c}XYZ|AA", "pdb|{c}XYZ|aB", "pdb|{c}DEF", "pdb|{c}DEF|", "{c}ABC_A", "chr{n}:100-200", "chr{n}:c200-100",
       "gi|{n}:5-9", "sp|P{n}|X:5-20", "sp|P{n}|X_HUMAN", "sp|P{n}.2|X", "P{n}", "P{n}.1", "NP_{n:06}.1", "AAA{n:05}.1", "a{n},b", "a{n},b,c",
       "gi|{n}|sp|P{n}|OVAX", "gi|{n}", "gi|{n}|", "{n}", "gnl|db|x{n}", "gnl|db|{n}", "gnl|BL_ORD_ID|{n}", "lcl|foo{n}", "lcl|{n}", "lcl|00{n}",
       "00{n}", "ref|NP_{n:06}.2|", "tr|A0A{n}.3|B", "tr|A0A{n}|B_HUMAN", "gb|AAA{n:05}.1|LOC", "emb|CAA{n:05}.1|", "dbj|BAA{n:05}.1|",
       "pir||A{n}", "pir|A{n}|B", "prf||{n}A", "prf|{n}A|x", "pat|US|{n}|1", "pat|US|RE{n}|2", "pgp|US|{n}|5", "pgp|EP|0{n}|7", "bbs|{n}", "bbm|{n}",
       "tpd|FAA{n:05}.1|", "gpp|GPC_{n:06}.1|", "gnl|SRA|SRR{n}.1.1", "SRR{n}.1.1", "foo|bar{n}", "a{n}|", "sp||NAME{n}", "sp|P{n}",
       "lcl|a{n}|lcl|b", "gi|{n}|lcl|x", "gi|{n}|pdb|{c}ABC|A", "gi|{n}|gnl|db|x", "a{n}#b", "a{n}&b", "a{n}'b", "a{n};b", "a{n};", "a{n}.", "a{n}.1",
       "a{n}=b", 'a{n}"b', "a{n}<b", "a{n}(b)", "a{n}[b]", "a{n}/b", "a{n}\\b", "a{n}*b", "a{n}%b", "a{n}~", "a{n}!", "a{n}:b", "a{n}:5", "a{n}:5-6:7-8",
       "a{n}:x-y", "a{n}:", ":a{n}", "lcl|a{n}:5-6", "otu{n};size=12;", "Query_{n}", "x{n}&amp;y", "No", "unnamed", "same", "same"]
TITLES = ["", "", "", " z", " a title", " t;", " t.,~ ;", " No definition line", " unnamed protein product", "\ttab", "\tb c", " a , b", " ( a b )", " ;", " .",
          " x\x01second title", "\x01d x", " \x01d x", " a&#65;b c", " &lt;x y", " &eacute; x", " a&#9;b", " a&nbsp;b", " &amp; x", " &amp;", " Q<>'\"", "  two  blanks  ",
          " caf\xe9 x"]
# As they are without -parse_deflines, where BLAST would refuse them with it.
WHOLE = ["", " ", "  ", ";", ";;", ". ;", "..", "No definition line", "unnamed protein product", "No definition line.", "TPA: x{n}", "TPA:x{n}", "TPA_inf: x{n}",
         "tpa: x{n}", "TSA: x{n}", "MAG: x{n}", "UNVERIFIED: x{n}", "UNVERIFIED_ORG: x{n}", "TPA: ", "TLS: x{n}", "MULTISPECIES: x{n}", "PREDICTED: x{n}", "> a{n}",
         ">a{n} b", "[a=b] c{n}", "a{n},,b", "a{n} , b", "( a{n} b", "((a{n}  b", "a{n} )b", "~ a{n}", "~a{n}", "; a{n}", "&#65;{n} z", "&amp;{n} z", "a&#x41;{n} z",
         "a&#X4a;{n} z", "a&#00065;{n} z", "a&#1;{n} z", "a&#32;b{n} z", "a&#10;b{n} z", "&eacute;x{n} z", "&#233;x{n} z", "&copy;{n} q", "&foo;{n} q", "&;{n} q", "a&b{n}",
         "a&amp b{n}", "&lt;x{n}", "a&lt{n}", "caf\xe9{n} x", "a\x01b{n}", "\x01a{n} b", "\x02a{n} b", "a{n}\x02b", "a\x0b{n}", "a\x7fb{n}", "|a{n}", "[a{n}] t", "gnl|db t{n}",
         "oth|X{n}|Y t", "foo|bar{n}|baz", "gi|abc{n}", "sp|| t{n}", "x" * 60 + "{n}", "x" * 1200 + "{n} t", "t{n} " + "y z " * 900, "a{n}" + ";" * 30]
COMMENTS = ["; comment", "#c", "!c", " ; indented", "", "  ", "\t"]
AMINO = "ACDEFGHIKLMNPQRSTVWY"
BASES = "ACGT"


def residues(rng, letters, n):
    return "".join(rng.choice(letters) for _ in range(n))


def sequence(rng, is_protein, n, end):
    """Lines of residues: some with what is not counted, some lower case, some with comments."""
    letters = AMINO if is_protein else BASES
    text = residues(rng, letters, 20)  # BLAST looks at the first line: it must look like residues
    lines = [text]
    for _ in range(n):
        kind = rng.randrange(12)
        text = residues(rng, letters, rng.randrange(1, 20))
        if kind == 0:
            text = text[:3] + rng.choice([" ", "\t", "1", "-", ".", "?", "*", "X", "U", "N", "Z", "B"]) + text[3:]
        elif kind == 1:
            text += "; " + residues(rng, letters, 5)
        elif kind == 2:
            text = text.lower()
        elif kind == 3:
            text = "  " + text + " "
        elif kind == 4:
            text = rng.choice(COMMENTS)
        lines.append(text)
    return "".join(line + end() for line in lines)


def fasta(seed, is_protein, is_parsed):
    """A file of some 12 queries, and what they are for messages."""
    rng = random.Random(f"{seed} {is_protein} {is_parsed}")
    ends = rng.choice([ENDS[:1]] * 4 + [ENDS[1:2], ENDS[2:], ENDS[:2], ENDS])
    end = lambda: rng.choice(ends)
    text = "".join(rng.choice(COMMENTS) + end() for _ in range(rng.choice([0, 0, 1, 3])))
    is_bare = not is_parsed and rng.randrange(6) == 0
    for number in range(rng.randrange(6, 16)):
        if not is_parsed and rng.randrange(2):
            title = rng.choice(WHOLE)
        elif is_parsed and rng.randrange(10) == 0:
            title = rng.choice(["", " "])
        else:
            title = rng.choice(IDS) + rng.choice(TITLES)
        title = title.replace("{n:05}", "%05d" % rng.randrange(10, 99)).replace("{n:06}", "%06d" % rng.randrange(10, 99))
        title = title.replace("{n}", str(rng.randrange(10, 99))).replace("{c}", rng.choice("123"))
        if not (is_bare and number == 0):
            text += ">" + title + end()
        if rng.randrange(15) or number == 0:
            text += sequence(rng, is_protein, rng.randrange(0, 6), end)
    if rng.randrange(3) == 0:
        text = text.rstrip("\r\n")
    return text.encode()
