"""A central system made with the `ocpp` package alone, and `ocpp-sim load` as a process that meets it on the wire."""

from __future__ import annotations

import asyncio
import base64
import http
import json
import sys
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest
from ocpp.exceptions import InternalError
from ocpp.routing import on
from ocpp.v16 import ChargePoint, call, call_result
from ocpp.v16.enums import Action, RegistrationStatus
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

PATIENCE_S = 30.0
NOW = "2026-01-01T00:00:00Z"


class Csms:
    """Takes every station, and keeps what each one said."""

    def __init__(self) -> None:
        self.server: Server
        self.heard: dict[str, list[tuple[str, str]]] = defaultdict(list)
        """Of each station, actions with what was told: a status, a vendor, nothing."""
        self.keys: dict[str, str] = {}
        """Who must show a key; everybody else is welcome."""
        self.pending = 0
        """So many BootNotifications are answered with Pending."""
        self.failing = False
        """Whether a status is answered with CALLERROR InternalError."""
        self.takes_s = 0.0
        """How long an answer takes."""
        self.hangs_up_after = 1_000_000
        """Statuses of a station after which its connection is closed, once."""
        self.asks: list[Any] = []
        """What each station is asked after its first status."""
        self.answers: list[Any] = []
        self.begun = asyncio.Event()
        """Set with the first status."""
        self.handshakes = 0

    @property
    def url(self) -> str:
        """Where stations connect to."""
        return f"ws://127.0.0.1:{next(iter(self.server.sockets)).getsockname()[1]}"

    def statuses(self, station: str) -> list[str]:
        """Return what a station told, in order."""
        return [told for action, told in self.heard[station] if action == "StatusNotification"]

    def judge(self, connection: ServerConnection, request: Request) -> Response | None:
        """Refuse who has a wrong key."""
        name = request.path.rpartition("/")[2]
        wanted = base64.b64encode(f"{name}:{self.keys.get(name)}".encode()).decode()
        if name in self.keys and request.headers.get("Authorization") != f"Basic {wanted}":
            return connection.respond(http.HTTPStatus.UNAUTHORIZED, "no\n")
        return None

    async def take(self, connection: ServerConnection) -> None:
        """Serve one connection."""
        assert connection.request is not None
        self.handshakes += 1
        with suppress(ConnectionClosed):
            await _Station(connection.request.path.rpartition("/")[2], connection, self).start()


class _Station(ChargePoint):  # type: ignore[misc]  # the package has no types
    def __init__(self, name: str, connection: ServerConnection, csms: Csms) -> None:
        super().__init__(name, connection)
        self._csms = csms

    @on(Action.boot_notification)
    def on_boot(self, charge_point_vendor: str, **_: Any) -> call_result.BootNotification:
        self._csms.heard[self.id].append(("BootNotification", charge_point_vendor))
        self._csms.pending -= 1
        accepted = RegistrationStatus.pending if self._csms.pending >= 0 else RegistrationStatus.accepted
        return call_result.BootNotification(NOW, 1, accepted)

    @on(Action.heartbeat)
    def on_heartbeat(self) -> call_result.Heartbeat:
        self._csms.heard[self.id].append(("Heartbeat", ""))
        return call_result.Heartbeat(NOW)

    @on(Action.status_notification)
    async def on_status(self, status: str, **_: Any) -> call_result.StatusNotification:
        self._csms.heard[self.id].append(("StatusNotification", status))
        self._csms.begun.set()
        await asyncio.sleep(self._csms.takes_s)
        told = self._csms.statuses(self.id)
        if len(told) == 1:
            for ask in self._csms.asks:
                asyncio.get_running_loop().create_task(self._ask(ask))
        if len(told) == self._csms.hangs_up_after:
            await self._connection.close(1012)
        if self._csms.failing:
            raise InternalError("the disk is full")
        return call_result.StatusNotification()

    async def _ask(self, ask: Any) -> None:
        self._csms.answers.append(await self.call(ask))


@pytest.fixture
async def csms() -> AsyncIterator[Csms]:
    """A central system that runs."""
    found = Csms()
    async with serve(
        found.take, "127.0.0.1", 0, subprotocols=["ocpp1.6"], process_request=found.judge, compression=None
    ) as server:
        found.server = server
        yield found


@dataclass(frozen=True, slots=True)
class Ended:
    """How `ocpp-sim load` ended."""

    code: int | None
    output: str
    errors: str

    @property
    def report(self) -> dict[str, Any]:
        """What it wrote with `--json -`."""
        found: dict[str, Any] = json.loads(self.output)
        return found


async def begin(*arguments: str) -> asyncio.subprocess.Process:
    """Start `ocpp-sim load`."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "simulators.cli", "load", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def end(process: asyncio.subprocess.Process) -> Ended:
    """Wait until it has ended."""
    async with asyncio.timeout(PATIENCE_S):
        output, errors = await process.communicate()
    return Ended(process.returncode, output.decode(), errors.decode())


async def load(*arguments: str) -> Ended:
    """Run `ocpp-sim load` to its end."""
    return await end(await begin(*arguments))


STATUS_TRIGGER = call.TriggerMessage("StatusNotification")
