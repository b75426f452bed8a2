#!/bin/sh
# SPDX-License-Identifier: MIT
# completions.sh PROGRAM: the completions parse, and complete a few lines as one would expect; bash offers the options that each
# command's help has. zsh and fish are asked only where they are there.
set -eu
program=$(realpath "$1")

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
expect 'count' cou
expect 'finalize' 'fi'
expect 'help' he
expect 'check|count|finalize|get|index|join|merge|part|plan|shards' help ''
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
for command in merge check finalize shards count plan part join index get; do
    offered=$(replies $command -- | tr '|' '\n')
    listed=$("$program" help $command | sed -nE 's/^ +(-., )?(--[a-z0-9-]+).*/\2/p' | sort -u)
    [ "$offered" = "$listed" ] || {
        echo "blastmerge $command: bash offers other options than its help has:"
        printf '%s\n' "$offered" "$listed" | sort | uniq -u
        exit 1
    }
done

if command -v zsh >/dev/null; then
    zsh -n "$top/completions/_blastmerge"
    # The function loads, and compinit takes its first line for blastmerge.
    # shellcheck disable=SC2016
    zsh -f -c '
        fpath=("$1" $fpath)
        autoload -Uz compinit && compinit -u -d "$2/dump"
        [[ $_comps[blastmerge] == _blastmerge ]] && autoload +X -Uz _blastmerge' zsh "$top/completions" "$room"
fi

if command -v fish >/dev/null; then
    # fish_replies LINE: what fish offers for the last word.
    fish_replies() {
        # shellcheck disable=SC2016
        HOME=$room fish --no-config -c 'source $argv[1]; complete -C $argv[2]' "$top/completions/blastmerge.fish" "$1" |
            cut -f 1 | sort | paste -s -d "|" -
    }
    fish_expect() {
        found=$(fish_replies "$2")
        [ "$found" = "$1" ] || {
            echo "fish: $2: '$found' where '$1' was expected"
            exit 1
        }
    }
    fish_expect 'check' 'blastmerge ch'
    fish_expect 'check|count|finalize|get|index|join|merge|part|plan|shards' 'blastmerge help '
    fish_expect 'natural|none' 'blastmerge --sort '
    fish_expect '--expect-children|--expect-queries' 'blastmerge --ex'
    fish_expect 'batch_1.xml.gz|batch_2.xml.gz' 'blastmerge -o ba'
fi
