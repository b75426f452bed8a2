/* SPDX-License-Identifier: MIT */
/*
 * number - marks -> script: one prologue, running numbers, one epilogue.
 *
 * Sees the marks of all children in their order and decides what of each text is kept, dropped and inserted
 * (docs/merge.md has the rules). It holds back nothing but the beginning of a body of which it is not known
 * yet whether it holds an Iteration, and the epilogue, at most 4 KiB each.
 */
#ifndef BM_NUMBER_H
#define BM_NUMBER_H

#include "flow/batch.h"
#include "flow/script.h"
#include "flow/tally.h"
#include "mark/mark.h"
#include "number/style.h"

enum {
    BM_NUMBER_MAX_EPILOGUE = 4096,  /* bytes; a longer one is written in BLAST's plain form */
    BM_NUMBER_MAX_BODY_HOLD = 4096, /* bytes of a body without an Iteration that contribute nothing */
    BM_NUMBER_MAX_DATABASE = 4096,  /* bytes of the database's text, before escaping */
    BM_NUMBER_MAX_PENDING = 64,     /* characters of such a body that are replaced; from there on it counts */
    BM_NUMBER_NAMES = 3,            /* of a query: id, title, length */
    BM_NUMBER_ROOM = 9              /* entries of the script that one mark makes at most */
};

/* The first sum of the children's numbers that is more than can be written. */
struct bm_number_excess {
    const char *what; /* what has the number, or NULL: there is none */
    uint64_t offset;  /* in the text of the current child */
};

/* What a stretch of children has come to, and where in its document the numbering is. Buffers lie in struct bm_number:
 * so this is small, and a copy of it, made between two children, is all it takes to go back there. */
struct bm_number_state {
    /* the whole merge */
    const struct bm_number_style *style; /* its format's, from a document's BM_MARK_ITERATIONS on */
    uint64_t n_documents;
    uint64_t n_iterations;
    bool has_prologue;  /* the first document has begun */
    uint64_t n_queries; /* that the documents say they hold, where the style has a count */
    uint64_t n_counted; /* documents that say so: if not all do, the result does not, either */
    struct bm_number_query_ids ids;
    uint64_t n_changed_ids;       /* of the generated ones: they have another number in the result */
    uint64_t n_guessed_ids;       /* of these: they might be a user's where other queries have names */
    uint64_t n_odd_messages;      /* begin with such an id, but not as BLAST writes it: kept */
    uint64_t n_excess_iterations; /* that an unsplit run would fail to write */
    uint64_t n_bare_iterations;   /* of queries that could not be searched, where keeps_gaps */
    uint64_t iteration;           /* where the last one begins */
    uint64_t n_gaps;              /* places where the numbers of a document's Iterations leave some out */
    uint64_t n_returns;           /* places where they do not grow */
    uint64_t n_unnumbered;        /* Iterations without a number, or whose number is none: counted on */
    uint64_t n_lost_names; /* Iterations whose query only a header names, which is neither kept nor copied */
    struct bm_number_excess excess;
    enum bm_tally_line line;

    /* the current document */
    bool is_first;
    bool is_in_fragment;
    bool is_dropping; /* inside a dropped range of the fragment */
    bool has_iteration;
    uint64_t n_own_iterations;
    unsigned which_names;   /* of the two: the current document's, if there are any ... */
    bool has_names;         /* ... as there are */
    bool is_psi;            /* all of its Iterations are of one query */
    uint64_t number_before; /* the last number of the documents before, all in all */
    uint64_t own_number;    /* of the current Iteration, as its document has it ... */
    bool has_own_number;    /* ... if there was one */
    uint64_t number;        /* the same in the result */
    uint64_t old_query;     /* what the query's id was; 0: it is none of BLAST's ... */
    uint64_t new_query;     /* ... and has become; 0: it is the same, or its message was seen */
    uint64_t pending_body;  /* where a body begins that may not count; else UINT64_MAX */
    size_t n_pending;       /* its characters that are replaced if it does */

    /* the first document's epilogue */
    bool is_capturing;
    bool is_too_long;
    bool is_cut;          /* there is none */
    uint64_t captured_to; /* text offset up to which it was taken, or dropped */
    size_t n_epilogue;
    size_t end_tag_at;   /* where in it the text after the end tag's indentation begins */
    size_t megablast_at; /* where in it BlastOutput_mbstat lies ... */
    size_t n_megablast;  /* ... and how long it is; 0: there is none */
};

struct bm_number {
    /* settings */
    bool keeps_database;
    char database[BM_NUMBER_MAX_DATABASE * 5 + 1]; /* escaped */
    size_t n_database;
    bool keeps_gaps; /* an Iteration's number is that in its run, counted on */

    struct bm_number_state now;

    /* The elements that name a document's query, made of its header's: of the current document, and of one
     * before, whose text the script may still borrow. */
    struct bm_number_names {
        size_t n_elements[BM_NUMBER_NAMES]; /* bytes; 0: there is none */
        char elements[BM_NUMBER_NAMES][BM_MARK_MAX_VALUE + 64];
        bool is_cut; /* one is longer than what is kept of it */
    } names[2];
    char epilogue[BM_NUMBER_MAX_EPILOGUE];
    struct bm_number_character {
        uint64_t offset, end;
        uint8_t n_utf8;
        char utf8[3];
    } pending[BM_NUMBER_MAX_PENDING];
};

/* Whether text can stand in XML: UTF-8, and characters that XML 1.0 allows (section 2.2). */
bool bm_number_is_text(const char *text);

/* database NULL: kept. The text is taken as plain text and escaped. keeps_gaps: see there. */
void bm_number_open(struct bm_number *number, const char *database, enum blastmerge_query_ids query_ids,
                    bool keeps_gaps);

/* Goes on from where a stretch of documents has ended, of which the tally is all that is known. Before the
 * first mark. */
void bm_number_begin(struct bm_number *number, const struct bm_tally *before);

/* Counts only, as what comes before is not known: the script means nothing, the tally is that of the stretch.
 * Before the first mark. */
void bm_number_count(struct bm_number *number);

/* The tally of all that came so far, with what it began from. Between two children. */
struct bm_tally bm_number_tally(struct bm_number *number);

/*
 * Turns marks into entries of the script, which stands at the current child; there must be room for BM_NUMBER_ROOM
 * entries a mark. `batch` holds the text; `safe`: no later mark lies below this offset, as bm_mark_safe() has it.
 */
void bm_number_take(struct bm_number *number, const struct bm_mark_list *marks, const struct bm_batch *batch,
                    uint64_t safe, struct bm_script *script);

/* A field of the current document's header: that of the last mark which was taken. */
void bm_number_take_field(struct bm_number *number, const struct bm_mark_field *field);

/* What it has added to the script must not be written if number->now.excess says that a sum is too large. */

/* The script can go up to this offset, given the scanner's own bm_mark_safe() after the marks that were taken. May
 * add entries. */
uint64_t bm_number_safe(struct bm_number *number, uint64_t mark_safe, struct bm_script *script);

/* Takes back all that came since number->now was what `before` is: between two children, the earlier of which is the
 * first that is taken back. Its marks may have ended anywhere. For jobs that write nothing. */
void bm_number_take_back(struct bm_number *number, const struct bm_number_state *before);

/* The result's last text, of the number room that had its first document; valid until it is opened again.
 * total: of all of the result. *dropped_megablast: a BlastOutput_mbstat was dropped. */
const char *bm_number_epilogue(struct bm_number *number, const struct bm_tally *total, size_t *n_bytes,
                               bool *dropped_megablast);

#endif
