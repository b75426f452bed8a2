/* SPDX-License-Identifier: MIT */
/*
 * The whole merge of remote children, from a server whose answers are lies (claims.h), to memory or to an
 * object store that fails and loses answers: the bytes that a merge of the same children in memory has, or an
 * error. What a child may have been taken for is what it is, or what an answer claimed it to be: another
 * child, whole. An object that is there after an error is complete.
 *
 * The input: the children's format and compression, how many there are and how many threads, the windows'
 * size, the parts' size, where children are and where the result goes, what the server is like, how many
 * retries, one byte more; then claims, for requests to the store, too.
 *
 * Windows and parts are of a few bytes, so that small children take many: the linker puts a plan of ours in
 * the place of the library's (--wrap).
 */
#include "children.h"
#include "claims.h"
#include "keep.h"

#include "cloud/cloud.h"

enum { HEAD = 8, POOL = 4, FORMATS = 6, COMPRESSIONS = 4, MOST_CHILDREN = 3, MOST_PARTS = 512 };

/* --- the plan ------------------------------------------------------------------------------------ */

static size_t window_bytes;
static size_t part_bytes;

/* NOLINTBEGIN(readability-identifier-naming, bugprone-reserved-identifier, cert-dcl37-c, cert-dcl51-cpp):
 * the linker's name */
enum blastmerge_status __wrap_bm_cloud_make_plan(uint64_t memory_limit, struct bm_cloud_use use,
                                                 struct bm_cloud_plan *plan, struct blastmerge_error *error);

enum blastmerge_status __wrap_bm_cloud_make_plan(uint64_t memory_limit, struct bm_cloud_use use,
                                                 struct bm_cloud_plan *plan, struct blastmerge_error *error) {
    (void)memory_limit;
    (void)error;
    *plan = (struct bm_cloud_plan){
        .use = use, .window = window_bytes, .part = part_bytes, .report_part = part_bytes, .n_parts = 3};
    return BLASTMERGE_OK;
}
/* NOLINTEND(readability-identifier-naming, bugprone-reserved-identifier, cert-dcl37-c, cert-dcl51-cpp) */

/* --- children ------------------------------------------------------------------------------------ */

static struct bytes pool[FORMATS][COMPRESSIONS][POOL];

static void add(struct bytes *text, const char *format, ...) {
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    require(n >= 0 && (size_t)n < sizeof line);
    text->data = realloc(text->data, text->n + (size_t)n + 1);
    require(text->data != NULL);
    memcpy(text->data + text->n, line, (size_t)n + 1);
    text->n += (size_t)n;
}

/* Letters that do not repeat themselves, of the query's and the child's own. */
static const char *letters(unsigned child, unsigned query) {
    static char noise[161];
    uint64_t bits = child * 1000003U + query * 7919U + 1;
    for (size_t i = 0; i + 1 < sizeof noise; i++) {
        bits = bits * 0x5851f42d4c957f2dU + 0x14057b7ef767814fU;
        noise[i] = (char)('A' + (bits >> 59) % 25);
    }
    return noise;
}

static void add_query(struct bytes *text, unsigned format, unsigned child, unsigned query) {
    const char *noise = letters(child, query);
    switch (format) {
    case 0:
        add(text,
            "<Iteration>\n<Iteration_iter-num>%u</Iteration_iter-num>\n<Iteration_query-def>q%u.%u %s"
            "</Iteration_query-def>\n</Iteration>\n",
            query + 1, child, query, noise);
        break;
    case 1:
        add(text,
            "%s<BlastOutput2>\n<report><Report><results><Results><search><Search>\n<query-id>q%u.%u</"
            "query-id>\n"
            "<query-title>%s</query-title>\n</Search></search></Results></results></Report></report>\n"
            "</BlastOutput2>\n",
            query > 0 ? "\n" : "", child, query, noise);
        break;
    case 2:
        add(text,
            "%s{\"report\": {\"program\": \"blastp\", \"results\": {\"search\": {\"query_id\": \"q%u.%u\", "
            "\"query_title\": \"%s\"}}}}\n",
            query > 0 ? ",\n" : "", child, query, noise);
        break;
    case 3:
        add(text,
            "# BLASTP 2.12.0+\n# Query: q%u.%u\n# Database: nr\n# Fields: query acc.ver, subject acc.ver, "
            "evalue\n# 1 hits found\nq%u.%u\t%s\t1e-10\n",
            child, query, child, query, noise);
        break;
    default:
        for (unsigned row = 0; row < 2; row++) {
            char line[256];
            snprintf(line, sizeof line, "q%u.%u\t%.60s\t99.000\t100\t1\t0\t1\t100\t%u\t%u\t1.5e-10\t200.0\n",
                     child, query, noise + row, row + 1, row + 100);
            for (char *tab = line; format == 5 && (tab = strchr(tab, '\t')) != NULL;) *tab = ',';
            add(text, "%s", line);
        }
    }
}

static struct bytes make_text(unsigned format, unsigned child) {
    static const char *const heads[FORMATS] = {
        "<?xml version=\"1.0\"?>\n<BlastOutput>\n<BlastOutput_iterations>\n",
        "<?xml version=\"1.0\"?>\n<BlastXML2>\n",
        "{\n\"BlastOutput2\": [\n",
        "",
        "",
        ""};
    static const char *const ends[FORMATS] = {
        "</BlastOutput_iterations>\n</BlastOutput>\n", "</BlastXML2>\n", "]\n}\n", "", "", ""};
    struct bytes text = {NULL, 0};
    unsigned n_queries = 5 + 3 * child;
    add(&text, "%s", heads[format]);
    for (unsigned i = 0; i < n_queries; i++) add_query(&text, format, child, i);
    add(&text, "%s", ends[format]);
    if (format == 3) add(&text, "# BLAST processed %u queries\n", n_queries);
    return text;
}

/* Rows without an end of their own must be compressed: nothing tells a table that is cut at a line's end. */
static const struct bytes *children_of(unsigned format, unsigned compression) {
    static const uint8_t levels[COMPRESSIONS] = {0, 0, 6, 201};
    struct bytes *children = pool[format][compression];
    for (unsigned i = 0; i < POOL && children[POOL - 1].data == NULL; i++) {
        struct bytes text = make_text(format, i);
        children[i] = compression == 0 ? copy_of(text.data, text.n)
                                       : compress_text(text.data, text.n, levels[compression]);
        free(text.data);
    }
    return children;
}

static const struct bytes *children;
static unsigned n_children;

static const struct bytes *version_of(unsigned number, bool is_other) {
    return &children[is_other ? (number + 1) % POOL : number];
}

static uint64_t object_size(unsigned number, bool is_other) {
    return version_of(number, is_other)->n;
}

static uint8_t object_byte(unsigned number, const struct claim *claim, uint64_t offset) {
    const struct bytes *bytes = version_of(number, claim_is_other(claim));
    return offset < bytes->n ? bytes->data[offset] : (uint8_t)(0xa5 ^ offset);
}

/* --- results ------------------------------------------------------------------------------------- */

static struct bytes result_of_buffer(struct blastmerge_job *job, enum blastmerge_status *status) {
    void *data = NULL;
    size_t n = 0;
    struct bytes result = {NULL, 0};
    *status = blastmerge_to_buffer(job, &data, &n);
    if (*status == BLASTMERGE_OK) result = copy_of(data, n);
    blastmerge_free(job, data);
    return result;
}

/* The merge in memory; `others`: a bit for each child that is another one. Nothing if it is refused. */
static const struct bytes *merge_in_memory(unsigned format, unsigned compression, unsigned others) {
    static struct bytes results[FORMATS][COMPRESSIONS][MOST_CHILDREN + 1][1 << MOST_CHILDREN];
    struct bytes *result = &results[format][compression][n_children][others];
    struct blastmerge_options options;
    struct bytes taken[MOST_CHILDREN];
    enum blastmerge_status status = BLASTMERGE_OK;
    if (result->data != NULL) return result;
    blastmerge_options_init(&options, sizeof options);
    options.n_threads = 1;
    for (unsigned i = 0; i < n_children; i++) taken[i] = *version_of(i, (others >> i & 1) != 0);
    struct blastmerge_job *job = make_job(&options, taken, n_children);
    *result = result_of_buffer(job, &status);
    blastmerge_destroy(job);
    if (result->data == NULL) *result = copy_of((const uint8_t *)"", 0);
    require(others != 0 || result->n > 0);
    return result;
}

static int is_right(const struct bytes *result, unsigned format, unsigned compression) {
    for (unsigned others = 0; others < 1U << n_children; others++) {
        const struct bytes *right = merge_in_memory(format, compression, others);
        if (right->n == result->n && right->n > 0 && memcmp(right->data, result->data, right->n) == 0)
            return 1;
    }
    return 0;
}

/* --- a store ------------------------------------------------------------------------------------- */

/* Object 0 is the result; an id tells whose it is. */
static struct {
    struct bytes parts[MOST_PARTS];
    struct bytes object;
    char id[64];
    char upload[64];
} store;

static void empty_store(void) {
    for (size_t i = 0; i < MOST_PARTS; i++) free(store.parts[i].data);
    free(store.object.data);
    memset(&store, 0, sizeof store);
}

static void keep_id(const struct transfer *transfer, char *id) {
    const char *found = stub_header(transfer, "x-amz-meta-blastmerge-upload: ");
    if (found == NULL) found = stub_header(transfer, "x-ms-meta-blastmerge_upload: ");
    if (found != NULL) snprintf(id, sizeof store.id, "%s", found);
}

static unsigned put_part(const struct transfer *transfer, unsigned long number) {
    require(number < MOST_PARTS);
    free(store.parts[number].data);
    store.parts[number] = copy_of((const uint8_t *)transfer->sent, transfer->n_sent);
    return 201;
}

static unsigned put_object(const struct transfer *transfer) {
    if (store.object.data != NULL) return 412;
    store.object = copy_of((const uint8_t *)transfer->sent, transfer->n_sent);
    keep_id(transfer, store.id);
    return 201;
}

/* The parts in the order of the list, which is that of their numbers. */
static unsigned join_parts(const struct transfer *transfer, const char *element) {
    size_t n_listed = 0;
    const char *at = transfer->sent;
    if (store.object.data != NULL) return 412;
    while ((at = memmem(at, (size_t)(transfer->sent + transfer->n_sent - at), element, strlen(element))) !=
           NULL)
        at++, n_listed++;
    for (size_t i = 0; i < n_listed; i++) {
        struct bytes *object = &store.object;
        require(store.parts[i].data != NULL);
        object->data = realloc(object->data, object->n + store.parts[i].n + 1);
        require(object->data != NULL);
        memcpy(object->data + object->n, store.parts[i].data, store.parts[i].n);
        object->n += store.parts[i].n;
    }
    snprintf(store.id, sizeof store.id, "%s", store.upload);
    keep_id(transfer, store.id);
    return 201;
}

/* Azure's ids are base64 of the upload's id, a dash and eight digits. */
static unsigned long block_number(const char *query) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char plain[128] = "";
    size_t n = 0;
    unsigned bits = 0;
    unsigned n_bits = 0;
    const char *at = strstr(query, "blockid=") + strlen("blockid=");
    for (const char *digit = strchr(digits, *at); *at != '\0' && *at != '%' && *at != '&' && digit != NULL;
         digit = strchr(digits, *++at)) {
        bits = bits << 6 | (unsigned)(digit - digits);
        n_bits += 6;
        if (n_bits >= 8) plain[n++] = (char)(bits >> (n_bits -= 8));
    }
    const char *dash = strrchr(plain, '-');
    require(dash != NULL);
    return strtoul(dash + 1, NULL, 10);
}

/* Does what is asked; the status, and the body. */
static unsigned serve(const struct transfer *transfer, const char **body) {
    const char *query = stub_query(transfer);
    const char *part = strstr(query, "partNumber=");
    *body = "";
    if (strcmp(transfer->method, "HEAD") == 0) return store.object.data == NULL ? 404 : 200;
    if (strcmp(transfer->method, "DELETE") == 0) return 204;
    if (strstr(query, "comp=blocklist") != NULL) return join_parts(transfer, "<Latest>");
    if (strstr(query, "comp=block") != NULL) return put_part(transfer, block_number(query));
    if (part != NULL) {
        put_part(transfer, strtoul(part + strlen("partNumber="), NULL, 10) - 1);
        return 200;
    }
    if (strstr(query, "uploads=") != NULL) {
        *body = "<R><UploadId>u</UploadId></R>";
        keep_id(transfer, store.upload);
        return 200;
    }
    if (strcmp(transfer->method, "PUT") == 0) return put_object(transfer);
    *body = "<CompleteMultipartUploadResult></CompleteMultipartUploadResult>";
    unsigned status = join_parts(transfer, "<Part>");
    return status == 201 ? 200 : status;
}

/* A claim's lies are other ones here: a status instead of doing it, an answer that is lost after it was done.
 */
static void answer_store(struct transfer *transfer) {
    static const unsigned refusals[] = {500, 503, 403, 400, 404, 412, 409, 429};
    uint8_t lies = n_claim_input >= CLAIM ? claim_input[0] : 0;
    uint8_t how = n_claim_input >= CLAIM ? claim_input[1] : 0;
    const char *body = "";
    if (n_claim_input >= CLAIM) {
        claim_input += CLAIM;
        n_claim_input -= CLAIM;
    }
    unsigned status = lies & LIE_STATUS ? refusals[how & 7] : serve(transfer, &body);
    if (lies & LIE_END) {
        stub_end(transfer, CURLE_RECV_ERROR);
        return;
    }
    say_line(transfer, "HTTP/1.1 %u Status\r\n", status);
    say_line(transfer, "ETag: \"0123456789\"\r\n");
    if (strcmp(transfer->method, "HEAD") == 0 && status == 200)
        say_line(transfer, "x-%s-meta-blastmerge%cupload: %s\r\n",
                 strstr(transfer->url, "/container/") != NULL ? "ms" : "amz",
                 strstr(transfer->url, "/container/") != NULL ? '_' : '-',
                 store.id[0] == '\0' ? "-" : store.id);
    stub_say(transfer, "\r\n", 2);
    if (body[0] != '\0' && !transfer->has_no_body && !stub_hand_out(transfer, body, strlen(body))) return;
    stub_end(transfer, CURLE_OK);
}

/* --- requests ------------------------------------------------------------------------------------ */

static unsigned n_waits;

/* Children end in "/child0" and so on. */
static void stub_go_on(struct transfer *transfer) {
    const char *name = strstr(transfer->url, "/child");
    n_waits = 0;
    if (name == NULL) {
        answer_store(transfer);
        return;
    }
    unsigned number = (unsigned)(name[strlen("/child")] - '0');
    require(number < n_children);
    answer_by_claim(transfer, number);
}

static void stub_waited(int timeout_ms) {
    (void)timeout_ms;
    require(++n_waits < 1000);
}

/* --- merges -------------------------------------------------------------------------------------- */

static struct blastmerge_job *make_remote_job(const uint8_t *data, const char *output) {
    static const char *const places[] = {"https://host/child%u", "s3://bucket/child%u",
                                         "az://account/x/child%u"};
    struct blastmerge_options options;
    struct blastmerge_job *job = NULL;
    blastmerge_options_init(&options, sizeof options);
    options.n_threads = data[1] >> 2 == 9 ? 3 : 1;
    require(blastmerge_create(&job, &options) == BLASTMERGE_OK);
    for (unsigned i = 0; i < n_children; i++) {
        char location[64];
        snprintf(location, sizeof location, places[data[4] % 4 % 3], i);
        require(blastmerge_add_location(job, location) == BLASTMERGE_OK);
    }
    if (output != NULL) require(blastmerge_set_output_location(job, output) == BLASTMERGE_OK);
    return job;
}

static void merge(const uint8_t *data, unsigned format, unsigned compression) {
    static const char *const outputs[] = {NULL, "s3://out/result", "az://account/container/result", NULL};
    const char *output = outputs[data[4] >> 2 & 3];
    enum blastmerge_status status = BLASTMERGE_OK;
    struct bytes result = {NULL, 0};
    struct blastmerge_job *job = make_remote_job(data, output);
    if (output == NULL) {
        result = result_of_buffer(job, &status);
    } else {
        status = blastmerge_run(job);
    }
    const struct blastmerge_error *error = blastmerge_error(job);
    require(status == error->status && status != BLASTMERGE_INTERNAL && status != BLASTMERGE_USAGE);
    require((status == BLASTMERGE_OK) == (error->message[0] == '\0'));
    blastmerge_destroy(job);
    if (output == NULL) {
        require(status != BLASTMERGE_OK || is_right(&result, format, compression));
    } else {
        require(status != BLASTMERGE_OK || store.object.data != NULL);
        require(store.object.data == NULL || is_right(&store.object, format, compression));
    }
    free(result.data);
}

static void set_environment(uint8_t retries) {
    static const char *const values[] = {"0", "1", "3", "8"};
    (void)setenv("BLASTMERGE_RETRIES", values[retries & 3], 1);
    (void)setenv("BLASTMERGE_RETRY_DELAY_MS", "0", 1);
    (void)setenv("AWS_ACCESS_KEY_ID", "id", 1);
    (void)setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
    (void)setenv("AZURE_STORAGE_KEY", "c2VjcmV0", 1);
}

int LLVMFuzzerTestOneInput(/* NOLINT(readability-identifier-naming): libFuzzer calls it */
                           const uint8_t *data, size_t size) {
    if (size < HEAD) return 0;
    unsigned format = data[0] % FORMATS;
    unsigned compression = data[0] / FORMATS % COMPRESSIONS;
    if (format >= 4 && compression == 0) compression = 1;
    children = children_of(format, compression);
    n_children = 1 + data[1] % MOST_CHILDREN;
    window_bytes = (size_t)64 << data[2] % 6;
    part_bytes = (size_t)128 << data[3] % 5;
    set_environment(data[6]);
    begin_claims(data + HEAD, size - HEAD, data[5], window_bytes);
    merge(data, format, compression);
    empty_store();
    stub_n_ended = 0;
    stub_clock_ms = 0;
    require(keep_n_live() == 0);
    return 0;
}
