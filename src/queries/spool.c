/* SPDX-License-Identifier: MIT */
/* What is not a plain file is copied once to a temporary file without a name. */
#include "base/descriptor.h"
#include "decompress/decompress.h"
#include "queries/file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

struct spool {
    int from;
    int to;
    struct bm_cancel *cancel;
    const char *what; /* the file is, in messages */
    const char *path;
    const char *beside;
    struct blastmerge_error *error;
    size_t n_in;
    uint8_t in[16384];
    uint8_t out[32768];
};

static enum blastmerge_status fail(const struct spool *spool, int failure, const char *failed) {
    if (failure == ECANCELED) return bm_fail(spool->error, BLASTMERGE_CANCELLED, "cancelled");
    return bm_fail_system(spool->error, failure, "cannot %s %s %.400s", failed, spool->what, spool->path);
}

/* As much as fits in the buffer: less only at the end. */
static enum blastmerge_status read_more(struct spool *spool) {
    while (spool->n_in < sizeof spool->in) {
        int failure = bm_cancel_wait(spool->cancel, spool->from, POLLIN);
        if (failure != 0) return fail(spool, failure, "read");
        ssize_t n = read(spool->from, spool->in + spool->n_in, sizeof spool->in - spool->n_in);
        if (n == 0) break;
        if (n < 0 && errno != EINTR && errno != EAGAIN) return fail(spool, errno, "read");
        if (n > 0) spool->n_in += (size_t)n;
    }
    return BLASTMERGE_OK;
}

static enum blastmerge_status write_all(struct spool *spool, const uint8_t *data, size_t n) {
    if (bm_write_all(spool->to, data, n)) return BLASTMERGE_OK;
    return fail(spool, errno, "write a temporary copy of");
}

static enum blastmerge_status copy(struct spool *spool) {
    enum blastmerge_status status = BLASTMERGE_OK;
    while (status == BLASTMERGE_OK && spool->n_in > 0) {
        status = write_all(spool, spool->in, spool->n_in);
        spool->n_in = 0;
        if (status == BLASTMERGE_OK) status = read_more(spool);
    }
    return status;
}

static bool is_gzip(const struct spool *spool) {
    return spool->n_in >= 2 && spool->in[0] == 0x1f && spool->in[1] == 0x8b;
}

/* Inflates what is in the buffer. *is_open: a member has begun and not ended. */
static enum blastmerge_status inflate_some(struct spool *spool, z_stream *stream, bool *is_open) {
    stream->next_in = spool->in;
    stream->avail_in = (uInt)spool->n_in;
    spool->n_in = 0;
    for (;;) {
        if (!*is_open && stream->avail_in == 0) return BLASTMERGE_OK;
        *is_open = true;
        stream->next_out = spool->out;
        stream->avail_out = sizeof spool->out;
        int result = inflate(stream, Z_NO_FLUSH);
        enum blastmerge_status status = write_all(spool, spool->out, sizeof spool->out - stream->avail_out);
        if (status != BLASTMERGE_OK) return status;
        if (bm_cancel_is_set(spool->cancel)) return fail(spool, ECANCELED, "");
        if (result == Z_BUF_ERROR) return BLASTMERGE_OK;
        if (result != Z_OK && result != Z_STREAM_END)
            return bm_fail(spool->error, result == Z_MEM_ERROR ? BLASTMERGE_NO_MEMORY : BLASTMERGE_DATA,
                           "%.400s: %s is damaged gzip: %.100s", spool->path, spool->what,
                           stream->msg == NULL ? "the bytes after a member are not gzip" : stream->msg);
        if (result != Z_STREAM_END) continue;
        *is_open = false;
        if (inflateReset(stream) != Z_OK) return fail(spool, EINVAL, "read");
    }
}

static enum blastmerge_status decompress(struct spool *spool) {
    z_stream stream = {0};
    bool is_open = false;
    if (inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK)
        return bm_fail(spool->error, BLASTMERGE_NO_MEMORY, "out of memory");
    enum blastmerge_status status = BLASTMERGE_OK;
    while (status == BLASTMERGE_OK && spool->n_in > 0) {
        status = inflate_some(spool, &stream, &is_open);
        if (status == BLASTMERGE_OK) status = read_more(spool);
    }
    (void)inflateEnd(&stream);
    if (status == BLASTMERGE_OK && is_open)
        return bm_fail(spool->error, BLASTMERGE_DATA, "%.400s: %s is cut short: its gzip data has no end",
                       spool->path, spool->what);
    return status;
}

static enum blastmerge_status spool_all(struct spool *spool, int *file) {
    enum blastmerge_status status = read_more(spool);
    if (status != BLASTMERGE_OK) return status;
    spool->to = bm_open_temporary(spool->beside);
    if (spool->to < 0) return fail(spool, errno, "create a temporary copy of");
    status = is_gzip(spool) ? decompress(spool) : copy(spool);
    if (status == BLASTMERGE_OK)
        *file = spool->to;
    else
        close(spool->to);
    return status;
}

/* Whether it is a plain file that need not be copied. */
static bool is_plain(int file, const struct stat *information) {
    uint8_t magic[2];
    return S_ISREG(information->st_mode) && (pread(file, magic, sizeof magic, 0) != (ssize_t)sizeof magic ||
                                             magic[0] != 0x1f || magic[1] != 0x8b);
}

static enum blastmerge_status spool_file(struct spool *spool, bool is_stdin, int *file) {
    struct stat information;
    if (fstat(spool->from, &information) != 0) return fail(spool, errno, "read");
    if (S_ISDIR(information.st_mode) || S_ISBLK(information.st_mode) ||
        (S_ISCHR(information.st_mode) && !is_stdin))
        return bm_fail(spool->error, BLASTMERGE_USAGE,
                       "%.400s: %s must be a file or a pipe, not a folder or device", spool->path,
                       spool->what);
    if (!is_stdin && is_plain(spool->from, &information)) {
        *file = spool->from;
        return BLASTMERGE_OK;
    }
    return spool_all(spool, file);
}

/* Such a file would be a list of odd names, and the first Iteration that of no query. */
static enum blastmerge_status refuse_compressed(int file, const struct spool *spool) {
    uint8_t data[BM_DECOMPRESS_LOOK];
    ssize_t n_read = pread(file, data, sizeof data, 0);
    const char *name = n_read > 0 ? bm_decompress_look_name(data, (size_t)n_read) : NULL;
    if (name == NULL) return BLASTMERGE_OK;
    return bm_fail(spool->error, BLASTMERGE_USAGE,
                   "%.400s: %s is compressed with %s: decompress it, or use gzip", spool->path, spool->what,
                   name);
}

enum blastmerge_status bm_queries_file_spool(int *file, const char *what, const char *path,
                                             const char *beside, struct bm_cancel *cancel,
                                             struct blastmerge_error *error) {
    char shown[512]; /* it may be a location with a secret, though that is no file */
    bool is_stdin = strcmp(path, "-") == 0;
    int from = is_stdin ? STDIN_FILENO : bm_open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
    int reason = errno;
    *file = -1;
    blastmerge_show_location(is_stdin ? "standard input" : path, shown, sizeof shown);
    int standard = is_stdin ? STDIN_FILENO : bm_standard_of_name(path);
    bool is_closed = standard >= 0 && bm_standard_is_closed(standard);
    if (is_closed || (is_stdin && !bm_standard_is_open(STDIN_FILENO, O_RDONLY))) {
        if (!is_stdin && from >= 0) close(from);
        return bm_fail_system(error, EBADF, "%.400s: %s is closed, or not open for reading", shown, what);
    }
    if (from < 0 && reason == ENOENT && strstr(path, "://") != NULL)
        return bm_fail(error, BLASTMERGE_USAGE,
                       "%.400s: %s is read from a file or from standard input (-), not from a server", shown,
                       what);
    if (from < 0) return bm_fail_system(error, reason, "cannot open %s %.400s", what, shown);
    struct spool spool = {
        .from = from, .what = what, .path = shown, .beside = beside, .cancel = cancel, .error = error};
    enum blastmerge_status status = spool_file(&spool, is_stdin, file);
    if (!is_stdin && *file != from) close(from);
    if (status != BLASTMERGE_OK) return status;
    status = refuse_compressed(*file, &spool);
    if (status == BLASTMERGE_OK) return status;
    close(*file);
    *file = -1;
    return status;
}
