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
