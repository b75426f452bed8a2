/* SPDX-License-Identifier: MIT */
/*
 * splice/pack.h - text + script -> deflate, compressed again, where splicing is impossible (children without bits) or
 * a level is set; or BGZF; or the text itself.
 *
 * The text of a fragment is cut into blocks of 256 KiB, which the workers compress in parallel with libdeflate, each
 * (but at level 1) with the 32 KiB before it as its dictionary; each ends at a byte border. So the bytes depend on the text, the
 * level and libdeflate's version alone, not on the number of threads.
 *
 * Memory: 550 KiB for each block, of which there are two more than workers, at most 18 (one, if there are no workers); and
 * 300 KiB for each thread that compresses. libdeflate allocates some 650 KiB more for each of these threads (200 KiB at
 * level 1), which malloc() provides, not the job's allocator: libdeflate 1.14 has no other way.
 *
 * BGZF (the SAM specification, section 4.1) is a file of gzip members of at most 64 KiB each. Every member
 * gives its length, so a reader can begin at any of them; none needs the text before it. The result's text, and
 * not each fragment's, is cut into members of 65280 bytes, as in bgzip. A task compresses four of them.
 */
#ifndef BM_SPLICE_PACK_H
#define BM_SPLICE_PACK_H

#include "splice/stream.h"

struct bm_splice_pack;

/* level: 1 to 9; without effect for plain text. */
enum blastmerge_status bm_splice_pack_open(struct bm_splice_pack **pack, enum blastmerge_form form, int level,
                                           struct bm_workers *workers,
                                           struct bm_memory *memory) BM_CHECK_RESULT;

/* Waits for its blocks that are being compressed. pack may be NULL. */
void bm_splice_pack_close(struct bm_splice_pack *pack, struct bm_memory *memory);

void bm_splice_pack_begin(struct bm_splice_pack *pack);

/* Takes entries up to the fragment's end, at which everything is written, except for BGZF, whose members
 * continue across fragments. */
enum bm_step bm_splice_pack_step(struct bm_splice_pack *pack, struct bm_splice_task *task,
                                 bool *has_ended) BM_CHECK_RESULT;

/* After the last fragment: takes the result's last text, and writes everything. */
enum bm_step bm_splice_pack_end(struct bm_splice_pack *pack, const char *text, size_t n_text,
                                struct bm_output *output) BM_CHECK_RESULT;

#endif
