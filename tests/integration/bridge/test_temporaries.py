"""Temporary statuses over the real store: orders, what they show at once, and what the clock makes of them."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from tests_bridge import START, STATIONS

from bridge.core.model import TemporaryKind
from bridge.core.reachability import ReachabilityOptions
from bridge.core.temporary import Duplicate, EvseAmbiguous, EvseUnknown, Impossible, TemporaryUnknown
from bridge.store.stations import load
from bridge.store.temporary import list_temporaries
from bridge.ticker import Ticker, TickerOptions
from csms.events import StationId

ONE, TWO, OTHER = "DE*ABC*E1*1", "DE*ABC*E1*2", "DE*ABC*E2*1"
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)


async def restart(bridge, *, down: timedelta) -> None:
    """Start another ticker after `down`, as the next process does: with nothing but what is stored."""
    bridge.clock.pass_(seconds=down.total_seconds())
    bridge.prober.open.clear()
    options = TickerOptions(reachability=ReachabilityOptions(), derive=bridge.options, node="test")
    bridge.ticker = Ticker(
        bridge.writer, clock=bridge.clock, options=options, woken=bridge.woken.append, prober=bridge.prober
    )
    await bridge.ticker.start()


async def charging(bridge) -> int:
    epoch = await bridge.connect("one")
    await bridge.report("one", epoch, 1, "Charging")
    return epoch


def loaded(conn, stations: list[str]) -> list[int]:
    """Return how many temporary statuses a load of the station brings."""
    return [
        sum(len(evse.temporaries) for copy in load(conn, [StationId(id_)]).values() for evse in copy.evses.values())
        for id_ in stations
    ]


# --- orders -------------------------------------------------------------------------------------------------------


async def test_created_without_a_beginning_it_is_in_force_at_once_and_says_who_made_it(bridge) -> None:
    await charging(bridge)
    await bridge.temporary(ONE)
    assert await bridge.effective(ONE) == "maintenance"
    assert await bridge.desired(ONE) == "OutOfService"
    rows = await bridge.rows("SELECT created_by, created_at_w IS NOT NULL, valid_to_w FROM temporary_status")
    assert [(by, bool(at), to) for by, at, to in rows] == [("test", True, None)]


async def test_removed_the_newest_real_status_is_back_at_once(bridge) -> None:
    epoch = await charging(bridge)
    (number,) = await bridge.temporary(ONE)
    await bridge.report("one", epoch, 1, "Faulted")
    assert await bridge.effective(ONE) == "maintenance"
    await bridge.remove_temporaries(number)
    assert await bridge.effective(ONE) == "faulted"
    assert await bridge.desired(ONE) == "OutOfService"


async def test_ids_of_deleted_ones_are_never_given_again(bridge) -> None:
    (first,) = await bridge.temporary(ONE)
    await bridge.remove_temporaries(first)
    (second,) = await bridge.temporary(ONE)
    assert second > first
    with pytest.raises(TemporaryUnknown):
        await bridge.remove_temporaries(first)


async def test_several_evses_get_theirs_together_or_not_at_all(bridge) -> None:
    with pytest.raises(EvseUnknown):
        await bridge.temporary(ONE, "DE*ABC*E9")
    assert await bridge.rows("SELECT count(*) FROM temporary_status") == [(0,)]
    assert len(await bridge.temporary("deabce11", "DE.ABC.E1.1", OTHER)) == 2
    assert [await bridge.effective(each) for each in (ONE, OTHER)] == ["maintenance", "maintenance"]


async def test_several_are_removed_together_or_not_at_all(bridge) -> None:
    numbers = await bridge.temporary(ONE, OTHER)
    with pytest.raises(TemporaryUnknown):
        await bridge.remove_temporaries(*numbers, 999)
    assert await bridge.effective(ONE) == "maintenance"
    await bridge.remove_temporaries(*numbers)
    assert [await bridge.effective(each) for each in (ONE, OTHER)] == ["unknown", "unknown"]


async def test_exact_duplicate_is_refused_until_the_first_is_over_or_removed(bridge) -> None:
    times = {"begins": START, "ends": START + HOUR}
    (number,) = await bridge.temporary(ONE, **times)
    with pytest.raises(Duplicate) as caught:
        await bridge.temporary("deabce11", **times)
    assert caught.value.number == number
    await bridge.temporary(ONE, **times, kind="BLOCKED")
    await bridge.temporary(OTHER, **times)
    await bridge.remove_temporaries(number)
    await bridge.temporary(ONE, **times)


async def test_change_may_not_make_a_duplicate_but_may_change_nothing(bridge) -> None:
    await bridge.temporary(ONE, begins=START, ends=START + HOUR)
    (other,) = await bridge.temporary(ONE, begins=START, ends=START + 2 * HOUR)
    with pytest.raises(Duplicate):
        await bridge.change_temporary(other, valid_to=START + HOUR)
    assert await bridge.change_temporary(other) == (other,)


async def test_change_takes_effect_at_once_and_keeps_what_it_does_not_name(bridge) -> None:
    await charging(bridge)
    (number,) = await bridge.temporary(ONE, begins=START, ends=START + HOUR)
    await bridge.change_temporary(number, kind=TemporaryKind.BLOCKED)
    assert await bridge.effective(ONE) == "blocked"
    await bridge.change_temporary(number, valid_from=START + HOUR / 2)
    assert await bridge.effective(ONE) == "charging"
    bridge.clock.pass_(minutes=30)
    await bridge.ticker.tick()
    assert await bridge.effective(ONE) == "blocked"
    await bridge.change_temporary(number, valid_to=None)
    bridge.clock.pass_(hours=5)
    await bridge.ticker.tick()
    assert await bridge.effective(ONE) == "blocked"
    await bridge.change_temporary(number, valid_from=START, valid_to=START + HOUR)
    assert await bridge.effective(ONE) == "unknown"  # its station has been silent for hours


async def test_impossible_values_store_nothing(bridge) -> None:
    for begins, ends in ((START + HOUR, START + HOUR), (START - 2 * HOUR, START - HOUR)):
        with pytest.raises(Impossible):
            await bridge.temporary(ONE, begins=begins, ends=ends)
    with pytest.raises(Impossible):
        await bridge.temporary(ONE, kind="RESERVED", enforce=True)
    assert await bridge.rows("SELECT count(*) FROM temporary_status") == [(0,)]


async def test_where_ids_collide_only_an_exact_spelling_is_taken(bridge) -> None:
    twin = "four,1.6,0123456789abcdef,,1,DE*ABC*E11*,demo,downgrade,s4,p1\n"
    await bridge.import_(STATIONS + twin)
    with pytest.raises(EvseAmbiguous) as caught:
        await bridge.temporary("DEABCE11")
    assert caught.value.ids == ("DE*ABC*E1*1", "DE*ABC*E11*")
    await bridge.temporary("de-abc-e1-1")
    assert await bridge.effective(ONE) == "maintenance"


async def test_removed_evse_takes_no_new_one(bridge) -> None:
    await bridge.import_(STATIONS.replace("one,,,,2,DE*ABC*E1*2,demo,downgrade,s1,p2\n", ""), prune=True)
    with pytest.raises(EvseUnknown):
        await bridge.temporary(TWO)


async def test_enforcement_is_dropped_by_a_change_to_reserved(bridge) -> None:
    (number,) = await bridge.temporary(ONE, enforce=True)
    await bridge.change_temporary(number, kind=TemporaryKind.RESERVED)
    assert [bool(row[0]) for row in await bridge.rows("SELECT enforce FROM temporary_status")] == [False]


# --- the clock ----------------------------------------------------------------------------------------------------


async def test_both_moments_pass_while_we_are_down_and_nothing_is_ever_shown(bridge) -> None:
    await charging(bridge)
    await bridge.temporary(ONE, begins=START + HOUR, ends=START + 2 * HOUR)
    history = await bridge.rows("SELECT count(*) FROM history")
    await restart(bridge, down=3 * HOUR)
    await bridge.ticker.tick()
    assert await bridge.effective(ONE) == "charging"
    assert await bridge.rows("SELECT count(*) FROM history") == history


async def test_it_begins_while_we_are_down_and_ends_after_the_next_restart(bridge) -> None:
    await charging(bridge)
    await bridge.temporary(ONE, begins=START + HOUR, ends=START + 3 * HOUR)
    await restart(bridge, down=2 * HOUR)
    assert await bridge.effective(ONE) == "maintenance"
    await restart(bridge, down=2 * HOUR)
    assert await bridge.effective(ONE) == "charging"


@pytest.mark.row("T71")
@pytest.mark.parametrize(
    ("step", "shown"),
    [
        pytest.param(-2 * HOUR, "charging", id="back-before-its-beginning"),
        pytest.param(-SECOND, "maintenance", id="back-a-little"),
        pytest.param(2 * HOUR, "charging", id="forward-beyond-its-end"),
        pytest.param(30 * HOUR, "charging", id="forward-more-than-a-day"),
    ],
)
async def test_step_of_the_wall_clock_is_followed_within_a_tick_and_back(bridge, step: timedelta, shown: str) -> None:
    await charging(bridge)
    await bridge.ticker.tick()
    bridge.clock.pass_(seconds=1)
    await bridge.temporary(ONE, begins=START - HOUR, ends=START + HOUR)
    bridge.clock.steady += SECOND
    bridge.clock.now += SECOND + step
    await bridge.ticker.tick()
    assert await bridge.effective(ONE) == shown
    bridge.clock.steady += timedelta(minutes=20)
    bridge.clock.now += timedelta(minutes=20) - step
    await bridge.ticker.tick()
    assert await bridge.effective(ONE) == "maintenance"


async def test_end_in_the_year_9999_is_waited_for_though_the_steady_clock_is_ahead(bridge) -> None:
    bridge.clock.steady += HOUR
    await bridge.temporary(ONE, ends=datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC))
    bridge.ticker.due(bridge.woken[-1])
    await bridge.ticker.tick()
    assert await bridge.effective(ONE) == "maintenance"


async def test_clock_that_was_wrong_in_an_earlier_process_hides_nothing(bridge) -> None:
    await charging(bridge)
    await bridge.temporary(ONE, begins=START, ends=START + 8 * HOUR)
    bridge.clock.now += 40 * HOUR
    bridge.clock.steady += timedelta(minutes=20)
    await bridge.ticker.tick()
    assert await bridge.rows("SELECT count(*) FROM temporary_status WHERE over") == [(1,)]
    bridge.clock.now -= 40 * HOUR
    await restart(bridge, down=SECOND)
    await bridge.ticker.tick()
    assert await bridge.effective(ONE) == "maintenance"


async def test_ended_ones_stay_loaded_for_a_day_and_then_no_more(bridge) -> None:
    await bridge.temporary(ONE, begins=START, ends=START + HOUR)
    bridge.clock.pass_(hours=24)
    await bridge.ticker.tick()
    assert await bridge.writer.submit(loaded, "one") == 1
    bridge.clock.pass_(hours=2)
    await bridge.ticker.tick()
    assert await bridge.writer.submit(loaded, "one") == 0


async def test_deleted_ones_are_loaded_no_more_at_once(bridge) -> None:
    (number,) = await bridge.temporary(ONE)
    await bridge.remove_temporaries(number)
    assert await bridge.writer.submit(loaded, "one") == 0


async def test_one_that_is_over_for_good_can_be_changed_to_come_again(bridge) -> None:
    (number,) = await bridge.temporary(ONE, begins=START, ends=START + HOUR)
    bridge.clock.pass_(hours=30)
    await bridge.ticker.tick()
    await bridge.change_temporary(number, valid_to=None)
    assert await bridge.effective(ONE) == "maintenance"


async def test_listing_keeps_what_is_over_and_shows_what_is_in_force(bridge) -> None:
    ended = await bridge.temporary(ONE, begins=START, ends=START + HOUR)
    endless = await bridge.temporary(ONE, kind="BLOCKED")
    later = await bridge.temporary(OTHER, begins=START + 60 * HOUR)
    bridge.clock.pass_(hours=30)
    await bridge.ticker.tick()

    async def numbers(**which) -> tuple[int, ...]:
        async with bridge.store.read() as connection:
            found = await connection.run_sync(lambda conn: list_temporaries(conn, **which))
        return tuple(stored.number for stored in found)

    assert await numbers() == (*ended, *endless, *later)
    assert await numbers(in_force_at=bridge.clock.now) == endless
    assert await numbers(canonical="DEABCE11") == (*ended, *endless)
    assert await numbers(not_over_at=bridge.clock.now) == (*endless, *later)
    assert await numbers(after=ended[0], limit=1) == endless


async def test_running_ticker_begins_and_ends_one_at_its_moments(bridge) -> None:
    """The clocks pass by themselves here. The ticker looks by itself once a minute, so the moments must wake it."""
    await charging(bridge)
    loop, began = asyncio.get_running_loop(), bridge.clock()
    started = loop.time()

    def clock():
        passed = timedelta(seconds=loop.time() - started)
        return type(began)(began.now + passed, began.steady + passed)

    options = TickerOptions(
        reachability=ReachabilityOptions(), derive=bridge.options, node="test", period=timedelta(minutes=1)
    )
    seen: list[str] = []
    ticker = Ticker(bridge.writer, clock=clock, options=options, woken=bridge.woken.append, prober=bridge.prober)
    await ticker.start()
    running = asyncio.create_task(ticker.run())
    bridge.clock.now = clock().now
    await bridge.temporary(ONE, begins=clock().now + 0.3 * SECOND, ends=clock().now + 0.6 * SECOND)
    ticker.due(bridge.woken[-1])
    try:
        async with asyncio.timeout(10):
            while len(seen) < 3:
                status = await bridge.effective(ONE)
                if not seen or seen[-1] != status:
                    seen.append(status)
                await asyncio.sleep(0.005)
    finally:
        running.cancel()
    assert seen == ["charging", "maintenance", "charging"]
    assert loop.time() - started < 2.6
