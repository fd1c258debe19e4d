"""Remember how long things took, in a table whose size does not grow with their number.

Pure. Before it: `tally`. Each bucket is 2 % wide, so a percentile is right to 1 %; the longest is exact.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from typing import Any

_LEAST_MS = 0.001
_WIDTH = math.log(1.02)


class Times:
    """Durations of one kind, in milliseconds."""

    __slots__ = ("_buckets", "_longest")

    def __init__(self) -> None:
        self._buckets: Counter[int] = Counter()
        self._longest = 0.0

    def add(self, ms: float) -> None:
        """Remember one."""
        self._buckets[int(math.log(ms / _LEAST_MS) / _WIDTH) if ms > _LEAST_MS else 0] += 1
        if ms > self._longest:
            self._longest = ms

    def __len__(self) -> int:
        return self._buckets.total()

    @property
    def longest(self) -> float:
        """The longest, exactly; 0 before the first."""
        return self._longest

    def percentile(self, percent: float) -> float | None:
        """Return below what `percent` of them lie; None before the first."""
        left = math.ceil(len(self) * percent / 100)
        for bucket in sorted(self._buckets):
            left -= self._buckets[bucket]
            if left <= 0:
                return min(_LEAST_MS * math.exp((bucket + 0.5) * _WIDTH), self._longest)
        return None

    def merge(self, other: Times) -> None:
        """Add what another process remembers."""
        self._buckets.update(other._buckets)
        self._longest = max(self._longest, other._longest)

    def document(self) -> dict[str, Any]:
        """Return everything, for another process."""
        return {"buckets": dict(self._buckets), "longest": self._longest}

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Times:
        """Return what another process remembered."""
        times = cls()
        times._buckets.update({int(bucket): int(count) for bucket, count in document["buckets"].items()})
        times._longest = float(document["longest"])
        return times
