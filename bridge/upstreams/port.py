"""State what a lane needs of an upstream: push one record or document, push the full set, close.

The conformance suite `tests/integration/upstreams/` runs against every implementation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from bridge.core.documents import DocumentKind, Learnt, Remote
from bridge.core.model import EvseId, Outcome
from bridge.upstreams.said import Said


@dataclass(frozen=True, slots=True)
class Record:
    """One EVSE's value for one account."""

    evse_id: EvseId
    value: str
    """The hub's own word; empty where `delete` is set."""
    known: bool | None = None
    """Does the hub know this EVSE (Hubject: True or None → update, False → insert)."""
    delete: bool = False
    station_ref: str = ""
    """The hub's id of the station, where its API wants one (Chargeprice)."""
    point_ref: str = ""
    """The hub's id of the EVSE, where it is not the EVSE id (Chargeprice charge point)."""


@dataclass(frozen=True, slots=True)
class Document:
    """What the hub is told besides statuses: one EVSE's data, one station, one company, one temporary status."""

    kind: DocumentKind
    key: str
    """EvseID, UUID, UUID, or our own id of the temporary status."""
    content: str
    """JSON; empty: delete it."""
    acked: str | None = None
    """What the hub acknowledged last; None: nothing yet."""
    known: bool | None = None
    """As in `Record`."""
    remote: Remote = field(default_factory=Remote)
    foreign: frozenset[str] = frozenset()
    """Hub's ids that are known not to be this document's: made by others, or another document's of ours. Filled where
    an answer was lost, since only then something there may be taken for ours."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A temporary status as the hub's own list shows it."""

    remote_id: str
    evse_id: str
    kind: str
    valid_from: str
    valid_to: str | None
    content: str
    """As `Document.content` would be for it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The outcome of one push, and what an operator will want to quote."""

    outcome: Outcome
    http: int | None = None
    code: str = ""
    """The hub's own code, for example "000" or "VERSION_CONFLICT"."""
    reference: str = ""
    """The hub's reference for support, for example Hubject's Process-ID."""
    millis: int = 0
    learnt: Learnt = field(default_factory=Learnt)
    """What it taught about the document that was sent."""
    requests: int = 1
    """How many requests the push took; each counts at the account's rate."""
    pause_s: float = 0.0
    """The hub's own rate limit asks for this pause (seconds), whatever the outcome."""
    entries: tuple[Entry, ...] | None = None
    """What the hub holds, for a survey that it answered."""
    said: tuple[Said, ...] = field(default=(), compare=False)
    """Each request that the push took and its answer, masked and cut; empty: none left."""


class Upstream(Protocol):
    """One account's connection to its hub. One request at a time; the lane sees to that.

    What a hub has no request for raises: the account's options say what it is asked for. Adapters inherit from this.
    """

    kind: str
    """ "oicp", "chargeprice" or "spirii". """
    takes_full_load: bool
    """Can the hub be given the whole set of statuses in one request."""
    per_minute: int
    """Requests per minute that we allow ourselves."""

    async def push(self, record: Record) -> Answer:
        """Send one record and return what the answer means; never raises for the hub's or the network's faults.

        Bounded by the configured connect and total timeouts. Cancellation closes the request; its effect is in doubt.
        """
        raise AssertionError(f"{self.kind} takes no statuses: {record.evse_id}")

    async def full_load(self, records: Sequence[Record]) -> Answer:
        """Replace everything the account has by `records`, in one request. Only where `takes_full_load`."""
        raise AssertionError(f"{self.kind} has no request for the whole set: {len(records)} records go out singly")

    async def push_document(self, document: Document) -> Answer:
        """Send one document; as `push`. Only of the account's `DocumentOptions.kinds`.

        It may take several requests, one after the other: a conflict of versions is read and answered at once.
        """
        raise AssertionError(f"{self.kind} takes no {document.kind}")

    async def full_load_documents(self, documents: Sequence[Document]) -> Answer:
        """Replace all documents that the account has of this kind, in one request. Only where the hub has that."""
        raise AssertionError(f"{self.kind} has no request for all documents: {len(documents)} go out singly")

    async def survey(self) -> Answer:
        """Read what the hub holds of this kind, ours and others'. Only where the hub has a list."""
        raise AssertionError(f"{self.kind} has no list")

    async def close(self) -> None:
        """Close the connections."""
        ...
