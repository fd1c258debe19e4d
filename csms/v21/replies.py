"""Answer OCPP 2.1 requests: one function per action that a station may send and 2.0.1 answers differently or not.

Does no I/O and reads no clock. Before it: `replies.LocalReplies`. Beside it: `v201.replies`, for all other actions.
After it: `frames.result_text`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from csms.events import Receipt
from csms.reply_options import ReplyOptions
from csms.v201.replies import ROUTES as ROUTES_201
from csms.v201.replies import Reply, ReplyOf, moment, noted

_ASK_AGAIN: Final = timedelta(days=1)
"""When a certificate's status may be asked for again: required, and soon would only be another refusal."""

_HASHES: Final = ("hashAlgorithm", "issuerNameHash", "issuerKeyHash", "serialNumber")
"""CertificateHashDataType without customData."""


def reply(
    action: str, payload: Mapping[str, Any], *, receipt: Receipt | None, now: datetime, options: ReplyOptions
) -> Reply:
    """Return the CALLRESULT payload for one of `ROUTES`.

    Raises: KeyError, where the action is not one of them, or where a field that the answer must repeat is missing:
    `translate` lets no such request through.
    Source: OCPP 2.1 Part 2, Messages.
    """
    return ROUTES[action](payload, receipt, now, options)


def _get_certificate_chain_status(
    payload: Mapping[str, Any], receipt: Receipt | None, now: datetime, options: ReplyOptions
) -> Reply:
    """No status: this system asks no OCSP responder, as `GetCertificateStatus` says in 2.0.1."""
    next_update = moment(now + _ASK_AGAIN)
    return {
        "certificateStatus": [
            {
                "certificateHashData": {name: asked["certificateHashData"][name] for name in _HASHES},
                "source": asked["source"],
                "status": "Failed",
                "nextUpdate": next_update,
            }
            for asked in payload["certificateStatusRequests"]
        ]
    }


def _notify_ev_charging_needs(
    payload: Mapping[str, Any], receipt: Receipt | None, now: datetime, options: ReplyOptions
) -> Reply:
    """2.1 has a word of its own for a system that does no smart charging and minds no charging either."""
    return {"status": "NoChargingProfile"}


def _open_periodic_event_stream(
    payload: Mapping[str, Any], receipt: Receipt | None, now: datetime, options: ReplyOptions
) -> Reply:
    """No stream: nobody here reads its values, and it costs a message every few seconds."""
    return {"status": "Rejected"}


def _pull_dynamic_schedule_update(
    payload: Mapping[str, Any], receipt: Receipt | None, now: datetime, options: ReplyOptions
) -> Reply:
    """No update: this system has set no dynamic profile."""
    return {"status": "Rejected"}


def _vat_number_validation(
    payload: Mapping[str, Any], receipt: Receipt | None, now: datetime, options: ReplyOptions
) -> Reply:
    """No validation: nobody here can look the number up. The answer names the request's number and EVSE."""
    evse = {"evseId": payload["evseId"]} if "evseId" in payload else {}
    return {"vatNumber": payload["vatNumber"], "status": "Rejected", **evse}


ROUTES: dict[str, ReplyOf] = ROUTES_201 | {
    "BatterySwap": noted,
    "ClosePeriodicEventStream": noted,
    "GetCertificateChainStatus": _get_certificate_chain_status,
    "NotifyDERAlarm": noted,
    "NotifyDERStartStop": noted,
    "NotifyEVChargingNeeds": _notify_ev_charging_needs,
    "NotifyPriorityCharging": noted,
    "NotifySettlement": noted,
    "OpenPeriodicEventStream": _open_periodic_event_stream,
    "PullDynamicScheduleUpdate": _pull_dynamic_schedule_update,
    "ReportDERControl": noted,
    "VatNumberValidation": _vat_number_validation,
}
