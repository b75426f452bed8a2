#!/bin/sh
# SPDX-License-Identifier: MIT
# The examples that are not run have the form that their engines read: YAML, JSON, shell. And each says that it is not run.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
cd "$top/examples"
/usr/bin/python3 - <<'END'
import json
import yaml
jobs = list(yaml.safe_load_all(open("kubernetes/jobs.yaml", encoding="utf-8")))
assert [job["metadata"]["name"] for job in jobs] == ["count", "plan", "part", "join"]
assert all(job["kind"] == "Job" and job["spec"]["template"]["spec"]["restartPolicy"] == "Never" for job in jobs)
assert json.load(open("aws-batch/job-definition.json", encoding="utf-8"))["type"] == "container"
tasks = json.load(open("azure-batch/tasks.json", encoding="utf-8"))["tasks"]
ids = [task["id"] for task in tasks]
assert all(set(task.get("dependsOn", {}).get("taskIds", [])) <= set(ids[:i]) for i, task in enumerate(tasks))
END
sh -n aws-batch/submit.sh
for file in nextflow/main.nf kubernetes/jobs.yaml aws-batch/submit.sh azure-batch/tasks.json; do
    grep -q 'NOT RUN' $file || { echo "$file does not say that it is not run" && exit 1; }
done
echo "the examples that are not run can be read"
