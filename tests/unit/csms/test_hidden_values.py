from __future__ import annotations

from typing import Any

import pytest

from csms.hidden_values import hide, names_secret_write


def test_values_beside_a_secrets_name_are_hidden_and_nothing_else_is() -> None:
    payload = {
        "configurationKey": [
            {"key": "AuthorizationKey", "readonly": False, "value": "hush"},
            {"key": "HeartbeatInterval", "readonly": False, "value": "300"},
        ],
        "unknownKey": ["Nope"],
    }
    assert hide(payload) == {
        "configurationKey": [
            {"key": "AuthorizationKey", "readonly": False, "value": "***"},
            {"key": "HeartbeatInterval", "readonly": False, "value": "300"},
        ],
        "unknownKey": ["Nope"],
    }
    entry = {"component": {"name": "SecurityCtrlr"}, "variable": {"name": "BasicAuthPassword"}}
    assert hide({"getVariableResult": [{**entry, "attributeValue": "hush"}]}) == {
        "getVariableResult": [{**entry, "attributeValue": "***"}]
    }
    assert hide({"connectionData": {"basicAuthPassword": "hush", "ocppCsmsUrl": "ws://x"}}) == {
        "connectionData": {"basicAuthPassword": "***", "ocppCsmsUrl": "ws://x"}
    }


@pytest.mark.parametrize(
    ("action", "payload", "expected"),
    [
        ("ChangeConfiguration", {"key": "AuthorizationKey", "value": "x"}, True),
        ("ChangeConfiguration", {"key": " authorizationKEY", "value": "x"}, True),
        ("ChangeConfiguration", {"key": "HeartbeatInterval", "value": "x"}, False),
        ("SetVariables", {"setVariableData": [{"variable": {"name": "BasicAuthPassword"}}]}, True),
        ("SetVariables", {"setVariableData": [{"variable": {"name": "A"}}, {"variable": None}, 1]}, False),
        ("SetVariables", {"setVariableData": 1}, False),
        ("SetNetworkProfile", {"connectionData": {"basicAuthPassword": "x"}}, True),
        ("SetNetworkProfile", {"connectionData": {"ocppCsmsUrl": "wss://x"}}, False),
        ("SetNetworkProfile", {"connectionData": 1}, False),
        ("GetConfiguration", {"key": ["AuthorizationKey"]}, False),
    ],
)
def test_a_request_that_changes_the_stations_key_is_known(action: str, payload: dict[str, Any], expected: bool) -> None:
    assert names_secret_write(action, payload) is expected
