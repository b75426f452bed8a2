/* SPDX-License-Identifier: MIT */
/*
 * Salvage: up to four children of fuzzed text, damaged in a few places, merged with options.salvage and
 * without.
 *
 * What merges without comes to the same with it. What does not must fail or be salvaged; then the result must
 * be well-formed for expat, must be a child that merges without salvage to itself, with as many Iterations as
 * were reported, and is the same spliced and with threads. Where nothing was taken unchecked, and only bytes
 * were changed or cut off in gzip members, each of its Iterations is one that was there before the damage.
 */
#include "damage.h"

/* --- Iterations ---------------------------------------------------------------------------------- */

/* Each Iteration, from behind its number and blanks on, stands in one of the texts. */
static void check_iterations(struct bytes text, const struct bytes *texts, size_t n_texts) {
    const uint8_t *end = text.data + text.n;
    const uint8_t *next = find(text.data, end, "<Iteration>");
    while (next != NULL) {
        const uint8_t *from = next;
        const uint8_t *to = find(from, end, "</Iteration>");
        if (to == NULL) break;
        next = find(from + 1, end, "<Iteration>");
        if (next != NULL && next < to) continue; /* one in another */
        for (const uint8_t *number = from; number != NULL;
             number = find(number + 1, to, "Iteration_iter-num"))
            from = number;
        from = find(from, to, ">");
        require(from != NULL);
        do { /* what is inserted brings blanks */
            from++;
        } while (from < to && strchr(" \t\r\n", *from) != NULL);
        require(was_there(texts, n_texts, from, to));
    }
}

/* Whether each number is the first element of an Iteration: others are not merged. */
static int has_numbers_first(struct bytes text) {
    static const char tag[] = "<Iteration>";
    const uint8_t *end = text.data + text.n;
    const uint8_t *number = text.data;
    while ((number = find(number, end, "<Iteration_iter-num")) != NULL) {
        const uint8_t *p = number++;
        while (p > text.data && strchr(" \t\r\n", p[-1]) != NULL) p--;
        if ((size_t)(p - text.data) < strlen(tag) || memcmp(p - strlen(tag), tag, strlen(tag)) != 0) return 0;
    }
    return 1;
}

/* Whether Iterations can be told by searching for strings, and stay as they are but for their numbers. */
static int is_simple(const struct bytes *texts, size_t n_texts) {
    for (size_t i = 0; i < n_texts; i++) {
        const uint8_t *end = texts[i].data + texts[i].n;
        if (!has_numbers_first(texts[i])) return 0;
        if (find(texts[i].data, end, "<!") != NULL || find(texts[i].data, end, "encoding") != NULL) return 0;
        if (find(texts[i].data, end, "&#") != NULL) return 0;
        for (const uint8_t *p = texts[i].data; p < end; p++) {
            if (*p >= 0x80 || (*p < 0x20 && strchr("\t\r\n", *p) == NULL)) return 0;
        }
    }
    return 1;
}

/* --- the target ---------------------------------------------------------------------------------- */

/* Iterations are looked for as strings, where they stay as they are. */
static void check_text(const struct outcome *salvaged, uint8_t flags, const struct bytes *texts,
                       size_t n_texts, int is_honest) {
    int keeps_invalid = (flags >> 4 & 3) % 3 == BLASTMERGE_INVALID_UTF8_KEEP;
    int keeps_ids = query_ids_of(flags) == BLASTMERGE_QUERY_IDS_KEEP;
    require(keeps_invalid || is_well_formed(salvaged->text));
    if (keeps_ids && is_honest && is_simple(texts, n_texts)) check_iterations(salvaged->text, texts, n_texts);
}

static const struct salvaged_format xml = {BLASTMERGE_FORMAT_XML, NULL, check_text};

int LLVMFuzzerTestOneInput(/* NOLINT(readability-identifier-naming): libFuzzer calls it */
                           const uint8_t *data, size_t size) {
    return check_salvage(&xml, data, size);
}
