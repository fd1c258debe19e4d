"""Say in plain words how an account at a hub does, and what somebody can do about it.

Pure. Before it: `hubs`, with what the services say. After it: the templates of hubs.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from bridge.core.modes import Mode
from bridge.web.full_load_shapes import FullLoadItem
from bridge.web.pages.words import duration, number
from bridge.web.shapes import UpstreamItem, UpstreamPreview

KINDS = {"oicp": "Hubject (OICP 2.3)", "chargeprice": "Chargeprice", "spirii": "Spirii, temporary statuses"}
REFUSALS = "refusals"
"""What people are shown instead of ok where the account sends, and its hub does not take all of it."""
TROUBLE = ("held", "degraded", REFUSALS)
"""States as they are shown that need somebody, the worst first."""
_WORST_FIRST = (*TROUBLE, "dry_run", "off", "ok")
STANDINGS = {
    "agreed": "As acknowledged",
    "new": "Never told yet",
    "changed": "Another value is on its way",
    "again": "To be told again",
    "refused": "Refused",
    "leaving": "Being withdrawn",
}
"""How statuses stand at a hub, by the words of `bridge.core.differences`."""
MOST_LISTED = 200
"""Of each list of EVSE ids; the rest is counted."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How an account does, in one sentence, and what to do about it in another."""

    text: str
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Listed:
    """EVSE ids under one heading."""

    title: str
    tone: str
    """added, changed, removed, left: how it is marked, beside its words."""
    why: str
    ids: tuple[str, ...]
    more: int
    """How many are not shown."""


def kind_name(kind: str) -> str:
    """Return what people call a kind of hub."""
    return KINDS.get(kind, kind)


def shown_state(item: UpstreamItem) -> str:
    """Return the state in the word that people are shown: nothing that a hub refuses is ok."""
    return REFUSALS if item.state == "ok" and (item.refused or item.documents_refused) else item.state


def problems_first(items: tuple[UpstreamItem, ...]) -> list[UpstreamItem]:
    """Return accounts with those first that need somebody; equals stay in their order."""
    return sorted(items, key=lambda item: (_WORST_FIRST.index(shown_state(item)), -item.refused))


def standing(item: UpstreamItem, now: datetime) -> Standing:
    """Return how an account does."""
    match item.state:
        case "off":
            return Standing("Off: nothing is sent to this hub.", "An administrator can enable it.")
        case "dry_run":
            return Standing(
                f"Dry run: nothing is sent; {evses(item.would_send)} would be.",
                "Everything is computed and shown as if it were live.",
            )
        case "held":
            return Standing(
                f"Held: {item.held or item.documents_held}.",
                "It is tried again with one status at a time, at most once a minute, and goes on by itself. "
                "Once the reason is put right, Send what differs tries at once.",
            )
        case "degraded":
            return Standing(_degraded(item, now), "It is tried again by itself; nothing is lost meanwhile.")
        case "ok":
            waiting = [f"{evses(count)} on the way"] if (count := _waiting(item)) else []
            refused = _refusals(item)
            text = f"Live: {', '.join([*waiting, *refused]) or 'the hub has every status'}."
            return Standing(text, "Correct what the hub names; each is tried again every few hours." if refused else "")
        case _:
            assert_never(item.state)


def _degraded(item: UpstreamItem, now: datetime) -> str:
    said = []
    if item.paused_until is not None and item.paused_until > now:
        said.append(f"paused for {duration((item.paused_until - now).total_seconds())}")
    if count := _waiting(item):
        said.append(f"{evses(count)} waiting")
    said += _refusals(item)
    if item.documents_held:
        said.append(f"documents are held: {item.documents_held}")
    return f"Degraded: {', '.join(said) or item.last_error or 'see the last error'}."


def _waiting(item: UpstreamItem) -> int:
    """Return how many are on their way: the backlog has what the hub refuses in it, which waits for hours."""
    return max(0, item.backlog - item.refused)


def _refusals(item: UpstreamItem) -> list[str]:
    said = [f"the hub refuses {evses(item.refused)}"] if item.refused else []
    if item.documents_refused and item.kind != "spirii":
        documents = "1 document" if item.documents_refused == 1 else f"{number(item.documents_refused)} documents"
        said.append(f"it refuses {documents}")
    return said


def evses(count: int) -> str:
    """Return a count of EVSEs in words."""
    return "1 EVSE" if count == 1 else f"{number(count)} EVSEs"


def preview_words(preview: UpstreamPreview) -> str:
    """Return in one sentence what enabling the account would send."""
    parts = [f"{number(preview.known)} with a known status"]
    if preview.unknown:
        parts.append(f"{number(preview.unknown)} as unknown though their station was heard of")
    if preview.absent:
        parts.append(f"{number(preview.absent)} whose station was never heard of")
    return f"{evses(preview.total)}: {', '.join(parts)}."


def mode_name(mode: Mode) -> str:
    """Return a mode as people read it."""
    return {Mode.OFF: "off", Mode.DRY_RUN: "dry run", Mode.LIVE: "live"}[mode]


def full_load_lists(item: FullLoadItem) -> list[Listed]:
    """Return what a fullLoad changes, the removals first: they are what cannot be taken back."""
    lists = (
        ("Removed", "removed", "Not in the inventory, or not listed, any more: the hub loses them.", item.withdrawn),
        ("Removed, since the hub refuses them", "removed", "What the hub may have of them is withdrawn.", item.refused),
        ("Added", "added", "The hub has acknowledged nothing of them.", item.new),
        ("Changed", "changed", "The hub has another value.", item.changed),
        ("Left out: another operator's ids", "left", "The account may not send them.", item.foreign),
        ("Left out until the hub has their data", "left", "They follow by themselves.", item.waiting),
    )
    return [
        Listed(title, tone, why, ids[:MOST_LISTED], max(0, len(ids) - MOST_LISTED))
        for title, tone, why, ids in lists
        if ids
    ]


def full_load_words(item: FullLoadItem) -> str:
    """Return in one sentence what the hub has afterwards."""
    parts = [
        f"{count} {word}"
        for count, word in (
            (len(item.new), "added"),
            (len(item.changed), "changed"),
            (len(item.same), "as now"),
            (len(item.withdrawn) + len(item.refused), "removed"),
        )
        if count
    ]
    sent = len(item.new) + len(item.changed) + len(item.same)
    return f"The hub then has {evses(sent)}: {', '.join(parts) or 'none'}."
