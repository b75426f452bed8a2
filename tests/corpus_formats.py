#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""corpus_formats - BLAST XML (-outfmt 5) as BLAST would have written it in another format, for benchmarks.

    corpus_formats.py xml2|json|commented|tabular|csv CHILD... --out DIR

writes DIR/child_000.xml2.gz and so on, as gzip -6 does it. What -outfmt 5 does not tell is made up. In code: convert().
"""
import argparse
import gzip
import io
import json
from pathlib import Path
from xml.etree import ElementTree
from xml.sax.saxutils import escape

FIELDS = ("query acc.ver, subject acc.ver, % identity, alignment length, mismatches, gap opens, q. start, q. end, s. start, "
          "s. end, evalue, bit score")
HEADER = """  <report>
    <Report>
      <program>{program}</program>
      <version>{version}</version>
      <reference>Stephen F. Altschul, Thomas L. Madden, Alejandro A. Sch&amp;auml;ffer, Jinghui Zhang, Zheng Zhang, Webb Miller, and David J. Lipman (1997), &quot;Gapped BLAST and PSI-BLAST: a new generation of protein database search programs&quot;, Nucleic Acids Res. 25:3389-3402.</reference>
      <search-target>
        <Target>
          <db>{db}</db>
        </Target>
      </search-target>
      <params>
        <Parameters>
          <matrix>BLOSUM62</matrix>
          <expect>10</expect>
          <gap-open>11</gap-open>
          <gap-extend>1</gap-extend>
          <filter>F</filter>
          <cbs>2</cbs>
        </Parameters>
      </params>
      <results>
        <Results>
          <search>
            <Search>
"""
FOOTER = """              <stat>
                <Statistics>
                  <db-num>20000</db-num>
                  <db-len>9055569</db-len>
                  <hsp-len>89</hsp-len>
                  <eff-space>1932000000</eff-space>
                  <kappa>0.041</kappa>
                  <lambda>0.267</lambda>
                  <entropy>0.14</entropy>
                </Statistics>
              </stat>
            </Search>
          </search>
        </Results>
      </results>
    </Report>
  </report>
"""
HSP_NAMES = [("num", "num"), ("bit-score", "bit-score"), ("score", "score"), ("evalue", "evalue"), ("identity", "identity"),
             ("positive", "positive"), ("query-from", "query-from"), ("query-to", "query-to"), ("hit-from", "hit-from"),
             ("hit-to", "hit-to"), ("align-len", "align-len"), ("gaps", "gaps"), ("qseq", "qseq"), ("hseq", "hseq"),
             ("midline", "midline")]


def text_of(element, name):
    return escape(element.findtext(name) or "")


def xml2_hit(hit):
    yield (f"                <Hit>\n                  <num>{text_of(hit, 'Hit_num')}</num>\n"
           "                  <description>\n                    <HitDescr>\n"
           f"                      <id>{text_of(hit, 'Hit_id')}</id>\n"
           f"                      <accession>{text_of(hit, 'Hit_accession')}</accession>\n"
           f"                      <title>{text_of(hit, 'Hit_def')}</title>\n"
           "                    </HitDescr>\n                  </description>\n"
           f"                  <len>{text_of(hit, 'Hit_len')}</len>\n                  <hsps>\n")
    for hsp in hit.iter("Hsp"):
        yield "                    <Hsp>\n"
        for old, new in HSP_NAMES:
            yield f"                      <{new}>{text_of(hsp, 'Hsp_' + old)}</{new}>\n"
        yield "                    </Hsp>\n"
    yield "                  </hsps>\n                </Hit>\n"


def xml2(iteration, number, head):
    yield ("\n" if number > 1 else "") + "<BlastOutput2>\n" + HEADER.format(**head)
    yield (f"              <query-id>Query_{number}</query-id>\n"
           f"              <query-title>{text_of(iteration, 'Iteration_query-def')}</query-title>\n"
           f"              <query-len>{text_of(iteration, 'Iteration_query-len')}</query-len>\n              <hits>\n")
    for hit in iteration.iter("Hit"):
        yield from xml2_hit(hit)
    yield "              </hits>\n" + FOOTER + "</BlastOutput2>\n"


STATISTICS = ("db_num", "db_len", "hsp_len", "eff_space", "kappa", "lambda", "entropy")


def string(element, name):
    return json.dumps(element.findtext(name) or "", ensure_ascii=False)


def members(pairs, indent):
    return ",\n".join(f'{" " * indent}"{name}": {value}' for name, value in pairs)


def json_hit(hit):
    hsps = ",\n".join("                {\n" + members(
        [(new.replace("-", "_"), string(hsp, "Hsp_" + old) if old in ("qseq", "hseq", "midline") else hsp.findtext("Hsp_" + old))
         for old, new in HSP_NAMES], 18) + "\n                }" for hsp in hit.iter("Hsp"))
    names = (("id", "Hit_id"), ("accession", "Hit_accession"), ("title", "Hit_def"))
    description = members([(name, string(hit, old)) for name, old in names], 18)
    return (f'            {{\n              "num": {hit.findtext("Hit_num")},\n              "description": [\n'
            f'                {{\n{description}\n                }}\n              ],\n'
            f'              "len": {hit.findtext("Hit_len")},\n              "hsps": [\n{hsps}\n              ]\n            }}')


def json_report(iteration, number, head):
    header = members([(name, json.dumps(head[name])) for name in ("program", "version")], 6)
    header += f',\n      "search_target": {{\n        "db": {json.dumps(head["db"])}\n      }}'
    header += ',\n      "params": {\n        "matrix": "BLOSUM62",\n        "expect": 10\n      }'
    hits = ",\n".join(map(json_hit, iteration.iter("Hit")))
    statistics = members([(name, iteration.findtext(f".//Statistics_{name.replace('_', '-')}")) for name in STATISTICS], 12)
    told = f',\n          "message": {string(iteration, "Iteration_message")}' if not hits else ""
    query = members([("query_id", f'"Query_{number}"'), ("query_title", string(iteration, "Iteration_query-def")),
                     ("query_len", iteration.findtext("Iteration_query-len"))], 10)
    yield ((",\n" if number > 1 else "") + f'{{\n    "report": {{\n{header},\n      "results": {{\n        "search": {{\n{query},\n'
           f'          "hits": [\n{hits}{chr(10) if hits else ""}          ],\n          "stat": {{\n{statistics}\n          }}{told}\n'
           '        }\n      }\n    }\n  }\n')


def rows(iteration, separator):
    query = iteration.findtext("Iteration_query-def").split()[0]
    for hit in iteration.iter("Hit"):
        subject = hit.findtext("Hit_def").split()[0]
        for hsp in hit.iter("Hsp"):
            identity, length, gaps = (int(hsp.findtext("Hsp_" + name)) for name in ("identity", "align-len", "gaps"))
            values = [query, subject, f"{100 * identity / length:.3f}", length, length - identity - gaps, min(gaps, 3)]
            values += [hsp.findtext("Hsp_" + name) for name in ("query-from", "query-to", "hit-from", "hit-to")]
            values += [f"{float(hsp.findtext('Hsp_evalue')):.2e}", f"{float(hsp.findtext('Hsp_bit-score')):.1f}"]
            yield separator.join(map(str, values)) + "\n"


def commented(iteration, _number, head):
    lines = list(rows(iteration, "\t"))
    yield (f"# {head['version']}\n# Query: {iteration.findtext('Iteration_query-def')}\n# Database: {head['db']}\n"
           + (f"# Fields: {FIELDS}\n" if lines else "") + f"# {len(lines)} hits found\n")
    yield from lines


FORMATS = {
    "xml2": ('<?xml version="1.0"?>\n<BlastXML2\n    xmlns="http://www.ncbi.nlm.nih.gov"\n'
             '    xmlns:xs="http://www.w3.org/2001/XMLSchema-instance"\n'
             '    xs:schemaLocation="http://www.ncbi.nlm.nih.gov http://www.ncbi.nlm.nih.gov/data_specs/schema_alt/'
             'NCBI_BlastOutput2.xsd"\n>\n', xml2, "</BlastXML2>\n"),
    "json": ('{\n"BlastOutput2": [\n', json_report, "]\n}\n"),
    "commented": ("", commented, "# BLAST processed {N} queries\n"),
    "tabular": ("", lambda iteration, _number, _head: rows(iteration, "\t"), ""),
    "csv": ("", lambda iteration, _number, _head: rows(iteration, ","), ""),
}


def convert(name, file):
    """The text in another format, piece by piece."""
    before, write, after = FORMATS[name]
    head, number = {}, 0
    yield before
    for _, element in ElementTree.iterparse(file):
        if element.tag in ("BlastOutput_program", "BlastOutput_version", "BlastOutput_db"):
            head[element.tag[len("BlastOutput_"):]] = element.text
        if element.tag == "Iteration":
            number += 1
            yield from write(element, number, head)
            element.clear()
    yield after.replace("{N}", str(number))


def converted(name, xml):
    """A whole text in another format, as bytes."""
    return "".join(convert(name, io.BytesIO(xml))).encode()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("format", choices=FORMATS)
    parser.add_argument("children", nargs="+")
    parser.add_argument("--out", required=True)
    arguments = parser.parse_args()
    folder = Path(arguments.out)
    folder.mkdir(parents=True, exist_ok=True)
    for i, child in enumerate(arguments.children):
        with gzip.open(child) as file, gzip.open(folder / f"child_{i:03}.{arguments.format}.gz", "wb", 6) as packed:
            for piece in convert(arguments.format, file):
                packed.write(piece.encode())


if __name__ == "__main__":
    main()
