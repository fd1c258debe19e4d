"""Which quirk profiles apply to a station: over REST, by the command line, and from the store and its connection."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient

from bridge.app.quirk_services import StoreQuirks
from bridge.inventory_file import parse_inventory
from bridge.store.engine import Store, open_store
from bridge.store.inventory import import_inventory
from bridge.web.services import NotFound
from csms.auth import StationKeys
from csms.events import StationId
from csms.quirks import Quirks, quirks_of

INVENTORY = """station,version,key,connector,evse_id,operator,quirks
CP1,1.6,0123456789abcdef,1,DE*ABC*E1,acme,no-pings
CP2,1.6,0123456789abcdef,1,DE*ABC*E2,acme,
"""


class Central:
    """Holds the connections that the test says."""

    def __init__(self, **live: Quirks) -> None:
        self._live = live

    def quirks_of(self, station: StationId) -> Quirks | None:
        return self._live.get(station)


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Store]:
    store = open_store(f"sqlite:///{tmp_path / 'bridge.sqlite'}", state_dir=tmp_path / "state")
    store.upgrade()
    inventory = parse_inventory(INVENTORY, operators={"acme"}, read_key_file=lambda _: b"", quirks={"no-pings"})
    with store.engine.begin() as connection:
        import_inventory(connection, inventory, keys=StationKeys(b"p" * 32), now=datetime(2026, 11, 20, tzinfo=UTC))
    yield store
    asyncio.run(store.close())


async def test_the_store_knows_what_will_apply_and_the_connection_what_does(sqlite: Store) -> None:
    away = await StoreQuirks(sqlite, None).of_station("cp1")
    assert (away.station, away.connected) == ("CP1", False)
    assert [(item.name, item.why) for item in away.items] == [("no-pings", "the inventory names it")]
    assert (await StoreQuirks(sqlite, None).of_station("CP2")).items == ()
    booted = quirks_of(None, vendor="Alfen BV", model="NG910", firmware="6.5")
    live = await StoreQuirks(sqlite, Central(CP2=booted)).of_station("CP2")
    assert [item.name for item in live.items] == ["alfen"]
    assert live.connected is True


async def test_a_connection_without_a_profile_stands_before_what_the_store_says(sqlite: Store) -> None:
    live = await StoreQuirks(sqlite, Central(CP1=Quirks())).of_station("CP1")
    assert (live.items, live.connected) == ((), True)


async def test_an_unknown_station_is_not_found(sqlite: Store) -> None:
    with pytest.raises(NotFound) as missing:
        await StoreQuirks(sqlite, None).of_station("CP9")
    assert str(missing.value) == "there is no station 'CP9'"


async def test_the_route_takes_any_id(client: TestClient, admin: dict[str, str]) -> None:
    response = await client.get("/api/v1/stations/CP%201%7C2/quirks", headers=admin)
    assert response.status == 200
    assert (await response.json())["items"][0]["why"] == "vendor 'Alfen BV'"
    assert (await client.get("/api/v1/stations/CP9/quirks", headers=admin)).status == 404
