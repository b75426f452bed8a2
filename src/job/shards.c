/* SPDX-License-Identifier: MIT */
/* Makes the job's children sources of a batch's text, which is ranked while it is read. The file is long because it is the one
 * place where the job and the rank meet: options, lists, checks, counts and warnings pass through it. */
#include "job/shards.h"
#include "job/passages.h"
#include "job/places.h"
#include "plan/order.h"
#include "queries/file.h"
#include "queries/lookup.h"
#include "rank/rank.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define OF_SUBJECTS "the file of subjects"

enum {
    LANES = 6 << 20,           /* bytes for the shards' lanes, if that is enough for the least they need */
    MERGED = 1 << 20,          /* bytes for the lane of the merged text ... */
    MERGED_OF_MANY = 64 << 10, /* ... where more than MANY shards need the memory */
    HEADS = 1 << 20,           /* bytes for heads of hits, beyond which a temporary file holds them ... */
    HEADS_OF_MANY = 64 << 10,  /* ... likewise */
    MANY = 32,
    MANY_WITH_INDEX = 8, /* as its database needs memory, too */
    TEXTS = 4 << 20,     /* bytes for fronts, tails and rows, where there are such: in all ... */
    TEXT = 256 << 10,    /* ... and more for each shard */
    OTHER_FILES = 32,    /* descriptors that are needed besides the shards' */
    MOST_SHARDS = 65536  /* of one batch */
};

struct batch {
    struct bm_job_shards *shards;
    size_t first; /* of the sources */
    struct bm_rank *rank;
};

struct bm_job_shards {
    struct blastmerge_job *job;
    char *columns;
    char evalue[BM_PRINTED_NUMBER];
    char *order_location;
    bool is_order_descending;
    struct bm_rank_order order;
    struct bm_queries *queries;       /* as they are the job's no more, or NULL */
    struct bm_queries_lookup *lookup; /* of them; NULL: it is not wanted yet */
    struct bm_rank_options options;
    char *database;
    uint64_t *sizes;
    size_t n_sizes;
    uint64_t n_of_batch; /* shards; 0: all are of one batch */
    struct bm_fetch_source *sources;
    struct bm_job_row *rows; /* of the sources */
    size_t n_sources;
    struct batch *batches;
    size_t n_batches;
    struct bm_job_passages *passages;       /* NULL: no shard's bits become the result's */
    bool has_failed;                        /* a batch, as a source: the error is the merge's of its shards */
    uint64_t compressed_bytes, text_bytes;  /* of the shards of the batches that have ended */
    struct bm_rank_counts counts;           /* of the batches that have ended ... */
    struct blastmerge_shards_report report; /* ... and as the caller reads them */
};

/* Whether the shards at a time are so many that they leave little memory for all else. */
static bool has_many(const struct blastmerge_job *job) {
    return job->shards->n_of_batch > (job->index != NULL ? MANY_WITH_INDEX : MANY);
}

struct bm_child_lane_room bm_job_shards_room(const struct blastmerge_job *job) {
    return bm_child_lane_room_within(has_many(job) ? MERGED_OF_MANY : MERGED);
}

/* Each shard takes at least the smallest lane, and the buffers of its lines. */
uint64_t bm_job_shards_more_memory(const struct blastmerge_job *job) {
    enum { FREE = 100, OF_INDEX = 24, EACH = 104 << 10 };
    const uint64_t n = job->shards->n_of_batch + (job->index != NULL ? OF_INDEX : 0);
    return n > FREE ? (n - FREE) * EACH : 0;
}

static enum blastmerge_status fail_memory(struct blastmerge_job *job) {
    return bm_fail(&job->error, BLASTMERGE_NO_MEMORY, "out of memory");
}

/* --- lists --------------------------------------------------------------------------------------- */

/* Bytes that the tables' list of queries may take. */
static uint64_t list_limit(const struct blastmerge_job *job) {
    static const uint64_t most = UINT64_C(64) << 20;
    return job->options.memory_limit > 0 ? job->options.memory_limit : most;
}

static enum blastmerge_status fail_list(const struct bm_rank_order *order, const char *location,
                                        struct blastmerge_error *error) {
    if (order->system_error == 0) return bm_fail(error, BLASTMERGE_NO_MEMORY, "out of memory");
    return bm_fail_system(error, order->system_error,
                          "%.400s: the names need a temporary file, which failed after %" PRIu64
                          " names: TMPDIR names a folder for it",
                          location, order->n_entries);
}

/* The first words of the titles in a file of subjects: FASTA or a list. */
static enum blastmerge_status read_names(struct blastmerge_job *job, const char *location,
                                         struct bm_rank_order *order, bool is_descending,
                                         struct blastmerge_error *error) {
    struct bm_queries_file *file = bm_allocate(&job->memory, sizeof *file);
    if (file == NULL) return bm_fail(error, BLASTMERGE_NO_MEMORY, "out of memory");
    file->beside = job->temporary.beside;
    enum blastmerge_status status = bm_queries_file_open(file, OF_SUBJECTS, location, &job->cancel, error);
    bool is_open = status == BLASTMERGE_OK;
    bool has_name = is_open;
    order->beside = job->temporary.beside;
    while (status == BLASTMERGE_OK) {
        if (bm_cancel_is_set(&job->cancel)) status = bm_fail(error, BLASTMERGE_CANCELLED, "cancelled");
        if (status == BLASTMERGE_OK) status = bm_queries_file_next(file, &has_name, error);
        if (status != BLASTMERGE_OK || !has_name) break;
        uint64_t hash = bm_rank_subject_hash(file->title, strcspn(file->title, " \t"));
        if (!bm_rank_order_add(order, &job->memory, hash)) status = fail_list(order, location, error);
    }
    if (is_open) bm_queries_file_close(file);
    bm_release(&job->memory, file);
    if (status == BLASTMERGE_OK && !bm_rank_order_end(order, &job->memory, is_descending))
        status = fail_list(order, location, error);
    return status;
}

/* The order of subjects, when the first batch begins. */
static enum blastmerge_status read_order(struct bm_job_shards *shards, struct blastmerge_error *error) {
    if (shards->order_location == NULL || shards->options.order != NULL) return BLASTMERGE_OK;
    shards->options.order = &shards->order;
    return read_names(shards->job, shards->order_location, &shards->order, shards->is_order_descending,
                      error);
}

static const struct bm_queries *queries_of(const struct bm_job_shards *shards) {
    return shards->queries != NULL ? shards->queries : shards->job->queries.file;
}

void bm_job_shards_take_queries(struct blastmerge_job *job) {
    if (job->queries.file != NULL) job->shards->queries = job->queries.file;
    job->queries.file = NULL;
}

/* Finds a query, where rows alone do not tell their order. */
static enum blastmerge_status find_query(void *context, const char *name, size_t n_name, char separator,
                                         struct bm_rank_query *query, struct blastmerge_error *error) {
    struct bm_job_shards *shards = context;
    struct blastmerge_job *job = shards->job;
    struct bm_queries_found found = {0};
    enum blastmerge_status status = BLASTMERGE_OK;
    if (shards->lookup == NULL)
        status = bm_queries_lookup_open(&shards->lookup, &job->memory, queries_of(shards),
                                        job->temporary.beside, &job->cancel, error);
    if (status == BLASTMERGE_OK)
        status = bm_queries_lookup_find(shards->lookup, name, n_name, separator, &found, error);
    *query =
        (struct bm_rank_query){found.number, found.is_one_of_many, found.is_by_place, found.other_number};
    return status;
}

/* --- options ------------------------------------------------------------------------------------- */

static enum blastmerge_status refuse(struct blastmerge_job *job, const char *reason) {
    return bm_fail(&job->error, BLASTMERGE_USAGE, "%s", reason);
}

static enum blastmerge_status check_options(struct blastmerge_job *job,
                                            const struct blastmerge_shards_options *options) {
    if (job->options.salvage) return refuse(job, "--salvage is not for shards: the result would lack hits");
    if (options->window && options->round_robin)
        return refuse(job,
                      "--window and --round-robin contradict each other: give the one that the searches had");
    if (job->shards != NULL) return refuse(job, "the children have been made shards before");
    if (options->n_sizes > 0 && options->sizes == NULL) return refuse(job, "the sizes are missing");
    if (options->evalue < 0 || (options->evalue > 0 && !options->recompute))
        return refuse(job, "--evalue E needs --recompute, and E is larger than 0");
    if (options->recompute && options->window)
        return refuse(job, "--window and --recompute contradict each other: windows on one database have the "
                           "whole's statistics");
    for (const char *p = job->is_database_given ? job->database : ""; p != NULL && *p != '\0'; p++)
        if ((unsigned char)*p < ' ' || *p == 0x7f)
            return refuse(job, "the database's name has a line feed, a tab or another control character");
    if (options->order_descending && options->order == NULL)
        return refuse(job,
                      "--order-descending needs --order FILE, the list that begins with the last subject");
    return BLASTMERGE_OK;
}

static bool copy_string(struct blastmerge_job *job, char **copy, const char *string) {
    if (string == NULL) return true;
    *copy = bm_copy_string(&job->memory, string);
    return *copy != NULL;
}

/* The bare table that the columns are of: BLAST's number stands before them, or they are tabular's. */
static enum blastmerge_format find_table(const char *columns) {
    char *end = NULL;
    const long number = strtol(columns, &end, 10);
    enum blastmerge_format format = bm_format_next_bare_table(BLASTMERGE_FORMAT_AUTO);
    while (format != BLASTMERGE_FORMAT_AUTO && (bm_format_of(format)->outfmt != number || *end != ' '))
        format = bm_format_next_bare_table(format);
    return format != BLASTMERGE_FORMAT_AUTO ? format : BLASTMERGE_FORMAT_TABULAR;
}

/* "6 std score": the number says the format, too. */
static void take_columns(struct blastmerge_job *job) {
    struct bm_job_shards *shards = job->shards;
    const char *spec = shards->columns;
    if (spec == NULL) return;
    enum blastmerge_format format = find_table(spec);
    if (job->options.format == BLASTMERGE_FORMAT_AUTO) job->options.format = format;
    shards->options.columns = spec;
}

/* The merge of the batches changes nothing of a text but its numbers. */
static void settle(struct blastmerge_job *job) {
    job->options.database = NULL;
    job->is_database_given = false;
    job->options.keep_database = true;
    job->options.as_unsplit = true;
    job->options.forbidden_characters = BLASTMERGE_FORBIDDEN_KEEP;
    job->options.allow_empty = true;
    job->is_order_given = true;
}

enum blastmerge_status bm_job_shards_set(struct blastmerge_job *job,
                                         const struct blastmerge_shards_options *options) {
    enum blastmerge_status status = check_options(job, options);
    if (status != BLASTMERGE_OK) return status;
    struct bm_job_shards *shards = bm_allocate(&job->memory, sizeof *shards);
    if (shards == NULL) return fail_memory(job);
    job->shards = shards;
    shards->job = job;
    shards->n_of_batch = options->n_shards;
    shards->options = (struct bm_rank_options){
        .layout = options->window        ? BM_RANK_WINDOWS
                  : options->round_robin ? BM_RANK_ROUND_ROBIN
                                         : BM_RANK_SLICES,
        .n_targets = options->max_target_seqs,
    };
    if (options->n_sizes > 0) {
        shards->sizes = bm_allocate(&job->memory, options->n_sizes * sizeof *shards->sizes);
        if (shards->sizes == NULL) return fail_memory(job);
        memcpy(shards->sizes, options->sizes, options->n_sizes * sizeof *shards->sizes);
        shards->n_sizes = options->n_sizes;
        shards->options.sizes = shards->sizes;
    }
    if (job->is_database_given)
        shards->database = job->database;
    else
        bm_release(&job->memory, job->database);
    job->database = NULL;
    shards->options.database = shards->database;
    shards->options.n_list_bytes = list_limit(job);
    shards->options.is_recomputed = options->recompute != 0;
    shards->options.evalue = options->evalue;
    if (options->evalue > 0) {
        (void)bm_print_number(shards->evalue, options->evalue);
        shards->options.evalue_text = shards->evalue;
    }
    shards->options.find_context = shards;
    shards->options.allows_empty = job->options.allow_empty != 0;
    shards->options.n_drop_columns = options->drop_columns;
    shards->is_order_descending = options->order_descending != 0;
    if (!copy_string(job, &shards->columns, options->columns) ||
        !copy_string(job, &shards->order_location, options->order))
        return fail_memory(job);
    take_columns(job);
    settle(job);
    if (options->order != NULL) status = bm_job_places_keep(job, OF_SUBJECTS, options->order, false);
    return status;
}

/* --- a batch's text, as a source ------------------------------------------------------------------ */

static struct batch *batch_of(const struct bm_fetch *fetch) {
    return fetch->source->from.other;
}

static enum blastmerge_status look_at_batch(struct bm_fetch_source *source, struct blastmerge_error *error) {
    (void)source;
    (void)error;
    return BLASTMERGE_OK;
}

/* Whether bits of the shards may become the result's: not if it has a level or a form of its own, and not if many shards
 * leave no memory for that. */
static bool can_splice(const struct blastmerge_job *job) {
    return bm_job_writes_text(job) && job->options.form == BLASTMERGE_FORM_GZIP && job->options.level == 0 &&
           !has_many(job);
}

static enum blastmerge_status begin_passages(struct bm_job_shards *shards, size_t n_lanes) {
    struct blastmerge_job *job = shards->job;
    if (!can_splice(job)) return BLASTMERGE_OK;
    if (shards->passages == NULL) {
        const struct bm_child_lane_room room =
            bm_child_lane_room_within(n_lanes / (size_t)shards->n_of_batch);
        enum blastmerge_status status =
            bm_job_passages_open(&shards->passages, job, (size_t)shards->n_of_batch, &room.batch);
        if (status != BLASTMERGE_OK) return status;
    }
    shards->options.watch = bm_job_passages_begin(shards->passages);
    return BLASTMERGE_OK;
}

static enum blastmerge_status open_rank(struct batch *batch) {
    struct bm_job_shards *shards = batch->shards;
    struct blastmerge_job *job = shards->job;
    struct bm_fetch_source *sources = shards->sources + batch->first;
    shards->options.beside = job->temporary.beside;
    shards->options.find_query = queries_of(shards) != NULL ? find_query : NULL;
    shards->options.has_batches_before = batch->first > 0;
    size_t n_shards = (size_t)shards->n_of_batch;
    size_t n_lanes = LANES;
    size_t n_heads = has_many(job) ? HEADS_OF_MANY : HEADS;
    size_t n_texts = TEXTS + n_shards * TEXT;
    if (job->options.memory_limit / 2 > LANES + TEXTS) {
        n_lanes = (size_t)job->options.memory_limit / 4;
        n_heads = (size_t)job->options.memory_limit / 8;
        n_texts = (size_t)job->options.memory_limit / 4;
    }
    const struct bm_child_settings settings = {.invalid_utf8 = job->options.invalid_utf8,
                                               .budget = &job->decoders,
                                               .forbidden_characters = job->options.forbidden_characters,
                                               .header = job->options.header};
    enum blastmerge_status status = begin_passages(shards, n_lanes);
    if (status != BLASTMERGE_OK) return status;
    status = bm_rank_open(&batch->rank, &shards->options, &settings, sources, n_shards, n_lanes, n_heads,
                          n_texts, &job->workers, &job->cancel, &job->memory);
    for (size_t i = 0; i < n_shards && status == BLASTMERGE_OK; i++) /* it has them now */
        sources[i].is_open_reader = false;
    return status;
}

static enum blastmerge_status open_batch(struct bm_fetch *fetch, struct blastmerge_error *error) {
    struct batch *batch = batch_of(fetch);
    enum blastmerge_format format = BLASTMERGE_FORMAT_AUTO;
    enum blastmerge_status status = read_order(batch->shards, error);
    if (status == BLASTMERGE_OK && open_rank(batch) != BLASTMERGE_OK)
        status = bm_fail(error, BLASTMERGE_NO_MEMORY, "out of memory");
    if (status == BLASTMERGE_OK)
        status = bm_rank_survey(batch->rank, &batch->shards->job->kin, &format, error);
    batch->shards->has_failed = status != BLASTMERGE_OK;
    return status;
}

/* A table without its last columns is no longer one of BLAST's own columns, by which it could be recognised. */
static void tell_format(const struct batch *batch) {
    struct bm_mark_kin *kin = &batch->shards->job->kin;
    enum blastmerge_format format = bm_rank_format(batch->rank);
    if (batch->shards->options.n_drop_columns == 0 || kin->is_given || !bm_format_is_bare_table(format))
        return;
    kin->format = format;
    kin->is_given = true;
}

static enum blastmerge_status read_batch(struct bm_fetch *fetch, uint8_t *data, size_t capacity,
                                         size_t *n_read, struct blastmerge_error *error) {
    struct batch *batch = batch_of(fetch);
    enum blastmerge_status status = bm_rank_read(batch->rank, data, capacity, n_read, error);
    if (status == BLASTMERGE_OK) tell_format(batch);
    batch->shards->has_failed = status != BLASTMERGE_OK;
    return status;
}

static void add_counts(struct bm_rank_counts *sum, const struct bm_rank_counts *counts) {
    sum->n_queries += counts->n_queries;
    sum->n_hits += counts->n_hits;
    sum->n_cut += counts->n_cut;
    sum->n_tied_cuts += counts->n_tied_cuts;
    sum->n_undecided += counts->n_undecided;
    sum->n_strands += counts->n_strands;
    sum->n_twins += counts->n_twins;
    sum->n_unordered += counts->n_unordered;
    sum->n_numbered += counts->n_numbered;
    sum->n_not_rebuilt += counts->n_not_rebuilt;
    sum->n_rebuilt_out += counts->n_rebuilt_out;
    sum->n_query_orders += counts->n_query_orders;
    sum->n_kappas += counts->n_kappas;
    sum->n_found += counts->n_found;
    if (counts->n_limit > sum->n_limit) sum->n_limit = counts->n_limit;
    sum->is_linked_by_parts |= counts->is_linked_by_parts;
}

static void fill_report(struct bm_job_shards *shards) {
    const struct bm_rank_counts *counts = &shards->counts;
    shards->report = (struct blastmerge_shards_report){
        .n_cut_queries = counts->n_cut,
        .n_tied_cuts = counts->n_tied_cuts,
        .n_undecided_places = counts->n_undecided,
        .n_undecided_strands = counts->n_strands,
        .n_undecided_queries = counts->n_query_orders,
        .n_overlapping_hits = counts->n_twins,
        .n_unlisted_hits = counts->n_unordered,
        .n_unrebuilt_hits = counts->n_not_rebuilt,
        .n_hsps_over_threshold = counts->n_rebuilt_out,
    };
    if (shards->job->has_report) bm_report_shards(&shards->job->report, &shards->report);
}

static void warn(struct blastmerge_job *job, uint64_t n, const char *one, const char *many,
                 const char *what) {
    if (n > 0) bm_job_warn(job, false, "%" PRIu64 " %s %s", n, n == 1 ? one : many, what);
}

/* What is not certain to be as in a search of the whole database. */
static void warn_of_counts(struct bm_job_shards *shards) {
    struct blastmerge_job *job = shards->job;
    const struct bm_rank_counts *counts = &shards->counts;
    warn(job, counts->n_undecided, "place", "places",
         "where it cannot be told from the printed E-values which of two hits ranks first: they are in the "
         "most "
         "likely order");
    if (shards->options.is_recomputed)
        bm_job_warn(job, false,
                    "the shards were searched without the whole database's statistics: what depends on them "
                    "was computed again, but hits near the threshold may be others than the whole's");
    if (counts->n_limit > 0)
        bm_job_warn(job, false,
                    "no shard has more than %" PRIu64
                    " hits of a query, and in each shard several queries have so many: if the searches had "
                    "-max_target_seqs %" PRIu64
                    ", the result has too many hits, and needs --max-target-seqs %" PRIu64,
                    counts->n_limit, counts->n_limit, counts->n_limit);
    if (counts->is_linked_by_parts)
        bm_job_warn(
            job, false,
            "tblastx links HSPs by the mean length of the subjects that it has searched, so for parts it "
            "may have printed other HSPs than for the whole: windows are exact, which "
            "blastmerge shards --alias K makes");
    warn(job, counts->n_kappas, "query has", "queries have",
         "a kappa that differs between the shards: rpsblast prints that of the profile that it traced last, "
         "which no shard tells; the first shard's is in the result");
    warn(job, counts->n_found, "query has", "queries have",
         "more hits in all shards together than PSI-BLAST keeps before it counts them: the number in "
         "\"# N hits found\" may be larger than in a search of the whole database");
    warn(job, counts->n_not_rebuilt, "hit has", "hits have",
         "E-values that could not be computed again: they stay");
    warn(job, counts->n_twins, "hit is", "hits are",
         "of a subject that another shard has, too: do parts of the database overlap?");
    warn(job, counts->n_query_orders, "place", "places",
         "where no shard tells which of two queries comes first: --expect-queries FILE gives their order");
    warn(job, counts->n_unordered, "hit is", "hits are", "of subjects that are not in the order list");
    warn(job, counts->n_numbered, "hit is", "hits are",
         "of subjects that BLAST has numbered (gnl|BL_ORD_ID|N): --order is not used for them, and of equal "
         "hits their "
         "numbers decide");
}

/* What each shard of the batch held. */
static void count_shards(struct batch *batch, bool is_whole) {
    struct bm_job_shards *shards = batch->shards;
    for (size_t i = 0; i < (size_t)shards->n_of_batch; i++) {
        const struct bm_rank_lines *lines = &bm_rank_shard(batch->rank, i)->lines;
        const struct bm_mark_counts *counts = &lines->view.counts;
        struct bm_job_row *row = &shards->rows[batch->first + i];
        *row = (struct bm_job_row){
            .status = row->status,
            .n_documents = counts->n_documents,
            .n_iterations = counts->n_iterations,
            .n_hits = counts->n_hits,
            .n_hsps = counts->n_hsps,
            .n_invalid_bytes = counts->n_invalid_bytes,
            .compressed_bytes = lines->child.lane.fetch.n_read,
            .text_bytes = lines->at,
            .was_read = is_whole,
        };
    }
}

static void close_batch(struct bm_fetch *fetch) {
    struct batch *batch = batch_of(fetch);
    struct bm_job_shards *shards = batch->shards;
    if (batch->rank == NULL) return;
    add_counts(&shards->counts, bm_rank_counts(batch->rank));
    bool is_last = batch == &shards->batches[shards->n_batches - 1];
    bool is_whole = bm_rank_is_done(batch->rank);
    count_shards(batch, is_whole);
    fill_report(shards);
    bm_rank_close(batch->rank);
    batch->rank = NULL;
    if (is_last && is_whole) warn_of_counts(shards);
}

static const struct bm_fetch_back_end batch_back_end = {
    .look = look_at_batch, .open = open_batch, .read = read_batch, .close = close_batch};

/* --- the job's children become batches ------------------------------------------------------------- */

static enum blastmerge_status check_number(struct blastmerge_job *job) {
    struct bm_job_shards *shards = job->shards;
    struct rlimit limit;
    size_t n = job->plan.n_items;
    if (shards->n_of_batch == 0) shards->n_of_batch = n;
    uint64_t n_of_batch = shards->n_of_batch;
    if (n % n_of_batch != 0)
        return bm_fail(&job->error, BLASTMERGE_MISMATCH,
                       "%zu shards were given, which is not a multiple of the %" PRIu64
                       " that each batch has by --shards",
                       n, n_of_batch);
    if (shards->n_sizes > 0 && shards->n_sizes != n_of_batch)
        return bm_fail(&job->error, BLASTMERGE_USAGE,
                       "--sizes has %zu numbers, and there are %" PRIu64 " shards: it has one for each",
                       shards->n_sizes, n_of_batch);
    if (n_of_batch > MOST_SHARDS)
        return bm_fail(&job->error, BLASTMERGE_USAGE,
                       "%" PRIu64
                       " shards cannot be open at once, but %d at most: search fewer, larger parts",
                       n_of_batch, MOST_SHARDS);
    bool is_limited = getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
    if (is_limited && n_of_batch + OTHER_FILES > limit.rlim_cur)
        return bm_fail(
            &job->error, BLASTMERGE_USAGE,
            "%" PRIu64 " shards are open at once, which needs %" PRIu64 " open files, and the process may "
            "have %" PRIu64 " files open: raise that limit (ulimit -n %" PRIu64 ")",
            n_of_batch, n_of_batch + OTHER_FILES, (uint64_t)limit.rlim_cur, n_of_batch + OTHER_FILES);
    return BLASTMERGE_OK;
}

static enum blastmerge_status keep_sources(struct blastmerge_job *job) {
    struct bm_job_shards *shards = job->shards;
    size_t n = job->plan.n_items;
    shards->n_batches = n / (size_t)shards->n_of_batch;
    shards->sources = bm_allocate(&job->memory, n * sizeof *shards->sources);
    shards->rows = bm_allocate(&job->memory, n * sizeof *shards->rows);
    shards->batches = bm_allocate(&job->memory, shards->n_batches * sizeof *shards->batches);
    if (shards->sources == NULL || shards->rows == NULL || shards->batches == NULL) return fail_memory(job);
    for (size_t i = 0; i < n; i++) {
        shards->sources[i] = job->plan.items[i].source;
        job->plan.items[i].source.is_open_reader = false;
    }
    shards->n_sources = n;
    return BLASTMERGE_OK;
}

/* A shell sorts shard_10 before shard_2; the order of shards is that of the database. */
static void check_order(struct blastmerge_job *job) {
    const struct bm_job_shards *shards = job->shards;
    if (job->options.sort == BLASTMERGE_SORT_NONE) return;
    for (size_t i = 1; i < shards->n_sources; i++) {
        const struct bm_fetch_source *source = &shards->sources[i];
        bool is_first = i % (size_t)shards->n_of_batch == 0;
        if (is_first || !source->can_read_ahead || !source[-1].can_read_ahead)
            continue; /* pipes have no names */
        if (bm_plan_order_step(source[-1].shown, source->shown) != BM_PLAN_ORDER_BACKWARD) continue;
        bm_job_warn(
            job, false,
            "the shards are not in natural order: %.200s comes after %.200s; they must be in the order of "
            "their parts in the database, by which equal hits rank",
            source->shown, source[-1].shown);
        return;
    }
}

enum blastmerge_status bm_job_shards_gather(struct blastmerge_job *job) {
    struct bm_job_shards *shards = job->shards;
    enum blastmerge_status status = check_number(job);
    if (status == BLASTMERGE_OK) status = keep_sources(job);
    if (status != BLASTMERGE_OK) return status;
    check_order(job);
    job->plan.n_items = 0;
    bm_job_children_forget(job);
    for (size_t i = 0; i < shards->n_batches; i++) {
        char name[64] = "shards";
        if (shards->n_batches > 1) snprintf(name, sizeof name, "batch %zu of shards", i + 1);
        shards->batches[i] = (struct batch){.shards = shards, .first = i * (size_t)shards->n_of_batch};
        const struct bm_fetch_source source = {.back_end = &batch_back_end,
                                               .location = name,
                                               .shown = name,
                                               .from.other = &shards->batches[i],
                                               .n_bytes = UINT64_MAX};
        if (!bm_plan_add(&job->plan, source)) return fail_memory(job);
    }
    return BLASTMERGE_OK;
}

bool bm_job_shards_find(const struct blastmerge_job *job, uint64_t number,
                        const struct bm_fetch_source **source, const struct bm_job_row **row) {
    const struct bm_job_shards *shards = job->shards;
    if (number >= shards->n_sources) return false;
    *source = &shards->sources[number];
    *row = &shards->rows[number];
    return true;
}

struct bm_job_passages *bm_job_shards_passages(const struct blastmerge_job *job) {
    return job->shards != NULL ? job->shards->passages : NULL;
}

uint64_t bm_job_shards_of_batch(const struct blastmerge_job *job) {
    return job->shards == NULL ? 0 : job->shards->n_of_batch;
}

size_t bm_job_shards_n_batches(const struct blastmerge_job *job) {
    size_t n = job->plan.n_items;
    uint64_t n_of_batch = bm_job_shards_of_batch(job);
    if (job->shards == NULL || n == 0) return n;
    return n_of_batch == 0 ? 1 : (size_t)((n - 1) / n_of_batch + 1);
}

uint64_t bm_job_shards_batch_of(const struct blastmerge_job *job, uint64_t number) {
    return job->shards == NULL ? number : number / job->shards->n_of_batch;
}

void bm_job_shards_blame(struct blastmerge_job *job) {
    struct bm_job_shards *shards = job->shards;
    struct blastmerge_error *error = &job->error;
    if (error->child == BLASTMERGE_NO_CHILD) { /* of none: of an option, or of the merged text */
        job->sentence.subject = shards->has_failed ? NULL : job->plan.items[job->child].source.shown;
        return;
    }
    error->child += bm_job_shards_first(job, job->child);
    job->sentence.subject = shards->sources[error->child].shown;
    shards->rows[error->child].status = (uint8_t)error->status;
}

void bm_job_shards_progress(const struct blastmerge_job *job, struct blastmerge_progress *progress) {
    const struct bm_job_shards *shards = job->shards;
    bool has_total = true;
    progress->child = bm_job_shards_first(job, job->child);
    progress->n_children = progress->n_children_in_total = shards->n_sources;
    progress->compressed_bytes = progress->compressed_total = 0;
    for (size_t i = 0; i < shards->n_sources; i++) {
        const struct batch *batch = &shards->batches[i / (size_t)shards->n_of_batch];
        progress->compressed_bytes +=
            batch->rank != NULL ? bm_rank_shard(batch->rank, i - batch->first)->lines.child.lane.fetch.n_read
                                : shards->rows[i].compressed_bytes;
        has_total = has_total && shards->sources[i].n_bytes < UINT64_MAX / shards->n_sources;
        if (has_total) progress->compressed_total += shards->sources[i].n_bytes;
    }
    if (!has_total) progress->compressed_total = progress->n_children_in_total = 0;
}

void bm_job_shards_count(struct blastmerge_job *job) {
    struct bm_job_shards *shards = job->shards;
    if (shards == NULL) return;
    const struct bm_job_row *rows = &shards->rows[bm_job_shards_first(job, job->child)];
    for (uint64_t i = 0; i < shards->n_of_batch; i++) {
        shards->compressed_bytes += rows[i].compressed_bytes;
        shards->text_bytes += rows[i].text_bytes;
    }
    job->totals.compressed_bytes = shards->compressed_bytes;
    job->totals.text_bytes = shards->text_bytes;
}

const struct blastmerge_shards_report *bm_job_shards_report(const struct blastmerge_job *job) {
    static const struct blastmerge_shards_report none = {0};
    return job->shards != NULL ? &job->shards->report : &none;
}

size_t bm_job_shards_first(const struct blastmerge_job *job, size_t batch) {
    const struct bm_job_shards *shards = job->shards;
    return shards == NULL ? batch : batch * (size_t)shards->n_of_batch;
}

void bm_job_shards_end(struct blastmerge_job *job) {
    struct bm_job_shards *shards = job->shards;
    if (shards == NULL) return;
    for (size_t i = 0; i < shards->n_batches && shards->batches != NULL; i++) {
        bm_rank_close(shards->batches[i].rank);
        shards->batches[i].rank = NULL;
    }
    for (size_t i = 0; i < shards->n_sources; i++) bm_fetch_source_close(&shards->sources[i]);
    bm_job_passages_close(shards->passages);
    shards->passages = NULL;
    bm_queries_lookup_close(shards->lookup, &job->memory);
    shards->lookup = NULL;
    bm_queries_close(shards->queries, &job->memory);
    shards->queries = NULL;
}

void bm_job_shards_close(struct blastmerge_job *job) {
    struct bm_job_shards *shards = job->shards;
    if (shards == NULL) return;
    bm_release(&job->memory, shards->database);
    bm_release(&job->memory, shards->sizes);
    bm_release(&job->memory, shards->columns);
    bm_release(&job->memory, shards->order_location);
    bm_rank_order_free(&shards->order, &job->memory);
    bm_release(&job->memory, shards->sources);
    bm_release(&job->memory, shards->rows);
    bm_release(&job->memory, shards->batches);
    bm_release(&job->memory, shards);
    job->shards = NULL;
}
