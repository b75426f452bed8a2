# Fits a screen: 24 lines with the prompt, 80 columns.
blastmerge --help
blastmerge --help | awk 'length > 80 { print "too wide: " $0 } END { if (NR > 23) print "too long: " NR }'
