/* SPDX-License-Identifier: MIT */
#include "job/get.h"
#include "base/descriptor.h"
#include "cloud/location.h"
#include "index/document.h"
#include "job/index.h"
#include "job/job.h"
#include "job/places.h"
#include "job/remote.h"
#include "queries/file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OF_QUERIES "the file of queries"

enum {
    MOST_LISTED = 600, /* bytes of a message that list what is missing */
    LEAST_WARNED = 9   /* so many missing queries are warned of one by one, too */
};

struct bm_job_get {
    const char **queries;
    size_t n_queries;
    char *numbers;
    char *from;
    char *index_location; /* NULL: beside the child */
    char *index_shown;    /* of a remote one, as it may be shown */
    bool renumber;

    /* a run's */
    struct bm_index_bytes result;
    struct bm_index_bytes index;
    struct bm_index_read *read;
    struct bm_index_document *document;
    struct bm_queries_file *list; /* of queries; NULL: there is none */
    uint64_t n_wanted;            /* queries and numbers */
    uint64_t n_missing;           /* of these */
    size_t n_listed;
    char listed[MOST_LISTED]; /* those that are missing, for the message */
    bool is_list_full;
    struct bm_index_found *found;  /* of a list, the current row; NULL: no list is open ... */
    struct blastmerge_query query; /* ... and what is told of it */
    bool has_list;                 /* a list was begun */
};

/* --- settings ------------------------------------------------------------------------------------ */

static enum blastmerge_status fail_memory(struct blastmerge_job *job) {
    return bm_fail(&job->error, BLASTMERGE_NO_MEMORY, "out of memory");
}

static enum blastmerge_status refuse(struct blastmerge_job *job, const char *reason) {
    return bm_fail(&job->error, BLASTMERGE_USAGE, "%s", reason);
}

/* Reads a number from 1 on; false: there is none. */
static bool read_number(const char **text, uint64_t *number) {
    const char *p = *text;
    *number = 0;
    for (; *p >= '0' && *p <= '9'; p++) {
        if (__builtin_mul_overflow(*number, 10, number) || !bm_add(number, (uint64_t)(*p - '0')))
            return false;
    }
    bool is_number = p > *text && *number > 0;
    *text = p;
    return is_number;
}

/* "17", "5-8", "20-". */
static bool read_range(const char **text, uint64_t *first, uint64_t *last) {
    if (!read_number(text, first)) return false;
    *last = *first;
    if (**text != '-') return true;
    (*text)++;
    *last = UINT64_MAX;
    if (**text == '\0' || **text == ',') return true;
    return read_number(text, last) && *last >= *first;
}

/* Whether they are numbers, so that nothing is read for what is not. */
static enum blastmerge_status check_numbers(struct blastmerge_job *job, const char *numbers) {
    const char *text = numbers;
    uint64_t first = 0;
    uint64_t last = 0;
    while (read_range(&text, &first, &last)) {
        if (*text == '\0') return BLASTMERGE_OK;
        if (*text++ != ',') break;
    }
    return bm_fail(&job->error, BLASTMERGE_USAGE,
                   "numbers of Iterations are written as 17, 5-8, 20- or, with commas between, several of "
                   "these, and not as '%.200s'",
                   numbers);
}

/* Copies a string that may be missing. */
static bool copy(struct blastmerge_job *job, char **to, const char *from) {
    if (from != NULL) *to = bm_copy_string(&job->memory, from);
    return from == NULL || *to != NULL;
}

static enum blastmerge_status copy_options(struct blastmerge_job *job,
                                           const struct blastmerge_get_options *options) {
    struct bm_job_get *get = job->get;
    get->renumber = options->renumber != 0;
    if (options->n_queries > 0) {
        get->queries = bm_allocate(&job->memory, options->n_queries * sizeof *get->queries);
        if (get->queries == NULL) return fail_memory(job);
    }
    for (size_t i = 0; i < options->n_queries; i++) {
        if (options->queries[i] == NULL || options->queries[i][0] == '\0')
            return refuse(job, "the name of a query is empty");
        get->queries[i] = bm_pool_copy(&job->plan.pool, &job->memory, options->queries[i]);
        if (get->queries[i] == NULL) return fail_memory(job);
        get->n_queries++;
    }
    bool is_copied = copy(job, &get->numbers, options->numbers) && copy(job, &get->from, options->from) &&
                     copy(job, &get->index_location, options->index_location);
    if (!is_copied) return fail_memory(job);
    return options->from == NULL ? BLASTMERGE_OK : bm_job_places_keep(job, OF_QUERIES, options->from, false);
}

enum blastmerge_status bm_job_get_set(struct blastmerge_job *job,
                                      const struct blastmerge_get_options *options, bool can_be_all) {
    bool is_empty = options->n_queries == 0 && options->numbers == NULL && options->from == NULL;
    if (is_empty && !can_be_all) return refuse(job, "no query is given that is to be got");
    if (options->n_queries > 0 && options->queries == NULL) return refuse(job, "the queries are missing");
    if (options->numbers != NULL && check_numbers(job, options->numbers) != BLASTMERGE_OK)
        return job->error.status;
    if (job->shards != NULL || job->options.salvage || job->options.as_unsplit ||
        job->options.expect_queries != NULL)
        return refuse(
            job,
            "getting queries goes neither with shards, nor with --salvage, --as-unsplit or --expect-queries");
    bm_job_get_close(job);
    job->get = bm_allocate(&job->memory, sizeof *job->get);
    if (job->get == NULL) return fail_memory(job);
    /* What is got is what is there. */
    job->options.invalid_utf8 = BLASTMERGE_INVALID_UTF8_KEEP;
    job->options.forbidden_characters = BLASTMERGE_FORBIDDEN_KEEP;
    job->options.query_ids = BLASTMERGE_QUERY_IDS_KEEP;
    job->options.mismatch = BLASTMERGE_MISMATCH_IGNORE;
    job->options.keep_database = 1;
    job->options.database = NULL;
    job->is_order_given = true;
    return copy_options(job, options);
}

void bm_job_get_close(struct blastmerge_job *job) {
    if (job->get == NULL) return;
    bm_job_get_end(job);
    bm_release(&job->memory, job->get->queries);
    bm_release(&job->memory, job->get->numbers);
    bm_release(&job->memory, job->get->from);
    bm_release(&job->memory, job->get->index_location);
    bm_release(&job->memory, job->get->index_shown);
    bm_release(&job->memory, job->get);
    job->get = NULL;
}

/* --- without an index ---------------------------------------------------------------------------- */

/* There is no index: makes one that nobody sees. */
static enum blastmerge_status scan(struct blastmerge_job *job) {
    struct bm_job_get *get = job->get;
    const char *shown = job->plan.items[0].source.shown;
    int file = bm_open_temporary(job->temporary.beside);
    if (file < 0) return bm_fail_system(&job->error, errno, "cannot make a temporary file");
    enum blastmerge_status status = bm_job_index_make(job, &job->plan.items[0].source, file);
    if (status == BLASTMERGE_OK) status = bm_index_bytes_of_file(&get->index, file, shown, &job->error);
    if (status != BLASTMERGE_OK) {
        if (status == BLASTMERGE_NO_SPACE)
            job->sentence.addition =
                " (the result has none: one is made in a temporary file, for which TMPDIR names a folder)";
        close(file);
        return status;
    }
    bm_job_warn(job, false, "%.400s: has no index, so all of it was read; 'blastmerge index' makes one",
                shown);
    return BLASTMERGE_OK;
}

/* --- the index ----------------------------------------------------------------------------------- */

/* Where the index is: the place that was given, or beside the child. */
static enum blastmerge_status find_index(struct blastmerge_job *job, struct bm_fetch_source *index) {
    struct bm_job_get *get = job->get;
    if (get->index_location == NULL)
        get->index_location = bm_job_index_location(job, job->plan.items[0].source.location);
    if (get->index_location == NULL) return fail_memory(job);
    if (!bm_cloud_location_is_remote(get->index_location)) {
        *index = bm_fetch_source_path(get->index_location);
        return BLASTMERGE_OK;
    }
    enum blastmerge_status status = bm_job_remote_name(job, get->index_location, &get->index_shown);
    if (status != BLASTMERGE_OK) return status;
    return bm_job_remote_make_source(job, get->index_shown, get->index_location, index);
}

/* *is_absent: there is none, and none was given. */
static enum blastmerge_status open_index(struct blastmerge_job *job, bool *is_absent) {
    struct bm_job_get *get = job->get;
    struct bm_fetch_source index;
    bool is_given = get->index_location != NULL;
    *is_absent = !is_given && !bm_fetch_source_has_location(&job->plan.items[0].source);
    if (*is_absent) return BLASTMERGE_OK;
    enum blastmerge_status status = find_index(job, &index);
    if (status != BLASTMERGE_OK) return status;
    status = bm_index_bytes_open(&get->index, &index, true, &job->memory, &job->error);
    if (status == BLASTMERGE_NOT_FOUND && !is_given) {
        *is_absent = true;
        job->error =
            (struct blastmerge_error){.child = BLASTMERGE_NO_CHILD, .text_offset = BLASTMERGE_NO_OFFSET};
        return BLASTMERGE_OK;
    }
    if (status != BLASTMERGE_OK) {
        job->sentence.subject = get->index_shown != NULL ? get->index_shown : get->index_location;
        return status;
    }
    return bm_job_places_keep(job, "the index", get->index_location, false);
}

/* The error is the child's. */
static enum blastmerge_status blame_child(struct blastmerge_job *job, enum blastmerge_status status) {
    if (status == BLASTMERGE_OK) return status;
    job->sentence.subject = job->plan.items[0].source.shown;
    job->error.child = 0;
    return status;
}

/* Before all else is read: the list may not exist. */
static enum blastmerge_status open_list(struct blastmerge_job *job) {
    struct bm_job_get *get = job->get;
    if (get->from == NULL) return BLASTMERGE_OK;
    get->list = bm_allocate(&job->memory, sizeof *get->list);
    if (get->list == NULL) return fail_memory(job);
    get->list->beside = job->temporary.beside;
    return bm_queries_file_open(get->list, OF_QUERIES, get->from, &job->cancel, &job->error);
}

static enum blastmerge_status open_all(struct blastmerge_job *job) {
    struct bm_job_get *get = job->get;
    bool is_absent = false;
    if (job->plan.n_items != 1)
        return bm_fail(&job->error, BLASTMERGE_USAGE, "queries are got from one file, and %zu are given",
                       job->plan.n_items);
    enum blastmerge_status status =
        bm_index_bytes_open(&get->result, &job->plan.items[0].source, false, &job->memory, &job->error);
    if (status != BLASTMERGE_OK) return blame_child(job, status);
    status = open_list(job);
    if (status == BLASTMERGE_OK) status = open_index(job, &is_absent);
    if (status == BLASTMERGE_OK && is_absent) status = scan(job);
    if (status != BLASTMERGE_OK) return status;
    status =
        bm_index_read_open(&get->read, &job->memory, &get->index, &get->result, &job->cancel, &job->error);
    return blame_child(job, status);
}

/* --- what is wanted ------------------------------------------------------------------------------ */

/* Adds to the list of what is missing. */
static void list(struct bm_job_get *get, const char *what) {
    size_t n = strlen(what);
    size_t n_comma = get->n_listed > 0 ? 2 : 0;
    get->is_list_full = get->is_list_full || get->n_listed + n_comma + n + 1 > sizeof get->listed;
    if (get->is_list_full) return;
    memcpy(get->listed + get->n_listed, ", ", n_comma);
    memcpy(get->listed + get->n_listed + n_comma, what, n + 1);
    get->n_listed += n_comma + n;
}

static enum blastmerge_status miss(struct blastmerge_job *job, const char *query) {
    struct bm_job_get *get = job->get;
    char nearest[BM_INDEX_NAME + 1];
    char shown[2][200];
    char what[sizeof shown + 64];
    enum blastmerge_status status = bm_index_read_nearest(get->read, query, nearest, &job->error);
    if (status != BLASTMERGE_OK) return blame_child(job, status);
    bm_show(shown[0], sizeof shown[0], query);
    bm_show(shown[1], sizeof shown[1], nearest);
    if (nearest[0] == '\0')
        (void)snprintf(what, sizeof what, "%s", shown[0]);
    else
        (void)snprintf(what, sizeof what, "%s (the nearest is %s)", shown[0], shown[1]);
    list(get, what);
    get->n_missing++;
    /* The message has no room for many. */
    if (get->n_missing >= LEAST_WARNED || get->is_list_full) bm_job_warn(job, false, "no query %s", what);
    return BLASTMERGE_OK;
}

static enum blastmerge_status want(struct blastmerge_job *job, const char *query) {
    uint64_t n_found = 0;
    job->get->n_wanted++;
    enum blastmerge_status status = bm_index_read_want(job->get->read, query, &n_found, &job->error);
    if (status != BLASTMERGE_OK) return blame_child(job, status);
    return n_found > 0 ? BLASTMERGE_OK : miss(job, query);
}

/* The first word of each line or title. */
static enum blastmerge_status want_list(struct blastmerge_job *job) {
    struct bm_queries_file *queries = job->get->list;
    for (;;) {
        bool has_query = true;
        enum blastmerge_status status = bm_queries_file_next(queries, &has_query, &job->error);
        if (status != BLASTMERGE_OK || !has_query) return status;
        char *word = queries->title + strspn(queries->title, " \t");
        word[strcspn(word, " \t\r\v\f\001")] = '\0';
        if (word[0] != '\0') status = want(job, word);
        if (status != BLASTMERGE_OK) return status;
    }
}

static enum blastmerge_status want_range(struct blastmerge_job *job, uint64_t first, uint64_t last) {
    struct bm_job_get *get = job->get;
    uint64_t n = bm_index_read_n_iterations(get->read);
    char what[96];
    get->n_wanted++;
    if (first <= n && (last <= n || last == UINT64_MAX))
        return blame_child(job, bm_index_read_want_numbers(get->read, first, last, &job->error));
    (void)snprintf(what, sizeof what, "number %" PRIu64 " (the last is %" PRIu64 ")",
                   first <= n ? last : first, n);
    list(get, what);
    get->n_missing++;
    if (get->is_list_full) bm_job_warn(job, false, "no query %s", what);
    return BLASTMERGE_OK;
}

static enum blastmerge_status want_ranges(struct blastmerge_job *job) {
    const char *text = job->get->numbers;
    uint64_t first = 0;
    uint64_t last = 0;
    enum blastmerge_status status = BLASTMERGE_OK;
    while (status == BLASTMERGE_OK && read_range(&text, &first, &last)) {
        status = want_range(job, first, last);
        text += *text == ',';
    }
    return status;
}

static enum blastmerge_status want_all(struct blastmerge_job *job) {
    struct bm_job_get *get = job->get;
    enum blastmerge_status status = BLASTMERGE_OK;
    for (size_t i = 0; i < get->n_queries && status == BLASTMERGE_OK; i++)
        status = want(job, get->queries[i]);
    if (status == BLASTMERGE_OK && get->numbers != NULL) status = want_ranges(job);
    if (status == BLASTMERGE_OK && get->list != NULL) status = want_list(job);
    if (status != BLASTMERGE_OK) return status;
    if (get->n_wanted == 0)
        return bm_fail(&job->error, BLASTMERGE_USAGE, "the list of the queries to get names none");
    if (get->n_missing == 0) return BLASTMERGE_OK;
    bm_fail(&job->error, BLASTMERGE_NOT_FOUND, "has no query %s%s; %" PRIu64 " of %" PRIu64 " are missing",
            get->listed, get->is_list_full ? " and others, each named in a warning" : "", get->n_missing,
            get->n_wanted);
    if (get->n_wanted == 1) bm_fail(&job->error, BLASTMERGE_NOT_FOUND, "has no query %s", get->listed);
    return blame_child(job, BLASTMERGE_NOT_FOUND);
}

/* --- what the index has of them ------------------------------------------------------------------ */

bool bm_job_get_has_list(const struct blastmerge_job *job) {
    return job->get != NULL && job->get->has_list;
}

enum blastmerge_status bm_job_get_begin_list(struct blastmerge_job *job) {
    struct bm_job_get *get = job->get;
    bool is_all = get->n_queries == 0 && get->numbers == NULL && get->from == NULL;
    get->has_list = true;
    get->found = bm_allocate(&job->memory, sizeof *get->found);
    if (get->found == NULL) return fail_memory(job);
    enum blastmerge_status status = open_all(job);
    if (status != BLASTMERGE_OK) return status;
    job->totals.n_iterations = bm_index_read_n_iterations(get->read);
    if (!is_all) return want_all(job);
    bm_index_read_want_all(get->read);
    return BLASTMERGE_OK;
}

enum blastmerge_status bm_job_get_next(struct blastmerge_job *job, const struct blastmerge_query **query) {
    struct bm_job_get *get = job->get;
    struct bm_index_found *found = get->found;
    bool is_end = false;
    *query = NULL;
    if (found == NULL) return BLASTMERGE_OK; /* the list has ended */
    if (bm_cancel_is_set(&job->cancel)) return bm_fail(&job->error, BLASTMERGE_CANCELLED, "cancelled");
    enum blastmerge_status status = bm_index_read_next(get->read, found, &is_end, &job->error);
    if (status != BLASTMERGE_OK || is_end) return blame_child(job, status);
    get->query = (struct blastmerge_query){
        .number = found->number,
        .id = found->n_id > 0 ? found->id : NULL,
        .name = found->n_name > 0 ? found->name : NULL,
        .has_length = found->has_length,
        .has_hits = found->has_hits,
        .has_evalue = found->has_evalue,
        .length = found->length,
        .n_hits = found->n_hits,
        .n_hsps = found->n_hsps,
        .evalue = found->evalue,
    };
    *query = &get->query;
    return BLASTMERGE_OK;
}

/* --- the job ------------------------------------------------------------------------------------- */

enum blastmerge_status bm_job_get_begin(struct blastmerge_job *job) {
    struct bm_job_get *get = job->get;
    if (get == NULL) return BLASTMERGE_OK;
    enum blastmerge_status status = open_all(job);
    if (status == BLASTMERGE_OK) status = want_all(job);
    if (status != BLASTMERGE_OK) return status;
    if (get->renumber && bm_format_of(bm_index_read_format(get->read))->has_archives)
        return blame_child(
            job, bm_fail(&job->error, BLASTMERGE_USAGE,
                         "holds BLAST archives (-outfmt 11), whose queries cannot be numbered anew"));
    struct bm_fetch_source *source = &job->plan.items[0].source;
    status = bm_index_document_open(&get->document, &job->memory, &get->result, get->read, get->renumber,
                                    &job->cancel, &job->error);
    if (status != BLASTMERGE_OK) return blame_child(job, status);
    if (bm_fetch_source_has_location(source)) /* its place is not in the plan any more */
        status = bm_job_places_keep(job, "the file to get queries from", source->location, false);
    job->options.format = bm_index_read_format(get->read);
    *source = bm_index_document_source(get->document, source->shown);
    job->children.has_no_total = true;
    return status == BLASTMERGE_OK ? bm_job_places_check(job) : status;
}

void bm_job_get_end(struct blastmerge_job *job) {
    struct bm_job_get *get = job->get;
    if (get == NULL) return;
    bm_index_document_close(get->document);
    bm_index_read_close(get->read);
    bm_index_bytes_close(&get->index);
    bm_index_bytes_close(&get->result);
    if (get->list != NULL) bm_queries_file_close(get->list);
    bm_release(&job->memory, get->list);
    bm_release(&job->memory, get->found);
    get->list = NULL;
    get->found = NULL;
    get->document = NULL;
    get->read = NULL;
}
