/* SPDX-License-Identifier: MIT */
/*
 * cloud/retry.h - what an answer, or a missing answer, means: done, worth another try, or final.
 */
#ifndef BM_CLOUD_RETRY_H
#define BM_CLOUD_RETRY_H

#include "cloud/cloud.h"

#include <curl/curl.h>

enum bm_cloud_verdict {
    BM_VERDICT_DONE,
    BM_VERDICT_AGAIN,   /* after a pause */
    BM_VERDICT_SKEWED,  /* once more with the server's clock */
    BM_VERDICT_EXPIRED, /* once more with a new credential */
    BM_VERDICT_FINAL
};

enum bm_cloud_verdict bm_cloud_retry_judge(struct bm_cloud_request *request, CURLcode code);

/* The pause before the next try: a random time up to base_ms, doubled with each failure, at most a minute. So
 * many clients that failed together do not return together. `random` is any 64 bits. */
int64_t bm_cloud_retry_delay(unsigned n_failed, int64_t base_ms, uint64_t random);

/* Fills the request's error record for a failure that is final. */
void bm_cloud_retry_explain(struct bm_cloud_request *request, CURLcode code, const char *curl_text);

#endif
