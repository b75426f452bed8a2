/* SPDX-License-Identifier: MIT */
/*
 * What the scanner's tests and its fuzz target share: running a text in any split and any way, with the
 * promises of mark.h checked on the way; and a maker of odd, well-formed documents.
 */
#ifndef TEST_MARK_H
#define TEST_MARK_H

#include "mark/archive/archive.h"
#include "mark/door.h"
#include "mark/json/json.h"
#include "mark/table/table.h"
#include "mark/xml/xml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Our own, so that the fuzz target needs no cmocka. */
static inline void demand(bool condition, const char *what, int line) {
    if (condition) return;
    fprintf(stderr, "test_mark.h:%d: %s\n", line, what);
    abort();
}
#define DEMAND(condition) demand(condition, #condition, __LINE__)

/* --- bytes ----------------------------------------------------------------------------------- */

struct bytes {
    uint8_t *data;
    size_t n_data;
    size_t room;
};

static inline void add_bytes(struct bytes *bytes, const void *data, size_t n_data) {
    if (bytes->n_data + n_data > bytes->room) {
        bytes->room = (bytes->n_data + n_data) * 2;
        bytes->data = realloc(bytes->data, bytes->room);
        DEMAND(bytes->data != NULL);
    }
    if (n_data > 0) memcpy(bytes->data + bytes->n_data, data, n_data);
    bytes->n_data += n_data;
}

static inline void add_text(struct bytes *bytes, const char *text) {
    add_bytes(bytes, text, strlen(text));
}

static inline void add_repeated(struct bytes *bytes, const char *text, size_t n_times) {
    while (n_times-- > 0) add_text(bytes, text);
}

static inline void free_bytes(struct bytes *bytes) {
    free(bytes->data);
    memset(bytes, 0, sizeof *bytes);
}

/* --- chance, seeded -------------------------------------------------------------------------- */

struct chance {
    uint64_t state;
};

static inline uint64_t next_chance(struct chance *chance) { /* splitmix64 */
    uint64_t value = chance->state += 0x9e3779b97f4a7c15u;
    value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9u;
    value = (value ^ value >> 27) * 0x94d049bb133111ebu;
    return value ^ value >> 31;
}

static inline size_t below(struct chance *chance, size_t limit) {
    return (size_t)(next_chance(chance) % limit);
}

/* --- traces ---------------------------------------------------------------------------------- */

/* All that a scan of a text tells. */
struct trace {
    struct bytes marks;  /* struct bm_mark_entry */
    struct bytes fields; /* struct bm_mark_field, cleared behind the strings' ends */
    struct bytes safe;   /* uint64_t: bm_mark_safe() behind each chunk */
    enum blastmerge_status status;
    struct blastmerge_error error;
    struct bm_mark_counts counts;
    uint64_t n_used;
};

/* The first chunk has `first` bytes, if that is not 0, the others `size`; 0: by chance. */
struct split {
    size_t first;
    size_t size;
    struct chance chance;
};

static const struct split whole = {0, SIZE_MAX, {0}};

static inline size_t n_marks(const struct trace *trace) {
    return trace->marks.n_data / sizeof(struct bm_mark_entry);
}

static inline const struct bm_mark_entry *mark_at(const struct trace *trace, size_t i) {
    return (const struct bm_mark_entry *)(const void *)trace->marks.data + i;
}

static inline void free_trace(struct trace *trace) {
    free_bytes(&trace->marks);
    free_bytes(&trace->fields);
    free_bytes(&trace->safe);
}

static inline void add_field(struct trace *trace, const struct bm_mark_field *field) {
    struct bm_mark_field copy;
    memset(&copy, 0, sizeof copy);
    DEMAND(strlen(field->name) <= BM_MARK_MAX_NAME && field->n_value <= BM_MARK_MAX_VALUE);
    DEMAND(field->value[field->n_value] == '\0');
    strcpy(copy.name, field->name);
    memcpy(copy.value, field->value, field->n_value);
    copy.n_value = field->n_value;
    copy.is_cut = field->is_cut;
    copy.hash = field->hash;
    copy.is_parameter = field->is_parameter;
    add_bytes(&trace->fields, &copy, sizeof copy);
}

/* A step's marks join the trace: in ascending order, none below what was called safe. */
static inline void add_marks(struct trace *trace, const struct bm_mark *mark, const struct bm_mark_list *list,
                             uint64_t safe) {
    for (size_t i = 0; i < list->n_entries; i++) {
        const struct bm_mark_entry *entry = &list->entries[i];
        DEMAND(entry->offset >= safe);
        DEMAND(n_marks(trace) == 0 || entry->offset >= mark_at(trace, n_marks(trace) - 1)->offset);
        DEMAND(entry->kind != BM_MARK_FIELD || i + 1 == list->n_entries);
        if (entry->kind == BM_MARK_FIELD) add_field(trace, bm_mark_field(mark));
        add_bytes(&trace->marks, entry, sizeof *entry);
    }
}

static inline void check_safe(const struct bm_mark *mark, uint64_t *safe, uint64_t position) {
    uint64_t now = bm_mark_safe(mark);
    DEMAND(now >= *safe && now <= position && position - now <= BM_MARK_MAX_HOLD);
    *safe = now;
}

static inline void scan_chunk(struct bm_mark *mark, struct trace *trace, const uint8_t *data, size_t n_data,
                              uint64_t *safe) {
    struct bm_mark_list list;
    uint8_t *copy = malloc(n_data); /* so that a sanitizer sees what is read beyond it */
    DEMAND(copy != NULL);
    memcpy(copy, data, n_data);
    for (size_t at = 0; at < n_data && trace->status == BLASTMERGE_OK;) {
        size_t n_used = SIZE_MAX;
        list.n_entries = 0;
        trace->status = bm_mark_step(mark, copy + at, n_data - at, &n_used, &list, &trace->error);
        DEMAND(n_used <= n_data - at && (n_used > 0 || list.n_entries > 0 || trace->status != BLASTMERGE_OK));
        at += n_used;
        trace->n_used += n_used;
        add_marks(trace, mark, &list, *safe);
        check_safe(mark, safe, trace->n_used);
    }
    free(copy);
    add_bytes(&trace->safe, safe, sizeof *safe);
}

static inline void scan_end(struct bm_mark *mark, struct trace *trace, uint64_t safe) {
    struct bm_mark_list list;
    while (trace->status == BLASTMERGE_OK && !bm_mark_is_finished(mark)) {
        list.n_entries = 0;
        trace->status = bm_mark_finish(mark, &list, &trace->error);
        DEMAND(list.n_entries > 0 || trace->status != BLASTMERGE_OK || bm_mark_is_finished(mark));
        add_marks(trace, mark, &list, safe);
    }
}

static inline size_t next_size(struct split *split, size_t n_left) {
    size_t size = split->first > 0 ? split->first : split->size;
    if (size == 0) size = 1 + below(&split->chance, below(&split->chance, 4) == 0 ? 5000 : 60);
    split->first = 0;
    return size < n_left ? size : n_left;
}

static bool tells_queries; /* QUERY_ID and MESSAGE are wanted */
static enum blastmerge_header header_mode;
static enum blastmerge_forbidden_characters forbidden;

static inline struct trace scan_as(enum blastmerge_format format, const struct bytes *text,
                                   struct split split, const char *way,
                                   enum blastmerge_invalid_utf8 invalid_utf8) {
    struct trace trace;
    struct bm_memory memory;
    struct bm_mark *mark = NULL;
    uint64_t safe = 0;
    const struct bm_mark_kin kin = {.format = format, .is_given = format != BLASTMERGE_FORMAT_AUTO};
    memset(&trace, 0, sizeof trace);
    bm_memory_open(&memory, NULL);
    DEMAND(bm_mark_open(&mark, &memory, invalid_utf8) == BLASTMERGE_OK);
    DEMAND(bm_mark_use(mark, way));
    if (tells_queries) bm_mark_tell_queries(mark);
    bm_mark_forbid(mark, forbidden);
    bm_mark_set_header(mark, header_mode);
    bm_mark_follow(mark, &kin);
    for (size_t at = 0; at < text->n_data && trace.status == BLASTMERGE_OK;) {
        size_t size = next_size(&split, text->n_data - at);
        scan_chunk(mark, &trace, text->data + at, size, &safe);
        at += size;
    }
    if (trace.status == BLASTMERGE_OK) scan_end(mark, &trace, safe);
    trace.counts = *bm_mark_counts(mark);
    bm_mark_close(mark, &memory);
    DEMAND(memory.n_bytes == 0);
    return trace;
}

static inline struct trace scan(const struct bytes *text, struct split split, const char *way,
                                enum blastmerge_invalid_utf8 invalid_utf8) {
    return scan_as(BLASTMERGE_FORMAT_AUTO, text, split, way, invalid_utf8);
}

/* --- marks as text --------------------------------------------------------------------------- */

static const char *const mark_kinds[] = {
    "DOC",  "BOM",     "DECL",     "NODECL",  "FIELD",   "DB",    "DBEND",    "ITERS",   "HEADER",  "BODY",
    "ITER", "NUM",     "LONG",     "LONGEND", "MISSING", "EXTRA", "EXTRAEND", "ID",      "MESSAGE", "NAMES",
    "ROW",  "ITEREND", "ITERSEND", "MBSTAT",  "SKIP",    "CHAR",  "DOCEND",   "ARCHIVE", "ARCEND",
};

static inline bool has_value(const struct bm_mark_entry *entry) {
    if (entry->kind == BM_MARK_ITERATIONS) return entry->value != BLASTMERGE_FORMAT_XML;
    return entry->value != 0 || entry->kind == BM_MARK_CHARACTER || (entry->flags & BM_MARK_DIGITS) != 0;
}

static inline void show_mark(struct bytes *out, const struct bm_mark_entry *entry) {
    static const char letters[] =
        "enDcb-lor     kR"; /* empty tag, newline, digits, converted, bare, cut, left, open, return, ..., names, run */
    char value[32];
    add_text(out, "{");
    add_text(out, mark_kinds[entry->kind]);
    if (entry->kind == BM_MARK_DOCUMENT_END ||
        entry->kind == BM_MARK_ITERATION_END) { /* a digest and counts are no text */
        add_text(out, "}");
        return;
    }
    if (entry->flags != 0) add_text(out, " ");
    for (unsigned bit = 0; bit < sizeof letters - 1; bit++) {
        if ((entry->flags >> bit & 1) != 0) add_bytes(out, letters + bit, 1);
    }
    if (has_value(entry)) {
        snprintf(value, sizeof value, "=%llu", (unsigned long long)entry->value);
        add_text(out, value);
    }
    add_text(out, "}");
}

/* The text with each mark at its place, and where it has an end, "{/}" there. */
static inline struct bytes show_marks(const struct bytes *text, const struct trace *trace) {
    struct bytes out = {0};
    for (size_t at = 0; at <= text->n_data; at++) {
        for (size_t i = 0; i < n_marks(trace); i++) {
            const struct bm_mark_entry *entry = mark_at(trace, i);
            bool is_count = entry->kind == BM_MARK_ITERATION_END; /* of Hsps */
            if (entry->end == at && entry->end > entry->offset && !is_count) add_text(&out, "{/}");
            if (entry->offset != at) continue;
            show_mark(&out, entry);
            if (entry->end == at && entry->kind != BM_MARK_FIELD && at > 0 && !is_count)
                add_text(&out, "{/}");
        }
        if (at < text->n_data) add_bytes(&out, text->data + at, 1);
    }
    add_bytes(&out, "", 1);
    return out;
}

/* What is shown without its marks. */
static inline struct bytes hide_marks(const char *shown) {
    struct bytes text = {0};
    for (const char *p = shown; *p != '\0'; p++) {
        if (*p == '{') {
            p = strchr(p, '}');
        } else {
            add_bytes(&text, p, 1);
        }
    }
    return text;
}

/* --- comparing ------------------------------------------------------------------------------- */

static inline bool same_bytes(const struct bytes *a, const struct bytes *b) {
    return a->n_data == b->n_data && (a->n_data == 0 || memcmp(a->data, b->data, a->n_data) == 0);
}

/* Whether two scans tell the same, whatever the split and the way. */
static inline bool same_traces(const struct trace *a, const struct trace *b) {
    if (a->status != b->status || a->n_used != b->n_used) return false;
    if (a->status != BLASTMERGE_OK &&
        (a->error.text_offset != b->error.text_offset || strcmp(a->error.message, b->error.message) != 0)) {
        return false;
    }
    return memcmp(&a->counts, &b->counts, sizeof a->counts) == 0 && same_bytes(&a->marks, &b->marks) &&
           same_bytes(&a->fields, &b->fields);
}

static inline bool way_exists(const char *way) {
    struct bm_mark mark;
    return bm_mark_use(&mark, way);
}

/* A text in one split gives what `expected` has, in each way; what is safe behind each chunk is the same
 * in all of them, too. */
static inline void check_split_as(enum blastmerge_format format, const struct bytes *text, struct split split,
                                  enum blastmerge_invalid_utf8 invalid_utf8, const struct trace *expected) {
    struct trace slow = scan_as(format, text, split, "bytes", invalid_utf8);
    for (const char *const *way = bm_mark_ways; *way != NULL; way++) {
        if (!way_exists(*way)) continue;
        struct trace trace = scan_as(format, text, split, *way, invalid_utf8);
        if (!same_traces(&trace, expected) || !same_bytes(&trace.safe, &slow.safe)) {
            struct bytes shown = show_marks(text, &trace);
            fprintf(stderr, "%s, split %zu %zu: status %d at %llu, not %d at %llu: %s\n%s\n", *way,
                    split.first, split.size, (int)trace.status, (unsigned long long)trace.error.text_offset,
                    (int)expected->status, (unsigned long long)expected->error.text_offset,
                    trace.error.message, (const char *)shown.data);
            abort();
        }
        free_trace(&trace);
    }
    free_trace(&slow);
}

static inline void check_split(const struct bytes *text, struct split split,
                               enum blastmerge_invalid_utf8 invalid_utf8, const struct trace *expected) {
    check_split_as(BLASTMERGE_FORMAT_AUTO, text, split, invalid_utf8, expected);
}

/* --- documents ------------------------------------------------------------------------------- */

/* A document around something inside of a Hit, or of an Iteration's other places. */
#define HEAD      "<BlastOutput><BlastOutput_iterations><Iteration><Iteration_iter-num>1</Iteration_iter-num><Hit>"
#define TAIL      "</Hit></Iteration></BlastOutput_iterations></BlastOutput>"
#define IN_HIT(x) HEAD x TAIL
#define NO_HITS   "<BlastOutput><BlastOutput_iterations/></BlastOutput>"

/* --- odd documents --------------------------------------------------------------------------- */

static inline const char *pick(struct chance *chance, const char *const *choices, size_t n_choices) {
    return choices[below(chance, n_choices)];
}
#define PICK(chance, choices) pick(chance, choices, sizeof(choices) / sizeof(choices)[0])

static inline void make_text(struct bytes *text, struct chance *chance) {
    static const char *const plain[] = {
        "373",
        "MKVLAAGIVGLK--AEELLKTG",
        "[Homo sapiens]",
        " ",
        "\n",
        "\r\n",
        "\t",
        "]",
        "]]",
        "a > b",
        "sp|P0JFI1|X_Y",
        "&gt;",
        "&amp;",
        "&lt;",
        "&quot;x&apos;",
        "&#65;",
        "&#x1F600;",
        "Sch\303\244ffer",
        "\316\261\316\262\316\263",
        "\320\241\320\273\320\276\320\266\320\275\321\213\320\265",
        "\320\241\320\273\320\276\320\266\320\275\321\213\320\265",
        "\346\274\242\345\255\227\346\274\242\345\255\227",
        "\360\237\247\254",
        "x\177y",
        "\302\200",
        "\357\277\275",
        "+++ +++  + + ++    + +++  ++ + ++    +++   + ++",
    };
    for (size_t n = below(chance, 4); n > 0; n--) add_text(text, PICK(chance, plain));
    if (below(chance, 60) == 0) add_repeated(text, PICK(chance, plain), below(chance, 200));
}

static inline void make_markup(struct bytes *text, struct chance *chance) {
    static const char *const markup[] = {
        "<!-- a comment -->",
        "<!---->",
        "<!-- <Hit> - > -->",
        "<?go on?>",
        "<?go?>",
        "<?xml-x a\?\?>",
        "<![CDATA[ <&]] > ]]]>",
        "<![CDATA[]]>",
        "<!--\303\244\n-->",
    };
    add_text(text, PICK(chance, markup));
}

static inline void make_attributes(struct bytes *text, struct chance *chance) {
    static const char *const attributes[] = {
        " a='1'",
        " c = 'x>y'",
        "\td\r\n=\n\"&amp;\"",
        " xml:lang='en'",
        " \303\251='\303\251'",
        " e=\"'\"",
        " f='&#10;'",
        " long-name-of-an-attribute-that-is-long='y'",
    };
    size_t mask = below(chance, 4) == 0 ? below(chance, 512) : below(chance, 8);
    for (size_t i = 0; i < sizeof attributes / sizeof attributes[0]; i++) {
        if ((mask >> i & 1) != 0) add_text(text, attributes[i]);
    }
    if (below(chance, 4) == 0) add_text(text, " ");
}

static inline const char *open_element(struct bytes *text, struct chance *chance) {
    static const char *const names[] = {
        "Hit",
        "Hsp",
        "Hit_num",
        "Hsp_bit-score",
        "Hsp_query-from",
        "Iteration_stat",
        "Iteration_hits",
        "Iteration",
        "x",
        "Iteration_iter-num",
        "Iteration_query-ID",
        "Iteration_query-def",
        "Iteration_query-len",
        "Iteration_message",
        "query-id",
        "query-title",
        "query-len",
        "message",
        "a.b:c_d-e",
        "a-name-of-thirty-one-bytes-xxxx",
        "a-name-of-thirty-two-bytes-xxxxx",
        "a-name-of-thirty-three-bytes-xxxx",
        "a-name-that-is-much-longer-than-that-and-never-compared-at-once",
        "\303\251l\303\251ment",
        "H",
        "Hs",
        "Hxx",
        "_",
        ":",
    };
    const char *name = PICK(chance, names);
    bool is_empty = below(chance, 16) == 0;
    add_text(text, "<");
    add_text(text, name);
    if (below(chance, 10) == 0) make_attributes(text, chance);
    add_text(text, is_empty ? "/>" : ">");
    return is_empty ? NULL : name;
}

static inline void close_element(struct bytes *text, struct chance *chance, const char *name) {
    add_text(text, "</");
    add_text(text, name);
    if (below(chance, 30) == 0) add_text(text, " \r\n");
    add_text(text, ">");
}

/* An element with others in it, up to eight deep. */
static inline void make_element(struct bytes *text, struct chance *chance) {
    const char *open[8];
    size_t depth = 0;
    for (size_t n = below(chance, 3) == 0 ? below(chance, 60) : 2; n > 0 || depth > 0; n -= n > 0) {
        bool is_closing = depth > 0 && (n == 0 || depth == 8 || below(chance, 2) == 0);
        if (is_closing) {
            close_element(text, chance, open[--depth]);
        } else {
            const char *name = open_element(text, chance);
            if (name != NULL) open[depth++] = name;
        }
        if (depth > 0) make_text(text, chance);
        if (depth > 0 && below(chance, 20) == 0) make_markup(text, chance);
    }
}

static inline void make_number(struct bytes *text, struct chance *chance) {
    static const char *const numbers[] = {
        "<Iteration_iter-num>1</Iteration_iter-num>",
        "<Iteration_iter-num>1234567</Iteration_iter-num>",
        "<Iteration_iter-num>18446744073709551615</Iteration_iter-num>",
        "<Iteration_iter-num/>",
        "<Iteration_iter-num>18446744073709551616</Iteration_iter-num>",
        "<Iteration_iter-num></Iteration_iter-num>",
        "<Iteration_iter-num a='b'> 1 </Iteration_iter-num >",
        "<Iteration_iter-num>1<!-- --></Iteration_iter-num>",
        "<Iteration_iter-num>1111111111111111111111111111</Iteration_iter-num>",
        "<Iteration_iter-num>&#49;&#50;<x/>3</Iteration_iter-num>",
        "<other/>",
        "\303\244",
    };
    add_text(text, below(chance, 4) == 0 ? PICK(chance, numbers) : numbers[0]);
}

static inline void make_iteration(struct bytes *text, struct chance *chance) {
    static const char *const blanks[] = {"", "\n", "\n", "\n", "\r\n  ", "  ", "\t"};
    add_text(text, PICK(chance, blanks));
    if (below(chance, 30) == 0) {
        add_text(text, "<Iteration/>");
        return;
    }
    add_text(text, below(chance, 20) == 0 ? "<Iteration a='b'>" : "<Iteration>");
    add_text(text, PICK(chance, blanks));
    make_number(text, chance);
    for (size_t n = below(chance, 8); n > 0; n--) {
        make_text(text, chance);
        make_element(text, chance);
    }
    add_text(text, PICK(chance, blanks));
    add_text(text, "</Iteration>");
}

/* A document that is well-formed and BLAST's, of about n_iterations times 300 bytes. */
static inline void make_document(struct bytes *text, struct chance *chance, size_t n_iterations) {
    static const char *const prologs[] = {
        "",
        "\357\273\277",
        "<?xml version=\"1.0\"?>\n",
        "<?xml version='1.0' encoding='UTF-8' standalone='no'?>",
        "<?xml version=\"1.0\"?>\n<!DOCTYPE BlastOutput PUBLIC \"-//NCBI//BlastOutput\" \"NCBI.dtd\">\n",
        "\r\n<!-- x --><?y?>",
    };
    static const char *const headers[] = {
        "<BlastOutput_db>nr</BlastOutput_db>",
        "<BlastOutput_query-def>a title</BlastOutput_query-def>",
        ("<BlastOutput_query-ID>Query_1</BlastOutput_query-ID>"
         "<BlastOutput_query-len>7</BlastOutput_query-len>"),
        "<BlastOutput_program>blastp</BlastOutput_program>\n",
        "<BlastOutput_param><Parameters><expect>10</expect></Parameters></BlastOutput_param>",
        "<BlastOutput_db/>",
        "<BlastOutput_mbstat><a>1</a></BlastOutput_mbstat>",
        "<x> <!-- y --> &amp; </x>",
        "\n  ",
    };
    add_text(text, PICK(chance, prologs));
    add_text(text, "<BlastOutput>");
    for (size_t n = below(chance, 6); n > 0; n--) add_text(text, PICK(chance, headers));
    add_text(text, "<BlastOutput_iterations>");
    if (below(chance, 10) == 0) add_repeated(text, " ", below(chance, 5000));
    for (; n_iterations > 0; n_iterations--) {
        make_iteration(text, chance);
        if (below(chance, 50) == 0) make_text(text, chance);
        if (below(chance, 50) == 0) make_element(text, chance);
    }
    if (below(chance, 2) == 0) add_text(text, "\n");
    if (below(chance, 10) == 0) add_repeated(text, " ", below(chance, 5000));
    add_text(text, "</BlastOutput_iterations>\n");
    if (below(chance, 10) == 0) add_text(text, "<BlastOutput_mbstat>\n</BlastOutput_mbstat>");
    add_text(text, "</BlastOutput>\n");
}

#endif
