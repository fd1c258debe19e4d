"""Prove that a lane sends what a hub is told besides statuses: first, at its own pace, and never twice by mistake."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta

import pytest
from tests_bridge import HUBJECT, FakeUpstream, running, until

from bridge.core.documents import DocumentKind, Learnt
from bridge.core.full_load import FullLoadOptions, FullLoadPolicy
from bridge.core.model import Accepted, Deferred, Held, Outcome, Refused, WrongAction
from bridge.edits import (
    DeletionOrder,
    FullLoadOrder,
    RefreshOrder,
    SyncOrder,
    delete_documents,
    refresh_documents,
    request_full_loads,
    sync_accounts,
)
from bridge.edits.accounts import StillListed
from bridge.lane.model import DocumentOptions
from bridge.upstreams.port import Answer, Entry

AT_ONCE = 10**9
"""Documents per minute: a pace below the clock's resolution."""
DATA = DocumentOptions(frozenset({DocumentKind.EVSE_DATA}), per_minute=AT_ONCE)
LOADED = DocumentOptions(
    frozenset({DocumentKind.EVSE_DATA}), per_minute=AT_ONCE, full_load=FullLoadOptions(policy=FullLoadPolicy.AUTO)
)
MIRROR = DocumentOptions(frozenset({DocumentKind.TEMPORARY}), per_minute=AT_ONCE)
DAY = timedelta(hours=24)
EVSES = ("DE*ABC*E1*1", "DE*ABC*E1*2", "DE*ABC*E2*1", "DE*ABC*E2*2")


async def settled(bridge) -> None:
    """Wait until no document is in flight: the clock may be moved then."""
    async with asyncio.timeout(20):
        while await bridge.rows("SELECT 1 FROM document WHERE in_flight_seq > 0"):  # noqa: ASYNC110 - a database sets no event
            await asyncio.sleep(0.005)


async def looks(bridge, turns: int = 3) -> None:
    """Let the lane look so many times more; it looks every 20 ms here."""
    goal = bridge.writer.batches_written + turns
    await until(lambda: bridge.writer.batches_written >= goal)


async def test_every_evses_data_goes_before_any_status(bridge) -> None:
    upstream = FakeUpstream()
    await bridge.wish(dict.fromkeys(EVSES, '{"a":1}'))
    async with running(bridge.lane(upstream, documents=DATA)):
        await until(lambda: len(upstream.pushed) == 4)
    assert upstream.order[:4] == [f"evse_data {evse}" for evse in EVSES]
    assert sorted(upstream.order[4:]) == [f"status {evse}" for evse in EVSES]
    assert [document.known for document in upstream.documents] == [False] * 4


async def test_status_waits_for_data_that_the_hub_refuses_and_the_others_go_on(bridge) -> None:
    bad = EVSES[1]
    upstream = FakeUpstream(
        document_answer=lambda document: Answer(Refused("no such plug") if document.key == bad else Accepted())
    )
    await bridge.wish(dict.fromkeys(EVSES, '{"a":1}'))
    async with running(bridge.lane(upstream, documents=DATA)):
        await until(lambda: len(upstream.pushed) == 3)
        await looks(bridge)
        assert bad not in {record.evse_id for record in upstream.pushed}
        upstream.document_answer = lambda _document: Answer(Accepted())
        await bridge.wish({**dict.fromkeys(EVSES, '{"a":1}'), bad: '{"a":2}'})
        await until(lambda: len(upstream.pushed) == 4)
    assert upstream.pushed[-1].evse_id == bad


async def test_refused_change_of_data_does_not_stop_the_statuses_of_an_evse_that_the_hub_has(bridge) -> None:
    upstream = FakeUpstream()
    epoch = await bridge.connect("one")
    await bridge.wish(dict.fromkeys(EVSES, '{"a":1}'))
    async with running(bridge.lane(upstream, documents=DATA)):
        await until(lambda: len(upstream.pushed) == 4)
        upstream.document_answer = lambda _document: Answer(Refused("no such plug"))
        await bridge.wish({**dict.fromkeys(EVSES, '{"a":1}'), EVSES[0]: '{"a":2}'})
        await until(lambda: len(upstream.documents) == 5)
        await bridge.report("one", epoch, 1, "Faulted")
        await until(lambda: len(upstream.pushed) == 5)
    assert (upstream.pushed[-1].evse_id, upstream.pushed[-1].value) == (EVSES[0], "OutOfService")


async def test_status_that_was_refused_for_want_of_data_is_tried_again_when_the_hub_has_taken_some(bridge) -> None:
    taken: set[str] = set()

    def answer(record) -> Outcome:
        return Accepted() if record.evse_id in taken else Refused("603")

    upstream = FakeUpstream(answer=answer)
    async with running(bridge.lane(upstream, documents=DATA)):
        await until(lambda: len(upstream.pushed) == 4)
        await looks(bridge)
        taken.update(EVSES)
        await bridge.wish({EVSES[0]: '{"a":1}'})
        await until(lambda: len(upstream.pushed) == 5)
        await looks(bridge)
    assert [record.evse_id for record in upstream.pushed[4:]] == [EVSES[0]]


async def test_full_load_of_data_brings_back_every_status_that_was_refused_for_want_of_it(bridge) -> None:
    taken: set[str] = set()

    def answer(record) -> Outcome:
        return Accepted() if record.evse_id in taken else Refused("603")

    upstream = FakeUpstream(answer=answer)
    async with running(bridge.lane(upstream, documents=LOADED)):
        await until(lambda: len(upstream.pushed) == 4)
        await looks(bridge)
        taken.update(EVSES)
        await bridge.wish(dict.fromkeys(EVSES, '{"a":1}'))
        await until(lambda: len(upstream.data_loads) == 1 and len(upstream.pushed) == 8)
    assert {record.evse_id for record in upstream.pushed[4:]} == set(EVSES)


async def test_evse_without_data_in_the_listing_is_pushed_as_before(bridge) -> None:
    upstream = FakeUpstream(document_answer=lambda _document: Answer(Refused("no")))
    await bridge.wish({EVSES[0]: '{"a":1}'})
    async with running(bridge.lane(upstream, documents=DATA)):
        await until(lambda: len(upstream.pushed) == 3)
        await looks(bridge)
    assert {record.evse_id for record in upstream.pushed} == set(EVSES[1:])


async def test_full_load_of_data_is_one_request_and_is_followed_by_one_of_statuses(bridge) -> None:
    upstream = FakeUpstream()
    await bridge.wish(dict.fromkeys(EVSES, '{"a":1}'))
    lane = bridge.lane(upstream, documents=LOADED, full_load=FullLoadOptions(policy=FullLoadPolicy.AUTO))
    async with running(lane):
        await until(lambda: upstream.order == ["data"])
        await settled(bridge)
        await looks(bridge)
        assert upstream.order == ["data"], "the first one of statuses waits for the stations, as without data"
        bridge.clock.pass_(minutes=10, seconds=1)
        await until(lambda: upstream.order == ["data", "statuses"])
        await looks(bridge)
    assert upstream.order == ["data", "statuses"]
    assert [document.key for document in upstream.data_loads[0]] == list(EVSES)
    assert {record.evse_id for record in upstream.full_loads[0]} == set(EVSES)


async def test_full_load_of_statuses_waits_until_data_that_goes_singly_is_through(bridge) -> None:
    upstream = FakeUpstream(data_answer=lambda _documents: Refused("one of them is wrong"))
    await bridge.wish(dict.fromkeys(EVSES, '{"a":1}'))
    lane = bridge.lane(upstream, documents=LOADED, full_load=FullLoadOptions(policy=FullLoadPolicy.AUTO))
    async with running(lane):
        await until(lambda: len(upstream.data_loads) == 1)
        await settled(bridge)
        bridge.clock.pass_(minutes=10, seconds=1)  # nothing has reported: a first fullLoad waits so long
        await until(lambda: len(upstream.full_loads) == 1)
    assert upstream.order == ["data", *(f"evse_data {evse}" for evse in EVSES), "statuses"]


async def test_full_load_of_data_leaves_out_what_its_answer_named(bridge) -> None:
    answers = iter([Refused("603", named=("DEABCE12",))])
    upstream = FakeUpstream(data_answer=lambda _documents: next(answers, Accepted()))
    await bridge.wish(dict.fromkeys(EVSES, '{"a":1}'))
    async with running(bridge.lane(upstream, documents=LOADED)):
        await until(lambda: len(upstream.data_loads) == 2)
        await settled(bridge)
    assert [document.key for document in upstream.data_loads[1]] == [EVSES[0], EVSES[2], EVSES[3]]
    refused = await bridge.rows("SELECT key FROM document WHERE refused IS NOT NULL")
    assert refused == [(EVSES[1],)]


async def test_first_data_of_an_account_goes_out_whole_however_lately_there_was_none(bridge) -> None:
    upstream = FakeUpstream()
    async with running(bridge.lane(upstream, documents=LOADED)):
        await until(lambda: len(upstream.pushed) == 4)
        await bridge.wish(dict.fromkeys(EVSES, '{"a":1}'))
        await until(lambda: len(upstream.data_loads) == 1)
        await settled(bridge)
        await looks(bridge)
    assert upstream.documents == []


async def test_full_load_of_data_keeps_an_evse_whose_change_was_refused_as_the_hub_has_it(bridge) -> None:
    upstream = FakeUpstream()
    await bridge.wish(dict.fromkeys(EVSES, '{"a":1}'))
    async with running(bridge.lane(upstream, documents=LOADED)):
        await until(lambda: len(upstream.data_loads) == 1)
        await settled(bridge)
        upstream.document_answer = lambda _document: Answer(Refused("no such plug"))
        await bridge.wish({**dict.fromkeys(EVSES, '{"a":1}'), EVSES[0]: '{"a":2}'})
        await until(lambda: len(upstream.documents) == 1)
        await settled(bridge)
        await bridge.writer.submit(request_full_loads, FullLoadOrder(HUBJECT, True, bridge.clock()))
        await until(lambda: len(upstream.data_loads) == 2)
        await settled(bridge)
        await looks(bridge)
    assert {document.key: document.content for document in upstream.data_loads[1]} == dict.fromkeys(EVSES, '{"a":1}')
    refused = await bridge.rows("SELECT key, refused, desired FROM document WHERE refused IS NOT NULL")
    assert refused == [(EVSES[0], "no such plug", '{"a":2}')]


async def test_full_load_of_data_leaves_out_old_data_that_the_hub_has_come_to_refuse(bridge) -> None:
    upstream = FakeUpstream()
    await bridge.wish(dict.fromkeys(EVSES, '{"a":1}'))
    async with running(bridge.lane(upstream, documents=LOADED)):
        await until(lambda: len(upstream.data_loads) == 1)
        await settled(bridge)
        upstream.document_answer = lambda _document: Answer(Refused("018"))
        await bridge.wish({**dict.fromkeys(EVSES, '{"a":1}'), EVSES[0]: '{"a":2}'})
        await until(lambda: len(upstream.documents) == 1)
        await settled(bridge)
        answers = iter([Refused("018", named=("DEABCE11",))])
        upstream.data_answer = lambda _documents: next(answers, Accepted())
        await bridge.writer.submit(request_full_loads, FullLoadOrder(HUBJECT, True, bridge.clock()))
        await until(lambda: len(upstream.data_loads) == 3)
        await settled(bridge)
    assert [len(documents) for documents in upstream.data_loads] == [4, 4, 3]
    assert [document.key for document in upstream.data_loads[2]] == list(EVSES[1:])


async def test_first_full_load_of_statuses_waits_for_data_on_its_way_and_single_pushes_do_not(bridge) -> None:
    upstream = FakeUpstream(document_answer=lambda document: answers[document.key])
    answers = {key: Answer(Accepted()) for key in EVSES} | {EVSES[3]: Answer(Deferred("503", retry_after_s=600))}
    await bridge.wish(dict.fromkeys(EVSES, '{"a":1}'))
    lane = bridge.lane(upstream, documents=DATA, full_load=FullLoadOptions(policy=FullLoadPolicy.AUTO))
    async with running(lane):
        await until(lambda: len(upstream.documents) == 4)
        await settled(bridge)
        bridge.clock.pass_(minutes=5, seconds=1)  # half of the time that a first fullLoad waits for the stations
        await looks(bridge)
        bridge.clock.pass_(minutes=4, seconds=50)
        await looks(bridge)
        assert upstream.full_loads == []
        answers[EVSES[3]] = Answer(Accepted())
        bridge.clock.pass_(minutes=5)
        await until(lambda: len(upstream.full_loads) == 1)
    assert {record.evse_id for record in upstream.full_loads[0]} == set(EVSES)


async def test_status_is_asserted_anew_where_the_hub_gets_data_that_it_did_not_have(bridge) -> None:
    upstream = FakeUpstream()
    await bridge.wish({EVSES[0]: '{"a":1}'})
    async with running(bridge.lane(upstream, documents=DATA)):
        await until(lambda: len(upstream.pushed) == 4)
        await bridge.wish({})
        await until(lambda: len(upstream.documents) == 2)
        await settled(bridge)
        await looks(bridge)
        assert len(upstream.pushed) == 4
        await bridge.wish({EVSES[0]: '{"a":1}'})
        await until(lambda: len(upstream.pushed) == 5)
    assert upstream.pushed[-1].evse_id == EVSES[0]


async def test_data_that_the_configuration_sends_no_more_is_forgotten_and_no_status_waits_for_it(bridge) -> None:
    await bridge.wish(dict.fromkeys(EVSES, '{"a":1}'))
    await bridge.writer.submit(refresh_documents, RefreshOrder((), bridge.clock(), (HUBJECT,)))
    assert await bridge.rows("SELECT count(*) FROM document") == [(0,)]


async def test_empty_listing_never_replaces_the_hubs_data(bridge) -> None:
    upstream = FakeUpstream()
    async with running(bridge.lane(upstream, documents=LOADED)):
        await until(lambda: len(upstream.pushed) == 4)
    assert upstream.data_loads == []


async def test_key_that_may_not_write_documents_holds_no_status(bridge) -> None:
    upstream = FakeUpstream(document_answer=lambda _document: Answer(Held("403 not authorized")))
    epoch = await bridge.connect("one")
    stations = DocumentOptions(frozenset({DocumentKind.STATION}), per_minute=AT_ONCE)
    await bridge.wish({"a": "{}", "b": "{}"}, DocumentKind.STATION)
    async with running(bridge.lane(upstream, documents=stations)):
        await until(lambda: len(upstream.pushed) == 4)
        await bridge.report("one", epoch, 1, "Faulted")
        await until(lambda: len(upstream.pushed) == 5)
        await settled(bridge)
    assert await bridge.rows("SELECT held FROM document_lane") == [("403 not authorized",)]
    assert await bridge.rows("SELECT held FROM lane") == [(None,)]
    assert len(upstream.documents) == 1


@pytest.mark.parametrize(
    "failure",
    [
        pytest.param(Answer(Deferred("HTTP 503", in_doubt=True), http=503), id="that fails"),
        pytest.param(Answer(Deferred("HTTP 429", retry_after_s=900), http=429), id="that limits"),
        pytest.param(Answer(Deferred("no answer in time", in_doubt=True)), id="that never answers"),
    ],
)
async def test_statuses_flow_beside_documents_that_the_hub_does_not_take(bridge, failure: Answer) -> None:
    upstream = FakeUpstream(document_answer=lambda _document: failure)
    epoch = await bridge.connect("one")
    stations = DocumentOptions(frozenset({DocumentKind.STATION}), per_minute=AT_ONCE)
    await bridge.wish({"a": "{}", "b": "{}"}, DocumentKind.STATION)
    async with running(bridge.lane(upstream, documents=stations)):
        await until(lambda: len(upstream.pushed) == 4)
        await bridge.report("one", epoch, 1, "Faulted")
        await until(lambda: len(upstream.pushed) == 5)
        await settled(bridge)
    assert len(upstream.documents) == 1
    assert await bridge.rows("SELECT failures, paused_until FROM lane") == [(0, None)]


async def test_pause_of_documents_outlives_a_restart(bridge) -> None:
    upstream = FakeUpstream(document_answer=lambda _document: Answer(Deferred("HTTP 429", retry_after_s=60), http=429))
    await bridge.wish({"a": "{}", "b": "{}"}, DocumentKind.STATION)
    stations = DocumentOptions(frozenset({DocumentKind.STATION}), per_minute=AT_ONCE)
    async with running(bridge.lane(upstream, documents=stations)):
        await until(lambda: len(upstream.pushed) == 4)
    async with running(bridge.lane(upstream, documents=stations)):
        await looks(bridge)
        assert len(upstream.documents) == 1
        bridge.clock.pass_(seconds=61)
        await until(lambda: len(upstream.documents) == 2)


async def test_statuses_wait_for_a_full_load_of_data_that_fails_for_a_minute_only(bridge) -> None:
    upstream = FakeUpstream(data_answer=lambda _documents: Deferred("HTTP 429", retry_after_s=900))
    await bridge.wish({EVSES[0]: "{}"})
    policy = FullLoadOptions(policy=FullLoadPolicy.AUTO, first_share=0.0)
    async with running(bridge.lane(upstream, full_load=policy, documents=LOADED)):
        await until(lambda: len(upstream.data_loads) == 1)
        await settled(bridge)
        await looks(bridge)
        assert upstream.pushed == []
        bridge.clock.pass_(seconds=61)
        await until(lambda: len(upstream.pushed) == 3)
        await looks(bridge)
    assert {record.evse_id for record in upstream.pushed} == set(EVSES[1:])
    assert upstream.full_loads == []  # the first one would withdraw the EVSE whose data is on its way
    assert len(upstream.data_loads) == 1


async def test_later_full_load_of_statuses_waits_for_one_of_data_that_fails_for_a_minute_only(bridge) -> None:
    upstream = FakeUpstream()
    await bridge.wish({EVSES[0]: "{}"})
    policy = FullLoadOptions(policy=FullLoadPolicy.AUTO, first_share=0.0)
    async with running(bridge.lane(upstream, full_load=policy, documents=LOADED)):
        await until(lambda: len(upstream.data_loads) == 1 and len(upstream.full_loads) == 1)
        await settled(bridge)
        upstream.data_answer = lambda _documents: Deferred("HTTP 429", retry_after_s=900)
        for of_data in (True, False):
            await bridge.writer.submit(request_full_loads, FullLoadOrder(HUBJECT, of_data, bridge.clock()))
        await until(lambda: len(upstream.data_loads) == 2)
        await settled(bridge)
        await looks(bridge)
        assert len(upstream.full_loads) == 1
        bridge.clock.pass_(seconds=61)
        await until(lambda: len(upstream.full_loads) == 2)


async def test_hub_that_nothing_of_a_document_reaches_pauses_the_whole_account(bridge) -> None:
    upstream = FakeUpstream(document_answer=lambda _document: Answer(Deferred("cannot connect", retry_after_s=60)))
    await bridge.wish({EVSES[0]: "{}"})
    async with running(bridge.lane(upstream, documents=DATA)):
        await until(lambda: len(upstream.documents) == 1)
        await settled(bridge)
        await looks(bridge)
        assert upstream.pushed == []
        upstream.document_answer = lambda _document: Answer(Accepted())
        bridge.clock.pass_(seconds=61)
        await until(lambda: len(upstream.pushed) == 4)


async def test_statuses_flow_between_documents_that_wait_for_their_own_pace(bridge) -> None:
    slow = DocumentOptions(frozenset({DocumentKind.STATION}), per_minute=1)
    upstream = FakeUpstream()
    await bridge.wish({"a": "{}", "b": "{}"}, DocumentKind.STATION)
    async with running(bridge.lane(upstream, documents=slow)):
        await until(lambda: len(upstream.pushed) == 4)
        assert upstream.order[0] == "station a"
        assert "station b" not in upstream.order
        bridge.clock.pass_(seconds=61)
        await until(lambda: "station b" in upstream.order)


async def test_lock_version_of_an_answer_is_kept_for_the_next_change(bridge) -> None:
    upstream = FakeUpstream(document_answer=lambda _document: Answer(Accepted(), 201, learnt=Learnt(version=1)))
    stations = DocumentOptions(frozenset({DocumentKind.STATION}), per_minute=AT_ONCE)
    await bridge.wish({"a": '{"n":1}'}, DocumentKind.STATION)
    async with running(bridge.lane(upstream, documents=stations)):
        await until(lambda: len(upstream.documents) == 1)
        await settled(bridge)
        await bridge.wish({"a": '{"n":1}'}, DocumentKind.STATION)
        await looks(bridge)
        assert len(upstream.documents) == 1
        await bridge.wish({"a": '{"n":2}'}, DocumentKind.STATION)
        await until(lambda: len(upstream.documents) == 2)
    assert [document.remote.version for document in upstream.documents] == [0, 1]
    assert upstream.documents[1].acked == '{"n":1}'


async def test_station_that_left_the_listing_is_not_deleted_and_data_is(bridge) -> None:
    both = DocumentOptions(frozenset({DocumentKind.STATION, DocumentKind.EVSE_DATA}), per_minute=AT_ONCE)
    upstream = FakeUpstream(document_answer=lambda _document: Answer(Accepted(), learnt=Learnt(version=7)))
    await bridge.wish({"a": "{}"}, DocumentKind.STATION)
    await bridge.wish({EVSES[0]: "{}"})
    async with running(bridge.lane(upstream, documents=both)):
        await until(lambda: len(upstream.documents) == 2)
        await settled(bridge)
        await bridge.wish({}, DocumentKind.STATION)
        await bridge.wish({})
        await until(lambda: len(upstream.documents) == 3)
        await settled(bridge)
        await looks(bridge)
    assert (upstream.documents[2].key, upstream.documents[2].content) == (EVSES[0], "")
    kept = await bridge.rows("SELECT kind, key, tombstone, remote_version FROM document")
    assert [(row[0], row[1], bool(row[2]), row[3]) for row in kept] == [("station", "a", True, 7)]


# --- what the hub creates -------------------------------------------------------------------------------------------


async def test_creation_whose_answer_is_lost_is_not_tried_again_before_the_doubt_is_over(bridge) -> None:
    answers = iter([Answer(Deferred("timeout", in_doubt=True))])
    upstream = FakeUpstream(document_answer=lambda _document: next(answers, Answer(Accepted(), learnt=Learnt("42"))))
    await bridge.wish({"1": '{"s":"BLOCKED"}'}, DocumentKind.TEMPORARY)
    async with running(bridge.lane(upstream, documents=MIRROR)):
        await until(lambda: len(upstream.documents) == 1)
        await settled(bridge)
        bridge.clock.pass_(seconds=60)
        await bridge.wish({"1": '{"s":"RESERVED"}'}, DocumentKind.TEMPORARY)
        await looks(bridge)
        assert len(upstream.documents) == 1
        bridge.clock.pass_(seconds=31)
        await until(lambda: len(upstream.documents) == 2)
        await settled(bridge)
    assert (upstream.documents[1].content, upstream.documents[1].remote.lost) == (
        '{"s":"RESERVED"}',
        ('{"s":"BLOCKED"}',),
    )
    assert await bridge.rows("SELECT remote_id, lost FROM document") == [("42", None)]


async def test_creation_that_a_crash_cut_off_is_remembered_by_the_next_process(bridge) -> None:
    upstream = FakeUpstream(gate=asyncio.Event())
    await bridge.wish({"1": '{"s":"BLOCKED"}'}, DocumentKind.TEMPORARY)
    task = asyncio.create_task(bridge.lane(upstream, documents=MIRROR).run())
    await until(lambda: len(upstream.documents) == 1)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    again = FakeUpstream()
    async with running(bridge.lane(again, documents=MIRROR)):
        await looks(bridge)
        assert again.documents == []
        bridge.clock.pass_(seconds=91)
        await until(lambda: len(again.documents) == 1)
    assert again.documents[0].remote.lost == ('{"s":"BLOCKED"}',)


async def test_entry_that_is_gone_at_the_hub_is_created_anew(bridge) -> None:
    answers = iter([Answer(Accepted(), learnt=Learnt("42")), Answer(WrongAction(False, "404"), learnt=Learnt(""))])
    upstream = FakeUpstream(document_answer=lambda _document: next(answers, Answer(Accepted(), learnt=Learnt("43"))))
    await bridge.wish({"1": '{"s":1}'}, DocumentKind.TEMPORARY)
    async with running(bridge.lane(upstream, documents=MIRROR)):
        await until(lambda: len(upstream.documents) == 1)
        await settled(bridge)
        await bridge.wish({"1": '{"s":2}'}, DocumentKind.TEMPORARY)
        await until(lambda: len(upstream.documents) == 3)
        await settled(bridge)
    assert [document.remote.id for document in upstream.documents] == ["", "42", ""]
    assert await bridge.rows("SELECT remote_id FROM document") == [("43",)]


async def test_survey_keeps_what_others_made_and_asserts_what_of_ours_is_gone(bridge) -> None:
    surveyed = DocumentOptions(MIRROR.kinds, AT_ONCE, survey_every=DAY)
    ours = Entry("42", "DE*ABC*E1*2", "BLOCKED", "2026-01-01T00:00:00Z", None, '{"s":1}')
    others = Entry("7", "DE*ABC*E1*1", "MAINTENANCE", "2026-01-01T00:00:00Z", None, '{"x":1}')
    answer = Answer(Accepted(), learnt=Learnt("42"))
    upstream = FakeUpstream(document_answer=lambda _document: answer, entries=(ours, others))
    await bridge.wish({"1": '{"s":1}'}, DocumentKind.TEMPORARY)
    async with running(bridge.lane(upstream, documents=surveyed)):
        await until(lambda: upstream.surveys == 1 and len(upstream.documents) == 1)
        await settled(bridge)
        bridge.clock.pass_(hours=24, seconds=1)
        await until(lambda: upstream.surveys == 2)
        await looks(bridge)
        assert len(upstream.documents) == 1
        upstream.entries = (others,)
        bridge.clock.pass_(hours=24, seconds=1)
        await until(lambda: upstream.surveys == 3 and len(upstream.documents) == 2)
        await settled(bridge)
    foreign = await bridge.rows("SELECT account, remote_id, evse_id, kind FROM foreign_entry")
    assert foreign == [(HUBJECT, "7", "DE*ABC*E1*1", "MAINTENANCE")]


# --- operators' orders ----------------------------------------------------------------------------------------------


async def test_sync_sends_what_was_refused_at_once_and_nothing_that_agrees(bridge) -> None:
    answers = iter([Answer(Refused("no"))])
    upstream = FakeUpstream(document_answer=lambda _document: next(answers, Answer(Accepted())))
    await bridge.wish({EVSES[0]: "{}", EVSES[1]: "{}"})
    async with running(bridge.lane(upstream, documents=DATA)):
        await until(lambda: len(upstream.documents) == 2)
        await settled(bridge)
        await bridge.writer.submit(sync_accounts, SyncOrder(HUBJECT, False, bridge.clock()))
        await until(lambda: len(upstream.documents) == 3)
        await settled(bridge)
        await looks(bridge)
    assert [document.key for document in upstream.documents] == [EVSES[0], EVSES[1], EVSES[0]]


async def test_sync_that_forgets_sends_everything_again(bridge) -> None:
    upstream = FakeUpstream()
    await bridge.wish({EVSES[0]: "{}"})
    async with running(bridge.lane(upstream, documents=DATA)):
        await until(lambda: len(upstream.pushed) == 4)
        await settled(bridge)
        await bridge.writer.submit(sync_accounts, SyncOrder(HUBJECT, True, bridge.clock()))
        await until(lambda: len(upstream.documents) == 2 and len(upstream.pushed) == 8)


async def test_full_load_goes_out_on_request(bridge) -> None:
    upstream = FakeUpstream()
    policy = FullLoadOptions(policy=FullLoadPolicy.CONFIRMED)
    async with running(bridge.lane(upstream, full_load=policy)):
        await until(lambda: len(upstream.pushed) == 4)
        await bridge.writer.submit(request_full_loads, FullLoadOrder(HUBJECT, False, bridge.clock()))
        await until(lambda: len(upstream.full_loads) == 1)
    assert {record.evse_id for record in upstream.full_loads[0]} == set(EVSES)


async def test_full_load_of_data_on_request_is_followed_by_one_of_statuses(bridge) -> None:
    upstream = FakeUpstream()
    policy = FullLoadOptions(policy=FullLoadPolicy.CONFIRMED)
    data = DocumentOptions(DATA.kinds, AT_ONCE, full_load=policy)
    await bridge.wish(dict.fromkeys(EVSES, "{}"))
    async with running(bridge.lane(upstream, documents=data, full_load=policy)):
        await until(lambda: len(upstream.pushed) == 4)
        await bridge.writer.submit(request_full_loads, FullLoadOrder(HUBJECT, True, bridge.clock()))
        await until(lambda: len(upstream.data_loads) == 1 and len(upstream.full_loads) == 1)
    assert upstream.order[-2:] == ["data", "statuses"]


async def test_station_is_deleted_at_the_hub_on_request_and_only_once_it_left_the_listing(bridge) -> None:
    stations = DocumentOptions(frozenset({DocumentKind.STATION}), per_minute=AT_ONCE)
    upstream = FakeUpstream()
    order = DeletionOrder(HUBJECT, (DocumentKind.STATION, "a"), bridge.clock())
    await bridge.wish({"a": "{}"}, DocumentKind.STATION)
    async with running(bridge.lane(upstream, documents=stations)):
        await until(lambda: len(upstream.documents) == 1)
        await settled(bridge)
        with pytest.raises(StillListed, match="station a is still listed"):
            await bridge.writer.submit(delete_documents, order)
        await bridge.wish({}, DocumentKind.STATION)
        await bridge.writer.submit(delete_documents, order)
        await until(lambda: len(upstream.documents) == 2)
        await settled(bridge)
    assert upstream.documents[1].content == ""
    assert await bridge.rows("SELECT count(*) FROM document") == [(0,)]
