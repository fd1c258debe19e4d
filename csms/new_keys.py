"""Make and check the keys that stations are given, and say what a station's answer to one means.

Pure but for the randomness of `fresh`. Never stores or sends a key. Before it: a host that rotates a key.

Source: OCPP 1.6 security whitepaper §2.3 and §7.2 (16 to 20 bytes, as hex digits); OCPP 2.0.1 Part 2, A00.FR.205 (16 to
40 characters of passwordString; 2.1: up to 64), A01.FR.02 to A01.FR.07.
"""

from __future__ import annotations

import re
import secrets
import string
from enum import StrEnum

from csms.events import OcppVersion
from csms.operator_calls import CallAnswer, CallOutcome
from csms.orders import Impossible

_BYTES_16 = 20
"""The most that the whitepaper allows, and exactly what OCPP-J 1.6 §6.2.2 asks for."""
_LETTERS_2X = string.ascii_letters + string.digits
_LENGTH_2X = 32

_FORMS = {
    OcppVersion.V16: (
        re.compile(r"(?:[0-9A-Fa-f]{2}){16,20}", re.ASCII),
        "must be 32 to 40 hex digits in pairs, the 16 to 20 bytes of an AuthorizationKey",
    ),
    OcppVersion.V201: (
        re.compile(r"[A-Za-z0-9*\-_=:+|@.]{16,40}", re.ASCII),
        "must have 16 to 40 characters out of letters, digits and * - _ = : + | @ .",
    ),
    OcppVersion.V21: (
        re.compile(r"[A-Za-z0-9*\-_=:+|@.]{16,64}", re.ASCII),
        "must have 16 to 64 characters out of letters, digits and * - _ = : + | @ .",
    ),
}


class Rotation(StrEnum):
    """What is known of a key after it was sent to a station."""

    ACCEPTED = "accepted"
    """The station took it, and will log in with it, some only after a reboot."""
    REFUSED = "refused"
    """The station keeps the one that it had."""
    UNCLEAR = "unclear"
    """It may have been taken: both are good."""
    UNSENT = "unsent"
    """Nothing was sent."""


_REFUSALS = frozenset({"Rejected", "NotSupported", "UnknownComponent", "UnknownVariable", "NotSupportedAttributeType"})
"""Source: OCPP 1.6 §6.10, ConfigurationStatus; OCPP 2.0.1 Part 2, SetVariableStatusEnumType."""
_ACCEPTED = frozenset({"Accepted", "RebootRequired"})
_UNSUPPORTED = frozenset({"NotImplemented", "NotSupported"})
"""CALLERROR codes that say that nothing was done; every other may come after it was."""


def fresh(version: OcppVersion) -> str:
    """Return a new random key in the form in which the version sends it."""
    if version is OcppVersion.V16:
        return secrets.token_hex(_BYTES_16)
    return "".join(secrets.choice(_LETTERS_2X) for _ in range(_LENGTH_2X))


def check(version: OcppVersion, key: str) -> None:
    """Check a key that an operator gives. Raises: Impossible, whose text never shows it."""
    form, wanted = _FORMS[version]
    if form.fullmatch(key) is None:
        raise Impossible("key", wanted)


def verdict(answer: CallAnswer, status: str) -> Rotation:
    """Return what the answer says about the key; `status` is the answer's word for how the value was taken.

    Source: OCPP 2.0.1 Part 2, A01.FR.05: the old one stays where the new one was not accepted.
    """
    if not answer.sent:
        return Rotation.UNSENT
    if answer.outcome is CallOutcome.REFUSED and answer.code in _UNSUPPORTED:
        return Rotation.REFUSED
    if answer.outcome is not CallOutcome.ANSWERED:
        return Rotation.UNCLEAR
    if status in _ACCEPTED:
        return Rotation.ACCEPTED
    return Rotation.REFUSED if status in _REFUSALS else Rotation.UNCLEAR
