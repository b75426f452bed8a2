three
try blastmerge -o merged.xml.gz batch_1.xml.gz batch_2.xml.gz
cp merged.xml.gz before
try blastmerge -o merged.xml.gz batch_1.xml.gz
cmp merged.xml.gz before && echo "as it was"
try blastmerge -f -o merged.xml.gz batch_1.xml.gz
cmp -s merged.xml.gz before || echo "replaced"
try blastmerge -o no/such/folder.xml.gz batch_1.xml.gz
try blastmerge -o . batch_1.xml.gz
try blastmerge -o /dev/full batch_1.xml.gz
try blastmerge -f -o batch_1.xml.gz batch_1.xml.gz batch_2.xml.gz
gzip -dc batch_1.xml.gz | grep -c '<Iteration>'
ls -A
