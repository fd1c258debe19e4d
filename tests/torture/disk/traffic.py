"""Let stations report to the shipped intake, writer and store, in one process, and remember what they were answered.

Every report has a number, which is stored with it: a status that was answered is lost where a connector's stored number
is lower than the highest one answered. Never decides what breaks: that is for a `vfs.Disk`.
"""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bridge.core.effective import EffectiveOptions
from bridge.core.mapping import mapping_for
from bridge.core.model import AccountName, Moment
from bridge.derive import DeriveOptions, Route
from bridge.edits import ImportOrder, import_inventories
from bridge.intake import Intake
from bridge.inventory_file import parse_inventory
from bridge.store.engine import Store, open_store
from bridge.store.errors import StoreBroken
from bridge.store.writer import Writer
from csms.auth import StationKeys
from csms.events import Epoch, OcppVersion, ReportedStatus, StationConnected, StationId, StatusReported
from csms.ports import NotRecorded

Connector = tuple[str, int]
STATIONS = tuple(StationId(f"s{number}") for number in range(6))
_CONNECTORS = (1, 2)
_STATUSES = tuple(ReportedStatus(word) for word in ("Available", "Preparing", "Charging", "Finishing", "Faulted"))


@dataclass
class Told:
    """What stations were answered."""

    answered: dict[Connector, int] = field(default_factory=dict)
    """The number of the newest status of each connector that its station was told we have."""
    statuses: int = 0
    refused: int = 0
    broken: list[StoreBroken] = field(default_factory=list)


@dataclass
class Traffic:
    """Stations that report, and the parts of the product that take it."""

    store: Store
    writer: Writer
    intake: Intake
    told: Told
    epochs: Mapping[StationId, Epoch]
    _number: int = 0

    async def rounds(self, count: int, chance: random.Random) -> None:
        """Let some stations report at a time, so that batches have different sizes; stop once one is refused."""
        for _ in range(count):
            some = chance.sample(STATIONS, chance.randint(1, len(STATIONS)))
            await asyncio.gather(*(self._report(station, chance) for station in some))
            if self.told.refused:
                return

    async def _report(self, station: StationId, chance: random.Random) -> None:
        self._number += 1
        number, connector = self._number, chance.choice(_CONNECTORS)
        status = StatusReported(
            station, self.epochs[station], OcppVersion.V16, 0, connector, chance.choice(_STATUSES), info=f"{number}"
        )
        try:
            await self.intake.record(status)
        except NotRecorded:
            self.told.refused += 1
        else:
            self.told.answered[station, connector] = number
            self.told.statuses += 1


async def stock(folder: Path) -> None:
    """Make a database with the stations' inventory, in an empty folder."""
    async with _opened(folder, Told(), None) as (store, writer):
        store.upgrade()
        await writer.submit(import_inventories, _inventory(_options()))


@asynccontextmanager
async def traffic(folder: Path, told: Told, *, synchronous: str | None = None) -> AsyncIterator[Traffic]:
    """Open a stocked database, and connect its stations. `synchronous`: instead of the product's own."""
    async with _opened(folder, told, synchronous) as (store, writer):
        intake = Intake(writer, clock=_now, node="n", options=_options(), woken=lambda _: None, heard=lambda _: None)
        connected = {station: StationConnected(station, OcppVersion.V16, "127.0.0.1:1") for station in STATIONS}
        epochs = {station: await intake.open(event) for station, event in connected.items()}
        yield Traffic(store, writer, intake, told, epochs)


@asynccontextmanager
async def _opened(folder: Path, told: Told, synchronous: str | None) -> AsyncIterator[tuple[Store, Writer]]:
    store = open_store(f"sqlite:///{folder / 'bridge.db'}", state_dir=folder / "state")
    store.checkpoint_after = 40
    if synchronous is not None:
        with store.engine.connect() as connection:
            connection.connection.driver_connection.execute(f"PRAGMA synchronous={synchronous}")
    writer = Writer(store, on_broken=told.broken.append)
    writer.start()
    try:
        yield store, writer
    finally:
        await writer.stop()
        await store.close()


def missing(database: Path, answered: Mapping[Connector, int]) -> list[str]:
    """Return one line for every connector whose stored status is older than one that was answered."""
    with closing(sqlite3.connect(database)) as connection:
        found = connection.execute("SELECT station, ocpp_connector, info FROM fact").fetchall()
    stored = {(station, connector): int(info) for station, connector, info in found}
    return [
        f"{connector}: answered {number}, stored {stored.get(connector)}"
        for connector, number in answered.items()
        if stored.get(connector, -1) < number
    ]


def integrity(database: Path) -> str:
    """Return what SQLite finds in the whole file: "ok" where it is sound."""
    with closing(sqlite3.connect(database)) as connection:
        return str(connection.execute("PRAGMA integrity_check").fetchone()[0])


def _now() -> Moment:
    now = datetime.now(UTC)
    return Moment(now, now)


def _options() -> DeriveOptions:
    routes = (Route(AccountName("hubject"), mapping_for("oicp").TABLE, ""),)
    return DeriveOptions(EffectiveOptions(timedelta(seconds=2)), {"demo": routes})


def _inventory(options: DeriveOptions) -> ImportOrder:
    lines = ["station,version,key,connector,evse_id,operator"]
    for number, station in enumerate(STATIONS):
        lines += [f"{station},1.6,0123456789abcdef,{each},DE*ABC*E{number}*{each},demo" for each in _CONNECTORS]
    inventory = parse_inventory("\n".join(lines), operators={"demo"}, read_key_file=lambda _: b"")
    keys = StationKeys(b"p" * 32)
    return ImportOrder(inventory, keys, prune=False, yes=True, dry_run=False, at=_now(), options=options)
