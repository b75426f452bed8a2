#!/bin/sh
# SPDX-License-Identifier: MIT
# The library opens all its descriptors in base/descriptor.c, which keeps them above those of the standard streams.
set -eu
cd "$(dirname "$0")/../../src"
calls='open|open64|openat|creat|opendir|fopen|freopen|pipe|pipe2|socket|socketpair|accept|accept4|dup|dup2|dup3|eventfd|epoll_create|epoll_create1|timerfd_create|signalfd|memfd_create|inotify_init|inotify_init1|mkstemp|mkostemp|tmpfile|popen|shm_open|json_load_file|json_dump_file'
# Not members (fetch->open(...)), not words of comments.
found=$(grep -rnE "(^|[^a-zA-Z0-9_>.])($calls)\(" --include='*.c' --include='*.h' . | grep -vE '^\./base/descriptor\.[ch]:' | grep -vE '^[^:]*:[0-9]*: *(/?\*|//)' || true)
if [ -n "$found" ]; then
    printf 'Descriptors are opened with the functions of base/descriptor.h (bm_open, bm_open_at, bm_open_stream ...):\n%s\n' "$found"
    exit 1
fi
# The search itself works.
[ "$(grep -cE "(^|[^a-zA-Z0-9_>.])($calls)\(" base/descriptor.c)" -ge 4 ]
