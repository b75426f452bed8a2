/* SPDX-License-Identifier: MIT */
/*
 * One row per option says everything about it: its names, what it takes, where the value goes, with
 * which command it makes sense, and its line of --help. getopt_long()'s own tables are made from it.
 */
#include "tool.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind {
    KIND_FLAG,   /* takes nothing, stores minimum */
    KIND_TEXT,   /* takes a string */
    KIND_NUMBER, /* takes minimum to maximum */
    KIND_CHOICE, /* takes one of words, stores its place in them plus minimum */
    KIND_LIST,   /* takes the name of a list of children */
    KIND_HELP,
    KIND_VERSION
};

struct row {
    const char *name;
    int letter; /* the short name, or 0 */
    enum kind kind;
    bool merge_only;
    bool not_finalize; /* makes no sense with finalize */
    bool finalize_only;
    size_t offset; /* of the value in struct tool_options */
    uint64_t minimum;
    uint64_t maximum;
    const char *words;    /* "error|warn|ignore" */
    const char *argument; /* as --help calls it */
    const char *help;     /* NULL: spoken of in another line */
};

#define AT(field)    .offset = offsetof(struct tool_options, field)
#define MERGE_ONLY   .merge_only = true
#define NOT_FINALIZE .not_finalize = true

/* Its place in the table, for -1 to -9. */
#define ROW_LEVEL 17

/* clang-format off */
static const struct row rows[] = {
    {"output", 'o', KIND_TEXT, AT(output), MERGE_ONLY, NOT_FINALIZE, .argument = "FILE",
     .help = "write the result to FILE, not to standard output"},
    {"force", 'f', KIND_FLAG, AT(force), NOT_FINALIZE, .minimum = 1,
     .help = "replace FILE where it exists"},
    {"files-from", 0, KIND_LIST, NOT_FINALIZE, .argument = "FILE",
     .help = "names of children, one a line; --null: ended by NUL"},
    {"null", 0, KIND_FLAG, AT(null_separated), NOT_FINALIZE, .minimum = 1},
    {"db", 0, KIND_TEXT, AT(database), MERGE_ONLY, .argument = "TEXT",
     .help = "the result's database name; --keep-db: as it is"},
    {"keep-db", 0, KIND_FLAG, AT(keep_database), MERGE_ONLY, .minimum = 1},
    {"as-unsplit", 0, KIND_FLAG, AT(as_unsplit), .minimum = 1,
     .help = "as an unsplit run writes it; --query-ids HOW: ids"},
    {"query-ids", 0, KIND_CHOICE, AT(query_ids), .words = "keep|renumber|auto", .minimum = 1, .argument = "HOW"},
    {"format", 0, KIND_CHOICE, AT(format), .words = "auto|xml|xml2|json|commented|tabular|csv", .argument = "NAME",
     .help = "xml, xml2, json, commented, tabular, csv (or auto)"},
    {"allow-empty", 0, KIND_FLAG, AT(allow_empty), .minimum = 1,
     .help = "no bytes: no queries; --salvage: merge what is whole"},
    {"mismatch", 0, KIND_CHOICE, AT(mismatch), .words = "error|warn|ignore",
     .minimum = BLASTMERGE_MISMATCH_ERROR, .argument = "HOW",
     .help = "headers that differ: error, warn, ignore"},
    {"invalid-utf8", 0, KIND_CHOICE, AT(invalid_utf8), .words = "error|latin1|keep", .minimum = 1, .argument = "HOW",
     .help = "bytes that are not UTF-8: error, latin1, keep"},
    {"sort", 0, KIND_CHOICE, AT(sort), NOT_FINALIZE, .words = "none|natural", .argument = "HOW",
     .help = "order: none (as given), natural (2 before 10)"},
    {"expect-children", 0, KIND_NUMBER, AT(expect_children), NOT_FINALIZE, .minimum = 1, .maximum = UINT64_MAX,
     .argument = "N", .help = "another number is an error; --expect-queries FILE"},
    {"expect-queries", 0, KIND_TEXT, AT(expect_queries), NOT_FINALIZE, .argument = "FILE"},
    {"salvage", 0, KIND_FLAG, AT(salvage), MERGE_ONLY, NOT_FINALIZE, .minimum = 1},
    {"threads", 't', KIND_NUMBER, AT(n_threads), .maximum = 64, .argument = "N",
     .help = "1 to 64; 0 (default): one a processor, at most 8"},
    [ROW_LEVEL] = {"level", 0, KIND_NUMBER, AT(level), MERGE_ONLY, .minimum = 1, .maximum = 9, .argument = "N",
     .help = "compress afresh at level 1 to 9; also -1 to -9"},
    {"plain", 0, KIND_FLAG, AT(plain), MERGE_ONLY, NOT_FINALIZE, .minimum = 1,
     .help = "write the result uncompressed"},
    {"memory", 0, KIND_NUMBER, AT(memory), .minimum = 1, .maximum = 1048576, .argument = "N",
     .help = "MiB for remote work (64); --endpoint URL: the store"},
    {"endpoint", 0, KIND_TEXT, AT(endpoint), .argument = "URL"},
    {"report", 0, KIND_TEXT, AT(report), NOT_FINALIZE, .argument = "FILE",
     .help = "write a report (JSON) to FILE"},
    {"strict", 0, KIND_FLAG, AT(strict), .finalize_only = true, .minimum = 1},
    {"quiet", 'q', KIND_FLAG, AT(quiet), .minimum = 1,
     .help = "no warnings, no progress; -v, --verbose: say more"},
    {"verbose", 'v', KIND_FLAG, AT(verbose), .minimum = 1},
    {"progress", 0, KIND_FLAG, AT(progress), .minimum = TOOL_PROGRESS_ALWAYS,
     .help = "always show progress; --no-progress: never"},
    {"no-progress", 0, KIND_FLAG, AT(progress), .minimum = TOOL_PROGRESS_NEVER},
    {"help", 'h', KIND_HELP, .help = "show this help; -V, --version: version, libraries"},
    {"version", 'V', KIND_VERSION, .help = NULL},
};
/* clang-format on */
#define N_ROWS (sizeof rows / sizeof rows[0])

static const struct {
    const char *name;
    enum blastmerge_status (*run)(const struct tool_options *options);
} commands[] = {{"merge", tool_merge}, {"check", tool_check}, {"finalize", tool_finalize}};

/* Added to a row's number, it is what getopt_long() returns for it; above every letter. */
#define ROW_CODE 0x100

/* What getopt_long() needs beside the table. */
struct parser {
    struct option long_options[N_ROWS + 1];
    char letters[2 * N_ROWS + 16];
    const struct row *merge_only; /* one was given */
    const struct row *not_finalize;
    const struct row *finalize_only;
    bool operand_seen;
};

/* --- --help and --version ------------------------------------------------------------------------ */

static enum blastmerge_status show_help(const struct tool_options *options) {
    (void)options;
    (void)printf("Usage: blastmerge [OPTION]... CHILD...        merge BLAST XML files into one\n"
                 "       blastmerge check [OPTION]... CHILD...  read and check them, write nothing\n"
                 "       blastmerge finalize [--strict] JOB     a parent job: see blastmerge(1)\n"
                 "A CHILD is a file, - (standard input), or remote: az://, s3://, gs://, https://.\n");
    for (const struct row *row = rows; row < rows + N_ROWS; row++) {
        if (row->help == NULL) continue;
        char names[32];
        (void)snprintf(names, sizeof names, "%c%c%c --%s %s", row->letter ? '-' : ' ',
                       row->letter ? row->letter : ' ', row->letter ? ',' : ' ', row->name,
                       row->argument != NULL ? row->argument : "");
        (void)printf("  %-24s  %s\n", names, row->help);
    }
    return tool_flush_output();
}

static enum blastmerge_status show_version(const struct tool_options *options) {
    (void)options;
    (void)printf("blastmerge %s\n%s\n", blastmerge_version(), blastmerge_features());
    return tool_flush_output();
}

/* --- values -------------------------------------------------------------------------------------- */

/* Digits and nothing else. */
static bool parse_number(const char *text, uint64_t *number) {
    if (text[0] < '0' || text[0] > '9') return false;
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    *number = value;
    return errno == 0 && *end == '\0';
}

static enum blastmerge_status store_number(const struct row *row, const char *text, uint64_t *value) {
    uint64_t number;
    if (parse_number(text, &number) && number >= row->minimum && number <= row->maximum) {
        *value = number;
        return BLASTMERGE_OK;
    }
    if (row->maximum == UINT64_MAX)
        return tool_fail(BLASTMERGE_USAGE, "--%s takes a number from %llu on, not '%s'", row->name,
                         (unsigned long long)row->minimum, text);
    return tool_fail(BLASTMERGE_USAGE, "--%s takes a number from %llu to %llu, not '%s'", row->name,
                     (unsigned long long)row->minimum, (unsigned long long)row->maximum, text);
}

static enum blastmerge_status store_choice(const struct row *row, const char *text, uint64_t *value) {
    size_t n_bytes = strlen(text);
    uint64_t place = row->minimum;
    for (const char *word = row->words; *word != '\0'; place++) {
        size_t n_word = strcspn(word, "|");
        if (n_word == n_bytes && memcmp(word, text, n_bytes) == 0) {
            *value = place;
            return BLASTMERGE_OK;
        }
        word += n_word + (word[n_word] == '|');
    }
    return tool_fail(BLASTMERGE_USAGE, "--%s takes %s, not '%s'", row->name, row->words, text);
}

static enum blastmerge_status store_text(const struct row *row, const char *text, const char **value) {
    if (text[0] == '\0' && strcmp(row->argument, "FILE") == 0)
        return tool_fail(BLASTMERGE_USAGE, "--%s takes a file, and its name is empty", row->name);
    *value = text;
    return BLASTMERGE_OK;
}

static enum blastmerge_status add_source(struct tool_options *options, const char *name, bool is_list) {
    if (name[0] == '\0')
        return tool_fail(BLASTMERGE_USAGE, "the name of a %s is empty", is_list ? "list" : "child");
    options->sources[options->n_sources++] = (struct tool_source){name, is_list};
    return BLASTMERGE_OK;
}

static enum blastmerge_status store(struct tool_options *options, const struct row *row, const char *text) {
    char *place = (char *)options + row->offset;
    switch (row->kind) {
    case KIND_FLAG:
        *(uint64_t *)(void *)place = row->minimum;
        return BLASTMERGE_OK;
    case KIND_TEXT:
        return store_text(row, text, (const char **)(void *)place);
    case KIND_NUMBER:
        return store_number(row, text, (uint64_t *)(void *)place);
    case KIND_CHOICE:
        return store_choice(row, text, (uint64_t *)(void *)place);
    case KIND_LIST:
        return add_source(options, text, true);
    case KIND_HELP:
        options->run = show_help;
        return BLASTMERGE_OK;
    case KIND_VERSION:
        options->run = show_version;
        return BLASTMERGE_OK;
    }
    return BLASTMERGE_INTERNAL;
}

/* --- the command line ---------------------------------------------------------------------------- */

static void make_parser(struct parser *parser) {
    *parser = (struct parser){0};
    /* "-": operands come in their order among the options; ":": a missing argument is told apart. */
    char *letter = stpcpy(parser->letters, "-:123456789");
    for (size_t i = 0; i < N_ROWS; i++) {
        bool takes = rows[i].argument != NULL;
        parser->long_options[i] = (struct option){.name = rows[i].name,
                                                  .has_arg = takes ? required_argument : no_argument,
                                                  .val = ROW_CODE + (int)i};
        if (rows[i].letter == 0) continue;
        *letter++ = (char)rows[i].letter;
        if (takes) *letter++ = ':';
    }
}

static const struct row *find_row(int code) {
    for (size_t i = 0; i < N_ROWS; i++)
        if (code == ROW_CODE + (int)i || (code != 0 && code == rows[i].letter)) return &rows[i];
    return NULL;
}

/* The first operand may be a command. */
static enum blastmerge_status take_operand(struct tool_options *options, struct parser *parser,
                                           const char *operand) {
    bool first = !parser->operand_seen;
    parser->operand_seen = true;
    for (size_t i = 0; first && i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(operand, commands[i].name) != 0) continue;
        options->run = commands[i].run;
        return BLASTMERGE_OK;
    }
    return add_source(options, operand, false);
}

/* getopt_long() returned '?' or ':'; word is what it was looking at. */
static enum blastmerge_status refuse(int code, const char *word) {
    const struct row *row = find_row(optopt);
    if (row != NULL && code == ':')
        return tool_fail(BLASTMERGE_USAGE, "--%s takes %s %s, and none is given", row->name,
                         strcmp(row->argument, "N") == 0 ? "a number" : "a value", row->argument);
    if (row != NULL) return tool_fail(BLASTMERGE_USAGE, "--%s takes no value", row->name);
    if (optopt != 0)
        return tool_fail(BLASTMERGE_USAGE, "there is no option '-%c'; blastmerge --help shows what there is",
                         optopt);
    return tool_fail(BLASTMERGE_USAGE,
                     "there is no option '%s', or several that begin so; "
                     "blastmerge --help shows what there is",
                     word);
}

static enum blastmerge_status take(struct tool_options *options, struct parser *parser, int code,
                                   const char *word) {
    if (code == 1) return take_operand(options, parser, optarg);
    if (code == '?' || code == ':') return refuse(code, word);
    const char digit[] = {(char)code, '\0'};
    bool is_level = code >= '1' && code <= '9';
    const struct row *row = is_level ? &rows[ROW_LEVEL] : find_row(code);
    if (row->merge_only) parser->merge_only = row;
    if (row->not_finalize) parser->not_finalize = row;
    if (row->finalize_only) parser->finalize_only = row;
    return store(options, row, is_level ? digit : optarg);
}

static enum blastmerge_status check_finalize(const struct tool_options *options,
                                             const struct parser *parser) {
    if (options->run != tool_finalize) {
        if (parser->finalize_only == NULL) return BLASTMERGE_OK;
        return tool_fail(BLASTMERGE_USAGE, "--%s makes sense only with finalize",
                         parser->finalize_only->name);
    }
    if (parser->not_finalize != NULL)
        return tool_fail(BLASTMERGE_USAGE,
                         "finalize takes what is merged, and its place, from the job: "
                         "--%s makes no sense with it",
                         parser->not_finalize->name);
    if (options->n_sources == 1) return BLASTMERGE_OK;
    return tool_fail(BLASTMERGE_USAGE, "finalize takes one job, as in 'blastmerge finalize JOB.json'");
}

/* What an unsplit run would write is settled. */
static enum blastmerge_status check_unsplit(const struct tool_options *options) {
    const char *other = options->database != NULL                                    ? "--db"
                        : options->query_ids == 1 + BLASTMERGE_QUERY_IDS_KEEP        ? "--query-ids keep"
                        : options->invalid_utf8 == 1 + BLASTMERGE_INVALID_UTF8_ERROR ? "--invalid-utf8 error"
                        : options->invalid_utf8 == 1 + BLASTMERGE_INVALID_UTF8_LATIN1
                            ? "--invalid-utf8 latin1"
                            : NULL;
    if (other == NULL) return BLASTMERGE_OK;
    return tool_fail(BLASTMERGE_USAGE,
                     "--as-unsplit and %s contradict each other: an unsplit run would not write that", other);
}

/* What makes no sense only as a whole. */
static enum blastmerge_status check_whole(const struct tool_options *options, const struct parser *parser) {
    size_t n_lists = 0;
    for (size_t i = 0; i < options->n_sources; i++) n_lists += options->sources[i].is_list;
    if (check_finalize(options, parser) != BLASTMERGE_OK) return BLASTMERGE_USAGE;
    if (options->n_sources == 0)
        return tool_fail(BLASTMERGE_USAGE,
                         "no children are given: name the files to merge in their order, as in "
                         "'blastmerge -o merged.xml.gz batch_*.xml.gz'; "
                         "blastmerge --help shows more");
    if (options->run == tool_check && parser->merge_only != NULL)
        return tool_fail(BLASTMERGE_USAGE, "check writes no result: --%s makes no sense with it",
                         parser->merge_only->name);
    if (options->database != NULL && options->keep_database)
        return tool_fail(BLASTMERGE_USAGE, "--db and --keep-db contradict each other: give one of them");
    if (options->as_unsplit && check_unsplit(options) != BLASTMERGE_OK) return BLASTMERGE_USAGE;
    if (options->null_separated && n_lists == 0)
        return tool_fail(BLASTMERGE_USAGE, "--null is about the list of --files-from: give that, too");
    return BLASTMERGE_OK;
}

enum blastmerge_status tool_options_parse(struct tool_options *options, int argc, char **argv) {
    struct parser parser;
    make_parser(&parser);
    *options = (struct tool_options){.run = tool_merge};
    options->sources = calloc((size_t)argc + 1, sizeof *options->sources);
    if (options->sources == NULL) return tool_fail(BLASTMERGE_NO_MEMORY, "out of memory");

    enum blastmerge_status status = BLASTMERGE_OK;
    opterr = 0;
    while (status == BLASTMERGE_OK && optind < argc) {
        const char *word = argv[optind];
        int code = getopt_long(argc, argv, parser.letters, parser.long_options, NULL);
        if (code == -1) break;
        status = take(options, &parser, code, word);
        if (options->run == show_help || options->run == show_version) return status;
    }
    while (status == BLASTMERGE_OK && optind < argc) status = add_source(options, argv[optind++], false);
    return status == BLASTMERGE_OK ? check_whole(options, &parser) : status;
}

void tool_options_close(struct tool_options *options) {
    free(options->sources);
    options->sources = NULL;
}
