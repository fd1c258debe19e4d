"""How both hubs come to agree after an outage in which all of 10,000 EVSEs have changed; each answers after 100 ms.

Hubject gets one fullLoad, since more rows are due than single pushes should carry. Chargeprice takes one EVSE at a
time, and its terms forbid a second request before the first is answered: the lane has to run as fast as both allow, and
to choose who has waited longest.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.benchmarks.cohort import cohort, used_for_a_day
from tests.benchmarks.figures import Figure, Goal, Report
from tests.benchmarks.hubs import HUBS, Hubs, mock_hubs
from tests.benchmarks.options import Options

_AWAY_S = 75.0
"""After the last change: lanes have backed off, and the fullLoad no longer holds single pushes back."""
_DRAINED_S = 75.0
_PATIENCE_S = 120.0
_LATENCY_S = 0.1
_LIMIT = 900
"""Requests a minute that Chargeprice's account may send."""


def measure(options: Options, folder: Path) -> Report:
    """Change everything while the hubs are away, let them return, and look at what each is sent."""
    with mock_hubs(folder, seed=options.seed) as hubs:
        installation = used_for_a_day(folder, hubs, options.many, wire_log=options.wire_log, full_load="auto")
        for hub in HUBS:
            hubs.order(hub, "faults", {"kind": "down"})
        with installation.serving() as bridge, cohort() as crowd:
            crowd.connect(bridge, options.many)
            crowd.report("Faulted")
            time.sleep(_AWAY_S)
            seen = hubs.requests()
            for hub in HUBS:
                hubs.order(hub, "faults", method="DELETE")
                hubs.order(hub, "faults", {"kind": "latency", "delay_s": _LATENCY_S})
            agreed = _seconds_until_agreed(hubs, crowd.last())
            time.sleep(_DRAINED_S)
            pushed = hubs.ask("chargeprice", f"journal?after={seen['chargeprice']}&limit=10000")
            first = hubs.ask("hubject", f"journal?after={seen['hubject']}&limit=10000")
            last = crowd.last()
        wrong = installation.differing(last) + hubs.differing(last, ("hubject",)) + _unfair(pushed) + _loads(first)
    minutes = (pushed[-1]["received_at"] - pushed[0]["received_at"]) / 60
    return Report(
        (
            Figure("Hubject agrees after its first accepted attempt", agreed - _opened(first), "s", Goal(15)),
            Figure(
                "pushes a minute to Chargeprice, of what its latency allows",
                (len(pushed) - 1) / minutes,
                "/min",
                Goal(0.9, at_least=True, of_ratio=True),
                min(_LIMIT, 60 / _LATENCY_S),
            ),
        ),
        (f"Chargeprice: {len(pushed)} pushes in {60 * minutes:.0f} s; its account may send {_LIMIT} a minute",),
        (*wrong,),
    )


def _seconds_until_agreed(hubs: Hubs, last: Mapping[str, str]) -> float:
    """Wait until Hubject holds what stations were answered for, and return the moment (Unix seconds)."""
    ends = time.monotonic() + _PATIENCE_S
    while hubs.differing(last, ("hubject",)) and time.monotonic() < ends:
        time.sleep(0.2)
    return time.time()


def _opened(requests: Sequence[Mapping[str, Any]]) -> float:
    """Return when Hubject got the first request that it accepted."""
    return next(float(one["received_at"]) for one in requests if one["code"] == "000")


def _loads(requests: Sequence[Mapping[str, Any]]) -> list[str]:
    """Say how Hubject was told in any other way than by one fullLoad."""
    actions = [one["action"] for one in requests]
    return [] if actions.count("fullLoad") == 1 else [f"hubject: {actions.count('fullLoad')} fullLoads instead of 1"]


def _unfair(pushed: Sequence[Mapping[str, Any]]) -> list[str]:
    """Name each EVSE that was pushed again while others had not had their turn."""
    turns = Counter(key for one in pushed for key, _ in one["records"])
    return [f"chargeprice {key}: {n} turns while others waited" for key, n in turns.items() if n > 1]
