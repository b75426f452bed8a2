/* SPDX-License-Identifier: MIT */
/*
 * The scanner's verdicts against expat's, on documents and on mutations of them.
 *
 * Each document of a text is given to expat alone. Both must say the same, and where both refuse, at about
 * the same place. Where the scanner is meant to be stricter (or, for names, more generous), a reason says so;
 * each reason is proven from the text or from what expat found in it, never from the scanner's own message.
 * What no reason explains fails the test. docs/mark.md justifies each.
 */
#include "mutations.h"

#include <expat.h>
#include <iconv.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* --- expat ----------------------------------------------------------------------------------- */

/* What expat says of one document, and what it found in it. */
struct verdict {
    bool is_fine;
    enum XML_Error error;
    size_t at; /* of the error */
    unsigned depth;
    unsigned max_depth;
    size_t max_name;
    unsigned max_attributes;
    size_t max_attribute_names;
    char root[64];
    char encoding[64]; /* declared */
    unsigned n_iterations;
    bool is_in_megablast;
    size_t megablast_at;
    size_t max_megablast;
    XML_Parser parser;
};

static void see_name(struct verdict *verdict, const char *name) {
    if (strlen(name) > verdict->max_name) verdict->max_name = strlen(name);
}

static void XMLCALL on_start(void *user, const XML_Char *name, const XML_Char **attributes) {
    struct verdict *verdict = user;
    unsigned n = 0;
    size_t n_names = 0;
    see_name(verdict, name);
    for (; attributes[2 * n] != NULL; n++) {
        see_name(verdict, attributes[2 * n]);
        n_names += strlen(attributes[2 * n]);
    }
    if (n > verdict->max_attributes) verdict->max_attributes = n;
    if (n_names > verdict->max_attribute_names) verdict->max_attribute_names = n_names;
    if (verdict->depth == 0) snprintf(verdict->root, sizeof verdict->root, "%s", name);
    if (verdict->depth == 1 && strcmp(name, "BlastOutput_iterations") == 0) verdict->n_iterations++;
    if (verdict->depth == 1) {
        verdict->is_in_megablast = strcmp(name, "BlastOutput_mbstat") == 0;
        verdict->megablast_at = (size_t)XML_GetCurrentByteIndex(verdict->parser);
    }
    if (++verdict->depth > verdict->max_depth) verdict->max_depth = verdict->depth;
}

static void end_megablast(struct verdict *verdict, size_t end) {
    size_t length = end - verdict->megablast_at;
    if (verdict->is_in_megablast && length > verdict->max_megablast) verdict->max_megablast = length;
    verdict->is_in_megablast = false;
}

static void XMLCALL on_end(void *user, const XML_Char *name) {
    struct verdict *verdict = user;
    (void)name;
    if (--verdict->depth > 1) return;
    end_megablast(verdict, (size_t)XML_GetCurrentByteIndex(verdict->parser) +
                               (size_t)XML_GetCurrentByteCount(verdict->parser));
}

static void XMLCALL on_instruction(void *user, const XML_Char *target, const XML_Char *data) {
    (void)data;
    see_name(user, target);
}

static void XMLCALL on_declaration(void *user, const XML_Char *version, const XML_Char *encoding,
                                   int standalone) {
    struct verdict *verdict = user;
    (void)version;
    (void)standalone;
    if (encoding != NULL) snprintf(verdict->encoding, sizeof verdict->encoding, "%s", encoding);
}

static void XMLCALL on_doctype(void *user, const XML_Char *name, const XML_Char *system,
                               const XML_Char *public, int has_subset) {
    (void)system;
    (void)public;
    (void)has_subset;
    see_name(user, name);
}

/* Encodings that expat has not itself are iconv's: tables that are not ours. */
static int XMLCALL on_encoding(void *user, const XML_Char *name, XML_Encoding *info) {
    (void)user;
    iconv_t converter = iconv_open("UTF-32LE", name);
    if (converter == (iconv_t)-1) return XML_STATUS_ERROR;
    for (int byte = 0; byte < 256; byte++) {
        char in = (char)byte;
        unsigned char out[8] = {0};
        char *from = &in;
        char *to = (char *)out;
        size_t n_in = 1;
        size_t n_out = sizeof out;
        bool is_known = iconv(converter, &from, &n_in, &to, &n_out) != (size_t)-1 && n_out == 4;
        info->map[byte] = is_known ? (int)(out[0] | out[1] << 8 | out[2] << 16) : -1;
        iconv(converter, NULL, NULL, NULL, NULL);
    }
    info->data = NULL;
    info->convert = NULL;
    info->release = NULL;
    iconv_close(converter);
    return XML_STATUS_OK;
}

static struct verdict ask_expat(const uint8_t *text, size_t n_text) {
    struct verdict verdict;
    XML_Parser parser = XML_ParserCreate(NULL);
    DEMAND(parser != NULL);
    memset(&verdict, 0, sizeof verdict);
    verdict.parser = parser;
    XML_SetUserData(parser, &verdict);
    XML_SetElementHandler(parser, on_start, on_end);
    XML_SetProcessingInstructionHandler(parser, on_instruction);
    XML_SetXmlDeclHandler(parser, on_declaration);
    XML_SetStartDoctypeDeclHandler(parser, on_doctype);
    XML_SetUnknownEncodingHandler(parser, on_encoding, NULL);
    verdict.is_fine = XML_Parse(parser, (const char *)text, (int)n_text, 1) == XML_STATUS_OK;
    verdict.error = XML_GetErrorCode(parser);
    verdict.at = verdict.is_fine ? n_text : (size_t)XML_GetCurrentByteIndex(parser);
    end_megablast(&verdict, verdict.at); /* if it is still open */
    XML_ParserFree(parser);
    return verdict;
}

/* --- reasons --------------------------------------------------------------------------------- */

/* One document of a text. */
struct document {
    const uint8_t *text;
    size_t n_text;
    bool is_fine; /* for the scanner */
    size_t at;    /* the place of its error */
    struct verdict expat;
};

static bool begins_with(const struct document *document, size_t at, const char *prefix) {
    size_t n = strlen(prefix);
    return at <= document->n_text && n <= document->n_text - at &&
           memcmp(document->text + at, prefix, n) == 0;
}

static size_t find(const struct document *document, const char *what) {
    for (size_t at = 0; at < document->n_text; at++) {
        if (begins_with(document, at, what)) return at;
    }
    return SIZE_MAX;
}

/* expat skips entities where an external DTD, which it does not read, might declare them. */
static bool is_undeclared_entity(const struct document *document) {
    static const char *const predefined[] = {"&lt;", "&gt;", "&amp;", "&apos;", "&quot;"};
    size_t at = document->at;
    size_t doctype = find(document, "<!DOCTYPE");
    if (!begins_with(document, at, "&") || doctype > at) return false;
    for (size_t i = 0; i < 5; i++) {
        if (begins_with(document, at, predefined[i])) return false;
    }
    do at++;
    while (at < document->n_text && (bm_mark_xml_is_name(document->text[at]) || document->text[at] >= 0x80));
    return at > document->at + 1 && begins_with(document, at, ";") &&
           !begins_with(document, document->at, "&#");
}

/* expat does not look at the version. */
static bool is_version(const struct document *document) {
    size_t end = find(document, "?>");
    size_t at = find(document, "version");
    if (end == SIZE_MAX || at > end || document->at > end || document->at <= at) return false;
    for (at += strlen("version"); at < document->at; at++) { /* only '=', white space and a quote between */
        if (strchr("= \t\r\n\"'", document->text[at]) == NULL) return false;
    }
    if (!begins_with(document, at, "1.")) return true;
    for (at += 2; document->text[at] >= '0' && document->text[at] <= '9'; at++) {
    }
    return document->text[at] != document->text[document->at - 1] || document->text[at - 1] == '.';
}

static bool is_subset(const struct document *document) {
    return find(document, "<!DOCTYPE") < document->at && begins_with(document, document->at, "[");
}

static bool is_utf16(const struct document *document) {
    return begins_with(document, 0, "\xff\xfe") || begins_with(document, 0, "\xfe\xff") ||
           (document->n_text > 1 && (document->text[0] == 0 || document->text[1] == 0));
}

static bool is_other_encoding(const struct document *document) {
    const char *name = document->expat.encoding;
    return name[0] != '\0' && bm_mark_xml_find_encoding(name, strlen(name)) == BM_ENCODING_OTHER &&
           document->at < find(document, "?>");
}

static bool is_encoding_with_bom(const struct document *document) {
    const char *name = document->expat.encoding;
    return begins_with(document, 0, "\xef\xbb\xbf") && name[0] != '\0' &&
           bm_mark_xml_find_encoding(name, strlen(name)) != BM_ENCODING_UTF8 &&
           document->at < find(document, "?>");
}

static bool is_other_root(const struct document *document) {
    return document->expat.root[0] != '\0' && strcmp(document->expat.root, "BlastOutput") != 0 &&
           begins_with(document, document->at, "<");
}

static bool is_no_iterations(const struct document *document) {
    return document->expat.n_iterations == 0 && (begins_with(document, document->at, "</BlastOutput") ||
                                                 begins_with(document, document->at, "<BlastOutput"));
}

static bool is_second_iterations(const struct document *document) {
    return document->expat.n_iterations > 1 && begins_with(document, document->at, "<BlastOutput_iterations");
}

static bool is_long_name(const struct document *document) {
    size_t n_name = 0;
    while (n_name < document->at && (document->text[document->at - n_name - 1] >= 0x80 ||
                                     bm_mark_xml_is_name(document->text[document->at - n_name - 1]))) {
        n_name++;
    }
    return n_name > BM_MARK_MAX_NAME - 4;
}

static bool is_deep(const struct document *document) {
    return document->expat.max_depth > BM_MARK_MAX_DEPTH && begins_with(document, document->at, "<");
}

static bool is_rich_in_attributes(const struct document *document) {
    return document->expat.max_attributes > BM_MARK_MAX_ATTRIBUTES ||
           document->expat.max_attribute_names > 4096;
}

static bool is_long_declaration(const struct document *document) {
    size_t end = find(document, "?>");
    return find(document, "<?xml") <= 3 && end != SIZE_MAX && end > BM_MARK_MAX_DECLARATION - 2 &&
           document->at >= BM_MARK_MAX_DECLARATION && document->at <= end + 1;
}

static bool is_long_megablast(const struct document *document) {
    return document->expat.max_megablast > BM_MARK_MAX_HOLD ||
           (document->expat.max_megablast > 0 && document->expat.encoding[0] != '\0' &&
            document->text[document->at] >= 0x80);
}

/* expat has the fourth edition's tables for names; the fifth has more characters. */
static bool is_fifth_edition(const struct document *document) {
    size_t at = document->expat.at;
    struct bytes text = {0};
    if (document->expat.error != XML_ERROR_INVALID_TOKEN || at >= document->n_text ||
        document->text[at] < 0x80)
        return false;
    add_bytes(&text, document->text, document->n_text);
    for (bool is_first = true; at < text.n_data && (is_first || (text.data[at] & 0xc0) == 0x80);
         at++, is_first = false) {
        text.data[at] = 'a'; /* with a letter in its place, expat goes on from there */
    }
    struct verdict verdict = ask_expat(text.data, text.n_data);
    free_bytes(&text);
    return verdict.is_fine || verdict.at > document->expat.at;
}

struct reason {
    const char *name;
    bool (*explains)(const struct document *document);
    bool is_generous; /* the scanner goes on where expat does not */
    size_t n_times;
};

static struct reason reasons[] = {
    {"an entity that an external DTD might declare", is_undeclared_entity, false, 0},
    {"a version that is not 1.x", is_version, false, 0},
    {"an internal DTD subset", is_subset, false, 0},
    {"UTF-16 or UTF-32", is_utf16, false, 0},
    {"an encoding that is not read", is_other_encoding, false, 0},
    {"an encoding that is not the byte order mark's", is_encoding_with_bom, false, 0},
    {"another root element", is_other_root, false, 0},
    {"no BlastOutput_iterations", is_no_iterations, false, 0},
    {"a second BlastOutput_iterations", is_second_iterations, false, 0},
    {"ceiling: a name's length", is_long_name, false, 0},
    {"ceiling: depth", is_deep, false, 0},
    {"ceiling: attributes", is_rich_in_attributes, false, 0},
    {"ceiling: the declaration's length", is_long_declaration, false, 0},
    {"ceiling: BlastOutput_mbstat's length", is_long_megablast, false, 0},
    {"a name of the fifth edition", is_fifth_edition, true, 0},
};

static bool has_reason(const struct document *document, bool is_generous) {
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        if (reasons[i].is_generous != is_generous || !reasons[i].explains(document)) continue;
        reasons[i].n_times++;
        return true;
    }
    return false;
}

/* --- comparing ------------------------------------------------------------------------------- */

enum { NEAR = 600 };

/* In a token that begins at one place and ends, at the earliest, right before another. */
static bool is_in_token(const struct document *document, size_t begin, size_t at, const char *open,
                        const char *close) {
    struct document rest = {.text = document->text + begin, .n_text = at - begin - 1};
    if (begin >= at || !begins_with(document, begin, open)) return false;
    rest.text += strlen(open) < rest.n_text ? strlen(open) : rest.n_text;
    rest.n_text -= (size_t)(rest.text - (document->text + begin));
    return find(&rest, close) == SIZE_MAX;
}

/* In a literal of the DOCTYPE that begins before one place and ends, at the earliest, right before another.
 */
static bool is_in_literal(const struct document *document, size_t earlier, size_t later) {
    if (later <= earlier) return false;
    uint8_t quote = 0;
    for (size_t at = find(document, "<!DOCTYPE"); at < earlier; at++) {
        uint8_t byte = document->text[at];
        if (quote == 0 && byte == '>') return false; /* the DOCTYPE is at its end */
        if (quote == 0 && (byte == '"' || byte == '\'')) {
            quote = byte;
        } else if (byte == quote) {
            quote = 0;
        }
    }
    return quote != 0 && memchr(document->text + earlier, quote, later - earlier - 1) == NULL;
}

/* expat looks at a token as a whole, be it in its place or not: what it says of one is later, or at another
 * byte. */
static bool is_far_behind(const struct document *document, size_t later, size_t earlier) {
    size_t declaration = find(document, "<?xml");
    bool is_in_declaration = declaration <= 3 && is_in_token(document, declaration, earlier, "<?", "?>");
    return later > earlier + NEAR && !is_in_declaration && !is_in_literal(document, earlier, later) &&
           !is_in_token(document, earlier, later, "<", ">") &&
           !is_in_token(document, earlier, later, "<!--", "-->") &&
           !is_in_token(document, earlier, later, "<?", "?>") &&
           !is_in_token(document, earlier, later, "\"", "\"") &&
           !is_in_token(document, earlier, later, "'", "'") &&
           memchr(document->text + earlier, '>', later - earlier) != NULL;
}

static bool ends_too_soon(const struct verdict *expat) {
    return expat->error == XML_ERROR_UNCLOSED_TOKEN || expat->error == XML_ERROR_NO_ELEMENTS ||
           expat->error == XML_ERROR_PARTIAL_CHAR || expat->error == XML_ERROR_UNCLOSED_CDATA_SECTION;
}

static bool agrees(const struct document *document) {
    const struct verdict *expat = &document->expat;
    if (document->is_fine && expat->is_fine) {
        tally.n_fine++;
        return true;
    }
    if (!document->is_fine && (expat->is_fine || is_far_behind(document, expat->at, document->at)))
        return has_reason(document, false);
    if (document->is_fine || (is_far_behind(document, document->at, expat->at) && !ends_too_soon(expat)))
        return has_reason(document, true);
    tally.n_refused++;
    return true;
}

static void check_document(const struct bytes *text, size_t begin, size_t end, const struct trace *trace,
                           bool is_fine, uint64_t seed) {
    struct document document = {.text = text->data + begin, .n_text = end - begin, .is_fine = is_fine};
    document.at = is_fine ? document.n_text : (size_t)trace->error.text_offset - begin;
    document.expat = ask_expat(document.text, document.n_text);
    tally.n_documents++;
    if (agrees(&document)) return;
    size_t from = document.at < 200 ? 0 : document.at - 200;
    (void)fwrite(document.text + from, 1, document.n_text - from < 400 ? document.n_text - from : 400,
                 stderr);
    fail_msg("seed %llu, document at %zu: the scanner %s at %zu (%s), expat %s at %zu (%s)",
             (unsigned long long)seed, begin, is_fine ? "ends" : "fails", document.at,
             is_fine ? "" : trace->error.message, document.expat.is_fine ? "ends" : "fails",
             document.expat.at, XML_ErrorString(document.expat.error));
}

static void check_text(const struct bytes *text, uint64_t seed) {
    struct trace trace = scan(text, whole, "bytes", BLASTMERGE_INVALID_UTF8_ERROR);
    struct trace other = scan(text, whole, bm_mark_implementation(), BLASTMERGE_INVALID_UTF8_ERROR);
    struct trace split =
        scan(text, (struct split){0, 0, {seed}}, bm_mark_implementation(), BLASTMERGE_INVALID_UTF8_ERROR);
    size_t begin = 0;
    if (!same_traces(&trace, &other) || !same_traces(&trace, &split))
        fail_msg("seed %llu: ways or splits differ", (unsigned long long)seed);
    tally.n_texts++;
    for (size_t i = 0; i < n_marks(&trace); i++) {
        const struct bm_mark_entry *entry = mark_at(&trace, i);
        if (entry->kind == BM_MARK_DOCUMENT) begin = (size_t)entry->offset;
        if (entry->kind == BM_MARK_DOCUMENT_END)
            check_document(text, begin, (size_t)entry->offset, &trace, true, seed);
    }
    if (trace.status != BLASTMERGE_OK) check_document(text, begin, text->n_data, &trace, false, seed);
    free_trace(&trace);
    free_trace(&other);
    free_trace(&split);
}

/* --- texts ----------------------------------------------------------------------------------- */

static const char blast[] =
    "<?xml version=\"1.0\"?>\n"
    "<!DOCTYPE BlastOutput PUBLIC \"-//NCBI//NCBI BlastOutput/EN\" "
    "\"http://www.ncbi.nlm.nih.gov/dtd/NCBI_BlastOutput.dtd\">\n"
    "<BlastOutput>\n"
    "  <BlastOutput_program>blastp</BlastOutput_program>\n"
    "  <BlastOutput_reference>Alejandro A. Sch&amp;auml;ffer, &quot;Gapped "
    "BLAST&quot;</BlastOutput_reference>\n"
    "  <BlastOutput_db>nr</BlastOutput_db>\n"
    "  <BlastOutput_param>\n    <Parameters>\n      <Parameters_expect>10</Parameters_expect>\n    "
    "</Parameters>\n"
    "  </BlastOutput_param>\n"
    "<BlastOutput_iterations>\n"
    "<Iteration>\n"
    "  <Iteration_iter-num>1</Iteration_iter-num>\n"
    "  <Iteration_query-ID>Query_1</Iteration_query-ID>\n"
    "<Iteration_hits>\n<Hit>\n  <Hit_num>1</Hit_num>\n"
    "  <Hit_def>sp|P0A7B8 3&apos;-5&apos; exonuclease [Escherichia coli] &gt;gi|1 \303\204hnlich</Hit_def>\n"
    "  <Hit_hsps>\n    <Hsp>\n      <Hsp_num>1</Hsp_num>\n      <Hsp_evalue>6.15584e-37</Hsp_evalue>\n"
    "      <Hsp_qseq>MKV--LLA</Hsp_qseq>\n      <Hsp_midline>MKV  L+A</Hsp_midline>\n    </Hsp>\n  "
    "</Hit_hsps>\n</Hit>\n"
    "</Iteration_hits>\n"
    "</Iteration>\n"
    "<Iteration>\n  <Iteration_iter-num>2</Iteration_iter-num>\n  <Iteration_message>No hits "
    "found</Iteration_message>\n"
    "</Iteration>\n"
    "</BlastOutput_iterations>\n"
    "</BlastOutput>\n\n";

static const char strange[] =
    "<?xml version='1.1' encoding='ISO-8859-1' standalone='no' ?><!-- \344 --><?go \344?><!DOCTYPE "
    "BlastOutput SYSTEM 'a>b'>"
    "<BlastOutput\n><?a?><x  a='1' b=\"&#10;'>\" \351='\351'/><![CDATA[<\344]] ]]><BlastOutput_iterations\t>"
    "<Iteration/><Iteration><Iteration_iter-num>1</Iteration_iter-num><Iteration_iter-num>2</"
    "Iteration_iter-num>]]&gt;"
    "</Iteration></BlastOutput_iterations><BlastOutput_mbstat><a/></BlastOutput_mbstat></BlastOutput><!-- "
    "-->\r\n<?b c?>";

static void make_base(struct bytes *text, struct chance *chance) {
    switch (below(chance, 8)) {
    case 0:
        add_bytes(text, strange, sizeof strange - 1);
        break;
    case 1:
    case 2:
        make_document(text, chance, below(chance, 6));
        break;
    case 3:
        make_document(text, chance, below(chance, 3));
        add_bytes(text, blast, sizeof blast - 1);
        break;
    default:
        add_bytes(text, blast, sizeof blast - 1);
    }
}

/* --- mutations ------------------------------------------------------------------------------- */

static void change_to_syntax(struct bytes *text, struct chance *chance) {
    static const char bytes[] = "<>&;'\"=/!?-[]xX# \n\r\t\0\x01\x7f\x80\xa4\xbf\xc3\xed\xef\xf4\xff";
    text->data[below(chance, text->n_data)] = (uint8_t)bytes[below(chance, sizeof bytes - 1)];
}

/* The range of a tag, or other markup, at or behind a place; false: there is none. */
static bool find_tag(const struct bytes *text, size_t from, size_t *begin, size_t *end) {
    const uint8_t *less = memchr(text->data + from, '<', text->n_data - from);
    if (less == NULL) return false;
    *begin = (size_t)(less - text->data);
    const uint8_t *greater = memchr(less, '>', text->n_data - *begin);
    if (greater == NULL) return false;
    *end = (size_t)(greater - text->data) + 1;
    return true;
}

static void swap_tags(struct bytes *text, struct chance *chance) {
    size_t begin[2];
    size_t end[2];
    struct bytes result = {0};
    if (!find_tag(text, below(chance, text->n_data), &begin[0], &end[0])) return;
    if (!find_tag(text, end[0] - 1, &begin[1], &end[1])) return;
    add_bytes(&result, text->data, begin[0]);
    add_bytes(&result, text->data + begin[1], end[1] - begin[1]);
    add_bytes(&result, text->data + end[0], begin[1] - end[0]);
    add_bytes(&result, text->data + begin[0], end[0] - begin[0]);
    add_bytes(&result, text->data + end[1], text->n_data - end[1]);
    free_bytes(text);
    *text = result;
}

static void drop_tag(struct bytes *text, struct chance *chance) {
    size_t begin;
    size_t end;
    if (find_tag(text, below(chance, text->n_data), &begin, &end)) replace(text, begin, end - begin, NULL, 0);
}

static const char *const snippets[] = {
    "&auml;",
    "&amp;",
    "&#65;",
    "&#x0;",
    "&#xFFFE;",
    "&#x10FFFF;",
    "&#x110000;",
    "&#99999999999;",
    "&",
    "&;",
    "&a",
    "&#;",
    "]]>",
    "]]&gt;",
    "]]",
    "<!--",
    "-->",
    "--",
    "<!-- a -->",
    "<!---->",
    "<![CDATA[",
    "<![CDATA[]]>",
    "]]>",
    "<?a?>",
    "<?xml?>",
    "<?xml version='1.0'?>",
    "<?XML a?>",
    "?>",
    "<a/>",
    "<a b='1'/>",
    "<a b='1' b='2'/>",
    "<a b=\"<\"/>",
    "<a b='1'c='2'>",
    "</a>",
    "<BlastOutput_iterations/>",
    "<BlastOutput_iterations>",
    "<BlastOutput>",
    "</BlastOutput>",
    "<Hit>",
    "</Hit>",
    "<!DOCTYPE a>",
    "<!DOCTYPE a [<!ENTITY b 'c'>]>",
    "<!DOCTYPE a PUBLIC 'b' 'c'>",
    " a='b'",
    " a='b' a='b'",
    " ",
    "\n",
    "\t",
    "/",
    "=",
    "'",
    "\"",
    "<\303\251 \303\251='1'/>",
    "<\360\220\200\200/>",
    "<\342\201\260/>",
    "<x\342\200\277/>",
    "<\315\276/>",
    "<\303\227/>",
    "<-a/>",
    "<:/>",
    "<Iteration_iter-num>3</Iteration_iter-num>",
    "<BlastOutput_mbstat>",
    "</BlastOutput_mbstat>",
};

static void insert_snippet(struct bytes *text, struct chance *chance) {
    insert_text(text, below(chance, text->n_data + 1), PICK(chance, snippets));
}

static void break_utf8(struct bytes *text, struct chance *chance) {
    static const char *const sequences[] = {
        "\200",
        "\300\200",
        "\301\277",
        "\303",
        "\303\244",
        "\340\200\200",
        "\340\237\277",
        "\340\240\200",
        "\342\202",
        "\342\202\254",
        "\355\237\277",
        "\355\240\200",
        "\355\277\277",
        "\357\273\277",
        "\357\277\275",
        "\357\277\276",
        "\357\277\277",
        "\360\217\277\277",
        "\360\220\200\200",
        "\360\237\247\254",
        "\360\237\247",
        "\364\217\277\277",
        "\364\220\200\200",
        "\365\200\200\200",
        "\377",
        "\376",
    };
    insert_text(text, below(chance, text->n_data + 1), PICK(chance, sequences));
}

static void change_declaration(struct bytes *text, struct chance *chance) {
    static const char *const declarations[] = {
        "<?xml version='1.0'?>",
        "<?xml version='1.1' ?>",
        "<?xml version='1.'?>",
        "<?xml version='2.0'?>",
        "<?xml version='1.0a'?>",
        "<?xml version=\"1.0\" encoding=\"latin1\"?>",
        "<?xml version='1.0' encoding='ISO-8859-15'?>",
        "<?xml version='1.0' encoding='windows-1252'?>",
        "<?xml version='1.0' encoding='us-ascii'?>",
        "<?xml version='1.0' encoding='UTF-16'?>",
        "<?xml version='1.0' encoding='KOI8-R'?>",
        "<?xml version='1.0' encoding='ISO-8859-2'?>",
        "<?xml version='1.0' encoding='nonsense'?>",
        "<?xml version='1.0' encoding='utf-8' standalone='yes'?>",
        "<?xml version='1.0' standalone='no'?>",
        "<?xml version='1.0' standalone='maybe'?>",
        "<?xml version='1.0' standalone='no' encoding='utf-8'?>",
        "<?xml version='1.0'encoding='utf-8'?>",
        "<?xml encoding='utf-8'?>",
        "<?xml?>",
        "\357\273\277<?xml version='1.0'?>",
        "\357\273\277<?xml version='1.0' encoding='ISO-8859-1'?>",
        "\377\376",
        "\376\377",
        " <?xml version='1.0'?>",
    };
    size_t end = 0;
    if (text->n_data > 5 && memcmp(text->data, "<?xml", 5) == 0) {
        const uint8_t *greater = memchr(text->data, '>', text->n_data);
        if (greater != NULL) end = (size_t)(greater - text->data) + 1;
    }
    const char *declaration = PICK(chance, declarations);
    replace(text, 0, end, declaration, strlen(declaration));
}

/* Beyond the ceilings, and just not. */
static void insert_large(struct bytes *text, struct chance *chance) {
    struct bytes large = {0};
    size_t n = 250 + below(chance, 12);
    size_t kind = below(chance, 5);
    if (kind == 0) {
        add_text(&large, "<");
        add_repeated(&large, "n", n);
        add_text(&large, "/>");
    } else if (kind == 1) {
        add_repeated(&large, "<d>", n - 195);
        add_repeated(&large, "</d>", n - 195);
    } else if (kind == 2) {
        add_text(&large, "<a");
        for (size_t i = 0; i < n - 192; i++) {
            char attribute[32];
            snprintf(attribute, sizeof attribute, " a%d=''", (int)i);
            add_text(&large, attribute);
        }
        add_text(&large, "/>");
    } else if (kind == 3) {
        add_text(&large, "<BlastOutput_mbstat>");
        add_repeated(&large, "m", 7900 + n);
        add_text(&large, "</BlastOutput_mbstat>");
    } else {
        add_repeated(&large, " ", n * 4);
    }
    replace(text, below(chance, text->n_data), 0, large.data, large.n_data);
    free_bytes(&large);
}

static void append_document(struct bytes *text, struct chance *chance) {
    (void)chance;
    add_bytes(text, blast, sizeof blast - 1);
}

static mutation *const mutations[] = {
    truncate_text,  change_byte, change_to_syntax,   change_to_syntax, delete_range,
    double_range,   swap_tags,   drop_tag,           insert_snippet,   insert_snippet,
    insert_snippet, break_utf8,  change_declaration, insert_large,     append_document,
};

static void test_mutations(void **state) {
    (void)state;
    try_mutations(make_base, mutations, sizeof mutations / sizeof mutations[0], check_text);
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        print_message("  %8zu  %s\n", reasons[i].n_times, reasons[i].name);
    }
}

/* Each reason, shown alone: so that none of them is a dead letter. */
static void test_reasons(void **state) {
    static const char *const texts[] = {
        "<!DOCTYPE a SYSTEM 'b'><BlastOutput>&auml;<BlastOutput_iterations/></BlastOutput>",
        "<?xml version='2.0'?>" NO_HITS,
        "<!DOCTYPE a []>" NO_HITS,
        NULL,
        "<?xml version='1.0' encoding='ISO-8859-2'?>" NO_HITS,
        "\357\273\277<?xml version='1.0' encoding='ISO-8859-1'?>" NO_HITS,
        "<html/>",
        "<BlastOutput></BlastOutput>",
        "<BlastOutput><BlastOutput_iterations/><BlastOutput_iterations/></BlastOutput>",
    };
    static const char utf16[] = "\377\376<\0a\0/\0>";
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct bytes text = {0};
        size_t before = reasons[i].n_times;
        if (texts[i] == NULL) {
            add_bytes(&text, utf16, sizeof utf16); /* with the literal's NUL */
        } else {
            add_text(&text, texts[i]);
        }
        check_text(&text, 0);
        assert_int_equal(reasons[i].n_times, before + 1);
        free_bytes(&text);
    }
}

/* What chance makes, unharmed: accepted by both. */
static void test_unharmed(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 500; seed++) {
        struct chance chance = {seed};
        struct bytes text = {0};
        make_document(&text, &chance, below(&chance, 20));
        struct verdict verdict = ask_expat(text.data, text.n_data);
        if (!verdict.is_fine) fail_msg("seed %d: expat: %s", (int)seed, XML_ErrorString(verdict.error));
        check_text(&text, seed);
        free_bytes(&text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reasons),
        cmocka_unit_test(test_unharmed),
        cmocka_unit_test(test_mutations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
