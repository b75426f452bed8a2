/* SPDX-License-Identifier: MIT */
/*
 * inflate: streams made by hand, at and beyond the borders of what deflate allows. Each is held against zlib;
 * what zlib says is also written down, so that a test that proves nothing is seen.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "inflate_check.h"

static struct checker checker;

static int open_checker(void **state) {
    (void)state;
    checker_open(&checker);
    return 0;
}

static int close_checker(void **state) {
    (void)state;
    checker_close(&checker);
    return 0;
}

static const struct split some_splits[] = {
    {1, 0, false, false}, {3, 0, true, true}, {4099, 0, false, true}, {0, 7, false, false}};

/* --- a writer of bits -------------------------------------------------------------------------------------
 */

enum { ROOM = 4000000 };

static uint8_t data[ROOM];
static uint64_t n_data_bits;
static uint8_t literal_lengths[288], distance_lengths[32];
static unsigned n_literal, n_distance;

static void put(uint64_t value, unsigned n_bits) {
    assert_true(n_data_bits / 8 + 16 < ROOM);
    for (unsigned i = 0; i < n_bits; i++, n_data_bits++) {
        if ((n_data_bits & 7) == 0) data[n_data_bits >> 3] = 0;
        unsigned bit = i < 64 ? (unsigned)(value >> i) & 1 : 0;
        data[n_data_bits >> 3] |= (uint8_t)(bit << (n_data_bits & 7));
    }
}

static void put_code(const uint8_t *lengths, unsigned n_lengths, unsigned symbol) {
    unsigned code = 0;
    assert_true(lengths[symbol] != 0);
    for (unsigned i = 0; i < n_lengths; i++) {
        bool is_before = lengths[i] < lengths[symbol] || (i < symbol && lengths[i] == lengths[symbol]);
        if (lengths[i] != 0 && is_before) code += 1U << (lengths[symbol] - lengths[i]);
    }
    for (unsigned i = lengths[symbol]; i > 0; i--) put(code >> (i - 1) & 1, 1);
}

static void put_literal_length(unsigned symbol) {
    put_code(literal_lengths, 288, symbol);
}

static void put_distance(unsigned symbol) {
    put_code(distance_lengths, 32, symbol);
}

/* A match of the length symbol's base length. */
static void put_match(unsigned length_symbol, unsigned length_extra, unsigned distance_symbol,
                      unsigned distance_extra) {
    put_literal_length(length_symbol);
    put(length_extra, bm_deflate_length_extra_bits[length_symbol - 257]);
    put_distance(distance_symbol);
    put(distance_extra, bm_deflate_distance_extra_bits[distance_symbol]);
}

static void begin_stream(void) {
    static const uint8_t header[10] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255};
    memcpy(data, header, sizeof header);
    n_data_bits = 80;
}

/* All code lengths have codes: 13 of four bits, 6 of five. */
static void put_code_length_code(unsigned n_literal_codes, unsigned n_distance_codes) {
    static const uint8_t order[19] = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
    put(n_literal_codes - 257, 5);
    put(n_distance_codes - 1, 5);
    put(15, 4);
    for (unsigned i = 0; i < 19; i++) put(order[i] < 13 ? 4 : 5, 3);
}

static void put_code_length(unsigned symbol) {
    unsigned n_bits = symbol < 13 ? 4 : 5, code = symbol < 13 ? symbol : symbol + 13;
    for (unsigned i = n_bits; i > 0; i--) put(code >> (i - 1) & 1, 1);
}

static void begin_dynamic(bool is_final) {
    put(is_final ? 1 : 0, 1);
    put(2, 2);
    put_code_length_code(n_literal, n_distance);
    for (unsigned i = 0; i < n_literal; i++) put_code_length(literal_lengths[i]);
    for (unsigned i = 0; i < n_distance; i++) put_code_length(distance_lengths[i]);
}

static void no_codes(void) {
    memset(literal_lengths, 0, sizeof literal_lengths);
    memset(distance_lengths, 0, sizeof distance_lengths);
    n_literal = 257;
    n_distance = 1;
}

/* "a" 1 bit, end of block 2 bits, lengths 3 and 258 (as 284 + extra bits) 3 bits each; distances 1, 2. */
static void usual_codes(void) {
    no_codes();
    literal_lengths['a'] = 1;
    literal_lengths[256] = 2;
    literal_lengths[257] = 3;
    literal_lengths[284] = 3;
    n_literal = 285;
    distance_lengths[0] = 1;
    distance_lengths[1] = 1;
    n_distance = 2;
}

static void fixed_codes(void) {
    memset(literal_lengths, 8, 144);
    memset(literal_lengths + 144, 9, 112);
    memset(literal_lengths + 256, 7, 24);
    memset(literal_lengths + 280, 8, 8);
    memset(distance_lengths, 5, 32);
}

static void begin_fixed(bool is_final) {
    fixed_codes();
    put(is_final ? 1 : 0, 1);
    put(1, 2);
}

/* The trailer that fits the text, as far as the slow decoder can read it. Returns the verdict on all of it.
 */
static enum slow_verdict judge(void) {
    struct slow slow = {0};
    n_data_bits = (n_data_bits + 7) & ~UINT64_C(7);
    slow_decode(&slow, data, (size_t)(n_data_bits >> 3));
    put(slow_crc(slow.text + slow.member_text, slow.n_text - slow.member_text), 32);
    put(slow.n_text - slow.member_text, 32);
    slow_close(&slow);
    return check_gzip(&checker, data, (size_t)(n_data_bits >> 3), some_splits, 4);
}

#define assert_whole()   assert_int_equal(judge(), SLOW_WHOLE)
#define assert_damaged() assert_int_equal(judge(), SLOW_DAMAGED)

static void put_codes_and_end(void) {
    begin_stream();
    begin_dynamic(true);
    put_literal_length(256);
}

/* --- codes
 * ----------------------------------------------------------------------------------------------------- */

static void test_usual(void **state) {
    (void)state;
    usual_codes();
    begin_stream();
    begin_dynamic(true);
    put_literal_length('a');
    put_match(257, 0, 0, 0);
    put_match(284, 31, 1, 0); /* 258 the long way */
    put_match(284, 30, 0, 0);
    put_literal_length(256);
    assert_whole();
}

static void test_incomplete_codes(void **state) {
    (void)state;
    usual_codes();
    literal_lengths[284] = 4;
    put_codes_and_end();
    assert_damaged();
    usual_codes();
    distance_lengths[1] = 2;
    put_codes_and_end();
    assert_damaged();
    usual_codes();
    distance_lengths[0] = 2; /* two codes of two bits */
    distance_lengths[1] = 2;
    put_codes_and_end();
    assert_damaged();
}

static void test_oversubscribed_codes(void **state) {
    (void)state;
    usual_codes();
    literal_lengths['b'] = 15;
    put_codes_and_end();
    assert_damaged();
    usual_codes();
    distance_lengths[2] = 15;
    n_distance = 3;
    put_codes_and_end();
    assert_damaged();
    usual_codes();
    memset(literal_lengths, 1, 256);
    put_codes_and_end();
    assert_damaged();
}

static void test_no_distance_code(void **state) {
    (void)state;
    usual_codes();
    memset(distance_lengths, 0, sizeof distance_lengths);
    begin_stream();
    begin_dynamic(true);
    put_literal_length('a');
    put_literal_length(256);
    assert_whole();
    begin_stream();
    begin_dynamic(true);
    put_literal_length('a');
    put_literal_length(257);
    put(0, 1);
    put_literal_length(256);
    assert_damaged();
}

static void test_single_distance_code(void **state) {
    (void)state;
    for (unsigned symbol = 0; symbol < 30; symbol++) {
        for (unsigned n_bits = 1; n_bits < 4; n_bits++) {
            usual_codes();
            memset(distance_lengths, 0, sizeof distance_lengths);
            distance_lengths[symbol] = (uint8_t)n_bits;
            n_distance = 30;
            begin_stream();
            begin_dynamic(true);
            for (unsigned i = bm_deflate_distance_base[symbol]; i > 0; i--) put_literal_length('a');
            put_match(257, 0, symbol, 0);
            put_literal_length(256);
            assert_int_equal(judge(), n_bits == 1 ? SLOW_WHOLE : SLOW_DAMAGED);
        }
    }
    usual_codes();
    distance_lengths[1] = 0;
    begin_stream();
    begin_dynamic(true);
    put_literal_length('a');
    put_literal_length(257);
    put(1, 1); /* the code that is not there */
    put_literal_length(256);
    assert_damaged();
}

/* A block may have a single code of one bit for its end alone. */
static void test_single_literal_code(void **state) {
    (void)state;
    no_codes();
    literal_lengths[256] = 1;
    put_codes_and_end();
    assert_whole();
    begin_stream();
    begin_dynamic(true);
    put(1, 1);
    put_literal_length(256);
    assert_damaged();
    literal_lengths[256] = 2;
    put_codes_and_end();
    assert_damaged();
}

static void test_no_end_of_block(void **state) {
    (void)state;
    usual_codes();
    literal_lengths['b'] = 2;
    literal_lengths[256] = 0;
    begin_stream();
    begin_dynamic(true);
    put_literal_length('b');
    assert_damaged();
}

/* Codes of 1, 2, 3 ... 15 and 15 bits, as long as they can be, in both tables; all tokens that they make. */
static void test_longest_codes(void **state) {
    (void)state;
    no_codes();
    for (unsigned i = 0; i < 13; i++) literal_lengths['a' + i] = (uint8_t)(i + 1);
    literal_lengths[256] = 14;
    literal_lengths[265] = 15;
    literal_lengths[284] = 15;
    n_literal = 285;
    for (unsigned i = 0; i < 15; i++) distance_lengths[i] = (uint8_t)(i + 1);
    distance_lengths[29] = 15;
    n_distance = 30;
    begin_stream();
    begin_dynamic(true);
    for (unsigned i = 0; i < 40000; i++) put_literal_length('a' + i * i % 13);
    for (unsigned i = 0; i < 3000; i++) {
        unsigned symbol = i % 16 == 15 ? 29 : i % 16;
        put_match(i % 3 ? 265 : 284, i % 2, symbol, i & ((1U << bm_deflate_distance_extra_bits[symbol]) - 1));
        if (i % 5 == 0) put_literal_length('a' + i % 13);
    }
    put_literal_length(256);
    assert_whole();
}

/* Random complete codes: from one code of all the space, codes are split in two until there are enough. */
static void random_lengths(uint8_t *lengths, unsigned n_lengths, unsigned n_wanted, unsigned *seed) {
    uint8_t found[288] = {0};
    unsigned n = 1;
    memset(lengths, 0, n_lengths);
    while (n < n_wanted) {
        *seed = *seed * 1103515245 + 12345;
        unsigned i = (*seed >> 8) % n;
        if (found[i] == 15) continue;
        found[i]++;
        found[n++] = found[i];
    }
    for (unsigned i = 0; i < n; i++) {
        unsigned place;
        do {
            *seed = *seed * 1103515245 + 12345;
            place = (*seed >> 8) % n_lengths;
        } while (lengths[place] != 0);
        lengths[place] = found[i];
    }
}

static void put_random_tokens(unsigned n_tokens, size_t *n_text, unsigned *seed) {
    for (unsigned i = 0; i < n_tokens; i++) {
        *seed = *seed * 1103515245 + 12345;
        unsigned symbol = (*seed >> 8) % 286, distance = (*seed >> 20) % 30;
        if (symbol == 256 || literal_lengths[symbol] == 0) continue;
        if (symbol < 256) {
            put_literal_length(symbol);
            ++*n_text;
        } else if (distance_lengths[distance] != 0 && bm_deflate_distance_base[distance] <= *n_text) {
            put_match(symbol, 0, distance, 0);
            *n_text += bm_deflate_length_base[symbol - 257];
        }
    }
}

static void test_random_codes(void **state) {
    (void)state;
    unsigned seed = 1;
    for (unsigned round = 0; round < 150; round++) {
        size_t n_text = 0;
        begin_stream();
        for (unsigned block = 0; block < 4; block++) {
            no_codes();
            n_literal = 286;
            n_distance = 30;
            do {
                random_lengths(literal_lengths, 286, 2 + (round * 7 + block * 31) % 285, &seed);
            } while (literal_lengths[256] == 0);
            random_lengths(distance_lengths, 30, 2 + (round + block) % 29, &seed);
            begin_dynamic(block == 3);
            put_random_tokens(3000, &n_text, &seed);
            put_literal_length(256);
        }
        assert_whole();
    }
}

/* --- headers
 * ---------------------------------------------------------------------------------------------------- */

static void begin_raw_header(unsigned n_literal_codes, unsigned n_distance_codes) {
    begin_stream();
    put(1, 1);
    put(2, 2);
    put_code_length_code(n_literal_codes, n_distance_codes);
}

static void test_too_many_codes(void **state) {
    (void)state;
    for (unsigned n = 285; n <= 288; n++) {
        usual_codes();
        n_literal = n;
        put_codes_and_end();
        assert_int_equal(judge(), n <= 286 ? SLOW_WHOLE : SLOW_DAMAGED);
    }
    for (unsigned n = 29; n <= 32; n++) {
        usual_codes();
        n_distance = n;
        put_codes_and_end();
        assert_int_equal(judge(), n <= 30 ? SLOW_WHOLE : SLOW_DAMAGED);
    }
}

static void test_repeats(void **state) {
    (void)state;
    begin_raw_header(257, 1); /* repeat of nothing */
    put_code_length(16);
    put(0, 2);
    assert_damaged();
    /* 256 zeros, one bit for the end of block, and the distance codes' lengths by a repeat that crosses over
     */
    for (unsigned n_distance_codes = 2; n_distance_codes <= 4; n_distance_codes++) {
        begin_raw_header(257, n_distance_codes);
        put_code_length(18);
        put(127, 7);
        put_code_length(18);
        put(118 - 11, 7);
        put_code_length(1);
        put_code_length(16);
        put(0, 2);
        put(0, 1);
        assert_damaged(); /* too few, too many, or three codes of one bit */
    }
    begin_raw_header(257, 3); /* zeros that cross over */
    put_code_length(18);
    put(127, 7);
    put_code_length(18);
    put(118 - 11, 7);
    put_code_length(1);
    put_code_length(17);
    put(0, 3);
    put(0, 1);
    assert_whole();
    begin_raw_header(257, 2); /* one zero too many */
    put_code_length(18);
    put(127, 7);
    put_code_length(18);
    put(118 - 11, 7);
    put_code_length(1);
    put_code_length(17);
    put(0, 3);
    put(0, 1);
    assert_damaged();
}

static void test_code_length_codes(void **state) {
    (void)state;
    for (unsigned value = 0; value < 512; value++) { /* lengths of the codes for 16, 17 and 18; no others */
        begin_stream();
        put(5, 3);
        put(0, 5 + 5 + 4);
        put(value, 9);
        put(0, 3);
        put(0, 600);
        assert_damaged();
    }
}

static void test_block_types(void **state) {
    (void)state;
    begin_stream();
    put(7, 3);
    put(0, 100);
    assert_damaged();
    begin_stream();
    put(1, 1);
    put(0, 2);
    put(31, 5); /* padding may hold anything */
    put(3, 16);
    put(0xfffc, 16);
    put(0x636261, 24);
    assert_whole();
    begin_stream();
    put(1, 8);
    put(3, 16);
    put(0xfffd, 16);
    put(0x636261, 24);
    assert_damaged();
}

static void test_fixed_codes_without_meaning(void **state) {
    (void)state;
    for (unsigned symbol = 285; symbol < 288; symbol++) {
        begin_stream();
        begin_fixed(true);
        put_literal_length('a');
        put_literal_length(symbol);
        put_distance(0);
        put_literal_length(256);
        assert_int_equal(judge(), symbol == 285 ? SLOW_WHOLE : SLOW_DAMAGED);
    }
    for (unsigned symbol = 29; symbol < 32; symbol++) {
        begin_stream();
        begin_fixed(true);
        for (unsigned i = 0; i < 33000; i++) put_literal_length('a');
        put_literal_length(257);
        put_distance(symbol);
        put(0, 13);
        put_literal_length(256);
        assert_int_equal(judge(), symbol == 29 ? SLOW_WHOLE : SLOW_DAMAGED);
    }
}

/* --- distances
 * -------------------------------------------------------------------------------------------------------- */

static unsigned distance_symbol_of(unsigned distance) {
    unsigned symbol = 29;
    while (bm_deflate_distance_base[symbol] > distance) symbol--;
    return symbol;
}

/* With n bytes before it, a match may have distance n, and no more. */
static void test_distances(void **state) {
    (void)state;
    static const unsigned distances[] = {1,  2,  3,  4,  15,   16,    17,    31,   32,
                                         33, 63, 64, 65, 4097, 24577, 32767, 32768};
    for (size_t i = 0; i < sizeof distances / sizeof distances[0]; i++) {
        for (unsigned too_far = 0; too_far < 2; too_far++) {
            unsigned symbol = distance_symbol_of(distances[i]);
            begin_stream();
            begin_fixed(true);
            for (unsigned n = 0; n < distances[i] - too_far; n++) put_literal_length('a' + n % 26);
            put_match(285, 0, symbol, distances[i] - bm_deflate_distance_base[symbol]);
            for (unsigned n = 0; n < 100; n++) put_literal_length('b');
            put_literal_length(256);
            assert_int_equal(judge(), too_far ? SLOW_DAMAGED : SLOW_WHOLE);
        }
    }
}

/* Every distance up to 300 with every length: each way of copying, in the fast loop. */
static void test_copies(void **state) {
    (void)state;
    begin_stream();
    begin_fixed(true);
    for (unsigned distance = 1; distance <= 300; distance++) {
        unsigned symbol = distance_symbol_of(distance);
        for (unsigned n = 0; n < 600; n++) put_literal_length(n * n % 251);
        for (unsigned i = 0; i < 29; i++) {
            put_match(257 + i, (1U << bm_deflate_length_extra_bits[i]) - 1, symbol,
                      distance - bm_deflate_distance_base[symbol]);
            put_match(257 + i, 0, symbol, distance - bm_deflate_distance_base[symbol]);
            put_literal_length(i);
        }
    }
    put_literal_length(256);
    assert_whole();
}

/* --- many blocks
 * ------------------------------------------------------------------------------------------------------ */

static void test_empty_blocks(void **state) {
    (void)state;
    begin_stream();
    no_codes();
    literal_lengths[256] = 1;
    for (unsigned i = 0; i < 3000; i++) {
        put(0, 3); /* stored */
        n_data_bits = (n_data_bits + 7) & ~UINT64_C(7);
        put(0xffff0000, 32);
        begin_fixed(false);
        put_literal_length(256);
        no_codes();
        literal_lengths[256] = 1;
        begin_dynamic(false);
        put_literal_length(256);
    }
    begin_fixed(true);
    put_literal_length(256);
    assert_whole();
}

/* One literal a block: the trace is full long before the text. */
static void test_tiny_blocks(void **state) {
    (void)state;
    begin_stream();
    for (unsigned i = 0; i < 20000; i++) {
        begin_fixed(i == 19999);
        put_literal_length(i % 256);
        put_literal_length(256);
    }
    assert_whole();
}

/* A batch's text ends in literals, in a match, and in front of the end of a block, wherever that falls. */
static void test_batch_ends(void **state) {
    (void)state;
    for (unsigned n_before = 0; n_before < 600; n_before += 7) {
        begin_stream();
        begin_fixed(false);
        put_literal_length('a');
        for (unsigned n = 1; n + 258 <= BM_BATCH_TEXT - 600; n += 258) put_match(285, 0, 0, 0);
        for (unsigned n = 0; n < n_before; n++) put_literal_length('b');
        put_literal_length(256);
        begin_fixed(true);
        for (unsigned n = 0; n < 5; n++) put_match(257 + n_before % 29, 0, 0, 0);
        for (unsigned n = 0; n < 600 - n_before; n++) put_literal_length('c');
        put_literal_length(256);
        assert_whole();
    }
}

/* --- bm_deflate_read_header
 * ---------------------------------------------------------------------------------------------- */

/* The verdict on a header that is cut at any byte is that it is cut; and nothing behind it is looked at. */
static void test_cut_headers(void **state) {
    (void)state;
    struct bm_block_header header, again;
    const char *reason;
    unsigned seed = 5;
    for (unsigned shift = 0; shift < 8; shift++) {
        n_data_bits = 0;
        put(0, shift);
        no_codes();
        n_literal = 286;
        n_distance = 30;
        do random_lengths(literal_lengths, 286, 200, &seed);
        while (literal_lengths[256] == 0);
        random_lengths(distance_lengths, 30, 20, &seed);
        begin_dynamic(shift % 2);
        size_t n_whole = (size_t)((n_data_bits + 7) >> 3);
        for (size_t n = 0; n <= n_whole; n++) {
            uint8_t *copy = malloc(n == 0 ? 1 : n);
            memcpy(copy, data, n);
            enum bm_deflate_header_result result = bm_deflate_read_header(copy, n, shift, &header, &reason);
            free(copy);
            assert_int_equal(result, n < n_whole ? BM_DEFLATE_HEADER_MORE_INPUT : BM_DEFLATE_HEADER_OK);
        }
        assert_int_equal(header.n_bits, n_data_bits - shift);
        assert_int_equal(header.is_final, shift % 2);
        assert_int_equal(header.type, BM_BLOCK_DYNAMIC);
        assert_memory_equal(header.literal_lengths, literal_lengths, sizeof literal_lengths);
        assert_memory_equal(header.distance_lengths, distance_lengths, sizeof distance_lengths);
        assert_int_equal(bm_deflate_read_header(data, 2000, shift, &again, &reason), BM_DEFLATE_HEADER_OK);
        assert_memory_equal(&header, &again, sizeof header);
    }
}

static void test_headers_say_why(void **state) {
    (void)state;
    struct bm_block_header header;
    const char *reason = NULL;
    assert_int_equal(bm_deflate_read_header((const uint8_t *)"\7", 1, 0, &header, &reason),
                     BM_DEFLATE_HEADER_INVALID);
    assert_non_null(reason);
    assert_int_equal(bm_deflate_read_header((const uint8_t *)"\0\1\0\0\0", 5, 0, &header, &reason),
                     BM_DEFLATE_HEADER_INVALID);
    assert_int_equal(bm_deflate_read_header((const uint8_t *)"\3", 1, 0, &header, &reason),
                     BM_DEFLATE_HEADER_OK);
    assert_true(header.is_final && header.type == BM_BLOCK_FIXED && header.n_bits == 3);
    assert_int_equal(bm_deflate_read_header((const uint8_t *)"\0\2\0\xfd\xff", 5, 5, &header, &reason),
                     BM_DEFLATE_HEADER_OK);
    assert_true(header.stored_length == 2 && header.n_bits == 35 && !header.is_final);
    assert_int_equal(bm_deflate_read_header((const uint8_t *)"\0\2\0\xfd", 4, 5, &header, &reason),
                     BM_DEFLATE_HEADER_MORE_INPUT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_usual),
        cmocka_unit_test(test_incomplete_codes),
        cmocka_unit_test(test_oversubscribed_codes),
        cmocka_unit_test(test_no_distance_code),
        cmocka_unit_test(test_single_distance_code),
        cmocka_unit_test(test_single_literal_code),
        cmocka_unit_test(test_no_end_of_block),
        cmocka_unit_test(test_longest_codes),
        cmocka_unit_test(test_random_codes),
        cmocka_unit_test(test_too_many_codes),
        cmocka_unit_test(test_repeats),
        cmocka_unit_test(test_code_length_codes),
        cmocka_unit_test(test_block_types),
        cmocka_unit_test(test_fixed_codes_without_meaning),
        cmocka_unit_test(test_distances),
        cmocka_unit_test(test_copies),
        cmocka_unit_test(test_empty_blocks),
        cmocka_unit_test(test_tiny_blocks),
        cmocka_unit_test(test_batch_ends),
        cmocka_unit_test(test_cut_headers),
        cmocka_unit_test(test_headers_say_why),
    };
    return cmocka_run_group_tests(tests, open_checker, close_checker);
}
