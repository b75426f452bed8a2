/* SPDX-License-Identifier: MIT */
/* base: sums of pieces, and hashes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/base.h"
#include "base/hash.h"

#include <string.h>
#include <zlib.h>

enum { N_TEXT = 300000 };

static uint8_t text[N_TEXT];

static void fill(void) {
    uint64_t state = 20261130;
    for (size_t i = 0; i < N_TEXT; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        text[i] = (uint8_t)(state >> 56);
    }
}

/* A text's CRC-32 follows from that of its beginning and from what its rest makes of any other. */
static void test_crc32_follow(void **state) {
    static const size_t sizes[] = {0, 1, 2, 3, 7, 8, 255, 256, 257, 4096, 65535, 65536, 131072, 199999};
    (void)state;
    fill();
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        for (size_t j = 0; j < sizeof sizes / sizeof sizes[0]; j++) {
            size_t n_first = sizes[i] < 100000 ? sizes[i] : 100000;
            size_t n_rest = sizes[j];
            uint32_t first = (uint32_t)crc32_z(0, text, n_first);
            uint32_t whole = (uint32_t)crc32_z(first, text + n_first, n_rest);
            uint32_t other = (uint32_t)crc32_z(0, text + 17, n_first / 2 + 3);
            uint32_t after = (uint32_t)crc32_z(other, text + n_first, n_rest);
            assert_int_equal(bm_crc32_follow(first, other, after, n_rest), whole);
            assert_int_equal(bm_crc32_follow(first, 0, (uint32_t)crc32_z(0, text + n_first, n_rest), n_rest),
                             whole);
        }
    }
}

/* Of lengths that no test can have as a text: two steps are one of their sum. */
static void test_crc32_follow_far(void **state) {
    (void)state;
    static const uint64_t sizes[] = {1,
                                     131072,
                                     UINT64_C(1) << 31,
                                     (UINT64_C(1) << 32) - 1,
                                     UINT64_C(1) << 32,
                                     (UINT64_C(1) << 32) + 5,
                                     UINT64_C(1) << 45,
                                     UINT64_C(0x123456789abcd)};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        for (size_t j = 0; j < sizeof sizes / sizeof sizes[0]; j++) {
            uint32_t once = bm_crc32_follow(0x9e3779b1, 0, 0, sizes[i] + sizes[j]);
            uint32_t twice = bm_crc32_follow(bm_crc32_follow(0x9e3779b1, 0, 0, sizes[i]), 0, 0, sizes[j]);
            assert_int_equal(once, twice);
        }
    }
    /* zlib's own, where its type can say the length */
    assert_int_equal(bm_crc32_follow(1, 0, 0, UINT64_C(1) << 40), crc32_combine(1, 0, (z_off_t)1 << 40));
}

/* The product in four pieces, which needs no wide type. */
static uint64_t fold_slowly(uint64_t a, uint64_t b) {
    uint64_t low = 0;
    uint64_t high = 0;
    for (unsigned i = 0; i < 64; i++) {
        if ((b >> i & 1) == 0) continue;
        uint64_t before = low;
        low += a << i;
        high += (i == 0 ? 0 : a >> (64 - i)) + (low < before);
    }
    return low ^ high;
}

static void test_hash_fold(void **state) {
    static const uint64_t values[] = {0,
                                      1,
                                      2,
                                      UINT32_MAX,
                                      UINT64_C(1) << 32,
                                      UINT64_MAX,
                                      UINT64_MAX - 1,
                                      UINT64_C(0x9fb21c651e98df25),
                                      UINT64_C(0x2545f4914f6cdd1d)};
    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        for (size_t j = 0; j < sizeof values / sizeof values[0]; j++)
            assert_int_equal(bm_hash_fold(values[i], values[j]), fold_slowly(values[i], values[j]));
}

/* Each byte counts wherever it stands, the length does, and the seed; what lies behind does not. */
static void test_hash(void **state) {
    uint8_t copy[80];
    (void)state;
    fill();
    for (size_t n = 0; n <= 70; n++) {
        uint64_t hash = bm_hash(text, n, n);
        memset(copy, 0xa5, sizeof copy);
        memcpy(copy, text, n);
        assert_int_equal(bm_hash(copy, n, n), hash);
        assert_int_not_equal(bm_hash(copy, n, n + 1), hash);
        assert_int_not_equal(bm_hash(copy, n + 1, n), hash);
        for (size_t i = 0; i < n; i++) {
            for (unsigned bit = 0; bit < 8; bit++) {
                copy[i] ^= (uint8_t)(1u << bit);
                assert_int_not_equal(bm_hash(copy, n, n), hash);
                copy[i] ^= (uint8_t)(1u << bit);
            }
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_crc32_follow),
        cmocka_unit_test(test_crc32_follow_far),
        cmocka_unit_test(test_hash_fold),
        cmocka_unit_test(test_hash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
