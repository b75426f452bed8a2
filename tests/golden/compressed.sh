# However it is compressed, the text is the same.
three
blastmerge --plain batch_*.xml.gz >expected
for way in --threads=1 --threads=2 -1 -9 --level=6 --level=9; do
    blastmerge $way batch_*.xml.gz >merged.xml.gz
    gzip -dc merged.xml.gz | cmp - expected && echo "$way: same text"
done
blastmerge -9 --plain batch_*.xml.gz | cmp - expected && echo "--plain wins over -9"
blastmerge -9 -6 batch_*.xml.gz >six
blastmerge -6 batch_*.xml.gz | cmp - six && echo "the last level counts"
