"""Count a key's requests in windows of a minute, as Spirii's rate-limit headers tell them.

Does no I/O and reads no clock. Before it: `spirii`.
Source: Spirii API, Rate limits: 600 reads and 120 writes a minute; X-RateLimit-Limit, -Remaining, -Reset (epoch
seconds), and Retry-After (seconds) only on 429.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

WINDOW_S = 60


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a key has left, counting the request that asked."""

    limit: int
    used: int
    resets_at: float
    """Seconds since 1970."""

    @property
    def exceeded(self) -> bool:
        """Tell whether the request was one too many."""
        return self.used > self.limit

    def headers(self, now: float) -> dict[str, str]:
        """Return the headers of the answer."""
        headers = {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(max(0, self.limit - self.used)),
            "X-RateLimit-Reset": str(math.ceil(self.resets_at)),
        }
        return headers | ({"Retry-After": str(max(1, math.ceil(self.resets_at - now)))} if self.exceeded else {})


class Rates:
    """How many requests came in the present window, per key and family of endpoints."""

    def __init__(self) -> None:
        self._windows: dict[tuple[str, str], tuple[float, int]] = {}

    def take(self, family: str, who: str, limit: int, now: float) -> Allowance:
        """Count one request; a window begins with the first request after the last one ended."""
        began, used = self._windows.get((family, who), (now, 0))
        if now >= began + WINDOW_S:
            began, used = now, 0
        self._windows[family, who] = (began, used + 1)
        return Allowance(limit, used + 1, began + WINDOW_S)
