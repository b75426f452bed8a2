three
try blastmerge --files-from nowhere
try blastmerge --files-from /
: >empty
try blastmerge --files-from empty
printf '\n\n' >blank
try blastmerge --files-from blank
try blastmerge --files-from batch_1.xml.gz
try blastmerge --files-from /dev/zero
printf 'batch_1.xml.gz\0\0' >gap
try blastmerge --null --files-from gap
try blastmerge --files-from gap
head -c 70000 /dev/zero | tr '\0' a >long
try blastmerge --files-from long
printf 'batch_1.xml.gz\nno such child\n' >list
try blastmerge -o merged.xml.gz --files-from list
ls -A
