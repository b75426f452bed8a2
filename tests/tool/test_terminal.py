# SPDX-License-Identifier: MIT
"""What golden command lines cannot see: signals, terminals, pipes that break. $BLASTMERGE is the program."""
import fcntl
import gzip
import os
import pty
import re
import resource
import select
import signal
import struct
import subprocess
import termios
import threading
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = str(Path(os.environ.get("BLASTMERGE", ROOT / "build" / "blastmerge")).resolve())
CHILDREN = [str(ROOT / "tests" / "data" / f"batch_{i}.xml.gz") for i in (1, 2, 3)]
PATIENCE = 60  # seconds after which something that should happen is held not to


def until(condition):
    """Waits for a condition that is to come true."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


def start(*arguments, ignore=(), **options):
    """The program, with the signals in ignore ignored from the start, as nohup does it."""

    def prepare():
        for number in ignore:
            signal.signal(number, signal.SIG_IGN)

    options.setdefault("stdin", subprocess.PIPE)
    options.setdefault("stdout", subprocess.PIPE)
    options.setdefault("stderr", subprocess.PIPE)
    return subprocess.Popen([PROGRAM, *map(str, arguments)], preexec_fn=prepare, **options)


def first_half():
    data = Path(CHILDREN[0]).read_bytes()
    return data[: len(data) // 2], data[len(data) // 2:]


# --- signals ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("threads", [1, 2])
def test_signal_while_reading(tmp_path, number, threads):
    """Ended by the signal itself, and nothing is left: neither the result nor its temporary file."""
    job = start("-t", threads, "-o", tmp_path / "out.gz", "--report", tmp_path / "report.json", "-")
    job.stdin.write(first_half()[0])
    job.stdin.flush()
    until(lambda: len(os.listdir(tmp_path)) == 2)
    job.send_signal(number)
    assert job.wait(PATIENCE) == -number
    assert job.stderr.read() == b""
    assert os.listdir(tmp_path) == []


def test_signal_while_writing(tmp_path):
    """Nobody reads the pipe that it writes to."""
    big = tmp_path / "big.xml"
    text = gzip.open(CHILDREN[0]).read()
    big.write_bytes(text * (1 + (1 << 20) // len(text)))
    job = start("--plain", big)
    assert select.select([job.stdout], [], [], PATIENCE)[0]
    job.send_signal(signal.SIGTERM)
    assert job.wait(PATIENCE) == -signal.SIGTERM


def test_signal_while_waiting_for_a_fifo(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    job = start(tmp_path / "fifo", "-o", tmp_path / "out.gz")
    until(lambda: any("out.gz" in name for name in os.listdir(tmp_path)))
    job.send_signal(signal.SIGINT)
    assert job.wait(PATIENCE) == -signal.SIGINT
    assert os.listdir(tmp_path) == ["fifo"]


def test_signal_while_reading_names():
    job = start("--files-from", "-", "-o", "/dev/null")
    job.stdin.write(b"a\n")
    job.stdin.flush()
    job.send_signal(signal.SIGTERM)
    assert job.wait(PATIENCE) == -signal.SIGTERM


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_ignored_signals_stay_ignored(tmp_path, number):
    """nohup, and a shell's background jobs."""
    first, second = first_half()
    job = start("-o", tmp_path / "out.gz", "-", ignore=[number])
    job.stdin.write(first)
    job.stdin.flush()
    until(lambda: os.listdir(tmp_path))
    job.send_signal(number)
    _, errors = job.communicate(second, PATIENCE)
    assert (job.returncode, errors) == (0, b"")
    assert os.listdir(tmp_path) == ["out.gz"]


def test_check_ends_by_the_signal():
    job = start("check", "-")
    job.stdin.write(first_half()[0])
    job.stdin.flush()
    time.sleep(0.2)  # into the job or before it: the end is the same
    job.send_signal(signal.SIGTERM)
    assert job.wait(PATIENCE) == -signal.SIGTERM
    assert job.stdout.read() == b""


# --- pipes and limits -------------------------------------------------------------------------------


def broken_pipe():
    reading, writing = os.pipe()
    os.close(reading)
    return writing


@pytest.mark.parametrize("arguments", [["--plain"], [], ["check"]])
def test_nobody_reads(arguments):
    job = start(*arguments, *CHILDREN, stdout=broken_pipe())
    _, errors = job.communicate(b"", PATIENCE)
    assert (job.returncode, errors) == (-signal.SIGPIPE, b"")


@pytest.mark.parametrize("arguments", [["--plain"], ["check"]])
def test_nobody_reads_and_sigpipe_is_ignored(arguments):
    job = start(*arguments, *CHILDREN, stdout=broken_pipe(), ignore=[signal.SIGPIPE], restore_signals=False)
    _, errors = job.communicate(b"", PATIENCE)
    assert job.returncode == 1
    assert errors == b"blastmerge: cannot write standard output: Broken pipe\n"


def test_file_size_limit(tmp_path):
    """SIGXFSZ would leave the temporary file behind."""

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    job = subprocess.run([PROGRAM, "-o", tmp_path / "out.gz", *CHILDREN], preexec_fn=limit, check=False,
                         stderr=subprocess.PIPE)
    assert job.returncode == 9
    assert b"File too large" in job.stderr
    assert os.listdir(tmp_path) == []


# --- terminals --------------------------------------------------------------------------------------


class Terminal:
    """A terminal of some width, and all that is written to it."""

    def __init__(self, columns=80):
        self.master, self.slave = pty.openpty()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        self.written = b""
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self):
        try:
            while data := os.read(self.master, 4096):
                self.written += data
        except OSError:  # the other end is closed
            pass

    def end(self):
        os.close(self.slave)
        self.reader.join()
        os.close(self.master)
        return self.written.decode()


def on_terminal(*arguments, columns=80, stdin=b"", stream="stderr"):
    terminal = Terminal(columns)
    job = start(*arguments, **{stream: terminal.slave})
    _, errors = job.communicate(stdin, PATIENCE)
    return job.returncode, terminal.end(), errors


def test_compressed_bytes_stay_off_the_terminal():
    code, shown, errors = on_terminal(CHILDREN[0], stream="stdout")
    assert (code, shown) == (2, "")
    assert b"terminal" in errors and b"-o" in errors


def test_text_may_go_to_the_terminal():
    code, shown, _ = on_terminal("--plain", CHILDREN[0], stream="stdout")
    assert code == 0
    assert shown.replace("\r\n", "\n").encode().endswith(b"</BlastOutput>\n\n")


def screen(shown, columns):
    """What a terminal shows after each carriage return, and that no line ever was too wide for it."""
    lines = shown.split("\r")
    assert all(len(line) < columns for line in lines), shown
    return [line.strip() for line in lines if line.strip()]


@pytest.mark.parametrize("columns", [30, 50, 80, 500])
def test_bar_fits_and_goes(columns):
    code, shown, _ = on_terminal("--progress", "-o", "/dev/null", *CHILDREN, columns=columns)
    assert code == 0
    lines = screen(shown, columns)
    assert lines
    for line in lines:
        assert re.fullmatch(r"((merge|write) \[#* *\] +)?\d+%  [\d.]+ (bytes|[KMG]iB)/s  [\d:]+( left)?", line) or columns < 40
    # The last thing is blanks over the last line, and the cursor at its beginning.
    assert re.search(r"(^|\r)[^\r]*\r +\r$", shown)
    assert len(shown.split("\r")[-2]) == len(shown.split("\r")[-3])


def test_bar_comes_with_long_work(tmp_path):
    """From a pipe the total is not known: bytes, rate and Iterations."""
    first, second = first_half()
    terminal = Terminal()
    job = start("-o", tmp_path / "out.gz", *CHILDREN[1:], "-", stderr=terminal.slave)
    job.stdin.write(first)
    job.stdin.flush()
    time.sleep(1.2)
    _, _ = job.communicate(second, PATIENCE)
    assert job.returncode == 0
    lines = screen(terminal.end(), 80)
    assert lines and all(re.fullmatch(r"(merge|write): [\d.]+ (bytes|KiB) read, [\d.]+ (bytes|KiB)/s, \d+ Iterations", line)
                         for line in lines)


@pytest.mark.parametrize("option", ["--quiet", "--no-progress"])
def test_no_bar(tmp_path, option):
    first, second = first_half()
    terminal = Terminal()
    job = start(option, "-o", tmp_path / "out.gz", "-", CHILDREN[1], stderr=terminal.slave)
    job.stdin.write(first)
    job.stdin.flush()
    time.sleep(1.2)
    job.communicate(second, PATIENCE)
    assert job.returncode == 0
    assert terminal.end() == ""


def test_messages_are_not_mixed_with_the_bar(tmp_path):
    """The bar is wiped away before a warning or an error, so that these begin a line."""
    other = tmp_path / "other.xml"
    other.write_bytes(gzip.open(CHILDREN[1]).read().replace(b"<BlastOutput_db>", b"<BlastOutput_db>other "))
    cut = tmp_path / "cut.xml"
    cut.write_bytes(gzip.open(CHILDREN[2]).read()[:-100])
    for expected, last, words in ((0, [], "warning: "), (3, [cut], "cut.xml: ")):
        code, shown, _ = on_terminal("--progress", "-t", 1, "-f", "-o", tmp_path / "out.gz", CHILDREN[0], other, *last)
        assert code == expected
        messages = [line.split("\r")[-1] for line in shown.split("\r\n")[:-1]]
        assert len(messages) == 1 and messages[0].startswith("blastmerge: ") and words in messages[0]
