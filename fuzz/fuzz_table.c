/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes the scanner of tables, and how a format is found: any split tells the same as byte by byte, where no
 * block is taken; and what is accepted has the shape that a slow look at its lines asks for.
 *
 * The first byte chooses the format, whether queries are told, and what becomes of rows of column names; the second one is the split's seed.
 */
#include "../tests/test_mark.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_data);

static size_t count_fields(const char *line, size_t n_line) {
    size_t n = 1;
    for (size_t i = 0; i < n_line; i++) n += line[i] == '\t';
    return n;
}

/* Of -outfmt 6: every line that is not empty has as many fields as the first one, and no zero bytes. PSI-BLAST's
 * message, behind an empty line, is none. The last line need not end. A byte order mark at the beginning is no text. */
static void check_rows(const struct bytes *text, uint64_t n_rows) {
    static const char message[] = "Search has CONVERGED!";
    size_t n_expected = 0;
    bool was_empty = false;
    bool has_bom = text->n_data >= 3 && memcmp(text->data, "\xef\xbb\xbf", 3) == 0;
    for (size_t at = has_bom ? 3 : 0; at < text->n_data;) {
        const char *line = (const char *)text->data + at;
        const char *end = memchr(line, '\n', text->n_data - at);
        size_t n_line = end == NULL ? text->n_data - at : (size_t)(end - line);
        at += n_line + 1;
        DEMAND(memchr(line, '\0', n_line) == NULL);
        size_t n_shown = n_line > 0 && line[n_line - 1] == '\r' ? n_line - 1 : n_line;
        bool is_message = was_empty && n_shown == sizeof message - 1 && memcmp(line, message, n_shown) == 0;
        was_empty = n_shown == 0 && end != NULL;
        if (was_empty || is_message) continue;
        size_t n_fields = count_fields(line, n_line);
        if (n_expected == 0) n_expected = n_fields;
        DEMAND(n_fields == n_expected);
        n_rows--;
    }
    DEMAND(n_rows == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_data) {
    static const enum blastmerge_format formats[] = {BLASTMERGE_FORMAT_AUTO, BLASTMERGE_FORMAT_COMMENTED,
                                                     BLASTMERGE_FORMAT_TABULAR, BLASTMERGE_FORMAT_CSV};
    struct bytes text = {0};
    if (n_data < 2) return 0;
    enum blastmerge_format format = formats[data[0] & 3];
    const char *way = bm_mark_implementation();
    tells_queries = (data[0] & 8) != 0;
    header_mode = (data[0] & 16) != 0 ? BLASTMERGE_HEADER_ONCE : BLASTMERGE_HEADER_KEEP;
    add_bytes(&text, data + 2, n_data - 2);
    struct trace slow = scan_as(format, &text, (struct split){0, 1, {0}}, way, BLASTMERGE_INVALID_UTF8_ERROR);
    struct trace once = scan_as(format, &text, whole, way, BLASTMERGE_INVALID_UTF8_ERROR);
    struct trace pieces =
        scan_as(format, &text, (struct split){0, 0, {data[1]}}, way, BLASTMERGE_INVALID_UTF8_ERROR);
    DEMAND(same_traces(&once, &slow) && same_traces(&pieces, &slow));
    bool is_judged = format == BLASTMERGE_FORMAT_TABULAR && header_mode == BLASTMERGE_HEADER_KEEP;
    if (is_judged && slow.status == BLASTMERGE_OK && text.n_data > 0) check_rows(&text, slow.counts.n_hsps);
    free_trace(&slow);
    free_trace(&once);
    free_trace(&pieces);
    free_bytes(&text);
    return 0;
}
