"""Print results for people on stdout: tables, or a record per row where the terminal is too narrow for the table.

Questions and mistakes go to stderr and are not printed here but in `run`. Never decides anything. Before it: what the
services answered.
"""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Iterable, Mapping, Sequence

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from bridge.core.expiry import Urgency
from bridge.core.modes import Mode
from bridge.web.health_shapes import Status
from bridge.web.ports_file import Ports
from bridge.web.shapes import (
    CertificateItem,
    ImportReport,
    InventoryList,
    ListingList,
    RowError,
    UpstreamItem,
    UpstreamList,
    UpstreamPreview,
)
from bridge.web.token import TOKEN_FILE

_PIPE_WIDTH = 10_000
"""Columns where nobody looks: one row is one line."""
_LONGEST_LIST = 50
"""Names of one kind of change that are printed; the rest is counted."""
_EVERYWHERE = ("0.0.0.0", "[::]", "")


def counted(number: int, noun: str) -> str:
    """Return "1 mistake", "2 mistakes"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def print_started(ports: Ports, stations: Mapping[str, str], state_dir: str, status: Status) -> None:
    """Say on stderr, to whoever started the bridge in a terminal, where it listens and what to do next.

    `stations`: the address of each listener, by its name.
    """
    lines = [
        f"ocpp-bridge {status.version} is running; Ctrl-C ends it.",
        *(f"  stations connect to  {_reachable(url)}/STATION-ID{_how(name, status)}" for name, url in stations.items()),
        f"  REST interface       {ports.web_url} (token in {state_dir}/{TOKEN_FILE})",
        f"  inventory            {counted(status.stations, 'station')}, {counted(status.evses, 'EVSE')}",
        *(f"  account              {item.name} is {item.mode}" for item in status.upstreams),
    ]
    if not status.stations:
        lines.append("Next, in another terminal: ocpp-bridge inventory import FILE")
    elif off := [item.name for item in status.upstreams if item.mode is Mode.OFF]:
        lines.append(f"Nothing is sent before you say so: ocpp-bridge upstream enable {off[0]}")
    print("\n".join(lines), file=sys.stderr)


def _reachable(url: str) -> str:
    """Return an address with this machine's name where it listens on every address."""
    scheme, _, rest = url.partition("://")
    host, _, port = rest.rpartition(":")
    return f"{scheme}://{platform.node()}:{port}" if host in _EVERYWHERE else url


def _how(listener: str, status: Status) -> str:
    found = next((item for item in status.listeners if item.name == listener), None)
    if found is None:
        return " (HTTP Basic: STATION-ID and its key)"
    return f" ({listener}: security profile {' or '.join(map(str, found.profiles))})"


def print_status(status: Status) -> None:
    """Print the bridge at a glance."""
    if status.started_at:
        print(f"ocpp-bridge {status.version}, running since {status.started_at:%Y-%m-%d %H:%M:%S %Z}")
        print(f"stations: {status.connected} of {status.stations} connected")
    else:
        print(f"ocpp-bridge {status.version}, stopped")
        print(f"stations: {status.stations}")
    if status.quarantined:
        print(f"{counted(status.quarantined, 'station')} in quarantine: ocpp-bridge quarantine list")
    if status.refused_stations:
        print(f"{counted(status.refused_stations, 'station')} refused in the last 10 min: ocpp-bridge station attempts")
    shown = ", ".join(f"{name} {count}" for name, count in status.effective.items()) or "none"
    print(f"EVSEs: {status.evses} ({shown})")
    print_upstreams(UpstreamList(items=status.upstreams))
    for item in status.listeners:
        if item.certificate is not None:
            print(f"listener {item.name}: {_certificate_line(item.certificate)}")
    for warning in status.warnings:
        print(f"warning: {warning}")


def print_upstreams(upstreams: UpstreamList) -> None:
    """Print the accounts, and below them until when a certificate is valid and why one is experimental."""
    if not upstreams.items:
        print("no accounts")
        return
    header = ("account", "kind", "mode", "state", "set by", "backlog", "refused", "lag", "last accepted", "last error")
    print_table(header, (_upstream_row(item) for item in upstreams.items))
    for item in upstreams.items:
        if item.certificate is not None:
            print(f"{item.name}: {_certificate_line(item.certificate)}")
        if item.experimental is not None:
            print(f"{item.name}: experimental: {item.experimental}")


def _certificate_line(certificate: CertificateItem) -> str:
    day = f"{certificate.not_after:%Y-%m-%d}"
    if certificate.urgency is Urgency.EXPIRED:
        return f"certificate EXPIRED on {day}"
    return f"certificate valid until {day} ({counted(certificate.days, 'day')})"


def print_preview(preview: UpstreamPreview, console: Console) -> None:
    """Print what an account would be sent if it were live."""
    counts = f"{preview.known} known, {preview.unknown} unknown, {preview.absent} never heard of"
    evses = [f"{counted(preview.total, 'EVSE')} ({counts})"] if preview.total or not preview.documents else []
    told = [f"{count} to tell of: {_KINDS.get(kind, kind)}" for kind, count in preview.documents.items()]
    console.print(Text(f"{preview.name} ({preview.kind}), now {preview.mode}: {'; '.join([*evses, *told])}"))
    for word, count in preview.values.items():
        console.print(Text(f"  {word or 'deletion'}: {count}"))
    if preview.total and any(preview.documents.values()):
        console.print(
            Text(
                f"  documents go before statuses; each is shown by: ocpp-bridge upstream sync {preview.name} --dry-run"
            )
        )
    if preview.data is not None:
        missing = preview.total - preview.data
        console.print(Text(f"  data of {counted(preview.data, 'EVSE')} first; without listed data: {missing}"))
    if preview.foreign:
        named = ", ".join(preview.foreign[:_LONGEST_LIST])
        console.print(Text(f"  not sent, of another operator: {len(preview.foreign)} ({named})"))


_KINDS = {"temporary": "temporary statuses", "evse_data": "EVSEs' data", "station": "stations", "company": "companies"}


def print_inventory(inventory: InventoryList) -> None:
    """Print every connector."""
    if not inventory.items:
        print("the inventory is empty")
        return
    header = ("station", "version", "security", "evse", "connector", "EVSE id", "operator", "layer0")
    print_table(
        header,
        (
            (
                row.station,
                row.version or "",
                row.security or "insecure",
                row.evse or "",
                row.connector,
                row.evse_id,
                row.operator,
                row.layer0,
            )
            for row in inventory.items
        ),
    )


def print_listings(listings: ListingList) -> None:
    """Print what is listed; `--json` has every field."""
    if not listings.items:
        print("nothing is listed")
        return
    rows = ((item.kind, item.key, item.reference, counted(len(item.content), "field")) for item in listings.items)
    print_table(("kind", "name", "reference", "content"), rows)


def print_report(report: ImportReport, done: str = "imported") -> None:
    """Print what an import or an edit changed, or would change."""
    for line in change_lines(report):
        print(line)
    for warning in report.warnings:
        print(f"warning: {warning}")
    verb = done if report.applied else "nothing was changed; this would be"
    print(f"{verb}: " + (", ".join(_totals(report)) or "no change"))


def change_lines(report: ImportReport) -> list[str]:
    """Return a line for each change, and one for those that are too many to print."""
    lines: list[str] = []
    for noun, verb, names in _changes(report):
        lines += [f"{noun} {verb}: {name}" for name in names[:_LONGEST_LIST]]
        if len(names) > _LONGEST_LIST:
            lines.append(f"… and {counted(len(names) - _LONGEST_LIST, noun)} more {verb}; --json lists all")
    return lines


def row_error_line(file: str, error: RowError) -> str:
    """Return one mistake of an imported file as an operator reads it."""
    place = file if error.line == 0 else f"{file}:{error.line}"
    if not error.column and not error.value:
        return f"{place}: {error.problem}"
    shown = f" {json.dumps(error.value[:256], ensure_ascii=False)}" if error.value else ""
    return f"{place}: {error.column}{shown}: {error.problem}"


def _totals(report: ImportReport) -> list[str]:
    return [f"{counted(len(names), noun)} {verb}" for noun, verb, names in _changes(report) if names]


def _changes(report: ImportReport) -> list[tuple[str, str, Sequence[str]]]:
    return [
        ("station", "added", report.stations_added),
        ("station", "changed", report.stations_changed),
        ("station", "removed", report.stations_removed),
        ("EVSE", "added", report.evses_added),
        ("EVSE", "changed", report.evses_changed),
        ("EVSE", "removed", report.evses_removed),
        ("listing", "added", report.listings_added),
        ("listing", "changed", report.listings_changed),
        ("listing", "removed", report.listings_removed),
    ]


def _upstream_row(item: UpstreamItem) -> tuple[object, ...]:
    day = "%Y-%m-%d %H:%M:%S %Z"
    return (
        item.name,
        item.kind,
        item.mode,
        item.state,
        item.mode_by if item.mode_at is None else f"{item.mode_by}, {item.mode_at:{day}}",
        item.backlog if item.mode is Mode.LIVE else f"({item.would_send} if live)",
        item.refused,
        "" if item.lag_s is None else f"{item.lag_s:.0f} s",
        "" if item.last_accepted_at is None else f"{item.last_accepted_at:{day}}",
        item.held or item.last_error or _documents_error(item),
    )


def _documents_error(item: UpstreamItem) -> str:
    """Return what is wrong with what the hub is told besides statuses."""
    if item.documents_held is not None:
        return item.documents_held
    refused = counted(item.documents_refused, "document")
    return f"{refused} refused; see: ocpp-bridge upstream sync {item.name} --dry-run" if item.documents_refused else ""


def print_table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table, or a record per row where the terminal is too narrow for it."""
    console = Console(width=None if sys.stdout.isatty() else _PIPE_WIDTH, highlight=False)
    cells = [[Text(str(cell)) for cell in row] for row in rows]
    table = Table(box=None, pad_edge=False)
    for title in header:
        table.add_column(title, overflow="fold")
    for row in cells:
        table.add_row(*row)
    wide = console.options.update(width=_PIPE_WIDTH)
    if Measurement.get(console, wide, table).maximum <= console.width:
        console.print(table)
    else:
        _print_records(console, header, cells)


def _print_records(console: Console, header: Sequence[str], rows: Sequence[Sequence[Text]]) -> None:
    """Print each row as a block: its first cell, then a line for every other one that is not empty."""
    margin = max(len(title) for title in header) + 4
    for row in rows:
        console.print(row[0], style="bold", soft_wrap=True)
        for title, cell in zip(header[1:], row[1:], strict=True):
            if cell.plain:
                console.print(Text(f"  {title}".ljust(margin)) + cell, soft_wrap=True)
