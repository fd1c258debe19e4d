"""Run a fleet from the command line until its time is over or a signal ends it.

Parses, shows and ends; `fleet` runs the stations. `simulators.cli` registers the command. Beside it: `preparation`.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import ocpp.messages  # type: ignore[import-untyped]
import typer
from aiohttp import web
from rich.console import Console

from simulators.fleet import plan_options as options
from simulators.fleet.control import control_app
from simulators.fleet.fleet import Fleet, FleetOptions, Summary
from simulators.fleet.journal import Journal
from simulators.fleet.line import OVER_TLS, WITH_CERTIFICATE, Line
from simulators.fleet.plan import Plan
from simulators.fleet.progress import Progress, summary_table
from simulators.fleet.scenario import SCENARIO_HELP, SCENARIOS
from simulators.fleet.station_certificates import client_file

UNREACHABLE = 2
REFUSED = 3
_TICK_S = 0.5


@dataclass(frozen=True, slots=True)
class _Run:
    fleet: FleetOptions
    control_port: int | None
    journal: Path | None
    duration: timedelta | None
    ready_file: Path | None


def fleet(
    url: Annotated[str, typer.Option(help="Where to connect to; the station's id is appended as the last segment.")],
    stations: options.Stations = 200,
    seed: options.Seed = 7,
    versions: options.Versions = options.DEFAULT_VERSIONS,
    security: options.Security = "1",
    secure_url: Annotated[str, typer.Option(help="Where stations of profile 2 and 3 connect to, if not --url.")] = "",
    ca: Annotated[Path | None, typer.Option(help="Authority of the server's certificate; else the system's.")] = None,
    certificates: Annotated[
        Path | None, typer.Option(help="Folder of `ocpp-sim certificates`: the stations' certificates, and a --ca.")
    ] = None,
    quirk: options.Quirks = None,
    quirk_share: options.QuirkShare = 1.0,
    twins: Annotated[int, typer.Option(min=0, help="Stations of which a second device has the id.")] = 0,
    scenario: Annotated[str, typer.Option(help=SCENARIO_HELP)] = "busy",
    control_port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Answer questions over HTTP on this port; 0 takes a free one.")
    ] = None,
    journal: Annotated[Path | None, typer.Option(help="Append every report to this JSON-lines file.")] = None,
    duration: Annotated[float | None, typer.Option(min=0, help="End by itself after so many seconds.")] = None,
    ready_file: Annotated[Path | None, typer.Option(help="Write the control port here once it listens.")] = None,
    speed: Annotated[float, typer.Option(min=0.01, max=1000, help="How much faster than real life goes.")] = 1.0,
) -> None:
    """Run simulated charging stations of several OCPP versions, with or without the faults of real ones.

    Exit codes: 0 clean end, 1 cannot start, 2 the URL could never be reached, 3 credentials were refused.
    """
    plan = options.plan_of(stations, seed, versions, security, quirk, quirk_share)
    if scenario not in SCENARIOS:
        raise typer.BadParameter(f"{scenario!r} is none of {', '.join(SCENARIOS)}", param_hint="--scenario")
    line = Line(url, speed, secure_url=secure_url, ca=ca, certificates=certificates)
    _check(line, plan)
    ended_after = timedelta(seconds=duration) if duration is not None else None
    wanted = FleetOptions(plan, scenario, line, twins)
    try:
        code = asyncio.run(_run(_Run(wanted, control_port, journal, ended_after, ready_file)))
    except OSError as error:
        typer.echo(f"ocpp-sim fleet: cannot start: {error}", err=True)
        code = 1
    raise typer.Exit(code)


def _check(line: Line, plan: Plan) -> None:
    """Refuse what could not connect. Raises: typer.BadParameter."""
    for option, url in (("--url", line.url), ("--secure-url", line.secure_url or line.url)):
        if urlsplit(url).scheme not in ("ws", "wss") or not urlsplit(url).hostname:
            raise typer.BadParameter(
                f"{url!r} is not a WebSocket address such as ws://127.0.0.1:9000", param_hint=option
            )
    for profile in plan.security:
        if profile in OVER_TLS and urlsplit(line.url_of(profile)).scheme != "wss":
            raise typer.BadParameter(
                f"security profile {profile} needs a wss:// address in --url or --secure-url", param_hint="--security"
            )
    missing = _missing_files(line, plan)
    if missing is not None:
        raise typer.BadParameter(
            f"there is no {missing}; `ocpp-sim certificates --data DIR`, with the fleet's options, writes it",
            param_hint="--certificates",
        )


def _missing_files(line: Line, plan: Plan) -> Path | str | None:
    if line.ca is not None and not line.ca.is_file():
        return line.ca
    for spec in plan.specs():
        if spec.security == WITH_CERTIFICATE:
            file = line.certificates and client_file(line.certificates, spec.station)
            if file is None or not file.is_file():
                return file or "client certificate for security profile 3"
    return None


async def _run(run: _Run) -> int:
    ocpp.messages.ASYNC_VALIDATION = False  # a thread for every validation costs six times as much
    logging.getLogger("simulators.ocpp").setLevel(logging.CRITICAL)  # it logs every frame; errors are counted
    logging.getLogger("websockets").setLevel(logging.CRITICAL)
    stopped = _stop_signal()
    journal = Journal(run.journal)
    try:
        fleet = Fleet(run.fleet, journal)
        async with _control(fleet, run):
            summary = await _until_ended(fleet, run, stopped)
    finally:
        journal.close()
    return _verdict(fleet, summary)


def _stop_signal() -> asyncio.Event:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    return stopped


@asynccontextmanager
async def _control(fleet: Fleet, run: _Run) -> AsyncIterator[None]:
    if run.control_port is None:
        yield
        return
    runner = web.AppRunner(control_app(fleet), access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", run.control_port).start()
        _write_ready(run.ready_file, runner.addresses[0][1])
        yield
    finally:
        await runner.cleanup()


def _write_ready(path: Path | None, port: int) -> None:
    """Write the port so that a reader sees the whole file or none."""
    if path is None:
        return
    ready = {"control_port": port, "control_url": f"http://127.0.0.1:{port}", "pid": os.getpid()}
    beside = path.with_name(path.name + ".new")
    beside.write_text(json.dumps(ready) + "\n", encoding="utf-8")
    beside.replace(path)


async def _until_ended(fleet: Fleet, run: _Run, stopped: asyncio.Event) -> Summary:
    """Run the fleet until the signal, the end of its time, or the refusal of every station."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    living = asyncio.create_task(fleet.run(), name="fleet")
    stopping = asyncio.create_task(stopped.wait(), name="stop")
    console = Console(stderr=True)
    title = f"{len(fleet.stations)} stations · {run.fleet.scenario} · {run.fleet.line.url}"
    try:
        with Progress(console, title) as progress:
            while True:
                elapsed = timedelta(seconds=loop.time() - begun)
                progress.show(fleet.summary(), elapsed)
                over = run.duration is not None and elapsed >= run.duration
                if over or fleet.all_refused() or living.done() or stopping.done():
                    break
                left = _TICK_S if run.duration is None else min(_TICK_S, (run.duration - elapsed).total_seconds())
                await asyncio.wait((living, stopping), timeout=left, return_when=asyncio.FIRST_COMPLETED)
        summary = fleet.summary()
        console.print(summary_table(title, summary, elapsed))
    finally:
        for task in (living, stopping):
            task.cancel()
        results = await asyncio.gather(living, stopping, return_exceptions=True)
    if isinstance(results[0], Exception):
        raise results[0]
    return summary


def _verdict(fleet: Fleet, summary: Summary) -> int:
    """Return the exit code, and say on stderr why where it is not 0."""
    url = fleet.options.line.url
    if summary.refused_stations:
        station, status = next(iter(summary.refused_stations.items()))
        count = len(summary.refused_stations)
        typer.echo(
            f"ocpp-sim fleet: {url} refused {count} of {summary.stations} stations, "
            f"for example {station}: HTTP {status}; import the fleet's inventory (ocpp-sim inventory) first",
            err=True,
        )
        return REFUSED
    if fleet.never_connected() and fleet.counts.failures + fleet.counts.refusals > 0:
        typer.echo(f"ocpp-sim fleet: could not reach {url}: {fleet.counts.last_failure}", err=True)
        return UNREACHABLE
    return 0
