/* SPDX-License-Identifier: MIT */
/*
 * base/descriptor.h - opens files without ever taking the place of a standard stream.
 *
 * A process may run with descriptors 0, 1 or 2 closed. The next file that is opened gets the lowest free
 * number, and is then read as standard input or written to as standard output. So all of the library's
 * descriptors are opened here, above 2 and closed on exec; tests/tool/descriptors.sh allows no other place.
 */
#ifndef BM_DESCRIPTOR_H
#define BM_DESCRIPTOR_H

#include "base/base.h"

#include <stdio.h>
#include <sys/stat.h>
#include <sys/types.h>

/* When a file was last changed, of a struct stat: a struct timespec. */
#if defined(__APPLE__)
#define BM_MODIFIED(information) (information).st_mtimespec
#else
#define BM_MODIFIED(information) (information).st_mtim
#endif

/* Returns the file under a number above 2, closed on exec; the given number is closed if it differs. On
 * failure -1 and errno, like open(). A `file` of -1 is returned unchanged. */
int bm_above_standard(int file) BM_CHECK_RESULT;

/* open(), openat(), pipe() and socket(). O_CLOEXEC is added. */
int bm_open(const char *path, int flags, mode_t mode) BM_CHECK_RESULT;
int bm_open_at(int folder, const char *path, int flags, mode_t mode) BM_CHECK_RESULT;
int bm_open_pipe(int ends[2]) BM_CHECK_RESULT;
int bm_open_socket(int domain, int type, int protocol) BM_CHECK_RESULT;

/* A temporary file without a name, for writing and reading: in TMPDIR; without that in the folder of `beside`, the
 * path of the result, which may be NULL; else in /tmp. */
int bm_open_temporary(const char *beside) BM_CHECK_RESULT;

/* pread() and pwrite() until the end, whatever interrupts them. The first reads fewer bytes only at the file's end.
 * -1, or false: errno says why. */
ssize_t bm_read_at(int file, void *data, size_t n_bytes, uint64_t offset) BM_CHECK_RESULT;
bool bm_write_at(int file, const void *data, size_t n_bytes, uint64_t offset) BM_CHECK_RESULT;

/* write() until the end, likewise. */
bool bm_write_all(int file, const void *data, size_t n_bytes) BM_CHECK_RESULT;

/* fopen() for reading. */
FILE *bm_open_stream(const char *path) BM_CHECK_RESULT;

/* For a library that opens descriptors of its own: while held, those of 0, 1 and 2 that are closed are
 * occupied. */
struct bm_standard {
    bool is_held[3];
};
void bm_standard_hold(struct bm_standard *standard);
void bm_standard_release(const struct bm_standard *standard);

/* The number of the standard stream that a path names, such as /dev/stdin or /dev/fd/0; -1: none. */
int bm_standard_of_name(const char *path);

/* Whether a standard stream is closed, or its place is occupied by something that can be neither read nor
 * written. */
bool bm_standard_is_closed(int file);

/* Whether a standard stream is open for reading (O_RDONLY) or writing (O_WRONLY). */
bool bm_standard_is_open(int file, int mode);

#endif
