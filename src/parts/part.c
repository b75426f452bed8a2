/* SPDX-License-Identifier: MIT */
/* A part: one child, or one batch of shards, is merged as if all others were, too, and its fragment is written between two
 * ends. */
#include "parts/parts.h"

#include <string.h>

struct splicing {
    struct blastmerge_job *job;
    uint64_t number;
    struct bm_parts_plan_file file;
    struct bm_parts_place place;
    struct bm_tally after;
};

/* The result's line end counts only while it is open: that is what the next child needs. */
static bool leads_on_alike(const struct bm_tally *one, const struct bm_tally *other) {
    return bm_tally_has_equal_sums(one, other) &&
           (one->line == BM_TALLY_LINE_OPEN) == (other->line == BM_TALLY_LINE_OPEN);
}

static void write_head(void *context, struct bm_output *output) {
    const struct splicing *splicing = context;
    const struct bm_parts_head head = {splicing->file.plan.digest, splicing->number, splicing->place.before};
    bm_parts_head_write(&head, output);
}

static void write_tail(void *context, const struct bm_job_fragment *fragment, struct bm_output *output) {
    const struct splicing *splicing = context;
    struct bm_parts_tail tail = {
        .digest = splicing->file.plan.digest,
        .number = splicing->number,
        .n_text = fragment->n_text,
        .n_fragment = fragment->n_bytes,
        .crc32 = fragment->crc32,
        .after = splicing->after,
        .has_epilogue = fragment->epilogue != NULL,
        .n_epilogue = (uint16_t)fragment->n_epilogue,
    };
    bm_require(fragment->n_epilogue <= BM_PARTS_MAX_EPILOGUE);
    if (fragment->epilogue != NULL) memcpy(tail.epilogue, fragment->epilogue, fragment->n_epilogue);
    bm_parts_tail_write(&tail, output);
}

static enum blastmerge_status check_child(void *context, const struct bm_job_counted *counted,
                                          struct blastmerge_error *error) {
    struct splicing *splicing = context;
    const struct bm_parts_child *child = &splicing->place.child;
    struct bm_tally expected = splicing->place.before;
    if (counted->n_bytes != child->n_bytes || counted->n_text != child->n_text ||
        counted->crc32 != child->crc32)
        return bm_fail(
            error, BLASTMERGE_CHANGED,
            "is not what was counted for part %llu, of %llu bytes and CRC-32 %08x: count it, and make the "
            "plan and all parts again%s",
            (unsigned long long)splicing->number, (unsigned long long)child->n_bytes, (unsigned)child->crc32,
            child->n_shards > 0 ? ", or give the options that its shards were counted with" : "");
    splicing->after = *counted->tally;
    if (bm_tally_add(&expected, &child->tally) && leads_on_alike(&expected, counted->tally))
        return BLASTMERGE_OK;
    return bm_fail(
        error, BLASTMERGE_MISMATCH,
        "holds something else when it comes after other children than on its own: count all children "
        "with their format stated");
}

/* The shards of a batch are given again, with their options, since the plan does not have them. */
static enum blastmerge_status check_batch(const struct splicing *splicing) {
    const struct bm_job_slice_view view = bm_job_slice_view(splicing->job);
    if (!view.has_shards)
        return bm_fail(view.error, BLASTMERGE_USAGE,
                       "part %llu is of a batch of %llu shards: make it of them, with the options that they "
                       "were counted with (blastmerge shards --plan)",
                       (unsigned long long)splicing->number,
                       (unsigned long long)splicing->place.child.n_shards);
    if (view.n_children == 1) return BLASTMERGE_OK;
    return bm_fail(view.error, BLASTMERGE_USAGE, "a part takes one batch of shards, and %zu were given",
                   view.n_children);
}

/* The child that is given, or the plan's. */
static enum blastmerge_status set_child(struct splicing *splicing) {
    const struct bm_job_slice_view view = bm_job_slice_view(splicing->job);
    const struct bm_parts_child *child = &splicing->place.child;
    if (child->n_shards > 0) return check_batch(splicing);
    if (view.has_shards)
        return bm_fail(view.error, BLASTMERGE_USAGE,
                       "part %llu is of a child of its own, and shards were given",
                       (unsigned long long)splicing->number);
    if (view.n_children == 1) return BLASTMERGE_OK;
    if (view.n_children > 1)
        return bm_fail(view.error, BLASTMERGE_USAGE, "a part takes one child, and %zu were given",
                       view.n_children);
    if (!child->is_partial) return blastmerge_add_location(splicing->job, child->location);
    return bm_fail(
        view.error, BLASTMERGE_USAGE,
        "the plan has no whole location of child %llu, since what may be secret was left out: give the "
        "child",
        (unsigned long long)splicing->number);
}

static enum blastmerge_status run(struct splicing *splicing) {
    const struct bm_parts_plan *plan = &splicing->file.plan;
    const struct bm_job_slice slice = {.context = splicing,
                                       .before = &splicing->place.before,
                                       .total = &plan->total,
                                       .kin = bm_parts_plan_kin(plan, splicing->number - 1),
                                       .begin = write_head,
                                       .end = write_tail,
                                       .child = check_child};
    uint8_t begin[BM_PARTS_HEAD];
    struct bm_output head = {.data = begin, .size = sizeof begin};
    enum blastmerge_status status = bm_job_slice_adopt(splicing->job, &plan->options);
    if (status == BLASTMERGE_OK) status = set_child(splicing);
    if (status != BLASTMERGE_OK) return status;
    write_head(splicing, &head);
    bm_parts_file_replace(splicing->job, (const char *)begin, BM_PARTS_KIND);
    return bm_job_slice_run(splicing->job, &slice);
}

enum blastmerge_status blastmerge_part(struct blastmerge_job *job, const char *plan, uint64_t number) {
    enum blastmerge_status status = bm_job_slice_check(job, true);
    if (status == BLASTMERGE_OK) status = bm_parts_check_options(job, false);
    if (status != BLASTMERGE_OK) return status;
    const struct bm_job_slice_view view = bm_job_slice_view(job);
    if (number == 0) return bm_fail(view.error, BLASTMERGE_USAGE, "parts are numbered from 1");
    struct splicing *splicing = bm_allocate(view.memory, sizeof *splicing);
    if (splicing == NULL) return bm_fail(view.error, BLASTMERGE_NO_MEMORY, "out of memory");
    struct bm_pool pool = {0};
    splicing->job = job;
    splicing->number = number;
    status = bm_parts_file_read_place(job, plan, number, &splicing->file, &splicing->place, &pool);
    if (status == BLASTMERGE_OK) status = run(splicing);
    bm_pool_close(&pool, view.memory);
    bm_release(view.memory, splicing);
    return status;
}
