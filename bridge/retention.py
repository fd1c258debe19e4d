"""Forget what is old: histories, the delivery log, ended temporary statuses, what left the inventory.

A little at a time through the one writer, so that no station waits for it: a bounded number of rows in a transaction, a
pause after each, and a long one once nothing is left. Never touches what a hub or a station still needs. Before it:
settings. After it: `store.trimming`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

import structlog

from bridge.core.model import Moment
from bridge.core.retention import Kept, expired_through, surplus_through
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
    """How often everything is looked at."""
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
    """Rows up to this number need no second look; there need not be one that has it."""
    evses: int = 0
    """EVSEs that were forgotten, of those that were deleted."""


def trim_logs(conn: Transaction, turns: Sequence[LogTurn]) -> list[Trimmed]:
    """Delete what has expired among the oldest rows of each log, in the writer's thread."""
    return [_trim_log(conn, turn) for turn in turns]


def _trim_log(conn: Transaction, turn: LogTurn) -> Trimmed:
    newest = trimming.newest_number(conn, turn.log)
    surplus = surplus_through(newest, turn.kept)
    after, limit, deleted = turn.after, turn.limit, 0
    if after < surplus:
        cut = trimming.cut_short(conn, turn.log, after, surplus, limit)
        deleted = trimming.delete_rows(conn, turn.log, after, cut)
        after, limit = cut, limit - deleted
        if cut < surplus or limit <= 0:
            return Trimmed(deleted, more=True, through=after)
    rows = trimming.oldest_rows(conn, turn.log, after, limit)
    through = expired_through(rows, newest, turn.kept, turn.now)
    if through is None:
        return Trimmed(deleted, more=False, through=after)
    deleted += trimming.delete_rows(conn, turn.log, after, through)
    return Trimmed(deleted, more=len(rows) == limit and through == rows[-1].number, through=through)


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
    return Trimmed(over + len(keys) + stations, more=most >= turn.limit, evses=len(keys))


@dataclass(slots=True)
class Retention:
    """Forgets what is old. One per process; run `run` as one named task."""

    writer: Writer
    clock: Callable[[], Moment]
    options: RetentionOptions
    _through: dict[str, int] = field(default_factory=dict)
    """Up to where each log was looked at: a restart begins anew, which costs a look at what was kept there."""
    _unfinished: frozenset[str] = frozenset()
    """Where the last turn left something to do."""
    _looked_at: datetime | None = None
    """When everything was looked at last (steady)."""
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
        """Go on where something was left to do, else look at everything; return whether there may be more at once.

        Where there is always more, everything has its look once in `every`. Raises: StoreError.
        """
        places, steady = self._places(), self.clock().steady
        if not self._unfinished or self._looked_at is None or steady - self._looked_at >= self.options.every:
            self._unfinished, self._looked_at = frozenset(places), steady
        unfinished = []
        for name, trim in places.items():
            if name in self._unfinished and await trim():
                unfinished.append(name)
        self._unfinished = frozenset(unfinished)
        return bool(unfinished)

    def _places(self) -> dict[str, Callable[[], Awaitable[bool]]]:
        """Return what forgets some of what is old in each place, and tells whether there may be more."""
        options = self.options
        logs = {
            "history": options.history,
            "delivery_log": options.delivery_log,
            "delivery_bodies": options.delivery_bodies,
            "security_event": options.security_events,
        }
        trims: dict[str, Callable[[], Awaitable[bool]]] = {
            name: partial(self._trim_log, name, kept) for name, kept in logs.items()
        }
        return {**trims, "left": self._trim_left, "orders": self._trim_orders}

    async def _trim_log(self, name: str, kept: Kept) -> bool:
        # The steady clock begins as wall time and never steps: a wrong wall clock must not cost a history.
        turn = LogTurn(name, kept, self._through.get(name, 0), self.options.rows_a_turn, self.clock().steady)
        trimmed = await self.writer.submit(trim_logs, turn)
        self._through[name] = trimmed.through
        return trimmed.more

    async def _trim_left(self) -> bool:
        options, now = self.options, self.clock().steady
        turn = LeftTurn(options.temporary, now - options.history.age, options.rows_a_turn, now)
        trimmed = await self.writer.submit(trim_left, turn)
        if trimmed.evses:
            self._through.pop("history", None)  # where they had the newest rows, those numbers are given again
        return trimmed.more

    async def _trim_orders(self) -> bool:
        limit = self.options.rows_a_turn
        return await self.writer.submit(trim_orders, (self.clock().now, limit)) >= limit

    def _log_storage(self, error: StoreError | None) -> None:
        """One line when storage fails, one when it is back."""
        if error is not None and not self._failing:
            log.warning("retention_waiting_for_storage", why=str(error))
        if error is None and self._failing:
            log.info("retention_storage_recovered")
        self._failing = error is not None
