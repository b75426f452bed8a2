/* SPDX-License-Identifier: MIT */
/*
 * Alias files for the searches of shards: so that a search of a part of a database has the statistics of the whole.
 *
 * --alias-parts writes a stats alias for each part: STATS_NSEQ and STATS_TOTLEN are the sums of all. --alias K
 * writes K windows, FIRST_OID to LAST_OID, on one database. What a database holds is in the head of its index
 * (.pin, .nin) or in those of the volumes that its alias file (.pal, .nal) lists.
 */
#include "tool.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    NAME = 4096,
    TITLE = 1024,
    ALIAS = 1 << 20,
    MOST_DEPTH = 8,
    INDEX = 65536,
    MOST_NAME = 200,
    MOST_FOLDER = 3000
};

struct database {
    char kind; /* 'p' or 'n' */
    uint64_t n_sequences;
    uint64_t n_letters;
    char title[TITLE];
};

static enum blastmerge_status read_database(const char *name, int depth, struct database *database);

/* --- files ---------------------------------------------------------------------------------------- */

/* Reads up to `size` bytes. *n_bytes: -1 where the file is not there. */
static enum blastmerge_status read_file(const char *path, char *data, size_t size, ptrdiff_t *n_bytes) {
    *n_bytes = -1;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file == -1 && errno == ENOENT) return BLASTMERGE_OK;
    if (file == -1) return tool_fail_system(errno, "cannot open %s", path);
    size_t n = 0;
    ptrdiff_t n_read = 1;
    while (n < size && (n_read = tool_read(file, data + n, size - n)) > 0) n += (size_t)n_read;
    int error = errno;
    close(file);
    if (n_read < 0) return tool_fail_system(error, "cannot read %s", path);
    *n_bytes = (ptrdiff_t)n;
    return BLASTMERGE_OK;
}

/* --- an index -------------------------------------------------------------------------------------- */

static uint32_t number32(const unsigned char *bytes) {
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* Skips a string with its length before it; false: it goes beyond the end. */
static bool skip_string(const unsigned char *data, size_t n_bytes, size_t *at, const unsigned char **text,
                        size_t *n) {
    if (n_bytes - *at < 4) return false;
    *n = number32(data + *at);
    *text = data + *at + 4;
    if (*n > n_bytes - *at - 4) return false;
    *at += 4 + *n;
    return true;
}

/* Version 4: kind, title, date, sequences, letters. Version 5 has the volume before the title, and the name of another
 * file behind it. All numbers have their most significant byte first, but for the letters. */
static bool parse_index(const unsigned char *data, size_t n_bytes, struct database *database) {
    const unsigned char *title = NULL;
    const unsigned char *other = NULL;
    size_t n_title = 0;
    size_t n_other = 0;
    size_t at = 8;
    if (n_bytes < 12) return false;
    uint32_t version = number32(data);
    if (version != 4 && version != 5) return false;
    if (version == 5) at += 4;
    if (!skip_string(data, n_bytes, &at, &title, &n_title)) return false;
    if (version == 5 && !skip_string(data, n_bytes, &at, &other, &n_other)) return false;
    if (!skip_string(data, n_bytes, &at, &other, &n_other) || n_bytes - at < 12) return false;
    uint64_t n_letters = 0;
    for (int i = 7; i >= 0; i--) n_letters = n_letters << 8 | data[at + 4 + (size_t)i];
    if (database->title[0] == '\0') {
        size_t n = n_title < TITLE - 1 ? n_title : TITLE - 1;
        memcpy(database->title, title, n);
        database->title[n] = '\0';
        database->title[strcspn(database->title, "\r\n")] = '\0';
    }
    uint64_t n_sequences = number32(data + at);
    return !__builtin_add_overflow(database->n_sequences, n_sequences, &database->n_sequences) &&
           !__builtin_add_overflow(database->n_letters, n_letters, &database->n_letters);
}

/* --- an alias file ---------------------------------------------------------------------------------- */

/* The next name of a list, which may be in quotes; false: there is none. */
static bool next_name(const char **list, char *name) {
    const char *text = *list + strspn(*list, " \t");
    bool is_quoted = *text == '"';
    text += is_quoted;
    size_t n = strcspn(text, is_quoted ? "\"\r\n" : " \t\r\n");
    if (n == 0 || n >= NAME) return false;
    memcpy(name, text, n);
    name[n] = '\0';
    *list = text + n + (text[n] == '"');
    return true;
}

/* Names in an alias file are relative to its folder. */
static enum blastmerge_status read_list(const char *alias, const char *list, int depth,
                                        struct database *database) {
    char name[NAME];
    char path[2 * NAME];
    const char *slash = strrchr(alias, '/');
    int n_folder = slash != NULL ? (int)(slash - alias) + 1 : 0;
    while (next_name(&list, name)) {
        (void)snprintf(path, sizeof path, "%.*s%s", name[0] == '/' ? 0 : n_folder, alias, name);
        enum blastmerge_status status = read_database(path, depth + 1, database);
        if (status != BLASTMERGE_OK) return status;
    }
    return BLASTMERGE_OK;
}

/* Whether a line begins with the word. */
static bool has_word(const char *line, const char *word) {
    size_t n = strcspn(line, " \t\r\n");
    return strlen(word) == n && memcmp(line, word, n) == 0;
}

static const char *next_line(const char *line) {
    line += strcspn(line, "\r\n");
    return line + (*line != '\0');
}

/* What an alias that is no whole database has; NULL: nothing. */
static const char *find_filter(const char *text) {
    static const char *const filters[] = {"GILIST",  "TILIST",    "SEQIDLIST", "TAXIDLIST", "IPGLIST",
                                          "OIDLIST", "FIRST_OID", "LAST_OID",  "MEMB_BIT",  "STATS_NSEQ"};
    for (const char *line = text; *line != '\0'; line = next_line(line))
        for (size_t i = 0; i < sizeof filters / sizeof filters[0]; i++)
            if (has_word(line, filters[i])) return filters[i];
    return NULL;
}

static enum blastmerge_status parse_alias(const char *path, const char *text, int depth,
                                          struct database *database) {
    static const char title[] = "TITLE";
    static const char list[] = "DBLIST";
    enum blastmerge_status status = BLASTMERGE_OK;
    bool has_list = false;
    const char *filter = find_filter(text);
    if (filter != NULL)
        return tool_fail(BLASTMERGE_USAGE, "%s has %s: only whole databases can be parts", path, filter);
    for (const char *line = text; *line != '\0' && status == BLASTMERGE_OK; line = next_line(line)) {
        if (has_word(line, title) && database->title[0] == '\0') {
            const char *value = line + sizeof title - 1;
            value += strspn(value, " \t");
            (void)snprintf(database->title, TITLE, "%.*s", (int)strcspn(value, "\r\n"), value);
        }
        if (!has_word(line, list)) continue;
        has_list = true;
        status = read_list(path, line + sizeof list - 1, depth, database);
    }
    if (status == BLASTMERGE_OK && !has_list) return tool_fail(BLASTMERGE_DATA, "%s has no DBLIST", path);
    return status;
}

/* --- a database -------------------------------------------------------------------------------------- */

/* Adds what it holds. *is_there: there is an index, or an alias file, of this kind. */
static enum blastmerge_status read_kind(const char *name, char kind, int depth, struct database *database,
                                        bool *is_there) {
    char path[2 * NAME];
    ptrdiff_t n_bytes = 0;
    char *data = malloc(ALIAS + 1);
    if (data == NULL) return tool_fail(BLASTMERGE_NO_MEMORY, "out of memory");
    (void)snprintf(path, sizeof path, "%s.%cal", name, kind);
    enum blastmerge_status status = read_file(path, data, ALIAS, &n_bytes);
    *is_there = n_bytes >= 0;
    if (status == BLASTMERGE_OK && n_bytes >= 0) {
        data[n_bytes] = '\0';
        status = parse_alias(path, data, depth, database);
    } else if (status == BLASTMERGE_OK) {
        (void)snprintf(path, sizeof path, "%s.%cin", name, kind);
        status = read_file(path, data, INDEX, &n_bytes);
        *is_there = n_bytes >= 0;
        if (status == BLASTMERGE_OK && n_bytes >= 0 &&
            !parse_index((const unsigned char *)data, (size_t)n_bytes, database))
            status = tool_fail(BLASTMERGE_DATA, "%s is no index of a BLAST database of version 4 or 5", path);
    }
    free(data);
    return status;
}

static enum blastmerge_status read_database(const char *name, int depth, struct database *database) {
    bool is_there = false;
    if (depth > MOST_DEPTH) return tool_fail(BLASTMERGE_DATA, "%s: alias files refer to one another", name);
    if (strlen(name) >= NAME) return tool_fail(BLASTMERGE_USAGE, "%s: the name is too long", name);
    for (const char *kind = database->kind != '\0' ? &database->kind : "pn"; *kind != '\0' && !is_there;
         kind++) {
        enum blastmerge_status status = read_kind(name, *kind, depth, database, &is_there);
        if (status != BLASTMERGE_OK) return status;
        if (is_there && database->kind == '\0') database->kind = *kind;
        if (database->kind != '\0') break;
    }
    if (is_there) return BLASTMERGE_OK;
    return tool_fail(BLASTMERGE_NOT_FOUND,
                     "%s: there is no BLAST database of that name%s (it has a file %s%s, or an alias file)",
                     name,
                     database->kind == '\0'  ? ""
                     : database->kind == 'p' ? " that holds proteins, as the others do"
                                             : " that holds nucleotides, as the others do",
                     name,
                     database->kind == 'p'   ? ".pin"
                     : database->kind == 'n' ? ".nin"
                                             : ".pin or .nin");
}

/* --- writing ------------------------------------------------------------------------------------------ */

static enum blastmerge_status make_folder(const char *path) {
    if (mkdir(path, 0777) == 0 || errno == EEXIST) return BLASTMERGE_OK;
    return tool_fail_system(errno, "cannot make the folder %s", path);
}

/* The alias file's name without its ending: in a folder of its own, where the whole's name is given, so that a search
 * can be run under that name. */
static enum blastmerge_status name_alias(const struct tool_options *options, uint64_t i, int n_digits,
                                         char *name) {
    const char *folder = options->output != NULL ? options->output : ".";
    enum blastmerge_status status = make_folder(folder);
    if (status != BLASTMERGE_OK) return status;
    if (options->database == NULL) {
        (void)snprintf(name, NAME, "%s/shard_%0*llu", folder, n_digits, (unsigned long long)i);
        return BLASTMERGE_OK;
    }
    (void)snprintf(name, NAME, "%s/%0*llu", folder, n_digits, (unsigned long long)i);
    status = make_folder(name);
    (void)snprintf(name, NAME, "%s/%0*llu/%s", folder, n_digits, (unsigned long long)i, options->database);
    return status;
}

/* The database's name as an alias file in any folder can have it. */
static enum blastmerge_status make_absolute(const char *name, char *path) {
    char folder[NAME];
    char real[PATH_MAX];
    const char *slash = strrchr(name, '/');
    (void)snprintf(folder, sizeof folder, "%.*s", slash != NULL ? (int)(slash - name) + 1 : 1,
                   slash != NULL ? name : ".");
    if (realpath(folder, real) == NULL) return tool_fail_system(errno, "cannot find the folder %s", folder);
    (void)snprintf(path, 2 * NAME, "%s/%s", real, slash != NULL ? slash + 1 : name);
    if (strpbrk(path, "\"\n") == NULL) return BLASTMERGE_OK;
    return tool_fail(BLASTMERGE_USAGE, "%s: a name with quotes cannot stand in an alias file", path);
}

static enum blastmerge_status write_alias(const struct tool_options *options, const char *name, char kind,
                                          const char *text) {
    char path[NAME + 8];
    (void)snprintf(path, sizeof path, "%s.%cal", name, kind);
    int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | (options->force ? O_TRUNC : O_EXCL), 0666);
    if (file == -1 && errno == EEXIST)
        return tool_fail(BLASTMERGE_EXISTS, "%s exists already; --force replaces it", path);
    if (file == -1) return tool_fail_system(errno, "cannot write %s", path);
    bool is_written = tool_write(file, text, strlen(text));
    int error = errno;
    if (close(file) != 0 && is_written) {
        is_written = false;
        error = errno;
    }
    if (!is_written) return tool_fail_system(error, "cannot write %s", path);
    tool_put(name, strlen(name));
    tool_put("\n", 1);
    return BLASTMERGE_OK;
}

static int count_digits(uint64_t n) {
    int n_digits = 2;
    for (uint64_t most = 100; n > most && most <= UINT64_MAX / 10; most *= 10) n_digits++;
    return n_digits;
}

/* A part that is given twice would count twice. Names are few. */
static enum blastmerge_status check_parts(const struct tool_options *options) {
    char one[2 * NAME];
    char other[2 * NAME];
    for (size_t i = 1; i < options->n_sources; i++) {
        enum blastmerge_status status = make_absolute(options->sources[i].name, one);
        for (size_t k = 0; k < i && status == BLASTMERGE_OK; k++) {
            status = make_absolute(options->sources[k].name, other);
            if (status == BLASTMERGE_OK && strcmp(one, other) == 0)
                return tool_fail(BLASTMERGE_MISMATCH, "%s is given twice: its sequences would count twice",
                                 options->sources[i].name);
        }
        if (status != BLASTMERGE_OK) return status;
    }
    return BLASTMERGE_OK;
}

static enum blastmerge_status write_parts(const struct tool_options *options) {
    struct database whole = {0};
    enum blastmerge_status status = BLASTMERGE_OK;
    char name[NAME];
    char path[2 * NAME];
    char text[4 * NAME];
    int n_digits = count_digits(options->n_sources);
    for (size_t i = 0; i < options->n_sources && status == BLASTMERGE_OK; i++)
        status = read_database(options->sources[i].name, 0, &whole);
    if (status == BLASTMERGE_OK) status = check_parts(options);
    for (size_t i = 0; i < options->n_sources && status == BLASTMERGE_OK; i++) {
        status = name_alias(options, i, n_digits, name);
        if (status == BLASTMERGE_OK) status = make_absolute(options->sources[i].name, path);
        if (status != BLASTMERGE_OK) break;
        (void)snprintf(text, sizeof text, "TITLE %.200s\nDBLIST \"%s\"\nSTATS_NSEQ %llu\nSTATS_TOTLEN %llu\n",
                       options->database != NULL ? options->database : whole.title, path,
                       (unsigned long long)whole.n_sequences, (unsigned long long)whole.n_letters);
        status = write_alias(options, name, whole.kind, text);
    }
    return status;
}

static enum blastmerge_status write_windows(const struct tool_options *options) {
    struct database whole = {0};
    char name[NAME];
    char path[2 * NAME];
    char text[4 * NAME];
    uint64_t n = options->alias;
    if (options->n_sources != 1)
        return tool_fail(BLASTMERGE_USAGE, "--alias %llu takes one database, not %zu", (unsigned long long)n,
                         options->n_sources);
    enum blastmerge_status status = read_database(options->sources[0].name, 0, &whole);
    if (status == BLASTMERGE_OK) status = make_absolute(options->sources[0].name, path);
    if (status == BLASTMERGE_OK && whole.n_sequences < n)
        return tool_fail(BLASTMERGE_USAGE, "%s holds %llu sequences, too few for %llu windows",
                         options->sources[0].name, (unsigned long long)whole.n_sequences,
                         (unsigned long long)n);
    int n_digits = count_digits(n);
    for (uint64_t i = 0; i < n && status == BLASTMERGE_OK; i++) {
        uint64_t from = whole.n_sequences / n * i + whole.n_sequences % n * i / n;
        uint64_t to = whole.n_sequences / n * (i + 1) + whole.n_sequences % n * (i + 1) / n;
        status = name_alias(options, i, n_digits, name);
        if (status != BLASTMERGE_OK) break;
        (void)snprintf(text, sizeof text, "TITLE %.200s\nDBLIST \"%s\"\nFIRST_OID %llu\nLAST_OID %llu\n",
                       options->database != NULL ? options->database : whole.title, path,
                       (unsigned long long)from + 1, (unsigned long long)to);
        status = write_alias(options, name, whole.kind, text);
    }
    return status;
}

enum blastmerge_status tool_alias(const struct tool_options *options) {
    for (size_t i = 0; i < options->n_sources; i++)
        if (options->sources[i].is_list)
            return tool_fail(BLASTMERGE_USAGE,
                             "alias files are written for databases that are named on the command line");
    if (options->alias > 0 && options->alias_parts)
        return tool_fail(BLASTMERGE_USAGE,
                         "--alias and --alias-parts contradict each other: give one of them");
    const char *name = options->database != NULL ? options->database : "";
    if (strpbrk(name, "/\n") != NULL || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return tool_fail(BLASTMERGE_USAGE, "--db takes a name here, without a folder");
    if (options->database != NULL && (name[0] == '\0' || strlen(name) > MOST_NAME))
        return tool_fail(BLASTMERGE_USAGE, "--db takes a name of 1 to %d bytes here, not %zu", MOST_NAME,
                         strlen(name));
    if (options->output != NULL && strlen(options->output) > MOST_FOLDER)
        return tool_fail(BLASTMERGE_USAGE, "the folder of -o has a name of at most %d bytes here, not %zu",
                         MOST_FOLDER, strlen(options->output));
    enum blastmerge_status status = options->alias > 0 ? write_windows(options) : write_parts(options);
    enum blastmerge_status flushed = tool_flush_output();
    return status == BLASTMERGE_OK ? flushed : status;
}
