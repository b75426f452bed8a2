/* SPDX-License-Identifier: MIT */
#include "salvage/name.h"

#include "base/hash.h"
#include "mark/query.h"

#include <string.h>

void bm_salvage_head_begin(struct bm_salvage_head *head, uint64_t offset, bool is_of_archive) {
    head->is_open = true;
    head->is_of_archive = is_of_archive;
    head->offset = offset;
    head->n = 0;
}

size_t bm_salvage_head_wants(const struct bm_salvage_head *head, uint64_t to, uint64_t *from) {
    *from = head->offset + head->n;
    if (!head->is_open || to <= *from) return 0;
    uint64_t n = to - *from;
    return n < BM_SALVAGE_HEAD - head->n ? (size_t)n : BM_SALVAGE_HEAD - head->n;
}

void bm_salvage_head_take(struct bm_salvage_head *head, const uint8_t *text, size_t n_text) {
    bm_require(n_text <= BM_SALVAGE_HEAD - head->n);
    memcpy(head->text + head->n, text, n_text);
    head->n += n_text;
}

void bm_salvage_head_cut(struct bm_salvage_head *head, uint64_t offset) {
    if (offset <= head->offset)
        head->is_open = false;
    else if (offset - head->offset < head->n)
        head->n = (size_t)(offset - head->offset);
}

static bool is_white(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The first word behind the tag, which must have an end. */
static bool find_word(const char *text, size_t n_text, const char *tag, const char **word, size_t *n_word) {
    const char *found = memmem(text, n_text, tag, strlen(tag));
    if (found == NULL) return false;
    const char *end = text + n_text;
    found += strlen(tag);
    while (found < end && is_white(*found)) found++;
    *word = found;
    while (found < end && *found != '<' && !is_white(*found)) found++;
    *n_word = (size_t)(found - *word);
    return *n_word != 0 && found != end;
}

/* Whether BLAST calls a query so that has no name; as far as the title is there. With its NUL or '<' it is whole. */
static bool is_nameless(const char *title, size_t n_title, char end) {
    static const char *const titles[] = {"No definition line", "unnamed protein product"};
    for (size_t i = 0; i < sizeof titles / sizeof titles[0]; i++) {
        size_t n = strlen(titles[i]);
        if (memcmp(title, titles[i], n < n_title ? n : n_title) == 0 && (n_title <= n || title[n] == end))
            return true;
    }
    return false;
}

/* What stands before the Hits. */
static size_t measure_head(const struct bm_salvage_head *head) {
    const char *hits = memmem(head->text, head->n, "<Iteration_hits", strlen("<Iteration_hits"));
    return hits == NULL ? head->n : (size_t)(hits - head->text);
}

/* The first word of a title that is a name, or the id; n 0: neither is there completely. */
struct archive_name {
    bool is_title;
    size_t n;
    char text[BM_MARK_MAX_TITLE];
};

static void find_name_in_archive(struct archive_name *name, const struct bm_salvage_head *head) {
    struct bm_mark_query query;
    size_t from = 0;
    bm_mark_query_read(&query, head->text, head->n);
    while (from < query.n_title && is_white(query.title[from])) from++;
    size_t to = from;
    while (to < query.n_title && !is_white(query.title[to])) to++;
    bool is_whole = to > from && (to < query.n_title || !query.is_cut);
    name->is_title = is_whole && !bm_mark_is_unnamed(query.title, query.n_title);
    name->n = name->is_title ? to - from : query.n_id;
    memcpy(name->text, name->is_title ? query.title + from : query.id, name->n);
}

static bool is_named_in_archive(const struct bm_salvage_head *head) {
    struct archive_name name;
    find_name_in_archive(&name, head);
    return name.is_title || (name.n > 0 && !bm_mark_is_generated(name.text, name.n));
}

uint64_t bm_salvage_head_hash(const struct bm_salvage_head *head, bool *is_named) {
    const char *word = NULL;
    size_t n = 0;
    if (head->is_of_archive) {
        *is_named = is_named_in_archive(head);
        return bm_fnv1a(BM_FNV1A, head->text, head->n);
    }
    const size_t n_text = measure_head(head);
    *is_named = find_word(head->text, n_text, "<Iteration_query-def>", &word, &n) &&
                !is_nameless(word, (size_t)(head->text + head->n - word), '<');
    return bm_fnv1a(BM_FNV1A, head->text, n_text);
}

bool bm_salvage_head_has_query(const struct bm_salvage_head *head) {
    static const char tag[] = "<Iteration_query-";
    return memmem(head->text, measure_head(head), tag, sizeof tag - 1) != NULL;
}

bool bm_salvage_head_has_hits(const struct bm_salvage_head *head) {
    return measure_head(head) < head->n;
}

static void copy_name(char name[BM_SALVAGE_NAME], const char *word, size_t n) {
    static const char dots[] = "...";
    bool is_cut = n >= BM_SALVAGE_NAME;
    if (is_cut) n = BM_SALVAGE_NAME - sizeof dots;
    memcpy(name, word, n);
    memcpy(name + n, dots, is_cut ? sizeof dots : 0);
    name[is_cut ? BM_SALVAGE_NAME - 1 : n] = '\0';
}

void bm_salvage_head_name(const struct bm_salvage_head *head, char name[BM_SALVAGE_NAME]) {
    const size_t n_text = measure_head(head);
    const char *word = NULL;
    size_t n = 0;
    name[0] = '\0';
    if (!head->is_open) return;
    if (head->is_of_archive) {
        struct archive_name found;
        find_name_in_archive(&found, head);
        if (found.n > 0) copy_name(name, found.text, found.n);
        return;
    }
    bool has_title = find_word(head->text, n_text, "<Iteration_query-def>", &word, &n);
    if (has_title && is_nameless(word, (size_t)(head->text + head->n - word), '<')) has_title = false;
    if (!has_title && !find_word(head->text, n_text, "<Iteration_query-ID>", &word, &n)) return;
    copy_name(name, word, n);
}

bool bm_salvage_field_name(const struct bm_mark_field *field, char name[BM_SALVAGE_NAME]) {
    const char *word = field->value;
    size_t n = 0;
    bool is_title = strcmp(field->name, "BlastOutput_query-def") == 0;
    if (!is_title && strcmp(field->name, "BlastOutput_query-ID") != 0) return false;
    if (is_title && is_nameless(field->value, field->n_value + 1, '\0')) return false;
    while (is_white(*word)) word++;
    while (word[n] != '\0' && word[n] != '<' && !is_white(word[n])) n++;
    if (n == 0 || (!is_title && name[0] != '\0')) return false;
    copy_name(name, word, n);
    return is_title;
}
