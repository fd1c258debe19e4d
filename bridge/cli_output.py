"""Print results: tables for people, or one JSON document for programs, on stdout.

Progress, questions and mistakes go to stderr and are not printed here but in `cli`. Never decides anything.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bridge.web.shapes import ImportReport, InventoryList, RowError, Status, UpstreamItem, UpstreamList, UpstreamPreview

_PIPE_WIDTH = 10_000
"""Columns where nobody looks: one row is one line."""


def print_status(status: Status) -> None:
    """Print the bridge at a glance."""
    since = f"running since {status.started_at:%Y-%m-%d %H:%M:%S %Z}" if status.started_at else "stopped"
    print(f"ocpp-bridge {status.version}, {since}")
    print(f"stations: {status.connected} of {status.stations} connected")
    shown = ", ".join(f"{name} {count}" for name, count in status.effective.items()) or "none"
    print(f"EVSEs: {status.evses} ({shown})")
    print_upstreams(UpstreamList(items=status.upstreams))
    for warning in status.warnings:
        print(f"warning: {warning}")


def print_upstreams(upstreams: UpstreamList) -> None:
    """Print the accounts, and below them why one is experimental."""
    if not upstreams.items:
        print("no accounts")
        return
    header = ("account", "kind", "mode", "state", "backlog", "refused", "lag", "last accepted", "last error")
    _print_table(header, (_upstream_row(item) for item in upstreams.items))
    for item in upstreams.items:
        if item.experimental is not None:
            print(f"{item.name}: experimental: {item.experimental}")


def print_preview(preview: UpstreamPreview, console: Console) -> None:
    """Print what an account would be sent if it were live."""
    counts = f"{preview.known} known, {preview.unknown} unknown, {preview.absent} never heard of"
    console.print(Text(f"{preview.name} ({preview.kind}), now {preview.mode}: {preview.total} EVSEs ({counts})"))
    for word, count in preview.values.items():
        console.print(Text(f"  {word or 'deletion'}: {count}"))


def print_inventory(inventory: InventoryList) -> None:
    """Print every connector."""
    header = ("station", "version", "security", "evse", "connector", "EVSE id", "operator", "layer0")
    _print_table(
        header,
        (
            (
                row.station,
                row.version or "",
                row.security,
                row.evse,
                row.connector,
                row.evse_id,
                row.operator,
                row.layer0,
            )
            for row in inventory.items
        ),
    )


def print_report(report: ImportReport) -> None:
    """Print what an import changed, or would change."""
    for what, names in _changes(report):
        for name in names:
            print(f"{what} {name}")
    for warning in report.warnings:
        print(f"warning: {warning}")
    verb = "imported" if report.applied else "nothing changed yet; this would be"
    print(f"{verb}: " + (", ".join(f"{len(names)} {what}" for what, names in _changes(report) if names) or "no change"))


def row_error_line(file: str, error: RowError) -> str:
    """Return one mistake of an inventory file as an operator reads it."""
    place = file if error.line == 0 else f"{file}:{error.line}"
    if not error.column and not error.value:
        return f"{place}: {error.problem}"
    shown = f" {json.dumps(error.value[:256], ensure_ascii=False)}" if error.value else ""
    return f"{place}: {error.column}{shown}: {error.problem}"


def _changes(report: ImportReport) -> list[tuple[str, Sequence[str]]]:
    return [
        ("stations added", report.stations_added),
        ("stations changed", report.stations_changed),
        ("stations removed", report.stations_removed),
        ("EVSEs added", report.evses_added),
        ("EVSEs changed", report.evses_changed),
        ("EVSEs removed", report.evses_removed),
    ]


def _upstream_row(item: UpstreamItem) -> tuple[object, ...]:
    lag = "" if item.lag_s is None else f"{item.lag_s:.0f} s"
    accepted = "" if item.last_accepted_at is None else f"{item.last_accepted_at:%Y-%m-%d %H:%M:%S %Z}"
    trouble = item.held or item.last_error
    return (item.name, item.kind, item.mode, item.state, item.backlog, item.refused, lag, accepted, trouble)


def _print_table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    table = Table(box=None, pad_edge=False)
    for title in header:
        table.add_column(title, overflow="fold")
    for row in rows:
        table.add_row(*(Text(str(cell)) for cell in row))
    Console(width=None if sys.stdout.isatty() else _PIPE_WIDTH).print(table)
