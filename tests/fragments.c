/* SPDX-License-Identifier: MIT */
/*
 * Merges files by fragments, in an order that a seed draws by lot (fragments.h): for e2e/test_fragments.py.
 *
 *     fragments SEED keep|auto|renumber KEEPS_NUMBERS LEVEL DATABASE CHILD... > RESULT
 *
 * DATABASE "-": it is kept. Ends with the status.
 */
#include "fragments.h"

#include <stdio.h>

static struct fragment_child read_child(const char *path) {
    uint8_t *data = NULL;
    size_t n = 0, n_read = 0;
    FILE *file = fopen(path, "rb");
    fragment_need(file != NULL);
    do {
        uint8_t *grown = realloc(data, n + 65536);
        fragment_need(grown != NULL);
        data = grown;
        n_read = fread(data + n, 1, 65536, file);
        n += n_read;
    } while (n_read > 0);
    fclose(file);
    return (struct fragment_child){data, n};
}

int main(int n_words, char **words) {
    enum { FIRST = 6, MOST = 512 };
    static struct fragment_child children[MOST];
    static size_t order[MOST];
    fragment_need(n_words > FIRST && n_words <= FIRST + MOST);
    size_t n_children = (size_t)(n_words - FIRST), n = 0;
    enum blastmerge_status status = BLASTMERGE_OK;
    const struct fragment_options options = {
        .query_ids = strcmp(words[2], "auto") == 0       ? BLASTMERGE_QUERY_IDS_AUTO
                     : strcmp(words[2], "renumber") == 0 ? BLASTMERGE_QUERY_IDS_RENUMBER
                                                         : BLASTMERGE_QUERY_IDS_KEEP,
        .invalid_utf8 = BLASTMERGE_INVALID_UTF8_KEEP,
        .keeps_numbers = words[3][0] == '1',
        .level = atoi(words[4]),
        .database = strcmp(words[5], "-") == 0 ? NULL : words[5],
    };
    srand((unsigned)atoi(words[1]));
    for (size_t i = 0; i < n_children; i++) children[i] = read_child(words[FIRST + i]);
    for (size_t i = 0; i < n_children; i++) { /* a shuffle from inside out */
        size_t at = (size_t)rand() % (i + 1);
        order[i] = order[at];
        order[at] = i;
    }
    uint8_t *result = merge_by_fragments(&options, children, n_children, order, &n, &status);
    if (status == BLASTMERGE_OK) fragment_need(fwrite(result, 1, n, stdout) == n);
    free(result);
    for (size_t i = 0; i < n_children; i++) free((void *)(uintptr_t)children[i].data);
    return (int)status;
}
