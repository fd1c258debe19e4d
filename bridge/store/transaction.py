"""Name what the writer's handlers are given, so that nobody outside of the store needs the library behind it."""

from __future__ import annotations

import sqlalchemy as sa

UNSTORABLE = (sa.exc.DBAPIError, sa.exc.StatementError, OverflowError, ValueError)
"""What the writer hands on where a value of one item fits no column; a storage failure is a `StoreError` instead."""

Transaction = sa.Connection
"""A connection inside an open transaction. Handlers pass it on to functions of the store; they write no SQL."""
