/* SPDX-License-Identifier: MIT */
#include "number/style.h"

#include <string.h>

static const struct bm_number_style styles[] = {
    [BLASTMERGE_FORMAT_XML] = {.joint = "",
                               .joint_open = "\n",
                               .end_tag = "</BlastOutput_iterations>",
                               .form = BM_QUERY_XML,
                               .epilogue = "</BlastOutput_iterations>\n</BlastOutput>\n\n"},
    [BLASTMERGE_FORMAT_XML2] = {.joint = "\n",
                                .joint_open = "\n\n",
                                .end_tag = "</BlastXML2>",
                                .form = BM_QUERY_XML,
                                .hits = "<hits>",
                                .epilogue = "</BlastXML2>\n"},
    [BLASTMERGE_FORMAT_JSON] = {.joint = ",\n",
                                .joint_open = ",\n",
                                .end_tag = "",
                                .form = BM_QUERY_JSON,
                                .hits = "\"hits\":",
                                .epilogue = "]\n}\n"},
    [BLASTMERGE_FORMAT_COMMENTED] = {.joint = "",
                                     .joint_open = "",
                                     .end_tag = "",
                                     .form = BM_QUERY_PLAIN,
                                     .hits = " hits found",
                                     .has_count = true},
    [BLASTMERGE_FORMAT_TABULAR] =
        {.joint = "", .joint_open = "", .end_tag = "", .form = BM_QUERY_PLAIN, .epilogue = ""},
    [BLASTMERGE_FORMAT_CSV] =
        {.joint = "", .joint_open = "", .end_tag = "", .form = BM_QUERY_PLAIN, .epilogue = ""},
    [BLASTMERGE_FORMAT_ARCHIVE] = {.joint = "",
                                   .joint_open = "",
                                   .end_tag = "",
                                   .form = BM_QUERY_PLAIN,
                                   .epilogue = "",
                                   .has_references = true},
};

bool bm_number_style_is_bare(const struct bm_number_style *style, const void *text, size_t n_text) {
    return style->hits != NULL && memmem(text, n_text, style->hits, strlen(style->hits)) == NULL;
}

const struct bm_number_style *bm_number_style_of(enum blastmerge_format format) {
    bm_require(format > BLASTMERGE_FORMAT_AUTO && (size_t)format < sizeof styles / sizeof styles[0]);
    return &styles[format];
}
