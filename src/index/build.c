/* SPDX-License-Identifier: MIT */
/*
 * Marks -> rows. The text is taken in order, each stretch according to its zone, which marks change. What an Iteration says
 * of its query is parsed from its first bytes when it ends.
 */
#include "index/internal.h"

#include <string.h>

#ifdef BLASTMERGE_SQLITE

enum { LEAST_BUFFER = 4096, EVALUE = 32, EVALUE_COLUMN = 10, STANDARD_COLUMNS = 12 };

/* --- life ---------------------------------------------------------------------------------------- */

enum blastmerge_status bm_index_build_open(struct bm_index_build **build,
                                           const struct bm_index_settings *settings, struct bm_memory *memory,
                                           int file, struct bm_cancel *cancel,
                                           struct blastmerge_error *error) {
    struct bm_index_build *made = bm_allocate(memory, sizeof *made);
    *build = made;
    if (made == NULL) return bm_fail(error, BLASTMERGE_NO_MEMORY, "out of memory");
    made->memory = memory;
    made->settings = *settings;
    made->format = settings->format;
    enum blastmerge_status status = bm_index_restarts_open(made, error);
    return status == BLASTMERGE_OK ? bm_index_write_open(&made->write, file, settings->beside, cancel, error)
                                   : status;
}

void bm_index_build_close(struct bm_index_build *build) {
    if (build == NULL) return;
    bm_index_write_close(&build->write);
    bm_index_restarts_close(build);
    bm_release(build->memory, build->header.text);
    bm_release(build->memory, build->gap.text);
    for (size_t i = 0; i < sizeof build->kept / sizeof build->kept[0]; i++)
        bm_release(build->memory, build->kept[i].text);
    bm_release(build->memory, build);
}

/* --- text that is kept --------------------------------------------------------------------------- */

static enum blastmerge_status append(struct bm_index_build *build, struct bm_index_buffer *buffer,
                                     const void *text, size_t n_text, struct blastmerge_error *error) {
    if (n_text == 0) return BLASTMERGE_OK;
    if (n_text > BM_INDEX_MOST_FRAME - buffer->n_text)
        return bm_fail_at(error, BLASTMERGE_DATA, build->at,
                          "the text before, between or behind its Iterations is longer than %d bytes, which "
                          "cannot be indexed",
                          BM_INDEX_MOST_FRAME);
    if (buffer->n_text + n_text > buffer->size) {
        size_t size = buffer->size == 0 ? LEAST_BUFFER : buffer->size;
        while (size < buffer->n_text + n_text) size *= 2;
        char *grown = bm_reallocate(build->memory, buffer->text, size);
        if (grown == NULL) return bm_fail(error, BLASTMERGE_NO_MEMORY, "out of memory");
        buffer->text = grown;
        buffer->size = size;
    }
    memcpy(buffer->text + buffer->n_text, text, n_text);
    buffer->n_text += n_text;
    return BLASTMERGE_OK;
}

static enum blastmerge_status keep(struct bm_index_build *build, size_t which,
                                   const struct bm_index_buffer *buffer, struct blastmerge_error *error) {
    build->kept[which].n_text = 0;
    return append(build, &build->kept[which], buffer->text, buffer->n_text, error);
}

/* --- an Iteration -------------------------------------------------------------------------------- */

void bm_index_begin_iteration(struct bm_index_build *build, uint64_t offset) {
    uint64_t number = build->row.number + 1;
    build->row = (struct bm_index_row){.number = number, .offset = offset};
    build->is_in_iteration = true;
    build->wants_evalue = true;
    build->n_head = 0;
}

/* The first E-value of the Iteration, which is the best one: hits and their HSPs are sorted. `text` was preceded by up to
 * EVALUE bytes of the Iteration, `n_before`, which have been searched. */
static void find_evalue(struct bm_index_build *build, const char *text, size_t n_before, size_t n_text) {
    const char *before = bm_format_of(build->format)->evalue;
    if (before == NULL || !build->wants_evalue) return;
    const char *found = memmem(text - n_before, n_before + n_text, before, strlen(before));
    if (found == NULL) return;
    const char *value = found + strlen(before);
    size_t n_value = (size_t)(text + n_text - value);
    if (n_value < EVALUE && memchr(value, before[0] == '<' ? '<' : ',', n_value) == NULL)
        return; /* it goes on in the next piece, which comes with this one's end */
    build->row.has_evalue = bm_index_head_evalue(value, n_value, &build->row.evalue);
    build->wants_evalue = false;
}

void bm_index_expect(struct bm_index_build *build, const struct bm_mark_entry *mark) {
    if (mark->kind != BM_MARK_ITERATION_END) return;
    bool has_hsps = (uint32_t)mark->end != (uint32_t)(build->n_hsps - build->n_hsps_before);
    build->wants_evalue = build->wants_evalue && has_hsps;
}

/* Adds text to the Iteration, except to its CRC-32. */
static void add_text(struct bm_index_build *build, const char *text, size_t n_text) {
    size_t n = BM_INDEX_HEAD - build->n_head;
    if (n > n_text) n = n_text;
    memcpy(build->head + build->n_head, text, n);
    build->n_head += n;
    build->row.size += n_text;
}

void bm_index_add_text(struct bm_index_build *build, const char *text, size_t n_text) {
    if (n_text == 0) return;
    build->row.crc32 = bm_crc32(build->row.crc32, text, n_text);
    add_text(build, text, n_text);
}

/* Most of a long text was summed up when it was inflated. */
static void add_piece(struct bm_index_build *build, const struct bm_index_piece *piece) {
    if (piece->batch == NULL) {
        bm_index_add_text(build, piece->text, piece->n_text);
        return;
    }
    uint64_t to = bm_batch_sum(piece->batch, &build->row.crc32, piece->from, piece->from + piece->n_text);
    bm_require(to == piece->from + piece->n_text); /* it is in no gap */
    add_text(build, piece->text, piece->n_text);
}

/* The field of a row with this number, from 0; as long as the row has so many. */
static const char *find_field(const char *row, size_t n_row, char separator, size_t column, size_t *n_field) {
    const char *end = row + n_row;
    for (; column > 0; column--) {
        const char *next = memchr(row, separator, (size_t)(end - row));
        if (next == NULL) return NULL;
        row = next + 1;
    }
    const char *next = memchr(row, separator, (size_t)(end - row));
    *n_field = (size_t)((next == NULL ? end : next) - row);
    return row;
}

/* Which field of the rows is the E-value; SIZE_MAX: none. -outfmt 7 names its columns. */
static size_t find_column(const char *head, size_t n_head) {
    static const char before[] = "\n# Fields: ";
    static const char wanted[] = "evalue";
    const char *found = memmem(head, n_head, before, sizeof before - 1);
    if (found == NULL) return SIZE_MAX;
    const char *at = found + sizeof before - 1;
    const char *end = memchr(at, '\n', (size_t)(head + n_head - at));
    for (size_t column = 0; end != NULL && at < end; column++) {
        const char *comma = memchr(at, ',', (size_t)(end - at));
        size_t n = (size_t)((comma == NULL ? end : comma) - at);
        if (n > 0 && at[n - 1] == '\r') n--;
        if (n == sizeof wanted - 1 && memcmp(at, wanted, n) == 0) return column;
        if (comma == NULL) break;
        at = comma + 1 + (comma + 1 < end && comma[1] == ' ');
    }
    return SIZE_MAX;
}

/* That of the query's first row. */
static void find_evalue_in_row(struct bm_index_build *build) {
    const char *row = build->head;
    const char *limit = build->head + build->n_head;
    char separator = bm_format_of(build->format)->separator;
    size_t column = build->has_rows ? EVALUE_COLUMN : find_column(build->head, build->n_head);
    size_t n_field = 0;
    while (row < limit && *row == '#') {
        const char *end = memchr(row, '\n', (size_t)(limit - row));
        if (end == NULL) return;
        row = end + 1;
    }
    const char *end = row < limit ? memchr(row, '\n', (size_t)(limit - row)) : NULL;
    if (end == NULL || column == SIZE_MAX) return;
    size_t n_row = (size_t)(end - row);
    /* Without comments only BLAST's own columns are known. */
    bool is_standard = find_field(row, n_row, separator, STANDARD_COLUMNS - 1, &n_field) != NULL &&
                       find_field(row, n_row, separator, STANDARD_COLUMNS, &n_field) == NULL;
    if (build->has_rows && !is_standard) return;
    const char *field = find_field(row, n_row, separator, column, &n_field);
    if (field != NULL) build->row.has_evalue = bm_index_head_evalue(field, n_field, &build->row.evalue);
}

static struct bm_index_text text_of(const char *text, size_t n_text) {
    return (struct bm_index_text){n_text == 0 ? NULL : text, n_text};
}

enum blastmerge_status bm_index_end_iteration(struct bm_index_build *build, struct blastmerge_error *error) {
    struct bm_index_row *row = &build->row;
    struct bm_index_head *parsed = &build->parsed;
    bm_index_head_parse(parsed, build->format, build->head, build->n_head);
    bm_index_head_complete(parsed, build->format, build->header.text, build->header.n_text);
    row->id = text_of(parsed->id, parsed->n_id);
    if (parsed->n_id == 0 && !bm_format_is_table(build->format)) row->id.text = "";
    row->name = text_of(parsed->name, parsed->n_name);
    row->accession = text_of(parsed->accession, parsed->n_accession);
    if (build->settings.definitions) row->definition = text_of(parsed->definition, parsed->n_definition);
    row->has_length = parsed->has_length;
    row->length = parsed->length;
    if (bm_format_of(build->format)->evalue == NULL) find_evalue_in_row(build);
    build->is_in_iteration = false;
    return bm_index_write_row(&build->write, row, error);
}

/* --- text, by zone -------------------------------------------------------------------------------- */

enum blastmerge_status bm_index_take_text(struct bm_index_build *build, const struct bm_index_piece *piece,
                                          struct blastmerge_error *error) {
    enum blastmerge_status status = BLASTMERGE_OK;
    size_t n_before = piece->n_before < EVALUE ? piece->n_before : EVALUE;
    switch (build->zone) {
    case BM_INDEX_OUTSIDE:
    case BM_INDEX_SKIPPED:
        break;
    case BM_INDEX_NAMES:
        status = append(build, &build->kept[0], piece->text, piece->n_text, error);
        break;
    case BM_INDEX_HEADER:
        status = append(build, &build->header, piece->text, piece->n_text, error);
        break;
    case BM_INDEX_GAP:
        status = append(build, &build->gap, piece->text, piece->n_text, error);
        break;
    case BM_INDEX_ARCHIVE:
        build->archive_crc32 = bm_crc32(build->archive_crc32, piece->text, piece->n_text);
        if (build->is_in_iteration) bm_index_add_text(build, piece->text, piece->n_text);
        break;
    case BM_INDEX_ITERATION:
        if (build->has_rows) {
            status = bm_index_rows_take(build, piece->text, piece->n_text, error);
        } else {
            if (n_before > build->row.size) n_before = (size_t)build->row.size;
            find_evalue(build, piece->text, n_before, piece->n_text);
            add_piece(build, piece);
        }
        break;
    }
    build->at += piece->n_text;
    return status;
}

/* Takes the text up to the offset. */
static enum blastmerge_status advance(struct bm_index_build *build, const struct bm_batch *batch, uint64_t to,
                                      struct blastmerge_error *error) {
    if (to <= build->at) return BLASTMERGE_OK;
    const struct bm_index_piece piece = {.text = (const char *)bm_batch_at(batch, build->at, to - build->at),
                                         .n_text = (size_t)(to - build->at),
                                         .n_before = EVALUE,
                                         .batch = batch,
                                         .from = build->at};
    return bm_index_take_text(build, &piece, error);
}

/* The document's text before its first Iteration has ended. */
static enum blastmerge_status end_header(struct bm_index_build *build, struct blastmerge_error *error) {
    if (build->is_frame_known || build->is_frame_open) return BLASTMERGE_OK;
    build->is_frame_open = true;
    build->is_frame_converted = build->is_converted;
    return keep(build, 0, &build->header, error);
}

/* What stands before an Iteration, or an archive, has ended. */
static enum blastmerge_status end_text_between(struct bm_index_build *build, struct blastmerge_error *error) {
    if (build->zone == BM_INDEX_HEADER) return end_header(build, error);
    if (build->zone != BM_INDEX_GAP || !build->is_frame_open || build->has_joint) return BLASTMERGE_OK;
    build->has_joint = true;
    return keep(build, 1, &build->gap, error);
}

static enum blastmerge_status begin_iteration(struct bm_index_build *build, struct blastmerge_error *error) {
    if (build->zone == BM_INDEX_ARCHIVE) {
        bm_index_begin_iteration(build, build->at);
        return BLASTMERGE_OK;
    }
    enum blastmerge_status status = end_text_between(build, error);
    if (status == BLASTMERGE_OK && build->is_converted != build->is_frame_converted)
        return bm_fail_at(error, BLASTMERGE_MISMATCH, build->at,
                          "its documents have several encodings, and cannot be indexed; merge it first");
    build->zone = BM_INDEX_ITERATION;
    if (!build->has_rows) bm_index_begin_iteration(build, build->at);
    return status;
}

static enum blastmerge_status end_iteration(struct bm_index_build *build, const struct bm_mark_entry *mark,
                                            struct blastmerge_error *error) {
    if (build->zone == BM_INDEX_ARCHIVE) {
        build->row.offset = build->archive;
        return bm_index_end_iteration(build, error);
    }
    build->row.has_hits = bm_format_of(build->format)->has_hits;
    /* The marks count modulo 2^32. */
    build->row.n_hits = (uint32_t)((mark->end >> 32) - (build->n_hits - build->n_hits_before));
    build->row.n_hsps = (uint32_t)(mark->end - (build->n_hsps - build->n_hsps_before));
    build->n_hits += build->row.n_hits;
    build->n_hsps += build->row.n_hsps;
    build->zone = BM_INDEX_GAP;
    build->gap.n_text = 0;
    return bm_index_end_iteration(build, error);
}

static enum blastmerge_status begin_archive(struct bm_index_build *build, struct blastmerge_error *error) {
    enum blastmerge_status status = end_text_between(build, error);
    build->zone = BM_INDEX_ARCHIVE;
    build->archive = build->at;
    build->archive_crc32 = 0;
    build->n_before = build->row.number;
    return status;
}

/* Only now is known what the rows of its queries say of its text. */
static enum blastmerge_status end_archive(struct bm_index_build *build, const struct bm_mark_entry *mark,
                                          struct blastmerge_error *error) {
    const struct bm_index_row archive = {.offset = build->archive,
                                         .size = build->at - build->archive,
                                         .crc32 = build->archive_crc32,
                                         .n_hsps = mark->value - (build->n_hsps - build->n_hsps_before)};
    build->n_hsps += archive.n_hsps;
    build->zone = BM_INDEX_GAP;
    build->gap.n_text = 0;
    return bm_index_write_archive(&build->write, build->n_before + 1, build->row.number, &archive, error);
}

static enum blastmerge_status begin_document(struct bm_index_build *build) {
    build->n_documents++;
    build->header.n_text = build->gap.n_text = 0;
    build->is_converted = false;
    build->zone = BM_INDEX_HEADER;
    return BLASTMERGE_OK;
}

static enum blastmerge_status end_document(struct bm_index_build *build, struct blastmerge_error *error) {
    enum blastmerge_status status = BLASTMERGE_OK;
    build->zone = BM_INDEX_OUTSIDE;
    if (build->has_rows) status = bm_index_rows_end(build, error);
    if (status != BLASTMERGE_OK || !build->is_frame_open) return status;
    build->is_frame_open = false;
    build->is_frame_known = true;
    return keep(build, 2, &build->gap, error);
}

/* --- marks --------------------------------------------------------------------------------------- */

/* Lines of a table without comments that belong to no query. The first row of column names is the header. */
static void begin_skip(struct bm_index_build *build, const struct bm_mark_entry *mark) {
    bool is_header = (mark->flags & BM_MARK_NAMES) != 0 && build->row.number == 0 &&
                     !build->is_in_iteration && build->kept[0].n_text == 0;
    build->zone = is_header ? BM_INDEX_NAMES : BM_INDEX_SKIPPED;
}

bool bm_index_is_skip(const struct bm_index_build *build, const struct bm_mark_entry *mark) {
    return mark->kind == BM_MARK_SKIP && build->has_rows && build->zone == BM_INDEX_ITERATION;
}

void bm_index_end_skip(struct bm_index_build *build) {
    build->zone = BM_INDEX_ITERATION;
}

enum blastmerge_status bm_index_take_mark(struct bm_index_build *build, const struct bm_mark_entry *mark,
                                          struct blastmerge_error *error) {
    switch (mark->kind) {
    case BM_MARK_DOCUMENT:
        return begin_document(build);
    case BM_MARK_DECLARATION:
        build->is_converted = (mark->flags & BM_MARK_CONVERTED) != 0;
        return BLASTMERGE_OK;
    case BM_MARK_ITERATIONS:
        build->format = (enum blastmerge_format)mark->value;
        build->has_rows = bm_format_is_bare_table(build->format);
        return BLASTMERGE_OK;
    case BM_MARK_ARCHIVE:
        return begin_archive(build, error);
    case BM_MARK_ARCHIVE_END:
        return end_archive(build, mark, error);
    case BM_MARK_ITERATION:
        return begin_iteration(build, error);
    case BM_MARK_ITERATION_END:
        return end_iteration(build, mark, error);
    case BM_MARK_SKIP:
        if (bm_index_is_skip(build, mark)) begin_skip(build, mark);
        return BLASTMERGE_OK;
    case BM_MARK_DOCUMENT_END:
        return end_document(build, error);
    default:
        return BLASTMERGE_OK;
    }
}

/* Marks at which the zone of the text may change. */
static bool is_border(const struct bm_index_build *build, const struct bm_mark_entry *mark) {
    return mark->kind == BM_MARK_DOCUMENT || mark->kind == BM_MARK_ITERATION ||
           mark->kind == BM_MARK_ITERATION_END || mark->kind == BM_MARK_DOCUMENT_END ||
           mark->kind == BM_MARK_ARCHIVE || mark->kind == BM_MARK_ARCHIVE_END ||
           bm_index_is_skip(build, mark);
}

enum blastmerge_status bm_index_build_marks(struct bm_index_build *build, const struct bm_batch *batch,
                                            const struct bm_mark_list *marks, uint64_t safe,
                                            struct blastmerge_error *error) {
    for (size_t i = 0; i < marks->n_entries; i++) {
        const struct bm_mark_entry *mark = &marks->entries[i];
        enum blastmerge_status status = BLASTMERGE_OK;
        bool is_skip = bm_index_is_skip(build, mark);
        bm_index_expect(build, mark);
        if (is_border(build, mark)) status = advance(build, batch, mark->offset, error);
        if (status == BLASTMERGE_OK) status = bm_index_take_mark(build, mark, error);
        if (status == BLASTMERGE_OK && is_skip) status = advance(build, batch, mark->end, error);
        if (status != BLASTMERGE_OK) return status;
        if (is_skip) bm_index_end_skip(build);
    }
    return advance(build, batch, safe < bm_batch_end(batch) ? safe : bm_batch_end(batch), error);
}

static void keep_value(char value[BM_INDEX_VALUE], const struct bm_mark_field *field) {
    size_t n = field->n_value < BM_INDEX_VALUE - 1 ? field->n_value : BM_INDEX_VALUE - 1;
    memcpy(value, field->value, n);
    value[n] = '\0';
}

void bm_index_build_field(struct bm_index_build *build, const struct bm_mark_field *field) {
    if (field->is_scope || field->is_parameter) return;
    const char *name = strncmp(field->name, "BlastOutput_", 12) == 0 ? field->name + 12 : field->name;
    if (strcmp(name, "program") == 0 && build->program[0] == '\0') keep_value(build->program, field);
    if (strcmp(name, "version") == 0 && build->version[0] == '\0') keep_value(build->version, field);
}

/* --- batches, and the end ------------------------------------------------------------------------ */

enum blastmerge_status bm_index_build_batch(struct bm_index_build *build, const struct bm_batch *batch,
                                            struct blastmerge_error *error) {
    build->crc32 = bm_crc32_follow(build->crc32, batch->crc_before, batch->crc_after, batch->n_text);
    build->n_text = bm_batch_end(batch);
    return bm_index_restarts_take(build, batch, error);
}

enum blastmerge_status bm_index_build_end(struct bm_index_build *build, struct bm_index_bytes *bytes,
                                          struct blastmerge_error *error) {
    struct bm_index_about about = {.size = bytes->n_bytes,
                                   .text_size = build->n_text,
                                   .crc32 = build->crc32,
                                   .format = build->format,
                                   .n_documents = build->n_documents,
                                   .n_iterations = build->row.number,
                                   .n_hits = build->n_hits,
                                   .n_hsps = build->n_hsps};
    struct bm_index_frame frame;
    if (build->program[0] != '\0') about.program = build->program;
    if (build->version[0] != '\0') about.version = build->version;
    enum blastmerge_status status = bm_index_bytes_tail(bytes, about.tail, &about.n_tail, error);
    if (status != BLASTMERGE_OK) return status;
    if (!build->has_restart && build->n_text != bytes->n_bytes)
        return bm_fail(
            error, BLASTMERGE_USAGE,
            "is compressed otherwise than with gzip, and cannot be indexed: compress it with gzip");
    if (!build->is_frame_known) status = keep(build, 0, &build->header, error);
    if (status != BLASTMERGE_OK) return status;
    frame.header = text_of(build->kept[0].text, build->kept[0].n_text);
    frame.joint = text_of(build->kept[1].text, build->kept[1].n_text);
    frame.footer = text_of(build->kept[2].text, build->kept[2].n_text);
    if (!build->has_joint)
        frame.joint = text_of(bm_format_of(build->format)->joint_indexed,
                              strlen(bm_format_of(build->format)->joint_indexed));
    return bm_index_write_end(&build->write, &frame, &about, error);
}

#endif
