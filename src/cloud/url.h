/* SPDX-License-Identifier: MIT */
/*
 * cloud/url.h - parses URLs with libcurl: the only code that takes URLs apart.
 *
 * Every decision about a host is made here, on the parts that libcurl's own parser returns. Requests go to a
 * URL that is put together from these parts again, so the checked host and the requested host cannot differ.
 * Hosts are in lower case, without a dot at their end; addresses are in their usual form, however they were
 * spelled.
 */
#ifndef BM_CLOUD_URL_H
#define BM_CLOUD_URL_H

#include "cloud/location.h"

enum { BM_URL_HOST = 256 };

struct bm_cloud_url {
    bool is_https;
    bool is_address;                 /* the host is an IPv4 or IPv6 address */
    char host[BM_URL_HOST];          /* an IPv6 address has its brackets */
    char origin[BM_LOCATION_ORIGIN]; /* "https://host:port", without a port that is the scheme's own */
    char path[BM_LOCATION_PATH];     /* as given; at least "/" */
    char query[BM_LOCATION_QUERY];   /* as given, without "?" */
    bool has_fragment;
};

/* Servers that may be used without encryption. */
enum bm_cloud_url_near {
    BM_NEAR_LOOPBACK = 0, /* this machine alone */
    BM_NEAR_AWS = 1,      /* and the link-local addresses of AWS's credential servers */
    BM_NEAR_AZURE = 2     /* and the link-local network, where Azure's are */
};

/* Parses an http:// or https:// URL. BLASTMERGE_USAGE: it cannot be used, or has a user or a password; the
 * message gives the reason and shows nothing of the URL. BLASTMERGE_IO: there is no libcurl. */
enum blastmerge_status bm_cloud_url_parse(struct bm_cloud_url *url, const char *string,
                                          struct blastmerge_error *error) BM_CHECK_RESULT;

/* 127.0.0.0/8, ::1 or localhost. */
bool bm_cloud_url_is_loopback(const struct bm_cloud_url *url);

/* Whether secrets may be sent there, or come from there: https, or a near server. */
bool bm_cloud_url_is_safe(const struct bm_cloud_url *url, enum bm_cloud_url_near near);

/* Parses the URL of a server that receives or issues secrets, and refuses (BLASTMERGE_DENIED, or USAGE) one
 * that is not safe; `what` names the setting of the URL. */
enum blastmerge_status bm_cloud_url_parse_safe(struct bm_cloud_url *url, const char *string,
                                               enum bm_cloud_url_near near, const char *what,
                                               struct blastmerge_error *error) BM_CHECK_RESULT;

/* Whether the host is ACCOUNT.blob.SUFFIX with a suffix of Azure's own, compared label by label. */
bool bm_cloud_url_is_azure(const struct bm_cloud_url *url);

/* Whether the URL is below the other: the same origin, and its path continues at a slash. */
bool bm_cloud_url_is_below(const struct bm_cloud_url *url, const struct bm_cloud_url *above);

#endif
