/* SPDX-License-Identifier: MIT */
#include "decompress/internal.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct bm_decompress {
    const struct bm_decompress_way *way;
    void *coder;
    bool is_between; /* two frames, or behind the last one; nothing waits in the decoder */
    bool is_cut;
    uint64_t byte; /* that were taken */
    uint64_t text; /* bytes of text so far */
    struct bm_decompress_frame frame;

    struct bm_budget *budget; /* NULL: nothing is counted */
    uint64_t n_taken;         /* bytes of it */
    bool lacks_memory;
    bool is_known;        /* how much memory the current frame takes */
    size_t n_head;        /* bytes of that frame that were held back until that was known */
    size_t head_position; /* of these, the next one for the library */
    uint8_t head[BM_DECOMPRESS_HEAD];
};

enum { N_KINDS = BM_DECOMPRESS_LZ4 + 1 };

static const struct bm_decompress_way *way_of(enum bm_decompress_kind kind) {
    switch (kind) {
    case BM_DECOMPRESS_ZSTD:
        return bm_decompress_zstd;
    case BM_DECOMPRESS_XZ:
        return bm_decompress_xz;
    case BM_DECOMPRESS_BZIP2:
        return bm_decompress_bzip2;
    case BM_DECOMPRESS_LZ4:
        return bm_decompress_lz4;
    case BM_DECOMPRESS_NONE:
        break;
    }
    return NULL;
}

/* --- kinds --------------------------------------------------------------------------------------- */

static const char *const names[N_KINDS] = {[BM_DECOMPRESS_ZSTD] = "zstd",
                                           [BM_DECOMPRESS_XZ] = "xz",
                                           [BM_DECOMPRESS_BZIP2] = "bzip2",
                                           [BM_DECOMPRESS_LZ4] = "lz4"};

#define BEGINS(data, n_bytes, magic)                                                                         \
    ((n_bytes) >= sizeof(magic) - 1 && memcmp(data, magic, sizeof(magic) - 1) == 0)

/* A frame that decoders skip; zstd's and lz4's are the same. They are pzstd's, which puts one in front. */
static bool is_skippable(const uint8_t *data, size_t n_bytes) {
    return n_bytes >= 4 && (data[0] & 0xf0) == 0x50 && memcmp(data + 1, "\x2a\x4d\x18", 3) == 0;
}

/* A table may begin with the letters BZh; it does not go on as a first block does, or the end of all. */
static bool is_bzip2(const uint8_t *data, size_t n_bytes) {
    return n_bytes >= 8 && BEGINS(data, n_bytes, "BZh") && data[3] >= '1' && data[3] <= '9' &&
           (memcmp(data + 4, "\x31\x41\x59\x26", 4) == 0 || memcmp(data + 4, "\x17\x72\x45\x38", 4) == 0);
}

static enum bm_decompress_kind find_kind(const uint8_t *data, size_t n_bytes) {
    if (BEGINS(data, n_bytes, "\x28\xb5\x2f\xfd") || is_skippable(data, n_bytes)) return BM_DECOMPRESS_ZSTD;
    if (BEGINS(data, n_bytes, "\xfd\x37\x7a\x58\x5a\0")) return BM_DECOMPRESS_XZ;
    if (BEGINS(data, n_bytes, "\x04\x22\x4d\x18") || BEGINS(data, n_bytes, "\x02\x21\x4c\x18"))
        return BM_DECOMPRESS_LZ4; /* the old format, too, which liblz4 refuses */
    return is_bzip2(data, n_bytes) ? BM_DECOMPRESS_BZIP2 : BM_DECOMPRESS_NONE;
}

enum bm_decompress_kind bm_decompress_look(const uint8_t *data, size_t n_bytes) {
    enum bm_decompress_kind kind = find_kind(data, n_bytes);
    return way_of(kind) == NULL ? BM_DECOMPRESS_NONE : kind;
}

const char *bm_decompress_look_name(const uint8_t *data, size_t n_bytes) {
    return names[find_kind(data, n_bytes)];
}

/* By the first frame's header: RFC 8878, 3.1.1.1.1; the xz file format, 2.1.1.2; the lz4 frame format. */
bool bm_decompress_lacks_checksum(const uint8_t *data, size_t n_bytes) {
    enum { ZSTD_CHECKSUM = 1 << 2, LZ4_BLOCK_CHECKSUM = 1 << 4, LZ4_CHECKSUM = 1 << 2, XZ_CHECKS = 0xf };
    if (n_bytes < BM_DECOMPRESS_LOOK || is_skippable(data, n_bytes)) return false;
    switch (find_kind(data, n_bytes)) {
    case BM_DECOMPRESS_ZSTD:
        return (data[4] & ZSTD_CHECKSUM) == 0;
    case BM_DECOMPRESS_LZ4:
        return (data[4] & (LZ4_CHECKSUM | LZ4_BLOCK_CHECKSUM)) == 0;
    case BM_DECOMPRESS_XZ:
        return (data[7] & XZ_CHECKS) == 0;
    case BM_DECOMPRESS_BZIP2:
    case BM_DECOMPRESS_NONE:
        break;
    }
    return false;
}

const char *bm_decompress_name(enum bm_decompress_kind kind) {
    return names[kind];
}

static char kinds[64];
static pthread_once_t kinds_once = PTHREAD_ONCE_INIT;

static void list_kinds(void) {
    size_t n = 0;
    for (int kind = BM_DECOMPRESS_ZSTD; kind < N_KINDS; kind++) {
        const struct bm_decompress_way *way = way_of((enum bm_decompress_kind)kind);
        if (way == NULL) continue;
        n += (size_t)snprintf(kinds + n, sizeof kinds - n, "%s%s", n == 0 ? "" : ", ", names[way->kind]);
    }
    if (n == 0) snprintf(kinds, sizeof kinds, "none");
}

const char *bm_decompress_kinds(void) {
    (void)pthread_once(&kinds_once, list_kinds);
    return kinds;
}

/* --- errors -------------------------------------------------------------------------------------- */

enum bm_decompress_outcome bm_decompress_damaged(const struct bm_decompress_way *way, const char *reason,
                                                 struct blastmerge_error *error) {
    (void)bm_fail(error, BLASTMERGE_DATA, "damaged %s data: %s", names[way->kind], reason);
    return BM_DECOMPRESS_INVALID;
}

static enum bm_step fail_cut(struct bm_decompress *decompress, struct blastmerge_error *error) {
    decompress->is_cut = true;
    (void)bm_fail(error, BLASTMERGE_DATA,
                  "the %s data is cut short (was the file copied completely, and did the job that wrote it "
                  "succeed?)",
                  names[decompress->way->kind]);
    return BM_STEP_FAILED;
}

/* --- memory -------------------------------------------------------------------------------------- */

static unsigned long long mebibytes(uint64_t n_bytes) {
    return (n_bytes + (1 << 20) - 1) >> 20;
}

static bool fail_too_large(const struct bm_decompress_way *way, struct blastmerge_error *error) {
    (void)bm_fail(error, BLASTMERGE_NO_MEMORY,
                  "its %s data takes more than %d MiB of memory to decompress; decompress it first (%s), or "
                  "compress it at a usual level",
                  names[way->kind], BM_DECOMPRESS_MOST_WINDOW >> 20, way->command);
    return false;
}

static bool fail_budget(struct bm_decompress *decompress, uint64_t n_bytes, struct blastmerge_error *error) {
    const struct bm_budget *budget = decompress->budget;
    decompress->lacks_memory = n_bytes <= budget->n_most;
    (void)bm_fail(
        error, BLASTMERGE_NO_MEMORY,
        "its %s data takes %llu MiB of memory to decompress, and the merge leaves %llu MiB for that%s; allow "
        "more memory (--memory) or fewer threads (--threads), or decompress it first (%s)",
        names[decompress->way->kind], mebibytes(n_bytes), (unsigned long long)(budget->n_most >> 20),
        decompress->lacks_memory ? ", of which other children take a part" : "", decompress->way->command);
    return false;
}

/* Takes as much of the budget as makes n_bytes in all. What a decoder has once allocated it keeps. False: the record has
 * the error. */
static bool take_memory(struct bm_decompress *decompress, uint64_t n_bytes, struct blastmerge_error *error) {
    enum { SLACK = 1 << 20 }; /* beside the window */
    if (n_bytes > BM_DECOMPRESS_MOST_WINDOW + SLACK) return fail_too_large(decompress->way, error);
    if (decompress->budget == NULL || n_bytes <= decompress->n_taken) return true;
    if (!bm_budget_take(decompress->budget, n_bytes - decompress->n_taken))
        return fail_budget(decompress, n_bytes, error);
    decompress->n_taken = n_bytes;
    return true;
}

bool bm_decompress_lacks_memory(const struct bm_decompress *decompress) {
    return decompress->lacks_memory;
}

/* --- life ---------------------------------------------------------------------------------------- */

static pthread_mutex_t loading = PTHREAD_MUTEX_INITIALIZER;
static bool is_loaded[N_KINDS]; /* under `loading` */

/* Loads the library; one that was missing is looked for again, since it may have been installed. */
static bool load(enum bm_decompress_kind kind, char *reason, size_t size) {
    pthread_mutex_lock(&loading);
    if (!is_loaded[kind]) is_loaded[kind] = way_of(kind)->load(reason, size);
    bool is_done = is_loaded[kind];
    pthread_mutex_unlock(&loading);
    return is_done;
}

struct bm_decompress *bm_decompress_open(enum bm_decompress_kind kind, struct bm_budget *budget,
                                         struct blastmerge_error *error) {
    char reason[256] = "";
    const struct bm_decompress_way *way = way_of(kind);
    bm_require(way != NULL);
    if (!load(kind, reason, sizeof reason)) {
        (void)bm_fail(error, BLASTMERGE_IO,
                      "it is %s data, and its library cannot be loaded (%s); install that, or decompress the "
                      "file first (%s)",
                      names[way->kind], reason, way->command);
        return NULL;
    }
    struct bm_decompress *decompress = calloc(1, sizeof *decompress);
    void *coder = decompress == NULL ? NULL : way->open();
    if (coder == NULL) {
        free(decompress);
        (void)bm_fail(error, BLASTMERGE_NO_MEMORY, "out of memory");
        return NULL;
    }
    decompress->way = way;
    decompress->coder = coder;
    decompress->budget = budget;
    return decompress;
}

void bm_decompress_close(struct bm_decompress *decompress) {
    if (decompress == NULL) return;
    decompress->way->close(decompress->coder);
    if (decompress->budget != NULL) bm_budget_give(decompress->budget, decompress->n_taken);
    free(decompress);
}

bool bm_decompress_is_cut(const struct bm_decompress *decompress) {
    return decompress->is_cut;
}

struct bm_decompress_frame bm_decompress_frame(const struct bm_decompress *decompress) {
    return decompress->frame;
}

/* --- the step ------------------------------------------------------------------------------------ */

/* Holds back as many bytes of a frame as it takes to know what memory it needs. False: there are too few yet. */
static bool read_head(struct bm_decompress *decompress, struct bm_decompress_buffers *buffers, bool is_last,
                      uint64_t *need) {
    const struct bm_decompress_way *way = decompress->way;
    *need = 0;
    if (decompress->is_known || way->need == NULL) return true;
    decompress->is_between = false;
    while ((*need = way->need(decompress->head, decompress->n_head)) == BM_DECOMPRESS_UNKNOWN) {
        if (buffers->n_in == 0) break;
        bm_require(decompress->n_head < sizeof decompress->head);
        decompress->head[decompress->n_head++] = *buffers->in++;
        buffers->n_in--;
        decompress->byte++;
    }
    if (*need != BM_DECOMPRESS_UNKNOWN) return true;
    *need = 0; /* it is cut short, which the library will say */
    return is_last;
}

/* One call of the library: with what was held back, or with the input. */
static enum bm_decompress_outcome call(struct bm_decompress *decompress,
                                       struct bm_decompress_buffers *buffers, bool is_last,
                                       struct blastmerge_error *error) {
    const struct bm_decompress_way *way = decompress->way;
    const struct bm_decompress_buffers before = *buffers;
    struct bm_decompress_buffers head = before;
    enum bm_decompress_outcome outcome;
    if (decompress->head_position < decompress->n_head) {
        head.in = decompress->head + decompress->head_position;
        head.n_in = decompress->n_head - decompress->head_position;
        outcome = way->step(decompress->coder, &head, is_last && before.n_in == 0, error);
        decompress->head_position = decompress->n_head - head.n_in;
        buffers->out = head.out;
        buffers->n_out = head.n_out;
    } else {
        outcome = way->step(decompress->coder, buffers, is_last, error);
    }
    decompress->byte += before.n_in - buffers->n_in;
    decompress->text += before.n_out - buffers->n_out;
    return outcome;
}

static void end_frame(struct bm_decompress *decompress) {
    bm_require(decompress->head_position == decompress->n_head);
    decompress->is_between = true;
    decompress->is_known = false;
    decompress->n_head = decompress->head_position = 0;
    decompress->frame = (struct bm_decompress_frame){decompress->byte, decompress->text};
}

/* Takes the memory that the decoder needs to go on. False: the record has the error. */
static bool allow(struct bm_decompress *decompress, struct blastmerge_error *error) {
    const struct bm_decompress_way *way = decompress->way;
    uint64_t need = way->need_now(decompress->coder);
    if (!take_memory(decompress, need, error)) return false;
    way->allow(decompress->coder, need);
    return true;
}

/* What is behind a frame's end is another frame, or the end: where nothing follows, the library is not asked. */
enum bm_step bm_decompress_step(struct bm_decompress *decompress, struct bm_decompress_buffers *buffers,
                                bool is_last, struct blastmerge_error *error) {
    const struct bm_decompress_way *way = decompress->way;
    decompress->lacks_memory = false;
    for (;;) {
        uint64_t need = 0;
        if (buffers->n_in == 0 && decompress->is_between && !way->tells_end)
            return is_last ? BM_STEP_DONE : BM_STEP_MORE;
        if (buffers->n_out == 0) return BM_STEP_FULL;
        if (!read_head(decompress, buffers, is_last, &need)) return BM_STEP_MORE;
        if (!take_memory(decompress, need, error)) return BM_STEP_FAILED;
        decompress->is_known = true;
        const struct bm_decompress_buffers before = *buffers;
        const size_t head_before = decompress->head_position;
        enum bm_decompress_outcome outcome = call(decompress, buffers, is_last, error);
        if (outcome == BM_DECOMPRESS_INVALID) return BM_STEP_FAILED;
        if (outcome == BM_DECOMPRESS_NEEDS) {
            if (!allow(decompress, error)) return BM_STEP_FAILED;
            continue;
        }
        if (outcome != BM_DECOMPRESS_GO_ON) end_frame(decompress);
        if (outcome == BM_DECOMPRESS_ALL_END) return BM_STEP_DONE;
        if (buffers->n_in == before.n_in && buffers->n_out == before.n_out &&
            decompress->head_position == head_before) {
            if (buffers->n_in == 0) return is_last ? fail_cut(decompress, error) : BM_STEP_MORE;
            (void)bm_decompress_damaged(way, "the library does not go on with it", error);
            return BM_STEP_FAILED;
        }
        if (outcome == BM_DECOMPRESS_FRAME_END && buffers->n_in > 0) return BM_STEP_MORE;
    }
}
