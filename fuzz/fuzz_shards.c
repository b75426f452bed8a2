/* SPDX-License-Identifier: MIT */
/*
 * Merging by database: up to four shards of fuzzed text, plain or compressed in whatever way. One thread and three, plain
 * and compressed, must come to the same status and the same text. Threads cost more than all else, so a sum of the input
 * chooses them rarely. It also chooses inputs whose alignments are made so long that shards' own bits are copied.
 *
 * The input: two bytes of options; then shards (children.h).
 */
#include "children.h"
#include "keep.h"

static const uint64_t sizes[] = {600, 600, 1000000, 1};

static void set_shards_options(struct blastmerge_shards_options *options, const uint8_t *flags,
                               size_t n_shards) {
    static const char *const columns[] = {NULL, "std score slen", "qseqid evalue sseqid", "10 std"};
    blastmerge_shards_options_init(options, sizeof *options);
    options->max_target_seqs = flags[0] & 1 ? 2 : 0;
    options->window = flags[0] >> 1 & 1;
    options->round_robin = (flags[0] >> 1 & 3) == 2;
    if (flags[0] & 8) options->sizes = sizes, options->n_sizes = n_shards;
    if (flags[0] & 16 && n_shards % 2 == 0 && options->n_sizes == 0) options->n_shards = n_shards / 2;
    options->recompute = flags[0] >> 7 && !options->window;
    options->columns = columns[flags[0] >> 5 & 3];
    options->drop_columns = flags[1] & 3;
}

static struct bytes merge(const struct bytes *shards, size_t n_shards, const uint8_t *flags, struct way way,
                          enum blastmerge_status *status) {
    struct blastmerge_options options;
    struct blastmerge_shards_options own;
    struct bytes text;
    blastmerge_options_init(&options, sizeof options);
    options.level = way.level;
    options.form = way.form;
    options.n_threads = way.n_threads;
    options.allow_empty = flags[1] >> 2 & 1;
    options.invalid_utf8 = flags[1] & 8 ? BLASTMERGE_INVALID_UTF8_KEEP : BLASTMERGE_INVALID_UTF8_ERROR;
    options.database = flags[1] & 16 ? "a <b> & \"c\"" : NULL;
    options.format = (enum blastmerge_format)((flags[1] >> 5) % 7);
    set_shards_options(&own, flags, n_shards);
    struct blastmerge_job *job = make_job(&options, shards, n_shards);
    enum blastmerge_status set = blastmerge_set_shards(job, &own);
    require(set == BLASTMERGE_OK);
    *status = run_job(job, way.form, &text);
    require(*status == BLASTMERGE_OK || *status == BLASTMERGE_DATA || *status == BLASTMERGE_MISMATCH ||
            *status == BLASTMERGE_USAGE || *status == BLASTMERGE_NO_MEMORY);
    blastmerge_destroy(job);
    return text;
}

/* The text with thousands of letters more in its first alignments. */
static struct bytes lengthen(struct bytes text, uint32_t seed) {
    enum { MOST = 3, LETTERS = 50000 };
    static const char *const starts[] = {"<Hsp_qseq>", "<qseq>", "\"qseq\": \""};
    struct bytes longer = {malloc(text.n + (size_t)MOST * LETTERS + 1), 0};
    size_t n_found = 0, at = 0;
    require(longer.data != NULL);
    while (at < text.n) {
        size_t n_start = 0;
        for (size_t i = 0; i < 3 && n_found < MOST; i++) {
            size_t n = strlen(starts[i]);
            if (n <= text.n - at && memcmp(text.data + at, starts[i], n) == 0) n_start = n;
        }
        size_t n = n_start > 0 ? n_start : 1;
        memcpy(longer.data + longer.n, text.data + at, n);
        longer.n += n;
        at += n;
        if (n_start == 0) continue;
        n_found++;
        for (uint32_t k = seed % LETTERS; k > 0; k--) {
            seed = seed * 1664525 + 1013904223;
            longer.data[longer.n++] = (uint8_t) "ACGT"[seed >> 30];
        }
    }
    return longer;
}

/* Takes the input apart into shards. */
static size_t make_shards(const uint8_t *data, size_t size, uint32_t sum, struct bytes *shards) {
    struct bytes texts[MAX_CHILDREN];
    const size_t n_shards = split_texts(data, size, texts);
    for (size_t i = 0; i < n_shards; i++) {
        const uint8_t how = texts[i].data[-1];
        if ((sum & 7) != 1) {
            shards[i] = make_child(texts[i], how);
            continue;
        }
        struct bytes text = lengthen(texts[i], sum + (uint32_t)i);
        shards[i] = make_child(text, how);
        free(text.data);
    }
    return n_shards;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct bytes shards[MAX_CHILDREN];
    enum blastmerge_status status[2];
    if (size < 3) return 0;
    const uint8_t *flags = data;
    const uint32_t sum = (uint32_t)crc32(0, data, (uInt)size);
    size_t n_shards = make_shards(data + 2, size - 2, sum, shards);
    if (n_shards > 0) {
        struct way other = {0, BLASTMERGE_FORM_GZIP, (sum & 127) == 0 ? 3 : 1};
        struct bytes one = merge(shards, n_shards, flags, plain_way, &status[0]);
        struct bytes two = merge(shards, n_shards, flags, other, &status[1]);
        require(status[0] == status[1]);
        require(one.n == two.n && (one.n == 0 || memcmp(one.data, two.data, one.n) == 0));
        free(one.data);
        free(two.data);
    }
    for (size_t i = 0; i < n_shards; i++) free(shards[i].data);
    return 0;
}
