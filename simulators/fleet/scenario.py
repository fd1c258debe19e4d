"""Name what a day at the stations can be like: how often cars come, things break, and the network goes away.

Pure data. After it: `behaviour`, which tells a station's story by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """What a day is like. Times are means; shares are probabilities at each decision."""

    about: str
    """For people who choose one."""
    gap: timedelta
    """Between a connector becoming free and what happens next there."""
    dwell: timedelta
    """In each state of a visit."""
    repair: timedelta
    """Until something faulted or unavailable comes back."""
    fault: float
    reserve: float
    unavailable: float
    flap: float
    """Share of the visits where the cable's contact is bad: the status changes several times in a second."""
    loss_every: timedelta
    """Between network losses of one station."""
    loss_short: timedelta
    loss_long: timedelta
    long: float
    """Share of the losses that are long."""
    power_cycle: float
    """Share of the losses that are restarts of the station."""
    outage_every: timedelta
    """Between times when the whole station goes out of service."""


def _s(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


_BUSY = Scenario(
    about="cars come and go all the time, a loss of the network per station and minute",
    gap=_s(8),
    dwell=_s(5),
    repair=_s(8),
    fault=0.06,
    reserve=0.10,
    unavailable=0.06,
    flap=0.05,
    loss_every=_s(60),
    loss_short=_s(1),
    loss_long=_s(8),
    long=0.2,
    power_cycle=0.2,
    outage_every=_s(60),
)

SCENARIOS: Mapping[str, Scenario] = {
    "calm": Scenario(
        about="a quiet site: a car every few minutes, hardly a loss of the network",
        gap=_s(120),
        dwell=_s(60),
        repair=_s(90),
        fault=0.02,
        reserve=0.05,
        unavailable=0.02,
        flap=0.01,
        loss_every=_s(1800),
        loss_short=_s(2),
        loss_long=_s(30),
        long=0.2,
        power_cycle=0.1,
        outage_every=_s(1800),
    ),
    "busy": _BUSY,
    "flapping": Scenario(
        about="bad contacts: most visits change the status several times in a second",
        gap=_s(4),
        dwell=_s(3),
        repair=_s(5),
        fault=0.05,
        reserve=0.05,
        unavailable=0.05,
        flap=0.70,
        loss_every=_s(30),
        loss_short=_s(0.5),
        loss_long=_s(3),
        long=0.1,
        power_cycle=0.1,
        outage_every=_s(60),
    ),
    "outage": replace(
        _BUSY,
        about="busy, and every station loses its network several times a minute",
        loss_every=_s(12),
        loss_short=_s(2),
        loss_long=_s(15),
        long=0.5,
        power_cycle=0.1,
    ),
    "restart": replace(
        _BUSY,
        about="busy, and every station restarts several times a minute",
        loss_every=_s(15),
        loss_long=_s(6),
        long=0.3,
        power_cycle=0.9,
    ),
}

SCENARIO_HELP = "; ".join(f"{name}: {scenario.about}" for name, scenario in SCENARIOS.items()) + "."
