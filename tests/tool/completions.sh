#!/bin/sh
# SPDX-License-Identifier: MIT
# The completions parse, and complete a few lines as one would expect. zsh is asked only where it is there.
set -eu

top=$(cd "$(dirname "$0")/../.." && pwd)
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
cd "$room"
touch 'a b.xml.gz' batch_1.xml.gz batch_2.xml.gz

# replies WORD...: what bash offers for the last word.
replies() {
    # shellcheck disable=SC2016 # bash expands these, not this shell
    bash -c '
        . "$0"
        COMP_WORDS=(blastmerge "$@") COMP_CWORD=$#
        _blastmerge
        printf "%s\n" "${COMPREPLY[@]}"' "$top/completions/blastmerge.bash" "$@" | sort | paste -s -d "|" -
}

expect() {
    expected=$1
    shift
    found=$(replies "$@")
    [ "$found" = "$expected" ] || {
        echo "blastmerge $*: '$found' where '$expected' was expected"
        exit 1
    }
}

bash -n "$top/completions/blastmerge.bash"
expect 'check' ch
expect 'finalize' 'fi'
expect 'help' he
expect 'check|finalize|merge|shards' help ''
expect '' x ch
expect 'a b.xml.gz' a
expect 'batch_1.xml.gz|batch_2.xml.gz' -o x.gz ba
expect '--expect-children|--expect-queries' --ex
expect 'natural' --sort na
expect 'natural' --sort = na
expect 'error|ignore|warn' --mismatch =
expect 'xml|xml2' --format x
expect 'latin1' --invalid-utf8 l
expect '' --db b

if command -v zsh >/dev/null; then
    zsh -n "$top/completions/_blastmerge"
    # The function loads, and compinit takes its first line for blastmerge.
    # shellcheck disable=SC2016
    zsh -f -c '
        fpath=("$1" $fpath)
        autoload -Uz compinit && compinit -u -d "$2/dump"
        [[ $_comps[blastmerge] == _blastmerge ]] && autoload +X -Uz _blastmerge' zsh "$top/completions" "$room"
fi
