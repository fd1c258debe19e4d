"""Turn changes into spans, and changes of many things into how many were what at a time. Pure.

Before it: `store.history_readings`. After it: `bridge.app.history`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Change:
    """What an EVSE became, and when (wall time)."""

    at: datetime
    status: str
    live: str
    rule: str


@dataclass(frozen=True, slots=True)
class Span:
    """What an EVSE was from one moment to another."""

    status: str
    live: str
    rule: str
    begin: datetime
    end: datetime | None
    """None: it is so still."""


@dataclass(frozen=True, slots=True)
class Moved:
    """So many EVSEs became this in one bucket, and were that before; bucket -1: before all of them."""

    bucket: int
    status: str
    before: str | None
    evses: int


def spans(changes: Sequence[Change], since: datetime, until: datetime | None) -> tuple[Span, ...]:
    """Return the spans between these changes, which are in their order; equal neighbours are one.

    The first change may lie before `since`, where its span begins then. `until` is where the last one ends; None: it
    is so still. Where the clock was set back no span ends before it begins.
    """
    found: list[Span] = []
    for number, change in enumerate(changes):
        begin = max(change.at, since, found[-1].begin if found else since)
        end = max(changes[number + 1].at, begin) if number + 1 < len(changes) else until
        if found and (found[-1].status, found[-1].live) == (change.status, change.live):
            last = found.pop()
            found.append(Span(last.status, last.live, last.rule, last.begin, end))
        else:
            if found:
                found[-1] = Span(found[-1].status, found[-1].live, found[-1].rule, found[-1].begin, begin)
            found.append(Span(change.status, change.live, change.rule, begin, end))
    return tuple(found)


def counts(moved: Iterable[Moved], buckets: int) -> tuple[dict[str, int], ...]:
    """Return how many EVSEs were what at the end of each bucket."""
    by_bucket: dict[int, list[Moved]] = {}
    for each in moved:
        by_bucket.setdefault(each.bucket, []).append(each)
    running: Counter[str] = Counter()
    found = []
    for bucket in range(-1, buckets):
        for each in by_bucket.get(bucket, ()):
            running[each.status] += each.evses
            if each.before is not None:
                running[each.before] -= each.evses
        if bucket >= 0:
            found.append({status: number for status, number in sorted(running.items()) if number})
    return tuple(found)
