"""Give the bridge an operator's orders about temporary statuses, through the shipped service, and about parked rows.

Keeps in `evidence` which orders were answered: those must survive whatever comes. Before it: fates and scripts. After
it: `process`, or nobody where that is down.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TypeVar

from bridge.app.temporary_services import StoreTemporaries
from bridge.core.model import AccountName, TemporaryKind
from bridge.edits.retries import NotWaiting, RetryOrder, retry_rows
from bridge.store.errors import StoreError
from bridge.web.services import ServiceError, Unavailable
from bridge.web.temporary_shapes import TemporaryChange, TemporaryItem, TemporaryList, TemporaryWish
from tests.torture.simulation.world import World

_Answer = TypeVar("_Answer", TemporaryList, TemporaryItem)


class Operator:
    """One operator. Each order returns None where the process died over it, or could not store it."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def create(
        self,
        kind: str,
        *evse_ids: str,
        begins: datetime | None = None,
        ends: datetime | None = None,
    ) -> tuple[int, ...] | None:
        """Create one for each EVSE, and return their numbers. Raises: ServiceError, where it is refused."""
        wish = TemporaryWish(
            evse_ids=evse_ids, status=TemporaryKind(kind), valid_from=begins, valid_to=ends, enforce=False
        )
        done = await self._ask(lambda service: service.create(wish, by="operator"))
        if done is None:
            return None
        self._world.evidence.note_orders(done.items)
        return tuple(item.id for item in done.items)

    async def end_at(self, number: int, ends: datetime | None) -> TemporaryItem | None:
        """Let one end at another time. Raises: ServiceError, where that is refused."""
        self._world.evidence.doubt_orders((number,))
        done = await self._ask(lambda service: service.change(number, TemporaryChange(valid_to=ends)))
        if done is not None:
            self._world.evidence.note_orders((done,))
        return done

    async def remove(self, *numbers: int) -> bool:
        """Delete these; tell whether that was answered. Raises: ServiceError, where it is refused."""
        self._world.evidence.doubt_orders(numbers)
        done = await self._ask(lambda service: service.end(numbers))
        if done is not None:
            self._world.evidence.note_removed(numbers)
        return done is not None

    async def retry(self, evse_id: str, account: str) -> bool:
        """Have a row sent at once; tell whether it was one that waited."""
        process = self._world.process
        if process is None or not self._world.serving:
            return False
        order = RetryOrder(AccountName(account), evse_id, process.clock())

        async def give() -> bool:
            try:
                await process.writer.submit(retry_rows, order)
            except (NotWaiting, StoreError):
                return False
            process.wakes.account(order.account)
            return True

        work = process.spawn(give())
        await asyncio.wait({work})
        return not work.cancelled() and work.result()

    async def _ask(self, order: Callable[[StoreTemporaries], Awaitable[_Answer]]) -> _Answer | None:
        process = self._world.process
        if process is None or not self._world.serving:
            return None
        service = StoreTemporaries(
            process.store,
            process.writer,
            clock=process.clock,
            derive=process.options,
            wakes=process.wakes,
            enforced=(),
        )

        async def give() -> _Answer | ServiceError:
            try:
                return await order(service)
            except ServiceError as error:
                return error

        work = process.spawn(give())
        await asyncio.wait({work})
        answer: _Answer | ServiceError = Unavailable("the process died") if work.cancelled() else work.result()
        if isinstance(answer, Unavailable):
            return None
        if isinstance(answer, ServiceError):
            raise answer
        return answer
