from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from csms import schemas
from csms.events import OcppVersion, Receipt, StationId
from csms.faults import Fault
from csms.ports import Replies
from csms.replies import IdTagPolicy, LocalReplies, ReplyOptions, answerable, sendable

CP1 = StationId("CP1")
V16 = OcppVersion.V16
V201 = OcppVersion.V201
V21 = OcppVersion.V21
NOON = datetime(2026, 11, 20, 12, 0, 0, 987_654, tzinfo=UTC)


# OCPP 2.1 Part 2: the fields that these two responses must repeat.
REPEATED: dict[str, dict[str, object]] = {
    "GetCertificateChainStatus": {
        "certificateStatusRequests": [
            {
                "source": "OCSP",
                "urls": ["http://ocsp.example"],
                "certificateHashData": {
                    "hashAlgorithm": "SHA256",
                    "issuerNameHash": "n",
                    "issuerKeyHash": "k",
                    "serialNumber": "1a",
                },
            }
        ]
    },
    "VatNumberValidation": {"vatNumber": "DE123"},
}


def replies(options: ReplyOptions | None = None) -> Replies:
    return LocalReplies(lambda: NOON, options or ReplyOptions())


def every_action() -> list[tuple[OcppVersion, str]]:
    return [(version, action) for version in OcppVersion for action in sorted(schemas.station_actions(version))]


@pytest.mark.parametrize(("version", "action"), every_action(), ids=lambda value: str(value))
@pytest.mark.parametrize("policy", IdTagPolicy)
@pytest.mark.parametrize("payload", [{}, {"idTag": "A", "idToken": {"idToken": "A", "type": "Central"}}, {"idTag": 7}])
async def test_every_reply_is_valid_by_the_schema_of_its_response(
    version: OcppVersion, action: str, policy: IdTagPolicy, payload: dict[str, object]
) -> None:
    answer = await replies(ReplyOptions(id_tags=policy)).reply(
        CP1, version, action, payload | REPEATED.get(action, {}), Receipt(1, transaction_id=5)
    )
    assert schemas.problems(version, action, answer, "response") is None


async def test_time_is_told_in_whole_seconds_with_z() -> None:
    assert await replies().reply(CP1, V16, "Heartbeat", {}, None) == {"currentTime": "2026-11-20T12:00:00Z"}
    assert await replies().reply(CP1, V201, "Heartbeat", {}, None) == {"currentTime": "2026-11-20T12:00:00Z"}


async def test_heartbeat_interval_is_the_operators() -> None:
    options = ReplyOptions(heartbeat_interval=timedelta(minutes=2))
    expected = {"status": "Accepted", "currentTime": "2026-11-20T12:00:00Z", "interval": 120}
    assert await replies(options).reply(CP1, V16, "BootNotification", {}, Receipt(1)) == expected
    assert await replies(options).reply(CP1, V201, "BootNotification", {}, Receipt(1)) == expected
    assert await replies(options).reply(CP1, V21, "BootNotification", {}, Receipt(1)) == expected


ANSWERABLE = {
    "1.6 offered": (V16, "StatusNotification", None),
    "1.6 security extension": (V16, "SecurityEventNotification", None),
    "B19 1.6 unknown": (V16, "Foo", Fault.NOT_IMPLEMENTED),
    "B19 1.6 word of 2.0.1": (V16, "TransactionEvent", Fault.NOT_IMPLEMENTED),
    "B19 wrong case": (V16, "statusNotification", Fault.NOT_IMPLEMENTED),
    "B19 empty": (V16, "", Fault.NOT_IMPLEMENTED),
    "B20 1.6 central system's": (V16, "TriggerMessage", Fault.NOT_SUPPORTED),
    "B20 1.6 known and refused in its own words": (V16, "SignCertificate", None),
    "2.0.1 offered": (V201, "TransactionEvent", None),
    "B19 2.0.1 unknown": (V201, "StartTransaction", Fault.NOT_IMPLEMENTED),
    "B20 2.0.1 central system's": (V201, "SetVariables", Fault.NOT_SUPPORTED),
    "B19 2.0.1 word of 2.1": (V201, "BatterySwap", Fault.NOT_IMPLEMENTED),
    "2.1 offered": (V21, "BatterySwap", None),
    "2.1 deprecated": (V21, "StatusNotification", None),
    "B20 2.1 central system's": (V21, "SetDERControl", Fault.NOT_SUPPORTED),
    "B19 2.1 unknown": (V21, "StartTransaction", Fault.NOT_IMPLEMENTED),
    "2.1 only sent": (V21, "NotifyPeriodicEventStream", Fault.NOT_SUPPORTED),
    "B19 2.0.1 knows no SEND": (V201, "NotifyPeriodicEventStream", Fault.NOT_IMPLEMENTED),
}


@pytest.mark.parametrize(("version", "action", "fault"), ANSWERABLE.values(), ids=ANSWERABLE.keys())
def test_action_that_no_station_may_send_has_its_fault(version: OcppVersion, action: str, fault: Fault | None) -> None:
    assert answerable(version, action) is fault


SENDABLE = {
    "2.1 stream": (V21, "NotifyPeriodicEventStream", True),
    "2.1 status": (V21, "StatusNotification", True),
    "2.1 central system's": (V21, "Reset", False),
    "2.1 unknown": (V21, "Foo", False),
    "2.0.1 stream": (V201, "NotifyPeriodicEventStream", False),
}


@pytest.mark.parametrize(("version", "action", "expected"), SENDABLE.values(), ids=SENDABLE.keys())
def test_what_a_station_may_send_is_read_when_it_is_sent(version: OcppVersion, action: str, expected: bool) -> None:
    assert sendable(version, action) is expected
