child a.xml.gz 1 1
try blastmerge
try blastmerge merge
try blastmerge check
try blastmerge --no-such-option a.xml.gz
try blastmerge --p a.xml.gz
try blastmerge -x a.xml.gz
try blastmerge -qx a.xml.gz
try blastmerge a.xml.gz -o
try blastmerge a.xml.gz --output
try blastmerge a.xml.gz --threads
try blastmerge --force=yes a.xml.gz
try blastmerge -o '' a.xml.gz
try blastmerge ''
try blastmerge --files-from ''
try blastmerge --db nr --keep-db a.xml.gz
try blastmerge --null a.xml.gz
try blastmerge -o - --report - a.xml.gz
try blastmerge check -o x a.xml.gz
try blastmerge check -5 a.xml.gz
try blastmerge check --plain a.xml.gz
ls -A
