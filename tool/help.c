/* SPDX-License-Identifier: MIT */
#include "options.h"

#include <stdio.h>
#include <string.h>

static const struct {
    unsigned bit;
    const char *text;
} usages[] = {
    {TOOL_MERGE, "Usage: blastmerge [merge] [OPTION]... CHILD...\n"
                 "Merge the result files of a split BLAST search (children), in the order given,\n"
                 "into the one result of the whole search.\n\n"
                 "  blastmerge --as-unsplit --sort natural -o merged.xml.gz batch_*.xml.gz\n\n"},
    {TOOL_CHECK, "Usage: blastmerge check [OPTION]... CHILD...\n"
                 "Read and check the result files of a split BLAST search (children), write no\n"
                 "result, and show what each of them holds.\n\n"
                 "  blastmerge check --sort natural batch_*.xml.gz\n\n"},
    {TOOL_FINALIZE, "Usage: blastmerge finalize [OPTION]... JOB\n"
                    "Write a parent job's result, report and manifest once its children have ended.\n"
                    "JOB is a JSON file, or - for standard input: see blastmerge(1).\n\n"
                    "  blastmerge finalize job.json\n\n"},
    {TOOL_SHARDS, "Usage: blastmerge shards [OPTION]... SHARD...\n"
                  "Merge results of all queries, each against a part of the database, in database\n"
                  "order, into the result of one search of the whole database.\n\n"
                  "  blastmerge shards --db nt -o merged.xml.gz shard_*.xml.gz\n\n"
                  "Or write alias files, so that searches of parts have the whole's statistics:\n\n"
                  "  blastmerge shards --alias-parts -o FOLDER PART...\n"
                  "  blastmerge shards --alias K -o FOLDER DATABASE\n\n"},
    {TOOL_COUNT, "Usage: blastmerge count [OPTION]... CHILD\n"
                 "Read and check one child on its own, and write its tally, for a merge in parts.\n\n"
                 "  blastmerge count -o child_17.tally child_17.xml.gz\n\n"},
    {TOOL_PLAN, "Usage: blastmerge plan [OPTION]... TALLY...\n"
                "Compare the children that were counted, in their order, and plan their parts.\n\n"
                "  blastmerge plan -o plan.json child_*.tally --sort natural\n\n"},
    {TOOL_PART, "Usage: blastmerge part --plan FILE [OPTION]... [CHILD]\n"
                "Make one child's part of the result. Without --number, it is the array task's\n"
                "(Slurm, Grid Engine, Kubernetes, AWS Batch, Azure Batch).\n\n"
                "  blastmerge part --plan plan.json --number 17 -o part_17.gz\n\n"},
    {TOOL_JOIN, "Usage: blastmerge join --plan FILE [OPTION]... PART...\n"
                "Join all parts of a plan, given in any order, to the result.\n\n"
                "  blastmerge join --plan plan.json -o merged.xml.gz part_*.gz\n\n"},
    {TOOL_INDEX, "Usage: blastmerge index [OPTION]... FILE...\n"
                 "Check results, and write for each an index (FILE.bmi, an SQLite database), from\n"
                 "which get finds a query without reading all of FILE.\n\n"
                 "  blastmerge index merged.xml.gz\n\n"},
    {TOOL_GET, "Usage: blastmerge get [OPTION]... FILE QUERY...\n"
               "Write a document with just the Iterations of some queries of a result: ids,\n"
               "first words of definitions, or accessions in these. With an index (blastmerge\n"
               "index) it takes no time.\n\n"
               "  blastmerge get merged.xml.gz P12345 Q67890\n\n"},
};

static void show_row(const struct tool_row *row) {
    char names[40];
    (void)snprintf(names, sizeof names, "%c%c%c --%s %s", row->letter ? '-' : ' ',
                   row->letter ? row->letter : ' ', row->letter ? ',' : ' ', row->name,
                   row->argument != NULL ? row->argument : "");
    tool_print("  %-26s %s\n", names, row->help);
}

static void show_overview(void) {
    tool_print("Merge the result files of a split BLAST search: XML, JSON, tables, archives.\n"
               "Usage: blastmerge [OPTION]... CHILD...        merge children\n"
               "       blastmerge check [OPTION]... CHILD...  read and check, write no result\n"
               "       blastmerge finalize [OPTION]... JOB    write the result of a parent job\n"
               "       blastmerge shards [OPTION]... SHARD... merge searches of database parts\n"
               "       blastmerge count, plan, part, join     merge on many machines\n"
               "       blastmerge index, get                  one query out of a result\n"
               "       blastmerge help COMMAND                show all options of a command\n"
               "A CHILD is a file (-outfmt 5, 6, 7, 10, 11, 15, 16), -, az://, s3://, https://.\n");
    for (const struct tool_row *row = tool_rows; row < tool_rows + tool_n_rows; row++)
        if (row->is_common) show_row(row);
    tool_print("Example: blastmerge --as-unsplit --sort natural -o all.xml.gz batch_*.xml.gz\n");
}

enum blastmerge_status tool_help(const struct tool_command *command) {
    if (command == NULL || command->bit == 0) {
        show_overview();
        return tool_flush_output();
    }
    for (size_t i = 0; i < sizeof usages / sizeof usages[0]; i++)
        if (usages[i].bit == command->bit) tool_put(usages[i].text, strlen(usages[i].text));
    for (const struct tool_row *row = tool_rows; row < tool_rows + tool_n_rows; row++)
        if (row->commands & ~row->silent & command->bit) show_row(row);
    return tool_flush_output();
}

enum blastmerge_status tool_version(void) {
    tool_print("blastmerge %s\n%s\n", blastmerge_version(), blastmerge_features());
    return tool_flush_output();
}
