#!/bin/bash -eu
# SPDX-License-Identifier: MIT
# OSS-Fuzz's form: $CC, $CFLAGS and $LIB_FUZZING_ENGINE come from its builder; targets, seeds and options go to $OUT.
# Libraries are linked in, since the targets run where they are not installed.
shared=("$SRC"/blastmerge/src/*/*.c "$SRC"/blastmerge/src/*/*/*.c)
cd "$SRC/blastmerge"
mkdir -p "$WORK/objects"
flags=(-std=c11 -D_GNU_SOURCE -DBLASTMERGE_CLOUD -Iinclude -Isrc -Itests)
for source in "${shared[@]}"; do
    name=${source#"$SRC"/blastmerge/src/}
    # shellcheck disable=SC2086 # $CFLAGS is a list of words
    $CC $CFLAGS "${flags[@]}" -c "$source" -o "$WORK/objects/${name//\//_}.o"
done
rm -f "$WORK/libblastmerge.a"
ar rcs "$WORK/libblastmerge.a" "$WORK"/objects/*.o

# shellcheck disable=SC2086
$CC $CFLAGS "${flags[@]}" -c fuzz/keep.c -o "$WORK/keep.o"
for source in fuzz/fuzz_*.c; do
    target=$(basename "$source" .c)
    # shellcheck disable=SC2086
    $CC $CFLAGS "${flags[@]}" -c "$source" -o "$WORK/$target.o"
    wrapped=--wrap=calloc,--wrap=free
    [ "$target" != fuzz_remote ] || wrapped=$wrapped,--wrap=bm_cloud_make_plan
    # shellcheck disable=SC2086
    $CXX $CXXFLAGS "$WORK/$target.o" "$WORK/keep.o" "-Wl,$wrapped" "$WORK/libblastmerge.a" $LIB_FUZZING_ENGINE \
        -Wl,-Bstatic -lz -ldeflate -ljansson -lexpat -Wl,-Bdynamic -lpthread -lm -ldl -o "$OUT/$target"
    seeds=fuzz/corpus/${target#fuzz_}
    [ ! -d "$seeds" ] || zip -qj "$OUT/${target}_seed_corpus.zip" "$seeds"/*
    printf '[libfuzzer]\ntimeout = 20\nrss_limit_mb = 2048\n' >"$OUT/$target.options"
done
