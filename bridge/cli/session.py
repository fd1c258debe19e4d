"""Find the bridge for a command: the running one by its REST interface, or its store where it is stopped.

Never writes to a store that a running bridge owns: the store's own lock tells. Before it: `run`. After it:
`client`, or the services that `bridge.app` makes over the store.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from bridge.cli.address import Address
from bridge.cli.failures import StoreUnusable, Unreachable
from bridge.settings import Settings
from bridge.web.ports_file import read_ports
from bridge.web.services import WebServices
from bridge.web.token import TokenUnusable, read_token

if TYPE_CHECKING:
    from bridge.cli.client import RestServices

Stopped = Callable[[Settings], AbstractAsyncContextManager[WebServices]]
"""Opens the store of a stopped bridge. Raises: StoreError."""
_LOOK_EVERY_S = 0.05


@dataclass(frozen=True, slots=True)
class Running:
    """A bridge that answers."""

    url: str
    pid: int


async def find_running(settings: Settings) -> Running | None:
    """Return the bridge of this state folder where one answers."""
    ports = read_ports(settings.state_dir)
    if ports is None:
        return None
    from bridge.cli.client import answers  # an HTTP client takes its time to import, and only this way needs it

    if not await answers(ports.web_url):
        return None
    return Running(ports.web_url, ports.pid)


async def running_services(settings: Settings) -> RestServices | None:
    """Return the services of the bridge that runs; None where it is stopped. Raises: Unreachable."""
    running = await find_running(settings)
    if running is None:
        return None
    from bridge.cli.client import RestServices

    return RestServices(Address(running.url, _token(settings)))


def services_at(address: Address) -> RestServices:
    """Return the services of a bridge that was named by its address."""
    from bridge.cli.client import RestServices

    return RestServices(address)


@asynccontextmanager
async def services_of(
    settings: Settings, stopped: Callable[[], Stopped], patience: timedelta
) -> AsyncIterator[WebServices]:
    """Give the services of the bridge, running or stopped; one that starts or ends just now is waited for.

    Raises: Unreachable, StoreUnusable.
    """
    running = await running_services(settings)
    if running is not None:
        yield running
        return
    from bridge.store.errors import StoreError  # with it comes the database's library: only this way needs it

    try:
        async with AsyncExitStack() as stack:
            yield await _either(settings, stopped, patience, stack)
    except StoreError as error:
        raise StoreUnusable(str(error)) from error


async def _either(
    settings: Settings, stopped: Callable[[], Stopped], patience: timedelta, stack: AsyncExitStack
) -> WebServices:
    """Return the store's services, or a bridge's: it has its store before it says where it listens, and a while after.

    Raises: Unreachable where neither comes, StoreError.
    """
    from bridge.store.errors import StoreInUse

    ends = time.monotonic() + patience.total_seconds()
    while True:
        try:
            return await stack.enter_async_context(stopped()(settings))
        except StoreInUse as error:
            if time.monotonic() >= ends:
                raise Unreachable(f"no bridge answers, yet {error}") from error
        await asyncio.sleep(_LOOK_EVERY_S)
        if (running := await running_services(settings)) is not None:
            return running


def _token(settings: Settings) -> str:
    try:
        token = read_token(settings.state_dir)
    except (OSError, TokenUnusable) as error:
        raise Unreachable(f"the admin token cannot be read: {error}") from error
    if token is None:
        raise Unreachable(
            f"a bridge answers, but {settings.state_dir}/admin-token is missing: is this its state folder?"
        )
    return token
