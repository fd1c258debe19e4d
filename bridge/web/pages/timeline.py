"""Lay out what an EVSE was over a span of time: spans in a row, ticks below, and how much of the time each word took.

Pure. Moments are wall time; places are per cent of the width, so that a picture needs no size. Equal neighbours are one
span. Before it: `evse`. After it: the template, which draws it and says the same as a table.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_TICKS = (
    (timedelta(hours=30), timedelta(hours=4), "%H:%M"),
    (timedelta(days=8), timedelta(days=1), "%a %d"),
    (timedelta(days=36), timedelta(days=5), "%d %b"),
)


@dataclass(frozen=True, slots=True)
class Change:
    """From this moment on it was this."""

    at: datetime
    word: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Span:
    """It was one thing from one moment to another."""

    word: str
    since: datetime
    until: datetime
    x: float
    """Where it begins, in per cent."""
    width: float
    why: str = ""

    @property
    def lasted(self) -> float:
        """How long, in seconds."""
        return (self.until - self.since).total_seconds()


@dataclass(frozen=True, slots=True)
class Tick:
    """A moment that is written below."""

    x: float
    label: str


@dataclass(frozen=True, slots=True)
class Share:
    """How much of the time it was one thing."""

    word: str
    percent: float

    @property
    def said(self) -> str:
        """As people read it: what happened is never nothing."""
        return f"{self.percent} %" if self.percent else "under 0.1 %"


@dataclass(frozen=True, slots=True)
class Timeline:
    """What is drawn."""

    since: datetime
    until: datetime
    spans: tuple[Span, ...]
    ticks: tuple[Tick, ...]
    shares: tuple[Share, ...]
    """The largest first."""


def timeline(changes: Iterable[Change], since: datetime, until: datetime) -> Timeline:
    """Lay out changes, oldest first; one before `since` says what it was then, and nothing says what is not known."""
    if until <= since:
        raise AssertionError("a timeline has a length")
    spans = _spans(sorted(changes, key=lambda change: change.at), since, until)
    return Timeline(since, until, spans, _ticks(since, until), _shares(spans, (until - since).total_seconds()))


def _spans(changes: Sequence[Change], since: datetime, until: datetime) -> tuple[Span, ...]:
    found: list[Span] = []
    for number, change in enumerate(changes):
        end = changes[number + 1].at if number + 1 < len(changes) else until
        begin, end = max(change.at, since), min(end, until)
        if end <= begin:
            continue
        if found and found[-1].word == change.word and found[-1].until == begin:
            before = found.pop()
            begin, why = before.since, before.why
        else:
            why = change.why
        x = _place(begin, since, until)
        found.append(Span(change.word, begin, end, x, round(_place(end, since, until) - x, 3), why))
    return tuple(found)


def _place(moment: datetime, since: datetime, until: datetime) -> float:
    return round((moment - since) / (until - since) * 100, 3)


def _ticks(since: datetime, until: datetime) -> tuple[Tick, ...]:
    step, form = next(
        ((step, form) for longest, step, form in _TICKS if until - since <= longest), (_TICKS[-1][1], _TICKS[-1][2])
    )
    midnight = since.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    at = midnight + step * ((since - midnight) // step + 1)
    found = []
    while at < until:
        found.append(Tick(_place(at, since, until), at.strftime(form)))
        at += step
    return tuple(found)


def _shares(spans: Iterable[Span], whole: float) -> tuple[Share, ...]:
    lasted: dict[str, float] = {}
    for span in spans:
        lasted[span.word] = lasted.get(span.word, 0) + span.lasted
    ordered = sorted(lasted.items(), key=lambda item: (-item[1], item[0]))
    return tuple(Share(word, round(seconds / whole * 100, 1)) for word, seconds in ordered)
