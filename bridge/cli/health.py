"""Parse `ocpp-bridge health`: ask the running bridge whether it is ready, as a container's health check does.

Never opens the database, and never needs the admin token. Before it: `command`. After it: `session`.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import typer

from bridge.cli.run import ConfigOption, ExitCode, JsonOption, address_of, fail, print_document, settings_of

if TYPE_CHECKING:
    from bridge.cli.address import Address
    from bridge.settings import Settings
    from bridge.web.health_shapes import Readiness

_PATIENCE_S = 5.0


def health(context: typer.Context, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Ask the running bridge whether it is ready: exit code 0 ready, 1 not ready, 6 no bridge answers."""
    address = address_of(context, config, as_json=as_json, needs_key=False)
    settings = settings_of(config, as_json=as_json) if address is None else None
    found = asyncio.run(_readiness(address, settings))
    if isinstance(found, str):
        fail(ExitCode.UNREACHABLE, found, as_json=as_json)
    if not found.ready:
        fail(ExitCode.FAILED, f"not ready: {found.why}", as_json=as_json)
    print_document({"ready": True}) if as_json else print("ready")


async def _readiness(address: Address | None, settings: Settings | None) -> Readiness | str:
    """Return what the bridge says of itself, or why none does in time."""
    from bridge.cli.client import RestServices
    from bridge.cli.failures import Unreachable

    nobody = "no bridge answers in time"
    try:
        async with asyncio.timeout(_PATIENCE_S):
            if address is None and settings is not None:
                nobody = f"no bridge with the state folder {settings.state_dir} answers"
                address = await _running(settings)
            return nobody if address is None else await RestServices(address).ready()
    except TimeoutError:
        return nobody
    except Unreachable as error:
        return str(error)


async def _running(settings: Settings) -> Address | None:
    from bridge.cli.address import Address
    from bridge.cli.session import find_running

    running = await find_running(settings)
    return None if running is None else Address(running.url, "")
