"""Run the demo from the command line.

Parses, and turns signals into cancellation; `session` does the work. `simulators.cli` registers `demo`.
"""

from __future__ import annotations

import asyncio
import shlex
import signal
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from simulators.demo.processes import ChildDied, NotReady
from simulators.demo.session import AGREED, DemoOptions, Patience, run_demo
from simulators.fleet.scenario import SCENARIO_HELP, SCENARIOS

CANNOT_RUN = 2
INTERRUPTED = 130
"""Ended by a signal before the comparison that was asked for."""

_CONFIG = Path(__file__).parents[2] / "config" / "demo" / "bridge.toml"
_PATIENCE = Patience()


def demo(
    data: Annotated[Path, typer.Option(help="Folder for everything that the demo writes; each run adds a sub-folder.")],
    seconds: Annotated[
        float | None, typer.Option(min=1, help="Compare and end after about so many seconds. Default: until Ctrl-C.")
    ] = None,
    stations: Annotated[int, typer.Option(min=1, help="Number of charging stations.")] = 24,
    seed: Annotated[int, typer.Option(help="Seed of the fleet.")] = 7,
    scenario: Annotated[str, typer.Option(help=SCENARIO_HELP)] = "busy",
    bridge_command: Annotated[str, typer.Option(help="How the bridge is started.")] = "ocpp-bridge",
    config: Annotated[
        Path,
        typer.Option(
            help="The bridge's configuration.", exists=True, dir_okay=False, show_default="config/demo/bridge.toml"
        ),
    ] = _CONFIG,
    patience: Annotated[
        float, typer.Option(min=1, help="Seconds that the hubs may take to agree once the fleet rests.")
    ] = _PATIENCE.agree_within.total_seconds(),
) -> None:
    """Run the bridge between simulated stations and mock hubs, show it live, and check that the hubs agree.

    Exit codes: 0 agreed (or ended by Ctrl-C where no time was given), 1 disagreed, 2 something could not run,
    130 ended by a signal before the comparison.
    """
    if scenario not in SCENARIOS:
        raise typer.BadParameter(f"{scenario!r} is none of {', '.join(SCENARIOS)}", param_hint="--scenario")
    command = tuple(shlex.split(bridge_command))
    waiting = replace(_PATIENCE, agree_within=timedelta(seconds=patience))
    options = DemoOptions(data, seconds, stations, seed, scenario, command, config, waiting)
    try:
        code = asyncio.run(_run(options))
    except (ChildDied, NotReady, OSError) as error:
        typer.echo(f"ocpp-sim demo: {error}", err=True)
        code = CANNOT_RUN
    raise typer.Exit(code)


async def _run(options: DemoOptions) -> int:
    running = asyncio.create_task(run_demo(options, Console()), name="demo")
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, _cancel_once, running)
    try:
        return await running
    except asyncio.CancelledError:
        return AGREED if options.seconds is None else INTERRUPTED


def _cancel_once(task: asyncio.Task[int]) -> None:
    """Cancel at the first signal; a second one must not interrupt the ending of the children."""
    if not task.cancelling():
        task.cancel()
