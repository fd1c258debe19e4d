"""Be a second device with a station's id, as two of one model with their factory settings are.

It comes now and then, boots with a serial number of its own, and takes the id's connection; the station takes it back.
It says nothing of the connectors, so that what the hubs must hold stays what the station says. Before it: `fleet`.
Beside it: `station`. After it: `line`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

from ocpp.exceptions import OCPPError, UnknownCallErrorCodeError  # type: ignore[import-untyped]
from websockets.exceptions import WebSocketException

from simulators.fleet.counts import Counts
from simulators.fleet.credentials import Credentials, KeyChange
from simulators.fleet.layout import Address, StationSpec
from simulators.fleet.line import Line, end_tasks, open_connection
from simulators.fleet.link import wire_of
from simulators.fleet.quirks import Quirk
from simulators.fleet.wire import BootMessage, HeartbeatMessage, Wire

_STAYS = timedelta(seconds=3)
_AWAY = timedelta(seconds=20)
"""In the station's own time."""

_ITS_OWN = frozenset({Quirk.RAW_KEY, Quirk.HEX_KEY, Quirk.OTHER_CASE_ID})
"""Quirks of the station without which its twin would not get in."""


class Twin:
    """A device that has a station's id and key by mistake."""

    def __init__(self, spec: StationSpec, line: Line, counts: Counts) -> None:
        """Be of the station's model and version."""
        quirks = spec.quirks & _ITS_OWN | {Quirk.REJECTS_TRIGGER}
        self._spec = replace(spec, quirks=quirks, serial=f"{spec.station[:20]}-TWIN")
        self._line = line
        self._counts = counts
        self._credentials = Credentials(self._spec)
        self._awake = asyncio.Event()
        self._awake.set()

    async def run(self) -> None:
        """Come and go until cancelled."""
        while True:
            await asyncio.sleep(_AWAY.total_seconds() / self._line.speed)
            await self._awake.wait()
            with suppress(OSError, WebSocketException, OCPPError, UnknownCallErrorCodeError):
                await self._visit()

    def rest(self) -> None:
        """Come no more."""
        self._awake.clear()

    def resume(self) -> None:
        """Come again."""
        self._awake.set()

    async def _visit(self) -> None:
        connection = await open_connection(self._spec, self._line, self._credentials)
        self._counts.twin_visits += 1
        wire = wire_of(self._spec, connection, self, self._line.response_timeout)
        tasks = (
            asyncio.create_task(wire.start(), name=f"listen-twin-{self._spec.station}"),
            asyncio.create_task(self._stay(wire), name=f"stay-twin-{self._spec.station}"),
        )
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            await end_tasks(tasks)
            await connection.close(code=1001)

    async def _stay(self, wire: Wire) -> None:
        await wire.boot()
        await asyncio.sleep(_STAYS.total_seconds() / self._line.speed)

    def statuses_wanted(self, address: Address | None) -> None:
        """Say nothing: triggers for statuses are rejected."""

    def message_wanted(self, message: HeartbeatMessage | BootMessage) -> None:
        """Say nothing."""

    def availability_wanted(self, addresses: Collection[Address], *, operative: bool) -> bool:
        """Leave everything as it is, and promise to change it later."""
        return False

    def availability_changed(self, addresses: Collection[Address]) -> None:
        """Say nothing."""

    def key_wanted(self, text: str) -> KeyChange:
        """Refuse a new key, which would be the station's."""
        return KeyChange.REJECTED

    def reconnect_wanted(self) -> None:
        """Stay: there is no new key."""
