/* SPDX-License-Identifier: MIT */
/*
 * A server in memory whose answers are lies that a fuzzer chose, for the stub of libcurl.
 *
 * Whatever an answer claims, its bytes are those of what it claims to be: of the version that its ETag and
 * its time stand for, from where its Content-Range says. A reader that compares the claims gets the bytes of
 * one version; a reader that does not gets a mixture, which a judge can tell. An answer without an ETag and a
 * time is of a version of its own.
 *
 * Each answer takes CLAIM bytes of the input: the first says in which ways it lies, each of the others how.
 * Where there are none any more the server is honest.
 *
 * The including file defines what the objects are:
 *
 *     static uint64_t object_size(unsigned number, bool is_other);
 *     static uint8_t object_byte(unsigned number, const struct claim *claim, uint64_t offset);
 */
#ifndef FUZZ_CLAIMS_H
#define FUZZ_CLAIMS_H

#include "curl_stub.h"

#include <inttypes.h>

enum { CLAIM = 9, MAX_CLAIMS = 400 };

enum claim_lie {
    LIE_STATUS = 1,
    LIE_TAG = 2,
    LIE_TIME = 4,
    LIE_RANGE = 8,
    LIE_TOTAL = 16,
    LIE_LENGTH = 32,
    LIE_BODY = 64,
    LIE_END = 128
};

/* What an honest server says of its objects. */
enum claim_mode { MODE_STRONG, MODE_STRONG_TIME, MODE_WEAK_TIME, MODE_TIME, MODE_WEAK, MODE_NOTHING, MODES };

enum claim_tag { TAG_NONE, TAG_OWN, TAG_OTHER, TAG_WEAK_OWN, TAG_WEAK_OTHER, TAG_ODD, TAGS };
enum claim_time { TIME_NONE, TIME_OWN, TIME_OTHER, TIMES };

struct claim {
    unsigned status;
    enum claim_tag tag;
    enum claim_time time;
    bool has_range;
    uint64_t first;
    uint64_t last;
    bool has_total;
    uint64_t total;
    bool has_length;
    uint64_t length;
    uint64_t n_body;
    CURLcode end;
    size_t n_piece;
    unsigned number; /* of the answer */
};

static struct claim claims[MAX_CLAIMS]; /* all that were made */
static const uint8_t *claim_input;
static size_t n_claim_input;
static enum claim_mode claim_mode;
static bool claim_knows_ranges;
static unsigned n_claims;
static size_t
    claim_most; /* bytes that are handed out at a time: no more than a window has, as with libcurl */

static uint64_t object_size(unsigned number, bool is_other);
static uint8_t object_byte(unsigned number, const struct claim *claim, uint64_t offset);

static inline bool claim_is_other(const struct claim *claim) {
    return claim->tag == TAG_OTHER || claim->tag == TAG_WEAK_OTHER ||
           (claim->tag != TAG_OWN && claim->time == TIME_OTHER);
}

/* Which version the answer is of: the same number only where a strong ETag, or all that is there, is the
 * same.
 */
static inline unsigned claim_version(const struct claim *claim) {
    if (claim->tag == TAG_OWN || claim->tag == TAG_OTHER) return claim->tag;
    if (claim->time == TIME_NONE || (claim->status == 206 && !claim->has_range)) return 100 + claim->number;
    return 10 + (unsigned)claim->tag * TIMES + claim->time;
}

static inline struct claim claim_honestly(const struct transfer *transfer, unsigned number) {
    static const enum claim_tag tags[MODES] = {TAG_OWN,  TAG_OWN,      TAG_WEAK_OWN,
                                               TAG_NONE, TAG_WEAK_OWN, TAG_NONE};
    static const enum claim_time times[MODES] = {TIME_NONE, TIME_OWN,  TIME_OWN,
                                                 TIME_OWN,  TIME_NONE, TIME_NONE};
    uint64_t size = object_size(number, false);
    struct claim claim = {.status = 200,
                          .tag = tags[claim_mode],
                          .time = times[claim_mode],
                          .has_length = true,
                          .length = size,
                          .n_body = size,
                          .n_piece = claim_most,
                          .number = n_claims};
    if (!claim_knows_ranges || !stub_range(transfer, &claim.first, &claim.last)) return claim;
    claim.has_total = true;
    claim.total = size;
    claim.has_range = claim.first < size && claim.first <= claim.last;
    claim.status = claim.has_range ? 206 : 416;
    if (claim.last >= size) claim.last = size - 1;
    claim.length = claim.n_body = claim.has_range ? claim.last - claim.first + 1 : 0;
    return claim;
}

/* A number near another one, or far from it. */
static inline uint64_t claim_near(uint64_t value, uint8_t how) {
    static const uint64_t far[] = {0, UINT64_MAX, UINT64_MAX / 2, 1};
    if (how >= 252) return far[how - 252];
    return how < 126 ? value + how + 1 : value - (uint64_t)(how - 125) * (how & 1 ? 1 : 37);
}

static inline void lie_about_range(struct claim *claim, uint8_t how) {
    uint64_t n = claim->last - claim->first + 1;
    if (claim->status == 416) { /* a range that ends before it begins, say, is answered all the same */
        claim->status = 206;
        claim->has_range = true;
    }
    switch (how & 7) {
    case 0:
        claim->first = claim_near(claim->first, how);
        break;
    case 1:
        claim->last = claim_near(claim->last, how);
        break;
    case 2:
        claim->has_range = false;
        break;
    case 3:
        claim->first += n;
        claim->last += n;
        break;
    case 4:
        claim->last = claim->total - 1;
        break;
    case 5:
        claim->last = claim->first + n / 2;
        break;
    case 6:
        claim->last += 100 * (uint64_t)how;
        break;
    default:
        claim->first = claim->last + 1;
        break;
    }
    if (claim->has_range) claim->n_body = claim->last - claim->first + 1;
    claim->length = claim->n_body;
}

static inline void lie_about_status(struct claim *claim, const struct transfer *transfer, uint8_t how,
                                    unsigned number) {
    static const unsigned statuses[] = {200, 206, 204, 416, 404, 500, 503, 412, 304, 403, 201, 302, 100, 999};
    claim->status = statuses[how % (sizeof statuses / sizeof *statuses)];
    if (claim->status == 206 && stub_range(transfer, &claim->first, &claim->last) &&
        claim->first <= claim->last) {
        claim->has_range = claim->has_total = true;
        claim->length = claim->n_body = claim->last - claim->first + 1;
    } else if (claim->status == 200) { /* all of it */
        claim->has_range = claim->has_total = false;
        claim->first = 0;
        claim->length = claim->n_body = object_size(number, false);
    }
    if (claim->status == 416) claim->total = how & 16 ? 0 : claim->total;
}

/* Another object is as long as it is; what begins there is not what ends elsewhere. */
static inline void be_other(struct claim *claim, unsigned number) {
    uint64_t size = object_size(number, true);
    claim->total = size;
    if (claim->has_range && claim->last >= size && claim->first < size) claim->last = size - 1;
    claim->length = claim->n_body = claim->has_range ? claim->last - claim->first + 1 : size;
}

static inline struct claim make_claim(const struct transfer *transfer, unsigned number) {
    struct claim claim = claim_honestly(transfer, number);
    if (n_claim_input < CLAIM) return claim;
    const uint8_t *input = claim_input;
    claim_input += CLAIM;
    n_claim_input -= CLAIM;
    if (input[0] & LIE_STATUS) lie_about_status(&claim, transfer, input[1], number);
    if (input[0] & LIE_TAG) claim.tag = (enum claim_tag)(input[2] % TAGS);
    if (input[0] & LIE_TIME) claim.time = (enum claim_time)(input[3] % TIMES);
    if (claim_is_other(&claim)) be_other(&claim, number);
    if (input[0] & LIE_RANGE) lie_about_range(&claim, input[4]);
    if (input[0] & LIE_TOTAL) claim.total = claim_near(claim.total, input[5]);
    if (input[0] & LIE_TOTAL && input[5] == 251) claim.has_total = false;
    if (input[0] & LIE_BODY) claim.n_body = claim_near(claim.n_body, input[7]);
    if (input[0] & LIE_LENGTH) claim.length = claim_near(claim.length, input[6]);
    if (input[0] & LIE_LENGTH && input[6] >= 200) claim.has_length = false;
    if (input[0] & LIE_END) {
        static const CURLcode ends[] = {CURLE_PARTIAL_FILE, CURLE_RECV_ERROR, CURLE_COULDNT_CONNECT,
                                        CURLE_OPERATION_TIMEDOUT};
        claim.end = ends[input[8] & 3];
        if (input[8] & 4) claim.n_body /= 2;
    }
    claim.n_piece = 1 + (size_t)input[8] * 3 % claim_most;
    return claim;
}

/* --- saying it ----------------------------------------------------------------------------------- */

static inline void say_line(struct transfer *transfer, const char *format, ...) {
    char line[256];
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    stub_require(n > 0 && (size_t)n < sizeof line);
    stub_say(transfer, line, (size_t)n);
}

static inline void say_claim(struct transfer *transfer, const struct claim *claim) {
    static const char *const tags[TAGS] = {NULL, "\"own\"", "\"other\"", "W/\"own\"", "W/\"other\"", "odd"};
    static const char *const times[TIMES] = {NULL, "Sun, 06 Nov 1994 08:49:37 GMT",
                                             "Mon, 07 Nov 1994 08:49:37 GMT"};
    char total[24] = "*";
    say_line(transfer, "HTTP/1.1 %u Status\r\n", claim->status);
    if (tags[claim->tag] != NULL) say_line(transfer, "ETag: %s\r\n", tags[claim->tag]);
    if (times[claim->time] != NULL) say_line(transfer, "Last-Modified: %s\r\n", times[claim->time]);
    if (claim->has_total) snprintf(total, sizeof total, "%" PRIu64, claim->total);
    if (claim->has_range && claim->status != 200)
        say_line(transfer, "Content-Range: bytes %" PRIu64 "-%" PRIu64 "/%s\r\n", claim->first, claim->last,
                 total);
    if (claim->status == 416) say_line(transfer, "Content-Range: bytes */%s\r\n", total);
    if (claim->has_length) say_line(transfer, "Content-Length: %" PRIu64 "\r\n", claim->length);
    stub_say(transfer, "\r\n", 2);
}

enum { CLAIM_PIECE = 4096, CLAIM_MOST = 1 << 20 };

/* A piece of the body, as libcurl would hand it out: never more than the length that was claimed. */
static inline bool hand_out_piece(struct transfer *transfer, unsigned number, const struct claim *claim,
                                  uint64_t at, size_t n) {
    uint8_t piece[CLAIM_PIECE] = {0};
    uint64_t first = claim->status == 206 ? claim->first : 0;
    for (size_t i = 0; i < n; i++) piece[i] = object_byte(number, claim, first + at + i);
    return stub_hand_out(transfer, piece, n);
}

/* Goes on with an answer; it pauses or ends. The transfer's n_body: what was handed out before. */
static inline void go_on_by_claim(struct transfer *transfer, const struct claim *claim, unsigned number) {
    uint64_t n = transfer->has_no_body ? 0 : claim->n_body;
    CURLcode end = claim->end;
    if (claim->has_length && claim->length < n) n = claim->length;
    if (n > CLAIM_MOST) n = CLAIM_MOST, end = CURLE_RECV_ERROR;
    if (claim->has_length && n < claim->length && !transfer->has_no_body && end == CURLE_OK)
        end = CURLE_PARTIAL_FILE;
    while (transfer->n_body < n) {
        size_t n_left = (size_t)n - transfer->n_body;
        size_t n_piece = claim->n_piece < n_left ? claim->n_piece : n_left;
        if (!hand_out_piece(transfer, number, claim, transfer->n_body, n_piece)) return;
        transfer->n_body += n_piece;
    }
    stub_end(transfer, end);
}

/* A step of a request for the object of that number. */
static inline void answer_by_claim(struct transfer *transfer, unsigned number) {
    if (!transfer->is_begun) {
        if (n_claims == MAX_CLAIMS) {
            stub_end(transfer, CURLE_COULDNT_CONNECT);
            return;
        }
        transfer->is_begun = true;
        transfer->place = n_claims;
        claims[n_claims] = make_claim(transfer, number);
        if (claims[n_claims].end != CURLE_COULDNT_CONNECT) say_claim(transfer, &claims[n_claims]);
        n_claims++;
    }
    go_on_by_claim(transfer, &claims[transfer->place], number);
}

static inline void begin_claims(const uint8_t *input, size_t n_input, uint8_t how, size_t most) {
    claim_most = most;
    claim_input = input;
    n_claim_input = n_input;
    claim_mode = (enum claim_mode)(how % MODES);
    claim_knows_ranges = (how & 128) == 0;
    n_claims = 0;
}

#endif
