# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# What the cases share: small children and small words.

# text FIRST N [PROGRAM [DATABASE]]: a document with N Iterations from the query FIRST on, one hit for each
# odd query.
text() {
    printf '<?xml version="1.0"?>\n<!DOCTYPE BlastOutput PUBLIC "-//NCBI//NCBI BlastOutput/EN" '
    printf '"http://www.ncbi.nlm.nih.gov/dtd/NCBI_BlastOutput.dtd">\n<BlastOutput>\n'
    printf '  <BlastOutput_program>%s</BlastOutput_program>\n' "${3-blastp}"
    printf '  <BlastOutput_version>BLASTP 2.12.0+</BlastOutput_version>\n'
    printf '  <BlastOutput_db>%s</BlastOutput_db>\n<BlastOutput_iterations>\n' "${4-nr}"
    query=$1
    while [ "$query" -lt $(($1 + $2)) ]; do
        printf '<Iteration>\n  <Iteration_iter-num>%d</Iteration_iter-num>\n' $((query - $1 + 1))
        printf '  <Iteration_query-def>query %d</Iteration_query-def>\n<Iteration_hits>\n' "$query"
        [ $((query % 2)) -eq 0 ] ||
            printf '<Hit>\n  <Hit_hsps>\n    <Hsp>\n    </Hsp>\n  </Hit_hsps>\n</Hit>\n'
        printf '</Iteration_hits>\n</Iteration>\n'
        query=$((query + 1))
    done
    printf '</BlastOutput_iterations>\n</BlastOutput>\n\n'
}

# child NAME FIRST N [PROGRAM [DATABASE]]: the same, compressed, as a file.
child() {
    name=$1
    shift
    text "$@" | gzip -n >"$name"
}

# three: batch_1.xml.gz to batch_3.xml.gz, six queries in all.
three() {
    child batch_1.xml.gz 1 3
    child batch_2.xml.gz 4 1
    child batch_3.xml.gz 5 2
}

# three_plain: the same without .gz, for cases that show sizes, which depend on the gzip at hand.
three_plain() {
    text 1 3 >batch_1.xml
    text 4 1 >batch_2.xml
    text 5 2 >batch_3.xml
}

# try COMMAND...: shows it, its standard output and error as they come, and its exit code.
try() {
    printf '$'
    for word; do
        case $word in
        '' | *[!A-Za-z0-9_./=-]*) printf " '%s'" "$word" ;;
        *) printf ' %s' "$word" ;;
        esac
    done
    echo
    code=0
    "$@" 2>&1 || code=$?
    echo "[$code]"
}
