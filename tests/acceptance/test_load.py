"""`ocpp-sim load` against the bridge, with the inventory that it imported: what is answered reaches the hubs."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import MakeSite
from tests.acceptance.harness import BIN, Site
from tests.acceptance.processes import until

COLUMNS = "station,version,key,evse,connector,evse_id,operator,chargeprice_station,chargeprice_point"
KEY = "load-station-key-{}"
STATIONS = 6


def inventory(version: str) -> str:
    evse = "" if version == "1.6" else "1"
    rows = [f"LOAD-{n},{version},{KEY.format(n)},{evse},1,DE*ABC*E{n},demo,site-{n},point-{n}" for n in range(STATIONS)]
    return "\n".join([COLUMNS, *rows]) + "\n"


async def load(site: Site, stations: Path, *arguments: str) -> tuple[int | None, dict[str, Any]]:
    process = await asyncio.create_subprocess_exec(
        *(str(BIN / "ocpp-sim"), "load", site.ocpp_url, "--credentials", str(stations), "--json", "-", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=sys.stderr,
    )
    async with asyncio.timeout(60):
        output, _ = await process.communicate()
    return process.returncode, json.loads(output)


@pytest.mark.parametrize("version", ["1.6", "2.1"])
async def test_every_status_of_a_load_is_answered_and_the_last_ones_reach_both_hubs(
    make_site: MakeSite, tmp_path: Path, version: str
) -> None:
    stations = tmp_path / "stations.csv"
    stations.write_text(inventory(version))
    site = make_site()
    await site.start_hubs()
    await site.start_bridge()
    await site.import_inventory(inventory(version))

    code, report = await load(site, stations, "--ocpp", version, "--boot", "--rate", "60", "--seconds", "2")
    assert (code, report["boots"]) == (0, {"Accepted": STATIONS})
    assert report["statuses"] >= 120
    # the twentieth status of each is Unavailable

    async def told() -> bool:
        held = [await hub.state() for hub in site.hubs.values()]
        return held == [
            {f"DE*ABC*E{n}": "OutOfService" for n in range(STATIONS)},
            {f"site-{n}/point-{n}": "maintainance" for n in range(STATIONS)},
        ]

    await until(told, 20, "the last status of every station at both hubs")
    await site.assert_rules_kept()


async def test_stations_of_a_storm_are_all_answered_again(make_site: MakeSite, tmp_path: Path) -> None:
    stations = tmp_path / "stations.csv"
    stations.write_text(inventory("1.6"))
    site = make_site()
    await site.start_hubs()
    await site.start_bridge()
    await site.import_inventory(inventory("1.6"))

    code, report = await load(site, stations, "--boot", "--profile", "storm", "--seconds", "30")
    assert (code, report["boots"]) == (0, {"Accepted": 2 * STATIONS})
    assert (report["answered_again"], report["reconnects"]) == (STATIONS, STATIONS)


async def test_wrong_keys_are_told_with_the_stations_that_were_refused(make_site: MakeSite, tmp_path: Path) -> None:
    stations = tmp_path / "stations.csv"
    stations.write_text(inventory("1.6").replace(KEY.format(2), "a-wrong-station-key"))
    site = make_site()
    await site.start_hubs()
    await site.start_bridge()
    await site.import_inventory(inventory("1.6"))

    code, report = await load(site, stations, "--boot", "--rate", "10", "--seconds", "1")
    assert (code, report["connected"]) == (3, STATIONS - 1)
    assert (report["refused"], report["refused_stations"]) == ({"HTTP 401": 1}, {"HTTP 401": ["LOAD-2"]})
