/* SPDX-License-Identifier: MIT */
/*
 * Elements -> marks: what a tag means where it stands.
 *
 * A start tag's meaning is known when its name is; an end tag's already at its '/', for it can only be that
 * of the open element, or an error. What is decided only later holds bm_mark_safe() back to its offset:
 *
 *   less        a start tag whose name is not complete, at the few depths where names matter
 *   number      an Iteration's number that may still turn out too long or to hold markup
 *   content     a query's id or message, up to its end or 512 bytes
 *   body        the rest of the line of BlastOutput_iterations' start tag
 *   blank       what may be the indentation of its end tag
 *   megablast   a BlastOutput_mbstat
 */
#include "mark/internal.h"

#include <string.h>
#include <strings.h>

/* --- fields ---------------------------------------------------------------------------------- */

static void begin_field(struct bm_mark *mark) {
    const struct bm_mark_name *name = &mark->open_elements[mark->depth - 1];
    bm_mark_field_begin(mark, name->bytes, name->n_bytes);
    mark->field.is_parameter = mark->in_parameters && mark->depth > BM_DEPTH_HEADER;
    mark->field_is_open = true;
}

static void add_to_field(struct bm_mark *mark, uint8_t byte) {
    const char c = (char)byte;
    bm_mark_field_add(mark, &c, 1);
    mark->field_to = mark->position + 1;
}

/* The header of BLAST XML has the first query's. */
static void take_query_field(struct bm_mark *mark) {
    const struct bm_mark_field *field = &mark->field;
    static const struct {
        const char *name;
        enum bm_mark_digest_part part;
    } parts[] = {{"BlastOutput_query-ID", BM_DIGEST_ID},
                 {"BlastOutput_query-def", BM_DIGEST_TITLE},
                 {"BlastOutput_query-len", BM_DIGEST_LENGTH}};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (strcmp(field->name, parts[i].name) == 0) {
            bm_mark_digest_take(&mark->digest.header, parts[i].part, field->value, field->n_value);
            mark->digest.has_header = true;
        }
}

static void end_field(struct bm_mark *mark, uint64_t after) {
    mark->field_is_open = false;
    take_query_field(mark);
    bm_mark_field_end(mark, after);
}

/* --- the Iteration's number ------------------------------------------------------------------ */

static void begin_number(struct bm_mark *mark, uint64_t after) {
    mark->in_number = true;
    mark->number_is_held = true;
    mark->number_is_digits = true;
    mark->number = after;
    mark->number_value = 0;
    mark->n_number = 0;
}

/* Its content is too long, or more than text. */
static void begin_long_number(struct bm_mark *mark) {
    if (!mark->number_is_held) return;
    mark->number_is_held = false;
    bm_mark_add(mark, BM_MARK_NUMBER_LONG, mark->number);
}

static void add_to_number(struct bm_mark *mark, uint8_t byte) {
    if (!mark->number_is_held) return;
    uint64_t digit = (uint64_t)byte - '0';
    if (byte < '0' || byte > '9' || mark->number_value > (UINT64_MAX - digit) / 10) {
        mark->number_is_digits = false;
    } else {
        mark->number_value = mark->number_value * 10 + digit;
    }
    if (++mark->n_number > BM_MARK_MAX_NUMBER) begin_long_number(mark);
}

/* At the '<' of its end tag. */
static void end_number(struct bm_mark *mark) {
    if (!mark->number_is_held) {
        bm_mark_add(mark, BM_MARK_NUMBER_LONG_END, mark->less);
        return;
    }
    mark->number_is_held = false;
    struct bm_mark_entry *entry = bm_mark_add(mark, BM_MARK_NUMBER, mark->number);
    entry->end = mark->less;
    if (mark->number_is_digits && mark->n_number > 0) {
        entry->flags = BM_MARK_DIGITS;
        entry->value = mark->number_value;
    }
}

/* Something is missing before the '<', with what is to be known of the indentation there. */
static void add_missing(struct bm_mark *mark, enum bm_mark_kind kind) {
    enum { MAX_BLANKS = 64 };
    struct bm_mark_entry *entry = bm_mark_add(mark, kind, mark->less);
    if (mark->blank == BM_MARK_NOWHERE || !mark->blank_on_new_line) return;
    uint64_t n_blanks = mark->less - mark->blank;
    entry->flags = BM_MARK_NEWLINE;
    entry->value = n_blanks < MAX_BLANKS ? n_blanks : MAX_BLANKS;
}

static void add_missing_number(struct bm_mark *mark) {
    add_missing(mark, BM_MARK_NUMBER_MISSING);
    mark->first_seen = true;
}

static void add_missing_names(struct bm_mark *mark) {
    mark->names_are_due = false;
    add_missing(mark, BM_MARK_QUERY_MISSING);
}

/* --- a query's id and message ---------------------------------------------------------------- */

/* Whether bytes of content matter. */
static void watch(struct bm_mark *mark) {
    mark->is_watching = mark->field_is_open || mark->number_is_held || mark->content_is_held ||
                        bm_mark_digest_is_collecting(&mark->digest) || mark->in_megablast;
}

static void begin_content(struct bm_mark *mark, enum bm_mark_kind kind, uint64_t after) {
    mark->content_is_held = true;
    mark->content_kind = (uint8_t)kind;
    mark->content = after;
}

static void end_content(struct bm_mark *mark, uint64_t end, enum bm_mark_flag flags) {
    if (!mark->content_is_held) return;
    mark->content_is_held = false;
    struct bm_mark_entry *entry = bm_mark_add(mark, (enum bm_mark_kind)mark->content_kind, mark->content);
    entry->end = end;
    entry->flags = flags;
    watch(mark);
}

static void cut_content(struct bm_mark *mark, uint64_t end) {
    end_content(mark, end, BM_MARK_CUT);
}

/* --- parts of a query by which it is known ----------------------------------------------------- */

/* Bytes behind those that count were perhaps not looked at: it ends at `less`, if a tag ends it. */
static void cut_part(struct bm_mark *mark) {
    struct bm_mark_digest *digest = &mark->digest;
    if (!bm_mark_digest_is_collecting(digest) && mark->less > mark->part)
        digest->n_content = mark->less - mark->part;
    bm_mark_digest_end_part(digest);
}

static void end_part(struct bm_mark *mark) {
    bool is_last = mark->digest.part == BM_DIGEST_LENGTH; /* what else there may be is of no query's */
    cut_part(mark);
    if (is_last) mark->digest.is_wanted = false;
}

static void begin_part(struct bm_mark *mark, enum bm_mark_digest_part part, uint64_t after) {
    mark->part = after;
    if (mark->digest.is_wanted) bm_mark_digest_begin_part(&mark->digest, part);
}

/* --- start tags ------------------------------------------------------------------------------ */

static bool is_xml2(const struct bm_mark *mark) {
    return mark->kin.format == BLASTMERGE_FORMAT_XML2; /* inside of the root, which settled that */
}

static enum bm_mark_element find_header_element(const struct bm_mark *mark) {
    if (bm_mark_name_is(mark, "BlastOutput_iterations")) return BM_ELEMENT_ITERATIONS;
    if (bm_mark_name_is(mark, "BlastOutput_mbstat")) return BM_ELEMENT_MEGABLAST;
    if (mark->iterations_seen) return BM_ELEMENT_OTHER;
    if (bm_mark_name_is(mark, "BlastOutput_db") && !mark->database_seen) return BM_ELEMENT_DATABASE;
    if (bm_mark_name_is(mark, "BlastOutput_param")) return BM_ELEMENT_PARAMETERS;
    return BM_ELEMENT_OTHER;
}

static enum bm_mark_element find_query_element(const struct bm_mark *mark) {
    bool is_wanted = mark->digest.is_wanted;
    if (!mark->tells_queries && !is_wanted) return BM_ELEMENT_OTHER;
    if (bm_mark_name_is(mark, is_xml2(mark) ? "query-id" : "Iteration_query-ID")) return BM_ELEMENT_QUERY_ID;
    if (is_wanted && bm_mark_name_is(mark, is_xml2(mark) ? "query-title" : "Iteration_query-def"))
        return BM_ELEMENT_QUERY_TITLE;
    if (is_wanted && bm_mark_name_is(mark, is_xml2(mark) ? "query-len" : "Iteration_query-len"))
        return BM_ELEMENT_QUERY_LENGTH;
    if (!mark->tells_queries) return BM_ELEMENT_OTHER;
    if (bm_mark_name_is(mark, is_xml2(mark) ? "message" : "Iteration_message")) return BM_ELEMENT_MESSAGE;
    return BM_ELEMENT_OTHER;
}

/* The header of XML2 lies in each report, of which the first one's is read. */
static enum bm_mark_element find_report_element(const struct bm_mark *mark) {
    if (mark->depth + 1 == BM_DEPTH_ITERATION)
        return BM_ELEMENT_ITERATION; /* there is no other, check_start() */
    if (mark->header_is_open && bm_mark_name_is(mark, "results")) return BM_ELEMENT_RESULTS;
    if (mark->header_is_open && bm_mark_name_is(mark, "params")) return BM_ELEMENT_PARAMETERS;
    if (bm_mark_name_is(mark, "Hit")) return BM_ELEMENT_HIT;
    return bm_mark_name_is(mark, "Hsp") ? BM_ELEMENT_HSP : find_query_element(mark);
}

static enum bm_mark_element find_element(const struct bm_mark *mark) {
    if (mark->depth == 0) return BM_ELEMENT_ROOT;
    if (is_xml2(mark)) return find_report_element(mark);
    if (mark->depth + 1 == BM_DEPTH_HEADER) return find_header_element(mark);
    if (mark->depth + 1 == BM_DEPTH_ITERATION) {
        return mark->in_iterations && bm_mark_name_is(mark, "Iteration") ? BM_ELEMENT_ITERATION
                                                                         : BM_ELEMENT_OTHER;
    }
    if (!mark->in_iteration) return BM_ELEMENT_OTHER;
    if (mark->depth + 1 == BM_DEPTH_NUMBER && bm_mark_name_is(mark, "Iteration_iter-num")) {
        return mark->first_seen ? BM_ELEMENT_NUMBER_EXTRA : BM_ELEMENT_NUMBER;
    }
    if (bm_mark_name_is(mark, "Hit")) return BM_ELEMENT_HIT;
    if (bm_mark_name_is(mark, "Hsp")) return BM_ELEMENT_HSP;
    return mark->depth + 1 == BM_DEPTH_NUMBER ? find_query_element(mark) : BM_ELEMENT_OTHER;
}

/* HTML's names are the same in upper and lower case. */
static bool is_html(const struct bm_mark *mark) {
    static const char *const names[] = {"html", "head", "title", "body", "p", "pre", "div", "center"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strlen(names[i]) == mark->n_name && strncasecmp(mark->name, names[i], mark->n_name) == 0)
            return true;
    return false;
}

/* What is not BLAST's XML, but known. */
static bool fail_root(struct bm_mark *mark) {
    char shown[BM_MARK_SHOWN_NAME];
    const char *what = "";
    bm_mark_show(mark->name, mark->n_name, shown);
    if (bm_mark_name_is(mark, "BlastOutput2")) {
        what =
            ": this is one query's report of -outfmt 14, which is not merged; search with -outfmt 16, which "
            "writes the same into one file";
    } else if (is_html(mark)) {
        what = ": this is HTML, perhaps a server's error page, or results for reading; download them as XML";
    } else if (bm_mark_name_is(mark, "EBIApplicationResult")) {
        what = ": this is EBI's own XML, which is not merged; download BLAST XML (NCBI's) instead";
    } else if (bm_mark_name_is(mark, "Error")) {
        what = ": this is perhaps a cloud storage's error message";
    }
    return bm_mark_fail(mark, mark->less, "the root element is <%s>, but <%s> was expected%s", shown,
                        is_xml2(mark) ? "BlastXML2" : "BlastOutput", what);
}

static bool check_root(struct bm_mark *mark) {
    if (bm_mark_name_is(mark, "BlastOutput")) return bm_mark_settle(mark, BLASTMERGE_FORMAT_XML, mark->less);
    if (bm_mark_name_is(mark, "BlastXML2")) return bm_mark_settle(mark, BLASTMERGE_FORMAT_XML2, mark->less);
    return fail_root(mark);
}

/* BlastXML2 holds reports and nothing else. */
static bool check_report(struct bm_mark *mark) {
    char shown[BM_MARK_SHOWN_NAME];
    if (bm_mark_name_is(mark, "BlastOutput2")) return true;
    if (bm_mark_name_is(mark, "xi:include")) {
        return bm_mark_fail(
            mark, mark->less,
            "this is the master file of -outfmt 14, whose reports lie in other files, which is "
            "not merged; search with -outfmt 16, which writes them all into one file");
    }
    return bm_mark_fail(mark, mark->less, "BlastXML2 holds <%s>, but <BlastOutput2> was expected",
                        bm_mark_show(mark->name, mark->n_name, shown));
}

static void add_iteration(struct bm_mark *mark, uint64_t less, bool has_newline) {
    struct bm_mark_entry *entry = bm_mark_add(mark, BM_MARK_ITERATION, less);
    if (has_newline) entry->flags = BM_MARK_NEWLINE;
}

/* An element begins behind the Iteration's number, or is that. */
static void follow_names(struct bm_mark *mark) {
    switch (mark->element) {
    case BM_ELEMENT_NUMBER:
    case BM_ELEMENT_NUMBER_EXTRA:
        break;
    case BM_ELEMENT_QUERY_ID:
    case BM_ELEMENT_QUERY_TITLE:
    case BM_ELEMENT_QUERY_LENGTH:
        mark->names_are_due = false;
        break;
    default:
        add_missing_names(mark);
        break;
    }
}

/* What an element's beginning, whose '<' is at `less`, tells at once. */
static void add_start(struct bm_mark *mark) {
    bool is_first = mark->in_iteration && mark->depth + 1 == BM_DEPTH_NUMBER && !mark->first_seen;
    mark->field_is_open = false;
    if (mark->in_number) begin_long_number(mark);
    cut_content(mark, mark->less);
    cut_part(mark);
    if (mark->element == BM_ELEMENT_ITERATION) {
        add_iteration(mark, mark->less, mark->newline_before);
    } else if (mark->element == BM_ELEMENT_NUMBER_EXTRA) {
        bm_mark_add(mark, BM_MARK_NUMBER_EXTRA, mark->less);
    } else if (is_first && mark->element != BM_ELEMENT_NUMBER) {
        add_missing_number(mark);
    }
    if (is_first) mark->first_seen = true;
    if (mark->names_are_due && mark->depth + 1 == BM_DEPTH_NUMBER) follow_names(mark);
    if (mark->element == BM_ELEMENT_MEGABLAST) {
        mark->in_megablast = mark->is_watching = true;
        mark->megablast = mark->less;
    }
    mark->counts.n_hits += mark->element == BM_ELEMENT_HIT;
    mark->counts.n_hsps += mark->element == BM_ELEMENT_HSP;
    mark->tag_is_open = false;
    mark->blank = BM_MARK_NOWHERE;
}

static bool check_start(struct bm_mark *mark) {
    if (mark->element == BM_ELEMENT_ROOT) return check_root(mark);
    if (mark->depth == BM_DEPTH_HEADER && is_xml2(mark) && !check_report(mark)) return false;
    if (mark->element == BM_ELEMENT_ITERATIONS && mark->iterations_seen) {
        return bm_mark_fail(mark, mark->less, "the document has a second BlastOutput_iterations");
    }
    if (mark->depth == BM_MARK_MAX_DEPTH) {
        return bm_mark_fail(mark, mark->less, "elements are nested deeper than %d", BM_MARK_MAX_DEPTH);
    }
    return true;
}

/* A character to be converted in a tag's name: its mark must not come before those of the tag, which is none
 * that is known. */
static void decide_early(struct bm_mark *mark) {
    mark->element = mark->depth == 0 ? BM_ELEMENT_ROOT : BM_ELEMENT_OTHER;
    add_start(mark);
}

bool bm_mark_start_named(struct bm_mark *mark) {
    struct bm_mark_name *open = &mark->open_elements[mark->depth];
    bool is_decided = mark->depth < BM_DEPTH_NUMBER && !mark->tag_is_open;
    if (!is_decided) mark->element = (uint8_t)find_element(mark);
    if (!check_start(mark)) return false;
    open->n_bytes = mark->n_name;
    memcpy(open->bytes, mark->name, mark->n_name);
    if (!is_decided) add_start(mark);
    return true;
}

static void open_iteration(struct bm_mark *mark) {
    mark->in_iteration = true;
    mark->digest.is_wanted = true;
    mark->first_seen = is_xml2(mark); /* its reports have no numbers */
    mark->names_are_due = mark->digest.has_header && !is_xml2(mark);
    mark->blank = BM_MARK_NOWHERE;
}

/* For the walk: a whole "<Iteration>". */
void bm_mark_begin_iteration(struct bm_mark *mark, uint64_t less) {
    add_iteration(mark, less, mark->newline_seen);
    open_iteration(mark);
}

static void end_header(struct bm_mark *mark, uint64_t after) {
    mark->header_is_open = false;
    mark->in_parameters = false;
    bm_mark_add(mark, BM_MARK_HEADER, after);
}

static void open_iterations(struct bm_mark *mark, uint64_t after) {
    bm_mark_add(mark, BM_MARK_ITERATIONS, after)->value = mark->kin.format;
    mark->in_iterations = mark->iterations_seen = mark->body_is_open = true;
    mark->body = after;
    mark->newline_seen = false;
}

static void open_root(struct bm_mark *mark, uint64_t after) {
    mark->phase = BM_PHASE_ROOT;
    if (!is_xml2(mark)) return;
    mark->open_elements[mark->depth++] = mark->open_elements[0];
    mark->header_is_open = true;
    open_iterations(mark, after);
}

static void open_element(struct bm_mark *mark, uint64_t after) {
    switch (mark->element) {
    case BM_ELEMENT_ROOT:
        open_root(mark, after);
        break;
    case BM_ELEMENT_DATABASE:
        bm_mark_add(mark, BM_MARK_DATABASE, after);
        mark->in_database = mark->database_seen = true;
        break;
    case BM_ELEMENT_PARAMETERS:
        mark->in_parameters = true;
        break;
    case BM_ELEMENT_ITERATIONS:
        open_iterations(mark, after);
        break;
    case BM_ELEMENT_RESULTS:
        end_header(mark, after);
        break;
    case BM_ELEMENT_ITERATION:
        open_iteration(mark);
        break;
    case BM_ELEMENT_NUMBER:
        begin_number(mark, after);
        break;
    case BM_ELEMENT_NUMBER_EXTRA:
        mark->in_extra = true;
        break;
    case BM_ELEMENT_QUERY_ID:
        if (mark->tells_queries) begin_content(mark, BM_MARK_QUERY_ID, after);
        begin_part(mark, BM_DIGEST_ID, after);
        break;
    case BM_ELEMENT_QUERY_TITLE:
        begin_part(mark, BM_DIGEST_TITLE, after);
        break;
    case BM_ELEMENT_QUERY_LENGTH:
        begin_part(mark, BM_DIGEST_LENGTH, after);
        break;
    case BM_ELEMENT_MESSAGE:
        begin_content(mark, BM_MARK_MESSAGE, after);
        break;
    default:
        break;
    }
}

void bm_mark_end_iteration(struct bm_mark *mark, uint64_t after) {
    bm_mark_add(mark, BM_MARK_ITERATION_END, after);
    mark->counts.n_iterations++;
    bm_mark_digest_end_query(&mark->digest);
    mark->in_iteration = false;
    mark->blank = BM_MARK_NOWHERE;
    mark->newline_seen = false;
}

static void end_megablast(struct bm_mark *mark, uint64_t after) {
    bm_mark_add(mark, BM_MARK_MEGABLAST, mark->megablast)->end = after;
    mark->in_megablast = false;
}

static struct bm_mark_entry *add_empty(struct bm_mark *mark, enum bm_mark_kind kind, uint64_t after) {
    struct bm_mark_entry *entry = bm_mark_add(mark, kind, after - 2);
    entry->end = after;
    entry->flags = BM_MARK_EMPTY_TAG;
    return entry;
}

static void open_empty_iterations(struct bm_mark *mark, uint64_t after) {
    add_empty(mark, BM_MARK_ITERATIONS, after)->value = mark->kin.format;
    mark->iterations_seen = true;
}

static void open_empty_element(struct bm_mark *mark, uint64_t after) {
    switch (mark->element) {
    case BM_ELEMENT_ROOT:
        if (is_xml2(mark)) open_empty_iterations(mark, after);
        break;
    case BM_ELEMENT_DATABASE:
        add_empty(mark, BM_MARK_DATABASE, after);
        mark->database_seen = true;
        break;
    case BM_ELEMENT_MEGABLAST:
        end_megablast(mark, after);
        break;
    case BM_ELEMENT_ITERATIONS:
        open_empty_iterations(mark, after);
        break;
    case BM_ELEMENT_RESULTS:
        end_header(mark, after);
        break;
    case BM_ELEMENT_ITERATION:
        if (!is_xml2(mark)) add_empty(mark, BM_MARK_NUMBER_MISSING, after);
        bm_mark_end_iteration(mark, after);
        break;
    case BM_ELEMENT_NUMBER:
        add_empty(mark, BM_MARK_NUMBER, after);
        break;
    case BM_ELEMENT_NUMBER_EXTRA:
        mark->extra_is_ending = true;
        break;
    default:
        break;
    }
}

static bool fail_no_iterations(struct bm_mark *mark) {
    return bm_mark_fail(mark, mark->less, "the document ends without a BlastOutput_iterations");
}

/* The root's end tag, or that it has none, is behind the position. */
static bool end_root(struct bm_mark *mark) {
    mark->phase = BM_PHASE_EPILOG;
    return mark->iterations_seen || fail_no_iterations(mark);
}

/* Whether the element that has begun may be one of the header. */
static bool has_fields(const struct bm_mark *mark) {
    if (is_xml2(mark)) return mark->header_is_open && mark->depth > BM_DEPTH_ITERATION;
    return mark->depth >= BM_DEPTH_HEADER && !mark->iterations_seen;
}

bool bm_mark_start_done(struct bm_mark *mark, uint64_t after, bool is_empty) {
    bool is_megablast = mark->in_megablast;
    mark->depth++;
    if (is_empty) {
        open_empty_element(mark, after);
    } else {
        open_element(mark, after);
    }
    if (has_fields(mark) && !is_megablast) {
        begin_field(mark);
        if (is_empty) end_field(mark, after);
    }
    watch(mark);
    if (!is_empty) return true;
    mark->depth--;
    return mark->depth > 0 || end_root(mark);
}

/* --- end tags -------------------------------------------------------------------------------- */

static void end_iterations(struct bm_mark *mark) {
    bool is_indented = mark->blank != BM_MARK_NOWHERE && mark->less - mark->blank <= BM_MARK_MAX_INDENTATION;
    struct bm_mark_entry *entry =
        bm_mark_add(mark, BM_MARK_ITERATIONS_END, is_indented ? mark->blank : mark->less);
    entry->end = mark->less;
    if (mark->newline_before) entry->flags = BM_MARK_NEWLINE;
}

void bm_mark_end_begun(struct bm_mark *mark) {
    if (mark->depth == BM_DEPTH_NUMBER && mark->in_number) end_number(mark);
    end_content(mark, mark->less, 0);
    end_part(mark);
    if (mark->depth == BM_DEPTH_ITERATION && mark->in_iteration && !mark->first_seen)
        add_missing_number(mark);
    if (mark->depth == BM_DEPTH_ITERATION && mark->in_iteration && mark->names_are_due)
        add_missing_names(mark);
    if (mark->depth == BM_DEPTH_HEADER && mark->in_iterations) end_iterations(mark);
    if (mark->depth == BM_DEPTH_HEADER && mark->in_database)
        bm_mark_add(mark, BM_MARK_DATABASE_END, mark->less);
    mark->tag_is_open = false;
    mark->blank = BM_MARK_NOWHERE;
}

static void end_header_element(struct bm_mark *mark, uint64_t after) {
    if (mark->in_megablast) end_megablast(mark, after);
    mark->in_iterations = false;
    mark->in_database = false;
    mark->in_parameters = false;
    mark->header_is_open = false;
}

bool bm_mark_end_done(struct bm_mark *mark, uint64_t after) {
    uint16_t depth = mark->depth--;
    if (mark->field_is_open) end_field(mark, after);
    if (depth == BM_DEPTH_NUMBER) {
        mark->extra_is_ending = mark->in_extra;
        mark->in_extra = false;
        mark->in_number = false;
    } else if (depth == BM_DEPTH_ITERATION && mark->in_iteration) {
        bm_mark_end_iteration(mark, after);
    } else if (depth == BM_DEPTH_HEADER) {
        end_header_element(mark, after);
        if (is_xml2(mark)) mark->depth = 0;
    }
    mark->is_watching = mark->in_megablast;
    return mark->depth > 0 || end_root(mark);
}

/* --- content --------------------------------------------------------------------------------- */

void bm_mark_inner_markup(struct bm_mark *mark) {
    begin_long_number(mark);
    cut_content(mark, mark->less);
    cut_part(mark);
    mark->tag_is_open = false;
    mark->blank = BM_MARK_NOWHERE;
}

/* The rest of the line of BlastOutput_iterations' start tag is not the body's where it is blank. */
static void find_body(struct bm_mark *mark, uint32_t c, uint64_t at) {
    bool is_in_reach = at - mark->body < BM_MARK_MAX_INDENTATION;
    bool is_blank = c == ' ' || c == '\t' || c == '\r';
    if (is_in_reach && is_blank && at + 1 - mark->body < BM_MARK_MAX_INDENTATION) return;
    mark->body_is_open = false;
    if (is_in_reach && c == '\n') {
        bm_mark_add(mark, BM_MARK_BODY, at + 1);
        mark->newline_seen = false;
    } else {
        bm_mark_add(mark, BM_MARK_BODY, mark->body);
    }
}

void bm_mark_follow_blanks(struct bm_mark *mark, uint32_t c, uint64_t at) {
    if (c == '\n' || c == '\r') {
        mark->blank = at + 1;
        mark->blank_on_new_line = true;
    } else if (c == ' ' || c == '\t') {
        if (mark->blank != BM_MARK_NOWHERE) return;
        mark->blank = at;
        mark->blank_on_new_line = false;
    } else if (c != '<') {
        mark->blank = BM_MARK_NOWHERE;
    }
}

void bm_mark_place_text(struct bm_mark *mark, uint32_t c, uint64_t at) {
    if (mark->extra_is_ending && !bm_mark_is_space(c)) {
        mark->extra_is_ending = false;
        bm_mark_add(mark, BM_MARK_NUMBER_EXTRA_END, at);
    }
    if (mark->body_is_open) find_body(mark, c, at);
    bm_mark_follow_blanks(mark, c, at);
}

bool bm_mark_place_bytes(struct bm_mark *mark, uint8_t byte) {
    if (mark->in_megablast && mark->position - mark->megablast >= BM_MARK_MAX_HOLD) {
        return bm_mark_fail(mark, mark->position, "a BlastOutput_mbstat is longer than %d bytes",
                            BM_MARK_MAX_HOLD);
    }
    if (mark->scope_is_open) {
        bm_mark_scope_add(mark, byte);
        return true;
    }
    bool is_markup = mark->state == BM_STATE_LESS || (mark->state == BM_STATE_TEXT && byte == '<');
    if (mark->position - mark->content == BM_MARK_MAX_CONTENT && !is_markup)
        cut_content(mark, mark->position - mark->n_pending);
    switch (mark->state) {
    case BM_STATE_START_NAME:
    case BM_STATE_END_FIRST:
    case BM_STATE_END_NAME:
    case BM_STATE_END_SPACE:
        return true;
    case BM_STATE_TEXT:
        if (byte == '<') return true;
        break;
    case BM_STATE_LESS:
        if (byte != '!' && byte != '?') return true;
        if (mark->field_is_open) add_to_field(mark, '<');
        break;
    default:
        break;
    }
    if (mark->field_is_open) add_to_field(mark, byte);
    if (bm_mark_digest_is_collecting(&mark->digest)) {
        bm_mark_digest_add(&mark->digest, byte);
        if (!bm_mark_digest_is_collecting(&mark->digest)) watch(mark);
    }
    add_to_number(mark, byte);
    return true;
}

static size_t encode_utf8(char utf8[3], uint32_t character) {
    size_t n = 0;
    if (character < 0x800) {
        utf8[n++] = (char)(0xc0 | character >> 6);
    } else { /* none of the encodings has one beyond U+FFFF */
        utf8[n++] = (char)(0xe0 | character >> 12);
        utf8[n++] = (char)(0x80 | (character >> 6 & 0x3f));
    }
    utf8[n++] = (char)(0x80 | (character & 0x3f));
    return n;
}

/* In a field's value, too, the text from `at` to `end` becomes the character. */
static void convert_field(struct bm_mark *mark, uint64_t at, uint64_t end, uint32_t value) {
    struct bm_mark_field *field = &mark->field;
    char utf8[3];
    size_t n_utf8 = encode_utf8(utf8, value);
    size_t n_old = (size_t)(end - at);
    uint64_t n_back = mark->field_to - at;
    bool is_there = !field->is_cut && n_back <= field->n_value && n_old <= n_back;
    if (!is_there || field->n_value - n_old + n_utf8 > BM_MARK_MAX_VALUE) {
        field->is_cut = true;
        return;
    }
    char *from = field->value + field->n_value - (size_t)n_back;
    memmove(from + n_utf8, from + n_old, (size_t)n_back - n_old);
    memcpy(from, utf8, n_utf8);
    field->n_value = field->n_value - n_old + n_utf8;
}

bool bm_mark_add_character(struct bm_mark *mark, uint64_t at, uint64_t end, uint32_t value) {
    if (mark->in_megablast) {
        return bm_mark_fail(mark, at,
                            "a BlastOutput_mbstat holds a character that would have to be converted");
    }
    if (mark->state == BM_STATE_START_NAME && mark->tag_is_open) decide_early(mark);
    begin_long_number(mark);
    cut_content(mark, at);
    if (mark->field_is_open) convert_field(mark, at, end, value);
    struct bm_mark_entry *entry = bm_mark_add(mark, BM_MARK_CHARACTER, at);
    entry->end = end;
    entry->value = value;
    return true;
}
