# SPDX-License-Identifier: MIT
# The merge for those who know that BLAST puts each tag on a line of its own:
#     zcat CHILD... | awk -f merge.awk | pigz > merged.xml.gz

/^<\?xml / { n_documents++; in_body = 0 }
/^<\/BlastOutput_iterations>/ { in_body = 0; in_tail = 1; next }
/^<BlastOutput_iterations>/ { in_body = 1; in_tail = 0; if (n_documents == 1) print; next }
in_body && /^  <Iteration_iter-num>/ { print "  <Iteration_iter-num>" ++n "</Iteration_iter-num>"; next }
in_body { print; next }
n_documents == 1 && /^  <BlastOutput_db>/ { print "  <BlastOutput_db>merged split-query child results</BlastOutput_db>"; next }
n_documents == 1 && !in_tail { print }
END { print "</BlastOutput_iterations>\n</BlastOutput>\n" }
