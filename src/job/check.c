/* SPDX-License-Identifier: MIT */
#include "job/check.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_MESSAGES = 256 /* that are kept until the job is destroyed */ };

/* What a check has found out so far. */
struct bm_check {
    bool has_first;
    struct blastmerge_error first; /* of children or of the job; the queries' faults are told apart */
    struct blastmerge_error last;
    size_t n_messages;
    struct message {
        uint64_t child;
        char *text;
    } messages[MOST_MESSAGES]; /* by child */
};

static void keep_message(struct blastmerge_job *job, struct bm_check *check) {
    if (job->error.child == BLASTMERGE_NO_CHILD || check->n_messages == MOST_MESSAGES) return;
    char *text = bm_copy_string(&job->memory, job->error.message);
    if (text != NULL) check->messages[check->n_messages++] = (struct message){job->error.child, text};
}

static void tell(struct blastmerge_job *job, const struct blastmerge_error *error) {
    if (job->options.on_fault == NULL) return;
    int issued = bm_callback_begin(job->options.callback_ticket);
    int result = job->options.on_fault(job->options.callback_context, error);
    bm_job_note_callback(job, "on_fault failed", issued, result);
}

bool bm_job_check_keep_fault(struct blastmerge_job *job) {
    if (!job->is_check) return false;
    if (job->check == NULL) job->check = bm_allocate(&job->memory, sizeof *job->check);
    if (job->check == NULL) return false;
    const struct blastmerge_error error = job->error;
    if (!job->check->has_first && job->n_query_faults == 0) job->check->first = error;
    job->check->has_first = true;
    job->check->last = error;
    keep_message(job, job->check);
    job->error = (struct blastmerge_error){.child = BLASTMERGE_NO_CHILD, .text_offset = BLASTMERGE_NO_OFFSET};
    tell(job, &error);
    return true;
}

/* Whether it is the child that is at fault, and no function of the caller's that wants an end. */
static bool is_of_child(const struct blastmerge_job *job) {
    const struct blastmerge_error *error = &job->error;
    if (error->child != job->child || job->child >= job->n_children || job->cancel.has_forked_in)
        return false;
    switch (error->status) {
    case BLASTMERGE_IO:
    case BLASTMERGE_DATA:
    case BLASTMERGE_MISMATCH:
    case BLASTMERGE_CHANGED:
    case BLASTMERGE_NOT_FOUND:
    case BLASTMERGE_DENIED:
        return !bm_fetch_source_has_failed(&job->children[job->child].source);
    default:
        return false;
    }
}

bool bm_job_check_leave_child(struct blastmerge_job *job) {
    if (!job->is_check || !is_of_child(job) || bm_cancel_is_set(&job->cancel)) return false;
    struct bm_item *child = &job->children[job->child];
    struct bm_child *open = bm_job_child(job);
    child->status = (uint8_t)job->error.status;
    bm_job_count_child(job);
    if (job->error.text_offset != BLASTMERGE_NO_OFFSET) child->text_bytes = job->error.text_offset;
    if (!bm_job_check_keep_fault(job)) return false;
    bm_child_close(open); /* no worker is at its scanner any more */
    if (job->kin.format == BLASTMERGE_FORMAT_AUTO && job->totals.format != BLASTMERGE_FORMAT_AUTO)
        job->kin = bm_mark_kin(open->mark); /* its header says what the others should be like */
    bm_number_leave(job->number);
    if (job->expect != NULL) bm_queries_leave(job->expect);
    job->edits->n_edits = job->edits->position = job->edits->n_text = 0;
    job->phase = BM_PHASE_ROW;
    return true;
}

enum blastmerge_status bm_job_check_status(struct blastmerge_job *job) {
    const struct bm_check *check = job->check;
    if (check == NULL || check->first.status == BLASTMERGE_OK) return bm_job_queries_status(job);
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
