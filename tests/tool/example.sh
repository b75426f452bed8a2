#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs an example from FASTA to the merged result, and compares that with the unsplit search of real BLAST.
#
#     tests/tool/example.sh parallel|slurm|snakemake|cwl PROGRAM
#
# One search fails the first time it is run, and in Slurm one is killed. An engine that is not there is an error.
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
ln -s "$program" "$room/bin/blastmerge"
cd "$room"

for need in blastp makeblastdb; do
    command -v $need >/dev/null || { echo "$need is missing: apt install ncbi-blast+" && exit 1; }
done
proteins=/usr/share/doc/mmseqs2/example-data
gzip -dc $proteins/DB.fasta.gz | awk '/^>/ { n++ } n <= 400' >db.fa
gzip -dc $proteins/QUERY.fasta.gz | awk '/^>/ { n++ } n <= 10' >queries.fa
makeblastdb -in db.fa -dbtype prot -out proteins >/dev/null
blastp -query queries.fa -db "$room/proteins" -outfmt 5 -evalue 0.001 >whole.xml

# A blastp that fails the first time it has the second file of queries, and kills its task the first time it has the third.
real=$(command -v blastp)
cat >bin/blastp <<END
#!/bin/sh
case "\$*" in
*/2.fa* | "-query 2.fa"*) [ -e "$room/failed" ] || { : >"$room/failed"; echo "no search today" >&2; exit 1; } ;;
"-query 3.fa"*) [ "$engine" != slurm ] || [ -e "$room/killed" ] || { : >"$room/killed"; kill -9 \$\$; } ;;
esac
exec "$real" "\$@"
END
chmod +x bin/blastp
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
    [ -e killed ] || { echo "no task was killed" && exit 1; }
    grep -q 'by SLURM_ARRAY_TASK_ID' work/part.*.log
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

[ -e failed ] || { echo "no task has failed" && exit 1; }
gzip -dc merged.xml.gz | cmp - whole.xml
echo "$engine: the result is that of the unsplit search"
