# A full disk under standard output, and one that is closed.
three
blastmerge batch_1.xml.gz >/dev/full
echo "[$?]"
blastmerge batch_1.xml.gz >&-
echo "[$?]"
blastmerge --help >/dev/full
echo "[$?]"
blastmerge check batch_1.xml.gz >/dev/full
echo "[$?]"
blastmerge --plain - <&-
echo "[$?]"
