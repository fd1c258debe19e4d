"""Describe the tables: here inventory, facts and operators' wishes; those of three modules beside it are here, too.

Stations: `station_tables`. What we say to hubs: `hub_tables`. Operators: `operator_tables`. Whoever imports this has
the whole schema.

Holds no statement that reads or writes; those are in the modules beside it. Alembic's migrations build exactly this.

Times are `BIGINT` microseconds since 1970-01-01 UTC: the same number in both databases, no time zone to lose. A column
whose name ends in `_w` is wall time, the others are steady time (`bridge.core.model.Moment`).
"""

from __future__ import annotations

import sqlalchemy as sa

from bridge.store.hub_tables import (
    delivery,
    delivery_log,
    document,
    document_lane,
    evse_state,
    foreign_entry,
    history,
    lane,
    listing,
)
from bridge.store.metadata import Id, Micros, Text, metadata
from bridge.store.operator_tables import api_key, idempotent_answer
from bridge.store.station_tables import certificate_request, quarantined, security_event, station, station_key

__all__ = [
    "api_key",
    "availability_order",
    "certificate_request",
    "charging",
    "connection",
    "connector",
    "counter",
    "delivery",
    "delivery_log",
    "document",
    "document_lane",
    "evse",
    "evse_state",
    "fact",
    "foreign_entry",
    "history",
    "idempotent_answer",
    "lane",
    "listing",
    "metadata",
    "node",
    "quarantined",
    "security_event",
    "station",
    "station_key",
    "temporary_status",
]

counter = sa.Table(
    "counter",
    metadata,
    sa.Column("name", Text, primary_key=True),
    sa.Column("value", sa.BigInteger, nullable=False),
    comment="the last number given of each: receive_seq, OCPP 1.6 transaction_id, temporary_id, mark (see marks.py).",
)

node = sa.Table(
    "node",
    metadata,
    sa.Column("name", Text, primary_key=True),
    sa.Column("alive_at", Micros, nullable=False, comment="last time this process was known to listen"),
)

# --- inventory ------------------------------------------------------------------------------------------------------

evse = sa.Table(
    "evse",
    metadata,
    sa.Column("id", Id, primary_key=True, autoincrement=True),
    sa.Column("evse_id", Text, nullable=False, unique=True, comment="as on the wire, upper case"),
    sa.Column("canonical", Text, nullable=False, index=True, comment="without separators; may collide"),
    sa.Column("station", Text, sa.ForeignKey("station.id"), nullable=False, index=True),
    sa.Column("operator", Text, nullable=False),
    sa.Column("chargeprice_station", Text, nullable=False, server_default=""),
    sa.Column("chargeprice_point", Text, nullable=False, server_default=""),
    sa.Column("listed_station", Text, nullable=False, server_default="", comment="Chargeprice station that lists it"),
    sa.Column("spirii", sa.Boolean, nullable=False, server_default=sa.false(), comment="managed at Spirii: mirrored"),
    sa.Column("removed_at_w", Micros, index=True, comment="left the inventory; tombstone deliveries may remain"),
    sa.Column("kept_until", Micros, comment="moved: keeps its published status so long, or until its station reports"),
)

connector = sa.Table(
    "connector",
    metadata,
    sa.Column("station", Text, sa.ForeignKey("station.id"), primary_key=True),
    sa.Column("ocpp_evse", sa.Integer, primary_key=True, comment="0 for OCPP 1.6"),
    sa.Column("ocpp_connector", sa.Integer, primary_key=True),
    sa.Column("evse", Id, sa.ForeignKey("evse.id"), nullable=False, index=True),
)

# --- facts ----------------------------------------------------------------------------------------------------------

connection = sa.Table(
    "connection",
    metadata,
    sa.Column("station", Text, sa.ForeignKey("station.id"), primary_key=True),
    sa.Column("node", Text, nullable=False),
    sa.Column("epoch", sa.BigInteger, nullable=False, comment="facts of a lower epoch are rejected"),
    sa.Column("version", Text, nullable=False),
    sa.Column("remote", Text, nullable=False),
    sa.Column("opened_at", Micros, nullable=False),
    sa.Column("closed_at", Micros, comment="null while the socket is open"),
    sa.Column("heard_at", Micros, nullable=False, comment="last frame or pong, written lazily"),
)

fact = sa.Table(
    "fact",
    metadata,
    sa.Column("station", Text, sa.ForeignKey("station.id"), primary_key=True),
    sa.Column("ocpp_evse", sa.Integer, primary_key=True),
    sa.Column("ocpp_connector", sa.Integer, primary_key=True, comment="0: EVSE level; (0,0): station level"),
    sa.Column("status", Text, nullable=False, comment="the standard's own word"),
    sa.Column("seq", sa.BigInteger, nullable=False, comment="receive sequence"),
    sa.Column("epoch", sa.BigInteger, nullable=False),
    sa.Column("received_at", Micros, nullable=False),
    sa.Column("reported_at", Text, nullable=False, comment="the station's own timestamp, as sent"),
    sa.Column("source", Text, nullable=False),
    sa.Column("error_code", Text, nullable=False, server_default=""),
    sa.Column("vendor_error_code", Text, nullable=False, server_default=""),
    sa.Column("info", Text, nullable=False, server_default=""),
    sa.Column("doubt", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("stale", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("charging_from", sa.BigInteger),
    sa.Column("boot_doubt", sa.Boolean, nullable=False, server_default=sa.false()),
)

charging = sa.Table(
    "charging",
    metadata,
    sa.Column("station", Text, sa.ForeignKey("station.id"), primary_key=True),
    sa.Column("ocpp_evse", sa.Integer, primary_key=True),
    sa.Column("transaction", Text, nullable=False),
    sa.Column("seq_no", sa.BigInteger, nullable=False, comment="highest seqNo seen of this transaction"),
    sa.Column("state", Text, comment="chargingState; null where it does not count (cleared or offline)"),
    sa.Column("ended", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("received_at", Micros, nullable=False),
    sa.Column("charging_from", sa.BigInteger),
    sa.Column("doubt", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("ocpp_connector", sa.Integer, comment="the connector that its events name; null where none does"),
    comment="the latest 2.x transaction of each EVSE",
)

temporary_status = sa.Table(
    "temporary_status",
    metadata,
    sa.Column("id", Id, primary_key=True, autoincrement=True),
    sa.Column("evse", Id, sa.ForeignKey("evse.id"), nullable=False),
    sa.Column("kind", Text, nullable=False, comment="MAINTENANCE, COMMISSIONING, BLOCKED or RESERVED"),
    sa.Column("valid_from_w", Micros, nullable=False),
    sa.Column("valid_to_w", Micros, comment="null: until removed"),
    sa.Column("enforce", sa.Boolean, nullable=False, server_default=sa.false(), comment="ChangeAvailability too"),
    sa.Column(
        "over", sa.Boolean, nullable=False, server_default=sa.false(), comment="ended or deleted for good: not loaded"
    ),
    sa.Column("created_at_w", Micros),
    sa.Column("created_by", Text, nullable=False, server_default=""),
    sa.Column("removed_at_w", Micros, comment="deleted"),
    sa.Column("over_at_w", Micros, index=True, comment="when one that is over ended or was deleted: its age"),
    sa.Index("ix_temporary_status_evse_over", "evse", "over"),
    sa.Index("ix_temporary_status_over_valid_to_w", "over", "valid_to_w"),
)

availability_order = sa.Table(
    "availability_order",
    metadata,
    sa.Column("evse", Id, sa.ForeignKey("evse.id"), primary_key=True),
    sa.Column("wanted", Text, nullable=False, comment="Inoperative, or Operative to undo it"),
    sa.Column("wanted_seq", sa.BigInteger, nullable=False),
    sa.Column("done_seq", sa.BigInteger, nullable=False, server_default="0", comment="the station took it"),
    sa.Column(
        "made", sa.Boolean, nullable=False, server_default=sa.false(), comment="may be inoperative because of us"
    ),
    sa.Column("attempts", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("not_before", Micros),
    sa.Column("last", Text, nullable=False, server_default="", comment="how the station answered last"),
    comment="EVSEs that a temporary status keeps inoperative at the station, until that is undone",
)
