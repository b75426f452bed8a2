#!/bin/sh
# SPDX-License-Identifier: MIT
# What was built has what cmake/hardening.cmake asks for.
#
#     tests/tool/hardening.sh PROGRAM LIBRARY
set -u
failed=0

# expect WHAT FILE PATTERN READELF-OPTIONS...: readelf says it
expect() {
    what=$1 file=$2 pattern=$3
    shift 3
    if ! readelf --wide "$@" "$file" 2>/dev/null | grep -Eq -- "$pattern"; then
        echo "FAILED  $file: $what" >&2
        failed=1
    fi
}

# expect_no WHAT FILE PATTERN READELF-OPTIONS...: readelf says nothing of the kind
expect_no() {
    what=$1 file=$2 pattern=$3
    shift 3
    if readelf --wide "$@" "$file" 2>/dev/null | grep -Eq -- "$pattern"; then
        echo "FAILED  $file: $what" >&2
        failed=1
    fi
}

command -v readelf >/dev/null || { echo "readelf is not there: apt install binutils" >&2 && exit 1; }
[ $# -eq 2 ] || { echo "two files were expected" >&2 && exit 1; }

for file in "$@"; do
    [ -r "$file" ] || { echo "$file is not there" >&2 && exit 1; }
    expect "may lie anywhere (PIE, PIC)" "$file" 'Type: +DYN' --file-header
    expect "RELRO" "$file" 'GNU_RELRO' --program-headers
    expect "bound at its start (BIND_NOW)" "$file" 'FLAGS_1.* NOW' --dynamic
    expect "a stack that is said to be data" "$file" 'GNU_STACK .* RW ' --program-headers
    expect_no "a segment that can be written and executed" "$file" ' RWE ' --program-headers
    expect_no "relocations in its code" "$file" 'TEXTREL' --dynamic
    expect "stack protector" "$file" '__stack_chk_fail' --dyn-syms
    expect "calls that libc checks (_FORTIFY_SOURCE)" "$file" '__[a-z]+_chk' --dyn-syms
    expect_no "the way to look for libraries in folders of the build" "$file" 'R(UN)?PATH' --dynamic
done
expect "is a program that may lie anywhere (PIE)" "$1" 'FLAGS_1.* PIE' --dynamic

# Where jumps may go. The linker's note needs every object to agree, also those of libc; the code does not.
case $(readelf --file-header "$1" | sed -n 's/ *Machine: *//p') in
*X86-64*)
    objdump -d --no-show-raw-insn "$2" | grep -c endbr64 | {
        read -r n
        [ "$n" -gt 100 ] || { echo "FAILED  $2: endbr64 at the functions (-fcf-protection)" >&2 && exit 1; }
    } || failed=1
    ;;
*AArch64*)
    objdump -d --no-show-raw-insn "$2" | grep -Ec 'paciasp|hint.*#0x19|bti' | {
        read -r n
        [ "$n" -gt 100 ] || { echo "FAILED  $2: signed returns (-mbranch-protection)" >&2 && exit 1; }
    } || failed=1
    ;;
esac
exit $failed
