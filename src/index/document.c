/* SPDX-License-Identifier: MIT */
#include "index/document.h"
#include "format/format.h"

#ifdef BLASTMERGE_SQLITE
#include "index/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { MOST_SEGMENTS = 8, DIGITS = 32, COUNT = 64 };

enum phase { PHASE_HEADER, PHASE_NEXT, PHASE_REST, PHASE_FOOTER, PHASE_END };

/* Text that is handed on next. */
struct segment {
    const char *text;
    size_t n_text;
};

struct bm_index_document {
    struct bm_memory *memory;
    struct bm_cancel *cancel;
    struct bm_index_read *read;
    struct bm_index_text_reader *reader;
    enum blastmerge_format format;
    bool renumber;
    enum phase phase;
    uint64_t n_written;   /* Iterations, or archives */
    uint64_t last_offset; /* of the last one */
    struct bm_index_found found;
    struct bm_index_head head;
    char *text; /* the current Iteration, or a piece of it */
    size_t size;
    uint64_t n_rest; /* bytes of the Iteration behind that piece ... */
    uint32_t crc32;  /* ... and the CRC-32 of what was handed on of it */
    char number[DIGITS];
    char id[DIGITS];
    char count[COUNT];
    size_t n_segments;
    size_t segment; /* the current one */
    struct segment segments[MOST_SEGMENTS];
};

/* --- life ---------------------------------------------------------------------------------------- */

enum blastmerge_status bm_index_document_open(struct bm_index_document **document, struct bm_memory *memory,
                                              struct bm_index_bytes *result, struct bm_index_read *read,
                                              bool renumber, struct bm_cancel *cancel,
                                              struct blastmerge_error *error) {
    struct bm_index_document *made = bm_allocate(memory, sizeof *made);
    *document = made;
    if (made == NULL) return bm_fail(error, BLASTMERGE_NO_MEMORY, "out of memory");
    made->memory = memory;
    made->cancel = cancel;
    made->read = read;
    made->format = bm_index_read_format(read);
    made->renumber = renumber;
    return bm_index_text_open(&made->reader, memory, result, read, cancel, error);
}

void bm_index_document_close(struct bm_index_document *document) {
    if (document == NULL) return;
    bm_index_text_close(document->reader);
    bm_release(document->memory, document->text);
    bm_release(document->memory, document);
}

/* --- an Iteration -------------------------------------------------------------------------------- */

static enum blastmerge_status fail_row(const struct bm_index_document *document,
                                       struct blastmerge_error *error) {
    return bm_fail_at(error, BLASTMERGE_DATA, document->found.offset,
                      "what is there is not the Iteration that its index has there (number %" PRIu64
                      "): the file or its index is damaged; make the index anew",
                      document->found.number);
}

/* Memory for an Iteration, or for a piece of one that is too long. */
static enum blastmerge_status make_room(struct bm_index_document *document, struct blastmerge_error *error) {
    size_t wanted = document->found.size < BM_INDEX_HELD ? (size_t)document->found.size : BM_INDEX_HELD;
    if (wanted <= document->size) return BLASTMERGE_OK;
    bm_release(document->memory, document->text);
    document->text = bm_allocate(document->memory, wanted);
    document->size = document->text == NULL ? 0 : wanted;
    return document->text == NULL ? bm_fail(error, BLASTMERGE_NO_MEMORY, "out of memory") : BLASTMERGE_OK;
}

/* Reads the next piece, and sums it up. */
static enum blastmerge_status read_piece(struct bm_index_document *document, size_t *n_piece,
                                         struct blastmerge_error *error) {
    uint64_t offset = document->found.offset + (document->found.size - document->n_rest);
    *n_piece = document->n_rest < document->size ? (size_t)document->n_rest : document->size;
    enum blastmerge_status status =
        bm_index_text_read(document->reader, offset, document->text, *n_piece, error);
    if (status != BLASTMERGE_OK) return status;
    if (*n_piece > 0) document->crc32 = bm_crc32(document->crc32, document->text, *n_piece);
    document->n_rest -= *n_piece;
    return BLASTMERGE_OK;
}

static void begin_reading(struct bm_index_document *document) {
    document->n_rest = document->found.size;
    document->crc32 = 0;
}

/* Sums up all of an Iteration that is too long to be held. */
static enum blastmerge_status prove(struct bm_index_document *document, struct blastmerge_error *error) {
    size_t n_piece = 0;
    enum blastmerge_status status = BLASTMERGE_OK;
    begin_reading(document);
    while (status == BLASTMERGE_OK && document->n_rest > 0) status = read_piece(document, &n_piece, error);
    if (status == BLASTMERGE_OK && document->crc32 != document->found.crc32)
        status = fail_row(document, error);
    return status;
}

static bool is_text(const char *one, size_t n_one, const char *other, size_t n_other) {
    return n_one == n_other && memcmp(one, other, n_one) == 0;
}

/* Whether the Iteration's own text names the query that the index names, as far as it names one. */
static bool names_query(const struct bm_index_document *document) {
    const struct bm_index_head *head = &document->head;
    const struct bm_index_found *found = &document->found;
    bool is_named = head->n_id > 0 || head->n_name > 0 || head->has_length;
    if (!is_named) return true; /* only the document's header does, in old BLAST XML */
    return is_text(head->id, head->n_id, found->id, found->n_id) &&
           is_text(head->name, head->n_name, found->name, found->n_name) &&
           is_text(head->accession, head->n_accession, found->accession, found->n_accession);
}

/* --- what is handed on --------------------------------------------------------------------------- */

static void add_segment(struct bm_index_document *document, const char *text, size_t n_text) {
    if (n_text == 0) return;
    bm_require(document->n_segments < MOST_SEGMENTS);
    document->segments[document->n_segments++] = (struct segment){text, n_text};
}

/* The piece's text up to the place, and something else instead of what is there. */
static void replace(struct bm_index_document *document, size_t *position, const struct bm_index_place *place,
                    const char *text) {
    if (place->end == 0 || place->begin < *position) return;
    add_segment(document, document->text + *position, place->begin - *position);
    add_segment(document, text, strlen(text));
    *position = place->end;
}

static void add_first_piece(struct bm_index_document *document, size_t n_piece) {
    size_t position = 0;
    uint64_t number = document->n_written;
    if (document->renumber) {
        (void)snprintf(document->number, sizeof document->number, "%" PRIu64, number);
        (void)snprintf(document->id, sizeof document->id, "Query_%" PRIu64, number);
        replace(document, &position, &document->head.number_as_written, document->number);
        if (bm_index_head_number(document->head.id, document->head.n_id) > 0)
            replace(document, &position, &document->head.id_as_written, document->id);
    }
    add_segment(document, document->text + position, n_piece - position);
}

/* The next Iteration that is wanted. */
static enum blastmerge_status take_iteration(struct bm_index_document *document,
                                             struct blastmerge_error *error) {
    size_t n_piece = 0;
    bool is_end = false;
    enum blastmerge_status status = bm_index_read_next(document->read, &document->found, &is_end, error);
    if (status != BLASTMERGE_OK) return status;
    if (is_end) {
        document->phase = PHASE_FOOTER;
        return BLASTMERGE_OK;
    }
    bool is_archive = bm_format_of(document->format)->has_archives;
    if (is_archive && document->n_written > 0 && document->found.offset == document->last_offset)
        return BLASTMERGE_OK; /* another query of the archive that was handed on */
    document->last_offset = document->found.offset;
    status = make_room(document, error);
    if (status == BLASTMERGE_OK && document->found.size > document->size) status = prove(document, error);
    begin_reading(document);
    if (status == BLASTMERGE_OK) status = read_piece(document, &n_piece, error);
    if (status != BLASTMERGE_OK) return status;
    if (!is_archive) /* where the query can stand behind others */
        bm_index_head_parse(&document->head, document->format, document->text,
                            n_piece < BM_INDEX_HEAD ? n_piece : BM_INDEX_HEAD);
    bool is_right = document->n_rest > 0 || document->crc32 == document->found.crc32;
    if (!is_right || (!is_archive && !names_query(document))) return fail_row(document, error);
    const struct bm_index_part *joint = &bm_index_read_parts(document->read)->joint;
    if (document->n_written++ > 0) add_segment(document, joint->text, joint->n_text);
    add_first_piece(document, n_piece);
    document->phase = document->n_rest > 0 ? PHASE_REST : PHASE_NEXT;
    return BLASTMERGE_OK;
}

/* More of an Iteration that is too long to be held: it is still what it was. */
static enum blastmerge_status take_rest(struct bm_index_document *document, struct blastmerge_error *error) {
    size_t n_piece = 0;
    enum blastmerge_status status = read_piece(document, &n_piece, error);
    if (status != BLASTMERGE_OK) return status;
    if (document->n_rest == 0 && document->crc32 != document->found.crc32)
        return bm_fail(error, BLASTMERGE_CHANGED, "changed while it was read");
    add_segment(document, document->text, n_piece);
    if (document->n_rest == 0) document->phase = PHASE_NEXT;
    return BLASTMERGE_OK;
}

/* "# BLAST processed N queries" counts the queries that are there. */
static void take_footer(struct bm_index_document *document) {
    static const char before[] = "# BLAST processed ";
    const struct bm_index_part *footer = &bm_index_read_parts(document->read)->footer;
    const char *found = footer->n_text == 0 || !bm_format_of(document->format)->has_count
                            ? NULL
                            : memmem(footer->text, footer->n_text, before, sizeof before - 1);
    document->phase = PHASE_END;
    if (found == NULL) {
        add_segment(document, footer->text, footer->n_text);
        return;
    }
    const char *digits = found + sizeof before - 1;
    const char *end = footer->text + footer->n_text;
    (void)snprintf(document->count, sizeof document->count, "%" PRIu64, document->n_written);
    add_segment(document, footer->text, (size_t)(digits - footer->text));
    add_segment(document, document->count, strlen(document->count));
    while (digits < end && *digits >= '0' && *digits <= '9') digits++;
    add_segment(document, digits, (size_t)(end - digits));
}

static enum blastmerge_status take(struct bm_index_document *document, struct blastmerge_error *error) {
    document->segment = document->n_segments = 0;
    switch (document->phase) {
    case PHASE_HEADER: {
        const struct bm_index_part *header = &bm_index_read_parts(document->read)->header;
        add_segment(document, header->text, header->n_text);
        document->phase = PHASE_NEXT;
        return BLASTMERGE_OK;
    }
    case PHASE_NEXT:
        return take_iteration(document, error);
    case PHASE_REST:
        return take_rest(document, error);
    case PHASE_FOOTER:
        take_footer(document);
        return BLASTMERGE_OK;
    case PHASE_END:
        break;
    }
    return BLASTMERGE_OK;
}

/* --- the source ---------------------------------------------------------------------------------- */

static enum blastmerge_status look(struct bm_fetch_source *source, struct blastmerge_error *error) {
    (void)source;
    (void)error;
    return BLASTMERGE_OK;
}

static enum blastmerge_status open_document(struct bm_fetch *fetch, struct blastmerge_error *error) {
    const struct bm_index_document *document = fetch->source->from.other;
    if (document->phase == PHASE_HEADER) return BLASTMERGE_OK;
    return bm_fail(error, BLASTMERGE_INTERNAL, "its document was already read");
}

static enum blastmerge_status read_document(struct bm_fetch *fetch, uint8_t *data, size_t capacity,
                                            size_t *n_read, struct blastmerge_error *error) {
    struct bm_index_document *document = fetch->source->from.other;
    *n_read = 0;
    while (document->segment == document->n_segments && document->phase != PHASE_END) {
        if (bm_cancel_is_set(document->cancel)) return bm_fail(error, BLASTMERGE_CANCELLED, "cancelled");
        enum blastmerge_status status = take(document, error);
        if (status != BLASTMERGE_OK) return status;
    }
    if (document->segment == document->n_segments) return BLASTMERGE_OK;
    struct segment *segment = &document->segments[document->segment];
    *n_read = segment->n_text < capacity ? segment->n_text : capacity;
    memcpy(data, segment->text, *n_read);
    segment->text += *n_read;
    segment->n_text -= *n_read;
    document->segment += segment->n_text == 0;
    return BLASTMERGE_OK;
}

static void close_document(struct bm_fetch *fetch) {
    (void)fetch;
}

static const struct bm_fetch_back_end back_end = {
    .look = look, .open = open_document, .read = read_document, .close = close_document};

struct bm_fetch_source bm_index_document_source(struct bm_index_document *document, const char *name) {
    return (struct bm_fetch_source){.back_end = &back_end,
                                    .location = name,
                                    .shown = name,
                                    .from.other = document,
                                    .n_bytes = UINT64_MAX};
}

#endif
