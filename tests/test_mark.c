/* SPDX-License-Identifier: MIT */
/*
 * The scanner: each rule with the place of its error, the marks of documents written by hand, and that
 * neither the split of a text nor the way that is taken makes a difference.
 */
#include "test_mark.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* --- rules ----------------------------------------------------------------------------------- */

struct rule {
    const char *text; /* '@' is no part of it: it marks the place of the error; without it there is none */
    size_t n_text;
    const char *message; /* which the message contains */
};
#define RULE(text, message)                                                                                  \
    { text, sizeof(text) - 1, message }
#define FINE(text)                                                                                           \
    { text, sizeof(text) - 1, NULL }

/* clang-format off */
static const struct rule rules[] = {
    /* text */
    FINE(IN_HIT("a ] ]] ]> > ]]&gt; '\" \t\r\n \x7f")),
    FINE(IN_HIT("]]<!-- -->> ]&#93;> ]]&amp;> ]<x/>]>")),
    RULE(IN_HIT("a]]@>"), "is not allowed in text"),
    RULE(IN_HIT("a]]]]@>"), "is not allowed in text"),
    RULE(IN_HIT("&amp;]]@>"), "is not allowed in text"),
    RULE(IN_HIT("<x></x>]]@>"), "is not allowed in text"),
    RULE(IN_HIT("a@\x01"), "U+000001 is not legal"),
    RULE(IN_HIT("a@\0"), "U+000000 is not legal"),
    RULE(IN_HIT("a@\x1f"), "not legal"),
    RULE(IN_HIT("a@\x0b"), "not legal"),
    /* UTF-8 */
    FINE(IN_HIT("\xc2\x80 \xdf\xbf \xe0\xa0\x80 \xed\x9f\xbf \xee\x80\x80 \xef\xbf\xbd \xf0\x90\x80\x80 \xf4\x8f\xbf\xbf \xef\xbb\xbf")),
    RULE(IN_HIT("@\x80"), "0x80 here is not UTF-8"),
    RULE(IN_HIT("@\xc0\x80"), "0xc0 here is not UTF-8"),
    RULE(IN_HIT("@\xc1\xbf"), "not UTF-8"),
    RULE(IN_HIT("@\xc3("), "not UTF-8"),
    RULE(IN_HIT("@\xc3"), "not UTF-8"),
    RULE(IN_HIT("@\xe0\x9f\xbf"), "not UTF-8"),
    RULE(IN_HIT("@\xed\xa0\x80"), "not UTF-8"),
    RULE(IN_HIT("@\xe2\x82 "), "not UTF-8"),
    RULE(IN_HIT("@\xf0\x8f\xbf\xbf"), "not UTF-8"),
    RULE(IN_HIT("@\xf0\x9f\xa7&lt;"), "not UTF-8"),
    RULE(IN_HIT("@\xf4\x90\x80\x80"), "not UTF-8"),
    RULE(IN_HIT("@\xf5\x80\x80\x80"), "not UTF-8"),
    RULE(IN_HIT("@\xff"), "not UTF-8"),
    FINE(IN_HIT("\xc2\x80\xc3\xa4\xdf\xbf\xd0\x96\xc3\xa4 \xe2\x82\xac\xe1\x80\x80\xee\x80\x80\xe0\xa0\x80\xed\x80\x80")),
    RULE(IN_HIT("\xc3\xa4\xc3\xa4@\xc1\x81\xc3\xa4"), "0xc1 here is not UTF-8"),
    RULE(IN_HIT("@\xc0\x80\xc3\xa4\xc3\xa4\xc3\xa4"), "0xc0 here is not UTF-8"),
    RULE(IN_HIT("\xc3\xa4\xc3\xa4\xc3\xa4@\xc3\xc3\xa4"), "0xc3 here is not UTF-8"),
    RULE(IN_HIT("\xc3\xa4\xc3\xa4\xc3\xa4@\xe0\xa4"), "0xe0 here is not UTF-8"),
    RULE(IN_HIT("\xe2\x82\xac@\xe0\x9f\xbf"), "0xe0 here is not UTF-8"),
    RULE(IN_HIT("\xe2\x82\xac@\xed\xa0\x80"), "0xed here is not UTF-8"),
    RULE(IN_HIT("\xe2\x82\xac@\xef\xbf\xbe"), "U+00FFFE is not legal"),
    RULE(IN_HIT("@\xef\xbf\xbe"), "U+00FFFE is not legal"),
    RULE(IN_HIT("@\xef\xbf\xbf"), "U+00FFFF is not legal"),
    /* references */
    FINE(IN_HIT("&lt;&gt;&amp;&apos;&quot;&#9;&#10;&#13;&#32;&#x20;&#xD7FF;&#xe000;&#xfffd;&#x10000;&#x10FFFF;&#0000000000000065;")),
    RULE(IN_HIT("@&auml;"), "&auml; is not declared"),
    RULE(IN_HIT("@&LT;"), "not declared"),
    RULE(IN_HIT("@& "), "does not begin a reference"),
    RULE(IN_HIT("@&;"), "does not begin a reference"),
    RULE(IN_HIT("@&<x/>"), "does not begin a reference"),
    RULE(IN_HIT("@&lt "), "not ended by ';'"),
    RULE(IN_HIT("@&a-very-long-name-that-would-fill-the-message-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx;"), "not ended by ';'"),
    RULE(IN_HIT("@&#;"), "is not &#digits;"),
    RULE(IN_HIT("@&#x;"), "is not &#digits;"),
    RULE(IN_HIT("@&#X20;"), "is not &#digits;"),
    RULE(IN_HIT("@&#1a;"), "is not &#digits;"),
    RULE(IN_HIT("@&#xg;"), "is not &#digits;"),
    RULE(IN_HIT("@&#-1;"), "is not &#digits;"),
    RULE(IN_HIT("@&#0;"), "not a legal character"),
    RULE(IN_HIT("@&#1;"), "not a legal character"),
    RULE(IN_HIT("@&#xD800;"), "not a legal character"),
    RULE(IN_HIT("@&#xDFFF;"), "not a legal character"),
    RULE(IN_HIT("@&#xFFFE;"), "not a legal character"),
    RULE(IN_HIT("@&#x110000;"), "not a legal character"),
    RULE(IN_HIT("@&#4294967361;"), "not a legal character"),           /* 2^32 + 'A' */
    RULE(IN_HIT("@&#18446744073709551681;"), "not a legal character"), /* 2^64 + 'A' */
    RULE(IN_HIT("@&#x100000000000000000000000041;"), "not a legal character"),
    /* tags */
    FINE(IN_HIT("<a\n></a\r\n><b\t/><c:d._-9\xc2\xb7/><\xc3\xa9/><_/><:/><\xf0\x90\x80\x80/>")),
    RULE(IN_HIT("<a>@</b></a>"), "the end tag </b> does not match the open element <a>"),
    RULE(IN_HIT("<ab>@</a></ab>"), "</a> does not match the open element <ab>"),
    RULE(IN_HIT("<a>@</ab></a>"), "</ab> does not match the open element <a>"),
    RULE(IN_HIT("<a>@</A></a>"), "</A> does not match the open element <a>"),
    RULE(IN_HIT("@</a-name-of-sixty-four-bytes-that-is-just-not-cut-in-a-messagexxxx>"), "essagexxxx> does not"),
    RULE(IN_HIT("@</a-name-of-sixty-six-bytes-that-is-cut-in-a-message-before-axxxx\xc3\xa4y>"), "fore-axxxx...> does not"),
    RULE(IN_HIT("@</Hsp>"), "</Hsp> does not match the open element <Hit>"),
    RULE(IN_HIT("<@ a/>"), "a name, '/', '!' or '?'"),
    RULE(IN_HIT("<@>"), "a name, '/', '!' or '?'"),
    RULE(IN_HIT("<@1/>"), "not '1'"),
    RULE(IN_HIT("<@-/>"), "not '-'"),
    RULE(IN_HIT("<@\xc2\xb7/>"), "U+0000B7"),
    RULE(IN_HIT("<@\xc3\x97/>"), "U+0000D7"),
    RULE(IN_HIT("<a@\xc3\xb7/>"), "U+0000F7"),
    RULE(IN_HIT("<@<"), "a name, '/', '!' or '?'"),
    RULE(IN_HIT("<a@<"), "the tag's name"),
    RULE(IN_HIT("<a/@ >"), "'>' after the '/'"),
    RULE(IN_HIT("<a></@ a>"), "the end tag's name"),
    RULE(IN_HIT("<a></@>"), "the end tag's name"),
    RULE(IN_HIT("<a></a @b>"), "'>' after the end tag's name"),
    RULE(IN_HIT("<a></a@/>"), "'>' after the end tag's name"),
    RULE(IN_HIT("<a@\x01>"), "not legal"),
    /* attributes */
    FINE(IN_HIT("<a b='1' c=\"'\" d = '\"' e='>' f='&lt;&#10;]]>' xml:lang=''\r\n/>")),
    FINE(IN_HIT("<a b='1' bb='1' B='1'></a>")),
    RULE(IN_HIT("<a b='1' @b='2'/>"), "attribute b twice"),
    RULE(IN_HIT("<a b='1' c='' d='' e='' f='' g='' h='' i='' j='' k='' @b='2'/>"), "attribute b twice"),
    RULE(IN_HIT("<a b='1' @b ='2'>"), "attribute b twice"),
    RULE(IN_HIT("<a b@>"), "'=' after"),
    RULE(IN_HIT("<a b @c='1'>"), "'=' after"),
    RULE(IN_HIT("<a b=@c>"), "value in quotes"),
    RULE(IN_HIT("<a b=@>"), "value in quotes"),
    RULE(IN_HIT("<a b='1'@c='2'>"), "white space"),
    RULE(IN_HIT("<a b='@<'>"), "is not allowed in an attribute's value"),
    RULE(IN_HIT("<a b='@&x;'>"), "not declared"),
    RULE(IN_HIT("<a b='@&'>"), "does not begin a reference"),
    RULE(IN_HIT("<a b='@\xe4'>"), "not UTF-8"),
    RULE(IN_HIT("<a b='@\x02'>"), "not legal"),
    RULE(IN_HIT("<a @='1'>"), "an attribute"),
    RULE(IN_HIT("<a @\"b\">"), "an attribute"),
    /* comments, instructions, CDATA */
    FINE(IN_HIT("<!----><!-- - -> <&]]> --><!--\xc3\xa4-->")),
    RULE(IN_HIT("<!-- --@- -->"), "can only end a comment"),
    RULE(IN_HIT("<!--a--@b-->"), "can only end a comment"),
    RULE(IN_HIT("<!--a--@->"), "can only end a comment"),
    RULE(IN_HIT("<!-@a-->"), "<!--"),
    RULE(IN_HIT("<!@a>"), "a comment, CDATA section"),
    RULE(IN_HIT("<!--@\x01-->"), "not legal"),
    FINE(IN_HIT("<?a?><?a b?><?a ? > \?\?><?a\n<&?><?xml-stylesheet x?><?xm?><?xmlx?>")),
    RULE(IN_HIT("<?@ a?>"), "an instruction's name"),
    RULE(IN_HIT("<?@?>"), "an instruction's name"),
    RULE(IN_HIT("<?a?@ ?>"), "after the instruction's name"),
    RULE(IN_HIT("<?a@<?>"), "after the instruction's name"),
    RULE(IN_HIT("@<?XML a?>"), "must not be called xml"),
    RULE(IN_HIT("@<?xMl?>"), "must not be called xml"),
    RULE(IN_HIT("@<?xml version='1.0'?>"), "at the very beginning"),
    FINE(IN_HIT("<![CDATA[]]><![CDATA[<&>]] ]>]]]><![CDATA[\n\xc3\xa4]]>]>")),
    RULE(IN_HIT("<![CDATA@ []]>"), "<![CDATA["),
    RULE(IN_HIT("<![@cdata[]]>"), "<![CDATA["),
    RULE(IN_HIT("<![CDATA[@\x01]]>"), "not legal"),
    RULE(IN_HIT("@<!DOCTYPE a>"), "before the root"),
    RULE("@<![CDATA[]]>" NO_HITS, "inside the root"),
    RULE(NO_HITS "@<![CDATA[]]>", "inside the root"),
    /* the document's frame */
    FINE(NO_HITS), FINE(" \n<!-- --><?a?>" NO_HITS "\n<!-- --><?a?> "),
    FINE("\xef\xbb\xbf" NO_HITS), FINE("\xef\xbb\xbf<?xml version='1.0'?>" NO_HITS),
    FINE(""),
    RULE(" @", "before its root element"),
    RULE("<!-- -->@", "before its root element"),
    RULE("\xef\xbb\xbf@", "before its root element"),
    RULE("@\xef\xbb", "it begins with"), /* a byte order mark or text */
    RULE("@\xef\xbb<", "it begins with"),
    RULE(HEAD "@", "ends inside <Hit>: it is cut short"),
    RULE(HEAD "<Hit_hsps>\xc3@", "ends inside <Hit_hsps>: it is cut short"),
    RULE(HEAD "<Hit_hsps><a@", "ends inside <Hit_hsps>: it is cut short"),
    RULE(HEAD "<!--@", "ends inside <Hit>"),
    RULE("<@", "ends inside markup"),
    RULE(NO_HITS "<!-- @", "ends inside markup"),
    RULE(NO_HITS "<@", "ends inside markup"),
    RULE(NO_HITS "@x", "the document's root element has ended"),
    RULE(NO_HITS "@&amp;", "the document's root element has ended"),
    RULE(NO_HITS "@\xe4", "the document's root element has ended"),
    RULE(NO_HITS "@\0", "not legal"),
    RULE(NO_HITS "@</BlastOutput>", "no open element"),
    RULE(NO_HITS " \xef\xbb@", "ends inside markup"),
    RULE("@</a>", "no open element"),
    RULE("<?a?>@x" NO_HITS, "was expected here"),
    RULE("@<BlastOutput/>", "without a BlastOutput_iterations"),
    RULE("<BlastOutput><a/>@</BlastOutput>", "without a BlastOutput_iterations"),
    RULE("<BlastOutput><a><BlastOutput_iterations/></a>@</BlastOutput>", "without a BlastOutput_iterations"),
    RULE("<BlastOutput><BlastOutput_iterations/>@<BlastOutput_iterations/></BlastOutput>", "a second BlastOutput_iterations"),
    RULE("@<a/>", "the root element is <a>, but <BlastOutput> was expected"),
    RULE("<BlastXML2 xmlns='x'>@", "ends inside <BlastXML2>"),
    RULE("@<BlastOutput2 xmlns='x'>", "one query's report of -outfmt 14"),
    RULE("<BlastXML2>\n@<xi:include href='a_1.xml'/>", "the master file of -outfmt 14"),
    RULE("<BlastXML2>@<Iteration>", "<BlastOutput2> was expected"),
    RULE("@<html>", "this is HTML"),
    RULE("@<Error><Code>NoSuchKey</Code>", "a cloud storage's error message"),
    RULE("<!DOCTYPE html>\n@<html>", "this is HTML"),
    RULE("<!@doctype html>", "looks like HTML"),
    RULE("@<\xc3\xa9>", "the root element is <\xc3\xa9>"),
    /* several documents */
    FINE(NO_HITS NO_HITS), FINE(NO_HITS "\n<?xml version='1.0'?>" NO_HITS "<?a?>\xef\xbb\xbf" NO_HITS),
    FINE(NO_HITS "<!DOCTYPE BlastOutput>" NO_HITS "\xef\xbb\xbf<?xml version='1.0'?>" NO_HITS),
    FINE(NO_HITS "<?xml version='1.0' encoding='latin1'?>" NO_HITS "\xef\xbb\xbf" NO_HITS),
    RULE(NO_HITS "@<html/>", "root element is <html>"),
    RULE("<?xml version='1.0' encoding='latin1'?>" NO_HITS "@<\xc3\xa9>", "root element is <\xc3\xa9>"),
    RULE("<?xml version='1.0' encoding='latin1'?>" NO_HITS "<@\xc3\x97>", "U+0000D7"),
    RULE("<?xml version='1.0' encoding='latin1'?>" NO_HITS "<@\xe4>", "0xe4 here is not UTF-8"),
    RULE(NO_HITS "<?xml version='@2.0'?>", "a version such as"),
    RULE(NO_HITS "<!DOCTYPE BlastOutput>@", "before its root element"),
    RULE(NO_HITS "<!DOCTYPE BlastOutput>@<?xml version='1.0'?>", "at the very beginning"),
    RULE(NO_HITS NO_HITS "<BlastOutput>@", "ends inside <BlastOutput>"),
    RULE(NO_HITS "@<?XML version='1.0'?>", "must not be called xml"),
    RULE(NO_HITS "@\xef\xbb<", "neither XML nor"),
    /* the XML declaration */
    FINE("<?xml version='1.0'?>" NO_HITS), FINE("<?xml\tversion = \"1.1\"\r\nencoding = 'utf-8'  standalone='yes' ?>" NO_HITS),
    FINE("<?xml version='1.0' standalone=\"no\"?>" NO_HITS), FINE("<?xml version='1.99' encoding='US-ASCII'?>" NO_HITS),
    RULE(" @<?xml version='1.0'?>" NO_HITS, "at the very beginning"),
    RULE("<!-- -->@<?xml version='1.0'?>" NO_HITS, "at the very beginning"),
    RULE("<?xml version='1.0'?>@<?xml version='1.0'?>" NO_HITS, "at the very beginning"),
    RULE("@<?XML version='1.0'?>" NO_HITS, "must not be called xml"),
    RULE("<?xml@?>" NO_HITS, "white space"),
    RULE("<?xml @?>" NO_HITS, "version was expected"),
    RULE("<?xml @encoding='UTF-8'?>" NO_HITS, "version was expected"),
    RULE("<?xml version='@1'?>" NO_HITS, "a version such as"),
    RULE("<?xml version='@1.'?>" NO_HITS, "a version such as"),
    RULE("<?xml version='@1.0 '?>" NO_HITS, "a version such as"),
    RULE("<?xml version='@2.0'?>" NO_HITS, "a version such as"),
    RULE("<?xml version=@1.0?>" NO_HITS, "value in quotes"),
    RULE("<?xml version @'1.0'?>" NO_HITS, "'='"),
    RULE("<?xml version='@1.0?>" NO_HITS, "a value that ends"),
    RULE("<?xml version='1.0'@encoding='UTF-8'?>" NO_HITS, "white space between"),
    RULE("<?xml version='1.0' standalone='no' @encoding='UTF-8'?>" NO_HITS, "in this order"),
    RULE("<?xml version='1.0' standalone='@maybe'?>" NO_HITS, "yes or no"),
    RULE("<?xml version='1.0' standalone='@YES'?>" NO_HITS, "yes or no"),
    RULE("<?xml version='1.0' @Standalone='yes'?>" NO_HITS, "in this order"),
    RULE("<?xml version='1.0' @extra='1'?>" NO_HITS, "encoding was expected"),
    RULE("<?xml version='1.0' encoding='UTF-8' @encoding='UTF-8'?>" NO_HITS, "in this order"),
    RULE("<?xml version='1.0' encoding='@'?>" NO_HITS, "an encoding's name"),
    RULE("<?xml version='1.0' encoding='@8859-1'?>" NO_HITS, "an encoding's name"),
    RULE("<?xml version='1.0' encoding='@UTF 8'?>" NO_HITS, "an encoding's name"),
    RULE("<?xml version='1.0'>@<a/>" NO_HITS, "before this '<'"),
    RULE("<?xml version='1.0'@\xc3\xa4?>" NO_HITS, "ASCII"),
    /* encodings */
    RULE("<?xml version='1.0' encoding='@UTF-16'?>" NO_HITS, "declares the encoding UTF-16, which is not supported"),
    RULE("<?xml version='1.0' encoding='@Shift_JIS'?>" NO_HITS, "Shift_JIS"),
    RULE("\xef\xbb\xbf<?xml version='1.0' encoding='@ISO-8859-1'?>" NO_HITS, "UTF-8's byte order mark"),
    RULE("@\xff\xfe<\0?\0", "UTF-16, little end first"),
    RULE("@\xfe\xff\0<\0?", "UTF-16, big end first"),
    RULE("@\0<\0?\0x", "UTF-16, big end first"),
    RULE("@<\0?\0x\0", "UTF-16 or UTF-32 (little end first)"),
    RULE("@\0\0\0<", "UTF-32, big end first"),
    RULE("@\xff\xfe\0\0<\0\0\0", "UTF-32, little end first"),
    RULE("@\x4c\x6f\xa7\x94", "EBCDIC"),
    RULE("<?xml version='1.0' encoding='us-ascii'?><BlastOutput>@\xe4", "0xe4 is not a character of US-ASCII"),
    RULE("<?xml version='1.0' encoding='CP1252'?><BlastOutput>\x80@\x81", "0x81 is not a character of windows-1252"),
    /* DOCTYPE */
    FINE("<!DOCTYPE BlastOutput>" NO_HITS), FINE("<!DOCTYPE\n\xc3\xa9 \t>" NO_HITS), FINE("<!DOCTYPE a SYSTEM '<>\"\xc3\xa4#'>" NO_HITS),
    FINE("<!DOCTYPE a PUBLIC \"-//a b'()+,./:=?;!*#@$_%\r\n\" '' >" NO_HITS),
    RULE("<!DOCTYPE a PUBLIC '@~' ''>" NO_HITS, "a public identifier"),
    RULE("<!DOCTYPE a PUBLIC '@\t' ''>" NO_HITS, "a public identifier"),
    RULE("<!DOCTYPE a PUBLIC 'a'@'b'>" NO_HITS, "white space"),
    RULE("<!DOCTYPE a PUBLIC 'a'@>" NO_HITS, "white space"),
    RULE("<!DOCTYPE a PUBLIC 'a' @>" NO_HITS, "an identifier in quotes"),
    RULE("<!DOCTYPE a PUBLIC@'a' 'b'>" NO_HITS, "white space"),
    RULE("<!DOCTYPE a SYSTEM 'a' @'b'>" NO_HITS, "'>' was expected"),
    RULE("<!DOCTYPE a SYSTEM @a>" NO_HITS, "an identifier in quotes"),
    RULE("<!DOCTYPE a S@ISTEM 'a'>" NO_HITS, "SYSTEM was expected"),
    RULE("<!DOCTYPE a @system 'a'>" NO_HITS, "'>' was expected"),
    RULE("<!DOCTYPE a @b>" NO_HITS, "'>' was expected"),
    RULE("<!DOCTYPE @>" NO_HITS, "a name was expected"),
    RULE("<!DOCTYPE@>" NO_HITS, "white space"),
    RULE("<!DOC@type a>" NO_HITS, "DOCTYPE was expected"),
    RULE("<!DOCTYPE a @[]>" NO_HITS, "internal subset, which is refused"),
    RULE("<!DOCTYPE a@[<!ENTITY b 'c'>]>" NO_HITS, "internal subset, which is refused"),
    RULE("<!DOCTYPE a SYSTEM 'a'@[]>" NO_HITS, "internal subset, which is refused"),
    RULE("<!DOCTYPE a>@<!DOCTYPE a>" NO_HITS, "a second DOCTYPE"),
    RULE("<!DOCTYPE a SYSTEM '@\xe4'>" NO_HITS, "not UTF-8"),
    /* something else */
    RULE("<?xml version='1.0' encoding='latin1'?><BlastOutput><BlastOutput_mbstat>@\xe4", "would have to be converted"),
    RULE(" \n{@}", "without \"BlastOutput2\""),
    RULE("@BLASTP 2.12.0+\n\n", "a plain BLAST report"),
    RULE("@Blast4-request ::= {", "a message of BLAST's server"),
    RULE("@>sp|P1\nMKV", "FASTA"),
    RULE("@PK\x03\x04 a zip", "a ZIP archive"),
    RULE("@\x1f\x8b\x08", "gzip data inside"),
    RULE("@ Query_1\t", "it begins with \"Query_1"),
};
/* clang-format on */

/* The text of a rule and where its '@' stood; SIZE_MAX: nowhere. */
static struct bytes take_rule(const struct rule *rule, size_t *place) {
    struct bytes text = {0};
    const char *at = rule->message == NULL ? NULL : memchr(rule->text, '@', rule->n_text);
    *place = at == NULL ? SIZE_MAX : (size_t)(at - rule->text);
    if (at == NULL) {
        add_bytes(&text, rule->text, rule->n_text);
    } else {
        add_bytes(&text, rule->text, *place);
        add_bytes(&text, at + 1, rule->n_text - *place - 1);
    }
    return text;
}

static void test_rules(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        size_t place;
        struct bytes text = take_rule(&rules[i], &place);
        struct trace trace = scan(&text, whole, "bytes", BLASTMERGE_INVALID_UTF8_ERROR);
        bool is_right = trace.status == BLASTMERGE_OK;
        if (rules[i].message != NULL) {
            is_right = trace.status == BLASTMERGE_DATA && trace.error.text_offset == place &&
                       strstr(trace.error.message, rules[i].message) != NULL;
        }
        if (!is_right) {
            fail_msg("%s: status %d at %d, not %d: %s", rules[i].text, (int)trace.status,
                     (int)trace.error.text_offset, (int)place, trace.error.message);
        }
        free_trace(&trace);
        free_bytes(&text);
    }
}

/* --- marks ----------------------------------------------------------------------------------- */

struct golden {
    const char *name;
    const char *shown; /* without its marks it is the text */
    enum blastmerge_invalid_utf8 invalid_utf8;
};

#define KEEP   BLASTMERGE_INVALID_UTF8_KEEP
#define LATIN1 BLASTMERGE_INVALID_UTF8_LATIN1
#define ERROR  BLASTMERGE_INVALID_UTF8_ERROR
#define OPEN   "{DOC}{NODECL}<BlastOutput><BlastOutput_iterations>{ITERS}"
#define CLOSE  "</BlastOutput_iterations></BlastOutput>{DOCEND}"

/* clang-format off */
static const struct golden goldens[] = {
    {"as BLAST writes it",
     "{DOC}{DECL}<?xml version=\"1.0\"?>{/}\n<!DOCTYPE BlastOutput PUBLIC \"-//NCBI//NCBI BlastOutput/EN\" \"a.dtd\">\n"
     "<BlastOutput>\n  <BlastOutput_program>blastp</BlastOutput_program>{FIELD}\n"
     "  <BlastOutput_db>{DB}nr{DBEND}</BlastOutput_db>{FIELD}\n"
     "  <BlastOutput_param>\n    <Parameters>\n      <Parameters_expect>10</Parameters_expect>{FIELD}\n    </Parameters>\n"
     "  </BlastOutput_param>\n<BlastOutput_iterations>{ITERS}\n{BODY}"
     "{ITER}<Iteration>\n  <Iteration_iter-num>{NUM D=1}1{/}</Iteration_iter-num>\n  <Iteration_query-ID>Query_1</Iteration_query-ID>\n"
     "<Iteration_hits>\n<Hit><Hit_num>1</Hit_num><Hit_hsps><Hsp></Hsp></Hit_hsps></Hit>\n</Iteration_hits>\n</Iteration>{ITEREND}\n"
     "{ITER n}<Iteration>\n  <Iteration_iter-num>{NUM D=2}2{/}</Iteration_iter-num>\n</Iteration>{ITEREND}\n"
     "{ITERSEND n}{/}</BlastOutput_iterations>\n</BlastOutput>\n\n{DOCEND}", ERROR},
    {"no Iteration", OPEN "\n{BODY}{ITERSEND}{/}" CLOSE, ERROR},
    {"no Iteration, one line", OPEN "{BODY}{ITERSEND}{/}" CLOSE, ERROR},
    {"no Iteration, blanks", OPEN "{BODY}{ITERSEND} \t{/}" CLOSE, ERROR},
    {"no Iteration, return", OPEN "{BODY}\r{ITERSEND n} {/}" CLOSE, ERROR},
    {"no Iteration, two lines", OPEN " \t\r\n{BODY}\n{ITERSEND n}  {/}" CLOSE, ERROR},
    {"no Iteration, empty tag", "{DOC}{NODECL}<BlastOutput><BlastOutput_iterations {ITERS e}/>{/}</BlastOutput>{DOCEND}", ERROR},
    {"text before the body's line ends", OPEN "{BODY} x\n{ITERSEND n}{/}" CLOSE, ERROR},
    {"text behind the last Iteration", OPEN "\n{BODY}{ITER}<Iteration {MISSING e}/>{/}{ITEREND}\nCREATE_VIEW{ITERSEND n} {/}" CLOSE, ERROR},
    {"a comment before the end tag", OPEN "\n{BODY} <!-- \n -->{ITERSEND n} {/}" CLOSE, ERROR},
    {"a newline only inside of an Iteration",
     OPEN "{BODY}{ITER}<Iteration\n>\n{MISSING n}</Iteration\n>{ITEREND}{ITER}<Iteration>{MISSING}<x/>\n</Iteration>{ITEREND}{ITERSEND}{/}" CLOSE, ERROR},
    {"newlines of all kinds",
     OPEN "\r\n{BODY}{ITER}<Iteration>{MISSING}</Iteration>{ITEREND}\r{ITER n}<Iteration>{MISSING}</Iteration>{ITEREND}<!--\n-->{ITER n}"
     "<Iteration>{MISSING}</Iteration>{ITEREND}<x\n/>{ITER n}<Iteration>{MISSING}</Iteration>{ITEREND} {ITER}<Iteration>{MISSING}</Iteration>{ITEREND}"
     "\t{ITER}<Iteration>{MISSING}</Iteration>{ITEREND}{ITERSEND}{/}" CLOSE, ERROR},
    {"numbers",
     OPEN "{BODY}{ITER}<Iteration><!-- -->text<Iteration_iter-num  a='b'>{NUM D=12345678901234567890}12345678901234567890{/}</Iteration_iter-num >"
     "</Iteration>{ITEREND}{ITER}<Iteration><Iteration_iter-num>{NUM}18446744073709551616{/}</Iteration_iter-num></Iteration>{ITEREND}"
     "{ITER}<Iteration><Iteration_iter-num>{NUM D=18446744073709551615}18446744073709551615{/}</Iteration_iter-num></Iteration>{ITEREND}"
     "{ITER}<Iteration><Iteration_iter-num>{NUM D=7}000000000000000000000007{/}</Iteration_iter-num></Iteration>{ITEREND}"
     "{ITER}<Iteration><Iteration_iter-num>{LONG}0000000000000000000000007{LONGEND}</Iteration_iter-num></Iteration>{ITEREND}"
     "{ITER}<Iteration><Iteration_iter-num>{NUM} 7{/}</Iteration_iter-num></Iteration>{ITEREND}"
     "{ITER}<Iteration><Iteration_iter-num>{NUM}&#55;{/}</Iteration_iter-num></Iteration>{ITEREND}"
     "{ITER}<Iteration><Iteration_iter-num>{NUM}{/}</Iteration_iter-num></Iteration>{ITEREND}"
     "{ITER}<Iteration><Iteration_iter-num {NUM e}/>{/}</Iteration>{ITEREND}"
     "{ITER}<Iteration><Iteration_iter-num>{LONG}7<!-- -->{LONGEND}</Iteration_iter-num></Iteration>{ITEREND}"
     "{ITER}<Iteration><Iteration_iter-num>{LONG}<x>7</x>8{LONGEND}</Iteration_iter-num></Iteration>{ITEREND}"
     "{ITER}<Iteration><Iteration_iter-num>{LONG}<x/>{LONGEND}</Iteration_iter-num></Iteration>{ITEREND}"
     "{ITER}<Iteration><Iteration_iter-num>{LONG}<![CDATA[7]]>{LONGEND}</Iteration_iter-num></Iteration>{ITEREND}"
     "{ITER}<Iteration><Iteration_iter-num>{LONG}<?a?>{LONGEND}</Iteration_iter-num></Iteration>{ITEREND}{ITERSEND}{/}" CLOSE, ERROR},
    {"numbers missing",
     OPEN "{BODY}{ITER}<Iteration>{MISSING}<x/></Iteration>{ITEREND}{ITER}<Iteration>\n   {MISSING n=3}<x/></Iteration>{ITEREND}"
     "{ITER}<Iteration>\n x {MISSING}<x/></Iteration>{ITEREND}{ITER}<Iteration>\r{MISSING n}<x></x></Iteration>{ITEREND}"
     "{ITER}<Iteration>\n <!-- -->{MISSING}<x/></Iteration>{ITEREND}{ITER}<Iteration>\n<!-- -->\t{MISSING}</Iteration>{ITEREND}"
     "{ITER}<Iteration>\n\t {MISSING n=2}</Iteration>{ITEREND}{ITER}<Iteration {MISSING e}/>{/}{ITEREND}"
     "{ITER}<Iteration>{MISSING}<Iteration_iter-num2/></Iteration>{ITEREND}{ITERSEND}{/}" CLOSE, ERROR},
    {"names that only the header has",
     "{DOC}{NODECL}<BlastOutput><BlastOutput_query-def>a</BlastOutput_query-def>{FIELD}<BlastOutput_iterations>{ITERS}{BODY}"
     "{ITER}<Iteration><Iteration_iter-num>{NUM D=1}1{/}</Iteration_iter-num>\n  {NAMES n=2}<Iteration_hits/></Iteration>{ITEREND}"
     "{ITER}<Iteration><Iteration_iter-num>{NUM D=2}2{/}</Iteration_iter-num>\n x {NAMES}<x><Iteration_query-ID/></x></Iteration>{ITEREND}"
     "{ITER}<Iteration><Iteration_iter-num>{NUM D=3}3{/}</Iteration_iter-num>\r\n<!-- --> <Iteration_query-len>1</Iteration_query-len></Iteration>{ITEREND}"
     "{ITER}<Iteration><Iteration_iter-num>{NUM D=4}4{/}</Iteration_iter-num>\n<!-- -->{NAMES}<Iteration_message>x</Iteration_message><Iteration_query-ID/></Iteration>{ITEREND}"
     "{ITER}<Iteration><Iteration_iter-num>{NUM D=5}5{/}</Iteration_iter-num>\r\n\t{NAMES n=1}</Iteration>{ITEREND}{ITER}<Iteration {MISSING e}/>{/}{ITEREND}"
     "{ITER}<Iteration>\n {MISSING n=1}{NAMES n=1}<x/></Iteration>{ITEREND}{ITER}<Iteration>{MISSING}{NAMES}</Iteration>{ITEREND}"
     "{ITER}<Iteration>{MISSING}<Iteration_query-def a='b'>x</Iteration_query-def><x/></Iteration>{ITEREND}"
     "{ITER}<Iteration><Iteration_iter-num>{NUM D=6}6{/}</Iteration_iter-num>{EXTRA}<Iteration_iter-num/> {EXTRAEND}<Iteration_query-ID/></Iteration>{ITEREND}"
     "{ITERSEND}{/}</BlastOutput_iterations></BlastOutput>\n{DOCEND}{DOC}{NODECL}<BlastOutput><BlastOutput_iterations>{ITERS}{BODY}"
     "{ITER}<Iteration><Iteration_iter-num>{NUM D=1}1{/}</Iteration_iter-num><x/></Iteration>{ITEREND}{ITERSEND}{/}</BlastOutput_iterations></BlastOutput>{DOCEND}", ERROR},
    {"numbers that are too many",
     OPEN "{BODY}{ITER}<Iteration><Iteration_iter-num>{NUM D=1}1{/}</Iteration_iter-num>\n{EXTRA}<Iteration_iter-num>2</Iteration_iter-num> \r\n\t{EXTRAEND}"
     "{EXTRA}<Iteration_iter-num/>{EXTRAEND}x{EXTRA}<Iteration_iter-num><y/></Iteration_iter-num>{EXTRAEND}<!-- -->"
     "{EXTRA}<Iteration_iter-num></Iteration_iter-num> {EXTRAEND}&amp;<y><Iteration_iter-num>3</Iteration_iter-num></y></Iteration>{ITEREND}"
     "{ITER}<Iteration>{MISSING}<y/>{EXTRA}<Iteration_iter-num>2</Iteration_iter-num>{EXTRAEND}</Iteration>{ITEREND}{ITERSEND}{/}" CLOSE, ERROR},
    {"Iterations elsewhere are none",
     "{DOC}{NODECL}<BlastOutput><Iteration></Iteration>{FIELD}<x><Iteration/>{FIELD}</x><BlastOutput_iterations>{ITERS}{BODY}<x><Iteration>"
     "<Iteration_iter-num>1</Iteration_iter-num><Hit/></Iteration></x><Iterations/>{ITER}<Iteration>{MISSING}<Iteration/></Iteration>{ITEREND}{ITERSEND}{/}"
     "</BlastOutput_iterations><Iteration/></BlastOutput>{DOCEND}", ERROR},
    {"databases",
     "{DOC}{NODECL}<BlastOutput><x><BlastOutput_db>no</BlastOutput_db>{FIELD}</x><BlastOutput_db a='b'>{DB}<!-- -->&amp;{DBEND}</BlastOutput_db >{FIELD}"
     "<BlastOutput_db>second</BlastOutput_db>{FIELD}<BlastOutput_iterations {ITERS e}/>{/}<BlastOutput_db>later</BlastOutput_db></BlastOutput>{DOCEND}", ERROR},
    {"an empty database", "{DOC}{NODECL}<BlastOutput><BlastOutput_db{DB e}/>{/}{FIELD}<BlastOutput_iterations{ITERS e}/>{/}</BlastOutput>{DOCEND}", ERROR},
    {"megablast's statistics",
     "{DOC}{NODECL}<BlastOutput>{MBSTAT}<BlastOutput_mbstat><a>1</a></BlastOutput_mbstat>{/}<x><BlastOutput_mbstat/>{FIELD}</x>"
     "<BlastOutput_iterations{ITERS e}/>{/}\n{MBSTAT}<BlastOutput_mbstat a='b'/>{/}{MBSTAT}<BlastOutput_mbstat></BlastOutput_mbstat>{/}</BlastOutput>{DOCEND}", ERROR},
    {"several documents",
     "{DOC}{NODECL} <BlastOutput><BlastOutput_iterations{ITERS e}/>{/}</BlastOutput> <!-- -->\n{DOCEND}{DOC}{NODECL}<BlastOutput>"
     "<BlastOutput_iterations{ITERS e}/>{/}</BlastOutput>{DOCEND}{DOC}{DECL}<?xml version='1.1'?>{/}<BlastOutput><BlastOutput_iterations{ITERS e}/>{/}"
     "</BlastOutput><?xm l?>{DOCEND}{DOC}{NODECL}<!DOCTYPE x><BlastOutput><BlastOutput_iterations{ITERS e}/>{/}</BlastOutput>\n{DOCEND}"
     "{DOC}{BOM}\xef\xbb\xbf{/}{DECL}<?xml version='1.0'?>{/}<BlastOutput><BlastOutput_iterations{ITERS e}/>{/}</BlastOutput>{DOCEND}"
     "{DOC}{BOM}\xef\xbb\xbf{/}{NODECL} <BlastOutput><BlastOutput_iterations{ITERS e}/>{/}</BlastOutput>{DOCEND}", ERROR},
    {"ISO-8859-1",
     "{DOC}{DECL c}<?xml version='1.0' encoding='Latin1'?>{/}<!-- {CHAR=228}\xe4{/} --><BlastOutput><BlastOutput_db>{DB}{CHAR=128}\x80{/}{DBEND}</BlastOutput_db>{FIELD}"
     "<BlastOutput_iterations>{ITERS}{BODY}{CHAR=255}\xff{/} <x{CHAR=233}\xe9{/}/>{ITER}<Iteration>{MISSING}<Iteration_iter-num{CHAR=233}\xe9{/}></Iteration_iter-num{CHAR=233}\xe9{/}>"
     "{EXTRA}<Iteration_iter-num>{CHAR=233}\xe9{/}</Iteration_iter-num>{EXTRAEND}{CHAR=233}\xe9{/}<Hit a='{CHAR=233}\xe9{/}'><![CDATA[{CHAR=233}\xe9{/}]]></Hit>"
     "</Iteration>{ITEREND}{ITER}<Iteration>{CHAR=233}\xe9{/}<Iteration_iter-num>{LONG}{CHAR=233}\xe9{/}{LONGEND}</Iteration_iter-num></Iteration>{ITEREND}{ITERSEND} {/}"
     "</BlastOutput_iterations></BlastOutput><?{CHAR=233}\xe9{/} ?>{DOCEND}{DOC}{NODECL}<BlastOutput><BlastOutput_iterations{ITERS e}/>{/}<\xc3\xa4/></BlastOutput>{DOCEND}", ERROR},
    {"ISO-8859-15",
     "{DOC}{DECL c}<?xml version='1.0' encoding='ISO-8859-15'?>{/}<BlastOutput><BlastOutput_iterations{ITERS e}/>{/}"
     "{CHAR=8364}\xa4{/}{CHAR=165}\xa5{/}{CHAR=352}\xa6{/}{CHAR=353}\xa8{/}{CHAR=381}\xb4{/}{CHAR=382}\xb8{/}{CHAR=338}\xbc{/}{CHAR=339}\xbd{/}{CHAR=376}\xbe{/}{CHAR=191}\xbf{/}</BlastOutput>{DOCEND}", ERROR},
    {"windows-1252",
     "{DOC}{DECL c}<?xml version='1.0' encoding='Windows-1252'?>{/}<BlastOutput><BlastOutput_iterations{ITERS e}/>{/}"
     "{CHAR=8364}\x80{/}{CHAR=8218}\x82{/}{CHAR=402}\x83{/}{CHAR=381}\x8e{/}{CHAR=8216}\x91{/}{CHAR=376}\x9f{/}{CHAR=160}\xa0{/}{CHAR=255}\xff{/}</BlastOutput>{DOCEND}", ERROR},
    {"US-ASCII", "{DOC}{DECL c}<?xml version='1.0' encoding='ANSI_X3.4-1968'?>{/}<BlastOutput><BlastOutput_iterations{ITERS e}/>{/}</BlastOutput>{DOCEND}", ERROR},
    {"bytes that are not UTF-8, converted",
     OPEN "{BODY}{CHAR=228}\xe4{/}{ITER}<Iteration>{CHAR=228}\xe4{/}{CHAR=226}\xe2{/}{CHAR=130}\x82{/}<Iteration_iter-num>{LONG}1{CHAR=128}\x80{/}{LONGEND}</Iteration_iter-num>"
     "{EXTRA}<Iteration_iter-num/>{EXTRAEND}{CHAR=240}\xf0{/}{CHAR=159}\x9f{/}{CHAR=167}\xa7{/}<Hit a='{CHAR=228}\xe4{/}'>\xc3\xa4{CHAR=164}\xa4{/}{CHAR=195}\xc3{/}\xc3\xa4"
     "{CHAR=237}\xed{/}{CHAR=160}\xa0{/}{CHAR=128}\x80{/}{CHAR=192}\xc0{/}{CHAR=175}\xaf{/}{CHAR=255}\xff{/}<!--{CHAR=228}\xe4{/}--><![CDATA[{CHAR=228}\xe4{/}]]]{CHAR=228}\xe4{/}]]>"
     "<?a {CHAR=228}\xe4{/}?{CHAR=228}\xe4{/}?></Hit></Iteration>{ITEREND}{ITERSEND} {/}" CLOSE, LATIN1},
    {"bytes that are not UTF-8, kept",
     OPEN "{BODY}\xe4{ITER}<Iteration>\xe4\xe2\x82<Iteration_iter-num>{NUM}1\x80{/}</Iteration_iter-num>"
     "{EXTRA}<Iteration_iter-num/>{EXTRAEND}\xf0\x9f\xa7<Hit a='\xe4'>\xc3\xa4\xa4\xc3\xc3\xa4\xed\xa0\x80\xc0\xaf\xff<!--\xe4--><![CDATA[\xe4]]></Hit></Iteration>{ITEREND}"
     "{ITERSEND} {/}" CLOSE, KEEP},
    {"XML2 as BLAST writes it",
     "{DOC}{DECL}<?xml version=\"1.0\"?>{/}\n<BlastXML2\n    xmlns=\"http://www.ncbi.nlm.nih.gov\"{FIELD}\n>{ITERS=2}\n{BODY}"
     "{ITER}<BlastOutput2>\n  <report>\n    <Report>\n      <program>blastp</program>{FIELD}\n      <version>BLASTP 2.12.0+</version>{FIELD}\n"
     "      <search-target>\n        <Target>\n          <db>nr</db>{FIELD}\n        </Target>\n      </search-target>\n"
     "      <params>\n        <Parameters>\n          <expect>10</expect>{FIELD}\n          <x/>{FIELD}</Parameters>\n      </params>\n"
     "      <results>{HEADER}\n<Results><search><Search><query-id>Query_1</query-id><hits><Hit><num>1</num><hsps><Hsp><num>1</num></Hsp></hsps></Hit></hits>"
     "</Search></search></Results></results></Report></report>\n</BlastOutput2>{ITEREND}\n\n"
     "{ITER n}<BlastOutput2><report><Report><program>blastp</program><results></results></Report></report></BlastOutput2>{ITEREND}\n"
     "{ITERSEND n}{/}</BlastXML2>\n{DOCEND}", ERROR},
    {"XML2, several documents, no reports and odd ones",
     "{DOC}{NODECL}<BlastXML2>{ITERS=2}{BODY}{ITERSEND}{/}</BlastXML2>\n{DOCEND}{DOC}{NODECL}<BlastXML2 a='b' {ITERS e=2}/>{/}<!-- -->{DOCEND}"
     "{DOC}{DECL}<?xml version=\"1.0\"?>{/}<BlastXML2>{ITERS=2}{BODY}<!-- \n -->text{ITER n}<BlastOutput2/>{ITEREND}\n"
     "{ITER n}<BlastOutput2 a='b'><params/>{FIELD}<a>1</a>{FIELD}<results/>{HEADER}<Iteration><Iteration_iter-num>7</Iteration_iter-num></Iteration>"
     "<Iteration_iter-num>8</Iteration_iter-num></BlastOutput2>{ITEREND}<?x?>{ITERSEND} \t{/}</BlastXML2 >{DOCEND}", ERROR},
    {"XML2, converted",
     "{DOC}{DECL c}<?xml version='1.0' encoding='latin1'?>{/}<BlastXML2>{ITERS=2}{BODY}{ITER}<BlastOutput2><a>{CHAR=228}\xe4{/}</a>{FIELD}<results>{HEADER}"
     "{CHAR=228}\xe4{/}</results></BlastOutput2>{ITEREND}{ITERSEND}{/}</BlastXML2>{DOCEND}", ERROR},
};

/* Where characters that XML forbids are replaced: the same texts are right, too, where they are kept. */
static const struct golden forbidden_goldens[] = {
    {"raw characters",
     OPEN "{BODY}{CHAR=65533}\x01{/}{ITER}<Iteration><?p {CHAR=65533}\x1f{/}?{CHAR=65533}\x02{/}?>{MISSING}<Hit a='{CHAR=65533}\x0b{/}'>a{CHAR=65533}\x01{/}b]{CHAR=65533}\x0c{/}]>"
     "<!--{CHAR=65533}\x01{/}-{CHAR=65533}\x03{/}--><![CDATA[{CHAR=65533}\x04{/}]]{CHAR=65533}\x04{/}]]>{CHAR=65533}\xef\xbf\xbe{/}{CHAR=65533}\xef\xbf\xbf{/}\xef\xbf\xbd</Hit>"
     "</Iteration>{ITEREND}{CHAR=65533}\x01{/}{ITERSEND} {/}" CLOSE "", ERROR},
    {"references",
     OPEN "{BODY}{CHAR=65533}&#0;{/}{ITER}<Iteration>{CHAR=65533}&#1;{/}{MISSING}<Hit a='{CHAR=65533}&#x1F;{/}&#x9;'>a{CHAR=65533}&#xd800;{/}&#65;{CHAR=65533}&#xFFFe;{/}"
     "{CHAR=65533}&#1114112;{/}{CHAR=65533}&#99999999999999999999;{/}{CHAR=65533}&#x0000000000000000000000000000000000000000000000000000000001;{/}"
     "<!--&#1;--><![CDATA[&#1;]]></Hit></Iteration>{ITEREND}{ITERSEND}{/}" CLOSE, ERROR},
    {"in numbers",
     OPEN "{BODY}{ITER}<Iteration><Iteration_iter-num>{LONG}1{CHAR=65533}\x01{/}{LONGEND}</Iteration_iter-num>{EXTRA}<Iteration_iter-num>{CHAR=65533}\x01{/}</Iteration_iter-num>"
     "{EXTRAEND}{CHAR=65533}&#2;{/}</Iteration>{ITEREND}{ITER}<Iteration><Iteration_iter-num>{LONG}{CHAR=65533}&#1;{/}{LONGEND}</Iteration_iter-num></Iteration>{ITEREND}{ITERSEND}{/}" CLOSE, ERROR},
    {"in headers",
     "{DOC}{NODECL}<!--{CHAR=65533}\x01{/}--><BlastOutput><BlastOutput_db>{DB}{CHAR=65533}\x01{/}{DBEND}</BlastOutput_db>{FIELD}<a>{CHAR=65533}&#1;{/}</a>{FIELD}"
     "<BlastOutput_iterations{ITERS e}/>{/}{CHAR=65533}\x02{/}</BlastOutput><?p {CHAR=65533}\x01{/}?>{DOCEND}", ERROR},
    {"beside bytes that are not UTF-8",
     OPEN "{BODY}{CHAR=65533}\x01{/}{CHAR=228}\xe4{/}{CHAR=65533}&#1;{/}{CHAR=239}\xef{/}{CHAR=191}\xbf{/}{CHAR=65533}\x01{/}{ITERSEND}{/}" CLOSE, LATIN1},
};

/* Where queries are told. */
static const struct golden query_goldens[] = {
    {"as BLAST writes it",
     OPEN "\n{BODY}{ITER}<Iteration>\n  <Iteration_iter-num>{NUM D=1}1{/}</Iteration_iter-num>\n  <Iteration_query-ID>{ID}Query_1{/}</Iteration_query-ID>\n"
     "  <Iteration_query-def>a &gt; b</Iteration_query-def>\n<Iteration_hits>\n<Hit><message>no</message></Hit></Iteration_hits>\n"
     "  <Iteration_message>{MESSAGE}No hits found{/}</Iteration_message>\n</Iteration>{ITEREND}\n{ITERSEND n}{/}" CLOSE, ERROR},
    {"odd contents",
     OPEN "{BODY}{ITER}<Iteration>{MISSING}<Iteration_query-ID a='b'>{ID}&lt;\xc3\xa4 &#65;\n{/}</Iteration_query-ID ><Iteration_message/>"
     "<Iteration_query-ID>{ID}{/}</Iteration_query-ID>text<Iteration_message>{MESSAGE -}a{/}<!-- x --> b</Iteration_message>"
     "<Iteration_message>{MESSAGE -}a{/}<![CDATA[b]]></Iteration_message><Iteration_message>{MESSAGE -}a{/}<?b?></Iteration_message>"
     "<Iteration_message>{MESSAGE -}]] a{/}<Iteration_message>b</Iteration_message>c</Iteration_message><Iteration_message>{MESSAGE -}{/}<b/></Iteration_message>"
     "<x><Iteration_message>a</Iteration_message></x>{EXTRA}<Iteration_iter-num/>{EXTRAEND}</Iteration>{ITEREND}<Iteration_message>a</Iteration_message>"
     "{ITERSEND}{/}" CLOSE, ERROR},
    {"characters to be converted",
     OPEN "{BODY}{ITER}<Iteration>{MISSING}<Iteration_query-ID>{ID -}a\xc3\xa4{/}{CHAR=228}\xe4{/} b{CHAR=228}\xe4{/}</Iteration_query-ID><Iteration_message>{MESSAGE -}{/}{CHAR=228}\xe4{/}"
     "</Iteration_message></Iteration>{ITEREND}{ITERSEND}{/}" CLOSE, LATIN1},
    {"bytes that are kept",
     OPEN "{BODY}{ITER}<Iteration>{MISSING}<Iteration_query-ID>{ID}a\xe4\xc3{/}</Iteration_query-ID></Iteration>{ITEREND}{ITERSEND}{/}" CLOSE, KEEP},
    {"XML2",
     "{DOC}{NODECL}<BlastXML2>{ITERS=2}{BODY}{ITER}<BlastOutput2><report><Report><results>{HEADER}<Results><search><Search><query-id>{ID}Query_1{/}</query-id>"
     "<Iteration_message>no</Iteration_message><message>{MESSAGE}a &#xa;b{/}</message></Search></search></Results></results></Report></report></BlastOutput2>{ITEREND}"
     "{ITERSEND}{/}</BlastXML2>{DOCEND}", ERROR},
};
/* clang-format on */

static void check_golden(const struct golden *golden) {
    struct bytes text = hide_marks(golden->shown);
    struct trace trace = scan(&text, whole, "bytes", golden->invalid_utf8);
    struct bytes shown = show_marks(&text, &trace);
    if (trace.status != BLASTMERGE_OK || strcmp((const char *)shown.data, golden->shown) != 0) {
        fail_msg("%s: %s\nexpected %s\nbut got  %s", golden->name, trace.error.message, golden->shown,
                 (const char *)shown.data);
    }
    free_bytes(&shown);
    free_trace(&trace);
    free_bytes(&text);
}

static void test_marks(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof goldens / sizeof goldens[0]; i++) check_golden(&goldens[i]);
    tells_queries = true;
    for (size_t i = 0; i < sizeof query_goldens / sizeof query_goldens[0]; i++)
        check_golden(&query_goldens[i]);
    tells_queries = false;
    forbidden = BLASTMERGE_FORBIDDEN_REPLACE;
    for (size_t i = 0; i < sizeof forbidden_goldens / sizeof forbidden_goldens[0]; i++)
        check_golden(&forbidden_goldens[i]);
    forbidden = BLASTMERGE_FORBIDDEN_ERROR;
}

/* Kept, they change nothing; where there are none at all, neither. */
static void test_forbidden_is_kept(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof forbidden_goldens / sizeof forbidden_goldens[0]; i++) {
        struct bytes text = hide_marks(forbidden_goldens[i].shown);
        struct trace refused = scan(&text, whole, "bytes", forbidden_goldens[i].invalid_utf8);
        forbidden = BLASTMERGE_FORBIDDEN_KEEP;
        struct trace kept = scan(&text, whole, "bytes", forbidden_goldens[i].invalid_utf8);
        forbidden = BLASTMERGE_FORBIDDEN_REPLACE;
        struct trace replaced = scan(&text, whole, "bytes", forbidden_goldens[i].invalid_utf8);
        forbidden = BLASTMERGE_FORBIDDEN_ERROR;
        size_t n = 0;
        for (size_t j = 0; j < n_marks(&replaced); j++)
            n += mark_at(&replaced, j)->kind == BM_MARK_CHARACTER && mark_at(&replaced, j)->value == 0xfffd;
        assert_int_equal(kept.status, BLASTMERGE_OK);
        assert_int_equal(kept.counts.n_forbidden, n);
        assert_int_equal(replaced.counts.n_forbidden, n);
        assert_int_equal(refused.status, BLASTMERGE_DATA);
        assert_int_equal(refused.error.text_offset, kept.counts.first_forbidden);
        for (size_t j = 0; j < n_marks(&kept); j++) assert_true(mark_at(&kept, j)->value != 0xfffd);
        free_trace(&refused);
        free_trace(&kept);
        free_trace(&replaced);
        free_bytes(&text);
    }
}

/* What no option lets through: NUL bytes, and what stands where only markup can. */
static const struct rule forbidden_rules[] = {
    RULE(IN_HIT("a@\0"), "never written"),
    RULE("<BlastOutput><@\x01/></BlastOutput>", "is not legal"),
    RULE("<BlastOutput><a@\x01/></BlastOutput>", "is not legal"),
    RULE("<BlastOutput><a @\x01/></BlastOutput>", "is not legal"),
    RULE("<BlastOutput a=@\x01'b'></BlastOutput>", "is not legal"),
    RULE("<BlastOutput></BlastOutput@\x01>", "is not legal"),
    RULE("<BlastOutput><BlastOutput_iterations/></BlastOutput>@\x01", "is not legal"),
    RULE("<!DOCTYPE a SYSTEM '@\x01'><BlastOutput></BlastOutput>", "is not legal"),
    RULE("<?xml version='1.0'@\x01?><BlastOutput></BlastOutput>", "is not legal"),
    RULE(IN_HIT("&#@\x01;"), "is not legal"),
    RULE("<BlastOutput><BlastOutput_mbstat>@\x01</BlastOutput_mbstat></BlastOutput>",
         "would have to be converted"),
    RULE(IN_HIT("@&#x0000000000000000000000000000000000000000000000000000000000000000001;"),
         "longer than 64 bytes"),
};

static void test_forbidden_that_is_refused(void **state) {
    (void)state;
    forbidden = BLASTMERGE_FORBIDDEN_REPLACE;
    for (size_t i = 0; i < sizeof forbidden_rules / sizeof forbidden_rules[0]; i++) {
        size_t place;
        struct bytes text = take_rule(&forbidden_rules[i], &place);
        struct trace trace = scan(&text, whole, "bytes", BLASTMERGE_INVALID_UTF8_ERROR);
        if (trace.status != BLASTMERGE_DATA || trace.error.text_offset != place ||
            strstr(trace.error.message, forbidden_rules[i].message) == NULL)
            fail_msg("%s: status %d at %d, not %d: %s", forbidden_rules[i].text, (int)trace.status,
                     (int)trace.error.text_offset, (int)place, trace.error.message);
        free_trace(&trace);
        free_bytes(&text);
    }
    forbidden = BLASTMERGE_FORBIDDEN_ERROR;
}

/* --- splits and ways ------------------------------------------------------------------------- */

static void check_all_splits(const struct bytes *text, enum blastmerge_invalid_utf8 invalid_utf8) {
    static const size_t sizes[] = {1, 2, 3, 5, 7, 11, 13, 17, 61, 127, 251, 1021};
    struct trace expected = scan(text, whole, "bytes", invalid_utf8);
    check_split(text, whole, invalid_utf8, &expected);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        check_split(text, (struct split){0, sizes[i], {0}}, invalid_utf8, &expected);
    }
    for (size_t first = 1; first < text->n_data; first++) {
        struct split split = {first, SIZE_MAX, {0}};
        struct trace trace = scan(text, split, bm_mark_implementation(), invalid_utf8);
        if (!same_traces(&trace, &expected)) check_split(text, split, invalid_utf8, &expected);
        free_trace(&trace);
    }
    free_trace(&expected);
}

static void test_splits_of_rules(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        size_t place;
        struct bytes text = take_rule(&rules[i], &place);
        check_all_splits(&text, (enum blastmerge_invalid_utf8)(i % 3));
        free_bytes(&text);
    }
}

static void test_splits_of_marks(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof goldens / sizeof goldens[0]; i++) {
        struct bytes text = hide_marks(goldens[i].shown);
        check_all_splits(&text, goldens[i].invalid_utf8);
        free_bytes(&text);
    }
    tells_queries = true;
    for (size_t i = 0; i < sizeof query_goldens / sizeof query_goldens[0]; i++) {
        struct bytes text = hide_marks(query_goldens[i].shown);
        check_all_splits(&text, query_goldens[i].invalid_utf8);
        free_bytes(&text);
    }
    tells_queries = false;
    for (size_t i = 0; i < sizeof forbidden_goldens / sizeof forbidden_goldens[0]; i++) {
        struct bytes text = hide_marks(forbidden_goldens[i].shown);
        for (unsigned mode = 0; mode < 6; mode++) {
            forbidden = (enum blastmerge_forbidden_characters)(mode % 3);
            tells_queries = mode >= 3;
            check_all_splits(&text, forbidden_goldens[i].invalid_utf8);
        }
        free_bytes(&text);
    }
    tells_queries = false;
    forbidden = BLASTMERGE_FORBIDDEN_ERROR;
}

/* A content is told up to a ceiling, wherever a chunk ends, and whatever it ends in. */
static void check_content(const char *unit, size_t n_content, size_t n_told) {
    struct bytes text = {0};
    size_t n_unit = strlen(unit);
    add_text(&text, HEAD "</Hit><Iteration_message>");
    size_t begin = text.n_data;
    add_repeated(&text, "x", n_content % n_unit);
    add_repeated(&text, unit, n_content / n_unit);
    add_text(&text, "</Iteration_message><Hit>");
    add_repeated(&text, "<Hit_num>1</Hit_num>\n", 20); /* room for the walk */
    add_text(&text, TAIL);
    struct trace trace = scan(&text, whole, "bytes", KEEP);
    assert_int_equal(trace.status, BLASTMERGE_OK);
    size_t i = 0;
    while (mark_at(&trace, i)->kind != BM_MARK_MESSAGE) i++;
    assert_int_equal(mark_at(&trace, i)->offset, begin);
    assert_int_equal(mark_at(&trace, i)->end, begin + n_told);
    assert_int_equal(mark_at(&trace, i)->flags, n_told < n_content ? BM_MARK_CUT : 0);
    free_trace(&trace);
    check_all_splits(&text, KEEP);
    free_bytes(&text);
}

static void test_long_contents(void **state) {
    (void)state;
    tells_queries = true;
    check_content("m", 0, 0);
    check_content("m", BM_MARK_MAX_CONTENT - 1, BM_MARK_MAX_CONTENT - 1);
    check_content("m", BM_MARK_MAX_CONTENT, BM_MARK_MAX_CONTENT);
    check_content("m", BM_MARK_MAX_CONTENT + 1, BM_MARK_MAX_CONTENT);
    check_content("m", 6000, BM_MARK_MAX_CONTENT);
    check_content("&amp;", BM_MARK_MAX_CONTENT, BM_MARK_MAX_CONTENT);
    check_content("&amp;", BM_MARK_MAX_CONTENT + 8, BM_MARK_MAX_CONTENT);
    check_content("\xe4", BM_MARK_MAX_CONTENT + 8,
                  BM_MARK_MAX_CONTENT - 1); /* the last may begin a character */
    check_content("\xc3\xa4", BM_MARK_MAX_CONTENT + 1, BM_MARK_MAX_CONTENT - 1);
    tells_queries = false;
}

/* The rules once more, with so much text around that the walk comes to them, at any place of a window. */
static void test_rules_in_long_texts(void **state) {
    struct chance chance = {1};
    (void)state;
    for (size_t i = 0; i < 2 * sizeof rules / sizeof rules[0]; i++) {
        size_t place;
        struct bytes text = {0};
        struct bytes rule = take_rule(&rules[i / 2], &place);
        make_document(&text, &chance, 1 + below(&chance, 12));
        add_bytes(&text, rule.data, rule.n_data);
        if (rule.n_data >= sizeof HEAD - 1 &&
            memcmp(rule.data, HEAD, sizeof HEAD - 1) == 0) { /* in the middle of a long document, too */
            text.n_data -= rule.n_data;
            add_text(&text, HEAD);
            add_repeated(&text, "<Hit_num>\303\2441</Hit_num>\n", below(&chance, 300));
            add_bytes(&text, rule.data + sizeof HEAD - 1, rule.n_data - (sizeof HEAD - 1));
        }
        make_document(&text, &chance, 1);
        struct trace expected = scan(&text, whole, "bytes", (enum blastmerge_invalid_utf8)(i % 3));
        check_split(&text, whole, (enum blastmerge_invalid_utf8)(i % 3), &expected);
        check_split(&text, (struct split){0, 0, {i}}, (enum blastmerge_invalid_utf8)(i % 3), &expected);
        free_trace(&expected);
        free_bytes(&rule);
        free_bytes(&text);
    }
}

/* What chance makes is well-formed, and stays the same in any split and way. */
static void test_odd_documents(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 100; seed++) {
        struct chance chance = {seed};
        struct bytes text = {0};
        tells_queries = seed % 2 != 0;
        for (size_t n = below(&chance, 2) + 1; n > 0; n--) make_document(&text, &chance, below(&chance, 60));
        struct trace expected = scan(&text, whole, "bytes", BLASTMERGE_INVALID_UTF8_ERROR);
        if (expected.status != BLASTMERGE_OK) {
            fail_msg("seed %llu: at %llu: %s", (unsigned long long)seed,
                     (unsigned long long)expected.error.text_offset, expected.error.message);
        }
        check_split(&text, whole, BLASTMERGE_INVALID_UTF8_ERROR, &expected);
        if (text.n_data < 4000) {
            check_split(&text, (struct split){0, 1, {0}}, BLASTMERGE_INVALID_UTF8_ERROR, &expected);
        }
        check_split(&text, (struct split){0, 4099, {0}}, BLASTMERGE_INVALID_UTF8_ERROR, &expected);
        for (uint64_t i = 0; i < 4; i++) {
            check_split(&text, (struct split){0, 0, {seed + i}}, BLASTMERGE_INVALID_UTF8_ERROR, &expected);
        }
        free_trace(&expected);
        free_bytes(&text);
    }
    tells_queries = false;
}

/* Bytes changed by chance: mostly errors, the same ones in all ways. */
static void test_damaged_documents(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 600; seed++) {
        struct chance chance = {seed};
        struct bytes text = {0};
        enum blastmerge_invalid_utf8 invalid_utf8 = (enum blastmerge_invalid_utf8)below(&chance, 3);
        make_document(&text, &chance, below(&chance, 40));
        for (size_t n = below(&chance, 4); n > 0; n--) {
            text.data[below(&chance, text.n_data)] = (uint8_t)next_chance(&chance);
        }
        tells_queries = seed % 2 != 0;
        forbidden = (enum blastmerge_forbidden_characters)(seed / 2 % 3);
        struct trace expected = scan(&text, whole, "bytes", invalid_utf8);
        check_split(&text, whole, invalid_utf8, &expected);
        check_split(&text, (struct split){0, 0, {seed}}, invalid_utf8, &expected);
        free_trace(&expected);
        free_bytes(&text);
    }
    forbidden = BLASTMERGE_FORBIDDEN_ERROR;
    tells_queries = false;
}

/* More marks than a list has room for. */
static void test_full_lists(void **state) {
    struct bytes text = {0};
    (void)state;
    add_text(&text, "<BlastOutput><BlastOutput_iterations>");
    add_repeated(&text, "<Iteration><Iteration_iter-num>1</Iteration_iter-num><Hit>\344</Hit></Iteration>\n",
                 700);
    add_repeated(&text, "<Iteration/>", 700);
    add_repeated(&text, "\344\344\344", 700);
    add_text(&text, "</BlastOutput_iterations></BlastOutput>");
    struct trace expected = scan(&text, (struct split){0, 1, {0}}, "bytes", BLASTMERGE_INVALID_UTF8_LATIN1);
    assert_int_equal(expected.status, BLASTMERGE_OK);
    assert_int_equal(expected.counts.n_iterations, 1400);
    assert_int_equal(expected.counts.n_hits, 700);
    assert_int_equal(expected.counts.n_invalid_bytes, 2800);
    assert_int_equal(n_marks(&expected), 4 * 700 + 3 * 700 + 3 * 700 + 6);
    for (const char *const *way = bm_mark_ways; *way != NULL; way++) {
        if (!way_exists(*way)) continue;
        struct trace trace = scan(&text, whole, *way, BLASTMERGE_INVALID_UTF8_LATIN1);
        assert_true(same_traces(&trace, &expected));
        free_trace(&trace);
    }
    free_trace(&expected);
    free_bytes(&text);
}

/* Inside of Hits nothing but an incomplete character is held back. */
static void test_safe_inside_of_hits(void **state) {
    static const char head[] = HEAD "<Hit_def>";
    static const char inside[] =
        "a <!-- \303\244 --><x a='1'/> \342\202\254 <y>&amp;]]</y> <![CDATA[>]]><?z?>";
    struct bytes text = {0};
    (void)state;
    add_text(&text, head);
    add_text(&text, inside);
    struct trace trace = scan(&text, (struct split){0, 1, {0}}, "bytes", BLASTMERGE_INVALID_UTF8_ERROR);
    for (size_t i = sizeof head - 1; i < text.n_data; i++) {
        uint64_t safe;
        size_t n_pending = 0;
        memcpy(&safe, trace.safe.data + i * sizeof safe, sizeof safe);
        while (n_pending < 3 && text.data[i - n_pending] >= 0x80) n_pending++;
        assert_true(safe <= i + 1 && safe + n_pending >= i + 1);
        if (text.data[i] < 0x80) assert_int_equal(safe, i + 1);
    }
    free_trace(&trace);
    free_bytes(&text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_marks),
        cmocka_unit_test(test_forbidden_is_kept),
        cmocka_unit_test(test_forbidden_that_is_refused),
        cmocka_unit_test(test_splits_of_rules),
        cmocka_unit_test(test_splits_of_marks),
        cmocka_unit_test(test_long_contents),
        cmocka_unit_test(test_rules_in_long_texts),
        cmocka_unit_test(test_odd_documents),
        cmocka_unit_test(test_damaged_documents),
        cmocka_unit_test(test_full_lists),
        cmocka_unit_test(test_safe_inside_of_hits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
