/* SPDX-License-Identifier: MIT */
#include "mark/scan/digest.h"

#include "base/hash.h"

#include <string.h>

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

bool bm_mark_is_generated(const char *id, size_t n_id) {
    (void)skip(&id, &n_id, "lcl|");
    return skip(&id, &n_id, "Query_") && is_digits(id, n_id);
}

/* Returns whether a BLAST before BLAST+ gives such an id to a query without a name: 1_0. This is only for
 * ids: a title or a table's name like that is a user's, because gene finders number their results so. */
static bool is_of_old_blast(const char *id, size_t n_id) {
    (void)skip(&id, &n_id, "lcl|");
    const char *line = memchr(id, '_', n_id);
    if (line == NULL) return false;
    size_t n_first = (size_t)(line - id);
    return is_digits(id, n_first) && is_digits(line + 1, n_id - n_first - 1);
}

bool bm_mark_is_unnamed(const char *title, size_t n_title) {
    static const char *const titles[] = {"", "No definition line", "unnamed protein product"};
    for (size_t i = 0; i < sizeof titles / sizeof titles[0]; i++)
        if (n_title == strlen(titles[i]) && memcmp(title, titles[i], n_title) == 0) return true;
    return false;
}

/* Few titles begin as these do. */
static bool is_nameless(const char *title, size_t n_title) {
    if (n_title > 0 && title[0] != 'N' && title[0] != 'u' && title[0] != 'Q' && title[0] != 'l') return false;
    return bm_mark_is_unnamed(title, n_title) || bm_mark_is_generated(title, n_title);
}

/* Never 0. */
static inline uint64_t hash_of(const void *bytes, size_t n, uint64_t n_all) {
    return bm_hash(bytes, n, n_all) | 1;
}

void bm_mark_digest_take(struct bm_mark_digest_query *query, enum bm_mark_digest_part part, const void *bytes,
                         uint64_t n_bytes) {
    size_t n = n_bytes < BM_DIGEST_CONTENT ? (size_t)n_bytes : BM_DIGEST_CONTENT;
    switch (part) {
    case BM_DIGEST_TITLE:
        if (!is_nameless(bytes, n)) query->title = hash_of(bytes, n, n_bytes);
        break;
    case BM_DIGEST_ID:
        query->id = n == 0 || bm_mark_is_generated(bytes, n) || is_of_old_blast(bytes, n)
                        ? 0
                        : hash_of(bytes, n, n_bytes);
        break;
    case BM_DIGEST_LENGTH:
        query->length = hash_of(bytes, n, n_bytes);
        break;
    default:
        break;
    }
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

uint64_t bm_mark_digest_end_query(struct bm_mark_digest *digest) {
    const struct bm_mark_digest_query *query = &digest->query;
    uint64_t name = name_of(query);
    bool has_own = name != 0 || query->length != 0;
    if (!has_own) name = name_of(&digest->header);
    /* Plus 1, so that one without a name changes it, too, where nothing came before. */
    uint64_t length = has_own ? query->length : digest->header.length;
    digest->hash = bm_hash_add(bm_hash_add(digest->hash + 1, name), length);
    digest->n_named += name != 0;
    digest->query = (struct bm_mark_digest_query){0};
    digest->part = BM_DIGEST_NOTHING;
    digest->is_wanted = false;
    return name == 0 || length == 0 ? 0 : bm_hash_add(name, length);
}

uint64_t bm_mark_digest_add_name(struct bm_mark_digest *digest, const void *name, uint64_t n_name) {
    bm_mark_digest_take(&digest->query, BM_DIGEST_TITLE, name, n_name);
    uint64_t hash = digest->query.title;
    (void)bm_mark_digest_end_query(digest);
    return hash;
}

uint64_t bm_mark_digest_sum(const struct bm_mark_digest *digest, uint64_t n_iterations) {
    return bm_hash_add(digest->hash, n_iterations);
}
