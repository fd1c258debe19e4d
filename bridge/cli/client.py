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

from bridge.cli.answers import read_answer
from bridge.cli.delivery_client import RestDeliveries
from bridge.cli.event_client import RestEvents
from bridge.cli.evse_client import RestExplanations, RestHistory
from bridge.cli.failures import Unexpected, Unreachable
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
from bridge.web.problem_shapes import Problem
from bridge.web.quarantine_services import QuarantineServices
from bridge.web.quirk_services import QuirkServices
from bridge.web.quirk_shapes import StationQuirks
from bridge.web.services import Conflict, NeedsYes, NotFound, RowsRefused, ServiceError, Unavailable, ValueRefused
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

    def __init__(self, url: str, token: str) -> None:
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}"}
        self.temporaries: TemporaryServices = RestTemporaries(self._request)
        self.stations: StationServices = RestStations(self._request)
        self.quarantine: QuarantineServices = RestQuarantine(self._request)
        self.wire_log: WireLogServices = RestWireLog(self._request)
        self.api_keys: KeyServices = RestKeys(self._request)
        self.quirks: QuirkServices = RestQuirks(self._station_quirks)
        self.explanations: ExplanationServices = RestExplanations(self._request)
        self.history: HistoryServices = RestHistory(self._request)
        self.events: EventServices = RestEvents(url, self._headers)
        self.deliveries: DeliveryServices = RestDeliveries(self._request)
        self.inventory_edits: InventoryEdits = RestInventoryEdits(self._request)
        self.meters = None

    async def _station_quirks(self, path: str, station: str) -> StationQuirks:
        status, text = await self._request("GET", path)
        if status == 404:
            raise NotFound("station", station)
        return _classified(status, text, StationQuirks, station)

    async def status(self) -> Status:
        """GET /api/v1/status."""
        return await self._get("/api/v1/status", Status)

    async def ready(self) -> Readiness:
        """GET /readyz."""
        try:
            status, text = await self._request("GET", "/readyz")
        except ServiceError as error:
            return Readiness(ready=False, why=str(error))
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
        return await self._get(f"/api/v1/evses?{evse_query(query)}", EvsePage, query.account or "")

    async def count_evses(self, operators: frozenset[str] | None = None) -> EvseCounts:
        """GET /api/v1/evse-counts; the bridge knows by the key whose EVSEs may be seen."""
        return await self._get("/api/v1/evse-counts", EvseCounts)

    async def get_evse(self, evse_id: str) -> EvseItem:
        """GET /api/v1/evses/{evse_id}. Raises: NotFound."""
        status, text = await self._request("GET", f"/api/v1/evses/{quote(evse_id, safe='')}")
        if status == 404:
            raise NotFound("EVSE", evse_id)
        return _classified(status, text, EvseItem, evse_id)

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
        return await self._get(_upstream(name), UpstreamItem, name)

    async def upstream_preview(self, name: str) -> UpstreamPreview:
        """GET /api/v1/upstreams/{name}/preview. Raises: NotFound."""
        return await self._get(f"{_upstream(name)}/preview", UpstreamPreview, name)

    async def set_mode(self, name: str, mode: Mode, *, confirm_full_load: bool, by: str) -> UpstreamItem:
        """POST …/enable or …/disable; the bridge knows by the token who asks. Raises: NotFound, Conflict."""
        if mode is Mode.OFF:
            return await self._post(f"{_upstream(name)}/disable", {}, UpstreamItem, name)
        body = {"mode": mode.value, "confirm_full_load": confirm_full_load}
        return await self._post(f"{_upstream(name)}/enable", body, UpstreamItem, name)

    async def sync_preview(self, name: str) -> SyncReport:
        """GET …/sync. Raises: NotFound."""
        return await self._get(f"{_upstream(name)}/sync", SyncReport, name)

    async def sync(self, name: str, *, forget: bool) -> SyncReport:
        """POST …/sync. Raises: NotFound."""
        return await self._post(f"{_upstream(name)}/sync", {"forget": forget}, SyncReport, name)

    async def delete_document(self, name: str, kind: str, key: str) -> Deletion:
        """DELETE …/documents/{kind}/{key}. Raises: NotFound, Conflict."""
        path = f"{_upstream(name)}/documents/{quote(kind, safe='')}/{quote(key, safe='')}"
        status, text = await self._request("DELETE", path)
        if status == 404:
            raise NotFound(f"{kind} of {name}", key)
        return _classified(status, text, Deletion, name)

    async def import_inventory(self, request: ImportRequest) -> ImportReport:
        """POST /api/v1/inventory. Raises: RowsRefused, NeedsYes."""
        return await self._post("/api/v1/inventory", request.model_dump(), ImportReport)

    async def export_inventory(self) -> str:
        """GET /api/v1/inventory?format=csv."""
        status, text = await self._request("GET", "/api/v1/inventory?format=csv")
        if status != 200:
            _classified(status, text, Problem, "")
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
        return await self._get(f"{_upstream(name)}/full-load?scope={scope}", FullLoadItem, name)

    async def order_full_load(self, name: str, request: FullLoadRequest) -> FullLoadItem:
        """POST /api/v1/upstreams/{name}/full-load. Raises: NotFound, Conflict."""
        return await self._post(f"{_upstream(name)}/full-load", request.model_dump(), FullLoadItem, name)

    async def _get(self, path: str, model: type[_Answer], name: str = "") -> _Answer:
        return _classified(*await self._request("GET", path), model, name)

    async def _post(self, path: str, body: dict[str, Any], model: type[_Answer], name: str = "") -> _Answer:
        return _classified(*await self._request("POST", path, json.dumps(body)), model, name)

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
        headers = self._headers if body is None else {**self._headers, "Content-Type": "application/json"}
        if condition is not None:
            headers = headers | _conditional(condition)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout, headers=headers) as session,
                session.request(method, URL(self._url + path, encoded=True), data=body) as response,
            ):
                return response.status, await response.text()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unreachable(f"the bridge at {self._url} does not answer: {str(error) or 'timeout'}") from error


def _conditional(condition: Condition) -> dict[str, str]:
    if condition.nothing:
        return {"If-None-Match": "*"}
    return {"If-Match": "*" if condition.anything else ", ".join(sorted(condition.tags))}


def _upstream(name: str) -> str:
    return f"/api/v1/upstreams/{quote(name, safe='')}"


def _classified(status: int, text: str, model: type[_Answer], name: str) -> _Answer:
    """Return the answer, or raise what the services inside the bridge raised."""
    if status == 200:
        return read_answer(text, model)
    problem = read_answer(text, Problem)
    match status:
        case 404 if name:
            raise NotFound("account", name)
        case 409 if problem.report is not None:
            raise NeedsYes(problem.detail, problem.report)
        case 409:
            raise Conflict(problem.detail)
        case 422 if problem.row_errors:
            raise RowsRefused(problem.row_errors)
        case 400 | 422:
            raise ValueRefused("", problem.detail)
        case 503:
            raise Unavailable(problem.detail)
        case 401:
            raise Unexpected("the bridge refuses the token in the file admin-token: is the state folder its own?")
        case _:
            raise Unexpected(f"the bridge answered {status} {problem.title}: {problem.detail}")
