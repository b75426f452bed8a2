/* SPDX-License-Identifier: MIT */
/*
 * zstd, xz, bzip2, lz4: what their libraries have compressed is read by inflate's steps, in any split; in several frames
 * and with skippable ones; what is cut short, followed by something else, or changed in any bit is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "decompress/decompress.h"
#include "decompress_run.h"

#include <stdio.h>

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
        cmocka_unit_test(test_plain),        cmocka_unit_test(test_too_large), /* changes the text */
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
