/* SPDX-License-Identifier: MIT */
/*
 * How fast splicing is, and how long what it writes: children are inflated into batches, edits are prepared,
 * and then only the splice is timed, beside zlib's inflate of the same bytes in the same run, by the
 * processor's time.
 *
 *     bench_splice [-n] [-q] [-s START] [-r ROUNDS] [-o FILE] CHILD.xml.gz ...
 *
 * Each Iteration's number is replaced by a running one. -n: no edits but the fragment's ends. -q: query ids
 * are shifted, too. -s: the number before the first. -o: writes the result, a gzip file.
 */
#include "flow/output.h"
#include "flow/script.h"
#include "inflate/inflate.h"
#include "splice/splice.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

/* Text up to `offset` is skipped or taken; then a fragment begins or ends, or text is inserted. */
enum edit_kind { EDIT_BEGIN, EDIT_END, EDIT_DROP, EDIT_KEEP, EDIT_INSERT };

struct edit {
    uint64_t offset;
    enum edit_kind kind;
    uint32_t n_insert;
    const char *insert;
};

struct splicer {
    struct bm_splice_sink *sink;
    struct bm_splice_reader *reader;
};

struct child {
    uint8_t *data;
    size_t n_data;
    uint8_t *text;
    size_t n_text;
    struct bm_batch *batches;
    size_t n_batches;
    uint64_t *safe; /* for each batch */
    struct edit *edits;
    size_t n_edits, edit_room;
};

struct options {
    bool has_numbers, has_ids;
    int rounds;
    const char *output;
};

struct totals {
    double splice, inflate, own_inflate;
    uint64_t n_in, n_text, n_out, n_edits;
    uint32_t crc;
    uint64_t n_text_out;
};

static const char begin_tag[] = "<BlastOutput_iterations>\n", end_tag[] = "</BlastOutput_iterations>";
static const char number_tag[] = "<Iteration_iter-num>", id_tag[] = "<Iteration_query-ID>Query_";

static void need(bool condition, const char *what) {
    if (condition) return;
    fprintf(stderr, "bench_splice: %s\n", what);
    exit(1);
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void read_file(struct child *child, const char *name) {
    FILE *file = fopen(name, "rb");
    need(file != NULL && fseek(file, 0, SEEK_END) == 0, "cannot read a child");
    child->n_data = (size_t)ftell(file);
    child->data = malloc(child->n_data + 8);
    rewind(file);
    need(child->data != NULL && fread(child->data, 1, child->n_data, file) == child->n_data,
         "cannot read a child");
    fclose(file);
}

/* Into batches that all stay in memory. */
static void inflate_child(struct child *child, struct bm_memory *memory, struct totals *totals) {
    struct bm_inflate *inflate = NULL;
    struct blastmerge_error error;
    size_t position = 0, room = 0;
    need(bm_inflate_open(&inflate, memory) == BLASTMERGE_OK, "no memory");
    double start = now();
    for (enum bm_step result = BM_STEP_FULL; result == BM_STEP_FULL;) {
        size_t n_used = 0, n = child->n_batches;
        if (n == room) {
            room = 2 * room + 64;
            child->batches = realloc(child->batches, room * sizeof *child->batches);
        }
        need(child->batches != NULL && bm_batch_open(&child->batches[n], memory) == BLASTMERGE_OK,
             "no memory");
        bm_batch_begin(&child->batches[n], n == 0 ? NULL : &child->batches[n - 1]);
        result = bm_inflate_step(inflate, &child->batches[n], child->data + position,
                                 child->n_data - position, &n_used, true, &error);
        need(result != BM_STEP_FAILED, "a child is damaged");
        position += n_used;
        child->n_text += child->batches[n].n_text;
        child->n_batches++;
    }
    totals->own_inflate += now() - start;
    bm_inflate_close(inflate, memory);
    child->text = malloc(child->n_text + 1);
    need(child->text != NULL, "no memory");
    for (size_t i = 0; i < child->n_batches; i++)
        memcpy(child->text + child->batches[i].text_offset, child->batches[i].text, child->batches[i].n_text);
}

static double time_zlib(const struct child *child) {
    static uint8_t out[131072];
    z_stream z;
    double start = now();
    memset(&z, 0, sizeof z);
    need(inflateInit2(&z, 15 + 16) == Z_OK, "no memory");
    z.next_in = child->data;
    z.avail_in = (unsigned)child->n_data;
    int status = Z_OK;
    while (status == Z_OK) {
        z.next_out = out;
        z.avail_out = sizeof out;
        status = inflate(&z, Z_NO_FLUSH);
    }
    need(status == Z_STREAM_END, "zlib does not like a child");
    inflateEnd(&z);
    return now() - start;
}

static void add_edit(struct child *child, enum edit_kind kind, uint64_t offset, const char *text) {
    if (child->n_edits == child->edit_room) {
        child->edit_room = 2 * child->edit_room + 64;
        child->edits = realloc(child->edits, child->edit_room * sizeof *child->edits);
        need(child->edits != NULL, "no memory");
    }
    child->edits[child->n_edits++] = (struct edit){.offset = offset,
                                                   .kind = kind,
                                                   .n_insert = text != NULL ? (uint32_t)strlen(text) : 0,
                                                   .insert = text};
}

static uint8_t *find(const struct child *child, size_t from, const char *what) {
    return memmem(child->text + from, child->n_text - from, what, strlen(what));
}

/* Replaces the digits at `place` by `number`, if they are others. */
static void replace_number(struct child *child, size_t place, uint64_t number) {
    char text[24];
    size_t n = 0, n_digits = (size_t)snprintf(text, sizeof text, "%llu", (unsigned long long)number);
    while (child->text[place + n] >= '0' && child->text[place + n] <= '9') n++;
    if (n == n_digits && memcmp(text, child->text + place, n) == 0) return;
    char *copy = strdup(text);
    need(copy != NULL, "no memory");
    add_edit(child, EDIT_DROP, place, NULL);
    add_edit(child, EDIT_INSERT, place, copy);
    add_edit(child, EDIT_KEEP, place + n, NULL);
}

static void make_edits(struct child *child, const struct options *options, uint64_t *n_iterations) {
    uint8_t *begin = find(child, 0, begin_tag);
    need(begin != NULL, "a child is no BLAST XML");
    size_t place = (size_t)(begin - child->text) + strlen(begin_tag);
    uint64_t shift = *n_iterations;
    add_edit(child, EDIT_BEGIN, place, NULL);
    for (;;) {
        uint8_t *tag = find(child, place, number_tag);
        if (tag == NULL) break;
        place = (size_t)(tag - child->text) + strlen(number_tag);
        ++*n_iterations;
        if (options->has_numbers) replace_number(child, place, *n_iterations);
        uint8_t *id = find(child, place, id_tag);
        if (!options->has_ids || id == NULL) continue;
        place = (size_t)(id - child->text) + strlen(id_tag);
        replace_number(child, place, strtoull((const char *)child->text + place, NULL, 10) + shift);
    }
    uint8_t *end = find(child, place, end_tag);
    need(end != NULL, "a child is no BLAST XML");
    add_edit(child, EDIT_END, (uint64_t)(end - child->text), NULL);
}

/* What a scanner would have let through at each batch's end: nothing of a replacement that is not over. */
static void make_safe(struct child *child) {
    size_t e = 0;
    child->safe = calloc(child->n_batches, sizeof *child->safe);
    need(child->safe != NULL, "no memory");
    for (size_t i = 0; i < child->n_batches; i++) {
        uint64_t end = child->batches[i].text_offset + child->batches[i].n_text;
        while (e < child->n_edits && child->edits[e].offset <= end) e++;
        child->safe[i] = end;
        if (e > 0 && e < child->n_edits && child->edits[e].kind == EDIT_KEEP)
            child->safe[i] = child->edits[e - 2].offset - strlen(number_tag);
    }
}

static void empty(struct bm_output *output, struct totals *totals, FILE *file) {
    totals->n_out += output->n_data;
    if (file != NULL) need(fwrite(output->data, 1, output->n_data, file) == output->n_data, "cannot write");
    output->n_data = 0;
}

static void add_to_script(struct bm_script *script, const struct edit *edit) {
    bm_script_go(script, edit->offset);
    if (edit->kind == EDIT_BEGIN) bm_script_begin(script);
    if (edit->kind == EDIT_END) bm_script_end(script);
    if (edit->kind == EDIT_DROP) bm_script_stop(script);
    if (edit->kind == EDIT_KEEP) bm_script_resume(script);
    if (edit->kind == EDIT_INSERT) bm_script_insert(script, edit->insert, edit->n_insert);
}

static double splice_child(const struct splicer *splicer, const struct child *child, struct bm_script *script,
                           struct bm_output *output, struct totals *totals, FILE *file) {
    size_t e = 0;
    double start = now();
    bm_script_start(script, 0);
    need(bm_splice_begin(splicer->sink, splicer->reader, true) == BLASTMERGE_OK, "no memory");
    for (size_t i = 0; i < child->n_batches; i++) {
        bool is_done = false;
        while (!is_done) {
            bm_script_compact(script);
            while (script->n_entries + 4 < BM_SCRIPT_ENTRIES && e < child->n_edits &&
                   child->edits[e].offset <= child->safe[i])
                add_to_script(script, &child->edits[e++]);
            bool is_all = e == child->n_edits || child->edits[e].offset > child->safe[i];
            if (is_all) bm_script_go(script, child->safe[i]);
            bm_splice_give(splicer->reader, &child->batches[i], is_all);
            enum bm_step step = bm_splice_step(splicer->sink, &splicer->reader, 1, script, output);
            if (step == BM_STEP_FULL) empty(output, totals, file);
            is_done = is_all && step == BM_STEP_DONE;
        }
    }
    double time = now() - start;
    empty(output, totals, file);
    return time;
}

static void run_child(const char *name, const struct options *options, struct bm_memory *memory,
                      const struct splicer *splicer, struct totals *totals, uint64_t *n_iterations,
                      FILE *file) {
    static struct bm_script list;
    static uint8_t data[BM_OUTPUT_SIZE];
    struct child child;
    memset(&child, 0, sizeof child);
    read_file(&child, name);
    inflate_child(&child, memory, totals);
    make_edits(&child, options, n_iterations);
    make_safe(&child);
    double best = 1e9, best_zlib = 1e9;
    for (int i = 0; i < options->rounds; i++) {
        struct bm_output output = {data, sizeof data, 0, totals->crc, totals->n_text_out};
        bool is_last = i + 1 == options->rounds;
        struct totals ignored = {0};
        double time =
            splice_child(splicer, &child, &list, &output, is_last ? totals : &ignored, is_last ? file : NULL);
        if (time < best) best = time;
        time = time_zlib(&child);
        if (time < best_zlib) best_zlib = time;
        if (!is_last) continue;
        totals->crc = output.crc32;
        totals->n_text_out = output.n_text;
    }
    totals->splice += best;
    totals->inflate += best_zlib;
    totals->n_in += child.n_data;
    totals->n_text += child.n_text;
    totals->n_edits += child.n_edits;
    for (size_t i = 0; i < child.n_batches; i++) bm_batch_close(&child.batches[i], memory);
    for (size_t i = 0; i < child.n_edits; i++) free((void *)(uintptr_t)child.edits[i].insert);
    free(child.batches);
    free(child.data);
    free(child.text);
    free(child.edits);
    free(child.safe);
}

int main(int argc, char **argv) {
    static const uint8_t head[10] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255};
    struct options options = {true, false, 3, NULL};
    struct totals totals = {0};
    struct bm_memory memory;
    const struct bm_splice_settings settings = {.form = BLASTMERGE_FORM_GZIP};
    struct splicer splicer = {NULL, NULL};
    FILE *file = NULL;
    uint64_t n_iterations = 0;
    for (int option; (option = getopt(argc, argv, "nqr:o:s:")) != -1;) {
        if (option == 'n') options.has_numbers = false;
        if (option == 'q') options.has_ids = true;
        if (option == 'r') options.rounds = atoi(optarg);
        if (option == 's') n_iterations = strtoull(optarg, NULL, 10);
        if (option == 'o') options.output = optarg;
        need(option != '?' && options.rounds > 0, "see the head of bench_splice.c");
    }
    bm_memory_open(&memory, NULL);
    need(bm_splice_sink_open(&splicer.sink, &settings, &memory) == BLASTMERGE_OK &&
             bm_splice_reader_open(&splicer.reader, &memory) == BLASTMERGE_OK &&
             bm_splice_begin(splicer.sink, splicer.reader, true) == BLASTMERGE_OK,
         "no memory");
    printf("splice itself: %.0f KiB of memory\n", (double)memory.n_bytes / 1024);
    if (options.output != NULL) {
        file = fopen(options.output, "wb");
        need(file != NULL && fwrite(head, 1, sizeof head, file) == sizeof head, "cannot write");
    }
    for (int i = optind; i < argc; i++)
        run_child(argv[i], &options, &memory, &splicer, &totals, &n_iterations, file);
    if (file != NULL) {
        uint8_t tail[10] = {3, 0};
        bm_store32(tail + 2, totals.crc);
        bm_store32(tail + 6, (uint32_t)totals.n_text_out);
        need(fwrite(tail, 1, sizeof tail, file) == sizeof tail && fclose(file) == 0, "cannot write");
    }
    bm_splice_reader_close(splicer.reader);
    bm_splice_sink_close(splicer.sink);
    double mb = (double)totals.n_text / 1e6;
    printf("%llu edits, %.1f MB of text, %.3f MB compressed -> %.3f MB, ratio %.5f\n",
           (unsigned long long)totals.n_edits, mb, (double)totals.n_in / 1e6, (double)totals.n_out / 1e6,
           (double)totals.n_out / (double)totals.n_in);
    printf("MB of text a second: splice %.0f, zlib inflate %.0f, own inflate (once) %.0f; splice, "
           "compressed: %.0f\n",
           mb / totals.splice, mb / totals.inflate, mb / totals.own_inflate,
           (double)totals.n_in / 1e6 / totals.splice);
    return 0;
}
