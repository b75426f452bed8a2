# SPDX-License-Identifier: MIT
"""Where the tests find the oracle, the corpus and each other."""
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent)]
