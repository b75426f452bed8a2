/* SPDX-License-Identifier: MIT */
/* child/keep: a child that is read before its turn gives the batches, marks, fields, counts and errors of one that is
 * read in its turn, whatever part of it was kept; and gives them once more if all of it was. There are no threads: the test does the workers' work, a piece at a
 * time, for as long as a lot says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "child/again.h"
#include "children.h"

#include <inttypes.h>

static struct bm_memory memory;
static struct bm_workers workers;
static struct bm_cancel cancel;
static struct bm_temporary_limit temporary;

static uint64_t draw(uint64_t *chance, uint64_t n) {
    *chance = *chance * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (*chance >> 33) % n;
}

/* --- children -------------------------------------------------------------------------------------- */

static void append(struct bytes *text, const char *format, ...) BM_FORMAT(2, 3);
static void append(struct bytes *text, const char *format, ...) {
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    copy_text(text, line);
}

/* Iterations of very different lengths, so that there are gaps of all kinds between them. */
static struct bytes make_uneven_text(uint64_t *chance, unsigned n_iterations) {
    enum { MOST_HITS = 3000, HIT = 80 };
    /* Allocated once: under AddressSanitizer each realloc() copies all there is. */
    struct bytes text = {malloc((size_t)(n_iterations + 1) * MOST_HITS * HIT), 0};
    assert_non_null(text.data);
    append(&text,
           "<?xml version=\"1.0\"?>\n<BlastOutput>\n  <BlastOutput_program>blastp</BlastOutput_program>\n"
           "  <BlastOutput_version>2.12.0+</BlastOutput_version>\n  <BlastOutput_db>nr</BlastOutput_db>\n"
           "<BlastOutput_iterations>\n");
    for (unsigned i = 1; i <= n_iterations; i++) {
        static const unsigned most[] = {1, 10, 100, 1000, MOST_HITS};
        uint64_t n_hits = draw(chance, most[draw(chance, 5)]);
        append(&text, "<Iteration>\n  <Iteration_iter-num>%u</Iteration_iter-num>\n<Iteration_hits>\n", i);
        for (uint64_t hit = 1; hit <= n_hits; hit++)
            append(&text,
                   "<Hit>\n  <Hit_num>%" PRIu64 "</Hit_num>\n  <Hit_def>%" PRIx64 "</Hit_def>\n</Hit>\n", hit,
                   draw(chance, 1000) * 7919);
        append(&text, "</Iteration_hits>\n</Iteration>\n");
    }
    append(&text, "</BlastOutput_iterations>\n</BlastOutput>\n\n");
    text.data = realloc(text.data, text.n + 1);
    assert_non_null(text.data);
    return text;
}

/* --- reading ---------------------------------------------------------------------------------------- */

/* All that a child has given, in order. */
struct log {
    struct bytes bytes;
    size_t size;
    uint32_t crc; /* of its text */
};

static void put(struct log *log, const void *data, size_t n) {
    if (log->bytes.n + n > log->size) {
        log->size = 2 * (log->bytes.n + n);
        log->bytes.data = realloc(log->bytes.data, log->size);
        assert_non_null(log->bytes.data);
    }
    if (n > 0) memcpy(log->bytes.data + log->bytes.n, data, n);
    log->bytes.n += n;
}

static void put_view(struct log *log, const struct bm_view *view) {
    const struct bm_mark_list *marks = view->marks;
    put(log, &view->end, sizeof view->end);
    put(log, &view->safe, sizeof view->safe);
    put(log, &view->counts.n_iterations, sizeof view->counts.n_iterations);
    put(log, &view->counts.n_hits, sizeof view->counts.n_hits);
    put(log, &view->is_end_of_batch, sizeof view->is_end_of_batch);
    put(log, marks->entries, marks->n_entries * sizeof marks->entries[0]);
    assert_int_equal(view->field != NULL,
                     marks->n_entries > 0 && marks->entries[marks->n_entries - 1].kind == BM_MARK_FIELD);
    if (view->field != NULL) put(log, view->field->value, view->field->n_value);
}

static void put_error(struct log *log, const struct blastmerge_error *error) {
    put(log, &error->status, sizeof error->status);
    put(log, &error->text_offset, sizeof error->text_offset);
    put(log, error->message, strlen(error->message));
}

/* What lies outside of gaps is the text, and the bits, if there are any, are the source's. */
static void check_batch(const struct bm_batch *batch, bool has_bits, struct bytes text, struct bytes zipped) {
    uint64_t at = batch->text_offset;
    uint32_t crc = 0;
    assert_true(bm_batch_end(batch) <= text.n);
    for (size_t i = 0; i <= batch->n_gaps; i++) {
        uint64_t to = i < batch->n_gaps ? batch->gaps[i].from : bm_batch_end(batch);
        assert_true(to >= at);
        assert_memory_equal(bm_batch_at(batch, at, to - at), text.data + at, (size_t)(to - at));
        if (i < batch->n_gaps) at = batch->gaps[i].to;
    }
    assert_int_equal(bm_batch_sum(batch, &crc, batch->text_offset, bm_batch_end(batch)), bm_batch_end(batch));
    assert_int_equal(crc, bm_crc32(0, text.data + batch->text_offset, batch->n_text));
    if (has_bits)
        assert_memory_equal(batch->bits, zipped.data + (batch->first_bit >> 3), batch->n_bits_bytes);
}

static void put_end(struct log *log, enum blastmerge_status status, const struct bm_view *view) {
    put(log, &view->counts.n_documents, sizeof view->counts.n_documents);
    put(log, &status, sizeof status);
}

/* Once more what was kept. */
static void read_again(struct bm_child *child, struct log *log, struct bytes text, struct bytes zipped) {
    struct bm_child_again again;
    struct blastmerge_error error;
    struct bm_view view = {0};
    enum blastmerge_status status = bm_child_again_open(&again, &memory);
    assert_int_equal(status, BLASTMERGE_OK);
    bm_child_again_begin(&again, child);
    do {
        assert_int_equal(bm_child_again_next(&again, &error), BLASTMERGE_OK);
        check_batch(&again.batch, true, text, zipped);
        do {
            assert_int_equal(bm_child_again_scan(&again, &view, &error), BLASTMERGE_OK);
            put_view(log, &view);
        } while (!view.is_end_of_batch);
    } while (!bm_child_again_is_last(&again));
    do {
        status = bm_child_again_finish(&again, &view);
        put_end(log, status, &view);
    } while (status == BLASTMERGE_OK && !bm_mark_is_finished(again.mark));
    bm_child_again_close(&again, &memory);
}

static size_t n_again; /* children that were read once more */

/* Up to the end, or the error, whose status it returns. */
static enum blastmerge_status read_all(struct bm_child *child, struct log *log, struct bytes text,
                                       struct bytes zipped) {
    const struct bm_mark_kin any = {0};
    struct blastmerge_error error;
    struct bm_view view = {0};
    bool is_last = false, is_first = true;
    struct log again = {.size = 0};
    bm_child_turn(child, &any);
    if (child->is_kept) read_again(child, &again, text, zipped);
    while (!is_last) {
        const struct bm_batch *batch = bm_child_take(child, &is_last, &error);
        if (batch == NULL) break;
        if (is_first) bm_child_admit(child, &any, true);
        is_first = false;
        check_batch(batch, !child->is_kept, text, zipped);
        do {
            enum blastmerge_status status = bm_child_scan(child, SIZE_MAX, &view, &error);
            put_view(log, &view);
            if (status == BLASTMERGE_OK) continue;
            put_error(log, &error);
            return status;
        } while (!view.is_end_of_batch);
        bm_child_give(child);
    }
    if (!is_last) {
        put_error(log, &error);
        return error.status;
    }
    do {
        enum blastmerge_status status = bm_child_finish(child, &view, &error);
        put_end(log, status, &view);
        if (status != BLASTMERGE_OK) is_last = false;
    } while (is_last && !bm_mark_is_finished(child->mark));
    if (child->is_kept) {
        assert_int_equal(again.bytes.n, log->bytes.n);
        assert_memory_equal(again.bytes.data, log->bytes.data, log->bytes.n);
        n_again++;
    }
    free(again.bytes.data);
    if (is_last) return BLASTMERGE_OK;
    put_error(log, &error);
    return error.status;
}

/* --- the test --------------------------------------------------------------------------------------- */

static int set_up(void **state) {
    struct blastmerge_error error;
    (void)state;
    bm_memory_open(&memory, NULL);
    bm_cancel_init(&cancel);
    assert_int_equal(bm_cancel_begin(&cancel, &error), BLASTMERGE_OK);
    return bm_workers_open(&workers, 0, &memory) == BLASTMERGE_OK ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    bm_workers_close(&workers, &memory);
    bm_cancel_close(&cancel);
    assert_int_equal(memory.n_bytes, 0);
    return 0;
}

static void create(struct bm_child *child, size_t n_kept_bytes) {
    struct bm_child_settings settings = {.room = bm_child_lane_room_of(&workers)};
    settings.room.n_batches = settings.room.n_ahead = 6;
    settings.room.n_kept_bytes = n_kept_bytes;
    atomic_init(&temporary.n_left, n_kept_bytes * 2);
    settings.room.kept_file = n_kept_bytes % 3 == 0 ? NULL : &temporary;
    settings.room.files_dense = n_kept_bytes % 5 < 3;
    assert_int_equal(bm_child_create(child, &settings, &workers, &memory), BLASTMERGE_OK);
}

/* Does at most n pieces of the workers' work; returns how many there were. */
static size_t work(struct bm_child *child, size_t n) {
    for (size_t i = 0; i < n; i++) {
        bm_child_fill(child);
        bm_workers_lock(&workers);
        bool has_worked = bm_workers_help(&workers);
        bm_workers_unlock(&workers);
        if (!has_worked) return i;
    }
    return n;
}

static void compare(struct bytes text, struct bytes zipped, size_t n_kept_bytes, size_t n_pieces,
                    enum blastmerge_format supposed, size_t *n_kept, size_t *n_gaps, size_t *n_in_file) {
    struct bm_fetch_source source = bm_fetch_source_memory("child", zipped.data, zipped.n);
    const struct bm_mark_kin kin = {.format = supposed, .is_given = supposed != BLASTMERGE_FORMAT_AUTO};
    static struct bm_child children[2];
    struct log logs[2] = {{.size = 0}, {.size = 0}};
    enum blastmerge_status statuses[2];
    for (int i = 0; i < 2; i++) {
        struct bm_child *child = &children[i];
        create(child, n_kept_bytes);
        bm_child_open(child, &source, &cancel);
        if (i == 1) {
            (void)work(child, n_pieces % 3);
            bm_child_read_early(child, &kin);
            (void)work(child, n_pieces);
            *n_kept += child->lane.n_batches_kept;
            for (const struct bm_child_kept *kept = child->lane.keep.first; kept != NULL; kept = kept->next)
                *n_gaps += kept->n_gaps, *n_in_file += kept->body.data == NULL;
        }
        statuses[i] = read_all(child, &logs[i], text, zipped);
        bm_child_close(child);
        bm_child_destroy(child, &memory);
    }
    assert_int_equal(statuses[0], statuses[1]);
    assert_int_equal(logs[0].bytes.n, logs[1].bytes.n);
    assert_memory_equal(logs[0].bytes.data, logs[1].bytes.data, logs[0].bytes.n);
    free(logs[0].bytes.data);
    free(logs[1].bytes.data);
}

static struct bytes join(struct bytes one, struct bytes two) {
    struct bytes both = {malloc(one.n + two.n), one.n + two.n};
    assert_non_null(both.data);
    memcpy(both.data, one.data, one.n);
    memcpy(both.data + one.n, two.data, two.n);
    free(one.data);
    free(two.data);
    return both;
}

static void test_by_lot(void **state) {
    const char *wanted = getenv("BLASTMERGE_TEST_CASES");
    const uint64_t n_cases = wanted != NULL ? strtoull(wanted, NULL, 10) : 60;
    size_t n_kept = 0, n_gaps = 0, n_in_file = 0;
    (void)state;
    for (uint64_t seed = 0; seed < n_cases; seed++) {
        uint64_t chance = seed * 77 + 1;
        struct bytes text = make_uneven_text(&chance, 1 + (unsigned)draw(&chance, 150));
        int level = (int)draw(&chance, 10);
        size_t n_first = draw(&chance, 3) == 0 ? (size_t)draw(&chance, text.n) : text.n;
        if (draw(&chance, 4) == 0) text.data[draw(&chance, text.n)] = (uint8_t) "<>&a\0"[draw(&chance, 5)];
        struct bytes zipped = make_gzip((struct bytes){text.data, n_first}, level);
        if (n_first < text.n)
            zipped = join(zipped, make_gzip((struct bytes){text.data + n_first, text.n - n_first}, 6));
        if (draw(&chance, 6) == 0) zipped.n -= (size_t)draw(&chance, zipped.n / 2);
        compare(text, zipped, (size_t)65536 << draw(&chance, 7), (size_t)draw(&chance, 200),
                draw(&chance, 8) == 0 ? BLASTMERGE_FORMAT_JSON : BLASTMERGE_FORMAT_AUTO, &n_kept, &n_gaps,
                &n_in_file);
        free(text.data);
        free(zipped.data);
    }
    assert_true(n_kept > 2 * n_cases);
    assert_true(n_again > n_cases / 10);
    assert_true(n_gaps > n_cases);
    assert_true(n_in_file > n_cases);
}

/* The source is another one when the child's turn comes. */
static void test_changed(void **state) {
    static struct bm_child child;
    struct log log = {.size = 0};
    uint64_t chance = 1;
    (void)state;
    struct bytes text = make_uneven_text(&chance, 20), zipped = make_gzip(text, 6);
    struct bm_fetch_source source = bm_fetch_source_memory("child", zipped.data, zipped.n);
    const struct bm_mark_kin any = {0};
    struct blastmerge_error error;
    bool is_last = false;
    create(&child, 1 << 22);
    bm_child_open(&child, &source, &cancel);
    bm_child_read_early(&child, &any);
    assert_true(work(&child, 100) > 3);
    zipped.data[zipped.n / 2] ^= 1;
    bm_child_turn(&child, &any);
    assert_true(child.lane.has_ended && child.lane.n_batches_kept == child.lane.n_batches_filled);
    const struct bm_batch *batch = bm_child_take(&child, &is_last, &error);
    while (batch != NULL && !is_last) {
        bm_child_give(&child);
        batch = bm_child_take(&child, &is_last, &error);
    }
    assert_null(batch);
    assert_int_equal(error.status, BLASTMERGE_CHANGED);
    bm_child_close(&child);
    bm_child_destroy(&child, &memory);
    free(log.bytes.data);
    free(text.data);
    free(zipped.data);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_by_lot), cmocka_unit_test(test_changed)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
