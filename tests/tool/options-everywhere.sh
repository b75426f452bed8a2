#!/bin/sh
# SPDX-License-Identifier: MIT
# Every option of the commands' help is in the man page and in all completions, and these know no others. Every field of
# the library's options is in its man page. Messages name options as the program has them. tests/tool/completions.sh has each command's own options.
#
#     tests/tool/options-everywhere.sh PROGRAM
set -eu

top=$(cd "$(dirname "$0")/../.." && pwd)
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT

words() { grep -o -e '--[a-z][a-z0-9-]*' | sort -u; }
for command in merge check finalize shards count plan part join index get; do "$1" help $command; done | words >"$room/help"
[ -s "$room/help" ]
# mandoc's macros join the words: "Fl Fl files\-from" is --files-from.
sed -n 's/\\-/-/g; /^\.It/p' "$top/docs/man/blastmerge.1" | sed 's/Fl Fl /--/g' | words >"$room/man"
sed 's/#.*//' "$top/completions/blastmerge.bash" | words >"$room/bash"
sed 's/#.*//' "$top/completions/_blastmerge" | words >"$room/zsh"
sed -n 's/^complete -c blastmerge -l \([a-z0-9-]*\).*/--\1/p' "$top/completions/blastmerge.fish" | words >"$room/fish"
for place in man bash zsh fish; do
    echo "== $place"
    diff "$room/help" "$room/$place"
done

echo "== man page of the library"
sed -n '/^struct blastmerge_options {/,/^};/p' "$top/include/blastmerge.h" | tr '\n' ' ' |
    sed -E 's:/\*([^*]|\*+[^*/])*\*+/::g' | tr ';' '\n' |
    sed -n 's/.*(\*\([a-z_0-9]*\))(.*/\1/p; t; s/.*[ *]\([a-z_0-9]*\)$/\1/p' | grep -v '^struct_size$' | sort -u >"$room/fields"
[ "$(wc -l <"$room/fields")" -gt 20 ]
while read -r field; do
    grep -q "^\.Fa .*\b$field\b" "$top/docs/man/blastmerge.3" || { echo "options.$field is not in blastmerge.3"; exit 1; }
done <"$room/fields"

echo "== messages name options as the program has them"
grep -rhoE '"([^"\\]|\\.)*"' "$top/src" "$top/tool" --include='*.c' --include='*.h' | grep ' ' >"$room/texts"
[ "$(wc -l <"$room/texts")" -gt 500 ]
grep _ "$room/fields" | grep -v '^on_' >"$room/names"
if grep -wFf "$room/names" "$room/texts"; then exit 1; fi
