"""Remember keys of operators, answers to repeated orders, and what requests to hubs said and were answered."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "api_key",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("name", sa.Text(), nullable=False, comment="what operators call it; stored beside its orders"),
        sa.Column("digest", sa.Text(), nullable=False, comment="SHA-256 of the key, hex; the key is kept nowhere"),
        sa.Column("role", sa.Text(), nullable=False, comment="viewer, operator, admin"),
        sa.Column("operators", sa.Text(), nullable=True, comment="JSON array of operators' names; null: all"),
        sa.Column("created_at_w", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("expires_at_w", sa.BigInteger(), nullable=True, comment="null: never"),
        sa.Column("revoked_at_w", sa.BigInteger(), nullable=True),
        sa.Column("used_at_w", sa.BigInteger(), nullable=True, comment="last, to about a minute"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_key")),
        sa.UniqueConstraint("digest", name=op.f("uq_api_key_digest")),
        comment="keys of the REST interface and the dashboard",
    )
    op.create_table(
        "idempotent_answer",
        sa.Column("key", sa.Text(), nullable=False, comment="Idempotency-Key"),
        sa.Column("principal", sa.Text(), nullable=False, comment="whose order it was"),
        sa.Column("fingerprint", sa.Text(), nullable=False, comment="SHA-256 of method, path and body, hex"),
        sa.Column("at_w", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True, comment="null: not answered yet"),
        sa.Column("body", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("principal", "key", name=op.f("pk_idempotent_answer")),
        comment="answers to orders that carried an Idempotency-Key, for a day",
    )
    op.create_index(op.f("ix_idempotent_answer_at_w"), "idempotent_answer", ["at_w"])
    op.add_column(
        "delivery_log",
        sa.Column("lag_ms", sa.BigInteger(), nullable=True, comment="age of the value as it was accepted"),
    )
    op.add_column("delivery_log", sa.Column("request", sa.Text(), nullable=True, comment="masked and cut"))
    op.add_column("delivery_log", sa.Column("answer", sa.Text(), nullable=True, comment="masked and cut"))
    op.create_index("ix_delivery_log_account_id", "delivery_log", ["account", "id"])
