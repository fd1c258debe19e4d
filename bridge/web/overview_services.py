"""State what the pages need of the bridge beyond what the command line asks: everything at a glance, in one moment.

Holds no implementation; `bridge.app` supplies one over the open store. Only pages ask for it: the command line has the
questions of `services`, and its client none of these.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bridge.core.station_problems import StationProblem
from bridge.web.evse_counts import EvseCounts
from bridge.web.evse_query import EvseQuery
from bridge.web.services import WebServices
from bridge.web.shapes import EvsePage, UpstreamItem
from bridge.web.station_query import StationQuery
from bridge.web.station_shapes import StationItem


@dataclass(frozen=True, slots=True)
class EvseOverview:
    """EVSEs and hubs in one moment: no counter says anything else than the list below it."""

    page: EvsePage
    counts: EvseCounts
    """Of all EVSEs that whoever asks may see, whatever the page is filtered by."""
    upstreams: tuple[UpstreamItem, ...]
    """Every account; none where who asks is bound to operators."""


@dataclass(frozen=True, slots=True)
class StationOverview:
    """A page of stations, and what there is besides."""

    stations: tuple[tuple[StationItem, StationProblem | None], ...]
    """Those with problems first, the most urgent on top, and then by id."""
    count: int
    """Of all pages."""
    problems: int
    """How many of them have one."""
    vendors: tuple[str, ...]
    """Those that there are to choose from, by name."""


@dataclass(frozen=True, slots=True)
class EvseHome:
    """Whose an EVSE is, and where it stands."""

    evse_id: str
    station: str
    operator: str
    connected: bool
    """Its station is, now."""


class OverviewServices(Protocol):
    """Every method may raise Unavailable."""

    async def evses(self, query: EvseQuery, *, patient: bool = False) -> EvseOverview:
        """Return a page of the EVSEs that are asked for, and how everything is besides.

        It is not older than the question. Those who ask at the same time are answered by one read, and where there were
        many, the next one waits for up to a second, until somebody asks who is not `patient`.

        Raises: NotFound (its account), WrongCursor.
        """
        ...

    async def stations(self, query: StationQuery, *, patient: bool = False) -> StationOverview:
        """Return a page of the stations that are asked for; shared as `evses` is."""
        ...

    async def statuses(self) -> Sequence[tuple[str, str]]:
        """Return the id and the effective status of every EVSE, in the order of the ids."""
        ...

    async def homes(self) -> Sequence[EvseHome]:
        """Return whose every EVSE of the inventory is, and where it stands, in the order of the ids."""
        ...


class PageServices(WebServices, Protocol):
    """What the web application asks for: what the command line does, and what its pages show besides."""

    @property
    def overviews(self) -> OverviewServices:
        """Everything at a glance."""
        ...
