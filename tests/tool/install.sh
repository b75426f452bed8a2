#!/bin/sh
# SPDX-License-Identifier: MIT
# The header compiles alone as C11, C17 and C++17; the shared library exports blastmerge_* and nothing else;
# what is installed can be found from outside by pkg-config and by find_package, and links and runs.
#
#     tests/tool/install.sh BUILD_FOLDER
set -eu

top=$(cd "$(dirname "$0")/../.." && pwd)
build=$(cd "$1" && pwd)
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
prefix="$room/prefix with space"
cc=${CC:-cc}
cxx=${CXX:-c++}

echo "== header"
printf '#include <blastmerge.h>\nint main(void) { return blastmerge_version()[0] == 0; }\n' >"$room/header.c"
cp "$room/header.c" "$room/header.cc"
warnings='-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror'
for standard in c11 c17; do
    # shellcheck disable=SC2086 # the warnings are words
    $cc -std=$standard $warnings -I"$top/include" -c "$room/header.c" -o "$room/header.o"
done
if command -v "$cxx" >/dev/null; then
    # Functions that are named like a struct, as stat() is, are what -Wshadow does not like in C++.
    # shellcheck disable=SC2086
    $cxx -std=c++17 $warnings -Wno-shadow -I"$top/include" -c "$room/header.cc" -o "$room/header.o"
fi

echo "== exported names"
library=$(find "$build" -maxdepth 1 -name 'libblastmerge.so.*.*' -o -maxdepth 1 -name 'libblastmerge.*.dylib' | head -n 1)
nm -gP "$library" -D 2>/dev/null | awk '$2 ~ /[TDBRVW]/ && $1 !~ /^_?(blastmerge_|_init$|_fini$)/ && $2 != "w" { print; bad = 1 } END { exit bad }'
# Each function of the header is there.
grep -o '\<blastmerge_[a-z_0-9]*(' "$top/include/blastmerge.h" | tr -d '(' | sort -u >"$room/declared"
nm -gP -D "$library" | awk '$2 == "T" { print $1 }' | sort -u >"$room/exported"
diff "$room/declared" "$room/exported"
sed -n 's/^ \(blastmerge_[a-z_0-9]*\)@.*/\1/p' "$top/packaging/debian/libblastmerge0.symbols" | diff - "$room/exported"

echo "== installed files"
DESTDIR='' cmake --install "$build" --prefix "$prefix" >/dev/null
(cd "$prefix" && find . -type f | sed 's,lib/[^/]*-linux-[^/]*/,lib/,; s,lib64/,lib/,; s,\.so\.[0-9.]*,.so,' | sort)
for file in bin/blastmerge include/blastmerge.h share/man/man1/blastmerge.1 share/man/man3/blastmerge.3 \
    share/bash-completion/completions/blastmerge share/zsh/site-functions/_blastmerge \
    share/fish/vendor_completions.d/blastmerge.fish; do
    [ -s "$prefix/$file" ]
done
libraries=$(dirname "$(find "$prefix" -name 'libblastmerge.a')")
"$prefix/bin/blastmerge" --version

# Merges with a program that was linked from outside.
merges() {
    LD_LIBRARY_PATH=$libraries DYLD_LIBRARY_PATH=$libraries "$1" "$top"/tests/data/batch_*.xml.gz >"$room/merged.xml.gz"
    gzip -t "$room/merged.xml.gz"
    "$prefix/bin/blastmerge" "$top"/tests/data/batch_*.xml.gz | cmp - "$room/merged.xml.gz"
}

# Words of pkg-config, which escapes blanks.
linked() {
    output=$1
    shift
    eval "$cc -std=c11 -D_POSIX_C_SOURCE=200809L '$top/examples/merge.c' -o '$output' $*"
}

echo "== pkg-config"
PKG_CONFIG_PATH=$libraries/pkgconfig
export PKG_CONFIG_PATH
linked "$room/shared" "$(pkg-config --cflags --libs blastmerge)"
merges "$room/shared"
mkdir "$room/static"
cp "$libraries/libblastmerge.a" "$room/static"
linked "$room/static/merge" "-L'$room/static'" "$(pkg-config --static --cflags --libs blastmerge)"
merges "$room/static/merge"
[ "$(pkg-config --modversion blastmerge)" = "$("$prefix/bin/blastmerge" --version | sed -n 's/blastmerge //p')" ]

echo "== find_package"
mkdir "$room/outside"
cp "$top/examples/merge.c" "$room/outside"
cat >"$room/outside/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.16)
project(outside LANGUAGES C)
set(CMAKE_C_STANDARD 11)
find_package(blastmerge 0.1 REQUIRED COMPONENTS ${WANTED})
add_executable(outside merge.c)
target_link_libraries(outside PRIVATE ${TARGET})
END
for kind in '' static; do
    rm -rf "$room/outside-build"
    cmake -S "$room/outside" -B "$room/outside-build" -DCMAKE_PREFIX_PATH="$prefix" -DWANTED=$kind \
        -DCMAKE_C_COMPILER="$cc" \
        -DTARGET=blastmerge::blastmerge${kind:+_$kind} >"$room/log" || { cat "$room/log"; exit 1; }
    cmake --build "$room/outside-build" >"$room/log" || { cat "$room/log"; exit 1; }
    merges "$room/outside-build/outside"
done

echo "== the man page's program"
{
    printf '#include <blastmerge.h>\n#include <stdio.h>\nint main(void) {\n'
    awk '/^\.Sh / { examples = $2 == "EXAMPLES" }
        examples && /^\.Ed/ { code = 0 }
        code { gsub(/\\e/, "\\"); print }
        examples && /^\.Bd/ { code = 1 }' "$top/docs/man/blastmerge.3"
    printf 'return (int)status;\n}\n'
} >"$room/man.c"
eval "$cc -std=c11 -Wall -Wextra -Werror '$room/man.c' -o '$room/man' $(pkg-config --cflags --libs blastmerge)"
mkdir "$room/man-work"
cp "$top"/tests/data/batch_[12].xml.gz "$room/man-work"
cd "$room/man-work"
LD_LIBRARY_PATH=$libraries DYLD_LIBRARY_PATH=$libraries "$room/man"
gzip -t merged.xml.gz
