three
try blastmerge -q -o merged.xml.gz --report report.json batch_1.xml.gz batch_2.xml.gz
grep -c '"batch_[12].xml.gz"' report.json
try blastmerge -q -o other.xml.gz --report report.json batch_1.xml.gz
try blastmerge -q -o other.xml.gz --report no/report.json batch_1.xml.gz
blastmerge -q -o other.xml.gz --report - batch_1.xml.gz | grep -c '"batch_1.xml.gz"'
ls -A
