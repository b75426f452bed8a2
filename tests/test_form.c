/* SPDX-License-Identifier: MIT */
/* How a result is written: what names say, and BGZF, member by member. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "blastmerge.h"
#include "children.h"
#include "store/store.h"

#include <dlfcn.h>
#include <libdeflate.h>
#include <stdbool.h>

enum { MEMBER_TEXT = 65280 };

/* --- names --------------------------------------------------------------------------------------- */

static void test_names(void **state) {
    static const struct {
        const char *name;
        enum blastmerge_form form;
        const char *media_type;
    } cases[] = {
        {"merged.xml", BLASTMERGE_FORM_PLAIN, "application/xml"},
        {"merged.json", BLASTMERGE_FORM_PLAIN, "application/json"},
        {"merged.tsv", BLASTMERGE_FORM_PLAIN, "text/tab-separated-values"},
        {"merged.tab", BLASTMERGE_FORM_PLAIN, "text/tab-separated-values"},
        {"merged.csv", BLASTMERGE_FORM_PLAIN, "text/csv"},
        {"merged.txt", BLASTMERGE_FORM_PLAIN, "text/plain"},
        {"merged.asn", BLASTMERGE_FORM_PLAIN, "text/plain"},
        {"merged.gz", BLASTMERGE_FORM_GZIP, "application/gzip"},
        {"merged.bgz", BLASTMERGE_FORM_BGZF, "application/gzip"},
        {"merged.xml.gz", BLASTMERGE_FORM_GZIP, "application/gzip"},
        {"merged.xml.bgz", BLASTMERGE_FORM_BGZF, "application/gzip"},
        {"merged.gz.xml", BLASTMERGE_FORM_PLAIN, "application/xml"},
        {"MERGED.XML", BLASTMERGE_FORM_PLAIN, "application/xml"},
        {"merged.BgZ", BLASTMERGE_FORM_BGZF, "application/gzip"},
        {"merged.xml.zst", BLASTMERGE_FORM_OTHER, "application/gzip"},
        {"merged.XZ", BLASTMERGE_FORM_OTHER, "application/gzip"},
        {"merged.bz2", BLASTMERGE_FORM_OTHER, "application/gzip"},
        {"merged.lz4", BLASTMERGE_FORM_OTHER, "application/gzip"},
        {"merged.lz4.gz", BLASTMERGE_FORM_GZIP, "application/gzip"},
        {"zst", BLASTMERGE_FORM_GZIP, "application/gzip"},
        {"merged", BLASTMERGE_FORM_GZIP, "application/gzip"},
        {"merged.out", BLASTMERGE_FORM_GZIP, "application/gzip"},
        {"xml", BLASTMERGE_FORM_GZIP, "application/gzip"},
        {".xml", BLASTMERGE_FORM_GZIP, "application/gzip"},
        {"folder/.xml", BLASTMERGE_FORM_GZIP, "application/gzip"},
        {"..xml", BLASTMERGE_FORM_PLAIN, "application/xml"},
        {"folder.xml/merged", BLASTMERGE_FORM_GZIP, "application/gzip"},
        {"folder.gz/merged.xml", BLASTMERGE_FORM_PLAIN, "application/xml"},
        {"merged.xml/", BLASTMERGE_FORM_GZIP, "application/gzip"},
        {"merged.", BLASTMERGE_FORM_GZIP, "application/gzip"},
        {"merged.xmlx", BLASTMERGE_FORM_GZIP, "application/gzip"},
        {"merged.xm", BLASTMERGE_FORM_GZIP, "application/gzip"},
        {"merged.xml?x=.gz", BLASTMERGE_FORM_GZIP, "application/gzip"},
        {"", BLASTMERGE_FORM_GZIP, "application/gzip"},
        {".", BLASTMERGE_FORM_GZIP, "application/gzip"},
        {"/", BLASTMERGE_FORM_GZIP, "application/gzip"},
        {"-", BLASTMERGE_FORM_GZIP, "application/gzip"},
        {"/dev/stdout", BLASTMERGE_FORM_GZIP, "application/gzip"},
        {"s3://bucket/merged.tsv", BLASTMERGE_FORM_PLAIN, "text/tab-separated-values"},
        {"S3://bucket/merged.bgz", BLASTMERGE_FORM_BGZF, "application/gzip"},
        {"gs://bucket.xml/merged", BLASTMERGE_FORM_GZIP, "application/gzip"},
        {"az://account/container/a.b.csv", BLASTMERGE_FORM_PLAIN, "text/csv"},
        {"https://account.blob.core.windows.net/c/m.xml?sv=1&sig=a.gz", BLASTMERGE_FORM_PLAIN,
         "application/xml"},
        {"https://account.blob.core.windows.net/c/m.bgz#x.xml", BLASTMERGE_FORM_BGZF, "application/gzip"},
        {"https://account.blob.core.windows.net/c/m.gz?x=/y.xml", BLASTMERGE_FORM_GZIP, "application/gzip"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        enum blastmerge_form form = blastmerge_form_of_name(cases[i].name);
        if (form != cases[i].form) fail_msg("%s", cases[i].name);
        assert_string_equal(bm_store_media_type(cases[i].name, form), cases[i].media_type);
    }
    assert_string_equal(bm_store_media_type("merged", BLASTMERGE_FORM_PLAIN), "application/octet-stream");
    assert_string_equal(bm_store_media_type("merged.bgz", BLASTMERGE_FORM_PLAIN), "application/octet-stream");
    assert_string_equal(bm_store_media_type("merged.xml", BLASTMERGE_FORM_GZIP), "application/gzip");
    assert_string_equal(bm_store_media_type("merged.xml", BLASTMERGE_FORM_BGZF), "application/gzip");
}

/* --- a libdeflate that compresses badly ---------------------------------------------------------- */

/* It takes more than there is room for, whatever that is. */
static bool is_libdeflate_poor;

size_t libdeflate_deflate_compress(struct libdeflate_compressor *compressor, const void *in, size_t n_in,
                                   void *out, size_t n_room) {
    static size_t (*real)(struct libdeflate_compressor *, const void *, size_t, void *, size_t);
    if (real == NULL) {
        void *found = dlsym(RTLD_NEXT, "libdeflate_deflate_compress");
        memcpy(&real, &found, sizeof real);
    }
    if (!is_libdeflate_poor) return real(compressor, in, n_in, out, n_room);
    memset(out, 0xee, n_room);
    return 0;
}

/* --- BGZF ---------------------------------------------------------------------------------------- */

struct setting {
    unsigned n_threads;
    int level;
    size_t chunk; /* children come in pieces of this size; 0: from memory */
};

struct piece {
    struct bytes child;
    size_t position;
    size_t chunk;
};

static int next_chunk(void *context, const void **data, size_t *n_bytes) {
    struct piece *piece = context;
    size_t n = piece->child.n - piece->position;
    *n_bytes = n < piece->chunk ? n : piece->chunk;
    *data = piece->child.data + piece->position;
    piece->position += *n_bytes;
    return BLASTMERGE_CALLBACK_OK;
}

/* The result by blastmerge_next(), and its text as the library counts it. */
static struct bytes merge(const struct bytes *children, size_t n_children, struct setting setting,
                          struct blastmerge_report *report) {
    struct blastmerge_options options;
    struct blastmerge_job *job = NULL;
    struct piece pieces[8];
    struct bytes all = {NULL, 0};
    blastmerge_options_init(&options, sizeof options);
    options.form = BLASTMERGE_FORM_BGZF;
    options.n_threads = setting.n_threads;
    options.level = setting.level;
    options.allow_empty = 1;
    options.query_ids = BLASTMERGE_QUERY_IDS_AUTO;
    assert_int_equal(blastmerge_create(&job, &options), BLASTMERGE_OK);
    for (size_t i = 0; i < n_children; i++) {
        pieces[i] = (struct piece){children[i], 0, setting.chunk};
        const struct blastmerge_reader reader = {.context = &pieces[i], .next = next_chunk};
        enum blastmerge_status status =
            setting.chunk == 0 ? blastmerge_add_memory(job, "child", children[i].data, children[i].n)
                               : blastmerge_add_reader(job, "child", &reader);
        assert_int_equal(status, BLASTMERGE_OK);
    }
    for (;;) {
        const void *data = NULL;
        size_t n = 0;
        assert_int_equal(blastmerge_next(job, &data, &n), BLASTMERGE_OK);
        if (n == 0) break;
        all.data = realloc(all.data, all.n + n);
        assert_non_null(all.data);
        memcpy(all.data + all.n, data, n);
        all.n += n;
    }
    *report = *blastmerge_report(job);
    assert_int_equal(report->output_bytes, all.n);
    blastmerge_destroy(job);
    return all;
}

/* Reads BGZF as its specification has it. */
static struct bytes read_bgzf(struct bytes data) {
    static const uint8_t start[16] = {0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 255, 6, 0, 'B', 'C', 2, 0};
    struct bytes text = {malloc(1), 0};
    size_t n_last = MEMBER_TEXT;
    for (size_t at = 0; at < data.n;) {
        assert_true(data.n - at >= 28);
        assert_memory_equal(data.data + at, start, sizeof start);
        size_t n_member = (data.data[at + 16] | (size_t)data.data[at + 17] << 8) + 1;
        assert_true(n_member <= data.n - at);
        uint8_t room[65536] = {0};
        z_stream stream;
        memset(&stream, 0, sizeof stream);
        assert_int_equal(inflateInit2(&stream, 15 + 16), Z_OK); /* checks CRC and length, too */
        stream.next_in = data.data + at;
        stream.avail_in = (uInt)n_member;
        stream.next_out = room;
        stream.avail_out = sizeof room;
        assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
        assert_int_equal(stream.avail_in, 0);
        size_t n_text = stream.total_out;
        inflateEnd(&stream);
        assert_true(n_last == MEMBER_TEXT || n_text == 0); /* all are full but the last that has text */
        assert_true(n_text <= MEMBER_TEXT);
        n_last = n_text;
        text.data = realloc(text.data, text.n + n_text + 1);
        assert_non_null(text.data);
        memcpy(text.data + text.n, room, n_text);
        text.n += n_text;
        at += n_member;
        assert_true(n_text > 0 || (at == data.n && n_member == 28));
    }
    assert_int_equal(n_last, 0);
    return text;
}

static void assert_same(struct bytes one, struct bytes other) {
    assert_int_equal(one.n, other.n);
    if (one.n > 0) assert_memory_equal(one.data, other.data, one.n);
}

/* The same bytes with any number of threads and any split; the text that a plain merge has. */
static void check_all_ways(const struct bytes *children, size_t n_children) {
    struct blastmerge_report report;
    for (int level = 0; level <= 9; level += 3) {
        struct bytes first = {NULL, 0};
        for (unsigned n_threads = 1; n_threads <= 5; n_threads += 2) {
            static const size_t chunks[] = {0, 1000, 65537};
            for (size_t i = 0; i < 3; i++) {
                struct setting setting = {n_threads, level, chunks[i]};
                struct bytes made = merge(children, n_children, setting, &report);
                if (first.data == NULL) {
                    struct bytes text = read_bgzf(made);
                    assert_int_equal(text.n, report.output_text_bytes);
                    assert_int_equal(crc32(0, text.data, (uInt)text.n), report.output_crc32);
                    free(text.data);
                    first = made;
                } else {
                    assert_same(made, first);
                    free(made.data);
                }
            }
        }
        free(first.data);
    }
}

static void test_bgzf(void **state) {
    static const unsigned sizes[][4] = {{1, 1, 0, 0}, {300, 0, 200, 1}, {2000, 100, 3000, 50}};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct bytes children[4];
        for (size_t k = 0; k < 4; k++) {
            children[k] = make_text("blastp", 1, sizes[i][k], "db");
            if (k == 1) continue; /* not compressed */
            struct bytes zipped = make_gzip(children[k], 6);
            free(children[k].data);
            children[k] = zipped;
        }
        check_all_ways(children, 4);
        for (size_t k = 0; k < 4; k++) free(children[k].data);
    }
}

/* A table of n bytes in all, whose text is the children's. */
static struct bytes make_table(size_t n) {
    static const char row[] = "q\ts\t99.0\t10\t0\t0\t1\t10\t1\t10\t1e-5\t20.0\n";
    const size_t n_row = sizeof row - 1;
    struct bytes table = {malloc(n + 1), 0};
    assert_non_null(table.data);
    while (n - table.n >= 2 * n_row) {
        memcpy(table.data + table.n, row, n_row);
        table.n += n_row;
    }
    memset(table.data + table.n, 'q', n - table.n - n_row); /* a longer name */
    table.n += n - table.n - n_row;
    memcpy(table.data + table.n, row, n_row);
    table.n += n_row;
    return table;
}

/* Texts that end where a member or a task ends, or beside it. */
static void test_borders(void **state) {
    static const size_t sizes[] = {100,
                                   MEMBER_TEXT - 1,
                                   MEMBER_TEXT,
                                   MEMBER_TEXT + 1,
                                   2 * MEMBER_TEXT - 1,
                                   2 * MEMBER_TEXT,
                                   2 * MEMBER_TEXT + 1,
                                   4 * MEMBER_TEXT - 1,
                                   4 * MEMBER_TEXT,
                                   4 * MEMBER_TEXT + 1,
                                   6 * MEMBER_TEXT,
                                   14 * MEMBER_TEXT};
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct blastmerge_report report;
        struct bytes table = make_table(sizes[i]);
        assert_int_equal(table.n, sizes[i]);
        for (unsigned n_threads = 1; n_threads <= 3; n_threads++) {
            struct bytes made = merge(&table, 1, (struct setting){n_threads, 0, 0}, &report);
            struct bytes text = read_bgzf(made);
            assert_same(text, table);
            free(text.data);
            free(made.data);
        }
        free(table.data);
    }
}

/* What cannot be compressed is stored, and fits. */
static void test_poor_libdeflate(void **state) {
    struct blastmerge_report report;
    struct bytes table = make_table(3 * MEMBER_TEXT + 5);
    (void)state;
    is_libdeflate_poor = true;
    struct bytes made = merge(&table, 1, (struct setting){2, 0, 0}, &report);
    is_libdeflate_poor = false;
    struct bytes text = read_bgzf(made);
    assert_same(text, table);
    assert_int_equal(made.n, table.n + 4 * (18 + 5 + 8) + 28);
    free(text.data);
    free(made.data);
    free(table.data);
}

/* Without a byte of text there is the empty block alone. */
static void test_nothing(void **state) {
    struct blastmerge_options options;
    struct blastmerge_job *job = NULL;
    void *data = NULL;
    size_t n = 0;
    (void)state;
    blastmerge_options_init(&options, sizeof options);
    options.form = BLASTMERGE_FORM_BGZF;
    options.format = BLASTMERGE_FORMAT_TABULAR;
    options.allow_empty = 1;
    assert_int_equal(blastmerge_create(&job, &options), BLASTMERGE_OK);
    assert_int_equal(blastmerge_add_memory(job, "child", "", 0), BLASTMERGE_OK);
    assert_int_equal(blastmerge_to_buffer(job, &data, &n), BLASTMERGE_OK);
    assert_int_equal(n, 28);
    struct bytes text = read_bgzf((struct bytes){data, n});
    assert_int_equal(text.n, 0);
    free(text.data);
    blastmerge_free(job, data);
    blastmerge_destroy(job);
}

static void test_refused_forms(void **state) {
    static const struct {
        int form;
        const char *message;
    } cases[] = {
        {BLASTMERGE_FORM_OTHER, "choose another name (.gz)"}, {4, "unknown form"}, {-1, "unknown form"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct blastmerge_options options;
        struct blastmerge_job *job = NULL;
        blastmerge_options_init(&options, sizeof options);
        options.form = (enum blastmerge_form)cases[i].form;
        assert_int_equal(blastmerge_create(&job, &options), BLASTMERGE_USAGE);
        assert_non_null(strstr(blastmerge_error(job)->message, cases[i].message));
        blastmerge_destroy(job);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),   cmocka_unit_test(test_bgzf),
        cmocka_unit_test(test_borders), cmocka_unit_test(test_poor_libdeflate),
        cmocka_unit_test(test_nothing), cmocka_unit_test(test_refused_forms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
