"""Hold what a listing file says, and what is wrong with it.

Values only. Before it: `parser`. After it: `store.listings`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bridge.core.model import EvseId

_LONGEST_SHOWN = 64


@dataclass(frozen=True, slots=True)
class ListingError:
    """One mistake in the file."""

    place: str
    """Section, what names the entry, and the field, for example `hubject.evse "DE*ABC*E1" Address.City`; empty: the
    file as a whole."""
    value: str
    """What is written there; empty where nothing is, or a table or list."""
    wanted: str
    """What is wrong and what would be right."""

    def __str__(self) -> str:
        place = self.place or "the file"
        if self.value:
            place += f" {self.value[:_LONGEST_SHOWN]!r}"
        return f"{place}: {self.wanted}"


class ListingInvalid(Exception):
    """The file has mistakes, and nothing of it was taken."""

    def __init__(self, errors: Sequence[ListingError]) -> None:
        super().__init__(tuple(errors))
        self.errors = tuple(errors)

    def __str__(self) -> str:
        return "\n".join(str(error) for error in self.errors)


@dataclass(frozen=True, slots=True)
class EvseDataListing:
    """One EVSE as Hubject is to describe it."""

    evse_id: EvseId
    content: Mapping[str, Any]
    """The record as it is sent. Source: OICP 2.3 CPO, EvseDataRecordType."""


@dataclass(frozen=True, slots=True)
class StationListing:
    """One station as Chargeprice is to describe it."""

    key: str
    """What tells it from the file's other stations."""
    reference: str
    """The station's UUID; empty where the file gives none."""
    content: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Listing:
    """What the file says; each name is in it once."""

    evse_data: tuple[EvseDataListing, ...] = ()
    stations: tuple[StationListing, ...] = ()
    warnings: tuple[str, ...] = ()
    """What is allowed and probably not meant."""


def shown(value: object) -> str:
    """Return a value as an error shows it: text as it is, a table or list not at all."""
    if value is None or isinstance(value, dict | list):
        return ""
    return value if isinstance(value, str) else json.dumps(value, default=str)


def merged(defaults: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Return `own` with what it does not say taken from `defaults`; nested tables merge, lists are replaced."""
    result = dict(defaults)
    for name, value in own.items():
        default = result.get(name)
        both = isinstance(value, dict) and isinstance(default, dict)
        result[name] = merged(default, value) if both and default is not None else value
    return result
