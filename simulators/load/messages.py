"""Say what stations send, as text that is ready but for its id and time, and what they answer.

Pure. Before it: `station`. Nothing here validates: each text is legal by its schema as it stands.
Source: OCPP 1.6, 2.0.1 and 2.1 schemas of BootNotification, Heartbeat, StatusNotification, TriggerMessage.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Any

from simulators.load.options import LoadOptions, Member, Profile, Version


class Kind(Enum):
    """What a station tells by itself."""

    STATUS = "StatusNotification"
    BOOT = "BootNotification"
    HEARTBEAT = "Heartbeat"


_ACTIONS = {kind.value: kind for kind in Kind}

_OF_16 = ("Charging", "Faulted", "Reserved", "Unavailable")
_OF_2X = ("Occupied", "Faulted", "Reserved", "Unavailable")
_WORDS: dict[Version, tuple[str, ...]] = {"1.6": _OF_16, "2.0.1": _OF_2X, "2.1": _OF_2X}
"""Each differs from the one before also for who folds them to fewer: in use, out of order, reserved, out of order."""
_FLAPPING: dict[Version, tuple[str, ...]] = {
    "1.6": ("Preparing", "Available"),
    "2.0.1": ("Occupied", "Available"),
    "2.1": ("Occupied", "Available"),
}
SUBPROTOCOLS: dict[Version, str] = {"1.6": "ocpp1.6", "2.0.1": "ocpp2.0.1", "2.1": "ocpp2.1"}


def words(version: Version, profile: Profile) -> tuple[str, ...]:
    """Return the statuses that take turns."""
    return _FLAPPING[version] if profile == "flap" else _WORDS[version]


@lru_cache(maxsize=4096)
def status_body(version: Version, evse: int, connector: int, word: str) -> str:
    """Return a StatusNotification without its beginning, which is the id, and its end, which is the time."""
    if version == "1.6":
        told = f'"connectorId":{connector},"errorCode":"NoError","status":"{word}"'
    else:
        told = f'"evseId":{evse},"connectorId":{connector},"connectorStatus":"{word}"'
    return f'","StatusNotification",{{{told},"timestamp":"'


def boot(message_id: int, version: Version) -> str:
    """Return a BootNotification."""
    if version == "1.6":
        return f'[2,"{message_id}","BootNotification",{{"chargePointVendor":"ocpp-sim","chargePointModel":"load"}}]'
    station = '{"vendorName":"ocpp-sim","model":"load"}'
    return f'[2,"{message_id}","BootNotification",{{"reason":"PowerUp","chargingStation":{station}}}]'


def heartbeat(message_id: int) -> str:
    """Return a Heartbeat."""
    return f'[2,"{message_id}","Heartbeat",{{}}]'


@dataclass(frozen=True, slots=True)
class Reply:
    """What a station answers to a CALL of the server."""

    text: str
    then: Kind | None = None
    """What it sends next, since it was asked for it."""


def reply_to(call: list[Any], options: LoadOptions, member: Member) -> Reply:
    """Answer a CALL: TriggerMessage as the options say, everything else with a legal refusal."""
    message_id, action, payload = call[1], call[2], call[3]
    if action != "TriggerMessage" or not isinstance(payload, dict):
        return Reply(json.dumps([4, message_id, "NotSupported", "", {}]))
    wanted = None if options.refuse_triggers else _ACTIONS.get(str(payload.get("requestedMessage")))
    if wanted is None:
        status = "Rejected" if options.refuse_triggers else "NotImplemented"
        return Reply(json.dumps([3, message_id, {"status": status}]))
    if wanted is Kind.STATUS and _other_connector(payload, member, options.version):
        return Reply(json.dumps([3, message_id, {"status": "Rejected"}]))
    return Reply(json.dumps([3, message_id, {"status": "Accepted"}]), wanted)


def _other_connector(payload: dict[str, Any], member: Member, version: Version) -> bool:
    """Tell whether a trigger names a connector that this station does not report of."""
    if version == "1.6":
        return bool(payload.get("connectorId", member.connector) != member.connector)
    evse = payload.get("evse") or {}
    asked = (evse.get("id", member.evse), evse.get("connectorId", member.connector))
    return asked != (member.evse, member.connector)
