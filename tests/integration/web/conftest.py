"""A hand-written fake of the services, and the real application over it on a real socket."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer

sys.path.insert(0, str(Path(__file__).parent))

from fake_deliveries import FakeDeliveries
from fake_events import FakeEvents
from fake_evse_services import FakeExplanations, FakeHistory
from fake_inventory_edits import FakeInventoryEdits
from fake_keys import FakeKeys
from fake_overviews import FakeOverviews
from fake_quarantine import FakeQuarantine

from bridge.core.differences import Standing
from bridge.core.etags import ANYTHING, Condition
from bridge.core.model import TemporaryKind
from bridge.core.modes import Mode
from bridge.core.temporary import Phase
from bridge.web.connector_shapes import ConnectorItem, ConnectorPage
from bridge.web.evse_counts import EvseCounts
from bridge.web.evse_query import EvseQuery
from bridge.web.full_load_shapes import FullLoadItem, FullLoadRequest, Scope
from bridge.web.health_shapes import Component, Health, Readiness, Status
from bridge.web.page import Page
from bridge.web.paging import cut
from bridge.web.quarantine_services import QuarantineServices
from bridge.web.quirk_shapes import QuirkItem, StationQuirks
from bridge.web.routes import create_app
from bridge.web.services import Conflict, NeedsYes, NotFound, RowsRefused, ServiceError
from bridge.web.shapes import (
    DeliveryItem,
    EvseItem,
    EvsePage,
    ImportReport,
    ImportRequest,
    InventoryList,
    InventoryRow,
    ListingItem,
    ListingList,
    ListingRequest,
    Reported,
    RowError,
    UpstreamItem,
    UpstreamList,
    UpstreamPreview,
    experimental_reason,
)
from bridge.web.station_services import StationServices
from bridge.web.sync_shapes import (
    DELETABLE,
    Deletion,
    DocumentDifference,
    FieldChangeItem,
    ForeignItem,
    SyncReport,
)
from bridge.web.temporary_services import TemporaryServices, Which
from bridge.web.temporary_shapes import (
    TemporaryChange,
    TemporaryForecast,
    TemporaryItem,
    TemporaryList,
    TemporaryPreview,
    TemporarySpan,
    TemporaryWish,
)
from bridge.web.wire_shapes import WireLine, WireLines
from tests.integration.web.station_fakes import FakeStations

TOKEN = "test-token-of-more-than-thirty-two-characters"
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def upstream(name: str, kind: str, mode: Mode = Mode.OFF) -> UpstreamItem:
    return UpstreamItem(
        name=name,
        kind=kind,
        mode=mode,
        state="off" if mode is Mode.OFF else "ok",
        backlog=0,
        refused=0,
        lag_s=None,
        experimental=experimental_reason(kind),
    )


def temporary(
    number: int, *, evse_id: str = "DE*ABC*E1", status: TemporaryKind = TemporaryKind.MAINTENANCE
) -> TemporaryItem:
    return TemporaryItem(
        id=number,
        evse_id=evse_id,
        status=status,
        valid_from=NOON,
        valid_to=None,
        phase=Phase.ACTIVE,
        enforce=True,
        created_at=NOON,
        created_by="admin",
        station="Inoperative: accepted",
    )


def evse(number: int) -> EvseItem:
    return EvseItem(
        evse_id=f"DE*ABC*E{number}",
        station=f"CS-{number}",
        connected=True,
        reported=(Reported(evse=0, connector=1, status="Charging", received_at=NOON, stale=False),),
        effective="charging",
        live="charging",
        rule="connector 1 reported Charging",
        changed_at=NOON,
        deliveries={
            "hubject": DeliveryItem(
                desired="Occupied",
                acked="Available",
                acked_at=NOON,
                state="pending",
                http=200,
                code="000",
                reference="0b59fa4a-4f4b-4a6b-9f9d-0a1a1f0a2c11",
            )
        },
    )


REPORT = SyncReport(
    name="chargeprice",
    kind="chargeprice",
    mode=Mode.OFF,
    documents=(
        DocumentDifference(
            kind="station",
            key="20006f18",
            name="Spar",
            standing=Standing.CHANGED,
            changes=(FieldChangeItem(field="attributes.name", old='"Spar 1"', new='"Spar"'),),
        ),
        DocumentDifference(kind="station", key="1a006f18", standing=Standing.REFUSED, why="HTTP 400"),
        DocumentDifference(kind="station", key="3a006f18", standing=Standing.WITHDRAWN),
        DocumentDifference(kind="company", key="1e49b853", name="EnBW", standing=Standing.NEW),
    ),
    documents_agreed=7,
    statuses={"agreed": 5, "changed": 2},
    foreign=(
        ForeignItem(
            remote_id="7", evse_id="DE*ABC*E1", kind="BLOCKED", valid_from="2026-01-01T00:00:00Z", valid_to=None
        ),
    ),
    documents_held="stations: HTTP 403",
)
"""Something of everything."""


def forecast(evse_id: str, begin: datetime) -> TemporaryForecast:
    span = TemporarySpan(begin=begin, status="maintenance", rule="MAINTENANCE", words={"hubject_main": "OutOfService"})
    return TemporaryForecast(
        evse_id=evse_id,
        station="CS-1",
        status="available",
        words={"hubject_main": "Available"},
        spans=(span,),
        overlaps=(temporary(7),),
        mirrored_to=("spirii_main",),
    )


@dataclass
class FakeTemporaries:
    """Implements `TemporaryServices` in memory; `orders` is what was asked of it."""

    items: list[TemporaryItem] = field(default_factory=lambda: [temporary(7)])
    orders: list[tuple[object, ...]] = field(default_factory=list)
    failure: ServiceError | None = None

    async def list(self, evse_id: str | None, which: Which, page: Page | None = None) -> TemporaryList:
        self.orders.append(("list", evse_id, which))
        found, cursor = cut(self.items, page, "temporary statuses", lambda item: (item.id,))
        return TemporaryList(items=tuple(found), next_cursor=cursor)

    async def get(self, number: int) -> TemporaryItem:
        return self._find((number,))[0]

    async def create(self, wish: TemporaryWish, *, by: str) -> TemporaryList:
        self.orders.append(("create", wish, by))
        if self.failure is not None:
            raise self.failure
        return TemporaryList(
            items=tuple(
                temporary(8 + number, evse_id=evse_id, status=wish.status)
                for number, evse_id in enumerate(wish.evse_ids)
            )
        )

    async def preview(self, wish: TemporaryWish) -> TemporaryPreview:
        self.orders.append(("preview", wish))
        if self.failure is not None:
            raise self.failure
        begin = wish.valid_from or NOON
        return TemporaryPreview(
            status=wish.status,
            valid_from=begin,
            valid_to=wish.valid_to,
            enforce=bool(wish.enforce),
            items=tuple(forecast(evse_id, begin) for evse_id in wish.evse_ids),
        )

    async def change(self, number: int, change: TemporaryChange, condition: Condition = ANYTHING) -> TemporaryItem:
        self.orders.append(("change", number, change))
        return self._find((number,))[0]

    async def end(self, numbers: tuple[int, ...]) -> TemporaryList:
        self.orders.append(("end", numbers))
        return TemporaryList(items=tuple(self._find(numbers)))

    def _find(self, numbers: tuple[int, ...]) -> Sequence[TemporaryItem]:
        there = {item.id: item for item in self.items}
        for number in numbers:
            if number not in there:
                raise NotFound("temporary status", str(number))
        return [there[number] for number in numbers]


def wire_line(number: int, text: str, direction: str = "from_station", *, cut: bool = False) -> WireLine:
    return WireLine.model_validate(
        {
            "id": number,
            "at": NOON + timedelta(milliseconds=number),
            "station": "CS-1",
            "epoch": 3,
            "direction": direction,
            "text": text,
            "size": len(text) * 2 if cut else len(text),
            "cut": cut,
        }
    )


@dataclass
class FakeWireLog:
    """Implements `WireLogServices` in memory; `orders` is what was asked of it."""

    items: list[WireLine] = field(default_factory=list)
    orders: list[tuple[object, ...]] = field(default_factory=list)
    failure: ServiceError | None = None
    asked: asyncio.Event = field(default_factory=asyncio.Event)

    async def lines(
        self,
        station: str,
        *,
        limit: int,
        after: int | None = None,
        since: datetime | None = None,
        wait: timedelta = timedelta(0),
    ) -> WireLines:
        self.orders.append((station, limit, after, since, wait))
        self.asked.set()
        if self.failure is not None:
            raise self.failure
        found = [line for line in self.items if line.id > (after or 0)]
        if not found and wait:
            await asyncio.sleep(wait.total_seconds())
        return WireLines(items=tuple(found), cursor=found[-1].id if found else after)


class FakeQuirks:
    """Knows one station, which is an Alfen."""

    async def of_station(self, station: str) -> StationQuirks:
        if station != "CP 1|2":
            raise NotFound("station", station)
        item = QuirkItem(
            name="alfen",
            automatic=True,
            vendor=("alfen*",),
            model=("*",),
            firmware=("*",),
            symptom="it replays",
            changes=("asks again",),
            evidence="seen",
            why="vendor 'Alfen BV'",
        )
        return StationQuirks(items=(item,), station=station, connected=True)


@dataclass
class FakeServices:
    """Implements `WebServices` in memory; `orders` is what was asked of it."""

    upstreams: dict[str, UpstreamItem] = field(
        default_factory=lambda: {
            "hubject": upstream("hubject", "oicp"),
            "chargeprice": upstream("chargeprice", "chargeprice"),
        }
    )
    evses: list[EvseItem] = field(default_factory=lambda: [evse(number) for number in range(1, 6)])
    orders: list[tuple[object, ...]] = field(default_factory=list)
    readiness: Readiness = field(default_factory=lambda: Readiness(ready=True))
    found: Health = field(default_factory=lambda: Health(status="ok", components={"database": Component(status="ok")}))
    report: SyncReport = field(default_factory=lambda: REPORT)
    row_errors: tuple[RowError, ...] = ()
    needs_yes: bool = False
    rows: int = 1
    """Connectors in the inventory."""
    failure: Exception | None = None
    temporaries: TemporaryServices = field(default_factory=FakeTemporaries)
    stations: StationServices = field(default_factory=FakeStations)
    quarantine: QuarantineServices = field(default_factory=FakeQuarantine)
    wire_log: FakeWireLog = field(default_factory=FakeWireLog)
    quirks: FakeQuirks = field(default_factory=FakeQuirks)
    events: FakeEvents = field(default_factory=FakeEvents)
    deliveries: FakeDeliveries = field(default_factory=FakeDeliveries)
    inventory_edits: FakeInventoryEdits = field(default_factory=FakeInventoryEdits)
    api_keys: FakeKeys = field(default_factory=FakeKeys)
    explanations: FakeExplanations = field(default_factory=FakeExplanations)
    history: FakeHistory = field(default_factory=FakeHistory)
    meters: None = None

    async def status(self) -> Status:
        if self.failure is not None:
            raise self.failure
        return Status(
            version="0.1.0",
            started_at=NOON,
            stations=5,
            connected=4,
            evses=5,
            effective={"charging": 5},
            upstreams=tuple(self.upstreams.values()),
            warnings=("ocpp.id_tags is not set",),
        )

    async def ready(self) -> Readiness:
        return self.readiness

    async def health(self) -> Health:
        return self.found

    async def list_evses(self, query: EvseQuery) -> EvsePage:
        self.orders.append(("list EVSEs", query))
        chosen = [
            item
            for item in self.evses
            if (not query.statuses or item.effective in query.statuses)
            and query.problems in (None, bool(item.problems))
        ]
        found, cursor = cut(chosen, Page(query.limit, query.cursor), "EVSEs", lambda item: (item.evse_id,))
        return EvsePage(items=tuple(found), next_cursor=cursor)

    @property
    def overviews(self) -> FakeOverviews:
        return FakeOverviews(self)

    async def count_evses(self, operators: frozenset[str] | None = None) -> EvseCounts:
        self.orders.append(("count EVSEs", operators))
        statuses = Counter(item.effective for item in self.evses)
        return EvseCounts(evses=len(self.evses), problems=0, offline=0, statuses=dict(statuses))

    async def get_evse(self, evse_id: str) -> EvseItem:
        for item in self.evses:
            if item.evse_id == evse_id:
                return item
        raise NotFound("EVSE", evse_id)

    async def list_connectors(
        self,
        page: Page | None = None,
        *,
        station: str | None = None,
        evse_id: str | None = None,
        operators: frozenset[str] | None = None,
    ) -> ConnectorPage:
        self.orders.append(("list connectors", page, station, evse_id))
        item = ConnectorItem(
            station="CS-1",
            evse=0,
            connector=1,
            evse_id="DE*ABC*E1",
            operator="acme",
            connected=True,
            reported=Reported(evse=0, connector=1, status="Charging", received_at=NOON, stale=False),
        )
        found, cursor = cut([item], page, "connectors", lambda item: (item.station, item.evse, item.connector))
        return ConnectorPage(items=tuple(found), next_cursor=cursor)

    async def list_upstreams(self) -> UpstreamList:
        return UpstreamList(items=tuple(self.upstreams.values()))

    async def get_upstream(self, name: str) -> UpstreamItem:
        return self._find(name)

    async def upstream_preview(self, name: str) -> UpstreamPreview:
        item = self._find(name)
        oicp = item.kind == "oicp"
        return UpstreamPreview(
            name=name,
            kind=item.kind,
            mode=item.mode,
            total=5,
            known=3,
            unknown=1,
            absent=1,
            values={"Occupied": 3, "Unknown": 2},
            documents={} if oicp else {"station": 2, "company": 1},
            full_load="confirmed" if oicp else None,
            asks_full_load=oicp,
        )

    async def set_mode(self, name: str, mode: Mode, *, confirm_full_load: bool, by: str) -> UpstreamItem:
        item = self._find(name)
        if name == "chargeprice" and mode is Mode.LIVE and self.needs_yes:
            raise Conflict("the configuration forces chargeprice off")
        self.orders.append((name, mode, confirm_full_load, by))
        self.upstreams[name] = item.model_copy(update={"mode": mode, "state": "ok" if mode is Mode.LIVE else "off"})
        return self.upstreams[name]

    async def sync_preview(self, name: str) -> SyncReport:
        item = self._find(name)
        return self.report.model_copy(update={"name": name, "kind": item.kind, "mode": item.mode})

    async def sync(self, name: str, *, forget: bool) -> SyncReport:
        report = await self.sync_preview(name)
        self.orders.append((name, "sync", forget))
        return report.model_copy(update={"ordered": True})

    async def delete_document(self, name: str, kind: str, key: str) -> Deletion:
        self._find(name)
        if kind not in DELETABLE or key == "unknown":
            raise NotFound(f"{kind} of {name}", key)
        if key == "listed":
            raise Conflict(f"{kind} {key} is still listed")
        self.orders.append((name, "delete", kind, key))
        return Deletion.model_validate({"name": name, "kind": kind, "key": key})

    async def import_inventory(self, request: ImportRequest) -> ImportReport:
        self.orders.append((request.csv, request.prune, request.yes, request.dry_run))
        if self.row_errors:
            raise RowsRefused(self.row_errors)
        report = ImportReport(applied=not request.dry_run, stations_added=("CS-9",), evses_removed=("DE*ABC*E1",))
        if self.needs_yes and not request.yes:
            raise NeedsYes("the import would remove 1 of 5 EVSEs", report.model_copy(update={"applied": False}))
        return report

    async def list_inventory(self, page: Page | None = None) -> InventoryList:
        row = InventoryRow(
            station="CS-1",
            version="ocpp1.6",
            security=1,
            evse=0,
            connector=1,
            evse_id="DE*ABC*E1",
            operator="acme",
            layer0="downgrade",
        )
        rows = [row.model_copy(update={"connector": number}) for number in range(1, self.rows + 1)]
        found, cursor = cut(rows, page, "inventory", lambda row: (row.station, row.evse, row.connector))
        return InventoryList(items=tuple(found), next_cursor=cursor)

    async def export_inventory(self) -> str:
        return "station,version\nCS-1,1.6\n"

    async def import_listing(self, request: ListingRequest) -> ImportReport:
        self.orders.append((request.toml, request.prune, request.yes, request.dry_run))
        if self.row_errors:
            raise RowsRefused(self.row_errors, "listing")
        report = ImportReport(applied=not request.dry_run, listings_removed=("evse_data DE*ABC*E1",))
        if self.needs_yes and not request.yes:
            raise NeedsYes("the import would remove 1 of 5 listings", report.model_copy(update={"applied": False}))
        return report

    async def list_listings(self, page: Page | None = None) -> ListingList:
        content = {"EvseID": "DE*ABC*E1", "IsOpen24Hours": True}
        return ListingList(items=(ListingItem(kind="evse_data", key="DE*ABC*E1", reference="", content=content),))

    async def full_load_preview(self, name: str, scope: Scope) -> FullLoadItem:
        if self._find(name).kind != "oicp":
            raise Conflict(f"chargeprice has no fullLoad: {name} sends every EVSE by itself")
        return FullLoadItem(
            name=name,
            scope=scope,
            new=("DE*ABC*E1",),
            changed=("DE*ABC*E2",),
            same=tuple(f"DE*ABC*E{number}" for number in range(3, 30)),
            withdrawn=tuple(f"DE*ABC*E{number}" for number in range(30, 55)),
            refused=("DE*ABC*E60",),
            foreign=("DE*XYZ*E1",),
            waiting=(),
            held_back="the inventory has 29 EVSEs, less than half of the 60 in the last fullLoad",
        )

    async def order_full_load(self, name: str, request: FullLoadRequest) -> FullLoadItem:
        item = await self.full_load_preview(name, request.scope)
        if not request.confirm:
            raise Conflict(f"{item.held_back}: confirm")
        self.orders.append((name, request.scope, request.confirm))
        return item.model_copy(update={"ordered": True})

    def _find(self, name: str) -> UpstreamItem:
        if name not in self.upstreams:
            raise NotFound("account", name)
        return self.upstreams[name]


@pytest.fixture
def services() -> FakeServices:
    return FakeServices()


@pytest.fixture
async def client(services: FakeServices) -> AsyncIterator[TestClient]:
    """A client without credentials."""
    async with TestClient(TestServer(create_app(services, TOKEN), host="127.0.0.1")) as found:
        yield found


@pytest.fixture
def admin() -> dict[str, str]:
    return {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def token() -> str:
    return TOKEN
