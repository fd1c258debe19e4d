"""Parse `ocpp-bridge health`: ask the running bridge whether it is ready, as a container's health check does.

Never opens the database, and never needs the admin token. Before it: `command`. After it: `session`.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bridge.cli.run import ConfigOption, ExitCode, JsonOption, fail, print_document, settings_of

if TYPE_CHECKING:
    from bridge.settings import Settings
    from bridge.web.health_shapes import Readiness

_PATIENCE_S = 5.0


def health(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Ask the running bridge whether it is ready: exit code 0 ready, 1 not ready, 6 no bridge answers."""
    settings = settings_of(config, as_json=as_json)
    found = asyncio.run(_readiness(settings))
    if found is None:
        fail(ExitCode.UNREACHABLE, f"no bridge with the state folder {settings.state_dir} answers", as_json=as_json)
    if not found.ready:
        fail(ExitCode.FAILED, f"not ready: {found.why}", as_json=as_json)
    print_document({"ready": True}) if as_json else print("ready")


async def _readiness(settings: Settings) -> Readiness | None:
    """Return what the bridge says of itself; None where none answers in time."""
    from bridge.cli.client import RestServices
    from bridge.cli.session import find_running

    try:
        async with asyncio.timeout(_PATIENCE_S):
            running = await find_running(settings)
            return None if running is None else await RestServices(running.url, "").ready()
    except TimeoutError:
        return None
