text 1 1 | sed 's/query 1/M\xfcller/' >a.xml
try blastmerge --plain a.xml
blastmerge --plain --invalid-utf8 latin1 a.xml | grep query-def
blastmerge --plain --invalid-utf8 keep a.xml | grep -a query-def | od -An -c
