"""Every kind of request that the bridge sends to a hub, with what the hub says to one that it accepts."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count

from bridge.core.documents import DocumentKind, Remote, canonical_json
from bridge.core.model import Deferred, EvseId
from bridge.upstreams.chargeprice import Chargeprice, ChargepriceOptions
from bridge.upstreams.http import Timeouts, TlsSource
from bridge.upstreams.oicp import Oicp, OicpOptions
from bridge.upstreams.port import Answer, Document, Record, Upstream
from bridge.upstreams.spirii import Spirii, SpiriiOptions

COMPANY = "1e49b853-36fc-47ed-9826-97828b5b2fdd"
KEY = "s3cr3t-key-of-ours"
PATIENT = Timeouts(timedelta(seconds=5), timedelta(seconds=10))
HASTY = Timeouts(timedelta(seconds=5), timedelta(seconds=0.8))

RECORD = Record(EvseId("DE*ABC*E1"), "Available", station_ref="s1")
STATION = json.dumps({"type": "charging_station", "attributes": {"name": "S"}, "relationships": {}})
NUMBERS = count(1)


@dataclass(frozen=True)
class Subject:
    """One kind of request."""

    name: str
    hub: str
    act: Callable[[Upstream], Awaitable[Answer]]
    body: bytes
    """What the hub says with HTTP 200 when it accepts."""
    reads: bool = False
    """Changes nothing, so nothing is in doubt."""

    @property
    def success(self) -> bytes:
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(self.body), self.body)

    def upstream(self, url: str, timeouts: Timeouts = PATIENT, tls: TlsSource | None = None) -> Upstream:
        return upstream(self.hub, url, timeouts, tls)


def upstream(
    hub: str,
    url: str,
    timeouts: Timeouts = PATIENT,
    tls: TlsSource | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Upstream:
    """Open a hub's adapter."""
    match hub:
        case "oicp":
            return Oicp(OicpOptions(url, "DE*ABC", "ABC", "ABC", timeouts=timeouts), tls, clock)
        case "chargeprice":
            return Chargeprice(ChargepriceOptions(url, COMPANY, KEY, timeouts=timeouts), tls, clock)
        case _:
            return Spirii(SpiriiOptions(url, KEY, timeouts=timeouts), tls, clock)


def _temporary(number: str) -> Document:
    """A document without a number at Spirii is created, one with a number is changed."""
    content = canonical_json(
        {
            "evseId": f"DE*ABC*E{next(NUMBERS)}",
            "temporaryStatus": "MAINTENANCE",
            "validFrom": "2125-04-23T10:00:00Z",
            "validTo": None,
        }
    )
    return Document(DocumentKind.TEMPORARY, "1", content, remote=Remote(number))


def _data() -> Document:
    return Document(DocumentKind.EVSE_DATA, "DE*ABC*E1", json.dumps({"EvseID": "DE*ABC*E1"}))


OICP_SUCCESS = b'{"Result": true, "StatusCode": {"Code": "000"}}'

SUBJECTS = (
    Subject("oicp-status", "oicp", lambda hub: hub.push(RECORD), OICP_SUCCESS),
    Subject("oicp-full-load", "oicp", lambda hub: hub.full_load([RECORD]), OICP_SUCCESS),
    Subject("oicp-data", "oicp", lambda hub: hub.push_document(_data()), OICP_SUCCESS),
    Subject("chargeprice-status", "chargeprice", lambda hub: hub.push(RECORD), b'{"data": {"type": "x", "id": "1"}}'),
    Subject(
        "chargeprice-station",
        "chargeprice",
        lambda hub: hub.push_document(Document(DocumentKind.STATION, "s1", STATION)),
        b'{"data": {"type": "x", "id": "1"}}',
    ),
    Subject("spirii-create", "spirii", lambda hub: hub.push_document(_temporary("")), b'{"id": 7, "evseId": "x"}'),
    Subject("spirii-change", "spirii", lambda hub: hub.push_document(_temporary("7")), b'{"id": 7, "evseId": "x"}'),
    Subject("spirii-list", "spirii", lambda hub: hub.survey(), b'[{"id": 7}]', reads=True),
)


def verdict(answer: Answer) -> str:
    """Return an outcome as the catalogue writes it."""
    outcome = answer.outcome
    if isinstance(outcome, Deferred):
        return "in doubt" if outcome.in_doubt else "deferred"
    return type(outcome).__name__.lower()
