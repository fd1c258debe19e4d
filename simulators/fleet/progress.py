"""Show on stderr how a fleet is doing: live on a terminal, otherwise a line every few seconds.

Never touches the fleet. Before it: `fleet.summary`. After it: whoever looks.
"""

from __future__ import annotations

from datetime import timedelta
from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table

from simulators.fleet.fleet import Summary

_LINE_EVERY = timedelta(seconds=5)


class Progress:
    """A display that is open for as long as the fleet runs."""

    def __init__(self, console: Console, title: str) -> None:
        """Show on `console`, which should be stderr."""
        self._console = console
        self._title = title
        self._live = Live(console=console, auto_refresh=False, transient=True) if console.is_terminal else None
        self._next_line = timedelta()

    def __enter__(self) -> Self:
        """Begin to show."""
        if self._live is not None:
            self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the terminal as it was."""
        if self._live is not None:
            self._live.__exit__(kind, error, trace)

    def show(self, summary: Summary, elapsed: timedelta) -> None:
        """Show the numbers; `elapsed` is the time since the fleet began."""
        if self._live is not None:
            self._live.update(summary_table(self._title, summary, elapsed), refresh=True)
        elif elapsed >= self._next_line:
            self._next_line = elapsed + _LINE_EVERY
            self._console.print(summary_line(summary, elapsed), soft_wrap=True, highlight=False)


def summary_line(summary: Summary, elapsed: timedelta) -> str:
    """Return the numbers in one line."""
    return (
        f"{elapsed.total_seconds():.0f} s: {summary.connected}/{summary.stations} stations connected, "
        f"{summary.connections} connections, {summary.reports} reports, {summary.answered} answered, "
        f"{summary.errors} errors, {summary.refusals} refused, {summary.losses} network losses "
        f"({summary.power_cycles} restarts), answers p50 {_ms(summary.answer_ms_p50)} "
        f"p99 {_ms(summary.answer_ms_p99)}"
    )


def summary_table(title: str, summary: Summary, elapsed: timedelta) -> Group:
    """Return the numbers as a table under a title."""
    table = Table(show_header=False)
    errors = ", ".join(f"{kind} {count}" for kind, count in sorted(summary.errors_by_kind.items()))
    for name, value in (
        ("stations", f"{summary.connected} of {summary.stations} connected"),
        ("connections", f"{summary.connections} opened, {summary.refusals} refused"),
        ("network", f"{summary.losses} losses, {summary.power_cycles} of them restarts of a station"),
        ("reports", f"{summary.reports} sent ({_rate(summary.reports, elapsed)}), {summary.answered} answered"),
        ("errors", f"{summary.errors} {errors}".strip()),
        ("answer time", f"p50 {_ms(summary.answer_ms_p50)}, p99 {_ms(summary.answer_ms_p99)}"),
    ):
        table.add_row(name, value)
    return Group(f"{title} · {elapsed.total_seconds():.0f} s", table)


def _rate(count: int, elapsed: timedelta) -> str:
    seconds = elapsed.total_seconds()
    return f"{count / seconds:.0f}/s" if seconds > 0 else "–"


def _ms(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f} ms"
