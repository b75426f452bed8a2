three
queries() { grep 'query-def'; }
printf 'batch_3.xml.gz\n\nbatch_1.xml.gz' >list
blastmerge --plain --files-from list 2>/dev/null | queries
echo "-- among children, in order; lines of another system"
printf 'batch_2.xml.gz\r\n' >crlf
blastmerge --plain -q batch_3.xml.gz --files-from crlf batch_1.xml.gz | queries
echo "-- NUL bytes"
name=$(printf 'a\nb .xml.gz')
child "$name" 9 1
printf '%s\0%s\0' batch_1.xml.gz "$name" | blastmerge --plain -q --null --files-from - | queries
printf '%s' "$name" | blastmerge --plain -q --null --files-from - | queries
