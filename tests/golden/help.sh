# Each fits a screen's width, and the overview its height: 24 lines with the prompt, 80 columns.
too_wide() { awk -v name="$1" 'length > 80 { print name ": too wide: " $0 }'; }
blastmerge --help
blastmerge --help | awk 'END { if (NR > 23) print "too long: " NR }'
blastmerge --help | too_wide overview
[ "$(blastmerge help)" = "$(blastmerge -h)" ] || echo 'help and -h differ'
for command in merge check finalize shards index get; do
    echo "--- $command"
    blastmerge help $command
    blastmerge help $command | too_wide $command
    [ "$(blastmerge help $command)" = "$(blastmerge $command --help)" ] || echo "help $command and $command --help differ"
done
try blastmerge help help
try blastmerge help chek
try blastmerge help merge check
[ "$(blastmerge version)" = "$(blastmerge --version)" ] || echo 'version and --version differ'
