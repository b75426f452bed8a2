/* SPDX-License-Identifier: MIT */
/*
 * FASTA is read as BLAST reads it, because BLAST has searched what it read: its line ends, its comments, its
 * residues. docs/queries.md has the rules; each was found by experiment.
 */
#include "queries/file.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { END = -1, FAILED = -2, LINE_END = -3 };

/* --- bytes --------------------------------------------------------------------------------------- */

static int fill(struct bm_queries_file *queries, struct blastmerge_error *error) {
    ssize_t n;
    do {
        n = pread(queries->file, queries->buffer, sizeof queries->buffer, (off_t)queries->offset);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        bm_fail_system(error, errno, "cannot read %s", queries->what);
        return FAILED;
    }
    queries->offset += (uint64_t)n;
    queries->position = 0;
    queries->n_buffer = (size_t)n;
    return n == 0 ? END : 0;
}

/* The next byte, which stays; END; FAILED. */
static int peek(struct bm_queries_file *queries, struct blastmerge_error *error) {
    for (;;) {
        if (queries->position == queries->n_buffer) {
            int result = fill(queries, error);
            if (result != 0) return result;
        }
        int byte = queries->buffer[queries->position];
        if (bm_likely(byte != queries->dropped)) return byte;
        queries->dropped = -1;
        queries->position++;
    }
}

/* --- lines --------------------------------------------------------------------------------------- */

/* The line ends with this '\r' or '\n', the next byte. BLAST goes on from what ended lines so far. A line
 * that holds the other character ends there, the rest is read again, and the end that the line had is lost.
 */
static int end_line(struct bm_queries_file *queries, int byte, struct blastmerge_error *error) {
    enum bm_queries_line_end line_end = queries->line_end;
    queries->position++;
    int next = byte == '\r' ? peek(queries, error) : 0;
    if (next == FAILED) return FAILED;
    bool is_pair = next == '\n';
    switch (line_end) {
    case BM_LINE_UNKNOWN:
        queries->line_end = byte == '\r' && !is_pair ? BM_LINE_CR : BM_LINE_CRLF;
        break;
    case BM_LINE_LF:
    case BM_LINE_CRLF:
        if (byte == '\n') {
            queries->line_end = BM_LINE_LF;
        } else if (!is_pair && next != END) {
            queries->line_end = line_end == BM_LINE_LF ? BM_LINE_MIXED : BM_LINE_CR;
            queries->dropped = '\n';
        }
        break;
    case BM_LINE_CR:
        if (byte == '\n') {
            queries->line_end = BM_LINE_MIXED;
            queries->dropped = '\r';
        }
        break;
    case BM_LINE_MIXED:
        break;
    }
    if (is_pair) queries->position++;
    return LINE_END;
}

/* The next byte, which stays; END; FAILED; LINE_END, which was taken. */
static int next_byte(struct bm_queries_file *queries, struct blastmerge_error *error) {
    int byte = peek(queries, error);
    return byte == '\n' || byte == '\r' ? end_line(queries, byte, error) : byte;
}

static bool is_blank(int byte) {
    return byte == ' ' || byte == '\t' || byte == '\v' || byte == '\f';
}

static int skip_blanks(struct bm_queries_file *queries, struct blastmerge_error *error) {
    int byte;
    while (is_blank(byte = next_byte(queries, error))) queries->position++;
    return byte;
}

static int skip_line(struct bm_queries_file *queries, struct blastmerge_error *error) {
    int byte;
    while ((byte = next_byte(queries, error)) >= 0) {
        const uint8_t *at = queries->buffer + queries->position;
        const uint8_t *end = queries->buffer + queries->n_buffer;
        while (at < end && *at != '\n' && *at != '\r') at++;
        queries->position = (size_t)(at - queries->buffer);
    }
    return byte;
}

/* The rest of the line to the title. */
static int read_title(struct bm_queries_file *queries, struct blastmerge_error *error) {
    int byte;
    while ((byte = next_byte(queries, error)) >= 0) {
        if (queries->n_title < BM_QUERIES_TITLE)
            queries->title[queries->n_title++] = (char)byte;
        else
            queries->is_cut = true;
        queries->position++;
    }
    queries->title[queries->n_title] = '\0';
    return byte;
}

static int read_residues(struct bm_queries_file *queries, struct blastmerge_error *error) {
    /* What BLAST takes for residues: 1 of proteins alone, 3 of both; 4 ends them; all else it leaves out. */
    static const uint8_t kinds[256] = {
        ['\n'] = 4, ['\r'] = 4, [';'] = 4, ['*'] = 1, ['A'] = 3, ['B'] = 3, ['C'] = 3, ['D'] = 3,
        ['E'] = 1,  ['F'] = 1,  ['G'] = 3, ['H'] = 3, ['I'] = 1, ['J'] = 1, ['K'] = 3, ['L'] = 1,
        ['M'] = 3,  ['N'] = 3,  ['O'] = 1, ['P'] = 1, ['Q'] = 1, ['R'] = 3, ['S'] = 3, ['T'] = 3,
        ['U'] = 3,  ['V'] = 3,  ['W'] = 3, ['X'] = 1, ['Y'] = 3, ['Z'] = 1, ['a'] = 3, ['b'] = 3,
        ['c'] = 3,  ['d'] = 3,  ['e'] = 1, ['f'] = 1, ['g'] = 3, ['h'] = 3, ['i'] = 1, ['j'] = 1,
        ['k'] = 3,  ['l'] = 1,  ['m'] = 3, ['n'] = 3, ['o'] = 1, ['p'] = 1, ['q'] = 1, ['r'] = 3,
        ['s'] = 3,  ['t'] = 3,  ['u'] = 3, ['v'] = 3, ['w'] = 3, ['x'] = 1, ['y'] = 3, ['z'] = 1};
    int byte;
    while ((byte = next_byte(queries, error)) >= 0 && byte != ';') {
        const uint8_t *at = queries->buffer + queries->position;
        const uint8_t *end = queries->buffer + queries->n_buffer;
        uint64_t n_residues = 0;
        uint64_t n_bases = 0;
        for (; at < end && kinds[*at] != 4; at++) {
            n_residues += kinds[*at] & 1;
            n_bases += kinds[*at] >> 1;
        }
        queries->n_residues += n_residues;
        queries->n_bases += n_bases;
        queries->position = (size_t)(at - queries->buffer);
    }
    return byte == ';' ? skip_line(queries, error) : byte;
}

/* --- queries ------------------------------------------------------------------------------------- */

/* Takes the '>' that begins a line, unless it begins a gap of unknown bases, ">?". */
static int take_angle(struct bm_queries_file *queries, bool *is_title, struct blastmerge_error *error) {
    queries->position++;
    int byte = peek(queries, error);
    *is_title = byte != '?';
    return byte == FAILED ? FAILED : 0;
}

/* The lines of residues up to the next title. */
static int read_sequence(struct bm_queries_file *queries, struct blastmerge_error *error) {
    int byte = 0;
    while (byte != END && byte != FAILED) {
        byte = peek(queries, error);
        if (byte == '>') {
            byte = take_angle(queries, &queries->is_at_title, error);
            if (byte == FAILED || queries->is_at_title) return byte;
            queries->has_length = false;
            byte = skip_line(queries, error);
            continue;
        }
        byte = skip_blanks(queries, error);
        if (byte == '!' || byte == '#' || byte == ';') byte = skip_line(queries, error);
        if (byte >= 0) byte = read_residues(queries, error);
    }
    return byte;
}

/* Goes to the first title, or to residues that have none. */
static int find_first(struct bm_queries_file *queries, struct blastmerge_error *error) {
    int byte = 0;
    while (byte != END && byte != FAILED) {
        byte = peek(queries, error);
        if (byte == '>') {
            byte = take_angle(queries, &queries->is_at_title, error);
            queries->has_length = queries->is_at_title;
            return byte;
        }
        byte = skip_blanks(queries, error);
        if (byte == '!' || byte == '#' || byte == ';')
            byte = skip_line(queries, error);
        else if (byte >= 0)
            return byte;
    }
    return byte;
}

static int read_fasta(struct bm_queries_file *queries, bool *has_query, struct blastmerge_error *error) {
    int byte = 0;
    queries->has_length = true;
    if (queries->number == 0 && !queries->is_at_title) byte = find_first(queries, error);
    if (byte < 0 || (queries->number > 0 && !queries->is_at_title)) return byte;
    *has_query = true;
    queries->is_bare = !queries->is_at_title;
    if (queries->is_at_title) byte = read_title(queries, error);
    queries->is_at_title = false;
    if (queries->is_bare)
        byte = queries->has_length ? read_residues(queries, error) : skip_line(queries, error);
    return byte == LINE_END ? read_sequence(queries, error) : byte;
}

static int read_list(struct bm_queries_file *queries, bool *has_query, struct blastmerge_error *error) {
    int byte = LINE_END;
    while (byte == LINE_END) byte = skip_blanks(queries, error);
    *has_query = byte >= 0;
    return byte >= 0 ? read_title(queries, error) : byte;
}

enum blastmerge_status bm_queries_file_next(struct bm_queries_file *queries, bool *has_query,
                                            struct blastmerge_error *error) {
    *has_query = false;
    queries->n_title = 0;
    queries->title[0] = '\0';
    queries->n_residues = queries->n_bases = 0;
    queries->is_cut = queries->has_length = queries->is_bare = false;
    int byte =
        queries->is_fasta ? read_fasta(queries, has_query, error) : read_list(queries, has_query, error);
    if (byte == FAILED) {
        *has_query = false;
        return error->status;
    }
    queries->number += *has_query;
    return BLASTMERGE_OK;
}

/* --- places -------------------------------------------------------------------------------------- */

struct bm_queries_file_place bm_queries_file_place(const struct bm_queries_file *queries) {
    return (struct bm_queries_file_place){.offset = queries->offset - (queries->n_buffer - queries->position),
                                          .number = queries->number,
                                          .line_end = queries->line_end,
                                          .dropped = queries->dropped,
                                          .is_at_title = queries->is_at_title};
}

void bm_queries_file_go(struct bm_queries_file *queries, const struct bm_queries_file_place *place) {
    uint64_t begin = queries->offset - queries->n_buffer;
    if (place->offset >= begin && place->offset <= queries->offset) {
        queries->position = (size_t)(place->offset - begin);
    } else {
        queries->offset = place->offset;
        queries->position = queries->n_buffer = 0;
    }
    queries->number = place->number;
    queries->line_end = place->line_end;
    queries->dropped = place->dropped;
    queries->is_at_title = place->is_at_title;
}

void bm_queries_file_rewind(struct bm_queries_file *queries, bool is_fasta) {
    const struct bm_queries_file_place begin = {.offset = queries->n_mark, .dropped = -1};
    queries->is_fasta = is_fasta;
    bm_queries_file_go(queries, &begin);
}

void bm_queries_file_share(struct bm_queries_file *queries, const struct bm_queries_file *with) {
    queries->file = with->file;
    queries->beside = with->beside;
    queries->n_bytes = with->n_bytes;
    queries->n_mark = with->n_mark;
    bm_queries_file_rewind(queries, with->is_fasta);
}

/* Goes behind a byte order mark. */
static enum blastmerge_status skip_mark(struct bm_queries_file *queries, const char *path,
                                        struct blastmerge_error *error) {
    const uint8_t *bytes = queries->buffer;
    queries->n_mark = 0;
    bm_queries_file_rewind(queries, false);
    if (peek(queries, error) == FAILED) return error->status;
    if (queries->n_buffer >= 2 && (memcmp(bytes, "\xff\xfe", 2) == 0 || memcmp(bytes, "\xfe\xff", 2) == 0))
        return bm_fail(error, BLASTMERGE_USAGE, "%.400s: %s is UTF-16: save it as UTF-8", path,
                       queries->what);
    queries->n_mark = bm_measure_bom(bytes, queries->n_buffer);
    bm_queries_file_rewind(queries, false);
    return BLASTMERGE_OK;
}

/* It is FASTA if a line begins with '>'. */
static enum blastmerge_status look(struct bm_queries_file *queries, const char *path,
                                   struct blastmerge_error *error) {
    bool is_first = true;
    int byte = LINE_END;
    if (skip_mark(queries, path, error) != BLASTMERGE_OK) return error->status;
    while (byte == LINE_END) {
        byte = peek(queries, error);
        if (byte == '>') break;
        byte = skip_blanks(queries, error);
        if (byte == '<' && is_first)
            return bm_fail(error, BLASTMERGE_USAGE,
                           "%.400s: this is XML, but %s is FASTA, or a list of names", path, queries->what);
        if (byte >= 0) {
            is_first = false;
            byte = skip_line(queries, error);
        }
    }
    if (byte == FAILED) return error->status;
    bm_queries_file_rewind(queries, byte == '>');
    return BLASTMERGE_OK;
}

enum blastmerge_status bm_queries_file_open(struct bm_queries_file *queries, const char *what,
                                            const char *path, struct bm_cancel *cancel,
                                            struct blastmerge_error *error) {
    struct stat information;
    char shown[512];
    queries->what = what;
    enum blastmerge_status status =
        bm_queries_file_spool(&queries->file, what, path, queries->beside, cancel, error);
    if (status != BLASTMERGE_OK) return status;
    blastmerge_show_location(path, shown, sizeof shown);
    if (fstat(queries->file, &information) != 0) {
        status = bm_fail_system(error, errno, "cannot read %s %.400s", what, shown);
    } else {
        queries->n_bytes = (uint64_t)information.st_size;
        status = look(queries, shown, error);
    }
    if (status != BLASTMERGE_OK) bm_queries_file_close(queries);
    return status;
}

void bm_queries_file_close(struct bm_queries_file *queries) {
    if (queries->file >= 0) close(queries->file);
    queries->file = -1;
}
