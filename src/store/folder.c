/* SPDX-License-Identifier: MIT */
#include "store/folder.h"
#include "base/descriptor.h"
#include "base/hash.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    N_RANDOM = 12, /* letters that make a temporary name one of a kind */
    N_STEM = 64    /* bytes of the target's name that a temporary name has at most */
};

static const char infix[] = ".blastmerge-";

const char *bm_store_folder_base(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

void bm_store_folder_of(const char *path, char *folder) {
    size_t n = (size_t)(bm_store_folder_base(path) - path);
    if (n == 0) {
        memcpy(folder, ".", 2);
    } else {
        memcpy(folder, path, n);
        folder[n] = '\0';
    }
}

int bm_store_folder_open(struct bm_store_folder *folder, const char *path) {
    char name[PATH_MAX];
    folder->file = -1;
    folder->can_sync = true;
    if (strlen(path) >= sizeof name) return ENAMETOOLONG;
    bm_store_folder_of(path, name);
    folder->file = bm_open(name, O_RDONLY | O_DIRECTORY, 0);
#if defined(O_PATH)
    if (folder->file < 0 && errno == EACCES) { /* it may be written, but not read */
        folder->can_sync = false;
        folder->file = bm_open(name, O_PATH | O_DIRECTORY, 0);
    }
#endif
    return folder->file < 0 ? errno : 0;
}

void bm_store_folder_close(struct bm_store_folder *folder) {
    if (folder->file >= 0) close(folder->file);
    folder->file = -1;
}

int bm_store_folder_sync(const struct bm_store_folder *folder) {
    if (!folder->can_sync || fsync(folder->file) == 0) return 0;
    return errno == EINVAL || errno == ENOTSUP ? 0 : errno;
}

/* --- temporary names ----------------------------------------------------------------------------- */

/* Letters for a name that nothing else is likely to have; O_EXCL makes sure. */
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

/* What all temporary names for `base` begin with. Of a long name it is the beginning, up to a whole UTF-8
 * character, and a hash of all of it: some file systems take 143 bytes only. */
static size_t write_stem(const char *base, char temporary[BM_FOLDER_TEMPORARY]) {
    size_t n = strlen(base);
    if (n <= N_STEM) return (size_t)snprintf(temporary, BM_FOLDER_TEMPORARY, ".%s%s", base, infix);
    for (n = N_STEM; n > N_STEM - 3 && ((uint8_t)base[n] & 0xc0) == 0x80; n--) {
    }
    return (size_t)snprintf(temporary, BM_FOLDER_TEMPORARY, ".%.*s~%016llx%s", (int)n, base,
                            (unsigned long long)bm_fnv1a(BM_FNV1A, base, strlen(base)), infix);
}

void bm_store_folder_name_temporary(const char *base, char temporary[BM_FOLDER_TEMPORARY]) {
    char letters[N_RANDOM + 1] = "";
    size_t n = write_stem(base, temporary);
    random_letters(letters);
    memcpy(temporary + n, letters, sizeof letters);
}

/* Whether the target is a file whose writer still holds it, for example because its report is not written
 * yet. Then a file without a lock may be the one that the target has replaced, and may have to be restored.
 * The same is true if the target cannot be opened. But a left-over that is the target itself is only a second
 * name of it. */
static bool is_being_committed(const struct bm_store_folder *folder, const char *base, int left_over) {
    struct stat own;
    struct stat other;
    int file = bm_open_at(folder->file, base, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
    if (file < 0) return errno != ENOENT;
    bool is_same = fstat(left_over, &own) == 0 && fstat(file, &other) == 0 && own.st_dev == other.st_dev &&
                   own.st_ino == other.st_ino;
    bool is_locked = !is_same && flock(file, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    close(file);
    return is_locked;
}

void bm_store_folder_remove_left_overs(const struct bm_store_folder *folder, const char *base) {
    char stem[BM_FOLDER_TEMPORARY];
    size_t n_stem = write_stem(base, stem);
    int again = bm_open_at(folder->file, ".", O_RDONLY | O_DIRECTORY, 0);
    DIR *entries = again < 0 ? NULL : fdopendir(again);
    if (entries == NULL) {
        if (again >= 0) close(again);
        return;
    }
    for (struct dirent *entry = readdir(entries); entry != NULL; entry = readdir(entries)) {
        if (strncmp(entry->d_name, stem, n_stem) != 0 || strlen(entry->d_name) != n_stem + N_RANDOM) continue;
        int file = bm_open_at(folder->file, entry->d_name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
        if (file < 0) continue;
        /* The lock comes first: a file that is replaced by now was already replaced when the target was checked. */
        if (flock(file, LOCK_EX | LOCK_NB) == 0 && !is_being_committed(folder, base, file))
            (void)unlinkat(folder->file, entry->d_name, 0);
        close(file);
    }
    closedir(entries);
}

/* --- links --------------------------------------------------------------------------------------- */

int bm_store_folder_follow(char *path, size_t size) {
    char pointed_to[PATH_MAX];
    ssize_t n = readlink(path, pointed_to, sizeof pointed_to - 1);
    if (n < 0) return errno;
    size_t n_folder = pointed_to[0] == '/' ? 0 : (size_t)(bm_store_folder_base(path) - path);
    if ((size_t)n >= sizeof pointed_to - 1 || n_folder + (size_t)n >= size) return ENAMETOOLONG;
    memcpy(path + n_folder, pointed_to, (size_t)n);
    path[n_folder + (size_t)n] = '\0';
    return 0;
}
