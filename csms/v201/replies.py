"""Answer OCPP 2.0.1 requests: one function per action that a station may send.

Does no I/O and reads no clock. Before it: `replies.LocalReplies`. After it: `frames.result_text`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from csms.events import Receipt
from csms.reply_options import ReplyOptions

Reply = dict[str, Any]
ReplyOf = Callable[[Mapping[str, Any], Receipt | None, datetime, ReplyOptions], Reply]


def reply(
    action: str, payload: Mapping[str, Any], *, receipt: Receipt | None, now: datetime, options: ReplyOptions
) -> Reply:
    """Return the CALLRESULT payload for one of `ROUTES`.

    Raises: KeyError, where the action is not one of them.
    Source: OCPP 2.0.1 Part 2, Messages.
    """
    return ROUTES[action](payload, receipt, now, options)


def _authorize(payload: Mapping[str, Any], receipt: Receipt | None, now: datetime, options: ReplyOptions) -> Reply:
    """Refuse a contract certificate, whose token is Invalid then: this system asks no OCSP responder.

    Source: OCPP 2.0.1 Part 2 C07.FR.17, a chain that 'cannot be verified'.
    """
    if payload.get("certificate") or payload.get("iso15118CertificateHashData"):
        return {"idTokenInfo": {"status": "Invalid"}, "certificateStatus": "CertChainError"}
    return {"idTokenInfo": _authorization(payload.get("idToken"), options)}


def _boot_notification(
    payload: Mapping[str, Any], receipt: Receipt | None, now: datetime, options: ReplyOptions
) -> Reply:
    interval = int(options.heartbeat_interval.total_seconds())
    return {"status": "Accepted", "currentTime": moment(now), "interval": interval}


def _data_transfer(payload: Mapping[str, Any], receipt: Receipt | None, now: datetime, options: ReplyOptions) -> Reply:
    return {"status": "UnknownVendorId"}


def _get_15118_ev_certificate(
    payload: Mapping[str, Any], receipt: Receipt | None, now: datetime, options: ReplyOptions
) -> Reply:
    return {"status": "Failed", "exiResponse": ""}


def _get_certificate_status(
    payload: Mapping[str, Any], receipt: Receipt | None, now: datetime, options: ReplyOptions
) -> Reply:
    return {"status": "Failed"}


def _heartbeat(payload: Mapping[str, Any], receipt: Receipt | None, now: datetime, options: ReplyOptions) -> Reply:
    return {"currentTime": moment(now)}


def _notify_ev_charging_needs(
    payload: Mapping[str, Any], receipt: Receipt | None, now: datetime, options: ReplyOptions
) -> Reply:
    """No schedule follows: this system does no smart charging."""
    return {"status": "Rejected"}


def _notify_ev_charging_schedule(
    payload: Mapping[str, Any], receipt: Receipt | None, now: datetime, options: ReplyOptions
) -> Reply:
    """Source: GenericStatusEnumType here 'does not imply any approval of the charging schedule'."""
    return {"status": "Accepted"}


def _sign_certificate(
    payload: Mapping[str, Any], receipt: Receipt | None, now: datetime, options: ReplyOptions
) -> Reply:
    """Accept what was recorded: an operator will deliver the certificate (CertificateSigned)."""
    return {"status": "Rejected" if receipt is None else "Accepted"}


def _transaction_event(
    payload: Mapping[str, Any], receipt: Receipt | None, now: datetime, options: ReplyOptions
) -> Reply:
    id_token = payload.get("idToken")
    return {} if id_token is None else {"idTokenInfo": _authorization(id_token, options)}


def noted(payload: Mapping[str, Any], receipt: Receipt | None, now: datetime, options: ReplyOptions) -> Reply:
    """Answer a notification: its receipt is all that the station waits for."""
    return {}


def _authorization(id_token: object, options: ReplyOptions) -> Reply:
    """Take an IdTokenType, or carelessly its bare text.

    A station that has a start button for a reader identifies nobody, and is told Accepted whatever the policy on tokens
    is. Source: OCPP 2.0.1 Part 2 C02.FR.02.
    """
    if isinstance(id_token, Mapping) and id_token.get("type") == "NoAuthorization":
        return {"status": "Accepted"}
    text = id_token.get("idToken") if isinstance(id_token, Mapping) else id_token
    return {"status": "Accepted" if options.authorises(text) else "Invalid"}


def moment(now: datetime) -> str:
    """Write whole seconds and Z: some stations read no fraction and no offset."""
    return now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


ROUTES: dict[str, ReplyOf] = {
    "Authorize": _authorize,
    "BootNotification": _boot_notification,
    "ClearedChargingLimit": noted,
    "DataTransfer": _data_transfer,
    "FirmwareStatusNotification": noted,
    "Get15118EVCertificate": _get_15118_ev_certificate,
    "GetCertificateStatus": _get_certificate_status,
    "Heartbeat": _heartbeat,
    "LogStatusNotification": noted,
    "MeterValues": noted,
    "NotifyChargingLimit": noted,
    "NotifyCustomerInformation": noted,
    "NotifyDisplayMessages": noted,
    "NotifyEVChargingNeeds": _notify_ev_charging_needs,
    "NotifyEVChargingSchedule": _notify_ev_charging_schedule,
    "NotifyEvent": noted,
    "NotifyMonitoringReport": noted,
    "NotifyReport": noted,
    "PublishFirmwareStatusNotification": noted,
    "ReportChargingProfiles": noted,
    "ReservationStatusUpdate": noted,
    "SecurityEventNotification": noted,
    "SignCertificate": _sign_certificate,
    "StatusNotification": noted,
    "TransactionEvent": _transaction_event,
}
