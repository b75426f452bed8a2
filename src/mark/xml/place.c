/* SPDX-License-Identifier: MIT */
/*
 * Elements -> marks: the meaning of a tag at its place.
 *
 * A start tag's meaning is known when its name is complete. An end tag's is known at its '/', because it can
 * only end the open element, or be an error. Whatever is decided later holds bm_mark_safe() back at its
 * offset:
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

/* --- what is missing -------------------------------------------------------------------------- */

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
        return bm_mark_fail(&xml->mark, xml->less,
                            "this is the master file of -outfmt 14, whose reports are in other files, which "
                            "is not merged; search with -outfmt 16, which writes them all into one file");
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
    if (xml->in_number) bm_mark_xml_begin_long_number(xml);
    bm_mark_xml_cut_content(xml, xml->less);
    bm_mark_xml_cut_part(xml);
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
void bm_mark_xml_decide_early(struct bm_mark_xml *xml) {
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
        bm_mark_xml_begin_number(xml, after);
        break;
    case BM_ELEMENT_NUMBER_EXTRA:
        xml->in_extra = true;
        break;
    case BM_ELEMENT_QUERY_ID:
        if (xml->mark.tells_queries) bm_mark_xml_begin_content(xml, BM_MARK_QUERY_ID, after);
        bm_mark_xml_begin_part(xml, BM_DIGEST_ID, after);
        break;
    case BM_ELEMENT_QUERY_TITLE:
        bm_mark_xml_begin_part(xml, BM_DIGEST_TITLE, after);
        break;
    case BM_ELEMENT_QUERY_LENGTH:
        bm_mark_xml_begin_part(xml, BM_DIGEST_LENGTH, after);
        break;
    case BM_ELEMENT_MESSAGE:
        bm_mark_xml_begin_content(xml, BM_MARK_MESSAGE, after);
        break;
    default:
        break;
    }
}

void bm_mark_xml_end_iteration(struct bm_mark_xml *xml, uint64_t after) {
    bm_mark_add_iteration_end(&xml->mark, after, true);
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
        bm_mark_xml_begin_field(xml);
        if (is_empty) bm_mark_xml_end_field(xml, after);
    }
    bm_mark_xml_watch(xml);
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
    if (xml->depth == BM_DEPTH_NUMBER && xml->in_number) bm_mark_xml_end_number(xml);
    bm_mark_xml_end_content(xml, xml->less, 0);
    bm_mark_xml_end_part(xml);
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
    if (xml->field_is_open) bm_mark_xml_end_field(xml, after);
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
