"""What an operator may set about handshakes, and what devices in the field write into them; over real sockets."""

from __future__ import annotations

import asyncio
import struct
import time
import zlib
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
import structlog.testing
from websockets.exceptions import InvalidStatus
from websockets.frames import Frame, Opcode

from csms.events import AttemptRefused, OcppVersion, SecurityProfile
from csms.options import Compression
from tests.integration.csms.conftest import Site
from tests.integration.csms.fakes import KEY, PATIENCE_S, Station, basic, dial

SiteOf = Callable[..., Awaitable[Site]]
LOGIN = basic("CP1", KEY).removeprefix("Basic ")


async def refusal(site: Site, identity: str = "CP1", **options: Any) -> tuple[int, str]:
    with pytest.raises(InvalidStatus) as caught:
        await dial(site.port, identity, **options)
    return caught.value.response.status_code, caught.value.response.body.decode().strip()


async def talk(port: int, request: str) -> tuple[str, str]:
    """Send raw bytes; return the status line and everything after it."""
    async with asyncio.timeout(PATIENCE_S):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request.encode())
        first = (await reader.readline()).decode().strip()
        rest = "" if first.endswith("Switching Protocols") else (await reader.read()).decode()
        writer.close()
    return first, rest


def upgrade(*more: str, path: str = "/CP1", protocol: str = "HTTP/1.1") -> str:
    lines = [
        f"GET {path} {protocol}",
        "Host: csms",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Protocol: ocpp1.6",
        f"Authorization: {basic('CP1', KEY)}",
        *more,
    ]
    return "\r\n".join([*lines, "", ""])


# --- identity ---------------------------------------------------------------------------------------------------------


async def test_identities_are_one_whatever_their_case_unless_it_counts(site_of: SiteOf) -> None:
    lenient, exact = await site_of(), await site_of(exact_identity=True)
    for site in (lenient, exact):
        site.registry.add("CP1")
    await dial(lenient.port, "cp1")
    assert await refusal(exact, "cp1") == (404, "unknown charging station")
    await dial(exact.port, "CP1")


async def test_a_url_without_identity_is_refused_or_belongs_to_the_station_that_is_named_for_it(
    site_of: SiteOf,
) -> None:
    usual, named = await site_of(), await site_of(anonymous_station="CP1")
    for site in (usual, named):
        site.registry.add("CP1", key=None)
    assert (await refusal(usual, path="/", password=None))[0] == 404
    await dial(named.port, path="/", password=None)
    assert [opened.station for opened in named.recorder.opened] == ["CP1"]
    assert (await refusal(named, path="/%FF", password=None))[0] == 404


async def test_uniform_reject_answers_401_to_all_and_logs_what_it_was(site_of: SiteOf) -> None:
    site = await site_of(uniform_reject=True, failures_allowed=2)
    site.registry.add("CP1")
    site.registry.add("CP2", security=SecurityProfile.TLS_BASIC)
    answer = (401, "credentials wrong")
    with structlog.testing.capture_logs() as lines:
        assert await refusal(site, "nobody") == answer
        assert await refusal(site, "CP1", password=b"guess") == answer
        assert await refusal(site, "CP1", password=None) == answer
        assert await refusal(site, "CP2") == answer
        assert await refusal(site, "nobody") == answer
    reasons = [line["reason"] for line in lines if line["event"] == "handshake_refused"]
    assert reasons == [
        "unknown charging station",
        "credentials wrong",
        "credentials missing",
        "this station must use security profile 2; this is profile 1",
        "unknown charging station",
    ]
    # Guessing identities is slowed down as guessing passwords is, or the two could be told apart.
    assert (await refusal(site, "nobody"))[0] == (await refusal(site, "CP1"))[0] == 429


# --- subprotocol and compression --------------------------------------------------------------------------------------


async def test_default_version_of_the_server_serves_stations_that_offer_none(site_of: SiteOf) -> None:
    site = await site_of(default_version=OcppVersion.V16)
    site.registry.add("CP1")
    site.registry.add("CP2", default_version=OcppVersion.V201)
    await dial(site.port, offers=[])
    await dial(site.port, "CP2", offers=[])
    assert [opened.version for opened in site.recorder.opened] == [OcppVersion.V16, OcppVersion.V201]


@pytest.mark.parametrize(
    ("mode", "own", "version", "agreed"),
    [
        pytest.param(Compression.AUTO, None, "ocpp1.6", False, id="auto-1.6"),
        pytest.param(Compression.AUTO, None, "ocpp2.0.1", True, id="auto-2.0.1"),
        pytest.param(Compression.ON, None, "ocpp1.6", True, id="on"),
        pytest.param(Compression.OFF, None, "ocpp2.0.1", False, id="off"),
        pytest.param(Compression.OFF, True, "ocpp1.6", True, id="station-on"),
        pytest.param(Compression.AUTO, False, "ocpp2.0.1", False, id="station-off"),
    ],
)
async def test_compression_is_as_the_version_the_server_and_the_station_say(
    site_of: SiteOf, mode: Compression, own: bool | None, version: str, agreed: bool
) -> None:
    site = await site_of(compression=mode)
    site.registry.add("CP1", compression=own)
    station = await dial(site.port, offers=[version], compression="deflate")
    assert ("Sec-WebSocket-Extensions" in station.socket.response.headers) is agreed  # type: ignore[union-attr]
    assert (await station.call("Heartbeat", {}))[0] == 3


def bomb(size: int) -> bytes:
    """Return a compressed message of so many spaces. Source: RFC 7692 §7.2.1: the last four bytes are left out."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    return (deflate.compress(b" " * size) + deflate.flush(zlib.Z_SYNC_FLUSH))[:-4]


async def send_compressed(station: Station, payload: bytes) -> None:
    """Send a text frame with RSV1 that no extension of the client touches. Source: RFC 6455 §5.2."""
    header = struct.pack("!BBQ", 0x80 | 0x40 | Opcode.TEXT, 0x80 | 127, len(payload))
    no_mask = bytes(4)
    station.socket.transport.write(header + no_mask + payload)


async def test_a_message_is_measured_after_inflating(site_of: SiteOf) -> None:
    site = await site_of(max_size=1024 * 1024)
    site.registry.add("CP1")
    station = await dial(site.port, offers=["ocpp2.0.1"], compression="deflate")
    payload = bomb(64 * 1024 * 1024)
    assert len(payload) < 100_000
    await send_compressed(station, payload)
    assert await station.closed() == 1009


async def test_a_compressed_frame_that_was_not_agreed_to_ends_its_own_connection_only(site_of: SiteOf) -> None:
    # Catalogue #19: the cure is `compression = on`, for the station or for all.
    site = await site_of()
    site.registry.add("CP1")
    site.registry.add("CP2")
    other = await dial(site.port, "CP2")
    station = await dial(site.port)
    await send_compressed(station, bomb(10))
    assert await station.closed() == 1002
    assert (await other.call("Heartbeat", {}))[0] == 3


# --- pings ------------------------------------------------------------------------------------------------------------


async def pinged(station: Station, within_s: float) -> bool:
    """Tell whether a ping comes; the client library answers it by itself, and counts its own frames."""
    seen = asyncio.Event()
    before = station.socket.process_event

    def look(event: Any) -> None:
        if isinstance(event, Frame) and event.opcode is Opcode.PING:
            seen.set()
        before(event)

    station.socket.process_event = look  # type: ignore[method-assign]
    try:
        async with asyncio.timeout(within_s):
            await seen.wait()
    except TimeoutError:
        return False
    return True


async def test_a_station_is_pinged_at_its_own_interval(site_of: SiteOf) -> None:
    site = await site_of(ping_interval=timedelta(milliseconds=200))
    site.registry.add("CP1", ping_interval=timedelta(0))
    site.registry.add("CP2")
    quiet, usual = await dial(site.port), await dial(site.port, "CP2")
    silence = asyncio.create_task(pinged(quiet, 0.6))
    assert await pinged(usual, PATIENCE_S)
    assert not await silence


async def test_a_station_is_pinged_though_the_others_are_not(site_of: SiteOf) -> None:
    site = await site_of(ping_interval=timedelta(0))
    site.registry.add("CP1", ping_interval=timedelta(milliseconds=100))
    assert await pinged(await dial(site.port), PATIENCE_S)


# --- keys -------------------------------------------------------------------------------------------------------------


async def test_slow_keys_of_many_stations_keep_nobody_else_waiting_and_are_checked_once(site_of: SiteOf) -> None:
    site = await site_of()
    for number in range(12):
        site.registry.add(f"CP{number}", key=b"hush")
    site.registry.add("quick")
    started = time.monotonic()
    storm = [asyncio.create_task(dial(site.port, f"CP{number}", password=b"hush")) for number in range(12)]
    await asyncio.sleep(0)
    await dial(site.port, "quick")
    assert [task.done() for task in storm].count(False) > 0
    await asyncio.gather(*storm)
    first, started = time.monotonic() - started, time.monotonic()
    await asyncio.gather(*(dial(site.port, f"CP{number}", password=b"hush") for number in range(12)))
    assert time.monotonic() - started < first


# --- what is no WebSocket handshake -----------------------------------------------------------------------------------


async def test_a_browser_reads_what_the_port_is_for(site_of: SiteOf) -> None:
    site = await site_of()
    first, rest = await talk(site.port, "GET / HTTP/1.1\r\nHost: csms.example:9000\r\n\r\n")
    assert first == "HTTP/1.1 426 Upgrade Required"
    assert "Upgrade: websocket" in rest
    assert "This is an OCPP WebSocket port for charging stations." in rest
    assert "ws://csms.example:9000/STATION-ID, with one of the subprotocols ocpp1.6, " in rest


async def test_a_health_check_may_ask_for_the_head_alone(site_of: SiteOf) -> None:
    site = await site_of()
    first, rest = await talk(site.port, "HEAD /livez HTTP/1.1\r\nHost: csms\r\n\r\n")
    assert first.split()[1] == "200"
    assert rest.endswith("\r\n\r\n")
    assert "Content-Length: 3\r\n" in rest


async def test_a_handshake_of_http_1_0_is_forgiven(site_of: SiteOf) -> None:
    site = await site_of()
    site.registry.add("CP1")
    first, _ = await talk(site.port, upgrade(protocol="HTTP/1.0"))
    assert first == "HTTP/1.1 101 Switching Protocols"
    assert site.counter.counts["handshake_of_http_1_0"] == 1


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        pytest.param(upgrade("Content-Length: 0"), "101", id="content-length-0"),  # catalogue #4: Mojo, Shelly
        pytest.param(upgrade(path="/ocpp/16/CP1//"), "101", id="any-prefix"),  # #9, #12
        pytest.param(upgrade("Expect: 100-continue"), "101", id="expect"),
        pytest.param(upgrade(f"X: {'x' * 9000}"), "431", id="long-header"),  # B40
        pytest.param(upgrade(*[f"X-{number}: x" for number in range(200)]), "431", id="many-headers"),
        pytest.param(upgrade(path="/" + "x" * 9000), "414", id="long-uri"),
        pytest.param(upgrade(path="/..%2fCP1"), "404", id="dots"),  # B43
        pytest.param(upgrade(path="/CP1%00"), "404", id="nul"),
        pytest.param(upgrade(path="/CP1%0d%0aX:%20y"), "404", id="line-feed"),
        pytest.param(upgrade(path="/CP%2531"), "404", id="encoded-twice"),
        pytest.param(upgrade(path="/%ff"), "404", id="no-utf-8"),
        pytest.param(upgrade(path="/" + "x" * 49), "404", id="49-characters"),
        pytest.param(upgrade(path="/cp1/?a=b"), "101", id="slash-query-and-case"),  # B44
        pytest.param(upgrade("X-Forwarded-For: 10.0.0.1"), "101", id="forwarded-by-nobody"),  # B46
        pytest.param(upgrade().replace("GET", "POST", 1), "405", id="post"),
    ],
)
async def test_what_devices_and_others_send(site_of: SiteOf, request_: str, status: str) -> None:
    site = await site_of()
    site.registry.add("CP1")
    first, _ = await talk(site.port, request_)
    assert first.split()[1] == status


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", id="tls-on-a-plain-port"),
        pytest.param("GET /CP 1 HTTP/1.1\r\nHost: x\r\n\r\n", id="space-in-the-path"),  # catalogue #21
        pytest.param("GET /CP1 HTTP/1.1\nHost: x\n\n", id="bare-line-feeds"),
        pytest.param("GET /CP1 HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n", id="folded-header"),
    ],
)
async def test_what_is_no_http_is_counted_and_logged_without_a_stack_trace(site_of: SiteOf, text: str) -> None:
    site = await site_of(open_timeout=timedelta(milliseconds=500))
    with structlog.testing.capture_logs() as lines:
        async with asyncio.timeout(PATIENCE_S):
            reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
            writer.write(text.encode("latin-1"))
            await reader.read()
            writer.close()
            while not lines:  # noqa: ASYNC110 - a log is no event
                await asyncio.sleep(0.01)
    assert [line["event"] for line in lines] == ["handshake_unreadable"]
    assert lines[0]["remote"].startswith("127.0.0.1:")
    assert site.counter.counts["handshake_unreadable"] == 1
    assert site.attempts.attempts == [AttemptRefused("", "127.0.0.1", 0, "no HTTP request")]


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param(f"Authorization: Basic\r\n {LOGIN}", id="folded"),
        pytest.param(f"Authorization: Basic {LOGIN}\x01", id="control-character"),
        pytest.param(f"Authorization : Basic {LOGIN}", id="space-before-the-colon"),
    ],
)
async def test_a_broken_header_with_a_key_is_logged_without_it(site_of: SiteOf, headers: str) -> None:
    site = await site_of()
    with structlog.testing.capture_logs() as lines:
        async with asyncio.timeout(PATIENCE_S):
            reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
            writer.write(f"GET /CP1 HTTP/1.1\r\n{headers}\r\n\r\n".encode("latin-1"))
            await reader.read()
            writer.close()
            while not lines:  # noqa: ASYNC110 - a log is no event
                await asyncio.sleep(0.01)
    assert "invalid HTTP header" in str(lines)
    assert LOGIN not in str(lines)


async def test_a_login_in_the_url_is_not_logged(site_of: SiteOf) -> None:
    site = await site_of()
    with structlog.testing.capture_logs() as lines:
        await talk(site.port, upgrade(path="ws://CP1:0123456789abcdef@csms/nobody"))
    assert [line["path"] for line in lines] == ["ws://***@csms/nobody"]


@pytest.mark.row("T79", "T81")
async def test_slow_handshakes_are_cut(site_of: SiteOf) -> None:
    site = await site_of(open_timeout=timedelta(milliseconds=200))
    async with asyncio.timeout(PATIENCE_S):
        reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
        writer.write(b"GET /CP1 HTTP/1.1\r\nHost: ")
        assert await reader.read() == b""
        writer.close()
