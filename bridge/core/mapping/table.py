"""Check and apply what a configuration overrides in a hub's mapping table.

Holds no table. Before it: the hubs' modules beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from types import MappingProxyType
from typing import Final

from bridge.core.model import EvseStatus

_LONGEST_SHOWN: Final = 256


class ImpossibleWord(ValueError):
    """An override that names no status of ours, or a word that the hub does not take."""

    def __init__(self, key: str, value: str, wanted: str) -> None:
        super().__init__(key, value, wanted)
        self.key = key
        """The effective status as the configuration wrote it."""
        self.value = value
        """The hub's word as the configuration wrote it."""
        self.wanted = wanted
        """What would be right."""

    def __str__(self) -> str:
        shown = f"{self.key[:_LONGEST_SHOWN]} = {self.value[:_LONGEST_SHOWN]!r}"
        return f"mapping {shown} is impossible: {self.wanted}"


def overridden(
    table: Mapping[EvseStatus, str], overrides: Mapping[str, str], words: Set[str]
) -> Mapping[EvseStatus, str]:
    """Return the table with the overrides in place. `words` are those that may be sent. Raises: ImpossibleWord."""
    changed = dict(table)
    for key, value in overrides.items():
        if key not in set(EvseStatus):
            raise ImpossibleWord(key, value, f"the status must be one of {', '.join(EvseStatus)}")
        if value not in words:
            raise ImpossibleWord(key, value, f"the hub's word must be one of {', '.join(sorted(words))}")
        changed[EvseStatus(key)] = value
    return MappingProxyType(changed)
