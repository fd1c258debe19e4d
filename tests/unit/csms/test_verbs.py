"""Each ready order in each version: the exact payload, and the standard's schema has nothing against it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from csms.events import OcppVersion
from csms.orders import Impossible, Request, ResetKind, Setting
from csms.schemas import advice
from csms.verbs import Requests, done, requests_of, settings_of, status_of

V16, V201, V21 = OcppVersion.V16, OcppVersion.V201, OcppVersion.V21
Order = Callable[[Requests], Request]


@pytest.mark.parametrize(
    ("version", "order", "action", "payload"),
    [
        pytest.param(
            V16,
            lambda to: to.trigger("Heartbeat", None, None),
            "TriggerMessage",
            {"requestedMessage": "Heartbeat"},
            id="1.6-trigger",
        ),
        pytest.param(
            V16,
            lambda to: to.trigger("MeterValues", None, 2),
            "TriggerMessage",
            {"requestedMessage": "MeterValues", "connectorId": 2},
            id="1.6-trigger-connector",
        ),
        pytest.param(
            V16,
            lambda to: to.trigger("SignChargePointCertificate", None, None),
            "ExtendedTriggerMessage",
            {"requestedMessage": "SignChargePointCertificate"},
            id="1.6-trigger-of-the-security-extension",
        ),
        pytest.param(
            V201,
            lambda to: to.trigger("StatusNotification", 1, 2),
            "TriggerMessage",
            {"requestedMessage": "StatusNotification", "evse": {"id": 1, "connectorId": 2}},
            id="2.0.1-trigger",
        ),
        pytest.param(
            V16,
            lambda to: to.availability(None, None, operative=False),
            "ChangeAvailability",
            {"connectorId": 0, "type": "Inoperative"},
            id="1.6-availability-of-the-station",
        ),
        pytest.param(
            V201,
            lambda to: to.availability(None, None, operative=True),
            "ChangeAvailability",
            {"operationalStatus": "Operative"},
            id="2.0.1-availability-of-the-station",
        ),
        pytest.param(
            V201,
            lambda to: to.availability(2, None, operative=False),
            "ChangeAvailability",
            {"operationalStatus": "Inoperative", "evse": {"id": 2}},
            id="2.0.1-availability-of-an-evse",
        ),
        pytest.param(V16, lambda to: to.reset(ResetKind.HARD, None), "Reset", {"type": "Hard"}, id="1.6-hard"),
        pytest.param(V16, lambda to: to.reset(ResetKind.SOFT, None), "Reset", {"type": "Soft"}, id="1.6-soft"),
        pytest.param(V201, lambda to: to.reset(ResetKind.HARD, None), "Reset", {"type": "Immediate"}, id="2.0.1-hard"),
        pytest.param(
            V201, lambda to: to.reset(ResetKind.SOFT, 1), "Reset", {"type": "OnIdle", "evseId": 1}, id="2.0.1-soft-evse"
        ),
        pytest.param(V16, lambda to: to.get_configuration(()), "GetConfiguration", {}, id="1.6-get-all"),
        pytest.param(
            V16, lambda to: to.get_configuration(("A", "B")), "GetConfiguration", {"key": ["A", "B"]}, id="1.6-get"
        ),
        pytest.param(
            V201,
            lambda to: to.get_configuration(("OCPPCommCtrlr.HeartbeatInterval",)),
            "GetVariables",
            {"getVariableData": [{"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "HeartbeatInterval"}}]},
            id="2.0.1-get",
        ),
        pytest.param(
            V16,
            lambda to: to.set_configuration("HeartbeatInterval", "300"),
            "ChangeConfiguration",
            {"key": "HeartbeatInterval", "value": "300"},
            id="1.6-set",
        ),
        pytest.param(
            V201,
            lambda to: to.set_configuration("OCPPCommCtrlr.HeartbeatInterval", "300"),
            "SetVariables",
            {
                "setVariableData": [
                    {
                        "attributeValue": "300",
                        "component": {"name": "OCPPCommCtrlr"},
                        "variable": {"name": "HeartbeatInterval"},
                    }
                ]
            },
            id="2.0.1-set",
        ),
        pytest.param(V16, lambda to: to.unlock(None, 1), "UnlockConnector", {"connectorId": 1}, id="1.6-unlock"),
        pytest.param(
            V201, lambda to: to.unlock(1, 2), "UnlockConnector", {"evseId": 1, "connectorId": 2}, id="2.0.1-unlock"
        ),
        pytest.param(
            V16,
            lambda to: to.set_key("0f" * 20),
            "ChangeConfiguration",
            {"key": "AuthorizationKey", "value": "0f" * 20},
            id="1.6-key",
        ),
        pytest.param(
            V201,
            lambda to: to.set_key("k" * 32),
            "SetVariables",
            {
                "setVariableData": [
                    {
                        "attributeValue": "k" * 32,
                        "component": {"name": "SecurityCtrlr"},
                        "variable": {"name": "BasicAuthPassword"},
                    }
                ]
            },
            id="2.0.1-key",
        ),
    ],
)
def test_each_order_has_the_words_of_its_version(
    version: OcppVersion, order: Order, action: str, payload: dict[str, Any]
) -> None:
    for same in (version, V21) if version is V201 else (version,):
        assert order(requests_of(same)) == Request(action, payload)
        assert advice(same, action, payload) is None


@pytest.mark.parametrize(
    ("version", "order", "field"),
    [
        pytest.param(V16, lambda to: to.trigger("Heartbeat", 1, None), "evse", id="1.6-evse"),
        pytest.param(V16, lambda to: to.availability(1, 1, operative=True), "evse", id="1.6-availability-evse"),
        pytest.param(V16, lambda to: to.reset(ResetKind.SOFT, 1), "evse", id="1.6-reset-evse"),
        pytest.param(V16, lambda to: to.unlock(None, 0), "connector", id="1.6-unlock-station"),
        pytest.param(V201, lambda to: to.unlock(None, 1), "evse", id="2.0.1-unlock-without-evse"),
        pytest.param(V201, lambda to: to.availability(None, 1, operative=True), "evse", id="2.0.1-connector-alone"),
        pytest.param(V201, lambda to: to.trigger("StatusNotification", 1, None), "connector", id="2.0.1-F06.FR.13"),
        pytest.param(V201, lambda to: to.get_configuration(()), "keys", id="2.0.1-get-all"),
        pytest.param(V201, lambda to: to.set_configuration("HeartbeatInterval", "1"), "key", id="2.0.1-no-component"),
    ],
)
def test_what_the_version_cannot_be_asked_is_refused_by_its_field(
    version: OcppVersion, order: Order, field: str
) -> None:
    with pytest.raises(Impossible) as refused:
        order(requests_of(version))
    assert refused.value.field == field


def test_configuration_of_both_versions_is_told_in_one_way() -> None:
    told_16 = {
        "configurationKey": [{"key": "HeartbeatInterval", "readonly": False, "value": "300"}, {"key": "X"}],
        "unknownKey": ["Nope"],
    }
    assert settings_of(V16, "GetConfiguration", told_16) == (
        Setting("HeartbeatInterval", "300", False, "Accepted"),
        Setting("X", None, False, "Accepted"),
        Setting("Nope", None, None, "UnknownKey"),
    )
    told_201 = {
        "getVariableResult": [
            {
                "attributeStatus": "Accepted",
                "attributeValue": "300",
                "component": {"name": "OCPPCommCtrlr"},
                "variable": {"name": "HeartbeatInterval"},
            },
            {"attributeStatus": "UnknownVariable", "component": {"name": "A"}, "variable": {"name": "B"}},
        ]
    }
    assert settings_of(V201, "GetVariables", told_201) == (
        Setting("OCPPCommCtrlr.HeartbeatInterval", "300", None, "Accepted"),
        Setting("A.B", None, None, "UnknownVariable"),
    )


@pytest.mark.parametrize("version", [V16, V201, V21])
@pytest.mark.parametrize("junk", [None, 1, "x", [1, None], {"a": 1}], ids=str)
def test_no_answer_can_break_its_reader(version: OcppVersion, junk: object) -> None:
    payload = {"configurationKey": junk, "getVariableResult": junk, "setVariableResult": junk, "status": junk}
    for action in ("GetConfiguration", "GetVariables"):
        assert isinstance(settings_of(version, action, payload), tuple)
    for action in ("ChangeConfiguration", "SetVariables", "Reset"):
        assert isinstance(status_of(version, action, payload), str)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("Accepted", True),
        ("Scheduled", True),
        ("RebootRequired", True),
        ("Unlocked", True),
        ("", True),
        ("Rejected", False),
        ("NotSupported", False),
        ("NotImplemented", False),
        ("UnlockFailed", False),
        ("UnknownVariable", False),
        ("accepted", False),
    ],
)
def test_the_answers_word_says_whether_it_is_done(status: str, expected: bool) -> None:
    assert done(status) is expected


def test_status_of_a_written_variable_is_in_its_result() -> None:
    payload = {"setVariableResult": [{"attributeStatus": "RebootRequired"}]}
    assert status_of(V201, "SetVariables", payload) == "RebootRequired"
    assert status_of(V16, "ChangeConfiguration", {"status": "NotSupported"}) == "NotSupported"
