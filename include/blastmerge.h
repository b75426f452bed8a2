/* SPDX-License-Identifier: MIT */
/*
 * blastmerge.h - merge the result files of a split BLAST search into the one document that the whole search
 * would have written. The result files are called children.
 *
 * A job is made, given its children in order and a place for the result, and run:
 *
 *     struct blastmerge_job *job = NULL;
 *     enum blastmerge_status status = blastmerge_create(&job, NULL);
 *     if (status == BLASTMERGE_OK) status = blastmerge_add_location(job, "batch_1.xml.gz");
 *     if (status == BLASTMERGE_OK) status = blastmerge_add_location(job, "batch_2.xml.gz");
 *     if (status == BLASTMERGE_OK) status = blastmerge_set_output_location(job, "merged.xml.gz");
 *     if (status == BLASTMERGE_OK) status = blastmerge_run(job);
 *     if (status != BLASTMERGE_OK && job != NULL) fprintf(stderr, "%s\n", blastmerge_error(job)->message);
 *     blastmerge_destroy(job);
 *
 * A caller that is a generator itself, or feeds an upload, can instead pull the merged, compressed bytes piece
 * by piece with blastmerge_next().
 *
 * Threads: a job belongs to one thread at a time; different jobs are independent of each other.
 * Only blastmerge_cancel() may be called from any thread, or from a signal handler, at any time
 * between blastmerge_create() and blastmerge_destroy(). The caller's readers, writers, allocator
 * and callbacks are called only on the thread that is inside a function of the job, one at a time.
 * From within them, only blastmerge_cancel(), blastmerge_error(), blastmerge_report() and blastmerge_child()
 * may be called with that job. The other functions return BLASTMERGE_USAGE and do nothing, and
 * blastmerge_destroy() does nothing.
 *
 * Forks: a job has neither threads nor descriptors before its first blastmerge_run(), _check(), _next(),
 * _to_buffer() or _finalize(). Until then a fork makes two jobs of it, and each process may continue with its
 * own. From then on it belongs to the process that began it. In a forked copy, these functions and those that
 * add and set return BLASTMERGE_USAGE, and blastmerge_cancel() has no effect on the original.
 * blastmerge_destroy() returns immediately there: it waits for nothing, removes and closes nothing, calls none
 * of the caller's functions, and does not free the copy's memory. All this also applies if a reader, writer or
 * callback forks and returns in both processes.
 *
 * Descriptors: the library's own are above 2 and closed on exec, even if standard streams are closed. "-" for a
 * closed stream is an error (BLASTMERGE_IO).
 *
 * The library never prints, never exits, and never touches signals or the locale. Strings given to it are
 * copied. Strings are UTF-8 or, for paths, in the encoding of the file system.
 */
#ifndef BLASTMERGE_H
#define BLASTMERGE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BLASTMERGE_VERSION_MAJOR 0
#define BLASTMERGE_VERSION_MINOR 1
#define BLASTMERGE_VERSION_PATCH 0
#define BLASTMERGE_VERSION       "0.1.0"

#if defined(BLASTMERGE_BUILD_SHARED) && (defined(__GNUC__) || defined(__clang__))
#define BLASTMERGE_API __attribute__((visibility("default")))
#else
#define BLASTMERGE_API
#endif

#if defined(__GNUC__) || defined(__clang__)
#define BLASTMERGE_CHECK_RESULT __attribute__((warn_unused_result))
#else
#define BLASTMERGE_CHECK_RESULT
#endif

/*
 * The outcome of a call. Each value needs a different reaction of the caller. Values are never renumbered, and
 * are also the program's exit codes.
 */
enum blastmerge_status {
    BLASTMERGE_OK = 0,         /* done; every check passed */
    BLASTMERGE_IO = 1,         /* input or output failed (disk, pipe, network) */
    BLASTMERGE_USAGE = 2,      /* a call or an option is invalid */
    BLASTMERGE_DATA = 3,       /* a child is damaged, cut short, or in no format of BLAST */
    BLASTMERGE_MISMATCH = 4,   /* the children do not belong together (program, count) */
    BLASTMERGE_EXISTS = 5,     /* the destination already exists */
    BLASTMERGE_CHANGED = 6,    /* an input changed while it was read */
    BLASTMERGE_NOT_FOUND = 7,  /* an input or the destination's folder does not exist */
    BLASTMERGE_DENIED = 8,     /* permission or credentials are missing or refused */
    BLASTMERGE_NO_SPACE = 9,   /* no space left for the result */
    BLASTMERGE_NO_MEMORY = 10, /* out of memory */
    BLASTMERGE_SALVAGED = 11,  /* options.salvage: done, but something was lost */
    BLASTMERGE_NOT_READY = 12, /* finalize: children or files are still missing, try again later */
    BLASTMERGE_CANCELLED = 13, /* blastmerge_cancel() was called */
    BLASTMERGE_INTERNAL = 70   /* an internal fault of blastmerge */
};

/* What to do when a child's header differs from the first child's. */
enum blastmerge_mismatch {
    BLASTMERGE_MISMATCH_DEFAULT = 0, /* another program: error; version, database, parameters: warning */
    BLASTMERGE_MISMATCH_ERROR = 1,   /* any difference: error */
    BLASTMERGE_MISMATCH_WARN = 2,    /* any difference: warning */
    BLASTMERGE_MISMATCH_IGNORE = 3   /* nothing is compared */
};

/* What to do with bytes that are not UTF-8 in a document that is declared as UTF-8. */
enum blastmerge_invalid_utf8 {
    BLASTMERGE_INVALID_UTF8_ERROR = 0,  /* error, with the place */
    BLASTMERGE_INVALID_UTF8_LATIN1 = 1, /* each such byte is taken as ISO-8859-1 and converted */
    BLASTMERGE_INVALID_UTF8_KEEP = 2    /* copied unchanged */
};

/*
 * What to do with characters that XML forbids: U+0001 to U+001F except tab, line feed and carriage return,
 * U+FFFE, U+FFFF, and references to these, to U+0000, to surrogates or beyond U+10FFFF (&#1;). Old BLAST and
 * other programs write U+0001 between the titles of an entry of nr. A NUL byte is always an error, because
 * parts of a file that were never written read as NUL bytes. Only in BLASTMERGE_FORMAT_XML and _XML2.
 */
enum blastmerge_forbidden_characters {
    BLASTMERGE_FORBIDDEN_ERROR = 0,   /* error, with the place */
    BLASTMERGE_FORBIDDEN_REPLACE = 1, /* each is replaced by U+FFFD, the replacement character */
    BLASTMERGE_FORBIDDEN_KEEP = 2     /* copied unchanged, so the result is not well-formed either */
};

/* The format of the children: all have one format, and the result has it, too (docs/formats.md). */
enum blastmerge_format {
    BLASTMERGE_FORMAT_AUTO = 0,      /* recognised by the first child's first bytes */
    BLASTMERGE_FORMAT_XML = 1,       /* -outfmt 5 */
    BLASTMERGE_FORMAT_XML2 = 2,      /* -outfmt 16 */
    BLASTMERGE_FORMAT_JSON = 3,      /* -outfmt 15 */
    BLASTMERGE_FORMAT_COMMENTED = 4, /* -outfmt 7 */
    BLASTMERGE_FORMAT_TABULAR = 5,   /* -outfmt 6 */
    BLASTMERGE_FORMAT_CSV = 6,       /* -outfmt 10 */
    BLASTMERGE_FORMAT_ARCHIVE = 7    /* -outfmt 11: archives, in ASN.1 text */
};

/* How the result is written. */
enum blastmerge_form {
    BLASTMERGE_FORM_GZIP = 0,  /* as one gzip member */
    BLASTMERGE_FORM_PLAIN = 1, /* as text, not compressed */
    BLASTMERGE_FORM_BGZF = 2,  /* as BGZF, the blocked gzip of bgzip and samtools: compressed again, in blocks
                                of 65280 bytes of text, with the empty block at the end */
    BLASTMERGE_FORM_OTHER = 3  /* compressed as blastmerge does not: only for names; a job refuses it */
};

/* What to do with Query_N, the id that BLAST assigns to a query without a name (docs/identity.md). Each child
 * counts from 1. In tables without comments these ids always stay, and with AUTO and RENUMBER there is a
 * warning. */
enum blastmerge_query_ids {
    BLASTMERGE_QUERY_IDS_AUTO = 0,    /* N continues from document to document if it fits BLAST's own
                                         counting, so each query has its own id */
    BLASTMERGE_QUERY_IDS_KEEP = 1,    /* the ids stay: several queries have the same one */
    BLASTMERGE_QUERY_IDS_RENUMBER = 2 /* N continues, even if a user gave that name */
};

/* What to do with rows of column names, which other programs write at the top of tables without comments
 * (docs/formats.md). */
enum blastmerge_header {
    BLASTMERGE_HEADER_ONCE =
        0, /* the first child's stays; a child with a different one, or without, is an error */
    BLASTMERGE_HEADER_KEEP = 1, /* all are copied, like any other row */
    BLASTMERGE_HEADER_NONE = 2  /* compared as with ONCE, and left out */
};

/* The order in which the children are merged. */
enum blastmerge_sort {
    /* As they were added. If their names suggest another order or a missing child, or a file is added twice,
     * there is a warning; with options.as_unsplit, which promises one run's result, an error. */
    BLASTMERGE_SORT_DEFAULT = 0,
    BLASTMERGE_SORT_NATURAL = 1, /* by name, runs of digits by value: batch_2 before batch_10 */
    BLASTMERGE_SORT_NONE = 2     /* as they were added, confirmed: no warning or error about the order */
};

/*
 * Each of the caller's functions that returns int returns this value on success. Nothing else is success: 0 is
 * a failure without a reason, a negative errno value (-EIO) one with a reason, and any other number a failure,
 * too. So a function that ends early, or whose return value is lost, is never mistaken for one that succeeded.
 */
#define BLASTMERGE_CALLBACK_OK 1

/* The error of a job. Valid until the job's next call; text_offset and the rest are meaningful if child is not
 * BLASTMERGE_NO_CHILD. The message names options as the program has them; most are fields of the same name of
 * blastmerge_options, as force is for --force. */
#define BLASTMERGE_NO_CHILD  UINT64_MAX
#define BLASTMERGE_NO_OFFSET UINT64_MAX
struct blastmerge_error {
    enum blastmerge_status status;
    int system_error;       /* errno, or 0 */
    int http_status;        /* of a server's answer, or 0 */
    uint64_t child;         /* the child, from 0, or BLASTMERGE_NO_CHILD */
    uint64_t text_offset;   /* bytes of the child's text before the place, or BLASTMERGE_NO_OFFSET */
    uint64_t n_iterations;  /* whole Iterations of this child before the place */
    char message[1024];     /* one line, plain words, UTF-8, safe for a terminal; cut with "..." */
    char provider_code[64]; /* an object store's own code, such as "BlobNotFound", or "" */
};

/* The results of a merge or a check; sums over all children. */
struct blastmerge_report {
    uint64_t n_children;
    uint64_t n_documents;
    uint64_t n_iterations;
    uint64_t n_hits;
    uint64_t n_hsps;
    uint64_t n_invalid_bytes; /* bytes that were not UTF-8 and were kept or converted */
    uint64_t n_warnings;
    uint64_t compressed_bytes;     /* of the children, read */
    uint64_t text_bytes;           /* their decompressed text */
    uint64_t output_bytes;         /* written, compressed */
    uint64_t output_text_bytes;    /* the merged text */
    uint32_t output_crc32;         /* CRC-32 of the merged text (RFC 1952, section 8) */
    uint64_t peak_memory;          /* the most bytes that the library itself held, decompressors included */
    double seconds;                /* wall time from the first call of run or next to the end */
    enum blastmerge_format format; /* of the children and the result; AUTO while it is not known */
    /* What an unsplit run might have written otherwise (docs/identity.md): */
    uint64_t n_renumbered_ids;       /* Query_N ids that have another N in the result */
    uint64_t n_unsure_ids;           /* Query_N ids that BLAST may or may not have assigned. In tables without
                              comments: all of them */
    uint64_t n_kept_messages;        /* begin with a renumbered id, but not as BLAST writes it: kept */
    uint64_t n_excess_iterations;    /* that an unsplit run would have failed to write */
    uint64_t n_number_gaps;          /* places where the numbers of a document's Iterations leave some out */
    uint64_t n_number_returns;       /* places where the numbers decrease or repeat */
    uint64_t n_empty_children;       /* without an Iteration */
    uint64_t n_bare_iterations;      /* of queries that could not be searched; 0 in BLASTMERGE_FORMAT_XML */
    uint64_t n_damaged_children;     /* options.salvage: children of which something was lost */
    uint64_t n_lost_stretches;       /* of their text */
    uint64_t n_unchecked_iterations; /* merged from gzip members that are cut short, without a checksum */
    uint64_t n_missing_queries;      /* options.expect_queries: without an Iteration */
    uint64_t n_forbidden_characters; /* that XML forbids, and that were replaced or kept */
    uint64_t
        n_unnumbered_iterations; /* whose number is missing or invalid: numbers continue from the one before */
    uint64_t
        n_unknown_queries; /* blastmerge_check(), options.expect_queries: may be in a part that could not be read */
    uint64_t n_superseded_runs; /* options.salvage: left out, because another run of the search has them */
    uint64_t
        copied_bytes; /* of output_bytes: children's compressed data, which no edit came near. The rest was compressed anew */
};

/* What one child held, from the data. */
struct blastmerge_child {
    const char *name;     /* owned by the job; without what may be secret in a location. Otherwise raw:
                       * blastmerge_show() makes it safe for a terminal */
    const char *location; /* as for blastmerge_add_location(), including secrets; NULL: memory, readers */
    uint64_t n_documents;
    uint64_t n_iterations;
    uint64_t n_hits;
    uint64_t n_hsps;
    uint64_t n_invalid_bytes;
    uint64_t compressed_bytes;
    uint64_t text_bytes;
    uint64_t n_forbidden_characters;
    /* blastmerge_check(): BLASTMERGE_OK, or the kind of its fault. The counts then go as far as the child could
     * be read, and are not in the totals. options.salvage: BLASTMERGE_SALVAGED if something of it was lost. */
    enum blastmerge_status status;
    const char *error; /* blastmerge_check(): the fault. NULL: none, or 256 children before it have faults */
    int was_read; /* to its end, or as far as it could be; 0: not yet, status and counts are meaningless */
};

/* The progress of a job. compressed_total is 0 if the length of any child cannot be known (pipes, readers). The length
 * of a remote child is known when its first bytes arrive, so with remote children the total grows. */
struct blastmerge_progress {
    uint64_t compressed_bytes; /* read so far */
    uint64_t compressed_total; /* of the first n_children_in_total children */
    uint64_t child;            /* the current child, from 0 */
    uint64_t n_children;
    uint64_t n_iterations; /* merged so far */
    uint64_t output_bytes;
    uint64_t n_children_in_total;
    /* What the job does now: "survey" (of what salvage can keep), "order" (the queries' order is looked for), "check",
     * "merge", or "write" (all children were read). A constant. */
    const char *phase;
};

/* Memory for the job. allocate returns NULL on failure. Both are called as described under Threads. */
struct blastmerge_allocator {
    void *context;
    void *(*allocate)(void *context, size_t n_bytes);
    void (*release)(void *context, void *memory);
};

/*
 * Options. Start from blastmerge_options_init(&options, sizeof options), which sets every field to its
 * default. A later library determines by struct_size which fields the caller has. An earlier library accepts
 * them if the fields that it does not support are zero. Another struct_size is refused (BLASTMERGE_USAGE).
 * Pointers need to be valid only until blastmerge_create() returns, except the contexts.
 */
struct blastmerge_options {
    size_t struct_size;

    /* --- The children: what they are, how many, in which order. --- */
    enum blastmerge_format format; /* another format is an error */
    enum blastmerge_sort sort;
    uint64_t expect_children; /* any other number of children is an error; 0: any number */
    /* A file with the queries that were searched: FASTA or a list of names, perhaps gzip-compressed, a pipe or
     * "-". Iterations of other queries, missing ones and another order are an error (docs/queries.md). NULL:
     * none. */
    const char *expect_queries;
    /* The children and their Iterations may come in any order, and are merged in that of expect_queries, which must be given
     * (docs/queries.md). Each child is read twice: files and memory. */
    int order_by_queries;
    int allow_empty; /* a child of no bytes counts as a search without queries; otherwise it is an error */

    /* --- What to do if children differ, or are not as they should be. --- */
    enum blastmerge_mismatch mismatch;
    enum blastmerge_invalid_utf8 invalid_utf8;
    enum blastmerge_forbidden_characters forbidden_characters;
    /* Merges what is whole of damaged children (docs/salvage.md); each child is read twice. If something was
     * lost, or left out because another run of the search has it, the result is complete, and the status is
     * BLASTMERGE_SALVAGED. */
    int salvage;

    /* --- The merged text. --- */
    /* The result is what one unsplit run writes, as far as possible. Implies INVALID_UTF8_KEEP, FORBIDDEN_KEEP
     * and, unless database is given, keep_database. Other databases are an error unless database is given.
     * QUERY_IDS_KEEP is an error. */
    int as_unsplit;
    enum blastmerge_query_ids query_ids;
    enum blastmerge_header header;
    /* Text for BlastOutput_db, 1 to 4096 bytes. NULL: "merged split-query child results". */
    const char *database;
    int keep_database; /* the first child's BlastOutput_db stays */

    /* --- How the result is written. --- */
    /* GZIP by default, whatever the output's name is: see blastmerge_form_of_name(). With PLAIN the level has no
     * effect. */
    enum blastmerge_form form;
    /* 1 to 9: compress again, at libdeflate's level. 0: splice (nothing is compressed again); what cannot be
     * spliced (BGZF, children that are not gzip) is compressed at level 6, and of shards what is not copied at level 1. */
    int level;
    int force; /* an existing destination is replaced */

    /* --- Threads and memory. --- */
    /* 1 to 64; 0: as many as there are processors, at most 8. The result does not depend on it. */
    unsigned n_threads;
    struct blastmerge_allocator allocator; /* allocate NULL: malloc and free */

    /* --- Remote locations. --- */
    const char *endpoint; /* URL of the store for az://, s3:// and gs://; NULL: from the environment */
    /* Bytes that the whole process may take; 0: 64 MiB if any location is remote, else 16 MiB, and 6 MiB for each
     * thread beyond two. Local work needs 16 MiB. What libraries allocate to decompress zstd, xz, bzip2 or lz4 must fit
     * in if this is given and nothing is remote; else it comes on top. */
    uint64_t memory_limit;
    /* Bytes of temporary files in which local children that were read before their turn wait for it; 0: 1 GiB. If they do
     * not suffice, threads wait. */
    uint64_t temporary_limit;

    /*
     * --- The caller's functions. ---
     *
     * Each returns BLASTMERGE_CALLBACK_OK. Any other value ends the job with an error before anything is final:
     * the one for the errno value, else BLASTMERGE_IO. To end it with BLASTMERGE_CANCELLED, call
     * blastmerge_cancel(). NULL: not called.
     */
    void *callback_context;
    int (*on_warning)(void *context, const char *message);
    /* blastmerge_check(): called with the error of each child with a fault, after which the check continues; and
     * for a fault in the children's order, which belongs to no child. */
    int (*on_fault)(void *context, const struct blastmerge_error *error);
    int (*on_progress)(void *context, const struct blastmerge_progress *progress);
    /*
     * For bindings of other languages, in which an exception that leaves a callback can leave any return
     * value, such as that of the previous call. If it is not NULL, the library writes a number that was not used
     * before there, before each call of a reader, a writer or a callback. The call succeeds only if it returns
     * BLASTMERGE_CALLBACK_OK plus that number. It must stay valid until the job is destroyed.
     */
    int *callback_ticket;
    unsigned progress_interval; /* least milliseconds between calls of on_progress; 0: with each batch */
};

/*
 * Bytes from the caller: a chunk iterator. next sets *data and *n_bytes to the next chunk, which must stay valid
 * until the next call of next or close; 0 bytes mark the end. close (may be NULL) is called exactly once for each
 * reader that was added, at the end of its bytes or when the job ends. Both return BLASTMERGE_CALLBACK_OK,
 * otherwise the job fails. A chunk may have any size from 1 byte on.
 */
struct blastmerge_reader {
    void *context;
    int (*next)(void *context, const void **data, size_t *n_bytes);
    int (*close)(void *context);
};

/*
 * The caller's destination of the merged bytes. write takes all n_bytes or fails. write and commit return
 * BLASTMERGE_CALLBACK_OK, otherwise the job fails. After the last write, exactly one of commit (everything was
 * checked) and discard (the written bytes are not a result) is called. Both may be NULL.
 */
struct blastmerge_writer {
    void *context;
    int (*write)(void *context, const void *data, size_t n_bytes);
    int (*commit)(void *context);
    void (*discard)(void *context);
};

struct blastmerge_job;

/*
 * Children that are provided only as they are needed. next adds one child or more with
 * blastmerge_add_location(), blastmerge_add_memory() or blastmerge_add_reader(), and returns
 * BLASTMERGE_CALLBACK_OK. It may call no other function that changes the job. If it adds no child, there are no
 * more, and it is not called again.
 */
struct blastmerge_children {
    void *context;
    int (*next)(void *context, struct blastmerge_job *job);
};

/* The version of the linked library, such as "0.1.0". */
BLASTMERGE_API const char *blastmerge_version(void);

/* One line: the libraries and features in use, such as "zlib 1.2.13, libdeflate 1.14, AVX2". */
BLASTMERGE_API const char *blastmerge_features(void);

/* A word for a status, such as "damaged". Never NULL. */
BLASTMERGE_API const char *blastmerge_status_name(enum blastmerge_status status);

/* A word for a format, such as "xml2", as for the program's --format. Never NULL. */
BLASTMERGE_API const char *blastmerge_format_name(enum blastmerge_format format);

/*
 * The form for the name of an output, in upper or lower case: BLASTMERGE_FORM_PLAIN for .xml, .json, .tsv, .csv,
 * .txt, .tab and .asn, BLASTMERGE_FORM_BGZF for .bgz, BLASTMERGE_FORM_OTHER for .zst, .xz, .bz2 and .lz4, and
 * BLASTMERGE_FORM_GZIP for .gz and every other name. name is a path or a remote location; the query and the fragment
 * of a URL do not count. The program and the Python package choose the form with it; the library itself does not use
 * names for that.
 */
BLASTMERGE_API enum blastmerge_form blastmerge_form_of_name(const char *name);

/*
 * Writes text so that it is safe to show in a terminal or a log. Characters that act there instead of being
 * visible (control characters, marks that turn the direction of text, bytes that are not UTF-8) become '?' or an
 * escape such as \x9b or \u202e. The rest stays unchanged, so showing text twice changes nothing. Text that does
 * not fit ends in "...". size is at least 4. Messages and warnings are already safe; names and locations in
 * struct blastmerge_child are raw.
 */
BLASTMERGE_API void blastmerge_show(const char *text, char *shown, size_t size);

/* Writes a location likewise. Only the scheme, the host, the port and the path are shown of a remote location,
 * and of a name that resembles one, because the rest may be secret. A location that is empty, or that begins or
 * ends with a blank, is in quotes. size is at least 8. */
BLASTMERGE_API void blastmerge_show_location(const char *location, char *shown, size_t size);

/* Sets every option to its default. struct_size is sizeof(struct blastmerge_options). */
BLASTMERGE_API void blastmerge_options_init(struct blastmerge_options *options, size_t struct_size);

/* Makes a job. options may be NULL for the defaults. On failure *job is NULL (BLASTMERGE_NO_MEMORY) or a job
 * whose error names the invalid option (BLASTMERGE_USAGE); destroy it in both cases. */
BLASTMERGE_API enum blastmerge_status
blastmerge_create(struct blastmerge_job **job,
                  const struct blastmerge_options *options) BLASTMERGE_CHECK_RESULT;

/* Ends a job in any state: threads are joined, readers closed, and a result that was not committed is
 * discarded. job may be NULL. */
BLASTMERGE_API void blastmerge_destroy(struct blastmerge_job *job);

/*
 * Adds a child: a path, or "-" for standard input, or a remote location (docs/storage.md): an http:// or
 * https:// URL, az://account/container/blob, s3://bucket/key, gs://bucket/key. A star in the last part of these
 * three matches any characters but a slash; the location then means all objects whose names match, in natural
 * order. A name that resembles a location but is none (ftp://, s3:/bucket, a blank before https://) is refused;
 * for a path of such a name, write "./" before it. The child is opened when its turn comes.
 */
BLASTMERGE_API enum blastmerge_status blastmerge_add_location(struct blastmerge_job *job,
                                                              const char *location) BLASTMERGE_CHECK_RESULT;

/* Adds a child in memory, which must stay valid and unchanged until the job is destroyed. name is for
 * messages. */
BLASTMERGE_API enum blastmerge_status blastmerge_add_memory(struct blastmerge_job *job, const char *name,
                                                            const void *data,
                                                            size_t n_bytes) BLASTMERGE_CHECK_RESULT;

/* Adds a child whose bytes come from the caller. name is for messages. */
BLASTMERGE_API enum blastmerge_status
blastmerge_add_reader(struct blastmerge_job *job, const char *name,
                      const struct blastmerge_reader *reader) BLASTMERGE_CHECK_RESULT;

/*
 * Sets the source of the children that follow those that were added. next is called when the children so far
 * are merged. It is called earlier only if these can be read ahead of their turn (files, remote ones, memory)
 * and there are threads for it. So at most one reader is provided ahead of the current one, and a reader is
 * closed before the next is requested.
 *
 * Checks that need all children come at the end, before anything is final: options.expect_children, and the
 * warnings about their order, gaps and files given twice. With options.salvage, options.order_by_queries and
 * BLASTMERGE_SORT_NATURAL, for shards, for the index of a file, and where queries are got or listed, all children are
 * taken at the start. The totals of a struct blastmerge_progress are those of the children so far;
 * compressed_total is 0.
 */
BLASTMERGE_API enum blastmerge_status
blastmerge_set_children(struct blastmerge_job *job,
                        const struct blastmerge_children *children) BLASTMERGE_CHECK_RESULT;

/* Sets the destination of the result: a path, "-" for standard output, or az://, s3:// or gs://. The result
 * appears under its name only when everything was checked and written; without options.force an existing one is
 * an error. It must not be any other place of the job, under any name: a child, the file of queries, the report.
 * That is an error (BLASTMERGE_USAGE) when the job begins. */
BLASTMERGE_API enum blastmerge_status
blastmerge_set_output_location(struct blastmerge_job *job, const char *location) BLASTMERGE_CHECK_RESULT;

/* Sets the caller's own writer as the destination. */
BLASTMERGE_API enum blastmerge_status
blastmerge_set_output_writer(struct blastmerge_job *job,
                             const struct blastmerge_writer *writer) BLASTMERGE_CHECK_RESULT;

/* Sets the destination of the missing queries (docs/queries.md): those of options.expect_queries that have no
 * Iteration, as FASTA or as names, as that file has them, ready to be searched again. A path, or "-" for standard
 * output. It is empty if none is missing. It appears when the result or the report does, and also if a merge ends
 * with BLASTMERGE_MISMATCH because queries are missing. Without options.expect_queries it is an error
 * (BLASTMERGE_USAGE) when the job begins. */
BLASTMERGE_API enum blastmerge_status
blastmerge_set_missing_location(struct blastmerge_job *job, const char *location) BLASTMERGE_CHECK_RESULT;

/* Sets the destination of a page for people (HTML, docs/page.md), which has what the report has, and needs no other file. A
 * path, or "-" for standard output. It appears when the result or the report does. */
BLASTMERGE_API enum blastmerge_status
blastmerge_set_page_location(struct blastmerge_job *job, const char *location) BLASTMERGE_CHECK_RESULT;

/* Sets the destination of the report (JSON, docs/report.md): a place like the result's. It is written during the
 * merge. It appears under its name just after the result does; if the result is a stream (a pipe, standard
 * output, a writer, blastmerge_next()), just before the result's last bytes. If the name ends in _mqc.json, the file is
 * custom content for MultiQC instead. */
BLASTMERGE_API enum blastmerge_status
blastmerge_set_report_location(struct blastmerge_job *job, const char *location) BLASTMERGE_CHECK_RESULT;

/* Protects a file that the caller itself reads for the job, such as a list of children. If it is the place of
 * the result or of the report, that is an error (BLASTMERGE_USAGE) when the job begins. what is the word for it
 * in messages, such as "the list of children"; location is a path, or "-" for standard input. */
BLASTMERGE_API enum blastmerge_status
blastmerge_protect_location(struct blastmerge_job *job, const char *what,
                            const char *location) BLASTMERGE_CHECK_RESULT;

/* Claims a place that the caller itself writes during the job, such as a table on standard output. It must not
 * be any place that the job reads or writes, as for blastmerge_protect_location(). location is a path, or "-"
 * for standard output; for a file that the caller has open, a path such as /dev/fd/5. */
BLASTMERGE_API enum blastmerge_status blastmerge_claim_location(struct blastmerge_job *job, const char *what,
                                                                const char *location) BLASTMERGE_CHECK_RESULT;

/*
 * Merging by database (docs/shards.md): the children are shards, each the result of all queries against one part
 * of the database. Start from blastmerge_shards_options_init(), as with struct blastmerge_options.
 */
struct blastmerge_shards_options {
    size_t struct_size;
    uint64_t max_target_seqs; /* hits of a query at most, as the searches had it; 0: 500, as BLAST has it */
    int window;               /* each shard searched a window (FIRST_OID, LAST_OID) on the whole database */
    int round_robin;          /* sequence i of the database is in shard i modulo their number */
    const uint64_t *sizes;    /* sequences in each shard's part of the database; NULL: as the shards say */
    size_t n_sizes;           /* 0, or as many as there are shards in a batch */
    uint64_t n_shards; /* the queries are split, too: batch after batch of so many shards; 0: one batch */
    const char
        *order; /* a file with the subjects' accessions in database order, one a line or FASTA, which decides
                        * where hits tie; NULL: the order of the shards does */
    int order_descending;  /* that file begins with the last one */
    const char *columns;   /* tables: their columns as -outfmt names them, "std score slen"; NULL: "std" */
    uint64_t drop_columns; /* tables: so many of the last columns do not get into the result */
    int recompute; /* the searches did not have the whole's statistics: E-values and search spaces are computed again */
    double
        evalue; /* with recompute: HSPs of larger E-values are left out, and the header has it; 0: as the header says */
};

/* Sets every option to its default. struct_size is sizeof(struct blastmerge_shards_options). */
BLASTMERGE_API void blastmerge_shards_options_init(struct blastmerge_shards_options *options,
                                                   size_t struct_size);

/*
 * Makes the job's children shards of the database, in database order. blastmerge_run() and the other functions
 * that merge then write what one search of the whole database writes. options may be NULL for the defaults. Of the
 * job's own options database, if it is given, is the whole database's name; salvage is refused. To be called
 * once, before the job begins. All shards of a batch are open at once.
 */
BLASTMERGE_API enum blastmerge_status
blastmerge_set_shards(struct blastmerge_job *job,
                      const struct blastmerge_shards_options *options) BLASTMERGE_CHECK_RESULT;

/* What a merge of shards found, summed over all batches. Places are pairs of hits that follow one another. */
struct blastmerge_shards_report {
    uint64_t n_cut_queries; /* had more than max_target_seqs hits in all shards together ... */
    uint64_t n_tied_cuts;   /* ... and of these, the first hit left out is equal to the last one written */
    uint64_t n_undecided_places;  /* where the order of two hits does not follow from what is printed ... */
    uint64_t n_undecided_strands; /* ... and of these, where it depends on the strand alone */
    uint64_t n_undecided_queries; /* tables without comments: where no shard tells which query comes first */
    uint64_t n_overlapping_hits;  /* of one accession in two shards */
    uint64_t n_unlisted_hits;     /* of accessions that the order does not have */
    uint64_t n_unrebuilt_hits;    /* recompute: whose E-values are as they were */
    uint64_t n_hsps_over_threshold; /* recompute: left out, since their E-values are beyond the threshold */
};

/* Of a job of shards; all zeros for others. Complete once the merge has ended. */
BLASTMERGE_API const struct blastmerge_shards_report *
blastmerge_shards_report(const struct blastmerge_job *job);

/*
 * Indexes (docs/index.md): an SQLite database beside a result, from which one query is found without reading all of it.
 * Start from blastmerge_index_options_init(), as with struct blastmerge_options.
 */
struct blastmerge_index_options {
    size_t struct_size;
    const char *location; /* a path for the index; NULL: the result's location with ".bmi" behind it */
    /* Bytes of text between two places from which reading can begin: 65536 at the least; 0: 4 MiB. */
    uint64_t restart_distance;
    int definitions; /* whole definitions of queries are kept, not only their first words */
};

/* Sets every option to its default. struct_size is sizeof(struct blastmerge_index_options). */
BLASTMERGE_API void blastmerge_index_options_init(struct blastmerge_index_options *options,
                                                  size_t struct_size);

/*
 * Makes a merge write the index of its result, too, which must be a regular file. The index appears under its name just
 * after the result does. options may be NULL for the defaults. To be called before the job begins.
 */
BLASTMERGE_API enum blastmerge_status
blastmerge_set_index(struct blastmerge_job *job,
                     const struct blastmerge_index_options *options) BLASTMERGE_CHECK_RESULT;

/*
 * Checks the job's one child, as blastmerge_check() does, and writes its index. The child is a result in any format,
 * compressed by any program or not, of one or several documents; a regular file, or in memory if a location is given. options
 * may be NULL for the defaults. An index that is there is replaced; anything else in its place is an error
 * (BLASTMERGE_EXISTS) without options.force of the job. If the child has a fault, no index is written.
 */
BLASTMERGE_API enum blastmerge_status
blastmerge_index(struct blastmerge_job *job,
                 const struct blastmerge_index_options *options) BLASTMERGE_CHECK_RESULT;

/* What to get. Start from blastmerge_get_options_init(), as with struct blastmerge_options. */
struct blastmerge_get_options {
    size_t struct_size;
    /* Ids, first words of definitions, or accessions in these: all Iterations of each. */
    const char *const *queries;
    size_t n_queries;
    /* Iterations by their places in the file, from 1: "17", "5,8-10", "20-"; NULL: none. */
    const char *numbers;
    /* A file that names further queries: a list, one a line, or FASTA; "-": standard input; NULL: none. */
    const char *from;
    const char *index_location; /* of the index; NULL: the child's location with ".bmi" behind it */
    int renumber; /* numbers of Iterations and ids Query_N are counted from 1; otherwise they stay */
};

/* Sets every option to its default. struct_size is sizeof(struct blastmerge_get_options). */
BLASTMERGE_API void blastmerge_get_options_init(struct blastmerge_get_options *options, size_t struct_size);

/*
 * Makes the job get some queries of its one child. blastmerge_run() and the other functions that merge then write a complete
 * document with just their Iterations, in the order of the file, byte for byte; header and footer are the file's. All
 * queries are looked up first: if one is missing, nothing is written, and the error (BLASTMERGE_NOT_FOUND) names all that
 * are missing. Only what is needed of the file is read, by its index; without one all of it is read, with a warning. An
 * index of another file is an error (BLASTMERGE_CHANGED), and so is a damaged one (BLASTMERGE_DATA): each Iteration is
 * compared with its checksum in the index. To be called before the job begins; the options' strings are copied.
 */
BLASTMERGE_API enum blastmerge_status
blastmerge_set_get(struct blastmerge_job *job,
                   const struct blastmerge_get_options *options) BLASTMERGE_CHECK_RESULT;

/* What an index has of an Iteration. Strings are UTF-8 as far as the file is; NULL: there is none. */
struct blastmerge_query {
    uint64_t number; /* its place in the file, from 1 */
    const char *id;
    const char *name; /* the first word of its definition */
    int has_length;   /* `length`, n_hits and evalue are known */
    int has_hits;
    int has_evalue;
    uint64_t length;
    uint64_t n_hits;
    uint64_t n_hsps; /* in tables: rows; in archives: the alignments of all queries of its archive */
    double evalue;   /* of the first HSP */
};

/*
 * Calls on_query for each Iteration that a get would write, in the order of the file, and writes nothing. options: as for
 * blastmerge_set_get(), and NULL or options without any query mean all. The query's strings are valid during the call.
 * on_query returns BLASTMERGE_CALLBACK_OK to continue. n_iterations of blastmerge_report() is then that of the whole file.
 * The job can be used for one call.
 */
BLASTMERGE_API enum blastmerge_status
blastmerge_queries(struct blastmerge_job *job, const struct blastmerge_get_options *options,
                   int (*on_query)(void *context, const struct blastmerge_query *query),
                   void *context) BLASTMERGE_CHECK_RESULT;

/*
 * Likewise, one Iteration at each call: *query is the next one, and NULL if there is none left. It is valid until the next
 * call of a function of the job. options count at the first call, which looks all queries up. The job can be used for one
 * list.
 */
BLASTMERGE_API enum blastmerge_status
blastmerge_next_query(struct blastmerge_job *job, const struct blastmerge_get_options *options,
                      const struct blastmerge_query **query) BLASTMERGE_CHECK_RESULT;

/* Merges everything to the output that was set. */
BLASTMERGE_API enum blastmerge_status blastmerge_run(struct blastmerge_job *job) BLASTMERGE_CHECK_RESULT;

/*
 * Reads and checks everything, and writes nothing but the report, if one is set. After a child with a fault, or
 * one that cannot be read, it continues with the next child. So the report has all children, and the status of
 * each, as blastmerge_child() does. Returns the status of the first fault, which blastmerge_error() describes;
 * options.on_fault is called for each fault. These end it immediately, without a report: an invalid option or
 * place, a wrong number of children, lack of memory, a failure of one of the caller's functions,
 * blastmerge_cancel().
 */
BLASTMERGE_API enum blastmerge_status blastmerge_check(struct blastmerge_job *job) BLASTMERGE_CHECK_RESULT;

/*
 * Returns the next piece of the merged, compressed bytes, valid until the job's next call. 0 bytes mean that the
 * result is complete and every check passed. No output needs to be set. Bytes that were returned before an error
 * never decode as a complete gzip member; in BGZF, each of whose blocks is one, they lack the empty block at the
 * end of every complete file. The last piece is returned when nothing else can fail: every check has passed, and
 * the report is in its place. A cancel after that has no effect.
 */
BLASTMERGE_API enum blastmerge_status blastmerge_next(struct blastmerge_job *job, const void **data,
                                                      size_t *n_bytes) BLASTMERGE_CHECK_RESULT;

/* Merges everything into one buffer, which the caller frees with blastmerge_free(). */
BLASTMERGE_API enum blastmerge_status blastmerge_to_buffer(struct blastmerge_job *job, void **data,
                                                           size_t *n_bytes) BLASTMERGE_CHECK_RESULT;

/* Frees memory that blastmerge_to_buffer() or blastmerge_finalize() returned. data may be NULL. */
BLASTMERGE_API void blastmerge_free(struct blastmerge_job *job, void *data);

/* Makes the job stop soon: its current call returns BLASTMERGE_CANCELLED. May be called from any thread and from
 * signal handlers. */
BLASTMERGE_API void blastmerge_cancel(struct blastmerge_job *job);

/* The job's first error in child order; status BLASTMERGE_OK while there is none. job NULL: the error of a job
 * that could not be made, for lack of memory. */
BLASTMERGE_API const struct blastmerge_error *blastmerge_error(const struct blastmerge_job *job);

/* The sums of what was merged so far; complete after run, check, or the end of next. */
BLASTMERGE_API const struct blastmerge_report *blastmerge_report(const struct blastmerge_job *job);

/* The counts of the child with this number, from 0 in merge order. BLASTMERGE_USAGE if there is none. */
BLASTMERGE_API enum blastmerge_status
blastmerge_child(const struct blastmerge_job *job, uint64_t number,
                 struct blastmerge_child *child) BLASTMERGE_CHECK_RESULT;

/*
 * A merge in parts (docs/distributed.md), for many machines: each child is counted on its own; a plan adds up what comes
 * before each child; each part is one child's share of the result, made on its own; and the parts are joined, which copies
 * bytes and reads no text. The result is that of one merge of all children. Each function takes a new job, with an output,
 * and ends it; each can be run again at any time, and gives the same bytes. If options.salvage left something out when
 * the children were counted, count, plan and join return BLASTMERGE_SALVAGED, and have done their work.
 * options.expect_queries has the queries of the child's own search for a count, and all queries for a plan, which compares
 * them with those that the children were counted with. A part or a join does not accept it, unless the order of shards
 * needs it. Neither order_by_queries nor readers, a report of a plan or a join, a level and another form than
 * BLASTMERGE_FORM_GZIP are accepted (BLASTMERGE_USAGE).
 */

/* Reads and checks the job's one child, a file or a remote object, and writes its tally, a line of JSON, to the output. A
 * tally that is there is replaced. The options that decide the result's bytes are kept in it. After blastmerge_set_shards()
 * the children are the shards of one batch of queries: the tally is the batch's. */
BLASTMERGE_API enum blastmerge_status blastmerge_count(struct blastmerge_job *job) BLASTMERGE_CHECK_RESULT;

/* Makes a plan of tallies, which are the job's children: in the order in which they were added, or of options.sort. A file
 * may hold many lines. Children are compared as in a merge; options.on_fault is called for each fault, and the first one is
 * returned. database, mismatch, sort and expect_children are the plan's own; the other options are those of the tallies,
 * and another one is BLASTMERGE_MISMATCH. A plan that is there is replaced. */
BLASTMERGE_API enum blastmerge_status blastmerge_plan(struct blastmerge_job *job) BLASTMERGE_CHECK_RESULT;

/* Makes a part of a plan: number from 1, in the plan's order. The options are the plan's. A child of the job is read
 * instead of the location that was counted; it must have the same bytes (BLASTMERGE_CHANGED). For the part of a batch of
 * shards, all of them are the job's children, with the options of blastmerge_set_shards() that they were counted with. A part
 * that is there is replaced. plan is a path or a remote location. */
BLASTMERGE_API enum blastmerge_status blastmerge_part(struct blastmerge_job *job, const char *plan,
                                                      uint64_t number) BLASTMERGE_CHECK_RESULT;

/* Joins all parts of a plan, which are the job's children in any order, to the result. If the output has the result's
 * length, and its text's length and CRC-32, nothing is written, and that is BLASTMERGE_OK. A part that is missing
 * (BLASTMERGE_NOT_FOUND), damaged, cut short (BLASTMERGE_DATA) or of another plan (BLASTMERGE_MISMATCH) is an error, whose
 * message names the part to be made again. If parts and result are in one object store, it copies them itself. */
BLASTMERGE_API enum blastmerge_status blastmerge_join(struct blastmerge_job *job,
                                                      const char *plan) BLASTMERGE_CHECK_RESULT;

/* How to finalize. Start from blastmerge_finalize_options_init(), as with struct blastmerge_options. */
struct blastmerge_finalize_options {
    size_t struct_size;
    int strict; /* a report whose count of queries differs from the Iterations is an error, not a warning */
};

/* Sets every option to its default. struct_size is sizeof(struct blastmerge_finalize_options). */
BLASTMERGE_API void blastmerge_finalize_options_init(struct blastmerge_finalize_options *options,
                                                     size_t struct_size);

/*
 * Finalizes a parent job (docs/finalize.md): if all of its children are completed and have left their results
 * and reports, these become the parent's merged result, report and manifest. It can be called again, and by
 * several processes at once, however earlier calls ended. Once there is a manifest, everything that it names
 * exists and is not replaced.
 *
 * job: a new one, made with the options of the merge (threads, mismatch, memory_limit, endpoint, on_warning
 * ...), to which nothing was added. It can be cancelled, can be used for one call, and holds the error.
 * description: the parent and its children as JSON, n_bytes, at most 16 MiB, needed only during the call.
 * options: NULL for the defaults.
 *
 * *outcome becomes one line of JSON that describes how it ended, or NULL if the description could not be parsed
 * or there was no memory. The caller frees it with blastmerge_free(job, *outcome).
 *
 * BLASTMERGE_OK: the parent is completed, by this call or an earlier one. BLASTMERGE_NOT_READY: children are not
 * completed yet, or some of their files are missing. BLASTMERGE_DATA: a child's result or report is damaged; or
 * children failed or were cancelled or deleted, and there will be no result. BLASTMERGE_MISMATCH: the
 * description or the reports contradict each other or the data. BLASTMERGE_USAGE: the description is wrong, and
 * the message names the field. Other values are those of the merge.
 */
BLASTMERGE_API enum blastmerge_status blastmerge_finalize(struct blastmerge_job *job, const void *description,
                                                          size_t n_bytes,
                                                          const struct blastmerge_finalize_options *options,
                                                          char **outcome) BLASTMERGE_CHECK_RESULT;

#ifdef __cplusplus
}
#endif

#endif
