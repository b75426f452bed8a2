/* SPDX-License-Identifier: MIT */
/*
 * Texts that are changed at random, for the tests that hold the scanners' verdicts against other parsers'.
 *
 * BLASTMERGE_TEST_MUTATIONS: how many, 30000 if it is not set. BLASTMERGE_TEST_SEED: the first one's seed.
 */
#ifndef TEST_MUTATIONS_H
#define TEST_MUTATIONS_H

#include "test_mark.h"

typedef void mutation(struct bytes *text, struct chance *chance);

static inline void replace(struct bytes *text, size_t at, size_t n_old, const void *new, size_t n_new) {
    struct bytes result = {0};
    add_bytes(&result, text->data, at);
    add_bytes(&result, new, n_new);
    add_bytes(&result, text->data + at + n_old, text->n_data - at - n_old);
    free_bytes(text);
    *text = result;
}

static inline void insert_text(struct bytes *text, size_t at, const char *new) {
    replace(text, at, 0, new, strlen(new));
}

/* --- mutations of any text, that is not empty ---------------------------------------------------- */

static inline void truncate_text(struct bytes *text, struct chance *chance) {
    text->n_data = below(chance, text->n_data);
}

static inline void change_byte(struct bytes *text, struct chance *chance) {
    text->data[below(chance, text->n_data)] = (uint8_t)next_chance(chance);
}

static inline size_t end_of_range(const struct bytes *text, size_t at, size_t n) {
    return n < text->n_data - at ? at + n : text->n_data;
}

static inline void delete_range(struct bytes *text, struct chance *chance) {
    size_t at = below(chance, text->n_data);
    size_t end = end_of_range(text, at, 1 + below(chance, below(chance, 2) == 0 ? 3 : 60));
    replace(text, at, end - at, NULL, 0);
}

static inline void double_range(struct bytes *text, struct chance *chance) {
    uint8_t copy[300];
    size_t at = below(chance, text->n_data);
    size_t n = end_of_range(text, at, 1 + below(chance, sizeof copy)) - at;
    memcpy(copy, text->data + at, n);
    replace(text, below(chance, 2) == 0 ? at : below(chance, text->n_data), 0, copy, n);
}

/* --- verdicts ------------------------------------------------------------------------------------ */

static struct {
    size_t n_texts;
    size_t n_documents;
    size_t n_fine;    /* for both */
    size_t n_refused; /* by both, at about one place */
} tally;

static inline size_t read_number(const char *name, size_t otherwise) {
    const char *value = getenv(name);
    return value == NULL ? otherwise : (size_t)strtoull(value, NULL, 10);
}

/* Makes texts, changes most of them in one place and some in several, has them checked, and prints the tally.
 */
static inline void try_mutations(mutation *make, mutation *const *mutations, size_t n_mutations,
                                 void (*check)(const struct bytes *text, uint64_t seed)) {
    size_t n_texts = read_number("BLASTMERGE_TEST_MUTATIONS", 30000);
    uint64_t first = read_number("BLASTMERGE_TEST_SEED", 1);
    for (uint64_t seed = first; seed < first + n_texts; seed++) {
        struct chance chance = {seed};
        struct bytes text = {0};
        make(&text, &chance);
        for (size_t n = below(&chance, 10) == 0 ? below(&chance, 6) : 1; n > 0 && text.n_data > 0; n--)
            mutations[below(&chance, n_mutations)](&text, &chance);
        check(&text, seed);
        free_bytes(&text);
    }
    printf("%zu texts, %zu documents: %zu accepted by both, %zu refused by both; explained:\n", tally.n_texts,
           tally.n_documents, tally.n_fine, tally.n_refused);
}

#endif
