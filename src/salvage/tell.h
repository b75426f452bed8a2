/* SPDX-License-Identifier: MIT */
/* salvage/tell.h - the warnings about text that is not merged. */
#ifndef BM_SALVAGE_TELL_H
#define BM_SALVAGE_TELL_H

#include "salvage/salvage.h"

enum { BM_SALVAGE_TOLD = 1600 /* bytes of a message, at most */ };

/* Compose the warning about lost or superseded text of a hole, if there is any. child: its name. */
void bm_salvage_tell_lost(char message[BM_SALVAGE_TOLD], const char *child,
                          const struct bm_salvage_hole *hole);
void bm_salvage_tell_superseded(char message[BM_SALVAGE_TOLD], const char *child,
                                const struct bm_salvage_hole *hole);

#endif
