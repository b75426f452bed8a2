/* SPDX-License-Identifier: MIT */
/*
 * splice - children's batches + a script -> fragments of the result (docs/splice.md).
 *
 * A *reader* belongs to a child: where in its text and bits the splice is, what lies decoded and waits, and where its
 * recent text went. A *sink* belongs to a result, or to a part of one that is made apart: what has been written, and
 * how. The script says which reader's text comes next; so a sink can take from any number of readers in turn.
 *
 * A sink has ways to write, and chooses for each fragment:
 *
 *   splice  The child's own bits, changed only where an edit touches them. For children that are gzip.
 *   pack    The text, compressed afresh, side by side on all threads; or as BGZF; or as it is, for plain text.
 *   copy    The child's gzip members as they are, where the script changes nothing of their text.
 *
 * A fragment that was spliced or packed (not as BGZF or plain text) begins at a byte border, copies from nothing
 * before it, has no final block and ends with an empty stored block: fragments are joined by concatenation, whichever
 * sinks made them. The bytes depend on the children's batches and the script alone, not on how often or with how much
 * a step is called, nor on what the sink wrote before.
 *
 * Threads: a sink and the readers it is given belong to one thread at a time. Neither knows a job. Memory: of a fixed
 * size, allocated by bm_splice_sink_open(), bm_splice_reader_open() and bm_splice_begin() alone. Time: linear.
 */
#ifndef BM_SPLICE_H
#define BM_SPLICE_H

#include "base/step.h"
#include "base/workers.h"
#include "flow/batch.h"
#include "flow/output.h"
#include "flow/script.h"

struct bm_splice_settings {
    enum blastmerge_form form;
    int level;   /* 1 to 9: all text is compressed afresh. 0: only that of children without bits */
    bool copies; /* whole children are copied */
    struct bm_workers *workers; /* that compress; borrowed */
};

struct bm_splice_sink;
struct bm_splice_reader;

enum blastmerge_status bm_splice_sink_open(struct bm_splice_sink **sink,
                                           const struct bm_splice_settings *settings,
                                           struct bm_memory *memory) BM_CHECK_RESULT;

/* Waits for what is being compressed: call it before the workers are closed. NULL is fine. */
void bm_splice_sink_close(struct bm_splice_sink *sink);

enum blastmerge_status bm_splice_reader_open(struct bm_splice_reader **reader,
                                             struct bm_memory *memory) BM_CHECK_RESULT;
void bm_splice_reader_close(struct bm_splice_reader *reader); /* NULL is fine */

/* The reader goes on with another child, whose batches have a trace or not. The one before must have ended its last
 * fragment. BLASTMERGE_NO_MEMORY or BLASTMERGE_OK. */
enum blastmerge_status bm_splice_begin(struct bm_splice_sink *sink, struct bm_splice_reader *reader,
                                       bool has_trace) BM_CHECK_RESULT;

/*
 * Gives the reader its child's next batch, or the same one again. is_last: it must not be needed any more once a step
 * has returned BM_STEP_DONE. What of it the script has not dealt with by then (at most BM_MARK_MAX_HOLD bytes) is kept
 * inside, and written later.
 */
void bm_splice_give(struct bm_splice_reader *reader, const struct bm_batch *batch, bool is_last);

/*
 * Takes entries of the script (script->position moves on), and updates the output's bytes, and the CRC-32 and length
 * of its text. Entries name readers by their number in `readers`.
 *   BM_STEP_DONE    everything is written, or kept inside, that the readers' batches hold of what the script says. An
 *                   entry that is left waits for its child's next batch, or for more of the script
 *   BM_STEP_FULL    the output has less than BM_OUTPUT_ROOM left: empty it, and call again with the same arguments
 *   BM_STEP_FAILED  zlib failed, out of memory; or children are copied, and the script changes their text
 */
enum bm_step bm_splice_step(struct bm_splice_sink *sink, struct bm_splice_reader *const *readers,
                            size_t n_readers, struct bm_script *script,
                            struct bm_output *output) BM_CHECK_RESULT;

/* After the last fragment: writes what has not been written yet, behind it the result's last text where the form has
 * no other place for that (BGZF, see stitch). BM_STEP_FULL as above. */
enum bm_step bm_splice_end(struct bm_splice_sink *sink, const char *text, size_t n_text,
                           struct bm_output *output) BM_CHECK_RESULT;

/* Of a sink that copies: whether there was a gzip member, and whether the script would have changed a child's text. */
bool bm_splice_has_members(const struct bm_splice_sink *sink);
bool bm_splice_is_refused(const struct bm_splice_sink *sink);

#endif
