#!/bin/sh
# SPDX-License-Identifier: MIT
# The ways to build that packagers choose from: libraries loaded at run time, which ELF notes say; linked; without other compressions; a
# program without shared libraries. Each merges to the same bytes.
#
#     tests/tool/variants.sh BUILD_FOLDER
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
build=$(cd "$1" && pwd)
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT

# needs PROGRAM: the shared libraries that it is linked to
needs() {
    readelf --dynamic "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'
}

# build_variant NAME OPTION...
build_variant() {
    name=$1
    shift
    cmake -S "$top" -B "$room/$name" -DBLASTMERGE_WERROR=ON "$@" >"$room/$name.log" 2>&1 || { cat "$room/$name.log" && exit 1; }
    cmake --build "$room/$name" --parallel "$(nproc)" >"$room/$name.log" 2>&1 || { cat "$room/$name.log" && exit 1; }
    "$room/$name/blastmerge" "$top"/tests/data/batch_*.xml.gz | cmp - "$room/expected.gz"
}

"$build/blastmerge" "$top"/tests/data/batch_*.xml.gz >"$room/expected.gz"

echo "== loaded at run time"
for file in "$build/blastmerge" "$build"/libblastmerge.so.*.*; do
    if needs "$file" | grep -E 'curl|crypto|sqlite'; then exit 1; fi
    objcopy --dump-section .note.dlopen="$room/note" "$file" "$room/copy"
    python3 - "$room/note" <<'PYTHON'
import json
import struct
import sys
notes = open(sys.argv[1], "rb").read()
entries = []
while notes:
    n_owner, n_text, kind = struct.unpack_from("<III", notes)
    assert (kind, notes[12:12 + n_owner]) == (0x407C0C0A, b"FDO\0"), notes[:16]
    entries += json.loads(notes[16:16 + n_text].rstrip(b"\0"))
    notes = notes[16 + (n_text + 3) // 4 * 4:]
assert sorted(entry["soname"][0] for entry in entries) == ["libbz2.so.1.0", "libcrypto.so.3", "libcurl.so.4", "liblz4.so.1", "liblzma.so.5",
                                                           "libsqlite3.so.0", "libzstd.so.1"], entries
assert all(entry["priority"] == ("recommended" if entry["feature"] in ("remote", "index") else "suggested") and entry["feature"] and entry["description"] for entry in entries), entries
PYTHON
done

echo "== without other compressions"
build_variant bare -DBLASTMERGE_DECOMPRESS=OFF
"$room/bare/blastmerge" --version | grep -q 'other compressions: none'
gzip -dc "$top/tests/data/batch_1.xml.gz" | xz >"$room/child"
status=0
"$room/bare/blastmerge" "$room/child" >"$room/out" 2>"$room/message" || status=$?
[ "$status" -eq 3 ] && grep -q 'xz data; decompress it first (unxz)' "$room/message"

echo "== linked"
build_variant linked -DBLASTMERGE_CLOUD=linked -DBLASTMERGE_SQLITE=linked
needs "$room/linked/blastmerge" | grep -q '^libcurl' && needs "$room/linked/blastmerge" | grep -q '^libcrypto'
needs "$room/linked/blastmerge" | grep -q '^libsqlite3'
cp "$top/tests/data/whole.xml.gz" "$room" && "$room/linked/blastmerge" index "$room/whole.xml.gz"
"$room/linked/blastmerge" get "$room/whole.xml.gz" Query_2 | grep -q '<Iteration_iter-num>2<'
"$room/linked/blastmerge" --version | grep -q 'object storage: with libcurl'
status=0
"$room/linked/blastmerge" http://127.0.0.1:1/child.xml.gz 2>"$room/message" || status=$?
[ "$status" -ne 0 ] && grep -q 127.0.0.1 "$room/message"

echo "== static"
build_variant static -DBLASTMERGE_STATIC=ON
[ -z "$(needs "$room/static/blastmerge")" ] || { echo "linked to $(needs "$room/static/blastmerge")" && exit 1; }
status=0
"$room/static/blastmerge" get "$room/whole.xml.gz" Query_2 2>"$room/message" || status=$?
[ "$status" -eq 2 ] && grep -q 'built without SQLite' "$room/message"
"$room/static/blastmerge" --version | grep -q 'object storage: none'
DESTDIR='' cmake --install "$room/static" --prefix "$room/prefix" >/dev/null
[ -n "$(find "$room/prefix" -name libblastmerge.a)" ] && [ -z "$(find "$room/prefix" -name '*.so*')" ]

echo "== a static program cannot load libraries"
if cmake -S "$top" -B "$room/wrong" -DBLASTMERGE_STATIC=ON -DBLASTMERGE_CLOUD=ON >"$room/message" 2>&1; then exit 1; fi
grep -q 'A static program cannot load libraries' "$room/message"
