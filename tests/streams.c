/* SPDX-License-Identifier: MIT */
/* Decodes files as children are, whatever their text is: one line for each, "whole BYTES CRC32" ("plain" if nothing compressed it) or
 * "failed REASON". */
#include "decompress_run.h"

#include <inttypes.h>
#include <stdio.h>

static uint8_t *read_file(const char *path, size_t *n_data) {
    FILE *file = fopen(path, "rb");
    decompress_must(file != NULL && fseek(file, 0, SEEK_END) == 0);
    long size = ftell(file);
    decompress_must(size >= 0 && fseek(file, 0, SEEK_SET) == 0);
    *n_data = (size_t)size;
    uint8_t *data = malloc(*n_data + 1);
    decompress_must(data != NULL && fread(data, 1, *n_data, file) == *n_data);
    fclose(file);
    return data;
}

int main(int n_arguments, char **arguments) {
    struct decompress_run *run = decompress_open();
    for (int i = 1; i < n_arguments; i++) {
        size_t n_data = 0;
        uint8_t *data = read_file(arguments[i], &n_data);
        decompress_run(run, data, n_data, 65536, false, SIZE_MAX);
        if (run->is_whole)
            printf("%s %" PRIu64 " %08" PRIx32 "\n", run->is_compressed ? "whole" : "plain", run->n_all,
                   run->crc32);
        else
            printf("failed %s\n", run->error.message);
        free(data);
    }
    decompress_close(run);
    return 0;
}
