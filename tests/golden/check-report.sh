three
blastmerge check --report - batch_*.xml.gz | grep -c '"batch_[123].xml.gz"'
try blastmerge check --report report.json -q batch_1.xml.gz
try blastmerge check --report report.json batch_1.xml.gz
try blastmerge check -f --report report.json -q batch_1.xml.gz
ls -A
