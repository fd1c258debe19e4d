"""Describe the tables about operators: their keys, and what their orders were answered.

Before it: `metadata`. After it: `tables`, through which everybody takes them.
"""

from __future__ import annotations

import sqlalchemy as sa

from bridge.store.metadata import Id, Micros, Text, metadata

api_key = sa.Table(
    "api_key",
    metadata,
    sa.Column("id", Id, primary_key=True, autoincrement=True),
    sa.Column("name", Text, nullable=False, comment="what operators call it; stored beside its orders"),
    sa.Column("digest", Text, nullable=False, unique=True, comment="SHA-256 of the key, hex; the key is kept nowhere"),
    sa.Column("role", Text, nullable=False, comment="viewer, operator, admin"),
    sa.Column("operators", Text, comment="JSON array of operators' names; null: all"),
    sa.Column("created_at_w", Micros, nullable=False),
    sa.Column("created_by", Text, nullable=False),
    sa.Column("expires_at_w", Micros, comment="null: never"),
    sa.Column("revoked_at_w", Micros),
    sa.Column("used_at_w", Micros, comment="last, to about a minute"),
    comment="keys of the REST interface and the dashboard",
)

idempotent_answer = sa.Table(
    "idempotent_answer",
    metadata,
    sa.Column("principal", Text, primary_key=True, comment="whose order it was"),
    sa.Column("key", Text, primary_key=True, comment="Idempotency-Key"),
    sa.Column("fingerprint", Text, nullable=False, comment="SHA-256 of method, path and body, hex"),
    sa.Column("at_w", Micros, nullable=False, index=True),
    sa.Column("status", sa.Integer, comment="null: not answered yet"),
    sa.Column("body", Text),
    comment="answers to orders that carried an Idempotency-Key, for a day",
)
