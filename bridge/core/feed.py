"""Keep what operators' screens are told: the newest word on each thing, a little of what was said before, and no more.

A notice says how one thing stands now, so a newer one about the same thing replaces an older one that nobody has taken
yet: who is slow loses what lay between, never the last one. Whoever cannot be told everything is told to read
everything anew (`reset`). Never reads a clock, never waits, never sends. Before it: `bridge.app.event_services`, which
reads what changed. After it: `bridge.web.event_routes`, one mailbox for each client.
"""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass
from enum import StrEnum


class EventName(StrEnum):
    """What a notice is about."""

    STATUS = "status"
    """An EVSE's effective status."""
    DELIVERY = "delivery"
    """What a hub should have of an EVSE, and what it acknowledged."""
    UPSTREAM = "upstream"
    """How an account at a hub does."""
    STATION = "station"
    """A station came or went."""
    TEMPORARY = "temporary"
    """A temporary status was created, changed or ended by an operator."""
    RESET = "reset"
    """Read everything anew: what follows is only what changes from here on."""


@dataclass(frozen=True, slots=True)
class Notice:
    """How one thing stands."""

    number: int
    """Counts up; of two notices about one thing the higher one is newer."""
    name: EventName
    key: str
    """Which thing; with the name it says what a newer notice replaces."""
    data: str
    """JSON."""
    evse_id: str = ""
    account: str = ""
    station: str = ""
    operators: frozenset[str] | None = None
    """Whose thing it is; None: everybody's."""


@dataclass(frozen=True, slots=True)
class Interest:
    """What one client wants to be told. Nothing chosen is everything."""

    names: frozenset[EventName] = frozenset()
    evse_id: str = ""
    """Only what is about this EVSE, and its station's coming and going."""
    station: str = ""
    """The station of `evse_id`."""
    account: str = ""
    """Only what is about this account."""
    operators: frozenset[str] | None = None
    """Only what is these operators' or everybody's; None: all of it."""

    def takes(self, notice: Notice) -> bool:
        """Tell whether the notice is wanted; the order to read everything anew always is."""
        if notice.name is EventName.RESET:
            return True
        return (
            (not self.names or notice.name in self.names)
            and (not self.evse_id or self._is_about_the_evse(notice))
            and (not self.account or notice.account == self.account)
            and (self.operators is None or notice.operators is None or bool(self.operators & notice.operators))
        )

    def _is_about_the_evse(self, notice: Notice) -> bool:
        return notice.evse_id == self.evse_id or (not notice.evse_id and notice.station == self.station != "")


def reset(number: int, why: str) -> Notice:
    """Return the order to read everything anew."""
    return Notice(number, EventName.RESET, "", json.dumps({"why": why}, ensure_ascii=False))


class Ring:
    """The last notices, for a client that lost its connection for a moment."""

    def __init__(self, limit: int) -> None:
        self._kept: deque[Notice] = deque(maxlen=limit)
        self._complete_after = 0

    def add(self, notice: Notice) -> None:
        """Keep it; the oldest one goes."""
        if len(self._kept) == self._kept.maxlen:
            self._complete_after = self._kept[0].number
        self._kept.append(notice)

    def clear(self, complete_after: int) -> None:
        """Forget all; what comes next follows this number."""
        self._kept.clear()
        self._complete_after = complete_after

    def after(self, number: int) -> tuple[Notice, ...] | None:
        """Return everything that followed this number; None where some of it is not kept any more."""
        if number < self._complete_after:
            return None
        return tuple(notice for notice in self._kept if notice.number > number)


class Mailbox:
    """What one client has not taken yet: at most one notice about each thing, and at most `limit` of them.

    They leave in the order of their numbers, so that who says up to which one he has got has got all before it.
    """

    def __init__(self, interest: Interest, limit: int) -> None:
        self._interest = interest
        self._limit = limit
        self._waiting: dict[tuple[EventName, str], Notice] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, notice: Notice) -> bool:
        """Take the notice in where it is wanted, in place of an older one about the same thing; tell whether it was.

        Where that is too much, one order to read everything anew stands for all.
        """
        if not self._interest.takes(notice):
            return False
        if notice.name is EventName.RESET:
            self._waiting.clear()
        key = (notice.name, notice.key)
        self._waiting.pop(key, None)
        self._waiting[key] = notice
        if len(self._waiting) > self._limit:
            self._waiting.clear()
            late = reset(notice.number, "more has changed than was taken")
            self._waiting[late.name, late.key] = late
        return True

    def take(self) -> Notice | None:
        """Return the oldest notice and forget it; None where there is none."""
        if not self._waiting:
            return None
        return self._waiting.pop(next(iter(self._waiting)))
