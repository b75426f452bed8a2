/* SPDX-License-Identifier: MIT */
/*
 * The standard streams and the files that the program itself reads. A stream may come from elsewhere with
 * O_NONBLOCK set, which belongs to all that share it: whatever is not ready is waited for. stdio would lose
 * what it has.
 */
#include "tool.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#if !defined(O_PATH)
#define O_PATH 0
#endif

static bool waited_for(int file, short events) {
    struct pollfd waited = {.fd = file, .events = events};
    if (errno == EINTR) return true;
    if (errno != EAGAIN && errno != EWOULDBLOCK) return false;
    return poll(&waited, 1, -1) >= 0 || errno == EINTR;
}

bool tool_is_standard(const char *name, int file) {
    static const char *const names[2][4] = {{"-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"},
                                            {"-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"}};
    for (size_t i = 0; i < 4; i++)
        if (strcmp(name, names[file][i]) == 0) return true;
    return false;
}

/* A closed stream is held by what can be neither read nor written: see main.c. */
static bool is_closed(int file) {
    int flags = fcntl(file, F_GETFL);
    return flags < 0 || (flags & O_PATH) != 0;
}

enum blastmerge_status tool_fail_input(int system_error, const char *name, const char *shown) {
    if (strcmp(name, "-") == 0) shown = "standard input";
    if (tool_is_standard(name, STDIN_FILENO) && is_closed(STDIN_FILENO))
        return tool_fail(BLASTMERGE_IO, "%s: is closed, or not open for reading", shown);
    return tool_fail_system(system_error, "%s", shown);
}

/* A FIFO without a writer is waited for when it is read. */
int tool_open_input(const char *name) {
    if (strcmp(name, "-") == 0) return STDIN_FILENO;
    int file = open(name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    struct pollfd waited = {.fd = file, .events = POLLIN};
    if (file >= 0) (void)poll(&waited, 1, -1);
    return file;
}

void tool_close_input(int file) {
    if (file > STDERR_FILENO) (void)close(file);
}

ptrdiff_t tool_read(int file, void *data, size_t n_bytes) {
    for (;;) {
        ptrdiff_t n = read(file, data, n_bytes);
        if (n >= 0 || !waited_for(file, POLLIN)) return n;
    }
}

bool tool_write(int file, const char *data, size_t n_bytes) {
    while (n_bytes > 0) {
        ptrdiff_t n = write(file, data, n_bytes);
        if (n < 0) {
            if (waited_for(file, POLLOUT)) continue;
            return false;
        }
        data += n;
        n_bytes -= (size_t)n;
    }
    return true;
}

/* --- standard output ----------------------------------------------------------------------------- */

static char pending[8192];
static size_t n_pending;
static int output_failure;

static void flush_pending(void) {
    if (output_failure == 0 && !tool_write(STDOUT_FILENO, pending, n_pending)) output_failure = errno;
    n_pending = 0;
}

void tool_put(const char *data, size_t n_bytes) {
    while (n_bytes > 0) {
        size_t n_room = sizeof pending - n_pending;
        size_t n = n_bytes < n_room ? n_bytes : n_room;
        memcpy(pending + n_pending, data, n);
        n_pending += n;
        data += n;
        n_bytes -= n;
        if (n_pending == sizeof pending) flush_pending();
    }
}

void tool_print(const char *format, ...) {
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (n > 0) tool_put(text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1);
}

enum blastmerge_status tool_flush_output(void) {
    flush_pending();
    return output_failure == 0 ? BLASTMERGE_OK
                               : tool_fail_system(output_failure, "cannot write standard output");
}
