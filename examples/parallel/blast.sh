#!/bin/sh
# SPDX-License-Identifier: MIT
# Searches on all processors of one machine with GNU parallel, and merges.
#
#     blast.sh QUERIES.fa DATABASE RESULT.xml.gz
#
# No files are needed in between: parallel splits the queries, keeps the order of the results, and blastmerge reads them one
# after another. BLASTP_OPTIONS are options for the searches.
set -eu
# shellcheck disable=SC2086 # options are words
parallel --will-cite --keep-order --pipe --recstart '>' -N "${QUERIES_EACH:-4}" \
    blastp -db "$2" -outfmt 5 ${BLASTP_OPTIONS-} <"$1" |
    blastmerge --as-unsplit -f -o "$3" -
