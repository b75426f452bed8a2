#!/bin/sh
# SPDX-License-Identifier: MIT
# Every format of enum blastmerge_format has a row in the library, and is in everything that names the formats: the program,
# its completions and man page, docs/formats.md, the Python package and what is packaged for workflows.
#
#     tests/tool/formats-everywhere.sh PROGRAM
set -eu

top=$(cd "$(dirname "$0")/../.." && pwd)
formats=$(sed -n 's/^    BLASTMERGE_FORMAT_\([A-Z0-9_]*\) = .*/\1/p' "$top/include/blastmerge.h" | tr '[:upper:]' '[:lower:]')
# shellcheck disable=SC2086 # one word for each format
set -- "$1" $formats
program=$1
shift
[ $# -ge 8 ] # auto and those that the first release had

fail() {
    echo "$1"
    exit 1
}

# The program numbers the formats as the library does.
words=$("$program" --format none x 2>&1) && fail "there is no format none"
[ "$words" = "blastmerge: --format takes $(echo "$@" | tr ' ' '|'), not 'none'" ] || fail "tool/options.c: $words"

# has FILE PATTERN: that the FILE's lines with the PATTERN name the format.
has() {
    grep -e "$2" "$top/$1" | grep -q -w -e "$format" || fail "$1: the format $format is not in its lines with '$2'"
}

for format in "$@"; do
    "$program" check --format "$format" /dev/null 2>&1 | grep -q 'unknown format' && fail "src/format/format.c: no row for $format"
    has docs/man/blastmerge.1 '^\.It Fl Fl format'
    has completions/blastmerge.bash '--format)'
    has completions/_blastmerge '--format='
    has completions/blastmerge.fish '-l format'
    has python/blastmerge/_job.py '^FORMATS = '
    has python/blastmerge/_errors.py '^_WORDS = '
    [ "$format" = auto ] && continue
    "$program" help merge | grep -e '--format' | grep -q -w "$format" || fail "tool/options.c: the help of --format lacks $format"
    has docs/formats.md "^| \`$format\` "
    has python/blastmerge/__init__.py "\"$format\" ("
    has packaging/galaxy/blastmerge.xml "<option value=\"$format\""
    has packaging/cwl/blastmerge.cwl 'doc: xml, '
done
