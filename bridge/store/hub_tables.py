"""Describe the tables about what we say: each EVSE's state, what each hub wants and has, and the lanes that carry it.

Holds no statement that reads or writes. Beside it: `tables`, which has every other table, and these again.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from bridge.store.metadata import Id, Micros, Text, metadata


def _acknowledgement() -> list[sa.Column[Any]]:
    """Return what a row remembers of its hub beside what is desired, whether it is a status or a document."""
    return [
        sa.Column("acked", Text),
        sa.Column("acked_seq", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("acked_at", Micros),
        sa.Column("in_flight_seq", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("doubt_until", Micros),
        sa.Column("reassert_at", Micros),
        sa.Column("not_before", Micros),
        sa.Column("refused", Text),
        sa.Column("refused_seq", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("proven", Text),
        sa.Column("suspect", Text),
        sa.Column("known", sa.Boolean),
        sa.Column("switched", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("attempts", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("attempted_at", Micros),
        sa.Column("tombstone", sa.Boolean, nullable=False, server_default=sa.false()),
    ]


def _last_answer() -> list[sa.Column[Any]]:
    """Return what an operator will want to quote of a row's last attempt."""
    return [
        sa.Column("last_http", sa.Integer),
        sa.Column("last_code", Text, nullable=False, server_default=""),
        sa.Column("last_why", Text, nullable=False, server_default=""),
        sa.Column("last_reference", Text, nullable=False, server_default=""),
    ]


evse_state = sa.Table(
    "evse_state",
    metadata,
    sa.Column("evse", Id, sa.ForeignKey("evse.id"), primary_key=True),
    sa.Column("version", sa.BigInteger, nullable=False, comment="compare-and-set on every write"),
    sa.Column("status", Text, nullable=False),
    sa.Column("live", Text, nullable=False),
    sa.Column("rule", Text, nullable=False),
    sa.Column(
        "seq", sa.BigInteger, nullable=False, server_default="0", comment="receive sequence of the newest fact used"
    ),
    sa.Column("changed_at_w", Micros, comment="when status last changed; null before the first fact"),
    sa.Column("available_since", Micros),
    sa.Column("until_w", Micros, index=True),
    sa.Column("until", Micros, index=True),
    sa.Column("last_change", Id, comment="number of its newest row in history; null: it has none"),
)

history = sa.Table(
    "history",
    metadata,
    sa.Column("id", Id, primary_key=True, autoincrement=False, comment="grows with time; given by the writer"),
    sa.Column("evse", Id, nullable=False),
    sa.Column("at_w", Micros, nullable=False),
    sa.Column("status", Text, nullable=False),
    sa.Column("live", Text, nullable=False),
    sa.Column("rule", Text, nullable=False),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("earlier", Id, comment="number of its EVSE's row before; that one may be forgotten"),
    sa.Column("mark", Id, comment="its EVSE, in every eighth of its rows: where a walk back may begin"),
    comment="one row per effective change",
)

# An index of every row was a page of its own for each status (ADR 27).
sa.Index(
    "ix_history_mark_id",
    history.c.mark,
    history.c.id,
    sqlite_where=history.c.mark.is_not(None),
    postgresql_where=history.c.mark.is_not(None),
)

delivery_log = sa.Table(
    "delivery_log",
    metadata,
    sa.Column("id", Id, primary_key=True, autoincrement=True),
    sa.Column("account", Text, nullable=False),
    sa.Column("epoch", sa.BigInteger, nullable=False, comment="of the lane that sent it"),
    sa.Column("number", sa.BigInteger, nullable=False, comment="in that epoch; below 0: nobody saw an answer"),
    sa.Column("kind", Text, nullable=False, comment="status, full_load, survey, data_full_load, or a document's kind"),
    sa.Column("evse", Id, comment="whose status it was; null for everything else"),
    sa.Column("document", Text, comment="key of the one document that it carried"),
    sa.Column("records", sa.Integer, nullable=False),
    sa.Column("value", Text, comment="of one status"),
    sa.Column("seq", sa.BigInteger, comment="desired_seq that was sent; null where it carried a whole set"),
    sa.Column("sent_at_w", Micros, nullable=False),
    sa.Column("took_ms", sa.BigInteger, comment="null: nobody saw an answer"),
    sa.Column("http", sa.Integer),
    sa.Column("code", Text, nullable=False, server_default=""),
    sa.Column("outcome", Text, nullable=False, comment="accepted, deferred, refused, wrong_action, held, in_doubt"),
    sa.Column("why", Text, nullable=False, server_default=""),
    sa.Column("reference", Text, nullable=False, server_default="", comment="the hub's own, for its support"),
    sa.Column("lag_ms", sa.BigInteger, comment="age of the value as it was accepted"),
    sa.Column("request", Text, comment="masked and cut"),
    sa.Column("answer", Text, comment="masked and cut"),
    sa.UniqueConstraint("account", "epoch", "number"),
    sa.Index("ix_delivery_log_evse_id", "evse", "id"),
    sa.Index("ix_delivery_log_account_id", "account", "id"),
    comment="one row per request to a hub, written in the transaction that settles it",
)

delivery = sa.Table(
    "delivery",
    metadata,
    sa.Column("account", Text, primary_key=True),
    sa.Column("evse", Id, sa.ForeignKey("evse.id"), primary_key=True),
    sa.Column("desired", Text, nullable=False),
    sa.Column("desired_seq", sa.BigInteger, nullable=False),
    sa.Column("desired_at", Micros, nullable=False, comment="since when the hub has not had what is desired: lag"),
    *_acknowledgement(),
    sa.Column(
        "station_reference", Text, nullable=False, server_default="", comment="the hub's own id, where it has one"
    ),
    sa.Column("point_reference", Text, nullable=False, server_default=""),
    sa.Column("due_at", Micros, comment="computed by reconcile.due_at: 0 at once, null never, else steady time"),
    *_last_answer(),
    sa.Index("ix_delivery_due", "account", "due_at", "attempted_at", "evse"),
    sa.Index("ix_delivery_evse", "evse"),
)

listing = sa.Table(
    "listing",
    metadata,
    sa.Column("kind", Text, primary_key=True, comment="evse_data or station"),
    sa.Column("key", Text, primary_key=True, comment="EvseID, or the name of the station's table in the file"),
    sa.Column("reference", Text, nullable=False, server_default="", comment="UUID that we gave the station"),
    sa.Column("content", Text, nullable=False, comment="JSON"),
    comment="static data of EVSEs and stations, as imported",
)

document = sa.Table(
    "document",
    metadata,
    sa.Column("account", Text, primary_key=True),
    sa.Column("kind", Text, primary_key=True, comment="evse_data, station, company or temporary"),
    sa.Column(
        "key", Text, primary_key=True, index=True, comment="EvseID, UUID, UUID, or our id of the temporary status"
    ),
    sa.Column("desired", Text, nullable=False, comment="JSON; empty: delete it"),
    sa.Column("desired_seq", sa.BigInteger, nullable=False),
    sa.Column("desired_at", Micros, nullable=False),
    *_acknowledgement(),
    sa.Column("remote_id", Text, nullable=False, server_default="", comment="the hub's own id"),
    sa.Column("remote_version", sa.BigInteger, nullable=False, server_default="0", comment="lock version; 0: unknown"),
    sa.Column("lost", Text, comment="content of a creation whose answer was lost"),
    sa.Column("due_at", Micros, comment="as in delivery"),
    *_last_answer(),
    sa.Index("ix_document_due", "account", "due_at", "attempted_at"),
    comment="what a hub is told besides statuses, one row each",
)

document_lane = sa.Table(
    "document_lane",
    metadata,
    sa.Column("account", Text, primary_key=True),
    sa.Column("failures", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("paused_until", Micros),
    sa.Column("held", Text),
    sa.Column("held_at", Micros),
    sa.Column("refusals", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("refusal_reason", Text),
    sa.Column("last_error", Text, nullable=False, server_default=""),
    sa.Column("last_accepted_at", Micros),
    sa.Column("full_load_in_flight", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("full_load_wanted", Text),
    sa.Column("full_load_gate_since", Micros),
    sa.Column("full_load_tries", sa.Integer, nullable=False, server_default="0"),
    sa.Column("full_load_attempted_at", Micros),
    sa.Column("full_load_accepted_at", Micros),
    sa.Column("full_load_next_w", Micros),
    sa.Column("full_load_size", sa.Integer),
    sa.Column("survey_at", Micros, comment="read the hub's list from this steady time on; null: not asked for"),
    comment="the part of an account's lane that is about documents: holds, and fullLoads of data",
)

foreign_entry = sa.Table(
    "foreign_entry",
    metadata,
    sa.Column("account", Text, primary_key=True),
    sa.Column("remote_id", Text, primary_key=True),
    sa.Column("evse_id", Text, nullable=False),
    sa.Column("kind", Text, nullable=False),
    sa.Column("valid_from", Text, nullable=False),
    sa.Column("valid_to", Text),
    comment="temporary statuses that others made at Spirii: shown, never touched",
)

lane = sa.Table(
    "lane",
    metadata,
    sa.Column("account", Text, primary_key=True),
    sa.Column("mode", Text, comment="off, dry_run, live; null: what the configuration says"),
    sa.Column("mode_by", Text, nullable=False, server_default=""),
    sa.Column("mode_at_w", Micros),
    sa.Column("owner", Text, comment="node that runs the lane"),
    sa.Column("epoch", sa.BigInteger, nullable=False, server_default="0", comment="settle is conditional on it"),
    sa.Column("lease_until", Micros),
    sa.Column("failures", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("paused_until", Micros),
    sa.Column("held", Text),
    sa.Column("held_at", Micros),
    sa.Column("refusals", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("refusal_reason", Text),
    sa.Column("last_error", Text, nullable=False, server_default=""),
    sa.Column("last_accepted_at", Micros),
    sa.Column("full_load_confirmed", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("full_load_in_flight", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("full_load_wanted", Text, comment="why one is wanted now (first, doubt, request); null: none is"),
    sa.Column("full_load_gate_since", Micros, comment="since when it has been holding single pushes"),
    sa.Column("full_load_tries", sa.Integer, nullable=False, server_default="0"),
    sa.Column("full_load_attempted_at", Micros),
    sa.Column("full_load_accepted_at", Micros),
    sa.Column("full_load_next_w", Micros, comment="next daily one, wall time"),
    sa.Column("full_load_size", sa.Integer, comment="records of the last accepted one: the guard's measure"),
)
