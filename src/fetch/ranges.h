/* SPDX-License-Identifier: MIT */
/*
 * fetch/ranges - stretches of a remote file, in any order, each with one request. All are of one version, which the first
 * answer defines; a change is an error. On the job's thread only.
 */
#ifndef BM_FETCH_RANGES_H
#define BM_FETCH_RANGES_H

#include "fetch/fetch.h"

struct bm_fetch_ranges;

/* location: as given, which is borrowed. Sends no request. */
enum blastmerge_status bm_fetch_ranges_open(struct bm_fetch_ranges **ranges, struct bm_cloud *cloud,
                                            const char *location,
                                            struct blastmerge_error *error) BM_CHECK_RESULT;
void bm_fetch_ranges_close(struct bm_fetch_ranges *ranges);

/* Reads n_bytes from the offset on; fewer only at the end. *total: the file's length, which is known once a request has been
 * answered. BLASTMERGE_NOT_FOUND: there is no such file; BLASTMERGE_IO: its server has no ranges. */
enum blastmerge_status bm_fetch_ranges_read(struct bm_fetch_ranges *ranges, uint64_t offset, void *data,
                                            size_t n_bytes, size_t *n_read, uint64_t *total,
                                            struct blastmerge_error *error) BM_CHECK_RESULT;

#endif
