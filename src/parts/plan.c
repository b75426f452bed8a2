/* SPDX-License-Identifier: MIT */
/*
 * The plan's file: a common line, an index, a line for each child.
 *
 * The index has a line of a fixed length for the common line and for each child's: its offset (from the first child's
 * line on) and its CRC-32. So a part reads only what it needs, wherever that lies. The common line ends with the digest:
 * of all other lines, and of itself with zeros in the digest's place.
 */
#include "base/hash.h"
#include "parts/parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INDEX = BM_PARTS_INDEX /* "%016x %08x\n" */, DIGEST = 16 };

#define MISMATCHES "default|error|warn|ignore"

static const char zeros[] = "0000000000000000";
static const char digest_end[] = "\"}\n";

/* A file in the making. */
struct text {
    struct bm_memory *memory;
    char *data;
    size_t n;
    size_t size;
};

static bool add(struct text *text, const char *data, size_t n) {
    if (n > text->size - text->n) {
        size_t wanted = text->size + text->size / 2 + n + 65536;
        char *grown = bm_reallocate(text->memory, text->data, wanted);
        if (grown == NULL) return false;
        text->data = grown;
        text->size = wanted;
    }
    memcpy(text->data + text->n, data, n);
    text->n += n;
    return true;
}

/* Adds an object as a line. */
static bool add_line(struct text *text, json_t *line) {
    char *dumped = line == NULL ? NULL : json_dumps(line, JSON_COMPACT);
    bool is_added = dumped != NULL && add(text, dumped, strlen(dumped)) && add(text, "\n", 1);
    free(dumped);
    json_decref(line);
    return is_added;
}

/* --- writing ------------------------------------------------------------------------------------- */

static json_t *kins_write(struct bm_memory *memory, const struct bm_parts_plan *plan) {
    json_t *array = json_array();
    for (size_t i = 0; i < plan->n_kins; i++)
        json_array_append_new(array,
                              json_pack("{s:o, s:o}", "from", bm_parts_json_number(plan->kins[i].first + 1),
                                        "kin", bm_parts_kin_write(memory, &plan->kins[i].kin)));
    return array;
}

static json_t *database_write(struct bm_memory *memory, const char *database) {
    return database == NULL ? json_null() : bm_parts_json_bytes(memory, database, strlen(database));
}

static json_t *common_write(struct bm_memory *memory, const struct bm_parts_plan *plan) {
    return json_pack(
        "{s:i, s:s, s:i, s:o, s:o, s:o, s:b, s:o, s:o, s:o, s:o, s:o, s:s}", "blastmerge_plan",
        BM_PARTS_FORMAT, "version", blastmerge_version(), "codec", BM_PARTS_CODEC, "options",
        bm_parts_options_write(&plan->options), "mismatch",
        bm_parts_json_word(MISMATCHES, plan->options.mismatch), "database",
        database_write(memory, plan->options.database), "keep_database", plan->options.keep_database != 0,
        "children", bm_parts_json_number(plan->n_children), "total", bm_parts_tally_write(&plan->total),
        "losses", bm_parts_losses_write(&plan->losses), "kins", kins_write(memory, plan), "epilogue",
        plan->has_epilogue ? bm_parts_json_bytes(memory, plan->epilogue, plan->n_epilogue) : json_null(),
        "digest", zeros);
}

static json_t *place_write(struct bm_memory *memory, uint64_t i, const struct bm_parts_place *place) {
    return json_pack("{s:o, s:o, s:o, s:o}", "number", bm_parts_json_number(i + 1), "child",
                     bm_parts_child_write(memory, &place->child), "before",
                     bm_parts_tally_write(&place->before), "tally",
                     bm_parts_tally_write(&place->child.tally));
}

static bool add_index(struct text *text, uint64_t offset, const char *line, size_t n_line) {
    char entry[INDEX + 1];
    snprintf(entry, sizeof entry, "%016" PRIx64 " %08" PRIx32 "\n", offset, bm_crc32(0, line, n_line));
    return add(text, entry, INDEX);
}

static size_t line_length(const char *line, size_t n) {
    const char *end = memchr(line, '\n', n);
    return end == NULL ? n : (size_t)(end - line) + 1;
}

/* The whole file, from its common line and its children's lines. */
static bool put_together(struct text *whole, struct text *common, const struct text *lines,
                         struct bm_parts_plan *plan) {
    char digest[DIGEST + 1];
    plan->digest = bm_fnv1a(bm_fnv1a(BM_FNV1A, common->data, common->n), lines->data, lines->n);
    snprintf(digest, sizeof digest, "%016" PRIx64, plan->digest);
    memcpy(common->data + common->n - strlen(digest_end) - DIGEST, digest, DIGEST);
    bool is_added = add(whole, common->data, common->n) && add_index(whole, 0, common->data, common->n);
    for (size_t at = 0; is_added && at < lines->n;) {
        size_t n = line_length(lines->data + at, lines->n - at);
        is_added = add_index(whole, at, lines->data + at, n);
        at += n;
    }
    return is_added && add(whole, lines->data, lines->n);
}

enum blastmerge_status bm_parts_plan_write(struct bm_parts_plan *plan, const struct bm_parts_place *places,
                                           struct bm_memory *memory, char **text, size_t *n_text,
                                           struct blastmerge_error *error) {
    struct text whole = {.memory = memory};
    struct text common = {.memory = memory};
    struct text lines = {.memory = memory};
    bool is_written = add_line(&common, common_write(memory, plan));
    for (uint64_t i = 0; is_written && i < plan->n_children; i++)
        is_written = add_line(&lines, place_write(memory, i, &places[i]));
    is_written = is_written && put_together(&whole, &common, &lines, plan);
    bm_release(memory, common.data);
    bm_release(memory, lines.data);
    *text = whole.data;
    *n_text = whole.n;
    return is_written ? BLASTMERGE_OK : bm_fail(error, BLASTMERGE_NO_MEMORY, "out of memory");
}

/* --- reading ------------------------------------------------------------------------------------- */

static enum blastmerge_status fail_damaged(struct blastmerge_error *error, const char *what) {
    return bm_fail(error, BLASTMERGE_DATA, "is a damaged plan (%s): make it again", what);
}

static enum blastmerge_status fail_other(struct blastmerge_error *error) {
    return bm_fail(error, BLASTMERGE_DATA,
                   "is not a plan, or is one whose beginning is damaged: make it again");
}

/* A line of the index. */
static bool read_index(const char *entry, uint64_t *offset, uint32_t *crc32) {
    char copy[INDEX + 1];
    char again[INDEX + 1];
    memcpy(copy, entry, INDEX);
    copy[INDEX] = '\0';
    if (sscanf(copy, "%16" SCNx64 " %8" SCNx32, offset, crc32) != 2) return false;
    snprintf(again, sizeof again, "%016" PRIx64 " %08" PRIx32 "\n", *offset, *crc32);
    return strcmp(copy, again) == 0;
}

/* A line with the CRC-32 that the index has, as an object; NULL: it is damaged. */
static json_t *load_line(const char *line, size_t n_line, uint32_t crc32) {
    json_error_t failure;
    if (n_line > BM_PARTS_MAX_LINE || bm_crc32(0, line, n_line) != crc32) return NULL;
    return json_loadb(line, n_line, JSON_REJECT_DUPLICATES, &failure);
}

static bool kins_read(const json_t *array, struct bm_parts_plan *plan) {
    bool is_fine = json_is_array(array) && json_array_size(array) <= BM_PARTS_MAX_KINS;
    for (size_t i = 0; is_fine && i < json_array_size(array); i++) {
        struct bm_parts_object members = bm_parts_json_begin(json_array_get(array, i));
        struct bm_parts_kin *kin = &plan->kins[plan->n_kins++];
        kin->first = bm_parts_json_take_number(&members, "from", BM_PARTS_MAX_CHILDREN) - 1;
        is_fine = bm_parts_kin_read(bm_parts_json_take(&members, "kin"), &kin->kin) &&
                  bm_parts_json_end(&members) && (i == 0 ? kin->first == 0 : kin->first > kin[-1].first);
    }
    return is_fine && plan->n_kins > 0;
}

static const char no_memory[] = "no memory";

static const char *common_read(struct bm_parts_object *members, struct bm_parts_plan *plan,
                               struct bm_pool *pool, struct bm_memory *memory) {
    struct blastmerge_options *options = &plan->options;
    if (!bm_parts_options_read(bm_parts_json_take(members, "options"), options)) return "options";
    options->mismatch = bm_parts_json_take_word(members, "mismatch", MISMATCHES);
    if (json_is_null(json_object_get(members->object, "database")))
        (void)bm_parts_json_take(members, "database");
    else if ((options->database = bm_parts_json_take_string(members, "database", pool, memory)) == NULL)
        return no_memory;
    options->keep_database = bm_parts_json_take_flag(members, "keep_database");
    plan->n_children = bm_parts_json_take_number(members, "children", BM_PARTS_MAX_CHILDREN);
    if (!bm_parts_tally_read(bm_parts_json_take(members, "total"), &plan->total)) return "total";
    if (!bm_parts_losses_read(bm_parts_json_take(members, "losses"), &plan->losses)) return "losses";
    if (!kins_read(bm_parts_json_take(members, "kins"), plan)) return "kins";
    plan->has_epilogue = !json_is_null(json_object_get(members->object, "epilogue"));
    if (plan->has_epilogue) {
        char epilogue[BM_PARTS_MAX_EPILOGUE + 1];
        plan->n_epilogue = bm_parts_json_take_bytes(members, "epilogue", epilogue, sizeof epilogue);
        memcpy(plan->epilogue, epilogue, plan->n_epilogue);
    } else {
        (void)bm_parts_json_take(members, "epilogue");
    }
    plan->digest = bm_parts_json_take_hex(members, "digest", DIGEST);
    return bm_parts_json_end(members) ? NULL : members->wrong != NULL ? members->wrong : "unknown members";
}

static enum blastmerge_status read_common(struct bm_parts_plan *plan, const json_t *line,
                                          struct bm_pool *pool, struct bm_memory *memory,
                                          struct blastmerge_error *error) {
    struct bm_parts_object members = bm_parts_json_begin(line);
    uint64_t format = bm_parts_json_take_number(&members, "blastmerge_plan", INT64_MAX);
    (void)bm_parts_json_take_bytes(&members, "version", plan->version, sizeof plan->version);
    if (members.wrong != NULL || format == 0) return fail_other(error);
    if (format > BM_PARTS_FORMAT)
        return bm_fail(
            error, BLASTMERGE_DATA,
            "is a plan of format %llu, and this blastmerge reads format %d: use the version that made "
            "it",
            (unsigned long long)format, BM_PARTS_FORMAT);
    uint64_t codec = bm_parts_json_take_number(&members, "codec", INT64_MAX);
    if (members.wrong == NULL && codec != BM_PARTS_CODEC)
        return bm_fail(
            error, BLASTMERGE_MISMATCH,
            "was made by blastmerge %.20s, whose fragments are others than those of this version, %s: "
            "use one version for all steps",
            plan->version, blastmerge_version());
    const char *wrong = common_read(&members, plan, pool, memory);
    if (wrong == no_memory) return bm_fail(error, BLASTMERGE_NO_MEMORY, "out of memory");
    return wrong == NULL ? BLASTMERGE_OK : fail_damaged(error, wrong);
}

bool bm_parts_plan_has_begin(const char *text, size_t n_text) {
    const char *end = memchr(text, '\n', n_text);
    return end != NULL && n_text - (size_t)(end + 1 - text) >= INDEX;
}

enum blastmerge_status bm_parts_plan_read(struct bm_parts_plan_file *file, const char *text, size_t n_text,
                                          uint64_t n_bytes, struct bm_pool *pool, struct bm_memory *memory,
                                          struct blastmerge_error *error) {
    static const char begin[] = "{\"blastmerge_plan\":";
    size_t n_common = line_length(text, n_text);
    uint64_t offset = 0;
    uint32_t crc32 = 0;
    *file = (struct bm_parts_plan_file){.text = text, .n_text = n_text, .n_bytes = n_bytes};
    if (n_text < sizeof begin || memcmp(text, begin, sizeof begin - 1) != 0) return fail_other(error);
    if (!bm_parts_plan_has_begin(text, n_text)) return fail_damaged(error, "it is cut short");
    if (!read_index(text + n_common, &offset, &crc32) || offset != 0) return fail_damaged(error, "index");
    json_t *line = load_line(text, n_common, crc32);
    /* A later version may have another index: its line says so nevertheless. */
    if (line == NULL) return fail_damaged(error, "its first line");
    enum blastmerge_status status = read_common(&file->plan, line, pool, memory, error);
    json_decref(line);
    if (status != BLASTMERGE_OK) return status;
    file->lines = n_common + (file->plan.n_children + 1) * INDEX;
    if (file->plan.n_children == 0 || file->lines >= n_bytes) return fail_damaged(error, "it is cut short");
    return BLASTMERGE_OK;
}

bool bm_parts_plan_is_whole(const struct bm_parts_plan_file *file) {
    size_t n_common = line_length(file->text, file->n_text);
    size_t at = n_common - strlen(digest_end) - DIGEST;
    uint64_t digest = bm_fnv1a(BM_FNV1A, file->text, at);
    digest = bm_fnv1a(bm_fnv1a(digest, zeros, DIGEST), digest_end, strlen(digest_end));
    digest = bm_fnv1a(digest, file->text + file->lines, file->n_text - file->lines);
    return digest == file->plan.digest;
}

static bool read_place(const json_t *line, uint64_t i, struct bm_parts_place *place, struct bm_pool *pool,
                       struct bm_memory *memory) {
    struct bm_parts_object members = bm_parts_json_begin(line);
    return bm_parts_json_take_number(&members, "number", BM_PARTS_MAX_CHILDREN) == i + 1 &&
           bm_parts_child_read(bm_parts_json_take(&members, "child"), &place->child, pool, memory) &&
           bm_parts_tally_read(bm_parts_json_take(&members, "before"), &place->before) &&
           bm_parts_tally_read(bm_parts_json_take(&members, "tally"), &place->child.tally) &&
           bm_parts_json_end(&members);
}

uint64_t bm_parts_plan_entry(const struct bm_parts_plan_file *file, uint64_t i) {
    bm_require(i < file->plan.n_children);
    return file->lines - (file->plan.n_children - i) * INDEX;
}

enum blastmerge_status bm_parts_plan_find(const struct bm_parts_plan_file *file, uint64_t i,
                                          const char *entries, uint64_t *offset, size_t *n_line,
                                          struct blastmerge_error *error) {
    uint64_t end = file->n_bytes - file->lines;
    uint32_t crc32 = 0;
    bool is_last = i + 1 == file->plan.n_children;
    bool is_fine =
        read_index(entries, offset, &crc32) && (is_last || read_index(entries + INDEX, &end, &crc32));
    if (!is_fine || end > file->n_bytes - file->lines || *offset >= end || end - *offset > BM_PARTS_MAX_LINE)
        return fail_damaged(error, "index");
    *n_line = (size_t)(end - *offset);
    *offset += file->lines;
    return BLASTMERGE_OK;
}

enum blastmerge_status bm_parts_plan_read_line(uint64_t i, const char *entry, const char *line, size_t n_line,
                                               struct bm_parts_place *place, struct bm_pool *pool,
                                               struct bm_memory *memory, struct blastmerge_error *error) {
    uint64_t offset = 0;
    uint32_t crc32 = 0;
    json_t *object = read_index(entry, &offset, &crc32) ? load_line(line, n_line, crc32) : NULL;
    bool line_is_there = object != NULL;
    place->child.location = "";
    bool is_read = line_is_there && read_place(object, i, place, pool, memory);
    json_decref(object);
    if (!is_read && line_is_there && place->child.location == NULL)
        return bm_fail(error, BLASTMERGE_NO_MEMORY, "out of memory");
    return is_read ? BLASTMERGE_OK : fail_damaged(error, "a child's line");
}

enum blastmerge_status bm_parts_plan_read_place(const struct bm_parts_plan_file *file, uint64_t i,
                                                struct bm_parts_place *place, struct bm_pool *pool,
                                                struct bm_memory *memory, struct blastmerge_error *error) {
    const char *entries = file->text + bm_parts_plan_entry(file, i);
    uint64_t offset = 0;
    size_t n_line = 0;
    bm_require(file->n_text == file->n_bytes);
    enum blastmerge_status status = bm_parts_plan_find(file, i, entries, &offset, &n_line, error);
    if (status != BLASTMERGE_OK) return status;
    return bm_parts_plan_read_line(i, entries, file->text + offset, n_line, place, pool, memory, error);
}

const struct bm_mark_kin *bm_parts_plan_kin(const struct bm_parts_plan *plan, uint64_t i) {
    size_t k = plan->n_kins - 1;
    while (k > 0 && plan->kins[k].first > i) k--;
    return &plan->kins[k].kin;
}
