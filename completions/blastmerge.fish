# SPDX-License-Identifier: MIT
# Completion of blastmerge's command line for fish.

# The line's command is one of these. Where none is named, it is merge.
function __blastmerge_takes
    set -l words (commandline -opc)
    set -l command merge
    if contains -- "$words[2]" check finalize shards count plan part join index get
        set command $words[2]
    end
    contains -- $command $argv
end

function __blastmerge_at_first_word
    test (count (commandline -opc)) -eq 1
end

function __blastmerge_after_help
    set -l words (commandline -opc)
    test (count $words) -eq 2; and test $words[2] = help
end

complete -c blastmerge -n __blastmerge_at_first_word -a merge -d "merge children"
complete -c blastmerge -n __blastmerge_at_first_word -a check -d "read and check children, write nothing"
complete -c blastmerge -n __blastmerge_at_first_word -a finalize -d "finalize a parent job"
complete -c blastmerge -n __blastmerge_at_first_word -a shards -d "merge searches of parts of a database"
complete -c blastmerge -n __blastmerge_at_first_word -a count -d "count one child, for a merge in parts"
complete -c blastmerge -n __blastmerge_at_first_word -a plan -d "plan a merge in parts"
complete -c blastmerge -n __blastmerge_at_first_word -a part -d "make one part"
complete -c blastmerge -n __blastmerge_at_first_word -a join -d "join all parts"
complete -c blastmerge -n __blastmerge_at_first_word -a index -d "index a result by its queries"
complete -c blastmerge -n __blastmerge_at_first_word -a get -d "get some queries of a result"
complete -c blastmerge -n __blastmerge_at_first_word -a help -d "show the options of a command"
complete -c blastmerge -n __blastmerge_at_first_word -a version -d "show the version"
complete -c blastmerge -f -n __blastmerge_after_help -a "merge check finalize shards count plan part join index get"

complete -c blastmerge -l output -n "__blastmerge_takes merge shards count plan part join get" -s o -r -F -d "write the result to a file"
complete -c blastmerge -l force -n "__blastmerge_takes merge check shards count plan part join index get" -s f -d "replace the file where it exists"
complete -c blastmerge -l files-from -n "__blastmerge_takes merge check shards plan join" -r -F -d "read names of children from a file"
complete -c blastmerge -l null -n "__blastmerge_takes merge check shards plan join" -d "the names end in NUL bytes"
complete -c blastmerge -l db -n "__blastmerge_takes merge check finalize shards plan" -x -d "database name of the result"
complete -c blastmerge -l keep-db -n "__blastmerge_takes merge finalize plan" -d "keep the database name of the first child"
complete -c blastmerge -l as-unsplit -n "__blastmerge_takes merge check finalize count plan" -d "write what one unsplit run would have written"
complete -c blastmerge -l query-ids -n "__blastmerge_takes merge check finalize count plan" -x -a "auto keep renumber" -d "names that BLAST gave to queries"
complete -c blastmerge -l allow-empty -n "__blastmerge_takes merge check finalize shards count plan" -d "a child of no bytes counts as no queries"
complete -c blastmerge -l format -n "__blastmerge_takes merge check finalize shards count plan index" -x -a "xml xml2 json commented tabular csv archive auto" -d "format of the children"
complete -c blastmerge -l header -n "__blastmerge_takes merge check finalize count plan" -x -a "once keep none" -d "rows of column names in tables"
complete -c blastmerge -l mismatch -n "__blastmerge_takes merge check finalize plan" -x -a "error warn ignore" -d "headers that differ"
complete -c blastmerge -l invalid-utf8 -n "__blastmerge_takes merge check finalize shards count plan" -x -a "error latin1 keep" -d "bytes that are not UTF-8"
complete -c blastmerge -l forbidden-characters -n "__blastmerge_takes merge check finalize count plan" -x -a "error replace keep" -d "characters that XML forbids"
complete -c blastmerge -l sort -n "__blastmerge_takes merge check plan" -x -a "natural none" -d "order of the children"
complete -c blastmerge -l expect-children -n "__blastmerge_takes merge check shards plan" -x -d "another number of children is an error"
complete -c blastmerge -l expect-queries -n "__blastmerge_takes merge check shards count plan" -r -F -d "the queries that were searched"
complete -c blastmerge -l order-by-queries -n "__blastmerge_takes merge check" -d "merge in the order of the queries"
complete -c blastmerge -l missing -n "__blastmerge_takes merge check count" -r -F -d "write the queries without an Iteration"
complete -c blastmerge -l salvage -n "__blastmerge_takes merge count plan" -d "merge what is whole of damaged children"
complete -c blastmerge -l threads -s t -x -a "0 1 2 4 8" -d "number of threads"
complete -c blastmerge -l level -n "__blastmerge_takes merge finalize shards get" -x -a "1 2 3 4 5 6 7 8 9" -d "compress afresh"
complete -c blastmerge -l plain -n "__blastmerge_takes merge shards get" -d "write the result uncompressed"
complete -c blastmerge -l gzip -n "__blastmerge_takes merge shards get" -d "write the result as gzip"
complete -c blastmerge -l bgzf -n "__blastmerge_takes merge shards get" -d "write the result as blocked gzip"
complete -c blastmerge -l memory -n "__blastmerge_takes merge check finalize shards count plan part join get" -x -d "memory"
complete -c blastmerge -l temp-limit -n "__blastmerge_takes merge check finalize" -x -d "temporary files"
complete -c blastmerge -l endpoint -n "__blastmerge_takes merge check finalize shards count plan part join get" -x -d "URL of the object store"
complete -c blastmerge -l report -n "__blastmerge_takes merge check shards count part get" -r -F -d "write a report (JSON)"
complete -c blastmerge -l html -n "__blastmerge_takes merge check finalize shards" -r -F -d "write a page about it all (HTML)"
complete -c blastmerge -l strict -n "__blastmerge_takes finalize" -d "a wrong count in a report is an error"
complete -c blastmerge -l max-target-seqs -n "__blastmerge_takes shards" -x -d "as the searches had it"
complete -c blastmerge -l window -n "__blastmerge_takes shards" -d "windows on the whole database were searched"
complete -c blastmerge -l round-robin -n "__blastmerge_takes shards" -d "sequence i is in shard i modulo their number"
complete -c blastmerge -l sizes -n "__blastmerge_takes shards" -x -d "sequences in each part of the database"
complete -c blastmerge -l order -n "__blastmerge_takes shards" -r -F -d "the subjects in database order"
complete -c blastmerge -l order-descending -n "__blastmerge_takes shards" -d "that file begins with the last subject"
complete -c blastmerge -l columns -n "__blastmerge_takes shards" -x -d "columns of tables, as -outfmt had them"
complete -c blastmerge -l drop-columns -n "__blastmerge_takes shards" -x -d "so many of the last columns are left out"
complete -c blastmerge -l recompute -n "__blastmerge_takes shards" -d "compute E-values again"
complete -c blastmerge -l evalue -n "__blastmerge_takes shards" -x -d "leave out what is larger"
complete -c blastmerge -l alias-parts -n "__blastmerge_takes shards" -d "write an alias for each part of a database"
complete -c blastmerge -l alias -n "__blastmerge_takes shards" -x -d "write windows on one database"
complete -c blastmerge -l shards -n "__blastmerge_takes shards" -x -d "the queries are split, too, N shards a batch"
complete -c blastmerge -l plan -n "__blastmerge_takes part join shards" -r -F -d "the plan"
complete -c blastmerge -l number -n "__blastmerge_takes part shards" -x -d "the part to make"
complete -c blastmerge -l count -n "__blastmerge_takes shards" -d "write the tally of a batch"
complete -c blastmerge -l index -n "__blastmerge_takes merge shards" -d "write an index of the result, too"
complete -c blastmerge -l index-file -n "__blastmerge_takes index get" -r -F -d "the index, if it is not beside the result"
complete -c blastmerge -l restart-distance -n "__blastmerge_takes index" -x -d "text between places to read from"
complete -c blastmerge -l definitions -n "__blastmerge_takes index" -d "keep whole definitions of queries"
complete -c blastmerge -l numbers -n "__blastmerge_takes get" -x -d "Iterations by their places"
complete -c blastmerge -l from -n "__blastmerge_takes get" -r -F -d "read the queries from a file"
complete -c blastmerge -l renumber -n "__blastmerge_takes get" -d "count Iterations and ids from 1"
complete -c blastmerge -l quiet -s q -d "no warnings, no progress"
complete -c blastmerge -l verbose -s v -d "say at the end what was done"
complete -c blastmerge -l progress -d "always show progress"
complete -c blastmerge -l no-progress -d "never show progress"
complete -c blastmerge -l help -s h -d "show the options"
complete -c blastmerge -l version -s V -d "show the version and the libraries in use"
