# SPDX-License-Identifier: MIT
"""The exceptions, and the names of options in the library's messages."""
from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Dict, Optional

from . import _library

if TYPE_CHECKING:
    from ._results import Report


class MergeWarning(UserWarning):
    """A warning about the children."""


class MergeError(Exception):
    """An error: its status (the program's exit code) and, if they are known, child, text_offset and iterations (whole ones of
    that child before the place), else None. http_status and provider_code: from a server's answer, such as 404 and
    "BlobNotFound", else 0 and "". outcome: that of finalize(), else None. report: of check(), the Report of all children, else
    None."""

    status = 70
    outcome: Optional[Dict[str, Any]] = None
    report: "Optional[Report]" = None

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
    """An option or a call is invalid."""
    status = 2


class RangeError(UsageError, OverflowError):
    """A number is outside the range of its parameter."""


class DataError(MergeError, ValueError):
    """A child is damaged, cut short, or not BLAST XML."""
    status = 3


class MismatchError(MergeError, ValueError):
    """The children do not belong together."""
    status = 4


class ExistsError(MergeError):
    """The destination already exists."""
    status = 5


class ChangedError(MergeError):
    """An input changed while it was read."""
    status = 6


class MissingError(MergeError):
    """An input or the destination's folder does not exist."""
    status = 7


class DeniedError(MergeError):
    """Permission or credentials are missing or refused."""
    status = 8


class NoSpaceError(MergeError):
    """No space left for the result."""
    status = 9


class CancelledError(MergeError):
    """The merge was cancelled."""
    status = 13


class InternalError(MergeError):
    """An internal fault of blastmerge, or an exception that Python could not pass on."""
    status = 70


KINDS = {kind.status: kind for kind in (MergeIOError, UsageError, DataError, MismatchError, ExistsError, ChangedError,
                                        MissingError, DeniedError, NoSpaceError, CancelledError, InternalError)}

# The program's options whose parameters here have other names, or values.
_RENAMED = {"db": "database", "keep-db": "keep_database", "memory": "memory_limit", "temp-limit": "temporary_limit", "shards": "n_shards"}
_SWITCHES = {"allow_empty", "keep_database", "as_unsplit", "salvage", "plain", "gzip", "bgzf", "force", "strict", "window",
             "round_robin", "order_descending", "recompute", "order_by_queries"}
_OPTION = re.compile(r"(?<!blastmerge shards )(?<![^\s(\[\"',;:])--([a-z][a-z0-9]*(?:-[a-z0-9]+)*)(?:[ =]([A-Z]+\b|[0-9]+\b|[a-z][a-z0-9_|-]*))?")
_WORDS = {"format": "xml|xml2|json|commented|tabular|csv|archive|auto", "query_ids": "auto|keep|renumber",
          "mismatch": "default|error|warn|ignore", "invalid_utf8": "error|latin1|keep",
          "forbidden_characters": "error|replace|keep", "sort": "default|natural|none",
          "header": "once|keep|none"}


def in_python(message: str) -> str:
    """A message of the library, with this package's parameters instead of the program's options."""
    def name(match: "re.Match[str]") -> str:
        option, value = match.group(1), match.group(2)
        parameter = _RENAMED.get(option, option.replace("-", "_"))
        after = "" if value is None else match.group(0)[match.start(2) - match.start(0) - 1:]
        if parameter in _SWITCHES:
            return f"{parameter}=True{after}"
        if value is not None and value.isupper():
            return f"{parameter}={value}"
        if value is not None and value.isdigit():
            return f"{parameter}={value}"
        if value is not None and parameter in _WORDS and all(word in _WORDS[parameter].split("|") for word in value.split("|")):
            return f"{parameter}=" + "|".join(f'"{word}"' for word in value.split("|"))
        return parameter + after
    return _OPTION.sub(name, message)


def from_library(status: int, error: "_library.Error") -> MergeError:
    """The exception for the library's record of an error."""
    message = in_python(error.message.decode(errors="replace"))
    if "BLASTMERGE_CALLBACK_OK" in message or message.endswith("gave no reason"):
        return InternalError("an exception was raised where Python cannot pass it on, so nothing was committed; "
                             f"sys.unraisablehook received the exception ({message})")
    return KINDS.get(status, InternalError)(
        message, child=None if error.child == _library.NO_CHILD else error.child,
        text_offset=None if error.text_offset == _library.NO_OFFSET else error.text_offset,
        iterations=error.n_iterations, system_error=error.system_error, http_status=error.http_status,
        provider_code=error.provider_code.decode(errors="replace"))
