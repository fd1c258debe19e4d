"""Listen for operators' requests on one port.

Never makes the services or the token. Before it: `bridge.app`. After it: `stalled`, then `routes`.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta

from aiohttp import web

from bridge.web.access import AccessOptions
from bridge.web.overview_services import PageServices
from bridge.web.pages.public import PublicOptions
from bridge.web.repeats import Repeats
from bridge.web.routes import create_app
from bridge.web.stalled import Patience, Stalled
from bridge.web.unreadable import logger


@dataclass(frozen=True, slots=True)
class WebOptions:
    """Where to listen, and how long to wait at the end; filled from the configuration."""

    host: str = "127.0.0.1"
    port: int = 8080
    """0: any free port; `WebServer.port` tells."""
    stop_timeout: timedelta = timedelta(seconds=2)
    """How long `close` waits for requests in work."""
    patience: Patience = field(default_factory=Patience)
    public: PublicOptions = field(default_factory=PublicOptions)


class WebServer:
    """A listening server. Made by `start_web`; `close` it."""

    def __init__(self, runner: web.AppRunner, listener: asyncio.Server) -> None:
        self._runner = runner
        self._listener = listener
        self.port: int = listener.sockets[0].getsockname()[1]

    @property
    def connections(self) -> int:
        """How many clients are connected now."""
        server = self._runner.server
        return 0 if server is None else len(server.connections)

    async def close(self) -> None:
        """Stop listening, and give requests in work the stop timeout."""
        self._listener.close()
        await self._runner.cleanup()


async def start_web(
    options: WebOptions,
    services: PageServices,
    token: str,
    access: AccessOptions | None = None,
    repeats: Repeats | None = None,
) -> WebServer:
    """Listen and return; `access` None: no key counts but the token; `repeats` None: no order is remembered.

    Raises: OSError where the port is taken or the address is not this machine's.
    """
    stalled = Stalled(options.patience)
    runner = web.AppRunner(
        create_app(services, token, around=[stalled.middleware], access=access, public=options.public, repeats=repeats),
        logger=logger(),
        access_log=None,  # it prints addresses with their query
        shutdown_timeout=options.stop_timeout.total_seconds(),
        handle_signals=False,
    )
    await runner.setup()
    server = runner.server
    if server is None:
        raise AssertionError("setup has just made it")
    try:
        listener = await asyncio.get_running_loop().create_server(
            lambda: stalled.protocol(server), options.host, options.port
        )
    except BaseException:
        await runner.cleanup()
        raise
    return WebServer(runner, listener)
