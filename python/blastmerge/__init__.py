# SPDX-License-Identifier: MIT
"""Merge the result files of a split BLAST search (children) into the one document of the whole search.

    blastmerge.merge(["batch_1.xml.gz", "batch_2.xml.gz"], "merged.xml.gz")

Children. Each is one of these:

* a path or the location of an object (str or os.PathLike);
* its bytes (bytes, bytearray, memoryview);
* a file object open for reading bytes, which is left open;
* an iterable of chunks (bytes-like); a generator is closed when its child has been read, or the merge has failed;
* a function without arguments that returns one of these. It is called when the child's turn comes, and what it returns is
  closed afterwards;
* a pair (name, child): the name is for messages and the report. Paths keep their own.

The children of a list or tuple are all added at the start. Those of any other iterable are taken only as they are needed, at most
one ahead of those that are neither path nor bytes. So of `(blob.chunks() for blob in blobs)` at most two are open at once. Then
expect_children and the children's order are checked at the end, before anything is final; with sort="natural" or salvage, all
children are taken at the start. A single child may be given without a list: a path, bytes or a file object.

A child is gzip, plain text, or compressed by zstd, xz, bzip2 or lz4 (docs/merge.md).

Options of all functions, by keyword:

database         text for BlastOutput_db; without it "merged split-query child results"
keep_database    the first child's BlastOutput_db stays
as_unsplit       the result is what one unsplit run writes, as far as possible (docs/identity.md); another database in a child is an
                 error unless database gives its name
query_ids        what to do with Query_N, the id that BLAST assigns to a query, counted from 1 in each child. "auto": N continues if
                 it fits BLAST's own counting, so each query has its own id; "renumber": N always continues; "keep": the ids stay,
                 and are repeated
allow_empty      a child of no bytes counts as a search without queries; otherwise it is an error
format           "xml" (-outfmt 5), "xml2" (16), "json" (15), "commented" (7), "tabular" (6), "csv" (10)
                 or "archive" (11): another format is an
                 error; "auto": recognised by the first child's bytes
header           rows of column names at the top of tables without comments. "once": the first child's stays, and the others must
                 have the same; "keep": they are rows like any other; "none": they are left out
salvage          merges what is whole of damaged children; the report shows how much was lost. Children are read twice, so file
                 objects, iterables and functions are refused
expect_queries   path of a file with the queries that were searched, FASTA or a list of names, perhaps gzip-compressed: Iterations
                 of other queries, missing ones and another order are an error. Tables without comments do not show whether a query
                 without hits was searched
order_by_queries  the children, and the queries in them, may come in any order, and are merged in that of expect_queries, which must
                 be given. Children are read twice, so file objects, iterables and functions are refused
mismatch         "default", "error", "warn" or "ignore": what to do if a child's header differs from the first one's
invalid_utf8     "error", "latin1" or "keep": what to do with bytes that are not UTF-8
forbidden_characters  "error", "replace" (by U+FFFD) or "keep": what to do with characters that XML forbids, such as U+0001
sort             "natural": by name, batch_2 before batch_10; "none": as given, confirmed; "default": as given
expect_children  any other number of children is an error; 0: any number
threads          0: as many as there are processors, at most 8. The result does not depend on it
level            1 to 9: compress again; 0: the children's own compressed bits are kept
plain            the result is not compressed; False: it is, whatever the output's name
gzip             the result is one gzip member
bgzf             the result is BGZF, the blocked gzip of bgzip and samtools: for random access
                 Without these three, the name of an output that is a path decides: .xml, .json, .tsv, .csv, .txt, .tab and .asn are
                 not compressed, .bgz is BGZF; .zst, .xz, .bz2 and .lz4 are refused; any other name, and an output that is not a
                 path, is gzip
memory_limit     bytes that the process may take; 0: 64 MiB if any location is remote, else 16 MiB, and 6 MiB for
                 each thread beyond two. What zstd, xz, bzip2 and lz4 take to decompress children must fit in if it is
                 given and nothing is remote, else it comes on top
temporary_limit  bytes of temporary files in which local children that were read before their turn wait; 0: 1 GiB
endpoint         URL of the object store for az://, s3:// and gs://, if it is not the provider's own
on_warning       called with each warning's text; without it they are Python warnings (MergeWarning)
on_progress      called with a Progress from time to time
on_fault         of a check: called with the MergeError of each child with a fault; the check then continues

Values of the wrong type are a TypeError, numbers out of range an OverflowError, and strings with NUL a ValueError. Other errors of
a merge are raised as the MergeError for their status. An exception that a child's iterator, a file object, a callback or a signal's
handler (Ctrl-C) raises passes through unchanged. Nothing is committed then, with one exception: if a signal arrives when everything
has been checked and the result is just getting its name, the exception arrives with the whole result in its place.
"""
from __future__ import annotations

import io
import json
import os
import stat
from dataclasses import fields
from typing import Any, BinaryIO, Callable, Dict, Iterable, Iterator, Mapping, Optional, TypeVar, Union

from . import _children, _errors, _index, _job, _values
from ._children import Child as ChildSource
from ._children import Children, Chunk
from ._errors import (CancelledError, ChangedError, DataError, DeniedError, ExistsError, InternalError, MergeError, MergeIOError,
                      MergeWarning, MismatchError, MissingError, NoSpaceError, RangeError, UsageError)
from ._index import Result
from ._results import Child, Progress, Query, Report, ShardCounts

__all__ = ["merge", "iter_merged", "merged_bytes", "shards", "iter_shards", "check", "finalize", "count", "count_shards",
           "plan", "part", "part_of_shards", "join", "index", "get", "open",
           "Result", "Query", "Report", "ShardCounts", "Child", "Progress",
           "Chunk", "ChildSource",
           "Children", "MergeError", "MergeWarning", "MergeIOError", "UsageError", "RangeError", "DataError", "MismatchError",
           "ExistsError", "ChangedError", "MissingError", "DeniedError", "NoSpaceError", "CancelledError", "InternalError", "version"]
__version__ = "0.1.0"

Output = Union[str, bytes, "os.PathLike[str]", BinaryIO]
_Path = Union[str, bytes, "os.PathLike[str]"]
_Merged = Union[str, "os.PathLike[str]", bytes]  # a result: its path, or its data as bytes, for which index_file is needed
_Result = TypeVar("_Result")


def version() -> str:
    """The linked library's version."""
    return _job.C.blastmerge_version().decode()


def merge(children: Children, output: Output, *, force: bool = False, report: Optional[_Path] = None, missing: Optional[_Path] = None,
          html: Optional[_Path] = None, index: bool = False, **options: Any) -> Report:
    """Merges children to a path, or to a file object open for writing bytes.

    A path appears only when everything was checked and written; an existing one is replaced only with force. Its name decides
    whether the result is compressed ("merged.xml" is not), unless plain, gzip or bgzf does. The bytes that a file object received
    before an error never decode as a complete gzip member (with bgzf, they lack the last, empty block). Its write() must return
    how many bytes it took. report: a path for the report as JSON. missing, with expect_queries: a path for the queries that have no
    Iteration, as FASTA or names; it is also written if the merge raises MismatchError because queries are missing. html: a path for
    a page about it all. index: an index of the result, which is then a path, is written, too (see index())."""
    with_index = _values.flag("index", index)

    def work(job: _job.Job) -> Report:
        if with_index:
            job.set_index()
        job.set_output(output)
        job.set_report(report)
        job.set_missing(missing)
        job.set_html(html)
        job.run()
        return _report(job)
    return _with_job(children, dict(options, force=force), work, output)


def shards(children: Children, output: Output, *, force: bool = False, report: Optional[_Path] = None, html: Optional[_Path] = None,
           **options: Any) -> Report:
    """Merges shards, each the result of all queries against one part of the database, to what one search of the whole database
    writes (docs/shards.md). children: the shards in database order. output, force, report, html and options as in merge(), and:

    max_target_seqs  N as the searches had it; 0: 500
    window           each search saw a window (FIRST_OID, LAST_OID) on the whole database
    round_robin      sequence i of the database is in shard i modulo their number
    sizes            numbers of sequences in the parts, where shards can be read only once (iterables, file objects)
    n_shards         the queries are split, too: so many shards, then so many more; 0: all are of the same queries
    order            path of a file with the subjects' accessions in database order, one a line or FASTA: for hits that tie
    order_descending  that file begins with the last subject
    columns          of tables: their columns as -outfmt names them, "std score"
    drop_columns     of tables: so many of the last columns do not get into the result
    recompute        the searches did not have the whole's statistics: E-values and search spaces are computed again
    evalue           with recompute: HSPs of larger E-values are left out; 0: as the header says

    database is the whole database's name. The options salvage and as_unsplit have no place here, as the result is what one search
    writes."""
    def work(job: _job.Job) -> Report:
        job.set_output(output)
        job.set_report(report)
        job.set_html(html)
        job.run()
        return _report(job)
    return _with_job(children, dict(options, force=force), work, output, is_shards=True)


def iter_shards(children: Children, **options: Any) -> Iterator[bytes]:
    """Yields the compressed bytes of what shards() writes, piece by piece, as iter_merged() does."""
    return iter_merged(children, _is_shards=True, **options)


def iter_merged(children: Children, **options: Any) -> Iterator[bytes]:
    """Yields the merged, compressed bytes, piece by piece, as the children are read.

    The bytes that were yielded before an error never decode as a complete gzip member. Closing the generator early ends
    the merge and closes the children's iterators."""
    is_shards = options.pop("_is_shards", False)
    job = _job.Job()
    try:
        with job:
            job.open(children, options, is_shards=is_shards)
            piece = job.next()
            while piece:
                yield piece
                piece = job.next()
    finally:
        job.close()  # again, as the first time may have been interrupted


def merged_bytes(children: Children, **options: Any) -> bytes:
    """The merged, compressed bytes, whole: for small results."""
    return _with_job(children, options, lambda job: b"".join(iter(job.next, b"")))


def check(children: Children, *, report: Optional[_Path] = None, missing: Optional[_Path] = None, html: Optional[_Path] = None,
          **options: Any) -> Report:
    """Reads and checks all children, and writes nothing but the report (a path for it as JSON), and missing and html as merge() does, if
    they are given.

    A child with a fault does not end it: the others are still checked. The first fault is raised then, and its report is the
    Report of all children, with the status and the fault of each. An exception that a child's iterator or a callback raises ends it
    immediately. So does a wrong number of children, whose error also has the report: a child that was not read is "not read"."""
    def work(job: _job.Job) -> Report:
        job.set_report(report)
        job.set_missing(missing)
        job.set_html(html)
        try:
            job.check()
        except MergeError as error:
            error.report = _report(job)
            raise
        return _report(job)
    return _with_job(children, options, work)


def _gzip_only(options: Mapping[str, Any]) -> Dict[str, Any]:
    """A merge in parts writes gzip, whatever the output's name is."""
    return {"gzip": True, **options} if not {"plain", "bgzf"} & options.keys() else dict(options)


def count(child: ChildSource, output: Output, *, force: bool = False, report: Optional[_Path] = None,
          missing: Optional[_Path] = None, **options: Any) -> Report:
    """Reads and checks one child, a path or a location, and writes its tally: the first step of a merge in parts, for many machines
    (docs/distributed.md). options as in merge(), without order_by_queries, level and forms; expect_queries has the queries
    of this child's search, and missing is a path for those that have no Iteration. A tally at output is replaced, and anything else only with force."""
    return _count([child], output, report, missing, dict(options, force=force), False)


def count_shards(shards: Children, output: Output, *, force: bool = False, report: Optional[_Path] = None, **options: Any) -> Report:
    """The same of a batch: shards of the same queries, paths or locations, in database order. options as in shards()."""
    return _count(_children.listed(shards), output, report, None, dict(options, force=force), True)


def _count(children: Children, output: Output, report: Optional[_Path], missing: Optional[_Path], options: Dict[str, Any],
           is_shards: bool) -> Report:
    def work(job: _job.Job) -> Report:
        job.set_output(output)
        job.set_report(report)
        job.set_missing(missing)
        job.count()
        return _report(job)
    return _with_job(children, _gzip_only(options), work, is_shards=is_shards)


def plan(tallies: Children, output: Output, *, force: bool = False, **options: Any) -> None:
    """Writes the plan of a merge in parts. tallies: paths or locations of what count() wrote, in the order of the search or, with
    sort="natural", in any order. The options are those of the tallies; database, keep_database, mismatch, sort and expect_children
    are given here; expect_queries has the queries of all searches. Each child that does not belong to the others is reported to
    on_fault, and the first one is raised."""
    def work(job: _job.Job) -> None:
        job.set_output(output)
        job.plan()
    _with_job(tallies, _gzip_only(dict(options, force=force)), work)


def part(plan: _Path, number: int, output: Output, *, child: Optional[ChildSource] = None, force: bool = False,
         report: Optional[_Path] = None, **options: Any) -> Report:
    """Writes part number (from 1, in the plan's order) of a merge in parts. plan: a path or a location. child: is read instead of
    the location that was counted, and must have the same bytes. The options of the merge are the plan's; threads, memory_limit,
    endpoint, on_warning and on_progress can be given."""
    return _part(plan, number, [] if child is None else [child], output, report, dict(options, force=force), False)


def part_of_shards(plan: _Path, number: int, shards: Children, output: Output, *, force: bool = False,
                   report: Optional[_Path] = None, **options: Any) -> Report:
    """The same of a batch, with its shards and the options of shards() that count_shards() had."""
    return _part(plan, number, _children.listed(shards), output, report, dict(options, force=force), True)


def _part(plan: _Path, number: int, children: Children, output: Output, report: Optional[_Path], options: Dict[str, Any],
          is_shards: bool) -> Report:
    path = _values.path("plan", plan)
    which = _values.integer("number", number, _job.NUMBER)

    def work(job: _job.Job) -> Report:
        job.set_output(output)
        job.set_report(report)
        job.part(path, which)
        return _report(job)
    return _with_job(children, _gzip_only(options), work, is_shards=is_shards)


def join(plan: _Path, parts: Children, output: Output, *, force: bool = False, **options: Any) -> None:
    """Joins all parts of a plan, paths in any order, to the result. Their bytes are copied. If the result is at output already,
    nothing is written. The message about a part that is missing, damaged, cut short or of another plan names the part to be made
    again."""
    path = _values.path("plan", plan)

    def work(job: _job.Job) -> None:
        job.set_output(output)
        job.join(path)
    _with_job(parts, _gzip_only(dict(options, force=force)), work)


def index(path: _Merged, *, index_file: Optional[_Path] = None, restart_distance: int = 0, definitions: bool = False,
          force: bool = False, **options: Any) -> Report:
    """Checks a result, and writes an index of its queries (docs/index.md): an SQLite database, path with ".bmi" behind it unless
    index_file names another place. restart_distance: bytes of text between two places from which reading can begin; 0: 4 MiB.
    definitions: whole definitions of queries are kept. An index that is there is replaced; anything else only with force."""
    def work(job: _job.Job) -> Report:
        job.index(index_file, restart_distance, definitions)
        return _report(job)
    return _with_job([path], dict(options, force=force), work)


def get(path: _Merged, queries: Union[str, Iterable[str]] = (), output: Optional[Output] = None, *, numbers: Optional[str] = None,
        queries_from: Optional[_Path] = None, index_file: Optional[_Path] = None, renumber: bool = False, force: bool = False,
        **options: Any) -> Union[bytes, Report]:
    """A complete document with just the Iterations of some queries of a result, byte for byte, in the order of the file. queries:
    ids, first words of definitions, or accessions in these; numbers: places in the file, "17" or "5,8-10"; queries_from: a file that
    names queries, a list or FASTA. renumber: numbers of Iterations and ids Query_N are counted from 1.

    Without output, returns the document as bytes, not compressed. With output, a path or a file object as for merge(), writes it
    there, and returns the Report. If a query is missing, nothing is written, and MissingError names all that are."""
    names = [queries] if isinstance(queries, str) else list(queries)
    wanted = _job.Wanted(names, numbers, queries_from, index_file, renumber)
    if output is None:
        return _index.get_text(path, options, wanted)

    def work(job: _job.Job) -> Report:
        job.set_get(wanted)
        job.set_output(output)
        job.run()
        return _report(job)
    return _with_job([path], dict(options, force=force), work, output)


def open(path: _Merged, index_file: Optional[_Path] = None, **options: Any) -> Result:  # pylint: disable=redefined-builtin
    """Opens a result to look queries up in it, by its index: open("merged.xml.gz")["P12345"]. See Result."""
    return Result(path, index_file, **options)


def finalize(job: Union[Mapping[str, Any], _Path], *, strict: bool = False, **options: Any) -> Dict[str, Any]:
    """Finalizes a parent job: if its children are completed and have left their files, writes the parent's result, report
    and manifest. It can be called again, and by several processes at once.

    job: the description, or the path of a file with it as JSON (docs/finalize.md). strict: a report whose count of queries
    differs from the Iterations is an error, otherwise a warning. Options of the merge can be given, too.

    Returns the outcome, with its "status": "completed"; "running", while children are running or some of their files are
    missing; "failed" or "cancelled", if the state of a child rules out a result. Errors are raised as a MergeError whose
    outcome is the dictionary with "phase", "error" and "detail"."""
    is_strict = _values.flag("strict", strict)
    if isinstance(job, _values.PATH_TYPES):
        text = _read_job(_values.path("job", job))
    else:
        text = json.dumps(job).encode()
    return _with_job((), options, lambda made: made.finalize(text, is_strict))


def _read_job(path: bytes) -> bytes:
    """A job's text. Only a regular file is accepted, and nothing else is waited for."""
    with io.open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK | os.O_NOCTTY)) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise ValueError(f"{os.fsdecode(path)}: a job's description must be a regular file")
        return file.read((16 << 20) + 1)  # the library refuses one that is longer than 16 MiB


def _with_job(children: Children, options: Dict[str, Any], work: Callable[[_job.Job], _Result], output: Any = None,
              is_shards: bool = False) -> _Result:
    job = _job.Job()
    try:
        with job:
            job.open(children, options, output, is_shards)
            return work(job)
    finally:
        job.close()  # again, as the first time may have been interrupted


def _report(job: _job.Job) -> Report:
    totals = job.totals()
    kept = {field.name: getattr(totals, field.name if hasattr(totals, field.name) else "n_" + field.name)
            for field in fields(Report) if field.name not in ("children", "shards")}
    kept["format"] = _job.FORMATS[totals.format]
    return Report(children=tuple(_child(child) for child in job.children()), shards=_shard_counts(job), **kept)


def _shard_counts(job: _job.Job) -> Optional[ShardCounts]:
    if not job.is_shards:
        return None
    counts = job.shards_report()
    return ShardCounts(**{field.name: getattr(counts, "n_" + field.name) for field in fields(ShardCounts)})


def _child(child: Any) -> Child:
    counts = [getattr(child, name) for name, _ in child._fields_ if name not in ("name", "location", "status", "error", "was_read")]
    status = _job.C.blastmerge_status_name(child.status).decode() if child.status else "ok" if child.was_read else "not read"
    message = None if child.error is None else _errors.in_python(child.error.decode(errors="replace"))
    return Child(os.fsdecode(child.name), *counts, status, message)
