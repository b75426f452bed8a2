/* SPDX-License-Identifier: MIT */
/*
 * splice - children's batches + a script -> fragments of the result (docs/splice.md).
 *
 * A *reader* belongs to a child. It holds the place of the splice in the child's text and bits, the tokens that are
 * decoded and wait, and the shifts of its recent text. A *sink* belongs to a result, or to a part of one that is made
 * separately. It holds what has been written, and how. The script names the reader whose text comes next, so a sink
 * can take from any number of readers in turn.
 *
 * A sink has three ways to write, and chooses one for each fragment:
 *
 *   splice  The child's own bits, changed only near edits. For children that are gzip.
 *   pack    The text, compressed again, in parallel on all threads; or as BGZF; or unchanged, for plain text.
 *   copy    The child's gzip members unchanged, if the script changes nothing of their text.
 *
 * A fragment that was spliced or packed (not as BGZF or plain text) begins at a byte border, copies from nothing
 * before it, has no final block and ends with an empty stored block. So fragments are joined by concatenation,
 * whichever sinks made them. The bytes depend only on the children's batches and the script, not on how the work is
 * divided into steps, nor on what the sink wrote before.
 *
 * For one child:
 *
 *     bm_splice_begin(sink, reader, batch->has_trace);
 *     for each batch, whenever the script has grown:
 *         bm_splice_give(reader, batch, is_end_of_batch);
 *         while (bm_splice_step(sink, &reader, 1, script, &output) == BM_STEP_FULL)
 *             ...                                          empty the output
 *
 * For several children, each reader is given a batch first. If a step has returned BM_STEP_DONE and the script's next
 * entry reaches beyond its child's batch, that batch is given again as the last time, a step is made, and the child's
 * next batch is given. (tests/splice_many.h does so.)
 *
 * Threads: a sink and its readers belong to one thread at a time. Neither depends on a job. Memory: of a fixed size,
 * allocated only by bm_splice_sink_open(), bm_splice_reader_open() and bm_splice_begin(). Time: linear.
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
    int level;      /* 1 to 9: all text is compressed again. 0: only that of children without bits ... */
    int text_level; /* ... at this level; 0: 6 */
    bool copies;    /* whole children are copied */
    struct bm_workers *workers; /* for compressing; borrowed */
};

struct bm_splice_sink;
struct bm_splice_reader;
struct bm_splice_inside; /* splice/walk.h */

enum blastmerge_status bm_splice_sink_open(struct bm_splice_sink **sink,
                                           const struct bm_splice_settings *settings,
                                           struct bm_memory *memory) BM_CHECK_RESULT;

/* Waits for blocks that are being compressed: call it before the workers are closed. sink may be NULL. */
void bm_splice_sink_close(struct bm_splice_sink *sink);

enum blastmerge_status bm_splice_reader_open(struct bm_splice_reader **reader,
                                             struct bm_memory *memory) BM_CHECK_RESULT;
void bm_splice_reader_close(struct bm_splice_reader *reader); /* reader may be NULL */

/* Begins another child in the reader, whose batches have a trace or not. The child before must have ended its
 * last fragment. BLASTMERGE_NO_MEMORY or BLASTMERGE_OK. */
enum blastmerge_status bm_splice_begin(struct bm_splice_sink *sink, struct bm_splice_reader *reader,
                                       bool has_trace) BM_CHECK_RESULT;

/*
 * For beginning in the middle of a child: `inside` follows each batch of it, from the first one on (zeroed before), and
 * tells then what a reader must know that begins where the last one ends. That is the offset `text`; the batch that
 * begins there must be given next. What lies before it counts as left out.
 */
void bm_splice_follow(struct bm_splice_inside *inside, const struct bm_batch *batch);
enum blastmerge_status bm_splice_begin_inside(struct bm_splice_sink *sink, struct bm_splice_reader *reader,
                                              const struct bm_splice_inside *inside,
                                              uint64_t text) BM_CHECK_RESULT;

/*
 * Gives the reader its child's next batch, or the same one again. is_last: the batch will not be available after a
 * step has returned BM_STEP_DONE. The part that the script does not cover by then (at most BM_MARK_MAX_HOLD bytes) is
 * kept inside, and written later.
 */
void bm_splice_give(struct bm_splice_reader *reader, const struct bm_batch *batch, bool is_last);

/*
 * Takes entries of the script (script->position advances), and updates the output's bytes, and the CRC-32 and length
 * of its text. Entries name readers by their number in `readers`.
 *   BM_STEP_DONE    everything that the script takes from the readers' batches is written, or kept inside. An entry
 *                   that is left waits for its child's next batch, or for more of the script
 *   BM_STEP_FULL    the output has less than BM_OUTPUT_ROOM left: empty it, and call again with the same arguments
 *   BM_STEP_FAILED  children are copied, and the script changes their text
 */
enum bm_step bm_splice_step(struct bm_splice_sink *sink, struct bm_splice_reader *const *readers,
                            size_t n_readers, struct bm_script *script,
                            struct bm_output *output) BM_CHECK_RESULT;

/* After the last fragment: writes everything that is left, and then the result's last text, if the form has
 * no other place for it (BGZF, see stitch). BM_STEP_FULL as above. */
enum bm_step bm_splice_end(struct bm_splice_sink *sink, const char *text, size_t n_text,
                           struct bm_output *output) BM_CHECK_RESULT;

/* For a sink that copies: whether there was a gzip member; whether the script would have changed a child's
 * text. */
bool bm_splice_has_members(const struct bm_splice_sink *sink);
bool bm_splice_is_refused(const struct bm_splice_sink *sink);

#endif
