"""Notice stations that connect again and again, so that they are asked later each time.

Pure; moments are monotonic seconds. Some stations end their connection whenever they are asked something early: without
this they would be asked early for ever. Before it: `server`. After it: the waits of `resync_plan`.

Source: docs/hardware.md #30: MG, StarCharge and Wallbox Copper SB reconnect every minute or faster until power cycled.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from csms.events import StationId
from csms.options import ServerOptions

WINDOW_S = 120.0
"""A connection that follows the one before it within this is one of a row."""
_UNTOUCHED = 2
"""Connections of a row that change nothing: a network that blinks, a Boot after a probe."""
_LONGEST = timedelta(minutes=5)
_FEW = 1024
"""Stations that are remembered before the old ones are looked for and forgotten."""


class Reconnects:
    """How many connections in a row each station has opened, each soon after the one before it."""

    def __init__(self) -> None:
        self._rows: dict[StationId, tuple[float, int]] = {}
        self._crowded = _FEW

    def __len__(self) -> int:
        return len(self._rows)

    def connected(self, station: StationId, now: float) -> int:
        """Note a connection, and return how many of a row were before it."""
        last, row = self._rows.get(station, (now - WINDOW_S, 0))
        row = row + 1 if now - last < WINDOW_S else 0
        self._rows[station] = (now, row)
        if len(self._rows) > self._crowded:
            self._forget(now)
        return row

    def _forget(self, now: float) -> None:
        self._rows = {station: kept for station, kept in self._rows.items() if now - kept[0] < WINDOW_S}
        self._crowded = max(_FEW, 2 * len(self._rows))


def calmer(options: ServerOptions, row: int) -> ServerOptions:
    """Return the options with settle times that double with each connection of the row from the third on.

    At most 5 min, and never less than they were.
    """
    doublings = min(row - _UNTOUCHED + 1, 16)
    if doublings < 1:
        return options

    def longer(settle: timedelta) -> timedelta:
        return max(settle, min(settle * (1 << doublings), _LONGEST))

    return replace(options, settle=longer(options.settle), settle_after_boot=longer(options.settle_after_boot))
