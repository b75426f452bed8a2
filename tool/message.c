/* SPDX-License-Identifier: MIT */
#include "tool.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Long enough for the library's longest message with a word before it. */
#define MESSAGE_BYTES 2048

/* One call for the whole line, so that lines of programs that share a log stay whole. Where standard
 * error itself fails there is nowhere left to say so. */
static void print_message(const char *kind, const char *format, va_list arguments, const char *reason) {
    char text[MESSAGE_BYTES];
    char shown[MESSAGE_BYTES];
    if (vsnprintf(text, sizeof text, format, arguments) >= (int)sizeof text)
        memcpy(text + sizeof text - 4, "...", 4);
    blastmerge_show(text, shown, sizeof shown);
    char line[MESSAGE_BYTES + 256];
    int n = snprintf(line, sizeof line, "blastmerge: %s%s%s%s\n", kind, shown, reason != NULL ? ": " : "",
                     reason != NULL ? reason : "");
    if (n > 0) (void)tool_write(STDERR_FILENO, line, (size_t)n < sizeof line ? (size_t)n : sizeof line - 1);
}

enum blastmerge_status tool_fail(enum blastmerge_status status, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    print_message("", format, arguments, NULL);
    va_end(arguments);
    return status;
}

static enum blastmerge_status status_of_errno(int system_error) {
    switch (system_error) {
    case ENOENT:
    case ENOTDIR:
        return BLASTMERGE_NOT_FOUND;
    case EACCES:
    case EPERM:
    case EROFS:
        return BLASTMERGE_DENIED;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return BLASTMERGE_NO_SPACE;
    case ENOMEM:
        return BLASTMERGE_NO_MEMORY;
    default:
        return BLASTMERGE_IO;
    }
}

enum blastmerge_status tool_fail_system(int system_error, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    print_message("", format, arguments, strerror(system_error));
    va_end(arguments);
    return status_of_errno(system_error);
}

void tool_say(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    print_message("", format, arguments, NULL);
    va_end(arguments);
}

/* For print_message, which wants its arguments as a list. */
static void print_warning(const char *format, ...) TOOL_FORMAT(1, 2);
static void print_warning(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    print_message("warning: ", format, arguments, NULL);
    va_end(arguments);
}

void tool_warn(const char *message) {
    print_warning("%s", message);
}

struct tool_size tool_size(double n_bytes) {
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
    struct tool_size size;
    size_t unit = 0;
    for (; n_bytes >= 1023.95 && unit + 1 < sizeof units / sizeof units[0]; unit++) n_bytes /= 1024;
    (void)snprintf(size.text, sizeof size.text, "%.*f %s", unit > 0, n_bytes, units[unit]);
    return size;
}
