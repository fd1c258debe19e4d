"""Find the bridge for a command: the running one by its REST interface, or its store where it is stopped.

Never writes to a store that a running bridge owns: the store's own lock tells. Before it: `run`. After it:
`client`, or the services that `bridge.app` makes over the store.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridge.cli.failures import StoreUnusable, Unreachable
from bridge.settings import Settings
from bridge.web.ports_file import read_ports
from bridge.web.services import WebServices
from bridge.web.token import TokenUnusable, read_token

if TYPE_CHECKING:
    from bridge.cli.client import RestServices

Stopped = Callable[[Settings], AbstractAsyncContextManager[WebServices]]
"""Opens the store of a stopped bridge. Raises: StoreError."""


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

    return RestServices(running.url, _token(settings))


@asynccontextmanager
async def services_of(settings: Settings, stopped: Callable[[], Stopped]) -> AsyncIterator[WebServices]:
    """Give the services of the bridge, running or stopped. Raises: Unreachable, StoreUnusable."""
    running = await running_services(settings)
    if running is not None:
        yield running
        return
    from bridge.store.errors import (  # with it comes the database's library: only this way needs it
        StoreError,
        StoreInUse,
    )

    try:
        async with stopped()(settings) as services:
            yield services
    except StoreInUse as error:
        raise Unreachable(f"no bridge answers, yet {error}") from error
    except StoreError as error:
        raise StoreUnusable(str(error)) from error


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
