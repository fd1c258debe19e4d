"""Remember what each account's hub was told of each EVSE's status: what is due, what was sent, how it answered.

Never decides: `bridge.lane` reads here, decides with `core.reconcile`, and writes here, in the writer's transaction
that reads and writes the account's lane as well (`lanes`). Twin: `documents`, whose rows are not statuses.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bridge.core.documents import DocumentKind
from bridge.core.full_load import Census
from bridge.core.model import AccountName, Delivery, EvseId
from bridge.core.reconcile import due_at
from bridge.store.micros import from_micros, to_micros
from bridge.store.prepared import Prepared
from bridge.store.stations import DELIVERY_COLUMNS, EvseKey, delivery_of, delivery_values
from bridge.store.tables import delivery, document, evse, evse_state
from bridge.store.working_copies import copies_of


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """One row of a lane with what a request about it needs."""

    key: EvseKey
    evse_id: EvseId
    operator: str
    delivery: Delivery
    desired_at: datetime
    """Since when (steady) the hub has not had what is desired."""


@dataclass(frozen=True, slots=True)
class LastAnswer:
    """What an operator will want to quote of the last attempt."""

    http: int | None
    code: str
    why: str
    reference: str


_ROW = (
    sa.select(
        evse.c.id,
        evse.c.evse_id,
        evse.c.operator,
        delivery.c.desired_at,
        *DELIVERY_COLUMNS,
    )
    .select_from(delivery.join(evse, evse.c.id == delivery.c.evse))
    .where(delivery.c.account == sa.bindparam("name"))
)
_ONE = Prepared(_ROW.where(delivery.c.evse == sa.bindparam("key")))

# The three looks for what is due, each answered by the index ix_delivery_due alone, in its own order: PostgreSQL puts
# NULL last in an index and SQLite first, so that one ORDER BY for both would sort the whole backlog at every push.
_CANDIDATE = (
    sa.select(delivery.c.evse, delivery.c.attempted_at).where(delivery.c.account == sa.bindparam("name")).limit(1)
)
_NEVER_ATTEMPTED = _CANDIDATE.where(delivery.c.due_at == 0, delivery.c.attempted_at.is_(None)).order_by(delivery.c.evse)
_AT_ONCE = _CANDIDATE.where(delivery.c.due_at == 0, delivery.c.attempted_at.is_not(None)).order_by(
    delivery.c.attempted_at
)
_LATER = _CANDIDATE.where(delivery.c.due_at > 0, delivery.c.due_at <= sa.bindparam("steady")).order_by(
    sa.func.coalesce(delivery.c.attempted_at, 0)
)
_DUE = (_NEVER_ATTEMPTED, _AT_ONCE, _LATER)

# Where an account tells its hub the EVSEs' data too, a status waits for its EVSE's data (design: data first). What the
# hub acknowledged once it has, also while newer data is refused.
_named = evse.alias("named")
_DATA_MISSING_ROWS = (
    sa.select(document.c.key)
    .select_from(document.join(_named, _named.c.evse_id == document.c.key))
    .where(
        document.c.account == delivery.c.account,
        document.c.kind == str(DocumentKind.EVSE_DATA),
        _named.c.id == delivery.c.evse,
        document.c.acked.is_(None),
        document.c.tombstone.is_(False),
    )
)
_DATA_MISSING = _DATA_MISSING_ROWS.correlate(delivery).exists()
_DATA_ON_ITS_WAY = _DATA_MISSING_ROWS.where(document.c.refused.is_(None)).correlate(delivery).exists()
_LOOKS = tuple(Prepared(look) for look in _DUE)
_LOOKS_AFTER_DATA = tuple(Prepared(look.where(~_DATA_MISSING)) for look in _DUE)
_EARLIEST = sa.select(sa.func.min(delivery.c.due_at)).where(delivery.c.account == sa.bindparam("name"))
_NEXT_DUE_AT = Prepared(_EARLIEST)
_NEXT_DUE_AT_AFTER_DATA = Prepared(_EARLIEST.where(~_DATA_MISSING))


def _row_of(row: Sequence[Any]) -> DeliveryRow:
    return DeliveryRow(EvseKey(row[0]), EvseId(row[1]), row[2], delivery_of(row[4:]), from_micros(row[3]))


def next_due(
    conn: sa.Connection, account: AccountName, steady: datetime, *, after_data: bool = False
) -> DeliveryRow | None:
    """Return the row to send next: of those due, the least recently attempted, so that one bad EVSE blocks nobody.

    `after_data`: only EVSEs whose data the hub has, or that have none to send.
    """
    at = to_micros(steady)
    never_attempted, *attempted = _LOOKS_AFTER_DATA if after_data else _LOOKS
    never = never_attempted.first(conn, name=account, steady=at)
    if never is not None:
        return load_row(conn, account, EvseKey(never[0]))
    found = [row for look in attempted if (row := look.first(conn, name=account, steady=at)) is not None]
    first = min(found, key=lambda row: row[1] or 0, default=None)
    return None if first is None else load_row(conn, account, EvseKey(first[0]))


def next_due_at(conn: sa.Connection, account: AccountName, *, after_data: bool = False) -> datetime | None:
    """Return when the account's next row is due (steady), or None where none ever is; `after_data` as in `next_due`."""
    statement = _NEXT_DUE_AT_AFTER_DATA if after_data else _NEXT_DUE_AT
    earliest: int | None
    ((earliest,),) = statement.rows(conn, name=account)
    return from_micros(earliest)


def has_acked(conn: sa.Connection, account: AccountName) -> bool:
    """Tell whether the hub acknowledged any status of the account."""
    statement = sa.select(delivery.c.evse).where(delivery.c.account == account, delivery.c.acked.is_not(None)).limit(1)
    return conn.execute(statement).first() is not None


def awaits_data(conn: sa.Connection, account: AccountName) -> bool:
    """Say whether the hub has yet to get the data of one of the account's EVSEs, and has not refused it."""
    statement = sa.select(delivery.c.evse).where(
        delivery.c.account == account, delivery.c.tombstone.is_(False), _DATA_ON_ITS_WAY
    )
    return conn.execute(statement.limit(1)).first() is not None


def load_row(conn: sa.Connection, account: AccountName, key: EvseKey) -> DeliveryRow | None:
    """Return one row, or None where it is gone."""
    row = _ONE.first(conn, name=account, key=key)
    return None if row is None else _row_of(row)


_ALL = _ROW.order_by(evse.c.evse_id)
_SOME = _ALL.where(delivery.c.evse.in_(sa.bindparam("keys", expanding=True)))


_ALL_AFTER_DATA = _ALL.where(~_DATA_MISSING)


def load_rows(
    conn: sa.Connection, account: AccountName, keys: Sequence[EvseKey] | None = None, *, after_data: bool = False
) -> list[DeliveryRow]:
    """Return the account's rows, all or those of `keys` (a few thousand at most), ordered by EVSE id.

    `after_data`: of all, those whose data the hub has.
    """
    if keys is None:
        statement = _ALL_AFTER_DATA if after_data else _ALL
        return [_row_of(row) for row in conn.execute(statement, {"name": account})]
    return [_row_of(row) for row in conn.execute(_SOME, {"name": account, "keys": list(keys)})]


def rows_of(conn: sa.Connection, account: AccountName, evse_id: EvseId) -> list[DeliveryRow]:
    """Return the account's row of an EVSE, if it has one."""
    return [_row_of(row) for row in conn.execute(_ROW.where(evse.c.evse_id == evse_id), {"name": account})]


def rows_at(conn: sa.Connection, account: AccountName, station_reference: str) -> list[DeliveryRow]:
    """Return the account's rows of the EVSEs at a station, by the hub's own id of it."""
    statement = _ROW.where(delivery.c.station_reference == station_reference)
    return [_row_of(row) for row in conn.execute(statement, {"name": account})]


def withheld(conn: sa.Connection, account: AccountName) -> list[tuple[EvseId, str]]:
    """Return EVSE id and value of every row that is due at once: what an account that only shows would send."""
    statement = (
        sa.select(evse.c.evse_id, delivery.c.desired)
        .select_from(delivery.join(evse, evse.c.id == delivery.c.evse))
        .where(delivery.c.account == account, delivery.c.due_at == 0)
        .order_by(evse.c.evse_id)
    )
    return [(row[0], row[1]) for row in conn.execute(statement)]


def colliding(conn: sa.Connection, account: AccountName, names: Sequence[str]) -> set[str]:
    """Return those canonical ids that more than one of the account's rows has."""
    statement = (
        sa.select(evse.c.canonical)
        .select_from(delivery.join(evse, evse.c.id == delivery.c.evse))
        .where(delivery.c.account == account, evse.c.canonical.in_(names))
        .group_by(evse.c.canonical)
        .having(sa.func.count() > 1)
    )
    return set(conn.execute(statement).scalars())


def suspects(conn: sa.Connection, account: AccountName, reason: str) -> list[DeliveryRow]:
    """Return the rows whose answer was this reason while it held the account, as suspects or as refused."""
    statement = _ROW.where(sa.or_(delivery.c.suspect == reason, delivery.c.refused == reason))
    return [_row_of(row) for row in conn.execute(statement, {"name": account})]


def in_flight(conn: sa.Connection, account: AccountName) -> list[DeliveryRow]:
    """Return the rows that were sent and never settled, which only a crash or a cut leaves behind."""
    return [_row_of(row) for row in conn.execute(_ROW.where(delivery.c.in_flight_seq > 0), {"name": account})]


def unscheduled(conn: sa.Connection, account: AccountName) -> list[DeliveryRow]:
    """Return the rows that are acknowledged and that nothing will make due but a change."""
    statement = _ROW.where(delivery.c.due_at.is_(None), delivery.c.in_flight_seq == 0)
    return [_row_of(row) for row in conn.execute(statement, {"name": account})]


def future_rows(conn: sa.Connection, account: AccountName, steady: datetime) -> list[DeliveryRow]:
    """Return the rows that wait for a later time, whose stored times a restart must clamp."""
    statement = _ROW.where(delivery.c.due_at > sa.bindparam("steady"))
    return [_row_of(row) for row in conn.execute(statement, {"name": account, "steady": to_micros(steady)})]


_SAVE = Prepared(
    sa.update(delivery)
    .where(delivery.c.account == sa.bindparam("key_account"), delivery.c.evse == sa.bindparam("key_evse"))
    .values(
        {name: sa.bindparam(f"new_{name}") for name in (*(column.name for column in DELIVERY_COLUMNS), "due_at")}
        | {
            "desired_at": sa.case(
                (
                    sa.and_(
                        delivery.c.acked_seq >= delivery.c.desired_seq,
                        sa.bindparam("new_acked_seq") < sa.bindparam("new_desired_seq"),
                    ),
                    sa.bindparam("at"),
                ),
                else_=delivery.c.desired_at,
            )
        }
    )
)
_SAVE_ANSWER = Prepared(
    sa.update(delivery)
    .where(delivery.c.account == sa.bindparam("key_account"), delivery.c.evse == sa.bindparam("key_evse"))
    .values(
        last_http=sa.bindparam("http"),
        last_code=sa.bindparam("code"),
        last_why=sa.bindparam("why"),
        last_reference=sa.bindparam("reference"),
    )
)


def save_rows(
    conn: sa.Connection, account: AccountName, rows: Iterable[tuple[EvseKey, Delivery | None]], steady: datetime
) -> None:
    """Write rows as decided, with when each is due; None removes the row (an acknowledged tombstone).

    From `steady` on the hub lags where an acknowledgement counts no more (doubt, refusal).
    """
    at = to_micros(steady)
    kept: list[dict[str, Any]] = []
    rows = list(rows)
    copies = copies_of(conn)
    for key, value in rows:
        copies.keep_delivery(account, key, value)
        if value is None:
            conn.execute(sa.delete(delivery).where(delivery.c.account == account, delivery.c.evse == key))
            continue
        columns = {f"new_{name}": column for name, column in delivery_values(value).items()}
        due = to_micros(due_at(value))
        kept.append({"key_account": account, "key_evse": key, "at": at, "new_due_at": due, **columns})
    _SAVE.run(conn, kept)


def save_answer(conn: sa.Connection, account: AccountName, keys: Iterable[EvseKey], answer: LastAnswer) -> None:
    """Write what the hub said last about these rows, for operators."""
    columns = {"http": answer.http, "code": answer.code, "why": answer.why, "reference": answer.reference}
    rows = [{"key_account": account, "key_evse": key, **columns} for key in keys]
    _SAVE_ANSWER.run(conn, rows)


def census(conn: sa.Connection, account: AccountName, steady: datetime, *, after_data: bool = False) -> Census:
    """Count the account's live EVSEs, how many of them were ever heard of, and how many rows are due.

    `after_data`: of those whose data the hub has.
    """
    statement = (
        sa.select(
            sa.func.count(),
            sa.func.count(evse_state.c.seq).filter(evse_state.c.seq > 0),
            sa.func.count().filter(delivery.c.due_at <= to_micros(steady)),
        )
        .select_from(delivery.outerjoin(evse_state, evse_state.c.evse == delivery.c.evse))
        .where(delivery.c.account == account, delivery.c.tombstone.is_(False))
    )
    if after_data:
        statement = statement.where(~_DATA_MISSING)
    total, reported, dirty = conn.execute(statement).one()
    return Census(total=total, reported=reported, dirty=dirty)
