"""Prove that the inventory's edits and whole batches are carried through to what every hub should have."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from tests_bridge import CHARGEPRICE, HUBJECT, STATIONS, FakeUpstream, until

from bridge.core.mapping import mapping_for
from bridge.derive import Route
from bridge.edits import ImportOrder, import_inventories
from bridge.intake import Arrival
from bridge.inventory_file import parse_inventory
from csms.auth import StationKeys
from csms.events import (
    ChargingState,
    OcppVersion,
    ReportedStatus,
    StationId,
    StatusReported,
    TransactionPhase,
    TransactionReported,
)

V201 = OcppVersion.V201
MOVED = STATIONS.replace("one,,,,2,DE*ABC*E1*2,demo,downgrade,s1,p2\n", "") + (
    "three,1.6,0123456789abcdef,,1,DE*ABC*E1*2,demo,downgrade,s1,p2\n"
)


async def delivery(bridge, evse_id: str, account: str = HUBJECT) -> tuple[object, ...] | None:
    rows = await bridge.rows(
        "SELECT d.desired, d.tombstone, d.station_reference, d.point_reference, d.acked_seq >= d.desired_seq "
        "FROM delivery d JOIN evse e ON e.id = d.evse WHERE e.evse_id = :id AND d.account = :a",
        id=evse_id,
        a=account,
    )
    return (*rows[0][:1], bool(rows[0][1]), *rows[0][2:4], bool(rows[0][4])) if rows else None


async def acknowledged(bridge, account=HUBJECT) -> None:
    """Let a hub acknowledge everything that is due."""
    upstream = FakeUpstream(kind="chargeprice" if account == CHARGEPRICE else "oicp", takes_full_load=False)
    lane = bridge.lane(upstream, account=account)
    task = asyncio.create_task(lane.run())
    async with asyncio.timeout(20):
        while await bridge.rows("SELECT 1 FROM delivery WHERE account = :a AND due_at = 0", a=account):  # noqa: ASYNC110 - a database sets no event
            await asyncio.sleep(0.005)
    lane.stop()
    await asyncio.wait_for(task, 5)


async def test_moved_evse_keeps_its_published_value_until_the_new_station_reports(bridge) -> None:
    await bridge.report("one", await bridge.connect("one"), 2, "Charging")
    await bridge.import_(MOVED)
    assert await bridge.effective("DE*ABC*E1*2") == "charging"
    epoch = await bridge.connect("three")
    await bridge.report("one", await bridge.connect("one"), 2, "Faulted")
    assert await bridge.effective("DE*ABC*E1*2") == "charging"
    await bridge.report("three", epoch, 1, "Reserved")
    assert await bridge.effective("DE*ABC*E1*2") == "reserved"


async def test_moved_evse_is_unknown_after_fifteen_minutes_without_a_word_of_its_new_station(bridge) -> None:
    await bridge.report("one", await bridge.connect("one"), 2, "Charging")
    await bridge.import_(MOVED)
    bridge.clock.pass_(minutes=14, seconds=59)
    await bridge.ticker.tick()
    assert await bridge.effective("DE*ABC*E1*2") == "charging"
    bridge.clock.pass_(seconds=1)
    await bridge.ticker.tick()
    assert await bridge.effective("DE*ABC*E1*2") == "unknown"
    assert await bridge.desired("DE*ABC*E1*2") == "Unknown"


async def test_import_that_moves_nothing_keeps_nothing(bridge) -> None:
    await bridge.import_(STATIONS.replace("s1,p2", "s1,p9"))
    assert await bridge.rows("SELECT count(*) FROM evse WHERE kept_until IS NOT NULL") == [(0,)]


@pytest.mark.row("T67")
async def test_account_that_an_evses_new_operator_does_not_use_is_told_farewell(bridge) -> None:
    await bridge.report("one", await bridge.connect("one"), 1, "Charging")
    await acknowledged(bridge)
    only = Route(CHARGEPRICE, mapping_for("chargeprice").TABLE, "unknown", needs_references=True)
    bridge.options = replace(bridge.options, routes={**bridge.options.routes, "other": (only,)})
    await bridge.import_(STATIONS.replace("DE*ABC*E1*1,demo", "DE*ABC*E1*1,other"))
    assert await delivery(bridge, "DE*ABC*E1*1") == ("", True, "", "", False)
    assert await bridge.desired("DE*ABC*E1*1", CHARGEPRICE) == "occupied"


async def test_account_that_no_operator_uses_any_more_is_told_farewell(
    bridge,
) -> None:
    await acknowledged(bridge)
    before = await delivery(bridge, "DE*ABC*E1*1")
    bridge.options = replace(bridge.options, routes={"demo": ()})
    await bridge.import_(STATIONS.replace("downgrade", "ignore"))
    assert await delivery(bridge, "DE*ABC*E1*1") == before
    bridge.options = replace(bridge.options, farewells={HUBJECT: ""})
    await bridge.import_(STATIONS)
    assert await delivery(bridge, "DE*ABC*E1*1") == ("", True, "", "", False)


async def test_changed_references_are_told_the_status_at_once(bridge) -> None:
    await acknowledged(bridge, CHARGEPRICE)
    await bridge.import_(STATIONS.replace("s1,p2", "s1,p9"))
    assert await delivery(bridge, "DE*ABC*E1*2", CHARGEPRICE) == ("unknown", False, "s1", "p9", False)
    assert (await delivery(bridge, "DE*ABC*E1*1", CHARGEPRICE))[4] is True


async def test_evse_that_lost_its_references_is_told_farewell_under_those_that_the_hub_knows(bridge) -> None:
    await acknowledged(bridge, CHARGEPRICE)
    await bridge.import_(STATIONS.replace("s1,p2", ","))
    assert await delivery(bridge, "DE*ABC*E1*2", CHARGEPRICE) == ("unknown", True, "s1", "p2", False)
    upstream = FakeUpstream(kind="chargeprice", takes_full_load=False)
    lane = bridge.lane(upstream, account=CHARGEPRICE)
    task = asyncio.create_task(lane.run())
    await until(lambda: len(upstream.pushed) == 1)
    lane.stop()
    await asyncio.wait_for(task, 5)
    assert (upstream.pushed[0].station_ref, upstream.pushed[0].point_ref) == ("s1", "p2")
    assert await delivery(bridge, "DE*ABC*E1*2", CHARGEPRICE) is None


async def test_evse_that_was_never_sent_leaves_no_row_behind(bridge) -> None:
    await bridge.import_(without("DE*ABC*E1*2"), prune=True)
    assert await delivery(bridge, "DE*ABC*E1*2") is None


@pytest.mark.row("T67")
async def test_evse_that_returns_before_its_farewell_was_said_is_told_its_status(bridge) -> None:
    await bridge.report("one", await bridge.connect("one"), 2, "Charging")
    await acknowledged(bridge)
    await bridge.import_(without("DE*ABC*E1*2"), prune=True)
    assert (await delivery(bridge, "DE*ABC*E1*2"))[:2] == ("", True)
    await bridge.import_(STATIONS)
    assert await delivery(bridge, "DE*ABC*E1*2") == ("Occupied", False, "", "", False)


async def test_layer0_column_takes_effect_with_the_import(bridge) -> None:
    epoch = await bridge.connect("one")
    await bridge.report("one", epoch, 1, "Preparing")
    await bridge.report("one", epoch, 0, "Faulted")
    assert await bridge.effective("DE*ABC*E1*1") == "faulted"
    await bridge.import_(STATIONS.replace("downgrade", "ignore"))
    assert await bridge.effective("DE*ABC*E1*1") == "occupied"


async def test_lag_runs_from_the_first_change_that_the_hub_does_not_have(bridge) -> None:
    await acknowledged(bridge)
    epoch = await bridge.connect("one")
    began = bridge.clock.steady
    await bridge.report("one", epoch, 1, "Preparing")
    bridge.clock.pass_(minutes=3)
    await bridge.report("one", epoch, 1, "Faulted")
    rows = await bridge.rows(
        "SELECT d.desired_at FROM delivery d JOIN evse e ON e.id = d.evse "
        "WHERE e.evse_id = 'DE*ABC*E1*1' AND account = 'hubject'"
    )
    assert rows == [(int(began.timestamp() * 1_000_000),)]


# --- batches


def status(station: str, epoch, connector: int, word: str, *, evse: int = 0, version=OcppVersion.V16) -> StatusReported:
    return StatusReported(StationId(station), epoch, version, evse, connector, ReportedStatus(word))


async def test_events_of_one_evse_in_one_transaction_follow_each_other(bridge) -> None:
    epoch = await bridge.connect("one")
    before = bridge.writer.batches_written
    words = ["Preparing", "Charging", "Reserved", "Faulted", "Charging"]
    await asyncio.gather(*(bridge.intake.record(status("one", epoch, 1, word)) for word in words))
    assert bridge.writer.batches_written - before <= 2
    history = await bridge.rows(
        "SELECT h.status FROM history h JOIN evse e ON e.id = h.evse WHERE e.evse_id = 'DE*ABC*E1*1' ORDER BY h.id"
    )
    assert [row[0] for row in history] == ["unknown", "occupied", "charging", "reserved", "faulted", "charging"]
    assert await bridge.desired("DE*ABC*E1*1") == "Occupied"


async def test_report_import_tick_and_report_in_one_transaction_see_each_other(bridge) -> None:
    epoch = await bridge.connect("one")
    at = bridge.clock()
    order = ImportOrder(
        inventory=parse_inventory(
            STATIONS.replace("downgrade", "ignore"), operators={"demo"}, read_key_file=lambda _: b""
        ),
        keys=StationKeys(b"p" * 32),
        prune=False,
        yes=True,
        dry_run=False,
        at=at,
        options=bridge.options,
    )
    gate = bridge.writer.submit_nowait(_slow, None)
    record, tick = bridge.intake._handler, bridge.ticker._passing.tick
    before = bridge.writer.batches_written
    items = [
        bridge.writer.submit_nowait(record, Arrival(status("one", epoch, 0, "Faulted"), at)),
        bridge.writer.submit_nowait(record, Arrival(status("one", epoch, 1, "Preparing"), at)),
        bridge.writer.submit_nowait(import_inventories, order),
        bridge.writer.submit_nowait(tick, at),
        bridge.writer.submit_nowait(record, Arrival(status("one", epoch, 2, "Reserved"), at)),
    ]
    await asyncio.gather(gate, *items)
    assert bridge.writer.batches_written - before <= 2
    assert [await bridge.effective(f"DE*ABC*E1*{n}") for n in (1, 2)] == ["occupied", "reserved"]


def _slow(_conn, payloads):
    """Hold the writer for an instant, so that what is submitted meanwhile shares the next transaction."""
    return [None] * len(payloads)


@pytest.mark.parametrize(("connector", "expected"), [(1, ["charging", "occupied"]), (2, ["occupied", "charging"])])
async def test_transaction_at_one_connector_lifts_only_the_evse_that_the_inventory_gives_it(
    bridge, connector, expected
) -> None:
    lines = [
        STATIONS.splitlines()[0],
        "split,2.0.1,0123456789abcdef,1,1,DE*ABC*E7*1,demo,downgrade,,",
        "split,,,1,2,DE*ABC*E7*2,demo,downgrade,,",
    ]
    await bridge.import_("\n".join(lines) + "\n")
    epoch = await bridge.connect("split", V201)
    for number in (1, 2):
        await bridge.report("split", epoch, number, "Occupied", evse=1, version=V201)
    await bridge.intake.record(
        TransactionReported(
            StationId("split"),
            epoch,
            V201,
            1,
            connector,
            "t1",
            0,
            TransactionPhase.STARTED,
            ChargingState.CHARGING,
            False,
        )
    )
    assert [await bridge.effective(f"DE*ABC*E7*{n}") for n in (1, 2)] == expected


def without(evse_id: str) -> str:
    return "\n".join(line for line in STATIONS.splitlines() if evse_id not in line) + "\n"
