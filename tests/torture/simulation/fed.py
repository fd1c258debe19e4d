"""Pretend to be many stations at little cost: statuses go straight into the shipped intake, without a session.

They are journalled as those of a `Station` are, so that `evidence` judges them the same; of each connector only the
newest answered report is kept, which is all that it asks for. Before it: `world`, with `Plan.fed`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from bridge.store.errors import StoreError
from csms.events import Epoch, ReportedStatus, SecurityProfile, StationConnected, StationId, StatusReported
from csms.ports import NotRecorded, Superseded
from tests.torture.simulation.stations import Reported, Station

if TYPE_CHECKING:
    from tests.torture.simulation.process import Process
    from tests.torture.simulation.world import World

NEVER_OFFLINE = {"STATUS__OFFLINE_AFTER": "7 d"}
"""They have no connection that could be watched, so their silence must not count."""

Address = tuple[int, int]


@dataclass
class Fed(Station):
    """A station that has no connection and does nothing by itself."""

    generation: int = 0
    epoch: Epoch = field(default=Epoch(0))
    slots: dict[Address, int] = field(default_factory=dict)

    async def live(self) -> None:
        """Do nothing: `feed` says what it reports."""

    def drop(self, *, half_open: bool = False) -> None:
        """Do nothing: there is no connection."""

    def keep(self, report: Reported) -> None:
        """Keep an answered report in the place of the one before."""
        report.answered = True
        if report.address in self.slots:
            self.journal[self.slots[report.address]] = report
        else:
            self.slots[report.address] = len(self.journal)
            self.journal.append(report)


def everybody(world: World, status: str) -> list[tuple[Fed, Address, str]]:
    """Return what `feed` takes, for this status of every connector."""
    stations = cast(dict[str, Fed], world.stations).values()
    return [(station, address, status) for station in stations for address in station.habits.connectors]


async def feed(world: World, changes: Iterable[tuple[Fed, Address, str]]) -> None:
    """Report these statuses, all at once, and again until they are answered; each connector at most once."""
    waiting = [(station, _report_of(address, status, world.stamp())) for station, address, status in changes]
    for station, report in waiting:
        station.actual[report.address] = report.status
    while waiting:
        process = world.process
        if process is None or not world.serving:
            await asyncio.sleep(1.0)
            continue
        work = process.spawn(_record(process, world.generation, waiting))
        await asyncio.wait({work})
        waiting = [(station, report) for station, report in waiting if not report.answered]


def _report_of(address: Address, status: str, stamp: str) -> Reported:
    return Reported(0, address, status, stamp, said=stamp)


async def _record(process: Process, generation: int, waiting: list[tuple[Fed, Reported]]) -> None:
    stations = {station.name: station for station, _ in waiting if station.generation != generation}
    await asyncio.gather(*(_open(process, generation, station) for station in stations.values()))
    await asyncio.gather(*(_report(process, station, report) for station, report in waiting))


async def _open(process: Process, generation: int, station: Fed) -> None:
    connected = StationConnected(StationId(station.name), station.habits.version, "127.0.0.1:1", SecurityProfile.BASIC)
    try:
        station.epoch = await process.intake.open(connected)
    except (NotRecorded, StoreError):
        return
    station.generation = generation


async def _report(process: Process, station: Fed, report: Reported) -> None:
    evse, connector = report.address
    event = StatusReported(
        StationId(station.name),
        station.epoch,
        station.habits.version,
        evse,
        connector,
        ReportedStatus(report.status),
        report.stamp,
    )
    try:
        await process.intake.record(event)
    except (NotRecorded, Superseded):
        return
    station.keep(report)


def connectors(number: int) -> tuple[Any, ...]:
    """Return the addresses of an OCPP 1.6 station with so many connectors."""
    return tuple((0, connector) for connector in range(1, number + 1))
