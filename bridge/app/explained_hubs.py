"""Explain one account's part: what it should have of an EVSE, what it has, what was tried, what happens next. Pure.

Before it: `explanations`, with what was read. After it: `core.next_steps`, which knows what happens next.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from bridge.app.explained_words import moment, next_text
from bridge.core import full_load
from bridge.core.explain import wall_time
from bridge.core.mapping import mapping_for
from bridge.core.mapping.until import shown, unpack
from bridge.core.model import Delivery, EvseStatus, Lane, Moment
from bridge.core.modes import Mode, effective_mode
from bridge.core.next_steps import Next, NextStep, Standing, next_step
from bridge.core.reasons import beside
from bridge.core.reconcile import dirty
from bridge.derive import Route
from bridge.lane import LaneOptions
from bridge.settings import Account, SpiriiAccount
from bridge.store.explain_readings import AttemptReading
from bridge.store.lanes import StoredLane
from bridge.store.stations import StoredEvse
from bridge.web.explanation_shapes import ExplainedAttempt, ExplainedHub

_OUTCOMES = {
    "accepted": "accepted",
    "deferred": "failed",
    "refused": "refused",
    "wrong_action": "the hub knows it otherwise",
    "held": "the account was refused",
    "in_doubt": "no answer came",
}


@dataclass(frozen=True, slots=True)
class HubReading:
    """What is stored of one account that concerns the EVSE."""

    lane: StoredLane | None
    attempts: tuple[AttemptReading, ...]
    data_on_its_way: bool


def nobody_told(operator: str, accounts: Iterable[Account], routes: Iterable[Route]) -> str:
    """Say that no hub is told of any EVSE of an operator, and why; empty where an account serves it.

    An account of temporary statuses alone is told no status.
    """
    if any(True for _ in routes):
        return ""
    if all(isinstance(account, SpiriiAccount) for account in accounts):
        return "No hub account is set up: nobody is told."
    return (
        f"No hub account serves the operator {operator}: nobody is told. "
        f"The accounts that serve it are those of [operators.{operator}] in the configuration."
    )


def untold_hub(name: str, account: Account, route: Route | None, evse: StoredEvse, read: HubReading) -> ExplainedHub:
    """Explain why the account is not told of the EVSE."""
    if route is None:
        why = f"It is not told of this EVSE: the operator {evse.operator} does not refer to the account."
    else:
        why = "It is not told of this EVSE: the inventory has no ids of the hub for its station and point."
    return ExplainedHub(
        account=name,
        kind=account.kind,
        mode=_mode(account, read.lane),
        told=False,
        desired="",
        mapped="",
        acked=None,
        acked_at=None,
        agreed=False,
        next=Next.OFF,
        next_at=None,
        why=why,
        attempts=(),
        text=(why,),
    )


def explained_hub(
    name: str,
    account: Account,
    route: Route | None,
    delivery: Delivery,
    read: HubReading,
    status: EvseStatus,
    options: LaneOptions,
    at: Moment,
) -> ExplainedHub:
    """Explain how the account's delivery stands; `status` is the EVSE's effective status."""
    mode = _mode(account, read.lane)
    lane = Lane() if read.lane is None else read.lane.lane
    standing = Standing(mode, _waits_for_full_load(read, options), _waits_for_data(read, options))
    step = next_step(delivery, lane, standing, at.steady, options.reconcile)
    ahead = step.at is not None and (step.at > at.steady or step.what is Next.IN_FLIGHT)
    when = wall_time(step.at, at) if ahead and step.at is not None else None
    acked_at = None if delivery.acked_at is None else wall_time(delivery.acked_at, at)
    mapped = _mapped(account, route, delivery, status)
    attempts = tuple(_attempt(each, at.now) for each in read.attempts)
    return ExplainedHub(
        account=name,
        kind=account.kind,
        mode=mode,
        told=True,
        desired=shown(delivery.desired),
        mapped=mapped,
        acked=None if delivery.acked is None else shown(delivery.acked),
        acked_at=acked_at,
        agreed=not dirty(delivery),
        next=step.what,
        next_at=when,
        why=step.why,
        attempts=attempts,
        text=tuple(_lines(delivery, mapped, acked_at, step, when, attempts, at.now)),
    )


def _mode(account: Account, lane: StoredLane | None) -> Mode:
    stored = None if lane is None or lane.mode is None else Mode(lane.mode)
    return effective_mode(account.mode, stored)


def _waits_for_full_load(read: HubReading, options: LaneOptions) -> bool:
    """Before its first fullLoad, and while one is on its way, an account sends nothing singly."""
    if read.lane is None:
        return False
    state = read.lane.full_load
    return full_load.allowed(state, options.full_load) and (state.in_flight or state.attempted_at is None)


def _waits_for_data(read: HubReading, options: LaneOptions) -> bool:
    return options.documents is not None and options.documents.gate_statuses and read.data_on_its_way


def _mapped(account: Account, route: Route | None, delivery: Delivery, status: EvseStatus) -> str:
    """Say which row of the mapping table gave the word."""
    if delivery.tombstone or route is None:
        return "the EVSE is no longer shown there"
    word = route.words[status]
    usual = mapping_for(account.kind).table_with({})[status]
    changed = "" if word == usual else f", by accounts.map instead of {usual}"
    ends = " with the moment at which it ends by itself" if unpack(delivery.desired)[1] is not None else ""
    return f"the hub's word for {status} is {word}{changed}{ends}"


def _lines(
    delivery: Delivery,
    mapped: str,
    acked_at: datetime | None,
    step: NextStep,
    when: datetime | None,
    attempts: tuple[ExplainedAttempt, ...],
    now: datetime,
) -> Iterator[str]:
    yield f"It should have {shown(delivery.desired) or 'nothing'}: {mapped}."
    if delivery.acked is None or acked_at is None:
        yield "It has acknowledged nothing yet."
    else:
        what = shown(delivery.acked) or "the deletion"
        again = "" if not dirty(delivery) or delivery.acked != delivery.desired else ", which does not count any more"
        yield f"It acknowledged {what} at {moment(acked_at, now)}{again}."
    yield next_text(step, when, now)
    if attempts:
        yield "Last attempts, the newest first:"
        yield from (f"  {attempt.text}" for attempt in attempts)


def _attempt(each: AttemptReading, now: datetime) -> ExplainedAttempt:
    http = "" if each.http is None else f", HTTP {each.http}"
    code = f", code {each.code}" if each.code else ""
    took = "" if each.took_ms is None else f" after {each.took_ms} ms"
    reason = beside(each.why, each.http, each.code)
    why = f": {reason}" if reason else ""
    named = f" [{each.reference}]" if each.reference else ""
    value = "" if each.value is None else shown(each.value)
    outcome = _OUTCOMES.get(each.outcome, each.outcome)
    said = f"{moment(each.sent_at, now)} {value}: {outcome}{took}{http}{code}{why}{named}"
    return ExplainedAttempt(
        id=each.id,
        sent_at=each.sent_at,
        value=None if each.value is None else value,
        outcome=each.outcome,
        http=each.http,
        code=each.code,
        why=each.why,
        reference=each.reference,
        took_ms=each.took_ms,
        text=said,
    )
