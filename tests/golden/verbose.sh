three_plain
blastmerge --verbose -o merged.xml.gz batch_*.xml 2>&1 |
    sed -E 's/wrote [0-9]+ bytes/wrote N bytes/; s/[0-9.]+ seconds, [0-9.]+ [KM]iB/S seconds, M MiB/'
