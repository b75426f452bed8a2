# Options after children, --, and names that look like something else.
child check 1 1
child merge 2 1
child -5 3 1
try blastmerge merge check merge -o 1.xml.gz
gzip -dc 1.xml.gz | grep 'query-def'
try blastmerge ./check -o 2.xml.gz merge
gzip -dc 2.xml.gz | grep 'query-def'
try blastmerge -o 3.xml.gz -- check -5
gzip -dc 3.xml.gz | grep 'query-def'
try blastmerge --plain merge -- -5
try blastmerge -o4.xml.gz -q ./-5 --forc
try blastmerge chekc
ls -A
