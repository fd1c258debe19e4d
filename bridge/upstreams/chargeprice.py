"""Push EVSE statuses to Chargeprice: PUT .../charge_points/{id}/status, which its own documentation calls a draft.

Never chooses what or when to push: that is `bridge.core.reconcile` and `bridge.lane`. Its twin is `oicp`.
"Charge point" is Chargeprice's word for an EVSE. Source: Chargeprice API, charge point status update [DRAFT].
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from bridge.core.mapping.until import unpack
from bridge.core.model import Accepted, Held, Outcome, Refused
from bridge.upstreams.http import (
    DEFAULT_TIMEOUTS,
    HttpClient,
    Lost,
    NotSent,
    Replied,
    Timeouts,
    cut,
    deferred,
    failed,
    parse_object,
    without_ids,
)
from bridge.upstreams.port import Answer, Record, Upstream


@dataclass(frozen=True, slots=True)
class ChargepriceOptions:
    """One Chargeprice account."""

    base_url: str
    company_id: str
    """Chargeprice's own UUID of the operator's company."""
    api_key: str = field(repr=False)
    timeouts: Timeouts = DEFAULT_TIMEOUTS

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
        tls: ssl.SSLContext | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._options = options
        self._clock = clock
        self._http = HttpClient(options.timeouts, tls)

    async def push(self, record: Record) -> Answer:
        """Send one record; never raises for the hub's or the network's faults."""
        if (missing := unaddressable(record)) is not None:
            return Answer(Refused(missing))
        return await self._send(record)

    async def close(self) -> None:
        """Close the connection."""
        await self._http.close()

    async def _send(self, record: Record) -> Answer:
        headers = {"Api-Key": self._options.api_key}
        exchange = await self._http.send("PUT", address(record, self._options), headers, document(record))
        match exchange:
            case Replied(status, reply_headers, text, millis):
                outcome, code = classify(status, reply_headers, text, records=[record], now=self._clock())
                return Answer(outcome, status, code, millis=millis)
            case NotSent() | Lost():
                return failed(exchange)


def unaddressable(record: Record) -> str | None:
    """Return why the record cannot be named in a path, or None where it can."""
    if not record.station_ref:
        return "the inventory has no chargeprice_station for this EVSE"
    if record.station_ref in (".", "..") or record.point_ref in (".", ".."):
        return "chargeprice_station and chargeprice_point may not be . or .., which a path cannot carry"
    return None


def address(record: Record, options: ChargepriceOptions) -> str:
    """Return the URL of the record's status; the EVSE id names the charge point unless the inventory says otherwise."""
    company, station, point = (
        quote(segment, safe="")
        for segment in (options.company_id, record.station_ref, record.point_ref or record.evse_id)
    )
    path = f"v1/companies/{company}/charging_stations/{station}/charge_points/{point}/status"
    return f"{options.base_url.rstrip('/')}/{path}"


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
    body = parse_object(text)
    code = _error_field(body, "code")[:64]
    why = f"HTTP {status}{_details(body, records)}"
    if 200 <= status < 300:
        if text.strip() and (body is None or "errors" in body):
            return deferred(f"{why}: not proven to be accepted", status, headers, now, unclear=True), code
        return Accepted(), code
    match status:
        case 401 | 403:
            return Held(cut(why)), code
        case 408 | 429:
            return deferred(why, status, headers, now), code
        case 404 if code == "NO_ROUTE_FOUND":
            return Held(cut(f"{why} (base URL or API version is wrong)")), code
        case 400 | 404 if text.strip() and body is None:
            return Held(cut(f"{why}: answered by something before the service; is the base URL right?")), code
        case _ if 400 <= status < 500:
            return Refused(cut(why)), code
        case _:
            return deferred(why, status, headers, now), code


def _error_field(body: dict[str, Any] | None, name: str) -> str:
    errors = (body or {}).get("errors")
    first = errors[0] if isinstance(errors, list) and errors else None
    value = first.get(name) if isinstance(first, dict) else None
    return value if isinstance(value, str) else ""


def _details(body: dict[str, Any] | None, records: Sequence[Record]) -> str:
    words = " ".join(part for part in (_error_field(body, "code"), _error_field(body, "title")) if part)
    for record in records:
        words = without_ids(words, record)
    return f": {words}" if words else ""
