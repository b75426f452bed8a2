/* SPDX-License-Identifier: MIT */
/*
 * callback - calls of the caller's own functions.
 *
 * A lost exception of a foreign language must not look like success. After such an exception, the call
 * returns 0, or the return value of the previous call: Python's ctypes does that. So success is
 * BLASTMERGE_CALLBACK_OK, and for callers that give options.callback_ticket it is a number that no earlier
 * call has returned.
 *
 *     int issued = bm_callback_begin(ticket);
 *     int result = function(context);
 *     if (!bm_callback_is_ok(issued, result)) ...
 */
#ifndef BM_CALLBACK_H
#define BM_CALLBACK_H

#include "base/base.h"

/* To be called before each call of a caller's function. Writes a new ticket to *ticket, if `ticket` is not
 * NULL. Returns the ticket, or 0. */
int bm_callback_begin(int *ticket);

bool bm_callback_is_ok(int issued, int result);

/* Fills the record for a call that returned `result`: the message is `what` ("its reader failed") and the
 * reason. */
enum blastmerge_status bm_fail_callback(struct blastmerge_error *error, int result, const char *what);

#endif
