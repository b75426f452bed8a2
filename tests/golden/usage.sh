child a.xml.gz 1 1
try blastmerge
try blastmerge merge
try blastmerge check
try blastmerge shards
try blastmerge shards --count
try blastmerge shards --plan plan.json
try blastmerge shards --alias-parts
try blastmerge shards --alias 3
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
# Words of BLAST and of other programs, which would be taken for something else.
child merged.xml.gz 2 1
for word in -out -outfmt -db -num_threads -query -in -evalue --query --out=x -out=x -out.xml.gz -of -oqv -force -format -threads -version -19 --keep; do
    try blastmerge "$word" merged.xml.gz a.xml.gz
done
try blastmerge -fqo x.xml.gz a.xml.gz
# Commands and options that are nearly right.
for word in chek merg finalise hlep versoin; do try blastmerge $word a.xml.gz; done
: >chek
try blastmerge check chek
try blastmerge -o /dev/null chek a.xml.gz
try blastmerge --treads 2 a.xml.gz
try blastmerge --alow-empty a.xml.gz
ls -A
