# SPDX-License-Identifier: MIT
cwlVersion: v1.2
class: CommandLineTool
requirements:
  InitialWorkDirRequirement:
    listing:
      - entryname: split.sh
        entry: |
          # Writes the list of files in the order of their numbers, which the engine reads.
          set -eu
          m=`sh "$1" "$2" "$3" queries`
          files= numbers=
          for i in `seq "$m"`; do
              files="$files{\"class\": \"File\", \"path\": \"queries/$i.fa\"}, "
              numbers="$numbers$i, "
          done
          echo "{\"queries_of\": [\${files%, }], \"numbers\": [\${numbers%, }]}" >cwl.output.json
baseCommand: [sh, split.sh]
inputs:
  program: {type: File, inputBinding: {position: 1}}
  queries: {type: File, inputBinding: {position: 2}}
  n_parts: {type: int, inputBinding: {position: 3}}
outputs:
  queries_of: File[]
  numbers: int[]
