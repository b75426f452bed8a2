# SPDX-License-Identifier: MIT
"""What tests that kill have in common. BLASTMERGE_KILLS says at how many random moments (24 without it; 1000 in a long run);
what was found is printed (pytest -s) and added to the file that BLASTMERGE_KILLS_FOUND names."""
import os

import program

FAULTS = os.environ.get("BLASTMERGE_FAULTS", str(program.ROOT / "build" / "tests" / "libfaults.so"))
N_KILLS = int(os.environ.get("BLASTMERGE_KILLS", "24"))


def tell(title, counts):
    line = f"{title}: {sum(counts.values())} kills; found " + ", ".join(f"{n} x {what}" for what, n in sorted(counts.items()))
    print(line)
    if "BLASTMERGE_KILLS_FOUND" in os.environ:
        with open(os.environ["BLASTMERGE_KILLS_FOUND"], "a", encoding="utf-8") as file:
            print(line, file=file)
