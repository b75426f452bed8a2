three_plain
blastmerge check batch_*.xml
ls -A
