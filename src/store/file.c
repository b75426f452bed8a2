/* SPDX-License-Identifier: MIT */
/*
 * Results in files, FIFOs, devices and standard output.
 *
 * A regular file is written in its target's folder as ".NAME.blastmerge-XXXXXXXXXXXX", which is locked while
 * its writer lives. So a later run for the same target can distinguish a left-over of a killed run (no lock:
 * removed) from a file of another run (locked: left alone). The lock stays on the file under its final name,
 * until nothing else can fail: while the target is locked, the file that it has replaced is left alone, too.
 *
 * At the end the file is synced and renamed in one step. Without force, this fails if the target has appeared in
 * the meantime. With force, it exchanges names with the file that it replaces, so it can be undone while
 * something else may still fail. Then the folder is synced. An existing target that is not a regular file (a
 * FIFO, /dev/null) is written in place.
 *
 * A file that replaces another is first readable by its owner only. It gets the other one's owner, group and
 * permissions once it is written, as far as possible; never setuid, setgid and sticky bits.
 */
#include "base/descriptor.h"
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    PIPE_WRITE = 4096, /* what a pipe that is ready takes without blocking (PIPE_BUF on Linux) */
    MAX_LINKS = 40,    /* that lead to a target */
    MAX_LOOKS = 100,   /* at a target that is a file, then a FIFO, then a file ... */
    NAP = 20           /* milliseconds between two looks whether a FIFO has a reader */
};

static const char *base_of(const struct bm_store *store) {
    return bm_store_folder_base(store->target);
}

/* The target as messages have it. */
struct name {
    char text[700];
};
static struct name named(const struct bm_store *store) {
    struct name name = {""};
    bm_show_name(name.text, sizeof name.text, store->target);
    return name;
}

/* The folder cannot be opened. */
static enum blastmerge_status fail_folder(const struct bm_store *store, int failure,
                                          struct blastmerge_error *error) {
    char folder[BM_STORE_PATH];
    char shown[300];
    bm_store_folder_of(store->target, folder);
    size_t n = strlen(folder);
    while (n > 1 && folder[n - 1] == '/') folder[--n] = '\0';
    bm_show_name(shown, sizeof shown, folder);
    if (failure != ENOENT)
        return bm_fail_system(error, failure, "cannot open %s, the folder of %s", shown, named(store).text);
    bm_fail(error, BLASTMERGE_NOT_FOUND, "%s: its folder %s does not exist", named(store).text, shown);
    error->system_error = failure;
    return error->status;
}

/* --- opening ------------------------------------------------------------------------------------- */

/*
 * Makes and locks the temporary file. Between the two another run may take it for a left-over: it holds the
 * lock and is about to remove the file, or has done so. Either way the file is lost, and another name is
 * tried. A lock that fails for any other reason is one that this file system does not have: no other run gets
 * it either.
 */
static enum blastmerge_status create_temporary(struct bm_store *store, struct blastmerge_error *error) {
    int folder = store->folder.file;
    mode_t mode = store->has_old ? store->old.mode & 0600 : 0666;
    for (int tries = 0; tries < 100; tries++) {
        struct stat information;
        bm_store_folder_name_temporary(base_of(store), store->temporary);
        store->file = bm_open_at(folder, store->temporary, O_RDWR | O_CREAT | O_EXCL, mode);
        if (store->file < 0) {
            if (errno == EEXIST) continue;
            int failure = errno;
            store->temporary[0] = '\0';
            return bm_fail_system(error, failure, "cannot create a file in the folder of %s",
                                  named(store).text);
        }
        bool is_ours = flock(store->file, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK;
        is_ours = is_ours && fstat(store->file, &information) == 0 && information.st_nlink > 0;
        if (is_ours) return BLASTMERGE_OK;
        (void)unlinkat(folder, store->temporary, 0);
        close(store->file);
    }
    store->temporary[0] = '\0';
    return bm_fail_system(error, EEXIST, "cannot create a temporary file in the folder of %s",
                          named(store).text);
}

static enum blastmerge_status refuse_terminal(int file, bool is_text, struct blastmerge_error *error) {
    if (is_text || !isatty(file)) return BLASTMERGE_OK;
    return bm_fail(
        error, BLASTMERGE_USAGE,
        "the result is compressed and is not written to a terminal: name a file with -o, or redirect");
}

/* A FIFO is waited for until something reads it: the system's own wait would not end at a cancel. */
static int wait_and_open(struct bm_store *store) {
    for (;;) {
        store->file = bm_open(store->target, O_WRONLY | O_NONBLOCK | O_NOCTTY, 0);
        if (store->file >= 0) return 0;
        if (errno != ENXIO || !store->is_pipe) return errno;
        int failure = bm_cancel_nap(store->cancel, NAP);
        if (failure != 0) return failure;
    }
}

/* What is opened may be something else than what was there just before. A regular file is never written in
 * place: *has_changed then, and nothing is open. */
static enum blastmerge_status open_in_place(struct bm_store *store, mode_t mode, bool is_text,
                                            bool *has_changed, struct blastmerge_error *error) {
    struct stat opened;
    if (S_ISDIR(mode)) return bm_fail_system(error, EISDIR, "cannot write %s", named(store).text);
    store->is_pipe = S_ISFIFO(mode);
    int failure = wait_and_open(store);
    if (failure == ECANCELED) return bm_fail(error, BLASTMERGE_CANCELLED, "cancelled");
    *has_changed = failure == ENOENT;
    if (*has_changed) return BLASTMERGE_OK;
    if (failure != 0) return bm_fail_system(error, failure, "cannot open %s for writing", named(store).text);
    enum blastmerge_status status = BLASTMERGE_OK;
    if (fstat(store->file, &opened) != 0)
        status = bm_fail_system(error, errno, "cannot write %s", named(store).text);
    else if (S_ISREG(opened.st_mode))
        *has_changed = true;
    else
        status = refuse_terminal(store->file, is_text, error);
    if (status != BLASTMERGE_OK || *has_changed) {
        close(store->file);
        return status;
    }
    store->is_stream = true;
    store->is_pipe = S_ISFIFO(opened.st_mode);
    return BLASTMERGE_OK;
}

static enum blastmerge_status open_temporary(struct bm_store *store, const struct stat *existing,
                                             struct blastmerge_error *error) {
    store->has_old = existing != NULL;
    if (existing != NULL)
        store->old = (struct bm_store_owner){existing->st_mode & 0777, existing->st_uid, existing->st_gid};
    int failure = bm_store_folder_open(&store->folder, store->target);
    if (failure != 0) return fail_folder(store, failure, error);
    bm_store_folder_remove_left_overs(&store->folder, base_of(store));
    enum blastmerge_status status = create_temporary(store, error);
    if (status != BLASTMERGE_OK) bm_store_folder_close(&store->folder);
    return status;
}

/* Looks at what the target is, once for each link that leads to it: what goes meanwhile is as if it had not
 * been. *has_changed: it was no regular file, and then one, or the other way round. */
static enum blastmerge_status look_and_open(struct bm_store *store, bool is_text, bool *has_changed,
                                            struct blastmerge_error *error) {
    struct stat there;
    *has_changed = false;
    /* Devices and pipes first: some are links to what has no path. */
    if (stat(store->target, &there) == 0 && !S_ISREG(there.st_mode)) {
        return open_in_place(store, there.st_mode, is_text, has_changed, error);
    }
    for (int n_links = 0; n_links <= MAX_LINKS; n_links++) {
        if (lstat(store->target, &there) != 0) {
            if (errno != ENOENT) return bm_fail_system(error, errno, "cannot write %s", named(store).text);
            if (n_links > 0)
                return bm_fail_system(error, ENOENT, "%s: its symbolic link leads nowhere",
                                      named(store).text);
            return open_temporary(store, NULL, error);
        }
        if (!S_ISLNK(there.st_mode)) {
            *has_changed = !S_ISREG(there.st_mode);
            if (*has_changed) return BLASTMERGE_OK;
            if (store->is_force) return open_temporary(store, &there, error);
            return bm_fail(error, BLASTMERGE_EXISTS, "%s: already exists; --force replaces it",
                           named(store).text);
        }
        int failure =
            bm_store_folder_follow(store->target, sizeof store->target); /* what it points to is meant */
        if (failure == ENOENT) return open_temporary(store, NULL, error);
        if (failure != 0)
            return bm_fail_system(error, failure, "%s: its symbolic link leads to a path that is too long",
                                  named(store).text);
    }
    return bm_fail_system(error, ELOOP, "%s: its symbolic link leads nowhere", named(store).text);
}

static enum blastmerge_status open_path(struct bm_store *store, bool is_text,
                                        struct blastmerge_error *error) {
    bool has_changed = true;
    enum blastmerge_status status = BLASTMERGE_OK;
    if (base_of(store)[0] == '\0') {
        return bm_fail(error, BLASTMERGE_USAGE, "%s: is a folder's name, but a file's was expected",
                       named(store).text);
    }
    int standard = bm_standard_of_name(store->target);
    if (standard >= 0 && bm_standard_is_closed(standard))
        return bm_fail_system(error, EBADF, "%s: is closed, or not open for writing", store->target);
    for (int n_looks = 0; has_changed && n_looks < MAX_LOOKS; n_looks++)
        status = look_and_open(store, is_text, &has_changed, error);
    if (!has_changed) return status;
    return bm_fail(error, BLASTMERGE_IO, "%s: its type changes again and again", named(store).text);
}

/* --- writing ------------------------------------------------------------------------------------- */

static enum blastmerge_status file_write(struct bm_store *store, const uint8_t *data, size_t n_bytes,
                                         struct blastmerge_error *error) {
    bool waits = store->is_pipe;
    while (n_bytes > 0) {
        size_t n_try = store->is_pipe && n_bytes > PIPE_WRITE ? PIPE_WRITE : n_bytes;
        int failure = waits ? bm_cancel_wait(store->cancel, store->file, POLLOUT) : 0;
        if (bm_cancel_is_set(store->cancel)) failure = ECANCELED;
        ssize_t n = failure == 0 ? write(store->file, data, n_try) : -1;
        if (failure == 0 && n < 0) failure = errno;
        waits = store->is_pipe || failure == EAGAIN;
        if (failure == ECANCELED) return bm_fail(error, BLASTMERGE_CANCELLED, "cancelled");
        if (failure == EINTR || failure == EAGAIN) continue;
        if (failure != 0) return bm_fail_system(error, failure, "cannot write %s", named(store).text);
        data += n;
        n_bytes -= (size_t)n;
    }
    return BLASTMERGE_OK;
}

/* --- ending -------------------------------------------------------------------------------------- */

/* Hands on the owner, the group and the permissions of the file that is replaced. Where its group cannot be
 * had, that of the new one may not do more than all others. */
static void hand_on_owner(const struct bm_store *store) {
    struct stat information;
    mode_t mode = store->old.mode;
    if (fstat(store->file, &information) != 0) return;
    bool is_same = information.st_uid == store->old.user && information.st_gid == store->old.group;
    bool has_group = is_same || fchown(store->file, store->old.user, store->old.group) == 0 ||
                     fchown(store->file, (uid_t)-1, store->old.group) == 0;
    if (!has_group) mode &= ~(mode_t)070 | (mode & 07) << 3;
    (void)fchmod(store->file, mode);
}

static enum blastmerge_status file_prepare(struct bm_store *store, struct blastmerge_error *error) {
    if (store->temporary[0] == '\0') return BLASTMERGE_OK;
    if (store->has_old) hand_on_owner(store);
    if (fsync(store->file) == 0) return BLASTMERGE_OK;
    return bm_fail_system(error, errno, "cannot sync %s to the disk", named(store).text);
}

static bool is_unknown(int failure) {
    return failure == EINVAL || failure == ENOSYS || failure == ENOTSUP;
}

/* Renames without replacing: in one step where the system can, else by a link that fails if there is one. */
static int rename_to_new(const struct bm_store *store) {
    int folder = store->folder.file;
#if defined(RENAME_NOREPLACE)
    if (renameat2(folder, store->temporary, folder, base_of(store), RENAME_NOREPLACE) == 0) return 0;
    if (!is_unknown(errno)) return errno;
#endif
    if (linkat(folder, store->temporary, folder, base_of(store), 0) != 0) return errno;
    (void)unlinkat(folder, store->temporary, 0);
    return 0;
}

/* The new file and the old one change names. */
static int exchange(struct bm_store *store) {
#if defined(RENAME_EXCHANGE)
    int folder = store->folder.file;
    struct stat information;
    if (renameat2(folder, store->temporary, folder, base_of(store), RENAME_EXCHANGE) != 0) return errno;
    if (fstatat(folder, store->temporary, &information, AT_SYMLINK_NOFOLLOW) == 0 &&
        S_ISDIR(information.st_mode)) { /* it is no file any more */
        (void)renameat2(folder, store->temporary, folder, base_of(store), RENAME_EXCHANGE);
        return EISDIR;
    }
    store->has_backup = true;
    return 0;
#else
    (void)store;
    return ENOSYS;
#endif
}

/* Renames, and the old file keeps a second name where the file system has such. Until the new one, which is
 * locked, has the target's name, the old one is locked for that, if it can be: or the second name would pass
 * for a left-over. */
static int rename_over(struct bm_store *store) {
    char backup[BM_FOLDER_TEMPORARY];
    int folder = store->folder.file;
    int failure = 0;
    int old = bm_open_at(folder, base_of(store), O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
    if (old >= 0) (void)flock(old, LOCK_SH | LOCK_NB);
    bm_store_folder_name_temporary(base_of(store), backup);
    bool has_backup = linkat(folder, base_of(store), folder, backup, 0) == 0;
    store->has_old = has_backup || errno != ENOENT;
    if (renameat(folder, store->temporary, folder, base_of(store)) != 0) {
        failure = errno;
        if (has_backup) (void)unlinkat(folder, backup, 0);
    } else {
        store->has_backup = has_backup;
        if (has_backup) memcpy(store->temporary, backup, sizeof backup);
    }
    if (old >= 0) close(old);
    return failure;
}

static int give_name(struct bm_store *store) {
    int failure = store->is_force ? exchange(store) : rename_to_new(store);
    if (!store->is_force) {
        store->has_old = false;
        return failure;
    }
    store->has_old = failure == 0;
    if (failure == ENOENT) failure = rename_to_new(store); /* there is none, or not any more */
    return failure == EEXIST || is_unknown(failure) ? rename_over(store) : failure;
}

static void close_file(struct bm_store *store) {
    close(store->file);
    bm_store_folder_close(&store->folder);
}

static bool file_take_back(struct bm_store *store) {
    struct stat ours;
    struct stat visible;
    int folder = store->folder.file;
    bool is_done = false;
    if (store->temporary[0] == '\0') return false;
    bool is_ours = fstat(store->file, &ours) == 0 &&
                   fstatat(folder, base_of(store), &visible, AT_SYMLINK_NOFOLLOW) == 0 &&
                   ours.st_dev == visible.st_dev && ours.st_ino == visible.st_ino;
    if (is_ours && store->has_backup)
        is_done = renameat(folder, store->temporary, folder, base_of(store)) == 0;
    else if (is_ours && !store->has_old)
        is_done = unlinkat(folder, base_of(store), 0) == 0;
    if (is_done) is_done = bm_store_folder_sync(&store->folder) == 0;
    close_file(store);
    return is_done;
}

static void file_finish(struct bm_store *store) {
    if (store->temporary[0] == '\0') return;
    if (store->has_backup) (void)unlinkat(store->folder.file, store->temporary, 0);
    close_file(store);
}

/* What is written in place is visible already. */
static enum blastmerge_status end_in_place(struct bm_store *store, struct blastmerge_error *error) {
    if (store->file == STDOUT_FILENO || close(store->file) == 0) return BLASTMERGE_OK;
    return bm_fail_system(error, errno, "cannot write %s", named(store).text);
}

static enum blastmerge_status file_reveal(struct bm_store *store, struct blastmerge_error *error) {
    if (store->temporary[0] == '\0') return end_in_place(store, error);
    int failure = give_name(store);
    if (failure == 0) {
        failure = bm_store_folder_sync(&store->folder);
        if (failure == 0) return BLASTMERGE_OK;
        bool is_back = file_take_back(store);
        return bm_fail_system(error, failure,
                              is_back ? "cannot sync the folder of %s to the disk"
                                      : "%s: is in its place, but its folder cannot be synced to the disk",
                              named(store).text);
    }
    (void)unlinkat(store->folder.file, store->temporary, 0);
    close_file(store);
    if (failure == EEXIST)
        return bm_fail(error, BLASTMERGE_EXISTS, "%s: appeared during the run; --force replaces it",
                       named(store).text);
    return bm_fail_system(error, failure, "cannot give %s its name", named(store).text);
}

static void file_discard(struct bm_store *store) {
    if (store->temporary[0] != '\0') {
        (void)unlinkat(store->folder.file, store->temporary, 0);
        close_file(store);
    } else if (store->file != STDOUT_FILENO) {
        close(store->file);
    }
}

static const struct bm_store_back_end file_back_end = {.write = file_write,
                                                       .prepare = file_prepare,
                                                       .reveal = file_reveal,
                                                       .take_back = file_take_back,
                                                       .finish = file_finish,
                                                       .discard = file_discard};

int bm_store_descriptor(const struct bm_store *store) {
    return store->back_end == &file_back_end && store->temporary[0] != '\0' ? store->file : -1;
}

bool bm_store_path(const struct bm_store *store, char path[BM_STORE_PATH]) {
    if (bm_store_descriptor(store) < 0) return false;
    size_t n_folder = (size_t)(base_of(store) - store->target);
    if (n_folder + strlen(store->temporary) >= BM_STORE_PATH) return false;
    memcpy(path, store->target, n_folder);
    memcpy(path + n_folder, store->temporary, strlen(store->temporary) + 1);
    return true;
}

bool bm_store_is_standard_output(const char *location) {
    return strcmp(location, "-") == 0 || bm_standard_of_name(location) == STDOUT_FILENO;
}

enum blastmerge_status bm_store_open_location(struct bm_store *store, const char *location, bool is_force,
                                              bool is_text, struct bm_cancel *cancel,
                                              struct blastmerge_error *error) {
    enum blastmerge_status status = BLASTMERGE_OK;
    memset(store, 0, sizeof *store);
    store->cancel = cancel;
    store->is_force = is_force;
    store->folder.file = -1;
    if (strlen(location) >= sizeof store->target) {
        return bm_fail_system(error, ENAMETOOLONG, "cannot write the output");
    }
    if (bm_store_is_standard_output(location)) {
        struct stat information;
        memcpy(store->target, "standard output", sizeof "standard output");
        store->file = STDOUT_FILENO;
        store->is_stream = true;
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
