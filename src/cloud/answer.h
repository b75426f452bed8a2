/* SPDX-License-Identifier: MIT */
/*
 * cloud/answer.h - what a server says to one try of a request, as libcurl hands it over.
 *
 * Before the first byte goes to the request's owner, the headers are held against what was asked: the status,
 * the range, the length, and the ETag. What is odd there makes a fault, like a connection that breaks.
 */
#ifndef BM_CLOUD_ANSWER_H
#define BM_CLOUD_ANSWER_H

#include "cloud/cloud.h"

/* Before each try. */
void bm_cloud_answer_forget(struct bm_cloud_request *request);

/* libcurl's callbacks for lines of headers and for bytes of the body; the context is the request. */
size_t bm_cloud_answer_header(char *data, size_t size, size_t n, void *context);
size_t bm_cloud_answer_body(char *data, size_t size, size_t n, void *context);

/* Holds the headers of a good status against what was asked for; false: there is a fault. */
bool bm_cloud_answer_check(struct bm_cloud_request *request);

#endif
