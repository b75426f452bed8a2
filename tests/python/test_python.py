# SPDX-License-Identifier: MIT
"""The Python package: what it takes, what it gives, what it raises, and that it keeps nothing."""
import ctypes
import gc
import gzip
import io
import json
import os
import re
import subprocess
import sys
import tarfile
import threading
import venv
import warnings
import weakref
import zlib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
sys.path.insert(0, str(ROOT / "python"))
sys.path.append(str(ROOT / "tests" / "e2e"))
import archives  # noqa: E402  pylint: disable=wrong-import-position
import oracle  # noqa: E402  pylint: disable=wrong-import-position
import blastmerge  # noqa: E402  pylint: disable=wrong-import-position

HEADER = (ROOT / "include" / "blastmerge.h").read_text()
PATHS = [ROOT / "tests" / "data" / f"batch_{number}.xml.gz" for number in (1, 2, 3)]
CHILDREN = [path.read_bytes() for path in PATHS]
EXPECTED = oracle.merge(CHILDREN)


def test_the_mirror_of_the_header_is_true(tmp_path):
    """Every field of every struct is there, and lies where C has it."""
    library = blastmerge._library  # pylint: disable=protected-access
    structs = {"error": library.Error, "report": library.Report, "child": library.Child, "progress": library.Progress,
               "options": library.Options, "children": library.Children, "reader": library.Reader, "writer": library.Writer}
    in_allocator = {"allocator_context": "allocator.context", "allocate": "allocator.allocate",
                    "release": "allocator.release"}
    lines, expected = [], []
    for name, mirror in structs.items():
        lines.append(f'printf("%zu\\n", sizeof(struct blastmerge_{name}));')
        expected.append(ctypes.sizeof(mirror))
        text = re.search(rf"\nstruct blastmerge_{name} {{\n(.*?)\n}};", HEADER, re.S)[1]
        text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
        declared = re.findall(r"\(\*(\w+)\)\(|(\w+)(?:\[\w+\])?;", text)
        declared = [function or field for function, field in declared]
        if name == "options":
            declared[declared.index("allocator"):declared.index("allocator") + 1] = in_allocator
        assert [field for field, _ in mirror._fields_] == declared, name
        for field, _ in mirror._fields_:
            lines.append(f'printf("%zu\\n", offsetof(struct blastmerge_{name}, {in_allocator.get(field, field)}));')
            expected.append(getattr(mirror, field).offset)
    source = tmp_path / "layout.c"
    source.write_text('#include "blastmerge.h"\n#include <stdio.h>\nint main(void) {' + "".join(lines) + "return 0;}")
    subprocess.run(["cc", "-I", ROOT / "include", "-o", tmp_path / "layout", source], check=True)
    found = subprocess.run([tmp_path / "layout"], check=True, capture_output=True, text=True).stdout
    assert [int(line) for line in found.split()] == expected


def chunks(data, size=1000):
    for start in range(0, len(data), size):
        yield data[start:start + size]


def test_paths_to_a_path(tmp_path):
    report = blastmerge.merge(PATHS, tmp_path / "merged.xml.gz", report=str(tmp_path / "report.json"))
    assert gzip.decompress((tmp_path / "merged.xml.gz").read_bytes()) == EXPECTED
    assert report.iterations == 11 and report.documents == 3
    assert [child.iterations for child in report.children] == [4, 3, 4]
    assert report.children[0].name == str(PATHS[0])
    assert report.output_text_bytes == len(EXPECTED)
    assert report.output_bytes == (tmp_path / "merged.xml.gz").stat().st_size
    assert sorted(os.listdir(tmp_path)) == ["merged.xml.gz", "report.json"]


@pytest.mark.parametrize("child", [
    lambda data: data, bytearray, memoryview, io.BytesIO, chunks, lambda data: list(chunks(data, 7)),
    lambda data: (bytearray(chunk) for chunk in chunks(data)), lambda data: [b"", data[:10], b"", data[10:], b""],
    gzip.decompress,
], ids=["bytes", "bytearray", "memoryview", "file", "generator", "list", "bytearrays", "empty chunks", "plain"])
def test_children_of_every_kind(child):
    pieces = list(blastmerge.iter_merged([child(data) for data in CHILDREN]))
    assert all(isinstance(piece, bytes) and piece for piece in pieces)
    assert gzip.decompress(b"".join(pieces)) == EXPECTED


def test_a_generator_of_children():
    assert gzip.decompress(blastmerge.merged_bytes(chunks(data) for data in CHILDREN)) == EXPECTED


def test_to_a_file_object():
    class Sluggish(io.BytesIO):
        def write(self, data):
            return super().write(bytes(data)[:100])
    out = Sluggish()
    blastmerge.merge(CHILDREN, out)
    assert gzip.decompress(out.getvalue()) == EXPECTED


def test_options():
    text = blastmerge.merged_bytes(CHILDREN, plain=True, database="x & y", threads=1)
    assert text == oracle.merge(CHILDREN, database="x & y")
    assert gzip.decompress(blastmerge.merged_bytes(CHILDREN, level=9, keep_database=True)) == \
        oracle.merge(CHILDREN, keep_database=True)
    assert gzip.decompress(blastmerge.merged_bytes(CHILDREN, as_unsplit=True)) == oracle.merge(CHILDREN, as_unsplit=True)
    for policy in ("auto", "keep", "renumber"):
        assert gzip.decompress(blastmerge.merged_bytes(CHILDREN, query_ids=policy)) == oracle.merge(CHILDREN, query_ids=policy)
    assert blastmerge.merged_bytes(CHILDREN) == blastmerge.merged_bytes(CHILDREN, query_ids="auto") != \
        blastmerge.merged_bytes(CHILDREN, query_ids="keep")
    with pytest.raises(blastmerge.UsageError, match="cannot be kept"):
        blastmerge.merged_bytes(CHILDREN, as_unsplit=True, query_ids="keep")
    assert oracle.merge(CHILDREN, as_unsplit=True) != oracle.merge(CHILDREN, keep_database=True, query_ids="keep")
    with pytest.raises(blastmerge.UsageError, match="mismatch must be one of"):
        blastmerge.merged_bytes(CHILDREN, mismatch="perhaps")
    with pytest.raises(blastmerge.UsageError, match="level"):
        blastmerge.merged_bytes(CHILDREN, level=10)
    with pytest.raises(blastmerge.UsageError, match="threads"):
        blastmerge.merged_bytes(CHILDREN, threads=-1)
    with pytest.raises(TypeError, match="no option 'levle'"):
        blastmerge.merged_bytes(CHILDREN, levle=9)
    with pytest.raises(blastmerge.UsageError, match="no children"):
        blastmerge.merged_bytes([])


def test_archives(tmp_path):
    """-outfmt 11: found by its first bytes or named, and compared with the queries."""
    texts = [archives.make(["a", "b"], lines=True), archives.make(["c"], lines=True)]
    queries = tmp_path / "queries.fasta"
    queries.write_text(">a\nMKVLAAGIV\n>b\nMKVLAAGIV\n>c\nMKVLAAGIV\n")
    for options in ({}, {"format": "archive", "expect_queries": queries}):
        report = blastmerge.merge(texts, tmp_path / "merged.asn", plain=True, force=True, as_unsplit=True, **options)
        assert (tmp_path / "merged.asn").read_bytes() == archives.merge(texts)
        assert (report.format, report.iterations, report.hsps) == ("archive", 3, 3)
    with pytest.raises(blastmerge.MismatchError, match="blastx"):
        blastmerge.merged_bytes([texts[0], archives.make(["c"], program="blastx")])


def test_check():
    report = blastmerge.check(PATHS)
    assert report.iterations == 11 and report.output_bytes == 0 and report.hits == 49


def test_check_goes_on(tmp_path):
    """The first fault is raised, with what there is to say of all children."""
    broken = gzip.decompress(CHILDREN[1]).replace(b"</Hit_def>", b"</Hit_fed>")
    told = []
    with pytest.raises(blastmerge.DataError, match="child 1: .*Hit_fed") as caught:
        blastmerge.check([CHILDREN[0], broken, tmp_path / "absent", CHILDREN[0]], report=tmp_path / "report.json", sort="none",
                         on_fault=told.append)
    report = caught.value.report
    assert [child.status for child in report.children] == ["ok", "damaged", "not found", "ok"]
    assert report.children[1].error == str(caught.value) and report.children[0].error is None
    assert report.iterations == report.children[0].iterations + report.children[3].iterations > 0
    assert [type(error) for error in told] == [blastmerge.DataError, blastmerge.MissingError]
    assert [error.child for error in told] == [1, 2]
    written = json.loads((tmp_path / "report.json").read_bytes())
    assert [row["status"] for row in written["children"]] == ["ok", "damaged", "not found", "ok"]
    assert blastmerge.check(PATHS, report=tmp_path / "other.json").children[0].status == "ok"
    with pytest.raises(ZeroDivisionError):
        blastmerge.check([broken, CHILDREN[0]], on_fault=lambda error: 1 / 0)

    def failing():
        yield CHILDREN[0][:100]
        raise KeyboardInterrupt
    seen = []
    with pytest.raises(KeyboardInterrupt):
        blastmerge.check((seen.append(number) or child for number, child in enumerate([failing(), CHILDREN[0], CHILDREN[1]])))
    assert seen != [0, 1, 2]


def test_children_that_a_check_did_not_read(tmp_path):
    """It ended before: nothing is said of them, least of all that they are right."""
    broken = gzip.decompress(CHILDREN[1]).replace(b"</Hit_def>", b"</Hit_fed>")
    for children, expected in ([CHILDREN[0], broken], ["not read"] * 2), (iter([CHILDREN[0], broken]), ["ok", "damaged"]):
        with pytest.raises(blastmerge.MismatchError, match="but 5 were expected") as caught:
            blastmerge.check(children, expect_children=5)
        assert [child.status for child in caught.value.report.children] == expected
        assert caught.value.report.children[0].error is None
    with pytest.raises(blastmerge.UsageError, match="only for BLAST XML") as caught:
        blastmerge.check([b"# BLASTP 2.12.0+\n# BLAST processed 0 queries\n", CHILDREN[0]], database="another")
    assert [child.status for child in caught.value.report.children] == ["not read", "not read"]
    report = blastmerge.merge(CHILDREN, io.BytesIO())
    assert {child.status for child in report.children} == {"ok"}


def test_errors_say_where(tmp_path):
    text = gzip.decompress(CHILDREN[1])
    place = text.index(b"</Hit_def>", len(text) // 2)
    broken = text[:place] + b"</Hit_fed>" + text[place + 10:]
    with pytest.raises(blastmerge.DataError, match="child 1: .*Hit_fed") as caught:
        blastmerge.merged_bytes([CHILDREN[0], broken])
    assert caught.value.child == 1 and caught.value.status == 3
    assert place <= caught.value.text_offset <= place + 10
    assert caught.value.iterations == text[:place].count(b"</Iteration>")
    assert isinstance(caught.value, ValueError)
    with pytest.raises(blastmerge.MissingError, match="nothing.xml.gz"):
        blastmerge.check([tmp_path / "nothing.xml.gz"])
    (tmp_path / "there").write_bytes(b"old")
    with pytest.raises(blastmerge.ExistsError):
        blastmerge.merge(PATHS, tmp_path / "there")
    assert (tmp_path / "there").read_bytes() == b"old"
    blastmerge.merge(PATHS, tmp_path / "there", force=True)
    with pytest.raises(blastmerge.MismatchError):
        blastmerge.check(PATHS, expect_children=4)


class Mine(Exception):
    pass


def test_what_an_iterator_raises_comes_through():
    def failing():
        yield CHILDREN[1][:5000]
        raise Mine("of the child's own")
    before = []
    with pytest.raises(Mine, match="of the child's own"):
        for piece in blastmerge.iter_merged([CHILDREN[0], failing()]):
            before.append(piece)
    member = zlib.decompressobj(31)
    member.decompress(b"".join(before))
    assert not member.eof


def test_what_callbacks_raise_comes_through(tmp_path):
    def fail(_argument):
        raise Mine
    with pytest.raises(Mine):
        blastmerge.merge(PATHS, tmp_path / "merged", on_progress=fail)
    with pytest.raises(Mine):
        blastmerge.merge([PATHS[0], PATHS[0]], tmp_path / "merged", on_warning=fail)
    class Full(io.BytesIO):
        def write(self, data):
            raise OSError(28, "No space left on device")
    with pytest.raises(OSError, match="No space"):
        blastmerge.merge(PATHS, Full())
    assert os.listdir(tmp_path) == []


def test_warnings():
    told = []
    blastmerge.check([PATHS[0], PATHS[0]], on_warning=told.append)
    assert len(told) == 1 and "given twice" in told[0]
    with pytest.warns(blastmerge.MergeWarning, match="given twice"):
        blastmerge.check([PATHS[0], PATHS[0]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(blastmerge.MergeWarning):
            blastmerge.check([PATHS[0], PATHS[0]])


def test_progress():
    seen = []
    blastmerge.check(PATHS, on_progress=seen.append)
    assert seen and seen[-1].children == 3 and seen[-1].compressed_total == sum(map(len, CHILDREN))


@pytest.mark.parametrize("options, expected", [
    ({}, ["merge", "write"]), ({"salvage": True}, ["survey", "merge", "write"]),
    ({"order_by_queries": True}, ["order", "merge", "write"])])
@pytest.mark.parametrize("threads", [1, 2])
def test_phases_of_progress(tmp_path, options, expected, threads):
    seen = []
    if "order_by_queries" in options:
        names = tmp_path / "names"
        names.write_bytes(b"\n".join(re.findall(rb"<Iteration_query-def>(\S+)", EXPECTED)) + b"\n")
        options = {**options, "expect_queries": names}
    blastmerge.merge(PATHS, tmp_path / "merged", threads=threads, on_progress=lambda p: seen.append(p.phase), **options)
    assert sorted(seen, key=expected.index) == seen  # it never goes back
    assert expected[:-1] == [phase for phase in dict.fromkeys(seen) if phase != "write"]
    blastmerge.check(PATHS, threads=threads, on_progress=lambda p: seen.append(p.phase))
    assert seen[-1] == "check"


def test_progress_of_remote_children(tmp_path, monkeypatch):
    """Their lengths become known with their first bytes: the total grows, and what was read is never more."""
    monkeypatch.syspath_prepend(str(ROOT / "tests" / "e2e"))
    monkeypatch.setenv("no_proxy", "*")
    answers = __import__("answers")
    names = [f"{number}.gz" for number in range(90)]
    seen = []
    with answers.Answers(lambda request: answers.part(CHILDREN[int(request.path[1:-3]) % 3], request, ETag=f'"{request.path}"')) as server:
        try:
            blastmerge.merge([f"{server.url}/{name}" for name in names], tmp_path / "merged.gz", on_progress=seen.append,
                             on_warning=[].append)
        except blastmerge.UsageError as error:
            pytest.skip(str(error))
    assert seen[0].children_in_total < len(names)
    for one, next_one in zip(seen, seen[1:]):
        assert one.compressed_total <= next_one.compressed_total and one.children_in_total <= next_one.children_in_total
        assert one.compressed_bytes <= next_one.compressed_bytes
    assert all(progress.compressed_bytes <= progress.compressed_total for progress in seen)
    assert (seen[-1].children_in_total, seen[-1].compressed_total) == (len(names), 30 * sum(map(len, CHILDREN)))
    assert gzip.decompress((tmp_path / "merged.gz").read_bytes()) == oracle.merge(CHILDREN * 30)


def test_closed_early_it_cleans_up():
    closed = []

    def child(data):
        try:
            yield from chunks(data, 100)
        finally:
            closed.append(True)
    big = gzip.compress(gzip.decompress(CHILDREN[1]))
    merged = blastmerge.iter_merged([child(big), child(CHILDREN[2])], level=1)
    next(merged)
    merged.close()
    gc.collect()
    assert len(closed) in (1, 2)  # the second may never have begun
    assert next(merged, None) is None


def test_nothing_is_kept():
    class Chunks:
        def __init__(self, data):
            self.chunks = chunks(data)

        def __iter__(self):
            return self.chunks
    child = Chunks(CHILDREN[0])
    seen = weakref.ref(child)
    blastmerge.merged_bytes([child])
    del child
    gc.collect()
    assert seen() is None


def test_threads_merge_at_once():
    results = []

    def work():
        for _ in range(20):
            results.append(blastmerge.merged_bytes([chunks(data, 333) for data in CHILDREN], threads=2))
    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 80 and len(set(results)) == 1
    assert gzip.decompress(results[0]) == EXPECTED


MEMORY = """
import resource, sys, zlib
sys.path.insert(0, {package!r})
import blastmerge
text = {text!r}
head, iteration, foot = text

def child():
    # {megabytes} MB of text
    zipper = zlib.compressobj(1, zlib.DEFLATED, 31)
    yield zipper.compress(head)
    piece = iteration * 100
    for _ in range({megabytes} * 1000000 // len(piece)):
        yield zipper.compress(piece)
    yield zipper.compress(foot) + zipper.flush()

before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
n = sum(map(len, blastmerge.iter_merged([child(), child()])))
print(n, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_memory_is_flat():
    text = gzip.decompress(CHILDREN[0])
    first, last = text.index(b"<Iteration>"), text.rindex(b"</Iteration>\n") + len(b"</Iteration>\n")
    second = text.index(b"<Iteration>", first + 1)
    parts = (text[:first], text[first:second], text[last:])
    megabytes = int(os.environ.get("BLASTMERGE_TEST_MEGABYTES", "50"))
    done = subprocess.run([sys.executable, "-c", MEMORY.format(package=str(ROOT / "python"), text=parts,
                                                               megabytes=megabytes)],
                          capture_output=True, text=True, check=True)
    n_bytes, kilobytes = map(int, done.stdout.split())
    assert n_bytes > 100000
    assert kilobytes < 16 * 1024


def copy_package(target):
    (target / "blastmerge").mkdir(parents=True)
    for name in ("pyproject.toml", "README.md", "build_wheel.py"):
        (target / name).write_bytes((ROOT / "python" / name).read_bytes())
    for path in (ROOT / "python" / "blastmerge").iterdir():
        if path.suffix == ".py" or path.name == "py.typed":
            (target / "blastmerge" / path.name).write_bytes(path.read_bytes())
    return target


def test_sdist(tmp_path):
    build = "import build_wheel, sys; print(build_wheel.build_sdist(sys.argv[1]))"
    done = subprocess.run([sys.executable, "-c", build, str(tmp_path)], cwd=copy_package(tmp_path / "copy"), check=True, capture_output=True, text=True)
    with tarfile.open(tmp_path / done.stdout.strip()) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"pyproject.toml", "build_wheel.py", "README.md", "PKG-INFO", "blastmerge/__init__.py", "blastmerge/py.typed"} <= names


@pytest.mark.parametrize("has_library", [True, False], ids=["with the library", "without"])
def test_installed_in_an_empty_venv(tmp_path, has_library):
    """As python/README.md says, without a network."""
    package = copy_package(tmp_path / "python")
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("BLASTMERGE_", "PYTHON"))}
    if has_library:
        (package / "blastmerge" / "libblastmerge.so").write_bytes(Path(os.environ["BLASTMERGE_LIBRARY"]).read_bytes())
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / "bin" / "python"
    install = [python, "-m", "pip", "install", "--no-index", "--disable-pip-version-check", "-q", str(package)]
    subprocess.run(install, check=True, env=environment, cwd=tmp_path)
    program = "import blastmerge, sys; print(blastmerge.__version__, blastmerge.version(), blastmerge.check(sys.argv[1:]).iterations)"
    done = subprocess.run([python, "-c", program, *map(str, PATHS)], env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    if has_library:
        assert done.stdout.split() == [blastmerge.__version__, blastmerge.version(), "11"], done.stderr
    elif done.returncode != 0:  # the system may have the library
        assert "name it in BLASTMERGE_LIBRARY" in done.stderr
        folder = next((tmp_path / "venv").glob("lib/python3*/site-packages")) / "blastmerge"
        assert f"searched: BLASTMERGE_LIBRARY (not set), the package's folder ({folder}), the system's folders for libraries;" in done.stderr
        done = subprocess.run([python, "-c", program], env={**environment, "BLASTMERGE_LIBRARY": "/absent/library"}, cwd=tmp_path, capture_output=True,
                              text=True, check=False)
        assert "searched: BLASTMERGE_LIBRARY (/absent/library);" in done.stderr
