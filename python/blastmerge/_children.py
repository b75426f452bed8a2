# SPDX-License-Identifier: MIT
"""What may be given as a child, and its bytes, chunk by chunk."""
from __future__ import annotations

import errno
import os
import stat
import tempfile
from functools import partial
from typing import Any, BinaryIO, Callable, Iterable, Iterator, List, Optional, Tuple, Union

from . import _values

Chunk = Union[bytes, bytearray, memoryview]
Chunks = Union[Chunk, BinaryIO, Iterable[Chunk]]
Item = Union[str, "os.PathLike[str]", Chunks, Callable[[], Chunks]]
Child = Union[Item, Tuple[str, Item]]
Children = Union[Child, Iterable[Child]]

_READ_BYTES = 1 << 16
_BUFFERS = (bytes, bytearray, memoryview)
# The first bytes of results: gzip, XML, JSON, byte order marks, comments
_BEGINNINGS = (b"\x1f\x8b", b"<", b"{", b"[", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"#")


def _is_path(value: bytes) -> bool:
    """Whether bytes that stand for all children are a path, and not a result."""
    return 0 < len(value) < 4096 and b"\n" not in value and b"\t" not in value and not value.startswith(_BEGINNINGS)


def split(children: Any) -> Tuple[List[Any], Optional[Iterable[Any]]]:
    """The children that are there at once, and what others are taken from as they are needed. One child alone is one."""
    if isinstance(children, bytes) and _is_path(children):
        return [os.fsdecode(children)], None
    if isinstance(children, (str, os.PathLike) + _BUFFERS) or hasattr(children, "read"):
        return [children], None
    if isinstance(children, (list, tuple)):
        return list(children), None
    if not hasattr(type(children), "__iter__") and not hasattr(type(children), "__getitem__"):
        raise TypeError("children must be an iterable of children, or one child (a path, bytes or a file object), not "
                        f"{type(children).__name__}")
    return [], children


def listed(children: Any) -> List[Any]:
    """All of them, where their number must be known at once."""
    given, source = split(children)
    return given if source is None else [*given, *source]


def name_and_item(number: int, child: Any) -> Tuple[str, Any]:
    """A child's name, for messages and the report, and the child itself."""
    if isinstance(child, tuple) and len(child) == 2 and isinstance(child[0], str):
        _values.text("a child's name", child[0])
        return child
    return f"child {number}", child


def is_location(item: Any) -> bool:
    """Whether the library opens it itself."""
    return isinstance(item, (str, os.PathLike))


def is_buffer(item: Any) -> bool:
    """Whether it is a child's bytes."""
    return isinstance(item, _BUFFERS)


def identity(file: Any) -> Optional[Tuple[int, int]]:
    """Which file, or pipe, it is that a file object has open, or that a path leads to; None where that cannot be told, and of
    what may be read and written by several at once. fileno() of a spooled temporary file would write it to a disk."""
    try:
        if isinstance(file, (str, bytes, os.PathLike)):
            found = os.stat(file)
        elif isinstance(file, tempfile.SpooledTemporaryFile) or not hasattr(file, "fileno"):
            return None
        else:
            found = os.fstat(file.fileno())
    except Exception:  # pylint: disable=broad-except
        return None  # not there yet, or without a descriptor, which each kind of object says in its own way
    return (found.st_dev, found.st_ino) if stat.S_ISREG(found.st_mode) or stat.S_ISFIFO(found.st_mode) else None


class Stream:
    """A child whose bytes come chunk by chunk. It is opened when its first chunk is wanted; what was opened for it is closed
    once: the iterator (a generator, mostly), and what a function returned. A caller's own file object is not."""

    def __init__(self, name: str, item: Any, check_file: Callable[[str, Any], None]) -> None:
        if not (is_buffer(item) or hasattr(item, "read") or hasattr(type(item), "__iter__") or callable(item)):
            raise TypeError(f"{name}: a child must be a path, bytes, a file object, an iterable of bytes or a function that "
                            f"returns one of these, not {type(item).__name__}")
        self.name = name
        self.held = b""
        self._check_file = check_file
        self._item = item
        self._next: Optional[Callable[[], bytes]] = None
        self._closers: List[Callable[[], Any]] = []
        if hasattr(item, "__next__") and not hasattr(item, "read"):
            self._owe_close(item)

    def check(self) -> None:
        """Looks whether it is a file object of what is written."""
        if hasattr(self._item, "read"):
            self._check_file(self.name, self._item)

    def _owe_close(self, opened: Any) -> None:
        close = getattr(opened, "close", None)
        if close is not None:
            self._closers.append(close)

    def _open(self) -> Callable[[], bytes]:
        item = self._item
        if not (is_buffer(item) or hasattr(item, "read") or hasattr(type(item), "__iter__")):
            item = item()
            if is_location(item):
                item = open(item, "rb")  # pylint: disable=consider-using-with
            self._owe_close(item)
        if is_buffer(item):
            return partial(self._take, iter((item,)))
        if hasattr(item, "read"):
            self._check_file(self.name, item)
            return partial(self._read, item)
        chunks = iter(item)
        if chunks is not item:
            self._owe_close(chunks)
        return partial(self._take, chunks)

    def _read(self, file: Any) -> bytes:
        data = file.read(_READ_BYTES)
        if data is None:
            raise BlockingIOError(errno.EAGAIN, f"{self.name}: read() returned None: a file that does not block has no bytes now. "
                                                "Make it block")
        if isinstance(data, str):
            raise TypeError(f"{self.name}: read() returned str: open the file in binary mode")
        return _values.chunk(self.name, data)

    def _take(self, chunks: Iterator[Any]) -> bytes:
        for chunk in chunks:
            data = _values.chunk(self.name, chunk)
            if data:  # an empty one would be taken for the end
                return data
        return b""

    def next(self) -> bytes:
        """The next chunk; none at the end. It is held until the next call."""
        if self._next is None:
            self._next = self._open()
        self.held = self._next()
        return self.held

    def close(self) -> None:
        """Closes what is open, each once, also where one raises or is interrupted. Raises the first exception."""
        self._item = self._next = None  # no cycle: its bytes go at once
        self.held = b""
        close_all(self._closers)


def close_all(closers: List[Callable[[], Any]]) -> None:
    """Calls each, from the last on, once, and empties the list. Raises the first exception, when all were called."""
    raised: Optional[BaseException] = None
    while closers:
        try:
            while closers:
                close = closers[-1]
                # On one line nothing comes in between: each is called, and none twice.
                del closers[-1]; close()  # noqa: E702  pylint: disable=multiple-statements
        except BaseException as error:  # pylint: disable=broad-except
            raised = raised or error
    if raised is not None:
        raise raised
