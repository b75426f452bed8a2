#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs an example from FASTA to the merged result, and compares that with the unsplit search of real BLAST.
#
#     tests/tool/example.sh parallel|slurm|snakemake|cwl PROGRAM
#
# One search fails the first time it is run. In Slurm and Snakemake another one is killed, and so is the making of a part; and
# Slurm kills a task and requeues it. An engine that is not there is an error.
set -eu

engine=$1
top=$(cd "$(dirname "$0")/../.." && pwd)
program=$(cd "$(dirname "$2")" && pwd)/$(basename "$2")
room=$(mktemp -d)
clean() {
    [ ! -e "$room/slurm/slurm.conf" ] || "$top/scripts/slurm-local" stop "$room/slurm" || true
    rm -rf "$room"
}
trap clean EXIT
mkdir "$room/bin"
cd "$room"

for need in blastp makeblastdb; do
    command -v $need >/dev/null || { echo "$need is missing: apt install ncbi-blast+" && exit 1; }
done
proteins=/usr/share/doc/mmseqs2/example-data
gzip -dc $proteins/DB.fasta.gz | awk '/^>/ { n++ } n <= 400' >db.fa
gzip -dc $proteins/QUERY.fasta.gz | awk '/^>/ { n++ } n <= 10' >queries.fa
makeblastdb -in db.fa -dbtype prot -out proteins >/dev/null
blastp -query queries.fa -db "$room/proteins" -outfmt 5 -evalue 0.001 >whole.xml

# A blastp that fails the first time it has the second file of queries, and is killed the first time it has the third. With the
# fourth, Slurm kills all of the task. And a blastmerge that is killed the first time it is to make a part.
real=$(command -v blastp)
cat >bin/blastp <<END
#!/bin/sh
case "\$*" in
*/2.fa* | "-query 2.fa"*) [ -e "$room/failed" ] || { : >"$room/failed"; echo "no search today" >&2; exit 1; } ;;
*/3.fa* | "-query 3.fa"*) [ -e "$room/killed" ] || { : >"$room/killed"; kill -9 \$\$; } ;;
"-query 4.fa"*) [ -e "$room/requeued" ] || { : >"$room/requeued"; scontrol requeue "\$SLURM_JOB_ID"; exec sleep 600; } ;;
esac
exec "$real" "\$@"
END
cat >bin/blastmerge <<END
#!/bin/sh
[ "\$1" != part ] || [ -e "$room/part_killed" ] || { : >"$room/part_killed"; kill -9 \$\$; }
exec "$program" "\$@"
END
chmod +x bin/blastp bin/blastmerge
case $engine in
slurm) ;;
snakemake) : >requeued ;;
*) : >killed && : >requeued && : >part_killed ;;
esac
PATH=$room/bin:$PATH
BLASTP_OPTIONS="-evalue 0.001"
N_PARTS=4
export PATH BLASTP_OPTIONS N_PARTS

case $engine in
parallel)
    command -v parallel >/dev/null || { echo "GNU parallel is missing: apt install parallel" && exit 1; }
    : >failed # the pipe has no file to fail with
    "$top/examples/parallel/blast.sh" queries.fa "$room/proteins" piped.xml.gz
    gzip -dc piped.xml.gz | cmp - whole.xml
    rm failed
    "$top/examples/parallel/parts.sh" queries.fa "$room/proteins" merged.xml.gz "$room/work"
    ;;
slurm)
    "$top/scripts/slurm-local" start "$room/slurm"
    SLURM_CONF=$room/slurm/slurm.conf
    export SLURM_CONF
    last=$("$top/examples/slurm/submit.sh" queries.fa "$room/proteins" "$room/merged.xml.gz" "$room/work")
    tries=0
    until [ -e merged.xml.gz ] || [ $tries -ge 240 ]; do
        tries=$((tries + 1))
        sleep 1
        # Slurm has a requeued task wait for two minutes.
        squeue -h -t PD -o '%A %r' | sed -n 's/ BeginTime$//p' | while read -r id; do
            scontrol update jobid="$id" starttime=now || true
        done
    done
    [ -e merged.xml.gz ] || { squeue && scontrol show job "$last" && cat work/*.log && exit 1; }
    grep -q 'by SLURM_ARRAY_TASK_ID' work/part.*.log
    grep -q 'DUE TO JOB REQUEUE' work/search.4.log || { cat work/search.4.log && exit 1; }
    ;;
snakemake)
    command -v snakemake >/dev/null || { echo "snakemake is missing: apt install snakemake" && exit 1; }
    HOME=$room snakemake --quiet --cores 2 --retries 1 --snakefile "$top/examples/snakemake/Snakefile" \
        --config queries=queries.fa database="$room/proteins" result=merged.xml.gz "blastp_options=$BLASTP_OPTIONS"
    ;;
cwl)
    command -v cwltool >/dev/null || { echo "cwltool is missing: apt install cwltool" && exit 1; }
    : >failed # an engine that tries once
    HOME=$room cwltool --quiet --preserve-environment PATH "$top/examples/cwl/blast.cwl" --queries queries.fa \
        --split_program "$top/examples/split-fasta" --n_parts 4 --database "$room/proteins" >/dev/null
    ;;
*)
    echo "which example?" && exit 1
    ;;
esac

for name in failed killed requeued part_killed; do
    [ -e $name ] || { echo "nothing was $name" && exit 1; }
done
gzip -dc merged.xml.gz | cmp - whole.xml
echo "$engine: the result is that of the unsplit search"
