"""Forget what is old: histories, the delivery log, ended temporary statuses, what left the inventory.

A little at a time through the one writer, so that no station waits for it: a bounded number of rows in a transaction, a
pause after each, and a long one once nothing is left. Never touches what a hub or a station still needs. Before it:
settings. After it: `store.trimming`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from bridge.core.model import Moment
from bridge.core.retention import Kept, expired_through
from bridge.store import trimming
from bridge.store.errors import StoreError
from bridge.store.repeats import trim_orders
from bridge.store.transaction import Transaction
from bridge.store.writer import Writer

log = structlog.get_logger(__name__)

ROWS_A_TURN = 500
"""Rows that one transaction looks at: some milliseconds."""


@dataclass(frozen=True, slots=True)
class RetentionOptions:
    """What is kept for how long; filled from the configuration."""

    history: Kept
    delivery_log: Kept
    security_events: Kept
    temporary: Kept
    """Of those that are over. Whatever left the inventory is kept as long as history."""
    delivery_bodies: Kept = field(default_factory=lambda: Kept(timedelta(days=7), 50_000))
    """What was said in a request to a hub; its line in the delivery log stays."""
    pause: timedelta = timedelta(milliseconds=200)
    """After each transaction that found something."""
    every: timedelta = timedelta(minutes=10)
    """How often is looked once nothing is left."""
    rows_a_turn: int = ROWS_A_TURN


@dataclass(frozen=True, slots=True)
class LogTurn:
    """Look at the oldest rows of one log, from where the last look ended."""

    log: str
    kept: Kept
    after: int
    limit: int
    now: datetime


@dataclass(frozen=True, slots=True)
class Trimmed:
    """What a turn did."""

    deleted: int
    more: bool
    """There may be more to do at once."""
    through: int = 0
    """Number of the last row that was looked at and needs no second look."""


def trim_logs(conn: Transaction, turns: Sequence[LogTurn]) -> list[Trimmed]:
    """Delete what has expired among the oldest rows of each log, in the writer's thread."""
    return [_trim_log(conn, turn) for turn in turns]


def _trim_log(conn: Transaction, turn: LogTurn) -> Trimmed:
    rows = trimming.oldest_rows(conn, turn.log, turn.after, turn.limit)
    newest = trimming.newest_number(conn, turn.log)
    through = expired_through(rows, newest, turn.kept, turn.now)
    if through is None:
        return Trimmed(0, more=False, through=turn.after)
    deleted = trimming.delete_rows(conn, turn.log, turn.after, through)
    return Trimmed(deleted, more=len(rows) == turn.limit and through == rows[-1].number, through=through)


@dataclass(frozen=True, slots=True)
class LeftTurn:
    """Look for temporary statuses that are over, and for what left the inventory."""

    temporary: Kept
    left_before: datetime
    limit: int
    now: datetime


def trim_left(conn: Transaction, turns: Sequence[LeftTurn]) -> list[Trimmed]:
    """Delete what is over or has left for long enough, in the writer's thread."""
    return [_trim_left(conn, turn) for turn in turns]


def _trim_left(conn: Transaction, turn: LeftTurn) -> Trimmed:
    over = trimming.delete_over(conn, turn.now - turn.temporary.age, turn.temporary.rows, turn.limit)
    keys = trimming.removed_evses(conn, turn.left_before, turn.limit)
    trimming.delete_evses(conn, keys)
    stations = trimming.delete_removed_stations(conn, turn.left_before, turn.limit)
    most = max(over, len(keys), stations)
    return Trimmed(over + len(keys) + stations, more=most >= turn.limit)


@dataclass(slots=True)
class Retention:
    """Forgets what is old. One per process; run `run` as one named task."""

    writer: Writer
    clock: Callable[[], Moment]
    options: RetentionOptions
    _through: dict[str, int] = field(default_factory=dict)
    """Up to where each log was looked at: a restart begins anew, which costs a look at what was kept there."""
    _failing: bool = False

    async def run(self) -> None:
        """Trim until cancelled; where storage fails, later again."""
        while True:
            try:
                more = await self.turn()
            except StoreError as error:
                more = False
                self._log_storage(error)
            else:
                self._log_storage(None)
            await asyncio.sleep((self.options.pause if more else self.options.every).total_seconds())

    async def turn(self) -> bool:
        """Look once at everything and return whether there may be more to do at once. Raises: StoreError."""
        options, limit = self.options, self.options.rows_a_turn
        logs = {
            "history": options.history,
            "delivery_log": options.delivery_log,
            "delivery_bodies": options.delivery_bodies,
            "security_event": options.security_events,
        }
        now = self.clock().steady  # begins as wall time and never steps: a wrong wall clock must not cost a history
        more = False
        for name, kept in logs.items():
            turn = LogTurn(name, kept, self._through.get(name, 0), limit, now)
            trimmed = await self.writer.submit(trim_logs, turn)
            self._through[name] = trimmed.through
            more = more or trimmed.more
        left = await self.writer.submit(trim_left, LeftTurn(options.temporary, now - options.history.age, limit, now))
        answers = await self.writer.submit(trim_orders, (self.clock().now, limit))
        return more or left.more or answers >= limit

    def _log_storage(self, error: StoreError | None) -> None:
        """One line when storage fails, one when it is back."""
        if error is not None and not self._failing:
            log.warning("retention_waiting_for_storage", why=str(error))
        if error is None and self._failing:
            log.info("retention_storage_recovered")
        self._failing = error is not None
