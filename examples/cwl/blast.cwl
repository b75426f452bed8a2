#!/usr/bin/env cwl-runner
# SPDX-License-Identifier: MIT
# A split search and its merge, from FASTA to the result. The engine stages each task's files elsewhere, so the part's child is
# named.
#
#     cwltool blast.cwl --queries queries.fa --split_program ../split-fasta --n_parts 40 --database /data/nr
cwlVersion: v1.2
class: Workflow
requirements:
  ScatterFeatureRequirement: {}
inputs:
  queries: File
  split_program: File
  n_parts: int
  database: string
outputs:
  result:
    type: File
    outputSource: join/result
steps:
  split:
    run: split.cwl
    in: {queries: queries, program: split_program, n_parts: n_parts}
    out: [queries_of, numbers]
  search:
    run: search.cwl
    scatter: queries
    in: {queries: split/queries_of, database: database}
    out: [child]
  count:
    run: count.cwl
    scatter: child
    in: {child: search/child}
    out: [tally]
  plan:
    run: plan.cwl
    in: {tallies: count/tally}
    out: [plan]
  part:
    run: part.cwl
    scatter: [number, child]
    scatterMethod: dotproduct
    in: {plan: plan/plan, number: split/numbers, child: search/child}
    out: [part]
  join:
    run: join.cwl
    in: {plan: plan/plan, parts: part/part}
    out: [result]
