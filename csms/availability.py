"""Say how ChangeAvailability is asked in each version, and what a station's answer means.

Pure. Never asks: `session` does, where a host wants it. Before it: `server`. After it: the version's `requests`.

Source: OCPP 1.6 §5.2, §6.7, §6.8; OCPP 2.x Part 2, G03, ChangeAvailabilityResponse.
"""

from __future__ import annotations

from typing import Any, assert_never

from csms.commands import Answered, CallFailed, Gone, Outcome, TimedOut, Unreadable
from csms.events import ChangeAnswer, ChangeOutcome, ConnectorAddress, OcppVersion
from csms.v16.requests import change_availability as change_availability_16
from csms.v21.requests import change_availability as change_availability_21
from csms.v201.requests import change_availability as change_availability_201

ACTION = "ChangeAvailability"

_STATUSES = {
    "Accepted": ChangeOutcome.ACCEPTED,
    "Scheduled": ChangeOutcome.SCHEDULED,
    "Rejected": ChangeOutcome.REJECTED,
}
"""Source: OCPP 1.6 §7.1 AvailabilityStatus; OCPP 2.x Part 2, ChangeAvailabilityStatusEnumType."""

_UNSUPPORTED = frozenset({"NotImplemented", "NotSupported"})
"""CALLERROR codes that say that nothing was done. Source: OCPP-J 1.6 §4.2.3; OCPP 2.x Part 4 §4.3."""


def addressable(version: OcppVersion, address: ConnectorAddress) -> bool:
    """Tell whether the address is one of this version: a 1.6 connector, or a 2.x EVSE; never the whole station."""
    match version:
        case OcppVersion.V16:
            return address.evse == 0 and address.connector > 0
        case OcppVersion.V201 | OcppVersion.V21:
            return address.evse > 0
        case _:
            assert_never(version)


def request(version: OcppVersion, address: ConnectorAddress, *, operative: bool) -> dict[str, Any]:
    """Return the request's payload for an address that is `addressable`."""
    match version:
        case OcppVersion.V16:
            return change_availability_16(address, operative=operative)
        case OcppVersion.V201:
            return change_availability_201(address, operative=operative)
        case OcppVersion.V21:
            return change_availability_21(address, operative=operative)
        case _:
            assert_never(version)


def answer(outcome: Outcome) -> ChangeAnswer:
    """Return what the end of the call says about the station; never what it sent, but for a CALLERROR's code."""
    match outcome:
        case Answered(payload):
            status = payload.get("status")
            known = _STATUSES.get(status) if isinstance(status, str) else None
            if known is None:
                return ChangeAnswer(ChangeOutcome.UNCLEAR, "an answer without a status of the standard")
            return ChangeAnswer(known)
        case CallFailed(code):
            refused = ChangeOutcome.UNSUPPORTED if code in _UNSUPPORTED else ChangeOutcome.UNCLEAR
            return ChangeAnswer(refused, f"CALLERROR {code[:64]}")
        case Unreadable():
            return ChangeAnswer(ChangeOutcome.UNCLEAR, "an answer that cannot be read")
        case TimedOut():
            return ChangeAnswer(ChangeOutcome.UNCLEAR, "no answer in time")
        case Gone():
            return ChangeAnswer(ChangeOutcome.UNCLEAR, "the connection ended before an answer")
        case _:
            assert_never(outcome)
