"""Foresee what an EVSE will be from moment to moment while a temporary status that somebody wishes is in force.

Never stores and never reads a clock: the wish is only looked at. As today's facts have it: what a station will report
meanwhile nobody knows. Before it: a wish, and the facts as stored. After it: whoever asks before an order is given.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from msgspec.structs import replace

from bridge.core.effective import EffectiveOptions, effective
from bridge.core.model import Effective, EvseStatus, EvseView, Moment, Temporary

_MOST_SPANS = 50
"""An EVSE may have a year of reservations within the wish."""


@dataclass(frozen=True, slots=True)
class Span:
    """What the EVSE is from a wall time on, until the next span; the last one holds until something else happens."""

    begin: datetime
    status: EvseStatus
    rule: str


def outlook(
    view: EvseView, decided: Effective, wish: Temporary, at: Moment, options: EffectiveOptions
) -> tuple[Span, ...]:
    """Return what the EVSE is from the wish's beginning (or now) until behind its end, if it were granted.

    Args:
        view: The facts as stored, without the wish.
        decided: What was decided about them last.
        wish: The temporary status that somebody wants.
        at: Both clocks, read once.
        options: As for `effective`.
    """
    facts = replace(view, temporaries=(*view.temporaries, wish))
    spans: list[Span] = []
    for moment in _moments(facts, wish, at):
        decided = effective(facts, decided, moment, options)
        if not spans or spans[-1].status is not decided.status:
            spans.append(Span(moment.now, decided.status, decided.rule))
    return tuple(spans)


def overlapping(wish: Temporary, other: Temporary, now: datetime) -> bool:
    """Tell whether two are in force at one time, now or later."""
    begin = max(wish.valid_from, other.valid_from, now)
    return all(one.valid_to is None or begin < one.valid_to for one in (wish, other))


def _moments(facts: EvseView, wish: Temporary, at: Moment) -> Iterator[Moment]:
    """Yield the wish's beginning (or now), each beginning and end within it, and its end."""
    begin = max(wish.valid_from, at.now)
    ends = {one.valid_from for one in facts.temporaries} | {one.valid_to for one in facts.temporaries if one.valid_to}
    within = sorted(end for end in ends if begin < end and (wish.valid_to is None or end <= wish.valid_to))
    for now in (begin, *within[: _MOST_SPANS - 1]):
        yield Moment(now, at.steady + (now - at.now))
