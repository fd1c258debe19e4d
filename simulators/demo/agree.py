"""Compare the hubs with the oracle of a fleet that runs elsewhere, from the command line.

For a fleet and hubs that something else started, such as containers. Never starts or ends anything. `simulators.cli`
registers `agree`. After it: `sources`, `agreement`.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import aiohttp
import typer

from simulators.demo.agreement import Agreement, compare
from simulators.demo.sources import HUBS, Addresses, Sources, SourceSilent

_LOOK_EVERY_S = 0.5
_LOOKS = 2
"""An agreement must be seen so many times in a row: it is not one in passing."""


def agree(
    fleet: Annotated[str, typer.Option(help="The fleet's control interface, as `ocpp-sim fleet --control-port` has.")],
    hubs: Annotated[str, typer.Option(help="The hubs' control interface, as `ocpp-sim hubs --control-port` has.")],
    within: Annotated[float, typer.Option(min=0, help="Seconds that they may take to agree.")] = 120.0,
    rest: Annotated[bool, typer.Option("--rest", help="Bring the fleet to rest first; it stays so.")] = False,
) -> None:
    """Wait until every hub holds what the fleet's own journal says, and print how they agree.

    Exit codes: 0 agreed, 1 disagreed when the time was over, 2 fleet or hubs do not answer.
    """
    try:
        agreements = asyncio.run(_agreements(fleet.rstrip("/"), hubs.rstrip("/"), within, rest))
    except SourceSilent as silent:
        typer.echo(f"ocpp-sim agree: {silent}", err=True)
        raise typer.Exit(2) from None
    for agreement in agreements:
        print("\n".join(agreement.lines()), flush=True)
    raise typer.Exit(0 if all(agreement.complete for agreement in agreements) else 1)


async def _agreements(fleet: str, hubs: str, within: float, rest: bool) -> list[Agreement]:
    """Return the first agreement that stays, or the last look before time is over. Raises: SourceSilent."""
    loop = asyncio.get_running_loop()
    ends, looks = loop.time() + within, 0
    async with aiohttp.ClientSession() as http:
        sources = Sources(http, Addresses(fleet, f"{hubs}/control", bridge="", token_file=Path()))
        while True:
            try:
                if rest and not looks:
                    await sources.rest()
                expected = await sources.expected()
                agreements = [compare(hub, expected[hub], await sources.held(hub)) for hub in HUBS]
            except SourceSilent:
                if loop.time() >= ends:
                    raise
            else:
                looks = looks + 1 if all(agreement.complete for agreement in agreements) else 0
                if looks == _LOOKS or (looks == 0 and loop.time() >= ends):
                    return agreements
            await asyncio.sleep(_LOOK_EVERY_S)
