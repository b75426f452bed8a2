# SPDX-License-Identifier: MIT
"""Where the tests find what they share with the others."""
import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(Path(__file__).parent), str(TESTS / "e2e"), str(TESTS)]
