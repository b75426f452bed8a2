/* SPDX-License-Identifier: MIT */
/*
 * base/step.h - what a stage answers when it has done a piece of its work, and so when to call it again.
 *
 * A stage takes input, writes output, and can stop between any two pieces. Whatever a call has not done, the next
 * one does; how the work was cut into calls shows nowhere in what is written.
 */
#ifndef BM_STEP_H
#define BM_STEP_H

enum bm_step {
    BM_STEP_DONE,  /* all that could be done was done: there is nothing to call again for */
    BM_STEP_FULL,  /* the output is full: empty it, or give another one, and call again with the same input */
    BM_STEP_MORE,  /* the input was used up before the work was done: call again with what follows it */
    BM_STEP_FAILED /* there is no going on; the stage says elsewhere what went wrong */
};

#endif
