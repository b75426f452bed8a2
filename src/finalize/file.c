/* SPDX-License-Identifier: MIT */
#include "base/descriptor.h"
#include "cloud/location.h"
#include "finalize/finalize.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- the connection ------------------------------------------------------------------------------ */

#ifdef BLASTMERGE_CLOUD
#include "cloud/cloud.h"

/* A child, a result and a report at a time. */
enum blastmerge_status bm_finalize_connect(struct bm_finalize *finalize) {
    const struct blastmerge_options *options = finalize->client.options;
    const struct bm_cloud_use use = {.n_lanes = 1, .is_output_remote = true, .is_report_remote = true};
    struct bm_cloud_settings settings = {
        .endpoint = options->endpoint, .memory = finalize->client.memory, .cancel = finalize->client.cancel};
    if (!finalize->is_remote) return BLASTMERGE_OK;
    enum blastmerge_status status =
        bm_cloud_make_plan(options->memory_limit, use, &settings.plan, finalize->error);
    return status == BLASTMERGE_OK ? bm_cloud_open(&finalize->cloud, &settings, finalize->error) : status;
}

void bm_finalize_disconnect(struct bm_finalize *finalize) {
    bm_cloud_close(finalize->cloud);
    finalize->cloud = NULL;
}

static void set_remote_source(struct bm_finalize_file *file, struct bm_cloud *cloud) {
    bm_cloud_location_show(file->location, file->shown, sizeof file->shown);
    file->source = bm_fetch_source_remote(file->shown, file->location);
    file->source.cloud = cloud;
}

static enum blastmerge_status open_remote(struct bm_finalize *finalize, struct bm_store *store,
                                          const struct bm_finalize_file *file, bool is_force, bool is_small) {
    const struct bm_store_remote remote = {.cloud = finalize->cloud,
                                           .location = file->location,
                                           .name = file->shown,
                                           .media_type = "application/json"};
    return bm_store_open_remote(store, &remote, is_force, is_small, finalize->error);
}

#else /* a remote storage was refused */

enum blastmerge_status bm_finalize_connect(struct bm_finalize *finalize) {
    (void)finalize;
    return BLASTMERGE_OK;
}

void bm_finalize_disconnect(struct bm_finalize *finalize) {
    (void)finalize;
}

static void set_remote_source(struct bm_finalize_file *file, struct bm_cloud *cloud) {
    (void)file;
    (void)cloud;
}

static enum blastmerge_status open_remote(struct bm_finalize *finalize, struct bm_store *store,
                                          const struct bm_finalize_file *file, bool is_force, bool is_small) {
    (void)store;
    (void)file;
    (void)is_force;
    (void)is_small;
    return bm_fail(finalize->error, BLASTMERGE_INTERNAL, "no object storage");
}

#endif

/* --- files --------------------------------------------------------------------------------------- */

void bm_finalize_relative(const struct bm_finalize *finalize, const struct bm_finalize_child *child,
                          const char *name, char relative[BM_FINALIZE_RELATIVE]) {
    if (child == NULL)
        snprintf(relative, BM_FINALIZE_RELATIVE, "%s%s", finalize->parent_prefix, name);
    else
        snprintf(relative, BM_FINALIZE_RELATIVE, "%s/%s", child->job_id, name);
}

void bm_finalize_locate(const struct bm_finalize *finalize, const struct bm_finalize_child *child,
                        const char *name, struct bm_cloud *cloud, struct bm_finalize_file *file) {
    char relative[BM_FINALIZE_RELATIVE];
    const char *storage = finalize->storage;
    bool has_slash = storage[strlen(storage) - 1] == '/';
    bm_finalize_relative(finalize, child, name, relative);
    snprintf(file->location, sizeof file->location, "%s%s%s", storage, has_slash ? "" : "/", relative);
    if (finalize->is_remote) {
        set_remote_source(file, cloud);
    } else {
        memcpy(file->shown, file->location, sizeof file->shown);
        file->source = bm_fetch_source_path(file->location);
        file->source.must_be_regular = true;
    }
}

enum blastmerge_status bm_finalize_open_store(struct bm_finalize *finalize, struct bm_store *store,
                                              const char *name, bool is_force, bool is_small) {
    struct bm_finalize_file file;
    bm_finalize_locate(finalize, NULL, name, finalize->cloud, &file);
    if (finalize->is_remote) return open_remote(finalize, store, &file, is_force, is_small);
    return bm_store_open_location(store, file.location, is_force, true, finalize->client.cancel,
                                  finalize->error);
}

static enum blastmerge_status check_target(struct bm_finalize *finalize, const char *name) {
    struct bm_finalize_file file;
    struct stat information;
    bm_finalize_locate(finalize, NULL, name, NULL, &file);
    if (stat(file.location, &information) != 0)
        return BLASTMERGE_OK; /* there is none, or the store says why */
    if (!S_ISFIFO(information.st_mode) && !S_ISSOCK(information.st_mode)) return BLASTMERGE_OK;
    return bm_fail(finalize->error, BLASTMERGE_IO,
                   "%.500s: is %s, where a file of the parent's is to be written", file.shown,
                   S_ISFIFO(information.st_mode) ? "a FIFO" : "a socket");
}

enum blastmerge_status bm_finalize_check_targets(struct bm_finalize *finalize) {
    static const char *const names[] = {BM_FINALIZE_RESULT, BM_FINALIZE_REPORT, BM_FINALIZE_MANIFEST};
    enum blastmerge_status status = BLASTMERGE_OK;
    if (finalize->is_remote) return BLASTMERGE_OK;
    for (size_t i = 0; i < 3 && status == BLASTMERGE_OK; i++) status = check_target(finalize, names[i]);
    return status;
}

/* --- the parent's folder ------------------------------------------------------------------------- */

/* The folder in which a new one lies: only then the new one is there after a power failure. */
static void sync_above(char *path) {
    char *slash = strrchr(path, '/');
    if (slash == NULL || slash == path) return;
    *slash = '\0';
    int folder = bm_open(path, O_RDONLY | O_DIRECTORY, 0);
    *slash = '/';
    if (folder < 0) return;
    (void)fsync(folder);
    close(folder);
}

static enum blastmerge_status make_folder(struct bm_finalize *finalize, char *path) {
    if (mkdir(path, 0777) == 0) {
        sync_above(path);
    } else if (errno != EEXIST) {
        return bm_fail_system(finalize->error, errno, "cannot create the folder %.500s", path);
    }
    return BLASTMERGE_OK;
}

enum blastmerge_status bm_finalize_make_folder(struct bm_finalize *finalize) {
    struct bm_finalize_file file;
    enum blastmerge_status status = BLASTMERGE_OK;
    if (finalize->is_remote) return BLASTMERGE_OK;
    bm_finalize_locate(finalize, NULL, "", NULL, &file);
    char *slash = file.location + strlen(file.location) - strlen(finalize->parent_prefix);
    while (status == BLASTMERGE_OK && (slash = strchr(slash, '/')) != NULL) {
        *slash = '\0';
        status = make_folder(finalize, file.location);
        *slash++ = '/';
    }
    return status;
}
