# SPDX-License-Identifier: MIT
"""Documents as BLAST writes them, in all formats, of queries whose results depend on the query alone: so what one search of all of
them writes is known without a search."""
import json
import random
from dataclasses import dataclass
from xml.sax.saxutils import escape

FORMATS = ("xml", "xml2", "json", "commented", "tabular", "csv")
NAMELESS = "unnamed protein product"


@dataclass(frozen=True)
class Query:
    title: str  # "" if it has none
    sequence: str
    n_hits: int

    @property
    def name(self):
        return self.title.split(" ")[0]

    def fasta(self):
        return f">{self.title}\n" + "".join(f"{self.sequence[at:at + 60]}\n" for at in range(0, len(self.sequence), 60))


def queries(rng, n, nameless=0.1, hitless=0.3):
    """Queries of different names and lengths."""
    made = []
    for i in range(n):
        title = "" if rng.random() < nameless else rng.choice([f"q{i}", f"q{i} a title of it", f"sp|P{i:05}|X_{i} some <&> title", f"q{i}|x y  z"])
        sequence = "".join(rng.choice("ACDEFGHIKLMNPQRSTVWY") for _ in range(20 + i))
        made.append(Query(title, sequence, 0 if rng.random() < hitless else rng.randrange(1, 4)))
    return made


def fasta(made):
    return "".join(query.fasta() for query in made).encode()


def title_of(query, empty=NAMELESS):
    return " ".join(query.title.split()) or empty


# --- -outfmt 5

XML_BEGIN = """<?xml version="1.0"?>
<!DOCTYPE BlastOutput PUBLIC "-//NCBI//NCBI BlastOutput/EN" "http://www.ncbi.nlm.nih.gov/dtd/NCBI_BlastOutput.dtd">
<BlastOutput>
  <BlastOutput_program>blastp</BlastOutput_program>
  <BlastOutput_version>BLASTP 2.12.0+</BlastOutput_version>
  <BlastOutput_db>proteins</BlastOutput_db>
  <BlastOutput_query-ID>Query_1</BlastOutput_query-ID>
  <BlastOutput_query-def>{title}</BlastOutput_query-def>
  <BlastOutput_query-len>{length}</BlastOutput_query-len>
  <BlastOutput_param>
    <Parameters>
      <Parameters_expect>10</Parameters_expect>
    </Parameters>
  </BlastOutput_param>
<BlastOutput_iterations>
"""


def xml(made):
    parts = [XML_BEGIN.format(title=escape(title_of(made[0], "No definition line")), length=len(made[0].sequence))]
    for number, query in enumerate(made, 1):
        parts.append(f"<Iteration>\n  <Iteration_iter-num>{number}</Iteration_iter-num>\n  <Iteration_query-ID>Query_{number}</Iteration_query-ID>\n"
                     f"  <Iteration_query-def>{escape(title_of(query, 'No definition line'))}</Iteration_query-def>\n"
                     f"  <Iteration_query-len>{len(query.sequence)}</Iteration_query-len>\n<Iteration_hits>\n")
        parts += [f"<Hit>\n  <Hit_num>{hit}</Hit_num>\n  <Hit_id>s{hit}</Hit_id>\n  <Hit_hsps>\n    <Hsp>\n      <Hsp_qseq>{query.sequence[hit:]}</Hsp_qseq>\n"
                  "    </Hsp>\n  </Hit_hsps>\n</Hit>\n" for hit in range(1, query.n_hits + 1)]
        parts.append("</Iteration_hits>\n  <Iteration_stat>\n    <Statistics>\n      <Statistics_db-num>3</Statistics_db-num>\n    </Statistics>\n  </Iteration_stat>\n")
        if query.n_hits == 0:
            parts.append("  <Iteration_message>No hits found</Iteration_message>\n")
        parts.append("</Iteration>\n")
    return "".join(parts) + "</BlastOutput_iterations>\n</BlastOutput>\n\n"


# --- -outfmt 16 and 15

def xml2(made):
    reports = []
    for number, query in enumerate(made, 1):
        hits = "".join(f"                <Hit>\n                  <num>{hit}</num>\n                  <len>{len(query.sequence)}</len>\n"
                       f"                  <hsps>\n                    <Hsp>\n                      <num>1</num>\n                      <qseq>{query.sequence[hit:]}</qseq>\n"
                       "                    </Hsp>\n                  </hsps>\n                </Hit>\n" for hit in range(1, query.n_hits + 1))
        message = "" if query.n_hits else "              <message>No hits found</message>\n"
        reports.append(f"""<BlastOutput2>
  <report>
    <Report>
      <program>blastp</program>
      <version>BLASTP 2.12.0+</version>
      <search-target>
        <Target>
          <db>proteins</db>
        </Target>
      </search-target>
      <params>
        <Parameters>
          <expect>10</expect>
        </Parameters>
      </params>
      <results>
        <Results>
          <search>
            <Search>
              <query-id>Query_{number}</query-id>
              <query-title>{escape(title_of(query))}</query-title>
              <query-len>{len(query.sequence)}</query-len>
              <hits>
{hits}              </hits>
{message}            </Search>
          </search>
        </Results>
      </results>
    </Report>
  </report>
</BlastOutput2>
""")
    return ('<?xml version="1.0"?>\n<BlastXML2\nxmlns="http://www.ncbi.nlm.nih.gov"\nxmlns:xs="http://www.w3.org/2001/XMLSchema-instance"\n'
            'xs:schemaLocation="http://www.ncbi.nlm.nih.gov http://www.ncbi.nlm.nih.gov/data_specs/schema_alt/NCBI_BlastOutput2.xsd"\n>\n'
            + "\n".join(reports) + "</BlastXML2>\n")


def json_(made):
    reports = []
    for number, query in enumerate(made, 1):
        search = {"query_id": f"Query_{number}", "query_title": title_of(query), "query_len": len(query.sequence),
                  "hits": [{"num": hit, "hsps": [{"num": 1, "qseq": query.sequence[hit:]}]} for hit in range(1, query.n_hits + 1)]}
        if not query.n_hits:
            search["message"] = "No hits found"
        report = {"report": {"program": "blastp", "version": "BLASTP 2.12.0+", "search_target": {"db": "proteins"}, "params": {"expect": 10},
                             "results": {"search": search}}}
        reports.append(json.dumps(report, indent=2) + "\n")
    return '{\n"BlastOutput2": [\n' + ",\n".join(reports) + "]\n}\n"


# --- tables

FIELDS = ("query acc.ver, subject acc.ver, % identity, alignment length, mismatches, gap opens, q. start, q. end, s. start, s. end, evalue, "
          "bit score")


def rows(query, number, separator="\t"):
    name = query.name or f"Query_{number}"
    return "".join(separator.join([name, f"s{hit}", "99.000", str(len(query.sequence)), "0", "0", "1", "10", "1", "10", "1e-05", f"{50 - hit}.1"]) + "\n"
                   for hit in range(1, query.n_hits + 1))


def commented(made):
    parts = []
    for number, query in enumerate(made, 1):
        fields = f"# Fields: {FIELDS}\n" if query.n_hits else ""
        parts.append(f"# BLASTP 2.12.0+\n# Query: {title_of(query, '')}\n# Database: proteins\n{fields}# {query.n_hits} hits found\n{rows(query, number)}")
    return "".join(parts) + f"# BLAST processed {len(made)} queries\n"


def tabular(made):
    return "".join(rows(query, number) for number, query in enumerate(made, 1))


def csv(made):
    return "".join(rows(query, number, ",") for number, query in enumerate(made, 1))


def document(form, made):
    """What a search of these queries writes."""
    return {"xml": xml, "xml2": xml2, "json": json_, "commented": commented, "tabular": tabular, "csv": csv}[form](made).encode()


def split(rng, made, n_most=6):
    """Parts of the queries, none of which is empty."""
    cuts = sorted(rng.sample(range(1, len(made)), min(len(made) - 1, rng.randrange(n_most))))
    return [made[a:b] for a, b in zip([0, *cuts], [*cuts, len(made)])]


def dice(seed):
    return random.Random(seed)
