# SPDX-License-Identifier: MIT
"""Random BLAST XML documents: well-formed, but of every form that a document may have."""
from dataclasses import dataclass

BLASTS_OWN_DOCTYPE = '<!DOCTYPE BlastOutput PUBLIC "-//NCBI//NCBI BlastOutput/EN" "NCBI_BlastOutput.dtd">'
ENCODINGS = {"iso-8859-1": "latin-1", "ISO-8859-15": "iso-8859-15", "windows-1252": "cp1252", "US-ASCII": "ascii"}
TEXTS = ["a defline", "&amp;&lt;&gt;&quot;&apos;", "&#228;", "&#x1F9EC;", "[Homo sapiens]", "]] >", "CREATE_VIEW", "",
         "100% > 50%", "-->", "<!--a <b> & c-->", "<![CDATA[<Iteration>&&]] >]]>", "<?pi a > b?>", "'\"", "\r\n", "\r"]
WIDE_TEXTS = ["é", "µ-opioid", "ß", "€", "naïve"]
UNICODE_TEXTS = ["日本語", "🧬", "\u0085", "\ufffd", "\u07ff\u0800\uffef\U00010000\U0010fffd"]
INVALID = [b"\xe9", b"\xc3", b"\xe2\x82", b"\xf0\x9f\xa7", b"\xed\xa0\x80", b"\xc0\xaf", b"\xff", b"\x80\xbf", b"\xf5",
           b"\xf4\x90\x80\x80"]
FORBIDDEN = [b"\1", b"\x1f", b"a\x0bb", b"&#1;", b"&#x0;", b"&#x1F;x", b"&#xDfff;", b"&#65535;", b"&#1114112;", b"&#%0*d;" % (61, 1)]


@dataclass
class Shape:
    """The form of one document."""
    newline: str
    indent: str
    encoding: str  # of its bytes
    texts: list


class Wild:
    """Makes documents. dice: a random.Random."""

    def __init__(self, dice, with_invalid=False, database=None, with_forbidden=False):
        self.dice = dice
        self.with_forbidden = with_forbidden
        self.with_invalid = with_invalid
        self.database = database  # the same in all documents; None: any
        self.query = 0  # the last one that BLAST gave a name to

    def maybe(self, chance=0.5):
        return self.dice.random() < chance

    def child(self):
        """One child's text: mostly one document."""
        documents = [self.document()]
        while self.maybe(0.1):
            documents.append(self.document(is_later=True))
        return b"".join(documents)

    def document(self, is_later=False):
        dice = self.dice
        declaration, encoding = self.declaration()
        shape = Shape(dice.choice(["\n", "\n", "\r\n", ""]), dice.choice(["", "  ", "\t", "     "]), encoding,
                      list(TEXTS))
        if encoding != "ascii":
            shape.texts += WIDE_TEXTS if encoding in ("utf-8", "cp1252", "iso-8859-15") else ["é", "ß"]
        if encoding == "utf-8":
            shape.texts += UNICODE_TEXTS
        self.shape = shape
        self.query = 0
        parts = [declaration]
        if declaration and self.maybe(0.9):
            parts.append(dice.choice(["\n", "\r\n", " "]))
        elif not declaration and not is_later and self.maybe(0.1):
            parts.append("\n ")
        if self.maybe(0.8):
            parts += [BLASTS_OWN_DOCTYPE, self.shape.newline]
        if self.maybe(0.1):
            parts.append(self.junk())
        parts += [self.tag("BlastOutput"), self.shape.newline, self.header(), self.iterations(), self.trailer(),
                  "</BlastOutput>", dice.choice(["\n\n", "\n", "", "\r\n", "<!--the end-->\n"])]
        data = "".join(parts).encode(encoding)
        while b"@forbidden@" in data:
            data = data.replace(b"@forbidden@", dice.choice(FORBIDDEN + [b"\xef\xbf\xbe"] * (encoding == "utf-8")), 1)
        if encoding == "utf-8":
            for place in range(20 if self.with_invalid else 0):
                data = data.replace(b"@%d@" % place, dice.choice(INVALID), 1)
            if not is_later and self.maybe(0.05) or declaration and self.maybe(0.05):
                data = b"\xef\xbb\xbf" + data
        return data

    def declaration(self):
        if self.maybe(0.1):
            return "", "utf-8"
        if self.maybe(0.1):
            name = self.dice.choice(list(ENCODINGS))
            return f'<?xml version="1.0" encoding="{name}"?>', ENCODINGS[name]
        return self.dice.choice(['<?xml version="1.0"?>', "<?xml version='1.0' encoding='utf-8' ?>",
                                 '<?xml  version = "1.0" encoding="UTF-8" standalone="no"?>']), "utf-8"

    def tag(self, name):
        """A start tag, seldom with blanks and attributes."""
        extra = ""
        if self.maybe(0.05):
            extra = self.dice.choice([" ", "\n", " a='1'", ' b=">"\tc="&amp;"', ' xml:lang="en" '])
        return f"<{name}{extra}>"

    def end_tag(self, name):
        return f"</{name}{' ' if self.maybe(0.03) else ''}>"

    def junk(self):
        return "".join(self.dice.choice(["<!-- a - b -->", "<?p?>", " ", "\n", "<!---->"])
                       for _ in range(self.dice.randrange(4)))

    def space(self, depth):
        if self.maybe(0.02):
            return self.dice.choice(["", "\n\n", "\t", "\n" + " " * 70, " " * 5000, "\r"])
        return self.shape.newline + self.shape.indent * depth if self.shape.newline else ""

    def content(self):
        text = "".join(self.dice.choice(self.shape.texts) for _ in range(self.dice.choice([0, 1, 1, 1, 2, 5])))
        if self.with_invalid and self.shape.encoding == "utf-8" and self.maybe(0.1):
            text += f"@{self.dice.randrange(20)}@"
        if self.with_forbidden and self.maybe(0.1):
            text += "@forbidden@"
        if self.maybe(0.01):
            text += "ACDEFGHIKL" * self.dice.randrange(3000)
        return text

    def leaf(self, name, text=None):
        if text is None and self.maybe(0.05):
            return f"<{name}/>"
        return self.tag(name) + (self.content() if text is None else text) + self.end_tag(name)

    def header(self):
        parts = [self.space(1) + self.leaf("BlastOutput_program", "blastp")]
        parts += [self.space(1) + self.leaf("BlastOutput_" + name, self.database if name == "db" else None) for name in ("version", "reference", "db", "query-ID")
                  if (name == "db" and self.database) or self.maybe(0.9)]
        parts.append(self.space(1) + "<BlastOutput_param><Parameters>" + self.leaf("Parameters_expect")
                     + "</Parameters></BlastOutput_param>")
        if self.maybe(0.1):
            parts.append(self.junk())
        return "".join(parts) + self.shape.newline

    def trailer(self):
        parts = [self.shape.newline]
        if self.maybe(0.1):
            parts += ["  ", self.leaf("BlastOutput_mbstat", "12"), self.shape.newline]
        if self.maybe(0.05):
            parts += [self.junk(), self.shape.newline]
        if self.maybe(0.02):
            parts.append("<!--" + "x" * self.dice.choice([4000, 5000]) + "-->")
        return "".join(parts)

    def iterations(self):
        if self.maybe(0.05):
            return self.dice.choice(["<BlastOutput_iterations/>", "<BlastOutput_iterations />"])
        parts = [self.tag("BlastOutput_iterations"),
                 self.dice.choice([self.shape.newline, "", " \t\n", " \t", " " * 4095 + "\n", " " * 4096 + "\n"])]
        for _ in range(self.dice.choice([0, 1, 1, 2, 3, 5, 12])):
            parts += [self.iteration(), self.shape.newline if self.maybe(0.95) else self.junk()]
        if self.maybe(0.1):
            parts.append(self.dice.choice(["  ", "\t", "\n\n", "CREATE_VIEW\n", " " * 4096, " " * 4097]))
        return "".join(parts) + self.end_tag("BlastOutput_iterations")

    def iteration(self):
        if self.maybe(0.02):
            return self.dice.choice(["<Iteration/>", "<Iteration />"])
        elements = [self.space(1) + self.number()] if self.maybe(0.93) else []
        if self.maybe(0.5):
            elements += [self.space(1) + part for part in self.named_query()]
        elements += [self.space(1) + self.leaf("Iteration_" + name) for name in ("query-ID", "query-def", "query-len")
                     if self.maybe(0.5)]
        if self.maybe(0.8):
            hits = "".join(self.hit() for _ in range(self.dice.choice([0, 0, 1, 3])))
            elements.append(self.space(0) + "<Iteration_hits>" + hits + "</Iteration_hits>")
        if self.maybe(0.04):
            elements.insert(self.dice.randrange(len(elements) + 1), self.space(1) + self.number() + self.space(1))
        if self.maybe(0.05):
            elements.insert(self.dice.randrange(len(elements) + 1), self.junk())
        return self.tag("Iteration") + "".join(elements) + self.space(0) + self.end_tag("Iteration")

    def named_query(self):
        """The name that BLAST gave to a query, and mostly a message that begins with it."""
        dice = self.dice
        self.query = max(1, self.query + dice.choice([1, 1, 1, 1, 0, 2, 8, 9, 90, -1]))
        name = f"Query_{self.query}"
        if self.maybe(0.1):
            name = dice.choice(["Query_0", "Query_01", "Query_", "Query_1a", " Query_1", "P12345", "Query_999999999999999999",
                                "Query_1000000000000000000", "Query_18446744073709551615", "Query_18446744073709551616", "Query_" + "9" * 40, "&#81;uery_1"])
        yield self.leaf("Iteration_query-ID", name)
        if self.maybe(0.8):
            yield self.leaf("Iteration_message", self.message(name) + self.content())

    def message(self, name):
        dice = self.dice
        wide = self.shape.encoding == "utf-8" and self.maybe(0.3)
        pieces = ["a", "b", " ", "&amp;", "&lt;", "&apos;", "&#65;", "&#x9;", ".", ":", ":  ", "'", "]"]
        title = [dice.choice(pieces + (["é", "日", "🧬"] if wide else [])) for _ in range(dice.choice([0, 3, 10, 25, 27, 30]))]
        while title and title[-1] == " ":
            title.pop()
        units = list(dice.choice(["", "", "", "lcl|"]) + name) + ([" "] + title if title else [])
        if self.maybe(0.95):
            units = [unit for piece in units for unit in (piece if piece == ":  " else [piece])]
            counted = [1 if unit.startswith("&") else len(unit.encode()) for unit in units]
            if sum(counted) > 35:
                kept = [unit for i, unit in enumerate(units) if sum(counted[:i + 1]) <= 25]
                units = kept + [".. "]
        whole = "".join(units)
        form = dice.choice(["{0}:  {0}: "] * 8 + ["{0}: ", "{0}: {0}: ", "{0}:  {0}:", "{0}:  {0}"])
        return form.format(whole)

    def number(self):
        name = "Iteration_iter-num"
        if self.maybe(0.8):
            return self.leaf(name, str(self.dice.choice([1, 2, 9, 10, 99, 100, 12345, 18446744073709551615])))
        return self.dice.choice([f"<{name}/>", f"<{name} />", f"<{name}></{name}>", f"<{name}> 7\n</{name} >",
                                 f"<{name}>007</{name}>", f"<{name}>{'9' * 40}</{name}>", f"<{name}>-1</{name}>",
                                 f"<{name}>1<!--x-->2</{name}>", f"<{name}>&#49;</{name}>",
                                 f"<{name} a='1'>3</{name}>", f"<{name}><b>1</b></{name}>",
                                 f"<{name}><{name}>1</{name}></{name}>"])

    def hit(self):
        hsps = "".join(self.space(2) + "<Hsp>" + self.leaf("Hsp_qseq") + "</Hsp>"
                       for _ in range(self.dice.choice([0, 1, 1, 2])))
        return (self.space(1) + self.tag("Hit") + self.leaf("Hit_def") + "<Hit_hsps>" + hsps + "</Hit_hsps>"
                + self.end_tag("Hit"))
