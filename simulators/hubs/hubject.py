"""Be Hubject's eRoamingPushEvseStatus: check every field as the real one does, and answer in its shapes.

Does no I/O. Before it: `server`. Its twin is `chargeprice`.
Source: OICP 2.3 CPO, eRoamingPushEvseStatus_V2.1, EvseStatusType, EvseIDType, OperatorIDType, eRoamingAcknowledgment;
Hubject Acceptable Use Policy (2000 calls per minute).
"""

from __future__ import annotations

import json
import random
import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import replace
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

ACTIONS = ("fullLoad", "update", "insert", "delete")
STATUSES = ("Available", "Reserved", "Occupied", "OutOfService", "EvseNotFound", "Unknown")
EVSE_ID = re.compile(r"(([A-Z]{2}\*?[A-Z0-9]{3}\*?E[A-Z0-9\*]{1,30})|(\+?[0-9]{1,3}\*[0-9]{3}\*[0-9\*]{1,32}))")
PATH = re.compile(r"/api/oicp/evsepush/v21/operators/([^/]+)/status-records")
RATE_LIMIT = RateLimit(2000, 60)

_OPERATION = "eRoamingPushEvseStatus"
_INFO_LIMIT = 1000


class HubjectOptions(BaseModel):
    """What the mock Hubject knows."""

    model_config = ConfigDict(extra="forbid")

    operator_ids: tuple[str, ...] = ("DE*ABC",)
    sub_operator_ids: tuple[str, ...] = ()
    """Operators whose EVSEs the ones above may push too."""
    evse_data: tuple[str, ...] | None = None
    """EvseIDs that have EVSE data at Hubject; None: every well-formed one of the operators."""
    strict_known: bool = False
    """Refuse an update or delete of an EVSE without status (603), and an insert of one that has a status."""


class Hubject:
    """The rules of Hubject."""

    name = "hubject"

    def __init__(self, options: HubjectOptions, seed: int = 0) -> None:
        self._options = options
        self._random = random.Random(seed)

    def options(self) -> HubjectOptions:
        """Return what can be changed while the hub runs."""
        return self._options

    def configure(self, options: Mapping[str, Any]) -> HubjectOptions:
        """Change some options and return all of them. Raises: pydantic.ValidationError."""
        self._options = HubjectOptions.model_validate(self._options.model_dump() | dict(options))
        return self._options

    def check_fault(self, spec: FaultSpec) -> str | None:
        """Return why this hub cannot have the fault, or None where it can."""
        del spec
        return None

    def judge(self, request: Request, ledger: Ledger) -> Judgement:
        """Return what Hubject makes of the request, given what it holds."""
        match = PATH.fullmatch(request.path)
        if match is None:
            return self._turned_away(404, f"no such path: {request.path[:200]}")
        if request.method != "POST":
            return self._turned_away(405, f"{request.method} on a path that takes POST only")
        if (wrong := media_type_fault(request)) is not None:
            return self._turned_away(415, wrong)
        judgement = self._judge_body(unquote(match[1]), request.body, ledger)
        return replace(judgement, operation=f"{_OPERATION} of {match[1]}")

    def fault_reply(self, spec: FaultSpec, judgement: Judgement) -> Reply:
        """Return the reply of a scripted status, rate_limit or result_false, in Hubject's own shape."""
        if spec.kind is FaultKind.RESULT_FALSE:
            code = spec.code or "021"
            info = spec.additional_info
            if info is None and code == "603":
                info = _listing("EVSE data records missing for EvseIDs: ", _concerned(spec, judgement))
            return self._signed(Reply(200, compact(_acknowledgment(False, code, spec.description, info)), code=code))
        status = 429 if spec.kind is FaultKind.RATE_LIMIT else spec.status
        text = compact({"StatusCode": _status_code(spec.code, spec.description, spec.additional_info)})
        return scripted_reply(spec, status, text if spec.code else "", spec.code)

    def _judge_body(self, operator: str, raw: bytes, ledger: Ledger) -> Judgement:
        try:
            body = json.loads(raw)
        except (ValueError, RecursionError):
            return self._invalid(["body: not JSON"])
        if errors := _schema_errors(body):
            return self._invalid(errors)
        action, status = body["ActionType"], body["OperatorEvseStatus"]
        records = tuple((record["EvseID"], record["EvseStatus"]) for record in status["EvseStatusRecord"])
        if operator not in self._options.operator_ids or status["OperatorID"] != operator:
            what = f"OperatorID {operator!r} in the path and {status['OperatorID']!r} in the body"
            return self._refused(404, "300", "Partner not found", action, records, broken=what)
        return self._judge_records(action, operator, records, ledger)

    def _judge_records(
        self, action: str, operator: str, records: tuple[tuple[str, str], ...], ledger: Ledger
    ) -> Judgement:
        ids = [evse_id for evse_id, _ in records]
        if len(set(map(_canonical, ids))) < len(ids):
            return self._refused(200, "018", "Inconsistent EvseID", action, records, broken="an EvseID is there twice")
        owners = tuple(map(_canonical, (operator, *self._options.sub_operator_ids)))
        if strangers := [evse_id for evse_id in ids if not _canonical(evse_id).startswith(owners)]:
            return self._refused(
                200, "018", "Inconsistent EvseID", action, records, broken=f"EVSEs of another operator: {strangers[:5]}"
            )
        if missing := self._missing(action, ids, ledger):
            info = _listing("EVSE data records missing for EvseIDs: ", missing)
            return self._refused(200, "603", "One or more EVSE data record not found!", action, records, info=info)
        if self._options.strict_known and action == "insert" and (there := [one for one in ids if ledger.holds(one)]):
            info = _listing("EVSE status records already exist for EvseIDs: ", there)
            return self._refused(200, "022", "Data error", action, records, info=info)
        return self._accepted(action, records, ledger)

    def _missing(self, action: str, ids: list[str], ledger: Ledger) -> list[str]:
        known = None if self._options.evse_data is None else set(map(_canonical, self._options.evse_data))
        missing = [] if known is None else [one for one in ids if _canonical(one) not in known]
        if self._options.strict_known and action in ("update", "delete"):
            missing += [one for one in ids if not ledger.holds(one) and one not in missing]
        return missing

    def _accepted(self, action: str, records: tuple[tuple[str, str], ...], ledger: Ledger) -> Judgement:
        values = dict(records)
        match action:
            case "fullLoad":
                change = Change(put=values, replace=True)
            case "delete":
                change = Change(remove=tuple(values))
            case _:
                change = Change(put=values)
        broken = _suspicious_full_load(ledger.last_full_load, frozenset(values)) if action == "fullLoad" else []
        if action != "fullLoad" and len(records) != 1:
            broken.append(f"{len(records)} records in one {action}: status changes go one at a time")
        reply = self._signed(Reply(200, compact(_acknowledgment(True, "000", None, None)), code="000"))
        return Judgement(_OPERATION, reply, action, records, change, tuple(broken))

    def _invalid(self, errors: list[str]) -> Judgement:
        rows = [
            {"fieldReference": where, "errorMessage": message}
            for where, _, message in (error.partition(": ") for error in errors)
        ]
        text = compact({"message": "Error parsing/validating JSON.", "validationErrors": rows})
        return Judgement(_OPERATION, self._signed(Reply(400, text)), violations=tuple(errors))

    def _refused(
        self,
        http: int,
        code: str,
        description: str,
        action: str,
        records: tuple[tuple[str, str], ...],
        *,
        info: str | None = None,
        broken: str = "",
    ) -> Judgement:
        status_code = _status_code(code, description, info)
        document = _acknowledgment(False, code, description, info) if http == 200 else {"StatusCode": status_code}
        reply = self._signed(Reply(http, compact(document), code=code))
        return Judgement(_OPERATION, reply, action, records, violations=(broken,) if broken else ())

    def _turned_away(self, http: int, broken: str) -> Judgement:
        """Answer as the web server before the service does: HTML, no Process-ID."""
        reply = Reply(http, f"<html><body>{http}</body></html>", "text/html")
        return Judgement(_OPERATION, reply, violations=(broken,))

    def _signed(self, reply: Reply) -> Reply:
        process_id = str(uuid.UUID(int=self._random.getrandbits(128), version=4))
        return Reply(reply.status, reply.text, reply.content_type, {"Process-ID": process_id}, reply.code)


def _suspicious_full_load(before: frozenset[str], ids: frozenset[str]) -> list[str]:
    """Notice a fullLoad that is empty, or that was cut in chunks: each one replaces the one before."""
    if not ids:
        return ["empty fullLoad: it withdraws every EVSE"]
    if before and before.isdisjoint(ids):
        return ["fullLoad in chunks: it shares no EVSE with the one before, and withdraws all of those"]
    return []


def _schema_errors(body: object) -> list[str]:
    """Return one "field: what is wrong" per breach of the schema; the path is written as the real hub writes it."""
    if not isinstance(body, dict):
        return ["body: must be an object"]
    errors = unknown_and_missing(body, {"ActionType", "OperatorEvseStatus"}, set(), "")
    if body.get("ActionType") not in ACTIONS:
        errors.append(f"actionType: must be one of {', '.join(ACTIONS)}")
    status = body.get("OperatorEvseStatus")
    if not isinstance(status, dict):
        return [*errors, "operatorEvseStatus: must be an object"]
    where = "operatorEvseStatus."
    errors += unknown_and_missing(status, {"OperatorID", "EvseStatusRecord"}, {"OperatorName"}, where)
    if not isinstance(status.get("OperatorID"), str):
        errors.append(f"{where}operatorID: must be a string")
    name = status.get("OperatorName", "")
    if not isinstance(name, str) or len(name) > 100:
        errors.append(f"{where}operatorName: must be a string of at most 100 characters")
    records = status.get("EvseStatusRecord")
    if not isinstance(records, list):
        return [*errors, f"{where}evseStatusRecord: must be an array"]
    for index, record in enumerate(records):
        errors += _record_errors(record, f"{where}evseStatusRecord[{index}]")
    return errors


def _record_errors(record: object, where: str) -> list[str]:
    if not isinstance(record, dict):
        return [f"{where}: must be an object"]
    errors = unknown_and_missing(record, {"EvseID", "EvseStatus"}, set(), f"{where}.")
    evse_id = record.get("EvseID")
    if not isinstance(evse_id, str) or EVSE_ID.fullmatch(evse_id) is None:
        errors.append(f"{where}.evseID: must match {EVSE_ID.pattern}")
    if record.get("EvseStatus") not in STATUSES:
        errors.append(f"{where}.evseStatus: must be one of {', '.join(STATUSES)}")
    return errors


def _status_code(code: str, description: str | None, info: str | None) -> dict[str, str | None]:
    return {"Code": code, "Description": description, "AdditionalInfo": info}


def _acknowledgment(result: bool, code: str, description: str | None, info: str | None) -> dict[str, Any]:
    return {
        "Result": result,
        "StatusCode": _status_code(code, description, info),
        "SessionID": None,
        "CPOPartnerSessionID": None,
        "EMPPartnerSessionID": None,
    }


def _listing(head: str, ids: Iterable[str]) -> str:
    """Name ids as the real hub does: without separators, and cut at the field's length."""
    return (head + ",".join(map(_canonical, ids)))[:_INFO_LIMIT]


def _concerned(spec: FaultSpec, judgement: Judgement) -> list[str]:
    return [key for key, _ in judgement.records if not spec.evse or key in spec.evse]


def _canonical(evse_id: str) -> str:
    return evse_id.upper().replace("*", "").replace("+", "")
