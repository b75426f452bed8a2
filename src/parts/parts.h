/* SPDX-License-Identifier: MIT */
/*
 * parts - a merge that is spread over several runs, perhaps on several machines (docs/distributed.md):
 *
 *   count  a child -> its tally, a line of JSON
 *   plan   tallies -> the plan: what comes before each child
 *   part   the plan, a child's number -> that child's fragment, in a file of its own
 *   join   the plan, parts -> the result
 *
 *   json.c     numbers and strings as JSON, read strictly
 *   options.c  the options that decide the result's bytes, as JSON
 *   tally.c    a tally's line
 *   plan.c     the plan's file
 *   ends.c     the two ends of a part's file
 *   file.c     other files that are read whole
 *   remote.c   the ends of remote parts
 *   count.c, compose.c, part.c, join.c  the four commands
 *
 * It is a client of the library: a child is counted and spliced by a job, with job/slice.h. All of it runs on the job's
 * own thread. What is read is another program's: each line and each end has a limit, a version and a checksum.
 */
#ifndef BM_PARTS_H
#define BM_PARTS_H

#include "base/pool.h"
#include "fetch/fetch.h"
#include "flow/output.h"
#include "flow/tally.h"
#include "job/slice.h"
#include "number/header.h"

#include <jansson.h>

enum {
    BM_PARTS_FORMAT = 1, /* of the files */
    BM_PARTS_CODEC =
        1, /* of the fragments: another number where the program writes other bytes for the same input */
    BM_PARTS_MAX_LINE = 16 << 20, /* bytes of a tally's line, and of the plan's */
    BM_PARTS_MAX_EPILOGUE = 4096,
    BM_PARTS_MAX_CHILDREN = 10000000,
    BM_PARTS_VERSION = 32 /* bytes of a program's version */
};
#define BM_PARTS_MAX_FILE ((uint64_t)4 << 30) /* bytes of a file of tallies, and of a plan */

/* What none of the four commands accepts: other forms of the result, an order by queries. is_before_plan: salvage and the
 * expected queries are decided here, and not by the plan. */
enum blastmerge_status bm_parts_check_options(struct blastmerge_job *job,
                                              bool is_before_plan) BM_CHECK_RESULT;

/* --- JSON ---------------------------------------------------------------------------------------- */

/* An object that is being read. Each member is taken once, and bm_parts_json_end() fails if one is left, or if one was
 * missing or wrong. */
struct bm_parts_object {
    const json_t *object;
    size_t n_taken;
    const char *wrong; /* the first member that is missing or wrong; NULL: none is */
};

json_t *bm_parts_json_number(uint64_t value);
json_t *bm_parts_json_hex(uint64_t value, int n_digits);
json_t *bm_parts_json_bytes(struct bm_memory *memory, const char *bytes, size_t n);
/* The i-th of words ("a|b|c"), which bm_parts_json_take_word() reads with the same words. */
json_t *bm_parts_json_word(const char *words, unsigned i);

struct bm_parts_object bm_parts_json_begin(const json_t *object);
bool bm_parts_json_end(const struct bm_parts_object *object);
/* NULL: it is missing. */
const json_t *bm_parts_json_take(struct bm_parts_object *object, const char *name);
uint64_t bm_parts_json_take_number(struct bm_parts_object *object, const char *name, uint64_t most);
uint64_t bm_parts_json_take_hex(struct bm_parts_object *object, const char *name, int n_digits);
bool bm_parts_json_take_flag(struct bm_parts_object *object, const char *name);
/* The place in words ("a|b|c"). */
unsigned bm_parts_json_take_word(struct bm_parts_object *object, const char *name, const char *words);
enum blastmerge_format bm_parts_json_take_format(struct bm_parts_object *object, const char *name);
/* Up to `size` - 1 bytes, and a NUL. Bytes that are no text may hold NULs. */
size_t bm_parts_json_take_bytes(struct bm_parts_object *object, const char *name, char *bytes, size_t size);
/* A copy in the pool, or NULL. */
const char *bm_parts_json_take_string(struct bm_parts_object *object, const char *name, struct bm_pool *pool,
                                      struct bm_memory *memory);

/* --- options ------------------------------------------------------------------------------------- */

json_t *bm_parts_options_write(const struct blastmerge_options *options);
bool bm_parts_options_read(const json_t *object, struct blastmerge_options *options);
/* The name of an option that was given and is not that of the tallies; NULL: none. */
const char *bm_parts_options_differ(const json_t *tallies, const json_t *given, const json_t *defaults);

/* --- a tally ------------------------------------------------------------------------------------- */

/* What of a child is in the plan, too. */
struct bm_parts_child {
    const char *location;
    bool is_partial; /* what may be secret in the location was left out: it cannot be opened */
    /* It is a batch of so many shards, and the location is the first one's; 0: it is a child of its own. */
    uint64_t n_shards;
    uint64_t n_bytes;
    uint64_t n_text;
    uint32_t crc32;
    struct bm_tally tally; /* counted from nothing */
};

/* A line that was read. Too large to keep one for each child. */
struct bm_parts_tally {
    char version[BM_PARTS_VERSION];
    json_t *options;
    struct bm_parts_child child;
    struct bm_mark_kin kin;
    struct bm_mark_counts counts;
    struct bm_job_losses losses;
    bool has_header;
    struct bm_number_header header;
    bool has_queries;
    struct bm_job_span queries;
    struct bm_job_counted counted; /* points into the rest */
    bool has_no_memory;            /* it could not be read for lack of memory */
    struct bm_job_document *documents;
};

json_t *bm_parts_tally_write(const struct bm_tally *tally);
bool bm_parts_tally_read(const json_t *object, struct bm_tally *tally);
json_t *bm_parts_kin_write(struct bm_memory *memory, const struct bm_mark_kin *kin);
bool bm_parts_kin_read(const json_t *object, struct bm_mark_kin *kin);
json_t *bm_parts_losses_write(const struct bm_job_losses *losses);
bool bm_parts_losses_read(const json_t *object, struct bm_job_losses *losses);
json_t *bm_parts_child_write(struct bm_memory *memory, const struct bm_parts_child *child);
bool bm_parts_child_read(const json_t *object, struct bm_parts_child *child, struct bm_pool *pool,
                         struct bm_memory *memory);

/* The line, with its end, to be freed by free(); NULL: no memory is left. */
char *bm_parts_line_write(struct bm_memory *memory, const struct bm_job_counted *counted,
                          const struct blastmerge_options *options);
/* BLASTMERGE_DATA: it is no tally; the reason has no name of a file. Strings are in the pool. */
enum blastmerge_status bm_parts_line_read(struct bm_parts_tally *tally, const char *line, size_t n_line,
                                          struct bm_pool *pool, struct bm_memory *memory,
                                          struct blastmerge_error *error) BM_CHECK_RESULT;
/* Frees what is not in the pool. The tally may be zeroed. */
void bm_parts_line_close(struct bm_parts_tally *tally, struct bm_memory *memory);

/* --- the plan ------------------------------------------------------------------------------------ */

/* What the children before a child, the first of the stretch, have settled. */
struct bm_parts_kin {
    uint64_t first; /* from 0 */
    struct bm_mark_kin kin;
};
enum { BM_PARTS_MAX_KINS = 16 };

struct bm_parts_plan {
    char version[BM_PARTS_VERSION];
    struct blastmerge_options options; /* strings are in the pool */
    uint64_t n_children;
    struct bm_tally total;
    struct bm_job_losses losses; /* of all children */
    struct bm_parts_kin kins[BM_PARTS_MAX_KINS];
    size_t n_kins;
    bool has_epilogue; /* no child has a document, and this is the result's text */
    char epilogue[BM_PARTS_MAX_EPILOGUE];
    size_t n_epilogue;
    uint64_t digest;
};

/* A child, and what comes before it. */
struct bm_parts_place {
    struct bm_parts_child child;
    struct bm_tally before;
};

/* The whole file, in the memory; *text is to be released. Sets the digest. */
enum blastmerge_status bm_parts_plan_write(struct bm_parts_plan *plan, const struct bm_parts_place *places,
                                           struct bm_memory *memory, char **text, size_t *n_text,
                                           struct blastmerge_error *error) BM_CHECK_RESULT;

enum { BM_PARTS_INDEX = 26 /* bytes of a line of the plan's index */ };

/* A plan's file that is being read. */
struct bm_parts_plan_file {
    const char *text; /* its beginning, or all of it */
    size_t n_text;
    uint64_t n_bytes; /* of the file */
    uint64_t lines;   /* where the first child's line begins */
    struct bm_parts_plan plan;
};
/* Whether n_text bytes of a file's beginning are enough for bm_parts_plan_read(). */
bool bm_parts_plan_has_begin(const char *text, size_t n_text);
/* Reads the common line. text: all of the file's n_bytes, or enough of its beginning. BLASTMERGE_DATA, BLASTMERGE_MISMATCH:
 * another program's. */
enum blastmerge_status bm_parts_plan_read(struct bm_parts_plan_file *file, const char *text, size_t n_text,
                                          uint64_t n_bytes, struct bm_pool *pool, struct bm_memory *memory,
                                          struct blastmerge_error *error) BM_CHECK_RESULT;
/* Reads a child's line, from 0, of a plan whose text is all of the file. */
enum blastmerge_status bm_parts_plan_read_place(const struct bm_parts_plan_file *file, uint64_t i,
                                                struct bm_parts_place *place, struct bm_pool *pool,
                                                struct bm_memory *memory,
                                                struct blastmerge_error *error) BM_CHECK_RESULT;

/* The same in steps, if all else of the file is not to be read. The place in the file of a child's line of the index, which is
 * followed by the next child's ... */
uint64_t bm_parts_plan_entry(const struct bm_parts_plan_file *file, uint64_t i);
/* ... the place in the file of the child's line, by these one or two lines of the index ... */
enum blastmerge_status bm_parts_plan_find(const struct bm_parts_plan_file *file, uint64_t i,
                                          const char *entries, uint64_t *offset, size_t *n_line,
                                          struct blastmerge_error *error) BM_CHECK_RESULT;
/* ... and the line itself. */
enum blastmerge_status bm_parts_plan_read_line(uint64_t i, const char *entry, const char *line, size_t n_line,
                                               struct bm_parts_place *place, struct bm_pool *pool,
                                               struct bm_memory *memory,
                                               struct blastmerge_error *error) BM_CHECK_RESULT;
/* Whether all of the file is as its digest says. */
bool bm_parts_plan_is_whole(const struct bm_parts_plan_file *file);
const struct bm_mark_kin *bm_parts_plan_kin(const struct bm_parts_plan *plan, uint64_t i);

/* --- the ends of a part -------------------------------------------------------------------------- */

/* A part's file is two gzip members: the fragment, whose extra field is the head; and an empty one, whose extra field
 * is the tail. */
struct bm_parts_head {
    uint64_t digest; /* the plan's */
    uint64_t number; /* from 1 */
    struct bm_tally before;
};

struct bm_parts_tail {
    uint64_t digest;
    uint64_t number;
    uint64_t n_text;
    uint64_t n_fragment; /* compressed bytes between the head and the fragment's end */
    uint32_t crc32;      /* of the text */
    struct bm_tally after;
    bool has_epilogue; /* the part has the result's first document: this is the result's last text */
    uint16_t n_epilogue;
    char epilogue[BM_PARTS_MAX_EPILOGUE];
};

enum {
    BM_PARTS_HEAD = 96,         /* bytes of a head's gzip header */
    BM_PARTS_TAIL = 131 + 4096, /* bytes of a tail's gzip member at most */
    BM_PARTS_KIND = 16,         /* bytes by which a part is known */
    BM_PARTS_MEMBER_END = 13    /* bytes of the final block and the trailer after a fragment */
};

void bm_parts_head_write(const struct bm_parts_head *head, struct bm_output *output);
void bm_parts_tail_write(const struct bm_parts_tail *tail, struct bm_output *output);
/* The first BM_PARTS_HEAD bytes of a file. NULL, or what is wrong: a reason. */
const char *bm_parts_head_read(struct bm_parts_head *head, const uint8_t *bytes, size_t n);
/* The last bytes of a file, BM_PARTS_TAIL or all. *n_tail: the tail's own. */
const char *bm_parts_tail_read(struct bm_parts_tail *tail, size_t *n_tail, const uint8_t *bytes, size_t n);

/* --- other files --------------------------------------------------------------------------------- */

/* Reads a file of at most n_most bytes, which may be remote, to memory that is to be released; a NUL comes after it. If
 * is_cut, a longer file is read so far. The error has no name of the file. */
enum blastmerge_status bm_parts_file_read(struct blastmerge_job *job, const char *location, uint64_t n_most,
                                          bool is_cut, char **text, size_t *n_text) BM_CHECK_RESULT;
enum blastmerge_status bm_parts_file_read_source(const struct bm_job_slice_view *view,
                                                 struct bm_fetch_source *source, uint64_t n_most, bool is_cut,
                                                 char **text, size_t *n_text) BM_CHECK_RESULT;

/* Reads the plan for a join, which then must not write there. The error is complete. */
enum blastmerge_status bm_parts_file_read_plan(struct blastmerge_job *job, const char *location,
                                               struct bm_parts_plan_file *file, char **text,
                                               struct bm_pool *pool) BM_CHECK_RESULT;

/* Reads a part's share of the plan, likewise: of a remote one its beginning, two lines of its index and the child's line. The
 * file's text is gone then. number: from 1; BLASTMERGE_USAGE if the plan has fewer. */
enum blastmerge_status bm_parts_file_read_place(struct blastmerge_job *job, const char *location,
                                                uint64_t number, struct bm_parts_plan_file *file,
                                                struct bm_parts_place *place,
                                                struct bm_pool *pool) BM_CHECK_RESULT;

/* --- the ends of remote files -------------------------------------------------------------------- */

enum { BM_PARTS_AHEAD = 16 /* ends that are read at a time */ };
struct bm_parts_remote;

/* The last bytes of a file, valid until the next one is read in its place. */
struct bm_parts_remote_end {
    const uint8_t *bytes;
    size_t n;
    const char *etag; /* of the version that they are of; "" for an empty file */
};

/* NULL: no memory is left. */
struct bm_parts_remote *bm_parts_remote_open(struct bm_memory *memory);
/* Stops what is being read. It may be NULL. */
void bm_parts_remote_close(struct bm_parts_remote *remote);

/* Looks at the i-th source, and begins to read its last bytes, n_most or all. The call for i + BM_PARTS_AHEAD takes its
 * place. */
void bm_parts_remote_begin(struct bm_parts_remote *remote, size_t i, struct bm_fetch_source *source,
                           size_t n_most);
/* Waits for them. The error is the source's. */
enum blastmerge_status bm_parts_remote_finish(struct bm_parts_remote *remote, size_t i,
                                              const struct bm_fetch_source *source,
                                              struct bm_parts_remote_end *found,
                                              struct blastmerge_error *error) BM_CHECK_RESULT;

/* --- the output ---------------------------------------------------------------------------------- */

/* Lets the output replace a file of its own kind, which begins like this. */
void bm_parts_file_replace(struct blastmerge_job *job, const char *begin, size_t n_begin);

#endif
