#!/bin/sh
# SPDX-License-Identifier: MIT
# A merge in parts as array jobs of AWS Batch, of children s3://BUCKET/results/batch_0.xml.gz and so on.
# NOT RUN by blastmerge's tests, which only check its syntax.
#
#     aws batch register-job-definition --cli-input-json file://job-definition.json
#     submit.sh BUCKET N QUEUE
#
# AWS_BATCH_JOB_ARRAY_INDEX counts from 0; part takes it by itself, and adds 1. Tallies and the plan are in the bucket, parts
# in a file system that all tasks have (EFS).
set -eu
bucket=$1
n=$2
queue=$3

submit() { # submit NAME COMMAND OPTION...: prints the job's id
    name=$1
    command=$2
    shift 2
    aws batch submit-job --job-name "$name" --job-queue "$queue" --job-definition blastmerge --query jobId --output text \
        --container-overrides "{\"command\": [\"sh\", \"-c\", \"$command\"]}" "$@"
}
# shellcheck disable=SC2016 # the task's shell expands it
i='$AWS_BATCH_JOB_ARRAY_INDEX'
count=$(submit count "blastmerge count --as-unsplit -o s3://$bucket/merge/$i.tally s3://$bucket/results/batch_$i.xml.gz" \
    --array-properties "size=$n")
plan=$(submit plan "blastmerge plan --sort natural --expect-children $n -o s3://$bucket/merge/plan.json 's3://$bucket/merge/*.tally'" \
    --depends-on "jobId=$count")
part=$(submit part "blastmerge part --plan s3://$bucket/merge/plan.json -o /parts/$i.gz" --array-properties "size=$n" \
    --depends-on "jobId=$plan")
submit join "blastmerge join --plan s3://$bucket/merge/plan.json -o s3://$bucket/merged.xml.gz /parts/*.gz" \
    --depends-on "jobId=$part"
