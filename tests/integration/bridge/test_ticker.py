"""Prove what the passing of time alone does: silence, returns, restarts, temporary statuses."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from structlog.testing import capture_logs
from tests_bridge import STATIONS, LossyWriter

from bridge.core.effective import EffectiveOptions
from bridge.core.reachability import ReachabilityOptions, judge
from bridge.derive import Derived, DeriveOptions
from bridge.passing import note
from bridge.store.errors import StoreUnavailable
from bridge.store.micros import to_micros
from bridge.ticker import Ticker, TickerOptions
from csms.events import ResyncEnded, ResyncOutcome, StationId


async def silence(bridge, **parts: float) -> None:
    """Let time pass minute by minute, as the ticker would see it."""
    total = timedelta(**parts)
    while total > timedelta(0):
        step = min(total, timedelta(minutes=1))
        bridge.clock.pass_(seconds=step.total_seconds())
        total -= step
        await bridge.ticker.tick()


async def restart(bridge, *, down: timedelta, **reachability: timedelta) -> Ticker:
    """Stop the ticker as a kill would (nothing is written), and start another after `down`, with these options."""
    bridge.clock.pass_(seconds=down.total_seconds())
    bridge.prober.open.clear()
    ticker = Ticker(
        bridge.writer,
        clock=bridge.clock,
        options=TickerOptions(reachability=ReachabilityOptions(**reachability), derive=bridge.options, node="test"),
        woken=bridge.woken.append,
        prober=bridge.prober,
    )
    await ticker.start()
    bridge.ticker = ticker
    return ticker


@pytest.mark.row("T52", "T60")
async def test_station_is_lost_after_fifteen_silent_minutes_and_its_fault_stays(bridge) -> None:
    epoch = await bridge.connect("one")
    await bridge.report("one", epoch, 1, "Charging")
    await bridge.report("one", epoch, 2, "Faulted")
    bridge.prober.open.clear()
    await silence(bridge, minutes=14)
    assert await bridge.effective("DE*ABC*E1*1") == "charging"
    await silence(bridge, minutes=2)
    assert await bridge.effective("DE*ABC*E1*1") == "unknown"
    assert await bridge.desired("DE*ABC*E1*1") == "Unknown"
    assert await bridge.effective("DE*ABC*E1*2") == "faulted"


@pytest.mark.row("T52")
async def test_silent_but_open_socket_is_asked_once_before_it_counts_as_lost(bridge) -> None:
    epoch = await bridge.connect("one")
    await bridge.report("one", epoch, 1, "Charging")
    await silence(bridge, minutes=15, seconds=30)
    assert bridge.prober.asked == ["one"]
    assert await bridge.effective("DE*ABC*E1*1") == "charging"
    bridge.ticker.heard(StationId("one"))
    await silence(bridge, minutes=10)
    assert await bridge.effective("DE*ABC*E1*1") == "charging"
    assert bridge.prober.asked == ["one"]


@pytest.mark.row("T60")
async def test_heartbeat_after_a_loss_revives_no_stale_value_but_a_report_does(bridge) -> None:
    epoch = await bridge.connect("one")
    await bridge.report("one", epoch, 1, "Preparing")
    await bridge.report("one", epoch, 2, "Preparing")
    bridge.prober.open.clear()
    await silence(bridge, minutes=16)
    bridge.prober.open.add(StationId("one"))
    bridge.clock.pass_(seconds=1)
    bridge.ticker.heard(StationId("one"))
    await bridge.ticker.tick()
    await asyncio.sleep(0)
    assert bridge.prober.resynced == ["one"]
    assert await bridge.rows("SELECT unreachable_at FROM station WHERE id = 'one'") == [(None,)]
    assert await bridge.effective("DE*ABC*E1*1") == "unknown"
    epoch = await bridge.connect("one")
    await bridge.report("one", epoch, 1, "Charging")
    assert await bridge.effective("DE*ABC*E1*1") == "charging"
    assert await bridge.effective("DE*ABC*E1*2") == "unknown"
    await bridge.intake.record(ResyncEnded(StationId("one"), epoch, 0, 2, ResyncOutcome.TIMED_OUT))
    assert await bridge.effective("DE*ABC*E1*2") == "occupied"
    assert (await bridge.rows("SELECT stale FROM fact WHERE ocpp_connector = 2"))[0][0]


@pytest.mark.row("T59")
async def test_restart_of_ours_changes_nothing_and_counts_no_silence_while_we_were_down(bridge) -> None:
    epoch = await bridge.connect("one")
    await bridge.report("one", epoch, 1, "Charging")
    await bridge.ticker.tick()
    history = await bridge.rows("SELECT count(*) FROM history")
    await restart(bridge, down=timedelta(hours=5))
    await silence(bridge, minutes=14)
    assert await bridge.effective("DE*ABC*E1*1") == "charging"
    assert await bridge.rows("SELECT count(*) FROM history") == history
    await silence(bridge, minutes=2)
    assert await bridge.effective("DE*ABC*E1*1") == "unknown"


async def test_silence_before_a_restart_counts_on_with_three_minutes_of_grace(bridge) -> None:
    epoch = await bridge.connect("one")
    await bridge.report("one", epoch, 1, "Charging")
    bridge.prober.open.clear()
    await silence(bridge, minutes=14)
    await restart(bridge, down=timedelta(minutes=1))
    await silence(bridge, minutes=2, seconds=50)
    assert await bridge.effective("DE*ABC*E1*1") == "charging"
    await silence(bridge, seconds=20)
    assert await bridge.effective("DE*ABC*E1*1") == "unknown"


@pytest.mark.row("T60")
async def test_loss_is_a_stored_fact_that_a_restart_does_not_undo(bridge) -> None:
    epoch = await bridge.connect("one")
    await bridge.report("one", epoch, 1, "Charging")
    bridge.prober.open.clear()
    await silence(bridge, minutes=16)
    await restart(bridge, down=timedelta(seconds=5))
    await silence(bridge, minutes=1)
    assert await bridge.effective("DE*ABC*E1*1") == "unknown"


@pytest.mark.row("T60")
async def test_station_lost_long_before_a_restart_is_not_revived_by_it(bridge) -> None:
    epoch = await bridge.connect("one")
    await bridge.report("one", epoch, 1, "Charging")
    bridge.prober.open.clear()
    await silence(bridge, minutes=16)
    await silence(bridge, hours=2)
    await restart(bridge, down=timedelta(seconds=5))
    await silence(bridge, minutes=1)
    assert await bridge.effective("DE*ABC*E1*1") == "unknown"
    assert await bridge.rows("SELECT count(*) FROM station WHERE unreachable_at IS NOT NULL") == [(1,)]


async def cut_off_fleet(bridge) -> list[StationId]:
    """Return twelve stations that were charging when all their sockets closed."""
    fleet = [StationId(f"s{n}") for n in range(12)]
    lines = ["station,version,key,connector,evse_id,operator"]
    lines += [f"{station},1.6,0123456789abcdef,1,DE*ABC*E9{n},demo" for n, station in enumerate(fleet)]
    await bridge.import_("\n".join(lines) + "\n")
    for station in fleet:
        await bridge.report(station, await bridge.connect(station), 1, "Charging")
    bridge.prober.open.clear()
    return fleet


@pytest.mark.row("T51")
async def test_fleet_that_falls_silent_at_once_is_held_and_then_downgraded(bridge) -> None:
    await cut_off_fleet(bridge)
    await silence(bridge, minutes=20)
    assert await bridge.rows("SELECT count(*) FROM evse_state WHERE status = 'charging'") == [(12,)]
    await silence(bridge, minutes=11)
    assert await bridge.rows("SELECT count(*) FROM evse_state WHERE status = 'charging'") == [(0,)]


async def test_fleet_that_only_says_it_is_there_is_not_judged_every_second(bridge, monkeypatch) -> None:
    for name in ("one", "two"):
        await bridge.connect(name)
    judged = []
    monkeypatch.setattr("bridge.ticker.judge", lambda *given: judged.append(given[2]) or judge(*given))
    for _ in range(20 * 60):
        bridge.clock.pass_(seconds=1)
        for name in ("one", "two"):
            bridge.ticker.heard(StationId(name))
        await bridge.ticker.tick()
    assert 2 <= len(judged) <= 4


async def test_question_to_a_station_is_not_waited_for_once_its_socket_closes(bridge) -> None:
    await bridge.report("one", await bridge.connect("one"), 1, "Charging")
    await silence(bridge, minutes=15)
    await silence(bridge, seconds=10)
    assert bridge.prober.asked == ["one"]
    bridge.prober.open.clear()
    await silence(bridge, seconds=1)
    assert await bridge.effective("DE*ABC*E1*1") == "unknown"


async def test_station_that_answers_is_asked_again_in_its_time_though_a_question_may_take_longer(bridge) -> None:
    await bridge.ticker.stop()
    await restart(bridge, down=timedelta(0), offline_after=timedelta(seconds=30), ask_timeout=timedelta(seconds=60))
    await bridge.report("one", await bridge.connect("one"), 1, "Charging")
    bridge.ticker.heard(StationId("one"))
    asked_at = []
    for second in range(1, 125):
        bridge.clock.pass_(seconds=1)
        if second == 32:
            bridge.ticker.heard(StationId("one"))
        await bridge.ticker.tick()
        await asyncio.sleep(0)
        asked_at += [second] * (len(bridge.prober.asked) - len(asked_at))
        if await bridge.effective("DE*ABC*E1*1") == "unknown":
            break
    assert (asked_at, second) == ([30, 62], 122)


async def test_question_that_a_stopped_process_may_have_missed_the_answer_of_is_asked_again(bridge) -> None:
    await restart(bridge, down=timedelta(0), restart_grace=timedelta(0))
    await bridge.report("one", await bridge.connect("one"), 1, "Charging")
    bridge.ticker.heard(StationId("one"))
    await silence(bridge, minutes=15)
    await silence(bridge, seconds=2)
    await stand_still(bridge, seconds=33)
    await silence(bridge, seconds=1)
    assert bridge.prober.asked == ["one", "one"]


async def test_lost_station_returns_by_a_frame_on_the_socket_that_stayed_open(bridge) -> None:
    await bridge.report("one", await bridge.connect("one"), 1, "Charging")
    await silence(bridge, minutes=30)
    assert await bridge.effective("DE*ABC*E1*1") == "unknown"
    bridge.ticker.heard(StationId("one"))
    await silence(bridge, seconds=1)
    assert await bridge.rows("SELECT count(*) FROM station WHERE unreachable_at IS NOT NULL") == [(0,)]


async def test_alarm_of_a_mass_silence_ends_as_soon_as_the_stations_are_heard(bridge) -> None:
    fleet = await cut_off_fleet(bridge)
    with capture_logs() as logged:
        await silence(bridge, minutes=16)
        for station in fleet:
            bridge.ticker.heard(station)
        await silence(bridge, seconds=1)
    assert [line["event"] for line in logged if "mass" in line["event"]] == [
        "mass_silence_suspected",
        "mass_silence_ended",
    ]


async def test_station_heard_for_the_first_time_when_all_others_were_lost_is_lost_in_its_time(bridge) -> None:
    for name, minutes in (("one", 30), ("two", 16)):
        await bridge.report(name, await bridge.connect(name), 1, "Charging")
        bridge.prober.open.clear()
        await silence(bridge, minutes=minutes)
    lost = await bridge.rows("SELECT id FROM station WHERE unreachable_at IS NOT NULL ORDER BY id")
    assert lost == [("one",), ("two",)]


async def test_temporary_status_begins_and_ends_by_the_wall_clock_alone(bridge) -> None:
    epoch = await bridge.connect("one")
    await bridge.report("one", epoch, 1, "Charging")
    begins, ends = bridge.clock.now + timedelta(hours=1), bridge.clock.now + timedelta(hours=2)
    await bridge.temporary("DE*ABC*E1*1", begins=begins, ends=ends)
    assert await bridge.effective("DE*ABC*E1*1") == "charging"
    bridge.clock.now += timedelta(hours=1)
    await bridge.ticker.tick()
    assert await bridge.effective("DE*ABC*E1*1") == "maintenance"
    assert await bridge.desired("DE*ABC*E1*1") == "OutOfService"
    bridge.clock.now += timedelta(hours=1)
    await bridge.ticker.tick()
    assert await bridge.effective("DE*ABC*E1*1") == "charging"


async def test_clock_step_of_hours_takes_no_station_offline(bridge) -> None:
    epoch = await bridge.connect("one")
    await bridge.report("one", epoch, 1, "Charging")
    bridge.clock.now += timedelta(hours=9)
    await bridge.ticker.tick()
    assert await bridge.effective("DE*ABC*E1*1") == "charging"


async def stand_still(bridge, seconds: float = 8 * 3600) -> None:
    """Let the ticker run in a process that is stopped for so long."""
    with capture_logs() as logged:
        running = asyncio.create_task(bridge.ticker.run())
        await asyncio.sleep(0.02)
        bridge.clock.pass_(seconds=seconds)
        bridge.ticker.due(Derived(until_steady=bridge.clock().steady))
        async with asyncio.timeout(5):
            while "process_stood_still" not in [line["event"] for line in logged]:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        running.cancel()
        await asyncio.wait({running})


async def test_station_that_was_lost_is_not_revived_by_a_process_that_was_stopped(bridge) -> None:
    await bridge.report("one", await bridge.connect("one"), 1, "Charging")
    bridge.prober.open.clear()
    await silence(bridge, minutes=16)
    await stand_still(bridge)
    await bridge.report("two", await bridge.connect("two"), 1, "Charging")
    await silence(bridge, seconds=1)
    assert await bridge.rows("SELECT count(*) FROM station WHERE unreachable_at IS NOT NULL") == [(1,)]
    assert await bridge.effective("DE*ABC*E1*1") == "unknown"
    assert bridge.prober.resynced == []


async def test_silence_while_the_process_was_stopped_counts_as_little_as_while_it_was_down(bridge) -> None:
    epoch = await bridge.connect("one")
    await bridge.report("one", epoch, 1, "Charging")
    bridge.prober.open.clear()
    await stand_still(bridge)
    await bridge.ticker.tick()
    assert await bridge.effective("DE*ABC*E1*1") == "charging"
    await silence(bridge, minutes=14)
    assert await bridge.effective("DE*ABC*E1*1") == "charging"
    await silence(bridge, minutes=2)
    assert await bridge.effective("DE*ABC*E1*1") == "unknown"


async def test_new_mapping_is_desired_after_the_next_start(bridge) -> None:
    epoch = await bridge.connect("one")
    await bridge.report("one", epoch, 1, "Charging")
    (route, other) = bridge.options.routes["demo"]
    words = {**route.words, "charging": "Reserved"}
    routes = {"demo": (type(route)(route.account, words, route.farewell), other)}
    bridge.options = DeriveOptions(EffectiveOptions(timedelta(seconds=2)), routes)
    await restart(bridge, down=timedelta(seconds=1))
    assert await bridge.desired("DE*ABC*E1*1") == "Reserved"


async def test_removed_stations_count_for_no_mass_guard_and_are_never_lost(bridge) -> None:
    header = "station,version,key,connector,evse_id,operator\n"
    lines = [f"s{n},1.6,0123456789abcdef,1,DE*ABC*E9{n},demo\n" for n in range(24)]
    await bridge.import_(header + "".join(lines), prune=True)
    for n in range(24):
        await bridge.report(f"s{n}", await bridge.connect(f"s{n}"), 1, "Charging")
    await bridge.ticker.tick()
    await bridge.import_(header + "".join(lines[:11]), prune=True)
    bridge.prober.open = {StationId(f"s{n}") for n in range(10)}
    for _ in range(20):
        bridge.clock.pass_(minutes=1)
        for n in range(10):
            bridge.ticker.heard(StationId(f"s{n}"))
        await bridge.ticker.tick()
    lost = await bridge.rows("SELECT id FROM station WHERE unreachable_at IS NOT NULL")
    assert lost == [("s10",)]


async def test_second_restart_at_once_does_not_count_the_time_that_we_were_down(bridge) -> None:
    epoch = await bridge.connect("one")
    await bridge.report("one", epoch, 1, "Charging")
    await bridge.ticker.tick()
    await restart(bridge, down=timedelta(hours=5))
    await restart(bridge, down=timedelta(seconds=1))
    await silence(bridge, minutes=14)
    assert await bridge.effective("DE*ABC*E1*1") == "charging"


async def test_station_returns_though_the_clock_was_set_back_since_it_was_lost(bridge) -> None:
    epoch = await bridge.connect("one")
    await bridge.report("one", epoch, 1, "Charging")
    bridge.prober.open.clear()
    await silence(bridge, minutes=16)
    await restart(bridge, down=timedelta(hours=-5))
    bridge.clock.pass_(seconds=1)
    bridge.ticker.heard(StationId("one"))
    await bridge.ticker.tick()
    assert await bridge.rows("SELECT unreachable_at FROM station WHERE id = 'one'") == [(None,)]


async def test_moved_evse_keeps_its_value_no_longer_though_the_clock_was_set_back(bridge) -> None:
    await bridge.report("one", await bridge.connect("one"), 2, "Charging")
    moved = STATIONS.replace("one,,,,2,", "three,1.6,0123456789abcdef,,2,")
    await bridge.import_(moved)
    await restart(bridge, down=timedelta(hours=-5))
    await silence(bridge, minutes=16)
    assert await bridge.effective("DE*ABC*E1*2") == "unknown"


async def test_what_was_heard_while_storage_failed_is_stored_when_it_is_back(bridge) -> None:
    epoch = await bridge.connect("one")
    await bridge.report("one", epoch, 1, "Charging")
    await bridge.ticker.tick()
    bridge.ticker._writer = LossyWriter(bridge.writer, note, [StoreUnavailable("disk full")])
    bridge.clock.pass_(minutes=1)
    heard_at = bridge.clock.steady
    bridge.ticker.heard(StationId("one"))
    with pytest.raises(StoreUnavailable):
        await bridge.ticker.tick()
    bridge.clock.pass_(minutes=1)
    await bridge.ticker.tick()
    assert await bridge.rows("SELECT heard_at FROM connection WHERE station = 'one'") == [(to_micros(heard_at),)]


async def test_stop_stores_what_was_heard_and_leaves_no_question_running(bridge) -> None:
    epoch = await bridge.connect("one")
    await bridge.report("one", epoch, 1, "Charging")
    asked = asyncio.Event()

    async def ask(_station) -> None:
        asked.set()
        await asyncio.Event().wait()

    bridge.prober.ask = ask
    await silence(bridge, minutes=16)
    await asyncio.wait_for(asked.wait(), 5)
    bridge.clock.pass_(seconds=1)
    bridge.ticker.heard(StationId("one"))
    await bridge.ticker.stop()
    assert [task for task in asyncio.all_tasks() if task.get_name() == "ask:one"] == []
    rows = await bridge.rows("SELECT heard_at FROM connection WHERE station = 'one'")
    assert rows == [(to_micros(bridge.clock.steady),)]


async def test_ticker_outlives_storage_that_fails(bridge) -> None:
    epoch = await bridge.connect("one")
    await bridge.report("one", epoch, 1, "Charging")
    await bridge.report("one", epoch, 1, "Available")
    ticker = bridge.ticker
    ticker._writer = LossyWriter(bridge.writer, ticker._passing.tick, [StoreUnavailable("disk full")])
    bridge.clock.pass_(seconds=3)
    with pytest.raises(StoreUnavailable):
        await ticker.tick()
    task = asyncio.create_task(ticker.run())
    try:
        async with asyncio.timeout(20):
            while await bridge.effective("DE*ABC*E1*1") != "available":  # noqa: ASYNC110 - a database sets no event
                await asyncio.sleep(0.005)
    finally:
        task.cancel()


async def test_more_due_evses_than_one_turn_takes_are_all_decided_in_one_tick(bridge) -> None:
    header = "station,version,key,connector,evse_id,operator\n"
    lines = [f"big,1.6,0123456789abcdef,{n},DE*ABC*E8{n},demo\n" for n in range(1, 121)]
    await bridge.import_(header + "".join(lines))
    epoch = await bridge.connect("big")
    await asyncio.gather(*(bridge.report("big", epoch, n, "Available") for n in range(1, 121)))
    assert await bridge.rows("SELECT count(*) FROM evse_state WHERE status = 'available'") == [(0,)]
    bridge.clock.pass_(seconds=2)
    await bridge.ticker.tick()
    assert await bridge.rows("SELECT count(*) FROM evse_state WHERE status = 'available'") == [(120,)]
