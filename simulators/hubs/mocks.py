"""Run the mock hubs and their control interface together.

The one place where they are put together; `command` runs it as a process, tests run it in theirs.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from aiohttp import web

from simulators.hubs import chargeprice, hubject, spirii
from simulators.hubs.certificates import Authority, TlsOptions
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
    tls: TlsOptions | None = None
    """Hubject over TLS with client certificates; None: plain HTTP."""
    seed: int = 0
    spirii_port: int = 0
    spirii: SpiriiOptions = field(default_factory=SpiriiOptions)


class Mocks:
    """The mock hubs, listening on 127.0.0.1 between `start` and `stop`, or inside of `async with`."""

    def __init__(self, options: MockOptions) -> None:
        self._options = options
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self._ports: dict[str, int] = {}
        self.hubs: dict[str, HubServer] = {}
        """Every mock hub by its name, in the order of starting."""
        self.hubject = self._add(options.hubject_port, _hubject(options, self._authority()))
        self.chargeprice = self._add(options.chargeprice_port, _chargeprice(options))
        self.spirii = self._add(options.spirii_port, _spirii(options))
        self.control_port = 0
        self._control: web.AppRunner | None = None

    def _authority(self) -> Authority | None:
        tls = self._options.tls
        if tls is None:
            return None
        folder = tls.folder
        if folder is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="ocpp-sim-tls-")
            folder = Path(self._temporary.name)
        return Authority(folder, self._options.hubject.operator_ids, tls.refusal)

    def _add(self, port: int, server: HubServer) -> HubServer:
        self.hubs[server.hub.name] = server
        self._ports[server.hub.name] = port
        return server

    async def start(self) -> None:
        """Write certificates and listen.

        Raises: OSError where a port is taken or the folder cannot be written; nothing listens then.
        """
        try:
            if self.hubject.authority is not None:
                self.hubject.authority.write_files()
            for name, server in self.hubs.items():
                await server.start(self._ports[name])
            await self._start_control()
        except OSError:
            await self.stop()
            raise

    async def _start_control(self) -> None:
        self._control = web.AppRunner(Control(self.hubs).application(), access_log=None, shutdown_timeout=0.2)
        await self._control.setup()
        await web.TCPSite(self._control, "127.0.0.1", self._options.control_port).start()
        self.control_port = self._control.addresses[0][1]

    async def stop(self) -> None:
        """Close every listener and connection."""
        if self._control is not None:
            await self._control.cleanup()
        for server in self.hubs.values():
            await server.stop()
        if self._temporary is not None:
            self._temporary.cleanup()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def tls_dir(self) -> Path | None:
        """Where the certificates are; None over plain HTTP."""
        return None if self.hubject.authority is None else self.hubject.authority.folder

    @property
    def hubject_url(self) -> str:
        """Base URL for the bridge's Hubject account."""
        return self.hubject.url

    @property
    def chargeprice_url(self) -> str:
        """Base URL for the bridge's Chargeprice account."""
        return self.chargeprice.url

    @property
    def spirii_url(self) -> str:
        """Base URL for the bridge's Spirii account."""
        return self.spirii.url

    @property
    def control_url(self) -> str:
        """Where the control interface answers; hubs are below it by name."""
        return f"http://127.0.0.1:{self.control_port}/control"


def _hubject(options: MockOptions, authority: Authority | None) -> HubServer:
    hub = hubject.Hubject(options.hubject, options.seed, authority)
    ledger = Ledger(hubject.RATE_LIMIT, hubject.OTHER_LIMITS)
    return HubServer(hub, ledger, FaultBook(options.seed), base_path="/api/oicp", authority=authority)


def _chargeprice(options: MockOptions) -> HubServer:
    hub = chargeprice.Chargeprice(options.chargeprice)
    return HubServer(hub, Ledger(chargeprice.RATE_LIMIT), FaultBook(options.seed + 1))


def _spirii(options: MockOptions) -> HubServer:
    return HubServer(spirii.Spirii(options.spirii), Ledger(), FaultBook(options.seed + 2))
