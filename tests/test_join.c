/* SPDX-License-Identifier: MIT */
/*
 * libdeflate's streams, cut at any byte of their text and joined: zlib, which is given what was left out as its
 * dictionary, inflates them to the rest. Texts of every kind at every level, cut at random places and at all of a few.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "splice/join.h"

#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { MAX_TEXT = 300000, N_ROUNDS = 300, SLACK = BM_SPLICE_JOIN_SLACK };

static uint8_t text[MAX_TEXT], again[MAX_TEXT];
static uint8_t stream[MAX_TEXT + SLACK];
static uint8_t out[MAX_TEXT + BM_SPLICE_JOIN_MORE + SLACK];
static struct bm_splice_join join;
static uint64_t dice = 1;

static uint32_t draw(uint32_t n) {
    dice = dice * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (uint32_t)((dice >> 33) % n);
}

/* Stretches of noise, of few letters, and of copies, each long enough for blocks of its own. */
static void make_text(size_t n_text) {
    size_t at = 0;
    while (at < n_text) {
        size_t n = 1 + draw(60000);
        if (n > n_text - at) n = n_text - at;
        uint32_t kind = draw(4), n_letters = kind == 0 ? 256 : 2 + draw(60);
        for (size_t end = at + n; at < end; at++) {
            bool is_copy = kind > 1 && at > 300 && draw(64) != 0;
            text[at] = is_copy ? text[at - 1 - (kind == 2 ? 260 : draw(2))] : (uint8_t)draw(n_letters);
        }
    }
}

/* The blocks are the text from n_left_out on, none of them is final, and they end at a byte border. */
static void check_blocks(size_t n_text, size_t n_left_out, size_t n_out) {
    const uint8_t *expected = text + n_left_out;
    const size_t n_expected = n_text - n_left_out, n_known = n_left_out < 32768 ? n_left_out : 32768;
    z_stream z = {.next_in = out, .avail_in = (uInt)n_out, .next_out = again, .avail_out = sizeof again};
    assert_true(n_out >= 5 && memcmp(&out[n_out - 4], "\0\0\xff\xff", 4) == 0);
    assert_int_equal(inflateInit2(&z, -15), Z_OK);
    if (n_known > 0)
        assert_int_equal(inflateSetDictionary(&z, text + n_left_out - n_known, (uInt)n_known), Z_OK);
    int result = inflate(&z, Z_SYNC_FLUSH);
    assert_true(result == Z_OK || (result == Z_BUF_ERROR && n_expected == 0));
    assert_int_equal(z.avail_in, 0);
    assert_int_equal(z.total_out, n_expected);
    assert_int_equal(z.data_type & (64 | 128), 128); /* after a block, which was not the last; no bits wait */
    assert_int_equal(z.data_type & 7, 0);
    assert_memory_equal(again, expected, n_expected);
    (void)inflateEnd(&z);
}

static void join_at(size_t n_text, size_t n_data, size_t n_left_out) {
    size_t n_out = bm_splice_join(&join, stream, n_data, text, n_text, n_left_out, out);
    assert_true(n_out <= n_data + BM_SPLICE_JOIN_MORE);
    check_blocks(n_text, n_left_out, n_out);
}

static size_t compress_text(size_t n_text, int level) {
    struct libdeflate_compressor *compressor = libdeflate_alloc_compressor(level);
    assert_non_null(compressor);
    size_t n_data = libdeflate_deflate_compress(compressor, text, n_text, stream, MAX_TEXT);
    libdeflate_free_compressor(compressor);
    return n_data;
}

static void test_random_cuts(void **state) {
    (void)state;
    size_t n_joined = 0;
    for (int round = 0; round < N_ROUNDS; round++) {
        const size_t n_text = 1 + draw(round % 3 == 0 ? 2000 : 200000);
        make_text(n_text);
        size_t n_data = compress_text(n_text, round % 13);
        if (n_data == 0) continue; /* longer than the text */
        join_at(n_text, n_data, 0);
        join_at(n_text, n_data, n_text);
        for (int cut = 0; cut < 8; cut++) join_at(n_text, n_data, draw((uint32_t)n_text + 1));
        n_joined++;
    }
    assert_true(n_joined > N_ROUNDS / 2);
}

/* Inside of matches, between tokens, and at the borders of blocks. */
static void test_all_cuts(void **state) {
    (void)state;
    for (int level = 0; level <= 9; level += 3) {
        const size_t n_text = 20000;
        make_text(n_text);
        memset(text + 100, 'a', 1000);
        size_t n_data = compress_text(n_text, level);
        assert_true(n_data > 0);
        for (size_t cut = 0; cut <= n_text; cut += cut < 1500 || cut > 19000 ? 1 : 37)
            join_at(n_text, n_data, cut);
    }
}

static void test_stored(void **state) {
    (void)state;
    static const size_t lengths[] = {0, 1, 65534, 65535, 65536, 131070, 131071, 262144};
    make_text(MAX_TEXT);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
        check_blocks(lengths[i], 0, bm_splice_join_stored(text, lengths[i], out));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_cuts),
        cmocka_unit_test(test_all_cuts),
        cmocka_unit_test(test_stored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
