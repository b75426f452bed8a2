/* SPDX-License-Identifier: MIT */
#include "stitch/stitch.h"

#include <string.h>
#include <zlib.h>

enum { LAST_HEADER = 18 /* bytes of the header of BGZF's last member */ };

/* RFC 1952, 2.3: no name, no time, so that equal input gives equal output; 255: made nowhere in particular. */
void bm_stitch_begin(struct bm_output *output, enum blastmerge_form form) {
    static const uint8_t header[10] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255};
    if (form == BLASTMERGE_FORM_GZIP) bm_output_put(output, header, sizeof header);
}

void bm_stitch_add(struct bm_output *output, uint32_t crc32, uint64_t n_text) {
    output->crc32 = (uint32_t)crc32_combine(output->crc32, crc32, (z_off_t)n_text);
    output->n_text += n_text;
}

static void put_text(struct bm_output *output, const char *text, size_t n_text) {
    bm_output_put(output, text, n_text);
    output->crc32 = bm_crc32(output->crc32, text, n_text);
    output->n_text += n_text;
}

/* A stored block, the final one (RFC 1951, 3.2.4), and the trailer (RFC 1952, 2.3.1). */
static void end_member(struct bm_output *output, const char *text, size_t n_text) {
    const uint8_t header[5] = {1, (uint8_t)n_text, (uint8_t)(n_text >> 8), (uint8_t)~n_text,
                               (uint8_t)(~n_text >> 8)};
    uint8_t trailer[8];
    bm_require(n_text <= UINT16_MAX);
    bm_output_add_start(
        output, (struct bm_output_start){.bit = (uint64_t)output->n_data << 3, .text = output->n_text});
    bm_output_put(output, header, sizeof header);
    put_text(output, text, n_text);
    bm_store32(trailer, output->crc32);
    bm_store32(trailer + 4, (uint32_t)output->n_text);
    bm_output_put(output, trailer, sizeof trailer);
}

void bm_stitch_end(struct bm_output *output, enum blastmerge_form form, const char *text, size_t n_text) {
    /* The empty member that ends BGZF: the SAM specification, 4.1.2. */
    static const uint8_t last_member[] = {0x1f, 0x8b, 8,  4, 0, 0, 0, 0, 0, 255, 6, 0, 'B', 'C',
                                          2,    0,    27, 0, 3, 0, 0, 0, 0, 0,   0, 0, 0,   0};
    switch (form) {
    case BLASTMERGE_FORM_GZIP:
        end_member(output, text, n_text);
        break;
    case BLASTMERGE_FORM_PLAIN:
        put_text(output, text, n_text);
        break;
    default:
        bm_output_add_start(output,
                            (struct bm_output_start){.bit = (uint64_t)(output->n_data + LAST_HEADER) << 3,
                                                     .text = output->n_text,
                                                     .window = last_member});
        bm_output_put(output, last_member, sizeof last_member);
    }
}
