#!/bin/sh
# SPDX-License-Identifier: MIT
# scripts/release gives the same checksums twice; its programs need no shared library, pass the golden tests, and write the bytes
# that an ordinary build writes, from children of all compressions, too; that for arm64 does so under qemu-user. The program with
# object storage and the wheel have what they need but for libc. The source archive builds. The second release is that of the
# sources and one program, unless BLASTMERGE_TEST_RELEASE=full. The first one is left in FOLDER, for packaging/test-install.
#
#     tests/tool/release.sh PROGRAM FOLDER
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
program=$1
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
rm -rf "$2"
mkdir -p "$2"
first=$(cd "$2" && pwd)

git clone --quiet "$top" "$room/clone"
"$room/clone/scripts/release" -o "$first" >/dev/null
if [ "${BLASTMERGE_TEST_RELEASE-}" = full ]; then
    "$room/clone/scripts/release" -o "$room/second" >/dev/null
    diff "$first/SHA256SUMS" "$room/second/SHA256SUMS"
else
    for what in source linux-x86_64; do "$room/clone/scripts/release" --only $what -o "$room/second" >/dev/null; done
    grep -v -e aarch64 -e cloud -e manylinux "$first/SHA256SUMS" | diff - "$room/second/SHA256SUMS"
fi
(cd "$first" && sha256sum --check --quiet SHA256SUMS)
version=$("$program" --version | sed -n 's/^blastmerge //p')
for archive in "$first"/*.tar.gz; do tar -C "$room" -xf "$archive"; done

"$program" "$top"/tests/data/batch_*.xml.gz >"$room/expected.gz"
gzip -dc "$top/tests/data/batch_1.xml.gz" >"$room/text"
mkdir "$room/children"
for kind in zstd xz bzip2 lz4; do "$kind" -q -c <"$room/text" >"$room/children/$kind"; done

# has_all PROGRAM: it merges to the bytes of an ordinary build, reads all compressions, and has indexes
has_all() {
    "$1" "$top"/tests/data/batch_*.xml.gz | cmp - "$room/expected.gz"
    for child in "$room"/children/*; do "$1" --plain --query-ids keep --keep-db "$child" | cmp - "$room/text"; done
    cp "$top/tests/data/whole.xml.gz" "$room"
    "$1" index --force "$room/whole.xml.gz"
    "$1" get --plain "$room/whole.xml.gz" Query_2 | grep -q '<Iteration_iter-num>2<'
}
for architecture in x86_64 aarch64; do
    echo "== $architecture"
    released=$room/blastmerge-$version-linux-$architecture
    file=$released/blastmerge
    if readelf --program-headers --dynamic "$file" | grep -E 'INTERP|NEEDED'; then exit 1; fi
    readelf --file-header "$file" | grep -q 'Type: *DYN'
    for beside in README.md LICENSE CHANGELOG.md blastmerge.1 blastmerge.bash blastmerge.fish _blastmerge sbom.cdx.json; do [ -s "$released/$beside" ]; done
    runner=$file
    if [ "$architecture" != "$(uname -m)" ]; then
        runner=$room/run-$architecture
        printf '#!/bin/sh\nexec qemu-%s "%s" "$@"\n' "$architecture" "$file" >"$runner"
        chmod +x "$runner"
    fi
    has_all "$runner"
    "$top/scripts/links" "$released"
    for library in musl zlib libdeflate jansson libzstd liblzma libbz2 liblz4 sqlite; do [ -s "$released/licences/$library" ]; done
    "$top/tests/golden/run" "$runner" >"$room/golden" || { cat "$room/golden" && exit 1; }
done

echo "== wheel"
wheel=$(find "$first" -name '*.whl')
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --no-index "$wheel"
"$room/venv/bin/python" -c 'import blastmerge, sys; blastmerge.merge(sys.argv[2:], sys.argv[1])' "$room/wheel.gz" "$top"/tests/data/batch_*.xml.gz
cmp "$room/wheel.gz" "$room/expected.gz"
library=$(find "$room/venv" -name 'libblastmerge.so*')
# Its page in an index of packages is its README, alone.
mkdir "$room/page"
sed 1,/^$/d "$room"/venv/lib/python3*/site-packages/blastmerge-*.dist-info/METADATA >"$room/page/README.md"
grep -q "/blob/v$version/docs/merge.md#exit-codes" "$room/page/README.md"
"$top/scripts/links" "$room/page"

# newest_of FILE: it needs libc and libm only; prints the newest glibc of its symbols
newest_of() {
    if readelf --dynamic "$1" | grep NEEDED | grep -Ev '\[(libc|libm|ld-linux[-a-z0-9_]*)\.so'; then exit 1; fi
    readelf --version-info --wide "$1" | grep -o 'GLIBC_2\.[0-9]*' | sort -t. -k2n | tail -n 1
}
newest=$(newest_of "$library")
case $wheel in
*-py3-none-manylinux_2_"${newest#GLIBC_2.}"_"$(uname -m)".whl) ;;
*) echo "$wheel needs $newest" && exit 1 ;;
esac
# Only the library's own functions are exported.
if nm --dynamic --defined-only "$library" | grep -v ' blastmerge_'; then exit 1; fi

echo "== with object storage"
released=$room/blastmerge-$version-linux-$(uname -m)-cloud
[ "$(newest_of "$released/blastmerge")" = GLIBC_2.34 ] # as the README says
"$released/blastmerge" --version | grep -q 'object storage: with libcurl'
for library in zlib libdeflate jansson libzstd liblzma libbz2 liblz4 sqlite curl openssl; do
    grep -q "\"name\": \"$library\"" "$released/sbom.cdx.json"
    [ -s "$released/licences/$library" ]
done
has_all "$released/blastmerge"
if strings "$released/blastmerge" | grep -E "(/tmp|$room)/tmp\\."; then exit 1; fi

echo "== sources"
cmake -S "$room/blastmerge-$version" -B "$room/build" >/dev/null
cmake --build "$room/build" --parallel "$(nproc)" >/dev/null
"$room/build/blastmerge" "$top"/tests/data/batch_*.xml.gz | cmp - "$room/expected.gz"
