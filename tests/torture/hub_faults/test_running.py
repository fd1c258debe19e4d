"""A bridge between a fleet and two hubs, one of which fails in every way of the catalogue, one way after the other.

While a fault lasts, the other hub gets its updates, operators are told what is wrong, and attempts become rarer. When
it has ended, both hubs agree with the fleet's own journal, and none was ever told an older value after a newer one.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pytest

from tests.acceptance.conftest import MakeSite
from tests.acceptance.controls import HUBS
from tests.acceptance.harness import FleetPlan, Site
from tests.acceptance.processes import until
from tests.acceptance.scripted import ScriptedStation, evse_id, inventory
from tests.catalogue.recording import Tally

ORDERED = "ORDER1"
"""The station whose reports are known one by one."""
KEYS = {"hubject": evse_id(ORDERED), "chargeprice": f"{ORDERED}-site/{ORDERED}-point"}
REPORTS = ("Available", "Faulted", "Reserved", "Charging")
"""One more than an outage has: none of its words was the one before it."""
WORDS = {
    "Available": {"hubject": "Available", "chargeprice": "available"},
    "Faulted": {"hubject": "OutOfService", "chargeprice": "maintainance"},
    "Reserved": {"hubject": "Reserved", "chargeprice": "reserved"},
    "Charging": {"hubject": "Occupied", "chargeprice": "occupied"},
}
NOT_SLOWED_S = 5.0
AGREE_S = 40.0
PROBED_S = 100.0
"""A held account is tried again once a minute."""
CHANGES = 12
"""Reports of the fleet that are answered while a fault lasts."""


@dataclass(frozen=True)
class Outage:
    """One fault of one hub."""

    row: str
    hub: str
    fault: Mapping[str, Any]
    says: str
    state: str = "degraded"
    pause_s: float = 1.0
    """The shortest time between two attempts."""

    @property
    def name(self) -> str:
        return f"{self.hub}-{self.fault['kind']}-{self.fault.get('status', self.fault.get('code', ''))}".rstrip("-")


def outage(row: str, hub: str, kind: str, says: str, **more: Any) -> Outage:
    named = {name: more.pop(name) for name in ("state", "pause_s") if name in more}
    return Outage(row, hub, {"kind": kind, **more}, says, **named)


SHORT = {
    "silent": (
        outage("T27", "hubject", "blackhole", "no connection in time"),
        outage("T28", "chargeprice", "hang", "no answer in time"),
        outage("T29", "hubject", "reset_after", "closed the connection without an answer"),
    ),
    "garbled": (
        outage("T30", "chargeprice", "truncated", "cut off"),
        outage("T31", "hubject", "drip", "no answer in time", delay_s=0.2),
        outage("T25", "chargeprice", "rate_limit", "HTTP 429", retry_after="3", pause_s=3.0),
        outage("T34", "hubject", "result_false", "021 system error", code="021"),
    ),
}

LONG = (
    outage("T27", "chargeprice", "blackhole", "no connection in time"),
    outage("T28", "hubject", "hang", "no answer in time"),
    outage("T29", "hubject", "reset_before", "closed the connection without an answer"),
    outage("T29", "chargeprice", "reset_before", "closed the connection without an answer"),
    outage("T29", "chargeprice", "reset_after", "closed the connection without an answer"),
    outage("T30", "hubject", "truncated", "cut off"),
    outage("T30", "hubject", "truncated", "cut off", applied=False),
    outage("T30", "hubject", "wrong_length", "not"),
    outage("T30", "chargeprice", "wrong_length", "not"),
    outage("T31", "chargeprice", "drip", "no answer in time", delay_s=0.2),
    outage("T33", "hubject", "invalid_body", "web page", body="html"),
    outage("T33", "chargeprice", "invalid_body", "web page", body="html", applied=False),
    outage("T33", "hubject", "invalid_body", "not proven", body="empty", applied=False),
    outage("T50", "hubject", "huge", "not proven"),
    outage("T50", "chargeprice", "huge", "not proven", applied=False),
    outage("T50", "hubject", "compressed", "gzip"),
    outage("T50", "chargeprice", "compressed", "gzip", applied=False),
    outage("T26", "hubject", "status", "HTTP 503", status=503, retry_after="abc"),
    outage("T25", "hubject", "status", "HTTP 503", status=503, retry_after="4", pause_s=4.0),
    outage("T26", "chargeprice", "rate_limit", "HTTP 429", retry_after="-5"),
    outage("T38", "chargeprice", "status", "HTTP 307", status=307, location="http://127.0.0.1:1/"),
    outage("T38", "hubject", "status", "HTTP 302", status=302, location="/login"),
    outage("T37", "chargeprice", "status", "HTTP 401", status=401, state="held"),
    *(outage("T34", "hubject", "result_false", code, code=code) for code in ("001", "002", "009", "021", "310", "999")),
    *(outage("T34", "hubject", "result_false", code, code=code, state="held") for code in ("017", "210", "300")),
)


@dataclass
class Story:
    """What is known of the ordered station: each hub's words in the order of its reports."""

    told: list[str] = field(default_factory=list)
    number: int = 0

    async def go_on(self, station: ScriptedStation) -> None:
        """Report the next status."""
        status = REPORTS[self.number % len(REPORTS)]
        self.number += 1
        self.told.append(status)
        await station.report(status)

    def older_values(self, hub: str, pushed: Sequence[str]) -> list[str]:
        """Return what a hub was told that is not in the order of the last reports: each may be left out or repeated."""
        words = [WORDS[status][hub] for status in self.told[-len(REPORTS) :]]
        at, older = 0, []
        for word in pushed:
            if word in words[at:]:
                at = words.index(word, at)
            else:
                older.append(word)
        return older


async def site_of(make_site: MakeSite) -> Site:
    site = make_site(STATUS__AVAILABLE_HOLD="0 s", PUSH__DOUBT="1 s")
    plan = FleetPlan(stations=10, seed=5)
    await site.start_hubs()
    await site.start_bridge()
    header, row = inventory(ORDERED).splitlines()
    await site.import_inventory(plan.inventory)
    await site.import_inventory(f"{header}\n{row}\n")
    await site.start_fleet(plan)
    await until(site.fleet.all_connected, 20, "every station connected")
    return site


@pytest.mark.timeout(150)
@pytest.mark.row("T25", "T27", "T28", "T29", "T30", "T31", "T34", "T45")
@pytest.mark.parametrize("outages", SHORT.values(), ids=SHORT)
async def test_each_fault_of_one_hub_is_survived_and_told(
    make_site: MakeSite, outages: tuple[Outage, ...], tally: Tally
) -> None:
    await survive(await site_of(make_site), outages, tally)


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.row(*sorted({one.row for one in LONG}), "T45")
async def test_every_fault_of_either_hub_is_survived_and_told(make_site: MakeSite, tally: Tally) -> None:
    await survive(await site_of(make_site), LONG, tally)


async def survive(site: Site, outages: Sequence[Outage], tally: Tally) -> None:
    story = Story()
    async with ScriptedStation(site.ocpp_url, ORDERED) as station:
        await station.boot()
        await story.go_on(station)
        await agreed(site, story)
        for one in outages:
            before = {hub: await site.hubs[hub].last() for hub in HUBS}
            await last(site, one, station, story)
            await agreed(site, story, AGREE_S if one.state == "degraded" else PROBED_S)
            older = {hub: story.older_values(hub, await pushed(site, hub, before[hub])) for hub in HUBS}
            tally.count(faults=1, older_values=sum(map(len, older.values())))
            assert older == {hub: [] for hub in HUBS}, one.name
    tally.count(requests=sum([await site.hubs[hub].last() for hub in HUBS]))


async def last(site: Site, one: Outage, station: ScriptedStation, story: Story) -> None:
    """Let a fault last while statuses change, and look at both hubs and at what operators are told."""
    (other,) = set(HUBS) - {one.hub}
    before = await site.hubs[one.hub].last()
    await site.hubs[one.hub].script(**one.fault)
    answered = (await site.fleet.summary())["answered"]
    await site.fleet.resume()
    await story.go_on(station)
    await until(lambda: told(site, one), 10, f"{one.name}: a word about it")
    await story.go_on(station)

    async def busy() -> bool:
        return bool((await site.fleet.summary())["answered"] >= answered + CHANGES)

    await until(busy, 30, f"{one.name}: {CHANGES} reports answered")
    await site.fleet.rest()
    await agrees(site, other, story, NOT_SLOWED_S)
    await story.go_on(station)
    await agrees(site, other, story, NOT_SLOWED_S)
    assert_ever_rarer(await site.hubs[one.hub].journal(before), one)
    await site.hubs[one.hub].heal()


async def told(site: Site, one: Outage) -> bool:
    """Say whether every surface names the account and says what is wrong with it."""
    shown = {item["name"]: item for item in (await site.ask("upstreams"))["items"]}
    found = shown[one.hub]
    health = json.loads(await site.page("/healthz"))
    component = health["components"][f"account {one.hub}"]
    metrics = await site.page("/metrics")
    wanted = f'ocpp_bridge_account_state{{account="{one.hub}",state="{one.state}"}} 1.0'
    return (
        found["state"] == one.state
        and one.says in (found["held"] or found["last_error"])
        and component["status"] == health["status"] == "degraded"
        and one.says in component["why"]
        and wanted in metrics
    )


def assert_ever_rarer(attempts: Sequence[Mapping[str, Any]], one: Outage) -> None:
    """The pauses before the second attempt and those after it are 1, 2, 4, 8 s, or what the hub asked for.

    A first attempt may still be a success of before. A held account tries another row at once, then one a minute.
    """
    failed = [entry["received_at"] for entry in attempts if entry["fault"]]
    gaps = [later - earlier for earlier, later in pairwise(failed)]
    if one.state == "held":
        assert len(failed) <= 3, (one.name, gaps)
        return
    for number, gap in enumerate(gaps):
        assert gap >= max(one.pause_s, 1 if one.pause_s > 1 else 2**number) * 0.95, (one.name, gaps)
    if failed:
        assert len(failed) <= math.log2(failed[-1] - failed[0] + 1) + 2, (one.name, gaps)


async def agreed(site: Site, story: Story, within: float = AGREE_S) -> None:
    """Wait until both hubs hold the truth, nothing is shown as wrong any more, and no rule of theirs was broken."""
    await site.fleet.rest()
    for hub in HUBS:
        await agrees(site, hub, story, within)

    async def well() -> bool:
        return not re.search(r'account_state\{[^}]*state="(degraded|held)"\} 1', await site.page("/metrics"))

    await until(well, 20, "nothing shown as wrong any more")
    await site.assert_rules_kept()


async def agrees(site: Site, hub: str, story: Story, within: float) -> None:
    truth = WORDS[story.told[-1]][hub]

    async def look() -> bool:
        held = await site.hubs[hub].state()
        wanted = await site.fleet.expected(hub) | {KEYS[hub]: truth}
        return held == wanted

    await until(look, within, f"{hub} agrees with what was reported", every=0.1)


async def pushed(site: Site, hub: str, after: int) -> list[str]:
    """Return the words that a hub was sent of the ordered station, in the order of arrival."""
    journal = await site.hubs[hub].journal(after)
    return [word for entry in journal for key, word in entry["records"] if key == KEYS[hub]]
