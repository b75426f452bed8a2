// In nf-core's form. Nextflow was not run here; the command line is (packaging/test-tools).
process BLASTMERGE {
    tag "$meta.id"
    label 'process_low'

    conda "${moduleDir}/environment.yml"
    container "${ workflow.containerEngine in ['singularity', 'apptainer'] && !task.ext.singularity_pull_docker_container ?
        'https://depot.galaxyproject.org/singularity/blastmerge:0.1.0--0' :
        'biocontainers/blastmerge:0.1.0--0' }"

    input:
    tuple val(meta), path(children, stageAs: 'children/*')

    output:
    tuple val(meta), path("${prefix}.gz"), emit: merged
    tuple val(meta), path("*.json")      , emit: report
    tuple val("${task.process}"), val('blastmerge'), eval("blastmerge --version | sed -n 's/^blastmerge //p'"), topic: versions, emit: versions_blastmerge

    when:
    task.ext.when == null || task.ext.when

    script:
    def args = task.ext.args ?: ''
    prefix = task.ext.prefix ?: "${meta.id}"
    """
    blastmerge --sort natural --threads $task.cpus $args --report ${prefix}.json --output ${prefix}.gz children/*
    """

    stub:
    prefix = task.ext.prefix ?: "${meta.id}"
    """
    echo | gzip > ${prefix}.gz
    echo '{}' > ${prefix}.json
    """
}
