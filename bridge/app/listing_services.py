"""Take listings in for operators, and show what is listed: the part of `services` that is about listing files.

Before it: `web`, or the command line with the bridge stopped. After it: `edits.listings`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import cast

from bridge.app.imports_shown import listing_errors, listing_items, listing_report
from bridge.app.wakes import Wakes
from bridge.core.model import Moment
from bridge.derive import DeriveOptions
from bridge.documents import DocumentPlan
from bridge.edits import ListingOrder, import_listings
from bridge.listing_file import ListingInvalid, parse_listing
from bridge.store.engine import Store
from bridge.store.errors import ListingNeedsYes, StoreError
from bridge.store.listings import load_listings
from bridge.store.writer import Writer
from bridge.web.page import Page
from bridge.web.paging import decode_cursor, next_page
from bridge.web.services import NeedsYes, RowsRefused, Unavailable
from bridge.web.shapes import ImportReport, ListingList, ListingRequest

_ALL = "listings"


class ListingServices:
    """What `StoreServices` does about listings; it brings the parts."""

    _store: Store
    _writer: Writer
    _clock: Callable[[], Moment]
    _wakes: Wakes
    _documents: tuple[DocumentPlan, ...]
    _derive: DeriveOptions

    async def import_listing(self, request: ListingRequest) -> ImportReport:
        """Apply a listing file as a whole or not at all. Raises: RowsRefused, NeedsYes, Unavailable."""
        try:
            order = ListingOrder(
                listing=parse_listing(request.toml),
                prune=request.prune,
                yes=request.yes,
                dry_run=request.dry_run,
                at=self._clock(),
                documents=self._documents,
                options=self._derive,
            )
            imported = await self._writer.submit(import_listings, order)
        except ListingInvalid as error:
            raise RowsRefused(listing_errors(error), "listing") from error
        except ListingNeedsYes as error:
            report = listing_report(error.result, applied=False)
            if request.dry_run:
                return report.model_copy(update={"warnings": (*report.warnings, str(error))})
            raise NeedsYes(str(error), report) from error
        except StoreError as error:
            raise Unavailable(str(error)) from error
        self._wakes.derived(imported.derived)
        return listing_report(imported.result, applied=not request.dry_run)

    async def list_listings(self, page: Page | None = None) -> ListingList:
        """Return what is listed, all without a page. Raises: WrongCursor, Unavailable."""
        try:
            async with self._store.read() as connection:
                if page is None:
                    return ListingList(items=listing_items(await connection.run_sync(load_listings)))
                question = partial(load_listings, after=_after(page), limit=page.limit + 1)
                rows = await connection.run_sync(question)
        except StoreError as error:
            raise Unavailable(str(error)) from error
        shown, cursor = next_page(rows, page, _ALL, lambda row: (str(row.kind), row.key))
        return ListingList(items=listing_items(shown), next_cursor=cursor)


def _after(page: Page) -> tuple[str, str] | None:
    return None if page.cursor is None else cast("tuple[str, str]", decode_cursor(page.cursor, _ALL, str, str))
