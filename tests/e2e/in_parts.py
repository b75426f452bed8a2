# SPDX-License-Identifier: MIT
"""Runs the program as it is called and, if that is a merge of files, the same merge in parts.

    in_parts.py PROGRAM LOG ARGUMENT...

What differs is a line of LOG: the steps' result is that of one merge, or one of them ends with its exit code."""
import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

COMMANDS = ["check", "finalize", "shards", "count", "plan", "part", "join", "index", "get", "help", "version"]
TAKE_ONE = {"-o", "--output", "-t", "--threads", "--level", "--memory", "--temp-limit", "--report", "--html", "--missing"}  # of the run, not the result
LEFT_OUT = {"-f", "--force", "-v", "--verbose", "--progress", "--no-progress", "--plain", "--gzip", "--bgzf", "-q", "--quiet"}
WITH_ONE = {"--db", "--query-ids", "--format", "--header", "--mismatch", "--invalid-utf8", "--forbidden-characters", "--sort", "--expect-children"}
FLAGS = {"--keep-db", "--as-unsplit", "--allow-empty", "--salvage"}


def split(arguments):
    """Options of the merge, and children; None: it is none, or a wrong one, or takes what cannot be read twice."""
    options, children, words = [], [], iter(arguments)
    for word in words:
        name, _, value = word.partition("=")
        if name in TAKE_ONE or name in WITH_ONE:
            value = value or next(words, "")
            if name in WITH_ONE:
                options += [name, value]
        elif word in FLAGS:
            options.append(word)
        elif word.startswith("-") and word not in LEFT_OUT:
            return None
        elif word not in LEFT_OUT and not (word == "merge" and not children):
            children.append(word)
    are_files = all(not os.path.exists(child) or stat.S_ISREG(os.stat(child).st_mode) for child in children)
    return (options, children) if children and children[0] not in COMMANDS and are_files and "" not in children else None


def run(*arguments):
    return subprocess.run(list(map(str, arguments)), stdin=subprocess.DEVNULL, capture_output=True, check=False)


def compare(program, options, children):
    """None, or what differs."""
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        whole = run(program, "-q", "--gzip", *options, "-o", folder / "whole", "--", *children)
        numbers = range(1, len(children) + 1)
        counts = [run(program, "count", "-q", *options, "-o", folder / str(i), "--", child) for i, child in zip(numbers, children)]
        wrong = [done.returncode for done in counts if done.returncode not in (0, 11)]
        if wrong == [3] and whole.returncode == 11:
            return None  # a child of which nothing is whole cannot be counted (docs/distributed.md)
        if wrong:
            return None if whole.returncode in wrong else f"counts end with {wrong}, and the merge with {whole.returncode}"
        plan = run(program, "plan", "-q", *options, "-o", folder / "plan", *(folder / str(i) for i in numbers))
        if plan.returncode not in (0, 11):
            return None if whole.returncode == plan.returncode else f"{plan.stderr}, and the merge: {whole.returncode} {whole.stderr}"
        for i in numbers:
            part = run(program, "part", "-q", "--plan", folder / "plan", "--number", i, "-o", folder / f"part_{i}")
            if part.returncode != 0:
                return f"part {i}: {part.stderr}"
        join = run(program, "join", "-q", "--plan", folder / "plan", "-o", folder / "joined", *(folder / f"part_{i}" for i in numbers))
        if join.returncode != whole.returncode:
            return f"{join.returncode} {join.stderr}, and the merge: {whole.returncode} {whole.stderr}"
        return None if (folder / "joined").read_bytes() == (folder / "whole").read_bytes() else "the results differ"


def main():
    program, log, *arguments = sys.argv[1:]
    found = split(arguments)
    if found is not None:
        with open(log, "a", encoding="utf-8") as file:
            print(compare(program, *found) or "alike", arguments, file=file)
    os.execv(program, ["blastmerge", *arguments])


if __name__ == "__main__":
    main()
