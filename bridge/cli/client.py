"""Ask a running bridge through its REST interface, as the same services that the bridge has inside.

Never opens the store. Before it: `session`, which found the bridge. After it: `bridge.web.routes`, on the wire.
"""

from __future__ import annotations

import json
from functools import partial
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

import aiohttp
from pydantic import BaseModel
from yarl import URL

from bridge.cli.address import Address
from bridge.cli.answers import check_bridge, classified, failure_of, read_answer, silent
from bridge.cli.delivery_client import RestDeliveries
from bridge.cli.event_client import RestEvents
from bridge.cli.evse_client import RestExplanations, RestHistory
from bridge.cli.inventory_client import RestInventoryEdits
from bridge.cli.key_client import RestKeys
from bridge.cli.pages import evse_query, pages
from bridge.cli.quarantine_client import RestQuarantine
from bridge.cli.quirk_client import RestQuirks
from bridge.cli.station_client import RestStations
from bridge.cli.temporary_client import RestTemporaries
from bridge.cli.wire_client import RestWireLog
from bridge.core.etags import Condition
from bridge.core.modes import Mode
from bridge.web.connector_shapes import ConnectorPage
from bridge.web.delivery_services import DeliveryServices
from bridge.web.event_services import EventServices
from bridge.web.evse_counts import EvseCounts
from bridge.web.evse_query import EvseQuery
from bridge.web.explanation_services import ExplanationServices
from bridge.web.full_load_shapes import FullLoadItem, FullLoadRequest, Scope
from bridge.web.health_shapes import Component, Health, Readiness, Status
from bridge.web.history_services import HistoryServices
from bridge.web.inventory_services import InventoryEdits
from bridge.web.key_services import KeyServices
from bridge.web.page import Page
from bridge.web.quarantine_services import QuarantineServices
from bridge.web.quirk_services import QuirkServices
from bridge.web.services import RowsRefused, ServiceError
from bridge.web.shapes import (
    EvseItem,
    EvsePage,
    ImportReport,
    ImportRequest,
    InventoryList,
    ListingList,
    ListingRequest,
    UpstreamItem,
    UpstreamList,
    UpstreamPreview,
)
from bridge.web.station_services import StationServices
from bridge.web.sync_shapes import Deletion, SyncReport
from bridge.web.temporary_services import TemporaryServices
from bridge.web.wire_services import WireLogServices

_Answer = TypeVar("_Answer", bound=BaseModel)
_TOTAL_S = 120
_LIVE_TIMEOUT = aiohttp.ClientTimeout(total=3)


async def answers(url: str) -> bool:
    """Return whether a bridge listens at this address."""
    try:
        async with aiohttp.ClientSession(timeout=_LIVE_TIMEOUT) as session, session.get(f"{url}/livez") as response:
            return response.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False


class RestServices:
    """A running bridge. Implements `bridge.web.services.WebServices`; every method may raise Unreachable."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self.temporaries: TemporaryServices = RestTemporaries(self._request)
        self.stations: StationServices = RestStations(self._request)
        self.quarantine: QuarantineServices = RestQuarantine(self._request)
        self.wire_log: WireLogServices = RestWireLog(self._request)
        self.api_keys: KeyServices = RestKeys(self._request)
        self.quirks: QuirkServices = RestQuirks(self._request)
        self.explanations: ExplanationServices = RestExplanations(self._request)
        self.history: HistoryServices = RestHistory(self._request)
        self.events: EventServices = RestEvents(address)
        self.deliveries: DeliveryServices = RestDeliveries(self._request)
        self.inventory_edits: InventoryEdits = RestInventoryEdits(self._request)
        self.meters = None

    async def status(self) -> Status:
        """GET /api/v1/status."""
        return await self._get("/api/v1/status", Status)

    async def ready(self) -> Readiness:
        """GET /readyz."""
        status, text = await self._request("GET", "/readyz")
        if status in (200, 503):
            return read_answer(text, Readiness)
        return Readiness(ready=False, why=f"HTTP {status}")

    async def health(self) -> Health:
        """GET /healthz."""
        try:
            status, text = await self._request("GET", "/healthz")
        except ServiceError as error:
            return Health(status="failed", components={"bridge": Component(status="failed", why=str(error))})
        if status in (200, 503):
            return read_answer(text, Health)
        return Health(status="failed", components={"bridge": Component(status="failed", why=f"HTTP {status}")})

    async def list_evses(self, query: EvseQuery) -> EvsePage:
        """GET /api/v1/evses; the bridge knows by the key whose EVSEs may be seen. Raises: NotFound."""
        return await self._get(f"/api/v1/evses?{evse_query(query)}", EvsePage)

    async def count_evses(self, operators: frozenset[str] | None = None) -> EvseCounts:
        """GET /api/v1/evse-counts; the bridge knows by the key whose EVSEs may be seen."""
        return await self._get("/api/v1/evse-counts", EvseCounts)

    async def get_evse(self, evse_id: str) -> EvseItem:
        """GET /api/v1/evses/{evse_id}. Raises: NotFound."""
        return await self._get(f"/api/v1/evses/{quote(evse_id, safe='')}", EvseItem)

    async def list_connectors(
        self,
        page: Page | None = None,
        *,
        station: str | None = None,
        evse_id: str | None = None,
        operators: frozenset[str] | None = None,
    ) -> ConnectorPage:
        """GET /api/v1/connectors; the bridge knows by the key whose may be seen."""
        named = {"station": station, "evse_id": evse_id}
        query = urlencode({name: value for name, value in named.items() if value is not None})
        return await pages(partial(self._get, model=ConnectorPage), f"/api/v1/connectors?{query}", page)

    async def list_upstreams(self) -> UpstreamList:
        """GET /api/v1/upstreams."""
        return await self._get("/api/v1/upstreams", UpstreamList)

    async def get_upstream(self, name: str) -> UpstreamItem:
        """GET /api/v1/upstreams/{name}. Raises: NotFound."""
        return await self._get(_upstream(name), UpstreamItem)

    async def upstream_preview(self, name: str) -> UpstreamPreview:
        """GET /api/v1/upstreams/{name}/preview. Raises: NotFound."""
        return await self._get(f"{_upstream(name)}/preview", UpstreamPreview)

    async def set_mode(self, name: str, mode: Mode, *, confirm_full_load: bool, by: str) -> UpstreamItem:
        """POST …/enable or …/disable; the bridge knows by the token who asks. Raises: NotFound, Conflict."""
        if mode is Mode.OFF:
            return await self._post(f"{_upstream(name)}/disable", {}, UpstreamItem)
        body = {"mode": mode.value, "confirm_full_load": confirm_full_load}
        return await self._post(f"{_upstream(name)}/enable", body, UpstreamItem)

    async def sync_preview(self, name: str) -> SyncReport:
        """GET …/sync. Raises: NotFound."""
        return await self._get(f"{_upstream(name)}/sync", SyncReport)

    async def sync(self, name: str, *, forget: bool) -> SyncReport:
        """POST …/sync. Raises: NotFound."""
        return await self._post(f"{_upstream(name)}/sync", {"forget": forget}, SyncReport)

    async def delete_document(self, name: str, kind: str, key: str) -> Deletion:
        """DELETE …/documents/{kind}/{key}. Raises: NotFound, Conflict."""
        path = f"{_upstream(name)}/documents/{quote(kind, safe='')}/{quote(key, safe='')}"
        return classified(*await self._request("DELETE", path), Deletion)

    async def import_inventory(self, request: ImportRequest) -> ImportReport:
        """POST /api/v1/inventory. Raises: RowsRefused, NeedsYes."""
        return await self._post("/api/v1/inventory", request.model_dump(), ImportReport)

    async def export_inventory(self) -> str:
        """GET /api/v1/inventory?format=csv."""
        status, text = await self._request("GET", "/api/v1/inventory?format=csv")
        if status != 200:
            raise failure_of(status, text)
        return text

    async def list_inventory(self, page: Page | None = None) -> InventoryList:
        """GET /api/v1/inventory."""
        return await pages(partial(self._get, model=InventoryList), "/api/v1/inventory", page)

    async def import_listing(self, request: ListingRequest) -> ImportReport:
        """POST /api/v1/listings. Raises: RowsRefused, NeedsYes."""
        try:
            return await self._post("/api/v1/listings", request.model_dump(), ImportReport)
        except RowsRefused as error:
            raise RowsRefused(error.errors, "listing") from error

    async def list_listings(self, page: Page | None = None) -> ListingList:
        """GET /api/v1/listings."""
        return await pages(partial(self._get, model=ListingList), "/api/v1/listings", page)

    async def full_load_preview(self, name: str, scope: Scope) -> FullLoadItem:
        """GET /api/v1/upstreams/{name}/full-load. Raises: NotFound, Conflict."""
        return await self._get(f"{_upstream(name)}/full-load?scope={scope}", FullLoadItem)

    async def order_full_load(self, name: str, request: FullLoadRequest) -> FullLoadItem:
        """POST /api/v1/upstreams/{name}/full-load. Raises: NotFound, Conflict."""
        return await self._post(f"{_upstream(name)}/full-load", request.model_dump(), FullLoadItem)

    async def _get(self, path: str, model: type[_Answer]) -> _Answer:
        return classified(*await self._request("GET", path), model)

    async def _post(self, path: str, body: dict[str, Any], model: type[_Answer]) -> _Answer:
        return classified(*await self._request("POST", path, json.dumps(body)), model)

    async def _request(
        self,
        method: str,
        path: str,
        body: str | None = None,
        *,
        patience_s: float = 0.0,
        condition: Condition | None = None,
    ) -> tuple[int, str]:
        """Return (HTTP status, text); `patience_s`: how much longer than usual the answer may take."""
        timeout = aiohttp.ClientTimeout(total=_TOTAL_S + patience_s, connect=5)
        headers = self._address.headers | ({} if body is None else {"Content-Type": "application/json"})
        if condition is not None:
            headers = headers | _conditional(condition)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout, headers=headers) as session,
                session.request(
                    method, URL(self._address.url + path, encoded=True), data=body, allow_redirects=False
                ) as response,
            ):
                check_bridge(self._address, response)
                return response.status, await response.text()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise silent(self._address, error) from error


def _conditional(condition: Condition) -> dict[str, str]:
    if condition.nothing:
        return {"If-None-Match": "*"}
    return {"If-Match": "*" if condition.anything else ", ".join(sorted(condition.tags))}


def _upstream(name: str) -> str:
    return f"/api/v1/upstreams/{quote(name, safe='')}"
