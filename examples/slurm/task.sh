#!/bin/sh
# SPDX-License-Identifier: MIT
# One task of submit.sh. The number of the search and of the part is SLURM_ARRAY_TASK_ID, which blastmerge reads itself.
i=${SLURM_ARRAY_TASK_ID-}
cd "$FOLDER" || exit 1

step() {
    case $1 in
    search)
        # shellcheck disable=SC2086 # options are words
        blastp -query "$i.fa" -db "$DATABASE" -outfmt 5 ${BLASTP_OPTIONS-} -out "$i.xml" &&
            gzip -f "$i.xml" && blastmerge count --as-unsplit -o "$i.tally" "$i.xml.gz"
        ;;
    plan) blastmerge plan --sort natural -o plan.json ./*.tally ;;
    part) blastmerge part --verbose --plan plan.json -o "$i.part.gz" ;;
    join) blastmerge join --plan plan.json -o "$RESULT" ./*.part.gz ;;
    esac
}

step "$1" && exit 0
code=$?
[ "${SLURM_RESTART_COUNT:-0}" -ge 2 ] || scontrol requeue "$SLURM_JOB_ID"
exit $code
