"""Foresee from when on an EVSE will be available by itself, as today's facts and its temporary statuses have it.

Never decides what is sent and never reads a clock. Before it: `effective`, which it asks about moments to come. After
it: `derive`, for hubs that can be told until when a word holds.

Only temporary statuses that begin or end are told ahead. A hold ends within seconds and is then told as a status of
its own, so where it is what changes first nothing is foreseen; nor of an EVSE that moved while its new station has said
nothing: there are no facts to foresee anything from.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from msgspec.structs import replace

from bridge.core.effective import EffectiveOptions, effective
from bridge.core.model import Effective, EvseStatus, EvseView, Moment

_MOST_STEPS = 32
"""Moments that are looked at. Each one looks at every temporary status of the EVSE, on the way of every report of its
station, and an EVSE may have a year of reservations; where the word holds beyond that many, nothing is told."""


def available_from(
    view: EvseView, decided: Effective, at: Moment, options: EffectiveOptions, words: Mapping[EvseStatus, str]
) -> datetime | None:
    """Return the first moment at which the hub's word changes by itself (wall time), if the EVSE is available then.

    Args:
        view: The facts as stored.
        decided: What `effective` said about them at `at`.
        at: Both clocks, read once.
        options: As for `effective`.
        words: The hub's word for each effective status.
    """
    if decided.until_now is None:
        return None
    facts = replace(view, kept_until=None)
    word, then = words[decided.status], decided
    for _ in range(_MOST_STEPS):
        if (moment := _next_decision(then, at)) is None:
            return None
        scheduled = moment.now == then.until_now
        then = effective(facts, decided, moment, options)
        if words[then.status] != word:
            free = scheduled and then.status is EvseStatus.AVAILABLE
            return moment.now if free and not _enforced(view, at.now, moment.now) else None
    return None


def _enforced(view: EvseView, begin: datetime, end: datetime) -> bool:
    """Tell whether a temporary status keeps the EVSE inoperative at its station at any time from `begin` to `end`."""
    return any(
        temporary.enforce and temporary.valid_from < end and (temporary.valid_to is None or begin < temporary.valid_to)
        for temporary in view.temporaries
    )


def _next_decision(decided: Effective, at: Moment) -> Moment | None:
    """Return when the passing of time alone may change the status next, by both clocks; they run alike from `at` on."""
    ends = [decided.until_now] if decided.until_now is not None else []
    if decided.until_steady is not None:
        ends.append(at.now + (decided.until_steady - at.steady))
    if not ends:
        return None
    now = min(ends)
    return Moment(now, at.steady + (now - at.now))
