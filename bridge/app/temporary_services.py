"""Answer questions about temporary statuses and carry out orders over the open store.

Implements `bridge.web.temporary_services`. Reads go to the store's read connections; every order is an item of the one
writer. Before it: `web`, or the command line with the bridge stopped. After it: `store.temporary`, `temporaries`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from types import MappingProxyType
from typing import Any

from bridge.app.temporary_previews import Forecaster
from bridge.app.temporary_shown import as_service_error, temporary_item
from bridge.app.wakes import Wakes
from bridge.core.etags import ANYTHING, Condition
from bridge.core.identifiers import canonical_spelling, spelled_with_stars
from bridge.core.model import Moment, Temporary, TemporaryKind
from bridge.core.temporary import Impossible, Phase, TemporaryRefused, check_new, in_milliseconds, in_utc, phase
from bridge.derive import DeriveOptions
from bridge.documents import DocumentPlan
from bridge.store.engine import Store
from bridge.store.errors import StoreError
from bridge.store.jobs import Handler
from bridge.store.temporary import StoredTemporary, find_temporary, list_temporaries
from bridge.store.writer import Writer
from bridge.temporaries import (
    UNCHANGED,
    ChangeOrder,
    CreateOrder,
    Ordered,
    RemoveOrder,
    change_temporaries,
    create_temporaries,
    remove_temporaries,
)
from bridge.web.event_shapes import TemporaryChangeWord
from bridge.web.page import Page
from bridge.web.paging import cut, decode_cursor, next_page
from bridge.web.services import NotFound, Unavailable, ValueRefused
from bridge.web.temporary_services import Which
from bridge.web.temporary_shapes import (
    TemporaryChange,
    TemporaryItem,
    TemporaryList,
    TemporaryPreview,
    TemporaryWish,
)

_ALL = "temporary statuses"


class StoreTemporaries:
    """The temporary statuses of this process's store."""

    def __init__(
        self,
        store: Store,
        writer: Writer,
        *,
        clock: Callable[[], Moment],
        derive: DeriveOptions,
        wakes: Wakes,
        enforced: Collection[TemporaryKind],
        documents: tuple[DocumentPlan, ...] = (),
        mirrors: Mapping[str, tuple[str, ...]] = MappingProxyType({}),
    ) -> None:
        """`enforced`: kinds that are enforced at the stations where an order does not say. `documents`: mirrors.

        `mirrors`: operator → the accounts of these.
        """
        self._mirrors = mirrors
        self._store = store
        self._writer = writer
        self._clock = clock
        self._derive = derive
        self._wakes = wakes
        self._enforced = enforced
        self._documents = documents

    async def list(self, evse_id: str | None, which: Which, page: Page | None = None) -> TemporaryList:
        """Return temporary statuses, of one EVSE where one is named. Raises: WrongCursor, Unavailable."""
        at = self._clock()
        if evse_id is not None:
            return await self._of_evse(evse_id, which, page, at)
        question = partial(
            list_temporaries,
            in_force_at=at.now if which == "active" else None,
            not_over_at=at.now if which == "current" else None,
        )
        if page is None:
            return TemporaryList(items=_items(await self._read(question), at))
        after = 0 if page.cursor is None else int(decode_cursor(page.cursor, _ALL, int)[0])
        found = await self._read(partial(question, after=after, limit=page.limit + 1))
        kept, cursor = next_page(found, page, _ALL, _number)
        return TemporaryList(items=_items(kept, at), next_cursor=cursor)

    async def _of_evse(self, evse_id: str, which: Which, page: Page | None, at: Moment) -> TemporaryList:
        question = partial(
            list_temporaries,
            canonical=canonical_spelling(evse_id),
            in_force_at=at.now if which == "active" else None,
        )
        found = _meant(await self._read(question), evse_id)
        kept = [each for each in found if which == "all" or phase(each.temporary, at.now) is not Phase.OVER]
        shown, cursor = cut(kept, page, _ALL, _number)
        return TemporaryList(items=_items(shown, at), next_cursor=cursor)

    async def get(self, number: int) -> TemporaryItem:
        """Return one. Raises: NotFound, Unavailable."""
        stored = await self._read(partial(find_temporary, number=number))
        if stored is None:
            raise NotFound("temporary status", str(number))
        return temporary_item(stored, self._clock())

    async def preview(self, wish: TemporaryWish) -> TemporaryPreview:
        """Return what the wish would do; what is wrong with one EVSE is said there.

        Raises: ValueRefused, Unavailable.
        """
        at = self._clock()
        wanted = Temporary(
            wish.status,
            _in_utc(wish.valid_from, "valid_from") or in_milliseconds(at.now),
            _in_utc(wish.valid_to, "valid_to"),
            self._enforces(wish),
        )
        try:
            check_new(wanted, at.now)
        except Impossible as error:
            raise as_service_error(error) from error
        forecaster = Forecaster(wanted, at, self._derive, self._mirrors)
        items = await self._read(partial(forecaster.of_evses, spellings=wish.evse_ids))
        return TemporaryPreview(
            status=wanted.kind,
            valid_from=wanted.valid_from,
            valid_to=wanted.valid_to,
            enforce=wanted.enforce,
            items=items,
        )

    async def create(self, wish: TemporaryWish, *, by: str) -> TemporaryList:
        """Create one for each EVSE of the wish, or none. Raises: NotFound, ValueRefused, Conflict, Unavailable."""
        at = self._clock()
        order = CreateOrder(
            evse_ids=wish.evse_ids,
            kind=wish.status,
            valid_from=_in_utc(wish.valid_from, "valid_from"),
            valid_to=_in_utc(wish.valid_to, "valid_to"),
            enforce=self._enforces(wish),
            by=by,
            at=at,
            options=self._derive,
            documents=self._documents,
        )
        return await self._carry_out(create_temporaries, order, at, "created")

    async def change(self, number: int, change: TemporaryChange, condition: Condition = ANYTHING) -> TemporaryItem:
        """Change one, if it is as `condition` says. Raises: NotFound, ValueRefused, Conflict, Changed, Unavailable."""
        at, given = self._clock(), change.model_fields_set
        order = ChangeOrder(
            number,
            at,
            self._derive,
            kind=change.status if "status" in given else UNCHANGED,
            valid_from=_in_utc(change.valid_from, "valid_from") if "valid_from" in given else UNCHANGED,
            valid_to=_in_utc(change.valid_to, "valid_to") if "valid_to" in given else UNCHANGED,
            documents=self._documents,
            condition=condition,
        )
        return (await self._carry_out(change_temporaries, order, at, "changed")).items[0]

    async def end(self, numbers: tuple[int, ...]) -> TemporaryList:
        """Delete these, or none of them, and return what they were. Raises: NotFound, Unavailable."""
        at = self._clock()
        order = RemoveOrder(numbers, at, self._derive, self._documents)
        return await self._carry_out(remove_temporaries, order, at, "ended")

    def _enforces(self, wish: TemporaryWish) -> bool:
        return wish.status in self._enforced if wish.enforce is None else wish.enforce

    async def _read(self, question: Callable[[Any], Any]) -> Any:
        try:
            async with self._store.read() as connection:
                return await connection.run_sync(question)
        except StoreError as error:
            raise Unavailable(str(error)) from error

    async def _carry_out(
        self, handler: Handler[Any, Ordered], order: object, at: Moment, what: TemporaryChangeWord
    ) -> TemporaryList:
        try:
            ordered = await self._writer.submit(handler, order)
        except TemporaryRefused as error:
            raise as_service_error(error) from error
        except StoreError as error:
            raise Unavailable(str(error)) from error
        self._wakes.derived(ordered.derived)
        self._wakes.temporaries(ordered.items, what)
        return TemporaryList(items=tuple(temporary_item(stored, at) for stored in ordered.items))


def _in_utc(moment: datetime | None, field: str) -> datetime | None:
    try:
        return None if moment is None else in_utc(moment, field)
    except Impossible as error:
        raise ValueRefused(error.field, error.wanted) from error


def _items(found: Iterable[StoredTemporary], at: Moment) -> tuple[TemporaryItem, ...]:
    return tuple(temporary_item(stored, at) for stored in found)


def _number(stored: StoredTemporary) -> tuple[int]:
    return (stored.number,)


def _meant(found: Sequence[StoredTemporary], evse_id: str) -> Sequence[StoredTemporary]:
    """Where ids collide without separators, an exact spelling means its own EVSE alone."""
    exact = spelled_with_stars(evse_id)
    return [stored for stored in found if stored.evse_id == exact] or found
