"""A hub's certificate is wrong, or TLS breaks: nothing is sent, or it is in doubt, and the reason is plain.

Our own certificate, refused by the hub in TLS 1.2 and 1.3, is `tests/integration/upstreams/test_tls.py`.
"""

from __future__ import annotations

import asyncio
import ssl
from datetime import UTC, datetime, timedelta

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.catalogue.recording import Tally
from tests.torture.hub_faults.subjects import KEY, SUBJECTS, Subject, verdict
from tests.torture.hub_faults.wire import Close, Cut, Raw, Reset, Step, Under, playing

TRUSTED, STRANGER = trustme.CA(), trustme.CA()
TLS12, TLS13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
versions = pytest.mark.parametrize("version", [TLS12, TLS13], ids=lambda version: version.name)


def server(
    authority: trustme.CA, version: ssl.TLSVersion, name: str = "127.0.0.1", **dates: datetime
) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name, **dates).configure_cert(context)
    context.minimum_version = context.maximum_version = version
    return context


def self_signed(version: ssl.TLSVersion, folder) -> ssl.SSLContext:
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    built = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    dated = built.serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(days=9))
    path = folder / "self-signed.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(dated.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM) + private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    context.minimum_version = context.maximum_version = version
    return context


def client() -> ssl.SSLContext:
    context = ssl.create_default_context()
    TRUSTED.configure_trust(context)
    return context


def days(number: int) -> datetime:
    return datetime.now(UTC) + timedelta(days=number)


WRONG = {
    "expired": (lambda v: server(TRUSTED, v, not_before=days(-9), not_after=days(-1)), "certificate has expired"),
    "not-yet-valid": (lambda v: server(TRUSTED, v, not_before=days(1)), "certificate is not yet valid"),
    "of-another-host": (lambda v: server(TRUSTED, v, "hub.example"), "IP address mismatch"),
    "of-an-unknown-authority": (lambda v: server(STRANGER, v), "unable to get local issuer certificate"),
}


@pytest.mark.row("T39")
@pytest.mark.parametrize(("make", "says"), WRONG.values(), ids=WRONG)
@versions
async def test_a_hub_with_a_wrong_certificate_is_sent_nothing_and_the_reason_names_it(
    make, says: str, version: ssl.TLSVersion, tally: Tally
) -> None:
    await each_is_turned_away(make(version), says)
    tally.count(faults=len(SUBJECTS))


@pytest.mark.row("T39")
@versions
async def test_a_hub_that_signed_its_certificate_itself_is_sent_nothing(version: ssl.TLSVersion, tmp_path) -> None:
    await each_is_turned_away(self_signed(version, tmp_path), "self-signed certificate")


async def each_is_turned_away(context: ssl.SSLContext, says: str) -> None:
    tls = client()

    async def ask(subject: Subject) -> None:
        async with playing((), subject.success, subject.body, context) as hub:
            opened = subject.upstream(hub.url, tls=lambda: tls)
            answer = await subject.act(opened)
            await opened.close()
        assert verdict(answer) == "deferred", (subject.name, answer)
        assert answer.outcome.why.startswith("the hub's TLS certificate is not trusted"), answer
        assert says in answer.outcome.why
        assert KEY not in repr(answer)
        assert hub.requests == []

    async with asyncio.TaskGroup() as asked:
        for subject in SUBJECTS:
            asked.create_task(ask(subject))


BROKEN = {
    # A record that is none of this connection's: an alert in plain text, then noise.
    "plain-alert-in-mid-stream": (Under(b"\x15\x03\x03\x00\x02\x02\x28"), Close()),
    "noise-in-mid-stream": (Under(b"\x17\x03\x03\x00\x20" + b"\xaa" * 32), Close()),
    "http-beneath-tls": (Under(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), Close()),
    "closed-without-farewell": (Cut(), Close()),
    "reset": (Reset(),),
    "body-cut-without-farewell": (Raw(b'HTTP/1.1 200 OK\r\n\r\n{"Result": tr'), Cut(), Close()),
}


@pytest.mark.row("T39", "T30")
@pytest.mark.parametrize("steps", BROKEN.values(), ids=BROKEN)
@versions
async def test_tls_that_breaks_under_a_request_leaves_doubt_and_the_next_one_is_answered(
    steps: tuple[Step, ...], version: ssl.TLSVersion
) -> None:
    tls, context = client(), server(TRUSTED, version)

    async def ask(subject: Subject) -> None:
        async with playing(steps, subject.success, subject.body, context, meets=2) as hub:
            opened = subject.upstream(hub.url, tls=lambda: tls)
            found = [verdict(await subject.act(opened)) for _ in range(3)]
            await opened.close()
        doubt = "deferred" if subject.reads else "in doubt"
        assert found == ["accepted", doubt, "accepted"], subject.name
        assert len(hub.requests) == 3

    async with asyncio.TaskGroup() as asked:
        for subject in SUBJECTS:
            asked.create_task(ask(subject))


@pytest.mark.row("T39")
@pytest.mark.parametrize(
    "greeting",
    [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-OpenSSH_9.2\r\n", b"", b"\x15\x03\x01\x00\x02\x02\x46"],
    ids=["http", "ssh", "closed", "no-such-version"],
)
async def test_a_port_that_does_not_speak_tls_is_sent_nothing(greeting: bytes) -> None:
    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        writer.close()

    listening = await asyncio.start_server(greet, "127.0.0.1", 0)
    url = f"https://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    for subject in SUBJECTS:
        opened = subject.upstream(url)
        answer = await subject.act(opened)
        await opened.close()
        assert verdict(answer) == "deferred", (subject.name, answer)
        assert "TLS" in answer.outcome.why
    listening.close()


@pytest.mark.row("T39")
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
async def test_tls_1_1_is_not_spoken() -> None:
    context = server(TRUSTED, TLS12)
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    tls, subject = client(), SUBJECTS[0]
    async with playing((), subject.success, subject.body, context) as hub:
        opened = subject.upstream(hub.url, tls=lambda: tls)
        answer = await subject.act(opened)
        await opened.close()
    assert verdict(answer) == "deferred"
    assert "TLS" in answer.outcome.why
    assert hub.requests == []
