"""Answer OCPP 1.6 requests: one function per action that a station may send.

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
    Source: OCPP 1.6 §6; security whitepaper §5.
    """
    return ROUTES[action](payload, receipt, now, options)


def _authorize(payload: Mapping[str, Any], receipt: Receipt | None, now: datetime, options: ReplyOptions) -> Reply:
    return {"idTagInfo": _authorization(payload.get("idTag"), options)}


def _boot_notification(
    payload: Mapping[str, Any], receipt: Receipt | None, now: datetime, options: ReplyOptions
) -> Reply:
    interval = int(options.heartbeat_interval.total_seconds())
    return {"status": "Accepted", "currentTime": moment(now), "interval": interval}


def _data_transfer(payload: Mapping[str, Any], receipt: Receipt | None, now: datetime, options: ReplyOptions) -> Reply:
    return {"status": "UnknownVendorId"}


def _heartbeat(payload: Mapping[str, Any], receipt: Receipt | None, now: datetime, options: ReplyOptions) -> Reply:
    return {"currentTime": moment(now)}


def _sign_certificate(
    payload: Mapping[str, Any], receipt: Receipt | None, now: datetime, options: ReplyOptions
) -> Reply:
    """Accept what was recorded: an operator will deliver the certificate (CertificateSigned)."""
    return {"status": "Rejected" if receipt is None else "Accepted"}


def _start_transaction(
    payload: Mapping[str, Any], receipt: Receipt | None, now: datetime, options: ReplyOptions
) -> Reply:
    if receipt is None or receipt.transaction_id is None:
        raise AssertionError("a StartTransaction is recorded before it is answered, and its receipt has the id")
    authorization = _authorization(payload.get("idTag"), options)
    return {"idTagInfo": authorization, "transactionId": receipt.transaction_id}


def _stop_transaction(
    payload: Mapping[str, Any], receipt: Receipt | None, now: datetime, options: ReplyOptions
) -> Reply:
    id_tag = payload.get("idTag")
    return {} if id_tag is None else {"idTagInfo": _authorization(id_tag, options)}


def noted(payload: Mapping[str, Any], receipt: Receipt | None, now: datetime, options: ReplyOptions) -> Reply:
    """Answer a notification: its receipt is all that the station waits for."""
    return {}


def _authorization(id_tag: object, options: ReplyOptions) -> Reply:
    return {"status": "Accepted" if options.authorises(id_tag) else "Invalid"}


def moment(now: datetime) -> str:
    """Write whole seconds and Z: some stations read no fraction and no offset."""
    return now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


ROUTES: dict[str, ReplyOf] = {
    "Authorize": _authorize,
    "BootNotification": _boot_notification,
    "DataTransfer": _data_transfer,
    "DiagnosticsStatusNotification": noted,
    "FirmwareStatusNotification": noted,
    "Heartbeat": _heartbeat,
    "LogStatusNotification": noted,
    "MeterValues": noted,
    "SecurityEventNotification": noted,
    "SignCertificate": _sign_certificate,
    "SignedFirmwareStatusNotification": noted,
    "StartTransaction": _start_transaction,
    "StatusNotification": noted,
    "StopTransaction": _stop_transaction,
}
