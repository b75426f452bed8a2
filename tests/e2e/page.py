# SPDX-License-Identifier: MIT
"""Reads the page that --html writes: what is on it, and that it is nothing but what the program itself has put there."""
import base64
import hashlib
import re
from html.parser import HTMLParser

VOID = {"meta", "br"}
# The whole of the markup. A name from outside that got into it would show as another tag or attribute.
TAGS = {"html", "head", "meta", "title", "style", "body", "main", "h1", "h2", "p", "dl", "div", "dt", "dd", "ul", "li", "i", "table", "caption",
        "thead", "tbody", "tr", "th", "td", "span", "br", "script"}
ATTRIBUTES = {"lang", "charset", "name", "content", "http-equiv", "class", "style", "title", "role", "aria-label", "tabindex", "scope", "data-fact",
              "data-v", "data-histogram"}
# What shows itself if it becomes markup: the title of the page changes.
HOSTILE = ["<script>document.title='PWNED'</script>", "<img src=x onerror=document.title='PWNED'>", "\"><svg onload=document.title='PWNED'>",
           "' onmouseover='document.title=\"PWNED\"", "</title><script>document.title='PWNED'</script>", "</style><script>document.title='PWNED'</script>",
           "<!--", "-->", "<![CDATA[", "]]>", "&lt;script&gt;document.title='PWNED'&lt;/script&gt;", "javascript:document.title='PWNED'",
           "<iframe srcdoc='<script>parent.document.title=1</script>'>", "<a href=javascript:alert(1)>x</a>", "{{7*7}}", "${7*7}", "`\"'<>&",
           "<math><mtext></p><style><img src=x onerror=document.title='PWNED'>", "<plaintext>", "<base href=//evil>", "\u202egnp.exe", "\u2028x",
           "<meta http-equiv=refresh content=0;url=//evil>", "\x1b[31mred", "<td onclick=1>", "&#x3c;b&#x3e;", "%3Cscript%3E", "<\u0000b>".replace("\u0000", "")]


class Page(HTMLParser):
    """The page, taken apart strictly."""

    def __init__(self, data):
        super().__init__(convert_charrefs=True)
        self.text, self.open, self.facts, self.rows, self.histograms, self.warnings = data.decode(), [], {}, [], {}, []
        self.fact = self.histogram = None
        self.in_warnings = self.in_missing = False
        self.missing = []
        self.in_header, self.header = False, []
        self.scripts, self.strip, self.csp, self.title = [], [], "", ""
        self.feed(self.text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        names = dict(attributes)
        assert tag in TAGS and set(names) <= ATTRIBUTES, (tag, attributes)
        if names.get("http-equiv"):
            assert names["http-equiv"] == "Content-Security-Policy"
            self.csp = names["content"]
        if tag == "i" and "title" in names:
            self.strip.append((names["class"], names["title"]))
        self.fact = names.get("data-fact", self.fact if tag != "dd" else None)
        if "data-fact" in names:
            self.facts[self.fact] = ""
        self.histogram = names.get("data-histogram", self.histogram)
        if "data-histogram" in names:
            self.histograms[self.histogram] = []
        if tag == "tr" and "tbody" in self.open:
            self.cells().append([])
        if tag == "td":
            self.cells()[-1].append("")
        if tag == "ul":
            self.in_warnings = names.get("class") == "warnings"
            self.in_header = names.get("class") == "header"
            self.in_missing = names.get("class") == "missing"
        if tag == "li" and self.in_missing:
            self.missing.append("")
        if tag == "li" and self.in_warnings:
            self.warnings.append("")
        if tag == "li" and self.in_header:
            self.header.append("")
        if tag not in VOID:
            self.open.append(tag)

    def cells(self):
        return self.histograms[self.histogram] if self.histogram else self.rows

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, tag
        if tag == "table":
            self.histogram = None
        if tag == "dd":
            self.fact = None

    def handle_data(self, data):
        if not self.open:
            return
        tag = self.open[-1]
        if tag == "script":
            self.scripts.append(data)
        elif tag == "title":
            self.title += data
        elif tag == "dd" and self.fact:
            self.facts[self.fact] += data
        elif tag == "td":
            self.cells()[-1][-1] += data
        elif tag == "li" and self.in_warnings:
            self.warnings[-1] += data
        elif tag == "li" and self.in_missing:
            self.missing[-1] += data
        elif tag == "li" and self.in_header:
            self.header[-1] += data

    def handle_comment(self, data):
        raise AssertionError(f"a comment: {data}")

    def unknown_decl(self, data):
        raise AssertionError(f"a declaration: {data}")

    def handle_pi(self, data):
        raise AssertionError(f"an instruction: {data}")


def read(data):
    """The page, whose one script is the one that its rules allow."""
    page = Page(data)
    assert len(data) < 2000000 and len(page.scripts) == 1
    digest = base64.b64encode(hashlib.sha256(page.scripts[0].encode()).digest()).decode()
    assert page.csp == f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    assert not re.search(r"https?:|//|url\(|@import", re.sub(r"<td.*?</td>|<li>.*?</li>|title=\"[^\"]*\"|<dd.*?</dd>|<p class=\"verdict.*?</p>", "", page.text))
    return page
