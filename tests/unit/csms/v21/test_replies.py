from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from csms import schemas
from csms.events import OcppVersion
from csms.reply_options import IdTagPolicy, ReplyOptions
from csms.v21.replies import ROUTES, reply

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
ACCEPT = ReplyOptions(id_tags=IdTagPolicy.ACCEPT)
LIST = ReplyOptions(id_tags=IdTagPolicy.LIST, id_tag_list=frozenset({"AA"}))
REJECT = ReplyOptions()
TOKEN = {"idToken": {"idToken": "aa", "type": "ISO14443"}}
HASHES = {"hashAlgorithm": "SHA256", "issuerNameHash": "n", "issuerKeyHash": "k", "serialNumber": "1a"}


def asked(source: str, **extra: object) -> dict[str, object]:
    return {"source": source, "urls": ["http://ocsp.example"], "certificateHashData": HASHES | extra}


CHAIN = {"certificateStatusRequests": [asked("OCSP", customData={"vendorId": "X"}), asked("CRL")]}
FAILED = {"certificateHashData": HASHES, "status": "Failed", "nextUpdate": "2026-11-21T12:00:00Z"}

CASES = {
    "Authorize accepted": ("Authorize", ACCEPT, TOKEN, {"idTokenInfo": {"status": "Accepted"}}),
    "Authorize on the list": ("Authorize", LIST, TOKEN, {"idTokenInfo": {"status": "Accepted"}}),
    "Authorize with a bare text": ("Authorize", LIST, {"idToken": "AA"}, {"idTokenInfo": {"status": "Accepted"}}),
    "Authorize rejected": ("Authorize", REJECT, TOKEN, {"idTokenInfo": {"status": "Invalid"}}),
    "BootNotification": (
        "BootNotification",
        REJECT,
        {},
        {"status": "Accepted", "currentTime": "2026-11-20T12:00:00Z", "interval": 300},
    ),
    "DataTransfer": ("DataTransfer", REJECT, {"vendorId": "X"}, {"status": "UnknownVendorId"}),
    "Get15118EVCertificate": ("Get15118EVCertificate", REJECT, {}, {"status": "Failed", "exiResponse": ""}),
    "GetCertificateChainStatus": (
        "GetCertificateChainStatus",
        REJECT,
        CHAIN,
        {"certificateStatus": [FAILED | {"source": "OCSP"}, FAILED | {"source": "CRL"}]},
    ),
    "GetCertificateStatus": ("GetCertificateStatus", REJECT, {}, {"status": "Failed"}),
    "Heartbeat": ("Heartbeat", REJECT, {}, {"currentTime": "2026-11-20T12:00:00Z"}),
    "NotifyEVChargingNeeds": ("NotifyEVChargingNeeds", REJECT, {}, {"status": "NoChargingProfile"}),
    "NotifyEVChargingSchedule": ("NotifyEVChargingSchedule", REJECT, {}, {"status": "Accepted"}),
    "OpenPeriodicEventStream": ("OpenPeriodicEventStream", REJECT, {}, {"status": "Rejected"}),
    "PullDynamicScheduleUpdate": ("PullDynamicScheduleUpdate", REJECT, {}, {"status": "Rejected"}),
    "SignCertificate": ("SignCertificate", REJECT, {"csr": "x"}, {"status": "Rejected"}),
    "TransactionEvent without a token": ("TransactionEvent", REJECT, {}, {}),
    "TransactionEvent accepted": ("TransactionEvent", ACCEPT, TOKEN, {"idTokenInfo": {"status": "Accepted"}}),
    "TransactionEvent rejected": ("TransactionEvent", REJECT, TOKEN, {"idTokenInfo": {"status": "Invalid"}}),
    "VatNumberValidation": (
        "VatNumberValidation",
        REJECT,
        {"vatNumber": "DE123", "evseId": 2, "customData": {"vendorId": "X"}},
        {"vatNumber": "DE123", "status": "Rejected", "evseId": 2},
    ),
    "VatNumberValidation without an EVSE": (
        "VatNumberValidation",
        REJECT,
        {"vatNumber": "DE123"},
        {"vatNumber": "DE123", "status": "Rejected"},
    ),
}

NOTED = [
    "BatterySwap",
    "ClearedChargingLimit",
    "ClosePeriodicEventStream",
    "FirmwareStatusNotification",
    "LogStatusNotification",
    "MeterValues",
    "NotifyChargingLimit",
    "NotifyCustomerInformation",
    "NotifyDERAlarm",
    "NotifyDERStartStop",
    "NotifyDisplayMessages",
    "NotifyEvent",
    "NotifyMonitoringReport",
    "NotifyPriorityCharging",
    "NotifyReport",
    "NotifySettlement",
    "PublishFirmwareStatusNotification",
    "ReportChargingProfiles",
    "ReportDERControl",
    "ReservationStatusUpdate",
    "SecurityEventNotification",
    "StatusNotification",
]


@pytest.mark.parametrize(("action", "options", "payload", "answer"), CASES.values(), ids=CASES.keys())
def test_each_action_has_its_answer(
    action: str, options: ReplyOptions, payload: dict[str, object], answer: dict[str, object]
) -> None:
    made = reply(action, payload, receipt=None, now=NOON, options=options)
    assert made == answer
    assert schemas.problems(OcppVersion.V21, action, made, "response") is None


@pytest.mark.parametrize("action", NOTED)
def test_notification_is_answered_with_nothing(action: str) -> None:
    made = reply(action, TOKEN, receipt=None, now=NOON, options=ACCEPT)
    assert made == {}
    assert schemas.problems(OcppVersion.V21, action, made, "response") is None


def test_every_action_that_a_station_may_send_has_a_route_and_a_row_here() -> None:
    assert ROUTES.keys() == schemas.station_actions(OcppVersion.V21)
    assert ROUTES.keys() == {action for action, *_ in CASES.values()} | set(NOTED)


def test_requests_here_whose_answer_repeats_them_are_those_of_the_standard() -> None:
    for action in ("GetCertificateChainStatus", "VatNumberValidation"):
        payloads = [payload for name, _, payload, _ in CASES.values() if name == action]
        assert [schemas.problems(OcppVersion.V21, action, payload) for payload in payloads] == [None] * len(payloads)


def test_time_of_another_zone_is_told_in_utc() -> None:
    now = datetime(2026, 11, 20, 13, 0, 0, 500, tzinfo=timezone(timedelta(hours=1)))
    assert reply("Heartbeat", {}, receipt=None, now=now, options=REJECT) == {"currentTime": "2026-11-20T12:00:00Z"}


def test_unknown_action_has_no_answer() -> None:
    for action in ("StartTransaction", "NotifyWebPaymentStarted", "NotifyPeriodicEventStream"):
        with pytest.raises(KeyError):
            reply(action, {}, receipt=None, now=NOON, options=REJECT)
