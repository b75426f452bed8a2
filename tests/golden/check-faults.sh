# All the children at fault are named, and the exit code is the first one's.
three_plain
text 1 3 | head -c 700 >cut.xml
try blastmerge check batch_1.xml cut.xml batch_2.xml nowhere batch_3.xml
try blastmerge check nowhere cut.xml
try blastmerge check --expect-children 2 batch_1.xml
try blastmerge check cut.xml - batch_1.xml <batch_2.xml
i=0
while [ $i -lt 120 ]; do
    echo "no_$i"
    i=$((i + 1))
done | blastmerge check --files-from - 2>errors | tail -n 2
tail -n 2 errors
ls -A
