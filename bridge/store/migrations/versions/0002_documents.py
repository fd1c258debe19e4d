"""Add what hubs are told besides statuses, listings, and what temporary statuses need.

Documents are rows like deliveries: an EVSE's data at Hubject, a station and a company at Chargeprice, a temporary
status at Spirii.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "document",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="evse_data, station, company or temporary"),
        sa.Column("key", sa.Text(), nullable=False, comment="EvseID, UUID, UUID, or our id of the temporary status"),
        sa.Column("desired", sa.Text(), nullable=False, comment="JSON; empty: delete it"),
        sa.Column("desired_seq", sa.BigInteger(), nullable=False),
        sa.Column("desired_at", sa.BigInteger(), nullable=False),
        sa.Column("acked", sa.Text(), nullable=True),
        sa.Column("acked_seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("acked_at", sa.BigInteger(), nullable=True),
        sa.Column("in_flight_seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("doubt_until", sa.BigInteger(), nullable=True),
        sa.Column("reassert_at", sa.BigInteger(), nullable=True),
        sa.Column("not_before", sa.BigInteger(), nullable=True),
        sa.Column("refused", sa.Text(), nullable=True),
        sa.Column("refused_seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("proven", sa.Text(), nullable=True),
        sa.Column("suspect", sa.Text(), nullable=True),
        sa.Column("known", sa.Boolean(), nullable=True),
        sa.Column("switched", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("attempts", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("attempted_at", sa.BigInteger(), nullable=True),
        sa.Column("tombstone", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("remote_id", sa.Text(), server_default="", nullable=False, comment="the hub's own id"),
        sa.Column(
            "remote_version", sa.BigInteger(), server_default="0", nullable=False, comment="lock version; 0: unknown"
        ),
        sa.Column("lost", sa.Text(), nullable=True, comment="content of a creation whose answer was lost"),
        sa.Column("due_at", sa.BigInteger(), nullable=True, comment="as in delivery"),
        sa.Column("last_http", sa.Integer(), nullable=True),
        sa.Column("last_code", sa.Text(), server_default="", nullable=False),
        sa.Column("last_why", sa.Text(), server_default="", nullable=False),
        sa.Column("last_reference", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("account", "kind", "key", name=op.f("pk_document")),
        comment="what a hub is told besides statuses, one row each",
    )
    op.create_index("ix_document_due", "document", ["account", "due_at", "attempted_at"], unique=False)
    op.create_table(
        "document_lane",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("held", sa.Text(), nullable=True),
        sa.Column("held_at", sa.BigInteger(), nullable=True),
        sa.Column("refusals", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("refusal_reason", sa.Text(), nullable=True),
        sa.Column("last_error", sa.Text(), server_default="", nullable=False),
        sa.Column("last_accepted_at", sa.BigInteger(), nullable=True),
        sa.Column("full_load_in_flight", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("full_load_wanted", sa.Text(), nullable=True),
        sa.Column("full_load_gate_since", sa.BigInteger(), nullable=True),
        sa.Column("full_load_tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("full_load_attempted_at", sa.BigInteger(), nullable=True),
        sa.Column("full_load_accepted_at", sa.BigInteger(), nullable=True),
        sa.Column("full_load_next_w", sa.BigInteger(), nullable=True),
        sa.Column("full_load_size", sa.Integer(), nullable=True),
        sa.Column(
            "survey_at",
            sa.BigInteger(),
            nullable=True,
            comment="read the hub's list from this steady time on; null: not asked for",
        ),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_document_lane")),
        comment="the part of an account's lane that is about documents: holds, and fullLoads of data",
    )
    op.create_table(
        "foreign_entry",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("remote_id", sa.Text(), nullable=False),
        sa.Column("evse_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Text(), nullable=False),
        sa.Column("valid_to", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("account", "remote_id", name=op.f("pk_foreign_entry")),
        comment="temporary statuses that others made at Spirii: shown, never touched",
    )
    op.create_table(
        "listing",
        sa.Column("kind", sa.Text(), nullable=False, comment="evse_data or station"),
        sa.Column("key", sa.Text(), nullable=False, comment="EvseID, or the name of the station's table in the file"),
        sa.Column("reference", sa.Text(), server_default="", nullable=False, comment="UUID that we gave the station"),
        sa.Column("content", sa.Text(), nullable=False, comment="JSON"),
        sa.PrimaryKeyConstraint("kind", "key", name=op.f("pk_listing")),
        comment="static data of EVSEs and stations, as imported",
    )
    op.create_table(
        "availability_order",
        sa.Column("evse", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("wanted", sa.Text(), nullable=False, comment="Inoperative, or Operative to undo it"),
        sa.Column("wanted_seq", sa.BigInteger(), nullable=False),
        sa.Column("done_seq", sa.BigInteger(), server_default="0", nullable=False, comment="the station took it"),
        sa.Column(
            "made", sa.Boolean(), server_default=sa.false(), nullable=False, comment="may be inoperative because of us"
        ),
        sa.Column("attempts", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("not_before", sa.BigInteger(), nullable=True),
        sa.Column("last", sa.Text(), server_default="", nullable=False, comment="how the station answered last"),
        sa.ForeignKeyConstraint(["evse"], ["evse.id"], name=op.f("fk_availability_order_evse")),
        sa.PrimaryKeyConstraint("evse", name=op.f("pk_availability_order")),
        comment="EVSEs that a temporary status keeps inoperative at the station, until that is undone",
    )
    op.add_column(
        "evse",
        sa.Column(
            "listed_station", sa.Text(), server_default="", nullable=False, comment="Chargeprice station that lists it"
        ),
    )
    op.add_column(
        "evse",
        sa.Column(
            "spirii", sa.Boolean(), server_default=sa.false(), nullable=False, comment="managed at Spirii: mirrored"
        ),
    )
    op.add_column(
        "temporary_status",
        sa.Column("enforce", sa.Boolean(), server_default=sa.false(), nullable=False, comment="ChangeAvailability too"),
    )
    op.add_column(
        "temporary_status",
        sa.Column(
            "over",
            sa.Boolean(),
            server_default=sa.false(),
            nullable=False,
            comment="ended or deleted for good: not loaded",
        ),
    )
    op.add_column("temporary_status", sa.Column("created_at_w", sa.BigInteger(), nullable=True))
    op.add_column("temporary_status", sa.Column("created_by", sa.Text(), server_default="", nullable=False))
    op.add_column(
        "temporary_status",
        sa.Column(
            "removed_at_w",
            sa.BigInteger(),
            nullable=True,
            comment="deleted; the row stays, so that its id is never given again",
        ),
    )
