/* SPDX-License-Identifier: MIT */
/* Children in files, FIFOs, devices and standard input. */
#include "base/descriptor.h"
#include "fetch/fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__APPLE__)
#define MODIFIED(information) (information).st_mtimespec
#else
#define MODIFIED(information) (information).st_mtim
#endif

static bool is_standard_input(const struct bm_fetch_source *source) {
    return strcmp(source->name, "-") == 0;
}

/* One that is closed may be held by something that is there in its place. */
static bool is_closed(const struct bm_fetch_source *source) {
    if (is_standard_input(source)) return !bm_standard_is_open(STDIN_FILENO, O_RDONLY);
    int standard = bm_standard_of_name(bm_fetch_source_location(source));
    return standard >= 0 && bm_standard_is_closed(standard);
}

static const char *kind_of(mode_t mode) {
    if (S_ISDIR(mode)) return "a directory";
    if (S_ISFIFO(mode)) return "a FIFO";
    if (S_ISSOCK(mode)) return "a socket";
    return S_ISCHR(mode) || S_ISBLK(mode) ? "a device" : "no file";
}

/* A name from outside may lead to what blocks for ever, or never ends. */
static enum blastmerge_status check_kind(const struct bm_fetch_source *source, mode_t mode,
                                         struct blastmerge_error *error) {
    if (!source->must_be_regular || S_ISREG(mode)) return BLASTMERGE_OK;
    return bm_fail(error, BLASTMERGE_IO, "is %s, where a regular file was expected", kind_of(mode));
}

static enum blastmerge_status look(struct bm_fetch_source *source, struct blastmerge_error *error) {
    struct stat information;
    if (is_closed(source)) return bm_fail_system(error, EBADF, "is closed, or not open for reading");
    int failed = is_standard_input(source) ? fstat(STDIN_FILENO, &information)
                                           : stat(bm_fetch_source_location(source), &information);
    if (failed != 0) return bm_fail_system(error, errno, "cannot be opened");
    if (check_kind(source, information.st_mode, error) != BLASTMERGE_OK) return error->status;
    if (S_ISDIR(information.st_mode)) return bm_fail_system(error, EISDIR, "cannot be read");
    source->device = (uint64_t)information.st_dev;
    source->inode = (uint64_t)information.st_ino;
    source->has_identity = S_ISREG(information.st_mode);
    source->can_read_ahead = S_ISREG(information.st_mode) && !is_standard_input(source);
    if (source->can_read_ahead) source->n_bytes = (uint64_t)information.st_size;
    return BLASTMERGE_OK;
}

/* Opening waits for nobody: a FIFO is waited for when it is read, where a cancel ends that. */
static enum blastmerge_status open_file(struct bm_fetch *fetch, struct blastmerge_error *error) {
    struct stat information;
    if (is_closed(fetch->source)) return bm_fail_system(error, EBADF, "is closed, or not open for reading");
    fetch->file = is_standard_input(fetch->source)
                      ? STDIN_FILENO
                      : bm_open(bm_fetch_source_location(fetch->source), O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
    if (fetch->file < 0) return bm_fail_system(error, errno, "cannot be opened");
    if (fstat(fetch->file, &information) != 0) {
        enum blastmerge_status status = bm_fail_system(error, errno, "cannot be opened");
        if (fetch->file != STDIN_FILENO) close(fetch->file);
        return status;
    }
    if (check_kind(fetch->source, information.st_mode, error) != BLASTMERGE_OK) {
        if (fetch->file != STDIN_FILENO) close(fetch->file);
        return error->status;
    }
    fetch->is_regular = S_ISREG(information.st_mode);
    fetch->size_at_open = (uint64_t)information.st_size;
    fetch->time_at_open[0] = (int64_t)MODIFIED(information).tv_sec;
    fetch->time_at_open[1] = (int64_t)MODIFIED(information).tv_nsec;
#if defined(POSIX_FADV_SEQUENTIAL)
    if (fetch->is_regular) (void)posix_fadvise(fetch->file, 0, 0, POSIX_FADV_SEQUENTIAL);
#endif
    return BLASTMERGE_OK;
}

/* At the end of a regular file: it must be the one that was opened, and have been read whole. Standard input
 * may have been read from before, so that only its time counts. */
static enum blastmerge_status check_unchanged(const struct bm_fetch *fetch, struct blastmerge_error *error) {
    struct stat information;
    if (fstat(fetch->file, &information) != 0) return bm_fail_system(error, errno, "cannot be read");
    bool same_time = (int64_t)MODIFIED(information).tv_sec == fetch->time_at_open[0] &&
                     (int64_t)MODIFIED(information).tv_nsec == fetch->time_at_open[1];
    bool same_size = (uint64_t)information.st_size == fetch->size_at_open &&
                     (fetch->file == STDIN_FILENO || fetch->n_read == fetch->size_at_open);
    if (same_time && same_size) return BLASTMERGE_OK;
    return bm_fail(error, BLASTMERGE_CHANGED,
                   "changed while it was read: merge again once whatever writes it has ended");
}

static enum blastmerge_status read_file(struct bm_fetch *fetch, uint8_t *data, size_t capacity,
                                        size_t *n_read, struct blastmerge_error *error) {
    for (;;) {
        int failure = fetch->is_regular ? 0 : bm_cancel_wait(fetch->cancel, fetch->file, POLLIN);
        if (failure == ECANCELED) return bm_fail(error, BLASTMERGE_CANCELLED, "cancelled");
        if (failure != 0) return bm_fail_system(error, failure, "cannot be read");
        ssize_t n = read(fetch->file, data, capacity);
        if (n > 0) {
            *n_read = (size_t)n;
            return BLASTMERGE_OK;
        }
        if (n == 0) break;
        if (errno != EINTR && errno != EAGAIN) return bm_fail_system(error, errno, "cannot be read");
        if (bm_cancel_is_set(fetch->cancel)) return bm_fail(error, BLASTMERGE_CANCELLED, "cancelled");
    }
    *n_read = 0;
    return fetch->is_regular ? check_unchanged(fetch, error) : BLASTMERGE_OK;
}

static void close_file(struct bm_fetch *fetch) {
    if (fetch->file != STDIN_FILENO) close(fetch->file);
}

const struct bm_fetch_back_end bm_fetch_file = {
    .look = look, .open = open_file, .read = read_file, .close = close_file};
