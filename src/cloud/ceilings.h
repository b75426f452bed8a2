/* SPDX-License-Identifier: MIT */
/*
 * cloud/ceilings.h - how much of an answer is read, if it is not a child's data: in bytes, in time, and for
 * lists in pages. docs/limits.md has the same table.
 *
 * Other limits are the sizes of buffers for answers: BM_REQUEST_... in cloud.h, those for answers of
 * credentials' servers and of S3 in their own files. libcurl follows at most BM_CEILING_REDIRECTIONS
 * redirections.
 */
#ifndef BM_CLOUD_CEILINGS_H
#define BM_CLOUD_CEILINGS_H

enum {
    BM_CEILING_HEADERS = 128 << 10, /* bytes of all headers of a try: with redirections', 1xx's, trailers */
    BM_CEILING_BODY = 64 << 10,     /* bytes of a refusal, of a redirection, of an answer to an upload */
    BM_CEILING_STALLS = 4,          /* time for an answer, times BLASTMERGE_STALL_SECONDS: 4 minutes */
    BM_CEILING_REDIRECTIONS = 5,
    BM_CEILING_PAGE = 2 << 20,    /* bytes of a list's page */
    BM_CEILING_PAGES = 20000,     /* of a list */
    BM_CEILING_EMPTY_PAGES = 1000 /* of a list, one after another */
};

#endif
