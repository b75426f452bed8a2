/* SPDX-License-Identifier: MIT */
/*
 * Objects and arrays -> marks. BLAST's document, and the marks that come from it:
 *
 *     {"BlastOutput2": [                                     BM_MARK_ITERATIONS
 *       {"report": {"program": .., "version": ..,            BM_MARK_ITERATION, fields
 *          "search_target": {"db": ..}, "params": {..},
 *          "results": {                                      BM_MARK_HEADER
 *             "search": {"query_id": .., "hits": [{.., "hsps": [{..}, ..]}, ..], ..}     blastp and most
 *             "iterations": [{"iter_num": 1, "search": {..}}, ..]                        psiblast
 *             "bl2seq": [{..}, ..]                                                       with -subject
 *          }}},
 *       ..
 *     ]}
 *
 * Names are compared as they are written: BLAST has no escapes in them.
 */
#include "mark/json/json.h"

#include <string.h>

/* --- names ----------------------------------------------------------------------------------- */

void bm_mark_json_name_begin(struct bm_mark_json *json) {
    json->n_name = 0;
}

void bm_mark_json_name_add(struct bm_mark_json *json, const uint8_t *bytes, size_t n_bytes) {
    if (n_bytes > BM_JSON_MAX_NAME - json->n_name || json->n_name > BM_JSON_MAX_NAME) {
        json->n_name = BM_JSON_MAX_NAME + 1;
        return;
    }
    memcpy(json->name + json->n_name, bytes, n_bytes);
    json->n_name += n_bytes;
}

static bool is_name(const uint8_t *name, size_t n_name, const char *other) {
    return strlen(other) == n_name && memcmp(name, other, n_name) == 0;
}

/* --- what a member or an element is ---------------------------------------------------------- */

static const struct {
    uint8_t parent;
    uint8_t place;
    const char *name;
} members[] = {
    {BM_PLACE_ROOT, BM_PLACE_ITEMS, "BlastOutput2"},
    {BM_PLACE_ITEM, BM_PLACE_REPORT, "report"},
    {BM_PLACE_REPORT, BM_PLACE_RESULTS, "results"},
    {BM_PLACE_REPORT, BM_PLACE_TARGET, "search_target"},
    {BM_PLACE_REPORT, BM_PLACE_PARAMETERS, "params"},
    {BM_PLACE_RESULTS, BM_PLACE_SEARCH, "search"},
    {BM_PLACE_RESULTS, BM_PLACE_ROUNDS, "iterations"},
    {BM_PLACE_RESULTS, BM_PLACE_SEARCHES, "bl2seq"},
    {BM_PLACE_ROUND, BM_PLACE_SEARCH, "search"},
    {BM_PLACE_SEARCH, BM_PLACE_HITS, "hits"},
    {BM_PLACE_HIT, BM_PLACE_HSPS, "hsps"},
};

/* Of each array, what the objects in it are. */
static const uint8_t elements[BM_N_PLACES] = {
    [BM_PLACE_ITEMS] = BM_PLACE_ITEM,      [BM_PLACE_ROUNDS] = BM_PLACE_ROUND,
    [BM_PLACE_SEARCHES] = BM_PLACE_SEARCH, [BM_PLACE_HITS] = BM_PLACE_HIT,
    [BM_PLACE_HSPS] = BM_PLACE_HSP,
};

static enum bm_mark_json_place here(const struct bm_mark_json *json) {
    return json->depth == 0 ? BM_PLACE_ARRAY : (enum bm_mark_json_place)json->places[json->depth - 1];
}

static enum bm_mark_json_place find_place(const struct bm_mark_json *json, const uint8_t *name, size_t n_name,
                                          bool is_array) {
    enum bm_mark_json_place parent = here(json);
    enum bm_mark_json_place plain = is_array ? BM_PLACE_ARRAY : BM_PLACE_OBJECT;
    if (json->depth == 0) return BM_PLACE_ROOT;
    if (bm_mark_json_is_array(parent)) return is_array ? plain : (enum bm_mark_json_place)elements[parent];
    if (parent == BM_PLACE_OBJECT) return plain;
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        enum bm_mark_json_place place = (enum bm_mark_json_place)members[i].place;
        if (members[i].parent != parent || bm_mark_json_is_array(place) != is_array) continue;
        if (is_name(name, n_name, members[i].name)) return place;
    }
    return plain;
}

/* --- what must hold -------------------------------------------------------------------------- */

/* A value of the root, in which only "BlastOutput2" means something. */
static bool check_root_value(struct bm_mark_json *json, const uint8_t *name, size_t n_name, char first,
                             uint64_t at) {
    if (is_name(name, n_name, "BlastJSON")) {
        return bm_mark_fail(&json->mark, at,
                            "this is the master file of -outfmt 13, whose reports are in other files, which "
                            "is not merged; search with -outfmt 15, which writes them all into one file");
    }
    if (is_name(name, n_name, "Seq_annot")) {
        return bm_mark_fail(&json->mark, at,
                            "this is BLAST's JSON of alignments (-outfmt 12), which is not merged; search "
                            "with -outfmt 15, which can be merged");
    }
    if (!is_name(name, n_name, "BlastOutput2") || first == '[') return true;
    return bm_mark_fail(&json->mark, at, "\"BlastOutput2\" is not an array%s",
                        first != '{'
                            ? ""
                            : ": this is one query's report of -outfmt 13, which is not merged; search "
                              "with -outfmt 15, which writes the same into one file");
}

static bool check_value(struct bm_mark_json *json, const uint8_t *name, size_t n_name, char first,
                        uint64_t at) {
    if (here(json) == BM_PLACE_ROOT) return check_root_value(json, name, n_name, first, at);
    if (here(json) != BM_PLACE_ITEMS || first == '{') return true;
    return bm_mark_fail(&json->mark, at,
                        "\"BlastOutput2\" holds a value that is not an object, but a report was expected");
}

/* What there can be only one of, or it would not be known which of them counts. */
static bool check_once(struct bm_mark_json *json, enum bm_mark_json_place place, uint64_t at) {
    if (place == BM_PLACE_ITEMS && json->items_seen)
        return bm_mark_fail(&json->mark, at, "the document has a second \"BlastOutput2\"");
    if (place == BM_PLACE_REPORT && json->report_seen)
        return bm_mark_fail(&json->mark, at, "an element of \"BlastOutput2\" has a second \"report\"");
    if (place == BM_PLACE_RESULTS && json->results_seen)
        return bm_mark_fail(&json->mark, at, "a report has a second \"results\"");
    return true;
}

static bool check_close(struct bm_mark_json *json, enum bm_mark_json_place place, uint64_t at) {
    if (place == BM_PLACE_ROOT && !json->items_seen)
        return bm_mark_fail(&json->mark, at,
                            "the document ends without \"BlastOutput2\": this is not BLAST's JSON");
    if (place == BM_PLACE_ITEM && !json->report_seen)
        return bm_mark_fail(&json->mark, at, "an element of \"BlastOutput2\" ends without a \"report\"");
    if (place == BM_PLACE_REPORT && !json->results_seen)
        return bm_mark_fail(&json->mark, at, "a report ends without \"results\"");
    return true;
}

/* --- documents ------------------------------------------------------------------------------- */

void bm_mark_json_end_document(struct bm_mark_json *json, uint64_t at) {
    if (!json->document_is_open) return;
    bm_mark_add_document_end(&json->mark, at);
    json->document_is_open = false;
}

static bool begin_document(struct bm_mark_json *json, uint64_t at) {
    if (!bm_mark_settle(&json->mark, BLASTMERGE_FORMAT_JSON, at)) return false;
    bm_mark_json_end_document(json, at);
    bm_mark_add(&json->mark, BM_MARK_DOCUMENT, at)->flags = BM_MARK_BARE;
    json->mark.counts.n_documents++;
    bm_mark_begin_digest(&json->mark);
    json->document_is_open = true;
    json->items_seen = false;
    json->header_is_told = false;
    return true;
}

/* --- objects and arrays ---------------------------------------------------------------------- */

static void begin_item(struct bm_mark_json *json, uint64_t at) {
    if (!json->header_is_told) bm_mark_add(&json->mark, BM_MARK_BODY, at); /* it is the first one */
    bm_mark_add(&json->mark, BM_MARK_ITERATION, at);
    json->mark.digest.is_wanted = true;
    json->header_is_open = !json->header_is_told;
    json->report_seen = false;
}

static void begin_results(struct bm_mark_json *json, uint64_t at) {
    json->results_seen = true;
    if (!json->header_is_open) return;
    json->header_is_open = false;
    json->header_is_told = true;
    bm_mark_add(&json->mark, BM_MARK_HEADER, at + 1);
}

static bool begin_place(struct bm_mark_json *json, enum bm_mark_json_place place, uint64_t at) {
    switch (place) {
    case BM_PLACE_ROOT:
        return begin_document(json, at);
    case BM_PLACE_ITEMS:
        bm_mark_add(&json->mark, BM_MARK_ITERATIONS, at + 1)->value = BLASTMERGE_FORMAT_JSON;
        json->items_seen = true;
        return true;
    case BM_PLACE_ITEM:
        begin_item(json, at);
        return true;
    case BM_PLACE_REPORT:
        json->report_seen = true;
        json->results_seen = false;
        return true;
    case BM_PLACE_RESULTS:
        begin_results(json, at);
        return true;
    case BM_PLACE_HIT:
        json->mark.counts.n_hits++;
        return true;
    case BM_PLACE_HSP:
        json->mark.counts.n_hsps++;
        return true;
    default:
        return true;
    }
}

bool bm_mark_json_open(struct bm_mark_json *json, const uint8_t *name, size_t n_name, bool is_array,
                       uint64_t at) {
    enum bm_mark_json_place place = find_place(json, name, n_name, is_array);
    if (!check_value(json, name, n_name, is_array ? '[' : '{', at) || !check_once(json, place, at))
        return false;
    if (json->depth == BM_JSON_MAX_DEPTH)
        return bm_mark_fail(&json->mark, at, "objects and arrays are nested deeper than %d",
                            BM_JSON_MAX_DEPTH);
    json->places[json->depth++] = (uint8_t)place;
    json->state = is_array ? BM_JSON_FIRST_VALUE : BM_JSON_FIRST_NAME;
    return begin_place(json, place, at);
}

bool bm_mark_json_close(struct bm_mark_json *json, bool is_array, uint64_t at) {
    enum bm_mark_json_place place = here(json);
    if (bm_mark_json_is_array(place) != is_array) {
        return bm_mark_fail(&json->mark, at, "the %s here does not match the open %s",
                            is_array ? "']'" : "'}'", is_array ? "'{'" : "'['");
    }
    if (!check_close(json, place, at)) return false;
    json->depth--;
    json->state = json->depth == 0 ? BM_JSON_OUTSIDE : BM_JSON_NEXT;
    if (place == BM_PLACE_ITEM) {
        bm_mark_add_iteration_end(&json->mark, at + 1, true);
    } else if (place == BM_PLACE_ITEMS) {
        bm_mark_add(&json->mark, BM_MARK_ITERATIONS_END, at)->end = at;
    }
    return true;
}

/* --- a query's id and message ---------------------------------------------------------------- */

static void end_part(struct bm_mark_json *json) {
    if (json->mark.digest.part == BM_DIGEST_LENGTH)
        json->mark.digest.is_wanted = false; /* BLAST writes it last */
    bm_mark_digest_end_part(&json->mark.digest);
}

static void end_content(struct bm_mark_json *json, uint64_t end, uint32_t flags) {
    if (!json->content.is_held) return;
    json->content.is_held = false;
    struct bm_mark_entry *entry =
        bm_mark_add(&json->mark, (enum bm_mark_kind)json->content.kind, json->content.at);
    entry->end = end;
    entry->flags = flags;
}

void bm_mark_json_cut_content(struct bm_mark_json *json, uint64_t end) {
    end_content(json, end, BM_MARK_CUT);
}

/* --- strings, numbers, words ----------------------------------------------------------------- */

static void begin_content(struct bm_mark_json *json, enum bm_mark_kind kind, uint64_t after) {
    json->content.is_held = true;
    json->content.kind = (uint8_t)kind;
    json->content.at = after;
}

/* A value that says something of a search's query. */
static void begin_part(struct bm_mark_json *json, bool is_string, uint64_t at) {
    enum bm_mark_digest_part part = bm_mark_json_find_part((const uint8_t *)json->name, json->n_name);
    if (json->mark.tells_queries && is_string && part == BM_DIGEST_ID)
        begin_content(json, BM_MARK_QUERY_ID, at + 1);
    if (json->mark.tells_queries && is_string && part == BM_DIGEST_MESSAGE)
        begin_content(json, BM_MARK_MESSAGE, at + 1);
    if (json->mark.digest.is_wanted && part != BM_DIGEST_MESSAGE)
        bm_mark_digest_begin_part(&json->mark.digest, part);
}

static bool is_field(const struct bm_mark_json *json) {
    enum bm_mark_json_place place = here(json);
    bool is_header = place == BM_PLACE_REPORT || place == BM_PLACE_TARGET || place == BM_PLACE_PARAMETERS;
    return json->header_is_open && is_header && json->n_name <= BM_JSON_MAX_NAME;
}

bool bm_mark_json_begin_scalar(struct bm_mark_json *json, uint8_t first, uint64_t at) {
    if (!check_value(json, (const uint8_t *)json->name, json->n_name, 0, at)) return false;
    if (here(json) == BM_PLACE_SEARCH) begin_part(json, first == '"', at);
    if (!is_field(json)) return true;
    bm_mark_field_begin(&json->mark, json->name, json->n_name);
    json->mark.field.is_parameter = here(json) == BM_PLACE_PARAMETERS;
    json->field_is_open = true;
    return true;
}

void bm_mark_json_end_scalar(struct bm_mark_json *json, uint64_t after) {
    json->state = BM_JSON_NEXT;
    end_content(json, after - 1, 0);
    end_part(json);
    if (json->field_is_open) bm_mark_field_end(&json->mark, after);
    json->field_is_open = false;
}
