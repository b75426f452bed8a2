/* SPDX-License-Identifier: MIT */
/*
 * Open addressing, with entries of 16 bytes in blocks of 4 KiB that are read and written at once. The file is read
 * twice, to count the names and to add them, so the table never grows. At most MOST_ALIKE entries have one name:
 * more would make each search for one of them long, and no Iteration shows which one it is of.
 */
#include "queries/index.h"

#include "base/descriptor.h"
#include "base/hash.h"
#include "format/format.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK = 256 /* entries */, MOST_ALIKE = 256, MOST_KEYS = 40 /* of one query */, NUMBER_BITS = 40 };

struct entry {
    uint64_t
        tag_and_number; /* 0: none is here. Else 24 bits of the key, and the number of the query before */
    uint64_t place;     /* offset << 8 | how to go on there */
};

struct bm_queries_index {
    int file;
    bool has_places;
    uint64_t n_slots;               /* a power of two, at least a block */
    struct blastmerge_error *error; /* of the call */

    uint64_t block; /* the one in `entries`; UINT64_MAX: none */
    bool is_changed;
    struct entry entries[BLOCK];

    uint64_t keys[4]; /* that are looked for */
    unsigned n_keys, key;
    uint64_t slot; /* where the current key's search goes on */
    uint64_t n_probes;
};

/* --- keys ------------------------------------------------------------------------------------------ */

/* Of a name. UTF-8 and the ISO-8859-1 that BLAST makes of it have one key. */
static uint64_t key_of(const char *name, size_t n_name) {
    uint64_t key = 14695981039346656037u;
    for (size_t i = 0; i < n_name; i++) {
        unsigned byte = (unsigned char)name[i];
        if ((byte & 0xfe) == 0xc2 && i + 1 < n_name)
            byte = (byte & 3) << 6 | ((unsigned char)name[++i] & 0x3f);
        key = (key ^ byte) * 1099511628211u;
    }
    return bm_hash_fold(key | 1, UINT64_C(0x9fb21c651e98df25));
}

/* Of a query without a name; UINT64_MAX: of any length. */
static uint64_t key_of_length(uint64_t length) {
    return bm_hash_add(UINT64_C(0x5851f42d4c957f2d), length);
}

struct keys {
    uint64_t keys[MOST_KEYS];
    unsigned n;
};

static void add_key(struct keys *keys, uint64_t key) {
    for (unsigned i = 0; i < keys->n; i++)
        if (keys->keys[i] == key) return;
    if (keys->n < MOST_KEYS) keys->keys[keys->n++] = key;
}

static void add_word(struct keys *keys, const char *word, size_t n) {
    if (n > 0) add_key(keys, key_of(word, n));
}

/* "a" and "b" with a sign between them. */
static void add_pair(struct keys *keys, const char *one, size_t n_one, const char *sign, const char *other,
                     size_t n_other) {
    char text[2 * BM_QUERIES_WORD + 2];
    size_t n_sign = strlen(sign);
    if (n_one == 0 || n_other == 0) return;
    memcpy(text, one, n_one);
    memcpy(text + n_one, sign, n_sign);
    memcpy(text + n_one + n_sign, other, n_other);
    add_key(keys, key_of(text, n_one + n_sign + n_other));
}

/* An accession, and what it is without its version. */
static void add_accession(struct keys *keys, const char *word, size_t n) {
    size_t n_plain = n;
    add_word(keys, word, n);
    while (n_plain > 0 && word[n_plain - 1] >= '0' && word[n_plain - 1] <= '9') n_plain--;
    if (n_plain > 1 && n_plain < n && word[n_plain - 1] == '.') add_word(keys, word, n_plain - 1);
}

/* What ids BLAST can make of a token with bars: any of its parts, and some of them together (name.c has the rules). */
static void add_parts(struct keys *keys, const struct bm_queries_word *token) {
    enum { MOST_PARTS = 12 };
    const char *parts[MOST_PARTS];
    size_t sizes[MOST_PARTS];
    size_t n = 0;
    for (const char *at = token->bytes; n < MOST_PARTS; at += sizes[n - 1] + 1) {
        parts[n] = at;
        sizes[n] = strcspn(at, "|");
        n++;
        if (at[sizes[n - 1]] == '\0') break;
    }
    for (size_t i = 0; i < n; i++) {
        add_accession(keys, parts[i], sizes[i]);
        if (i + 1 == n) continue;
        add_pair(keys, parts[i], sizes[i], "|", parts[i + 1], sizes[i + 1]);
        add_pair(keys, parts[i], sizes[i], ":", parts[i + 1], sizes[i + 1]);
        add_pair(keys, parts[i], sizes[i], "_", parts[i + 1], sizes[i + 1]);
        if (i + 2 == n) continue;
        add_word(keys, parts[i], (size_t)(parts[i + 2] + sizes[i + 2] - parts[i])); /* pir||A12345 */
        if (i + 3 < n) { /* pat|US|5912119|1 is US5912119_1 */
            char text[2 * BM_QUERIES_WORD + 2];
            memcpy(text, parts[i + 1], sizes[i + 1]);
            memcpy(text + sizes[i + 1], parts[i + 2], sizes[i + 2]);
            add_pair(keys, text, sizes[i + 1] + sizes[i + 2], "_", parts[i + 3], sizes[i + 3]);
        }
    }
    if (n > 1) add_pair(keys, parts[0], sizes[0], ":", parts[1], strlen(parts[1]));
}

static void add_with_underscores(struct keys *keys, const struct bm_queries_word *token) {
    char text[BM_QUERIES_WORD];
    for (size_t i = 0; i < token->n; i++) text[i] = token->bytes[i] == ',' ? '_' : token->bytes[i];
    add_word(keys, text, token->n);
}

/* What a row's first field is where fields are not quoted. */
static void add_first_fields(struct keys *keys, const struct bm_queries_word *token) {
    enum blastmerge_format format = bm_format_next_bare_table(BLASTMERGE_FORMAT_AUTO);
    for (; format != BLASTMERGE_FORMAT_AUTO; format = bm_format_next_bare_table(format)) {
        const char *end = memchr(token->bytes, bm_format_of(format)->separator, token->n);
        if (end != NULL) add_word(keys, token->bytes, (size_t)(end - token->bytes));
    }
}

/* "Query_7": the seventh query or, with -parse_deflines, the seventh that such a name is made up for. */
static void add_place(struct keys *keys, uint64_t number) {
    char name[32];
    add_word(keys, name, (size_t)snprintf(name, sizeof name, "Query_%" PRIu64, number));
}

/* All names by which an Iteration may show the query. n_unnamed: queries so far for which BLAST makes a name up. */
static void read_keys(struct keys *keys, struct bm_queries_names *names, const struct bm_queries_file *query,
                      bool has_places, uint64_t *n_unnamed) {
    keys->n = 0;
    bm_queries_names_read(names, query->title, query->n_title, query->is_cut);
    add_word(keys, names->token.bytes, names->token.n);
    add_first_fields(keys, &names->token);
    add_word(keys, names->title.bytes, names->title.n);
    add_word(keys, names->plain.bytes, names->plain.n);
    if (names->has_range) add_word(keys, names->rest.bytes, names->rest.n);
    if (names->has_range) add_word(keys, names->plain_rest.bytes, names->plain_rest.n);
    if (memchr(names->token.bytes, '|', names->token.n) != NULL)
        add_parts(keys, &names->token);
    else
        add_with_underscores(keys, &names->token);
    if (names->title.n > 0 && !names->has_range) return; /* an Iteration always shows a name */
    ++*n_unnamed;
    if (has_places) {
        add_place(keys, query->number);
        add_place(keys, *n_unnamed);
    }
    add_key(keys, key_of_length(UINT64_MAX));
    if (!query->has_length) return;
    add_key(keys, key_of_length(query->n_residues));
    add_key(keys, key_of_length(query->n_bases));
}

/* --- blocks ---------------------------------------------------------------------------------------- */

static bool fail(struct bm_queries_index *index) {
    bm_fail_system(index->error, errno, "a temporary file, an index of the queries, fails");
    return false;
}

static bool write_block(struct bm_queries_index *index) {
    const size_t n_bytes = sizeof index->entries;
    if (index->is_changed && !bm_write_at(index->file, index->entries, n_bytes, index->block * n_bytes))
        return fail(index);
    index->is_changed = false;
    return true;
}

/* What was never written reads as zeros. */
static bool load_block(struct bm_queries_index *index, uint64_t block) {
    const size_t n_bytes = sizeof index->entries;
    if (block == index->block) return true;
    if (!write_block(index)) return false;
    index->block = UINT64_MAX;
    ssize_t n_read = bm_read_at(index->file, index->entries, n_bytes, block * n_bytes);
    if (n_read < 0) return fail(index);
    memset((char *)index->entries + n_read, 0, n_bytes - (size_t)n_read);
    index->block = block;
    return true;
}

/* The entry, or NULL. */
static struct entry *entry_at(struct bm_queries_index *index, uint64_t slot) {
    return load_block(index, slot / BLOCK) ? &index->entries[slot % BLOCK] : NULL;
}

/* --- entries --------------------------------------------------------------------------------------- */

static uint64_t tag_of(uint64_t key) {
    return key >> NUMBER_BITS << NUMBER_BITS | UINT64_C(1) << 63; /* never 0 */
}

static uint64_t slot_of(const struct bm_queries_index *index, uint64_t key) {
    return key & (index->n_slots - 1);
}

static bool is_of(const struct entry *entry, uint64_t key) {
    return entry->tag_and_number >> NUMBER_BITS == tag_of(key) >> NUMBER_BITS;
}

static bool insert(struct bm_queries_index *index, uint64_t key, const struct entry *new_entry) {
    unsigned n_alike = 0;
    for (uint64_t slot = slot_of(index, key);; slot = (slot + 1) & (index->n_slots - 1)) {
        struct entry *entry = entry_at(index, slot);
        if (entry == NULL) return false;
        if (entry->tag_and_number == 0) {
            *entry = *new_entry;
            index->is_changed = true;
            return true;
        }
        n_alike += is_of(entry, key);
        if (n_alike == MOST_ALIKE) return true;
    }
}

static uint64_t pack(const struct bm_queries_file_place *place) {
    unsigned dropped = place->dropped < 0 ? 0 : place->dropped == '\n' ? 1 : 2;
    return place->offset << 8 | (uint64_t)place->line_end << 4 | dropped << 1 | place->is_at_title;
}

static struct bm_queries_file_place unpack(const struct entry *entry) {
    static const int dropped[] = {-1, '\n', '\r', -1};
    return (struct bm_queries_file_place){
        .offset = entry->place >> 8,
        .number = entry->tag_and_number & ((UINT64_C(1) << NUMBER_BITS) - 1),
        .line_end = (enum bm_queries_line_end)(entry->place >> 4 & 15),
        .dropped = dropped[entry->place >> 1 & 3],
        .is_at_title = entry->place & 1,
    };
}

/* --- building -------------------------------------------------------------------------------------- */

/* Reads all queries; counts their names, or adds them. */
static enum blastmerge_status read_all(struct bm_queries_index *index, struct bm_queries_file *reader,
                                       struct bm_queries_names *names, struct bm_cancel *cancel,
                                       uint64_t *n_keys) {
    struct keys keys;
    bool has_query = true;
    bool is_building = index->n_slots > 0;
    uint64_t n_unnamed = 0;
    bm_queries_file_rewind(reader, reader->is_fasta);
    for (;;) {
        const struct bm_queries_file_place place = bm_queries_file_place(reader);
        enum blastmerge_status status = bm_queries_file_next(reader, &has_query, index->error);
        if (status != BLASTMERGE_OK) return status;
        if (!has_query) break;
        if (bm_cancel_is_set(cancel)) return bm_fail(index->error, BLASTMERGE_CANCELLED, "cancelled");
        read_keys(&keys, names, reader, index->has_places, &n_unnamed);
        *n_keys += keys.n;
        for (unsigned i = 0; i < keys.n && is_building; i++) {
            const struct entry entry = {tag_of(keys.keys[i]) | place.number, pack(&place)};
            if (!insert(index, keys.keys[i], &entry)) return index->error->status;
        }
    }
    if (reader->number >> (NUMBER_BITS - 1) != 0)
        return bm_fail(index->error, BLASTMERGE_USAGE,
                       "the file of queries has more than 500 thousand million of them");
    return BLASTMERGE_OK;
}

static enum blastmerge_status build(struct bm_queries_index *index, struct bm_queries_file *reader,
                                    struct bm_queries_names *names, struct bm_cancel *cancel) {
    uint64_t n_keys = 0;
    enum blastmerge_status status = read_all(index, reader, names, cancel, &n_keys);
    if (status != BLASTMERGE_OK) return status;
    uint64_t n_slots = BLOCK;
    while (n_slots < 2 * n_keys) n_slots *= 2;
    index->n_slots = n_slots;
    return read_all(index, reader, names, cancel, &n_keys);
}

enum blastmerge_status bm_queries_index_open(struct bm_queries_index **index, struct bm_memory *memory,
                                             struct bm_queries_file *reader, bool has_places,
                                             struct bm_cancel *cancel, struct blastmerge_error *error) {
    struct bm_queries_index *made = bm_allocate(memory, sizeof *made);
    struct bm_queries_names *names = bm_allocate(memory, sizeof *names);
    *index = made;
    if (made != NULL) made->file = -1;
    if (made == NULL || names == NULL) {
        bm_release(memory, names);
        return bm_fail(error, BLASTMERGE_NO_MEMORY, "out of memory");
    }
    made->error = error;
    made->has_places = has_places;
    made->block = UINT64_MAX;
    enum blastmerge_status status = BLASTMERGE_OK;
    made->file = bm_open_temporary(reader->beside);
    if (made->file < 0)
        status = bm_fail_system(error, errno, "cannot create a temporary file, an index of the queries");
    else
        status = build(made, reader, names, cancel);
    bm_release(memory, names);
    return status;
}

void bm_queries_index_close(struct bm_queries_index *index, struct bm_memory *memory) {
    if (index == NULL) return;
    if (index->file >= 0) close(index->file);
    bm_release(memory, index);
}

/* --- finding --------------------------------------------------------------------------------------- */

void bm_queries_index_find(struct bm_queries_index *index, const struct bm_queries_iteration *iteration) {
    index->n_keys = index->key = 0;
    if (iteration->id.n > 0) index->keys[index->n_keys++] = key_of(iteration->id.bytes, iteration->id.n);
    if (iteration->title.n > 0)
        index->keys[index->n_keys++] = key_of(iteration->title.bytes, iteration->title.n);
    if (iteration->rest.n > 0)
        index->keys[index->n_keys++] = key_of(iteration->rest.bytes, iteration->rest.n);
    if (iteration->is_nameless) {
        if (iteration->has_length) index->keys[index->n_keys++] = key_of_length(iteration->length);
        if (!iteration->has_length) index->keys[index->n_keys++] = key_of_length(UINT64_MAX);
    }
    if (index->n_keys > 0) index->slot = slot_of(index, index->keys[0]);
    index->n_probes = 0;
}

bool bm_queries_index_next(struct bm_queries_index *index, struct bm_queries_file_place *place,
                           struct blastmerge_error *error) {
    index->error = error;
    while (index->key < index->n_keys) {
        const struct entry *entry = entry_at(index, index->slot);
        if (entry == NULL) return false;
        index->slot = (index->slot + 1) & (index->n_slots - 1);
        bool is_end = entry->tag_and_number == 0 || index->n_probes++ == index->n_slots;
        if (is_end) {
            if (++index->key < index->n_keys) index->slot = slot_of(index, index->keys[index->key]);
            index->n_probes = 0;
        } else if (is_of(entry, index->keys[index->key])) {
            *place = unpack(entry);
            return true;
        }
    }
    return false;
}
