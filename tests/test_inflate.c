/* SPDX-License-Identifier: MIT */
/*
 * inflate: what compressors make, whole, cut and damaged, in every split; held against zlib and against a
 * slow decoder. BLASTMERGE_TEST_DEPTH=n (1 by default) goes n times as deep.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "inflate_check.h"

#include <libdeflate.h>

static struct checker checker;
static unsigned depth = 1;

static int open_checker(void **state) {
    (void)state;
    const char *value = getenv("BLASTMERGE_TEST_DEPTH");
    if (value != NULL && atoi(value) > 0) depth = (unsigned)atoi(value);
    checker_open(&checker);
    return 0;
}

static int close_checker(void **state) {
    (void)state;
    checker_close(&checker);
    return 0;
}

static const struct split some_splits[] = {{1, 0, false, false},    {65537, 0, true, true},
                                           {7, 0, true, false},     {509, 0, false, true},
                                           {8191, 0, false, false}, {0, 42, false, false}};
enum { N_SPLITS = sizeof some_splits / sizeof some_splits[0] };

/* --- bytes ------------------------------------------------------------------------------------------- */

struct bytes {
    uint8_t *data;
    size_t n, room;
};

static void append(struct bytes *bytes, const void *data, size_t n) {
    while (bytes->n + n > bytes->room) {
        bytes->room = bytes->room * 2 + 4096;
        assert_non_null(bytes->data = realloc(bytes->data, bytes->room));
    }
    if (n != 0) memcpy(bytes->data + bytes->n, data, n);
    bytes->n += n;
}

static void append_zeros(struct bytes *bytes, size_t n) {
    const uint8_t zero = 0;
    while (n-- > 0) append(bytes, &zero, 1);
}

static uint64_t random_state = 1;

static unsigned draw(unsigned n) {
    random_state = random_state * UINT64_C(6364136223846793005) + 1442695040888963407U;
    return (unsigned)(random_state >> 33) % n;
}

/* --- texts ------------------------------------------------------------------------------------------- */

enum text_kind { TEXT_XML, TEXT_NOISE, TEXT_ZEROS, TEXT_PERIODS, TEXT_FEW_LETTERS, TEXT_FAR, N_TEXT_KINDS };

static void add_xml(struct bytes *text) {
    char line[256];
    for (int i = 0; i < 12; i++) {
        int n = snprintf(line, sizeof line, "      <Hsp_%s>%u</Hsp_%s>\n", i % 3 ? "query-from" : "bit-score",
                         draw(100000), i % 3 ? "query-from" : "bit-score");
        append(text, line, (size_t)n);
    }
    for (unsigned n = 20 + draw(150); n > 0; n--) append(text, &"ACDEFGHIKLMNPQRSTVWY"[draw(20)], 1);
}

/* A random stretch, repeated with its length as period: all distances up to 300, and every copying path. */
static void add_periods(struct bytes *text) {
    unsigned period = 1 + draw(draw(4) == 0 ? 300 : 40);
    size_t start = text->n;
    for (unsigned i = 0; i < period; i++) append(text, &(uint8_t){(uint8_t)draw(256)}, 1);
    for (unsigned i = draw(700); i > 0; i--) append(text, &(uint8_t){text->data[text->n - period]}, 1);
    assert_true(text->n > start);
}

/* Copies from about as far as a match can reach. */
static void add_far(struct bytes *text) {
    size_t distance = 32768 - draw(2) * draw(300);
    for (unsigned i = draw(9); i > 0; i--) append(text, &(uint8_t){(uint8_t)draw(256)}, 1);
    for (unsigned i = draw(400); i > 0 && text->n >= distance; i--) {
        append(text, &(uint8_t){text->data[text->n - distance]}, 1);
    }
    if (text->n < 33000) append(text, &(uint8_t){(uint8_t)draw(256)}, 1);
}

static struct bytes make_text(enum text_kind kind, size_t n_wanted) {
    struct bytes text = {0};
    while (text.n < n_wanted) {
        uint8_t byte = kind == TEXT_ZEROS ? 0 : (uint8_t)draw(kind == TEXT_NOISE ? 256 : 5);
        if (kind == TEXT_XML) add_xml(&text);
        if (kind == TEXT_PERIODS) add_periods(&text);
        if (kind == TEXT_FAR) add_far(&text);
        if (kind == TEXT_NOISE || kind == TEXT_ZEROS || kind == TEXT_FEW_LETTERS) append(&text, &byte, 1);
    }
    text.n = n_wanted;
    return text;
}

/* --- compressors ------------------------------------------------------------------------------------- */

struct setting {
    int level, window_bits, memory_level, strategy, flush;
};

/* Flushes, of the setting's kind, after pieces of text of odd sizes. */
static void add_zlib_member(struct bytes *data, const struct bytes *text, struct setting setting,
                            gz_header *header) {
    z_stream stream = {0};
    uint8_t buffer[4096];
    assert_int_equal(deflateInit2(&stream, setting.level, Z_DEFLATED, 16 + setting.window_bits,
                                  setting.memory_level, setting.strategy),
                     Z_OK);
    if (header != NULL) assert_int_equal(deflateSetHeader(&stream, header), Z_OK);
    size_t position = 0, n_piece = setting.flush == Z_NO_FLUSH ? text->n : 1 + draw(5000);
    int result;
    do {
        if (n_piece > text->n - position) n_piece = text->n - position;
        stream.next_in = text->data + position;
        stream.avail_in = (uInt)n_piece;
        position += n_piece;
        int flush = position == text->n ? Z_FINISH : setting.flush;
        do {
            stream.next_out = buffer;
            stream.avail_out = sizeof buffer;
            result = deflate(&stream, flush);
            append(data, buffer, sizeof buffer - stream.avail_out);
        } while (stream.avail_out == 0);
    } while (result != Z_STREAM_END);
    deflateEnd(&stream);
}

static void add_libdeflate_member(struct bytes *data, const struct bytes *text, int level) {
    struct libdeflate_compressor *compressor = libdeflate_alloc_compressor(level);
    assert_non_null(compressor);
    size_t room = libdeflate_gzip_compress_bound(compressor, text->n);
    uint8_t *buffer = malloc(room);
    size_t n = libdeflate_gzip_compress(compressor, text->data, text->n, buffer, room);
    assert_true(n > 0);
    append(data, buffer, n);
    free(buffer);
    libdeflate_free_compressor(compressor);
}

static const struct setting usual = {6, 15, 8, Z_DEFAULT_STRATEGY, Z_NO_FLUSH};

static struct bytes compress_usual(const char *string) {
    struct bytes data = {0};
    const struct bytes text = {(uint8_t *)(uintptr_t)string, strlen(string), 0};
    add_zlib_member(&data, &text, usual, NULL);
    return data;
}

static void assert_verdict(const struct bytes *data, enum slow_verdict verdict) {
    assert_int_equal(check_gzip(&checker, data->data, data->n, some_splits, N_SPLITS), verdict);
}

static void test_zlib(void **state) {
    (void)state;
    static const int strategies[] = {Z_DEFAULT_STRATEGY, Z_FILTERED, Z_HUFFMAN_ONLY, Z_RLE, Z_FIXED};
    for (unsigned i = 0; i < 90 * depth; i++) {
        const struct setting setting = {(int)(i % 10), 9 + (int)draw(7), 1 + (int)draw(9),
                                        strategies[draw(5)], draw(3) ? Z_NO_FLUSH : (int)(1 + draw(3))};
        struct bytes text = make_text((enum text_kind)(i % N_TEXT_KINDS), draw(3) ? draw(300000) : draw(500));
        struct bytes data = {0};
        add_zlib_member(&data, &text, setting, NULL);
        assert_verdict(&data, SLOW_WHOLE);
        free(text.data);
        free(data.data);
    }
}

static void test_libdeflate(void **state) {
    (void)state;
    for (unsigned i = 0; i < 36 * depth; i++) {
        struct bytes text = make_text((enum text_kind)(i % N_TEXT_KINDS), draw(200000));
        struct bytes data = {0};
        add_libdeflate_member(&data, &text, (int)(i % 13));
        assert_verdict(&data, SLOW_WHOLE);
        free(text.data);
        free(data.data);
    }
}

/* Large batches of text from few bits, and of bits for little text; several batches of each. */
static void test_extremes(void **state) {
    (void)state;
    struct bytes text = make_text(TEXT_ZEROS, 3000000), noise = make_text(TEXT_NOISE, 400000);
    struct bytes data = {0};
    const struct setting stored = {0, 15, 8, Z_DEFAULT_STRATEGY, Z_NO_FLUSH};
    const struct setting one_by_one = {1, 15, 1, Z_DEFAULT_STRATEGY, Z_FULL_FLUSH};
    add_zlib_member(&data, &text, usual, NULL);
    add_zlib_member(&data, &noise, stored, NULL);
    add_zlib_member(&data, &noise, usual, NULL);
    noise.n = 20000;
    add_zlib_member(&data, &noise, one_by_one, NULL);
    assert_verdict(&data, SLOW_WHOLE);
    free(text.data);
    free(noise.data);
    free(data.data);
}

/* --- members ----------------------------------------------------------------------------------------- */

static void test_members(void **state) {
    (void)state;
    struct bytes data = {0};
    for (unsigned i = 0; i < 300; i++) {
        struct bytes text = make_text((enum text_kind)draw(N_TEXT_KINDS), draw(4) ? draw(50) : draw(9000));
        if (i % 3 == 0) add_libdeflate_member(&data, &text, 1 + (int)draw(12));
        if (i % 3 != 0) add_zlib_member(&data, &text, usual, NULL);
        if (draw(3) == 0) append_zeros(&data, draw(600));
        free(text.data);
    }
    assert_verdict(&data, SLOW_WHOLE);
    append_zeros(&data, 200000);
    assert_verdict(&data, SLOW_WHOLE);
    append(&data, "\1", 1);
    assert_verdict(&data, SLOW_DAMAGED);
    data.data[data.n - 1] = 0x1f;
    assert_verdict(&data, SLOW_CUT);
    append(&data, "\x8c", 1);
    assert_verdict(&data, SLOW_DAMAGED);
    data.data[data.n - 1] = 0x8b;
    assert_verdict(&data, SLOW_CUT);
    free(data.data);
}

/* A match must not reach back into the member before. */
static void test_member_begins_with_nothing(void **state) {
    (void)state;
    struct bytes data = compress_usual("some text to look back to");
    size_t start = data.n;
    struct bytes second = compress_usual("aaaaaaaaaaaaaaaaaaaaaaaa");
    append(&data, second.data, second.n);
    assert_verdict(&data, SLOW_WHOLE);
    /* fixed block: match of 3 at distance 1 first of all */
    static const uint8_t reaching_back[] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3,
                                            0x03, 0x02, 0, 0, 0, 0, 0, 0, 0, 0};
    data.n = start;
    append(&data, reaching_back, sizeof reaching_back);
    assert_verdict(&data, SLOW_DAMAGED);
    free(data.data);
    free(second.data);
}

static void test_bgzf(void **state) {
    (void)state;
    struct bytes data = {0};
    for (unsigned i = 0; i < 20; i++) {
        struct bytes text = make_text(TEXT_XML, i == 19 ? 0 : 60000);
        uint8_t extra[6] = {'B', 'C', 2, 0, 0, 0};
        gz_header header = {0};
        header.extra = extra;
        header.extra_len = sizeof extra;
        header.os = 255;
        add_zlib_member(&data, &text, usual, &header);
        free(text.data);
    }
    assert_verdict(&data, SLOW_WHOLE);
    free(data.data);
}

/* --- headers ------------------------------------------------------------------------------------------ */

static struct bytes with_header(unsigned which, size_t n_name, size_t n_extra) {
    struct bytes data = {0};
    struct bytes text = make_text(TEXT_XML, 300);
    char *name = malloc(n_name + 1);
    uint8_t *extra = malloc(n_extra + 1);
    gz_header header = {0};
    memset(name, 'n', n_name);
    memset(extra, 0, n_extra);
    name[n_name] = '\0';
    if (which & 1) header.name = (Bytef *)name;
    if (which & 2) header.comment = (Bytef *)name;
    if (which & 4) header.extra = extra;
    header.extra_len = (uInt)n_extra;
    header.hcrc = (int)(which >> 3 & 1);
    header.text = (int)(which >> 4 & 1);
    header.time = 1234567890;
    add_zlib_member(&data, &text, usual, &header);
    free(text.data);
    free(name);
    free(extra);
    return data;
}

static void test_header_fields(void **state) {
    (void)state;
    for (unsigned which = 0; which < 32; which++) {
        struct bytes data = with_header(which, which * 5, which * 3);
        assert_verdict(&data, SLOW_WHOLE);
        free(data.data);
    }
    struct bytes data = with_header(15, 300000, 65535);
    assert_verdict(&data, SLOW_WHOLE);
    data.data[20] ^= 1; /* in the extra field, under the header's CRC */
    assert_verdict(&data, SLOW_DAMAGED);
    free(data.data);
}

/* Every byte of a header and trailer, with every other value. */
static void test_framing_bytes(void **state) {
    (void)state;
    struct bytes data = with_header(15, 3, 5);
    size_t n_header = 10 + 2 + 5 + 4 + 4 + 2;
    for (size_t i = 2; i < data.n; i++) {
        if (i == n_header) i = data.n - 8;
        for (unsigned change = 1; change<256; change += depth> 1 || i < 4 ? 1 : 17) {
            data.data[i] ^= (uint8_t)change;
            (void)check_gzip(&checker, data.data, data.n, some_splits, 2);
            data.data[i] ^= (uint8_t)change;
        }
    }
    free(data.data);
}

/* --- damage ------------------------------------------------------------------------------------------- */

static struct bytes small_stream(unsigned which) {
    struct bytes data = {0};
    struct bytes text = make_text((enum text_kind)(which % N_TEXT_KINDS), 100 + 40 * (which % 7));
    if (which % 4 == 0) {
        add_libdeflate_member(&data, &text, 12);
    } else {
        const struct setting setting = {(int)(which % 10), 9 + (int)(which % 7), 1,
                                        which % 3 == 0 ? Z_FIXED : Z_DEFAULT_STRATEGY,
                                        which % 5 == 0 ? Z_SYNC_FLUSH : Z_NO_FLUSH};
        add_zlib_member(&data, &text, setting, NULL);
    }
    if (which % 6 == 5) append(&data, data.data, data.n);
    free(text.data);
    return data;
}

static void test_cut_at_every_byte(void **state) {
    (void)state;
    for (unsigned which = 0; which < 12 * depth; which++) {
        struct bytes data = small_stream(which);
        bool is_twice = which % 6 == 5;
        for (size_t n = 2; n < data.n; n++) {
            enum slow_verdict verdict = check_gzip(&checker, data.data, n, some_splits, 2);
            assert_int_equal(verdict, is_twice && n == data.n / 2 ? SLOW_WHOLE : SLOW_CUT);
        }
        free(data.data);
    }
}

static void test_every_bit_flipped(void **state) {
    (void)state;
    unsigned n_verdicts[3] = {0};
    for (unsigned which = 0; which < 8 * depth; which++) {
        struct bytes data = small_stream(which);
        for (size_t bit = 16; bit < data.n * 8; bit++) {
            data.data[bit >> 3] ^= (uint8_t)(1 << (bit & 7));
            n_verdicts[check_gzip(&checker, data.data, data.n, some_splits, 1)]++;
            data.data[bit >> 3] ^= (uint8_t)(1 << (bit & 7));
        }
        free(data.data);
    }
    assert_true(n_verdicts[SLOW_DAMAGED] > 1000 && n_verdicts[SLOW_CUT] > 10 && n_verdicts[SLOW_WHOLE] > 10);
}

/* Damage in large streams, where the fast loop meets it. */
static void test_flips_in_large_streams(void **state) {
    (void)state;
    struct bytes text = make_text(TEXT_XML, 100000), data = {0};
    add_zlib_member(&data, &text, usual, NULL);
    for (unsigned i = 0; i < 60 * depth; i++) {
        size_t place = 10 + draw((unsigned)data.n - 10);
        uint8_t change = (uint8_t)(1 + draw(255));
        data.data[place] ^= change;
        assert_verdict(&data, check_gzip(&checker, data.data, data.n, NULL, 0));
        data.data[place] ^= change;
    }
    free(text.data);
    free(data.data);
}

/* --- plain ---------------------------------------------------------------------------------------------- */

static void assert_plain(const uint8_t *data, size_t n_data) {
    const struct outcome *own = &checker.own;
    uint32_t hash = 0;
    for (size_t i = 0; i < N_SPLITS; i++) {
        own_decode(&checker, data, n_data, some_splits[i], &checker.own, NULL);
        assert_int_equal(own->verdict, SLOW_WHOLE);
        assert_int_equal(own->n_text, n_data);
        if (n_data != 0) assert_memory_equal(own->text, data, n_data);
        assert_false(bm_inflate_is_gzip(checker.inflate));
        if (i > 0) assert_int_equal(own->hash, hash);
        hash = own->hash;
    }
}

/* A file of gzip's first byte alone is one that was cut short. */
static void test_first_byte(void **state) {
    (void)state;
    for (size_t i = 0; i < N_SPLITS; i++) {
        own_decode(&checker, (const uint8_t *)"\x1f", 1, some_splits[i], &checker.own, NULL);
        assert_int_equal(checker.own.verdict, SLOW_CUT);
        assert_int_equal(checker.own.n_text, 0);
    }
}

static void test_plain(void **state) {
    (void)state;
    const size_t sizes[] = {3, 100, BM_BATCH_TEXT - 1, BM_BATCH_TEXT, BM_BATCH_TEXT + 1, 5 * BM_BATCH_TEXT};
    assert_plain((const uint8_t *)"", 0);
    assert_plain((const uint8_t *)"\x8b", 1);
    assert_plain((const uint8_t *)"\x1f\x1f\x8b\x08", 4);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct bytes text = make_text(TEXT_XML, sizes[i]);
        assert_plain(text.data, text.n);
        free(text.data);
    }
}

/* --- the decoder itself -----------------------------------------------------------------------------------
 */

static void test_gzip_is_known(void **state) {
    (void)state;
    struct bytes data = compress_usual("text");
    own_decode(&checker, data.data, data.n, some_splits[0], &checker.own, NULL);
    assert_true(bm_inflate_is_gzip(checker.inflate));
    free(data.data);
}

/* No stream makes the decoder ask for more than it got when it was opened. */
static void test_memory(void **state) {
    (void)state;
    assert_int_equal(checker.memory.n_bytes, checker.memory.n_peak);
    assert_true(checker.memory.n_peak < 600000);
    assert_true(checker.n_batches > 1000);
}

static void test_no_memory(void **state) {
    (void)state;
    struct bm_memory memory;
    struct bm_inflate *inflate;
    bm_memory_open(&memory, NULL);
    assert_int_equal(bm_inflate_open(&inflate, &memory), BLASTMERGE_OK);
    bm_inflate_close(inflate, &memory);
    bm_inflate_close(NULL, &memory);
    assert_int_equal(memory.n_bytes, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_zlib),
        cmocka_unit_test(test_libdeflate),
        cmocka_unit_test(test_extremes),
        cmocka_unit_test(test_members),
        cmocka_unit_test(test_member_begins_with_nothing),
        cmocka_unit_test(test_bgzf),
        cmocka_unit_test(test_header_fields),
        cmocka_unit_test(test_framing_bytes),
        cmocka_unit_test(test_cut_at_every_byte),
        cmocka_unit_test(test_every_bit_flipped),
        cmocka_unit_test(test_flips_in_large_streams),
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_first_byte),
        cmocka_unit_test(test_gzip_is_known),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, open_checker, close_checker);
}
