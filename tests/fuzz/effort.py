"""Say how hard to try: briefly and always the same (make fuzz-short), or long and each time anew (make fuzz).

FUZZ_TIMES: how many times the short run. FUZZ_SEED: the long run's seed, which `make fuzz` prints; the same one replays
it. Without FUZZ_TIMES nothing is random.
"""

from __future__ import annotations

import os
import random
from typing import Any

from hypothesis import HealthCheck, settings

TIMES = int(os.environ.get("FUZZ_TIMES", "1"))
LONG = "FUZZ_TIMES" in os.environ
SEED = int(os.environ.get("FUZZ_SEED", "20261121")) if LONG else 20261121


def examples(short_run: int, **more: Any) -> settings:
    """Return Hypothesis settings for that many examples in a short run."""
    return settings(
        max_examples=short_run * TIMES,
        derandomize=not LONG,
        database=None,
        deadline=None,
        print_blob=True,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        **more,
    )


def seeded(name: str) -> random.Random:
    """Return numbers for one test; say the seed where it is shown when the test fails."""
    print(f"FUZZ_SEED={SEED}")
    return random.Random(f"{SEED} {name}")
