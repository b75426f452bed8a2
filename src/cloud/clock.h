/* SPDX-License-Identifier: MIT */
/* The time, in a file of its own, so that tests and fuzzers can wait for hours at no cost. */
#ifndef BM_CLOUD_CLOCK_H
#define BM_CLOUD_CLOCK_H

#include <stdint.h>

int64_t bm_cloud_clock_ms(void);      /* milliseconds since some moment; never decreases */
int64_t bm_cloud_clock_seconds(void); /* seconds since 1970, by this machine's clock */

#endif
