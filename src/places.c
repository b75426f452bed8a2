/* SPDX-License-Identifier: MIT */
#include "places.h"
#include "cloud/location.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_LINKS = 40 };

struct bm_protected {
    struct bm_protected *next;
    char *what;
    char *location;
};

enum kind {
    KIND_UNKNOWN, /* what it is cannot be told: the same as nothing */
    KIND_FILE,    /* there is something */
    KIND_ABSENT,  /* there is nothing yet */
    KIND_REMOTE
};

struct place {
    const char *role;     /* in messages */
    const char *name;     /* as it may be shown */
    const char *location; /* as given */
    bool is_written;
    bool is_standard_output; /* by its name */
    enum kind kind;
    struct stat what; /* KIND_ABSENT: the folder */
    char
        path[BM_STORE_PATH]; /* KIND_ABSENT: where links lead; its last component is the name in the folder */
};

/* --- what a place is ----------------------------------------------------------------------------- */

/* Nothing is there: what counts is where it would come to be. */
static void identify_absent(struct place *place) {
    struct stat information;
    char folder[BM_STORE_PATH];
    if (strlen(place->location) >= sizeof place->path) return;
    memcpy(place->path, place->location, strlen(place->location) + 1);
    for (int i = 0; i < MAX_LINKS && lstat(place->path, &information) == 0; i++) {
        if (!S_ISLNK(information.st_mode) || bm_folder_follow(place->path, sizeof place->path) != 0) return;
    }
    bm_folder_of(place->path, folder);
    if (stat(folder, &place->what) == 0) place->kind = KIND_ABSENT;
}

static void identify(struct place *place) {
    bool is_stream = strcmp(place->location, "-") == 0;
    place->kind = KIND_UNKNOWN;
    place->is_standard_output = place->is_written && bm_store_is_standard_output(place->location);
    if (bm_location_is_remote(place->location)) {
        place->kind = KIND_REMOTE;
        return;
    }
    int standard = place->is_written ? STDOUT_FILENO : STDIN_FILENO;
    if ((is_stream ? fstat(standard, &place->what) : stat(place->location, &place->what)) == 0)
        place->kind = KIND_FILE;
    else if (!is_stream && errno == ENOENT)
        identify_absent(place);
}

/* --- which are the same -------------------------------------------------------------------------- */

/* Devices that keep nothing may have any number of uses. */
static bool is_bottomless(dev_t device) {
    static const char *const names[] = {"/dev/null", "/dev/zero", "/dev/full"};
    struct stat information;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (stat(names[i], &information) == 0 && S_ISCHR(information.st_mode) &&
            information.st_rdev == device)
            return true;
    }
    return false;
}

static bool is_same_file(const struct place *written, const struct place *other) {
    mode_t mode = written->what.st_mode;
    bool is_device = S_ISCHR(mode) || S_ISBLK(mode);
    if ((mode & S_IFMT) != (other->what.st_mode & S_IFMT)) return false;
    if (is_device && written->what.st_rdev != other->what.st_rdev) return false;
    if (!is_device &&
        (written->what.st_dev != other->what.st_dev || written->what.st_ino != other->what.st_ino))
        return false;
    if (S_ISCHR(mode) && is_bottomless(written->what.st_rdev)) return false;
    /* What is written to a terminal or a socket does not come back from it. */
    return other->is_written || !(S_ISCHR(mode) || S_ISSOCK(mode));
}

static bool is_same(const struct blastmerge_job *job, const struct place *written,
                    const struct place *other) {
    if (written->is_standard_output && other->is_standard_output) return true;
    if (written->kind != other->kind) return false;
    switch (written->kind) {
    case KIND_FILE:
        return is_same_file(written, other);
    case KIND_ABSENT:
        return written->what.st_dev == other->what.st_dev && written->what.st_ino == other->what.st_ino &&
               strcmp(bm_folder_base(written->path), bm_folder_base(other->path)) == 0;
    case KIND_REMOTE:
        return bm_location_is_same(written->location, other->location, job->endpoint);
    case KIND_UNKNOWN:
        break;
    }
    return false;
}

/* --- the table ----------------------------------------------------------------------------------- */

/* Two places at a time are looked at; they are long. */
struct pair {
    struct place written;
    struct place other;
};

static enum blastmerge_status compare(struct blastmerge_job *job, struct pair *pair, const char *role,
                                      const char *location, const char *name, bool is_written) {
    struct place *other = &pair->other;
    const struct place *written = &pair->written;
    if (location == NULL) return BLASTMERGE_OK;
    other->role = role;
    other->location = location;
    other->name = name;
    other->is_written = is_written;
    identify(other);
    if (!is_same(job, written, other)) return BLASTMERGE_OK;
    return bm_fail(&job->error, BLASTMERGE_USAGE,
                   "%s (%.300s) is the same place as %s (%.300s): give one of them another name",
                   written->role, written->name, role, name);
}

static enum blastmerge_status compare_children(struct blastmerge_job *job, struct pair *pair, size_t first) {
    for (size_t i = first; i < job->n_children; i++) {
        const struct bm_source *source = &job->children[i].source;
        enum blastmerge_status status =
            compare(job, pair, "a child", bm_source_location(source), bm_source_display_name(source), false);
        if (status == BLASTMERGE_OK) continue;
        job->error.child = i;
        return status;
    }
    return BLASTMERGE_OK;
}

static const char *shown(const char *location, const char *name) {
    if (name != NULL || location == NULL) return name;
    return strcmp(location, "-") == 0 ? "standard output" : location;
}

/* Compares the place with all that are read, and with the result and the report if these are not the place
 * itself. */
static enum blastmerge_status compare_all(struct blastmerge_job *job, struct pair *pair, bool with_result,
                                          bool with_report) {
    enum blastmerge_status status = BLASTMERGE_OK;
    identify(&pair->written);
    if (with_result)
        status = compare(job, pair, "the result", job->is_check ? NULL : job->output_location,
                         shown(job->output_location, job->output_name), true);
    if (status == BLASTMERGE_OK && with_report)
        status = compare(job, pair, "the report", job->report_location,
                         shown(job->report_location, job->report_name), true);
    if (status == BLASTMERGE_OK)
        status = compare(job, pair, "the file of queries", job->expect_queries, job->expect_queries, false);
    for (const struct bm_protected *place = job->protected_places; status == BLASTMERGE_OK && place != NULL;
         place = place->next) {
        bool is_stream = strcmp(place->location, "-") == 0;
        status = compare(job, pair, place->what, place->location,
                         is_stream ? "standard input" : place->location, false);
    }
    return status == BLASTMERGE_OK ? compare_children(job, pair, 0) : status;
}

static enum blastmerge_status check(struct blastmerge_job *job, const char *role, const char *location,
                                    const char *name, bool with_result, bool with_report) {
    if (location == NULL) return BLASTMERGE_OK;
    struct pair *pair = bm_allocate(&job->memory, sizeof *pair);
    if (pair == NULL) return bm_fail(&job->error, BLASTMERGE_NO_MEMORY, "out of memory");
    pair->written.role = role;
    pair->written.name = name;
    pair->written.location = location;
    pair->written.is_written = true;
    enum blastmerge_status status = compare_all(job, pair, with_result, with_report);
    bm_release(&job->memory, pair);
    return status;
}

enum blastmerge_status bm_places_check(struct blastmerge_job *job) {
    enum blastmerge_status status = BLASTMERGE_OK;
    if (!job->is_check)
        status = check(job, "the result", job->output_location, shown(job->output_location, job->output_name),
                       false, true);
    if (status != BLASTMERGE_OK) return status;
    return check(job, "the report", job->report_location, shown(job->report_location, job->report_name),
                 false, false);
}

static enum blastmerge_status check_later(struct blastmerge_job *job, size_t first, const char *role,
                                          const char *location, const char *name) {
    if (location == NULL) return BLASTMERGE_OK;
    struct pair *pair = bm_allocate(&job->memory, sizeof *pair);
    if (pair == NULL) return bm_fail(&job->error, BLASTMERGE_NO_MEMORY, "out of memory");
    pair->written = (struct place){.role = role, .name = name, .location = location, .is_written = true};
    identify(&pair->written);
    enum blastmerge_status status = compare_children(job, pair, first);
    bm_release(&job->memory, pair);
    return status;
}

enum blastmerge_status bm_places_check_children(struct blastmerge_job *job, size_t first) {
    enum blastmerge_status status = BLASTMERGE_OK;
    if (!job->is_check)
        status = check_later(job, first, "the result", job->output_location,
                             shown(job->output_location, job->output_name));
    return status == BLASTMERGE_OK ? check_later(job, first, "the report", job->report_location,
                                                 shown(job->report_location, job->report_name))
                                   : status;
}

enum blastmerge_status bm_places_check_one(struct blastmerge_job *job, const char *role, const char *location,
                                           const char *name) {
    return check(job, role, location, name, true, true);
}

/* --- what the caller protects -------------------------------------------------------------------- */

static void forget(struct blastmerge_job *job, struct bm_protected *place) {
    bm_release(&job->memory, place->what);
    bm_release(&job->memory, place->location);
    bm_release(&job->memory, place);
}

enum blastmerge_status bm_places_protect(struct blastmerge_job *job, const char *what, const char *location) {
    struct bm_protected *place = bm_allocate(&job->memory, sizeof *place);
    if (place != NULL) {
        place->what = bm_copy_string(&job->memory, what);
        place->location = bm_copy_string(&job->memory, location);
        if (place->what != NULL && place->location != NULL) {
            place->next = job->protected_places;
            job->protected_places = place;
            return BLASTMERGE_OK;
        }
        forget(job, place);
    }
    return bm_fail(&job->error, BLASTMERGE_NO_MEMORY, "out of memory");
}

void bm_places_forget(struct blastmerge_job *job) {
    while (job->protected_places != NULL) {
        struct bm_protected *place = job->protected_places;
        job->protected_places = place->next;
        forget(job, place);
    }
}
