# SPDX-License-Identifier: MIT
cwlVersion: v1.2
class: CommandLineTool
baseCommand: [sh, -c, 'blastp -query "$0" -db "$1" -outfmt 5 -evalue 0.001 | gzip >child.xml.gz']
inputs:
  queries: {type: File, inputBinding: {position: 1}}
  database: {type: string, inputBinding: {position: 2}}
outputs:
  child: {type: File, outputBinding: {glob: child.xml.gz}}
