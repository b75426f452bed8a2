# SPDX-License-Identifier: MIT
"""Merge the BLAST XML documents of a split search into the one document of the whole search.

    blastmerge.merge(["batch_1.xml.gz", "batch_2.xml.gz"], "merged.xml.gz")

A child is a path (str or os.PathLike), its bytes (bytes, bytearray, memoryview), a file object open for reading bytes,
or an iterable of chunks of bytes. Options of all functions, by keyword:

database         text for BlastOutput_db; without it "merged split-query child results"
keep_database    the first child's BlastOutput_db stays
as_unsplit       the result is what one unsplit run writes, as far as can be (docs/identity.md)
query_ids        "keep", "renumber" or "auto": Query_N, the name that BLAST gives to a query without one
allow_empty      a child of no bytes counts as a search without queries, else it is an error
format           "xml" (-outfmt 5), "xml2" (16), "json" (15), "commented" (7), "tabular" (6) or "csv" (10): another one is an
                 error; "auto": as the first child's bytes say
salvage          of damaged children what is whole is merged; the report says how much was lost. Children are read twice, so
                 that file objects and iterables will not do
expect_queries   path of a file with the queries that were searched, FASTA or a list of names, perhaps gzip-compressed: Iterations of others, missing
                 or in another order are an error
mismatch         "default", "error", "warn" or "ignore": when a child's header differs from the first one's
invalid_utf8     "error", "latin1" or "keep": bytes that are not UTF-8
sort             "none" or "natural": the children's order
expect_children  another number of children is an error; 0: any
threads          0: as many as there are processors, at most 8. The result does not depend on it
level            1 to 9: compress afresh; 0: the children's own compressed bits are kept
plain            the result is not compressed
memory_limit     bytes that the process may take where anything is remote; 0: 64 MiB
endpoint         URL of the object store for az://, s3:// and gs://, where it is not the provider's own
on_warning       called with each warning's text; without it they are Python warnings (MergeWarning)
on_progress      called with a Progress now and then

Whatever goes wrong is raised as a MergeError of the kind that its status stands for; what a child's iterator, a file object
or a callback raises comes through as it is.
"""
from __future__ import annotations

import ctypes
import errno
import json
import os
import stat
import warnings
from dataclasses import dataclass, fields
from typing import Any, BinaryIO, Callable, Dict, Iterable, Iterator, List, Mapping, Optional, Tuple, Union

from . import _library

__all__ = ["merge", "iter_merged", "merged_bytes", "check", "finalize", "Report", "Child", "Progress", "MergeError", "MergeWarning",
           "MergeIOError", "UsageError", "DataError", "MismatchError", "ExistsError", "ChangedError", "MissingError",
           "DeniedError", "NoSpaceError", "CancelledError", "InternalError", "version"]

Chunk = Union[bytes, bytearray, memoryview]
ChildSource = Union[str, "os.PathLike[str]", Chunk, BinaryIO, Iterable[Chunk]]
Output = Union[str, "os.PathLike[str]", BinaryIO]

_C = _library.load()
_READ_BYTES = 1 << 16


class MergeWarning(UserWarning):
    """Something about the children that is worth a look."""


class MergeError(Exception):
    """What went wrong: status (the program's exit code), and where it is known child, text_offset and iterations (whole ones
    of that child before the place), else None. http_status and provider_code: what a server said, such as 404 and "BlobNotFound",
    else 0 and "". outcome: what finalize() has to say of it, else None."""

    status = 70
    outcome: Optional[Dict[str, Any]] = None

    def __init__(self, message: str, child: Optional[int] = None, text_offset: Optional[int] = None,
                 iterations: int = 0, system_error: int = 0, http_status: int = 0, provider_code: str = "") -> None:
        super().__init__(message)
        self.child = child
        self.text_offset = text_offset
        self.iterations = iterations
        self.system_error = system_error
        self.http_status = http_status
        self.provider_code = provider_code


class MergeIOError(MergeError):
    """Input or output failed."""
    status = 1


class UsageError(MergeError, ValueError):
    """An option or a call makes no sense."""
    status = 2


class DataError(MergeError, ValueError):
    """A child is damaged, cut short, or not BLAST XML."""
    status = 3


class MismatchError(MergeError, ValueError):
    """The children do not belong together."""
    status = 4


class ExistsError(MergeError):
    """The destination exists already."""
    status = 5


class ChangedError(MergeError):
    """An input changed while it was read."""
    status = 6


class MissingError(MergeError):
    """An input or the destination's folder does not exist."""
    status = 7


class DeniedError(MergeError):
    """Permission or credentials are absent or refused."""
    status = 8


class NoSpaceError(MergeError):
    """No space left for the result."""
    status = 9


class CancelledError(MergeError):
    """The merge was cancelled."""
    status = 13


class InternalError(MergeError):
    """A fault of blastmerge itself."""
    status = 70


_KINDS = {kind.status: kind for kind in (MergeIOError, UsageError, DataError, MismatchError, ExistsError, ChangedError,
                                         MissingError, DeniedError, NoSpaceError, CancelledError, InternalError)}
_NO_MEMORY = 10
_SALVAGED = 11  # the report has it, and warnings did


@dataclass(frozen=True)
class Child:
    """What one child held, counted from its data."""
    name: str
    documents: int
    iterations: int
    hits: int
    hsps: int
    invalid_bytes: int
    compressed_bytes: int
    text_bytes: int


@dataclass(frozen=True)
class Report:
    """What was merged: sums over all children, and the children in the order merged."""
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
    children: Tuple[Child, ...]


@dataclass(frozen=True)
class Progress:
    """How far a merge is; compressed_total is 0 where it is not known."""
    compressed_bytes: int
    compressed_total: int
    child: int
    children: int
    iterations: int
    output_bytes: int


def version() -> str:
    """The linked library's version."""
    return _C.blastmerge_version().decode()


def merge(children: Iterable[ChildSource], output: Output, *, force: bool = False,
          report: Union[str, "os.PathLike[str]", None] = None, **options: Any) -> Report:
    """Merges children to a path, or to a file object open for writing bytes.

    A path appears only when everything was checked and written; an existing one is replaced only with force. What a file
    object was given before an error never decodes as a complete gzip member. report: a path for the report as JSON."""
    with _Job(children, dict(options, force=force)) as job:
        job.set_output(output)
        job.set_report(report)
        job.finish(_C.blastmerge_run(job.handle))
        return job.report()


def iter_merged(children: Iterable[ChildSource], **options: Any) -> Iterator[bytes]:
    """Yields the merged, compressed bytes, piece by piece, as the children are read.

    Nothing that was yielded before an error decodes as a complete gzip member. Closing the generator early ends the
    merge and closes the children's iterators."""
    with _Job(children, options) as job:
        data, n_bytes = ctypes.c_void_p(), ctypes.c_size_t()
        while True:
            job.finish(_C.blastmerge_next(job.handle, ctypes.byref(data), ctypes.byref(n_bytes)))
            if not n_bytes.value:
                return
            yield ctypes.string_at(data, n_bytes.value)


def merged_bytes(children: Iterable[ChildSource], **options: Any) -> bytes:
    """The merged, compressed bytes, whole: for small results."""
    return b"".join(iter_merged(children, **options))


def check(children: Iterable[ChildSource], **options: Any) -> Report:
    """Reads and checks all children, and writes nothing."""
    with _Job(children, options) as job:
        job.finish(_C.blastmerge_check(job.handle))
        return job.report()


def _read_job(path: Union[str, "os.PathLike[str]"]) -> bytes:
    """A job's text. Nothing but a regular file will do, and nothing else is waited for."""
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK | os.O_NOCTTY)) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise ValueError(f"{os.fspath(path)}: a job's description must be a regular file")
        return file.read((16 << 20) + 1)  # the library refuses one that is longer than 16 MiB


def finalize(job: Union[Mapping[str, Any], str, "os.PathLike[str]"], *, strict: bool = False,
             **options: Any) -> Dict[str, Any]:
    """Finalizes a parent job: where its children are completed and have left their files, writes the parent's result,
    report and manifest. Can be called again, and by several at once.

    job: the description, or the path of a file with it as JSON (docs/finalize.md). strict: a report that counts other
    queries than there are Iterations is an error, else a warning. Options that hold for the merge can be given, too.

    Returns the outcome, whose "status" says how it ended: "completed"; "running", while children are at work or files of
    theirs are missing; "failed" or "cancelled", where a child's state leaves no hope. Whatever goes wrong is raised, as a
    MergeError whose outcome is the dictionary with "phase", "error" and "detail"."""
    text = _read_job(job) if isinstance(job, (str, os.PathLike)) else json.dumps(job).encode()
    with _Job((), options) as made:
        return made.finalize(text, strict)


_FORMATS = ("auto", "xml", "xml2", "json", "commented", "tabular", "csv")
_CHOICES = {"mismatch": ("default", "error", "warn", "ignore"), "invalid_utf8": ("error", "latin1", "keep"),
            "sort": ("none", "natural"), "format": _FORMATS, "query_ids": ("keep", "renumber", "auto")}
_PLAIN_OPTIONS = {"keep_database": "keep_database", "allow_empty": "allow_empty", "expect_children": "expect_children",
                  "threads": "n_threads", "level": "level", "plain": "plain", "force": "force", "as_unsplit": "as_unsplit",
                  "memory_limit": "memory_limit", "salvage": "salvage"}


class _Job:
    """A job of the library with everything that must live as long as it does."""

    def __init__(self, children: Iterable[ChildSource], options: dict) -> None:
        self.handle = ctypes.c_void_p()
        self._ticket = ctypes.c_int()
        self.raised: Optional[BaseException] = None
        self._kept: List[Any] = []
        made = self._options(options)
        status = _C.blastmerge_create(ctypes.byref(self.handle), ctypes.byref(made))
        try:
            self.finish(status)
            for number, child in enumerate(children):
                self._add(number, child)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "_Job":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def close(self) -> None:
        """Ends the job. Children's iterators are closed while that goes on."""
        handle, self.handle = self.handle, ctypes.c_void_p()
        _C.blastmerge_destroy(handle)

    # --- options ---------------------------------------------------------------------------------

    def _options(self, options: dict) -> _library.Options:
        made = _library.Options()
        _C.blastmerge_options_init(ctypes.byref(made), ctypes.sizeof(made))
        on_warning, on_progress = options.pop("on_warning", None), options.pop("on_progress", None)
        for name, value in options.items():
            if name in _CHOICES:
                if value not in _CHOICES[name]:
                    raise UsageError(f"{name} must be one of {', '.join(_CHOICES[name])}, not {value!r}")
                setattr(made, name, _CHOICES[name].index(value))
            elif name in _PLAIN_OPTIONS:
                if not isinstance(value, int) or value < 0:
                    raise UsageError(f"{name} must be a number from 0 on, not {value!r}")
                setattr(made, _PLAIN_OPTIONS[name], value)
            elif name == "expect_queries":
                made.expect_queries = None if value is None else os.fsencode(value)
            elif name in ("database", "endpoint"):
                setattr(made, name, None if value is None else value.encode())
            else:
                raise TypeError(f"there is no option {name!r}")
        made.callback_ticket = ctypes.pointer(self._ticket)
        made.on_warning = self._keep(_library.WARNING(self._guard(self._warner(on_warning))))
        if on_progress is not None:
            made.on_progress = self._keep(_library.PROGRESS(self._guard(self._teller(on_progress))))
        return made

    @staticmethod
    def _warner(on_warning: Optional[Callable[[str], None]]) -> Callable[..., None]:
        def warn(_context: Any, message: bytes) -> None:
            text = message.decode(errors="replace")
            if on_warning is not None:
                on_warning(text)
            else:
                warnings.warn(text, MergeWarning, stacklevel=4)
        return warn

    @staticmethod
    def _teller(on_progress: Callable[[Progress], None]) -> Callable[..., None]:
        def tell(_context: Any, progress: Any) -> None:
            on_progress(Progress(*(getattr(progress.contents, name) for name, _ in _library.Progress._fields_)))
        return tell

    # --- callbacks: what they raise is kept, and comes out of finish() ------------------------------

    def _keep(self, kept: Any) -> Any:
        self._kept.append(kept)
        return kept

    def _guard(self, call: Callable[..., None]) -> Callable[..., int]:
        def guarded(*arguments: Any) -> int:
            try:
                ticket = self._ticket.value
                call(*arguments)
                return _library.CALLBACK_OK + ticket
            except BaseException as raised:  # pylint: disable=broad-except
                self.raised = self.raised or raised
                number = raised.errno if isinstance(raised, OSError) else None
                return -(number or errno.EIO)
        return guarded

    # --- children --------------------------------------------------------------------------------

    def _add(self, number: int, child: ChildSource) -> None:
        name = f"child {number}".encode()
        if isinstance(child, (str, os.PathLike)):
            status = _C.blastmerge_add_location(self.handle, os.fsencode(child))
        elif isinstance(child, (bytes, bytearray, memoryview)):
            data = self._keep(bytes(child))
            status = _C.blastmerge_add_memory(self.handle, name, data, len(data))
        else:
            chunks = iter(lambda: child.read(_READ_BYTES), b"") if hasattr(child, "read") else iter(child)
            reader = self._reader(chunks)
            status = _C.blastmerge_add_reader(self.handle, name, ctypes.byref(reader))
        self.finish(status)

    def _reader(self, chunks: Iterator[Chunk]) -> _library.Reader:
        held: List[bytes] = [b""]

        def take_next(_context: Any, data: Any, n_bytes: Any) -> None:
            held[0] = b""
            for chunk in chunks:
                held[0] = bytes(chunk)
                if held[0]:  # an empty one would be taken for the end
                    break
            else:
                held[0] = b""
            data[0] = ctypes.cast(ctypes.c_char_p(held[0]), ctypes.c_void_p)
            n_bytes[0] = len(held[0])

        def close(_context: Any) -> None:
            if hasattr(chunks, "close"):
                chunks.close()

        return self._keep(_library.Reader(None, self._keep(_library.NEXT(self._guard(take_next))),
                                          self._keep(_library.CLOSE(self._guard(close)))))

    # --- output ----------------------------------------------------------------------------------

    def set_output(self, output: Output) -> None:
        """A path or a file object."""
        if isinstance(output, (str, os.PathLike)):
            self.finish(_C.blastmerge_set_output_location(self.handle, os.fsencode(output)))
            return

        def write(_context: Any, data: int, n_bytes: int) -> None:
            piece = memoryview(ctypes.string_at(data, n_bytes))
            while piece:
                n_written = output.write(piece)
                piece = piece[len(piece) if n_written is None else n_written:]

        writer = self._keep(_library.Writer(None, self._keep(_library.WRITE(self._guard(write))),
                                            _library.COMMIT(0), _library.DISCARD(0)))
        self.finish(_C.blastmerge_set_output_writer(self.handle, ctypes.byref(writer)))

    def set_report(self, report: Union[str, "os.PathLike[str]", None]) -> None:
        """A path, or None."""
        if report is not None:
            self.finish(_C.blastmerge_set_report_location(self.handle, os.fsencode(report)))

    # --- a parent job ----------------------------------------------------------------------------

    def finalize(self, text: bytes, strict: bool) -> Dict[str, Any]:
        """The outcome, if it is no error."""
        made, outcome = _library.FinalizeOptions(), ctypes.c_void_p()
        _C.blastmerge_finalize_options_init(ctypes.byref(made), ctypes.sizeof(made))
        made.strict = bool(strict)
        status = _C.blastmerge_finalize(self.handle, text, len(text), ctypes.byref(made), ctypes.byref(outcome))
        told = json.loads(ctypes.string_at(outcome)) if outcome else None
        _C.blastmerge_free(self.handle, outcome)
        if self.raised is None and told is not None and "error" not in told:
            return told
        try:
            self.finish(status)
        except MergeError as error:
            error.outcome = told
            raise
        raise InternalError("finalize ended without an outcome")

    # --- what came of it -------------------------------------------------------------------------

    def finish(self, status: int) -> None:
        """Raises what a status stands for, or what a callback raised."""
        raised, self.raised = self.raised, None
        if raised is not None:
            raise raised
        if status in (0, _SALVAGED):
            return
        if status == _NO_MEMORY or not self.handle:
            raise MemoryError("blastmerge is out of memory")
        error = _C.blastmerge_error(self.handle).contents
        kind = _KINDS.get(status, InternalError)
        raise kind(error.message.decode(errors="replace"),
                   child=None if error.child == _library.NO_CHILD else error.child,
                   text_offset=None if error.text_offset == _library.NO_OFFSET else error.text_offset,
                   iterations=error.n_iterations, system_error=error.system_error, http_status=error.http_status,
                   provider_code=error.provider_code.decode(errors="replace"))

    def report(self) -> Report:
        """The library's report with all children."""
        totals = _C.blastmerge_report(self.handle).contents
        names = [field.name for field in fields(Report) if field.name != "children"]
        kept = {name: getattr(totals, name, None) if hasattr(totals, name) else getattr(totals, "n_" + name)
                for name in names}
        kept["format"] = _FORMATS[totals.format]
        return Report(children=tuple(self._children(totals.n_children)), **kept)

    def _children(self, n_children: int) -> Iterator[Child]:
        for number in range(n_children):
            child = _library.Child()
            self.finish(_C.blastmerge_child(self.handle, number, ctypes.byref(child)))
            counts = [getattr(child, name) for name, _ in _library.Child._fields_ if name not in ("name", "location")]
            yield Child(os.fsdecode(child.name), *counts)
