/* SPDX-License-Identifier: MIT */
/*
 * zstd, xz, bzip2, lz4: what their libraries have compressed is read by inflate's steps, in any split; in several frames
 * and with skippable ones; what is cut short, followed by something else, or changed in any bit is refused. What a library
 * allocates was counted before, and is refused if it is too much.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "decompress/decompress.h"
#include "decompress_run.h"

#include <stdio.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#ifdef BLASTMERGE_LIBZSTD
#include <zstd.h>
#endif
#ifdef BLASTMERGE_LIBLZMA
#include <lzma.h>
#endif
#ifdef BLASTMERGE_BZIP2
#include <bzlib.h>
#endif
#ifdef BLASTMERGE_LIBLZ4
#include <lz4frame.h>
#endif

enum { N_TEXT = 300000, ROOM = 1 << 20, ALL = 1000 };

static struct decompress_run *run;
static uint8_t text[N_TEXT];
static uint8_t data[ROOM];

/* --- compressing --------------------------------------------------------------------------------- */

struct kind {
    enum bm_decompress_kind kind;
    size_t (*compress)(const uint8_t *from, size_t n_from, uint8_t *to, size_t n_to, bool has_checksum);
};

#ifdef BLASTMERGE_LIBZSTD
static size_t compress_zstd(const uint8_t *from, size_t n_from, uint8_t *to, size_t n_to, bool has_checksum) {
    ZSTD_CCtx *context = ZSTD_createCCtx();
    assert_false(ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, has_checksum)));
    size_t n = ZSTD_compress2(context, to, n_to, from, n_from);
    assert_false(ZSTD_isError(n));
    ZSTD_freeCCtx(context);
    return n;
}
#endif

#ifdef BLASTMERGE_LIBLZMA
static size_t compress_xz(const uint8_t *from, size_t n_from, uint8_t *to, size_t n_to, bool has_checksum) {
    size_t n = 0;
    lzma_check check = has_checksum ? LZMA_CHECK_CRC64 : LZMA_CHECK_NONE;
    assert_int_equal(lzma_easy_buffer_encode(0, check, NULL, from, n_from, to, &n, n_to), LZMA_OK);
    return n;
}
#endif

#ifdef BLASTMERGE_BZIP2
static size_t compress_bzip2(const uint8_t *from, size_t n_from, uint8_t *to, size_t n_to,
                             bool has_checksum) {
    unsigned n = (unsigned)n_to;
    (void)has_checksum; /* there is always one */
    assert_int_equal(
        BZ2_bzBuffToBuffCompress((char *)to, &n, (char *)(uintptr_t)from, (unsigned)n_from, 1, 0, 0), BZ_OK);
    return n;
}
#endif

#ifdef BLASTMERGE_LIBLZ4
static size_t compress_lz4(const uint8_t *from, size_t n_from, uint8_t *to, size_t n_to, bool has_checksum) {
    LZ4F_preferences_t preferences = {0};
    if (has_checksum) preferences.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled;
    size_t n = LZ4F_compressFrame(to, n_to, from, n_from, &preferences);
    assert_false(LZ4F_isError(n));
    return n;
}
#endif

static const struct kind kinds[] = {
#ifdef BLASTMERGE_LIBZSTD
    {BM_DECOMPRESS_ZSTD, compress_zstd},
#endif
#ifdef BLASTMERGE_LIBLZMA
    {BM_DECOMPRESS_XZ, compress_xz},
#endif
#ifdef BLASTMERGE_BZIP2
    {BM_DECOMPRESS_BZIP2, compress_bzip2},
#endif
#ifdef BLASTMERGE_LIBLZ4
    {BM_DECOMPRESS_LZ4, compress_lz4},
#endif
    {BM_DECOMPRESS_NONE, NULL}};

static size_t compress_as(const struct kind *kind, size_t from, size_t n, size_t at) {
    return at + kind->compress(text + from, n, data + at, ROOM - at, true);
}

/* --- what is expected ---------------------------------------------------------------------------- */

static void expect_text(size_t n_data, size_t n_text) {
    static const size_t pieces[] = {1, 7, 32768, ROOM};
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        if (pieces[i] == 1 && n_data > 100000) continue;
        decompress_run(run, data, n_data, pieces[i], i % 2 == 1, ALL);
        assert_true(run->is_whole && run->is_compressed);
        assert_int_equal(run->n_text, n_text);
        assert_memory_equal(run->text, text, n_text);
        assert_false(bm_inflate_is_gzip(run->inflate));
    }
}

/* In whatever split the text that comes before a fault is the same, and right. */
static void expect_fault(size_t n_data, enum blastmerge_status status, const char *message, bool is_cut) {
    size_t n_text = SIZE_MAX;
    for (size_t piece = 3; piece < ROOM; piece *= 997) {
        decompress_run(run, data, n_data, piece, piece == 3, ALL);
        assert_false(run->is_whole);
        assert_int_equal(run->error.status, status);
        assert_int_equal(run->error.text_offset, run->n_text);
        assert_non_null(strstr(run->error.message, message));
        assert_int_equal(bm_inflate_fault(run->inflate).is_cut, is_cut);
        assert_true(n_text == SIZE_MAX || n_text == run->n_text || is_cut);
        n_text = run->n_text;
        assert_memory_equal(run->text, text, n_text);
    }
}

/* --- tests --------------------------------------------------------------------------------------- */

static void test_whole(void **state) {
    (void)state;
    for (const struct kind *kind = kinds; kind->compress != NULL; kind++) {
        static const size_t lengths[] = {0, 1, 1000, 131071, 131072, 131073, N_TEXT};
        for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
            expect_text(compress_as(kind, 0, lengths[i], 0), lengths[i]);
    }
}

static void test_frames(void **state) {
    (void)state;
    for (const struct kind *kind = kinds; kind->compress != NULL; kind++) {
        size_t n = compress_as(kind, 0, 1000, 0);
        n = compress_as(kind, 1000, 0, n);
        n = compress_as(kind, 1000, 200000, n);
        size_t n_before = n;
        n = compress_as(kind, 201000, 99000, n);
        expect_text(n, N_TEXT);
        data[(n_before + n) / 2] ^= 1; /* what is whole before that is known */
        decompress_run(run, data, n, ROOM, false, ALL);
        struct bm_inflate_fault fault = bm_inflate_fault(run->inflate);
        assert_false(run->is_whole);
        if (kind->kind == BM_DECOMPRESS_XZ) continue; /* all streams count as one */
        assert_int_equal(fault.member_byte, n_before);
        assert_int_equal(fault.member_text, 201000);
    }
}

/* More than a batch can note; most have no text. */
static void test_many_frames(void **state) {
    (void)state;
    for (const struct kind *kind = kinds; kind->compress != NULL; kind++) {
        size_t n = 0;
        for (size_t i = 0; i < 3000; i++) n = compress_as(kind, i / 100, i % 100 == 99, n);
        expect_text(n, 30);
    }
}

/* pzstd begins with such a frame, seekable data ends with one. */
static void test_skippable(void **state) {
    (void)state;
    static const uint8_t skippable[] = {0x5d, 0x2a, 0x4d, 0x18, 5, 0, 0, 0, 1, 2, 3, 4, 5};
    for (const struct kind *kind = kinds; kind->compress != NULL; kind++) {
        if (kind->kind != BM_DECOMPRESS_ZSTD && kind->kind != BM_DECOMPRESS_LZ4) continue;
        size_t n = 0;
        if (kind->kind == BM_DECOMPRESS_ZSTD) n = sizeof skippable;
        memcpy(data, skippable, n);
        n = compress_as(kind, 0, 5000, n);
        memcpy(data + n, skippable, sizeof skippable);
        n = compress_as(kind, 5000, 1000, n + sizeof skippable);
        memcpy(data + n, skippable, sizeof skippable);
        expect_text(n + sizeof skippable, 6000);
        expect_fault(n + sizeof skippable - 1, BLASTMERGE_DATA, "data is cut short", true);
    }
}

static void test_xz_padding(void **state) {
    (void)state;
    for (const struct kind *kind = kinds; kind->compress != NULL; kind++) {
        if (kind->kind != BM_DECOMPRESS_XZ) continue;
        size_t n = compress_as(kind, 0, 100, 0);
        memset(data + n, 0, 8);
        expect_text(n + 8, 100);
        expect_fault(n + 7, BLASTMERGE_DATA, "damaged xz data", false);
        expect_text(compress_as(kind, 100, 100, n + 4), 200);
    }
}

static void test_cut(void **state) {
    (void)state;
    for (const struct kind *kind = kinds; kind->compress != NULL; kind++) {
        size_t n_first = compress_as(kind, 0, 700, 0);
        size_t n = compress_as(kind, 700, 3000, n_first);
        for (size_t cut = BM_DECOMPRESS_LOOK; cut < n; cut++)
            if (cut != n_first) expect_fault(cut, BLASTMERGE_DATA, "data is cut short", true);
        expect_text(n_first, 700);
    }
}

static void test_what_follows(void **state) {
    (void)state;
    for (const struct kind *kind = kinds; kind->compress != NULL; kind++) {
        size_t n = compress_as(kind, 0, 700, 0);
        memcpy(data + n, "something else", 14);
        const char *words = kind->kind == BM_DECOMPRESS_LZ4 ? "something else follows" : "damaged ";
        expect_fault(n + 14, BLASTMERGE_DATA, words, false);
        memset(data + n, 0x1f, 20);
        expect_fault(n + 20, BLASTMERGE_DATA, words, false);
    }
}

/* Every bit: refused, or without effect. */
static void test_flips(void **state) {
    (void)state;
    for (const struct kind *kind = kinds; kind->compress != NULL; kind++) {
        size_t n_harmless = 0, n = compress_as(kind, 0, 900, 0);
        for (size_t bit = 0; bit < 8 * n; bit++) {
            data[bit / 8] ^= (uint8_t)(1 << bit % 8);
            decompress_run(run, data, n, ROOM, false, ALL);
            bool is_same = run->n_text == 900 && memcmp(run->text, text, 900) == 0;
            assert_true(!run->is_whole || !run->is_compressed || is_same);
            if (!run->is_compressed) assert_true(bit < 64); /* plain text then, which no format is */
            n_harmless += run->is_whole && is_same;
            data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        print_message("%s: %zu of %zu flips have no effect\n", bm_decompress_name(kind->kind), n_harmless,
                      8 * n);
        assert_true(n_harmless < 64); /* a header's unused bits, and those that say how large things may be */
    }
}

/* Text that is much longer than its data: a batch at a time, and no more is held. */
static void test_bomb(void **state) {
    (void)state;
    enum { N_ZEROS = 32 << 20 };
    uint8_t *zeros = calloc(1, N_ZEROS), *bomb = malloc(N_ZEROS + ROOM);
    assert_true(zeros != NULL && bomb != NULL);
    for (const struct kind *kind = kinds; kind->compress != NULL; kind++) {
        size_t n = kind->compress(zeros, N_ZEROS, bomb, N_ZEROS + ROOM, true);
        assert_true(n < ROOM);
        decompress_run(run, bomb, n, ROOM, false, N_ZEROS / BM_BATCH_TEXT - 1);
        assert_int_equal(run->error.status, BLASTMERGE_OK);
        decompress_run(run, bomb, n, ROOM, false, ALL);
        assert_true(run->is_whole);
    }
    free(zeros);
    free(bomb);
}

static void test_lacks_checksum(void **state) {
    (void)state;
    for (const struct kind *kind = kinds; kind->compress != NULL; kind++) {
        for (int has_checksum = 0; has_checksum < 2; has_checksum++) {
            size_t n = kind->compress(text, 500, data, ROOM, has_checksum != 0);
            expect_text(n, 500);
            bool is_expected = kind->kind != BM_DECOMPRESS_BZIP2 && !has_checksum;
            const char *name = bm_inflate_lacks_checksum(run->inflate);
            assert_true((name != NULL) == is_expected);
            if (is_expected) assert_string_equal(name, bm_decompress_name(kind->kind));
        }
    }
}

/* A window of 256 MiB, which the data does not even use. */
static void test_too_large(void **state) {
    (void)state;
#ifdef BLASTMERGE_LIBZSTD
    static const uint8_t zstd[] = {0x28, 0xb5, 0x2f, 0xfd, 0x00, 18 << 3, 0x19, 0, 0, 'a', 'b', 'c'};
    memcpy(data, zstd, sizeof zstd);
    expect_fault(sizeof zstd, BLASTMERGE_NO_MEMORY, "more than 128 MiB", false);
    data[5] = 17 << 3; /* 128 MiB */
    memcpy(text, "abc", 3);
    expect_text(sizeof zstd, 3);
#endif
#ifdef BLASTMERGE_LIBLZMA
    lzma_options_lzma options;
    assert_false(lzma_lzma_preset(&options, 0));
    options.dict_size = 256 << 20;
    lzma_filter filters[] = {{LZMA_FILTER_LZMA2, &options}, {LZMA_VLI_UNKNOWN, NULL}};
    size_t n = 0;
    assert_int_equal(lzma_stream_buffer_encode(filters, LZMA_CHECK_CRC32, NULL, text, 100, data, &n, ROOM),
                     LZMA_OK);
    expect_fault(n, BLASTMERGE_NO_MEMORY, "more than 128 MiB", false);
#endif
}

/* --- memory -------------------------------------------------------------------------------------- */

/* Bytes that malloc() has handed out; 0 where it does not say. */
static uint64_t n_allocated(void) {
#ifdef __GLIBC__
    struct mallinfo2 information = mallinfo2();
    return information.uordblks + information.hblkhd;
#else
    return 0;
#endif
}

/* As programs write it to a pipe: windows and blocks of their full size. Returns the bytes at `data`. */
static size_t compress_large(enum bm_decompress_kind kind, int level) {
    size_t n = 0;
    (void)level;
#ifdef BLASTMERGE_LIBZSTD
    if (kind == BM_DECOMPRESS_ZSTD) {
        ZSTD_CCtx *context = ZSTD_createCCtx();
        ZSTD_inBuffer in = {text, N_TEXT, 0};
        ZSTD_outBuffer out = {data, ROOM, 0};
        assert_false(
            ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, level == 0 ? 10 : 9 + 2 * level)));
        assert_false(ZSTD_isError(ZSTD_compressStream2(context, &out, &in, ZSTD_e_flush)));
        assert_int_equal(ZSTD_compressStream2(context, &out, &in, ZSTD_e_end), 0);
        ZSTD_freeCCtx(context);
        n = out.pos;
    }
#endif
#ifdef BLASTMERGE_LIBLZMA
    if (kind == BM_DECOMPRESS_XZ)
        assert_int_equal(
            lzma_easy_buffer_encode((uint32_t)level, LZMA_CHECK_CRC64, NULL, text, N_TEXT, data, &n, ROOM),
            LZMA_OK);
#endif
#ifdef BLASTMERGE_BZIP2
    if (kind == BM_DECOMPRESS_BZIP2) {
        unsigned n_made = ROOM;
        assert_int_equal(BZ2_bzBuffToBuffCompress((char *)data, &n_made, (char *)text, N_TEXT,
                                                  level == 0 ? 1 : level, 0, 0),
                         BZ_OK);
        n = n_made;
    }
#endif
#ifdef BLASTMERGE_LIBLZ4
    if (kind == BM_DECOMPRESS_LZ4) {
        LZ4F_preferences_t preferences = {.frameInfo.blockSizeID = (LZ4F_blockSizeID_t)(4 + level / 3),
                                          .frameInfo.blockMode =
                                              level % 2 == 0 ? LZ4F_blockLinked : LZ4F_blockIndependent};
        if (level == 9) preferences.frameInfo.blockSizeID = LZ4F_max4MB;
        LZ4F_cctx *context = NULL;
        assert_false(LZ4F_isError(LZ4F_createCompressionContext(&context, LZ4F_VERSION)));
        n = LZ4F_compressBegin(context, data, ROOM, &preferences);
        n += LZ4F_compressUpdate(context, data + n, ROOM - n, text, N_TEXT, NULL);
        n += LZ4F_compressEnd(context, data + n, ROOM - n, NULL);
        LZ4F_freeCompressionContext(context);
    }
#endif
    return n;
}

static void expect_refused(size_t n_data, struct bm_budget *budget, const char *words, bool lacks_memory) {
    for (size_t piece = 1; piece < ROOM; piece *= 997) {
        decompress_run(run, data, n_data, piece, false, ALL);
        assert_false(run->is_whole);
        assert_int_equal(run->error.status, BLASTMERGE_NO_MEMORY);
        assert_non_null(strstr(run->error.message, words));
        assert_non_null(strstr(run->error.message, "decompress it first"));
        assert_int_equal(bm_inflate_lacks_memory(run->inflate), lacks_memory);
        assert_int_equal(run->n_text, 0);
        bm_inflate_release(run->inflate);
    }
    assert_true(budget->n_used <= budget->n_most);
}

static void test_memory(void **state) {
    (void)state;
    struct bm_budget budget = {.n_most = UINT64_MAX};
    const uint64_t n_in_use = n_allocated();
    void *volatile probe = malloc(1 << 20); /* else a compiler may leave it out */
    const bool is_counted = n_allocated() > n_in_use;
    free(probe);
    if (!is_counted)
        print_message("a sanitizer has its own malloc: what is counted is not compared with it\n");
    bm_inflate_set_budget(run->inflate, &budget);
    for (const struct kind *kind = kinds; kind->compress != NULL; kind++) {
        for (int level = 0; level < 10; level++) {
            const size_t n = compress_large(kind->kind, level);
            bm_inflate_release(run->inflate);
            const uint64_t n_before = n_allocated();
            budget.n_most = UINT64_MAX;
            budget.n_peak = 0;
            decompress_run(run, data, n, 700, false, 1); /* a batch: at the end, libbzip2 has released all */
            assert_int_equal(run->n_text, BM_BATCH_TEXT);
            const uint64_t n_used = budget.n_used, n_held = n_allocated() - n_before;
            print_message("%s, %d: %llu bytes are counted, %llu allocated\n", bm_decompress_name(kind->kind),
                          level, (unsigned long long)n_used, (unsigned long long)n_held);
            assert_true(n_used > 0 && n_used == budget.n_peak);
            if (is_counted) {
                assert_true(n_used <= n_held + (1 << 20));
                assert_true(n_held <= n_used + 1024); /* and the decoder's own record */
            }
            bm_inflate_release(run->inflate);
            assert_int_equal(budget.n_used, 0);
            budget.n_most = n_used; /* exactly enough */
            expect_text(n, N_TEXT);
            bm_inflate_release(run->inflate);
            assert_true(bm_budget_take(&budget, 1));
            expect_refused(n, &budget, "of which other children take a part", true);
            bm_budget_give(&budget, 1);
            budget.n_most = n_used - 1;
            expect_refused(n, &budget, "the merge leaves", false);
        }
    }
    bm_inflate_set_budget(run->inflate, NULL);
}

/* A step that the budget has refused is tried again, and goes on where it was. A later frame needs more than the first. */
static void test_memory_later(void **state) {
    (void)state;
    struct bm_budget budget = {.n_most = UINT64_MAX};
    for (const struct kind *kind = kinds; kind->compress != NULL; kind++) {
        size_t n_used = 0, n_first = compress_as(kind, 0, 1000, 0);
        memmove(data + ROOM - n_first, data, n_first);
        const size_t n_rest = compress_large(kind->kind, 9);
        memmove(data + n_first, data, n_rest);
        memcpy(data, data + ROOM - n_first, n_first);
        const size_t n = n_first + n_rest;
        bm_inflate_set_budget(run->inflate, &budget);
        bm_inflate_reset(run->inflate);
        budget.n_most = UINT64_MAX;
        decompress_run(run, data, n, ROOM, false, ALL);
        assert_true(run->is_whole && run->n_text == 1000 + N_TEXT);
        budget.n_most = budget.n_used;
        bm_inflate_reset(run->inflate);
        assert_true(bm_budget_take(&budget, budget.n_most / 2));
        bm_batch_begin(&run->batch, NULL);
        enum bm_step step = bm_inflate_step(run->inflate, &run->batch, data, n, &n_used, true, &run->error);
        assert_true(step == BM_STEP_FAILED && bm_inflate_lacks_memory(run->inflate));
        assert_int_equal(run->batch.n_text, 1000);
        bm_budget_give(&budget, budget.n_most / 2);
        size_t n_more = 0;
        step =
            bm_inflate_step(run->inflate, &run->batch, data + n_used, n - n_used, &n_more, true, &run->error);
        assert_int_equal(step, BM_STEP_FULL);
        assert_memory_equal(run->batch.text, text, 1000);
        assert_memory_equal(run->batch.text + 1000, text, run->batch.n_text - 1000);
        bm_inflate_reset(run->inflate);
        run->error = (struct blastmerge_error){0};
    }
    bm_inflate_set_budget(run->inflate, NULL);
}

/* No text of a known format begins so; what could be a table is one. */
static void test_plain(void **state) {
    (void)state;
    static const char *const plain[] = {
        "BZh91AYabc\t1\n", "BZh9\tsubject\t99.1\n", "(\n", "\x04\x22\x4d", "<", ""};
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
        size_t n = strlen(plain[i]);
        memcpy(data, plain[i], n);
        decompress_run(run, data, n, 1, true, ALL);
        assert_true(run->is_whole && !run->is_compressed);
        assert_int_equal(run->n_text, n);
        assert_memory_equal(run->text, plain[i], n);
    }
}

static int set_up(void **state) {
    (void)state;
    uint64_t seed = 1;
    for (size_t i = 0; i < N_TEXT; i++) {
        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407U;
        text[i] = i % 7 == 0 || i < 100 ? (uint8_t)(seed >> 56) : text[i - 1 - (seed >> 60)];
    }
    run = decompress_open();
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    decompress_close(run);
    return 0;
}

int main(void) {
    print_message("other compressions: %s\n", bm_decompress_kinds());
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),        cmocka_unit_test(test_frames),
        cmocka_unit_test(test_many_frames),  cmocka_unit_test(test_skippable),
        cmocka_unit_test(test_xz_padding),   cmocka_unit_test(test_cut),
        cmocka_unit_test(test_what_follows), cmocka_unit_test(test_flips),
        cmocka_unit_test(test_bomb),         cmocka_unit_test(test_lacks_checksum),
        cmocka_unit_test(test_plain),        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_memory_later), cmocka_unit_test(test_too_large), /* changes the text */
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
