"""Our client certificate at a hub, over real TLS: who is let in, how a refusal reads, and what a changed file does."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trustme

from bridge.core.model import Accepted, Deferred, EvseId, Held
from bridge.upstreams.credentials import FileCredential, NotReloaded, Reloaded
from bridge.upstreams.oicp import Oicp, OicpOptions
from bridge.upstreams.port import Record
from bridge.upstreams.tls import Tls, TlsFiles, check_new_tls, reread_tls
from tests.certificates import Leaf, TlsServer, issue, lax_authority, tls_server

TLS12, TLS13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
HUB, HUBJECT_CA, STRANGER = trustme.CA(), trustme.CA(), trustme.CA()
RECORD = Record(EvseId("DE*ABC*E1"), "Available")
SUCCESS = b'{"Result": true, "StatusCode": {"Code": "000"}}'
ACCEPTED = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(SUCCESS), SUCCESS)
REFUSED = "the hub refused our client certificate"

pytestmark = pytest.mark.row("T39")
versions = pytest.mark.parametrize("version", [TLS12, TLS13], ids=lambda version: version.name)
Connect = Callable[[TlsServer, FileCredential[Tls] | None], Oicp]


@pytest.fixture
def files(tmp_path: Path) -> TlsFiles:
    (tmp_path / "ca.pem").write_bytes(HUB.cert_pem.bytes())
    return TlsFiles(certificate=tmp_path / "hub.pem", ca_bundle=tmp_path / "ca.pem")


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    made: list[Oicp] = []

    def make(server: TlsServer, credential: FileCredential[Tls] | None) -> Oicp:
        options = OicpOptions(f"{server.url}/api/oicp", "DE*ABC")
        made.append(Oicp(options, None if credential is None else lambda: credential.current().context))
        return made[-1]

    yield make
    for upstream in made:
        await upstream.close()


def credential_of(files: TlsFiles, content: bytes | None = None) -> FileCredential[Tls]:
    if content is not None:
        replace(files, content)
    return FileCredential(files.paths, partial(reread_tls, files))


def replace(files: TlsFiles, content: bytes) -> None:
    """Replace the certificate's file as `mv` does: never half of it is there."""
    assert files.certificate is not None
    beside = files.certificate.with_suffix(".new")
    beside.write_bytes(content)
    os.replace(beside, files.certificate)


def accept(files: TlsFiles) -> Callable[[Tls], None]:
    return lambda tls: check_new_tls(tls, files, datetime.now(UTC))


@versions
async def test_the_hub_sees_our_certificate_and_we_check_its_own(
    files: TlsFiles, connect: Connect, version: ssl.TLSVersion
) -> None:
    leaf = issue(HUBJECT_CA.create_child_ca())
    with tls_server(HUB, version, clients=HUBJECT_CA, reply=ACCEPTED) as server:
        upstream = connect(server, credential_of(files, leaf.whole))
        assert [(await upstream.push(RECORD)).outcome for _ in range(3)] == [Accepted()] * 3
        assert (server.seen, server.connections) == (["DE*ABC"] * 3, 1)


@versions
async def test_a_hub_that_the_ca_bundle_does_not_know_gets_nothing(
    files: TlsFiles, connect: Connect, version: ssl.TLSVersion
) -> None:
    with tls_server(STRANGER, version, reply=ACCEPTED) as server:
        outcome = (await connect(server, credential_of(files, issue(HUBJECT_CA).whole)).push(RECORD)).outcome
        assert isinstance(outcome, Deferred)
        assert outcome.why.startswith("the hub's TLS certificate is not trusted")
        assert server.seen == []


async def test_the_ca_bundle_replaces_the_system_s_store(files: TlsFiles) -> None:
    context = credential_of(files, issue(HUBJECT_CA).whole).current().context
    assert [dict(part[0] for part in found["subject"]) for found in context.get_ca_certs()] == [
        dict(part[0] for part in ssl_subject(HUB))
    ]


async def test_an_intermediate_authority_may_be_named_alone(files: TlsFiles, connect: Connect) -> None:
    intermediate = HUB.create_child_ca()
    assert files.ca_bundle is not None
    files.ca_bundle.write_bytes(intermediate.cert_pem.bytes())
    with tls_server(intermediate, TLS13, reply=ACCEPTED) as server:
        upstream = connect(server, credential_of(files, issue(HUBJECT_CA).whole))
        assert (await upstream.push(RECORD)).outcome == Accepted()


async def test_an_authority_that_leaves_out_what_rfc_5280_asks_for_is_trusted_where_it_is_named(
    files: TlsFiles, connect: Connect, tmp_path: Path
) -> None:
    lax = lax_authority()
    assert files.ca_bundle is not None
    files.ca_bundle.write_bytes(lax.authority)
    (tmp_path / "server.pem").write_bytes(lax.server)
    with tls_server(
        STRANGER, TLS13, reply=ACCEPTED, adjust=lambda context: context.load_cert_chain(tmp_path / "server.pem")
    ) as server:
        upstream = connect(server, credential_of(files, issue(HUBJECT_CA).whole))
        assert (await upstream.push(RECORD)).outcome == Accepted()


def ssl_subject(authority: trustme.CA) -> tuple[tuple[tuple[str, str], ...], ...]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority.configure_trust(context)
    return context.get_ca_certs()[0]["subject"]


async def test_tls_below_1_2_is_never_spoken(files: TlsFiles) -> None:
    assert credential_of(files, issue(HUBJECT_CA).whole).current().context.minimum_version is TLS12


REFUSALS = [
    pytest.param(TLS12, issue(STRANGER), "unknown_ca", id="1.2-of-another-authority"),
    pytest.param(TLS13, issue(STRANGER), "unknown_ca", id="1.3-of-another-authority"),
    pytest.param(TLS12, issue(HUBJECT_CA, begins=-9, ends=-1), "certificate_expired", id="1.2-expired"),
    pytest.param(TLS13, issue(HUBJECT_CA, begins=-9, ends=-1), "certificate_expired", id="1.3-expired"),
    pytest.param(TLS12, None, "handshake_failure, or it has no cipher in common with us", id="1.2-none"),
    pytest.param(TLS13, None, "certificate_required", id="1.3-none"),
]


@pytest.mark.parametrize(("version", "leaf", "alert"), REFUSALS)
async def test_a_refused_certificate_holds_the_account_and_names_the_alert(
    files: TlsFiles, connect: Connect, version: ssl.TLSVersion, leaf: Leaf | None, alert: str
) -> None:
    shown = TlsFiles(ca_bundle=files.ca_bundle) if leaf is None else files
    credential = credential_of(shown, None if leaf is None else leaf.whole)
    with tls_server(HUB, version, clients=HUBJECT_CA, reply=ACCEPTED) as server:
        answer = await connect(server, credential).push(RECORD)
        assert answer.outcome == Held(f"{REFUSED} (TLS alert {alert})")
        assert answer.http is None
        assert server.seen == []


@versions
async def test_a_handshake_that_fails_for_another_reason_is_no_refused_certificate(
    files: TlsFiles, connect: Connect, version: ssl.TLSVersion
) -> None:
    def wants_another_protocol(context: ssl.SSLContext) -> None:
        context.sni_callback = lambda *_: ssl.ALERT_DESCRIPTION_INTERNAL_ERROR

    with tls_server(HUB, version, adjust=wants_another_protocol) as server:
        outcome = (await connect(server, credential_of(files, issue(HUBJECT_CA).whole)).push(RECORD)).outcome
        assert isinstance(outcome, Deferred)
        assert REFUSED not in outcome.why
        assert not outcome.in_doubt


NGINX = [
    pytest.param(400, b"The SSL certificate error", id="not-verified"),
    pytest.param(400, b"No required SSL certificate was sent", id="none-sent"),
    pytest.param(495, b"", id="495"),
    pytest.param(496, b"", id="496"),
]


@pytest.mark.parametrize(("status", "words"), NGINX)
async def test_the_page_of_a_server_in_front_that_refuses_the_certificate_holds_the_account(
    files: TlsFiles, connect: Connect, status: int, words: bytes
) -> None:
    page = b"<html><head><title>400 %s</title></head><body><center>nginx</center></body></html>" % words
    reply = b"HTTP/1.1 %d X\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n%s" % (status, len(page), page)
    with tls_server(HUB, TLS13, reply=reply) as server:
        answer = await connect(server, credential_of(files, issue(HUBJECT_CA).whole)).push(RECORD)
        assert answer.outcome == Held(f"HTTP {status} {REFUSED}")


@versions
async def test_a_replaced_file_counts_from_the_next_connection_on(
    files: TlsFiles, connect: Connect, version: ssl.TLSVersion
) -> None:
    credential = credential_of(files, issue(HUBJECT_CA, "OLD").whole)
    with tls_server(HUB, version, clients=HUBJECT_CA, reply=ACCEPTED) as server:
        upstream = connect(server, credential)
        await upstream.push(RECORD)
        replace(files, issue(HUBJECT_CA, "NEW").whole)
        await upstream.push(RECORD)
        assert credential.look(accept(files)) == Reloaded()
        assert [(await upstream.push(RECORD)).outcome for _ in range(2)] == [Accepted()] * 2
        assert (server.seen, server.connections) == (["OLD", "OLD", "NEW", "NEW"], 2)


async def test_a_switched_link_is_a_change(tmp_path: Path, files: TlsFiles, connect: Connect) -> None:
    for name in ("OLD", "NEW"):
        (tmp_path / f"..{name}").mkdir()
        (tmp_path / f"..{name}" / "hub.pem").write_bytes(issue(HUBJECT_CA, name).whole)
    data, path = tmp_path / "..data", tmp_path / "hub.pem"
    data.symlink_to("..OLD")
    path.symlink_to("..data/hub.pem")
    credential = credential_of(files)
    with tls_server(HUB, TLS13, clients=HUBJECT_CA, reply=ACCEPTED) as server:
        upstream = connect(server, credential)
        await upstream.push(RECORD)
        (tmp_path / "..tmp").symlink_to("..NEW")
        os.replace(tmp_path / "..tmp", data)
        assert credential.look(accept(files)) == Reloaded()
        await upstream.push(RECORD)
        assert server.seen == ["OLD", "NEW"]


BAD = [
    pytest.param(issue(HUBJECT_CA).whole[:-60], "should be a whole PEM file", id="half-written"),
    pytest.param(issue(HUBJECT_CA).certificate, "should hold the private key as well", id="no-key"),
    pytest.param(
        issue(HUBJECT_CA).certificate + issue(HUBJECT_CA).key, "should hold the key of the certificate", id="wrong-key"
    ),
    pytest.param(issue(HUBJECT_CA, begins=-9, ends=-1).whole, "expired on", id="expired"),
    pytest.param(
        issue(HUBJECT_CA).certificate + issue(HUBJECT_CA).locked("x"), "holds an encrypted key", id="encrypted"
    ),
]


@pytest.mark.parametrize(("content", "why"), BAD)
async def test_a_bad_file_changes_nothing_and_is_said_once(
    files: TlsFiles, connect: Connect, content: bytes, why: str
) -> None:
    credential = credential_of(files, issue(HUBJECT_CA, "OLD").whole)
    with tls_server(HUB, TLS13, clients=HUBJECT_CA, reply=ACCEPTED) as server:
        upstream = connect(server, credential)
        await upstream.push(RECORD)
        replace(files, content)
        looks = [credential.look(accept(files)) for _ in range(4)]
        assert [type(look) for look in looks] == [type(None), NotReloaded, type(None), type(None)]
        assert isinstance(looks[1], NotReloaded)
        assert looks[1].why.startswith(f"client_certificate = {files.certificate}: ")
        assert why in looks[1].why
        assert (await upstream.push(RECORD)).outcome == Accepted()
        assert (server.seen, server.connections) == (["OLD", "OLD"], 1)


async def test_an_encrypted_key_is_used_with_its_passphrase_and_rotated_with_it(
    tmp_path: Path, connect: Connect
) -> None:
    names = ("hub.crt", "hub.key", "word", "ca.pem")
    certificate, key, word, ca = (tmp_path / name for name in names)
    old, new = issue(HUBJECT_CA, "OLD"), issue(HUBJECT_CA, "NEW")
    ca.write_bytes(HUB.cert_pem.bytes())
    certificate.write_bytes(old.certificate)
    key.write_bytes(old.locked("one"))
    word.write_text("one\n", encoding="utf-8")
    files = TlsFiles(certificate=certificate, key=key, ca_bundle=ca, passphrase_file=word)
    credential = credential_of(files)
    with tls_server(HUB, TLS13, clients=HUBJECT_CA, reply=ACCEPTED) as server:
        upstream = connect(server, credential)
        await upstream.push(RECORD)
        key.write_bytes(new.locked("two"))
        assert credential.look() is None
        certificate.write_bytes(new.certificate)
        word.write_text("two\n", encoding="utf-8")
        assert credential.look() == Reloaded()
        await upstream.push(RECORD)
        assert server.seen == ["OLD", "NEW"]


async def test_a_new_ca_bundle_counts_too(files: TlsFiles, connect: Connect) -> None:
    assert files.ca_bundle is not None
    credential = credential_of(files, issue(HUBJECT_CA).whole)
    with tls_server(STRANGER, TLS13, reply=ACCEPTED) as server:
        upstream = connect(server, credential)
        assert isinstance((await upstream.push(RECORD)).outcome, Deferred)
        files.ca_bundle.write_bytes(STRANGER.cert_pem.bytes())
        assert credential.look() == Reloaded()
        assert (await upstream.push(RECORD)).outcome == Accepted()


async def test_a_reset_in_the_handshake_is_no_proof_but_says_what_it_may_be(connect_raw: Callable[..., Oicp]) -> None:
    async def reset(writer: asyncio.StreamWriter) -> None:
        linger = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        writer.transport.abort()

    upstream = await connect_raw(reset)
    outcome = (await upstream.push(RECORD)).outcome
    assert outcome == Deferred("connection reset in the TLS handshake (client certificate refused?)")


@pytest.fixture
async def connect_raw(raw_server: Callable[..., Any]) -> AsyncIterator[Callable[..., Any]]:
    made: list[Oicp] = []

    async def make(script: Callable[..., Any]) -> Oicp:
        server = await raw_server(script, listens=False)
        made.append(Oicp(OicpOptions(server.url.replace("http:", "https:"), "DE*ABC")))
        return made[-1]

    yield make
    for upstream in made:
        await upstream.close()
