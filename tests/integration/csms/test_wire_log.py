"""What the wire log is told: every frame, both ways, whatever it is, between the two ends of its connection."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable

from csms.events import ConnectorAddress, Epoch, OcppVersion
from tests.integration.csms.conftest import Site
from tests.integration.csms.fakes import STATUS_16, dial

SiteOf = Callable[..., Awaitable[Site]]
STATUS = json.dumps([2, "m1", "StatusNotification", STATUS_16])


async def test_every_frame_is_told_between_opened_and_closed(site: Site) -> None:
    station = await dial(site.port)
    await station.call("StatusNotification", STATUS_16)
    await station.socket.close(1000, "going home")
    await site.central.stop()
    assert site.wire_log.told == [
        ("opened", "CP1", Epoch(1), OcppVersion.V16),
        ("from_station", "CP1", Epoch(1), STATUS),
        ("to_station", "CP1", Epoch(1), '[3,"m1",{}]'),
        ("closed", "CP1", Epoch(1), 1000, "going home"),
    ]


async def test_what_is_no_frame_is_told_as_it_came_with_its_answer(site: Site) -> None:
    station = await dial(site.port)
    await station.send(b'[2,"m1","Heartbeat",\xff]')
    await station.receive()
    assert site.wire_log.told[1:] == [
        ("from_station", "CP1", Epoch(1), '[2,"m1","Heartbeat",\\xff]'),
        ("to_station", "CP1", Epoch(1), '[4,"m1","FormationViolation","The frame is not UTF-8",{}]'),
    ]


async def test_a_binary_frame_is_told_before_it_closes_a_strict_session(site_of: SiteOf) -> None:
    site = await site_of(strict=True)
    site.registry.add("CP1")
    station = await dial(site.port)
    await station.send(b"[2]")
    assert await station.closed() == 1003
    await site.central.stop()
    assert [told[0] for told in site.wire_log.told] == ["opened", "from_station", "closed"]


async def test_what_no_websocket_may_send_is_told_and_counted_with_the_code_that_ended_it(site_of: SiteOf) -> None:
    site = await site_of(max_size=1000)
    site.registry.add("CP1")
    station = await dial(site.port)
    await station.send("x" * 1001)
    assert await station.closed() == 1009
    await site.central.stop()
    assert site.wire_log.told[-1][:4] == ("closed", "CP1", Epoch(1), 1009)
    assert site.counter.counts["frame_illegal_1009"] == 1


async def test_our_own_calls_are_told(site: Site) -> None:
    station = await dial(site.port)
    await station.call("Heartbeat", {})
    await site.central.ask(site.registry.add("CP1", connectors=(ConnectorAddress(1, 1),)))
    frame = await station.receive()
    assert frame[2] == "TriggerMessage"
    assert [json.loads(str(told[3])) for told in site.wire_log.told if told[0] == "to_station"][1:] == [frame]


async def test_pings_are_no_frames_of_ocpp(site: Site) -> None:
    station = await dial(site.port)
    await (await station.socket.ping())
    assert [told[0] for told in site.wire_log.told] == ["opened"]


async def test_a_connection_that_is_replaced_is_told_as_closed(site: Site) -> None:
    first = await dial(site.port)
    await first.call("Heartbeat", {})
    await dial(site.port)
    await first.closed()
    await site.central.stop()
    closed = [told for told in site.wire_log.told if told[0] == "closed"]
    assert closed[0] == ("closed", "CP1", Epoch(1), 1008, "replaced by a newer connection of this station")
    assert len(closed) == 2
