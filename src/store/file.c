/* SPDX-License-Identifier: MIT */
/*
 * Results in files, FIFOs, devices and standard output.
 *
 * A regular file is written beside its target as ".NAME.blastmerge-XXXXXXXXXXXX", which is locked while its
 * writer lives. So a later run for the same target can tell a left-over of a killed run (no lock: removed)
 * from a neighbour's (locked: left alone). At the end it is synced and renamed in one step; without force in
 * the way that fails if the target has come up meanwhile; then the folder is synced. Anything that is there
 * already and is no regular file (a FIFO, /dev/null) is written in place.
 */
#include "base/descriptor.h"
#include "store/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    N_RANDOM = 12,    /* letters that make a temporary name one of a kind */
    PIPE_WRITE = 4096 /* what a pipe that is ready takes without blocking (PIPE_BUF on Linux) */
};

static const char infix[] = ".blastmerge-";

/* Where the last component of a path begins. */
static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

/* The folder that a path lies in, as a path. */
static void folder_of(const char *path, char *folder) {
    size_t n = (size_t)(base_name(path) - path);
    if (n == 0) {
        memcpy(folder, ".", 2);
    } else {
        memcpy(folder, path, n);
        folder[n] = '\0';
    }
}

/* --- temporary names ----------------------------------------------------------------------------- */

/* Letters for a name that no one else is likely to take; O_EXCL makes sure. */
static void random_letters(char *letters) {
    static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";
    uint64_t bits = 0;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    bits = (uint64_t)now.tv_nsec ^ (uint64_t)now.tv_sec << 20 ^ (uint64_t)getpid() << 40 ^
           (uint64_t)(uintptr_t)&bits;
    for (int i = 0; i < N_RANDOM; i++) {
        bits ^= bits >> 12;
        bits ^= bits << 25;
        bits ^= bits >> 27;
        letters[i] = alphabet[(bits * 0x2545f4914f6cdd1dU) >> 59];
    }
}

/* Whether a folder's entry is a temporary name for the target whose last component is `base`. */
static bool is_temporary_of(const char *entry, const char *base) {
    size_t n_base = strlen(base);
    return entry[0] == '.' && strncmp(entry + 1, base, n_base) == 0 &&
           strncmp(entry + 1 + n_base, infix, sizeof infix - 1) == 0 &&
           strlen(entry) == 1 + n_base + sizeof infix - 1 + N_RANDOM;
}

/* Removes the temporary files that killed runs for this target left; whatever fails here hurts nobody. */
static void remove_left_overs(const char *folder, const char *base) {
    DIR *entries = bm_open_folder(folder);
    if (entries == NULL) return;
    for (struct dirent *entry = readdir(entries); entry != NULL; entry = readdir(entries)) {
        if (!is_temporary_of(entry->d_name, base)) continue;
        int file = bm_open_at(dirfd(entries), entry->d_name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
        if (file < 0) continue;
        if (flock(file, LOCK_EX | LOCK_NB) == 0) (void)unlinkat(dirfd(entries), entry->d_name, 0);
        close(file);
    }
    closedir(entries);
}

/*
 * Makes and locks the temporary file. Between the two another run may take it for a left-over: it holds the
 * lock and is about to remove the file, or has done so. Either way the file is lost, and another name is
 * tried. A lock that fails for any other reason is one that this file system does not have: no other run gets
 * it either.
 */
static enum blastmerge_status create_temporary(struct bm_store *store, const char *folder,
                                               struct blastmerge_error *error) {
    const char *base = base_name(store->target);
    for (int tries = 0; tries < 100; tries++) {
        char letters[N_RANDOM + 1] = "";
        struct stat information;
        random_letters(letters);
        int n =
            snprintf(store->temporary, sizeof store->temporary, "%s/.%s%s%s", folder, base, infix, letters);
        if (n < 0 || (size_t)n >= sizeof store->temporary) break;
        store->file = bm_open(store->temporary, O_WRONLY | O_CREAT | O_EXCL, 0666);
        if (store->file < 0) {
            if (errno == EEXIST) continue;
            int failure = errno;
            store->temporary[0] = '\0';
            return bm_fail_system(error, failure, "%s: cannot be written in its folder", store->target);
        }
        bool is_ours = flock(store->file, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK;
        is_ours = is_ours && fstat(store->file, &information) == 0 && information.st_nlink > 0;
        if (is_ours) return BLASTMERGE_OK;
        (void)unlink(store->temporary);
        close(store->file);
    }
    store->temporary[0] = '\0';
    return bm_fail_system(error, ENAMETOOLONG, "%s: no temporary name can be made beside it", store->target);
}

/* --- opening ------------------------------------------------------------------------------------- */

static enum blastmerge_status refuse_terminal(int file, bool is_text, struct blastmerge_error *error) {
    if (is_text || !isatty(file)) return BLASTMERGE_OK;
    return bm_fail(
        error, BLASTMERGE_USAGE,
        "the result is compressed and is not written to a terminal: name a file with -o, or redirect");
}

static enum blastmerge_status open_in_place(struct bm_store *store, mode_t mode, bool is_text,
                                            struct blastmerge_error *error) {
    if (S_ISDIR(mode)) return bm_fail_system(error, EISDIR, "%s: cannot be written", store->target);
    store->file = bm_open(store->target, O_WRONLY, 0);
    if (store->file < 0)
        return bm_fail_system(error, errno, "%s: cannot be opened for writing", store->target);
    store->is_pipe = S_ISFIFO(mode) || S_ISSOCK(mode);
    enum blastmerge_status status = refuse_terminal(store->file, is_text, error);
    if (status != BLASTMERGE_OK) close(store->file);
    return status;
}

static enum blastmerge_status open_temporary(struct bm_store *store, const struct stat *existing,
                                             struct blastmerge_error *error) {
    char folder[BM_STORE_PATH];
    folder_of(store->target, folder);
    remove_left_overs(folder, base_name(store->target));
    enum blastmerge_status status = create_temporary(store, folder, error);
    /* What is replaced hands on its permissions. */
    if (status == BLASTMERGE_OK && existing != NULL) (void)fchmod(store->file, existing->st_mode & 07777);
    return status;
}

static enum blastmerge_status open_path(struct bm_store *store, bool is_text,
                                        struct blastmerge_error *error) {
    struct stat existing;
    struct stat link;
    if (base_name(store->target)[0] == '\0') {
        return bm_fail(error, BLASTMERGE_USAGE, "%s: is a folder's name, where a file's was expected",
                       store->target);
    }
    /* Devices and pipes first: some are links to what has no path. */
    if (stat(store->target, &existing) == 0 && !S_ISREG(existing.st_mode)) {
        return open_in_place(store, existing.st_mode, is_text, error);
    }
    if (lstat(store->target, &link) != 0) {
        if (errno != ENOENT) return bm_fail_system(error, errno, "%s: cannot be written", store->target);
        return open_temporary(store, NULL, error);
    }
    if (S_ISLNK(link.st_mode)) { /* what it points to is what is meant */
        char *pointed_to = realpath(store->target, NULL);
        if (pointed_to == NULL) return bm_fail_system(error, errno, "%s: points nowhere", store->target);
        bool fits = strlen(pointed_to) < sizeof store->target;
        if (fits) memcpy(store->target, pointed_to, strlen(pointed_to) + 1);
        free(pointed_to);
        if (!fits) return bm_fail_system(error, ENAMETOOLONG, "%s: points too far", store->target);
    }
    if (stat(store->target, &existing) != 0) {
        return bm_fail_system(error, errno, "%s: cannot be written", store->target);
    }
    if (!store->is_force) {
        return bm_fail(error, BLASTMERGE_EXISTS, "%s: exists already; --force replaces it", store->target);
    }
    return open_temporary(store, &existing, error);
}

/* --- writing and ending -------------------------------------------------------------------------- */

static enum blastmerge_status file_write(struct bm_store *store, const uint8_t *data, size_t n_bytes,
                                         struct blastmerge_error *error) {
    while (n_bytes > 0) {
        size_t n_try = store->is_pipe && n_bytes > PIPE_WRITE ? PIPE_WRITE : n_bytes;
        int failure = store->is_pipe ? bm_cancel_wait(store->cancel, store->file, POLLOUT) : 0;
        ssize_t n = failure == 0 ? write(store->file, data, n_try) : -1;
        if (failure == 0 && n < 0) failure = errno;
        if (failure == ECANCELED || bm_cancel_is_set(store->cancel)) {
            return bm_fail(error, BLASTMERGE_CANCELLED, "cancelled");
        }
        if (failure == EINTR || failure == EAGAIN) continue;
        if (failure != 0) return bm_fail_system(error, failure, "%s: cannot be written", store->target);
        data += n;
        n_bytes -= (size_t)n;
    }
    return BLASTMERGE_OK;
}

static enum blastmerge_status file_prepare(struct bm_store *store, struct blastmerge_error *error) {
    if (store->temporary[0] == '\0' || fsync(store->file) == 0) return BLASTMERGE_OK;
    return bm_fail_system(error, errno, "%s: cannot be synced to the disk", store->target);
}

static int sync_folder(const char *path) {
    char folder[BM_STORE_PATH];
    folder_of(path, folder);
    int file = bm_open(folder, O_RDONLY | O_DIRECTORY, 0);
    if (file < 0) return 0; /* a folder that may be written but not read cannot be synced */
    int failure = fsync(file) == 0 || errno == EINVAL || errno == ENOTSUP ? 0 : errno;
    close(file);
    return failure;
}

/* Renames without replacing: in one step where the system can, else by a link that fails if there is one. */
static int rename_to_new(const char *from, const char *to) {
#if defined(RENAME_NOREPLACE)
    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0) return 0;
    if (errno != EINVAL && errno != ENOSYS && errno != ENOTSUP) return errno;
#endif
    if (link(from, to) != 0) return errno;
    (void)unlink(from);
    return 0;
}

static enum blastmerge_status file_commit(struct bm_store *store, struct blastmerge_error *error) {
    int failure = 0;
    if (store->temporary[0] == '\0') {
        bool is_closed = store->file == STDOUT_FILENO || close(store->file) == 0;
        return is_closed ? BLASTMERGE_OK
                         : bm_fail_system(error, errno, "%s: cannot be written", store->target);
    }
    if (store->is_force) {
        failure = rename(store->temporary, store->target) == 0 ? 0 : errno;
    } else {
        failure = rename_to_new(store->temporary, store->target);
    }
    if (failure != 0) (void)unlink(store->temporary);
    bool is_closed = close(store->file) == 0;
    if (failure == EEXIST) {
        return bm_fail(error, BLASTMERGE_EXISTS, "%s: has come up meanwhile; --force replaces it",
                       store->target);
    }
    if (failure != 0) return bm_fail_system(error, failure, "%s: cannot be given its name", store->target);
    if (!is_closed) return bm_fail_system(error, errno, "%s: cannot be closed", store->target);
    failure = sync_folder(store->target);
    return failure == 0
               ? BLASTMERGE_OK
               : bm_fail_system(error, failure, "%s: its folder cannot be synced to the disk", store->target);
}

static void file_discard(struct bm_store *store) {
    if (store->temporary[0] != '\0') (void)unlink(store->temporary);
    if (store->file != STDOUT_FILENO) close(store->file);
}

static const struct bm_store_back_end file_back_end = {file_write, file_prepare, file_commit, file_discard};

enum blastmerge_status bm_store_open_location(struct bm_store *store, const char *location, bool is_force,
                                              bool is_text, struct bm_cancel *cancel,
                                              struct blastmerge_error *error) {
    enum blastmerge_status status = BLASTMERGE_OK;
    memset(store, 0, sizeof *store);
    store->cancel = cancel;
    store->is_force = is_force;
    if (strlen(location) >= sizeof store->target) {
        return bm_fail_system(error, ENAMETOOLONG, "the output cannot be written");
    }
    if (strcmp(location, "-") == 0 || strcmp(location, "/dev/stdout") == 0) {
        struct stat information;
        memcpy(store->target, "standard output", sizeof "standard output");
        store->file = STDOUT_FILENO;
        store->is_pipe = fstat(STDOUT_FILENO, &information) == 0 &&
                         (S_ISFIFO(information.st_mode) || S_ISSOCK(information.st_mode));
        status = bm_standard_is_open(STDOUT_FILENO, O_WRONLY)
                     ? refuse_terminal(STDOUT_FILENO, is_text, error)
                     : bm_fail_system(error, EBADF, "standard output: is closed, or not open for writing");
    } else {
        memcpy(store->target, location, strlen(location) + 1);
        status = open_path(store, is_text, error);
    }
    if (status == BLASTMERGE_OK) store->back_end = &file_back_end;
    return status;
}
