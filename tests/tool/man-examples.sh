#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs the commands of blastmerge.1's EXAMPLES, one after the other in one folder, with the real children of
# tests/data: each must succeed and warn of nothing, and each result must be whole.
#
#     tests/tool/man-examples.sh PROGRAM
set -eu

top=$(cd "$(dirname "$0")/../.." && pwd)
program=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
mkdir "$room/bin" "$room/work"
ln -s "$program" "$room/bin/blastmerge"
PATH=$room/bin:$PATH
cp "$top"/tests/data/batch_*.xml.gz "$room/work"
cd "$room/work"

# A command begins behind "$ " and ends with its block.
awk -v room="$room" '
    /^\.Sh / { examples = $2 == "EXAMPLES" }
    !examples { next }
    /^\.Ed/ { file = "" }
    sub(/^\$ /, "") { file = sprintf("%s/command_%02d", room, ++n) }
    file != "" { gsub(/\\-/, "-"); gsub(/\\e/, "\\"); print > file }
' "$top/docs/man/blastmerge.1"

n=0
for command in "$room"/command_*; do
    n=$((n + 1))
    sed 's/^/$ /' "$command"
    code=0
    sh "$command" >"$room/out" 2>"$room/err" || code=$?
    cat "$room/out" "$room/err" | head -n 20
    if [ $code -ne 0 ] || grep -q 'warning' "$room/err"; then
        echo "FAILED: exit code $code"
        exit 1
    fi
done
[ $n -ge 6 ]
for result in merged pair small joined; do gzip -t $result.xml.gz; done

# What they say they do: all the queries, and those of the first two children.
whole=$(gzip -dc batch_*.xml.gz | grep -c '<Iteration>')
[ "$(gzip -dc merged.xml.gz | grep -c '<Iteration>')" -eq "$whole" ]
[ "$(gzip -dc small.xml.gz | grep -c '<Iteration>')" -eq "$whole" ]
[ "$(gzip -dc pair.xml.gz | grep -c '<BlastOutput_db>nr<')" -eq 1 ]
cmp merged.xml.gz joined.xml.gz
grep -q '"batch_\|standard input\|"-"' report.json
echo "$n examples do what they say"
