"""A hand-written fake of what pages ask for beyond what the command line does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bridge.core.station_problems import StationProblem
from bridge.web.evse_query import EvseQuery
from bridge.web.overview_services import EvseHome, EvseOverview, StationOverview
from bridge.web.station_query import StationQuery


@dataclass
class FakeOverviews:
    """Implements `OverviewServices` over the fake services."""

    services: Any

    async def evses(self, query: EvseQuery, *, patient: bool = False) -> EvseOverview:
        self.services.orders.append(("evses", patient))
        page = await self.services.list_evses(query)
        counts = await self.services.count_evses(query.operators)
        upstreams = (await self.services.list_upstreams()).items if query.operators is None else ()
        return EvseOverview(page, counts, upstreams)

    async def stations(self, query: StationQuery, *, patient: bool = False) -> StationOverview:
        self.services.orders.append(("stations", patient))
        page = await self.services.stations.list(query.limit, None, connected=query.connected, version=query.version)
        stations = tuple((item, StationProblem.SILENT if item.commandable is False else None) for item in page.items)
        return StationOverview(stations, len(stations), 0, ("Acme",))

    async def statuses(self) -> list[tuple[str, str]]:
        self.services.orders.append(("read statuses",))
        return [(item.evse_id, item.effective) for item in self.services.evses]

    async def homes(self) -> list[EvseHome]:
        rows = (await self.services.list_inventory()).items
        homes = {row.evse_id: EvseHome(row.evse_id, row.station, row.operator, connected=False) for row in rows}
        return list(homes.values())
