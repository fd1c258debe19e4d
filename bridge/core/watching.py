"""Decide whether a task that should run for ever hangs, and how patient the watch over it is. Pure.

Never starts or ends anything. Before it: `app.watch`, which looks at every task again and again.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta

from bridge.core.backoff import BackoffOptions

_NOTHING = timedelta(0)


@dataclass(frozen=True, slots=True)
class WatchOptions:
    """How patient the watch is."""

    restart: BackoffOptions = field(
        default_factory=lambda: BackoffOptions(first=timedelta(seconds=1), ceiling=timedelta(seconds=60))
    )
    """Pauses before a task that died is started anew: doubling, so that one which dies at once costs little."""
    well_after: timedelta = timedelta(seconds=60)
    """A task that has run for so long since it died is well again: the next pause is the first one's."""
    look_every: timedelta = timedelta(seconds=1)
    slow_storage: timedelta = timedelta(seconds=5)
    """While an item has waited for longer than that in the writer, nobody who may wait for it is said to hang."""


@dataclass(frozen=True, slots=True)
class Rounds:
    """How long a task has not gone round, as the watch has seen it."""

    seen: int = 0
    """Rounds that had been counted at the last look."""
    idle: timedelta = _NOTHING
    """Time since then, of which each look adds no more than twice its own distance: see `looked`."""


def looked(before: Rounds, rounds: int, passed: timedelta, *, excused: bool, options: WatchOptions) -> Rounds:
    """Return what is known after one more look, `passed` after the last one.

    Time in which the watch itself did not run is time in which nobody did: a process that was stopped for a minute, or
    a machine that slept, must not find every task hanging. `excused`: the storage is slow, and time does not count.
    """
    if rounds != before.seen:
        return Rounds(rounds)
    if excused:
        return before
    return replace(before, idle=before.idle + min(passed, 2 * options.look_every))


def hangs(rounds: Rounds, patience: timedelta | None) -> bool:
    """Tell whether a task has not gone round for longer than it said it might take; None: it said nothing yet."""
    return patience is not None and rounds.idle > patience
