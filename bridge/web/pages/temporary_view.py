"""Lay temporary statuses out by day, in the zone of whoever looks, and say in words what a preview found.

Pure. Before it: `temporary`. After it: the templates of temporary statuses.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from bridge.core.model import TemporaryKind
from bridge.core.temporary import Phase
from bridge.web.pages.zones import day_in_words, in_words
from bridge.web.temporary_shapes import TemporaryForecast, TemporaryItem, TemporaryPreview

KINDS = (
    (TemporaryKind.MAINTENANCE, "Maintenance: somebody works on it"),
    (TemporaryKind.COMMISSIONING, "Commissioning: it is not open yet"),
    (TemporaryKind.BLOCKED, "Blocked: the bay cannot be used"),
    (TemporaryKind.RESERVED, "Reserved: it is kept for somebody"),
)
UNTIL_REMOVED = "until it is removed"


@dataclass(frozen=True, slots=True)
class Day:
    """Temporary statuses under one heading."""

    title: str
    items: tuple[TemporaryItem, ...]


def calendar(items: Iterable[TemporaryItem], zone: ZoneInfo, *, ended: bool) -> list[Day]:
    """Return those in force, those to come by the day that they begin on, and with `ended` those that are over."""
    known = tuple(items)
    active = sorted((item for item in known if item.phase is Phase.ACTIVE), key=_end)
    coming = sorted((item for item in known if item.phase is Phase.SCHEDULED), key=lambda item: item.valid_from)
    over = sorted((item for item in known if item.phase is Phase.OVER), key=_end, reverse=True)
    days = [Day("In force now", tuple(active))] if active else []
    for item in coming:
        title = f"Begins {day_in_words(item.valid_from.astimezone(zone).date())}"
        if days and days[-1].title == title:
            days[-1] = Day(title, (*days[-1].items, item))
        else:
            days.append(Day(title, (item,)))
    return [*days, Day("Over", tuple(over))] if ended and over else days


def _end(item: TemporaryItem) -> tuple[bool, float]:
    return item.valid_to is None, 0.0 if item.valid_to is None else item.valid_to.timestamp()


def period(begin: datetime | None, end: datetime | None, zone: ZoneInfo) -> str:
    """Return from when until when, in a zone."""
    begins = "now" if begin is None else in_words(begin, zone)
    return f"from {begins} {UNTIL_REMOVED if end is None else f'until {in_words(end, zone)}'}"


def summary(preview: TemporaryPreview) -> str:
    """Return in one sentence what would be created."""
    good = [item for item in preview.items if not item.problem]
    bad = len(preview.items) - len(good)
    said = f"{preview.status.value.capitalize()} for {_evses(len(good))}"
    return said if not bad else f"{said}; {_evses(bad)} cannot have it, and then none gets it"


def _evses(count: int) -> str:
    return "1 EVSE" if count == 1 else f"{count} EVSEs"


@dataclass(frozen=True, slots=True)
class Told:
    """What one hub is told of an EVSE from one moment on."""

    begin: datetime | None
    """None: as it is now."""
    word: str
    at_begin: bool = False
    """It is told as soon as the temporary status begins."""


@dataclass(frozen=True, slots=True)
class Group:
    """EVSEs of which every hub is told the same, from the same moments on."""

    evse_ids: tuple[str, ...]
    status: str
    hubs: dict[str, tuple[Told, ...]]
    mirrored_to: tuple[str, ...]
    notes: tuple[str, ...]
    """Where something else than the wish decides for a while, and why."""


def grouped(preview: TemporaryPreview) -> list[Group]:
    """Return the EVSEs that can have it, those alike together: of two hundred alike one has to read once."""
    groups: dict[str, Group] = {}
    for item in preview.items:
        if item.problem:
            continue
        group = _group(item, preview.status)
        key = repr((group.status, group.hubs, group.mirrored_to, group.notes))
        known = groups.get(key)
        ids = (*(known.evse_ids if known else ()), item.evse_id)
        groups[key] = Group(ids, group.status, group.hubs, group.mirrored_to, group.notes)
    return list(groups.values())


def _group(item: TemporaryForecast, wished: TemporaryKind) -> Group:
    hubs = {account: _told(account, word, item) for account, word in item.words.items()}
    notes = tuple(
        f"{span.status}: {span.rule}" for span in item.spans[:-1] or item.spans if span.status != wished.value.lower()
    )
    return Group((item.evse_id,), item.status, hubs, item.mirrored_to, notes)


def _told(account: str, now: str, item: TemporaryForecast) -> tuple[Told, ...]:
    """Return the words that differ from the one before; those that repeat it are not sent."""
    told = [Told(None, now)]
    for place, span in enumerate(item.spans):
        word = span.words.get(account, "")
        if word != told[-1].word:
            told.append(Told(span.begin, word, at_begin=place == 0))
    return tuple(told)


def overlapping(items: Sequence[TemporaryForecast]) -> list[tuple[str, TemporaryItem]]:
    """Return each other temporary status that is in force at the same time, with its EVSE."""
    return [(item.evse_id, other) for item in items for other in item.overlaps]
