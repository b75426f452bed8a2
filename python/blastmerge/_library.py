# SPDX-License-Identifier: MIT
"""libblastmerge as ctypes sees it: a mirror of blastmerge.h, and nothing else."""
import ctypes
import ctypes.util
import os
import sys
from ctypes import CFUNCTYPE, POINTER, Structure, c_char_p, c_double, c_int, c_size_t, c_uint, c_uint32, c_uint64, c_void_p
from pathlib import Path

CALLBACK_OK = 1
NO_CHILD = NO_OFFSET = 2**64 - 1

NEXT = CFUNCTYPE(c_int, c_void_p, POINTER(c_void_p), POINTER(c_size_t))
CLOSE = CFUNCTYPE(c_int, c_void_p)
NEXT_CHILD = CFUNCTYPE(c_int, c_void_p, c_void_p)
WRITE = CFUNCTYPE(c_int, c_void_p, c_void_p, c_size_t)
COMMIT = CFUNCTYPE(c_int, c_void_p)
DISCARD = CFUNCTYPE(None, c_void_p)
ALLOCATE = CFUNCTYPE(c_void_p, c_void_p, c_size_t)
RELEASE = CFUNCTYPE(None, c_void_p, c_void_p)


class Error(Structure):
    _fields_ = [("status", c_int), ("system_error", c_int), ("http_status", c_int), ("child", c_uint64),
                ("text_offset", c_uint64), ("n_iterations", c_uint64), ("message", ctypes.c_char * 1024),
                ("provider_code", ctypes.c_char * 64)]


class Report(Structure):
    _fields_ = [("n_children", c_uint64), ("n_documents", c_uint64), ("n_iterations", c_uint64), ("n_hits", c_uint64),
                ("n_hsps", c_uint64), ("n_invalid_bytes", c_uint64), ("n_warnings", c_uint64),
                ("compressed_bytes", c_uint64), ("text_bytes", c_uint64), ("output_bytes", c_uint64),
                ("output_text_bytes", c_uint64), ("output_crc32", c_uint32), ("peak_memory", c_uint64),
                ("seconds", c_double), ("format", c_int), ("n_renumbered_ids", c_uint64), ("n_unsure_ids", c_uint64),
                ("n_kept_messages", c_uint64), ("n_excess_iterations", c_uint64), ("n_number_gaps", c_uint64), ("n_number_returns", c_uint64),
                ("n_empty_children", c_uint64), ("n_bare_iterations", c_uint64), ("n_damaged_children", c_uint64),
                ("n_lost_stretches", c_uint64),
                ("n_unchecked_iterations", c_uint64), ("n_missing_queries", c_uint64), ("n_forbidden_characters", c_uint64),
                ("n_unnumbered_iterations", c_uint64), ("n_unknown_queries", c_uint64),
                ("n_superseded_runs", c_uint64), ("copied_bytes", c_uint64)]


class ShardsReport(Structure):
    _fields_ = [("n_cut_queries", c_uint64), ("n_tied_cuts", c_uint64), ("n_undecided_places", c_uint64),
                ("n_undecided_strands", c_uint64), ("n_undecided_queries", c_uint64), ("n_overlapping_hits", c_uint64),
                ("n_unlisted_hits", c_uint64), ("n_unrebuilt_hits", c_uint64), ("n_hsps_over_threshold", c_uint64)]


class Child(Structure):
    _fields_ = [("name", c_char_p), ("location", c_char_p), ("n_documents", c_uint64), ("n_iterations", c_uint64), ("n_hits", c_uint64),
                ("n_hsps", c_uint64), ("n_invalid_bytes", c_uint64), ("compressed_bytes", c_uint64),
                ("text_bytes", c_uint64), ("n_forbidden_characters", c_uint64), ("status", c_int), ("error", c_char_p),
                ("was_read", c_int)]


class Progress(Structure):
    _fields_ = [("compressed_bytes", c_uint64), ("compressed_total", c_uint64), ("child", c_uint64),
                ("n_children", c_uint64), ("n_iterations", c_uint64), ("output_bytes", c_uint64), ("n_children_in_total", c_uint64),
                ("phase", c_char_p)]


WARNING = CFUNCTYPE(c_int, c_void_p, c_char_p)
PROGRESS = CFUNCTYPE(c_int, c_void_p, POINTER(Progress))


FAULT = CFUNCTYPE(c_int, c_void_p, POINTER(Error))


class Options(Structure):
    _fields_ = [("struct_size", c_size_t),
                ("format", c_int), ("sort", c_int), ("expect_children", c_uint64), ("expect_queries", c_char_p), ("order_by_queries", c_int),
                ("allow_empty", c_int),
                ("mismatch", c_int), ("invalid_utf8", c_int), ("forbidden_characters", c_int), ("salvage", c_int),
                ("as_unsplit", c_int), ("query_ids", c_int), ("header", c_int), ("database", c_char_p), ("keep_database", c_int),
                ("form", c_int), ("level", c_int), ("force", c_int),
                ("n_threads", c_uint), ("allocator_context", c_void_p), ("allocate", ALLOCATE), ("release", RELEASE),
                ("endpoint", c_char_p), ("memory_limit", c_uint64), ("temporary_limit", c_uint64),
                ("callback_context", c_void_p), ("on_warning", WARNING), ("on_fault", FAULT), ("on_progress", PROGRESS),
                ("callback_ticket", POINTER(c_int)), ("progress_interval", c_uint)]


class FinalizeOptions(Structure):
    _fields_ = [("struct_size", c_size_t), ("strict", c_int)]


class ShardsOptions(Structure):
    _fields_ = [("struct_size", c_size_t), ("max_target_seqs", c_uint64), ("window", c_int), ("round_robin", c_int),
                ("sizes", POINTER(c_uint64)), ("n_sizes", c_size_t), ("n_shards", c_uint64), ("order", c_char_p),
                ("order_descending", c_int), ("columns", c_char_p), ("drop_columns", c_uint64),
                ("recompute", c_int), ("evalue", c_double)]


class IndexOptions(Structure):
    _fields_ = [("struct_size", c_size_t), ("location", c_char_p), ("restart_distance", c_uint64), ("definitions", c_int)]


class GetOptions(Structure):
    _fields_ = [("struct_size", c_size_t), ("queries", POINTER(c_char_p)), ("n_queries", c_size_t), ("numbers", c_char_p),
                ("from_file", c_char_p), ("index_location", c_char_p), ("renumber", c_int)]


class Query(Structure):
    _fields_ = [("number", c_uint64), ("id", c_char_p), ("name", c_char_p), ("has_length", c_int), ("has_hits", c_int),
                ("has_evalue", c_int), ("length", c_uint64), ("n_hits", c_uint64), ("n_hsps", c_uint64), ("evalue", c_double)]


class Reader(Structure):
    _fields_ = [("context", c_void_p), ("next", NEXT), ("close", CLOSE)]


class Children(Structure):
    _fields_ = [("context", c_void_p), ("next", NEXT_CHILD)]


class Writer(Structure):
    _fields_ = [("context", c_void_p), ("write", WRITE), ("commit", COMMIT), ("discard", DISCARD)]


def _candidates():
    named = os.environ.get("BLASTMERGE_LIBRARY")
    if named:
        return [named]
    name = "libblastmerge.dylib" if sys.platform == "darwin" else "libblastmerge.so.0"
    beside = sorted(str(path) for path in Path(__file__).parent.glob("libblastmerge*"))
    found = ctypes.util.find_library("blastmerge")
    return beside + ([found] if found else []) + [name]


def _places():
    """Where _candidates() looks, for people."""
    named = os.environ.get("BLASTMERGE_LIBRARY")
    if named:
        return f"BLASTMERGE_LIBRARY ({named})"
    return f"BLASTMERGE_LIBRARY (not set), the package's folder ({Path(__file__).parent}), the system's folders for libraries"


def load():
    """The shared library with its functions' types."""
    failures = []
    for candidate in _candidates():
        try:
            library = ctypes.CDLL(candidate)
        except OSError as failure:
            failures.append(str(failure))
            continue
        _declare(library)
        return library
    raise ImportError(f"the shared library libblastmerge was not found; searched: {_places()}; install it, or name it in BLASTMERGE_LIBRARY: "
                      + "; ".join(failures))


def _declare(library):
    job, status = c_void_p, c_int
    for name, result, arguments in [
            ("version", c_char_p, []),
            ("features", c_char_p, []),
            ("form_of_name", c_int, [c_char_p]),
            ("show_location", None, [c_char_p, c_char_p, c_size_t]),
            ("status_name", c_char_p, [status]),
            ("options_init", None, [POINTER(Options), c_size_t]),
            ("create", status, [POINTER(job), POINTER(Options)]),
            ("destroy", None, [job]),
            ("add_location", status, [job, c_char_p]),
            ("add_memory", status, [job, c_char_p, c_void_p, c_size_t]),
            ("add_reader", status, [job, c_char_p, POINTER(Reader)]),
            ("set_children", status, [job, POINTER(Children)]),
            ("set_output_location", status, [job, c_char_p]),
            ("set_output_writer", status, [job, POINTER(Writer)]),
            ("set_report_location", status, [job, c_char_p]),
            ("set_missing_location", status, [job, c_char_p]),
            ("set_page_location", status, [job, c_char_p]),
            ("protect_location", status, [job, c_char_p, c_char_p]),
            ("claim_location", status, [job, c_char_p, c_char_p]),
            ("run", status, [job]),
            ("check", status, [job]),
            ("count", status, [job]),
            ("plan", status, [job]),
            ("part", status, [job, c_char_p, c_uint64]),
            ("join", status, [job, c_char_p]),
            ("next", status, [job, POINTER(c_void_p), POINTER(c_size_t)]),
            ("shards_options_init", None, [POINTER(ShardsOptions), c_size_t]),
            ("set_shards", status, [job, POINTER(ShardsOptions)]),
            ("index_options_init", None, [POINTER(IndexOptions), c_size_t]),
            ("set_index", status, [job, POINTER(IndexOptions)]),
            ("index", status, [job, POINTER(IndexOptions)]),
            ("get_options_init", None, [POINTER(GetOptions), c_size_t]),
            ("set_get", status, [job, POINTER(GetOptions)]),
            ("next_query", status, [job, POINTER(GetOptions), POINTER(POINTER(Query))]),
            ("finalize_options_init", None, [POINTER(FinalizeOptions), c_size_t]),
            ("finalize", status, [job, c_char_p, c_size_t, POINTER(FinalizeOptions), POINTER(c_void_p)]),
            ("free", None, [job, c_void_p]),
            ("cancel", None, [job]),
            ("error", POINTER(Error), [job]),
            ("report", POINTER(Report), [job]),
            ("shards_report", POINTER(ShardsReport), [job]),
            ("child", status, [job, c_uint64, POINTER(Child)])]:
        function = getattr(library, "blastmerge_" + name)
        function.restype, function.argtypes = result, arguments
