/* SPDX-License-Identifier: MIT */
/*
 * Large pieces of memory, kept from one execution to the next.
 *
 * A job takes some two megabytes in a dozen pieces. AddressSanitizer's allocator gets each of them from the
 * system and gives it back, which takes ten times as long as merging the few bytes that a fuzzer tries. So
 * the linker puts calloc() and free() of what is tested here (--wrap): large pieces come from a place of
 * their own, with the same guards: poisoned around and after release, and cleared when they are handed
 * out. Of buffers for bytes to come (batches, pages, outputs, pools, pieces of a megabyte or more) only the
 * begin is cleared; what is behind it the execution before has left there.
 */
#ifndef FUZZ_KEEP_H
#define FUZZ_KEEP_H

#include <stddef.h>

/* Pieces that are in use; what an execution takes it must give back. */
size_t keep_n_live(void);

#endif
