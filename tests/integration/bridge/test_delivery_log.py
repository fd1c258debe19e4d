"""Prove that each request to a hub leaves one line about what it carried and how it ended, wherever the bridge dies."""

from __future__ import annotations

import asyncio

import pytest
from tests_bridge import HUBJECT, START, FakeUpstream, LossyWriter, kill, running, until

from bridge.core.documents import DocumentKind
from bridge.core.full_load import FullLoadOptions, FullLoadPolicy
from bridge.core.model import Accepted, Deferred, Held, Refused, WrongAction
from bridge.lane import DocumentOptions
from bridge.lane.journal import outcome_name
from bridge.lane.turns import take_turns
from bridge.store.errors import StoreUnavailable

ALL = FullLoadOptions(policy=FullLoadPolicy.AUTO, first_share=0.0)


async def log(bridge, columns: str) -> list[tuple]:
    return await bridge.rows(f"SELECT {columns} FROM delivery_log ORDER BY id")  # noqa: S608 - columns are the test's own


async def logged(bridge, number: int) -> None:
    async with asyncio.timeout(20):
        while len(await log(bridge, "id")) < number:  # noqa: ASYNC110 - a database sets no event
            await asyncio.sleep(0.005)


@pytest.mark.parametrize(
    ("outcome", "name"),
    [
        (Accepted(), "accepted"),
        (Deferred("503"), "deferred"),
        (Deferred("timeout", in_doubt=True), "in_doubt"),
        (Refused("022"), "refused"),
        (WrongAction(known=True, why="exists"), "wrong_action"),
        (Held("017"), "held"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_outcome_has_a_name(outcome, name: str) -> None:
    assert outcome_name(outcome) == name


async def test_a_push_is_one_line_with_what_it_carried_and_the_hubs_answer(bridge) -> None:
    epoch = await bridge.connect("one")
    await bridge.report("one", epoch, 1, "Faulted")
    refused = Refused("022 " + "x" * 400)
    upstream = FakeUpstream(answer=lambda record: refused if record.evse_id == "DE*ABC*E1*1" else Accepted())
    async with running(bridge.lane(upstream)):
        await until(lambda: len(upstream.pushed) == 4)
        await logged(bridge, 4)
    told = "l.account, l.kind, l.records, l.value, l.http, l.code, l.outcome, length(l.why)"
    line = await bridge.rows(
        f"SELECT {told} FROM delivery_log l JOIN evse e ON e.id = l.evse WHERE e.evse_id = 'DE*ABC*E1*1'"  # noqa: S608
    )
    assert line == [("hubject", "status", 1, "OutOfService", 200, "000", "refused", 256)]
    others = await bridge.rows(
        "SELECT l.value, l.outcome, l.why FROM delivery_log l JOIN evse e ON e.id = l.evse "
        "WHERE e.evse_id <> 'DE*ABC*E1*1'"
    )
    assert others == [("Unknown", "accepted", "")] * 3


async def test_a_line_names_the_sequence_that_was_sent_not_the_one_that_is_wanted(bridge) -> None:
    upstream = FakeUpstream(gate=asyncio.Event())
    epoch = await bridge.connect("one")
    async with running(bridge.lane(upstream)):
        await until(lambda: len(upstream.pushed) == 1)
        sent = await bridge.rows("SELECT in_flight_seq, evse FROM delivery WHERE in_flight_seq > 0")
        for word in ("Faulted", "Charging"):
            await bridge.report("one", epoch, 1, word)
            await bridge.report("one", epoch, 2, word)
        upstream.gate.set()
        await logged(bridge, 1)
    assert (await log(bridge, "seq, evse"))[0] == sent[0]


async def test_a_full_load_is_one_line(bridge) -> None:
    upstream = FakeUpstream()
    async with running(bridge.lane(upstream, full_load=ALL)):
        await logged(bridge, 1)
    assert await log(bridge, "kind, evse, document, records, value, seq, outcome") == [
        ("full_load", None, None, 4, None, None, "accepted")
    ]


async def test_documents_and_surveys_are_lines_without_their_bodies(bridge) -> None:
    await bridge.wish({"7": '{"kind": "BLOCKED"}'}, DocumentKind.TEMPORARY)
    options = DocumentOptions(frozenset({DocumentKind.TEMPORARY}), per_minute=60_000, survey_every=None)
    upstream = FakeUpstream()
    async with running(bridge.lane(upstream, documents=options)):
        await until(lambda: len(upstream.documents) == 1)
        await logged(bridge, 1)
    first = (await log(bridge, "kind, evse, document, records, value, outcome"))[0]
    assert first == ("temporary", None, "7", 1, None, "accepted")


async def test_a_line_is_written_once_though_its_settling_is_repeated(bridge) -> None:
    upstream = FakeUpstream()
    lossy = LossyWriter(bridge.writer, take_turns, [], after_commit=True)
    async with running(bridge.lane(upstream, writer=lossy)):
        await until(lambda: len(upstream.pushed) >= 1)
        lossy.failures.append(StoreUnavailable("the connection was cut during the COMMIT"))
        await until(lambda: len(upstream.pushed) >= 4)
        await logged(bridge, 4)
    assert not lossy.failures
    lines = await log(bridge, "evse, seq")
    assert len(lines) == len(set(lines)) == len(upstream.pushed) == 4


async def test_a_push_whose_answer_nobody_saw_is_a_line_in_doubt_once_the_next_process_has_begun(bridge) -> None:
    upstream = FakeUpstream(gate=asyncio.Event())
    first = asyncio.create_task(bridge.lane(upstream).run())
    await until(lambda: len(upstream.pushed) == 1)
    await kill(first)
    assert await log(bridge, "id") == []
    bridge.clock.pass_(seconds=40)
    after = FakeUpstream()
    async with running(bridge.lane(after)):
        await until(lambda: len(after.pushed) == 4)
        await logged(bridge, 5)
    found = await log(bridge, "kind, value, outcome, why, took_ms, sent_at_w")
    start = int(START.timestamp() * 1_000_000)
    assert found[0] == ("status", "Unknown", "in_doubt", "the bridge ended before the answer", None, start)
    assert [line[2] for line in found[1:]] == ["accepted"] * 4


async def test_a_full_load_whose_answer_nobody_saw_is_one_line_in_doubt(bridge) -> None:
    started = asyncio.Event()

    class Hanging(FakeUpstream):
        async def full_load(self, records):
            started.set()
            await asyncio.Event().wait()

    first = asyncio.create_task(bridge.lane(Hanging(), full_load=ALL).run())
    await asyncio.wait_for(started.wait(), 20)
    await kill(first)
    after = FakeUpstream()
    async with running(bridge.lane(after, full_load=ALL)):
        await logged(bridge, 1)
    assert (await log(bridge, "account, kind, records, outcome"))[0] == (HUBJECT, "full_load", 4, "in_doubt")
