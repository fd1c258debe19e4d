"""Decide one EVSE's effective status from its facts, say why, and until when the passing of time alone leaves it so.

Never reads a clock and never stores: the caller gives the previous answer, in which a hold lives on. Before it:
`reported`, what the facts say. After it: `mapping`, one word per hub.

The order: the connectors by rank, refined by a 2.x transaction; layer 0; unreachability; the hold towards available;
then the temporary statuses in force. A station that is declared unreachable turns available, occupied, charging and
reserved into unknown, while unavailable and faulted stay, since they promise nothing; after its return the same counts
for each single fact that is still in doubt.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final, NamedTuple, assert_never

from bridge.core.facts import DOWNGRADING
from bridge.core.model import (
    NEVER_HEARD,
    Effective,
    EvseStatus,
    EvseView,
    Fact,
    Layer0,
    Moment,
    Temporary,
    TemporaryKind,
)
from bridge.core.reported import Finding, facts_used, from_facts
from bridge.core.temporary import in_force, next_boundary
from csms.events import ReportedStatus

PRECEDENCE: Final = (
    TemporaryKind.MAINTENANCE,
    TemporaryKind.COMMISSIONING,
    TemporaryKind.BLOCKED,
    TemporaryKind.RESERVED,
)
"""The first of these that is in force wins."""

_LONGEST_RULE: Final = 200
_ANY_TIME: Final = datetime(1970, 1, 1, tzinfo=UTC)
_AVAILABLE: Final = Effective(EvseStatus.AVAILABLE, EvseStatus.AVAILABLE, "")
"""What was decided before where no hold is asked for."""


@dataclass(frozen=True, slots=True)
class EffectiveOptions:
    """What an operator may set."""

    available_hold: timedelta = timedelta(seconds=2)
    """How long available must have stood before it counts: stations blink Available."""


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
    if view.kept_until is not None and at.steady < view.kept_until and not any(facts_used(view)):
        return _kept(view, view.kept_until, previous, at)
    connectors, transaction, layer0 = from_facts(view)
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


# --- reachability ---------------------------------------------------------------------------------------------------


def _if_reachable(found: Finding, view: EvseView) -> Finding:
    if not view.unreachable or found.status in DOWNGRADING or found.status is EvseStatus.UNKNOWN:
        return found
    return Finding(EvseStatus.UNKNOWN, f"the station is declared unreachable; before that {found.why}")


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
    received_at = max((fact.received_at for fact in facts_used(view)), default=at.steady)
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
