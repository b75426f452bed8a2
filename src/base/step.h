/* SPDX-License-Identifier: MIT */
/*
 * base/step.h - what a stage returns after a piece of its work, and when to call it again.
 *
 * A stage takes input, writes output, and can stop between any two pieces. What one call has not done, the
 * next one does. The output does not depend on how the work was divided into calls.
 */
#ifndef BM_STEP_H
#define BM_STEP_H

enum bm_step {
    BM_STEP_DONE,  /* all work was done: there is nothing to call again for */
    BM_STEP_FULL,  /* the output is full: empty it, or give another one, and call again with the same input */
    BM_STEP_MORE,  /* the input was used up before the work was done: call again with what follows it */
    BM_STEP_FAILED /* the stage cannot continue; it reports the reason elsewhere */
};

#endif
