"""A server gives a station a new key, over real sockets."""

import base64
import json
from dataclasses import replace

import ocpp.messages
import pytest

HEX = "00ff" * 10
NEW_16 = ("ChangeConfiguration", {"key": "AuthorizationKey", "value": HEX})
PASSWORD = {"component": {"name": "SecurityCtrlr"}, "variable": {"name": "BasicAuthPassword"}}
NEW_2X = ("SetVariables", {"setVariableData": [{**PASSWORD, "attributeValue": "a-new-password-of-24-chs"}]})


@pytest.fixture(autouse=True)
def _validate_in_the_loop():
    ocpp.messages.ASYNC_VALIDATION = False


def passwords(central):
    headers = [authorization for *_, authorization in central.handshakes]
    return [base64.b64decode(header.removeprefix("Basic ")).partition(b":")[2] for header in headers]


async def connected_twice(central):
    await central.until(lambda: len(central.handshakes) == 2)
    return passwords(central)


async def test_a_16_station_uses_the_bytes_of_a_new_key_from_the_next_connection(central, start, specs):
    start(specs["1.6"])
    await central.received(4)
    assert await central.ask("CP-16", *NEW_16) == {"status": "Accepted"}
    assert await connected_twice(central) == [b"k" * 16, b"\x00\xff" * 10]


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
async def test_a_2x_station_uses_a_new_password_from_the_next_connection(central, start, specs, version):
    spec = specs[version]
    start(spec)
    await central.received(3)
    answer = await central.ask(spec.station, *NEW_2X)
    assert answer == {"setVariableResult": [{"attributeStatus": "Accepted", **PASSWORD}]}
    assert await connected_twice(central) == [b"k" * 16, b"a-new-password-of-24-chs"]


@pytest.mark.parametrize(
    ("key", "value", "status"),
    [("AuthorizationKey", "short", "Rejected"), ("HeartbeatInterval", "60", "NotSupported")],
)
async def test_what_cannot_be_set_is_refused_and_the_connection_stays(central, start, specs, key, value, status):
    station = start(specs["1.6"])
    await central.received(4)
    assert await central.ask("CP-16", "ChangeConfiguration", {"key": key, "value": value}) == {"status": status}
    await central.ask("CP-16", "TriggerMessage", {"requestedMessage": "Heartbeat"})
    assert station.connected
    assert len(central.handshakes) == 1


async def test_what_a_2x_station_does_not_know_is_an_unknown_component(central, start, specs):
    start(specs["2.0.1"])
    await central.received(3)
    other = {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "HeartbeatInterval"}}
    answer = await central.ask("CP-201", "SetVariables", {"setVariableData": [{**other, "attributeValue": "60"}]})
    assert answer == {"setVariableResult": [{"attributeStatus": "UnknownComponent", **other}]}


async def test_a_station_that_forgets_keys_accepts_and_comes_back_with_the_old_one(central, start, specs):
    start(replace(specs["1.6"], quirks=frozenset({"forgets-key"})))
    await central.received(4)
    assert await central.ask("CP-16", *NEW_16) == {"status": "Accepted"}
    assert await connected_twice(central) == [b"k" * 16, b"k" * 16]


async def test_a_station_that_crashes_at_a_key_never_answers_and_comes_back_with_the_new_one(central, start, specs):
    start(replace(specs["1.6"], quirks=frozenset({"crashes-at-key"})), speed=100)
    await central.received(4)
    await central.connections["CP-16"].send(json.dumps([2, "s1", *NEW_16]))
    assert await connected_twice(central) == [b"k" * 16, b"\x00\xff" * 10]
    assert not central.answered("s1")
    assert len(await central.received(2, "BootNotification")) == 2
