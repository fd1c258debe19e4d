from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from csms import schemas
from csms.events import OcppVersion, Receipt
from csms.reply_options import IdTagPolicy, ReplyOptions
from csms.v16.replies import ROUTES, reply

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
ACCEPT = ReplyOptions(id_tags=IdTagPolicy.ACCEPT)
REJECT = ReplyOptions()

# action: (options, payload, answer)
CASES = {
    "Authorize accepted": ("Authorize", ACCEPT, {"idTag": "A"}, {"idTagInfo": {"status": "Accepted"}}),
    "Authorize rejected": ("Authorize", REJECT, {"idTag": "A"}, {"idTagInfo": {"status": "Invalid"}}),
    "BootNotification": (
        "BootNotification",
        REJECT,
        {},
        {"status": "Accepted", "currentTime": "2026-11-20T12:00:00Z", "interval": 300},
    ),
    "DataTransfer": ("DataTransfer", REJECT, {"vendorId": "EV-BOX"}, {"status": "UnknownVendorId"}),
    "Heartbeat": ("Heartbeat", REJECT, {}, {"currentTime": "2026-11-20T12:00:00Z"}),
    "SignCertificate held": ("SignCertificate", REJECT, {"csr": "x"}, {"status": "Accepted"}),
    "StartTransaction accepted": (
        "StartTransaction",
        ACCEPT,
        {"idTag": "A"},
        {"idTagInfo": {"status": "Accepted"}, "transactionId": 41},
    ),
    "StartTransaction rejected still has its id": (
        "StartTransaction",
        REJECT,
        {"idTag": "A"},
        {"idTagInfo": {"status": "Invalid"}, "transactionId": 41},
    ),
    "StopTransaction without a tag": ("StopTransaction", REJECT, {"transactionId": 41}, {}),
    "StopTransaction with a tag": ("StopTransaction", REJECT, {"idTag": "A"}, {"idTagInfo": {"status": "Invalid"}}),
    "StatusNotification": ("StatusNotification", REJECT, {}, {}),
    "MeterValues": ("MeterValues", REJECT, {}, {}),
    "DiagnosticsStatusNotification": ("DiagnosticsStatusNotification", REJECT, {}, {}),
    "FirmwareStatusNotification": ("FirmwareStatusNotification", REJECT, {}, {}),
    "LogStatusNotification": ("LogStatusNotification", REJECT, {}, {}),
    "SecurityEventNotification": ("SecurityEventNotification", REJECT, {}, {}),
    "SignedFirmwareStatusNotification": ("SignedFirmwareStatusNotification", REJECT, {}, {}),
}


@pytest.mark.parametrize(("action", "options", "payload", "answer"), CASES.values(), ids=CASES.keys())
def test_each_action_has_its_answer(
    action: str, options: ReplyOptions, payload: dict[str, object], answer: dict[str, object]
) -> None:
    assert reply(action, payload, receipt=Receipt(1, transaction_id=41), now=NOON, options=options) == answer


def test_request_for_a_certificate_that_was_not_recorded_is_rejected() -> None:
    assert reply("SignCertificate", {"csr": "x"}, receipt=None, now=NOON, options=ACCEPT) == {"status": "Rejected"}


def test_every_action_that_a_station_may_send_has_a_route() -> None:
    assert ROUTES.keys() == schemas.station_actions(OcppVersion.V16)


def test_time_of_another_zone_is_told_in_utc() -> None:
    now = datetime(2026, 11, 20, 13, 0, 0, 500, tzinfo=timezone(timedelta(hours=1)))
    assert reply("Heartbeat", {}, receipt=None, now=now, options=REJECT) == {"currentTime": "2026-11-20T12:00:00Z"}


def test_start_transaction_without_a_transaction_id_is_never_answered() -> None:
    with pytest.raises(AssertionError):
        reply("StartTransaction", {"idTag": "A"}, receipt=Receipt(1), now=NOON, options=REJECT)


def test_unknown_action_has_no_answer() -> None:
    with pytest.raises(KeyError):
        reply("TransactionEvent", {}, receipt=None, now=NOON, options=REJECT)
