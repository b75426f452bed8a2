/* SPDX-License-Identifier: MIT */
/*
 * base/hash.h - a text as 64 bits. Two texts of one hash are taken for equal where a mistake costs a warning at
 * most: no hash here withstands somebody who looks for two such texts.
 */
#ifndef BM_HASH_H
#define BM_HASH_H

#include "base/base.h"

/* Both halves of the product, in one. */
static inline uint64_t bm_hash_fold(uint64_t a, uint64_t b) {
#if defined(__SIZEOF_INT128__)
    __extension__ typedef unsigned __int128 wide;
    wide product = (wide)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
#else
    const uint64_t low = UINT32_MAX;
    uint64_t first = (a & low) * (b & low);
    uint64_t second = (a >> 32) * (b & low) + (first >> 32);
    uint64_t third = (a & low) * (b >> 32) + (second & low);
    return ((third << 32) | (first & low)) ^ ((a >> 32) * (b >> 32) + (second >> 32) + (third >> 32));
#endif
}

/* Another value behind what the hash has. */
static inline uint64_t bm_hash_add(uint64_t hash, uint64_t value) {
    return bm_hash_fold(hash ^ UINT64_C(0x2545f4914f6cdd1d), value ^ UINT64_C(0x9fb21c651e98df25));
}

/* Up to eight bytes as a number: of one length no two texts have the same. */
static inline uint64_t bm_hash_load_few(const uint8_t *p, size_t n) {
    if (n >= 4) return bm_load32(p) | (uint64_t)bm_load32(p + n - 4) << 32;
    return n == 0 ? 0 : p[0] | (uint64_t)p[n / 2] << 8 | (uint64_t)p[n - 1] << 16;
}

/* Of bytes, and of another number: theirs, or a seed. 16 bytes at a time, the last of which may have been in those before. */
static inline uint64_t bm_hash(const uint8_t *p, size_t n, uint64_t seed) {
    uint64_t hash = seed ^ UINT64_C(0x8ebc6af09c88c6e3) * (n + 1);
    uint64_t first = 0;
    uint64_t second = 0;
    if (n > 16) {
        for (size_t i = 0; i + 16 < n; i += 16)
            hash = bm_hash_fold(bm_load64(p + i) ^ UINT64_C(0x9fb21c651e98df25), bm_load64(p + i + 8) ^ hash);
        first = bm_load64(p + n - 16);
    } else {
        first = n > 8 ? bm_load64(p) : bm_hash_load_few(p, n);
    }
    if (n > 8) second = bm_load64(p + n - 8);
    return bm_hash_fold(first ^ UINT64_C(0x9fb21c651e98df25), second ^ hash);
}

/* Remembers a hash in a table of fixed size; true: it was there before, as far as the table remembers. Of the hashes
 * that fall into one place, the first one and the latest one are known, by 32 bits. An empty place is 0. */
static inline bool bm_hash_was_seen(uint32_t (*seen)[2], size_t n_seen, uint64_t hash) {
    uint32_t *place = seen[hash % n_seen];
    uint32_t tag = (uint32_t)(hash >> 32) | 1;
    bool was_seen = place[0] == tag || place[1] == tag;
    if (place[0] == 0) place[0] = tag;
    place[1] = tag;
    return was_seen;
}

/* FNV-1a, 64 bits, which is to stay the same: of what comes behind what the hash has, which begins with BM_FNV1A. */
#define BM_FNV1A UINT64_C(14695981039346656037)

static inline uint64_t bm_fnv1a(uint64_t hash, const void *bytes, size_t n) {
    const uint8_t *p = (const uint8_t *)bytes;
    for (size_t i = 0; i < n; i++) hash = (hash ^ p[i]) * UINT64_C(1099511628211);
    return hash;
}

#endif
