#!/bin/sh
# SPDX-License-Identifier: MIT
# Golden command lines again, under valgrind: nothing is read that was not written, nothing is lost.
#
#     tests/tool/valgrind.sh PROGRAM
set -eu

here=$(cd "$(dirname "$0")" && pwd)
program=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
cat >"$room/blastmerge" <<END
#!/bin/sh
exec valgrind --quiet --error-exitcode=99 --leak-check=full --show-leak-kinds=all --log-file="$room/log.%p" \
    "$program" "\$@"
END
chmod +x "$room/blastmerge"
code=0
"$here/../golden/run" "$room/blastmerge" check check-faults compressed damaged empty files-from mismatch operands \
    order output progress report stdin verbose || code=$?
cat "$room"/log.* | head -n 100
exit $code
