/* SPDX-License-Identifier: MIT */
#include "base/base.h" /* ISO C wants something in each file */
#ifdef BLASTMERGE_CLOUD
#include "base/dlopen.h"
#include "cloud/library.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

static struct bm_cloud_library library;
static bool is_loaded;
static char reason[256];
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* What is needed of libcurl, less its prefix, and of libcrypto. */
#define CURL_FUNCTIONS(EACH)                                                                                 \
    EACH(global_init)                                                                                        \
    EACH(easy_init)                                                                                          \
    EACH(easy_cleanup)                                                                                       \
    EACH(easy_reset)                                                                                         \
    EACH(easy_setopt)                                                                                        \
    EACH(easy_getinfo)                                                                                       \
    EACH(easy_pause)                                                                                         \
    EACH(easy_strerror)                                                                                      \
    EACH(multi_init)                                                                                         \
    EACH(multi_cleanup)                                                                                      \
    EACH(multi_setopt)                                                                                       \
    EACH(multi_add_handle)                                                                                   \
    EACH(multi_remove_handle)                                                                                \
    EACH(multi_perform)                                                                                      \
    EACH(multi_poll)                                                                                         \
    EACH(multi_info_read)                                                                                    \
    EACH(slist_append)                                                                                       \
    EACH(slist_free_all)                                                                                     \
    EACH(url)                                                                                                \
    EACH(url_cleanup)                                                                                        \
    EACH(url_set)                                                                                            \
    EACH(url_get)                                                                                            \
    EACH(free)
#define CRYPTO_FUNCTIONS(EACH)                                                                               \
    EACH(digest, EVP_Digest)                                                                                 \
    EACH(sha256, EVP_sha256)                                                                                 \
    EACH(md5, EVP_md5)                                                                                       \
    EACH(hmac, HMAC)

static void initialise(void) {
    is_loaded = library.global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
    if (!is_loaded) snprintf(reason, sizeof reason, "cannot initialise libcurl");
}

#ifdef BLASTMERGE_CLOUD_LINKED

#define CURL_POINTER(name)        library.name = curl_##name;
#define CRYPTO_POINTER(name, its) library.name = its;

static void load_all(void) {
    CURL_FUNCTIONS(CURL_POINTER)
    CRYPTO_FUNCTIONS(CRYPTO_POINTER)
    initialise();
}

#else

#define CURL_SYMBOL(name)        {"curl_" #name, &library.name},
#define CRYPTO_SYMBOL(name, its) {#its, &library.name},

static const struct bm_dlopen_symbol curl_symbols[] = {CURL_FUNCTIONS(CURL_SYMBOL){NULL, NULL}};
static const struct bm_dlopen_symbol crypto_symbols[] = {CRYPTO_FUNCTIONS(CRYPTO_SYMBOL){NULL, NULL}};

#if defined(__APPLE__)
static const char *const curl_names[] = {"libcurl.4.dylib", "/usr/lib/libcurl.4.dylib", NULL};
static const char *const crypto_names[] = {"libcrypto.3.dylib", NULL};
#else
#define CURL_NAME        "libcurl.so.4"
#define CURL_GNUTLS_NAME "libcurl-gnutls.so.4"
#define CRYPTO_NAME      "libcrypto.so.3"
#define CRYPTO_OLD_NAME  "libcrypto.so.1.1"
static const char *const curl_names[] = {CURL_NAME, CURL_GNUTLS_NAME, NULL};
static const char *const crypto_names[] = {CRYPTO_NAME, CRYPTO_OLD_NAME, NULL};

#define DLOPEN_NOTE                                                                                          \
    "[{\"feature\":\"remote\",\"description\":\"HTTP, Azure Blob and S3 locations\","                        \
    "\"priority\":\"recommended\",\"soname\":[\"" CURL_NAME "\",\"" CURL_GNUTLS_NAME "\"]},"                 \
    "{\"feature\":\"remote\",\"description\":\"signed requests to object stores\","                          \
    "\"priority\":\"recommended\",\"soname\":[\"" CRYPTO_NAME "\",\"" CRYPTO_OLD_NAME "\"]}]"
BM_DLOPEN_NOTE(DLOPEN_NOTE);
#endif

static void load_all(void) {
    if (bm_dlopen(curl_names, curl_symbols, reason, sizeof reason) &&
        bm_dlopen(crypto_names, crypto_symbols, reason, sizeof reason))
        initialise();
}

#endif

const struct bm_cloud_library *bm_cloud_library(struct blastmerge_error *error) {
    (void)pthread_once(&once, load_all);
    if (is_loaded) return &library;
    bm_fail(error, BLASTMERGE_IO, "cannot load libcurl 7.66 and OpenSSL, which remote locations need: %s",
            reason);
    return NULL;
}

void bm_cloud_sha256(const void *data, size_t n_bytes, uint8_t digest[BM_CLOUD_SHA256]) {
    int is_done = library.digest(data, n_bytes, digest, NULL, library.sha256(), NULL);
    if (is_done != 1)
        memset(digest, 0, BM_CLOUD_SHA256); /* no server takes that for the digest of anything */
}

void bm_cloud_md5(const void *data, size_t n_bytes, uint8_t digest[BM_CLOUD_MD5]) {
    int is_done = library.digest(data, n_bytes, digest, NULL, library.md5(), NULL);
    if (is_done != 1) memset(digest, 0, BM_CLOUD_MD5);
}

void bm_cloud_hmac(const void *key, size_t n_key, const void *data, size_t n_bytes,
                   uint8_t code[BM_CLOUD_SHA256]) {
    bm_require(n_key <= INT32_MAX);
    if (library.hmac(library.sha256(), key, (int)n_key, data, n_bytes, code, NULL) == NULL)
        memset(code, 0, BM_CLOUD_SHA256);
}

#endif
