/* SPDX-License-Identifier: MIT */
/*
 * cloud/answer.h - a server's answer to one try of a request, as libcurl delivers it.
 *
 * Before the first byte goes to the request's owner, the headers are compared with the request: the status,
 * the range, the length, and the ETag. A difference is a fault, like a connection that breaks.
 */
#ifndef BM_CLOUD_ANSWER_H
#define BM_CLOUD_ANSWER_H

#include "cloud/cloud.h"

/* Clears the previous answer; to be called before each try. */
void bm_cloud_answer_forget(struct bm_cloud_request *request);

/* libcurl's callbacks for lines of headers and for bytes of the body; the context is the request. */
size_t bm_cloud_answer_header(char *data, size_t size, size_t n, void *context);
size_t bm_cloud_answer_body(char *data, size_t size, size_t n, void *context);

/* Compares the headers of a good status with the request; false: there is a fault. */
bool bm_cloud_answer_check(struct bm_cloud_request *request);

#endif
