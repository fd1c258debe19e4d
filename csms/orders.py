"""Name what operators order of stations, in one vocabulary for every OCPP version.

Holds no version's wording: that is `v16.requests` and `v201.requests`. Before it: `verbs`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from csms.events import ConnectorAddress

WHOLE_STATION = ConnectorAddress(0, 0)


class ResetKind(StrEnum):
    """Whether a station may finish what it does before it restarts."""

    SOFT = "soft"
    HARD = "hard"


@dataclass(frozen=True, slots=True)
class Request:
    """One CALL, worded for a version."""

    action: str
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Setting:
    """One configuration key (1.6) or variable (2.x, as Component.Variable) as a station tells it."""

    key: str
    value: str | None
    """None where the station has none or does not tell it."""
    readonly: bool | None
    """None where the version's answer does not say."""
    status: str
    """Accepted, or why there is no value: UnknownKey (1.6, our word), or the 2.x attributeStatus."""


class Impossible(Exception):
    """The station's OCPP version cannot be asked this; nothing was sent."""

    def __init__(self, field: str, wanted: str) -> None:
        super().__init__(field, wanted)
        self.field = field
        """Name of the order's member, for example "evse"."""
        self.wanted = wanted
        """What would be right."""

    def __str__(self) -> str:
        """Return the text for the operator."""
        return f"{self.field}: {self.wanted}"
