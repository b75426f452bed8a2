three
blastmerge check batch_*.xml.gz
ls -A
