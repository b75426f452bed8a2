/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes the scanner of archives: any split tells the same, and what it accepts a slow reader accepts, which shares
 * no code with it, and the other way round where the scanner's error is one of ASN.1's.
 *
 * The first byte chooses where in an archive the input stands (bits 0 to 2), and whether queries are told (bit 3). The
 * second one is the split's seed. The input is also read as a query, for --expect-queries.
 */
#include "../tests/test_mark_archive.h"
#include "mark/query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_data);

#define SEARCH "Blast4-archive ::= { request { body queue-search { program \"p\", "
#define QUERY  "seq { id { local str \"Query_1\" }, inst { length 3 } }"
#define ASKED  SEARCH "queries bioseq-set { seq-set { " QUERY " } }"

/* The text before the input, and the text behind it. */
static const struct {
    const char *before;
    const char *behind;
} places[8] = {
    {"", ""},
    {"Blast4-archive ::= {", "}"},
    {SEARCH, "} }, results { } }"},
    {SEARCH "queries bioseq-set { seq-set {", "} } } }, results { } }"},
    {SEARCH "queries pssm { pssm {", "} } } }, results { } }"},
    {ASKED ", program-options {", "} } }, results { } }"},
    {ASKED " } }, results {", "} }\n"},
    {ASKED " } }, results { alignments {", "} } }\n"},
};

/* A query's text, of which any end can be cut off. */
static void read_query(const uint8_t *data, size_t n_data) {
    static struct bm_mark_query query;
    char *text = malloc(n_data); /* so that a sanitizer sees what is read beyond it */
    DEMAND(text != NULL || n_data == 0);
    if (n_data > 0) memcpy(text, data, n_data);
    bm_mark_query_read(&query, text, n_data);
    DEMAND(query.n_title <= sizeof query.title && query.n_id < sizeof query.id);
    DEMAND(query.id[query.n_id] == '\0');
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_data) {
    struct bytes text = {0};
    if (n_data < 2) return 0;
    read_query(data + 2, n_data - 2);
    tells_queries = (data[0] & 8) != 0;
    add_text(&text, places[data[0] & 7].before);
    add_bytes(&text, data + 2, n_data - 2);
    add_text(&text, places[data[0] & 7].behind);
    struct trace once = scan_archive(&text, whole, "bytes");
    struct trace pieces = scan_archive(&text, (struct split){0, 0, {data[1]}}, "bytes");
    DEMAND(same_traces(&once, &pieces));
    if (text.n_data > 0)
        DEMAND(once.status == BLASTMERGE_OK ? is_asn1(&text)
                                            : is_about_archives(once.error.message) || !is_asn1(&text));
    free_trace(&once);
    free_trace(&pieces);
    free_bytes(&text);
    return 0;
}
