#!/bin/sh
# SPDX-License-Identifier: MIT
# Every option of the commands' help is in the man page and in both completions, and these know no others.
#
#     tests/tool/options-everywhere.sh PROGRAM
set -eu

top=$(cd "$(dirname "$0")/../.." && pwd)
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT

words() { grep -o -e '--[a-z][a-z0-9-]*' | sort -u; }
for command in merge check finalize; do "$1" help $command; done | words >"$room/help"
[ -s "$room/help" ]
# mandoc's macros join the words: "Fl Fl files\-from" is --files-from.
sed -n 's/\\-/-/g; /^\.It/p' "$top/docs/man/blastmerge.1" | sed 's/Fl Fl /--/g' | words >"$room/man"
sed 's/#.*//' "$top/completions/blastmerge.bash" | words >"$room/bash"
sed 's/#.*//' "$top/completions/_blastmerge" | words >"$room/zsh"
for place in man bash zsh; do
    echo "== $place"
    diff "$room/help" "$room/$place"
done
