#!/bin/sh
# SPDX-License-Identifier: MIT
# completions.sh PROGRAM: the completions parse, and complete a few lines as one would expect; for each command they offer the options
# that its help has. zsh and fish are asked only where they are there.
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

# offers SHELL COMMAND: on standard input is what the shell offers; it is what the command's help has
offers() {
    "$program" help "$2" | sed -nE 's/^ +(-., )?(--[a-z0-9-]+).*/\2/p' | sort -u >listed
    sort -u | diff - listed || {
        echo "$1 offers other options of blastmerge $2 than its help has"
        exit 1
    }
}
commands='merge check finalize shards count plan part join index get'
for command in $commands; do
    replies "$command" -- | tr '|' '\n' | offers bash "$command"
done
replies -- | tr '|' '\n' | offers bash merge

if command -v zsh >/dev/null; then
    zsh -n "$top/completions/_blastmerge"
    # The function loads, and compinit takes its first line for blastmerge.
    # shellcheck disable=SC2016
    zsh -f -c '
        fpath=("$1" $fpath)
        autoload -Uz compinit && compinit -u -d "$2/dump"
        [[ $_comps[blastmerge] == _blastmerge ]] && autoload +X -Uz _blastmerge' zsh "$top/completions" "$room"
    # zsh_replies WORD...: the options that are given to zsh's own _arguments for a line.
    zsh_replies() {
        # shellcheck disable=SC2016
        zsh -f -c '
            file=$1 words=(blastmerge "${@[2,-1]}") CURRENT=$#
            _arguments() { print -rl -- "$@" }
            source $file' zsh "$top/completions/_blastmerge" "$@" | sed -nE 's/^(\([^)]*\)|\*)?(--[a-z0-9-]+).*/\2/p'
    }
    for command in $commands; do
        zsh_replies "$command" '' | offers zsh "$command"
    done
    zsh_replies '' | offers zsh merge
    zsh_replies batch_1.xml.gz '' | offers zsh merge
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
    for command in $commands; do
        fish_replies "blastmerge $command --" | tr '|' '\n' | sed 's/=$//' | offers fish "$command"
    done
    fish_replies 'blastmerge batch_1.xml.gz --' | tr '|' '\n' | offers fish merge
    fish_expect 'check' 'blastmerge ch'
    fish_expect '' 'blastmerge x finali'
    fish_expect 'check|count|finalize|get|index|join|merge|part|plan|shards' 'blastmerge help '
    fish_expect 'natural|none' 'blastmerge --sort '
    fish_expect '--expect-children|--expect-queries' 'blastmerge --ex'
    fish_expect 'batch_1.xml.gz|batch_2.xml.gz' 'blastmerge -o ba'
fi
