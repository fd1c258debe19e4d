"""After an import is committed: sessions are closed, and what fails there never looks as if the import had."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

from bridge.app import options as fill
from bridge.app.clock import SystemClock
from bridge.app.services import StoreServices
from bridge.app.wakes import Wakes
from bridge.settings import OperatorTable, Settings
from bridge.store.engine import open_store
from bridge.store.writer import Writer
from bridge.web.shapes import ImportRequest
from csms.auth import StationKeys
from csms.events import StationId
from csms.flapping import Flapping

HEADER = "station,version,key,connector,evse_id,operator\n"
KEYS = ("INTEGRATION-KEY-1", "INTEGRATION-KEY-2")


class Stations:
    """Fails for the stations named; remembers whom it was asked to close. In the place of the OCPP side."""

    def __init__(self, *failing: str) -> None:
        self.failing = failing
        self.asked: list[str] = []
        self.dismissed: list[StationId] = []
        self.connected: dict[StationId, object] = {}

    def dismiss_guests(self, stations: Iterable[StationId]) -> None:
        self.dismissed += stations

    def flapping(self) -> tuple[Flapping, ...]:
        return ()

    def disconnect(self, station: StationId) -> None:
        self.asked.append(station)
        if station in self.failing:
            raise RuntimeError("the session is in a state that nobody thought of")


@asynccontextmanager
async def opened(folder: Path, stations: Stations) -> AsyncIterator[StoreServices]:
    settings = Settings(state_dir=folder, operators={"acme": OperatorTable(name="Acme")})
    store = open_store(settings.store_url, state_dir=folder)
    store.upgrade()
    writer = Writer(store)
    writer.start()
    yield StoreServices(
        settings,
        store,
        writer,
        clock=SystemClock(),
        keys=StationKeys(b"p" * 32),
        derive=fill.derive_options(settings),
        wakes=Wakes(),
        central=stations,
    )
    await writer.stop()
    await store.close()


def inventory(*stations: tuple[int, str]) -> str:
    return HEADER + "".join(f"S{number},1.6,{key},1,DE*ABC*E{number},acme\n" for number, key in stations)


async def test_a_committed_import_is_reported_as_applied_even_where_closing_a_session_fails(tmp_path: Path) -> None:
    stations = Stations("S1")
    async with opened(tmp_path, stations) as services:
        await services.import_inventory(ImportRequest(csv=inventory((1, KEYS[0]), (2, KEYS[0]), (3, KEYS[0]))))
        assert (stations.asked, stations.dismissed) == ([], ["S1", "S2", "S3"])
        changed = inventory((2, KEYS[1]), (3, KEYS[0]))
        report = await services.import_inventory(ImportRequest(csv=changed, prune=True, yes=True))
        assert (report.applied, report.stations_removed, report.stations_changed) == (True, ("S1",), ("S2",))
        assert stations.asked == ["S1", "S2"]
        assert [row.station for row in (await services.list_inventory()).items] == ["S2", "S3"]


async def test_a_dry_run_closes_no_session_and_says_that_a_yes_would_be_needed(tmp_path: Path) -> None:
    stations = Stations()
    async with opened(tmp_path, stations) as services:
        await services.import_inventory(ImportRequest(csv=inventory((1, KEYS[0]), (2, KEYS[0]))))
        report = await services.import_inventory(ImportRequest(csv=inventory((1, KEYS[1])), prune=True, dry_run=True))
        assert (report.applied, report.evses_removed) == (False, ("DE*ABC*E2",))
        assert report.warnings == (
            "the import would remove 1 of 2 EVSEs and 1 of 2 stations, more than 10 %; "
            "check the file, or confirm with --yes",
        )
        assert stations.asked == []


async def test_the_inventory_is_listed_with_the_versions_of_the_file(tmp_path: Path) -> None:
    csv = (
        "station,version,key,evse,connector,evse_id,operator\n"
        f"S1,1.6,{KEYS[0]},,1,DE*ABC*E1,acme\n"
        f"S2,2.0.1,{KEYS[0]},1,1,DE*ABC*E2,acme\n"
    )
    async with opened(tmp_path, Stations()) as services:
        await services.import_inventory(ImportRequest(csv=csv))
        assert [(row.station, row.version) for row in (await services.list_inventory()).items] == [
            ("S1", "1.6"),
            ("S2", "2.x"),
        ]


async def test_short_keys_are_kept_by_the_slow_hash_and_an_unchanged_file_changes_nothing(tmp_path: Path) -> None:
    csv = "station,version,key,weak_key,connector,evse_id,operator\n" + "".join(
        f"S{number},1.6,hush{number},true,1,DE*ABC*E{number},acme\n" for number in (1, 2, 3)
    )
    stations = Stations()
    async with opened(tmp_path, stations) as services:
        report = await services.import_inventory(ImportRequest(csv=csv))
        assert report.stations_added == ("S1", "S2", "S3")
        report = await services.import_inventory(ImportRequest(csv=csv))
        assert (report.stations_added, report.stations_changed) == ((), ())
        report = await services.import_inventory(ImportRequest(csv=csv.replace("hush2", "rush2")))
        assert report.stations_changed == ("S2",)
        assert stations.asked == ["S2"]
