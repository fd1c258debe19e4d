"""Security profiles 2 and 3: TLS, and client certificates, over real sockets."""

import asyncio
import ssl
from dataclasses import replace

import ocpp.messages
import pytest

from simulators.fleet.station_certificates import write_certificates


@pytest.fixture(autouse=True)
def _validate_in_the_loop():
    ocpp.messages.ASYNC_VALIDATION = False


@pytest.fixture
def folder(specs, tmp_path):
    write_certificates(tmp_path / "lab", specs.values())
    return tmp_path / "lab"


@pytest.fixture
async def over_tls(central, folder):
    """Let the central system speak TLS: `await over_tls(ssl.CERT_NONE)`."""

    async def speak(verify_mode):
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=folder / "ca.pem")
        context.load_cert_chain(folder / "server.pem", folder / "server.key")
        context.verify_mode = verify_mode
        context.verify_flags |= ssl.VERIFY_X509_STRICT  # as Python's default contexts from 3.13 on
        await central.close()
        central.tls, central.port = context, 0
        await central.open()

    return speak


async def test_profile_2_is_basic_over_tls_with_the_authority_that_was_named(
    central, over_tls, start, specs, folder, basic
):
    await over_tls(ssl.CERT_NONE)
    start(replace(specs["1.6"], security=2), ca=folder / "ca.pem")
    await central.received(4)
    assert central.handshakes == [("CP-16", "ocpp1.6", basic(specs["1.6"]))]


async def test_profile_3_is_a_client_certificate_with_the_stations_id_and_no_key(
    central, over_tls, start, specs, folder
):
    await over_tls(ssl.CERT_REQUIRED)
    start(replace(specs["2.0.1"], security=3), certificates=folder)
    await central.received(3)
    assert central.handshakes == [("CP-201", "ocpp2.0.1", None)]
    assert central.peers == ["CP-201"]


async def test_without_its_certificate_a_station_does_not_get_in(central, over_tls, start, specs, folder):
    await over_tls(ssl.CERT_REQUIRED)
    station = start(replace(specs["1.6"], security=2), ca=folder / "ca.pem")
    await turned_away(station)
    assert central.calls == []


async def test_a_server_of_an_unknown_authority_is_not_spoken_to(central, over_tls, start, specs, tmp_path):
    await over_tls(ssl.CERT_NONE)
    write_certificates(tmp_path / "other", [])
    station = start(replace(specs["1.6"], security=2), ca=tmp_path / "other" / "ca.pem")
    await turned_away(station)
    assert "certificate verify failed" in station.counts.last_failure
    assert central.handshakes == []


async def test_stations_of_several_profiles_go_to_two_addresses(central, over_tls, start, specs, folder):
    await over_tls(ssl.CERT_NONE)
    start(replace(specs["1.6"], security=2), url="ws://127.0.0.1:1", secure_url=central.url, ca=folder / "ca.pem")
    await central.received(4)


async def turned_away(station):
    async with asyncio.timeout(8):
        while station.counts.failures == 0:  # noqa: ASYNC110 - a count, nothing to wait for
            await asyncio.sleep(0.01)
