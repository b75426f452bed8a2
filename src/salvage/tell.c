/* SPDX-License-Identifier: MIT */
#include "salvage/tell.h"

#include <inttypes.h>
#include <stdio.h>

/* Writes "from byte 1 to 2", or "from byte 1 on". */
static void show_span(char *shown, size_t size, uint64_t from, uint64_t to) {
    if (to == UINT64_MAX)
        snprintf(shown, size, "from byte %" PRIu64 " on", from);
    else
        snprintf(shown, size, "from byte %" PRIu64 " to %" PRIu64, from, to);
}

/* Writes " (of NAME)", if there is a name. */
static const char *show_query(char shown[BM_SALVAGE_NAME + 8], const char *name) {
    snprintf(shown, BM_SALVAGE_NAME + 8, name[0] == '\0' ? "%s" : " (of %s)", name);
    return shown;
}

/* Writes what stands on both sides of a hole. */
static void show_borders(char *shown, size_t size, const struct bm_salvage_hole *hole) {
    char before[BM_SALVAGE_NAME + 8], after[BM_SALVAGE_NAME + 8];
    show_query(before, hole->query_before);
    show_query(after, hole->query_after);
    if (hole->number_after > 0 && hole->number_before > 0)
        snprintf(shown, size, ", between its Iterations %" PRIu64 "%s and %" PRIu64 "%s", hole->number_before,
                 before, hole->number_after, after);
    else if (hole->number_after > 0)
        snprintf(shown, size, ", before its Iteration %" PRIu64 "%s", hole->number_after, after);
    else
        snprintf(shown, size, ", after %" PRIu64 " whole Iteration%s%s%s%s", hole->n_iterations,
                 hole->n_iterations == 1 ? "" : "s", before, after[0] == '\0' ? "" : ", before that", after);
}

/* Writes whose Iterations are seen to be lost. */
static void show_lost_queries(char *shown, size_t size, const struct bm_salvage_hole *hole) {
    size_t n = 0;
    for (size_t i = 0; i < hole->n_queries && i < BM_SALVAGE_NAMES; i++)
        n += (size_t)snprintf(shown + n, size - n, "%s%s",
                              i > 0                 ? ", "
                              : hole->n_queries > 1 ? ", with those of "
                                                    : ", with that of ",
                              hole->queries[i]);
    if (hole->n_queries > BM_SALVAGE_NAMES)
        snprintf(shown + n, size - n, " and %" PRIu64 " more", hole->n_queries - BM_SALVAGE_NAMES);
}

/* What is to be said where the search seems to have been begun again, and yet nothing was left out. */
static const char *explain_sequel(const struct bm_salvage_hole *hole) {
    switch (hole->sequel) {
    case BM_SEQUEL_OTHER:
        return "; a document with another header follows, so both count";
    case BM_SEQUEL_QUERIES:
        return "; the search was begun again there, but not with the queries before it, so both count";
    case BM_SEQUEL_NAMELESS:
        return "; the search may have been begun again there, but its queries have no names to compare, so "
               "both count";
    case BM_SEQUEL_NONE:
    case BM_SEQUEL_AGAIN:
        break;
    }
    return "";
}

/* Writes " (of the file: from byte 1 to 2)" where bytes were left out. */
static void show_bytes(char shown[96], const struct bm_salvage_hole *hole) {
    char span[80];
    shown[0] = '\0';
    if (hole->bytes.from == hole->bytes.to) return;
    show_span(span, sizeof span, hole->bytes.from, hole->bytes.to);
    snprintf(shown, 96, " (of the file: %s)", span);
}

void bm_salvage_tell_superseded(char message[BM_SALVAGE_TOLD], const char *child,
                                const struct bm_salvage_hole *hole) {
    char text[80], bytes[96];
    show_span(text, sizeof text, hole->superseded_from, hole->to);
    show_bytes(bytes, hole);
    snprintf(message, BM_SALVAGE_TOLD,
             "%.300s: superseded: its text %s%s, with %" PRIu64
             " whole Iteration%s: the search was begun again %s, and all of it is in the run that begins "
             "at byte %" PRIu64,
             child, text, bytes, hole->n_superseded_iterations, hole->n_superseded_iterations == 1 ? "" : "s",
             hole->superseded_by >= hole->superseded_from ? "behind it" : "there", hole->superseded_by);
}

void bm_salvage_tell_lost(char message[BM_SALVAGE_TOLD], const char *child,
                          const struct bm_salvage_hole *hole) {
    char text[80], bytes[96], borders[256], queries[BM_SALVAGE_NAMES * (BM_SALVAGE_NAME + 16) + 32] = "";
    show_span(text, sizeof text, hole->from, hole->lost_to);
    show_bytes(bytes, hole);
    show_borders(borders, sizeof borders, hole);
    show_lost_queries(queries, sizeof queries, hole);
    snprintf(message, BM_SALVAGE_TOLD, "%.300s: lost: its text %s%s%s%s: %s%s", child, text, bytes, borders,
             queries, hole->reason, explain_sequel(hole));
}
