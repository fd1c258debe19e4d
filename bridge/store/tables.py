"""Describe the tables: inventory, facts, effective states, deliveries, lanes, and whose row each is.

Holds no statement that reads or writes; those are in the modules beside it. Alembic's migrations build exactly this.

Times are `BIGINT` microseconds since 1970-01-01 UTC: the same number in both databases, no time zone to lose. A column
whose name ends in `_w` is wall time, the others are steady time (`bridge.core.model.Moment`).
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
    }
)

_Text = sa.Text
_Micros = sa.BigInteger
_Id = sa.BigInteger().with_variant(sa.Integer, "sqlite")

counter = sa.Table(
    "counter",
    metadata,
    sa.Column("name", _Text, primary_key=True),
    sa.Column("value", sa.BigInteger, nullable=False),
    comment="receive_seq: the last receive sequence given; transaction_id: the last OCPP 1.6 transactionId given.",
)

node = sa.Table(
    "node",
    metadata,
    sa.Column("name", _Text, primary_key=True),
    sa.Column("alive_at", _Micros, nullable=False, comment="last time this process was known to listen"),
)

# --- inventory ------------------------------------------------------------------------------------------------------

station = sa.Table(
    "station",
    metadata,
    sa.Column("id", _Text, primary_key=True, comment="identity as registered"),
    sa.Column(
        "id_folded", _Text, nullable=False, unique=True, comment="casefolded; identities differ in more than case"
    ),
    sa.Column("version", _Text, comment="subprotocol to assume where none is offered: ocpp1.6, ocpp2.0.1 or null"),
    sa.Column("security", sa.Integer, nullable=False, comment="OCPP security profile; 0 is insecure and explicit"),
    sa.Column("profile_reached", sa.Integer, nullable=False, server_default="0", comment="less is refused"),
    sa.Column("key_salt", sa.LargeBinary),
    sa.Column("key_digest", sa.LargeBinary),
    sa.Column("key_slow", sa.Boolean, nullable=False, server_default=sa.false(), comment="short key: scrypt first"),
    sa.Column("pending_salt", sa.LargeBinary, comment="key that was sent to the station and is not proven yet"),
    sa.Column("pending_digest", sa.LargeBinary),
    sa.Column("pending_at_w", _Micros),
    sa.Column("retired_salt", sa.LargeBinary, comment="key that a rotation replaced: no import brings it back"),
    sa.Column("retired_digest", sa.LargeBinary),
    sa.Column("retired_slow", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("certificate_name", _Text, nullable=False, server_default="", comment="empty: the identity"),
    sa.Column("compression", sa.Boolean, comment="null: as the OCPP version asks"),
    sa.Column("ping_s", sa.Integer, comment="seconds between pings; 0: none; null: as the server's"),
    sa.Column("quirks", _Text, comment="names separated by blanks; null: by vendor, model and firmware"),
    sa.Column("layer0", _Text, nullable=False, server_default="downgrade"),
    sa.Column("strict", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("accepted_at", _Micros, comment="first BootNotification accepted: durable acceptance"),
    sa.Column("vendor", _Text, nullable=False, server_default=""),
    sa.Column("model", _Text, nullable=False, server_default=""),
    sa.Column("serial", _Text, nullable=False, server_default=""),
    sa.Column("firmware", _Text, nullable=False, server_default=""),
    sa.Column("booted_at", _Micros),
    sa.Column("refuses_trigger", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("fact_version", _Text, comment="OCPP version of the stored facts; facts of another retire"),
    sa.Column("unreachable_at", _Micros, comment="declared unreachable, and not heard of since"),
    sa.Column("removed_at_w", _Micros, comment="left the inventory; the row stays for its EVSEs' tombstones"),
)

station_key = sa.Table(
    "station_key",
    metadata,
    sa.Column("id", _Id, primary_key=True, autoincrement=True),
    sa.Column("station", _Text, sa.ForeignKey("station.id"), nullable=False, index=True),
    sa.Column("salt", sa.LargeBinary, nullable=False),
    sa.Column("digest", sa.LargeBinary, nullable=False),
    sa.Column("slow", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("at_w", _Micros, comment="when it was sent"),
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
    sa.Column("id_folded", _Text, primary_key=True),
    sa.Column("id", _Text, nullable=False, comment="identity as the station spells it"),
    sa.Column("address", _Text, nullable=False, comment="of its last connection"),
    sa.Column("version", _Text, nullable=False),
    sa.Column("vendor", _Text, nullable=False, server_default=""),
    sa.Column("model", _Text, nullable=False, server_default=""),
    sa.Column("serial", _Text, nullable=False, server_default=""),
    sa.Column("firmware", _Text, nullable=False, server_default=""),
    sa.Column("first_seen_w", _Micros, nullable=False),
    sa.Column("last_seen_w", _Micros, nullable=False),
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
    sa.Column("id", _Id, primary_key=True, autoincrement=True),
    sa.Column("station", _Text, sa.ForeignKey("station.id"), nullable=False, index=True),
    sa.Column("at_w", _Micros, nullable=False),
    sa.Column("kind", _Text, nullable=False, comment="the standard's or the vendor's own word"),
    sa.Column("info", _Text, nullable=False, server_default=""),
    sa.Column("reported_at", _Text, nullable=False, server_default=""),
    comment="SecurityEventNotification: the newest of each station",
)

certificate_request = sa.Table(
    "certificate_request",
    metadata,
    sa.Column("station", _Text, sa.ForeignKey("station.id"), primary_key=True),
    sa.Column("kind", _Text, primary_key=True, comment="2.x: the certificate's type; empty: for everything"),
    sa.Column("csr", _Text, nullable=False, comment="PEM"),
    sa.Column("at_w", _Micros, nullable=False),
    comment="SignCertificate: the newest of each kind, for an operator to have signed",
)

evse = sa.Table(
    "evse",
    metadata,
    sa.Column("id", _Id, primary_key=True, autoincrement=True),
    sa.Column("evse_id", _Text, nullable=False, unique=True, comment="as on the wire, upper case"),
    sa.Column("canonical", _Text, nullable=False, index=True, comment="without separators; may collide"),
    sa.Column("station", _Text, sa.ForeignKey("station.id"), nullable=False, index=True),
    sa.Column("operator", _Text, nullable=False),
    sa.Column("chargeprice_station", _Text, nullable=False, server_default=""),
    sa.Column("chargeprice_point", _Text, nullable=False, server_default=""),
    sa.Column("listed_station", _Text, nullable=False, server_default="", comment="Chargeprice station that lists it"),
    sa.Column("spirii", sa.Boolean, nullable=False, server_default=sa.false(), comment="managed at Spirii: mirrored"),
    sa.Column("removed_at_w", _Micros, comment="left the inventory; tombstone deliveries may remain"),
    sa.Column("kept_until", _Micros, comment="moved: keeps its published status so long, or until its station reports"),
)

connector = sa.Table(
    "connector",
    metadata,
    sa.Column("station", _Text, sa.ForeignKey("station.id"), primary_key=True),
    sa.Column("ocpp_evse", sa.Integer, primary_key=True, comment="0 for OCPP 1.6"),
    sa.Column("ocpp_connector", sa.Integer, primary_key=True),
    sa.Column("evse", _Id, sa.ForeignKey("evse.id"), nullable=False, index=True),
)

# --- facts ----------------------------------------------------------------------------------------------------------

connection = sa.Table(
    "connection",
    metadata,
    sa.Column("station", _Text, sa.ForeignKey("station.id"), primary_key=True),
    sa.Column("node", _Text, nullable=False),
    sa.Column("epoch", sa.BigInteger, nullable=False, comment="facts of a lower epoch are rejected"),
    sa.Column("version", _Text, nullable=False),
    sa.Column("remote", _Text, nullable=False),
    sa.Column("opened_at", _Micros, nullable=False),
    sa.Column("closed_at", _Micros, comment="null while the socket is open"),
    sa.Column("heard_at", _Micros, nullable=False, comment="last frame or pong, written lazily"),
)

fact = sa.Table(
    "fact",
    metadata,
    sa.Column("station", _Text, sa.ForeignKey("station.id"), primary_key=True),
    sa.Column("ocpp_evse", sa.Integer, primary_key=True),
    sa.Column("ocpp_connector", sa.Integer, primary_key=True, comment="0: EVSE level; (0,0): station level"),
    sa.Column("status", _Text, nullable=False, comment="the standard's own word"),
    sa.Column("seq", sa.BigInteger, nullable=False, comment="receive sequence"),
    sa.Column("epoch", sa.BigInteger, nullable=False),
    sa.Column("received_at", _Micros, nullable=False),
    sa.Column("reported_at", _Text, nullable=False, comment="the station's own timestamp, as sent"),
    sa.Column("source", _Text, nullable=False),
    sa.Column("error_code", _Text, nullable=False, server_default=""),
    sa.Column("vendor_error_code", _Text, nullable=False, server_default=""),
    sa.Column("info", _Text, nullable=False, server_default=""),
    sa.Column("doubt", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("stale", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("charging_from", sa.BigInteger),
    sa.Column("boot_doubt", sa.Boolean, nullable=False, server_default=sa.false()),
)

charging = sa.Table(
    "charging",
    metadata,
    sa.Column("station", _Text, sa.ForeignKey("station.id"), primary_key=True),
    sa.Column("ocpp_evse", sa.Integer, primary_key=True),
    sa.Column("transaction", _Text, nullable=False),
    sa.Column("seq_no", sa.BigInteger, nullable=False, comment="highest seqNo seen of this transaction"),
    sa.Column("state", _Text, comment="chargingState; null where it does not count (cleared or offline)"),
    sa.Column("ended", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("received_at", _Micros, nullable=False),
    sa.Column("charging_from", sa.BigInteger),
    sa.Column("doubt", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("ocpp_connector", sa.Integer, comment="the connector that its events name; null where none does"),
    comment="the latest 2.x transaction of each EVSE",
)

temporary_status = sa.Table(
    "temporary_status",
    metadata,
    sa.Column("id", _Id, primary_key=True, autoincrement=True),
    sa.Column("evse", _Id, sa.ForeignKey("evse.id"), nullable=False, index=True),
    sa.Column("kind", _Text, nullable=False, comment="MAINTENANCE, COMMISSIONING, BLOCKED or RESERVED"),
    sa.Column("valid_from_w", _Micros, nullable=False),
    sa.Column("valid_to_w", _Micros, comment="null: until removed"),
    sa.Column("enforce", sa.Boolean, nullable=False, server_default=sa.false(), comment="ChangeAvailability too"),
    sa.Column(
        "over", sa.Boolean, nullable=False, server_default=sa.false(), comment="ended or deleted for good: not loaded"
    ),
    sa.Column("created_at_w", _Micros),
    sa.Column("created_by", _Text, nullable=False, server_default=""),
    sa.Column("removed_at_w", _Micros, comment="deleted; the row stays, so that its id is never given again"),
)

availability_order = sa.Table(
    "availability_order",
    metadata,
    sa.Column("evse", _Id, sa.ForeignKey("evse.id"), primary_key=True),
    sa.Column("wanted", _Text, nullable=False, comment="Inoperative, or Operative to undo it"),
    sa.Column("wanted_seq", sa.BigInteger, nullable=False),
    sa.Column("done_seq", sa.BigInteger, nullable=False, server_default="0", comment="the station took it"),
    sa.Column(
        "made", sa.Boolean, nullable=False, server_default=sa.false(), comment="may be inoperative because of us"
    ),
    sa.Column("attempts", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("not_before", _Micros),
    sa.Column("last", _Text, nullable=False, server_default="", comment="how the station answered last"),
    comment="EVSEs that a temporary status keeps inoperative at the station, until that is undone",
)

# --- what we say ----------------------------------------------------------------------------------------------------


def _acknowledgement() -> list[sa.Column[Any]]:
    """Return what a row remembers of its hub beside what is desired, whether it is a status or a document."""
    return [
        sa.Column("acked", _Text),
        sa.Column("acked_seq", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("acked_at", _Micros),
        sa.Column("in_flight_seq", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("doubt_until", _Micros),
        sa.Column("reassert_at", _Micros),
        sa.Column("not_before", _Micros),
        sa.Column("refused", _Text),
        sa.Column("refused_seq", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("proven", _Text),
        sa.Column("suspect", _Text),
        sa.Column("known", sa.Boolean),
        sa.Column("switched", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("attempts", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("attempted_at", _Micros),
        sa.Column("tombstone", sa.Boolean, nullable=False, server_default=sa.false()),
    ]


def _last_answer() -> list[sa.Column[Any]]:
    """Return what an operator will want to quote of a row's last attempt."""
    return [
        sa.Column("last_http", sa.Integer),
        sa.Column("last_code", _Text, nullable=False, server_default=""),
        sa.Column("last_why", _Text, nullable=False, server_default=""),
        sa.Column("last_reference", _Text, nullable=False, server_default=""),
    ]


evse_state = sa.Table(
    "evse_state",
    metadata,
    sa.Column("evse", _Id, sa.ForeignKey("evse.id"), primary_key=True),
    sa.Column("version", sa.BigInteger, nullable=False, comment="compare-and-set on every write"),
    sa.Column("status", _Text, nullable=False),
    sa.Column("live", _Text, nullable=False),
    sa.Column("rule", _Text, nullable=False),
    sa.Column(
        "seq", sa.BigInteger, nullable=False, server_default="0", comment="receive sequence of the newest fact used"
    ),
    sa.Column("changed_at_w", _Micros, comment="when status last changed; null before the first fact"),
    sa.Column("available_since", _Micros),
    sa.Column("until_w", _Micros, index=True),
    sa.Column("until", _Micros, index=True),
)

history = sa.Table(
    "history",
    metadata,
    sa.Column("id", _Id, primary_key=True, autoincrement=True),
    sa.Column("evse", _Id, nullable=False, index=True),
    sa.Column("at_w", _Micros, nullable=False),
    sa.Column("status", _Text, nullable=False),
    sa.Column("live", _Text, nullable=False),
    sa.Column("rule", _Text, nullable=False),
    sa.Column("seq", sa.BigInteger, nullable=False),
    comment="one row per effective change",
)

delivery = sa.Table(
    "delivery",
    metadata,
    sa.Column("account", _Text, primary_key=True),
    sa.Column("evse", _Id, sa.ForeignKey("evse.id"), primary_key=True),
    sa.Column("desired", _Text, nullable=False),
    sa.Column("desired_seq", sa.BigInteger, nullable=False),
    sa.Column("desired_at", _Micros, nullable=False, comment="since when the hub has not had what is desired: lag"),
    *_acknowledgement(),
    sa.Column(
        "station_reference", _Text, nullable=False, server_default="", comment="the hub's own id, where it has one"
    ),
    sa.Column("point_reference", _Text, nullable=False, server_default=""),
    sa.Column("due_at", _Micros, comment="computed by reconcile.due_at: 0 at once, null never, else steady time"),
    *_last_answer(),
    sa.Index("ix_delivery_due", "account", "due_at", "attempted_at", "evse"),
)

listing = sa.Table(
    "listing",
    metadata,
    sa.Column("kind", _Text, primary_key=True, comment="evse_data or station"),
    sa.Column("key", _Text, primary_key=True, comment="EvseID, or the name of the station's table in the file"),
    sa.Column("reference", _Text, nullable=False, server_default="", comment="UUID that we gave the station"),
    sa.Column("content", _Text, nullable=False, comment="JSON"),
    comment="static data of EVSEs and stations, as imported",
)

document = sa.Table(
    "document",
    metadata,
    sa.Column("account", _Text, primary_key=True),
    sa.Column("kind", _Text, primary_key=True, comment="evse_data, station, company or temporary"),
    sa.Column("key", _Text, primary_key=True, comment="EvseID, UUID, UUID, or our id of the temporary status"),
    sa.Column("desired", _Text, nullable=False, comment="JSON; empty: delete it"),
    sa.Column("desired_seq", sa.BigInteger, nullable=False),
    sa.Column("desired_at", _Micros, nullable=False),
    *_acknowledgement(),
    sa.Column("remote_id", _Text, nullable=False, server_default="", comment="the hub's own id"),
    sa.Column("remote_version", sa.BigInteger, nullable=False, server_default="0", comment="lock version; 0: unknown"),
    sa.Column("lost", _Text, comment="content of a creation whose answer was lost"),
    sa.Column("due_at", _Micros, comment="as in delivery"),
    *_last_answer(),
    sa.Index("ix_document_due", "account", "due_at", "attempted_at"),
    comment="what a hub is told besides statuses, one row each",
)

document_lane = sa.Table(
    "document_lane",
    metadata,
    sa.Column("account", _Text, primary_key=True),
    sa.Column("failures", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("paused_until", _Micros),
    sa.Column("held", _Text),
    sa.Column("held_at", _Micros),
    sa.Column("refusals", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("refusal_reason", _Text),
    sa.Column("last_error", _Text, nullable=False, server_default=""),
    sa.Column("last_accepted_at", _Micros),
    sa.Column("full_load_in_flight", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("full_load_wanted", _Text),
    sa.Column("full_load_gate_since", _Micros),
    sa.Column("full_load_tries", sa.Integer, nullable=False, server_default="0"),
    sa.Column("full_load_attempted_at", _Micros),
    sa.Column("full_load_accepted_at", _Micros),
    sa.Column("full_load_next_w", _Micros),
    sa.Column("full_load_size", sa.Integer),
    sa.Column("survey_at", _Micros, comment="read the hub's list from this steady time on; null: not asked for"),
    comment="the part of an account's lane that is about documents: holds, and fullLoads of data",
)

foreign_entry = sa.Table(
    "foreign_entry",
    metadata,
    sa.Column("account", _Text, primary_key=True),
    sa.Column("remote_id", _Text, primary_key=True),
    sa.Column("evse_id", _Text, nullable=False),
    sa.Column("kind", _Text, nullable=False),
    sa.Column("valid_from", _Text, nullable=False),
    sa.Column("valid_to", _Text),
    comment="temporary statuses that others made at Spirii: shown, never touched",
)

lane = sa.Table(
    "lane",
    metadata,
    sa.Column("account", _Text, primary_key=True),
    sa.Column("mode", _Text, comment="off, dry_run, live; null: what the configuration says"),
    sa.Column("mode_by", _Text, nullable=False, server_default=""),
    sa.Column("mode_at_w", _Micros),
    sa.Column("owner", _Text, comment="node that runs the lane"),
    sa.Column("epoch", sa.BigInteger, nullable=False, server_default="0", comment="settle is conditional on it"),
    sa.Column("lease_until", _Micros),
    sa.Column("failures", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("paused_until", _Micros),
    sa.Column("held", _Text),
    sa.Column("held_at", _Micros),
    sa.Column("refusals", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("refusal_reason", _Text),
    sa.Column("last_error", _Text, nullable=False, server_default=""),
    sa.Column("last_accepted_at", _Micros),
    sa.Column("full_load_confirmed", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("full_load_in_flight", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("full_load_wanted", _Text, comment="why one is wanted now (first, doubt, request); null: none is"),
    sa.Column("full_load_gate_since", _Micros, comment="since when it has been holding single pushes"),
    sa.Column("full_load_tries", sa.Integer, nullable=False, server_default="0"),
    sa.Column("full_load_attempted_at", _Micros),
    sa.Column("full_load_accepted_at", _Micros),
    sa.Column("full_load_next_w", _Micros, comment="next daily one, wall time"),
    sa.Column("full_load_size", sa.Integer, comment="records of the last accepted one: the guard's measure"),
)
