/* SPDX-License-Identifier: MIT */
/*
 * Splicing cases at random: a text, a gzip stream of it, edits, and a way to be driven; and what must hold
 * for each of them. For the tests and the fuzzer.
 */
#ifndef BM_TESTS_SPLICE_CASES_H
#define BM_TESTS_SPLICE_CASES_H

#include "splice_run.h"
#include "splice_weird.h"
#include "zlib_room.h"

#include <libdeflate.h>

/* --- texts --------------------------------------------------------------------------------------- */

static inline void add_xml(struct dice *dice, struct bytes *text, size_t n) {
    static const char amino_acids[] = "ARNDCQEGHILKMFPSTVWY";
    char line[400];
    unsigned number = 1 + below(dice, 100000);
    while (text->n < n) {
        int length =
            snprintf(line, sizeof line,
                     "<Iteration>\n  <Iteration_iter-num>%u</Iteration_iter-num>\n"
                     "  <Iteration_query-ID>Query_%u</Iteration_query-ID>\n  <Hsp_score>%u</Hsp_score>\n",
                     number, number, below(dice, 5000));
        bytes_add(text, line, (size_t)length);
        number++;
        for (uint32_t i = below(dice, 300); i > 0; i--) bytes_add(text, &amino_acids[below(dice, 20)], 1);
        bytes_add(text, "\n</Iteration>\n", 14);
    }
}

static inline void add_binary(struct dice *dice, struct bytes *text, size_t n) {
    uint32_t n_values = 1 + below(dice, 256);
    while (text->n < n) {
        uint8_t byte = (uint8_t)below(dice, n_values);
        bytes_add(text, &byte, 1);
    }
}

/* Runs and copies from before. */
static inline void add_repeats(struct dice *dice, struct bytes *text, size_t n) {
    while (text->n < n) {
        uint32_t length = 1 + below(dice, chance(dice, 10) ? 5000 : 40);
        uint32_t distance = 1 + below(dice, chance(dice, 50) ? 4 : (uint32_t)text->n + 1);
        if (chance(dice, 30) || distance > text->n) {
            uint8_t byte = (uint8_t)('a' + below(dice, 5));
            bytes_add(text, &byte, 1);
            continue;
        }
        for (; length > 0; length--) {
            uint8_t byte = text->data[text->n - distance];
            bytes_add(text, &byte, 1);
        }
    }
}

/* Copies from about as far as a match can reach. */
static inline void add_far(struct dice *dice, struct bytes *text, size_t n) {
    while (text->n < n) {
        size_t distance = BM_WINDOW + 10 - below(dice, 40);
        bool is_copy = distance <= text->n && chance(dice, 70);
        for (uint32_t length = 1 + below(dice, 200); length > 0; length--) {
            uint8_t byte = is_copy ? text->data[text->n - distance] : (uint8_t)below(dice, 256);
            bytes_add(text, &byte, 1);
        }
    }
}

static inline void make_text(struct dice *dice, struct bytes *text) {
    static void (*const makers[])(struct dice *, struct bytes *, size_t) = {add_xml, add_binary, add_repeats,
                                                                            add_far};
    const uint32_t max = splice_scale.max_text;
    size_t n = below(dice, chance(dice, 30) ? max : chance(dice, 30) ? 300 : max / 5);
    size_t n_parts = 1 + below(dice, 4);
    bytes_more(text, 1);
    text->n = 0;
    for (size_t i = 1; i <= n_parts; i++) makers[below(dice, 4)](dice, text, n * i / n_parts);
}

/* --- compressors --------------------------------------------------------------------------------- */

static inline void compress_zlib(struct dice *dice, struct bytes *out, const uint8_t *text, size_t n_text) {
    z_stream z;
    memset(&z, 0, sizeof z);
    zlib_room_enter(&z);
    int level = (int)below(dice, 10), memory = 1 + (int)below(dice, 9), window = 9 + (int)below(dice, 7);
    must(deflateInit2(&z, level, Z_DEFLATED, 16 + window, memory, (int)below(dice, 5)) == Z_OK);
    bool is_flushed = chance(dice, 25);
    size_t place = 0;
    for (int status = Z_OK; status != Z_STREAM_END;) {
        size_t n = is_flushed ? below(dice, 5000) : n_text;
        static const int flushes[] = {Z_NO_FLUSH, Z_PARTIAL_FLUSH, Z_SYNC_FLUSH, Z_FULL_FLUSH, Z_BLOCK};
        if (n > n_text - place) n = n_text - place;
        z.next_in = (uint8_t *)(uintptr_t)text + place;
        z.avail_in = (unsigned)n;
        place += n;
        int flush = place == n_text ? Z_FINISH : flushes[below(dice, 5)];
        do {
            z.next_out = bytes_more(out, 10000);
            z.avail_out = 10000;
            status = deflate(&z, flush);
            must(status == Z_OK || status == Z_BUF_ERROR || status == Z_STREAM_END);
            out->n -= z.avail_out;
        } while (z.avail_out == 0);
        if (is_flushed && flush != Z_FINISH && chance(dice, 20)) {
            z.next_out = bytes_more(out, 10000);
            z.avail_out = 10000;
            deflateParams(&z, (int)below(dice, 10), (int)below(dice, 5));
            out->n -= z.avail_out;
        }
    }
    deflateEnd(&z);
}

static inline void compress_libdeflate(struct dice *dice, struct bytes *out, const uint8_t *text,
                                       size_t n_text) {
    static struct libdeflate_compressor *compressors[13]; /* megabytes each: they are kept */
    uint32_t level = below(dice, 13);
    if (compressors[level] == NULL) compressors[level] = libdeflate_alloc_compressor((int)level);
    struct libdeflate_compressor *compressor = compressors[level];
    must(compressor != NULL);
    size_t bound = libdeflate_gzip_compress_bound(compressor, n_text);
    uint8_t *place = bytes_more(out, bound);
    size_t n = libdeflate_gzip_compress(compressor, text, n_text, place, bound);
    must(n > 0);
    out->n -= bound - n;
}

static inline void make_stream(struct dice *dice, struct stream *stream) {
    struct bytes text = {NULL, 0, 0};
    static void (*const compressors[])(struct dice *, struct bytes *, const uint8_t *,
                                       size_t) = {compress_zlib, compress_libdeflate, weird_member};
    memset(stream, 0, sizeof *stream);
    make_text(dice, &text);
    size_t n_members = chance(dice, 70) ? 1 : 1 + below(dice, 5);
    for (size_t i = 0; i < n_members; i++) {
        size_t from = text.n * i / n_members, to = text.n * (i + 1) / n_members;
        compressors[below(dice, 3)](dice, &stream->gzip, text.data + from, to - from);
    }
    stream_decode(stream);
    must(stream->text.n == text.n && (text.n == 0 || memcmp(stream->text.data, text.data, text.n) == 0));
    bytes_free(&text);
}

/* --- edits --------------------------------------------------------------------------------------- */

static inline void add_insertion(struct dice *dice, struct script *script, const struct stream *stream,
                                 uint64_t offset) {
    static uint8_t text[32768];
    uint32_t n = below(dice, chance(dice, 95) ? 12 : chance(dice, 80) ? 600 : splice_scale.max_insert);
    uint32_t kind = below(dice, 4), from = below(dice, (uint32_t)stream->text.n + 1);
    for (uint32_t i = 0; i < n; i++) {
        text[i] = (uint8_t)(kind == 0 ? roll(dice) : '0' + below(dice, 10));
        if (kind == 1 && from + i < stream->text.n) text[i] = stream->text.data[from + i];
    }
    script_add(script, EDIT_INSERT, offset, text, n);
}

/* Moves on by about `stride` bytes. */
static inline uint64_t further(struct dice *dice, uint64_t offset, uint64_t end, uint32_t stride) {
    uint64_t step = chance(dice, 20) ? below(dice, 4) : below(dice, 2 * stride + 1);
    return end - offset < step ? end : offset + step;
}

/* A replacement of n bytes: dropped, with insertions anywhere. */
static inline uint64_t add_replacement(struct dice *dice, struct script *script, const struct stream *stream,
                                       uint64_t offset, uint64_t end) {
    uint64_t n = below(dice, chance(dice, 90) ? 10 : 50000), to = end - offset < n ? end : offset + n;
    if (chance(dice, 20)) { /* of equal length */
        uint8_t digits[64];
        if (to - offset > sizeof digits) to = offset + sizeof digits;
        for (size_t i = 0; i < to - offset; i++) digits[i] = (uint8_t)('0' + below(dice, 10));
        script_add(script, EDIT_DROP, offset, NULL, 0);
        script_add(script, EDIT_INSERT, offset, digits, (size_t)(to - offset));
        script_add(script, EDIT_KEEP, to, NULL, 0);
        return to;
    }
    if (chance(dice, 20)) add_insertion(dice, script, stream, offset);
    script_add(script, EDIT_DROP, offset, NULL, 0);
    if (chance(dice, 50)) add_insertion(dice, script, stream, offset);
    if (chance(dice, 20)) add_insertion(dice, script, stream, offset + (to - offset) / 2);
    if (chance(dice, 20)) add_insertion(dice, script, stream, to);
    script_add(script, EDIT_KEEP, to, NULL, 0);
    if (chance(dice, 10)) add_insertion(dice, script, stream, to);
    return to;
}

static inline uint64_t add_fragment(struct dice *dice, struct script *script, const struct stream *stream,
                                    uint64_t offset, uint64_t end) {
    static const uint32_t strides[] = {1, 5, 100, 1000, 10000, 60000, 1000000};
    uint32_t stride = strides[below(dice, 7)];
    script_add(script, EDIT_BEGIN, offset, NULL, 0);
    if (chance(dice, 20)) add_insertion(dice, script, stream, offset);
    for (offset = further(dice, offset, end, stride); offset < end;
         offset = further(dice, offset, end, stride)) {
        if (chance(dice, 20))
            add_insertion(dice, script, stream, offset);
        else
            offset = add_replacement(dice, script, stream, offset, end);
    }
    if (chance(dice, 10)) add_insertion(dice, script, stream, end);
    if (chance(dice, 5)) script_add(script, EDIT_DROP, end, NULL, 0);
    script_add(script, EDIT_END, end, NULL, 0);
    return end;
}

static inline void make_script(struct dice *dice, struct script *script, const struct stream *stream) {
    uint64_t n = stream->text.n, offset = 0;
    memset(script, 0, sizeof *script);
    size_t n_fragments = chance(dice, 70) ? 1 : below(dice, 6);
    for (size_t i = 0; i < n_fragments; i++) {
        uint32_t most = (uint32_t)(n - offset);
        offset += below(dice, chance(dice, 30)   ? most / 4 + 1
                              : chance(dice, 50) ? 1
                              : most < 300       ? most + 1
                                                 : 300);
        uint64_t end =
            i + 1 == n_fragments && chance(dice, 60) ? n : offset + below(dice, (uint32_t)(n - offset) + 1);
        offset = add_fragment(dice, script, stream, offset, end);
    }
    script_finish(script);
}

static inline struct drive make_drive(struct dice *dice) {
    struct drive drive = {.limits = {BM_BATCH_TEXT, BM_BATCH_BITS, BM_BATCH_TRACE, BM_TRACE_INTERVAL}};
    drive.is_inflated = chance(dice, 30);
    if (chance(dice, 40)) {
        drive.limits.max_text = 300 + below(dice, chance(dice, 50) ? 3000 : BM_BATCH_TEXT - 300);
        drive.limits.max_bits = 700 + below(dice, BM_BATCH_BITS - 700);
        drive.limits.max_trace = 8 + below(dice, BM_BATCH_TRACE - 8);
        drive.limits.interval = 1 + below(dice, 8000);
        if (drive.limits.interval < 200) drive.limits.max_text = 100 + below(dice, 100);
    }
    if (chance(dice, 50)) drive.hold_seed = roll(dice);
    return drive;
}

/* --- the property -------------------------------------------------------------------------------- */

static inline bool same_bytes(const uint8_t *a, size_t n_a, const uint8_t *b, size_t n_b) {
    return n_a == n_b && (n_a == 0 || memcmp(a, b, n_a) == 0);
}

/* The edits of the script's fragment `number` alone. */
static inline void pick_fragment(const struct script *script, size_t number, struct script *picked) {
    size_t fragment = 0;
    memset(picked, 0, sizeof *picked);
    for (size_t i = 0; i < script->n; i++) {
        const struct edit *edit = &script->edits[i];
        if (fragment == number) script_add(picked, edit->kind, edit->offset, edit->insert, edit->n_insert);
        if (edit->kind == EDIT_END) fragment++;
    }
    script_finish(picked);
}

/* A fragment that is made without the others is the same. `all` has their ends. */
static inline const char *check_apart(struct runner *runner, const struct stream *stream,
                                      const struct script *script, const struct drive *drive,
                                      const struct result *all, size_t number) {
    struct script picked;
    struct result apart;
    size_t from = number == 0 ? 0 : all->ends[number - 1];
    pick_fragment(script, number, &picked);
    run(runner, stream, &picked, drive, false, &apart);
    bool is_same = same_bytes(apart.data.data, apart.data.n, all->data.data + from, all->ends[number] - from);
    result_free(&apart);
    script_free(&picked);
    return is_same ? NULL : "a fragment made alone has other bytes";
}

/* Takes the stream's and the script's memory. NULL, or what is wrong. */
static inline const char *check_splice(struct runner *runner, struct dice *dice, struct stream *stream,
                                       struct script *script) {
    struct expectation expected;
    struct result whole, stepped;
    const char *fault = NULL;
    const bool is_thorough = splice_scale.is_thorough;
    expect(&expected, script, stream->text.data, stream->text.n);
    struct drive drive = make_drive(dice);
    if (is_thorough) {
        run(runner, stream, script, &drive, false, &whole);
        fault = check_result(&whole, &expected);
    }
    drive.step_seed = 1 + roll(dice);
    drive.is_bytewise = stream->text.n < 2000 && chance(dice, 50);
    drive.room = chance(dice, 50) ? BM_OUTPUT_SIZE : 0;
    run(runner, stream, script, &drive, true, &stepped);
    if (fault == NULL) fault = check_result(&stepped, &expected);
    if (fault == NULL && is_thorough &&
        !same_bytes(whole.data.data, whole.data.n, stepped.data.data, stepped.data.n))
        fault = "other steps give other bytes";
    if (fault == NULL && is_thorough && stepped.n_ends > 1)
        fault = check_apart(runner, stream, script, &drive, &stepped, below(dice, (uint32_t)stepped.n_ends));
    if (is_thorough) result_free(&whole);
    result_free(&stepped);
    expectation_free(&expected);
    script_free(script);
    stream_free(stream);
    return fault;
}

/* A case drawn from the dice. */
static inline const char *check_case(struct runner *runner, struct dice *dice) {
    struct stream stream;
    struct script script;
    make_stream(dice, &stream);
    make_script(dice, &script, &stream);
    return check_splice(runner, dice, &stream, &script);
}

#endif
