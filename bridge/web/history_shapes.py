"""Shape what is said about what EVSEs were. Moments are wall time."""

from __future__ import annotations

from pydantic import AwareDatetime, Field

from bridge.web.shapes import Shape


class HistorySpan(Shape):
    """What an EVSE was from one moment to another."""

    status: str
    live: str
    rule: str
    begin: AwareDatetime = Field(serialization_alias="from", validation_alias="from")
    end: AwareDatetime | None = Field(serialization_alias="to", validation_alias="to")
    """null: it is so still."""


class EvseHistory(Shape):
    """What one EVSE was, in the order of time; `next_cursor` is null on the last page."""

    evse_id: str
    since: AwareDatetime
    until: AwareDatetime
    items: tuple[HistorySpan, ...]
    next_cursor: str | None = None
    earlier: bool = False
    """Of the newest: there are changes within the range before the first of these."""


class StatusBucket(Shape):
    """How many EVSEs were what at one moment."""

    at: AwareDatetime
    """The end of the bucket."""
    counts: dict[str, int]
    """Effective status → EVSEs; those that are none are left out."""


class StatusHistory(Shape):
    """How many EVSEs of today's inventory were what, at the ends of buckets of equal length."""

    since: AwareDatetime
    until: AwareDatetime
    bucket_s: float
    buckets: tuple[StatusBucket, ...]
