child a.xml.gz 1 1 blastp one
child b.xml.gz 2 1 blastp two
child c.xml.gz 3 1 blastn one
for how in error warn ignore; do
    try blastmerge -o /dev/null --mismatch $how a.xml.gz b.xml.gz
    try blastmerge -o /dev/null --mismatch $how a.xml.gz c.xml.gz
done
try blastmerge -o /dev/null a.xml.gz b.xml.gz
try blastmerge -o /dev/null a.xml.gz c.xml.gz
try blastmerge -o /dev/null -q a.xml.gz b.xml.gz
