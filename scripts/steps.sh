# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# What the scripts that run tests share.

began=$(date +%s)

step() {
    printf '\n=== %s (%d s since this script began)\n' "$*" $(($(date +%s) - began))
}

# run_tests FOLDER [CTEST-OPTION]...: runs a build's tests. It names those that were skipped; with CI=true these fail the run.
run_tests() {
    folder=$1
    shift
    ctest --test-dir "$folder" --output-on-failure --parallel "$(nproc)" --no-tests=error "$@"
    if grep -E '^SKIPPED \[|\[ *SKIPPED *\]' "$folder/Testing/Temporary/LastTest.log"; then
        echo "SKIPPED: the tests named above were not run" >&2
        [ "${CI-}" != true ] || return 1
    fi
}
