/* SPDX-License-Identifier: MIT */
/*
 * options - what the files of the command line share: the table of options (options.c) makes the parser and
 * the help (help.c); hints.c knows words that people bring from other programs.
 */
#ifndef TOOL_OPTIONS_H
#define TOOL_OPTIONS_H

#include "tool.h"

enum tool_kind {
    TOOL_FLAG,   /* takes nothing, stores minimum */
    TOOL_TEXT,   /* takes a string */
    TOOL_NUMBER, /* takes minimum to maximum */
    TOOL_SIZE,   /* takes a number of MiB, or one with K, M, G or T; stores bytes */
    TOOL_CHOICE, /* takes one of words, stores its place in them plus minimum */
    TOOL_LIST,   /* takes the name of a list of children */
    TOOL_HELP,
    TOOL_VERSION
};

/* Commands, as bits. */
enum {
    TOOL_MERGE = 1,
    TOOL_CHECK = 2,
    TOOL_FINALIZE = 4,
    TOOL_SHARDS = 8,
    TOOL_COUNT = 16,
    TOOL_PLAN = 32,
    TOOL_PART = 64,
    TOOL_JOIN = 128,
    TOOL_INDEX = 256,
    TOOL_GET = 512
};

struct tool_row {
    const char *name;
    int letter; /* the short name, or 0 */
    enum tool_kind kind;
    unsigned commands; /* that accept it ... */
    unsigned silent;   /* ... and those of them whose help does not list it, since it changes nothing there */
    size_t offset;     /* of the value in struct tool_options */
    uint64_t minimum;
    uint64_t maximum;
    const char *words;    /* "error|warn|ignore" */
    const char *argument; /* as the help calls it; NULL: it takes none */
    bool is_common;       /* the overview shows it */
    bool is_once;         /* a list: of two, the first would be lost */
    const char *help;
};

extern const struct tool_row tool_rows[];
extern const size_t tool_n_rows;

struct tool_command {
    const char *name;
    unsigned bit; /* 0: help, version */
    enum blastmerge_status (*run)(const struct tool_options *options);
};

extern const struct tool_command tool_commands[];
extern const size_t tool_n_commands;

/* Shows the overview, or the options of a command. */
enum blastmerge_status tool_help(const struct tool_command *command);
enum blastmerge_status tool_version(void);

/*
 * Refuses a word of the command line that getopt_long() would misread: "-out FILE", which is BLAST's
 * spelling, is
 * "-o ut" to it. BLASTMERGE_OK: the word is fine. It says what to write instead.
 */
enum blastmerge_status tool_refuse_foreign(const char *word);

/* Refuses a first operand that looks like a mistyped command and names no file. */
enum blastmerge_status tool_refuse_near_command(const char *operand);

/* The long option that is most like the word (without dashes), or NULL. */
const char *tool_nearest_option(const char *word);

#endif
