"""Decide which CALL an operator may send a station now, and say what its end means.

Pure, and knows no action's meaning: any that the standard lets a central system send. Never shows a payload in a text.
Before it: `session`, with an operator's order. Beside it: `commands`, which send. After it: `schemas`.

Source: OCPP 1.6 §5 "Operations Initiated by Central System" and the security whitepaper's §5; OCPP 2.0.1 Part 2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from difflib import get_close_matches
from enum import StrEnum
from typing import Any, assert_never

from csms import schemas
from csms.commands import Answered, CallFailed, Gone, Outcome, TimedOut, Unreadable, Unsent
from csms.events import OcppVersion
from csms.quirk_settings import QuirkSettings, forbidden

LONGEST_TIMEOUT = timedelta(minutes=10)
_MOST_TEXT = 256


class CallOutcome(StrEnum):
    """How an operator's CALL ended. From `AWAY` on, nothing was sent."""

    ANSWERED = "answered"
    REFUSED = "refused"
    """The station sent a CALLERROR."""
    UNREADABLE = "unreadable"
    """The station sent an answer that nobody can read: it may have been done."""
    TIMED_OUT = "timed_out"
    """It was sent, and no answer came in time: it may have been done."""
    GONE = "gone"
    """It was sent, and the connection ended before an answer: it may have been done."""
    AWAY = "away"
    """The station is not connected."""
    NOT_ACCEPTED = "not_accepted"
    """The station has not booted yet."""
    BUSY = "busy"
    """Too many calls wait for this station, or the one in flight took too long."""
    INVALID = "invalid"
    """The standard's schema refuses the request."""
    UNKNOWN_ACTION = "unknown_action"
    """The station's OCPP version has no such action, or only stations send it."""
    FORBIDDEN = "forbidden"
    """It is known to harm this station, and nobody insisted."""


@dataclass(frozen=True, slots=True)
class CallAnswer:
    """What became of an operator's CALL."""

    outcome: CallOutcome
    payload: Mapping[str, Any] = field(default_factory=dict)
    """The CALLRESULT's, as the station sent it; empty for every other outcome."""
    valid: bool = True
    """False where the standard's schema refuses the payload; `why` says what is wrong with it."""
    code: str = ""
    """Of a CALLERROR, cut and cleaned."""
    why: str = ""
    """For the operator; of a CALLERROR the station's own description, cut and cleaned."""

    @property
    def sent(self) -> bool:
        """Did the station get it, as far as anybody can know."""
        return self.outcome in _SENT


_SENT = frozenset(
    {CallOutcome.ANSWERED, CallOutcome.REFUSED, CallOutcome.UNREADABLE, CallOutcome.TIMED_OUT, CallOutcome.GONE}
)

AWAY = CallAnswer(CallOutcome.AWAY, why="the station is not connected; nothing was sent")
_NOT_ACCEPTED = CallAnswer(
    CallOutcome.NOT_ACCEPTED,
    why="the station has not sent a BootNotification yet: until then only TriggerMessage(BootNotification) may be sent",
)
_BUSY = CallAnswer(CallOutcome.BUSY, why="other calls to this station are not over yet; nothing was sent")


def refusal(
    version: OcppVersion,
    action: str,
    payload: Mapping[str, Any],
    *,
    accepted: bool,
    quirks: QuirkSettings,
    force: bool = False,
) -> CallAnswer | None:
    """Return why nothing is sent, or None where the CALL may go; with `force` also what the quirks forbid.

    Source: OCPP 1.6 §4.2 and OCPP 2.0.1 Part 2, B02 (a station that is not accepted may be triggered to boot).
    """
    if action not in schemas.csms_actions(version):
        return CallAnswer(CallOutcome.UNKNOWN_ACTION, why=_unknown(version, action))
    wrong = schemas.advice(version, action, payload)
    if wrong is not None:
        return CallAnswer(CallOutcome.INVALID, why=wrong)
    if not accepted and (action, payload.get("requestedMessage")) != ("TriggerMessage", "BootNotification"):
        return _NOT_ACCEPTED
    harm = None if force else forbidden(quirks, action, payload)
    if harm is not None:
        return CallAnswer(CallOutcome.FORBIDDEN, why=f"{harm}; nothing was sent: force it (--force) if it must be")
    return None


def judge(version: OcppVersion, action: str, outcome: Outcome | Unsent) -> CallAnswer:
    """Return what the end of a CALL that `refusal` let pass says to the operator."""
    match outcome:
        case Answered(payload):
            found = schemas.problems(version, action, payload, "response")
            return CallAnswer(CallOutcome.ANSWERED, payload, valid=found is None, why="" if found is None else found[1])
        case CallFailed(code, description):
            return CallAnswer(CallOutcome.REFUSED, code=readable(code), why=readable(description))
        case Unreadable():
            return CallAnswer(CallOutcome.UNREADABLE, why="the answer cannot be read: it may have been done")
        case TimedOut():
            return CallAnswer(CallOutcome.TIMED_OUT, why="no answer in time: it may have been done")
        case Gone():
            return CallAnswer(CallOutcome.GONE, why="the connection ended before an answer: it may have been done")
        case Unsent(busy):
            return _BUSY if busy else AWAY
        case _:
            assert_never(outcome)


def readable(text: str) -> str:
    """Return a station's own text for a log or a terminal: without control characters, at most 256 characters."""
    return "".join(letter if letter.isprintable() else " " for letter in text[:_MOST_TEXT]).strip()


def _unknown(version: OcppVersion, action: str) -> str:
    name = readable(action)
    if action in schemas.station_actions(version):
        return f"{name} is sent by stations only"
    likely = get_close_matches(action, schemas.csms_actions(version), n=1)
    hint = f"; did you mean {likely[0]}?" if likely else "; actions are spelled as in the standard, such as Reset"
    return f"{version.value} has no action {name!r}{hint}"
