"""Accounts opened as the bridge opens them: each sends with the key or certificate that its files hold now."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from pathlib import Path

import trustme
from structlog.testing import capture_logs

from bridge.app.credentials import Credentials
from bridge.app.upstreams import open_upstream
from bridge.core.model import Accepted, EvseId, Moment
from bridge.settings import load_settings
from bridge.upstreams.port import Record
from tests.certificates import issue, tls_server

RECORD = Record(EvseId("DE*ABC*E1"), "occupied", station_ref="s1")
SUCCESS = b'{"Result": true, "StatusCode": {"Code": "000"}}'
CHARGEPRICE = """
[accounts.chargeprice]
kind = "chargeprice"
base_url = "{url}"
company_id = "11111111-2222-3333-4444-555555555555"
{more}
"""
HUBJECT = """
[accounts.hubject]
kind = "oicp"
base_url = "{url}/api/oicp"
operator_id = "DE*ABC"
client_certificate = "{folder}/hub.pem"
ca_bundle = "{folder}/ca.pem"
"""


class Desk:
    """What `bridge.app.serve` has around an upstream."""

    def __init__(self, folder: Path, text: str, environ: dict[str, str] | None = None) -> None:
        (folder / "bridge.toml").write_text(text, encoding="utf-8")
        self.told: list[str] = []
        self.credentials = Credentials(lambda: Moment(datetime.now(UTC), datetime.now(UTC)), self._tell)
        settings = load_settings(folder / "bridge.toml", environ or {}, certificates_at=datetime.now(UTC))
        (name,) = settings.accounts
        self.upstream = open_upstream(name, settings, self.credentials)

    async def _tell(self, account: str) -> None:
        self.told.append(account)


async def no_content(writer):
    writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")


def keys(server) -> list[str]:
    lines = [line for request in server.requests for line in request.decode().split("\r\n")]
    return [line.removeprefix("Api-Key: ") for line in lines if line.startswith("Api-Key: ")]


async def test_a_key_in_a_file_is_sent_as_it_is_now(tmp_path: Path, raw_server) -> None:
    server, key = await raw_server(no_content), tmp_path / "key"
    key.write_text("old-key\n", encoding="utf-8")
    desk = Desk(tmp_path, CHARGEPRICE.format(url=server.url, more=f'api_key_file = "{key}"'))
    await desk.upstream.push(RECORD)
    key.write_text("new-key\n", encoding="utf-8")
    with capture_logs() as lines:
        await desk.credentials.look()
    await desk.upstream.push(RECORD)
    await desk.upstream.close()
    assert keys(server) == ["old-key", "new-key"]
    assert desk.told == ["chargeprice"]
    assert "key" not in " ".join(str(value) for line in lines for name, value in line.items() if name != "event")


async def test_a_key_in_the_secrets_directory_is_too_and_a_bad_one_is_not_shown(tmp_path: Path, raw_server) -> None:
    server, secrets = await raw_server(no_content), tmp_path / "secrets"
    secrets.mkdir()
    key = secrets / "BRIDGE_ACCOUNTS__CHARGEPRICE__API_KEY"
    key.write_text("old-key", encoding="utf-8")
    desk = Desk(tmp_path, CHARGEPRICE.format(url=server.url, more=""), {"BRIDGE_SECRETS_DIR": str(secrets)})
    key.write_text("s3cr3t with spaces", encoding="utf-8")
    with capture_logs() as lines:
        for _ in range(3):
            await desk.credentials.look()
    await desk.upstream.push(RECORD)
    key.write_text("new-key", encoding="utf-8")
    await desk.credentials.look()
    await desk.upstream.push(RECORD)
    await desk.upstream.close()
    assert keys(server) == ["old-key", "new-key"]
    assert [(line["event"], line["why"]) for line in lines] == [
        ("credential_not_reloaded", f"{key} should be the key alone: printable ASCII, no spaces")
    ]


async def test_a_key_from_the_configuration_itself_stays(tmp_path: Path, raw_server) -> None:
    server = await raw_server(no_content)
    desk = Desk(tmp_path, CHARGEPRICE.format(url=server.url, more='api_key = "its-own"'))
    await desk.credentials.look()
    await desk.upstream.push(RECORD)
    await desk.upstream.close()
    assert keys(server) == ["its-own"]


async def test_a_certificate_is_shown_as_it_is_now_and_its_end_is_known(tmp_path: Path) -> None:
    hub, ours = trustme.CA(), trustme.CA()
    (tmp_path / "ca.pem").write_bytes(hub.cert_pem.bytes())
    (tmp_path / "hub.pem").write_bytes(issue(ours, "OLD", ends=50).whole)
    reply = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(SUCCESS), SUCCESS)
    with tls_server(hub, ssl.TLSVersion.TLSv1_3, clients=ours, reply=reply) as server:
        desk = Desk(tmp_path, HUBJECT.format(url=server.url, folder=tmp_path))
        assert (await desk.upstream.push(RECORD)).outcome == Accepted()
        (tmp_path / "hub.pem").write_bytes(issue(ours, "NEW", ends=60).whole)
        await desk.credentials.look()
        assert (await desk.upstream.push(RECORD)).outcome == Accepted()
        await desk.upstream.close()
        assert server.seen == ["OLD", "NEW"]
    found = desk.credentials.certificates()["hubject"]
    assert (found.not_after - datetime.now(UTC)).days == 59
    assert desk.told == ["hubject"]


async def test_an_expired_certificate_does_not_replace_a_valid_one(tmp_path: Path) -> None:
    hub, ours = trustme.CA(), trustme.CA()
    (tmp_path / "ca.pem").write_bytes(hub.cert_pem.bytes())
    (tmp_path / "hub.pem").write_bytes(issue(ours).whole)
    desk = Desk(tmp_path, HUBJECT.format(url="https://127.0.0.1:1", folder=tmp_path))
    (tmp_path / "hub.pem").write_bytes(issue(ours, begins=-9, ends=-1).whole)
    with capture_logs() as lines:
        for _ in range(3):
            await desk.credentials.look()
    assert [line["event"] for line in lines] == ["credential_not_reloaded"]
    assert "expired on" in lines[0]["why"]
    assert (desk.credentials.certificates()["hubject"].not_after - datetime.now(UTC)).days == 89
