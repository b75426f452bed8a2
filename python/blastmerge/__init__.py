# SPDX-License-Identifier: MIT
"""Merge the BLAST XML documents of a split search into the one document of the whole search.

    blastmerge.merge(["batch_1.xml.gz", "batch_2.xml.gz"], "merged.xml.gz")

Children. Each is one of these:

* a path or the location of an object (str or os.PathLike);
* its bytes (bytes, bytearray, memoryview);
* a file object open for reading bytes, which is left open;
* an iterable of chunks (bytes-like); a generator is closed when its child has been read, or the merge has failed;
* a function without arguments that returns one of these. It is called when the child's turn comes, and what it returns is
  closed afterwards;
* a pair (name, child): the name is for messages and the report. Paths keep their own.

The children of a list or tuple are all there at the start. Those of any other iterable are taken from it only as they are needed,
one ahead at most of those that are neither path nor bytes; so of `(blob.chunks() for blob in blobs)` at most two are open at
once. Then expect_children and the children's order are checked at the end, before anything is final; with sort="natural" or
salvage all are taken at the start. A single child may be given without a list: a path, bytes or a file object.

Options of all functions, by keyword:

database         text for BlastOutput_db; without it "merged split-query child results"
keep_database    the first child's BlastOutput_db stays
as_unsplit       the result is what one unsplit run writes, as far as can be (docs/identity.md); another database in a child is an
                 error unless database gives its name
query_ids        Query_N, the id that BLAST makes for a query, counted from 1 in each child. "auto": N counts on where it fits BLAST's
                 own counting, so that each query has an id of its own; "renumber": always; "keep": the ids stay, and repeat themselves
allow_empty      a child of no bytes counts as a search without queries, else it is an error
format           "xml" (-outfmt 5), "xml2" (16), "json" (15), "commented" (7), "tabular" (6) or "csv" (10): another one is an
                 error; "auto": as the first child's bytes say
header           "once", "keep" or "none": rows of column names at the top of tables without comments. "once": the first child's
                 stays, and the others must have the same; "keep": they are rows like any other; "none": they are left out
salvage          of damaged children what is whole is merged; the report says how much was lost. Children are read twice, so
                 that file objects, iterables and functions will not do
expect_queries   path of a file with the queries that were searched, FASTA or a list of names, perhaps gzip-compressed: Iterations of others, missing
                 or in another order are an error
mismatch         "default", "error", "warn" or "ignore": when a child's header differs from the first one's
invalid_utf8     "error", "latin1" or "keep": bytes that are not UTF-8
forbidden_characters  "error", "replace" (by U+FFFD) or "keep": characters that XML forbids, such as U+0001
sort             "natural": by name, batch_2 before batch_10; "none": as given, on purpose; "default": as given
expect_children  another number of children is an error; 0: any
threads          0: as many as there are processors, at most 8. The result does not depend on it
level            1 to 9: compress afresh; 0: the children's own compressed bits are kept
plain            the result is not compressed; False: it is, whatever the output's name
gzip             the result is one gzip member
bgzf             the result is BGZF, the blocked gzip of bgzip and samtools: for access at any place
                 Without these three an output that is a path is written as its name says: .xml, .json, .tsv, .csv, .txt and .tab
                 are not compressed, .bgz is BGZF; any other name and everything that is no path is gzip
memory_limit     bytes that the process may take where anything is remote; 0: 64 MiB
endpoint         URL of the object store for az://, s3:// and gs://, where it is not the provider's own
on_warning       called with each warning's text; without it they are Python warnings (MergeWarning)
on_progress      called with a Progress now and then
on_fault         of a check: called with the MergeError of each child that is at fault; the check then goes on

Values of the wrong type are a TypeError, numbers out of range an OverflowError, and strings with NUL a ValueError. Whatever goes
wrong in a merge is raised as a MergeError of the kind that its status stands for. What a child's iterator, a file object, a
callback or a signal's handler (Ctrl-C) raises comes through as it is. Nothing is committed then, unless a signal arrives when
all has been checked and the result is just getting its name: then the exception comes with the whole result in its place.
"""
from __future__ import annotations

import json
import os
import stat
from dataclasses import fields
from typing import Any, BinaryIO, Callable, Dict, Iterator, Mapping, Optional, TypeVar, Union

from . import _errors, _job, _values
from ._children import Child as ChildSource
from ._children import Children, Chunk
from ._errors import (CancelledError, ChangedError, DataError, DeniedError, ExistsError, InternalError, MergeError, MergeIOError,
                      MergeWarning, MismatchError, MissingError, NoSpaceError, RangeError, UsageError)
from ._results import Child, Progress, Report

__all__ = ["merge", "iter_merged", "merged_bytes", "check", "finalize", "Report", "Child", "Progress", "Chunk", "ChildSource",
           "Children", "MergeError", "MergeWarning", "MergeIOError", "UsageError", "RangeError", "DataError", "MismatchError",
           "ExistsError", "ChangedError", "MissingError", "DeniedError", "NoSpaceError", "CancelledError", "InternalError", "version"]
__version__ = "0.1.0"

Output = Union[str, bytes, "os.PathLike[str]", BinaryIO]
_Path = Union[str, bytes, "os.PathLike[str]"]
_Result = TypeVar("_Result")


def version() -> str:
    """The linked library's version."""
    return _job.C.blastmerge_version().decode()


def merge(children: Children, output: Output, *, force: bool = False, report: Optional[_Path] = None, **options: Any) -> Report:
    """Merges children to a path, or to a file object open for writing bytes.

    A path appears only when everything was checked and written; an existing one is replaced only with force. Its name says
    whether the result is compressed ("merged.xml" is not), unless plain, gzip or bgzf does. What a file object was given before
    an error never decodes as a complete gzip member (nor, with bgzf, has the last, empty block); its write() must return how many bytes it took.
    report: a path for the report as JSON."""
    def work(job: _job.Job) -> Report:
        job.set_output(output)
        job.set_report(report)
        job.run()
        return _report(job)
    return _with_job(children, dict(options, force=force), work, output)


def iter_merged(children: Children, **options: Any) -> Iterator[bytes]:
    """Yields the merged, compressed bytes, piece by piece, as the children are read.

    Nothing that was yielded before an error decodes as a complete gzip member. Closing the generator early ends the
    merge and closes the children's iterators."""
    job = _job.Job()
    try:
        with job:
            job.open(children, options)
            piece = job.next()
            while piece:
                yield piece
                piece = job.next()
    finally:
        job.close()  # again, as the first time may have been interrupted


def merged_bytes(children: Children, **options: Any) -> bytes:
    """The merged, compressed bytes, whole: for small results."""
    return _with_job(children, options, lambda job: b"".join(iter(job.next, b"")))


def check(children: Children, *, report: Optional[_Path] = None, **options: Any) -> Report:
    """Reads and checks all children, and writes nothing but the report, a path for it as JSON, if that is given.

    A child that is at fault does not end it: the others are checked all the same. The first fault is raised then, and its
    report is the Report of all children, with the status of each and what is at fault. An exception that a child's iterator or a callback
    raises ends it at once. So does a wrong number of children, whose error has the report, too: what was not read by then is "not read"."""
    def work(job: _job.Job) -> Report:
        job.set_report(report)
        try:
            job.check()
        except MergeError as error:
            error.report = _report(job)
            raise
        return _report(job)
    return _with_job(children, options, work)


def finalize(job: Union[Mapping[str, Any], _Path], *, strict: bool = False, **options: Any) -> Dict[str, Any]:
    """Finalizes a parent job: where its children are completed and have left their files, writes the parent's result,
    report and manifest. Can be called again, and by several at once.

    job: the description, or the path of a file with it as JSON (docs/finalize.md). strict: a report that counts other
    queries than there are Iterations is an error, else a warning. Options that hold for the merge can be given, too.

    Returns the outcome, whose "status" says how it ended: "completed"; "running", while children are at work or files of
    theirs are missing; "failed" or "cancelled", where a child's state leaves no hope. Whatever goes wrong is raised, as a
    MergeError whose outcome is the dictionary with "phase", "error" and "detail"."""
    is_strict = _values.flag("strict", strict)
    if isinstance(job, _values.PATH_TYPES):
        text = _read_job(_values.path("job", job))
    else:
        text = json.dumps(job).encode()
    return _with_job((), options, lambda made: made.finalize(text, is_strict))


def _read_job(path: bytes) -> bytes:
    """A job's text. Nothing but a regular file will do, and nothing else is waited for."""
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK | os.O_NOCTTY)) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise ValueError(f"{os.fsdecode(path)}: a job's description must be a regular file")
        return file.read((16 << 20) + 1)  # the library refuses one that is longer than 16 MiB


def _with_job(children: Children, options: Dict[str, Any], work: Callable[[_job.Job], _Result], output: Any = None) -> _Result:
    job = _job.Job()
    try:
        with job:
            job.open(children, options, output)
            return work(job)
    finally:
        job.close()  # again, as the first time may have been interrupted


def _report(job: _job.Job) -> Report:
    totals = job.totals()
    kept = {field.name: getattr(totals, field.name if hasattr(totals, field.name) else "n_" + field.name)
            for field in fields(Report) if field.name != "children"}
    kept["format"] = _job.FORMATS[totals.format]
    return Report(children=tuple(_child(child) for child in job.children()), **kept)


def _child(child: Any) -> Child:
    counts = [getattr(child, name) for name, _ in child._fields_ if name not in ("name", "location", "status", "error", "was_read")]
    status = _job.C.blastmerge_status_name(child.status).decode() if child.status else "ok" if child.was_read else "not read"
    message = None if child.error is None else _errors.in_python(child.error.decode(errors="replace"))
    return Child(os.fsdecode(child.name), *counts, status, message)
