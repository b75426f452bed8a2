child a.xml.gz 1 1
for word in error warn ignore default warnings err ''; do try blastmerge -o /dev/null --mismatch "$word" a.xml.gz; done
for word in error latin1 keep 'error|latin1' utf8; do try blastmerge -o /dev/null --invalid-utf8 "$word" a.xml.gz; done
for word in xml xml2 auto XML 5; do try blastmerge -o /dev/null --format "$word" a.xml.gz; done
for word in keep renumber auto no; do try blastmerge -o /dev/null --query-ids "$word" a.xml.gz; done
for word in none natural n nonesuch; do try blastmerge -o /dev/null --sort "$word" a.xml.gz; done
# A value is no part of a short option's word by '='; and a command comes first.
for word in -o=x.xml.gz -o= -t=2; do try blastmerge "$word" a.xml.gz; done
try blastmerge a.xml.gz check
: >check
try blastmerge -o /dev/null a.xml.gz check
ls -A
