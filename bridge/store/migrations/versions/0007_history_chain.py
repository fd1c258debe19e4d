"""Tie each change of an EVSE to the one before it, in place of an index of all of them.

Rows of years are tied here once; at PostgreSQL and SQLite alike one statement reads them in the old index's order.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MARK_EVERY = 8


def upgrade() -> None:
    op.add_column(
        "evse_state",
        sa.Column("last_change", _ID, nullable=True, comment="number of its newest row in history; null: it has none"),
    )
    op.add_column(
        "history",
        sa.Column("earlier", _ID, nullable=True, comment="number of its EVSE's row before; that one may be forgotten"),
    )
    op.add_column(
        "history",
        sa.Column(
            "mark", _ID, nullable=True, comment="its EVSE, in every eighth of its rows: where a walk back may begin"
        ),
    )
    _tie()
    if op.get_bind().dialect.name == "postgresql":  # numbers come from the writer
        op.alter_column("history", "id", server_default=None, comment="grows with time; given by the writer")
        op.execute("DROP SEQUENCE history_id_seq")
    op.drop_index("ix_history_evse_id", "history")
    marked = sa.text("mark IS NOT NULL")
    op.create_index("ix_history_mark_id", "history", ["mark", "id"], sqlite_where=marked, postgresql_where=marked)


def _tie() -> None:
    columns = [sa.column(name, _ID) for name in ("id", "evse", "earlier", "mark")]
    history = sa.table("history", *columns)
    state = sa.table("evse_state", sa.column("evse", _ID), sa.column("last_change", _ID))
    tied = sa.select(
        history.c.id,
        history.c.evse,
        sa.func.lag(history.c.id).over(partition_by=history.c.evse, order_by=history.c.id).label("earlier"),
        sa.func.row_number().over(partition_by=history.c.evse, order_by=history.c.id).label("place"),
    ).subquery("tied")
    mark = sa.case((tied.c.place % _MARK_EVERY == 1, tied.c.evse))
    op.execute(sa.update(history).where(history.c.id == tied.c.id).values(earlier=tied.c.earlier, mark=mark))
    newest = (
        sa.select(history.c.evse, sa.func.max(history.c.id).label("id")).group_by(history.c.evse).subquery("newest")
    )
    op.execute(sa.update(state).where(state.c.evse == newest.c.evse).values(last_change=newest.c.id))
