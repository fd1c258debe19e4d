"""Remember of each station how it proves itself and what it is like; stations that nobody knows; security events."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column(
        "station",
        sa.Column("profile_reached", sa.Integer(), server_default="0", nullable=False, comment="less is refused"),
    )
    op.add_column(
        "station",
        sa.Column(
            "key_slow", sa.Boolean(), server_default=sa.false(), nullable=False, comment="short key: scrypt first"
        ),
    )
    op.add_column(
        "station",
        sa.Column(
            "pending_salt",
            sa.LargeBinary(),
            nullable=True,
            comment="key that was sent to the station and is not proven yet",
        ),
    )
    op.add_column("station", sa.Column("pending_digest", sa.LargeBinary(), nullable=True))
    op.add_column("station", sa.Column("pending_at_w", sa.BigInteger(), nullable=True))
    op.add_column(
        "station",
        sa.Column(
            "retired_salt",
            sa.LargeBinary(),
            nullable=True,
            comment="key that a rotation replaced: no import brings it back",
        ),
    )
    op.add_column("station", sa.Column("retired_digest", sa.LargeBinary(), nullable=True))
    op.add_column("station", sa.Column("retired_slow", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column(
        "station",
        sa.Column("certificate_name", sa.Text(), server_default="", nullable=False, comment="empty: the identity"),
    )
    op.add_column(
        "station", sa.Column("compression", sa.Boolean(), nullable=True, comment="null: as the OCPP version asks")
    )
    op.add_column(
        "station",
        sa.Column(
            "ping_s", sa.Integer(), nullable=True, comment="seconds between pings; 0: none; null: as the server's"
        ),
    )
    op.add_column(
        "station",
        sa.Column(
            "quirks", sa.Text(), nullable=True, comment="names separated by blanks; null: by vendor, model and firmware"
        ),
    )
    op.create_table(
        "station_key",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("station", sa.Text(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("slow", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("at_w", sa.BigInteger(), nullable=True, comment="when it was sent"),
        sa.Column(
            "retired",
            sa.Boolean(),
            server_default=sa.false(),
            nullable=False,
            comment="replaced before the one in station: good for no login, and no import brings it back",
        ),
        sa.ForeignKeyConstraint(["station"], ["station.id"], name=op.f("fk_station_key_station")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_station_key")),
        comment="keys sent before the pending one, each of which the station may hold; and those long replaced",
    )
    op.create_index(op.f("ix_station_key_station"), "station_key", ["station"])
    op.create_table(
        "quarantined",
        sa.Column("id_folded", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False, comment="identity as the station spells it"),
        sa.Column("address", sa.Text(), nullable=False, comment="of its last connection"),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("vendor", sa.Text(), server_default="", nullable=False),
        sa.Column("model", sa.Text(), server_default="", nullable=False),
        sa.Column("serial", sa.Text(), server_default="", nullable=False),
        sa.Column("firmware", sa.Text(), server_default="", nullable=False),
        sa.Column("first_seen_w", sa.BigInteger(), nullable=False),
        sa.Column("last_seen_w", sa.BigInteger(), nullable=False),
        sa.Column("connections", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column(
            "showed_credentials",
            sa.Boolean(),
            server_default=sa.false(),
            nullable=False,
            comment="it sent some, which nobody looked into",
        ),
        sa.PrimaryKeyConstraint("id_folded", name=op.f("pk_quarantined")),
        comment="stations that connected and that the inventory does not know; nothing of theirs is published",
    )
    op.create_index("ix_quarantined_last_seen_w", "quarantined", ["last_seen_w"])
    op.create_table(
        "security_event",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("station", sa.Text(), nullable=False),
        sa.Column("at_w", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="the standard's or the vendor's own word"),
        sa.Column("info", sa.Text(), server_default="", nullable=False),
        sa.Column("reported_at", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["station"], ["station.id"], name=op.f("fk_security_event_station")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_security_event")),
        comment="SecurityEventNotification: the newest of each station",
    )
    op.create_index(op.f("ix_security_event_station"), "security_event", ["station"])
    op.create_table(
        "certificate_request",
        sa.Column("station", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="2.x: the certificate's type; empty: for everything"),
        sa.Column("csr", sa.Text(), nullable=False, comment="PEM"),
        sa.Column("at_w", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["station"], ["station.id"], name=op.f("fk_certificate_request_station")),
        sa.PrimaryKeyConstraint("station", "kind", name=op.f("pk_certificate_request")),
        comment="SignCertificate: the newest of each kind, for an operator to have signed",
    )
