"""Name what Hubject's two pushes have in common: how a body is checked, and what an answer looks like.

Does no I/O. Before it: `hubject`, which reads requests. Beside it: `hubject_status` and `hubject_data`, one push each.
Source: OICP 2.3 CPO, eRoamingAcknowledgment, StatusCodeType, EvseIDType; the field references of a validation error as
the real hub writes them: `operatorEvseStatus.evseStatusRecord[0].evseID`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from jsonschema_rs import Draft202012Validator, ValidationError, ValidationErrorKind

from simulators.hubs.exchange import Judgement, Reply, compact
from simulators.hubs.ledger import Change

ACTIONS = ("fullLoad", "update", "insert", "delete")
EVSE_ID = r"^(([A-Z]{2}\*?[A-Z0-9]{3}\*?E[A-Z0-9\*]{1,30})|(\+?[0-9]{1,3}\*[0-9]{3}\*[0-9\*]{1,32}))$"
DATA_MISSING = "EVSE data records missing for EvseIDs: "
NOT_FOUND = "One or more EVSE data record not found!"

_INFO_LIMIT = 1000
_MESSAGE_LIMIT = 256
_MOST_ERRORS = 100


@dataclass(frozen=True, slots=True)
class Push:
    """A push that keeps the schema: what is asked for, the records as sent, and (EvseID, value) for the journal."""

    operation: str
    action: str
    rows: Sequence[Mapping[str, Any]]
    records: tuple[tuple[str, str], ...]

    @property
    def ids(self) -> list[str]:
        """The EvseIDs, in the order of the body."""
        return [evse_id for evse_id, _ in self.records]


@dataclass(frozen=True, slots=True)
class Service:
    """How one push is told apart and read: its name, the schema of its body, and OperatorID and push of such a body."""

    operation: str
    schema: Draft202012Validator
    read: Callable[[str, Mapping[str, Any]], tuple[str, Push]]


def field_errors(validator: Draft202012Validator, body: object) -> list[str]:
    """Return one "field: what is wrong" per breach of the schema, at most 100."""
    try:
        found = list(islice(validator.iter_errors(body), _MOST_ERRORS))
    except ValueError:
        return ["body: nested too deeply"]
    return [f"{where or 'body'}: {what}"[:_MESSAGE_LIMIT] for error in found for where, what in _told(error)]


def accepted(push: Push, change: Change, broken: Iterable[str] = ()) -> Judgement:
    """Return the judgement on a push that is applied; `broken` are rules that it breaks all the same."""
    reply = Reply(200, compact(acknowledgment(True, "000", None, None)), code="000")
    return Judgement(push.operation, reply, push.action, push.records, change, tuple(broken))


def refused(
    push: Push, code: str, description: str, *, http: int = 200, info: str | None = None, broken: str = ""
) -> Judgement:
    """Return the judgement on a push that is refused with a code of Hubject; only an HTTP 200 carries a Result."""
    document = acknowledgment(False, code, description, info)
    if http != 200:
        document = {"StatusCode": document["StatusCode"]}
    reply = Reply(http, compact(document), code=code)
    return Judgement(push.operation, reply, push.action, push.records, violations=(broken,) if broken else ())


def invalid(operation: str, errors: Sequence[str]) -> Judgement:
    """Return the judgement on a body that breaks the schema, from lines of `field_errors`."""
    rows = [
        {"fieldReference": where, "errorMessage": message}
        for where, _, message in (error.partition(": ") for error in errors)
    ]
    text = compact({"message": "Error parsing/validating JSON.", "validationErrors": rows})
    return Judgement(operation, Reply(400, text), violations=tuple(errors))


def suspicious_full_load(before: frozenset[str], ids: frozenset[str]) -> list[str]:
    """Notice a fullLoad that is empty, or that was cut in chunks: each one replaces the one before."""
    if not ids:
        return ["empty fullLoad: it withdraws every EVSE"]
    if before and before.isdisjoint(ids):
        return ["fullLoad in chunks: it shares no EVSE with the one before, and withdraws all of those"]
    return []


def acknowledgment(result: bool, code: str, description: str | None, info: str | None) -> dict[str, Any]:
    """Return an eRoamingAcknowledgment."""
    return {
        "Result": result,
        "StatusCode": {"Code": code, "Description": description, "AdditionalInfo": info},
        "SessionID": None,
        "CPOPartnerSessionID": None,
        "EMPPartnerSessionID": None,
    }


def listing(head: str, ids: Iterable[str]) -> str:
    """Name ids as the real hub does: without separators, and cut at the field's length."""
    return (head + ",".join(map(canonical, ids)))[:_INFO_LIMIT]


def canonical(evse_id: str) -> str:
    """Return the id by which spellings of one EVSE or operator are compared."""
    return evse_id.upper().replace("*", "").replace("+", "")


def _told(error: ValidationError) -> list[tuple[str, str]]:
    """Return (field, what is wrong) for an error of the schema; one per field where it concerns several."""
    at = list(error.instance_path)
    match error.kind:
        case ValidationErrorKind.Required(property=name):
            return [(_reference([*at, name]), "must not be null")]
        case ValidationErrorKind.AdditionalProperties(unexpected=names):
            return [(_reference([*at, name]), "unknown field") for name in names]
        case ValidationErrorKind.Enum(options=options):
            return [(_reference(at), f"must be one of {', '.join(map(str, options))}")]
        case ValidationErrorKind.Pattern(pattern=pattern):
            return [(_reference(at), f'must match "{pattern}"')]
        case _:
            return [(_reference(at), error.message)]


def _reference(path: Iterable[str | int]) -> str:
    """Write a path as the real hub does: each name begins with a small letter."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part[:1].lower()}{part[1:]}" for part in path)
    return "".join(parts).removeprefix(".")
