/* SPDX-License-Identifier: MIT */
#include "base/base.h" /* ISO C wants something in each file */
#ifdef BLASTMERGE_CLOUD
#include "cloud/cloud.h"

#define KIB ((uint64_t)1024)
#define MIB (1024 * KIB)

/* 16 MiB are what a local merge may take, 12 MiB what libcurl, TLS and their buffers do. */
#define FIXED        (28 * MIB)
#define DEFAULT      (64 * MIB)
#define MIN_WINDOW   (64 * KIB)
#define MAX_WINDOW   (4 * MIB)
#define MAX_FIRST    (1 * MIB)
#define MIN_LIST     (1 * MIB)
#define MIN_PART     (5 * MIB)    /* S3 takes none that is smaller, save for the last */
#define MAX_PART     (4000 * MIB) /* Azure takes none that is larger, S3 a few more */
#define RESULT_PARTS 3
#define MANY         16 /* requests that are in flight at least, if that leaves the windows their least size */

static uint64_t windows_of(const struct bm_cloud_use *use) {
    return use->n_lanes * BM_CLOUD_WINDOWS;
}

static uint64_t report_of(const struct bm_cloud_use *use) {
    return use->is_report_remote ? BM_CLOUD_REPORT_PARTS * MIN_PART : 0;
}

static uint64_t clamp(uint64_t value, uint64_t least, uint64_t most) {
    return value < least ? least : value > most ? most : value;
}

/* First windows are small, because a small child is one request already, and a large one waits for its turn anyway.
 * What the open children's windows do not need, for they have their most, makes more first windows. */
static void plan_windows(struct bm_cloud_plan *plan, uint64_t rest) {
    uint64_t n_windows = windows_of(&plan->use);
    uint64_t first = clamp(rest / 6 / MANY / MIN_WINDOW * MIN_WINDOW, MIN_WINDOW, MAX_FIRST);
    uint64_t firsts = (MANY + plan->use.n_lanes) * (first + BM_CLOUD_CONNECTION);
    plan->window = MIN_WINDOW;
    plan->first = (size_t)first;
    if (n_windows == 0) return;
    uint64_t window = rest > firsts ? (rest - firsts) / n_windows / MIN_WINDOW * MIN_WINDOW : 0;
    plan->window = (size_t)clamp(window, MIN_WINDOW, MAX_WINDOW);
    plan->n_first = (size_t)clamp((rest - n_windows * plan->window) / (first + BM_CLOUD_CONNECTION), 0,
                                  BM_CLOUD_MOST_FIRST);
}

enum blastmerge_status bm_cloud_make_plan(uint64_t memory_limit, struct bm_cloud_use use,
                                          struct bm_cloud_plan *plan, struct blastmerge_error *error) {
    uint64_t n_windows = windows_of(&use);
    uint64_t report = report_of(&use);
    uint64_t needed =
        FIXED + n_windows * MIN_WINDOW + report + (use.is_output_remote ? RESULT_PARTS * MIN_PART : 0);
    if (use.has_lists) needed += MIN_LIST;
    if (memory_limit == 0) memory_limit = DEFAULT;
    if (memory_limit < needed) {
        return bm_fail(
            error, BLASTMERGE_NO_MEMORY,
            "%llu MiB of memory are too little for these remote locations: at least %llu are needed "
            "(--memory)",
            (unsigned long long)(memory_limit / MIB), (unsigned long long)((needed + MIB - 1) / MIB));
    }
    uint64_t rest = memory_limit - FIXED - report;
    uint64_t list = use.has_lists ? clamp(rest / 4, MIN_LIST, memory_limit - needed + MIN_LIST) : 0;
    rest -= list; /* which leaves what is needed */
    uint64_t parts = !use.is_output_remote ? 0 : n_windows == 0 ? rest : rest / 3 * 2;
    uint64_t part = clamp(parts / RESULT_PARTS / KIB * KIB, MIN_PART, MAX_PART);
    if (use.is_output_remote) rest -= RESULT_PARTS * part;
    *plan = (struct bm_cloud_plan){.use = use,
                                   .part = (size_t)part,
                                   .report_part = (size_t)MIN_PART,
                                   .list = (size_t)list,
                                   .least_copy = (size_t)MIN_PART,
                                   .n_parts = RESULT_PARTS};
    plan_windows(plan, rest);
    return BLASTMERGE_OK;
}

uint64_t bm_cloud_limit_for(const struct bm_cloud_plan *plan, uint64_t part) {
    if (part > MAX_PART) return 0;
    uint64_t parts = RESULT_PARTS * (part + KIB);
    uint64_t rest = windows_of(&plan->use) == 0 ? parts : parts / 2 * 3;
    if (plan->use.has_lists) rest += rest / 3 + MIN_LIST;
    return (FIXED + report_of(&plan->use) + rest) / MIB + 1;
}

uint64_t bm_cloud_limit_for_list(const struct bm_cloud_plan *plan, uint64_t n_bytes) {
    uint64_t least =
        windows_of(&plan->use) * MIN_WINDOW + (plan->use.is_output_remote ? RESULT_PARTS * MIN_PART : 0);
    uint64_t rest = n_bytes < least / 3 ? n_bytes + least : n_bytes * 4; /* a quarter, or what is left */
    return (FIXED + report_of(&plan->use) + rest) / MIB + 1;
}

#endif
