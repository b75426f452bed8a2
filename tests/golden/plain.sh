three
blastmerge --plain batch_1.xml.gz batch_2.xml.gz batch_3.xml.gz
