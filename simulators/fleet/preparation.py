"""Print or write what the run of a fleet needs before it: its inventory, its certificates, the list of quirks.

Parses and shows; never connects. `simulators.cli` registers these commands. After it: `layout`, `station_certificates`,
`quirks`.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from simulators.fleet import plan_options as options
from simulators.fleet.layout import inventory_csv
from simulators.fleet.quirks import CATALOGUE, EVERY_VERSION, aliases
from simulators.fleet.station_certificates import write_certificates

_WIDE = 160
"""Columns where the list is read by a program or a pager, so that each quirk has one line."""


def inventory(
    stations: options.Stations = 200,
    seed: options.Seed = 7,
    versions: options.Versions = options.DEFAULT_VERSIONS,
    security: options.Security = "1",
    quirk: options.Quirks = None,
    quirk_share: options.QuirkShare = 1.0,
    operator: Annotated[str, typer.Option(help="Operator that the EVSEs belong to.")] = "demo",
) -> None:
    """Print the inventory of a fleet as CSV, for the import into the product; give it the options of the fleet."""
    plan = options.plan_of(stations, seed, versions, security, quirk, quirk_share)
    sys.stdout.write(inventory_csv(plan.specs(), operator))


def certificates(
    data: Annotated[Path, typer.Option(help="Folder that the files are written to.")],
    stations: options.Stations = 200,
    seed: options.Seed = 7,
    versions: options.Versions = options.DEFAULT_VERSIONS,
    security: options.Security = "3",
    quirk: options.Quirks = None,
    quirk_share: options.QuirkShare = 1.0,
) -> None:
    """Write an authority (ca.pem), a server's certificate for localhost, and each station's own; for tests only.

    Give it the options of the fleet, with whose stations' ids the certificates are issued; every station gets one.
    """
    plan = options.plan_of(stations, seed, versions, security, quirk, quirk_share)
    try:
        count = write_certificates(data, plan.specs())
    except OSError as error:
        typer.echo(f"ocpp-sim certificates: cannot write to {data}: {error.strerror}", err=True)
        raise typer.Exit(1) from None
    typer.echo(f"{data}: ca.pem, server.pem, server.key and the certificates of {count} stations", err=True)


def quirks() -> None:
    """List what the stations of a fleet can do wrong, by the names that --quirk takes."""
    table = Table("quirk", "no.", "OCPP", "what the station does", box=None, pad_edge=False)
    for entry in CATALOGUE:
        versions = "all" if entry.versions == EVERY_VERSION else ", ".join(sorted(entry.versions))
        table.add_row(entry.quirk, str(entry.number or ""), versions, entry.does)
    for name, several in aliases().items():
        table.add_row(name, "", "all", f"each station one of {', '.join(several)}")
    Console(width=None if sys.stdout.isatty() else _WIDE).print(table)
