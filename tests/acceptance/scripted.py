"""Be one OCPP station, of 1.6 by default, that says exactly what a test tells it to, over plain WebSocket frames.

Knows nothing of the `ocpp` package. Answers each call of the server with NotImplemented, unless it was given an answer.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

KEY = "scripted-station-key"
_ANSWER_S = 10.0


def inventory(station: str) -> str:
    """Return the inventory of one scripted station with one connector; the demo's operator runs it."""
    return (
        "station,version,key,connector,evse_id,operator,chargeprice_station,chargeprice_point\n"
        f"{station},1.6,{KEY},1,{evse_id(station)},demo,{station}-site,{station}-point\n"
    )


def evse_id(station: str) -> str:
    """Return the id of a scripted station's EVSE at Hubject."""
    return f"DE*ABC*E{station}"


class ScriptedStation:
    """One station; entering the context connects it."""

    def __init__(
        self,
        url: str,
        station: str,
        key: str | bytes = KEY,
        *,
        subprotocol: str = "ocpp1.6",
        answers: Mapping[str, dict[str, Any] | None] | None = None,
        source: str = "127.0.0.1",
    ) -> None:
        """`answers`: the CALLRESULT's payload by action; None: silence. `source`: the address that it comes from."""
        self._address = f"{url}/{quote(station, safe='')}"
        password = key.encode() if isinstance(key, str) else key
        self._authorization = "Basic " + base64.b64encode(station.encode() + b":" + password).decode()
        self._subprotocol = subprotocol
        self._given = answers or {}
        self._source = source
        self.received: asyncio.Queue[tuple[str, dict[str, Any]]] = asyncio.Queue()
        """The server's calls, as (action, payload)."""
        self._numbers = itertools.count(1)
        self._answers: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._connection: ClientConnection | None = None
        self._listening: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Connect."""
        self._connection = await connect(
            self._address,
            subprotocols=[Subprotocol(self._subprotocol)],
            additional_headers={"Authorization": self._authorization},
            proxy=None,
            local_addr=(self._source, 0),
        )
        self._listening = asyncio.create_task(self._listen(), name="scripted station")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Disconnect."""
        await self._open.close()
        if self._listening is not None:
            await self._listening

    async def boot(self) -> dict[str, Any]:
        """Send BootNotification and return its answer."""
        return await self.call("BootNotification", {"chargePointVendor": "scripted", "chargePointModel": "one"})

    async def report(self, status: str, connector: int = 1) -> None:
        """Send StatusNotification for the connector, and return once it was answered."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        await self.call(
            "StatusNotification",
            {"connectorId": connector, "errorCode": "NoError", "status": status, "timestamp": now},
        )

    async def call(self, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Send a CALL and return the payload of its CALLRESULT."""
        answer = await self.begin(action, payload)
        async with asyncio.timeout(_ANSWER_S):
            return await answer

    async def begin(self, action: str, payload: dict[str, Any]) -> asyncio.Future[dict[str, Any]]:
        """Send a CALL, and return what will have the payload of its CALLRESULT."""
        number = f"scripted-{next(self._numbers)}"
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        await self._open.send(json.dumps([2, number, action, payload]))
        return answer

    async def send_text(self, text: str) -> None:
        """Send a text as it is, whatever it is."""
        await self._open.send(text)

    async def closed(self, within: float) -> int | None:
        """Wait until the server closes the connection, and return the close code that it sent."""
        async with asyncio.timeout(within):
            await self._open.wait_closed()
        return self._open.close_code

    def stop_reading(self) -> None:
        """Take nothing from the network any more, answers included."""
        self._open.transport.pause_reading()

    def vanish(self) -> None:
        """Be cut off without a word."""
        self._open.transport.abort()

    @property
    def _open(self) -> ClientConnection:
        assert self._connection is not None, "enter the context first"
        return self._connection

    async def _listen(self) -> None:
        try:
            async for text in self._open:
                await self._take(json.loads(text))
        except ConnectionClosed:
            return

    async def _take(self, frame: list[Any]) -> None:
        match frame:
            case [2, number, action, payload]:
                self.received.put_nowait((action, payload))
                if action not in self._given:
                    await self._open.send(json.dumps([4, number, "NotImplemented", f"no {action} here", {}]))
                elif (answer := self._given[action]) is not None:
                    await self._open.send(json.dumps([3, number, answer]))
            case [3, number, payload]:
                self._answers.pop(number).set_result(payload)
            case [4, number, code, description, _] if number in self._answers:
                self._answers.pop(number).set_exception(AssertionError(f"CALLERROR {code}: {description}"))
            case [4, *_]:
                return  # to what was no CALL of ours
            case _:
                raise AssertionError(f"no OCPP frame: {frame}")
