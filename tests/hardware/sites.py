"""Run the central system that a wire fixture is played against: with fakes, or with the real intake and store."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bridge.app.registry import StoreRegistry
from bridge.core.effective import EffectiveOptions
from bridge.core.mapping import mapping_for
from bridge.core.reachability import ReachabilityOptions
from bridge.derive import DeriveOptions, Route
from bridge.edits import ImportOrder, import_inventories
from bridge.intake import Intake
from bridge.inventory_file import parse_inventory
from bridge.store.engine import Store, open_store
from bridge.store.writer import Writer
from bridge.ticker import Ticker, TickerOptions
from csms.auth import StationKeys
from csms.events import ConnectorAddress, Epoch, OcppVersion, Receipt, StationConnected, StationEvent, StationId
from csms.ports import Recorder, Registry
from csms.quirks import profile_names
from csms.replies import IdTagPolicy, LocalReplies, ReplyOptions
from csms.server import CentralSystem, ServerOptions
from tests.hardware.fixtures import Fixture
from tests.hardware.play import KEY, told
from tests.hardware.wire import PATIENCE_S
from tests.integration.bridge.tests_bridge import HUBJECT, FakeProber, TestClock
from tests.integration.csms.fakes import PEPPER, FakeCounter, FakeRecorder, FakeRegistry

_HOUR_MS = 3_600_000
_QUIET = {"settle": _HOUR_MS, "settle_after_boot": _HOUR_MS, "close_timeout": 1000, "stop_timeout": 3000}


class Steady:
    """The monotonic clock, with what the fixture lets go by on top."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.ahead


class Kept:
    """A recorder that hands everything on to a real one, and keeps what was recorded."""

    def __init__(self, real: Recorder) -> None:
        self._real = real
        self.events: list[StationEvent] = []
        self._changed = asyncio.Condition()

    async def open(self, connected: StationConnected) -> Epoch:
        return await self._real.open(connected)

    async def record(self, event: StationEvent) -> Receipt:
        receipt = await self._real.record(event)
        async with self._changed:
            self.events.append(event)
            self._changed.notify_all()
        return receipt

    def heard(self, station: StationId) -> None:
        self._real.heard(station)

    async def until(self, count: int) -> None:
        """Wait for so many events that `told` has a word for."""
        async with asyncio.timeout(PATIENCE_S), self._changed:
            await self._changed.wait_for(lambda: sum(told(event) is not None for event in self.events) >= count)


@dataclass
class HardwareSite:
    """A running central system and its host."""

    central: CentralSystem
    port: int
    recorder: Kept
    counter: FakeCounter
    steady: Steady
    clock: TestClock | None = None
    store: Store | None = None
    ticker: Ticker | None = None
    stopping: asyncio.Task[None] | None = None

    @property
    def counts(self) -> dict[str, int]:
        return dict(self.counter.counts)

    @property
    def events(self) -> list[StationEvent]:
        return self.recorder.events

    async def until(self, events: int) -> None:
        await self.recorder.until(events)

    async def stop(self) -> None:
        self.stopping = asyncio.create_task(self.central.stop())

    async def close(self) -> None:
        """Stop the central system, unless a step did."""
        await (self.stopping or asyncio.create_task(self.central.stop()))

    async def pass_(self, seconds: float) -> None:
        """Let time go by in steps of a minute, as the ticker would see it."""
        if self.clock is None or self.ticker is None:
            self.steady.ahead += seconds
            return
        while seconds > 0:
            self.clock.pass_(seconds=min(seconds, 60))
            seconds -= 60
            await self.ticker.tick()

    async def order(self, action: str, payload: dict[str, Any], *, force: bool) -> str:
        answer = await self.central.call(StationId("CP1"), action, payload, force=force)
        return answer.outcome.value

    async def effective(self) -> dict[str, str]:
        assert self.store is not None
        statement = sa.text("SELECT e.evse_id, s.status FROM evse_state s JOIN evse e ON e.id = s.evse")
        async with self.store.read() as connection:
            return {row[0]: row[1] for row in await connection.execute(statement)}


@asynccontextmanager
async def site_of(fixture: Fixture, folder: Path) -> AsyncIterator[HardwareSite]:
    """Run what the fixture wants to be played against."""
    if fixture.host == "bridge":
        async with _bridge(fixture, folder) as site:
            yield site
        return
    registry = FakeRegistry()
    _register(registry, dict(fixture.station))
    site = await _started(fixture, registry, FakeRecorder())
    try:
        yield site
    finally:
        await site.close()


async def _started(fixture: Fixture, registry: Registry, recorder: Recorder) -> HardwareSite:
    times = {**_QUIET, **fixture.server}
    options = ServerOptions(
        port=0,
        **{
            name: value if isinstance(value, bool | str) or name == "max_size" else timedelta(milliseconds=value)
            for name, value in times.items()
        },
    )
    kept, counter = Kept(recorder), FakeCounter()
    replies = LocalReplies(lambda: datetime.now(UTC), ReplyOptions(id_tags=IdTagPolicy.ACCEPT))
    steady = Steady()
    central = CentralSystem(options, registry, kept, replies, counter, PEPPER, monotonic=steady)
    return HardwareSite(central, await central.start(), kept, counter, steady)


def _register(registry: FakeRegistry, station: dict[str, Any]) -> None:
    if "default_version" in station:
        station["default_version"] = OcppVersion(station["default_version"])
    if "quirks" in station:
        station["quirks"] = tuple(station["quirks"])
    if "hex_key" in station:
        station["key"] = bytes.fromhex(station.pop("hex_key"))
    if "ping_ms" in station:
        station["ping_interval"] = timedelta(milliseconds=station.pop("ping_ms"))
    if station.pop("insecure", False):
        station["key"] = None
    if "text_key" in station:
        station["key"] = station.pop("text_key").encode()
    connectors = tuple(ConnectorAddress(*address) for address in station.pop("connectors", ()))
    registry.add(station.pop("id", "CP1"), connectors=connectors, **station)


@asynccontextmanager
async def _bridge(fixture: Fixture, folder: Path) -> AsyncIterator[HardwareSite]:
    store = open_store(f"sqlite:///{folder / 'bridge.sqlite'}", state_dir=folder / "state")
    store.upgrade()
    writer = Writer(store)
    writer.start()
    clock = TestClock()
    options = DeriveOptions(
        EffectiveOptions(timedelta(seconds=2)), {"demo": (Route(HUBJECT, mapping_for("oicp").TABLE, ""),)}
    )
    prober = FakeProber(open={StationId("CP1")})
    ticker = Ticker(
        writer,
        clock=clock,
        options=TickerOptions(reachability=ReachabilityOptions(), derive=options, node="test"),
        woken=lambda _: None,
        prober=prober,
    )
    intake = Intake(writer, clock=clock, node="test", options=options, woken=lambda _: None, heard=ticker.heard)
    order = ImportOrder(
        inventory=parse_inventory(
            fixture.inventory.replace("{key}", KEY.decode()),
            operators={"demo"},
            read_key_file=lambda _: b"",
            quirks=profile_names(),
        ),
        keys=StationKeys(PEPPER),
        prune=False,
        yes=True,
        dry_run=False,
        at=clock(),
        options=options,
    )
    await writer.submit(import_inventories, order)
    await ticker.start()
    site = await _started(fixture, StoreRegistry(store), intake)
    site.clock, site.store, site.ticker = clock, store, ticker
    try:
        yield site
    finally:
        await site.close()
        await ticker.stop()
        await writer.stop(timedelta(seconds=3))
        await store.close()
