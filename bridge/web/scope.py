"""Keep keys that are bound to operators to those operators' EVSEs: all others are as if they did not exist.

A route that is not marked as `scoped` answers such a key with 403, whatever it is about; whoever marks one uses what is
here, or `request[PRINCIPAL].operators` in a query. Never decides what a role may do. Before it: `auth`. After it:
services.

    await require_own(request, evse_id)              about one EVSE, in any spelling
    temporaries_for(request, services.temporaries)   the same services, for these EVSEs alone
    EvseQuery(operators=request[PRINCIPAL].operators)
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Protocol

from aiohttp import web

from bridge.core.etags import ANYTHING, Condition
from bridge.web.page import Page
from bridge.web.paging import cut
from bridge.web.principals import PRINCIPAL
from bridge.web.services import NotFound
from bridge.web.temporary_services import TemporaryServices, Which
from bridge.web.temporary_shapes import TemporaryChange, TemporaryItem, TemporaryList, TemporaryPreview, TemporaryWish


class Ownership(Protocol):
    """Whose EVSEs are whose. Implemented by `bridge.app.ownership`."""

    async def own(self, evse_ids: Collection[str], operators: Collection[str]) -> frozenset[str]:
        """Return those of these ids, in whatever spelling, that stand for EVSEs of these operators and of no others.

        Raises: Unavailable.
        """
        ...


class NothingOwned:
    """Where nobody knows whose an EVSE is: it is nobody's."""

    async def own(self, evse_ids: Collection[str], operators: Collection[str]) -> frozenset[str]:
        """Find none."""
        return frozenset()


OWNERSHIP = web.AppKey("ownership", Ownership)


async def require_own(request: web.Request, evse_id: str) -> None:
    """Let a request pass that is about an EVSE which its key may see. Raises: NotFound, Unavailable."""
    operators = request[PRINCIPAL].operators
    if operators is not None and not await request.app[OWNERSHIP].own([evse_id], operators):
        raise NotFound("EVSE", evse_id)


def temporaries_for(request: web.Request, services: TemporaryServices) -> TemporaryServices:
    """Return the temporary statuses that a request's key may see and change."""
    operators = request[PRINCIPAL].operators
    return services if operators is None else _OwnTemporaries(services, request.app[OWNERSHIP], operators)


class _OwnTemporaries:
    """Those of some operators' EVSEs. Implements `temporary_services.TemporaryServices`."""

    def __init__(self, services: TemporaryServices, ownership: Ownership, operators: frozenset[str]) -> None:
        self._services = services
        self._ownership = ownership
        self._operators = operators

    async def list(self, evse_id: str | None, which: Which, page: Page | None = None) -> TemporaryList:
        found = (await self._services.list(evse_id, which)).items
        own = await self._own(item.evse_id for item in found)
        items, cursor = cut([item for item in found if item.evse_id in own], page, "own", lambda item: (item.id,))
        return TemporaryList(items=tuple(items), next_cursor=cursor)

    async def get(self, number: int) -> TemporaryItem:
        found = await self._services.get(number)
        if not await self._own([found.evse_id]):
            raise NotFound("temporary status", str(number))
        return found

    async def preview(self, wish: TemporaryWish) -> TemporaryPreview:
        await self._require_own(wish.evse_ids)
        return await self._services.preview(wish)

    async def create(self, wish: TemporaryWish, *, by: str) -> TemporaryList:
        await self._require_own(wish.evse_ids)
        return await self._services.create(wish, by=by)

    async def change(self, number: int, change: TemporaryChange, condition: Condition = ANYTHING) -> TemporaryItem:
        await self.get(number)
        return await self._services.change(number, change, condition)

    async def end(self, numbers: tuple[int, ...]) -> TemporaryList:
        for number in numbers:
            await self.get(number)
        return await self._services.end(numbers)

    async def _require_own(self, evse_ids: Collection[str]) -> None:
        own = await self._own(evse_ids)
        for evse_id in evse_ids:
            if evse_id not in own:
                raise NotFound("EVSE", evse_id)

    async def _own(self, evse_ids: Iterable[str]) -> frozenset[str]:
        return await self._ownership.own(frozenset(evse_ids), self._operators)
