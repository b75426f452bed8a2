/* SPDX-License-Identifier: MIT */
#include "tool.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The longest name in a list, with its end: more than any path can have. */
#define NAME_BYTES 65536

static bool is_stdin(const char *name) {
    return tool_is_standard(name, STDIN_FILENO);
}

/* Any path, each of its bytes shown as an escape. */
#define SHOWN_BYTES 16384

/* --- where names came from ------------------------------------------------------------------------ */

/*
 * An error about a child that a list names says in which line. Lists may be long, may come from a pipe, and their
 * children are sorted: so of each name its hash and its line are kept. Two names with one hash are rare enough,
 * and then it is a line too early that is named.
 */
static struct {
    struct note {
        uint32_t hash;
        uint32_t line;
    } * notes;
    size_t n_notes;
    size_t n_allocated;
    struct origin {
        const char *name;
        const char *unit;
        size_t first_note;
    } * lists;
    size_t n_lists;
} noted;

/* FNV-1a. */
static uint32_t hash_of(const char *name) {
    uint32_t hash = 0x811c9dc5U;
    for (; *name != '\0'; name++) hash = (hash ^ (unsigned char)*name) * 0x01000193U;
    return hash;
}

/* Without memory for it nothing is said of it. */
static void note_name(const char *name, uint64_t line) {
    if (noted.n_notes == noted.n_allocated) {
        size_t n = noted.n_allocated + noted.n_allocated / 8 + 64;
        struct note *notes = realloc(noted.notes, n * sizeof *notes);
        if (notes == NULL) return;
        noted.notes = notes;
        noted.n_allocated = n;
    }
    noted.notes[noted.n_notes++] =
        (struct note){hash_of(name), line < UINT32_MAX ? (uint32_t)line : UINT32_MAX};
}

static void note_list(const char *name, bool null_separated) {
    struct origin *lists = realloc(noted.lists, (noted.n_lists + 1) * sizeof *lists);
    if (lists == NULL) return;
    noted.lists = lists;
    lists[noted.n_lists++] = (struct origin){name, null_separated ? "name" : "line", noted.n_notes};
}

void tool_children_tell_origin(const char *location, char *origin, size_t size) {
    char shown[512];
    uint32_t hash = hash_of(location);
    size_t i = 0;
    origin[0] = '\0';
    while (i < noted.n_notes && noted.notes[i].hash != hash) i++;
    if (i == noted.n_notes || noted.n_lists == 0) return;
    const struct origin *list = noted.lists + noted.n_lists - 1;
    while (list > noted.lists && list->first_note > i) list--;
    blastmerge_show_location(strcmp(list->name, "-") == 0 ? "standard input" : list->name, shown,
                             sizeof shown);
    (void)snprintf(origin, size, "%s: %s %lu: ", shown, list->unit, (unsigned long)noted.notes[i].line);
}

/* --- lists ----------------------------------------------------------------------------------------- */

/* What is being read, for messages and for what stdin was spent on. */
struct list {
    struct blastmerge_job *job;
    int file;
    const char *name;  /* as it is shown */
    const char *given; /* on the command line */
    int separator;
    uint64_t n_items; /* lines or names, also empty ones */
    uint64_t n_children;
    bool *stdin_taken;
    size_t n_buffer;
    size_t position;
    char buffer[4096];
};

/* The list's next byte, or END, or FAILED with errno. */
enum { END = -1, FAILED = -2 };

static int next_byte(struct list *list) {
    if (list->position == list->n_buffer) {
        ptrdiff_t n = tool_read(list->file, list->buffer, sizeof list->buffer);
        if (n <= 0) return n == 0 ? END : FAILED;
        list->n_buffer = (size_t)n;
        list->position = 0;
    }
    return (unsigned char)list->buffer[list->position++];
}

/* origin: what comes before a message about it. */
static enum blastmerge_status add_child(struct blastmerge_job *job, const char *name, bool *stdin_taken,
                                        const char *origin) {
    if (is_stdin(name)) {
        if (*stdin_taken)
            return tool_fail(BLASTMERGE_USAGE, "%sstandard input is given twice, and can be read only once",
                             origin);
        *stdin_taken = true;
    }
    enum blastmerge_status status = blastmerge_add_location(job, name);
    return status == BLASTMERGE_OK ? status
                                   : tool_fail(status, "%s%s", origin, blastmerge_error(job)->message);
}

static const char *unit_of(const struct list *list) {
    return list->separator == '\n' ? "line" : "name";
}

/* A list may begin with a byte order mark, which is no part of its first name. */
static enum blastmerge_status skip_mark(const struct list *list, char **item, size_t *n_bytes) {
    if (list->n_items == 1 && *n_bytes >= 2 &&
        (memcmp(*item, "\xff\xfe", 2) == 0 || memcmp(*item, "\xfe\xff", 2) == 0))
        return tool_fail(BLASTMERGE_USAGE, "%s: the list is UTF-16: save it as UTF-8", list->name);
    if (list->n_items == 1 && *n_bytes >= 3 && memcmp(*item, "\xef\xbb\xbf", 3) == 0) {
        *item += 3;
        *n_bytes -= 3;
    }
    return BLASTMERGE_OK;
}

/* A line may end in CR LF, and an empty one is nothing. */
static enum blastmerge_status take_item(struct list *list, char *item, size_t n_bytes) {
    list->n_items++;
    enum blastmerge_status status = skip_mark(list, &item, &n_bytes);
    if (status != BLASTMERGE_OK) return status;
    if (list->separator == '\n') {
        if (memchr(item, '\0', n_bytes) != NULL)
            return tool_fail(BLASTMERGE_USAGE,
                             "%s: line %llu holds a NUL byte: is this a list of names? "
                             "(--null is for names that end in NUL bytes)",
                             list->name, (unsigned long long)list->n_items);
        if (n_bytes > 0 && item[n_bytes - 1] == '\r') n_bytes--;
        if (n_bytes == 0) return BLASTMERGE_OK;
    }
    if (n_bytes == 0)
        return tool_fail(BLASTMERGE_USAGE, "%s: name %llu is empty", list->name,
                         (unsigned long long)list->n_items);
    item[n_bytes] = '\0';
    char origin[600];
    (void)snprintf(origin, sizeof origin, "%.500s: %s %llu: ", list->name, unit_of(list),
                   (unsigned long long)list->n_items);
    note_name(item, list->n_items);
    list->n_children++;
    return add_child(list->job, item, list->stdin_taken, origin);
}

static enum blastmerge_status read_list(struct list *list) {
    static char item[NAME_BYTES];
    size_t n_bytes = 0;
    enum blastmerge_status status = BLASTMERGE_OK;
    int byte = END;
    while (status == BLASTMERGE_OK && (byte = next_byte(list)) >= 0) {
        if (byte == list->separator) {
            status = take_item(list, item, n_bytes);
            n_bytes = 0;
        } else if (n_bytes < sizeof item - 1) {
            item[n_bytes++] = (char)byte;
        } else {
            return tool_fail(BLASTMERGE_USAGE,
                             "%s: %s %llu is longer than %d bytes: is this a list of names?", list->name,
                             unit_of(list), (unsigned long long)list->n_items + 1, NAME_BYTES - 1);
        }
    }
    if (status != BLASTMERGE_OK) return status;
    if (byte == FAILED) return tool_fail_input(errno, list->given, list->name);
    return n_bytes > 0 ? take_item(list, item, n_bytes) : BLASTMERGE_OK;
}

static enum blastmerge_status add_list(struct blastmerge_job *job, const char *name, bool null_separated,
                                       bool *stdin_taken) {
    static char shown[SHOWN_BYTES]; /* it may be a location with a secret, though that is no list */
    struct list list = {.job = job, .name = shown, .given = name, .stdin_taken = stdin_taken};
    blastmerge_show_location(name, shown, sizeof shown);
    list.separator = null_separated ? '\0' : '\n';
    if (is_stdin(name)) {
        if (*stdin_taken)
            return tool_fail(BLASTMERGE_USAGE, "standard input is given twice, and can be read only once");
        if (strcmp(name, "-") == 0) list.name = "standard input";
        *stdin_taken = true;
    }
    list.file = tool_open_input(name);
    if (list.file < 0) return tool_fail_input(errno, name, shown);
    note_list(name, null_separated);
    enum blastmerge_status status = read_list(&list);
    tool_close_input(list.file);
    if (status == BLASTMERGE_OK &&
        blastmerge_protect_location(job, "the list of children", name) != BLASTMERGE_OK)
        status = tool_job_fail(job, blastmerge_error(job)->status);
    if (status == BLASTMERGE_OK && list.n_children == 0)
        return tool_fail(BLASTMERGE_USAGE, "%s: the list names no children", list.name);
    return status;
}

enum blastmerge_status tool_children_add(struct blastmerge_job *job, const struct tool_options *options) {
    bool stdin_taken = options->expect_queries != NULL && is_stdin(options->expect_queries);
    enum blastmerge_status status = BLASTMERGE_OK;
    size_t n = options->run == tool_get ? 1 : options->n_sources;
    for (size_t i = 0; i < n && status == BLASTMERGE_OK; i++) {
        const struct tool_source *source = &options->sources[i];
        status = source->is_list ? add_list(job, source->name, options->null_separated != 0, &stdin_taken)
                                 : add_child(job, source->name, &stdin_taken, "");
    }
    return status;
}
