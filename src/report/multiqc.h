/* SPDX-License-Identifier: MIT */
/*
 * multiqc - the report as MultiQC reads it (custom content, docs/report.md): a table with a row for each child.
 */
#ifndef BM_REPORT_MULTIQC_H
#define BM_REPORT_MULTIQC_H

#include "report/report.h"

/* Returns whether a report of that name is for MultiQC, which finds such files by their names. NULL: it has none. */
bool bm_report_is_for_multiqc(const char *location);

/* Make members of the file's object: those before its rows; a row, the only member of an object; and those behind the
 * rows. number: the child's, from 1. status: a word for how it ended. NULL: out of memory. */
bm_report_json *bm_report_multiqc_head(const char *location);
bm_report_json *bm_report_multiqc_row(uint64_t number, const char *status,
                                      const struct blastmerge_child *child);
bm_report_json *bm_report_multiqc_tail(const char *command, const struct blastmerge_report *totals,
                                       const struct blastmerge_error *fault);

#endif
