"""Fold what a station reported into the facts that count: one per connector and level, one per EVSE's transaction.

Never decides what an EVSE's status is, and never reads a station's clock: order is our receive sequence. Before it:
`csms.events`. After it: `effective`, which decides from a view of these facts.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final

from msgspec.structs import replace

from bridge.core.model import Charging, EvseStatus, Fact
from csms.events import ChargingState, ReportedStatus, StatusReported, TransactionPhase, TransactionReported

EVSE_STATUS: Final[Mapping[ReportedStatus, EvseStatus]] = MappingProxyType(
    {
        ReportedStatus.AVAILABLE: EvseStatus.AVAILABLE,
        ReportedStatus.PREPARING: EvseStatus.OCCUPIED,
        ReportedStatus.CHARGING: EvseStatus.CHARGING,
        ReportedStatus.SUSPENDED_EVSE: EvseStatus.OCCUPIED,
        ReportedStatus.SUSPENDED_EV: EvseStatus.OCCUPIED,
        ReportedStatus.FINISHING: EvseStatus.OCCUPIED,
        ReportedStatus.OCCUPIED: EvseStatus.OCCUPIED,
        ReportedStatus.RESERVED: EvseStatus.RESERVED,
        ReportedStatus.UNAVAILABLE: EvseStatus.UNAVAILABLE,
        ReportedStatus.FAULTED: EvseStatus.FAULTED,
    }
)
"""Source: OCPP 1.6 §7.7 ChargePointStatus; OCPP 2.0.1 Part 2, ConnectorStatusEnumType; docs/mapping.md."""

CAR_PRESENT: Final = frozenset({EvseStatus.OCCUPIED, EvseStatus.CHARGING})
"""Statuses under which a car stands at the connector."""

DOWNGRADING: Final = frozenset({EvseStatus.UNAVAILABLE, EvseStatus.FAULTED})
"""Statuses that promise nothing, and that layer 0 imposes on its EVSEs."""


def evse_status(reported: ReportedStatus) -> EvseStatus:
    """Return what one reported word means by itself.

    An errorCode beside it changes nothing: "status other than Faulted with an errorCode is a warning" (OCPP 1.6 §4.9).
    """
    return EVSE_STATUS[reported]


def car_present(reported: ReportedStatus) -> bool:
    """Tell whether the word says that a car stands there (Preparing to Finishing in 1.6, Occupied in 2.x)."""
    return EVSE_STATUS[reported] in CAR_PRESENT


def after_status(previous: Fact | None, report: StatusReported, *, seq: int, received_at: datetime) -> Fact:
    """Return the fact that a status report leaves behind.

    Any transition is accepted: stations may drop short statuses (OCPP 1.6 §4.9, MinimumStatusDuration). A report
    clears every doubt about its own connector or level.

    Args:
        previous: The fact of the same (evse, connector), if there is one.
        report: What the station said.
        seq: Receive sequence of the report.
        received_at: Steady time of receipt.
    """
    return Fact(
        evse=report.evse,
        connector=report.connector,
        status=report.status,
        seq=seq,
        received_at=received_at,
        charging_from=_charging_from(previous, report.status, seq),
    )


def _charging_from(previous: Fact | None, status: ReportedStatus, seq: int) -> int | None:
    if not car_present(status):
        return None
    if previous is not None and previous.charging_from is not None:
        return previous.charging_from
    return seq if status is ReportedStatus.CHARGING else None


def after_transaction(
    previous: Charging | None, event: TransactionReported, *, seq: int, received_at: datetime
) -> Charging:
    """Return what is known of an EVSE's latest transaction after one TransactionEvent.

    Events that were sent offline, that are older than one already seen, or whose transaction is over, change only
    the record (`seq_no`, `ended`), never `state`. So does an event that repeats the newest seqNo after a connector
    status cleared the state: it is a retransmission. Idle is stored, and lifts nothing.

    Source: OCPP 2.0.1 Part 2, TransactionEventRequest (seqNo, offline), E02, E04, E12.
    """
    if previous is None:
        return _recorded(event, seq, received_at) if event.offline else _begun(event, seq, received_at)
    if event.transaction != previous.transaction:
        return _after_other_transaction(previous, event, seq, received_at)
    if event.offline or previous.ended or _already_seen(previous, event):
        return _record(previous, event)
    return _continued(previous, event, seq, received_at)


def _already_seen(previous: Charging, event: TransactionReported) -> bool:
    if event.seq_no == previous.seq_no:
        return previous.state is None
    return event.seq_no < previous.seq_no


def _after_other_transaction(
    previous: Charging, event: TransactionReported, seq: int, received_at: datetime
) -> Charging:
    """A live event of another transaction replaces the record; one from an offline queue only if nothing is lost."""
    if not event.offline:
        return _begun(event, seq, received_at)
    if previous.state is not None and not previous.ended:
        return previous
    return _recorded(event, seq, received_at)


def _begun(event: TransactionReported, seq: int, received_at: datetime) -> Charging:
    ended = event.phase is TransactionPhase.ENDED
    state = None if ended else event.charging_state
    return Charging(
        transaction=event.transaction,
        seq_no=event.seq_no,
        state=state,
        seq=seq,
        received_at=received_at,
        ended=ended,
        charging_from=seq if state is ChargingState.CHARGING else None,
        connector=event.connector,
    )


def _recorded(event: TransactionReported, seq: int, received_at: datetime) -> Charging:
    ended = event.phase is TransactionPhase.ENDED
    return Charging(event.transaction, event.seq_no, None, seq, received_at, ended=ended, connector=event.connector)


def _record(previous: Charging, event: TransactionReported) -> Charging:
    ended = previous.ended or event.phase is TransactionPhase.ENDED
    return replace(previous, seq_no=max(previous.seq_no, event.seq_no), ended=ended)


def _continued(previous: Charging, event: TransactionReported, seq: int, received_at: datetime) -> Charging:
    known = replace(
        _record(previous, event),
        doubt=False,
        connector=previous.connector if event.connector is None else event.connector,
    )
    if event.phase is TransactionPhase.ENDED:
        return replace(known, state=None, seq=seq, received_at=received_at)
    if event.charging_state is None:
        return known
    return replace(
        known,
        state=event.charging_state,
        seq=seq,
        received_at=received_at,
        charging_from=_charging_from_state(previous.charging_from, event.charging_state, seq),
    )


def _charging_from_state(before: int | None, state: ChargingState, seq: int) -> int | None:
    # OCPP 2.0.1 Part 2, ChargingStateEnumType: Idle: "There is no connection between EV and EVSE."
    if state is ChargingState.IDLE:
        return None
    if before is None and state is ChargingState.CHARGING:
        return seq
    return before


def after_connector_status(charging: Charging | None, fact: Fact) -> Charging | None:
    """Return the EVSE's transaction after a later status of one of its connectors.

    Anything but Occupied clears the state, unless the transaction names another connector: of an EVSE's connectors
    only the plugged one reports Occupied (OCPP 2.0.1 Part 2, G01). A report about the EVSE or the station as a whole
    clears nothing.
    """
    if charging is None or fact.connector == 0 or car_present(fact.status) or fact.seq <= charging.seq:
        return charging
    if charging.connector is not None and charging.connector != fact.connector:
        return charging
    return replace(charging, state=None, charging_from=None)


def after_boot(fact: Fact) -> Fact:
    """Return the fact after its station booted: what layer 0 took away must be repeated, or it will be dropped."""
    if fact.connector != 0 or fact.status is ReportedStatus.AVAILABLE:
        return fact
    return replace(fact, boot_doubt=True)


def after_resync_ended(fact: Fact) -> Fact:
    """Return the fact of a connector that was asked and has not reported on this connection: shown as stale."""
    return replace(fact, doubt=False, stale=True)


def after_resync_ended_charging(charging: Charging) -> Charging:
    """Return the transaction of an EVSE whose connector's question ended: it counts again as last known."""
    return replace(charging, doubt=False)


def after_resync_finished(fact: Fact) -> Fact | None:
    """Return the fact after every question to its station ended; None where it was not repeated after the boot.

    What nobody asks about (EVSE and station level) and is still in doubt returns here, as stale.
    """
    if fact.boot_doubt:
        return None
    return after_resync_ended(fact) if fact.doubt else fact


def after_loss(fact: Fact) -> Fact:
    """Return the fact after its station was declared unreachable."""
    return replace(fact, doubt=True)


def after_loss_charging(charging: Charging) -> Charging:
    """Return the transaction after its station was declared unreachable."""
    return replace(charging, doubt=True)
