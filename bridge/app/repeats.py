"""Remember orders that carry an Idempotency-Key over the open store. Implements `bridge.web.repeats.Repeats`.

Never keeps an order's content, only a digest of it that is worth nothing without the pepper: a body may hold a key.
Before it: `web`. After it: `store.repeats`, through the one writer.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable

import structlog

from bridge.core.model import Moment
from bridge.core.repeats import LARGEST_ANSWER, Found
from bridge.store.errors import StoreError
from bridge.store.repeats import INTERRUPTED, Beginning, Ending, OrderName, begin_orders, end_orders, interrupt_orders
from bridge.store.writer import Writer
from bridge.web.services import Unavailable

log = structlog.get_logger(__name__)


class StoredRepeats:
    """The orders of this process's store."""

    def __init__(self, writer: Writer, clock: Callable[[], Moment], secret: bytes) -> None:
        self._writer = writer
        self._clock = clock
        self._secret = secret

    async def start(self) -> None:
        """Note that what was in work when the last process ended will never be answered. Raises: StoreError."""
        await self._writer.submit(interrupt_orders, None)

    async def begin(self, principal: str, key: str, content: bytes) -> Found:
        """Return what an order is; a new one is in work from now on. Raises: Unavailable."""
        fingerprint = hmac.new(self._secret, content, hashlib.sha256).hexdigest()
        order = Beginning(OrderName(principal, key), fingerprint, self._clock().now)
        try:
            return await self._writer.submit(begin_orders, order)
        except StoreError as error:
            raise Unavailable(str(error)) from error

    async def answered(self, principal: str, key: str, status: int, answer: str | None) -> None:
        """Keep what an order was answered; too long an answer, or None, is not kept, but the outcome is."""
        kept = None if answer is None or len(answer) > LARGEST_ANSWER else answer
        await self._end(Ending(OrderName(principal, key), status, kept))

    async def undone(self, principal: str, key: str) -> None:
        """Forget an order that did nothing."""
        await self._end(Ending(OrderName(principal, key), None, None))

    async def unknown(self, principal: str, key: str) -> None:
        """Note that nobody knows what an order did."""
        await self._end(Ending(OrderName(principal, key), INTERRUPTED, None))

    async def _end(self, ending: Ending) -> None:
        try:
            await self._writer.submit(end_orders, ending)
        except StoreError as error:
            log.warning("repeat_not_stored", principal=ending.name.principal, why=str(error))
