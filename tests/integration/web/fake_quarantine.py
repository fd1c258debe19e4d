"""A hand-written fake of what the web needs about unknown stations."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from bridge.web.page import Page
from bridge.web.quarantine_shapes import (
    AttemptItem,
    AttemptList,
    Forgotten,
    MapReport,
    MapWish,
    QuarantineItem,
    QuarantineList,
)
from bridge.web.services import NotFound, ServiceError

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)

ITEM = QuarantineItem(
    station="A|B*1",
    connected=True,
    version="ocpp1.6",
    vendor="ABB",
    model="Terra",
    serial="T-1",
    firmware="1.8.32",
    address="192.0.2.1",
    first_seen=NOON,
    last_seen=NOON,
    connections=3,
    showed_credentials=True,
)
ATTEMPT = AttemptItem(
    station="CP42",
    address="192.0.2.7",
    status=404,
    reason="unknown charging station",
    what_to_do="the inventory has no station of this id",
    count=12,
    first=NOON,
    last=NOON,
    user_agent="Firmware/1.2",
    similar="CP-42",
)


@dataclass
class FakeQuarantine:
    """Implements `QuarantineServices` in memory; `orders` is what was asked of it."""

    items: tuple[QuarantineItem, ...] = (ITEM,)
    refused: tuple[AttemptItem, ...] = (ATTEMPT,)
    orders: list[tuple[object, ...]] = field(default_factory=list)
    failure: ServiceError | None = None

    async def list(self, page: Page | None = None) -> QuarantineList:
        return QuarantineList(items=self.items)

    async def map(self, station: str, wish: MapWish) -> MapReport:
        self._look(station)
        self.orders.append(("map", station, wish))
        key = "00112233445566778899aabbccddeeff00112233" if wish.generate_key and not wish.dry_run else None
        return MapReport(
            applied=not wish.dry_run, station=station, evses=("DE*ABC*E1",), key=key, warnings=("mind the gap",)
        )

    async def forget(self, station: str) -> Forgotten:
        self._look(station)
        self.orders.append(("forget", station))
        return Forgotten(station=station)

    async def attempts(self, station: str | None, page: Page | None = None) -> AttemptList:
        self.orders.append(("attempts", station))
        return AttemptList(items=self.refused)

    def _look(self, station: str) -> None:
        if self.failure is not None:
            raise self.failure
        if station not in {item.station for item in self.items}:
            raise NotFound("station in quarantine", station)
