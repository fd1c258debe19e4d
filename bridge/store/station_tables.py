"""Describe the tables about stations themselves: who is known, by which keys, what each asks and tells of its safety.

Holds no statement that reads or writes. Beside it: `tables`, which has every other table, and these again.
"""

from __future__ import annotations

import sqlalchemy as sa

from bridge.store.metadata import Id, Micros, Text, metadata

station = sa.Table(
    "station",
    metadata,
    sa.Column("id", Text, primary_key=True, comment="identity as registered"),
    sa.Column(
        "id_folded", Text, nullable=False, unique=True, comment="casefolded; identities differ in more than case"
    ),
    sa.Column("version", Text, comment="subprotocol to assume where none is offered: ocpp1.6, ocpp2.0.1 or null"),
    sa.Column("security", sa.Integer, nullable=False, comment="OCPP security profile; 0 is insecure and explicit"),
    sa.Column("profile_reached", sa.Integer, nullable=False, server_default="0", comment="less is refused"),
    sa.Column("key_salt", sa.LargeBinary),
    sa.Column("key_digest", sa.LargeBinary),
    sa.Column("key_slow", sa.Boolean, nullable=False, server_default=sa.false(), comment="short key: scrypt first"),
    sa.Column("pending_salt", sa.LargeBinary, comment="key that was sent to the station and is not proven yet"),
    sa.Column("pending_digest", sa.LargeBinary),
    sa.Column("pending_at_w", Micros),
    sa.Column("retired_salt", sa.LargeBinary, comment="key that a rotation replaced: no import brings it back"),
    sa.Column("retired_digest", sa.LargeBinary),
    sa.Column("retired_slow", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("certificate_name", Text, nullable=False, server_default="", comment="empty: the identity"),
    sa.Column("compression", sa.Boolean, comment="null: as the OCPP version asks"),
    sa.Column("ping_s", sa.Integer, comment="seconds between pings; 0: none; null: as the server's"),
    sa.Column("quirks", Text, comment="names separated by blanks; null: by vendor, model and firmware"),
    sa.Column("layer0", Text, nullable=False, server_default="downgrade"),
    sa.Column("strict", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("accepted_at", Micros, comment="first BootNotification accepted: durable acceptance"),
    sa.Column("vendor", Text, nullable=False, server_default=""),
    sa.Column("model", Text, nullable=False, server_default=""),
    sa.Column("serial", Text, nullable=False, server_default=""),
    sa.Column("firmware", Text, nullable=False, server_default=""),
    sa.Column("booted_at", Micros),
    sa.Column("refuses_trigger", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("fact_version", Text, comment="OCPP version of the stored facts; facts of another retire"),
    sa.Column("unreachable_at", Micros, comment="declared unreachable, and not heard of since"),
    sa.Column(
        "removed_at_w", Micros, index=True, comment="left the inventory; the row stays for its EVSEs' tombstones"
    ),
)

station_key = sa.Table(
    "station_key",
    metadata,
    sa.Column("id", Id, primary_key=True, autoincrement=True),
    sa.Column("station", Text, sa.ForeignKey("station.id"), nullable=False, index=True),
    sa.Column("salt", sa.LargeBinary, nullable=False),
    sa.Column("digest", sa.LargeBinary, nullable=False),
    sa.Column("slow", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("at_w", Micros, comment="when it was sent"),
    sa.Column(
        "retired",
        sa.Boolean,
        nullable=False,
        server_default=sa.false(),
        comment="replaced before the one in station: good for no login, and no import brings it back",
    ),
    comment="keys sent before the pending one, each of which the station may hold; and those long replaced",
)

quarantined = sa.Table(
    "quarantined",
    metadata,
    sa.Column("id_folded", Text, primary_key=True),
    sa.Column("id", Text, nullable=False, comment="identity as the station spells it"),
    sa.Column("address", Text, nullable=False, comment="of its last connection"),
    sa.Column("version", Text, nullable=False),
    sa.Column("vendor", Text, nullable=False, server_default=""),
    sa.Column("model", Text, nullable=False, server_default=""),
    sa.Column("serial", Text, nullable=False, server_default=""),
    sa.Column("firmware", Text, nullable=False, server_default=""),
    sa.Column("first_seen_w", Micros, nullable=False),
    sa.Column("last_seen_w", Micros, nullable=False),
    sa.Column("connections", sa.BigInteger, nullable=False, server_default="1"),
    sa.Column(
        "showed_credentials",
        sa.Boolean,
        nullable=False,
        server_default=sa.false(),
        comment="it sent some, which nobody looked into",
    ),
    sa.Index("ix_quarantined_last_seen_w", "last_seen_w"),
    comment="stations that connected and that the inventory does not know; nothing of theirs is published",
)

security_event = sa.Table(
    "security_event",
    metadata,
    sa.Column("id", Id, primary_key=True, autoincrement=True),
    sa.Column("station", Text, sa.ForeignKey("station.id"), nullable=False, index=True),
    sa.Column("at_w", Micros, nullable=False),
    sa.Column("kind", Text, nullable=False, comment="the standard's or the vendor's own word"),
    sa.Column("info", Text, nullable=False, server_default=""),
    sa.Column("reported_at", Text, nullable=False, server_default=""),
    comment="SecurityEventNotification: the newest of each station",
)

certificate_request = sa.Table(
    "certificate_request",
    metadata,
    sa.Column("station", Text, sa.ForeignKey("station.id"), primary_key=True),
    sa.Column("kind", Text, primary_key=True, comment="2.x: the certificate's type; empty: for everything"),
    sa.Column("csr", Text, nullable=False, comment="PEM"),
    sa.Column("at_w", Micros, nullable=False),
    comment="SignCertificate: the newest of each kind, for an operator to have signed",
)
