"""Map an effective status to OICP's EvseStatus, as Hubject takes it.

Never sends EvseNotFound: it is the hub's answer about ids that it does not know. Twin: `chargeprice`.

Source: OICP 2.3 CPO data types, EvseStatusType; for temporary statuses Spirii's published table
(temporary-evse-statuses v2). The guide's own table has two column headers swapped: docs/mapping.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from bridge.core.mapping.table import overridden
from bridge.core.model import EvseStatus

WORDS: Final = frozenset({"Available", "Reserved", "Occupied", "OutOfService", "EvseNotFound", "Unknown"})
"""OICP 2.3 EvseStatusType, exactly."""

TABLE: Final[Mapping[EvseStatus, str]] = MappingProxyType(
    {
        EvseStatus.AVAILABLE: "Available",
        EvseStatus.OCCUPIED: "Occupied",
        EvseStatus.CHARGING: "Occupied",
        EvseStatus.RESERVED: "Reserved",
        EvseStatus.UNAVAILABLE: "OutOfService",
        EvseStatus.FAULTED: "OutOfService",
        EvseStatus.UNKNOWN: "Unknown",
        EvseStatus.MAINTENANCE: "OutOfService",
        EvseStatus.COMMISSIONING: "OutOfService",
        EvseStatus.BLOCKED: "Occupied",
    }
)
"""What Hubject is told for each effective status."""

GONE: Final = ""
"""A removed EVSE is deleted (ActionType delete), which needs no word."""


def table_with(overrides: Mapping[str, str]) -> Mapping[EvseStatus, str]:
    """Return the table with an account's overrides (effective status → word). Raises: ImpossibleWord."""
    return overridden(TABLE, overrides, WORDS - {"EvseNotFound"})
