/* SPDX-License-Identifier: MIT */
#include "mark/digest.h"

#include <string.h>

/* --- hashing ------------------------------------------------------------------------------------- */

static uint64_t mix(uint64_t hash, uint64_t value) {
    hash = (hash ^ value) * UINT64_C(0x9fb21c651e98df25);
    return hash ^ hash >> 29;
}

uint64_t bm_mark_digest_hash(const void *bytes, size_t n_bytes) {
    const uint8_t *p = bytes;
    uint64_t hash = mix(UINT64_C(0x2545f4914f6cdd1d), n_bytes);
    size_t n_left = n_bytes;
    for (; n_left >= sizeof(uint64_t); n_left -= sizeof(uint64_t), p += sizeof(uint64_t))
        hash = mix(hash, bm_load64(p));
    uint64_t rest = 0;
    for (size_t i = 0; i < n_left; i++) rest |= (uint64_t)p[i] << 8 * i;
    hash = mix(hash, rest);
    hash = mix(hash, hash >> 32);
    return hash == 0 ? 1 : hash;
}

/* --- names --------------------------------------------------------------------------------------- */

static bool is_digits(const char *text, size_t n_text) {
    for (size_t i = 0; i < n_text; i++)
        if (text[i] < '0' || text[i] > '9') return false;
    return n_text > 0;
}

static bool skip(const char **text, size_t *n_text, const char *word) {
    size_t n_word = strlen(word);
    if (*n_text < n_word || memcmp(*text, word, n_word) != 0) return false;
    *text += n_word;
    *n_text -= n_word;
    return true;
}

/* What BLAST calls a query without a name: Query_7. "lcl|" may stand before it. */
static bool is_generated(const char *id, size_t n_id) {
    (void)skip(&id, &n_id, "lcl|");
    return skip(&id, &n_id, "Query_") && is_digits(id, n_id);
}

/* The same before BLAST+: 1_0, in ids alone. A title or a table's name like that is a user's: gene finders
 * number what they find so. */
static bool is_of_old_blast(const char *id, size_t n_id) {
    (void)skip(&id, &n_id, "lcl|");
    const char *line = memchr(id, '_', n_id);
    if (line == NULL) return false;
    size_t n_first = (size_t)(line - id);
    return is_digits(id, n_first) && is_digits(line + 1, n_id - n_first - 1);
}

/* The same in the place of a title. */
static bool is_nameless(const char *title, size_t n_title) {
    static const char *const titles[] = {"", "No definition line", "unnamed protein product"};
    for (size_t i = 0; i < sizeof titles / sizeof titles[0]; i++)
        if (n_title == strlen(titles[i]) && memcmp(title, titles[i], n_title) == 0) return true;
    return is_generated(title, n_title);
}

void bm_mark_digest_take(struct bm_mark_digest_query *query, enum bm_mark_digest_part part, const void *bytes,
                         uint64_t n_bytes) {
    size_t n = n_bytes < BM_DIGEST_CONTENT ? (size_t)n_bytes : BM_DIGEST_CONTENT;
    uint64_t hash = mix(bm_mark_digest_hash(bytes, n), n_bytes);
    if (part == BM_DIGEST_TITLE) query->title = is_nameless(bytes, n) ? 0 : hash | 1;
    if (part == BM_DIGEST_ID)
        query->id = is_generated(bytes, n) || is_of_old_blast(bytes, n) || n == 0 ? 0 : hash | 1;
    if (part == BM_DIGEST_LENGTH) query->length = hash | 1;
}

/* --- byte by byte -------------------------------------------------------------------------------- */

void bm_mark_digest_begin_part(struct bm_mark_digest *digest, enum bm_mark_digest_part part) {
    digest->part = (uint8_t)part;
    digest->n_content = 0;
}

void bm_mark_digest_end_part(struct bm_mark_digest *digest) {
    if (digest->part == BM_DIGEST_NOTHING) return;
    bm_mark_digest_take(&digest->query, (enum bm_mark_digest_part)digest->part, digest->content,
                        digest->n_content);
    digest->part = BM_DIGEST_NOTHING;
}

/* --- queries ------------------------------------------------------------------------------------- */

static uint64_t name_of(const struct bm_mark_digest_query *query) {
    return query->title != 0 ? query->title : query->id;
}

void bm_mark_digest_end_query(struct bm_mark_digest *digest) {
    const struct bm_mark_digest_query *query = &digest->query;
    uint64_t name = name_of(query);
    bool has_own = name != 0 || query->length != 0;
    if (!has_own) name = name_of(&digest->header);
    /* Plus 1, so that one without a name changes it, too, where nothing came before. */
    digest->hash = mix(mix(digest->hash + 1, name), has_own ? query->length : digest->header.length);
    digest->n_named += name != 0;
    digest->query = (struct bm_mark_digest_query){0};
    digest->part = BM_DIGEST_NOTHING;
    digest->is_wanted = false;
}

void bm_mark_digest_add_name(struct bm_mark_digest *digest, const void *name, uint64_t n_name) {
    bm_mark_digest_take(&digest->query, BM_DIGEST_TITLE, name, n_name);
    bm_mark_digest_end_query(digest);
}

uint64_t bm_mark_digest_sum(const struct bm_mark_digest *digest, uint64_t n_iterations) {
    return mix(mix(digest->hash, n_iterations), n_iterations >> 32);
}
