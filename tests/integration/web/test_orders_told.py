"""Orders reach whoever is told what changes. Real services and events, both databases."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from bridge.app.services import StoreServices
from bridge.core.etags import ANYTHING
from bridge.core.modes import Mode
from bridge.store.engine import Store
from bridge.store.tables import delivery
from bridge.store.writer import Writer
from bridge.web.event_services import Event, EventStream, EventWish
from bridge.web.inventory_services import EditWay
from bridge.web.inventory_shapes import InventoryStationChange
from bridge.web.services import WebServices
from bridge.web.shapes import ImportRequest
from bridge.web.temporary_shapes import TemporaryWish
from tests.integration.web.real_services import real_services, rows

EVSE = "DE*ABC*E00001"


@pytest.fixture
async def services(store: Store, writer: Writer, tmp_path: Path) -> AsyncIterator[StoreServices]:
    services = real_services(store, writer, tmp_path, without_stations=False, told=("hubject",))
    await services.import_inventory(ImportRequest(csv=rows(2)))
    await services.temporaries.create(TemporaryWish(evse_ids=(EVSE,), status="BLOCKED"), by="test")
    telling = asyncio.create_task(services.events.run(), name="events")
    yield services
    telling.cancel()


async def told(stream: EventStream, what: str) -> Event:
    """Return the next event that says this."""
    async with asyncio.timeout(20):
        while True:
            event = await stream.next(timedelta(seconds=1))
            if event is not None and what in f"{event.name} {event.data}":
                return event


async def test_imports_edits_modes_and_retries_are_told(services: StoreServices, writer: Writer) -> None:
    as_web: WebServices = services
    async with as_web.events.follow(EventWish(), None) as stream:
        await told(stream, "reset")
        await services.import_inventory(ImportRequest(csv=rows(3)))
        await told(stream, "the inventory was edited")
        change = InventoryStationChange(strict=True)
        await services.inventory_edits.change_station("CS-00001", change, EditWay(ANYTHING))
        await told(stream, "the inventory was edited")
        await services.set_mode("hubject", Mode.OFF, confirm_full_load=False, by="test")
        await told(stream, "hubject is off now")
        await services.set_mode("hubject", Mode.LIVE, confirm_full_load=False, by="test")
        await told(stream, "hubject is live now")


async def test_a_retry_is_told(services: StoreServices, writer: Writer) -> None:
    def refuse(conn: sa.Connection, _: Sequence[None]) -> list[None]:
        refused = {"refused": "no", "refused_seq": delivery.c.desired_seq, "attempts": 1, "not_before": 2**52}
        conn.execute(sa.update(delivery).values(refused))
        return [None]

    await writer.submit(refuse, None)
    wish = EventWish(evse_id=EVSE)
    async with services.events.follow(wish, None) as stream:
        await told(stream, "reset")
        await services.deliveries.retry(EVSE, "hubject", by="test")
        assert f'"account":"hubject","evse_id":"{EVSE}"' in (await told(stream, "delivery")).data
