"""Map an effective status to Chargeprice's charge point status.

Never corrects the standard's spelling: `maintainance` is the word on the wire. Twin: `oicp`.

Source: Chargeprice API, charge point status (draft), attribute `status`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from bridge.core.mapping.table import overridden
from bridge.core.model import EvseStatus

WORDS: Final = frozenset({"available", "occupied", "reserved", "maintainance", "unknown"})
"""Chargeprice's `status`, exactly."""

TABLE: Final[Mapping[EvseStatus, str]] = MappingProxyType(
    {
        EvseStatus.AVAILABLE: "available",
        EvseStatus.OCCUPIED: "occupied",
        EvseStatus.CHARGING: "occupied",
        EvseStatus.RESERVED: "reserved",
        EvseStatus.UNAVAILABLE: "maintainance",
        EvseStatus.FAULTED: "maintainance",
        EvseStatus.UNKNOWN: "unknown",
        EvseStatus.MAINTENANCE: "maintainance",
        EvseStatus.COMMISSIONING: "maintainance",
        EvseStatus.BLOCKED: "occupied",
    }
)
"""What Chargeprice is told for each effective status."""

GONE: Final = "unknown"
"""A removed EVSE cannot be deleted here: it is told as unknown, once."""


def table_with(overrides: Mapping[str, str]) -> Mapping[EvseStatus, str]:
    """Return the table with an account's overrides (effective status → word). Raises: ImpossibleWord."""
    return overridden(TABLE, overrides, WORDS)
