"""Decide what an EVSE's facts say: its connectors by rank, refined by a 2.x transaction, then layer 0.

Never looks at a clock, and at nothing that was decided before. Before it: `facts`. After it: `effective`, with
reachability, the hold and temporary statuses.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, assert_never

from msgspec import Struct

from bridge.core.facts import CAR_PRESENT, DOWNGRADING, car_present, evse_status
from bridge.core.model import Charging, EvseStatus, EvseView, Fact, Layer0
from csms.events import ChargingState

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

_LIFTING: Final = frozenset(
    {
        ChargingState.CHARGING,
        ChargingState.EV_CONNECTED,
        ChargingState.SUSPENDED_EV,
        ChargingState.SUSPENDED_EVSE,
    }
)


class Finding(Struct, frozen=True):
    """A status and the words that explain it."""

    status: EvseStatus
    why: str


def from_facts(view: EvseView) -> tuple[Finding, Finding, Finding]:
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


def _levels(view: EvseView) -> Iterator[Fact]:
    if view.layer0 is not Layer0.IGNORE:
        yield from (fact for fact in (view.evse_level, view.station_level) if fact is not None)


def facts_used(view: EvseView) -> Iterator[Fact | Charging]:
    """Yield every fact that may count for the EVSE."""
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
