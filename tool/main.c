/* SPDX-License-Identifier: MIT */
#include "tool.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#if !defined(O_PATH)
#define O_PATH 0
#endif

/* A program may be started with some of its standard streams closed. The next file that is opened
 * would take such a number, and messages would end up in the result. What is opened in its place
 * here fails when it is used, as the closed stream would have; under names like /dev/fd/1, too. */
static bool hold_standard_streams(void) {
    for (int stream = 0; stream <= 2; stream++) {
        if (fcntl(stream, F_GETFD) != -1 || errno != EBADF) continue;
        if (open("/", O_RDONLY | O_DIRECTORY | O_PATH) != stream) return false;
    }
    return true;
}

int main(int argc, char **argv) {
    if (!hold_standard_streams()) return BLASTMERGE_IO;
    struct tool_options options;
    bool is_done = false;
    enum blastmerge_status status = tool_options_parse(&options, &is_done, argc, argv);
    if (status == BLASTMERGE_OK && !is_done) status = options.run(&options);
    tool_options_close(&options);
    tool_signals_raise();
    return (int)status;
}
