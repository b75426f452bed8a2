/* SPDX-License-Identifier: MIT */
/*
 * The whole merge: up to four children of fuzzed text, plain or compressed in whatever way, merged spliced,
 * packed, in BGZF and plain, with one thread and with three. All ways must come to the same status and the
 * same text; what is merged as XML must be well-formed for expat; and merging it again must change nothing.
 *
 * Each input is merged plainly and in one other way, which a sum of the input chooses: threads cost more than
 * all else, so they are rare. Children that are counted and written each on its own, in another order, and
 * joined, give the same text, too.
 *
 * The input: a byte of options; then children (children.h).
 */
#include "children.h"
#include "fragments.h"
#include "keep.h"

/* Which does not go with a conversion. */
static int is_as_unsplit(uint8_t flags) {
    return (flags & 0xc0) == 0xc0 && (flags >> 4 & 3) % 3 != BLASTMERGE_INVALID_UTF8_LATIN1;
}

static enum blastmerge_header header;

/* One merge; its text, and its status in *status. *is_xml: so it is. */
static struct bytes merge(const struct bytes *children, size_t n_children, uint8_t flags, struct way way,
                          enum blastmerge_status *status, int *is_xml) {
    struct blastmerge_options options;
    struct bytes text;
    set_options(&options, flags, way);
    options.header = header;
    if (is_as_unsplit(flags)) {
        options.as_unsplit = 1;
        options.forbidden_characters = BLASTMERGE_FORBIDDEN_KEEP;
        if ((flags & 1) == 0) options.database = "nr";
    } else {
        options.query_ids = (enum blastmerge_query_ids)((flags >> 6) % 3);
    }
    struct blastmerge_job *job = make_job(&options, children, n_children);
    *status = run_job(job, way.form, &text);
    *is_xml = blastmerge_report(job)->format <= BLASTMERGE_FORMAT_XML2;
    bool is_refused = *status == BLASTMERGE_USAGE && options.database != NULL; /* that is XML's */
    require(*status == BLASTMERGE_OK || *status == BLASTMERGE_DATA || *status == BLASTMERGE_MISMATCH ||
            is_refused || must_be_decompressed_first(job));
    blastmerge_destroy(job);
    return text;
}

static int is_same(const struct bytes *one, const struct bytes *other) {
    return one->n == other->n && memcmp(one->data, other->data, one->n) == 0;
}

/* The result's header is that of the first document, which may have had no Iteration: then the first one there is of another
 * document, may not name its query, and gets that of this header once. */
static int may_get_names(const struct bytes *text) {
    return memmem(text->data, text->n, "<BlastOutput_query-", strlen("<BlastOutput_query-")) != NULL;
}

/* What is merged already is merged once more. A table's first row stays as it is, whether it has names or hits: which it
 * is may show only behind it, and that may have come from another child. */
static void check_again(const struct bytes *text, uint8_t flags) {
    enum blastmerge_status status = BLASTMERGE_OK;
    int is_xml = 0;
    header = BLASTMERGE_HEADER_KEEP;
    struct bytes again = merge(text, 1, flags, plain_way, &status, &is_xml);
    require(status == BLASTMERGE_OK && again.n > 0 && text->data != NULL);
    if (!is_same(&again, text) && may_get_names(text)) {
        struct bytes last = merge(&again, 1, flags, plain_way, &status, &is_xml);
        require(status == BLASTMERGE_OK && is_same(&last, &again));
        free(last.data);
    } else {
        require(is_same(&again, text));
    }
    free(again.data);
}

static struct way choose_way(uint32_t sum) {
    enum blastmerge_form form = (sum & 15) == 3 ? BLASTMERGE_FORM_BGZF : BLASTMERGE_FORM_GZIP;
    if ((sum & 255) == 0) return (struct way){0, form, 3};
    if ((sum & 255) == 1) return (struct way){1, form, 2};
    return (struct way){(sum & 15) == 2 ? 1 + (int)(sum >> 8 & 7) : 0, form, 1};
}

/* The fragments of the children, made in an order of their own, are the merge. */
static void check_fragments(const struct bytes *children, size_t n_children, uint8_t flags, uint32_t sum,
                            const struct bytes *text) {
    struct blastmerge_options merge_options;
    struct fragment_child given[MAX_CHILDREN];
    size_t order[MAX_CHILDREN] = {0};
    enum blastmerge_status status = BLASTMERGE_OK;
    struct bytes result;
    set_options(&merge_options, flags, plain_way);
    int keeps_all = is_as_unsplit(flags);
    const struct fragment_options options = {
        .query_ids = keeps_all ? BLASTMERGE_QUERY_IDS_AUTO : (enum blastmerge_query_ids)((flags >> 6) % 3),
        .invalid_utf8 = keeps_all ? BLASTMERGE_INVALID_UTF8_KEEP : merge_options.invalid_utf8,
        .forbidden_characters = keeps_all ? BLASTMERGE_FORBIDDEN_KEEP : merge_options.forbidden_characters,
        .keeps_numbers = keeps_all,
        .database = merge_options.keep_database ? NULL
                    : keeps_all                 ? "nr"
                                                : "merged split-query child results",
    };
    for (size_t i = 0; i < n_children; i++) {
        size_t at = sum % (i + 1);
        given[i] = (struct fragment_child){children[i].data, children[i].n};
        order[i] = order[at];
        order[at] = i;
        sum /= (uint32_t)(i + 1);
    }
    result.data = merge_by_fragments(&options, given, n_children, order, &result.n, &status);
    require(status == BLASTMERGE_OK);
    struct bytes joined = inflate_text(result, text->n);
    require(text->n == 0 || memcmp(joined.data, text->data, text->n) == 0);
    free(joined.data);
    free(result.data);
}

int LLVMFuzzerTestOneInput(/* NOLINT(readability-identifier-naming): libFuzzer calls it */
                           const uint8_t *data, size_t size) {
    struct bytes children[MAX_CHILDREN];
    struct bytes texts[MAX_CHILDREN];
    enum blastmerge_status status = BLASTMERGE_OK;
    enum blastmerge_status other_status = BLASTMERGE_OK;
    int is_xml = 0;
    if (size < 2) return 0;
    uint8_t flags = data[0];
    uint32_t sum = (uint32_t)crc32(0, data, (uInt)size);
    header = BLASTMERGE_HEADER_ONCE;
    size_t n_children = split_children(data + 1, size - 1, children, texts);
    struct bytes text = merge(children, n_children, flags, plain_way, &status, &is_xml);
    struct bytes other = merge(children, n_children, flags, choose_way(sum >> 8), &other_status, &is_xml);
    require(status == other_status && text.n == other.n);
    require(text.n == 0 || memcmp(text.data, other.data, text.n) == 0);
    if (status == BLASTMERGE_OK) {
        int keeps_invalid = (flags >> 4 & 3) % 3 == BLASTMERGE_INVALID_UTF8_KEEP || is_as_unsplit(flags);
        require(!is_xml || keeps_invalid || is_well_formed(text));
        if ((sum >> 2 & 7) == 4) check_fragments(children, n_children, flags, sum >> 8, &text);
        int may_mix_columns = !is_xml && (flags >> 2 & 3) >= BLASTMERGE_MISMATCH_WARN;
        if ((sum & 3) == 0 && !may_mix_columns) check_again(&text, flags);
    }
    free(text.data);
    free(other.data);
    for (size_t i = 0; i < n_children; i++) free(children[i].data);
    require(keep_n_live() == 0);
    return 0;
}
