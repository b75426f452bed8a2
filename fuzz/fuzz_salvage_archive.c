/* SPDX-License-Identifier: MIT */
/*
 * Salvage of BLAST archives: up to four children of fuzzed text, damaged in a few places, merged with options.salvage
 * and without.
 *
 * What merges without comes to the same with it. What does not must fail or be salvaged; then the result must be
 * archives for a slow reader, must be a child that merges without salvage to itself, with as many queries as were
 * reported, and is the same spliced and with threads. Where nothing was taken unchecked, and only bytes were changed or
 * cut off in gzip members, each of its archives is one that was there before the damage.
 *
 * The input is that of check_salvage() (damage.h). In a child's text, the control characters that ASN.1 does not have
 * stand for whole archives and for pieces of them, so that few bytes join, cut and mix runs.
 */
#include "damage.h"
#include "slow_asn1.h"

#include <stdio.h>

/* --- texts --------------------------------------------------------------------------------------- */

#define QUERY(number)                                                                                        \
    "seq { id { local str \"Query_" number "\" }, inst { repr raw, length " number ", seq-data ncbieaa "     \
    "\"MK\" } }"
#define HEAD(service)                                                                                        \
    "Blast4-archive ::= {\n request { ident \"2.12.0+\", body queue-search { program \"blastp\", service "   \
    "\"" service "\", queries "
#define TAIL(id)                                                                                             \
    ", subject database \"nr\" } },\n results { alignments { { segs denseg { ids { local str \"Query_" id    \
    "\", local str \"Query_2\" } } } } }\n}\n"
#define ARCHIVE(id) HEAD("plain") "bioseq-set { seq-set { " QUERY(id) " } }" TAIL(id)

static const char *const pieces[32] = {
    [1] = ARCHIVE("1"),
    [2] = ARCHIVE("2"),
    [3] = ARCHIVE("3"),
    [4] = ARCHIVE("4"),
    [5] = ARCHIVE("5"),
    [6] = HEAD("plain") "bioseq-set { seq-set { " QUERY("1") ", " QUERY("2") " } }" TAIL("2"),
    [7] = HEAD("psi") "bioseq-set { seq-set { " QUERY("1") " } }" TAIL("1"),
    [8] = HEAD("psi") "pssm { pssm { query " QUERY("1") " } }" TAIL("1"),
    [11] = "Blast4-archive ::= {",
    [12] = HEAD("plain"),
    [14] = "bioseq-set { seq-set { " QUERY("1") " } }",
    [15] = "bioseq-set { seq-set { " QUERY("6") " } }",
    [16] = TAIL("1"),
    [17] = " } },\n results { }\n}\n",
    [18] = "Blast4-archive",
};

static void add(struct bytes *text, const void *data, size_t n) {
    text->data = realloc(text->data, text->n + n + 1);
    require(text->data != NULL);
    memcpy(text->data + text->n, data, n);
    text->n += n;
}

static struct bytes expand(struct bytes from) {
    struct bytes text = {NULL, 0};
    for (size_t i = 0; i < from.n; i++) {
        const char *piece = from.data[i] < 32 ? pieces[from.data[i]] : NULL;
        if (piece != NULL)
            add(&text, piece, strlen(piece));
        else
            add(&text, &from.data[i], 1);
    }
    add(&text, "", 0);
    return text;
}

/* --- archives ------------------------------------------------------------------------------------ */

/* Each archive stands in one of the texts. */
static void check_archives(struct bytes text, const struct bytes *texts, size_t n_texts) {
    struct slow_asn1 reader = {text.data, text.data + text.n, false};
    while (peek_token(&reader) >= 0) {
        const uint8_t *from = reader.at;
        require(slow_asn1_archive(&reader));
        require(was_there(texts, n_texts, from, reader.at));
    }
}

static void check_text(const struct outcome *salvaged, uint8_t flags, const struct bytes *texts,
                       size_t n_texts, int is_honest) {
    require(slow_asn1_is_archives(salvaged->text.data, salvaged->text.n));
    if (is_honest && query_ids_of(flags) == BLASTMERGE_QUERY_IDS_KEEP)
        check_archives(salvaged->text, texts, n_texts);
}

/* --- the target ---------------------------------------------------------------------------------- */

static const struct salvaged_format archives = {BLASTMERGE_FORMAT_ARCHIVE, expand, check_text};

int LLVMFuzzerTestOneInput(/* NOLINT(readability-identifier-naming): libFuzzer calls it */
                           const uint8_t *data, size_t size) {
    return check_salvage(&archives, data, size);
}
