# Nothing is left under the name of the result, and nothing beside it.
three
head -c 200 batch_1.xml.gz >cut.gz
text 1 3 | head -c 700 >cut.xml
text 1 3 | sed 's,</Hit>,</Hat>,' >nested.xml
(head -c -8 batch_1.xml.gz; printf 'CRC?'; tail -c 4 batch_1.xml.gz) >bits.gz
(cat batch_1.xml.gz; echo more) >more.gz
echo 'Sequences producing significant alignments' >pairwise.txt
echo '{"BlastOutput2": []}' >two.json
mkdir folder
for child in cut.gz bits.gz cut.xml nested.xml more.gz pairwise.txt two.json folder nowhere; do
    try blastmerge -o merged.xml.gz batch_2.xml.gz $child
done | sed '/cut.gz\|bits.gz/s/at byte [0-9]*/at byte N/'
ls -A
