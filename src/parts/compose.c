/* SPDX-License-Identifier: MIT */
/*
 * Planning: tallies are read, put in order, compared and added up. A line is parsed twice, since what is compared of a
 * child is too large to be kept for each: once when it is read, and once in the result's order.
 */
#include "parts/parts.h"
#include "plan/order.h"

#include <stdlib.h>
#include <string.h>

static const char plan_begin[] = "{\"blastmerge_plan\":";

/* A line that was read. */
struct line {
    const char *text;
    size_t n;
    size_t number; /* in the order in which lines were given */
    struct bm_parts_child child;
};

struct composing {
    struct blastmerge_job *job;
    struct bm_job_slice_view view;
    struct bm_pool pool;
    char **texts; /* of each source */
    size_t n_texts;
    struct line *lines;
    size_t n_lines;
    size_t n_allocated;
    json_t *options;              /* of the first line */
    struct bm_parts_tally *tally; /* the current line */
    struct bm_parts_plan *plan;
    struct bm_parts_place *places;
    const char **locations;
};

static enum blastmerge_status fail_memory(const struct composing *composing) {
    return bm_fail(composing->view.error, BLASTMERGE_NO_MEMORY, "out of memory");
}

/* --- reading ------------------------------------------------------------------------------------- */

static bool add_line(struct composing *composing, const struct line *line) {
    if (composing->n_lines == composing->n_allocated) {
        size_t wanted = composing->n_allocated + composing->n_allocated / 2 + 64;
        struct line *lines = bm_reallocate(composing->view.memory, composing->lines, wanted * sizeof *lines);
        if (lines == NULL) return false;
        composing->lines = lines;
        composing->n_allocated = wanted;
    }
    composing->lines[composing->n_lines++] = *line;
    return true;
}

static enum blastmerge_status read_line(struct composing *composing, const char *text, size_t n) {
    struct blastmerge_error *error = composing->view.error;
    bm_parts_line_close(composing->tally, composing->view.memory);
    return bm_parts_line_read(composing->tally, text, n, &composing->pool, composing->view.memory, error);
}

/* The name of the first option that differs. */
static const char *find_difference(const json_t *one, const json_t *other) {
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)one, name, value) {
        if (!json_equal(value, json_object_get(other, name))) return name;
    }
    return "options";
}

static enum blastmerge_status take_line(struct composing *composing, const char *text, size_t n) {
    enum blastmerge_status status = read_line(composing, text, n);
    if (status != BLASTMERGE_OK) return status;
    const struct bm_parts_tally *tally = composing->tally;
    if (composing->options == NULL) composing->options = json_incref(composing->tally->options);
    if (!json_equal(composing->options, tally->options))
        return bm_fail(
            composing->view.error, BLASTMERGE_MISMATCH,
            "was counted with another option '%s' than the first child: count all children with the "
            "same options",
            find_difference(composing->options, tally->options));
    if (composing->n_lines == BM_PARTS_MAX_CHILDREN)
        return bm_fail(composing->view.error, BLASTMERGE_USAGE, "more than %d children",
                       BM_PARTS_MAX_CHILDREN);
    const struct line line = {text, n, composing->n_lines, tally->child};
    return add_line(composing, &line) ? BLASTMERGE_OK : fail_memory(composing);
}

static enum blastmerge_status read_source(struct composing *composing, size_t source) {
    size_t n_text = 0;
    struct bm_fetch_source *file = bm_job_slice_source(composing->job, source);
    enum blastmerge_status status = bm_parts_file_read_source(&composing->view, file, BM_PARTS_MAX_FILE,
                                                              false, &composing->texts[source], &n_text);
    const char *text = composing->texts[source];
    size_t n_before = composing->n_lines;
    for (size_t at = 0; status == BLASTMERGE_OK && at < n_text;) {
        const char *end = memchr(text + at, '\n', n_text - at);
        size_t n = end == NULL ? n_text - at : (size_t)(end - text) - at;
        if (end == NULL)
            status = bm_fail(composing->view.error, BLASTMERGE_DATA,
                             "is cut short, or not a tally: count the child again");
        else if (n > 0)
            status = take_line(composing, text + at, n);
        at += n + 1;
    }
    if (status == BLASTMERGE_OK && composing->n_lines == n_before)
        status = bm_fail(composing->view.error, BLASTMERGE_DATA, "holds no tally: count the child again");
    return status == BLASTMERGE_OK ? status : bm_job_slice_fail(composing->job, source);
}

static enum blastmerge_status read_sources(struct composing *composing) {
    enum blastmerge_status status = BLASTMERGE_OK;
    size_t n = bm_job_slice_n_sources(composing->job);
    composing->texts = bm_allocate(composing->view.memory, (n + 1) * sizeof *composing->texts);
    if (composing->texts == NULL) return fail_memory(composing);
    composing->n_texts = n;
    if (n == 0) return bm_fail(composing->view.error, BLASTMERGE_USAGE, "no tallies were given");
    for (size_t i = 0; i < n && status == BLASTMERGE_OK; i++) status = read_source(composing, i);
    return status;
}

/* --- options and order --------------------------------------------------------------------------- */

/* The children's options are the plan's. */
static enum blastmerge_status adopt_options(struct composing *composing) {
    struct blastmerge_options defaults;
    struct blastmerge_options options = *composing->view.options;
    blastmerge_options_init(&defaults, sizeof defaults);
    json_t *given = bm_parts_options_write(&options);
    json_t *default_words = bm_parts_options_write(&defaults);
    const char *name = bm_parts_options_differ(composing->options, given, default_words);
    enum blastmerge_status status = BLASTMERGE_OK;
    if (given == NULL || default_words == NULL)
        status = fail_memory(composing);
    else if (name != NULL)
        status = bm_fail(composing->view.error, BLASTMERGE_MISMATCH,
                         "the children were counted with another option '%s' than the plan is to have: count "
                         "them with it",
                         name);
    json_decref(given);
    json_decref(default_words);
    if (status != BLASTMERGE_OK) return status;
    if (!composing->view.is_database_given) options.database = NULL;
    bm_require(bm_parts_options_read(composing->options, &options));
    if (options.as_unsplit && options.database == NULL) options.keep_database = 1;
    return bm_job_slice_adopt(composing->job, &options);
}

static int compare_lines(const void *a, const void *b) {
    const struct line *one = a;
    const struct line *other = b;
    int order = bm_plan_order_compare(one->child.location, other->child.location);
    if (order != 0) return order;
    return one->number < other->number ? -1 : one->number > other->number; /* qsort() keeps no order */
}

/* --- comparing ----------------------------------------------------------------------------------- */

static bool is_same_kin(const struct bm_mark_kin *one, const struct bm_mark_kin *other) {
    return one->format == other->format && one->rows_are_plain == other->rows_are_plain &&
           one->has_table == other->has_table && one->form == other->form &&
           one->n_columns == other->n_columns && one->n_names == other->n_names &&
           memcmp(one->names, other->names, one->n_names) == 0;
}

/* What the children before this one have settled. */
static void add_kin(struct composing *composing, size_t i) {
    struct bm_parts_plan *plan = composing->plan;
    const struct bm_mark_kin *kin = bm_job_slice_kin(composing->job);
    if (plan->n_kins > 0 && is_same_kin(&plan->kins[plan->n_kins - 1].kin, kin)) return;
    bm_require(plan->n_kins < BM_PARTS_MAX_KINS); /* each value is settled once */
    plan->kins[plan->n_kins++] = (struct bm_parts_kin){i, *kin};
}

/* Counts that a tally may have wrong. */
static void add_count(uint64_t *total, uint64_t n) {
    *total = n > INT64_MAX - *total ? INT64_MAX : *total + n;
}

static void add_losses(struct bm_job_losses *total, const struct bm_job_losses *losses) {
    total->n_children += losses->n_children > 0;
    add_count(&total->n_stretches, losses->n_stretches);
    add_count(&total->n_superseded, losses->n_superseded);
    add_count(&total->n_unchecked, losses->n_unchecked);
}

static enum blastmerge_status compare_child(struct composing *composing, size_t i) {
    const struct line *line = &composing->lines[i];
    enum blastmerge_status status = read_line(composing, line->text, line->n);
    if (status != BLASTMERGE_OK) return status;
    struct bm_parts_tally *tally = composing->tally;
    add_kin(composing, i);
    composing->places[i] = (struct bm_parts_place){line->child, composing->plan->total};
    add_losses(&composing->plan->losses, &tally->losses);
    status = bm_job_slice_compare(composing->job, i, &tally->counted);
    if (status != BLASTMERGE_OK) return status;
    if (bm_tally_add(&composing->plan->total, &tally->child.tally)) return BLASTMERGE_OK;
    return bm_fail(composing->view.error, BLASTMERGE_MISMATCH,
                   "the numbers of child %zu and those of the children before are too large to be added",
                   i + 1);
}

static enum blastmerge_status compare_children(struct composing *composing) {
    struct bm_parts_plan *plan = composing->plan;
    const char *epilogue = NULL;
    size_t n = composing->n_lines;
    for (size_t i = 0; i < n; i++) composing->locations[i] = composing->lines[i].child.location;
    enum blastmerge_status status = bm_job_slice_compare_begin(composing->job, composing->locations, n);
    for (size_t i = 0; i < n && status == BLASTMERGE_OK; i++) status = compare_child(composing, i);
    if (status == BLASTMERGE_OK)
        status = bm_job_slice_compare_end(composing->job, &plan->total, &epilogue, &plan->n_epilogue);
    plan->has_epilogue = epilogue != NULL;
    if (epilogue != NULL) memcpy(plan->epilogue, epilogue, plan->n_epilogue);
    bm_job_slice_compare_close(composing->job);
    return status;
}

/* --- all of it ------------------------------------------------------------------------------------ */

static enum blastmerge_status write_plan(struct composing *composing) {
    char *text = NULL;
    size_t n_text = 0;
    composing->plan->options = *composing->view.options;
    if (!composing->view.is_database_given) composing->plan->options.database = NULL;
    composing->plan->n_children = composing->n_lines;
    enum blastmerge_status status = bm_parts_plan_write(
        composing->plan, composing->places, composing->view.memory, &text, &n_text, composing->view.error);
    bm_job_slice_set_losses(composing->job, &composing->plan->losses, composing->n_lines,
                            composing->plan->total.n_iterations);
    if (status == BLASTMERGE_OK) status = bm_job_slice_open_output(composing->job, true);
    if (status == BLASTMERGE_OK) status = bm_job_slice_write(composing->job, text, n_text);
    bm_release(composing->view.memory, text);
    return status == BLASTMERGE_OK ? bm_job_slice_commit(composing->job) : status;
}

static enum blastmerge_status compose(struct composing *composing) {
    struct bm_memory *memory = composing->view.memory;
    composing->tally = bm_allocate(memory, sizeof *composing->tally);
    composing->plan = bm_allocate(memory, sizeof *composing->plan);
    if (composing->tally == NULL || composing->plan == NULL) return fail_memory(composing);
    enum blastmerge_status status = read_sources(composing);
    if (status == BLASTMERGE_OK) status = adopt_options(composing);
    composing->view = bm_job_slice_view(composing->job);
    if (status != BLASTMERGE_OK) return status;
    if (composing->view.options->sort == BLASTMERGE_SORT_NATURAL)
        qsort(composing->lines, composing->n_lines, sizeof *composing->lines, compare_lines);
    composing->places = bm_allocate(memory, composing->n_lines * sizeof *composing->places);
    composing->locations = bm_allocate(memory, composing->n_lines * sizeof *composing->locations);
    if (composing->places == NULL || composing->locations == NULL) return fail_memory(composing);
    status = compare_children(composing);
    return status == BLASTMERGE_OK ? write_plan(composing) : status;
}

static void close(struct composing *composing) {
    struct bm_memory *memory = composing->view.memory;
    if (composing->tally != NULL) bm_parts_line_close(composing->tally, memory);
    for (size_t i = 0; i < composing->n_texts; i++) bm_release(memory, composing->texts[i]);
    json_decref(composing->options);
    bm_release(memory, composing->texts);
    bm_release(memory, composing->lines);
    bm_release(memory, composing->tally);
    bm_release(memory, composing->plan);
    bm_release(memory, composing->places);
    bm_release(memory, composing->locations);
    bm_pool_close(&composing->pool, memory);
}

enum blastmerge_status blastmerge_plan(struct blastmerge_job *job) {
    enum blastmerge_status status = bm_job_slice_check(job, false);
    if (status == BLASTMERGE_OK) status = bm_job_slice_check_places(job);
    if (status == BLASTMERGE_OK) status = bm_parts_check_options(job, true);
    if (status != BLASTMERGE_OK) return status;
    struct composing composing = {.job = job, .view = bm_job_slice_view(job)};
    bm_parts_file_replace(job, plan_begin, sizeof plan_begin - 1);
    status = bm_job_slice_begin(job, "a tally");
    if (status == BLASTMERGE_OK) status = compose(&composing);
    close(&composing);
    return bm_job_slice_end(job, status);
}
