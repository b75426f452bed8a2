# SPDX-License-Identifier: MIT
"""Indexes: one query out of a result."""
from __future__ import annotations

import ctypes
from typing import Any, Dict, Iterable, Iterator, List, Optional, Union

from . import _job, _values
from ._errors import MissingError
from ._results import Query


class Result:
    """A result that is open for looking queries up. It holds no file: each look-up, and each iteration, opens the result and its index.

        result = blastmerge.open("merged.xml.gz")
        text = result["P12345"]                   a complete document with the Iterations of that query, as bytes
        text = result[17]                         ... with the 17th Iteration of the file
        for query in result:                      a Query for each Iteration, in the order of the file
            if query.hits: text = result[query]
        "P12345" in result; len(result)
        with blastmerge.open("merged.xml.gz") as result: ...    as with open(), though there is nothing to be closed
    """

    def __init__(self, path: Any, index_file: Any = None, **options: Any) -> None:
        self._path = path
        self._index_file = index_file
        self._options: Dict[str, Any] = options
        self._length = 0
        try:
            self._length = with_job(path, options, self._count)  # so both can be read
        except MissingError as error:
            if error.system_error:
                raise

    def __repr__(self) -> str:
        return f"blastmerge.open({self._path!r})"

    def __enter__(self) -> "Result":
        return self

    def __exit__(self, *_raised: Any) -> None:
        """Nothing is open between the calls."""

    def _wanted(self, **given: Any) -> _job.Wanted:
        return _job.Wanted(index_file=self._index_file, **given)

    def _find(self, **given: Any) -> List[Query]:
        return with_job(self._path, self._options, lambda job: list(job.queries(self._wanted(**given))))

    def get(self, queries: Union[str, Iterable[str]] = (), *, numbers: Optional[str] = None, renumber: bool = False) -> bytes:
        """A complete document with the Iterations of these queries: ids, first words of definitions, or accessions in these;
        numbers: places in the file, "17" or "5,8-10". It is not compressed. MissingError names all queries that are missing."""
        names = [queries] if isinstance(queries, str) else list(queries)
        return get_text(self._path, self._options, self._wanted(queries=names, numbers=numbers, renumber=renumber))

    def find(self, queries: Union[str, Iterable[str]] = (), *, numbers: Optional[str] = None) -> List[Query]:
        """What the index has of these queries."""
        return self._find(queries=[queries] if isinstance(queries, str) else list(queries), numbers=numbers)

    def __getitem__(self, query: Union[str, int, Query]) -> bytes:
        try:
            if isinstance(query, Query):
                return self.get(numbers=str(query.number))
            if isinstance(query, str):
                return self.get(query)
            return self.get(numbers=str(_values.integer("a number", query, ctypes.c_uint64)))
        except MissingError as error:
            if error.system_error:
                raise
            raise KeyError(str(error)) from None

    def __contains__(self, query: object) -> bool:
        if not isinstance(query, str) or not query:
            return False
        try:
            return bool(self.find(query))
        except MissingError as error:
            if error.system_error:
                raise
            return False

    def __iter__(self) -> Iterator[Query]:
        job = _job.Job()
        try:
            with job:
                job.open([self._path], self._options, None)
                yield from job.queries(self._wanted())
        finally:
            job.close()

    def __len__(self) -> int:
        return self._length

    def _count(self, job: _job.Job) -> int:
        list(job.queries(self._wanted(numbers="1")))
        return int(job.totals().n_iterations)


def with_job(path: Any, options: Dict[str, Any], work: Any, output: Any = None) -> Any:
    """Runs work with a job of one child."""
    job = _job.Job()
    try:
        with job:
            job.open([path], options, output)
            return work(job)
    finally:
        job.close()  # again, as the first time may have been interrupted


def get_text(path: Any, options: Dict[str, Any], wanted: _job.Wanted) -> bytes:
    """The document, not compressed."""
    def work(job: _job.Job) -> bytes:
        job.set_get(wanted)
        return b"".join(iter(job.next, b""))
    return with_job(path, {"plain": True, **options}, work)
