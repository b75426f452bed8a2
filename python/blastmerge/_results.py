# SPDX-License-Identifier: MIT
"""The results of a merge, as Python objects."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Optional, Tuple


@dataclass(frozen=True)
class Child:
    """The counts of one child, from its data."""
    name: str
    documents: int
    iterations: int
    hits: int
    hsps: int
    invalid_bytes: int
    compressed_bytes: int
    text_bytes: int
    forbidden_characters: int  # that XML forbids, and that were replaced or kept
    status: str  # "ok"; "salvaged"; in a check the kind of fault, such as "damaged": the counts go as far as the child could be
    #              read; "not read" if a check ended before it
    error: Optional[str]  # the fault, for the first 256 children with one; else None


@dataclass(frozen=True)
class ShardCounts:
    """What a merge of shards found (docs/shards.md). Places are pairs of hits that follow one another."""
    cut_queries: int  # had more than max_target_seqs hits in all shards together
    tied_cuts: int  # of these, the first hit left out is equal to the last one written
    undecided_places: int  # where the order of two hits does not follow from what is printed
    undecided_strands: int  # of these, where it depends on the strand alone
    undecided_queries: int  # tables without comments: where no shard tells which query comes first
    overlapping_hits: int  # of one accession in two shards
    unlisted_hits: int  # of accessions that the order does not have
    unrebuilt_hits: int  # recompute: whose E-values are as they were
    hsps_over_threshold: int  # recompute: left out


@dataclass(frozen=True)
class Report:
    """The sums over all children, and the children in the order merged."""
    documents: int
    iterations: int
    hits: int
    hsps: int
    invalid_bytes: int
    warnings: int
    compressed_bytes: int
    text_bytes: int
    output_bytes: int
    output_text_bytes: int
    output_crc32: int
    peak_memory: int
    seconds: float
    format: str
    renumbered_ids: int  # these and the next: docs/identity.md
    unsure_ids: int
    kept_messages: int
    excess_iterations: int
    number_gaps: int
    number_returns: int
    empty_children: int
    bare_iterations: int
    damaged_children: int
    lost_stretches: int
    unchecked_iterations: int
    missing_queries: int
    forbidden_characters: int  # that XML forbids, and that were replaced or kept
    unnumbered_iterations: int
    unknown_queries: int  # of a check: may be in a part that could not be read
    superseded_runs: int  # left out by salvage, because another run of the search holds all of them
    copied_bytes: int  # of output_bytes: compressed data of children, as it was
    children: Tuple[Child, ...]
    shards: Optional[ShardCounts] = None  # of a merge of shards; else None


@dataclass(frozen=True)
class Query:
    """What an index has of an Iteration; in tables without comments, of the rows of one query."""
    number: int  # its place in the file, from 1
    id: Optional[str]
    name: Optional[str]  # the first word of its definition
    length: Optional[int]
    hits: Optional[int]  # None in tables
    hsps: int  # in tables: rows
    evalue: Optional[float]  # of the first HSP, the best one


@dataclass(frozen=True)
class Progress:
    """The progress of a merge. compressed_total is that of the first children_in_total children: the lengths of remote ones
    become known one after another. It is 0 if it cannot be known. phase: what is done now: "survey" (of what salvage
    can keep), "order" (the queries' order is looked for), "check", "merge", or "write" (all children were read)."""
    compressed_bytes: int
    compressed_total: int
    child: int
    children: int
    iterations: int
    output_bytes: int
    children_in_total: int
    phase: str
