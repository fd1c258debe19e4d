import json
from importlib.resources import files

import jsonschema_rs
import pytest

from simulators.load import messages
from simulators.load.messages import Kind, Reply
from simulators.load.options import LoadOptions, Member

FOLDERS = {"1.6": "v16", "2.0.1": "v201", "2.1": "v21"}
VERSIONS = list(FOLDERS)


def schema(version, action):
    folder = files("ocpp") / FOLDERS[version] / "schemas"
    name = f"{action}.json" if version == "1.6" else f"{action}Request.json"
    return jsonschema_rs.validator_for(json.loads((folder / name).read_text("utf-8-sig")))


def sent(text, version):
    type_id, message_id, action, payload = json.loads(text)
    schema(version, action).validate(payload)
    return type_id, message_id, action, payload


@pytest.mark.parametrize("profile", ["steady", "storm", "flap"])
@pytest.mark.parametrize("version", VERSIONS)
def test_each_status_is_legal_and_another_than_the_one_before(version, profile):
    words = messages.words(version, profile)
    for number, word in enumerate(words):
        text = f'[2,"7{messages.status_body(version, 3, 2, word)}2026-01-01T00:00:00Z"}}]'
        type_id, message_id, action, payload = sent(text, version)
        assert (type_id, message_id, action) == (2, "7", "StatusNotification")
        assert payload["connectorId"] == 2
        assert payload.get("evseId", 3) == 3
        assert word != words[number - 1]


@pytest.mark.parametrize("version", VERSIONS)
def test_boot_and_heartbeat_are_legal(version):
    assert sent(messages.boot(1, version), version)[:3] == (2, "1", "BootNotification")
    assert sent(messages.heartbeat(2), version) == (2, "2", "Heartbeat", {})


def reply(action, payload, version="1.6", **options):
    return messages.reply_to([2, "id", action, payload], LoadOptions("ws://x", version, **options), Member("A"))


@pytest.mark.parametrize(
    ("wanted", "then"),
    [
        ("StatusNotification", Kind.STATUS),
        ("BootNotification", Kind.BOOT),
        ("Heartbeat", Kind.HEARTBEAT),
    ],
)
def test_trigger_is_accepted_and_obeyed(wanted, then):
    assert reply("TriggerMessage", {"requestedMessage": wanted}) == Reply('[3, "id", {"status": "Accepted"}]', then)


def test_trigger_of_what_a_load_does_not_send_is_not_implemented():
    answer = reply("TriggerMessage", {"requestedMessage": "MeterValues"})
    assert answer == Reply('[3, "id", {"status": "NotImplemented"}]')


def test_trigger_is_refused_where_that_is_wanted():
    answer = reply("TriggerMessage", {"requestedMessage": "StatusNotification"}, refuse_triggers=True)
    assert answer == Reply('[3, "id", {"status": "Rejected"}]')


@pytest.mark.parametrize(
    ("version", "payload"),
    [
        ("1.6", {"requestedMessage": "StatusNotification", "connectorId": 2}),
        ("2.0.1", {"requestedMessage": "StatusNotification", "evse": {"id": 2, "connectorId": 1}}),
        ("2.1", {"requestedMessage": "StatusNotification", "evse": {"id": 1, "connectorId": 2}}),
    ],
)
def test_trigger_of_another_connector_is_rejected(version, payload):
    assert reply("TriggerMessage", payload, version) == Reply('[3, "id", {"status": "Rejected"}]')


@pytest.mark.parametrize("action", ["GetBaseReport", "Reset", "GetConfiguration", "NoSuchThing"])
def test_everything_else_is_refused_as_not_supported(action):
    assert reply(action, {}) == Reply('[4, "id", "NotSupported", "", {}]')
