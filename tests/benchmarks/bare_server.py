"""Serve stations with the `ocpp` package alone and a handler that does nothing: the baseline of the benchmark.

`python -m tests.benchmarks.bare_server PORT_FILE [--inline]`: with --inline, schema validation does not go through the
package's thread pool.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import ocpp.messages
from ocpp.routing import on
from ocpp.v16 import ChargePoint, call_result
from ocpp.v16.enums import Action
from websockets.asyncio.server import ServerConnection, serve

logging.disable(logging.INFO)  # the package logs every frame at INFO


class Station(ChargePoint):
    """Answers StatusNotification with nothing behind it."""

    @on(Action.status_notification)
    def on_status(self, **_: object) -> call_result.StatusNotification:
        return call_result.StatusNotification()


async def _serve(announce: Callable[[int], object]) -> None:
    async def on_connect(connection: ServerConnection) -> None:
        await Station(connection.request.path.rpartition("/")[2], connection).start()

    stop = asyncio.get_running_loop().create_future()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, lambda: stop.done() or stop.set_result(None))
    async with serve(
        on_connect, "127.0.0.1", 0, subprotocols=["ocpp1.6"], compression=None, ping_interval=None
    ) as server:
        announce(next(iter(server.sockets)).getsockname()[1])
        await stop


if __name__ == "__main__":
    if "--inline" in sys.argv:
        ocpp.messages.ASYNC_VALIDATION = False
    asyncio.run(_serve(lambda port: Path(sys.argv[1]).write_text(str(port))))
