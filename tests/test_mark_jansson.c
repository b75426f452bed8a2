/* SPDX-License-Identifier: MIT */
/*
 * The JSON scanner against jansson, which shares no code with it: each document of a mutated text is given to
 * jansson, too, alone and whole. Both must come to the same verdict, and where both refuse, at the same
 * token, so that neither passes over an error to stumble on a later one.
 *
 * What they see otherwise is explained by a reason (below), proven from the text, from what jansson says
 * or from what it found; what no reason explains fails the test.
 */
#include "mutations.h"
#include "test_mark_json.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <jansson.h>

/* --- what jansson says ------------------------------------------------------------------------ */

struct verdict {
    bool is_fine;
    size_t at; /* where jansson is when it fails: at the end of the current token */
    char message[JSON_ERROR_TEXT_LENGTH];
    bool is_blast; /* the document is BLAST's, as docs/json.md has it */
    bool is_deep;
    bool has_twins;
};

/* Of a text that jansson takes; its values will not do, as of twins it keeps the last. */
static size_t measure_depth(const uint8_t *text, size_t n_text) {
    size_t depth = 0;
    size_t deepest = 0;
    bool is_string = false;
    for (size_t i = 0; i < n_text; i++) {
        if (text[i] == '"') is_string = !is_string;
        if (is_string && text[i] == '\\') i++;
        if (is_string) continue;
        if (text[i] == '{' || text[i] == '[') depth++;
        if (text[i] == '}' || text[i] == ']') depth--;
        if (depth > deepest) deepest = depth;
    }
    return deepest;
}

static bool is_blast(json_t *root) {
    json_t *items = json_object_get(root, "BlastOutput2");
    json_t *item;
    size_t i;
    if (!json_is_array(items) || json_object_get(root, "BlastJSON") != NULL) return false;
    json_array_foreach(items, i, item) {
        if (!json_is_object(json_object_get(json_object_get(item, "report"), "results"))) return false;
    }
    return true;
}

static struct verdict ask_jansson(const uint8_t *text, size_t n_text) {
    const size_t flags = JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL;
    struct verdict verdict = {.is_fine = false};
    json_error_t error;
    json_t *root = json_loadb((const char *)text, n_text, flags, &error);
    if (root == NULL) {
        verdict.at = (size_t)error.position;
        memcpy(verdict.message, error.text, sizeof verdict.message);
        return verdict;
    }
    verdict.is_fine = true;
    verdict.is_blast = is_blast(root);
    verdict.is_deep = measure_depth(text, n_text) > BM_JSON_MAX_DEPTH;
    json_decref(root);
    root = json_loadb((const char *)text, n_text, flags | JSON_REJECT_DUPLICATES, &error);
    verdict.has_twins = root == NULL;
    json_decref(root);
    return verdict;
}

/* --- reasons ---------------------------------------------------------------------------------- */

struct document {
    const uint8_t *text;
    size_t n_text;
    bool is_fine;        /* for the scanner */
    size_t at;           /* else where it is wrong, ... */
    const char *message; /* ... and how */
    struct verdict jansson;
};

static bool says(const struct document *document, const char *words) {
    return strstr(document->message, words) != NULL;
}

static bool is_about_shape(const struct document *document) {
    return says(document, "BlastOutput2\"") || says(document, "without \"results\"") ||
           says(document, "a second \"re") || says(document, "a JSON object") ||
           says(document, "of -outfmt 13");
}

/* The scanner alone refuses. */

static bool is_other(const struct document *document) {
    return document->jansson.is_fine && !document->jansson.is_blast && is_about_shape(document);
}

static bool is_twin(const struct document *document) {
    return document->jansson.is_fine && document->jansson.has_twins && is_about_shape(document);
}

static bool is_escaped_name(const struct document *document) {
    return document->jansson.is_fine && is_about_shape(document) &&
           memmem(document->text, document->n_text, "\\u", 2) != NULL;
}

static bool is_too_deep(const struct document *document) {
    return document->jansson.is_fine && document->jansson.is_deep && says(document, "nested deeper");
}

/* Both refuse, the scanner for what jansson does not look at, before jansson comes to what it refuses. */
static bool is_shape_first(const struct document *document) {
    bool is_ours = is_about_shape(document) || says(document, "nested deeper");
    return !document->is_fine && is_ours && !document->jansson.is_fine &&
           document->jansson.at >= document->at;
}

/* jansson alone refuses, or does so first. */

static bool is_overflow(const struct document *document) {
    return strstr(document->jansson.message, "real number overflow") != NULL;
}

static bool is_nul_in_name(const struct document *document) {
    return strstr(document->jansson.message, "NUL byte in object key") != NULL;
}

/* jansson goes on where it must not. */
static bool is_nul_behind_number(const struct document *document) {
    return !document->is_fine && document->at > 0 && document->at < document->n_text &&
           document->text[document->at] == 0 && isdigit(document->text[document->at - 1]);
}

static struct {
    const char *name;
    bool (*holds)(const struct document *document);
    size_t n_times;
} reasons[] = {
    {"it is not BLAST's", is_other, 0},
    {"what there can be only one of comes twice", is_twin, 0},
    {"a name is written with escapes", is_escaped_name, 0},
    {"nested deeper than the ceiling", is_too_deep, 0},
    {"not BLAST's, or too deep, before jansson refuses something else", is_shape_first, 0},
    {"jansson: a number is too large for a double", is_overflow, 0},
    {"jansson: a name holds \\u0000", is_nul_in_name, 0},
    {"jansson: a NUL byte behind a number is not seen", is_nul_behind_number, 0},
};

static bool has_reason(const struct document *document) {
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        if (!reasons[i].holds(document)) continue;
        reasons[i].n_times++;
        return true;
    }
    return false;
}

/* --- comparing --------------------------------------------------------------------------------- */

/* The end of the string that the position is in. */
static size_t find_string_end(const struct document *document, size_t at) {
    while (at < document->n_text && document->text[at] != '"') at += document->text[at] == '\\' ? 2 : 1;
    return at;
}

/* The end of what jansson takes for one token, where the scanner stops in the middle of it. */
static size_t find_token_end(const struct document *document) {
    size_t at = document->at;
    if (says(document, "surrogate") || says(document, "escape")) return find_string_end(document, at);
    while (at < document->n_text &&
           ((document->text[at] | 0x20) >= 'a' && (document->text[at] | 0x20) <= 'z'))
        at++;
    return at;
}

/* A token that is a string lies at the scanner's place as a whole. */
static size_t skip_string(const struct document *document, size_t at) {
    return at < document->n_text && document->text[at] == '"' ? find_string_end(document, at + 1) : at;
}

/* Where a number would stand jansson reads on to its end. */
static size_t skip_number(const struct document *document, size_t at) {
    while (at < document->n_text && document->text[at] != 0 &&
           strchr("+-.0123456789eE", document->text[at]) != NULL)
        at++;
    return at;
}

static bool agrees(const struct document *document) {
    const struct verdict *jansson = &document->jansson;
    if (document->is_fine || jansson->is_fine) return document->is_fine && jansson->is_fine;
    size_t latest = skip_number(document, skip_string(document, find_token_end(document)));
    return jansson->at + 4 >= document->at && jansson->at <= latest + 4;
}

static void check_document(const uint8_t *text, size_t n_text, const struct trace *trace, size_t begin,
                           bool is_fine, uint64_t seed) {
    struct document document = {.text = text + begin,
                                .n_text = n_text - begin,
                                .is_fine = is_fine,
                                .at = is_fine ? 0 : (size_t)trace->error.text_offset - begin,
                                .message = is_fine ? "" : trace->error.message,
                                .jansson = ask_jansson(text + begin, n_text - begin)};
    tally.n_documents++;
    if (agrees(&document)) {
        tally.n_fine += is_fine;
        tally.n_refused += !is_fine;
        return;
    }
    if (has_reason(&document)) return;
    fail_msg("seed %d: scanner: %s at %d; jansson: %s at %d; document:\n%.*s", (int)seed,
             is_fine ? "fine" : document.message, (int)document.at,
             document.jansson.is_fine ? "fine" : document.jansson.message, (int)document.jansson.at,
             (int)document.n_text, (const char *)document.text);
}

static void check_text(const struct bytes *text, uint64_t seed) {
    struct trace trace = scan_json(text, whole, "bytes", BLASTMERGE_INVALID_UTF8_ERROR);
    size_t begin = 0;
    bool is_open = false;
    tally.n_texts++;
    for (size_t i = 0; i < n_marks(&trace); i++) {
        const struct bm_mark_entry *mark = mark_at(&trace, i);
        if (mark->kind == BM_MARK_DOCUMENT) {
            begin = (size_t)mark->offset;
            is_open = true;
        } else if (mark->kind == BM_MARK_DOCUMENT_END) {
            check_document(text->data, (size_t)mark->offset, &trace, begin, true, seed);
            begin = (size_t)mark->offset;
            is_open = false;
        }
    }
    while (begin < text->n_data && memchr(" \t\r\n", text->data[begin], 4) != NULL) begin++;
    bool is_outside = begin + 3 <= text->n_data && memcmp(text->data + begin, "\xef\xbb\xbf", 3) == 0;
    if (trace.status != BLASTMERGE_OK && (is_open || !is_outside))
        check_document(text->data, text->n_data, &trace, begin, false, seed);
    free_trace(&trace);
}

/* --- mutations --------------------------------------------------------------------------------- */

static void change_to_syntax(struct bytes *text, struct chance *chance) {
    static const char syntax[] = "\"\\{}[],:0123-+.eEtfnu \n\t\x01";
    text->data[below(chance, text->n_data)] = (uint8_t)syntax[below(chance, sizeof syntax - 1)];
}

static const char *const snippets[] = {
    "\"",
    "\\",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"\"",
    "\\u",
    "\\u00",
    "\\ud800",
    "\\udc00",
    "\\ud800\\udc00",
    "\\u0000",
    "\\x",
    "\\\"",
    "\\\\",
    "1",
    "0",
    "-",
    "01",
    "-0",
    "1.",
    ".5",
    "1e",
    "1e5",
    "1e999",
    "-1e+400",
    "123456789012345678901234567890",
    "+1",
    "0x10",
    "true",
    "false",
    "null",
    "tru",
    "nullx",
    "NaN",
    "Infinity",
    "//",
    "/* */",
    "'a'",
    "\n",
    "\t",
    "\v",
    "\r\n",
    "\xc2\xa0",
    "\xef\xbb\xbf",
    "\xef\xbf\xbe",
    "\x7f",
    "\"a\":1,",
    ",\"a\":1",
    ",1",
    "1,",
    "[],",
    "{},",
    "[[[[",
    "]]]]",
    "\"report\":{\"results\":{}},",
    "\"results\":{},",
    "\"BlastOutput2\":[],",
    "\"\\u0042lastOutput2\":[],",
    "\"BlastJSON\":1,",
    "\"\\u0000\":1,",
};

static void insert_snippet(struct bytes *text, struct chance *chance) {
    insert_text(text, below(chance, text->n_data), PICK(chance, snippets));
}

static void break_utf8(struct bytes *text, struct chance *chance) {
    static const char *const broken[] = {"\x80",
                                         "\xc3",
                                         "\xc0\x80",
                                         "\xc1\xbf",
                                         "\xe0\x9f\xbf",
                                         "\xe2\x82",
                                         "\xed\xa0\x80",
                                         "\xf0\x8f\xbf\xbf",
                                         "\xf0\x9f\xa7",
                                         "\xf4\x90\x80\x80",
                                         "\xf5\x80\x80\x80",
                                         "\xff",
                                         "\xc3\xa4",
                                         "\xf0\x9f\xa7\xac"};
    insert_text(text, below(chance, text->n_data), PICK(chance, broken));
}

static void change_name(struct bytes *text, struct chance *chance) {
    static const char *const names[] = {"BlastOutput2", "report", "results"};
    const char *name = PICK(chance, names);
    uint8_t *at = memmem(text->data, text->n_data, name, strlen(name));
    if (at != NULL) at[below(chance, strlen(name))] ^= (uint8_t)(1 + below(chance, 3));
}

static void insert_deep(struct bytes *text, struct chance *chance) {
    struct bytes deep = {0};
    size_t n = 50 + below(chance, 20);
    add_repeated(&deep, "[", n);
    add_repeated(&deep, "]", n);
    uint8_t *value = memmem(text->data, text->n_data, "3000", 4);
    if (value != NULL) replace(text, (size_t)(value - text->data), 4, deep.data, deep.n_data);
    free_bytes(&deep);
}

static void append_document(struct bytes *text, struct chance *chance) {
    if (below(chance, 4) == 0) add_text(text, "\xef\xbb\xbf");
    make_json(text, chance, below(chance, 2));
}

static void make_base(struct bytes *text, struct chance *chance) {
    make_json(text, chance, below(chance, 3));
}

static mutation *const mutations[] = {
    truncate_text, change_byte,  change_byte,    change_to_syntax, change_to_syntax,
    delete_range,  double_range, insert_snippet, insert_snippet,   insert_snippet,
    break_utf8,    change_name,  insert_deep,    append_document,
};

static void test_mutations(void **state) {
    (void)state;
    try_mutations(make_base, mutations, sizeof mutations / sizeof mutations[0], check_text);
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        print_message("  %8zu  %s\n", reasons[i].n_times, reasons[i].name);
}

/* Each reason, shown alone: so that none of them is a dead letter. */
static void test_reasons(void **state) {
    struct bytes texts[sizeof reasons / sizeof reasons[0]] = {{0}};
    (void)state;
    add_text(&texts[0], "{\"BlastOutput2\":[{}]}");
    add_text(&texts[1], "{\"BlastOutput2\":[],\"BlastOutput2\":[]}");
    add_text(&texts[2], "{\"\\u0042lastOutput2\":[]}");
    add_text(&texts[3], "{\"BlastOutput2\":[],\"a\":");
    add_repeated(&texts[3], "[", 64);
    add_repeated(&texts[3], "]", 64);
    add_text(&texts[3], "}");
    add_text(&texts[4], "{\"BlastOutput2\":[1, 2, [3, 4, 5");
    add_text(&texts[5], "{\"BlastOutput2\":[],\"a\":1e999}");
    add_text(&texts[6], "{\"BlastOutput2\":[],\"\\u0000\":1}");
    static const char nul[] = "{\"BlastOutput2\":[],\"a\":1\0}";
    add_bytes(&texts[7], nul, sizeof nul - 1);
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        size_t before = reasons[i].n_times;
        check_text(&texts[i], i);
        assert_int_equal(reasons[i].n_times, before + 1);
        free_bytes(&texts[i]);
    }
}

/* What chance makes, unharmed: accepted by both. */
static void test_unharmed(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 500; seed++) {
        struct chance chance = {seed};
        struct bytes text = {0};
        make_json(&text, &chance, below(&chance, 10));
        struct verdict verdict = ask_jansson(text.data, text.n_data);
        if (!verdict.is_fine && strstr(verdict.message, "NUL byte in object key") == NULL)
            fail_msg("seed %d: jansson: %s at %d", (int)seed, verdict.message, (int)verdict.at);
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
