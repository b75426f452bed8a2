/* SPDX-License-Identifier: MIT */
/* A tally's line: {"blastmerge_tally": 1, ...}, docs/distributed.md has its members. */
#include "cloud/location.h"
#include "parts/parts.h"

#include <stdlib.h>
#include <string.h>

#define LINES "none|open|ended"

/* --- sums ---------------------------------------------------------------------------------------- */

json_t *bm_parts_tally_write(const struct bm_tally *tally) {
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:o}", "documents",
        bm_parts_json_number(tally->n_documents), "iterations", bm_parts_json_number(tally->n_iterations),
        "last_numbers", bm_parts_json_number(tally->last_numbers), "generated_ids",
        bm_parts_json_number(tally->generated_ids), "positions", bm_parts_json_number(tally->positions),
        "counted", bm_parts_json_number(tally->n_counted), "queries", bm_parts_json_number(tally->n_queries),
        "unnamed", tally->has_unnamed, "line", bm_parts_json_word(LINES, tally->line));
}

bool bm_parts_tally_read(const json_t *object, struct bm_tally *tally) {
    struct bm_parts_object members = bm_parts_json_begin(object);
    tally->n_documents = bm_parts_json_take_number(&members, "documents", UINT64_MAX);
    tally->n_iterations = bm_parts_json_take_number(&members, "iterations", UINT64_MAX);
    tally->last_numbers = bm_parts_json_take_number(&members, "last_numbers", UINT64_MAX);
    tally->generated_ids = bm_parts_json_take_number(&members, "generated_ids", UINT64_MAX);
    tally->positions = bm_parts_json_take_number(&members, "positions", UINT64_MAX);
    tally->n_counted = bm_parts_json_take_number(&members, "counted", UINT64_MAX);
    tally->n_queries = bm_parts_json_take_number(&members, "queries", UINT64_MAX);
    tally->has_unnamed = bm_parts_json_take_flag(&members, "unnamed");
    tally->line = bm_parts_json_take_word(&members, "line", LINES);
    return bm_parts_json_end(&members);
}

/* --- what the child has settled ------------------------------------------------------------------ */

json_t *bm_parts_kin_write(struct bm_memory *memory, const struct bm_mark_kin *kin) {
    return json_pack("{s:s, s:b, s:b, s:i, s:o, s:o}", "format", blastmerge_format_name(kin->format),
                     "rows_are_plain", kin->rows_are_plain, "has_table", kin->has_table, "form",
                     (int)kin->form, "columns", bm_parts_json_number(kin->n_columns), "names",
                     bm_parts_json_bytes(memory, kin->names, kin->n_names));
}

bool bm_parts_kin_read(const json_t *object, struct bm_mark_kin *kin) {
    char names[BM_MARK_MAX_NAMES + 1];
    struct bm_parts_object members = bm_parts_json_begin(object);
    *kin = (struct bm_mark_kin){.format = bm_parts_json_take_format(&members, "format")};
    kin->rows_are_plain = bm_parts_json_take_flag(&members, "rows_are_plain");
    kin->has_table = bm_parts_json_take_flag(&members, "has_table");
    kin->form = (uint8_t)bm_parts_json_take_number(&members, "form", 3);
    kin->n_columns = bm_parts_json_take_number(&members, "columns", UINT64_MAX);
    kin->n_names = (uint16_t)bm_parts_json_take_bytes(&members, "names", names, sizeof names);
    memcpy(kin->names, names, kin->n_names);
    return bm_parts_json_end(&members);
}

/* --- the child ----------------------------------------------------------------------------------- */

json_t *bm_parts_child_write(struct bm_memory *memory, const struct bm_parts_child *child) {
    return json_pack("{s:o, s:b, s:o, s:o, s:o, s:o}", "location",
                     bm_parts_json_bytes(memory, child->location, strlen(child->location)), "partial",
                     child->is_partial, "shards", bm_parts_json_number(child->n_shards), "bytes",
                     bm_parts_json_number(child->n_bytes), "text_bytes", bm_parts_json_number(child->n_text),
                     "crc32", bm_parts_json_hex(child->crc32, 8));
}

bool bm_parts_child_read(const json_t *object, struct bm_parts_child *child, struct bm_pool *pool,
                         struct bm_memory *memory) {
    struct bm_parts_object members = bm_parts_json_begin(object);
    child->location = bm_parts_json_take_string(&members, "location", pool, memory);
    child->is_partial = bm_parts_json_take_flag(&members, "partial");
    child->n_shards = bm_parts_json_take_number(&members, "shards", INT64_MAX);
    child->n_bytes = bm_parts_json_take_number(&members, "bytes", INT64_MAX);
    child->n_text = bm_parts_json_take_number(&members, "text_bytes", INT64_MAX);
    child->crc32 = (uint32_t)bm_parts_json_take_hex(&members, "crc32", 8);
    return bm_parts_json_end(&members) && child->location != NULL && child->location[0] != '\0';
}

/* --- headers ------------------------------------------------------------------------------------- */

static json_t *entry_write(struct bm_memory *memory, const char *name, const char *value, uint64_t hash) {
    return json_pack("{s:o, s:o, s:o}", "name", bm_parts_json_bytes(memory, name, strlen(name)), "value",
                     bm_parts_json_bytes(memory, value, strlen(value)), "hash", bm_parts_json_hex(hash, 16));
}

static json_t *header_write(struct bm_memory *memory, const struct bm_number_header *header) {
    if (header == NULL) return json_null();
    json_t *fields = json_array();
    json_t *scope = json_array();
    for (size_t i = 0; i < header->n_fields; i++)
        json_array_append_new(fields, entry_write(memory, header->fields[i].name, header->fields[i].value,
                                                  header->fields[i].hash));
    for (size_t i = 0; i < header->scope.n; i++)
        json_array_append_new(scope,
                              entry_write(memory, header->scope.entries[i].name,
                                          header->scope.entries[i].value, header->scope.entries[i].hash));
    return json_pack("{s:o, s:o, s:b}", "fields", fields, "scope", scope, "scope_is_beyond",
                     header->scope.is_beyond);
}

static bool entry_read(const json_t *object, char *name, size_t name_size, char *value, size_t value_size,
                       uint64_t *hash) {
    struct bm_parts_object members = bm_parts_json_begin(object);
    size_t n_name = bm_parts_json_take_bytes(&members, "name", name, name_size);
    size_t n_value = bm_parts_json_take_bytes(&members, "value", value, value_size);
    *hash = bm_parts_json_take_hex(&members, "hash", 16);
    return bm_parts_json_end(&members) && strlen(name) == n_name && strlen(value) == n_value;
}

static bool header_read(const json_t *object, struct bm_number_header *header) {
    struct bm_parts_object members = bm_parts_json_begin(object);
    const json_t *fields = bm_parts_json_take(&members, "fields");
    const json_t *scope = bm_parts_json_take(&members, "scope");
    bm_number_header_begin(header);
    header->scope.is_beyond = bm_parts_json_take_flag(&members, "scope_is_beyond");
    bool is_fine = bm_parts_json_end(&members) && json_is_array(fields) && json_is_array(scope) &&
                   json_array_size(fields) <= BM_NUMBER_HEADER_FIELDS &&
                   json_array_size(scope) <= BM_SCOPE_MOST;
    for (size_t i = 0; is_fine && i < json_array_size(fields); i++) {
        struct bm_number_header_field *field = &header->fields[header->n_fields++];
        is_fine = entry_read(json_array_get(fields, i), field->name, sizeof field->name, field->value,
                             sizeof field->value, &field->hash);
    }
    for (size_t i = 0; is_fine && i < json_array_size(scope); i++) {
        struct bm_number_scope_entry *entry = &header->scope.entries[header->scope.n++];
        is_fine = entry_read(json_array_get(scope, i), entry->name, sizeof entry->name, entry->value,
                             sizeof entry->value, &entry->hash);
    }
    return is_fine;
}

/* --- counts -------------------------------------------------------------------------------------- */

static json_t *counts_write(const struct bm_mark_counts *counts) {
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:i}", "documents",
                     bm_parts_json_number(counts->n_documents), "iterations",
                     bm_parts_json_number(counts->n_iterations), "hits", bm_parts_json_number(counts->n_hits),
                     "hsps", bm_parts_json_number(counts->n_hsps), "invalid_bytes",
                     bm_parts_json_number(counts->n_invalid_bytes), "forbidden",
                     bm_parts_json_number(counts->n_forbidden), "first_forbidden",
                     bm_parts_json_number(counts->first_forbidden), "line_ends", (int)counts->line_ends);
}

static bool counts_read(const json_t *object, struct bm_mark_counts *counts) {
    struct bm_parts_object members = bm_parts_json_begin(object);
    *counts = (struct bm_mark_counts){0};
    counts->n_documents = bm_parts_json_take_number(&members, "documents", INT64_MAX);
    counts->n_iterations = bm_parts_json_take_number(&members, "iterations", INT64_MAX);
    counts->n_hits = bm_parts_json_take_number(&members, "hits", INT64_MAX);
    counts->n_hsps = bm_parts_json_take_number(&members, "hsps", INT64_MAX);
    counts->n_invalid_bytes = bm_parts_json_take_number(&members, "invalid_bytes", INT64_MAX);
    counts->n_forbidden = bm_parts_json_take_number(&members, "forbidden", INT64_MAX);
    counts->first_forbidden = bm_parts_json_take_number(&members, "first_forbidden", INT64_MAX);
    counts->line_ends = (unsigned)bm_parts_json_take_number(&members, "line_ends", BM_MARK_LF | BM_MARK_CRLF);
    return bm_parts_json_end(&members);
}

static json_t *doubts_write(const struct bm_job_slice_doubts *doubts) {
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "gaps", bm_parts_json_number(doubts->n_gaps),
                     "returns", bm_parts_json_number(doubts->n_returns), "unnumbered",
                     bm_parts_json_number(doubts->n_unnumbered), "odd_ids",
                     bm_parts_json_number(doubts->n_odd_ids), "odd_messages",
                     bm_parts_json_number(doubts->n_odd_messages), "excess",
                     bm_parts_json_number(doubts->n_excess), "bare", bm_parts_json_number(doubts->n_bare));
}

static bool doubts_read(const json_t *object, struct bm_job_slice_doubts *doubts) {
    struct bm_parts_object members = bm_parts_json_begin(object);
    doubts->n_gaps = bm_parts_json_take_number(&members, "gaps", INT64_MAX);
    doubts->n_returns = bm_parts_json_take_number(&members, "returns", INT64_MAX);
    doubts->n_unnumbered = bm_parts_json_take_number(&members, "unnumbered", INT64_MAX);
    doubts->n_odd_ids = bm_parts_json_take_number(&members, "odd_ids", INT64_MAX);
    doubts->n_odd_messages = bm_parts_json_take_number(&members, "odd_messages", INT64_MAX);
    doubts->n_excess = bm_parts_json_take_number(&members, "excess", INT64_MAX);
    doubts->n_bare = bm_parts_json_take_number(&members, "bare", INT64_MAX);
    return bm_parts_json_end(&members);
}

/* --- losses -------------------------------------------------------------------------------------- */

json_t *bm_parts_losses_write(const struct bm_job_losses *losses) {
    return json_pack("{s:o, s:o, s:o, s:o}", "children", bm_parts_json_number(losses->n_children),
                     "stretches", bm_parts_json_number(losses->n_stretches), "superseded",
                     bm_parts_json_number(losses->n_superseded), "unchecked",
                     bm_parts_json_number(losses->n_unchecked));
}

bool bm_parts_losses_read(const json_t *object, struct bm_job_losses *losses) {
    struct bm_parts_object members = bm_parts_json_begin(object);
    losses->n_children = bm_parts_json_take_number(&members, "children", BM_PARTS_MAX_CHILDREN);
    losses->n_stretches = bm_parts_json_take_number(&members, "stretches", INT64_MAX);
    losses->n_superseded = bm_parts_json_take_number(&members, "superseded", INT64_MAX);
    losses->n_unchecked = bm_parts_json_take_number(&members, "unchecked", INT64_MAX);
    return bm_parts_json_end(&members);
}

/* One child's: none, unless it was salvaged. */
static bool own_losses_read(const json_t *object, struct bm_parts_tally *tally) {
    struct bm_job_losses *losses = &tally->losses;
    if (!bm_parts_losses_read(object, losses) || losses->n_children > 1) return false;
    bool has_losses = losses->n_children > 0 || losses->n_stretches > 0 || losses->n_superseded > 0 ||
                      losses->n_unchecked > 0;
    return !has_losses || json_is_true(json_object_get(tally->options, "salvage"));
}

/* --- documents ----------------------------------------------------------------------------------- */

static json_t *documents_write(const struct bm_job_counted *counted) {
    json_t *array = json_array();
    for (size_t i = 0; i < counted->n_documents; i++) {
        const struct bm_job_document *document = &counted->documents[i];
        json_array_append_new(array, json_pack("{s:o, s:o, s:b, s:b}", "queries",
                                               bm_parts_json_hex(document->queries, 16), "text",
                                               bm_parts_json_hex(document->text, 8), "hits",
                                               document->has_hits, "weak", document->is_weak));
    }
    return array;
}

static bool documents_read(const json_t *array, struct bm_parts_tally *tally, struct bm_memory *memory) {
    size_t n = json_array_size(array);
    if (!json_is_array(array)) return false;
    tally->documents = bm_allocate(memory, (n + 1) * sizeof *tally->documents);
    tally->has_no_memory = tally->documents == NULL;
    if (tally->has_no_memory) return false;
    for (size_t i = 0; i < n; i++) {
        struct bm_parts_object members = bm_parts_json_begin(json_array_get(array, i));
        struct bm_job_document *document = &tally->documents[i];
        document->queries = bm_parts_json_take_hex(&members, "queries", 16);
        document->text = (uint32_t)bm_parts_json_take_hex(&members, "text", 8);
        document->has_hits = bm_parts_json_take_flag(&members, "hits");
        document->is_weak = bm_parts_json_take_flag(&members, "weak");
        if (!bm_parts_json_end(&members)) return false;
    }
    tally->counted.documents = tally->documents;
    tally->counted.n_documents = n;
    return true;
}

/* --- expected queries ----------------------------------------------------------------------------- */

static json_t *queries_write(struct bm_memory *memory, const struct bm_job_span *queries) {
    if (queries == NULL) return json_null();
    return json_pack("{s:o, s:o, s:o, s:o}", "count", bm_parts_json_number(queries->n), "hash",
                     bm_parts_json_hex(queries->hash, 16), "first",
                     bm_parts_json_bytes(memory, queries->first, strlen(queries->first)), "last",
                     bm_parts_json_bytes(memory, queries->last, strlen(queries->last)));
}

static bool queries_read(const json_t *object, struct bm_job_span *queries) {
    struct bm_parts_object members = bm_parts_json_begin(object);
    queries->n = bm_parts_json_take_number(&members, "count", INT64_MAX);
    queries->hash = bm_parts_json_take_hex(&members, "hash", 16);
    size_t n_first = bm_parts_json_take_bytes(&members, "first", queries->first, sizeof queries->first);
    size_t n_last = bm_parts_json_take_bytes(&members, "last", queries->last, sizeof queries->last);
    return bm_parts_json_end(&members) && strlen(queries->first) == n_first &&
           strlen(queries->last) == n_last;
}

/* --- the line ------------------------------------------------------------------------------------ */

char *bm_parts_line_write(struct bm_memory *memory, const struct bm_job_counted *counted,
                          const struct blastmerge_options *options) {
    char shown[BM_LOCATION_SHOWN];
    struct bm_parts_child child = {.location = counted->location,
                                   .n_shards = counted->n_shards,
                                   .n_bytes = counted->n_bytes,
                                   .n_text = counted->n_text,
                                   .crc32 = counted->crc32};
    if (bm_cloud_location_is_remote(counted->location)) { /* what may be secret stays here */
        bm_cloud_location_show(counted->location, shown, sizeof shown);
        child.is_partial = strcmp(shown, counted->location) != 0;
        child.location = shown;
    }
    json_t *line = json_pack(
        "{s:i, s:s, s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "blastmerge_tally",
        BM_PARTS_FORMAT, "version", blastmerge_version(), "codec", BM_PARTS_CODEC, "options",
        bm_parts_options_write(options), "child", bm_parts_child_write(memory, &child), "tally",
        bm_parts_tally_write(counted->tally), "kin", bm_parts_kin_write(memory, counted->kin), "header",
        header_write(memory, counted->header), "counts", counts_write(counted->counts), "doubts",
        doubts_write(&counted->doubts), "losses", bm_parts_losses_write(&counted->losses), "documents",
        documents_write(counted), "queries", queries_write(memory, counted->queries), "warnings",
        bm_parts_json_number(counted->n_warnings));
    char *text = line == NULL ? NULL : json_dumps(line, JSON_COMPACT);
    json_decref(line);
    return text;
}

/* The members behind the version, which is known. */
static const char *members_read(struct bm_parts_object *members, struct bm_parts_tally *tally,
                                struct bm_pool *pool, struct bm_memory *memory) {
    const json_t *header = bm_parts_json_take(members, "header");
    const json_t *queries = bm_parts_json_take(members, "queries");
    tally->options = json_deep_copy(bm_parts_json_take(members, "options"));
    tally->has_header = !json_is_null(header);
    tally->has_queries = !json_is_null(queries);
    if (!bm_parts_child_read(bm_parts_json_take(members, "child"), &tally->child, pool, memory)) {
        tally->has_no_memory = tally->child.location == NULL;
        return "child";
    }
    if (!bm_parts_tally_read(bm_parts_json_take(members, "tally"), &tally->child.tally)) return "tally";
    if (!bm_parts_kin_read(bm_parts_json_take(members, "kin"), &tally->kin)) return "kin";
    if (tally->has_header && !header_read(header, &tally->header)) return "header";
    if (!counts_read(bm_parts_json_take(members, "counts"), &tally->counts)) return "counts";
    if (!doubts_read(bm_parts_json_take(members, "doubts"), &tally->counted.doubts)) return "doubts";
    if (!own_losses_read(bm_parts_json_take(members, "losses"), tally)) return "losses";
    if (!documents_read(bm_parts_json_take(members, "documents"), tally, memory)) return "documents";
    if (tally->has_queries && !queries_read(queries, &tally->queries)) return "queries";
    tally->counted.n_warnings = bm_parts_json_take_number(members, "warnings", INT64_MAX);
    return bm_parts_json_end(members) ? NULL : members->wrong != NULL ? members->wrong : "unknown members";
}

static enum blastmerge_status fail_other(struct blastmerge_error *error) {
    return bm_fail(error, BLASTMERGE_DATA, "is not a tally, or is a damaged one: count the child again");
}

static enum blastmerge_status read(struct bm_parts_tally *tally, const json_t *line, struct bm_pool *pool,
                                   struct bm_memory *memory, struct blastmerge_error *error) {
    struct blastmerge_options options;
    struct bm_parts_object members = bm_parts_json_begin(line);
    uint64_t format = bm_parts_json_take_number(&members, "blastmerge_tally", INT64_MAX);
    if (members.wrong != NULL || format == 0) return fail_other(error);
    if (format > BM_PARTS_FORMAT)
        return bm_fail(error, BLASTMERGE_DATA,
                       "is a tally of format %llu, and this blastmerge reads format %d: use the version that "
                       "counted",
                       (unsigned long long)format, BM_PARTS_FORMAT);
    (void)bm_parts_json_take_bytes(&members, "version", tally->version, sizeof tally->version);
    uint64_t codec = bm_parts_json_take_number(&members, "codec", INT64_MAX);
    if (members.wrong == NULL && codec != BM_PARTS_CODEC)
        return bm_fail(
            error, BLASTMERGE_MISMATCH,
            "was counted by blastmerge %.20s, whose fragments are others than those of this version, "
            "%s: count it again",
            tally->version, blastmerge_version());
    const char *wrong = members_read(&members, tally, pool, memory);
    if (tally->has_no_memory) return bm_fail(error, BLASTMERGE_NO_MEMORY, "out of memory");
    if (wrong == NULL && !bm_parts_options_read(tally->options, &options)) wrong = "options";
    if (wrong != NULL)
        return bm_fail(error, BLASTMERGE_DATA, "is a damaged tally (%s): count the child again", wrong);
    return BLASTMERGE_OK;
}

enum blastmerge_status bm_parts_line_read(struct bm_parts_tally *tally, const char *line, size_t n_line,
                                          struct bm_pool *pool, struct bm_memory *memory,
                                          struct blastmerge_error *error) {
    json_error_t failure;
    memset(tally, 0, sizeof *tally);
    if (n_line > BM_PARTS_MAX_LINE)
        return bm_fail(error, BLASTMERGE_DATA, "has a line of more than %d bytes, which is no tally",
                       BM_PARTS_MAX_LINE);
    json_t *object = json_loadb(line, n_line, JSON_REJECT_DUPLICATES, &failure);
    if (object == NULL) return fail_other(error);
    enum blastmerge_status status = read(tally, object, pool, memory, error);
    json_decref(object);
    if (status != BLASTMERGE_OK) return status;
    tally->counted.location = tally->child.location;
    tally->counted.n_shards = tally->child.n_shards;
    tally->counted.n_bytes = tally->child.n_bytes;
    tally->counted.n_text = tally->child.n_text;
    tally->counted.crc32 = tally->child.crc32;
    tally->counted.tally = &tally->child.tally;
    tally->counted.kin = &tally->kin;
    tally->counted.counts = &tally->counts;
    tally->counted.losses = tally->losses;
    tally->counted.queries = tally->has_queries ? &tally->queries : NULL;
    tally->counted.header = tally->has_header ? &tally->header : NULL;
    return BLASTMERGE_OK;
}

void bm_parts_line_close(struct bm_parts_tally *tally, struct bm_memory *memory) {
    json_decref(tally->options);
    bm_release(memory, tally->documents);
    tally->options = NULL;
    tally->documents = NULL;
}
