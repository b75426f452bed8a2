three
cat batch_1.xml.gz batch_3.xml.gz | blastmerge --plain - | grep 'iter-num\|query-def'
text 1 1 | blastmerge --plain batch_2.xml.gz - batch_3.xml.gz | grep 'iter-num\|query-def'
blastmerge --plain - batch_2.xml.gz - <batch_1.xml.gz
echo "[$?]"
echo batch_1.xml.gz | blastmerge --plain --files-from - -
echo "[$?]"
echo batch_1.xml.gz | blastmerge --plain - --files-from -
echo "[$?]"
echo - >list
blastmerge --plain --files-from list - <batch_1.xml.gz
echo "[$?]"
blastmerge --plain --files-from list <batch_1.xml.gz | grep -c '<Iteration>'
