"""Say what Hubject's answer to a push means, of statuses and of data alike.

The one place where a code or an HTTP status of Hubject is given a meaning. Never sends. Before it: `oicp`, with the
reply and what it answers. After it: `bridge.core.reconcile`, with the outcome.

Source: OICP 2.3 CPO, eRoamingAcknowledgment, CodeType; the answers that its users saw (docs/hubs.md).
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from bridge.core.identifiers import canonical
from bridge.core.model import Accepted, EvseId, Held, Outcome, Refused, WrongAction
from bridge.upstreams.http import cut, deferred, parse_object, without_ids
from bridge.upstreams.port import Record
from bridge.upstreams.refusals import CERTIFICATE_REFUSED, refuses_certificate


class Action(StrEnum):
    """Source: OICP 2.3 CPO, ActionType."""

    FULL_LOAD = "fullLoad"
    UPDATE = "update"
    INSERT = "insert"
    DELETE = "delete"


SUCCESS = "000"
TRANSIENT = {  # sent again with backoff
    "001": "Hubject system error",
    "002": "Hubject database error",
    "009": "data transaction error",
    "021": "system error",
    "310": "partner did not respond",
    "320": "service not available",
}
UNKNOWN_EVSE = "603"
INCONSISTENT_EVSE = "018"
DATA_ERRORS = {  # the row is parked: see _data_error
    INCONSISTENT_EVSE: "EVSE id does not fit the operator, or is there twice",
    "022": "data error",
    UNKNOWN_EVSE: "Hubject does not know this EVSE",
    "604": "EVSE is not Hubject compatible",
}
ACCOUNT_ERRORS = {  # the account is held
    "017": f"{CERTIFICATE_REFUSED} for this OperatorID",
    "210": "no valid contract",
    "300": "OperatorID or address is wrong",
}
ACCOUNT_STATUSES = {  # without a code that is known: the account is held
    400: "refused before the service: client certificate or address",
    401: CERTIFICATE_REFUSED,
    403: "refused before the service: source address or contract",
    404: "no such address: base URL or OperatorID is wrong",
}

_ADDITIONAL_INFO_LIMIT = 1000
"""Source: OICP 2.3 CPO, StatusCodeType: AdditionalInfo has at most 1000 characters."""

_ALREADY_EXISTS = re.compile(r"already\s+exist|exists?\s+already", re.IGNORECASE)
_RECORD_INDEX = re.compile(r"evse(?:Status|Data)Record\[(\d{1,9})\]", re.IGNORECASE)


def classify(
    status: int, headers: Mapping[str, str], text: str, *, action: Action, records: Sequence[Record], now: datetime
) -> tuple[Outcome, str]:
    """Return what Hubject's reply means, and its code ("" where it has none).

    HTTP 200 is not success: `Result` must be true and the code "000". Where HTTP status and code disagree, the code
    wins. `now` is wall time, for a Retry-After that is a date.
    """
    reply = _Reply(status, headers, parse_object(text), action, records, now, refuses_certificate(status, text))
    if reply.code == SUCCESS and 200 <= status < 300 and reply.result is True:
        return Accepted(), reply.code
    if reply.code in TRANSIENT:
        return reply.deferred(f"{reply.code} {TRANSIENT[reply.code]}"), reply.code
    if reply.code in ACCOUNT_ERRORS:
        return Held(f"{reply.code} {ACCOUNT_ERRORS[reply.code]}"), reply.code
    if reply.code in DATA_ERRORS:
        return _data_error(reply), reply.code
    return _by_status(reply), reply.code


@dataclass(frozen=True, slots=True)
class _Reply:
    """A reply beside the request that it answers."""

    status: int
    headers: Mapping[str, str]
    body: dict[str, Any] | None
    action: Action
    records: Sequence[Record]
    now: datetime
    refuses_certificate: bool = False
    """It is a page about our client certificate, from the server in front of the service."""

    @property
    def result(self) -> object:
        return (self.body or {}).get("Result")

    @property
    def code(self) -> str:
        return self.field("Code")[:16]

    @property
    def says_exists(self) -> bool:
        return self.action is Action.INSERT and _ALREADY_EXISTS.search(self.words) is not None

    @property
    def words(self) -> str:
        """Everything that Hubject says in words."""
        complaints = (f"{reference} {message}" for reference, message in self.validation_errors())
        message = (self.body or {}).get("message")
        spoken = (self.field("Description"), self.field("AdditionalInfo"), message, *complaints)
        return " ".join(word for word in spoken if isinstance(word, str) and word)

    def field(self, name: str) -> str:
        """Return a member of StatusCode; empty where it is no string."""
        status_code = (self.body or {}).get("StatusCode")
        value = status_code.get(name) if isinstance(status_code, dict) else None
        return value if isinstance(value, str) else ""

    def validation_errors(self) -> list[tuple[str, str]]:
        """Return (fieldReference, errorMessage) of the body that a 400 has instead of a StatusCode."""
        errors = (self.body or {}).get("validationErrors")
        rows = [row for row in errors if isinstance(row, dict)] if isinstance(errors, list) else []
        return [(str(row.get("fieldReference", "")), str(row.get("errorMessage", ""))) for row in rows]

    def why(self, head: str) -> str:
        """Return the reason with Hubject's own words: without ids, since reasons of different rows are compared."""
        if self.action is Action.FULL_LOAD:
            words = self.field("Description")
        else:
            words = functools.reduce(without_ids, self.records, self.words)
        return cut(f"{head}: {words}" if words else head)

    def deferred(self, head: str, *, unclear: bool = False) -> Outcome:
        """Return `Deferred`; in doubt too where Result and code contradict each other."""
        contradiction = self.result is True or (self.result is False and self.code == SUCCESS)
        return deferred(self.why(head), self.status, self.headers, self.now, unclear=unclear or contradiction)


def _data_error(reply: _Reply) -> Outcome:
    why = reply.why(f"{reply.code} {DATA_ERRORS[reply.code]}")
    match reply.action:
        case Action.UPDATE if reply.code == UNKNOWN_EVSE:
            return WrongAction(known=False, why=why)
        case Action.DELETE if reply.code == UNKNOWN_EVSE:
            return Accepted()
        case Action.INSERT if reply.says_exists:
            return WrongAction(known=True, why=why)
        case Action.FULL_LOAD:
            named = _named(reply.field("AdditionalInfo"), reply.records)
            return Refused(why, named=named or (_alike(reply.records) if reply.code == INCONSISTENT_EVSE else ()))
        case _:
            return Refused(why)


def _by_status(reply: _Reply) -> Outcome:
    """Decide without a code that we know: by the HTTP status, and by whether the service itself answered (JSON)."""
    status, head = reply.status, f"HTTP {reply.status}"
    match status:
        case 408 | 429:
            return reply.deferred(head)
        case 401 | 403 | 404:
            return Held(f"{head} {ACCOUNT_STATUSES[status]}")
        case _ if reply.refuses_certificate and reply.body is None:
            return Held(f"{head} {CERTIFICATE_REFUSED}")
        case 400 if reply.body is None:
            # Every request of the account would get the same.
            return Held(f"{head} {ACCOUNT_STATUSES[status]}")
        case _ if 400 <= status < 500 and reply.says_exists:
            return WrongAction(known=True, why=reply.why(head))
        case 400 if reply.action is Action.FULL_LOAD:
            return Refused(reply.why(head), named=_indexed(reply))
        case _ if 400 <= status < 500:
            return Refused(reply.why(head))
        case _ if 200 <= status < 300:
            return _unlisted(reply)
        case _:
            return reply.deferred(head)


def _unlisted(reply: _Reply) -> Outcome:
    """Decide on 2xx without proof of success: a code that no list has (the set is open), or no readable answer."""
    if reply.result is not False or reply.code in ("", SUCCESS):
        return reply.deferred(f"HTTP {reply.status}, not proven to be accepted", unclear=True)
    head = f"{reply.code} unknown code"
    if reply.says_exists:
        return WrongAction(known=True, why=reply.why(head))
    return reply.deferred(head)


def _named(info: str, records: Sequence[Record]) -> tuple[str, ...]:
    """Return the canonical ids of ours that `info` lists ("... for EvseIDs: A,B"), but not a last one that was cut."""
    listed = info.rpartition(":")[2].split(",")
    if len(info) >= _ADDITIONAL_INFO_LIMIT:
        listed = listed[:-1]
    ours = {canonical(record.evse_id) for record in records}
    found = (canonical(EvseId(item.strip().upper())) for item in listed)
    return tuple(dict.fromkeys(item for item in found if item in ours))


def _alike(records: Sequence[Record]) -> tuple[str, ...]:
    """Return the canonical ids that more than one record has: each, sent alone, is no duplicate.

    Source: Hubject's guide, OICP status codes: 018 is a duplicated EvseID in the body. Whether ids that differ in their
    separators alone are duplicates is documented nowhere: they are sent together until the hub says so.
    """
    counted = Counter(canonical(record.evse_id) for record in records)
    return tuple(name for name, number in counted.items() if number > 1)


def _indexed(reply: _Reply) -> tuple[str, ...]:
    """Return the canonical ids of the records that validation errors point at ("evseStatusRecord[3].evseID")."""
    matches = (_RECORD_INDEX.search(reference) for reference, _ in reply.validation_errors())
    indexes = (int(match[1]) for match in matches if match)
    records = reply.records
    return tuple(dict.fromkeys(canonical(records[index].evse_id) for index in indexes if index < len(records)))
