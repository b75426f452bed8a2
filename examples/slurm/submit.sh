#!/bin/sh
# SPDX-License-Identifier: MIT
# Submits a split search and its merge to Slurm: an array of searches, one plan, an array of parts, one join.
#
#     submit.sh QUERIES.fa DATABASE RESULT.xml.gz FOLDER
#
# FOLDER is shared by all nodes. Prints the id of the last job. A task that fails is requeued up to twice (task.sh); one that
# is killed with its node is requeued by Slurm. Each step can be run again.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$4"
FOLDER=$(cd "$4" && pwd)
DATABASE=$2
RESULT=$3
n=$("$here/../split-fasta" "$1" "${N_PARTS:-4}" "$FOLDER")
export FOLDER DATABASE RESULT

submit() { # submit STEP OPTION...: prints the job's id
    step=$1
    shift
    sbatch --parsable --requeue --open-mode=append --output="$FOLDER/$step.%a.log" --job-name="$step" --export=ALL "$@" \
        "$here/task.sh" "$step"
}
search=$(submit search --array="1-$n")
plan=$(submit plan --dependency="afterok:$search")
part=$(submit part --array="1-$n" --dependency="afterok:$plan")
submit join --dependency="afterok:$part"
