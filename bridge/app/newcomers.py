"""Remember stations that the inventory does not know, in few writes. Implements `csms.ports.Newcomers`.

Never lets a guest cause a write of its own: what a thousand of them do within a second is one item of the one writer,
and what does not fit is forgotten, the least recent first. So a flood of made-up identities delays no status of a known
station. Before it: `csms`. After it: `store.quarantine`.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta

import structlog

from bridge.core.model import Moment
from bridge.store.errors import StoreError
from bridge.store.quarantine import MOST, Acceptance, Sighting, Sightings, accept_stations, note_sightings
from bridge.store.writer import Writer
from csms.events import StationBooted, StationId, StationVisited
from csms.ports import NotRecorded
from csms.records import Credential, StationRecord

log = structlog.get_logger(__name__)

WRITE_EVERY = timedelta(seconds=1)


class Newcomers:
    """The strangers of this process. Run `run` as one named task."""

    def __init__(
        self,
        writer: Writer,
        clock: Callable[[], Moment],
        connected: Callable[[], Iterable[StationId]] = tuple,
        *,
        write_every: timedelta = WRITE_EVERY,
    ) -> None:
        """`connected` gives the guests that are connected now: their rows are not pushed out by others."""
        self.connected = connected
        self._writer = writer
        self._clock = clock
        self._write_every_s = write_every.total_seconds()
        self._pending: OrderedDict[str, Sighting] = OrderedDict()
        self._news = asyncio.Event()
        self._turn = asyncio.Lock()

    def arrived(self, visit: StationVisited) -> None:
        """Note that a guest has connected."""
        before = self._of(visit.station)
        self._keep(
            replace(
                before,
                station=visit.station,
                connections=before.connections + 1,
                address=visit.address,
                version=visit.version.value,
                showed_credentials=visit.showed_credentials,
            )
        )

    def described(self, boot: StationBooted) -> None:
        """Note what a guest says of itself."""
        said = (boot.vendor, boot.model, boot.serial, boot.firmware)
        self._keep(replace(self._of(boot.station), described=said))

    def left(self, station: StationId) -> None:
        """Note that a guest is gone."""
        self._keep(self._of(station))

    async def accept(self, identity: str, credential: Credential | None) -> StationRecord | None:
        """Take a station into the inventory; None where there are too many without EVSEs. Raises: NotRecorded."""
        try:
            record = await self._writer.submit(accept_stations, Acceptance(identity, credential))
        except StoreError as error:
            raise NotRecorded(str(error)) from error
        if record is None:
            log.warning("station_not_accepted", station=identity, why=f"there are {MOST} stations without EVSEs")
        else:
            log.info("station_accepted", station=record.station, security=int(record.security))
        return record

    async def run(self) -> None:
        """Write again and again until cancelled."""
        broken = False
        while True:
            await self._news.wait()
            try:
                await self.write()
                broken = False
            except StoreError as error:
                if not broken:
                    log.warning("quarantine_not_written", why=str(error))
                broken = True
            except Exception:
                log.exception("quarantine_not_written")
            await asyncio.sleep(self._write_every_s)

    async def write(self) -> None:
        """Return once everything noted so far is written; where storage fails it stays to be. Raises: StoreError."""
        async with self._turn:
            if self._pending:
                await self._write()

    async def _write(self) -> None:
        self._news.clear()
        taken, self._pending = self._pending, OrderedDict()
        connected = frozenset(station.casefold() for station in self.connected())
        try:
            await self._writer.submit(note_sightings, Sightings(tuple(taken.values()), connected))
        except StoreError:
            self._put_back(taken)
            raise

    def _put_back(self, taken: OrderedDict[str, Sighting]) -> None:
        for folded, sighting in reversed(taken.items()):
            if len(self._pending) < MOST and folded not in self._pending:
                self._pending[folded] = sighting
                self._pending.move_to_end(folded, last=False)
        self._news.set()

    def _of(self, station: StationId) -> Sighting:
        return self._pending.get(station.casefold(), Sighting(station, self._clock().now))

    def _keep(self, sighting: Sighting) -> None:
        folded = sighting.station.casefold()
        self._pending[folded] = replace(sighting, seen_at=self._clock().now)
        self._pending.move_to_end(folded)
        if len(self._pending) > MOST:
            self._pending.popitem(last=False)
        self._news.set()
