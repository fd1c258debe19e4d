"""Prove that what a station was answered is stored, decided and desired, on both databases."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from tests_bridge import START, STATIONS, LossyWriter

from bridge.core.model import Effective, EvseStatus
from bridge.store.changes import Changes, ConflictingWrite, StateChange, save
from bridge.store.errors import StoreUnavailable
from bridge.store.security_events import (
    CertificateRequest,
    SecurityEvent,
    certificate_requests,
    security_events,
)
from bridge.store.stations import load
from csms.events import (
    CertificateRequested,
    ChargingState,
    Epoch,
    OcppVersion,
    ReportedStatus,
    ResyncEnded,
    ResyncFinished,
    ResyncOutcome,
    SecurityEventReported,
    StationDisconnected,
    StationId,
    StatusReported,
    TransactionIdNeeded,
    TransactionPhase,
    TransactionReported,
)
from csms.ports import EventRefused, NotRecorded, Superseded

V201, V21 = OcppVersion.V201, OcppVersion.V21


async def test_status_is_stored_decided_and_desired_at_every_account(bridge) -> None:
    epoch = await bridge.connect("one")
    receipt = await bridge.report("one", epoch, 1, "Charging")
    assert await bridge.effective("DE*ABC*E1*1") == "charging"
    assert await bridge.desired("DE*ABC*E1*1", "hubject") == "Occupied"
    assert await bridge.desired("DE*ABC*E1*1", "chargeprice") == "occupied"
    assert await bridge.rows("SELECT status, seq FROM fact") == [("Charging", receipt.seq)]


async def test_receive_sequence_grows_over_all_stations(bridge) -> None:
    one, two = await bridge.connect("one"), await bridge.connect("two", V201)
    first = await bridge.report("one", one, 1, "Available")
    second = await bridge.report("two", two, 1, "Available", evse=1, version=V201)
    third = await bridge.report("one", one, 1, "Charging")
    assert first.seq < second.seq < third.seq


async def test_statuses_of_many_stations_share_transactions(bridge) -> None:
    lines = ["station,version,key,connector,evse_id,operator"]
    lines += [f"s{n},1.6,0123456789abcdef,1,DE*ABC*E9{n},demo" for n in range(50)]
    await bridge.import_("\n".join(lines) + "\n")
    epochs = await asyncio.gather(*(bridge.connect(f"s{n}") for n in range(50)))
    before = bridge.writer.batches_written
    await asyncio.gather(*(bridge.report(f"s{n}", epoch, 1, "Charging") for n, epoch in enumerate(epochs)))
    assert bridge.writer.batches_written - before <= 5
    assert await bridge.rows("SELECT count(*) FROM evse_state WHERE status = 'charging'") == [(50,)]


@pytest.mark.row("T53")
async def test_event_of_a_superseded_connection_is_refused_and_its_neighbours_are_not(bridge) -> None:
    old = await bridge.connect("one")
    new = await bridge.connect("one")
    results = await asyncio.gather(
        bridge.report("one", old, 1, "Faulted"),
        bridge.report("one", new, 2, "Charging"),
        bridge.report("nobody", Epoch(1), 1, "Charging"),
        return_exceptions=True,
    )
    assert isinstance(results[0], Superseded)
    assert isinstance(results[2], EventRefused)
    assert await bridge.rows("SELECT ocpp_connector, status FROM fact") == [(2, "Charging")]


async def test_value_that_no_column_takes_fails_its_own_station_only(bridge) -> None:
    epoch = await bridge.connect("one")
    too_large = StatusReported(StationId("one"), epoch, OcppVersion.V16, 0, 2**70, ReportedStatus.AVAILABLE)
    results = await asyncio.gather(
        bridge.intake.record(too_large), bridge.report("one", epoch, 2, "Charging"), return_exceptions=True
    )
    assert isinstance(results[0], EventRefused)
    assert await bridge.effective("DE*ABC*E1*2") == "charging"


async def test_text_that_the_database_cannot_hold_fails_its_own_event_only(bridge) -> None:
    if bridge.store.dialect == "sqlite":
        pytest.skip("SQLite stores every text")
    epoch = await bridge.connect("one")
    nul = StatusReported(
        StationId("one"), epoch, OcppVersion.V16, 0, 1, ReportedStatus.CHARGING, vendor_error_code="a\0b"
    )
    results = await asyncio.gather(
        bridge.intake.record(nul), bridge.report("one", epoch, 2, "Charging"), return_exceptions=True
    )
    assert isinstance(results[0], EventRefused)
    assert await bridge.effective("DE*ABC*E1*2") == "charging"


@pytest.mark.parametrize(("conflicts", "recorded"), [(3, True), (4, False)], ids=["read again", "given up"])
async def test_event_that_met_another_processs_write_is_read_again(bridge, conflicts, recorded) -> None:
    epoch = await bridge.connect("one")
    intake = bridge.intake
    intake._writer = LossyWriter(bridge.writer, intake._handler, [ConflictingWrite("changed")] * conflicts)
    report = bridge.report("one", epoch, 1, "Charging")
    if recorded:
        await report
        assert await bridge.effective("DE*ABC*E1*1") == "charging"
        return
    with pytest.raises(NotRecorded):
        await report


async def test_write_against_a_version_that_has_moved_on_is_a_conflict(bridge) -> None:
    def run(conn, _payloads):
        station = load(conn, [StationId("one")])[StationId("one")]
        (evse,) = [evse for evse in station.evses.values() if evse.evse_id == "DE*ABC*E1*1"]
        evse.version = 8
        stored, evse.effective = evse.effective, Effective(EvseStatus.FAULTED, EvseStatus.FAULTED, "")
        changes = Changes()
        changes.states[evse.key] = StateChange(evse, stored, 1, None)
        save(conn, changes)
        return [None]

    with pytest.raises(ConflictingWrite):
        await bridge.writer.submit(run, None)
    assert await bridge.effective("DE*ABC*E1*1") == "unknown"


async def test_storage_that_fails_answers_nothing_as_if_stored(bridge) -> None:
    epoch = await bridge.connect("one")
    intake = bridge.intake
    intake._writer = LossyWriter(bridge.writer, intake._handler, [StoreUnavailable("disk full")])
    with pytest.raises(NotRecorded):
        await bridge.report("one", epoch, 1, "Charging")
    assert await bridge.effective("DE*ABC*E1*1") == "unknown"
    await bridge.report("one", epoch, 1, "Charging")
    assert await bridge.effective("DE*ABC*E1*1") == "charging"


async def test_station_cannot_make_rows_without_bound(bridge) -> None:
    epoch = await bridge.connect("one")
    for number in range(1, 129):
        await bridge.report("one", epoch, number, "Available")
    with pytest.raises(EventRefused, match="more than 128"):
        await bridge.report("one", epoch, 129, "Available")
    assert await bridge.rows("SELECT count(*) FROM fact") == [(128,)]


@pytest.mark.row("T57")
async def test_change_towards_available_counts_after_the_hold_without_another_message(bridge) -> None:
    epoch = await bridge.connect("one")
    await bridge.report("one", epoch, 1, "Charging")
    await bridge.report("one", epoch, 1, "Available")
    assert await bridge.effective("DE*ABC*E1*1") == "charging"
    bridge.clock.pass_(seconds=1.9)
    await bridge.ticker.tick()
    assert await bridge.effective("DE*ABC*E1*1") == "charging"
    bridge.clock.pass_(seconds=0.1)
    await bridge.ticker.tick()
    assert await bridge.effective("DE*ABC*E1*1") == "available"
    assert await bridge.desired("DE*ABC*E1*1") == "Available"


@pytest.mark.row("T57")
async def test_blink_of_available_is_never_desired(bridge) -> None:
    epoch = await bridge.connect("one")
    await bridge.report("one", epoch, 1, "Charging")
    await bridge.report("one", epoch, 1, "Available")
    bridge.clock.pass_(seconds=1)
    await bridge.report("one", epoch, 1, "Preparing")
    bridge.clock.pass_(seconds=10)
    await bridge.ticker.tick()
    words = await bridge.rows("SELECT status FROM history ORDER BY id")
    assert ("available",) not in words


@pytest.mark.row("T63")
async def test_two_connectors_of_one_evse_are_one_status(bridge) -> None:
    epoch = await bridge.connect("two", V201)
    await bridge.report("two", epoch, 1, "Occupied", evse=1, version=V201)
    await bridge.report("two", epoch, 2, "Available", evse=1, version=V201)
    assert await bridge.effective("DE*ABC*E2*1") == "occupied"


async def test_transaction_refines_and_never_frees(bridge) -> None:
    epoch = await bridge.connect("two", V201)
    await bridge.report("two", epoch, 1, "Occupied", evse=1, version=V201)
    event = TransactionReported(
        StationId("two"), epoch, V201, 1, 1, "t1", 0, TransactionPhase.STARTED, ChargingState.CHARGING, False
    )
    await bridge.intake.record(event)
    assert await bridge.effective("DE*ABC*E2*1") == "charging"
    nameless = TransactionReported(
        StationId("two"), epoch, V201, None, None, "t1", 1, TransactionPhase.ENDED, None, False
    )
    await bridge.intake.record(nameless)
    assert await bridge.effective("DE*ABC*E2*1") == "occupied"


@pytest.mark.row("T62")
async def test_whole_station_unavailable_takes_every_evse_along_and_gives_it_back(bridge) -> None:
    epoch = await bridge.connect("one")
    await bridge.report("one", epoch, 1, "Preparing")
    await bridge.report("one", epoch, 2, "Preparing")
    await bridge.report("one", epoch, 0, "Unavailable")
    assert [await bridge.effective(f"DE*ABC*E1*{n}") for n in (1, 2)] == ["unavailable", "unavailable"]
    await bridge.report("one", epoch, 0, "Available")
    assert [await bridge.effective(f"DE*ABC*E1*{n}") for n in (1, 2)] == ["occupied", "occupied"]


@pytest.mark.row("T62")
async def test_downgrade_that_a_boot_does_not_repeat_is_dropped_when_the_resync_has_finished(bridge) -> None:
    epoch = await bridge.connect("one")
    await bridge.report("one", epoch, 1, "Preparing")
    await bridge.report("one", epoch, 0, "Faulted")
    await bridge.boot("one", epoch)
    assert await bridge.effective("DE*ABC*E1*1") == "faulted"
    await bridge.intake.record(ResyncFinished(StationId("one"), epoch))
    assert await bridge.effective("DE*ABC*E1*1") == "occupied"
    assert await bridge.rows("SELECT count(*) FROM fact WHERE ocpp_connector = 0") == [(0,)]


@pytest.mark.row("T65")
async def test_facts_of_the_other_version_retire_at_the_first_status_of_the_new_one(bridge) -> None:
    epoch = await bridge.connect("one")
    await bridge.report("one", epoch, 0, "Faulted")
    epoch = await bridge.connect("one", V201)
    await bridge.boot("one", epoch)
    assert await bridge.rows("SELECT count(*) FROM fact") == [(1,)]
    await bridge.report("one", epoch, 1, "Available", evse=1, version=V201)
    assert await bridge.rows("SELECT ocpp_evse, ocpp_connector, status FROM fact") == [(1, 1, "Available")]


@pytest.mark.parametrize(("before", "after"), [(V201, V21), (V21, V201)], ids=["2.0.1-to-2.1", "2.1-to-2.0.1"])
async def test_facts_outlive_a_change_between_versions_that_address_alike(bridge, before, after) -> None:
    epoch = await bridge.connect("two", before)
    await bridge.report("two", epoch, 0, "Faulted", evse=0, version=before)
    epoch = await bridge.connect("two", after)
    await bridge.report("two", epoch, 1, "Available", evse=1, version=after)
    assert await bridge.rows("SELECT ocpp_evse, ocpp_connector, status FROM fact ORDER BY ocpp_evse") == [
        (0, 0, "Faulted"),
        (1, 1, "Available"),
    ]
    assert await bridge.rows("SELECT fact_version FROM station WHERE id = 'two'") == [(after.value,)]


@pytest.mark.row("T65")
async def test_facts_of_21_retire_at_the_first_status_of_16(bridge) -> None:
    epoch = await bridge.connect("two", V21)
    await bridge.report("two", epoch, 1, "Occupied", evse=1, version=V21)
    epoch = await bridge.connect("two", OcppVersion.V16)
    await bridge.report("two", epoch, 0, "Available")
    assert await bridge.rows("SELECT ocpp_evse, ocpp_connector, status FROM fact") == [(0, 0, "Available")]


@pytest.mark.row("T65")
async def test_every_evse_of_the_station_is_decided_anew_when_facts_retire(bridge) -> None:
    epoch = await bridge.connect("one")
    await bridge.report("one", epoch, 2, "Charging")
    epoch = await bridge.connect("one", V201)
    await bridge.report("one", epoch, 1, "Available", evse=1, version=V201)
    assert await bridge.effective("DE*ABC*E1*2") == "unknown"


@pytest.mark.row("T65")
async def test_transaction_before_the_first_status_of_a_version_retires_nothing_and_outlives_it(bridge) -> None:
    epoch = await bridge.connect("two", OcppVersion.V16)
    await bridge.report("two", epoch, 0, "Unavailable")
    epoch = await bridge.connect("two", V201)
    started = TransactionReported(
        StationId("two"), epoch, V201, 1, 1, "t1", 0, TransactionPhase.STARTED, ChargingState.CHARGING, False
    )
    await bridge.intake.record(started)
    assert await bridge.rows("SELECT ocpp_connector, status FROM fact") == [(0, "Unavailable")]
    await bridge.report("two", epoch, 1, "Occupied", evse=1, version=V201)
    assert await bridge.rows("SELECT ocpp_evse, ocpp_connector FROM fact") == [(1, 1)]
    assert await bridge.effective("DE*ABC*E2*1") == "charging"


async def test_facts_that_retire_in_one_transaction_with_the_next_report_leave_nothing_of_the_old(bridge) -> None:
    epoch = await bridge.connect("two", V201)
    await bridge.report("two", epoch, 1, "Occupied", evse=1, version=V201)
    started = TransactionReported(
        StationId("two"), epoch, V201, 1, 1, "t1", 0, TransactionPhase.STARTED, ChargingState.CHARGING, False
    )
    now16 = StatusReported(StationId("two"), epoch, OcppVersion.V16, 0, 1, ReportedStatus.AVAILABLE)
    await asyncio.gather(bridge.intake.record(started), bridge.intake.record(now16))
    assert await bridge.rows("SELECT count(*) FROM charging") == [(0,)]
    assert await bridge.rows("SELECT ocpp_evse, ocpp_connector FROM fact") == [(0, 1)]


async def test_status_of_a_connector_that_the_inventory_does_not_know_is_kept_and_publishes_nothing(bridge) -> None:
    epoch = await bridge.connect("one")
    history = await bridge.rows("SELECT count(*) FROM history")
    await bridge.report("one", epoch, 7, "Faulted")
    assert await bridge.rows("SELECT ocpp_connector, status FROM fact") == [(7, "Faulted")]
    assert await bridge.rows("SELECT count(*) FROM history") == history


async def test_transaction_that_a_status_of_an_unknown_connector_ends_frees_its_evse(bridge) -> None:
    epoch = await bridge.connect("two", V201)
    await bridge.report("two", epoch, 1, "Occupied", evse=1, version=V201)
    started = TransactionReported(
        StationId("two"), epoch, V201, 1, None, "t1", 0, TransactionPhase.STARTED, ChargingState.CHARGING, False
    )
    await bridge.intake.record(started)
    assert await bridge.effective("DE*ABC*E2*1") == "charging"
    await bridge.report("two", epoch, 9, "Available", evse=1, version=V201)
    assert await bridge.effective("DE*ABC*E2*1") == "occupied"


async def test_downgrade_that_is_dropped_and_reported_again_in_one_transaction_stands(bridge) -> None:
    epoch = await bridge.connect("one")
    await bridge.report("one", epoch, 1, "Preparing")
    await bridge.report("one", epoch, 0, "Faulted")
    await bridge.boot("one", epoch)
    await asyncio.gather(
        bridge.intake.record(ResyncFinished(StationId("one"), epoch)), bridge.report("one", epoch, 0, "Faulted")
    )
    assert await bridge.effective("DE*ABC*E1*1") == "faulted"
    rows = await bridge.rows("SELECT status, boot_doubt FROM fact WHERE ocpp_connector = 0")
    assert [(status, bool(doubt)) for status, doubt in rows] == [("Faulted", False)]


async def test_report_and_boot_in_one_transaction_leave_the_report_with_its_detail_in_doubt(bridge) -> None:
    epoch = await bridge.connect("one")
    faulted = StatusReported(
        StationId("one"), epoch, OcppVersion.V16, 0, 0, ReportedStatus.FAULTED, error_code="GroundFailure"
    )
    await asyncio.gather(bridge.intake.record(faulted), bridge.boot("one", epoch))
    rows = await bridge.rows("SELECT status, error_code, boot_doubt FROM fact")
    assert [(*row[:2], bool(row[2])) for row in rows] == [("Faulted", "GroundFailure", True)]


async def test_station_that_is_the_source_of_its_evses_counts_as_reported(bridge) -> None:
    await bridge.import_(STATIONS.replace("downgrade", "source"))
    epoch = await bridge.connect("one")
    receipt = await bridge.report("one", epoch, 0, "Unavailable")
    rows = await bridge.rows("SELECT s.seq FROM evse_state s JOIN evse e ON e.id = s.evse WHERE e.station = 'one'")
    assert rows == [(receipt.seq,)] * 2


async def test_acceptance_and_refused_triggers_are_durable_until_the_firmware_changes(bridge) -> None:
    epoch = await bridge.connect("one")
    await bridge.boot("one", epoch)
    await bridge.intake.record(ResyncEnded(StationId("one"), epoch, 0, 1, ResyncOutcome.REFUSED))
    rows = await bridge.rows("SELECT accepted_at IS NOT NULL, refuses_trigger FROM station WHERE id = 'one'")
    assert [tuple(map(bool, row)) for row in rows] == [(True, True)]
    await bridge.boot("one", epoch)
    assert (await bridge.rows("SELECT refuses_trigger FROM station WHERE id = 'one'"))[0][0]


async def test_transaction_ids_never_repeat(bridge) -> None:
    epoch = await bridge.connect("one")
    asked = [bridge.intake.record(TransactionIdNeeded(StationId("one"), epoch, 1)) for _ in range(20)]
    ids = [receipt.transaction_id for receipt in await asyncio.gather(*asked)]
    assert sorted(ids) == list(range(1, 21))


@pytest.mark.row("T53")
async def test_disconnect_of_the_present_connection_is_stored_and_of_an_old_one_is_not(bridge) -> None:
    old = await bridge.connect("one")
    new = await bridge.connect("one")
    with pytest.raises(Superseded):
        await bridge.intake.record(StationDisconnected(StationId("one"), old))
    assert await bridge.rows("SELECT closed_at FROM connection WHERE station = 'one'") == [(None,)]
    await bridge.intake.record(StationDisconnected(StationId("one"), new))
    assert (await bridge.rows("SELECT closed_at IS NOT NULL FROM connection WHERE station = 'one'"))[0][0]


async def test_newest_100_security_events_of_a_station_are_kept(bridge) -> None:
    one, two = await bridge.connect("one"), await bridge.connect("two", V201)
    other = SecurityEventReported(StationId("two"), two, "TamperDetectionActivated", "door", "1970-01-01T00:00:00Z")
    await bridge.intake.record(other)
    for number in range(103):
        bridge.clock.pass_(seconds=1)
        await bridge.intake.record(SecurityEventReported(StationId("one"), one, f"Event{number}"))
    async with bridge.store.read() as connection:
        kept = await connection.run_sync(security_events, StationId("one"), 1000)
        newest = await connection.run_sync(security_events, StationId("one"), 2)
        others = await connection.run_sync(security_events, StationId("two"))
    assert [event.kind for event in kept] == [f"Event{number}" for number in range(102, 2, -1)]
    assert [event.at for event in newest] == [START + timedelta(seconds=103), START + timedelta(seconds=102)]
    assert others == [SecurityEvent(START, "TamperDetectionActivated", "door", "1970-01-01T00:00:00Z")]


async def test_newest_request_of_each_kind_of_certificate_is_kept(bridge) -> None:
    station, epoch = StationId("two"), await bridge.connect("two", V201)
    for kind, csr in [("", "first"), ("V2GCertificate", "other"), ("", "second")]:
        bridge.clock.pass_(seconds=1)
        await bridge.intake.record(CertificateRequested(station, epoch, kind, csr))
    async with bridge.store.read() as connection:
        kept = await connection.run_sync(certificate_requests, station)
    assert kept == [
        CertificateRequest("", "second", START + timedelta(seconds=3)),
        CertificateRequest("V2GCertificate", "other", START + timedelta(seconds=2)),
    ]
