/* SPDX-License-Identifier: MIT */
/* Memory for one compressor of zlib's at a time, which asks for much of it, again and again. */
#ifndef BM_TESTS_ZLIB_ROOM_H
#define BM_TESTS_ZLIB_ROOM_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <zlib.h>

static _Alignas(64) uint8_t zlib_room[1 << 19];
static size_t zlib_room_used;

static inline void *zlib_room_take(void *context, unsigned n, unsigned size) {
    (void)context;
    uint8_t *place = zlib_room + zlib_room_used;
    zlib_room_used += ((size_t)n * size + 63) / 64 * 64;
    if (zlib_room_used > sizeof zlib_room) abort();
    return place;
}

static inline void zlib_room_leave(void *context, void *place) {
    (void)context;
    (void)place;
}

/* The stream's memory will be this, which the stream before has lost. */
static inline void zlib_room_enter(z_stream *stream) {
    stream->zalloc = zlib_room_take;
    stream->zfree = zlib_room_leave;
    zlib_room_used = 0;
}

#endif
