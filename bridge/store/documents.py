"""Remember what hubs are told besides statuses: one row per document, and the account's state about them.

Never decides: `bridge.documents` and `bridge.lane` read here, decide with `core.documents`, `core.reconcile` and
`core.full_load`, and write here, in a transaction of the writer. Twin: `deliveries`, whose rows are statuses.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bridge.core.documents import DocumentKind, Remote, due_at
from bridge.core.full_load import Census
from bridge.core.model import AccountName, Delivery, FullLoadState, Lane
from bridge.store.bulk import insert_or_update
from bridge.store.deliveries import LastAnswer
from bridge.store.micros import from_micros, to_micros
from bridge.store.prepared import Prepared
from bridge.store.stations import DELIVERY_COLUMNS, delivery_of, delivery_values
from bridge.store.tables import document, document_lane

DocumentName = tuple[DocumentKind, str]
"""Kind and key of a document, within its account."""


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """One document of an account."""

    kind: DocumentKind
    key: str
    delivery: Delivery
    remote: Remote = field(default_factory=Remote)
    last_why: str = ""
    """Why the last answer was no acceptance; empty where it was one, or there was none."""

    @property
    def name(self) -> DocumentName:
        """What tells it from the account's other documents."""
        return self.kind, self.key


@dataclass(frozen=True, slots=True)
class StoredDocumentLane:
    """What an account's lane keeps about documents apart from statuses."""

    account: AccountName
    lane: Lane
    """Its failures and pause are those of documents alone, as its holds and refusals are."""
    full_load: FullLoadState
    """Of data; whether an operator said yes is the account's."""
    survey_at: datetime | None
    """Read the hub's own list from this time on (steady); None: not asked for."""


_SHARED = tuple(column.name for column in DELIVERY_COLUMNS if not column.name.endswith("_reference"))
"""Columns that a document has in common with a delivery."""
_ROW = sa.select(
    document.c.kind,
    document.c.key,
    document.c.remote_id,
    document.c.remote_version,
    document.c.lost,
    document.c.last_why,
    *(document.c[name] for name in _SHARED),
).where(document.c.account == sa.bindparam("name"))
_ORDERED = _ROW.order_by(document.c.kind, document.c.key)
# Each turn of a lane looks for a document: these statements are made once.
_NEXT = Prepared(
    _ROW.where(document.c.due_at <= sa.bindparam("steady"))
    .order_by(sa.func.coalesce(document.c.attempted_at, 0), document.c.kind, document.c.key)
    .limit(1)
)
_NEXT_AT = Prepared(sa.select(sa.func.min(document.c.due_at)).where(document.c.account == sa.bindparam("name")))
_LANE = Prepared(
    sa.select(
        document_lane.c.failures,
        document_lane.c.paused_until,
        document_lane.c.held,
        document_lane.c.held_at,
        document_lane.c.refusals,
        document_lane.c.refusal_reason,
        document_lane.c.full_load_wanted,
        document_lane.c.full_load_gate_since,
        document_lane.c.full_load_tries,
        document_lane.c.full_load_attempted_at,
        document_lane.c.full_load_accepted_at,
        document_lane.c.full_load_next_w,
        document_lane.c.full_load_size,
        document_lane.c.full_load_in_flight,
        document_lane.c.survey_at,
    ).where(document_lane.c.account == sa.bindparam("name"))
)


def _row_of(row: Sequence[Any]) -> DocumentRow:
    remote = Remote(row[2], row[3], tuple(json.loads(row[4])) if row[4] else ())
    return DocumentRow(DocumentKind(row[0]), row[1], delivery_of((*row[6:], "", "")), remote, row[5])


def load_documents(
    conn: sa.Connection, account: AccountName, kinds: Collection[DocumentKind] | None = None
) -> list[DocumentRow]:
    """Return the account's documents, all or of some kinds, ordered by kind and key."""
    statement = _ORDERED if kinds is None else _ORDERED.where(document.c.kind.in_([str(kind) for kind in kinds]))
    return [_row_of(row) for row in conn.execute(statement, {"name": account})]


def load_document(conn: sa.Connection, account: AccountName, name: DocumentName) -> DocumentRow | None:
    """Return one document, or None where it is gone."""
    statement = _ROW.where(document.c.kind == str(name[0]), document.c.key == name[1])
    row = conn.execute(statement, {"name": account}).one_or_none()
    return None if row is None else _row_of(row)


def documents_of(conn: sa.Connection, account: AccountName, names: Iterable[DocumentName]) -> list[DocumentRow]:
    """Return those of these documents that are there (a few thousand at most)."""
    wanted = set(names)
    keys = sorted({key for _, key in wanted})
    rows = conn.execute(_ORDERED.where(document.c.key.in_(keys)), {"name": account})
    return [found for row in rows if (found := _row_of(row)).name in wanted]


def next_document(conn: sa.Connection, account: AccountName, steady: datetime) -> DocumentRow | None:
    """Return the document to send next: of those due, the least recently attempted."""
    row = _NEXT.first(conn, name=account, steady=to_micros(steady))
    return None if row is None else _row_of(row)


def next_document_at(conn: sa.Connection, account: AccountName) -> datetime | None:
    """Return when the account's next document is due (steady), or None where none ever is."""
    earliest: int | None
    ((earliest,),) = _NEXT_AT.rows(conn, name=account)
    return from_micros(earliest)


def withheld(conn: sa.Connection, account: AccountName) -> list[tuple[str, str]]:
    """Return name and content of every document that is due at once: what an account that only shows would send."""
    statement = (
        sa.select(document.c.kind, document.c.key, document.c.desired)
        .where(document.c.account == account, document.c.due_at == 0)
        .order_by(document.c.kind, document.c.key)
    )
    return [(f"{row.kind} {row.key}", row.desired) for row in conn.execute(statement)]


def documents_in_flight(conn: sa.Connection, account: AccountName) -> list[DocumentRow]:
    """Return the documents that were sent and never settled, which only a crash or a cut leaves behind."""
    return [_row_of(row) for row in conn.execute(_ROW.where(document.c.in_flight_seq > 0), {"name": account})]


def future_documents(conn: sa.Connection, account: AccountName, steady: datetime) -> list[DocumentRow]:
    """Return the documents that wait for a later time, whose stored times a restart must clamp."""
    statement = _ROW.where(document.c.due_at > to_micros(steady))
    return [_row_of(row) for row in conn.execute(statement, {"name": account})]


def suspected_documents(conn: sa.Connection, account: AccountName, reason: str) -> list[DocumentRow]:
    """Return the documents whose answer was this reason while it held the account's documents."""
    statement = _ROW.where(sa.or_(document.c.suspect == reason, document.c.refused == reason))
    return [_row_of(row) for row in conn.execute(statement, {"name": account})]


def census_of(conn: sa.Connection, account: AccountName, kind: DocumentKind, steady: datetime) -> Census:
    """Count the account's documents of a kind and those that are due; nobody has to report them first."""
    statement = sa.select(sa.func.count(), sa.func.count().filter(document.c.due_at <= to_micros(steady))).where(
        document.c.account == account, document.c.kind == str(kind), document.c.tombstone.is_(False)
    )
    total, due = conn.execute(statement).one()
    return Census(total=total, reported=total, dirty=due)


def save_documents(
    conn: sa.Connection,
    account: AccountName,
    rows: Iterable[tuple[DocumentName, Delivery | None, Remote]],
    steady: datetime,
) -> None:
    """Write documents as decided, new ones too, with when each is due; None removes the row.

    From `steady` on the hub lags where what is desired stops being what was acknowledged.
    """
    kept = []
    for (kind, key), delivery, remote in rows:
        if delivery is None:
            conn.execute(
                sa.delete(document).where(
                    document.c.account == account, document.c.kind == str(kind), document.c.key == key
                )
            )
            continue
        shared = {name: value for name, value in delivery_values(delivery).items() if name in _SHARED}
        kept.append(
            {
                "account": account,
                "kind": str(kind),
                "key": key,
                "desired_at": to_micros(steady),
                "due_at": to_micros(due_at(kind, delivery, remote)),
                "remote_id": remote.id,
                "remote_version": remote.version,
                "lost": json.dumps(remote.lost) if remote.lost else None,
                **shared,
            }
        )
    if kept:
        insert = insert_or_update(conn, document)
        overwritten: dict[str, Any] = {name: insert.excluded[name] for name in kept[0] if name not in _KEY}
        lagging = document.c.acked_seq < document.c.desired_seq
        overwritten["desired_at"] = sa.case((lagging, document.c.desired_at), else_=insert.excluded.desired_at)
        conn.execute(insert.on_conflict_do_update(index_elements=list(_KEY), set_=overwritten), kept)


def drop_documents(conn: sa.Connection, account: AccountName, kind: DocumentKind) -> None:
    """Forget every document of a kind, whatever its hub has of it."""
    conn.execute(sa.delete(document).where(document.c.account == account, document.c.kind == str(kind)))


_KEY = ("account", "kind", "key")


def save_document_answer(
    conn: sa.Connection, account: AccountName, names: Iterable[DocumentName], answer: LastAnswer
) -> None:
    """Write what the hub said last about these documents, for operators."""
    rows = [{"key_kind": str(kind), "key_key": key} for kind, key in names]
    if rows:
        statement = (
            sa.update(document)
            .where(
                document.c.account == account,
                document.c.kind == sa.bindparam("key_kind"),
                document.c.key == sa.bindparam("key_key"),
            )
            .values(last_http=answer.http, last_code=answer.code, last_why=answer.why, last_reference=answer.reference)
        )
        conn.execute(statement, rows)


# --- the account's state about documents ----------------------------------------------------------------------------


def load_document_lane(conn: sa.Connection, account: AccountName) -> StoredDocumentLane:
    """Return the account's state about documents; the state of one that never sent any where there is no row."""
    row = _LANE.first(conn, name=account)
    if row is None:
        return StoredDocumentLane(account, Lane(), FullLoadState(), None)
    return StoredDocumentLane(
        account=account,
        lane=Lane(
            failures=row[0],
            paused_until=from_micros(row[1]),
            held=row[2],
            held_at=from_micros(row[3]),
            refusals=row[4],
            refusal_reason=row[5],
        ),
        full_load=FullLoadState(
            wanted=row[6],
            gate_since=from_micros(row[7]),
            tries=row[8],
            attempted_at=from_micros(row[9]),
            accepted_at=from_micros(row[10]),
            next_w=from_micros(row[11]),
            size=row[12],
            in_flight=bool(row[13]),
        ),
        survey_at=from_micros(row[14]),
    )


def save_document_lane(conn: sa.Connection, stored: StoredDocumentLane, **other: Any) -> None:
    """Write the account's state about documents, and `other` columns by name (last_error, last_accepted_at)."""
    lane, full = stored.lane, stored.full_load
    values = {
        "failures": lane.failures,
        "paused_until": to_micros(lane.paused_until),
        "held": lane.held,
        "held_at": to_micros(lane.held_at),
        "refusals": lane.refusals,
        "refusal_reason": lane.refusal_reason,
        "full_load_wanted": full.wanted,
        "full_load_gate_since": to_micros(full.gate_since),
        "full_load_tries": full.tries,
        "full_load_attempted_at": to_micros(full.attempted_at),
        "full_load_accepted_at": to_micros(full.accepted_at),
        "full_load_next_w": to_micros(full.next_w),
        "full_load_size": full.size,
        "full_load_in_flight": full.in_flight,
        "survey_at": to_micros(stored.survey_at),
        **other,
    }
    conn.execute(
        insert_or_update(conn, document_lane)
        .values(account=stored.account, **values)
        .on_conflict_do_update(index_elements=[document_lane.c.account], set_=values)
    )
