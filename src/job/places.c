/* SPDX-License-Identifier: MIT */
#include "job/places.h"
#include "base/descriptor.h"
#include "cloud/location.h"
#include "job/job.h"
#include "job/remote.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_LINKS = 40 };

struct bm_job_kept {
    struct bm_job_kept *next;
    char *what;
    char *location;
    bool is_written;
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
        if (!S_ISLNK(information.st_mode) || bm_store_folder_follow(place->path, sizeof place->path) != 0)
            return;
    }
    bm_store_folder_of(place->path, folder);
    if (stat(folder, &place->what) == 0) place->kind = KIND_ABSENT;
}

static void identify(struct place *place) {
    bool is_stream = strcmp(place->location, "-") == 0;
    place->kind = KIND_UNKNOWN;
    place->is_standard_output = place->is_written && bm_store_is_standard_output(place->location);
    if (bm_cloud_location_is_remote(place->location)) {
        place->kind = KIND_REMOTE;
        return;
    }
    int standard = place->is_written ? STDOUT_FILENO : STDIN_FILENO;
    int named = bm_standard_of_name(place->location);
    /* What may be there instead of a closed stream is no place. */
    if (is_stream && !bm_standard_is_open(standard, place->is_written ? O_WRONLY : O_RDONLY)) return;
    if (named >= 0 && bm_standard_is_closed(named)) return;
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
               strcmp(bm_store_folder_base(written->path), bm_store_folder_base(other->path)) == 0;
    case KIND_REMOTE:
        return bm_cloud_location_is_same(written->location, other->location, job->options.endpoint);
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
    char names[2][400];
    blastmerge_show_location(written->name, names[0], sizeof names[0]);
    blastmerge_show_location(name, names[1], sizeof names[1]);
    return bm_fail(&job->error, BLASTMERGE_USAGE,
                   "%s (%s) is the same place as %s (%s): give one of them another name", written->role,
                   names[0], role, names[1]);
}

static const char *location_of(const struct bm_fetch_source *source) {
    return bm_fetch_source_has_location(source) ? source->location : NULL;
}

static const char *name_of(const struct bm_fetch_source *source) {
    return strcmp(source->location, "-") == 0 ? source->shown : bm_fetch_source_name(source);
}

static const char *word_of_child(const struct blastmerge_job *job) {
    return job->places.child != NULL ? job->places.child : "a child";
}

static enum blastmerge_status compare_children(struct blastmerge_job *job, struct pair *pair, size_t first) {
    for (size_t i = first; i < job->plan.n_items; i++) {
        const struct bm_fetch_source *source = &job->plan.items[i].source;
        enum blastmerge_status status =
            compare(job, pair, word_of_child(job), location_of(source), name_of(source), false);
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

static const char *read_name(const char *location) {
    return location != NULL && strcmp(location, "-") == 0 ? "standard input" : location;
}

/* What the job itself writes; NULL: there is no such place. */
enum { N_OUTPUTS = 4 };
static const struct bm_job_place *output_at(const struct blastmerge_job *job, size_t i, const char **role) {
    static const char *const roles[N_OUTPUTS] = {"the result", "the report", "the file of missing queries",
                                                 "the page"};
    const struct bm_job_place *const outputs[N_OUTPUTS] = {&job->places.output, &job->places.report,
                                                           &job->places.missing, &job->places.page};
    *role = roles[i];
    bool is_used = outputs[i]->location != NULL && !(i == 0 && job->is_check);
    return is_used ? outputs[i] : NULL;
}

/* Compares the place with all that are read, with what the job writes from the given output on, and with what
 * the caller writes from the given place on. */
static enum blastmerge_status compare_all(struct blastmerge_job *job, struct pair *pair, size_t first_output,
                                          const struct bm_job_kept *first_written) {
    enum blastmerge_status status = BLASTMERGE_OK;
    const char *role;
    identify(&pair->written);
    for (size_t i = first_output; i < N_OUTPUTS && status == BLASTMERGE_OK; i++) {
        const struct bm_job_place *output = output_at(job, i, &role);
        if (output == NULL) continue;
        status = compare(job, pair, role, output->location, shown(output->location, output->shown), true);
    }
    if (status == BLASTMERGE_OK)
        status = compare(job, pair, "the file of queries", job->options.expect_queries,
                         read_name(job->options.expect_queries), false);
    for (const struct bm_job_kept *place = job->places.kept; status == BLASTMERGE_OK && place != NULL;
         place = place->next) {
        if (place->is_written) continue;
        status = compare(job, pair, place->what, place->location, read_name(place->location), false);
    }
    for (const struct bm_job_kept *place = first_written; status == BLASTMERGE_OK && place != NULL;
         place = place->next) {
        if (!place->is_written) continue;
        status = compare(job, pair, place->what, place->location, shown(place->location, NULL), true);
    }
    return status == BLASTMERGE_OK ? compare_children(job, pair, 0) : status;
}

static enum blastmerge_status check(struct blastmerge_job *job, const char *role, const char *location,
                                    const char *name, size_t first_output,
                                    const struct bm_job_kept *first_written) {
    struct pair *pair = bm_allocate(&job->memory, sizeof *pair);
    if (pair == NULL) return bm_fail(&job->error, BLASTMERGE_NO_MEMORY, "out of memory");
    pair->written.role = role;
    pair->written.name = name;
    pair->written.location = location;
    pair->written.is_written = true;
    enum blastmerge_status status = compare_all(job, pair, first_output, first_written);
    bm_release(&job->memory, pair);
    return status;
}

/* --- standard input ------------------------------------------------------------------------------ */

static bool is_standard_input(const char *location) {
    return location != NULL && (strcmp(location, "-") == 0 || bm_standard_of_name(location) == STDIN_FILENO);
}

/* Who else reads it gets what is left of it. */
static enum blastmerge_status use_standard_input(struct blastmerge_job *job, const char *what) {
    const char *before = job->places.standard_input;
    job->places.standard_input = what;
    if (before == NULL) return BLASTMERGE_OK;
    if (strcmp(before, what) == 0)
        return bm_fail(&job->error, BLASTMERGE_USAGE,
                       "standard input is given twice for %s, and can be read only once", what);
    return bm_fail(&job->error, BLASTMERGE_USAGE,
                   "standard input is given for %s and for %s, and can be read only once", before, what);
}

static enum blastmerge_status check_standard_input(struct blastmerge_job *job, size_t first) {
    enum blastmerge_status status = BLASTMERGE_OK;
    for (size_t i = first; i < job->plan.n_items && status == BLASTMERGE_OK; i++) {
        if (!is_standard_input(location_of(&job->plan.items[i].source))) continue;
        status = use_standard_input(job, word_of_child(job));
        if (status != BLASTMERGE_OK) job->error.child = i;
    }
    return status;
}

static enum blastmerge_status check_all_standard_input(struct blastmerge_job *job) {
    enum blastmerge_status status = BLASTMERGE_OK;
    job->places.standard_input = NULL;
    for (const struct bm_job_kept *place = job->places.kept; status == BLASTMERGE_OK && place != NULL;
         place = place->next) {
        if (!place->is_written && is_standard_input(place->location))
            status = use_standard_input(job, place->what);
    }
    if (status == BLASTMERGE_OK && is_standard_input(job->options.expect_queries))
        status = use_standard_input(job, "the queries");
    return status == BLASTMERGE_OK ? check_standard_input(job, 0) : status;
}

/* --- all of them --------------------------------------------------------------------------------- */

enum blastmerge_status bm_job_places_check(struct blastmerge_job *job) {
    enum blastmerge_status status = check_all_standard_input(job);
    const char *role;
    for (size_t i = 0; i < N_OUTPUTS && status == BLASTMERGE_OK; i++) {
        const struct bm_job_place *output = output_at(job, i, &role);
        if (output == NULL) continue;
        status = check(job, role, output->location, shown(output->location, output->shown), i + 1, NULL);
    }
    for (const struct bm_job_kept *place = job->places.kept; status == BLASTMERGE_OK && place != NULL;
         place = place->next) {
        if (place->is_written)
            status = check(job, place->what, place->location, shown(place->location, NULL), 0, place->next);
    }
    return status;
}

static enum blastmerge_status check_later(struct blastmerge_job *job, size_t first, const char *role,
                                          const char *location, const char *name) {
    struct pair *pair = bm_allocate(&job->memory, sizeof *pair);
    if (pair == NULL) return bm_fail(&job->error, BLASTMERGE_NO_MEMORY, "out of memory");
    pair->written = (struct place){.role = role, .name = name, .location = location, .is_written = true};
    identify(&pair->written);
    enum blastmerge_status status = compare_children(job, pair, first);
    bm_release(&job->memory, pair);
    return status;
}

enum blastmerge_status bm_job_places_check_children(struct blastmerge_job *job, size_t first) {
    enum blastmerge_status status = check_standard_input(job, first);
    const char *role;
    for (size_t i = 0; i < N_OUTPUTS && status == BLASTMERGE_OK; i++) {
        const struct bm_job_place *output = output_at(job, i, &role);
        if (output == NULL) continue;
        status = check_later(job, first, role, output->location, shown(output->location, output->shown));
    }
    for (const struct bm_job_kept *place = job->places.kept; status == BLASTMERGE_OK && place != NULL;
         place = place->next) {
        if (place->is_written)
            status = check_later(job, first, place->what, place->location, shown(place->location, NULL));
    }
    return status;
}

enum blastmerge_status bm_job_places_check_one(struct blastmerge_job *job, const char *role,
                                               const char *location, const char *name) {
    return check(job, role, location, name, 0, NULL);
}

/* --- what the caller itself reads or writes ------------------------------------------------------ */

static void forget(struct blastmerge_job *job, struct bm_job_kept *place) {
    bm_release(&job->memory, place->what);
    bm_release(&job->memory, place->location);
    bm_release(&job->memory, place);
}

enum blastmerge_status bm_job_places_keep(struct blastmerge_job *job, const char *what, const char *location,
                                          bool is_written) {
    struct bm_job_kept *place = bm_allocate(&job->memory, sizeof *place);
    if (place != NULL) {
        place->what = bm_copy_string(&job->memory, what);
        place->location = bm_copy_string(&job->memory, location);
        if (place->what != NULL && place->location != NULL) {
            place->is_written = is_written;
            place->next = job->places.kept;
            job->places.kept = place;
            return BLASTMERGE_OK;
        }
        forget(job, place);
    }
    return bm_fail(&job->error, BLASTMERGE_NO_MEMORY, "out of memory");
}

/* --- where it goes ------------------------------------------------------------------------------- */

static void forget_place(struct blastmerge_job *job, struct bm_job_place *place) {
    bm_release(&job->memory, place->location);
    bm_release(&job->memory, place->shown);
    *place = (struct bm_job_place){0};
}

enum blastmerge_status bm_job_places_set(struct blastmerge_job *job, struct bm_job_place *place,
                                         const char *location) {
    forget_place(job, place);
    place->location = bm_copy_string(&job->memory, location);
    if (place->location == NULL) return bm_fail(&job->error, BLASTMERGE_NO_MEMORY, "out of memory");
    return bm_job_remote_name(job, location, &place->shown);
}

void bm_job_places_set_writer(struct blastmerge_job *job, const struct blastmerge_writer *writer) {
    job->places.writer = *writer;
    job->places.has_writer = true;
}

void bm_job_places_give_writer(struct blastmerge_job *job) {
    job->places.has_writer = false;
}

bool bm_job_places_has_output(const struct blastmerge_job *job) {
    return job->places.output.location != NULL || job->places.has_writer;
}

const char *bm_job_places_beside(const struct blastmerge_job *job) {
    const struct bm_job_place *output = &job->places.output;
    struct stat what;
    if (job->is_check || output->location == NULL || output->shown != NULL ||
        strcmp(output->location, "-") == 0)
        return NULL;
    bool is_other = stat(output->location, &what) == 0 && !S_ISREG(what.st_mode); /* a device, a pipe */
    return is_other ? NULL : output->location;
}

void bm_job_places_close(struct blastmerge_job *job) {
    struct bm_job_places *places = &job->places;
    while (places->kept != NULL) {
        struct bm_job_kept *place = places->kept;
        places->kept = place->next;
        forget(job, place);
    }
    forget_place(job, &places->output);
    forget_place(job, &places->report);
    forget_place(job, &places->missing);
    forget_place(job, &places->page);
}
