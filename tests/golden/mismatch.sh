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
# One warning of each kind, however many children differ; and one in each child's row of the report.
for n in 4 5 6; do child $n.xml.gz $n 1 blastp "database $n"; done
text 7 1 | sed 's/2.12.0/2.13.0/' >7.xml
text 8 1 | sed 's/2.12.0/2.13.0/' >8.xml
try blastmerge -o /dev/null -f --report report.json a.xml.gz b.xml.gz 4.xml.gz 5.xml.gz 6.xml.gz 7.xml 8.xml
grep -c 'its BlastOutput_db is' report.json
text 9 1 >9.xml
text 10 1 >>9.xml
try blastmerge -o /dev/null -f --report report.json 7.xml 8.xml 9.xml
grep -o '[a-z0-9.:]* it holds[^\"]*' report.json
