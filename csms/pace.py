"""Say how long to wait before more is taken from a station that says more than its share: a token bucket.

Pure: the clock is an argument. Before it: `pacing`, for each message and each control frame. After it: nobody.
"""

from __future__ import annotations


class Pace:
    """A rate that may be exceeded by a burst; `per_second` 0 means no limit."""

    __slots__ = ("_allowance_s", "_due", "_interval_s")

    def __init__(self, per_second: int, burst: int) -> None:
        """Let `burst` pass at once, and `per_second` in the long run."""
        self._interval_s = 1 / per_second if per_second else 0.0
        self._allowance_s = burst * self._interval_s
        self._due = 0.0

    def spend(self, now: float) -> float:
        """Count one more at `now` (monotonic seconds), and return the seconds until it would have been in time.

        Zero or less while the burst lasts. What is taken without waiting grows the debt.
        """
        due = self._due
        self._due = due = (due if due > now else now) + self._interval_s
        return due - now - self._allowance_s
