"""A station that says too much is read more slowly, and cut off only where it never stops; nobody else waits for it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.protocol import State

from csms.events import StationDisconnected, StatusReported
from tests.integration.csms.conftest import Site
from tests.integration.csms.fakes import KEY, PATIENCE_S, STATUS_16, Station, basic, dial

SiteOf = Callable[..., Awaitable[Site]]
PING = b"\x89\x80\0\0\0\0"


async def site_with_two(site_of: SiteOf, **options: object) -> tuple[Site, Station, Station]:
    site = await site_of(**options)
    site.registry.add("LOUD")
    site.registry.add("CALM")
    return site, await dial(site.port, "LOUD"), await dial(site.port, "CALM")


async def send_on(station: Station) -> None:
    """Call on and on, and never wait for an answer."""
    number = 0
    with suppress(ConnectionClosed):
        while station.socket.state is State.OPEN:
            number += 1
            await station.send([2, f"f{number}", "Heartbeat", {}])
            await asyncio.sleep(0)  # the server runs on the same loop


async def read_on(station: Station) -> None:
    with suppress(ConnectionClosed):
        while True:
            await station.socket.recv()


@pytest.mark.row("T69")
async def test_offline_queue_is_slowed_and_nothing_of_it_is_lost(site_of: SiteOf) -> None:
    site, loud, _ = await site_with_two(site_of, messages_per_second=200, message_burst=50)
    began = time.monotonic()
    for number in range(150):
        await loud.send([2, f"q{number}", "StatusNotification", {**STATUS_16, "connectorId": number % 60}])
    answers = [(await loud.receive())[:2] for _ in range(150)]
    assert answers == [[3, f"q{number}"] for number in range(150)]
    assert time.monotonic() - began >= (150 - 50 - 1) / 200
    assert len(site.recorder.of(StatusReported)) == 150
    assert 1 <= site.counter.counts["message_slowed"] <= 100  # a busy machine sends slower by itself
    assert site.counter.counts["message_flood"] == 0


async def test_station_that_waits_for_each_answer_is_never_cut(site_of: SiteOf) -> None:
    site, loud, _ = await site_with_two(
        site_of, messages_per_second=20, message_burst=1, flood_patience=timedelta(milliseconds=50)
    )
    for _ in range(12):
        assert (await loud.call("Heartbeat", {}))[0] == 3
    assert site.counter.counts["message_slowed"] >= 3
    assert site.counter.counts["message_flood"] == 0


@pytest.mark.row("T69", "T79")
async def test_flood_that_never_stops_ends_with_1008(site_of: SiteOf) -> None:
    site, loud, calm = await site_with_two(
        site_of, messages_per_second=200, message_burst=10, flood_patience=timedelta(milliseconds=100)
    )
    async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as group:
        group.create_task(send_on(loud))
        group.create_task(read_on(loud))
    assert await loud.closed() == 1008
    assert site.counter.counts["message_flood"] == 1
    assert (await calm.call("Heartbeat", {}))[0] == 3
    await site.recorder.until(1, StationDisconnected)


@pytest.mark.row("T69")
async def test_flood_leaves_the_others_their_answers(site_of: SiteOf) -> None:
    """The loud one has sent thousands when the calm one has had its hundred answers: it waits, not they."""
    site, loud, calm = await site_with_two(site_of)
    flood = [asyncio.create_task(send_on(loud)), asyncio.create_task(read_on(loud))]
    await asyncio.sleep(0)
    slowest = 0.0
    for _ in range(100):
        began = time.monotonic()
        assert (await calm.call("StatusNotification", STATUS_16))[0] == 3
        slowest = max(slowest, time.monotonic() - began)
    assert slowest < 1.0
    assert site.recorder.heard_of[loud_id(site)] < 2_000
    for task in flood:
        task.cancel()
    await asyncio.wait(flood)


def loud_id(site: Site) -> object:
    return site.registry.records["loud"].station


async def test_station_that_sends_in_fragments_is_not_taken_for_a_crowd(site_of: SiteOf) -> None:
    site, loud, _ = await site_with_two(
        site_of, messages_per_second=20, message_burst=1, flood_patience=timedelta(milliseconds=50)
    )
    for number in range(12):
        await loud.socket.send(['[2,"', f"f{number}", '","Heart', "beat", '",', "{}", "]"])
        assert (await loud.receive())[:2] == [3, f"f{number}"]
    assert site.counter.counts["message_slowed"] >= 3
    assert site.counter.counts["message_flood"] == 0


async def test_limit_of_nought_is_none(site_of: SiteOf) -> None:
    site, loud, _ = await site_with_two(site_of, messages_per_second=0, message_burst=1)
    for _ in range(600):
        await loud.begin("Heartbeat", {})
    for _ in range(600):
        await loud.receive()
    assert site.counter.counts["message_slowed"] == 0


@pytest.mark.row("T79")
async def test_ping_flood_ends_with_1008(site_of: SiteOf) -> None:
    """B7: 500 may come at once; what would take more than the patience to wait off is no keepalive."""
    site, loud, calm = await site_with_two(
        site_of, messages_per_second=50, message_burst=500, flood_patience=timedelta(seconds=60)
    )
    loud.socket.transport.write(PING * 10_000)
    assert await loud.closed() == 1008
    assert site.counter.counts["control_flood"] == 1
    assert (await calm.call("Heartbeat", {}))[0] == 3


async def test_too_many_pings_are_read_more_slowly(site_of: SiteOf) -> None:
    site, loud, _ = await site_with_two(site_of, messages_per_second=200, message_burst=10)
    began = time.monotonic()
    loud.socket.transport.write(PING * 60)
    await asyncio.sleep(0.02)  # so that the call is not read together with the pings
    assert (await loud.call("Heartbeat", {}))[0] == 3
    assert time.monotonic() - began < PATIENCE_S
    assert site.counter.counts["control_slowed"] > 0
    assert site.counter.counts["control_flood"] == 0


async def test_pause_for_pings_never_outlasts_the_connection(site_of: SiteOf) -> None:
    site, loud, _ = await site_with_two(site_of, messages_per_second=1, message_burst=1)
    loud.socket.transport.write(PING * 30)
    await asyncio.sleep(0.02)
    loud.socket.transport.abort()
    async with asyncio.timeout(PATIENCE_S):
        await site.central.stop()
    assert site.central.connected == {}


async def test_station_that_never_hangs_up_after_a_bad_frame_is_cut(site_of: SiteOf) -> None:
    """RFC 6455 §7.1.7: we close; a peer that keeps its TCP connection must not keep our session."""
    site = await site_of(close_timeout=timedelta(milliseconds=100))
    site.registry.add("CP1")
    request = (
        "GET /CP1 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Protocol: ocpp1.6\r\nAuthorization: {basic('CP1', KEY)}\r\n\r\n"
    )
    reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
    writer.write(request.encode())
    async with asyncio.timeout(PATIENCE_S):
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")
        writer.write(b"\x81\x02[]")  # unmasked
        assert (await reader.read())[2:4] == b"\x03\xea"  # 1002
        await site.recorder.until(1, StationDisconnected)
    assert site.central.connected == {}
    writer.close()
