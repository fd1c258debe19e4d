"""Carry out orders with the stations of one process: one line of JSON each on stdin, one answer each on stdout.

`python -m simulators.load.worker`. The first order is `prepare`; a line with `progress` comes every second besides.
Ends with its stdin. Before it: `crew`, or a benchmark. After it: `crowd`.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from simulators.load.crowd import Crowd
from simulators.load.options import LoadOptions, Member
from simulators.load.strain import Watch

_LINE_LIMIT = 2**27


class Worker:
    """One process of a load."""

    def __init__(self, tasks: asyncio.TaskGroup) -> None:
        self._tasks = tasks
        self._crowd: Crowd | None = None

    @property
    def crowd(self) -> Crowd:
        """The stations. Raises: AssertionError before `prepare`."""
        if self._crowd is None:
            raise AssertionError("the first order is prepare")
        return self._crowd

    async def obey(self, order: dict[str, Any]) -> dict[str, Any]:
        """Carry out one order, and return what came of it."""
        match order["do"]:
            case "prepare":
                members = [Member(*one) for one in order["stations"]]
                self._crowd = Crowd(LoadOptions(**order["options"]), members, self._tasks)
                return {"stations": len(members)}
            case "last":
                return {"last": self.crowd.last()}
            case "connect" | "run" | "storm" | "hold" as name:
                return await self._counted(name, order)
            case other:
                raise AssertionError(f"{other} is none of prepare, connect, run, storm, hold, last, stop")

    async def _counted(self, name: str, order: dict[str, Any]) -> dict[str, Any]:
        crowd = self.crowd
        crowd.begin()
        began, settled = time.perf_counter(), 0
        async with _watched() as watch:
            match name:
                case "connect":
                    await crowd.connect(order["count"])
                case "run":
                    await crowd.run(order["profile"], order["rate"], order["seconds"], order["stations"])
                case "storm":
                    settled = await crowd.storm(order["seconds"])
                case _:
                    await crowd.hold(order["seconds"])
        found = {
            "seconds": time.perf_counter() - began,
            "connected": crowd.connected,
            "settled": settled,
            "tally": crowd.tally.document(),
            "strain": watch.found().document(),
            "trace": crowd.trace,
        }
        crowd.taken()
        return found

    def stop(self) -> None:
        """End the order that is carried out."""
        if self._crowd is not None:
            self._crowd.stop()

    def progress(self) -> dict[str, Any]:
        """Return how far it is."""
        if self._crowd is None:
            return {}
        tally = self._crowd.tally
        return {"connected": self._crowd.connected, "sent": tally.sent, "answered": tally.answered}

    async def close(self) -> None:
        """End every connection."""
        if self._crowd is not None:
            await self._crowd.close()


@asynccontextmanager
async def _watched() -> AsyncIterator[Watch]:
    watch = Watch()
    watching = asyncio.create_task(watch.watching(), name="strain")
    try:
        yield watch
    finally:
        watching.cancel()


async def _main() -> None:
    orders = asyncio.StreamReader(limit=_LINE_LIMIT)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    async with asyncio.TaskGroup() as tasks:
        worker = Worker(tasks)
        showing = tasks.create_task(_show(worker), name="progress")
        at_work: asyncio.Task[None] | None = None
        while line := await orders.readline():
            order = json.loads(line)
            if order["do"] == "stop":
                worker.stop()
                continue
            if at_work is not None:
                await at_work
            at_work = tasks.create_task(_carry_out(worker, order), name=f"order {order['do']}")
        worker.stop()
        if at_work is not None:
            await at_work
        showing.cancel()
        await worker.close()


async def _carry_out(worker: Worker, order: dict[str, Any]) -> None:
    _print({"done": order["do"], **await worker.obey(order)})


async def _show(worker: Worker) -> None:
    while True:
        await asyncio.sleep(1)
        _print({"progress": worker.progress()})


def _print(document: dict[str, Any]) -> None:
    print(json.dumps(document), flush=True)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the crew's, which orders the end
    asyncio.run(_main())
