"""Answer stations by ourselves: the `ports.Replies` of a bridge that is their only central system.

Records nothing and sends nothing. Before it: the host's recorder (the receipt). After it: `frames.result_text`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from csms import schemas
from csms.events import OcppVersion, Receipt, StationId
from csms.faults import Fault
from csms.reply_options import IdTagPolicy, ReplyOptions
from csms.v16 import replies as v16
from csms.v21 import replies as v21
from csms.v201 import replies as v201

_REPLY = {OcppVersion.V16: v16.reply, OcppVersion.V201: v201.reply, OcppVersion.V21: v21.reply}

__all__ = ["IdTagPolicy", "LocalReplies", "ReplyOptions", "answerable", "sendable"]


class LocalReplies:
    """Gives every request of a station the answer that lets it work without another central system."""

    def __init__(self, clock: Callable[[], datetime], options: ReplyOptions) -> None:
        """`clock` returns the aware time that stations are told."""
        self._clock = clock
        self._options = options

    async def reply(
        self, station: StationId, version: OcppVersion, action: str, payload: Mapping[str, Any], receipt: Receipt | None
    ) -> dict[str, Any]:
        """Return the CALLRESULT payload for an `answerable` action; never waits, and asks not who the station is.

        Raises: KeyError, where the action is not answerable; ask first.
        """
        return _REPLY[version](action, payload, receipt=receipt, now=self._clock(), options=self._options)


def sendable(version: OcppVersion, action: str) -> bool:
    """Tell whether a station's SEND of this action is read: 2.1 has one that is only sent, and a CALL's says as much.

    Source: OCPP 2.1 Part 4 §4.2, SEND.
    """
    return action in schemas.station_actions(version) or action in schemas.unconfirmed_actions(version)


def answerable(version: OcppVersion, action: str) -> Fault | None:
    """Return None where a station may send this action, else the fault to answer with.

    Source: OCPP-J 1.6 §4.2.3 and OCPP 2.x Part 4 §4.3, NotImplemented and NotSupported.
    """
    if action in schemas.station_actions(version):
        return None
    return Fault.NOT_SUPPORTED if action in schemas.known_actions(version) else Fault.NOT_IMPLEMENTED
