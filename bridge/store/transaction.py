"""Name what handlers of the writer and those who read are given, so that nobody else needs the library behind it."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

UNSTORABLE = (sa.exc.DBAPIError, sa.exc.StatementError, OverflowError, ValueError)
"""What the writer hands on where a value of one item fits no column; a storage failure is a `StoreError` instead."""

Transaction = sa.Connection
"""A connection inside an open transaction. Handlers pass it on to functions of the store; they write no SQL."""

Snapshot = AsyncConnection
"""What `Store.read` gives: all that is read by it is of one moment. It is passed on to functions of the store."""
