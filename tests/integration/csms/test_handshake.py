from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from websockets.datastructures import Headers
from websockets.exceptions import InvalidHandshake, InvalidStatus

from csms.events import Epoch, OcppVersion, SecurityProfile, StationConnected, StationDisconnected, StationId
from csms.records import StationRecord
from csms.replies import LocalReplies, ReplyOptions
from csms.server import CentralSystem, ServerOptions
from tests.integration.csms.conftest import Site
from tests.integration.csms.fakes import KEY, PATIENCE_S, STATUS_16, STATUS_201, basic, dial

SiteOf = Callable[..., Awaitable[Site]]


async def refused(site: Site, **options: Any) -> tuple[int, Headers, str]:
    with pytest.raises(InvalidStatus) as caught:
        await dial(site.port, **options)
    response = caught.value.response
    return response.status_code, response.headers, response.body.decode()


async def exchange(port: int, request: str) -> str:
    """Send raw bytes and return the head of the answer."""
    async with asyncio.timeout(PATIENCE_S):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request.encode())
        head = await reader.readuntil(b"\r\n\r\n")
        writer.close()
        await writer.wait_closed()
    return head.decode()


def raw_request(*more: str, path: str = "/CP1") -> str:
    lines = [
        f"GET {path} HTTP/1.1",
        "Host: csms",
        "Upgrade: websocket",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
        f"Authorization: {basic('CP1', KEY)}",
        *more,
    ]
    return "\r\n".join([*lines, "", ""])


async def test_known_station_with_its_key_is_connected(site: Site) -> None:
    station = await dial(site.port)
    assert station.socket.subprotocol == "ocpp1.6"
    assert (await station.call("Heartbeat", {}))[0] == 3
    [connected] = site.recorder.opened
    assert connected == StationConnected(
        StationId("CP1"), OcppVersion.V16, connected.remote, SecurityProfile.BASIC, connected.key_salt
    )
    assert connected.key_salt == site.registry.records["cp1"].credential.salt
    assert connected.remote.startswith("127.0.0.1:")
    assert site.central.connected_ids() == {"CP1"}
    shown = site.central.connected[StationId("CP1")]
    assert (shown.version, shown.remote, shown.epoch, shown.takeovers) == (OcppVersion.V16, connected.remote, 1, 0)


async def test_wrong_password_is_401_with_a_challenge(site: Site) -> None:
    status, headers, _ = await refused(site, password=b"wrong")
    assert status == 401
    assert headers["WWW-Authenticate"].startswith("Basic ")
    assert site.recorder.opened == []


async def test_missing_credentials_are_401(site: Site) -> None:
    assert (await refused(site, password=None))[0] == 401


async def test_unknown_station_is_404_whatever_it_presents(site: Site) -> None:
    assert (await refused(site, identity="CP9"))[0] == 404
    assert (await refused(site, identity="CP9", password=None))[0] == 404
    assert (await refused(site, path="/"))[0] == 404


async def test_percent_encoded_identity_is_decoded_once_and_compared_with_the_user_name(site: Site) -> None:
    site.registry.add("RDAM|123")
    station = await dial(site.port, "RDAM|123", path="/any/prefix/RDAM%7C123/?query=1")
    assert (await station.call("Heartbeat", {}))[0] == 3


async def test_an_identity_may_be_as_long_as_the_inventorys(site: Site) -> None:
    identity = "x" * 255
    site.registry.add(identity)
    await dial(site.port, identity)
    assert [opened.station for opened in site.recorder.opened] == [identity]


async def test_registrys_spelling_names_the_station(site: Site) -> None:
    await dial(site.port, "cp1")
    assert [connected.station for connected in site.recorder.opened] == ["CP1"]


async def test_binary_key_is_taken_as_decoded_bytes_and_as_hex_text(site: Site) -> None:
    site.registry.add("CP2", key=b"00ff1122334455667788990011223344")
    await dial(site.port, "CP2", password=bytes.fromhex("00ff1122334455667788990011223344"))
    await dial(site.port, "CP2", password=b"00ff1122334455667788990011223344")
    assert len(site.recorder.opened) == 2


async def test_missing_subprotocol_takes_the_stations_default_or_is_refused(site: Site) -> None:
    site.registry.add("OLD", default_version=OcppVersion.V16)
    station = await dial(site.port, "OLD", offers=[])
    assert station.socket.subprotocol is None
    assert (await station.call("StatusNotification", STATUS_16))[0] == 3
    status, _, body = await refused(site, offers=[])
    assert status == 400
    assert body == "no subprotocol offered; this server speaks ocpp1.6, ocpp2.0.1, ocpp2.1\n"


async def test_no_common_subprotocol_is_400_with_a_reason(site: Site) -> None:
    status, _, body = await refused(site, offers=["ocpp0.1", "ocpp2.2"])
    assert status == 400
    assert body == "no common subprotocol; this server speaks ocpp1.6, ocpp2.0.1, ocpp2.1\n"


async def test_stations_order_decides_and_its_spelling_is_echoed(site: Site) -> None:
    station = await dial(site.port, offers=["OCPP2.0.1", "ocpp1.6"])
    assert station.socket.subprotocol == "OCPP2.0.1"
    assert (await station.call("StatusNotification", STATUS_201))[0] == 3
    assert site.recorder.opened[0].version is OcppVersion.V201


async def test_21_is_spoken_where_the_station_names_it_first(site: Site) -> None:
    station = await dial(site.port, offers=["Ocpp2.1", "ocpp2.0.1", "ocpp1.6"])
    assert station.socket.subprotocol == "Ocpp2.1"
    assert (await station.call("StatusNotification", STATUS_201))[0] == 3
    assert site.recorder.opened[0].version is OcppVersion.V21


async def test_web_page_is_403(site: Site) -> None:
    assert (await refused(site, origin="https://evil.example"))[0] == 403


async def test_missing_connection_header_is_forgiven(site: Site) -> None:
    head = await exchange(site.port, raw_request("Sec-WebSocket-Protocol: ocpp1.6"))
    assert head.startswith("HTTP/1.1 101 ")
    assert site.counter.counts["handshake_without_connection_header"] == 1


@pytest.mark.parametrize(
    "header",
    [
        pytest.param('Sec-WebSocket-Protocol: "ocpp1.6"', id="quoted"),
        pytest.param("Sec-WebSocket-Protocol: ocpp1.5;ocpp1.6", id="semicolons"),
        pytest.param("Sec-WebSocket-Protocol: ocpp1.5 ocpp1.6", id="spaces"),
    ],
)
async def test_careless_subprotocol_headers_are_read(site: Site, header: str) -> None:
    head = await exchange(site.port, raw_request("Connection: Upgrade", header))
    assert head.startswith("HTTP/1.1 101 ")
    assert "Sec-WebSocket-Protocol: ocpp1.6\r\n" in head


async def test_health_is_answered_on_the_same_port_and_other_pages_are_not(site: Site) -> None:
    assert (await exchange(site.port, "GET /livez HTTP/1.1\r\nHost: csms\r\n\r\n")).startswith("HTTP/1.1 200 ")
    assert (await exchange(site.port, "GET /CP1 HTTP/1.1\r\nHost: csms\r\n\r\n")).startswith("HTTP/1.1 426 ")


async def test_storage_that_is_down_is_503_at_the_lookup_and_at_the_opening(site: Site) -> None:
    site.registry.down = True
    status, headers, _ = await refused(site)
    assert (status, headers["Retry-After"]) == (503, "10")
    site.registry.down, site.recorder.down = False, True
    assert (await refused(site))[0] == 503
    site.recorder.down = False
    assert (await (await dial(site.port)).call("Heartbeat", {}))[0] == 3


async def test_handshake_that_fails_after_authentication_opens_nothing(site: Site) -> None:
    station = await dial(site.port)
    request = raw_request("Connection: Upgrade", "Sec-WebSocket-Protocol: ocpp1.6").replace(
        "Version: 13", "Version: 99"
    )
    assert (await exchange(site.port, request)).startswith("HTTP/1.1 400 ")
    assert len(site.recorder.opened) == 1
    assert (await station.call("StatusNotification", STATUS_16))[0] == 3


async def test_station_that_leaves_while_it_is_being_recorded_is_taken_back(site: Site) -> None:
    opening, release = asyncio.Event(), asyncio.Event()
    open_now = site.recorder.open

    async def open_late(connected: StationConnected) -> Any:
        opening.set()
        await release.wait()
        return await open_now(connected)

    site.recorder.open = open_late  # type: ignore[method-assign]
    async with asyncio.timeout(PATIENCE_S):
        _, writer = await asyncio.open_connection("127.0.0.1", site.port)
        writer.write(raw_request("Connection: Upgrade", "Sec-WebSocket-Protocol: ocpp1.6").encode())
        await opening.wait()
        writer.transport.abort()
        # The server has noticed once a later connection of the same loop was served.
        await exchange(site.port, "GET /livez HTTP/1.1\r\nHost: csms\r\n\r\n")
        release.set()
        await site.recorder.until(1, StationDisconnected)
    assert StationId("CP1") not in site.central.connected


async def test_handshake_that_ran_out_of_time_while_it_was_being_recorded_is_taken_back(site_of: SiteOf) -> None:
    site = await site_of(open_timeout=timedelta(milliseconds=50))
    site.registry.add("CP1")
    release = asyncio.Event()
    opened = site.recorder.open

    async def slow(connected: StationConnected) -> Epoch:
        await release.wait()
        return await opened(connected)

    site.recorder.open = slow  # type: ignore[method-assign]
    with pytest.raises((InvalidHandshake, OSError, EOFError)):
        await dial(site.port)
    release.set()
    (taken_back,) = await site.recorder.until(1, StationDisconnected)
    assert taken_back == StationDisconnected(StationId("CP1"), Epoch(1))
    assert StationId("CP1") not in site.central.connected


async def test_the_time_in_line_is_not_counted_as_the_handshakes_own(site_of: SiteOf) -> None:
    site = await site_of(handshakes_at_once=1, open_timeout=timedelta(milliseconds=400))
    names = [f"CP{number}" for number in range(16)]
    for name in names:
        site.registry.add(name)
    opened = site.recorder.open

    async def slow(connected: StationConnected) -> Epoch:
        await asyncio.sleep(0.04)
        return await opened(connected)

    site.recorder.open = slow  # type: ignore[method-assign]
    async with asyncio.timeout(PATIENCE_S):
        await asyncio.gather(*(dial(site.port, name) for name in names))
    assert set(site.central.connected) == set(names)


async def test_whoever_hangs_up_in_line_is_not_let_in(site_of: SiteOf) -> None:
    site = await site_of(handshakes_at_once=1)
    for name in ("CP1", "CP2"):
        site.registry.add(name)
    entered, release, find, found = asyncio.Event(), asyncio.Event(), site.registry.find, []

    async def slow(identity: str) -> StationRecord | None:
        found.append(identity)
        entered.set()
        await release.wait()
        return await find(identity)

    site.registry.find = slow  # type: ignore[method-assign]
    first = asyncio.create_task(dial(site.port, "CP2"))
    await entered.wait()
    _, writer = await asyncio.open_connection("127.0.0.1", site.port)
    writer.write(raw_request("Connection: Upgrade", "Sec-WebSocket-Protocol: ocpp1.6").encode())
    await exchange(site.port, "GET /livez HTTP/1.1\r\nHost: csms\r\n\r\n")
    writer.transport.abort()
    await exchange(site.port, "GET /livez HTTP/1.1\r\nHost: csms\r\n\r\n")
    release.set()
    await first
    await dial(site.port, "CP1")
    assert found == ["CP2", "CP1"]


async def test_whoever_waits_in_line_too_long_is_told_when_to_come_again(site_of: SiteOf) -> None:
    site = await site_of(handshakes_at_once=1, line_patience=timedelta(milliseconds=20))
    site.registry.add("CP1")
    entered, release, find = asyncio.Event(), asyncio.Event(), site.registry.find

    async def slow(identity: str) -> StationRecord | None:
        entered.set()
        await release.wait()
        return await find(identity)

    site.registry.find = slow  # type: ignore[method-assign]
    first = asyncio.create_task(dial(site.port))
    await entered.wait()
    status, headers, _ = await refused(site)
    assert (status, headers["Retry-After"]) == (503, "30")
    release.set()
    await first


async def test_two_hundred_stations_can_knock_while_the_event_loop_is_busy(site: Site) -> None:
    """What finds no place in the kernel's queue is dropped, and comes back after 1, 2, 4 … seconds."""
    with ExitStack() as knocking:
        for _ in range(200):  # the event loop accepts none of them before this is over
            knocking.enter_context(socket.create_connection(("127.0.0.1", site.port), timeout=PATIENCE_S / 10))
    await dial(site.port)


@pytest.mark.row("T54", "T82")
async def test_guessing_is_slowed_down_for_one_address_and_identity_only(site_of: SiteOf) -> None:
    site = await site_of(failures_allowed=3, failures_window=timedelta(seconds=60))
    site.registry.add("CP1")
    site.registry.add("CP2")
    station = await dial(site.port)
    statuses = [(await refused(site, password=b"guess"))[0] for _ in range(4)]
    assert statuses == [401, 401, 401, 429]
    status, headers, _ = await refused(site)
    assert status == 429
    assert 0 < int(headers["Retry-After"]) <= 61
    await dial(site.port, "CP2")
    assert (await station.call("Heartbeat", {}))[0] == 3


@pytest.mark.row("T82")
async def test_guesses_that_are_made_at_once_are_slowed_down_like_those_one_after_another(site_of: SiteOf) -> None:
    """A short key takes a while to check: without counting what is under way, all of them would be tried."""
    site = await site_of(failures_allowed=3)
    site.registry.add("CP1", key=b"hush")
    guesses = [b"guess", b"guest", b"ghost", *[b"hush"] * 27]
    refusals = await asyncio.gather(*(refused(site, password=guess) for guess in guesses))
    assert sorted(status for status, _, _ in refusals) == [401] * 3 + [429] * 27


async def test_success_forgets_earlier_failures(site_of: SiteOf) -> None:
    site = await site_of(failures_allowed=3)
    site.registry.add("CP1")
    for _ in range(2):
        assert [(await refused(site, password=b"guess"))[0] for _ in range(2)] == [401, 401]
        await dial(site.port)


async def test_compression_is_for_201_only(site: Site) -> None:
    old = await dial(site.port, offers=["ocpp1.6"], compression="deflate")
    assert "Sec-WebSocket-Extensions" not in old.socket.response.headers  # type: ignore[union-attr]
    new = await dial(site.port, offers=["ocpp2.0.1"], compression="deflate")
    agreed = new.socket.response.headers["Sec-WebSocket-Extensions"]  # type: ignore[union-attr]
    assert "server_max_window_bits=9" in agreed
    assert (await new.call("StatusNotification", STATUS_201))[0] == 3


WHOLE = ("Connection: Upgrade", "Sec-WebSocket-Protocol: ocpp1.6")


@pytest.mark.parametrize(
    "behind", [b"\xff\xff\xff", b"GET / HTTP/1.1\r\n\r\n", b"\x81\x02[]"], ids=["junk", "http", "unmasked"]
)
@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (raw_request(*WHOLE), b"101"),
        (raw_request(path="/CP2"), b"404"),
        ("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n", b"200"),
    ],
)
async def test_what_comes_behind_a_request_does_not_cost_its_answer(
    site: Site, request_: str, status: bytes, behind: bytes
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
    writer.write(request_.encode() + behind)
    async with asyncio.timeout(PATIENCE_S):
        answer = await reader.read()
    writer.close()
    assert answer.startswith(b"HTTP/1.1 " + status)
    if status == b"101":
        assert answer.partition(b"\r\n\r\n")[2][2:4] == b"\x03\xea"  # closed with 1002


async def test_a_frame_that_does_not_wait_for_the_handshake_is_answered(site: Site) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
    call = b'[2,"1","Heartbeat",{}]'
    frame = bytes([0x81, 0x80 | len(call), 0, 0, 0, 0]) + call
    whole = raw_request(*WHOLE).encode() + frame
    for at in range(0, len(whole), 50):
        writer.write(whole[at : at + 50])
        await asyncio.sleep(0)
    async with asyncio.timeout(PATIENCE_S):
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")
        assert b'[3,"1",' in await reader.readuntil(b"}]")
    writer.close()


async def test_port_in_use_is_an_os_error(site: Site) -> None:
    replies = LocalReplies(lambda: datetime.now(UTC), ReplyOptions())
    options = ServerOptions(port=site.port)
    second = CentralSystem(options, site.registry, site.recorder, replies, site.counter, b"")
    with pytest.raises(OSError, match="address already in use"):
        await second.start()
