from __future__ import annotations

import asyncio

from csms.line import Line, Turn

PATIENCE_S = 5.0


async def test_turns_come_in_the_order_in_which_they_were_asked_for() -> None:
    line, came = Line(1), []

    async def stand(name: str) -> None:
        turn = await line.turn(PATIENCE_S)
        came.append(name)
        await asyncio.sleep(0)
        assert turn is not None
        turn.over()

    await asyncio.gather(*(stand(name) for name in "abcdef"))
    assert came == ["a", "b", "c", "d", "e", "f"]


async def test_so_many_have_their_turn_at_once_and_no_more() -> None:
    line = Line(2)
    first = await line.turn(PATIENCE_S)
    assert isinstance(first, Turn)
    assert await line.turn(PATIENCE_S) is not None
    waiting = asyncio.create_task(line.turn(PATIENCE_S))
    await asyncio.sleep(0)
    assert not waiting.done()
    first.over()
    assert await waiting is not None


async def test_whoever_loses_patience_costs_those_behind_nothing() -> None:
    line = Line(1)
    first = await line.turn(PATIENCE_S)
    assert isinstance(first, Turn)
    assert await line.turn(0.01) is None
    waiting = asyncio.create_task(line.turn(PATIENCE_S))
    await asyncio.sleep(0)
    first.over()
    assert await waiting is not None


async def test_a_turn_that_is_given_back_twice_lets_one_in() -> None:
    line = Line(1)
    first = await line.turn(PATIENCE_S)
    assert isinstance(first, Turn)
    first.over()
    first.over()
    assert await line.turn(PATIENCE_S) is not None
    assert await line.turn(0.01) is None
