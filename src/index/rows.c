/* SPDX-License-Identifier: MIT */
/*
 * Tables without comments: BLAST writes all rows of a query together, and its name is the first field. A line is held until
 * that field is complete, since only then is it known whether the line begins another query. A line without a second
 * field ("Search has CONVERGED!") belongs to the query before it, unless no line has one.
 */
#include "index/internal.h"
#ifdef BLASTMERGE_SQLITE

#include <string.h>

static enum blastmerge_status end_query(struct bm_index_build *build, struct blastmerge_error *error) {
    if (!build->is_in_iteration) return BLASTMERGE_OK;
    build->n_hsps += build->row.n_hsps;
    return bm_index_end_iteration(build, error);
}

/* The line's query is known: that of the lines before, or another one. `at` is the offset of the text that follows what is
 * pending. */
static enum blastmerge_status settle_line(struct bm_index_build *build, size_t n_name, bool has_separator,
                                          uint64_t at, struct blastmerge_error *error) {
    bool is_message = !has_separator && build->has_line && !build->is_narrow && build->is_in_iteration;
    bool is_same = build->is_in_iteration && n_name == build->n_query &&
                   memcmp(build->pending, build->query, n_name) == 0;
    if (!is_message && !is_same) {
        enum blastmerge_status status = end_query(build, error);
        if (status != BLASTMERGE_OK) return status;
        bm_index_begin_iteration(build, at - build->n_pending);
        memcpy(build->query, build->pending, n_name);
        build->n_query = n_name;
    }
    build->is_narrow = build->is_narrow || (!has_separator && !build->has_line);
    build->is_line_known = true;
    build->row.n_hsps += !is_message;
    bm_index_add_text(build, build->pending, build->n_pending);
    build->n_pending = 0;
    return BLASTMERGE_OK;
}

/* Bytes of the line up to its first field's end, or as many as are held. Returns how many were taken. */
static size_t take_name(struct bm_index_build *build, const char *text, size_t n_text, bool *is_complete,
                        bool *has_separator) {
    const char separator = bm_format_of(build->format)->separator;
    size_t n = 0;
    *is_complete = *has_separator = false;
    while (n < n_text && !*is_complete) {
        *has_separator = text[n] == separator;
        *is_complete = *has_separator || text[n] == '\n' || build->n_pending == BM_INDEX_NAME;
        if (!*is_complete) build->pending[build->n_pending++] = text[n++];
    }
    if (*is_complete && build->n_pending == BM_INDEX_NAME)
        *has_separator = true; /* so long a field is a name */
    return n;
}

enum blastmerge_status bm_index_rows_take(struct bm_index_build *build, const char *text, size_t n_text,
                                          struct blastmerge_error *error) {
    uint64_t at = build->at;
    while (n_text > 0) {
        size_t n = 0;
        if (!build->is_line_known) {
            bool is_complete = false;
            bool has_separator = false;
            n = take_name(build, text, n_text, &is_complete, &has_separator);
            if (is_complete) {
                enum blastmerge_status status =
                    settle_line(build, build->n_pending, has_separator, at + n, error);
                if (status != BLASTMERGE_OK) return status;
            }
        } else {
            const char *end = memchr(text, '\n', n_text);
            n = end == NULL ? n_text : (size_t)(end - text) + 1;
            bm_index_add_text(build, text, n);
            build->is_line_known = end == NULL;
            build->has_line = build->has_line || end != NULL;
        }
        text += n;
        n_text -= n;
        at += n;
    }
    return BLASTMERGE_OK;
}

enum blastmerge_status bm_index_rows_end(struct bm_index_build *build, struct blastmerge_error *error) {
    enum blastmerge_status status = BLASTMERGE_OK;
    if (build->n_pending > 0) status = settle_line(build, build->n_pending, false, build->at, error);
    build->is_line_known = false;
    return status == BLASTMERGE_OK ? end_query(build, error) : status;
}

#endif
