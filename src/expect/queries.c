/* SPDX-License-Identifier: MIT */
#include "expect/queries.h"
#include "base/descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { END = -1, FAILED = -2 };

static int fill(struct bm_queries *queries, struct blastmerge_error *error) {
    ssize_t n;
    do {
        n = pread(queries->file, queries->buffer, sizeof queries->buffer, (off_t)queries->offset);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        bm_fail_system(error, errno, "the file of queries cannot be read");
        return FAILED;
    }
    queries->offset += (uint64_t)n;
    queries->position = 0;
    queries->n_buffer = (size_t)n;
    return n == 0 ? END : 0;
}

/* The next byte, which stays; END; FAILED. */
static int peek(struct bm_queries *queries, struct blastmerge_error *error) {
    if (queries->position == queries->n_buffer) {
        int result = fill(queries, error);
        if (result != 0) return result;
    }
    return queries->buffer[queries->position];
}

static bool is_blank(int byte) {
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\v' || byte == '\f';
}

/* Goes behind the line's end. */
static int skip_line(struct bm_queries *queries, struct blastmerge_error *error) {
    int byte;
    while ((byte = peek(queries, error)) >= 0) {
        const uint8_t *from = queries->buffer + queries->position;
        const uint8_t *end = memchr(from, '\n', queries->n_buffer - queries->position);
        queries->position = end == NULL ? queries->n_buffer : (size_t)(end - queries->buffer) + 1;
        if (end != NULL) return 0;
    }
    return byte;
}

static int skip_blanks(struct bm_queries *queries, struct blastmerge_error *error) {
    int byte;
    while (is_blank(byte = peek(queries, error))) queries->position++;
    return byte;
}

static int read_word(struct bm_queries *queries, struct blastmerge_error *error) {
    int byte = skip_blanks(queries, error);
    queries->n_name = 0;
    while (byte >= 0 && byte != '\n' && !is_blank(byte)) {
        if (queries->n_name < BM_EXPECT_WORD) queries->name[queries->n_name++] = (char)byte;
        queries->position++;
        byte = peek(queries, error);
    }
    queries->name[queries->n_name] = '\0';
    return byte;
}

/* A line. True if it names a query. */
static bool read_line(struct bm_queries *queries, int *byte, struct blastmerge_error *error) {
    queries->is_in_line = true;
    if (queries->is_fasta) {
        if (*byte != '>') return false;
        queries->position++;
        *byte = read_word(queries, error);
        return *byte != FAILED;
    }
    *byte = read_word(queries, error);
    return *byte != FAILED && queries->n_name > 0;
}

enum blastmerge_status bm_queries_next(struct bm_queries *queries, bool *has_name,
                                       struct blastmerge_error *error) {
    *has_name = false;
    for (;;) {
        int byte = queries->is_in_line ? skip_line(queries, error) : 0;
        queries->is_in_line = false;
        if (byte >= 0) byte = peek(queries, error);
        if (byte == FAILED) return error->status;
        if (byte == END) return BLASTMERGE_OK;
        *has_name = read_line(queries, &byte, error);
        if (byte == FAILED) return error->status;
        if (!*has_name) continue;
        queries->number++;
        return BLASTMERGE_OK;
    }
}

void bm_queries_rewind(struct bm_queries *queries) {
    queries->offset = 0;
    queries->position = queries->n_buffer = 0;
    queries->is_in_line = false;
    queries->number = 0;
}

/* What the file is shows at its first visible byte. */
static enum blastmerge_status look(struct bm_queries *queries, const char *path,
                                   struct blastmerge_error *error) {
    int byte = peek(queries, error);
    if (queries->n_buffer >= 2 && queries->buffer[0] == 0x1f && queries->buffer[1] == 0x8b)
        return bm_fail(error, BLASTMERGE_USAGE,
                       "%.400s: the file of queries is compressed: decompress it first", path);
    while (is_blank(byte) || byte == '\n') {
        queries->position++;
        byte = peek(queries, error);
    }
    if (byte == FAILED) return error->status;
    queries->is_fasta = byte == '>';
    bm_queries_rewind(queries);
    return BLASTMERGE_OK;
}

enum blastmerge_status bm_queries_open(struct bm_queries *queries, const char *path,
                                       struct blastmerge_error *error) {
    struct stat information;
    char shown[512]; /* it may be a location with a secret, though that is no file */
    queries->file = bm_open(path, O_RDONLY | O_NONBLOCK, 0);
    int reason = errno;
    blastmerge_show_location(path, shown, sizeof shown);
    if (queries->file < 0)
        return bm_fail_system(error, reason, "%.400s: the file of queries cannot be opened", shown);
    if (fstat(queries->file, &information) != 0)
        return bm_fail_system(error, errno, "%.400s: the file of queries cannot be read", shown);
    if (!S_ISREG(information.st_mode))
        return bm_fail(error, BLASTMERGE_USAGE, "%.400s: the queries must be in a file, no pipe or folder",
                       shown);
    return look(queries, shown, error);
}

void bm_queries_close(struct bm_queries *queries) {
    if (queries->file >= 0) close(queries->file);
    queries->file = -1;
}
