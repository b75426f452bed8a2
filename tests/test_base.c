/* SPDX-License-Identifier: MIT */
/* base: sums of pieces, hashes, UTF-8, references. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/base.h"
#include "base/descriptor.h"
#include "base/entity.h"
#include "base/hash.h"
#include "base/utf8.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
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
            assert_int_equal(bm_crc32_undo(whole, text + n_first, n_rest), first);
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

/* The test vectors of FNV's own page. */
static void test_fnv1a(void **state) {
    (void)state;
    assert_int_equal(bm_fnv1a(BM_FNV1A, "", 0), UINT64_C(0xcbf29ce484222325));
    assert_int_equal(bm_fnv1a(BM_FNV1A, "a", 1), UINT64_C(0xaf63dc4c8601ec8c));
    assert_int_equal(bm_fnv1a(BM_FNV1A, "foobar", 6), UINT64_C(0x85944171f73967e8));
    assert_int_equal(bm_fnv1a(bm_fnv1a(BM_FNV1A, "foo", 3), "bar", 3), UINT64_C(0x85944171f73967e8));
}

/* --- UTF-8 ---------------------------------------------------------------------------------------- */

/* By the rule alone: the number of bytes that a character needs, and its bits in order. */
static size_t write_slowly(char bytes[4], uint32_t c) {
    unsigned n_bits = 0;
    while (c >> n_bits != 0) n_bits++;
    size_t n = n_bits <= 7 ? 1 : n_bits <= 11 ? 2 : n_bits <= 16 ? 3 : 4;
    static const uint8_t leads[] = {0, 0x00, 0xc0, 0xe0, 0xf0};
    for (size_t i = n; i-- > 1; c /= 64) bytes[i] = (char)(128 + c % 64);
    bytes[0] = (char)(leads[n] + c);
    return n;
}

/* All characters are written and read, and are no characters where a byte lacks. */
static void test_utf8_characters(void **state) {
    (void)state;
    for (uint32_t c = 0; c <= 0x10ffff; c++) {
        char expected[4], bytes[BM_UTF8_MOST];
        uint32_t read = 0;
        size_t n = write_slowly(expected, c);
        assert_int_equal(bm_utf8_write(bytes, c), n);
        assert_memory_equal(bytes, expected, n);
        bool is_surrogate = c >= 0xd800 && c <= 0xdfff;
        assert_int_equal(bm_utf8_read(bytes, n, &read), is_surrogate ? 0 : n);
        if (!is_surrogate) assert_int_equal(read, c);
        assert_int_equal(bm_utf8_read(bytes, n - 1, &read), 0);
    }
}

/* What is read is what is written for it: all pairs of bytes, and all triples and quadruples of those bytes at
 * which something changes. */
static void test_utf8_sequences(void **state) {
    static const uint8_t edges[] = {0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf,
                                    0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee,
                                    0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff};
    enum { N = sizeof edges };
    (void)state;
    for (size_t i = 0; i < (size_t)N * N * N * N; i++) {
        char bytes[4] = {(char)edges[i % N], (char)edges[i / N % N], (char)edges[i / N / N % N],
                         (char)edges[i / N / N / N]};
        char written[BM_UTF8_MOST];
        uint32_t c = 0;
        size_t n = bm_utf8_read(bytes, sizeof bytes, &c);
        size_t n_expected = 0;
        for (size_t m = 1; m <= 4 && n_expected == 0; m++) {
            /* the only candidate of m bytes: its bits, if writing these gives the same bytes again */
            uint32_t bits = m == 1 ? (uint8_t)bytes[0] : (uint8_t)bytes[0] & (0x7fu >> m);
            for (size_t j = 1; j < m; j++) bits = bits << 6 | ((uint8_t)bytes[j] & 0x3fu);
            bool is_character = bits <= 0x10ffff && (bits < 0xd800 || bits > 0xdfff);
            if (is_character && write_slowly(written, bits) == m && memcmp(written, bytes, m) == 0)
                n_expected = m;
        }
        assert_int_equal(n, n_expected);
    }
}

/* --- references ------------------------------------------------------------------------------------ */

static void test_entities(void **state) {
    static const struct {
        const char *name;
        char character;
    } cases[] = {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''},
                 {"am", 0},    {"ampx", 0}, {"", 0},     {"AMP", 0},    {"nbsp", 0}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(bm_entity_find(cases[i].name, strlen(cases[i].name)), cases[i].character);
    assert_string_equal(bm_entity_of('&'), "&amp;");
    assert_string_equal(bm_entity_of('<'), "&lt;");
    assert_string_equal(bm_entity_of('>'), "&gt;");
    assert_null(bm_entity_of('"'));
    assert_null(bm_entity_of('a'));
}

static void test_entity_numbers(void **state) {
    static const struct {
        const char *text;
        uint32_t character;
    } cases[] = {{"#65", 65},
                 {"#x41", 65},
                 {"#X41", 65},
                 {"#x1F9ec", 0x1f9ec},
                 {"#1114111", 0x10ffff},
                 {"#1114112", 0},
                 {"#x10ffff", 0x10ffff},
                 {"#x110000", 0},
                 {"#99999999999999999999", 0},
                 {"#", 0},
                 {"#x", 0},
                 {"#6x", 0},
                 {"#-1", 0},
                 {"65", 0},
                 {"", 0},
                 {"#x4g", 0}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(bm_entity_number(cases[i].text, strlen(cases[i].text)), cases[i].character);
}

/* Whether a temporary file with this setting of TMPDIR, beside this path, is in the folder, has no name there, and holds
 * what is written to it. */
static bool is_temporary_in(const char *setting, const char *beside, const char *folder) {
    char link[64], real[PATH_MAX], place[PATH_MAX + 1] = "";
    char data[4] = "";
    if (setting == NULL)
        (void)unsetenv("TMPDIR");
    else
        (void)setenv("TMPDIR", setting, 1);
    int file = bm_open_temporary(beside);
    assert_true(file > STDERR_FILENO);
    assert_true(bm_write_at(file, "abc", 3, 0) && bm_read_at(file, data, 4, 0) == 3 &&
                strcmp(data, "abc") == 0);
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t n = readlink(link, place, PATH_MAX);
    (void)close(file);
    assert_true(n > 0 && realpath(folder, real) != NULL);
    assert_non_null(strstr(place, " (deleted)"));
    char *slash = strrchr(place, '/');
    slash[slash == place] = '\0';
    return strcmp(place, real) == 0;
}

static void test_places_of_temporary_files(void **state) {
    char folder[] = "/tmp/blastmerge-test-XXXXXX", beside[64], none[64], before[PATH_MAX];
    const char *setting = getenv("TMPDIR");
    char *kept = setting == NULL ? NULL : strdup(setting);
    (void)state;
    assert_true(mkdtemp(folder) != NULL && getcwd(before, sizeof before) != NULL);
    (void)snprintf(beside, sizeof beside, "%s/result.gz", folder);
    (void)snprintf(none, sizeof none, "%s/none/result.gz", folder);
    assert_true(is_temporary_in(folder, NULL, folder));
    assert_true(is_temporary_in("/tmp", beside, "/tmp"));
    assert_true(is_temporary_in(NULL, beside, folder));
    assert_true(is_temporary_in("relative", beside, folder));
    assert_true(is_temporary_in(NULL, none, "/tmp"));
    assert_true(is_temporary_in(NULL, NULL, "/tmp"));
    assert_true(is_temporary_in(NULL, "/result.gz", geteuid() == 0 ? "/" : "/tmp"));
    assert_int_equal(chdir(folder), 0);
    assert_true(is_temporary_in(NULL, "result.gz", folder));
    assert_int_equal(chdir(before), 0);
    (void)setenv("TMPDIR", none, 1);
    assert_int_equal(bm_open_temporary(beside), -1); /* it was asked for */
    assert_int_equal(rmdir(folder), 0);              /* nothing is left there */
    if (kept == NULL)
        (void)unsetenv("TMPDIR");
    else
        (void)setenv("TMPDIR", kept, 1);
    free(kept);
}

/* No character is cut; bytes that are none count as they are. */
static void test_lengths_that_are_shown(void **state) {
    static const struct {
        const char *text;
        size_t n_most;
        int n;
    } cases[] = {{"", 0, 0},
                 {"", 9, 0},
                 {"abc", 0, 0},
                 {"abc", 2, 2},
                 {"abc", 3, 3},
                 {"abc", 99, 3},
                 {"a\xc3\xa9z", 2, 1},
                 {"a\xc3\xa9z", 3, 3},
                 {"\xe6\x97\xa5", 1, 0},
                 {"\xe6\x97\xa5", 2, 0},
                 {"\xe6\x97\xa5", 3, 3},
                 {"x\xf0\x9f\xa7\xac", 2, 1},
                 {"x\xf0\x9f\xa7\xac", 4, 1},
                 {"x\xf0\x9f\xa7\xac", 5, 5},
                 {"\xe6\x97", 2, 2},          /* never was whole */
                 {"caf\xe9.xml", 4, 4},       /* Latin-1 */
                 {"\xa5\xa5\xa5\xa5", 3, 3}}; /* none begins */
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(bm_show_length(cases[i].text, cases[i].n_most), cases[i].n);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lengths_that_are_shown),
        cmocka_unit_test(test_crc32_follow),
        cmocka_unit_test(test_crc32_follow_far),
        cmocka_unit_test(test_hash_fold),
        cmocka_unit_test(test_hash),
        cmocka_unit_test(test_fnv1a),
        cmocka_unit_test(test_utf8_characters),
        cmocka_unit_test(test_utf8_sequences),
        cmocka_unit_test(test_entities),
        cmocka_unit_test(test_entity_numbers),
        cmocka_unit_test(test_places_of_temporary_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
