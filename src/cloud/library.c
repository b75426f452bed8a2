/* SPDX-License-Identifier: MIT */
#include "base/base.h" /* ISO C wants something in each file */
#ifdef BLASTMERGE_CLOUD
#include "cloud/library.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

static struct bm_cloud_library library;
static bool is_loaded;
static char reason[256];
static pthread_once_t once = PTHREAD_ONCE_INIT;

struct symbol {
    const char *name;
    size_t offset; /* of the pointer in struct bm_cloud_library */
};

#define CURL_SYMBOL(name)                                                                                    \
    { "curl_" #name, offsetof(struct bm_cloud_library, name) }
#define CRYPTO_SYMBOL(name, its)                                                                             \
    { its, offsetof(struct bm_cloud_library, name) }

static const struct symbol curl_symbols[] = {
    CURL_SYMBOL(global_init),
    CURL_SYMBOL(easy_init),
    CURL_SYMBOL(easy_cleanup),
    CURL_SYMBOL(easy_reset),
    CURL_SYMBOL(easy_setopt),
    CURL_SYMBOL(easy_getinfo),
    CURL_SYMBOL(easy_pause),
    CURL_SYMBOL(easy_strerror),
    CURL_SYMBOL(multi_init),
    CURL_SYMBOL(multi_cleanup),
    CURL_SYMBOL(multi_setopt),
    CURL_SYMBOL(multi_add_handle),
    CURL_SYMBOL(multi_remove_handle),
    CURL_SYMBOL(multi_perform),
    CURL_SYMBOL(multi_poll),
    CURL_SYMBOL(multi_info_read),
    CURL_SYMBOL(slist_append),
    CURL_SYMBOL(slist_free_all),
    CURL_SYMBOL(url),
    CURL_SYMBOL(url_cleanup),
    CURL_SYMBOL(url_set),
    CURL_SYMBOL(url_get),
    CURL_SYMBOL(free),
};

static const struct symbol crypto_symbols[] = {
    CRYPTO_SYMBOL(digest, "EVP_Digest"),
    CRYPTO_SYMBOL(sha256, "EVP_sha256"),
    CRYPTO_SYMBOL(md5, "EVP_md5"),
    CRYPTO_SYMBOL(hmac, "HMAC"),
};

#if defined(__APPLE__)
static const char *const curl_names[] = {"libcurl.4.dylib", "/usr/lib/libcurl.4.dylib", NULL};
static const char *const crypto_names[] = {"libcrypto.3.dylib", NULL};
#else
static const char *const curl_names[] = {"libcurl.so.4", "libcurl-gnutls.so.4", NULL};
static const char *const crypto_names[] = {"libcrypto.so.3", "libcrypto.so.1.1", NULL};
#endif

/* The first of the names that can be loaded. */
static void *load(const char *const *names) {
    for (; *names != NULL; names++) {
        void *handle = dlopen(*names, RTLD_NOW | RTLD_LOCAL);
        if (handle != NULL) return handle;
    }
    const char *text = dlerror();
    snprintf(reason, sizeof reason, "%.250s", text == NULL ? "unknown reason" : text);
    return NULL;
}

static bool look_up(void *handle, const struct symbol *symbols, size_t n_symbols) {
    for (size_t i = 0; i < n_symbols; i++) {
        void *address = dlsym(handle, symbols[i].name);
        if (address == NULL) {
            snprintf(reason, sizeof reason, "it has no %s", symbols[i].name);
            return false;
        }
        memcpy((char *)&library + symbols[i].offset, &address, sizeof address);
    }
    return true;
}

static void load_all(void) {
    void *curl = load(curl_names);
    if (curl == NULL || !look_up(curl, curl_symbols, sizeof curl_symbols / sizeof *curl_symbols)) return;
    void *crypto = load(crypto_names);
    if (crypto == NULL || !look_up(crypto, crypto_symbols, sizeof crypto_symbols / sizeof *crypto_symbols))
        return;
    is_loaded = library.global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
    if (!is_loaded) snprintf(reason, sizeof reason, "libcurl cannot be initialised");
}

const struct bm_cloud_library *bm_cloud_library(struct blastmerge_error *error) {
    (void)pthread_once(&once, load_all);
    if (is_loaded) return &library;
    bm_fail(error, BLASTMERGE_IO,
            "remote locations need libcurl 7.66 and OpenSSL, which cannot be loaded: %s", reason);
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
