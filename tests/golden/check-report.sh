three_plain
blastmerge check --report - batch_*.xml | grep -c '"batch_[123].xml"'
try blastmerge check --report report.json -q batch_1.xml
try blastmerge check --report report.json batch_1.xml
try blastmerge check -f --report report.json -q batch_1.xml
ls -A
