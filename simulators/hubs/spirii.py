"""Be Spirii's temporary EVSE statuses: check path, key, rate and body strictly, and answer in its shapes.

Does no I/O. Before it: `server`. After it: `spirii_entries`, for what an entry may say. Its twins are `hubject` and
`chargeprice`. Spirii does not forbid parallel requests; two creations for one EVSE, or two changes of one entry, are an
operation here, since which of them holds would be chance.
Source: Spirii API v2, temporary-evse-statuses; Authentication; Errors; Rate limits. Of the error types only
`invalid_request` is documented. GET /{id} is not documented: without `get_one` there is no such route.
"""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from simulators.hubs.exchange import Judgement, Reply, Request, compact, media_type_fault, scripted_reply
from simulators.hubs.faults import FaultKind, FaultSpec
from simulators.hubs.ledger import Change, Ledger
from simulators.hubs.spirii_entries import (
    OTHERS,
    Refused,
    canonical,
    check_entry,
    is_active,
    is_same_wish,
    moment_text,
    on_the_wire,
    read_fields,
)
from simulators.hubs.spirii_options import SpiriiOptions
from simulators.hubs.spirii_rates import Rates

PATH = re.compile(r"/v2/temporary-evse-statuses(?:/([^/]+))?")
KIND = "temporary"
"""The ledger's documents: entries by id."""
TYPES = {
    400: "invalid_request",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found",
    409: "conflict",
    422: "validation_error",
    429: "rate_limit_exceeded",
}
ACTIONS = {
    ("POST", False): "create",
    ("GET", False): "list",
    ("GET", True): "read",
    ("PATCH", True): "update",
    ("DELETE", True): "delete",
}
_REMOVED = "removed"
"""Entries of others that were deleted over the wire, by id."""


@dataclass(frozen=True, slots=True)
class _Call:
    request: Request
    action: str
    ledger: Ledger
    now: float
    id: str = ""
    who: int = -1
    """The place of the key in the list."""


class Spirii:
    """The rules of Spirii; `clock` gives seconds since 1970."""

    name = "spirii"

    def __init__(self, options: SpiriiOptions, clock: Callable[[], float] = time.time) -> None:
        self._options = options
        self._clock = clock
        self._rates = Rates()
        self._ids = itertools.count(1)
        self._requests = itertools.count(1)

    def options(self) -> SpiriiOptions:
        """Return what can be changed while the hub runs."""
        return self._options

    def configure(self, options: Mapping[str, Any]) -> SpiriiOptions:
        """Change some options and return all of them. Raises: pydantic.ValidationError."""
        self._options = SpiriiOptions.model_validate(self._options.model_dump() | dict(options))
        return self._options

    def check_fault(self, spec: FaultSpec) -> str | None:
        """Return why this hub cannot have the fault, or None where it can."""
        if spec.kind is FaultKind.RESULT_FALSE:
            return "Spirii's answers have no Result; use kind status"
        return None

    def judge(self, request: Request, ledger: Ledger) -> Judgement:
        """Return what Spirii makes of the request, with the rate-limit headers of every answer."""
        now = self._clock()
        match = PATH.fullmatch(request.path)
        action = "" if match is None else ACTIONS.get((request.method, match[1] is not None), "")
        call = _Call(request, action, ledger, now, match[1] or "" if match else "")
        who = self._key(request)
        reading = request.method == "GET"
        limit = self._options.reads_per_minute if reading else self._options.writes_per_minute
        allowance = self._rates.take("read" if reading else "write", str(who), limit, now)
        try:
            judgement = self._judge_known(call, who, allowance.exceeded)
        except Refused as refused:
            judgement = self._refused(call, refused)
        return replace(judgement, reply=replace(judgement.reply, headers=allowance.headers(now)))

    def fault_reply(self, spec: FaultSpec, judgement: Judgement) -> Reply:
        """Return the reply of a scripted status or rate_limit, in Spirii's own shape."""
        status = 429 if spec.kind is FaultKind.RATE_LIMIT else spec.status
        code = spec.code or _type(status)
        text = self._error_text(status, code, spec.description or "scripted fault", None) if status >= 400 else ""
        reply = scripted_reply(spec, status, text, code)
        used_up = {"X-RateLimit-Remaining": "0"} if status == 429 else {}
        return replace(reply, headers={**judgement.reply.headers, **used_up, **reply.headers})

    def _judge_known(self, call: _Call, who: int | None, exceeded: bool) -> Judgement:
        if call.action == "" or (call.action == "read" and not self._options.get_one):
            raise Refused(404, "route_not_found", f"There is no {call.request.method} {call.request.path[:100]}.")
        if who is None:
            raise Refused(401, "invalid_api_key", "The bearer key is missing, malformed or unknown.")
        if exceeded:
            raise Refused(429, "rate_limit_exceeded", "More requests in this minute than X-RateLimit-Limit.")
        call = replace(call, who=who)
        match call.action:
            case "create":
                return self._create(call)
            case "list":
                return self._list(call)
            case "read":
                return self._read(call)
            case "update":
                return self._update(call)
            case _:
                return self._delete(call)

    def _create(self, call: _Call) -> Judgement:
        fields = _fields(call, {"evseId", "temporaryStatus"}, {"validFrom", "validTo"})
        evse_id = self._evse(fields["evseId"])
        now = datetime.fromtimestamp(int(call.now), UTC)
        entry = {"id": 0, "validFrom": moment_text(now), "validTo": None} | fields
        entry |= {"evseId": evse_id, "made_by": call.who}
        check_entry(entry)
        broken = self._duplicate(call, entry)
        entry["id"] = self._free_id()
        change = Change(documents={(KIND, str(entry["id"])): entry})
        reply = Reply(201, compact(on_the_wire(entry)))
        return self._accepted(call, reply, entry, change, broken, f"creation for {canonical(evse_id)}")

    def _read(self, call: _Call) -> Judgement:
        entry = self._entry(call)
        return self._accepted(call, Reply(200, compact(on_the_wire(entry))), entry)

    def _update(self, call: _Call) -> Judgement:
        before = self._entry(call)
        entry = before | _fields(call, set(), {"temporaryStatus", "validFrom", "validTo"}, frozenset({"validTo"}))
        check_entry(entry)
        broken = self._duplicate(call, entry) + _foreign(call, before)
        name = (KIND, str(entry["id"]))
        # An entry of the options is not in the ledger before its first change, so it cannot be gone from there.
        held = call.ledger.document(*name) is not None
        change = Change(documents={name: entry}, required=(name,) if held else ())
        reply = Reply(200, compact(on_the_wire(entry)))
        return self._accepted(call, reply, entry, change, broken, f"change of entry {entry['id']}")

    def _delete(self, call: _Call) -> Judgement:
        entry = self._entry(call)
        name = (KIND, str(entry["id"]))
        gone: dict[tuple[str, str], Mapping[str, Any] | None] = {name: None}
        if entry["made_by"] == OTHERS:
            gone[_REMOVED, name[1]] = {}
        change = Change(documents=gone)
        return self._accepted(call, Reply(204), entry, change, _foreign(call, entry), f"change of entry {entry['id']}")

    def _list(self, call: _Call) -> Judgement:
        query = parse_qsl(call.request.query, keep_blank_values=True)
        asked = dict(query)
        for name in [name for name in asked if name not in ("evseId", "activeOnly")]:
            raise Refused(400, "unknown_parameter", f"The parameter `{name[:50]}` is not known.", name[:50])
        if len(asked) < len(query):
            raise Refused(400, "repeated_parameter", "A parameter is there twice.")
        active_only = asked.get("activeOnly", "true")
        if active_only not in ("true", "false"):
            raise Refused(400, "invalid_type", "The parameter `activeOnly` must be true or false.", "activeOnly")
        listed = [
            on_the_wire(entry)
            for _, entry in sorted(self._entries(call.ledger).items())
            if not self._options.is_foreign(entry["evseId"])
            and ("evseId" not in asked or canonical(asked["evseId"]) == canonical(entry["evseId"]))
            and (active_only == "false" or is_active(entry, call.now))
        ]
        records = ((asked["evseId"], ""),) if "evseId" in asked else ()
        return Judgement(self._alone(call), Reply(200, compact(listed)), call.action, records)

    def _entry(self, call: _Call) -> dict[str, Any]:
        if not (call.id.isascii() and call.id.isdigit()):
            raise Refused(400, "invalid_type", "The id must be a number.", "id")
        entry = self._entries(call.ledger).get(int(call.id))
        if entry is None:
            raise Refused(404, "temporary_evse_status_not_found", f"There is no temporary EVSE status {call.id}.", "id")
        if self._options.is_foreign(entry["evseId"]):
            raise Refused(403, "forbidden", "The EVSE is not one of this account.", "id")
        return entry

    def _entries(self, ledger: Ledger) -> dict[int, dict[str, Any]]:
        """Return every entry by id; what was done over the wire outranks the options."""
        removed = ledger.documents(_REMOVED)
        others = {one.id: one.entry() for one in self._options.entries if str(one.id) not in removed}
        return others | {int(key): entry for key, entry in ledger.documents(KIND).items()}

    def _duplicate(self, call: _Call, entry: Mapping[str, Any]) -> tuple[str, ...]:
        others = [one for one in self._entries(call.ledger).values() if one["id"] != entry["id"]]
        twins = [one for one in others if is_same_wish(one, entry)]
        if twins and not self._options.duplicates_allowed:
            raise Refused(409, "duplicate", f"Temporary EVSE status {twins[0]['id']} says the same.")
        mine = [one for one in twins if one["made_by"] == entry["made_by"] == call.who]
        return ("a second entry for one wish",) if mine else ()

    def _evse(self, evse_id: str) -> str:
        if self._options.is_foreign(evse_id):
            raise Refused(403, "forbidden", "The EVSE is not one of this account.", "evseId")
        known = self._options.spelling(evse_id)
        if known is None:
            raise Refused(404, "evse_not_found", "There is no such EVSE.", "evseId")
        return known

    def _free_id(self) -> int:
        taken = {one.id for one in self._options.entries}
        return next(number for number in self._ids if number not in taken)

    def _key(self, request: Request) -> int | None:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        known = scheme.lower() == "bearer" and key in self._options.api_keys
        return self._options.api_keys.index(key) if known else None

    def _accepted(
        self,
        call: _Call,
        reply: Reply,
        entry: Mapping[str, Any],
        change: Change | None = None,
        broken: tuple[str, ...] = (),
        operation: str = "",
    ) -> Judgement:
        records = ((entry["evseId"], entry["temporaryStatus"]),)
        return Judgement(operation or self._alone(call), reply, call.action, records, change, broken)

    def _refused(self, call: _Call, refused: Refused) -> Judgement:
        text = self._error_text(refused.status, refused.code, refused.message, refused.param)
        unruly = refused.status in (400, 401, 422, 429) or refused.code == "route_not_found"
        reply = Reply(refused.status, text, code=refused.code)
        return Judgement(self._alone(call), reply, call.action, violations=(refused.message,) if unruly else ())

    def _error_text(self, status: int, code: str, message: str, param: str | None) -> str:
        error = {"type": _type(status), "code": code, "message": message, "param": param}
        return compact({"error": error | {"request_id": f"req_{next(self._requests):08d}"}})

    def _alone(self, call: _Call) -> str:
        """Return an operation that no other request has."""
        return f"{call.action or 'unknown'} {next(self._requests)}"


def _fields(
    call: _Call, required: set[str], optional: set[str], nullable: frozenset[str] = frozenset()
) -> dict[str, Any]:
    if (wrong := media_type_fault(call.request)) is not None:
        raise Refused(400, "invalid_content_type", wrong)
    return read_fields(call.request.body, required, optional, nullable)


def _foreign(call: _Call, entry: Mapping[str, Any]) -> tuple[str, ...]:
    return () if entry["made_by"] == call.who else ("touched a foreign entry",)


def _type(status: int) -> str:
    return TYPES.get(status, "api_error")
