"""Be Chargeprice's charge point status update: check path, key and body strictly, and answer in its shapes.

Does no I/O. Before it: `server`. Its twin is `hubject`. "Charge point" is Chargeprice's word for an EVSE.
Source: Chargeprice API, PUT .../charge_points/:charge_point_id/status [DRAFT]; its terms (1000 requests per minute and
key over 5 minutes, no parallel requests).
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from pydantic import BaseModel, ConfigDict

from simulators.hubs.exchange import (
    Judgement,
    Reply,
    Request,
    compact,
    media_type_fault,
    scripted_reply,
    unknown_and_missing,
)
from simulators.hubs.faults import FaultKind, FaultSpec
from simulators.hubs.ledger import Change, Ledger, RateLimit

STATUSES = ("available", "occupied", "reserved", "maintainance", "unknown")
PATH = re.compile(r"/v1/companies/([^/]+)/charging_stations/([^/]+)/charge_points/([^/]+)/status")
RATE_LIMIT = RateLimit(5000, 300)

_ACTION = "status"
_UNPROVEN = "charge_point_status of no valid key"
_RESERVED = re.compile(r"[^A-Za-z0-9\-._~%*!$&'()+,;=:@]")
"""What RFC 3986 section 3.3 does not allow in a path segment."""


class ChargepriceOptions(BaseModel):
    """What the mock Chargeprice knows."""

    model_config = ConfigDict(extra="forbid")

    api_keys: tuple[str, ...] = ("demo-key",)
    company_ids: tuple[str, ...] | None = None
    """Companies that the keys may write for; None: any UUID."""
    points: tuple[str, ...] | None = None
    """Known charge points as "station/point"; None: any."""


class Chargeprice:
    """The rules of Chargeprice."""

    name = "chargeprice"

    def __init__(self, options: ChargepriceOptions) -> None:
        self._options = options

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
        match = PATH.fullmatch(request.path)
        if match is None:
            broken = f"no such path: {request.path[:200]}"
            return _refused(_UNPROVEN, 404, "no route found", code="NO_ROUTE_FOUND", broken=broken)
        if request.method != "PUT":
            broken = f"{request.method} on a path that takes PUT only"
            return _refused(_UNPROVEN, 404, "no route found", code="NO_ROUTE_FOUND", broken=broken)
        key = request.headers.get("api-key")
        if key not in self._options.api_keys:
            what = "api_key missing" if key is None else "api_key invalid"
            return _refused(_UNPROVEN, 403, what, broken=what)
        # The journal must not show a key: an operation is told apart by the key's place in the list.
        operation = f"charge_point_status of key {self._options.api_keys.index(key)}"
        return self._judge_content(operation, match, request)

    def fault_reply(self, spec: FaultSpec, judgement: Judgement) -> Reply:
        """Return the reply of a scripted status or rate_limit, in Chargeprice's own shape."""
        status = 429 if spec.kind is FaultKind.RATE_LIMIT else spec.status
        text = _errors(status, spec.description or "scripted fault", spec.code)
        return scripted_reply(spec, status, text if status >= 400 else "", spec.code)

    def _judge_content(self, operation: str, match: re.Match[str], request: Request) -> Judgement:
        company, station, point = map(unquote, match.groups())
        errors = [f"path segment {part!r} is not percent-encoded" for part in match.groups() if _RESERVED.search(part)]
        if (wrong := media_type_fault(request)) is not None:
            errors.append(wrong)
        if not _is_uuid(company):
            errors.append("company_id is not a UUID")
        body = _parse(request.body)
        errors += _schema_errors(body)
        if errors:
            return _refused(operation, 400, "; ".join(errors)[:200], broken=tuple(errors))
        attributes = body["data"]["attributes"]
        record = (f"{station}/{point}", attributes["status"])
        if self._options.company_ids is not None and company not in self._options.company_ids:
            return _refused(operation, 403, "api_key not authorized to perform action", record)
        if self._options.points is not None and record[0] not in self._options.points:
            return _refused(operation, 404, "not found", record, code="NOT_FOUND")
        until = attributes.get("valid_until")
        change = Change(put=dict([record]), available_at=None if until is None else until / 1000)
        return Judgement(operation, Reply(204), _ACTION, (record,), change)


def _refused(
    operation: str,
    status: int,
    title: str,
    record: tuple[str, str] | None = None,
    *,
    code: str = "",
    broken: tuple[str, ...] | str = (),
) -> Judgement:
    violations = (broken,) if isinstance(broken, str) else broken
    reply = Reply(status, _errors(status, title, code), code=code)
    return Judgement(operation, reply, _ACTION, () if record is None else (record,), violations=violations)


def _errors(status: int, title: str, code: str) -> str:
    error = {"status": str(status), "title": title} | ({"code": code} if code else {})
    return compact({"errors": [error]})


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False


def _parse(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None


def _schema_errors(body: object) -> list[str]:
    """Return one line per breach of the documented body."""
    if not isinstance(body, dict) or not isinstance(body.get("data"), dict):
        return ["body: must be an object with an object data"]
    data = body["data"]
    errors = unknown_and_missing(body, {"data"}, set(), "")
    errors += unknown_and_missing(data, {"type", "attributes"}, set(), "data.")
    if data.get("type") != "charge_point_status":
        errors.append("data.type: must be charge_point_status")
    attributes = data.get("attributes")
    if not isinstance(attributes, dict):
        return [*errors, "data.attributes: must be an object"]
    errors += unknown_and_missing(attributes, {"status"}, {"valid_until"}, "data.attributes.")
    if attributes.get("status") not in STATUSES:
        errors.append(f"data.attributes.status: must be one of {', '.join(STATUSES)}")
    until = attributes.get("valid_until")
    if until is not None and (not isinstance(until, int) or isinstance(until, bool) or until < 10**11):
        errors.append("data.attributes.valid_until: must be milliseconds since 1970, or null")
    return errors
