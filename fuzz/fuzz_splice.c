/* SPDX-License-Identifier: MIT */
/*
 * Fuzzing splice against zlib, with libFuzzer (scripts/fuzz builds and runs it). The first byte says what the
 * others are: throws of the dice that the tests' cases are drawn from (texts, compressors, streams that no
 * compressor would write, edits, steps; of one child, or of several); or first such throws, for the edits, and then a
 * deflate stream.
 * What must hold is what tests/splice_cases.h checks: zlib inflates the fragments, together and apart, to the
 * edited text; CRC-32 and length are right; other steps, and a fragment made alone, give the same bytes.
 *
 * Most cases are small, and splice is run once: it is the odd shapes that are looked for, as many as can be.
 * The tests have the large ones. Which are large, and which are run in other steps, too, is drawn from a sum
 * of the input: so no byte that an input hands down makes all that come of it slow.
 */
#if defined(__clang__) /* what is to be covered is splice, not the cases' own code */
#pragma clang attribute push(__attribute__((no_sanitize("coverage"))), apply_to = function)
#endif
#include "splice_cases.h"
#include "splice_many.h"
#if defined(__clang__)
#pragma clang attribute pop
#endif

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_data);

enum { HEAD = 2, THROW = 2, MAX_STREAM_TEXT = 1 << 19 };

static struct runner runner;
static struct many_runner splicer, packer; /* for several children */

/* Makes a gzip stream of the deflate stream at data, if zlib takes it and its text is no longer than a few of
 * the case's. */
static bool wrap(struct stream *stream, const uint8_t *data, size_t n_data) {
    static uint8_t text[MAX_STREAM_TEXT];
    uint8_t tail[8];
    z_stream z;
    memset(&z, 0, sizeof z);
    must(inflateInit2(&z, -15) == Z_OK);
    z.next_in = (uint8_t *)(uintptr_t)data;
    z.avail_in = (unsigned)n_data;
    z.next_out = text;
    z.avail_out = 4 * splice_scale.max_text;
    must(z.avail_out <= sizeof text);
    int status = inflate(&z, Z_FINISH);
    inflateEnd(&z);
    if (status != Z_STREAM_END) return false;
    bytes_add(&stream->gzip, weird_head, sizeof weird_head);
    bytes_add(&stream->gzip, data, z.total_in);
    bm_store32(tail, bm_crc32(0, text, z.total_out));
    bm_store32(tail + 4, (uint32_t)z.total_out);
    bytes_add(&stream->gzip, tail, sizeof tail);
    return true;
}

static void hold_to(const char *fault) {
    if (fault == NULL) return;
    fprintf(stderr, "%s\n", fault);
    abort();
}

static void choose_scale(const uint8_t *data, size_t n_data) {
    uint32_t sum = bm_crc32(0, data, n_data);
    splice_scale = (struct splice_scale){400, 600, 6, 30, (sum & 7) == 0};
    if (sum >> 24 < 4) splice_scale = (struct splice_scale){4000, 4000, 60, 200, true};
    if (sum >> 24 == 255)
        splice_scale = (struct splice_scale){60000, 32768, 60, 200, false}; /* more than a window */
}

static void close_all(void) {
    runner_close(&runner);
    many_close(&splicer);
    many_close(&packer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_data) {
    struct stream stream;
    struct script script;
    if (runner.sink == NULL) {
        runner_open(&runner);
        many_open(&splicer, 0);
        many_open(&packer, 1);
        must(atexit(close_all) == 0); /* lest zlib's memory counts as a leak */
    }
    if (n_data < HEAD) return 0;
    choose_scale(data, n_data);
    size_t n_throws = (size_t)THROW * data[1];
    struct dice dice = {.state = 1, .feed = data + HEAD, .n_feed = n_data - HEAD};
    if (data[0] % 8 == 6) {
        hold_to(check_many(&splicer, &packer, &dice));
        return 0;
    }
    if ((data[0] & 1) == 0) {
        hold_to(check_case(&runner, &dice));
        return 0;
    }
    if (n_throws > dice.n_feed) return 0;
    memset(&stream, 0, sizeof stream);
    if (!wrap(&stream, dice.feed + n_throws, dice.n_feed - n_throws)) {
        stream_free(&stream);
        return -1;
    }
    dice.n_feed = n_throws;
    stream_decode(&stream);
    make_script(&dice, &script, &stream);
    hold_to(check_splice(&runner, &dice, &stream, &script));
    return 0;
}
