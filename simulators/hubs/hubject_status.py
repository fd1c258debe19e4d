"""Judge an eRoamingPushEvseStatus: which statuses there are, which EVSEs may have one, what the push changes.

Does no I/O. Before it: `hubject`. Its twin is `hubject_data`.
Source: OICP 2.3 CPO, eRoamingPushEvseStatus_V2.1, EvseStatusType; ActionType as eRoamingAuthenticationData defines it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jsonschema_rs import Draft202012Validator

from simulators.hubs.exchange import Judgement
from simulators.hubs.hubject_push import (
    ACTIONS,
    DATA_MISSING,
    EVSE_ID,
    NOT_FOUND,
    Push,
    Service,
    accepted,
    listing,
    refused,
    suspicious_full_load,
)
from simulators.hubs.ledger import Change, Ledger

OPERATION = "eRoamingPushEvseStatus"
STATUSES = ("Available", "Reserved", "Occupied", "OutOfService", "EvseNotFound", "Unknown")

_RECORD = {
    "type": "object",
    "required": ["EvseID", "EvseStatus"],
    "additionalProperties": False,
    "properties": {"EvseID": {"type": "string", "pattern": EVSE_ID}, "EvseStatus": {"enum": list(STATUSES)}},
}
SCHEMA = Draft202012Validator(
    {
        "type": "object",
        "required": ["ActionType", "OperatorEvseStatus"],
        "additionalProperties": False,
        "properties": {
            "ActionType": {"enum": list(ACTIONS)},
            "OperatorEvseStatus": {
                "type": "object",
                "required": ["OperatorID", "EvseStatusRecord"],
                "additionalProperties": False,
                "properties": {
                    "OperatorID": {"type": "string"},
                    "OperatorName": {"type": "string", "maxLength": 100},
                    "EvseStatusRecord": {"type": "array", "items": _RECORD},
                },
            },
        },
    }
)


def read(operation: str, body: Mapping[str, Any]) -> tuple[str, Push]:
    """Return the OperatorID and the push of a body that keeps the schema."""
    status = body["OperatorEvseStatus"]
    rows = status["EvseStatusRecord"]
    records = tuple((row["EvseID"], row["EvseStatus"]) for row in rows)
    return status["OperatorID"], Push(operation, body["ActionType"], rows, records)


SERVICE = Service(OPERATION, SCHEMA, read)


def judge(push: Push, ledger: Ledger, *, without_data: frozenset[str], strict_known: bool) -> Judgement:
    """Return what Hubject makes of statuses of the operator's own EVSEs.

    `without_data` are those of the push that Hubject has no data of; `strict_known` is the option of the hub.
    """
    unknown = strict_known and push.action in ("update", "delete")
    missing = [one for one in push.ids if one in without_data or (unknown and not ledger.holds(one))]
    if missing:
        return refused(push, "603", NOT_FOUND, info=listing(DATA_MISSING, missing))
    if strict_known and push.action == "insert" and (there := [one for one in push.ids if ledger.holds(one)]):
        info = listing("EVSE status records already exist for EvseIDs: ", there)
        return refused(push, "022", "Data error", info=info)
    return _accepted(push, ledger)


def _accepted(push: Push, ledger: Ledger) -> Judgement:
    values = dict(push.records)
    match push.action:
        case "fullLoad":
            change = Change(put=values, replace=True, owner=push.operation)
        case "delete":
            change = Change(remove=tuple(values))
        case _:
            change = Change(put=values, owner=push.operation)
    full = push.action == "fullLoad"
    broken = suspicious_full_load(ledger.last_full_load(push.operation), frozenset(values)) if full else []
    if not full and len(push.records) != 1:
        broken.append(f"{len(push.records)} records in one {push.action}: status changes go one at a time")
    return accepted(push, change, broken)
