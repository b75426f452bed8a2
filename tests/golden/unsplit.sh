# query N ID MESSAGE: an Iteration.
query() {
    printf '<Iteration>\n  <Iteration_iter-num>%d</Iteration_iter-num>\n' "$1"
    printf '  <Iteration_query-ID>%s</Iteration_query-ID>\n' "$2"
    printf '  <Iteration_message>%s</Iteration_message>\n</Iteration>\n' "$3"
}
# document DATABASE: the Iterations of standard input in one.
document() {
    text 1 0 blastp "$1" | sed '/^<.BlastOutput_iterations>/,$d'
    cat
    printf '</BlastOutput_iterations>\n</BlastOutput>\n\n'
}
# shown: what of a result matters here.
shown() { grep -o -e '<BlastOutput_db>.*<' -e '<Iteration_[inmq].*<' || :; }
told() { grep -o '"unsplit":{[^}]*}' report.json; }

{ query 1 Query_1 'No hits found' && query 3 Query_3 'Query_3 a:  Query_3 a: Sequence contains no data'; } |
    document nr >a.xml
{ query 1 Query_1 'Query_1 27 bytes of a title, just:  Query_1 27 bytes of a title, just: x' &&
    query 2 Query_2 'No hits found'; } | document nr >b.xml
query 1 Query_1 'Query_1: of another form' | document nr >c.xml
{ query 1 P12345 'No hits found' && query 2 Query_1 'No hits found' && query 3 Query_7 'No hits found'; } |
    document nr >d.xml
query 1 Query_1 'No hits found' | document other >e.xml
cp b.xml f.xml
: >empty.xml

echo "== no gaps"
blastmerge --plain --as-unsplit --report report.json b.xml f.xml | shown
told
echo "== a gap"
blastmerge --plain -f --as-unsplit --report report.json a.xml b.xml 2>&1 | shown
blastmerge -o /dev/null -f --as-unsplit --report report.json a.xml b.xml 2>&1
told
echo "== ids alone"
try blastmerge -o /dev/null a.xml b.xml
blastmerge --plain a.xml b.xml | shown
blastmerge --plain --query-ids auto a.xml b.xml | shown
blastmerge --plain --query-ids keep a.xml b.xml | shown
echo "== doubts"
try blastmerge -o /dev/null -f --as-unsplit --report report.json b.xml c.xml d.xml
told
blastmerge --plain -q --as-unsplit b.xml d.xml | shown
blastmerge --plain -q --query-ids renumber b.xml d.xml | shown
try blastmerge -o /dev/null -f --as-unsplit --allow-empty --report report.json empty.xml b.xml
told
echo "== tables"
printf 'Query_1\tP1\t100.0\t9\t0\t0\t1\t9\t1\t9\t1e-9\t50\n' >a.txt
cp a.txt b.txt
try blastmerge --plain --as-unsplit a.txt
try blastmerge --plain a.txt
try blastmerge --plain a.txt b.txt
try blastmerge --plain --query-ids renumber a.txt b.txt
try blastmerge --plain --query-ids keep a.txt b.txt
table() { # TITLE ID ...
    n=$(($# / 2))
    while [ $# -gt 0 ]; do
        printf '# BLASTP 2.12.0+\n# Query: %s\n# Database: nr\n# Fields: query acc.ver, subject id\n' "$1"
        printf '# 1 hits found\n%s\tQuery_1\n' "$2"
        shift 2
    done
    echo "# BLAST processed $n queries"
}
table 'a title' a '' Query_2 >a.txt
table '' Query_1 Query_1 Query_1 '' Query_3 >b.txt
try blastmerge --plain -f --as-unsplit --sort none --report report.json a.txt b.txt b.txt | grep -v -e Fields -e Database
told
echo "== tables, -parse_deflines"
table Query_1 Query_1 Query_7 Query_7 >a.txt
table 'P1 Query' P1 Query_1 Query_1 >b.txt
try blastmerge --plain -f --as-unsplit --report report.json a.txt b.txt | grep -v -e Fields -e Database
told
echo "== tables whose rows are of other queries"
table '' Query_1 '' Query_1 >a.txt
try blastmerge --plain -f --as-unsplit --sort none --report report.json a.txt a.txt | grep -v -e Fields -e Database
told
echo "== what contradicts it"
try blastmerge -o /dev/null --as-unsplit a.xml e.xml
try blastmerge -o /dev/null --as-unsplit --mismatch ignore a.xml e.xml
echo "== a database's name that is given"
blastmerge -q --plain --as-unsplit --db nr b.xml e.xml | shown
try blastmerge -o /dev/null --as-unsplit --db nr b.xml e.xml
try blastmerge -q check --as-unsplit --db nr b.xml e.xml
try blastmerge -o /dev/null --as-unsplit --db nr --mismatch error b.xml e.xml
try blastmerge -o /dev/null --as-unsplit --db nr --keep-db b.xml e.xml
echo "== what else contradicts it"
try blastmerge -o /dev/null --as-unsplit --query-ids keep a.xml
try blastmerge -o /dev/null --as-unsplit --invalid-utf8 error a.xml
try blastmerge -o /dev/null --as-unsplit --invalid-utf8 latin1 a.xml
try blastmerge -o /dev/null --as-unsplit --invalid-utf8 keep --keep-db --query-ids renumber b.xml
