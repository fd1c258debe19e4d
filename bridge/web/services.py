"""State what the web needs of the bridge: a few questions and orders, each one awaitable.

Holds no implementation. `bridge.app` supplies one over the open store; `bridge.cli.client` one over a running
bridge's REST interface; so a command is written once. Their expected failures are the exceptions here.

    ServiceError
    ├── NotFound         nothing has this name
    ├── Conflict         it exists, but its state forbids the order
    │   └── NeedsYes     the import removes much of the inventory: say yes first
    ├── ValueRefused     a value of the order is impossible; names its field
    ├── Changed          it is not as whoever orders has seen it
    ├── WrongCursor      no page of this list gave this cursor
    ├── RowsRefused      the imported file has mistakes; nothing was changed
    └── Unavailable      the store cannot be read or written now
        └── NotRunning   only a running bridge can do this
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from bridge.core.modes import Mode
from bridge.web.connector_shapes import ConnectorPage
from bridge.web.delivery_services import DeliveryServices
from bridge.web.event_services import EventServices
from bridge.web.evse_counts import EvseCounts
from bridge.web.evse_query import EvseQuery
from bridge.web.explanation_services import ExplanationServices
from bridge.web.full_load_shapes import FullLoadItem, FullLoadRequest, Scope
from bridge.web.health_shapes import Health, Readiness, Status
from bridge.web.history_services import HistoryServices
from bridge.web.inventory_services import InventoryEdits
from bridge.web.key_services import KeyServices
from bridge.web.page import Page
from bridge.web.quarantine_services import QuarantineServices
from bridge.web.quirk_services import QuirkServices
from bridge.web.shapes import (
    EvseItem,
    EvsePage,
    ImportReport,
    ImportRequest,
    InventoryList,
    ListingList,
    ListingRequest,
    RowError,
    UpstreamItem,
    UpstreamList,
    UpstreamPreview,
)
from bridge.web.station_services import StationServices
from bridge.web.sync_shapes import Deletion, SyncReport
from bridge.web.temporary_services import TemporaryServices
from bridge.web.wire_services import WireLogServices

if TYPE_CHECKING:
    from bridge.web.meters import Meters


class ServiceError(Exception):
    """An order or question that cannot be met; its text is for the operator."""


@dataclass
class NotFound(ServiceError):
    """Nothing has this name."""

    what: str
    """Kind of thing, for example "account"."""
    name: str

    def __str__(self) -> str:
        """Return the text for the operator."""
        return f"there is no {self.what} {self.name[:256]!r}"


class Conflict(ServiceError):
    """It exists, but its state or the configuration forbids the order."""


class NeedsYes(Conflict):
    """The import would remove more than one may without saying yes."""

    def __init__(self, text: str, report: ImportReport) -> None:
        super().__init__(text)
        self.report = report


@dataclass
class ValueRefused(ServiceError):
    """A value of the order is impossible."""

    field: str
    """Name of the member in our shapes, for example "valid_to"."""
    wanted: str
    """What would be right."""

    def __str__(self) -> str:
        """Return the text for the operator."""
        return f"{self.field}: {self.wanted}" if self.field else self.wanted


class WrongCursor(ServiceError):
    """No page of this list gave this cursor."""

    def __str__(self) -> str:
        """Return the text for the operator."""
        return "cursor should be the next_cursor of an earlier page of this list; leave it out for the first page"


class Changed(ServiceError):
    """It is not as whoever orders the change has seen it."""

    def __str__(self) -> str:
        """Return the text for the operator."""
        usual = "it has changed since you read it: read it again, and send If-Match with its new ETag"
        return str(self.args[0]) if self.args else usual


class RowsRefused(ServiceError):
    """The imported file has mistakes; nothing was changed."""

    def __init__(self, errors: Sequence[RowError], what: Literal["inventory", "listing"] = "inventory") -> None:
        super().__init__(errors)
        self.errors = tuple(errors)
        self.what = what

    def __str__(self) -> str:
        """Return the text for the operator."""
        count = "1 mistake" if len(self.errors) == 1 else f"{len(self.errors)} mistakes"
        return f"{count} in the {self.what}; nothing was changed"


class Unavailable(ServiceError):
    """The store cannot be read or written now; the same request may succeed later."""


class NotRunning(Unavailable):
    """Only a running bridge can do this: no station is connected to a stopped one."""


class WebServices(Protocol):
    """What the web and the command line ask for. Every method may raise Unavailable."""

    @property
    def temporaries(self) -> TemporaryServices:
        """What there is about temporary statuses."""
        ...

    @property
    def stations(self) -> StationServices:
        """What there is about stations."""
        ...

    @property
    def quarantine(self) -> QuarantineServices:
        """What there is about unknown stations and refused attempts."""
        ...

    @property
    def wire_log(self) -> WireLogServices:
        """What was kept of the frames of each station."""
        ...

    @property
    def quirks(self) -> QuirkServices:
        """What there is about quirk profiles."""
        ...

    @property
    def explanations(self) -> ExplanationServices:
        """Why EVSEs show what they show."""
        ...

    @property
    def history(self) -> HistoryServices:
        """What EVSEs were."""
        ...

    @property
    def events(self) -> EventServices:
        """What changes, as it changes."""
        ...

    @property
    def meters(self) -> Meters | None:
        """What is counted as it happens; None where nothing happens here: a stopped bridge, or one asked over REST."""
        ...

    @property
    def deliveries(self) -> DeliveryServices:
        """What there is about requests to hubs."""
        ...

    @property
    def inventory_edits(self) -> InventoryEdits:
        """Single stations and EVSEs of the inventory."""
        ...

    @property
    def api_keys(self) -> KeyServices:
        """What there is about operators' keys."""
        ...

    async def status(self) -> Status:
        """Return the bridge at a glance."""
        ...

    async def ready(self) -> Readiness:
        """Return whether statuses can be recorded; never raises."""
        ...

    async def health(self) -> Health:
        """Return how each part of the bridge does; never raises."""
        ...

    async def list_evses(self, query: EvseQuery) -> EvsePage:
        """Return a page of the EVSEs that the query asks for. Raises: NotFound (its account), WrongCursor."""
        ...

    async def count_evses(self, operators: frozenset[str] | None = None) -> EvseCounts:
        """Return how many EVSEs there are of each kind; only of these operators, None: of all."""
        ...

    async def get_evse(self, evse_id: str) -> EvseItem:
        """Return one EVSE, in any spelling of its id. Raises: NotFound."""
        ...

    async def list_connectors(
        self,
        page: Page | None = None,
        *,
        station: str | None = None,
        evse_id: str | None = None,
        operators: frozenset[str] | None = None,
    ) -> ConnectorPage:
        """Return connectors with what was reported, all without a page; only of these operators, None: of all.

        Raises: WrongCursor.
        """
        ...

    async def list_upstreams(self) -> UpstreamList:
        """Return every account of the configuration."""
        ...

    async def get_upstream(self, name: str) -> UpstreamItem:
        """Return one account. Raises: NotFound."""
        ...

    async def upstream_preview(self, name: str) -> UpstreamPreview:
        """Return what the account would be sent if it were live now. Raises: NotFound."""
        ...

    async def set_mode(self, name: str, mode: Mode, *, confirm_full_load: bool, by: str) -> UpstreamItem:
        """Store an account's mode and return the account.

        `confirm_full_load` True stores the operator's yes to a fullLoad; False leaves what was stored.

        Raises: NotFound; Conflict where the configuration forces the account off.
        """
        ...

    async def sync_preview(self, name: str) -> SyncReport:
        """Return how what the account should have differs from what its hub acknowledged. Raises: NotFound."""
        ...

    async def sync(self, name: str, *, forget: bool) -> SyncReport:
        """Make what differs due at once, with `forget` everything, and return what differed. Raises: NotFound."""
        ...

    async def delete_document(self, name: str, kind: str, key: str) -> Deletion:
        """Order the deletion at the hub of a station or company that is no longer wanted.

        Raises: NotFound; Conflict where it is still wanted.
        """
        ...

    async def import_inventory(self, request: ImportRequest) -> ImportReport:
        """Apply an inventory file as a whole or not at all. Raises: RowsRefused, NeedsYes."""
        ...

    async def list_inventory(self, page: Page | None = None) -> InventoryList:
        """Return the connectors of the inventory, all without a page. Raises: WrongCursor."""
        ...

    async def export_inventory(self) -> str:
        """Return the inventory as the CSV file that would bring it in again, without keys."""
        ...

    async def import_listing(self, request: ListingRequest) -> ImportReport:
        """Apply a listing file as a whole or not at all. Raises: RowsRefused, NeedsYes."""
        ...

    async def list_listings(self, page: Page | None = None) -> ListingList:
        """Return what is listed, all without a page. Raises: WrongCursor."""
        ...

    async def full_load_preview(self, name: str, scope: Scope) -> FullLoadItem:
        """Return what a fullLoad would change at the hub. Raises: NotFound; Conflict where the account has none."""
        ...

    async def order_full_load(self, name: str, request: FullLoadRequest) -> FullLoadItem:
        """Ask for a fullLoad, which goes out as soon as the account may send, and return what it changes.

        Raises: NotFound; Conflict where the account has none, or where it would wipe out what the hub has and that is
        not confirmed.
        """
        ...
