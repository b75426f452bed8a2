/* SPDX-License-Identifier: MIT */
/*
 * One row per option holds everything about it: its names, what it takes, where the value goes, the commands
 * that accept it, and its line of help. The tables of getopt_long() are made from it.
 */
#include "options.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define AT(field) .offset = offsetof(struct tool_options, field)
#define M         TOOL_MERGE
#define C         TOOL_CHECK
#define F         TOOL_FINALIZE
#define S         TOOL_SHARDS
#define N         TOOL_COUNT
#define L         TOOL_PLAN
#define P         TOOL_PART
#define J         TOOL_JOIN
#define X         TOOL_INDEX
#define G         TOOL_GET

/* clang-format off */
const struct tool_row tool_rows[] = {
    {"output", 'o', TOOL_TEXT, M | S | N | L | P | J | G, AT(output), .argument = "FILE", .is_common = true,
     .help = "write the result to FILE, not to standard output"},
    {"force", 'f', TOOL_FLAG, M | C | S | N | L | P | J | X | G, AT(force), .minimum = 1, .is_common = true,
     .help = "replace FILE if it exists"},
    {"files-from", 0, TOOL_LIST, M | C | S | L | J, .argument = "FILE", .is_common = true,
     .help = "read a list of children from FILE, one a line"},
    {"null", 0, TOOL_FLAG, M | C | S | L | J, AT(null_separated), .minimum = 1,
     .help = "names in the list end in NUL bytes"},
    {"db", 0, TOOL_TEXT, M | C | F | S | N | L, AT(database), .argument = "TEXT",
     .silent = N, .help = "the database name of the result"},
    {"keep-db", 0, TOOL_FLAG, M | F | N | L, AT(keep_database), .minimum = 1,
     .silent = N, .help = "keep the first child's database name"},
    {"as-unsplit", 0, TOOL_FLAG, M | C | F | N | L, AT(as_unsplit), .minimum = 1, .is_common = true,
     .help = "write byte for byte what an unsplit search writes"},
    {"query-ids", 0, TOOL_CHOICE, M | C | F | N | L, AT(query_ids), .words = "auto|keep|renumber", .argument = "HOW",
     .help = "Query_N, BLAST's own ids: auto, keep, renumber"},
    {"format", 0, TOOL_CHOICE, M | C | F | S | N | L | X, AT(format), .words = "auto|xml|xml2|json|commented|tabular|csv|archive", .argument = "NAME",
     .help = "xml, xml2, json, commented, tabular, csv, archive"},
    {"header", 0, TOOL_CHOICE, M | C | F | N | L, AT(header), .words = "once|keep|none", .argument = "HOW",
     .help = "rows of column names in tables: once, keep, none"},
    {"allow-empty", 0, TOOL_FLAG, M | C | F | S | N | L, AT(allow_empty), .minimum = 1,
     .help = "a child of no bytes counts as no queries"},
    {"mismatch", 0, TOOL_CHOICE, M | C | F | N | L, AT(mismatch), .words = "error|warn|ignore",
     .minimum = BLASTMERGE_MISMATCH_ERROR, .argument = "HOW",
     .silent = N, .help = "headers that differ: error, warn, ignore"},
    {"invalid-utf8", 0, TOOL_CHOICE, M | C | F | S | N | L, AT(invalid_utf8), .words = "error|latin1|keep", .minimum = 1, .argument = "HOW",
     .help = "bytes that are not UTF-8: error, latin1, keep"},
    {"forbidden-characters", 0, TOOL_CHOICE, M | C | F | N | L, AT(forbidden_characters), .words = "error|replace|keep", .minimum = 1,
     .argument = "HOW", .help = "what XML forbids: error, replace, keep"},
    {"sort", 0, TOOL_CHOICE, M | C | N | L, AT(sort), .words = "natural|none", .minimum = BLASTMERGE_SORT_NATURAL, .argument = "HOW",
     .is_common = true,
     .silent = N, .help = "natural: batch_2 before batch_10; none: as given"},
    {"expect-children", 0, TOOL_NUMBER, M | C | S | N | L, AT(expect_children), .minimum = 1, .maximum = UINT64_MAX, .argument = "N",
     .is_common = true, .silent = N, .help = "any other number of children is an error"},
    {"expect-queries", 0, TOOL_TEXT, M | C | S | N | L, AT(expect_queries), .argument = "FILE", .is_once = true,
     .help = "compare with the queries that were searched"},
    {"order-by-queries", 0, TOOL_FLAG, M | C, AT(order_by_queries), .minimum = 1,
     .help = "children in any order; needs --expect-queries"},
    {"missing", 0, TOOL_TEXT, M | C | N, AT(missing), .argument = "FILE",
     .help = "write the queries without an Iteration to FILE"},
    {"salvage", 0, TOOL_FLAG, M | N | L, AT(salvage), .minimum = 1, .is_common = true,
     .help = "merge what is whole of damaged children"},
    {"threads", 't', TOOL_NUMBER, M | C | F | S | N | L | P | J | X | G, AT(n_threads), .maximum = 64, .argument = "N", .is_common = true,
     .help = "1 to 64; 0, the default: one per CPU, at most 8"},
    {"level", 0, TOOL_NUMBER, M | F | S | G, AT(level), .minimum = 1, .maximum = 9, .argument = "N",
     .help = "compress again at level 1 to 9; also -1 to -9"},
    {"plain", 0, TOOL_FLAG, M | S | G, AT(form), .minimum = 1 + BLASTMERGE_FORM_PLAIN,
     .help = "text, as for .xml .json .tsv .csv .txt .tab .asn"},
    {"gzip", 0, TOOL_FLAG, M | S | G, AT(form), .minimum = 1 + BLASTMERGE_FORM_GZIP,
     .help = "write gzip, as for .gz and all other names"},
    {"bgzf", 0, TOOL_FLAG, M | S | G, AT(form), .minimum = 1 + BLASTMERGE_FORM_BGZF,
     .help = "write blocked gzip (BGZF), as for .bgz"},
    {"memory", 0, TOOL_SIZE, M | C | F | S | N | L | P | J | G, AT(memory), .argument = "N",
     .help = "memory: MiB, or with K, M, G (remote: 64M)"},
    {"temp-limit", 0, TOOL_SIZE, M | C | F, AT(temp_limit), .argument = "N",
     .help = "temporary files: MiB, or with K, M, G (1G)"},
    {"endpoint", 0, TOOL_TEXT, M | C | F | S | N | L | P | J | G, AT(endpoint), .argument = "URL",
     .help = "address of the object store"},
    {"report", 0, TOOL_TEXT, M | C | S | N | P | G, AT(report), .argument = "FILE", .is_common = true,
     .help = "write a report (JSON) to FILE"},
    {"html", 0, TOOL_TEXT, M | C | F | S, AT(html), .argument = "FILE",
     .help = "write a page about it all (HTML) to FILE"},
    {"plan", 0, TOOL_TEXT, S | P | J, AT(plan), .argument = "FILE",
     .help = "the plan, which 'blastmerge plan' has made"},
    {"number", 0, TOOL_NUMBER, S | P, AT(number), .minimum = 1, .maximum = UINT64_MAX, .argument = "N",
     .help = "the part to make; else the array task's"},
    {"strict", 0, TOOL_FLAG, F, AT(strict), .minimum = 1,
     .help = "a wrong count in a child's report is an error"},
    {"max-target-seqs", 0, TOOL_NUMBER, S, AT(max_target_seqs), .minimum = 1, .maximum = UINT64_MAX, .argument = "N",
     .help = "as the searches had it (500)"},
    {"window", 0, TOOL_FLAG, S, AT(window), .minimum = 1,
     .help = "the searches saw windows on the whole database"},
    {"round-robin", 0, TOOL_FLAG, S, AT(round_robin), .minimum = 1,
     .help = "sequence i is in shard i modulo their number"},
    {"sizes", 0, TOOL_TEXT, S, AT(sizes), .argument = "N,N,...", .is_once = true,
     .help = "sequences in each shard's part of the database"},
    {"order", 0, TOOL_TEXT, S, AT(order), .argument = "FILE", .is_once = true,
     .help = "the subjects in database order, where hits tie"},
    {"order-descending", 0, TOOL_FLAG, S, AT(order_descending), .minimum = 1,
     .help = "that FILE begins with the last subject"},
    {"columns", 0, TOOL_TEXT, S, AT(columns), .argument = "SPEC",
     .help = "of tables, as -outfmt had them: \"std score\""},
    {"drop-columns", 0, TOOL_NUMBER, S, AT(drop_columns), .minimum = 1, .maximum = 1000, .argument = "N",
     .help = "the last N columns do not get into the result"},
    {"recompute", 0, TOOL_FLAG, S, AT(recompute), .minimum = 1,
     .help = "compute E-values again, of searches of parts alone"},
    {"evalue", 0, TOOL_TEXT, S, AT(evalue), .argument = "E",
     .help = "with that: leave out what is larger (the header's)"},
    {"alias-parts", 0, TOOL_FLAG, S, AT(alias_parts), .minimum = 1,
     .help = "write alias files for parts of a database"},
    {"alias", 0, TOOL_NUMBER, S, AT(alias), .minimum = 1, .maximum = 65536, .argument = "K",
     .help = "write alias files for K windows on a database"},
    {"shards", 0, TOOL_NUMBER, S, AT(n_shards), .minimum = 1, .maximum = 65536, .argument = "N",
     .help = "queries are split, too: N shards, then N more"},
    {"count", 0, TOOL_FLAG, S, AT(count), .minimum = 1,
     .help = "write the batch's tally, for a merge in parts"},
    {"index", 0, TOOL_FLAG, M | S, AT(index), .minimum = 1,
     .help = "write an index of the result, too: see index, get"},
    {"index-file", 0, TOOL_TEXT, X | G, AT(index_file), .argument = "FILE",
     .help = "the index, if it is not beside the result"},
    {"restart-distance", 0, TOOL_SIZE, X, AT(restart_distance), .argument = "N",
     .help = "text between places to read from: MiB (4), or 256K"},
    {"definitions", 0, TOOL_FLAG, X, AT(definitions), .minimum = 1,
     .help = "keep whole definitions of queries in the index"},
    {"numbers", 0, TOOL_TEXT, G, AT(numbers), .argument = "LIST", .is_once = true,
     .help = "Iterations by place: 17, 5-8, 20-, or several"},
    {"from", 0, TOOL_TEXT, G, AT(from), .argument = "FILE", .is_once = true,
     .help = "read the queries from FILE: one a line, or FASTA"},
    {"renumber", 0, TOOL_FLAG, G, AT(renumber), .minimum = 1,
     .help = "count Iterations and ids Query_N from 1"},
    {"quiet", 'q', TOOL_FLAG, M | C | F | S | N | L | P | J | X | G, AT(quiet), .minimum = 1, .is_common = true,
     .help = "no warnings, no progress"},
    {"verbose", 'v', TOOL_FLAG, M | C | F | S | N | L | P | J | X | G, AT(verbose), .minimum = 1, .is_common = true,
     .help = "report at the end what was done"},
    {"progress", 0, TOOL_FLAG, M | C | F | S | N | L | P | J | X | G, AT(progress), .minimum = TOOL_PROGRESS_ALWAYS,
     .help = "always show progress"},
    {"no-progress", 0, TOOL_FLAG, M | C | F | S | N | L | P | J | X | G, AT(progress), .minimum = TOOL_PROGRESS_NEVER,
     .help = "never show progress"},
    {"help", 'h', TOOL_HELP, M | C | F | S | N | L | P | J | X | G, .is_common = true, .help = "show the options of a command"},
    {"version", 'V', TOOL_VERSION, M | C | F | S | N | L | P | J | X | G, .is_common = true, .help = "show the version and the libraries in use"},
};
/* clang-format on */
const size_t tool_n_rows = sizeof tool_rows / sizeof tool_rows[0];
#define N_ROWS (sizeof tool_rows / sizeof tool_rows[0])

const struct tool_command tool_commands[] = {
    {"merge", TOOL_MERGE, tool_merge},
    {"check", TOOL_CHECK, tool_check},
    {"finalize", TOOL_FINALIZE, tool_finalize},
    {"shards", TOOL_SHARDS, tool_shards},
    {"count", TOOL_COUNT, tool_count},
    {"plan", TOOL_PLAN, tool_plan},
    {"part", TOOL_PART, tool_part},
    {"join", TOOL_JOIN, tool_join},
    {"index", TOOL_INDEX, tool_index},
    {"get", TOOL_GET, tool_get},
    {"help", 0, NULL},
    {"version", 0, NULL},
};
const size_t tool_n_commands = sizeof tool_commands / sizeof tool_commands[0];

/* Added to a row's number, it is what getopt_long() returns for it; above every letter. */
#define ROW_CODE 0x100

/* What getopt_long() needs beside the table. */
struct parser {
    struct option long_options[N_ROWS + 1];
    char letters[2 * N_ROWS + 16];
    const struct tool_row *refused_by[10]; /* by each command: the last option that it refuses */
    const struct tool_command *command;
    bool wants_help;
    bool wants_version;
    bool operand_seen;
};

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

static enum blastmerge_status store_number(const struct tool_row *row, const char *text, uint64_t *value) {
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

/* "64" is MiB; K, M, G and T are powers of 1024 bytes. */
static enum blastmerge_status store_size(const struct tool_row *row, const char *text, uint64_t *value) {
    static const char units[] = "KMGT";
    static const uint64_t most = (uint64_t)1 << 40;
    char *end = NULL;
    errno = 0;
    unsigned long long number = isdigit((unsigned char)text[0]) ? strtoull(text, &end, 10) : 0;
    const char *unit = number > 0 && *end != '\0' ? strchr(units, toupper((unsigned char)*end)) : units + 1;
    bool ends = number > 0 && (*end == '\0' || end[1] == '\0');
    if (errno == 0 && ends && unit != NULL) {
        unsigned shift = 10 * (unsigned)(unit - units + 1);
        if (number <= most >> shift) {
            *value = (uint64_t)number << shift;
            return BLASTMERGE_OK;
        }
    }
    return tool_fail(BLASTMERGE_USAGE,
                     "--%s takes a number of MiB, or one with K, M, G or T, from 1K to 1T, not '%s'",
                     row->name, text);
}

static enum blastmerge_status store_choice(const struct tool_row *row, const char *text, uint64_t *value) {
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

static enum blastmerge_status store_text(const struct tool_row *row, const char *text, const char **value) {
    if (text[0] == '\0' && strcmp(row->argument, "FILE") == 0)
        return tool_fail(BLASTMERGE_USAGE, "--%s takes a file, and its name is empty", row->name);
    if (row->is_once && *value != NULL)
        return tool_fail(BLASTMERGE_USAGE, "--%s is given twice: put all into one list", row->name);
    *value = text;
    return BLASTMERGE_OK;
}

static enum blastmerge_status add_source(struct tool_options *options, const char *name, bool is_list) {
    if (name[0] == '\0')
        return tool_fail(BLASTMERGE_USAGE, "the name of a %s is empty", is_list ? "list" : "child");
    options->sources[options->n_sources++] = (struct tool_source){name, is_list};
    return BLASTMERGE_OK;
}

static enum blastmerge_status store(struct tool_options *options, struct parser *parser,
                                    const struct tool_row *row, const char *text) {
    char *place = (char *)options + row->offset;
    switch (row->kind) {
    case TOOL_FLAG:
        *(uint64_t *)(void *)place = row->minimum;
        return BLASTMERGE_OK;
    case TOOL_TEXT:
        return store_text(row, text, (const char **)(void *)place);
    case TOOL_NUMBER:
        return store_number(row, text, (uint64_t *)(void *)place);
    case TOOL_SIZE:
        return store_size(row, text, (uint64_t *)(void *)place);
    case TOOL_CHOICE:
        return store_choice(row, text, (uint64_t *)(void *)place);
    case TOOL_LIST:
        return add_source(options, text, true);
    case TOOL_HELP:
        parser->wants_help = true;
        return BLASTMERGE_OK;
    case TOOL_VERSION:
        parser->wants_version = true;
        return BLASTMERGE_OK;
    }
    return BLASTMERGE_INTERNAL;
}

/* --- the command line ---------------------------------------------------------------------------- */

static void make_parser(struct parser *parser) {
    *parser = (struct parser){.command = &tool_commands[0]};
    /* "-": operands come in their order among the options; ":": a missing argument is told apart. */
    char *letter = stpcpy(parser->letters, "-:123456789");
    for (size_t i = 0; i < N_ROWS; i++) {
        bool takes = tool_rows[i].argument != NULL;
        parser->long_options[i] = (struct option){.name = tool_rows[i].name,
                                                  .has_arg = takes ? required_argument : no_argument,
                                                  .val = ROW_CODE + (int)i};
        if (tool_rows[i].letter == 0) continue;
        *letter++ = (char)tool_rows[i].letter;
        if (takes) *letter++ = ':';
    }
}

/* Whether each letter of a word is a flag of its own: "-of FILE" names the file "f". */
static bool has_only_flags(const char *word) {
    for (; *word != '\0'; word++) {
        size_t i = 0;
        while (i < N_ROWS && (tool_rows[i].letter != *word || tool_rows[i].argument != NULL)) i++;
        if (i == N_ROWS) return false;
    }
    return true;
}

/* The row of what getopt_long() returned; -1 to -9 are --level's. */
static const struct tool_row *find_row(int code) {
    bool is_level = code >= '1' && code <= '9';
    for (size_t i = 0; i < N_ROWS; i++)
        if (is_level ? strcmp(tool_rows[i].name, "level") == 0
                     : code == ROW_CODE + (int)i || (code != 0 && code == tool_rows[i].letter))
            return &tool_rows[i];
    return NULL;
}

static const struct tool_command *find_command(const char *name) {
    for (size_t i = 0; i < tool_n_commands; i++)
        if (strcmp(name, tool_commands[i].name) == 0) return &tool_commands[i];
    return NULL;
}

/* The first operand may be a command. */
static enum blastmerge_status take_operand(struct tool_options *options, struct parser *parser,
                                           const char *operand) {
    bool is_first = !parser->operand_seen;
    const struct tool_command *command = is_first ? find_command(operand) : NULL;
    parser->operand_seen = true;
    if (command != NULL) {
        parser->command = command;
        parser->wants_version = parser->wants_version || strcmp(command->name, "version") == 0;
        return BLASTMERGE_OK;
    }
    if (is_first && tool_refuse_near_command(operand) != BLASTMERGE_OK) return BLASTMERGE_USAGE;
    bool is_query = parser->command->bit == TOOL_GET && options->n_sources > 0;
    if (options->n_sources > 0 && !is_query && parser->command->bit != 0 && find_command(operand) != NULL &&
        access(operand, F_OK) != 0)
        return tool_fail(BLASTMERGE_USAGE,
                         "there is no file '%s', and a command comes first: blastmerge %s ...", operand,
                         operand);
    return add_source(options, operand, false);
}

/* getopt_long() returned '?' or ':'; word is what it was looking at. */
static enum blastmerge_status refuse(int code, const char *word) {
    const struct tool_row *row = find_row(optopt);
    if (row != NULL && code == ':')
        return tool_fail(BLASTMERGE_USAGE, "--%s takes %s %s, and none is given", row->name,
                         strcmp(row->argument, "N") == 0 ? "a number" : "a value", row->argument);
    if (row != NULL) return tool_fail(BLASTMERGE_USAGE, "--%s takes no value", row->name);
    if (optopt != 0)
        return tool_fail(BLASTMERGE_USAGE, "there is no option '-%c'; blastmerge --help shows the options",
                         optopt);
    int n_word = (int)strcspn(word, "="); /* what is given to it may be secret */
    const char *near = strncmp(word, "--", 2) == 0 ? tool_nearest_option(word + 2) : NULL;
    if (near != NULL)
        return tool_fail(BLASTMERGE_USAGE, "there is no option '%.*s': is --%s meant?", n_word, word, near);
    return tool_fail(BLASTMERGE_USAGE,
                     "there is no option '%.*s', or several begin so; blastmerge --help shows the options",
                     n_word, word);
}

static enum blastmerge_status take(struct tool_options *options, struct parser *parser, int code,
                                   const char *word) {
    if (code == 1) return take_operand(options, parser, optarg);
    if (code == '?' || code == ':') return refuse(code, word);
    const char digit[] = {(char)code, '\0'};
    bool is_level = code >= '1' && code <= '9';
    const struct tool_row *row = find_row(code);
    bool is_short = code < ROW_CODE && !is_level && word[0] == '-' && word[1] != '-';
    bool is_attached = is_short && row->argument != NULL && optarg > word && optarg <= word + strlen(word);
    if (is_attached && optarg[0] == '=')
        return tool_fail(BLASTMERGE_USAGE, "-%c takes no '=' before its value: write -%c %s or --%s=%s", code,
                         code, row->argument, row->name, row->argument);
    if (is_attached && row->kind == TOOL_TEXT && has_only_flags(optarg))
        return tool_fail(BLASTMERGE_USAGE, "%s: '%s' would be the value of -%c: write -%s -%c %s", word,
                         optarg, code, optarg, code, row->argument);
    for (unsigned i = 0; i < sizeof parser->refused_by / sizeof parser->refused_by[0]; i++)
        if ((row->commands & 1U << i) == 0) parser->refused_by[i] = row;
    return store(options, parser, row, is_level ? digit : optarg);
}

/* Refuses options that make no sense with the command. */
static enum blastmerge_status check_command(const struct parser *parser) {
    const struct tool_row *row = parser->refused_by[parser->command - tool_commands];
    if (row == NULL) return BLASTMERGE_OK;
    if (row->commands == TOOL_FINALIZE)
        return tool_fail(BLASTMERGE_USAGE, "--%s is an option of finalize only", row->name);
    if (row->commands == TOOL_SHARDS)
        return tool_fail(BLASTMERGE_USAGE, "--%s is an option of shards only", row->name);
    if (parser->command->bit == TOOL_SHARDS)
        return tool_fail(
            BLASTMERGE_USAGE,
            "shards writes what one search writes, of shards in database order, and does not accept --%s",
            row->name);
    if (row->commands == (TOOL_SHARDS | TOOL_PART))
        return tool_fail(BLASTMERGE_USAGE, "--%s is an option of part and shards only", row->name);
    if (parser->command->bit >= TOOL_COUNT)
        return tool_fail(BLASTMERGE_USAGE,
                         "%s does not accept --%s; 'blastmerge %s --help' shows its options",
                         parser->command->name, row->name, parser->command->name);
    if (row->commands == (TOOL_SHARDS | TOOL_PART | TOOL_JOIN))
        return tool_fail(BLASTMERGE_USAGE, "--%s is an option of part, join and shards only", row->name);
    if ((row->commands & (TOOL_MERGE | TOOL_CHECK | TOOL_FINALIZE | TOOL_SHARDS)) == 0)
        return tool_fail(BLASTMERGE_USAGE, "%s does not accept --%s", parser->command->name, row->name);
    if (parser->command->bit == TOOL_CHECK)
        return tool_fail(BLASTMERGE_USAGE, "check writes no result and does not accept --%s", row->name);
    return tool_fail(BLASTMERGE_USAGE,
                     "finalize reads the children and places from the job and does not accept --%s",
                     row->name);
}

/* What an unsplit run would write is settled. */
static enum blastmerge_status check_unsplit(const struct tool_options *options) {
    const char *other =
        options->query_ids == BLASTMERGE_QUERY_IDS_KEEP                     ? "--query-ids keep"
        : options->invalid_utf8 == 1 + BLASTMERGE_INVALID_UTF8_ERROR        ? "--invalid-utf8 error"
        : options->invalid_utf8 == 1 + BLASTMERGE_INVALID_UTF8_LATIN1       ? "--invalid-utf8 latin1"
        : options->forbidden_characters == 1 + BLASTMERGE_FORBIDDEN_ERROR   ? "--forbidden-characters error"
        : options->forbidden_characters == 1 + BLASTMERGE_FORBIDDEN_REPLACE ? "--forbidden-characters replace"
                                                                            : NULL;
    if (other == NULL) return BLASTMERGE_OK;
    return tool_fail(BLASTMERGE_USAGE,
                     "--as-unsplit and %s contradict each other: an unsplit run does not write that", other);
}

/* Whether it has a value that the command line has set. */
static bool is_given(const struct tool_options *options, const struct tool_row *row) {
    const void *place = (const char *)options + row->offset;
    if (row->kind >= TOOL_LIST) return false;
    if (row->kind == TOOL_TEXT) return *(const char *const *)place != NULL;
    uint64_t value = *(const uint64_t *)place;
    return row->kind == TOOL_FLAG ? value == row->minimum : value != 0;
}

/* Alias files are written before anything is searched, so most of what shards takes says nothing about them. */
static enum blastmerge_status check_alias(const struct tool_options *options) {
    static const char *const taken[] = {"output", "force", "db",      "alias",    "alias-parts", "threads",
                                        "memory", "quiet", "verbose", "progress", "no-progress"};
    for (size_t i = 0; i < N_ROWS; i++) {
        const struct tool_row *row = &tool_rows[i];
        bool is_taken = (row->commands & TOOL_SHARDS) == 0 || !is_given(options, row);
        for (size_t k = 0; k < sizeof taken / sizeof taken[0]; k++)
            is_taken = is_taken || strcmp(taken[k], row->name) == 0;
        if (!is_taken)
            return tool_fail(
                BLASTMERGE_USAGE,
                "--%s is for results: --alias and --alias-parts write alias files, for searches that "
                "are still to come",
                row->name);
    }
    return BLASTMERGE_OK;
}

/* A batch of shards is counted, or is a part, or neither. */
static enum blastmerge_status check_batch(const struct tool_options *options) {
    if (options->alias_parts || options->alias > 0) return check_alias(options);
    if (options->count && options->plan != NULL)
        return tool_fail(BLASTMERGE_USAGE, "--count and --plan contradict each other: a batch of shards is "
                                           "counted first, and becomes a part of a plan later");
    const char *refused = options->index                                         ? "index"
                          : options->html != NULL                                ? "html"
                          : options->form == 1 + (uint64_t)BLASTMERGE_FORM_PLAIN ? "plain"
                          : options->form == 1 + (uint64_t)BLASTMERGE_FORM_BGZF  ? "bgzf"
                                                                                 : NULL;
    if ((options->count || options->plan != NULL) && refused != NULL)
        return tool_fail(BLASTMERGE_USAGE,
                         "--%s is for a result: neither a batch's tally nor its part takes it", refused);
    if (options->number > 0 && options->plan == NULL)
        return tool_fail(BLASTMERGE_USAGE, "--number is that of a part: give its plan, too (--plan FILE)");
    return BLASTMERGE_OK;
}

/* What the commands of a merge in parts take. */
static enum blastmerge_status check_operands(const struct tool_options *options) {
    if (options->run == tool_shards) return check_batch(options);
    if (options->run == tool_count && (options->n_sources != 1 || options->sources[0].is_list))
        return tool_fail(BLASTMERGE_USAGE,
                         "count takes one child, as in 'blastmerge count -o child_17.tally child_17.xml.gz'");
    if (options->run == tool_part && options->n_sources > 1)
        return tool_fail(BLASTMERGE_USAGE, "part takes one child at most: that of its number");
    if ((options->run == tool_part || options->run == tool_join) && options->plan == NULL)
        return tool_fail(BLASTMERGE_USAGE, "%s needs a plan: give --plan FILE",
                         options->run == tool_part ? "part" : "join");
    return BLASTMERGE_OK;
}

/* What is missing where no operand is given, in words that the command accepts. */
static const char *find_missing(const struct tool_options *options) {
    if (options->run == tool_plan)
        return "no tallies are given: name the files that 'blastmerge count' wrote, in the children's order";
    if (options->run == tool_join)
        return "no parts are given: name the files that 'blastmerge part' wrote, in any order";
    if (options->run == tool_index)
        return "no file is given to index, as in 'blastmerge index merged.xml.gz'";
    if (options->run == tool_get)
        return "no file is given to get queries from, as in 'blastmerge get merged.xml.gz P12345'";
    if (options->alias_parts)
        return "no parts of a database are given, as in 'blastmerge shards --alias-parts -o aliases part_0 "
               "part_1'";
    if (options->alias > 0) return "no database is given, as in 'blastmerge shards --alias 8 -o windows nt'";
    if (options->count || (options->run == tool_shards && options->plan != NULL))
        return "no shards are given: name the batch's results in the order of the database's parts";
    if (options->run == tool_shards)
        return "no shards are given: name the results in the order of the database's parts, as in "
               "'blastmerge shards -o merged.xml.gz shard_*.xml.gz'; blastmerge help shards shows more";
    if (options->run == tool_check)
        return "no children are given: name the files to check in their order, as in 'blastmerge check "
               "--sort natural batch_*.xml.gz', or - for standard input; blastmerge help check shows more";
    return "no children are given: name the files to merge in their order, as in 'blastmerge --sort natural "
           "-o merged.xml.gz batch_*.xml.gz', or - for standard input; blastmerge --help shows more";
}

/* What makes no sense only as a whole. */
static enum blastmerge_status check_whole(const struct tool_options *options, const struct parser *parser) {
    size_t n_lists = 0;
    for (size_t i = 0; i < options->n_sources; i++) n_lists += options->sources[i].is_list;
    if (check_command(parser) != BLASTMERGE_OK) return BLASTMERGE_USAGE;
    if (options->run == tool_finalize && options->n_sources != 1)
        return tool_fail(BLASTMERGE_USAGE, "finalize takes one job, as in 'blastmerge finalize JOB.json'");
    if (check_operands(options) != BLASTMERGE_OK) return BLASTMERGE_USAGE;
    if (options->n_sources == 0 && options->run != tool_part)
        return tool_fail(BLASTMERGE_USAGE, "%s", find_missing(options));
    if (options->database != NULL && options->keep_database)
        return tool_fail(BLASTMERGE_USAGE, "--db and --keep-db contradict each other: give one of them");
    if (options->as_unsplit && check_unsplit(options) != BLASTMERGE_OK) return BLASTMERGE_USAGE;
    if (options->null_separated && n_lists == 0)
        return tool_fail(BLASTMERGE_USAGE, "--null needs a list: give --files-from, too");
    return BLASTMERGE_OK;
}

/* "help COMMAND"; any other word is an error. */
static enum blastmerge_status show_help(const struct tool_options *options, const struct parser *parser) {
    if (strcmp(parser->command->name, "help") != 0 || options->n_sources == 0) {
        bool is_named = parser->operand_seen && parser->command->bit != 0;
        return tool_help(is_named ? parser->command : NULL);
    }
    const struct tool_command *topic = find_command(options->sources[0].name);
    if (topic != NULL && options->n_sources == 1) return tool_help(topic);
    return tool_fail(BLASTMERGE_USAGE,
                     "help takes one of the commands merge, check, finalize, shards, count, plan, part, "
                     "join, index, get, not '%s'",
                     options->sources[options->n_sources - 1].name);
}

enum blastmerge_status tool_options_parse(struct tool_options *options, bool *is_done, int argc,
                                          char **argv) {
    struct parser parser;
    make_parser(&parser);
    *is_done = false;
    *options = (struct tool_options){0};
    options->sources = calloc((size_t)argc + 1, sizeof *options->sources);
    if (options->sources == NULL) return tool_fail(BLASTMERGE_NO_MEMORY, "out of memory");

    enum blastmerge_status status = BLASTMERGE_OK;
    opterr = 0;
    while (status == BLASTMERGE_OK && optind < argc && !parser.wants_help && !parser.wants_version) {
        const char *word = argv[optind];
        if (tool_refuse_foreign(word) != BLASTMERGE_OK) return BLASTMERGE_USAGE;
        int code = getopt_long(argc, argv, parser.letters, parser.long_options, NULL);
        if (code == -1) break;
        status = take(options, &parser, code, word);
    }
    *is_done = parser.wants_help || parser.wants_version || parser.command->bit == 0;
    if (status == BLASTMERGE_OK && *is_done)
        return parser.wants_version ? tool_version() : show_help(options, &parser);
    while (status == BLASTMERGE_OK && optind < argc) status = add_source(options, argv[optind++], false);
    options->run = parser.command->run;
    return status == BLASTMERGE_OK ? check_whole(options, &parser) : status;
}

void tool_options_close(struct tool_options *options) {
    free(options->sources);
    options->sources = NULL;
}
