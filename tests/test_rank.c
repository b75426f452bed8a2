/* SPDX-License-Identifier: MIT */
/* rank: numbers and E-values as BLAST 2.12.0 has them, names and their order, columns, lines, and texts of any length. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "rank/columns.h"
#include "rank/evalue.h"
#include "rank/form.h"
#include "rank/internal.h"
#include "rank/order.h"
#include "rank/spool.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static uint64_t next_random(uint64_t *seed) {
    *seed = *seed * UINT64_C(6364136223846793005) + 1442695040888963407;
    return *seed >> 33;
}

/* --- numbers ------------------------------------------------------------------------------------- */

static void test_written_numbers(void **state) {
    (void)state;
    static const uint64_t numbers[] = {0, 1, 9, 10, 11, 99, 100, UINT64_C(9999999999), UINT64_MAX};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        char digits[BM_RANK_DIGITS], expected[BM_RANK_DIGITS + 1];
        int n = snprintf(expected, sizeof expected, "%" PRIu64, numbers[i]);
        assert_int_equal(bm_rank_write_number(digits, numbers[i]), n);
        assert_memory_equal(digits, expected, (size_t)n);
    }
}

static bool parses(const char *text, uint64_t *value) {
    return bm_rank_parse_number(text, strlen(text), value);
}

static void test_numbers(void **state) {
    static const char *const wrong[] = {
        "", "-1", "+1", " 1", "1 ", "1.0", "1e3", "x", "18446744073709551616"};
    uint64_t value = 0;
    (void)state;
    assert_true(parses("0", &value) && value == 0);
    assert_true(parses("0018446744073709551615", &value) && value == UINT64_MAX);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) assert_false(parses(wrong[i], &value));
}

static void test_evalues_as_text(void **state) {
    static const struct {
        const char *text;
        double value;
    } right[] = {{"0", 0},
                 {"0.0", 0},
                 {"10", 10},
                 {"3e-05", 3e-05},
                 {"1.2", 1.2},
                 {".5", .5},
                 {"5.", 5},
                 {"0.155265", 0.155265},
                 {"1E", -1},
                 {"1e400", -2},
                 {"4.34125e-39", 4.34125e-39},
                 {"0e400", 0},
                 {"1e+02", 100},
                 {"1e2", 100},
                 {"9.99999e-181", 9.99999e-181}};
    static const char *const wrong[] = {"",   ".",  "e5",  "1e",   "1e-",   "nan",   "inf",
                                        "-1", "+1", "1,5", "1..2", "1e401", "0x1p3", " 1"};
    double value = -1;
    (void)state;
    for (size_t i = 0; i < sizeof right / sizeof right[0]; i++) {
        bool is_fine = bm_rank_parse_evalue(right[i].text, strlen(right[i].text), &value);
        if (right[i].value == -1) {
            assert_false(is_fine);
            continue;
        }
        assert_true(is_fine);
        if (right[i].value != -2) assert_true(fabs(value - right[i].value) <= 1e-15 * right[i].value);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(bm_rank_parse_evalue(wrong[i], strlen(wrong[i]), &value));
}

/* hsp-len and eff-space that blastp and blastn printed. */
static void test_length_adjustment(void **state) {
    (void)state;
    uint64_t protein = bm_rank_length_adjustment(0.041, 1.9 / 0.267, -30, 57, 1994814, 4300);
    assert_int_equal(protein, 30);
    assert_int_equal((57 - protein) * (1994814 - 4300 * protein), 50376978);
    uint64_t dna = bm_rank_length_adjustment(0.41, 0.8 / 0.625, -2, 588, 8712028, 2767);
    assert_int_equal(dna, 25);
    assert_int_equal((588 - dna) * (8712028 - 2767 * dna), 4865926239);
    assert_int_equal(bm_rank_length_adjustment(0.041, 1.9 / 0.267, -30, 1, 1, 1), 0);
}

/* A query of 57 letters against 4300 proteins: scores, lengths, and the E-values that blastp printed. */
static void test_finite_evalues(void **state) {
    static const struct {
        uint64_t score, length;
        double printed;
    } hits[] = {{300, 57, 4.34125e-39}, {59, 1827, 0.0727099}, {56, 611, 0.155265}, {53, 618, 0.380803}};
    const struct bm_rank_statistics statistics = {0.267, 0.041, 1994814, 57};
    (void)state;
    const struct bm_rank_gumbel *gumbel = bm_rank_gumbel_of("BLOSUM62", 11, 1);
    assert_non_null(gumbel);
    assert_null(bm_rank_gumbel_of("BLOSUM62", 0, 0));
    assert_null(bm_rank_gumbel_of("BLOSUM62", 11, 3));
    assert_null(bm_rank_gumbel_of("PAM30", 9, 1));
    for (size_t i = 0; i < sizeof hits / sizeof hits[0]; i++) {
        double evalue = 0;
        assert_true(bm_rank_rebuild_evalue(gumbel, &statistics, hits[i].score, hits[i].length,
                                           hits[i].printed, &evalue));
        assert_true(fabs(evalue / hits[i].printed - 1) < 1e-5);
        assert_false(bm_rank_rebuild_evalue(gumbel, &statistics, hits[i].score + 9, hits[i].length,
                                            hits[i].printed, &evalue));
    }
    double evalue = 0;
    assert_false(bm_rank_rebuild_evalue(gumbel, &statistics, 300, 0, 1e-39, &evalue));
    assert_false(bm_rank_rebuild_evalue(gumbel, &statistics, 300, 57, 0, &evalue));
}

/* --- names --------------------------------------------------------------------------------------- */

static uint64_t hash_of(const char *name) {
    return bm_rank_subject_hash(name, strlen(name));
}

static void test_names_of_subjects(void **state) {
    static const char *const same[] = {"AAA12345", "AAA12345.1", "gb|AAA12345.1|", "gi|7|gb|AAA12345.2|",
                                       "AAA12345.17"};
    static const char *const others[] = {"AAA12346", "AAA1234",    "contig.12", "contig.13",
                                         "contig",   "pdb|1ABC|A", "1ABC_B"};
    (void)state;
    for (size_t i = 1; i < sizeof same / sizeof same[0]; i++)
        assert_true(hash_of(same[i]) == hash_of(same[0]));
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        assert_true(hash_of(others[i]) != hash_of(same[0]));
        for (size_t j = 0; j < i; j++) assert_true(hash_of(others[i]) != hash_of(others[j]));
    }
    assert_true(hash_of("pdb|1ABC|A") == hash_of("1ABC_A"));
    assert_true(hash_of("gnl|db|name") == hash_of("name"));
}

/* Hashes that are spread evenly, or hardly at all. */
static uint64_t name_of(uint64_t i, bool is_even) {
    uint64_t seed = i;
    return is_even ? next_random(&seed) << 33 ^ next_random(&seed) << 11 ^ i : i * i;
}

static void check_order(uint64_t n, bool is_even, bool is_descending) {
    struct bm_memory memory = {0};
    struct bm_rank_order order = {0};
    uint64_t place = 0;
    for (uint64_t i = 0; i < n; i++) assert_true(bm_rank_order_add(&order, &memory, name_of(i, is_even)));
    if (n > 2) { /* the first name and the third once more */
        assert_true(bm_rank_order_add(&order, &memory, name_of(0, is_even)));
        assert_true(bm_rank_order_add(&order, &memory, name_of(2, is_even)));
    }
    uint64_t n_all = n > 2 ? n + 2 : n;
    assert_true(bm_rank_order_end(&order, &memory, is_descending));
    for (uint64_t i = 0; i<n; i += n> 1000 ? 97 : 1) {
        uint64_t at = i;
        if (is_descending) at = n_all - 1 - (n > 2 && i == 0 ? n : n > 2 && i == 2 ? n + 1 : i);
        assert_true(bm_rank_order_find(&order, name_of(i, is_even), &place));
        assert_int_equal(place, at);
    }
    assert_true(bm_rank_order_find(&order, UINT64_MAX, &place) && place == UINT64_MAX);
    assert_true(bm_rank_order_find(&order, is_even ? 12345 : 3, &place) && place == UINT64_MAX);
    bm_rank_order_free(&order, &memory);
    assert_int_equal(memory.n_bytes, 0);
    assert_true(memory.n_peak < 600 * 1024);
}

/* In memory, in one run of the file, in some, and in more than are merged at once. */
static void test_order(void **state) {
    static const uint64_t sizes[] = {
        0, 1, 3, BM_RANK_ORDER_HELD - 2, BM_RANK_ORDER_HELD - 1, BM_RANK_ORDER_HELD, 100000, 1200000};
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        for (int way = 0; way < 4; way++) check_order(sizes[i], way % 2 == 0, way / 2 == 1);
}

static void test_order_without_a_file(void **state) {
    struct bm_memory memory = {0};
    struct bm_rank_order order = {0};
    (void)state;
    setenv("TMPDIR", "/proc/none", 1);
    bool is_fine = true;
    for (uint64_t i = 0; i <= BM_RANK_ORDER_HELD && is_fine; i++)
        is_fine = bm_rank_order_add(&order, &memory, i);
    unsetenv("TMPDIR");
    assert_false(is_fine);
    assert_int_equal(order.system_error, ENOENT);
    bm_rank_order_free(&order, &memory);
}

/* A long list goes to a file in the result's folder, unless TMPDIR names another. */
static void test_order_beside_the_result(void **state) {
    struct bm_memory memory = {0};
    char folder[] = "/tmp/blastmerge-order-XXXXXX";
    char beside[64], link[64], path[256] = "";
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(beside, sizeof beside, "%s/result", folder);
    struct bm_rank_order order = {.beside = beside};
    unsetenv("TMPDIR");
    for (int is_merged = 0; is_merged <= 1; is_merged++) {
        for (uint64_t i = 0; i <= BM_RANK_ORDER_HELD; i++) assert_true(bm_rank_order_add(&order, &memory, i));
        if (is_merged) assert_true(bm_rank_order_end(&order, &memory, false));
        snprintf(link, sizeof link, "/proc/self/fd/%d", order.file);
        assert_true(readlink(link, path, sizeof path - 1) > 0);
        assert_memory_equal(path, folder, strlen(folder));
    }
    bm_rank_order_free(&order, &memory);
    assert_int_equal(rmdir(folder), 0);
}

/* --- texts of any length ------------------------------------------------------------------------- */

enum { TEXTS = 5, LENGTH = 400000 };

struct model {
    struct bm_rank_long text;
    char *copy;
    size_t n;
};

static void check_text(struct model *model, struct bm_rank_spool *spool, uint64_t *seed) {
    static char read[LENGTH];
    assert_int_equal(model->text.n_bytes, model->n);
    for (int i = 0; i < 4; i++) {
        size_t from = i == 0 ? 0 : next_random(seed) % (model->n + 1);
        size_t n = i == 0 ? model->n : next_random(seed) % (model->n - from + 1);
        assert_true(bm_rank_long_read(&model->text, spool, from, read, n));
        assert_memory_equal(read, model->copy + from, n);
    }
}

static void test_long_texts(void **state) {
    struct bm_memory memory = {0};
    struct bm_rank_spool spool;
    struct model models[TEXTS] = {{.n = 0}};
    struct stat information;
    uint64_t seed = 5;
    (void)state;
    bm_rank_spool_open(&spool, &memory, 20000, NULL);
    for (int i = 0; i < TEXTS; i++) models[i].copy = malloc(LENGTH);
    for (int step = 0; step < 4000; step++) {
        struct model *model = &models[next_random(&seed) % TEXTS];
        size_t n = next_random(&seed) % (step % 50 == 0 ? 150000 : 9000);
        if (model->n + n > LENGTH || next_random(&seed) % 30 == 0) {
            check_text(model, &spool, &seed);
            bm_rank_long_clear(&model->text, &spool);
            model->n = 0;
            continue;
        }
        for (size_t i = 0; i < n; i++) model->copy[model->n + i] = (char)next_random(&seed);
        assert_true(bm_rank_long_add(&model->text, &spool, 3000, model->copy + model->n, n));
        model->n += n;
    }
    assert_int_equal(fstat(spool.file, &information), 0);
    assert_true(information.st_size <= TEXTS * (LENGTH + 2 * BM_RANK_BLOCK)); /* blocks are used again */
    for (int i = 0; i < TEXTS; i++) {
        check_text(&models[i], &spool, &seed);
        bm_rank_long_free(&models[i].text, &spool);
        free(models[i].copy);
    }
    assert_int_equal(spool.budget.n_left, 20000);
    bm_rank_spool_close(&spool);
    assert_int_equal(memory.n_bytes, 0);
}

/* --- columns and lines --------------------------------------------------------------------------- */

static void test_columns(void **state) {
    struct bm_rank_columns columns = {.delimiter = '\t'};
    struct bm_rank_field fields[BM_RANK_N_COLUMNS];
    static const char row[] = "q\ts\t90.0\t100\t10\t0\t1\t100\t1\t100\t1e-05\t50.1\t48\t300";
    (void)state;
    assert_null(bm_rank_columns_of_spec(&columns, "7 std score slen"));
    assert_int_equal(columns.n, 14);
    assert_int_equal(bm_rank_columns_split(&columns, row, sizeof row - 1, fields), columns.n);
    assert_int_equal(fields[BM_RANK_COLUMN_SCORE].n_bytes, 2);
    assert_memory_equal(fields[BM_RANK_COLUMN_EVALUE].text, "1e-05", 5);
    assert_int_equal(bm_rank_columns_drop(row, sizeof row - 1, '\t', 2),
                     strlen("q\ts\t90.0\t100\t10\t0\t1\t100\t1\t100\t1e-05\t50.1"));
    assert_int_equal(bm_rank_columns_drop(row, sizeof row - 1, '\t', 99), 0);
    assert_int_equal(bm_rank_columns_split(&columns, "q\ts", 3, fields), 2);
    assert_null(bm_rank_columns_of_spec(&columns, "6 delim=@ qseqid sseqid evalue"));
    assert_int_equal(columns.delimiter, '@');
    assert_non_null(bm_rank_columns_of_spec(&columns, "qaccver saccver bitscore"));
    assert_non_null(bm_rank_columns_of_spec(&columns, "qaccver evalue"));
    assert_non_null(bm_rank_columns_of_spec(&columns, "saccver evalue"));
    static const char found[] = "query acc.ver, subject acc.ver, evalue, subject length";
    assert_null(bm_rank_columns_of_fields(&columns, found, sizeof found - 1));
    assert_int_equal(columns.at[BM_RANK_COLUMN_LENGTH], 3);
    assert_non_null(bm_rank_columns_of_fields(&columns, "query id", 8));
}

static enum bm_rank_kind kind_of(enum blastmerge_format format, const char *line, const char *value) {
    struct bm_rank_value found = bm_rank_form_line(bm_rank_form_of(format), line, strlen(line));
    assert_int_equal(found.n_bytes, strlen(value));
    assert_memory_equal(line + found.at, value, found.n_bytes);
    bool is_of_hit = found.kind >= BM_RANK_HIT && found.kind <= BM_RANK_HSP_STRAND;
    struct bm_rank_value inside = bm_rank_form_hit_line(bm_rank_form_of(format), line, strlen(line));
    assert_int_equal(inside.kind, is_of_hit ? found.kind : BM_RANK_OTHER);
    return found.kind;
}

static void test_lines(void **state) {
    (void)state;
    assert_null(bm_rank_form_of(BLASTMERGE_FORMAT_TABULAR));
    assert_int_equal(kind_of(BLASTMERGE_FORMAT_XML, "  <Hit_len>300</Hit_len>\n", "300"), BM_RANK_HIT_LENGTH);
    assert_int_equal(kind_of(BLASTMERGE_FORMAT_XML, "  <Hit_len>300</Hit_len>", "300"), BM_RANK_HIT_LENGTH);
    assert_int_equal(kind_of(BLASTMERGE_FORMAT_XML, "<Hit_len>300</Hit_len>\n", ""), BM_RANK_OTHER);
    assert_int_equal(kind_of(BLASTMERGE_FORMAT_XML, "  <Hit_len>300</Hit_len> \n", ""), BM_RANK_OTHER);
    assert_int_equal(kind_of(BLASTMERGE_FORMAT_XML, "  <Hit_len>\n", ""), BM_RANK_OTHER);
    assert_int_equal(kind_of(BLASTMERGE_FORMAT_XML, "<Hit>\n", ""), BM_RANK_HIT);
    assert_int_equal(kind_of(BLASTMERGE_FORMAT_XML, "<Hit> \n", ""), BM_RANK_OTHER);
    assert_int_equal(kind_of(BLASTMERGE_FORMAT_XML, "\n", ""), BM_RANK_OTHER);
    assert_int_equal(kind_of(BLASTMERGE_FORMAT_JSON, "              \"len\": 300,\n", "300"),
                     BM_RANK_HIT_LENGTH);
    assert_int_equal(kind_of(BLASTMERGE_FORMAT_JSON, "            },\n", ""), BM_RANK_HIT_END);
    assert_int_equal(kind_of(BLASTMERGE_FORMAT_JSON, "            }\n", ""), BM_RANK_HIT_END);
    assert_int_equal(kind_of(BLASTMERGE_FORMAT_JSON, "        \"db\": \"a\\\"b\"\n", "a\\\"b"),
                     BM_RANK_DATABASE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_written_numbers),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_evalues_as_text),
        cmocka_unit_test(test_length_adjustment),
        cmocka_unit_test(test_finite_evalues),
        cmocka_unit_test(test_names_of_subjects),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_order_beside_the_result),
        cmocka_unit_test(test_order_without_a_file),
        cmocka_unit_test(test_long_texts),
        cmocka_unit_test(test_columns),
        cmocka_unit_test(test_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
