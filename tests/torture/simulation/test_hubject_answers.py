"""Let Hubject give each of its answers for an hour, then heal it (T34).

The answers, and the classes that they belong to, are those of tests/vectors/oicp_responses.json.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.torture.simulation.conftest import Simulate
from tests.torture.simulation.fed import everybody, feed
from tests.torture.simulation.journals import busiest, left_between, longest_lag, now
from tests.torture.simulation.test_outages import report, settle_in, still
from tests.torture.simulation.world import World

VECTORS = Path(__file__).parents[2] / "vectors" / "oicp_responses.json"
HOUR_S = 3600.0


def _answers(*verdicts: str) -> list[Any]:
    """Return the answers of these classes to an update; those that are not by a code of OICP are for the long run."""
    return list(_read(verdicts))


def _read(verdicts: tuple[str, ...]) -> Iterator[Any]:
    for vector in json.loads(VECTORS.read_text(encoding="utf-8"))["responses"]:
        if vector["verdict"] in verdicts and vector.get("action", "update") in ("update", "insert"):
            body = vector["body"]
            text = body if isinstance(body, str) else json.dumps(body)
            fault = {"status": vector["http"], "text": text, "content_type": vector["content_type"]}
            code = body.get("StatusCode", {}).get("Code", "") if isinstance(body, dict) else ""
            marks = () if code and vector["http"] == 200 else (pytest.mark.long,)
            yield pytest.param(fault, marks=marks, id=f"{vector['http']} {code} {vector['why']}"[:48])


def lane(world: World) -> tuple[str | None, str]:
    """Return what holds the account, and what went wrong last: an operator is shown both."""
    ((held, error),) = world.evidence.rows("SELECT held, last_error FROM lane WHERE account = 'hubject'")
    return held, error


async def an_hour_of(world: World, fault: dict[str, Any]) -> list[float]:
    """Let Hubject answer so for an hour in which everything changes; return when it was asked."""
    await settle_in(world)
    began = now(world)
    world.script("hubject", kind="status", seconds=HOUR_S, operation=("eRoamingPushEvseStatus",), **fault)
    for status in ("Faulted", "Charging", "Faulted"):
        await feed(world, everybody(world, status))
        await asyncio.sleep(HOUR_S / 3 - 1)
    assert longest_lag(world, "chargeprice", began, now(world)) < 5
    return left_between(world, "hubject", began)


@pytest.mark.row("T34")
@pytest.mark.parametrize("fault", _answers("deferred"))
def test_what_passes_by_itself_is_tried_again_once_a_minute(fault: dict[str, Any], simulate: Simulate) -> None:
    async def story(world: World) -> None:
        attempts = await an_hour_of(world, fault)
        assert 40 <= len(attempts) <= 70
        assert busiest(attempts[8:], 60) <= 1
        held, error = lane(world)
        assert held is None
        assert error
        await asyncio.sleep(180)
        await world.agree()
        assert lane(world) == (None, "")

    simulate.tell(34, still(), story)


@pytest.mark.row("T34")
@pytest.mark.parametrize("fault", _answers("held"))
def test_what_concerns_the_account_holds_it_and_is_probed_once_a_minute(
    fault: dict[str, Any], simulate: Simulate
) -> None:
    async def story(world: World) -> None:
        attempts = await an_hour_of(world, fault)
        assert 40 <= len(attempts) <= 65
        assert busiest(attempts[4:], 60) <= 1
        assert lane(world)[0]
        await asyncio.sleep(180)
        await world.agree()
        assert lane(world) == (None, "")

    simulate.tell(34, still(), story)


@pytest.mark.row("T34")
@pytest.mark.parametrize("fault", _answers("refused", "retry_as_insert"))
def test_what_concerns_an_evse_is_tried_once_per_value_and_again_after_hours(
    fault: dict[str, Any], simulate: Simulate
) -> None:
    async def story(world: World) -> None:
        attempts = await an_hour_of(world, fault)
        assert 9 <= len(attempts) <= 18
        refused = "SELECT count(*) FROM delivery WHERE account = 'hubject' AND refused IS NOT NULL"
        assert world.evidence.rows(refused) == [(3,)]
        assert lane(world)[0] is None
        await asyncio.sleep(60)
        await report(world, 1, "Charging")
        await asyncio.sleep(30)
        assert world.evidence.rows(refused) == [(2,)]
        await asyncio.sleep(6 * HOUR_S)
        await world.agree()

    simulate.tell(34, still(), story)
