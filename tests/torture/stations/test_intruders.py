"""Whoever cannot prove to be a station changes nothing, however often he comes, and keeps no station out."""

from __future__ import annotations

import asyncio
from collections import Counter
from urllib.parse import urlsplit

import pytest

from tests.acceptance.conftest import MakeSite
from tests.acceptance.harness import Site
from tests.acceptance.scripted import KEY, ScriptedStation
from tests.catalogue.recording import Tally
from tests.torture.stations.intruders import enough_files, hang, is_cut, knock, some_at_a_time
from tests.torture.stations.sites import counted, shown, start_small, until_held, words_sent

STATION = "TARGET1"
ALLOWED = 10
"""Failed logins of one address and identity before it is told 429."""


def port_of(site: Site) -> int:
    port = urlsplit(site.ocpp_url).port
    assert port is not None
    return port


@pytest.mark.row("T54")
async def test_hundreds_of_attempts_without_the_key_leave_the_live_session_and_its_statuses_alone(
    make_site: MakeSite, tally: Tally
) -> None:
    site = await start_small(make_site, STATION)
    port = port_of(site)
    kinds = [None, "wrong-key-of-16-b", KEY.upper(), ""]
    attempts = [(kinds[n % len(kinds)], f"127.0.0.{2 + n % 10}") for n in range(400)]
    async with ScriptedStation(site.ocpp_url, STATION) as station:
        await station.boot()
        await station.report("Charging")
        await until_held(site, STATION, "Occupied")
        before = (await shown(site, STATION))["connection"]
        attack = asyncio.create_task(some_at_a_time(knock(port, STATION, *one) for one in attempts))
        answered = 0
        while not attack.done():
            await station.call("Heartbeat", {})
            answered += 1
        statuses = Counter(await attack)
        assert set(statuses) == {401, 429}
        assert statuses[401] <= 10 * ALLOWED
        assert answered >= 3, "the live session was served while it lasted"
        assert (await shown(site, STATION))["connection"] == before
        await station.report("Faulted")
        await until_held(site, STATION, "OutOfService")
    assert await counted(site, "connection_taken_over") == 0
    async with ScriptedStation(site.ocpp_url, STATION) as again:
        assert (await again.boot())["status"] == "Accepted", "nobody was locked out"
    assert await words_sent(site, STATION) == ["Unknown", "Occupied", "OutOfService"]
    tally.count(hostile=len(attempts))


@pytest.mark.row("T82")
@pytest.mark.parametrize("guesses", [1_000, pytest.param(10_000, marks=[pytest.mark.long, pytest.mark.timeout(600)])])
async def test_of_thousands_of_passwords_ten_are_tried_and_the_station_gets_in_meanwhile(
    make_site: MakeSite, tally: Tally, guesses: int
) -> None:
    """The right one is among those that come too late, so that trying one of them would let the intruder in."""
    site = await start_small(make_site, STATION)
    port, began = port_of(site), asyncio.get_running_loop().time()
    at_once = (knock(port, STATION, f"guess-number-{n:05}", "127.0.0.2") for n in range(10 * ALLOWED))
    first = Counter(await asyncio.gather(*at_once))
    late = [await knock(port, STATION, KEY, "127.0.0.2") for _ in range(5)]
    rest = asyncio.create_task(
        some_at_a_time(knock(port, STATION, f"guess-number-{n:05}", "127.0.0.2") for n in range(10 * ALLOWED, guesses))
    )
    async with ScriptedStation(site.ocpp_url, STATION) as station:
        assert (await station.boot())["status"] == "Accepted"
        statuses = Counter(await rest)
        await station.report("Charging")
        await until_held(site, STATION, "Occupied")
    assert first == {401: ALLOWED, 429: 9 * ALLOWED}
    assert late == [429] * 5
    windows = 1 + int((asyncio.get_running_loop().time() - began) // 60)
    assert set(statuses) <= {401, 429}
    assert statuses[401] <= ALLOWED * (windows - 1)
    assert await counted(site, "connection_taken_over") == 0
    tally.count(hostile=guesses)


@pytest.mark.row("T81")
@pytest.mark.timeout(180)
async def test_a_thousand_handshakes_that_never_end_keep_no_station_out_and_are_cut(
    make_site: MakeSite, tally: Tally
) -> None:
    enough_files(4_096)
    stations = [f"GENUINE{n}" for n in range(200)]
    site = await start_small(make_site, *stations)
    port = port_of(site)
    hanging = await some_at_a_time(hang(port, f"127.0.0.{2 + n % 5}") for n in range(1_000))
    crowd = await some_at_a_time(hang(port, "127.0.0.9") for _ in range(300))
    ends = asyncio.gather(*(is_cut(reader) for reader, _ in hanging))
    async with asyncio.timeout(60):
        assert await asyncio.gather(*(comes_in(site, name) for name in stations)) == ["Accepted"] * 200
    assert 1 <= await counted(site, "connection_turned_away") <= 300 - 256, "of one address, beyond its share"
    assert all(await ends)
    for _, writer in (*hanging, *crowd):
        writer.close()
    tally.count(hostile=1_300)


async def comes_in(site: Site, name: str) -> str:
    async with ScriptedStation(site.ocpp_url, name) as station:
        return str((await station.boot())["status"])
