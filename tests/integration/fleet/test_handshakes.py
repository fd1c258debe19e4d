"""Handshakes as real hardware makes them, over real sockets."""

from dataclasses import replace

import ocpp.messages
import pytest

OK = {"1.6": 4, "2.0.1": 3}
"""Messages after which a station has told everything."""


@pytest.fixture(autouse=True)
def _validate_in_the_loop():
    ocpp.messages.ASYNC_VALIDATION = False


def having(spec, *quirks):
    return replace(spec, quirks=frozenset(quirks))


@pytest.mark.parametrize(
    ("quirk", "offered"),
    [("no-subprotocol", None), ("empty-subprotocol", ""), ("uppercase-subprotocol", "OCPP1.6")],
)
async def test_the_subprotocol_is_missing_empty_or_in_capitals(central, start, specs, quirk, offered):
    start(having(specs["1.6"], quirk))
    await central.received(OK["1.6"])
    assert [subprotocol for _, subprotocol, _ in central.handshakes] == [offered]


async def test_the_connection_header_is_forgotten(central, start, specs):
    start(having(specs["1.6"], "no-connection-header"))
    await central.received(OK["1.6"])
    assert central.unread == [b"no Connection header"]


async def test_the_request_is_of_http_1_0_and_may_forget_its_header_as_well(central, start, specs):
    start(having(specs["1.6"], "http-1-0", "no-connection-header"))
    await central.received(OK["1.6"])
    assert central.unread == [b"no Connection header", b"HTTP/1.0"]


async def test_something_that_is_no_http_comes_before_the_real_connection(central, start, specs):
    came = []
    central.on_connection = lambda: came.append(1)
    start(having(specs["1.6"], "malformed-request"))
    await central.received(OK["1.6"])
    assert (len(came), len(central.handshakes)) == (2, 1)


async def test_without_a_quirk_the_header_is_there(central, start, specs):
    start(specs["1.6"])
    await central.received(OK["1.6"])
    assert central.unread == []


async def test_a_probe_with_16_comes_before_the_real_connection(central, start, specs):
    start(having(specs["2.0.1"], "probe-then-real"), speed=100)
    await central.received(OK["2.0.1"])
    assert [subprotocol for _, subprotocol, _ in central.handshakes] == ["ocpp1.6", "ocpp2.0.1"]


@pytest.mark.parametrize(
    ("quirk", "path"),
    [
        ("prefix-path", "/ocpp/steve/websocket/CentralSystemService/CP-16"),
        ("trailing-slash", "/ocpp/CP-16//"),
        ("other-case-id", "/ocpp/cp-16"),
    ],
)
async def test_the_path_is_odd(central, start, specs, quirk, path):
    start(having(specs["1.6"], quirk))
    await central.received(OK["1.6"])
    assert central.paths == [path]


async def test_an_id_with_every_reserved_character_is_percent_encoded(central, start, specs):
    start(replace(specs["1.6"], station="CP 1|*#/16"))
    await central.received(OK["1.6"])
    assert central.paths == ["/ocpp/CP%201%7C%2A%23%2F16"]


async def test_security_profile_0_sends_no_credentials(central, start, specs):
    start(replace(specs["1.6"], security=0))
    await central.received(OK["1.6"])
    assert central.handshakes[0][2] is None
