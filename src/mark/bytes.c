/* SPDX-License-Identifier: MIT */
/*
 * Bytes -> characters.
 *
 * UTF-8 is read as RFC 3629 has it: no overlong form, no surrogate, nothing beyond U+10FFFF. Which bytes are
 * not UTF-8 is told from left to right: where a complete, valid sequence begins it is a character; where none
 * does, that one byte is not UTF-8, and reading goes on with the next byte. So of "e2 82 41" the first two
 * bytes are not UTF-8 (the second begins nothing), and 41 is an A.
 */
#include "mark/internal.h"

#include <string.h>

/* How many bytes follow a lead byte, and the range of the first of them; false: it leads nothing. */
static bool begin_sequence(struct bm_mark *mark, uint8_t byte) {
    uint8_t low = 0x80;
    uint8_t high = 0xbf;
    if (byte < 0xc2 || byte > 0xf4) return false;
    mark->n_missing = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
    mark->code_point = byte & (0x3fu >> mark->n_missing);
    if (byte == 0xe0) low = 0xa0;  /* overlong below */
    if (byte == 0xed) high = 0x9f; /* surrogates above */
    if (byte == 0xf0) low = 0x90;  /* overlong below */
    if (byte == 0xf4) high = 0x8f; /* beyond U+10FFFF above */
    mark->continuation_low = low;
    mark->continuation_high = high;
    mark->pending[0] = byte;
    mark->n_pending = 1;
    return true;
}

bool bm_mark_may_hold_bad(const struct bm_mark *mark) {
    switch (mark->state) {
    case BM_STATE_TEXT:
        return mark->phase == BM_PHASE_ROOT;
    case BM_STATE_ATTRIBUTE_VALUE:
    case BM_STATE_COMMENT:
    case BM_STATE_COMMENT_DASH:
    case BM_STATE_CDATA:
    case BM_STATE_CDATA_BRACKET:
    case BM_STATE_CDATA_CLOSE:
    case BM_STATE_PI:
    case BM_STATE_PI_CLOSE:
        return true;
    default:
        return false;
    }
}

/* A byte that is not UTF-8. */
static bool take_bad_byte(struct bm_mark *mark, uint8_t byte, uint64_t at) {
    if (mark->invalid_utf8 == BLASTMERGE_INVALID_UTF8_ERROR) {
        return bm_mark_fail(mark, at,
                            "the byte 0x%02x here is not UTF-8, which the document is said to be; "
                            "--invalid-utf8 latin1 would convert it, --invalid-utf8 keep would copy it",
                            byte);
    }
    if (!bm_mark_may_hold_bad(mark)) {
        return bm_mark_fail(mark, at, "the byte 0x%02x, which is not UTF-8, cannot stand here", byte);
    }
    if (!bm_mark_take_character(mark, BM_MARK_BAD_BYTE, at)) return false;
    mark->counts.n_invalid_bytes++;
    return mark->invalid_utf8 == BLASTMERGE_INVALID_UTF8_KEEP ||
           bm_mark_add_character(mark, at, at + 1, byte);
}

/* The bytes of a sequence that does not become a character. */
static bool drop_sequence(struct bm_mark *mark) {
    uint8_t n_pending = mark->n_pending;
    uint64_t at = mark->position - n_pending;
    mark->n_pending = 0;
    for (uint8_t i = 0; i < n_pending; i++) {
        if (!take_bad_byte(mark, mark->pending[i], at + i)) return false;
    }
    return true;
}

static bool continue_sequence(struct bm_mark *mark, uint8_t byte) {
    mark->code_point = mark->code_point << 6 | (byte & 0x3fu);
    mark->pending[mark->n_pending++] = byte;
    mark->continuation_low = 0x80;
    mark->continuation_high = 0xbf;
    if (--mark->n_missing > 0) return true;
    uint64_t at = mark->position + 1 - mark->n_pending;
    mark->n_pending = 0;
    return bm_mark_take_character(mark, mark->code_point, at);
}

static bool take_utf8(struct bm_mark *mark, uint8_t byte) {
    if (mark->n_pending > 0) {
        if (byte >= mark->continuation_low && byte <= mark->continuation_high) {
            return continue_sequence(mark, byte);
        }
        if (!drop_sequence(mark)) return false;
    }
    if (byte < 0x80) return bm_mark_take_character(mark, byte, mark->position);
    return begin_sequence(mark, byte) || take_bad_byte(mark, byte, mark->position);
}

static bool take_single_byte(struct bm_mark *mark, uint8_t byte) {
    if (mark->phase == BM_PHASE_EPILOG && mark->state == BM_STATE_LESS) { /* the next document's root */
        bm_mark_begin_document(mark, mark->less);
        return take_utf8(mark, byte);
    }
    uint32_t c = bm_mark_decode((enum bm_mark_encoding)mark->encoding, byte);
    if (c == 0) {
        return bm_mark_fail(mark, mark->position,
                            "the byte 0x%02x is no character in %s, which the document declares", byte,
                            bm_mark_encoding_name((enum bm_mark_encoding)mark->encoding));
    }
    return bm_mark_take_character(mark, c, mark->position) &&
           bm_mark_add_character(mark, mark->position, mark->position + 1, c);
}

/* Before the first '<' bytes are looked at as such. After the root, in whatever encoding that document
 * was, a byte order mark begins the next one. */
static bool is_before_characters(const struct bm_mark *mark, uint8_t byte) {
    return mark->state <= BM_STATE_SAMPLE ||
           (byte >= 0x80 && mark->state == BM_STATE_TEXT && mark->phase == BM_PHASE_EPILOG);
}

static bool take_byte(struct bm_mark *mark, uint8_t byte) {
    bool is_taken;
    if (byte == '\n' || byte == '\r') mark->newline_seen = true;
    if (mark->is_watching && !bm_mark_place_bytes(mark, byte)) return false;
    if (is_before_characters(mark, byte)) {
        is_taken = bm_mark_in_start(mark, byte);
    } else if (mark->encoding == BM_ENCODING_UTF8) {
        is_taken = take_utf8(mark, byte);
    } else if (byte < 0x80) {
        is_taken = bm_mark_take_character(mark, byte, mark->position);
    } else {
        is_taken = take_single_byte(mark, byte);
    }
    if (is_taken) mark->position++;
    return is_taken;
}

/* --- plain runs ------------------------------------------------------------------------------ */

/* Whether an ASCII byte that no such state looks for would change nothing but the position. White space
 * matters between Iterations, and before an Iteration's number. */
static bool is_in_plain(const struct bm_mark *mark) {
    switch (mark->state) {
    case BM_STATE_TEXT:
    case BM_STATE_COMMENT:
    case BM_STATE_CDATA:
    case BM_STATE_ATTRIBUTE_VALUE:
    case BM_STATE_PI:
        return mark->in_iteration && mark->first_seen && !mark->names_are_due && !mark->extra_is_ending &&
               !mark->is_watching && mark->n_pending == 0;
    default:
        return false;
    }
}

static size_t skip_plain(struct bm_mark *mark, const uint8_t *text, size_t n_text) {
    size_t n = 0;
    while (n < n_text && text[n] < 128 && (bm_mark_class[text[n]] & BM_CLASS_PLAIN) != 0) n++;
    mark->position += n;
    if (n > 0) mark->n_brackets = 0;
    return n;
}

/* ASCII characters of a name that has begun. */
static size_t take_name(struct bm_mark *mark, const uint8_t *text, size_t n_text) {
    size_t n = 0;
    size_t n_room = BM_MARK_MAX_NAME - (size_t)mark->n_name;
    while (n < n_text && n < n_room && text[n] < 128 && (bm_mark_class[text[n]] & BM_CLASS_NAME) != 0) n++;
    memcpy(mark->name + mark->n_name, text, n);
    mark->n_name = (uint16_t)(mark->n_name + n);
    mark->position += n;
    return n;
}

static bool is_in_name(const struct bm_mark *mark) {
    bool is_name = mark->state == BM_STATE_START_NAME || mark->state == BM_STATE_END_NAME ||
                   mark->state == BM_STATE_ATTRIBUTE_NAME;
    return is_name && !mark->in_megablast && mark->n_pending == 0;
}

/* The judge's own shortcut, beside the walk: runs of which each byte would do the same. */
static size_t take_run(struct bm_mark *mark, const uint8_t *text, size_t n_text) {
    if (is_in_plain(mark)) return skip_plain(mark, text, n_text);
    return is_in_name(mark) ? take_name(mark, text, n_text) : 0;
}

size_t bm_mark_take(struct bm_mark *mark, const uint8_t *text, size_t n_text) {
    size_t n = mark->walk == NULL ? 0 : take_run(mark, text, n_text);
    if (n > 0) return n;
    return take_byte(mark, *text) ? 1 : 0;
}
