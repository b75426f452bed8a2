/* SPDX-License-Identifier: MIT */
/*
 * Everything blastmerge.h is for: merges the children named on the command line, the first of them through
 * a reader of our own, and writes the result to standard output piece by piece.
 *
 *     cc examples/merge.c -o example $(pkg-config --cflags --libs blastmerge) && ./example batch_*.xml.gz > merged.xml.gz
 */
#include <blastmerge.h>

#include <errno.h>
#include <stdio.h>

/* A reader hands out chunks of any size, and 0 bytes at the end: here from a file, as well from a socket. */
struct chunks {
    FILE *file;
    char bytes[65536];
};

static int next_chunk(void *context, const void **data, size_t *n_bytes) {
    struct chunks *chunks = context;
    *data = chunks->bytes;
    *n_bytes = fread(chunks->bytes, 1, sizeof chunks->bytes, chunks->file);
    return ferror(chunks->file) ? -EIO : BLASTMERGE_CALLBACK_OK;
}

static int on_warning(void *context, const char *message) {
    (void)context;
    fprintf(stderr, "warning: %s\n", message);
    return BLASTMERGE_CALLBACK_OK;
}

int main(int argc, char **argv) {
    struct blastmerge_options options;
    struct blastmerge_job *job = NULL;
    static struct chunks chunks;
    if (argc < 2) {
        fprintf(stderr, "usage: %s CHILD... > RESULT\n", argv[0]);
        return 2;
    }
    chunks.file = fopen(argv[1], "rb");
    if (chunks.file == NULL) {
        perror(argv[1]);
        return 2;
    }

    blastmerge_options_init(&options, sizeof options);
    options.sort = BLASTMERGE_SORT_NONE;
    options.on_warning = on_warning;
    enum blastmerge_status status = blastmerge_create(&job, &options);

    struct blastmerge_reader reader = {.context = &chunks, .next = next_chunk};
    if (status == BLASTMERGE_OK) status = blastmerge_add_reader(job, argv[1], &reader);
    for (int i = 2; i < argc && status == BLASTMERGE_OK; i++) status = blastmerge_add_location(job, argv[i]);

    const void *data = NULL;
    size_t n_bytes = 0;
    do {
        if (status == BLASTMERGE_OK) status = blastmerge_next(job, &data, &n_bytes);
        if (status == BLASTMERGE_OK && fwrite(data, 1, n_bytes, stdout) < n_bytes) status = BLASTMERGE_IO;
    } while (status == BLASTMERGE_OK && n_bytes > 0);
    if (fflush(stdout) != 0 && status == BLASTMERGE_OK) status = BLASTMERGE_IO;

    if (status != BLASTMERGE_OK && job != NULL) fprintf(stderr, "%s\n", blastmerge_error(job)->message);
    if (status == BLASTMERGE_OK)
        fprintf(stderr, "%llu Iterations\n", (unsigned long long)blastmerge_report(job)->n_iterations);
    blastmerge_destroy(job);
    fclose(chunks.file);
    return (int)status;
}
