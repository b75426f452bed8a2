# SPDX-License-Identifier: MIT
"""An oracle for shards in -outfmt 16, 15 and 7: searches as plain data are merged as data, and written in each format as
BLAST+ 2.12.0 lays it out. It knows neither the program nor the oracle for -outfmt 5."""
import json
from dataclasses import dataclass, field, replace

PARTS, LETTERS, ADJUSTMENT, QUERY = 1200, 120000, 10, 100  # sequences and letters of the whole database; of each query
STATISTICS = ("db-num", "db-len", "hsp-len", "eff-space", "kappa", "lambda", "entropy")


@dataclass
class Hit:
    subject: int  # its place in its part, and then in the whole database
    is_numbered: bool  # BLAST counts the subjects, since the database has no names for them
    shard: int
    hsps: list = field(default_factory=list)  # pairs of E-value, as it is printed, and score

    def name(self):
        return str(self.subject) if self.is_numbered else f"S{self.shard}_{self.subject}"

    def id(self):
        return f"gnl|BL_ORD_ID|{self.subject}" if self.is_numbered else f"gb|{self.name()}|"

    def rank(self):
        evalue, score = self.hsps[0]
        evalue = float(evalue)
        return 0 if evalue < 1e-180 else evalue, -score, -self.subject if self.is_numbered else -self.shard


def merged(searches, n_targets):
    """searches: for each shard, for each query a ranked list of hits."""
    size = PARTS // len(searches)
    queries = []
    for lists in zip(*searches):
        hits = [replace(hit, subject=hit.subject + hit.shard * size) if hit.is_numbered else hit for hits in lists for hit in hits]
        queries.append(sorted(hits, key=Hit.rank)[:n_targets])  # a sort keeps the order of equal ones
    return queries


def statistics(n_shards):
    space = (QUERY - ADJUSTMENT) * (LETTERS - ADJUSTMENT * PARTS)
    return dict(zip(STATISTICS, (PARTS // n_shards, LETTERS // n_shards, ADJUSTMENT, space, 0.41, 0.625, 0.78)))


def tagged(tree, depth=0):
    """Pairs of name and content (text or pairs) as XML2 has them: two more blanks for each level."""
    for name, content in tree:
        if isinstance(content, list):
            yield f"{' ' * depth}<{name}>\n"
            yield from tagged(content, depth + 2)
            yield f"{' ' * depth}</{name}>\n"
        else:
            yield f"{' ' * depth}<{name}>{content}</{name}>\n"


def xml2(queries, database, n_shards):
    reports = []
    for number, hits in enumerate(queries, 1):
        found = [("Hit", [
            ("num", i), ("description", [("HitDescr", [("id", hit.id()), ("accession", hit.name()), ("title", f"of part {hit.shard}")])]),
            ("len", 300), ("hsps", [("Hsp", [("num", j), ("bit-score", score / 2), ("score", score), ("evalue", evalue),
                                             ("qseq", "ACGT"), ("hseq", "ACGT")]) for j, (evalue, score) in enumerate(hit.hsps, 1)])])
                 for i, hit in enumerate(hits, 1)]
        search = [("query-id", f"Query_{number}"), ("query-title", f"q{number} title"), ("query-len", QUERY), ("hits", found),
                  ("stat", [("Statistics", list(statistics(n_shards).items()))])]
        search += [] if hits else [("message", "No hits found")]
        report = [("program", "blastn"), ("version", "BLASTN 2.12.0+"), ("search-target", [("Target", [("db", database)])]),
                  ("params", [("Parameters", [("expect", 10)])]), ("results", [("Results", [("search", [("Search", search)])])])]
        reports.append("<BlastOutput2>\n" + "".join(tagged([("report", [("Report", report)])], 2)) + "</BlastOutput2>\n")
    return ('<?xml version="1.0"?>\n<BlastXML2\n    xmlns="http://www.ncbi.nlm.nih.gov"\n'
            '    xmlns:xs="http://www.w3.org/2001/XMLSchema-instance"\n    xs:schemaLocation="http://www.ncbi.nlm.nih.gov '
            'http://www.ncbi.nlm.nih.gov/data_specs/schema_alt/NCBI_BlastOutput2.xsd"\n>\n' + "\n".join(reports) + "</BlastXML2>\n")


class Printed(str):
    """A number as it is printed."""


def laid_out(value, depth):
    """JSON with two more blanks for each level, and an empty list on two lines."""
    inner, outer = " " * (depth + 2), " " * depth
    if isinstance(value, dict):
        return "{\n" + ",\n".join(f'{inner}"{key}": {laid_out(item, depth + 2)}' for key, item in value.items()) + f"\n{outer}}}"
    if isinstance(value, list):
        items = ",\n".join(inner + laid_out(item, depth + 2) for item in value)
        return "[\n" + items + ("\n" if items else "") + f"{outer}]"
    return str(value) if isinstance(value, Printed) else json.dumps(value)


def json_text(queries, database, n_shards):
    reports = []
    for number, hits in enumerate(queries, 1):
        found = [{"num": i, "description": [{"id": hit.id(), "accession": hit.name(), "title": f"of part {hit.shard}"}], "len": 300,
                  "hsps": [{"num": j, "bit_score": score / 2, "score": score, "evalue": Printed(evalue), "qseq": "ACGT", "hseq": "ACGT"}
                           for j, (evalue, score) in enumerate(hit.hsps, 1)]} for i, hit in enumerate(hits, 1)]
        search = {"query_id": f"Query_{number}", "query_title": f"q{number} title", "query_len": QUERY, "hits": found,
                  "stat": {name.replace("-", "_"): value for name, value in statistics(n_shards).items()}}
        search |= {} if hits else {"message": "No hits found"}
        report = {"program": "blastn", "version": "BLASTN 2.12.0+", "search_target": {"db": database}, "params": {"expect": 10},
                  "results": {"search": search}}
        reports.append('{\n    "report": ' + laid_out(report, 4) + "\n  }\n")
    return '{\n"BlastOutput2": [\n' + ",\n".join(reports) + "]\n}\n"


def table(queries, database, _n_shards):
    lines = []
    for number, hits in enumerate(queries, 1):
        rows = [f"q{number}\t{hit.name()}\t{evalue}\t{score / 2:.1f}\n" for hit in hits for evalue, score in hit.hsps]
        lines += ["# BLASTN 2.12.0+\n", f"# Query: q{number} title\n", f"# Database: {database}\n"]
        lines += ["# Fields: query acc.ver, subject acc.ver, evalue, bit score\n"] if rows else []
        lines += [f"# {len(rows)} hits found\n", *rows]
    return "".join([*lines, f"# BLAST processed {len(queries)} queries\n"])


WRITERS = {"16": xml2, "15": json_text, "7": table}
