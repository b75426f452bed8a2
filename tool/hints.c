/* SPDX-License-Identifier: MIT */
/* Words that people bring from BLAST, gzip and zstd, and words that are nearly right. */
#include "options.h"

#include <string.h>
#include <unistd.h>

/* Options of BLAST, and what to write instead. Their first letters are short options of blastmerge, so that
 * getopt_long() would take "-out" for "-o ut". */
static const struct {
    const char *word;
    const char *instead;
} foreign[] = {
    {"out", "-o FILE names the result"},
    {"outfmt",
     "the format of the children is recognised, and the result has the same; --format NAME requires one"},
    {"db", "--db TEXT sets the database name of the result"},
    {"num_threads", "-t N sets the number of threads"},
    {"query", "--expect-queries FILE compares with the queries that were searched"},
    {"in", "children are named without an option"},
    {"evalue", "hits are not filtered here: it is an option of the search"},
    {"max_target_seqs", "hits are not filtered here: it is an option of the search"},
    {"num_alignments", "hits are not filtered here: it is an option of the search"},
    {"num_descriptions", "hits are not filtered here: it is an option of the search"},
    {"parse_deflines", "it is an option of the search"},
    {"task", "it is an option of the search"},
    {"subject", "it is an option of the search"},
};
enum { N_FOREIGN = sizeof foreign / sizeof foreign[0] };

/* Whether the first n bytes of a word are all of the other. */
static bool is_word(const char *word, size_t n, const char *other) {
    return strlen(other) == n && strncmp(word, other, n) == 0;
}

static enum blastmerge_status refuse_level(const char *word) {
    size_t n = strspn(word + 1, "0123456789");
    if (n < 2 || word[1 + n] != '\0') return BLASTMERGE_OK;
    return tool_fail(BLASTMERGE_USAGE, "%s: levels are -1 to -9", word);
}

enum blastmerge_status tool_refuse_foreign(const char *word) {
    if (word[0] != '-' || word[1] == '\0') return BLASTMERGE_OK;
    bool is_long = word[1] == '-';
    const char *name = word + 1 + is_long;
    size_t n = strcspn(name, "=.");
    if (!is_long && refuse_level(word) != BLASTMERGE_OK) return BLASTMERGE_USAGE;
    if (is_long && is_word(name, n, "keep"))
        return tool_fail(
            BLASTMERGE_USAGE,
            "there is no option --keep: children are always kept; --keep-db keeps the database name");
    for (size_t i = 0; i < N_FOREIGN; i++) {
        if (!is_word(name, n, foreign[i].word)) continue;
        bool is_own = is_word(name, n, "db") || is_word(name, n, "out") || is_word(name, n, "evalue");
        if (is_long && is_own) return BLASTMERGE_OK;
        return tool_fail(BLASTMERGE_USAGE, "%.*s is an option of BLAST: %s", (int)(n + 1 + is_long), word,
                         foreign[i].instead);
    }
    for (size_t i = 0; !is_long && n > 2 && i < tool_n_rows; i++) {
        if (strncmp(name, tool_rows[i].name, n) == 0)
            return tool_fail(BLASTMERGE_USAGE, "%.*s: long options have two dashes: --%s", (int)(n + 1), word,
                             tool_rows[i].name);
    }
    return BLASTMERGE_OK;
}

/* How many letters to change, add, leave out or swap with a neighbour make one word of the other; more than 2
 * is 3. */
static unsigned distance(const char *a, const char *b) {
    enum { LONGEST = 24 };
    unsigned rows[3][LONGEST + 1];
    size_t n_a = strlen(a);
    size_t n_b = strlen(b);
    if (n_a > LONGEST || n_b > LONGEST) return 3;
    for (size_t j = 0; j <= n_b; j++) rows[0][j] = (unsigned)j;
    for (size_t i = 1; i <= n_a; i++) {
        unsigned *row = rows[i % 3];
        const unsigned *above = rows[(i + 2) % 3];
        const unsigned *twice_above = rows[(i + 1) % 3];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= n_b; j++) {
            unsigned least = above[j - 1] + (a[i - 1] != b[j - 1]);
            if (above[j] + 1 < least) least = above[j] + 1;
            if (row[j - 1] + 1 < least) least = row[j - 1] + 1;
            bool is_swap = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (is_swap && twice_above[j - 2] + 1 < least) least = twice_above[j - 2] + 1;
            row[j] = least;
        }
    }
    unsigned found = rows[n_a % 3][n_b];
    return found < 3 ? found : 3;
}

enum blastmerge_status tool_refuse_near_command(const char *operand) {
    if (access(operand, F_OK) == 0) return BLASTMERGE_OK;
    for (size_t i = 0; i < tool_n_commands; i++) {
        unsigned most = strlen(tool_commands[i].name) > 5 ? 2 : 1;
        if (distance(operand, tool_commands[i].name) > most) continue;
        return tool_fail(BLASTMERGE_USAGE, "there is no file '%s': is the command '%s' meant?", operand,
                         tool_commands[i].name);
    }
    return BLASTMERGE_OK;
}

const char *tool_nearest_option(const char *word) {
    for (unsigned most = 1; most <= 2 && most + 3 <= strlen(word); most++)
        for (size_t i = 0; i < tool_n_rows; i++)
            if (distance(word, tool_rows[i].name) <= most) return tool_rows[i].name;
    return NULL;
}
