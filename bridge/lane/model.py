"""Name what a lane works with: its options, what it is told to do next, and what a request carried.

Values only. Neighbours: `turns` and `settling` make and read them in the writer's thread, `shell` on the event loop.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bridge.core.documents import DocumentKind
from bridge.core.full_load import FullLoadOptions, FullLoadPolicy
from bridge.core.model import AccountName
from bridge.core.modes import Mode
from bridge.core.reconcile import ReconcileOptions
from bridge.store.documents import DocumentName
from bridge.store.stations import EvseKey
from bridge.upstreams.port import Answer, Document, Record


@dataclass(frozen=True, slots=True)
class DocumentOptions:
    """What an account sends besides statuses, before them and at a pace of its own."""

    kinds: frozenset[DocumentKind]
    per_minute: int
    """Documents per minute; they count towards the account's own rate as well."""
    full_load: FullLoadOptions = field(default_factory=lambda: FullLoadOptions(policy=FullLoadPolicy.NEVER))
    """Of data; the policy is never where the hub has no such request."""
    survey_every: timedelta | None = None
    """How often the hub's own list is read; None: it has none."""

    @property
    def gate_statuses(self) -> bool:
        """Does a status wait for its EVSE's data."""
        return DocumentKind.EVSE_DATA in self.kinds


@dataclass(frozen=True, slots=True)
class LaneOptions:
    """How one account is served; filled from the configuration."""

    account: AccountName
    configured_mode: Mode | None
    """None: the configuration says nothing."""
    per_minute: int
    """Requests per minute that we allow ourselves."""
    reconcile: ReconcileOptions
    full_load: FullLoadOptions
    documents: DocumentOptions | None = None
    """None: statuses only."""
    idle: timedelta = timedelta(seconds=5)
    """How long a lost wake-up can go unnoticed."""
    longest_request: timedelta = timedelta(minutes=5)
    """What takes longer from the first byte sent to the answer hangs, though each of its exchanges has a timeout."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What a request carried: the value of each row, as it was when it was sent."""

    values: Mapping[EvseKey, str]
    at: datetime
    """Steady time at which the rows were marked in flight: names the request that an answer settles."""
    full: bool = False
    records: int = 1
    seq: int = 0
    """`desired_seq` of the row, where it carried one alone."""
    since: tuple[datetime, ...] = ()
    """Since when (steady) the hub has not had the value, of each row whose value it had not acknowledged."""


@dataclass(frozen=True, slots=True)
class SentDocuments:
    """As `Sent`, of documents."""

    values: Mapping[DocumentName, str]
    at: datetime
    full: bool = False
    records: int = 1
    seq: int = 0


@dataclass(frozen=True, slots=True)
class SentSurvey:
    """The hub's list was asked for."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Settling:
    """A request that ended and how."""

    sent: Sent | SentDocuments | SentSurvey
    answer: Answer
    number: int
    """Of the requests that this owner of the lane has sent: with the lane's epoch it names this one."""


@dataclass(frozen=True, slots=True)
class SendOne:
    """Send this record."""

    record: Record
    sent: Sent


@dataclass(frozen=True, slots=True)
class SendAll:
    """Send the full set."""

    records: tuple[Record, ...]
    sent: Sent
    why: str


@dataclass(frozen=True, slots=True)
class SendDocument:
    """Send this document."""

    document: Document
    sent: SentDocuments


@dataclass(frozen=True, slots=True)
class SendAllDocuments:
    """Send the full set of documents."""

    documents: tuple[Document, ...]
    sent: SentDocuments
    why: str


@dataclass(frozen=True, slots=True)
class Survey:
    """Read what the hub holds."""

    sent: SentSurvey


@dataclass(frozen=True, slots=True)
class Rest:
    """Nothing to send before `until` (steady), or before a wake-up."""

    until: datetime | None
    why: str
    guarded: str | None = None
    """Why a fullLoad that is wanted is not sent."""
    withheld: tuple[tuple[str, str], ...] = ()
    """dry_run: (EVSE id or document, value) of the rows that would be sent now."""


DocumentTodo = SendDocument | SendAllDocuments | Survey
Todo = SendOne | SendAll | DocumentTodo | Rest


class LaneLost(Exception):
    """Another process took this account's lane over; this one must send nothing more for it."""
