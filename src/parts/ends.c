/* SPDX-License-Identifier: MIT */
/*
 * The two ends of a part's file. Each is a record in the extra field of a gzip header (RFC 1952, 2.3.1.1), in a subfield
 * "BM", little end first. So `gzip -t` proves a part, and zcat shows its text.
 *
 *   head: format, kind, digest, number, tally before, CRC-32 of the record
 *   tail: format, kind, digest, number, text's length, fragment's length, text's CRC-32, tally after, whether there is an
 *         epilogue, its length, the epilogue, length of the tail's member, CRC-32 of the record
 *
 * The head's gzip header has one length. The tail's is found from the file's end, where its own length stands.
 */
#include "parts/parts.h"

#include <string.h>

enum {
    GZIP = 12,    /* bytes of a gzip header with the extra field's length */
    SUBFIELD = 4, /* bytes of a subfield's head */
    TALLY = 58,   /* bytes of a tally */
    COMMON = 18,  /* format, kind, digest, number */
    CHECK = 4,    /* the record's CRC-32 */
    EMPTY = 10,   /* an empty deflate stream and its trailer */
    HEAD_RECORD = COMMON + TALLY + CHECK,
    TAIL_FIXED = COMMON + 8 + 8 + 4 + TALLY + 1 + 2 + 2 + CHECK,
    KIND_HEAD = 1,
    KIND_TAIL = 2
};
_Static_assert((int)BM_PARTS_HEAD == GZIP + SUBFIELD + HEAD_RECORD, "the head's length");
_Static_assert((int)BM_PARTS_TAIL == GZIP + SUBFIELD + TAIL_FIXED + BM_PARTS_MAX_EPILOGUE + EMPTY,
               "the longest tail's length");

/* --- writing ------------------------------------------------------------------------------------- */

/* A record in the making. */
struct record {
    uint8_t *bytes;
    size_t n;
};

static void put8(struct record *record, unsigned value) {
    record->bytes[record->n++] = (uint8_t)value;
}

static void put16(struct record *record, unsigned value) {
    put8(record, value);
    put8(record, value >> 8);
}

static void put32(struct record *record, uint32_t value) {
    bm_store32(record->bytes + record->n, value);
    record->n += 4;
}

static void put64(struct record *record, uint64_t value) {
    bm_store64(record->bytes + record->n, value);
    record->n += 8;
}

static void put_tally(struct record *record, const struct bm_tally *tally) {
    put64(record, tally->n_documents);
    put64(record, tally->n_iterations);
    put64(record, tally->last_numbers);
    put64(record, tally->generated_ids);
    put64(record, tally->positions);
    put64(record, tally->n_counted);
    put64(record, tally->n_queries);
    put8(record, tally->has_unnamed);
    put8(record, (unsigned)tally->line);
}

/* A gzip header whose extra field is a record of n bytes; and what the record begins with. */
static struct record begin(uint8_t *bytes, size_t n, unsigned kind, uint64_t digest, uint64_t number) {
    static const uint8_t header[10] = {0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 255};
    struct record record = {bytes, sizeof header};
    memcpy(bytes, header, sizeof header);
    put16(&record, (unsigned)(n + SUBFIELD));
    put8(&record, 'B');
    put8(&record, 'M');
    put16(&record, (unsigned)n);
    put8(&record, BM_PARTS_FORMAT);
    put8(&record, kind);
    put64(&record, digest);
    put64(&record, number);
    return record;
}

static void put_check(struct record *record) {
    put32(record, bm_crc32(0, record->bytes + GZIP + SUBFIELD, record->n - GZIP - SUBFIELD));
}

void bm_parts_head_write(const struct bm_parts_head *head, struct bm_output *output) {
    uint8_t bytes[BM_PARTS_HEAD];
    struct record record = begin(bytes, HEAD_RECORD, KIND_HEAD, head->digest, head->number);
    put_tally(&record, &head->before);
    put_check(&record);
    bm_output_put(output, bytes, record.n);
}

void bm_parts_tail_write(const struct bm_parts_tail *tail, struct bm_output *output) {
    static const uint8_t empty[EMPTY] = {3};
    uint8_t bytes[BM_PARTS_TAIL];
    struct record record =
        begin(bytes, (size_t)TAIL_FIXED + tail->n_epilogue, KIND_TAIL, tail->digest, tail->number);
    put64(&record, tail->n_text);
    put64(&record, tail->n_fragment);
    put32(&record, tail->crc32);
    put_tally(&record, &tail->after);
    put8(&record, tail->has_epilogue);
    put16(&record, tail->n_epilogue);
    memcpy(record.bytes + record.n, tail->epilogue, tail->n_epilogue);
    record.n += tail->n_epilogue;
    put16(&record, (unsigned)(record.n + 2 + CHECK + EMPTY));
    put_check(&record);
    bm_output_put(output, bytes, record.n);
    bm_output_put(output, empty, sizeof empty);
}

/* --- reading ------------------------------------------------------------------------------------- */

static unsigned get8(struct record *record) {
    return record->bytes[record->n++];
}

static unsigned get16(struct record *record) {
    unsigned low = get8(record);
    return low | get8(record) << 8;
}

static uint32_t get32(struct record *record) {
    record->n += 4;
    return bm_load32(record->bytes + record->n - 4);
}

static uint64_t get64(struct record *record) {
    record->n += 8;
    return bm_load64(record->bytes + record->n - 8);
}

static bool get_tally(struct record *record, struct bm_tally *tally) {
    tally->n_documents = get64(record);
    tally->n_iterations = get64(record);
    tally->last_numbers = get64(record);
    tally->generated_ids = get64(record);
    tally->positions = get64(record);
    tally->n_counted = get64(record);
    tally->n_queries = get64(record);
    unsigned has_unnamed = get8(record);
    unsigned line = get8(record);
    tally->has_unnamed = has_unnamed != 0;
    tally->line = (enum bm_tally_line)line;
    return has_unnamed <= 1 && line <= BM_TALLY_LINE_ENDED;
}

/* A reason if the bytes are no gzip header with a record of that kind and length. */
static const char *check(struct record *record, size_t n_record, unsigned kind) {
    static const uint8_t header[10] = {0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 255};
    if (memcmp(record->bytes, header, sizeof header) != 0) return "is not a part of a merge";
    record->n = sizeof header;
    if (get16(record) != n_record + SUBFIELD || get8(record) != 'B' || get8(record) != 'M' ||
        get16(record) != n_record)
        return "is not a part of a merge";
    unsigned format = get8(record);
    if (format > BM_PARTS_FORMAT) return "is a part that a later version of blastmerge wrote";
    if (format != BM_PARTS_FORMAT || get8(record) != kind) return "is damaged";
    const uint8_t *first = record->bytes + GZIP + SUBFIELD;
    if (bm_crc32(0, first, n_record - CHECK) != bm_load32(first + n_record - CHECK)) return "is damaged";
    return NULL;
}

const char *bm_parts_head_read(struct bm_parts_head *head, const uint8_t *bytes, size_t n) {
    uint8_t copy[BM_PARTS_HEAD];
    struct record record = {copy, 0};
    if (n < BM_PARTS_HEAD) return n == 0 ? "is empty" : "is cut short, or not a part of a merge";
    memcpy(copy, bytes, sizeof copy);
    const char *reason = check(&record, HEAD_RECORD, KIND_HEAD);
    if (reason != NULL) return reason;
    head->digest = get64(&record);
    head->number = get64(&record);
    return get_tally(&record, &head->before) ? NULL : "is damaged";
}

const char *bm_parts_tail_read(struct bm_parts_tail *tail, size_t *n_tail, const uint8_t *bytes, size_t n) {
    static const uint8_t empty[EMPTY] = {3};
    static const size_t n_least = GZIP + SUBFIELD + TAIL_FIXED + EMPTY;
    uint8_t copy[BM_PARTS_TAIL];
    struct record record = {copy, 0};
    if (n < n_least || memcmp(bytes + n - EMPTY, empty, EMPTY) != 0) return "is cut short";
    const uint8_t *length = bytes + n - EMPTY - CHECK - 2;
    *n_tail = (size_t)length[0] | (size_t)length[1] << 8;
    if (*n_tail < n_least || *n_tail > BM_PARTS_TAIL || *n_tail > n) return "is cut short";
    memcpy(copy, bytes + n - *n_tail, *n_tail);
    const char *reason = check(&record, *n_tail - GZIP - SUBFIELD - EMPTY, KIND_TAIL);
    if (reason != NULL) return "is damaged, or cut short";
    tail->digest = get64(&record);
    tail->number = get64(&record);
    tail->n_text = get64(&record);
    tail->n_fragment = get64(&record);
    tail->crc32 = get32(&record);
    bool is_fine = get_tally(&record, &tail->after);
    unsigned has_epilogue = get8(&record);
    tail->has_epilogue = has_epilogue == 1;
    tail->n_epilogue = (uint16_t)get16(&record);
    if (!is_fine || has_epilogue > 1 || tail->n_epilogue != *n_tail - n_least) return "is damaged";
    memcpy(tail->epilogue, copy + record.n, tail->n_epilogue);
    return NULL;
}
