"""Count marks in the database, and take it back to what is sure after it was restored.

Never decides whether it was: `core.marks` does. Before it: `edits.restored`.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from bridge.core.marks import Marks
from bridge.core.model import AccountName
from bridge.store.bulk import upsert
from bridge.store.counters import take_numbers
from bridge.store.micros import from_micros
from bridge.store.tables import charging, counter, delivery, document, fact, lane, node, station
from bridge.store.working_copies import drop_copies
from csms.events import OcppVersion

_MARK, _TRANSACTION, _TEMPORARY = "mark", "transaction_id", "temporary_id"


def read_marks(conn: sa.Connection) -> Marks:
    """Return the marks as stored."""
    names = (_MARK, _TRANSACTION, _TEMPORARY)
    rows = conn.execute(sa.select(counter.c.name, counter.c.value).where(counter.c.name.in_(names)))
    found = {row[0]: row[1] for row in rows}
    return Marks(*(found.get(name, 0) for name in names))


def take_mark(conn: sa.Connection) -> Marks:
    """Count one mark and return all as they are then."""
    take_numbers(conn, _MARK, 1)
    return read_marks(conn)


def raise_marks(conn: sa.Connection, marks: Marks) -> None:
    """Store these marks."""
    values = {_MARK: marks.mark, _TRANSACTION: marks.transaction_id, _TEMPORARY: marks.temporary_id}
    upsert(conn, counter, [{"name": name, "value": value} for name, value in values.items()])


def last_alive(conn: sa.Connection) -> datetime | None:
    """Return when a bridge last ran on this database (steady); None where none ever did."""
    return from_micros(conn.execute(sa.select(sa.func.max(node.c.alive_at))).scalar())


def forget_reports(conn: sa.Connection) -> None:
    """Forget what stations reported: each EVSE is unknown until it reports again.

    Stations that can be asked are accepted anew: only after a BootNotification do they also report what is above their
    connectors (OCPP 1.6 §4.2 connector 0; OCPP 2.x Part 2 B01.FR.05). A 1.6 station that refuses goes on without; a 2.x
    one must not, and keeps its acceptance.
    """
    drop_copies(conn)
    conn.execute(sa.delete(fact))
    conn.execute(sa.delete(charging))
    of_16 = sa.func.coalesce(station.c.fact_version, OcppVersion.V16.value) == OcppVersion.V16.value
    asked = sa.or_(of_16, station.c.refuses_trigger.is_(False))
    conn.execute(sa.update(station).where(asked).values(accepted_at=None))
    conn.execute(sa.update(station).values(refuses_trigger=False))


def told_accounts(conn: sa.Connection) -> list[AccountName]:
    """Return every account that was ever served, or that something is desired of."""
    names = sa.union(sa.select(lane.c.account), sa.select(delivery.c.account), sa.select(document.c.account))
    return [AccountName(name) for name in sorted(conn.execute(names).scalars())]
