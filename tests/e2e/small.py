# SPDX-License-Identifier: MIT
"""Small children, written plainly."""
from forms import member

PROLOGUE = """<?xml version="1.0"?>
<!DOCTYPE BlastOutput PUBLIC "-//NCBI//NCBI BlastOutput/EN" "http://www.ncbi.nlm.nih.gov/dtd/NCBI_BlastOutput.dtd">
<BlastOutput>
  <BlastOutput_program>{program}</BlastOutput_program>
  <BlastOutput_version>{version}</BlastOutput_version>
  <BlastOutput_db>{database}</BlastOutput_db>
  <BlastOutput_query-def>{query}</BlastOutput_query-def>
  <BlastOutput_param>
    <Parameters>
      <Parameters_expect>{expect}</Parameters_expect>
    </Parameters>
  </BlastOutput_param>
<BlastOutput_iterations>
"""
ITERATION = """<Iteration>
  <Iteration_iter-num>{number}</Iteration_iter-num>{id}
  <Iteration_query-def>{query}</Iteration_query-def>
<Iteration_hits>
<Hit>
  <Hit_hsps>
    <Hsp><Hsp_qseq>MKV</Hsp_qseq></Hsp>
  </Hit_hsps>
</Hit>
</Iteration_hits>
</Iteration>
"""
EPILOGUE = "</BlastOutput_iterations>\n</BlastOutput>\n\n"


def text(*queries, program="blastp", version="BLASTP 2.12.0+", database="nr", expect="10", extra="", ids=False):
    """A document with one Iteration for each query. extra stands before the last Iteration's end tag. ids: with Query_N."""
    element = "\n  <Iteration_query-ID>Query_{number}</Iteration_query-ID>" if ids else ""
    parts = [PROLOGUE.format(program=program, version=version, database=database, expect=expect,
                             query=queries[0] if queries else "none")]
    parts += [ITERATION.format(number=number, query=query, id=element.format(number=number)) for number, query in enumerate(queries, 1)]
    if extra:
        before, end_tag, after = parts[-1].rpartition("</Iteration>")
        parts[-1] = before + extra + end_tag + after
    return ("".join(parts) + EPILOGUE).encode()


def child(*queries, **header):
    return member(text(*queries, **header))
