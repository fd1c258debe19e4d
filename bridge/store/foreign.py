"""Remember the entries that others made at a hub, to show them.

Never a ground for a request: what is here was not made by us, and is not ours to change. Written by `bridge.lane` after
a survey, read for operators.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import sqlalchemy as sa

from bridge.core.model import AccountName
from bridge.store.tables import foreign_entry


@dataclass(frozen=True, slots=True)
class ForeignEntry:
    """A temporary status that somebody else made; times as the hub wrote them."""

    remote_id: str
    evse_id: str
    kind: str
    valid_from: str
    valid_to: str | None


def replace_entries(conn: sa.Connection, account: AccountName, entries: Sequence[ForeignEntry]) -> None:
    """Keep exactly these entries for the account."""
    conn.execute(sa.delete(foreign_entry).where(foreign_entry.c.account == account))
    if entries:
        conn.execute(sa.insert(foreign_entry), [{"account": account, **asdict(entry)} for entry in entries])


def foreign_entries(conn: sa.Connection, account: AccountName) -> list[ForeignEntry]:
    """Return the account's entries, by EVSE."""
    statement = (
        sa.select(foreign_entry)
        .where(foreign_entry.c.account == account)
        .order_by(foreign_entry.c.evse_id, foreign_entry.c.remote_id)
    )
    return [
        ForeignEntry(row.remote_id, row.evse_id, row.kind, row.valid_from, row.valid_to)
        for row in conn.execute(statement)
    ]
