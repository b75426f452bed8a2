/* SPDX-License-Identifier: MIT */
/*
 * tool - the program: a command line around blastmerge.h, and nothing of the library's inside.
 *
 * main.c     the standard streams, the command, the end
 * options.c  one table of options makes the parser and the help
 * help.c     the help
 * hints.c    words of other programs, and words that are nearly right
 * children.c names from the command line and from --files-from become the job's children
 * job.c      a library job with its options, its children, its signals and its progress
 * merge.c    the command merge
 * check.c    the command check
 * finalize.c the command finalize
 * shards.c   the command shards
 * parts.c    the commands count, plan, part and join
 * index.c    the command index
 * get.c      the command get
 * alias.c    alias files for the searches of shards
 * progress.c how far the job is, on standard error
 * signals.c  a signal cancels the job; once it has cleaned up, the signal is raised again
 * message.c  what is said on standard error
 * streams.c  the standard streams, and files that the program itself reads
 *
 * Functions return a status, which becomes the exit code, and have said why on standard error where it
 * is not BLASTMERGE_OK.
 */
#ifndef TOOL_H
#define TOOL_H

#include "blastmerge.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#if defined(__GNUC__) || defined(__clang__)
#define TOOL_FORMAT(position, first) __attribute__((format(printf, position, first)))
#else
#define TOOL_FORMAT(position, first)
#endif

/* --- messages ------------------------------------------------------------------------------------ */

/* Says "blastmerge: MESSAGE" and returns status. */
enum blastmerge_status tool_fail(enum blastmerge_status status, const char *format, ...) TOOL_FORMAT(2, 3);

/* Like tool_fail(), for a failed system call: adds the errno value's text, and chooses the status from it. */
enum blastmerge_status tool_fail_system(int system_error, const char *format, ...) TOOL_FORMAT(2, 3);

/* Says "blastmerge: warning: MESSAGE". */
void tool_warn(const char *message);

/* Says "blastmerge: MESSAGE" where nothing failed. */
void tool_say(const char *format, ...) TOOL_FORMAT(1, 2);

/* Writes "1.5 MiB" and the like. */
struct tool_size {
    char text[16];
};
struct tool_size tool_size(double n_bytes);

/* --- streams ------------------------------------------------------------------------------------- */

/* Adds to standard output, which is written when it is flushed, or earlier. tool_print() is for 1023 bytes at
 * most. */
void tool_put(const char *data, size_t n_bytes);
void tool_print(const char *format, ...) TOOL_FORMAT(1, 2);

/* BLASTMERGE_IO or the like if anything could not be written. */
enum blastmerge_status tool_flush_output(void);

/* Whether it is a name of standard input or output (STDIN_FILENO, STDOUT_FILENO): "-", /dev/stdin and the like. */
bool tool_is_standard(const char *name, int file);

/* Opens a file that may be a pipe, or "-" for standard input; -1 and errno. Closing spares standard input. */
int tool_open_input(const char *name);
void tool_close_input(int file);

/* Says that it could not be opened or read; shown is the name as it may be shown. */
enum blastmerge_status tool_fail_input(int system_error, const char *name, const char *shown);

/* read(), and write() of all bytes, which wait where a stream is not ready. */
ptrdiff_t tool_read(int file, void *data, size_t n_bytes);
bool tool_write(int file, const char *data, size_t n_bytes);

/* --- options ------------------------------------------------------------------------------------- */

/* One child, or one list of children, in the order of the command line. */
struct tool_source {
    const char *name;
    bool is_list;
};

enum tool_progress_mode { TOOL_PROGRESS_AUTOMATIC, TOOL_PROGRESS_ALWAYS, TOOL_PROGRESS_NEVER };

/* What the command line says. Numbers, flags and choices are all of one type, so that the table can
 * point at any of them. Strings belong to argv. */
struct tool_options {
    enum blastmerge_status (*run)(const struct tool_options *options); /* the command */
    struct tool_source *sources;
    size_t n_sources;
    const char *output;  /* NULL: standard output */
    const char *report;  /* NULL: none */
    const char *missing; /* NULL: none */
    const char *html;    /* NULL: none */
    const char *database;
    uint64_t keep_database;
    uint64_t as_unsplit;
    uint64_t query_ids; /* enum blastmerge_query_ids */
    uint64_t force;
    uint64_t null_separated;
    uint64_t allow_empty;
    uint64_t format;               /* enum blastmerge_format */
    uint64_t header;               /* enum blastmerge_header */
    uint64_t mismatch;             /* enum blastmerge_mismatch */
    uint64_t invalid_utf8;         /* 0: not given, else one more than the library's */
    uint64_t forbidden_characters; /* likewise */
    uint64_t sort;                 /* enum blastmerge_sort */
    uint64_t expect_children;
    const char *expect_queries;
    uint64_t salvage;
    uint64_t order_by_queries;
    uint64_t memory; /* bytes */
    uint64_t temp_limit;
    const char *endpoint;
    uint64_t n_threads;
    uint64_t level;
    uint64_t form; /* 0: as the name of the output says, else one more than enum blastmerge_form */
    uint64_t quiet;
    uint64_t verbose;
    uint64_t progress; /* enum tool_progress_mode */
    uint64_t strict;
    uint64_t max_target_seqs; /* of shards, as all that follows */
    uint64_t window;
    uint64_t round_robin;
    uint64_t n_shards;
    const char *sizes;
    const char *order;
    uint64_t order_descending;
    const char *columns;
    uint64_t drop_columns;
    uint64_t recompute;
    const char *evalue;
    uint64_t count;
    const char *plan; /* of a merge in parts */
    uint64_t number;
    uint64_t alias_parts;
    uint64_t alias;
    uint64_t index;         /* of merge and shards */
    const char *index_file; /* of index and get, as all that follows */
    uint64_t restart_distance;
    uint64_t definitions;
    const char *numbers;
    const char *from;
    uint64_t renumber;
};

/* Reads the command line. *is_done: it asked for help or the version, which was shown, and there is nothing
 * to run. tool_options_close() is due in any case. */
enum blastmerge_status tool_options_parse(struct tool_options *options, bool *is_done, int argc, char **argv);
void tool_options_close(struct tool_options *options);

/* --- progress ------------------------------------------------------------------------------------ */

struct tool_progress {
    bool enabled;
    bool is_terminal; /* a line that is drawn over; else one line after the other */
    size_t n_drawn;   /* characters of the line that is there to be cleared */
    struct timespec start;
    double next_seconds; /* after start: the next line is not drawn earlier */
};

void tool_progress_open(struct tool_progress *progress, const struct tool_options *options);
void tool_progress_show(struct tool_progress *progress, const struct blastmerge_progress *state);

/* Wipes the line away, so that something else can be said. The next show draws it again. */
void tool_progress_clear(struct tool_progress *progress);

/* --- signals ------------------------------------------------------------------------------------- */

/* From open to close SIGINT, SIGTERM and SIGHUP cancel the job, and a write to a closed pipe or past
 * a limit is an error and no signal. What was ignored when the program started stays ignored. */
void tool_signals_open(struct blastmerge_job *job);
void tool_signals_close(void);

/* The write to a pipe without a reader failed: to end as SIGPIPE would have ended the program.
 * False where that signal is ignored: then it is an error like any other. */
bool tool_signals_note_pipe(void);

/* Whether a signal came. */
bool tool_signals_caught(void);

/* Ends the program by the signal that came; returns where none came. */
void tool_signals_raise(void);

/* --- a job --------------------------------------------------------------------------------------- */

struct tool_job {
    struct blastmerge_job *job;
    struct tool_progress progress;
    uint64_t n_faults; /* that a check went on after, and which have been said */
    struct blastmerge_error first_fault;
};

/* Whether a check came to its end, and its error is the first of the faults that it went on after: another
 * error has ended it before. */
bool tool_job_ended_with_fault(const struct tool_job *job);

/* How the result is written: as the options say, else as the output's name does. */
enum blastmerge_form tool_form(const struct tool_options *options);

/* Makes a library job from the options, without children. tool_job_close() is due in any case. */
enum blastmerge_status tool_job_open(struct tool_job *job, const struct tool_options *options);
void tool_job_close(struct tool_job *job);

/* Sets the places of the result and the report. */
enum blastmerge_status tool_job_set_output(struct blastmerge_job *job, const struct tool_options *options);

/* Runs work, such as blastmerge_run, and says what went wrong. */
enum blastmerge_status tool_job_run(struct tool_job *job,
                                    enum blastmerge_status (*work)(struct blastmerge_job *job));

/* Says the error of a call on the job that returned status; returns status. */
enum blastmerge_status tool_job_fail(const struct blastmerge_job *job, enum blastmerge_status status);

/* What a summary and a table of children call what a format's results hold. */
struct tool_words {
    bool has_queries; /* each query's results are told apart */
    const char *query, *queries;
    const char *row, *rows;
    bool has_hits;
};
const struct tool_words *tool_job_words(enum blastmerge_format format);

/* Says what a finished job did. */
void tool_job_summary(const struct tool_job *job);

/* Writes which line of a list of --files-from names that location, as in "list: line 7: "; "" if none does. */
void tool_children_tell_origin(const char *location, char *origin, size_t size);

/* Adds what the command line names to the job; of get, whose other operands are queries, only the first one. */
enum blastmerge_status tool_children_add(struct blastmerge_job *job, const struct tool_options *options);

/* Sets more of a new job, and says what is wrong. */
typedef enum blastmerge_status tool_set(struct blastmerge_job *job, const struct tool_options *options);

/* Merges, counts or makes a part of what the command line names. set: NULL, or called with the new job. */
enum blastmerge_status tool_merge_with(const struct tool_options *options, tool_set *set);
enum blastmerge_status tool_count_with(const struct tool_options *options, tool_set *set);
enum blastmerge_status tool_part_with(const struct tool_options *options, tool_set *set);

/* --- commands ------------------------------------------------------------------------------------ */

enum blastmerge_status tool_merge(const struct tool_options *options);
enum blastmerge_status tool_check(const struct tool_options *options);
enum blastmerge_status tool_finalize(const struct tool_options *options);
enum blastmerge_status tool_shards(const struct tool_options *options);
enum blastmerge_status tool_count(const struct tool_options *options);
enum blastmerge_status tool_plan(const struct tool_options *options);
enum blastmerge_status tool_part(const struct tool_options *options);
enum blastmerge_status tool_join(const struct tool_options *options);
enum blastmerge_status tool_index(const struct tool_options *options);
enum blastmerge_status tool_get(const struct tool_options *options);

/* Writes alias files for the databases that the command line names, and says their names. */
enum blastmerge_status tool_alias(const struct tool_options *options);

#endif
