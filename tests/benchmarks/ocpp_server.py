"""Serve stations with the `ocpp` package alone and a handler that does nothing: the baseline that the goals name.

`python -m tests.benchmarks.ocpp_server [--inline] PORT_FILE`: with --inline, schema validation does not go through the
package's thread pool.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import ocpp.messages
from ocpp.routing import on
from ocpp.v16 import ChargePoint, call_result
from ocpp.v16.enums import Action
from websockets.asyncio.server import ServerConnection

from tests.benchmarks.serving import serve_until_ended

logging.disable(logging.INFO)  # the package logs every frame at INFO


class Station(ChargePoint):
    """Answers StatusNotification with nothing behind it."""

    @on(Action.status_notification)
    def on_status(self, **_: object) -> call_result.StatusNotification:
        return call_result.StatusNotification()


async def on_connect(connection: ServerConnection) -> None:
    """Let the package serve a connection."""
    await Station(connection.request.path.rpartition("/")[2], connection).start()


if __name__ == "__main__":
    if "--inline" in sys.argv:
        ocpp.messages.ASYNC_VALIDATION = False
    serve_until_ended(on_connect, Path(sys.argv[-1]))
