"""Make every table of the first release: inventory, facts, effective states, deliveries, lanes, ownership."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "counter",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_counter")),
        comment="receive_seq: the last receive sequence given; transaction_id: the last OCPP 1.6 transactionId given.",
    )
    op.create_table(
        "history",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("evse", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at_w", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("live", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_history")),
        comment="one row per effective change",
    )
    op.create_index(op.f("ix_history_evse"), "history", ["evse"], unique=False)
    op.create_table(
        "lane",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=True, comment="off, dry_run, live; null: what the configuration says"),
        sa.Column("mode_by", sa.Text(), server_default="", nullable=False),
        sa.Column("mode_at_w", sa.BigInteger(), nullable=True),
        sa.Column("owner", sa.Text(), nullable=True, comment="node that runs the lane"),
        sa.Column("epoch", sa.BigInteger(), server_default="0", nullable=False, comment="settle is conditional on it"),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.Column("failures", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("paused_until", sa.BigInteger(), nullable=True),
        sa.Column("held", sa.Text(), nullable=True),
        sa.Column("held_at", sa.BigInteger(), nullable=True),
        sa.Column("refusals", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("refusal_reason", sa.Text(), nullable=True),
        sa.Column("last_error", sa.Text(), server_default="", nullable=False),
        sa.Column("last_accepted_at", sa.BigInteger(), nullable=True),
        sa.Column("full_load_confirmed", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("full_load_in_flight", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column(
            "full_load_wanted",
            sa.Text(),
            nullable=True,
            comment="why one is wanted now (first, doubt, request); null: none is",
        ),
        sa.Column(
            "full_load_gate_since",
            sa.BigInteger(),
            nullable=True,
            comment="since when it has been holding single pushes",
        ),
        sa.Column("full_load_tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("full_load_attempted_at", sa.BigInteger(), nullable=True),
        sa.Column("full_load_accepted_at", sa.BigInteger(), nullable=True),
        sa.Column("full_load_next_w", sa.BigInteger(), nullable=True, comment="next daily one, wall time"),
        sa.Column(
            "full_load_size",
            sa.Integer(),
            nullable=True,
            comment="records of the last accepted one: the guard's measure",
        ),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_lane")),
    )
    op.create_table(
        "node",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("alive_at", sa.BigInteger(), nullable=False, comment="last time this process was known to listen"),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_node")),
    )
    op.create_table(
        "station",
        sa.Column("id", sa.Text(), nullable=False, comment="identity as registered"),
        sa.Column("id_folded", sa.Text(), nullable=False, comment="casefolded; identities differ in more than case"),
        sa.Column(
            "version",
            sa.Text(),
            nullable=True,
            comment="subprotocol to assume where none is offered: ocpp1.6, ocpp2.0.1 or null",
        ),
        sa.Column(
            "security", sa.Integer(), nullable=False, comment="OCPP security profile; 0 is insecure and explicit"
        ),
        sa.Column("key_salt", sa.LargeBinary(), nullable=True),
        sa.Column("key_digest", sa.LargeBinary(), nullable=True),
        sa.Column("layer0", sa.Text(), server_default="downgrade", nullable=False),
        sa.Column("strict", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column(
            "accepted_at", sa.BigInteger(), nullable=True, comment="first BootNotification accepted: durable acceptance"
        ),
        sa.Column("vendor", sa.Text(), server_default="", nullable=False),
        sa.Column("model", sa.Text(), server_default="", nullable=False),
        sa.Column("serial", sa.Text(), server_default="", nullable=False),
        sa.Column("firmware", sa.Text(), server_default="", nullable=False),
        sa.Column("booted_at", sa.BigInteger(), nullable=True),
        sa.Column("refuses_trigger", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column(
            "fact_version",
            sa.Text(),
            nullable=True,
            comment="OCPP version of the stored facts; facts of another retire",
        ),
        sa.Column(
            "unreachable_at", sa.BigInteger(), nullable=True, comment="declared unreachable, and not heard of since"
        ),
        sa.Column(
            "removed_at_w",
            sa.BigInteger(),
            nullable=True,
            comment="left the inventory; the row stays for its EVSEs' tombstones",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_station")),
        sa.UniqueConstraint("id_folded", name=op.f("uq_station_id_folded")),
    )
    op.create_table(
        "charging",
        sa.Column("station", sa.Text(), nullable=False),
        sa.Column("ocpp_evse", sa.Integer(), nullable=False),
        sa.Column("transaction", sa.Text(), nullable=False),
        sa.Column("seq_no", sa.BigInteger(), nullable=False, comment="highest seqNo seen of this transaction"),
        sa.Column(
            "state",
            sa.Text(),
            nullable=True,
            comment="chargingState; null where it does not count (cleared or offline)",
        ),
        sa.Column("ended", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("charging_from", sa.BigInteger(), nullable=True),
        sa.Column("doubt", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column(
            "ocpp_connector",
            sa.Integer(),
            nullable=True,
            comment="the connector that its events name; null where none does",
        ),
        sa.ForeignKeyConstraint(["station"], ["station.id"], name=op.f("fk_charging_station")),
        sa.PrimaryKeyConstraint("station", "ocpp_evse", name=op.f("pk_charging")),
        comment="the latest 2.x transaction of each EVSE",
    )
    op.create_table(
        "connection",
        sa.Column("station", sa.Text(), nullable=False),
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False, comment="facts of a lower epoch are rejected"),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("remote", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=True, comment="null while the socket is open"),
        sa.Column("heard_at", sa.BigInteger(), nullable=False, comment="last frame or pong, written lazily"),
        sa.ForeignKeyConstraint(["station"], ["station.id"], name=op.f("fk_connection_station")),
        sa.PrimaryKeyConstraint("station", name=op.f("pk_connection")),
    )
    op.create_table(
        "evse",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("evse_id", sa.Text(), nullable=False, comment="as on the wire, upper case"),
        sa.Column("canonical", sa.Text(), nullable=False, comment="without separators; may collide"),
        sa.Column("station", sa.Text(), nullable=False),
        sa.Column("operator", sa.Text(), nullable=False),
        sa.Column("chargeprice_station", sa.Text(), server_default="", nullable=False),
        sa.Column("chargeprice_point", sa.Text(), server_default="", nullable=False),
        sa.Column(
            "removed_at_w",
            sa.BigInteger(),
            nullable=True,
            comment="left the inventory; tombstone deliveries may remain",
        ),
        sa.Column(
            "kept_until",
            sa.BigInteger(),
            nullable=True,
            comment="moved: keeps its published status so long, or until its station reports",
        ),
        sa.ForeignKeyConstraint(["station"], ["station.id"], name=op.f("fk_evse_station")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evse")),
        sa.UniqueConstraint("evse_id", name=op.f("uq_evse_evse_id")),
    )
    op.create_index(op.f("ix_evse_canonical"), "evse", ["canonical"], unique=False)
    op.create_index(op.f("ix_evse_station"), "evse", ["station"], unique=False)
    op.create_table(
        "fact",
        sa.Column("station", sa.Text(), nullable=False),
        sa.Column("ocpp_evse", sa.Integer(), nullable=False),
        sa.Column("ocpp_connector", sa.Integer(), nullable=False, comment="0: EVSE level; (0,0): station level"),
        sa.Column("status", sa.Text(), nullable=False, comment="the standard's own word"),
        sa.Column("seq", sa.BigInteger(), nullable=False, comment="receive sequence"),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("reported_at", sa.Text(), nullable=False, comment="the station's own timestamp, as sent"),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("error_code", sa.Text(), server_default="", nullable=False),
        sa.Column("vendor_error_code", sa.Text(), server_default="", nullable=False),
        sa.Column("info", sa.Text(), server_default="", nullable=False),
        sa.Column("doubt", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("stale", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("charging_from", sa.BigInteger(), nullable=True),
        sa.Column("boot_doubt", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.ForeignKeyConstraint(["station"], ["station.id"], name=op.f("fk_fact_station")),
        sa.PrimaryKeyConstraint("station", "ocpp_evse", "ocpp_connector", name=op.f("pk_fact")),
    )
    op.create_table(
        "connector",
        sa.Column("station", sa.Text(), nullable=False),
        sa.Column("ocpp_evse", sa.Integer(), nullable=False, comment="0 for OCPP 1.6"),
        sa.Column("ocpp_connector", sa.Integer(), nullable=False),
        sa.Column("evse", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["evse"], ["evse.id"], name=op.f("fk_connector_evse")),
        sa.ForeignKeyConstraint(["station"], ["station.id"], name=op.f("fk_connector_station")),
        sa.PrimaryKeyConstraint("station", "ocpp_evse", "ocpp_connector", name=op.f("pk_connector")),
    )
    op.create_index(op.f("ix_connector_evse"), "connector", ["evse"], unique=False)
    op.create_table(
        "delivery",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("evse", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("desired", sa.Text(), nullable=False),
        sa.Column("desired_seq", sa.BigInteger(), nullable=False),
        sa.Column(
            "desired_at", sa.BigInteger(), nullable=False, comment="since when the hub has not had what is desired: lag"
        ),
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
        sa.Column(
            "station_reference",
            sa.Text(),
            server_default="",
            nullable=False,
            comment="the hub's own id, where it has one",
        ),
        sa.Column("point_reference", sa.Text(), server_default="", nullable=False),
        sa.Column(
            "due_at",
            sa.BigInteger(),
            nullable=True,
            comment="computed by reconcile.due_at: 0 at once, null never, else steady time",
        ),
        sa.Column("last_http", sa.Integer(), nullable=True),
        sa.Column("last_code", sa.Text(), server_default="", nullable=False),
        sa.Column("last_why", sa.Text(), server_default="", nullable=False),
        sa.Column("last_reference", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["evse"], ["evse.id"], name=op.f("fk_delivery_evse")),
        sa.PrimaryKeyConstraint("account", "evse", name=op.f("pk_delivery")),
    )
    op.create_index("ix_delivery_due", "delivery", ["account", "due_at", "attempted_at", "evse"], unique=False)
    op.create_table(
        "evse_state",
        sa.Column("evse", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False, comment="compare-and-set on every write"),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("live", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column(
            "seq",
            sa.BigInteger(),
            server_default="0",
            nullable=False,
            comment="receive sequence of the newest fact used",
        ),
        sa.Column(
            "changed_at_w",
            sa.BigInteger(),
            nullable=True,
            comment="when status last changed; null before the first fact",
        ),
        sa.Column("available_since", sa.BigInteger(), nullable=True),
        sa.Column("until_w", sa.BigInteger(), nullable=True),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["evse"], ["evse.id"], name=op.f("fk_evse_state_evse")),
        sa.PrimaryKeyConstraint("evse", name=op.f("pk_evse_state")),
    )
    op.create_index(op.f("ix_evse_state_until"), "evse_state", ["until"], unique=False)
    op.create_index(op.f("ix_evse_state_until_w"), "evse_state", ["until_w"], unique=False)
    op.create_table(
        "temporary_status",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("evse", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="MAINTENANCE, COMMISSIONING, BLOCKED or RESERVED"),
        sa.Column("valid_from_w", sa.BigInteger(), nullable=False),
        sa.Column("valid_to_w", sa.BigInteger(), nullable=True, comment="null: until removed"),
        sa.ForeignKeyConstraint(["evse"], ["evse.id"], name=op.f("fk_temporary_status_evse")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_temporary_status")),
    )
    op.create_index(op.f("ix_temporary_status_evse"), "temporary_status", ["evse"], unique=False)
