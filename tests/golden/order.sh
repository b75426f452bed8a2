for i in 1 2 9 10; do child batch_$i.xml.gz $i 1; done
queries() { gzip -dc merged.xml.gz | grep query-def; rm -f merged.xml.gz; }
try blastmerge -o merged.xml.gz batch_1.xml.gz batch_10.xml.gz batch_2.xml.gz batch_9.xml.gz
queries
try blastmerge --sort natural -o merged.xml.gz batch_1.xml.gz batch_10.xml.gz batch_2.xml.gz batch_9.xml.gz
queries
try blastmerge --expect-children 4 -q -o merged.xml.gz batch_1.xml.gz batch_2.xml.gz
try blastmerge --expect-children 1 -q -o merged.xml.gz batch_1.xml.gz batch_2.xml.gz
try blastmerge -o /dev/null batch_1.xml.gz batch_1.xml.gz
ls -A
# One run's result is promised: what is likely to be another order, or a gap, or a child twice, is an error.
unsplit() { try blastmerge --as-unsplit -o /dev/null "$@"; }
unsplit batch_1.xml.gz batch_10.xml.gz batch_2.xml.gz batch_9.xml.gz
unsplit --sort natural batch_1.xml.gz batch_10.xml.gz batch_2.xml.gz batch_9.xml.gz
unsplit --sort natural --expect-children 4 batch_1.xml.gz batch_10.xml.gz batch_2.xml.gz batch_9.xml.gz
unsplit --sort none batch_1.xml.gz batch_10.xml.gz batch_2.xml.gz batch_9.xml.gz
unsplit batch_1.xml.gz batch_9.xml.gz
unsplit --sort none batch_1.xml.gz batch_9.xml.gz
unsplit --expect-children 2 batch_1.xml.gz batch_9.xml.gz
unsplit --expect-children 4 batch_1.xml.gz batch_2.xml.gz batch_10.xml.gz batch_9.xml.gz
unsplit batch_1.xml.gz ./batch_1.xml.gz
unsplit --sort natural batch_1.xml.gz ./batch_1.xml.gz
unsplit --sort none batch_1.xml.gz ./batch_1.xml.gz
# Descriptors' numbers say nothing.

exec 5<batch_1.xml.gz 3<batch_2.xml.gz
unsplit /dev/fd/5 /dev/fd/3
