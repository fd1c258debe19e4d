"""Name what the writer's handlers are given, so that nobody outside of the store needs the library behind it."""

from __future__ import annotations

import sqlalchemy as sa

Transaction = sa.Connection
"""A connection inside an open transaction. Handlers pass it on to functions of the store; they write no SQL."""
