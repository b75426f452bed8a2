/* SPDX-License-Identifier: MIT */
/*
 * cloud/sign.h - a request's signature.
 *
 * AWS signs with SigV4, Google's XML API with the same under other names, Azure with its Shared Key. libcurl's
 * own SigV4 (7.88) is not used, because it sorts headers by whole lines and not by their names.
 */
#ifndef BM_CLOUD_SIGN_H
#define BM_CLOUD_SIGN_H

#include "cloud/credential.h"

enum { BM_SIGN_HEADERS = 12288 };

/* The data to sign. Everything is encoded as it is sent; headers are lines of "Name: value\n". */
struct bm_cloud_sign {
    const char *method;
    const struct bm_cloud_location *location;
    const char *path;
    const char *query; /* "" or "a=1&b="; each parameter has its "=" */
    const char *headers;
    const uint8_t *body;
    size_t n_body;
    const uint8_t *body_sha256; /* or NULL: it is calculated */
    const struct bm_cloud_credential *credential;
    int64_t now; /* seconds since 1970 */
};

/* Writes the headers to send: the given ones, those that the signature needs, and Authorization. False if
 * they do not fit. */
bool bm_cloud_sign(const struct bm_cloud_sign *sign, char headers[BM_SIGN_HEADERS]);

#endif
