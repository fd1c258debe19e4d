"""Hold what an operator decides about our answers to stations: the heartbeat interval, and who may charge.

Decides nothing else. Filled by the host's settings; read by `v16.replies`, `v201.replies` and `v21.replies`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import assert_never


class IdTagPolicy(StrEnum):
    """Which id tags (1.6) and id tokens (2.x) are authorised."""

    REJECT = "reject"
    LIST = "list"
    ACCEPT = "accept"


@dataclass(frozen=True, slots=True)
class ReplyOptions:
    """Settings of our answers."""

    heartbeat_interval: timedelta = timedelta(seconds=300)
    """Whole seconds."""
    id_tags: IdTagPolicy = IdTagPolicy.REJECT
    id_tag_list: frozenset[str] = frozenset()
    """Authorised tags where `id_tags` is LIST; upper and lower case are the same (CiString, IdentifierString)."""
    _folded: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_folded", frozenset(tag.casefold() for tag in self.id_tag_list))

    def authorises(self, id_tag: object) -> bool:
        """Tell whether the holder of this tag may charge."""
        match self.id_tags:
            case IdTagPolicy.REJECT:
                return False
            case IdTagPolicy.ACCEPT:
                return True
            case IdTagPolicy.LIST:
                return isinstance(id_tag, str) and id_tag.casefold() in self._folded
            case _:
                assert_never(self.id_tags)
