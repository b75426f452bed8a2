/* SPDX-License-Identifier: MIT */
/*
 * Damaged children, for the targets of salvage: a few places of them are changed, cut off, left out or doubled, and they
 * are merged with options.salvage and without.
 */
#ifndef BM_FUZZ_DAMAGE_H
#define BM_FUZZ_DAMAGE_H

#include "children.h"
#include "keep.h"

enum { MAX_DAMAGES = 7, N_DAMAGE = 4 };
enum damage { CHANGE, CUT, REMOVE, DOUBLE };

struct outcome {
    enum blastmerge_status status;
    struct bytes text; /* if there is one */
    uint64_t n_iterations;
    uint64_t n_unchecked;
};

static inline int is_merged(const struct outcome *outcome) {
    return outcome->status == BLASTMERGE_OK || outcome->status == BLASTMERGE_SALVAGED;
}

/* KEEP for most inputs: with it Iterations stay as they are. */
static inline enum blastmerge_query_ids query_ids_of(uint8_t flags) {
    return (enum blastmerge_query_ids)(((flags >> 6) + BLASTMERGE_QUERY_IDS_KEEP) % 3);
}

static inline struct outcome merge(enum blastmerge_format format, const struct bytes *children,
                                   size_t n_children, uint8_t flags, struct way way, int salvage) {
    struct blastmerge_options options;
    struct outcome outcome;
    set_options(&options, flags, way);
    options.salvage = salvage;
    options.query_ids = query_ids_of(flags);
    options.format = format;
    struct blastmerge_job *job = make_job(&options, children, n_children);
    outcome.status = run_job(job, way.form, &outcome.text);
    const struct blastmerge_report *report = blastmerge_report(job);
    outcome.n_iterations = report->n_iterations;
    outcome.n_unchecked = report->n_unchecked_iterations;
    require(is_merged(&outcome) || outcome.status == BLASTMERGE_DATA ||
            outcome.status == BLASTMERGE_MISMATCH || must_be_decompressed_first(job));
    if (is_merged(&outcome)) {
        require((outcome.status == BLASTMERGE_SALVAGED) == (report->n_damaged_children > 0));
        require((report->n_lost_stretches + report->n_superseded_runs > 0) ==
                (report->n_damaged_children > 0));
    }
    blastmerge_destroy(job);
    return outcome;
}

static inline void require_same(const struct outcome *one, const struct outcome *other) {
    require(one->status == other->status && one->n_iterations == other->n_iterations);
    require(one->n_unchecked == other->n_unchecked && one->text.n == other->text.n);
    require(one->text.n == 0 || memcmp(one->text.data, other->text.data, one->text.n) == 0);
}

/* --- damage -------------------------------------------------------------------------------------- */

/* Bytes from `place` on, as many as there are, up to n, once more or not at all. */
static inline void repeat(struct bytes *child, size_t place, size_t n, int is_double) {
    if (n > child->n - place) n = child->n - place;
    if (!is_double) {
        memmove(child->data + place, child->data + place + n, child->n - place - n);
        child->n -= n;
        return;
    }
    child->data = realloc(child->data, child->n + n + 1);
    require(child->data != NULL);
    memmove(child->data + place + n, child->data + place, child->n - place);
    child->n += n;
}

static inline int is_gzip(const struct bytes *child) {
    return child->n >= 2 && child->data[0] == 0x1f && child->data[1] == 0x8b;
}

/* Four bytes: what and where. Returns whether nothing can be salvaged of it that was not there. A gzip member that no
 * longer begins like one is a plain child, whose text has no checksum; stored blocks hold the very text. */
static inline int damage(struct bytes *children, size_t n_children, const uint8_t how[N_DAMAGE]) {
    struct bytes *child = &children[(how[0] >> 2) % n_children];
    if (child->n == 0) return 1;
    size_t place = (size_t)(how[1] << 8 | how[2]) * child->n >> 16;
    switch ((enum damage)(how[0] & 3)) {
    case CHANGE:
        child->data[place] ^= how[3];
        return is_gzip(child);
    case CUT:
        child->n = place;
        return 1;
    case REMOVE:
    case DOUBLE:
        repeat(child, place, how[3], (how[0] & 3) == DOUBLE);
        return 0;
    }
    return 0;
}

/* --- what is required --------------------------------------------------------------------------- */

static inline const uint8_t *find(const uint8_t *from, const uint8_t *end, const char *word) {
    return from == NULL ? NULL : memmem(from, (size_t)(end - from), word, strlen(word));
}

static inline int was_there(const struct bytes *texts, size_t n_texts, const uint8_t *from,
                            const uint8_t *end) {
    for (size_t i = 0; i < n_texts; i++) {
        if (memmem(texts[i].data, texts[i].n, from, (size_t)(end - from)) != NULL) return 1;
    }
    return 0;
}

/* A format that can be salvaged. */
struct salvaged_format {
    enum blastmerge_format format;
    /* What a child's text stands for, allocated. NULL: the text itself. */
    struct bytes (*expand)(struct bytes text);
    /* Judges the text that was salvaged. is_honest: each piece of it was in one of the texts. */
    void (*check_text)(const struct outcome *salvaged, uint8_t flags, const struct bytes *texts,
                       size_t n_texts, int is_honest);
};

static inline void check_again(const struct salvaged_format *format, const struct outcome *salvaged,
                               uint8_t flags) {
    struct outcome again = merge(format->format, &salvaged->text, 1, flags, plain_way, 0);
    require(again.status == BLASTMERGE_OK && again.n_iterations == salvaged->n_iterations);
    require(again.text.n == salvaged->text.n && again.text.n > 0);
    require(memcmp(again.text.data, salvaged->text.data, again.text.n) == 0);
    free(again.text.data);
}

static inline void check_other_way(const struct salvaged_format *format, const struct outcome *salvaged,
                                   const struct bytes *children, size_t n_children, uint8_t flags,
                                   uint32_t sum) {
    struct way way = {(sum & 24) == 8 ? 1 : 0, BLASTMERGE_FORM_GZIP, (sum & 0xff00) == 0 ? 3 : 1};
    struct outcome other = merge(format->format, children, n_children, flags, way, 1);
    require_same(salvaged, &other);
    free(other.text.data);
}

/* Children that were damaged. sum: of the input, which chooses what else is tried. */
static inline void check(const struct salvaged_format *format, const struct bytes *children,
                         size_t n_children, uint8_t flags, uint32_t sum, const struct bytes *texts,
                         int is_honest) {
    struct outcome strict = merge(format->format, children, n_children, flags, plain_way, 0);
    struct outcome salvaged = merge(format->format, children, n_children, flags, plain_way, 1);
    if (strict.status == BLASTMERGE_OK) require_same(&salvaged, &strict);
    if (salvaged.status == BLASTMERGE_OK) require(strict.status == BLASTMERGE_OK);
    if (salvaged.status == BLASTMERGE_SALVAGED) {
        format->check_text(&salvaged, flags, texts, n_children, is_honest && salvaged.n_unchecked == 0);
        check_again(format, &salvaged, flags);
    }
    if ((sum & 7) == 0) check_other_way(format, &salvaged, children, n_children, flags, sum);
    free(strict.text.data);
    free(salvaged.text.data);
}

/* What a target of salvage does. The input: a byte of options; a byte that says how many damages follow, of N_DAMAGE bytes
 * each; children (children.h). */
static inline int check_salvage(const struct salvaged_format *format, const uint8_t *data, size_t size) {
    struct bytes children[MAX_CHILDREN];
    struct bytes texts[MAX_CHILDREN];
    if (size < 2) return 0;
    size_t n_damages = data[1] % (MAX_DAMAGES + 1);
    size_t begin = 2 + n_damages * N_DAMAGE;
    if (size <= begin) return 0;
    size_t n_children = split_texts(data + begin, size - begin, texts);
    int is_honest = 1;
    for (size_t i = 0; i < n_children; i++) {
        uint8_t how = texts[i].data[-1];
        if (format->expand != NULL) texts[i] = format->expand(texts[i]);
        children[i] = make_child(texts[i], how);
        is_honest &= how != 'P';
    }
    for (size_t i = 0; i < n_damages; i++) is_honest &= damage(children, n_children, data + 2 + i * N_DAMAGE);
    check(format, children, n_children, data[0], (uint32_t)crc32(0, data, (uInt)size), texts, is_honest);
    for (size_t i = 0; i < n_children; i++) {
        free(children[i].data);
        if (format->expand != NULL) free(texts[i].data);
    }
    require(keep_n_live() == 0);
    return 0;
}

#endif
