"""Run the mock hubs from the command line until a signal ends them.

Parses and prints only; `mocks` puts the hubs together. `simulators.cli` registers `hubs` as `ocpp-sim hubs`.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from simulators.hubs.chargeprice import ChargepriceOptions
from simulators.hubs.hubject import HubjectOptions
from simulators.hubs.mocks import MockOptions, Mocks


def hubs(
    hubject_port: Annotated[int, typer.Option(help="Port of the mock Hubject; 0 takes a free one.")] = 0,
    chargeprice_port: Annotated[int, typer.Option(help="Port of the mock Chargeprice; 0 takes a free one.")] = 0,
    spirii_port: Annotated[int, typer.Option(help="Port of the mock Spirii; 0 takes a free one.")] = 0,
    control_port: Annotated[int, typer.Option(help="Port of the control interface; 0 takes a free one.")] = 0,
    operator_id: Annotated[
        list[str] | None, typer.Option(help="OperatorID that Hubject accepts; may be repeated. Default: DE*ABC.")
    ] = None,
    api_key: Annotated[
        list[str] | None, typer.Option(help="Key that Chargeprice accepts; may be repeated. Default: demo-key.")
    ] = None,
    strict_known: Annotated[
        bool, typer.Option("--strict-known", help="Hubject refuses to update what has no status, and to insert twice.")
    ] = False,
    ready_file: Annotated[
        Path | None, typer.Option(help="Write the chosen ports here as JSON once everything listens.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of everything random in the hubs.")] = 0,
) -> None:
    """Run a mock Hubject, a mock Chargeprice and a mock Spirii until SIGTERM or Ctrl-C."""
    options = MockOptions(
        hubject_port,
        chargeprice_port,
        control_port,
        HubjectOptions(operator_ids=tuple(operator_id or ["DE*ABC"]), strict_known=strict_known),
        ChargepriceOptions(api_keys=tuple(api_key or ["demo-key"])),
        seed,
        spirii_port=spirii_port,
    )
    try:
        asyncio.run(_run(options, ready_file))
    except OSError as error:
        typer.echo(f"ocpp-sim hubs: cannot listen or write the ready file: {error}", err=True)
        raise typer.Exit(1) from error


async def _run(options: MockOptions, ready_file: Path | None) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    async with Mocks(options) as mocks:
        if ready_file is not None:
            _write_ready(ready_file, mocks)
        print(
            f"mock hubs ready: hubject {mocks.hubject_url} chargeprice {mocks.chargeprice_url} "
            f"spirii {mocks.spirii_url} control {mocks.control_url}",
            file=sys.stderr,
            flush=True,
        )
        await stopped.wait()


def _write_ready(path: Path, mocks: Mocks) -> None:
    """Write the ports so that a reader sees the whole file or none."""
    ports = {
        "hubject_port": mocks.hubject.port,
        "chargeprice_port": mocks.chargeprice.port,
        "spirii_port": mocks.spirii.port,
        "control_port": mocks.control_port,
        "hubject_url": mocks.hubject_url,
        "chargeprice_url": mocks.chargeprice_url,
        "spirii_url": mocks.spirii_url,
        "control_url": mocks.control_url,
        "pid": os.getpid(),
    }
    beside = path.with_name(path.name + ".new")
    beside.write_text(json.dumps(ports) + "\n", encoding="utf-8")
    beside.replace(path)
