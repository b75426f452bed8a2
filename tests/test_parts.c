/* SPDX-License-Identifier: MIT */
/* A merge in parts by the library's functions: calls that are refused, outputs that are writers, memory that runs out, cancelling. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "blastmerge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { N_CHILDREN = 3, NAME = 128 };

static char folder[64];
static char children[N_CHILDREN][NAME];

static void name_file(char name[NAME], const char *what, int number) {
    snprintf(name, NAME, "%.60s/%.20s_%d", folder, what, number);
}

static int make_children(void **state) {
    (void)state;
    strcpy(folder, "/tmp/test_parts.XXXXXX");
    if (mkdtemp(folder) == NULL) return -1;
    for (int i = 0; i < N_CHILDREN; i++) {
        name_file(children[i], "child", i + 1);
        FILE *file = fopen(children[i], "w");
        if (file == NULL) return -1;
        fprintf(file,
                "<?xml version=\"1.0\"?>\n<BlastOutput>\n<BlastOutput_program>blastp</BlastOutput_program>\n"
                "<BlastOutput_db>nr</BlastOutput_db>\n<BlastOutput_iterations>\n<Iteration>\n"
                "<Iteration_iter-num>1</Iteration_iter-num>\n<Iteration_query-def>query "
                "%d</Iteration_query-def>\n"
                "</Iteration>\n</BlastOutput_iterations>\n</BlastOutput>\n\n",
                i + 1);
        if (fclose(file) != 0) return -1;
    }
    return 0;
}

static int remove_children(void **state) {
    char command[NAME];
    (void)state;
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

/* --- the steps ----------------------------------------------------------------------------------- */

/* Memory of which the countdown-th piece is refused; 0: none. */
static struct {
    size_t countdown;
    size_t n_held;
} memory;

static void *allocate(void *context, size_t n) {
    (void)context;
    if (memory.countdown > 0 && --memory.countdown == 0) return NULL;
    void *piece = malloc(n);
    memory.n_held += piece != NULL;
    return piece;
}

static void release(void *context, void *piece) {
    (void)context;
    memory.n_held -= piece != NULL;
    free(piece);
}

static struct blastmerge_job *open_job(void) {
    struct blastmerge_options options;
    struct blastmerge_job *job = NULL;
    blastmerge_options_init(&options, sizeof options);
    options.n_threads = 1;
    options.force = 1;
    options.allocator = (struct blastmerge_allocator){NULL, allocate, release};
    if (blastmerge_create(&job, &options) == BLASTMERGE_OK) return job;
    blastmerge_destroy(job);
    return NULL;
}

enum step { COUNT, PLAN, PART, JOIN, N_STEPS };

static enum blastmerge_status add_inputs(struct blastmerge_job *job, enum step step, int number) {
    char name[NAME];
    enum blastmerge_status status = BLASTMERGE_OK;
    if (step == COUNT) return blastmerge_add_location(job, children[number - 1]);
    for (int i = 1; i <= N_CHILDREN && step != PART && status == BLASTMERGE_OK; i++) {
        name_file(name, step == PLAN ? "tally" : "part", i);
        status = blastmerge_add_location(job, name);
    }
    return status;
}

static enum blastmerge_status run_step(struct blastmerge_job *job, enum step step, int number) {
    char plan[NAME];
    name_file(plan, "plan", 0);
    switch (step) {
    case COUNT:
        return blastmerge_count(job);
    case PLAN:
        return blastmerge_plan(job);
    case PART:
        return blastmerge_part(job, plan, (uint64_t)number);
    default:
        return blastmerge_join(job, plan);
    }
}

static enum blastmerge_status do_step(enum step step, int number) {
    static const char *const outputs[] = {"tally", "plan", "part", "joined"};
    char output[NAME];
    struct blastmerge_job *job = open_job();
    if (job == NULL) return BLASTMERGE_NO_MEMORY;
    name_file(output, outputs[step], number);
    enum blastmerge_status status = blastmerge_set_output_location(job, output);
    if (status == BLASTMERGE_OK) status = add_inputs(job, step, number);
    if (status == BLASTMERGE_OK) status = run_step(job, step, number);
    assert_int_equal(status, blastmerge_error(job)->status);
    blastmerge_destroy(job);
    return status;
}

static int last_of(enum step step) {
    return step == COUNT || step == PART ? N_CHILDREN : 0;
}

static void do_steps(enum step last) {
    for (enum step step = COUNT; step <= last; step++)
        for (int number = last_of(step) > 0; number <= last_of(step); number++)
            assert_int_equal(do_step(step, number), BLASTMERGE_OK);
}

static char *read_all(const char *what, int number, size_t *n) {
    static char bytes[1 << 16];
    char name[NAME];
    name_file(name, what, number);
    FILE *file = fopen(name, "r");
    assert_non_null(file);
    *n = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    return bytes;
}

/* What one merge writes. */
static void check_joined(void) {
    struct blastmerge_job *job = open_job();
    void *merged = NULL;
    size_t n_merged = 0, n = 0;
    for (int i = 0; i < N_CHILDREN; i++)
        assert_int_equal(blastmerge_add_location(job, children[i]), BLASTMERGE_OK);
    assert_int_equal(blastmerge_to_buffer(job, &merged, &n_merged), BLASTMERGE_OK);
    const char *joined = read_all("joined", 0, &n);
    assert_int_equal(n, n_merged);
    assert_memory_equal(joined, merged, n);
    blastmerge_free(job, merged);
    blastmerge_destroy(job);
}

static void test_steps(void **state) {
    (void)state;
    do_steps(JOIN);
    check_joined();
    assert_int_equal(memory.n_held, 0);
}

/* --- memory -------------------------------------------------------------------------------------- */

static void test_memory_runs_out(void **state) {
    (void)state;
    do_steps(JOIN);
    for (enum step step = COUNT; step < N_STEPS; step++) {
        enum blastmerge_status status = BLASTMERGE_NO_MEMORY;
        size_t at = 0;
        while (status != BLASTMERGE_OK) {
            memory.countdown = ++at;
            status = do_step(step, last_of(step) > 0);
            assert_true(status == BLASTMERGE_OK || status == BLASTMERGE_NO_MEMORY);
            assert_int_equal(memory.n_held, 0);
        }
        memory.countdown = 0;
        assert_true(at > 5);
    }
    check_joined();
}

/* --- what is refused ----------------------------------------------------------------------------- */

static void refuse(struct blastmerge_job *job, enum step step, const char *words) {
    assert_int_equal(run_step(job, step, 1), BLASTMERGE_USAGE);
    assert_non_null(strstr(blastmerge_error(job)->message, words));
    blastmerge_destroy(job);
}

static struct blastmerge_job *open_with_output(void) {
    struct blastmerge_job *job = open_job();
    assert_int_equal(blastmerge_set_output_location(job, "/dev/null"), BLASTMERGE_OK);
    return job;
}

static void test_refused(void **state) {
    (void)state;
    do_steps(PLAN);
    for (enum step step = COUNT; step < N_STEPS; step++) {
        refuse(open_job(), step, "no output");
        struct blastmerge_job *job = open_with_output();
        assert_int_equal(blastmerge_set_shards(job, NULL), BLASTMERGE_OK);
        refuse(job, step, "shards");
    }
    for (enum step step = PLAN; step < N_STEPS; step++) {
        if (step == PART) continue;
        struct blastmerge_job *job = open_with_output();
        assert_int_equal(blastmerge_set_report_location(job, "/dev/null"), BLASTMERGE_OK);
        refuse(job, step, "no report");
    }
    refuse(open_with_output(), COUNT, "one child");
    refuse(open_with_output(), PLAN, "no tallies");
    struct blastmerge_job *job = open_with_output();
    assert_int_equal(blastmerge_add_location(job, children[0]), BLASTMERGE_OK);
    assert_int_equal(blastmerge_add_location(job, children[1]), BLASTMERGE_OK);
    refuse(job, COUNT, "one child");
    job = open_with_output();
    assert_int_equal(blastmerge_add_memory(job, "memory", "x", 1), BLASTMERGE_OK);
    refuse(job, COUNT, "not a pipe");
    job = open_with_output();
    assert_int_equal(blastmerge_part(job, NULL, 1), BLASTMERGE_USAGE);
    blastmerge_destroy(job);
    job = open_with_output();
    assert_int_equal(blastmerge_add_location(job, children[0]), BLASTMERGE_OK);
    assert_int_equal(blastmerge_count(job), BLASTMERGE_OK);
    refuse(job, COUNT, "already begun");
}

/* --- cancelling ---------------------------------------------------------------------------------- */

static void test_cancelled(void **state) {
    (void)state;
    do_steps(PART);
    for (enum step step = COUNT; step < N_STEPS; step++) {
        struct blastmerge_job *job = open_with_output();
        assert_int_equal(add_inputs(job, step, 1), BLASTMERGE_OK);
        blastmerge_cancel(job);
        assert_int_equal(run_step(job, step, 1), BLASTMERGE_CANCELLED);
        blastmerge_destroy(job);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_steps),
        cmocka_unit_test(test_memory_runs_out),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_cancelled),
    };
    return cmocka_run_group_tests(tests, make_children, remove_children);
}
