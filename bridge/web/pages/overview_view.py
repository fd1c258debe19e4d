"""Work out what the overview's counters and filters lead to: each is a link, and what it leads to is in its address.

Pure. Before it: `overview`. After it: the template.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from multidict import MultiDict
from yarl import URL

from bridge.web.evse_counts import EvseCounts
from bridge.web.evse_query import EvseQuery
from bridge.web.pages.hub_view import TROUBLE, shown_state
from bridge.web.shapes import UpstreamItem

_OF_STATUS = (
    "available",
    "charging",
    "occupied",
    "reserved",
    "faulted",
    "unavailable",
    "unknown",
    "maintenance",
    "commissioning",
    "blocked",
)
_OFTEN = frozenset(_OF_STATUS[:7])
"""Shown although there is none: a counter that comes and goes moves the others."""
_TONES = {"faulted": "s-faulted bad"}
_BEHIND = ("pending", "deferred", "held", "refused")


@dataclass(frozen=True, slots=True)
class Counter:
    """A number that is a link and a filter; where it is in force, the link takes it away."""

    label: str
    count: int
    href: str
    on: bool
    shape: str
    tone: str


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter that is in force, and the address without it."""

    label: str
    href: str


@dataclass(frozen=True, slots=True)
class Slice:
    """One part of the bar of all EVSEs."""

    word: str
    x: float
    width: float
    count: int


@dataclass(frozen=True, slots=True)
class HubTile:
    """An account at a glance, and what leads to the EVSEs that it lacks."""

    item: UpstreamItem
    state: str
    """As people are shown it."""
    trouble: bool
    behind: str
    refused: str


def counters(here: URL, query: EvseQuery, counts: EvseCounts) -> tuple[Counter, ...]:
    """Return the counters: all, what is wrong, what is offline, and each status."""
    chosen = {status.value for status in query.statuses}
    plain = here.with_query(None)
    found = [
        Counter("all", counts.evses, str(plain), not filters(here, query), "", ""),
        Counter(
            "problems",
            counts.problems,
            _toggle(here, "problems", "true", on=query.problems is True),
            query.problems is True,
            "warning",
            "bad",
        ),
        Counter(
            "offline",
            counts.offline,
            _toggle(here, "connected", "false", on=query.connected is False),
            query.connected is False,
            "offline",
            "warm",
        ),
    ]
    for word in _OF_STATUS:
        count, on = counts.statuses.get(word, 0), word in chosen
        if count or on or word in _OFTEN:
            href = _toggle(here, "status", word, on=on)
            found.append(Counter(word, count, href, on, word, _TONES.get(word, f"s-{word}")))
    return tuple(found)


def _toggle(here: URL, name: str, value: str, *, on: bool) -> str:
    """Return the address with this one value of the name, or without it; the first page of it."""
    return str(changed(here, {name: None if on else value}))


def changed(here: URL, changes: Mapping[str, str | None]) -> URL:
    """Return the first page of an address whose query is changed; None takes a name away."""
    query = MultiDict(here.query)
    for name, value in {"cursor": None, **changes}.items():
        query.popall(name, None)
        if value is not None:
            query.add(name, value)
    return here.with_query(query)


def filters(here: URL, query: EvseQuery) -> tuple[Chip, ...]:
    """Return the filters that are in force, each with the address without it."""
    named = [
        ("status", "status " + ", ".join(status.value for status in query.statuses), bool(query.statuses)),
        ("problems", "problems only" if query.problems else "without problems", query.problems is not None),
        ("connected", "online" if query.connected else "offline", query.connected is not None),
        ("account", f"hub {query.account}", query.account is not None),
        ("state", f"delivery {', '.join(query.states)}", bool(query.states)),
        ("station", f"station {query.station}", query.station is not None),
        ("operator", f"operator {query.operator}", query.operator is not None),
        ("q", f"“{query.q}”", bool(query.q)),
    ]
    return tuple(Chip(label, str(changed(here, {name: None}))) for name, label, given in named if given)


def slices(counts: EvseCounts) -> tuple[Slice, ...]:
    """Return the parts of the bar, from left to right, in per cent of all EVSEs."""
    found: list[Slice] = []
    x = 0.0
    for word in _OF_STATUS:
        if count := counts.statuses.get(word, 0):
            width = count / counts.evses * 100
            found.append(Slice(word, round(x, 3), round(width, 3), count))
            x += width
    return tuple(found)


def hub_tiles(items: Iterable[UpstreamItem]) -> tuple[HubTile, ...]:
    """Return the accounts, those in trouble first."""
    order = (*TROUBLE, "ok", "dry_run", "off")
    ordered = sorted(items, key=lambda item: order.index(shown_state(item)))
    return tuple(
        HubTile(
            item,
            shown_state(item),
            shown_state(item) in TROUBLE,
            _evses_of(item.name, _BEHIND),
            _evses_of(item.name, ("refused",)),
        )
        for item in ordered
    )


def _evses_of(account: str, states: Sequence[str]) -> str:
    return str(URL("/").with_query([("account", account), *(("state", state) for state in states)]))
