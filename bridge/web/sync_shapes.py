"""Shape how an account differs from its hub, and the orders about it. Twin: `shapes`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from bridge.core.differences import Standing
from bridge.core.modes import Mode
from bridge.web.shapes import Shape

DELETABLE = ("station", "company")
"""Kinds of documents that are deleted at the hub on request only."""


class FieldChangeItem(Shape):
    """One field that differs; null: it is not there."""

    field: str
    old: str | None
    new: str | None


class DocumentDifference(Shape):
    """One document that is not as the hub acknowledged it, or that is no longer wanted."""

    kind: str
    key: str
    name: str = ""
    """What people call it, where it has a name."""
    standing: Standing
    changes: tuple[FieldChangeItem, ...] = ()
    why: str = ""
    """Why the hub refused it, or why the last attempt failed."""


class RefusedItem(Shape):
    """An EVSE whose status the hub refuses."""

    evse_id: str
    value: str
    why: str


class ForeignItem(Shape):
    """An entry that others made at the hub: shown, never touched."""

    remote_id: str
    evse_id: str
    kind: str
    valid_from: str
    valid_to: str | None


class SyncReport(Shape):
    """What an account should have and what its hub acknowledged."""

    name: str
    kind: str
    mode: Mode
    documents: tuple[DocumentDifference, ...] = ()
    documents_agreed: int = 0
    statuses: dict[str, int] = Field(default_factory=dict)
    """agreed, new, changed, again, refused or leaving → how many EVSEs."""
    refused: tuple[RefusedItem, ...] = ()
    """The first hundred of them, by EVSE id."""
    foreign: tuple[ForeignItem, ...] = ()
    held: str | None = None
    documents_held: str | None = None
    """Why documents are held, apart from statuses: a key may write the one and not the other."""
    ordered: bool = False
    """What differs was made due at once."""

    @property
    def to_send(self) -> int:
        """How many documents and statuses differ and would be sent."""
        quiet = (Standing.AGREED, Standing.WITHDRAWN)
        documents = sum(document.standing not in quiet for document in self.documents)
        return documents + sum(count for standing, count in self.statuses.items() if standing not in quiet)


class SyncRequest(Shape):
    """Body of POST …/sync."""

    forget: bool = False
    """Send everything again, agreed or not."""


class Deletion(Shape):
    """A document whose deletion at the hub was ordered."""

    name: str
    kind: Literal["station", "company"]
    key: str
