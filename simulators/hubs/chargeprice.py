"""Be Chargeprice: find the route, check the key, and judge charge point statuses.

Does no I/O. Before it: `server`. After it: `chargeprice_resources`, for stations and companies. Its twins are `hubject`
and `spirii`. "Charge point" is Chargeprice's word for an EVSE.
Source: Chargeprice API, PUT .../charge_points/:charge_point_id/status [DRAFT]; its terms (1000 requests per minute and
key over 5 minutes, no parallel requests, so all requests of a key are one operation).
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic import Field

from simulators.hubs import chargeprice_resources as resources
from simulators.hubs.chargeprice_answers import NOT_AUTHORIZED, Call, documented_code, error_text
from simulators.hubs.chargeprice_schemas import is_uuid, parse, status_errors
from simulators.hubs.exchange import Judgement, Reply, Request, media_type_fault, scripted_reply
from simulators.hubs.faults import FaultKind, FaultSpec
from simulators.hubs.ledger import Change, Ledger, RateLimit

RATE_LIMIT = RateLimit(5000, 300)

_UNPROVEN = "requests of no valid key"
_RESERVED = re.compile(r"[^A-Za-z0-9\-._~%*!$&'()+,;=:@]")
"""What RFC 3986 section 3.3 does not allow in a path segment."""


class ChargepriceOptions(resources.ResourceOptions):
    """What the mock Chargeprice knows."""

    api_keys: tuple[str, ...] = ("demo-key",)
    """Keys of the groups WriteAllStations and WriteTariffs."""
    read_keys: tuple[str, ...] | None = None
    """Keys of the groups ReadStations and ReadTariffs; None: the keys above are in these too."""
    points: tuple[str, ...] | None = None
    """Known charge points as "station/point"; None: any."""
    station_prefix: str = Field("v2", pattern=r"^v\d+$")
    """Where stations are put: the document's title says v2, its example v1."""

    def known_keys(self) -> tuple[str, ...]:
        """Return the keys of all groups, without repetition."""
        return tuple(dict.fromkeys((*self.api_keys, *(self.read_keys or ()))))

    def may_write_statuses(self, company: str, station: str) -> bool:
        """Tell whether this station of this company is the keys' own."""
        ours = self.company_ids is None or company in self.company_ids
        return ours and station.lower() not in {one.lower() for one in self.foreign_stations}

    def may(self, key: str, method: str) -> bool:
        """Tell whether the key is in the groups for this method."""
        readers = self.api_keys if self.read_keys is None else self.read_keys
        return key in (readers if method == "GET" else self.api_keys)


Handler = Callable[[Call, ChargepriceOptions, Ledger, float], Judgement]


@dataclass(frozen=True, slots=True)
class _Route:
    method: str
    path: str
    action: str
    handler: Handler


class Chargeprice:
    """The rules of Chargeprice."""

    name = "chargeprice"

    def __init__(self, options: ChargepriceOptions, clock: Callable[[], float] = time.time) -> None:
        self._options = options
        self._clock = clock

    def options(self) -> ChargepriceOptions:
        """Return what can be changed while the hub runs."""
        return self._options

    def configure(self, options: Mapping[str, Any]) -> ChargepriceOptions:
        """Change some options and return all of them. Raises: pydantic.ValidationError."""
        self._options = ChargepriceOptions.model_validate(self._options.model_dump() | dict(options))
        return self._options

    def check_fault(self, spec: FaultSpec) -> str | None:
        """Return why this hub cannot have the fault, or None where it can."""
        if spec.kind is FaultKind.RESULT_FALSE:
            return "Chargeprice's answers have no Result; use kind status"
        return None

    def judge(self, request: Request, ledger: Ledger) -> Judgement:
        """Return what Chargeprice makes of the request."""
        found = _find(request, self._options.station_prefix)
        if found is None:
            broken = f"no such route: {request.method} {request.path[:200]}"
            return Call(request, _UNPROVEN, "").refused(404, "no route found", code="NO_ROUTE_FOUND", broken=(broken,))
        route, segments = found
        call = Call(request, _UNPROVEN, route.action, segments)
        key = request.headers.get("api-key")
        keys = self._options.known_keys()
        if key not in keys:
            what = "api_key missing" if key is None else "api_key invalid"
            return call.refused(403, what, broken=(what,))
        # The journal must not show a key: an operation is told apart by the key's place in the list.
        call = replace(call, operation=f"requests of key {keys.index(key)}")
        if not self._options.may(key, request.method):
            return call.refused(403, NOT_AUTHORIZED)
        if raw := [f"path segment {part!r} is not percent-encoded" for part in segments if _RESERVED.search(part)]:
            return call.refused(400, "; ".join(raw)[:200], broken=tuple(raw))
        return route.handler(call, self._options, ledger, self._clock())

    def fault_reply(self, spec: FaultSpec, judgement: Judgement) -> Reply:
        """Return the reply of a scripted status or rate_limit, in Chargeprice's own shape."""
        status = 429 if spec.kind is FaultKind.RATE_LIMIT else spec.status
        code = spec.code or documented_code(judgement.action, status)
        text = error_text(status, spec.description or "scripted fault", code)
        return scripted_reply(spec, status, text if status >= 400 else "", code)


def _judge_status(call: Call, options: ChargepriceOptions, ledger: Ledger, now: float) -> Judgement:
    del ledger, now
    company, station, point = call.ids
    wrong = media_type_fault(call.request)
    errors = [] if wrong is None else [wrong]
    if not is_uuid(company):
        errors.append("company_id is not a UUID")
    body = parse(call.request.body)
    errors += status_errors(body)
    if errors:
        return call.refused(400, "; ".join(errors)[:200], broken=tuple(errors))
    attributes = body["data"]["attributes"]
    record = (f"{station}/{point}", attributes["status"])
    call = replace(call, records=(record,))
    if not options.may_write_statuses(company, station):
        return call.refused(403, NOT_AUTHORIZED)
    if options.points is not None and record[0] not in options.points:
        return call.refused(404, "not found", code="NOT_FOUND")
    until = attributes.get("valid_until")
    change = Change(put=dict([record]), available_at=None if until is None else until / 1000)
    return call.accepted(Reply(204), change)


def _find(request: Request, station_prefix: str) -> tuple[_Route, tuple[str, ...]] | None:
    for route in _ROUTES:
        match = re.fullmatch(route.path.replace("{stations}", station_prefix), request.path)
        if match is not None and route.method == request.method:
            return route, match.groups()
    return None


_ROUTES = (
    _Route(
        "PUT", "/v1/companies/([^/]+)/charging_stations/([^/]+)/charge_points/([^/]+)/status", "status", _judge_status
    ),
    _Route("PUT", "/{stations}/charging_stations/([^/]+)", "station", resources.put_station),
    _Route("GET", "/v1/charging_stations/([^/]+)", "read", resources.show_station),
    _Route("DELETE", "/v1/charging_stations/([^/]+)", "delete", resources.delete_station),
    _Route("PUT", "/v1/companies/([^/]+)", "company", resources.put_company),
    _Route("GET", "/v1/companies", "read", resources.list_companies),
    _Route("DELETE", "/v1/companies/([^/]+)", "delete", resources.delete_company),
)
