"""Stations on several listeners: plain, TLS, TLS with client certificates; over real sockets."""

from __future__ import annotations

import asyncio
import socket
import ssl
import tracemalloc
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog.testing
import trustme
from websockets.exceptions import InvalidHandshake, InvalidStatus

from csms.doorway import ListenerTls
from csms.events import AttemptRefused, SecurityProfile, StationBooted
from csms.options import ListenerOptions
from csms.server import CentralSystem, ListenFailed, ServerOptions
from tests.certificates import Leaf, issue
from tests.integration.csms.conftest import Site
from tests.integration.csms.fakes import KEY, PATIENCE_S, Station, dial
from tests.profile_table import PROFILES, TABLES, cells

SiteOf = Callable[..., Awaitable[Site]]


@dataclass
class Authority:
    """Issues what a test needs, with files in a folder of its own."""

    folder: Path
    ca: trustme.CA = field(default_factory=trustme.CA)
    issued: int = 0

    @property
    def pem(self) -> bytes:
        return self.ca.cert_pem.bytes()

    def server(self, *, clients: Authority | None = None) -> ListenerTls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.ca.issue_cert("127.0.0.1").configure_cert(context)
        if clients is None:
            return ListenerTls(context)
        context.load_verify_locations(cadata=clients.pem.decode())
        context.verify_mode = ssl.CERT_OPTIONAL
        return ListenerTls(context, clients.pem)

    def station(self, leaf: Leaf | None = None, *, version: ssl.TLSVersion | None = None) -> ssl.SSLContext:
        context = ssl.create_default_context(cadata=self.pem.decode())
        if version is not None:
            context.minimum_version = context.maximum_version = version
        if leaf is not None:
            self.issued += 1
            file = self.folder / f"{self.issued}.pem"
            file.write_bytes(leaf.whole)
            context.load_cert_chain(file)
        return context


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("foreign"))


def listeners(*names: str) -> tuple[ListenerOptions, ...]:
    return tuple(
        ListenerOptions(
            name, "127.0.0.1", 0, frozenset(SecurityProfile(one) for one in PROFILES[name]), tls=name != "plain"
        )
        for name in names
    )


async def outcome(port: int, **options: Any) -> int:
    """Return the status of the refusal, or 101."""
    try:
        station = await dial(port, **options)
    except InvalidStatus as error:
        return error.response.status_code
    await station.socket.close()
    return 101


@pytest.mark.parametrize("listener", TABLES)
async def test_profile_of_each_station_and_proof_on_each_listener(
    site_of: SiteOf, authority: Authority, listener: str
) -> None:
    tls = {} if listener == "plain" else {listener: authority.server(clients=None if listener == "tls" else authority)}
    site = await site_of(tls, listeners=listeners(listener), failures_allowed=1000)
    port = site.central.ports[listener]
    contexts = {
        "nothing": authority.station(),
        "key": authority.station(),
        "certificate": authority.station(issue(authority.ca, "CP1")),
        "foreign": authority.station(issue(authority.ca, "CP2")),
    }
    found, expected = {}, {}
    for security, reached, what, result in cells(listener):
        key = KEY if security in (1, 2) else None
        site.registry.add("CP1", key=key, security=SecurityProfile(security), reached=SecurityProfile(reached))
        cell = f"{security} reached {reached} shows {what}"
        options = {} if listener == "plain" else {"ssl": contexts[what]}
        status = await outcome(port, password=KEY if what == "key" else None, **options)
        found[cell] = int(site.recorder.opened[-1].profile) if status == 101 else status
        expected[cell] = result
    assert found == expected


async def test_several_listeners_share_the_stations(site_of: SiteOf, authority: Authority) -> None:
    site = await site_of({"tls": authority.server()}, listeners=listeners("plain", "tls"))
    site.registry.add("CP1")
    assert list(site.central.ports) == ["plain", "tls"]
    first = await dial(site.central.ports["plain"])
    second = await dial(site.central.ports["tls"], ssl=authority.station())
    assert await first.closed() == 1008
    assert (await second.call("Heartbeat", {}))[0] == 3
    assert [int(opened.profile) for opened in site.recorder.opened] == [1, 2]


async def test_a_listener_that_cannot_listen_is_named_and_none_listens(site_of: SiteOf) -> None:
    site = await site_of()
    taken = ListenerOptions("second", "127.0.0.1", site.port)
    options = ServerOptions(listeners=(ListenerOptions("first", "127.0.0.1", 0), taken))
    central = CentralSystem(options, site.registry, site.recorder, None, site.counter, b"")  # type: ignore[arg-type]
    with pytest.raises(ListenFailed) as caught:
        await central.start()
    assert caught.value.listener.name == "second"
    assert central.ports == {}


async def eventually(look: Callable[[], Any]) -> Any:
    """Return what `look` finds, once it finds something."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            found = look()
            if found := await found if asyncio.iscoroutine(found) else found:
                return found
            await asyncio.sleep(0.01)


async def is_outcome(expected: int, port: int, **options: Any) -> bool:
    return await outcome(port, **options) == expected


# --- what TLS refuses by itself ---------------------------------------------------------------------------------------


async def failed_tls(site: Site, port: int, context: ssl.SSLContext) -> str:
    """Return the reason that the log shows for a TLS handshake that fails."""
    with structlog.testing.capture_logs() as lines:
        with pytest.raises((OSError, InvalidHandshake)):
            await dial(port, password=None, ssl=context)
        shown = await eventually(lambda: [line for line in lines if line["event"] == "tls_handshake_failed"])
    assert shown[0]["remote"] == "127.0.0.1"
    assert site.attempts.attempts == [AttemptRefused("", "127.0.0.1", 0, f"TLS: {shown[0]['reason']}")]
    assert site.counter.counts["tls_handshake_failed"] == 1
    assert site.recorder.opened == []
    reason = str(shown[0]["reason"])
    assert site.attempts.attempts == [AttemptRefused("", "127.0.0.1", 0, f"TLS: {reason}")]
    return reason


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["tls-1.2", "tls-1.3"])
async def test_client_certificate_of_an_unknown_ca_fails_visibly(
    site_of: SiteOf, authority: Authority, foreign: Authority, version: ssl.TLSVersion
) -> None:
    site = await site_of({"mutual": authority.server(clients=authority)}, listeners=listeners("mutual"))
    site.registry.add("CP1", key=None, security=SecurityProfile.TLS_CERTIFICATE)
    context = authority.station(issue(foreign.ca, "CP1"), version=version)
    reason = await failed_tls(site, site.port, context)
    assert reason == "certificate verify failed: unable to get local issuer certificate"


async def test_expired_client_certificate_fails_visibly(site_of: SiteOf, authority: Authority) -> None:
    site = await site_of({"mutual": authority.server(clients=authority)}, listeners=listeners("mutual"))
    site.registry.add("CP1", key=None, security=SecurityProfile.TLS_CERTIFICATE)
    reason = await failed_tls(site, site.port, authority.station(issue(authority.ca, "CP1", ends=-1)))
    assert reason == "certificate verify failed: certificate has expired"


async def test_certificate_that_ended_after_tls_had_verified_it_is_refused(
    site_of: SiteOf, authority: Authority
) -> None:
    # A resumed TLS session shows a certificate that OpenSSL checked when the session began.
    later = datetime.now(UTC) + timedelta(days=2)
    tls = {"mutual": authority.server(clients=authority)}
    site = await site_of(tls, clock=lambda: later, listeners=listeners("mutual"))
    site.registry.add("CP1", key=None, security=SecurityProfile.TLS_CERTIFICATE)
    with pytest.raises(InvalidStatus) as caught:
        await dial(site.port, password=None, ssl=authority.station(issue(authority.ca, "CP1", ends=1)))
    assert caught.value.response.status_code == 403
    assert caught.value.response.body.startswith(b"the client certificate expired on ")


async def test_plain_bytes_on_a_tls_listener_are_named(site_of: SiteOf, authority: Authority) -> None:
    site = await site_of({"tls": authority.server()}, listeners=listeners("tls"))
    with structlog.testing.capture_logs() as lines:
        reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
        writer.write(b"GET /CP1 HTTP/1.1\r\nHost: x\r\n\r\n")
        assert await asyncio.wait_for(reader.read(), PATIENCE_S) == b""
        writer.close()
    assert [line["reason"] for line in lines if line["event"] == "tls_handshake_failed"] == ["http request"]


async def test_a_peer_that_hangs_up_after_tls_is_logged_with_its_address(site_of: SiteOf, authority: Authority) -> None:
    site = await site_of({"tls": authority.server()}, listeners=listeners("tls"))
    with structlog.testing.capture_logs() as lines:
        _, writer = await asyncio.open_connection("127.0.0.1", site.port, ssl=authority.station())
        writer.transport.abort()
        shown = await eventually(lambda: [line for line in lines if line["event"] == "handshake_unreadable"])
    assert shown[0]["remote"].startswith("127.0.0.1:")
    assert site.attempts.attempts == []


async def test_a_peer_that_says_nothing_is_cut_and_the_others_are_not_kept_waiting(
    site_of: SiteOf, authority: Authority
) -> None:
    site = await site_of(
        {"tls": authority.server()}, listeners=listeners("tls"), open_timeout=timedelta(milliseconds=300)
    )
    site.registry.add("CP1")
    with socket.create_connection(("127.0.0.1", site.port)) as silent:
        silent.setblocking(False)
        station = await dial(site.port, ssl=authority.station())
        assert (await station.call("Heartbeat", {}))[0] == 3
        gone = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(silent, 1), PATIENCE_S)
    assert gone == b""


async def test_tls_takes_little_memory_of_each_station_and_still_carries_long_messages(
    site_of: SiteOf, authority: Authority
) -> None:
    """Both ends are in this process; as asyncio would have it, their two buffers alone would be 512 KiB."""
    site = await site_of({"tls": authority.server()}, listeners=listeners("tls"))
    site.registry.add("CP0")
    names = [f"CP{number}" for number in range(1, 21)]
    for name in names:
        site.registry.add(name)
    context = authority.station()
    first = await dial(site.port, "CP0", ssl=context)
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        stations = [await dial(site.port, name, ssl=context) for name in names]
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (after - before) / len(stations) < 200 * 1024
    long = {"vendorId": "V", "messageId": "M", "data": "x" * 200_000}
    assert (await first.call("DataTransfer", long))[0] == 3


# --- who the certificate is for ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "serial", "strict", "closed"),
    [
        pytest.param("SN-1", "sn-1", True, False, id="the-certificate-s"),
        pytest.param("SN-1", "SN-2", False, False, id="another-is-taken"),
        pytest.param("SN-1", "SN-2", True, True, id="another-is-refused-by-strict"),
        pytest.param("CP1", "SN-2", True, False, id="the-certificate-names-the-identity"),
    ],
)
async def test_serial_number_of_a_boot_and_of_the_certificate(
    site_of: SiteOf, authority: Authority, name: str, serial: str, strict: bool, closed: bool
) -> None:
    # OCPP 2.0.1 Part 2, B01.FR.11 and B01.FR.12.
    site = await site_of({"mutual": authority.server(clients=authority)}, listeners=listeners("mutual"))
    certified = SecurityProfile.TLS_CERTIFICATE
    site.registry.add("CP1", key=None, security=certified, certificate_name=name, strict=strict)
    context = authority.station(issue(authority.ca, name))
    station = await dial(site.port, password=None, ssl=context, offers=["ocpp2.0.1"])
    unit = {"model": "Model", "vendorName": "Vendor", "serialNumber": serial}
    boot = {"reason": "PowerUp", "chargingStation": unit}
    if closed:
        await station.begin("BootNotification", boot)
        assert await station.closed() == 1008
        assert site.recorder.of(StationBooted) == []
    else:
        assert (await station.call("BootNotification", boot))[0] == 3
    differs = serial != "sn-1" and name == "SN-1"
    assert site.counter.counts["boot_serial_differs_from_certificate"] == int(differs)


# --- rotation ---------------------------------------------------------------------------------------------------------


async def test_new_handshakes_use_the_new_certificate_and_open_sessions_stay(
    site_of: SiteOf, authority: Authority, foreign: Authority
) -> None:
    site = await site_of({"tls": authority.server()}, listeners=listeners("tls"))
    site.registry.add("CP1")
    site.registry.add("CP2")
    before = await dial(site.port, ssl=authority.station())
    site.central.reload_tls("tls", foreign.server())
    with pytest.raises(ssl.SSLCertVerificationError):
        await dial(site.port, "CP2", ssl=authority.station())
    after = await dial(site.port, "CP2", ssl=foreign.station())
    for station in (before, after):
        assert (await station.call("Heartbeat", {}))[0] == 3


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["tls-1.2", "tls-1.3"])
async def test_a_resumed_tls_session_does_not_outlive_the_authority_behind_it(
    site_of: SiteOf, authority: Authority, foreign: Authority, version: ssl.TLSVersion
) -> None:
    site = await site_of({"mutual": authority.server(clients=authority)}, listeners=listeners("mutual"))
    context = authority.station(issue(authority.ca, "CP1"), version=version)
    session = await asyncio.to_thread(_session_of, site.port, context, None)
    resumed, _ = await asyncio.to_thread(_resume, site.port, context, session)
    assert resumed, "a session can be resumed while the authority is trusted, or this test shows nothing"
    site.central.reload_tls("mutual", authority.server(clients=foreign))
    try:
        resumed, answer = await asyncio.to_thread(_resume, site.port, context, session)
    except (ssl.SSLError, ConnectionError):
        return
    assert (resumed, answer) == (False, b"")


def _session_of(port: int, context: ssl.SSLContext, session: ssl.SSLSession | None) -> ssl.SSLSession:
    with _connected(port, context, session) as connection:
        connection.sendall(b"GET /livez HTTP/1.1\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 200")
        assert connection.session is not None
        return connection.session


def _resume(port: int, context: ssl.SSLContext, session: ssl.SSLSession) -> tuple[bool, bytes]:
    with _connected(port, context, session) as connection:
        connection.sendall(b"GET /livez HTTP/1.1\r\n\r\n")
        return bool(connection.session_reused), connection.recv(100)


def _connected(port: int, context: ssl.SSLContext, session: ssl.SSLSession | None) -> ssl.SSLSocket:
    plain = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
    return context.wrap_socket(plain, server_hostname="127.0.0.1", session=session)


# --- places -----------------------------------------------------------------------------------------------------------


@pytest.mark.row("T79")
async def test_more_connections_than_places_are_503_until_one_leaves(site_of: SiteOf) -> None:
    site = await site_of(max_connections=1)
    site.registry.add("CP1")
    site.registry.add("CP2")
    first: Station = await dial(site.port)
    with pytest.raises(InvalidStatus) as caught:
        await dial(site.port, "CP2")
    assert caught.value.response.status_code == 503
    assert caught.value.response.headers["Retry-After"] == "30"
    assert site.attempts.attempts == [AttemptRefused("", "127.0.0.1", 0, "turned away: too many connections")]
    await first.socket.close()
    await eventually(lambda: is_outcome(101, site.port, identity="CP2"))


@pytest.mark.row("T81")
async def test_handshakes_that_hang_take_the_places_of_their_address_only_until_they_are_over(site_of: SiteOf) -> None:
    site = await site_of(max_pending_per_address=2)
    site.registry.add("CP1")
    hanging = [await asyncio.open_connection("127.0.0.1", site.port) for _ in range(2)]
    await eventually(lambda: is_outcome(503, site.port))
    refused = AttemptRefused("", "127.0.0.1", 0, "turned away: too many handshakes from this address")
    assert set(site.attempts.attempts) == {refused}
    for _, writer in hanging:
        writer.close()
    await eventually(lambda: is_outcome(101, site.port))
