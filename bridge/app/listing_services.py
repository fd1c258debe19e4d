"""Take listings in for operators, and show what is listed: the part of `services` that is about listing files.

Before it: `web`, or the command line with the bridge stopped. After it: `edits.listings`.
"""

from __future__ import annotations

from collections.abc import Callable

from bridge.app.shown import listing_errors, listing_items, listing_report
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
from bridge.web.services import NeedsYes, RowsRefused, Unavailable
from bridge.web.shapes import ImportReport, ListingList, ListingRequest


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

    async def list_listings(self) -> ListingList:
        """Return everything that is listed. Raises: Unavailable."""
        try:
            async with self._store.read() as connection:
                rows = await connection.run_sync(load_listings)
        except StoreError as error:
            raise Unavailable(str(error)) from error
        return ListingList(items=listing_items(rows))
