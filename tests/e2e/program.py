# SPDX-License-Identifier: MIT
"""Running the program under test, and reading what it wrote."""
import os
import subprocess
import zlib
from dataclasses import dataclass
from pathlib import Path

import oracle

ROOT = Path(__file__).resolve().parents[2]


def find_program():
    """$BLASTMERGE, or the program in the tree's own build folder."""
    path = Path(os.environ.get("BLASTMERGE", ROOT / "build" / "blastmerge")).resolve()
    if not os.access(path, os.X_OK):
        raise SystemExit(f"{path} is not there: build it, or name another in the variable BLASTMERGE")
    return str(path)


PROGRAM = find_program()

# Exit codes, as the contract has them.
OK, IO, USAGE, DATA, MISMATCH, EXISTS, CHANGED, NOT_FOUND, DENIED, NO_SPACE, NO_MEMORY = range(11)


@dataclass
class Run:
    code: int
    out: bytes
    err: str

    @property
    def warnings(self):
        prefix = "blastmerge: warning: "
        return [line[len(prefix):] for line in self.err.splitlines() if line.startswith(prefix)]

    @property
    def text(self):
        """The merged text on standard output, of a run that must have gone well."""
        assert self.code == OK, self.err
        return text_of(self.out)


def run(*arguments, timeout=120, command=(PROGRAM,), **options):
    """Runs the program to its end. Its standard input is empty unless given by input or stdin."""
    if "input" not in options:
        options.setdefault("stdin", subprocess.DEVNULL)
    done = subprocess.run([*command, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=timeout, check=False, **options)
    return Run(done.returncode, done.stdout, done.stderr.decode(errors="surrogateescape"))


def without_rights(*arguments, **options):
    """Runs the program as someone for whom files' modes count, even if that is root."""
    drop = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search", "--"] if os.geteuid() == 0 else []
    return run(*arguments, command=[*drop, PROGRAM], **options)


def text_of(data):
    """The text of a result, which must be one plain gzip member and nothing else."""
    assert data[:8] == b"\x1f\x8b\x08\0\0\0\0\0", "not deflate, or with flags, or with a time"
    member = zlib.decompressobj(31)
    text = member.decompress(data) + member.flush()
    assert member.eof, "the result is cut short"
    assert member.unused_data == b"", "something follows the member"
    return text


def write_children(folder, children):
    """Writes the bytes of children to files; returns their paths in order."""
    paths = []
    for number, data in enumerate(children):
        paths.append(Path(folder) / f"child_{number:04}.xml.gz")
        paths[-1].write_bytes(data)
    return paths


def same_as_oracle(folder, children, *arguments, **options):
    """Merges children (bytes), and compares the text with the oracle's. Returns the run."""
    done = run(*arguments, *write_children(folder, children))
    text, expected = done.text, oracle.merge(children, **options)
    if text != expected:
        raise AssertionError(difference(text, expected))
    return done


def difference(text, expected):
    """Where two texts part, for people."""
    place = next((i for i, (a, b) in enumerate(zip(text, expected)) if a != b), min(len(text), len(expected)))
    start = max(0, place - 100)
    return (f"they differ from byte {place} on:\nprogram ({len(text)} bytes): {text[start:place + 100]!r}\n"
            f"oracle  ({len(expected)} bytes): {expected[start:place + 100]!r}")


def only_files(folder):
    """The names of everything in a folder, hidden files, too."""
    return sorted(os.listdir(folder))
