# SPDX-License-Identifier: MIT
# Completion of blastmerge's command line for bash.

_blastmerge_words() {
    mapfile -t COMPREPLY < <(compgen -W "$1" -- "$2")
}

# Names of files, one reply each whatever they hold; readline quotes and marks folders.
_blastmerge_files() {
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -f -- "$1")
}

# The options of a command; of merge, too, where no command is named.
_blastmerge_options() {
    local always='--threads --quiet --verbose --progress --no-progress --help --version'
    local remote='--memory --endpoint' output='--output --force' list='--files-from --null' form='--level --plain --gzip --bgzf'
    local name='--db --keep-db'
    local content='--as-unsplit --query-ids --format --header --allow-empty --invalid-utf8 --forbidden-characters'
    local queries='--expect-queries --order-by-queries --missing'
    case $1 in
    check) echo "$always --force $list --db $content --mismatch --sort --expect-children $queries $remote --temp-limit --report --html" ;;
    finalize) echo "$always $name $content --mismatch --level $remote --temp-limit --html --strict" ;;
    shards)
        echo "$always $output $list --db --format --allow-empty --invalid-utf8 --expect-children --expect-queries $form $remote
            --report --html --index --max-target-seqs --window --round-robin --sizes --order --order-descending --columns
            --drop-columns --recompute --evalue --alias-parts --alias --shards --count --plan --number"
        ;;
    count) echo "$always $output $content --expect-queries --missing --salvage $remote --report" ;;
    plan) echo "$always $output $list $name $content --mismatch --sort --expect-children --expect-queries --salvage $remote" ;;
    part) echo "$always $output $remote --report --plan --number" ;;
    join) echo "$always $output $list $remote --plan" ;;
    index) echo "$always --force --format --index-file --restart-distance --definitions" ;;
    get) echo "$always $output $form $remote --report --index-file --numbers --from --renumber" ;;
    *) echo "$always $output $list $name $content --mismatch --sort --expect-children $queries --salvage $form $remote --temp-limit --report --html --index" ;;
    esac
}

_blastmerge() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
    COMPREPLY=()
    # "--sort=nat" arrives as three words, since = parts words.
    if [[ $current == = ]]; then
        current=
    elif [[ $previous == = ]]; then
        previous=${COMP_WORDS[COMP_CWORD - 2]}
    fi

    case $previous in
    --mismatch) _blastmerge_words 'error warn ignore' "$current" && return ;;
    --invalid-utf8) _blastmerge_words 'error latin1 keep' "$current" && return ;;
    --forbidden-characters) _blastmerge_words 'error replace keep' "$current" && return ;;
    --format) _blastmerge_words 'xml xml2 json commented tabular csv archive auto' "$current" && return ;;
    --header) _blastmerge_words 'once keep none' "$current" && return ;;
    --query-ids) _blastmerge_words 'auto keep renumber' "$current" && return ;;
    --sort) _blastmerge_words 'natural none' "$current" && return ;;
    --level) _blastmerge_words '1 2 3 4 5 6 7 8 9' "$current" && return ;;
    -t | --threads) _blastmerge_words '0 1 2 4 8' "$current" && return ;;
    --db | --max-target-seqs | --sizes | --columns | --drop-columns | --evalue | --alias | --shards | --restart-distance | --expect-children | --number | --numbers | --memory | --temp-limit | --endpoint) return ;;
    -o | --output | --files-from | --order | --expect-queries | --missing | --plan | --report | --html | --index-file | --from) _blastmerge_files "$current" && return ;;
    esac

    if [[ ${COMP_WORDS[1]} == help ]] && ((COMP_CWORD == 2)); then
        _blastmerge_words 'merge check finalize shards count plan part join index get' "$current"
        return
    fi
    if [[ $current == -* ]]; then
        _blastmerge_words "$(_blastmerge_options "${COMP_WORDS[1]}")" "$current"
        return
    fi
    _blastmerge_files "$current"
    if ((COMP_CWORD == 1)); then
        mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -W 'merge check finalize shards count plan part join index get help version' -- "$current")
    fi
}

complete -F _blastmerge blastmerge
