"""State which stations are asked for, for the page of stations.

Never reads a request or the store. Before it: `pages.stations`. After it: `overview_services.stations`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StationQuery:
    """A page of stations, those with problems first; every filter that is given has to hold."""

    limit: int = 200
    offset: int = 0
    """So many are on the pages before."""
    connected: bool | None = None
    version: str | None = None
    """Subprotocol of the present or last connection."""
    vendor: str = ""
    q: str = ""
    """Part of its id, vendor or model, in any case."""
    problems: bool = False
    """Only those with one (`core.station_problems`)."""
