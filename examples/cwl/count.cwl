# SPDX-License-Identifier: MIT
cwlVersion: v1.2
class: CommandLineTool
baseCommand: [blastmerge, count, --as-unsplit, --output, child.tally]
inputs:
  child: {type: File, inputBinding: {position: 1}}
outputs:
  tally: {type: File, outputBinding: {glob: child.tally}}
