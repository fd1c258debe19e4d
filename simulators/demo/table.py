"""Show a view on a terminal, or as one line where there is none.

Pure: a view in, something to print out. Before it: `view`. After it: `session`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from simulators.demo.view import UNKNOWN, Acked, Row, View

_COLOURS = {
    "available": "green",
    "occupied": "yellow",
    "charging": "cyan",
    "reserved": "magenta",
    "unavailable": "red",
    "faulted": "bold red",
    "unknown": "dim",
}
_PAGE_FOR = timedelta(seconds=4)
_FRAME_LINES = 9
"""Lines around the rows: totals, hubs, the table's head and foot."""
_LEAST_ROWS = 5


def screen(view: View, height: int) -> RenderableType:
    """Return the whole screen. Where the rows do not fit into `height` lines, pages of them follow each other."""
    rows, which = page(view.rows, height - _FRAME_LINES - len(view.hubs), view.elapsed)
    parts: list[RenderableType] = [_totals(view), *(_hub(view, index) for index in range(len(view.hubs)))]
    parts.append(_table(view, rows))
    parts.append(Text(f"EVSEs {which}" + (f" · {view.note}" if view.note else ""), style="dim"))
    return Group(*parts)


def page(rows: Sequence[Row], fitting: int, elapsed: timedelta) -> tuple[Sequence[Row], str]:
    """Return the rows to show now, and which they are, in words."""
    size = max(fitting, _LEAST_ROWS)
    if len(rows) <= size:
        return rows, f"1–{len(rows)}"
    pages = -(-len(rows) // size)
    first = (elapsed // _PAGE_FOR % pages) * size
    last = min(first + size, len(rows))
    return rows[first:last], f"{first + 1}–{last} of {len(rows)}, the others follow"


def compact_line(view: View) -> str:
    """Return the view in one line."""
    totals = ", ".join(f"{count} {status}" for status, count in view.effective_totals())
    hubs = "; ".join(
        f"{hub.name} {hub.state}, acked {view.acked_by(hub.name)}/{len(view.rows)}, "
        f"backlog {hub.backlog}, lag {hub.lag}"
        for hub in view.hubs
    )
    return (
        f"{view.elapsed.total_seconds():.0f} s: {view.connected}/{view.stations} stations, "
        f"{view.answered}/{view.reports} reports answered; {totals or 'no EVSEs'}; {hubs or 'no hubs'}"
        + (f"; {view.note}" if view.note else "")
    )


def _totals(view: View) -> Text:
    text = Text.assemble(
        (f"{view.elapsed.total_seconds():.0f} s", "bold"),
        f"  {view.connected}/{view.stations} stations connected  {view.answered}/{view.reports} reports answered  ",
    )
    for status, count in view.effective_totals():
        text.append(f"{count} {status}  ", style=_COLOURS.get(status, ""))
    return text


def _hub(view: View, index: int) -> Text:
    hub = view.hubs[index]
    return Text.assemble(
        (f"{hub.name:<12}", "bold"),
        f" {hub.mode} {hub.state}  acked {view.acked_by(hub.name)}/{len(view.rows)}",
        f"  backlog {hub.backlog}  lag {hub.lag}",
    )


def _table(view: View, rows: Sequence[Row]) -> Table:
    table = Table(expand=True, pad_edge=False)
    for heading in ("EVSE", "reported", "effective", *(hub.name for hub in view.hubs)):
        table.add_column(heading, no_wrap=True)
    table.add_column("age", justify="right", no_wrap=True)
    for row in rows:
        table.add_row(
            Text(row.evse_id, style="" if row.connected else "dim"),
            row.reported if row.connected else f"{row.reported} (offline)",
            Text(row.effective, style=_COLOURS.get(row.effective, "")),
            *(_acked(row.acked.get(hub.name)) for hub in view.hubs),
            UNKNOWN if row.age is None else f"{row.age.total_seconds():.0f} s",
        )
    return table


def _acked(acked: Acked | None) -> Text:
    if acked is None:
        return Text(UNKNOWN, style="dim")
    return Text(acked.word) if acked.settled else Text(f"{acked.word} …", style="yellow")
