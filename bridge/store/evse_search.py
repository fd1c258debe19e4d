"""Find the EVSEs that an operator asks for: filters, order and page in one statement.

Never writes, and never reads what is shown of them: `readings` does, by the keys found here. What counts as a problem
is `core.evse_problems`, and how a delivery stands `bridge.app.shown`; a test holds both against the conditions here.
Before it: `app.services`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bridge.core.evse_problems import EvseProblem
from bridge.core.identifiers import canonical
from bridge.core.model import AccountName, EvseId, EvseStatus
from bridge.store.micros import to_micros
from bridge.store.readings import SHOWN
from bridge.store.tables import connection, delivery, evse, evse_state, station

SOUND = len(EvseProblem)
"""Rank of an EVSE without a problem: behind those with one."""


@dataclass(frozen=True, slots=True)
class AccountsNow:
    """What decides how deliveries stand, besides themselves."""

    all: tuple[AccountName, ...]
    """The accounts of the configuration."""
    live: frozenset[AccountName]
    held: frozenset[AccountName]
    steady: datetime


@dataclass(frozen=True, slots=True)
class EvseSearch:
    """Which EVSEs; every filter that is given has to hold."""

    statuses: Collection[EvseStatus] = ()
    station: str | None = None
    operator: str | None = None
    operators: Collection[str] | None = None
    account: AccountName | None = None
    states: Collection[str] = ()
    connected: bool | None = None
    problems: bool | None = None
    part: str = ""
    by_problem: bool = False
    after: tuple[int, EvseId] | None = None
    """Rank and id of the last one of the page before."""
    limit: int = 100


@dataclass(frozen=True, slots=True)
class Found:
    """One EVSE, and where it stands in the order."""

    key: int
    rank: int
    """Place of its most urgent problem in `EvseProblem`; 0 where the order is by id."""
    evse_id: EvseId


@dataclass(frozen=True, slots=True)
class _Conditions:
    accounts: AccountsNow
    joined: sa.FromClause = field(
        default_factory=lambda: (
            evse.outerjoin(evse_state, evse_state.c.evse == evse.c.id)
            .join(station, station.c.id == evse.c.station)
            .outerjoin(connection, connection.c.station == evse.c.station)
        )
    )

    def problem(self, problem: EvseProblem) -> sa.ColumnElement[bool]:
        match problem:
            case EvseProblem.REFUSED | EvseProblem.HELD:
                return self.delivery_stands([problem.value], None)
            case EvseProblem.FAULTED:
                return _status == EvseStatus.FAULTED.value
            case EvseProblem.UNREACHABLE:
                return station.c.unreachable_at.is_not(None)
            case EvseProblem.UNKNOWN:
                return _status == EvseStatus.UNKNOWN.value

    def delivery_stands(self, states: Collection[str], account: AccountName | None) -> sa.ColumnElement[bool]:
        accounts = self.accounts.all if account is None else (account,)
        live = [name for name in accounts if name in self.accounts.live]
        ways = [self._live_one(state, live) for state in states if state != "off"]
        if "off" in states:
            ways.append(delivery.c.account.in_([name for name in accounts if name not in self.accounts.live]))
        return sa.exists().where(delivery.c.evse == evse.c.id, sa.or_(sa.false(), *ways))

    def _live_one(self, state: str, live: Collection[AccountName]) -> sa.ColumnElement[bool]:
        held = delivery.c.account.in_([name for name in live if name in self.accounts.held])
        later = sa.and_(delivery.c.not_before.is_not(None), delivery.c.not_before > to_micros(self.accounts.steady))
        dirty = delivery.c.acked_seq != delivery.c.desired_seq
        waits = sa.and_(dirty, delivery.c.refused.is_(None))
        conditions = {
            "agreed": sa.not_(dirty),
            "refused": sa.and_(dirty, delivery.c.refused.is_not(None)),
            "held": sa.and_(waits, held),
            "deferred": sa.and_(waits, sa.not_(held), later),
            "pending": sa.and_(waits, sa.not_(held), sa.not_(later)),
        }
        return sa.and_(delivery.c.account.in_(live), conditions[state])


_status = sa.func.coalesce(evse_state.c.status, EvseStatus.UNKNOWN.value)
_CONNECTED = sa.and_(connection.c.opened_at.is_not(None), connection.c.closed_at.is_(None))


async def search_evses(conn: AsyncConnection, search: EvseSearch, accounts: AccountsNow) -> list[Found]:
    """Return the keys of at most `limit` EVSEs, in order."""
    conditions = _Conditions(accounts)
    rank = _rank(conditions) if search.by_problem else sa.literal(0)
    found = (
        sa.select(evse.c.id, rank.label("rank"), evse.c.evse_id)
        .select_from(conditions.joined)
        .where(SHOWN, *_filters(search, conditions))
        .subquery("found")
    )
    statement = sa.select(found).order_by(found.c.rank, found.c.evse_id).limit(search.limit)
    if search.after is not None:
        last, id_ = search.after
        statement = statement.where(sa.or_(found.c.rank > last, sa.and_(found.c.rank == last, found.c.evse_id > id_)))
    return [Found(row.id, row.rank, row.evse_id) for row in await conn.execute(statement)]


def _rank(conditions: _Conditions) -> sa.ColumnElement[int]:
    return sa.case(*((conditions.problem(problem), place) for place, problem in enumerate(EvseProblem)), else_=SOUND)


def _filters(search: EvseSearch, conditions: _Conditions) -> list[sa.ColumnElement[bool]]:
    wrong = sa.or_(*map(conditions.problem, EvseProblem))
    filters: list[sa.ColumnElement[bool]] = []
    if search.statuses:
        filters.append(_status.in_([status.value for status in search.statuses]))
    if search.station is not None:
        filters.append(station.c.id_folded == search.station.casefold())
    if search.operator is not None:
        filters.append(evse.c.operator == search.operator)
    if search.operators is not None:
        filters.append(evse.c.operator.in_(list(search.operators)))
    if search.states:
        filters.append(conditions.delivery_stands(search.states, search.account))
    elif search.account is not None:
        filters.append(sa.exists().where(delivery.c.evse == evse.c.id, delivery.c.account == search.account))
    if search.connected is not None:
        filters.append(_CONNECTED if search.connected else sa.not_(_CONNECTED))
    if search.problems is not None:
        filters.append(wrong if search.problems else sa.not_(wrong))
    if search.part:
        filters.append(_contains(search.part))
    return filters


def _contains(part: str) -> sa.ColumnElement[bool]:
    ways = [
        evse.c.evse_id.contains(part.upper(), autoescape=True),
        station.c.id_folded.contains(part.casefold(), autoescape=True),
    ]
    if without := canonical(EvseId(part.upper())):
        ways.append(evse.c.canonical.contains(without, autoescape=True))
    return sa.or_(*ways)
