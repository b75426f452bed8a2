/* SPDX-License-Identifier: MIT */
#include "base/dlopen.h"

/* A program that loads nothing does not need a C library that can. */
#if (defined(BLASTMERGE_CLOUD) && !defined(BLASTMERGE_CLOUD_LINKED)) ||                                      \
    (defined(BLASTMERGE_SQLITE) && !defined(BLASTMERGE_SQLITE_LINKED)) ||                                    \
    (!defined(BLASTMERGE_DECOMPRESS_LINKED) &&                                                               \
     (defined(BLASTMERGE_LIBZSTD) || defined(BLASTMERGE_LIBLZMA) || defined(BLASTMERGE_BZIP2) ||             \
      defined(BLASTMERGE_LIBLZ4)))
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

bool bm_dlopen(const char *const *names, const struct bm_dlopen_symbol *symbols, char *reason, size_t size) {
    void *handle = NULL;
    for (; *names != NULL && handle == NULL; names++) handle = dlopen(*names, RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL) {
        const char *text = dlerror();
        snprintf(reason, size, "%.250s", text == NULL ? "unknown reason" : text);
        return false;
    }
    for (; symbols->name != NULL; symbols++) {
        void *address = dlsym(handle, symbols->name);
        if (address == NULL) {
            snprintf(reason, size, "it has no %s", symbols->name);
            return false;
        }
        memcpy(symbols->pointer, &address, sizeof address);
    }
    return true;
}

#endif
