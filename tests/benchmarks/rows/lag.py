"""How long a change takes from the station to each hub, below 10 changes a second and with hubs that do not dawdle.

From when the station sent it to when the hub had the request's head, both by the system's clock of this machine, whose
step would be noticed. No status is Available, so nothing is held back by `available_hold`.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from simulators.load.options import LoadOptions
from simulators.load.times import Times
from tests.benchmarks.bridge import Installation
from tests.benchmarks.figures import Figure, Goal, Report
from tests.benchmarks.hubs import HUBS, Hubs, mock_hubs, word_at
from tests.benchmarks.loader import Found, loader
from tests.benchmarks.options import Options

_RATE = 8
_SECONDS = 30
_STEP_S = 0.001
_JOURNAL = 1000


def measure(options: Options, folder: Path) -> Report:
    """Let stations change for 30 s, and find each change in the journals of both hubs."""
    with mock_hubs(folder, seed=options.seed) as hubs:
        installation = Installation(folder, hubs, wire_log=options.wire_log)
        installation.add_stations(options.stations)
        with (
            installation.serving() as bridge,
            loader(LoadOptions(bridge.url, seed=options.seed, trace=True), options.stations) as load,
        ):
            load.connect()
            load.run(options.stations / 100, rate=100)
            wrong = hubs.agree(load.last(), within=60)
            offset, after = _offset(), {hub: _last_number(hubs, hub) for hub in HUBS}
            found = load.run(_SECONDS, rate=_RATE)
            last = load.last()
            wrong += installation.differing(last) + hubs.agree(last, within=30)
            if abs(_offset() - offset) > _STEP_S:
                wrong += ["the system's clock was changed meanwhile"]
            journals = {hub: hubs.ask(hub, f"journal?after={after[hub]}&limit={_JOURNAL}") for hub in HUBS}
    lags = {hub: _lags(hub, found, journal) for hub, journal in journals.items()}
    figures = [figure for hub in HUBS for figure in _figures(hub, lags[hub])]
    return Report((*figures,), tuple(_count(hub, found, lags[hub]) for hub in HUBS), (*wrong, *found.failures))


def _offset() -> float:
    return time.time() - time.monotonic()


def _last_number(hubs: Hubs, hub: str) -> int:
    return int(hubs.ask(hub, "summary")["last"])


def _lags(hub: str, found: Found, journal: Sequence[Mapping[str, Any]]) -> Times:
    """Return how long each change took, of those that the hub was told before the station's next one."""
    told = {(place, word): entry["received_at"] for entry in reversed(journal) for place, word in entry["records"]}
    times = Times()
    for station, status, sent_at in found.trace:
        received_at = told.get(word_at(hub, station, status))
        if received_at is not None and received_at >= sent_at:
            times.add(1000 * (received_at - sent_at))
    return times


def _figures(hub: str, lags: Times) -> tuple[Figure, ...]:
    return (
        Figure(f"station to {hub}, p50", lags.percentile(50) or 0.0, "ms", Goal(50)),
        Figure(f"station to {hub}, p99", lags.percentile(99) or 0.0, "ms", Goal(250)),
    )


def _count(hub: str, found: Found, lags: Times) -> str:
    return f"{hub}: {len(lags)} of {len(found.trace)} changes measured, longest {lags.longest:.0f} ms"
