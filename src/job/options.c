/* SPDX-License-Identifier: MIT */
#include "job/options.h"

#include "cloud/location.h"

#include <string.h>
#include <unistd.h>

static unsigned default_threads(void) {
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? 1 : n > BM_JOB_DEFAULT_THREADS ? BM_JOB_DEFAULT_THREADS : (unsigned)n;
}

static enum blastmerge_status refuse(struct blastmerge_job *job, const char *reason) {
    return bm_fail(&job->error, BLASTMERGE_USAGE, "%s", reason);
}

static enum blastmerge_status check_options(struct blastmerge_job *job) {
    const struct blastmerge_options *options = &job->options;
    if (options->level < 0 || options->level > 9) return refuse(job, "the level must be 1 to 9");
    if (options->n_threads > BM_JOB_MAX_THREADS) return refuse(job, "the number of threads must be 1 to 64");
    if ((unsigned)options->mismatch > BLASTMERGE_MISMATCH_IGNORE)
        return refuse(job, "unknown mismatch policy (expected 0 to 3)");
    if ((unsigned)options->invalid_utf8 > BLASTMERGE_INVALID_UTF8_KEEP) {
        return refuse(job, "unknown policy for invalid UTF-8 (expected 0 to 2)");
    }
    if ((unsigned)options->forbidden_characters > BLASTMERGE_FORBIDDEN_KEEP)
        return refuse(job, "unknown policy for forbidden characters (expected 0 to 2)");
    if ((unsigned)options->sort > BLASTMERGE_SORT_NONE) return refuse(job, "no such order");
    if (!bm_format_is_known(options->format))
        return bm_fail(&job->error, BLASTMERGE_USAGE, "unknown format (expected 0 to %d)", bm_format_last());
    if (options->form == BLASTMERGE_FORM_OTHER)
        return refuse(
            job, "the output's name ends as that of data of zstd, xz, bzip2 or lz4 does, but the result is "
                 "gzip, BGZF or plain text: choose another name (.gz), or give --gzip, --bgzf or --plain");
    if ((unsigned)options->form > BLASTMERGE_FORM_BGZF)
        return refuse(job, "unknown form of the result (expected 0 to 2)");
    if ((unsigned)options->query_ids > BLASTMERGE_QUERY_IDS_RENUMBER)
        return refuse(job, "unknown policy for query ids (expected 0 to 2)");
    if ((unsigned)options->header > BLASTMERGE_HEADER_NONE)
        return refuse(job, "unknown policy for rows of column names (expected 0 to 2)");
    if (options->salvage && options->format != BLASTMERGE_FORMAT_AUTO &&
        !bm_format_of(options->format)->can_be_salvaged)
        return refuse(job, "only BLAST XML (-outfmt 5) and BLAST archives (-outfmt 11) can be salvaged");
    if (options->salvage && options->as_unsplit)
        return refuse(job, "--salvage and --as-unsplit contradict each other: a salvaged result is not that "
                           "of an unsplit run");
    if (options->as_unsplit && options->query_ids == BLASTMERGE_QUERY_IDS_KEEP)
        return refuse(job, "in an unsplit run, the ids Query_N continue: they cannot be kept");
    if ((options->allocator.allocate == NULL) != (options->allocator.release == NULL)) {
        return refuse(job, "an allocator needs both allocate and release");
    }
    if (options->database != NULL && options->keep_database) {
        return refuse(job, "the database's name cannot both be given and kept");
    }
    if (options->as_unsplit && options->invalid_utf8 == BLASTMERGE_INVALID_UTF8_LATIN1) {
        return refuse(job, "an unsplit run has the children's own bytes: none of them can be converted");
    }
    if (options->as_unsplit && options->forbidden_characters == BLASTMERGE_FORBIDDEN_REPLACE) {
        return refuse(job, "an unsplit run has the children's own characters: none of them can be replaced");
    }
    if (options->database != NULL && options->database[0] == '\0')
        return refuse(job, "the database's name must not be empty");
    if (options->database != NULL && strlen(options->database) > BM_NUMBER_MAX_DATABASE) {
        return refuse(job, "the database's name must not be longer than 4096 bytes");
    }
    if (options->database != NULL && !bm_number_is_text(options->database)) {
        return refuse(job, "the database's name is not UTF-8, or has characters that XML does not allow");
    }
    return BLASTMERGE_OK;
}

/* What the option stands for. */
static void settle_as_unsplit(struct blastmerge_options *options) {
    options->keep_database = options->database == NULL;
    options->invalid_utf8 = BLASTMERGE_INVALID_UTF8_KEEP;
    options->forbidden_characters = BLASTMERGE_FORBIDDEN_KEEP;
}

static enum blastmerge_status settle_database(struct blastmerge_job *job) {
    const char *database = job->options.database;
    job->is_database_given = database != NULL;
    if (database == NULL && !job->options.keep_database) database = "merged split-query child results";
    if (database != NULL) {
        job->database = bm_copy_string(&job->memory, database);
        if (job->database == NULL) return BLASTMERGE_NO_MEMORY;
    }
    job->options.database = job->database;
    return BLASTMERGE_OK;
}

enum blastmerge_status bm_job_options_replace_database(struct blastmerge_job *job, const char *database,
                                                       bool is_kept) {
    char *old = job->database; /* which may be what replaces it */
    job->database = NULL;
    job->options.database = database;
    job->options.keep_database = is_kept;
    enum blastmerge_status status = settle_database(job);
    bm_release(&job->memory, old);
    if (status == BLASTMERGE_OK) return status;
    job->options.database = NULL;
    return bm_fail(&job->error, BLASTMERGE_NO_MEMORY, "out of memory");
}

enum blastmerge_status bm_job_options_settle(struct blastmerge_job *job) {
    enum blastmerge_status status = check_options(job);
    if (status != BLASTMERGE_OK) return status;
    if (job->options.n_threads == 0) job->options.n_threads = default_threads();
    if (job->options.temporary_limit == 0) job->options.temporary_limit = BM_JOB_TEMPORARY;
    if (job->options.as_unsplit) settle_as_unsplit(&job->options);
    if (settle_database(job) != BLASTMERGE_OK) return BLASTMERGE_NO_MEMORY;
    if (job->options.endpoint != NULL) {
        job->endpoint = bm_copy_string(&job->memory, job->options.endpoint);
        if (job->endpoint == NULL) return BLASTMERGE_NO_MEMORY;
    }
    job->options.endpoint = job->endpoint;
    if (job->options.expect_queries != NULL) {
        status = bm_cloud_location_refuse_strange(job->options.expect_queries, &job->error);
        if (status != BLASTMERGE_OK) return status;
        job->expect_queries = bm_copy_string(&job->memory, job->options.expect_queries);
        if (job->expect_queries == NULL) return BLASTMERGE_NO_MEMORY;
    }
    job->options.expect_queries = job->expect_queries;
    return BLASTMERGE_OK;
}

void bm_job_options_close(struct blastmerge_job *job) {
    bm_release(&job->memory, job->endpoint);
    bm_release(&job->memory, job->expect_queries);
    bm_release(&job->memory, job->database);
}
