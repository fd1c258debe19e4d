"""Map an effective status to each hub's own word: one module per kind of hub, the same names in each.

Never decides what the status is, and never sends a word that the hub's standard does not know: tables are data, and
what the configuration overrides is checked against the standard's words at start. Before it: `effective`. After it:
`reconcile`, whose `desired` is the word. The tables are explained in docs/mapping.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from bridge.core.mapping import chargeprice, oicp
from bridge.core.mapping.table import ImpossibleWord
from bridge.core.model import EvseStatus

__all__ = ["HubMapping", "ImpossibleWord", "UnknownKind", "mapping_for"]


class HubMapping(Protocol):
    """What each hub's module offers."""

    @property
    def WORDS(self) -> frozenset[str]:  # noqa: N802  # a module's constant
        """The hub's enum, exactly."""

    @property
    def TABLE(self) -> Mapping[EvseStatus, str]:  # noqa: N802  # a module's constant
        """The hub's word for every effective status."""

    @property
    def GONE(self) -> str:  # noqa: N802  # a module's constant
        """What a removed EVSE is told as; empty where the hub is asked to delete it."""

    def table_with(self, overrides: Mapping[str, str]) -> Mapping[EvseStatus, str]:
        """Return the table with the configuration's overrides. Raises: ImpossibleWord."""
        ...


class UnknownKind(ValueError):
    """A kind of hub that nothing here maps to."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind

    def __str__(self) -> str:
        return f"there is no kind of upstream {self.kind[:256]!r}: it must be oicp or chargeprice"


def mapping_for(kind: str) -> HubMapping:
    """Return the mapping of a kind of hub, "oicp" or "chargeprice". Raises: UnknownKind."""
    match kind:
        case "oicp":
            return oicp
        case "chargeprice":
            return chargeprice
        case _:
            raise UnknownKind(kind)
