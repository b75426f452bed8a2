/* SPDX-License-Identifier: MIT */
/*
 * Salvage: up to four children of fuzzed text, damaged in a few places, merged with options.salvage and
 * without.
 *
 * What merges without comes to the same with it. What does not must fail or be salvaged; then the result must
 * be well-formed for expat, must be a child that merges without salvage to itself, with as many Iterations as
 * were reported, and is the same spliced and with threads. Where nothing was taken unchecked, and only bytes
 * were changed or cut off in gzip members, each of its Iterations is one that was there before the damage.
 *
 * The input: a byte of options; a byte that says how many damages follow, of four bytes each; children
 * (children.h).
 */
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

static int is_merged(const struct outcome *outcome) {
    return outcome->status == BLASTMERGE_OK || outcome->status == BLASTMERGE_SALVAGED;
}

/* KEEP for most inputs: with it Iterations stay as they are. */
static enum blastmerge_query_ids query_ids_of(uint8_t flags) {
    return (enum blastmerge_query_ids)(((flags >> 6) + BLASTMERGE_QUERY_IDS_KEEP) % 3);
}

static struct outcome merge(const struct bytes *children, size_t n_children, uint8_t flags, struct way way,
                            int salvage) {
    struct blastmerge_options options;
    struct outcome outcome;
    set_options(&options, flags, way);
    options.salvage = salvage;
    options.query_ids = query_ids_of(flags);
    options.format = BLASTMERGE_FORMAT_XML; /* the one that can be salvaged */
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

static void require_same(const struct outcome *one, const struct outcome *other) {
    require(one->status == other->status && one->n_iterations == other->n_iterations);
    require(one->n_unchecked == other->n_unchecked && one->text.n == other->text.n);
    require(one->text.n == 0 || memcmp(one->text.data, other->text.data, one->text.n) == 0);
}

/* --- damage -------------------------------------------------------------------------------------- */

/* Bytes from `place` on, as many as there are, up to n, once more or not at all. */
static void repeat(struct bytes *child, size_t place, size_t n, int is_double) {
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

/* Four bytes: what and where. Returns whether no Iteration can come of it that was not there. */
static int damage(struct bytes *children, size_t n_children, const uint8_t how[N_DAMAGE]) {
    struct bytes *child = &children[(how[0] >> 2) % n_children];
    if (child->n == 0) return 1;
    size_t place = (size_t)(how[1] << 8 | how[2]) * child->n >> 16;
    switch ((enum damage)(how[0] & 3)) {
    case CHANGE:
        child->data[place] ^= how[3];
        return 1;
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

/* --- Iterations ---------------------------------------------------------------------------------- */

static const uint8_t *find(const uint8_t *from, const uint8_t *end, const char *word) {
    return from == NULL ? NULL : memmem(from, (size_t)(end - from), word, strlen(word));
}

static int was_there(const struct bytes *texts, size_t n_texts, const uint8_t *from, const uint8_t *end) {
    for (size_t i = 0; i < n_texts; i++) {
        if (memmem(texts[i].data, texts[i].n, from, (size_t)(end - from)) != NULL) return 1;
    }
    return 0;
}

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

static void check_salvaged(const struct outcome *salvaged, uint8_t flags) {
    int keeps_invalid = (flags >> 4 & 3) % 3 == BLASTMERGE_INVALID_UTF8_KEEP;
    require(keeps_invalid || is_well_formed(salvaged->text));
    struct outcome again = merge(&salvaged->text, 1, flags, plain_way, 0);
    require(again.status == BLASTMERGE_OK && again.n_iterations == salvaged->n_iterations);
    require(again.text.n == salvaged->text.n && again.text.n > 0);
    require(memcmp(again.text.data, salvaged->text.data, again.text.n) == 0);
    free(again.text.data);
}

static void check_other_way(const struct outcome *salvaged, const struct bytes *children, size_t n_children,
                            uint8_t flags, uint32_t sum) {
    struct way way = {(sum & 24) == 8 ? 1 : 0, BLASTMERGE_FORM_GZIP, (sum & 0xff00) == 0 ? 3 : 1};
    struct outcome other = merge(children, n_children, flags, way, 1);
    require_same(salvaged, &other);
    free(other.text.data);
}

static void check(const struct bytes *children, size_t n_children, uint8_t flags, uint32_t sum,
                  const struct bytes *texts, int is_honest) {
    struct outcome strict = merge(children, n_children, flags, plain_way, 0);
    struct outcome salvaged = merge(children, n_children, flags, plain_way, 1);
    if (strict.status == BLASTMERGE_OK) require_same(&salvaged, &strict);
    if (salvaged.status == BLASTMERGE_OK) require(strict.status == BLASTMERGE_OK);
    if (salvaged.status == BLASTMERGE_SALVAGED) {
        check_salvaged(&salvaged, flags);
        int keeps_ids = query_ids_of(flags) == BLASTMERGE_QUERY_IDS_KEEP;
        if (keeps_ids && is_honest && salvaged.n_unchecked == 0 && is_simple(texts, n_children))
            check_iterations(salvaged.text, texts, n_children);
    }
    if ((sum & 7) == 0) check_other_way(&salvaged, children, n_children, flags, sum);
    free(strict.text.data);
    free(salvaged.text.data);
}

int LLVMFuzzerTestOneInput(/* NOLINT(readability-identifier-naming): libFuzzer calls it */
                           const uint8_t *data, size_t size) {
    struct bytes children[MAX_CHILDREN];
    struct bytes texts[MAX_CHILDREN];
    if (size < 2) return 0;
    uint8_t flags = data[0];
    size_t n_damages = data[1] % (MAX_DAMAGES + 1);
    size_t begin = 2 + n_damages * N_DAMAGE;
    if (size <= begin) return 0;
    size_t n_children = split_children(data + begin, size - begin, children, texts);
    int is_honest = 1;
    for (size_t i = 0; i < n_children; i++) is_honest &= texts[i].data[-1] != 'P';
    for (size_t i = 0; i < n_damages; i++) is_honest &= damage(children, n_children, data + 2 + i * N_DAMAGE);
    check(children, n_children, flags, (uint32_t)crc32(0, data, (uInt)size), texts, is_honest);
    for (size_t i = 0; i < n_children; i++) free(children[i].data);
    require(keep_n_live() == 0);
    return 0;
}
