"""Say when the nightly moment of an account is: at a local time, daily or weekly, also when the clocks change.

Before it: an account's options. After it: `full_load`, which schedules by it.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim


@dataclass(frozen=True, slots=True)
class Nightly:
    """A moment of each day, or of one day of the week."""

    at: time = time(3, 30)
    """Local time in `zone`, to the minute."""
    weekday: int | None = None
    """0 Sunday … 6 Saturday; None: on every day."""
    zone: str = "UTC"

    @property
    def farthest(self) -> timedelta:
        """How far ahead the next one may be, by any clock change."""
        return timedelta(hours=49) if self.weekday is None else timedelta(days=7, hours=25)


def next_nightly(now: datetime, nightly: Nightly) -> datetime:
    """Return the first such moment after `now`, in UTC; once in each night.

    A local time that the night skips is taken at the end of the gap; of one that it repeats, the first counts.
    """
    day = "*" if nightly.weekday is None else str(nightly.weekday)
    expression = f"{nightly.at.minute} {nightly.at.hour} * * {day}"
    for candidate in CronSim(expression, now.astimezone(ZoneInfo(nightly.zone))):
        moment = candidate.astimezone(UTC)
        if moment > now:
            return moment
    raise AssertionError("a daily expression has no end")


@functools.lru_cache(64)  # each turn of each lane asks this of the moment that it has stored
def is_nightly(moment: datetime, nightly: Nightly) -> bool:
    """Say whether `moment` is such a moment."""
    return next_nightly(moment - timedelta(seconds=1), nightly) == moment
