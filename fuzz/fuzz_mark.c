/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes the scanner: any split and any way tell the same, and where expat has no opinion of its own (no
 * declaration, no DOCTYPE, only ASCII) it accepts what the scanner accepts, and the other way round.
 *
 * The first byte chooses: what happens to bytes that are not UTF-8 (bits 0 and 1) and to characters that XML
 * forbids (bits 4 and 5), and whether the input stands inside of a Hit, with text around it that the fast
 * paths take (bit 2). The second one is the split's seed.
 */
#include "../tests/test_mark.h"

#include <expat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_data);

static void add_input(struct bytes *text, bool is_inside, const uint8_t *data, size_t n_data) {
    if (is_inside) {
        add_text(text, "<BlastOutput><BlastOutput_iterations>\n<Iteration>\n<Iteration_iter-num>1</"
                       "Iteration_iter-num><Hit>\n");
    }
    add_bytes(text, data, n_data);
    if (is_inside) {
        add_repeated(text, "<Hsp_num>12345678</Hsp_num>\n",
                     8); /* the last bytes of a text are always the judge's */
        add_text(text, "</Hit></Iteration></BlastOutput_iterations></BlastOutput>");
    }
}

static void compare_ways(const struct bytes *text, enum blastmerge_invalid_utf8 invalid_utf8, uint64_t seed,
                         const struct trace *expected) {
    for (const char *const *way = bm_mark_ways; *way != NULL; way++) {
        if (!way_exists(*way)) continue;
        struct trace once = scan(text, whole, *way, invalid_utf8);
        struct trace pieces = scan(text, (struct split){0, 0, {seed}}, *way, invalid_utf8);
        DEMAND(same_traces(&once, expected) && same_traces(&pieces, expected));
        free_trace(&once);
        free_trace(&pieces);
    }
}

/* --- expat ----------------------------------------------------------------------------------- */

/* What makes a document BLAST's, or goes beyond a ceiling. */
struct facts {
    unsigned depth;
    unsigned n_iterations;
    bool is_other;
};

static void XMLCALL on_start(void *user, const XML_Char *name, const XML_Char **attributes) {
    struct facts *facts = user;
    size_t n = 0;
    size_t n_names = 0;
    for (; attributes[2 * n] != NULL; n++) n_names += strlen(attributes[2 * n]);
    if (facts->depth == 0 && strcmp(name, "BlastOutput") != 0) facts->is_other = true;
    if (facts->depth == 1 && strcmp(name, "BlastOutput_iterations") == 0) facts->n_iterations++;
    if (facts->depth == BM_MARK_MAX_DEPTH || n > BM_MARK_MAX_ATTRIBUTES || n_names > 4096)
        facts->is_other = true;
    facts->depth++;
}

static void XMLCALL on_end(void *user, const XML_Char *name) {
    (void)name;
    ((struct facts *)user)->depth--;
}

static bool expat_accepts(const uint8_t *text, size_t n_text, struct facts *facts) {
    XML_Parser parser = XML_ParserCreate("UTF-8");
    DEMAND(parser != NULL);
    XML_SetUserData(parser, facts);
    XML_SetElementHandler(parser, on_start, on_end);
    bool is_fine = XML_Parse(parser, (const char *)text, (int)n_text, 1) == XML_STATUS_OK;
    XML_ParserFree(parser);
    return is_fine;
}

/* Short of names too long for us, and of what expat sees otherwise (docs/mark.md). */
static bool is_simple(const struct bytes *text) {
    size_t n_name = 0;
    for (size_t i = 0; i < text->n_data; i++) {
        if (text->data[i] >= 0x80) return false;
        if (text->data[i] == '<' && i + 1 < text->n_data && text->data[i + 1] == '!' &&
            i + 2 < text->n_data && text->data[i + 2] == 'D') {
            return false;
        }
        n_name = bm_mark_xml_is_name(text->data[i]) ? n_name + 1 : 0;
        if (n_name >= BM_MARK_MAX_NAME) return false;
    }
    return text->n_data > 5 && text->n_data <= BM_MARK_MAX_HOLD && memcmp(text->data, "<?xml", 5) != 0;
}

/* Other formats begin in other ways. */
static bool is_xml(const struct bytes *text) {
    size_t n = 0;
    while (n < text->n_data && bm_mark_is_space(text->data[n])) n++;
    return n < text->n_data && text->data[n] == '<';
}

/* A text of several documents is no document for expat. */
static void compare_with_expat(const struct bytes *text, const struct trace *trace) {
    struct facts facts = {0};
    bool is_fine = trace->status == BLASTMERGE_OK;
    if (!is_simple(text) || trace->counts.n_documents > 1) return;
    if (expat_accepts(text->data, text->n_data, &facts)) {
        DEMAND(is_fine || facts.is_other || facts.n_iterations != 1);
    } else {
        DEMAND(!is_fine);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_data) {
    static const enum blastmerge_invalid_utf8 modes[] = {
        BLASTMERGE_INVALID_UTF8_ERROR, BLASTMERGE_INVALID_UTF8_LATIN1, BLASTMERGE_INVALID_UTF8_KEEP,
        BLASTMERGE_INVALID_UTF8_ERROR};
    struct bytes text = {0};
    if (n_data < 2) return 0;
    enum blastmerge_invalid_utf8 mode = modes[data[0] & 3];
    tells_queries = (data[0] & 8) != 0;
    forbidden = (enum blastmerge_forbidden_characters)((data[0] >> 4 & 3) % 3);
    add_input(&text, (data[0] & 4) != 0, data + 2, n_data - 2);
    struct trace trace = scan(&text, whole, "bytes", mode);
    compare_ways(&text, mode, data[1], &trace);
    if (is_xml(&text) && forbidden == BLASTMERGE_FORBIDDEN_ERROR) compare_with_expat(&text, &trace);
    free_trace(&trace);
    free_bytes(&text);
    return 0;
}
