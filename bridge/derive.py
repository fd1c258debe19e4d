"""Carry facts through to deliveries: facts → effective → mapped → desired, inside the caller's transaction.

The one place for it: `intake`, `ticker`, temporary statuses and inventory edits all call `derive`. Never opens a
transaction, never sends. Before it: working copies that `store.stations` loaded. After it: `store.stations.save`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bridge.core.availability import enforced, want_order
from bridge.core.effective import EffectiveOptions, effective
from bridge.core.foreseen import available_from
from bridge.core.model import (
    NEVER_HEARD,
    AccountName,
    Charging,
    Delivery,
    Effective,
    EvseStatus,
    EvseView,
    Fact,
    Layer0,
    Moment,
)
from bridge.core.reconcile import farewell, never_sent, want
from bridge.store.changes import Changes, DeliveryChange, EvseChange, StateChange
from bridge.store.micros import to_micros
from bridge.store.stations import Address, EvseKey, StoredEvse, StoredStation


@dataclass(frozen=True, slots=True)
class Route:
    """What one account must be told about the EVSEs of an operator."""

    account: AccountName
    words: Mapping[EvseStatus, str]
    """The hub's word for each effective status."""
    farewell: str
    """What a removed EVSE is told with: empty to delete it at the hub, otherwise a word."""
    needs_references: bool = False
    """Only EVSEs that have the hub's own station and charge point ids go to this account."""
    until: Callable[[str, datetime], str] | None = None
    """Makes the value of a word that holds until a moment, where the hub then turns the EVSE available by itself; None:
    the hub is told words alone."""


@dataclass(frozen=True, slots=True)
class DeriveOptions:
    """How facts become deliveries; filled from the configuration."""

    effective: EffectiveOptions
    routes: Mapping[str, tuple[Route, ...]]
    """Operator name → its accounts."""
    farewells: Mapping[AccountName, str] = field(default_factory=dict)
    """Account → its `Route.farewell`, for every account of the configuration: also those that no operator refers to any
    more, whose hubs must be told so."""
    moved_keeps: timedelta = timedelta(minutes=15)
    """How long a moved EVSE keeps its published value while its new station says nothing (`offline_after`)."""

    def farewell_of(self, account: AccountName) -> str | None:
        """Return how the account's hub is told that an EVSE is gone; None where the configuration has it no more."""
        named = (route.farewell for routes in self.routes.values() for route in routes if route.account == account)
        return self.farewells.get(account, next(named, None))


@dataclass(slots=True)
class Derived:
    """What a derivation moved, for the wake-ups that follow the commit (the wake-ups carry no content)."""

    accounts: set[AccountName] = field(default_factory=set)
    decided: set[EvseKey] = field(default_factory=set)
    """EVSEs whose status, live status or rule changed."""
    wanted: set[EvseKey] = field(default_factory=set)
    """EVSEs of which a hub should have something else."""
    until_now: datetime | None = None
    until_steady: datetime | None = None
    changed: int = 0
    """EVSEs whose effective status changed."""
    orders: int = 0
    """EVSEs about whose availability their station is to be told something else."""

    def add(self, other: Derived) -> None:
        """Take in what another derivation moved."""
        self.accounts |= other.accounts
        self.decided |= other.decided
        self.wanted |= other.wanted
        self.until_now = _earlier(self.until_now, other.until_now)
        self.until_steady = _earlier(self.until_steady, other.until_steady)
        self.changed += other.changed
        self.orders += other.orders


def derive(
    station: StoredStation,
    keys: Iterable[EvseKey],
    *,
    at: Moment,
    options: DeriveOptions,
    changes: Changes,
    derived: Derived,
) -> None:
    """Decide anew for the EVSEs `keys` of one station; collect what changed in `changes` and what moved in `derived`.

    The working copy is brought up to date as well, so that several events of a transaction can follow each other.
    """
    for key in keys:
        evse = station.evses[key]
        previous = evse.effective
        view = view_of(station, evse)
        decided = effective(view, previous or NEVER_HEARD, at, options.effective)
        if decided != previous:
            _keep_state(evse, view, decided, at, changes, derived)
        if decided.until_now is not None or decided.until_steady is not None:
            derived.until_now = _earlier(derived.until_now, decided.until_now)
            derived.until_steady = _earlier(derived.until_steady, decided.until_steady)
        _deliver(evse, view, decided, at, options, changes, derived)
        if evse.temporaries or evse.order is not None:
            _enforce(evse, at, changes, derived)


def view_of(station: StoredStation, evse: StoredEvse) -> EvseView:
    """Gather everything that decides one EVSE's status.

    In OCPP 2.x the connectors of one of our EVSEs share one OCPP EVSE (the inventory refuses anything else); its
    EVSE-level report and transaction count.
    """
    facts = station.facts
    number = _ocpp_evse(evse)
    return EvseView(
        connectors=tuple([facts.get(address) for address in evse.connectors]),
        evse_level=facts.get((number, 0)) if number else None,
        station_level=facts.get((0, 0)),
        charging=_charging_of(station, evse),
        unreachable=station.unreachable_at is not None,
        layer0=station.layer0,
        temporaries=tuple(evse.temporaries),
        kept_until=evse.kept_until,
    )


def _ocpp_evse(evse: StoredEvse) -> int:
    """Return the OCPP 2.x EVSE that the EVSE is; 0 in OCPP 1.6, which knows none."""
    return evse.connectors[0][0] if evse.connectors else 0


def _charging_of(station: StoredStation, evse: StoredEvse) -> Charging | None:
    """Return the transaction of the EVSE, unless it names a connector that the inventory gives to another one."""
    number = _ocpp_evse(evse)
    charging = station.charging.get(number) if number else None
    if charging is None or charging.connector is None:
        return charging
    return charging if station.by_address.get((number, charging.connector), evse.key) == evse.key else None


def touched_by(station: StoredStation, address: Address) -> Iterable[EvseKey]:
    """Return the EVSEs whose status a report about `address` can change."""
    key = station.by_address.get(address)
    if key is not None:
        return (key,)
    number, connector = address
    if connector:
        return ()  # a connector that the inventory does not know: the fact is kept, nothing is published
    if number == 0:
        return tuple(station.evses)
    return {key for (evse, _), key in station.by_address.items() if evse == number}


def _newest(view: EvseView) -> int:
    """Return the receive sequence of the newest fact that tells of this EVSE; 0 where it was never heard of.

    A report about the whole station tells of it only where the station is its EVSEs' source.
    """
    told: list[Fact | Charging | None] = [*view.connectors, view.charging]
    if view.layer0 is not Layer0.IGNORE:
        told.append(view.evse_level)
    if view.layer0 is Layer0.SOURCE and view.connectors:
        told.append(view.station_level)
    return max([fact.seq for fact in told if fact is not None], default=0)


def _keep_state(
    evse: StoredEvse, view: EvseView, decided: Effective, at: Moment, changes: Changes, derived: Derived
) -> None:
    """Collect one write per EVSE and transaction: a later decision takes the place of an earlier one."""
    before, earlier = evse.effective, changes.states.get(evse.key)
    seq, now = _newest(view), to_micros(at.now)
    moved = before is None or before.status != decided.status
    derived.decided.add(evse.key)
    if moved:
        derived.changed += 1
        changes.history.append(EvseChange(evse, now, decided, seq))
    if earlier is None:
        changes.states[evse.key] = StateChange(evse, before, seq, now if moved else None)
    else:
        changes.states[evse.key] = StateChange(evse, earlier.stored, seq, now if moved else earlier.changed_at_w)
    evse.effective = decided


def _deliver(
    evse: StoredEvse,
    view: EvseView,
    decided: Effective,
    at: Moment,
    options: DeriveOptions,
    changes: Changes,
    derived: Derived,
) -> None:
    told: set[AccountName] = set()
    for route in options.routes.get(evse.operator, ()):
        if not _goes_to(evse, route):
            continue
        account = route.account
        told.add(account)
        previous = evse.deliveries.get(account)
        references = evse.references if route.needs_references else ("", "")
        value = route.words[decided.status]
        if route.until is not None and (end := available_from(view, decided, at, options.effective, route.words)):
            value = route.until(value, end)
        row = want(previous, value, references)
        if row is not previous:
            _keep_delivery(evse, account, row, at, changes, derived)
    if len(evse.deliveries) == len(told):
        return
    for account in evse.deliveries.keys() - told:
        word = options.farewell_of(account)
        if word is not None:
            _say_farewell(evse, account, word, at, changes, derived)


def _enforce(evse: StoredEvse, at: Moment, changes: Changes, derived: Derived) -> None:
    order = want_order(evse.order, enforced(evse.temporaries, at.now))
    if order is not evse.order:
        evse.order = changes.orders[evse.key] = order
        derived.orders += 1


def _goes_to(evse: StoredEvse, route: Route) -> bool:
    return not evse.removed and (all(evse.references) or not route.needs_references)


def _say_farewell(
    evse: StoredEvse, account: AccountName, word: str, at: Moment, changes: Changes, derived: Derived
) -> None:
    """Tell a hub that it has no more to do with the EVSE: removed, without references, or its operator left it."""
    previous = evse.deliveries[account]
    if never_sent(previous):
        evse.deliveries.pop(account)
        changes.deliveries.pop((account, evse.key), None)
        changes.dropped_deliveries.add((account, evse.key))
        return
    row = farewell(previous, word)
    if row is not previous:
        _keep_delivery(evse, account, row, at, changes, derived)


def _keep_delivery(
    evse: StoredEvse, account: AccountName, row: Delivery, at: Moment, changes: Changes, derived: Derived
) -> None:
    earlier = changes.deliveries.get((account, evse.key))
    stored = evse.deliveries.get(account) if earlier is None else earlier.stored
    evse.deliveries[account] = row
    changes.dropped_deliveries.discard((account, evse.key))
    changes.deliveries[account, evse.key] = DeliveryChange(stored, row, to_micros(at.steady))
    derived.accounts.add(account)
    derived.wanted.add(evse.key)


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    if one is None or other is None:
        return one or other
    return min(one, other)
