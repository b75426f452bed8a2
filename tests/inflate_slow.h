/* SPDX-License-Identifier: MIT */
/*
 * A second decoder of gzip, for tests: bit by bit, as slow and as plain as RFC 1951 and 1952 read, sharing
 * nothing with the first. It says what the text is, whether the data is whole, and where every member, block
 * and token lies.
 */
#ifndef INFLATE_SLOW_H
#define INFLATE_SLOW_H

#include "flow/batch.h"

#define ZLIB_CONST
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* A fuzzer is to explore the decoder, not its judges. */
#if defined(__clang__)
#pragma clang attribute push(__attribute__((no_sanitize("coverage"))), apply_to = function)
#endif

enum slow_verdict { SLOW_WHOLE, SLOW_CUT, SLOW_DAMAGED };

struct slow {
    const uint8_t *data;
    size_t n_data;
    uint64_t bit;
    enum slow_verdict verdict;
    uint8_t *text;
    size_t n_text, text_room;
    size_t member_text;
    struct bm_trace *events; /* BM_TRACE_TOKEN for every token, the end of a block among them */
    size_t n_events, event_room;
};

struct slow_code {
    unsigned n_symbols;
    unsigned counts[16];
    unsigned symbols[288];
};

static void *slow_grow(void *memory, size_t *room, size_t n_used, size_t n_each) {
    if (n_used < *room) return memory;
    *room = n_used * 2 + 1024;
    memory = realloc(memory, *room * n_each);
    if (memory == NULL) abort();
    return memory;
}

static bool slow_stop(struct slow *slow, enum slow_verdict verdict) {
    slow->verdict = verdict;
    return false;
}

static void slow_event(struct slow *slow, uint64_t bit, uint32_t kind, uint32_t n_bits) {
    slow->events = slow_grow(slow->events, &slow->event_room, slow->n_events, sizeof *slow->events);
    slow->events[slow->n_events++] = (struct bm_trace){bit, slow->n_text, kind, n_bits};
}

static void slow_put(struct slow *slow, uint8_t byte) {
    slow->text = slow_grow(slow->text, &slow->text_room, slow->n_text, 1);
    slow->text[slow->n_text++] = byte;
}

static bool slow_bits(struct slow *slow, unsigned n_bits, unsigned *value) {
    *value = 0;
    for (unsigned i = 0; i < n_bits; i++, slow->bit++) {
        if (slow->bit >> 3 >= slow->n_data) return slow_stop(slow, SLOW_CUT);
        *value |= (unsigned)(slow->data[slow->bit >> 3] >> (slow->bit & 7) & 1) << i;
    }
    return true;
}

/* Complete codes are accepted; and, where may_be_sparse, a single code of one bit, or none at all. */
static bool slow_make_code(struct slow *slow, struct slow_code *code, const uint8_t *lengths,
                           unsigned n_lengths, bool may_be_sparse) {
    unsigned space = 0;
    memset(code, 0, sizeof *code);
    for (unsigned length = 1; length < 16; length++) {
        for (unsigned i = 0; i < n_lengths; i++) {
            if (lengths[i] != length) continue;
            code->counts[length]++;
            code->symbols[code->n_symbols++] = i;
            space += 32768U >> length;
        }
    }
    if (space == 32768) return true;
    if (may_be_sparse && code->n_symbols == code->counts[1] && code->n_symbols < 2) return true;
    return slow_stop(slow, SLOW_DAMAGED);
}

static bool slow_symbol(struct slow *slow, const struct slow_code *code, unsigned *symbol) {
    unsigned value = 0, first = 0, n_before = 0, bit;
    for (unsigned length = 1; length < 16; length++) {
        if (!slow_bits(slow, 1, &bit)) return false;
        value = value << 1 | bit;
        first <<= 1;
        if (value - first < code->counts[length]) {
            *symbol = code->symbols[n_before + value - first];
            return true;
        }
        if (code->n_symbols < 2) break; /* zlib needs no more than one bit to see that it means nothing */
        n_before += code->counts[length];
        first += code->counts[length];
    }
    return slow_stop(slow, SLOW_DAMAGED);
}

static bool slow_match(struct slow *slow, unsigned symbol, const struct slow_code *distances) {
    unsigned length, distance, extra;
    symbol -= 257;
    if (symbol >= 29) return slow_stop(slow, SLOW_DAMAGED);
    if (symbol < 8) {
        length = symbol + 3;
    } else if (symbol == 28) {
        length = 258;
    } else {
        unsigned n_extra = symbol / 4 - 1;
        if (!slow_bits(slow, n_extra, &extra)) return false;
        length = ((4 + symbol % 4) << n_extra) + 3 + extra;
    }
    if (!slow_symbol(slow, distances, &symbol)) return false;
    if (symbol >= 30) return slow_stop(slow, SLOW_DAMAGED);
    if (symbol < 4) {
        distance = symbol + 1;
    } else {
        unsigned n_extra = symbol / 2 - 1;
        if (!slow_bits(slow, n_extra, &extra)) return false;
        distance = ((2 + symbol % 2) << n_extra) + 1 + extra;
    }
    if (distance > slow->n_text - slow->member_text) return slow_stop(slow, SLOW_DAMAGED);
    while (length-- > 0) slow_put(slow, slow->text[slow->n_text - distance]);
    return true;
}

static bool slow_tokens(struct slow *slow, const uint8_t *literal, unsigned n_literal,
                        const uint8_t *distance, unsigned n_distance) {
    struct slow_code literals, distances;
    unsigned symbol;
    if (literal[256] == 0) return slow_stop(slow, SLOW_DAMAGED);
    if (!slow_make_code(slow, &literals, literal, n_literal, true)) return false;
    if (!slow_make_code(slow, &distances, distance, n_distance, true)) return false;
    for (;;) {
        uint64_t start = slow->bit;
        slow_event(slow, start, BM_TRACE_TOKEN, 0);
        if (!slow_symbol(slow, &literals, &symbol)) return false;
        if (symbol == 256) {
            slow_event(slow, start, BM_TRACE_END, (uint32_t)(slow->bit - start));
            return true;
        }
        if (symbol < 256) {
            slow_put(slow, (uint8_t)symbol);
        } else if (!slow_match(slow, symbol, &distances)) {
            return false;
        }
    }
}

static bool slow_fixed(struct slow *slow) {
    uint8_t literal[288], distance[32];
    for (unsigned i = 0; i < 288; i++) literal[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
    memset(distance, 5, sizeof distance);
    return slow_tokens(slow, literal, 288, distance, 32);
}

static bool slow_dynamic(struct slow *slow) {
    static const uint8_t order[19] = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
    uint8_t lengths[320] = {0}, code_lengths[19] = {0};
    unsigned hlit, hdist, hclen, value, n = 0;
    struct slow_code code;
    if (!slow_bits(slow, 5, &hlit) || !slow_bits(slow, 5, &hdist) || !slow_bits(slow, 4, &hclen))
        return false;
    if (hlit > 29 || hdist > 29) return slow_stop(slow, SLOW_DAMAGED);
    for (unsigned i = 0; i < hclen + 4; i++) {
        if (!slow_bits(slow, 3, &value)) return false;
        code_lengths[order[i]] = (uint8_t)value;
    }
    if (!slow_make_code(slow, &code, code_lengths, 19, false)) return false;
    while (n < hlit + hdist + 258) {
        unsigned n_times = 1, filler = 0;
        if (!slow_symbol(slow, &code, &value)) return false;
        if (value < 16) filler = value;
        if (value >= 16 && !slow_bits(slow, value == 16 ? 2 : value == 17 ? 3 : 7, &n_times)) return false;
        if (value == 16 && n == 0) return slow_stop(slow, SLOW_DAMAGED);
        if (value == 16) filler = lengths[n - 1];
        if (value >= 16) n_times += value == 18 ? 11 : 3;
        if (n + n_times > hlit + hdist + 258) return slow_stop(slow, SLOW_DAMAGED);
        while (n_times-- > 0) lengths[n++] = (uint8_t)filler;
    }
    return slow_tokens(slow, lengths, hlit + 257, lengths + hlit + 257, hdist + 1);
}

static bool slow_stored(struct slow *slow) {
    unsigned length, complement, byte;
    slow->bit = (slow->bit + 7) / 8 * 8;
    if (!slow_bits(slow, 16, &length) || !slow_bits(slow, 16, &complement)) return false;
    if (length + complement != 65535) return slow_stop(slow, SLOW_DAMAGED);
    while (length-- > 0) {
        slow_event(slow, slow->bit, BM_TRACE_TOKEN, 0);
        if (!slow_bits(slow, 8, &byte)) return false;
        slow_put(slow, (uint8_t)byte);
    }
    slow_event(slow, slow->bit, BM_TRACE_TOKEN, 0);
    slow_event(slow, slow->bit, BM_TRACE_END, 0);
    return true;
}

static bool slow_blocks(struct slow *slow) {
    unsigned is_final, type;
    do {
        uint64_t start = slow->bit;
        if (!slow_bits(slow, 1, &is_final) || !slow_bits(slow, 2, &type)) return false;
        if (type == 3) return slow_stop(slow, SLOW_DAMAGED);
        slow_event(slow, start, BM_TRACE_BLOCK, 0);
        if (!(type == 0 ? slow_stored(slow) : type == 1 ? slow_fixed(slow) : slow_dynamic(slow)))
            return false;
    } while (!is_final);
    slow->bit = (slow->bit + 7) / 8 * 8;
    return true;
}

static uint32_t slow_crc(const uint8_t *data, size_t n_bytes) {
    return (uint32_t)crc32_z(0, data, n_bytes);
}

static bool slow_bytes(struct slow *slow, unsigned n_bytes, uint32_t *value) {
    unsigned byte;
    *value = 0;
    for (unsigned i = 0; i < n_bytes; i++) {
        if (!slow_bits(slow, 8, &byte)) return false;
        if (i < 4) *value |= (uint32_t)byte << 8 * i;
    }
    return true;
}

static bool slow_member_header(struct slow *slow) {
    size_t start = (size_t)(slow->bit >> 3);
    uint32_t magic, method, flags, value;
    if (!slow_bytes(slow, 1, &magic)) return false;
    if (magic != 0x1f) return slow_stop(slow, SLOW_DAMAGED);
    if (!slow_bytes(slow, 1, &magic)) return false;
    if (magic != 0x8b) return slow_stop(slow, SLOW_DAMAGED);
    if (!slow_bytes(slow, 1, &method) || !slow_bytes(slow, 1, &flags) || !slow_bytes(slow, 6, &value))
        return false;
    if (method != 8 || flags > 31) return slow_stop(slow, SLOW_DAMAGED);
    if (flags & 4) {
        uint32_t n_extra;
        if (!slow_bytes(slow, 2, &n_extra) || !slow_bytes(slow, n_extra, &value)) return false;
    }
    for (unsigned flag = 8; flag <= 16; flag *= 2) {
        value = flags & flag ? 1 : 0;
        while (value != 0) {
            if (!slow_bytes(slow, 1, &value)) return false;
        }
    }
    if (flags & 2) {
        uint32_t crc = slow_crc(slow->data + start, (size_t)(slow->bit >> 3) - start) & 0xffff;
        if (!slow_bytes(slow, 2, &value)) return false;
        if (value != crc) return slow_stop(slow, SLOW_DAMAGED);
    }
    slow->member_text = slow->n_text;
    slow_event(slow, slow->bit, BM_TRACE_MEMBER, 0);
    return true;
}

static bool slow_member(struct slow *slow) {
    uint32_t crc, length;
    if (!slow_member_header(slow) || !slow_blocks(slow)) return false;
    if (!slow_bytes(slow, 4, &crc) || !slow_bytes(slow, 4, &length)) return false;
    size_t n_text = slow->n_text - slow->member_text;
    if (crc != slow_crc(slow->text + slow->member_text, n_text) || length != (uint32_t)n_text) {
        return slow_stop(slow, SLOW_DAMAGED);
    }
    return true;
}

/* Decodes everything. data must be gzip (begin with 1f 8b). slow begins as zeros, can be used again, and is
 * given to slow_close() in the end. */
static void slow_decode(struct slow *slow, const uint8_t *data, size_t n_data) {
    slow->data = data;
    slow->n_data = n_data;
    slow->bit = 0;
    slow->verdict = SLOW_WHOLE;
    slow->n_text = slow->member_text = slow->n_events = 0;
    slow->text = slow_grow(slow->text, &slow->text_room, 0, 1);
    while (slow->bit >> 3 < n_data) {
        if (!slow_member(slow)) return;
        while (slow->bit >> 3 < n_data && data[slow->bit >> 3] == 0) slow->bit += 8;
    }
}

static void slow_close(struct slow *slow) {
    free(slow->text);
    free(slow->events);
}

#if defined(__clang__)
#pragma clang attribute pop
#endif

#endif
