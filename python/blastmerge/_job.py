# SPDX-License-Identifier: MIT
"""A job of the library, with everything that must live as long as it does, and the functions that C calls."""
from __future__ import annotations

import ctypes
import errno
import io
import json
import os
import sys
import threading
import warnings
from dataclasses import dataclass
from typing import Any, Callable, Dict, Iterable, Iterator, List, Optional, Sequence, Tuple

from . import _children, _library, _lost, _values
from ._errors import InternalError, MergeError, MergeWarning, UsageError, from_library, in_python
from ._results import Progress, Query

C = _library.load()
OK, _NO_MEMORY, _SALVAGED = 0, 10, 11  # what was salvaged is in the report, and warnings said so

FORMATS = ("auto", "xml", "xml2", "json", "commented", "tabular", "csv", "archive")
_CHOICES = {"mismatch": ("default", "error", "warn", "ignore"), "invalid_utf8": ("error", "latin1", "keep"),
            "forbidden_characters": ("error", "replace", "keep"),
            "sort": ("default", "natural", "none"), "format": FORMATS, "query_ids": ("auto", "keep", "renumber"),
            "header": ("once", "keep", "none")}
_FLAGS = ("keep_database", "allow_empty", "force", "as_unsplit", "salvage", "order_by_queries")
_FORMS = ("gzip", "plain", "bgzf")  # in the order of enum blastmerge_form
_NUMBERS = {"expect_children": "expect_children", "threads": "n_threads", "level": "level", "memory_limit": "memory_limit",
            "temporary_limit": "temporary_limit"}
_TEXTS = ("database", "endpoint")
_PATHS = ("expect_queries",)
NUMBER = ctypes.c_uint64  # the type of a part's number
_QUIET_PROGRESS = 50  # ms: how long Ctrl-C may have to wait while C is at work


class _Callback:
    """A function that C calls. It succeeds only by its last instruction, after everything that it calls has returned."""

    def __init__(self, job: "Job", call: Callable[..., None]) -> None:
        self.job = job
        self.call = call

    @_lost.guard
    def run(self, *arguments: Any) -> int:
        """BLASTMERGE_CALLBACK_OK with the call's ticket, or the reason of the failure."""
        try:
            ticket = self.job.ticket.value
            self.call(*arguments)
            return _library.CALLBACK_OK + ticket
        except BaseException as raised:  # pylint: disable=broad-except
            self.job.note(raised)
            return _reason(raised)


def _reason(raised: BaseException) -> int:
    number = raised.errno if isinstance(raised, OSError) else None
    return -number if type(number) is int and 0 < number < 4096 else 0  # pylint: disable=unidiomatic-typecheck


def _shown(location: bytes) -> str:
    """A location as messages show it: without secrets."""
    shown = ctypes.create_string_buffer(1024)
    C.blastmerge_show_location(location, shown, len(shown))
    return os.fsdecode(shown.value)


def _form_of(options: Dict[str, Any], output: Any) -> Tuple[int, bool]:
    """The form of the result, and whether the output's name decides it. Removes the options for it."""
    given = {name: _values.flag(name, options.pop(name)) for name in _FORMS if name in options}
    chosen = [name for name, is_chosen in given.items() if is_chosen]
    if len(chosen) > 1:
        raise UsageError(f"{' and '.join(chosen)} contradict each other: give one of them")
    if chosen:
        return _FORMS.index(chosen[0]), False
    if not isinstance(output, _values.PATH_TYPES):
        return _FORMS.index("gzip"), False
    form: int = C.blastmerge_form_of_name(_values.path("output", output))
    if given.get("plain") == 0 and form == _FORMS.index("plain"):
        return _FORMS.index("gzip"), False
    return form, True


def _shards_options(options: Dict[str, Any]) -> _library.ShardsOptions:
    """Takes the options that are of shards alone."""
    made = _library.ShardsOptions()
    C.blastmerge_shards_options_init(ctypes.byref(made), ctypes.sizeof(made))
    types = dict(_library.ShardsOptions._fields_)
    for name in ("max_target_seqs", "n_shards", "drop_columns"):
        if name in options:
            setattr(made, name, _values.integer(name, options.pop(name), types[name]))
    for name in ("window", "round_robin", "order_descending", "recompute"):
        if name in options:
            setattr(made, name, _values.flag(name, options.pop(name)))
    made.evalue = float(options.pop("evalue", 0))
    made.order = _values.optional_path("order", options.pop("order", None))
    made.columns = _values.optional_text("columns", options.pop("columns", None))
    sizes = [_values.integer("sizes", size, ctypes.c_uint64) for size in options.pop("sizes", None) or ()]
    if sizes:
        made.sizes = (ctypes.c_uint64 * len(sizes))(*sizes)
        made.n_sizes = len(sizes)
    return made


def _user_level() -> int:
    """The stacklevel of the first line outside this package, from the caller of this function."""
    package = __name__.partition(".")[0]
    level, frame = 1, sys._getframe(1)  # pylint: disable=protected-access
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == package:
        level, frame = level + 1, frame.f_back
    return level


def _warn(message: str) -> None:
    warnings.warn(message, MergeWarning, stacklevel=_user_level())


@dataclass(frozen=True)
class Wanted:
    """Which queries are to be got, and how."""
    queries: Sequence[Any] = ()
    numbers: Any = None
    queries_from: Any = None
    index_file: Any = None
    renumber: Any = False


def _query(query: _library.Query) -> Query:
    def text(value: Optional[bytes]) -> Optional[str]:
        return None if value is None else value.decode(errors="surrogateescape")
    return Query(query.number, text(query.id), text(query.name), query.length if query.has_length else None,
                 query.n_hits if query.has_hits else None, query.n_hsps, query.evalue if query.has_evalue else None)


def _progress_of(progress: _library.Progress) -> Progress:
    *counts, phase = (getattr(progress, field) for field, _ in _library.Progress._fields_)
    return Progress(*counts, phase.decode())


class Job:
    """Holds nothing before open(). close() must be called in any case, and can be called again."""

    def __init__(self) -> None:
        self.handle: Optional[ctypes.c_void_p] = None
        self.is_shards = False
        self.ticket = ctypes.c_int()
        self._raised: Optional[BaseException] = None
        self._kept: List[Any] = []
        self._streams: Dict[int, _children.Stream] = {}
        self._n_children = 0
        self._closers: List[Callable[[], Any]] = []  # of what children are taken from
        self._reader: Optional[_library.Reader] = None
        self._is_lazy = self._keeps_bytes = False
        self._written: List[Tuple[str, Any]] = []  # paths and file objects, with the parameter's name

    def open(self, children: Any, options: Dict[str, Any], output: Any = None, is_shards: bool = False) -> None:
        """Makes the library's job and adds the children, or their source. The name of an output that is a path decides the
        form of the result, unless the options do."""
        given, source = _children.split(children)
        options = dict(options)
        shards = _shards_options(options) if is_shards else None
        self.is_shards = is_shards
        made = self._options(options, output)
        self.__class__ = _OpenJob
        self.handle = ctypes.c_void_p()
        self._call(C.blastmerge_create, ctypes.byref(self.handle), ctypes.byref(made))
        if shards is not None:
            self._call(C.blastmerge_set_shards, self.handle, ctypes.byref(shards))
        for child in given:
            self._add(child)
        if source is not None:
            self._take_from(source)

    # --- options ---------------------------------------------------------------------------------

    def _options(self, options: Dict[str, Any], output: Any) -> _library.Options:
        made = _library.Options()
        C.blastmerge_options_init(ctypes.byref(made), ctypes.sizeof(made))
        options = dict(options)
        on_warning = _values.callback("on_warning", options.pop("on_warning", None)) or _warn
        on_progress = _values.callback("on_progress", options.pop("on_progress", None))
        on_fault = _values.callback("on_fault", options.pop("on_fault", None))
        form, is_by_name = _form_of(options, output)
        made.form = form
        types = dict(_library.Options._fields_)
        for name, value in options.items():
            if name in _CHOICES:
                setattr(made, name, _values.choice(name, value, _CHOICES[name]))
            elif name in _FLAGS:
                setattr(made, name, _values.flag(name, value))
            elif name in _NUMBERS:
                setattr(made, _NUMBERS[name], _values.integer(name, value, types[_NUMBERS[name]]))
            elif name in _PATHS:
                setattr(made, name, _values.optional_path(name, value))
            elif name in _TEXTS:
                setattr(made, name, _values.optional_text(name, value))
            else:
                raise TypeError(f"there is no option {name!r}")
        if is_by_name and made.level and form == _FORMS.index("plain"):
            shown = _shown(_values.path("output", output))
            on_warning(f"{shown}: is written uncompressed because of its name, and level has no effect; gzip=True compresses it")
        self._keeps_bytes = bool(made.salvage or made.order_by_queries)
        made.callback_ticket = ctypes.pointer(self.ticket)
        made.on_warning = self._callback(_library.WARNING, lambda _context, message: on_warning(
            in_python(message.decode(errors="replace"))))
        if on_fault is not None:
            made.on_fault = self._callback(_library.FAULT, lambda _context, error: on_fault(
                from_library(error.contents.status, error.contents)))
        if on_progress is not None:
            made.on_progress = self._callback(_library.PROGRESS, lambda _context, progress: on_progress(
                _progress_of(progress.contents)))
        elif threading.current_thread() is threading.main_thread():
            # Signals are handled where Python's code runs: here.
            made.on_progress = self._callback(_library.PROGRESS, lambda _context, _progress: None)
            made.progress_interval = _QUIET_PROGRESS
        return made

    # --- calls of C, and C's calls ---------------------------------------------------------------

    def _callback(self, kind: Any, call: Callable[..., None]) -> Any:
        made = kind(_Callback(self, call).run)
        self._kept.append(made)
        return made

    def note(self, raised: Optional[BaseException]) -> None:
        """Keeps an exception until C has returned: the first, or the first that is not an error (KeyboardInterrupt)."""
        if raised is not None and (self._raised is None or
                                   isinstance(self._raised, Exception) and not isinstance(raised, Exception)):
            self._raised = raised

    def _call(self, function: Callable[..., int], *arguments: Any) -> int:
        """Calls a function of the library. Raises the exception of a callback, else that for the status."""
        status = self._call_quietly(function, *arguments)
        if self._raised is not None:
            raised, self._raised = self._raised, None
            raise raised
        self._check(status)
        return status

    def _call_quietly(self, function: Callable[..., int], *arguments: Any) -> int:
        try:
            _lost.enter(self)
            return function(*arguments)
        finally:
            self.note(_lost.leave(self))

    def _check(self, status: int) -> None:
        if status in (OK, _SALVAGED):
            return
        if status == _NO_MEMORY or not self.handle:
            message = C.blastmerge_error(self.handle).contents.message if self.handle else b""
            raise MemoryError(message.decode(errors="surrogateescape") or "blastmerge is out of memory")
        raise from_library(status, C.blastmerge_error(self.handle).contents)

    # --- children --------------------------------------------------------------------------------

    def _add(self, child: Any) -> None:
        """Adds a child. Also called from within C, so it raises only the library's error of this call."""
        name, item = _children.name_and_item(self._n_children, child)
        encoded = name.encode()
        self._n_children += 1
        if _children.is_location(item):
            status = C.blastmerge_add_location(self.handle, _values.path(f"child {self._n_children - 1}", item))
        elif _children.is_buffer(item) and (self._keeps_bytes or not self._is_lazy):
            data = _values.chunk(name, item)
            self._kept.append(data)
            status = C.blastmerge_add_memory(self.handle, encoded, data, len(data))
        else:
            stream = _children.Stream(name, item, self._check_file)
            self._streams[self._n_children] = stream
            status = C.blastmerge_add_reader(self.handle, encoded, ctypes.byref(self._reader_of(self._n_children)))
        self._check(status)

    def _reader_of(self, number: int) -> _library.Reader:
        """One pair of functions serves all streams: the context is the stream's number."""
        if self._reader is None:
            self._reader = _library.Reader(None, self._callback(_library.NEXT, self._next_chunk),
                                           self._callback(_library.CLOSE, self._close_stream))
        self._reader.context = number
        return self._reader

    def _next_chunk(self, number: int, data: Any, n_bytes: Any) -> None:
        chunk = self._streams[number].next()
        data[0] = ctypes.cast(ctypes.c_char_p(chunk), ctypes.c_void_p)
        n_bytes[0] = len(chunk)

    def _close_stream(self, number: int) -> None:
        stream = self._streams.get(number)
        if stream is not None:
            stream.close()
            self._streams.pop(number, None)

    def _take_from(self, source: Iterable[Any]) -> None:
        """Makes the library request children as it needs them."""
        self._is_lazy = True
        children = iter(source)
        close = getattr(children, "close", None)
        if close is not None:
            self._closers.append(close)

        def take(_context: Any, _job: Any) -> None:
            for child in children:
                self._add(child)
                break
        made = _library.Children(None, self._callback(_library.NEXT_CHILD, take))
        self._call(C.blastmerge_set_children, self.handle, ctypes.byref(made))

    # --- output ----------------------------------------------------------------------------------

    def _check_file(self, name: str, file: Any) -> None:
        """Compares open files of file objects; the library compares paths."""
        read = _children.identity(file)
        for parameter, written in self._written:
            if read is not None and read == _children.identity(written):
                raise UsageError(f"{parameter} is the same file as {name}: give one of them another name")

    def _add_written(self, parameter: str, written: Any) -> None:
        self._written.append((parameter, written))
        for stream in list(self._streams.values()):
            stream.check()

    def set_output(self, output: Any) -> None:
        """A path or a file object."""
        if isinstance(output, _values.PATH_TYPES):
            self._call(C.blastmerge_set_output_location, self.handle, _values.path("output", output))
            self._add_written("output", output)
            return
        if isinstance(output, io.TextIOBase):
            raise TypeError("output is a file object for text: open it in binary mode")
        if not callable(getattr(output, "write", None)):
            raise TypeError(f"output must be a path or a file object for bytes, not {type(output).__name__}")

        self._add_written("output", output)
        if _children.identity(output) is not None:
            self._call(C.blastmerge_claim_location, self.handle, b"output", b"/dev/fd/%d" % output.fileno())

        def write(_context: Any, data: int, n_bytes: int) -> None:
            piece = memoryview(ctypes.string_at(data, n_bytes))
            while piece:
                piece = piece[_count_written(output.write(piece), len(piece)):]
        writer = _library.Writer(None, self._callback(_library.WRITE, write), _library.COMMIT(0), _library.DISCARD(0))
        self._call(C.blastmerge_set_output_writer, self.handle, ctypes.byref(writer))

    def set_report(self, report: Any) -> None:
        """A path, or None."""
        if report is not None:
            self._call(C.blastmerge_set_report_location, self.handle, _values.path("report", report))
            self._add_written("report", report)

    def set_missing(self, missing: Any) -> None:
        """A path, or None."""
        if missing is not None:
            self._call(C.blastmerge_set_missing_location, self.handle, _values.path("missing", missing))
            self._add_written("missing", missing)

    def set_html(self, html: Any) -> None:
        """A path, or None."""
        if html is not None:
            self._call(C.blastmerge_set_page_location, self.handle, _values.path("html", html))
            self._add_written("html", html)

    # --- what a job is for -----------------------------------------------------------------------

    def run(self) -> None:
        """Merges to the output."""
        self._call(C.blastmerge_run, self.handle)

    def check(self) -> None:
        """Reads and checks the children."""
        self._call(C.blastmerge_check, self.handle)

    def count(self) -> None:
        """Writes the one child's tally to the output."""
        self._call(C.blastmerge_count, self.handle)

    def plan(self) -> None:
        """Writes a plan of the tallies, which are the children."""
        self._call(C.blastmerge_plan, self.handle)

    def part(self, plan: bytes, number: int) -> None:
        """Writes a part of the plan."""
        self._call(C.blastmerge_part, self.handle, plan, number)

    def join(self, plan: bytes) -> None:
        """Joins the parts, which are the children."""
        self._call(C.blastmerge_join, self.handle, plan)

    def set_index(self) -> None:
        """Makes a merge write the index of its result."""
        self._call(C.blastmerge_set_index, self.handle, None)

    def index(self, location: Any, restart_distance: Any, definitions: Any) -> None:
        """Checks the one child, and writes its index."""
        made = _library.IndexOptions()
        C.blastmerge_index_options_init(ctypes.byref(made), ctypes.sizeof(made))
        made.location = _values.optional_path("index_file", location)
        made.restart_distance = _values.integer("restart_distance", restart_distance, ctypes.c_uint64)
        made.definitions = _values.flag("definitions", definitions)
        self._call(C.blastmerge_index, self.handle, ctypes.byref(made))

    def _get_options(self, wanted: "Wanted") -> _library.GetOptions:
        made = _library.GetOptions()
        C.blastmerge_get_options_init(ctypes.byref(made), ctypes.sizeof(made))
        queries = [_values.name("a query", query) for query in wanted.queries]
        if queries:
            made.queries = (ctypes.c_char_p * len(queries))(*queries)
            made.n_queries = len(queries)
        made.numbers = _values.optional_text("numbers", wanted.numbers)
        made.from_file = _values.optional_path("queries_from", wanted.queries_from)
        made.index_location = _values.optional_path("index_file", wanted.index_file)
        made.renumber = _values.flag("renumber", wanted.renumber)
        return made

    def set_get(self, wanted: "Wanted") -> None:
        """Makes the job get some queries of its one child."""
        self._call(C.blastmerge_set_get, self.handle, ctypes.byref(self._get_options(wanted)))

    def queries(self, wanted: "Wanted") -> Iterator[Query]:
        """What the index has of the queries; of all, if none is given."""
        options, query = ctypes.byref(self._get_options(wanted)), ctypes.POINTER(_library.Query)()
        place = ctypes.byref(query)
        while True:
            self._call(C.blastmerge_next_query, self.handle, options, place)
            if not query:
                return
            yield _query(query.contents)

    def next(self) -> bytes:
        """The next piece of the result; none at the end."""
        data, n_bytes = ctypes.c_void_p(), ctypes.c_size_t()
        self._call(C.blastmerge_next, self.handle, ctypes.byref(data), ctypes.byref(n_bytes))
        return ctypes.string_at(data, n_bytes.value) if n_bytes.value else b""

    def finalize(self, text: bytes, strict: int) -> Dict[str, Any]:
        """The outcome, if it is no error."""
        made, outcome = _library.FinalizeOptions(), ctypes.c_void_p()
        C.blastmerge_finalize_options_init(ctypes.byref(made), ctypes.sizeof(made))
        made.strict = strict
        status = self._call_quietly(C.blastmerge_finalize, self.handle, text, len(text), ctypes.byref(made),
                                    ctypes.byref(outcome))
        told = json.loads(ctypes.string_at(outcome)) if outcome else None
        C.blastmerge_free(self.handle, outcome)
        if self._raised is not None:
            raised, self._raised = self._raised, None
            raise raised
        if told is not None and "error" not in told:
            return told
        try:
            self._check(status)
        except MergeError as error:
            error.outcome = told
            raise
        raise InternalError("finalize ended without an outcome")

    # --- what came of it -------------------------------------------------------------------------

    def totals(self) -> _library.Report:
        """The library's report."""
        return C.blastmerge_report(self.handle).contents

    def shards_report(self) -> _library.ShardsReport:
        return C.blastmerge_shards_report(self.handle).contents

    def children(self) -> Iterator[_library.Child]:
        """The counts of each child, in the order merged."""
        for number in range(self.totals().n_children):
            child = _library.Child()
            self._check(C.blastmerge_child(self.handle, number, ctypes.byref(child)))
            yield child

    # --- the end ---------------------------------------------------------------------------------

    def __enter__(self) -> "Job":
        return self

    def __exit__(self, _kind: Any, raised: Optional[BaseException], _traceback: Any) -> None:
        self.close(raised)

    def close(self, before: Optional[BaseException] = None) -> None:
        """Ends the library's job and closes everything that was opened, whatever is raised in between. Of several exceptions
        the first is raised, unless it is an error and a later one (KeyboardInterrupt) is not."""
        try:
            try:
                self._call_quietly(self._destroy)
            finally:
                self._close_streams()
        except BaseException as raised:  # pylint: disable=broad-except
            self.note(raised)
            self.note(_lost.leave(self))  # where that was what was interrupted
        raised, self._raised = self._raised, None
        if self.handle is None and not self._streams and not self._closers:
            self._kept.clear()
            self.__class__ = Job  # nothing is left to do for __del__, in which an exception would be lost
        if raised is None or raised is before:
            return
        if isinstance(before, Exception) and isinstance(raised, Exception):
            if before.__context__ is None:
                before.__context__ = raised
            return
        raise raised

    def _destroy(self) -> int:
        handle = self.handle
        if handle is not None:
            # On one line nothing comes in between: it is destroyed, and not twice.
            self.handle = None; C.blastmerge_destroy(handle)  # noqa: E702  pylint: disable=multiple-statements
        return OK

    def _close_streams(self) -> None:
        closers = self._closers
        while self._streams:
            number = next(iter(self._streams))
            closers.append(self._streams[number].close)  # closing twice does nothing
            del self._streams[number]
        _children.close_all(closers)


class _OpenJob(Job):
    """A job that holds something. If a recursion was too deep for close(), it is closed when it is collected."""

    def __del__(self) -> None:
        self.close()


def _count_written(n_written: Any, n_given: int) -> int:
    """How much of a piece a file object's write() took."""
    if n_written is None:
        raise BlockingIOError(errno.EAGAIN, "the output's write() returned None: a file that does not block can take no bytes now. "
                                            "Make it block, or let write() return how many bytes it took", 0)
    if isinstance(n_written, bool) or not isinstance(n_written, int):
        raise TypeError(f"the output's write() must return how many bytes it took, not {type(n_written).__name__}")
    if not 0 <= n_written <= n_given:
        raise ValueError(f"the output's write() was given {n_given} bytes, and says that it took {n_written}")
    if n_written == 0:
        raise OSError(errno.EIO, f"the output's write() took none of {n_given} bytes")
    return n_written
