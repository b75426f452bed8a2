# SPDX-License-Identifier: MIT
"""A merge in parts comes to the very bytes of the plain merge; and what is wrong is an error of the step it belongs to."""
import gzip
import json
import os
import random
import re
import shutil
import subprocess

import pytest

import archives
import corpus
import oracle
from corpora import in_all_formats
from forms import FORMS, member
from parts import Steps
from program import CHANGED, DATA, EXISTS, MISMATCH, NOT_FOUND, OK, PROGRAM, ROOT, USAGE, run, write_children
from small import text
from wild import Wild

ROUNDS = int(os.environ.get("BLASTMERGE_ROUNDS", "20"))
FIRST_SEED = int(os.environ.get("BLASTMERGE_SEED", "1"))
SALVAGED = 11
IDS = ["keep", "auto", "renumber"]
BATCHES = [ROOT / "tests" / "data" / f"batch_{number}.xml.gz" for number in (1, 2, 3)]


def plain(children, *options):
    return run("--gzip", *options, *children)


def compare(folder, children, *options):
    """The steps end as the plain merge does. Returns whether that was well."""
    done = plain(children, *options)
    shutil.rmtree(folder, ignore_errors=True)
    steps = Steps(folder, children, *options)
    for name, number, step in steps.steps():
        if step.code != OK:
            assert done.code == step.code, f"{name} {number} refuses what the merge does not: {step.err}\n{done.err}"
            return False
    assert done.code == OK, f"the steps go well, and the merge does not: {done.err}"
    assert steps.result.read_bytes() == done.out
    return True


def random_options(dice):
    options = ["--mismatch", dice.choice(["ignore", "warn"]), "--allow-empty", "--quiet"]
    if dice.random() < 0.4:
        return options + ["--as-unsplit", "--sort", "none"], True
    options += ["--query-ids", dice.choice(IDS)]
    if dice.random() < 0.3:
        options.append("--keep-db")
    elif dice.random() < 0.5:
        options += ["--db", "x & y"]
    options += ["--invalid-utf8", dice.choice(["keep", "latin1"])]
    return options, False


# Options of the library that a plan does not carry on, and why not.
NOT_IN_A_PLAN = {
    "of the children's list, which the plan is": {"sort", "expect_children", "expect_queries", "order_by_queries"},
    "of the result's bits and place, which part and join are told": {"form", "level", "force", "endpoint"},
    "of the machine that works": {"n_threads", "allocator", "memory_limit", "temporary_limit"},
    "of the caller": {"struct_size", "callback_context", "on_warning", "on_fault", "on_progress", "callback_ticket",
                      "progress_interval"},
}


def test_a_plan_carries_on_every_option_that_changes_text(tmp_path):
    """A new option has to be carried on (parts/options.c, job/slice.c), or has to be named above."""
    header = (ROOT / "include" / "blastmerge.h").read_text()
    fields = re.search(r"\nstruct blastmerge_options {\n(.*?)\n};", header, re.S)[1]
    fields = re.sub(r"/\*.*?\*/", "", fields, flags=re.S)
    options = {function or field for function, field in re.findall(r"\(\*(\w+)\)\(|(\w+);", fields)}
    steps = Steps(tmp_path / "parts", BATCHES)
    steps.all()
    common = json.loads(steps.plan_file.read_text().splitlines()[0])
    carried = {*common["options"], *common} & options
    for why, names in NOT_IN_A_PLAN.items():
        assert names <= options and not names & carried, why
    assert options - carried == set().union(*NOT_IN_A_PLAN.values())


def test_wild_documents(tmp_path):
    n_compared = 0
    for seed in range(FIRST_SEED, FIRST_SEED + ROUNDS):
        dice = random.Random(f"parts {seed}")
        options, as_unsplit = random_options(dice)
        wild = Wild(dice, dice.random() < 0.3, "nr" if as_unsplit else None)
        children = [dice.choice(list(FORMS.values()))(wild.child()) for _ in range(dice.choice([1, 2, 3, 5]))]
        if dice.random() < 0.2:
            children.insert(dice.randrange(len(children) + 1), b"")
        if dice.random() < 0.1:
            children.append(children[0])
        try:
            n_compared += compare(tmp_path / "steps", write_children(tmp_path, children), *options)
        except AssertionError as failure:
            raise AssertionError(f"seed {seed}, options {options}, children in {tmp_path}: {failure}") from None
    assert n_compared > ROUNDS / 3


def random_archives(dice):
    """A child's archives: one, or two of searches one after the other."""
    runs = []
    for _ in range(dice.choice([1, 1, 2])):
        names = [f"query {dice.randrange(1000)}" for _ in range(dice.choice([1, 2, 9]))]
        runs.append(archives.make(names, first=dice.choice([1, 1, 2]), hits=dice.randrange(3), subject=dice.choice(["Query_1", "Query_2", "X"]),
                                  db="other" if dice.random() < 0.05 else "nr"))
    return b"".join(runs)


def test_random_archives(tmp_path):
    n_compared = 0
    for seed in range(FIRST_SEED, FIRST_SEED + ROUNDS):
        dice = random.Random(f"archives in parts {seed}")
        options = ["--allow-empty", "--quiet", *dice.choice([[], ["--as-unsplit", "--sort", "none"], ["--query-ids", dice.choice(IDS)]])]
        children = [dice.choice(list(FORMS.values()))(random_archives(dice)) for _ in range(dice.choice([1, 2, 3, 5]))]
        if dice.random() < 0.2:
            children.insert(dice.randrange(len(children) + 1), b"")
        try:
            n_compared += compare(tmp_path / "steps", write_children(tmp_path, children), *options)
        except AssertionError as failure:
            raise AssertionError(f"seed {seed}, options {options}, children in {tmp_path}: {failure}") from None
    assert n_compared > ROUNDS / 3


@pytest.mark.parametrize("tool", ["zstd", "xz", "bzip2", "lz4"])
def test_children_of_other_compressions(tmp_path, tool):
    """They are compressed again, as in one merge; and one that has changed since it was counted is found."""
    texts = corpus.texts(3, 7, seed=5, hits=8)
    others = [subprocess.run([tool, "-q", "-c"], input=child, stdout=subprocess.PIPE, check=True).stdout for child in texts]
    children = write_children(tmp_path, [others[0], member(texts[1]), others[2]])
    steps = Steps(tmp_path / "steps", children)
    assert steps.all() == plain(children).out
    assert gzip.decompress(steps.result.read_bytes()) == oracle.merge(texts)
    children[2].write_bytes(others[0])
    done = steps.part(3)
    assert done.code == CHANGED and "part 3" in done.err, done.err
    children[2].write_bytes(others[2][:-1])
    done = steps.part(3)
    assert done.code == DATA and f"the {tool} data is cut short" in done.err, done.err
    assert steps.count(3).code == DATA


@pytest.mark.parametrize("as_unsplit", [False, True])
def test_all_formats(tmp_path, as_unsplit):
    for name, paths in in_all_formats(tmp_path, 4, 20, seed=7, hits=3):
        for ids in IDS:
            options = ["--as-unsplit"] if as_unsplit else ["--query-ids", ids]
            assert compare(tmp_path / f"{name} {ids}", paths, *options), name


@pytest.mark.parametrize("form", FORMS)
def test_every_form(tmp_path, form):
    children = write_children(tmp_path, [FORMS[form](child) for child in corpus.texts(3, 7, seed=2, hits=8)])
    assert compare(tmp_path / "steps", children)


def test_real_batches(tmp_path):
    assert compare(tmp_path / "plain", BATCHES)
    assert compare(tmp_path / "unsplit", BATCHES, "--as-unsplit")
    whole = gzip.decompress((ROOT / "tests" / "data" / "whole.xml.gz").read_bytes())
    assert gzip.decompress((tmp_path / "unsplit" / "result.gz").read_bytes()) == whole


@pytest.mark.parametrize("rows", [
    [b"", b"q1\ts1\t90.0\t10\t1\t0\t1\t10\t1\t10\t1e-5\t50\n", b""],
    [b"qseqid\tsseqid\tevalue\nq1\ts1\t1\n", b"", b"qseqid\tsseqid\tevalue\nq2\ts1\t1\n"],
    [b"q1\ts1\t90.0\t10\t1\t0\t1\t10\t1\t10\t1e-5\t50\r\n", b"q2\ts1\t90.0\t10\t1\t0\t1\t10\t1\t10\t1e-5\t50\nq3\ts1\t90.0\t10\t1\t0\t1\t10\t1\t10\t1e-5\t50"]],
    ids=["empty ones", "names", "line ends"])
def test_tables(tmp_path, rows):
    children = write_children(tmp_path, [member(child) for child in rows])
    for options in (["--format", "tabular"], ["--format", "tabular", "--header", "none"], ["--format", "tabular", "--as-unsplit"]):
        compare(tmp_path / "steps", children, "--allow-empty", *options)
    assert compare(tmp_path / "steps", children, "--allow-empty", "--format", "tabular")


def test_tables_without_a_row(tmp_path):
    children = write_children(tmp_path, [member(b""), member(b"")])
    for name in ("tabular", "csv", "commented"):
        assert compare(tmp_path / name, children, "--allow-empty", "--format", name)
    assert not compare(tmp_path / "xml", children, "--allow-empty")


# --- the files ------------------------------------------------------------------------------------


def small(folder, n=3):
    children = [member(text(f"query {number}")) for number in range(1, n + 1)]
    return Steps(folder / "steps", write_children(folder, children))


def test_each_step_gives_the_same_bytes_again(tmp_path):
    steps = small(tmp_path)
    steps.all()
    before = {path: path.read_bytes() for path in steps.folder.iterdir()}
    steps.all()  # a result that is there is left
    assert {path: path.read_bytes() for path in steps.folder.iterdir()} == before


def test_parts_are_gzip_and_come_in_any_order(tmp_path):
    steps = small(tmp_path, 12)
    expected = steps.all()
    shown = b"".join(gzip.decompress(steps.part_file(number).read_bytes()) for number in range(1, 13))
    assert gzip.decompress(expected).startswith(shown)
    steps.result.unlink()
    assert steps.join(parts=sorted(steps.folder.glob("part_*.gz"))).code == OK
    assert steps.result.read_bytes() == expected


def test_a_join_reads_the_ends_of_parts(tmp_path):
    """What lies between is copied by the system, or as it is: bytes that are no gzip pass through."""
    steps = Steps(tmp_path / "steps", write_children(tmp_path, [member(child) for child in corpus.texts(3, 12, seed=4, hits=20)]))
    expected = steps.all()
    good = steps.part_file(2).read_bytes()
    middle = good[5000:-5000]
    assert len(middle) > 1000 and expected.count(middle) == 1
    steps.part_file(2).write_bytes(good[:5000] + bytes(len(middle)) + good[-5000:])
    assert steps.join("--force").code == OK
    assert steps.result.read_bytes() == expected.replace(middle, bytes(len(middle)))
    if subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("strace is not there, or may not trace")
    log = tmp_path / "calls"
    done = run(*["-f", "-y", "-o", log, "-e", "trace=read,pread64,readv,preadv,copy_file_range,sendfile,mmap", PROGRAM, "join", "--force", "--plan",
                 steps.plan_file, "-o", steps.result, *map(steps.part_file, (1, 2, 3))], command=["strace"])
    assert done.code == OK, done.err
    calls = [line for line in log.read_text().splitlines() if "part_" in line]
    n_read = sum(int(line.rsplit("= ", 1)[1]) for line in calls if "copy_file_range" not in line)
    n_copied = sum(int(line.rsplit("= ", 1)[1]) for line in calls if "copy_file_range" in line and "= -1" not in line)
    n_parts = sum(steps.part_file(number).stat().st_size for number in (1, 2, 3))
    assert not [line for line in calls if "mmap" in line]
    if n_copied > 0:  # else the file system has no such copy, and the bytes are read and written
        assert n_read <= 3 * (96 + 131 + 4096)
        assert n_parts - 3 * (96 + 13 + 131 + 4096) <= n_copied <= n_parts
    else:
        assert n_read <= n_parts + 3 * (96 + 131 + 4096)


def test_a_plan_of_one_file_of_tallies(tmp_path):
    steps = small(tmp_path)
    expected = steps.all()
    lines = steps.folder / "all.tally"
    lines.write_bytes(b"".join(steps.tally(number).read_bytes() for number in (3, 1, 2)))
    assert steps.plan("--sort", "natural", tallies=[lines]).code == OK
    for number in (1, 2, 3):
        assert steps.part(number).code == OK
    assert steps.join("--force").code == OK
    assert steps.result.read_bytes() == expected


def test_a_child_in_another_place(tmp_path):
    steps = small(tmp_path)
    expected = steps.all()
    steps.result.unlink()
    for number in (1, 2, 3):
        other = tmp_path / f"staged {number}"
        shutil.move(steps.children[number - 1], other)
        assert steps.part(number).code == NOT_FOUND
        assert steps.part(number, other).code == OK
    assert steps.join().code == OK
    assert steps.result.read_bytes() == expected


def test_names_that_are_no_utf8(tmp_path):
    folder = os.fsencode(tmp_path) + b"/\xff\xfe"
    os.mkdir(folder)
    child = folder + b"/child\xe9.xml.gz"
    with open(child, "wb") as file:
        file.write(member(text("query 1")))
    steps = Steps(tmp_path / "steps", [os.fsdecode(child)])
    assert steps.all() == plain(steps.children).out


def test_outputs_of_another_kind_stay(tmp_path):
    steps = small(tmp_path)
    steps.all()
    for step, path in ((lambda: steps.count(1), steps.tally(1)), (steps.plan, steps.plan_file), (lambda: steps.part(1), steps.part_file(1)),
                       (steps.join, steps.result)):
        before = path.read_bytes()
        path.write_bytes(b"other work\n" * 20)
        done = step()
        if path is steps.plan_file:
            assert done.code == EXISTS, done.err
        else:
            assert done.code == EXISTS, done.err
            assert "--force" in done.err
        assert path.read_bytes() == b"other work\n" * 20
        path.write_bytes(before)


def test_an_output_is_no_input(tmp_path):
    steps = small(tmp_path)
    steps.all()
    before = steps.plan_file.read_bytes()
    assert run("part", "--force", "--plan", steps.plan_file, "--number", 1, "-o", steps.plan_file).code == USAGE
    assert run("join", "--force", "--plan", steps.plan_file, "-o", steps.plan_file, steps.part_file(1)).code == USAGE
    assert run("join", "--force", "--plan", steps.plan_file, "-o", steps.part_file(1), steps.part_file(1)).code == USAGE
    assert run("plan", "--force", "-o", steps.tally(1), steps.tally(1)).code == USAGE
    assert steps.plan_file.read_bytes() == before


# --- what is wrong ---------------------------------------------------------------------------------


def test_a_count_finds_a_damaged_child(tmp_path):
    steps = small(tmp_path)
    data = steps.children[1].read_bytes()
    steps.children[1].write_bytes(data[:-9])
    done = steps.count(2)
    assert done.code == DATA
    assert "child_0001.xml.gz" in done.err
    assert not steps.tally(2).exists()


def test_a_pipe_cannot_be_counted(tmp_path):
    assert run("count", "-", input=member(text("query 1"))).code == USAGE
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    assert run("count", fifo).code == USAGE


def test_a_plan_says_all_that_is_wrong(tmp_path):
    children = [text("query 1"), text("query 2", program="tblastn"), text("query 3"), text("query 4", program="blastx")]
    steps = Steps(tmp_path / "steps", write_children(tmp_path, [member(child) for child in children]))
    for number in range(1, 5):
        assert steps.count(number).code == OK
    done = steps.plan()
    assert done.code == MISMATCH
    assert "tblastn" in done.err and "blastx" in done.err
    assert not steps.plan_file.exists()
    assert steps.plan("--mismatch", "ignore").code == OK
    assert steps.plan("--expect-children", "5").code == MISMATCH


def test_options_of_tallies_are_the_plans(tmp_path):
    steps = small(tmp_path)
    steps.all()
    done = steps.plan("--as-unsplit")
    assert done.code == MISMATCH
    assert "as_unsplit" in done.err
    assert run("count", "--query-ids", "keep", "-o", steps.tally(2), steps.children[1]).code == OK
    done = steps.plan()
    assert done.code == MISMATCH
    assert "query_ids" in done.err


def test_faults_that_end_a_plan(tmp_path):
    """Those of one child are reported with its name; what is wrong with the plan's options ends it."""
    rows = b"q1\ts1\t90.0\t10\t1\t0\t1\t10\t1\t10\t1e-5\t50\n"
    steps = Steps(tmp_path / "steps", write_children(tmp_path, [member(text("query 1")), member(rows), member(rows)]))
    for number in (1, 2, 3):
        assert steps.count(number).code == OK
    done = steps.plan("--db", "x", tallies=[steps.tally(2), steps.tally(3)])
    assert done.code == USAGE
    assert "child_0001.xml.gz: --db is only for BLAST XML" in done.err
    done = steps.plan()
    assert done.code == MISMATCH
    assert done.err.count("all children must have one format") == 2
    assert "child_0001.xml.gz" in done.err and "child_0002.xml.gz" in done.err


def test_the_number_of_children_is_the_plans(tmp_path):
    steps = Steps(tmp_path / "steps", small(tmp_path).children, "--expect-children", 3)
    assert steps.all() == plain(steps.children).out
    done = steps.plan(tallies=[steps.tally(1), steps.tally(2)])
    assert done.code == MISMATCH and "2 children were given, but 3 were expected" in done.err, done.err


def test_what_is_said_at_the_end(tmp_path):
    steps = small(tmp_path)
    steps.all()
    steps.result.unlink()
    assert "3 parts; wrote" in steps.join("-v").err
    assert "was there already" in steps.join("-v").err
    assert "3 children, 3 Iterations" in steps.plan("-v").err


@pytest.mark.parametrize("command", ["count", "plan", "part", "join"])
@pytest.mark.parametrize("option", ["--plain", "--level=6", "--bgzf", "--order-by-queries"])
def test_options_that_are_refused(command, option):
    assert run(command, option, "x").code == USAGE


def test_children_given_twice(tmp_path):
    steps = small(tmp_path)
    for number in (1, 2, 3):
        assert steps.count(number).code == OK
    done = steps.plan(tallies=[steps.tally(1), steps.tally(1)])
    assert done.code == OK
    assert "given twice" in done.err


def damage(path, place, byte=None):
    data = bytearray(path.read_bytes())
    if byte is None:
        data[place] ^= 1
    else:
        data[place] = byte
    path.write_bytes(bytes(data))


def test_every_flipped_bit_of_a_tally_or_a_plan(tmp_path):
    """Each is refused, or comes to the same: blanks and the like do not count. No step may crash."""
    steps = small(tmp_path)
    expected = steps.all()
    dice = random.Random(1)
    for path in (steps.tally(2), steps.plan_file):
        good = path.read_bytes()
        for place in dice.sample(range(len(good)), 30):
            damage(path, place)
            done = steps.plan() if path == steps.tally(2) else steps.join("--force")
            assert done.code in ((OK, DATA, MISMATCH) if path == steps.tally(2) else (DATA, MISMATCH)), (place, done.err)
            path.write_bytes(good)
        assert steps.plan().code == OK
    assert steps.join("--force").code == OK
    assert steps.result.read_bytes() == expected


def test_a_plan_or_tally_that_is_cut_short_or_of_a_later_version(tmp_path):
    steps = small(tmp_path)
    steps.all()
    for path, step in ((steps.tally(1), steps.plan), (steps.plan_file, lambda: steps.part(3)), (steps.plan_file, steps.join)):
        good = path.read_bytes()
        for n in (0, 1, 10, len(good) // 2, len(good) - 1):
            path.write_bytes(good[:n])
            done = step()
            assert done.code == DATA, (path, n, done.err)
            assert path.name in done.err
        path.write_bytes(good)
    later = steps.tally(1).read_bytes().replace(b'"blastmerge_tally":1', b'"blastmerge_tally":2')
    steps.tally(1).write_bytes(later)
    done = steps.plan()
    assert done.code == DATA
    assert "format 2" in done.err


def test_hostile_tallies(tmp_path):
    steps = small(tmp_path)
    steps.all()
    good = json.loads(steps.tally(1).read_text())

    def refused(change):
        line = json.loads(json.dumps(good))
        change(line)
        steps.tally(1).write_text(json.dumps(line) + "\n")
        done = steps.plan()
        assert done.code in (DATA, MISMATCH), (line, done.code, done.err)

    refused(lambda line: line.update(more=1))
    refused(lambda line: line.pop("kin"))
    refused(lambda line: line["tally"].update(documents=-1))
    refused(lambda line: line["tally"].update(documents="1"))
    refused(lambda line: line["tally"].update(documents="18446744073709551616"))
    refused(lambda line: line["tally"].update(last_numbers="18446744073709551615") or line["tally"].update(iterations=18446744073709551615))
    refused(lambda line: line["tally"].update(line="closed"))
    refused(lambda line: line["child"].update(location=""))
    refused(lambda line: line["child"].update(location={"base64": "AA=="}))
    refused(lambda line: line["child"].update(location={"base64": "*"}))
    refused(lambda line: line["child"].update(crc32="0123"))
    refused(lambda line: line["header"]["fields"].extend([line["header"]["fields"][0]] * 100))
    refused(lambda line: line["header"]["fields"][0].update(name="x" * 1000))
    refused(lambda line: line["header"]["fields"][0].update(value={"base64": "QUJD" * 1000}))
    refused(lambda line: line["kin"].update(names="x" * 5000))
    refused(lambda line: line["kin"].update(form=77))
    refused(lambda line: line["options"].update(format="xml3"))
    refused(lambda line: line.update(codec=2))
    refused(lambda line: line.update(documents={}))
    for junk in (b"[" * 100000 + b"\n", b"\0" * 100 + b"\n", b'{"blastmerge_tally":1,"blastmerge_tally":1}\n', b"{}\n", b"\n\n"):
        steps.tally(1).write_bytes(junk)
        assert steps.plan().code == DATA, junk[:20]


def test_sums_that_are_too_large(tmp_path):
    steps = small(tmp_path)
    steps.all()
    for number in (1, 2):
        line = json.loads(steps.tally(number).read_text())
        line["tally"]["iterations"] = 2**63 - 1
        line["tally"]["generated_ids"] = str(2**64 - 1)
        steps.tally(number).write_text(json.dumps(line) + "\n")
    done = steps.plan()
    assert done.code == MISMATCH
    assert "too large" in done.err


def test_a_part_of_a_child_that_has_changed(tmp_path):
    steps = small(tmp_path)
    steps.all()
    steps.children[1].write_bytes(member(text("query 9")))
    done = steps.part(2)
    assert done.code == CHANGED
    assert "part 2" in done.err and "count it, and make the plan and all parts again" in done.err, done.err
    assert steps.join().code == OK  # the old part is there, whole


def test_numbers_of_parts(tmp_path):
    steps = small(tmp_path)
    steps.all()
    done = steps.part(4)
    assert done.code == USAGE
    assert "3 children" in done.err
    expected = steps.part_file(2).read_bytes()
    for variables in ({"SLURM_ARRAY_TASK_ID": "2"}, {"SGE_TASK_ID": "2"}, {"JOB_COMPLETION_INDEX": "1"}, {"AWS_BATCH_JOB_ARRAY_INDEX": "1"},
                      {"AZ_BATCH_TASK_ID": "part-0002"}, {"SGE_TASK_ID": "undefined", "SLURM_ARRAY_TASK_ID": "2"},
                      {"SLURM_ARRAY_TASK_ID": "2", "JOB_COMPLETION_INDEX": "1"}):
        done = run("part", "-v", "--plan", steps.plan_file, "-o", "-", env={**os.environ, **variables})
        assert done.code == OK, done.err
        assert done.out == expected
        assert any(name in done.err for name in variables)
    for variables in ({"SLURM_ARRAY_TASK_ID": "2", "SGE_TASK_ID": "3"}, {"SLURM_ARRAY_TASK_ID": "two"}, {"AZ_BATCH_TASK_ID": "part"}, {}):
        done = run("part", "--plan", steps.plan_file, "-o", "-", env={**os.environ, **variables})
        assert done.code == USAGE, variables
        assert "--number" in done.err
    for variables in ({"SLURM_ARRAY_TASK_ID": "0"}, {"SGE_TASK_ID": "0"}, {"AZ_BATCH_TASK_ID": "part-000"},
                      {"SLURM_ARRAY_TASK_ID": "0", "JOB_COMPLETION_INDEX": "0"}):
        done = run("part", "--plan", steps.plan_file, "-o", "-", env={**os.environ, **variables})
        name, value = next(iter(variables.items()))
        assert done.code == USAGE and f"{name} is {value}, and parts count from 1" in done.err, done.err
    assert run("part", "--plan", steps.plan_file, "--number", 3, "-o", "-", env={**os.environ, "SLURM_ARRAY_TASK_ID": "2"}).out == steps.part_file(3).read_bytes()


def test_a_missing_part(tmp_path):
    steps = small(tmp_path)
    steps.all()
    steps.result.unlink()
    done = steps.join(parts=[steps.part_file(1), steps.part_file(3)])
    assert done.code == NOT_FOUND
    assert "run part 2 again" in done.err
    steps.part_file(1).unlink()
    done = steps.join()
    assert done.code == NOT_FOUND
    assert "run part 1 again" in done.err
    assert not steps.result.exists()


def test_a_part_given_twice(tmp_path):
    steps = small(tmp_path)
    steps.all()
    steps.result.unlink()
    done = steps.join(parts=[steps.part_file(number) for number in (1, 2, 2)])
    assert done.code == MISMATCH
    assert "part_2.gz is, too: give each part once; 1 of 3 parts is missing: run part 3 again" in done.err, done.err
    shutil.copy(steps.part_file(3), steps.part_file(1))
    done = steps.join()
    assert done.code == MISMATCH
    assert "part_3.gz: is part 3, which" in done.err and "part_1.gz is, too: give each part once; 1 of 3 parts is missing: run part 1 again" in done.err, done.err
    assert steps.part(1).code == OK
    done = steps.join(parts=[steps.part_file(number) for number in (1, 2, 3, 2)])
    assert done.code == MISMATCH and "part_2.gz is, too: give each part once" in done.err, done.err
    assert not steps.result.exists()


def test_a_part_of_another_plan(tmp_path):
    steps = small(tmp_path)
    steps.all()
    steps.result.unlink()
    assert steps.plan("--db", "other").code == OK
    assert steps.part(1).code == OK
    done = steps.join()
    assert done.code == MISMATCH
    assert "part_2.gz: is a part of another plan: run part 2 again" in done.err


def test_a_part_that_is_damaged_or_cut_short(tmp_path):
    """At its ends. The fragment is not read: gzip -t is for that."""
    steps = small(tmp_path)
    steps.all()
    steps.result.unlink()
    good = steps.part_file(2).read_bytes()
    dice = random.Random(2)
    for n in [0, 1, 50, 95, 96, 97, len(good) - 150, len(good) - 1, *dice.sample(range(len(good)), 20)]:
        steps.part_file(2).write_bytes(good[:n])
        done = steps.join()
        assert done.code == DATA, n
        assert "part_2.gz" in done.err and "again" in done.err
    for place in [*range(0, 96, 2), *range(len(good) - 131, len(good), 3)]:
        damage(steps.part_file(2), place)
        assert steps.join().code in (DATA, MISMATCH), place
        steps.part_file(2).write_bytes(good)
    steps.part_file(2).write_bytes(good + b"\0")
    assert steps.join().code == DATA
    steps.part_file(2).write_bytes(steps.children[1].read_bytes())
    done = steps.join()
    assert done.code == DATA
    assert "part" in done.err
    assert not steps.result.exists()


def test_a_result_that_is_there(tmp_path):
    steps = small(tmp_path)
    expected = steps.all()
    inode = steps.result.stat().st_ino
    assert steps.join().code == OK
    assert steps.result.stat().st_ino == inode
    steps.result.write_bytes(expected[:-1] + b"x")
    assert steps.join().code == EXISTS
    assert steps.join("--force").code == OK
    assert steps.result.read_bytes() == expected
    done = run("join", "--plan", steps.plan_file, *(steps.part_file(number) for number in (1, 2, 3)))
    assert (done.code, done.out) == (OK, expected)


def test_tallies_of_one_name_stay_in_the_given_order(tmp_path):
    """Engines that stage files elsewhere give all of them one name."""
    texts = corpus.texts(9, 9, seed=8, hits=1)
    lines = []
    for number, text in enumerate(texts):
        (tmp_path / "child.gz").write_bytes(member(text))
        done = run("count", "-q", "-o", "-", "child.gz", cwd=tmp_path)
        assert done.code == OK, done.err
        lines.append(done.out)
        (tmp_path / f"{number}.tally").write_bytes(lines[-1])
    order = list(range(len(texts)))
    random.Random(8).shuffle(order)
    done = run("plan", "-q", "--sort", "none", *(tmp_path / f"{number}.tally" for number in order))
    assert done.code == OK, done.err
    sizes = [json.loads(line)["child"]["crc32"] for line in done.out.splitlines()[2 + len(texts):]]
    assert sizes == [json.loads(lines[number])["child"]["crc32"] for number in order]


def test_files_that_are_too_long(tmp_path):
    """They are refused by their length, and not read."""
    with open(tmp_path / "long", "wb") as file:
        file.truncate((4 << 30) + 1)
    for arguments in (["plan", tmp_path / "long"], ["part", "--plan", tmp_path / "long", "--number", 1], ["join", "--plan", tmp_path / "long", tmp_path / "part"]):
        done = run(*arguments, "-o", tmp_path / "output")
        assert done.code == DATA and "longer than the 4294967296 bytes" in done.err, done.err


def test_messages_name_what_is_read(tmp_path):
    steps = small(tmp_path)
    steps.all()
    done = steps.join("--force", parts=[steps.part_file(1), steps.result])
    assert done.code == USAGE and "is the same place as a part" in done.err, done.err
    done = steps.plan(tallies=[steps.tally(1), steps.plan_file])
    assert done.code == USAGE and "is the same place as a tally" in done.err, done.err


def test_help_of_count_lists_what_counts():
    listed = run("help", "count").out.decode()
    assert "--as-unsplit" in listed
    assert not [name for name in ("--db", "--keep-db", "--mismatch", "--sort", "--expect-children") if name in listed]


# --- salvage ---------------------------------------------------------------------------------------


def spoil(dice, data):
    """A child as a killed job, a full disk or a broken copy leaves it; or whole."""
    kind = dice.choice(["whole", "cut", "text cut", "begun again", "appended", "a hole in the text"])
    whole = gzip.decompress(data)
    at = dice.randrange(len(whole) // 3, len(whole) - 20)
    return {"whole": data, "cut": data[:dice.randrange(len(data) // 2, len(data))], "text cut": member(whole[:at]),
            "begun again": member(whole[:at] + whole), "appended": member(whole + whole[at:]),
            "a hole in the text": member(whole[:at] + whole[at + 15:])}[kind]


def salvage_in_parts(folder, children):
    """Exit codes of count, plan and join, and the result: of those children of which anything can be counted."""
    steps = Steps(folder, children, "--salvage")
    codes = {number: steps.count(number).code for number in range(1, len(children) + 1)}
    assert set(codes.values()) <= {OK, SALVAGED, DATA}
    steps.children = [child for number, child in enumerate(children, 1) if codes[number] != DATA]
    tallies = [steps.tally(number) for number in codes if codes[number] != DATA]
    planned = steps.plan("--mismatch", "ignore", tallies=tallies)
    lost = SALVAGED if SALVAGED in codes.values() else OK
    assert planned.code == lost, planned.err
    for number in range(1, len(tallies) + 1):
        done = steps.part(number)
        assert done.code == OK, done.err
    for _ in range(2):  # the second time the result is there
        joined = steps.join(parts=[steps.part_file(number) for number in range(1, len(tallies) + 1)])
        assert joined.code == lost, joined.err
        if lost == SALVAGED:
            assert joined.err.splitlines()[-1] == planned.err.splitlines()[-1]
    return codes, steps.result.read_bytes()


def test_salvaged_children(tmp_path):
    """The bytes are those of one merge with --salvage, and the steps that can know it end with 11."""
    seen = set()
    for seed in range(FIRST_SEED, FIRST_SEED + ROUNDS):
        dice = random.Random(seed)
        folder = tmp_path / str(seed)
        folder.mkdir()
        texts = corpus.texts(4, 16, seed=seed, hits=2)
        children = write_children(folder, [member(texts[0]), *(spoil(dice, member(text)) for text in texts[1:])])
        codes, joined = salvage_in_parts(folder / "steps", children)
        done = plain(children, "--salvage", "--mismatch", "ignore")
        assert done.code == (OK if set(codes.values()) == {OK} else SALVAGED), done.err
        assert joined == done.out, seed
        seen |= set(codes.values())
        shutil.rmtree(folder)
    assert seen >= {OK, SALVAGED}


def test_a_child_whose_header_is_lost(tmp_path):
    """In one merge it gets another child's header. On its own there is none."""
    texts = corpus.texts(2, 6, seed=3, hits=2)
    at = texts[1].index(b"<BlastOutput_db>")
    steps = Steps(tmp_path / "steps", write_children(tmp_path, [member(texts[0]), member(texts[1][:at] + texts[1][at + 5:])]), "--salvage")
    assert plain(steps.children, "--salvage").code == SALVAGED
    done = steps.count(2)
    assert done.code == DATA and "its first header is damaged" in done.err, done.err
    assert not steps.tally(2).exists()


def test_salvage_is_decided_when_children_are_counted(tmp_path):
    steps = Steps(tmp_path / "steps", write_children(tmp_path, [member(text("query 1")), member(text("query 2"))]))
    assert [steps.count(number).code for number in (1, 2)] == [OK, OK]
    done = steps.plan("--salvage")
    assert done.code == MISMATCH and "'salvage'" in done.err, done.err
    for options in (["part", "--number", 1], ["join", steps.part_file(1)]):
        assert run(*options, "--salvage", "--plan", steps.plan_file, "-o", tmp_path / "out").code == USAGE
