# All the children at fault are named, and the exit code is the first one's.
three
text 1 3 | head -c 700 >cut.xml
try blastmerge check batch_1.xml.gz cut.xml batch_2.xml.gz nowhere batch_3.xml.gz
try blastmerge check nowhere cut.xml
try blastmerge check --expect-children 2 batch_1.xml.gz
try blastmerge check cut.xml - batch_1.xml.gz <batch_2.xml.gz
i=0
while [ $i -lt 120 ]; do
    echo "no_$i"
    i=$((i + 1))
done | blastmerge check --files-from - 2>errors | tail -n 2
tail -n 2 errors
ls -A
