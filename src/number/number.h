/* SPDX-License-Identifier: MIT */
/*
 * number - marks -> script: one prologue, running numbers, one epilogue.
 *
 * Reads the marks of all children in their order and decides which text is kept, dropped and inserted
 * (docs/merge.md has the rules). It holds back only the epilogue, and the beginning of a body until it is known
 * whether the body has an Iteration; at most 4 KiB each.
 */
#ifndef BM_NUMBER_H
#define BM_NUMBER_H

#include "base/utf8.h"
#include "flow/batch.h"
#include "flow/script.h"
#include "flow/tally.h"
#include "mark/mark.h"
#include "number/query.h"

enum {
    BM_NUMBER_MAX_EPILOGUE = 4096,  /* bytes; a longer one is written in BLAST's plain form */
    BM_NUMBER_MAX_BODY_HOLD = 4096, /* bytes of a body without an Iteration that contribute nothing */
    BM_NUMBER_MAX_DATABASE = 4096,  /* bytes of the database's text, before escaping */
    BM_NUMBER_MAX_PENDING = 64,     /* replaced characters of such a body; with more, it counts */
    BM_NUMBER_NAMES = 3,            /* of a query: id, title, length */
    BM_NUMBER_ROOM = 9              /* entries of the script that one mark makes at most */
};

/* The first sum of the children's numbers that is too large to be written. */
struct bm_number_excess {
    const char *what; /* the kind of number, or NULL: there is none */
    uint64_t offset;  /* in the text of the current child */
};

/* The sums over a stretch of children, and the position of the numbering in its document. Buffers are in
 * struct bm_number, so this is small: a copy, made between two children, is enough to return there. */
struct bm_number_state {
    /* the whole merge */
    const struct bm_format *format; /* from a document's BM_MARK_ITERATIONS on */
    uint64_t n_documents;
    uint64_t n_iterations;
    bool has_prologue;  /* the first document has begun */
    uint64_t n_queries; /* by the counts of the documents, if the format has one */
    uint64_t n_counted; /* documents with a count: if one lacks it, the result has none */
    struct bm_number_query_ids ids;
    uint64_t n_changed_ids;  /* of the generated ones: those with another number in the result */
    uint64_t n_guessed_ids;  /* of these: those that might be a user's, because other queries have names */
    uint64_t n_odd_messages; /* begin with such an id, but not as BLAST writes it: kept */
    uint64_t n_excess_iterations; /* that an unsplit run would fail to write */
    uint64_t n_bare_iterations;   /* of queries that could not be searched, if keeps_gaps */
    uint64_t iteration;           /* the offset of the last one */
    uint64_t n_gaps;              /* places where the numbers of a document's Iterations leave some out */
    uint64_t n_returns;           /* places where they do not increase */
    uint64_t n_unnumbered;        /* Iterations with a missing or invalid number: numbers continue */
    uint64_t
        n_lost_names; /* Iterations whose query is named only in a header that is neither kept nor copied */
    struct bm_number_excess excess;
    enum bm_tally_line line;

    /* the current document */
    bool is_first;
    bool is_in_fragment;
    bool is_dropping; /* inside a dropped range of the fragment */
    bool has_iteration;
    uint64_t n_own_iterations;
    unsigned which_names;   /* index of the current document's names, if there are any ... */
    bool has_names;         /* ... */
    bool is_psi;            /* all of its Iterations are of one query */
    uint64_t number_before; /* the sum of the last numbers of the documents before */
    uint64_t own_number;    /* of the current Iteration, in its document ... */
    bool has_own_number;    /* ... if there was one */
    uint64_t number;        /* of the current Iteration, in the result */
    uint64_t old_query;     /* the number of the query's id; 0: not one of BLAST's ... */
    uint64_t new_query;     /* ... and in the result; 0: unchanged, or its message was processed */
    uint64_t first_query;   /* the smallest and the largest number of an id Query_N that BLAST gave to a query
                               of the current archive; 0: there is none */
    uint64_t last_query;
    uint64_t pending_body; /* the beginning of a body that may not count; else UINT64_MAX */
    size_t n_pending;      /* its characters that are replaced if it does */

    /* the first document's epilogue */
    bool is_capturing;
    bool is_too_long;
    bool is_cut;          /* there is none */
    uint64_t captured_to; /* text offset up to which it was kept, or dropped */
    size_t n_epilogue;
    size_t end_tag_at;   /* the position in it of the text after the end tag's indentation */
    size_t megablast_at; /* the position in it of BlastOutput_mbstat ... */
    size_t n_megablast;  /* ... and its length; 0: there is none */
};

struct bm_number {
    /* settings */
    bool keeps_database;
    char database[BM_NUMBER_MAX_DATABASE * 5 + 1]; /* escaped */
    size_t n_database;
    bool keeps_gaps; /* an Iteration's number is that in its run + the last numbers before */
    bool keeps_all;  /* numbers stay as they are, and so does what names queries */
    bool is_ordered; /* see bm_number_set_order() */
    bool counts_all;
    bool (*is_own)(void *context, uint64_t place);
    void *context;

    struct bm_number_state now;

    /* The elements that name a document's query, made from its header: those of the current document, and of an
     * earlier one, whose text the script may still borrow. */
    struct bm_number_names {
        size_t n_elements[BM_NUMBER_NAMES]; /* bytes; 0: there is none */
        char elements[BM_NUMBER_NAMES][BM_MARK_MAX_VALUE + 64];
        bool is_cut; /* one is longer than its buffer */
    } names[2];
    char epilogue[BM_NUMBER_MAX_EPILOGUE];
    struct bm_number_character {
        uint64_t offset, end;
        uint8_t n_utf8;
        char utf8[BM_UTF8_MOST];
    } pending[BM_NUMBER_MAX_PENDING];
};

/* Whether text is valid in XML: UTF-8, and characters that XML 1.0 allows (section 2.2). */
bool bm_number_is_text(const char *text);

/* database NULL: kept. The text is plain text and will be escaped. keeps_gaps: see struct bm_number. */
void bm_number_open(struct bm_number *number, const char *database, enum blastmerge_query_ids query_ids,
                    bool keeps_gaps);

/* The Iterations come in the order of the queries, none is missing, and each document may be put together from several: each
 * gets its place as its number. counts_all: BLAST made up all ids; else is_own() says of each place, from 1, whether it did. To
 * be called before the first mark. */
void bm_number_set_order(struct bm_number *number, bool counts_all,
                         bool (*is_own)(void *context, uint64_t place), void *context);

/* From now on numbers of Iterations stay as they are, and none is added where there is none. To be called before the first
 * mark. */
void bm_number_keep(struct bm_number *number);

/* Continues after a stretch of documents, of which only the tally is known. To be called before the first
 * mark. */
void bm_number_begin(struct bm_number *number, const struct bm_tally *before);

/* Only counts, because the documents before are unknown: the script is meaningless, the tally is that of the
 * stretch. To be called before the first mark. */
void bm_number_count(struct bm_number *number);

/* The tally of everything so far, including what it began from. To be called between two children. */
struct bm_tally bm_number_tally(struct bm_number *number);

/*
 * Turns marks into entries of the script, which is at the current child; there must be space for BM_NUMBER_ROOM
 * entries a mark. `batch` holds the text; `safe`: no later mark is below this offset, as for bm_mark_safe().
 */
void bm_number_take(struct bm_number *number, const struct bm_mark_list *marks, const struct bm_batch *batch,
                    uint64_t safe, struct bm_script *script);

/* Processes a field of the current document's header: that of the last mark that was taken. */
void bm_number_take_field(struct bm_number *number, const struct bm_mark_field *field);

/* The added entries must not be written if number->now.excess shows that a sum is too large. */

/* The offset up to which the script can go, from the scanner's own bm_mark_safe() after the marks that were
 * taken. May add entries. */
uint64_t bm_number_safe(struct bm_number *number, uint64_t mark_safe, struct bm_script *script);

/* Goes on from `before`, a copy of number->now that was made between two children, of this struct or of another one that was
 * opened and set in the same way. What came since is forgotten, even if it has ended amid a child. */
void bm_number_resume(struct bm_number *number, const struct bm_number_state *before);

/* The result's last text, from the struct that processed its first document; valid until that is opened
 * again. total: of the whole result. *dropped_megablast: a BlastOutput_mbstat was dropped. */
const char *bm_number_epilogue(struct bm_number *number, const struct bm_tally *total, size_t *n_bytes,
                               bool *dropped_megablast);

#endif
