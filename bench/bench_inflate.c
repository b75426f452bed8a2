/* SPDX-License-Identifier: MIT */
/*
 * How fast is inflate, against what others have? Files of gzip data are read into memory and decompressed
 * by each decoder in turn, in rounds, so that a machine's moods meet all of them; medians are compared. It is
 * the processor's time that counts, not what other programs leave of it.
 *
 *     bench_inflate [-r ROUNDS] FILE...
 *
 * Build with -DHAVE_ISAL -lisal to see ISA-L, too. libdeflate gets the whole file and a buffer for all of its
 * text, the others work in streams with 64 KiB of input and their own buffers of 128 KiB for text.
 */
#include "inflate/inflate.h"

#include <libdeflate.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zlib.h>
#ifdef HAVE_ISAL
#include <isa-l.h>
#endif

enum { INPUT_PIECE = 65536, MAX_ROUNDS = 1000 };

struct sample {
    uint8_t *data;
    size_t n_data;
    uint8_t *text; /* room for libdeflate */
    size_t n_text;
};

static void die(const char *what) {
    fprintf(stderr, "bench_inflate: %s\n", what);
    exit(1);
}

/* --- the decoders: each returns the length of the text -----------------------------------------------------
 */

static uint64_t run_own(const struct sample *sample) {
    static struct bm_memory memory;
    static struct bm_inflate *inflate;
    static struct bm_batch batches[2];
    struct blastmerge_error error;
    if (inflate == NULL) {
        bm_memory_open(&memory, NULL);
        if (bm_inflate_open(&inflate, &memory) != BLASTMERGE_OK ||
            bm_batch_open(&batches[0], &memory) != BLASTMERGE_OK ||
            bm_batch_open(&batches[1], &memory) != BLASTMERGE_OK) {
            die("out of memory");
        }
    }
    bm_inflate_reset(inflate);
    unsigned turn = 0;
    bm_batch_begin(&batches[0], NULL);
    for (size_t position = 0;;) {
        size_t n_used, n_piece = sample->n_data - position;
        bool is_last = n_piece <= INPUT_PIECE;
        if (!is_last) n_piece = INPUT_PIECE;
        enum bm_step result = bm_inflate_step(inflate, &batches[turn], sample->data + position, n_piece,
                                              &n_used, is_last, &error);
        position += n_used;
        if (result == BM_STEP_FAILED) die(error.message);
        if (result == BM_STEP_DONE) return batches[turn].text_offset + batches[turn].n_text;
        if (result == BM_STEP_FULL) {
            bm_batch_begin(&batches[turn ^ 1], &batches[turn]);
            turn ^= 1;
        }
    }
}

static uint64_t run_zlib(const struct sample *sample) {
    static uint8_t buffer[BM_BATCH_TEXT];
    z_stream stream = {0};
    uint64_t n_text = 0;
    if (inflateInit2(&stream, 31) != Z_OK) die("zlib");
    for (size_t position = 0; position < sample->n_data;) {
        size_t n_piece = sample->n_data - position < INPUT_PIECE ? sample->n_data - position : INPUT_PIECE;
        stream.next_in = sample->data + position;
        stream.avail_in = (uInt)n_piece;
        stream.next_out = buffer;
        stream.avail_out = sizeof buffer;
        int result = inflate(&stream, Z_NO_FLUSH);
        if (result != Z_OK && result != Z_STREAM_END) die("zlib");
        position += n_piece - stream.avail_in;
        n_text += sizeof buffer - stream.avail_out;
        if (result == Z_STREAM_END && inflateReset(&stream) != Z_OK) die("zlib");
    }
    inflateEnd(&stream);
    return n_text;
}

static uint64_t run_libdeflate(const struct sample *sample) {
    static struct libdeflate_decompressor *decompressor;
    uint64_t n_text = 0;
    if (decompressor == NULL) decompressor = libdeflate_alloc_decompressor();
    for (size_t position = 0; position < sample->n_data;) {
        size_t n_in, n_out;
        if (libdeflate_gzip_decompress_ex(decompressor, sample->data + position, sample->n_data - position,
                                          sample->text + n_text, sample->n_text - n_text, &n_in,
                                          &n_out) != LIBDEFLATE_SUCCESS) {
            die("libdeflate");
        }
        position += n_in;
        n_text += n_out;
    }
    return n_text;
}

#ifdef HAVE_ISAL
static uint64_t run_isal(const struct sample *sample) {
    static uint8_t buffer[BM_BATCH_TEXT];
    static struct inflate_state state;
    uint64_t n_text = 0;
    isal_inflate_init(&state);
    state.crc_flag = ISAL_GZIP;
    for (size_t position = 0; position < sample->n_data;) {
        size_t n_piece = sample->n_data - position < INPUT_PIECE ? sample->n_data - position : INPUT_PIECE;
        state.next_in = sample->data + position;
        state.avail_in = (uint32_t)n_piece;
        do {
            state.next_out = buffer;
            state.avail_out = sizeof buffer;
            if (isal_inflate(&state) != ISAL_DECOMP_OK) die("ISA-L");
            n_text += sizeof buffer - state.avail_out;
            if (state.block_state == ISAL_BLOCK_FINISH)
                isal_inflate_reset(&state), state.crc_flag = ISAL_GZIP;
        } while (state.avail_out == 0);
        position += n_piece - state.avail_in;
    }
    return n_text;
}
#endif

/* --- rounds ------------------------------------------------------------------------------------------ */

static const struct contender {
    const char *name;
    uint64_t (*run)(const struct sample *sample);
} contenders[] = {
    {"own", run_own},
    {"zlib", run_zlib},
    {"libdeflate (whole)", run_libdeflate},
#ifdef HAVE_ISAL
    {"ISA-L (stream)", run_isal},
#endif
};
enum { N_CONTENDERS = sizeof contenders / sizeof contenders[0] };

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void load(struct sample *sample, const char *path) {
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) die(path);
    sample->n_data = (size_t)ftell(file);
    rewind(file);
    sample->data = malloc(sample->n_data + 1);
    if (sample->data == NULL || fread(sample->data, 1, sample->n_data, file) != sample->n_data) die(path);
    fclose(file);
    sample->n_text = (size_t)run_zlib(sample);
    sample->text = malloc(sample->n_text + 1);
    if (sample->text == NULL) die("out of memory");
}

static void measure(const char *path, int n_rounds) {
    static double seconds[N_CONTENDERS][MAX_ROUNDS];
    struct sample sample;
    load(&sample, path);
    for (int round = 0; round < n_rounds; round++) {
        for (int i = 0; i < N_CONTENDERS; i++) {
            double start = now();
            if (contenders[i].run(&sample) != sample.n_text) die(contenders[i].name);
            seconds[i][round] = now() - start;
        }
    }
    printf("%s: %zu bytes, %.1f:1\n", path, sample.n_text, (double)sample.n_text / (double)sample.n_data);
    for (int i = 0; i < N_CONTENDERS; i++) qsort(seconds[i], (size_t)n_rounds, sizeof(double), compare);
    for (int i = 0; i < N_CONTENDERS; i++) {
        double median = seconds[i][n_rounds / 2];
        printf("  %-20s %7.0f MB/s   own is %.2f times as fast\n", contenders[i].name,
               (double)sample.n_text / median / 1e6, median / seconds[0][n_rounds / 2]);
    }
    free(sample.data);
    free(sample.text);
}

int main(int argc, char **argv) {
    int first = 1, n_rounds = 15;
    if (argc > 2 && strcmp(argv[1], "-r") == 0) {
        n_rounds = atoi(argv[2]);
        first = 3;
    }
    if (n_rounds < 1 || n_rounds > MAX_ROUNDS || first >= argc)
        die("usage: bench_inflate [-r ROUNDS] FILE...");
    for (int i = first; i < argc; i++) measure(argv[i], n_rounds);
    return 0;
}
