"""Load one server with OCPP 1.6 StatusNotifications, in a process of its own, and say what was answered.

Each station has one message in flight, as OCPP asks, and sends the next as soon as the answer is there. Each message
changes its EVSE's effective status and the word of every hub. Reads one JSON order per line on stdin, writes one JSON
answer per line on stdout: connect, run, last.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from base64 import b64encode
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

CYCLE = ("Charging", "Faulted", "Reserved", "Unavailable")
"""Occupied, OutOfService, Reserved, OutOfService at Hubject: each differs from the one before."""


@dataclass
class Station:
    """One simulated station and what it was answered."""

    identity: str
    socket: ClientConnection
    sent: int = 0
    answered: int = 0
    last: str = ""
    times: list[float] = field(default_factory=list)

    async def report(self) -> None:
        """Send the next status and wait for its answer."""
        status = CYCLE[self.sent % len(CYCLE)]
        self.sent += 1
        started = time.perf_counter()
        await self.socket.send(
            f'[2,"{self.sent}","StatusNotification",{{"connectorId":1,"errorCode":"NoError","status":"{status}",'
            f'"timestamp":"2026-11-20T12:00:00Z"}}]'
        )
        answer = json.loads(await self.socket.recv())
        while answer[0] == 2:  # the server asks for missing statuses; this station reports by itself
            await self.socket.send(json.dumps([3, answer[1], {"status": "Rejected"}]))
            answer = json.loads(await self.socket.recv())
        if answer[:2] != [3, str(self.sent)]:
            raise RuntimeError(f"{self.identity} was answered {answer!r}")
        self.times.append(time.perf_counter() - started)
        self.answered += 1
        self.last = status


async def open_stations(url: str, first: int, count: int, key: str) -> list[Station]:
    """Connect `count` stations, 50 at a time."""
    stations: list[Station] = []
    for start in range(first, first + count, 50):
        names = [f"bench-{number:05d}" for number in range(start, min(start + 50, first + count))]
        sockets = await asyncio.gather(*(_open(url, name, key) for name in names))
        stations += [Station(name, socket) for name, socket in zip(names, sockets, strict=True)]
    return stations


async def _open(url: str, name: str, key: str) -> ClientConnection:
    login = b64encode(f"{name}:{key}".encode()).decode()
    return await connect(
        f"{url}/{name}",
        subprotocols=["ocpp1.6"],
        compression=None,
        ping_interval=None,
        additional_headers={"Authorization": f"Basic {login}"},
        open_timeout=30,
    )


async def run(stations: list[Station], seconds: float) -> dict[str, Any]:
    """Let every station report as fast as it is answered."""
    for station in stations:
        station.times.clear()
    before = sum(station.answered for station in stations)
    ends = time.perf_counter() + seconds
    started = time.perf_counter()

    async def drive(station: Station) -> None:
        while time.perf_counter() < ends:
            await station.report()

    await asyncio.gather(*(drive(station) for station in stations))
    took = time.perf_counter() - started
    times = sorted(each for station in stations for each in station.times)
    return {
        "answered": sum(station.answered for station in stations) - before,
        "seconds": took,
        "p50_ms": 1000 * times[len(times) // 2],
        "p99_ms": 1000 * times[len(times) * 99 // 100],
    }


async def main() -> None:
    """Carry out orders until there are no more."""
    loop = asyncio.get_running_loop()
    stations: list[Station] = []
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        order = json.loads(line)
        match order["do"]:
            case "connect":
                stations += await open_stations(order["url"], len(stations), order["count"], order["key"])
                answer: dict[str, Any] = {"stations": len(stations)}
            case "run":
                answer = await run(stations[: order["stations"]], order["seconds"])
            case "last":
                answer = {station.identity: station.last for station in stations if station.answered}
            case other:
                raise AssertionError(other)
        print(json.dumps(answer), flush=True)
    await asyncio.gather(*(station.socket.close() for station in stations))


if __name__ == "__main__":
    asyncio.run(main())
