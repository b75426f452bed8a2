#!/bin/sh
# SPDX-License-Identifier: MIT
# The ways to build that packagers choose from: libraries loaded at run time, which ELF notes say; linked; without other compressions;
# programs without shared libraries. Each merges to the same bytes.
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
for program in zstd xz bzip2 lz4; do
    gzip -dc "$top/tests/data/batch_1.xml.gz" | "$program" -q -c >"$room/child"
    status=0
    "$room/bare/blastmerge" "$room/child" >"$room/out" 2>"$room/message" || status=$?
    [ "$status" -eq 3 ] && grep -q "data; decompress it first (.*); this blastmerge was built without $program;" "$room/message"
done

# reads_all PROGRAM: children of all compressions, and an index
reads_all() {
    [ -e "$room/children" ] || {
        mkdir "$room/children"
        gzip -dc "$top/tests/data/batch_1.xml.gz" >"$room/text"
        for program in zstd xz bzip2 lz4; do "$program" -q -c <"$room/text" >"$room/children/$program"; done
    }
    for child in "$room"/children/*; do "$1" --plain --query-ids keep --keep-db "$child" | cmp - "$room/text"; done
    cp "$top/tests/data/whole.xml.gz" "$room" && "$1" index --force "$room/whole.xml.gz"
    "$1" get --plain "$room/whole.xml.gz" Query_2 | grep -q '<Iteration_iter-num>2<'
}

echo "== linked"
build_variant linked -DBLASTMERGE_CLOUD=linked -DBLASTMERGE_SQLITE=linked -DBLASTMERGE_DECOMPRESS=linked
for library in libcurl libcrypto libsqlite3 libzstd liblzma libbz2 liblz4; do needs "$room/linked/blastmerge" | grep -q "^$library"; done
if readelf --section-headers --wide "$room/linked/blastmerge" | grep '\.note\.dlopen'; then exit 1; fi
reads_all "$room/linked/blastmerge"
"$room/linked/blastmerge" --version | grep -q 'object storage: with libcurl'
status=0
"$room/linked/blastmerge" http://127.0.0.1:1/child.xml.gz 2>"$room/message" || status=$?
[ "$status" -ne 0 ] && grep -q 127.0.0.1 "$room/message"
DESTDIR='' cmake --install "$room/linked" --prefix "$room/prefix-linked" >/dev/null
PKG_CONFIG_PATH=$(dirname "$(find "$room/prefix-linked" -name blastmerge.pc)") pkg-config --static --libs blastmerge >"$room/flags"
for library in curl crypto sqlite3 zstd lzma bz2 lz4; do grep -q -e "-l$library\b" "$room/flags"; done

echo "== static, with nothing that can be left out"
build_variant static -DBLASTMERGE_STATIC=ON
[ -z "$(needs "$room/static/blastmerge")" ] || { echo "linked to $(needs "$room/static/blastmerge")" && exit 1; }
status=0
"$room/static/blastmerge" get "$room/whole.xml.gz" Query_2 2>"$room/message" || status=$?
[ "$status" -eq 2 ] && grep -q 'built without SQLite' "$room/message"
"$room/static/blastmerge" --version | grep -q 'other compressions: none; object storage: none'
DESTDIR='' cmake --install "$room/static" --prefix "$room/prefix" >/dev/null
[ -n "$(find "$room/prefix" -name libblastmerge.a)" ] && [ -z "$(find "$room/prefix" -name '*.so*')" ]

echo "== static, with indexes and other compressions"
build_variant static-all -DBLASTMERGE_STATIC=ON -DBLASTMERGE_SQLITE=linked -DBLASTMERGE_DECOMPRESS=linked
[ -z "$(needs "$room/static-all/blastmerge")" ]
reads_all "$room/static-all/blastmerge"

echo "== a static program cannot load libraries"
for part in CLOUD SQLITE DECOMPRESS; do
    if cmake -S "$top" -B "$room/wrong-$part" -DBLASTMERGE_STATIC=ON "-DBLASTMERGE_$part=ON" >"$room/message" 2>&1; then exit 1; fi
    grep -q "A static program cannot load libraries: -DBLASTMERGE_$part=linked" "$room/message"
done
