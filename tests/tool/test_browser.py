# SPDX-License-Identifier: MIT
"""The page of --html in a real browser (Debian's chromium): it renders without an error, its script works, hostile names stay texts,
it fits 400 to 2000 pixels, light and dark, and axe-core finds no serious fault.

axe-core comes from npm: servers/axe-core installs it."""
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "e2e")]
import documents  # noqa: E402  pylint: disable=wrong-import-position
import page  # noqa: E402  pylint: disable=wrong-import-position
import program  # noqa: E402  pylint: disable=wrong-import-position

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")


def need(is_there, what):
    if is_there:
        return
    if os.environ.get("CI"):
        pytest.fail(f"{what} is missing")
    pytest.skip(f"{what} is missing: NOTHING IS PROVED WITH IT")


def browse(folder, file, *more):
    """What the browser has made of the page, and what it said."""
    need(BROWSER, "chromium (apt install chromium)")
    done = subprocess.run([BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", f"--user-data-dir={folder}/profile",
                           "--enable-logging=stderr", "--virtual-time-budget=8000", *more, "--dump-dom", f"file://{file}"],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=180, check=True)
    return done.stdout.decode(), re.findall(r'CONSOLE[^"]*"(.*?)", source', done.stderr.decode(errors="replace"))


def make(folder, name, children, *options):
    paths = []
    for child, data in children:
        path = folder / child
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        paths.append(path)
    (folder / "list").write_bytes(b"".join(os.fsencode(path) + b"\0" for path in paths))
    done = program.run("check", "--html", folder / name, "-f", "--sort", "none", "--null", "--files-from", folder / "list", *options)
    assert done.code in (0, program.DATA), done.err
    return folder / name


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Three runs: all well, with faults, with hostile names; and one of 5000 children."""
    folder = tmp_path_factory.mktemp("pages")
    made = documents.queries(documents.dice(1), 60, nameless=0)
    parts = [documents.document("xml", made[at:at + 5]) for at in range(0, 60, 5)]
    table = documents.document("tabular", documents.queries(documents.dice(2), 2, nameless=0, hitless=0))
    faulty = [part[:-200] if i in (3, 8) else part for i, part in enumerate(parts)]
    hostile = [parts[i % 12].replace(b"BLASTP 2.12.0+", name.encode().replace(b"&", b"&amp;").replace(b"<", b"&lt;").replace(b">", b"&gt;").replace(b"\x1b", b""))
               for i, name in enumerate(page.HOSTILE)]
    return {
        "well": make(folder, "well.html", [(f"a/batch_{i}.xml", part) for i, part in enumerate(parts)]),
        "faults": make(folder, "faults.html", [(f"b/batch_{i}.xml", part) for i, part in enumerate(faulty)]),
        "hostile": make(folder, "hostile.html", [(f"c/{i} {name}", text) for i, (name, text) in enumerate(zip(page.HOSTILE, hostile))]),
        "many": make(folder, "many.html", [(f"d/batch_{i}.tsv", table) for i in range(5000)], "--format", "tabular"),
    }


@pytest.mark.parametrize("name", ["well", "faults", "hostile", "many"])
def test_it_renders(pages, tmp_path, name):
    dom, said = browse(tmp_path, pages[name])
    assert said == [], said  # no error, and nothing that the page's rules have refused
    assert "<title>blastmerge check</title>" in dom and dom.count('<button type="button">') == 10  # the script has run, and no other
    bare = re.sub(r'(title|aria-label)="[^"]*"', "", dom)
    assert not re.search(r"<(img|svg|iframe|base|plaintext|math)|<[a-z][^>]*\son[a-z]+=|<script(?!>const t=)", bare)


@pytest.mark.parametrize("width", [400, 1000, 2000])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits(pages, tmp_path, width, scheme):
    """Nothing is wider than the page; the table scrolls in its own frame. A copy without the page's rules measures that. (The browser
    has no windows below 500 pixels: the page is made narrow there.)"""
    text = pages["faults"].read_text().replace("http-equiv", "data-x")
    text = text.replace("</body>", f"<script>addEventListener('load',()=>{{if({width}<500)document.body.style.width='{width}px';"
                                   "const all=[...document.querySelectorAll('main>*')];document.title=JSON.stringify(["
                                   "Math.max(...all.map(e=>e.getBoundingClientRect().left-document.body.getBoundingClientRect().left+e.scrollWidth*!e.matches('.scroll'))),"
                                   "getComputedStyle(document.body).color,all.length])})</script></body>")
    (tmp_path / "copy.html").write_text(text)
    dark = ["--force-dark-mode", "--blink-settings=preferredColorScheme=0"] if scheme == "dark" else ["--blink-settings=preferredColorScheme=1"]
    dom, _ = browse(tmp_path, tmp_path / "copy.html", f"--window-size={width},900", *dark)
    right, color, n_elements = json.loads(re.search("<title>(.*?)</title>", dom)[1])
    assert right <= width and n_elements > 8, right
    assert (color == "rgb(0, 0, 0)") == (scheme == "light"), color


@pytest.mark.parametrize("name", ["well", "faults", "many"])
def test_accessibility(pages, tmp_path, name):
    installed = subprocess.run([ROOT / "tests" / "servers" / "axe-core"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=False)
    need(installed.returncode == 0, "axe-core, which comes from npm,")
    axe = Path(installed.stdout.strip()).read_text()
    text = pages[name].read_text().replace("http-equiv", "data-x")
    rows = re.findall("<tr><td>.*?</tr>\n", text, re.S)
    text = text.replace("".join(rows[200:]), "")  # of the same kind
    text = text.replace("</body>", f"<script>{axe}</script><script>axe.run().then(r=>{{document.title=JSON.stringify(r.violations.map("
                                   "v=>[v.id,v.impact,v.nodes.length]))})</script></body>")
    (tmp_path / "copy.html").write_text(text)
    dom, _ = browse(tmp_path, tmp_path / "copy.html", "--virtual-time-budget=60000")
    found = json.loads(re.search("<title>(.*?)</title>", dom)[1])
    assert [fault for fault in found if fault[1] in ("serious", "critical")] == [], found
