/* SPDX-License-Identifier: MIT */
/*
 * cloud/library.h - libcurl and libcrypto, loaded when the first remote location is used.
 *
 * Linking to Debian's libcurl loads some thirty more libraries, for LDAP and Kerberos and the like: 6 MiB
 * resident and 30 ms of every start, measured, even if no location is remote. A merge of local files promises
 * 16 MiB for the whole process. So the needed functions of the two libraries are looked up with dlopen(3)
 * once, and the libraries stay loaded. A build with BLASTMERGE_CLOUD_LINKED links to both
 * instead, as an ordinary program does.
 */
#ifndef BM_CLOUD_LIBRARY_H
#define BM_CLOUD_LIBRARY_H

#include "base/base.h"

#include <curl/curl.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

/* The functions by their own names, less the libraries' prefixes. */
struct bm_cloud_library {
    CURLcode (*global_init)(long flags);
    CURL *(*easy_init)(void);
    void (*easy_cleanup)(CURL *easy);
    void (*easy_reset)(CURL *easy);
    CURLcode (*easy_setopt)(CURL *easy, CURLoption option, ...);
    CURLcode (*easy_getinfo)(CURL *easy, CURLINFO information, ...);
    CURLcode (*easy_pause)(CURL *easy, int bits);
    const char *(*easy_strerror)(CURLcode code);
    CURLM *(*multi_init)(void);
    CURLMcode (*multi_cleanup)(CURLM *multi);
    CURLMcode (*multi_setopt)(CURLM *multi, CURLMoption option, ...);
    CURLMcode (*multi_add_handle)(CURLM *multi, CURL *easy);
    CURLMcode (*multi_remove_handle)(CURLM *multi, CURL *easy);
    CURLMcode (*multi_perform)(CURLM *multi, int *n_running);
    CURLMcode (*multi_poll)(CURLM *multi, struct curl_waitfd *extra, unsigned n_extra, int timeout_ms,
                            int *n_ready);
    CURLMsg *(*multi_info_read)(CURLM *multi, int *n_left);
    struct curl_slist *(*slist_append)(struct curl_slist *list, const char *string);
    void (*slist_free_all)(struct curl_slist *list);
    CURLU *(*url)(void);
    void (*url_cleanup)(CURLU *url);
    CURLUcode (*url_set)(CURLU *url, CURLUPart part, const char *string, unsigned flags);
    CURLUcode (*url_get)(CURLU *url, CURLUPart part, char **string, unsigned flags);
    void (*free)(void *string); /* of url_get() */

    int (*digest)(const void *data, size_t n_bytes, unsigned char *digest, unsigned *n_digest,
                  const EVP_MD *type, ENGINE *engine);
    const EVP_MD *(*sha256)(void);
    const EVP_MD *(*md5)(void);
    unsigned char *(*hmac)(const EVP_MD *type, const void *key, int n_key, const unsigned char *data,
                           size_t n_data, unsigned char *code, unsigned *n_code);
};

/* Loads the libraries, once for the process. NULL: they are missing, and the record holds the error. */
const struct bm_cloud_library *bm_cloud_library(struct blastmerge_error *error);

enum { BM_CLOUD_SHA256 = 32, BM_CLOUD_MD5 = 16 };

/* These need loaded libraries. */
void bm_cloud_sha256(const void *data, size_t n_bytes, uint8_t digest[BM_CLOUD_SHA256]);
void bm_cloud_md5(const void *data, size_t n_bytes, uint8_t digest[BM_CLOUD_MD5]);
void bm_cloud_hmac(const void *key, size_t n_key, const void *data, size_t n_bytes,
                   uint8_t code[BM_CLOUD_SHA256]);

#endif
