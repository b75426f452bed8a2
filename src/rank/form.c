/* SPDX-License-Identifier: MIT */
#include "rank/form.h"

#include <string.h>

#define ROW(kind, start, end, other_end, has_value)                                                          \
    { kind, start, sizeof(start) - 1, end, sizeof(end) - 1, other_end, has_value }
#define XML(kind, indent, name) ROW(kind, indent "<" name ">", "</" name ">", NULL, true)
#define JSON(kind, start)       ROW(kind, start, ",", "", true)
#define JSON_TEXT(kind, start)  ROW(kind, start "\"", "\",", "\"", true)
#define JSON_END(kind, start)   ROW(kind, start, ",", "", false)
#define LINE(kind, text)        ROW(kind, text, "", NULL, false)

static const struct bm_rank_row xml_rows[] = {
    XML(BM_RANK_PROGRAM, "  ", "BlastOutput_program"),
    XML(BM_RANK_DATABASE, "  ", "BlastOutput_db"),
    XML(BM_RANK_MATRIX, "      ", "Parameters_matrix"),
    XML(BM_RANK_EXPECT, "      ", "Parameters_expect"),
    XML(BM_RANK_GAP_OPEN, "      ", "Parameters_gap-open"),
    XML(BM_RANK_GAP_EXTEND, "      ", "Parameters_gap-extend"),
    XML(BM_RANK_QUERY_ID, "  ", "Iteration_query-ID"),
    XML(BM_RANK_QUERY_LENGTH, "  ", "Iteration_query-len"),
    LINE(BM_RANK_HITS, "<Iteration_hits>"),
    LINE(BM_RANK_HITS_EMPTY, "<Iteration_hits></Iteration_hits>"),
    LINE(BM_RANK_HITS_EMPTY, "<Iteration_hits/>"),
    LINE(BM_RANK_HITS_END, "</Iteration_hits>"),
    LINE(BM_RANK_STATISTICS, "  <Iteration_stat>"),
    XML(BM_RANK_N_SEQUENCES, "      ", "Statistics_db-num"),
    XML(BM_RANK_N_RESIDUES, "      ", "Statistics_db-len"),
    XML(BM_RANK_HSP_LENGTH, "      ", "Statistics_hsp-len"),
    XML(BM_RANK_SEARCH_SPACE, "      ", "Statistics_eff-space"),
    XML(BM_RANK_KAPPA, "      ", "Statistics_kappa"),
    XML(BM_RANK_LAMBDA, "      ", "Statistics_lambda"),
    LINE(BM_RANK_END, "</Iteration>"),
    {0},
};

static const struct bm_rank_row xml_hit_rows[] = {
    LINE(BM_RANK_HIT, "<Hit>"),
    LINE(BM_RANK_HIT_END, "</Hit>"),
    XML(BM_RANK_HIT_NUMBER, "  ", "Hit_num"),
    XML(BM_RANK_HIT_ID, "  ", "Hit_id"),
    XML(BM_RANK_HIT_ACCESSION, "  ", "Hit_accession"),
    XML(BM_RANK_HIT_LENGTH, "  ", "Hit_len"),
    LINE(BM_RANK_HSP, "    <Hsp>"),
    LINE(BM_RANK_HSP_END, "    </Hsp>"),
    XML(BM_RANK_HSP_NUMBER, "      ", "Hsp_num"),
    XML(BM_RANK_HSP_SCORE, "      ", "Hsp_score"),
    XML(BM_RANK_HSP_EVALUE, "      ", "Hsp_evalue"),
    XML(BM_RANK_HSP_STRAND, "      ", "Hsp_hit-frame"),
    {0},
};

static const struct bm_rank_row xml2_rows[] = {
    XML(BM_RANK_PROGRAM, "      ", "program"),
    XML(BM_RANK_DATABASE, "          ", "db"),
    XML(BM_RANK_MATRIX, "          ", "matrix"),
    XML(BM_RANK_EXPECT, "          ", "expect"),
    XML(BM_RANK_GAP_OPEN, "          ", "gap-open"),
    XML(BM_RANK_GAP_EXTEND, "          ", "gap-extend"),
    XML(BM_RANK_QUERY_ID, "              ", "query-id"),
    XML(BM_RANK_QUERY_LENGTH, "              ", "query-len"),
    LINE(BM_RANK_HITS, "              <hits>"),
    LINE(BM_RANK_HITS_EMPTY, "              <hits></hits>"),
    LINE(BM_RANK_HITS_EMPTY, "              <hits/>"),
    LINE(BM_RANK_HITS_END, "              </hits>"),
    LINE(BM_RANK_STATISTICS, "              <stat>"),
    XML(BM_RANK_N_SEQUENCES, "                  ", "db-num"),
    XML(BM_RANK_N_RESIDUES, "                  ", "db-len"),
    XML(BM_RANK_HSP_LENGTH, "                  ", "hsp-len"),
    XML(BM_RANK_SEARCH_SPACE, "                  ", "eff-space"),
    XML(BM_RANK_KAPPA, "                  ", "kappa"),
    XML(BM_RANK_LAMBDA, "                  ", "lambda"),
    LINE(BM_RANK_END, "</BlastOutput2>"),
    {0},
};

static const struct bm_rank_row xml2_hit_rows[] = {
    LINE(BM_RANK_HIT, "                <Hit>"),
    LINE(BM_RANK_HIT_END, "                </Hit>"),
    XML(BM_RANK_HIT_NUMBER, "                  ", "num"),
    XML(BM_RANK_HIT_ID, "                      ", "id"),
    XML(BM_RANK_HIT_ACCESSION, "                      ", "accession"),
    XML(BM_RANK_HIT_LENGTH, "                  ", "len"),
    LINE(BM_RANK_HSP, "                    <Hsp>"),
    LINE(BM_RANK_HSP_END, "                    </Hsp>"),
    XML(BM_RANK_HSP_NUMBER, "                      ", "num"),
    XML(BM_RANK_HSP_SCORE, "                      ", "score"),
    XML(BM_RANK_HSP_EVALUE, "                      ", "evalue"),
    XML(BM_RANK_HSP_STRAND, "                      ", "hit-strand"),
    {0},
};

static const struct bm_rank_row json_rows[] = {
    JSON_TEXT(BM_RANK_PROGRAM, "      \"program\": "),
    JSON_TEXT(BM_RANK_DATABASE, "        \"db\": "),
    JSON_TEXT(BM_RANK_MATRIX, "        \"matrix\": "),
    JSON(BM_RANK_EXPECT, "        \"expect\": "),
    JSON(BM_RANK_GAP_OPEN, "        \"gap_open\": "),
    JSON(BM_RANK_GAP_EXTEND, "        \"gap_extend\": "),
    JSON_TEXT(BM_RANK_QUERY_ID, "          \"query_id\": "),
    JSON(BM_RANK_QUERY_LENGTH, "          \"query_len\": "),
    LINE(BM_RANK_HITS, "          \"hits\": ["),
    LINE(BM_RANK_HITS_EMPTY, "          \"hits\": [],"),
    LINE(BM_RANK_HITS_END, "          ],"),
    LINE(BM_RANK_STATISTICS, "          \"stat\": {"),
    JSON(BM_RANK_N_SEQUENCES, "            \"db_num\": "),
    JSON(BM_RANK_N_RESIDUES, "            \"db_len\": "),
    JSON(BM_RANK_HSP_LENGTH, "            \"hsp_len\": "),
    JSON(BM_RANK_SEARCH_SPACE, "            \"eff_space\": "),
    JSON(BM_RANK_KAPPA, "            \"kappa\": "),
    JSON(BM_RANK_LAMBDA, "            \"lambda\": "),
    LINE(BM_RANK_END, "  }"),
    {0},
};

static const struct bm_rank_row json_hit_rows[] = {
    LINE(BM_RANK_HIT, "            {"),
    JSON_END(BM_RANK_HIT_END, "            }"),
    JSON(BM_RANK_HIT_NUMBER, "              \"num\": "),
    JSON_TEXT(BM_RANK_HIT_ID, "                  \"id\": "),
    JSON_TEXT(BM_RANK_HIT_ACCESSION, "                  \"accession\": "),
    JSON(BM_RANK_HIT_LENGTH, "              \"len\": "),
    LINE(BM_RANK_HSP, "                {"),
    JSON_END(BM_RANK_HSP_END, "                }"),
    JSON(BM_RANK_HSP_NUMBER, "                  \"num\": "),
    JSON(BM_RANK_HSP_SCORE, "                  \"score\": "),
    JSON(BM_RANK_HSP_EVALUE, "                  \"evalue\": "),
    JSON_TEXT(BM_RANK_HSP_STRAND, "                  \"hit_strand\": "),
    {0},
};

#define HIT_END(blanks, text) blanks text, sizeof(blanks text) - 1, sizeof(blanks) - 1

static const struct bm_rank_form forms[] = {
    {BLASTMERGE_FORMAT_XML, xml_rows, xml_hit_rows, HIT_END("", "</Hit>"), false},
    {BLASTMERGE_FORMAT_XML2, xml2_rows, xml2_hit_rows, HIT_END("                ", "</Hit>"), false},
    {BLASTMERGE_FORMAT_JSON, json_rows, json_hit_rows, HIT_END("            ", "}"), true},
};

const struct bm_rank_form *bm_rank_form_of(enum blastmerge_format format) {
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
        if (forms[i].format == format) return &forms[i];
    return NULL;
}

/* Whether the line, without its line feed, has this end, behind the row's start. */
static bool ends_with(const struct bm_rank_row *row, const char *text, size_t n_bytes, const char *end,
                      size_t n_end) {
    return n_bytes >= row->n_start + n_end && memcmp(text + n_bytes - n_end, end, n_end) == 0;
}

static struct bm_rank_value find(const struct bm_rank_row *row, const char *text, size_t n_bytes) {
    if (n_bytes > 0 && text[n_bytes - 1] == '\n') n_bytes--;
    for (; row->start != NULL; row++) {
        const size_t at = row->n_start;
        if (n_bytes < at || text[at - 1] != row->start[at - 1] || memcmp(text, row->start, at) != 0) continue;
        size_t n_end = row->n_end;
        if (!ends_with(row, text, n_bytes, row->end, n_end)) {
            if (row->other_end == NULL) continue;
            n_end = strlen(row->other_end);
            if (!ends_with(row, text, n_bytes, row->other_end, n_end)) continue;
        }
        size_t n_value = n_bytes - at - n_end;
        if (row->has_value || n_value == 0) return (struct bm_rank_value){row->kind, at, n_value};
    }
    return (struct bm_rank_value){BM_RANK_OTHER, 0, 0};
}

struct bm_rank_value bm_rank_form_hit_line(const struct bm_rank_form *form, const char *text,
                                           size_t n_bytes) {
    return find(form->hit_rows, text, n_bytes);
}

struct bm_rank_value bm_rank_form_line(const struct bm_rank_form *form, const char *text, size_t n_bytes) {
    struct bm_rank_value value = find(form->hit_rows, text, n_bytes);
    return value.kind != BM_RANK_OTHER ? value : find(form->rows, text, n_bytes);
}

bool bm_rank_form_is_hit_end(const struct bm_rank_form *form, const char *text, size_t n_bytes) {
    if (n_bytes < form->n_hit_end || memcmp(text, form->hit_end, form->n_hit_end) != 0) return false;
    return bm_rank_form_line(form, text, n_bytes).kind == BM_RANK_HIT_END;
}
