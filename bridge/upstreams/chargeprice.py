"""Push EVSE statuses to Chargeprice: PUT .../charge_points/{id}/status, which its own documentation calls a draft.

Never chooses what or when to push: that is `bridge.core.reconcile` and `bridge.lane`. Its twin is `oicp`. Stations and
companies are `chargeprice_resources`.
"Charge point" is Chargeprice's word for an EVSE. Source: Chargeprice API, charge point status update [DRAFT].
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from bridge.core.identifiers import canonical
from bridge.core.mapping.until import unpack
from bridge.core.model import Outcome, Refused
from bridge.upstreams.chargeprice_answers import judge
from bridge.upstreams.chargeprice_resources import STATION_PREFIX, Resources
from bridge.upstreams.http import (
    DEFAULT_TIMEOUTS,
    Exchange,
    HttpClient,
    Lost,
    NotSent,
    Replied,
    Timeouts,
    TlsSource,
    failed,
)
from bridge.upstreams.port import Answer, Document, Record, Upstream


@dataclass(frozen=True, slots=True)
class ChargepriceOptions:
    """One Chargeprice account."""

    base_url: str
    company_id: str
    """Chargeprice's own UUID of the operator's company."""
    api_key: str = field(repr=False)
    timeouts: Timeouts = DEFAULT_TIMEOUTS
    station_prefix: str = STATION_PREFIX
    """Version in the path under which stations are put: the document's title says v2, its example v1."""

    def __post_init__(self) -> None:
        """Refuse a key that a header cannot carry. Raises: ValueError, without the key."""
        if not (self.api_key and self.api_key.isascii() and self.api_key.isprintable()):
            raise ValueError("api_key must be printable ASCII without line breaks, and not empty")


_DELETED_VALUE = "unknown"
"""There is no way to delete a status; this one promises nothing."""


class Chargeprice(Upstream):
    """One account at Chargeprice."""

    kind = "chargeprice"
    takes_full_load = False
    per_minute = 900
    """Of the 1000 per minute and key that Chargeprice's terms allow."""

    def __init__(
        self,
        options: ChargepriceOptions,
        tls: TlsSource | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        key: Callable[[], str] | None = None,
    ) -> None:
        """`key` returns the API key that counts now; None: the one in the options counts for ever."""
        self._options = options
        self._key = key or (lambda: options.api_key)
        self._clock = clock
        self._http = HttpClient(options.timeouts, tls)
        self._resources = Resources(self._exchange, options.station_prefix, clock)

    async def push(self, record: Record) -> Answer:
        """Send one record; never raises for the hub's or the network's faults."""
        if (missing := unaddressable(record)) is not None:
            return Answer(Refused(missing))
        return await self._send(record)

    async def push_document(self, document: Document) -> Answer:
        """Send one station or company; never raises for the hub's or the network's faults."""
        return await self._resources.push(document)

    async def close(self) -> None:
        """Close the connection."""
        await self._http.close()

    async def _exchange(self, method: str, path: str, body: object) -> Exchange:
        url = f"{self._options.base_url.rstrip('/')}/{path}"
        return await self._http.send(method, url, {"Api-Key": self._key()}, body)

    async def _send(self, record: Record) -> Answer:
        exchange = await self._exchange("PUT", path_of(record, self._options), document(record))
        match exchange:
            case Replied(status, reply_headers, text, millis):
                outcome, code = classify(status, reply_headers, text, records=[record], now=self._clock())
                return Answer(outcome, status, code, millis=millis, said=exchange.said)
            case NotSent() | Lost():
                return failed(exchange)


def unaddressable(record: Record) -> str | None:
    """Return why the record cannot be named in a path, or None where it can."""
    if not record.station_ref:
        return "the inventory has no chargeprice_station for this EVSE"
    if record.station_ref in (".", "..") or record.point_ref in (".", ".."):
        return "chargeprice_station and chargeprice_point may not be . or .., which a path cannot carry"
    return None


def path_of(record: Record, options: ChargepriceOptions) -> str:
    """Return the path of the record's status, after the base address.

    The EVSE id names the charge point unless the inventory says otherwise.
    """
    company, station, point = (
        quote(segment, safe="")
        for segment in (options.company_id, record.station_ref, record.point_ref or record.evse_id)
    )
    return f"v1/companies/{company}/charging_stations/{station}/charge_points/{point}/status"


def document(record: Record) -> dict[str, Any]:
    """Return the request's body.

    `valid_until` is null unless the value has an end: when it passes, Chargeprice turns the point *available* by
    itself, even a broken one.
    """
    status, end = unpack(_DELETED_VALUE if record.delete else record.value)
    return {"data": {"type": "charge_point_status", "attributes": {"status": status, "valid_until": end}}}


def classify(
    status: int, headers: Mapping[str, str], text: str, *, records: Sequence[Record], now: datetime
) -> tuple[Outcome, str]:
    """Return what Chargeprice's reply means, and its error code ("" where it has none).

    `now` is wall time, for a Retry-After that is a date.
    """
    ids = {name for record in records for name in (record.evse_id, record.station_ref, record.point_ref)}
    ids |= {canonical(record.evse_id) for record in records}
    return judge(status, headers, text, ids=ids, now=now)
