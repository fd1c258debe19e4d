"""Say how hard the long variants try: by default for minutes, and by variables for as long as somebody likes.

TORTURE_MINUTES, TORTURE_STATIONS and TORTURE_FRAMES say how much, TORTURE_SEED what of it.
"""

from __future__ import annotations

import os

MINUTES = float(os.environ.get("TORTURE_MINUTES", "3"))
"""Of a status that flaps, and of the soak."""
FRAMES = int(os.environ.get("TORTURE_FRAMES", "1000000"))


def stations(usual: int) -> int:
    """Return how many stations a long run has."""
    return int(os.environ.get("TORTURE_STATIONS", usual))


def seed(usual: int) -> int:
    """Return the seed of a long run."""
    return int(os.environ.get("TORTURE_SEED", usual))
