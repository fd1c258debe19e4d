from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from csms import schemas
from csms.events import OcppVersion, Receipt
from csms.reply_options import IdTagPolicy, ReplyOptions
from csms.v201.replies import ROUTES, reply

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
ACCEPT = ReplyOptions(id_tags=IdTagPolicy.ACCEPT)
LIST = ReplyOptions(id_tags=IdTagPolicy.LIST, id_tag_list=frozenset({"AA"}))
REJECT = ReplyOptions()
TOKEN = {"idToken": {"idToken": "aa", "type": "ISO14443"}}
BUTTON = {"idToken": {"idToken": "", "type": "NoAuthorization"}}

CASES = {
    "Authorize accepted": ("Authorize", ACCEPT, TOKEN, {"idTokenInfo": {"status": "Accepted"}}),
    "Authorize on the list": ("Authorize", LIST, TOKEN, {"idTokenInfo": {"status": "Accepted"}}),
    "Authorize with a bare text": ("Authorize", LIST, {"idToken": "AA"}, {"idTokenInfo": {"status": "Accepted"}}),
    "Authorize rejected": ("Authorize", REJECT, TOKEN, {"idTokenInfo": {"status": "Invalid"}}),
    "Authorize with a contract certificate": (
        "Authorize",
        ACCEPT,
        TOKEN | {"certificate": "-----BEGIN CERTIFICATE-----"},
        {"idTokenInfo": {"status": "Invalid"}, "certificateStatus": "CertChainError"},
    ),
    "Authorize with hashes of a contract certificate": (
        "Authorize",
        LIST,
        TOKEN | {"iso15118CertificateHashData": [{"serialNumber": "1a"}]},
        {"idTokenInfo": {"status": "Invalid"}, "certificateStatus": "CertChainError"},
    ),
    "BootNotification": (
        "BootNotification",
        REJECT,
        {},
        {"status": "Accepted", "currentTime": "2026-11-20T12:00:00Z", "interval": 300},
    ),
    "DataTransfer": ("DataTransfer", REJECT, {"vendorId": "X"}, {"status": "UnknownVendorId"}),
    "Get15118EVCertificate": ("Get15118EVCertificate", REJECT, {}, {"status": "Failed", "exiResponse": ""}),
    "GetCertificateStatus": ("GetCertificateStatus", REJECT, {}, {"status": "Failed"}),
    "Heartbeat": ("Heartbeat", REJECT, {}, {"currentTime": "2026-11-20T12:00:00Z"}),
    "NotifyEVChargingNeeds": ("NotifyEVChargingNeeds", REJECT, {}, {"status": "Rejected"}),
    "NotifyEVChargingSchedule": ("NotifyEVChargingSchedule", REJECT, {}, {"status": "Accepted"}),
    "SignCertificate": ("SignCertificate", REJECT, {"csr": "x"}, {"status": "Rejected"}),
    "TransactionEvent without a token": ("TransactionEvent", REJECT, {}, {}),
    "TransactionEvent accepted": ("TransactionEvent", ACCEPT, TOKEN, {"idTokenInfo": {"status": "Accepted"}}),
    "TransactionEvent of a start button": ("TransactionEvent", LIST, BUTTON, {"idTokenInfo": {"status": "Accepted"}}),
    "TransactionEvent of a start button, cards rejected": (
        "TransactionEvent",
        REJECT,
        BUTTON,
        {"idTokenInfo": {"status": "Accepted"}},
    ),
    "TransactionEvent rejected": ("TransactionEvent", REJECT, TOKEN, {"idTokenInfo": {"status": "Invalid"}}),
}

NOTED = [
    "ClearedChargingLimit",
    "FirmwareStatusNotification",
    "LogStatusNotification",
    "MeterValues",
    "NotifyChargingLimit",
    "NotifyCustomerInformation",
    "NotifyDisplayMessages",
    "NotifyEvent",
    "NotifyMonitoringReport",
    "NotifyReport",
    "PublishFirmwareStatusNotification",
    "ReportChargingProfiles",
    "ReservationStatusUpdate",
    "SecurityEventNotification",
    "StatusNotification",
]


@pytest.mark.parametrize(("action", "options", "payload", "answer"), CASES.values(), ids=CASES.keys())
def test_each_action_has_its_answer(
    action: str, options: ReplyOptions, payload: dict[str, object], answer: dict[str, object]
) -> None:
    assert reply(action, payload, receipt=None, now=NOON, options=options) == answer


@pytest.mark.parametrize("action", NOTED)
def test_notification_is_answered_with_nothing(action: str) -> None:
    assert reply(action, TOKEN, receipt=None, now=NOON, options=ACCEPT) == {}


def test_request_for_a_certificate_that_was_recorded_is_accepted() -> None:
    answer = reply("SignCertificate", {"csr": "x"}, receipt=Receipt(1), now=NOON, options=REJECT)
    assert answer == {"status": "Accepted"}


def test_every_action_that_a_station_may_send_has_a_route() -> None:
    assert ROUTES.keys() == schemas.station_actions(OcppVersion.V201)


def test_time_of_another_zone_is_told_in_utc() -> None:
    now = datetime(2026, 11, 20, 13, 0, 0, 500, tzinfo=timezone(timedelta(hours=1)))
    assert reply("Heartbeat", {}, receipt=None, now=now, options=REJECT) == {"currentTime": "2026-11-20T12:00:00Z"}


def test_unknown_action_has_no_answer() -> None:
    with pytest.raises(KeyError):
        reply("StartTransaction", {}, receipt=None, now=NOON, options=REJECT)
