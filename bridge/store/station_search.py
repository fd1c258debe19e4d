"""Find the stations that an operator asks for: filters, those with problems first, and one page of them.

Never writes. Three statements, whatever the number of stations: the page, how many there are, and which vendors there
are to choose from. What is wrong with a station is `core.station_problems`. Before it: `app.overview_services`. Beside
it: `station_readings`, whose rows it returns.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from bridge.core.station_problems import StationProblem
from bridge.store.station_readings import CONNECTED, STATIONS, StationRow, station_row
from bridge.store.tables import connection, station
from bridge.store.transaction import Snapshot
from csms.events import StationId

_SOUND = len(StationProblem)
"""Rank of a station without a problem: behind those with one."""
_MOST_SILENT = 1000
"""How many silent stations a statement names."""


@dataclass(frozen=True, slots=True)
class StationSearch:
    """Which stations; every filter that is given has to hold."""

    silent: Collection[StationId] = ()
    """Those that are connected and answer no requests: the database does not know."""
    connected: bool | None = None
    version: str | None = None
    """Subprotocol of the present or last connection."""
    vendor: str = ""
    part: str = ""
    """Of id, vendor or model, in any case."""
    problems: bool = False
    """Only those with one."""
    offset: int = 0
    limit: int = 100


@dataclass(frozen=True, slots=True)
class FoundStations:
    """One page, and what there is besides."""

    stations: tuple[tuple[StationRow, StationProblem | None], ...]
    """Those with problems first, the most urgent on top, and then by id."""
    count: int
    """Of all pages."""
    problems: int
    vendors: tuple[str, ...]
    """Of those that connection and version let pass, whatever else is asked."""


async def search_stations(conn: Snapshot, search: StationSearch) -> FoundStations:
    """Return a page of the stations that are asked for."""
    rank = _rank(search.silent)
    usual, chosen = _usual(search), _chosen(search, rank)
    page = STATIONS.add_columns(rank.label("rank")).where(*usual, *chosen).order_by("rank", station.c.id_folded)
    found = (await conn.execute(page.offset(search.offset).limit(search.limit))).mappings().all()
    wrong = sa.func.count(sa.case((rank < _SOUND, 1)))
    counts = (await conn.execute(_of_joined(sa.select(sa.func.count(), wrong)).where(*usual, *chosen))).one()
    named = _of_joined(sa.select(station.c.vendor).distinct()).where(*usual, station.c.vendor != "")
    return FoundStations(
        stations=tuple((station_row(row), _problem(row["rank"])) for row in found),
        count=counts[0],
        problems=counts[1],
        vendors=tuple(sorted((await conn.execute(named)).scalars(), key=str.casefold)),
    )


def _of_joined(statement: sa.Select[*tuple[Any, ...]]) -> sa.Select[*tuple[Any, ...]]:
    joined = station.outerjoin(connection, connection.c.station == station.c.id)
    return statement.select_from(joined).where(station.c.removed_at_w.is_(None))


def _rank(silent: Collection[StationId]) -> sa.ColumnElement[int]:
    holds = {
        StationProblem.OFFLINE: sa.and_(sa.not_(CONNECTED), connection.c.heard_at.is_not(None)),
        StationProblem.SILENT: sa.and_(CONNECTED, station.c.id.in_(sorted(silent)[:_MOST_SILENT])),
        StationProblem.NEVER_CONNECTED: connection.c.heard_at.is_(None),
    }
    return sa.case(*((holds[problem], place) for place, problem in enumerate(StationProblem)), else_=_SOUND)


def _problem(rank: int) -> StationProblem | None:
    return None if rank == _SOUND else tuple(StationProblem)[rank]


def _usual(search: StationSearch) -> list[sa.ColumnElement[bool]]:
    filters: list[sa.ColumnElement[bool]] = []
    if search.connected is not None:
        filters.append(CONNECTED if search.connected else sa.not_(CONNECTED))
    if search.version is not None:
        filters.append(connection.c.version == search.version)
    return filters


def _chosen(search: StationSearch, rank: sa.ColumnElement[int]) -> list[sa.ColumnElement[bool]]:
    filters: list[sa.ColumnElement[bool]] = []
    if search.vendor:
        filters.append(station.c.vendor == search.vendor)
    if search.part:
        filters.append(_contains(search.part))
    if search.problems:
        filters.append(rank < _SOUND)
    return filters


def _contains(part: str) -> sa.ColumnElement[bool]:
    return sa.or_(
        station.c.id_folded.contains(part.casefold(), autoescape=True),
        *(name.icontains(part, autoescape=True) for name in (station.c.vendor, station.c.model)),
    )
