# SPDX-License-Identifier: MIT
cwlVersion: v1.2
class: CommandLineTool
baseCommand: [blastmerge, part, --output, part.gz]
inputs:
  plan: {type: File, inputBinding: {prefix: --plan, position: 1}}
  number: {type: int, inputBinding: {prefix: --number, position: 2}}
  child: {type: File, inputBinding: {position: 3}}
outputs:
  part: {type: File, outputBinding: {glob: part.gz}}
