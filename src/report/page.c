/* SPDX-License-Identifier: MIT */
/*
 * All text that comes from outside (names, messages) goes through put_text(), and all else is this file's own. So no
 * name becomes markup. The page's rules for the browser forbid everything but its own style and its own script, which
 * it knows by its hash (SCRIPT_HASH): what sorts the table. Without it, all facts are there.
 *
 * The file is long because the page's text is in it.
 */
#include "report/page.h"

#include "base/entity.h"
#include "format/format.h"
#include "report/report.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    MOST_TEXTS = 65536,   /* bytes of warnings, and of a header */
    MOST_WHOLE = 1400000, /* bytes of the page, at which rows of whole children are left out ... */
    MOST_BYTES = 1900000, /* ... and all other rows, each of which is far shorter than 100 KB */
    MOST_NAME = 300,      /* bytes of a name ... */
    LEAST_NAME = 60,      /* ... and with very many children */
    ROW = 180,            /* bytes of a row without its name, about */
    MOST_SEGMENTS = 600   /* of the strip */
};

/* --- warnings -------------------------------------------------------------------------------------- */

void bm_report_texts_add(struct bm_report_texts *texts, struct bm_memory *memory, const char *text) {
    size_t n = strlen(text) + 1;
    texts->n++;
    if (texts->bytes == NULL) texts->bytes = bm_allocate(memory, MOST_TEXTS);
    if (texts->bytes == NULL || n > MOST_TEXTS - texts->n_bytes) return;
    memcpy(texts->bytes + texts->n_bytes, text, n);
    texts->n_bytes += n;
}

void bm_report_texts_close(struct bm_report_texts *texts, struct bm_memory *memory) {
    bm_release(memory, texts->bytes);
    *texts = (struct bm_report_texts){0};
}

/* --- writing --------------------------------------------------------------------------------------- */

struct page {
    const struct bm_report_page *data;
    struct blastmerge_error *error;
    enum blastmerge_status status;
    uint64_t n_written;
    size_t n;
    char buffer[32768];
};

static void flush(struct page *page) {
    if (page->status == BLASTMERGE_OK && page->n > 0)
        page->status = page->data->write(page->data->context, page->buffer, page->n, page->error);
    page->n_written += page->n;
    page->n = 0;
}

static void put(struct page *page, const char *text, size_t n) {
    while (n > 0) {
        size_t n_room = sizeof page->buffer - page->n;
        size_t n_now = n < n_room ? n : n_room;
        memcpy(page->buffer + page->n, text, n_now);
        page->n += n_now;
        text += n_now;
        n -= n_now;
        if (page->n == sizeof page->buffer) flush(page);
    }
}

static void put_markup(struct page *page, const char *markup) {
    put(page, markup, strlen(markup));
}

/* Markup with numbers: nothing from outside. */
static void put_format(struct page *page, const char *format, ...) BM_FORMAT(2, 3);
static void put_format(struct page *page, const char *format, ...) {
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    bm_require(n >= 0 && (size_t)n < sizeof text);
    put(page, text, (size_t)n);
}

/* A text from outside, as a text: visible, UTF-8, and without markup. */
static void put_text(struct page *page, const char *text) {
    char shown[1200];
    blastmerge_show(text, shown, sizeof shown);
    for (const char *at = shown; *at != '\0'; at++) {
        const char *entity = *at == '\'' ? "&#39;" : *at == '"' ? "&quot;" : bm_entity_of(*at);
        if (entity != NULL)
            put_markup(page, entity);
        else
            put(page, at, 1);
    }
}

/* A name, or as many bytes of its end, which tells more than its beginning. */
static void put_end_of_name(struct page *page, const char *name, size_t most) {
    char cut[MOST_NAME + 4];
    size_t n = strlen(name);
    if (n <= most) {
        put_text(page, name);
        return;
    }
    snprintf(cut, sizeof cut, "...%s", name + n - most);
    put_text(page, cut);
}

static void put_name(struct page *page, const char *name) {
    put_end_of_name(page, name, MOST_NAME);
}

/* --- the frame ------------------------------------------------------------------------------------- */

/* The hash is that of the script: tests/e2e/test_page.py computes it. */
#define SCRIPT_HASH "sha256-riz417CiWgDbWtYG2RKQYcrMhpEiQi2RcKZlRIi51+I="
static const char script[] =
    "const t=document.querySelector('table.children'),b=t.tBodies[0];"
    "t.tHead.querySelectorAll('th').forEach((h,i)=>{const k=document.createElement('button');k.type='button';"
    "k.textContent=h.textContent;h.textContent='';h.append(k);let d=1;k.onclick=()=>{const "
    "v=r=>r.cells[i].dataset.v??"
    "r.cells[i].textContent;[...b.rows].sort((x,y)=>{const p=v(x),q=v(y),m=p-q;return "
    "d*(isNaN(m)?p.localeCompare(q):m)})"
    ".forEach(r=>b.append(r));t.tHead.querySelectorAll('th').forEach(o=>o.removeAttribute('aria-sort'));"
    "h.setAttribute('aria-sort',d>0?'ascending':'descending');d=-d}})";

static const char style[] =
    ":root{color-scheme:light "
    "dark;--ok:#2a7a3b;--empty:#8a6d00;--bad:#b3261e;--salvaged:#a04a00;--unread:#6b6b6b;--line:#8884;"
    "--bar:#3566a8}@media(prefers-color-scheme:dark){:root{--ok:#6fcf83;--empty:#e0b93a;--bad:#ff8a80;--"
    "salvaged:#ffab5e;"
    "--unread:#a8a8a8;--bar:#8fb6ee}}*{box-sizing:border-box}body{font:16px/1.5 "
    "system-ui,sans-serif;margin:0 auto;max-width:1400px;"
    "padding:1rem}h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}dl{display:grid;grid-template-"
    "columns:repeat(auto-fill,"
    "minmax(11rem,1fr));gap:.75rem}dl div{border:1px solid var(--line);border-radius:.4rem;padding:.5rem "
    ".75rem}dt{font-size:.85rem}"
    "dd{margin:0;font-weight:600;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}.strip{display:"
    "flex;height:2.5rem;"
    "border-radius:.3rem;overflow:hidden;gap:1px}.strip i{flex:1 1 "
    "0;min-width:1px}i.ok,.bar{background:var(--ok)}i.empty{background:"
    "var(--empty)}i.bad{background:repeating-linear-gradient(45deg,var(--bad) 0 6px,transparent 6px "
    "9px)}i.salvaged{background:"
    "repeating-linear-gradient(-45deg,var(--salvaged) 0 6px,transparent 6px "
    "9px)}i.unread{background:var(--unread)}"
    ".key{display:flex;flex-wrap:wrap;gap:1rem;padding:0;list-style:none;font-size:.9rem}.key "
    "i{display:inline-block;width:1rem;"
    "height:1rem;margin-right:.4rem;vertical-align:-.15rem}.scroll{overflow-x:auto}table{border-collapse:"
    "collapse;width:100%;"
    "font-variant-numeric:tabular-nums}caption{text-align:left;font-size:.9rem}th,td{text-align:right;"
    "padding:.25rem .6rem;"
    "border-bottom:1px solid "
    "var(--line);white-space:nowrap}th.name,td.name{text-align:left;white-space:normal;overflow-wrap:"
    "anywhere;"
    "min-width:12rem}td.bad{color:var(--bad);font-weight:600}td.salvaged{color:var(--salvaged);font-weight:"
    "600}th button{all:unset;"
    "cursor:pointer}th button:focus-visible{outline:2px "
    "solid}.verdict{font-size:1.1rem;font-weight:600;overflow-wrap:anywhere}.verdict.bad{color:var(--bad)}"
    ".verdict.salvaged{color:var(--salvaged)}.verdict.ok{color:var(--ok)}.histogram "
    ".name{width:100%;min-width:4rem}.histogram .bar{display:block;"
    "height:1rem;min-width:1px;background:var(--bar)}li{overflow-wrap:anywhere}@media "
    "print{.scroll{overflow:visible}}";

/* How a child ended, as a class of the style and as a word. */
struct state {
    const char *class;
    const char *word;
    int rank; /* the worst of a group counts */
};

static struct state state_of(const struct blastmerge_child *child) {
    static const struct state unread = {"unread", "not read", 3};
    static const struct state salvaged = {"salvaged", "salvaged", 2};
    static const struct state empty = {"empty", "empty", 1};
    static const struct state ok = {"ok", "whole", 0};
    if (!child->was_read) return unread;
    if (child->status == BLASTMERGE_SALVAGED) return salvaged;
    if (child->status != BLASTMERGE_OK)
        return (struct state){"bad", blastmerge_status_name(child->status), 4};
    return child->n_iterations == 0 && child->n_hsps == 0 ? empty : ok;
}

static void put_begin(struct page *page) {
    put_markup(page, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                     "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
                     "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
                     "'unsafe-inline'; "
                     "script-src '" SCRIPT_HASH
                     "'\">\n<meta name=\"referrer\" content=\"no-referrer\">\n<title>blastmerge ");
    put_text(page, page->data->command);
    put_markup(page, "</title>\n<style>");
    put_markup(page, style);
    put_markup(page, "</style>\n</head>\n<body>\n<main>\n<h1>blastmerge ");
    put_text(page, page->data->command);
    put_markup(page, "</h1>\n");
}

/* --- facts ----------------------------------------------------------------------------------------- */

static void put_verdict(struct page *page) {
    const struct blastmerge_error *fault = page->data->fault;
    bool is_salvaged = fault->status == BLASTMERGE_SALVAGED;
    const char *class = fault->status == BLASTMERGE_OK ? "ok" : is_salvaged ? "salvaged" : "bad";
    put_format(page, "<p class=\"verdict %s\">", class);
    put_text(page, fault->status == BLASTMERGE_OK ? "All is well: every check passed." : fault->message);
    put_markup(page, "</p>\n");
}

/* With a point, whatever the caller's locale is. value: not negative. */
static void put_decimal(struct page *page, double value, int n_digits) {
    const uint64_t scale = n_digits == 1 ? 10 : 100, n = (uint64_t)(value * (double)scale + 0.5);
    put_format(page, "%" PRIu64 ".%0*" PRIu64, n / scale, n_digits, n % scale);
}

static void put_fact(struct page *page, const char *name, const char *key, uint64_t value) {
    put_format(page, "<div><dt>%s</dt><dd data-fact=\"%s\">%" PRIu64 "</dd></div>\n", name, key, value);
}

/* A count of 0 would say that all queries have a result. */
static void put_missing(struct page *page) {
    const struct blastmerge_report *totals = page->data->totals;
    if (!page->data->has_queries) {
        put_markup(page, "<div><dt>Missing queries</dt><dd>not compared (--expect-queries)</dd></div>\n");
        return;
    }
    put_fact(page, "Missing queries", "missing_queries", totals->n_missing_queries);
    put_fact(page, "Queries that may be missing", "unknown_queries", totals->n_unknown_queries);
}

static void put_facts(struct page *page) {
    const struct blastmerge_report *totals = page->data->totals;
    put_markup(page, "<dl>\n");
    put_fact(page, "Children", "children", totals->n_children);
    put_fact(page, "Documents", "documents", totals->n_documents);
    put_fact(page, "Iterations", "iterations", totals->n_iterations);
    put_fact(page, "Hits", "hits", totals->n_hits);
    put_fact(page, "Hsps", "hsps", totals->n_hsps);
    put_fact(page, "Bytes read, compressed", "compressed_bytes", totals->compressed_bytes);
    put_fact(page, "Bytes of their text", "text_bytes", totals->text_bytes);
    put_missing(page);
    put_fact(page, "Warnings", "warnings", totals->n_warnings);
    put_format(page, "<div><dt>Format</dt><dd>%s</dd></div>\n", blastmerge_format_name(totals->format));
    if (page->data->output != NULL) {
        put_markup(page, "<div><dt>Result</dt><dd data-fact=\"output\">");
        put_name(page, page->data->output);
        put_markup(page, "</dd></div>\n");
        put_fact(page, "Bytes of the result", "output_bytes", totals->output_bytes);
        put_fact(page, "... copied from children as they were", "copied_bytes", totals->copied_bytes);
        put_fact(page, "... compressed anew, or plain", "new_bytes",
                 totals->output_bytes - totals->copied_bytes);
        put_fact(page, "Bytes of its text", "output_text_bytes", totals->output_text_bytes);
        put_format(page, "<div><dt>CRC-32 of its text</dt><dd data-fact=\"crc32\">%08" PRIx32 "</dd></div>\n",
                   totals->output_crc32);
    }
    put_markup(page, "<div><dt>Seconds</dt><dd>");
    put_decimal(page, totals->seconds, 2);
    put_markup(page, "</dd></div>\n");
    put_fact(page, "Bytes of memory, at most", "peak_memory", totals->peak_memory);
    put_format(page, "<div><dt>blastmerge</dt><dd>%s</dd></div>\n</dl>\n", blastmerge_version());
}

/* A list of texts, as far as there was room for them. */
static void put_list(struct page *page, const char *title, const char *class,
                     const struct bm_report_texts *texts) {
    uint64_t n_shown = 0;
    if (texts->n == 0) return;
    put_format(page, "<h2>%s</h2>\n<ul class=\"%s\">\n", title, class);
    for (size_t at = 0; at < texts->n_bytes; at += strlen(texts->bytes + at) + 1, n_shown++) {
        put_markup(page, "<li>");
        put_text(page, texts->bytes + at);
        put_markup(page, "</li>\n");
    }
    put_markup(page, "</ul>\n");
    if (n_shown < texts->n) put_format(page, "<p>and %" PRIu64 " more.</p>\n", texts->n - n_shown);
}

/* The header's fields, as far as there was room for them. */
static void put_header(struct page *page) {
    const struct bm_report_texts *header = page->data->header;
    const char *end = header->bytes + header->n_bytes;
    if (header->n_bytes == 0) return;
    put_markup(page, "<h2>The first header</h2>\n<ul class=\"header\">\n");
    for (const char *name = header->bytes; name < end;) {
        const char *value = name + strlen(name) + 1;
        if (value >= end) break;
        char resolved[BM_MARK_MAX_VALUE + 1];
        resolved[bm_report_resolve(resolved, sizeof resolved - 1, value)] = '\0';
        put_markup(page, "<li>");
        put_text(page, name);
        put_markup(page, ": ");
        put_text(page, resolved);
        put_markup(page, "</li>\n");
        name = value + strlen(value) + 1;
    }
    put_markup(page, "</ul>\n");
}

/* --- pictures -------------------------------------------------------------------------------------- */

static void put_key(struct page *page) {
    static const char *const rows[][2] = {{"ok", "whole"},
                                          {"empty", "empty"},
                                          {"salvaged", "salvaged: something of it is lost"},
                                          {"bad", "with a fault"},
                                          {"unread", "not read"}};
    put_markup(page, "<ul class=\"key\">");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        put_format(page, "<li><i class=\"%s\"></i>%s</li>", rows[i][0], rows[i][1]);
    put_markup(page, "</ul>\n");
}

/* A table without comments: what a query is, only its rows say. */
static bool is_bare_table(const struct bm_report_page *data) {
    return bm_format_is_bare_table(data->totals->format);
}

/* What children hold, in the counts that their format has. */
static void put_counts(struct page *page, uint64_t n_iterations, uint64_t n_hits, uint64_t n_hsps) {
    if (!is_bare_table(page->data)) put_format(page, ", %" PRIu64 " Iterations", n_iterations);
    if (page->data->totals->n_hits > 0 || n_hsps == 0)
        put_format(page, ", %" PRIu64 " hits", n_hits);
    else
        put_format(page, ", %" PRIu64 " Hsps", n_hsps);
}

/* Children in their order, each as wide as its share of the text; many of them in groups. */
static void put_strip(struct page *page) {
    const struct bm_report_page *data = page->data;
    uint64_t n_group = (data->n_children + MOST_SEGMENTS - 1) / MOST_SEGMENTS;
    put_format(page,
               "<h2>Children in their order</h2>\n<div class=\"strip\" role=\"img\" aria-label=\"%" PRIu64
               " children in their order, by state; the table below has each\">\n",
               data->n_children);
    for (uint64_t first = 0; first < data->n_children; first += n_group) {
        struct blastmerge_child child, one = {0};
        struct state worst = {"ok", "whole", -1};
        uint64_t end = first + n_group < data->n_children ? first + n_group : data->n_children;
        uint64_t n_text = 0, n_iterations = 0, n_hits = 0, n_hsps = 0;
        for (uint64_t i = first; i < end; i++) {
            if (!data->child(data->context, i, &child)) continue;
            struct state state = state_of(&child);
            if (state.rank > worst.rank) {
                worst = state;
                one = child;
            }
            n_text += child.text_bytes;
            n_iterations += child.n_iterations;
            n_hits += child.n_hits;
            n_hsps += child.n_hsps;
        }
        put_format(page, "<i class=\"%s\" style=\"flex-grow:%" PRIu64 "\" title=\"", worst.class,
                   n_text / 1024 + 1);
        if (one.name != NULL) put_end_of_name(page, one.name, LEAST_NAME);
        if (end - first > 1) put_format(page, " and %" PRIu64 " more", end - first - 1);
        put_format(page, ": %s", worst.word);
        put_counts(page, n_iterations, n_hits, n_hsps);
        put_markup(page, "\"></i>\n");
    }
    put_markup(page, "</div>\n");
    put_key(page);
}

/* The number of binary digits. */
static unsigned n_digits_of(uint64_t value) {
    unsigned n = 0;
    for (; value > 0; value >>= 1) n++;
    return n;
}

/* A histogram of children or queries, by a number that they have. */
static void put_histogram(struct page *page, const char *title, const char *key, const char *counted,
                          const uint64_t bars[BM_REPORT_CLASSES]) {
    uint64_t most = 1;
    for (size_t i = 0; i < BM_REPORT_CLASSES; i++) most = bars[i] > most ? bars[i] : most;
    put_format(page,
               "<h2>%s</h2>\n<table class=\"histogram\" data-histogram=\"%s\"><thead><tr><th "
               "scope=\"col\">%s</th><th scope=\"col\">%s"
               "</th><th scope=\"col\" class=\"name\">share</th></tr></thead><tbody>\n",
               title, key, key, counted);
    for (unsigned i = 0; i < BM_REPORT_CLASSES; i++) {
        uint64_t from = i == 0 ? 0 : UINT64_C(1) << (i - 1);
        if (bars[i] == 0) continue;
        if (i == BM_REPORT_CLASSES - 1)
            put_format(page, "<tr><td>%" PRIu64 " and more</td>", from);
        else if (i < 2)
            put_format(page, "<tr><td>%" PRIu64 "</td>", from);
        else
            put_format(page, "<tr><td>%" PRIu64 " to %" PRIu64 "</td>", from, 2 * from - 1);
        put_format(page,
                   "<td>%" PRIu64 "</td><td class=\"name\"><span class=\"bar\" style=\"width:", bars[i]);
        put_decimal(page, 100.0 * (double)bars[i] / (double)most, 1);
        put_markup(page, "%\"></span></td></tr>\n");
    }
    put_markup(page, "</tbody></table>\n");
}

static void put_iterations(struct page *page) {
    const struct bm_report_page *data = page->data;
    struct blastmerge_child child;
    uint64_t bars[BM_REPORT_CLASSES] = {0};
    for (uint64_t i = 0; i < data->n_children; i++) {
        if (!data->child(data->context, i, &child) || !child.was_read) continue;
        unsigned bar = n_digits_of(child.n_iterations);
        bars[bar < BM_REPORT_CLASSES ? bar : BM_REPORT_CLASSES - 1]++;
    }
    put_histogram(page, "Iterations of a child", "Iterations", "children", bars);
}

static void put_hits(struct page *page) {
    for (size_t i = 0; i < BM_REPORT_CLASSES; i++) {
        if (page->data->by_hits[i] == 0) continue;
        put_histogram(page, "Hits of a query", "hits", "queries", page->data->by_hits);
        return;
    }
}

/* --- the table ------------------------------------------------------------------------------------- */

/* Bytes of a name with which the rows of all children have room, if that can be. */
static size_t fit_names(const struct page *page) {
    uint64_t n_now = page->n_written + page->n;
    uint64_t n_room = n_now < MOST_WHOLE ? MOST_WHOLE - n_now : 0;
    uint64_t n_row = n_room / (page->data->n_children + 1);
    if (n_row < ROW + LEAST_NAME) return LEAST_NAME;
    return n_row < ROW + MOST_NAME ? (size_t)(n_row - ROW) : MOST_NAME;
}

static void put_row(struct page *page, uint64_t number, const struct blastmerge_child *child,
                    struct state state, size_t most_name) {
    double ratio =
        child->compressed_bytes == 0 ? 0 : (double)child->text_bytes / (double)child->compressed_bytes;
    put_format(page, "<tr><td>%" PRIu64 "</td><td class=\"name\">", number + 1);
    put_end_of_name(page, child->name != NULL ? child->name : "", most_name);
    if (child->error != NULL) {
        put_markup(page, "<br>");
        put_text(page, child->error);
    }
    put_format(page,
               "</td><td class=\"%s\" data-v=\"%d\">%s</td><td>%" PRIu64 "</td><td>%" PRIu64
               "</td><td>%" PRIu64 "</td><td>%" PRIu64 "</td><td>%" PRIu64 "</td><td>%" PRIu64 "</td><td>",
               state.class, state.rank, state.word, child->n_documents, child->n_iterations, child->n_hits,
               child->n_hsps, child->compressed_bytes, child->text_bytes);
    put_decimal(page, ratio, 1);
    put_markup(page, "</td></tr>\n");
}

static void put_table(struct page *page) {
    static const char *const columns[] = {"documents",  "Iterations", "hits", "Hsps",
                                          "compressed", "text",       "ratio"};
    const struct bm_report_page *data = page->data;
    struct blastmerge_child child;
    uint64_t n_left_out = 0;
    size_t most_name = fit_names(page);
    put_markup(page, "<h2>All children</h2>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" "
                     "aria-label=\"Table of children\">\n"
                     "<table class=\"children\"><caption>Counts as far as each child could be read; "
                     "compressed and text in bytes</caption>\n<thead><tr><th scope=\"col\">number</th><th "
                     "scope=\"col\" class=\"name\">child</th>"
                     "<th scope=\"col\">state</th>");
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++)
        put_format(page, "<th scope=\"col\">%s</th>", columns[i]);
    put_markup(page, "</tr></thead>\n<tbody>\n");
    for (uint64_t i = 0; i < data->n_children; i++) {
        if (!data->child(data->context, i, &child)) continue;
        struct state state = state_of(&child);
        bool is_left_out = page->n_written + page->n > (state.rank == 0 ? MOST_WHOLE : MOST_BYTES);
        n_left_out += is_left_out;
        if (!is_left_out) put_row(page, i, &child, state, most_name);
    }
    put_markup(page, "</tbody></table>\n</div>\n");
    if (n_left_out > 0)
        put_format(page, "<p>and %" PRIu64 " more children, which the report has.</p>\n", n_left_out);
}

/* --- the page -------------------------------------------------------------------------------------- */

enum blastmerge_status bm_report_page_write(const struct bm_report_page *data, struct bm_memory *memory,
                                            struct blastmerge_error *error) {
    struct page *page = bm_allocate(memory, sizeof *page);
    if (page == NULL) return bm_fail(error, BLASTMERGE_NO_MEMORY, "out of memory for the page");
    page->data = data;
    page->error = error;
    put_begin(page);
    put_verdict(page);
    put_facts(page);
    put_list(page, "Warnings", "warnings", data->warnings);
    put_list(page, "Missing queries", "missing", data->missing);
    put_strip(page);
    if (!is_bare_table(data)) put_iterations(page);
    put_hits(page);
    put_header(page);
    put_table(page);
    put_markup(page, "</main>\n<script>");
    put_markup(page, script);
    put_markup(page, "</script>\n</body>\n</html>\n");
    flush(page);
    enum blastmerge_status status = page->status;
    bm_release(memory, page);
    return status;
}
