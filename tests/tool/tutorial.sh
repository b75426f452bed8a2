#!/bin/bash
# SPDX-License-Identifier: MIT
# Runs the commands of docs/tutorial.md, one block after the other in one folder, with real BLAST, and looks whether they show
# what the page says.
#
#     tests/tool/tutorial.sh PROGRAM
set -euo pipefail

top=$(cd "$(dirname "$0")/../.." && pwd)
program=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
mkdir "$room/bin"
ln -s "$program" "$room/bin/blastmerge"
PATH=$room/bin:$PATH
awk '/^```sh$/ { inside = 1; next } /^```$/ { inside = 0 } inside' "$top/docs/tutorial.md" >"$room/commands"
cd "$room"
bash -euxo pipefail commands >out 2>err || { cat out err && exit 1; }
cat out err

# The blocks ran to the last one, and each fault ended with the code that the page names.
[ -s tutorial/salvaged.xml.gz ] && [ ! -e tutorial/incomplete.xml.gz ] && [ ! -e tutorial/cut.xml.gz ]
[ "$(grep -o 'exit code [0-9]*' out | tr '\n' ' ')" = "exit code 4 exit code 3 exit code 3 exit code 11 exit code 11 " ]
grep -q 'queries in a row have no Iteration: number 5' err
gzip -dc tutorial/merged.xml.gz | cmp - tutorial/whole.xml
[ "$(grep -c '^>' tutorial/missing.fasta)" = 5 ]
gzip -dc tutorial/finished.xml.gz | cmp - tutorial/whole.xml
echo "the tutorial does what it says"
