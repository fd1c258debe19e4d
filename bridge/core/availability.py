"""Decide what a station is to be told about an EVSE's availability because of its temporary statuses.

Level-triggered: a row says what is wanted and what the station took; nothing here sends. A row is there only while a
temporary status keeps the EVSE inoperative, or until that is undone. Only what we may have made inoperative is ever
made operative again: `made` is stored before the first request goes out, and an order that is withdrawn before that is
forgotten. Before it: `derive`. After it: `bridge.enforcer`, which asks stations.

Source: OCPP 1.6 §5.2 ChangeAvailability; OCPP 2.0.1 Part 2, G03.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from bridge.core.backoff import BackoffOptions, delay
from bridge.core.model import Temporary
from bridge.core.temporary import in_force
from csms.events import ChangeAnswer, ChangeOutcome, ConnectorAddress


class Availability(StrEnum):
    """Source: OCPP 1.6 AvailabilityType; OCPP 2.0.1 Part 2, OperationalStatusEnumType."""

    INOPERATIVE = "Inoperative"
    OPERATIVE = "Operative"


RETRIES = BackoffOptions(first=timedelta(seconds=30), ceiling=timedelta(hours=1))
"""A station that will not is asked again, ever more slowly."""


@dataclass(frozen=True, slots=True)
class AvailabilityOrder:
    """One EVSE's row. Times are steady."""

    wanted: Availability
    wanted_seq: int = 1
    """Grows with each change of `wanted`."""
    done_seq: int = 0
    """`wanted_seq` that the station took; 0 where it took none."""
    made: bool = False
    """The EVSE may be inoperative because of us: a request may have been applied."""
    attempts: int = 0
    """Requests for `wanted` since it last changed."""
    not_before: datetime | None = None
    last: str = ""
    """How the station answered last, for operators."""

    @property
    def open(self) -> bool:
        """Is the station still to be told."""
        return self.done_seq < self.wanted_seq


def enforced(temporaries: Iterable[Temporary], now: datetime) -> bool:
    """Tell whether a temporary status in force keeps the EVSE inoperative."""
    return any(temporary.enforce and in_force(temporary, now) for temporary in temporaries)


def want_order(order: AvailabilityOrder | None, inoperative: bool) -> AvailabilityOrder | None:
    """Return the row after the temporary statuses were looked at again; the same one where nothing changed."""
    if order is None:
        return AvailabilityOrder(Availability.INOPERATIVE) if inoperative else None
    wanted = Availability.INOPERATIVE if inoperative else Availability.OPERATIVE
    if order.wanted is wanted:
        return order
    if not inoperative and not order.made:
        return None
    return replace(order, wanted=wanted, wanted_seq=order.wanted_seq + 1, attempts=0, not_before=None)


def begun(order: AvailabilityOrder) -> AvailabilityOrder:
    """Return the row as it must be stored before its request goes out."""
    return replace(order, made=True, attempts=order.attempts + 1)


def settled(
    order: AvailabilityOrder, sent: AvailabilityOrder, answer: ChangeAnswer, at: datetime, jitter: float
) -> AvailabilityOrder | None:
    """Return the row after an answer; None where there is nothing left to do for the EVSE.

    Args:
        order: The row as it is now; it may want something else by now.
        sent: The row as it was before `begun`, whose `wanted` was sent.
        answer: The station's, for all connectors of the EVSE together.
        at: Steady.
        jitter: In [0, 1).
    """
    told = replace(order, made=_made(order, sent, answer), last=_said(sent, answer))
    if answer.outcome in (ChangeOutcome.ACCEPTED, ChangeOutcome.SCHEDULED):
        told = replace(told, done_seq=sent.wanted_seq)
        if not told.open:
            undone = told.wanted is Availability.OPERATIVE
            return None if undone else replace(told, attempts=0, not_before=None)
        return told if told.made or told.wanted is Availability.INOPERATIVE else None
    if told.wanted_seq == sent.wanted_seq:
        return replace(told, not_before=at + delay(told.attempts, jitter, RETRIES))
    return told if told.made or told.wanted is Availability.INOPERATIVE else None


def _made(order: AvailabilityOrder, sent: AvailabilityOrder, answer: ChangeAnswer) -> bool:
    match answer.outcome:
        case ChangeOutcome.ACCEPTED | ChangeOutcome.SCHEDULED:
            return sent.wanted is Availability.INOPERATIVE
        case ChangeOutcome.REJECTED | ChangeOutcome.UNSUPPORTED | ChangeOutcome.AWAY:
            return sent.made
        case ChangeOutcome.UNCLEAR:
            return order.made


def _said(sent: AvailabilityOrder, answer: ChangeAnswer) -> str:
    return f"{sent.wanted}: {answer.outcome}" + (f" ({answer.why})" if answer.why else "")


def joined(answers: Collection[ChangeAnswer]) -> ChangeAnswer:
    """Return what the answers for several connectors come to: as good as the worst, and unclear where they differ.

    Of two connectors of which one took it and one did not, the EVSE is neither what it was nor what was wanted.
    """
    outcomes = {answer.outcome for answer in answers}
    taken = outcomes & {ChangeOutcome.ACCEPTED, ChangeOutcome.SCHEDULED}
    worst = max(answers, key=lambda answer: _GRAVITY.index(answer.outcome))
    if taken and outcomes - taken:
        return ChangeAnswer(ChangeOutcome.UNCLEAR, worst.why or f"one connector of several: {worst.outcome}")
    return worst


_GRAVITY = (
    ChangeOutcome.ACCEPTED,
    ChangeOutcome.SCHEDULED,
    ChangeOutcome.AWAY,
    ChangeOutcome.UNSUPPORTED,
    ChangeOutcome.REJECTED,
    ChangeOutcome.UNCLEAR,
)


def targets(own: Iterable[ConnectorAddress], others: Collection[ConnectorAddress]) -> tuple[ConnectorAddress, ...]:
    """Return what ChangeAvailability must name for one EVSE of ours, never the whole station.

    OCPP 1.6 knows connectors only. A 2.x EVSE is named as a whole, unless the inventory gives some of its connectors
    to another EVSE of ours.

    Args:
        own: The EVSE's connectors.
        others: Every other connector of the station.
    """
    shared = {address.evse for address in others}
    named = (
        address if address.evse == 0 or address.evse in shared else ConnectorAddress(address.evse, 0) for address in own
    )
    return tuple(dict.fromkeys(named))
