/* SPDX-License-Identifier: MIT */
#include "mark/scan/scan.h"

#include "base/hash.h"

#include <stdio.h>
#include <string.h>

/* --- ways ---------------------------------------------------------------------------------------- */

const char *const bm_mark_ways[] = {"AVX-512", "AVX2", "SSE2", "NEON", "portable", "bytes", NULL};

#if defined(__x86_64__)
static bool has_avx2(void) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
           __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt");
}

static bool has_avx512(void) {
    return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vbmi2");
}
#endif

bool bm_mark_has_way(const char *way) {
#if defined(__x86_64__)
    if (strcmp(way, "AVX-512") == 0) return has_avx512();
    if (strcmp(way, "AVX2") == 0) return has_avx2();
    if (strcmp(way, "SSE2") == 0) return true;
#elif defined(__aarch64__)
    if (strcmp(way, "NEON") == 0) return true;
#endif
    return strcmp(way, "portable") == 0 || strcmp(way, "bytes") == 0;
}

/* --- marks, digests, failures -------------------------------------------------------------------- */

struct bm_mark_entry *bm_mark_add(struct bm_mark *mark, enum bm_mark_kind kind, uint64_t offset) {
    struct bm_mark_list *list = mark->list;
    bm_require(list->n_entries < BM_MARK_LIST);
    struct bm_mark_entry *entry = &list->entries[list->n_entries++];
    memset(entry, 0, sizeof *entry);
    entry->kind = kind;
    entry->offset = offset;
    return entry;
}

const char *bm_mark_show_byte(uint8_t byte, char shown[BM_MARK_SHOWN_BYTE]) {
    static const char digits[] = "0123456789abcdef";
    if (byte > 0x20 && byte < 0x7f) {
        memcpy(shown, "'?'", 4);
        shown[1] = (char)byte;
    } else if (byte == ' ') {
        memcpy(shown, "a blank", 8);
    } else if (byte == '\n' || byte == '\r') {
        memcpy(shown, "a line's end", 13);
    } else {
        memcpy(shown, "the byte 0x??", 14);
        shown[11] = digits[byte >> 4];
        shown[12] = digits[byte & 15];
    }
    return shown;
}

uint64_t bm_mark_n_hits(const struct bm_mark *mark) {
    return mark->counts.n_hits + (mark->scanner->has_rows ? mark->counts.n_hsps : 0);
}

void bm_mark_count_query(struct bm_mark *mark, uint64_t n_hits) {
    struct bm_mark_counts *counts = &mark->counts;
    unsigned class = 0;
    for (uint64_t n = n_hits - counts->n_hits_of_these; n > 0 && class < BM_MARK_CLASSES - 1; n >>= 1)
        class ++;
    counts->by_hits[class]++;
    counts->n_hits_of_these = n_hits;
}

void bm_mark_add_iteration_end(struct bm_mark *mark, uint64_t offset, bool has_length) {
    struct bm_mark_entry *entry = bm_mark_add(mark, BM_MARK_ITERATION_END, offset);
    uint64_t query = bm_mark_digest_end_query(&mark->digest);
    entry->value = has_length ? query : 0;
    entry->end = mark->counts.n_hits << 32 | (uint32_t)mark->counts.n_hsps;
    mark->counts.n_iterations++;
    bm_mark_count_query(mark, bm_mark_n_hits(mark));
}

void bm_mark_begin_digest(struct bm_mark *mark) {
    mark->digest =
        (struct bm_mark_digest){.n_iterations = mark->counts.n_iterations, .n_hits = bm_mark_n_hits(mark)};
}

struct bm_mark_entry *bm_mark_add_document_end(struct bm_mark *mark, uint64_t offset) {
    struct bm_mark_entry *entry = bm_mark_add(mark, BM_MARK_DOCUMENT_END, offset);
    const struct bm_mark_digest *digest = &mark->digest;
    if (digest->is_partial) return entry;
    entry->value = bm_mark_digest_sum(digest, mark->counts.n_iterations - digest->n_iterations);
    entry->flags = BM_MARK_DIGEST;
    if (bm_mark_n_hits(mark) > digest->n_hits) entry->flags |= BM_MARK_HITS;
    if (digest->n_named > 0) entry->flags |= BM_MARK_NAMED;
    return entry;
}

bool bm_mark_fail(struct bm_mark *mark, uint64_t at, const char *format, ...) {
    char message[sizeof mark->failure.message];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    mark->has_failed = true;
    /* The fast path may already have read the name of the row that fails. */
    mark->counts.n_again = mark->counts.again = 0;
    (void)bm_fail_at(&mark->failure, BLASTMERGE_DATA, at, "%s", message);
    return false;
}

static bool has_room(const struct bm_mark *mark) {
    return mark->list->n_entries + BM_MARK_ROOM <= BM_MARK_LIST;
}

bool bm_mark_can_step(const struct bm_mark *mark) {
    return !mark->has_failed && has_room(mark) && !mark->field_is_ready;
}

/* --- fields -------------------------------------------------------------------------------------- */

void bm_mark_field_begin(struct bm_mark *mark, const char *name, size_t n_name) {
    struct bm_mark_field *field = &mark->field;
    bm_require(n_name <= BM_MARK_MAX_NAME);
    memcpy(field->name, name, n_name);
    field->name[n_name] = '\0';
    field->n_value = 0;
    field->is_cut = false;
    field->is_parameter = false;
    field->is_scope = false;
    field->hash =
        bm_fnv1a(BM_FNV1A, field->name, n_name + 1); /* with its NUL, which parts it from the value */
}

void bm_mark_field_add(struct bm_mark *mark, const char *value, size_t n_value) {
    struct bm_mark_field *field = &mark->field;
    size_t n_room = BM_MARK_MAX_VALUE - field->n_value;
    size_t n = n_value < n_room ? n_value : n_room;
    field->hash = bm_fnv1a(field->hash, value, n_value);
    memcpy(field->value + field->n_value, value, n);
    field->n_value += n;
    if (n < n_value) field->is_cut = true;
}

void bm_mark_field_end(struct bm_mark *mark, uint64_t after) {
    mark->field.value[mark->field.n_value] = '\0';
    bm_mark_add(mark, BM_MARK_FIELD, after)->end = after;
    mark->field_is_ready = true;
}

/* --- formats ------------------------------------------------------------------------------------- */

bool bm_mark_settle(struct bm_mark *mark, enum blastmerge_format format, uint64_t at) {
    if (mark->kin.format == BLASTMERGE_FORMAT_AUTO) mark->kin.format = format;
    if (mark->kin.format == format) return true;
    bm_mark_fail(
        mark, at, "it is %s, but %s %s", bm_format_of(format)->title, bm_format_of(mark->kin.format)->title,
        mark->kin.is_given && !mark->kin.is_inferred ? "was expected"
                                                     : "came before: all children must have one format");
    if (!mark->kin.is_given) mark->failure.status = BLASTMERGE_MISMATCH;
    return false;
}

bool bm_mark_begins_with_bom(const struct bm_mark *mark) {
    return bm_measure_bom(mark->sample, mark->n_sample) > 0;
}
