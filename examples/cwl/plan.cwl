# SPDX-License-Identifier: MIT
# The tallies are in order. All children have the same name, in folders that the engine made up: --sort none.
cwlVersion: v1.2
class: CommandLineTool
baseCommand: [blastmerge, plan, --sort, none, --output, plan.json]
inputs:
  tallies: {type: 'File[]', inputBinding: {position: 1}}
outputs:
  plan: {type: File, outputBinding: {glob: plan.json}}
