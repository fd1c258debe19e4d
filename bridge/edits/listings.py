"""Take listings in, and bring the accounts' documents to what they say in the same transaction.

Never parses a file. Before it: `listing_file`. After it: `documents`. Twin: `inventory`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from bridge.core.documents import DocumentKind
from bridge.core.model import AccountName, Moment
from bridge.derive import Derived, DeriveOptions
from bridge.documents import DocumentPlan, refresh
from bridge.edits.touched import derive_touched
from bridge.listing_file import Listing, ListingInvalid
from bridge.store.documents import drop_documents
from bridge.store.errors import ListingNeedsYes
from bridge.store.jobs import ItemFailed
from bridge.store.listed_stations import match_listed
from bridge.store.listings import ListingResult, import_listing
from bridge.store.transaction import Transaction


@dataclass(frozen=True, slots=True)
class ListingOrder:
    """A listing to take in."""

    listing: Listing
    prune: bool
    yes: bool
    dry_run: bool
    at: Moment
    documents: tuple[DocumentPlan, ...]
    """What the accounts say besides statuses."""
    options: DeriveOptions
    """A station that is listed names its EVSEs for Chargeprice: their statuses follow."""


@dataclass(frozen=True, slots=True)
class ListingImported:
    """What an import did, and whose lanes have something to do now."""

    result: ListingResult
    derived: Derived = field(default_factory=Derived)


def import_listings(conn: Transaction, orders: Sequence[ListingOrder]) -> list[ListingImported | ItemFailed]:
    """Take listings in, each all or nothing, and bring the documents to them in the same transaction."""
    return [_import(conn, order) for order in orders]


def _import(conn: Transaction, order: ListingOrder) -> ListingImported | ItemFailed:
    savepoint = conn.begin_nested()
    try:
        result = import_listing(conn, order.listing, prune=order.prune, yes=order.yes)
    except (ListingInvalid, ListingNeedsYes) as error:
        savepoint.rollback()
        return ItemFailed(error)
    if order.dry_run:
        savepoint.rollback()
        return ListingImported(result)
    savepoint.commit()
    derived = derive_touched(conn, match_listed(conn), order.at, order.options)
    derived.accounts |= refresh(conn, order.documents, order.at)
    return ListingImported(result, derived)


@dataclass(frozen=True, slots=True)
class RefreshOrder:
    """The accounts' documents are to be brought to what is wanted now; given at start."""

    documents: tuple[DocumentPlan, ...]
    at: Moment
    without_data: tuple[AccountName, ...] = ()
    """Accounts whose configuration sends no EVSEs' data any more: what the hub has of it is no longer ours to say."""


def refresh_documents(conn: Transaction, orders: Sequence[RefreshOrder]) -> list[frozenset[AccountName]]:
    """Bring documents to what is wanted, and return the accounts with something to send."""
    for order in orders:
        for account in order.without_data:
            drop_documents(conn, account, DocumentKind.EVSE_DATA)
    return [frozenset(refresh(conn, order.documents, order.at)) for order in orders]
