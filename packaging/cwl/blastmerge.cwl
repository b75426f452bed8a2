#!/usr/bin/env cwl-runner
cwlVersion: v1.2
class: CommandLineTool
label: Merge the results of a split BLAST search
doc: Makes the one result that an unsplit search would have written, and checks all that it reads.
hints:
  SoftwareRequirement:
    packages:
      blastmerge:
        version: ["0.1.0"]
  DockerRequirement:
    dockerPull: biocontainers/blastmerge:0.1.0--0
requirements:
  ResourceRequirement:
    coresMin: 1
    ramMin: 64
baseCommand: blastmerge
arguments: ["--threads", "$(runtime.cores)", "--report", "report.json"]
inputs:
  children:
    type: File[]
    doc: Results of the split search, in the order of the queries; gzip or plain
    inputBinding:
      position: 2
  result_name:
    type: string
    default: merged.xml.gz
    inputBinding:
      prefix: --output
      position: 1
  as_unsplit:
    type: boolean?
    doc: Write byte for byte what an unsplit search writes
    inputBinding:
      prefix: --as-unsplit
  salvage:
    type: boolean?
    doc: Merge what is whole of damaged children
    inputBinding:
      prefix: --salvage
  format:
    type: string?
    doc: xml, xml2, json, commented, tabular, csv, archive
    inputBinding:
      prefix: --format
outputs:
  merged:
    type: File
    outputBinding:
      glob: $(inputs.result_name)
  report:
    type: File
    outputBinding:
      glob: report.json
