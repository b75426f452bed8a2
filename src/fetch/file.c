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

static bool is_standard_input(const struct bm_fetch_source *source) {
    return strcmp(source->location, "-") == 0;
}

/* One that is closed may be held by something that is there in its place. */
static bool is_closed(const struct bm_fetch_source *source) {
    if (is_standard_input(source)) return !bm_standard_is_open(STDIN_FILENO, O_RDONLY);
    int standard = bm_standard_of_name(source->location);
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

/* --- a name that leads to no file ----------------------------------------------------------------- */

static bool begins_with(const char *name, const char *beginning) {
    return strncmp(name, beginning, strlen(beginning)) == 0;
}

/* Whether there is a file by the first n bytes of the name. */
static bool is_file(const char *name, size_t n) {
    char path[4096];
    struct stat information;
    if (n == 0 || n >= sizeof path || name[n] == '\0') return false;
    memcpy(path, name, n);
    path[n] = '\0';
    return stat(path, &information) == 0;
}

/* Whether several names stand in it, of which the first one leads to a file. */
static bool holds_several(const char *name) {
    for (const char *at = name; (at = strpbrk(at, " \t\r,;")) != NULL; at++)
        if (at[strspn(at, " \t\r,;")] != '\0' && is_file(name, (size_t)(at - name))) return true;
    return false;
}

/* What people write, and lists hold, that only a shell would have turned into names. */
static const char *explain_missing(const char *name) {
    size_t n = strlen(name);
    const char *brace = strchr(name, '{');
    bool is_quoted = n > 2 && (name[0] == '"' || name[0] == '\'') && name[n - 1] == name[0];
    size_t n_bare = n;
    while (n_bare > 0 && strchr(" \t\r", name[n_bare - 1]) != NULL) n_bare--;
    if (begins_with(name, "\u2013") || begins_with(name, "\u2014") || begins_with(name, "\u2212"))
        return "; it begins with a dash that is not '-', as text programs write it: type options anew";
    if (is_quoted) return "; the quotes are part of the name: leave them out";
    if (n_bare < n && is_file(name, n_bare)) return "; without the blanks at its end there is such a file";
    if (holds_several(name)) return "; it looks like several names: give each by itself";
    if (name[0] == '#') return "; a list has names alone, and no comments";
    if (name[0] == '~')
        return "; '~' is a home folder only to a shell, outside of quotes: give the whole path";
    if (name[0] == '$') return "; variables are replaced only by a shell, outside of quotes";
    if (strpbrk(name, "*?[") != NULL || (brace != NULL && strchr(brace, '}') != NULL))
        return "; no shell has replaced the wildcard: it stands in quotes or a list, or no file matches it";
    if (strchr(name, '\\') != NULL) return "; the backslash is part of the name";
    return "";
}

static enum blastmerge_status fail_opening(const struct bm_fetch_source *source, int failure,
                                           struct blastmerge_error *error) {
    bm_fail_system(error, failure, "cannot open");
    if (failure != ENOENT || is_standard_input(source)) return error->status;
    return bm_fail_anew(error, error->status, "%s%s", error->message, explain_missing(source->location));
}

static enum blastmerge_status fail_folder(struct blastmerge_error *error) {
    bm_fail_system(error, EISDIR, "cannot read");
    return bm_fail_anew(error, error->status, "%s; name the files in it", error->message);
}

/* --- looking and reading -------------------------------------------------------------------------- */

static enum blastmerge_status look(struct bm_fetch_source *source, struct blastmerge_error *error) {
    struct stat information;
    if (is_closed(source)) return bm_fail_system(error, EBADF, "is closed, or not open for reading");
    int failed =
        is_standard_input(source) ? fstat(STDIN_FILENO, &information) : stat(source->location, &information);
    if (failed != 0) return fail_opening(source, errno, error);
    if (check_kind(source, information.st_mode, error) != BLASTMERGE_OK) return error->status;
    if (S_ISDIR(information.st_mode)) return fail_folder(error);
    source->device = (uint64_t)information.st_dev;
    source->inode = (uint64_t)information.st_ino;
    source->has_identity = S_ISREG(information.st_mode);
    source->can_read_ahead = S_ISREG(information.st_mode) && !is_standard_input(source);
    if (source->can_read_ahead) source->n_bytes = (uint64_t)information.st_size;
    return BLASTMERGE_OK;
}

/* Opening does not block: a FIFO is waited for when it is read, where a cancel ends the wait. */
static enum blastmerge_status open_file(struct bm_fetch *fetch, struct blastmerge_error *error) {
    struct stat information;
    if (is_closed(fetch->source)) return bm_fail_system(error, EBADF, "is closed, or not open for reading");
    fetch->file = is_standard_input(fetch->source)
                      ? STDIN_FILENO
                      : bm_open(fetch->source->location, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
    if (fetch->file < 0) return fail_opening(fetch->source, errno, error);
    if (fstat(fetch->file, &information) != 0) {
        enum blastmerge_status status = bm_fail_system(error, errno, "cannot open");
        if (fetch->file != STDIN_FILENO) close(fetch->file);
        return status;
    }
    if (check_kind(fetch->source, information.st_mode, error) != BLASTMERGE_OK) {
        if (fetch->file != STDIN_FILENO) close(fetch->file);
        return error->status;
    }
    fetch->is_regular = S_ISREG(information.st_mode);
    fetch->size_at_open = (uint64_t)information.st_size;
    fetch->time_at_open[0] = (int64_t)BM_MODIFIED(information).tv_sec;
    fetch->time_at_open[1] = (int64_t)BM_MODIFIED(information).tv_nsec;
#if defined(POSIX_FADV_SEQUENTIAL)
    enum { LEAST = 131072 }; /* what the system reads ahead without being told */
    if (fetch->is_regular && information.st_size > LEAST)
        (void)posix_fadvise(fetch->file, 0, 0, POSIX_FADV_SEQUENTIAL);
#endif
    return BLASTMERGE_OK;
}

/* At the end of a regular file: it must be the one that was opened, and have been read whole. Standard input
 * may have been read from before, so that only its time counts. */
static enum blastmerge_status check_unchanged(const struct bm_fetch *fetch, struct blastmerge_error *error) {
    struct stat information;
    if (fstat(fetch->file, &information) != 0) return bm_fail_system(error, errno, "cannot read");
    bool same_time = (int64_t)BM_MODIFIED(information).tv_sec == fetch->time_at_open[0] &&
                     (int64_t)BM_MODIFIED(information).tv_nsec == fetch->time_at_open[1];
    bool same_size = (uint64_t)information.st_size == fetch->size_at_open &&
                     (fetch->file == STDIN_FILENO || fetch->n_read == fetch->size_at_open);
    if (same_time && same_size) return BLASTMERGE_OK;
    return bm_fail(error, BLASTMERGE_CHANGED,
                   "changed while it was read: merge again when its writer has ended");
}

static enum blastmerge_status read_file(struct bm_fetch *fetch, uint8_t *data, size_t capacity,
                                        size_t *n_read, struct blastmerge_error *error) {
    for (;;) {
        int failure = fetch->is_regular ? 0 : bm_cancel_wait(fetch->cancel, fetch->file, POLLIN);
        if (failure == ECANCELED) return bm_fail(error, BLASTMERGE_CANCELLED, "cancelled");
        if (failure != 0) return bm_fail_system(error, failure, "cannot read");
        ssize_t n = read(fetch->file, data, capacity);
        if (n > 0) {
            *n_read = (size_t)n;
            return BLASTMERGE_OK;
        }
        if (n == 0) break;
        if (errno != EINTR && errno != EAGAIN) return bm_fail_system(error, errno, "cannot read");
        if (bm_cancel_is_set(fetch->cancel)) return bm_fail(error, BLASTMERGE_CANCELLED, "cancelled");
    }
    *n_read = 0;
    return fetch->is_regular ? check_unchanged(fetch, error) : BLASTMERGE_OK;
}

static enum blastmerge_status read_file_again(const struct bm_fetch *fetch, uint64_t offset, uint8_t *data,
                                              size_t n_bytes, struct blastmerge_error *error) {
    for (size_t n_read = 0; n_read < n_bytes;) {
        ssize_t n = pread(fetch->file, data + n_read, n_bytes - n_read, (off_t)(offset + n_read));
        if (n > 0) n_read += (size_t)n;
        if (n == 0)
            return bm_fail(error, BLASTMERGE_CHANGED, "changed between the first and the second pass");
        if (n < 0 && errno != EINTR) return bm_fail_system(error, errno, "cannot read");
    }
    return BLASTMERGE_OK;
}

static void close_file(struct bm_fetch *fetch) {
    if (fetch->file != STDIN_FILENO) close(fetch->file);
}

const struct bm_fetch_back_end bm_fetch_file = {
    .look = look, .open = open_file, .read = read_file, .close = close_file, .read_again = read_file_again};
