"""The delivery log as operators read it, and what an order to try again does: over both databases and a real lane."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from tests_bridge import HUBJECT, START, FakeUpstream, running, until

from bridge.app.delivery_services import StoreDeliveries
from bridge.app.wakes import Wakes
from bridge.core.documents import DocumentKind
from bridge.core.model import Accepted, Deferred, Held, Refused
from bridge.core.modes import Mode
from bridge.core.retention import Kept
from bridge.lane import DocumentOptions
from bridge.retention import Retention, RetentionOptions
from bridge.settings import OicpAccount, Settings
from bridge.store.delivery_log import LoggedRequest, log_requests
from bridge.store.lanes import set_mode
from bridge.upstreams.port import Answer
from bridge.upstreams.said import said_of
from bridge.web.delivery_services import DeliveryQuery
from bridge.web.services import Conflict, NotFound, ValueRefused

FIRST = "DE*ABC*E1*1"


@pytest.fixture
async def deliveries(bridge, tmp_path) -> StoreDeliveries:
    account = OicpAccount(kind="oicp", base_url="http://127.0.0.1:1/api/oicp", operator_id="DE*ABC", mode=Mode.LIVE)
    settings = Settings(state_dir=tmp_path / "state", accounts={"hubject": account})
    wakes = Wakes()
    return StoreDeliveries(settings, bridge.store, bridge.writer, clock=bridge.clock, wakes=wakes)


def line(number: int, **other: object) -> LoggedRequest:
    values = {
        "account": HUBJECT,
        "epoch": 1,
        "number": number,
        "kind": "status",
        "sent_at": START + timedelta(minutes=number),
        "outcome": "accepted",
        "why": "",
        "took_ms": 20,
        **other,
    }
    return LoggedRequest(**values)  # type: ignore[arg-type]


async def write(bridge, *lines: LoggedRequest) -> None:
    def handler(conn, items):
        for each in items:
            log_requests(conn, each)
        return [None] * len(items)

    await bridge.writer.submit(handler, lines)


async def numbers(deliveries: StoreDeliveries, **query: object) -> list[int]:
    page = await deliveries.list(DeliveryQuery(**query))  # type: ignore[arg-type]
    return [item.id for item in page.items]


async def logged(deliveries: StoreDeliveries, **query: object) -> None:
    async with asyncio.timeout(20):
        while not await numbers(deliveries, **query):  # noqa: ASYNC110 - a database sets no event
            await asyncio.sleep(0.005)


# --- the log --------------------------------------------------------------------------------------------------------


async def test_the_newest_come_first_and_every_page_goes_on_after_the_one_before(bridge, deliveries) -> None:
    await write(bridge, *(line(number) for number in range(1, 6)))
    first = await deliveries.list(DeliveryQuery(limit=2))
    second = await deliveries.list(DeliveryQuery(limit=2, cursor=first.next_cursor))
    last = await deliveries.list(DeliveryQuery(limit=2, cursor=second.next_cursor))
    assert [[item.id for item in page.items] for page in (first, second, last)] == [[5, 4], [3, 2], [1]]
    assert last.next_cursor is None


async def test_every_filter_holds(bridge, deliveries) -> None:
    ((key,),) = await bridge.rows("SELECT id FROM evse WHERE evse_id = :id", id=FIRST)
    await write(
        bridge,
        line(1, evse=key, outcome="refused"),
        line(2, kind="full_load", records=4),
        line(3, outcome="held"),
        line(4, account="chargeprice"),
        line(600),
    )
    assert await numbers(deliveries, evse_id="de-abc-e1-1") == [1]
    assert await numbers(deliveries, outcomes=("refused", "held")) == [3, 1]
    assert await numbers(deliveries, kind="full_load") == [2]
    assert await numbers(deliveries, account="hubject") == [5, 3, 2, 1]
    assert await numbers(deliveries, since=START + timedelta(minutes=3)) == [5, 4, 3]
    assert await numbers(deliveries, since=START + timedelta(minutes=2), before=START + timedelta(minutes=4)) == [3, 2]
    assert await numbers(deliveries, since=START + timedelta(days=1)) == []


async def test_what_does_not_exist_is_named(deliveries) -> None:
    for query in (DeliveryQuery(account="nobody"), DeliveryQuery(evse_id="DE*ABC*E99")):
        with pytest.raises(NotFound):
            await deliveries.list(query)
    with pytest.raises(ValueRefused, match="cursor: should be the next_cursor"):
        await deliveries.list(DeliveryQuery(cursor="x"))
    with pytest.raises(NotFound):
        await deliveries.get(1)


async def test_whoever_is_bound_to_operators_sees_and_orders_nothing_of_others(bridge, deliveries) -> None:
    ((key,),) = await bridge.rows("SELECT id FROM evse WHERE evse_id = :id", id=FIRST)
    await write(bridge, line(1, evse=key), line(2, kind="full_load"))
    own, others = frozenset({"demo"}), frozenset({"other"})
    assert await numbers(deliveries, operators=own) == [1]
    assert await numbers(deliveries, operators=others) == []
    assert (await deliveries.get(1, own)).evse_id == FIRST
    for question in (
        deliveries.get(1, others),
        deliveries.list(DeliveryQuery(evse_id=FIRST, operators=others)),
        deliveries.retry(FIRST, "hubject", by="ada", operators=others),
    ):
        with pytest.raises(NotFound):
            await question


# --- throughput -----------------------------------------------------------------------------------------------------


async def test_throughput_counts_by_spans_and_says_how_late(bridge, deliveries) -> None:
    lags = [*([40] * 18), 900, 5000]
    await write(
        bridge,
        *(line(number, sent_at=START, lag_ms=lag) for number, lag in enumerate(lags, start=1)),
        line(30, sent_at=START + timedelta(minutes=59), outcome="refused"),
        line(31, sent_at=START + timedelta(minutes=61)),
    )
    found = await deliveries.throughput("hubject", START, START + timedelta(hours=1), 2)
    first, second = found.buckets
    assert (first.requests, first.records, second.requests, second.records) == (
        {"accepted": 20},
        20,
        {"refused": 1},
        0,
    )
    assert (first.lag_p50_s, first.lag_p95_s, first.lag_max_s) == (0.05, 0.95, 5.0)
    assert (first.took_p50_s, second.lag_p50_s, found.bucket_s) == (0.03, None, 1800.0)
    with pytest.raises(ValueRefused):
        await deliveries.throughput("hubject", START, START, 2)


# --- trying again ---------------------------------------------------------------------------------------------------


async def test_a_retry_sends_the_value_of_now_and_the_old_line_stays(bridge, deliveries) -> None:
    epoch = await bridge.connect("one")
    await bridge.report("one", epoch, 1, "Faulted")
    refusing = {"yes": True}
    upstream = FakeUpstream(
        answer=lambda record: Refused("018") if record.evse_id == FIRST and refusing["yes"] else Accepted()
    )
    lane = bridge.lane(upstream)
    async with running(lane):
        await until(lambda: len(upstream.pushed) == 4)
        await logged(deliveries, evse_id=FIRST)
        refusing["yes"] = False
        report = await deliveries.retry("DEABCE11", "hubject", by="ada")
        lane.wake()
        await until(lambda: len(upstream.pushed) == 5)
    assert (report.evse_id, report.value, report.was, report.why, report.waits) == (
        FIRST,
        "OutOfService",
        "refused",
        "018",
        "",
    )
    assert (upstream.pushed[-1].evse_id, upstream.pushed[-1].value) == (FIRST, "OutOfService")
    page = await deliveries.list(DeliveryQuery(evse_id=FIRST))
    assert [item.outcome for item in page.items] == ["accepted", "refused"]
    with pytest.raises(Conflict, match="there is nothing to send"):
        await deliveries.retry(FIRST, "hubject", by="ada")


async def test_a_retry_does_not_lift_what_holds_the_account(bridge, deliveries) -> None:
    upstream = FakeUpstream(answer=lambda _record: Held("017: certificate"))
    async with running(bridge.lane(upstream)):
        await until(lambda: len(upstream.pushed) == 1)
        await logged(deliveries)
        report = await deliveries.retry(FIRST, "hubject", by="ada")
    assert (report.was, report.waits) == (
        "held",
        "the account is held (017: certificate), and tries by itself once a minute",
    )
    assert len(upstream.pushed) == 1


async def test_what_is_due_or_off_or_unknown_is_no_retry(bridge, deliveries) -> None:
    with pytest.raises(Conflict, match="it is due already"):
        await deliveries.retry(FIRST, "hubject", by="ada")
    with pytest.raises(NotFound):
        await deliveries.retry("DE*ABC*E99", "hubject", by="ada")
    with pytest.raises(NotFound):
        await deliveries.retry(FIRST, "nobody", by="ada")

    def off(conn, items):
        set_mode(conn, HUBJECT, "off", by="ada", at_w=0, confirmed=False)
        return [None] * len(items)

    await bridge.writer.submit(off, None)
    with pytest.raises(Conflict, match="hubject is off"):
        await deliveries.retry(FIRST, "hubject", by="ada")


async def test_a_refused_document_is_tried_again(bridge, deliveries) -> None:
    await bridge.wish({"7": '{"kind": "BLOCKED"}'}, DocumentKind.TEMPORARY)
    answers = [Answer(Refused("400")), Answer(Accepted())]
    options = DocumentOptions(frozenset({DocumentKind.TEMPORARY}), per_minute=60_000, survey_every=None)
    upstream = FakeUpstream(document_answer=lambda _document: answers.pop(0))
    lane = bridge.lane(upstream, documents=options)
    async with running(lane):
        await until(lambda: len(upstream.documents) == 1)
        await logged(deliveries, kind="temporary")
        report = await deliveries.retry_document("hubject", "temporary", "7", by="ada")
        bridge.clock.pass_(seconds=1)
        lane.wake()
        await until(lambda: len(upstream.documents) == 2)
    assert (report.was, report.why, report.waits) == ("refused", "400", "")
    for kind, key in (("temporary", "8"), ("poem", "7")):
        with pytest.raises(NotFound):
            await deliveries.retry_document("hubject", kind, key, by="ada")


async def test_a_row_that_waits_after_a_failure_goes_out_when_the_accounts_pause_is_over(bridge, deliveries) -> None:
    upstream = FakeUpstream(answer=lambda _record: Deferred("503"))
    async with running(bridge.lane(upstream)):
        await until(lambda: len(upstream.pushed) == 1)
        await logged(deliveries)
        report = await deliveries.retry(upstream.pushed[0].evse_id, "hubject", by="ada")
    assert report.was == "deferred"
    assert report.waits.startswith("the account pauses for ")
    assert len(upstream.pushed) == 1


# --- what was said --------------------------------------------------------------------------------------------------


async def test_a_push_is_shown_with_what_was_said_and_how_late_it_was(bridge, deliveries) -> None:
    said = (said_of("POST", "https://hub.example", {"Api-Key": "abcdef"}, b"{}", status=200, text='{"token":"x"}'),)
    upstream = FakeUpstream(said=said)
    bridge.clock.pass_(seconds=3)
    async with running(bridge.lane(upstream)):
        await logged(deliveries)
    found = await deliveries.get(1)
    assert found.exchanges is not None
    (exchange,) = found.exchanges
    assert (exchange.headers, exchange.body, exchange.answer_body) == ({"Api-Key": "***"}, "{}", '{"token":"***"}')
    assert found.lag_ms == 3000


async def test_a_value_that_the_hub_had_is_asserted_again_without_a_lag(bridge, deliveries) -> None:
    upstream = FakeUpstream()
    lane = bridge.lane(upstream)
    async with running(lane):
        await until(lambda: len(upstream.pushed) == 4)
        bridge.clock.pass_(hours=25)
        lane.wake()
        await until(lambda: len(upstream.pushed) == 8)
    page = await deliveries.list(DeliveryQuery(limit=1))
    assert page.items[0].lag_ms is None


async def test_old_bodies_go_and_their_lines_stay(bridge, deliveries) -> None:
    await write(bridge, *(line(number, request="[]", answer="[]") for number in range(1, 6)))
    short = Kept(timedelta(days=400), 2)
    long = Kept(timedelta(days=400), 1_000_000)
    options = RetentionOptions(
        history=long, delivery_log=long, security_events=long, temporary=long, delivery_bodies=short, rows_a_turn=2
    )
    retention = Retention(bridge.writer, bridge.clock, options)
    while await retention.turn():
        pass
    assert await bridge.rows("SELECT id FROM delivery_log WHERE request IS NOT NULL ORDER BY id") == [(4,), (5,)]
    assert await numbers(deliveries) == [5, 4, 3, 2, 1]
    assert (await deliveries.get(1)).exchanges is None
