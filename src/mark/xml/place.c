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
#include "mark/xml/xml.h"

#include <string.h>
#include <strings.h>

/* --- fields ---------------------------------------------------------------------------------- */

static void begin_field(struct bm_mark_xml *xml) {
    const struct bm_mark_xml_name *name = &xml->open_elements[xml->depth - 1];
    bm_mark_field_begin(&xml->mark, name->bytes, name->n_bytes);
    xml->mark.field.is_parameter = xml->in_parameters && xml->depth > BM_DEPTH_HEADER;
    xml->field_is_open = true;
}

static void add_to_field(struct bm_mark_xml *xml, uint8_t byte) {
    const char c = (char)byte;
    bm_mark_field_add(&xml->mark, &c, 1);
    xml->field_to = xml->mark.position + 1;
}

/* The header of BLAST XML has the first query's. */
static void take_query_field(struct bm_mark_xml *xml) {
    const struct bm_mark_field *field = &xml->mark.field;
    static const struct {
        const char *name;
        enum bm_mark_digest_part part;
    } parts[] = {{"BlastOutput_query-ID", BM_DIGEST_ID},
                 {"BlastOutput_query-def", BM_DIGEST_TITLE},
                 {"BlastOutput_query-len", BM_DIGEST_LENGTH}};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (strcmp(field->name, parts[i].name) == 0) {
            bm_mark_digest_take(&xml->mark.digest.header, parts[i].part, field->value, field->n_value);
            xml->mark.digest.has_header = true;
        }
}

static void end_field(struct bm_mark_xml *xml, uint64_t after) {
    xml->field_is_open = false;
    take_query_field(xml);
    bm_mark_field_end(&xml->mark, after);
}

/* --- the Iteration's number ------------------------------------------------------------------ */

static void begin_number(struct bm_mark_xml *xml, uint64_t after) {
    xml->in_number = true;
    xml->number_is_held = true;
    xml->number_is_digits = true;
    xml->number = after;
    xml->number_value = 0;
    xml->n_number = 0;
}

/* Its content is too long, or more than text. */
static void begin_long_number(struct bm_mark_xml *xml) {
    if (!xml->number_is_held) return;
    xml->number_is_held = false;
    bm_mark_add(&xml->mark, BM_MARK_NUMBER_LONG, xml->number);
}

static void add_to_number(struct bm_mark_xml *xml, uint8_t byte) {
    if (!xml->number_is_held) return;
    uint64_t digit = (uint64_t)byte - '0';
    if (byte < '0' || byte > '9' || xml->number_value > (UINT64_MAX - digit) / 10) {
        xml->number_is_digits = false;
    } else {
        xml->number_value = xml->number_value * 10 + digit;
    }
    if (++xml->n_number > BM_MARK_MAX_NUMBER) begin_long_number(xml);
}

/* At the '<' of its end tag. */
static void end_number(struct bm_mark_xml *xml) {
    if (!xml->number_is_held) {
        bm_mark_add(&xml->mark, BM_MARK_NUMBER_LONG_END, xml->less);
        return;
    }
    xml->number_is_held = false;
    struct bm_mark_entry *entry = bm_mark_add(&xml->mark, BM_MARK_NUMBER, xml->number);
    entry->end = xml->less;
    if (xml->number_is_digits && xml->n_number > 0) {
        entry->flags = BM_MARK_DIGITS;
        entry->value = xml->number_value;
    }
}

/* Something is missing before the '<', with what is to be known of the indentation there. */
static void add_missing(struct bm_mark_xml *xml, enum bm_mark_kind kind) {
    enum { MAX_BLANKS = 64 };
    struct bm_mark_entry *entry = bm_mark_add(&xml->mark, kind, xml->less);
    if (xml->blank == BM_MARK_NOWHERE || !xml->blank_on_new_line) return;
    uint64_t n_blanks = xml->less - xml->blank;
    entry->flags = BM_MARK_NEWLINE;
    entry->value = n_blanks < MAX_BLANKS ? n_blanks : MAX_BLANKS;
}

static void add_missing_number(struct bm_mark_xml *xml) {
    add_missing(xml, BM_MARK_NUMBER_MISSING);
    xml->first_seen = true;
}

static void add_missing_names(struct bm_mark_xml *xml) {
    xml->names_are_due = false;
    add_missing(xml, BM_MARK_QUERY_MISSING);
}

/* --- a query's id and message ---------------------------------------------------------------- */

/* Whether bytes of content matter. */
static void watch(struct bm_mark_xml *xml) {
    xml->is_watching = xml->field_is_open || xml->number_is_held || xml->content.is_held ||
                       bm_mark_digest_is_collecting(&xml->mark.digest) || xml->in_megablast;
}

static void begin_content(struct bm_mark_xml *xml, enum bm_mark_kind kind, uint64_t after) {
    xml->content.is_held = true;
    xml->content.kind = (uint8_t)kind;
    xml->content.at = after;
}

static void end_content(struct bm_mark_xml *xml, uint64_t end, enum bm_mark_flag flags) {
    if (!xml->content.is_held) return;
    xml->content.is_held = false;
    struct bm_mark_entry *entry =
        bm_mark_add(&xml->mark, (enum bm_mark_kind)xml->content.kind, xml->content.at);
    entry->end = end;
    entry->flags = flags;
    watch(xml);
}

static void cut_content(struct bm_mark_xml *xml, uint64_t end) {
    end_content(xml, end, BM_MARK_CUT);
}

/* --- parts of a query by which it is known ----------------------------------------------------- */

/* Bytes behind those that count were perhaps not looked at: it ends at `less`, if a tag ends it. */
static void cut_part(struct bm_mark_xml *xml) {
    struct bm_mark_digest *digest = &xml->mark.digest;
    if (!bm_mark_digest_is_collecting(digest) && xml->less > xml->part)
        digest->n_content = xml->less - xml->part;
    bm_mark_digest_end_part(digest);
}

static void end_part(struct bm_mark_xml *xml) {
    bool is_last = xml->mark.digest.part == BM_DIGEST_LENGTH; /* what else there may be is of no query's */
    cut_part(xml);
    if (is_last) xml->mark.digest.is_wanted = false;
}

static void begin_part(struct bm_mark_xml *xml, enum bm_mark_digest_part part, uint64_t after) {
    xml->part = after;
    if (xml->mark.digest.is_wanted) bm_mark_digest_begin_part(&xml->mark.digest, part);
}

/* --- start tags ------------------------------------------------------------------------------ */

static bool is_xml2(const struct bm_mark_xml *xml) {
    return xml->mark.kin.format == BLASTMERGE_FORMAT_XML2; /* inside of the root, which settled that */
}

static enum bm_mark_xml_element find_header_element(const struct bm_mark_xml *xml) {
    if (bm_mark_xml_name_is(xml, "BlastOutput_iterations")) return BM_ELEMENT_ITERATIONS;
    if (bm_mark_xml_name_is(xml, "BlastOutput_mbstat")) return BM_ELEMENT_MEGABLAST;
    if (xml->iterations_seen) return BM_ELEMENT_OTHER;
    if (bm_mark_xml_name_is(xml, "BlastOutput_db") && !xml->database_seen) return BM_ELEMENT_DATABASE;
    if (bm_mark_xml_name_is(xml, "BlastOutput_param")) return BM_ELEMENT_PARAMETERS;
    return BM_ELEMENT_OTHER;
}

static enum bm_mark_xml_element find_query_element(const struct bm_mark_xml *xml) {
    bool is_wanted = xml->mark.digest.is_wanted;
    if (!xml->mark.tells_queries && !is_wanted) return BM_ELEMENT_OTHER;
    if (bm_mark_xml_name_is(xml, is_xml2(xml) ? "query-id" : "Iteration_query-ID"))
        return BM_ELEMENT_QUERY_ID;
    if (is_wanted && bm_mark_xml_name_is(xml, is_xml2(xml) ? "query-title" : "Iteration_query-def"))
        return BM_ELEMENT_QUERY_TITLE;
    if (is_wanted && bm_mark_xml_name_is(xml, is_xml2(xml) ? "query-len" : "Iteration_query-len"))
        return BM_ELEMENT_QUERY_LENGTH;
    if (!xml->mark.tells_queries) return BM_ELEMENT_OTHER;
    if (bm_mark_xml_name_is(xml, is_xml2(xml) ? "message" : "Iteration_message")) return BM_ELEMENT_MESSAGE;
    return BM_ELEMENT_OTHER;
}

/* The header of XML2 lies in each report, of which the first one's is read. */
static enum bm_mark_xml_element find_report_element(const struct bm_mark_xml *xml) {
    if (xml->depth + 1 == BM_DEPTH_ITERATION)
        return BM_ELEMENT_ITERATION; /* there is no other, check_start() */
    if (xml->header_is_open && bm_mark_xml_name_is(xml, "results")) return BM_ELEMENT_RESULTS;
    if (xml->header_is_open && bm_mark_xml_name_is(xml, "params")) return BM_ELEMENT_PARAMETERS;
    if (bm_mark_xml_name_is(xml, "Hit")) return BM_ELEMENT_HIT;
    return bm_mark_xml_name_is(xml, "Hsp") ? BM_ELEMENT_HSP : find_query_element(xml);
}

static enum bm_mark_xml_element find_element(const struct bm_mark_xml *xml) {
    if (xml->depth == 0) return BM_ELEMENT_ROOT;
    if (is_xml2(xml)) return find_report_element(xml);
    if (xml->depth + 1 == BM_DEPTH_HEADER) return find_header_element(xml);
    if (xml->depth + 1 == BM_DEPTH_ITERATION) {
        return xml->in_iterations && bm_mark_xml_name_is(xml, "Iteration") ? BM_ELEMENT_ITERATION
                                                                           : BM_ELEMENT_OTHER;
    }
    if (!xml->in_iteration) return BM_ELEMENT_OTHER;
    if (xml->depth + 1 == BM_DEPTH_NUMBER && bm_mark_xml_name_is(xml, "Iteration_iter-num")) {
        return xml->first_seen ? BM_ELEMENT_NUMBER_EXTRA : BM_ELEMENT_NUMBER;
    }
    if (bm_mark_xml_name_is(xml, "Hit")) return BM_ELEMENT_HIT;
    if (bm_mark_xml_name_is(xml, "Hsp")) return BM_ELEMENT_HSP;
    return xml->depth + 1 == BM_DEPTH_NUMBER ? find_query_element(xml) : BM_ELEMENT_OTHER;
}

/* HTML's names are the same in upper and lower case. */
static bool is_html(const struct bm_mark_xml *xml) {
    static const char *const names[] = {"html", "head", "title", "body", "p", "pre", "div", "center"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strlen(names[i]) == xml->n_name && strncasecmp(xml->name, names[i], xml->n_name) == 0)
            return true;
    return false;
}

/* What is not BLAST's XML, but known. */
static bool fail_root(struct bm_mark_xml *xml) {
    char shown[BM_MARK_SHOWN_NAME];
    const char *what = "";
    bm_mark_xml_show(xml->name, xml->n_name, shown);
    if (bm_mark_xml_name_is(xml, "BlastOutput2")) {
        what =
            ": this is one query's report of -outfmt 14, which is not merged; search with -outfmt 16, which "
            "writes the same into one file";
    } else if (is_html(xml)) {
        what = ": this is HTML, perhaps a server's error page, or results for reading; download them as XML";
    } else if (bm_mark_xml_name_is(xml, "EBIApplicationResult")) {
        what = ": this is EBI's own XML, which is not merged; download BLAST XML (NCBI's) instead";
    } else if (bm_mark_xml_name_is(xml, "Error")) {
        what = ": this is perhaps a cloud storage's error message";
    }
    return bm_mark_fail(&xml->mark, xml->less, "the root element is <%s>, but <%s> was expected%s", shown,
                        is_xml2(xml) ? "BlastXML2" : "BlastOutput", what);
}

static bool check_root(struct bm_mark_xml *xml) {
    if (bm_mark_xml_name_is(xml, "BlastOutput"))
        return bm_mark_settle(&xml->mark, BLASTMERGE_FORMAT_XML, xml->less);
    if (bm_mark_xml_name_is(xml, "BlastXML2"))
        return bm_mark_settle(&xml->mark, BLASTMERGE_FORMAT_XML2, xml->less);
    return fail_root(xml);
}

/* BlastXML2 holds reports and nothing else. */
static bool check_report(struct bm_mark_xml *xml) {
    char shown[BM_MARK_SHOWN_NAME];
    if (bm_mark_xml_name_is(xml, "BlastOutput2")) return true;
    if (bm_mark_xml_name_is(xml, "xi:include")) {
        return bm_mark_fail(
            &xml->mark, xml->less,
            "this is the master file of -outfmt 14, whose reports lie in other files, which is "
            "not merged; search with -outfmt 16, which writes them all into one file");
    }
    return bm_mark_fail(&xml->mark, xml->less, "BlastXML2 holds <%s>, but <BlastOutput2> was expected",
                        bm_mark_xml_show(xml->name, xml->n_name, shown));
}

static void add_iteration(struct bm_mark_xml *xml, uint64_t less, bool has_newline) {
    struct bm_mark_entry *entry = bm_mark_add(&xml->mark, BM_MARK_ITERATION, less);
    if (has_newline) entry->flags = BM_MARK_NEWLINE;
}

/* An element begins behind the Iteration's number, or is that. */
static void follow_names(struct bm_mark_xml *xml) {
    switch (xml->element) {
    case BM_ELEMENT_NUMBER:
    case BM_ELEMENT_NUMBER_EXTRA:
        break;
    case BM_ELEMENT_QUERY_ID:
    case BM_ELEMENT_QUERY_TITLE:
    case BM_ELEMENT_QUERY_LENGTH:
        xml->names_are_due = false;
        break;
    default:
        add_missing_names(xml);
        break;
    }
}

/* What an element's beginning, whose '<' is at `less`, tells at once. */
static void add_start(struct bm_mark_xml *xml) {
    bool is_first = xml->in_iteration && xml->depth + 1 == BM_DEPTH_NUMBER && !xml->first_seen;
    xml->field_is_open = false;
    if (xml->in_number) begin_long_number(xml);
    cut_content(xml, xml->less);
    cut_part(xml);
    if (xml->element == BM_ELEMENT_ITERATION) {
        add_iteration(xml, xml->less, xml->newline_before);
    } else if (xml->element == BM_ELEMENT_NUMBER_EXTRA) {
        bm_mark_add(&xml->mark, BM_MARK_NUMBER_EXTRA, xml->less);
    } else if (is_first && xml->element != BM_ELEMENT_NUMBER) {
        add_missing_number(xml);
    }
    if (is_first) xml->first_seen = true;
    if (xml->names_are_due && xml->depth + 1 == BM_DEPTH_NUMBER) follow_names(xml);
    if (xml->element == BM_ELEMENT_MEGABLAST) {
        xml->in_megablast = xml->is_watching = true;
        xml->megablast = xml->less;
    }
    xml->mark.counts.n_hits += xml->element == BM_ELEMENT_HIT;
    xml->mark.counts.n_hsps += xml->element == BM_ELEMENT_HSP;
    xml->tag_is_open = false;
    xml->blank = BM_MARK_NOWHERE;
}

static bool check_start(struct bm_mark_xml *xml) {
    if (xml->element == BM_ELEMENT_ROOT) return check_root(xml);
    if (xml->depth == BM_DEPTH_HEADER && is_xml2(xml) && !check_report(xml)) return false;
    if (xml->element == BM_ELEMENT_ITERATIONS && xml->iterations_seen) {
        return bm_mark_fail(&xml->mark, xml->less, "the document has a second BlastOutput_iterations");
    }
    if (xml->depth == BM_MARK_MAX_DEPTH) {
        return bm_mark_fail(&xml->mark, xml->less, "elements are nested deeper than %d", BM_MARK_MAX_DEPTH);
    }
    return true;
}

/* A character to be converted in a tag's name: its mark must not come before those of the tag, which is none
 * that is known. */
static void decide_early(struct bm_mark_xml *xml) {
    xml->element = xml->depth == 0 ? BM_ELEMENT_ROOT : BM_ELEMENT_OTHER;
    add_start(xml);
}

bool bm_mark_xml_start_named(struct bm_mark_xml *xml) {
    struct bm_mark_xml_name *open = &xml->open_elements[xml->depth];
    bool is_decided = xml->depth < BM_DEPTH_NUMBER && !xml->tag_is_open;
    if (!is_decided) xml->element = (uint8_t)find_element(xml);
    if (!check_start(xml)) return false;
    open->n_bytes = xml->n_name;
    memcpy(open->bytes, xml->name, xml->n_name);
    if (!is_decided) add_start(xml);
    return true;
}

static void open_iteration(struct bm_mark_xml *xml) {
    xml->in_iteration = true;
    xml->mark.digest.is_wanted = true;
    xml->first_seen = is_xml2(xml); /* its reports have no numbers */
    xml->names_are_due = xml->mark.digest.has_header && !is_xml2(xml);
    xml->blank = BM_MARK_NOWHERE;
}

/* For the walk: a whole "<Iteration>". */
void bm_mark_xml_begin_iteration(struct bm_mark_xml *xml, uint64_t less) {
    add_iteration(xml, less, xml->newline_seen);
    open_iteration(xml);
}

static void end_header(struct bm_mark_xml *xml, uint64_t after) {
    xml->header_is_open = false;
    xml->in_parameters = false;
    bm_mark_add(&xml->mark, BM_MARK_HEADER, after);
}

static void open_iterations(struct bm_mark_xml *xml, uint64_t after) {
    bm_mark_add(&xml->mark, BM_MARK_ITERATIONS, after)->value = xml->mark.kin.format;
    xml->in_iterations = xml->iterations_seen = xml->body_is_open = true;
    xml->body = after;
    xml->newline_seen = false;
}

static void open_root(struct bm_mark_xml *xml, uint64_t after) {
    xml->phase = BM_PHASE_ROOT;
    if (!is_xml2(xml)) return;
    xml->open_elements[xml->depth++] = xml->open_elements[0];
    xml->header_is_open = true;
    open_iterations(xml, after);
}

static void open_element(struct bm_mark_xml *xml, uint64_t after) {
    switch (xml->element) {
    case BM_ELEMENT_ROOT:
        open_root(xml, after);
        break;
    case BM_ELEMENT_DATABASE:
        bm_mark_add(&xml->mark, BM_MARK_DATABASE, after);
        xml->in_database = xml->database_seen = true;
        break;
    case BM_ELEMENT_PARAMETERS:
        xml->in_parameters = true;
        break;
    case BM_ELEMENT_ITERATIONS:
        open_iterations(xml, after);
        break;
    case BM_ELEMENT_RESULTS:
        end_header(xml, after);
        break;
    case BM_ELEMENT_ITERATION:
        open_iteration(xml);
        break;
    case BM_ELEMENT_NUMBER:
        begin_number(xml, after);
        break;
    case BM_ELEMENT_NUMBER_EXTRA:
        xml->in_extra = true;
        break;
    case BM_ELEMENT_QUERY_ID:
        if (xml->mark.tells_queries) begin_content(xml, BM_MARK_QUERY_ID, after);
        begin_part(xml, BM_DIGEST_ID, after);
        break;
    case BM_ELEMENT_QUERY_TITLE:
        begin_part(xml, BM_DIGEST_TITLE, after);
        break;
    case BM_ELEMENT_QUERY_LENGTH:
        begin_part(xml, BM_DIGEST_LENGTH, after);
        break;
    case BM_ELEMENT_MESSAGE:
        begin_content(xml, BM_MARK_MESSAGE, after);
        break;
    default:
        break;
    }
}

void bm_mark_xml_end_iteration(struct bm_mark_xml *xml, uint64_t after) {
    bm_mark_add(&xml->mark, BM_MARK_ITERATION_END, after);
    xml->mark.counts.n_iterations++;
    bm_mark_digest_end_query(&xml->mark.digest);
    xml->in_iteration = false;
    xml->blank = BM_MARK_NOWHERE;
    xml->newline_seen = false;
}

static void end_megablast(struct bm_mark_xml *xml, uint64_t after) {
    bm_mark_add(&xml->mark, BM_MARK_MEGABLAST, xml->megablast)->end = after;
    xml->in_megablast = false;
}

static struct bm_mark_entry *add_empty(struct bm_mark_xml *xml, enum bm_mark_kind kind, uint64_t after) {
    struct bm_mark_entry *entry = bm_mark_add(&xml->mark, kind, after - 2);
    entry->end = after;
    entry->flags = BM_MARK_EMPTY_TAG;
    return entry;
}

static void open_empty_iterations(struct bm_mark_xml *xml, uint64_t after) {
    add_empty(xml, BM_MARK_ITERATIONS, after)->value = xml->mark.kin.format;
    xml->iterations_seen = true;
}

static void open_empty_element(struct bm_mark_xml *xml, uint64_t after) {
    switch (xml->element) {
    case BM_ELEMENT_ROOT:
        if (is_xml2(xml)) open_empty_iterations(xml, after);
        break;
    case BM_ELEMENT_DATABASE:
        add_empty(xml, BM_MARK_DATABASE, after);
        xml->database_seen = true;
        break;
    case BM_ELEMENT_MEGABLAST:
        end_megablast(xml, after);
        break;
    case BM_ELEMENT_ITERATIONS:
        open_empty_iterations(xml, after);
        break;
    case BM_ELEMENT_RESULTS:
        end_header(xml, after);
        break;
    case BM_ELEMENT_ITERATION:
        if (!is_xml2(xml)) add_empty(xml, BM_MARK_NUMBER_MISSING, after);
        bm_mark_xml_end_iteration(xml, after);
        break;
    case BM_ELEMENT_NUMBER:
        add_empty(xml, BM_MARK_NUMBER, after);
        break;
    case BM_ELEMENT_NUMBER_EXTRA:
        xml->extra_is_ending = true;
        break;
    default:
        break;
    }
}

static bool fail_no_iterations(struct bm_mark_xml *xml) {
    return bm_mark_fail(&xml->mark, xml->less, "the document ends without a BlastOutput_iterations");
}

/* The root's end tag, or that it has none, is behind the position. */
static bool end_root(struct bm_mark_xml *xml) {
    xml->phase = BM_PHASE_EPILOG;
    return xml->iterations_seen || fail_no_iterations(xml);
}

/* Whether the element that has begun may be one of the header. */
static bool has_fields(const struct bm_mark_xml *xml) {
    if (is_xml2(xml)) return xml->header_is_open && xml->depth > BM_DEPTH_ITERATION;
    return xml->depth >= BM_DEPTH_HEADER && !xml->iterations_seen;
}

bool bm_mark_xml_start_done(struct bm_mark_xml *xml, uint64_t after, bool is_empty) {
    bool is_megablast = xml->in_megablast;
    xml->depth++;
    if (is_empty) {
        open_empty_element(xml, after);
    } else {
        open_element(xml, after);
    }
    if (has_fields(xml) && !is_megablast) {
        begin_field(xml);
        if (is_empty) end_field(xml, after);
    }
    watch(xml);
    if (!is_empty) return true;
    xml->depth--;
    return xml->depth > 0 || end_root(xml);
}

/* --- end tags -------------------------------------------------------------------------------- */

static void end_iterations(struct bm_mark_xml *xml) {
    bool is_indented = xml->blank != BM_MARK_NOWHERE && xml->less - xml->blank <= BM_MARK_MAX_INDENTATION;
    struct bm_mark_entry *entry =
        bm_mark_add(&xml->mark, BM_MARK_ITERATIONS_END, is_indented ? xml->blank : xml->less);
    entry->end = xml->less;
    if (xml->newline_before) entry->flags = BM_MARK_NEWLINE;
}

void bm_mark_xml_end_begun(struct bm_mark_xml *xml) {
    if (xml->depth == BM_DEPTH_NUMBER && xml->in_number) end_number(xml);
    end_content(xml, xml->less, 0);
    end_part(xml);
    if (xml->depth == BM_DEPTH_ITERATION && xml->in_iteration && !xml->first_seen) add_missing_number(xml);
    if (xml->depth == BM_DEPTH_ITERATION && xml->in_iteration && xml->names_are_due) add_missing_names(xml);
    if (xml->depth == BM_DEPTH_HEADER && xml->in_iterations) end_iterations(xml);
    if (xml->depth == BM_DEPTH_HEADER && xml->in_database)
        bm_mark_add(&xml->mark, BM_MARK_DATABASE_END, xml->less);
    xml->tag_is_open = false;
    xml->blank = BM_MARK_NOWHERE;
}

static void end_header_element(struct bm_mark_xml *xml, uint64_t after) {
    if (xml->in_megablast) end_megablast(xml, after);
    xml->in_iterations = false;
    xml->in_database = false;
    xml->in_parameters = false;
    xml->header_is_open = false;
}

bool bm_mark_xml_end_done(struct bm_mark_xml *xml, uint64_t after) {
    uint16_t depth = xml->depth--;
    if (xml->field_is_open) end_field(xml, after);
    if (depth == BM_DEPTH_NUMBER) {
        xml->extra_is_ending = xml->in_extra;
        xml->in_extra = false;
        xml->in_number = false;
    } else if (depth == BM_DEPTH_ITERATION && xml->in_iteration) {
        bm_mark_xml_end_iteration(xml, after);
    } else if (depth == BM_DEPTH_HEADER) {
        end_header_element(xml, after);
        if (is_xml2(xml)) xml->depth = 0;
    }
    xml->is_watching = xml->in_megablast;
    return xml->depth > 0 || end_root(xml);
}

/* --- content --------------------------------------------------------------------------------- */

void bm_mark_xml_inner_markup(struct bm_mark_xml *xml) {
    begin_long_number(xml);
    cut_content(xml, xml->less);
    cut_part(xml);
    xml->tag_is_open = false;
    xml->blank = BM_MARK_NOWHERE;
}

/* The rest of the line of BlastOutput_iterations' start tag is not the body's where it is blank. */
static void find_body(struct bm_mark_xml *xml, uint32_t c, uint64_t at) {
    bool is_in_reach = at - xml->body < BM_MARK_MAX_INDENTATION;
    bool is_blank = c == ' ' || c == '\t' || c == '\r';
    if (is_in_reach && is_blank && at + 1 - xml->body < BM_MARK_MAX_INDENTATION) return;
    xml->body_is_open = false;
    if (is_in_reach && c == '\n') {
        bm_mark_add(&xml->mark, BM_MARK_BODY, at + 1);
        xml->newline_seen = false;
    } else {
        bm_mark_add(&xml->mark, BM_MARK_BODY, xml->body);
    }
}

void bm_mark_xml_follow_blanks(struct bm_mark_xml *xml, uint32_t c, uint64_t at) {
    if (c == '\n' || c == '\r') {
        xml->blank = at + 1;
        xml->blank_on_new_line = true;
    } else if (c == ' ' || c == '\t') {
        if (xml->blank != BM_MARK_NOWHERE) return;
        xml->blank = at;
        xml->blank_on_new_line = false;
    } else if (c != '<') {
        xml->blank = BM_MARK_NOWHERE;
    }
}

void bm_mark_xml_place_text(struct bm_mark_xml *xml, uint32_t c, uint64_t at) {
    if (xml->extra_is_ending && !bm_mark_is_space(c)) {
        xml->extra_is_ending = false;
        bm_mark_add(&xml->mark, BM_MARK_NUMBER_EXTRA_END, at);
    }
    if (xml->body_is_open) find_body(xml, c, at);
    bm_mark_xml_follow_blanks(xml, c, at);
}

bool bm_mark_xml_place_bytes(struct bm_mark_xml *xml, uint8_t byte) {
    if (xml->in_megablast && xml->mark.position - xml->megablast >= BM_MARK_MAX_HOLD) {
        return bm_mark_fail(&xml->mark, xml->mark.position, "a BlastOutput_mbstat is longer than %d bytes",
                            BM_MARK_MAX_HOLD);
    }
    if (xml->scope_is_open) {
        bm_mark_xml_scope_add(xml, byte);
        return true;
    }
    bool is_markup = xml->state == BM_STATE_LESS || (xml->state == BM_STATE_TEXT && byte == '<');
    if (xml->mark.position - xml->content.at == BM_MARK_MAX_CONTENT && !is_markup)
        cut_content(xml, xml->mark.position - xml->utf8.n);
    switch (xml->state) {
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
        if (xml->field_is_open) add_to_field(xml, '<');
        break;
    default:
        break;
    }
    if (xml->field_is_open) add_to_field(xml, byte);
    if (bm_mark_digest_is_collecting(&xml->mark.digest)) {
        bm_mark_digest_add(&xml->mark.digest, byte);
        if (!bm_mark_digest_is_collecting(&xml->mark.digest)) watch(xml);
    }
    add_to_number(xml, byte);
    return true;
}

/* In a field's value, too, the text from `at` to `end` becomes the character. */
static void convert_field(struct bm_mark_xml *xml, uint64_t at, uint64_t end, uint32_t value) {
    struct bm_mark_field *field = &xml->mark.field;
    char utf8[4];
    size_t n_utf8 = bm_utf8_write(utf8, value);
    size_t n_old = (size_t)(end - at);
    uint64_t n_back = xml->field_to - at;
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

bool bm_mark_xml_add_character(struct bm_mark_xml *xml, uint64_t at, uint64_t end, uint32_t value) {
    if (xml->in_megablast) {
        return bm_mark_fail(&xml->mark, at,
                            "a BlastOutput_mbstat holds a character that would have to be converted");
    }
    if (xml->state == BM_STATE_START_NAME && xml->tag_is_open) decide_early(xml);
    begin_long_number(xml);
    cut_content(xml, at);
    if (xml->field_is_open) convert_field(xml, at, end, value);
    struct bm_mark_entry *entry = bm_mark_add(&xml->mark, BM_MARK_CHARACTER, at);
    entry->end = end;
    entry->value = value;
    return true;
}
