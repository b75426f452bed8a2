/* SPDX-License-Identifier: MIT */
#include "tool.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define TERMINAL_SECONDS 0.2 /* between two lines */
#define PIPE_SECONDS     1.0
#define SHORT_WORK       1.0 /* seconds of work that are not worth a line */

#define LINE_BYTES       160
#define DEFAULT_COLUMNS  80
#define SMALLEST_BAR     10

static double seconds_between(struct timespec from, struct timespec to) {
    return (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
}

static struct timespec now(void) {
    struct timespec time = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return time;
}

void tool_progress_open(struct tool_progress *progress, const struct tool_options *options) {
    *progress = (struct tool_progress){0};
    progress->is_terminal = isatty(STDERR_FILENO) == 1;
    bool always = options->progress == TOOL_PROGRESS_ALWAYS;
    bool automatic = options->progress == TOOL_PROGRESS_AUTOMATIC && !options->quiet;
    progress->enabled = always || (automatic && progress->is_terminal);
    progress->next_seconds = always ? 0 : SHORT_WORK;
    progress->start = now();
}

/* The last column stays free: a character there would wrap the line in some terminals. */
static size_t usable_columns(void) {
    struct winsize size = {0};
    size_t columns = DEFAULT_COLUMNS;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) columns = size.ws_col;
    return (columns < LINE_BYTES ? columns : LINE_BYTES) - 1;
}

/* "1:05:09", "5:09". */
static void print_duration(char *text, size_t n_bytes, double seconds) {
    uint64_t whole = seconds < 360000 ? (uint64_t)seconds : 359999;
    unsigned hours = (unsigned)(whole / 3600);
    unsigned minutes = (unsigned)(whole / 60 % 60);
    unsigned rest = (unsigned)(whole % 60);
    if (hours > 0)
        (void)snprintf(text, n_bytes, "%u:%02u:%02u", hours, minutes, rest);
    else
        (void)snprintf(text, n_bytes, "%u:%02u", minutes, rest);
}

/* "merge [#####     ]  50%  120.0 MiB/s  0:12 left": the bar has what the rest leaves of the line. */
static void print_share(char *line, size_t columns, const char *phase, double share, double rate,
                        double seconds_left) {
    char left[24];
    char facts[64];
    print_duration(left, sizeof left, seconds_left);
    int n_facts =
        snprintf(facts, sizeof facts, "%3d%%  %s/s  %s left", (int)(share * 100), tool_size(rate).text, left);
    size_t n_begin = strlen(phase) + strlen(" [");
    size_t n_rest = n_begin + strlen("] ") + (size_t)n_facts;
    size_t n_bar = columns > n_rest ? columns - n_rest : 0;
    if (n_bar < SMALLEST_BAR) {
        (void)snprintf(line, LINE_BYTES, "%s", facts);
        return;
    }
    size_t n_done = (size_t)((double)n_bar * share);
    (void)snprintf(line, LINE_BYTES, "%s [", phase);
    memset(line + n_begin, '#', n_done);
    memset(line + n_begin + n_done, ' ', n_bar - n_done);
    (void)snprintf(line + n_begin + n_bar, LINE_BYTES - n_begin - n_bar, "] %s", facts);
}

static void print_line(char *line, size_t columns, const struct blastmerge_progress *state, double seconds) {
    double done = (double)state->compressed_bytes;
    double total = (double)state->compressed_total;
    if (state->n_children_in_total > 0) /* the others are probably as long */
        total *= (double)state->n_children / (double)state->n_children_in_total;
    double rate = seconds > 0 ? done / seconds : 0;
    if (total > 0) {
        if (done > total) done = total;
        print_share(line, columns, state->phase, done / total, rate, rate > 0 ? (total - done) / rate : 0);
    } else {
        (void)snprintf(line, LINE_BYTES, "%s: %s read, %s/s, %llu Iterations", state->phase,
                       tool_size(done).text, tool_size(rate).text, (unsigned long long)state->n_iterations);
    }
    line[columns] = '\0';
}

void tool_progress_show(struct tool_progress *progress, const struct blastmerge_progress *state) {
    double seconds = seconds_between(progress->start, now());
    if (seconds < progress->next_seconds) return;
    progress->next_seconds = seconds + (progress->is_terminal ? TERMINAL_SECONDS : PIPE_SECONDS);

    char line[LINE_BYTES] = "";
    size_t columns = usable_columns();
    print_line(line, columns, state, seconds);
    if (!progress->is_terminal) {
        (void)fprintf(stderr, "%s\n", line);
        return;
    }
    /* Blanks over the rest of the line before, as far as it still has room. */
    size_t n_before = progress->n_drawn < columns ? progress->n_drawn : columns;
    progress->n_drawn = strlen(line) > n_before ? strlen(line) : n_before;
    (void)fprintf(stderr, "%-*s\r", (int)n_before, line);
}

void tool_progress_clear(struct tool_progress *progress) {
    if (progress->n_drawn > 0) (void)fprintf(stderr, "%*s\r", (int)progress->n_drawn, "");
    progress->n_drawn = 0;
}
