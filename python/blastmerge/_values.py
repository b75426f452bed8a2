# SPDX-License-Identifier: MIT
"""Values of the caller's as the library takes them. ctypes cuts strings at NUL and lets numbers wrap around, so that each value
is checked here, and nowhere else."""
from __future__ import annotations

import ctypes
import operator
import os
from typing import Any, Optional, Sequence

from ._errors import RangeError, UsageError

PATH_TYPES = (str, bytes, os.PathLike)


def _refuse(name: str, expected: str, value: Any) -> TypeError:
    return TypeError(f"{name} must be {expected}, not {type(value).__name__}")


def _without_nul(name: str, encoded: bytes) -> bytes:
    if b"\0" in encoded:
        raise UsageError(f"{name} has a null character at position {encoded.index(0)}")
    return encoded


def path(name: str, value: Any) -> bytes:
    """A path, or the location of an object."""
    if not isinstance(value, PATH_TYPES):
        raise _refuse(name, "a path (str, bytes or os.PathLike)", value)
    return _without_nul(name, os.fsencode(value))


def optional_path(name: str, value: Any) -> Optional[bytes]:
    """A path or None."""
    return None if value is None else path(name, value)


def text(name: str, value: Any) -> bytes:
    """A string as UTF-8."""
    if not isinstance(value, str):
        raise _refuse(name, "a str", value)
    try:
        return _without_nul(name, value.encode())
    except UnicodeEncodeError as error:
        raise UsageError(f"{name} has a lone surrogate at position {error.start}, which UTF-8 cannot encode") from None


def name(what: str, value: Any) -> bytes:
    """A name of a result's own: UTF-8, or the bytes that are no UTF-8 in it."""
    if not isinstance(value, str):
        raise _refuse(what, "a str", value)
    return _without_nul(what, value.encode(errors="surrogateescape"))


def optional_text(name: str, value: Any) -> Optional[bytes]:
    """A string or None."""
    return None if value is None else text(name, value)


def flag(name: str, value: Any) -> int:
    """True or False, and nothing that is true or false in some other way."""
    if not isinstance(value, bool):
        raise _refuse(name, "True or False", value)
    return int(value)


def integer(name: str, value: Any, c_type: Any) -> int:
    """A whole number that the C type holds."""
    if isinstance(value, bool) or not hasattr(type(value), "__index__"):
        raise _refuse(name, "an int", value)
    number = operator.index(value)
    if c_type(number).value != number:
        n_bits = 8 * ctypes.sizeof(c_type)
        is_signed = c_type(-1).value < 0
        low, high = (-(1 << n_bits - 1), (1 << n_bits - 1) - 1) if is_signed else (0, (1 << n_bits) - 1)
        raise RangeError(f"{name} must be between {low} and {high}, not {number}")
    return number


def choice(name: str, value: Any, choices: Sequence[str]) -> int:
    """The number of one of some words."""
    if not isinstance(value, str):
        raise _refuse(name, f"one of {', '.join(choices)}", value)
    if value not in choices:
        raise UsageError(f"{name} must be one of {', '.join(choices)}, not {value!r}")
    return choices.index(value)


def callback(name: str, value: Any) -> Any:
    """Something that can be called, or None."""
    if value is not None and not callable(value):
        raise _refuse(name, "a function", value)
    return value


def chunk(name: str, value: Any) -> bytes:
    """The bytes of a chunk: of anything with the buffer protocol that lies in one piece."""
    if type(value) is bytes:  # pylint: disable=unidiomatic-typecheck
        return value
    try:
        view = memoryview(value)
    except TypeError:
        raise TypeError(f"{name}: a chunk must be bytes-like, not {type(value).__name__}") from None
    with view:
        if not view.contiguous:
            raise TypeError(f"{name}: a chunk must lie in one piece, which this {type(value).__name__} does not")
        return view.tobytes()
