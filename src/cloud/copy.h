/* SPDX-License-Identifier: MIT */
/*
 * cloud/copy.h - a request by which a store reads another object itself: its name, its range, its version, and what lets
 * the store read it.
 *
 * Azure reads the source like any other client. So it is given a SAS: the location's own or the environment's, else one that
 * is made from the account's key for this object alone, for reading, and for a quarter of an hour; or a token in a header of
 * its own. S3 reads with the rights of the request.
 */
#ifndef BM_CLOUD_COPY_H
#define BM_CLOUD_COPY_H

#include "cloud/credential.h"
#include "cloud/text.h"

struct bm_cloud_copy {
    const struct bm_cloud_location *location;
    const char *etag; /* a strong one, which the source must have */
    uint64_t first;
    uint64_t last;
};

/* Whether the destination's store can be told to read the source: both are in S3, or in one account of Azure at one
 * address, so that no secret goes to another host than before. Google's stores copy whole objects only. */
bool bm_cloud_copy_is_possible(const struct bm_cloud_location *source,
                               const struct bm_cloud_location *destination);

/* Each adds the headers of one provider that name the source: provider.h. */
void bm_cloud_copy_add_azure_source(const struct bm_cloud_copy *copy,
                                    const struct bm_cloud_credential *credential, int64_t now,
                                    struct bm_cloud_text *headers);
void bm_cloud_copy_add_s3_source(const struct bm_cloud_copy *copy,
                                 const struct bm_cloud_credential *credential, int64_t now,
                                 struct bm_cloud_text *headers);

/* Adds the headers. now: seconds since 1970. What does not fit is cut. */
void bm_cloud_copy_add_headers(const struct bm_cloud_copy *copy, const struct bm_cloud_credential *credential,
                               int64_t now, struct bm_cloud_text *headers);

#endif
