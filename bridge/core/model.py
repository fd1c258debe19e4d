"""Name the things that the bridge decides about: facts, effective statuses, deliveries, lanes, outcomes.

Frozen values only. Neighbours: `csms.events` before it; `effective`, `reconcile` and `mapping` after it.

Two clocks, read once per decision as a `Moment`: `now` is the wall clock, for what operators scheduled; `steady` is the
monotonic clock, written as a UTC datetime that never steps, for holds, backoff and silence. A steady time that was
stored is clamped at start (design: a restart never resets a backoff, and never waits longer than its own maximum).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

from msgspec import Struct

from csms.events import ChargingState, ReportedStatus

EvseId = NewType("EvseId", str)
"""An EVSE's id as it goes on the wire, upper case, for example DE*ABC*E1 (OICP 2.3 EvseIDType)."""

AccountName = NewType("AccountName", str)
"""Name of an account in the configuration, `[a-z0-9_]+`."""


class Moment(Struct, frozen=True):
    """Both clocks at one instant, aware and in UTC."""

    now: datetime
    steady: datetime


class EvseStatus(StrEnum):
    """What an EVSE's status is after every rule (design: effective status)."""

    AVAILABLE = "available"
    OCCUPIED = "occupied"
    CHARGING = "charging"
    RESERVED = "reserved"
    UNAVAILABLE = "unavailable"
    FAULTED = "faulted"
    UNKNOWN = "unknown"
    MAINTENANCE = "maintenance"
    COMMISSIONING = "commissioning"
    BLOCKED = "blocked"


class TemporaryKind(StrEnum):
    """Kinds of a temporary status. Source: Spirii temporary-evse-statuses v2, temporaryStatus."""

    MAINTENANCE = "MAINTENANCE"
    COMMISSIONING = "COMMISSIONING"
    BLOCKED = "BLOCKED"
    RESERVED = "RESERVED"


class Layer0(StrEnum):
    """What a report about the whole station (1.6 connectorId 0, 2.x station or EVSE level) does to its EVSEs."""

    DOWNGRADE = "downgrade"
    SOURCE = "source"
    IGNORE = "ignore"


class Fact(Struct, frozen=True):
    """The last report of one connector, EVSE level or station level, as stored."""

    evse: int
    connector: int
    status: ReportedStatus
    seq: int
    """Receive sequence of the report."""
    received_at: datetime
    """Steady time of receipt."""
    doubt: bool = False
    """The station was declared unreachable after this report, and the connector has not been heard of since."""
    stale: bool = False
    """The value returned after a resync that brought no report: shown, and counts as before."""
    charging_from: int | None = None
    """Receive sequence at which the car that stands here began to charge; None once it has left."""
    boot_doubt: bool = False
    """Layer 0 only: the station booted after this report and has not repeated it yet."""


class Charging(Struct, frozen=True):
    """The latest 2.x transaction of an EVSE, as far as it counts for its status."""

    transaction: str
    seq_no: int
    """Highest seqNo seen of this transaction."""
    state: ChargingState | None
    """None where it does not count: cleared by Ended or by a later connector status, or only offline events so far."""
    seq: int
    """Receive sequence of the event that set `state`."""
    received_at: datetime
    ended: bool = False
    charging_from: int | None = None
    """Receive sequence of the first event with state Charging in this transaction."""
    doubt: bool = False
    """As `Fact.doubt`."""
    connector: int | None = None
    """Connector that the transaction's events named; None where they named none."""


@dataclass(frozen=True, slots=True)
class Temporary:
    """A temporary status that an operator set; `valid_to` None means until it is removed. Wall-clock times."""

    kind: TemporaryKind
    valid_from: datetime
    valid_to: datetime | None
    enforce: bool = False
    """While it is in force, the EVSE is also made inoperative at its station (ChangeAvailability)."""


class EvseView(Struct, frozen=True):
    """Everything that decides one EVSE's effective status."""

    connectors: tuple[Fact | None, ...]
    """One entry per connector of the inventory; None where it was never heard."""
    evse_level: Fact | None = None
    """2.x report about the EVSE as a whole."""
    station_level: Fact | None = None
    charging: Charging | None = None
    unreachable: bool = False
    """The station is declared unreachable (a stored fact)."""
    layer0: Layer0 = Layer0.DOWNGRADE
    temporaries: tuple[Temporary, ...] = ()
    kept_until: datetime | None = None
    """The EVSE moved to this station: its published status stands until then (steady), or until the station reports."""


class Effective(Struct, frozen=True):
    """An EVSE's effective status, why, and until when the passing of time alone leaves it so."""

    status: EvseStatus
    live: EvseStatus
    """The status without temporary statuses, after the hold."""
    rule: str
    """Which rule decided, in plain words for operators, at most 200 characters."""
    available_since: datetime | None = None
    """Steady time from which the hold towards available runs; None where nothing is held."""
    until_now: datetime | None = None
    """Wall time at which to decide again (a temporary status begins or ends)."""
    until_steady: datetime | None = None
    """Steady time at which to decide again (a hold ends)."""


NEVER_HEARD = Effective(EvseStatus.UNKNOWN, EvseStatus.UNKNOWN, "never heard of")
"""What an EVSE is before its first fact."""


class Delivery(Struct, frozen=True):
    """One (account, EVSE) row: what the hub should have, what it acknowledged, and when to try next.

    All times are steady. `desired_seq` is a counter of this row alone; it grows with each change of `desired`.
    """

    desired: str
    """The hub's own word, for example Available or maintainance; empty for a tombstone that asks for deletion."""
    desired_seq: int
    acked: str | None = None
    acked_seq: int = 0
    """`desired_seq` of the last acknowledged request; 0 where nothing counts as acknowledged."""
    acked_at: datetime | None = None
    in_flight_seq: int = 0
    """`desired_seq` that was sent and is not settled; 0 where nothing is in flight."""
    doubt_until: datetime | None = None
    """A request's answer was lost: assert the current value once more from this time on."""
    reassert_at: datetime | None = None
    """Assert the current value from this time on even if nothing changed (daily)."""
    not_before: datetime | None = None
    """Deferred or refused: do not try before, unless `desired_seq` moves (refused) or the lane says otherwise."""
    refused: str | None = None
    """Why the hub refuses this row; shown to the operator."""
    refused_seq: int = 0
    """`desired_seq` at the refusal: a newer value is tried at once."""
    proven: str | None = None
    """A reason that was proven to be this row's own: it cannot hold the account for it again."""
    suspect: str | None = None
    """This row's answer held the account for this reason; it is put to the test when another row passes."""
    known: bool | None = None
    """Does the hub know this EVSE: True → update, False → insert, None → not yet learnt."""
    switched: bool = False
    """The action was switched once for the value at `desired_seq`: a second contradiction is a refusal."""
    attempts: int = 0
    """Attempts since the last acceptance."""
    attempted_at: datetime | None = None
    tombstone: bool = False
    """The EVSE left the inventory: the row goes away once this is acknowledged."""
    references: tuple[str, str] = ("", "")
    """What the hub calls the EVSE where it is not its EVSE id (Chargeprice: station and charge point). A tombstone
    keeps those that the hub was told."""


class Lane(Struct, frozen=True):
    """One account's state: pauses, holds and pace. All times are steady."""

    failures: int = 0
    """Deferred attempts in a row."""
    paused_until: datetime | None = None
    held: str | None = None
    """Why the account is held (certificate, key, contract); probed with real work."""
    held_at: datetime | None = None
    refusals: int = 0
    """Different rows refused in a row for `refusal_reason`, with none accepted."""
    refusal_reason: str | None = None


class FullLoadState(Struct, frozen=True):
    """What an account remembers of its fullLoads. Times are steady but `next_w`, which is wall time."""

    confirmed: bool = False
    """An operator said yes to replacing everything the account has at the hub."""
    wanted: str | None = None
    """Why one is wanted beside the schedule ("first", "doubt", "request"); None: none is."""
    gate_since: datetime | None = None
    """Since when a fullLoad that was attempted has been holding back single pushes."""
    tries: int = 0
    """Attempts in doubt since the last settled one."""
    attempted_at: datetime | None = None
    accepted_at: datetime | None = None
    next_w: datetime | None = None
    """Next daily one; None: not scheduled yet."""
    size: int | None = None
    """Records of the last accepted one."""
    in_flight: bool = False


# --- outcomes of one request, with their scope --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Accepted:
    """The hub holds the value that was sent."""


@dataclass(frozen=True, slots=True)
class Deferred:
    """Not now; for the rows sent and for the lane's pace. Never given up.

    `in_doubt`: the request may still be applied (timeout, reset, unreadable answer after the body was sent).
    """

    why: str
    retry_after_s: float | None = None
    in_doubt: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """The hub will not take this row; others may pass. `named`: canonical ids, where a fullLoad's answer names them."""

    why: str
    named: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WrongAction:
    """The hub knows the row differently than we thought: send it again with `known` set so."""

    known: bool
    why: str


@dataclass(frozen=True, slots=True)
class Held:
    """Every request of this account would fail so: certificate, key, contract, address."""

    why: str
    perhaps_row: bool = False
    """Or this row's alone would (a key without the right to one station): another row is tried at once."""


Outcome = Accepted | Deferred | Refused | WrongAction | Held
