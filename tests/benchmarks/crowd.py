"""Be ten thousand stations in one lean process: OCPP 1.6 or 2.0.1 over WebSockets written by hand.

Shares no code with the server, nor a library with it but asyncio and zlib, so that it stays far below the server's own
cost. Reads one JSON order per line on stdin, writes one JSON answer per line on stdout: connect, report, hold, cut,
storm, last, seen, exit. Before it: the rows of the benchmark, by `cohort`.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import ssl
import sys
import time
import zlib
from base64 import b64encode
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

_TEXT, _PING, _CLOSE = 0x1, 0x9, 0x8
_DEFLATED = 0x40
_FLUSHED = b"\x00\x00\xff\xff"
_NO_MASK = b"\x00\x00\x00\x00"
"""A mask of zeros is a mask (RFC 6455 §5.3), and costs this process nothing."""


@dataclass(frozen=True)
class Manner:
    """How the stations of one run connect and speak."""

    host: str
    port: int
    key: str
    version: str = "ocpp1.6"
    deflate: bool = False
    tls: ssl.SSLContext | None = None
    site: int = 0
    """Stations that share an address, each site with one of its own in 127.1.0.0/16; 0: all come from 127.0.0.1."""


class Station(asyncio.Protocol):
    """One station: its socket, what it last said, and what it was answered."""

    def __init__(self, identity: str, manner: Manner) -> None:
        self.identity = identity
        self.manner = manner
        self.transport: asyncio.Transport | None = None
        self.connected: asyncio.Future[bool] | None = None
        self.pending: asyncio.Future[Any] | None = None
        self.last = ""
        """The status that was answered last."""
        self.asked = 0
        """Questions of the server's."""
        self._buffer = bytearray()
        self._open = False
        self._inflate: Any = None
        self._deflate: Any = None
        self._id = 0

    async def open(self) -> bool:
        """Connect; False where the server refused or hung up."""
        loop, manner = asyncio.get_running_loop(), self.manner
        self.connected, self._open = loop.create_future(), False
        self._buffer.clear()
        site = int(self.identity.rpartition("-")[2]) // manner.site if manner.site else 0
        address = (f"127.1.{site // 250}.{site % 250 + 1}", 0) if manner.site else None
        try:
            await loop.create_connection(lambda: self, manner.host, manner.port, ssl=manner.tls, local_addr=address)
        except OSError:
            return False
        return await self.connected

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the upgrade."""
        if not isinstance(transport, asyncio.Transport):
            raise AssertionError("TCP makes no other transports")
        self.transport = transport
        login = b64encode(f"{self.identity}:{self.manner.key}".encode()).decode()
        lines = [
            f"GET /{self.identity} HTTP/1.1",
            f"Host: {self.manner.host}:{self.manner.port}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Key: {b64encode(os.urandom(16)).decode()}",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Protocol: {self.manner.version}",
            f"Authorization: Basic {login}",
        ]
        if self.manner.deflate:
            lines.append("Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits")
        transport.write("\r\n".join([*lines, "", ""]).encode())

    def data_received(self, data: bytes) -> None:
        """Take the answer to the upgrade, then frames."""
        self._buffer += data
        if not self._open and not self._take_head():
            return
        while self._take_frame():
            pass

    def connection_lost(self, _exc: Exception | None) -> None:
        """Tell whoever waits."""
        self._open, self.transport = False, None
        if self.connected is not None and not self.connected.done():
            self.connected.set_result(False)
        if self.pending is not None and not self.pending.done():
            self.pending.set_exception(ConnectionResetError(self.identity))

    def cut(self) -> None:
        """Be gone without a word, as when the network breaks."""
        if self.transport is not None:
            self.transport.abort()

    async def call(self, action: str, payload: str) -> Any:
        """Send one CALL and return the payload of its answer. Raises: ConnectionResetError, RuntimeError."""
        self._id += 1
        self.pending = asyncio.get_running_loop().create_future()
        self._send(f'[2,"{self._id}","{action}",{payload}]'.encode())
        answer = await self.pending
        if answer[:2] != [3, str(self._id)]:
            raise RuntimeError(f"{self.identity} was answered {answer!r}")
        return answer[2]

    async def boot(self) -> None:
        """Send a BootNotification."""
        if self.manner.version == "ocpp1.6":
            await self.call("BootNotification", '{"chargePointVendor":"bench","chargePointModel":"crowd"}')
        else:
            unit = '{"reason":"PowerUp","chargingStation":{"vendorName":"bench","model":"crowd"}}'
            await self.call("BootNotification", unit)

    async def report(self, status: str) -> None:
        """Send the status of the one connector."""
        if self.manner.version == "ocpp1.6":
            said = f'"connectorId":1,"errorCode":"NoError","status":"{status}","timestamp":"2026-11-20T12:00:00Z"'
        else:
            said = f'"evseId":1,"connectorId":1,"connectorStatus":"{status}","timestamp":"2026-11-20T12:00:00Z"'
        await self.call("StatusNotification", "{" + said + "}")
        self.last = status

    def _take_head(self) -> bool:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return False
        head = bytes(self._buffer[:end]).decode("latin-1")
        del self._buffer[: end + 4]
        self._open = head.startswith("HTTP/1.1 101")
        if "permessage-deflate" in head:
            self._inflate, self._deflate = zlib.decompressobj(-15), zlib.compressobj(wbits=-9, memLevel=4)
        if self.connected is not None and not self.connected.done():
            self.connected.set_result(self._open)
        if not self._open and self.transport is not None:
            self.transport.abort()
        return self._open

    def _take_frame(self) -> bool:
        buffer = self._buffer
        if len(buffer) < 2:
            return False
        length, start = buffer[1] & 0x7F, 2
        if length == 126:
            if len(buffer) < 4:
                return False
            length, start = int.from_bytes(buffer[2:4], "big"), 4
        if len(buffer) < start + length:
            return False
        first, payload = buffer[0], bytes(buffer[start : start + length])
        del buffer[: start + length]
        match first & 0x0F:
            case 0x1:
                self._take_text(payload, deflated=bool(first & _DEFLATED))
            case 0x9:
                self._write(0x8A, payload)
            case 0x8:
                self.cut()
        return True

    def _take_text(self, payload: bytes, *, deflated: bool) -> None:
        if deflated:
            payload = self._inflate.decompress(payload + _FLUSHED)
        message = json.loads(payload)
        if message[0] == 2:
            self.asked += 1
            self._send(json.dumps([3, message[1], {"status": "Rejected"}]).encode())
        elif self.pending is not None and not self.pending.done():
            self.pending.set_result(message)

    def _send(self, text: bytes) -> None:
        if self._deflate is None:
            self._write(0x81, text)
            return
        packed = self._deflate.compress(text) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
        self._write(0x81 | _DEFLATED, packed[: -len(_FLUSHED)])

    def _write(self, first: int, payload: bytes) -> None:
        if self.transport is None:
            raise ConnectionResetError(self.identity)
        size = len(payload)
        head = bytes([first, 0x80 | size]) if size < 126 else bytes([first, 0xFE]) + size.to_bytes(2, "big")
        self.transport.write(head + _NO_MASK + payload)


@dataclass
class Crowd:
    """The stations of this process."""

    stations: list[Station] = field(default_factory=list)
    failures: int = 0
    """Attempts to connect that the server refused or cut."""

    async def connect(self, manner: Manner, count: int, at_once: int) -> dict[str, Any]:
        """Connect `count` more stations, `at_once` at a time."""
        first = len(self.stations)
        fresh = [Station(f"bench-{number:05d}", manner) for number in range(first, first + count)]
        self.stations += fresh
        started = time.perf_counter()
        await _each(fresh, self._arrive, at_once)
        return {"seconds": time.perf_counter() - started, "failures": self.failures}

    async def report(self, status: str, at_once: int, *, boot: bool) -> dict[str, Any]:
        """Let every station report once, and return how long it took and how long each answer took."""
        times: list[float] = []

        async def one(station: Station) -> None:
            if boot:
                await station.boot()
            began = time.perf_counter()
            await station.report(status)
            times.append(time.perf_counter() - began)

        started = time.perf_counter()
        await _each(self.stations, one, at_once)
        return {"seconds": time.perf_counter() - started, **_spread(times)}

    async def hold(self, seconds: float, heartbeat_s: float) -> dict[str, Any]:
        """Keep every station connected, each with its heartbeat at its own moment."""
        beats = 0
        ends = time.perf_counter() + seconds
        chooser = random.Random(7)
        due = sorted((chooser.random() * heartbeat_s, n) for n in range(len(self.stations)))
        began = time.perf_counter()
        for offset, number in due:
            moment = began + offset
            if moment > ends:
                break
            await asyncio.sleep(max(0.0, moment - time.perf_counter()))
            await self.stations[number].call("Heartbeat", "{}")
            beats += 1
        await asyncio.sleep(max(0.0, ends - time.perf_counter()))
        return {"heartbeats": beats, "seconds": time.perf_counter() - began}

    async def storm(self, statuses: bool, retry_s: float) -> dict[str, Any]:
        """Cut every station at once, let all return at once, boot, and say again what each said last.

        A station that is refused tries again after `retry_s`, up to a quarter more. Times count from the cut.
        """
        self.failures, done = 0, []
        chooser = random.Random(11)
        for station in self.stations:
            station.cut()
        started = time.perf_counter()

        async def come_back(station: Station) -> None:
            while not await station.open():
                self.failures += 1
                await asyncio.sleep(retry_s * (1 + 0.25 * chooser.random()))
            await station.boot()
            if statuses:
                await station.report(station.last)
            done.append(time.perf_counter() - started)

        await asyncio.gather(*(come_back(station) for station in self.stations))
        return {"refused": self.failures, "seconds": max(done), **_spread(done)}

    async def _arrive(self, station: Station) -> None:
        while not await station.open():
            self.failures += 1
            await asyncio.sleep(0.5)


def _spread(times: Iterable[float]) -> dict[str, float]:
    ordered = sorted(times)
    return {"p50_ms": 1000 * ordered[len(ordered) // 2], "p99_ms": 1000 * ordered[len(ordered) * 99 // 100]}


async def _each(stations: list[Station], act: Callable[[Station], Awaitable[None]], at_once: int) -> None:
    """Do it for every station, `at_once` at a time."""
    waiting = iter(stations)

    async def work() -> None:
        for station in waiting:
            await act(station)

    await asyncio.gather(*(work() for _ in range(at_once)))


def _manner(order: dict[str, Any]) -> Manner:
    tls = None
    if order.get("tls"):
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
    return Manner(order["host"], order["port"], order["key"], order["version"], order["deflate"], tls, order["site"])


async def main() -> None:
    """Carry out orders until there are no more."""
    loop, crowd = asyncio.get_running_loop(), Crowd()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        order = json.loads(line)
        answer: Any
        before = time.process_time()
        match order["do"]:
            case "connect":
                answer = await crowd.connect(_manner(order), order["count"], order["at_once"])
            case "report":
                answer = await crowd.report(order["status"], order["at_once"], boot=order["boot"])
            case "hold":
                answer = await crowd.hold(order["seconds"], order["heartbeat_s"])
            case "storm":
                answer = await crowd.storm(order["statuses"], order["retry_s"])
            case "cut":
                answer = {}
                for station in crowd.stations:
                    station.cut()
            case "last":
                answer = {station.identity: station.last for station in crowd.stations if station.last}
            case "seen":
                answer = {
                    "asked": sum(station.asked for station in crowd.stations),
                    "open": sum(station.transport is not None for station in crowd.stations),
                }
            case other:
                raise AssertionError(other)
        if order["do"] != "last":
            answer["cpu_s"] = time.process_time() - before
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
