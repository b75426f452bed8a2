# BLAST archives: what a check and a summary call things, and what is refused.
archive() {
    printf 'Blast4-archive ::= {\n  request {\n    ident "2.12.0+",\n    body queue-search {\n'
    printf '      program "%s",\n      service "plain",\n      queries bioseq-set {\n        seq-set {\n' "${2-blastp}"
    printf '          seq {\n            id {\n              local str "Query_1"\n            },\n'
    printf '            descr {\n              title "%s"\n            },\n' "$1"
    printf '            inst {\n              repr raw,\n              mol aa,\n              length 3\n            }\n'
    printf '          }\n        }\n      },\n      subject database "nr"\n    }\n  },\n  results {\n    alignments {\n'
    printf '      {\n        score {\n        },\n        segs denseg {\n          ids {\n            local str "Query_1",\n'
    printf '            local str "Query_1"\n          }\n        }\n      }\n    }\n  }\n}\n'
}
archive a >batch_1.asn
archive b >batch_2.asn
archive c blastx >batch_3.asn
try blastmerge check batch_1.asn batch_2.asn
try blastmerge --plain batch_1.asn batch_2.asn
try blastmerge --plain batch_1.asn batch_3.asn
head -n 20 batch_2.asn >cut.asn
try blastmerge --plain batch_1.asn cut.asn
printf '0\200\240\2000\200\240\200\032\0102.12.0+\000' >binary.asn
try blastmerge --plain binary.asn
try blastmerge --db x --plain batch_1.asn
try blastmerge --salvage --plain batch_1.asn cut.asn
printf '{"BlastOutput2": []}' >table.json
try blastmerge --salvage -o merged.json table.json
