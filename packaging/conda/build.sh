#!/bin/bash
set -eu
# conda's libcurl, OpenSSL, SQLite and the decompressors' libraries are ordinary dependencies.
# shellcheck disable=SC2086 # CMAKE_ARGS is a list of words
cmake -S . -B build ${CMAKE_ARGS-} -DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_PREFIX="$PREFIX" -DCMAKE_INSTALL_LIBDIR=lib \
    -DBLASTMERGE_CLOUD=linked -DBLASTMERGE_SQLITE=linked -DBLASTMERGE_DECOMPRESS=linked
cmake --build build --parallel "${CPU_COUNT:-1}"
cmake --install build
