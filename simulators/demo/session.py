"""Run one demo: start everything in order, show it, bring it to rest, compare, and end everything.

Never looks into the bridge: it starts it as a user would, and what should be at the hubs comes from the fleet's oracle.
Around it: `command`. After it: `processes`, `sources`, `view`, `table`, `agreement`.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
from rich.console import Console
from rich.live import Live

from simulators.demo.agreement import Agreement, compare
from simulators.demo.processes import Children
from simulators.demo.sources import HUBS, Addresses, Sources, SourceSilent
from simulators.demo.table import compact_line, screen
from simulators.demo.view import View, join
from simulators.fleet.layout import inventory_csv, layout

AGREED = 0
DISAGREED = 1
_READY_S = 30.0
_REFRESH = timedelta(seconds=1)
_LINE_EVERY = timedelta(seconds=5)
_RESTING = timedelta(seconds=15)
"""How long before the end the fleet comes to rest."""
_LEAST_TRAFFIC = timedelta(seconds=5)
_LOOKS = 2
"""An agreement must be seen so many times in a row: it is not one in passing."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the hubs may take to agree once the fleet rests, and how often they are asked."""

    agree_within: timedelta = timedelta(seconds=45)
    look_every: timedelta = timedelta(milliseconds=500)


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """What the demo runs, and for how long."""

    data: Path
    seconds: float | None
    """None: until it is cancelled."""
    stations: int
    seed: int
    scenario: str
    bridge_command: tuple[str, ...]
    config: Path
    patience: Patience = Patience()


@dataclass(frozen=True, slots=True)
class Verdict:
    """How the demo ended, and the lines that say so."""

    exit_code: int
    lines: tuple[str, ...]


async def run_demo(options: DemoOptions, console: Console) -> int:
    """Run the demo and return its exit code: 0 where all hubs agree at the end, 1 where they do not.

    Cancellation ends every child process. Raises: ChildDied, NotReady, OSError where something cannot run.
    """
    loop = asyncio.get_running_loop()
    begun = loop.time()
    folder = fresh_folder(options.data)
    console.print(f"demo data: {folder}", soft_wrap=True, highlight=False)
    async with Children(folder) as children, aiohttp.ClientSession() as http:
        sources = Sources(http, await _start(options, folder, children, console))
        now = loop.time()
        rest_at = (
            None
            if options.seconds is None
            else max(begun + options.seconds - _RESTING.total_seconds(), now + _LEAST_TRAFFIC.total_seconds())
        )
        async with _showing(sources, children, console, begun):
            await _watch_until(rest_at, children)
            verdict = await check(sources, children, options.patience)
    for line in verdict.lines:
        console.print(line, soft_wrap=True, highlight=False, markup=False)
    return verdict.exit_code


def fresh_folder(data: Path) -> Path:
    """Create and return the first of data/run-001, run-002, … that does not exist."""
    data.mkdir(parents=True, exist_ok=True)
    number = 1
    while True:
        folder = data.resolve() / f"run-{number:03d}"
        try:
            folder.mkdir()
        except FileExistsError:
            number += 1
        else:
            return folder


def bridge_environment(environ: Mapping[str, str], state_dir: Path, hubs: Mapping[str, Any]) -> dict[str, str]:
    """Return the bridge's environment: free ports, its own state, the mock hubs; nothing of a user's own bridge."""
    kept = {name: value for name, value in environ.items() if not name.startswith("BRIDGE_")}
    return kept | {
        "BRIDGE_STATE_DIR": str(state_dir),
        "BRIDGE_OCPP__PORT": "0",
        "BRIDGE_WEB__PORT": "0",
        "BRIDGE_ACCOUNTS__HUBJECT__BASE_URL": str(hubs["hubject_url"]),
        "BRIDGE_ACCOUNTS__CHARGEPRICE__BASE_URL": str(hubs["chargeprice_url"]),
    }


def find_program(command: Sequence[str]) -> list[str]:
    """Return a command whose program is looked for beside this Python first, then on the PATH."""
    beside = shutil.which(command[0], path=str(Path(sys.executable).parent))
    return [beside or command[0], *command[1:]]


async def _start(options: DemoOptions, folder: Path, children: Children, console: Console) -> Addresses:
    """Start the hubs, the bridge with the fleet's inventory, and the fleet, each when the one before is ready."""
    console.print("starting the mock hubs, then the bridge …")
    simulators = (sys.executable, "-m", "simulators.cli")
    ready = folder / "hubs.json"
    child = await children.start("hubs", [*simulators, "hubs", "--ready-file", str(ready)], os.environ)
    hubs = await children.ready(child, ready, _READY_S)

    state_dir = folder / "bridge"
    state_dir.mkdir(mode=0o700)
    bridge = find_program(options.bridge_command)
    environ = bridge_environment(os.environ, state_dir, hubs)
    config = ["--config", str(options.config.resolve())]
    child = await children.start("bridge", [*bridge, "serve", *config], environ)
    ports = await children.ready(child, state_dir / "ports.json", _READY_S)

    inventory = folder / "stations.csv"
    inventory.write_text(inventory_csv(layout(options.stations, options.seed)), encoding="utf-8")
    importing = [*bridge, "inventory", "import", str(inventory), *config, "--yes"]
    await children.complete("import", importing, environ, _READY_S)

    console.print(f"starting {options.stations} charging stations …")
    ready = folder / "fleet.json"
    child = await children.start("fleet", [*simulators, *_fleet_arguments(options, folder, ports, ready)], os.environ)
    fleet = await children.ready(child, ready, _READY_S)
    return Addresses(
        fleet=fleet["control_url"],
        hubs=hubs["control_url"],
        bridge=f"http://127.0.0.1:{ports['web']}",
        token_file=state_dir / "admin-token",
    )


def _fleet_arguments(options: DemoOptions, folder: Path, ports: Mapping[str, Any], ready: Path) -> list[str]:
    return [
        *("fleet", "--url", f"ws://127.0.0.1:{ports['ocpp']}"),
        *("--stations", str(options.stations), "--seed", str(options.seed), "--scenario", options.scenario),
        *("--journal", str(folder / "fleet-journal.jsonl"), "--control-port", "0", "--ready-file", str(ready)),
    ]


async def _watch_until(moment: float | None, children: Children) -> None:
    """Wait until this moment of the loop's clock (None: for ever), and see that no child dies meanwhile."""
    loop = asyncio.get_running_loop()
    while moment is None or loop.time() < moment:
        children.check()
        await asyncio.sleep(0.2)


@asynccontextmanager
async def _showing(sources: Sources, children: Children, console: Console, begun: float) -> AsyncIterator[None]:
    """Show the view for as long as the context lasts."""
    live = Live(console=console, auto_refresh=False, vertical_overflow="crop") if console.is_terminal else None
    if live is not None:
        live.start()
    showing = asyncio.create_task(_show(sources, console, live, begun), name="table")
    try:
        yield
    finally:
        showing.cancel()
        with suppress(asyncio.CancelledError):
            await showing
        if live is not None:
            live.stop()


async def _show(sources: Sources, console: Console, live: Live | None, begun: float) -> None:
    loop = asyncio.get_running_loop()
    interval = _REFRESH if live is not None else _LINE_EVERY
    while True:
        view = await _look(sources, timedelta(seconds=loop.time() - begun))
        if view is not None and live is not None:
            live.update(screen(view, console.height), refresh=True)
        elif view is not None:
            console.print(compact_line(view), soft_wrap=True, highlight=False)
        await asyncio.sleep(interval.total_seconds())


async def _look(sources: Sources, elapsed: timedelta) -> View | None:
    """Return the view of this moment; without the bridge's part while that is silent, None without the fleet's."""
    try:
        journal = await sources.journal()
    except SourceSilent:
        return None
    try:
        evses, upstreams, note = await sources.evses(), await sources.upstreams(), ""
    except SourceSilent as silent:
        evses, upstreams, note = [], [], f"the bridge does not answer: {silent}"
    return join(journal, evses, upstreams, datetime.now(UTC), elapsed, note)


async def check(sources: Sources, children: Children, patience: Patience) -> Verdict:
    """Bring the fleet to rest, wait until the hubs agree or patience ends, and return how it stands."""
    try:
        restless = await sources.rest()
        agreements = await _agreements(sources, children, patience)
        violations = {hub: await sources.violations(hub) for hub in HUBS}
    except SourceSilent as silent:
        children.check()
        return Verdict(DISAGREED, (f"cannot compare: {silent}",))
    well = not restless and all(agreement.complete for agreement in agreements) and not any(violations.values())
    lines = [f"station {station} did not come to rest: a report of it was not answered" for station in restless]
    lines += [line for agreement in agreements for line in agreement.lines()]
    lines += [f"  {hub}: rule broken: {what}" for hub, found in violations.items() for what in found]
    return Verdict(AGREED if well else DISAGREED, tuple(lines))


async def _agreements(sources: Sources, children: Children, patience: Patience) -> list[Agreement]:
    """Return how every hub agrees: the first complete agreement that stays, or the last look before time is over."""
    loop = asyncio.get_running_loop()
    ends = loop.time() + patience.agree_within.total_seconds()
    looks = 0
    while True:
        children.check()
        expected = await sources.expected()
        agreements = [compare(hub, expected[hub], await sources.held(hub)) for hub in HUBS]
        looks = looks + 1 if all(agreement.complete for agreement in agreements) else 0
        if looks == _LOOKS or (looks == 0 and loop.time() >= ends):
            return agreements
        await asyncio.sleep(patience.look_every.total_seconds())
