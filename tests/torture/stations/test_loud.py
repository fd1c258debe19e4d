"""A station that talks without end or never listens costs the others nothing, and the bridge a bounded amount."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress

import psutil
import pytest
from websockets.exceptions import ConnectionClosed

from tests.acceptance.conftest import MakeSite
from tests.acceptance.harness import Site
from tests.acceptance.scripted import ScriptedStation
from tests.catalogue.recording import Tally
from tests.torture.stations.sites import counted, start_small, until_held

LOUD = "LOUD1"
CALM = [f"CALM{number}" for number in range(10)]
ANSWERS_EACH = 40
MOST_GROWN = 64 * 1024 * 1024
"""Bytes that the bridge may hold more for all of it. Source: I4."""
CALLS = 40


def memory(site: Site) -> int:
    return int(psutil.Process(site.bridge.pid).memory_info().rss)


async def shout(station: ScriptedStation) -> int:
    """Send requests without waiting for answers until cut off or cancelled; return how many the network took."""
    sent = 0
    with suppress(asyncio.CancelledError, ConnectionClosed):
        while True:
            await station.send_text(json.dumps([2, f"loud-{sent}", "DataTransfer", {"vendorId": "x" * 200}]))
            sent += 1
            if sent % 50 == 0:
                await asyncio.sleep(0)
    return sent


async def talk(station: ScriptedStation) -> int:
    """Report and have answered, one after another; return how many answers came."""
    for number in range(ANSWERS_EACH):
        await station.report("Faulted" if number % 2 else "Charging")
    return ANSWERS_EACH


@pytest.mark.row("T68", "T69")
async def test_one_station_that_floods_and_reads_nothing_leaves_all_the_others_their_answers(
    make_site: MakeSite, tally: Tally
) -> None:
    site = await start_small(make_site, LOUD, *CALM)
    async with ScriptedStation(site.ocpp_url, LOUD) as loud:
        await loud.boot()
        before = memory(site)
        loud.stop_reading()
        shouting = asyncio.create_task(shout(loud), name="shout")
        calm = [ScriptedStation(site.ocpp_url, name) for name in CALM]
        answered = await asyncio.gather(*(connected_talk(station) for station in calm))
        shouting.cancel()
        sent = await shouting
        assert answered == [ANSWERS_EACH] * len(CALM)
        assert sent > 1_000, "it was loud"
        assert await counted(site, "message_slowed") > 0
        assert memory(site) - before < MOST_GROWN
        loud.vanish()
    for name in CALM:
        await until_held(site, name, "OutOfService")
    async with ScriptedStation(site.ocpp_url, LOUD) as loud:
        await loud.report("Charging")
        await until_held(site, LOUD, "Occupied")
    tally.count(faults=1, statuses_answered=len(CALM) * ANSWERS_EACH + 1)


async def connected_talk(station: ScriptedStation) -> int:
    async with station:
        await station.boot()
        return await talk(station)


@pytest.mark.row("T68")
async def test_a_station_that_answers_no_call_has_one_outstanding_and_the_rest_are_refused(
    make_site: MakeSite, tally: Tally
) -> None:
    settings = {"OCPP__SETTLE": "10 min", "OCPP__SETTLE_AFTER_BOOT": "10 min"}
    site = await start_small(make_site, LOUD, **settings)
    order = {"action": "GetConfiguration", "payload": {}, "timeout_s": 1}
    async with ScriptedStation(site.ocpp_url, LOUD, answers={"GetConfiguration": None}) as deaf:
        await deaf.boot()
        calls = (site.order(f"stations/{LOUD}/calls", order) for _ in range(CALLS))
        ends = await asyncio.gather(*calls, return_exceptions=True)
        outcomes = [end["outcome"] for end in ends if not isinstance(end, BaseException)]
        refusals = [str(end) for end in ends if isinstance(end, AssertionError)]
        assert set(outcomes) == {"timed_out"}
        assert len(outcomes) == deaf.received.qsize() <= 2, "one outstanding: each waits a second"
        assert len(refusals) == CALLS - len(outcomes)
        assert all("nothing was sent" in refusal for refusal in refusals)
        await deaf.report("Charging")
        await until_held(site, LOUD, "Occupied")
    tally.count(faults=1)
