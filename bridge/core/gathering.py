"""Decide when the two threads that every status passes share one processor. Pure.

They take turns, since both need the interpreter's one lock. On two processors each finds what the other wrote in the
other's caches, and waking the other is an interrupt between processors (ADR 26); on one, neither. Where little happens
the system places them better. Never places anything. Before it: `app.gathering`, which looks again and again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, auto

Processors = frozenset[int]
"""Where a thread may run: the system's numbers of processors."""


class Step(Enum):
    """What becomes of the two after a look."""

    LEAVE = auto()
    GATHER = auto()
    """Onto one processor; chosen anew where they share one."""
    FREE = auto()


@dataclass(frozen=True, slots=True)
class GatherOptions:
    """When it pays, and for how long one choice holds."""

    busy: float = 0.7
    """From this share of one processor on, used by the whole process since the last look."""
    calm: float = 0.5
    """Below that they are freed. On one processor the same work takes up to a fifth less."""
    look_every: timedelta = timedelta(seconds=1)
    choose_again: timedelta = timedelta(seconds=10)
    """Others may want that processor, too: another bridge that chose the same one."""


def next_step(held: timedelta | None, share: float, options: GatherOptions) -> Step:
    """Return what to do where the two have shared a processor for `held`; None: they share none."""
    if held is None:
        return Step.GATHER if share >= options.busy else Step.LEAVE
    if share < options.calm:
        return Step.FREE
    return Step.GATHER if held >= options.choose_again else Step.LEAVE


def placed_by_others(left: Mapping[int, Processors], found: Mapping[int, Processors]) -> frozenset[Processors]:
    """Return where threads may run now that may have run elsewhere when they were last seen or placed.

    Threads by the system's ids; those that ended or began meanwhile say nothing.
    """
    return frozenset(now for thread, now in found.items() if left.get(thread, now) != now)
