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

from simulators.hubs.certificates import Refusal, TlsOptions
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
    needs_data: Annotated[
        bool, typer.Option("--needs-data", help="Hubject refuses the status of an EVSE until its data was pushed.")
    ] = False,
    tls: Annotated[
        bool, typer.Option("--tls", help="Hubject speaks TLS and asks for a client certificate of a test authority.")
    ] = False,
    tls_dir: Annotated[
        Path | None, typer.Option(help="Where the certificates and keys are written; says --tls too.")
    ] = None,
    tls_refusal: Annotated[
        Refusal, typer.Option(help="How Hubject refuses a certificate that it does not know: in TLS, or as a page.")
    ] = "html",
    ready_file: Annotated[
        Path | None, typer.Option(help="Write the chosen ports here as JSON once everything listens.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of everything random in the hubs.")] = 0,
) -> None:
    """Run the mock hubs (Hubject, Chargeprice, Spirii) until SIGTERM or Ctrl-C."""
    options = MockOptions(
        hubject_port=hubject_port,
        chargeprice_port=chargeprice_port,
        control_port=control_port,
        hubject=HubjectOptions(
            operator_ids=tuple(operator_id or ["DE*ABC"]), strict_known=strict_known, needs_data=needs_data
        ),
        chargeprice=ChargepriceOptions(api_keys=tuple(api_key or ["demo-key"])),
        tls=TlsOptions(tls_dir, tls_refusal) if tls or tls_dir else None,
        seed=seed,
        spirii_port=spirii_port,
    )
    try:
        asyncio.run(_run(options, ready_file))
    except OSError as error:
        typer.echo(f"ocpp-sim hubs: cannot listen, or write the ready file or certificates: {error}", err=True)
        raise typer.Exit(1) from error


async def _run(options: MockOptions, ready_file: Path | None) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    async with Mocks(options) as mocks:
        if ready_file is not None:
            _write_ready(ready_file, mocks)
        addresses = " ".join(f"{name} {server.url}" for name, server in mocks.hubs.items())
        print(f"mock hubs ready: {addresses} control {mocks.control_url}", file=sys.stderr, flush=True)
        await stopped.wait()


def _write_ready(path: Path, mocks: Mocks) -> None:
    """Write the ports so that a reader sees the whole file or none."""
    ready: dict[str, str | int] = {"control_port": mocks.control_port, "control_url": mocks.control_url}
    for name, server in mocks.hubs.items():
        ready |= {f"{name}_port": server.port, f"{name}_url": server.url}
    if mocks.tls_dir is not None:
        ready["tls_dir"] = str(mocks.tls_dir.absolute())
    ready["pid"] = os.getpid()
    beside = path.with_name(path.name + ".new")
    beside.write_text(json.dumps(ready) + "\n", encoding="utf-8")
    beside.replace(path)
