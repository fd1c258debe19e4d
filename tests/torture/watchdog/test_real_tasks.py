"""A task of the real bridge dies or hangs: it is started anew, counted and shown, others go on, and hubs agree after.

Never lets a timing decide: whatever is waited for is seen, or the test fails after a generous time.
"""

from __future__ import annotations

import json
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.acceptance.conftest import MakeSite
from tests.acceptance.harness import FleetPlan, Site
from tests.acceptance.processes import until
from tests.catalogue.recording import Tally

PLAN = FleetPlan(stations=8, seed=10)
SEEN_S = 40.0


@dataclass(frozen=True, slots=True)
class Surface:
    """What the bridge shows of itself, as a probe and Prometheus see it."""

    http: aiohttp.ClientSession
    url: str

    async def get(self, path: str) -> tuple[int, str]:
        async with self.http.get(f"{self.url}{path}") as response:
            return response.status, await response.text()

    async def component(self, name: str) -> dict[str, Any]:
        return dict(json.loads((await self.get("/healthz"))[1])["components"][name])

    async def metric(self, name: str, task: str) -> float:
        for family in text_string_to_metric_families((await self.get("/metrics"))[1]):
            for sample in family.samples:
                if sample.name == name and sample.labels.get("task") == task:
                    return sample.value
        raise AssertionError(f"no {name} of {task}")


@asynccontextmanager
async def surface_of(site: Site) -> AsyncIterator[Surface]:
    ports = json.loads((site.state_dir / "ports.json").read_text(encoding="utf-8"))
    token = (site.state_dir / "admin-token").read_text(encoding="utf-8").strip()
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as http:
        yield Surface(http, f"http://127.0.0.1:{ports['web']}")


def faulty_site(make_site: MakeSite, fault: str, tmp_path: Path) -> tuple[Site, Path]:
    site, switch = make_site(), tmp_path / "fault"
    site.bridge_command = [sys.executable, str(Path(__file__).with_name("faulty.py")), fault, str(switch)]
    return site, switch


@pytest.mark.row("T10")
@pytest.mark.parametrize("how", ["dies", "hangs"])
async def test_lane_is_started_anew_while_others_go_on_and_its_hub_agrees_after(
    make_site: MakeSite, tmp_path: Path, how: str, tally: Tally
) -> None:
    site, switch = faulty_site(make_site, f"lane {how}", tmp_path)
    await site.start(PLAN)
    async with surface_of(site) as surface:
        assert (await surface.component("task lane hubject"))["status"] == "ok"
        switch.touch()

        async def anew() -> bool:
            return await surface.metric("ocpp_bridge_task_restarts_total", "lane hubject") >= 1

        await until(anew, SEEN_S, "the lane started anew", every=0.1)
        shown = await surface.component("task lane hubject")
        assert shown["status"] == "degraded"
        assert ("KeyError" if how == "dies" else "did nothing") in shown["why"]
        assert (await surface.get("/readyz"))[0] == 200
        assert "task lane hubject" in (await site.run("status"))[1]
        await site.fleet.rest()
        await site.assert_hub_agrees("chargeprice")
        switch.unlink()
        await site.assert_hubs_agree()

        async def well() -> bool:
            return (await surface.component("task lane hubject"))["status"] == "ok"

        await until(well, SEEN_S, "the lane well again", every=0.1)
        stalls = await surface.metric("ocpp_bridge_task_stalls_total", "lane hubject")
        assert (stalls > 0) == (how == "hangs")
        tally.count(faults=int(await surface.metric("ocpp_bridge_task_restarts_total", "lane hubject")))
    assert await site.stop_bridge() == 0


@pytest.mark.row("T10")
@pytest.mark.parametrize("how", ["dies", "hangs"])
async def test_without_its_ticker_the_bridge_is_not_ready_until_it_runs_again(
    make_site: MakeSite, tmp_path: Path, how: str, tally: Tally
) -> None:
    site, switch = faulty_site(make_site, f"ticker {how}", tmp_path)
    await site.start(PLAN)
    async with surface_of(site) as surface:
        switch.touch()

        async def red() -> bool:
            status, text = await surface.get("/readyz")
            return status == 503 and "ticker" in text

        await until(red, SEEN_S, "readiness red", every=0.02)
        before = (await site.fleet.summary())["answered"]

        async def answered() -> bool:
            return bool((await site.fleet.summary())["answered"] > before)

        await until(answered, SEEN_S, "stations still answered")
        switch.unlink()

        async def green() -> bool:
            ready = (await surface.get("/readyz"))[0] == 200
            return ready and (await surface.component("task ticker"))["status"] == "ok"

        await until(green, SEEN_S, "the ticker well again", every=0.1)
        await site.assert_hubs_agree()
        tally.count(faults=int(await surface.metric("ocpp_bridge_task_restarts_total", "ticker")))
    assert await site.stop_bridge() == 0
    events = [json.loads(line)["event"] for line in site.bridge.log.read_text().splitlines() if line.startswith("{")]
    assert {"task_failed" if how == "dies" else "task_stalled", "task_recovered"} <= set(events)


@pytest.mark.row("T10")
async def test_lane_that_another_process_owns_ends_this_one_with_one_clear_line(make_site: MakeSite) -> None:
    site = make_site()
    await site.start_hubs()
    await site.start_bridge()

    def taken() -> bool:
        with sqlite3.connect(site.state_dir / "bridge.db", timeout=10) as database:
            return database.execute("UPDATE lane SET epoch = epoch + 1 WHERE account = 'hubject'").rowcount == 1

    await until(taken, SEEN_S, "a lane to take over")
    assert await site.bridge.ended(20) == 1
    log = site.bridge.log.read_text(encoding="utf-8")
    assert "ocpp-bridge: the lane of hubject is owned by another process" in log
    assert "Traceback" not in log
