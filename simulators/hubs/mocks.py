"""Run the mock hubs and their control interface together.

The one place where they are put together; `command` runs it as a process, tests run it in theirs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

from aiohttp import web

from simulators.hubs import chargeprice, hubject, spirii
from simulators.hubs.control import Control
from simulators.hubs.faults import FaultBook
from simulators.hubs.ledger import Ledger
from simulators.hubs.server import HubServer
from simulators.hubs.spirii_options import SpiriiOptions


@dataclass(frozen=True, slots=True)
class MockOptions:
    """Ports (0: a free one), what the hubs know, and the seed of everything random."""

    hubject_port: int = 0
    chargeprice_port: int = 0
    control_port: int = 0
    hubject: hubject.HubjectOptions = field(default_factory=hubject.HubjectOptions)
    chargeprice: chargeprice.ChargepriceOptions = field(default_factory=chargeprice.ChargepriceOptions)
    seed: int = 0
    spirii_port: int = 0
    spirii: SpiriiOptions = field(default_factory=SpiriiOptions)


class Mocks:
    """The mock hubs, listening on 127.0.0.1 between `start` and `stop`, or inside of `async with`."""

    def __init__(self, options: MockOptions) -> None:
        self._options = options
        self.hubject = HubServer(
            hubject.Hubject(options.hubject, options.seed), Ledger(hubject.RATE_LIMIT), FaultBook(options.seed)
        )
        self.chargeprice = HubServer(
            chargeprice.Chargeprice(options.chargeprice), Ledger(chargeprice.RATE_LIMIT), FaultBook(options.seed + 1)
        )
        self.spirii = HubServer(spirii.Spirii(options.spirii), Ledger(), FaultBook(options.seed + 2))
        self.control_port = 0
        self._control: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen. Raises: OSError where a port is taken; nothing listens then."""
        try:
            await self.hubject.start(self._options.hubject_port)
            await self.chargeprice.start(self._options.chargeprice_port)
            await self.spirii.start(self._options.spirii_port)
            await self._start_control()
        except OSError:
            await self.stop()
            raise

    async def _start_control(self) -> None:
        servers = {server.hub.name: server for server in (self.hubject, self.chargeprice, self.spirii)}
        addresses = {"hubject": self.hubject_url, "chargeprice": self.chargeprice_url, "spirii": self.spirii_url}
        self._control = web.AppRunner(Control(servers, addresses).application(), access_log=None, shutdown_timeout=0.2)
        await self._control.setup()
        await web.TCPSite(self._control, "127.0.0.1", self._options.control_port).start()
        self.control_port = self._control.addresses[0][1]

    async def stop(self) -> None:
        """Close every listener and connection."""
        if self._control is not None:
            await self._control.cleanup()
        await self.spirii.stop()
        await self.chargeprice.stop()
        await self.hubject.stop()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def hubject_url(self) -> str:
        """Base URL for the bridge's Hubject account."""
        return f"http://127.0.0.1:{self.hubject.port}/api/oicp"

    @property
    def chargeprice_url(self) -> str:
        """Base URL for the bridge's Chargeprice account."""
        return f"http://127.0.0.1:{self.chargeprice.port}"

    @property
    def spirii_url(self) -> str:
        """Base URL for the bridge's Spirii account."""
        return f"http://127.0.0.1:{self.spirii.port}"

    @property
    def control_url(self) -> str:
        """Where the control interface answers; hubs are below it by name."""
        return f"http://127.0.0.1:{self.control_port}/control"
