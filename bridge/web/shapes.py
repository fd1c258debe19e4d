"""Shape what the REST interface says and takes: one model for the answer, the command line and the tests.

Moments are RFC 3339 with an offset; what is not known is null. Never holds a secret.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from bridge.core.evse_problems import EvseProblem
from bridge.core.expiry import Urgency
from bridge.core.modes import Mode
from bridge.web.full_load_times import FullLoadTimes

DeliveryState = Literal["agreed", "pending", "deferred", "refused", "held", "off"]
UpstreamState = Literal["ok", "degraded", "held", "off", "dry_run"]

_EXPERIMENTAL = {
    "chargeprice": "the page that describes this interface is a draft, and Chargeprice's own guide names OCPI "
    "as the road for live statuses"
}


def experimental_reason(kind: str) -> str | None:
    """Return why pushing to a kind of hub is experimental; None where it is not."""
    return _EXPERIMENTAL.get(kind)


class Shape(BaseModel):
    """A JSON object with exactly these members."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Reported(Shape):
    """The last report of one connector; evse 0 is OCPP 1.6, connector 0 a report about the EVSE or station."""

    evse: int
    connector: int
    status: str
    received_at: AwareDatetime
    stale: bool


class DeliveryItem(Shape):
    """One account's view of an EVSE: what it should have, what it acknowledged, and why they differ."""

    desired: str
    acked: str | None
    acked_at: AwareDatetime | None
    state: DeliveryState
    why: str = ""
    http: int | None = None
    """HTTP status of the last answer; null: none yet."""
    code: str = ""
    """The hub's own code in its last answer."""
    reference: str = ""
    """The hub's reference of its last answer, for its support: Hubject's Process-ID."""


class EvseItem(Shape):
    """One EVSE: reported → effective → what each account acknowledged."""

    evse_id: str
    station: str
    connected: bool
    reported: tuple[Reported, ...]
    effective: str
    live: str
    rule: str
    changed_at: AwareDatetime | None
    deliveries: dict[str, DeliveryItem]
    operator: str = ""
    problems: tuple[EvseProblem, ...] = ()
    """What is wrong, the most urgent first; empty: nothing."""


class EvsePage(Shape):
    """EVSEs in the order that was asked for; `next_cursor` is null on the last page."""

    items: tuple[EvseItem, ...]
    next_cursor: str | None = None


class CertificateItem(Shape):
    """A certificate of ours, at a hub or to stations, and how near its end is."""

    subject: str
    not_before: AwareDatetime
    not_after: AwareDatetime
    days: int
    """Whole days that are left; negative: it is over."""
    urgency: Urgency
    warning: str = ""
    """What to know and to do; empty: nothing."""


class UpstreamItem(Shape):
    """One account: does it send, how far is it behind, and what went wrong last."""

    name: str
    kind: str
    mode: Mode
    mode_by: str = Field(default="configuration", description="who set the mode: an operator, or the configuration")
    mode_at: AwareDatetime | None = None
    state: UpstreamState
    backlog: int
    """Rows whose desired value is not acknowledged and will be sent; 0 where the account is not live."""
    would_send: int = 0
    """Rows that would be sent if the account were live; 0 where it is."""
    refused: int
    lag_s: float | None
    """Age in seconds of the oldest value that is not acknowledged; null: none, or the account is not live."""
    silent_s: float | None = None
    """Seconds without a status sent though one was due all the while; null: none is due, or the account is not live."""
    paused_until: AwareDatetime | None = None
    held: str | None = None
    """Why the account is held; null: it is not."""
    last_error: str = ""
    last_accepted_at: AwareDatetime | None = None
    documents_backlog: int = 0
    """Stations, companies and other documents whose content is not acknowledged, sent or not."""
    documents_refused: int = 0
    documents_held: str | None = None
    """Why documents are held, apart from statuses; null: they are not."""
    experimental: str | None = None
    """Why this kind of hub is experimental; null: it is not."""
    certificate: CertificateItem | None = None
    """null: the account shows none."""
    per_minute: int = 0
    """Requests per minute that we allow ourselves."""
    requests_last_minute: int | None = None
    """null: not counted here, since the bridge is stopped."""
    accepted_last_hour: int | None = None
    """Pushes since this process began, of the last hour at most."""
    failed_last_hour: int | None = None
    """Those that ended otherwise."""
    full_load: FullLoadTimes | None = None
    """Of statuses; null: the account has none."""
    data_full_load: FullLoadTimes | None = None
    """Of EVSE data; null: the account has none."""


class ListenerItem(Shape):
    """One address that stations connect to."""

    name: str
    secure: bool
    """Stations come over TLS, ours or a proxy's."""
    profiles: tuple[int, ...]
    """The OCPP security profiles that may use it."""
    certificate: CertificateItem | None = None
    """The one that ends first; null: it has none of its own."""


class UpstreamList(Shape):
    """Every account of the configuration, in its order."""

    items: tuple[UpstreamItem, ...]


class UpstreamPreview(Shape):
    """What an account would be sent if it were live now."""

    name: str
    kind: str
    mode: Mode
    total: int
    known: int
    """EVSEs whose effective status is known."""
    unknown: int
    """EVSEs that will be sent as unknown although their station was heard of."""
    absent: int
    """EVSEs of the inventory whose station was never heard of."""
    values: dict[str, int]
    """The hub's word → how many EVSEs."""
    documents: dict[str, int] = Field(
        default={}, description="what the hub is told besides statuses: kind → how many it has not acknowledged"
    )
    full_load: Literal["never", "confirmed", "auto"] | None = None
    """null: this kind of hub has none."""
    asks_full_load: bool = False
    """The first fullLoad waits for an operator's yes."""
    data: int | None = None
    """EVSEs whose data is sent before their statuses; null: the account sends none."""
    foreign: tuple[str, ...] = ()
    """EVSEs that are not sent: their ids are of another operator."""


class EnableRequest(Shape):
    """Body of POST …/enable."""

    mode: Literal["live", "dry_run"] = "live"
    confirm_full_load: bool = False


class RowError(Shape):
    """One mistake in an imported file; line 0 is the file as a whole, an empty column the row as a whole.

    In a listing file, which is not made of lines, `column` is the place.
    """

    line: int
    column: str
    value: str
    problem: str


class ImportRequest(Shape):
    """Body of POST /api/v1/inventory: a CSV file as text, and how to apply it."""

    csv: str
    prune: bool = False
    yes: bool = False
    dry_run: bool = False


class ImportReport(Shape):
    """What an import changed, or with `dry_run` would change."""

    applied: bool
    stations_added: tuple[str, ...] = ()
    stations_changed: tuple[str, ...] = ()
    stations_removed: tuple[str, ...] = ()
    evses_added: tuple[str, ...] = ()
    evses_changed: tuple[str, ...] = ()
    evses_removed: tuple[str, ...] = ()
    stations_unlisted: tuple[str, ...] = ()
    """In the inventory, not in the file, and kept."""
    evses_unlisted: tuple[str, ...] = ()
    listings_added: tuple[str, ...] = ()
    """Of a listing file: "evse_data DE*ABC*E1", "station NAME"."""
    listings_changed: tuple[str, ...] = ()
    listings_removed: tuple[str, ...] = ()
    listings_unlisted: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


class ListingRequest(Shape):
    """Body of POST /api/v1/listings: a TOML file as text, and how to apply it."""

    toml: str
    prune: bool = False
    yes: bool = False
    dry_run: bool = False


class ListingItem(Shape):
    """The static data of one EVSE or station, as imported."""

    kind: Literal["evse_data", "station"]
    key: str
    """EvseID, or the station's name in the file."""
    reference: str
    """UUID that the station has at the hub; empty for an EVSE."""
    content: dict[str, Any]


class ListingList(Shape):
    """Everything that is listed, ordered by kind and key."""

    items: tuple[ListingItem, ...]
    next_cursor: str | None = None


class InventoryRow(Shape):
    """One connector of the inventory; never a key."""

    station: str
    version: str | None
    """1.6 or 2.x: which of the two forms the address has."""
    security: int
    evse: int
    connector: int
    evse_id: str
    operator: str
    layer0: str
    chargeprice_station: str = ""
    chargeprice_point: str = ""
    spirii: bool = False
    """Temporary statuses are mirrored to Spirii."""


class InventoryList(Shape):
    """Every connector, in the order of station, evse, connector."""

    items: tuple[InventoryRow, ...]
    next_cursor: str | None = None
