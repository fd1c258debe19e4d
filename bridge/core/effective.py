"""Decide one EVSE's effective status from its facts, say why, and until when the passing of time alone leaves it so.

Never reads a clock and never stores: the caller gives the previous answer, in which a hold lives on. Before it:
`facts`. After it: `mapping`, one word per hub.

The order: the connectors by rank, refined by a 2.x transaction; layer 0; unreachability; the hold towards available;
then the temporary statuses in force. A station that is declared unreachable turns available, occupied, charging and
reserved into unknown, while unavailable and faulted stay, since they promise nothing; after its return the same counts
for each single fact that is still in doubt.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final, NamedTuple, assert_never

from msgspec import Struct

from bridge.core.facts import CAR_PRESENT, DOWNGRADING, car_present, evse_status
from bridge.core.model import (
    NEVER_HEARD,
    Charging,
    Effective,
    EvseStatus,
    EvseView,
    Fact,
    Layer0,
    Moment,
    Temporary,
    TemporaryKind,
)
from bridge.core.temporary import in_force, next_boundary
from csms.events import ChargingState, ReportedStatus

RANK: Final = (
    EvseStatus.CHARGING,
    EvseStatus.OCCUPIED,
    EvseStatus.RESERVED,
    EvseStatus.AVAILABLE,
    EvseStatus.UNAVAILABLE,
    EvseStatus.FAULTED,
    EvseStatus.UNKNOWN,
)
"""The EVSE is the first of these that one of its connectors is."""

PRECEDENCE: Final = (
    TemporaryKind.MAINTENANCE,
    TemporaryKind.COMMISSIONING,
    TemporaryKind.BLOCKED,
    TemporaryKind.RESERVED,
)
"""The first of these that is in force wins."""

_LIFTING: Final = frozenset(
    {
        ChargingState.CHARGING,
        ChargingState.EV_CONNECTED,
        ChargingState.SUSPENDED_EV,
        ChargingState.SUSPENDED_EVSE,
    }
)
_LONGEST_RULE: Final = 200
_ANY_TIME: Final = datetime(1970, 1, 1, tzinfo=UTC)
_AVAILABLE: Final = Effective(EvseStatus.AVAILABLE, EvseStatus.AVAILABLE, "")
"""What was decided before where no hold is asked for."""


@dataclass(frozen=True, slots=True)
class EffectiveOptions:
    """What an operator may set."""

    available_hold: timedelta = timedelta(seconds=2)
    """How long available must have stood before it counts: stations blink Available."""


class Finding(Struct, frozen=True):
    """A status and the words that explain it."""

    status: EvseStatus
    why: str


class Stages(NamedTuple):
    """What each step found, in their order; one that changed nothing has the finding of the step before it.

    `kept`: the EVSE moved and its published value stands; of the others only temporary statuses were looked at.
    """

    connectors: Finding
    transaction: Finding
    layer0: Finding
    reachability: Finding
    hold: Finding
    temporary: Finding
    decided: Effective
    kept: bool = False


def effective(view: EvseView, previous: Effective, at: Moment, options: EffectiveOptions) -> Effective:
    """Return the EVSE's effective status.

    Asking again at the same moment with the answer as `previous` returns the same answer.

    Args:
        view: The facts as stored.
        previous: The last answer for this EVSE, with its `live` and `available_since`; `NEVER_HEARD` at first.
        at: Both clocks, read once.
        options: The hold's length.
    """
    alone = _told_by_one(view)
    if alone is not None and (alone.status is not EvseStatus.AVAILABLE or previous.live is EvseStatus.AVAILABLE):
        return alone
    return stages(view, previous, at, options).decided


def stages(view: EvseView, previous: Effective, at: Moment, options: EffectiveOptions) -> Stages:
    """Return what `effective` returns with every step on its way there; see `explain`, which tells it."""
    if view.kept_until is not None and at.steady < view.kept_until and not any(_facts_used(view)):
        return _kept(view, view.kept_until, previous, at)
    connectors, transaction, layer0 = _from_facts(view)
    reachable = _if_reachable(layer0, view)
    since = _held_since(reachable.status, view, previous, at, options)
    held = reachable if since is None else _held(previous.live, reachable)
    shown = _with_temporary(held, view.temporaries, at.now)
    until, boundary = (
        None if since is None else since + options.available_hold,
        next_boundary(view.temporaries, at.now),
    )
    decided = Effective(shown.status, held.status, shown.why[:_LONGEST_RULE], since, boundary, until)
    return Stages(connectors, transaction, layer0, reachable, held, shown, decided)


def _told_by_one(view: EvseView) -> Effective | None:
    """Return the decision where one connector's report is all that counts, as nearly always; None: go every step.

    Where it is available and was not before, there is still the hold.
    """
    if len(view.connectors) != 1 or view.temporaries or view.unreachable or view.charging is not None:
        return None
    (fact,) = view.connectors
    if fact is None or fact.doubt or _may_take(view.evse_level, view) or _may_take(view.station_level, view):
        return None
    return _decided_by_one(fact.status, fact.evse, fact.connector, fact.stale, fact.boot_doubt)


def _may_take(level: Fact | None, view: EvseView) -> bool:
    """Tell whether a report about more than the connector may change what the connector says."""
    return level is not None and (level.status is not ReportedStatus.AVAILABLE or view.layer0 is Layer0.SOURCE)


@lru_cache(maxsize=1024)
def _decided_by_one(status: ReportedStatus, evse: int, connector: int, stale: bool, boot_doubt: bool) -> Effective:
    fact = Fact(evse, connector, status, 0, _ANY_TIME, stale=stale, boot_doubt=boot_doubt)
    return stages(EvseView((fact,)), _AVAILABLE, Moment(_ANY_TIME, _ANY_TIME), EffectiveOptions()).decided


def _held(live: EvseStatus, found: Finding) -> Finding:
    return Finding(live, f"{live} held until available has stood; {found.why}")


def _kept(view: EvseView, kept_until: datetime, previous: Effective, at: Moment) -> Stages:
    """A moved EVSE keeps its published value until the new station reports or that time has passed."""
    found = Finding(previous.live, f"{previous.live} kept since the EVSE moved; its station has not reported it yet")
    shown = _with_temporary(found, view.temporaries, at.now)
    boundary = next_boundary(view.temporaries, at.now)
    decided = Effective(shown.status, found.status, shown.why[:_LONGEST_RULE], None, boundary, kept_until)
    return Stages(found, found, found, found, found, shown, decided, kept=True)


# --- the facts ------------------------------------------------------------------------------------------------------


def _from_facts(view: EvseView) -> tuple[Finding, Finding, Finding]:
    """Return what the connectors are, with the transaction, with layer 0."""
    match view.layer0:
        case Layer0.IGNORE:
            found = _aggregate(view.connectors, view.unreachable)
        case Layer0.SOURCE:
            found = _aggregate(_as_reported_by_layer0(view), view.unreachable)
        case Layer0.DOWNGRADE:
            found = _with_evse_level(view)
        case _:
            assert_never(view.layer0)
    lifted = _lifted(found, view)
    return found, lifted, _downgraded(lifted, view) if view.layer0 is Layer0.DOWNGRADE else lifted


def _if_reachable(found: Finding, view: EvseView) -> Finding:
    if not view.unreachable or found.status in DOWNGRADING or found.status is EvseStatus.UNKNOWN:
        return found
    return Finding(EvseStatus.UNKNOWN, f"the station is declared unreachable; before that {found.why}")


def _levels(view: EvseView) -> Iterator[Fact]:
    if view.layer0 is not Layer0.IGNORE:
        yield from (fact for fact in (view.evse_level, view.station_level) if fact is not None)


def _facts_used(view: EvseView) -> Iterator[Fact | Charging]:
    yield from (fact for fact in view.connectors if fact is not None)
    yield from _levels(view)
    if view.charging is not None:
        yield view.charging


def counted(fact: Fact, unreachable: bool) -> EvseStatus:
    """Return what one fact counts as; while the station is unreachable, doubt is the whole station's matter."""
    status = evse_status(fact.status)
    if fact.doubt and not unreachable and status not in DOWNGRADING:
        return EvseStatus.UNKNOWN
    return status


def _aggregate(connectors: Iterable[Fact | None], unreachable: bool) -> Finding:
    """Return the highest-ranked connector's status; between equals the newest report is the one named."""
    known = [fact for fact in connectors if fact is not None]
    counting = [fact for fact in known if counted(fact, unreachable) is not EvseStatus.UNKNOWN]
    if counting:
        first = min(counting, key=lambda fact: (RANK.index(counted(fact, unreachable)), -fact.seq))
        return Finding(counted(first, unreachable), _said(first))
    if known:
        return Finding(EvseStatus.UNKNOWN, "not heard of since the station was declared unreachable")
    return Finding(EvseStatus.UNKNOWN, "never heard of")


def _said(fact: Fact) -> str:
    if fact.connector:
        who = f"connector {fact.connector} of EVSE {fact.evse}" if fact.evse else f"connector {fact.connector}"
    else:
        who = f"EVSE {fact.evse} as a whole" if fact.evse else "the station as a whole"
    notes = (" (before its boot, not repeated yet)" if fact.boot_doubt else "") + (
        " (last known, not confirmed since the reconnect)" if fact.stale else ""
    )
    return f"{who} reported {fact.status}{notes}"


# --- the transaction ------------------------------------------------------------------------------------------------


def _lifted(found: Finding, view: EvseView) -> Finding:
    """Lift available by a live transaction; nothing lifts reserved, unavailable or faulted.

    A live transaction also counts where no connector has been heard of (again): it proves that a car stands there,
    which promises nothing to anybody.
    """
    charging = view.charging
    if charging is None or charging.state not in _LIFTING or (charging.doubt and not view.unreachable):
        return found
    if view.layer0 is Layer0.SOURCE and _cleared_by_layer0(charging, view):
        return found
    why = f"the transaction is {charging.state}; {found.why}"
    match found.status:
        case EvseStatus.AVAILABLE | EvseStatus.UNKNOWN | EvseStatus.OCCUPIED if (
            charging.state is ChargingState.CHARGING
        ):
            return Finding(EvseStatus.CHARGING, why)
        case EvseStatus.AVAILABLE | EvseStatus.UNKNOWN:
            return Finding(EvseStatus.OCCUPIED, why)
        case _:
            return found


def _cleared_by_layer0(charging: Charging, view: EvseView) -> bool:
    """With `source`, layer 0 counts as if every connector had reported it, so it clears as they would."""
    return any(fact.seq > charging.seq and not car_present(fact.status) for fact in _levels(view))


# --- layer 0 --------------------------------------------------------------------------------------------------------


def _as_reported_by_layer0(view: EvseView) -> list[Fact | None]:
    """Return for each connector the newest of its own report and those of layer 0."""
    return [
        max((fact for fact in (own, *_levels(view)) if fact is not None), key=lambda fact: fact.seq, default=None)
        for own in view.connectors or (None,)
    ]


def _with_evse_level(view: EvseView) -> Finding:
    """Aggregate the connectors; a 2.x EVSE-level report stands in for them where none was ever heard.

    OCPP 2.0.1 Part 2, H01: a reservation may be for the EVSE, so its level takes available away, too.
    """
    level = view.evse_level
    if level is None:
        return _aggregate(view.connectors, view.unreachable)
    if all(fact is None for fact in view.connectors):
        return _aggregate((level,), view.unreachable)
    found = _aggregate(view.connectors, view.unreachable)
    own = counted(level, view.unreachable)
    if found.status is EvseStatus.AVAILABLE and own in {EvseStatus.OCCUPIED, EvseStatus.CHARGING, EvseStatus.RESERVED}:
        return Finding(own, _said(level))
    return found


def _downgraded(found: Finding, view: EvseView) -> Finding:
    """Apply Unavailable and Faulted of the EVSE's and the station's level; the worse of all stays."""
    for level in _levels(view):
        status = evse_status(level.status)
        if status in DOWNGRADING and _is_worse(status, found.status) and not _outranked(level, found.status, view):
            found = Finding(status, _said(level))
    return found


def _is_worse(status: EvseStatus, than: EvseStatus) -> bool:
    return than is EvseStatus.UNKNOWN or RANK.index(status) > RANK.index(than)


def _outranked(level: Fact, status: EvseStatus, view: EvseView) -> bool:
    """Tell whether a car began to charge after the level's report and stands there still, as far as we know."""
    if status in CAR_PRESENT:
        charging = view.charging
    elif status is EvseStatus.UNKNOWN:
        charging = view.charging if view.charging is not None and view.charging.state is not None else None
    else:
        return False
    began = [fact.charging_from for fact in view.connectors if fact is not None]
    if charging is not None:
        began.append(charging.charging_from)
    return any(seq is not None and seq > level.seq for seq in began)


# --- the hold -------------------------------------------------------------------------------------------------------


def _held_since(
    found: EvseStatus, view: EvseView, previous: Effective, at: Moment, options: EffectiveOptions
) -> datetime | None:
    """Return since when a change towards available has been held, or None where nothing is held (any more)."""
    if found is not EvseStatus.AVAILABLE or previous.live is EvseStatus.AVAILABLE:
        return None
    since = _available_since(view, previous, at, options)
    return since if at.steady < since + options.available_hold else None


def _available_since(view: EvseView, previous: Effective, at: Moment, options: EffectiveOptions) -> datetime:
    """Return when the hold began: with the newest report, or now where live turned available without one.

    A report that had stood for the whole hold before the EVSE was found available did not free it: a layer-0 report
    was dropped, or a resync ended. Only where nothing was ever decided it counts from its receipt all the same.
    """
    if previous.available_since is not None:
        return min(previous.available_since, at.steady)
    received_at = max((fact.received_at for fact in _facts_used(view)), default=at.steady)
    if previous == NEVER_HEARD or at.steady < received_at + options.available_hold:
        return min(received_at, at.steady)
    return at.steady


# --- temporary statuses ---------------------------------------------------------------------------------------------


def _with_temporary(found: Finding, temporaries: Iterable[Temporary], now: datetime) -> Finding:
    """Let the highest temporary status in force replace the live one, at once."""
    kinds = {temporary.kind for temporary in temporaries if in_force(temporary, now)}
    for kind in PRECEDENCE:
        if kind in kinds and not (kind is TemporaryKind.RESERVED and found.status in DOWNGRADING):
            return Finding(_temporary_status(kind), f"temporary {kind} in force; live is {found.status}: {found.why}")
    return found


def _temporary_status(kind: TemporaryKind) -> EvseStatus:
    match kind:
        case TemporaryKind.MAINTENANCE:
            return EvseStatus.MAINTENANCE
        case TemporaryKind.COMMISSIONING:
            return EvseStatus.COMMISSIONING
        case TemporaryKind.BLOCKED:
            return EvseStatus.BLOCKED
        case TemporaryKind.RESERVED:
            return EvseStatus.RESERVED
        case _:
            assert_never(kind)
