"""Join what the fleet reported with what the bridge made of it and what each hub acknowledged: one row per EVSE.

Pure. Before it: `sources`. After it: `table`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

UNKNOWN = "–"


@dataclass(frozen=True, slots=True)
class Acked:
    """What one hub has acknowledged for one EVSE."""

    word: str
    settled: bool
    """It is what the bridge wants the hub to have."""


@dataclass(frozen=True, slots=True)
class Row:
    """One EVSE."""

    evse_id: str
    station: str
    connected: bool
    reported: str
    """The last status word of each connector, and the station's own where that is Unavailable or Faulted."""
    effective: str
    held: bool
    """It became available moments ago; that counts once it has stood for a while."""
    acked: Mapping[str, Acked]
    age: timedelta | None
    """Since the effective status changed last."""


@dataclass(frozen=True, slots=True)
class HubLine:
    """One hub's totals."""

    name: str
    mode: str
    state: str
    backlog: str
    lag: str


@dataclass(frozen=True, slots=True)
class View:
    """Everything that the screen shows at one moment."""

    elapsed: timedelta
    rows: tuple[Row, ...]
    hubs: tuple[HubLine, ...]
    stations: int
    connected: int
    reports: int
    answered: int
    note: str = ""
    """What could not be read."""

    def effective_totals(self) -> list[tuple[str, int]]:
        """Return how many EVSEs have each effective status, the most frequent first."""
        return Counter(row.effective for row in self.rows).most_common()

    def acked_by(self, hub: str) -> int:
        """Return for how many EVSEs a hub has acknowledged what it should have."""
        return sum(row.acked[hub].settled for row in self.rows if hub in row.acked)


def join(
    journal: Mapping[str, Any],
    evses: Sequence[Mapping[str, Any]],
    upstreams: Iterable[Mapping[str, Any]],
    now: datetime,
    elapsed: timedelta,
    note: str = "",
) -> View:
    """Return the view of one moment; an EVSE that the bridge did not tell about has a row all the same."""
    by_id = {evse["evse_id"]: evse for evse in evses}
    stations = journal["stations"]
    return View(
        elapsed=elapsed,
        rows=tuple(
            _row(station, evse, by_id.get(evse["evse_id"], {}), now)
            for station in stations
            for evse in station["evses"]
        ),
        hubs=tuple(_hub_line(upstream) for upstream in upstreams),
        stations=len(stations),
        connected=sum(bool(station["connected"]) for station in stations),
        reports=journal["reports"],
        answered=journal["answered"],
        note=note,
    )


def _row(station: Mapping[str, Any], evse: Mapping[str, Any], seen: Mapping[str, Any], now: datetime) -> Row:
    return Row(
        evse_id=evse["evse_id"],
        station=station["station"],
        connected=bool(station["connected"]),
        reported=_reported(station, evse),
        effective=seen.get("effective") or UNKNOWN,
        held=seen.get("effective") != "available" and _all_free(station, evse),
        acked={hub: _acked(delivery) for hub, delivery in (seen.get("deliveries") or {}).items()},
        age=_age(seen.get("changed_at"), now),
    )


def _reported(station: Mapping[str, Any], evse: Mapping[str, Any]) -> str:
    words = [connector["reported"] or UNKNOWN for connector in evse["connectors"]]
    level = (station["station_level"] or {}).get("reported")
    told = f"{len(words)} × {words[0]}" if len(words) > 1 and len(set(words)) == 1 else " + ".join(words)
    return told + (f" (station {level})" if level in ("Unavailable", "Faulted") else "")


def _all_free(station: Mapping[str, Any], evse: Mapping[str, Any]) -> bool:
    level = (station["station_level"] or {}).get("reported")
    words = [connector["reported"] for connector in evse["connectors"]]
    return bool(station["connected"]) and level in (None, "Available") and set(words) == {"Available"}


def _acked(delivery: Mapping[str, Any]) -> Acked:
    acked = delivery.get("acked")
    return Acked(acked or UNKNOWN, acked is not None and acked == delivery.get("desired"))


def _age(changed_at: str | None, now: datetime) -> timedelta | None:
    if changed_at is None:
        return None
    return max(timedelta(), now - datetime.fromisoformat(changed_at))


def _hub_line(upstream: Mapping[str, Any]) -> HubLine:
    lag = upstream.get("lag_s")
    behind = bool(upstream.get("backlog"))
    return HubLine(
        name=str(upstream.get("name", UNKNOWN)),
        mode=str(upstream.get("mode", UNKNOWN)),
        state=str(upstream.get("state", UNKNOWN)),
        backlog=str(upstream.get("backlog", UNKNOWN)),
        lag=f"{float(lag):.1f} s" if lag is not None else UNKNOWN if behind else "none",
    )
