# Not on a terminal: only where it is asked for, one line after the other, without moving the cursor.
three
shape() { sed -E 's/[0-9.]+ (bytes|[KMG]iB)/N \1/g; s/ (bytes|[KMG]iB)/ bytes/g; s/[0-9]+:[0-9]+/T/; s/ +[0-9]+%/ P%/; s/\[[# ]+\]/[bar]/' | sort -u; }
blastmerge -o /dev/null batch_*.xml.gz 2>&1 | wc -c
blastmerge -o /dev/null --progress --no-progress batch_*.xml.gz 2>&1 | wc -c
blastmerge -o /dev/null --progress batch_*.xml.gz 2>&1 | shape
blastmerge -o /dev/null --progress - <batch_1.xml.gz 2>&1 | shape | sed -E 's/[0-9]+ Iter/I Iter/'
