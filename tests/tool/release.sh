#!/bin/sh
# SPDX-License-Identifier: MIT
# scripts/release gives the same checksums twice; its programs need no shared library, pass the golden tests, and write the bytes
# that an ordinary build writes; that for arm64 does so under qemu-user. The wheel has what it needs but for libc, and says which. The source archive builds.
#
#     tests/tool/release.sh PROGRAM
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
program=$1
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT

git clone --quiet "$top" "$room/clone"
"$room/clone/scripts/release" -o "$room/first" >/dev/null
"$room/clone/scripts/release" -o "$room/second" >/dev/null
diff "$room/first/SHA256SUMS" "$room/second/SHA256SUMS"
(cd "$room/first" && sha256sum --check --quiet SHA256SUMS)
version=$("$program" --version | sed -n 's/^blastmerge //p')
for archive in "$room"/first/*.tar.gz; do tar -C "$room" -xf "$archive"; done

"$program" "$top"/tests/data/batch_*.xml.gz >"$room/expected.gz"
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
    "$runner" "$top"/tests/data/batch_*.xml.gz | cmp - "$room/expected.gz"
    "$top/tests/golden/run" "$runner" >"$room/golden" || { cat "$room/golden" && exit 1; }
done

echo "== wheel"
wheel=$(find "$room/first" -name '*.whl')
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --no-index "$wheel"
"$room/venv/bin/python" -c 'import blastmerge, sys; blastmerge.merge(sys.argv[2:], sys.argv[1])' "$room/wheel.gz" "$top"/tests/data/batch_*.xml.gz
cmp "$room/wheel.gz" "$room/expected.gz"
library=$(find "$room/venv" -name 'libblastmerge.so*')
[ "$(readelf --dynamic "$library" | grep -c NEEDED)" = "$(readelf --dynamic "$library" | grep -Ec 'NEEDED.*\[(libc|libm|ld-linux)')" ]
newest=$(readelf --version-info --wide "$library" | grep -o 'GLIBC_2\.[0-9]*' | sort -t. -k2n | tail -n 1)
case $wheel in
*-py3-none-manylinux_2_"${newest#GLIBC_2.}"_"$(uname -m)".whl) ;;
*) echo "$wheel needs $newest" && exit 1 ;;
esac

echo "== sources"
cmake -S "$room/blastmerge-$version" -B "$room/build" >/dev/null
cmake --build "$room/build" --parallel "$(nproc)" >/dev/null
"$room/build/blastmerge" "$top"/tests/data/batch_*.xml.gz | cmp - "$room/expected.gz"
