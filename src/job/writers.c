/* SPDX-License-Identifier: MIT */
#include "job/writers.h"

#include "base/temporary.h"
#include "child/again.h"
#include "job/job.h"
#include "stitch/stitch.h"

enum state {
    WORKING,
    FULL, /* it goes on when its output was joined */
    COMPLETE,
    FAILED
};

struct bm_job_writer {
    struct bm_workers *workers;
    struct bm_cancel *cancel;
    struct bm_task task;
    bool has_child; /* the job's thread only, as the next one is */
    size_t child;
    enum state state; /* under the workers' lock, as the next two are */
    bool is_stopping;
    bool is_first; /* its output is joined next */

    /* the thread that runs the task; the job's while the state is another one than WORKING */
    struct bm_child_again again;
    struct bm_view view;
    struct bm_number number;
    struct bm_script script;
    struct bm_splice_sink *sink;
    struct bm_splice_reader *reader;
    size_t n_batches;  /* that were begun */
    bool is_in_batch;  /* the last one is not written to its end */
    bool is_in_script; /* nor is the script */
    bool must_wait;    /* the output is not to be moved into the file */
    struct bm_output output;
    struct bm_temporary file; /* what does not fit into the output, in front of it */
    uint64_t n_file;          /* bytes of it ... */
    uint64_t n_joined;        /* ... and of these */
    struct blastmerge_error error;
};

/* The writer of a child that is or was open; NULL: the job's thread writes it. */
static struct bm_job_writer *writer_of(const struct blastmerge_job *job, size_t child) {
    if (job->writers == NULL || child >= job->n_opened) return NULL;
    size_t seat = bm_job_seats_number(job, bm_job_seats_at(job, child));
    struct bm_job_writer *writer = seat != SIZE_MAX ? &job->writers[seat] : NULL;
    return writer != NULL && writer->has_child && writer->child == child ? writer : NULL;
}

/* --- writing, on whatever thread ------------------------------------------------------------------- */

/* Takes the view's marks. False: the result has no such number, which the job's thread will report. */
static bool number_view(struct bm_job_writer *writer) {
    const struct bm_view *view = &writer->view;
    bm_number_take(&writer->number, view->marks, view->batch, view->safe, &writer->script);
    if (view->field != NULL) bm_number_take_field(&writer->number, view->field);
    return writer->number.now.excess.what == NULL;
}

/* The marks behind the last batch. False: likewise. */
static bool number_end(struct bm_job_writer *writer) {
    do
        if (bm_child_again_finish(&writer->again, &writer->view) != BLASTMERGE_OK || !number_view(writer))
            return false;
    while (!bm_mark_is_finished(writer->again.mark));
    return true;
}

/* Extends the script by the last piece that was scanned, like the conductor's scan(). False: likewise. */
static bool extend_script(struct bm_job_writer *writer) {
    const struct bm_batch *batch = &writer->again.batch;
    bm_script_compact(&writer->script);
    if (!number_view(writer)) return false;
    uint64_t safe = bm_number_safe(&writer->number, writer->view.safe, &writer->script);
    if (writer->view.is_end_of_batch && bm_child_again_is_last(&writer->again)) {
        if (!number_end(writer)) return false;
        safe = UINT64_MAX;
    }
    bm_script_catch_up(&writer->script, safe < bm_batch_end(batch) ? safe : bm_batch_end(batch));
    return true;
}

/* Moves the output into the file. False: it cannot be, or the job's thread will take it soon. */
static bool spill(struct bm_job_writer *writer) {
    struct bm_output *output = &writer->output;
    if (writer->must_wait) return false;
    if (!bm_temporary_write(&writer->file, output->data, output->n_data, writer->n_file)) return false;
    writer->n_file += output->n_data;
    output->n_data = 0;
    return true;
}

/* Writes what the script has of the batch. False: there is no room for it. */
static bool write_script(struct bm_job_writer *writer) {
    bm_splice_give(writer->reader, &writer->again.batch, writer->view.is_end_of_batch);
    while (bm_splice_step(writer->sink, &writer->reader, 1, &writer->script, &writer->output) == BM_STEP_FULL)
        if (!spill(writer)) return false;
    return true;
}

static enum state begin_batch(struct bm_job_writer *writer) {
    if (bm_cancel_is_set(writer->cancel)) {
        bm_fail(&writer->error, BLASTMERGE_CANCELLED, "cancelled");
        return FAILED;
    }
    writer->n_batches++;
    if (bm_child_again_next(&writer->again, &writer->error) != BLASTMERGE_OK) return FAILED;
    writer->is_in_batch = true;
    return WORKING;
}

static enum state write_batch(struct bm_job_writer *writer) {
    if (!writer->is_in_batch && begin_batch(writer) == FAILED) return FAILED;
    do {
        if (!writer->is_in_script) {
            if (bm_child_again_scan(&writer->again, &writer->view, &writer->error) != BLASTMERGE_OK)
                return FAILED;
            if (!extend_script(writer)) return COMPLETE;
        }
        writer->is_in_script = true;
        if (!write_script(writer)) return FULL;
        writer->is_in_script = false;
    } while (!writer->view.is_end_of_batch);
    writer->is_in_batch = false;
    return bm_child_again_is_last(&writer->again) ? COMPLETE : WORKING;
}

/* A piece of the task's work: a batch. True if there is more. */
static bool help(void *argument) {
    struct bm_job_writer *writer = argument;
    bm_workers_lock(writer->workers);
    writer->must_wait = writer->is_first;
    bm_workers_unlock(writer->workers);
    enum state state = write_batch(writer);
    bm_workers_lock(writer->workers);
    writer->state = state;
    bool has_more = state == WORKING && !writer->is_stopping;
    bm_workers_tell(writer->workers);
    bm_workers_unlock(writer->workers);
    return has_more;
}

static void work(void *argument) {
    while (help(argument)) {
    }
}

/* --- a writer's life ------------------------------------------------------------------------------- */

static enum blastmerge_status open_writer(struct blastmerge_job *job, struct bm_job_writer *writer) {
    const struct bm_splice_settings settings = {.form = BLASTMERGE_FORM_GZIP, .workers = &job->workers};
    writer->workers = &job->workers;
    writer->cancel = &job->cancel;
    writer->task = (struct bm_task){.run = work, .argument = writer, .help = help};
    bm_temporary_init(&writer->file, &job->temporary);
    writer->output.size = BM_OUTPUT_SIZE;
    writer->output.data = bm_allocate(&job->memory, BM_OUTPUT_SIZE);
    if (writer->output.data == NULL || bm_child_again_open(&writer->again, &job->memory) != BLASTMERGE_OK ||
        bm_splice_sink_open(&writer->sink, &settings, &job->memory) != BLASTMERGE_OK ||
        bm_splice_reader_open(&writer->reader, &job->memory) != BLASTMERGE_OK)
        return BLASTMERGE_NO_MEMORY;
    bm_job_open_number(job, &writer->number);
    return BLASTMERGE_OK;
}

enum blastmerge_status bm_job_writers_open(struct blastmerge_job *job) {
    enum blastmerge_status status = BLASTMERGE_OK;
    job->writers = bm_allocate(&job->memory, job->seats.n_large * sizeof *job->writers);
    if (job->writers == NULL) return BLASTMERGE_NO_MEMORY;
    for (size_t i = 0; i < job->seats.n_large && status == BLASTMERGE_OK; i++)
        status = open_writer(job, &job->writers[i]);
    return status;
}

static void close_writer(struct bm_job_writer *writer, struct bm_memory *memory) {
    if (writer->workers == NULL) return;
    bm_workers_lock(writer->workers);
    writer->is_stopping = true;
    if (bm_workers_take(writer->workers, &writer->task)) bm_workers_ended(writer->workers, &writer->task);
    while (writer->task.state != BM_TASK_IDLE) bm_workers_wait(writer->workers);
    bm_workers_unlock(writer->workers);
    bm_splice_sink_close(writer->sink);
    bm_splice_reader_close(writer->reader);
    bm_child_again_close(&writer->again, memory);
    bm_release(memory, writer->output.data);
    bm_temporary_close(&writer->file);
}

void bm_job_writers_close(struct blastmerge_job *job) {
    for (size_t i = 0; i < job->seats.n_large && job->writers != NULL; i++)
        close_writer(&job->writers[i], &job->memory);
    bm_release(&job->memory, job->writers);
    job->writers = NULL;
}

/* --- the job's thread ------------------------------------------------------------------------------ */

bool bm_job_writers_have(const struct blastmerge_job *job, size_t child) {
    return writer_of(job, child) != NULL;
}

bool bm_job_writers_have_child(const struct blastmerge_job *job) {
    return bm_job_writers_have(job, job->child);
}

size_t bm_job_writers_first(const struct blastmerge_job *job) {
    return job->writers != NULL ? job->n_joined : job->child;
}

static void submit(struct bm_job_writer *writer) {
    bm_workers_lock(writer->workers);
    writer->state = WORKING;
    bm_workers_submit(writer->workers, &writer->task);
    bm_workers_unlock(writer->workers);
}

enum blastmerge_status bm_job_writers_start(struct blastmerge_job *job) {
    struct bm_child *child = bm_job_child(job);
    const size_t seat = bm_job_seats_number(job, child);
    if (job->writers == NULL || seat == SIZE_MAX || !child->is_kept || job->queries.n_faults > 0)
        return BLASTMERGE_OK;
    struct bm_job_writer *writer = &job->writers[seat];
    if (bm_splice_begin(writer->sink, writer->reader, true) != BLASTMERGE_OK) {
        bm_fail(&job->error, BLASTMERGE_NO_MEMORY, "out of memory");
        return bm_job_fail(job);
    }
    bm_number_resume(&writer->number, &job->number->now);
    bm_script_start(&writer->script, 0);
    bm_child_again_begin(&writer->again, child);
    if (child->lane.fetch.source->n_bytes > BM_OUTPUT_SIZE - BM_OUTPUT_ROOM) bm_temporary_open(&writer->file);
    writer->view = (struct bm_view){0};
    writer->n_batches = 0;
    writer->is_in_batch = writer->is_in_script = false;
    writer->output.n_data = 0;
    writer->output.crc32 = 0;
    writer->output.n_text = writer->output.n_copied = 0;
    writer->n_file = writer->n_joined = 0;
    writer->has_child = true;
    writer->child = job->child;
    writer->is_first = job->n_joined == job->child;
    submit(writer);
    return BLASTMERGE_OK;
}

/* Whether a thread works, or is to work, for the writer. A task that has come to its end cannot be submitted before the
 * thread has left it. With the lock held. */
static bool is_busy(const struct bm_job_writer *writer) {
    return writer->state == WORKING || writer->task.state != BM_TASK_IDLE;
}

/* Whether the writer is busy. If so, and it is to be waited for: does a piece of some queued work, or waits for news. */
static bool look_at(struct blastmerge_job *job, struct bm_job_writer *writer, bool is_needed) {
    bm_workers_lock(&job->workers);
    writer->is_first = true;
    bool is_waited_for = is_needed && is_busy(writer);
    if (is_waited_for && !bm_workers_help(&job->workers)) bm_workers_wait(&job->workers);
    bool is_still = is_waited_for || is_busy(writer);
    bm_workers_unlock(&job->workers);
    if (is_waited_for) bm_job_report_progress(job);
    return is_still;
}

/* The job ends with the error of the writer of the first child that is open. */
static enum bm_step fail(struct blastmerge_job *job, const struct bm_job_writer *writer) {
    if (bm_cancel_is_set(&job->cancel)) {
        bm_fail(&job->error, BLASTMERGE_CANCELLED, "cancelled");
        (void)bm_job_fail(job);
        return BM_STEP_FAILED;
    }
    job->child = job->n_joined;
    job->error = writer->error;
    job->view = writer->view;
    (void)bm_job_fail_child(job);
    return BM_STEP_FAILED;
}

/* Moves what the writer has written to the job's output. */
static enum bm_step join_output(struct blastmerge_job *job, struct bm_job_writer *writer) {
    struct bm_output *output = &job->output;
    while (writer->n_joined < writer->n_file) {
        uint64_t n = writer->n_file - writer->n_joined;
        if (bm_output_is_full(output)) return BM_STEP_FULL;
        if (n > bm_output_room(output)) n = bm_output_room(output);
        if (bm_temporary_read(&writer->file, output->data + output->n_data, (size_t)n, writer->n_joined,
                              &writer->error) != BLASTMERGE_OK)
            return fail(job, writer);
        output->n_data += (size_t)n;
        writer->n_joined += n;
    }
    if (writer->output.n_data > bm_output_room(output)) return BM_STEP_FULL;
    bm_output_put(output, writer->output.data, writer->output.n_data);
    writer->n_file = writer->n_joined = 0;
    writer->output.n_data = 0;
    return BM_STEP_DONE;
}

/* Joins the first child that is open, which is not WORKING. */
static enum bm_step join_first(struct blastmerge_job *job, struct bm_job_writer *writer) {
    if (writer->state == FAILED) return fail(job, writer);
    enum bm_step step = join_output(job, writer);
    if (step != BM_STEP_DONE) return step;
    if (writer->state == FULL) {
        submit(writer);
        return BM_STEP_DONE;
    }
    bm_stitch_add(&job->output, writer->output.crc32, writer->output.n_text);
    job->output.n_copied += writer->output.n_copied;
    writer->has_child = false;
    bm_child_close(bm_job_seats_at(job, job->n_joined));
    return BM_STEP_DONE;
}

enum bm_step bm_job_writers_join(struct blastmerge_job *job, size_t until) {
    while (job->writers != NULL && job->n_joined < job->child) {
        struct bm_job_writer *writer = writer_of(job, job->n_joined);
        if (writer == NULL) {
            job->n_joined++;
            continue;
        }
        const bool is_needed = job->n_joined < until;
        if (look_at(job, writer, is_needed)) return is_needed ? BM_STEP_MORE : BM_STEP_DONE;
        enum bm_step step = join_first(job, writer);
        if (step != BM_STEP_DONE) return step;
    }
    return BM_STEP_DONE;
}

/* Waits, and works, until the writer needs something else. */
static enum state wait_for(struct blastmerge_job *job, struct bm_job_writer *writer) {
    bm_workers_lock(&job->workers);
    while (is_busy(writer) && !bm_cancel_is_set(&job->cancel))
        if (!bm_workers_help(&job->workers)) bm_workers_wait(&job->workers);
    enum state state = writer->state;
    bm_workers_unlock(&job->workers);
    return state;
}

/* Waits until the writer has come to its end, or failed; its output is of no use any more. */
static enum state exhaust(struct blastmerge_job *job, struct bm_job_writer *writer) {
    enum state state = wait_for(job, writer);
    for (; state == FULL; state = wait_for(job, writer)) {
        writer->output.n_data = 0;
        writer->n_file = 0;
        submit(writer);
    }
    return state;
}

void bm_job_writers_stop_child(struct blastmerge_job *job) {
    struct bm_job_writer *writer = writer_of(job, job->child);
    if (job->cancel.has_forked_in || writer == NULL) return;
    bool has_failed = exhaust(job, writer) == FAILED;
    if (!has_failed || writer->n_batches > bm_job_child(job)->lane.n_batches_taken) return;
    job->error = writer->error;
    job->view = writer->view;
}

enum blastmerge_status bm_job_writers_settle(struct blastmerge_job *job) {
    const size_t last = job->child;
    bool has_failed = false;
    if (job->writers == NULL || job->cancel.has_forked_in) return job->error.status;
    for (; job->n_joined < last && !bm_cancel_is_set(&job->cancel) && !has_failed; job->n_joined++) {
        struct bm_job_writer *writer = writer_of(job, job->n_joined);
        has_failed = writer != NULL && exhaust(job, writer) == FAILED;
        if (has_failed) (void)fail(job, writer);
    }
    return job->error.status;
}
