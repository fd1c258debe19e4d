"""Listen for operators' requests on one port.

Never makes the services or the token. Before it: `bridge.app`. After it: `routes`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from aiohttp import web

from bridge.web.routes import create_app
from bridge.web.services import WebServices


@dataclass(frozen=True, slots=True)
class WebOptions:
    """Where to listen, and how long to wait at the end; filled from the configuration."""

    host: str = "127.0.0.1"
    port: int = 8080
    """0: any free port; `WebServer.port` tells."""
    stop_timeout: timedelta = timedelta(seconds=2)
    """How long `close` waits for requests in work."""


class WebServer:
    """A listening server. Made by `start_web`; `close` it."""

    def __init__(self, runner: web.AppRunner, port: int) -> None:
        self._runner = runner
        self.port = port

    async def close(self) -> None:
        """Stop listening, and give requests in work the stop timeout."""
        await self._runner.cleanup()


async def start_web(options: WebOptions, services: WebServices, token: str) -> WebServer:
    """Listen and return. Raises: OSError where the port is taken or the address is not this machine's."""
    runner = web.AppRunner(
        create_app(services, token),
        access_log=None,  # it prints addresses with their query
        shutdown_timeout=options.stop_timeout.total_seconds(),
        handle_signals=False,
    )
    await runner.setup()
    try:
        site = web.TCPSite(runner, options.host, options.port)
        await site.start()
    except BaseException:
        await runner.cleanup()
        raise
    port = runner.addresses[0][1]
    return WebServer(runner, port)
