"""Say what is wrong with a station, so that somebody should look at it: one list, for filters, pages and order.

Pure. Beside it: `store.station_search`, which asks it of the database; `evse_problems`, of EVSEs.
"""

from __future__ import annotations

from enum import StrEnum


class StationProblem(StrEnum):
    """What is wrong, the most urgent first."""

    OFFLINE = "offline"
    """It was connected before, and is not now."""
    SILENT = "silent"
    """It is connected, and leaves our requests without an answer."""
    NEVER_CONNECTED = "never_connected"
    """The inventory has it, and it has never come."""
