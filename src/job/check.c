/* SPDX-License-Identifier: MIT */
#include "job/check.h"
#include "job/order.h"
#include "job/shards.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_MESSAGES = 256 /* that are kept until the job is destroyed */ };

struct bm_check {
    bool has_fault;
    struct blastmerge_error first; /* of children or of the job; the queries' faults are told apart */
    struct blastmerge_error last;
    struct bm_number_state before; /* the numbering as the current child began */
    size_t n_messages;
    struct message {
        uint64_t child;
        char *text;
    } messages[MOST_MESSAGES]; /* by child */
};

enum blastmerge_status bm_job_check_open(struct blastmerge_job *job) {
    if (!job->is_check) return BLASTMERGE_OK;
    job->check = bm_allocate(&job->memory, sizeof *job->check);
    if (job->check == NULL) return bm_fail(&job->error, BLASTMERGE_NO_MEMORY, "out of memory");
    job->check->last.child = BLASTMERGE_NO_CHILD;
    return BLASTMERGE_OK;
}

void bm_job_check_begin_child(struct blastmerge_job *job) {
    if (job->check != NULL) job->check->before = job->number->now;
}

/* --- faults -------------------------------------------------------------------------------------- */

/* Whether it says something of the children; the others say that the job cannot go on. */
static bool is_fault(enum blastmerge_status status) {
    switch (status) {
    case BLASTMERGE_IO:
    case BLASTMERGE_DATA:
    case BLASTMERGE_MISMATCH:
    case BLASTMERGE_CHANGED:
    case BLASTMERGE_NOT_FOUND:
    case BLASTMERGE_DENIED:
        return true;
    default:
        return false;
    }
}

static bool keep_message(struct blastmerge_job *job) {
    struct bm_check *check = job->check;
    if (job->error.child == BLASTMERGE_NO_CHILD || check->n_messages == MOST_MESSAGES) return true;
    char *text = bm_copy_string(&job->memory, job->error.message);
    if (text == NULL) return false;
    check->messages[check->n_messages++] = (struct message){job->error.child, text};
    return true;
}

static void tell(struct blastmerge_job *job, const struct blastmerge_error *error) {
    if (job->options.on_fault == NULL) return;
    int issued = bm_callback_begin(job->options.callback_ticket);
    int result = job->options.on_fault(job->options.callback_context, error);
    bm_job_note_callback(job, "on_fault failed", issued, result);
}

enum blastmerge_status bm_job_check_keep_fault(struct blastmerge_job *job) {
    struct bm_check *check = job->check;
    if (check == NULL || !is_fault(job->error.status)) return job->error.status;
    bm_job_sentence_compose(&job->sentence, &job->error);
    const struct blastmerge_error error = job->error;
    if (!keep_message(job)) return bm_fail(&job->error, BLASTMERGE_NO_MEMORY, "out of memory");
    if (!check->has_fault && job->queries.n_faults == 0) check->first = error;
    check->has_fault = true;
    check->last = error;
    job->error = (struct blastmerge_error){.child = BLASTMERGE_NO_CHILD, .text_offset = BLASTMERGE_NO_OFFSET};
    tell(job, &error);
    return BLASTMERGE_OK;
}

bool bm_job_check_has_fault(const struct blastmerge_job *job) {
    return job->check != NULL && job->check->has_fault;
}

/* --- children ------------------------------------------------------------------------------------ */

/* Whether it is the child that is at fault, and no function of the caller's that wants an end. */
static bool is_of_child(const struct blastmerge_job *job) {
    return job->check != NULL && is_fault(job->error.status) &&
           bm_job_shards_batch_of(job, job->error.child) == job->child && job->child < job->plan.n_items &&
           !job->cancel.has_forked_in && !bm_fetch_source_has_failed(&job->plan.items[job->child].source);
}

/* How far a child was read before its fault showed depends on the threads. The size of a file does not. */
static void count_bytes(const struct blastmerge_job *job, struct bm_job_row *child) {
    const struct bm_fetch_source *source = &job->plan.items[job->child].source;
    bool is_read = child->status == BLASTMERGE_DATA || child->status == BLASTMERGE_MISMATCH;
    if (is_read && source->n_bytes != UINT64_MAX) child->compressed_bytes = source->n_bytes;
}

/* What the rooms hold of the child is forgotten; but its header says what the others should be like. */
static void forget_child(struct blastmerge_job *job, struct bm_child *open) {
    if (job->kin.format == BLASTMERGE_FORMAT_AUTO && job->totals.format != BLASTMERGE_FORMAT_AUTO)
        job->kin = bm_mark_kin(open->mark);
    bm_number_resume(job->number, &job->check->before);
    bm_job_twins_leave_child(job);
    bm_job_repeats_leave_child(job);
    bm_job_queries_leave(&job->queries);
    if (job->order != NULL) bm_job_order_end_child(job);
}

enum blastmerge_status bm_job_check_leave_child(struct blastmerge_job *job) {
    if (!is_of_child(job)) return job->error.status;
    struct bm_job_row *child = &job->children.rows[job->child];
    struct bm_child *open = bm_job_child(job);
    uint64_t text_offset = job->error.text_offset;
    child->status = (uint8_t)job->error.status;
    bm_job_count_child(job);
    count_bytes(job, child);
    if (text_offset != BLASTMERGE_NO_OFFSET) child->text_bytes = text_offset;
    if (bm_job_check_keep_fault(job) != BLASTMERGE_OK) return job->error.status;
    bm_child_close(open); /* no worker is at its scanner any more */
    if (bm_job_check_reader(job) != BLASTMERGE_OK) return job->error.status;
    forget_child(job, open);
    job->phase = BM_JOB_PHASE_ROW;
    return BLASTMERGE_OK;
}

/* --- what it has come to ------------------------------------------------------------------------- */

enum blastmerge_status bm_job_check_status(struct blastmerge_job *job) {
    const struct bm_check *check = job->check;
    if (check->first.status == BLASTMERGE_OK) return bm_job_queries_status(job);
    job->error = check->first;
    return job->error.status;
}

static int compare(const void *wanted, const void *message) {
    uint64_t child = *(const uint64_t *)wanted;
    uint64_t other = ((const struct message *)message)->child;
    return child < other ? -1 : child > other;
}

const char *bm_job_check_message(const struct blastmerge_job *job, uint64_t child) {
    const struct bm_check *check = job->check;
    if (check == NULL) return NULL;
    if (check->last.child == child) return check->last.message;
    const struct message *found =
        bsearch(&child, check->messages, check->n_messages, sizeof check->messages[0], compare);
    return found == NULL ? NULL : found->text;
}

void bm_job_check_close(struct blastmerge_job *job) {
    if (job->check == NULL) return;
    for (size_t i = 0; i < job->check->n_messages; i++)
        bm_release(&job->memory, job->check->messages[i].text);
    bm_release(&job->memory, job->check);
    job->check = NULL;
}
