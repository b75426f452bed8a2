/* SPDX-License-Identifier: MIT */
#include "splice/huffman.h"

#include <string.h>

enum { N_CODE_LENGTH = 19, SYMBOL_BITS = 9, REPEAT = 16, ZEROES = 17, MANY_ZEROES = 18, ITEM_BITS = 5 };

static const uint8_t length_order[N_CODE_LENGTH] = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                                    11, 4,  12, 3, 13, 2, 14, 1, 15};

/* --- lengths ------------------------------------------------------------------------------------- */

/* Used symbols in ascending order of their counts: count << SYMBOL_BITS | symbol. Shell's sort. */
static unsigned sort_symbols(const uint32_t *counts, unsigned n_symbols, uint64_t *sorted) {
    static const unsigned gaps[] = {132, 57, 23, 10, 4, 1};
    unsigned n = 0;
    for (unsigned i = 0; i < n_symbols; i++) {
        if (counts[i] != 0) sorted[n++] = (uint64_t)counts[i] << SYMBOL_BITS | i;
    }
    for (unsigned g = 0; g < sizeof gaps / sizeof gaps[0]; g++) {
        unsigned gap = gaps[g];
        for (unsigned i = gap; i < n; i++) {
            uint64_t item = sorted[i];
            unsigned k = i;
            for (; k >= gap && sorted[k - gap] > item; k -= gap) sorted[k] = sorted[k - gap];
            sorted[k] = item;
        }
    }
    return n;
}

/*
 * Huffman's method with two queues: leaves in ascending order, and inner nodes, which come into being in
 * ascending order. depth_counts[d]: how many leaves lie d deep; deeper than max_length counts as that deep.
 */
static void count_depths(const uint64_t *sorted, unsigned n, unsigned max_length, unsigned *depth_counts) {
    uint64_t weights[BM_N_LITERAL_LENGTH];
    uint16_t parents[2 * BM_N_LITERAL_LENGTH]; /* leaves, then inner nodes from n on */
    uint8_t depths[BM_N_LITERAL_LENGTH];
    unsigned leaf = 0, inner = 0;
    bm_require(n >= 2);
    memset(weights, 0xff, sizeof weights); /* what is not there yet is heavier than all */
    for (unsigned made = 0; made < n - 1; made++) {
        uint64_t weight = 0;
        for (int i = 0; i < 2; i++) {
            bool is_leaf = leaf < n && sorted[leaf] >> SYMBOL_BITS <= weights[inner];
            weight += is_leaf ? sorted[leaf] >> SYMBOL_BITS : weights[inner];
            parents[is_leaf ? leaf++ : n + inner++] = (uint16_t)made;
        }
        weights[made] = weight;
    }
    depths[n - 2] = 0;
    for (unsigned i = n - 2; i-- > 0;) {
        unsigned depth = depths[parents[n + i]] + 1U;
        depths[i] = (uint8_t)(depth < max_length ? depth : max_length);
    }
    memset(depth_counts, 0, (max_length + 1) * sizeof *depth_counts);
    for (unsigned i = 0; i < n; i++) {
        unsigned depth = depths[parents[i]] + 1U;
        depth_counts[depth < max_length ? depth : max_length]++;
    }
}

/* Leaves that were cut short make the code over-subscribed: a leaf goes down where that costs least, until
 * it is not; what is then too much room goes to the leaves that lie deepest. */
static void repair(unsigned *depth_counts, unsigned max_length) {
    int64_t room = (int64_t)1 << max_length;
    for (unsigned d = 1; d <= max_length; d++) room -= (int64_t)depth_counts[d] << (max_length - d);
    while (room < 0) {
        unsigned d = max_length - 1;
        while (depth_counts[d] == 0) d--;
        depth_counts[d]--;
        depth_counts[d + 1]++;
        room += (int64_t)1 << (max_length - d - 1);
    }
    for (unsigned d = max_length; room > 0;) { /* a leaf that goes up takes as much again; the room is a
                                                  multiple of what the deepest takes */
        if (depth_counts[d] == 0) {
            d--;
            continue;
        }
        depth_counts[d]--;
        depth_counts[d - 1]++;
        room -= (int64_t)1 << (max_length - d);
    }
}

void bm_splice_make_lengths(const uint32_t *counts, unsigned n_symbols, unsigned max_length,
                            uint8_t *lengths) {
    uint64_t sorted[BM_N_LITERAL_LENGTH];
    unsigned depth_counts[BM_MAX_CODE_LENGTH + 1];
    unsigned n = sort_symbols(counts, n_symbols, sorted);
    memset(lengths, 0, n_symbols);
    if (n < 2) {
        unsigned used = n == 0 ? 0 : (unsigned)(sorted[0] & ((1U << SYMBOL_BITS) - 1));
        lengths[used] = 1;
        lengths[used == 0 ? 1 : 0] = 1;
        return;
    }
    count_depths(sorted, n, max_length, depth_counts);
    repair(depth_counts, max_length);
    unsigned i = 0;
    for (unsigned d = max_length; d > 0; d--) {
        for (unsigned k = 0; k < depth_counts[d]; k++)
            lengths[sorted[i++] & ((1U << SYMBOL_BITS) - 1)] = (uint8_t)d;
    }
    bm_require(i == n);
}

/* --- words --------------------------------------------------------------------------------------- */

static unsigned reverse(unsigned code, unsigned n_bits) {
    code = (code & 0x5555) << 1 | (code >> 1 & 0x5555);
    code = (code & 0x3333) << 2 | (code >> 2 & 0x3333);
    code = (code & 0x0f0f) << 4 | (code >> 4 & 0x0f0f);
    code = (code & 0x00ff) << 8 | (code >> 8 & 0x00ff);
    return code >> (16 - n_bits);
}

static void make_words(const uint8_t *lengths, unsigned n_symbols, uint16_t *words) {
    unsigned next[BM_MAX_CODE_LENGTH + 2] = {0};
    unsigned counts[BM_MAX_CODE_LENGTH + 1] = {0};
    for (unsigned i = 0; i < n_symbols; i++) counts[lengths[i]]++;
    counts[0] = 0;
    for (unsigned d = 1; d <= BM_MAX_CODE_LENGTH; d++) next[d + 1] = (next[d] + counts[d]) << 1;
    for (unsigned i = 0; i < n_symbols; i++) {
        if (lengths[i] != 0) words[i] = (uint16_t)reverse(next[lengths[i]]++, lengths[i]);
    }
}

void bm_splice_make_words(struct bm_splice_codes *codes) {
    make_words(codes->literal_lengths, BM_N_LITERAL_LENGTH, codes->literal_words);
    make_words(codes->distance_lengths, BM_N_DISTANCE, codes->distance_words);
}

static uint64_t print_form(unsigned bits, unsigned n_bits) {
    return bits | (uint64_t)n_bits << 32;
}

void bm_splice_make_printer(struct bm_splice_printer *printer, const struct bm_splice_codes *codes,
                            bool keeps_long_284) {
    memset(printer->distances, 0, sizeof printer->distances);
    for (unsigned i = 0; i < 256; i++)
        printer->forms[i] = print_form(codes->literal_words[i], codes->literal_lengths[i]);
    for (unsigned form = BM_MIN_MATCH; form <= BM_SPLICE_LONG_284; form++) {
        unsigned length = form == BM_SPLICE_LONG_284 && !keeps_long_284 ? BM_MAX_MATCH : form;
        unsigned symbol = bm_splice_token_length_symbol(length),
                 n_word = codes->literal_lengths[257 + symbol];
        unsigned extra = length == BM_SPLICE_LONG_284 ? 31U : length - bm_deflate_length_base[symbol];
        printer->forms[BM_SPLICE_FORM_MATCH + form] =
            print_form(codes->literal_words[257 + symbol] | extra << n_word,
                       n_word + bm_deflate_length_extra_bits[symbol]);
    }
    for (unsigned i = 0; i < 30; i++) {
        unsigned n_word = codes->distance_lengths[i], n_bits = n_word + bm_deflate_distance_extra_bits[i];
        printer->distances[i] = codes->distance_words[i] | (uint64_t)n_word << 16 | (uint64_t)n_bits << 24 |
                                (uint64_t)bm_deflate_distance_base[i] << 32;
    }
}

/* --- the header ---------------------------------------------------------------------------------- */

static void add_item(struct bm_splice_header *header, unsigned symbol, unsigned extra) {
    header->items[header->n_items++] = (uint16_t)(symbol | extra << ITEM_BITS);
}

/* A run of `count` equal lengths. */
static void add_run(struct bm_splice_header *header, unsigned length, unsigned count) {
    if (length == 0) {
        for (; count >= 11; count -= count < 138 ? count : 138)
            add_item(header, MANY_ZEROES, (count < 138 ? count : 138) - 11);
        if (count >= 3) {
            add_item(header, ZEROES, count - 3);
            count = 0;
        }
    } else {
        add_item(header, length, 0);
        count--;
        while (count >= 3) {
            unsigned n = count < 6 ? count : 6;
            if (count == 7 || count == 8) n = 4; /* so that the rest is a run, too */
            add_item(header, REPEAT, n - 3);
            count -= n;
        }
    }
    for (; count > 0; count--) add_item(header, length, 0);
}

static const uint8_t item_extra_bits[N_CODE_LENGTH] = {[REPEAT] = 2, [ZEROES] = 3, [MANY_ZEROES] = 7};

static void count_bits(struct bm_splice_header *header) {
    uint32_t counts[N_CODE_LENGTH] = {0};
    for (unsigned i = 0; i < header->n_items; i++) counts[header->items[i] & 31]++;
    bm_splice_make_lengths(counts, N_CODE_LENGTH, 7, header->lengths);
    header->n_lengths = N_CODE_LENGTH;
    while (header->n_lengths > 4 && header->lengths[length_order[header->n_lengths - 1]] == 0)
        header->n_lengths--;
    header->n_bits = 3 + 5 + 5 + 4 + 3 * header->n_lengths;
    for (unsigned i = 0; i < N_CODE_LENGTH; i++)
        header->n_bits += counts[i] * ((uint32_t)header->lengths[i] + item_extra_bits[i]);
}

void bm_splice_make_header(struct bm_splice_header *header, const struct bm_splice_codes *codes) {
    uint8_t all[BM_N_LITERAL_LENGTH + BM_N_DISTANCE];
    unsigned n_literals = 286, n_distances = 30;
    while (n_literals > 257 && codes->literal_lengths[n_literals - 1] == 0) n_literals--;
    while (n_distances > 1 && codes->distance_lengths[n_distances - 1] == 0) n_distances--;
    memcpy(all, codes->literal_lengths, n_literals);
    memcpy(all + n_literals, codes->distance_lengths, n_distances);
    header->n_literals = n_literals;
    header->n_distances = n_distances;
    header->n_items = 0;
    unsigned n = n_literals + n_distances;
    for (unsigned i = 0, count; i < n; i += count) {
        for (count = 1; i + count < n && all[i + count] == all[i];) count++;
        add_run(header, all[i], count);
    }
    count_bits(header);
}

void bm_splice_put_header(struct bm_splice_writer *writer, const struct bm_splice_header *header) {
    uint16_t words[N_CODE_LENGTH] = {0};
    make_words(header->lengths, N_CODE_LENGTH, words);
    bm_splice_put(writer, (uint64_t)BM_BLOCK_DYNAMIC << 1, 3);
    bm_splice_put(writer, header->n_literals - 257, 5);
    bm_splice_put(writer, header->n_distances - 1, 5);
    bm_splice_put(writer, header->n_lengths - 4, 4);
    for (unsigned i = 0; i < header->n_lengths; i++)
        bm_splice_put(writer, header->lengths[length_order[i]], 3);
    for (unsigned i = 0; i < header->n_items; i++) {
        unsigned symbol = header->items[i] & 31, extra = header->items[i] >> ITEM_BITS;
        unsigned n_bits = header->lengths[symbol];
        bm_splice_put(writer, words[symbol] | (uint64_t)extra << n_bits, n_bits + item_extra_bits[symbol]);
    }
}
