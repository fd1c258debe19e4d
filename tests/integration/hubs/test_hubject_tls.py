"""Hubject over mutual TLS, on real sockets: who gets in, who is refused how, and certificates that change at work."""

import asyncio
import json
import socket
import ssl

import aiohttp
import pytest

from simulators.hubs.certificates import TlsOptions
from simulators.hubs.hubject import HubjectOptions
from simulators.hubs.mocks import MockOptions, Mocks

BOUND = aiohttp.ClientTimeout(total=5)
UNAUTHORIZED = {"StatusCode": {"Code": "017", "Description": "Unauthorized Access", "AdditionalInfo": None}}


async def started(folder, refusal="handshake"):
    mocks = Mocks(
        MockOptions(hubject=HubjectOptions(operator_ids=("DE*ABC", "DE*XYZ")), tls=TlsOptions(folder, refusal))
    )
    await mocks.start()
    return mocks


@pytest.fixture
async def mocks(tmp_path):
    running = await started(tmp_path / "tls")
    yield running
    await running.stop()


@pytest.fixture
async def html(tmp_path):
    running = await started(tmp_path / "tls", "html")
    yield running
    await running.stop()


def trusting(mocks, client="client-DEABC.pem", **options):
    context = ssl.create_default_context(cafile=mocks.tls_dir / "ca.pem")
    for name, value in options.items():
        setattr(context, name, value)
    if client is not None:
        context.load_cert_chain(mocks.tls_dir / client)
    return context


async def push(mocks, context, operator="DE*ABC", session=None):
    url = f"{mocks.hubject_url}/evsepush/v21/operators/{operator}/status-records"
    rows = [{"EvseID": f"{operator}*E1", "EvseStatus": "Available"}]
    body = {"ActionType": "update", "OperatorEvseStatus": {"OperatorID": operator, "EvseStatusRecord": rows}}
    own = aiohttp.ClientSession(timeout=BOUND) if session is None else None
    try:
        async with (session or own).post(url, json=body, ssl=context) as response:
            return response.status, response.content_type, await response.text()
    finally:
        if own is not None:
            await own.close()


async def order(mocks, **what):
    async with (
        aiohttp.ClientSession(timeout=BOUND) as session,
        session.post(f"{mocks.control_url}/hubject/certificates", json=what) as response,
    ):
        return response.status, await response.json()


async def test_operator_with_its_certificate_gets_in(mocks):
    assert mocks.hubject_url == f"https://localhost:{mocks.hubject.port}/api/oicp"
    for client, operator in (("client-DEABC.pem", "DE*ABC"), ("client-DEXYZ.pem", "DE*XYZ")):
        status, _, text = await push(mocks, trusting(mocks, client), operator)
        assert (status, json.loads(text)["Result"]) == (200, True)
    assert mocks.hubject.ledger.violations() == []


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=str)
async def test_tls_1_2_and_1_3_are_spoken(mocks, version):
    context = trusting(mocks, maximum_version=version, minimum_version=version)
    assert (await push(mocks, context))[0] == 200


async def test_server_is_not_trusted_without_the_authority(mocks):
    with pytest.raises(aiohttp.ClientConnectorCertificateError):
        await push(mocks, ssl.create_default_context())


async def test_operator_with_the_certificate_of_another_is_unauthorized(mocks):
    status, kind, text = await push(mocks, trusting(mocks, "client-DEXYZ.pem"))
    assert (status, kind, json.loads(text)) == (401, "application/json", UNAUTHORIZED)
    (violation,) = mocks.hubject.ledger.violations()
    assert violation["what"] == "OperatorID 'DE*ABC' with a certificate of 'DE*XYZ'"
    assert mocks.hubject.ledger.state(0) == {}


@pytest.mark.parametrize("client", [None, "client-expired.pem", "client-foreign.pem"])
async def test_handshake_ends_without_a_good_certificate(mocks, client):
    with pytest.raises(aiohttp.ClientConnectionError):
        await push(mocks, trusting(mocks, client))
    assert mocks.hubject.ledger.journal() == []


async def test_plain_http_gets_no_answer_of_the_service(mocks):
    async with aiohttp.ClientSession(timeout=BOUND) as session:
        with pytest.raises(aiohttp.ClientError):
            await session.post(mocks.hubject_url.replace("https", "http"))
    assert mocks.hubject.ledger.journal() == []


@pytest.mark.parametrize("client", [None, "client-foreign.pem", "stranger"])
async def test_unknown_certificate_gets_the_page_where_html_is_asked_for(html, client):
    if client == "stranger":
        client = (await order(html, issue="DE*QQQ"))[1]["path"]
    status, kind, text = await push(html, trusting(html, client))
    assert (status, kind) == (400, "text/html")
    assert "The SSL Certificate Error" in text


async def test_expired_certificate_is_unauthorized_where_html_is_asked_for(html):
    status, _, text = await push(html, trusting(html, "client-expired.pem"))
    assert (status, json.loads(text)) == (401, UNAUTHORIZED)
    assert (await push(html, trusting(html)))[0] == 200


async def test_rotated_certificate_is_refused_and_the_new_one_taken_without_restart(mocks):
    old = trusting(mocks)
    async with aiohttp.ClientSession(timeout=BOUND) as session:
        assert (await push(mocks, old, session=session))[0] == 200
        assert (await order(mocks, revoke="DE*ABC"))[0] == 200
        status, _, text = await push(mocks, old, session=session)
        assert (status, json.loads(text)) == (401, UNAUTHORIZED)
    _, issued = await order(mocks, issue="DE*ABC", days=40)
    assert (await push(mocks, trusting(mocks, issued["path"])))[0] == 200
    assert mocks.hubject.ledger.violations() == []


async def test_server_certificate_is_renewed_for_new_connections(mocks):
    def shown():
        with (
            socket.create_connection(("127.0.0.1", mocks.hubject.port), 5) as plain,
            trusting(mocks).wrap_socket(plain, server_hostname="localhost") as wrapped,
        ):
            return wrapped.getpeercert()["serialNumber"]

    before = await asyncio.to_thread(shown)
    assert await asyncio.to_thread(shown) == before
    assert (await order(mocks, renew_server=True))[0] == 200
    assert await asyncio.to_thread(shown) != before
    assert (await push(mocks, trusting(mocks)))[0] == 200


@pytest.mark.parametrize("what", [{"revoke": "DE*QQQ"}, {"issue": "../x"}, {"colour": 1}], ids=str)
async def test_senseless_order_is_refused_with_the_reason(mocks, what):
    status, answer = await order(mocks, **what)
    assert status == 400
    assert answer["error"]


async def test_hub_without_tls_has_no_certificates():
    async with Mocks(MockOptions()) as plain:
        status, answer = await order(plain, issue="DE*ABC")
    assert (status, answer) == (404, {"error": "this hub speaks no TLS: start it with --tls"})


async def test_faults_reach_clients_over_tls(mocks):
    for kind in ("reset_before", "down"):
        async with aiohttp.ClientSession(timeout=BOUND) as session:
            await session.post(f"{mocks.control_url}/hubject/faults", json={"kind": kind})
            with pytest.raises(aiohttp.ClientConnectionError):
                await push(mocks, trusting(mocks))
            await session.delete(f"{mocks.control_url}/hubject/faults")
        assert (await push(mocks, trusting(mocks)))[0] == 200


async def test_temporary_folder_goes_with_the_mocks():
    async with Mocks(MockOptions(tls=TlsOptions())) as mocks:
        folder = mocks.tls_dir
        assert (folder / "client.key").exists()
    assert not folder.exists()
