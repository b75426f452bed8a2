# A parent and its two children, of three queries.
mkdir results results/c1 results/c2
child results/c1/merged_results.out.gz 1 2
child results/c2/merged_results.out.gz 3 1
echo '{"outfmt": 5, "queries": 2, "total_input_hits": 7, "max_target_seqs": 500, "warnings": ["slow"]}' \
    >results/c1/merge-report.json
job() {
    printf '{"schema": "blastmerge-finalize-job", "schema_version": 1, "storage_prefix": "results",\n'
    printf ' "parent": {"job_id": "p"}, "expected_child_count": 2,\n'
    printf ' "children": [{"job_id": "c1", "group_id": "g", "status": "completed"},\n'
    printf '              {"job_id": "c2", "status": "%s"}]}\n' "$1"
}
show() { try "$@" | sed 's/_result_size": [0-9]*/_result_size": N/g'; }
job running >running.json
job failed >failed.json
job completed >job.json
show blastmerge finalize running.json
show blastmerge finalize failed.json
show blastmerge finalize job.json
echo '{"outfmt": 5, "queries": 2, "max_target_seqs": 500}' >results/c2/merge-report.json
show blastmerge finalize --strict job.json
ls results/p
show blastmerge finalize - <job.json
ls -A results/p
gzip -dc results/p/merged_results.out.gz | grep iter-num
cat results/p/merge-report.json
sed 's/_result_size": [0-9]*/_result_size": N/g; s/"created_at": "[^"]*"/"created_at": "..."/' results/p/split-results-manifest.json
show blastmerge finalize --quiet job.json
