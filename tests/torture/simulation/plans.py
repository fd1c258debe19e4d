"""Say what a run is like: its stations, its length, its settings, and the moments at which a process may die.

Values only. Before it: the tests. After it: `world`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from tests.torture.simulation.stations import Habits

START = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


class Broken(AssertionError):
    """An invariant does not hold."""


class Point(StrEnum):
    """The moments at which a process may die that are worth aiming at (T02)."""

    FRAME_READ = "frame read"
    BEFORE_COMMIT = "before commit"
    AFTER_COMMIT = "after commit, before the answer"
    ANSWERED = "after the answer, before the push"
    PUSH_SENT = "push sent, before its answer"
    PUSH_ANSWERED = "after the push's answer, before it is settled"


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run is like; what happens when follows from the seed."""

    stations: Mapping[str, Habits]
    hours: float = 24.0
    rounds: int = 4
    """How often in that time every fault ends, hubs must agree, and it all begins anew."""
    looks: timedelta = timedelta(minutes=10)
    agree_s: float = 1800.0
    """Within this many simulated seconds after the last fault hubs must agree."""
    slack_s: float = 2.0
    """How long before a request its value may have been replaced: chosen, waited for the pace, sent."""
    strict_known: bool = True
    fed: bool = False
    """Stations are `fed` into the intake and do nothing by themselves."""
    settings: Mapping[str, str] = field(default_factory=dict)
    start: datetime = START
