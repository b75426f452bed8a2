# SPDX-License-Identifier: MIT
"""The same locations in the library, by way of its Python package; and what its error record says."""
import ctypes
import sys

import pytest
from conftest import FAST
from faultproxy import Fault, Proxy
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
    """What the server said: the status as a number, and its own code."""
    library, job = ctypes.CDLL(blastmerge._library.load()._name), ctypes.c_void_p()
    library.blastmerge_error.restype = ctypes.POINTER(blastmerge._library.Error)
    assert library.blastmerge_create(ctypes.byref(job), None) == 0
    try:
        assert library.blastmerge_add_location(job, store.url("short/absent*.gz").replace("children/", "nowhere/").encode()) == 0
        assert library.blastmerge_check(job) == 7
        error = library.blastmerge_error(job).contents
        code = {"azure": "ContainerNotFound", "s3": "NoSuchBucket"}[store.name]
        assert (error.http_status, error.provider_code.decode()) == (404, code) and f"HTTP 404 {code}" in error.message.decode()
    finally:
        library.blastmerge_destroy(job)


def said(kind, *arguments):
    """What the server said, as the exception has it."""
    with pytest.raises(kind) as raised:
        blastmerge.merge(*arguments)
    return raised.value.http_status, raised.value.provider_code


def test_exceptions_tell_what_the_server_said(store, children, tmp_path, monkeypatch):
    url, out = store.url("results/said.gz"), tmp_path / "merged.gz"
    missing = (404, {"azure": "BlobNotFound", "s3": "NoSuchKey"}[store.name])
    assert said(blastmerge.MissingError, [store.url("short/absent.gz")], out) == missing
    assert said(blastmerge.MissingError, [tmp_path / "absent.gz"], out) == (0, "")
    monkeypatch.setenv("AZURE_STORAGE_KEY", "c2VjcmV0")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "sesame")
    refused = (403, {"azure": "AuthorizationFailure", "s3": "SignatureDoesNotMatch"}[store.name])
    assert said(blastmerge.DeniedError, [store.url("short/batch_*.xml.gz")], out) == refused
    assert said(blastmerge.DeniedError, [children.paths[0]], url) == refused
    assert not out.exists()


def test_web_server_has_a_status_alone(web, tmp_path):
    assert said(blastmerge.MissingError, [f"{web}/absent.gz"], tmp_path / "merged.gz") == (404, "")


def test_code_is_that_of_the_request_that_failed(store, children, tmp_path):
    """Not one of a try before, nor of the look whether there is such an object."""
    with Proxy(store.port) as proxy:
        proxy.reset(lambda request: Fault("status", code=400, body=b"<Error><Code>Bad\x01Word</Code></Error>")
                    if request.kind == "put" else None)
        store.delete("results/code.gz")
        with pytest.MonkeyPatch.context() as patch:
            for name, value in store.env(proxy.url).items():
                patch.setenv(name, value)
            assert said(blastmerge.MergeIOError, [children.paths[0]], store.url("results/code.gz")) == (400, "Bad?Word")
    assert store.get("results/code.gz") is None
