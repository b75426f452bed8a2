/* SPDX-License-Identifier: MIT */
/*
 * Elements -> marks. A block's place follows from the place that it stands in and the words of its element; what
 * is in no place of these tables means nothing, and is only checked by the judge.
 *
 * Ids of queries stand in a request's queries, its masks, the results' alignments, their masks, and a matrix. In
 * an alignment the first of its sequences is the query. The others are subjects, which can have ids of the same
 * form, and stay.
 */
#include "mark/archive/archive.h"

#include <string.h>

/* --- places -------------------------------------------------------------------------------------- */

static const struct member {
    uint8_t parent;
    uint8_t place;
    bool is_once;
    const char *words;
} members[] = {
    {BM_IN_ROOT, BM_IN_REQUEST, true, "request"},
    {BM_IN_ROOT, BM_IN_RESULTS, true, "results"},
    {BM_IN_ROOT, BM_IN_MESSAGES, true, "messages"},
    {BM_IN_REQUEST, BM_IN_SEARCH, true, "body queue-search"},
    {BM_IN_SEARCH, BM_IN_QUERY_SET, true, "queries bioseq-set"},
    {BM_IN_SEARCH, BM_IN_QUERY_LOCATIONS, true, "queries seq-loc-list"},
    {BM_IN_SEARCH, BM_IN_QUERY_PSSM, true, "queries pssm"},
    {BM_IN_SEARCH, BM_IN_SUBJECTS, true, "subject sequences"},
    {BM_IN_SEARCH, BM_IN_OPTIONS, false, "algorithm-options"},
    {BM_IN_SEARCH, BM_IN_OPTIONS, false, "program-options"},
    {BM_IN_QUERY_SET, BM_IN_QUERIES, true, "seq-set"},
    {BM_IN_QUERY_PSSM, BM_IN_PSSM, true, "pssm"},
    {BM_IN_PSSM, BM_IN_QUERY, true, "query seq"},
    {BM_IN_QUERIES, BM_IN_QUERY, false, "seq"},
    {BM_IN_QUERY, BM_IN_QUERY_IDS, true, "id"},
    {BM_IN_QUERY, BM_IN_QUERY_DESCRIPTION, true, "descr"},
    {BM_IN_QUERY, BM_IN_QUERY_INSTANCE, true, "inst"},
    {BM_IN_OPTIONS, BM_IN_OPTION, false, ""},
    {BM_IN_OPTION, BM_IN_MASK, false, "value query-mask"},
    {BM_IN_RESULTS, BM_IN_ALIGNMENTS, true, "alignments"},
    {BM_IN_RESULTS, BM_IN_MASKS, true, "masks"},
    {BM_IN_RESULTS, BM_IN_RESULT_PSSM, true, "pssm"},
    {BM_IN_ALIGNMENTS, BM_IN_ALIGNMENT, false, ""},
    {BM_IN_ALIGNMENT, BM_IN_SCORES, false, "score"},
    {BM_IN_ALIGNMENT, BM_IN_SEGMENT, false, "segs denseg"},
    {BM_IN_ALIGNMENT, BM_IN_SEGMENTS, false, "segs std"},
    {BM_IN_ALIGNMENT, BM_IN_SEGMENTS, false, "segs dendiag"},
    {BM_IN_ALIGNMENT, BM_IN_ALIGNMENTS, false, "segs disc"},
    {BM_IN_SEGMENTS, BM_IN_SEGMENT, false, ""},
    {BM_IN_SEGMENT, BM_IN_SCORES, false, "scores"},
    {BM_IN_SEGMENT, BM_IN_SEGMENT_IDS, false, "ids"},
    {BM_IN_SEGMENT, BM_IN_SEGMENT_LOCATIONS, false, "loc"},
    {BM_IN_SEGMENT_LOCATIONS, BM_IN_LOCATION, false, "int"},
    {BM_IN_MASKS, BM_IN_MASK, false, ""},
    {BM_IN_MASK, BM_IN_LOCATIONS, false, "locations"},
    {BM_IN_LOCATIONS, BM_IN_LOCATIONS, false, "mix"},
    {BM_IN_LOCATIONS, BM_IN_INTERVALS, false, "packed-int"},
    {BM_IN_LOCATIONS, BM_IN_LOCATION, false, "packed-pnt"},
    {BM_IN_LOCATIONS, BM_IN_LOCATION, false, "pnt"},
    {BM_IN_LOCATIONS, BM_IN_LOCATION, false, "int"},
    {BM_IN_INTERVALS, BM_IN_LOCATION, false, ""},
    {BM_IN_QUERY_LOCATIONS, BM_IN_QUERY_LOCATION, false, "int"},
    {BM_IN_RESULT_PSSM, BM_IN_RESULT_MATRIX, false, "pssm"},
    {BM_IN_RESULT_MATRIX, BM_IN_RESULT_QUERY, false, "query seq"},
    {BM_IN_RESULT_QUERY, BM_IN_RESULT_QUERY_IDS, false, "id"},
};

static bool has_words(const struct bm_mark_archive *archive, const char *words) {
    size_t n_words = strlen(words);
    return archive->n_words == n_words && memcmp(archive->words, words, n_words) == 0;
}

static enum bm_mark_archive_place here(const struct bm_mark_archive *archive) {
    return archive->depth == 0 ? BM_IN_PLAIN
                               : (enum bm_mark_archive_place)archive->places[archive->depth - 1];
}

/* Of a block that opens. */
static const struct member *find_member(const struct bm_mark_archive *archive) {
    enum bm_mark_archive_place parent = here(archive);
    if (parent == BM_IN_PLAIN) return NULL;
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        if (members[i].parent == parent && has_words(archive, members[i].words)) return &members[i];
    return NULL;
}

/* Whether the current element is the first one of its block. */
static bool is_first(const struct bm_mark_archive *archive) {
    return archive->n_elements[archive->depth - 1] == 1;
}

/* The subjects' parts of an alignment are no query's. */
static bool is_of_subject(const struct bm_mark_archive *archive) {
    enum bm_mark_archive_place place = here(archive);
    return (place == BM_IN_SEGMENT_IDS || place == BM_IN_SEGMENT_LOCATIONS) && !is_first(archive);
}

/* --- what must hold ------------------------------------------------------------------------------ */

static bool was_seen(const struct bm_mark_archive *archive, enum bm_mark_archive_place place) {
    return (archive->seen >> place & 1) != 0;
}

/* So that it can be seen again in another block. */
static void forget(struct bm_mark_archive *archive, enum bm_mark_archive_place parent) {
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        if (members[i].parent == parent && members[i].is_once) archive->seen &= ~(1ull << members[i].place);
}

/* The root's elements are the archive's outline. */
static bool check_root(struct bm_mark_archive *archive, const struct member *member, uint64_t at) {
    bool has_request = was_seen(archive, BM_IN_REQUEST), has_results = was_seen(archive, BM_IN_RESULTS);
    const char *expected = !has_request                         ? "\"request {\""
                           : !has_results                       ? "\"results {\""
                           : !was_seen(archive, BM_IN_MESSAGES) ? "\"messages {\" or the archive's '}'"
                                                                : "the archive's '}'";
    enum bm_mark_archive_place place =
        member == NULL ? BM_IN_PLAIN : (enum bm_mark_archive_place)member->place;
    bool is_next = (place == BM_IN_REQUEST && !has_request) ||
                   (place == BM_IN_RESULTS && has_request && !has_results) ||
                   (place == BM_IN_MESSAGES && has_results && !was_seen(archive, BM_IN_MESSAGES));
    return is_next || bm_mark_fail(&archive->mark, at, "%s was expected before here", expected);
}

static bool is_queries(enum bm_mark_archive_place place) {
    return place == BM_IN_QUERY_SET || place == BM_IN_QUERY_LOCATIONS || place == BM_IN_QUERY_PSSM;
}

static bool has_queries(const struct bm_mark_archive *archive) {
    return was_seen(archive, BM_IN_QUERY_SET) || was_seen(archive, BM_IN_QUERY_LOCATIONS) ||
           was_seen(archive, BM_IN_QUERY_PSSM);
}

/* If a search fails, BLAST writes an archive of its message. */
static bool fail_request(struct bm_mark_archive *archive, uint64_t at) {
    int n = archive->n_words > BM_ARCHIVE_MAX_WORDS ? BM_ARCHIVE_MAX_WORDS : archive->n_words;
    return bm_mark_fail(
        &archive->mark, at,
        "the request is \"%.*s\", but \"body queue-search\" was expected: it is none of a search%s", n,
        archive->words,
        has_words(archive, "body get-request-info")
            ? "; BLAST writes such an archive, with its message, if it fails: repeat the search"
            : "");
}

static bool check_member(struct bm_mark_archive *archive, const struct member *member, uint64_t at) {
    if (here(archive) == BM_IN_ROOT) return check_root(archive, member, at);
    if (here(archive) == BM_IN_REQUEST && member == NULL) return fail_request(archive, at);
    if (member == NULL || !member->is_once) return true;
    bool is_second = was_seen(archive, (enum bm_mark_archive_place)member->place) ||
                     (is_queries((enum bm_mark_archive_place)member->place) && has_queries(archive));
    return !is_second ||
           bm_mark_fail(&archive->mark, at, "there is a second \"%s\", but only one can be in its block",
                        member->words);
}

static bool check_close(struct bm_mark_archive *archive, enum bm_mark_archive_place place, uint64_t at) {
    const char *missing = NULL;
    if (place == BM_IN_ROOT && !was_seen(archive, BM_IN_REQUEST))
        missing = "the archive ends without a \"request\"";
    else if (place == BM_IN_ROOT && !was_seen(archive, BM_IN_RESULTS))
        missing = "the archive ends without \"results\"";
    else if (place == BM_IN_REQUEST && !was_seen(archive, BM_IN_SEARCH))
        missing = "the request ends without \"body queue-search\"";
    else if (place == BM_IN_SEARCH && !archive->has_program)
        missing = "the request ends without a \"program\"";
    else if (place == BM_IN_SEARCH && !has_queries(archive))
        missing = "the request ends without \"queries\"";
    else if (place == BM_IN_QUERY && !was_seen(archive, BM_IN_QUERY_IDS))
        missing = "a query ends without an \"id\"";
    else if (place == BM_IN_QUERY && !was_seen(archive, BM_IN_QUERY_INSTANCE))
        missing = "a query ends without an \"inst\"";
    return missing == NULL || bm_mark_fail(&archive->mark, at, "%s", missing);
}

/* --- archives and queries ------------------------------------------------------------------------ */

bool bm_mark_archive_begin_document(struct bm_mark_archive *archive, uint32_t flags) {
    struct bm_mark *mark = &archive->mark;
    if (!bm_mark_settle(mark, BLASTMERGE_FORMAT_ARCHIVE, mark->position)) return false;
    bm_mark_add(mark, BM_MARK_DOCUMENT, mark->position)->flags = BM_MARK_BARE | flags;
    bm_mark_add(mark, BM_MARK_ITERATIONS, mark->position)->value = BLASTMERGE_FORMAT_ARCHIVE;
    bm_mark_add(mark, BM_MARK_BODY, mark->position);
    mark->counts.n_documents += (flags & BM_MARK_LEFT) == 0;
    bm_mark_begin_digest(mark);
    archive->document_is_open = true;
    return true;
}

void bm_mark_archive_begin(struct bm_mark_archive *archive, uint64_t at) {
    bm_mark_add(&archive->mark, BM_MARK_ARCHIVE, at);
    archive->n_queries = 0;
    archive->has_program = false;
    archive->seen = 0;
}

static void begin_query(struct bm_mark_archive *archive, uint64_t at) {
    struct bm_mark_entry *entry = bm_mark_add(&archive->mark, BM_MARK_ITERATION, at);
    bool has_matrix = was_seen(archive, BM_IN_QUERY_PSSM);
    const struct bm_mark_digest *digest = &archive->mark.digest;
    bool follows_any = digest->is_partial || archive->mark.counts.n_iterations > digest->n_iterations;
    bool is_round = has_matrix && follows_any;
    if (archive->n_queries == 0 && !is_round) entry->flags = BM_MARK_RUN;
    archive->n_queries++;
    archive->mark.digest.is_wanted = true;
}

static void end_query(struct bm_mark_archive *archive, uint64_t after) {
    bm_mark_add(&archive->mark, BM_MARK_ITERATION_END, after);
    (void)bm_mark_digest_end_query(&archive->mark.digest);
}

/* --- values -------------------------------------------------------------------------------------- */

enum value {
    NO_VALUE,
    PROGRAM,
    SERVICE,
    VERSION,
    DATABASE,
    OPTION_NAME,
    OPTION_VALUE,
    TITLE,
    LENGTH,
    QUERY_ID,
    OTHER_ID
};

static const struct {
    uint8_t parent;
    uint8_t value; /* enum value */
    const char *words;
} values[] = {
    {BM_IN_REQUEST, VERSION, "ident"},
    {BM_IN_SEARCH, PROGRAM, "program"},
    {BM_IN_SEARCH, SERVICE, "service"},
    {BM_IN_SEARCH, DATABASE, "subject database"},
    {BM_IN_OPTION, OPTION_NAME, "name"},
    {BM_IN_QUERY_DESCRIPTION, TITLE, "title"},
    {BM_IN_QUERY_INSTANCE, LENGTH, "length"},
    {BM_IN_QUERY_IDS, QUERY_ID, "local str"},
    {BM_IN_SEGMENT_IDS, OTHER_ID, "local str"},
    {BM_IN_SEGMENT_LOCATIONS, OTHER_ID, "whole local str"},
    {BM_IN_SEGMENT_LOCATIONS, OTHER_ID, "empty local str"},
    {BM_IN_LOCATIONS, OTHER_ID, "whole local str"},
    {BM_IN_LOCATIONS, OTHER_ID, "empty local str"},
    {BM_IN_LOCATION, OTHER_ID, "id local str"},
    {BM_IN_QUERY_LOCATIONS, QUERY_ID, "whole local str"},
    {BM_IN_QUERY_LOCATION, QUERY_ID, "id local str"},
    {BM_IN_RESULT_QUERY_IDS, OTHER_ID, "local str"},
};

static const char option_value[] = "value ";

static bool begin_with(const struct bm_mark_archive *archive, const char *words) {
    size_t n = strlen(words);
    return archive->n_words >= n && memcmp(archive->words, words, n) == 0;
}

static bool is_option_value(const struct bm_mark_archive *archive) {
    return here(archive) == BM_IN_OPTION && begin_with(archive, option_value);
}

static enum value find_value(const struct bm_mark_archive *archive) {
    enum bm_mark_archive_place parent = here(archive);
    if (parent == BM_IN_PLAIN || is_of_subject(archive)) return NO_VALUE;
    if (is_option_value(archive)) return OPTION_VALUE;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        if (values[i].parent == parent && has_words(archive, values[i].words))
            return (enum value)values[i].value;
    return NO_VALUE;
}

static void begin_field(struct bm_mark_archive *archive, const char *name, size_t n_name, bool is_parameter) {
    bm_mark_field_begin(&archive->mark, name, n_name);
    archive->mark.field.is_parameter = is_parameter;
    archive->field_is_open = true;
    archive->use = BM_USE_FIELD;
}

/* An option is a field if it has a name before its value. What BLAST computes of each batch is none. */
static void begin_option(struct bm_mark_archive *archive) {
    static const char computed[] = "EffectiveSearchSpace";
    bool is_computed =
        archive->n_option == sizeof computed - 1 && memcmp(archive->option, computed, archive->n_option) == 0;
    if (archive->n_option == 0 || is_computed) return;
    begin_field(archive, archive->option, archive->n_option, true);
    archive->n_option = 0;
}

/* Whether the current element is a searched query's own id, of any kind. The first id of a sequence is its own;
 * the others are synonyms. */
static bool is_own_id(const struct bm_mark_archive *archive) {
    switch (here(archive)) {
    case BM_IN_QUERY_IDS:
        return is_first(archive);
    case BM_IN_QUERY_LOCATION:
        return begin_with(archive, "id ");
    case BM_IN_QUERY_LOCATIONS:
        return begin_with(archive, "whole ");
    default:
        return false;
    }
}

static void begin_id(struct bm_mark_archive *archive, bool is_string, uint64_t at) {
    struct bm_mark *mark = &archive->mark;
    bool is_own = is_own_id(archive);
    if (is_string) {
        archive->use = is_own ? BM_USE_PART : BM_USE_ROW;
        archive->n_id = 0;
        if (mark->tells_queries) {
            archive->content = (struct bm_mark_content){
                true, archive->use == BM_USE_PART ? BM_MARK_QUERY_ID : BM_MARK_QUERY_ROW, at + 1};
        }
        if (archive->use == BM_USE_PART) bm_mark_digest_begin_part(&mark->digest, BM_DIGEST_ID);
    } else if (is_own && mark->tells_queries) {
        struct bm_mark_entry *entry = bm_mark_add(mark, BM_MARK_QUERY_ID, at);
        entry->end = at;
        entry->flags = BM_MARK_CUT; /* it is another kind of id */
    }
}

/* In a block that is an option's value: the element's words, and what comes after them. */
static void add_to_option(struct bm_mark_archive *archive, const char *text, size_t n_text) {
    struct bm_mark *mark = &archive->mark;
    bm_mark_field_add(mark, " ", 1);
    if (archive->n_words > 0 && archive->n_words <= BM_ARCHIVE_MAX_WORDS) {
        bm_mark_field_add(mark, archive->words, archive->n_words);
        if (n_text > 0) bm_mark_field_add(mark, " ", 1);
    }
    bm_mark_field_add(mark, text, n_text);
}

bool bm_mark_archive_begin_value(struct bm_mark_archive *archive, uint8_t first, uint64_t at) {
    enum value value = NO_VALUE;
    archive->is_cut = false;
    if (archive->field_depth == 0) {
        archive->use = BM_USE_NOTHING;
        value = find_value(archive);
    } else {
        add_to_option(archive, "", 0);
        if (archive->n_words > 0) bm_mark_field_add(&archive->mark, " ", 1);
    }
    switch (value) {
    case VERSION:
        begin_field(archive, "version", 7, false);
        break;
    case PROGRAM:
        archive->has_program = true;
        begin_field(archive, "program", 7, false);
        break;
    case SERVICE:
        begin_field(archive, "service", 7, true);
        break;
    case DATABASE:
        begin_field(archive, "db", 2, false);
        break;
    case OPTION_NAME:
        archive->n_option = 0;
        archive->use = BM_USE_OPTION_NAME;
        break;
    case OPTION_VALUE:
        begin_option(archive);
        break;
    case TITLE:
    case LENGTH:
        archive->use = BM_USE_PART;
        bm_mark_digest_begin_part(&archive->mark.digest, value == TITLE ? BM_DIGEST_TITLE : BM_DIGEST_LENGTH);
        break;
    case QUERY_ID:
        if (is_own_id(archive)) begin_id(archive, first == '"', at);
        break;
    case OTHER_ID:
        begin_id(archive, first == '"', at);
        break;
    case NO_VALUE:
        if (is_own_id(archive)) begin_id(archive, false, at);
        break;
    }
    if (here(archive) != BM_IN_ROOT) return true;
    return check_root(archive, NULL, at);
}

static void add_id(struct bm_mark_archive *archive, const uint8_t *bytes, size_t n_bytes) {
    if (n_bytes > (size_t)(BM_ARCHIVE_MAX_ID - archive->n_id)) {
        archive->n_id = BM_ARCHIVE_MAX_ID; /* longer than any generated one */
        return;
    }
    memcpy(archive->id + archive->n_id, bytes, n_bytes);
    archive->n_id = (uint8_t)(archive->n_id + n_bytes);
}

void bm_mark_archive_add(struct bm_mark_archive *archive, const uint8_t *bytes, size_t n_bytes) {
    switch ((enum bm_mark_archive_use)archive->use) {
    case BM_USE_NOTHING:
        break;
    case BM_USE_FIELD:
        bm_mark_field_add(&archive->mark, (const char *)bytes, n_bytes);
        break;
    case BM_USE_OPTION_NAME:
        if (n_bytes > sizeof archive->option - archive->n_option)
            n_bytes = sizeof archive->option - archive->n_option;
        memcpy(archive->option + archive->n_option, bytes, n_bytes);
        archive->n_option += n_bytes;
        break;
    case BM_USE_PART:
        for (size_t i = 0; i < n_bytes; i++) bm_mark_digest_add(&archive->mark.digest, bytes[i]);
        break;
    case BM_USE_ROW:
        add_id(archive, bytes, n_bytes);
        break;
    }
}

/* An id elsewhere matters if BLAST may have made it up. */
static void end_id(struct bm_mark_archive *archive, uint64_t end) {
    struct bm_mark *mark = &archive->mark;
    bool is_row = archive->content.kind == BM_MARK_QUERY_ROW;
    if (!archive->content.is_held) return;
    archive->content.is_held = false;
    bool is_generated = archive->n_id < BM_ARCHIVE_MAX_ID && archive->n_id > 0 && archive->id[0] == 'Q' &&
                        bm_mark_is_generated(archive->id, archive->n_id);
    if (is_row && (!is_generated || archive->is_cut)) return;
    struct bm_mark_entry *entry =
        bm_mark_add(mark, (enum bm_mark_kind)archive->content.kind, archive->content.at);
    entry->end = end;
    if (archive->is_cut) entry->flags = BM_MARK_CUT;
}

void bm_mark_archive_cut_content(struct bm_mark_archive *archive, uint64_t end) {
    archive->is_cut = true;
    end_id(archive, end);
}

static void end_field(struct bm_mark_archive *archive, uint64_t after) {
    archive->field_is_open = false;
    archive->use = BM_USE_NOTHING;
    bm_mark_field_end(&archive->mark, after);
}

void bm_mark_archive_end_value(struct bm_mark_archive *archive, uint64_t after) {
    end_id(archive, after - 1); /* a string's quote is behind it */
    if (archive->use == BM_USE_PART) bm_mark_digest_end_part(&archive->mark.digest);
    if (archive->field_depth > 0) return;
    bm_mark_archive_end_element(archive, after);
    if (archive->field_is_open) end_field(archive, after);
    archive->use = BM_USE_NOTHING;
}

void bm_mark_archive_separate(struct bm_mark_archive *archive) {
    if (archive->field_depth > 0) bm_mark_field_add(&archive->mark, ",", 1);
    archive->n_words = 0;
}

/* --- elements and blocks ------------------------------------------------------------------------- */

void bm_mark_archive_begin_element(struct bm_mark_archive *archive, uint64_t at) {
    uint8_t *n_elements = &archive->n_elements[archive->depth - 1];
    *n_elements = (uint8_t)(*n_elements + (*n_elements < 2));
    archive->n_words = 0;
    if (here(archive) == BM_IN_QUERY_LOCATIONS) begin_query(archive, at);
}

void bm_mark_archive_end_element(struct bm_mark_archive *archive, uint64_t after) {
    if (here(archive) == BM_IN_QUERY_LOCATIONS) end_query(archive, after);
}

bool bm_mark_archive_end_words(struct bm_mark_archive *archive, uint64_t after) {
    const size_t n = sizeof option_value - 1;
    if (here(archive) == BM_IN_ROOT) return check_root(archive, NULL, after);
    bm_mark_archive_end_element(archive, after);
    if (archive->field_depth > 0) {
        add_to_option(archive, "", 0);
    } else if (is_option_value(archive) && archive->n_words <= BM_ARCHIVE_MAX_WORDS) {
        begin_option(archive);
        if (!archive->field_is_open) return true;
        bm_mark_field_add(&archive->mark, archive->words + n, archive->n_words - n);
        end_field(archive, after);
    }
    return true;
}

static void begin_place(struct bm_mark_archive *archive, enum bm_mark_archive_place place, uint64_t at) {
    switch (place) {
    case BM_IN_QUERY:
        begin_query(archive, at);
        break;
    case BM_IN_OPTION:
        archive->n_option = 0;
        break;
    case BM_IN_SCORES:
        archive->mark.counts.n_hsps++;
        break;
    default:
        break;
    }
}

/* An option's value that is a block is a field, with all that is in the block. */
static void open_in_option(struct bm_mark_archive *archive, const struct member *member) {
    if (archive->field_depth > 0) {
        add_to_option(archive, "{", 1);
        return;
    }
    if (member != NULL || !is_option_value(archive)) return;
    begin_option(archive);
    if (!archive->field_is_open) return;
    archive->field_depth = archive->depth;
    bm_mark_field_add(&archive->mark, "{", 1);
}

bool bm_mark_archive_open(struct bm_mark_archive *archive, uint64_t at) {
    const struct member *member = find_member(archive);
    enum bm_mark_archive_place place = archive->depth == 0      ? BM_IN_ROOT
                                       : member == NULL         ? BM_IN_PLAIN
                                       : is_of_subject(archive) ? BM_IN_PLAIN
                                                                : (enum bm_mark_archive_place)member->place;
    if (archive->depth > 0 && !check_member(archive, member, at)) return false;
    if (archive->depth == BM_ARCHIVE_MAX_DEPTH)
        return bm_mark_fail(&archive->mark, at, "blocks are nested deeper than %d", BM_ARCHIVE_MAX_DEPTH);
    if (archive->depth > 0 && is_own_id(archive)) begin_id(archive, false, at);
    if (archive->depth > 0) open_in_option(archive, member);
    if (member != NULL && member->is_once) archive->seen |= 1ull << place;
    if (place != BM_IN_PLAIN) forget(archive, place);
    archive->n_elements[archive->depth] = 0;
    archive->places[archive->depth++] = (uint8_t)place;
    archive->state = BM_ARCHIVE_FIRST;
    archive->n_words = 0;
    begin_place(archive, place, at);
    return true;
}

static void end_archive(struct bm_mark_archive *archive, uint64_t after) {
    bm_mark_add(&archive->mark, BM_MARK_ARCHIVE_END, after)->value = archive->mark.counts.n_hsps;
    archive->mark.counts.n_iterations += archive->n_queries;
    archive->line_is_open = true;
    archive->state = BM_ARCHIVE_OUTSIDE;
}

bool bm_mark_archive_close(struct bm_mark_archive *archive, uint64_t at) {
    enum bm_mark_archive_place place = here(archive);
    if (!check_close(archive, place, at)) return false;
    archive->depth--;
    archive->state = BM_ARCHIVE_NEXT;
    archive->n_words = 0;
    if (place == BM_IN_ROOT) {
        end_archive(archive, at + 1);
        return true;
    }
    if (place == BM_IN_QUERY) end_query(archive, at + 1);
    /* PSI-BLAST has other options in its later rounds. */
    if (place == BM_IN_SEARCH) archive->is_round = was_seen(archive, BM_IN_QUERY_PSSM);
    if (place == BM_IN_REQUEST && !archive->is_round) bm_mark_add(&archive->mark, BM_MARK_HEADER, at + 1);
    if (archive->field_depth > 0) bm_mark_field_add(&archive->mark, " }", 2);
    bm_mark_archive_end_element(archive, at + 1);
    if (archive->field_depth == archive->depth && archive->field_depth > 0) {
        archive->field_depth = 0;
        end_field(archive, at + 1);
    }
    return true;
}
