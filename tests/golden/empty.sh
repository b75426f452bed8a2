three
: >empty
: | gzip -n >nothing.gz
try blastmerge -o /dev/null batch_1.xml.gz empty
try blastmerge -o /dev/null batch_1.xml.gz nothing.gz
try blastmerge --allow-empty -o merged.xml.gz empty batch_1.xml.gz nothing.gz batch_2.xml.gz
gzip -dc merged.xml.gz | grep iter-num
try blastmerge --allow-empty -o /dev/null empty nothing.gz
text 1 0 >zero
try blastmerge --plain -q zero batch_2.xml.gz
