"""Connections that carry nothing any more and tell nobody: noticed by silence, replaced at once, and never missed."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from tests.acceptance.conftest import MakeSite
from tests.acceptance.harness import Site
from tests.acceptance.processes import until
from tests.acceptance.scripted import ScriptedStation
from tests.acceptance.stored import rows
from tests.catalogue.recording import Tally
from tests.torture.stations.network import Network
from tests.torture.stations.sites import WITHIN_S, counted, shown, start_small, until_held, words_sent

STATION, NEIGHBOUR = "HALF1", "HALF2"
QUICK_LOSS = {"STATUS__OFFLINE_AFTER": "6 s", "STATUS__RESTART_GRACE": "0 s", "OCPP__PING_INTERVAL": "1 s"}
"""A station that is there answers a ping in time; one that is not is asked after six seconds, and lost two later."""


def network_to(site: Site) -> Network:
    port = urlsplit(site.ocpp_url).port
    assert port is not None
    return Network(port)


async def old_one_ended(site: Site) -> None:
    """Wait until the bridge has seen the end of a replaced connection."""

    def ended() -> bool:
        lines = site.bridge.log.read_text(encoding="utf-8").splitlines()
        return any('"station_disconnected"' in line and f'"{STATION}"' in line for line in lines)

    await until(ended, WITHIN_S, "the end of the old connection was seen")


@pytest.mark.row("T52")
async def test_a_station_that_a_nat_forgot_is_unknown_in_time_and_right_at_once_when_it_is_back(
    make_site: MakeSite, tally: Tally
) -> None:
    site = await start_small(make_site, STATION, NEIGHBOUR, **QUICK_LOSS)
    async with network_to(site) as network, ScriptedStation(site.ocpp_url, NEIGHBOUR) as neighbour:
        await neighbour.boot()
        await neighbour.report("Charging")
        async with ScriptedStation(network.url, STATION) as station:
            await station.boot()
            await station.report("Charging")
            await until_held(site, STATION, "Occupied")
            assert await network.lose() == 1
            await until_held(site, STATION, "Unknown")
            lost = await shown(site, STATION)
            assert (lost["connected"], lost["unreachable_since"] is not None) == (True, True)
            station.vanish()
        async with ScriptedStation(network.url, STATION) as again:
            await again.report("Charging")
            await until_held(site, STATION, "Occupied")
            back = await shown(site, STATION)
            assert (back["connected"], back["unreachable_since"]) == (True, None)
        assert await words_sent(site, STATION) == ["Unknown", "Occupied", "Unknown", "Occupied"]
        assert await words_sent(site, NEIGHBOUR) == ["Unknown", "Occupied"], "it answers pings, and says nothing else"
    tally.count(faults=1)


@pytest.mark.row("T53")
async def test_a_new_connection_counts_at_once_and_the_late_end_of_the_old_one_changes_nothing(
    make_site: MakeSite, tally: Tally
) -> None:
    site = await start_small(make_site, STATION)
    async with network_to(site) as network:
        async with ScriptedStation(network.url, STATION) as old:
            await old.boot()
            await old.report("Charging")
            await until_held(site, STATION, "Occupied")
            assert await network.lose() == 1
            old.vanish()
        async with ScriptedStation(network.url, STATION) as new:
            await new.report("Faulted")
            await until_held(site, STATION, "OutOfService")
            await network.hang_up()
            await old_one_ended(site)
            assert (await shown(site, STATION))["connected"]
            assert rows(site.database_url, "SELECT closed_at FROM connection") == [(None,)]
            await new.report("Charging")
            await until_held(site, STATION, "Occupied")
            assert await counted(site, "connection_taken_over") == 1
    assert await words_sent(site, STATION) == ["Unknown", "Occupied", "OutOfService", "Occupied"]
    tally.count(faults=1)
