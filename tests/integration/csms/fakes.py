"""Be the host and the stations of a central system under test: hand-written, in memory, scriptable."""

from __future__ import annotations

import asyncio
import base64
import json
from collections import Counter as Tally
from collections.abc import Awaitable, Callable
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from csms.auth import new_credential
from csms.events import (
    AttemptRefused,
    ConnectorAddress,
    Epoch,
    OcppVersion,
    Receipt,
    SecurityProfile,
    StationConnected,
    StationEvent,
    StationId,
    StationRecord,
    TransactionIdNeeded,
)
from csms.ports import Direction, NotRecorded, Superseded

PEPPER = b"pepper"
KEY = b"0123456789abcdef"
PATIENCE_S = 5.0

STATUS_16 = {"connectorId": 1, "errorCode": "NoError", "status": "Available"}
BOOT_16 = {"chargePointVendor": "Vendor", "chargePointModel": "Model"}
STATUS_201 = {
    "timestamp": "2026-11-21T10:00:00Z",
    "connectorStatus": "Available",
    "evseId": 1,
    "connectorId": 1,
}
BOOT_201 = {"reason": "PowerUp", "chargingStation": {"model": "Model", "vendorName": "Vendor"}}


class FakeRegistry:
    def __init__(self) -> None:
        self.records: dict[str, StationRecord] = {}
        self.down = False

    def add(
        self,
        station: str,
        *,
        key: bytes | None = KEY,
        default_version: OcppVersion | None = None,
        accepted: bool = True,
        connectors: tuple[ConnectorAddress, ...] = (),
        refuses_trigger: bool = False,
        strict: bool = False,
        security: SecurityProfile | None = None,
        **more: Any,
    ) -> StationId:
        usual = SecurityProfile.NONE if key is None else SecurityProfile.BASIC
        self.records[station.casefold()] = StationRecord(
            StationId(station),
            None if key is None else new_credential(PEPPER, key),
            default_version,
            accepted=accepted,
            connectors=connectors,
            refuses_trigger=refuses_trigger,
            strict=strict,
            security=usual if security is None else security,
            **more,
        )
        return StationId(station)

    async def find(self, identity: str) -> StationRecord | None:
        if self.down:
            raise NotRecorded
        return self.records.get(identity.casefold())


class FakeRecorder:
    """Keeps events in order; `before` runs ahead of each, and may raise or wait."""

    def __init__(self) -> None:
        self.events: list[StationEvent] = []
        self.opened: list[StationConnected] = []
        self.epochs: dict[StationId, Epoch] = {}
        self.heard_of: Tally[StationId] = Tally()
        self.down = False
        self.before: Callable[[StationEvent], Awaitable[None]] | None = None
        self._transactions = 0
        self._changed = asyncio.Condition()

    async def open(self, connected: StationConnected) -> Epoch:
        if self.down:
            raise NotRecorded
        self.opened.append(connected)
        self.epochs[connected.station] = Epoch(len(self.opened))
        return self.epochs[connected.station]

    async def record(self, event: StationEvent) -> Receipt:
        if self.before is not None:
            await self.before(event)
        if self.down:
            raise NotRecorded
        if event.epoch < self.epochs.get(event.station, 0):
            raise Superseded
        async with self._changed:
            self.events.append(event)
            self._changed.notify_all()
        if isinstance(event, TransactionIdNeeded):
            self._transactions += 1
            return Receipt(len(self.events), self._transactions)
        return Receipt(len(self.events))

    def heard(self, station: StationId) -> None:
        self.heard_of[station] += 1

    def of(self, *kinds: type[Any]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kinds)]

    async def until(self, count: int, *kinds: type[Any]) -> list[Any]:
        """Wait until that many events of these kinds were recorded."""
        async with asyncio.timeout(PATIENCE_S), self._changed:
            await self._changed.wait_for(lambda: len(self.of(*kinds)) >= count)
        return self.of(*kinds)


class FakeCounter:
    def __init__(self) -> None:
        self.counts: Tally[str] = Tally()

    def count(self, what: str, station: StationId | None = None) -> None:
        self.counts[what] += 1


class FakeAttempts:
    """Implements `csms.ports.Attempts`."""

    def __init__(self) -> None:
        self.attempts: list[AttemptRefused] = []

    def refused(self, attempt: AttemptRefused) -> None:
        self.attempts.append(attempt)


class FakeWireLog:
    """Keeps what it is told, as tuples."""

    def __init__(self) -> None:
        self.told: list[tuple[object, ...]] = []

    def opened(self, identity: str, epoch: Epoch, version: OcppVersion, remote: str) -> None:
        self.told.append(("opened", identity, epoch, version))

    def frame(self, identity: str, epoch: Epoch, direction: Direction, data: str | bytes) -> None:
        text = data if isinstance(data, str) else data.decode(errors="backslashreplace")
        self.told.append((direction.value, identity, epoch, text))

    def closed(self, identity: str, epoch: Epoch, code: int | None, reason: str) -> None:
        self.told.append(("closed", identity, epoch, code, reason))


def basic(user: str, password: bytes) -> str:
    return "Basic " + base64.b64encode(user.encode() + b":" + password).decode()


class Station:
    """A station that says exactly what the test wants."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self._sent = 0

    async def send(self, frame: object) -> None:
        await self.socket.send(frame if isinstance(frame, str | bytes) else json.dumps(frame))

    async def receive(self) -> list[Any]:
        async with asyncio.timeout(PATIENCE_S):
            frame = json.loads(await self.socket.recv())
        assert isinstance(frame, list)
        return frame

    async def begin(self, action: str, payload: object) -> str:
        self._sent += 1
        message_id = f"m{self._sent}"
        await self.send([2, message_id, action, payload])
        return message_id

    async def call(self, action: str, payload: object) -> list[Any]:
        """Send a CALL and return the frame that answers it."""
        message_id = await self.begin(action, payload)
        frame = await self.receive()
        assert frame[1] == message_id
        return frame

    async def closed(self) -> int | None:
        async with asyncio.timeout(PATIENCE_S):
            await self.socket.wait_closed()
        return self.socket.close_code


async def dial(
    port: int,
    identity: str = "CP1",
    *,
    password: bytes | None = KEY,
    offers: list[str] | None = None,
    path: str | None = None,
    headers: dict[str, str] | None = None,
    **options: Any,
) -> Station:
    """Open a station's WebSocket; raises `websockets.exceptions.InvalidStatus` where it is refused."""
    sent = dict(headers or {})
    if password is not None:
        sent["Authorization"] = basic(identity, password)
    socket = await connect(
        f"{'wss' if 'ssl' in options else 'ws'}://127.0.0.1:{port}{path or '/ocpp/' + identity}",
        subprotocols=["ocpp1.6"] if offers is None else offers or None,  # type: ignore[arg-type, list-item]
        additional_headers=sent,
        ping_interval=None,
        close_timeout=1,
        proxy=None,
        **options,
    )
    return Station(socket)
