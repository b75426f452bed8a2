/* SPDX-License-Identifier: MIT */
/*
 * How the scanner of BLAST archives (-outfmt 11) works.
 *
 * An archive is a value of ASN.1, as text. BLAST writes one for each batch of queries, one after another:
 *
 *     Blast4-archive ::= {
 *       request { ident "2.12.0+", body queue-search {
 *         program "blastp", service "plain",
 *         queries bioseq-set { seq-set { seq { id { local str "Query_1" }, .. }, .. } },
 *         subject database "nr",
 *         algorithm-options { { name "EvalueThreshold", value cutoff e-value { 1, 10, 1 } }, .. } } },
 *       results { alignments { { .. }, .. }, masks { .. }, ka-blocks { .. }, search-stats { .. } }
 *     }
 *
 * All archives of a text are one document, because a run of BLAST counts its queries through them. Each query of
 * a request is an Iteration, as far as that says what was searched; its alignments come later, mixed with those
 * of the other queries. So an Iteration counts as whole when its archive has ended.
 *
 * The scanner does not know the types of ASN.1. It knows how a value is written: a block { } of elements with
 * commas between them; an element is words, a value, or words and a value; a value is a block, a string, a
 * number, bits, or a word in capitals. judge.c holds that, byte by byte. place.c knows the blocks that matter to
 * a merge by the words on the path to them (docs/archives.md has the rules).
 *
 * Nothing is read ahead or back, except ids: a mark for one is added when it has ended. Nothing of the text is
 * kept but the current element's words, and an option's name.
 */
#include "mark/archive/archive.h"

static size_t step(struct bm_mark *mark, const uint8_t *text, size_t n_text) {
    struct bm_mark_archive *archive = (struct bm_mark_archive *)mark;
    size_t used = 0;
    if (!archive->document_is_open && n_text > 0 && !bm_mark_archive_begin_document(archive, 0)) return 0;
    while (used < n_text && bm_mark_can_step(mark)) {
        size_t n = bm_mark_archive_take(archive, text + used, n_text - used);
        mark->position += n;
        used += n;
    }
    return used;
}

static bool finish(struct bm_mark *mark) {
    struct bm_mark_archive *archive = (struct bm_mark_archive *)mark;
    if (archive->state != BM_ARCHIVE_OUTSIDE || archive->n_matched == 0)
        return bm_mark_archive_fail_end(archive);
    struct bm_mark_entry *entry = bm_mark_add(mark, BM_MARK_ITERATIONS_END, mark->position);
    entry->end = mark->position;
    entry->flags = archive->line_is_open ? BM_MARK_OPEN : BM_MARK_NEWLINE;
    (void)bm_mark_add_document_end(mark, mark->position);
    return true;
}

static uint64_t safe_offset(const struct bm_mark *mark) {
    const struct bm_mark_archive *archive = (const struct bm_mark_archive *)mark;
    return archive->content.is_held ? archive->content.at : mark->position;
}

static bool begins(const uint8_t *text, size_t n_text, bool is_begin_of_line, bool is_fault) {
    (void)is_fault;
    (void)is_begin_of_line;
    return bm_mark_begins_with(text, n_text, "Blast4-archive ::=");
}

const struct bm_mark_scanner bm_mark_archive = {
    .step = step,
    .finish = finish,
    .safe = safe_offset,
    .begins = begins,
    .n_cleared = sizeof(struct bm_mark_archive),
};
