"""Unknown stations from the socket to the store, on both databases: quarantine, mapping, accept, attempts, flapping."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from websockets.exceptions import InvalidStatus

from bridge.app import options as fill
from bridge.app.attempts import RefusedAttempts
from bridge.app.clock import SystemClock
from bridge.app.newcomers import Newcomers
from bridge.app.registry import StoreRegistry
from bridge.app.services import StoreServices
from bridge.app.wakes import Wakes
from bridge.intake import Intake
from bridge.settings import OperatorTable, Settings
from bridge.settings.sections import StatusSection
from bridge.store.engine import Store
from bridge.store.writer import Writer
from bridge.web.evse_query import EvseQuery
from bridge.web.quarantine_shapes import MapWish
from bridge.web.services import NotFound, RowsRefused
from bridge.web.shapes import ImportRequest
from csms.auth import StationKeys
from csms.options import ServerOptions, UnknownPolicy
from csms.replies import LocalReplies, ReplyOptions
from csms.server import CentralSystem
from tests.acceptance.processes import until
from tests.integration.csms.fakes import BOOT_16, BOOT_201, KEY, STATUS_16, STATUS_201, FakeCounter, dial

PEPPER = b"p" * 32
WITHIN = 10.0


@dataclass
class House:
    """A bridge without hubs, and with a door."""

    store: Store
    writer: Writer
    services: StoreServices
    central: CentralSystem
    newcomers: Newcomers
    port: int

    async def rows(self, statement: str) -> list[tuple[Any, ...]]:
        async with self.store.read() as connection:
            return [tuple(row) for row in await connection.execute(sa.text(statement))]

    async def effective(self) -> dict[str, str]:
        page = await self.services.list_evses(EvseQuery())
        return {item.evse_id: item.live for item in page.items}

    async def status(self, evse_id: str, expected: str) -> None:
        async def look() -> bool:
            return (await self.effective()).get(evse_id) == expected

        await until(look, WITHIN, f"{evse_id} is {expected}")


@asynccontextmanager
async def opened(store: Store, writer: Writer, folder: Path, policy: str) -> AsyncIterator[House]:
    at_once = StatusSection(available_hold=timedelta(0))
    operators = {"acme": OperatorTable(name="Acme")}
    settings = Settings(state_dir=folder / "state", operators=operators, status=at_once)
    derive = fill.derive_options(settings)
    clock, wakes = SystemClock(), Wakes()
    newcomers, attempts = Newcomers(writer, clock, write_every=timedelta(milliseconds=20)), RefusedAttempts(clock)
    woken = partial(writer.once_committed, wakes.derived)
    intake = Intake(writer, clock=clock, node="test", options=derive, woken=woken, heard=lambda _station: None)
    options = ServerOptions(
        port=0,
        unknown_stations=UnknownPolicy(policy),
        accept_from=(ip_network("127.0.0.0/8"),),
        close_timeout=timedelta(seconds=1),
        settle=timedelta(hours=1),
        settle_after_boot=timedelta(hours=1),
    )
    central = CentralSystem(
        options,
        StoreRegistry(store),
        intake,
        LocalReplies(clock.wall, ReplyOptions()),
        FakeCounter(),
        PEPPER,
        newcomers=newcomers,
        attempts=attempts,
    )
    newcomers.connected = lambda: central.guests
    services = StoreServices(
        settings,
        store,
        writer,
        clock=clock,
        keys=StationKeys(PEPPER),
        derive=derive,
        wakes=wakes,
        central=central,
        newcomers=newcomers,
        attempts=attempts,
    )
    running = asyncio.create_task(newcomers.run(), name="newcomers")
    try:
        yield House(store, writer, services, central, newcomers, await central.start())
    finally:
        running.cancel()
        await asyncio.wait([running])
        await central.stop()


HouseOf = Callable[[str], Awaitable[House]]


@pytest.fixture
async def quarantine(store: Store, writer: Writer, tmp_path: Path) -> AsyncIterator[House]:
    async with opened(store, writer, tmp_path, "quarantine") as house:
        yield house


@pytest.fixture
async def bench(store: Store, writer: Writer, tmp_path: Path) -> AsyncIterator[House]:
    async with opened(store, writer, tmp_path, "accept") as house:
        yield house


def wish(*evses: str, **more: Any) -> MapWish:
    return MapWish(evses=evses, operator="acme", **(more or {"generate_key": True}))


@pytest.mark.parametrize(
    ("offer", "boot", "status", "evse", "address"),
    [
        pytest.param("ocpp1.6", BOOT_16, STATUS_16, "1=DE*ABC*E1", (0, 1), id="1.6"),
        pytest.param("ocpp2.0.1", BOOT_201, STATUS_201, "1.1=DE*ABC*E1", (1, 1), id="2.0.1"),
    ],
)
async def test_a_station_in_quarantine_is_mapped_and_logs_in_with_its_new_key(
    quarantine: House, offer: str, boot: dict[str, Any], status: dict[str, Any], evse: str, address: tuple[int, int]
) -> None:
    guest = await dial(quarantine.port, "NEW*1", offers=[offer], password=b"whatever it has now")
    assert (await guest.call("BootNotification", boot))[2]["status"] == "Pending"
    assert (await guest.call("StatusNotification", status))[2] == "SecurityError"
    [item] = (await quarantine.services.quarantine.list()).items
    assert (item.station, item.connected, item.version, item.vendor) == ("NEW*1", True, offer, "Vendor")
    assert (item.address, item.showed_credentials, item.connections) == ("127.0.0.1", True, 1)
    assert (await quarantine.services.status()).quarantined == 1
    assert await quarantine.rows("SELECT id FROM station") == []
    assert await quarantine.rows("SELECT * FROM fact") == []

    report = await quarantine.services.quarantine.map("new*1", wish(evse))
    assert (report.applied, report.station, report.evses) == (True, "NEW*1", ("DE*ABC*E1",))
    assert report.key is not None
    assert len(report.key) == 40
    assert await guest.closed() == 1008
    assert (await quarantine.services.quarantine.list()).items == ()
    [row] = await quarantine.rows("SELECT ocpp_evse, ocpp_connector FROM connector")
    assert row == address

    station = await dial(quarantine.port, "NEW*1", offers=[offer], password=report.key.encode())
    assert (await station.call("BootNotification", boot))[2]["status"] == "Accepted"
    assert (await station.call("StatusNotification", status))[0] == 3
    await quarantine.status("DE*ABC*E1", "available")
    with pytest.raises(InvalidStatus) as caught:
        await dial(quarantine.port, "NEW*1", offers=[offer], password=b"whatever it has now")
    assert caught.value.response.status_code == 401


async def test_a_dry_run_changes_nothing_and_makes_no_key(quarantine: House) -> None:
    guest = await dial(quarantine.port, "NEW1")
    wanted = wish("DE*ABC*E1", generate_key=True, dry_run=True)
    report = await quarantine.services.quarantine.map("NEW1", wanted)
    assert (report.applied, report.evses, report.key) == (False, ("DE*ABC*E1",), None)
    assert await quarantine.rows("SELECT id FROM station") == []
    assert len((await quarantine.services.quarantine.list()).items) == 1
    assert (await guest.call("BootNotification", BOOT_16))[2]["status"] == "Pending"


INVENTORY = "station,version,key,connector,evse_id,operator\nOLD,1.6,0123456789abcdef,1,DE*ABC*E1,acme\n"


async def test_an_evse_of_another_station_stays_there(quarantine: House) -> None:
    await quarantine.services.import_inventory(ImportRequest(csv=INVENTORY))
    await dial(quarantine.port, "NEW1")
    with pytest.raises(RowsRefused) as caught:
        await quarantine.services.quarantine.map("NEW1", wish("1=DE*ABC*E9", "2=DE*ABC*E1"))
    [error] = caught.value.errors
    assert (error.line, error.column, error.value) == (3, "evse_id", "DE*ABC*E1")
    assert error.problem.startswith("belongs to station 'OLD'")
    assert await quarantine.rows("SELECT evse_id, station FROM evse") == [("DE*ABC*E1", "OLD")]
    assert len((await quarantine.services.quarantine.list()).items) == 1


async def test_mapping_touches_no_other_station(quarantine: House) -> None:
    await quarantine.services.import_inventory(ImportRequest(csv=INVENTORY))
    before = await quarantine.rows("SELECT * FROM station WHERE id = 'OLD'")
    await dial(quarantine.port, "NEW1")
    await quarantine.services.quarantine.map("NEW1", wish("DE*ABC*E2"))
    assert await quarantine.rows("SELECT * FROM station WHERE id = 'OLD'") == before
    assert await quarantine.rows("SELECT evse_id, station FROM evse ORDER BY evse_id") == [
        ("DE*ABC*E1", "OLD"),
        ("DE*ABC*E2", "NEW1"),
    ]


async def test_an_import_that_names_a_station_in_quarantine_ends_it_too(quarantine: House) -> None:
    guest = await dial(quarantine.port, "OLD")
    assert len((await quarantine.services.quarantine.list()).items) == 1
    await quarantine.services.import_inventory(ImportRequest(csv=INVENTORY))
    assert await guest.closed() == 1008
    assert (await quarantine.services.quarantine.list()).items == ()


async def test_who_is_forgotten_is_closed_and_comes_back_when_it_connects(quarantine: House) -> None:
    guest = await dial(quarantine.port, "NEW1")
    assert (await quarantine.services.quarantine.forget("new1")).station == "NEW1"
    assert await guest.closed() == 1008
    await until(lambda: not quarantine.central.guests, WITHIN, "the guest is gone")
    assert (await quarantine.services.quarantine.list()).items == ()
    await dial(quarantine.port, "NEW1")
    [item] = (await quarantine.services.quarantine.list()).items
    assert item.connections == 1


async def test_nobody_in_quarantine_is_not_found(quarantine: House) -> None:
    with pytest.raises(NotFound):
        await quarantine.services.quarantine.map("NOBODY", wish("DE*ABC*E1"))
    with pytest.raises(NotFound):
        await quarantine.services.quarantine.forget("NOBODY")


async def test_a_flood_of_identities_makes_no_more_than_a_thousand_rows_in_few_writes(quarantine: House) -> None:
    await quarantine.services.import_inventory(ImportRequest(csv=INVENTORY))
    known = await dial(quarantine.port, "OLD")
    await known.call("BootNotification", BOOT_16)
    before = quarantine.writer.items_written

    async def knock(first: int) -> None:
        for number in range(first, first + 400):
            try:
                station = await dial(quarantine.port, f"SCAN{number}", password=None)
            except InvalidStatus:
                continue
            station.socket.transport.abort()

    await asyncio.gather(*(knock(first) for first in range(0, 1600, 400)))
    assert (await known.call("StatusNotification", STATUS_16))[0] == 3
    await until(lambda: not quarantine.central.guests, WITHIN, "every guest is gone")
    await quarantine.newcomers.write()
    [(count,)] = await quarantine.rows("SELECT count(*) FROM quarantined")
    assert 900 < count <= 1000
    assert quarantine.writer.items_written - before < 1600
    await quarantine.status("DE*ABC*E1", "available")


# --- accept ---------------------------------------------------------------------------------------------------------


async def test_what_an_accepted_station_reported_counts_once_it_has_an_evse(bench: House) -> None:
    station = await dial(bench.port, "SIM1", password=KEY)
    assert (await station.call("BootNotification", BOOT_16))[2]["status"] == "Accepted"
    assert (await station.call("StatusNotification", {**STATUS_16, "status": "Charging"}))[0] == 3
    assert await bench.effective() == {}
    assert await bench.rows("SELECT status FROM fact") == [("Charging",)]
    csv = "station,version,connector,evse_id,operator\nSIM1,1.6,1,DE*ABC*E7,acme\n"
    report = await bench.services.import_inventory(ImportRequest(csv=csv))
    assert (report.stations_added, report.evses_added) == ((), ("DE*ABC*E7",))
    await bench.status("DE*ABC*E7", "charging")
    assert (await station.call("Heartbeat", {}))[0] == 3


async def test_an_accepted_station_without_a_key_is_insecure(bench: House) -> None:
    await dial(bench.port, "SIM1", password=None)
    assert await bench.rows("SELECT id, security, key_digest FROM station") == [("SIM1", 0, None)]


async def test_a_restart_does_not_matter_to_an_accepted_station(bench: House, tmp_path: Path) -> None:
    station = await dial(bench.port, "SIM1", password=KEY)
    await station.call("BootNotification", BOOT_16)
    await station.socket.close()
    async with opened(bench.store, bench.writer, tmp_path, "reject") as again:
        station = await dial(again.port, "SIM1", password=KEY)
        assert (await station.call("StatusNotification", STATUS_16))[0] == 3


# --- attempts and flapping --------------------------------------------------------------------------------------------


async def test_refused_attempts_are_shown_with_advice_and_a_similar_station(quarantine: House) -> None:
    await quarantine.services.import_inventory(ImportRequest(csv=INVENTORY.replace("OLD", "ACME-0042")))
    for identity, password in (("ACME%3A0042", KEY), ("ACME-0042", b"not its key at all")):
        with pytest.raises(InvalidStatus):
            await dial(quarantine.port, identity, password=password)
    wrong, unknown = (await quarantine.services.quarantine.attempts(None)).items
    assert (wrong.station, wrong.status, wrong.reason, wrong.count) == ("ACME-0042", 401, "credentials wrong", 1)
    assert wrong.what_to_do.startswith("the key in the station differs from the inventory's")
    assert wrong.user_agent.startswith("Python")
    assert (unknown.station, unknown.status, unknown.similar) == ("ACME:0042", 404, "ACME-0042")
    assert [each.status for each in (await quarantine.services.quarantine.attempts("acme-0042")).items] == [401]
    assert (await quarantine.services.status()).refused_stations == 2


async def test_only_an_unknown_station_is_likened_to_a_known_one(quarantine: House) -> None:
    await quarantine.services.import_inventory(ImportRequest(csv=INVENTORY))
    for identity, password in (("OLD", b"not its key at all"), ("OLD%20", KEY)):
        with pytest.raises(InvalidStatus):
            await dial(quarantine.port, identity, password=password)
    shown = (await quarantine.services.quarantine.attempts(None)).items
    assert [(each.status, each.similar) for each in shown] == [(404, "OLD"), (401, None)]


@pytest.mark.row("T55")
async def test_two_devices_with_one_id_are_in_the_warnings(quarantine: House) -> None:
    await quarantine.services.import_inventory(ImportRequest(csv=INVENTORY))
    for _ in range(5):
        await dial(quarantine.port, "OLD")
    await until(lambda: bool(quarantine.central.flapping()), WITHIN, "the station flaps")
    [warning] = [text for text in (await quarantine.services.status()).warnings if text.startswith("station OLD")]
    assert "have replaced each other, of 127.0.0.1" in warning
