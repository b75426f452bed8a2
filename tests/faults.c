/* SPDX-License-Identifier: MIT */
/*
 * System calls that fail: a library to be loaded before all others (LD_PRELOAD).
 *
 * FAULTS_CALL names a call ("any": all of them are counted together), FAULTS_AT says which one of them (from
 * 1) fails, FAULTS_ERRNO with what. Instead of an errno, "kill" ends the process there as SIGKILL does,
 * "short" makes every read or write take one byte only, "eintr" makes every second call fail with EINTR, and
 * "change" has a bit of the file FAULTS_FILE changed at its byte FAULTS_BYTE, before the call, which does not fail.
 * FAULTS_COUNT names a file to which the number of calls is written at the end.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static atomic_uint n_calls;

/* The real function. */
static void *real(const char *name) {
    void *found = dlsym(RTLD_NEXT, name);
    if (found == NULL) abort();
    return found;
}

#define REAL(type, name) ((type)(uintptr_t)real(name))

static const char *setting(const char *name) {
    const char *value = getenv(name);
    return value == NULL ? "" : value;
}

static int is_wanted(const char *call) {
    const char *wanted = setting("FAULTS_CALL");
    return strcmp(wanted, call) == 0 || strcmp(wanted, "any") == 0;
}

static void change_file(void) {
    off_t at = (off_t)strtoul(setting("FAULTS_BYTE"), NULL, 10);
    int file = REAL(int (*)(const char *, int, mode_t), "open")(setting("FAULTS_FILE"), O_RDWR, 0);
    uint8_t byte = 0;
    if (REAL(ssize_t(*)(int, void *, size_t, off_t), "pread")(file, &byte, 1, at) != 1) abort();
    byte ^= 1;
    if (REAL(ssize_t(*)(int, const void *, size_t, off_t), "pwrite")(file, &byte, 1, at) != 1) abort();
    REAL(int (*)(int), "close")(file);
}

/* 0, or the errno with which this call fails. */
static int fault(const char *call) {
    if (!is_wanted(call)) return 0;
    unsigned number = atomic_fetch_add(&n_calls, 1) + 1;
    const char *kind = setting("FAULTS_ERRNO");
    if (strcmp(kind, "short") == 0) return 0;
    if (strcmp(kind, "eintr") == 0) return number % 2 == 1 ? EINTR : 0;
    if (number != strtoul(setting("FAULTS_AT"), NULL, 10)) return 0;
    if (strcmp(kind, "kill") == 0) raise(SIGKILL);
    if (strcmp(kind, "change") == 0) {
        change_file();
        return 0;
    }
    return (int)strtol(kind, NULL, 10);
}

static size_t shorten(const char *call, size_t n) {
    return n > 1 && is_wanted(call) && strcmp(setting("FAULTS_ERRNO"), "short") == 0 ? 1 : n;
}

__attribute__((destructor)) static void tell(void) {
    const char *path = setting("FAULTS_COUNT");
    if (path[0] == '\0') return;
    FILE *file = fopen(path, "w");
    if (file == NULL) return;
    fprintf(file, "%u\n", atomic_load(&n_calls));
    fclose(file);
}

#define FAIL(call, failed)                                                                                   \
    do {                                                                                                     \
        int failure = fault(call);                                                                           \
        if (failure != 0) {                                                                                  \
            errno = failure;                                                                                 \
            return failed;                                                                                   \
        }                                                                                                    \
    } while (0)

ssize_t read(int file, void *data, size_t n) {
    FAIL("read", -1);
    return REAL(ssize_t(*)(int, void *, size_t), "read")(file, data, shorten("read", n));
}

ssize_t write(int file, const void *data, size_t n) {
    FAIL("write", -1);
    return REAL(ssize_t(*)(int, const void *, size_t), "write")(file, data, shorten("write", n));
}

ssize_t pread(int file, void *data, size_t n, off_t offset) {
    FAIL("pread", -1);
    return REAL(ssize_t(*)(int, void *, size_t, off_t), "pread")(file, data, shorten("pread", n), offset);
}

ssize_t pwrite(int file, const void *data, size_t n, off_t offset) {
    FAIL("pwrite", -1);
    return REAL(ssize_t(*)(int, const void *, size_t, off_t), "pwrite")(file, data, shorten("pwrite", n),
                                                                        offset);
}

ssize_t copy_file_range(int from, off_t *from_offset, int to, off_t *to_offset, size_t n, unsigned flags) {
    FAIL("copy_file_range", -1);
    return REAL(ssize_t(*)(int, off_t *, int, off_t *, size_t, unsigned),
                "copy_file_range")(from, from_offset, to, to_offset, shorten("copy_file_range", n), flags);
}

int fsync(int file) {
    FAIL("fsync", -1);
    return REAL(int (*)(int), "fsync")(file);
}

int close(int file) {
    int failure = fault("close");
    int result = REAL(int (*)(int), "close")(file);
    if (failure == 0) return result;
    errno = failure;
    return -1;
}

int open(const char *path, int flags, ...) {
    FAIL("open", -1);
    return REAL(int (*)(const char *, int, mode_t), "open")(path, flags, 0666);
}

int fstat(int file, struct stat *information) {
    FAIL("fstat", -1);
    return REAL(int (*)(int, struct stat *), "fstat")(file, information);
}

int rename(const char *from, const char *to) {
    FAIL("rename", -1);
    return REAL(int (*)(const char *, const char *), "rename")(from, to);
}

int renameat2(int from_folder, const char *from, int to_folder, const char *to, unsigned flags) {
    FAIL("renameat2", -1);
    return REAL(int (*)(int, const char *, int, const char *, unsigned), "renameat2")(from_folder, from,
                                                                                      to_folder, to, flags);
}

int renameat(int from_folder, const char *from, int to_folder, const char *to) {
    FAIL("renameat", -1);
    return REAL(int (*)(int, const char *, int, const char *), "renameat")(from_folder, from, to_folder, to);
}

int openat(int folder, const char *path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    FAIL("openat", -1);
    return REAL(int (*)(int, const char *, int, ...), "openat")(folder, path, flags, mode);
}

int stat(const char *path, struct stat *information) {
    FAIL("stat", -1);
    return REAL(int (*)(const char *, struct stat *), "stat")(path, information);
}

int lstat(const char *path, struct stat *information) {
    FAIL("lstat", -1);
    return REAL(int (*)(const char *, struct stat *), "lstat")(path, information);
}

int fstatat(int folder, const char *path, struct stat *information, int flags) {
    FAIL("fstatat", -1);
    return REAL(int (*)(int, const char *, struct stat *, int), "fstatat")(folder, path, information, flags);
}

int fchmod(int file, mode_t mode) {
    FAIL("fchmod", -1);
    return REAL(int (*)(int, mode_t), "fchmod")(file, mode);
}

int linkat(int from_folder, const char *from, int to_folder, const char *to, int flags) {
    FAIL("linkat", -1);
    return REAL(int (*)(int, const char *, int, const char *, int), "linkat")(from_folder, from, to_folder,
                                                                              to, flags);
}

int link(const char *from, const char *to) {
    FAIL("link", -1);
    return REAL(int (*)(const char *, const char *), "link")(from, to);
}

int unlink(const char *path) {
    FAIL("unlink", -1);
    return REAL(int (*)(const char *), "unlink")(path);
}

int unlinkat(int folder, const char *path, int flags) {
    FAIL("unlinkat", -1);
    return REAL(int (*)(int, const char *, int), "unlinkat")(folder, path, flags);
}

int mkdir(const char *path, mode_t mode) {
    FAIL("mkdir", -1);
    return REAL(int (*)(const char *, mode_t), "mkdir")(path, mode);
}

int pipe(int files[2]) {
    FAIL("pipe", -1);
    return REAL(int (*)(int[2]), "pipe")(files);
}

int poll(void *files, unsigned long n, int timeout) {
    FAIL("poll", -1);
    return REAL(int (*)(void *, unsigned long, int), "poll")(files, n, timeout);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                   void *argument) {
    int failure = fault("pthread_create");
    if (failure != 0) return failure;
    return REAL(int (*)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *),
                "pthread_create")(thread, attributes, run, argument);
}
