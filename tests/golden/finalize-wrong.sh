mkdir results
job() { printf '{"schema": "blastmerge-finalize-job", "schema_version": 1, "storage_prefix": "results",%s}\n' "$1" >job.json; }
try blastmerge finalize
try blastmerge finalize a b
try blastmerge finalize nothing.json
try blastmerge finalize -o x a
try blastmerge finalize --sort natural a
try blastmerge --strict a
echo '{"schema": ' >job.json
try blastmerge finalize job.json
echo '[]' >job.json
try blastmerge finalize job.json
echo '{}' >job.json
try blastmerge finalize job.json
job '"parent": "p"'
try blastmerge finalize job.json
job '"parent": {"job_id": "../p"}'
try blastmerge finalize job.json
job '"parent": {"job_id": "p", "prefix": "2024"}'
try blastmerge finalize job.json
job '"parent": {"job_id": "p"}, "expected_children": 3'
try blastmerge finalize job.json
job '"parent": {"job_id": "p"}, "expected_child_count": "3"'
try blastmerge finalize job.json
job '"parent": {"job_id": "p"}, "expected_child_count": 1, "children": [{"job_id": "c", "state": "completed"}]'
try blastmerge finalize job.json
job '"parent": {"job_id": "p"}, "expected_child_count": 1, "children": [{"job_id": "p", "status": "completed"}]'
try blastmerge finalize job.json
job '"parent": {"job_id": "p"}, "expected_child_count": -1, "children": []'
try blastmerge finalize job.json
ls -A results
