/* SPDX-License-Identifier: MIT */
/*
 * deflate/deflate.h - RFC 1951 as data: a block's header and codes, read as zlib reads them. Shared by
 * inflate, which decodes blocks, and splice, which writes them again.
 */
#ifndef BM_DEFLATE_H
#define BM_DEFLATE_H

#include "base/base.h"

enum {
    BM_N_LITERAL_LENGTH = 288, /* symbols 0-255 literals, 256 end of block, 257-285 lengths */
    BM_N_DISTANCE = 32,        /* symbols 0-29 */
    BM_END_OF_BLOCK = 256,
    BM_MAX_CODE_LENGTH = 15,
    BM_MIN_MATCH = 3,
    BM_MAX_MATCH = 258,
    BM_MAX_HEADER_BYTES = 576 /* a dynamic block's header takes no more */
};

enum bm_block_type { BM_BLOCK_STORED = 0, BM_BLOCK_FIXED = 1, BM_BLOCK_DYNAMIC = 2 };

struct bm_block_header {
    bool is_final;
    uint8_t type;           /* enum bm_block_type */
    uint16_t stored_length; /* stored blocks: LEN */
    uint32_t n_bits;        /* the whole header, from BFINAL to the first token; for stored blocks with
                               padding, LEN and NLEN */
    uint8_t literal_lengths[BM_N_LITERAL_LENGTH]; /* code length of each literal/length symbol, 0: unused */
    uint8_t distance_lengths[BM_N_DISTANCE];
    uint16_t
        literal_counts[BM_MAX_CODE_LENGTH + 1]; /* number of symbols with a code of each length; [0]: 0 */
    uint16_t distance_counts[BM_MAX_CODE_LENGTH + 1];
};

enum bm_deflate_header_result {
    BM_DEFLATE_HEADER_OK,
    BM_DEFLATE_HEADER_MORE_INPUT,
    BM_DEFLATE_HEADER_INVALID
};

/*
 * Reads the block header at `bit` bits from the start of `data` (n_bytes bytes; no slack is needed).
 * BM_DEFLATE_HEADER_MORE_INPUT: the header may continue beyond the given bytes. BM_DEFLATE_HEADER_INVALID: *reason (static)
 * gives the reason, in a few words. Accepts exactly the headers that zlib accepts:
 *  - HLIT is at most 286, HDIST at most 30;
 *  - codes are complete, except that either code may be one single code of one bit (a block that holds nothing
 *    but its end) and a distance code may be empty;
 *  - the end-of-block symbol has a code;
 *  - a repeat has a length before it and does not run over.
 * Symbols 286, 287 and distances 30, 31, which the fixed codes have, are without meaning: the decoder that
 * meets one in a stream must refuse it.
 */
enum bm_deflate_header_result bm_deflate_read_header(const uint8_t *data, size_t n_bytes, uint64_t bit,
                                                     struct bm_block_header *header, const char **reason);

/* RFC 1951, 3.2.5: base values and extra bits of length symbols 257-285 and distance symbols 0-29. */
extern const uint16_t bm_deflate_length_base[29];
extern const uint8_t bm_deflate_length_extra_bits[29];
extern const uint16_t bm_deflate_distance_base[30];
extern const uint8_t bm_deflate_distance_extra_bits[30];

#endif
