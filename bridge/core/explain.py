"""Tell how an EVSE's status came about: every step of `effective`, in its order, in words for engineers.

Decides nothing: the steps are those of `effective.stages`, of which the status is the last. Never reads a clock. Before
it: what is stored of an EVSE. After it: `bridge.app.explanations`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from bridge.core.effective import PRECEDENCE, EffectiveOptions, Stages, stages
from bridge.core.facts import DOWNGRADING, evse_status
from bridge.core.model import Charging, Effective, EvseStatus, EvseView, Fact, Layer0, Moment, Temporary
from bridge.core.reported import RANK, Finding, counted
from bridge.core.temporary import in_force

StepName = Literal["kept", "connectors", "transaction", "layer0", "reachability", "hold", "temporary", "result"]
_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Step:
    """One step, what the EVSE is after it, and why."""

    name: StepName
    status: EvseStatus
    changed: bool
    """It made the EVSE something else than the step before."""
    text: str


@dataclass(frozen=True, slots=True)
class End:
    """Something that the passing of time alone will do; `at` is wall time."""

    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Told:
    """How a stored status came about."""

    steps: tuple[Step, ...]
    decided: Effective
    """What the steps come to: what is stored, unless its decision is due anew this very moment."""
    overdue: bool
    """The time until which the stored status holds has passed: it is decided anew within a second, or once the bridge
    runs."""


def tell(view: EvseView, stored: Effective, at: Moment, options: EffectiveOptions) -> Told:
    """Tell how `stored` came about from the facts that were stored with it; see `effective` for the arguments.

    It is told as of the last moment at which it holds by itself: who asks a moment later asks about the same status.
    """
    asked = as_of(stored, at)
    found = stages(view, stored, asked, options)
    return Told(tuple(_steps(view, found, stored, asked, options)), found.decided, overdue=asked != at)


def as_of(stored: Effective, at: Moment) -> Moment:
    """Return `at`, or the last moment before it at which the passing of time alone leaves the status so."""
    now = at.now if stored.until_now is None else min(at.now, stored.until_now - _INSTANT)
    steady = at.steady if stored.until_steady is None else min(at.steady, stored.until_steady - _INSTANT)
    return Moment(now, steady)


def wall_time(steady: datetime, at: Moment) -> datetime:
    """Return a steady time by the wall clock."""
    return at.now + (steady - at.steady)


def ends(view: EvseView, decided: Effective, at: Moment) -> Iterator[End]:
    """Yield what the passing of time alone will do to the status, in its order."""
    found = []
    if decided.until_steady is not None:
        moment = wall_time(decided.until_steady, at)
        if decided.available_since is not None:
            found.append(End(moment, "available has stood for the hold, and counts"))
        else:
            found.append(End(moment, "the value that was kept since the EVSE moved is dropped"))
    if decided.until_now is not None:
        for each in view.temporaries:
            if each.valid_from == decided.until_now:
                found.append(End(each.valid_from, f"temporary {each.kind} begins"))
            if each.valid_to == decided.until_now:
                found.append(End(decided.until_now, f"temporary {each.kind} ends"))
    yield from sorted(found, key=lambda end: end.at)


# --- the steps ------------------------------------------------------------------------------------------------------


def _steps(view: EvseView, found: Stages, stored: Effective, at: Moment, options: EffectiveOptions) -> Iterator[Step]:
    if found.kept:
        yield Step("kept", found.hold.status, False, f"{_capital(found.hold.why)}.")
    else:
        yield Step("connectors", found.connectors.status, False, _connectors(view, found.connectors))
        yield _step("transaction", found.connectors, found.transaction, _transaction(view, found))
        yield _step("layer0", found.transaction, found.layer0, _layer0(view, found))
        yield _step("reachability", found.layer0, found.reachability, _reachability(view, found))
        yield _step("hold", found.reachability, found.hold, _hold(found, options))
    yield _step("temporary", found.hold, found.temporary, _temporary(view, found, at))
    yield Step("result", stored.status, False, _result(stored))


def _step(name: StepName, before: Finding, after: Finding, text: str) -> Step:
    return Step(name, after.status, before.status is not after.status, text)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _connectors(view: EvseView, found: Finding) -> str:
    known = [fact for fact in view.connectors if fact is not None]
    said = f"The EVSE is {found.status}: {found.why}."
    if len(known) < 2:
        return said
    each = ", ".join(f"{fact.connector} is {counted(fact, view.unreachable)}" for fact in known)
    return f"{said} Of its connectors ({each}) the first in the order {', '.join(RANK)} counts."


def _transaction(view: EvseView, found: Stages) -> str:
    charging = view.charging
    if charging is None:
        return "No transaction is known of this EVSE."
    name = f"Transaction {charging.transaction}"
    if charging.state is None:
        return f"{name} {_why_it_does_not_count(charging)}."
    if found.transaction.status is not found.connectors.status:
        return f"{name} is {charging.state}, which makes the EVSE {found.transaction.status}."
    if charging.doubt and not view.unreachable:
        return f"{name} was {charging.state}, and is not confirmed since the reconnect: it does not count yet."
    return f"{name} is {charging.state}, which changes nothing."


def _why_it_does_not_count(charging: Charging) -> str:
    if charging.ended:
        return "has ended, which frees nothing by itself"
    return "does not count: a later status of its connector cleared it, or only events from an offline queue are known"


def _layer0(view: EvseView, found: Stages) -> str:
    levels = [fact for fact in (view.evse_level, view.station_level) if fact is not None]
    if view.layer0 is Layer0.IGNORE:
        return "Reports about the EVSE or the station as a whole are ignored (layer0 = ignore)."
    if view.layer0 is Layer0.SOURCE:
        return "Reports about the EVSE or the station as a whole count as its connectors' own (layer0 = source)."
    if not levels:
        return "There is no report about the EVSE or the station as a whole."
    if found.layer0.status is not found.transaction.status:
        return f"{_capital(found.layer0.why)}, which takes the EVSE down from {found.transaction.status}."
    return " ".join(_level(fact, found.layer0) for fact in levels)


def _level(fact: Fact, found: Finding) -> str:
    who = f"EVSE {fact.evse} as a whole" if fact.evse else "The station as a whole"
    said = f"{who} reported {fact.status}"
    status = evse_status(fact.status)
    if status not in DOWNGRADING:
        return f"{said}, which takes nothing away."
    if found.status in DOWNGRADING:
        return f"{said}, and the EVSE is {found.status} already."
    return f"{said}, but a car began to charge after that and stands there still."


def _reachability(view: EvseView, found: Stages) -> str:
    if not view.unreachable:
        return "The station is not declared unreachable."
    if found.reachability.status is not found.layer0.status:
        return f"The station is declared unreachable: {found.layer0.status} becomes unknown."
    return f"The station is declared unreachable, but {found.layer0.status} promises nothing to anybody, and stays."


def _hold(found: Stages, options: EffectiveOptions) -> str:
    if found.decided.available_since is None:
        return "Nothing is held."
    hold = f"{options.available_hold.total_seconds():g} s"
    return (
        f"Available counts once it has stood for {hold}, since stations blink Available: {found.hold.status} is held."
    )


def _temporary(view: EvseView, found: Stages, at: Moment) -> str:
    kinds = {temporary.kind for temporary in view.temporaries if in_force(temporary, at.now)}
    first = next((kind for kind in PRECEDENCE if kind in kinds), None)
    if first is None:
        return "No temporary status is in force."
    if found.temporary is found.hold:
        return f"Temporary {first} is in force, but gives way to {found.hold.status}."
    return f"Temporary {first} is in force: the EVSE is {found.temporary.status} whatever its connectors are."


def _result(stored: Effective) -> str:
    live = "" if stored.live is stored.status else f" (live: {stored.live})"
    return f"The EVSE is {stored.status}{live}."


def upcoming(view: EvseView, at: Moment) -> tuple[Temporary, ...]:
    """Return the temporary statuses that are in force or to come, the next one first."""
    current = (each for each in view.temporaries if each.valid_to is None or each.valid_to > at.now)
    return tuple(sorted(current, key=lambda each: each.valid_from))
