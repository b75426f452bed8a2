# SPDX-License-Identifier: MIT
"""Exceptions that ctypes does not pass on.

An exception can leave a callback although all of its lines are inside of a try: a signal's handler or a trace function that runs
as the function is entered, one that runs in the `except` clause, a RecursionError. ctypes gives such an exception to
sys.unraisablehook and returns to C whatever the call before returned. C takes that for a failure (see callback_ticket in
blastmerge.h); the exception itself is caught here, by a hook that stays while a job is inside of C.

The hook is a list's append: a function in Python could be interrupted in turn. There is no lock, which an exception could leave locked:
each step is a single operation on a list or dict. What is not ours goes on to the hook that was
there before. Where others put a hook in the place of ours meanwhile, theirs stays; then the job fails with an InternalError.
"""
from __future__ import annotations

import sys
import types
import weakref
from typing import Any, Callable, Dict, List, Optional, Set

_caught: List[Any] = []
_hook: Callable[[Any], None] = _caught.append
_former: Callable[[Any], Any] = sys.__unraisablehook__
_inside: Dict[int, "weakref.ref[Any]"] = {}  # by id; weak, so that a job that could not leave is collected, and leaves then
_guards: Set[types.CodeType] = set()


def guard(function: Callable[..., int]) -> Callable[..., int]:
    """Marks a method that C calls. Its object has a `job`."""
    _guards.add(function.__code__)
    return function


def enter(job: Any) -> None:
    """The job goes into C."""
    _inside[id(job)] = weakref.ref(job)
    _install()


def _install() -> None:
    global _former  # pylint: disable=global-statement
    current = sys.unraisablehook
    if current is not _hook:
        _former = current
        sys.unraisablehook = _hook


def _owner(unraisable: Any) -> Optional[Any]:
    """The job whose callback it came from; None: none's. An exception without a traceback, raised before there was a
    frame, is that of the only job, if there is one."""
    traceback = unraisable.exc_traceback
    if traceback is not None:
        frame = traceback.tb_frame
        return frame.f_locals["self"].job if frame.f_code in _guards else None
    function = getattr(unraisable.object, "__func__", None)
    if getattr(function, "__code__", None) in _guards:
        return unraisable.object.__self__.job
    is_callback = "ctypes callback" in (unraisable.err_msg or "")
    return next(iter(_inside.values()))() if is_callback and len(_inside) == 1 else None


def leave(job: Any) -> Optional[BaseException]:
    """The job has come out of C. What was caught of its exceptions: the first, else None. Can be called again."""
    found: Optional[BaseException] = None
    for unraisable in _caught[:]:
        owner = _owner(unraisable)
        if owner is job:
            if _claim(unraisable):
                found = found or unraisable.exc_value or unraisable.exc_type()
        elif id(owner) not in _inside and _claim(unraisable):
            _former(unraisable)
    _inside.pop(id(job), None)
    if not _inside and sys.unraisablehook is _hook:
        sys.unraisablehook = _former
        if _inside:  # another thread's job has come meanwhile
            _install()
    return found


def _claim(unraisable: Any) -> bool:
    """Takes it off the list, unless another thread did."""
    for position, caught in enumerate(_caught):
        if caught is unraisable:
            del _caught[position]
            return True
    return False
