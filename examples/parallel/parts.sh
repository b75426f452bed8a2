#!/bin/sh
# SPDX-License-Identifier: MIT
# The steps of a merge in parts, each with GNU parallel: with --sshlogin they run on many machines that share a folder.
#
#     parts.sh QUERIES.fa DATABASE RESULT.xml.gz FOLDER
#
# It can be run again: parallel's --joblog and --resume-failed leave out what is done.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
folder=$4
mkdir -p "$folder"
n=$("$here/split-fasta" "$1" "${N_PARTS:-4}" "$folder")

run() { # run NAME COMMAND: for each number, {}; a task that failed is tried once more
    parallel --will-cite --retries 2 --joblog "$folder/$1.log" --resume-failed "$2" ::: $(seq "$n")
}
run search "blastp -query '$folder/{}.fa' -db '$2' -outfmt 5 ${BLASTP_OPTIONS-} -out '$folder/{}.xml' && gzip -f '$folder/{}.xml'"
run count "blastmerge count --as-unsplit -o '$folder/{}.tally' '$folder/{}.xml.gz'"
blastmerge plan --sort natural --expect-children "$n" -o "$folder/plan.json" "$folder"/*.tally
run part "blastmerge part --plan '$folder/plan.json' --number {} -o '$folder/{}.part.gz'"
blastmerge join --plan "$folder/plan.json" -o "$3" "$folder"/*.part.gz
