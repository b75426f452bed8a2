# SPDX-License-Identifier: MIT
cwlVersion: v1.2
class: CommandLineTool
baseCommand: [blastmerge, join, --output, merged.xml.gz]
inputs:
  plan: {type: File, inputBinding: {prefix: --plan, position: 1}}
  parts: {type: 'File[]', inputBinding: {position: 2}}
outputs:
  result: {type: File, outputBinding: {glob: merged.xml.gz}}
