# SPDX-License-Identifier: MIT
"""BLAST archives (-outfmt 11): a maker of small ones, and a slow reader that shares no code with the program.

The reader makes a tree of the whole text and finds a query's ids in it by where they must be; the program sees one byte after
another and has no tree.
"""
import re

TOKEN = re.compile(rb"""[ \t\r\n]*(?:
    (?P<string>"(?:[^"\x00-\x08\x0b\x0c\x0e-\x1f]|"")*")|(?P<bits>'[0-9A-F\r\n]*'H|'[01\r\n]*'B)|
    (?P<number>-?(?:0|[1-9][0-9]*)(?=[ \t\r\n,}]))|(?P<word>[a-z](?:-?[a-zA-Z0-9])*)|
    (?P<value>(?:TRUE|FALSE|NULL|PLUS-INFINITY|MINUS-INFINITY|NOT-A-NUMBER)(?![a-zA-Z0-9-]))|(?P<mark>[{},]))""", re.VERBOSE)
NAME = re.compile(rb"[ \t\r\n]*Blast4-archive[ \t\r\n]*::=")


class Refused(Exception):
    pass


class Element:
    """Words, and what comes after them: None, a list of elements, or the value as it stands (bytes) with its place."""

    def __init__(self):
        self.words, self.value, self.at, self.begin, self.end = [], None, 0, 0, 0

    def all(self, *path):
        """The elements at the end of the path: of each block those whose words are these ("" for none, "*" for any)."""
        found = [self]
        for words in path:
            found = [inner for element in found if isinstance(element.value, list) for inner in element.value
                     if words in ("*", b" ".join(inner.words).decode())]
        return found

    def string(self):
        return re.sub(rb"[\r\n]", b"", self.value[1:-1]).replace(b'""', b'"')


class Reader:
    def __init__(self, text):
        self.text, self.at = text, 0

    def token(self):
        found = TOKEN.match(self.text, self.at)
        if found is None:
            raise Refused(f"no token at {self.at}")
        self.at = found.end()
        return found.lastgroup, found.group(found.lastgroup), found.start(found.lastgroup)

    def peek(self):
        at = self.at
        token = self.token()
        self.at = at
        return token

    def element(self):
        element = Element()
        while self.peek()[0] == "word":
            _, word, at = self.token()
            element.begin = element.begin or at
            element.words.append(word)
        kind, value, at = self.peek()
        element.begin = element.begin or at
        if value == b"{":
            self.token()
            element.value = self.block()
        elif kind != "mark":
            self.token()
            element.value, element.at = value, at
        elif not element.words:
            raise Refused(f"no element at {at}")
        element.end = self.at
        return element

    def block(self):
        elements = []
        if self.peek()[1] == b"}":
            self.token()
            return elements
        while True:
            elements.append(self.element())
            mark = self.token()[1]
            if mark == b"}":
                return elements
            if mark != b",":
                raise Refused(f"no comma before {self.at}")

    def archives(self):
        archives = []
        while self.text[self.at:].strip(b" \t\r\n"):
            name = NAME.match(self.text, self.at)
            if name is None:
                raise Refused(f"no archive at {self.at}")
            self.at = name.end()
            archives.append(self.element())
        return archives


def check(archive):
    """The outline."""
    if archive.words or not isinstance(archive.value, list):
        raise Refused("no block")
    names = [b" ".join(element.words) for element in archive.value]
    if names not in ([b"request", b"results"], [b"request", b"results", b"messages"]) or \
            not all(isinstance(element.value, list) for element in archive.value):
        raise Refused(f"{names}")
    search = archive.all("request", "body queue-search")
    if len(search) != 1 or len(archive.all("request", "*")) > 2:
        raise Refused("no search")
    if sum(element.words[0] == b"queries" for element in search[0].value if element.words) != 1:
        raise Refused("no queries")


SEARCH = ("request", "body queue-search")
PSSM = (*SEARCH, "queries pssm", "pssm", "query seq")


def queries(archive):
    return [*archive.all(*SEARCH, "queries bioseq-set", "seq-set", "seq"), *archive.all(*PSSM),
            *archive.all(*SEARCH, "queries seq-loc-list", "*")]


def id_of(query):
    """None: it is no string."""
    first = ([*query.all("id", "*"), *query.all("id local str"), query])[0]
    return first if first.words[-2:] == [b"local", b"str"] else None


def references(archive):
    """The other places of queries' ids."""
    found = []
    alignments = archive.all("results", "alignments", "")
    for alignment in alignments:
        alignments += alignment.all("segs disc", "")
        for segment in [*alignment.all("segs denseg"), *alignment.all("segs std", ""), *alignment.all("segs dendiag", "")]:
            found += [ids.value[0] for ids in segment.all("ids") if ids.value]
            for place in segment.all("loc"):
                for first in place.value[:1]:
                    found += [first, *first.all("id local str")] if first.words == [b"int"] else [first]
    masks = [*archive.all("results", "masks", ""), *archive.all(*SEARCH, "program-options", "", "value query-mask")]
    for mask in masks:
        for place in mask.all("locations", "*"):
            found += [place, *place.all("id local str"), *place.all("", "id local str")]
    return [each for each in found if each.words[-2:] == [b"local", b"str"]]


def number(element):
    found = re.fullmatch(rb'"Query_([1-9][0-9]*)"', element.value)
    return int(found.group(1)) if found else 0


def renumbered(text, archives, shift, gaps=()):
    """Ids with a number added, as far as they can be BLAST's own; and how many numbers that uses up. BLAST counts queries without a
    name, or all; PSI-BLAST has several archives in a row for one. A run begins where a request's queries begin again from 1. gaps:
    before these archives others were left out."""
    pieces, at, last, before = [], 0, 0, shift
    for place, archive in enumerate(archives):
        own, known = [], set()
        ids = [each for each in map(id_of, queries(archive)) if each is not None]
        if ids and number(ids[0]) == 1 and last > 0 and not archive.all(*PSSM):
            shift, last = shift + last, 0
        if place in gaps and ids and number(ids[0]) > last:
            last = number(ids[0]) - 1
        for each in ids:
            if number(each) and number(each) in (last, last + 1):
                last = number(each)
                own.append(each)
                known.add(last)
        for each in sorted([*own, *(each for each in references(archive) if number(each) in known)], key=lambda each: each.at):
            pieces += [text[at:each.at], b'"Query_%d"' % (number(each) + shift)]
            at = each.at + len(each.value)
    return b"".join([*pieces, text[at:]]), shift + last - before


def merge(texts, renumber=True):
    """What a merge of children, each of which is a run, must be. Raises Refused."""
    merged, shift = [], 0
    for text in texts:
        archives = Reader(text).archives()
        if not archives:
            raise Refused("empty")
        for archive in archives:
            check(archive)
        changed, n_used = renumbered(text, archives, shift) if renumber else (text, 0)
        shift += n_used
        merged.append(changed if re.search(rb"\n[ \t\r]*\Z", text) or text.rstrip() != text and b"\n" in text[len(text.rstrip()):]
                      else changed + b"\n")
    return b"".join(merged)


def is_tidy(archive):
    """Whether what can be there only once is there once, as far as it matters."""
    search, results = archive.all(*SEARCH)[0], archive.all("results")[0]
    blocks = [(archive.all("request")[0], ["body queue-search"], []), (results, [], ["alignments", "masks", "pssm"]),
              (search, ["program"], ["subject sequences"])]
    blocks += [(block, [], ["seq-set"]) for block in search.all("queries bioseq-set")]
    blocks += [(block, [], ["pssm"]) for block in search.all("queries pssm")]
    blocks += [(block, [], ["query seq"]) for block in search.all("queries pssm", "pssm")]
    blocks += [(query, ["id", "inst"], ["descr"]) for query in queries(archive) if query.words[-1:] == [b"seq"]]

    def count_of(block, words):
        return len([one for one in block.all(words) if isinstance(one.value, list) or words == "program"])
    return all(all(count_of(block, words) == 1 for words in needed) and all(count_of(block, words) < 2 for words in allowed)
               for block, needed, allowed in blocks)


def whole_archive(text, at):
    """The one that begins there, or None."""
    reader = Reader(text)
    name = NAME.match(text, at)
    if name is None:
        return None
    reader.at = name.end()
    try:
        archive = reader.element()
        check(archive)
    except Refused:
        return None
    if not is_tidy(archive):
        return None
    archive.begin = text.index(b"Blast4", at)
    return archive


def salvaged(text):
    """What is certain of a child that is one run: its text, which of its archives follow a gap, and whether something was lost. An
    archive behind a fault counts if it is whole and its queries are none that came before."""
    pieces, gaps, seen, at, n, is_damaged = [], [], set(), 0, 0, False
    while text[at:].strip(b" \t\r\n"):
        archive, begin = whole_archive(text, at), at
        if archive is None:
            is_damaged = True
            while True:
                begin = text.find(b"Blast4-archive", begin + 1 if text.startswith(b"Blast4-archive", begin) else begin)
                archive = whole_archive(text, begin) if begin >= 0 else None
                if begin < 0 or archive is not None and own_texts(text, archive) not in seen:
                    break
            if pieces:
                pieces.append(b"\n")
            if begin < 0:
                return b"".join(pieces), gaps, True
            gaps.append(n)
        seen.add(own_texts(text, archive))
        pieces.append(text[begin:archive.end])
        at, n = archive.end, n + 1
    rest = text[at:]
    return b"".join([*pieces, rest if b"\n" in rest else rest + b"\n"]), gaps, is_damaged


def own_texts(text, archive):
    return tuple(text[query.begin:query.end] for query in queries(archive))


def merge_salvaged(texts):
    """The merge of what is certain of children."""
    merged, shift = [], 0
    for text in texts:
        kept, gaps, _ = salvaged(text)
        changed, n_used = renumbered(kept, Reader(kept).archives(), shift, gaps)
        shift += n_used
        merged.append(changed)
    return b"".join(merged)


def count(texts):
    """Queries and alignments of all."""
    archives = [archive for text in texts for archive in Reader(text).archives()]
    scored = [len(archive.all("results", "alignments", "", "score")) +
              len(archive.all("results", "alignments", "", "segs std", "", "scores")) for archive in archives]
    return sum(len(queries(archive)) for archive in archives), sum(scored)


# --- small ones ----------------------------------------------------------------------------------------

QUERY = """          seq {{
            id {{
              local str "{id}"
            }},
            descr {{{line}
              title "{title}"
            }},
            inst {{
              repr raw,
              mol aa,
              length {length},
              seq-data ncbieaa "{residues}"
            }}
          }}"""
LINE = """
              user {{
                type str "CFastaReader",
                data {{
                  {{
                    label str "DefLine",
                    data str "{line}"
                  }}
                }}
              }},"""
OPTION = """        {{
          name "{name}",
          value {value}
        }}"""
ALIGNMENT = """      {{
        type partial,
        dim 2,
        score {{
          {{
            id str "score",
            value int 28
          }}
        }},
        segs denseg {{
          dim 2,
          numseg 1,
          ids {{
            local str "{query}",
            local str "{subject}"
          }},
          starts {{
            0,
            0
          }},
          lens {{
            9
          }}
        }}
      }}"""
ARCHIVE = """Blast4-archive ::= {{
  request {{
    ident "{version}",
    body queue-search {{
      program "{program}",
      service "{service}",
      queries bioseq-set {{
        seq-set {{
{queries}
        }}
      }},
      subject database "{db}",
      algorithm-options {{
{options}
      }}
    }}
  }},
  results {{
    alignments {{
{alignments}
    }},
    masks {{
    }},
    search-stats {{
      "Effective search space: 258750"
    }}
  }}
}}
"""
OPTIONS = {"EvalueThreshold": "cutoff e-value { 1, 10, 1 }", "HitlistSize": "integer 500", "EffectiveSearchSpace": "big-integer 8"}


def make(names, first=1, program="blastp", service="plain", version="2.12.0+", db="nr", options=None, hits=1, subject="Query_1",
         lines=False):
    """An archive of queries of these names, which BLAST calls Query_N, as text; lines: with their definition lines, as C has them."""
    named = [(f"Query_{i + first}", name) for i, name in enumerate(names)]
    options = {**OPTIONS, **(options or {})}
    return ARCHIVE.format(
        version=version, program=program, service=service, db=db,
        queries=",\n".join(QUERY.format(id=id_, title=name, length=9, residues="MKVLAAGIV",
                                               line=LINE.format(line=">" + name) if lines else "") for id_, name in named),
        options=",\n".join(OPTION.format(name=name, value=value) for name, value in options.items()),
        alignments=",\n".join(ALIGNMENT.format(query=id_, subject=subject) for id_, _ in named for _ in range(hits))).encode()
