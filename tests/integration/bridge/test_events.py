"""What listeners are told of what changes, over the real store: after each commit, the newest, and a way back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from itertools import count
from typing import Any

import pytest
from tests_bridge import CHARGEPRICE, HUBJECT, Bridge, FakeUpstream, running, until

from bridge.app.event_services import FeedOptions, StoreEvents
from bridge.app.wakes import Wakes
from bridge.core.feed import EventName
from bridge.core.modes import Mode
from bridge.intake import Intake
from bridge.settings import Settings
from bridge.store.errors import StoreUnavailable
from bridge.store.event_readings import pass_commits
from bridge.web.event_services import EventStream, EventWish
from bridge.web.services import NotFound, NotRunning, Unavailable
from bridge.web.shapes import UpstreamItem, UpstreamList
from csms.events import StationDisconnected, StationId

OPTIONS = FeedOptions(pace=timedelta(0), look=timedelta(milliseconds=50), again=timedelta(milliseconds=5))
SETTINGS = Settings.model_validate(
    {
        "operators": {"demo": {"name": "Demo", "accounts": ["hubject", "chargeprice"]}, "other": {"name": "Other"}},
        "accounts": {
            "hubject": {"kind": "oicp", "operator_id": "DE*ABC", "base_url": "https://h.invalid", "mode": "live"},
            "chargeprice": {
                "kind": "chargeprice",
                "base_url": "https://c.invalid",
                "company_id": "1e49b853-1111-4111-8111-111111111111",
                "api_key": "0123456789abcdef",
                "mode": "live",
            },
        },
    }
)
WAIT = timedelta(seconds=20)


@dataclass
class Told:
    """The streams of a bridge, with the task that tells."""

    bridge: Bridge
    wakes: Wakes
    events: StoreEvents
    items: list[UpstreamItem]


class Refusing:
    """A writer that fails while `failing`."""

    def __init__(self, writer: Any) -> None:
        self.writer = writer
        self.failing = False

    async def submit(self, handler: Any, payload: Any) -> Any:
        if self.failing and handler is pass_commits:
            raise StoreUnavailable("the disk is full")
        return await self.writer.submit(handler, payload)


def account(name: str, **other: Any) -> UpstreamItem:
    return UpstreamItem.model_validate(
        {"name": name, "kind": "oicp", "mode": "live", "state": "ok", "backlog": 0, "refused": 0, "lag_s": None} | other
    )


@asynccontextmanager
async def telling(bridge: Bridge, options: FeedOptions = OPTIONS, writer: Any = None) -> AsyncIterator[Told]:
    wakes = Wakes()
    items = [account("hubject"), account("chargeprice", kind="chargeprice")]

    async def upstreams() -> UpstreamList:
        return UpstreamList(items=tuple(items))

    numbers = count(1)
    events = StoreEvents(
        SETTINGS,
        bridge.store,
        writer or bridge.writer,
        wakes.noticing,
        clock=bridge.clock,
        new_generation=lambda: f"process{next(numbers)}",
        upstreams=upstreams,
        options=options,
    )
    intake = Intake(
        bridge.writer,
        clock=bridge.clock,
        node="test",
        options=bridge.options,
        woken=partial(bridge.writer.once_committed, wakes.derived),
        heard=bridge.ticker.heard,
        came_or_went=wakes.station,
    )
    task = asyncio.create_task(events.run())
    try:
        yield Told(replace(bridge, intake=intake), wakes, events, items)
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def told(stream: EventStream, name: str, **wanted: Any) -> dict[str, Any]:
    """Return the next event of this name with these members; those before it are passed over."""
    async with asyncio.timeout(WAIT.total_seconds()):
        while True:
            event = await stream.next(WAIT)
            assert event is not None
            data: dict[str, Any] = json.loads(event.data)
            if event.name == name and all(data[key] == value for key, value in wanted.items()):
                return {**data, "#": event.id}


async def test_a_status_is_told_after_its_commit_with_what_hubs_should_have(bridge: Bridge):
    async with telling(bridge) as site, site.events.follow(EventWish(), None) as stream:
        first = await stream.next(WAIT)
        assert first is not None
        assert (first.name, first.id, first.data) == ("reset", "process1-0", '{"why": "connected"}')
        epoch = await site.bridge.connect("one")
        assert (await told(stream, "station"))["connected"] is True
        await site.bridge.report("one", epoch, 1, "Charging")
        status = await told(stream, "status", evse_id="DE*ABC*E1*1")
        assert (status["status"], status["live"], status["rule"]) == (
            "charging",
            "charging",
            "connector 1 reported Charging",
        )
        assert status["changed_at"] == "2026-11-20T12:00:00Z"
        delivery = await told(stream, "delivery", evse_id="DE*ABC*E1*1", account="hubject")
        assert (delivery["desired"], delivery["acked"], delivery["state"]) == ("Occupied", None, "pending")
        async with site.bridge.store.read():
            assert await site.bridge.effective("DE*ABC*E1*1") == "charging"


async def test_what_a_hub_acknowledged_is_told(bridge: Bridge):
    async with telling(bridge) as site, site.events.follow(EventWish(account="hubject"), None) as stream:
        epoch = await site.bridge.connect("one")
        await site.bridge.report("one", epoch, 1, "Charging")
        async with running(site.bridge.lane(FakeUpstream(), settled=site.wakes.settled)):
            agreed = await told(stream, "delivery", evse_id="DE*ABC*E1*1", state="agreed")
        assert (agreed["account"], agreed["desired"], agreed["acked"]) == ("hubject", "Occupied", "Occupied")


async def test_a_station_that_comes_and_goes_is_told(bridge: Bridge):
    async with telling(bridge) as site, site.events.follow(EventWish(), None) as stream:
        await told(stream, "reset")
        epoch = await site.bridge.connect("two")
        assert (await told(stream, "station", id="two"))["connected"] is True
        await site.bridge.intake.record(StationDisconnected(StationId("two"), epoch))
        assert (await told(stream, "station", id="two"))["connected"] is False


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        (EventWish(evse_id="de.abc.e1.1", names=frozenset({EventName.STATUS})), {"DE*ABC*E1*1"}),
        (EventWish(names=frozenset({EventName.STATUS})), {"DE*ABC*E1*1", "DE*ABC*E1*2"}),
        (EventWish(names=frozenset({EventName.STATUS}), operators=frozenset({"demo"})), {"DE*ABC*E1*1", "DE*ABC*E1*2"}),
        (EventWish(names=frozenset({EventName.STATUS}), operators=frozenset({"other"})), set()),
    ],
    ids=["one EVSE in another spelling", "all", "its operator", "another operator"],
)
async def test_a_client_is_told_what_it_chose_and_may_know(bridge: Bridge, wish: EventWish, expected: set[str]):
    async with (
        telling(bridge) as site,
        site.events.follow(wish, None) as stream,
        site.events.follow(EventWish(names=frozenset({EventName.STATION})), None) as other,
    ):
        await told(stream, "reset")
        epoch = await site.bridge.connect("one")
        await site.bridge.report("one", epoch, 1, "Charging")
        await site.bridge.report("one", epoch, 2, "Charging")
        await told(other, "station")
        epoch = await site.bridge.connect("two")
        await told(other, "station", id="two")
        found = set()
        while (event := await stream.next(timedelta(milliseconds=50))) is not None:
            found.add(json.loads(event.data)["evse_id"])
        assert found == expected


async def test_who_comes_back_is_told_what_was_missed(bridge: Bridge):
    async with telling(bridge) as site:
        async with site.events.follow(EventWish(), None) as stream:
            epoch = await site.bridge.connect("one")
            await site.bridge.report("one", epoch, 1, "Charging")
            seen = (await told(stream, "status", evse_id="DE*ABC*E1*1"))["#"]
        await site.bridge.report("one", epoch, 1, "Faulted")
        await site.bridge.report("one", epoch, 2, "Faulted")
        async with site.events.follow(EventWish(), seen) as stream:
            missed = await told(stream, "status", evse_id="DE*ABC*E1*1")
            assert missed["status"] == "faulted"
            assert (await told(stream, "status", evse_id="DE*ABC*E1*2"))["status"] == "faulted"


@pytest.mark.parametrize(
    "last_id", ["process0-1", "process1-99", "process1-x", "nonsense", "-", "process1-" + "9" * 40]
)
async def test_an_id_that_tells_nothing_begins_with_a_reset(bridge: Bridge, last_id: str):
    async with telling(bridge) as site, site.events.follow(EventWish(), None) as other:
        await told(other, "reset")
        async with site.events.follow(EventWish(), last_id) as stream:
            event = await stream.next(WAIT)
            assert event is not None
            assert event.name == "reset"


async def test_once_nobody_listens_for_a_while_nothing_is_collected_and_an_old_id_is_unknown(bridge: Bridge):
    async with telling(bridge) as site:
        async with site.events.follow(EventWish(), None) as stream:
            seen = (await told(stream, "reset"))["#"]
        bridge.clock.pass_(minutes=2)
        await until(lambda: not site.wakes.noticing.listening)
        epoch = await site.bridge.connect("one")
        await site.bridge.report("one", epoch, 1, "Charging")
        await asyncio.sleep(0)
        assert not site.wakes.noticing.take()
        async with site.events.follow(EventWish(), seen) as stream:
            assert (await told(stream, "reset"))["#"] == "process2-2"


async def test_what_was_on_its_way_to_the_disk_as_a_client_came_is_committed_before_its_reset(bridge: Bridge):
    """Nobody listened as it was noticed: the client must find it where it reads everything."""
    async with telling(bridge) as site:
        epoch = await site.bridge.connect("one")
        recording = asyncio.create_task(site.bridge.report("one", epoch, 1, "Charging"))
        await asyncio.sleep(0)
        async with site.events.follow(EventWish(names=frozenset({EventName.UPSTREAM})), None) as stream:
            await told(stream, "reset")
            assert await site.bridge.effective("DE*ABC*E1*1") == "charging"
        await recording


async def test_while_storage_fails_nothing_is_lost(bridge: Bridge):
    writer = Refusing(bridge.writer)
    async with telling(bridge, writer=writer) as site, site.events.follow(EventWish(), None) as stream:
        await told(stream, "reset", why="connected")
        writer.failing = True
        epoch = await site.bridge.connect("one")
        await site.bridge.report("one", epoch, 1, "Charging")
        async with site.events.follow(EventWish(), None) as late:
            assert await late.next(timedelta(milliseconds=50)) is None
            writer.failing = False
            await told(late, "reset")
        await told(stream, "reset", why="the database could not be read for a while")


async def test_more_than_is_told_one_by_one_is_a_reset(bridge: Bridge):
    options = replace(OPTIONS, many=1)
    async with telling(bridge, options) as site, site.events.follow(EventWish(), None) as stream:
        await told(stream, "reset", why="connected")
        await bridge.temporary("DE*ABC*E1*1", "DE*ABC*E1*2", kind="BLOCKED")
        site.wakes.derived(bridge.woken[-1])
        await told(stream, "reset", why="2 things changed at once")


async def test_how_accounts_do_is_told_when_it_changes_and_a_mode_is_a_reset(bridge: Bridge):
    async with telling(bridge) as site, site.events.follow(EventWish(account="hubject"), None) as stream:
        assert (await told(stream, "upstream"))["backlog"] == 0
        site.items[0] = account("hubject", backlog=3, last_error="HTTP 500")
        bridge.clock.pass_(seconds=2)
        site.wakes.account(HUBJECT)
        changed = await told(stream, "upstream")
        assert (changed["backlog"], changed["last_error"]) == (3, "HTTP 500")
        site.items[0] = account("hubject", mode=Mode.OFF, state="off")
        bridge.clock.pass_(seconds=6)
        assert (await told(stream, "reset"))["why"] == "hubject is off now"
        assert (await told(stream, "upstream"))["state"] == "off"


async def test_too_many_are_refused_and_a_place_is_free_once_one_has_gone(bridge: Bridge):
    async with telling(bridge, replace(OPTIONS, streams=1)) as site:
        async with site.events.follow(EventWish(), None):
            with pytest.raises(Unavailable, match="1 clients are told what changes already"):
                async with site.events.follow(EventWish(), None):
                    pass
        async with site.events.follow(EventWish(), None) as stream:
            await told(stream, "reset")


@pytest.mark.parametrize(
    "wish",
    [
        EventWish(account="nobody"),
        EventWish(evse_id="DE*ABC*E9"),
        EventWish(evse_id="DE*ABC*E1*1", operators=frozenset({"other"})),
    ],
    ids=["no account", "no EVSE", "an EVSE of another operator"],
)
async def test_what_there_is_not_is_refused_at_once(bridge: Bridge, wish: EventWish):
    async with telling(bridge) as site:
        with pytest.raises(NotFound):
            async with site.events.follow(wish, None):
                pass


async def test_a_stopped_bridge_tells_nobody(bridge: Bridge):
    async def upstreams() -> UpstreamList:
        return UpstreamList(items=())

    stopped = StoreEvents(
        SETTINGS,
        bridge.store,
        bridge.writer,
        None,
        clock=bridge.clock,
        new_generation=lambda: "x",
        upstreams=upstreams,
    )
    with pytest.raises(NotRunning):
        async with stopped.follow(EventWish(account=CHARGEPRICE), None):
            pass
