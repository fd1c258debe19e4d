"""Read and write OCPP-J frames: text in, Call, Send, CallResult, CallError, CallResultError or Malformed out.

Does no I/O, reads no clock, and never raises for anything that a station may send. Knows nothing of actions.
Before it: `incoming` (one WebSocket message). Beside it: `json_text` and `faults`. After it: `calls`.

Sources: OCPP-J 1.6 §4 (and errata §5), OCPP 2.0.1 Part 4 §4, OCPP 2.1 Part 4 §4 (CALLRESULTERROR and SEND).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from msgspec import Struct

from csms.events import OcppVersion
from csms.faults import Fault, error_code
from csms.json_text import JUNK, MAX_DEPTH, MAX_DIGITS, Refused, lenient_json, strict_json, too_deep

MAX_ID = 36
"""OCPP-J 1.6 §4.1.4 and 2.0.1 Part 4 §4.1.4: messageId has at most 36 characters."""

UNREADABLE_ID = "-1"
"""OCPP 2.0.1 Part 4 §4.2.3: 'When also the MessageId cannot be read, the CALLERROR SHALL contain "-1" as MessageId.'"""

_MAX_DESCRIPTION = 255
_CALL, _CALL_RESULT, _CALL_ERROR, _CALL_RESULT_ERROR, _SEND = 2, 3, 4, 5, 6


# A CALL whose id is readable and whose rest is not a CALL: each version's nearest word is another meaning.
_BROKEN_CALL = {
    OcppVersion.V16: Fault.MALFORMED_STRUCTURE,
    OcppVersion.V201: Fault.NOT_RPC,
    OcppVersion.V21: Fault.NOT_RPC,
}

# What nobody answers, however broken it is: it could go round for ever, and a SEND has no answer.
_NEVER_ANSWERED = {
    OcppVersion.V16: (_CALL_RESULT, _CALL_ERROR),
    OcppVersion.V201: (_CALL_RESULT, _CALL_ERROR),
    OcppVersion.V21: (_CALL_RESULT, _CALL_ERROR, _CALL_RESULT_ERROR, _SEND),
}


class Call(Struct, frozen=True):
    """A request; it gets exactly one answer."""

    id: str
    action: str
    payload: dict[str, Any]


class CallResult(Struct, frozen=True):
    """The good answer to a request of ours."""

    id: str
    payload: dict[str, Any]


class CallError(Struct, frozen=True):
    """The bad answer to a request of ours; never answered."""

    id: str
    code: str
    description: str


class CallResultError(Struct, frozen=True):
    """The station could not use the good answer that we gave to a request of its; never answered. OCPP 2.1 only."""

    id: str
    code: str
    description: str


class Send(Struct, frozen=True):
    """A message that nobody waits for an answer to; never answered. OCPP 2.1 only."""

    id: str
    action: str
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Malformed:
    """A frame that is none of these."""

    kind: str
    """Why, for counting: not_utf8, not_json, impossible_number, duplicate_key, too_deep, not_a_list, unknown_type,
    bad_id, bad_action, bad_payload or wrong_length."""
    answer: str | None
    """The exact text to send back; None where the standard wants silence."""
    answers: str | None = None
    """Id of the CALL that it was to answer, where that much of a CALLRESULT or CALLERROR can be read."""


Frame = Call | CallResult | CallError | CallResultError | Send | Malformed


# --- writing ------------------------------------------------------------------------------------------------------

_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode
_quoted = json.encoder.encode_basestring_ascii
"""What the encoder does with a text, without the way there."""


def call_text(id: str, action: str, payload: Mapping[str, Any]) -> str:
    """Write a CALL."""
    return f"[2,{_encode(id)},{_encode(action)},{_encode(payload)}]"


def result_text(id: str, payload: Mapping[str, Any]) -> str:
    """Write a CALLRESULT."""
    return f"[3,{_quoted(id)},{_encode(payload) if payload else '{}'}]"


def error_text(id: str, fault: Fault, version: OcppVersion, description: str = "") -> str:
    """Write a CALLERROR; the details stay empty and the description is cut at 255 characters.

    The description is ours: no text of the station belongs in it.
    """
    return f'[4,{_encode(id)},"{error_code(fault, version)}",{_encode(description[:_MAX_DESCRIPTION])},{{}}]'


def result_error_text(id: str, fault: Fault, version: OcppVersion, description: str = "") -> str | None:
    """Write the CALLRESULTERROR that tells a station that its CALLRESULT is of no use; None before OCPP 2.1.

    Details and description as in `error_text`. Source: OCPP 2.1 Part 4 §4.2, CALLRESULTERROR; OCPP 1.6 and 2.0.1 have
    no answer to an answer.
    """
    if version is not OcppVersion.V21:
        return None
    return f'[5,{_encode(id)},"{error_code(fault, version)}",{_encode(description[:_MAX_DESCRIPTION])},{{}}]'


# --- reading ------------------------------------------------------------------------------------------------------


_HEAD = re.compile(r'\[\s*(?P<type>[0-9]+)\s*(?:,\s*"(?P<id>(?:[^"\\\ufffd]|\\.)++)")?', re.DOTALL)


def parse(text: str | bytes, version: OcppVersion, *, strict: bool = False) -> Frame:
    """Read one frame; never raises.

    Tolerates unless `strict`: a byte order mark, NUL and other control characters, repeated keys, arrays of an answer
    that are too long or too short, and null for an empty payload (that one always: OCPP-J 1.6 §4.2.1).
    A CALL whose id can be read yields a `Call` or a `Malformed` with an answer, whatever the rest looks like.
    """
    if isinstance(text, bytes):
        data = text
        try:
            text = data.decode()
        except UnicodeDecodeError:
            return _unread("not_utf8", Fault.SYNTACTIC, data.decode(errors="replace"), version)
    if text.count("[") + text.count("{") > MAX_DEPTH and too_deep(text):
        return _unread("too_deep", _BROKEN_CALL[version], text, version)
    try:
        message = strict_json(text) if strict else lenient_json(text)
    except Refused as refused:
        return _unread(refused.kind, refused.fault, text, version)
    except (ValueError, RecursionError):
        return _unread("not_json", Fault.SYNTACTIC, text, version)
    if type(message) is not list or not message:
        return Malformed("not_a_list", _answer_2(UNREADABLE_ID, Fault.NOT_RPC, version))
    kind = message[0]
    # In JSON `true` and 2.0 are not the integer 2, though Python compares them as equal.
    reader = _READERS[version].get(kind) if type(kind) is int else None
    return reader(message, version, strict) if reader else _unknown_type(message, version)


def _unread(kind: str, fault: Fault, text: str, version: OcppVersion) -> Malformed:
    """Answer a frame that is not JSON, by its id if its head shows one; never where it is itself an answer."""
    head = _HEAD.match(text.lstrip(JUNK))
    message_type = int(head["type"][:MAX_DIGITS]) if head else None
    if message_type in _NEVER_ANSWERED[version]:
        answers = _id_in_head(head["id"]) if head and message_type in (_CALL_RESULT, _CALL_ERROR) else None
        return Malformed(kind, None, answers)
    id = _id_in_head(head["id"]) if head and message_type == _CALL else None
    if id is not None:
        return Malformed(kind, error_text(id, fault, version, _DESCRIPTIONS[kind]))
    return Malformed(kind, _answer_2(UNREADABLE_ID, Fault.NOT_RPC, version))


def _id_in_head(literal: str | None) -> str | None:
    try:
        id = json.loads(f'"{literal or ""}"', strict=False)
    except ValueError:
        return None
    return id if _is_id(id) else None


def _answer_2(id: str, fault: Fault, version: OcppVersion) -> str | None:
    """Answer what only OCPP 2.x has a rule for; OCPP 1.6 stays silent."""
    return None if version is OcppVersion.V16 else error_text(id, fault, version)


_DESCRIPTIONS = {
    "not_utf8": "The frame is not UTF-8",
    "not_json": "The frame is not JSON",
    "impossible_number": "The frame contains a number that OCPP cannot hold",
    "duplicate_key": "The frame repeats a key",
    "too_deep": f"The frame nests deeper than {MAX_DEPTH}",
}


def _unknown_type(message: list[Any], version: OcppVersion) -> Malformed:
    """Ignore it, or tell a 2.x station that it did not count.

    OCPP-J 1.6 §4.1.3: 'When a server receives a message with a Message Type Number not in this list, it SHALL ignore
    the message payload.' OCPP 2.x Part 4 §4.4: '... it SHALL respond with an CALLERROR'.
    """
    if any(message[0] in (silent, str(silent)) for silent in _NEVER_ANSWERED[version]):
        return Malformed("unknown_type", None)  # meant as one of these
    id = message[1] if len(message) > 1 and _is_id(message[1]) else UNREADABLE_ID
    return Malformed("unknown_type", _answer_2(id, Fault.UNKNOWN_TYPE, version))


def _is_id(value: Any) -> bool:
    return type(value) is str and 0 < len(value) <= MAX_ID


def _call(message: list[Any], version: OcppVersion, strict: bool) -> Call | Malformed:
    if len(message) == 4:
        _, id, action, payload = message
        if type(id) is str and 0 < len(id) <= MAX_ID and type(action) is str:
            if type(payload) is dict:
                return Call(id, action, payload)
            if payload is None:
                return Call(id, action, {})
    return _broken_call(message, version)


def _broken_call(message: list[Any], version: OcppVersion) -> Malformed:
    id: Any = message[1] if len(message) > 1 else None
    if not _is_id(id):
        return Malformed("bad_id", _answer_bad_id(id, version))
    broken = _BROKEN_CALL[version]
    if len(message) != 4:
        return Malformed("wrong_length", error_text(id, broken, version, "A CALL has four elements"))
    if type(message[2]) is not str:
        return Malformed("bad_action", error_text(id, broken, version, "The action is not a string"))
    return Malformed("bad_payload", error_text(id, Fault.SYNTACTIC, version, "The payload is not an object"))


def _answer_bad_id(id: object, version: OcppVersion) -> str | None:
    if version is OcppVersion.V16 and isinstance(id, str) and id:
        text = "The message id is longer than 36 characters"
        return error_text(id[:MAX_ID], Fault.MALFORMED_STRUCTURE, version, text)
    return _answer_2(UNREADABLE_ID, Fault.NOT_RPC, version)


def _call_result(message: list[Any], version: OcppVersion, strict: bool) -> CallResult | Malformed:
    if len(message) < 2 or not _is_id(message[1]):
        return Malformed("bad_id", None)
    if len(message) < 3 or (strict and len(message) != 3):
        return Malformed("wrong_length", None, message[1])
    payload = message[2]
    if payload is None:
        payload = {}
    if type(payload) is not dict:
        return Malformed("bad_payload", None, message[1])
    return CallResult(message[1], payload)


def _call_error(message: list[Any], version: OcppVersion, strict: bool) -> CallError | Malformed:
    if len(message) < 2 or not _is_id(message[1]):
        return Malformed("bad_id", None)
    if strict and len(message) != 5:
        return Malformed("wrong_length", None, message[1])
    code = message[2] if len(message) > 2 and type(message[2]) is str else error_code(Fault.GENERIC, version)
    description = message[3] if len(message) > 3 and type(message[3]) is str else ""
    return CallError(message[1], code[:_MAX_DESCRIPTION], description[:_MAX_DESCRIPTION])


def _call_result_error(message: list[Any], version: OcppVersion, strict: bool) -> CallResultError | Malformed:
    """Read it as a CALLERROR, whose form it has; what it is about waits for nothing."""
    read = _call_error(message, version, strict)
    if isinstance(read, Malformed):
        return Malformed(read.kind, None)
    return CallResultError(read.id, read.code, read.description)


def _send(message: list[Any], version: OcppVersion, strict: bool) -> Send | Malformed:
    if len(message) < 2 or not _is_id(message[1]):
        return Malformed("bad_id", None)
    if len(message) != 4:
        return Malformed("wrong_length", None)
    _, id, action, payload = message
    if type(action) is not str:
        return Malformed("bad_action", None)
    if payload is None:
        payload = {}
    return Send(id, action, payload) if type(payload) is dict else Malformed("bad_payload", None)


_Reader = Callable[[list[Any], OcppVersion, bool], Frame]

_READERS_16: dict[int, _Reader] = {_CALL: _call, _CALL_RESULT: _call_result, _CALL_ERROR: _call_error}
_READERS_21 = _READERS_16 | {_CALL_RESULT_ERROR: _call_result_error, _SEND: _send}
_READERS = {OcppVersion.V16: _READERS_16, OcppVersion.V201: _READERS_16, OcppVersion.V21: _READERS_21}
