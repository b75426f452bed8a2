/* SPDX-License-Identifier: MIT */
/*
 * Joining: the parts' ends are read and compared with the plan; then what lies between the ends is copied, in the plan's
 * order. Parts may be given in any order, since each holds its number. No part is read as text.
 *
 * Where parts and result are in one object store, it copies them itself, as far as it can (store/copy.c). The caller's machine
 * then reads only the parts' ends, and parts that are too short to be copied.
 */
#include "base/descriptor.h"
#include "cloud/location.h"
#include "parts/parts.h"
#include "stitch/stitch.h"
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    GZIP_HEADER = 10, /* bytes of a result before its first fragment */
    LAST_BLOCK = 13,  /* bytes of the final block around the last text, and the trailer */
    MOST_MISSING = 8  /* missing parts that a message names */
};

/* A file when its ends were read, to find whether it has changed since. */
struct state {
    uint64_t size;
    int64_t seconds;
    long nanoseconds;
    uint64_t inode;
};

struct part {
    size_t source; /* SIZE_MAX: there is none yet */
    struct state state;
    uint64_t n_fragment;
    uint64_t n_text;
    uint32_t crc32;
    const char *etag; /* of a remote part, in the pool; else NULL */
    bool is_copied;   /* by the result's store */
};

/* The first part that another file holds, too. number 0: there is none. */
struct twice {
    uint64_t number;
    size_t source;
};

struct joining {
    struct blastmerge_job *job;
    struct bm_job_slice_view view;
    struct bm_parts_plan_file *file;
    struct bm_pool pool;
    struct part *parts;             /* by their numbers */
    struct bm_parts_remote *remote; /* NULL: nothing remote was read yet */
    uint64_t n_found;
    struct twice twice;
    bool has_epilogue;
    size_t n_epilogue;
    char epilogue[BM_PARTS_MAX_EPILOGUE];
    uint64_t n_result; /* compressed bytes */
};

/* --- messages ------------------------------------------------------------------------------------ */

/* A part is not as it must be. number 0: it is not known. */
static enum blastmerge_status refuse(struct joining *joining, size_t source, enum blastmerge_status status,
                                     uint64_t number, const char *reason) {
    char task[64] = "the part that writes it";
    if (number > 0) snprintf(task, sizeof task, "part %" PRIu64, number);
    bm_fail(joining->view.error, status, "%s: run %s again", reason, task);
    return bm_job_slice_fail(joining->job, source);
}

static enum blastmerge_status fail_reading(struct joining *joining, size_t source, int failure) {
    bm_fail_system(joining->view.error, failure, failure == ENOENT ? "cannot open" : "cannot read");
    return bm_job_slice_fail(joining->job, source);
}

static enum blastmerge_status fail_changed(struct joining *joining) {
    return bm_fail(joining->view.error, BLASTMERGE_CHANGED, "changed while it was joined: join again");
}

/* "1 of 3 parts is missing: run part 2 again": the first missing ones, by their numbers. Empty: none is missing. */
static void list_missing(const struct joining *joining, char *text, size_t size) {
    unsigned n_listed = 0;
    uint64_t n_children = joining->file->plan.n_children;
    uint64_t n_missing = n_children - joining->n_found;
    text[0] = '\0';
    if (n_missing == 0) return;
    size_t n = (size_t)snprintf(text, size, "%" PRIu64 " of %" PRIu64 " parts %s missing: run part ",
                                n_missing, n_children, n_missing == 1 ? "is" : "are");
    for (uint64_t i = 0; i < n_children && n_listed < MOST_MISSING; i++) {
        if (joining->parts[i].source != SIZE_MAX) continue;
        n += (size_t)snprintf(text + n, size - n, "%s%" PRIu64, n_listed++ > 0 ? ", " : "", i + 1);
    }
    snprintf(text + n, size - n, "%s again", n_missing > MOST_MISSING ? " ..." : "");
}

/* After all parts were read: one that was given twice may have taken the place of another one. */
static enum blastmerge_status check_all_are_there(struct joining *joining) {
    char missing[320];
    const struct twice *twice = &joining->twice;
    list_missing(joining, missing, sizeof missing);
    if (twice->number > 0) {
        size_t other = joining->parts[twice->number - 1].source;
        const char *shown = bm_job_slice_source(joining->job, other)->shown;
        bm_fail(joining->view.error, BLASTMERGE_MISMATCH,
                "is part %" PRIu64 ", which %.*s is, too: give each part once%s%s", twice->number,
                bm_show_length(shown, 300), shown, missing[0] != '\0' ? "; " : "", missing);
        return bm_job_slice_fail(joining->job, twice->source);
    }
    if (missing[0] == '\0') return BLASTMERGE_OK;
    return bm_fail(joining->view.error, BLASTMERGE_NOT_FOUND, "%s, and join all parts", missing);
}

/* --- the ends ------------------------------------------------------------------------------------ */

/* Of a remote part, the head is read when it is copied. */
struct ends {
    bool has_head;
    struct bm_parts_head head;
    struct bm_parts_tail tail;
    struct state state;
    const char *etag; /* of a remote part */
};

static bool is_same_tally(const struct bm_tally *one, const struct bm_tally *other) {
    return bm_tally_has_equal_sums(one, other) && one->line == other->line;
}

static struct state state_of(const struct stat *information) {
    const struct timespec modified = BM_MODIFIED(*information);
    return (struct state){(uint64_t)information->st_size, modified.tv_sec, modified.tv_nsec,
                          (uint64_t)information->st_ino};
}

static bool is_same_state(const struct state *one, const struct state *other) {
    return one->size == other->size && one->seconds == other->seconds &&
           one->nanoseconds == other->nanoseconds && one->inode == other->inode;
}

/* Opens a part; -1: the job has failed. */
static int open_part(struct joining *joining, size_t source, struct state *state) {
    struct stat information;
    const char *path = bm_job_slice_source(joining->job, source)->location;
    int file = bm_open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
    if (file < 0) {
        (void)fail_reading(joining, source, errno);
        return -1;
    }
    if (fstat(file, &information) == 0 && S_ISREG(information.st_mode)) {
        *state = state_of(&information);
        return file;
    }
    bm_fail(joining->view.error, BLASTMERGE_USAGE, "is not a regular file, as a part must be");
    (void)bm_job_slice_fail(joining->job, source);
    close(file);
    return -1;
}

/* Reads n bytes at an offset; false with errno, 0 for a file that is shorter now. */
static bool read_at(int file, uint8_t *bytes, size_t n, uint64_t offset) {
    ssize_t n_read = bm_read_at(file, bytes, n, offset);
    if (n_read >= 0) errno = 0;
    return n_read == (ssize_t)n;
}

/* The last bytes of a part, whose length is known. NULL, or what is wrong. */
static const char *read_tail(struct ends *ends, const uint8_t *bytes, size_t n) {
    size_t n_tail = 0;
    const char *reason = bm_parts_tail_read(&ends->tail, &n_tail, bytes, n);
    uint64_t n_expected = BM_PARTS_HEAD + BM_PARTS_MEMBER_END + n_tail;
    if (reason != NULL) return reason;
    if (!bm_add(&n_expected, ends->tail.n_fragment) || n_expected != ends->state.size)
        return "is damaged, or cut short";
    return NULL;
}

/* NULL, or what is wrong. number: as far as it is known. */
static const char *read_ends(struct ends *ends, int file, uint64_t *number) {
    uint8_t bytes[BM_PARTS_TAIL];
    uint64_t size = ends->state.size;
    size_t n_head = size < BM_PARTS_HEAD ? (size_t)size : BM_PARTS_HEAD;
    size_t n_last = size < BM_PARTS_TAIL ? (size_t)size : BM_PARTS_TAIL;
    errno = 0;
    if (!read_at(file, bytes, n_head, 0)) return "cannot be read";
    const char *reason = bm_parts_head_read(&ends->head, bytes, n_head);
    if (reason != NULL) return reason;
    *number = ends->head.number;
    ends->has_head = true;
    if (!read_at(file, bytes, n_last, size - n_last)) return "cannot be read";
    reason = read_tail(ends, bytes, n_last);
    if (reason != NULL) return reason;
    if (ends->tail.number != ends->head.number || ends->tail.digest != ends->head.digest) return "is damaged";
    return NULL;
}

/* Compares a part with the plan, whose number it is known to have. NULL, or what is wrong. */
static const char *compare(struct joining *joining, const struct ends *ends,
                           const struct bm_parts_place *place) {
    struct bm_tally after = place->before;
    const struct bm_tally *found = &ends->tail.after;
    bool is_first = place->before.n_documents == 0 && found->n_documents > 0;
    if (!bm_tally_add(&after, &place->child.tally)) return "is damaged";
    if (ends->has_head && !is_same_tally(&ends->head.before, &place->before)) return "is damaged";
    if (after.n_documents != found->n_documents || after.n_iterations != found->n_iterations ||
        after.last_numbers != found->last_numbers || after.generated_ids != found->generated_ids ||
        after.positions != found->positions || after.n_counted != found->n_counted ||
        after.n_queries != found->n_queries)
        return "is damaged";
    if (is_first != ends->tail.has_epilogue) return "is damaged";
    if (!is_first) return NULL;
    joining->has_epilogue = true;
    joining->n_epilogue = ends->tail.n_epilogue;
    memcpy(joining->epilogue, ends->tail.epilogue, ends->tail.n_epilogue);
    return NULL;
}

/* Adds a part whose ends were read. */
static enum blastmerge_status add_part(struct joining *joining, size_t source, const struct ends *ends) {
    const struct bm_parts_plan *plan = &joining->file->plan;
    uint64_t number = ends->tail.number;
    struct bm_parts_place place;
    if (ends->tail.digest != plan->digest)
        return refuse(joining, source, BLASTMERGE_MISMATCH, number, "is a part of another plan");
    if (number == 0 || number > plan->n_children)
        return refuse(joining, source, BLASTMERGE_DATA, 0, "is damaged");
    struct part *part = &joining->parts[number - 1];
    if (part->source != SIZE_MAX) {
        if (joining->twice.number == 0) joining->twice = (struct twice){number, source};
        return BLASTMERGE_OK;
    }
    if (bm_parts_plan_read_place(joining->file, number - 1, &place, &joining->pool, joining->view.memory,
                                 joining->view.error) != BLASTMERGE_OK)
        return joining->view.error->status;
    const char *reason = compare(joining, ends, &place);
    if (reason != NULL) return refuse(joining, source, BLASTMERGE_DATA, number, reason);
    *part = (struct part){.source = source,
                          .state = ends->state,
                          .n_fragment = ends->tail.n_fragment,
                          .n_text = ends->tail.n_text,
                          .crc32 = ends->tail.crc32};
    joining->n_found++;
    if (ends->etag == NULL) return BLASTMERGE_OK;
    part->etag = bm_pool_copy(&joining->pool, joining->view.memory, ends->etag);
    return part->etag != NULL ? BLASTMERGE_OK
                              : bm_fail(joining->view.error, BLASTMERGE_NO_MEMORY, "out of memory");
}

#ifdef BLASTMERGE_CLOUD

/* Begins to read the ends of the remote ones among the next parts. */
static enum blastmerge_status begin_remote_parts(struct joining *joining, size_t first, size_t end) {
    for (size_t i = first; i < end; i++) {
        struct bm_fetch_source *source = bm_job_slice_source(joining->job, i);
        if (!bm_fetch_source_is_remote(source)) continue;
        if (joining->remote == NULL) joining->remote = bm_parts_remote_open(joining->view.memory);
        if (joining->remote == NULL)
            return bm_fail(joining->view.error, BLASTMERGE_NO_MEMORY, "out of memory");
        bm_job_slice_look_ahead(joining->job, i);
        bm_parts_remote_begin(joining->remote, i, source, BM_PARTS_TAIL);
    }
    return BLASTMERGE_OK;
}

static enum blastmerge_status take_remote_part(struct joining *joining, size_t i) {
    struct bm_fetch_source *source = bm_job_slice_source(joining->job, i);
    struct bm_parts_remote_end end;
    enum blastmerge_status status =
        bm_parts_remote_finish(joining->remote, i, source, &end, joining->view.error);
    if (status != BLASTMERGE_OK) return bm_job_slice_fail(joining->job, i);
    struct ends ends = {.etag = end.etag, .state = {.size = source->n_bytes}};
    const char *reason = read_tail(&ends, end.bytes, end.n);
    return reason == NULL ? add_part(joining, i, &ends) : refuse(joining, i, BLASTMERGE_DATA, 0, reason);
}

static void close_remote(struct joining *joining) {
    bm_parts_remote_close(joining->remote);
    joining->remote = NULL;
}

#else

static enum blastmerge_status begin_remote_parts(struct joining *joining, size_t first, size_t end) {
    (void)joining;
    (void)first;
    (void)end;
    return BLASTMERGE_OK; /* there are none */
}

static enum blastmerge_status take_remote_part(struct joining *joining, size_t i) {
    (void)joining;
    (void)i;
    return BLASTMERGE_USAGE; /* it could not be added */
}

static void close_remote(struct joining *joining) {
    (void)joining;
}

#endif

static enum blastmerge_status take_part(struct joining *joining, size_t source) {
    struct ends ends = {0};
    uint64_t number = 0;
    if (bm_fetch_source_is_remote(bm_job_slice_source(joining->job, source)))
        return take_remote_part(joining, source);
    int file = open_part(joining, source, &ends.state);
    if (file < 0) return joining->view.error->status;
    const char *reason = read_ends(&ends, file, &number);
    int failure = errno;
    close(file);
    if (reason != NULL && failure != 0) return fail_reading(joining, source, failure);
    if (reason != NULL) return refuse(joining, source, BLASTMERGE_DATA, number, reason);
    return add_part(joining, source, &ends);
}

/* Reads the ends of all parts. Which part a missing file was to hold is known once the others were read. */
static enum blastmerge_status take_parts(struct joining *joining) {
    enum blastmerge_status status = BLASTMERGE_OK;
    uint64_t n = joining->file->plan.n_children;
    joining->parts = bm_allocate(joining->view.memory, (size_t)n * sizeof *joining->parts);
    if (joining->parts == NULL) return bm_fail(joining->view.error, BLASTMERGE_NO_MEMORY, "out of memory");
    for (uint64_t i = 0; i < n; i++) joining->parts[i].source = SIZE_MAX;
    size_t n_sources = bm_job_slice_n_sources(joining->job);
    for (size_t i = 0; i < n_sources && status == BLASTMERGE_OK; i++) {
        size_t end = n_sources - i < BM_PARTS_AHEAD ? n_sources : i + BM_PARTS_AHEAD;
        if (bm_cancel_is_set(joining->view.cancel))
            return bm_fail(joining->view.error, BLASTMERGE_CANCELLED, "cancelled");
        if (i % BM_PARTS_AHEAD == 0) status = begin_remote_parts(joining, i, end);
        if (status == BLASTMERGE_OK) status = take_part(joining, i);
        if (status == BLASTMERGE_NOT_FOUND) { /* the message about missing parts says more */
            bm_job_slice_forgive(joining->job);
            status = BLASTMERGE_OK;
        }
    }
    return status == BLASTMERGE_OK ? check_all_are_there(joining) : status;
}

/* --- the result ---------------------------------------------------------------------------------- */

/* What the result comes to: its length, and the CRC-32 and length of its text. */
static void sum_up(struct joining *joining, struct bm_output *sums) {
    const struct bm_parts_plan *plan = &joining->file->plan;
    if (plan->has_epilogue) {
        joining->n_epilogue = plan->n_epilogue;
        memcpy(joining->epilogue, plan->epilogue, plan->n_epilogue);
    }
    joining->n_result = GZIP_HEADER + LAST_BLOCK + joining->n_epilogue;
    for (uint64_t i = 0; i < plan->n_children; i++) {
        joining->n_result += joining->parts[i].n_fragment;
        bm_stitch_add(sums, joining->parts[i].crc32, joining->parts[i].n_text);
    }
    bm_stitch_add(sums, bm_crc32(0, joining->epilogue, joining->n_epilogue), joining->n_epilogue);
}

/* The trailer of a result: its text's CRC-32 and length. */
static bool is_trailer(const uint8_t trailer[8], const struct bm_output *sums) {
    return bm_load32(trailer) == sums->crc32 && bm_load32(trailer + 4) == (uint32_t)sums->n_text;
}

#ifdef BLASTMERGE_CLOUD

static bool is_there_remotely(struct joining *joining, const struct bm_output *sums) {
    enum { TRAILER = 8 };
    struct bm_fetch_source source = bm_fetch_source_remote(joining->view.shown_output, joining->view.output);
    struct bm_parts_remote_end end;
    struct blastmerge_error ignored;
    if (joining->remote == NULL) joining->remote = bm_parts_remote_open(joining->view.memory);
    if (joining->remote == NULL) return false;
    source.cloud = bm_job_slice_cloud(joining->job);
    bm_parts_remote_begin(joining->remote, 0, &source, TRAILER);
    bool is_result = bm_parts_remote_finish(joining->remote, 0, &source, &end, &ignored) == BLASTMERGE_OK &&
                     source.n_bytes == joining->n_result && is_trailer(end.bytes, sums);
    bm_fetch_source_close(&source);
    return is_result;
}

#else

static bool is_there_remotely(struct joining *joining, const struct bm_output *sums) {
    (void)joining;
    (void)sums;
    return false;
}

#endif

/* Whether the result is there already: by its length, and by its text's CRC-32 and length. */
static bool is_there(struct joining *joining, const struct bm_output *sums) {
    struct stat information;
    uint8_t trailer[8];
    const char *output = joining->view.output;
    if (output != NULL && bm_cloud_location_is_remote(output)) return is_there_remotely(joining, sums);
    if (output == NULL || strcmp(output, "-") == 0 || stat(output, &information) != 0) return false;
    if (!S_ISREG(information.st_mode) || (uint64_t)information.st_size != joining->n_result) return false;
    int file = bm_open(output, O_RDONLY | O_NOCTTY, 0);
    if (file < 0) return false;
    bool is_read = read_at(file, trailer, sizeof trailer, joining->n_result - sizeof trailer);
    close(file);
    return is_read && is_trailer(trailer, sums);
}

/* Copies by reading and writing. */
static enum blastmerge_status copy_bytes(struct joining *joining, size_t source, int file, uint64_t offset,
                                         uint64_t n_bytes) {
    struct bm_output *output = bm_job_slice_output(joining->job);
    enum blastmerge_status status = BLASTMERGE_OK;
    for (uint64_t at = 0; at < n_bytes && status == BLASTMERGE_OK;) {
        size_t n = n_bytes - at < output->size ? (size_t)(n_bytes - at) : output->size;
        if (bm_cancel_is_set(joining->view.cancel))
            return bm_fail(joining->view.error, BLASTMERGE_CANCELLED, "cancelled");
        if (!read_at(file, output->data, n, offset + at)) {
            if (errno != 0) return fail_reading(joining, source, errno);
            (void)fail_changed(joining);
            return bm_job_slice_fail(joining->job, source);
        }
        output->n_data = n;
        status = bm_job_slice_flush(joining->job);
        at += n;
    }
    return status;
}

/* The head of a remote part, when it arrives. */
static enum blastmerge_status check_head(struct joining *joining, const struct part *part,
                                         const uint8_t *bytes, size_t n) {
    struct bm_parts_head head;
    uint64_t number = (uint64_t)(part - joining->parts) + 1;
    const char *reason = bm_parts_head_read(&head, bytes, n);
    if (reason == NULL && (head.digest != joining->file->plan.digest || head.number != number))
        reason = "is damaged";
    return reason == NULL ? BLASTMERGE_OK : refuse(joining, part->source, BLASTMERGE_DATA, number, reason);
}

/* Reads and writes n_bytes of a remote part's fragment, from `at` on. It comes from its server from its first byte on; what
 * lies between head and `at` is dropped. */
static enum blastmerge_status fetch_bytes(struct joining *joining, const struct part *part, uint64_t at,
                                          uint64_t n_bytes) {
    struct bm_output *output = bm_job_slice_output(joining->job);
    struct bm_fetch_source *source = bm_job_slice_source(joining->job, part->source);
    struct blastmerge_error *error = joining->view.error;
    struct bm_fetch fetch = {0};
    size_t n = 0;
    enum blastmerge_status status = bm_fetch_open(&fetch, source, joining->view.cancel, error);
    if (status == BLASTMERGE_OK) status = bm_fetch_fill(&fetch, output->data, BM_PARTS_HEAD, &n, error);
    status = status == BLASTMERGE_OK ? check_head(joining, part, output->data, n)
                                     : bm_job_slice_fail(joining->job, part->source);
    for (uint64_t done = 0; status == BLASTMERGE_OK && done < at + n_bytes; done += n) {
        uint64_t n_left = done < at ? at - done : at + n_bytes - done;
        size_t n_wanted = n_left < output->size ? (size_t)n_left : output->size;
        status = bm_fetch_fill(&fetch, output->data, n_wanted, &n, error);
        if (status == BLASTMERGE_OK && n < n_wanted) status = fail_changed(joining);
        if (status != BLASTMERGE_OK) {
            (void)bm_job_slice_fail(joining->job, part->source);
            break;
        }
        if (done < at) continue;
        output->n_data = n;
        status = bm_job_slice_flush(joining->job);
    }
    bm_fetch_close(&fetch);
    return status;
}

/* The result's store copies what it can; the rest is read and written here. */
static enum blastmerge_status copy_remote_part(struct joining *joining, struct part *part) {
    const struct bm_fetch_source *source = bm_job_slice_source(joining->job, part->source);
    struct bm_store *store = bm_job_slice_store(joining->job);
    struct bm_store_span span = {.location = source->location,
                                 .name = source->shown,
                                 .etag = part->etag,
                                 .offset = BM_PARTS_HEAD,
                                 .n_bytes = part->n_fragment};
    uint64_t n_lead = bm_store_lead(store, &span);
    enum blastmerge_status status = n_lead == 0 ? BLASTMERGE_OK : fetch_bytes(joining, part, 0, n_lead);
    if (status != BLASTMERGE_OK || n_lead == part->n_fragment) return status;
    span.offset += n_lead;
    span.n_bytes -= n_lead;
    status = bm_store_copy(store, &span, &part->is_copied, joining->view.error);
    if (status != BLASTMERGE_OK) return status;
    if (!part->is_copied) return fetch_bytes(joining, part, n_lead, span.n_bytes);
    bm_job_slice_count_output(joining->job, span.n_bytes);
    return BLASTMERGE_OK;
}

/* Whether what the store copied is of the version whose end was read. It was told to copy no other, but not every server with
 * S3's protocol respects that. */
static enum blastmerge_status check_copies(struct joining *joining) {
    for (uint64_t i = 0; i < joining->file->plan.n_children; i++) {
        const struct part *part = &joining->parts[i];
        if (!part->is_copied) continue;
        struct bm_fetch_source *source = bm_job_slice_source(joining->job, part->source);
        uint64_t version = source->version;
        bm_job_slice_look_ahead(joining->job, part->source);
        enum blastmerge_status status = bm_fetch_source_look(source, joining->view.error);
        if (status == BLASTMERGE_OK && source->version != version) status = fail_changed(joining);
        if (status != BLASTMERGE_OK) return bm_job_slice_fail(joining->job, part->source);
    }
    return BLASTMERGE_OK;
}

static enum blastmerge_status copy_part(struct joining *joining, struct part *part) {
    struct state state;
    if (bm_fetch_source_is_remote(bm_job_slice_source(joining->job, part->source)))
        return copy_remote_part(joining, part);
    int file = open_part(joining, part->source, &state);
    if (file < 0) return joining->view.error->status;
    enum blastmerge_status status = BLASTMERGE_OK;
    if (!is_same_state(&state, &part->state)) {
        (void)fail_changed(joining);
        status = bm_job_slice_fail(joining->job, part->source);
    } else {
        uint64_t n = bm_store_share(bm_job_slice_store(joining->job), file, BM_PARTS_HEAD, part->n_fragment);
        bm_job_slice_count_output(joining->job, n);
        status = copy_bytes(joining, part->source, file, BM_PARTS_HEAD + n, part->n_fragment - n);
    }
    close(file);
    return status;
}

static enum blastmerge_status write_result(struct joining *joining) {
    struct bm_output *output = bm_job_slice_output(joining->job);
    struct bm_store *store = bm_job_slice_store(joining->job);
    enum blastmerge_status status = bm_job_slice_open_output(joining->job, false);
    if (status != BLASTMERGE_OK) return status;
    bm_store_expect_copies(store, joining->file->plan.n_children, joining->n_result);
    bm_stitch_begin(output, BLASTMERGE_FORM_GZIP);
    status = bm_job_slice_flush(joining->job);
    for (uint64_t i = 0; i < joining->file->plan.n_children && status == BLASTMERGE_OK; i++) {
        status = copy_part(joining, &joining->parts[i]);
        bm_stitch_add(output, joining->parts[i].crc32, joining->parts[i].n_text);
    }
    if (status != BLASTMERGE_OK) return status;
    bm_stitch_end(output, BLASTMERGE_FORM_GZIP, joining->epilogue, joining->n_epilogue);
    status = bm_store_finish_copies(store, joining->view.error);
    if (status == BLASTMERGE_OK) status = check_copies(joining);
    return status == BLASTMERGE_OK ? bm_job_slice_commit(joining->job) : status;
}

static enum blastmerge_status join(struct joining *joining) {
    struct bm_output sums = {0};
    enum blastmerge_status status = take_parts(joining);
    bool is_done = false;
    if (status == BLASTMERGE_OK) {
        sum_up(joining, &sums);
        is_done = !joining->view.options->force && is_there(joining, &sums);
    }
    close_remote(joining);
    if (status != BLASTMERGE_OK) return status;
    const struct bm_parts_plan *plan = &joining->file->plan;
    bm_job_slice_set_losses(joining->job, &plan->losses, plan->n_children, plan->total.n_iterations);
    return is_done ? bm_job_slice_settle(joining->job, &sums) : write_result(joining);
}

enum blastmerge_status blastmerge_join(struct blastmerge_job *job, const char *plan) {
    enum blastmerge_status status = bm_job_slice_check(job, false);
    if (status == BLASTMERGE_OK) status = bm_job_slice_check_places(job);
    if (status == BLASTMERGE_OK) status = bm_parts_check_options(job, false);
    if (status != BLASTMERGE_OK) return status;
    struct joining joining = {.job = job, .view = bm_job_slice_view(job)};
    char *text = NULL;
    joining.file = bm_allocate(joining.view.memory, sizeof *joining.file);
    if (joining.file == NULL) return bm_fail(joining.view.error, BLASTMERGE_NO_MEMORY, "out of memory");
    status = bm_parts_file_read_plan(job, plan, joining.file, &text, &joining.pool);
    if (status == BLASTMERGE_OK && !bm_parts_plan_is_whole(joining.file)) {
        status = bm_fail(joining.view.error, BLASTMERGE_DATA, "is a damaged plan: make it again");
        bm_job_slice_complete(job, plan);
    }
    bool has_begun = status == BLASTMERGE_OK;
    if (has_begun) status = bm_job_slice_begin(job, "a part");
    if (status == BLASTMERGE_OK) status = join(&joining);
    if (has_begun) status = bm_job_slice_end(job, status); /* until then, the store uses the parts' ETags */
    bm_release(joining.view.memory, text);
    bm_release(joining.view.memory, joining.file);
    bm_release(joining.view.memory, joining.parts);
    bm_pool_close(&joining.pool, joining.view.memory);
    return status;
}
