"""Play one wire fixture against a running central system.

A step is a table with one verb, and what belongs to it:

    connect     true, or the lines of a request of its own; `offer`, `path`, `headers`, `pongs`; what must come back:
                `status` (101), `protocol`, `no_protocol`, `extensions`
    send        text of one message, or `hex`; `binary`, `rsv1`, `repeat` ({many} is so many x); then `exact`, `like` or
                `matches`, the answer, if any
    corpus      line of tests/corpus/field-frames.jsonl to send, from 0; then as after `send`
    asked       the CALL that must come next; then `answer` (a payload), `error` (a code) or `raw` (text), if any
    order       what an operator orders of the station, [action, payload]; `force`; `outcome`, where nothing is sent
    ordered     the outcome of the last order
    quiet       true: nothing came before the answer to a Heartbeat
    pinged      so many pings must come in all
    unpinged    true: none has come so far
    closed      the close code that must come
    vanish      true: the connection is cut without a word
    recorded    wait for so many events
    idle_ms     so long nothing happens, 50 at most: time for what must not come
    stop        true: the central system stops
    pass_s      seconds that go by: for pings (host csms), for everything but sockets (host bridge)
    effective   what each EVSE is then (host bridge)

`on` names the connection, "a" unless said. In texts `{id}` is the id of our last CALL, `{now}` the time.
`like` takes more fields than it names, and "*" for anything.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from csms.events import (
    ResyncEnded,
    ResyncFinished,
    StationBooted,
    StationDisconnected,
    StatusReported,
    TransactionIdNeeded,
)
from tests.hardware.fixtures import Fixture
from tests.hardware.wire import BINARY, PATIENCE_S, TEXT, Wire

KEY = b"0123456789abcdef"
CORPUS = [
    json.loads(line)["raw"]
    for line in (Path(__file__).parents[1] / "corpus" / "field-frames.jsonl").read_text().splitlines()
]


class Site(Protocol):
    """What a fixture is played against."""

    port: int

    @property
    def counts(self) -> dict[str, int]:
        """What was counted."""
        ...

    @property
    def events(self) -> list[Any]:
        """What was recorded."""
        ...

    async def until(self, events: int) -> None:
        """Wait for so many events that `told` has a word for."""
        ...

    async def stop(self) -> None:
        """Stop the central system."""
        ...

    async def pass_(self, seconds: float) -> None:
        """Let time go by."""
        ...

    async def effective(self) -> dict[str, str]:
        """Return what each EVSE is."""
        ...

    async def order(self, action: str, payload: dict[str, Any], *, force: bool) -> str:
        """Order a CALL to CP1 and return its outcome."""
        ...


def told(event: Any) -> str | None:
    """Return an event as a fixture writes it; None for those that no fixture is about."""
    match event:
        case StatusReported():
            code = f" error={event.error_code}" if event.error_code else ""
            return f"{event.evse}/{event.connector} {event.status.value}{code}"
        case StationBooted():
            return f"boot {event.vendor}/{event.model}/{event.firmware}"
        case TransactionIdNeeded():
            return f"transaction {event.connector}"
        case ResyncEnded():
            return f"{event.evse}/{event.connector} {event.outcome.value}"
        case StationDisconnected():
            return "away"
        case ResyncFinished():
            return "finished"
        case _:
            return None


def like(expected: Any, actual: Any) -> bool:
    """Tell whether what came is what was expected, and perhaps more."""
    if expected == "*":
        return True
    if isinstance(expected, dict):
        return isinstance(actual, dict) and all(
            name in actual and like(value, actual[name]) for name, value in expected.items()
        )
    if isinstance(expected, list):
        return isinstance(actual, list) and len(actual) == len(expected) and all(map(like, expected, actual))
    return bool(expected == actual)


class Play:
    """One fixture on its way."""

    def __init__(self, fixture: Fixture, site: Site) -> None:
        self._fixture = fixture
        self._site = site
        self._wires: dict[str, Wire] = {}
        self._last_id = ""
        self._beats = 0
        self._orders: list[asyncio.Task[str]] = []

    async def run(self) -> None:
        """Do every step, and then look at what was recorded, counted and sent."""
        try:
            for number, step in enumerate(self._fixture.step, start=1):
                try:
                    await self._step(step)
                except Exception as error:
                    raise AssertionError(f"step {number}, {step}: {error!r}") from error
            self._conclude()
        finally:
            for order in self._orders:
                order.cancel()
            for wire in self._wires.values():
                wire.vanish()

    def _conclude(self) -> None:
        fixture = self._fixture
        if fixture.events is not None:
            recorded = [word for event in self._site.events if (word := told(event)) is not None]
            assert recorded == fixture.events
        missing = {what: count for what, count in fixture.counts.items() if self._site.counts.get(what, 0) < count}
        assert not missing, f"counted {self._site.counts}, and not {missing}"
        sent = {action for wire in self._wires.values() for action, _ in wire.called}
        assert not sent & set(fixture.never)

    async def _step(self, step: dict[str, Any]) -> None:
        verbs: dict[str, Callable[[dict[str, Any]], Any]] = {
            "connect": self._connect,
            "send": self._send,
            "hex": self._send,
            "corpus": self._send,
            "asked": self._asked,
            "order": self._order,
            "ordered": self._ordered,
            "quiet": self._quiet,
            "pinged": lambda step: self._wire(step).pinged(step["pinged"]),
            "unpinged": self._unpinged,
            "closed": self._closed,
            "vanish": self._vanish,
            "recorded": lambda step: self._site.until(step["recorded"]),
            "idle_ms": lambda step: asyncio.sleep(min(step["idle_ms"], 50) / 1000),
            "stop": lambda _: self._site.stop(),
            "pass_s": lambda step: self._site.pass_(step["pass_s"]),
            "effective": self._effective,
        }
        (verb,) = (name for name in verbs if name in step)
        await verbs[verb](step)

    def _wire(self, step: dict[str, Any]) -> Wire:
        return self._wires[step.get("on", "a")]

    def _text(self, text: str) -> str:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return text.replace("{id}", self._last_id).replace("{now}", now)

    async def _connect(self, step: dict[str, Any]) -> None:
        wire = await Wire.open(self._site.port, _request(step), pongs=step.get("pongs", True))
        self._wires[step.get("on", "a")] = wire
        assert wire.status == step.get("status", 101), f"answered {wire.status} {wire.headers}"
        if "protocol" in step:
            assert wire.headers.get("sec-websocket-protocol") == [step["protocol"]]
        if "extensions" in step:
            assert ("sec-websocket-extensions" in wire.headers) is step["extensions"]
        if "no_protocol" in step:
            assert "sec-websocket-protocol" not in wire.headers

    async def _send(self, step: dict[str, Any]) -> None:
        wire = self._wire(step)
        if "hex" in step:
            payload = bytes.fromhex(step["hex"])
        else:
            payload = self._text(CORPUS[step["corpus"]] if "corpus" in step else step["send"]).encode()
        if "repeat" in step:
            payload = payload.replace(b"{many}", b"x" * step["repeat"])
        wire.send(payload, BINARY if step.get("binary") else TEXT, rsv1=step.get("rsv1", False))
        if "exact" in step:
            assert await wire.text() == step["exact"]
        elif "like" in step:
            came = json.loads(await wire.text())
            assert like(step["like"], came), f"answered {came}"
        elif "matches" in step:
            came_text = await wire.text()
            assert re.fullmatch(step["matches"], came_text), f"answered {came_text}"

    async def _asked(self, step: dict[str, Any]) -> None:
        wire = self._wire(step)
        kind, self._last_id, action, payload = json.loads(await wire.text())
        name, expected = step["asked"]
        assert (kind, action) == (2, name)
        assert payload == expected
        if "answer" in step:
            wire.send(json.dumps([3, self._last_id, step["answer"]]).encode())
        elif "error" in step:
            wire.send(json.dumps([4, self._last_id, step["error"], "", {}]).encode())
        elif "raw" in step:
            wire.send(self._text(step["raw"]).encode())

    async def _order(self, step: dict[str, Any]) -> None:
        action, payload = step["order"]
        order = asyncio.create_task(self._site.order(action, payload, force=step.get("force", False)))
        self._orders.append(order)
        if "outcome" in step:
            assert await order == step["outcome"]

    async def _ordered(self, step: dict[str, Any]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            assert await self._orders[-1] == step["ordered"]

    async def _quiet(self, step: dict[str, Any]) -> None:
        self._beats += 1
        wire = self._wire(step)
        wire.send(json.dumps([2, f"beat{self._beats}", "Heartbeat", {}]).encode())
        came = json.loads(await wire.text())
        assert came[:2] == [3, f"beat{self._beats}"], f"before the heartbeat's answer came {came}"

    async def _closed(self, step: dict[str, Any]) -> None:
        assert await self._wire(step).closed() == step["closed"]

    async def _unpinged(self, step: dict[str, Any]) -> None:
        assert self._wire(step).pings == 0

    async def _vanish(self, step: dict[str, Any]) -> None:
        self._wire(step).vanish()

    async def _effective(self, step: dict[str, Any]) -> None:
        found = await self._site.effective()
        assert {name: found.get(name) for name in step["effective"]} == step["effective"]


def _request(step: dict[str, Any]) -> bytes:
    """Return a station's request: well formed but for what the step says."""
    authorization = "Basic " + base64.b64encode(b"CP1:" + KEY).decode()
    if isinstance(step["connect"], list):
        lines = [line.replace("{authorization}", authorization) for line in step["connect"]]
    else:
        lines = [
            f"GET {step.get('path', '/ocpp/CP1')} HTTP/1.1",
            "Host: 127.0.0.1",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            f"Authorization: {step.get('authorization', authorization)}",
            *(f"Sec-WebSocket-Protocol: {offer}" for offer in [step.get("offer", "ocpp1.6")] if offer),
            *step.get("headers", []),
        ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
