# SPDX-License-Identifier: MIT
"""The same locations in the library, by way of its Python package; and what its error record says."""
import ctypes
import sys

import pytest
from conftest import FAST
from program import ROOT

sys.path.append(str(ROOT / "python"))
import blastmerge  # noqa: E402


@pytest.fixture(autouse=True)
def environment(store, monkeypatch):
    for name, value in {**FAST, **store.env()}.items():
        monkeypatch.setenv(name, value)


def test_merge(store, children, tmp_path):
    key = "results/library.gz"
    store.delete(key)
    blastmerge.merge([children.paths[0], store.url("short/batch_9.xml.gz"), store.url("short/batch_10.xml.gz")], store.url(key))
    assert store.get(key) == children.merged
    assert blastmerge.merged_bytes([store.url("short/batch_*.xml.gz")]) == children.merged
    with pytest.raises(blastmerge.ExistsError):
        blastmerge.merge([children.paths[0]], store.url(key))
    assert store.get(key) == children.merged


def test_error_record(store):
    """What the server said: the status as a number, and its own code in the message."""
    library, job = ctypes.CDLL(blastmerge._library.load()._name), ctypes.c_void_p()
    library.blastmerge_error.restype = ctypes.POINTER(blastmerge._library.Error)
    assert library.blastmerge_create(ctypes.byref(job), None) == 0
    try:
        assert library.blastmerge_add_location(job, store.url("short/absent*.gz").replace("children/", "nowhere/").encode()) == 0
        assert library.blastmerge_check(job) == 7
        error = library.blastmerge_error(job).contents
        code = {"azure": "ContainerNotFound", "s3": "NoSuchBucket"}[store.name]
        assert error.http_status == 404 and f"HTTP 404 {code}" in error.message.decode()
    finally:
        library.blastmerge_destroy(job)
