"""The demo's comparison against a fleet and hubs that are only their control interfaces."""

import asyncio
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from simulators.demo import session
from simulators.demo.processes import Children
from simulators.demo.sources import Addresses, Sources, SourceSilent

TRUTH = [
    {"evse_id": "DE*ABC*E1", "chargeprice_key": "s/1", "hubject": "Occupied", "chargeprice": "occupied"},
    {"evse_id": "DE*ABC*E2", "chargeprice_key": "s/2", "hubject": "OutOfService", "chargeprice": "maintainance"},
]
RIGHT = {
    "hubject": {"DE*ABC*E1": "Occupied", "DE*ABC*E2": "OutOfService"},
    "chargeprice": {"s/1": "occupied", "s/2": "maintainance"},
}


PATIENCE = session.Patience(timedelta(milliseconds=150), timedelta(milliseconds=10))


class World:
    """What the fake control interfaces answer; `later` replaces what the hubs hold after so many looks."""

    def __init__(self):
        self.held = {hub: dict(words) for hub, words in RIGHT.items()}
        self.later = None
        self.looks_before_later = 0
        self.violations = {"hubject": [], "chargeprice": []}
        self.restless = []
        self.rested = 0

    def app(self):
        app = web.Application()
        app.add_routes(
            [
                web.get("/expected", self._expected),
                web.post("/rest", self._rest),
                web.get("/control/{hub}/state", self._state),
                web.get("/control/{hub}/violations", self._violations),
                web.get("/api/v1/evses", self._evses),
            ]
        )
        return app

    async def _expected(self, request):
        return web.json_response({"evses": TRUTH})

    async def _rest(self, request):
        self.rested += 1
        return web.json_response({"restless": self.restless}, status=504 if self.restless else 200)

    async def _state(self, request):
        self.looks_before_later -= 1
        if self.later is not None and self.looks_before_later < 0:
            self.held = self.later
        return web.json_response(self.held[request.match_info["hub"]])

    async def _violations(self, request):
        return web.json_response(self.violations[request.match_info["hub"]])

    async def _evses(self, request):
        if request.headers.get("Authorization") != "Bearer secret":
            return web.Response(status=401)
        first = "cursor" not in request.query
        return web.json_response({"items": [{"evse_id": "1" if first else "2"}], "next_cursor": "x" if first else None})


@pytest.fixture
def world():
    return World()


@pytest.fixture
async def sources(world, tmp_path):
    runner = web.AppRunner(world.app(), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    token = tmp_path / "admin-token"
    token.write_text("secret\n")
    async with aiohttp.ClientSession() as http:
        yield Sources(http, Addresses(fleet=url, hubs=f"{url}/control", bridge=url, token_file=token))
    await runner.cleanup()


async def check(sources):
    async with asyncio.timeout(10):
        verdict = await session.check(sources, Children(Path()), PATIENCE)
    return verdict.exit_code, list(verdict.lines)


async def test_hubs_that_hold_what_the_oracle_says_agree(world, sources):
    assert await check(sources) == (0, ["hubs agree: 2/2 EVSEs (hubject)", "hubs agree: 2/2 EVSEs (chargeprice)"])
    assert world.rested == 1


async def test_hubs_that_catch_up_in_time_agree(world, sources):
    world.later, world.looks_before_later = world.held, 4
    world.held = {"hubject": {}, "chargeprice": {}}
    assert (await check(sources))[0] == 0


async def test_an_agreement_in_passing_does_not_count(world, sources):
    world.later, world.looks_before_later = {"hubject": {}, "chargeprice": {}}, 2
    assert (await check(sources))[0] == 1


async def test_a_hub_that_is_told_available_of_everything_fails_the_demo(world, sources):
    world.held["hubject"] = dict.fromkeys(RIGHT["hubject"], "Available")
    code, lines = await check(sources)
    assert code == 1
    assert lines == [
        "hubs agree: 0/2 EVSEs (hubject)",
        "  hubject: DE*ABC*E1 should be Occupied, the hub holds Available",
        "  hubject: DE*ABC*E2 should be OutOfService, the hub holds Available",
        "hubs agree: 2/2 EVSEs (chargeprice)",
    ]


async def test_a_broken_rule_fails_the_demo_although_the_hubs_agree(world, sources):
    world.violations["chargeprice"] = ["two requests at once"]
    code, lines = await check(sources)
    assert (code, lines[-1]) == (1, "  chargeprice: rule broken: two requests at once")


async def test_a_station_that_does_not_come_to_rest_fails_the_demo(world, sources):
    world.restless = ["SIM-00001"]
    code, lines = await check(sources)
    assert (code, lines[0]) == (1, "station SIM-00001 did not come to rest: a report of it was not answered")


async def test_evses_are_read_over_all_pages_with_the_admin_token(sources):
    assert [evse["evse_id"] for evse in await sources.evses()] == ["1", "2"]


async def test_a_process_that_does_not_answer_is_named(sources):
    with pytest.raises(SourceSilent, match=r"/api/v1/upstreams: HTTP 404"):
        await sources.upstreams()
