# Numbers are digits, in their range, and nothing else.
child a.xml.gz 1 1
for number in '' 0 01 1 64 65 -1 +1 ' 1' '1 ' 1.0 0x1 1e1 two 99999999999999999999; do
    try blastmerge -o /dev/null --threads "$number" a.xml.gz
done
for number in 0 1 9 10; do try blastmerge -o /dev/null --level "$number" a.xml.gz; done
for number in 0 1 2 18446744073709551615 18446744073709551616; do
    try blastmerge -o /dev/null --expect-children "$number" a.xml.gz
done
for size in 64 64M 64m 65536K 1G 1T 0 0M 64X 64MB M '' 1025G 99999999999999999999; do
    try blastmerge -o /dev/null --memory "$size" a.xml.gz
    try blastmerge -o /dev/null --temp-limit "$size" a.xml.gz
done
