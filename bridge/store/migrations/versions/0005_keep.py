"""Remember each request to a hub, and give what is trimmed by age the indexes that find it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "delivery_log",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False, comment="of the lane that sent it"),
        sa.Column("number", sa.BigInteger(), nullable=False, comment="in that epoch; below 0: nobody saw an answer"),
        sa.Column(
            "kind",
            sa.Text(),
            nullable=False,
            comment="status, full_load, survey, data_full_load, or a document's kind",
        ),
        sa.Column("evse", _ID, nullable=True, comment="whose status it was; null for everything else"),
        sa.Column("document", sa.Text(), nullable=True, comment="key of the one document that it carried"),
        sa.Column("records", sa.Integer(), nullable=False),
        sa.Column("value", sa.Text(), nullable=True, comment="of one status"),
        sa.Column(
            "seq",
            sa.BigInteger(),
            nullable=True,
            comment="desired_seq that was sent; null where it carried a whole set",
        ),
        sa.Column("sent_at_w", sa.BigInteger(), nullable=False),
        sa.Column("took_ms", sa.BigInteger(), nullable=True, comment="null: nobody saw an answer"),
        sa.Column("http", sa.Integer(), nullable=True),
        sa.Column("code", sa.Text(), server_default="", nullable=False),
        sa.Column(
            "outcome",
            sa.Text(),
            nullable=False,
            comment="accepted, deferred, refused, wrong_action, held, in_doubt",
        ),
        sa.Column("why", sa.Text(), server_default="", nullable=False),
        sa.Column("reference", sa.Text(), server_default="", nullable=False, comment="the hub's own, for its support"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery_log")),
        sa.UniqueConstraint("account", "epoch", "number", name=op.f("uq_delivery_log_account_epoch_number")),
        comment="one row per request to a hub, written in the transaction that settles it",
    )
    op.create_index("ix_delivery_log_evse_id", "delivery_log", ["evse", "id"])
    op.drop_index(op.f("ix_history_evse"), "history")
    op.create_index("ix_history_evse_id", "history", ["evse", "id"])
    _date_what_is_over()
    op.create_index(op.f("ix_document_key"), "document", ["key"])
    op.create_index("ix_delivery_evse", "delivery", ["evse"])
    for table in ("evse", "station"):
        op.create_index(op.f(f"ix_{table}_removed_at_w"), table, ["removed_at_w"])


def _date_what_is_over() -> None:
    """Rows of temporary statuses will go one day: their numbers come from a counter, so that none is given again."""
    op.add_column(
        "temporary_status",
        sa.Column(
            "over_at_w", sa.BigInteger(), nullable=True, comment="when one that is over ended or was deleted: its age"
        ),
    )
    op.create_index(op.f("ix_temporary_status_over_at_w"), "temporary_status", ["over_at_w"])
    op.drop_index(op.f("ix_temporary_status_evse"), "temporary_status")
    op.create_index("ix_temporary_status_evse_over", "temporary_status", ["evse", "over"])
    op.create_index("ix_temporary_status_over_valid_to_w", "temporary_status", ["over", "valid_to_w"])
    temporary = sa.table(
        "temporary_status",
        sa.column("id", _ID),
        sa.column("over", sa.Boolean()),
        sa.column("over_at_w", sa.BigInteger()),
        sa.column("removed_at_w", sa.BigInteger()),
        sa.column("valid_to_w", sa.BigInteger()),
    )
    ended = sa.func.coalesce(temporary.c.removed_at_w, temporary.c.valid_to_w)
    op.execute(sa.update(temporary).where(temporary.c.over.is_(sa.true())).values(over_at_w=ended))
    counter = sa.table("counter", sa.column("name", sa.Text()), sa.column("value", sa.BigInteger()))
    highest = sa.select(sa.literal("temporary_id"), sa.func.max(temporary.c.id)).having(sa.func.count() > 0)
    op.execute(sa.insert(counter).from_select(["name", "value"], highest))
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column("temporary_status", "removed_at_w", comment="deleted")
        op.create_table_comment(
            "counter",
            "the last number given of each: receive_seq, OCPP 1.6 transaction_id, temporary_id, mark (see marks.py).",
        )
