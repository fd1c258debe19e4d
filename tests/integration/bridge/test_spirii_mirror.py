"""Prove that temporary statuses reach Spirii once each, whatever crashes when, and that nobody else's is touched."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta

import pytest
from tests_bridge import START, Bridge, until

from bridge.core.documents import DocumentKind
from bridge.core.model import AccountName, TemporaryKind
from bridge.core.reachability import ReachabilityOptions
from bridge.documents import mirror_plan
from bridge.edits import RefreshOrder, refresh_documents
from bridge.lane.model import DocumentOptions
from bridge.store.document_readings import read_documents
from bridge.store.previews import preview_documents
from bridge.temporaries import (
    UNCHANGED,
    ChangeOrder,
    CreateOrder,
    RemoveOrder,
    change_temporaries,
    create_temporaries,
    remove_temporaries,
)
from bridge.ticker import Ticker, TickerOptions
from bridge.upstreams.http import Timeouts
from bridge.upstreams.port import Answer, Document
from bridge.upstreams.spirii import Spirii, SpiriiOptions
from simulators.hubs.faults import FaultBook, FaultSpec
from simulators.hubs.ledger import Ledger
from simulators.hubs.server import HubServer
from simulators.hubs.spirii import Spirii as MockSpirii
from simulators.hubs.spirii_options import OthersEntry
from simulators.hubs.spirii_options import SpiriiOptions as MockOptions

ACCOUNT = AccountName("spirii")
PLANS = (mirror_plan(ACCOUNT, ["demo"]),)
MARKED = """station,version,key,evse,connector,evse_id,operator,spirii
one,1.6,0123456789abcdef,,1,DE*ABC*E1*1,demo,true
one,,,,2,DE*ABC*E1*2,demo,false
two,2.0.1,0123456789abcdef,1,1,DE*ABC*E2*1,demo,true
two,,,2,1,DE*ABC*E2*2,demo,true
"""
ONE, UNMARKED, OTHER_ONE, THIRD = "DE*ABC*E1*1", "DE*ABC*E1*2", "DE*ABC*E2*1", "DE*ABC*E2*2"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
HASTY = Timeouts(timedelta(seconds=5), timedelta(seconds=1))
FOREIGN = OthersEntry(id=900, evse_id=ONE, status="MAINTENANCE", valid_from=START, valid_to=START + 30 * DAY)


class Mirror:
    """A bridge, the mock Spirii on the same clock, and the lane between them."""

    def __init__(self, bridge: Bridge, hub: HubServer) -> None:
        self.bridge = bridge
        self.clock = bridge.clock
        self.hub = hub
        self.task: asyncio.Task[None] | None = None
        self.upstream: Spirii | None = None

    # --- our side -----------------------------------------------------------------------------------------------------

    async def want(self, evse_id: str = ONE, kind: str = "BLOCKED", ends: datetime | None = None) -> int:
        order = CreateOrder(
            (evse_id,), TemporaryKind(kind), None, ends, False, "test", self.clock(), self.bridge.options, PLANS
        )
        return (await self.bridge.writer.submit(create_temporaries, order)).items[0].number

    async def change(self, number: int, *, kind: str | None = None, ends: object = UNCHANGED) -> None:
        order = ChangeOrder(
            number,
            self.clock(),
            self.bridge.options,
            kind=UNCHANGED if kind is None else TemporaryKind(kind),
            valid_to=ends,
            documents=PLANS,
        )
        await self.bridge.writer.submit(change_temporaries, order)

    async def remove(self, number: int) -> None:
        order = RemoveOrder((number,), self.clock(), self.bridge.options, PLANS)
        await self.bridge.writer.submit(remove_temporaries, order)

    async def refresh(self) -> None:
        await self.bridge.writer.submit(refresh_documents, RefreshOrder(PLANS, self.clock()))

    # --- the lane -----------------------------------------------------------------------------------------------------

    def start(self, upstream: Spirii | None = None, survey_every: timedelta | None = None) -> None:
        """Run the lane as a new process would."""
        options = DocumentOptions(frozenset({DocumentKind.TEMPORARY}), 10**9, survey_every=survey_every)
        self.upstream = upstream or self.make(Spirii)
        lane = self.bridge.lane(self.upstream, account=ACCOUNT, documents=options)
        self.task = asyncio.create_task(lane.run())

    def make(self, kind: type[Spirii]) -> Spirii:
        return kind(SpiriiOptions(self.url, "spirii-key", HASTY), clock=lambda: self.clock.now)

    async def crash(self) -> None:
        assert self.task is not None
        assert self.upstream is not None
        self.task.cancel()
        with suppress(asyncio.CancelledError):
            await self.task
        await self.upstream.close()
        self.task = None

    async def restart(self, survey_every: timedelta | None = None) -> None:
        """Bring documents to what is wanted, and open the lane, as at start."""
        await self.refresh()
        self.start(survey_every=survey_every)

    async def agreed(self) -> None:
        """Wait until nothing is in flight, due or in doubt; doubts end since the clock is moved over them."""
        async with asyncio.timeout(10):
            while await self.bridge.rows(
                "SELECT 1 FROM document WHERE in_flight_seq > 0 OR (acked_seq < desired_seq AND refused IS NULL)"
            ):
                if not await self.bridge.rows("SELECT 1 FROM document WHERE in_flight_seq > 0"):
                    self.clock.pass_(seconds=31)
                await asyncio.sleep(0.03)

    async def settled(self) -> None:
        async with asyncio.timeout(5):
            while await self.bridge.rows("SELECT 1 FROM document WHERE in_flight_seq > 0"):  # noqa: ASYNC110 - a database sets no event
                await asyncio.sleep(0.005)

    async def until_there(self, rows: str) -> None:
        async with asyncio.timeout(5):
            while not await self.bridge.rows(rows):  # noqa: ASYNC110 - a database sets no event
                await asyncio.sleep(0.005)

    async def looks(self, turns: int = 3) -> None:
        goal = self.bridge.writer.batches_written + turns
        await until(lambda: self.bridge.writer.batches_written >= goal)

    # --- Spirii's side ------------------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.hub.port}"

    def ours(self) -> list[tuple[str, str, str | None]]:
        """Return (EVSE, status, end) of each entry that was made over the wire."""
        entries = self.hub.ledger.documents("temporary").values()
        return sorted((one["evseId"], one["temporaryStatus"], one["validTo"] or "") for one in entries)

    def actions(self) -> list[str]:
        return [str(entry["action"]) for entry in self.hub.ledger.journal()]

    async def fault(self, kind: str, **more: object) -> None:
        await self.hub.script(FaultSpec(kind=kind, **more))

    def assert_rules_kept(self) -> None:
        assert self.hub.ledger.violations() == []
        assert self.hub.ledger.documents("removed") == {}, "an entry of others was deleted"


@asynccontextmanager
async def hub_at(clock: object, **options: object) -> AsyncIterator[HubServer]:
    mock = MockSpirii(MockOptions(**options), clock=lambda: clock.now.timestamp())
    server = HubServer(mock, Ledger(), FaultBook(1))
    await server.start(0)
    try:
        yield server
    finally:
        await server.stop()


@pytest.fixture
async def mirror(bridge: Bridge) -> AsyncIterator[Mirror]:
    await bridge.import_(MARKED)
    async with hub_at(bridge.clock, writes_per_minute=10**6, reads_per_minute=10**6) as hub:
        made = Mirror(bridge, hub)
        yield made
        if made.task is not None:
            await made.crash()


class Waits(Spirii):
    """An upstream that is about to send when its process ends."""

    async def push_document(self, document: Document) -> Answer:
        await asyncio.get_running_loop().create_future()
        raise AssertionError(f"nobody completes this future: {document.key}")


# --- what is mirrored -------------------------------------------------------------------------------------------------


async def test_wish_of_a_marked_evse_is_entered_changed_and_removed_and_others_are_not_told(mirror: Mirror) -> None:
    mirror.start()
    number = await mirror.want(ends=START + HOUR)
    await mirror.want(UNMARKED)
    await mirror.agreed()
    assert mirror.ours() == [(ONE, "BLOCKED", "2026-11-20T13:00:00Z")]
    await mirror.change(number, kind="RESERVED", ends=None)
    await mirror.agreed()
    assert mirror.ours() == [(ONE, "RESERVED", "")]
    await mirror.remove(number)
    await mirror.agreed()
    assert mirror.ours() == []
    assert mirror.actions() == ["create", "update", "delete"]
    assert await mirror.bridge.rows("SELECT key FROM document") == []
    mirror.assert_rules_kept()


async def test_evse_that_is_no_longer_marked_loses_its_entry(mirror: Mirror) -> None:
    mirror.start()
    await mirror.want()
    await mirror.want(THIRD)
    await mirror.agreed()
    await mirror.bridge.import_(MARKED.replace("E1*1,demo,true", "E1*1,demo,false"))
    await mirror.refresh()
    await mirror.agreed()
    assert mirror.ours() == [(THIRD, "BLOCKED", "")]


# --- crashes and lost answers -----------------------------------------------------------------------------------------


FAULTS = [
    pytest.param({"kind": "reset_before"}, id="reset before it was applied"),
    pytest.param({"kind": "reset_after"}, id="reset after it was applied"),
    pytest.param({"kind": "hang"}, id="no answer, not applied"),
    pytest.param({"kind": "hang", "applied": True}, id="no answer, applied"),
    pytest.param({"kind": "late", "delay_s": 0.4}, id="applied late"),
    pytest.param({"kind": "status", "status": 503, "applied": True}, id="503, applied"),
    pytest.param({"kind": "invalid_body", "body": "html"}, id="a page, applied"),
]
AT_ONCE = [fault for fault in FAULTS if fault.values[0]["kind"] != "late"]
"""Those whose effect is there before the test's clock is moved beyond the doubt."""


@pytest.mark.parametrize("crashes", [False, True], ids=["lane lives", "process dies"])
@pytest.mark.parametrize("fault", FAULTS)
async def test_creation_whose_answer_is_lost_makes_one_entry_and_its_removal_leaves_none(
    mirror: Mirror, fault: dict[str, object], crashes: bool
) -> None:
    await mirror.fault(**fault, count=1)
    number = await mirror.want()
    mirror.start()
    await until(lambda: mirror.actions() == ["create"])
    if crashes:
        await mirror.crash()
        await mirror.restart()
    await mirror.settled()
    if fault["kind"] == "late":
        await until(lambda: len(mirror.ours()) == 1)
    await mirror.looks()
    assert mirror.actions() == ["create"], "nothing is sent of it before the doubt is over"
    await mirror.agreed()
    assert mirror.ours() == [(ONE, "BLOCKED", "")]
    assert mirror.actions()[1] == "list"
    await mirror.remove(number)
    await mirror.agreed()
    assert mirror.ours() == []
    mirror.assert_rules_kept()


@pytest.mark.parametrize("then", ["changed", "removed"])
@pytest.mark.parametrize("fault", FAULTS)
async def test_wish_that_changes_or_goes_while_its_creation_is_in_doubt_comes_out_right(
    mirror: Mirror, fault: dict[str, object], then: str
) -> None:
    await mirror.fault(**fault, count=1)
    number = await mirror.want()
    mirror.start()
    await until(lambda: mirror.actions() == ["create"])
    if then == "changed":
        await mirror.change(number, kind="MAINTENANCE")
    else:
        await mirror.remove(number)
    await mirror.crash()
    await mirror.restart()
    if fault["kind"] == "late":
        await until(lambda: len(mirror.ours()) == 1)
    await mirror.agreed()
    assert mirror.ours() == ([(ONE, "MAINTENANCE", "")] if then == "changed" else [])
    mirror.assert_rules_kept()


async def test_process_that_dies_before_it_sends_leaves_no_second_entry(mirror: Mirror) -> None:
    await mirror.want()
    mirror.start(mirror.make(Waits))
    await mirror.until_there("SELECT 1 FROM document WHERE in_flight_seq > 0")
    await mirror.crash()
    await mirror.restart()
    await mirror.agreed()
    assert (mirror.ours(), mirror.actions()) == ([(ONE, "BLOCKED", "")], ["list", "create"])
    mirror.assert_rules_kept()


@pytest.mark.parametrize("applied", [False, True])
async def test_process_that_dies_between_list_and_creation_leaves_no_second_entry(
    mirror: Mirror, applied: bool
) -> None:
    await mirror.fault("hang", count=1, applied=applied, action=("create",))
    await mirror.want()
    mirror.start()
    await until(lambda: mirror.actions() == ["create"])
    await mirror.crash()
    await mirror.fault("hang", action=("list",))
    await mirror.restart()
    await mirror.looks()
    mirror.clock.pass_(seconds=91)
    await until(lambda: mirror.actions()[-1] == "list")
    await mirror.crash()
    mirror.hub.faults.clear()
    await mirror.restart()
    await mirror.agreed()
    assert mirror.ours() == [(ONE, "BLOCKED", "")]
    mirror.assert_rules_kept()


@pytest.mark.parametrize("fault", FAULTS)
async def test_change_and_deletion_whose_answers_are_lost_are_repeated(
    mirror: Mirror, fault: dict[str, object]
) -> None:
    mirror.start()
    number = await mirror.want()
    await mirror.agreed()
    await mirror.fault(**fault, count=1)
    await mirror.change(number, kind="RESERVED")
    await mirror.agreed()
    assert mirror.ours() == [(ONE, "RESERVED", "")]
    await mirror.fault(**fault, count=1)
    await mirror.remove(number)
    await mirror.agreed()
    assert mirror.ours() == []
    mirror.assert_rules_kept()


@pytest.mark.parametrize("seed", range(4))
async def test_any_history_ends_with_one_entry_for_each_wish(mirror: Mirror, seed: int) -> None:
    chance = random.Random(seed)
    wishes: dict[int, tuple[str, str, str]] = {}
    mirror.hub.hub.configure({"entries": (FOREIGN,), "duplicates_allowed": True})
    await mirror.restart()
    for _ in range(25):
        match chance.choice(["want", "want", "change", "remove", "fault", "fault", "crash", "wait", "rest"]):
            case "want":
                evse_id, kind = chance.choice([ONE, OTHER_ONE, THIRD]), chance.choice(["BLOCKED", "RESERVED"])
                if (evse_id, kind, "") not in wishes.values():
                    wishes[await mirror.want(evse_id, kind)] = (evse_id, kind, "")
            case "change" if wishes:
                number = chance.choice(list(wishes))
                kind = "COMMISSIONING" if wishes[number][1] == "MAINTENANCE" else "MAINTENANCE"
                if (wishes[number][0], kind, "") not in wishes.values():
                    await mirror.change(number, kind=kind)
                    wishes[number] = (wishes[number][0], kind, "")
            case "remove" if wishes:
                number = chance.choice(list(wishes))
                await mirror.remove(number)
                del wishes[number]
            case "fault":
                await mirror.fault(**chance.choice(AT_ONCE).values[0], count=1)
            case "crash":
                await mirror.crash()
                await mirror.restart()
            case "wait":
                mirror.clock.pass_(seconds=chance.choice([1, 5, 61]))
            case _:
                await asyncio.sleep(0.02)
        mirror.clock.pass_(seconds=1)
    mirror.hub.faults.clear()
    await mirror.agreed()
    mirror.clock.pass_(seconds=91)
    await mirror.looks()
    await mirror.agreed()
    assert mirror.ours() == sorted(wishes.values())
    mirror.assert_rules_kept()


# --- others' entries --------------------------------------------------------------------------------------------------


async def test_equal_entry_of_somebody_else_survives_wish_doubt_and_removal(mirror: Mirror) -> None:
    mirror.hub.hub.configure({"entries": (FOREIGN,)})
    mirror.start(survey_every=DAY)
    await until(lambda: mirror.actions() == ["list"])
    await mirror.fault("reset_before", count=1, action=("create",))
    number = await mirror.want(kind="MAINTENANCE", ends=START + 30 * DAY)
    await mirror.agreed()
    ((refused, remote_id),) = await mirror.bridge.rows("SELECT refused, remote_id FROM document")
    assert "an equal entry that somebody else made stays as it is" in refused
    assert remote_id == ""
    await mirror.remove(number)
    await mirror.agreed()
    mirror.clock.pass_(hours=25)
    await until(lambda: mirror.actions()[-1] == "list")
    assert (mirror.ours(), set(mirror.actions())) == ([], {"create", "list"})
    shown = await mirror.bridge.rows("SELECT remote_id, evse_id, kind FROM foreign_entry")
    assert shown == [("900", ONE, "MAINTENANCE")]
    mirror.assert_rules_kept()


async def test_survey_does_not_take_for_foreign_what_a_creation_in_doubt_made(mirror: Mirror) -> None:
    await mirror.fault("hang", count=1, applied=True)
    await mirror.want()
    mirror.start()
    await until(lambda: mirror.actions() == ["create"])
    await mirror.crash()
    await mirror.restart(survey_every=DAY)
    await until(lambda: mirror.actions() == ["create", "list"])
    await mirror.looks()
    assert await mirror.bridge.rows("SELECT remote_id FROM foreign_entry") == []
    await mirror.agreed()
    assert (mirror.ours(), mirror.actions()) == ([(ONE, "BLOCKED", "")], ["create", "list", "list"])
    mirror.assert_rules_kept()


async def test_equal_entry_that_was_known_before_stays_foreign_through_a_survey_in_the_doubt(mirror: Mirror) -> None:
    mirror.hub.hub.configure({"entries": (FOREIGN,)})
    mirror.start(survey_every=DAY)
    await mirror.until_there("SELECT 1 FROM foreign_entry")
    await mirror.fault("hang", count=1, action=("create",))
    number = await mirror.want(kind="MAINTENANCE", ends=START + 30 * DAY)
    await until(lambda: mirror.actions() == ["list", "create"])
    await mirror.crash()
    await mirror.restart(survey_every=DAY)
    await until(lambda: mirror.actions() == ["list", "create", "list"])
    await mirror.agreed()
    assert await mirror.bridge.rows("SELECT remote_id FROM document") == [("",)]
    await mirror.remove(number)
    await mirror.agreed()
    assert set(mirror.actions()) == {"list", "create"}
    mirror.assert_rules_kept()


async def test_survey_enters_anew_what_others_deleted_and_shows_what_they_made(mirror: Mirror) -> None:
    await mirror.want()
    ended = await mirror.want(OTHER_ONE, ends=START + HOUR)
    mirror.start(survey_every=DAY)
    await mirror.agreed()
    mirror.clock.pass_(hours=2)
    mirror.hub.hub.configure({"entries": (FOREIGN,)})
    first = next(key for key, one in mirror.hub.ledger.documents("temporary").items() if one["evseId"] == ONE)
    await _by_hand(mirror, "DELETE", f"/{first}")
    mirror.clock.pass_(hours=23)
    await until(lambda: mirror.actions()[-1] == "create")
    await mirror.agreed()
    assert mirror.ours() == [(ONE, "BLOCKED", ""), (OTHER_ONE, "BLOCKED", "2026-11-20T13:00:00Z")]
    assert await mirror.bridge.rows("SELECT remote_id FROM foreign_entry") == [("900",)]
    assert await mirror.bridge.rows("SELECT acked_seq FROM document WHERE key = :key", key=str(ended)) == [(1,)]


async def _by_hand(mirror: Mirror, method: str, path: str) -> None:
    assert mirror.upstream is not None
    client = mirror.make(Spirii)
    await client._http.send(
        method, f"{mirror.url}/v2/temporary-evse-statuses{path}", {"Authorization": "Bearer spirii-key"}
    )
    await client.close()


# --- what ends by itself ----------------------------------------------------------------------------------------------


async def test_wish_that_ended_while_the_bridge_was_down_is_left_alone(mirror: Mirror) -> None:
    await mirror.want(ends=START + HOUR)
    await mirror.want(THIRD, ends=START + HOUR)
    await mirror.fault("hang", count=1, applied=True)
    mirror.start()
    await until(lambda: mirror.actions() == ["create"])
    await mirror.crash()
    mirror.clock.pass_(hours=2)
    await mirror.restart()
    await mirror.looks()
    mirror.clock.pass_(seconds=91)
    await mirror.looks()
    assert mirror.actions() == ["create"]
    mirror.clock.pass_(hours=23)
    await mirror.refresh()
    assert await mirror.bridge.rows("SELECT key FROM document") == []
    assert len(mirror.ours()) == 1
    mirror.assert_rules_kept()


async def test_entry_whose_end_spirii_was_never_told_is_deleted_when_it_comes(mirror: Mirror) -> None:
    number = await mirror.want()
    mirror.start()
    await mirror.agreed()
    await mirror.fault("down")
    await mirror.change(number, ends=START + HOUR)
    await mirror.until_there("SELECT 1 FROM lane WHERE failures > 0")
    mirror.clock.pass_(hours=2)
    mirror.hub.faults.clear()
    await mirror.hub.follow_down()
    await mirror.agreed()
    assert mirror.ours() == []
    assert mirror.actions()[-1] == "delete"
    mirror.assert_rules_kept()


async def test_end_that_is_moved_after_it_has_passed_changes_the_entry_that_there_is(mirror: Mirror) -> None:
    number = await mirror.want(ends=START + HOUR)
    mirror.start()
    await mirror.agreed()
    mirror.clock.pass_(hours=2)
    await mirror.refresh()
    await mirror.change(number, ends=None)
    await mirror.agreed()
    assert (mirror.ours(), mirror.actions()) == ([(ONE, "BLOCKED", "")], ["create", "update"])


async def test_clock_that_runs_ahead_and_is_set_back_makes_no_second_entry(mirror: Mirror) -> None:
    mirror.hub.hub.configure({"duplicates_allowed": True})
    await mirror.want(ends=START + HOUR)
    mirror.start()
    await mirror.agreed()
    mirror.clock.now += timedelta(hours=12)
    await mirror.refresh()
    await mirror.looks()
    mirror.clock.now -= timedelta(hours=12)
    await mirror.refresh()
    await mirror.looks()
    await mirror.agreed()
    assert (len(mirror.ours()), mirror.actions()) == (1, ["create"])
    mirror.assert_rules_kept()


async def test_ticker_drops_what_ended_before_it_was_sent_and_brings_it_back_with_the_clock(mirror: Mirror) -> None:
    await mirror.want(ends=START + HOUR)
    rows = "SELECT key FROM document"
    ticker = Ticker(
        mirror.bridge.writer,
        clock=mirror.clock,
        options=TickerOptions(ReachabilityOptions(), mirror.bridge.options, node="test", documents=PLANS),
        woken=mirror.bridge.woken.append,
        prober=mirror.bridge.prober,
    )
    await ticker.tick()
    assert len(await mirror.bridge.rows(rows)) == 1
    mirror.clock.now += timedelta(hours=2)
    await ticker.tick()
    assert await mirror.bridge.rows(rows) == []
    mirror.clock.now -= timedelta(hours=2)
    mirror.bridge.woken.clear()
    await ticker.tick()
    assert len(await mirror.bridge.rows(rows)) == 1
    assert ACCOUNT in {account for derived in mirror.bridge.woken for account in derived.accounts}


# --- what operators see -----------------------------------------------------------------------------------------------


async def test_operators_see_what_will_be_told_and_what_was_refused(mirror: Mirror) -> None:
    mirror.hub.hub.configure({"evses": (ONE,)})
    await mirror.want()
    await mirror.want(THIRD)
    assert await shown(mirror) == (2, 0)
    mirror.start()
    await mirror.agreed()
    assert await shown(mirror) == (1, 1)
    mirror.hub.hub.configure({"api_keys": ("another",)})
    await mirror.want(kind="RESERVED")
    await mirror.until_there("SELECT 1 FROM document_lane WHERE held IS NOT NULL")
    async with mirror.bridge.store.read() as connection:
        reading = (await read_documents(connection, mirror.clock.steady))[ACCOUNT]
    assert (reading.dirty, reading.refused) == (2, 1)
    assert (
        reading.held
        == reading.last_error
        == ("HTTP 401: invalid_api_key The bearer key is missing, malformed or unknown.")
    )


async def shown(mirror: Mirror) -> tuple[int, int]:
    """Return how many temporary statuses the account has not acknowledged, and how many of them are refused."""
    async with mirror.bridge.store.read() as connection:
        preview = await connection.run_sync(preview_documents, ACCOUNT, frozenset({DocumentKind.TEMPORARY}))
        reading = (await read_documents(connection, mirror.clock.steady))[ACCOUNT]
    assert preview == {DocumentKind.TEMPORARY: reading.dirty}
    return reading.dirty, reading.refused


# --- rates ------------------------------------------------------------------------------------------------------------


async def test_rate_that_is_used_up_pauses_the_account_until_its_reset(mirror: Mirror) -> None:
    mirror.hub.hub.configure({"writes_per_minute": 2})
    for kind in ("BLOCKED", "RESERVED", "MAINTENANCE", "COMMISSIONING"):
        await mirror.want(kind=kind)
    mirror.start()
    await until(lambda: len(mirror.actions()) == 2)
    await mirror.settled()
    await mirror.looks()
    assert len(mirror.ours()) == 2
    mirror.clock.pass_(seconds=30)
    await mirror.looks()
    assert len(mirror.ours()) == 2
    mirror.clock.pass_(seconds=31)
    await until(lambda: len(mirror.ours()) == 4)
    mirror.assert_rules_kept()


async def test_429_waits_for_as_long_as_it_asks(mirror: Mirror) -> None:
    await mirror.fault("rate_limit", count=1, retry_after="120")
    await mirror.want()
    mirror.start()
    await until(lambda: len(mirror.actions()) == 1)
    await mirror.settled()
    mirror.clock.pass_(seconds=119)
    await mirror.looks()
    assert len(mirror.actions()) == 1
    mirror.clock.pass_(seconds=2)
    await until(lambda: len(mirror.ours()) == 1)
    assert mirror.actions() == ["create", "create"], "what was refused for its rate made nothing, so no list is read"
