/* SPDX-License-Identifier: MIT */
#include "base/descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#if !defined(O_PATH)
#define O_PATH 0
#endif

int bm_above_standard(int file) {
    if (file < 0 || file > STDERR_FILENO) return file;
    int above = fcntl(file, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    int failure = errno;
    close(file);
    errno = failure;
    return above;
}

int bm_open(const char *path, int flags, mode_t mode) {
    return bm_above_standard(open(path, flags | O_CLOEXEC, mode));
}

int bm_open_at(int folder, const char *path, int flags, mode_t mode) {
    return bm_above_standard(openat(folder, path, flags | O_CLOEXEC, mode));
}

/* The folder is the first n_folder bytes of the path. */
static int open_temporary_in(const char *path, size_t n_folder) {
    char name[PATH_MAX];
    int n = snprintf(name, sizeof name, "%.*s/.blastmerge-XXXXXX", (int)n_folder, path);
    if (n_folder >= sizeof name || n >= (int)sizeof name) {
        errno = ENAMETOOLONG;
        return -1;
    }
#if defined(O_TMPFILE) /* never has a name, so that a kill at the wrong moment leaves none */
    name[n_folder] = '\0';
    int nameless = bm_open(name, O_TMPFILE | O_RDWR, 0600);
    if (nameless >= 0) return nameless;
    name[n_folder] = '/';
#endif
    int file = mkostemp(name, O_CLOEXEC);
    if (file >= 0) (void)unlink(name);
    return bm_above_standard(file);
}

int bm_open_temporary(const char *beside) {
    const char *folder = getenv("TMPDIR");
    if (folder != NULL && folder[0] == '/') return open_temporary_in(folder, strlen(folder));
    if (beside != NULL) {
        const char *slash = strrchr(beside, '/');
        int file = slash == NULL ? open_temporary_in(".", 1)
                                 : open_temporary_in(beside, (size_t)(slash - beside) + 1);
        if (file >= 0) return file;
    }
    return open_temporary_in("/tmp", 4);
}

ssize_t bm_read_at(int file, void *data, size_t n_bytes, uint64_t offset) {
    size_t n_read = 0;
    while (n_read < n_bytes) {
        ssize_t n = pread(file, (char *)data + n_read, n_bytes - n_read, (off_t)(offset + n_read));
        if (n == 0) break;
        if (n > 0) n_read += (size_t)n;
        if (n < 0 && errno != EINTR) return -1;
    }
    return (ssize_t)n_read;
}

bool bm_write_at(int file, const void *data, size_t n_bytes, uint64_t offset) {
    size_t n_written = 0;
    while (n_written < n_bytes) {
        ssize_t n =
            pwrite(file, (const char *)data + n_written, n_bytes - n_written, (off_t)(offset + n_written));
        if (n > 0) n_written += (size_t)n;
        if (n == 0) errno = ENOSPC; /* POSIX does not rule it out */
        if (n == 0 || (n < 0 && errno != EINTR)) return false;
    }
    return true;
}

bool bm_write_all(int file, const void *data, size_t n_bytes) {
    size_t n_written = 0;
    while (n_written < n_bytes) {
        ssize_t n = write(file, (const char *)data + n_written, n_bytes - n_written);
        if (n > 0) n_written += (size_t)n;
        if (n == 0) errno = ENOSPC; /* POSIX does not rule it out */
        if (n == 0 || (n < 0 && errno != EINTR)) return false;
    }
    return true;
}

int bm_open_pipe(int ends[2]) {
    if (pipe(ends) != 0) return -1;
    ends[0] = bm_above_standard(ends[0]);
    ends[1] = bm_above_standard(ends[1]);
    if (ends[0] >= 0 && ends[1] >= 0) {
        for (int i = 0; i < 2; i++) (void)fcntl(ends[i], F_SETFD, FD_CLOEXEC);
        return 0;
    }
    int failure = errno;
    for (int i = 0; i < 2; i++) {
        if (ends[i] >= 0) close(ends[i]);
    }
    errno = failure;
    return -1;
}

int bm_open_socket(int domain, int type, int protocol) {
    int file = bm_above_standard(socket(domain, type, protocol));
    if (file >= 0) (void)fcntl(file, F_SETFD, FD_CLOEXEC);
    return file;
}

FILE *bm_open_stream(const char *path) {
    int file = bm_open(path, O_RDONLY | O_NONBLOCK, 0); /* a FIFO without a writer is empty */
    FILE *stream = file < 0 ? NULL : fdopen(file, "r");
    if (stream != NULL || file < 0) return stream;
    int failure = errno;
    close(file);
    errno = failure;
    return NULL;
}

void bm_standard_hold(struct bm_standard *standard) {
    for (int file = 0; file <= STDERR_FILENO; file++) {
        standard->is_held[file] = false;
        if (fcntl(file, F_GETFD) >= 0 || errno != EBADF) continue;
        int held = open("/", O_RDONLY | O_DIRECTORY | O_PATH | O_CLOEXEC);
        standard->is_held[file] = held == file;
        if (held >= 0 && held != file) close(held); /* another thread was faster */
    }
}

void bm_standard_release(const struct bm_standard *standard) {
    for (int file = 0; file <= STDERR_FILENO; file++) {
        if (standard->is_held[file]) close(file);
    }
}

int bm_standard_of_name(const char *path) {
    static const char *const streams[] = {"stdin", "stdout", "stderr"};
    static const char *const folders[] = {"/dev/fd/", "/proc/self/fd/"};
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        size_t n = strlen(folders[i]);
        if (strncmp(path, folders[i], n) == 0 && path[n] >= '0' && path[n] <= '2' && path[n + 1] == '\0')
            return path[n] - '0';
    }
    for (int file = 0; file <= STDERR_FILENO && strncmp(path, "/dev/", 5) == 0; file++) {
        if (strcmp(path + 5, streams[file]) == 0) return file;
    }
    return -1;
}

bool bm_standard_is_closed(int file) {
    int flags = fcntl(file, F_GETFL);
    return flags < 0 || (O_PATH != 0 && (flags & O_PATH) != 0);
}

bool bm_standard_is_open(int file, int mode) {
    if (bm_standard_is_closed(file)) return false;
    int flags = fcntl(file, F_GETFL);
    return (flags & O_ACCMODE) == O_RDWR || (flags & O_ACCMODE) == mode;
}
