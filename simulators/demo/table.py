"""Show a view on a terminal, or as one line where there is none.

Pure: a view in, something to print out. Before it: `view`. After it: `session`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from rich import box
from rich.console import Group, RenderableType
from rich.constrain import Constrain
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
"""Lines around the rows: totals (two in a narrow terminal), the table's head and foot, legend (two) and note."""
_MOST_COLUMNS = 110
"""A wider table would only part what belongs together."""
_PENDING = "…"
_LEGEND = "… a newer value is on its way (a freed EVSE counts after 2 s) · Ctrl-C ends"
_WIDEST_STATUS = len("unavailable") + len(_PENDING)
_WIDEST_WORD = len("OutOfService") + len(_PENDING)
_LEAST_ROWS = 5


def screen(view: View, height: int) -> RenderableType:
    """Return the whole screen. Where the rows do not fit into `height` lines, pages of them follow each other."""
    rows, which = page(view.rows, height - _FRAME_LINES - len(view.hubs), view.elapsed)
    parts: list[RenderableType] = [_totals(view), *(_hub(view, index) for index in range(len(view.hubs)))]
    parts.append(Constrain(_table(view, rows), _MOST_COLUMNS))
    parts.append(Text(f"EVSEs {which} · {_LEGEND}", style="dim"))
    if view.note:
        parts.append(Text(view.note, style="bold red"))
    return Group(*parts)


def page(rows: Sequence[Row], fitting: int, elapsed: timedelta) -> tuple[Sequence[Row], str]:
    """Return the rows to show now, and which they are, in words."""
    most = max(fitting, _LEAST_ROWS)
    if len(rows) <= most:
        return rows, f"1–{len(rows)}"
    pages = -(-len(rows) // most)
    size = -(-len(rows) // pages)
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
    """Return the table; in a narrow terminal what was reported is cut, and nothing else."""
    table = Table(box=box.SIMPLE_HEAD, expand=True, show_edge=False, padding=0)
    table.add_column("EVSE", no_wrap=True)
    table.add_column("reported", no_wrap=True, ratio=1)
    table.add_column("→ effective", no_wrap=True, min_width=_WIDEST_STATUS)
    for hub in view.hubs:
        table.add_column(f"→ {hub.name}", no_wrap=True, min_width=_WIDEST_WORD)
    table.add_column("age", justify="right", no_wrap=True, min_width=5)
    for row in rows:
        table.add_row(
            Text(row.evse_id, style="" if row.connected else "dim"),
            row.reported if row.connected else f"(offline) {row.reported}",
            Text(row.effective + (_PENDING if row.held else ""), style=_COLOURS.get(row.effective, "")),
            *(_acked(row.acked.get(hub.name)) for hub in view.hubs),
            UNKNOWN if row.age is None else f"{row.age.total_seconds():.0f} s",
        )
    return table


def _acked(acked: Acked | None) -> Text:
    if acked is None:
        return Text(UNKNOWN, style="dim")
    return Text(acked.word) if acked.settled else Text(acked.word + _PENDING, style="yellow")
