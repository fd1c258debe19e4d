"""Load a central system from the command line, until the time is over or Ctrl-C.

Parses, shows and ends. `simulators.cli` registers the command. After it: `roster`, `crew`, `report`.
"""

from __future__ import annotations

import asyncio
import json
import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, get_args
from urllib.parse import urlsplit

import typer

from simulators.load.crew import Crew, CrewEnded, crew
from simulators.load.options import LoadOptions, Member, Profile, Version
from simulators.load.report import Report
from simulators.load.roster import RosterError, from_csv, from_pattern

UNANSWERED = 1
UNREACHABLE = 2
REFUSED = 3
_SHOW_EVERY_S = 5.0


@dataclass(frozen=True, slots=True)
class _Run:
    options: LoadOptions
    members: list[Member]
    profile: Profile
    rate: float
    seconds: float
    processes: int


def load(
    url: Annotated[str, typer.Argument(help="Where to connect to; each station's name is appended.")],
    stations: Annotated[int | None, typer.Option(min=1, help="How many; else all of --credentials, or 200.")] = None,
    rate: Annotated[
        str, typer.Option(help="Statuses per second of all stations together; max: as fast as answered, one in flight.")
    ] = "max",
    profile: Annotated[
        str,
        typer.Option(help="steady: spread evenly; flap: to and fro, in bursts; storm: all are cut and come back."),
    ] = "steady",
    seconds: Annotated[float, typer.Option(min=0.1, max=86_400, help="How long, once all were tried.")] = 10,
    ocpp: Annotated[str, typer.Option(help="1.6, 2.0.1 or 2.1.")] = "1.6",
    name: Annotated[str, typer.Option(help="The stations' names; the number goes into the braces.")] = "load-{:05d}",
    key: Annotated[
        str | None, typer.Option(help="One password for all, as HTTP Basic; others on this machine can see it.")
    ] = None,
    credentials: Annotated[
        Path | None, typer.Option(help="CSV of names and keys instead; a bridge's inventory will do.")
    ] = None,
    ca: Annotated[Path | None, typer.Option(help="Authority of the server's certificate; else the system's.")] = None,
    compress: Annotated[bool, typer.Option("--compress", help="Offer permessage-deflate.")] = False,
    boot: Annotated[bool, typer.Option("--boot", help="Send BootNotification first, on every connection.")] = False,
    heartbeat: Annotated[float, typer.Option(min=0, help="Seconds between heartbeats of a station; 0: none.")] = 0,
    refuse_triggers: Annotated[
        bool, typer.Option("--refuse-triggers", help="Answer TriggerMessage with Rejected instead of obeying.")
    ] = False,
    connect_rate: Annotated[
        float, typer.Option(min=0, help="Handshakes begun per second; 0: as fast as they are answered.")
    ] = 0,
    processes: Annotated[int, typer.Option(min=1, max=64, help="Share the stations among so many processes.")] = 1,
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 7,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the report to this file, - is stdout.")
    ] = None,
) -> None:
    """Load any central system with stations that report statuses, and measure its answers.

    Exit codes: 0 every message was answered; 1 one was not, or with a CALLERROR; 2 never reached; 3 stations refused.
    """
    version = _version(ocpp)
    behaviour = LoadOptions(
        url=_url(url),
        version=version,
        ca=None if ca is None else str(_file(ca, "--ca")),
        compress=compress,
        boot=boot,
        heartbeat_s=heartbeat,
        refuse_triggers=refuse_triggers,
        connect_rate=connect_rate,
        seed=seed,
    )
    members = _members(stations, name, key, credentials, version)
    wanted = _Run(behaviour, members, _profile(profile), _rate(rate), seconds, min(processes, len(members)))
    try:
        report = asyncio.run(_run(wanted))
    except (CrewEnded, OSError) as error:
        typer.echo(f"ocpp-sim load: {error if isinstance(error, OSError) else CrewEnded.__doc__}", err=True)
        raise typer.Exit(1) from error
    _show(report, json_file)
    raise typer.Exit(_verdict(report, url))


async def _run(run: _Run) -> Report:
    """Connect, carry out the profile, and return what was found; Ctrl-C ends it early."""
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with crew(run.processes) as hands:
        stopping = asyncio.create_task(_stop(hands, stopped), name="stop")
        showing = asyncio.create_task(_progress(hands, len(run.members)), name="progress")
        try:
            await hands.prepare(run.options, run.members)
            connecting = await hands.connect()
            if stopped.is_set() or not connecting.connected:
                running = await hands.hold(0)
            elif run.profile == "storm":
                running = await hands.storm(run.seconds)
            else:
                running = await hands.run(run.profile, run.rate, run.seconds)
        finally:
            for task in (stopping, showing):
                task.cancel()
    return Report(len(run.members), run.profile, connecting, running, stopped.is_set())


async def _stop(hands: Crew, stopped: asyncio.Event) -> None:
    await stopped.wait()
    hands.stop()


async def _progress(hands: Crew, stations: int) -> None:
    while True:
        await asyncio.sleep(_SHOW_EVERY_S)
        now = hands.progress
        typer.echo(f"{now.connected}/{stations} connected, {now.sent} sent, {now.answered} answered", err=True)


def _show(report: Report, json_file: Path | None) -> None:
    text = json.dumps(report.document(), indent=2)
    if json_file is not None and str(json_file) != "-":
        json_file.write_text(text + "\n", encoding="utf-8")
    print(text if str(json_file) == "-" else "\n".join(_printable(line) for line in report.lines()))


def _printable(line: str) -> str:
    """Escape what a terminal could obey: codes and reasons come from the server."""
    return "".join(each if each.isprintable() else f"\\u{ord(each):04x}" for each in line)


def _verdict(report: Report, url: str) -> int:
    refused = report.whole.refused
    if not report.running.connected and not report.stopped and not any(why.startswith("HTTP") for why in refused):
        typer.echo(f"ocpp-sim load: could not reach {url}", err=True)
        return UNREACHABLE
    if report.running.connected < report.stations and not report.stopped:
        return REFUSED
    whole = report.whole
    return UNANSWERED if whole.errors or whole.unanswered or whole.strange else 0


def _url(url: str) -> str:
    if urlsplit(url).scheme not in ("ws", "wss") or not urlsplit(url).hostname:
        raise typer.BadParameter(f"{url!r} is not a WebSocket address such as ws://127.0.0.1:9000", param_hint="URL")
    return url


def _version(text: str) -> Version:
    for version in get_args(Version):
        if text == version:
            return version  # type: ignore[no-any-return]
    raise typer.BadParameter(f"{text!r} is none of {', '.join(get_args(Version))}", param_hint="--ocpp")


def _profile(text: str) -> Profile:
    for profile in get_args(Profile):
        if text == profile:
            return profile  # type: ignore[no-any-return]
    raise typer.BadParameter(f"{text!r} is none of {', '.join(get_args(Profile))}", param_hint="--profile")


def _members(
    stations: int | None, name: str, key: str | None, credentials: Path | None, version: Version
) -> list[Member]:
    try:
        if credentials is None:
            return from_pattern(name, stations or 200, key)
        return from_csv(_file(credentials, "--credentials").read_text(encoding="utf-8-sig"), version, stations, key)
    except (RosterError, OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(str(error), param_hint="--credentials" if credentials else "--name") from error


def _rate(text: str) -> float:
    if text == "max":
        return 0.0
    with suppress(ValueError):
        if float(text) >= 0:
            return float(text)
    raise typer.BadParameter(f"{text!r} is neither a number nor max", param_hint="--rate")


def _file(path: Path, option: str) -> Path:
    if not path.is_file():
        raise typer.BadParameter(f"there is no {path}", param_hint=option)
    return path
