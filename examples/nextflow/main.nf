// SPDX-License-Identifier: MIT
// A split search and its merge, from FASTA to the result. NOT RUN by blastmerge's tests: Nextflow is not in Debian.
//
//     nextflow run main.nf --queries queries.fa --database /data/nr --result merged.xml.gz
nextflow.enable.dsl = 2

params.each = 100          // queries of a search
params.blastp_options = ''
params.result = 'merged.xml.gz'

process search {
    errorStrategy 'retry'
    maxRetries 2

    input:
    tuple val(number), path('queries.fa')

    output:
    tuple val(number), path("${number}.xml.gz")

    script:
    """
    blastp -query queries.fa -db ${params.database} -outfmt 5 ${params.blastp_options} -out ${number}.xml
    gzip ${number}.xml
    """
}

process count {
    errorStrategy 'retry'

    input:
    tuple val(number), path(child)

    output:
    path "${number}.tally"

    script:
    "blastmerge count --as-unsplit -o ${number}.tally ${child}"
}

process plan {
    input:
    path tallies // in any order: the children's names have numbers

    output:
    path 'plan.json'

    script:
    "blastmerge plan --sort natural -o plan.json ${tallies}"
}

process part {
    errorStrategy 'retry'

    input:
    tuple val(number), path(child), path(plan)

    output:
    path "${number}.part.gz"

    script:
    "blastmerge part --plan ${plan} --number ${number} -o ${number}.part.gz ${child}"
}

process join {
    publishDir '.', mode: 'copy'

    input:
    path plan
    path parts

    output:
    path params.result

    script:
    "blastmerge join --plan ${plan} -o ${params.result} ${parts}"
}

workflow {
    number = 0
    queries = Channel.fromPath(params.queries).splitFasta(by: params.each, file: true).map { file -> [++number, file] }
    children = search(queries)
    planned = plan(count(children).collect())
    parts = part(children.combine(planned))
    join(planned, parts.collect())
}
