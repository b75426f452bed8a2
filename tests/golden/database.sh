child a.xml.gz 1 1 blastp one
child b.xml.gz 2 1 blastp two
database() { grep BlastOutput_db; }
blastmerge --plain -q a.xml.gz b.xml.gz | database
blastmerge --plain -q --keep-db a.xml.gz b.xml.gz | database
blastmerge --plain -q --db 'nr & <pdb>' a.xml.gz b.xml.gz | database
blastmerge --plain -q --db '' a.xml.gz b.xml.gz
echo "[$?]"
long=$(head -c 4097 /dev/zero | tr '\0' a)
blastmerge --plain -q --db "$long" a.xml.gz b.xml.gz
echo "[$?]"
