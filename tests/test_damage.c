/* SPDX-License-Identifier: MIT */
/*
 * Damaged children: what comes of a merge when bits or bytes of a child are not what they were.
 *
 * The judge is zlib: what it reads as whole gzip members is the child's text, whatever the damage was. Where
 * it reads none the merge must fail, with the damaged child in its error, and what was handed out before must
 * not decode as complete. Where it reads the text that was there the merge must come to what it came to
 * before. Where it reads another text (members can be moved as a whole: no check of gzip's sees that) the
 * merge must fail if expat refuses it, and else come to that text's merge, which is worked out here by
 * searching for strings.
 *
 * Every single-bit flip of small children; random damage of larger ones, the documents of a real BLAST among
 * them: BLASTMERGE_TEST_DAMAGES says how many (3000 without it). The counts are printed as the table of
 * docs/trust.md.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "blastmerge.h"
#include "children.h"

#include <expat.h>
#include <malloc.h>

/* What came of a damage. */
enum outcome { REFUSED, SAME_TEXT, ANOTHER_TEXT, N_OUTCOMES };

static uint32_t seed = 2463534242U;

static uint32_t next_random(uint32_t below) {
    seed ^= seed << 13;
    seed ^= seed >> 17;
    seed ^= seed << 5;
    return seed % below;
}

static void append_bytes(struct bytes *bytes, const void *data, size_t n) {
    bytes->data = realloc(bytes->data, bytes->n + n + 1);
    assert_non_null(bytes->data);
    if (n > 0) memcpy(bytes->data + bytes->n, data, n);
    bytes->n += n;
    bytes->data[bytes->n] = '\0';
}

static struct bytes copy_of(struct bytes bytes) {
    struct bytes copy = {NULL, 0};
    append_bytes(&copy, bytes.data, bytes.n);
    return copy;
}

static int is_same(struct bytes a, struct bytes b) {
    return a.n == b.n && memcmp(a.data, b.data, a.n) == 0;
}

/* --- the judge ----------------------------------------------------------------------------------- */

/* The text of one or more gzip members, zero bytes between them or not; data NULL if zlib finds anything
 * else. */
static struct bytes zlib_text(struct bytes child) {
    struct bytes text = {NULL, 0};
    static uint8_t piece[1 << 16];
    z_stream stream;
    memset(&stream, 0, sizeof stream);
    assert_int_equal(inflateInit2(&stream, 15 + 16), Z_OK);
    stream.next_in = child.data;
    stream.avail_in = (uInt)child.n;
    int result = Z_OK;
    do {
        stream.next_out = piece;
        stream.avail_out = sizeof piece;
        result = inflate(&stream, Z_NO_FLUSH);
        append_bytes(&text, piece, sizeof piece - stream.avail_out);
        if (result != Z_STREAM_END) continue;
        while (stream.avail_in > 0 && *stream.next_in == 0) {
            stream.next_in++;
            stream.avail_in--;
        }
        if (stream.avail_in == 0) break;
        result = inflateReset(&stream);
    } while (result == Z_OK);
    inflateEnd(&stream);
    if (result != Z_STREAM_END) {
        free(text.data);
        text = (struct bytes){NULL, 0};
    }
    return text;
}

static const char prolog[] = "<?xml version=";

/* Whether each document of a text is well-formed for expat. */
static int is_well_formed(struct bytes text) {
    const char *document = (const char *)text.data;
    if (strncmp(document, prolog, sizeof prolog - 1) != 0) return 0;
    while (document != NULL) {
        const char *next = strstr(document + 1, prolog);
        size_t n =
            next == NULL ? (size_t)((const char *)text.data + text.n - document) : (size_t)(next - document);
        XML_Parser parser = XML_ParserCreate(NULL);
        assert_non_null(parser);
        int is_good = XML_Parse(parser, document, (int)n, 1) == XML_STATUS_OK;
        XML_ParserFree(parser);
        if (!is_good) return 0;
        document = next;
    }
    return 1;
}

/* Adds what is between the first `after` and the next `before`, from `at`; returns where it ended, NULL if
 * nowhere. */
static const char *append_up_to(struct bytes *bytes, const char *at, const char *before) {
    const char *end = strstr(at, before);
    if (end != NULL) append_bytes(bytes, at, (size_t)(end - at));
    return end;
}

/* A document's Iterations, numbered on from *n_iterations. */
static const char *append_iterations(struct bytes *merged, const char *at, unsigned *n_iterations) {
    static const char number_tag[] = "<Iteration_iter-num>";
    static const char last_tag[] = "</BlastOutput_iterations>";
    for (;;) {
        const char *number = strstr(at, number_tag);
        const char *last = strstr(at, last_tag);
        if (last == NULL) return NULL;
        if (number == NULL || last < number) {
            append_bytes(merged, at, (size_t)(last - at));
            return last;
        }
        char digits[64];
        int n = snprintf(digits, sizeof digits, "%s%u", number_tag, ++*n_iterations);
        append_bytes(merged, at, (size_t)(number - at));
        append_bytes(merged, digits, (size_t)n);
        at = strchr(number, '<');
        at = at == NULL ? NULL : strchr(at + 1, '<');
        if (at == NULL) return NULL;
    }
}

/* The merge of texts as BLAST lays them out; data NULL if one is none of these. */
static struct bytes naive_merge(const struct bytes *texts, size_t n_texts) {
    static const char database[] = "<BlastOutput_db>";
    static const char first_tag[] = "<BlastOutput_iterations>\n";
    struct bytes merged = {NULL, 0};
    unsigned n_iterations = 0;
    const char *at = append_up_to(&merged, (const char *)texts[0].data, database);
    if (at == NULL) goto none;
    append_text(&merged, "<BlastOutput_db>merged split-query child results");
    at = append_up_to(&merged, strchr(at + 1, '<'), first_tag);
    if (at == NULL) goto none;
    append_text(&merged, first_tag);
    const char *epilogue = NULL;
    for (size_t i = 0; i < n_texts; i++) {
        const char *document = (const char *)texts[i].data;
        for (; document != NULL; document = strstr(document + 1, prolog)) {
            at = strstr(document, first_tag);
            at = at == NULL ? NULL : append_iterations(&merged, at + sizeof first_tag - 1, &n_iterations);
            if (at == NULL) goto none;
            if (epilogue == NULL) epilogue = at;
        }
    }
    if (epilogue == NULL) goto none;
    const char *end = strstr(epilogue, prolog);
    append_bytes(&merged, epilogue, end == NULL ? strlen(epilogue) : (size_t)(end - epilogue));
    return merged;
none:
    free(merged.data);
    return (struct bytes){NULL, 0};
}

/* --- the merge ----------------------------------------------------------------------------------- */

static struct bytes good_text; /* of the child on either side of the damaged one */
static struct bytes good;

struct way {
    unsigned n_threads;
    int level;
    size_t place; /* of the damaged child among three */
};

/* A reader that hands out chunks of some bytes. */
struct chunks {
    struct bytes bytes;
    size_t position;
};

static int next_chunk(void *context, const void **data, size_t *n_bytes) {
    struct chunks *chunks = context;
    size_t n_left = chunks->bytes.n - chunks->position;
    *n_bytes = n_left < 4093 ? n_left : 4093;
    *data = chunks->bytes.data + chunks->position;
    chunks->position += *n_bytes;
    return BLASTMERGE_CALLBACK_OK;
}

/* Merges the child in its place, and keeps what comes out piece by piece in *merged. */
static enum blastmerge_status merge(struct bytes child, struct way way, struct bytes *merged,
                                    uint64_t *error_child) {
    struct blastmerge_options options;
    struct blastmerge_job *job = NULL;
    struct chunks chunks = {child, 0};
    const struct blastmerge_reader reader = {&chunks, next_chunk, NULL};
    const void *data = NULL;
    size_t n = 0;
    blastmerge_options_init(&options, sizeof options);
    options.query_ids = BLASTMERGE_QUERY_IDS_KEEP; /* as the judge's strings have them */
    options.n_threads = way.n_threads;
    options.level = way.level;
    assert_int_equal(blastmerge_create(&job, &options), BLASTMERGE_OK);
    for (size_t i = 0; i < 3; i++) {
        int is_reader = i == way.place && way.level > 0;
        struct bytes bytes = i == way.place ? child : good;
        assert_int_equal(is_reader ? blastmerge_add_reader(job, "reader", &reader)
                                   : blastmerge_add_memory(job, "memory", bytes.data, bytes.n),
                         BLASTMERGE_OK);
    }
    enum blastmerge_status status = BLASTMERGE_OK;
    do {
        status = blastmerge_next(job, &data, &n);
        if (status == BLASTMERGE_OK) append_bytes(merged, data, n);
    } while (status == BLASTMERGE_OK && n > 0);
    *error_child = blastmerge_error(job)->child;
    blastmerge_destroy(job);
    return status;
}

static struct bytes expected_of(struct bytes text, struct way way) {
    struct bytes texts[3] = {good_text, good_text, good_text};
    texts[way.place] = text;
    return naive_merge(texts, 3);
}

/* One damaged child, judged; `text` is what it held before. */
static enum outcome judge(struct bytes child, struct bytes text, struct way way) {
    struct bytes now = zlib_text(child);
    struct bytes merged = {NULL, 0};
    uint64_t error_child = 0;
    enum blastmerge_status status = merge(child, way, &merged, &error_child);
    enum outcome outcome = REFUSED;
    if (status == BLASTMERGE_OK) {
        outcome = now.data != NULL && is_same(now, text) ? SAME_TEXT : ANOTHER_TEXT;
        assert_non_null(now.data);
        assert_true(is_well_formed(now));
        struct bytes expected = expected_of(now, way);
        struct bytes result = read_gzip(merged.data, merged.n);
        assert_non_null(expected.data);
        assert_non_null(result.data);
        assert_true(is_same(result, expected));
        free(expected.data);
        free(result.data);
    } else {
        assert_true(now.data == NULL || !is_well_formed(now));
        assert_true(status == BLASTMERGE_DATA || status == BLASTMERGE_MISMATCH);
        assert_int_equal(error_child, status == BLASTMERGE_MISMATCH && way.place == 0 ? 1 : way.place);
        struct bytes result = read_gzip(merged.data, merged.n);
        assert_null(result.data);
    }
    free(now.data);
    free(merged.data);
    return outcome;
}

/* --- children in many forms ---------------------------------------------------------------------- */

struct form {
    int level;
    int strategy;
    int has_header;  /* a name, a comment, a time, an extra field, the header's own CRC */
    size_t n_member; /* bytes of text in a member at most, rounded up to whole lines; 0: all */
};

static const struct form forms[] = {
    {6, Z_DEFAULT_STRATEGY, 1, 0},
    {0, Z_DEFAULT_STRATEGY, 0, 300},
    {1, Z_DEFAULT_STRATEGY, 0, 0},
    {9, Z_DEFAULT_STRATEGY, 0, 0},
    {6, Z_FIXED, 0, 0},
    {6, Z_HUFFMAN_ONLY, 0, 0},
    {0, Z_DEFAULT_STRATEGY, 1, 0},
    {6, Z_RLE, 1, 700},
    {6, Z_DEFAULT_STRATEGY, 0, 5000},
};
enum { N_FORMS = sizeof forms / sizeof forms[0], N_FORMS_OF_A_SHORT_RUN = 2 };

static void append_member(struct bytes *child, const uint8_t *text, size_t n, struct form form) {
    static uint8_t place[1 << 18];
    static uint8_t extra[] = {'B', 'M', 4, 0, 1, 2, 3, 4};
    static uint8_t name[] = "a name";
    static uint8_t comment[] = "a comment";
    gz_header header = {.text = 1,
                        .time = 1700000000,
                        .extra = extra,
                        .extra_len = sizeof extra,
                        .name = name,
                        .comment = comment,
                        .hcrc = 1};
    z_stream stream;
    memset(&stream, 0, sizeof stream);
    assert_int_equal(deflateInit2(&stream, form.level, Z_DEFLATED, 15 + 16, 8, form.strategy), Z_OK);
    if (form.has_header) assert_int_equal(deflateSetHeader(&stream, &header), Z_OK);
    stream.next_in = (uint8_t *)(uintptr_t)text;
    stream.avail_in = (uInt)n;
    stream.next_out = place;
    stream.avail_out = sizeof place;
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    append_bytes(child, place, stream.total_out);
    deflateEnd(&stream);
}

/* Where the first member that begins at `at` ends: before the next Iteration after n_member bytes. */
static size_t member_end(struct bytes text, size_t at, size_t n_member) {
    if (n_member == 0 || text.n - at <= n_member) return text.n;
    const char *next = strstr((const char *)text.data + at + n_member, "<Iteration>\n");
    return next == NULL ? text.n : (size_t)(next - (const char *)text.data);
}

enum { MAX_MEMBERS = 400 };

/* The text in a form. Where each member begins, and the last ends, is in members. */
static struct bytes child_of(struct bytes text, struct form form, size_t members[MAX_MEMBERS + 1],
                             size_t *n_members) {
    struct bytes child = {NULL, 0};
    *n_members = 0;
    for (size_t at = 0; at < text.n;) {
        size_t end = *n_members + 1 == MAX_MEMBERS ? text.n : member_end(text, at, form.n_member);
        members[(*n_members)++] = child.n;
        append_member(&child, text.data + at, end - at, form);
        at = end;
    }
    members[*n_members] = child.n;
    return child;
}

/* --- every flip ---------------------------------------------------------------------------------- */

static unsigned long flips[N_OUTCOMES];

static unsigned long n_damages_wanted(void) {
    const char *wanted = getenv("BLASTMERGE_TEST_DAMAGES");
    return wanted == NULL ? 3000 : strtoul(wanted, NULL, 10);
}

static void test_every_flip(void **state) {
    (void)state;
    size_t n_forms = n_damages_wanted() > 3000 ? N_FORMS : N_FORMS_OF_A_SHORT_RUN;
    struct bytes text = make_text("blastp", 1, 2, "db");
    for (size_t f = 0; f < n_forms; f++) {
        size_t members[MAX_MEMBERS + 1];
        size_t n_members = 0;
        struct bytes child = child_of(text, forms[f], members, &n_members);
        for (size_t bit = 0; bit < 8 * child.n; bit++) {
            child.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
            flips[judge(child, text, (struct way){1, bit % 16 == 15, bit / 8 % 3})]++;
            child.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
        }
        free(child.data);
    }
    free(text.data);
    assert_true(flips[SAME_TEXT] > 0);
    assert_int_equal(flips[ANOTHER_TEXT], 0);
}

/* --- random damage ------------------------------------------------------------------------------- */

/* A child at hand to be damaged. */
struct patient {
    struct bytes bytes;
    size_t members[MAX_MEMBERS + 1];
    size_t n_members;
};

/* Puts other bytes in the place of bytes[from, to). */
static void replace(struct bytes *bytes, size_t from, size_t to, const void *data, size_t n) {
    struct bytes made = {NULL, 0};
    append_bytes(&made, bytes->data, from);
    append_bytes(&made, data, n);
    append_bytes(&made, bytes->data + to, bytes->n - to);
    free(bytes->data);
    *bytes = made;
}

/* A random range: of any length, of a few bytes, of sectors. */
static void random_range(size_t n, size_t *from, size_t *to) {
    size_t unit = next_random(3) == 0 ? 512 : 1;
    size_t longest = next_random(2) == 0 ? n : 16 * unit;
    *from = next_random((uint32_t)n) / unit * unit;
    *to = *from + (1 + next_random((uint32_t)longest)) / unit * unit;
    if (*to > n || *to == *from) *to = n;
}

static void flip_bits(struct patient *patient) {
    for (uint32_t n = 1 + next_random(2) * next_random(16); n > 0; n--)
        patient->bytes.data[next_random((uint32_t)patient->bytes.n)] ^= (uint8_t)(1U << next_random(8));
}

static void overwrite(struct patient *patient) {
    size_t from = 0;
    size_t to = 0;
    random_range(patient->bytes.n, &from, &to);
    int is_zero = next_random(2) == 0;
    for (size_t i = from; i < to; i++) patient->bytes.data[i] = is_zero ? 0 : (uint8_t)next_random(256);
}

static void cut_short(struct patient *patient) {
    patient->bytes.n = next_random((uint32_t)patient->bytes.n);
}

static void remove_range(struct patient *patient) {
    size_t from = 0;
    size_t to = 0;
    random_range(patient->bytes.n, &from, &to);
    replace(&patient->bytes, from, to, "", 0);
}

static void repeat_range(struct patient *patient) {
    size_t from = 0;
    size_t to = 0;
    random_range(patient->bytes.n, &from, &to);
    struct bytes copy = copy_of(patient->bytes);
    replace(&patient->bytes, from, from, copy.data + from, to - from);
    free(copy.data);
}

/* bytes[a, b) and bytes[b, c) change places. */
static void swap(struct patient *patient, size_t a, size_t b, size_t c) {
    struct bytes copy = copy_of(patient->bytes);
    memcpy(patient->bytes.data + a, copy.data + b, c - b);
    memcpy(patient->bytes.data + a + (c - b), copy.data + a, b - a);
    free(copy.data);
}

static void swap_ranges(struct patient *patient) {
    size_t from = 0;
    size_t to = 0;
    random_range(patient->bytes.n, &from, &to);
    swap(patient, from, from + next_random((uint32_t)(to - from)), to);
}

/* Another child's bytes before or behind, whole or not. */
static void join(struct patient *patient) {
    size_t n = next_random(2) == 0 ? good.n : next_random((uint32_t)good.n);
    size_t at = next_random(2) == 0 ? 0 : patient->bytes.n;
    replace(&patient->bytes, at, at, good.data, n);
}

/* Whole members go, come twice, or change places. */
static void move_members(struct patient *patient) {
    size_t one = next_random((uint32_t)patient->n_members);
    size_t other = one + next_random((uint32_t)(patient->n_members - one)) + 1;
    size_t from = patient->members[one];
    size_t to = patient->members[other];
    struct bytes copy = copy_of(patient->bytes);
    switch (next_random(3)) {
    case 0:
        replace(&patient->bytes, from, to, "", 0);
        break;
    case 1:
        replace(&patient->bytes, from, from, copy.data + from, to - from);
        break;
    default:
        swap(patient, from, patient->members[one + next_random((uint32_t)(other - one))], to);
    }
    free(copy.data);
}

static const struct {
    const char *name;
    void (*damage)(struct patient *patient);
} kinds[] = {
    {"bits flipped", flip_bits},    {"bytes overwritten", overwrite}, {"cut short", cut_short},
    {"a range gone", remove_range}, {"a range twice", repeat_range},  {"ranges swapped", swap_ranges},
    {"joined with another", join},  {"members moved", move_members},
};
enum { N_KINDS = sizeof kinds / sizeof kinds[0] };

static unsigned long found[N_KINDS][N_OUTCOMES];

static struct bytes read_file(const char *path) {
    struct bytes bytes = {NULL, 0};
    static uint8_t piece[1 << 16];
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    for (size_t n = fread(piece, 1, sizeof piece, file); n > 0; n = fread(piece, 1, sizeof piece, file))
        append_bytes(&bytes, piece, n);
    assert_int_equal(fclose(file), 0);
    return bytes;
}

static void damage_once(struct bytes text, struct form form) {
    struct patient patient = {{NULL, 0}, {0}, 0};
    uint32_t kind = next_random(N_KINDS);
    struct way way = {next_random(4) == 0 ? 3 : 1, next_random(4) == 0, next_random(3)};
    patient.bytes = child_of(text, form, patient.members, &patient.n_members);
    kinds[kind].damage(&patient);
    found[kind][judge(patient.bytes, text, way)]++;
    free(patient.bytes.data);
}

static void test_random_damage(void **state) {
    (void)state;
    enum { N_TEXTS = 5 };
    unsigned long n_damages = n_damages_wanted();
    struct bytes texts[N_TEXTS];
    for (int i = 0; i < 3; i++) {
        char path[512];
        snprintf(path, sizeof path, "%s/batch_%d.xml.gz", TEST_DATA, i + 1);
        struct bytes zipped = read_file(path);
        texts[i] = zlib_text(zipped);
        assert_non_null(texts[i].data);
        free(zipped.data);
    }
    texts[3] = make_text("blastp", 1, 8, "db");
    texts[4] = make_text("blastp", 1, 300, "db");
    for (unsigned long i = 0; i < n_damages; i++)
        damage_once(texts[next_random(N_TEXTS)], forms[next_random(N_FORMS)]);
    for (int i = 0; i < N_TEXTS; i++) free(texts[i].data);
}

/* --- all of it ----------------------------------------------------------------------------------- */

static int make_good(void **state) {
    (void)state;
    (void)mallopt(M_MMAP_THRESHOLD,
                  1 << 24); /* pages that each merge asks of the system anew take most of the time */
    (void)mallopt(M_TRIM_THRESHOLD, 1 << 26);
    good_text = make_text("blastp", 1, 3, "db");
    good = make_gzip(good_text, 6);
    return 0;
}

static void tell_row(const char *name, const unsigned long counts[N_OUTCOMES]) {
    printf("| %s | %lu | %lu | %lu | %lu |\n", name,
           counts[REFUSED] + counts[SAME_TEXT] + counts[ANOTHER_TEXT], counts[REFUSED], counts[SAME_TEXT],
           counts[ANOTHER_TEXT]);
}

static int tell(void **state) {
    (void)state;
    printf(
        "| damage | children | refused | the text as before | another whole text |\n|---|---|---|---|---|\n");
    tell_row("each single bit flipped", flips);
    for (size_t i = 0; i < N_KINDS; i++) tell_row(kinds[i].name, found[i]);
    free(good_text.data);
    free(good.data);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_flip),
        cmocka_unit_test(test_random_damage),
    };
    return cmocka_run_group_tests(tests, make_good, tell);
}
