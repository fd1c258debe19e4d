from __future__ import annotations

import asyncio
import json
from datetime import timedelta

import pytest

from csms.commands import Answered, CallFailed, CallIds, Commands, Gone, TimedOut, Unreadable, Unsent

LONG, SHORT = timedelta(seconds=5), timedelta(milliseconds=20)


class Wire:
    def __init__(self) -> None:
        self.sent: asyncio.Queue[str] = asyncio.Queue()

    async def send(self, text: str) -> None:
        self.sent.put_nowait(text)

    async def id_of_next(self) -> str:
        async with asyncio.timeout(2):
            frame = json.loads(await self.sent.get())
        assert frame[0] == 2
        return str(frame[1])


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def commands(wire: Wire) -> Commands:
    return Commands(wire.send, CallIds("p"))


async def test_call_is_sent_as_a_call_frame(wire: Wire, commands: Commands) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(commands.call("TriggerMessage", {"requestedMessage": "Heartbeat"}, LONG))
        async with asyncio.timeout(2):
            text = await wire.sent.get()
        commands.answered("p-1", {})
    assert json.loads(text) == [2, "p-1", "TriggerMessage", {"requestedMessage": "Heartbeat"}]


async def test_answers_end_the_call_that_waits_for_them(wire: Wire, commands: Commands) -> None:
    async with asyncio.TaskGroup() as group:
        call = group.create_task(commands.call("Reset", {}, LONG))
        assert commands.answered(await wire.id_of_next(), {"status": "Accepted"})
    assert call.result() == Answered({"status": "Accepted"})
    async with asyncio.TaskGroup() as group:
        call = group.create_task(commands.call("Reset", {}, LONG))
        assert commands.failed(await wire.id_of_next(), "NotImplemented")
    assert call.result() == CallFailed("NotImplemented")
    async with asyncio.TaskGroup() as group:
        call = group.create_task(commands.call("Reset", {}, LONG))
        assert commands.unreadable(await wire.id_of_next())
    assert call.result() == Unreadable()


async def test_the_action_of_a_call_is_known_while_it_waits(wire: Wire, commands: Commands) -> None:
    assert commands.action_of("p-1") is None
    async with asyncio.TaskGroup() as group:
        group.create_task(commands.call("Reset", {}, LONG))
        message_id = await wire.id_of_next()
        assert (commands.action_of(message_id), commands.action_of("p-9")) == ("Reset", None)
        commands.answered(message_id, {})
        assert commands.action_of(message_id) is None


async def test_answers_nobody_waits_for_are_dropped(wire: Wire, commands: Commands) -> None:
    assert not commands.answered("p-1", {})
    async with asyncio.TaskGroup() as group:
        call = group.create_task(commands.call("Reset", {}, LONG))
        message_id = await wire.id_of_next()
        assert not commands.answered("other", {})
        assert not commands.failed("other", "GenericError")
        assert commands.answered(message_id, {"first": True})
        assert not commands.answered(message_id, {"first": False})
    assert call.result() == Answered({"first": True})


@pytest.mark.row("T68")
async def test_second_call_waits_for_the_first(wire: Wire, commands: Commands) -> None:
    async with asyncio.TaskGroup() as group:
        calls = [group.create_task(commands.call("Reset", {}, LONG)) for _ in range(2)]
        first = await wire.id_of_next()
        await asyncio.sleep(0)
        assert wire.sent.empty()
        assert commands.busy
        commands.answered(first, {})
        second = await wire.id_of_next()
        commands.answered(second, {})
    assert first != second
    assert [call.result() for call in calls] == [Answered({})] * 2
    assert not commands.busy


async def test_no_answer_in_time_is_a_value_and_frees_the_turn(wire: Wire, commands: Commands) -> None:
    assert await commands.call("Reset", {}, SHORT) == TimedOut()
    assert not commands.answered(await wire.id_of_next(), {})
    assert not commands.busy


async def test_end_of_the_connection_ends_all_calls_at_once(wire: Wire, commands: Commands) -> None:
    async with asyncio.TaskGroup() as group:
        calls = [group.create_task(commands.call("Reset", {}, LONG)) for _ in range(2)]
        await wire.id_of_next()
        commands.close()
    assert [call.result() for call in calls] == [Gone()] * 2
    assert await commands.call("Reset", {}, LONG) == Gone()
    assert wire.sent.empty()


def test_ids_never_repeat_and_fit_the_standard() -> None:
    one, other = CallIds(), CallIds()
    ids = [ids.next() for ids in (one, other) for _ in range(1000)]
    assert len(set(ids)) == 2000
    assert max(map(len, ids)) <= 36


async def test_a_station_that_answers_nothing_takes_no_commands_until_it_answers(
    wire: Wire, commands: Commands
) -> None:
    for _ in range(2):
        assert await commands.call("Reset", {}, SHORT) == TimedOut()
    assert commands.commandable
    assert await commands.order("Reset", {}, SHORT) == TimedOut()
    assert not commands.commandable
    async with asyncio.TaskGroup() as group:
        call = group.create_task(commands.call("Reset", {}, LONG))
        for _ in range(3):
            await wire.id_of_next()
        assert commands.failed(await wire.id_of_next(), "GenericError", "why")
    assert call.result() == CallFailed("GenericError", "why")
    assert commands.commandable


async def test_a_late_answer_is_dropped_and_shows_that_the_station_answers(wire: Wire, commands: Commands) -> None:
    for _ in range(3):
        await commands.call("Reset", {}, SHORT)
    assert not commands.answered("other", {})
    assert not commands.commandable
    assert not commands.answered(await wire.id_of_next(), {})
    assert commands.commandable


@pytest.mark.row("T68")
async def test_only_so_many_orders_wait_and_further_ones_are_refused(wire: Wire, commands: Commands) -> None:
    async with asyncio.TaskGroup() as group:
        orders = [group.create_task(commands.order("Reset", {}, LONG)) for _ in range(16)]
        await wire.id_of_next()
        assert await commands.order("Reset", {}, LONG) == Unsent(busy=True)
        call = group.create_task(commands.call("TriggerMessage", {}, LONG))
        await asyncio.sleep(0)
        commands.close()
    assert orders[0].result() == Gone()
    assert [order.result() for order in orders[1:]] == [Unsent(busy=False)] * 15
    assert call.result() == Gone()
    assert wire.sent.empty()


async def test_an_order_that_gets_no_turn_in_time_sends_nothing(wire: Wire, commands: Commands) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(commands.call("TriggerMessage", {}, LONG))
        in_flight = await wire.id_of_next()
        assert await commands.order("Reset", {}, SHORT) == Unsent(busy=True)
        assert wire.sent.empty()
        commands.answered(in_flight, {})
    assert not commands.busy


async def test_a_cancelled_order_gives_its_turn_back(wire: Wire, commands: Commands) -> None:
    order = asyncio.create_task(commands.order("Reset", {}, LONG))
    await wire.id_of_next()
    order.cancel()
    await asyncio.wait({order})
    assert not commands.busy
    assert await commands.order("Reset", {}, SHORT) == TimedOut()


async def test_calls_keep_their_distance(wire: Wire, commands: Commands) -> None:
    commands.spacing = LONG
    async with asyncio.TaskGroup() as group:
        first = group.create_task(commands.call("Reset", {}, LONG))
        second = group.create_task(commands.call("Reset", {}, LONG))
        commands.answered(await wire.id_of_next(), {})
        await first
        await asyncio.sleep(0.02)
        assert wire.sent.empty()
        commands.close()
    assert second.result() == Gone()
    assert wire.sent.empty()


async def test_a_call_goes_once_its_distance_is_kept(wire: Wire, commands: Commands) -> None:
    commands.spacing = SHORT
    async with asyncio.TaskGroup() as group:
        for _ in range(2):
            group.create_task(commands.call("Reset", {}, LONG))
        for _ in range(2):
            commands.answered(await wire.id_of_next(), {})
